"""Draw a digit, and see what a network takes it for."""

from dataclasses import dataclass, replace
from functools import partial
from operator import index
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.explorers.explorer import Control, Explorer, reset_button, wrapped
from convbp.networks.digits import load_digits
from convbp.networks.network import Network
from convbp.notation import number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Scene, Selection, rows_of
from convbp.shapes import as_count, as_numbers

FULL, SHAPE, CLASSES = 16, (8, 8), 10  # as the digits have it: most ink, cells, kinds
NUMBERS = ("scores", "exponentials", "probabilities")  # a row of each for each class
FIRST = Selection("drawing", 0, 0)


@dataclass(frozen=True, eq=False)
class State:
    """What the reader sees: a drawing, the ink of the pen, and the chosen cell.

    ``drawing`` has a whole number from 0 (paper) to 16 in each of its 8×8 cells. ``example`` is the digit of the data
    that was laid down last.
    """

    drawing: np.ndarray
    pen: int = FULL
    example: int = 0
    selected: Selection = FIRST

    def __post_init__(self):
        drawing = as_numbers("DrawDigit", "drawing", self.drawing, "HW")
        if drawing.shape != SHAPE:
            raise ValueError(f"DrawDigit: drawing has shape {drawing.shape}; expected {SHAPE}, as the digits have it.")
        if drawing.min() < 0 or drawing.max() > FULL:
            raise ValueError(
                f"DrawDigit: drawing has entries from {number(drawing.min())} to {number(drawing.max())}; expected 0, "
                f"which is paper, to {FULL}. For an image between 0 and 1: {FULL} * image."
            )
        if drawing.max() <= 1 and (drawing % 1).any():
            raise ValueError(
                f"DrawDigit: drawing has entries such as {number(drawing[drawing % 1 > 0][0])}, and none above 1; "
                f"expected whole numbers from 0 to {FULL}. For an image between 0 and 1: {FULL} * image."
            )
        drawing = np.rint(drawing.astype(float)).astype(int)
        drawing.setflags(write=False)
        object.__setattr__(self, "drawing", drawing)
        for name, largest in (("pen", FULL), ("example", len(load_digits().images) - 1)):
            value = as_count("DrawDigit", name, getattr(self, name), 0)
            if value > largest:
                raise ValueError(f"DrawDigit: {name} is {value}; expected at most {largest}.")


def scene(network: Network, state: State) -> Scene:
    """Return the picture of a state: the drawing, the network's score for each digit, and the probability.

    The probabilities are the softmax of the scores, p(c) = exp(x(c)) / Σ exp(x). It is written out for the likeliest
    digit s, as 1 / Σ exp(x − x(s)).
    """
    image = state.drawing[None, :, :, None] / FULL
    scores = network.scores(image)[0].astype(float)
    percent = 100 * network.probabilities(image)[0].astype(float)
    seen = int(scores.argmax())
    drawing = Grid("drawing", "your drawing", rows_of(state.drawing), axes=("i", "j"), largest=FULL)
    exponentials = np.exp(scores - scores[seen])
    x, total = f"x({seen})", number(exponentials.sum())

    def column(name: str, title: str, values: np.ndarray, largest: float | None = None) -> tuple[Grid]:
        return (Grid(name, title, rows_of(values[:, None]), largest=largest),)

    sees = f"the network sees a {seen} ({percent[seen]:.0f} %)"
    says = f"T{sees[1:]}." if state.drawing.any() else f"The paper is blank. It has to be a digit, so {sees}."
    highlights = {
        Selection("drawing", i, j): Highlight(
            marks=(Mark("drawing", i, j), *(Mark(grid, seen, 0) for grid in NUMBERS)),
            formula=Formula(
                heading=f"p({seen}) = exp({x}) / Σ exp(x)",
                total=f"= 1 / Σ exp(x − {x}) = 1 / {total} = {percent[seen]:.1f} %",
            ),
            sentence=f"{says} Cell ({i}, {j}) has ink {state.drawing[i, j]} of {FULL}.",
        )
        for i, j in drawing.cells()
    }
    return Scene(
        title="Draw a digit",
        columns=(
            (drawing,),
            column("scores", "score x", scores.round(2)),
            column("exponentials", f"exp(x − {x})", exponentials.round(3), 1),
            column("probabilities", "p in %", percent.round(1), 100),
        ),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else FIRST,
    )


