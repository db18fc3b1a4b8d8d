"""The matrix of a layer: dense, then all but those of a sliding window cut, then with shared weights."""

from typing import NamedTuple

import numpy as np

from convbp.notation import subscripted
from convbp.pictures.scene import Tag

DENSE, CUT, SHARED = STEPS = ("dense", "cut", "shared")


class Link(NamedTuple):
    """A connection between a pixel and an output; equal ``name`` means: the same weight."""

    pixel: tuple[int, int]
    output: tuple[int, int]
    name: str
    value: object
    tag: Tag | None  # of a weight that is shared

    @property
    def entry(self) -> tuple[int, int]:
        """Where the pixel lies in the output's window, and the weight in the kernel."""
        return self.pixel[0] - self.output[0], self.pixel[1] - self.output[1]


def layer_matrix(kernel: np.ndarray, size: tuple[int, int], step: str) -> list[list[Link | None]]:
    """Return the layer's matrix W: a row for each output, a column for each pixel, None for what is cut.

    The weights of the dense layer are made up, but for those of output (0, 0) to its window: they are the kernel,
    which in the end all outputs share.

    Parameters
    ----------
    kernel : ndarray, shape=(k1, k2)
    size : (int, int)
        (H, W) of the input, no smaller than the kernel.
    step : {"dense", "cut", "shared"}
    """
    (k1, k2), pixels = kernel.shape, list(np.ndindex(size))
    outputs = list(np.ndindex(size[0] - k1 + 1, size[1] - k2 + 1))
    made_up = np.random.default_rng(1).choice([-3, -2, -1, 1, 2, 3], (len(outputs), len(pixels))).tolist()

    def link(p: int, q: int) -> Link | None:
        own = Link(pixels[q], outputs[p], f"W({p}, {q})", made_up[p][q], None)
        m, n = own.entry
        if not (0 <= m < k1 and 0 <= n < k2):
            return own if step == DENSE else None
        if step == SHARED:
            return own._replace(name=f"w({m}, {n})", value=kernel[m, n], tag=Tag(subscripted("w", m, n), m * k2 + n))
        return own._replace(value=kernel[m, n]) if p == 0 else own

    return [[link(p, q) for q in range(len(pixels))] for p in range(len(outputs))]
