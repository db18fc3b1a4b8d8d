"""Controls that look alike share what says so: else each sends a layout and a style of its own to the page."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import ipywidgets as widgets

from convbp.explorers.controls.terse import Terse

_looks: dict[tuple, widgets.Widget] = {}


class _Look(Terse):
    """Is sent at once: whoever is to look alike takes what is there."""

    def open(self) -> None:
        self.open_now()


class Layout(_Look, widgets.Layout):
    """A layout that says only what it sets."""


@cache
def _terse(kind: Any, base: type[Terse] = Terse) -> Any:
    return type(kind.__name__, (base, kind), {"__module__": __name__})


def made(
    kind: Any,
    *arguments: Any,
    layout: Mapping[str, Any] | None = None,
    style: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """A widget of this class, whose layout and style it has in common with all that are to have the same.

    What is shared must not be changed: a widget whose layout follows its state has one of its own.
    """
    looks = {"layout": look(Layout, **layout or {})}
    if "style" in (traits := kind.class_traits()):
        looks["style"] = look(_terse(traits["style"].klass, _Look), **style or {})
    return _terse(kind)(*arguments, **looks, **options)


def look(kind: type[widgets.Widget], **traits: Any) -> Any:
    """The layout or style with these traits."""
    key = (kind, *sorted(traits.items()))
    if key not in _looks or _looks[key].comm is None:  # the reader has closed all widgets
        _looks[key] = kind(**traits)
    return _looks[key]


def is_shared(look: widgets.Widget) -> bool:
    """Whether others may have it, too."""
    return any(look is one for one in _looks.values())
