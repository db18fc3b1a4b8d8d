"""The path of an answer: read → run → compare → name or describe → show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from convbp.exercises.describing import counts_in, describe
from convbp.exercises.mistakes import Computation, Misconception
from convbp.exercises.naming import Explanation, Known, name
from convbp.exercises.reading import Answer, plain
from convbp.exercises.result import Result, scene_of, sum_text
from convbp.exercises.running import Call, Run, read_safely, run
from convbp.notation import number
from convbp.sums import exact

if TYPE_CHECKING:
    from convbp.exercises.exercise import Exercise

Order = Mapping[str, tuple[int, ...]]  # how the axes of arguments and result stand in another layout


def check_function(exercise: Exercise, function: Callable, order: Order, points: float, seconds: float) -> Result:
    """Check a reader's function on all inputs."""
    given = [{key: _in_order(value, order.get(key)) for key, value in one.items()} for one in exercise.inputs]
    return _judged(exercise, run(function, given, seconds), order, points, "came back")


def check_value(exercise: Exercise, value: object, order: Order, points: float) -> Result:
    """Check a number or an array: the result for the example."""
    return _judged(exercise, Run([read_safely(value)]), order, points, "was handed in")


def check_entry(exercise: Exercise, value: object, at: tuple[int, ...], points: float) -> Result:
    """Check one entry of the result for the example."""
    call = read_safely(value)
    if call.answer is None:
        return _refused(call.kind, call.problem.replace("came back", "was handed in"), *_asked_for(exercise, call))
    answer, expected = call.answer, exercise.expected[0][at]
    if answer.shape != ():
        return _refused("shape", f"An array of shape {answer.shape} came; expected one number.")
    if answer.equals(np.asarray(expected)):
        return Result(True, float(points), (), "Yes. Right.")
    made = {m.name: m for m in exercise.computation.misconceptions if _gives(exercise, m, answer, at)}
    yours = number(exact(answer.values))
    said = [f"{yours} is another number."]
    if len(made) == 1:  # of several mistakes that give this number none is likelier
        (m,) = made.values()
        said = [
            f"{yours} is what this mistake would give: {m.done} {m.why} See {m.where}.",
            "One number is little to go by: hand in the whole result, or your function, to be sure.",
        ]
    text = _with(exercise.inputs[0]) + sum_text(at, exercise.expected[0], None, _sum(exercise, 0, at))
    return _refused("entry", *said, text)


def _gives(exercise: Exercise, misconception: Misconception, answer: Answer, at: tuple[int, ...]) -> bool:
    wrong = exercise.known.wrong(0, (misconception,))
    if wrong is None or wrong.ndim != len(at) or any(np.greater_equal(at, wrong.shape)):
        return False
    return answer.equals(np.asarray(wrong[at]))


def _judged(exercise: Exercise, done: Run, order: Order, points: float, came: str) -> Result:
    """Compare what came back with what is right, and explain the difference."""
    asked = len(exercise.inputs) if came == "came back" else 1
    as_it_came = [call.answer for call in done.calls]
    answers = [_turned_back(answer, order.get("result")) for answer in as_it_came]
    expected, also_right = _expected_for(exercise, answers)
    right = [_is_right(*one) for one in zip(done.calls, answers, expected, strict=False)]
    share = points * sum(right) / asked
    if len(right) == asked and all(right) and done.repeatable:
        yes = "Yes. Right." if came == "was handed in" else f"Yes. Right on all {asked} inputs."
        return Result(True, float(points), (), "\n".join(filter(None, [yes, *_printed(done), also_right])))

    broken = next((n for n, call in enumerate(done.calls) if call.problem), None)
    if broken is not None:
        call = done.calls[broken]
        if not all(right[:broken]):  # what came before may tell more than where it ended
            notes = [*_printed(done), *_part_that_is_right(done.calls, expected)]
            return _explained(exercise, answers[:broken], expected[:broken], share, notes, call.problem)
        where = f" (on input {broken + 1} of {asked})" if broken else ""
        said = [call.problem.replace("came back", came), *_part_that_is_right(done.calls, expected)]
        text = f"Not yet{where}. " + "\n".join([*said, *_asked_for(exercise, call), *_printed(done)])
        return Result(False, share, (), text, kind=call.kind)
    if not done.repeatable:
        return _refused(
            "random",
            "Two calls with the same numbers gave different results: is there something random in it, or does it "
            "remember the call before?",
            *_printed(done),
        )
    notes = [*_printed(done), *_on_changed(done.calls)]
    if "result" in order and _all_equal(as_it_came, expected):
        return _refused(
            "named",
            f"The numbers are right, but asked for in that layout, too: result.transpose{order['result']}.",
            *notes,
            names=("another layout",),
        )
    if order:
        notes.append(f"Below, axes stand as in the course: {', '.join(exercise.axes)}.")
    if _all_equal(answers, expected):
        return _refused("changed its input", "The numbers are right, but:", *notes)
    if came == "was handed in" and answers[0] and answers[0].shape == () and expected[0].ndim:
        notes.append(f"If it is one entry of the result, say which: check(…, at={(0,) * expected[0].ndim}).")
    notes += _part_that_is_right(done.calls, expected)
    return _explained(exercise, answers, expected[: len(answers)], share, notes)


