"""A control for a small array: one slider for each entry, laid out as the array is."""

import ipywidgets as widgets
import traitlets

from convbp.explorers.controls.alike import Layout, look
from convbp.explorers.controls.number_slider import Number
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
        self._numbers: list[list[Number]] = []
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
            for numbers, row in zip(self._numbers, value, strict=True):
                for number, entry in zip(numbers, row, strict=True):
                    number.value = entry
            self.children = tuple(number.slider for numbers in self._numbers for number in numbers)
        finally:
            self._refreshing = False
        return value

    def _build(self, rows: int, cols: int) -> None:
        self._numbers = [[self._number(m, n) for n in range(cols)] for m in range(rows)]
        gaps, self._most = GAP * (cols - 1), max(self._most, rows)
        # As many side by side as the array has columns, unless that leaves them less than 110 pixels.
        self.layout = look(
            Layout,
            grid_template_columns=f"repeat(auto-fill, minmax(max(110px, (100% - {gaps}px) / {cols}), 1fr))",
            grid_gap=f"0px {GAP}px",
            max_width=f"{190 * cols + gaps}px",
            min_height=f"{LINE * self._most}px",
            align_content="flex-start",
        )

    def _number(self, m: int, n: int) -> Number:
        least, most = self.limits
        number = Number(
            description=subscripted(self._label, m, n),
            least=least,
            most=most,
            real_format=".2f",  # there is no room for more; the picture says it
            style={"description_width": "28px"},
            layout={"flex": "1 1 auto", "width": "auto", "margin": "0"},
        )
        number.observe(lambda change: self._follow_number(m, n, change.new), "value")
        return number

    @traitlets.observe("children")
    def _follow_children(self, change) -> None:
        answer_beside_cells(self)  # the new sliders

    @traitlets.observe("names", "value")
    def _follow_names(self, change) -> None:
        # Names of another shape are those of a value that is on its way.
        if tuple(map(len, self.names)) == tuple(map(len, self._numbers)):
            for numbers, names in zip(self._numbers, self.names, strict=True):
                for number, name in zip(numbers, names, strict=True):
                    number.description = name

    def _follow_number(self, m: int, n: int, entry) -> None:
        if not self._refreshing:
            rows = [list(row) for row in self.value]
            rows[m][n] = entry
            self.value = tuple(map(tuple, rows))
