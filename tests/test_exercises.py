"""The checks of a reader's answer, held against the answers in ``answers`` and against what answers can do."""

import io
import os
import re
import sys
import threading
import time
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from PIL import Image

import course
import sample
from answers import RIGHT, WRONG
from convbp import exercises, rot180
from convbp.exercises.exercise import Exercise
from convbp.exercises.reading import LARGEST, read_parts
from convbp.exercises.running import run
from convbp.exercises.variants import Program
from convbp.pictures.still import png

BY_NAME = {exercise.name: exercise for exercise in exercises.ALL}
kernel_gradient = exercises.kernel_gradient


def each(table):
    return [pytest.param(name, of, id=f"{name}-{of}") for name, answers in table.items() for of in answers]


def right(name="kernel_gradient"):
    return next(iter(RIGHT[name].values()))


# --- right and wrong answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "style"), each(RIGHT))
def test_a_right_answer_passes(name, style):
    result = BY_NAME[name].check(RIGHT[name][style])
    assert result.passed, result
    assert (result.points, result.misconceptions, result.scene) == (1, (), None)
    assert result.message.startswith("Yes. ")


@pytest.mark.parametrize(("name", "answer"), each(WRONG))
def test_a_wrong_answer_is_refused_and_named_if_it_is_known(name, answer):
    result = BY_NAME[name].check(WRONG[name][answer].function)
    assert not result.passed
    assert set(result.misconceptions) == WRONG[name][answer].names
    assert result.points < 1
    assert result.message.startswith("Not yet")


@pytest.mark.slow
def test_wrong_answers_are_named_and_none_is_named_wrongly(capsys):
    unnamed, wrongly, total = [], [], 0
    for name, answers in WRONG.items():
        for done, (function, names) in answers.items():
            recognised = set(BY_NAME[name].check(function).misconceptions)
            total += 1
            if not recognised <= names:
                wrongly.append((name, done, recognised))
            elif recognised != names:
                unnamed.append((name, done))
    styles = sum(map(len, RIGHT.values()))
    with capsys.disabled():
        named = total - len(unnamed) - len(wrongly)
        print(f"\n{styles} right answers; {total} wrong ones: {named} named, {len(wrongly)} named wrongly")
    assert not wrongly
    assert not unnamed


@pytest.mark.parametrize("name", BY_NAME)
def test_there_are_enough_answers(name):
    assert len(RIGHT[name]) >= 5
    known = {misconception.name for misconception in BY_NAME[name].computation.misconceptions}
    assert known <= set().union(*(answer.names for answer in WRONG[name].values()))


@pytest.mark.parametrize("name", BY_NAME)
def test_the_solution_is_one(name):
    code = BY_NAME[name].solution()
    scope = {}
    exec(f"import numpy as np\nfrom convbp import *\n{code}", scope)
    written = scope[re.match(r"def (\w+)\(", code)[1]]
    assert BY_NAME[name].check(written).passed


class Layer:
    """A right answer, as object or as method."""

    def __call__(self, inputs, delta):
        return right()(inputs, delta)

    def backward(self, inputs, delta, stride=1):
        return right()(inputs, delta)


def variadic(*args):
    return right()(*args)


def positional(inputs, delta, /):
    return right()(inputs, delta)


@pytest.mark.parametrize(
    "function",
    [
        Layer(),
        Layer().backward,
        variadic,
        positional,
        partial(Layer.backward, None, stride=2),
        lambda o, d: right()(o, d),
    ],
)
def test_whatever_can_be_called_is_a_function(function):
    assert kernel_gradient.check(function).passed


@pytest.mark.parametrize(
    "kind",
    [
        np.asmatrix,
        np.ma.array,
        list,
        np.longdouble,
        lambda r: r.astype(">f8"),
        lambda r: r.astype(object),
        lambda r: [tuple(map(Decimal, row)) for row in r.tolist()],
    ],
)
def test_whatever_holds_the_numbers_is_read(kind):
    assert kernel_gradient.check(lambda o, d: kind(right()(o, d))).passed


def test_names_are_not_given():
    def mine(*, inputs, delta):
        return right()(inputs, delta)

    assert "called with (inputs, delta), in this order and without the names" in kernel_gradient.check(mine).message


# --- what is seen of an unknown mistake -------------------------------------------------------------------------------


def changed(name, change):
    """A right answer with something done to its result."""
    return lambda *given: change(np.asarray(right(name)(*given), float))


def without_last_channel(result):
    result[..., -1] += 1
    return result


def with_border_changed(result):
    inside = result[1:-1, 1:-1].copy()
    result += 1 + np.arange(result.size).reshape(result.shape)
    result[1:-1, 1:-1] = inside
    return result


UNKNOWN = [
    ("kernel_gradient", lambda r: 3 * r, "Right up to a factor: every entry is 3 times what it should be."),
    ("kernel_gradient", lambda r: r / (r.size + 9), "Right up to a factor, which changes from input to input"),
    ("region_q", lambda r: -r, "every entry has the opposite sign"),
    ("rot180", lambda r: r.ravel(), "only the axes are not"),
    ("bias_gradient", lambda r: r[None], "Your result has shape (1, 4); expected is (4,). The numbers are right"),
    ("max_routing", np.abs, "The absolute values are right"),
    ("max_routing", lambda r: r + 2, "off by the same number, 2"),
    ("relu_delta", lambda r: r[::-1, ::-1], "the right one, turned by 180°"),
    ("relu_delta", lambda r: r[:, ::-1], "the right one, mirrored left to right"),
    ("multichannel_kernel_gradient", lambda r: r.transpose(3, 1, 0, 2), "the right one, with its axes in the order"),
    ("full_convolution", lambda r: np.roll(np.pad(r, 2), 1, 0)[2:-2, 2:-2], "moved by 1 row and 0 columns"),
    ("full_convolution", lambda r: r[1:, :-1], "It is a part of the right result, the one that begins at (1, 0)."),
    ("full_convolution", with_border_changed, "Right inside, wrong at the border (top, bottom, left, right)"),
    ("multichannel_input_gradient", without_last_channel, "Right in channels 0, 1, 2, wrong in the others."),
    ("delta_recursion", lambda r: np.maximum(r, 0), "0 where it should be negative"),
    ("delta_recursion", lambda r: r * np.nan, "Your result is NaN in every entry"),
    ("delta_recursion", lambda r: 0 * r, "Your result is zero everywhere."),
    ("kernel_gradient", lambda r: np.ones((9, 9)), "Your result has shape (9, 9); expected is (3, 2)."),
    ("kernel_gradient", lambda r: np.cumsum(r).reshape(r.shape), "set the sum back to 0 for each entry"),
    (
        "multichannel_input_gradient",
        lambda r: np.pad(r[:, :-1, :-1], ((0, 0), (0, 1), (0, 1), (0, 0))),
        "(bottom, right): it is 0 there.",
    ),
    ("full_convolution", lambda r: np.pad(r[1:], ((1, 0), (0, 0)), constant_values=99), "(top): what lies outside"),
    ("full_convolution", lambda r: np.pad(r[:, 2:], ((0, 0), (2, 0)), constant_values=99), "(left): what lies outside"),
    ("output_delta", lambda r: r.astype(int), "a number between −1 and 1 that is put into it becomes 0"),
    ("bias_gradient", lambda r: r[:-1], "It is a part of the right result, the one that begins at (0,)."),
]


@pytest.mark.parametrize(("name", "change", "said"), UNKNOWN)
def test_what_can_be_seen_is_said(name, change, said):
    result = BY_NAME[name].check(changed(name, change))
    assert not result.passed
    assert said in result.message


def test_zeros_of_integers_are_explained_by_their_dtype_only_where_other_numbers_are_due():
    nothing = exercises.region_q.check(lambda pixel, kernel_size, output_size: ((0, 0), (0, 0)))
    assert "Your result is zero everywhere." in nothing.message
    assert "integers" not in nothing.message
    cut = exercises.output_delta.check(lambda x, t: np.zeros(x.shape, int))
    assert "It is of integers: a number between −1 and 1 that is put into it becomes 0." in cut.message


