"""Where the gradient of a weight comes from: every δ times the pixel that the weight met there (Eq. 10 to 14).

It is seen in four ways: weight by weight; with δ turned, as the article's figure of Eq. 14 has it, which is wrong;
δ by δ, each of which spreads the input over the weights; and as the kernel slides, what one weight meets.
"""

from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np

from convbp import exercises
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.equations.conventions import FIGURE, TABLE, formula_of
from convbp.equations.kernel_gradient import KERNEL_SUM
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import DELTA, KERNEL
from convbp.explorers.states.fields import array, choice, pair, tick
from convbp.explorers.states.layer import LARGEST_KERNEL, LayerState, delta_of_layer, numbers_of_layer
from convbp.notation import bracketed, factor, number
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Flight,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Makers,
    Mark,
    Phrase,
    Scene,
    Selection,
    Tag,
    Term,
    covered,
    named_tags,
    rows_of,
    turn,
)
from convbp.pictures.written_terms import coming_about, in_rows, named, outline, products, tags_of, written
from convbp.sums import Sum

WEIGHTS, TURNED, DELTAS, FOLLOW = "weights", "turned", "deltas", "follow"
WAYS = {
    "weight by weight": WEIGHTS,
    "δ turned": TURNED,
    "δ by δ": DELTAS,
    "follow one weight": FOLLOW,
}
BY_WEIGHT = WEIGHTS, TURNED  # in which a weight is chosen; in the others a δ is
FIRST = Selection("gradient", 0, 0), Selection("delta", 0, 0)


def _another_way(state: "State", way: str) -> "State":
    """Seen in another way, with the same weight where one is shown."""
    chosen = state.selected
    weight = state.weight if chosen.grid == "delta" else (chosen.row, chosen.col)
    stays = (way in BY_WEIGHT) == (chosen.grid != "delta")
    begin = Selection("gradient", *weight) if way in BY_WEIGHT else FIRST[1]
    return replace(state, way=way, weight=weight, selected=chosen if stays else begin)


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer, the way in which its gradient is seen, and the chosen weight or δ."""

    begins_with: ClassVar[dict[str, Any]] = {"delta": DELTA}

    kernel: np.ndarray = array(
        KERNEL,
        LARGEST_KERNEL,
        shape="(k1, k2)",
        doc="No larger than the image. The gradient does not depend on its values.",
    )
    delta: np.ndarray = delta_of_layer()
    way: str = choice(
        WEIGHTS,
        WAYS,
        change=_another_way,
        doc="Weight by weight; with δ turned, as in the article's figure; δ by δ; or following one weight.",
    )
    weight: tuple[int, int] = pair(
        (0, 1),
        0,
        room=lambda state: [size - 1 for size in state.kernel.shape],
        names="w",
        doc="The one that is followed, or the nearest that there is.",
    )
    covered: bool = tick(
        False,
        label="cover ∂E/∂w",
        doc="Cover the gradient: a cell takes a prediction, and shows its number after it.",
    )
    numbers: str = numbers_of_layer("δ")
    selected: Selection = field(default=Selection("gradient", 0, 1), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        nearest = tuple(min(at, size - 1) for at, size in zip(self.weight, self.kernel.shape, strict=True))
        object.__setattr__(self, "weight", nearest)

    @property
    def gradient(self) -> np.ndarray:
        """∂E/∂w (Eq. 13)."""
        return cross_correlate(self.image, self.delta)

    @property
    def figure(self) -> np.ndarray:
        """What the article's figure computes: the flipped δ slides without a second flip."""
        return cross_correlate(self.image, rot180(self.delta))


