"""What is said of an answer, to the word and from which number on; and what misreadings of the task give."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from convbp import exercises, loops
from convbp.exercises import misreadings
from convbp.exercises.describing import describe
from convbp.exercises.reading import Answer


def said(exercise, change):
    """What is said of the right result with something done to it."""
    result = exercise.check(lambda *given: change(np.asarray(exercise.answer(*given), float), *given))
    assert not result.passed
    return result.message


def seen(answer, right):
    """What is said of an array that stands alone."""
    return describe(exercises.relu_delta.known, [Answer(answer)], [right], [{}], ("row", "column"))


def test_whole_sentences():
    first = exercises.kernel_gradient.expected[0]
    assert said(exercises.kernel_gradient, lambda r, *_: np.full((3, 2), 7.5) * [1, 2]).startswith(
        "Not yet. Your result is the same for all inputs: use the arguments, not particular numbers."
    )
    assert said(exercises.kernel_gradient, lambda r, *_: first if r.shape == first.shape else r).startswith(
        "Not yet. On input 2 you gave the right result for input 1, which has the same shapes and other numbers: does "
        "your function remember an earlier call?\n"
    )
    right = np.array([[0, 3.0, 0, 5], [7, 0, 2, 4], [0, 8, 6, 0]])
    junk = np.array([[9, 0, 4, 0], [0, 3.1, 0, 0], [2.7, 0, 0, 1.3]])
    assert seen(right + junk, right) == ["It is right except where 0 is expected.", "7 of 12 entries are right."]


@pytest.mark.parametrize(("side", "where"), [("top", np.s_[0]), ("right", np.s_[:, -1])])
def test_a_border_is_seen_from_an_inside_of_two_on(side, where):
    right = np.arange(1, 10).reshape(3, 3) ** 2.0
    answer = right.copy()
    answer[where] += [31, 77, 53]
    assert seen(answer, right)[0] == f"Right inside, wrong at the border ({side}): what lies outside the array?"
    assert "border" not in seen(answer[:2, 1:], right[:2, 1:])[0]


def test_a_part_is_looked_for_in_500_places_and_no_more():
    within, beyond = np.pad([[1.0, 2, 4]], ((21, 0), (0, 21))), np.pad([[1.0, 2, 4]], ((22, 0), (0, 22)))
    assert "The right result is a part of yours: it begins at (21, 0)." in seen(within, np.array([[1.0, 2, 4]]))
    assert not [one for one in seen(beyond, np.array([[1.0, 2, 4]])) if "part" in one]


def test_a_sum_of_an_argument_and_the_result_is_one_on_all_inputs():
    constant = said(exercises.relu_delta, lambda r, delta, x: delta + 1.5 * r)
    assert "Your result is delta, plus 1.5 times what is asked for." in constant
    changing = said(exercises.relu_delta, lambda r, delta, x: delta + (1.5 if x.shape == (3, 4) else 2.5) * r)
    assert "what is asked for" not in changing


def test_a_mean_is_asked_about_where_a_whole_number_is_missing():
    for by, asked in ((3, True), (1 / 3, True), (2 / 3, False), (2.5, False)):
        message = said(exercises.descent_step, lambda r, w, *_, by=by: w + by * (r - w))
        assert "Of the way from weights to what is asked for" in message
        assert ("Is it a mean where the sum is due" in message) is asked


# Misreadings

X = np.array([[1.0, -2, 3], [4, 5, -6]])
ARGUMENTS = {"x": X, "y": np.array([[2.0, 0], [1, 3]]), "stride": (2, 5), "rate": 4.0}


def product(x, y, stride, rate):
    """A computation in which every argument counts."""
    return np.asarray(rate * x + y.sum() * stride[0] ** 2 + stride[1], float)


RIGHT = product(**ARGUMENTS)
UNUSUAL = misreadings.unusual(product, ARGUMENTS, RIGHT, {}, "notebook 1")


def given(name):
    """What a misreading makes of its argument, or what comes of it."""
    (found,) = [m for m in (*misreadings.usual(ARGUMENTS, "notebook 1"), *UNUSUAL) if m.name == name]
    assert found.where == "notebook 1"
    ((what, change),) = found.changes.items()
    if what == "compute":
        return change(**ARGUMENTS)
    return change(RIGHT, None) if what == "result" else change(ARGUMENTS[what])


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("rows and columns of stride exchanged", (5, 2)),
        ("stride[0] for both axes", (2, 2)),
        ("stride[1] for both axes", (5, 5)),
        ("1 for both entries of stride", (1, 1)),
        ("0 for both entries of stride", (0, 0)),
        ("stride[0] one larger", (3, 5)),
        ("stride[1] one larger", (2, 6)),
        ("stride one larger", (3, 6)),
        ("stride one smaller", (1, 4)),
        ("half of stride", (1, 2)),
        ("twice stride", (4, 10)),
        ("stride[0] one smaller", (1, 5)),
        ("stride[1] one smaller", (2, 4)),
        ("−rate for rate", -4),
        ("0 for rate", 0),
        ("1 for rate", 1),
        ("the square of rate", 16),
        ("the root of rate", 2),
        ("twice rate", 8),
        ("half of rate", 2),
        ("1/rate for rate", 0.25),
        ("1 − rate for rate", -3),
    ],
)
def test_pairs_and_numbers_that_are_misread(name, pair):
    assert np.all(given(name) == np.array(pair))


def along(array, axes, pool):
    """What ``pool`` makes of the entries that differ in these axes alone, by loops."""
    kept = {}
    for index, value in np.ndenumerate(array):
        kept.setdefault(tuple(n for axis, n in enumerate(index) if axis not in axes), []).append(value)
    shape = [n for axis, n in enumerate(array.shape) if axis not in axes]
    return np.array([pool(values) for values in kept.values()]).reshape(shape)


@pytest.mark.parametrize(("axes", "written"), [((0,), "axis 0"), ((1,), "axis 1"), ((0, 1), "axes 0, 1")])
def test_what_is_summed_up_along_axes(axes, written):
    for words, pool in (
        ("the right one summed up along", sum),
        ("the right one, its mean along", np.mean),
        ("the right one, its largest along", max),
    ):
        np.testing.assert_allclose(given(f"{words} {written}"), along(RIGHT, axes, pool))
    for words, pool in (("sum", sum), ("mean", np.mean), ("largest", max)):
        whole = np.ones_like(X) * np.expand_dims(along(X, axes, pool), axes)
        np.testing.assert_allclose(given(f"the {words} of x along {written} for all"), whole)
    every = given(f"every second of the right one along {written}")
    assert every.tolist() == [
        [value for c, value in enumerate(row) if 1 not in axes or c % 2 == 0]
        for r, row in enumerate(RIGHT.tolist())
        if 0 not in axes or r % 2 == 0
    ]
    first = given(f"nothing but the first of x along {written}")
    assert all(
        first[index] == (value if all(index[axis] == 0 for axis in axes) else 0) for index, value in np.ndenumerate(X)
    )


def test_as_many_as_another_array_has():
    few = X * 0
    few[:2, :2] = X[:2, :2]
    name = "nothing but the first of x along each axis, as many as y has"
    np.testing.assert_array_equal(given(name), product(few, *list(ARGUMENTS.values())[1:]))


def test_arguments_of_one_kind_are_exchanged_or_one_stands_for_both():
    names = {m.name for m in UNUSUAL}
    assert {"x and y exchanged", "x in the place of y", "y in the place of x", "x and rate exchanged"} <= names
    assert not [name for name in names if re.search("stride (and|in the place)|(and|place of) stride", name)]
    np.testing.assert_array_equal(given("x in the place of y"), product(**ARGUMENTS | {"y": X}))
    np.testing.assert_array_equal(
        given("x and y exchanged"), product(ARGUMENTS["y"], X, ARGUMENTS["stride"], ARGUMENTS["rate"])
    )


UNEVEN = np.array([[1.25, -2.6, 300.4], [4, 0.5, -6]])
FLAT = UNEVEN.ravel().tolist()


def done_to(array, name):
    """What a misreading makes of an argument x that is also the result, and of the result beside another x."""
    listed = (*misreadings.usual({"x": array}, ""), *misreadings.unusual(lambda x: x, {"x": array}, array, {}, ""))
    ((what, change),) = next(m for m in listed if m.name == name).changes.items()
    return change(array, SimpleNamespace(x=10 * array + 1)) if what == "result" else change(array)


OF_BOTH = {
    "{} divided by its norm": lambda v: v / math.hypot(*FLAT),
    "{} divided by its sum": lambda v: v / math.fsum(FLAT),
    "{} divided by the sum of its absolute values": lambda v: v / math.fsum(map(abs, FLAT)),
    "{} divided by its largest absolute value": lambda v: v / 300.4,
    "{} divided by its largest entry": lambda v: v / 300.4,
    "{} divided by the number of its entries": lambda v: v / 6,
    "{} divided by its length along axis 0": lambda v: v / 2,
    "{} less its mean": lambda v: v - math.fsum(FLAT) / 6,
    "the softmax of {}": lambda v: 1 / math.fsum(math.exp(other - v) for other in FLAT),
    "{} kept between −1 and 1": lambda v: sorted((-1, v, 1))[1],
    "{} kept between 0 and 1": lambda v: sorted((0, v, 1))[1],
    "{} kept between 0 and 255": lambda v: sorted((0, v, 255))[1],
    "the square of {}": lambda v: v * v,
    "the root of {}": lambda v: v**0.5 if v >= 0 else math.nan,
    "the signs of {}": lambda v: math.copysign(1, v),
}
OF_AN_ARGUMENT = {
    "{} cut off to integers": int,
    "{} rounded": round,
    "the absolute values of {}": lambda v: max(v, -v),
    "−{0} for {0}": lambda v: -v,
    "the negative entries of {} set to 0": lambda v: v if v > 0 else 0,
    "the positive entries of {} set to 0": lambda v: v if v < 0 else 0,
    "ones for {}": lambda v: 1,
    "twice {}": lambda v: v + v,
    "half of {}": lambda v: v - v / 2,
    "1/{0} for {0}": lambda v: v**-1,
    "1 − {0} for {0}": lambda v: 1 - v,
    "{} cut off to 8 bits, as astype(np.uint8) does": lambda v: int(v) & 0b11111111,
}
OF_A_RESULT = {
    "{}, but 0 where it should be negative": lambda v: v if v > 0 else 0,
    "{} times x": lambda v: v * (10 * v + 1),
    "{} divided by x": lambda v: v / (10 * v + 1),
    "{} added to x": lambda v: 11 * v + 1,
    "{} subtracted from x": lambda v: 9 * v + 1,
    "{} less x": lambda v: -9 * v - 1,
}


@pytest.mark.parametrize(
    ("name", "of_one"),
    [
        *((name.format("x"), of_one) for name, of_one in (OF_BOTH | OF_AN_ARGUMENT).items()),
        *((name.format("the right one"), of_one) for name, of_one in (OF_BOTH | OF_A_RESULT).items()),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")
def test_each_entry_is_what_the_name_of_the_misreading_says(name, of_one):
    np.testing.assert_allclose(done_to(UNEVEN, name), [[of_one(v) for v in row] for row in UNEVEN.tolist()])


def test_largest_is_of_the_entries_or_of_their_absolute_values():
    low = np.array([[2.0, -8], [4, 1]])
    np.testing.assert_array_equal(done_to(low, "x divided by its largest absolute value"), low / 8)
    np.testing.assert_array_equal(done_to(low, "x divided by its largest entry"), low / 4)


CUBE = np.arange(24).reshape(2, 3, 4) ** 2


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("moved on by one along axis 0", lambda i, j, k: (i - 1, j, k)),
        ("moved on by one along axis 2", lambda i, j, k: (i, j, k - 1)),
        ("moved back by one along axis 1", lambda i, j, k: (i, (j + 1) % 3, k)),
        ("the first of {} along axis 1 for all", lambda i, j, k: (i, 0, k)),
        ("the last of {} along axis 2 for all", lambda i, j, k: (i, j, 3)),
        ("reversed along axis 1", lambda i, j, k: (i, 2 - j, k)),
    ],
)
@pytest.mark.parametrize("what", ["x", "the right one"])
def test_entries_that_stand_elsewhere(name, place, what):
    if name.startswith("reversed") and what != "x":
        return
    name = name.format(what) if "{}" in name else f"{what} {name}"
    expected = [CUBE[place(*index)] for index in np.ndindex(CUBE.shape)]
    np.testing.assert_array_equal(done_to(CUBE, name).ravel(), expected)


def test_parts_that_are_left_or_added_up():
    sums = done_to(CUBE, "the running sums of x along axis 1")
    ends = done_to(CUBE, "nothing but the last of x along axes 0, 2")
    diagonal = done_to(CUBE, "nothing but the diagonal of x along axes 0, 1")
    for (i, j, k), value in np.ndenumerate(CUBE):
        assert sums[i, j, k] == sum(CUBE[i, other, k] for other in range(j + 1))
        assert ends[i, j, k] == (value if (i, k) == (1, 3) else 0)
        assert diagonal[i, j, k] == (value if i == j else 0)
    rows, columns = [1 - 2 + 3, 4 + 5 - 6], [5, 3, -3]
    crossed = done_to(X, "the product of the sums of x along its two axes")
    assert crossed.tolist() == [[row * column for column in columns] for row in rows]
    assert done_to(X, "x turned by 180°").tolist() == [row[::-1] for row in X.tolist()[::-1]]
    assert done_to(X, "x transposed").tolist() == [list(column) for column in zip(*X.tolist(), strict=True)]


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_reshape_where_transpose_is_due(order):
    lengths = [CUBE.shape[axis] for axis in order]
    reshaped = done_to(CUBE, f"x reshaped, where its axes are to be put in the order {order}")
    left = done_to(CUBE, f"x with its axes in the order {order}, reshaped and not put back")
    one_row = CUBE.ravel().tolist()
    put = [CUBE[tuple(there[order.index(axis)] for axis in range(3))] for there in np.ndindex(*lengths)]
    assert left.ravel().tolist() == put
    assert left.shape == reshaped.shape == CUBE.shape
    for index in np.ndindex(CUBE.shape):
        a, b, c = (index[axis] for axis in order)
        assert reshaped[index] == one_row[(a * lengths[1] + b) * lengths[2] + c]


def test_nothing_but_as_much_as_the_result_has():
    image, kernel = np.arange(20).reshape(4, 5) ** 2 % 11, np.array([[1, 2, 5], [3, 0, 7]])
    given = {"image": image, "kernel": kernel}
    result = loops.cross_correlate(image, kernel)
    few = misreadings.unusual(loops.cross_correlate, given, result, {}, "")
    for other, (rows, columns) in (("the result", (3, 3)), ("kernel", (2, 3))):
        name = f"nothing but the first of image along each axis, as many as {other} has"
        (found,) = [m for m in few if m.name == name]
        kept = [[v if i < rows and j < columns else 0 for j, v in enumerate(row)] for i, row in enumerate(image)]
        np.testing.assert_array_equal(found.changes["compute"](**given), loops.cross_correlate(kept, kernel))


def test_what_may_be_done_in_one_step_and_in_another():
    add, subtract, end = (lambda *_: 1), (lambda *_: 2), (lambda *_: 3)
    instead = {"sum": {"A": add, "B": subtract}, "end": {"C": end}, ("sum", "end"): {"D": (subtract, end)}}
    found = {m.name: m.changes for m in misreadings.unusual(lambda x: x, {"x": X}, X, instead, "")[:6]}
    assert found == {
        "A": {"sum": add},
        "B": {"sum": subtract},
        "C": {"end": end},
        "D": {"sum": subtract, "end": end},
        "A, and C": {"sum": add, "end": end},
        "B, and C": {"sum": subtract, "end": end},
    }


# More of what is said


def test_axes_that_are_exchanged_and_reversed_are_listed():
    for change, words in (
        (lambda a: a[:, ::-1], "reversed along axis 1"),
        (lambda a: a[::-1, :, ::-1], "reversed along axes 0, 2"),
        (lambda a: a.transpose(2, 0, 1), "with its axes in the order (2, 0, 1)"),
        (lambda a: a.transpose(1, 0, 2)[:, :, ::-1], "with its axes in the order (1, 0, 2) and reversed along axis 2"),
    ):
        answer, right = change(CUBE.astype(float)), CUBE.astype(float)
        sentences = describe(exercises.relu_delta.known, [Answer(answer)], [right], [{}], ("row", "column", "channel"))
        assert [one for one in sentences if one.endswith(f"the right one, {words}.")], sentences


def test_an_error_that_is_small_and_changes_is_no_factor():
    first = exercises.kernel_gradient.expected[0]
    by = said(exercises.kernel_gradient, lambda r, *_: r * (1.001 if np.array_equal(r, first) else 1.0007))
    assert "Right to 3 digits, and no further" in by
    assert "factor" not in by
    assert "every entry is 1.001 times" in said(exercises.kernel_gradient, lambda r, *_: 1.001 * r)


def test_numbers_that_four_digits_do_not_tell_apart_are_given_in_full():
    first = exercises.relu_delta.expected[0]
    at = np.unravel_index(first.argmin(), first.shape)

    def nearly(r, *_):
        r[at] *= 1.00002
        return r

    right = f"−{-first[at]:g}"
    assert right == "−4"
    assert f"should be {right}; yours is −4.00008:\n" in said(exercises.relu_delta, nearly)


# What is done instead in a step, by the formula that names it


def sigma(x):
    return 1 / (1 + math.exp(-x))


ACTIVATIONS = {
    exercises.output_delta: (sigma, lambda x: sigma(x) * sigma(-x)),
    exercises.relu_delta: (lambda x: max(x, 0), lambda x: float(x > 0)),
    exercises.delta_recursion: (math.tanh, lambda x: 1 / math.cosh(x) ** 2),
}
IN_WORDS = {
    "the sigmoid": "1/(1 + exp(−x))",
    "the derivative of the sigmoid": "exp(−x)/(1 + exp(−x))²",
    "the derivative of tanh": "1/cosh(x)²",
    "the derivative of ELU": "1 if x > 0 else exp(x)",
    "1/x for x > 0": "1/x if x > 0 else 0",
    "1 for 0 < x < 1": "1 if 0 < x < 1 else 0",
    "1 for 0 < x < 6": "1 if 0 < x < 6 else 0",
    "f(x), rounded to 0 or 1,": "round(f(x))",
    "the sign of y − t": "(y > t) − (y < t)",
}


def read_as_a_formula(name, f, slope, x=None, y=None, t=None):
    """The number that a formula gives, in Python's own arithmetic."""
    text = IN_WORDS.get(name, name).replace("the root of f′(x)", "f′(x)**0.5").replace("the square of f(x)", "f(x)²")
    for sign, python in (("−", "-"), ("·", "*"), ("²", "**2"), ("³", "**3"), ("f′", "slope")):
        text = text.replace(sign, python)
    known = {"f": f, "slope": slope, "x": x, "y": y, "t": t, "exp": math.exp, "cosh": math.cosh, "tanh": math.tanh}
    return eval(text, {"ReLU": lambda x: max(x, 0), "round": round, "__builtins__": {}}, known)


