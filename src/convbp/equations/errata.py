"""What the errata rest on, computed: all that was tried, what ∗ can mean, a reader's rule, which test hides what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from convbp.equations.cases import Case, Layer, random_cases
from convbp.equations.conditions import own_turn, with_one_weight
from convbp.equations.conventions import ConvolutionLayer
from convbp.equations.deltas import w as w_up
from convbp.equations.deltas import δ as δ_up
from convbp.equations.entry import CASES, SEED, Equation, Statement
from convbp.equations.formula import FULL, OTIMES, STAR, VALID, Array, Entries, Slid
from convbp.equations.forward import b, b_ij, o, w
from convbp.equations.kernel_gradient import δ
from convbp.equations.letters import i, i_, j, j_, m_, n_
from convbp.equations.readings import CONVOLVES, CORRELATES
from convbp.equations.registry import equation, equations


@dataclass(frozen=True)
class Counts:
    """A table of counts, each out of ``cases``; a notebook shows it, with all of them in bold."""

    head: tuple[str, ...]
    rows: dict[str, tuple[int, ...]]
    cases: int = CASES

    def holding(self, row: str) -> tuple[str, ...]:
        """The columns in which all cases are equal."""
        return tuple(name for name, count in zip(self.head, self.rows[row], strict=True) if count == self.cases)

    def __repr__(self) -> str:
        lines = [(f"equal in … of {self.cases}", self.head), *self.rows.items()]
        width = max(len(name) for name, _ in lines)
        widths = [max(len(head), 4) for head in self.head]

        def line(name, cells):
            return f"{name:{width}}  " + "  ".join(f"{cell!s:>{w}}" for cell, w in zip(cells, widths, strict=True))

        return "\n".join(line(*one) for one in lines)

    def _repr_markdown_(self) -> str:
        lines = [f"| equal in … of {self.cases} | {' | '.join(self.head)} |", "|---" * (len(self.head) + 1) + "|"]
        for name, row in self.rows.items():
            cells = (f"**{count}**" if count == self.cases else str(count) for count in row)
            lines.append(f"| {name} | {' | '.join(cells)} |")
        return "\n".join(lines)


def count(form: Statement, family: type[Case], meet: Callable = lambda case: case) -> int:
    """On how many of the cases that the verdicts are from a form holds, each first made to ``meet`` something."""
    return sum(form.holds(meet(case)) for case in random_cases(family, SEED, CASES))


class Tried(Sequence):
    """Equations with all the ways in which they were tried; a notebook shows them as a table."""

    def __init__(self, entries: tuple[Equation, ...]):
        self._entries = entries

    def __getitem__(self, index):
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return "\n".join(f"{entry.name:16}  {entry.verdict:20}  tried: {len(entry.forms)}" for entry in self)

    def _repr_markdown_(self) -> str:
        from convbp.equations.shown import ways

        return ways(self)


def tried(*keys: int | str) -> Tried:
    """Return these equations, or all with more than one form, as a table of every reading and correction tried.

    Parameters
    ----------
    keys : int or str
        As `equation` takes them.

    Returns
    -------
    Tried
    """
    return Tried(tuple(map(equation, keys)) or tuple(entry for entry in equations() if len(entry.forms) > 1))


STARRED, PLAIN = (4, 5, 6, 14, 22), (7, 13, 20)
FORWARD = {"does not flip (Eq. 7)": Layer, "flips (the words before Eq. 6)": ConvolutionLayer}


@cache
def meanings_of_the_star() -> Counts:
    """Count on how many cases Eq. 4, 5, 6, 14 and 22 hold, for both meanings of ∗ and both forward passes.

    All else that has to be read into them is: the part of the map, one bias, the filter's index. Eq. 7, 13 and 20,
    which have no ∗, stand beside them: they say which forward pass the article derives its gradients from.

    Returns
    -------
    Counts
    """
    rows = {}
    for passes, layer in FORWARD.items():
        for meaning in (CONVOLVES, CORRELATES):
            forms = [(equation(key), _with(equation(key), meaning)) for key in (*STARRED, *PLAIN)]
            counts = (count(form, layer if entry.family is Layer else entry.family) for entry, form in forms)
            rows[f"{meaning.words}; the forward pass {passes}"] = tuple(counts)
    return Counts(tuple(f"Eq. {key}" for key in (*STARRED, *PLAIN)), rows)


def _with(entry: Equation, meaning) -> Statement:
    """The reading with this meaning; the first one, or the printed form, of an equation that has no ∗."""
    readings = [form for form in entry.readings if meaning in form.meanings]
    return (readings or [*entry.readings, entry.statement])[0]


@cache
def rule_of_thumb() -> Counts:
    """Count on how many cases a reader's rule is right: where rot180 of something stands, it is slid, not turned.

    "Slid" is what the reader says: multiplied and summed as it lies, the ⊗ of the maps. Taken by its other word, a
    convolution in the sense of Eq. 2, the rule is right where it was wrong.

    Returns
    -------
    Counts
    """
    maps: dict[int, tuple[tuple[Array, Array, str], tuple]] = {
        6: ((o, w, VALID), (i, j)),
        14: ((o, δ, VALID), (m_, n_)),
        22: ((δ_up, w_up, FULL), (i_, j_)),
    }
    rows = {}
    for name, operator in (("slid as it lies, ⊗", OTIMES), ("convolved as in Eq. 2, ∗", STAR)):
        counts = []
        for key, (slid, at) in maps.items():
            printed = equation(key).statement
            (star,) = (part for _, part in printed.sides[1].expression.walk() if isinstance(part, Entries))
            counts.append(count(printed.read_as({star: Slid(operator, *slid)[at], b_ij: b}), Layer))
        rows[name] = tuple(counts)
    return Counts(tuple(f"Eq. {key}" for key in maps), rows)


def _of_ones(name: str):
    return lambda case: case.with_arrays(**{name: np.ones(getattr(case, name).shape, int)})


QUICK_TESTS: dict[str, Callable] = {
    "a kernel of ones": _of_ones("kernel"),
    "a 1×1 kernel": with_one_weight,
    "a kernel equal to its own rot180": own_turn("kernel"),
    "δ of ones": _of_ones("delta"),
    "δ equal to its own rot180": own_turn("delta"),
    "an image of ones": _of_ones("inputs"),
    "random numbers": lambda case: case,
}
MISTAKES: tuple[int | str, ...] = (3, "figure of Eq. 14", 21, 22)


@cache
def quick_tests() -> Counts:
    """Count on how many cases each of the mistakes of the flip does not show, under tests that people write first.

    The mistakes are Eq. 3, 21 and 22 as they are printed, with zeros outside, and the figure of Eq. 14.

    Returns
    -------
    Counts
    """
    entries = [equation(key) for key in MISTAKES]
    rows = {
        name: tuple(count(entry.statement, entry.family, meet) for entry in entries)
        for name, meet in QUICK_TESTS.items()
    }
    return Counts(tuple(entry.name for entry in entries), rows)