def test_arguments_that_are_no_arrays_are_named_beside_the_entry():
    message = exercises.region_q.check(lambda pixel, kernel_size, output_size: ((0, 0), (0, 0))).message
    assert "With pixel = (0, 7), kernel_size = (3, 5), output_size = (4, 6):\n" in message
    assert "max(j′ − k2 + 1, 0) = max(7 − 5 + 1, 0)\n  = 3" in message
    assert "With learning_rate = 0.1:" in exercises.descent_step.check(lambda w, g, rate: 0 * w).message
    assert "With " not in kernel_gradient.check(lambda o, d: np.ones((3, 2))).message


def test_an_array_made_like_an_argument_can_hold_the_result():
    for exercise in exercises.ALL:
        for inputs, result in zip(exercise.inputs, exercise.expected, strict=True):
            kinds = {value.dtype.kind for value in inputs.values() if isinstance(value, np.ndarray)}
            whole = np.array_equal(result, np.round(result))
            if exercise is not exercises.delta_recursion:  # whose sums are whole before they meet f′
                assert kinds <= ({"i"}, {"f"})[not whole] | {"f"}, exercise.name


@pytest.mark.parametrize("exercise", [e for e in exercises.ALL if e is not exercises.region_q], ids=lambda e: e.name)
@pytest.mark.parametrize("dtype", [int, np.int8, np.uint8, np.int64])
def test_results_of_integers_are_refused(exercise, dtype):
    """Nothing that rounds keeps all results; of region Q they are indices."""
    result = exercise.check(lambda *given: np.asarray(exercise.answer(*given)).astype(dtype))
    assert not result.passed
    if exercise is not exercises.output_delta:  # all 0, or nearly
        assert {"cut off to integers", "wrapped around in 8 bits"} & set(result.misconceptions)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", sample.some(exercises.ALL, 8, "functions that remember"), ids=lambda e: e.name)
def test_a_function_that_remembers_by_shape_is_refused(exercise):
    held = {}

    def mine(*given):
        sizes = [value.shape if isinstance(value, np.ndarray) else value for value in given if np.size(value) > 1]
        key = tuple(sizes[exercise is exercises.region_q :])  # where the first argument is a pixel
        return held.setdefault(key, exercise.answer(*given))

    result = exercise.check(mine)
    assert not result.passed
    assert "does your function remember an earlier call?" in result.message


@pytest.mark.parametrize("exercise", exercises.ALL, ids=lambda e: e.name)
def test_another_input_has_the_shapes_of_the_first_and_other_numbers(exercise):
    def sizes(inputs):
        return [np.shape(value) if isinstance(value, np.ndarray) else value for value in inputs.values()]

    first, *others = exercise.inputs
    if exercise is exercises.region_q:
        assert any(list(first.values())[1:] == list(other.values())[1:] for other in others)
    elif "learning_rate" in first or "target" in first:
        assert any(sizes(first)[:-1] == sizes(other)[:-1] for other in others)
    else:
        assert any(sizes(first) == sizes(other) for other in others)


def test_floats_put_into_integers_are_explained():
    def mine(inputs, delta, size, stride):
        result = np.zeros(inputs.shape, int)
        result += inputs / 2
        return result

    message = exercises.l2_routing.check(mine).message
    assert "UFuncTypeError: Cannot cast ufunc" in message
    assert "np.zeros(shape, int) makes it, takes no floats; one of np.zeros(shape) does." in message


def test_a_wrong_shape_is_recognised_as_that_of_something_else():
    assert (
        "That is the shape of inputs, which came in." in kernel_gradient.check(lambda inputs, delta: inputs * 2).message
    )


def test_a_wrong_shape_is_recognised_as_that_of_a_known_mistake_in_words_for_a_reader():
    def squares_of_one_pair(inputs, delta):
        return right("multichannel_kernel_gradient")(inputs, delta)[:, :, 0, 0] ** 2

    message = exercises.multichannel_kernel_gradient.check(squares_of_one_pair).message
    assert "comes from a known mistake: your result has only one pair of a channel and a filter." in message
    for exercise in exercises.ALL:
        for misconception in exercise.computation.misconceptions:
            assert misconception.done[0].isupper(), misconception  # it is lowered there
            assert not misconception.done.startswith(("Eq.", "E ", "Q ")), misconception


@pytest.mark.parametrize(
    ("name", "factor", "said"),
    [
        ("cross_correlation", lambda i, k: 1 / k.sum(), "divided by the sum of kernel"),
        ("kernel_gradient", lambda o, d: o.shape[0], "multiplied with the length of inputs along axis 0"),
        (
            "kernel_gradient",
            lambda o, d: -o.size,
            "multiplied with the number of entries of inputs, and has the opposite",
        ),
        ("descent_step", lambda w, g, rate: rate, "multiplied with learning_rate"),
        ("max_routing", lambda x, d, size, stride: size[0], "multiplied with size[0]"),
        ("max_routing", lambda x, d, size, stride: 1 / (stride[0] * stride[1]), "divided by the product of stride"),
    ],
)
def test_a_factor_may_be_a_number_of_the_arguments(name, factor, said):
    result = BY_NAME[name].check(lambda *given: np.asarray(right(name)(*given)) * factor(*given))
    assert result.misconceptions == ()
    assert f"Right up to a factor: every entry is {said}" in result.message


def test_what_holds_on_one_input_only_is_not_said():
    """The last filter of the first input happens to have the right shape, the right number, and the right border."""
    assert "shape of" not in exercises.bias_gradient.check(lambda delta: delta.sum((0, 1, 2))[:-1]).message
    assert "Right in" not in exercises.bias_gradient.check(lambda delta: np.ones(delta.shape[-1])).message
    assert "right on" not in exercises.relu_delta.check(lambda delta, x: delta * 3 + x).message
    assert "border" not in exercises.relu_delta.check(lambda delta, x: delta * (x > 1)).message


def test_shapes_that_are_right_on_some_inputs():
    def mine(inputs, delta):
        result = right()(inputs, delta)
        return result + 1 if delta.shape == (2, 4) else result.ravel()

    assert "On some of the inputs the shape of your result is right" in kernel_gradient.check(mine).message


def test_a_shape_is_that_of_something_else_only_if_it_is_on_all_inputs():
    assert "shape of" not in kernel_gradient.check(lambda o, d: np.full((2, 4), o[0, 0] + d[0, 0])).message
    one_row_less = exercises.cross_correlation.check(lambda i, k: np.full((2, 2), i[0, 0] + k[0, 0]))
    assert "shape of" not in one_row_less.message


def test_one_number_is_a_multiple_of_any_other_and_tells_nothing():
    for exercise in exercises.ALL:
        assert exercise.check(1234.5).misconceptions == ()


def test_one_array_is_not_the_same_for_all_inputs():
    assert "the same for all inputs" not in kernel_gradient.check([[5, 1], [2, 2], [3, 7]]).message


