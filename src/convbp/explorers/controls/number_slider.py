"""A slider for one number, be it whole or not, which nobody but the reader changes."""

from math import ceil
from numbers import Integral
from typing import Any

import ipywidgets as widgets
import traitlets

from convbp.explorers.controls.alike import Layout, look, made
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.explorers.controls.terse import Terse


class Number(traitlets.HasTraits):
    """One number, its ``value``, and the ``slider`` that shows and moves it; the range grows with it.

    A whole number gets a slider that stays on whole numbers and follows the handle. Any other number gets one that
    answers when the handle is let go: the page puts a number that it is told on the slider's next step, so that
    0.123 becomes 0.1 and 3.0 becomes 2.9999999999999982, and of a slider that follows it would tell Python so. So where
    a number of the other kind comes, another ``slider`` does.

    ``real_format`` is how a number that is not whole is written beside it. ``options`` are of the slider itself: its
    ``style``, its ``layout``.
    """

    value = traitlets.Any(0)
    description = traitlets.Unicode()
    disabled = traitlets.Bool(False)
    slider = traitlets.Any()

    def __init__(
        self,
        value: Any = 0,
        description: str = "",
        *,
        least: float = -9,
        most: float = 9,
        step: float = 0.1,
        real_format: str = ".4",
        **options: Any,
    ):
        self._range, self._options = (least, most), options
        self._of_reals: dict[str, Any] = {"step": step, "readout_format": real_format, "continuous_update": False}
        self._refreshing = False
        super().__init__(description=description)
        self.value = value

    @traitlets.validate("value")
    def _follow_value(self, proposal) -> Any:
        # Validating rather than observing: to a trait, 1.0 in the place of 1 is no change.
        value, whole = proposal.value, isinstance(proposal.value, Integral)
        self._refreshing = True
        try:
            slider = self.slider
            if not isinstance(slider, widgets.IntSlider if whole else widgets.FloatSlider):
                slider = self._built(value, whole)
            # First the range and then the value, and never a narrower range: the page would move what lies outside.
            if not slider.min <= value <= slider.max:
                slider.max = max(slider.max, ceil(abs(value)))
                slider.min = -slider.max if min(slider.min, value) < 0 else slider.min
            if (
                round(slider.value, 10) != value
            ):  # or a key that follows at once would be lost: the page takes what comes
                slider.value = int(value) if whole else float(value)
            self.slider = slider
        finally:
            self._refreshing = False
        return value

    def _built(self, value: Any, whole: bool) -> Any:
        least, most = self._range if self.slider is None else (self.slider.min, self.slider.max)
        value = value if least <= value <= most else least
        common: dict[str, Any] = {"min": least, "max": most, "description": self.description, "disabled": self.disabled}
        if whole:
            slider = made(widgets.IntSlider, int(value), **common, **self._options)
        else:
            slider = made(widgets.FloatSlider, float(value), **common, **self._options, **self._of_reals)
        slider.observe(self._follow_slider, "value")
        return slider

    @traitlets.observe("description", "disabled")
    def _follow_label(self, change) -> None:
        if self.slider is not None:
            setattr(self.slider, change.name, change.new)

    def _follow_slider(self, change) -> None:
        if not self._refreshing:
            self.value = round(change.new, 10)  # or ten steps of 0.1 would be 0.9999999999999999


class NumberSlider(Terse, widgets.Box):
    """A `Number` in a place of its own, where one slider can follow another; ``options`` are the number's."""

    value = traitlets.Any(0)
    description = traitlets.Unicode()
    disabled = traitlets.Bool(False)

    def __init__(self, value: Any = 0, description: str = "", **options: Any):
        self._number = Number(value, description, **options)
        super().__init__([self._number.slider], layout=look(Layout))
        for name in ("description", "disabled"):
            traitlets.link((self._number, name), (self, name))
        self.value = value
        self._number.observe(lambda change: setattr(self, "value", change.new), "value")
        self._number.observe(self._follow_slider, "slider")

    @traitlets.validate("value")
    def _follow_value(self, proposal) -> Any:
        # Validating rather than observing, as in the number.
        self._number.value = proposal.value
        return proposal.value

    def _follow_slider(self, change) -> None:
        self.children = [change.new]
        answer_beside_cells(self)  # the new slider
