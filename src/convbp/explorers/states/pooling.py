"""The state of the explorer of a pooling layer: its input, its windows, the δ of its output."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from convbp.explorers.states.fields import array, choice, pair, tick
from convbp.explorers.states.numbered_delta import NumberedDelta, delta_of_outputs
from convbp.pictures.scene import Selection
from convbp.pooling import Pooled, average_pool2d, l2_pool2d, max_pool2d
from convbp.shapes import output_size

LARGEST_WINDOW = 4
INPUTS = ((1, 3, 0, 2, 0, 0), (2, 0, 5, 1, 0, 0), (4, 1, 2, 2, 3, 6), (0, 2, 1, 4, 4, 1), (3, 1, 0, 2, 5, 2))


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
        "is {wins}",
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


def _other_windows(name: str) -> Callable[[Any, Any], Any]:
    """Other windows have other outputs, and so other δ."""
    return lambda state, pair: replace(state, **{name: pair}, delta=None)


@dataclass(frozen=True, eq=False)
class PoolingState(NumberedDelta):
    """The input, the pooling with its window, the δ of its output, and the cell chosen in δ or in the input."""

    begins_with: ClassVar[dict[str, Any]] = {"selected": Selection("delta", 0, 1)}

    inputs: np.ndarray = array(INPUTS, 8)
    pooling: str = choice("max", POOLINGS.keys())
    size: tuple[int, int] = pair(
        2,
        1,
        LARGEST_WINDOW,
        room=lambda state: state.inputs.shape,
        change=_other_windows("size"),
        doc="Rows and columns of the window.",
    )
    stride: tuple[int, int] = pair(
        None,
        1,
        8,
        room=lambda state: tuple(max(LARGEST_WINDOW, step) for step in state.stride),
        change=_other_windows("stride"),
        doc="Its step; if left out windows do not overlap.",
    )
    delta: np.ndarray | None = delta_of_outputs("y")
    covered: bool = tick(
        False,
        label="cover ∂E/∂o",
        doc="Cover the gradient: a cell takes a prediction, and shows its number after it.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride is None:
            self.settle("stride", self.size)
        self.settle_delta()

    @property
    def places(self) -> tuple[int, int]:
        """The size of the output."""
        return output_size(self.explorer, self.inputs.shape, self.size, self.stride)

    def window(self, i: int, j: int) -> tuple[slice, slice]:
        """Where window (i, j) stands in the input."""
        rows, cols = (slice(s * at, s * at + k) for at, k, s in zip((i, j), self.size, self.stride, strict=True))
        return rows, cols

    def covering(self, row: int, col: int) -> tuple[range, range]:
        """The rows i and the columns j of the windows that cover a pixel."""
        rows, cols = (
            range(max(0, (at - k) // s + 1), min(at // s + 1, end))
            for at, k, s, end in zip((row, col), self.size, self.stride, self.deltas.shape, strict=True)
        )
        return rows, cols
