"""Compares what a reader's function gave with what is right, and finds the mistake that explains the difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from convbp.exercises.describing import describe, describe_shape, factor_in_words, first_difference, ratio
from convbp.exercises.reading import Answer
from convbp.misconceptions import Misconception, Task


@dataclass(frozen=True)
class Verdict:
    """What is to be said, and which entry to show.

    Attributes
    ----------
    made : tuple of Misconception
        The mistakes that explain all answers.
    sentences : list of str
        What else can be seen.
    cut_off : bool
        Whether numbers were cut off to integers, besides.
    differs : tuple of int, or None
        The first entry that differs, if the shapes are equal.
    """

    made: tuple[Misconception, ...] = ()
    sentences: Sequence[str] = ()
    cut_off: bool = False
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
    pairs = list(zip(answers, expected, strict=True))
    counts = [_counts(arguments) for arguments in inputs]
    found = _recognise(task, inputs, answers, expected, counts)
    if found:
        return replace(found, differs=differs)
    if not same_shape:
        known = _shapes(task, inputs[wrong], answers[wrong].shape)
        return Verdict(sentences=describe_shape(answers[wrong], expected[wrong], known))
    if any(answer.shape != right.shape for answer, right in pairs):
        sentences = ["On some of the inputs the shape of your result is right, on others it is not."]
    else:
        sentences = describe(answers, expected, counts, axes)
    return Verdict(sentences=sentences, differs=differs)


def _recognise(task, inputs, answers, expected, counts) -> Verdict | None:
    """Find the mistake, or the two, that explain every answer: exactly, cut off to integers, or but for a factor."""
    first = answers[0].values
    if first.size and all(np.all(answer.values == first.flat[0]) for answer in answers):
        return None  # one number everywhere: no mistake, but an answer that did not look at its arguments

    def explains(way: tuple[Misconception, ...], agree: Callable) -> bool:
        wrong = (task.wrong(arguments, *way) for arguments in inputs)
        return all(w is not None and agree(a, w) for a, w in zip(answers, wrong, strict=True))

    for way in task.ways():
        if explains(way, Answer.equals):
            return Verdict(way)
    if all(answer.integers for answer in answers):
        for way in [(), *((m,) for m in task.misconceptions)]:
            for cut in (np.trunc, np.floor):
                if explains(way, lambda answer, wrong, cut=cut: answer.equals(cut(wrong))):
                    return Verdict(way, cut_off=True)
    if None not in map(ratio, answers, expected):
        return None  # right but for a factor
    for way in task.ways():
        if explains(way, lambda answer, wrong: np.count_nonzero(wrong) > 2 and ratio(answer, wrong)):
            wrong = [task.wrong(arguments, *way) for arguments in inputs]
            words = factor_in_words(list(map(ratio, answers, wrong)), counts)
            if words and not any(_is_factor(task, m, inputs, expected) for m in way):
                return Verdict(way, [f"Then there is a factor: {words}."])
    return None


def _is_factor(task: Task, misconception: Misconception, inputs, expected) -> bool:
    """Whether the mistake does nothing but multiply: any other factor would go by its name."""
    wrong = [task.wrong(arguments, misconception) for arguments in inputs]
    return all(w is not None and ratio(Answer(w), e) is not None for w, e in zip(wrong, expected, strict=True))


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
    return counts
