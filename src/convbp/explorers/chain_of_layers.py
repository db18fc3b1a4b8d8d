"""A network layer by layer, forward and then backward: every array with its numbers (Eq. 4 to 22)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from convbp.explorers.chain.picture import arrays, columns, emptied, highlights, place
from convbp.explorers.chain.rules import Made
from convbp.explorers.chain.state import State, last_step
from convbp.explorers.chain.steps import steps
from convbp.explorers.controls.control import Control
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.state import ANYWHERE
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Flight,
    Grid,
    Highlight,
    Phrase,
    Piece,
    Scene,
    Selection,
    stacked,
)
from convbp.sums import Sum

CELL = 32  # the side of a cell, in each step: nothing else changes from step to step


def scene(state: State) -> Scene:
    """Return the picture of a state: a line for the step, and below it every array, as the steps so far have left it.

    On the way back the δ take the places of the numbers from the forward pass, array by array. For each cell the
    highlight outlines what it was made of, forward in the arrays before it, backward in those after it, and writes the
    rule with its numbers.
    """
    found = steps(state.network, state.image, state.label, state.rate)
    shown = {made.array: (step, made) for step in range(state.step + 1) for made in found[step]}
    seen: dict[Selection, Highlight] = {}
    for step, made in shown.values():
        heading = f"Step {step} of {len(found) - 1}, {made.rule}."
        seen |= highlights(made, heading, tuple(shown[array][1] for _, array in made.reads))
    grids = arrays(state.network, {array: made for array, (_, made) in shown.items()})
    line, active = _line(state, found, grids)
    first = _worth_seeing(found[state.step][0])
    whole = Cells(first.grid, 0, 0, *next(grid.size for grid in grids[found[state.step][0].array]))
    read = [mark.cells for mark in seen[first].marks if mark.grid != first.grid]
    return Scene(
        title=f"A network layer by layer, step {state.step}: {found[state.step][0].rule}",
        line=line,
        # Each array has a place below, which is empty while it is in the line.
        maps=tuple(emptied(own) if array in active else own for array, own in grids.items()),
        thumbnails=True,
        tallest=max((piece for own in grids.values() for piece in map(stacked, columns(own))), key=_height),
        cell=CELL,
        highlights=seen,
        selected=state.selected if state.selected in seen else first,
        flights=(tuple(Flight(cells, whole, meets=True) for cells in read),) if state.step and read else (),
    )


def _line(state: State, found: list[list[Made]], grids: dict[str, tuple[Grid, ...]]) -> tuple[tuple[Phrase, ...], set]:
    """The line of a step, from the arrays that it reads to those that it makes, and the names of all of these."""
    given, made = found[0][1:], found[state.step]
    results = [one.array for one in made if one not in given] or [made[0].array]
    if state.step == 0:
        results = results[:1]
    reads = [(operator, array) for operator, array in made[0].reads if array not in results]
    if len({one.reads for one in made if one.array in results and len(one.reads) > 1}) > 1:
        reads = []  # of several layers

    def pieces(array: str) -> tuple[Piece, ...]:
        shape = state.network.parameters.get(array, np.empty(0)).shape
        return columns(grids[array], shape[-1] if len(shape) == 4 else 1)

    operands = tuple(piece for op, array in reads for piece in (*([op] if op else []), *pieces(array)))
    made_of = tuple(piece for array in results for piece in pieces(array))
    if not operands:
        return (made_of,), set(results)
    sums = any(isinstance(origin, Sum) and len(origin.terms) > 1 for origin in made[0].origins.flat)
    middle: tuple[Phrase, ...] = (("=", PRODUCTS), ("→", SUM, "→", *made_of)) if sums else (("→", *made_of),)
    return (operands, *middle), {*results, *(array for _, array in reads)}


def _height(grids: tuple[Grid, ...]) -> int:
    return sum(grid.size[0] + 1 for grid in grids)


def _worth_seeing(made: Made) -> Selection:
    """The entry with the largest absolute value: most others may be 0."""
    index = np.unravel_index(np.abs(made.values).argmax(), made.values.shape)
    return place(made.array, tuple(map(int, index)))


def _given(state: State) -> dict[str, np.ndarray]:
    """What a reader can change, by the names of the arrays."""
    return {"input": state.image, **state.network.parameters}


def _chosen(state: State) -> tuple[str, tuple[int, ...]] | None:
    """Which entry of those is chosen; None if another cell is."""
    for array, values in _given(state).items():
        for index in np.ndindex(values.shape):
            if place(array, index) == state.selected:
                return array, index
    return None


def _read_chosen(state: State) -> float:
    chosen = _chosen(state)
    return float(_given(state)[chosen[0]][chosen[1]]) if chosen else 0.0


def _change_chosen(state: State, value: float) -> State:
    if not (chosen := _chosen(state)):
        return state
    array, index = chosen
    given = _given(state)
    given[array] = given[array].copy()
    given[array][index] = value
    network = state.network.copy()
    image = given.pop("input")
    network.parameters = given
    return replace(state, network=network, image=image)


def _fit_chosen(state: State) -> dict[str, Any]:
    return {"disabled": _chosen(state) is None}


class ChainOfLayers(Explorer, state=State, scene=scene):
    """A network layer by layer: step forward and then backward, and choose any number to see what it was made of."""

    def controls(self) -> Rows:
        slider = NumberSlider(0.0, "chosen o, w or b", step=0.5, style={"description_width": "auto"})
        chosen = Control(slider, _read_chosen, _change_chosen, _fit_chosen)
        ((label, rate, player),) = super().controls()
        return [[player, chosen, label, rate]]

    def reachable(self) -> Iterable[State]:
        return [replace(self.state, step=step, selected=ANYWHERE) for step in range(last_step(self.state.network) + 1)]
