"""Losses: values by hand, exactness, large scores, and what is said about bad input."""

from fractions import Fraction

import numpy as np
import pytest

from checks import check_half_sum_of_squares, check_softmax_cross_entropy, what_it_says
from convbp import half_sum_of_squares, softmax_cross_entropy
from convbp.losses import softmax

SCORES = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])


def test_values_and_gradients():
    check_half_sum_of_squares(half_sum_of_squares)
    check_softmax_cross_entropy(softmax_cross_entropy)


def test_half_sum_of_squares_is_exact():
    assert half_sum_of_squares([3, 0], [0, 0]) == Fraction(9, 2)
    third = np.array([Fraction(1, 3), Fraction(0)])
    assert half_sum_of_squares(third, [0, 1]) == Fraction(5, 9)
    assert half_sum_of_squares.gradient(third, [0, 1]).tolist() == [Fraction(1, 3), -1]


def test_unsigned_integers_do_not_wrap():
    small, large = np.array([1], np.uint8), np.array([250], np.uint8)
    assert half_sum_of_squares(small, large) == 249**2 / 2
    assert half_sum_of_squares.gradient(small, large).tolist() == [-249]


def test_large_integers_do_not_wrap():
    assert half_sum_of_squares([2**40, 0], [-(2**40), 0]) == 2**81
    assert half_sum_of_squares.gradient([2**62], [-(2**62)]).tolist() == [2**63]
    assert half_sum_of_squares([1_600_000_000], [-1_600_000_000]) == 5.12e18  # its square has no int64, 3/4 of it has


def test_half_of_a_large_integer_is_exact():
    """A float has it up to sums of 2⁵³; 2⁵³ + 1 is the first of which none has the half."""
    for misses in [2**26, 2**26, 1], [2**30 + 1], [2**40, 1], [3 * 10**200]:
        squares = sum(miss**2 for miss in misses)
        for outputs in misses, np.array(misses, object):
            assert half_sum_of_squares(outputs, [0] * len(misses)) == Fraction(squares, 2)
            assert half_sum_of_squares([0] * len(misses), outputs) == Fraction(squares, 2)
    for dtype in np.int64, object:
        half = half_sum_of_squares(np.array([2**26, 2**26 - 1], dtype), [0, 0])
        assert isinstance(half, float)
        assert half == Fraction(2**52 + (2**26 - 1) ** 2, 2)


def test_unsigned_beside_signed_integers_stay_exact():
    """NumPy has float64 for the two of them."""
    unsigned, signed = np.array([2**63 + 1, 2**53 + 1], np.uint64), np.array([-2, 3])
    assert half_sum_of_squares.gradient(unsigned, signed).tolist() == [2**63 + 3, 2**53 - 2]
    assert half_sum_of_squares.gradient(signed, unsigned).tolist() == [-(2**63) - 3, 2 - 2**53]
    assert half_sum_of_squares(unsigned, signed) == Fraction((2**63 + 3) ** 2 + (2**53 - 2) ** 2, 2)


def test_more_rows_than_float16_can_count():
    """Where 70,000 is infinity, a share of 1/70,000 still has a float16."""
    count = 70_000
    scores, labels = np.tile(np.array([[1, 3]], np.float16), (count, 1)), np.zeros(count, int)
    gradient = softmax_cross_entropy.gradient(scores, labels)
    assert gradient.dtype == np.float16
    share = 1 / (1 + np.exp(-2)) / count
    np.testing.assert_allclose(gradient, np.tile([[-share, share]], (count, 1)), atol=2**-24)  # the smallest float16
    assert softmax_cross_entropy(scores, labels) == pytest.approx(2 + np.log1p(np.exp(-2)), rel=1e-3)


def test_equal_scores_cost_the_logarithm_of_their_number():
    assert softmax_cross_entropy([[7.0, 7.0, 7.0, 7.0]], [2]) == pytest.approx(np.log(4))
    np.testing.assert_allclose(softmax_cross_entropy.gradient([[7.0] * 4], [2]), [[0.25, 0.25, -0.75, 0.25]])


def test_large_scores():
    """Nothing overflows; a warning would be an error."""
    scores = np.array([[1e4, 0.0, -1e4], [-1e300, 0.0, 1e300]])
    assert softmax_cross_entropy(scores, [0, 2]) == 0
    assert softmax_cross_entropy(scores[:1], [1]) == 1e4
    assert softmax_cross_entropy.gradient(scores[:1], [1]).tolist() == [[1, -1, 0]]


