"""The state of explorers of a convolutional layer's backward pass: its input, its kernel, and the δ of its output."""

from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational
from typing import ClassVar

import numpy as np

from convbp.convolution import cross_correlate
from convbp.explorers.readable import readable
from convbp.pictures.scene import Selection
from convbp.shapes import check_size

LARGEST_IMAGE, LARGEST_KERNEL = 9, 5
FIRST = Selection("image", 0, 0)


@dataclass(frozen=True, eq=False)
class LayerState:
    """One layer x = o ⊗ w, with δ = ∂E/∂x, and the chosen cell.

    Parameters
    ----------
    image : array_like, shape=(H, W)
        The o of the layer below.
    kernel : array_like, shape=(k1, k2)
    delta : array_like, shape=(H − k1 + 1, W − k2 + 1), optional
        If left out it is x itself, which is the δ of the error E = ½ Σ x² (Eq. 9, with targets 0).

    Raises
    ------
    TypeError, ValueError
        If an array is not one that a picture can show, or the shapes do not fit together.
    """

    explorer: ClassVar[str] = "LayerState"

    image: np.ndarray
    kernel: np.ndarray
    delta: np.ndarray | None = None
    selected: Selection = FIRST

    def __post_init__(self):
        image = readable(self.explorer, "image", self.image, LARGEST_IMAGE)
        kernel = readable(self.explorer, "kernel", self.kernel, LARGEST_KERNEL)
        output = self.output(image, kernel)
        delta = readable(self.explorer, "delta", output if self.delta is None else self.delta, LARGEST_IMAGE)
        mend = "Leave delta out to have one that fits."
        check_size(self.explorer, "delta", delta.shape, output.shape, f"δ has one entry for each output. {mend}")
        for name, array in (("image", image), ("kernel", kernel), ("delta", delta)):
            object.__setattr__(self, name, array)

    def output(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """What the layer makes of an image."""
        return cross_correlate(image, kernel)

    def central_difference(self, name: str) -> np.ndarray:
        """(E(+1) − E(−1)) / 2 for each entry of the array ``name``, "image" or "kernel", with E = Σ δ·x.

        Exact where the output is linear in each of the two: then any step gives the derivative.
        """
        at = getattr(self, name)

        def error(moved: np.ndarray):
            return sum((self.delta * self.output(**{"image": self.image, "kernel": self.kernel, name: moved})).flat)

        slopes = np.empty(at.shape, object)
        for entry in np.ndindex(at.shape):
            step = np.zeros(at.shape, at.dtype)
            step[entry] = 1
            rise = error(at + step) - error(at - step)
            slopes[entry] = Fraction(rise, 2) if isinstance(rise, Rational) else rise / 2
        return slopes
