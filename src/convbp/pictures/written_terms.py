"""What a picture says of one entry of a formula: the list of its terms, and outlines around the cells that it reads."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise, product
from math import prod
from types import MappingProxyType
from typing import Any

from convbp.equations.terms import Arrays, Named
from convbp.notation import bracketed, factor, number
from convbp.pictures.scene import Cells, Flight, Flights, Grid, Mark, Tag, Term
from convbp.sums import Factor, Sum

Tags = Mapping[str, Tag | None]  # the tag of a cell, by its name in the terms: K(0, 1)


def named(**arrays) -> Named:
    """A case of these arrays, by the names of the letters of the formulas, with entries written K(0, −1)."""
    return Named(Arrays(**arrays), bracketed)


def tags_of(letter: str, grid: Grid) -> dict[str, Tag | None]:
    """The tag of each cell of a grid that has some, for the array of this letter."""
    return {bracketed(letter, *cell): tag for cell, tag in zip(grid.cells(), chain(*grid.tags), strict=True)}


def written(entry: Sum, tags: Tags, faint: bool = True) -> list[Term]:
    """The products of a sum, in the hue of the one factor that has a tag.

    Those that read outside of an array are drawn faintly, if ``faint``.
    """
    return [_written(product, tags, faint) for product in entry.terms]


def _written(product: tuple[Factor, ...], tags: Tags, faint: bool) -> Term:
    texts = [part.text for part in product]
    tag = _tag(texts, tags)
    # f′ of what is read outside need not be 0.
    outside = faint and any([not part.inside and part.value == 0 for part in product])
    values = [part.value for part in product]
    return Term("·".join(texts), multiplied(*values), tag.hue if tag else None, outside, prod(values))


def _tag(names: Iterable[str], tags: Tags) -> Tag | None:
    for name in names:
        if name in tags:
            return tags[name]
    return None


@lru_cache(maxsize=4096, typed=True)  # the same few small numbers meet again and again; 1/2 is not written 0.5
def multiplied(*values: Any) -> str:
    """The product written in numbers: 3·(−2) = −6."""
    result = number(prod(values))
    return f"{_factors(*values)} = {result}" if len(values) > 1 else result


def products(entry: Sum) -> tuple[str, ...]:
    """The products of a sum, without their results: 3·(−2)."""
    return tuple([_factors(*[part.value for part in product]) for product in entry.terms])


@lru_cache(maxsize=4096, typed=True)
def _factors(*values: Any) -> str:
    return "·".join(map(factor, values))


def in_rows(terms: Sequence, width: int) -> tuple[tuple, ...]:
    """The terms in rows of so many."""
    return tuple(tuple(terms[at : at + width]) for at in range(0, len(terms), width))


def outline(grid: str, array: str, entry: Sum, tags: Tags = MappingProxyType({}), style: str = "solid") -> Mark:
    """The rectangle around the cells of an array that a sum reads, on the grid that shows it.

    With ``tags`` each of these cells has the tag of what it is multiplied with.
    """
    met = {
        part.index: _tag([one.text for one in product], tags)
        for product in entry.terms
        for part in product
        if part.array == array
    }
    (top, left), (bottom, right) = (tuple(map(end, zip(*met, strict=True))) for end in (min, max))
    rows, cols = range(top, bottom + 1), range(left, right + 1)
    carried = tuple(tuple(met.get((r, c)) for c in cols) for r in rows) if tags else ()
    return Mark(grid, top, left, len(rows), len(cols), carried, style)


def coming_about(entry: Sum, grids: Mapping[str, str], width: int, *to: Cells) -> Flights:
    """How the products of a sum, in rows of so many, come about: the factors meet, and what they make goes on.

    ``grids`` has the grid that shows an array, in the order in which one factor goes to the next; from the last one the
    products go to their places, and from there to each of ``to``. Nothing flies where factors are in no grid.
    """
    met = [[part for name in grids for part in term if part.array == name] for term in entry.terms]
    if len(set(map(len, met))) != 1 or not met[0]:
        return ()
    made = [Cells("products", *divmod(n, width)) for n in range(len(met))]
    columns = [[Cells(grids[part.array], *part.index) for part in column] for column in zip(*met, strict=True)]
    steps = []
    for n, (one, other) in enumerate(pairwise(columns), 1):
        so_far = [_factors(*(part.value for part in parts[:n])) for parts in met] if n > 1 else ()
        steps.append(together(one, other, so_far, meets=True))
    return *steps, together(columns[-1], made, products(entry)), *(together(made, [end] * len(made)) for end in to)


def together(
    starts: Sequence[Cells], ends: Sequence[Cells], carries: Sequence[str] = (), meets: bool = False
) -> tuple[Flight, ...]:
    """Numbers that go at once, each from its cell to its own: as one block, if that is what they are."""
    one, other = _block(starts), _block(ends)
    if one and other and len(starts) in (one.rows * one.cols, other.rows * other.cols):
        return (Flight(one, other, tuple(carries), meets),)
    texts = carries or [""] * len(starts)
    return tuple(
        Flight(start, end, (text,) if text else (), meets) for start, end, text in zip(starts, ends, texts, strict=True)
    )


def _block(cells: Sequence[Cells]) -> Cells | None:
    """The rectangle of which these are all cells, row by row; or the one cell that they all are."""
    grid, top, left, *_ = cells[0]
    rows, cols = cells[-1].row - top + 1, cells[-1].col - left + 1
    if len(set(cells)) == 1:
        return cells[0]
    places = product(range(top, top + rows), range(left, left + cols))
    return Cells(grid, top, left, rows, cols) if list(cells) == [Cells(grid, *place) for place in places] else None
