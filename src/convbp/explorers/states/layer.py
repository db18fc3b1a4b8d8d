"""The state of explorers of a convolutional layer's backward pass: its input, its kernel, and the δ of its output."""

from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

from convbp.convolution import conv2d, cross_correlate
from convbp.explorers.states.examples import IMAGE, KERNEL
from convbp.explorers.states.fields import array
from convbp.explorers.states.numbers import Part, Rows, numbers, rows_of_part
from convbp.explorers.states.state import ExplorerState
from convbp.shapes import check_size

LARGEST_IMAGE, LARGEST_KERNEL = 9, 5


def delta_of_layer(**options: Any) -> Any:
    """A field for the δ of a layer, which may be left out."""
    return array(
        None,
        LARGEST_IMAGE,
        shape="(H − k1 + 1, W − k2 + 1)",
        doc="∂E/∂x of the layer's output; if left out it is x itself, the δ of E = ½ Σ x².",
        **options,
    )


def numbers_of_layer(first: str, image: str = "o") -> Any:
    """A field for which numbers of a layer have sliders: of w, δ and the image, or the sizes of image and kernel.

    ``first`` is the part that has them at first, ``image`` what the entries of the image are called.
    """
    letters = {"kernel": "w", "delta": "δ", "image": image}
    begins = next(name for name, letter in letters.items() if letter == first)

    def parts(state: Any) -> dict[str, Part]:
        beside = getattr(state, begins)
        entries = {
            letter + row: part
            for name, letter in letters.items()
            for row, part in rows_of_part(name, letter, getattr(state, name), beside=beside).items()
        }
        return {**entries, f"the sizes of {image} and w": _SIZES}

    return numbers(first, parts, label="sliders for")


def _with_sizes(state: Any, sizes: Rows) -> Any:
    """With an image and a kernel of other sizes, and a δ that fits: cut off, or going on as they began."""
    (H, W), (k1, k2) = sizes
    fitting = {"image": (H, W), "kernel": (k1, k2), "delta": (max(H - k1 + 1, 1), max(W - k2 + 1, 1))}
    return replace(state, **{name: _resized(getattr(state, name), *size) for name, size in fitting.items()})


def _resized(array: np.ndarray, rows: int, cols: int) -> np.ndarray:
    missing = [(0, max(0, wanted - there)) for wanted, there in zip((rows, cols), array.shape, strict=True)]
    return np.pad(array, missing, mode="wrap")[:rows, :cols]


def each_with_each(images: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """What a layer without bias makes of each of several images with each of several kernels.

    Of shapes (N, H, W) and (M, k1, k2) it is an array with shape=(N, M, H − k1 + 1, W − k2 + 1).
    """
    return np.moveaxis(conv2d(images[..., None], np.moveaxis(kernels, 0, -1)[:, :, None]), -1, 1)


_SIZES = Part(
    (("H", "W"), ("k₁", "k₂")), lambda state: (state.image.shape, state.kernel.shape), _with_sizes, (1, LARGEST_IMAGE)
)


@dataclass(frozen=True, eq=False)
class LayerState(ExplorerState):
    """One layer x = o ⊗ w, with δ = ∂E/∂x, and the chosen cell.

    ``image`` is the o of the layer below, shape=(H, W); ``kernel`` has shape=(k1, k2) and ``delta``
    shape=(H − k1 + 1, W − k2 + 1). If ``delta`` is left out it is x itself, which is the δ of the error E = ½ Σ x²
    (Eq. 9, with targets 0).

    Raises
    ------
    TypeError, ValueError
        If an array is not one that a picture can show, or the shapes do not fit together.
    """

    image: np.ndarray = array(IMAGE, LARGEST_IMAGE)
    kernel: np.ndarray = array(KERNEL, LARGEST_KERNEL, shape="(k1, k2)", doc="No larger than the image.")
    delta: np.ndarray = delta_of_layer()

    def __post_init__(self) -> None:
        super().__post_init__()
        output = self.output(self.image, self.kernel)
        if self.delta is None:
            self.settle("delta", output)
        hint = "δ has one entry for each output. Leave delta out to have one that fits."
        check_size(self.explorer, "delta", self.delta.shape, output.shape, hint)

    def output(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """What the layer makes of an image."""
        if any(k > size for k, size in zip(kernel.shape, image.shape, strict=True)):
            cross_correlate(image, kernel)  # raises, and says why
        made: np.ndarray = self.outputs(image[None], kernel[None])[0, 0]
        return made

    def outputs(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """The same of several images and kernels, each with each, shape=(images, kernels, H′, W′)."""
        return each_with_each(image, kernel)

    def central_difference(self, name: str) -> np.ndarray:
        """(E(+1) − E(−1)) / 2 for each entry of the array ``name``, "image" or "kernel", with E = Σ δ·x.

        Exact where the output is linear in each of the two: then any step gives the derivative.
        """
        at = getattr(self, name)
        steps = np.eye(at.size, dtype=at.dtype).reshape(-1, *at.shape)
        arrays = {"image": self.image[None], "kernel": self.kernel[None]}
        ahead, behind = (
            (self.delta * self.outputs(**{**arrays, name: at + moved})).sum(axis=(-2, -1)) for moved in (steps, -steps)
        )
        rises = (ahead - behind).ravel().tolist()
        slopes = np.empty(at.size, object)
        slopes[:] = [Fraction(rise, 2) if isinstance(rise, Rational) else rise / 2 for rise in rises]
        return slopes.reshape(at.shape)