class DrawDigit(Explorer):
    """Draw a digit into 8×8 cells, and see what a network takes it for after each stroke.

    A cell is painted by a press, or by Space where the arrow keys have gone; painted again it is paper. `update()` asks
    the network again, if it has learnt meanwhile.

    Parameters
    ----------
    network : Network
        For images of shape (8, 8, 1) with ink from 0 to 1, and ten classes: such as `convbp.digit_network` returns.
    drawing : array_like, shape=(8, 8), optional
        Ink from 0 to 16, as `convbp.load_digits` has it, or else rounded; the first of those digits if left out.

    Raises
    ------
    TypeError, ValueError
        If the network takes or returns something else, or there is no such drawing.
    """

    def __init__(self, network: Network, drawing=None):
        if not isinstance(network, Network):
            raise TypeError(f"DrawDigit: network is {type(network).__name__}; expected a Network.")
        if (network.input_shape, network.output_shape) != ((*SHAPE, 1), (CLASSES,)):
            raise ValueError(
                f"DrawDigit: the network takes {network.input_shape} and returns {network.output_shape} per image; "
                f"expected {(*SHAPE, 1)} and ({CLASSES},), as digit_network() has them."
            )
        digits = load_digits().images
        pen = widgets.IntSlider(description="ink", min=0, max=FULL, style={"description_width": "auto"})
        example = widgets.IntSlider(description="example", max=len(digits) - 1, style={"description_width": "auto"})
        clear, reset = widgets.Button(description="Clear", icon="eraser", tooltip="Blank paper"), reset_button()
        super().__init__(
            State(digits[0] if drawing is None else drawing),
            partial(scene, network),
            controls=[
                Control.field("pen", pen),
                Control(
                    example,
                    lambda state: state.example,
                    lambda state, which: replace(state, example=which, drawing=digits[which]),
                ),
            ],
            layout_rows=[wrapped(pen, example, clear, reset)],
            reset=reset,
        )
        self._stroke = FULL  # the ink that it leaves
        self.view.paintable = True
        self.view.on_msg(lambda view, message, buffers: self._on_message(message))
        clear.on_click(lambda _: self.clear())

    def paint(self, row: int, col: int, *, begins: bool = True) -> None:
        """Paint a cell with the ink of the pen. A stroke that begins on a cell with that ink leaves paper instead."""
        try:
            row, col = index(row), index(col)
        except TypeError:
            raise TypeError(f"DrawDigit: the cell to paint is ({row!r}, {col!r}); expected two integers.") from None
        if not (0 <= row < SHAPE[0] and 0 <= col < SHAPE[1]):
            raise ValueError(f"DrawDigit: there is no cell ({row}, {col}) to paint; expected (0, 0) to (7, 7).")
        self._paint(row, col, begins, selected=("drawing", row, col))

    def _paint(self, row: int, col: int, begins: bool, **also: Any) -> None:
        with self._lock:
            drawing, pen = self.state.drawing.copy(), self.state.pen
            if begins:
                self._stroke = 0 if drawing[row, col] == pen else pen
            drawing[row, col] = self._stroke
            self.update(drawing=drawing, **also)

    def clear(self) -> None:
        """Take all ink away."""
        self.update(drawing=np.zeros(SHAPE, int))

    def _on_message(self, message: dict) -> None:
        cell = message["paint"]
        # The page has the cell chosen, and may be at the next one by now: it is not to be called back.
        self._paint(cell["row"], cell["col"], message["begins"])
