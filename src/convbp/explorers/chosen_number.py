"""A control for one number of an array, the one in the cell that is chosen in the picture."""

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.explorers.explorer import Control

LEAST_RANGE = 9


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
        changed[state.selected[1:]] = int(value) if value.is_integer() else value
        return replace(state, **{state.selected.grid: changed})

    def fit(state: Any) -> dict[str, Any]:
        end, whole = max(LEAST_RANGE, ceil(abs(chosen(state)))), array(state, state.selected.grid).dtype == object
        return {"description": name(state), "max": end, "min": -end, "step": 1 if whole else 0.1}

    slider = widgets.FloatSlider(readout_format=".4", style={"description_width": "auto"})
    return Control(slider, lambda state: float(chosen(state)), changed, fit)