XS = [-2.75, -0.6, 0.0, 0.3, 1.25, 6.5]


@pytest.mark.parametrize("exercise", ACTIVATIONS, ids=lambda exercise: exercise.name)
@pytest.mark.parametrize("step", ["slope", "output"])
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_stands_in_the_place_of_an_activation_or_its_slope_is_what_its_name_says(exercise, step):
    f, slope = ACTIVATIONS[exercise]
    for words, instead in exercise.instead.get(step, {}).items():
        name, _, place = words.partition(" in the place of ")
        assert place == {"output": "f(x)", "slope": "f′(x)"}[step] + ", y being f(x)" * ("y" in name)
        if "softmax" in name:
            continue
        xs = [x for x in XS if name != "1/f′(x)" or slope(x)]
        expected = [read_as_a_formula(name, f, slope, x, f(x)) for x in xs]
        np.testing.assert_allclose(instead(np.array([xs])), [expected], err_msg=words)


def test_a_softmax_is_of_all_of_each_row_or_of_each_column():
    outputs = exercises.output_delta.instead["output"]
    for words, group in (
        ("the softmax", lambda i, j: np.ndindex(2, 3)),
        ("the softmax of each row", lambda i, j: [(i, other) for other in range(3)]),
        ("the softmax of each column", lambda i, j: [(other, j) for other in range(2)]),
    ):
        found = outputs[f"{words} in the place of f(x)"](X)
        for i, j in np.ndindex(2, 3):
            assert found[i, j] == pytest.approx(1 / sum(math.exp(X[place] - X[i, j]) for place in group(i, j)))