def _explained(exercise: Exercise, answers, expected, share: float, notes: Sequence[str], ended: str = "") -> Result:
    """Name the mistake, or describe what is to be seen; and show the first entry that differs.

    ``ended`` says why there is no answer to the next input; a mistake of which nothing comes there explains that, too.
    """
    inputs = exercise.inputs[: len(answers)]
    counts = [counts_in(arguments) for arguments in inputs]
    found = name(exercise.known, answers, expected, counts)
    beside = _beside_another(exercise, answers, counts) if not found or "" in found.besides else None
    found, besides = beside or (found, [])
    if found:
        said, names = [*in_words(found), *besides], found.names
    else:
        said, names = [" ".join(describe(exercise.known, answers, expected, counts, exercise.axes))], ()
    if ended and not (found and exercise.known.wrong(len(answers), found.made) is None):
        notes = [*notes, f"On input {len(answers) + 1} of {len(exercise.inputs)} there is more. {ended}"]
    wrong = next(n for n, (a, e) in enumerate(zip(answers, expected, strict=True)) if not a.equals(e))
    answer, right = answers[wrong], expected[wrong]
    at = answer.first_difference(right) if answer.shape == right.shape else None
    index = at if at is not None else (0,) * right.ndim
    entry = _sum(exercise, wrong, index)
    where = f"On input {wrong + 1} of {len(exercise.inputs)}:\n" if wrong else ""
    text = where + _with(inputs[wrong]) + sum_text(index, right, answer if at is not None else None, entry)
    scene = scene_of(answer, right, at, entry, exercise.axes)
    kind = "named" if names else "value" if at is not None else "shape"
    look = "; ".join(dict.fromkeys(m.where for m in found.made)) if found else ""
    return _refused(kind, *said, *notes, text, points=share, names=names, scene=scene, where=look)


def _beside_another(exercise: Exercise, answers, counts) -> tuple[Explanation, list[str]] | None:
    """A known mistake beside something that is accepted."""
    for other in exercise.usual:
        task = Computation(partial(exercise.compute, **other.steps), exercise.mistakes)
        expected = [task.right(arguments) for arguments in exercise.inputs[: len(answers)]]
        found = name(Known(task, exercise.inputs), answers, expected, counts)
        if found and found.made:
            return found, [f"Besides: {other.said}"]
    return None


def in_words(found: Explanation) -> list[str]:
    """What was done, why it is wrong, and where to look."""
    each = []
    for m in found.made:
        said = " ".join(filter(None, [m.done, m.why]))
        each.append(f"{said}See {m.where}." if said.endswith("\n") else f"{said} See {m.where}.")
    if len(each) > 1:
        each = ["Two things together explain your result:", *(f"{n}. {said}" for n, said in enumerate(each, 1))]
    return [*each, *found.besides.values()]


def _refused(kind: str, *said: str, points: float = 0, names: tuple[str, ...] = (), scene=None, where="") -> Result:
    message = "Not yet. " + "\n".join(filter(None, said))
    return Result(False, float(points), names, message, scene, kind=kind, where=where)


# What is compared


def _expected_for(exercise: Exercise, answers: Sequence[Answer | None]) -> tuple[list[np.ndarray], str]:
    """The right results, or others that are accepted if the answers are these; and what to say about it."""
    other = exercise.accepted(exercise.inputs[0], answers[0].values) if answers[0] and None not in answers else None
    if other is not None:
        inputs = exercise.inputs[: len(answers)]
        results = [np.asarray(exercise.compute(**arguments, **other.steps), float) for arguments in inputs]
        if _all_equal(answers, results):
            return results, other.said
    return exercise.expected, ""


def _all_equal(answers: Sequence[Answer | None], expected: Sequence[np.ndarray]) -> bool:
    return all(answer is not None and answer.equals(right) for answer, right in zip(answers, expected, strict=False))


def _is_right(call: Call, answer: Answer | None, expected: np.ndarray) -> bool:
    return answer is not None and not call.changed and answer.equals(expected)


def _in_order(value: Any, order: tuple[int, ...] | None) -> Any:
    return np.ascontiguousarray(value.transpose(order)) if order else value


def _turned_back(answer: Answer | None, order: tuple[int, ...] | None) -> Answer | None:
    if order and answer and answer.values.ndim == len(order):
        return Answer(answer.values.transpose(np.argsort(order)), answer.tolerance, answer.integers)
    return answer


# What is said besides


def _sum(exercise: Exercise, n: int, index: tuple[int, ...]) -> object:
    return np.asarray(exercise.trace(**exercise.inputs[n]), object)[index]


def _with(arguments: Mapping) -> str:
    """The arguments that are short enough for a line."""
    short = [f"{key} = {value}" for key, value in arguments.items() if not isinstance(value, np.ndarray)]
    return f"With {', '.join(short)}:\n" if short else ""


def _asked_for(exercise: Exercise, call: Call) -> list[str]:
    return [f"Asked for: {exercise.returns}."] if call.kind == "type" else []


def _printed(done: Run) -> list[str]:
    if not done.printed:
        return []
    line = plain(lambda: done.printed, "…", 60)
    return [f"(Your function also prints, which is not shown here: “{line}”.)"]


def _on_changed(calls: Sequence[Call]) -> list[str]:
    names = sorted({key for call in calls for key in call.changed})
    if not names:
        return []
    copies = ", ".join(f"{key} = {key}.copy()" for key in names)
    return [
        f"Your function changes its argument{'s' if len(names) > 1 else ''} {', '.join(names)}, "
        f"and whoever called it finds other numbers there. Work on a copy: {copies}."
    ]


def _part_that_is_right(calls: Sequence[Call], expected: Sequence[np.ndarray]) -> list[str]:
    """Where several arrays came back together: which one is the right result on every input."""
    count = min(len(call.parts) for call in calls)
    for n in range(count):
        parts = [call.parts[n] for call in calls]
        if all(part and part.equals(right) for part, right in zip(parts, expected, strict=False)):
            return [f"Several things came back together, and number {n + 1} of them is right: return that one alone."]
    return []
