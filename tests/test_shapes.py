"""Output sizes against counting, what counts as numbers or as a pair, and the wording of what does not."""

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

import convbp
from checks import what_it_says
from convbp import loops
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


# What is strange


def test_a_masked_array_keeps_no_secret():
    """Its mask would be lost in silence; without one that hides anything it is an array."""
    hidden = np.ma.array([[1.0, 2.0]], mask=[[False, True]])
    for value in hidden, [[1, np.ma.masked]], [[hidden]]:
        said = what_it_says(ValueError, as_numbers, "here", "image", value, None)
        assert said.startswith("here: image is a masked array that hides entries; expected a number for each.")
    assert as_numbers("here", "image", np.ma.array([[1.0, 2.0]]), "HW").tolist() == [[1, 2]]


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), sympy.nan, sympy.oo])
def test_numbers_that_are_not_finite_and_no_floats(bad):
    said = what_it_says(ValueError, as_numbers, "here", "x", np.array([1, bad], object), "D")
    assert said.startswith("here: x has an entry that is NaN or infinite")


def test_a_large_decimal_is_finite_and_beyond_all_floats():
    large = as_numbers("here", "x", np.array([Decimal("1e999"), 10**400, Fraction(10**400)], object), "D")
    for i in range(3):
        said = what_it_says(ValueError, as_floats, "here", "x", large[i : i + 1])
        assert said.startswith("here: x has an entry beyond all floats, which end at 1.8e308; expected smaller numbers")


@pytest.mark.parametrize("entry", [np.timedelta64(3, "s"), np.complex64(1j), np.ones(2)])
def test_objects_that_are_no_numbers(entry):
    array = np.empty(2, object)
    array[:] = [1, entry]
    assert "; expected real numbers" in what_it_says(TypeError, as_numbers, "here", "x", array, "D")


def test_a_long_double_among_objects_is_a_fraction():
    """To multiply one by a Fraction has ended the interpreter."""
    array = as_numbers("here", "x", np.array([Fraction(1, 3), np.longdouble(0.5)], object), "D")
    assert array.tolist() == [Fraction(1, 3), Fraction(1, 2)]
    thirds, halves = np.full((1, 2, 2, 1), Fraction(1, 3)), np.full((1, 1, 1, 1), 0.5, np.longdouble)
    assert set(convbp.conv2d(thirds, halves).ravel()) == {Fraction(1, 6)}
    assert set(loops.conv2d(thirds, halves).ravel()) == {Fraction(1, 6)}


@pytest.mark.parametrize("mode", [np.array(["valid", "full"]), ["valid"], None, 3])
def test_a_mode_that_is_no_word(mode):
    assert "expected 'valid' or 'full'" in what_it_says(ValueError, check_mode, "here", mode)


@pytest.mark.parametrize("name", ["stride", "padding", "dilation"])
def test_steps_larger_than_any_array(name):
    for module in convbp, loops:
        said = what_it_says(ValueError, module.conv2d, np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), **{name: 2**70})
        assert said == f"conv2d: {name} is {2**70}; expected at most {2**31 - 1} pixels."


def test_an_output_larger_than_any_memory():
    said = what_it_says(ValueError, convbp.conv2d, np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), padding=2**31 - 1)
    assert "would be 4294967296×4294967296, more numbers than fit into memory; expected at most" in said
    large_stride = convbp.conv2d(np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), stride=2**31 - 1)
    assert large_stride.tolist() == [[[[4]]]]


def test_a_message_stays_short_whatever_it_is_about():
    class Rude:
        def __repr__(self):
            raise RuntimeError

    assert shown(10**5000) == "a value of type int"
    assert shown(Rude()) == "a value of type Rude"
    assert shown(np.ones((30, 40))) == "an array of shape (30, 40)"
    assert len(shown("x" * 500)) < 80
    assert shown("a\n b") == "'a\\n b'"


def test_too_large_a_result_is_said():
    for dtype, wider in (np.float16, "float32"), (np.float32, "float64"):
        large = np.full((1, 2, 2, 1), np.finfo(dtype).max)
        said = what_it_says(ValueError, convbp.conv2d, large, large.reshape(2, 2, 1, 1))
        assert said.startswith(f"conv2d: a result is too large for {np.dtype(dtype)}; expected smaller numbers.")
        assert f"Compute in {wider}" in said


