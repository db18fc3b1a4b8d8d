"""Every path from one number to the error: along a path multiply, over all paths add (Eq. 10 and 18)."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from convbp.convolution import conv2d, conv2d_bias_gradient, conv2d_input_gradient, conv2d_kernel_gradient
from convbp.explorers.controls.alike import Layout, look
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.examples import DELTA, KERNEL
from convbp.explorers.states.fields import array, choice, pair, scalar, tick
from convbp.explorers.states.layer import LARGEST_IMAGE, LARGEST_KERNEL, LayerState, delta_of_layer
from convbp.losses import half_sum_of_squares
from convbp.notation import bracketed, factor, number
from convbp.pictures.scene import (
    Cells,
    Flight,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Scene,
    Selection,
    Totals,
    Ways,
    covered,
    rows_of,
)
from convbp.pictures.written_terms import multiplied
from convbp.pooling import average_pool2d, max_pool2d
from convbp.shapes import check_size

WEIGHT, PIXEL, BIAS, MAXIMUM = "weight", "pixel", "bias", "maximum"
LETTERS = {WEIGHT: "w", PIXEL: "o", BIAS: "b", MAXIMUM: "o"}
MOST = 12  # paths that can be read


def _size(state: "State") -> tuple[int, int]:
    """Rows and columns of the array that the number stands in."""
    return {WEIGHT: state.kernel.shape, BIAS: (1, 1)}.get(state.of, state.image.shape)


def _another_kind(state: "State", of: str) -> "State":
    return replace(state, of=of, at=(0, 0))


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer, the δ of its output, and the number whose paths to the error are shown.

    The layer is x = o ⊗ w + b, or for a maximum y, the largest entries of windows of o. The error is half the sum of
    squares, with the targets for which δ is what it is.
    """

    begins_with: ClassVar[dict[str, Any]] = {"delta": DELTA}

    kernel: np.ndarray = array(KERNEL, LARGEST_KERNEL, shape="(k1, k2)", doc="No larger than the image.")
    delta: np.ndarray = delta_of_layer()
    of: str = choice(
        WEIGHT,
        {"a weight": WEIGHT, "a pixel": PIXEL, "the bias": BIAS, "a maximum": MAXIMUM},
        label="paths of",
        change=_another_kind,
        doc="What kind of number. A maximum is one of an image's entries in windows, without the kernel.",
    )
    at: tuple[int, int] = pair(
        (0, 0), 0, room=lambda state: [end - 1 for end in _size(state)], doc="The row and the column of the number."
    )
    bias: Any = scalar(0)
    size: tuple[int, int] = pair(
        2, 1, 4, doc="Rows and columns of the windows of the maxima, cut to those of the image."
    )
    pooled_delta: np.ndarray = array(
        None,
        LARGEST_IMAGE,
        shape="(H′, W′)",
        doc="δ of the maxima; if left out the maxima themselves, as of E = ½ Σ y².",
    )
    covered: bool = tick(
        False,
        label="cover the products",
        doc="Cover the products and their sum: a cell takes a prediction, and shows its number after it.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.settle("size", tuple(map(min, self.size, self.image.shape)))
        maxima = max_pool2d(self.image[None, :, :, None], self.size).output[0, :, :, 0]
        if self.pooled_delta is None:
            self.settle("pooled_delta", maxima)
        check_size(self.explorer, "pooled_delta", self.pooled_delta.shape, maxima.shape, "Leave it out to have one.")
        if any(place >= end for place, end in zip(self.at, _size(self), strict=True)):
            rows, cols = _size(self)
            raise ValueError(
                f"{self.explorer}: at is {self.at}; expected a row from 0 to {rows - 1} and a column from 0 to "
                f"{cols - 1}, the places of {'the bias' if self.of == BIAS else f'a {self.of}'}."
            )
        if self.longest > MOST:
            raise ValueError(
                f"{self.explorer}: there are {self.longest} paths; expected at most {MOST}, or they could not be read. "
                "Take a smaller image, or a larger kernel."
            )

    # What follows is asked of the functions that the course trains with: for each output what a δ of 1 there, and 0
    # everywhere else, makes of the gradient.

    @property
    def deltas(self) -> np.ndarray:
        """δ of what the number acts on."""
        return self.pooled_delta if self.of == MAXIMUM else self.delta

    @cached_property
    def _single(self) -> np.ndarray:
        places = self.deltas.shape
        return np.eye(self.deltas.size, dtype=object).reshape(-1, *places, 1)

    @cached_property
    def _inputs(self) -> np.ndarray:
        return np.repeat(self.image[None, :, :, None], self.deltas.size, axis=0)

    @cached_property
    def slopes(self) -> np.ndarray:
        """∂x/∂ of each number of this kind, shape=(outputs, rows, columns)."""
        if self.of == PIXEL:
            return conv2d_input_gradient(self._single, self.kernel[:, :, None, None], self.image.shape)[..., 0]
        if self.of == MAXIMUM:
            return max_pool2d(self._inputs, self.size).route(self._single)[..., 0]
        each = [(self.image[None, :, :, None], one[None]) for one in self._single]
        if self.of == BIAS:
            return np.array([[conv2d_bias_gradient(one)] for _, one in each], dtype=object)
        return np.array([conv2d_kernel_gradient(*one, self.kernel.shape)[:, :, 0, 0] for one in each], dtype=object)

    @cached_property
    def _reached(self) -> np.ndarray:
        """Whether there is a path, which may have the derivative 0, shape=(outputs, rows, columns)."""
        if self.of == PIXEL:
            ones = np.ones((*self.kernel.shape, 1, 1), int)
            return conv2d_input_gradient(self._single, ones, self.image.shape)[..., 0] != 0
        if self.of == MAXIMUM:
            return average_pool2d(self._inputs, self.size).route(self._single)[..., 0] != 0
        return np.ones(self.slopes.shape, bool)

    @property
    def longest(self) -> int:
        """How many paths a number of this kind has at most."""
        return int(self._reached.sum(axis=0).max())

    @property
    def paths(self) -> list[tuple[int, int]]:
        """The outputs that the number acts on."""
        places = list(np.ndindex(self.deltas.shape))
        return [places[n] for n in np.flatnonzero(self._reached[:, *self.at])]

    def moved(self, by: Any) -> np.ndarray:
        """The outputs after the number has moved."""
        change = np.zeros(_size(self), object)
        change[self.at] = by
        if self.of == MAXIMUM:
            return max_pool2d((self.image + change)[None, :, :, None], self.size).output[0, :, :, 0]
        image = self.image + change if self.of == PIXEL else self.image
        kernel = self.kernel + change if self.of == WEIGHT else self.kernel
        bias = self.bias + change[0] if self.of == BIAS else [self.bias]
        return conv2d(image[None, :, :, None], kernel[:, :, None, None], bias)[0, :, :, 0]

    @cached_property
    def targets(self) -> np.ndarray:
        """The targets for which δ is what it is."""
        return self.moved(0) - self.deltas

    @property
    def nudge(self) -> Any:
        """How far to nudge: E is a parabola and any step gives its slope, but a maximum has to stay the maximum."""
        return Fraction(1, 1024) if self.of == MAXIMUM else 1

    def error(self, outputs: np.ndarray) -> Any:
        """E = ½ Σ (x − t)²."""
        return half_sum_of_squares(outputs, self.targets)

    def nudged(self, only: tuple[int, int] | None = None) -> tuple[Any, Any]:
        """E with the number nudged up and down; ``only``: while all other outputs stay as they were."""
        errors = []
        for by in (self.nudge, -self.nudge):
            outputs = self.moved(by)
            if only is not None:
                alone = self.moved(0).astype(object)
                alone[only] = outputs[only]
                outputs = alone
            errors.append(self.error(outputs))
        return errors[0], errors[1]


def scene(state: State) -> Scene:
    """Return the picture of a state: the number, the outputs that it acts on, E, and the derivative on every arrow.

    For each path the highlight shows its product, in the last row the sum over all of them, and both by nudging.
    """
    letter, output = LETTERS[state.of], "y" if state.of == MAXIMUM else "x"
    name = letter if state.of == BIAS else bracketed(letter, *state.at)
    outputs, current = state.paths, state.moved(0)
    delta = half_sum_of_squares.gradient(current, state.targets)
    flat = state.slopes.reshape(delta.size, *_size(state))[:, *state.at].reshape(delta.shape)
    arrows = [(_plain(flat[place]), _plain(delta[place])) for place in outputs]
    products = [first * second for first, second in arrows]
    ways = Ways(
        "ways",
        f"all paths from {name} to E",
        tuple((_plain(current[place]),) for place in outputs),
        start=(name, _value(state)),
        end=("E", _plain(state.error(current))),
        between=tuple(bracketed(output, *place) for place in outputs),
        arrows=tuple(arrows),
        heads=(f"∂{output}/∂{letter}", f"δ = ∂E/∂{output}"),
        totals="paths",
        rows=state.longest,
    )
    totals = Totals(
        "paths",
        "product",
        (*((product,) for product in products), (sum(products),)),
        axes=("path", ""),
        captions=(*(f"{factor(first)}·{factor(second)} =" for first, second in arrows), f"Σ = ∂E/∂{letter}"),
        rows=state.longest,
    )
    image = Grid("image", "image o", rows_of(state.image))
    deltas = Grid("delta", f"δ of the output {output}", rows_of(state.deltas))
    kernel = Grid("kernel", "kernel w", rows_of(state.kernel))
    highlights = {Selection("paths", n, 0): partial(_of_path, state, ways, n, place) for n, place in enumerate(outputs)}
    every = Selection("paths", len(outputs), 0)
    highlights[every] = partial(_of_all, state, name, products, outputs)
    drawn = Scene(
        title="Every path from one number to the error",
        line=((ways, totals), (image,), ((deltas,) if state.of == MAXIMUM else ((kernel, deltas),))),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else every,
    )
    return covered(drawn, "paths") if state.covered else drawn


def _of_path(state: State, ways: Ways, n: int, place: tuple[int, int]) -> Highlight:
    (start, _), middle, (first, second) = ways.start, ways.between[n], ways.arrows[n]
    nudging, _ = _by_nudging(state, start, place)
    return Highlight(
        marks=(Mark("paths", n, 0), *_number_mark(state), Mark("delta", *place)),
        formula=Formula(
            heading=f"{start} → {middle} → E: along a path multiply",
            total=multiplied(first, second),
            notes=(f"{nudging}, if only {middle} follows",),
        ),
        sentence=(
            f"The path from {start} through {middle} to E has the derivatives {number(first)} and {number(second)}; "
            f"along it they are multiplied: {number(first * second)}."
        ),
        flights=((Flight(Cells("delta", *place), Cells("paths", n, 0), (f"{factor(first)}·{factor(second)}",)),),),
    )


def _of_all(state: State, start: str, products: list[Any], outputs: list[tuple[int, int]]) -> Highlight:
    count, total = len(outputs), sum(products)
    nudging, slope = _by_nudging(state, start)
    equal = np.isclose(float(slope), float(total), rtol=1e-4, atol=1e-6)
    verdict = ", the same" if equal else ": not the same, as at a tie there is no derivative"
    reached = [Mark("delta", *outputs[0], *_extent(outputs), style="dashed")] if outputs else []
    summed = f"{' + '.join(map(factor, products))} = " if count > 1 else f"∂E/∂{start} = "
    said = f"over all {count} paths add" if count > 1 else "one path alone" if count else "no path, no effect"
    paths = f"{count} paths lead" if count > 1 else "One path leads" if count else "No path leads"
    come_to = (
        "the products along them sum to" if count > 1 else "the product along it is" if count else "its derivative is"
    )
    return Highlight(
        marks=(Mark("paths", count, 0), *_number_mark(state), *reached),
        formula=Formula(
            heading=f"∂E/∂{start}: {said}",
            total=f"{summed}{number(total)}",
            notes=(f"{nudging}{verdict}",),
        ),
        sentence=(f"{paths} from {start} to E: {come_to} {number(total)}, and nudging {start} gives {number(slope)}."),
        flights=((Flight(Cells("paths", 0, 0, count), Cells("paths", count, 0)),),) if count else (),
    )


def _by_nudging(state: State, start: str, only: tuple[int, int] | None = None) -> tuple[str, Any]:
    """The central difference in words, and what it is."""
    up, down = state.nudged(only)
    slope = _plain((up - down) / (2 * state.nudge))
    if state.nudge != 1:
        return f"nudging {start} by ±{number(state.nudge)}: {number(slope)}", slope
    return (
        f"nudging by ±1: (E₊ − E₋)/2 = ({number(_plain(up))} − {number(_plain(down))})/2 = {number(slope)}",
        slope,
    )


def _number_mark(state: State) -> list[Mark]:
    return [] if state.of == BIAS else [Mark("kernel" if state.of == WEIGHT else "image", *state.at)]


def _extent(places: list[tuple[int, int]]) -> tuple[int, int]:
    """The rows and columns from the first place to the last."""
    (top, left), (bottom, right) = places[0], places[-1]
    return bottom - top + 1, right - left + 1


def _value(state: State) -> Any:
    if state.of == BIAS:
        return state.bias
    return (state.kernel if state.of == WEIGHT else state.image)[state.at]


def _plain(value: Any) -> Any:
    """A whole number as an integer, without the .0 or the denominator of 1 that halves leave."""
    return int(value) if value == int(value) else value


class Paths(Explorer, state=State, scene=scene):
    """Choose a path for its product, the last row for their sum; of a weight, a pixel, the bias or a maximum."""

    def controls(self) -> Rows:
        ((kinds, row, col, *_, cover),) = super().controls()
        for control, name in ((row, "row"), (col, "column")):
            control.widget.description = name
            control.widget.style = look(widgets.SliderStyle, description_width="auto")
            control.widget.layout = look(Layout, width="200px")
        return [[kinds, row, col, cover]]
