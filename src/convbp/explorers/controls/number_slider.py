"""A slider for one number, be it whole or not, which nobody but the reader changes."""

from math import ceil
from numbers import Integral
from typing import Any

import ipywidgets as widgets
import traitlets

from convbp.explorers.controls.alike import Layout, look, made
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.explorers.controls.terse import Terse


class NumberSlider(Terse, widgets.Box):
    """A slider for one number, its ``value``; the range grows with it.

    A whole number gets a slider that stays on whole numbers and follows the handle. Any other number gets one that
    answers when the handle is let go: the page puts a number that it is told on the slider's next step, so that
    0.123 becomes 0.1 and 3.0 becomes 2.9999999999999982, and of a slider that follows it would tell Python so.

    ``real_format`` is how a number that is not whole is written beside it. ``options`` are of the slider itself: its
    ``style``, its ``layout``.
    """

    value = traitlets.Any(0)
    description = traitlets.Unicode()
    disabled = traitlets.Bool(False)

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
        self._slider: Any = None
        self._refreshing = False
        super().__init__(description=description, value=value, layout=look(Layout))

    @traitlets.validate("value")
    def _follow_value(self, proposal) -> Any:
        # Validating rather than observing: to a trait, 1.0 in the place of 1 is no change.
        value, whole = proposal.value, isinstance(proposal.value, Integral)
        self._refreshing = True
        try:
            if not isinstance(self._slider, widgets.IntSlider if whole else widgets.FloatSlider):
                self._build(value, whole)
            # First the range and then the value, and never a narrower range: the page would move what lies outside.
            slider = self._slider
            if not slider.min <= value <= slider.max:
                slider.max = max(slider.max, ceil(abs(value)))
                slider.min = -slider.max if min(slider.min, value) < 0 else slider.min
            slider.value = int(value) if whole else float(value)
        finally:
            self._refreshing = False
        return value

    def _build(self, value: Any, whole: bool) -> None:
        least, most = self._range if self._slider is None else (self._slider.min, self._slider.max)
        value = value if least <= value <= most else least
        common: dict[str, Any] = {"min": least, "max": most, "description": self.description, "disabled": self.disabled}
        if whole:
            self._slider = made(widgets.IntSlider, int(value), **common, **self._options)
        else:
            self._slider = made(widgets.FloatSlider, float(value), **common, **self._options, **self._of_reals)
        self._slider.observe(self._follow_slider, "value")
        self.children = [self._slider]
        answer_beside_cells(self)  # the new slider

    @traitlets.observe("description", "disabled")
    def _follow_label(self, change) -> None:
        if self._slider is not None:
            setattr(self._slider, change.name, change.new)

    def _follow_slider(self, change) -> None:
        if not self._refreshing:
            self.value = round(change.new, 10)  # or ten steps of 0.1 would be 0.9999999999999999