def test_what_stands_in_the_place_of_a_difference_is_what_its_name_says():
    instead = exercises.output_delta.instead
    outputs, targets = [0.2, 0.7, 0.55], [0.5, -1.25, 0.5]
    together = np.array([outputs]), np.array([targets])
    for words, difference in instead["difference"].items():
        name, _, place = words.partition(" in the place of ")
        assert place == "y − t"
        if name.startswith(("the mean", "the sum")):
            total = math.fsum(outputs) - math.fsum(targets)
            expected = [total / 3 if "mean" in name else total] * 3
        else:
            expected = [read_as_a_formula(name, None, None, y=y, t=t) for y, t in zip(outputs, targets, strict=True)]
        np.testing.assert_allclose(difference(*together), [expected], err_msg=words)
    slope = ACTIVATIONS[exercises.output_delta][1]
    for words, (difference, rest) in instead["difference", "slope"].items():
        name, _, place = words.partition(" in the place of ")
        assert place == "f′(x)"
        expected = [(y - t) * read_as_a_formula(name, sigma, slope, t=t) for y, t in zip(outputs, targets, strict=True)]
        np.testing.assert_allclose(difference(*together) * rest(together[0]), [expected], err_msg=words)
    for words, (output, rest) in instead["output", "slope"].items():
        name, and_, of_that = words.partition(" in the place of f(x) and ")
        assert and_
        alone = instead["output"][f"{name} in the place of f(x)"](X)
        np.testing.assert_array_equal(output(X), alone)
        assert of_that == "y·(1 − y) of that"
        np.testing.assert_allclose(rest(X), [[y * (1 - y) for y in row] for row in alone.tolist()])


