"""The state of the explorer of a pooling layer: its input, its windows, the δ of its output."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from convbp.explorers.readable import one_of, readable
from convbp.pictures.scene import Selection
from convbp.pooling import Pooled, average_pool2d, l2_pool2d, max_pool2d
from convbp.shapes import as_window, check_size, output_size

LARGEST, LARGEST_WINDOW = 8, 4
FIRST = Selection("delta", 0, 0)


class Pooling(NamedTuple):
    """A kind of pooling, and what one says of its output, of a window's δ, of a pixel's, of all, and of the shares."""

    layer: Callable[..., Pooled]
    output: str
    window: str
    pixel: str
    sums: str
    rule: str


CONSERVED = "conserved, as the shares of each window sum to 1"
POOLINGS = {
    "max": Pooling(
        max_pool2d,
        "the largest entry",
        "pixel {winner} gets all",
        "is the winner in {wins} of",
        CONSERVED,
        "Not times o, nor times f′: the switch only. f′ belongs to the activation layer.",
    ),
    "average": Pooling(
        average_pool2d,
        "the mean",
        "each pixel gets {share}",
        "gets {share} of the δ of",
        CONSERVED,
        "All pixels of a window have the same share, whatever their values.",
    ),
    "L2": Pooling(
        l2_pool2d,
        "the norm √Σ o²",
        "each pixel gets o/y",
        "gets o/y of the δ of",
        "in general not conserved: only the squares of a window's shares sum to 1",
        "A pixel's share is ∂y/∂o = o/y. Where y = 0 there is no derivative, and 0 is taken.",
    ),
}


@dataclass(frozen=True, eq=False)
class PoolingState:
    """The input, the pooling with its window, the δ of its output, and the cell chosen in δ or in the input.

    Without ``delta`` it is 1, 2, 3, …, so that one can see where each went; or ``own``, the last one that was given, if
    that fits.
    """

    inputs: np.ndarray
    pooling: str = "max"
    size: tuple[int, int] = (2, 2)
    stride: tuple[int, int] | None = None
    delta: np.ndarray | None = None
    selected: Selection = FIRST
    own: np.ndarray | None = None

    def __post_init__(self):
        operation = "PoolingRoute"
        one_of(operation, "pooling", self.pooling, POOLINGS)
        inputs = readable(operation, "inputs", self.inputs, LARGEST)
        size, stride, _ = as_window(operation, self.size, self.stride, 0)
        if max(size) > LARGEST_WINDOW:
            raise ValueError(
                f"{operation}: size is {self.size!r}; expected at most {LARGEST_WINDOW} rows and columns, or the "
                "shares could not be read. Take a smaller window."
            )
        places = output_size(operation, inputs.shape, size, stride)
        if self.delta is not None:
            delta, mend = readable(operation, "delta", self.delta, LARGEST), "Leave delta out to have one that fits."
            check_size(operation, "delta", delta.shape, places, mend)
            object.__setattr__(self, "delta", delta)
            object.__setattr__(self, "own", delta)
        elif self.own is not None and self.own.shape == places:
            object.__setattr__(self, "delta", self.own)
        for name, value in (("inputs", inputs), ("size", size), ("stride", stride)):
            object.__setattr__(self, name, value)

    @property
    def deltas(self) -> np.ndarray:
        """The δ of each window, shape=(H′, W′)."""
        if self.delta is not None:
            return self.delta
        rows, cols = output_size("PoolingRoute", self.inputs.shape, self.size, self.stride)
        return np.arange(1, rows * cols + 1).reshape(rows, cols).astype(object)

    def window(self, i: int, j: int) -> tuple[slice, slice]:
        """Where window (i, j) stands in the input."""
        return tuple(slice(s * at, s * at + k) for at, k, s in zip((i, j), self.size, self.stride, strict=True))

    def covering(self, row: int, col: int) -> tuple[range, range]:
        """The rows i and the columns j of the windows that cover a pixel."""
        return tuple(
            range(max(0, (at - k) // s + 1), min(at // s + 1, end))
            for at, k, s, end in zip((row, col), self.size, self.stride, self.deltas.shape, strict=True)
        )
