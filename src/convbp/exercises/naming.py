"""Names the mistake that gives the numbers of an answer: one that is known, or one edit of a right program.

Nothing here calls a reader's function or knows an exercise: results come in, for some inputs of a `Computation`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convbp.exercises.describing import factor_in_words, ratio, sums_in
from convbp.exercises.mistakes import Computation, Misconception
from convbp.exercises.reading import Answer
from convbp.exercises.variants import Variant

Way = tuple[Misconception, ...]  # one mistake, or several together

# How numbers are cut off to integers, and what is to be said of it.
_INTO_INTEGERS = (
    "Your numbers are cut off to integers: an array made of integers keeps nothing else. "
    "Make it with np.zeros(shape), which is of floats."
)
_CUTS: dict[str, tuple[tuple[Callable, ...], str]] = {
    "cut off to integers": ((np.trunc, np.floor), _INTO_INTEGERS),
    **{
        f"wrapped around in {bits} bits": (
            (lambda r, n=2**bits: np.trunc(r) % n, lambda r, n=2**bits: (np.trunc(r) + n / 2) % n - n / 2),
            f"Your numbers wrap around: an array of {bits} bits holds {2**bits:,} different integers and no others. "
            "Make it with np.zeros(shape), which is of floats.",
        )
        for bits in (8, 16)
    },
    "kept between 0 and 255": (
        (lambda r: np.trunc(np.clip(r, 0, 255)), lambda r: np.round(np.clip(r, 0, 255))),
        "Your numbers are made to fit into 8 bits: what is below 0 is 0, what is above 255 is 255. A pixel to be shown "
        "is so; what is computed with it need not be.",
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
    unusual : callable
        Returns what is likely only where nothing else explains the numbers.
    """

    def __init__(
        self,
        computation: Computation,
        inputs: Sequence[Mapping],
        variants: Callable[[], Sequence[Any]] = lambda: (),
        unusual: Callable[[], Sequence[Any]] = lambda: (),
    ):
        self.computation, self.inputs, self._variants, self._unusual = computation, inputs, variants, unusual
        self._computed: dict[tuple, np.ndarray | None] = {}
        self._begun: dict[tuple, tuple[Mapping, Any]] = {}
        self._tables: dict[tuple[Callable, int], _Table] = {}
        self._listed: dict[Callable, list[Way]] = {}

    def wrong(self, n: int, way: Way) -> np.ndarray | None:
        """The result for input number ``n`` of someone who makes these mistakes; None if nothing comes of it."""
        if (n, way) not in self._computed:
            self._computed[n, way] = self.computation.finished(self._begun_with(n, way), *way)
        return self._computed[n, way]

    def _begun_with(self, n: int, way: Way) -> tuple[Mapping, Any]:
        """What is common to all ways that differ only in what becomes of the result: it is computed once."""
        first = tuple(m for m in way if m.changes.keys() != {"result"})
        if (n, first) not in self._begun:
            self._begun[n, first] = self.computation.begun(self.inputs[n], *first)
        return self._begun[n, first]

    def singles(self) -> Iterable[Way]:
        """Each mistake that is known."""
        return [(m,) for m in self.computation.misconceptions]

    def variants(self) -> Iterable[Way]:
        """Each edit of a right program."""
        return self._once(self._variants)

    def unusual(self) -> Iterable[Way]:
        """What is likely only where nothing else explains the numbers."""
        return self._once(self._unusual)

    def _once(self, mistakes: Callable[[], Sequence[Misconception]]) -> list[Way]:
        if mistakes not in self._listed:
            self._listed[mistakes] = [(m,) for m in mistakes()]
        return self._listed[mistakes]

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

    def equal(self, answer: Answer, change: Callable | None = None) -> Iterator[Way]:
        """The ways whose result, after ``change``, is the answer."""
        ways, rows = self._by_shape.get(answer.shape, ([], np.empty((0, answer.values.size))))
        yield from (ways[n] for n in np.flatnonzero(_rows_equal(answer, rows, change)))

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


def _rows_equal(answer: Answer, rows: np.ndarray, change: Callable | None = None) -> np.ndarray:
    """For each of the rows whether it, after ``change``, is the answer."""
    if change is None:
        return np.asarray(_entries_equal(answer, rows).all(axis=1))
    # What is cut off may stand a rounding above or below the integer that it is.
    rounding = 1e-9 * _largest(rows)[:, None]
    with np.errstate(all="ignore"):  # of NaN there is no remainder
        made = [_entries_equal(answer, change(rows + step)) for step in (0, rounding, -rounding)]
    return np.asarray(np.any(made, axis=0).all(axis=1))


def _entries_equal(answer: Answer, rows: np.ndarray) -> np.ndarray:
    largest = _largest(rows)
    allowed = answer.tolerance * np.where(largest > 0, largest, 1)
    with np.errstate(all="ignore"):
        near: np.ndarray = np.abs(answer.values.ravel() - rows) <= allowed[:, None]
    return near | (answer.values.ravel() == rows) | (np.isnan(answer.values.ravel()) & np.isnan(rows))


def _largest(rows: np.ndarray) -> np.ndarray:
    """The largest absolute value of each row, of those that are finite."""
    return np.abs(np.where(np.isfinite(rows), rows, 0)).max(axis=1, initial=0)


def _is_empty(wrong: np.ndarray | None) -> bool:
    """Whether nothing comes of a mistake on an input; empty arrays need not have the same shape."""
    return wrong is None or not wrong.size


