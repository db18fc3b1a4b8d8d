"""The state of the explorer of stride, padding and dilation: a layer, and which pixel meets which weight."""

from dataclasses import dataclass

import numpy as np

from convbp.explorers.readable import readable
from convbp.pictures.scene import Selection
from convbp.shapes import as_steps, check_size, output_size

LARGEST_IMAGE, LARGEST_KERNEL, LARGEST_STEP = 8, 3, 3
FIRST = Selection("image", 0, 0)


def reach(kernel_size: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """How far the last weight of a kernel is from its first, dilation·(k − 1)."""
    return tuple(d * (k - 1) for d, k in zip(dilation, kernel_size, strict=True))


@dataclass(frozen=True, eq=False)
class StridedLayer:
    """A layer with its stride, padding and dilation, the δ of its output, and the chosen pixel or output.

    Without ``delta`` it is 1, 2, 3, …, so that one can see where each stands among the zeros; or ``own``, the last one
    that was given, if that fits.
    """

    image: np.ndarray
    kernel: np.ndarray
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    delta: np.ndarray | None = None
    selected: Selection = FIRST
    own: np.ndarray | None = None

    def __post_init__(self):
        operation = "StrideAndPadding"
        for name, largest in (("image", LARGEST_IMAGE), ("kernel", LARGEST_KERNEL)):
            object.__setattr__(self, name, readable(operation, name, getattr(self, name), largest))
        steps = as_steps(operation, self.stride, self.padding, self.dilation)
        for name, pair in zip(("stride", "padding", "dilation"), steps, strict=True):
            object.__setattr__(self, name, pair)
        if max(self.stride + self.dilation) > LARGEST_STEP:
            raise ValueError(
                f"{operation}: stride is {self.stride} and dilation is {self.dilation}; expected at most "
                f"{LARGEST_STEP}, or the picture would be too large."
            )
        if any(p > most for p, most in zip(self.padding, self.reach, strict=True)):
            raise ValueError(
                f"{operation}: padding is {self.padding}; expected at most dilation·(k − 1), which is "
                f"{self.reach}. With more, a window could lie on nothing but padding."
            )
        if self.delta is not None:
            delta = readable(operation, "delta", self.delta)
            check_size(operation, "delta", delta.shape, self.places, "Leave delta out to have one that fits.")
            object.__setattr__(self, "delta", delta)
            object.__setattr__(self, "own", delta)
        elif self.own is not None and self.own.shape == self.places:
            object.__setattr__(self, "delta", self.own)

    @property
    def steps(self) -> dict[str, tuple[int, int]]:
        """As `conv2d` takes them."""
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    @property
    def reach(self) -> tuple[int, int]:
        """How far the kernel reaches, dilation·(k − 1)."""
        return reach(self.kernel.shape, self.dilation)

    @property
    def places(self) -> tuple[int, int]:
        """The size of the output."""
        return output_size("StrideAndPadding", self.image.shape, self.kernel.shape, *self.steps.values())

    @property
    def deltas(self) -> np.ndarray:
        """The δ of each output, shape=(H′, W′)."""
        if self.delta is not None:
            return self.delta
        rows, cols = self.places
        return np.arange(1, rows * cols + 1).reshape(rows, cols).astype(object)

    def read(self, i: int, j: int, m: int, n: int) -> tuple[int, int]:
        """Which pixel weight (m, n) meets for output (i, j)."""
        return tuple(
            s * at + d * tap - p
            for at, tap, s, p, d in zip((i, j), (m, n), self.stride, self.padding, self.dilation, strict=True)
        )

    def met(self, row: int, col: int, m: int, n: int) -> tuple[int, int] | None:
        """For which output weight (m, n) meets a pixel, if for any."""
        pairs = zip((row, col), (m, n), self.places, self.stride, self.padding, self.dilation, strict=True)
        steps = [(*divmod(at + p - d * tap, s), end) for at, tap, end, s, p, d in pairs]
        return tuple(i for i, _, _ in steps) if all(0 <= i < end and not rest for i, rest, end in steps) else None
