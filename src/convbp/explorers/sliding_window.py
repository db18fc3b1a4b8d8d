"""A kernel slides over an image: cross-correlation and convolution, cell by cell (Eq. 1 to 3)."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from convbp import exercises
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.equations import equation
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import IMAGE, KERNEL
from convbp.explorers.states.fields import array, choice, tick
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
    Scene,
    Selection,
    covered,
    named_tags,
    rows_of,
    turn,
)
from convbp.pictures.written_terms import Tags, in_rows, named, outline, products, tags_of, written
from convbp.sums import Sum

CROSS_CORRELATION, CONVOLUTION = "cross-correlation", "convolution"

# Which of them asks for the output.
EXERCISES = {
    (CROSS_CORRELATION, "valid"): exercises.cross_correlation,
    (CONVOLUTION, "valid"): exercises.convolution,
    (CONVOLUTION, "full"): exercises.full_convolution,
}


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """What the reader sees: two arrays, the operation, its mode, whether the output is covered, its chosen cell."""

    image: np.ndarray = array(IMAGE, 16)
    kernel: np.ndarray = array(KERNEL, 5, shape="(k1, k2)", sliders="K", presets=True)
    operation: str = choice(
        CROSS_CORRELATION,
        {"cross-correlation ⊗": CROSS_CORRELATION, "convolution ∗": CONVOLUTION},
        doc="Eq. 1 or Eq. 2 of the article.",
    )
    mode: str = choice("valid", ["valid", "full"])
    covered: bool = tick(
        False,
        label="cover the output",
        doc="Cover the output: a cell takes a prediction, and shows its number after it.",
    )


def scene(state: State) -> Scene:
    """Return the picture of a state: the input, the kernel, the kernel as it slides, and the output.

    For each cell (i, j) of the output the highlight outlines the window of the input that made it, and
    writes out its sum: over I(i + m, j + n)·K(m, n), Eq. 1, or over I(i − m, j − n)·K(m, n), Eq. 2.
    """
    flips, full = state.operation == CONVOLUTION, state.mode == "full"
    (rows, cols), (k1, k2) = state.image.shape, state.kernel.shape
    output = (convolve if flips else cross_correlate)(state.image, state.kernel, mode=state.mode)
    around = (k1 - 1, k2 - 1) if full else (0, 0)
    zero = np.zeros((), state.image.dtype)  # beside Python's integers Python's, not NumPy's, which could overflow
    # An output cell has the index of its window's first cell in Eq. 1, of its window's last cell in Eq. 2.
    top, left = (k - 1 - a if flips else -a for k, a in zip((k1, k2), around, strict=True))

    tags = named_tags("K", state.kernel)
    grid_in = Grid(
        name="input",
        title="input I",
        values=rows_of(np.pad(state.image, tuple((a, a) for a in around), constant_values=zero)),
        origin=(-around[0], -around[1]),
        core=(0, 0, rows, cols),
    )
    kernel = Grid("kernel", "kernel K", rows_of(state.kernel), tags=rows_of(tags), notch="first")
    slid = Grid(
        name="slid",
        title="rot180(K) slides" if flips else "K slides as it is",
        values=rows_of(rot180(state.kernel)) if flips else kernel.values,
        tags=rows_of(tags[::-1, ::-1] if flips else tags),
        notch="last" if flips else "first",
    )
    grid_out = Grid(
        name="output",
        title=f"output {_symbol(flips)}",
        values=rows_of(output),
        origin=(top, left),
        axes=("i", "j"),
    )
    formula = equation(2 if flips else 1).statement.sides[1]
    counts = range(top, top + len(output)), range(left, left + output.shape[1])
    terms = all_terms(formula.on(*counts), named(inputs=state.image, kernel=state.kernel))
    carried, lying = tags_of("K", kernel), Cells("slid", 0, 0, k1, k2)
    highlights = {
        Selection("output", i, j): partial(_highlight, grid_out, terms[i - top, j - left], carried, lying, flips, i, j)
        for i, j in grid_out.cells()
    }
    (i, j), (out_rows, out_cols) = state.selected[1:], grid_out.size
    drawn = Scene(
        title=f"Sliding window, {state.operation}, {state.mode}",
        line=((grid_in, "⊙", slid), ("=", PRODUCTS), ("→", SUM, "→", grid_out)),
        highlights=Highlights(highlights),
        # A change of mode can leave the chosen cell outside the output; then the nearest one is chosen.
        selected=Selection("output", min(max(i, top), top + out_rows - 1), min(max(j, left), left + out_cols - 1)),
        maps=(kernel,),
        flights=turn(Cells("kernel", 0, 0, k1, k2), lying) if flips else (),
    )
    return covered(drawn, "output") if state.covered else drawn


def _highlight(grid_out: Grid, entry: Sum, tags: Tags, lying: Cells, flips: bool, i: int, j: int) -> Highlight:
    (k1, k2), window = lying[3:], outline("input", "inputs", entry, tags)
    sign = "\u2212" if flips else "+"
    result = grid_out.entry(i, j)

    made = Cells("products", 0, 0, k1, k2)
    here = f"({number(i)}, {number(j)})"
    return Highlight(
        marks=(
            replace(window, notch="last" if flips else "first"),
            Mark("slid", 0, 0, k1, k2),
            Mark("output", i, j),
        ),
        formula=Formula(
            heading=f"{_symbol(flips)} at {here}  =  Σₘ Σₙ I({number(i)} {sign} m, {number(j)} {sign} n) · K(m, n)",
            terms=in_rows(written(entry, tags, faint=False), k2),
            total=f"The {k1 * k2} products sum to {number(result)}."
            if k1 * k2 > 1
            else f"The sum is {number(result)}.",
            column=((_symbol(flips), result),),
        ),
        sentence=(
            f"Output {here} is {number(result)}: the {'turned ' if flips else ''}kernel lies on the {k1}×{k2} window "
            f"of the input that starts at ({number(window.row)}, {number(window.col)}); multiply entry by entry, "
            "and add."
        ),
        flights=(
            (Flight(window.cells, lying, meets=True),),
            *(() if flips else ((Flight(lying, made, products(entry)),),)),  # or they lie in another order
            (Flight(made, Cells("output", i, j)),),
        ),
    )


def _symbol(flips: bool) -> str:
    return "I ∗ K" if flips else "I ⊗ K"


class SlidingWindow(Explorer, state=State, scene=scene):
    """A kernel slides over an image; choose a cell of the output and see the window and the sum that made it."""

    def mistake_in(self, numbers: np.ndarray) -> str:
        asked = EXERCISES.get((self.state.operation, self.state.mode))
        return asked.mistake_in(numbers, {"image": self.state.image, "kernel": self.state.kernel}) if asked else ""
