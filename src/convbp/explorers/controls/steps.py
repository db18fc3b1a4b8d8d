"""Where the sliders of a control can go from where they are: a step on, and a step back."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import ipywidgets as widgets


class Step(NamedTuple):
    """A value of one slider, and the value that its control then has."""

    slider: float
    control: Any


def moved(before: Any, after: Any) -> int | None:
    """Which slider of a control with these values was moved, if it was one: the entry of the array that changed."""
    if not isinstance(after, tuple):
        return 0
    if not isinstance(before, tuple) or [*map(len, before)] != [*map(len, after)]:
        return None
    entries = [pair for rows in zip(before, after, strict=True) for pair in zip(*rows, strict=True)]
    changed = [n for n, (was, is_) in enumerate(entries) if was != is_]
    return changed[0] if len(changed) == 1 else None


def sliders(widget: widgets.Widget) -> Iterator[Any]:
    """The sliders of a control, row by row."""
    if isinstance(widget, widgets.IntSlider | widgets.FloatSlider):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from sliders(child)


def steps(slider: Any, place: int, value: Any) -> Iterator[Step]:
    """The steps from where a slider is, if it is the one for this entry of its control's value."""
    for to in (slider.value + slider.step, slider.value - slider.step):
        if slider.min <= to <= slider.max:
            entry = to if isinstance(to, int) else round(to, 10)  # as `NumberSlider` rounds it
            yield Step(to, _with_entry(value, place, entry) if isinstance(value, tuple) else entry)


def _with_entry(rows: tuple[tuple, ...], place: int, entry: Any) -> tuple[tuple, ...]:
    row, col = divmod(place, len(rows[0]))
    return tuple(tuple(entry if (r, c) == (row, col) else one for c, one in enumerate(entries)) for r, entries in enumerate(rows))
