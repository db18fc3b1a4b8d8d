"""A layer forwards: receptive field, products, pre-activation, activation (Eq. 6 to 8)."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from convbp.activations import Activation
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.equations.forward import FORWARD_SUM
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.fields import activation, array, scalar, tick
from convbp.explorers.states.state import ExplorerState
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
    Phrase,
    Scene,
    Selection,
    Term,
    covered,
    named_tags,
    rows_of,
)
from convbp.pictures.written_terms import Tags, in_rows, named, outline, tags_of, written
from convbp.pictures.written_terms import products as factors
from convbp.sums import Sum

FIRST = Selection("x", 0, 0)
ROWS_OF_SUM = 4  # as high as so many rows of an image are the bias below the products, and the sum

IMAGE = ((1, 2, 0, 3, 1, 0), (0, 1, 2, 1, 4, 1), (2, 0, 1, 2, 3, 0), (1, 3, 0, 1, 2, 2))
KERNEL = ((1, -2, 1), (0, 2, -1))


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """What the reader sees: the input, the filter with its one bias, the activation, and the chosen cell."""

    image: np.ndarray = array(IMAGE, 9)
    kernel: np.ndarray = array(KERNEL, 5, shape="(k1, k2)", doc="No larger than the image.", sliders="w")
    bias: Any = scalar(1, label="bias b", slider={"step": 0.5}, doc="A filter has one bias for all places.")
    activation: Activation = activation("relu", label="activation f")
    covered: bool = tick(
        False,
        label="cover the output",
        doc="Cover x and f(x): a cell takes a prediction, and shows its number after it.",
    )
    as_convolution: bool = tick(
        False,
        label="the same as a convolution",
        doc="Say below the sum what Eq. 6 makes of it: a true convolution with the turned kernel.",
    )
    selected: Selection = field(default=Selection("x", 0, 2), kw_only=True)


def scene(state: State) -> Scene:
    """Return the picture of a state: the input, the kernel, their products, the pre-activation x and the output f(x).

    For each cell (i, j) of x, or of f(x), the highlight outlines the receptive field and writes out Eq. 7 and 8, and
    Eq. 6 where it is asked for.
    """
    (k1, k2), f = state.kernel.shape, state.activation
    x = cross_correlate(state.image, state.kernel) + state.bias
    as_in_eq_6 = convolve(state.image, rot180(state.kernel), mode="full") + state.bias
    tags = rows_of(named_tags("w", state.kernel))
    grids = {
        "image": Grid("image", "input oˡ⁻¹", rows_of(state.image)),
        "kernel": Grid("kernel", "kernel wˡ", rows_of(state.kernel), tags=tags, notch="first"),
        "x": Grid("x", "pre-activation xˡ", rows_of(x), axes=("i", "j")),
        "o": Grid("o", f"oˡ = {f.name}(xˡ)", rows_of(f(x)), axes=("i", "j")),
    }
    sums: Any = all_terms(FORWARD_SUM, named(o=state.image, kernel=state.kernel))
    carried = tags_of("w", grids["kernel"])
    highlights = {
        Selection(name, i, j): partial(
            _highlight, name, grids, sums[i, j], carried, state, as_in_eq_6[i + k1 - 1, j + k2 - 1], i, j
        )
        for name in ("x", "o")
        for i, j in np.ndindex(x.shape)
    }
    image, kernel, before, after = grids.values()
    # Beside an image so high the sum has room below its products, and the line is as much shorter.
    summed: tuple[Phrase, ...] = (("=", PRODUCTS), ("→", SUM))
    if len(state.image) >= k1 + ROWS_OF_SUM:
        summed = (("=", (PRODUCTS, SUM)),)
    drawn = Scene(
        title="Forward pass: x = o ⊗ w + b, then f(x)",
        line=((image, "⊙", kernel), *summed, ("→", before, "→", after)),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )
    return covered(drawn, "o", "x") if state.covered else drawn


def _highlight(
    chosen: str, grids: dict[str, Grid], entry: Sum, tags: Tags, state: State, as_in_eq_6: object, i: int, j: int
) -> Highlight:
    (k1, k2), f = state.kernel.shape, state.activation
    x, o = grids["x"].entry(i, j), grids["o"].entry(i, j)

    field = f"the {k1}×{k2} receptive field that starts at ({i}, {j})"
    window = replace(outline("image", "o", entry, tags), notch="first")
    weights, made = outline("kernel", "kernel", entry), Cells("products", 0, 0, k1, k2)
    by_convolution = (
        f"rot180(wˡ) ∗ oˡ⁻¹ at ({i + k1 - 1}, {j + k2 - 1}), plus b, is {number(as_in_eq_6)} too: "
        "∗ turns the kernel back (Eq. 6)."
    )
    sentences = {
        "x": f"Pre-activation ({i}, {j}) is {number(x)}: the kernel lies on {field}; multiply entry by entry, add, and "
        f"add the bias {number(state.bias)}.",
        "o": f"Output ({i}, {j}) is {number(o)}, {f.name} of the pre-activation {number(x)}: all it sees of the input "
        f"is {field}.",
    }
    return Highlight(
        marks=(
            window,
            weights,
            Mark("x", i, j, style="solid" if chosen == "x" else "dashed"),
            Mark("o", i, j, style="solid" if chosen == "o" else "dashed"),
        ),
        formula=Formula(
            heading=f"xˡ({i}, {j})  =  Σₘ Σₙ wˡ(m, n) · oˡ⁻¹({i} + m, {j} + n)  +  bˡ  (Eq. 7)",
            terms=(*in_rows(written(entry, tags), k2), (Term("b", number(state.bias), value=state.bias),)),
            column=(("Σ", x), (f"{f.name}", o)),
            total=f"xˡ({i}, {j}) is {number(x)}, and oˡ({i}, {j}) is {f.name}({number(x)}) = {number(o)} (Eq. 8).",
            notes=(
                *((by_convolution,) if state.as_convolution else ()),
                f"{f.name}(x) is {f.formula}. Its slope here, needed on the way back, is "
                f"{number(f.derivative(x).item())}.",
            ),
        ),
        sentence=sentences[chosen],
        flights=(
            (Flight(window.cells, weights.cells, meets=True),),
            (Flight(weights.cells, made, factors(entry)),),
            (Flight(made, Cells("x", i, j)),),
            (Flight(Cells("x", i, j), Cells("o", i, j)),),
        ),
    )


class ForwardPass(Explorer, state=State, scene=scene):
    """Choose a cell of a layer's output: its receptive field, the products, the bias and the activation."""
