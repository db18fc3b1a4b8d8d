"""The known wrong answers: each is wrong, no two are alike, and each has something to say."""

import re
from itertools import combinations
from pathlib import Path

import nbformat
import numpy as np
import pytest

import course
from convbp import exercises
from convbp.sums import Sum

EXERCISES = pytest.mark.parametrize("exercise", exercises.ALL, ids=lambda exercise: exercise.name)


def same(one, other):
    """Whether two answers, each None or an array, could not be told apart."""
    if one is None or other is None:
        return one is other
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-5, equal_nan=True)


def results(exercise, inputs):
    """The answers that each misconception leads to, on these inputs."""
    task = exercise.computation
    return [(m, [task.wrong(arguments, m) for arguments in inputs]) for m in task.misconceptions]


def alike(exercise, inputs):
    """The pairs of names that these inputs do not tell apart."""
    computed = [(m.name, answers) for m, answers in results(exercise, inputs) if answers[0] is not None]
    right = [exercise.computation.right(arguments) for arguments in inputs]
    return {
        (name, other)
        for (name, answers), (other, others) in combinations([*computed, ("right", right)], 2)
        if name != other and all(map(same, answers, others))
    }


@EXERCISES
def test_the_inputs_tell_all_misconceptions_apart(exercise):
    assert not alike(exercise, exercise.inputs)


@EXERCISES
def test_the_example_tells_them_apart_too_for_it_is_all_that_an_array_is_checked_with(exercise):
    # All windows of the example hold something positive, and side by side they would cover all of its input.
    assert alike(exercise, exercise.inputs[:1]) <= {("largest from 0 on", "right"), ("δ copied up", "stride ignored")}


def test_square_symmetric_inputs_would_not():
    symmetric = {"inputs": np.ones((3, 3)), "delta": np.ones((2, 2))}
    assert ("delta turned by 180°", "right") in alike(exercises.kernel_gradient, [symmetric])


@EXERCISES
def test_inputs_are_never_square_and_channels_not_as_many_as_filters(exercise):
    for arguments in exercise.inputs:
        arrays = {name: value for name, value in arguments.items() if isinstance(value, np.ndarray)}
        if "size" in arguments:  # pooling, whose window is not square; then δ may be
            assert arguments["size"][0] != arguments["size"][1] or arguments.get("stride") == (1, 1), arguments
            arrays.pop("delta", None)
        for name, array in arrays.items():
            if array.ndim == 1:  # one number for each channel
                continue
            rows, columns = array.shape[1:3] if array.ndim == 4 and name != "kernel" else array.shape[:2]
            assert rows != columns, f"{name} of an input is square: {array.shape}"
            assert name != "kernel" or array.ndim == 2 or array.shape[2] != array.shape[3], array.shape


@EXERCISES
def test_each_is_computed(exercise):
    """Some make the next step impossible, as a valid result cannot meet f′(x): these show beside another one."""
    task = exercise.computation
    for misconception, answers in results(exercise, exercise.inputs):
        if all(answer is None for answer in answers):
            ways = [way for way in task.pairs() if misconception in way]
            assert any(task.wrong(exercise.inputs[0], *way) is not None for way in ways), misconception


@EXERCISES
def test_each_says_what_was_done_why_it_is_wrong_and_where_to_look(exercise):
    for m in exercise.computation.misconceptions:
        assert " you" in f" {m.done.lower()}" or m.done.startswith(("Every", "Only", "The ", "Where windows overlap"))
        assert m.done.endswith(".")
        assert m.why.endswith(".")
        assert m.where.startswith("notebook ")


def the_map():
    """Which equations each notebook of the series treats, by the table of the first."""
    start = nbformat.read(Path(course.ROOT, "notebooks", "00_start_here.ipynb"), as_version=4)
    rows = re.findall(r"^\| \[?(\d\d) .*?\| (.*?) ?\|", "\n".join(cell.source for cell in start.cells), re.MULTILINE)
    return {number: numbers(equations.replace("–", " to ")) for number, equations in rows}


