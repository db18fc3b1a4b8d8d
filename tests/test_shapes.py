"""Output sizes against counting, what counts as numbers or as a pair, and the wording of what does not."""

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

from convbp.shapes import (
    as_floats,
    as_numbers,
    as_pair,
    as_positive,
    as_steps,
    as_window,
    check_channels,
    check_delta,
    check_mode,
    check_size,
    output_size,
    shown,
    widened,
)


def test_output_size_counts_the_places_of_the_window():
    """One axis at a time, with other numbers along the other one."""
    fits = 0
    for n, k, s, p, d in itertools.product(range(1, 8), range(1, 4), range(1, 4), range(3), range(1, 4)):
        last = n + p - d * (k - 1)  # the first row where the window would reach beyond the padding
        places = len(range(-p, last, s))
        arguments = [(n, 9), (k, 2), (s, 4), (p, 1), (d, 3)]
        if places:
            fits += 1
            assert output_size("here", *arguments) == (places, 2)
            assert output_size("here", *(pair[::-1] for pair in arguments)) == (2, places)
        else:
            for pairs in arguments, [pair[::-1] for pair in arguments]:
                with pytest.raises(ValueError, match="does not fit"):
                    output_size("here", *pairs)
    assert 0 < fits < 7 * 3 * 3 * 3 * 3


def test_output_size_of_the_article():
    assert output_size("here", (5, 7), (2, 4)) == (4, 4)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float16, np.float32, np.float64])
def test_numbers_keep_their_dtype_and_are_not_copied(dtype):
    array = np.ones((2, 3), dtype)
    assert as_numbers("here", "image", array, "HW") is array


@pytest.mark.parametrize(
    ("value", "entry", "kind"),
    [
        ([1, 2], 1, "i"),
        ([True, False], 1, "i"),
        ([1.5, 2], 1.5, "f"),
        ([2**63, 1], 2**63, "O"),
        ([2**64, 1], 2**64, "O"),
        ([Fraction(1, 3), 2], Fraction(1, 3), "O"),
        ([Decimal("0.1")], Decimal("0.1"), "O"),
        ([sympy.Symbol("w")], sympy.Symbol("w"), "O"),
    ],
)
def test_what_counts_as_numbers(value, entry, kind):
    array = as_numbers("here", "values", value, "D")
    assert array.dtype.kind == kind
    assert array[0] == entry
    assert len(array) == len(value)


def test_objects_are_python_numbers():
    """Among objects NumPy's integers would still wrap."""
    values = np.array([np.int64(2**62), np.float32(1.5), 3], object)
    array = as_numbers("here", "values", values, "D")
    assert [type(entry) for entry in array] == [int, float, int]
    assert array.tolist() == [2**62, 1.5, 3]
    assert type(values[0]) is np.int64


def test_any_number_of_axes():
    for shape in (), (2,), (2, 1, 3, 1, 1):
        assert as_numbers("here", "values", np.ones(shape), None).shape == shape


def test_floats():
    single = np.float32([1.5])
    assert as_floats("here", "x", single) is single
    assert as_floats("here", "x", np.array([Fraction(1, 2), 3])).tolist() == [0.5, 3.0]


@pytest.mark.parametrize("value", [(2, 3), [2, 3], np.array([2, 3]), (np.int64(2), np.uint8(3))])
def test_pairs(value):
    assert as_pair("here", "stride", value, 1) == (2, 3)


@pytest.mark.parametrize("value", [2, np.int32(2), np.array(2)])
def test_one_number_is_a_pair(value):
    pair = as_pair("here", "stride", value, 1)
    assert pair == (2, 2)
    assert [type(entry) for entry in pair] == [int, int]


def test_widened():
    single = np.float32([1.5])
    assert widened(single) is single
    assert widened(np.float16([1.5])).dtype == np.float32


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), Fraction(1, 2)])
def test_positive(value):
    number = as_positive("here", "step", value)
    assert type(number) is float
    assert number == 0.5


def test_zero_where_it_may_be():
    assert as_positive("here", "tolerance", 0, or_zero=True) == 0


def test_steps():
    assert as_steps("here", 2, (0, 1), (3, 1)) == ((2, 2), (0, 1), (3, 1))


def test_window():
    assert as_window("here", (2, 3), None, (1, 0)) == ((2, 3), (2, 3), (1, 0))
    assert as_window("here", 2, (1, 3), 0) == ((2, 2), (1, 3), (0, 0))