@pytest.mark.parametrize("cut", [lambda r: r.astype(int), lambda r: (r // 1).astype(int)])
def test_cut_off_to_integers_towards_zero_or_down(cut):
    result = exercises.l2_routing.check(changed("l2_routing", cut))
    assert result.misconceptions == ("cut off to integers",)
    assert "Make it with np.zeros(shape)" in result.message


def test_what_is_of_floats_was_not_cut_off_by_its_array():
    assert exercises.l2_routing.check(changed("l2_routing", np.trunc)).misconceptions == ()


def test_what_cannot_be_read_is_followed_by_what_is_asked_for():
    asked_for = f"Asked for: {kernel_gradient.returns}."
    assert asked_for in kernel_gradient.check(lambda o, d: {"dw": o}).message
    assert asked_for in kernel_gradient.check("seven").message
    assert asked_for not in kernel_gradient.check(raises(ValueError("no"))).message


def test_a_known_mistake_is_recognised_behind_a_factor():
    result = kernel_gradient.check(lambda o, d: -7 * right()(o, d[::-1, ::-1]))
    assert result.misconceptions == ("delta turned by 180°",)
    assert "every entry is −7 times what it should be" in result.message


def test_behind_a_factor_three_entries_tell_a_mistake_and_two_do_not():
    """Two numbers are multiples of too many others."""
    ends_early = np.array([[8.0, 0, 13], [2, 8, 5], [1, 1, 8]])[:2, :2]
    result = exercises.convolution.check(5 * ends_early)
    assert result.misconceptions == ("last row and column left out",)
    assert "every entry is 5 times what it should be" in result.message
    side_by_side = np.array([[4.0], [10]])
    assert exercises.cross_correlation.check(side_by_side).misconceptions == ("windows side by side",)
    assert exercises.cross_correlation.check(5 * side_by_side).misconceptions == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda right: np.pad(right, ((1, 0), (2, 0)), constant_values=7), "is a part of yours: it begins at (1, 2)"),
        (lambda right: np.pad(right, ((0, 1), (0, 2)), constant_values=7), "is a part of yours: it begins at (0, 0)"),
        (lambda right: np.pad(right, ((0, 0), (1, 2)), constant_values=7), "is a part of yours: it begins at (0, 1)"),
        (lambda right: np.pad(right, ((2, 1), (0, 0)), constant_values=7), "is a part of yours: it begins at (2, 0)"),
        (lambda right: right[:-1], "the one that begins at (0, 0)"),
        (lambda right: right[1:], "the one that begins at (1, 0)"),
        (lambda right: right[:, 1:], "the one that begins at (0, 1)"),
        (lambda right: right[1:, 2:], "the one that begins at (1, 2)"),
    ],
)
def test_a_part_is_found_from_the_first_corner_to_the_last(change, said):
    result = exercises.cross_correlation.check(lambda *given: change(right("cross_correlation")(*given)))
    assert said in result.message


def test_one_entry_is_no_part():
    message = exercises.cross_correlation.check(lambda *given: right("cross_correlation")(*given)[:1, :1]).message
    assert "part of" not in message


def test_a_mistake_has_to_explain_all_inputs():
    """On the example as if δ were turned, otherwise right."""
    first = kernel_gradient.example["inputs"]

    def turned_once(inputs, delta):
        return right()(inputs, rot180(delta) if np.array_equal(inputs, first) else delta)

    result = kernel_gradient.check(turned_once)
    assert not result.passed
    assert result.misconceptions == ()
    count = len(kernel_gradient.inputs)
    assert result.points == pytest.approx((count - 1) / count)
    assert f"right on {count - 1} of {count} inputs" in result.message


def test_the_first_entry_that_differs_is_written_out_term_by_term():
    message = kernel_gradient.check(lambda o, d: right()(o, d[::-1, ::-1])).message
    assert message == (
        "Not yet. You correlated the input with rot180(δ): δ is turned by 180° there. In this course the "
        "forward pass does not flip (Eq. 7), so δ is not flipped either (Eq. 13). See notebook 06, Eq. 13 and 14.\n"
        "Entry (0, 0) should be 5; yours is 4:\n"
        "  o₀₀·δ₀₀ + o₀₁·δ₀₁ + o₀₂·δ₀₂ + o₀₃·δ₀₃ + o₁₀·δ₁₀ + o₁₁·δ₁₁ + o₁₂·δ₁₂ + o₁₃·δ₁₃\n"
        "  = 1·1 + 2·0 + 0·2 + 3·(−1) + 0·(−1) + 1·3 + 2·0 + 1·4\n"
        "  = 5"
    )


def test_relu_at_zero_is_accepted_and_said():
    check = exercises.relu_delta.check
    assert "you took the slope 1" in check(lambda d, x: d * (x >= 0)).message
    for slope in (0.5, 0.3, 0.1, 0.75):
        result = check(lambda d, x, slope=slope: d * np.heaviside(x, slope))
        assert result.passed
        assert f"you took the slope {slope} for ReLU" in result.message
    assert "slope" not in check(lambda d, x: d * (x > 0)).message
    both = check(lambda d, x: -d * (x >= 0))
    assert both.misconceptions == ("opposite sign",)
    assert "Besides: At x = 0 you took the slope 1 for ReLU; the course takes 0" in both.message
    assert "Besides" not in check(lambda d, x: -d * (x > 0)).message
    assert not check(lambda d, x: d * np.heaviside(x, 3)).passed
    assert not check(lambda d, x: d * np.heaviside(x, -0.5)).passed
    assert not check(lambda d, x: d * np.where(x == 0, (d > 0) / 2, x > 0)).passed  # not the same everywhere


def at_windows(core):
    """An answer to a routing exercise, of what ``core`` makes of a window and its δ."""

    def route(inputs, delta, size, stride):
        (k1, k2), (s1, s2), out = size, stride, np.zeros(inputs.shape)
        for i, j in np.ndindex(delta.shape):
            window = slice(s1 * i, s1 * i + k1), slice(s2 * j, s2 * j + k2)
            out[window] += core(inputs[window], delta[i, j])
        return out

    return route


def _largest_from(start):
    def core(window, d):
        best, at = start, None
        for place, value in np.ndenumerate(window):
            if value > best:
                best, at = value, place
        out = np.zeros(window.shape)
        if at:
            out[at] = d
        return out

    return at_windows(core)


def _convolved(image, kernel):
    return right("full_convolution")(image, kernel)


def _in_too_few_rows(image, kernel):
    """Padded to W + 2(k₁ − 1) rows, where H is meant."""
    (H, W), (k1, k2) = image.shape, kernel.shape
    padded = np.zeros((W + 2 * (k1 - 1), W + 2 * (k2 - 1)))
    padded[k1 - 1 : k1 - 1 + H, k2 - 1 : k2 - 1 + W] = image
    rows = range(H + k1 - 1)
    return [[(padded[i : i + k1, j : j + k2] * kernel[::-1, ::-1]).sum() for j in range(W + k2 - 1)] for i in rows]


def _last_corner_by(rows_for_columns):
    def region(pixel, kernel_size, output_size):
        (i, j), (k1, k2), (H, W) = pixel, kernel_size, output_size
        first = max(i - k1 + 1, 0), max(j - k2 + 1, 0)
        return first, (min(i, H - 1), W - 1 if j > (H if rows_for_columns else W) - 1 else j)

    return region


