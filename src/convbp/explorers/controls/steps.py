"""Where the sliders of a control can go from where they are: a step on, and a step back."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import ipywidgets as widgets

from convbp.explorers.controls.array_sliders import ArraySliders


class Step(NamedTuple):
    """A value of one slider, and the value that its control then has."""

    slider: float
    control: Any


def sliders(control: widgets.Widget) -> Iterator[Any]:
    """The sliders of a control, row by row."""
    if isinstance(control, widgets.IntSlider | widgets.FloatSlider):
        yield control
    for child in getattr(control, "children", ()):
        yield from sliders(child)


def moved(control: widgets.Widget, before: Any, after: Any) -> Any:
    """The slider of a control that was moved; None if it has no slider, others than before, or several were moved."""
    changed = [0]
    if isinstance(control, ArraySliders):
        if [*map(len, before)] != [*map(len, after)]:
            return None
        pairs = zip(_entries(before), _entries(after), strict=True)
        changed = [n for n, (was, is_) in enumerate(pairs) if was != is_]
    found = [slider for n, slider in enumerate(sliders(control)) if n in changed]
    return found[0] if len(found) == 1 else None


def steps(control: widgets.Widget, slider: Any, value: Any, reach: int) -> Iterator[Step]:
    """The steps of a slider of a control that has this value, the nearest first: where it stands, then on and back.

    None if the slider is not the control's any more.
    """
    found = list(sliders(control))
    if slider not in found:
        return
    # The page goes from step to step, and a value between two of them stands at the next one.
    stands = round((slider.value - slider.min) / slider.step)
    for by in sorted(range(-reach, reach + 1), key=lambda by: (abs(by), -by)):
        to = slider.min + slider.step * (stands + by)
        if slider.min <= to <= slider.max:
            entry = round(to, 10)  # as `Number` rounds it
            whole = _with_entry(value, found.index(slider), entry) if isinstance(control, ArraySliders) else entry
            yield Step(to, whole)


def _entries(rows: tuple[tuple, ...]) -> list:
    return [entry for row in rows for entry in row]


def _with_entry(rows: tuple[tuple, ...], place: int, entry: Any) -> tuple[tuple, ...]:
    entries, width = _entries(rows), len(rows[0])
    entries[place] = entry
    return tuple(tuple(entries[start : start + width]) for start in range(0, len(entries), width))
