"""A cell that is run again: what it showed before is closed, or a kernel and a saved notebook would keep all of it."""

from typing import Any

import ipywidgets as widgets
from IPython import get_ipython

from convbp.explorers.controls.alike import is_shared

# Cell → the run that showed something there last, and what it showed.
_shown: dict[str, tuple[str, list[widgets.Widget]]] = {}


def close_former(explorer: widgets.Widget) -> None:
    """Note that the cell that is running shows ``explorer``, and close what it showed when it ran before.

    What another cell shows stays, and so does what has a name, alone or in a list, a tuple or a dict. Where the front
    end does not say which cell is running, nothing is closed.
    """
    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell, run = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    before, explorers = _shown.get(cell, (run, []))
    if before == run:
        _shown[cell] = run, [*explorers, explorer]
        return
    _shown[cell] = run, [explorer]
    kept = [one for _, ones in _shown.values() for one in ones] + _named(shell.user_ns)
    for former in explorers:
        if not any(former is one for one in kept):
            _forget(shell, former)
            former.close()


def close_inside(widget: widgets.Widget) -> None:
    """Close the widgets inside, with the layouts and styles of their own; ipywidgets closes a box alone."""
    for child in getattr(widget, "children", ()):
        close_inside(child)
        child.close()
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, widgets.Widget) and not is_shared(part):
            part.close()


def _named(namespace: dict[str, Any]) -> list[Any]:
    """What the reader's names stand for, and what is in it; a name with an underscore is the history's."""
    values = [value for name, value in namespace.items() if not name.startswith("_") and name != "Out"]
    inside = [value for value in values if isinstance(value, list | tuple)]
    inside += [list(value.values()) for value in values if isinstance(value, dict)]
    return values + [one for several in inside for one in several]


def _forget(shell: Any, explorer: widgets.Widget) -> None:
    """Take it out of the history of results: by one name, as IPython then deletes all that the same object has."""
    names = [f"_{number}" for number, result in shell.user_ns["Out"].items() if result is explorer]
    if left := [name for name in names if name in shell.user_ns]:
        shell.del_var(left[0])