def test_a_share_of_an_l2_pooling_is_what_its_name_says():
    window = np.array([[1.5, -2, 0.25], [3, 0.5, -4]])
    flat = window.ravel().tolist()
    y, mean = math.hypot(*flat), math.fsum(flat) / 6
    in_words = {
        "(x less its mean)/y": "(x - mean)/y",
        "(x less its mean), divided by its deviation,": "(x - mean)/deviation",
        "the sign of x": "(x > 0) - (x < 0)",
        "x/max x": "x/3",
        "x/max |x|": "x/4",
        "√|x|/y": "abs(x)**0.5/y",
        "x divided by the number of entries": "x/6",
        "x/√y": "x/y**0.5",
        "x/∛y²": "x/y**(2/3)",
    }
    known = {
        "y": y,
        "mean": mean,
        "deviation": math.sqrt(math.fsum((x - mean) ** 2 for x in flat) / 6),
        "abs": abs,
        "max": max,
    }
    for words, share in exercises.l2_routing.instead["share"].items():
        name, _, place = words.partition(" in the place of ")
        assert place == "x/y"
        text = re.sub(r"√(\(.*\))", r"\1**0.5", in_words.get(name, name))
        for sign, python in (("·", "*"), ("²", "**2"), ("³", "**3")):
            text = text.replace(sign, python)
        expected = [[eval(text, {"__builtins__": {}}, known | {"x": x}) for x in row] for row in window.tolist()]
        np.testing.assert_allclose(share(window), expected, err_msg=words)