INTEGER_OR_PAIR = "expected an integer or a pair of integers (rows, columns), for example stride=1 or stride=(1, 2)."
REAL = (
    "expected real numbers (integers, floats or Fractions). "
    "Convert it first, for example with np.asarray(image, dtype=float)."
)

# what is called, the error, and all that it says
WORDING = {
    "ragged": (
        lambda: as_numbers("here", "image", [[1, 2], [3]], "HW"),
        ValueError,
        "image is a nested list with rows of different lengths; expected an array with axes (H, W). "
        "Give every row the same number of entries.",
    ),
    "text": (
        lambda: as_numbers("here", "image", [["1"]], "HW"),
        TypeError,
        f"image has entries of type str; {REAL}",
    ),
    "a dictionary": (
        lambda: as_numbers("here", "image", {1: 2}, "HW"),
        TypeError,
        f"image has entries of type dict; {REAL}",
    ),
    "dates": (
        lambda: as_numbers("here", "image", np.array([["2016-09-05"]], "datetime64[D]"), "HW"),
        TypeError,
        f"image has entries of type datetime64[D]; {REAL}",
    ),
    "complex among objects": (
        lambda: as_numbers("here", "image", np.array([[1, np.complex64(1j)]], object), "HW"),
        TypeError,
        f"image has entries of type complex; {REAL}",
    ),
    "arrays among objects": (
        lambda: as_numbers("here", "image", np.array([[1, np.ones(2)]], object), "HW"),
        TypeError,
        f"image has entries of type ndarray; {REAL}",
    ),
    "one axis": (
        lambda: as_numbers("here", "image", [1, 2], "HW"),
        ValueError,
        "image has shape (2,), which is 1 axis; expected 2 axes (H, W). "
        "A single row is [[1, 2, 3]], a single number [[1]].",
    ),
    "too many axes": (
        lambda: as_numbers("here", "image", [[[1, 2]]], "HW"),
        ValueError,
        "image has shape (1, 1, 2), which is 3 axes; expected 2 axes (H, W). "
        "One channel of one image is inputs[n, :, :, c].",
    ),
    "unknown axes": (
        lambda: as_numbers("here", "scores", 1, "ND"),
        ValueError,
        "scores has shape (), which is 0 axes; expected 2 axes (N, D). "
        "Check which axis of scores is missing or one too many.",
    ),
    "empty": (
        lambda: as_numbers("here", "delta", np.ones((1, 0, 2, 3)), "NIJD"),
        ValueError,
        "delta is empty, its shape is (1, 0, 2, 3); expected at least one entry along every axis of "
        "an array with axes (N, H', W', D). Check the slice that made it.",
    ),
    "empty list": (
        lambda: as_numbers("here", "values", [], None),
        ValueError,
        "values is empty, its shape is (0,); expected at least one entry along every axis of an array. "
        "Check the slice that made it.",
    ),
    "pair of fractions": (
        lambda: as_pair("here", "stride", (1, 2.0), 1),
        TypeError,
        f"stride is (1, 2.0); {INTEGER_OR_PAIR}",
    ),
    "pair of truths": (
        lambda: as_pair("here", "stride", True, 1),
        TypeError,
        f"stride is True; {INTEGER_OR_PAIR}",
    ),
    "nothing": (
        lambda: as_pair("here", "stride", None, 1),
        TypeError,
        f"stride is None; {INTEGER_OR_PAIR}",
    ),
    "bytes": (
        lambda: as_pair("here", "stride", b"12", 1),
        TypeError,
        f"stride is b'12'; {INTEGER_OR_PAIR}",
    ),
    "ragged pair": (
        lambda: as_pair("here", "stride", [1, [2]], 1),
        TypeError,
        f"stride is [1, [2]]; {INTEGER_OR_PAIR}",
    ),
    "too small": (
        lambda: as_pair("here", "padding", -1, 0),
        ValueError,
        "padding is -1; expected at least 0. padding=0 is the smallest that has a meaning.",
    ),
    "one too small": (
        lambda: as_pair("here", "stride", (2, 0), 1),
        ValueError,
        "stride is (2, 0); expected at least 1 along both axes. stride=1 is the smallest that has a meaning.",
    ),
    **{
        f"step {value!r:.9}": (
            lambda value=value: as_positive("here", "step", value),
            error,
            f"step is {shown(value)}; expected a positive number that is finite, for example step=1e-5.",
        )
        for error, values in (
            (TypeError, ("1", None, True, 1j, np.ones(2))),
            (ValueError, (0, -1e-6, np.nan, np.inf, -np.inf, 10**400, Fraction(1, 10**400))),
        )
        for value in values
    },
    "tolerance negative": (
        lambda: as_positive("here", "tolerance", -1, or_zero=True),
        ValueError,
        "tolerance is -1; expected a positive number or 0 that is finite, for example tolerance=1e-5.",
    ),
    "steps, stride": (lambda: as_steps("here", 0, 0, 1), ValueError, "stride is 0; expected at least 1."),
    "steps, padding": (lambda: as_steps("here", 1, -1, 1), ValueError, "padding is -1; expected at least 0."),
    "steps, dilation": (lambda: as_steps("here", 1, 0, 0), ValueError, "dilation is 0; expected at least 1."),
    "padding for a window": (
        lambda: as_window("here", (2, 3), None, (1, 2)),
        ValueError,
        "padding is (1, 2) and the window is 2×3; expected a padding of at most half the window, "
        "or a window could hold nothing but padding. Use padding=(1, 1) or less.",
    ),
    "does not fit": (
        lambda: output_size("here", (4, 5), (2, 6)),
        ValueError,
        "the kernel or window is 2×6 and does not fit into the input of 4×5; "
        "expected a window no larger than the input. "
        "Use a smaller one, or add zeros around the input: mode='full' for two arrays, padding=… for a layer.",
    ),
    "does not fit with padding and dilation": (
        lambda: output_size("here", (4, 5), (2, 3), (1, 1), (0, 1), (5, 1)),
        ValueError,
        "the kernel or window is 2×3, spread by dilation to 6×3, and does not fit into the input of 4×5, "
        "padded to 4×7; expected a window no larger than the input. ",
    ),
    "size": (
        lambda: check_size("here", "bias", (2,), (3,), "One per filter."),
        ValueError,
        "bias has shape (2,); expected (3,). One per filter.",
    ),
    "delta": (
        lambda: check_delta("here", np.ones((1, 2, 3, 4)), (1, 3, 3)),
        ValueError,
        "delta has shape (1, 2, 3, 4); expected (1, 3, 3, 4). "
        "It is the gradient for what conv2d returns, with the same stride, padding and dilation.",
    ),
    "mode": (
        lambda: check_mode("here", "same"),
        ValueError,
        "mode is 'same'; expected 'valid' or 'full'. "
        "'valid' keeps the kernel inside the image, 'full' lets it stand over the border.",
    ),
    "channels": (
        lambda: check_channels("here", "inputs", np.ones((1, 2, 4, 1)), np.ones((2, 2, 3, 4))),
        ValueError,
        "inputs have C = 1 but kernel has C = 3; expected the same number. "
        "Inputs are (N, H, W, C), kernels (k1, k2, C, D), deltas (N, H', W', D): channels stand last.",
    ),
}


