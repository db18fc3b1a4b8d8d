"""How the δ come back to the layer below: collected by the turned kernel, or spread by the kernel (Eq. 15 to 22)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from convbp import exercises
from convbp.activations import Activation
from convbp.convolution import cross_correlate, rot180
from convbp.equations.deltas import COLLECTED
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import LARGER_DELTA
from convbp.explorers.states.fields import activation, array, choice, tick
from convbp.explorers.states.layer import LARGEST_IMAGE, LayerState, delta_of_layer, numbers_of_layer
from convbp.notation import factor, number
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

GATHER, SCATTER = "gather", "scatter"

IMAGE = ((1, -2, 3, 0, 2, -1), (-1, 4, -3, 2, 1, 5), (2, 1, 0, 3, 2, 1), (3, -1, 2, -4, 1, 2))
DELTA = LARGER_DELTA[:3]
BEGIN = {GATHER: (2, 4), SCATTER: (0, 0)}  # with which cell


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer xˡ⁺¹ = f(xˡ) ⊗ w with δ = ∂E/∂xˡ⁺¹; its image is xˡ. And the way in which δˡ is computed.

    The chosen cell is how far it has come: the last pixel that has collected, or the last δ that has spread.
    """

    begins_with: ClassVar[dict[str, Any]] = {"delta": DELTA}

    image: np.ndarray = array(IMAGE, LARGEST_IMAGE, doc="xˡ, what f was applied to.")
    delta: np.ndarray = delta_of_layer()
    activation: Activation = activation("relu", label="activation f")
    way: str = choice(
        GATHER,
        {"gather: pixel by pixel": GATHER, "scatter: δ by δ": SCATTER},
        doc="The turned kernel collects, pixel by pixel; or each δ spreads the kernel. The numbers are the same.",
    )
    covered: bool = tick(
        False,
        label="cover δˡ",
        doc="Cover δˡ: a cell takes a prediction, and shows its number after it.",
    )
    numbers: str = numbers_of_layer("w", "x")

    def outputs(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """xˡ⁺¹."""
        return super().outputs(self.activation(image), kernel)

    @property
    def places(self) -> tuple[int, int]:
        """The size of the array that is gone through, cell by cell."""
        return (self.image if self.way == GATHER else self.delta).shape


def scene(state: State) -> Scene:
    """Return the picture of a state: xˡ and f′(xˡ), δˡ⁺¹, the kernel and its turn, the sums so far, and δˡ.

    For a pixel of xˡ the highlight lays rot180(w) over the δ, puts the products in the cells and adds them; for a δ it
    multiplies w with it, and adds the products to the pixels that it came from. All sums are those after that step.
    """
    (k1, k2), f, gather = state.kernel.shape, state.activation, state.way == GATHER
    tags = named_tags("w", state.kernel)
    spread = _spread(state.delta, state.kernel)
    sums, slope = cross_correlate(state.delta, rot180(state.kernel), mode="full"), f.derivative(state.image)
    around = np.pad(state.delta.astype(object), ((k1 - 1,) * 2, (k2 - 1,) * 2), constant_values=0)
    core = (0, 0, *state.delta.shape)
    grids = {
        "image": Grid("image", "xˡ, before f", rows_of(state.image)),
        "slope": Grid("slope", f"{f.name}′(xˡ)", rows_of(slope), largest=3 * np.abs(slope).max()),
        "delta": Grid("delta", "δˡ⁺¹, zeros around it", rows_of(around), (1 - k1, 1 - k2), core=core)
        if gather
        else Grid("delta", "δˡ⁺¹", rows_of(state.delta), axes=("i", "j")),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), tags=rows_of(tags), notch="first"),
        "turned": Grid(
            "turned", "rot180(w)", rows_of(rot180(state.kernel)), tags=rows_of(tags[::-1, ::-1]), notch="last"
        ),
        "sums": Grid("sums", "sums so far", rows_of(sums), largest=max(np.abs(part).max() for part in spread)),
        "below": Grid("below", "δˡ: sums · f′", rows_of(sums * slope), axes=("i′", "j′") if gather else None),
    }
    if gather:
        collected = all_terms(COLLECTED, named(delta=state.delta, kernel=state.kernel))
        carried = tags_of("w", grids["kernel"])
        highlights = {
            Selection("below", i, j): partial(gathered, grids, collected[i, j], carried, i, j)
            for i, j in grids["below"].cells()
        }
    else:
        highlights = {
            Selection("delta", i, j): partial(_scatter, grids, spread, i, j) for i, j in np.ndindex(state.delta.shape)
        }
    # A change of the way, or of the shape, can leave the chosen cell outside; then the nearest one is chosen.
    begin = state.selected[1:] if state.selected.grid else BEGIN[state.way]
    chosen = (min(max(at, 0), end - 1) for at, end in zip(begin, state.places, strict=True))
    selected = Selection("below" if gather else "delta", *chosen)
    line: tuple[Phrase, ...]
    if gather:
        maps = "kernel", "image", "slope", "sums"
        line = (grids["delta"], "⊙", grids["turned"]), ("=", PRODUCTS), ("→", SUM, "→", grids["below"])
    else:
        maps = "turned", "image", "slope", "below"
        line = (grids["delta"], "×", grids["kernel"]), ("=", PRODUCTS), ("→", grids["sums"])
    drawn = Scene(
        title=f"The δ of the layer below, by {state.way}",
        line=line,
        maps=tuple(grids[name] for name in maps),
        highlights=Highlights(highlights),
        selected=selected,
    )
    return covered(drawn, "below") if state.covered else drawn