def scene(state: State) -> Scene:
    """Return the picture of a state: the input, δ, their products, the kernel and its gradient.

    For a weight the highlight outlines the part of the input that it met, puts the products in the cells and compares
    the sum with a central difference and, if δ is turned, with Eq. 14; for a δ it adds what the weights get from it,
    or what one of them meets there.
    """
    tags, by_weight = named_tags("δ", state.delta), state.way in BY_WEIGHT
    grids = {
        "image": Grid("image", "input o", rows_of(state.image)),
        "delta": Grid(
            "delta",
            "δ of the output",
            rows_of(state.delta),
            tags=rows_of(tags),
            axes=None if by_weight else ("i", "j"),
            notch="first" if state.way == TURNED else "",
        ),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), axes=("m′", "n′") if by_weight else None),
        "gradient": Grid("gradient", "∂E/∂w", rows_of(state.gradient), axes=("m′", "n′") if by_weight else None),
    }
    made = {WEIGHTS: _by_weights, TURNED: _turned, DELTAS: _by_deltas, FOLLOW: _followed}[state.way]
    line, maps, highlights = made(state, grids)
    drawn = Scene(
        title=f"The gradient of the kernel, {next(name for name, way in WAYS.items() if way == state.way)}",
        line=line,
        maps=maps,
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST[not by_weight],
        flights=turn(*(Cells(name, 0, 0, *state.delta.shape) for name in ("delta", "turned")))
        if state.way == TURNED
        else (),
    )
    return covered(drawn, "gradient") if state.covered else drawn


Made = tuple[tuple[Phrase, ...], tuple[Grid, ...], Makers]


def _by_weights(state: State, grids: dict[str, Grid]) -> Made:
    image, delta, kernel, gradient = grids.values()
    slopes = state.central_difference("kernel")
    sums: Any = all_terms(KERNEL_SUM, named(o=state.image, delta=state.delta))
    bias = number(state.delta.sum())
    (rows, cols), tags = delta.size, tags_of("δ", delta)

    def highlight(entry: Sum, m: int, n: int) -> Highlight:
        result, name = gradient.entry(m, n), bracketed("∂E/∂w", m, n)
        return Highlight(
            marks=(
                outline("image", "o", entry, tags),
                outline("delta", "delta", entry),
                Mark("kernel", m, n),
                Mark("gradient", m, n),
            ),
            formula=Formula(
                heading=f"{name}  =  Σᵢ Σⱼ δ(i, j) · o(i + {m}, j + {n})  (Eq. 13)",
                terms=in_rows(written(entry, tags), cols),
                total=f"{name} is {number(result)}.",
                notes=(
                    f"Central difference of E = Σ δ·x at ({m}, {n}) = {number(slopes[m, n])}",
                    f"And the bias, which meets 1 everywhere: ∂E/∂b = Σ δ = {bias}",
                ),
                column=(("Σ", result),),
                name=f"δ · o, for w({m}, {n})",
            ),
            sentence=(
                f"The gradient of w({m}, {n}) is {number(result)}: as the kernel slides, this weight meets the "
                f"{rows}×{cols} part of the input that starts at ({m}, {n}); multiply each pixel by the δ of the "
                "output it went into, and add."
            ),
            flights=coming_about(entry, {"o": "image", "delta": "delta"}, cols, Cells("gradient", m, n)),
        )

    line = (image, "⊙", delta), ("=", PRODUCTS), ("→", SUM, "→", gradient)
    return line, (kernel,), _for_each((kernel, gradient), lambda m, n: highlight(sums[m, n], m, n))


def _for_each(grids: tuple[Grid, ...], highlight: Any) -> Makers:
    """What each cell of these grids shows, that have the same cells."""
    shown = {at: cache(partial(highlight, *at)) for at in grids[0].cells()}
    return {Selection(grid.name, *at): shown[at] for grid in grids for at in shown}


