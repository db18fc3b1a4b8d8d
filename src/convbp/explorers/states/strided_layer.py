"""The state of the explorer of stride, padding and dilation: a layer, and which pixel meets which weight."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from convbp.explorers.states.examples import KERNEL, LARGER_IMAGE
from convbp.explorers.states.fields import array, pair, shown
from convbp.explorers.states.numbered_delta import NumberedDelta, delta_of_outputs
from convbp.pictures.scene import Selection
from convbp.shapes import output_size

LARGEST_STEP = 3


def reach(kernel_size: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """How far the last weight of a kernel is from its first, dilation·(k − 1)."""
    return dilation[0] * (kernel_size[0] - 1), dilation[1] * (kernel_size[1] - 1)


def _other_steps(name: str) -> Callable[[Any, Any], Any]:
    """The state with another stride, padding or dilation, and with what has to follow."""

    def change(state: "StridedLayer", pair: tuple[int, int]) -> "StridedLayer":
        steps = {**state.steps, name: pair}
        (above, left), most = steps["padding"], reach(state.kernel.shape, steps["dilation"])
        padding = min(above, most[0]), min(left, most[1])
        return replace(state, stride=steps["stride"], padding=padding, dilation=steps["dilation"], delta=None)

    return change


@dataclass(frozen=True, eq=False)
class StridedLayer(NumberedDelta):
    """A layer with its stride, padding and dilation, the δ of its output, and the chosen pixel or output."""

    begins_with: ClassVar[dict[str, Any]] = {"selected": Selection("image", 2, 2)}

    image: np.ndarray = array(LARGER_IMAGE, 8)
    kernel: np.ndarray = array(KERNEL, 3, shape="(k1, k2)")
    stride: tuple[int, int] = pair(
        2, 1, LARGEST_STEP, change=_other_steps("stride"), doc="As `conv2d` takes it, like the next two."
    )
    padding: tuple[int, int] = pair(
        0, 0, room=lambda state: state.reach, change=_other_steps("padding"), doc="At most dilation·(k − 1)."
    )
    dilation: tuple[int, int] = pair(1, 1, LARGEST_STEP, change=_other_steps("dilation"))
    delta: np.ndarray | None = delta_of_outputs("x")

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(p > most for p, most in zip(self.padding, self.reach, strict=True)):
            raise ValueError(
                f"{self.explorer}: padding is {shown(self.padding)}; expected at most dilation·(k − 1), which is "
                f"{self.reach}. With more, a window could lie on nothing but padding."
            )
        self.settle_delta()

    @property
    def steps(self) -> dict[str, Any]:
        """As `conv2d` takes them."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    @property
    def reach(self) -> tuple[int, int]:
        """How far the kernel reaches, dilation·(k − 1)."""
        return reach(self.kernel.shape, self.dilation)

    @property
    def places(self) -> tuple[int, int]:
        """The size of the output."""
        return output_size(self.explorer, self.image.shape, self.kernel.shape, *self.steps.values())

    def met(self, row: int, col: int, m: int, n: int) -> tuple[int, int] | None:
        """For which output weight (m, n) meets a pixel, if for any."""
        pairs = zip((row, col), (m, n), self.places, self.stride, self.padding, self.dilation, strict=True)
        steps = [(*divmod(at + p - d * tap, s), end) for at, tap, end, s, p, d in pairs]
        return tuple(i for i, _, _ in steps) if all(0 <= i < end and not rest for i, rest, end in steps) else None
