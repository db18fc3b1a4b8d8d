"""Stride, padding and dilation: which pixels a window reads, and how δ is spread with zeros on the way back."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import numpy as np

from convbp.convolution import conv2d, conv2d_input_gradient, rot180
from convbp.equations.formula import Formula as Equation
from convbp.equations.formula import Letter, over, total
from convbp.equations.letters import i, j, k1, k2, m, n
from convbp.equations.terms import all_terms
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.strided_layer import StridedLayer
from convbp.notation import number
from convbp.pictures.drawing import needed
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
    Tag,
    Term,
    named_tags,
    rows_of,
)
from convbp.pictures.written_terms import (
    Tags,
    coming_about,
    in_rows,
    multiplied,
    named,
    outline,
    tags_of,
    together,
    written,
)
from convbp.sums import Sum

FIRST = Selection("image", 0, 0)
# The side of a cell if numbers of that size have room in it, whatever the stride is: nothing else changes with it.
CELL, FONT = 28, 9


def scene(state: StridedLayer) -> Scene:
    """Return the picture of a state: input, kernel and output; δ with zeros between and around, rot180(w), gradient.

    For a chosen output the highlight outlines the pixels that its window reads; for a chosen pixel, where rot180(w)
    lies on the δ that are spread.
    """
    size, layer = state.image.shape, state.kernel[:, :, None, None]
    output = conv2d(state.image[None, :, :, None], layer, **state.steps)[0, :, :, 0]
    gradient = conv2d_input_gradient(state.deltas[None, :, :, None], layer, size, **state.steps)[0, :, :, 0]
    sums = all_terms(_equation(state), named(o=state.image, kernel=state.kernel))
    read = {pixel.index for entry in sums.flat for _, pixel in entry.terms}
    unread = tuple(tuple(None if (r, c) in read else Tag("∅", 6) for c in range(size[1])) for r in range(size[0]))
    tags = named_tags("w", state.kernel)
    above, left = (most - p for most, p in zip(state.reach, state.padding, strict=True))
    grids = {
        "image": Grid(
            name="image",
            title="input o, padded" if any(state.padding) else "input o",
            values=rows_of(np.pad(state.image, [(p, p) for p in state.padding])),
            origin=(-state.padding[0], -state.padding[1]),
            core=(0, 0, *size),
            axes=("i′", "j′"),
        ),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), tags=rows_of(tags), notch="first"),
        "turned": Grid(
            "turned", "rot180(w)", rows_of(rot180(state.kernel)), tags=rows_of(tags[::-1, ::-1]), notch="last"
        ),
        "output": Grid("output", "output x", rows_of(output), axes=("i", "j")),
        "spread": Grid(
            name="spread",
            title="spread δ",
            values=rows_of(_spread(state, (above, left))),
            origin=(-above, -left),
            core=(0, 0, *(s * (places - 1) + 1 for s, places in zip(state.stride, output.shape, strict=True))),
        ),
        "gradient": Grid("gradient", "∂E/∂o (∅: unread)", rows_of(gradient), tags=unread),
    }
    carried = tags_of("w", grids["kernel"])
    highlights = {
        Selection("output", *at): partial(_of_output, state, grids, sums[at], carried, *at)
        for at in grids["output"].cells()
    }
    highlights |= {Selection("image", *at): partial(_of_pixel, state, grids, *at) for at in grids["gradient"].cells()}
    return Scene(
        title="Stride, padding and dilation, forwards and backwards",
        line=(
            (grids["image"], "⊗", grids["kernel"], "→", grids["output"]),
            (grids["spread"], "⊗", grids["turned"], "→", grids["gradient"]),
            (PRODUCTS, "→", SUM),
        ),
        cell=CELL if max(needed(grid, FONT) for grid in grids.values()) <= CELL else 0,
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _equation(state: StridedLayer) -> Equation:
    """x(i, j) = Σₘ Σₙ w(m, n) · o(s·i + d·m − p, s·j + d·n − p), with the numbers of this layer."""
    w, o, steps = Letter("w", "kernel"), Letter("o", "o"), zip(*state.steps.values(), strict=True)
    row, col = (at * s + tap * d - p for (s, p, d), at, tap in zip(steps, (i, j), (m, n), strict=True))
    places = ((at, 0, end - 1) for at, end in zip((i, j), state.places, strict=True))
    return Equation(total((m, 0, k1 - 1), (n, 0, k2 - 1))(w[m, n] * o[row, col]), over(*places))


def _spread(state: StridedLayer, around: tuple[int, int]) -> np.ndarray:
    """δ with s − 1 zeros between its entries and so many around that rot180(w), dilated, fits once for each pixel."""
    size = tuple(length + most for length, most in zip(state.image.shape, state.reach, strict=True))
    spread = np.zeros(size, state.deltas.dtype)
    for at, delta in np.ndenumerate(state.deltas):
        spread[tuple(a + s * n for a, s, n in zip(around, state.stride, at, strict=True))] = delta
    return spread


def _of_output(state: StridedLayer, grids: dict[str, Grid], entry: Sum, tags: Tags, i: int, j: int) -> Highlight:
    (k1, k2), result = state.kernel.shape, number(grids["output"].entry(i, j))
    window, steps = outline("image", "o", entry, tags), zip(*state.steps.values(), strict=True)
    padded = len(entry.terms) - len(entry.inside.terms)
    index = [f"{s}·{at} + {d}·{tap} − {p}" for (s, p, d), at, tap in zip(steps, (i, j), "mn", strict=True)]
    zeros = f", of which {padded} in the padding" if padded else ""
    return Highlight(
        marks=(
            window,
            outline("kernel", "kernel", entry),
            Mark("output", i, j),
            Mark("spread", i * state.stride[0], j * state.stride[1], style="dashed"),
        ),
        formula=Formula(
            heading=f"x({i}, {j})  =  Σₘ Σₙ w(m, n) · o({index[0]}, {index[1]})",
            terms=in_rows(written(entry, tags), k2),
            total=f"x({i}, {j}) is {result}.",
            notes=tuple(_how_many(state, axis) for axis in range(2)),
            column=(("Σ", grids["output"].entry(i, j)),),
        ),
        sentence=(
            f"Output ({i}, {j}) is {result}: its window starts at pixel ({number(window.row)}, {number(window.col)}) "
            f"and reads {k1 * k2} pixels{zeros}."
        ),
        flights=coming_about(entry, {"o": "image", "kernel": "kernel"}, k2, Cells("output", i, j)),
    )


def _how_many(state: StridedLayer, axis: int) -> str:
    s, p, d = (pair[axis] for pair in state.steps.values())
    length, k, places = state.image.shape[axis], state.kernel.shape[axis], state.places[axis]
    return f"{'HW'[axis]}′ = ⌊({length} + 2·{p} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = {places}"


def _of_pixel(state: StridedLayer, grids: dict[str, Grid], row: int, col: int) -> Highlight:
    kernel, spread, result = grids["kernel"], grids["spread"], number(grids["gradient"].entry(row, col))
    (k1, k2), here, corner = kernel.size, f"({row}, {col})", (spread.origin[0] + row, spread.origin[1] + col)
    rows, cols = (most + 1 for most in state.reach)
    lying = np.full((rows, cols), None)
    lying[:: state.dilation[0], :: state.dilation[1]] = np.array(grids["turned"].tags, object)
    # No formula has these terms: where no window reads the pixel, the index of δ would be a fraction.
    met = {(m, n): state.met(row, col, m, n) for m, n in kernel.cells()}
    reached = {at: kernel.tags[m][n] for (m, n), at in met.items() if at}

    def term(m: int, n: int) -> Term:
        at, weight = met[m, n], kernel.entry(m, n)
        delta = grids["spread"].entry(*(s * i for s, i in zip(state.stride, at, strict=True))) if at else 0
        return Term(
            symbols=f"{f'δ{at}' if at else '0'}·w({m}, {n})",
            numbers=multiplied(delta, weight),
            hue=kernel.tag_hue(m, n),
            outside=at is None,
            value=delta * weight,
        )

    count, made = len(reached) or "no", Cells("products", 0, 0, k1, k2)
    met_at = [
        Cells("spread", corner[0] + state.dilation[0] * m, corner[1] + state.dilation[1] * n) for m, n in kernel.cells()
    ]
    terms = [[term(m, n) for n in reversed(range(k2))] for m in reversed(range(k1))]  # as rot180(w) lies
    factors = tuple(one.numbers.partition(" = ")[0] for row in terms for one in row)
    return Highlight(
        marks=(
            Mark("image", row, col),
            Mark("turned", 0, 0, k1, k2),
            Mark("spread", *corner, rows, cols, tags=rows_of(lying)),
            *(Mark("output", *at, tags=((tag,),), style="dashed") for at, tag in reached.items()),
            Mark("gradient", row, col),
        ),
        formula=Formula(
            heading=f"∂E/∂o at {here}  =  spread δ ⊗ rot180(w) there: stride 1, whatever the stride was",
            terms=tuple(map(tuple, terms)),
            total=f"∂E/∂o at {here} is {result}{'' if reached else ': Q is empty'}.",
            notes=(
                f"Between the δ stand s − 1 zeros: {state.stride[0] - 1} down, {state.stride[1] - 1} across.",
                f"Around them stand r·(k − 1) − p zeros: {-spread.origin[0]} above, {-spread.origin[1]} to the left.",
            ),
            column=(("Σ", grids["gradient"].entry(row, col)),),
        ),
        sentence=(
            f"Pixel {here} is read by {count} window{'' if count == 1 else 's'}: "
            f"rot180(w) lies on {count} δ there, and ∂E/∂o is {result}."
        ),
        flights=(
            together(met_at, [Cells("turned", *at) for at in kernel.cells()], meets=True),
            (Flight(Cells("turned", 0, 0, k1, k2), made, factors),),
            (Flight(made, Cells("gradient", row, col)),),
        ),
    )


class StrideAndPadding(Explorer, state=StridedLayer, scene=scene):
    """Choose an output to see what its window reads, or a pixel to see how its gradient comes out of the spread δ."""

    def controls(self) -> Rows:
        (sliders,) = super().controls()
        return [sliders[::2], sliders[1::2]]  # of the rows, and of the columns

    def reachable(self) -> Iterable[StridedLayer]:
        """One step of a slider away."""
        state = self.state
        for control in self._controls:
            for value in {control.read(state) - 1, control.read(state) + 1} & {*range(control.widget.min, 4)}:
                with suppress(ValueError):
                    yield control.change(state, value)