def test_a_share_of_a_max_pooling_is_what_its_name_says():
    window = np.array([[3.0, 7, 2], [7, 1, 5]])
    softmax = [[1 / sum(math.exp(other - x) for other in window.flat) for x in row] for row in window]
    expected = {
        "the second largest entry in the place of the largest": [[0, 0, 0], [1, 0, 0]],
        "the largest entry of each row of the window": [[0, 1, 0], [1, 0, 0]],
        "the largest entry of each column of the window": [[0, 1, 0], [1, 0, 1]],
        "the first entry of each window in the place of the largest": [[1, 0, 0], [0, 0, 0]],
        "the last entry of each window in the place of the largest": [[0, 0, 0], [0, 0, 1]],
        "all entries above the mean of their window": [[0, 1, 0], [1, 0, 1]],
        "all entries but the largest": [[1, 0, 1], [1, 1, 1]],
        "the softmax of each window": softmax,
        "shares in the proportion of the entries": window / 25,
        "the entries divided by the largest": window / 7,
        "the winner's row and column exchanged": [[0, 0, 0], [1, 0, 0]],
    }
    shares = exercises.max_routing.instead["share"]
    assert shares.keys() == expected.keys()
    for words, share in shares.items():
        np.testing.assert_allclose(share(window), expected[words], err_msg=words)