def test_floats_keep_their_dtype():
    scores = SCORES.astype(np.float32)
    assert softmax_cross_entropy(scores, [0, 1]).dtype == np.float32
    assert softmax_cross_entropy.gradient(scores, [0, 1]).dtype == np.float32
    assert half_sum_of_squares(scores, scores).dtype == np.float32
    assert half_sum_of_squares.gradient(scores, scores).dtype == np.float32


def test_nothing_that_comes_in_is_changed():
    outputs, labels = SCORES.copy(), np.array([2, 0])
    for array in outputs, labels:
        array.flags.writeable = False
    softmax_cross_entropy(outputs, labels)
    softmax_cross_entropy.gradient(outputs, labels)
    half_sum_of_squares(outputs, outputs)
    half_sum_of_squares.gradient(outputs, outputs)


BAD_ARGUMENTS = {
    "different shapes": (
        (half_sum_of_squares, [1, 2, 3], [[1, 2, 3]]),
        ValueError,
        "targets has shape (1, 3); expected (3,). Each output has one target; "
        "targets.reshape(outputs.shape) if only the axes differ.",
    ),
    "a NaN": (
        (half_sum_of_squares, [1.0, np.nan], [1, 2]),
        ValueError,
        "outputs has an entry that is NaN or infinite; expected finite numbers.",
    ),
    "text": ((half_sum_of_squares, [1, 2], ["a", "b"]), TypeError, "targets has entries of type str; expected real"),
    "one row": (
        (softmax_cross_entropy, SCORES[0], [1]),
        ValueError,
        "outputs has shape (3,), which is 1 axis; expected 2 axes (N, D).",
    ),
    "too few labels": (
        (softmax_cross_entropy, SCORES, [1]),
        ValueError,
        "targets has shape (1,); expected (2,). Each row of the outputs has one class.",
    ),
    "one-hot": (
        (softmax_cross_entropy, SCORES, [[0, 1, 0], [1, 0, 0]]),
        ValueError,
        "targets has shape (2, 3), which is 2 axes; expected 1 axis (N).",
    ),
    "labels as floats": (
        (softmax_cross_entropy, SCORES, [0.0, 1.0]),
        TypeError,
        "targets has entries of type float64; expected the classes as integers.",
    ),
    "label too large": (
        (softmax_cross_entropy, SCORES, [0, 3]),
        ValueError,
        "targets has the class 3; expected 0 … 2, as the outputs have 3 scores per row. Classes count from 0.",
    ),
    "label negative": (
        (softmax_cross_entropy, SCORES, [-1, 0]),
        ValueError,
        "targets has the class -1; expected 0 … 2",
    ),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments(case):
    (loss, *arguments), error, message = BAD_ARGUMENTS[case]
    assert what_it_says(error, loss, *arguments).startswith(f"{loss.name}: {message}")
    assert what_it_says(error, loss.gradient, *arguments).startswith(f"{loss.name}.gradient: {message}")


def test_single_numbers_of_any_size():
    assert half_sum_of_squares(2**62, 0) == Fraction(2**124, 2)
    assert half_sum_of_squares.gradient(2**62, -(2**62)) == 2**63
    assert half_sum_of_squares(np.uint64(2**64 - 1), 1) == Fraction((2**64 - 2) ** 2, 2)
    assert half_sum_of_squares(3, 1) == 2


def test_sums_of_large_integers_of_both_signs():
    """Each difference is up to twice the largest entry, so its square four times that of the largest."""
    assert half_sum_of_squares([1600000000], [-1600000000]) == 5.12e18
    assert half_sum_of_squares([1600000000] * 2, [-1600000000] * 2) == 10.24e18


def test_numbers_beyond_floats_are_refused_in_words():
    assert half_sum_of_squares([10**400], [0]) == Fraction(10**800, 2)
    said = what_it_says(ValueError, softmax_cross_entropy, [[10**400, 0]], [0])
    assert said.startswith("softmax_cross_entropy: outputs has an entry beyond all floats")
    said = what_it_says(ValueError, half_sum_of_squares, [1e200], [0.0])
    assert said.startswith("half_sum_of_squares: a result is too large for float64; expected smaller numbers.")
    assert half_sum_of_squares(np.float16([300]), np.float16([0])) == 45000
    said = what_it_says(ValueError, half_sum_of_squares, np.float16([400]), np.float16([0]))
    assert "too large for float16" in said


def test_softmax_of_scores_of_any_size():
    rows = softmax(np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[1, 0, 0], [1 / 3] * 3])
