"""The picture of a network's arrays, and for each of their entries what it was made of: grids and highlights."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from math import prod
from operator import itemgetter

import numpy as np

from convbp.explorers.chain.rules import Cell, Made, Read
from convbp.networks.network import Network
from convbp.notation import factor, number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Piece, Selection, Tag, Term
from convbp.sums import Factor, Sum

MOST_TERMS = 12
HIGHEST = 10  # so many rows of cells, and titles, stand one below the other
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def place(array: str, index: tuple[int, ...]) -> Selection:
    """Where an entry stands: each channel of a map, and each channel of each filter, is a grid of its own."""
    if len(index) == 1:
        index = (0, *index) if array.endswith(".bias") else (*index, 0)
    row, col, *maps = index
    return Selection(".".join([array, *map(str, maps)]), row, col)


def arrays(network: Network, shown: dict[str, Made]) -> dict[str, tuple[Grid, ...]]:
    """Every array from left to right, the parameters of a layer before it: a grid for each channel, by its name."""
    found, level = {"input": _grids(shown["input"])}, 0
    for name, layer in network.layers.items():
        own = network.parameter_names[name].values()
        level += bool(own)
        found |= {parameter: _grids(shown[parameter], level) for parameter in own}
        letter = "x" if layer.makes == "pre_activation" else "o"
        found[name] = _grids(shown.get(name, _not_yet(name, letter, network.shapes[name])))
    found["softmax"] = _grids(shown.get("softmax", _not_yet("softmax", "p", network.output_shape)))
    return found


def columns(grids: tuple[Grid, ...], filters: int = 1) -> tuple[Piece, ...]:
    """The grids of an array, as they stand in the line: all in a column, or those of each filter, if they have room."""
    high = grids[0].size[0] + 1
    count = next((count for count in (1, filters) if len(grids) // count * high <= HIGHEST), len(grids))
    stacks = [grids[n::count] for n in range(count)]
    return tuple(stack if len(stack) > 1 else stack[0] for stack in stacks)


def emptied(grids: tuple[Grid, ...]) -> tuple[Grid, ...]:
    """The places of grids that are elsewhere."""
    return tuple(
        Grid(f"{grid.name} above", grid.title, tuple((None,) * grid.size[1] for _ in grid.values)) for grid in grids
    )


@lru_cache(maxsize=64)
def _not_yet(array: str, symbol: str, shape: tuple[int, ...]) -> Made:
    return Made(array, symbol, np.full(shape, None), "")


@lru_cache(maxsize=64)
def _grids(made: Made, level: int = 0) -> tuple[Grid, ...]:
    """A grid for each channel, or each channel of each filter; ``level`` counts the layers that have parameters."""
    places: dict[str, dict[tuple, tuple]] = {}
    for index in np.ndindex(made.values.shape):
        name, row, col = place(made.array, index)
        places.setdefault(name, {})[row, col] = index
    known = made.values.flat[0] is not None
    axes = {1: ("entry k", ""), 2: ("i", "k"), 3: ("i", "j"), 4: ("m", "n")}[made.values.ndim]
    letter = f"{made.symbol}{str(level).translate(RAISED)}" if level else f"{made.array} {made.symbol}"
    if made.symbol == "g" and made.array.endswith(".bias"):
        letter += " of b"
    titles = {1: ": map {}", 2: ": c{}, d{}"}
    grids: list[Grid] = []
    for name, index_at in places.items():
        rows, cols = (max(places) + 1 for places in zip(*index_at, strict=True))
        maps = name.removeprefix(made.array).split(".")[1:]

        def table(array, index_at=index_at, rows=rows, cols=cols):
            return tuple(tuple(array[index_at[r, c]] for c in range(cols)) for r in range(rows))

        grids.append(
            Grid(
                name=name,
                title=letter + titles[len(maps)].format(*maps) if len(places) > 1 else letter,
                values=tuple(tuple(map(_brief, row)) for row in table(made.values)),
                tags=() if made.tags is None else table(made.tags),
                axes=(axes[::-1] if made.array.endswith(".bias") else axes) if known else None,
                largest=float(np.abs(made.values).max()) if known else None,
                notch="first" if made.values.ndim == 4 else "",
            )
        )
    return tuple(grids)


def _brief(value: float | None) -> float | None:
    """A number as far as a cell has room for it; the formula has more digits."""
    if value is None or float(value).is_integer():
        return value if value is None else int(value)
    return round(float(value), 2) if abs(value) >= 0.1 else float(f"{value:.2g}")


# What one entry was made of


@lru_cache(maxsize=64)
def highlights(made: Made, heading: str, read: tuple[Made, ...]) -> dict[Selection, Highlight]:
    """Return what choosing each entry of an array shows: what it was made of, its rule with the numbers, and where
    they stand.

    ``read`` are the arrays that are now in the places of those that it was made of.
    """
    shown = {one.array: one for one in read}
    return {
        place(made.array, index): _highlight(made.cell(*index), origin, heading, shown, made.otherwise)
        for index, origin in np.ndenumerate(made.origins)
    }


def _highlight(
    here: Cell, origin: Sum | Read | int | None, heading: str, shown: dict[str, Made], otherwise: str
) -> Highlight:
    value, products = number(here.value), origin.terms if isinstance(origin, Sum) else ()
    terms = [_term(product) for product in products]
    rows: Iterable[Iterable[Term]] = ()
    notes: tuple[str, ...] = ()
    name = "Σ"
    if origin is None:
        how, name = f"{value}, as given", ""
    elif isinstance(origin, Read):
        how, name = f"{origin.text} = {value}", origin.name
    elif len(terms) == 1:
        how, name = f"{_with_arrays(products[0])} = {terms[0].numbers}", "="
    elif terms:
        arrays = " and ".join(sorted({_array_name(cell) for product in products for cell in product if cell.array}))
        how = f"{value}, the sum of {len(terms)} terms, made of {arrays}"
        products, terms, notes = _in_room(products, terms)
        rows = _in_rows(products, terms)
    else:
        how, name = f"{value}, as {otherwise}", ""
    said = f"{here.text} of {here.array} = {how}."
    return Highlight(
        marks=(*_outlines(_read(origin, shown), "dashed" if here.text[0] in "δg" else "solid"), Mark(*_at(here))),
        formula=Formula(heading, tuple(map(tuple, rows)), said, notes, column=((name, here.value),) if name else ()),
        sentence=f"{heading.partition(':')[0].rstrip('.')}: {said}",
    )


def _in_rows(products: Sequence[tuple[Factor, ...]], terms: list[Term]) -> list[list[Term]]:
    """The terms, a line for each row of the map that they read; what reads no map has a line of its own."""

    def row(product: tuple[Factor, ...]) -> int:
        return next((cell.index[0] for cell in product if len(cell.index) == 3), -1)

    groups = groupby(zip(map(row, products), terms, strict=True), key=itemgetter(0))
    return [[term for _, term in group] for _, group in groups]


def _array_name(cell: Factor) -> str:
    """As the passes of a network have it."""
    return f"{cell.array}.delta" if cell.text[0] == "δ" else cell.array


def _at(cell: Factor) -> Selection:
    return place(cell.array, cell.index)


def _term(product: tuple[Factor, ...]) -> Term:
    values = [cell.value for cell in product]
    numbers = "·".join(map(factor, values)) + f" = {number(prod(values))}" if len(values) > 1 else number(values[0])
    weight = _weight(product)
    return Term("·".join(cell.text for cell in product), numbers, weight.hue if weight else None, value=prod(values))


def _weight(product: tuple[Factor, ...]) -> Tag | None:
    """The tag of the kernel's weight in a product."""
    return next((cell.tag for cell in product if isinstance(cell, Cell) and cell.array.endswith(".kernel")), None)


