"""What all explorers share: controls, a frozen state, and the scene made of it in one `GridView`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import partial
from operator import index
from pathlib import Path
from threading import RLock
from typing import Any

import ipywidgets as widgets

from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.former import close_former, close_inside
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.pictures.grid_view import GridView
from convbp.pictures.scene import Scene, Selection, rows_of


@dataclass(frozen=True)
class Control:
    """A widget whose ``value`` is a part of the state: how to read it there, and the state with another one.

    ``fit`` says which other traits of the widget follow the state: ``{"max": 5}`` of a slider, ``{"disabled": True}``.
    """

    widget: widgets.ValueWidget
    read: Callable[[Any], Any]
    change: Callable[[Any, Any], Any]
    fit: Callable[[Any], dict[str, Any]] = lambda state: {}

    @classmethod
    def field(cls, name: str, widget: widgets.ValueWidget, **options: Any) -> "Control":
        """A control of one field of the state."""
        return cls(
            widget,
            lambda state: getattr(state, name),
            lambda state, value: replace(state, **{name: value}),
            **options,
        )

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


def buttons(name: str, options: dict[str, Any]) -> widgets.ToggleButtons:
    """A choice between a few values, all in view."""
    return widgets.ToggleButtons(
        description=name,
        options=list(options.items()),
        style={"button_width": "auto", "description_width": "auto"},
    )


def cover_box(what: str) -> widgets.Checkbox:
    """Return the box to tick for numbers that are to be predicted first."""
    return widgets.Checkbox(description=f"cover {what}", indent=False, layout=widgets.Layout(width="auto"))


def reset_button() -> widgets.Button:
    """A button for `Explorer`'s ``reset``."""
    return widgets.Button(description="Reset", tooltip="Back to how it began", icon="undo")


def wrapped(*controls: widgets.Widget) -> widgets.Box:
    """Controls side by side, in several lines where the page is narrow."""
    return widgets.Box(controls, layout=widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 20px"))


class Explorer(widgets.VBox):
    """A picture with its controls.

    Parameters
    ----------
    state
        A frozen dataclass; its field ``selected`` is a `Selection`.
    scene
        A pure function from a state to a `Scene`. It raises `TypeError` or `ValueError` for a state that
        has no picture; the reader then sees the error's text, and the last good picture stays.
    controls
        Everything but the selection, which the picture itself offers.
    layout_rows
        The widgets above the picture, row by row.
    reset
        A button, among those widgets, that goes back to how it began.
    """

    def __init__(
        self,
        state: Any,
        scene: Callable[[Any], Scene],
        controls: Iterable[Control],
        layout_rows: Iterable[widgets.Widget],
        reset: widgets.Button | None = None,
    ):
        self._scene = scene
        self._controls = list(controls)
        # JupyterLab runs callbacks in a thread of their own, beside a running cell that may call update().
        self._lock = RLock()
        self._refreshing = False
        first = scene(state)
        self._state = self._initial = replace(state, selected=first.selected)
        self.view = GridView(first, others=self._behind_buttons())
        super().__init__([*layout_rows, self.view])
        self.add_class("convbp-explorer")
        answer_beside_cells(self)
        self._refresh_controls()
        for control in self._controls:
            control.widget.observe(partial(self._on_control, control), "value")
        self.view.observe(self._on_selection, ["grid", "row", "col"])
        if reset is not None:
            reset.on_click(lambda _: self.reset())

    @property
    def state(self) -> Any:
        """What is shown. It is frozen; `update` changes to another."""
        return self._state

    @property
    def message(self) -> str:
        """Why the last input was refused; empty if it was not."""
        return self.view.message

    def update(self, **changes: Any) -> None:
        """Show the state with other values in the fields named.

        A value that has no picture changes nothing: the picture stays, and the reason stands above it.
        """
        self._show(lambda state: replace(state, **self._checked(changes)))

    def select(self, row: int, col: int, grid: str | None = None) -> None:
        """Choose a cell, by its index as the picture counts it; ``grid`` if there is more than one to choose in."""
        self.update(selected=(grid or self._state.selected.grid, row, col))

    def reset(self) -> None:
        """Go back to how it began."""
        self._show(lambda state: self._initial)

    def save_html(self, path: str | Path) -> None:
        """Save the picture as a page that answers to pointer and keys with neither kernel nor network."""
        Path(path).write_text(self.view.html(), encoding="utf-8")

    def _behind_buttons(self) -> Iterator[Scene]:
        """The pictures that the buttons lead to, in every combination."""
        states = [self._state]
        for control in self._controls:
            if isinstance(control.widget, widgets.ToggleButtons):
                states = [control.change(state, value) for state in states for _, value in control.widget.options]
        for state in states if len(states) > 1 else ():
            with suppress(TypeError, ValueError):  # some have no picture
                yield self._scene(state)

    def _show(self, change: Callable[[Any], Any]) -> None:
        with self._lock:
            try:
                state = change(self._state)
                scene = self._scene(state)
                if scene.selected != state.selected != self._state.selected:
                    raise ValueError(self._no_such_cell(state.selected, scene))
            except (TypeError, ValueError) as error:
                self.view.message = str(error)
            else:
                self._state = replace(state, selected=scene.selected)
                self.view.show(scene)
            self._refresh_controls()

    def _checked(self, changes: dict[str, Any]) -> dict[str, Any]:
        names = [field.name for field in fields(self._state)]
        for name in changes:
            if name not in names:
                raise TypeError(f"{type(self).__name__}: there is no {name} to change; expected {', '.join(names)}.")
        if "selected" not in changes:
            return changes
        try:
            grid, row, col = changes["selected"]
            return {**changes, "selected": Selection(grid, index(row), index(col))}
        except (TypeError, ValueError):
            raise TypeError(
                f"{type(self).__name__}: selected is {changes['selected']!r}; expected the name of a grid and "
                f"two integers, for example {tuple(self._state.selected)}."
            ) from None

    def _no_such_cell(self, asked: Selection, scene: Scene) -> str:
        cells = [tuple(cell) for cell in scene.highlights]
        return (
            f"{type(self).__name__}: there is no cell {tuple(asked)} to choose; "
            f"expected one from {cells[0]} to {cells[-1]}."
        )

    def _refresh_controls(self) -> None:
        self._refreshing = True
        try:
            for control in self._controls:
                control.show(self._state)
        finally:
            self._refreshing = False

    def _on_control(self, control: Control, change: Any) -> None:
        with self._lock:
            if not self._refreshing:
                self._show(lambda state: control.change(state, change.new))

    def _on_selection(self, change: Any) -> None:
        # The page shows it already, and the state follows; unless it was chosen in a picture that is gone by now.
        with self._lock:
            setattr(self.view, change.name, change.new)  # another thread may have shown the former choice meanwhile
            selected = self.view.scene.selected
            self._state = replace(self._state, selected=selected)
            self.view.grid, self.view.row, self.view.col = selected
            self.view.message = ""
            self._refresh_controls()

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.view.scene.sentence}"

    def close(self) -> None:
        """Take the picture and its controls off the page, and out of the kernel."""
        close_inside(self)
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        close_former(self)
        data, metadata = self.view.still()
        live = super()._repr_mimebundle_(**kwargs)
        return {**live, **data, "text/plain": repr(self)}, metadata
