"""Other numbers for each student, and what a program reads of a check."""

import json
from itertools import combinations

import numpy as np
import pytest

import sample
from convbp import exercises
from convbp.exercises.result import MEDIA_TYPE

EXERCISES = pytest.mark.parametrize("exercise", exercises.ALL, ids=lambda exercise: exercise.name)
kernel_gradient = exercises.kernel_gradient


def numbers(inputs):
    return [{key: np.asarray(value).tolist() for key, value in arguments.items()} for arguments in inputs]


def shapes(arguments):
    return {key: value if isinstance(value, tuple) else np.shape(value) for key, value in arguments.items()}


def alike(exercise, inputs):
    """Which mistakes, or which and the right answer, these inputs do not tell apart; by comparing each two."""
    task = exercise.computation
    found = [("right", [task.right(arguments) for arguments in inputs])]
    found += [(m.name, [task.wrong(arguments, m) for arguments in inputs]) for m in task.misconceptions]

    def same(one, other):
        if one is None or other is None:
            return one is other
        return one.shape == other.shape and np.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True)

    there = [(name, results) for name, results in found if results[0] is not None]
    return {
        (name, other)
        for (name, some), (other, others) in combinations(there, 2)
        if name != other and all(map(same, some, others))
    }


def test_the_mistakes_are_told_apart_on_other_numbers():
    rng = sample.rng("variant")
    for exercise in rng.choice(exercises.ALL, sample.size(4, thorough=len(exercises.ALL)), replace=False):
        seed = f"student {rng.integers(10**6)}"
        other = exercise.variant(seed, n=3)
        assert alike(exercise, other.inputs) == set(), seed
        assert alike(exercise, other.inputs[:1]) <= alike(exercise, exercise.inputs[:1]), seed


@pytest.mark.slow
@EXERCISES
def test_other_numbers_have_the_same_shapes_and_are_checked_as_well(exercise):
    other = exercise.variant(f"student {sample.rng(exercise.name).integers(10**6)}", n=3)
    assert len(other.inputs) == 3
    assert numbers(other.inputs) != numbers(exercise.inputs)[:3]  # one of them may come again
    if exercise.name != "region_q":  # where sizes are all there is
        assert all(shapes(one) in list(map(shapes, exercise.inputs)) for one in other.inputs)
    assert other.check(exercise.answer).passed
    mistaken = other.check(lambda *given: np.asarray(exercise.answer(*given)) + 1)
    assert (mistaken.exercise, mistaken.passed) == (exercise.name, False)


def test_a_seed_gives_the_same_numbers_and_another_one_others():
    one, again, other = (kernel_gradient.variant(seed, n=2) for seed in ("ada", "ada", "ben"))
    assert numbers(one.inputs) == numbers(again.inputs) != numbers(other.inputs)
    assert one.example["delta"].tolist() == [[3, 0, 4, 3], [2, 4, 0, -1]]  # on every system


def test_mistakes_have_their_names_on_other_numbers():
    turned = kernel_gradient.variant("ada").check(lambda o, d: kernel_gradient.answer(o, d[::-1, ::-1]))
    assert turned.misconceptions == ("delta turned by 180°",)
    by_hand = kernel_gradient.variant("ada", n=1)
    assert by_hand.check(by_hand.expected[0]).passed
    assert by_hand.check(-by_hand.expected[0]).misconceptions == ("opposite sign",)
    assert not kernel_gradient.check(by_hand.expected[0]).passed


def test_what_was_tried_and_done_is_that_of_each():
    other = exercises.rot180.variant("ada")
    other.check(exercises.rot180.answer)
    assert other.done
    assert other is not exercises.rot180


def test_a_number_of_inputs_is_asked_for():
    with pytest.raises(ValueError, match=r"kernel_gradient: n is 0; expected how many inputs, 1 or more"):
        kernel_gradient.variant("ada", n=0)


# What a program reads


def endless(inputs, delta):
    while True:
        pass


def overwriting(inputs, delta):
    right = kernel_gradient.answer(inputs, delta)
    delta[:] = 0
    return right


@pytest.mark.parametrize(
    ("answer", "kind", "mistake", "where"),
    [
        (kernel_gradient.answer, "right", [], "Eq. 13"),
        (lambda o, d: -kernel_gradient.answer(o, d), "named", ["opposite sign"], "notebook 06, Eq. 13"),
        (lambda o, d: o, "shape", [], "Eq. 13"),
        (
            lambda o, d: kernel_gradient.answer(o, d) + np.eye(*kernel_gradient.answer(o, d).shape),
            "value",
            [],
            "Eq. 13",
        ),
        (lambda o, d: o[99], "crash", [], "Eq. 13"),
        (lambda o: o, "crash", [], "Eq. 13"),
        (lambda o, d: None, "type", [], "Eq. 13"),
        (lambda o, d: "7", "type", [], "Eq. 13"),
        (endless, "time", [], "Eq. 13"),
        (lambda o, d: np.random.default_rng().random((3, 2)), "random", [], "Eq. 13"),
        (overwriting, "changed its input", [], "Eq. 13"),
        (..., "missing", [], "Eq. 13"),
        (None, "type", [], "Eq. 13"),
        (np.ones((9, 9)), "shape", [], "Eq. 13"),
    ],
)
def test_a_result_says_what_kind_it_is_of(answer, kind, mistake, where):
    result = kernel_gradient.check(answer, seconds=0.3)
    read = json.loads(json.dumps(result.as_dict()))
    assert (read["kind"], read["mistake"], read["where"]) == (result.kind, mistake, where)
    assert result.kind == kind
    assert (read["exercise"], read["passed"], read["points"]) == ("kernel_gradient", result.passed, result.points)
    assert result.message.startswith(read["said"])


def test_one_entry_has_a_kind_too():
    assert kernel_gradient.check(5, at=(0, 0)).kind == "right"
    assert kernel_gradient.check(6, at=(0, 0)).kind == "entry"


def test_a_saved_notebook_has_it_beside_the_card(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, metadata=None, raw=False: shown.append(data))
    result = kernel_gradient.check(lambda o, d: -kernel_gradient.answer(o, d))
    result._ipython_display_()
    assert shown[0][MEDIA_TYPE] == result.as_dict()
    assert len(json.dumps(shown[0][MEDIA_TYPE])) < 1000