def numbers(text):
    """The numbers in "1, 2" or "16 and 17" or "20 to 22"."""
    of = [int(n) for n in re.findall(r"\d+", text)]
    return set(range(of[0], of[1] + 1)) if " to " in text else set(of)


@EXERCISES
def test_where_to_look_is_the_notebook_that_has_these_equations(exercise):
    treated = the_map()
    assert (
        len(treated) == len(list(Path(course.ROOT, "notebooks").glob("[0-9]*.ipynb"))) - 1
    )  # all but the one with the table
    for m in exercise.computation.misconceptions:
        places = m.where.split(", and ")
        assert all(re.match(r"notebook \d\d, ", place) for place in places)
        for place in places:
            number, what = place.removeprefix("notebook ").split(", ", 1)
            assert number in treated
            if what.startswith("Eq."):
                assert numbers(what) <= treated[number], m.where


@EXERCISES
def test_the_sum_that_is_written_out_is_the_right_result(exercise):
    """It comes from the loops of `convbp.loops`, the right result from the fast functions."""
    for arguments, expected in zip(exercise.inputs, exercise.expected, strict=True):
        traced = np.asarray(exercise.trace(**arguments), dtype=object)
        values = [entry.value if isinstance(entry, Sum) else entry for entry in traced.flat]
        assert traced.shape == expected.shape
        np.testing.assert_allclose(np.array(values, float), expected.ravel(), rtol=1e-12, atol=1e-12)


def test_two_misconceptions_are_put_together():
    task, arguments = exercises.kernel_gradient.computation, exercises.kernel_gradient.inputs[0]
    by_name = {m.name: m for m in task.misconceptions}
    both = task.wrong(arguments, by_name["delta turned by 180°"], by_name["mean for sum"])
    inputs, delta = arguments["inputs"], arguments["delta"]
    rows, columns = delta.shape
    for m, n in np.ndindex(both.shape):
        window = inputs[m : m + rows, n : n + columns]
        assert both[m, n] == pytest.approx(np.mean(window * np.rot90(delta, 2)))


def test_one_step_cannot_be_replaced_twice():
    task, arguments = exercises.output_delta.computation, exercises.output_delta.inputs[0]
    by_name = {m.name: m for m in task.misconceptions}
    assert task.wrong(arguments, by_name["f′ missing"], by_name["f for f′"]) is None


@pytest.mark.parametrize(
    ("exercise", "special", "named"),
    [
        ("convolution", {6}, True),  # one of seven
        ("convolution", {5, 6}, False),
        ("convolution", {0}, False),  # the example itself is none of the special cases
        ("strided_input_gradient", {5, 9}, True),  # two of thirteen
        ("strided_input_gradient", {5, 9, 10}, False),
        ("max_routing", {4}, False),  # one of five
    ],
)
def test_a_mistake_is_named_though_up_to_one_input_in_six_is_treated_in_a_way_of_its_own(exercise, special, named):
    exercise = getattr(exercises, exercise)
    calls = iter([*range(len(exercise.inputs)), 0])  # the example is called twice

    def mistaken(*given):
        right = np.asarray(exercise.answer(*given))
        return np.cos(right + 1) if next(calls) in special else -right

    result = exercise.check(mistaken)
    assert result.misconceptions == (("opposite sign",) if named else ())
    listed = ", ".join(str(n + 1) for n in sorted(special))
    assert (f"On input {listed} your result is another one again." in result.message) == named


@EXERCISES
def test_each_way_to_compute_it_otherwise_gives_another_result(exercise):
    for said, compute in exercise.instead.get("compute", {}).items():
        found = [compute(**arguments) for arguments in exercise.inputs]
        right = [exercise.computation.right(arguments) for arguments in exercise.inputs]
        assert not all(map(same, found, right)), said
