"""What is sent to the page for each explorer, beside what was sent before it was packed.

    python benchmarks/sent.py [name ...]

The explorers are those of the gallery, each as its cell there makes it, in a fresh kernel without a page. A line for
each says how many kB of messages running its cell brings, before any compression: all of them, as they go to the page;
how much of that is the picture, its controls and its still; and beside it the kB of the first table.
"""

import sys
from collections import Counter
from collections.abc import Iterator

from explorers import cells_of_the_gallery
from jupyter_client.manager import start_new_kernel

FIRST = {
    "AffectedRegionQ": 338,
    "ChainOfLayers": 645,
    "Channels": 251,
    "ConventionSwitch": 435,
    "DeltaFlow": 589,
    "DenseToConvolution": 685,
    "DrawDigit": 240,
    "ForwardPass": 389,
    "KernelFlip": 408,
    "KernelGradient": 341,
    "LiveTraining": 81,
    "PoolingRoute": 475,
    "SlidingWindow": 219,
    "StrideAndPadding": 404,
    "TwoLayerQuestion": 208,
}


def messages(client, code: str) -> Iterator[tuple[dict, int]]:
    """Run a cell; each message that it brings, and its size in bytes."""
    asked = client.execute(code)
    while True:
        frames = client.iopub_channel.socket.recv_multipart()
        _, parts = client.session.feed_identities(frames)
        message = client.session.deserialize(parts)
        if message["parent_header"].get("msg_id") != asked:
            continue
        if message["msg_type"] == "error":
            sys.exit("\n".join(message["content"]["traceback"]))
        yield message, sum(map(len, parts[1:]))  # without the signature, which the page does not get
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return


def kind(message: dict) -> str:
    """What a message brings."""
    if message["msg_type"] in ("display_data", "execute_result"):
        return "still"
    state = message["content"].get("data", {}).get("state", {})
    if "_esm" in state or "frame" in state or "patches" in state or "others" in state:
        return "picture"
    return "controls" if message["msg_type"].startswith("comm") else "other"


def main(names: list[str]) -> None:
    set_up, explorers = cells_of_the_gallery()
    manager, client = start_new_kernel(kernel_name="python3")
    print(f"{'kB':20}{'sent':>6}{'first':>7}{'ratio':>7}   {'picture':>8}{'controls':>9}{'still':>7}")
    try:
        for name in names or sorted(explorers):
            manager.restart_kernel(now=True)  # what explorers share is sent for the first
            client.wait_for_ready()
            for cell in set_up:
                list(messages(client, cell))
            sizes: Counter[str] = Counter()
            for message, size in messages(client, explorers[name]):
                sizes[kind(message)] += size
            kb, first = sizes.total() / 1000, FIRST.get(name)
            beside = f"{first:7}{kb / first:7.2f}" if first else f"{'–':>7}{'–':>7}"
            parts = "".join(
                f"{sizes[part] / 1000:{width}.0f}" for part, width in (("picture", 11), ("controls", 9), ("still", 7))
            )
            print(f"{name:20}{kb:6.0f}{beside}{parts}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main(sys.argv[1:])