def _spread(delta: np.ndarray, kernel: np.ndarray) -> list[np.ndarray]:
    """The sums before the first δ has spread, and after each of them."""
    (k1, k2), (rows, cols) = kernel.shape, delta.shape
    sums = [np.full((rows + k1 - 1, cols + k2 - 1), 0, object)]
    for i, j in np.ndindex(delta.shape):
        sums.append(sums[-1].copy())
        sums[-1][i : i + k1, j : j + k2] += delta[i, j] * kernel
    return sums


def gathered(
    grids: Mapping[str, Grid],
    entry: Sum,
    tags: Tags,
    i: int,
    j: int,
    padding: tuple[int, int] = (0, 0),
    around: str = ", with zeros around",
    notes: tuple[str, ...] = (),
) -> Highlight:
    """What pixel (i, j) of xˡ shows: rot180(w) on the δ that it had a part in, their products, the sum, and times f′.

    The grids may be a part of larger ones, as their origins say.
    """
    turned, sums, slope, below = (grids[name] for name in ("turned", "sums", "slope", "below"))
    (k1, k2), (H, W), (top, left) = turned.size, sums.size, sums.origin
    window = replace(outline("delta", "delta", entry, tags), notch="last")
    lying, made = Cells("turned", 0, 0, k1, k2), Cells("products", 0, 0, k1, k2)
    done, total, result = (i - top) * W + j - left + 1, sums.entry(i, j), number(below.entry(i, j))
    times = f"f′({number(grids['image'].entry(i, j))}) = {factor(total)}·{factor(slope.entry(i, j))}"
    so_far = tuple(
        tuple(value if r * W + c < done else None for c, value in enumerate(row)) for r, row in enumerate(sums.values)
    )
    up, across = i + padding[0], j + padding[1]
    return Highlight(
        marks=(
            *(Mark(name, i, j) for name in ("image", "slope", "sums", "below")),
            window,
            Mark("turned", 0, 0, k1, k2),
        ),
        formula=Formula(
            heading=f"δˡ({i}, {j})  =  f′ · Σₘ Σₙ δˡ⁺¹({up} − m, {across} − n) · w(m, n),  δ = 0 outside its map",
            terms=in_rows(written(entry, tags), k2),
            total=f"The sum is {number(total)}, and δˡ({i}, {j}) is {number(total)} · {times} = {result} (Eq. 20).",
            notes=(f"Pixel {done} of {H * W} has collected: rot180(w) lies on the δ that it had a part in.", *notes),
            column=(
                ("Σ", total),
                (f"× f′({number(grids['image'].entry(i, j))})", slope.entry(i, j)),
                ("δˡ", below.entry(i, j)),
            ),
        ),
        sentence=(
            f"Pixel ({i}, {j}) collects: rot180(w) lies on the {k1}×{k2} window of δˡ⁺¹ that starts at "
            f"({number(window.row)}, {number(window.col)}){around}; the products sum to {number(total)}, "
            f"and times f′ that is δˡ = {result}."
        ),
        grids=(replace(sums, values=so_far),),
        flights=(
            (Flight(window.cells, lying, meets=True),),
            (Flight(lying, made, factors(entry)),),
            (Flight(made, Cells("sums", i, j)),),
            (Flight(Cells("sums", i, j), Cells("below", i, j), fades=slope.entry(i, j) == 0),),
        ),
        links=tuple(link for link in window.links(Selection("below", i, j)) if grids["delta"].in_core(*link.end[1:])),
    )