def name(
    known: Known,
    answers: Sequence[Answer],
    expected: Sequence[np.ndarray],
    counts: Sequence[Mapping],
    exceptions: bool = True,
) -> Explanation | None:
    """Find what explains answers to the first inputs, or to all, of which at least one is wrong.

    ``counts`` has for each input some numbers by name, for a factor may be one of them. With ``exceptions`` a known
    mistake is named also if it does not explain a few of them.
    """
    first = answers[0].values
    if first.size and all(np.all(answer.values == first.flat[0]) for answer in answers):
        return None  # one number everywhere: no mistake, but an answer that did not look at its arguments
    search = _Search(known, answers, expected)
    explanation = search.plainest() or (search.but_for_few() if exceptions else None)
    if explanation:
        return explanation
    ratios = [by for answer, right in zip(answers, expected, strict=True) if (by := ratio(answer, right))]
    all_by_a_factor = len(ratios) == len(answers)
    sums = [sums_in(arguments) for arguments in known.inputs]
    numbers = [{**count, **some} for count, some in zip(counts, sums, strict=False)]
    if all_by_a_factor and factor_in_words(ratios, numbers):
        return None  # right but for a factor, which says more
    return search.unusual() or (None if all_by_a_factor else search.behind_a_factor(counts))


@dataclass(frozen=True)
class _Search:
    known: Known
    answers: Sequence[Answer]
    expected: Sequence[np.ndarray]

    def plainest(self) -> Explanation | None:
        """One thing before two: a known mistake alone, one edit of a right program, numbers cut off besides, …."""
        known = self.known
        return (
            self._alone(known.singles)
            or self._cut_off(known.nothing)
            or self._alone(known.variants)
            or self._cut_off(known.singles)
            or self._cut_off(known.variants)
            or self._alone(known.pairs)
        )

    def unusual(self) -> Explanation | None:
        return self._alone(self.known.unusual) or self._guarded()

    def _guarded(self) -> Explanation | None:
        """A variant that explains the last answer, and the others, if no index that leaves its array stops it."""
        for (edit,) in self.known.table(self.known.variants, len(self.answers) - 1).equal(self.answers[-1]):
            for guarded in edit.guarded() if isinstance(edit, Variant) else ():
                way: Any = (guarded,)
                if self._explains(way, Answer.equals, range(len(self.answers))):
                    return Explanation(way)
        return None

    def behind_a_factor(self, counts: Sequence[Mapping]) -> Explanation | None:
        """Mistakes whose results are the answers but for a factor that can be said in words."""
        every = range(len(self.answers))
        for ways in (self.known.singles, self.known.variants, self.known.pairs):
            for way in self.known.table(ways, every[-1]).proportional(self.answers[-1]):
                if self._explains(
                    way, lambda answer, wrong: np.count_nonzero(wrong) > 2 and ratio(answer, wrong), every
                ):
                    wrong = [(self.answers[n], self.known.wrong(n, way)) for n in every]
                    ratios = [by for answer, w in wrong if w is not None and (by := ratio(answer, w))]
                    words = factor_in_words(ratios, counts)
                    if words:
                        return Explanation(way, {"": f"Then there is a factor: {words}."})
        return None

    def _explains(self, way: Way, agree: Callable, on: Iterable[int]) -> bool:
        wrong = [(self.answers[n], self.known.wrong(n, way)) for n in on]
        wrong = [(answer, w) for answer, w in wrong if not (answer.shape and not answer.values.size and _is_empty(w))]
        if not all(w is not None and agree(answer, w) for answer, w in wrong):
            return False
        # Of zeros alone nothing can be told: whatever is small enough agrees with them.
        return any(w is not None and w.any() for _, w in wrong)

    def _found(self, ways: Callable, change: Callable | None = None, on: Sequence[int] | None = None) -> Way | None:
        on = range(len(self.answers)) if on is None else on
        last = on[-1]  # which is the smallest

        def agree(answer: Answer, wrong: np.ndarray) -> bool:
            if change is None:
                return answer.equals(wrong)
            return answer.shape == wrong.shape and bool(_rows_equal(answer, wrong.reshape(1, -1), change).all())

        alike = self.known.table(ways, last).equal(self.answers[last], change)
        return next((way for way in alike if self._explains(way, agree, on)), None)

    def _alone(self, ways: Callable) -> Explanation | None:
        way = self._found(ways)
        return Explanation(way) if way else None

    def _cut_off(self, ways: Callable) -> Explanation | None:
        if not all(answer.integers for answer in self.answers):
            return None
        # Cut off at each step of a sum, what comes out can be told only where all numbers are whole.
        whole = [n for n, right in enumerate(self.expected) if np.array_equal(right, np.round(right))]
        remembered = any(self.answers[n].equals(right) for n in range(len(self.answers)) for right in self.expected[:n])
        some = whole if not remembered and 0 < len(whole) < len(self.answers) else None
        for on in (None, some) if some else (None,):
            for said, (changes, sentence) in _CUTS.items():
                for change in changes:
                    way = self._found(ways, change, on)
                    if way is not None:
                        return Explanation(way, {said: sentence})
        return None

    def but_for_few(self) -> Explanation | None:
        """A known mistake for all inputs but one in six, not the first: a special case may have a way of its own."""
        every = range(len(self.answers))
        for way in self.known.table(self.known.singles, 0).equal(self.answers[0]):
            others = [n for n in every if not self._explains(way, Answer.equals, [n])]
            if 0 < len(others) <= len(every) // 6:
                listed = ", ".join(str(n + 1) for n in others)
                return Explanation(way, {"": f"On input {listed} your result is another one again."})
        return None
