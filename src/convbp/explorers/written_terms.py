"""The terms of a formula as a picture lists them: in symbols, in numbers, with the hue of one of the factors."""

from collections.abc import Mapping, Sequence
from math import prod

from convbp.equations.terms import Arrays, Named
from convbp.notation import bracketed, factor, number
from convbp.pictures.scene import Term
from convbp.sums import Sum


def named(**arrays) -> Named:
    """A case of these arrays, by the names of the letters of the formulas, with entries written K(0, −1)."""
    return Named(Arrays(**arrays), bracketed)


def written(entry: Sum, hues: Mapping[tuple, int], strike: bool = True) -> list[Term]:
    """The products of a sum; ``hues`` has the hue of a cell by its array and index.

    Those that read outside of an array are struck out, if ``strike``.
    """
    return [
        Term(
            symbols="·".join([part.text for part in product]),
            numbers=f"{'·'.join([factor(part.value) for part in product])} = {number(prod(p.value for p in product))}",
            hue=next((hues[part.array, part.index] for part in product if (part.array, part.index) in hues), None),
            outside=strike and any(part.value == 0 and not part.inside for part in product),  # f′ of it need not be 0
        )
        for product in entry.terms
    ]


def in_rows(terms: Sequence, width: int) -> tuple[tuple, ...]:
    """The terms in rows of so many."""
    return tuple(tuple(terms[at : at + width]) for at in range(0, len(terms), width))


def hues_of(name: str, grid) -> dict[tuple, int]:
    """The hue of each cell of a grid that has tags, for the array of this name."""
    return {(name, (i, j)): grid.tags[i][j].hue for i, j in grid.cells()}
