"""The printed sums as plain loops over scalars: what every fast operation is held against.

Each operation has the name and the arguments of the fast one in `convbp.convolution` or `convbp.pooling`,
whose docstring describes them, and shares no arithmetic with it. Here each entry of a result is one sum,
with the limits and indices of its equation in

    Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016 ("the article").

Nothing is asked of the entries but ``+`` and ``*``, and sums start from the integer 0, so integers,
``fractions.Fraction`` and symbols come through exactly. Integers cannot overflow, and floats are added in
double precision. Max pooling also compares entries, and L2 pooling takes a root. Slow, on purpose.
"""

import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convbp.pooling import Pooled
from convbp.shapes import (
    Array,
    IntOrPair,
    Padding,
    Sides,
    as_groups,
    as_numbers,
    as_objects,
    as_pair,
    as_window,
    check_channels,
    check_delta,
    check_mode,
    check_size,
    computed,
    output_size,
    placed,
    steps_by_keyword,
    transposed_size,
)

Entry = Callable[..., Any]
"""A function of indices to an entry."""
Place = tuple[int, ...]
"""Image, row, column, channel."""


def cross_correlate(image: ArrayLike, kernel: ArrayLike, mode: str = "valid") -> Array:
    """(I ⊗ K)ᵢⱼ = Σₘ Σₙ I(i+m, j+n) K(m, n), Eq. 1 of the article."""
    operation = "cross_correlate"
    (H, W), (k1, k2), I, K = _image_and_kernel(operation, image, kernel, mode)  # noqa: E741

    def entry(i: int, j: int) -> Any:
        return sum(I(i + m, j + n) * K(m, n) for m in range(k1) for n in range(k2))

    if mode == "valid":
        return _tabulate(operation, entry, range(H - k1 + 1), range(W - k2 + 1))
    return _tabulate(operation, entry, range(1 - k1, H), range(1 - k2, W))


def convolve(image: ArrayLike, kernel: ArrayLike, mode: str = "valid") -> Array:
    """(I * K)ᵢⱼ = Σₘ Σₙ I(i−m, j−n) K(m, n), Eq. 2 of the article."""
    operation = "convolve"
    (H, W), (k1, k2), I, K = _image_and_kernel(operation, image, kernel, mode)  # noqa: E741

    def entry(i: int, j: int) -> Any:
        return sum(I(i - m, j - n) * K(m, n) for m in range(k1) for n in range(k2))

    if mode == "valid":
        return _tabulate(operation, entry, range(k1 - 1, H), range(k2 - 1, W))
    return _tabulate(operation, entry, range(H + k1 - 1), range(W + k2 - 1))


def rot180(kernel: ArrayLike) -> Array:
    """rot180(K)ₘₙ = K(k₁−1−m, k₂−1−n), as the article uses it from Eq. 6 on; channels and filters stay."""
    operation = "rot180"
    kernel = as_numbers(operation, "kernel", kernel, None)
    kernel = as_numbers(operation, "kernel", kernel, "klCD" if kernel.ndim == 4 else "kl")
    k1, k2, *rest = kernel.shape
    K = _zero_outside(kernel)

    def entry(m: int, n: int, *channels: int) -> Any:
        return K(k1 - 1 - m, k2 - 1 - n, *channels)

    return _tabulate(operation, entry, range(k1), range(k2), *map(range, rest))


