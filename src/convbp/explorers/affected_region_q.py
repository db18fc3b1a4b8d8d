"""Which outputs a pixel has a part in: region Q, clipped at the border, and the weight on each link (Eq. 16, 17)."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from convbp.convolution import conv2d_input_gradient
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import LARGER_DELTA, LARGER_IMAGE
from convbp.explorers.states.fields import array, tick
from convbp.explorers.states.layer import LARGEST_IMAGE, LayerState
from convbp.notation import factor, number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Scene, Selection, Term, covered, named_tags, rows_of


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer, the chosen pixel of its input, and whether the map of reached outputs is covered."""

    begins_with: ClassVar[dict[str, Any]] = {"delta": LARGER_DELTA}

    image: np.ndarray = array(LARGER_IMAGE, LARGEST_IMAGE)
    covered: bool = tick(
        False,
        label="cover the map",
        doc="Show how many outputs a pixel reaches only when it is chosen, so that it can be predicted first.",
    )
    selected: Selection = field(default=Selection("image", 1, 4), kw_only=True)


def scene(state: State) -> Scene:
    """Return the picture of a state: the input, the δ of the output, how many outputs each pixel reaches, the kernel.

    For each pixel (i′, j′) the highlight outlines the outputs (i′ − m, j′ − n) that have it in their window, and
    faintly those that would have it if the output went on.
    """
    (rows, cols), (k1, k2) = state.delta.shape, state.kernel.shape
    around = np.full((rows + 2 * (k1 - 1), cols + 2 * (k2 - 1)), None)
    around[k1 - 1 : k1 - 1 + rows, k2 - 1 : k2 - 1 + cols] = state.delta
    ones = np.ones((1, rows, cols, 1), int), np.ones((k1, k2, 1, 1), int)
    reach = conv2d_input_gradient(*ones, state.image.shape)[0, :, :, 0]
    grids = {
        "image": Grid("image", "input o: choose a pixel", rows_of(state.image), axes=("i′", "j′")),
        "delta": Grid("delta", "δ of the output", rows_of(around), (1 - k1, 1 - k2), core=(0, 0, rows, cols)),
        "reach": Grid("reach", "how many outputs it reaches", rows_of(reach)),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), tags=rows_of(named_tags("w", (k1, k2)))),
    }
    highlights = {Selection("image", i, j): _highlight(grids, i, j) for i, j in grids["image"].cells()}
    drawn = Scene(
        title="Region Q: the outputs that a pixel has a part in",
        columns=tuple((grid,) for grid in grids.values()),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else next(iter(highlights)),
    )
    return covered(drawn, "reach") if state.covered else drawn


def _highlight(grids: dict[str, Grid], i: int, j: int) -> Highlight:
    delta, kernel = grids["delta"], grids["kernel"]
    k1, k2 = kernel.size
    _, _, rows, cols = delta.core
    first = max(i - k1 + 1, 0), max(j - k2 + 1, 0)
    last = min(i, rows - 1), min(j, cols - 1)
    size = last[0] - first[0] + 1, last[1] - first[1] + 1
    products = {
        (m, n): delta.entry(i - m, j - n) * kernel.entry(m, n) for m, n in kernel.cells() if delta.in_core(i - m, j - n)
    }

    def term(m: int, n: int) -> Term:
        value = delta.entry(i - m, j - n) if (m, n) in products else 0
        weight, product = kernel.entry(m, n), products.get((m, n), 0)
        return Term(
            symbols=f"δ({number(i - m)}, {number(j - n)})·w({m}, {n})",
            numbers=f"{factor(value)}·{factor(weight)} = {number(product)}",
            hue=kernel.tags[m][n].hue,
            outside=(m, n) not in products,
        )

    links = tuple(tuple(kernel.tags[i - r][j - c] for c in _span(first, last, 1)) for r in _span(first, last, 0))
    from_to = f"({first[0]}, {first[1]}) to ({last[0]}, {last[1]})"
    clipped = k1 * k2 - len(products)
    return Highlight(
        marks=(
            Mark("image", i, j),
            Mark("delta", i - k1 + 1, j - k2 + 1, k1, k2, style="faint"),
            Mark("delta", *first, *size, tags=links, style="dashed"),
            Mark("reach", i, j),
            Mark("kernel", i - last[0], j - last[1], *size, style="dashed"),
        ),
        formula=Formula(
            heading=f"∂E/∂o at ({i}, {j})  =  Σₘ Σₙ δ({i} − m, {j} − n) · w(m, n),  δ = 0 outside its map (Eq. 17)",
            terms=tuple(tuple(term(m, n) for n in range(k2)) for m in range(k1)),
            total=f"∂E/∂o at ({i}, {j}) is {number(sum(products.values()))}.",
            notes=(f"Q runs from {from_to}: {size[0]}×{size[1]} of the {k1}×{k2} outputs that a kernel can reach.",),
        ),
        sentence=(
            f"Pixel ({i}, {j}) reaches {len(products)} output{'s' if len(products) > 1 else ''}, from {from_to}: "
            f"region Q{f', of which {clipped} of {k1 * k2} places lie outside the output' if clipped else ''}."
        ),
    )


def _span(first: tuple[int, int], last: tuple[int, int], axis: int) -> range:
    return range(first[axis], last[axis] + 1)


class AffectedRegionQ(Explorer, state=State, scene=scene):
    """Choose a pixel of the input: region Q, the outputs that it has a part in, and the weight on each link."""
