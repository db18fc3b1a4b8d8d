"""The arrays that explorers begin with: images that are not square, kernels with two sides and no symmetry."""

KERNEL = ((1, 2, -1), (0, 3, -2))

IMAGE = ((1, 2, 0, 3, 1), (0, 1, 2, 1, 4), (2, 0, 1, 2, 3), (1, 3, 0, 1, 2))
DELTA = ((1, -2, 0), (2, 1, -1), (0, 3, 1))

LARGER_IMAGE = ((1, 2, 0, 3, 1, 2), (0, 1, 2, 1, 4, 0), (2, 0, 1, 2, 3, 1), (1, 3, 0, 1, 2, 1), (2, 1, 1, 0, 1, 3))
LARGER_DELTA = ((1, -2, 0, 3), (2, 1, -1, 0), (0, 4, 1, -3), (-1, 2, 0, 1))