@pytest.mark.parametrize(("call", "error", "says"), WORDING.values(), ids=WORDING)
def test_wording(call, error, says):
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value).startswith(f"here: {says}")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, object])
def test_one_entry_that_is_not_finite(bad, dtype):
    """Also beside entries whose squares overflow, and in an array that is not contiguous."""
    for others in 1, 6e4:
        array = np.full((3, 4), others, dtype)
        array[1, 2] = bad
        for view in array, array.T, array[:, ::2]:
            with pytest.raises(ValueError, match="NaN or infinite") as raised:
                as_numbers("here", "image", view, "HW")
            assert str(raised.value) == (
                "here: image has an entry that is NaN or infinite; expected finite numbers. "
                "np.argwhere(~np.isfinite(image)) shows where."
            )


@pytest.mark.parametrize("largest", [np.float16(6e4), np.float32(3e38), np.float64(1e308)])
def test_large_entries_are_finite(largest):
    array = np.full((300,), largest)
    assert as_numbers("here", "values", array, "D") is array


def test_what_fits_passes():
    check_size("here", "bias", [3], (3,), "")
    check_delta("here", np.ones((1, 3, 3, 4)), (1, 3, 3))
    check_mode("here", "valid")
    check_mode("here", "full")
    check_channels("here", "inputs", np.ones((1, 2, 4, 3)), np.ones((2, 2, 3, 4)))