@steps_by_keyword
def conv2d(
    inputs: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Array:
    """xᵢⱼ = Σₘ Σₙ wₘₙ oᵢ₊ₘ,ⱼ₊ₙ + b, Eq. 7 of the article, summed over the channels as in Eq. 4.

    Stride s, padding p at the top and dilation t turn the index i+m into s·i + t·m − p. Filter d is in group ⌊d·G/D⌋
    and sees the channels of that group.
    """
    operation = "conv2d"
    inputs = as_numbers(operation, "inputs", inputs, "NHWC")
    kernel = as_numbers(operation, "kernel", kernel, "klCD")
    (N, H, W, _), (k1, k2, C, D) = inputs.shape, kernel.shape
    G = as_groups(operation, groups, C=inputs.shape[3], D=D)
    check_channels(operation, "inputs", inputs, kernel, groups=G)
    places, (s1, s2), ((p1, _), (p2, _)), (t1, t2) = placed(operation, (H, W), (k1, k2), stride, padding, dilation)
    rows, columns = places
    bias = as_numbers(operation, "bias", [0] * D if bias is None else bias, "D")
    check_size(operation, "bias", bias.shape, (D,), "A layer has one bias per filter, the kernel's last axis.")
    o, w, b = map(_zero_outside, (inputs, kernel, bias))

    def entry(image: int, i: int, j: int, d: int) -> Any:
        return b(d) + sum(
            w(m, n, c, d) * o(image, s1 * i + t1 * m - p1, s2 * j + t2 * n - p2, C * (d * G // D) + c)
            for m in range(k1)
            for n in range(k2)
            for c in range(C)
        )

    return _tabulate(operation, entry, range(N), range(rows), range(columns), range(D))


@steps_by_keyword
def conv2d_kernel_gradient(
    inputs: ArrayLike,
    delta: ArrayLike,
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Array:
    """∂E/∂wₘ′ₙ′ = Σᵢ Σⱼ δᵢⱼ oᵢ₊ₘ′,ⱼ₊ₙ′, Eq. 13 of the article, summed over the images as well."""
    operation = "conv2d_kernel_gradient"
    inputs = as_numbers(operation, "inputs", inputs, "NHWC")
    delta = as_numbers(operation, "delta", delta, "NIJD")
    (N, H, W, C), D = inputs.shape, delta.shape[3]
    k1, k2 = as_pair(operation, "kernel_size", kernel_size, 1)
    places, (s1, s2), ((p1, _), (p2, _)), (t1, t2) = placed(operation, (H, W), (k1, k2), stride, padding, dilation)
    rows, columns = places
    check_delta(operation, delta, (N, rows, columns))
    G = as_groups(operation, groups, C=C, D=D)
    o, δ = map(_zero_outside, (inputs, delta))

    def entry(m: int, n: int, c: int, d: int) -> Any:
        return sum(
            δ(image, i, j, d) * o(image, s1 * i + t1 * m - p1, s2 * j + t2 * n - p2, C // G * (d * G // D) + c)
            for image in range(N)
            for i in range(rows)
            for j in range(columns)
        )

    return _tabulate(operation, entry, range(k1), range(k2), range(C // G), range(D))


@steps_by_keyword
def conv2d_input_gradient(
    delta: ArrayLike,
    kernel: ArrayLike,
    input_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Array:
    """∂E/∂oᵢ′ⱼ′ = Σₘ Σₙ δᵢ′₋ₘ,ⱼ′₋ₙ wₘₙ, Eq. 20 of the article without f′, summed over the filters.

    From i′ = s·i + t·m − p, the forward pass, follows i = (i′ + p − t·m) / s: between the whole numbers, as
    outside the map, δ is zero.
    """
    operation = "conv2d_input_gradient"
    delta = as_numbers(operation, "delta", delta, "NIJD")
    kernel = as_numbers(operation, "kernel", kernel, "klCD")
    N, (k1, k2, C, D) = delta.shape[0], kernel.shape
    check_channels(operation, "delta", delta, kernel, "D")
    H, W = as_pair(operation, "input_size", input_size, 1)
    G = as_groups(operation, groups, D=D)
    places, (s1, s2), ((p1, _), (p2, _)), (t1, t2) = placed(operation, (H, W), (k1, k2), stride, padding, dilation)
    check_delta(operation, delta, (N, *places))
    δ, w = map(_zero_outside, (delta, kernel))

    def entry(image: int, row: int, column: int, c: int) -> Any:
        return sum(
            δ(image, (row + p1 - t1 * m) / s1, (column + p2 - t2 * n) / s2, d) * w(m, n, c % C, d)
            for m in range(k1)
            for n in range(k2)
            for d in range(D)
            if d * G // D == c // C
        )

    return _tabulate(operation, entry, range(N), range(H), range(W), range(C * G))


@steps_by_keyword
def conv2d_transpose(
    inputs: ArrayLike,
    kernel: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: IntOrPair = 1,
    padding: IntOrPair | Sides = 0,
    output_padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Array:
    """Each input goes to the places s·i + t·m − p, with weight wₘₙ, and what comes together there is added; plus b."""
    operation = "conv2d_transpose"
    inputs = as_numbers(operation, "inputs", inputs, "NIJD")
    kernel = as_numbers(operation, "kernel", kernel, "klCD")
    (N, rows, columns, D), (k1, k2, C, _) = inputs.shape, kernel.shape
    G = as_groups(operation, groups, D=kernel.shape[3])
    check_channels(operation, "inputs", inputs, kernel, "D")
    H, W = transposed_size(operation, (rows, columns), (k1, k2), stride, padding, output_padding, dilation)
    bias = as_numbers(operation, "bias", [0] * (C * G) if bias is None else bias, "D")
    check_size(operation, "bias", bias.shape, (C * G,), "It has one number for each channel of the output.")
    _, (s1, s2), ((p1, _), (p2, _)), (t1, t2) = placed(operation, (H, W), (k1, k2), stride, padding, dilation)
    x, w, b = map(_zero_outside, (inputs, kernel, bias))

    def entry(image: int, row: int, column: int, c: int) -> Any:
        return b(c) + sum(
            x(image, i, j, d) * w(m, n, c % C, d)
            for i in range(rows)
            for j in range(columns)
            for m in range(k1)
            for n in range(k2)
            if (s1 * i + t1 * m - p1, s2 * j + t2 * n - p2) == (row, column)
            for d in range(c // C * (D // G), (c // C + 1) * (D // G))
        )

    return _tabulate(operation, entry, range(N), range(H), range(W), range(C * G))


def conv2d_bias_gradient(delta: ArrayLike) -> Array:
    """∂E/∂b = Σᵢ Σⱼ δᵢⱼ, which the article leaves out, summed over the images as well."""
    operation = "conv2d_bias_gradient"
    delta = as_numbers(operation, "delta", delta, "NIJD")
    N, rows, columns, D = delta.shape
    δ = _zero_outside(delta)

    def entry(d: int) -> Any:
        return sum(δ(image, i, j, d) for image in range(N) for i in range(rows) for j in range(columns))

    return _tabulate(operation, entry, range(D))


@steps_by_keyword
def max_pool2d(
    inputs: ArrayLike, size: IntOrPair, *, stride: IntOrPair | None = None, padding: IntOrPair = 0
) -> Pooled:
    """The largest entry of each window; the error goes to it, of equals to the first in row-major order."""
    o = _zero_outside(as_numbers("max_pool2d", "inputs", inputs, "NHWC"))

    def winner(window: list[Place]) -> Place:
        return max(window, key=lambda place: o(*place))  # Python's max returns the first of equals

    def value(window: list[Place]) -> Any:
        return o(*winner(window))

    def slope(window: list[Place], place: Place) -> Any:
        return 1 if place == winner(window) else 0

    return _pool("max_pool2d", inputs, size, stride, padding, value, slope, winner)


@steps_by_keyword
def average_pool2d(
    inputs: ArrayLike, size: IntOrPair, *, stride: IntOrPair | None = None, padding: IntOrPair = 0
) -> Pooled:
    """The mean of each window, padded zeros counted; the error goes to its entries in equal shares.

    Integers give Fractions.
    """
    o = _zero_outside(as_numbers("average_pool2d", "inputs", inputs, "NHWC"))
    k1, k2 = as_pair("average_pool2d", "size", size, 1)

    def value(window: list[Place]) -> Any:
        return sum(o(*place) for place in window) * Fraction(1, k1 * k2)

    def slope(window: list[Place], place: Place) -> Any:
        return Fraction(1, k1 * k2)

    return _pool("average_pool2d", inputs, size, stride, padding, value, slope)


@steps_by_keyword
def l2_pool2d(inputs: ArrayLike, size: IntOrPair, *, stride: IntOrPair | None = None, padding: IntOrPair = 0) -> Pooled:
    """y = √Σ x² over each window; ∂y/∂x = x / y, and 0 where y is 0 (the article names it only)."""
    o = _zero_outside(as_numbers("l2_pool2d", "inputs", inputs, "NHWC"))

    def value(window: list[Place]) -> Any:
        return sum(o(*place) * o(*place) for place in window) ** Fraction(1, 2)

    def slope(window: list[Place], place: Place) -> Any:
        y = value(window)
        return 0 if y == 0 else o(*place) / y

    return _pool("l2_pool2d", inputs, size, stride, padding, value, slope)


def _pool(
    operation: str,
    inputs: ArrayLike,
    size: IntOrPair,
    stride: IntOrPair | None,
    padding: IntOrPair,
    value: Callable[[list[Place]], Any],
    slope: Callable[[list[Place], Place], Any],
    winner: Callable[[list[Place]], Place] | None = None,
) -> Pooled:
    """Pool with ``value(window)``; ``slope(window, place)`` is its derivative for the entry at ``place``.

    A window is the list of the places (image, row, column, channel) of its entries, in row-major order.
    Padding holds no entry: it adds nothing to a sum and takes no part in a maximum.
    """
    N, H, W, C = as_numbers(operation, "inputs", inputs, "NHWC").shape
    (k1, k2), (s1, s2), (p1, p2) = size, stride, padding = as_window(operation, size, stride, padding)
    rows, columns = output_size(operation, (H, W), size, stride, padding)

    def window(image: int, i: int, j: int, c: int) -> list[Place]:
        return [
            (image, row, column, c)
            for row in range(s1 * i - p1, s1 * i - p1 + k1)
            for column in range(s2 * j - p2, s2 * j - p2 + k2)
            if 0 <= row < H and 0 <= column < W
        ]

    def route(delta: Array) -> Array:
        δ = _zero_outside(delta)

        def entry(*place: int) -> Any:
            image, _, _, c = place
            windows = [(i, j, window(image, i, j, c)) for i in range(rows) for j in range(columns)]
            return sum(δ(image, i, j, c) * slope(places, place) for i, j, places in windows if place in places)

        return _tabulate(operation, entry, range(N), range(H), range(W), range(C))

    outputs = range(N), range(rows), range(columns), range(C)
    output = _tabulate(operation, lambda *index: value(window(*index)), *outputs)

    def winners() -> Array | None:
        if winner is None:
            return None
        return _tabulate(operation, lambda *index: winner(window(*index[:4]))[1 + index[4]], *outputs, range(2))

    return Pooled(operation, output, route, winners)


def _image_and_kernel(
    operation: str, image: ArrayLike, kernel: ArrayLike, mode: str
) -> tuple[Place, Place, Entry, Entry]:
    """Sizes and entries of the two arrays of Eq. 1 and 2, checked."""
    image = as_numbers(operation, "image", image, "HW")
    kernel = as_numbers(operation, "kernel", kernel, "kl")
    check_mode(operation, mode)
    if mode == "valid":
        output_size(operation, image.shape, kernel.shape)
    return image.shape, kernel.shape, _zero_outside(image), _zero_outside(kernel)


def _zero_outside(array: Array) -> Entry:
    """Return a function from indices to the array's entry there, and to 0 where it has none."""
    entries = dict(np.ndenumerate(as_objects(array)))
    return lambda *index: entries.get(index, 0)


def _tabulate(operation: str, entry: Entry, *ranges: Sequence[int]) -> Array:
    """Return the array of ``entry(i, j, …)`` for i in the first range, j in the second, ….

    It is of int64 or float64 where Python's numbers of that kind fit, and otherwise keeps them as objects.
    """

    def compute() -> Array:
        values = [entry(*index) for index in itertools.product(*ranges)]
        types = {type(value) for value in values}
        dtype: type = object
        if types == {int} and all(-(2**63) <= value < 2**63 for value in values):
            dtype = np.int64
        elif types <= {int, float} and float in types:
            dtype = np.float64
        result: Array = np.empty(len(values), dtype)
        result[:] = values
        return result.reshape([len(r) for r in ranges])

    return computed(operation, compute)
