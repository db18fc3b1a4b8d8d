"""Compares what a reader's function gave with what is right, and finds the mistake that explains the difference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from convbp.exercises.describing import (
    always_the_same,
    describe,
    describe_shape,
    factor_in_words,
    first_difference,
    not_finite,
    ratio,
)
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


class Known:
    """The wrong answers to some inputs that are known, computed when they are first asked for."""

    def __init__(self, task: Task, inputs: Sequence[Mapping]):
        self.task, self.inputs = task, inputs
        self._computed: dict[tuple, np.ndarray | None] = {}

    def wrong(self, n: int, way: tuple[Misconception, ...]) -> np.ndarray | None:
        """The answer to input number ``n`` of someone who makes these mistakes."""
        if (n, way) not in self._computed:
            self._computed[n, way] = self.task.wrong(self.inputs[n], *way)
        return self._computed[n, way]


def judge(known: Known, answers: Sequence[Answer], expected: Sequence[np.ndarray], axes: Sequence[str]) -> Verdict:
    """Explain answers, to the first inputs or to all of them, of which at least one is wrong."""
    wrong = next(n for n, (a, e) in enumerate(zip(answers, expected, strict=True)) if not a.equals(e))
    same_shape = answers[wrong].shape == expected[wrong].shape
    differs = first_difference(answers[wrong], expected[wrong]) if same_shape else None
    pairs = list(zip(answers, expected, strict=True))
    counts = [_counts(arguments) for arguments in known.inputs[: len(answers)]]
    found = _recognise(known, answers, expected, counts)
    if found:
        return replace(found, differs=differs)
    sentences = not_finite(answers)
    if not sentences and not same_shape:
        named = _shapes(known, [answer.shape for answer in answers])
        sentences = [*describe_shape(answers[wrong], expected[wrong], named), *always_the_same(answers, expected)]
    elif not sentences:
        sentences = always_the_same(answers, expected)
    if not sentences and any(answer.shape != right.shape for answer, right in pairs):
        sentences = ["On some of the inputs the shape of your result is right, on others it is not."]
    factors = [one | _sums(arguments) for one, arguments in zip(counts, known.inputs, strict=False)]
    return Verdict(sentences=sentences or describe(answers, expected, factors, axes), differs=differs)


def _recognise(known: Known, answers, expected, counts) -> Verdict | None:
    """Find the mistake, or the two, that explain every answer: exactly, cut off to integers, or but for a factor."""
    first = answers[0].values
    if first.size and all(np.all(answer.values == first.flat[0]) for answer in answers):
        return None  # one number everywhere: no mistake, but an answer that did not look at its arguments

    def explains(way: tuple[Misconception, ...], agree: Callable) -> bool:
        wrong = ((answer, known.wrong(n, way)) for n, answer in enumerate(answers))
        if not all(w is not None and agree(answer, w) for answer, w in wrong):
            return False
        # Of zeros alone nothing can be told: whatever is small enough agrees with them.
        return any(known.wrong(n, way).any() for n in range(len(answers)))

    for way in known.task.ways():
        if explains(way, Answer.equals):
            return Verdict(way)
    if all(answer.integers for answer in answers):
        for way in [(), *((m,) for m in known.task.misconceptions)]:
            for cut in (np.trunc, np.floor):
                if explains(way, lambda answer, wrong, cut=cut: answer.equals(cut(wrong))):
                    return Verdict(way, cut_off=True)
    if None not in map(ratio, answers, expected):
        return None  # right but for a factor
    for way in known.task.ways():
        if explains(way, lambda answer, wrong: np.count_nonzero(wrong) > 2 and ratio(answer, wrong)):
            wrong = [known.wrong(n, way) for n in range(len(answers))]
            words = factor_in_words(list(map(ratio, answers, wrong)), counts)
            if words:
                return Verdict(way, [f"Then there is a factor: {words}."])
    return None


def _shapes(known: Known, shapes: Sequence[tuple[int, ...]]) -> list[str]:
    """Sentences on what has these shapes, for every input: arguments, and the results of known mistakes."""
    inputs = known.inputs[: len(shapes)]
    named = [
        f"That is the shape of {name}, which came in."
        for name in inputs[0]
        if all(np.shape(arguments[name]) == shape for arguments, shape in zip(inputs, shapes, strict=True))
    ]
    for misconception in known.task.misconceptions:
        wrong = [known.wrong(n, (misconception,)) for n in range(len(shapes))]
        if all(w is not None and w.shape == shape for w, shape in zip(wrong, shapes, strict=True)):
            done = misconception.done[0].lower() + misconception.done[1:]
            named.append(f"This shape, with other numbers, comes from a known mistake: {done}")
    return named


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


def _sums(arguments: Mapping) -> dict[str, float]:
    return {f"the sum of {name}": value.sum() for name, value in arguments.items() if isinstance(value, np.ndarray)}
