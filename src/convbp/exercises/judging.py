"""Compares what a reader's function gave with what is right, and finds the mistake that explains the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from convbp.exercises.describing import describe, describe_shape, first_difference
from convbp.exercises.reading import Answer
from convbp.misconceptions import Misconception, Task


@dataclass(frozen=True)
class Verdict:
    """What is to be said, and which entry to show.

    Attributes
    ----------
    made : tuple of Misconception
        The mistakes that explain all answers.
    cut_off : bool
        Whether the numbers were cut off to integers on top of that.
    sentences : list of str
        What else can be seen.
    differs : tuple of int, or None
        The first entry that differs, if the shapes are equal.
    """

    made: tuple[Misconception, ...] = ()
    cut_off: bool = False
    sentences: Sequence[str] = ()
    differs: tuple[int, ...] | None = None


def judge(
    task: Task,
    inputs: Sequence[Mapping],
    answers: Sequence[Answer],
    expected: Sequence[np.ndarray],
    axes: Sequence[str],
) -> Verdict:
    """Explain answers of which at least one is wrong."""
    wrong = next(n for n, (a, e) in enumerate(zip(answers, expected, strict=True)) if not a.equals(e))
    same_shape = answers[wrong].shape == expected[wrong].shape
    differs = first_difference(answers[wrong], expected[wrong]) if same_shape else None
    made, cut_off = recognise(task, inputs, answers)
    if made or cut_off:
        return Verdict(made, cut_off, differs=differs)
    if not same_shape:
        known = _shapes(task, inputs[wrong], answers[wrong].shape)
        return Verdict(sentences=describe_shape(answers[wrong], expected[wrong], known))
    if any(a.shape != e.shape for a, e in zip(answers, expected, strict=True)):
        sentences = ["On some of the inputs the shape of your result is right, on others it is not."]
    else:
        sentences = describe(answers, expected, [_counts(arguments) for arguments in inputs], axes)
    return Verdict(sentences=sentences, differs=differs)


def recognise(
    task: Task, inputs: Sequence[Mapping], answers: Sequence[Answer]
) -> tuple[tuple[Misconception, ...], bool]:
    """Find the mistake, or the two, that explain every answer; and whether they were cut off to integers as well."""
    for way in task.ways():
        if all(_explains(task, arguments, way, answer) for arguments, answer in zip(inputs, answers, strict=True)):
            return way, False
    if all(answer.integers for answer in answers):
        for way in [(), *((m,) for m in task.misconceptions)]:
            if all(_explains(task, i, way, a, cut_off=True) for i, a in zip(inputs, answers, strict=True)):
                return way, True
    return (), False


def _explains(task: Task, arguments: Mapping, way: tuple[Misconception, ...], answer: Answer, cut_off=False) -> bool:
    wrong = task.wrong(arguments, *way)
    if wrong is None:
        return False
    return answer.equals(np.trunc(wrong) if cut_off else wrong) or (cut_off and answer.equals(np.floor(wrong)))


def _shapes(task: Task, arguments: Mapping, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """What has this shape among the arguments, and among the results of one mistake."""
    known = {
        f"{name}, which came in": value.shape for name, value in arguments.items() if isinstance(value, np.ndarray)
    }
    for misconception in task.misconceptions:
        wrong = task.wrong(arguments, misconception)
        if wrong is not None and wrong.shape == shape:
            known.setdefault(f"the result with the mistake “{misconception.name}”", shape)
    return known


def _counts(arguments: Mapping) -> dict[str, float]:
    """Numbers of entries that a result may have been divided by, or multiplied with."""
    counts = {}
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            counts[f"the number of entries of {name}"] = value.size
            counts |= {f"the length of {name} along axis {axis}": n for axis, n in enumerate(value.shape)}
        elif isinstance(value, tuple):
            counts[f"the product of {name}"] = np.prod(value)
            counts |= {f"{name}[{n}]": entry for n, entry in enumerate(value)}
        else:
            counts[name] = value
    return {name: count for name, count in counts.items() if count}
