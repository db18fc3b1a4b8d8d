"""The picture of a network's arrays, and for each of their entries what it was made of: grids and highlights."""

import re
from collections.abc import Iterable
from math import prod

import numpy as np

from convbp.explorers.chain.rules import Cell, Made, Read
from convbp.networks.network import Network
from convbp.notation import factor, number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Selection, Tag, Term
from convbp.sums import Factor, Sum

MOST_TERMS = 12
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def place(array: str, index: tuple[int, ...]) -> Selection:
    """Where an entry stands: each channel of a map, and each channel of each filter, is a grid of its own."""
    if len(index) == 1:
        index = (0, *index) if array.endswith(".bias") else (*index, 0)
    row, col, *maps = index
    return Selection(".".join([array, *map(str, maps)]), row, col)


def columns(network: Network, shown: dict[str, Made]) -> list[list[Grid]]:
    """Every array from left to right, the parameters of a layer before it; the channels of an array are stacked."""
    columns, level = [_grids(shown["input"])], 0
    for name, layer in network.layers.items():
        if network.parameter_names[name]:
            level += 1
            weights, bias = (_grids(shown[own], level) for own in network.parameter_names[name].values())
            filters = network.shapes[name][-1] if len(weights) > 1 else 1
            columns += [weights[c : c + filters] for c in range(0, len(weights), filters)]
            columns[-1] += bias
        letter = "x" if layer.makes == "pre_activation" else "o"
        columns.append(_grids(shown.get(name, _not_yet(name, letter, network.shapes[name]))))
    return [*columns, _grids(shown.get("softmax", _not_yet("softmax", "p", network.output_shape)))]


def belongs(grid: Grid, arrays: Iterable[str]) -> bool:
    """Whether a grid shows one of the arrays of these names, or a channel of it."""
    return any(re.fullmatch(rf"{re.escape(array)}(\.\d+)*", grid.name) for array in arrays)


def _not_yet(array: str, symbol: str, shape: tuple[int, ...]) -> Made:
    return Made(array, symbol, np.full(shape, None), "")


def _grids(made: Made, level: int = 0) -> list[Grid]:
    """A grid for each channel, or each channel of each filter; ``level`` counts the layers that have parameters."""
    places: dict[str, dict[tuple, tuple]] = {}
    for index in np.ndindex(made.values.shape):
        name, row, col = place(made.array, index)
        places.setdefault(name, {})[row, col] = index
    known = made.values.flat[0] is not None
    axes = {1: ("k", ""), 2: ("i", "k"), 3: ("i", "j"), 4: ("m", "n")}[made.values.ndim]
    letter = f"{made.symbol}{str(level).translate(RAISED)}" if level else f"{made.array} {made.symbol}"
    if made.symbol == "g" and made.array.endswith(".bias"):
        letter += " of b"
    shape = "×".join(map(str, made.values.shape))
    titles = {1: "map {}", 2: "c{}, d{}"}
    grids: list[Grid] = []
    for name, index_at in places.items():
        rows, cols = (max(places) + 1 for places in zip(*index_at, strict=True))
        maps = name.removeprefix(made.array).split(".")[1:]

        def table(array, index_at=index_at, rows=rows, cols=cols):
            return tuple(tuple(array[index_at[r, c]] for c in range(cols)) for r in range(rows))

        grids.append(
            Grid(
                name=name,
                title=f"{letter}: {titles[len(maps)].format(*maps) if grids else shape}",
                values=tuple(tuple(map(_brief, row)) for row in table(made.values)),
                tags=() if made.tags is None else table(made.tags),
                axes=(axes[::-1] if made.array.endswith(".bias") else axes) if known else None,
                largest=float(np.abs(made.values).max()) if known else None,
            )
        )
    return grids


def _brief(value: float | None) -> float | None:
    """A number as far as a cell has room for it; the formula has more digits."""
    if value is None or float(value).is_integer():
        return value if value is None else int(value)
    return round(float(value), 2) if abs(value) >= 0.1 else float(f"{value:.2g}")


# What one entry was made of


def highlight(
    made: Made,
    index: tuple[int, ...],
    origin: Sum | Read | int | None,
    heading: str,
    shown: dict[str, tuple[int, Made]],
) -> Highlight:
    """Return what choosing one entry shows: what it was made of, its rule with the numbers, and where they stand.

    ``origin`` is that of the entry, ``shown`` the arrays in view, each with the step that made it.
    """
    here = made.cell(*index)
    value, products = number(here.value), origin.terms if isinstance(origin, Sum) else ()
    terms = [_term(product) for product in products]
    notes: tuple[str, ...] = ()
    if origin is None:
        how = f"{value}, as given"
    elif isinstance(origin, Read):
        how = f"{origin.text} = {value}"
    elif len(terms) == 1:
        how, terms = f"{_with_arrays(products[0])} = {terms[0].numbers}", []
    elif terms:
        arrays = " and ".join(sorted({_array_name(cell) for product in products for cell in product if cell.array}))
        how = f"{value}, the sum of {len(terms)} terms, made of {arrays}"
        terms, notes = _in_room(products, terms)
    else:
        how = f"{value}, as {made.otherwise}"
    said = f"{here.text} of {here.array} = {how}."
    return Highlight(
        marks=(*_outlines(_read(origin, shown), "dashed" if here.text[0] in "δg" else "solid"), Mark(*_at(here))),
        formula=Formula(heading, (tuple(terms),) if terms else (), said, notes),
        sentence=f"{heading.partition(':')[0].rstrip('.')}: {said}",
    )


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


def _in_room(products: tuple, terms: list[Term]) -> tuple[list[Term], tuple[str, ...]]:
    """The terms there is room for, without those that are 0 if they are many; and how many are left out."""
    if len(terms) <= MOST_TERMS:
        return terms, ()
    kept = [term for product, term in zip(products, terms, strict=True) if all(cell.value for cell in product)]
    zeros, more = len(terms) - len(kept), max(len(kept) - MOST_TERMS, 0)
    notes = (f"{zeros} terms with a factor 0 are left out.",) if zeros else ()
    return kept[:MOST_TERMS], (*notes, f"There are {more} more.") if more else notes


def _read(origin: Sum | Read | int | None, shown: dict) -> dict[Selection, Tag | None]:
    """The cells that an entry was made of, as far as their numbers are still in view; with the weight that each met."""
    found: list[tuple[Factor, Tag | None]] = []
    if isinstance(origin, Read):
        found = [(cell, cell.tag) for cell in origin.cells]
    elif isinstance(origin, Sum):
        found = [(cell, _weight(product)) for product in origin.terms for cell in product if cell.array]

    def in_view(cell: Factor) -> bool:
        now = shown[cell.array][1].cell(*cell.index)
        return (now.text, now.value) == (cell.text, cell.value)

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
