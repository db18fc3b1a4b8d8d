"""An equation of the article that the reader changes, place by place, and how places and choices are named.

A change is a pair of texts: the place, as it stands in the formula that the changes before it have led to, and what is
to stand there: ``("i′ − m in δ", "i′ + m")``.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from numbers import Integral
from typing import TYPE_CHECKING, Any

from convbp.equations.changes import Changeable, changed, places
from convbp.equations.formula import At, Formula
from convbp.equations.registry import equation
from convbp.explorers.states.fields import Choice, Kind, declares, shown
from convbp.notation import in_text

if TYPE_CHECKING:
    from convbp.explorers.states.state import ExplorerState

Change = tuple[str, str]

LONGEST = 34  # of what stands at a place, in a list; longer ones go by the name of the change


@lru_cache(maxsize=4096)
def formula_with(key: int, changes: tuple[Change, ...]) -> Formula:
    """The right side of an equation with these changes, made one after the other; KeyError if there is no such one."""
    if not changes:
        return equation(key).statement.sides[1]
    *before, (place, choice) = changes
    formula = formula_with(key, tuple(before))
    found = named_places(formula)[place]
    return changed(formula, found, choices_of(found)[choice])


@lru_cache(maxsize=4096)
def named_places(formula: Formula) -> dict[str, Changeable]:
    """The places where something else could stand, by their names, in the order of printing."""
    found = places(formula)
    texts = [_short(place.latex) for place in found]
    twice = {text for text, times in Counter(texts).items() if times > 1}
    named: dict[str, Changeable] = {}
    for text, place in zip(texts, found, strict=True):
        whole = _entry_around(formula, place)
        name = f"{text} in {whole.of.text}" if whole and (text in twice or len(text) > 1) else text
        names = (name if n == 1 else f"{name} ({n})" for n in count(1))
        named[next(name for name in names if name not in named)] = place
    return named


def _entry_around(formula: Formula, place: Changeable) -> At | None:
    """The entry of which the place is an index, or a part of one."""
    around = (formula.expression.at_path(place.path[:n]) for n in range(len(place.path) - 1, -1, -1))
    return next((node for node in around if isinstance(node, At)), None)


def choices_of(place: Changeable) -> dict[str, str]:
    """What could stand at a place, as a text, and the name that the change has there."""
    found: dict[str, str] = {}
    for name, node in place.choices.items():
        text = _short(node.latex)
        found[text if len(text) <= LONGEST and text not in found else _short(name)] = name
    return found


def _short(latex: str) -> str:
    """In a line of text, without the layers."""
    return re.sub("[ˡ⁺⁻¹]", "", in_text(latex))


def place_at(formula: Formula, path: tuple) -> str:
    """The name of the place at this path in the tree, or of the first one."""
    named = named_places(formula)
    return next((name for name, place in named.items() if place.path == path), next(iter(named)))


def without_detours(key: int, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """The changes without those that only lead back to where one was before."""
    last = formula_with(key, changes)
    ways = (changes[:n] for n in range(len(changes)))
    return next((way for way in ways if formula_with(key, way) == last), changes)


@dataclass(frozen=True, kw_only=True)
class WhichEquation(Choice):
    """One of a few equations, by its number."""

    def check(self, state: "ExplorerState", name: str, value: Any) -> Any:
        numbers = tuple(self.named.values())
        if isinstance(value, bool) or not isinstance(value, Integral) or value not in numbers:
            expected = f"{', '.join(map(str, numbers[:-1]))} or {numbers[-1]}"
            raise ValueError(f"{state.explorer}: {name} is {shown(value)}; expected {expected}.")
        return int(value)

    def type(self) -> str:
        return "{" + ", ".join(map(str, self.named.values())) + "}"


@dataclass(frozen=True, kw_only=True)
class Changes(Kind):
    """Pairs of a place and what is to stand there, for the equation in the field ``equation``."""

    def check(self, state: "ExplorerState", name: str, value: Any) -> tuple[Change, ...]:
        try:
            pairs = tuple((place, choice) for place, choice in value)
        except (TypeError, ValueError):
            pairs = None
        if isinstance(value, str) or pairs is None or not all(isinstance(text, str) for pair in pairs for text in pair):
            raise TypeError(
                f'{state.explorer}: {name} is {shown(value)}; expected pairs such as ("i′ − m in δ", "i′ + m"): '
                "a place, and what is to stand there."
            )
        key = state.equation  # type: ignore[attr-defined]
        for n, (place, choice) in enumerate(pairs):
            possible = named_places(formula_with(key, pairs[:n]))
            if place not in possible:
                raise ValueError(
                    f"{state.explorer}: {name} has no place {shown(place)} to change; expected {_one_of(possible)}."
                )
            if choice not in choices_of(possible[place]):
                raise ValueError(
                    f"{state.explorer}: {name} has {shown(choice)} for {place}; "
                    f"expected {_one_of(choices_of(possible[place]))}."
                )
        return pairs

    def type(self) -> str:
        return "sequence of (place, what stands there)"


@dataclass(frozen=True, kw_only=True)
class PlaceName(Kind):
    """The name of a place."""

    def check(self, state: "ExplorerState", name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{state.explorer}: {name} is {shown(value)}; expected the name of a place, a text.")
        return value


def _one_of(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def which_equation(numbers: Iterable[int], default: int) -> Any:
    """A field for one of these equations, with a button for each; with another one the changes are gone."""
    options = {f"Eq. {number}": number for number in numbers}
    made = declares(WhichEquation)
    return made(default, options, doc="Whose right side is changed.", change=_with_equation)


def _with_equation(state: Any, number: int) -> Any:
    return replace(state, equation=number, changes=(), place="")


def changes_of_formula() -> Any:
    """A field for the changes that are in force."""
    doc = "One after the other, each named as in the two lists: the place, and what is to stand there."
    return declares(Changes)((), doc=doc)


def place_to_change() -> Any:
    """A field for the place whose choices are listed; any other text stands for the first place."""
    return declares(PlaceName)("", parameter=False)
