"""The rule of each kind of layer, forward and backward, entry by entry: what each number was made of.

The sums come out of the plain loops of `convbp.loops`, run on entries that know their names and places.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from convbp import loops
from convbp.networks.layers import Activate, AveragePool2D, Conv2D, Dense, Flatten, MaxPool2D
from convbp.notation import number, subscripted
from convbp.pictures.scene import Tag
from convbp.shapes import as_window
from convbp.sums import Factor, Sum, exact

WINNER, STOPPED = Tag("max", 7), Tag("×0", 6)


@dataclass(frozen=True, slots=True)
class Cell(Factor):
    """A factor with what its cell carries; f′(x) stands in no array."""

    tag: Tag | None = None


class Read(NamedTuple):
    """What an entry that is no sum was made of: the cells, the rule with their numbers, and a short name of it."""

    cells: tuple[Cell, ...]
    text: str
    name: str = "="


@dataclass(frozen=True, eq=False)
class Made:
    """An array as a step made it.

    Attributes
    ----------
    array : str
        Its name in the network, such as ``conv1``, ``conv1.kernel`` or ``input``; the probabilities are ``softmax``.
    symbol : str
        The letter of its entries.
    values : ndarray
        For one image: without the batch's axis.
    rule : str
        What the step does.
    origin : callable
        Returns for each entry the `Sum` or the `Read` that it is; None if the array was given.
    tags : ndarray of Tag or None, optional
        What the cells carry.
    otherwise : str
        Why an entry is 0 to which nothing was added.
    reads : pairs of str
        The arrays that it was made of, each after an operator; of the first, that is empty.
    """

    array: str
    symbol: str
    values: np.ndarray
    rule: str
    origin: Callable[[], np.ndarray] | None = None
    tags: np.ndarray | None = None
    otherwise: str = ""
    reads: tuple[tuple[str, str], ...] = ()

    @cached_property
    def cells(self) -> np.ndarray:
        """Its entries."""
        symbol, tags = self.symbol, self.tags

        def cell(*index: int) -> Cell:
            tag = None if tags is None else tags[index]
            return Cell(subscripted(symbol, *index), "", exact(self.values[index]), self.array, index, tag=tag)

        return tabulate(self.values.shape, cell)

    def cell(self, *index: int) -> Cell:
        """One entry."""
        return self.cells[index]

    @cached_property
    def named(self) -> np.ndarray:
        """Each entry as a sum of one `Cell`."""
        return tabulate(self.values.shape, lambda *index: Sum((self.cells[index],)))

    @cached_property
    def origins(self) -> np.ndarray:
        """What each entry was made of; None where it was given."""
        return self.origin() if self.origin else np.full(self.values.shape, None)


def tabulate(shape: tuple[int, ...], entry: Callable) -> np.ndarray:
    """Return the array of ``entry(i, j, …)``."""
    array = np.empty(shape, object)
    for index in np.ndindex(shape):
        array[index] = entry(*index)
    return array


def settings(layer: Conv2D) -> dict:
    """Stride, padding and dilation, as keyword arguments."""
    return {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}


# Forward: (name of the layer, layer, its inputs, the values of its output, its parameters) -> its output.


def _conv_forward(name, layer, inputs, output, kernel, bias):
    def origin():
        return loops.conv2d(inputs.named[None], kernel.named, bias.named, **settings(layer))[0]

    reads = ("", inputs.array), ("⊗", kernel.array), ("+", bias.array)
    rule = f"{name}: x = Σ w·o + b over the window, in all channels (Eq. 4, 7)"
    return Made(name, "x", output, rule, origin, reads=reads)


def _activation_forward(name, layer, inputs, output):
    def entry(*index):
        x = inputs.cell(*index)
        return Read((x,), f"f({x.text}) = f({number(x.value)})", "f")

    rule = f"{name}: o = f(x), f(x) = {layer.function.formula} (Eq. 8)"
    return Made(name, "o", output, rule, lambda: tabulate(output.shape, entry), reads=(("", inputs.array),))


def _max_forward(name, layer, inputs, output):
    size, stride, padding = as_window(name, layer.size, layer.stride, layer.padding)

    def origin():
        maps, ones = inputs.named[None], np.ones((*size, 1, 1), int)  # a sum over a window has its cells as terms
        windows = [loops.conv2d(maps[..., [c]], ones, stride=stride, padding=padding) for c in range(maps.shape[3])]
        return tabulate(output.shape, lambda i, j, c: largest([cell for (cell,) in windows[c][0, i, j, 0].terms]))

    def largest(cells):
        winner = max(range(len(cells)), key=lambda n: cells[n].value)  # the first of equals
        cells[winner] = replace(cells[winner], tag=WINNER)
        return Read(tuple(cells), f"max({', '.join(number(cell.value) for cell in cells)})", "max")

    rule = f"{name}: o = the largest entry of the window; its place is kept"
    return Made(name, "o", output, rule, origin, reads=(("", inputs.array),))


def _average_forward(name: str, layer: AveragePool2D, inputs: Made, output: np.ndarray) -> Made:
    shares, steps = _shares(name, layer)

    def origin() -> np.ndarray:
        maps = inputs.named[None]
        means = [loops.conv2d(maps[..., [c]], shares, **steps)[0, :, :, 0] for c in range(output.shape[2])]
        return np.stack(means, axis=-1)

    rule = f"{name}: o = the mean of the window, zeros of the padding counted"
    return Made(name, "o", output, rule, origin, reads=(("", inputs.array),))


def _shares(name: str, layer: AveragePool2D) -> tuple[np.ndarray, dict[str, Any]]:
    """Average pooling as a convolution of each map: its kernel, all of one value, its stride and its padding."""
    size, stride, padding = as_window(name, layer.size, layer.stride, layer.padding)
    share = Cell(f"1/{size[0] * size[1]}", "", Fraction(1, size[0] * size[1]))
    kernel = tabulate((*size, 1, 1), lambda *index: Sum((share,)))
    return kernel, {"stride": stride, "padding": padding}


def _flatten_forward(name, layer, inputs, output):
    def origin():
        return inputs.named.reshape(output.shape)

    return Made(name, "o", output, f"{name}: the same numbers in a row", origin, reads=(("", inputs.array),))


def _dense_forward(name, layer, inputs, output, weights, bias):
    def origin():
        return inputs.named @ weights.named + bias.named

    reads = ("", inputs.array), ("·", weights.array), ("+", bias.array)
    return Made(name, "x", output, f"{name}: x = Σ w·o + b over all inputs", origin, reads=reads)


# Backward: (name of the layer, layer, its inputs, its δ, the values of the δ of its inputs, its parameters) -> that δ.


def _conv_backward(name, layer, inputs, delta, below, kernel, bias):
    def origin():
        return loops.conv2d_input_gradient(delta.named[None], kernel.named, below.shape[:2], **settings(layer))[0]

    rule = f"Σ δ·w over the places and filters of {name} it went into (Eq. 20)"
    reads = ("", name), ("·", kernel.array)
    return _below(name, inputs, below, rule, origin, otherwise="no window covers it", reads=reads)


def _activation_backward(name, layer, inputs, delta, below):
    slopes = layer.function.derivative(inputs.values)

    def entry(*index):
        return Sum((delta.cell(*index), Cell(f"f′({number(inputs.cell(*index).value)})", "", exact(slopes[index]))))

    tags = tabulate(below.shape, lambda *index: None if slopes[index] else STOPPED)
    return _below(name, inputs, below, f"δ of {name} · f′(x) (Eq. 20)", lambda: tabulate(below.shape, entry), tags=tags)


def _max_backward(name, layer, inputs, delta, below):
    pooled = loops.max_pool2d(inputs.values[None], layer.size, stride=layer.stride, padding=layer.padding)
    won = pooled.route(np.ones((1, *delta.values.shape), int))[0]
    tags = tabulate(below.shape, lambda *index: WINNER if won[index] else None)
    rule = f"that of {name} where it was the largest of a window, else 0"
    otherwise = "it was the largest of no window"
    return _below(name, inputs, below, rule, lambda: pooled.route(delta.named[None])[0], tags=tags, otherwise=otherwise)


def _average_backward(name: str, layer: AveragePool2D, inputs: Made, delta: Made, below: np.ndarray) -> Made:
    shares, steps = _shares(name, layer)

    def origin() -> np.ndarray:
        maps, size = delta.named[None], below.shape[:2]
        routed = [
            loops.conv2d_input_gradient(maps[..., [c]], shares, size, **steps)[0, :, :, 0] for c in range(maps.shape[3])
        ]
        return np.stack(routed, axis=-1)

    rule = f"an equal share of that of {name}, from each window it lies in"
    return _below(name, inputs, below, rule, origin, otherwise="it lies in no window")


def _flatten_backward(name, layer, inputs, delta, below):
    rule = f"that of {name}, back in its place"
    return _below(name, inputs, below, rule, lambda: delta.named.reshape(below.shape))


def _dense_backward(name, layer, inputs, delta, below, weights, bias):
    rule = f"Σ δ·w over all units of {name}"
    reads = ("", name), ("·", weights.array)
    return _below(name, inputs, below, rule, lambda: weights.named @ delta.named, reads=reads)


def _below(name, inputs, below, rule, origin, **more):
    more = {"reads": (("", name),)} | more
    return Made(inputs.array, "δ", below, f"back through {name}: δ of {inputs.array} = {rule}", origin, **more)


FORWARD: dict[type, Callable[..., Made]] = {
    Conv2D: _conv_forward,
    Activate: _activation_forward,
    MaxPool2D: _max_forward,
    AveragePool2D: _average_forward,
    Flatten: _flatten_forward,
    Dense: _dense_forward,
}
BACKWARD: dict[type, Callable[..., Made]] = {
    Conv2D: _conv_backward,
    Activate: _activation_backward,
    MaxPool2D: _max_backward,
    AveragePool2D: _average_backward,
    Flatten: _flatten_backward,
    Dense: _dense_backward,
}
