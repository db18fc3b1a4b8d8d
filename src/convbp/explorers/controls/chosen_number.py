"""A control for one number of an array, the one in the cell that is chosen in the picture."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from convbp.explorers.controls.control import Control
from convbp.explorers.controls.number_slider import NumberSlider


def chosen_number(
    name: Callable[[Any], str],
    array: Callable[[Any, str], np.ndarray] = getattr,
) -> Control:
    """A slider of the chosen number; each grid one can choose in has the name of a field of the state, an array.

    ``name(state)`` stands beside the slider. ``array(state, grid)`` is what the grid shows, if that is not simply
    the field.
    """

    def chosen(state: Any) -> Any:
        return array(state, state.selected.grid)[state.selected[1:]]

    def changed(state: Any, value: float) -> Any:
        changed = array(state, state.selected.grid).copy()
        changed[state.selected[1:]] = value
        return replace(state, **{state.selected.grid: changed})

    slider = NumberSlider(style={"description_width": "auto"})
    return Control(slider, chosen, changed, lambda state: {"description": name(state)})