def _turned(state: State, grids: dict[str, Grid]) -> Made:
    image, delta, kernel, gradient = grids.values()
    (rows, cols), figure, slopes = delta.size, state.figure, state.central_difference("kernel")
    turned_back = convolve(state.image, rot180(state.delta))
    turned = Grid(
        "turned",
        "rot180(δ)",
        rows_of(rot180(state.delta)),
        tags=tuple(row[::-1] for row in delta.tags[::-1]),
        notch="last",
    )
    wrong = np.frompyfunc(lambda one, other: Tag("≠", 1) if one != other else None, 2, 1)(figure, state.gradient)
    result = Grid("figure", "o ⊗ rot180(δ)", rows_of(figure), tags=rows_of(wrong))
    sums: Any = all_terms(
        formula_of("by_kernel", TABLE["by_kernel"][FIGURE].map),
        named(o=state.image, delta=state.delta, kernel=state.kernel),
    )
    tags, lying, made = tags_of("δ", delta), *(Cells(name, 0, 0, rows, cols) for name in ("turned", "products"))

    def highlight(entry: Sum, m: int, n: int) -> Highlight:
        is_, should_be, name = number(figure[m, n]), number(gradient.entry(m, n)), bracketed("∂E/∂w", m, n)
        window, verdict = outline("image", "o", entry, tags), "wrong" if wrong[m, n] else "equal by chance"
        return Highlight(
            marks=(
                window,
                Mark(*lying),
                Mark("figure", m, n),
                *(Mark(grid, m, n, style="dashed") for grid in ("kernel", "gradient")),
            ),
            formula=Formula(
                heading=f"With δ turned, at ({m}, {n}):  Σᵢ Σⱼ rot180(δ)(i, j) · o(i + {m}, j + {n})",
                terms=in_rows(written(entry, tags), cols),
                total=f"The sum is {is_}; {name} is {should_be}: {verdict}.",
                notes=(
                    f"Central difference of E = Σ δ·x at ({m}, {n}) = {number(slopes[m, n])}",
                    f"Eq. 14, where ∗ turns δ back: the valid part of rot180(δ) ∗ o at ({m}, {n}) = "
                    f"{number(turned_back[m, n])}",
                    "The forward pass does not flip (Eq. 7), so δ is not flipped either (Eq. 13): each pixel meets "
                    "the δ of another output than the one it went into.",
                ),
                column=(("Σ", figure[m, n]),),
                name="rot180(δ) · o",
            ),
            sentence=(
                f"With δ turned the sum for w({m}, {n}) is {is_}, and the gradient is {should_be}: {verdict}; "
                "turned, δ lies on the pixels of other outputs."
            ),
            flights=(
                (Flight(window.cells, lying, meets=True),),
                (Flight(lying, made, products(entry)),),
                (Flight(made, Cells("figure", m, n)),),
            ),
        )

    line = (image, "⊙", turned), ("=", PRODUCTS), ("→", SUM, "→", result, gradient)
    shown = _for_each((kernel, gradient), lambda m, n: highlight(sums[m, n], m, n))
    return line, (kernel, delta), shown


def _by_deltas(state: State, grids: dict[str, Grid]) -> Made:
    image, delta, kernel, gradient = grids.values()
    (k1, k2), (_, cols) = kernel.size, delta.size
    so_far = [np.full((k1, k2), 0, object)]  # before the first δ, and after each
    for at, value in np.ndenumerate(state.delta):
        so_far.append(so_far[-1] + value * _window(state.image, at, (k1, k2)))
    largest = max(np.abs(sums).max() for sums in so_far)
    sums = Grid("sums", "∂E/∂w so far", rows_of(so_far[-1]), largest=largest)
    made = Cells("products", 0, 0, k1, k2)

    def highlight(i: int, j: int) -> Highlight:
        done, value = i * cols + j + 1, delta.entry(i, j)
        before, after, met = so_far[done - 1], so_far[done], _window(state.image, (i, j), (k1, k2))
        window = Mark("image", i, j, k1, k2)

        # No entry's sum, but a step of all of them: no formula has these terms.
        def term(m: int, n: int) -> Term:
            come = f"{number(before[m, n])} + {factor(value * met[m, n])} = {number(after[m, n])}"
            return Term(f"to w({m}, {n}): δ·o({i + m}, {j + n})", come, value=after[m, n])

        last = " They are ∂E/∂w." if done == delta.size[0] * cols else ""
        return Highlight(
            marks=(Mark("delta", i, j), window, Mark("sums", 0, 0, k1, k2, style="dashed")),
            formula=Formula(
                heading=f"δ({i}, {j}) = {number(value)} goes to all weights: add {factor(value)}·o({i} + m, {j} + n) "
                "at (m, n)",
                terms=tuple(tuple(term(m, n) for n in range(k2)) for m in range(k1)),
                total=f"{done} of {state.delta.size} δ {'has' if done == 1 else 'have'} been added.{last}",
                notes=("The output at this place was made by all weights, each times the pixel below it (Eq. 7).",),
                added=False,
                name="what was there + δ·o",
            ),
            sentence=(
                f"δ ({i}, {j}) is {number(value)}: it spreads the {k1}×{k2} window of the input that starts at "
                f"({i}, {j}) over the weights, {number(value)} times each pixel, added to what came before."
            ),
            grids=(replace(sums, values=rows_of(after)),),
            flights=(
                (Flight(Cells("delta", i, j), window.cells, meets=True),),
                (Flight(window.cells, made, tuple(f"{factor(value)}·{factor(pixel)}" for pixel in met.flat)),),
                (Flight(made, Cells("sums", 0, 0, k1, k2)),),
            ),
        )

    line = (image, "×", delta), ("=", PRODUCTS), ("→", sums)
    return line, (kernel, gradient), _for_each((delta,), highlight)


