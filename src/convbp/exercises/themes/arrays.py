"""The arrays that several exercises begin with, and random ones.

They are small, none is square, no kernel has a symmetry, and zeros and ties are among them: so each mistake gives
another result. Each exercise has an input with the shapes of the first and other numbers, for a function that remembers
its first result; results that are not whole, for one that rounds; and, last, one so small that whatever a mistake gives
is computed at once. The arrays of an input have one dtype, so that an array made like one of them can hold the result.

tests/test_mutants.py makes wrong answers of right ones, by one edit each, and demands that these inputs refuse them.
"""

import numpy as np

IMAGE = np.array([[1, 2, 0, 3, 1], [0, 1, 2, 1, 4], [2, 0, 1, 2, 3], [1, 3, 0, 1, 2]])
KERNEL = np.array([[1, 2, -1], [0, 3, -2]])
DELTA = np.array([[1, 0, 2, -1], [-1, 3, 0, 4], [2, 1, -2, 1]])

NCHW = (0, 3, 1, 2)  # the order in which an array of images is transposed to have its channels first


def random(seed: int, *shape: int, dtype: type = int) -> np.ndarray:
    """Small whole numbers."""
    return np.random.default_rng(seed).integers(-4, 6, shape).astype(dtype)


def quarters(seed: int, *shape: int) -> np.ndarray:
    """Numbers at which an activation is neither flat nor straight."""
    return np.random.default_rng(seed).integers(-9, 10, shape) / 4


def sevenths(seed: int, *shape: int) -> np.ndarray:
    """Numbers that no rounding leaves as they are, many of them below 1."""
    return np.random.default_rng(seed).integers(-20, 21, shape) / 7
