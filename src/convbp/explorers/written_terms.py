"""The terms of a formula as a picture lists them: in symbols, in numbers, with the hue of one of the factors."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod

from convbp.equations.terms import Arrays, Named
from convbp.notation import bracketed, factor, number
from convbp.pictures.scene import Term
from convbp.sums import Factor, Sum


def named(**arrays) -> Named:
    """A case of these arrays, by the names of the letters of the formulas, with entries written K(0, −1)."""
    return Named(Arrays(**arrays), bracketed)


def written(entry: Sum, hues: Mapping[tuple, int], strike: bool = True) -> list[Term]:
    """The products of a sum; ``hues`` has the hue of a cell by its array and index.

    Those that read outside of an array are struck out, if ``strike``.
    """
    return [_written(product, hues, strike) for product in entry.terms]


def _written(product: tuple[Factor, ...], hues: Mapping[tuple, int], strike: bool) -> Term:
    texts, _, values, *cells, inside = zip(*product, strict=True)
    hue = hues.get(next(filter(hues.__contains__, zip(*cells, strict=True)), None))
    return Term("·".join(texts), _in_numbers(values), hue, strike and not all(inside))


@lru_cache(maxsize=4096)  # the same few small numbers meet again and again
def _in_numbers(values: tuple) -> str:
    return f"{'·'.join(map(factor, values))} = {number(prod(values))}"


def in_rows(terms: Sequence, width: int) -> tuple[tuple, ...]:
    """The terms in rows of so many."""
    return tuple(tuple(terms[at : at + width]) for at in range(0, len(terms), width))


def hues_of(name: str, grid) -> dict[tuple, int]:
    """The hue of each cell of a grid that has tags, for the array of this name."""
    return {(name, (i, j)): grid.tags[i][j].hue for i, j in grid.cells()}
