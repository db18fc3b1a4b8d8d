"""From a dense layer to a convolution: cut connections, share weights; the transposed matrix is the way back.

It is the way of Grzegorz Gwardys, "Convolutional Neural Networks backpropagation: from intuition to derivation", 2016.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from math import inf
from typing import Any, ClassVar, NamedTuple

import numpy as np

from convbp.convolution import convolve, cross_correlate
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.fields import array, choice
from convbp.explorers.states.layer import LayerState, delta_of_layer
from convbp.explorers.states.layer_matrix import CUT, DENSE, SHARED, Link, layer_matrix
from convbp.notation import number
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Flight,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Scene,
    Selection,
    Term,
    rows_of,
)
from convbp.pictures.written_terms import in_rows, multiplied

FORWARD, BACKWARD = "forward", "backward"
FIRST = Selection("product", 0, 0)

IMAGE = ((1, 2, 0, 3, 1), (0, 1, 4, 1, 2), (2, 0, 1, 2, 0))
KERNEL = ((1, 2, -1), (3, 1, -2))
DELTA = ((1, -2, 3), (2, 1, -1))


class Way(NamedTuple):
    """A way through the layer: what its matrix, what goes in and what comes out are called, and their axes."""

    matrix: str
    into: str
    out: str
    title: str
    axes: dict[str, tuple[str, str]]


WAYS = {
    FORWARD: Way("W", "o", "x", "input o", {"matrix": ("p", "q"), "product": ("i", "j")}),
    BACKWARD: Way("Wᵀ", "δ", "∂E/∂o", "δ of the output", {"matrix": ("q", "p"), "product": ("i′", "j′")}),
}


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer with its δ, how far the dense layer has become a convolution, and which way one goes through it."""

    # In the example a turned kernel fits into the output, at this cell of the backward pass.
    begins_with: ClassVar[dict[str, Any]] = {"delta": DELTA, "selected": Selection("product", 1, 2)}

    image: np.ndarray = array(IMAGE, 5, doc="The matrix has a column for each pixel.")
    kernel: np.ndarray = array(
        KERNEL,
        5,
        shape="(k1, k2)",
        sliders="w",
        doc="No larger than the image. The other weights of the dense layer are made up.",
    )
    delta: np.ndarray = delta_of_layer()
    step: str = choice(DENSE, {"1 dense": DENSE, "2 cut connections": CUT, "3 share weights": SHARED})
    way: str = choice(FORWARD, {"forward: Wo": FORWARD, "backward: Wᵀδ": BACKWARD}, label="pass")


