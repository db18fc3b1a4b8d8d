"""What a misconception is, and how one, or two together, are computed.

Nothing here knows where an answer comes from: a `Computation` gives, for any arguments, the right result and the wrong
ones that are known.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Misconception:
    """A known wrong answer: how it comes about, and what to say to whoever gives it.

    Several may have the same name: the same mistake can be written in ways that give different numbers.

    Attributes
    ----------
    name : str
        A few words.
    done : str
        A sentence that says what was done.
    why : str
        A sentence that says why it is wrong.
    where : str
        Where in the series to look: notebook and equation.
    changes : mapping
        What is different from the right computation, by the place where: an argument's name -> a function of its
        value; ``"result"`` -> a function of the result and all arguments; ``"compute"`` -> another computation; else
        the name of a step of the `Computation`'s computation -> what is done instead.
    """

    name: str
    done: str
    why: str
    where: str
    changes: Mapping[str, Callable] = field(repr=False)


def mistake(name: str, done: str, why: str, where: str, *variants: Mapping, **changes: Callable) -> list[Misconception]:
    """Return a misconception, once with ``changes`` or once for each of ``variants``."""
    return [Misconception(name, done, why, where, variant) for variant in variants or [changes]]


class Computation:
    """What is to be computed, with all that is known to go wrong.

    Parameters
    ----------
    compute : callable
        The right computation. Takes the arguments by name, and keyword-only arguments for the steps that can go wrong.
    misconceptions : lists of Misconception
        As `mistake` returns them.
    """

    def __init__(self, compute: Callable, misconceptions: Iterable[Iterable[Misconception]] = ()):
        self.compute = compute
        self.misconceptions = tuple(m for group in misconceptions for m in group)

    def right(self, arguments: Mapping) -> np.ndarray:
        """Return the right answer, as floats."""
        return np.asarray(self.compute(**arguments), dtype=float)

    def wrong(self, arguments: Mapping, *made: Misconception) -> np.ndarray | None:
        """Return the answer of someone who makes these mistakes, or None if nothing comes of it."""
        return self.finished(self.begun(arguments, *made), *made)

    def begun(self, arguments: Mapping, *made: Misconception) -> tuple[Mapping, Any]:
        """Return the arguments and the result as they are before a mistake changes the result."""
        given, steps, compute = dict(arguments), {}, self.compute
        try:
            with np.errstate(all="ignore"):
                for misconception in made:
                    for place, change in misconception.changes.items():
                        if place == "result":
                            continue
                        if place == "compute":
                            compute = change
                        elif place in given:
                            given[place] = change(given[place])
                        elif place in steps:
                            return given, None  # one step cannot be replaced twice
                        else:
                            steps[place] = change
                return given, compute(**given, **steps)
        except Exception:  # the arrays no longer fit together
            return given, None

    def finished(self, begun: tuple[Mapping, Any], *made: Misconception) -> np.ndarray | None:
        """Return what these mistakes make of a result, or None if nothing comes of it."""
        given, result = begun
        try:
            with np.errstate(all="ignore"):
                for misconception in made:
                    if result is not None and "result" in misconception.changes:
                        result = misconception.changes["result"](result, SimpleNamespace(**given))
            return None if result is None else np.asarray(result, dtype=float)
        except Exception:
            return None

    def changing(self, *places: str) -> list[list[Misconception]]:
        """The mistakes that change nothing but these steps and arguments, for a computation that has them too."""
        return [[m] for m in self.misconceptions if m.changes.keys() <= set(places)]

    def pairs(self) -> Iterator[tuple[Misconception, Misconception]]:
        """Every two mistakes of different names together, in either order if it can matter."""
        for one, other in combinations(self.misconceptions, 2):
            if one.name != other.name:
                yield one, other
                if one.changes.keys() & other.changes.keys():
                    yield other, one