@pytest.mark.parametrize("exercise", [exercises.max_routing, exercises.average_routing, exercises.l2_routing])
def test_windows_begin_where_the_words_say(exercise):
    found = {words: tuple(place(2, 3, (2, 5), (3, 4))) for words, place in exercise.instead["corner"].items()}
    assert found == {
        "windows that begin one stride further": (6, 20),
        "windows that begin one row and column further": (5, 16),
        "windows that begin at row i + s₁, column j + s₂": (4, 8),
        "windows whose rows and columns are exchanged": (6, 10),
        "windows that begin at (i, j)·(s + 1)": (6, 18),
        "windows a window and a stride apart": (10, 27),
    }


def test_what_is_taken_for_a_valid_result_is_a_part_of_the_full_one():
    image, kernel = np.arange(30).reshape(5, 6) ** 2 % 13 - 4, np.array([[1, -2, 5, 2], [3, 1, 7, -1]])
    for exercise, slide in (
        (exercises.cross_correlation, loops.cross_correlate),
        (exercises.convolution, loops.convolve),
    ):
        full, name = slide(image, kernel, "full"), "the first rows and columns of a result"
        # For a result of the image's size the kernel stands over by half, and by the odd row more at the end or before.
        for words, (top, left) in (
            ("that is full", (0, 0)),
            ("of the image's size", (1, 2)),
            ("that has the image's size", (0, 1)),
        ):
            np.testing.assert_array_equal(
                exercise.instead["slide"][f"{name} {words}"](image, kernel), full[top : top + 4, left : left + 3]
            )