def _scatter(grids: dict[str, Grid], spread: list[np.ndarray], i: int, j: int) -> Highlight:
    delta, kernel, sums = (grids[name] for name in ("delta", "kernel", "sums"))
    (k1, k2), (H, W) = kernel.size, sums.size
    rows, cols = H - k1 + 1, W - k2 + 1
    value, done = delta.entry(i, j), i * cols + j + 1
    before, after = spread[done - 1], spread[done]
    products = tuple(tuple(value * kernel.entry(m, n) for n in range(k2)) for m in range(k1))

    weights, made = Cells("kernel", 0, 0, k1, k2), Cells("products", 0, 0, k1, k2)
    reaches = Mark("sums", i, j, k1, k2, tags=kernel.tags, style="dashed", notch="first")

    # No entry's sum, but a step of all of them: no formula has these terms.
    def term(m: int, n: int) -> Term:
        return Term(
            symbols=f"to ({i + m}, {j + n}): δ·w({m}, {n})",
            numbers=f"{number(before[i + m, j + n])} + {factor(products[m][n])} = {number(after[i + m, j + n])}",
            hue=kernel.tag_hue(m, n),
            value=after[i + m, j + n],
        )

    def reached(r: int, c: int) -> bool:
        """Whether the first δ that comes to the pixel has spread."""
        return max(r - k1 + 1, 0) * cols + max(c - k2 + 1, 0) < done

    so_far = tuple(tuple(after[r, c] if reached(r, c) else None for c in range(W)) for r in range(H))
    last = " They are what gather collects." if done == rows * cols else ""
    return Highlight(
        marks=(
            Mark("delta", i, j),
            Mark("kernel", 0, 0, k1, k2),
            reaches,
        ),
        formula=Formula(
            heading=f"δˡ⁺¹({i}, {j}) = {number(value)} spreads: add {factor(value)}·w(m, n) at ({i} + m, {j} + n)",
            terms=tuple(tuple(term(m, n) for n in range(k2)) for m in range(k1)),
            total=f"{done} of {rows * cols} δ {'has' if done == 1 else 'have'} spread.{last}",
            notes=("When all have spread, the sums times f′(xˡ), pixel by pixel, are δˡ (Eq. 20).",),
            added=False,
            name="what was there + δ·w",
        ),
        sentence=(
            f"δ ({i}, {j}) is {number(value)}: it spreads the kernel as it is, {number(value)} times each weight, over "
            f"the {k1}×{k2} pixels that start at ({i}, {j}), where it is added to what came before."
        ),
        grids=(replace(sums, values=so_far),),
        flights=(
            (Flight(Cells("delta", i, j), weights, meets=True),),
            (Flight(weights, made, tuple(f"{factor(value)}·{factor(w)}" for row in kernel.values for w in row)),),
            (Flight(made, reaches.cells),),
        ),
        links=reaches.links(Selection("delta", i, j)),
    )


class DeltaFlow(Explorer, state=State, scene=scene):
    """Choose a pixel: the δ above it, the turned kernel over them, products, sum, times f′. Or let each δ spread."""

    def mistake_in(self, numbers: np.ndarray) -> str:
        layer = self.state
        arrays = {"delta": layer.delta, "kernel": layer.kernel, "pre_activation": layer.image}
        return exercises.delta_recursion.mistake_in(numbers, arrays, slope=layer.activation.derivative)