def _with_arrays(product: tuple[Factor, ...]) -> str:
    return " · ".join(f"{cell.text} of {cell.array}" if cell.array else cell.text for cell in product)


def _in_room(products: tuple, terms: list[Term]) -> tuple[tuple, list[Term], tuple[str, ...]]:
    """The terms there is room for, without those that are 0 if they are many; and how many are left out."""
    if len(terms) <= MOST_TERMS:
        return products, terms, ()
    kept = [n for n, product in enumerate(products) if all(cell.value for cell in product)]
    zeros, more = len(terms) - len(kept), max(len(kept) - MOST_TERMS, 0)
    notes = [f"{zeros} terms with a factor 0 are left out."] * (zeros > 0) + [f"There are {more} more."] * (more > 0)
    return tuple(products[n] for n in kept[:MOST_TERMS]), [terms[n] for n in kept[:MOST_TERMS]], tuple(notes)


def _read(origin: Sum | Read | int | None, shown: dict[str, Made]) -> dict[Selection, Tag | None]:
    """The cells that an entry was made of, as far as their numbers are still in view; with the weight that each met."""
    found: list[tuple[Factor, Tag | None]] = []
    if isinstance(origin, Read):
        found = [(cell, cell.tag) for cell in origin.cells]
    elif isinstance(origin, Sum):
        found = [(cell, _weight(product)) for product in origin.terms for cell in product if cell.array]

    def in_view(cell: Factor) -> bool:
        now = shown[cell.array].cells[cell.index]
        return now is cell or (now.text, now.value) == (cell.text, cell.value)

    return {_at(cell): tag for cell, tag in found if in_view(cell)}


def _outlines(cells: dict[Selection, Tag | None], style: str) -> list[Mark]:
    """One outline for the cells in each grid where they fill a rectangle, else one for each cell."""
    marks = []
    for grid in dict.fromkeys(cell.grid for cell in cells):
        inside = [cell for cell in cells if cell.grid == grid]
        (top, rows), (left, cols) = (
            (min(at), max(at) - min(at) + 1) for at in zip(*(cell[1:] for cell in inside), strict=True)
        )
        if len(inside) == rows * cols:
            tags = tuple(tuple(cells[Selection(grid, top + r, left + c)] for c in range(cols)) for r in range(rows))
            marks.append(Mark(grid, top, left, rows, cols, tags, style))
        else:
            marks += [Mark(*cell, tags=((cells[cell],),), style=style) for cell in inside]
    return marks
