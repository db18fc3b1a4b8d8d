"""Where the error goes through a pooling layer: all to the winner, in equal shares, or in shares by size."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.explorers.controls.alike import made
from convbp.explorers.controls.chosen_number import chosen_number
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.pooling import POOLINGS, PoolingState
from convbp.notation import number
from convbp.pictures.scene import (
    PRODUCTS,
    Cells,
    Flight,
    Flights,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Scene,
    Selection,
    Tag,
    Term,
    covered,
    rows_of,
)
from convbp.pictures.written_terms import multiplied
from convbp.pooling import Pooled

FIRST = Selection("delta", 0, 0)


def scene(state: PoolingState) -> Scene:
    """Return the picture of a state: the input, the output and its δ, the shares ∂y/∂o, the gradient of the input.

    For a chosen δ the highlight shows the shares of the pixels in its window; for a chosen pixel, what it gets from
    each window that covers it.
    """
    kind = POOLINGS[state.pooling]
    pooled = kind.layer(state.inputs[None, :, :, None], state.size, stride=state.stride)
    gradient = pooled.route(state.deltas[None, :, :, None])[0, :, :, 0]
    shares = _shares(state)
    summed = shares.sum(axis=(0, 1))
    largest = max(np.abs(shares).max(), np.abs(summed).max())
    grids = {
        "inputs": Grid("inputs", "input o", rows_of(state.inputs), tags=_winners(state, pooled), axes=("i′", "j′")),
        "output": Grid("output", f"output y, {state.pooling}", rows_of(pooled.output[0, :, :, 0])),
        "delta": Grid("delta", "δ of y", rows_of(state.deltas), axes=("i", "j")),
        "shares": Grid("shares", "Σ ∂y/∂o, all windows", rows_of(summed), largest=largest),
        "gradient": Grid("gradient", "∂E/∂o", rows_of(gradient)),
    }
    sums = f"Σ δ = {number(state.deltas.sum())}, Σ ∂E/∂o = {number(gradient.sum())}: {kind.sums}."
    highlights = {
        Selection("delta", i, j): partial(_of_window, state, grids, shares[i, j], (i, j), (sums, kind.rule))
        for i, j in grids["delta"].cells()
    } | {
        Selection("inputs", row, col): partial(
            _of_pixel, state, grids, shares[:, :, row, col], (row, col), (sums, kind.rule)
        )
        for row, col in grids["inputs"].cells()
    }
    if state.covered:  # of a δ one sees the window, and not where it goes
        highlights |= {cell: partial(_waiting, cell, highlights[cell]) for cell in highlights if cell.grid == "delta"}
    drawn = Scene(
        title=f"Where δ goes through {state.pooling} pooling",
        line=(
            (grids["inputs"], "→", grids["output"]),
            (grids["shares"], "·", grids["delta"]),
            ("=", PRODUCTS),
            ("→", grids["gradient"]),
        ),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )
    return covered(drawn, "gradient") if state.covered else drawn


def _waiting(cell: Selection, known: Callable[[], Highlight]) -> Highlight:
    highlight = known()
    return Highlight(
        marks=tuple(mark for mark in highlight.marks if mark.style == "solid"),
        formula=Formula(highlight.formula.heading),
        sentence=f"δ{cell[1:]} goes to its window: choose a pixel there, and predict what it gets.",
    )


def _shares(state: PoolingState) -> np.ndarray:
    """∂y(i, j)/∂o for each window and each pixel, shape=(H′, W′, H, W): where a single δ of 1 goes."""
    shape = state.deltas.shape
    copies = np.repeat(state.inputs[None, :, :, None], shape[0] * shape[1], axis=0)
    single = np.eye(len(copies), dtype=object).reshape(-1, *shape, 1)
    routed = POOLINGS[state.pooling].layer(copies, state.size, stride=state.stride).route(single)
    return routed.reshape(*shape, *state.inputs.shape)


def _winners(state: PoolingState, pooled: Pooled) -> tuple:
    won = () if pooled.winners is None else set(map(tuple, pooled.winners.reshape(-1, 2).tolist()))
    rows, cols = map(range, state.inputs.shape)
    return tuple(tuple(Tag("max", 2) if (row, col) in won else None for col in cols) for row in rows)


def _of_window(
    state: PoolingState, grids: dict[str, Grid], shares: np.ndarray, at: tuple[int, int], notes: tuple
) -> Highlight:
    kind, window = POOLINGS[state.pooling], state.window(*at)
    y, delta, inputs = grids["output"].entry(*at), grids["delta"].entry(*at), grids["inputs"]
    rows, cols = (range(part.start, part.stop) for part in window)
    pixels = [[(row, col) for col in cols] for row in rows]
    winner = divmod(int(shares.argmax()), shares.shape[1])
    top_left, size = (rows[0], cols[0]), (len(rows), len(cols))
    reached: tuple[int, int, int, int] = (*winner, 1, 1) if state.pooling == "max" else (*top_left, *size)
    equal = (state.inputs[window] == y).sum()
    if state.pooling == "max" and equal > 1:
        notes = (
            *notes,
            f"A tie: {number(y)} stands there {equal} times. There is no derivative; the first one takes all.",
        )

    inside = Cells("inputs", *top_left, *size)
    row, col, high, wide = reached
    parts = tuple(number(share * delta) for share in shares[row : row + high, col : col + wide].flat)

    def term(pixel: tuple[int, int]) -> Term:
        return _term(f"to {pixel}, o = {number(inputs.entry(*pixel))}", shares[pixel], delta)

    alone = np.full(shares.shape, None)
    alone[window] = shares[window]
    gets = kind.window.format(winner=winner, share=_equal_share(state)) if shares.any() else "no pixel gets anything"
    return Highlight(
        marks=(
            Mark("inputs", *top_left, *size),
            Mark("output", *at),
            Mark("delta", *at),
            Mark("shares", *reached, style="dashed"),
            Mark("gradient", *reached, style="dashed"),
        ),
        formula=Formula(
            heading=f"y{at} is {kind.output} of its window: {number(y)}.  What goes back is ∂y/∂o · δ{at}:",
            terms=tuple(tuple(map(term, row)) for row in pixels),
            total=f"Together {number(shares.sum() * delta)}, from δ{at} = {number(delta)}.",
            notes=notes,
            added=False,
            name="∂y/∂o · δ",
        ),
        sentence=(
            f"The output y{at} is {number(y)}, {kind.output} of the {len(rows)}×{len(cols)} window that starts at "
            f"pixel {top_left}: {gets} of δ{at} = {number(delta)}."
        ),
        grids=(replace(grids["shares"], title=f"∂y{at}/∂o", values=rows_of(alone)),),
        flights=(
            (Flight(inside, inside, meets=True, fades=True), Flight(Cells("inputs", *reached), Cells("output", *at))),
            # The same way back: by way of the output to the pixels that made it.
            (Flight(Cells("delta", *at), Cells("output", *at), meets=True),),
            (Flight(Cells("output", *at), Cells("inputs", *reached), parts, meets=True),),
            (Flight(Cells("inputs", *reached), Cells("gradient", *reached), parts),),
        ),
    )


def _of_pixel(
    state: PoolingState, grids: dict[str, Grid], shares: np.ndarray, at: tuple[int, int], notes: tuple
) -> Highlight:
    rows, cols = state.covering(*at)
    result, count = number(grids["gradient"].entry(*at)), len(rows) * len(cols)
    won = number(shares.sum())
    wins = f"the winner in {won} of" if count > 1 else "the winner in" if won == "1" else "not the winner in"
    does = POOLINGS[state.pooling].pixel.format(wins=wins, share=_equal_share(state))
    covering = f"the {count} windows that cover it" if count > 1 else "the one window that covers it"
    windows = f"Pixel {at} {does} {covering}"

    def term(i: int, j: int) -> Term:
        return _term(f"∂y({i}, {j})/∂o · δ({i}, {j})", shares[i, j], grids["delta"].entry(i, j))

    terms = tuple(tuple(term(i, j) for j in cols) for i in rows) if count else ()
    marks = [Mark(name, *at) for name in ("inputs", "shares", "gradient")]
    flights: Flights = ()
    if count:
        block, made = (rows[0], cols[0], len(rows), len(cols)), Cells("products", 0, 0, len(rows), len(cols))
        marks += [Mark(name, *block, style="dashed") for name in ("output", "delta")]
        factors = tuple(term.numbers.partition(" = ")[0] for row in terms for term in row)
        flights = (Flight(Cells("delta", *block), made, factors),), (Flight(made, Cells("gradient", *at)),)
    return Highlight(
        marks=tuple(marks),
        formula=Formula(
            heading=f"∂E/∂o at {at}  =  Σ ∂y(i, j)/∂o · δ(i, j) over the windows (i, j) that cover the pixel",
            terms=terms,
            total=f"∂E/∂o at {at} is {result}{'' if count else ': no window covers the pixel'}.",
            notes=notes,
            name="∂y/∂o · δ",
        ),
        sentence=f"{windows if count else f'No window covers pixel {at}'}: ∂E/∂o there is {result}.",
        flights=flights,
    )


def _term(symbols: str, share: Any, delta: Any) -> Term:
    return Term(symbols, multiplied(share, delta), value=share * delta)


def _equal_share(state: PoolingState) -> str:
    return number(Fraction(1, state.size[0] * state.size[1]))


def _with_window(state: PoolingState, fill: Callable[[np.ndarray], object]) -> PoolingState:
    """The chosen window filled with another number; of a chosen pixel it is the first that covers it, if any does."""
    grid, *at = state.selected
    rows, cols = state.covering(*at) if grid == "inputs" else ([at[0]], [at[1]])
    if not (rows and cols):
        return state
    inputs, window = state.inputs.copy(), state.window(rows[0], cols[0])
    inputs[window] = fill(inputs[window])
    return replace(state, inputs=inputs)


def _name(state: PoolingState) -> str:
    return f"{'o' if state.selected.grid == 'inputs' else 'δ'}{state.selected[1:]}"


def _shown(state: PoolingState, grid: str) -> np.ndarray:
    return state.inputs if grid == "inputs" else state.deltas


class PoolingRoute(Explorer, state=PoolingState, scene=scene):
    """Choose a δ to see which pixels get it, or a pixel to see what it gets from which windows; change the numbers."""

    def controls(self) -> Rows:
        tie = made(widgets.Button, description="Make ties", tooltip="The chosen window: all as large as its largest")
        zeros = made(widgets.Button, description="Make zeros", tooltip="The chosen window: all 0")
        tie.on_click(lambda _: self._show(lambda state: _with_window(state, np.max)))
        zeros.on_click(lambda _: self._show(lambda state: _with_window(state, lambda entries: 0)))
        ((kinds, *sides, cover),) = super().controls()
        return [[kinds, chosen_number(_name, _shown), tie, zeros, cover], sides]
