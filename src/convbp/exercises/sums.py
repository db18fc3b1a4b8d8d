"""A sum that remembers its terms: what the plain loops of `convbp.loops` give when the entries are symbols."""

from collections.abc import Iterable
from math import prod

import numpy as np

from convbp.notation import factor, number, subscripted


class Sum:
    """A sum of products. Each product is a tuple of factors, each factor its symbol (or none) and its value."""

    def __init__(self, *terms: tuple[tuple[str, object], ...]):
        self.terms = terms

    @property
    def value(self):
        return sum(prod(value for _, value in term) for term in self.terms)

    def __add__(self, other):
        if isinstance(other, Sum):
            return Sum(*self.terms, *other.terms)
        return self if other == 0 else Sum(*self.terms, (("", other),))

    def __mul__(self, other):
        if isinstance(other, Sum):
            return Sum(*(one + two for one in self.terms for two in other.terms))
        if other == 0:
            return 0  # a weight of zero, or a place outside the array: no term
        return self if other == 1 else Sum(*(((*term, ("", other))) for term in self.terms))

    __radd__, __rmul__ = __add__, __mul__

    def in_symbols(self) -> list[str]:
        return ["·".join(symbol or factor(value) for symbol, value in term) for term in self.terms]

    def in_numbers(self) -> list[str]:
        return ["·".join(factor(value) for _, value in term) for term in self.terms]


def symbol(text: str, value: object) -> Sum:
    """One number that has a name."""
    return Sum(((text, exact(value)),))


def symbols(letter: str, array: np.ndarray) -> np.ndarray:
    """The array with each entry named as the equations do: δ₀₁."""
    named = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        named[index] = symbol(subscripted(letter, *index), value)
    return named


def functions(letter: str, of: str, array: np.ndarray) -> np.ndarray:
    """The array with each entry named as a function's value: f′(x₀₁)."""
    named = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        named[index] = symbol(f"{letter}({subscripted(of, *index)})", value)
    return named


def written_out(entry: object, most: int = 24) -> str:
    """The sum in symbols, in numbers and as a number, one below the other."""
    if not isinstance(entry, Sum):
        return f"{number(exact(entry))}, as no term reaches it"
    lines = [_joined(entry.in_symbols(), most)]
    total = number(exact(entry.value))
    if entry.in_numbers() not in ([total], [f"({total})"]):
        lines.append(_joined(entry.in_numbers(), most))
    return "\n  = ".join([*lines, total])


def _joined(terms: Iterable[str], most: int) -> str:
    terms = list(terms)
    more = [f"… ({len(terms) - most} more)"] if len(terms) > most else []
    return " + ".join([*terms[:most], *more])


def exact(value):
    """A whole number as an integer, so that all its digits are written."""
    return int(value) if float(value).is_integer() else float(value)
