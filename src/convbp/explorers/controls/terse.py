"""Widgets that say no more than the page has to know: no defaults, and nothing of what changes while they are built."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

_building = threading.local()

# Told in any case: which widget it is, and what has another default on the page.
_ALWAYS = {"_model_module", "_model_module_version", "_model_name", "behavior", "index", "step", "value"}


class Terse(widgets.Widget):
    """Tells the page at first only what is not the default there, and of nulls nothing at all.

    A layout has some forty nulls, and a slider twenty defaults.
    """

    _opening = False

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        if key:
            return super().get_state(key, drop_defaults)
        state: dict[str, Any] = super().get_state(drop_defaults=drop_defaults or self._opening)
        state = {name: value for name, value in state.items() if value is not None}
        return state | {name: getattr(self, name) for name in _ALWAYS.intersection(self.keys)}

    def open(self) -> None:
        """Tell the page of it; inside `built_together` at its end."""
        waiting = getattr(_building, "waiting", None)
        if waiting is None:
            self.open_now()
        else:
            waiting.append(self)

    def open_now(self) -> None:
        """Tell the page of it."""
        self._opening = True
        try:
            super().open()
        finally:
            self._opening = False


@contextmanager
def built_together() -> Iterator[None]:
    """What is built here is sent as it is at the end; else each change on the way there is a message of its own."""
    if getattr(_building, "waiting", None) is not None:  # one is built inside another
        yield
        return
    waiting: list[widgets.Widget] = []
    _building.waiting = waiting
    try:
        yield
    finally:
        _building.waiting = None
    for widget in waiting:
        _open(widget)


def _open(widget: widgets.Widget) -> None:
    """What stands in a widget has to be there before it."""
    if widget.comm is None:
        for child in getattr(widget, "children", ()):
            _open(child)
        widget.open()
