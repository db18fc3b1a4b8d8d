"""Max, average and L2 pooling: a window becomes one number, and the error goes back the same way.

All three see the inputs through the same windows. `_Windows.gather` brings out the entries of every window;
`_Windows.scatter` gives each of them its share of the error, so that the shares from overlapping windows add
up and an entry that no window covers gets 0. The rules are the unnumbered ones at the end of

    Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016 ("the article"),

with what it leaves out: ties, overlap, leftover rows, padding and the L2 norm.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convbp.shapes import (
    Array,
    IntOrPair,
    Pair,
    as_floats,
    as_numbers,
    as_window,
    check_size,
    computed,
    in_one_dtype,
    output_size,
    steps_by_keyword,
)

Route = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Pooled:
    """What a pooling layer returns: its output, and how the error goes back.

    Attributes
    ----------
    operation : str
        The name of the operation, for messages.
    output : ndarray, shape=(N, H', W', C)
    winners : ndarray of int, shape=(N, H', W', C, 2), or None
        For max pooling: row and column, in the inputs without padding, of the entry that each output is.
    """

    operation: str
    output: Array
    _route: Route = field(repr=False)
    _find_winners: Callable[[], Array | None] = field(default=lambda: None, repr=False)
    _terms: int = field(default=1, repr=False)  # at most so many shares of δ come together in one entry

    @cached_property
    def winners(self) -> Array | None:
        return self._find_winners()

    def route(self, delta: ArrayLike) -> Array:
        """Return the gradient of the error with respect to the inputs.

        Parameters
        ----------
        delta : array_like, shape=(N, H', W', C)
            Gradient of the error with respect to the output.

        Returns
        -------
        ndarray, shape=(N, H, W, C)

        Raises
        ------
        TypeError, ValueError
            If ``delta`` is not an array of finite real numbers of the shape of the output.
        """
        operation = f"{self.operation}(…).route"
        delta = as_numbers(operation, "delta", delta, "NIJC")
        hint = "It is the gradient for what the pooling returned as its output."
        check_size(operation, "delta", delta.shape, self.output.shape, hint)
        return computed(operation, self._route, *in_one_dtype(self._terms, delta))


@steps_by_keyword
def max_pool2d(
    inputs: ArrayLike, size: IntOrPair, *, stride: IntOrPair | None = None, padding: IntOrPair = 0
) -> Pooled:
    """Take the largest entry of each window; the error goes to that entry alone.

    Of equal entries the first in row-major order wins. Padding never wins, not even over negative numbers.

    Parameters
    ----------
    inputs : array_like, shape=(N, H, W, C)
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        Step of the window in pixels; its size if left out. With a smaller one windows overlap.
    padding : int or (int, int)
        Rows and columns put around the inputs, at most half the window, so that none is all padding.

    Returns
    -------
    Pooled
        ``output``, ``route(delta)`` and ``winners``. The output keeps the dtype of the inputs.

    Raises
    ------
    TypeError
        If an entry is not a real number, or a size, stride or padding is not an integer.
    ValueError
        If the inputs are empty, have a NaN or not four axes, if the window does not fit, a size or stride
        is less than 1, or the padding is negative or more than half the window.
    """
    inputs, windows = _windows("max_pool2d", inputs, size, stride, padding)

    def compute(inputs: Array) -> Array:
        first, *others = windows.views(windows.padded(*_below_all(inputs)))
        output, tap = first, np.zeros(first.shape, np.min_scalar_type(len(others)))
        for t, entry in enumerate(map(np.ascontiguousarray, others), start=1):
            tap = np.maximum(tap, (entry > output) * tap.dtype.type(t))  # an equal entry that comes later does not win
            output = np.maximum(output, entry)
        taps.append(tap)
        return output

    taps: list[Array] = []
    output = computed("max_pool2d", compute, inputs).astype(inputs.dtype)
    (tap,) = taps

    def route(delta: Array) -> Array:
        gradient = np.zeros(prod(windows.shape), delta.dtype)
        np.add.at(gradient, windows.flat_index(tap).ravel(), delta.ravel())  # where windows overlap, it adds up
        return gradient.reshape(windows.shape)

    return Pooled("max_pool2d", output, route, lambda: windows.rows_and_columns(tap), prod(windows.size))


@steps_by_keyword
def average_pool2d(
    inputs: ArrayLike, size: IntOrPair, *, stride: IntOrPair | None = None, padding: IntOrPair = 0
) -> Pooled:
    """Take the mean of each window; the error goes to all of its entries in equal shares, 1/(k₁·k₂) each.

    Padded zeros count as entries, as in PyTorch by default: the divisor is the same for every window.

    Parameters
    ----------
    inputs, size, stride, padding
        As for `max_pool2d`.

    Returns
    -------
    Pooled
        ``output`` and ``route(delta)``. Floats keep their dtype (float16 is added up in float32), Fractions (dtype
        object) stay exact, integers give float64, or Fractions where their sum could exceed int64.

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d` does.
    """
    inputs, windows = _windows("average_pool2d", inputs, size, stride, padding)
    count = prod(windows.size)

    def mean(inputs: Array) -> Array:
        return _divide(windows.gather(inputs, outside=0).sum(axis=0), count)

    def route(delta: Array) -> Array:
        return _divide(windows.scatter(delta, [1] * count), count)

    return Pooled("average_pool2d", computed("average_pool2d", mean, *in_one_dtype(count, inputs)), route, _terms=count)


@steps_by_keyword
def l2_pool2d(inputs: ArrayLike, size: IntOrPair, *, stride: IntOrPair | None = None, padding: IntOrPair = 0) -> Pooled:
    """Take the L2 norm y = √Σx² of each window; the entry x gets the share x/y of the error.

    Where y is 0 the norm has a kink, and the share is 0. No square overflows or vanishes on the way.

    Parameters
    ----------
    inputs, size, stride, padding
        As for `max_pool2d`.

    Returns
    -------
    Pooled
        ``output`` and ``route(delta)``. Floats keep their dtype; integers and Fractions give float64.

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d` does.
    """
    inputs, windows = _windows("l2_pool2d", inputs, size, stride, padding)
    shares: list[Array] = []

    def norm(inputs: Array) -> Array:
        entries = windows.gather(inputs, outside=0)
        output: Array = np.hypot.reduce(entries, axis=0)
        shares.extend(np.divide(entries, output, out=np.zeros_like(entries), where=output > 0))
        return output

    def route(delta: Array) -> Array:
        return windows.scatter(delta, shares)

    output = computed("l2_pool2d", norm, as_floats("l2_pool2d", "inputs", inputs))
    return Pooled("l2_pool2d", output, route, _terms=len(shares))


def _below_all(inputs: Array) -> tuple[Array, Any]:
    """The inputs, in a dtype that has it, and a number below all of them."""
    if inputs.dtype.kind in ("f", "O"):  # among objects may be floats, and from 2⁵³ on one less is the same float
        return inputs, -np.inf
    (inputs,) = in_one_dtype(2, inputs)
    return inputs, inputs.min() - 1


def _divide(array: Array, count: int) -> Array:
    """Divide a sum of so many; objects exactly: even the 0 of an entry that no window covers stays one."""
    return array * Fraction(1, count) if array.dtype == object else array / count


def _windows(
    operation: str, inputs: ArrayLike, size: IntOrPair, stride: IntOrPair | None, padding: IntOrPair
) -> "tuple[Array, _Windows]":
    """Check the arguments of a pooling operation; return the inputs as an array and their windows."""
    array = as_numbers(operation, "inputs", inputs, "NHWC")
    size, stride, padding = as_window(operation, size, stride, padding)
    places = output_size(operation, array.shape[1:3], size, stride, padding)
    return array, _Windows(array.shape, size, stride, padding, places)


@dataclass(frozen=True)
class _Windows:
    """Where the windows of size (k1, k2) stand: ``places`` = (H', W') of them on inputs of ``shape``."""

    shape: tuple[int, ...]
    size: Pair
    stride: Pair
    padding: Pair
    places: Pair

    def gather(self, inputs: Array, outside: Any) -> Array:
        """(N, H, W, C) → (k1·k2, N, H', W', C): the entries of every window, in row-major order."""
        return np.stack(self.views(self.padded(inputs, outside)))

    def padded(self, inputs: Array, outside: Any) -> Array:
        """(N, H, W, C) → (N, H + 2·p1, W + 2·p2, C), with ``outside`` around; the inputs themselves if nothing is."""
        (n, h, w, c), (p1, p2) = inputs.shape, self.padding
        if not any(self.padding):
            return inputs
        padded: Array = np.full((n, h + 2 * p1, w + 2 * p2, c), outside, inputs.dtype)
        padded[:, p1 : p1 + h, p2 : p2 + w] = inputs
        return padded

    def scatter(self, delta: Array, shares: list[Any]) -> Array:
        """(N, H', W', C) → (N, H, W, C): for each of the k1·k2 entries delta times its share, added up."""
        (n, h, w, c), (p1, p2) = self.shape, self.padding
        padded: Array = np.zeros((n, h + 2 * p1, w + 2 * p2, c), np.result_type(delta, shares[0]))
        for view, share in zip(self.views(padded), shares, strict=True):
            view += delta * share
        return padded[:, p1 : p1 + h, p2 : p2 + w]

    def rows_and_columns(self, tap: Array) -> Array:
        """(N, H', W', C) → (N, H', W', C, 2): where in the inputs each window's entry number ``tap`` is."""
        (_, h, w, c) = self.shape
        row, column = np.divmod(self.flat_index(tap) // c, w)
        return np.stack([row % h, column], axis=-1)

    def flat_index(self, tap: Array) -> Array:
        """(N, H', W', C) → (N, H', W', C): where in the flattened inputs each window's entry number ``tap`` is."""
        first, offsets = _first_and_offsets(self.shape[1:], self.size, self.stride, self.padding, self.places)
        image = np.arange(self.shape[0]).reshape(-1, 1, 1, 1) * prod(self.shape[1:])
        where: Array = image + (first + offsets.take(tap))
        return where

    def views(self, padded: Array) -> list[Array]:
        """For each entry of the window, in row-major order, a view of what all windows have there."""
        (k1, k2), (s1, s2), (rows, columns) = self.size, self.stride, self.places
        return [
            padded[:, a : a + s1 * (rows - 1) + 1 : s1, b : b + s2 * (columns - 1) + 1 : s2]
            for a in range(k1)
            for b in range(k2)
        ]


@lru_cache(maxsize=8)  # a training asks for the same few at every step
def _first_and_offsets(
    shape: tuple[int, ...], size: Pair, stride: Pair, padding: Pair, places: Pair
) -> tuple[Array, Array]:
    """Where in one flattened image each window begins, and how far from there each of its entries is."""
    (_, w, c), (k1, k2), (s1, s2), (p1, p2) = shape, size, stride, padding
    i, j, channel = np.ogrid[: places[0], : places[1], :c]
    row, column = np.divmod(np.arange(k1 * k2), k2)
    return ((s1 * i - p1) * w + (s2 * j - p2)) * c + channel, (row * w + column) * c
