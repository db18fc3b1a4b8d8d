"""Where the gradient of one weight comes from: every δ times the pixel that the weight met there (Eq. 10 to 14)."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from convbp.convolution import convolve, cross_correlate, rot180
from convbp.equations.kernel_gradient import KERNEL_SUM
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import DELTA, KERNEL
from convbp.explorers.states.fields import array
from convbp.explorers.states.layer import LARGEST_KERNEL, LayerState, delta_of_layer
from convbp.notation import number
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Flight,
    Formula,
    Grid,
    Highlight,
    Mark,
    Scene,
    Selection,
    named_tags,
    rows_of,
)
from convbp.pictures.written_terms import Tags, in_rows, named, outline, tags_of, written
from convbp.pictures.written_terms import products as factors
from convbp.sums import Sum

FIRST = Selection("gradient", 0, 0)
FIGURE = "The article's figure, o ⊗ rot180(δ)"  # the flipped δ slides without a second flip: wrong


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer, and the chosen weight."""

    begins_with: ClassVar[dict[str, Any]] = {"delta": DELTA}

    kernel: np.ndarray = array(
        KERNEL,
        LARGEST_KERNEL,
        shape="(k1, k2)",
        doc="No larger than the image. The gradient does not depend on its values.",
    )
    delta: np.ndarray = delta_of_layer(sliders="δ")
    selected: Selection = field(default=Selection("gradient", 0, 1), kw_only=True)


def scene(state: State) -> Scene:
    """Return the picture of a state: the input, δ, their products for the chosen weight, the kernel, its gradient.

    For each weight w(m′, n′) the highlight outlines the part of the input that it met, puts the products in the cells,
    and compares the sum with Eq. 14, with the article's figure and with a central difference.
    """
    image = Grid("image", "input o", rows_of(state.image))
    delta = Grid("delta", "δ of the output", rows_of(state.delta), tags=rows_of(named_tags("δ", state.delta)))
    kernel = Grid("kernel", "kernel w", rows_of(state.kernel), axes=("m′", "n′"))
    gradient = Grid("gradient", "∂E/∂w", rows_of(cross_correlate(state.image, state.delta)), axes=("m′", "n′"))
    others = {
        "Eq. 14, the valid part of rot180(δ) ∗ o": convolve(state.image, rot180(state.delta)),
        FIGURE: cross_correlate(state.image, rot180(state.delta)),
        "Central difference of E = Σ δ·x": state.central_difference("kernel"),
    }
    sums = all_terms(KERNEL_SUM, named(o=state.image, delta=state.delta))
    tags = tags_of("δ", delta)
    highlights = {
        Selection(grid.name, m, n): _highlight(delta, gradient, sums[m, n], tags, others, (m, n))
        for grid in (kernel, gradient)
        for m, n in grid.cells()
    }
    return Scene(
        title="The gradient of the kernel, weight by weight",
        line=((image, "⊙", delta), ("=", PRODUCTS), ("→", SUM, "→", gradient)),
        maps=(kernel,),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _highlight(
    delta: Grid,
    gradient: Grid,
    entry: Sum,
    tags: Tags,
    others: dict[str, np.ndarray],
    weight: tuple[int, int],
) -> Highlight:
    (m, n), (rows, cols), result = weight, delta.size, gradient.entry(*weight)

    def note(name: str, value: object) -> str:
        verdict = "" if name != FIGURE else ", equal by chance" if value == result else ", not the gradient"
        return f"{name} at ({m}, {n}) = {number(value)}{verdict}"

    window, lying = outline("image", "o", entry, tags), outline("delta", "delta", entry)
    made = Cells("products", 0, 0, rows, cols)
    bias = number(sum(value for row in delta.values for value in row))
    return Highlight(
        marks=(
            window,
            lying,
            Mark("kernel", m, n),
            Mark("gradient", m, n),
        ),
        formula=Formula(
            heading=f"∂E/∂w({m}, {n})  =  Σᵢ Σⱼ δ(i, j) · o(i + {m}, j + {n})  (Eq. 13)",
            terms=in_rows(written(entry, tags), cols),
            total=f"∂E/∂w({m}, {n}) is {number(result)}.",
            notes=(
                *(note(name, array[m, n]) for name, array in others.items()),
                f"And the bias, which meets 1 everywhere: ∂E/∂b = Σ δ = {bias}",
            ),
            column=(("Σ", gradient.entry(m, n)),),
            name=f"δ · o, for w({m}, {n})",
        ),
        sentence=(
            f"The gradient of w({m}, {n}) is {number(result)}: as the kernel slides, this weight meets the "
            f"{rows}×{cols} part of the input that starts at ({m}, {n}); multiply each pixel by the δ of the output "
            "it went into, and add."
        ),
        flights=(
            (Flight(window.cells, lying.cells, meets=True),),
            (Flight(lying.cells, made, factors(entry)),),
            (Flight(made, Cells("gradient", m, n)),),
        ),
    )


class KernelGradient(Explorer, state=State, scene=scene):
    """Choose a weight: the part of the input that it met, the δ it met there, the products and their sum."""
