"""A control for a small array: one slider for each entry, laid out as the array is."""

import ipywidgets as widgets
import traitlets

from convbp.explorers.controls.alike import Layout, look
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.explorers.controls.terse import Terse
from convbp.notation import subscripted

GAP, LINE = 12, 28  # between two sliders, and how high one is, in pixels


class ArraySliders(Terse, widgets.GridBox):
    """Sliders for the entries of a small 2-D array; ``value`` is the array, as a tuple of rows.

    Entries that are integers get sliders that stay on integers. Another shape gets other sliders, and the room that a
    larger one once needed is kept. They are called by ``names``, row by row; or by the label and the index of the
    entry. ``limits`` are the ends of the sliders; beyond them a range grows with its value.
    """

    value = traitlets.Tuple()
    names = traitlets.Tuple()
    limits = traitlets.Tuple((-9, 9))

    def __init__(self, label: str, value: tuple[tuple, ...]):
        self._label, self._refreshing = label, False
        self._sliders: list[list[NumberSlider]] = []
        self._built: tuple | None = None
        self._most = 0
        super().__init__(value=value)

    @traitlets.validate("value")
    def _follow_value(self, proposal) -> tuple[tuple, ...]:
        # Validating rather than observing: to a trait, 1.0 in the place of 1 is no change.
        value, self._refreshing = proposal.value, True
        try:
            built = len(value), len(value[0]), self.limits
            if self._built != built:
                self._built = built
                self._build(*built[:2])
            for sliders, row in zip(self._sliders, value, strict=True):
                for slider, entry in zip(sliders, row, strict=True):
                    slider.value = entry
        finally:
            self._refreshing = False
        return value

    def _build(self, rows: int, cols: int) -> None:
        self._sliders = [[self._slider(m, n) for n in range(cols)] for m in range(rows)]
        gaps, self._most = GAP * (cols - 1), max(self._most, rows)
        self.children = [slider for sliders in self._sliders for slider in sliders]
        # As many side by side as the array has columns, unless that leaves them less than 110 pixels.
        self.layout = look(
            Layout,
            grid_template_columns=f"repeat(auto-fill, minmax(max(110px, (100% - {gaps}px) / {cols}), 1fr))",
            grid_gap=f"0px {GAP}px",
            max_width=f"{190 * cols + gaps}px",
            min_height=f"{LINE * self._most}px",
            align_content="flex-start",
        )
        answer_beside_cells(self)  # the new sliders

    def _slider(self, m: int, n: int) -> NumberSlider:
        least, most = self.limits
        slider = NumberSlider(
            description=subscripted(self._label, m, n),
            least=least,
            most=most,
            real_format=".2f",  # there is no room for more; the picture says it
            style={"description_width": "28px"},
            layout={"flex": "1 1 auto", "width": "auto", "margin": "0"},
        )
        slider.observe(lambda change: self._follow_slider(m, n, change.new), "value")
        return slider

    @traitlets.observe("names", "value")
    def _follow_names(self, change) -> None:
        # Names of another shape are those of a value that is on its way.
        if tuple(map(len, self.names)) == tuple(map(len, self._sliders)):
            for sliders, names in zip(self._sliders, self.names, strict=True):
                for slider, name in zip(sliders, names, strict=True):
                    slider.description = name

    def _follow_slider(self, m: int, n: int, entry) -> None:
        if not self._refreshing:
            rows = [list(row) for row in self.value]
            rows[m][n] = entry
            self.value = tuple(map(tuple, rows))
