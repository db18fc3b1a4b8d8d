"""One equation of the article: what it states, what it is compared with, and the verdict that follows.

A statement is a chain of sides, left = … = right, and each side is computed as it is printed. The first one stands
for what the equation is about, and is computed in another way: by a fast operation of the course, or by central
differences of E through the plain loops. A statement holds if all sides are equal, exactly.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np

from convbp.equations.cases import Case, WithoutZeros, random_cases
from convbp.equations.formula import UNDEFINED, Domain, Expression, Formula
from convbp.equations.readings import PRINTED, READING, Meaning, kind

HOLDS, WITH_A_READING, FAILS = "holds", "holds with a reading", "does not hold"
WORDS = "its words"
NOTHING_OUTSIDE = "as printed, with nothing outside the arrays"
CASES, SEED = 200, 0


@dataclass(frozen=True)
class Condition:
    """When a statement that does not hold in general happens to hold: in words, and as a change of a random case."""

    words: str
    meet: Callable[[Any], Case]


@dataclass(frozen=True)
class Statement:
    """A chain of sides that are said to be equal; ``note`` says what has to be read into it, or is changed in it.

    ``meanings`` are those that its symbols are taken to have. Outside the arrays there is zero, or nothing if not
    ``zeros``.
    """

    sides: tuple[Formula, ...]
    note: str = ""
    conditions: tuple[Condition, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    zeros: bool = True

    @classmethod
    def of(cls, domain: Domain, *sides: Expression, note="", conditions=()) -> "Statement":
        """The chain of these expressions, for the entries of a domain."""
        return cls(tuple(Formula(side, domain) for side in sides), note, conditions)

    def read_as(self, parts: Mapping, *meanings: Meaning, conditions=(), over: Domain | None = None) -> "Statement":
        """What is printed stays, and the parts that are keys are computed as others: what these meanings make of it."""
        sides = tuple(replace(side, over=over or side.over).read_as(parts) for side in self.sides)
        return Statement(sides, "; ".join(meaning.words for meaning in meanings), conditions, meanings)

    @property
    def latex(self) -> str:
        left, *others = [side.latex for side in self.sides]
        if len(others) == 1:
            return f"{left} = {others[0]}"
        lines = " \\\\\n".join(f"&= {other}" for other in others)
        return f"\\begin{{aligned}}\n{left}\n{lines}\n\\end{{aligned}}"

    def values(self, case: Case) -> list[np.ndarray]:
        """Every side as an array."""
        read = case if self.zeros else WithoutZeros(case)
        return [side.table(read) for side in self.sides]

    def has_value(self, case: Case) -> bool:
        """Whether every side has a value; one with an index too few, say, has none."""
        return not any(entry is UNDEFINED for value in self.values(case) for entry in value.flat)

    def holds(self, case: Case) -> bool:
        """Whether all sides are equal on this case, shape and entries, with ``==``."""
        left, *others = self.values(case)
        return all(bool(np.all(left == other)) for other in others)


@dataclass(frozen=True)
class Check:
    """What `Equation.check` found.

    Attributes
    ----------
    equation : Equation
    seed, cases : int
        Which cases, and how many.
    counts : mapping of str to int
        For each form, on how many of them it holds.
    """

    equation: "Equation"
    seed: int
    cases: int
    counts: Mapping[str, int]

    @property
    def passed(self) -> bool:
        """Whether each form holds on all these cases: always, or under its conditions if it has any."""
        relied_on = self.equation.relied_on
        return all(count == self.cases for name, count in self.counts.items() if ", if " in name or name in relied_on)

    @property
    def verdict(self) -> str:
        """The verdict that these cases alone lead to; from a few cases it can be too kind."""
        return self.equation.verdict_of({name for name, count in self.counts.items() if count == self.cases})

    def __repr__(self) -> str:
        width, one = len(str(self.cases)), self.cases == 1
        lines = [f"  equal in {count:{width}} of {self.cases}  {name}" for name, count in self.counts.items()]
        cases = "1 random case" if one else f"{self.cases} random cases"
        head = f"{self.equation.name} on {cases} of integers (seed {self.seed}), exactly:"
        few = "" if self.cases >= CASES else "On this case: " if one else f"On these {self.cases} cases: "
        return "\n".join([head, *lines, few + self.equation.sentence(self.verdict)])


@dataclass(frozen=True, eq=False)
class Equation:
    """An equation of the article that can be shown, evaluated and judged.

    Attributes
    ----------
    key : int or str
        What `convbp.equations.equation` takes: 1 to 22, or a name.
    title : str
    section : str
        Where in the article.
    family : type
        The `Case` it is evaluated on.
    explanation : str
        Why it fails, or what must be read into it, or what makes it hold.
    symbols : mapping
        The arrays of a case that it is about, by their letter in LaTeX.
    printed : Statement or None
        As the article has it, its limits and indices taken literally. None for what the article leaves out.
    said : mapping
        What the article's words say of the printed form, by a label for it; counted, and no part of the verdict.
    tried : tuple of Statement
        Other ways to take the printed form, or to correct it. Which are readings is up to `convbp.equations.readings`.
    corrected : Statement or None
        The form that holds, where the printed one does not as it stands.
    remark : str
        The kind of fault in a few words.
    vary : tuple of str
        The arrays in which the smallest counterexample is looked for.
    inside : tuple of Condition
        When the printed form reads nothing outside the arrays, if it does in general.
    example_sizes : tuple of int
        The sizes of `example`.
    """

    key: int | str
    title: str
    section: str
    family: type[Case]
    explanation: str
    symbols: Mapping[str, str]
    printed: Statement | None = None
    said: Mapping[str, Statement] = field(default_factory=dict)
    tried: tuple[Statement, ...] = ()
    corrected: Statement | None = None
    remark: str = ""
    vary: tuple[str, ...] = ()
    inside: tuple[Condition, ...] = ()
    example_sizes: tuple[int, ...] = (3, 2, 2, 2)

    @property
    def axes(self) -> tuple[str, ...]:
        """What the axes of each side count."""
        return self.statement.sides[0].over.names

    @property
    def statement(self) -> Statement:
        """The printed form, or the form given here of what the article leaves out."""
        form = self.printed or self.corrected
        assert form is not None
        return form

    @property
    def number(self) -> int | None:
        """The article's number; None for what has none."""
        return self.key if isinstance(self.key, int) else None

    @property
    def name(self) -> str:
        return f"Eq. {self.key}" if isinstance(self.key, int) else self.key[0].upper() + self.key[1:]

    @cached_property
    def forms(self) -> dict[str, Statement]:
        """Each form by its name: as printed, as its words say, with a reading (numbered if several), corrected.

        As printed there are zeros outside the arrays; where something is read there, without them, too.
        """
        if self.printed is None:
            return {"as it should be": self.statement}
        bare = replace(self.printed, zeros=False, conditions=() if self.printed.conditions else self.inside)
        literal = {NOTHING_OUTSIDE: bare} if self._reads_outside(bare) else {}
        corrected = {} if self.corrected is None else {"corrected": self.corrected}
        return {"as printed": self.printed, **literal, **self.said, **self._named, **corrected}

    def _reads_outside(self, bare: Statement) -> bool:
        (case,) = random_cases(self.family, SEED, 1)
        return self.statement.has_value(case) and not bare.has_value(case)

    @property
    def readings(self) -> tuple[Statement, ...]:
        """What the rule takes for a reading, of what was tried."""
        return tuple(form for form in self.tried if kind(form, self.printed) == READING)

    @property
    def _named(self) -> dict[str, Statement]:
        several = len(self.readings) > 1
        named = {f"with reading {n}" if several else "with a reading": r for n, r in enumerate(self.readings, start=1)}
        others = (form for form in self.tried if form not in self.readings)
        return named | {f"{kind(form, self.printed)}: {form.note}": form for form in others}

    def kind_of(self, name: str) -> str:
        """What the rule takes the form of this name for."""
        if name == NOTHING_OUTSIDE:
            return PRINTED
        if name == "as printed" and NOTHING_OUTSIDE in self.forms:
            return READING  # with zeros outside
        return WORDS if name in self.said else kind(self.forms[name], self.printed)

    @cached_property
    def relied_on(self) -> tuple[str, ...]:
        """The names of the forms that have to hold always: those without a condition; as printed, if it has a value."""
        (case,) = random_cases(self.family, SEED, 1)
        apart = {NOTHING_OUTSIDE, *self.said}
        return tuple(
            name
            for name, form in self.forms.items()
            if not form.conditions and name not in apart and (form is not self.printed or form.has_value(case))
        )

    @cached_property
    def holding(self) -> frozenset[str]:
        """The names of the forms that hold. Found by computing each, up to the first case on which it fails."""
        drawn = random_cases(self.family, SEED, CASES)
        return frozenset(name for name, form in self.forms.items() if all(map(form.holds, drawn)))

    @property
    def verdict(self) -> str:
        """`HOLDS`, `WITH_A_READING` or `FAILS`, of the printed form; of the form given here if it was left out."""
        return self.verdict_of(self.holding)

    def verdict_of(self, holding: Container[str]) -> str:
        """The verdict if the forms of these names hold.

        The printed form has to hold with nothing outside the arrays; with zeros there, or with another reading, it
        holds with a reading.
        """
        literal = [name for name in self.forms if self.kind_of(name) == PRINTED] or list(self.forms)
        if all(name in holding for name in literal):
            return HOLDS
        return WITH_A_READING if any(n in holding for n in self.forms if self.kind_of(n) == READING) else FAILS

    @property
    def judged(self) -> str:
        """The verdict as a sentence."""
        return self.sentence(self.verdict)

    def sentence(self, verdict: str) -> str:
        """A verdict on this equation as a sentence."""
        as_printed = " as printed" if verdict == FAILS else ""
        remark = f": {self.remark}" if self.remark and (verdict != HOLDS or self.said) else ""
        why = "; the article leaves it out" if self.printed is None else remark
        return f"{self.name} {verdict}{as_printed}{why}."

    @cached_property
    def faulty(self) -> str | None:
        """The name of the first form that has a value and does not hold, so has a condition; None if all hold."""
        return next((name for name, form in self.forms.items() if form.conditions and name not in self.holding), None)

    @cached_property
    def counterexample(self) -> Case | None:
        """The smallest case, in zeros and ones, for which the `faulty` form fails; None if the equation holds."""
        if self.faulty is None:
            return None
        return next(case for case in self.family.in_order(self.vary) if not self.forms[self.faulty].holds(case))

    @cached_property
    def example(self) -> Case:
        """A case of small integers to look at: the first drawn on which no form holds by chance."""
        conditional = [form for form in self.forms.values() if form.conditions]
        drawn = [self.family.random(np.random.default_rng(SEED + n), self.example_sizes) for n in range(10)]
        return next((case for case in drawn if not any(form.holds(case) for form in conditional)), drawn[0])

    def check(self, seed: int = SEED, cases: int = CASES) -> Check:
        """Evaluate every form on ``cases`` fresh random cases of integers; return on how many each one holds.

        Raises
        ------
        TypeError, ValueError
            If ``seed`` or ``cases`` is not an integer, the seed is negative or there is less than 1 case.
        """
        for name, value, least in (("seed", seed, 0), ("cases", cases, 1)):
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise TypeError(f"check: {name} is {value!r}; expected an integer, for example {name}=1.")
            if value < least:
                raise ValueError(f"check: {name} is {value}; expected {least} or more.")
        return Check(self, int(seed), int(cases), self._counts(int(seed), int(cases)))

    def count(self, form: Statement) -> int:
        """On how many of the cases that the verdict is from a form of it holds."""
        return sum(map(form.holds, random_cases(self.family, SEED, CASES)))

    def _counts(self, seed: int, cases: int) -> dict[str, int]:
        drawn = random_cases(self.family, seed, cases)
        counts = {}
        for name, form in self.forms.items():
            counts[name] = sum(map(form.holds, drawn))
            for condition in form.conditions:
                counts[f"{name}, if {condition.words}"] = sum(form.holds(condition.meet(case)) for case in drawn)
        return counts

    def __repr__(self) -> str:
        return f"{self.title}. {self.judged}"

    def _repr_markdown_(self) -> str:
        from convbp.equations.shown import page  # needed only where something is shown

        return page(self)
