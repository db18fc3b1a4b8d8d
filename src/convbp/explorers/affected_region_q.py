"""Which outputs a pixel has a part in: region Q, clipped at the border, and the weight on each link (Eq. 16, 17)."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from convbp.convolution import conv2d_input_gradient
from convbp.equations.deltas import INPUT_SUM
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import LARGER_DELTA, LARGER_IMAGE
from convbp.explorers.states.fields import array, tick
from convbp.explorers.states.layer import LARGEST_IMAGE, LayerState, numbers_of_layer
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
)
from convbp.pictures.written_terms import Tags, in_rows, named, outline, tags_of, written
from convbp.sums import Sum


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer, the chosen pixel of its input, and whether the map of reached outputs is covered."""

    begins_with: ClassVar[dict[str, Any]] = {"delta": LARGER_DELTA}

    image: np.ndarray = array(LARGER_IMAGE, LARGEST_IMAGE)
    covered: bool = tick(
        False,
        label="cover the map",
        doc="Cover how many outputs a pixel reaches: a cell takes a prediction, and shows its number after it.",
    )
    numbers: str = numbers_of_layer("w")
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
    tags = rows_of(named_tags("w", state.kernel))
    grids = {
        "image": Grid("image", "input o: choose a pixel", rows_of(state.image), axes=("i′", "j′")),
        "delta": Grid("delta", "δ of the output", rows_of(around), (1 - k1, 1 - k2), core=(0, 0, rows, cols)),
        "reach": Grid("reach", "how many outputs it reaches", rows_of(reach)),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), tags=tags, notch="first"),
    }
    sums = all_terms(INPUT_SUM, named(delta=state.delta, kernel=state.kernel))
    carried = tags_of("w", grids["kernel"])
    highlights = {
        Selection("image", i, j): partial(_highlight, grids["kernel"].size, sums[i, j], carried, i, j)
        for i, j in grids["image"].cells()
    }
    drawn = Scene(
        title="Region Q: the outputs that a pixel has a part in",
        line=((grids["image"], "→", grids["delta"]), ("⊙", grids["kernel"]), ("=", PRODUCTS), ("→", SUM)),
        maps=(grids["reach"],),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else next(iter(highlights)),
    )
    return covered(drawn, "reach") if state.covered else drawn


def _highlight(kernel_size: tuple[int, int], entry: Sum, tags: Tags, i: int, j: int) -> Highlight:
    (k1, k2), clip = kernel_size, entry.inside
    region, reached = outline("delta", "delta", clip, tags, "dashed"), len(clip.terms)
    size = region.rows, region.cols
    from_to = f"({region.row}, {region.col}) to ({region.row + size[0] - 1}, {region.col + size[1] - 1})"
    clipped, weights = k1 * k2 - reached, tuple(tag.text for tags in region.tags for tag in tags if tag)
    return Highlight(
        marks=(
            Mark("image", i, j),
            outline("delta", "delta", entry, style="faint"),
            region,
            Mark("reach", i, j),
            outline("kernel", "kernel", clip, style="dashed"),
        ),
        formula=Formula(
            heading=f"∂E/∂o at ({i}, {j})  =  Σₘ Σₙ δ({i} − m, {j} − n) · w(m, n),  δ = 0 outside its map",
            terms=in_rows(written(entry, tags), k2),
            total=f"∂E/∂o at ({i}, {j}) is {number(entry.value)}.",
            notes=(f"Q runs from {from_to}: {size[0]}×{size[1]} of the {k1}×{k2} outputs that a pixel can reach.",),
            column=(("Σ", entry.value),),
        ),
        sentence=(
            f"Pixel ({i}, {j}) reaches {reached} output{'s' if reached > 1 else ''}, from {from_to}: "
            f"region Q{f', of which {clipped} of {k1 * k2} places lie outside the output' if clipped else ''}."
        ),
        flights=(
            (Flight(Cells("image", i, j), region.cells, weights, meets=True),),
            (Flight(region.cells, Cells("reach", i, j), ("1",) * reached),),
        ),
        links=region.links(Selection("image", i, j)),
    )


class AffectedRegionQ(Explorer, state=State, scene=scene):
    """Choose a pixel of the input: region Q, the outputs that it has a part in, and the weight on each link."""