def test_float16_is_added_up_in_float32():
    """The sum passes 65504 on the way, and comes back."""
    inputs = np.array([60000, 60000, -60000], np.float16).reshape(1, 1, 3, 1)
    result = convbp.conv2d(inputs, np.ones((1, 3, 1, 1), np.float16))
    assert (result.dtype, result.item()) == (np.float16, 60000)
    assert convbp.conv2d_bias_gradient(inputs).tolist() == [60000]


def test_numbers_of_kinds_that_do_not_go_together():
    halves, tenths = np.full((2, 2), Fraction(1, 2)), np.full((2, 2), Decimal("0.1"))
    for module in convbp, loops:
        said = what_it_says(TypeError, module.cross_correlate, halves, tenths)
        assert said.startswith("cross_correlate: the entries are of kinds that do not go together (unsupported operand")
        large = np.full((2, 2), Fraction(10**400))
        said = what_it_says(ValueError, module.cross_correlate, large, np.full((2, 2), 0.5))
        assert said.startswith("cross_correlate: a result is too large for a float; expected smaller numbers.")


# The order of the arguments


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: convbp.Conv2D(1, 6, 5),
            "Conv2D: 3 arguments came by position; expected 2 at most, in the order "
            "Conv2D(filters, kernel_size, *, stride=1, padding=0, dilation=1, groups=1). How the window steps is said "
            "by name, and how many channels the inputs have is not said.",
        ),
        (
            lambda: convbp.MaxPool2D(2, 2),
            "MaxPool2D: 2 arguments came by position; expected 1 at most, in the order "
            "MaxPool2D(size, *, stride=None, padding=0). How the window steps is said by name.",
        ),
        (
            lambda: convbp.max_pool2d(np.ones((1, 2, 2, 1)), 2, 2),
            "max_pool2d: 3 arguments came by position; expected 2 at most, in the order "
            "max_pool2d(inputs, size, *, stride=None, padding=0). How the window steps is said by name.",
        ),
        (
            lambda: loops.conv2d(1, 2, 3, 4),
            "conv2d: 4 arguments came by position; expected 3 at most, in the order "
            "conv2d(inputs, kernel, bias, *, stride=1, padding=0, dilation=1, groups=1). How the window steps is said "
            "by name.",
        ),
    ],
)
def test_how_the_window_steps_is_said_by_name(call, says):
    assert what_it_says(TypeError, call) == says


@pytest.mark.parametrize(
    ("inputs", "kernel", "hint"),
    [
        ((2, 3, 8, 9), (3, 3, 3, 4), "inputs.transpose(0, 2, 3, 1)"),
        ((2, 8, 9, 3), (4, 3, 5, 5), "kernel.transpose(2, 3, 1, 0)"),
        ((2, 3, 8, 9), (4, 3, 5, 5), "inputs.transpose(0, 2, 3, 1) and kernel.transpose(2, 3, 1, 0)"),
        ((2, 8, 9, 3), (5, 5, 7, 4), None),
    ],
)
def test_channels_first_are_told_the_transpose(inputs, kernel, hint):
    x, w = np.ones(inputs), np.ones(kernel)
    said = what_it_says(ValueError, convbp.conv2d, x, w)
    assert said.endswith(f"channels stand last. From channels first: {hint}." if hint else "channels stand last.")
    if hint:
        for part in hint.split(" and "):
            x, w = (eval(part, {"inputs": x}), w) if part.startswith("inputs") else (x, eval(part, {"kernel": w}))
        convbp.conv2d(x, w)


def test_deltas_of_channels_first_are_told_the_transpose():
    said = what_it_says(ValueError, convbp.conv2d_input_gradient, np.ones((1, 4, 6, 7)), np.ones((3, 3, 2, 4)), (8, 9))
    assert said.startswith("conv2d_input_gradient: delta has D = 7 but kernel has D = 4; expected the same number.")
    assert said.endswith("From channels first: delta.transpose(0, 2, 3, 1).")
