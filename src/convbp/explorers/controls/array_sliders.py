"""A control for a small array: one slider for each entry, laid out as the array is."""

import ipywidgets as widgets
import traitlets

from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.notation import subscripted

GAP = 12  # between two sliders, in pixels


class ArraySliders(widgets.GridBox):
    """Sliders for the entries of a small 2-D array; ``value`` is the array, as a tuple of rows.

    Entries that are integers get sliders that stay on integers. Another shape gets other sliders.
    """

    value = traitlets.Tuple()

    def __init__(self, label: str, value: tuple[tuple, ...]):
        self._label, self._refreshing = label, False
        self._sliders: list[list[NumberSlider]] = []
        self._shape: tuple[int, int] | None = None
        super().__init__(value=value)

    @traitlets.validate("value")
    def _follow_value(self, proposal) -> tuple[tuple, ...]:
        # Validating rather than observing: to a trait, 1.0 in the place of 1 is no change.
        value, self._refreshing = proposal.value, True
        try:
            if self._shape != (len(value), len(value[0])):
                self._shape = len(value), len(value[0])
                self._build(*self._shape)
            for sliders, row in zip(self._sliders, value, strict=True):
                for slider, entry in zip(sliders, row, strict=True):
                    slider.value = entry
        finally:
            self._refreshing = False
        return value

    def _build(self, rows: int, cols: int) -> None:
        self._sliders = [[self._slider(m, n) for n in range(cols)] for m in range(rows)]
        gaps = GAP * (cols - 1)
        self.children = [slider for sliders in self._sliders for slider in sliders]
        # As many side by side as the array has columns, unless that leaves them less than 110 pixels.
        self.layout.grid_template_columns = f"repeat(auto-fill, minmax(max(110px, (100% - {gaps}px) / {cols}), 1fr))"
        self.layout.grid_gap = f"0px {GAP}px"
        self.layout.max_width = f"{190 * cols + gaps}px"
        answer_beside_cells(self)  # the new sliders

    def _slider(self, m: int, n: int) -> NumberSlider:
        slider = NumberSlider(
            description=subscripted(self._label, m, n),
            real_format=".2f",  # there is no room for more; the picture says it
            style={"description_width": "28px"},
            layout=widgets.Layout(flex="1 1 auto", width="auto", margin="0"),
        )
        slider.observe(lambda change: self._follow_slider(m, n, change.new), "value")
        return slider

    def _follow_slider(self, m: int, n: int, entry) -> None:
        if not self._refreshing:
            rows = [list(row) for row in self.value]
            rows[m][n] = entry
            self.value = tuple(map(tuple, rows))
