"""Pooling: published numbers, small cases by hand, exactness, and what is said about bad input."""

from fractions import Fraction

import numpy as np
import pytest

from checks import what_it_says
from convbp import average_pool2d, l2_pool2d, loops, max_pool2d

POOLS = [max_pool2d, average_pool2d, l2_pool2d]


def one_map(array):
    """(H, W) → (1, H, W, 1)"""
    return np.array(array)[None, :, :, None]


def as_map(array):
    """(1, H, W, 1) → (H, W) as nested lists"""
    return array[0, :, :, 0].tolist()


# --- published numbers ------------------------------------------------------------------------------------------------


def test_cs231n_max_pool_forward():
    """CS231n assignment 2: 2×2 windows, stride 2, of a linspace in NCHW."""
    inputs = np.linspace(-0.3, 0.4, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4).transpose(0, 2, 3, 1)
    output = max_pool2d(inputs, (2, 2), stride=2).output
    expected = [[-0.26315789, -0.24842105], [-0.20421053, -0.18947368]]
    np.testing.assert_allclose(output[0, :, :, 0], expected, atol=1e-8)


def test_onnx_pools_with_padding():
    """ONNX MaxPool and AveragePool (padding counted): 5×5 windows, padding 2, of 1 … 25 as 5×5."""
    inputs = one_map(np.arange(1, 26).reshape(5, 5))
    largest = [[13, 14, 15, 15, 15], [18, 19, 20, 20, 20], *[[23, 24, 25, 25, 25]] * 3]
    assert as_map(max_pool2d(inputs, 5, stride=1, padding=2).output) == largest
    mean = [
        [2.52, 3.6, 4.8, 4.08, 3.24],
        [4.56, 6.4, 8.4, 7.04, 5.52],
        [7.2, 10, 13, 10.8, 8.4],
        [6.96, 9.6, 12.4, 10.24, 7.92],
        [6.12, 8.4, 10.8, 8.88, 6.84],
    ]
    assert as_map(average_pool2d(inputs, 5, stride=1, padding=2).output) == mean


