"""A control: a widget tied to a part of the state. And the plain ones, that need no widget of our own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets as widgets

from convbp.explorers.controls.alike import made
from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.pictures.scene import rows_of

Change = Callable[[Any, Any], Any]  # (state, value of the widget) -> the state with it


@dataclass(frozen=True)
class Control:
    """A widget whose ``value`` is a part of the state: how to read it there, and the state with another one.

    ``fit`` says which other traits of the widget follow the state: ``{"max": 5}`` of a slider, ``{"disabled": True}``.
    """

    widget: Any  # with a value
    read: Callable[[Any], Any]
    change: Change
    fit: Callable[[Any], dict[str, Any]] = lambda state: {}

    @classmethod
    def field(cls, name: str, widget: widgets.Widget, change: Change | None = None, **options: Any) -> "Control":
        """A control of one field of the state; ``change`` if more than this field changes with it."""

        def alone(state: Any, value: Any) -> Any:
            return replace(state, **{name: value})

        return cls(widget, lambda state: getattr(state, name), change or alone, **options)

    @classmethod
    def array(cls, name: str, sliders: ArraySliders) -> "Control":
        """A slider for each entry of one field of the state, a 2-D array."""
        return cls(
            sliders,
            lambda state: rows_of(getattr(state, name)),
            lambda state, rows: replace(state, **{name: rows}),
        )

    def show(self, state: Any) -> None:
        """Set the widget to what the state says."""
        fit = self.fit(state)
        # The page moves a slider whose range leaves it out, and tells that like a choice of the reader's: so first a
        # range for the value before and this one, at last the one that fits.
        for trait, value in fit.items():
            wider = {"min": min, "max": max}.get(trait)
            setattr(self.widget, trait, wider(value, getattr(self.widget, trait)) if wider else value)
        self.widget.value = self.read(state)
        for trait, value in fit.items():
            setattr(self.widget, trait, value)


def buttons(name: str, options: Iterable[tuple[str, Any]]) -> widgets.ToggleButtons:
    """A choice between a few values, all in view."""
    return made(
        widgets.ToggleButtons,
        description=name,
        options=list(options),
        style={"button_width": "auto", "description_width": "auto"},
    )


def menu(name: str) -> widgets.Dropdown:
    """A list to choose from, no wider than it has to be."""
    return made(widgets.Dropdown, description=name, style={"description_width": "auto"}, layout={"width": "auto"})


def reset_button() -> widgets.Button:
    """A button for `Explorer`'s ``reset``."""
    return made(widgets.Button, description="Reset", tooltip="Back to how it began", icon="undo")


def wrapped(*controls: widgets.Widget) -> widgets.Box:
    """Controls side by side, in several lines where the page is narrow."""
    layout = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 20px"}
    return made(widgets.Box, controls, layout=layout)
