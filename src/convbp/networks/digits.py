"""Real handwritten digits, in the package: nothing is downloaded.

The 1797 images are the test part of the Optical Recognition of Handwritten Digits data set (E. Alpaydin and C. Kaynak,
UCI Machine Learning Repository, 1998), in the order in which scikit-learn ships them; licence and attribution are
beside the file, in ``data/DIGITS-LICENSE.txt``. The file is ``numpy.savez_compressed`` of
``sklearn.datasets.load_digits()``, with images and labels as uint8 to keep it small; a test holds the two equal.
"""

from functools import cache
from importlib.resources import files
from math import ceil
from typing import NamedTuple

import numpy as np

from convbp.activations import relu
from convbp.networks.layers import Conv2D, Dense, Flatten, MaxPool2D
from convbp.networks.network import Network
from convbp.shapes import as_count


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
def load_digits() -> Digits:
    """Return the handwritten digits.

    As inputs of a layer: ``images[:, :, :, None] / 16``, of shape=(1797, 8, 8, 1) and between 0 and 1.

    Returns
    -------
    Digits
        Its arrays cannot be written to, as every caller gets the same ones.
    """
    with files("convbp.networks").joinpath("data/digits.npz").open("rb") as file, np.load(file) as data:
        # As int64 a reader can subtract two images; as uint8 the difference would wrap around.
        digits = Digits(data["images"].astype(np.int64), data["labels"].astype(np.int64))
    for array in digits:
        array.flags.writeable = False
    return digits


class Split(NamedTuple):
    """Digits to train on, and others to test on.

    Attributes
    ----------
    images, test_images : ndarray of float32, shape=(…, 8, 8, 1)
        Ink from 0 to 1, as inputs of a network.
    labels, test_labels : ndarray of int64, shape=(…,)
    """

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        """Test images and labels, as `convbp.train` takes them."""
        return self.test_images, self.test_labels


def split_digits(seed: int | None = 0) -> Split:
    """Split the digits into those to train on and those to test on.

    Parameters
    ----------
    seed : int or None
        With a number the digits are shuffled, and a quarter of them, 450, is for the test. With None they stay in their
        order and the second half, 899, is for the test, as in scikit-learn's example "Recognizing hand-written digits".
        That is harder: as far as their order tells, mostly other people wrote the second half. The data does not say
        who wrote which.

    Returns
    -------
    Split

    Raises
    ------
    TypeError, ValueError
        If the seed is something else.
    """
    images, labels = load_digits()
    images = (images[..., None] / 16).astype(np.float32)
    if seed is None:
        order, count = np.arange(len(images)), ceil(len(images) / 2)
    else:
        rng = np.random.default_rng(as_count("split_digits", "seed", seed, 0))
        order, count = rng.permutation(len(images)), ceil(len(images) / 4)
    learned, tested = np.split(order, [len(order) - count])
    return Split(images[learned], labels[learned], images[tested], labels[tested])


def digit_network(seed: int = 0) -> Network:
    """Return a small network for the digits, not yet trained: two convolutions, a pooling, 9,930 parameters.

    Parameters
    ----------
    seed : int
        Of its random weights.

    Returns
    -------
    Network
    """
    return Network(
        (8, 8, 1),
        Conv2D(16, 3, padding=1),
        relu,
        Conv2D(32, 3, padding=1),
        relu,
        MaxPool2D(3, stride=2, padding=1),
        Flatten(),
        Dense(10),
        seed=seed,
    )