def test_onnx_max_unpool():
    """ONNX MaxUnpool sends 1, 2, 3, 4 to the places 5, 7, 13, 15 of 4×4: the route of δ to these winners."""
    pooled = max_pool2d(one_map(np.arange(16).reshape(4, 4)), 2)
    rows, columns = pooled.winners[0, :, :, 0].transpose(2, 0, 1)
    assert (4 * rows + columns).tolist() == [[5, 7], [13, 15]]
    expected = [[0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]
    assert as_map(pooled.route(one_map([[1, 2], [3, 4]]))) == expected


def test_onnx_lp_pool_with_dilation():
    """ONNX LpPool, p = 2, 2×2 windows with dilation 2: ordinary L2 pooling of every second row and column."""
    inputs = np.arange(1, 17).reshape(4, 4)
    result = [[l2_pool2d(one_map(inputs[i::2, j::2]), 2).output.item() for j in range(2)] for i in range(2)]
    expected = [[14.560219778561036, 16.24807680927192], [21.633307652783937, 23.49468024894146]]
    np.testing.assert_allclose(result, expected, rtol=1e-15)


# --- by hand ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", [max_pool2d, loops.max_pool2d])
def test_max_by_hand(pool):
    """2×3 windows, one step apart to the right: they overlap, the first ties, and a row is left over."""
    pooled = pool(one_map([[3, 1, 7, 0], [3, 7, 2, 5], [9, 9, 9, 9]]), (2, 3), stride=(2, 1))
    assert as_map(pooled.output) == [[7, 7]]
    assert pooled.winners[0, :, :, 0].tolist() == [[[0, 2], [0, 2]]]
    assert as_map(pooled.route(one_map([[10, 100]]))) == [[0, 0, 110, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("pool", [max_pool2d, loops.max_pool2d])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float32, object])
def test_padding_never_wins(pool, dtype):
    """Not over the smallest number of the dtype either: of the equal entries of a window the first inside wins."""
    smallest = np.iinfo(dtype).min if dtype in (np.uint8, np.int8, np.int64) else -1
    pooled = pool(one_map(np.full((2, 4), smallest, dtype)), (2, 2), stride=(2, 2), padding=(1, 1))
    assert as_map(pooled.output) == [[smallest] * 3] * 2
    assert pooled.winners[0, :, :, 0].tolist() == [[[0, 0], [0, 1], [0, 3]], [[1, 0], [1, 1], [1, 3]]]
    assert as_map(pooled.route(one_map([[1, 2, 3], [4, 5, 6]]))) == [[1, 2, 0, 3], [4, 5, 0, 6]]


@pytest.mark.parametrize("entries", [[-1e20] * 8, [Fraction(-(10**20)), -1e20, -(10**20)] + [-1e308] * 5])
def test_padding_never_wins_over_large_floats_among_objects(entries):
    """From 2⁵³ on a float and one less are the same float."""
    inputs = one_map(np.array(entries, object).reshape(2, 4))
    windows = {"size": (2, 2), "stride": (1, 1), "padding": (1, 1)}
    pooled, expected = max_pool2d(inputs, **windows), loops.max_pool2d(inputs, **windows)
    assert pooled.winners.tolist() == expected.winners.tolist()
    assert pooled.output.dtype == object
    assert pooled.output.tolist() == expected.output.tolist()
    assert set(pooled.output.flat) <= set(entries)
    assert pooled.route(np.ones((1, 3, 5, 1), int)).tolist() == expected.route(np.ones((1, 3, 5, 1), int)).tolist()


@pytest.mark.parametrize("pool", [average_pool2d, loops.average_pool2d])
def test_average_by_hand(pool):
    """3×2 windows over one row and column of padding, whose zeros are counted; the middle row is seen twice."""
    pooled = pool(one_map([[8, 4, 12], [16, 2, 0], [2, 4, 12]]), (3, 2), stride=(2, 1), padding=(1, 1))
    assert as_map(pooled.output) == [[4, 5, 3, 2], [3, 4, 3, 2]]
    gradient = pooled.route(one_map([[6, 12, 18, 24], [60, 0, 0, 6]]))
    assert as_map(gradient) == [[3, 5, 7], [13, 5, 8], [10, 0, 1]]


@pytest.mark.parametrize("pool", [l2_pool2d, loops.l2_pool2d])
def test_l2_by_hand(pool):
    """3-4-5, and a window of zeros, whose norm has no derivative: it gets nothing."""
    pooled = pool(one_map([[3, 0, 0], [-4, 0, 0]]), (2, 1))
    assert as_map(pooled.output) == [[5, 0, 0]]
    np.testing.assert_allclose(as_map(pooled.route(one_map([[10, 7, 7]]))), [[6, 0, 0], [-8, 0, 0]], rtol=1e-15)


def test_windows_larger_than_half_the_inputs_and_of_one_entry():
    inputs = one_map([[1.5, -2, 3], [4, 5, -6]])
    for pool in POOLS:
        assert pool(inputs, (2, 3)).output.shape == (1, 1, 1, 1)
    assert max_pool2d(inputs, 1).output.tolist() == inputs.tolist()
    assert average_pool2d(inputs, 1).output.tolist() == inputs.tolist()
    assert l2_pool2d(inputs, 1).output.tolist() == np.abs(inputs).tolist()
    before = inputs.copy()
    pooled = max_pool2d(inputs, 1)
    inputs[:] = 0
    assert np.array_equal(pooled.output, before)


def test_a_window_of_more_than_256_entries():
    inputs = np.arange(2 * 18 * 19).reshape(2, 18, 19, 1) % 331
    pooled, expected = max_pool2d(inputs, (17, 18), stride=1), loops.max_pool2d(inputs, (17, 18), stride=1)
    assert pooled.winners.tolist() == expected.winners.tolist()
    assert pooled.route(pooled.output).tolist() == expected.route(expected.output).tolist()


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_keep_their_dtype(pool, dtype):
    pooled = pool(one_map([[1, 2, 3], [4, 5, 6]]).astype(dtype), (2, 2), stride=1, padding=1)
    assert pooled.output.dtype == dtype
    assert pooled.route(pooled.output).dtype == dtype


def test_the_mean_of_large_float16_does_not_overflow():
    """Nor does what comes back to an entry of several windows."""
    inputs = one_map(np.array([[60000, 50016, -64], [60000, 60000, 65504]], np.float16))
    pooled, expected = average_pool2d(inputs, (2, 2), stride=1), loops.average_pool2d(inputs, (2, 2), stride=1)
    delta = one_map(np.array([[60000, 65504]], np.float16))
    for result, known in (pooled.output, expected.output), (pooled.route(delta), expected.route(delta)):
        assert result.dtype == np.float16
        assert result.tolist() == known.astype(np.float16).tolist()
    column = one_map(np.full((3, 1), 60000, np.float16))
    overlap = average_pool2d(column, (2, 1), stride=1)
    assert as_map(overlap.route(overlap.output)) == [[30000], [60000], [30000]]


def test_a_window_of_more_entries_than_float16_can_count():
    assert average_pool2d(np.ones((1, 260, 260, 1), np.float16), 260).output.tolist() == [[[[1]]]]


def test_small_integers_do_not_wrap():
    inputs = one_map(np.full((3, 3), 200, np.uint8))
    assert as_map(average_pool2d(inputs, 2, stride=1).output) == [[200, 200], [200, 200]]
    assert as_map(l2_pool2d(inputs, 2, stride=1).output) == [[400, 400], [400, 400]]
    peak = inputs.copy()
    peak[0, 1, 1, 0] = 201
    assert max_pool2d(peak, 2, stride=1).route(np.full((1, 2, 2, 1), 200, np.uint8))[0, 1, 1, 0] == 800


def test_large_integers_do_not_wrap():
    large = one_map(np.full((2, 3), 2**62))
    assert as_map(max_pool2d(large, (2, 2), stride=1).route(one_map([[2**62, 2**62]]))) == [
        [2**62, 2**62, 0],
        [0, 0, 0],
    ]
    assert as_map(average_pool2d(large, 2, stride=1).output) == [[2**62, 2**62]]
    overlap = one_map(np.array([[0, 1, 0]]))
    assert as_map(max_pool2d(overlap, (1, 2), stride=1).route(one_map([[2**62, 2**62]]))) == [[0, 2**63, 0]]
    assert as_map(average_pool2d(overlap, (1, 2), stride=1).route(one_map([[2**62, 2**62]]))) == [[2**61, 2**62, 2**61]]


def test_fractions_stay_exact_where_no_window_is():
    pooled = average_pool2d(one_map(np.full((3, 4), Fraction(1, 3))), (2, 3))
    assert as_map(pooled.output) == [[Fraction(1, 3)]]
    gradient = as_map(pooled.route(pooled.output))
    assert gradient == [[Fraction(1, 18)] * 3 + [0]] * 2 + [[0] * 4]
    assert not any(isinstance(entry, float) for row in gradient for entry in row)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_l2_squares_neither_overflow_nor_vanish(size):
    pooled = l2_pool2d(one_map([[3 * size], [-4 * size]]), (2, 1))
    np.testing.assert_allclose(pooled.output, 5 * size, rtol=1e-15)
    np.testing.assert_allclose(as_map(pooled.route(one_map([[1.0]]))), [[0.6], [-0.8]], rtol=1e-15)


# --- bad input --------------------------------------------------------------------------------------------------------

INPUTS = np.ones((2, 4, 5, 3))

BAD_ARGUMENTS = {
    "a grey image": (
        (INPUTS[0, :, :, 0], 2),
        ValueError,
        "inputs has shape (4, 5), which is 2 axes; expected 4 axes (N, H, W, C). "
        "One grey image goes in as image[None, :, :, None], one colour image as image[None].",
    ),
    "empty": (
        (INPUTS[:, :0], 2),
        ValueError,
        "inputs is empty, its shape is (2, 0, 5, 3); expected at least one entry along every axis",
    ),
    "not numbers": (
        (np.full((1, 2, 2, 1), "a"), 2),
        TypeError,
        "inputs has entries of type str; expected real numbers",
    ),
    "NaN": ((INPUTS * np.nan, 2), ValueError, "inputs has an entry that is NaN or infinite; expected finite numbers."),
    "window too large": (
        (INPUTS, (5, 2)),
        ValueError,
        "the kernel or window is 5×2 and does not fit into the input of 4×5; expected a window no larger",
    ),
    "window of 0": ((INPUTS, 0), ValueError, "size is 0; expected at least 1."),
    "window of 1.5": ((INPUTS, 1.5), TypeError, "size is 1.5; expected an integer or a pair of integers"),
    "stride 0": ((INPUTS, 2, {"stride": 0}), ValueError, "stride is 0; expected at least 1."),
    "stride negative": (
        (INPUTS, 2, {"stride": (1, -1)}),
        ValueError,
        "stride is (1, -1); expected at least 1 along both axes.",
    ),
    "stride of three": (
        (INPUTS, 2, {"stride": (1, 1, 1)}),
        TypeError,
        "stride is (1, 1, 1); expected an integer or a pair",
    ),
    "padding negative": ((INPUTS, 2, {"padding": -1}), ValueError, "padding is -1; expected at least 0."),
    "padding too large": (
        (INPUTS, (2, 3), {"padding": (1, 2)}),
        ValueError,
        "padding is (1, 2) and the window is 2×3; expected a padding of at most half the window, or a window "
        "could hold nothing but padding. Use padding=(1, 1) or less.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)
@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments(pool, case):
    """The operation, what came, what is expected; and loops.py says the same."""
    (inputs, size, *named), error, message = BAD_ARGUMENTS[case]
    said = what_it_says(error, pool, inputs, size, **dict(*named))
    assert said.startswith(f"{pool.__name__}: {message}")
    assert said == what_it_says(error, getattr(loops, pool.__name__), inputs, size, **dict(*named))


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.__name__)
@pytest.mark.parametrize(
    ("delta", "message"),
    [
        (
            np.ones((2, 2, 3, 3)),
            "shape (2, 2, 3, 3); expected (2, 2, 2, 3). It is the gradient for what the pooling returned as its ",
        ),
        (np.ones((2, 2)), "shape (2, 2), which is 2 axes; expected 4 axes (N, H', W', C)."),
        (np.full((2, 2, 2, 3), np.inf), "an entry that is NaN or infinite; expected finite numbers."),
    ],
    ids=["size", "axes", "infinite"],
)
def test_bad_delta(pool, delta, message):
    said = what_it_says(ValueError, pool(INPUTS, 2).route, delta)
    assert said.startswith(f"{pool.__name__}(…).route: delta has {message}")


@pytest.mark.parametrize("pool", POOLS)
def test_nothing_that_comes_in_is_changed(pool):
    inputs, delta = np.random.default_rng(0).normal(size=(1, 4, 5, 2)), np.ones((1, 2, 2, 2))
    before = inputs.copy()
    pooled = pool(inputs, 2)
    output = pooled.output.copy()
    pooled.route(delta)
    assert np.array_equal(inputs, before)
    assert np.array_equal(delta, np.ones((1, 2, 2, 2)))
    assert np.array_equal(pooled.output, output)
    inputs[:] = 0  # and what came out does not hang on it
    assert np.array_equal(pooled.output, output)
