"""What is said of an answer, to the word and from which number on; and what misreadings of the task give."""

import re

import numpy as np
import pytest

from convbp import exercises
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
