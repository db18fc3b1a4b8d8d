"""A sum that remembers its terms: what the plain loops of `convbp.loops` give when the entries are symbols."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from numbers import Rational
from typing import Any

import numpy as np

from convbp.notation import factor, in_latex, latex_subscripted, number, subscripted


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a product: its symbol in a line of text and in LaTeX (empty for a bare number), and its value.

    If it is an entry of an array, it also has the array's name, its index, and whether the array has an entry there;
    outside, the value is 0.
    """

    text: str
    latex: str
    value: Any
    array: str = ""
    index: tuple[int, ...] = ()
    inside: bool = True


class Sum:
    """A sum of products; each product is a tuple of `Factor`."""

    def __init__(self, *terms: tuple[Factor, ...]):
        self.terms = terms

    @property
    def value(self):
        return sum(prod(part.value for part in term) for term in self.terms)

    @property
    def inside(self) -> "Sum":
        """The sum without the products that read outside of an array, which are 0."""
        return Sum(*(term for term in self.terms if all(part.inside for part in term)))

    def __add__(self, other):
        if isinstance(other, Sum):
            return Sum(*self.terms, *other.terms)
        return self if other == 0 else Sum(*self.terms, (Factor("", "", other),))

    def __mul__(self, other):
        if isinstance(other, Sum):
            return Sum(*[one + two for one in self.terms for two in other.terms])
        if isinstance(other, np.ndarray):
            return NotImplemented  # NumPy multiplies entry by entry
        if other == 0:
            return 0  # a weight of zero, or a place outside the array: no term
        return self if other == 1 else Sum(*(((*term, Factor("", "", other))) for term in self.terms))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def in_symbols(self) -> list[str]:
        """Each product in symbols: δ₀₀·o₀₁."""
        return ["·".join(part.text or factor(part.value) for part in term) for term in self.terms]

    def in_numbers(self) -> list[str]:
        """Each product in numbers: 3·(−2)."""
        return ["·".join(factor(part.value) for part in term) for term in self.terms]

    def in_latex(self) -> list[str]:
        r"""Each product in symbols, as LaTeX: \delta_{00} o_{01}."""
        return [r"\, ".join(part.latex or in_latex(factor(part.value)) for part in term) for term in self.terms]

    def numbers_in_latex(self) -> list[str]:
        r"""Each product in numbers, as LaTeX: 3 \cdot (-2)."""
        return [r" \cdot ".join(in_latex(factor(part.value)) for part in term) for term in self.terms]


def symbol(text: str, value: object, latex: str = "") -> Sum:
    """One number that has a name; ``latex`` is its name in LaTeX, if that is another."""
    return Sum((Factor(text, latex or text, exact(value)),))


def symbols(letter: str, array: np.ndarray) -> np.ndarray:
    """The array with each entry named as the equations do: δ₀₁."""
    named = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        named[index] = symbol(subscripted(letter, *index), value, latex_subscripted(letter, *index))
    return named


def functions(letter: str, of: str, array: np.ndarray) -> np.ndarray:
    """The array with each entry named as a function's value: f′(x₀₁)."""
    named = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        inside = latex_subscripted(of, *index)
        named[index] = symbol(f"{letter}({subscripted(of, *index)})", value, f"{in_latex(letter)}({inside})")
    return named


def written_out(entry: object, most: int = 24) -> str:
    """The sum in symbols, in numbers and as a number, one below the other."""
    if not isinstance(entry, Sum):
        return f"{number(exact(entry))}, as no term reaches it"
    lines = [_joined(entry.in_symbols(), most)]
    total = number(exact(entry.value))
    if entry.in_numbers() != [total]:
        lines.append(_joined(entry.in_numbers(), most))
    return "\n  = ".join([*lines, total])


def _joined(terms: Iterable[str], most: int) -> str:
    terms = list(terms)
    more = [f"… ({len(terms) - most} more)"] if len(terms) > most else []
    return " + ".join([*terms[:most], *more])


def exact(value):
    """A whole number as an integer, so that all its digits are written; a Fraction as it is."""
    if isinstance(value, Rational) and value.denominator != 1:
        return value
    return int(value) if float(value).is_integer() else float(value)
