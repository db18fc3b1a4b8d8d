"""Cross-correlation, and the convolutional layer with its three gradients.

Cross-correlation and a turn by 180° are all there is:

    =================  ====================  ======  =======================
    forward            x  = o ⊗ w + b        valid   Eq. 7
    kernel gradient    dw = o ⊗ δ            valid   Eq. 13
    bias gradient      db = Σ δ
    input gradient     do = δ ⊗ rot180(w)    full    Eq. 20 and 22, corrected
    =================  ====================  ======  =======================

The equation numbers are those of Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks",
DeepGrid, 2016 ("the article"). Outside an array there is zero. Integers and Fractions stay exact, floats keep
their dtype, and nothing that comes in is changed.

A layer's arrays stand in the article's order (Eq. 4); in PyTorch's order they are

    ===============================  ===============  ==============================
    here                             shape            for PyTorch
    ===============================  ===============  ==============================
    inputs, and their gradient       (N, H, W, C)     inputs.transpose(0, 3, 1, 2)
    kernel, and its gradient         (k1, k2, C, D)   kernel.transpose(3, 2, 0, 1)
    bias, and its gradient           (D,)             the same
    outputs, and their delta         (N, H', W', D)   delta.transpose(0, 3, 1, 2)
    ===============================  ===============  ==============================
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import ArrayLike

from convbp.shapes import (
    Array,
    IntOrPair,
    Padding,
    Pair,
    Sides,
    as_groups,
    as_numbers,
    as_pair,
    check_channels,
    check_delta,
    check_entries,
    check_mode,
    check_size,
    computed,
    in_one_dtype,
    output_size,
    placed,
    steps_by_keyword,
    transposed_size,
)


def cross_correlate(image: ArrayLike, kernel: ArrayLike, mode: str = "valid") -> Array:
    """Slide ``kernel`` over ``image`` and sum the products: I ⊗ K, Eq. 1 of the article.

    Parameters
    ----------
    image : array_like, shape=(H, W)
    kernel : array_like, shape=(k1, k2)
    mode : {"valid", "full"}
        "valid": only where the kernel lies inside the image. "full": wherever the two overlap, with zeros
        outside the image; entry (0, 0) is then the sum of Eq. 1 at i = −(k1 − 1), j = −(k2 − 1).

    Returns
    -------
    ndarray, shape=(H − k1 + 1, W − k2 + 1) if valid, (H + k1 − 1, W + k2 − 1) if full

    Raises
    ------
    TypeError
        If an entry is not a real number.
    ValueError
        If an array is empty, has a NaN or the wrong number of axes, if the kernel is larger than the image in
        valid mode, or if ``mode`` is neither of the two.
    """
    return _slide("cross_correlate", image, kernel, mode, turn=False)


def convolve(image: ArrayLike, kernel: ArrayLike, mode: str = "valid") -> Array:
    """Convolve ``image`` with ``kernel``: I * K, Eq. 2 of the article, which is I ⊗ rot180(K) (Eq. 3, corrected).

    Parameters
    ----------
    image : array_like, shape=(H, W)
    kernel : array_like, shape=(k1, k2)
    mode : {"valid", "full"}
        "full": the sum of Eq. 2 at 0 ≤ i ≤ H + k1 − 2, 0 ≤ j ≤ W + k2 − 2. "valid": the part of it where the
        turned kernel lies inside the image, which is ``full[k1 - 1 : H, k2 - 1 : W]``.

    Returns
    -------
    ndarray, shape=(H − k1 + 1, W − k2 + 1) if valid, (H + k1 − 1, W + k2 − 1) if full

    Raises
    ------
    TypeError, ValueError
        As `cross_correlate` does.
    """
    return _slide("convolve", image, kernel, mode, turn=True)


def rot180(kernel: ArrayLike) -> Array:
    """Turn ``kernel`` by 180°: both of its first two axes reversed, channels and filters left in place.

    Parameters
    ----------
    kernel : array_like, shape=(k1, k2) or (k1, k2, C, D)

    Returns
    -------
    ndarray
        A new array of the same shape and dtype.

    Raises
    ------
    TypeError
        If an entry is not a real number.
    ValueError
        If the kernel is empty, has a NaN, or has neither two nor four axes.
    """
    kernel = as_numbers("rot180", "kernel", kernel, None)
    kernel = as_numbers("rot180", "kernel", kernel, "klCD" if kernel.ndim == 4 else "kl")
    return kernel[::-1, ::-1].copy()


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
    """Run a convolutional layer forward: x = o ⊗ w + b, Eq. 7 of the article with the channels of Eq. 4.

    Parameters
    ----------
    inputs : array_like, shape=(N, H, W, C)
    kernel : array_like, shape=(k1, k2, C / groups, D)
    bias : array_like, shape=(D,), optional
        One number per filter.
    stride, dilation : int or (int, int)
        Rows and columns, in pixels: the step of the window, and the distance of neighbouring kernel entries (1 is a
        dense kernel).
    padding : int, (int, int), ((int, int), (int, int)) or "same"
        Zeros around the inputs, in pixels: (rows, columns), or ((top, bottom), (left, right)). "same" is as much as
        makes H' = ceil(H / stride); where that is odd, one more stands at the bottom or on the right.
    groups : int
        Channels and filters are dealt out to so many groups, in their order, and a filter sees the channels of its own
        group alone: with C groups it is a depthwise convolution.

    Returns
    -------
    ndarray, shape=(N, H', W', D)
        H' = floor((H + top + bottom − dilation·(k1 − 1) − 1) / stride) + 1, and W' likewise.

    Raises
    ------
    TypeError
        If an entry is not a real number, or a stride, padding, dilation or number of groups is not an integer.
    ValueError
        If an array is empty, has a NaN or the wrong number of axes, if the channels do not match or are not divided
        by the groups, the window does not fit, or a stride, padding or dilation is too small.
    """
    operation = "conv2d"
    inputs = as_numbers(operation, "inputs", inputs, "NHWC")
    kernel = as_numbers(operation, "kernel", kernel, "klCD")
    k1, k2, channels, filters = kernel.shape
    groups = as_groups(operation, groups, C=inputs.shape[3], D=filters)
    check_channels(operation, "inputs", inputs, kernel, groups=groups)
    places, stride, sides, dilation = placed(operation, inputs.shape[1:3], (k1, k2), stride, padding, dilation)
    bias = as_numbers(operation, "bias", np.zeros(filters, kernel.dtype) if bias is None else bias, "D")
    check_size(operation, "bias", bias.shape, (filters,), "A layer has one bias per filter, the kernel's last axis.")
    check_entries(operation, "the output", (len(inputs), *places, filters))

    def compute(inputs: Array, kernel: Array, bias: Array) -> Array:
        row_of_biases = np.tile(bias, (places[1], 1))  # a whole row of places at once: NumPy is slow along short axes
        return _correlate(inputs, kernel, places, stride, _before(sides), dilation, start=row_of_biases)

    return computed(operation, _by_group(compute, groups), *in_one_dtype(k1 * k2 * channels, inputs, kernel, bias))


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
    """Gradient of the error with respect to the kernel: dw = o ⊗ δ, Eq. 13 of the article.

    The windows are those of the forward pass, o_{i+m′,j+n′}, now summed over the places (i, j), and over the images.
    It is what `conv2d` gives with δ as the kernel if images and channels, stride and dilation swap roles, cut to
    (k1, k2): where a stride leaves rows or columns over, that has more.

    Parameters
    ----------
    inputs : array_like, shape=(N, H, W, C)
        What `conv2d` was given.
    delta : array_like, shape=(N, H', W', D)
        Gradient of the error with respect to what `conv2d` returned.
    kernel_size : int or (int, int)
        (k1, k2).
    stride, padding, dilation, groups
        What `conv2d` was given.

    Returns
    -------
    ndarray, shape=(k1, k2, C / groups, D)

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does, and if ``delta`` does not have the shape of its output.
    """
    operation = "conv2d_kernel_gradient"
    inputs = as_numbers(operation, "inputs", inputs, "NHWC")
    delta = as_numbers(operation, "delta", delta, "NIJD")
    k1, k2 = as_pair(operation, "kernel_size", kernel_size, 1)
    places, stride, sides, dilation = placed(operation, inputs.shape[1:3], (k1, k2), stride, padding, dilation)
    check_delta(operation, delta, (inputs.shape[0], *places))
    groups = as_groups(operation, groups, C=inputs.shape[3], D=delta.shape[3])
    channels, filters = inputs.shape[3] // groups, delta.shape[3] // groups

    def compute(inputs: Array, delta: Array) -> Array:
        gradient = np.zeros((k1, k2, channels, filters), inputs.dtype)
        for m, at, windows in _windows(inputs, (k1, k2), places, stride, _before(sides), dilation):
            products = _product(windows.swapaxes(1, 2), delta[at].reshape(len(windows), -1, filters))
            gradient[m] += products.sum(axis=0).reshape(k2, channels, filters)
        return gradient

    return computed(operation, _by_group(compute, groups), *in_one_dtype(delta[..., 0].size, inputs, delta))


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
    """Gradient of the error with respect to the inputs: do = δ ⊗ rot180(w), full; Eq. 20 and 22 as corrected.

    A stride s puts s − 1 zeros between the entries of δ. The sum over channels becomes one over filters,
    so the last two axes of the kernel swap.

    Parameters
    ----------
    delta : array_like, shape=(N, H', W', D)
        Gradient of the error with respect to what `conv2d` returned.
    kernel : array_like, shape=(k1, k2, C / groups, D)
    input_size : int or (int, int)
        (H, W). It has to be said: with a stride, inputs of several sizes have the same output size.
    stride, padding, dilation, groups
        What `conv2d` was given.

    Returns
    -------
    ndarray, shape=(N, H, W, C)
        Without the factor f′ of Eq. 20. Zero in rows and columns that no window covers.

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does, and if ``delta`` does not have the shape of its output.
    """
    operation = "conv2d_input_gradient"
    delta = as_numbers(operation, "delta", delta, "NIJD")
    kernel = as_numbers(operation, "kernel", kernel, "klCD")
    size = as_pair(operation, "input_size", input_size, 1)
    k1, k2, channels, filters = kernel.shape
    groups = as_groups(operation, groups, D=filters)
    check_channels(operation, "delta", delta, kernel, "D")
    places, stride, sides, dilation = placed(operation, size, (k1, k2), stride, padding, dilation)
    check_delta(operation, delta, (delta.shape[0], *places))
    check_entries(operation, "the gradient", (len(delta), *size, channels * groups))
    border = dilation[0] * (k1 - 1) - sides[0][0], dilation[1] * (k2 - 1) - sides[1][0]

    def compute(delta: Array, kernel: Array) -> Array:
        turned = kernel[::-1, ::-1].swapaxes(2, 3)
        return _correlate(delta, turned, size, padding=border, dilation=dilation, spread=stride)

    return computed(operation, _by_group(compute, groups), *in_one_dtype(k1 * k2 * filters, delta, kernel))


def conv2d_bias_gradient(delta: ArrayLike) -> Array:
    """Gradient of the error with respect to the bias: db = Σ δ over images and places.

    The article leaves it out. It follows as Eq. 13 does, with ∂x/∂b = 1 in place of Eq. 12.

    Parameters
    ----------
    delta : array_like, shape=(N, H', W', D)
        Gradient of the error with respect to what `conv2d` returned.

    Returns
    -------
    ndarray, shape=(D,)

    Raises
    ------
    TypeError, ValueError
        If ``delta`` is not an array of finite real numbers with four axes.
    """
    operation = "conv2d_bias_gradient"
    delta = as_numbers(operation, "delta", delta, "NIJD")

    def compute(delta: Array) -> Array:
        total: Array = delta.sum(axis=(0, 1)).sum(axis=0)  # in two goes: NumPy is slow along short axes
        return total

    return computed(operation, compute, *in_one_dtype(delta[..., 0].size, delta))


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
    """Run a transposed convolution: the input gradient of `conv2d` as a layer of its own, plus a bias.

    It is also called deconvolution, which it is not: it does not undo a convolution. It does with its inputs what
    `conv2d_input_gradient` does with δ, so it leads from the D maps of that layer to its C channels.

    Parameters
    ----------
    inputs : array_like, shape=(N, H', W', D)
    kernel : array_like, shape=(k1, k2, C / groups, D)
        That of the `conv2d` that leads the other way; in PyTorch's order kernel.transpose(3, 2, 0, 1).
    bias : array_like, shape=(C,), optional
    stride, padding, dilation, groups
        Those of the `conv2d` that leads the other way. "same" cannot be told from an output alone.
    output_padding : int or (int, int)
        How many rows and columns that `conv2d` leaves over, less than the stride. No zeros are put there: of the input
        sizes that have the same output size, it says which is meant.

    Returns
    -------
    ndarray, shape=(N, H, W, C)
        H = (H' − 1)·stride − top − bottom + dilation·(k1 − 1) + 1 + output_padding, and W likewise.

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does; or if the output padding is not less than the stride, or nothing is left of the output.
    """
    operation = "conv2d_transpose"
    inputs = as_numbers(operation, "inputs", inputs, "NIJD")
    kernel = as_numbers(operation, "kernel", kernel, "klCD")
    channels = kernel.shape[2] * as_groups(operation, groups, D=kernel.shape[3])
    check_channels(operation, "inputs", inputs, kernel, "D")
    size = transposed_size(operation, inputs.shape[1:3], kernel.shape[:2], stride, padding, output_padding, dilation)
    bias = as_numbers(operation, "bias", np.zeros(channels, kernel.dtype) if bias is None else bias, "D")
    check_size(operation, "bias", bias.shape, (channels,), "It has one number for each channel of the output.")
    output = conv2d_input_gradient(
        inputs, kernel, size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    return computed(operation, np.add, *in_one_dtype(1, output, np.ones(1, output.dtype), bias)[::2])


def _by_group(compute: Callable[..., Array], groups: int) -> Callable[..., Array]:
    """``compute`` for each group by itself: the last axis of the arrays is dealt out, that of the results joined."""
    if groups == 1:
        return compute

    def joined(*arrays: Array) -> Array:
        parts = zip(*(np.split(array, groups, axis=-1) for array in arrays), strict=True)
        return np.concatenate([compute(*some) for some in parts], axis=-1)

    return joined


def _before(sides: Sides) -> Pair:
    """What is padded at the top and on the left; at the other ends it is as much as the places ask for."""
    return sides[0][0], sides[1][0]


def _correlate(
    inputs: Array,
    kernel: Array,
    places: Pair,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    spread: Pair = (1, 1),
    start: Array | int = 0,
) -> Array:
    """start + (N, H, W, C) ⊗ (k1, k2, C, D) → (N, *places, D), one matrix product for each row of the kernel."""
    k1, k2, channels, filters = kernel.shape
    result: Array = np.empty((len(inputs), *places, filters), inputs.dtype)
    result[...] = start
    for m, at, windows in _windows(inputs, (k1, k2), places, stride, padding, dilation, spread):
        weights = kernel[m].reshape(k2 * channels, filters)
        result[at] += _product(windows, weights).reshape(len(windows), -1, places[1], filters)
    return result


def _product(a: Array, b: Array) -> Array:
    """The matrix product a @ b. Of objects NumPy's own goes on after an error, which can end the interpreter."""
    return np.asarray(a @ b if a.dtype != object else (a[..., None] * b[..., None, :, :]).sum(axis=-2))


ENTRIES_AT_ONCE = 180_000  # of a matrix of windows: 0.7 megabytes in float32, which stay near the processor


def _windows(
    inputs: Array,
    kernel_size: Pair,
    places: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    spread: Pair = (1, 1),
) -> Iterator[tuple[int, tuple[slice, slice], Array]]:
    """What each row m of the kernel sees: yields (m, (images, rows), windows), some of the images at a time.

    ``windows``, shape=(len(images), len(rows)·W', k2·C), holds o[i·s1 + m·d1 − p1, j·s2 + n·d2 − p2, c]: a row for
    each place (i, j), a column for each kernel entry (n, c). It is the first factor in the sums of Eq. 7 and Eq. 13
    alike; one is over the columns, the other over the rows. ``rows`` is the slice of those i that look inside the
    inputs. Above and below them there is zero, which adds nothing. ``spread`` first puts the inputs that far apart,
    with zeros between.
    """
    (n, h, _, c), (k1, k2), (rows, columns) = inputs.shape, kernel_size, places
    height = spread[0] * (h - 1) + 1
    looks = [_overlap(rows, height, m * dilation[0] - padding[0], stride[0]) for m in range(k1)]
    at_once = ceil(n / ceil(n * height * columns * k2 * c / ENTRIES_AT_ONCE))
    space = np.empty((at_once, height, columns, k2, c), inputs.dtype)  # the same for all, or two would stand at a time
    for first in range(0, n, at_once):
        some = inputs[first : first + at_once]
        windows = space[: len(some)]
        windows[...] = _windows_in_a_row(some, k2, columns, stride[1], padding[1], dilation[1], spread)
        for m, (looking, seen) in enumerate(looks):
            yield m, (slice(first, first + len(some)), looking), windows[:, seen].reshape(len(some), -1, k2 * c)


def _windows_in_a_row(
    inputs: Array, k2: int, columns: int, stride: int, padding: int, dilation: int, spread: Pair
) -> Array:
    """(N, H, W, C) → (N, H, W', k2, C), a view: in each row of the inputs, spread apart, what each place sees of it."""
    (n, h, w, c), (t1, t2) = inputs.shape, spread
    size = t1 * (h - 1) + 1, stride * (columns - 1) + dilation * (k2 - 1) + 1
    padded = np.ascontiguousarray(inputs)
    if padding or t2 > 1 or size != (h, w):
        padded = np.zeros((n, *size, c), inputs.dtype)
        seen, there = _overlap(w, size[1], padding, t2)
        padded[:, ::t1, there] = inputs[:, :, seen]
    # Windows overlap: in this view, whose bounds NumPy checks, each entry stands once, in a copy of it up to k2 times.
    image, row, pixel, channel = padded.strides
    shape, strides = (n, size[0], columns, k2, c), (image, row, stride * pixel, dilation * pixel, channel)
    return np.ndarray(shape, padded.dtype, padded, strides=strides)


@lru_cache(maxsize=256)  # a training asks for the same few at every step
def _overlap(count: int, size: int, start: int, step: int) -> tuple[slice, slice]:
    """The slice of those i in 0, …, count − 1 with start + step·i in 0, …, size − 1, and the slice of the latter."""
    first = max(0, -(start // step))
    stop = max(first, min(count, (size - 1 - start) // step + 1))
    return slice(first, stop), slice(start + step * first, start + step * stop, step)


def _slide(operation: str, image: ArrayLike, kernel: ArrayLike, mode: str, turn: bool) -> Array:
    image = as_numbers(operation, "image", image, "HW")
    kernel = as_numbers(operation, "kernel", kernel, "kl")
    check_mode(operation, mode)
    padding = (kernel.shape[0] - 1, kernel.shape[1] - 1) if mode == "full" else (0, 0)
    places = output_size(operation, image.shape, kernel.shape, padding=padding)

    def compute(image: Array, kernel: Array) -> Array:
        if turn:
            kernel = kernel[::-1, ::-1]
        return _correlate(image[None, :, :, None], kernel[:, :, None, None], places, padding=padding)[0, :, :, 0]

    return computed(operation, compute, *in_one_dtype(kernel.size, image, kernel))
