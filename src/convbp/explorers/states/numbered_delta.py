"""A state whose δ is numbered, 1, 2, 3, …, where the reader gives none: so one can see where each of them goes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from convbp.explorers.states.fields import array
from convbp.explorers.states.state import ExplorerState
from convbp.shapes import check_size


def delta_of_outputs(output: str) -> Any:
    """A field for the δ of outputs that are called so."""
    return array(
        None,
        shape="(H′, W′)",
        doc=f"∂E/∂{output} of the output. If left out, and while a slider makes an output of another size, it is "
        "1, 2, 3, ….",
    )


@dataclass(frozen=True, eq=False)
class NumberedDelta(ExplorerState):
    """The δ of a layer's outputs: the one that was given; or ``own``, the last one given, if that fits; or numbers."""

    if TYPE_CHECKING:
        delta: np.ndarray | None  # each state has it where its explorer's parameters have it

    own: np.ndarray | None = field(default=None, kw_only=True)

    def settle_delta(self) -> None:
        """Take the δ that fits; the last step of ``__post_init__``."""
        places = self.places  # refuses a window that does not fit
        if self.delta is not None:
            check_size(self.explorer, "delta", self.delta.shape, places, "Leave delta out to have one that fits.")
            object.__setattr__(self, "own", self.delta)
        elif self.own is not None and self.own.shape == places:
            object.__setattr__(self, "delta", self.own)

    @property
    def places(self) -> tuple[int, int]:
        """The size of the output."""
        raise NotImplementedError

    @property
    def deltas(self) -> np.ndarray:
        """The δ of each output, shape=(H′, W′)."""
        if self.delta is not None:
            return self.delta
        rows, cols = self.places
        return np.arange(1, rows * cols + 1).reshape(rows, cols).astype(object)