def test_other_ways_to_compare_a_window_with_a_kernel():
    image, kernel = np.arange(20).reshape(4, 5) ** 2 % 11 - 3.0, np.array([[1.0, -2, 5], [3, 1, 7]])
    of_pairs = {
        "the sum of the squared differences in the place of the sum of the products": lambda ps: sum(
            (a - b) ** 2 for a, b in ps
        ),
        "the sum of the absolute differences in the place of the sum of the products": lambda ps: sum(
            abs(a - b) for a, b in ps
        ),
        "the largest product in the place of their sum": lambda ps: max(a * b for a, b in ps),
        "each window divided by its norm": lambda ps: sum(a * b for a, b in ps) / math.hypot(*(a for a, _ in ps)),
        "each window less its mean": lambda ps: (
            sum(a * b for a, b in ps) - sum(a for a, _ in ps) / 6 * sum(b for _, b in ps)
        ),
    }
    others = exercises.cross_correlation.instead["slide"]
    assert len(others) == 3 + len(of_pairs)
    for words, compared in of_pairs.items():
        found = others[words](image, kernel)
        assert found.shape == (3, 3)
        for i, j in np.ndindex(3, 3):
            pairs = [(image[i + m, j + n], kernel[m, n]) for m, n in np.ndindex(2, 3)]
            assert found[i, j] == pytest.approx(compared(pairs)), words