def _window(array: np.ndarray, at: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    return array[tuple(slice(first, first + length) for first, length in zip(at, size, strict=True))]


def _followed(state: State, grids: dict[str, Grid]) -> Made:
    image, delta, kernel, gradient = grids.values()
    (m, n), (rows, cols), (k1, k2) = state.weight, delta.size, kernel.size
    entry, tags = all_terms(KERNEL_SUM, named(o=state.image, delta=state.delta))[m, n], tags_of("δ", delta)
    met = Grid("met", f"o that met w({m}, {n})", rows_of(_window(state.image, (m, n), (rows, cols))))
    met = replace(met, largest=np.abs(state.image).max())
    terms, factors, reached = written(entry, tags), products(entry), outline("image", "o", entry, tags)

    def until(done: int, row: tuple[tuple, ...]) -> tuple[tuple, ...]:
        """Only the first so many of them."""
        return tuple(
            tuple(one if r * cols + c < done else None for c, one in enumerate(line)) for r, line in enumerate(row)
        )

    def highlight(i: int, j: int) -> Highlight:
        done, pixel = i * cols + j + 1, (i + m, j + n)
        value, so_far = number(image.entry(*pixel)), Sum(*entry.terms[:done]).value
        ends = f": it is ∂E/∂w({m}, {n})" if done == len(terms) else ""
        return Highlight(
            marks=(
                replace(reached, tags=until(done, reached.tags), style="dashed"),
                Mark("image", i, j, k1, k2, style="faint"),
                Mark("image", *pixel),
                Mark("met", i, j),
                Mark("delta", i, j),
                Mark("kernel", m, n),
            ),
            formula=Formula(
                heading=f"∂x({i}, {j})/∂w({m}, {n})  =  o({i} + {m}, {j} + {n})  =  {value}  (Eq. 12)",
                terms=in_rows(terms[:done], cols),
                total=f"After {done} of {len(terms)} places the sum is {number(so_far)}{ends}.",
                notes=(
                    "The kernel lies where the faint outline is; of all that it multiplies there, the weight has "
                    "one pixel.",
                    "Along the path from the weight through this output multiply, over all paths add (Eq. 10).",
                ),
                column=(("Σ so far", so_far),),
                name="δ · o",
            ),
            sentence=(
                f"For output ({i}, {j}) weight ({m}, {n}) meets pixel {pixel}, which is {value}: "
                f"that is how the output depends on it. With δ = {number(delta.entry(i, j))} the sum so far is "
                f"{number(so_far)}."
            ),
            grids=(replace(met, values=until(done, met.values)),),
            flights=(
                (Flight(Cells("image", *pixel), Cells("met", i, j)),),
                (Flight(Cells("met", i, j), Cells("delta", i, j), meets=True),),
                (Flight(Cells("delta", i, j), Cells("products", i, j), factors[done - 1 : done]),),
            ),
        )

    line = (image, "→", met), ("⊙", delta), ("=", PRODUCTS), ("→", SUM)
    return line, (kernel, gradient), _for_each((delta,), highlight)


class KernelGradient(Explorer, state=State, scene=scene):
    """Choose a weight: the part of the input that it met, the δ it met there, the products and their sum.

    Or turn δ as the article's figure does, and see the wrong sum beside the right one; go δ by δ; follow one weight.
    """

    def mistake_in(self, numbers: np.ndarray) -> str:
        return exercises.kernel_gradient.mistake_in(numbers, {"inputs": self.state.image, "delta": self.state.delta})
