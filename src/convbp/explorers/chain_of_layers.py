"""A network layer by layer, forward and then backward: every array with its numbers (Eq. 4 to 22)."""

from dataclasses import replace
from typing import Any

import numpy as np

from convbp.explorers.chain.picture import belongs, columns, highlight, place
from convbp.explorers.chain.rules import Made
from convbp.explorers.chain.state import State
from convbp.explorers.chain.steps import steps
from convbp.explorers.controls.control import Control
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.explorer import Explorer, Rows
from convbp.pictures.scene import PRODUCTS, Cells, Flight, Scene, Selection


def scene(state: State) -> Scene:
    """Return the picture of a state: every array in the place that it keeps, as the steps so far have left it.

    On the way back the δ take the places of the numbers from the forward pass, array by array. For each cell the
    highlight outlines what it was made of, forward in the arrays before it, backward in those after it, and writes the
    rule with its numbers.
    """
    found = steps(state.network, state.image, state.label, state.rate)
    shown = {made.array: (step, made) for step in range(state.step + 1) for made in found[step]}
    highlights = {}
    for step, made in shown.values():
        origins = made.origin() if made.origin else np.full(made.values.shape, None)
        heading = f"Step {step} of {len(found) - 1}, {made.rule}."
        for index, origin in np.ndenumerate(origins):
            highlights[place(made.array, index)] = highlight(made, index, origin, heading, shown)
    arrays = {array: made for array, (_, made) in shown.items()}
    grids = [grid for column in columns(state.network, arrays) for grid in column]
    # In the line stand the arrays of this step; all others are maps, in the order of the network.
    active = [made.array for made in found[state.step][: None if state.step else 1]]
    in_line = [grid for grid in grids if grid.axes and belongs(grid, active)]
    first = _worth_seeing(found[state.step][0])
    (whole,) = (Cells(grid.name, 0, 0, *grid.size) for grid in grids if grid.name == first.grid)
    read = [mark.cells for mark in highlights[first].marks if mark.grid != first.grid]
    return Scene(
        title=f"A network layer by layer, step {state.step}: {found[state.step][0].rule}",
        line=(*((grid,) for grid in in_line), ("=", PRODUCTS)),
        maps=tuple(grid for grid in grids if grid not in in_line),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else first,
        flights=(tuple(Flight(cells, whole, meets=True) for cells in read),) if state.step and read else (),
    )


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
        return [[player], [chosen, label, rate]]
