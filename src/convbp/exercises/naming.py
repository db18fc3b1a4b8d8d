"""Names the mistake that gives the numbers of an answer: one that is known, or one edit of a right program.

Nothing here calls a reader's function or knows an exercise: results come in, for some inputs of a `Computation`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from convbp.exercises.describing import factor_in_words, ratio
from convbp.exercises.mistakes import Computation, Misconception
from convbp.exercises.reading import Answer

Way = tuple[Misconception, ...]  # one mistake, or several together

# How numbers are cut off to integers, and what is to be said of it.
_INTO_INTEGERS = (
    "Your numbers are cut off to integers: an array made of integers keeps nothing else. "
    "Make it with np.zeros(shape), which is of floats."
)
_CUTS: dict[str, tuple[tuple[Callable, ...], str]] = {
    "cut off to integers": ((np.trunc, np.floor), _INTO_INTEGERS),
    "wrapped around in 8 bits": (
        (lambda r: np.trunc(r) % 256, lambda r: (np.trunc(r) + 128) % 256 - 128),
        "Your numbers wrap around: an array of 8 bits holds 256 different integers and no others. "
        "Make it with np.zeros(shape), which is of floats.",
    ),
}


@dataclass(frozen=True)
class Explanation:
    """Which mistakes give the numbers of an answer, on every input.

    Attributes
    ----------
    made : tuple of Misconception
    besides : mapping of str to str
        What else happened to the numbers: a name (or none), and a sentence.
    """

    made: Way = ()
    besides: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return (*(m.name for m in self.made), *filter(None, self.besides))


class Known:
    """The wrong results for some inputs that are known, computed when they are first asked for.

    Parameters
    ----------
    computation : Computation
    inputs : sequence of mappings
    variants : callable
        Returns more mistakes, less well known: the one-edit variants of right programs.
    """

    def __init__(
        self,
        computation: Computation,
        inputs: Sequence[Mapping],
        variants: Callable[[], Sequence[Misconception]] = lambda: (),
    ):
        self.computation, self.inputs, self._variants = computation, inputs, variants
        self._computed: dict[tuple, np.ndarray | None] = {}
        self._tables: dict[tuple[Callable, int], _Table] = {}

    def wrong(self, n: int, way: Way) -> np.ndarray | None:
        """The result for input number ``n`` of someone who makes these mistakes; None if nothing comes of it."""
        if (n, way) not in self._computed:
            self._computed[n, way] = self.computation.wrong(self.inputs[n], *way)
        return self._computed[n, way]

    def singles(self) -> Iterable[Way]:
        """Each mistake that is known."""
        return [(m,) for m in self.computation.misconceptions]

    def variants(self) -> Iterable[Way]:
        """Each edit of a right program."""
        return [(m,) for m in self._variants()]

    def pairs(self) -> Iterable[Way]:
        """Each two of the known mistakes, of different names."""
        return self.computation.pairs()

    def nothing(self) -> Iterable[Way]:
        """No mistake: the right result, if something else happened to its numbers."""
        return [()]

    def table(self, ways: Callable[[], Iterable[Way]], n: int) -> "_Table":
        """The results of these ways for input number ``n``."""
        if (ways, n) not in self._tables:
            self._tables[ways, n] = _Table((way, self.wrong(n, way)) for way in ways())
        return self._tables[ways, n]


class _Table:
    """Results for one input, by shape, to be compared with an answer all at once."""

    def __init__(self, results: Iterable[tuple[Way, np.ndarray | None]]):
        by_shape: dict[tuple, list] = {}
        for way, result in results:
            if result is not None:
                by_shape.setdefault(result.shape, []).append((way, result.ravel()))
        self._by_shape = {s: ([w for w, _ in rows], np.array([r for _, r in rows])) for s, rows in by_shape.items()}

    def equal(self, answer: Answer, change: Callable = np.asarray) -> Iterator[Way]:
        """The ways whose result, after ``change``, is the answer."""
        ways, rows = self._by_shape.get(answer.shape, ([], np.empty((0, answer.values.size))))
        yield from (ways[n] for n in np.flatnonzero(_rows_equal(answer, change(rows))))

    def proportional(self, answer: Answer) -> Iterator[Way]:
        """The ways whose result is the answer but for a factor."""
        ways, rows = self._by_shape.get(answer.shape, ([], np.empty((0, 0))))
        if not rows.size or not np.isfinite(answer.values).all():
            return
        largest = np.abs(np.nan_to_num(rows)).argmax(axis=1)
        each = np.arange(len(rows))
        with np.errstate(all="ignore"):
            by = answer.values.ravel()[largest] / rows[each, largest]
            good = _rows_equal(answer, rows * by[:, None]) & np.isfinite(by) & (by != 0)
        yield from (ways[n] for n in np.flatnonzero(good))


def _rows_equal(answer: Answer, rows: np.ndarray) -> np.ndarray:
    largest = np.abs(np.where(np.isfinite(rows), rows, 0)).max(axis=1, initial=0)
    allowed = answer.tolerance * np.where(largest > 0, largest, 1)
    with np.errstate(all="ignore"):
        near = np.abs(answer.values.ravel() - rows) <= allowed[:, None]
    same = (answer.values.ravel() == rows) | (np.isnan(answer.values.ravel()) & np.isnan(rows))
    return (near | same).all(axis=1)


def _is_empty(wrong: np.ndarray | None) -> bool:
    """Whether nothing comes of a mistake on an input; empty arrays need not have the same shape."""
    return wrong is None or not wrong.size


def name(
    known: Known, answers: Sequence[Answer], expected: Sequence[np.ndarray], counts: Sequence[Mapping]
) -> Explanation | None:
    """Find what explains answers to the first inputs, or to all, of which at least one is wrong.

    The plainest explanation wins: a known mistake alone, one edit of a right program, numbers cut off besides, two
    known mistakes together, and then a factor besides.

    ``counts`` has for each input some numbers by name, for a factor may be one of them.
    """
    first = answers[0].values
    if first.size and all(np.all(answer.values == first.flat[0]) for answer in answers):
        return None  # one number everywhere: no mistake, but an answer that did not look at its arguments

    def explains(way: Way, agree: Callable, on: Sequence[int]) -> bool:
        wrong = [(answers[n], known.wrong(n, way)) for n in on]
        wrong = [(answer, w) for answer, w in wrong if not (answer.shape and not answer.values.size and _is_empty(w))]
        if not all(w is not None and agree(answer, w) for answer, w in wrong):
            return False
        # Of zeros alone nothing can be told: whatever is small enough agrees with them.
        return any(w is not None and w.any() for _, w in wrong)

    def found(ways: Callable, change: Callable = np.asarray, on: Sequence[int] = range(len(answers))) -> Way | None:
        last = on[-1]  # which is the smallest
        with np.errstate(all="ignore"):  # of NaN there is no remainder
            alike = known.table(ways, last).equal(answers[last], change)
            return next((way for way in alike if explains(way, lambda a, w: a.equals(change(w)), on)), None)

    integers = all(answer.integers for answer in answers)

    def cut_off(ways: Callable) -> Explanation | None:
        for said, (changes, sentence) in _CUTS.items() if integers else ():
            for change in changes:
                way = found(ways, change)
                if way is not None:
                    return Explanation(way, {said: sentence})
        return None

    # Cut off at each step of a sum, what comes out is right only where all numbers are whole.
    whole = [n for n, right in enumerate(expected) if np.array_equal(right, np.round(right))]
    remembered = any(answers[n].equals(right) for n in range(len(answers)) for right in expected[:n])

    def cut_off_at_each_step(ways: Callable) -> Explanation | None:
        way = found(ways, on=whole) if integers and not remembered and 0 < len(whole) < len(answers) else None
        return None if way is None else Explanation(way, {"cut off to integers": _INTO_INTEGERS})

    def alone(ways: Callable) -> Explanation | None:
        way = found(ways)
        return Explanation(way) if way else None

    def but_for_few(ways: Callable) -> Explanation | None:
        """What explains all inputs but one in six; a special case may be treated in a way of its own."""
        for way in known.table(ways, len(answers) - 1).equal(answers[-1]):
            agree = [n for n in range(len(answers)) if explains(way, Answer.equals, [n])]
            others = [n for n in range(len(answers)) if n not in agree]
            if 0 in agree and 0 < len(others) <= len(answers) // 6:
                listed = ", ".join(str(n + 1) for n in others)
                return Explanation(way, {"": f"On input {listed} your result is another one again."})
        return None

    explanation = (
        alone(known.singles)
        or cut_off(known.nothing)
        or cut_off_at_each_step(known.nothing)
        or alone(known.variants)
        or cut_off(known.singles)
        or cut_off(known.variants)
        or cut_off_at_each_step(known.singles)
        or cut_off_at_each_step(known.variants)
        or alone(known.pairs)
        or but_for_few(known.singles)
    )
    if explanation:
        return explanation
    every = range(len(answers))
    if None not in map(ratio, answers, expected):
        return None  # right but for a factor
    for ways in (known.singles, known.variants, known.pairs):
        for way in known.table(ways, every[-1]).proportional(answers[-1]):
            if explains(way, lambda answer, wrong: np.count_nonzero(wrong) > 1 and ratio(answer, wrong), every):
                wrong = [(answers[n], known.wrong(n, way)) for n in every]
                ratios = [by for answer, w in wrong if w is not None and (by := ratio(answer, w))]
                words = factor_in_words(ratios, counts)
                if words:
                    return Explanation(way, {"": f"Then there is a factor: {words}."})
    return None
