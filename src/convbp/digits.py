"""Real handwritten digits, in the package: nothing is downloaded.

The 1797 images are the test part of the Optical Recognition of Handwritten Digits data set (E. Alpaydin and C. Kaynak,
UCI Machine Learning Repository, 1998), in the order in which scikit-learn ships them; licence and attribution are
beside the file, in ``data/DIGITS-LICENSE.txt``. The file is ``numpy.savez_compressed`` of
``sklearn.datasets.load_digits()``, with images and labels as uint8 to keep it small; a test holds the two equal.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np


class Digits(NamedTuple):
    """Images of digits and which digits they are.

    Attributes
    ----------
    images : ndarray of int64, shape=(1797, 8, 8)
        Ink in each pixel, from 0 (paper) to 16.
    labels : ndarray of int64, shape=(1797,)
        The digits, 0 to 9.
    """

    images: np.ndarray
    labels: np.ndarray


@cache
def load_digits():
    """Return the handwritten digits.

    As inputs of a layer: ``images[:, :, :, None] / 16``, of shape=(1797, 8, 8, 1) and between 0 and 1.

    Returns
    -------
    Digits
        Its arrays cannot be written to, as every caller gets the same ones.
    """
    with files("convbp").joinpath("data/digits.npz").open("rb") as file, np.load(file) as data:
        # As int64 a reader can subtract two images; as uint8 the difference would wrap around.
        digits = Digits(data["images"].astype(np.int64), data["labels"].astype(np.int64))
    for array in digits:
        array.flags.writeable = False
    return digits
