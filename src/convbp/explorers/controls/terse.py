"""Widgets that say no more than the page has to know: no nulls, and nothing of what changes while they are built."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets

_building = threading.local()


class Terse(widgets.Widget):
    """Sends no nulls, which the page takes for what it is not told: a layout has some forty, any other widget three.

    But for the index of a list in which nothing is chosen: the page would take its first entry.
    """

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return state if key else {name: value for name, value in state.items() if value is not None or name == "index"}

    def open(self) -> None:
        """Tell the page of it; inside `built_together` at its end."""
        waiting = getattr(_building, "waiting", None)
        if waiting is None:
            super().open()
        else:
            waiting.append(self)


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
