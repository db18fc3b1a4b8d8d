"""A control for what goes step by step: play, one step back, one on, and a slider."""

import ipywidgets as widgets
import traitlets

from convbp.explorers.controls.alike import made
from convbp.explorers.controls.terse import Terse


class StepPlayer(Terse, widgets.HBox):
    """``value`` is the step, from 0 to ``max``, which may change with the state; see `Control.fit`."""

    value = traitlets.Int()
    max = traitlets.Int()

    def __init__(self, name: str = "step", *, interval: int = 700):
        self._play = made(widgets.Play, interval=interval, show_repeat=False, tooltip="Play")
        self._slider = made(widgets.IntSlider, description=name, style={"description_width": "auto"})
        back = made(widgets.Button, icon="step-backward", tooltip="One step back", layout={"width": "40px"})
        on = made(widgets.Button, icon="step-forward", tooltip="One step on", layout={"width": "40px"})
        super().__init__([self._play, back, on, self._slider], layout={"flex_flow": "row wrap"})
        for widget in (self._play, self._slider):  # which stay within their max, and so does the value
            traitlets.link((self, "max"), (widget, "max"))
            traitlets.link((self, "value"), (widget, "value"))
        back.on_click(lambda _: self._step(-1))
        on.on_click(lambda _: self._step(1))

    def _step(self, by: int) -> None:
        self.value = min(max(self.value + by, 0), self.max)

    @traitlets.validate("value")
    def _within(self, proposal) -> int:
        return min(max(proposal.value, 0), self.max)
