"""So many users run a notebook at once on the hub of this folder: how long it takes, and how much memory each has.

    CONVBP_HUB_TOKEN=... python load.py [--users 10] [../../notebooks/08_delta_backpropagation.ipynb]

It works through the API of the hub, from the machine that the hub runs on (Linux, whose /proc has the memory).
"""

import argparse
import asyncio
import json
import os
import statistics
import time
import uuid
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

HUB = "http://127.0.0.1:8000"
HEADERS = {"Authorization": f"token {os.environ['CONVBP_HUB_TOKEN']}"}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--pause", type=float, default=0, help="seconds that a user reads between two cells")
    default = Path(__file__).resolve().parents[2] / "notebooks" / "08_delta_backpropagation.ipynb"
    parser.add_argument("notebook", nargs="?", type=Path, default=default)
    chosen = parser.parse_args()
    AsyncHTTPClient.configure(None, max_clients=4 * chosen.users)
    sources = [
        "".join(cell["source"])
        for cell in json.loads(chosen.notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    names = [f"reader{n}" for n in range(1, chosen.users + 1)]
    try:
        done = await asyncio.gather(*(user(name, sources, chosen.pause) for name in names))
        used = [await costs(name) for name in names]
    finally:
        await asyncio.gather(
            *(ask("DELETE", f"/hub/api/users/{name}/server", expected=(202, 204, 404)) for name in names)
        )
    starts, cells = zip(*done, strict=True)
    everything = sorted(seconds for some in cells for seconds in some)
    print(f"{len(names)} users, {len(sources)} cells each of {chosen.notebook.name}; {os.cpu_count()} processors")
    memory, of_kernels, processor = zip(*used, strict=True)
    for what, numbers in [
        ("server and kernel ready, s", starts),
        ("all cells of a user, s", [sum(some) for some in cells]),
        ("a cell, s", everything),
        ("memory of a user, MB", memory),
        ("  of it the kernel, MB", of_kernels),
        ("processor of a user, s", processor),
    ]:
        print(f"{what:<27} median {statistics.median(numbers):6.1f}   most {max(numbers):6.1f}")


async def user(name: str, sources: list[str], pause: float) -> tuple[float, list[float]]:
    """Start a server and a kernel, and run the cells; return how long the start took, and each cell."""
    began = time.monotonic()
    await ask("POST", f"/hub/api/users/{name}", expected=(201, 409))
    await ask("POST", f"/hub/api/users/{name}/server", expected=(201, 202, 400))
    while not (await ask("GET", f"/hub/api/users/{name}"))["servers"].get("", {}).get("ready"):
        await asyncio.sleep(0.5)
    kernel = (await ask("POST", f"/user/{name}/api/kernels", {"name": "python3"}))["id"]
    address = f"{HUB.replace('http', 'ws')}/user/{name}/api/kernels/{kernel}/channels"
    socket = await websocket_connect(HTTPRequest(address, headers=HEADERS), max_message_size=2**28)
    await run(socket, "")
    started = time.monotonic() - began
    took = []
    for source in sources:
        await asyncio.sleep(pause)
        begins = time.monotonic()
        await run(socket, source)
        took.append(time.monotonic() - begins)
    return started, took


async def run(socket, source: str) -> None:
    """Run a cell as JupyterLab does, and wait for its end."""
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "session": number, "username": "", "version": "5.3"}
    content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(message))
    while True:
        heard = await socket.read_message()
        if heard is None:
            raise RuntimeError("the connection to the kernel was closed")
        if isinstance(heard, bytes):  # a widget's arrays
            continue
        reply = json.loads(heard)
        if reply["parent_header"].get("msg_id") == number and reply["msg_type"] == "execute_reply":
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"a cell failed: {reply['content']}")
            return


async def ask(method: str, path: str, body: dict | None = None, expected: tuple = (200, 201)) -> dict:
    text = None if method in ("GET", "DELETE") else json.dumps(body or {})
    try:
        reply = await AsyncHTTPClient().fetch(
            HUB + path, method=method, headers=HEADERS, body=text, request_timeout=180, connect_timeout=60
        )
    except HTTPClientError as error:
        if error.code not in expected:
            raise
        return {}
    return json.loads(reply.body) if reply.body else {}


async def costs(name: str) -> tuple[float, float, float]:
    """The memory of a user's server with its kernels in MB, that of the kernels alone, and the processor's seconds.

    What processes share is shared out among them (PSS).
    """
    server = (await ask("GET", f"/hub/api/users/{name}"))["servers"][""]["state"]["pid"]
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(fields(stat)[1])
        except OSError:  # it has ended meanwhile
            continue
    family, size = {server}, 0
    while size < len(family):
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    ticks = sum(int(n) for process in family for n in fields(Path(f"/proc/{process}/stat"))[11:13])
    own = {process: megabytes(process) for process in family}
    return sum(own.values()), sum(own.values()) - own[server], ticks / os.sysconf("SC_CLK_TCK")


def fields(stat: Path) -> list[str]:
    """Those behind the name of the program, which may have spaces in it."""
    return stat.read_text().rpartition(")")[2].split()


def megabytes(process: int) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    asyncio.run(main())
