"""A control for one half of a pair of whole numbers: the rows, or the columns, of a window or of its step."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ipywidgets as widgets

from convbp.explorers.controls.alike import made
from convbp.explorers.controls.control import Change, Control

AXES = ("rows", "columns")


def pair_slider(name: str, axis: int, least: int, most: Callable[[Any], int], change: Change | None = None) -> Control:
    """A slider from ``least`` to ``most(state)`` for one entry of a field of the state, (rows, columns).

    ``change(state, pair)`` is the state with another pair, if more than this field changes with it.
    """

    def changed(state: Any, value: int) -> Any:
        pair = list(getattr(state, name))
        pair[axis] = value
        return change(state, tuple(pair)) if change else replace(state, **{name: tuple(pair)})

    slider = made(
        widgets.IntSlider,
        min=least,
        description=f"{name}, {AXES[axis]}",
        style={"description_width": "120px"},
        layout={"width": "250px"},
    )
    return Control(slider, lambda state: getattr(state, name)[axis], changed, fit=lambda state: {"max": most(state)})