def _first_corner_late(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (H, W) = pixel, kernel_size, output_size
    first = tuple(0 if n < -1 else n for n in (i - k1 + 1, j - k2 + 1))
    return first, (min(i, H - 1), min(j, W - 1))


def _cut_by_minus_p(delta, kernel, input_size, stride, padding):
    (p1, p2), (H, W) = padding, input_size
    all_of_it = right("strided_input_gradient")(delta, kernel, (H + 2 * p1, W + 2 * p2), stride, (0, 0))
    return all_of_it[p1 : p1 + H, p2:-p2]


# Wrong where an input is of a special kind: a window without a positive entry, a kernel of one row, no padding, ….
NEARLY_RIGHT = {
    "zero by its largest entry": (
        "l2_routing",
        at_windows(lambda w, d: d * w / np.linalg.norm(w) if w.max() > 0 else 0 * w),
    ),
    "no norm below 1": ("l2_routing", at_windows(lambda w, d: d * w / max(np.linalg.norm(w), 1))),
    "zero if below 1": (
        "l2_routing",
        at_windows(lambda w, d: d * w / np.linalg.norm(w) if np.linalg.norm(w) >= 1 else 0 * w),
    ),
    "the largest from −1": ("max_routing", _largest_from(-1)),
    "the largest from −16": ("max_routing", _largest_from(-16)),
    "the largest from −999": ("max_routing", _largest_from(-999)),
    "the middle of the full one by −0": (
        "convolution",
        lambda o, w: _convolved(o, w)[w.shape[0] - 1 : 1 - w.shape[0], w.shape[1] - 1 : 1 - w.shape[1]],
    ),
    "as many rows as columns": ("full_convolution", _in_too_few_rows),
    "the last corner by H": ("region_q", _last_corner_by(True)),
    "the first corner at −1": ("region_q", _first_corner_late),
    "padding cut off by −p": ("strided_input_gradient", _cut_by_minus_p),
}


@pytest.mark.parametrize(("name", "function"), NEARLY_RIGHT.values(), ids=NEARLY_RIGHT)
def test_what_is_wrong_only_in_a_special_case_is_wrong(name, function):
    assert not BY_NAME[name].check(function).passed
    assert BY_NAME["region_q"].check(_last_corner_by(False)).passed
    assert BY_NAME["max_routing"].check(_largest_from(-np.inf)).passed


def test_masked_entries_are_no_numbers():
    result = kernel_gradient.check(lambda o, d: np.ma.masked_array(right()(o, d), mask=True))
    assert "An array with masked entries came back" in result.message
    assert kernel_gradient.check(lambda o, d: np.ma.masked_array(right()(o, d), mask=False)).passed


def test_numbers_that_look_alike_are_told_apart():
    message = kernel_gradient.check(lambda o, d: 1.0001 * right()(o, d)).message
    assert "every entry is 1.0001 times what it should be" in message
    assert re.search(r"should be 5; yours is 5\.0005\d*:", message)
    assert "every entry is 1e−12 times" in kernel_gradient.check(lambda o, d: 1e-12 * right()(o, d)).message


@pytest.mark.parametrize("name", ["cross_correlation", "convolution", "kernel_gradient", "output_delta"])
def test_next_to_nothing_is_no_known_mistake(name):
    result = BY_NAME[name].check(lambda *given: 1e-12 * np.asarray(right(name)(*given)))
    assert result.misconceptions == ()


def test_a_factor_that_changes_is_shown_where_it_does():
    message = kernel_gradient.check(
        lambda o, d: right()(o, d) * (3 if o.shape != kernel_gradient.inputs[2]["inputs"].shape else 2)
    ).message
    assert "changes from input to input: 3 for the first, 2 for input 3." in message


def test_another_layout_is_said_where_entries_are_shown():
    check = exercises.multichannel_input_gradient.check
    turn = {"delta": (0, 2, 3, 1), "kernel": (2, 3, 1, 0)}

    def nchw(delta, kernel):
        given = delta.transpose(turn["delta"]), kernel.transpose(turn["kernel"])
        out = np.array(right("multichannel_input_gradient")(*given), float)
        out[-1, -1, -1, -1] += 1
        return out.transpose(0, 3, 1, 2)

    assert "Below, axes stand as in the course: image, row, column, channel." in check(nchw, layout="NCHW").message


@pytest.mark.parametrize("name", ["multichannel_input_gradient", "multichannel_kernel_gradient"])
def test_a_result_in_the_course_s_layout_where_another_is_asked_for(name):
    exercise = BY_NAME[name]
    orders = {key: np.argsort(order) for key, order in exercise.layouts["NCHW"].items()}

    def halfway(*given):
        return right(name)(*(g.transpose(orders[key]) for key, g in zip(exercise.takes, given, strict=True)))

    result = exercise.check(halfway, layout="NCHW")
    assert result.misconceptions == ("another layout",)
    order = exercise.layouts["NCHW"]["result"]
    assert f"The numbers are right, but asked for in that layout, too: result.transpose{order}." in result.message
    assert exercise.check(lambda *given: np.transpose(halfway(*given), order), layout="NCHW").passed


def test_a_check_within_the_check_ends():
    before = threading.active_count()

    def checks_itself(o, d):
        kernel_gradient.check(checks_itself)
        return right()(o, d)

    result = kernel_gradient.check(checks_itself)
    assert "a function that is checked cannot check itself" in result.message
    assert threading.active_count() <= before + 1
    assert kernel_gradient.check(right()).passed


def test_what_is_printed_can_be_shown():
    result = kernel_gradient.check(lambda o, d: print("\ud800 \x1b[2J \0") or right()(o, d))
    assert result.passed
    (result._repr_html_() + str(result)).encode()
    assert "\x1b" not in str(result)


def test_an_array_where_one_entry_is_expected():
    result = kernel_gradient.check(np.array([5]), at=(0, 0))
    assert "An array of shape (1,) came; expected one number." in result.message


def test_precision_is_that_of_the_dtype():
    def rounded(dtype):
        return lambda *given: np.asarray(right("delta_recursion")(*given), dtype)

    check = exercises.delta_recursion.check
    assert check(rounded(np.float32)).passed
    assert check(rounded(np.float16)).passed

    def passes(error, dtype=float):
        return check(lambda *given: np.asarray(right("delta_recursion")(*given) * (1 + error), dtype)).passed

    assert [passes(error) for error in (1e-4, 1e-9)] == [False, True]
    assert [passes(error, np.float32) for error in (1e-3, 5e-6)] == [False, True]


# --- what is looked up ------------------------------------------------------------------------------------------------


def loops_of_eq_13(edit):
    """Eq. 13 as loops, with one thing put for another."""
    code = """
def mine(o, d):
    (H, W), (rows, cols) = o.shape, d.shape
    dw = np.zeros((H - rows + 1, W - cols + 1))
    for p in range(H - rows + 1):
        for q in range(W - cols + 1):
            for a in range(rows):
                for b in range(cols):
                    dw[p, q] += o[p + a, q + b] * d[a, b]
    return dw
"""
    old, new = edit
    assert old in code
    scope = {"np": np}
    exec(code.replace(old, new), scope)
    return scope["mine"]


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (("q + b]", "q - b]"), "gradient[m, n] += delta[i, j] * inputs[i + m, n - j]"),
        (("d[a, b]", "d[a, b - 1]"), "gradient[m, n] += delta[i, j - 1] * inputs[i + m, j + n]"),
        (("in range(cols):", "in range(1, cols):"), None),  # which has a name of its own
        (("o[p + a,", "o[p,"), "gradient[m, n] += delta[i, j] * inputs[m, j + n]"),
        (("+= o[p + a, q + b]", "-= o[p + a, q + b]"), None),
        (("+ b] * d", "+ b] + d"), "gradient[m, n] = np.sum(delta + inputs[m:m + rows, n:n + columns])"),
        (("o[p + a, q + b]", "o[p - a, q - b]"), "gradient[m, n] += delta[i, j] * inputs[m - i, n - j]"),
    ],
)
def test_one_edit_of_a_right_program_is_found_whatever_the_reader_s_names(edit, line):
    result = kernel_gradient.check(loops_of_eq_13(edit))
    assert result.misconceptions
    if line:
        shown = result.message.split("\nis written as\n")
        assert shown[0].startswith("Not yet. Number for number, your result is what comes out if\n    ")
        after = shown[1].split("\nSee Eq. 13.\n")[0].strip()
        assert after == line
    assert "<code>" in result._repr_html_()


