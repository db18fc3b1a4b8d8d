"""Draw a digit, and see what a network takes it for."""

from dataclasses import MISSING, dataclass, replace
from functools import partial
from operator import index
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.explorers.controls.alike import made
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.fields import Kind, choice, declares, shown, whole
from convbp.explorers.states.state import ExplorerState
from convbp.networks.digits import load_digits
from convbp.networks.network import Network
from convbp.notation import number, subscripted
from convbp.pictures.scene import Formula, Grid, Highlight, Highlights, Mark, Scene, Selection, rows_of
from convbp.shapes import as_numbers

FULL, CLASSES = 16, 10  # as the digits have it: most ink, kinds
LARGEST = 28
NUMBERS = ("scores", "exponentials", "probabilities")  # a row of each for each class
NO_DIGIT = "none"
FIRST = Selection("drawing", 0, 0)


class OfDigits(Kind):
    """A network for one-channel images, with ten classes."""

    def check(self, state: ExplorerState, name: str, value: Any) -> Network:
        if not isinstance(value, Network):
            raise TypeError(f"{state.explorer}: {name} is {shown(value)}; expected a Network.")
        taken, returned = value.input_shape, value.output_shape
        if len(taken) != 3 or taken[2] != 1 or max(taken) > LARGEST or returned != (CLASSES,):
            raise ValueError(
                f"{state.explorer}: the network takes {taken} and returns {returned} per image; expected (H, W, 1) of "
                f"at most {LARGEST}×{LARGEST}, and ({CLASSES},). digit_network() has (8, 8, 1) and ({CLASSES},)."
            )
        return value

    def type(self) -> str:
        return "Network"


class Drawing(Kind):
    """An image of the size that the state's network takes, in whole numbers from 0 (paper) to 16."""

    def check(self, state: Any, name: str, value: Any) -> np.ndarray:
        drawing, size = as_numbers(state.explorer, name, value, "HW"), state.network.input_shape[:2]
        if drawing.shape != size:
            raise ValueError(
                f"{state.explorer}: {name} has shape {drawing.shape}; expected {size}, as the network takes it."
            )
        if drawing.min() < 0 or drawing.max() > FULL:
            raise ValueError(
                f"{state.explorer}: {name} has entries from {number(drawing.min())} to {number(drawing.max())}; "
                f"expected 0, which is paper, to {FULL}. For an image between 0 and 1: {FULL} * image."
            )
        if drawing.max() <= 1 and (drawing % 1).any():
            raise ValueError(
                f"{state.explorer}: {name} has entries such as {number(drawing[drawing % 1 > 0][0])}, and none above "
                f"1; expected whole numbers from 0 to {FULL}. For an image between 0 and 1: {FULL} * image."
            )
        drawing = np.rint(drawing.astype(float)).astype(int)
        drawing.setflags(write=False)
        return drawing

    def type(self) -> str:
        return "array_like, shape=(H, W)"


