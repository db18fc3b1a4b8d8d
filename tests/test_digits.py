"""The digits in the package are those of scikit-learn, and of the description that UCI gives of them."""

from importlib.resources import files

import numpy as np
import pytest
import sklearn.datasets

from convbp import load_digits


def test_equal_to_scikit_learn():
    ours, theirs = load_digits(), sklearn.datasets.load_digits()
    np.testing.assert_array_equal(ours.images, theirs.images, strict=False)
    np.testing.assert_array_equal(ours.labels, theirs.target)


def test_as_described():
    images, labels = load_digits()
    assert images.shape == (1797, 8, 8)
    assert images.dtype == labels.dtype == np.int64
    assert (images[0] - images[1]).min() < 0  # unsigned, it would have wrapped around
    assert (images.min(), images.max()) == (0, 16)
    # UCI's table: how many there are of 0, 1, 2, … in the test part.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_no_caller_can_change_them_for_the_next():
    for array in load_digits():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_licence_is_beside_the_file():
    text = files("convbp").joinpath("data/DIGITS-LICENSE.txt").read_text(encoding="utf-8")
    for needed in "CC BY 4.0", "E. Alpaydin and C. Kaynak", "UCI Machine Learning Repository", "scikit-learn":
        assert needed in text
