"""What it costs to look into a PyTorch network while it runs: ``python benchmarks/capture.py``.

Forward and backward of a small ResNet, in turns without ``capture``, with it on all layers, and on those of one block;
on one thread, by the processor time that each takes, the least of all turns. Beside it what is kept: in PyTorch until
the backward pass is over, and in ``seen`` as long as that is kept.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

from time import process_time

import torch
from torch import nn
from torch.nn import functional as F

from convbp.torch import capture

TURNS = 25
SIZES = (1, 3, 32, 32), (8, 3, 64, 64), (32, 3, 64, 64)


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, before: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        shortcut = nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential(*shortcut) if stride > 1 else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


def resnet() -> nn.Module:
    """Eight blocks in four stages, as in ResNet-18, with a quarter of its channels."""
    widths = [16, 16, 32, 32, 64, 64, 128, 128]
    before = [16, *widths[:-1]]
    blocks = [Block(b, w, 1 + (b != w)) for b, w in zip(before, widths, strict=True)]
    stem = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def step(model: nn.Module, x: torch.Tensor) -> None:
    """Forward and backward."""
    model.zero_grad()
    F.cross_entropy(model(x), torch.arange(len(x)) % 10).backward()


def saved(model: nn.Module, x: torch.Tensor) -> float:
    """What autograd keeps for the backward pass beside the parameters, in MB: each storage once."""
    sizes, own = {}, {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model(x)
    del out
    return sum(sizes.values()) / 1e6


def main() -> None:
    """Print a row for each size of the input."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = resnet()
    print(f"PyTorch {torch.__version__}, load {os.getloadavg()[0]:.1f}; milliseconds, and MB kept")
    print(f"{'input':>14} {'without':>8} {'all':>8} {'one block':>10} {'all, ×':>7} {'autograd':>9} {'seen':>6}")
    for size in SIZES:
        x, times, kept = torch.randn(size), {}, {}
        for turn in range(TURNS + 1):  # the first one warms up
            for name, only in (("without", None), ("all", ()), ("one block", "5.*")):
                begin = process_time()
                if only is None:
                    step(model, x)
                else:
                    with capture(model, only=only) as seen:
                        step(model, x)
                    kept[name] = seen
                if turn:
                    times.setdefault(name, []).append(process_time() - begin)
            megabytes = repr(kept["all"]).split(", ")[1].split(" MB")[0]
            kept.clear()
        least = {name: 1e3 * min(turns) for name, turns in times.items()}
        columns = f"{least['without']:8.1f} {least['all']:8.1f} {least['one block']:10.1f}"
        factor = least["all"] / least["without"]
        print(f"{'×'.join(map(str, size)):>14} {columns} {factor:7.2f} {saved(model, x):9.1f} {megabytes:>6}")


if __name__ == "__main__":
    main()