def digit(which: int, size: tuple[int, int]) -> np.ndarray:
    """Return a digit of the data, which has 8×8 cells, in so many rows and columns."""
    image = load_digits().images[which]
    rows, cols = (np.arange(length) * own // length for length, own in zip(size, image.shape, strict=True))
    return image[np.ix_(rows, cols)]


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """What the reader sees: a network, a drawing, the ink of the pen, and the chosen cell.

    ``drawing`` has a whole number from 0 (paper) to 16 in each of its cells. ``example`` is the digit of the data
    that was laid down last.
    """

    network: Network = declares(OfDigits)(
        MISSING,
        doc="For images of shape (H, W, 1) with ink from 0 to 1, at most 28×28, and ten classes: such as "
        "`convbp.digit_network` returns, for 8×8.",
    )
    drawing: np.ndarray = declares(Drawing)(
        None,
        doc="Ink from 0 to 16, as `convbp.load_digits` has it, or else rounded; the first of those digits if left out.",
    )
    pen: int = whole(FULL, 0, FULL, parameter=False, label="ink")
    example: int = whole(
        0,
        0,
        len(load_digits().images) - 1,
        parameter=False,
        change=lambda state, which: replace(state, example=which, drawing=digit(which, state.drawing.shape)),
    )

    wanted: str = choice(
        NO_DIGIT,
        [NO_DIGIT, *map(str, range(CLASSES))],
        label="∂ score / ∂ ink of",
        doc="A digit: how its score changes with the ink of each cell, full ink being 1. So one sees which to darken.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.drawing is None:
            rows, cols, _ = self.network.input_shape
            self.settle("drawing", digit(self.example, (rows, cols)))


def slopes(network: Network, image: np.ndarray, wanted: int) -> np.ndarray:
    """How the score of a digit depends on each cell, whose full ink is 1: a δ of 1 at that score, sent back."""
    delta = np.zeros((1, CLASSES))
    delta[0, wanted] = 1
    found: np.ndarray = network.deltas(network.forward(image), delta)["input.delta"][0, :, :, 0]
    return found


def scene(state: State) -> Scene:
    """Return the picture of a state: the drawing, the network's score for each digit, and the probability.

    The probabilities are the softmax of the scores, p(c) = exp(x(c)) / Σ exp(x). It is written out for the likeliest
    digit s, as 1 / Σ exp(x − x(s)). Beside them, if a digit is wanted, is how its score depends on each cell.
    """
    network = state.network
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
    line: list[Any] = [
        (drawing,),
        ("→", *column("scores", "score x", scores.round(2))),
        column("exponentials", f"exp(x−{subscripted('x', seen)})", exponentials.round(3), 1),
        column("probabilities", "p in %", percent.round(1), 100),
    ]
    beside: dict[Selection, str] = {}
    if state.wanted != NO_DIGIT:
        found = slopes(network, image, int(state.wanted)).astype(float).round(2) + 0.0
        line.append((Grid("slopes", f"∂x({state.wanted}) / ∂ink", rows_of(found)),))
        up, down = (np.unravel_index(at, found.shape) for at in (found.argmax(), found.argmin()))
        beside = {
            Selection("drawing", i, j): f" The score of {state.wanted} changes by {number(found[i, j])} times "
            f"the ink here; to make it larger, darken {tuple(map(int, up))} first, and lighten {tuple(map(int, down))}."
            for i, j in drawing.cells()
        }

    def highlight(i: int, j: int) -> Highlight:
        return Highlight(
            marks=(
                Mark("drawing", i, j),
                *(Mark(grid, seen, 0) for grid in NUMBERS),
                *([Mark("slopes", i, j)] if beside else []),
            ),
            formula=Formula(
                heading=f"p({seen}) = exp({x}) / Σ exp(x)",
                total=f"= 1 / Σ exp(x − {x}) = 1 / {total} = {percent[seen]:.1f} %",
            ),
            sentence=f"{says} Cell ({i}, {j}) has ink {state.drawing[i, j]} of {FULL}."
            + beside.get(Selection("drawing", i, j), ""),
        )

    highlights = {Selection("drawing", i, j): partial(highlight, i, j) for i, j in drawing.cells()}
    return Scene(
        title="Draw a digit",
        line=tuple(line),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )


class DrawDigit(Explorer, state=State, scene=scene):
    """Draw a digit into cells, and see what a network takes it for after each stroke.

    A cell is painted by a press, or by Space where the arrow keys have gone; painted again it is paper. `update()` asks
    the network again, if it has learned meanwhile.
    """

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        self._stroke = FULL  # the ink that it leaves
        self.view.paintable = True
        self.view.on_msg(lambda view, message, buffers: self._on_message(message))

    def controls(self) -> Rows:
        clear = made(widgets.Button, description="Clear", icon="eraser", tooltip="Blank paper")
        clear.on_click(lambda _: self.clear())
        ((pen, example, wanted),) = super().controls()
        return [[pen, example, clear], [wanted]]

    def paint(self, row: int, col: int, *, begins: bool = True) -> None:
        """Paint a cell with the ink of the pen. A stroke that begins on a cell with that ink leaves paper instead."""
        try:
            row, col = index(row), index(col)
        except TypeError:
            raise TypeError(f"DrawDigit: the cell to paint is ({row!r}, {col!r}); expected two integers.") from None
        rows, cols = self.state.drawing.shape
        if not (0 <= row < rows and 0 <= col < cols):
            last = (rows - 1, cols - 1)
            raise ValueError(f"DrawDigit: there is no cell ({row}, {col}) to paint; expected (0, 0) to {last}.")
        self._paint(row, col, begins, at_once=True, selected=Selection("drawing", row, col))

    def _paint(self, row: int, col: int, begins: bool, at_once: bool = False, **also: Any) -> None:
        with self._lock:
            drawing, pen = self.state.drawing.copy(), self.state.pen
            if begins:
                self._stroke = 0 if drawing[row, col] == pen else pen
            drawing[row, col] = self._stroke
            self._show(lambda state: replace(state, drawing=drawing, **also), at_once=at_once)

    def clear(self) -> None:
        """Take all ink away."""
        self.update(drawing=np.zeros_like(self.state.drawing))

    def _on_message(self, message: dict) -> None:
        if cell := message.get("paint"):
            # The page has the cell chosen, and may be at the next one by now: it is not to be called back.
            self._paint(cell["row"], cell["col"], message["begins"])