def test_what_is_said_of_an_edit_is_what_the_edited_program_gives():
    for exercise in exercises.ALL:
        variants = [way[0] for way in exercise.known.variants() if hasattr(way[0], "edits")]
        for variant in variants[:: max(1, len(variants) // 5)]:
            before, after = variant.program.lines(variant.edits)
            wrong = exercise.computation.wrong(exercise.inputs[-1], variant)
            assert before != after or np.array_equal(wrong, exercise.expected[-1])  # two indices that are the same
            again = variant.program.edited(variant.edits)
            if wrong is not None:
                with np.errstate(all="ignore"):
                    given = np.asarray(again(*exercise.inputs[-1].values()), float)
                np.testing.assert_array_equal(given, wrong)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_result_that_nothing_explains_is_not_said_to_be_an_edit(name):
    exercise = BY_NAME[name]
    rng = np.random.default_rng(3)
    results = [rng.normal(size=right.shape) for right in exercise.expected]
    seen = [str([np.asarray(v).tolist() for v in one.values()]) for one in exercise.inputs]

    def mine(*given):
        return results[seen.index(str([np.asarray(v).tolist() for v in given]))]

    assert exercise.check(mine).misconceptions == ()


def test_right_to_some_digits():
    def nudged(x, t, h=1e-4):
        def error(z):
            return (1 / (1 + np.exp(-z)) - t) ** 2 / 2

        return (error(x + h) - error(x)) / h

    assert "Right to 4 digits, and no further: is there an ε" in exercises.output_delta.check(nudged).message
    with_ε = at_windows(lambda w, d: d * w / np.sqrt((w**2).sum() + 1e-6))
    assert "Right to 5 digits" in exercises.l2_routing.check(with_ε).message
    rounded = kernel_gradient.check(lambda o, d: np.round(right()(o, d), 2))
    assert "Your numbers are rounded to 2 decimals" in rounded.message


def test_several_arrays_that_come_back_together():
    several = kernel_gradient.check(lambda o, d: (np.zeros(o.shape), right()(o, d), d.sum()))
    assert "3 things came back together, and not all of them are arrays; expected one array." in several.message
    assert "number 2 of them is right: return that one alone." in several.message
    of_one_shape = kernel_gradient.check(lambda o, d: (right()(o, d), right()(o, d) + 1))
    assert "number 1 of them is right: return that one alone." in of_one_shape.message
    assert "type range stands among" in kernel_gradient.check(lambda o, d: [range(3), range(2)]).message
    several = kernel_gradient.check(lambda o, d: (np.zeros(o.shape), right()(o, d)))
    assert "2 arrays came back together, of shapes (4, 5) and (3, 2); expected one." in several.message
    assert "number 2 of them is right: return that one alone." in several.message
    neither = kernel_gradient.check(lambda o, d: (np.zeros(o.shape), np.zeros((3, 2))))
    assert "is right" not in neither.message


@pytest.mark.parametrize("largest", [np.argmax, np.max, max], ids=lambda function: function.__name__)
def test_windows_that_move_by_their_own_size_run_out_of_the_array(largest):
    def side_by_side(inputs, delta, size, stride):
        for i, j in np.ndindex(delta.shape):
            window = inputs[i * size[0] : (i + 1) * size[0], j * size[1] : (j + 1) * size[1]]
            largest(window.ravel())

    assert "by the stride, or by their own size?" in exercises.max_routing.check(side_by_side).message


def test_swapped_arguments_and_arrays_that_are_for_reading():
    from convbp import cross_correlate

    swapped = exercises.cross_correlation.check(lambda image, kernel: cross_correlate(kernel, image))
    assert "Are the two in the right order?" in swapped.message

    def in_place(image, kernel):
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        windows *= kernel
        return windows.sum(axis=(2, 3))

    assert "view that can only be read" in exercises.cross_correlation.check(in_place).message


def test_a_mistake_is_named_though_a_later_input_stops_the_function():
    def transposed_kernel(image, kernel):
        return right("cross_correlation")(image, kernel.T)

    def stops(image, kernel):
        if len(image) == 1:
            raise ValueError("too few rows")
        return transposed_kernel(image, kernel)

    result = exercises.cross_correlation.check(stops)
    assert result.misconceptions == ("kernel transposed",)
    assert "too few rows" not in result.message  # nothing comes of a transposed kernel there

    def stops_otherwise(image, kernel):
        if len(image) == 1:
            raise ValueError("too few rows")
        return right("cross_correlation")(image, rot180(kernel))

    result = exercises.cross_correlation.check(stops_otherwise)
    assert result.misconceptions == ("kernel flipped",)
    assert "there is more. Your function stopped with ValueError: too few rows" in result.message


# --- layouts ----------------------------------------------------------------------------------------------------------


def test_channels_first_if_one_says_so():
    def channels_first(delta, kernel):  # (N, D, H', W'), (D, C, k1, k2) -> (N, C, H, W)
        (N, D, rows, columns), (_, C, k1, k2) = delta.shape, kernel.shape
        out = np.zeros((N, C, rows + k1 - 1, columns + k2 - 1))
        for d in range(D):
            for i, j in np.ndindex(rows, columns):
                out[:, :, i : i + k1, j : j + k2] += delta[:, d, i, j, None, None, None] * kernel[d]
        return out

    exercise = exercises.multichannel_input_gradient
    assert exercise.check(channels_first, layout="NCHW").passed
    assert not exercise.check(channels_first).passed
    flipped = exercise.check(lambda d, w: channels_first(d, w[:, :, ::-1, ::-1]), layout="NCHW")
    assert flipped.misconceptions == ("flip missing",)
    assert exercises.bias_gradient.check(lambda delta: delta.sum((0, 2, 3)), layout="NCHW").passed

    def kernel_gradient(inputs, delta):
        windows = np.lib.stride_tricks.sliding_window_view(inputs, delta.shape[2:], axis=(2, 3))
        return np.einsum("bcmnij,bdij->dcmn", windows, delta)

    assert exercises.multichannel_kernel_gradient.check(kernel_gradient, layout="NCHW").passed


def test_an_unknown_layout_is_an_error():
    with pytest.raises(ValueError, match="layout is 'HWC'; expected 'NCHW'"):
        exercises.bias_gradient.check(sum, layout="HWC")
    with pytest.raises(ValueError, match="expected none, as there is only one"):
        exercises.rot180.check(sum, layout="NCHW")


# --- a number or an array ---------------------------------------------------------------------------------------------


def test_an_array_is_checked_as_the_result_for_the_example():
    example = kernel_gradient.example
    result = right()(**example)
    assert kernel_gradient.check(result).passed
    assert kernel_gradient.check(result.astype(np.float32).tolist()).passed
    assert kernel_gradient.check([[Fraction(v) for v in row] for row in result]).passed
    assert kernel_gradient.check(right()(example["inputs"], rot180(example["delta"]))).misconceptions == (
        "delta turned by 180°",
    )


def test_a_number_is_one_entry():
    expected = right()(**kernel_gradient.example)
    assert kernel_gradient.check(expected[2, 1], at=(2, 1)).passed
    result = kernel_gradient.check(-expected[2, 1], at=(2, 1))
    assert result.message.startswith("Not yet. −6 is what this mistake would give: Every entry has the opposite sign.")
    assert "One number is little to go by" in result.message
    assert result.misconceptions == ()
    assert "o₂₁·δ₀₀" in result.message
    assert "is another number" in kernel_gradient.check(12345, at=(2, 1)).message
    assert kernel_gradient.check(12345, at=(2, 1)).misconceptions == ()
    unreadable = kernel_gradient.check("7", at=(2, 1)).message
    assert "A value of type str was handed in" in unreadable
    assert f"Asked for: {kernel_gradient.returns}." in unreadable
    assert "say which: check(…, at=(0, 0))" in kernel_gradient.check(7).message


@pytest.mark.parametrize("at", [(3, 0), (0,), (-1, 0), "x", 1.5])
def test_an_index_outside_is_an_error(at):
    with pytest.raises(ValueError, match=r"expected an index of the result, up to \(2, 1\)"):
        kernel_gradient.check(1, at=at)


def test_the_dots_that_a_notebook_leaves_are_no_attempt():
    exercise = fresh()
    assert "in the place of the three dots" in exercise.check(...).message
    assert not exercise.tried


# --- whatever a function does -----------------------------------------------------------------------------------------


class Hostile:
    """An object that fails whatever one asks of it."""

    def __getattribute__(self, name):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __len__ = __iter__ = __bool__ = __eq__ = __float__ = __repr__
    __hash__ = None


class BadArray:
    def __array__(self, dtype=None, copy=None):
        raise TypeError("<script>alert(1)</script>")


class BadError(Exception):
    def __str__(self):
        raise RuntimeError("no")


class Subclass(np.ndarray):
    def __array_finalize__(self, other):
        if other is not None and getattr(self, "armed", True):
            raise RuntimeError("no")


def endless_list():
    rows = []
    rows.append(rows)
    return rows


def raises(error):
    def function(*given):
        raise error

    return function


async def coroutine(*given):
    return 1


def recursive(*given):
    return recursive(*given)


VALUES = {
    "None": (None, "does your function end with return"),
    "dots": (..., "in the place of the three dots"),
    "text": ("7", "A value of type str came back"),
    "dictionary": ({1: 2}, "A value of type dict came back"),
    "set": ({1}, "A value of type set"),
    "generator": ((n for n in range(3)), "A value of type generator"),
    "class": (int, "A value of type type"),
    "complex": (np.ones((3, 2), complex), "Complex numbers (complex128) came back"),
    "one complex": (1j, "A value of type complex"),
    "strings": (np.array([["a", "b"]]), "<U1"),
    "dates": (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
    "records": (np.zeros(3, [("a", float)]), "('a', '<f8')"),
    "objects": ([[object(), None]], "stands among the entries"),
    "hostile objects": ([[1, Hostile()]], "cannot be read as numbers"),
    "hostile": (Hostile(), "cannot be read as numbers"),
    "hostile array": (BadArray(), "cannot be read as numbers"),
    "ragged": ([[1, 2], [3]], "rows of different lengths"),
    "deep": (endless_list(), "deep"),
    "endless range in lists": ([[0] * (LARGEST // 2)] * 3, "too large"),
    "huge": (np.broadcast_to(0.0, (10**6, 10**6)), "Your result has shape (1000000, 1000000)"),
    "huge integers": ([[10**400, 1], [2, 3], [4, 5]], "infinite in 1 of 6 entries"),
    "nan": (np.full((3, 2), np.nan), "NaN in every entry"),
    "inf": (np.full((3, 2), np.inf), "infinite in every entry"),
    "empty": (np.empty((0, 2)), "Your result has shape (0, 2)"),
    "empty lists": ([[], []], "Your result has shape (2, 0)"),
    "many axes": (np.ones((1,) * 9), "Your result has shape"),
    "long double": (np.ones((3, 2), np.longdouble), "the same for all inputs"),
}


@pytest.mark.parametrize("kind", VALUES)
def test_whatever_comes_back_is_answered_in_words(kind):
    value, said = VALUES[kind]
    for result in [kernel_gradient.check(lambda *given: value), kernel_gradient.check(lambda inputs, delta: value)]:
        assert not result.passed
        assert said in result.message
        assert show(result)


def show(result):
    """Everything by which a result shows itself."""
    if result.scene:
        assert Image.open(io.BytesIO(png(result.scene))).size
    return repr(result) and result._repr_html_()


@pytest.mark.parametrize(
    "kind", [kind for kind, (value, _) in VALUES.items() if not callable(value) and value is not ...]
)
def test_the_same_as_a_value(kind):
    result = kernel_gradient.check(VALUES[kind][0])
    assert not result.passed
    assert show(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.parametrize(
    "value", [0, 1.5, [], [[1]], np.zeros((2, 2)), np.arange(24.0).reshape(2, 3, 4), np.full((3, 3), np.nan), True]
)
def test_every_exercise_takes_anything(name, value):
    assert not BY_NAME[name].check(lambda *given: value).passed
    assert show(BY_NAME[name].check(value))


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_random_numbers_of_the_right_shape_are_described(name):
    exercise = BY_NAME[name]
    shapes = {str(list(map(str, i.values()))): e.shape for i, e in zip(exercise.inputs, exercise.expected, strict=True)}

    def numbers(*given):
        return np.random.default_rng(int(abs(np.sum(given[0])))).integers(-9, 9, shapes[str(list(map(str, given)))])

    result = exercise.check(numbers)
    assert not result.passed
    assert result.misconceptions == ()
    assert show(result)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (raises(ZeroDivisionError("division by zero")), "ZeroDivisionError: division by zero"),
        (raises(SystemExit(1)), "SystemExit: 1"),
        (raises(KeyboardInterrupt()), "stopped with KeyboardInterrupt"),
        (raises(BadError()), "stopped with BadError"),
        (raises(MemoryError("x" * 10_000)), "MemoryError: xxx"),
        (recursive, "RecursionError"),
        (coroutine, "A value of type coroutine"),
        (lambda inputs: inputs, "Your function takes (inputs); here it is called with (inputs, delta)"),
        (lambda a, b, c: a, "Your function takes (a, b, c); here it is called with (inputs, delta), in this order and"),
        (lambda o, d: undefined_name, "Is the cell with its definition run"),  # noqa: F821
        (lambda o, d: o[99], "An index left its array: the last one is its length less 1."),
        (lambda o, d: o @ d, "The product entry by entry is *."),
        (lambda o, d: o * d, "Two arrays of different shapes met"),
        (lambda o, d: np.empty(1).view(Subclass), "RuntimeError: no"),
        (Hostile, "Your function takes ()"),
        (print, "(None)"),
        (np.add, "Two arrays of different shapes met"),
    ],
)
def test_whatever_a_function_raises_is_answered_in_words(function, said):
    result = kernel_gradient.check(function)
    assert not result.passed
    assert said in re.sub(r"\n    line .*", "", result.message)  # that line is of this file, and may have the words
    assert len(result.message) < 1500
    assert show(result)


@pytest.mark.parametrize(
    "error", [ValueError("no"), ValueError("a matter of taste"), TypeError("shapes and broadcast"), KeyError("matmul")]
)
def test_advice_is_for_the_errors_it_is_about(error):
    message = kernel_gradient.check(raises(error)).message
    assert type(error).__name__ in message
    for advice in ("Two arrays of different shapes met", "The product entry by entry", "takes no floats"):
        assert advice not in message


def test_an_exception_is_shown_with_the_readers_own_line():
    def mine(inputs, delta):
        total = 0
        return np.linalg.inv(np.zeros((2, 2))) + total  # the line

    line = mine.__code__.co_firstlineno + 2
    message = kernel_gradient.check(mine).message
    assert f"line {line}:  return np.linalg.inv(np.zeros((2, 2))) + total  # the line" in message
    assert "LinAlgError: Singular matrix" in message


def test_a_method_that_fails_is_shown_with_its_own_line():
    message = kernel_gradient.check(lambda *given: BadArray()).message
    assert 'raise TypeError("<script>alert(1)</script>")' in message


def test_what_cannot_be_printed_is_not():
    message = kernel_gradient.check(raises(ValueError("\x1b[31mred\x00"))).message
    assert "·[31mred·" in message


def test_only_the_beginning_of_what_is_printed_is_kept():
    done = run(lambda number: print("x" * 10**6), [{"number": 1}])
    assert 0 < len(done.printed) <= 500


def loops_without_end(*given):
    n = 0
    while True:
        n += 1


class EndlessArray:
    def __array__(self, dtype=None, copy=None):
        loops_without_end()


def swallows_exceptions(*given):
    while True:
        with suppress(Exception):
            loops_without_end()


def prints_without_end(*given):
    while True:
        print("again")


@pytest.mark.parametrize(
    "function", [loops_without_end, lambda *given: EndlessArray(), swallows_exceptions, prints_without_end]
)
def test_an_endless_loop_ends(function, capsys):
    threads, began = threading.active_count(), time.monotonic()
    result = kernel_gradient.check(function, seconds=0.2)
    assert time.monotonic() - began < 1
    assert "did not end within 0.2 seconds, so it was stopped" in result.message
    assert threading.active_count() == threads
    assert capsys.readouterr().out == ""


def test_what_is_right_before_the_loop_has_its_points():
    called = []

    def right_once(inputs, delta):
        called.append(1)
        return right()(inputs, delta) if len(called) == 1 else loops_without_end()

    result = kernel_gradient.check(right_once, seconds=0.2)
    assert result.points == pytest.approx(1 / len(kernel_gradient.inputs))
    assert result.message.startswith(f"Not yet (on input 2 of {len(kernel_gradient.inputs)}).")


def test_what_python_cannot_stop_is_left_behind_and_said(monkeypatch):
    monkeypatch.setattr("convbp.exercises.running._PATIENCE", 0.1)
    release = threading.Event()
    result = kernel_gradient.check(lambda *given: release.wait(20), seconds=0.1)
    assert "Python cannot stop it where it is" in result.message
    release.set()


def test_a_stubborn_loop_is_stopped_too(monkeypatch):
    """Each time the exception is swallowed, the next one comes."""
    swallowed = []

    def stubborn(*given):
        while len(swallowed) < 3:
            try:
                loops_without_end()
            except:  # noqa: E722
                swallowed.append(1)
        loops_without_end()

    assert "so it was stopped" in kernel_gradient.check(stubborn, seconds=0.1).message
    assert len(swallowed) == 3


def test_printing_is_noticed_and_kept_away(capsys):
    def mine(inputs, delta):
        print("the shape is", inputs.shape)
        print("to stderr", file=sys.stderr)
        return right()(inputs, delta)

    result = kernel_gradient.check(mine)
    assert result.passed
    assert "also prints, which is not shown here: “the shape is (4, 5) to stderr" in result.message
    assert capsys.readouterr() == ("", "")


def test_what_other_threads_print_is_shown(capsys):
    started, go = threading.Event(), threading.Event()

    def other():
        started.wait(5)
        print("from elsewhere")
        go.set()

    thread = threading.Thread(target=other)
    thread.start()

    def mine(inputs, delta):
        started.set()
        assert go.wait(5)
        return right()(inputs, delta)

    assert kernel_gradient.check(mine).passed
    thread.join()
    assert capsys.readouterr().out == "from elsewhere\n"


def test_a_changed_argument_is_noticed():
    def mine(inputs, delta):
        result = right()(inputs, delta)
        delta *= 2
        return result

    before = kernel_gradient.example["delta"]
    result = kernel_gradient.check(mine)
    assert not result.passed
    assert result.points == 0
    assert "The numbers are right, but:\nYour function changes its argument delta" in result.message
    assert "delta = delta.copy()" in result.message
    np.testing.assert_array_equal(kernel_gradient.example["delta"], before)


def test_random_results_are_noticed():
    rng = np.random.default_rng(0)
    result = kernel_gradient.check(lambda o, d: right()(o, d) + rng.normal())
    assert not result.passed
    assert "Two calls with the same numbers gave different results" in result.message


def test_what_a_function_does_to_numpy_is_undone_and_said():
    def mine(inputs, delta):
        np.isclose = lambda one, other, **options: np.ones(one.shape, bool)
        np.sum = None
        return np.zeros((3, 2))

    isclose, total = np.isclose, np.sum
    result = kernel_gradient.check(mine)
    assert not result.passed
    assert "puts something else in the place of np.isclose, np.sum" in result.message
    assert (np.isclose, np.sum) == (isclose, total)


def test_the_time_is_up_even_if_the_clock_is_stopped(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    assert "so it was stopped" in kernel_gradient.check(loops_without_end, seconds=0.1).message


def test_settings_of_numpy_are_left_as_they_were():
    def mine(inputs, delta):
        np.seterr(all="raise")
        return right()(inputs, delta)

    before = np.geterr()
    assert kernel_gradient.check(mine).passed
    assert np.geterr() == before


def test_right_once_is_not_right():
    called = []

    def mine(inputs, delta):
        called.append(1)
        return right()(inputs, delta) + (len(called) > len(kernel_gradient.inputs))

    result = kernel_gradient.check(mine)
    assert not result.passed
    assert "Two calls with the same numbers gave different results" in result.message


def test_warnings_of_numpy_stay_away(recwarn):
    assert not exercises.l2_routing.check(lambda x, d, k, s: x / 0).passed
    assert not recwarn


# --- the card ---------------------------------------------------------------------------------------------------------


def displayed(result, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, metadata=None, raw=False: shown.append((data, metadata))
    )
    result._ipython_display_()
    return shown


def test_the_card_has_the_message_and_the_picture(monkeypatch):
    result = kernel_gradient.check(lambda o, d: right()(o, d[::-1, ::-1]))
    (text, _), (picture, metadata) = displayed(result, monkeypatch)
    assert text["text/plain"] == result.message
    assert "<strong>Not yet.</strong>" in text["text/html"]
    assert picture["image/png"]
    alt = "Yours, expected and the difference. At (0, 0) yours is 4, expected is 5."
    assert metadata["image/png"]["alt"] == alt
    assert picture["text/plain"] == f"Picture: {alt}"


def test_the_picture_shows_yours_expected_and_the_difference():
    result = kernel_gradient.check(lambda o, d: right()(o, d[::-1, ::-1]))
    example = kernel_gradient.example
    yours, expected = right()(example["inputs"], rot180(example["delta"])), right()(**example)
    for grid, values in zip(result.scene.grids, (yours, expected, yours - expected), strict=True):
        np.testing.assert_array_equal(np.array(grid.values, float), values)
    (highlight,) = result.scene.highlights.values()
    assert {(mark.row, mark.col) for mark in highlight.marks} == {(0, 0)}


def test_a_long_sum_stands_in_the_text_alone():
    for name, written in [("kernel_gradient", False), ("rot180", True)]:
        result = BY_NAME[name].check(lambda *given, name=name: np.asarray(right(name)(*given)) + 1)
        (highlight,) = result.scene.highlights.values()
        assert bool(highlight.formula.terms) == written
        assert "\n  = " in result.message or written


def test_of_four_axes_the_plane_with_the_difference_is_shown():
    def one_entry_off(delta, kernel):
        result = right("multichannel_input_gradient")(delta, kernel)
        result[-1, -1, -1, -1] += 5
        return result

    result = exercises.multichannel_input_gradient.check(one_entry_off)
    yours, expected, difference = (np.array(grid.values, float) for grid in result.scene.grids)
    assert yours.shape == expected.shape == exercises.multichannel_input_gradient.expected[0].shape[1:3]
    assert np.argwhere(difference).tolist() == [[3, 5]]


@pytest.mark.parametrize(
    ("answer", "yours", "expected"),
    [
        (lambda dw: dw[:, :, 0, 0], "yours", "expected[:, :, 0, 0]"),
        (lambda dw: dw.sum(axis=3), "yours[:, :, 0]", "expected[:, :, 0, 0]"),
        (lambda dw: np.stack([dw[..., 0]] * 5), "yours[0, :, :, 0]", "expected[:, :, 0, 0]"),
        (lambda dw: dw + np.arange(dw.shape[3]), "yours[:, :, 0, 1]", "expected[:, :, 0, 1]"),
    ],
)
def test_rows_and_columns_stand_beside_rows_and_columns_and_the_titles_say_of_what(answer, yours, expected):
    exercise = exercises.multichannel_kernel_gradient
    result = exercise.check(lambda o, delta: answer(right("multichannel_kernel_gradient")(o, delta).astype(float)))
    titles = [grid.title for grid in result.scene.grids]
    assert titles[:2] == [yours, expected]
    shown = np.array(result.scene.grids[1].values, float)
    np.testing.assert_array_equal(shown, eval(expected, {"expected": exercise.expected[0]}))
    assert np.shape(result.scene.grids[0].values) == shown.shape


def test_of_a_large_array_the_part_around_the_difference_is_shown():
    result = kernel_gradient.check(lambda o, d: np.zeros((300, 300)))
    assert result.scene.grids[0].size == (8, 8)


def test_text_from_outside_is_escaped():
    def mine(inputs, delta):
        raise ValueError("<script>alert(1)</script>")

    assert "<script>" not in kernel_gradient.check(mine)._repr_html_()


def test_the_same_answer_gives_the_same_text():
    texts = {repr(kernel_gradient.check(lambda o, d: right()(o, d[::-1, ::-1]))) for _ in range(3)}
    assert len(texts) == 1


def test_without_the_package_for_still_pictures_the_picture_is_svg(monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg", None)
    result = kernel_gradient.check(lambda o, d: right()(o, d[::-1, ::-1]))
    _, (picture, _) = displayed(result, monkeypatch)
    assert set(picture) == {"text/plain", "image/svg+xml"}
    assert "difference" in picture["image/svg+xml"]


def test_the_readme_shows_what_a_check_says():
    with open(os.path.join(course.ROOT, "README.md"), encoding="utf-8") as file:
        section = file.read().split("## Checks that recognise the mistake")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (text,) = re.findall(r"```text\n(.*?)\n```", section, re.DOTALL)
    lines = code.strip().split("\n")
    scope = {}
    exec("\n".join(lines[:-1]), scope)
    assert repr(eval(lines[-1], scope)).split() == text.split()
    assert f"{len(exercises.ALL)} exercises" in section


# --- hints, progress, points ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_NAME)
def test_the_statement_has_signature_layout_and_time(name):
    text = repr(BY_NAME[name])
    assert text.startswith(f"{name}({', '.join(BY_NAME[name].inputs[0])})\n")
    assert "returns " in text
    assert "may take 5 seconds" in text
    assert list(BY_NAME[name].takes) == list(BY_NAME[name].inputs[0])


def test_hints_come_one_by_one():
    exercise = fresh()
    hints = [exercise.hint() for _ in range(4)]
    assert [hint[:11] for hint in hints] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3", "Hint 3 of 3"]
    assert "kernel_gradient.solution()" in hints[2]
    assert exercise.hint(1) == hints[0]
    with pytest.raises(ValueError, match="expected a number from 1 to 3"):
        exercise.hint(4)


def fresh():
    """An exercise that nobody has tried."""
    return Exercise(**{field: getattr(kernel_gradient, field) for field in Exercise.__dataclass_fields__})


def test_progress_is_kept_for_the_session():
    one, other = fresh(), fresh()
    assert repr(exercises.progress(one, other)) == "0 of 2 done. Not tried: kernel_gradient, kernel_gradient."
    one.check(right())
    other.check(None)
    assert exercises.progress(one, other) == "1 of 2 done. Done: kernel_gradient. Tried: kernel_gradient."
    one.check(None)
    assert exercises.progress(one).startswith("1 of 1")
    assert exercises.progress().split()[1:3] == ["of", str(len(exercises.ALL))]


def test_points_are_those_of_the_teacher():
    assert kernel_gradient.check(right(), points=4).points == 4
    no_ties = exercises.max_routing.check(lambda x, d, k, s: right("max_routing")(x, d, k, s) + 0 * d.sum(), points=2)
    assert no_ties.points == 2


def test_a_slip_at_ties_or_at_overlap_keeps_the_points_of_the_inputs_without():
    ties, overlap = [], []
    for inputs, delta, size, stride in (given.values() for given in exercises.max_routing.inputs):
        seen = np.lib.stride_tricks.sliding_window_view(inputs, size)[:: stride[0], :: stride[1]]
        assert seen.shape[:2] == delta.shape
        ties.append(any(np.count_nonzero(window == window.max()) > 1 for row in seen for window in row))
        overlap.append(stride[0] < size[0] or stride[1] < size[1])
    assert (sum(ties), sum(overlap), sum(map(max, ties, overlap))) == (3, 3, 4)

    def points(answer):
        return exercises.max_routing.check(WRONG["max_routing"][answer].function, points=5).points

    assert [points(answer) for answer in ("every_maximum", "shared_maxima", "columns_first")] == [2, 2, 2]
    assert [points(answer) for answer in ("single_entry_assigned", "whole_window_assigned")] == [2, 2]
    assert [points(answer) for answer in ("mask_assigned", "an_array_of_integers")] == [1, 3]
    assignment = os.path.join(course.ROOT, "examples", "nbgrader", "source", "backpropagation", "gradients.ipynb")
    with open(assignment, encoding="utf-8") as file:
        assert "three have ties, in three windows overlap, and one has neither" in file.read()


def test_an_exercise_that_is_not_there_is_an_error_that_says_which_is_meant():
    with pytest.raises(AttributeError, match=r"no exercise kernel_gradent\. Is it kernel_gradient\?"):
        exercises.kernel_gradent  # noqa: B018
    assert set(dir(exercises)) >= set(BY_NAME)


def test_an_exercise_stands_in_one_place():
    """The path of an answer knows no exercise by name, and each theme lists none."""
    for exercise in exercises.ALL:
        assert exercise.answer.__module__.startswith("convbp.exercises.themes.")
        assert exercise.name in exercise.solution()


def test_the_example_is_a_copy():
    kernel_gradient.example["delta"][:] = 0
    assert kernel_gradient.example["delta"].any()


def integers(kind, image, kernel):
    """A cross-correlation in arrays of that kind of integers, product by product."""
    result = np.zeros(np.subtract(image.shape, kernel.shape) + 1, kind)
    for i, j in np.ndindex(result.shape):
        for m, n in np.ndindex(kernel.shape):
            result[i, j] += np.trunc(image[i + m, j + n] * kernel[m, n]).astype(int).astype(kind)
    return result


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (np.uint8, "wrapped around in 8 bits"),
        (np.uint16, "wrapped around in 16 bits"),
        (np.int64, "cut off to integers"),
    ],
)
def test_integers_in_each_step_of_a_sum_are_named(kind, named):
    with np.errstate(over="ignore"):
        assert exercises.cross_correlation.check(partial(integers, kind)).misconceptions == (named,)


def test_one_argument_in_bytes_and_a_result_that_saturates():
    given = exercises.bias_gradient.check(lambda d: (np.trunc(d).astype(int) % 256).sum((0, 1, 2)))
    assert "delta cut off to 8 bits" in given.message
    shown = exercises.kernel_gradient.check(
        lambda o, d: np.clip(exercises.kernel_gradient.answer(o, d), 0, 255).astype(np.uint8)
    )
    assert shown.misconceptions == ("kept between 0 and 255",)


@pytest.mark.parametrize("count", [3, 8, 32])
@pytest.mark.parametrize("times", [True, False])
def test_a_mean_for_a_sum_in_a_step_is_asked_about(count, times):
    by = count if times else 1 / count
    said = exercises.descent_step.check(lambda w, g, rate: w - by * rate * g).message
    assert "Of the way from weights" in said
    assert "a mean where the sum is due" in said
    assert "where the sum is due" not in exercises.descent_step.check(lambda w, g, r: w - 0.9 * r * g).message


def test_an_index_that_leaves_its_array_and_is_left_out_is_named():
    def columns_counted_by_rows(image, kernel):
        (H, W), (k1, k2) = image.shape, kernel.shape
        result = np.zeros((H - k1 + 1, W - k2 + 1))
        for i in range(H - k1 + 1):
            for j in range(min(H - k1 + 1, W - k2 + 1)):
                result[i, j] = np.sum(image[i : i + k1, j : j + k2] * kernel)
        return result

    said = exercises.cross_correlation.check(columns_counted_by_rows).message
    assert "for j in range(H - k1 + 1)" in said
    assert "outside of an array is left out" in said


def test_two_things_done_in_two_steps_are_named_together():
    tanh = exercises.output_delta.check(lambda x, t: (np.tanh(x) - t) / np.cosh(x) ** 2)
    assert "tanh(x) in the place of f(x)" in tanh.message
    assert "the derivative of tanh" in tanh.message


def turned_but_on(special, instead):
    """δ turned by 180°, a known mistake; on some of the inputs, counted from 1, something else."""
    some = [kernel_gradient.inputs[n - 1]["inputs"] for n in special]

    def mine(inputs, delta):
        if any(np.array_equal(inputs, one) for one in some):
            return instead(right()(inputs, delta))
        return right()(inputs, rot180(delta))

    return mine


def test_nothing_at_all_is_not_what_a_mistake_gives_that_gives_numbers():
    assert kernel_gradient.check(turned_but_on([], None)).misconceptions == ("delta turned by 180°",)
    result = kernel_gradient.check(turned_but_on([2, 3], lambda r: r[:0]))
    assert result.misconceptions == ()
    assert "rot180" not in result.message


def test_one_number_in_an_array_is_a_part_and_none_is_not():
    one, number, nothing = read_parts((np.array([5.0]), 3, np.empty(0)))
    assert one.values.tolist() == [5]
    assert number is nothing is None
    assert read_parts([np.ones(2)]) == read_parts((1, 2)) == read_parts([np.ones(2)] * 5) == []
    assert len(read_parts([np.ones(2)] * 4)) == 4


@pytest.mark.parametrize("exercise", exercises.ALL, ids=lambda e: e.name)
def test_the_other_programs_are_right(exercise):
    """Of which one edit is recognised as a mistake."""
    for program in exercise.programs:
        assert exercise.check(program).passed, program.__name__


def zeros_of(rows, cols, depth):
    return np.zeros((rows, cols, depth))


def test_a_size_off_by_one_leaves_the_others_as_they_are():
    program = Program(zeros_of)
    edited = [program.edited((edit,)) for edit in program.edits() if edit.kind == "size off by one"]
    assert [function(4, 5, 6).shape for function in edited] == [
        *((5, 5, 6), (3, 5, 6)),
        *((4, 6, 6), (4, 4, 6)),
        *((4, 5, 7), (4, 5, 5)),
    ]
