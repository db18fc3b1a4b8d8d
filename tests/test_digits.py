"""The digits in the package are those of scikit-learn, and of the description that UCI gives of them."""

from importlib.resources import files

import numpy as np
import pytest

from convbp import digit_network, load_digits, split_digits


def test_equal_to_scikit_learn():
    import sklearn.datasets  # takes seconds, and every process collects this file

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


@pytest.mark.parametrize(("seed", "said"), [("a", "expected an integer"), (-1, "expected at least 0")])
def test_a_seed_that_is_none(seed, said):
    with pytest.raises((TypeError, ValueError), match=f"split_digits: seed is {seed!r}; .*{said}"):
        split_digits(seed)


def test_licence_is_beside_the_file():
    text = files("convbp.networks").joinpath("data/DIGITS-LICENSE.txt").read_text(encoding="utf-8")
    for needed in "CC BY 4.0", "E. Alpaydin and C. Kaynak", "UCI Machine Learning Repository", "scikit-learn":
        assert needed in text


def test_the_halves_are_those_of_scikit_learns_example():
    import sklearn.datasets
    import sklearn.model_selection

    theirs = sklearn.datasets.load_digits()
    expected = sklearn.model_selection.train_test_split(theirs.images, theirs.target, test_size=0.5, shuffle=False)
    split = split_digits(None)
    for ours, theirs in zip((split.images, split.test_images), expected[:2], strict=True):
        np.testing.assert_array_equal(ours[..., 0] * 16, theirs)
    for ours, theirs in zip((split.labels, split.test_labels), expected[2:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_seed_shuffles_and_holds_a_quarter_out():
    images, labels = load_digits()
    split, same, other = split_digits(3), split_digits(3), split_digits(4)
    assert (len(split.labels), len(split.test_labels)) == (1347, 450)
    assert split.images.dtype == np.float32
    # Each image stands once in one of the two parts, and beside its own label.
    rows = {(image.tobytes(), label) for image, label in zip(images, labels, strict=True)}
    both = np.concatenate([split.images, split.test_images])[..., 0] * 16
    found = zip(both.astype(np.int64), np.concatenate([split.labels, split.test_labels]), strict=True)
    assert sorted((image.tobytes(), label) for image, label in found) == sorted(rows)
    assert all(np.array_equal(a, b) for a, b in zip(split, same, strict=True))
    assert not np.array_equal(split.test_labels, other.test_labels)


def test_the_network_for_the_digits():
    network = digit_network(seed=2)
    assert sum(array.size for array in network.parameters.values()) == 9930
    assert network.scores(split_digits().images[:5]).shape == (5, 10)
    assert not np.array_equal(network.parameters["conv1.kernel"], digit_network(3).parameters["conv1.kernel"])