def scene(state: State) -> Scene:
    """Return the picture of a state: what goes in, the matrix or its transpose, and their product.

    For a cell of the product the highlight writes out the row of the matrix times what goes in; for a weight it shows
    every place where the weight is used.
    """
    way, w = WAYS[state.way], layer_matrix(state.kernel, state.image.shape, state.step)
    (k1, k2), (_, cols) = state.kernel.shape, state.image.shape
    table, source, target = w, state.image, state.delta.shape
    if state.way == BACKWARD:
        table, source, target = [list(column) for column in zip(*w, strict=True)], state.delta, state.image.shape
    product = np.empty(target, object)
    for cell, row in zip(np.ndindex(target), table, strict=True):
        product[cell] = sum(link.value * entry for link, entry in zip(row, source.flat, strict=True) if link)
    weights = len({link.name for row in table for link in row if link})
    title = f"{way.matrix}, {len(table)}×{len(table[0])}: {weights} weight{'s' if weights > 1 else ''}"
    grids = {
        "source": Grid("source", way.title, rows_of(source)),
        "matrix": _grid("matrix", title, table, way.axes["matrix"]),
        "product": Grid("product", f"{way.out} = {way.matrix}{way.into}", rows_of(product), axes=way.axes["product"]),
    }
    made: dict[Selection, Callable[[], Highlight]] = {}
    for t, row in enumerate(table):
        lines = [row[start : start + source.shape[1]] for start in range(0, len(row), source.shape[1])]
        grids["row"] = _grid("row", f"row {t}, laid out as {way.into}", lines)
        made[Selection("product", *divmod(t, target[1]))] = partial(_of_row, state, {**grids}, lines, t)
        for s in range(len(row)):
            made[Selection("matrix", t, s)] = cache(partial(_of_weight, state, {**grids}, table, t, s))
    maps = [grids["matrix"]]
    if state.step == SHARED:
        maps.append(_grid("kernel", "kernel w", [w[0][m * cols : m * cols + k2] for m in range(k1)], ("m", "n")))
        for m, n in maps[1].cells():
            # Its first place in the matrix: to or from output (0, 0).
            place = (0, m * cols + n) if state.way == FORWARD else (m * cols + n, 0)
            made[Selection("kernel", m, n)] = made[Selection("matrix", *place)]
    highlights = Highlights(made)
    return Scene(
        title=f"From a dense layer to a convolution: {state.step}, {state.way}",
        line=(
            (*highlights[FIRST].grids, "⊙", grids["source"]),
            ("=", PRODUCTS),
            ("→", SUM, "→", grids["product"]),
        ),
        maps=tuple(maps),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _grid(name: str, title: str, table: list[list[Link | None]], axes: tuple[str, str] | None = None) -> Grid:
    """A grid of weights. Those that are shared have their colours; until then all are white."""
    tags = tuple(tuple(link and link.tag for link in row) for row in table)
    return Grid(
        name,
        title,
        values=tuple(tuple(link and link.value for link in row) for row in table),
        tags=tags,
        hues=tuple(tuple(tag.hue if tag else None for tag in row) for row in tags),
        axes=axes,
        largest=inf,
    )


def _of_row(state: State, grids: dict[str, Grid], lines: list[list[Link | None]], t: int) -> Highlight:
    way, row, source, product = WAYS[state.way], grids["row"], grids["source"], grids["product"]
    cell = divmod(t, product.size[1])
    value, kept = number(product.entry(*cell)), [at for at in row.cells() if row.entry(*at) is not None]

    def term(r: int, c: int) -> Term:
        link, entry = lines[r][c], source.entry(r, c)
        weight = link.value if link else 0
        return Term(
            symbols=f"{link.name}·{way.into}({r}, {c})" if link else f"{way.into}({r}, {c}) is cut",
            numbers=multiplied(weight, entry),
            hue=link.tag.hue if link and link.tag else None,
            outside=link is None,
            value=weight * entry,
        )

    (top, left), (bottom, right) = kept[0], kept[-1]
    box = top, left, bottom - top + 1, right - left + 1
    if state.way == FORWARD:
        name, slid, equation = "The cross-correlation o ⊗ w", cross_correlate(state.image, state.kernel), "Eq. 1"
    else:
        name, slid, equation = "The full convolution δ ∗ w", convolve(state.delta, state.kernel, mode="full"), "Eq. 20"
    same = ": the same, here and everywhere" if state.step == SHARED else ""
    terms = tuple(tuple(term(r, c) for c in range(len(line))) for r, line in enumerate(lines))
    factors = tuple(terms[r][c].numbers.partition(" = ")[0] for r, c in kept)
    made = Cells("products", *box)
    weights = {
        DENSE: f"each of its {len(kept)} weights is its own",
        CUT: f"{len(kept)} of {source.size[0] * source.size[1]} weights are left, each its own",
        SHARED: "the weights that are left are the kernel's"
        + ("" if state.way == FORWARD else ", and laid out as δ they stand turned by 180°"),
    }
    return Highlight(
        marks=(
            Mark("source", *box, tags=tuple(line[left : right + 1] for line in row.tags[top : bottom + 1])),
            Mark("row", *box),
            Mark("matrix", t, 0, 1, source.size[0] * source.size[1]),
            Mark("product", *cell),
        ),
        formula=Formula(
            heading=f"{way.out}{cell}  =  row {t} of {way.matrix}, times {way.into}",
            terms=terms,
            total=f"{way.out}{cell} is {value}.",
            notes=(f"{name} at {cell} is {number(slid[cell])} ({equation}){same}.", _counts(state)),
            column=(("Σ", product.entry(*cell)),),
        ),
        sentence=f"{way.out}{cell} is {value}, row {t} of the matrix times {way.into}: {weights[state.step]}.",
        grids=(row,),
        flights=(
            (Flight(Cells("source", *box), Cells("row", *box), meets=True),),
            (Flight(Cells("row", *box), made, factors),),
            (Flight(made, Cells("product", *cell)),),
        ),
    )


def _of_weight(state: State, grids: dict[str, Grid], table: list[list[Link | None]], t: int, s: int) -> Highlight:
    way, link = WAYS[state.way], table[t][s]

    def ends(t: int, s: int) -> tuple[tuple[int, int], tuple[int, int]]:
        return divmod(s, grids["source"].size[1]), divmod(t, grids["product"].size[1])

    def marks(t: int, s: int, style: str) -> list[Mark]:
        places = zip(("source", "product", "matrix"), (*ends(t, s), (t, s)), strict=True)
        return [Mark(name, *cell, style=style) for name, cell in places]

    start, end = ends(t, s)
    if link is None:
        return Highlight(
            marks=(Mark("row", *start, style="faint"), *marks(t, s, "faint")),
            formula=Formula(
                f"The connection from {way.into}{start} to {way.out}{end} is cut.", notes=(_counts(state),)
            ),
            sentence=f"Row {t}, column {s} is empty: the connection from {way.into}{start} to {way.out}{end} is cut.",
            grids=(grids["row"],),
        )

    def term(t: int, s: int) -> Term:
        start, end = ends(t, s)
        entry = grids["source"].entry(*start)
        return Term(
            symbols=f"{link.name}·{way.into}{start} → {way.out}{end}",
            numbers=multiplied(link.value, entry),
            hue=link.tag.hue if link.tag else None,
            value=link.value * entry,
        )

    uses = {(t, s): one for t, row in enumerate(table) for s, one in enumerate(row) if one and one.name == link.name}
    others = [mark for use in uses if use != (t, s) for mark in marks(*use, "dashed")]
    kernel = [Mark("kernel", *link.entry)] if link.tag else []
    gradient = sum(state.delta[use.output] * state.image[use.pixel] for use in uses.values())
    where, added = "in this place only", ""
    if len(uses) > 1:
        where, added = f"in {len(uses)} places, once for each output", ", added up over all of them (Eq. 13)"
    width, value = state.delta.shape[1], number(link.value)
    return Highlight(
        marks=(Mark("row", *start), *others, *marks(t, s, "solid"), *kernel),
        formula=Formula(
            heading=f"{link.name} = {value} is used {where}",
            terms=in_rows([term(*use) for use in uses], width),
            total=f"Its gradient is δ·o{added}: {number(gradient)}.",
            notes=(_counts(state),),
            added=False,
        ),
        sentence=(
            f"Row {t}, column {s} holds {link.name}, which is {value} and takes {way.into}{start} to {way.out}{end}; "
            f"this weight is used {where}."
        ),
        grids=(grids["row"],),
    )


def _counts(state: State) -> str:
    outputs, pixels, entries = (array.size for array in (state.delta, state.image, state.kernel))
    return f"Weights: {outputs * pixels} if dense, {outputs * entries} if cut, {entries} if shared."


class DenseToConvolution(Explorer, state=State, scene=scene):
    """A dense layer becomes a convolution: cut connections, then share weights; its transpose is the backward pass.

    Choose a cell of the product to see its row of the matrix, or a weight to see every place where it is used.
    """
