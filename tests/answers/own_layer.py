"""Answers about layers as the frameworks have them: transposed convolution, col2im, depthwise, batch normalisation."""

import itertools

import numpy as np
from scipy import signal

from answers import gradients
from answers.table import RIGHT, WRONG, in_dtypes, right, wrong
from convbp import exercises

# --- conv_transpose2d -------------------------------------------------------------------------------------------------


def size_of(inputs, kernel, stride, padding, over):
    return tuple(
        s * (n - 1) + k - 2 * p + o
        for n, k, s, p, o in zip(inputs.shape, np.shape(kernel), stride, padding, over, strict=True)
    )


def as_a_layer(backward):
    """The way back of a strided layer, as a layer."""

    def transposed(inputs, kernel, stride, padding, output_padding):
        inputs, kernel = np.asarray(inputs), np.asarray(kernel)
        return backward(inputs, kernel, size_of(inputs, kernel, stride, padding, output_padding), stride, padding)

    return transposed


@right("conv_transpose2d", "scatter, then cut")
def conv_transpose(inputs, kernel, stride, padding, output_padding):
    k1, k2 = kernel.shape
    H, W = size_of(inputs, kernel, stride, padding, output_padding)
    p1, p2 = padding
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    for i in range(inputs.shape[0]):
        for j in range(inputs.shape[1]):
            top, left = i * stride[0], j * stride[1]
            out[top : top + k1, left : left + k2] += inputs[i, j] * kernel
    return out[p1 : p1 + H, p2 : p2 + W]


@right("conv_transpose2d", "place by place")
def _(inputs, kernel, stride, padding, output_padding):
    (s1, s2), (p1, p2) = stride, padding
    H, W = size_of(inputs, kernel, stride, padding, output_padding)
    out = np.zeros((H, W))
    for r in range(H):
        for c in range(W):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    i, j = r + p1 - m, c + p2 - n
                    if i % s1 == 0 and j % s2 == 0 and 0 <= i < s1 * len(inputs) and 0 <= j < s2 * len(inputs[0]):
                        out[r, c] += inputs[i // s1, j // s2] * kernel[m, n]
    return out


@right("conv_transpose2d", "zeros between, scipy, zeros at the end, cut")
def _(inputs, kernel, stride, padding, output_padding):
    spread = np.zeros([s * (n - 1) + 1 for s, n in zip(stride, inputs.shape, strict=True)])
    spread[:: stride[0], :: stride[1]] = inputs
    out = np.pad(signal.convolve2d(spread, kernel), [(0, o) for o in output_padding])
    return out[padding[0] : out.shape[0] - padding[0], padding[1] : out.shape[1] - padding[1]]


in_dtypes("conv_transpose2d", conv_transpose)


@wrong("conv_transpose2d", "zeros for output_padding")
def pads_at_the_end(inputs, kernel, stride, padding, output_padding):
    out = conv_transpose(inputs, kernel, stride, padding, (0, 0))
    return np.pad(out, [(0, o) for o in output_padding])


@wrong("conv_transpose2d", "output_padding ignored")
def never_looks_at_it(inputs, kernel, stride, padding, output_padding):
    return conv_transpose(inputs, kernel, stride, padding, (0, 0))


@wrong("conv_transpose2d", "output_padding at the wrong end")
def pads_at_the_start(inputs, kernel, stride, padding, output_padding):
    out = np.pad(conv_transpose(inputs, kernel, stride, (0, 0), (0, 0)), [(o, 0) for o in output_padding])
    return out[padding[0] : out.shape[0] - padding[0], padding[1] : out.shape[1] - padding[1]]


@wrong("conv_transpose2d", "kernel turned by 90°")
def slides_a_quarter_turn(inputs, kernel, stride, padding, output_padding):
    spread = np.kron(inputs, np.eye(1, stride[0] * stride[1]).reshape(stride))
    covered = signal.convolve2d(spread[: 1 - stride[0] or None, : 1 - stride[1] or None], np.rot90(kernel))
    (H, W), (p1, p2) = size_of(inputs, kernel, stride, padding, output_padding), padding
    return np.pad(covered, 20)[20 + p1 : 20 + p1 + H, 20 + p2 : 20 + p2 + W]


@wrong("conv_transpose2d", "padding added for removed")
def pads_as_forward(inputs, kernel, stride, padding, output_padding):
    return np.pad(conv_transpose(inputs, kernel, stride, (0, 0), output_padding), [(p, p) for p in padding])


# Of the way back of a strided layer, what is wrong there is wrong here.
KNOWN = {m.name for m in exercises.conv_transpose2d.computation.misconceptions}
for done, (function, names) in list(WRONG["strided_input_gradient"].items()):
    if names <= KNOWN and len(names) == 1 and "quarter_turn" not in done:
        answer = as_a_layer(function)
        answer.__name__ = done
        wrong("conv_transpose2d", *names)(answer)
for style in ("pixel by pixel", "lists"):
    right("conv_transpose2d", f"{style}, of the way back")(as_a_layer(RIGHT["strided_input_gradient"][style]))


# --- col2im -----------------------------------------------------------------------------------------------------------


def first_pixels(input_size, kernel_size, stride):
    tops, lefts = (range(0, n - k + 1, s) for n, k, s in zip(input_size, kernel_size, stride, strict=True))
    return list(itertools.product(tops, lefts))


@right("col2im", "window by window")
def fold(columns, input_size, kernel_size, stride):
    k1, k2 = kernel_size
    image = np.zeros(input_size)
    for (top, left), row in zip(first_pixels(input_size, kernel_size, stride), columns, strict=True):
        image[top : top + k1, left : left + k2] += np.reshape(row, kernel_size)
    return image


@right("col2im", "weight by weight")
def _(columns, input_size, kernel_size, stride):
    k1, k2 = kernel_size
    tops, lefts = (np.arange(0, n - k + 1, s) for n, k, s in zip(input_size, kernel_size, stride, strict=True))
    image = np.zeros(input_size)
    for m in range(k1):
        for n in range(k2):
            image[np.ix_(tops + m, lefts + n)] += columns[:, m * k2 + n].reshape(len(tops), len(lefts))
    return image


@right("col2im", "np.add.at")
def _(columns, input_size, kernel_size, stride):
    numbered = np.arange(input_size[0] * input_size[1]).reshape(input_size)
    windows = np.lib.stride_tricks.sliding_window_view(numbered, kernel_size)[:: stride[0], :: stride[1]]
    image = np.zeros(numbered.size)
    np.add.at(image, windows.reshape(columns.shape), columns)
    return image.reshape(input_size)


@right("col2im", "bincount")
def _(columns, input_size, kernel_size, stride):
    numbered = np.arange(input_size[0] * input_size[1]).reshape(input_size)
    windows = np.lib.stride_tricks.sliding_window_view(numbered, kernel_size)[:: stride[0], :: stride[1]]
    return np.bincount(windows.ravel(), columns.ravel(), numbered.size).reshape(input_size)


in_dtypes("col2im", fold)


@wrong("col2im", "= for +=")
def assigns(columns, input_size, kernel_size, stride):
    image = np.zeros(input_size)
    for (top, left), row in zip(first_pixels(input_size, kernel_size, stride), columns, strict=True):
        image[top : top + kernel_size[0], left : left + kernel_size[1]] = row.reshape(kernel_size)
    return image


@wrong("col2im", "= for +=")
def the_first_stays(columns, input_size, kernel_size, stride):
    image = np.zeros(input_size)
    for (top, left), row in reversed(list(zip(first_pixels(input_size, kernel_size, stride), columns, strict=True))):
        image[top : top + kernel_size[0], left : left + kernel_size[1]] = row.reshape(kernel_size)
    return image


@wrong("col2im", "mean for sum")
def undoes(columns, input_size, kernel_size, stride):
    counted = fold(np.ones_like(columns), input_size, kernel_size, stride)
    return np.divide(fold(columns, input_size, kernel_size, stride), counted, out=counted * 0, where=counted > 0)


@wrong("col2im", "windows in another order")
def column_by_column(columns, input_size, kernel_size, stride):
    image = np.zeros(input_size)
    places = sorted(first_pixels(input_size, kernel_size, stride), key=lambda place: place[::-1])
    for (top, left), row in zip(places, columns, strict=True):
        image[top : top + kernel_size[0], left : left + kernel_size[1]] += row.reshape(kernel_size)
    return image


@wrong("col2im", "weights in another order")
def fortran_order(columns, input_size, kernel_size, stride):
    image = np.zeros(input_size)
    for (top, left), row in zip(first_pixels(input_size, kernel_size, stride), columns, strict=True):
        image[top : top + kernel_size[0], left : left + kernel_size[1]] += row.reshape(kernel_size, order="F")
    return image


@wrong("col2im", "reshaped for transposed")
def rows_for_weights(columns, input_size, kernel_size, stride):
    return fold(columns.reshape(columns.shape[::-1]).T, input_size, kernel_size, stride)


@wrong("col2im", "window turned by 180°")
def turned_windows(columns, input_size, kernel_size, stride):
    return fold(columns[:, ::-1], input_size, kernel_size, stride)


@wrong("col2im", "stride ignored")
def next_to_each_other(columns, input_size, kernel_size, stride):
    (H, W), (k1, k2), (_, s2) = input_size, kernel_size, stride
    cols = (W - k2) // s2 + 1
    image = np.zeros((H, W))
    for p, row in enumerate(columns):
        image[p // cols : p // cols + k1, p % cols : p % cols + k2] += row.reshape(k1, k2)
    return image


# --- depthwise_kernel_gradient ----------------------------------------------------------------------------------------


def own(pairs):
    """Of (k1, k2, C, C) the slices of a channel with itself."""
    return np.stack([np.asarray(pairs)[:, :, c, c] for c in range(np.shape(pairs)[3])], axis=2)


@right("depthwise_kernel_gradient", "scipy for each channel")
def depthwise(inputs, delta):
    channels = [
        sum(signal.correlate2d(o[..., c], d[..., c], "valid") for o, d in zip(inputs, delta, strict=True))
        for c in range(inputs.shape[3])
    ]
    return np.stack(channels, axis=-1)


@right("depthwise_kernel_gradient", "einsum")
def _(inputs, delta):
    windows = np.lib.stride_tricks.sliding_window_view(inputs, delta.shape[1:3], axis=(1, 2))
    return np.einsum("nmkcij,nijc->mkc", windows, delta)


@right("depthwise_kernel_gradient", "loops")
def _(inputs, delta):
    N, rows, cols, C = delta.shape
    k1, k2 = inputs.shape[1] - rows + 1, inputs.shape[2] - cols + 1
    dw = np.zeros((k1, k2, C))
    for b in range(N):
        for i in range(rows):
            for j in range(cols):
                for c in range(C):
                    dw[:, :, c] += inputs[b, i : i + k1, j : j + k2, c] * delta[b, i, j, c]
    return dw


in_dtypes("depthwise_kernel_gradient", depthwise)


@wrong("depthwise_kernel_gradient", "every channel with every filter")
def dense_gradient(inputs, delta):
    return gradients.pairs(inputs, delta)


@wrong("depthwise_kernel_gradient", "every channel with every filter")
def all_inputs_for_a_filter(inputs, delta):
    return gradients.pairs(inputs.sum(axis=3, keepdims=True), delta)[:, :, 0]


@wrong("depthwise_kernel_gradient", "channels added up")
def one_kernel(inputs, delta):
    return sum(depthwise(inputs, delta)[..., c] for c in range(inputs.shape[3]))


@wrong("depthwise_kernel_gradient", "images kept apart")
def without_the_batch_sum(inputs, delta):
    return [depthwise(o[None], d[None]) for o, d in zip(inputs, delta, strict=True)]


@wrong("depthwise_kernel_gradient", "another layout")
def channels_first(inputs, delta):
    return depthwise(inputs, delta).transpose(2, 0, 1)


@wrong("depthwise_kernel_gradient", "mean for sum")
def mean_of_images(inputs, delta):
    return depthwise(inputs, delta) / len(inputs)


@wrong("depthwise_kernel_gradient", "result turned by 180°")
def true_convolution(inputs, delta):
    return depthwise(inputs, delta)[::-1, ::-1]


# What is wrong for every pair of a channel and a filter is wrong for a channel and its own.
KNOWN = {m.name for m in exercises.depthwise_kernel_gradient.computation.misconceptions}
OF_THE_RESULT = {"mean for sum", "another layout", "result turned by 180°", "transposed", "opposite sign"}
for done, (function, names) in list(WRONG["multichannel_kernel_gradient"].items()):
    if names <= KNOWN and not any("mirrored" in name or name in OF_THE_RESULT for name in names):

        def answer(inputs, delta, function=function):
            return own(function(inputs, delta))

        answer.__name__ = done
        wrong("depthwise_kernel_gradient", *names)(answer)


# --- batch_norm_delta -------------------------------------------------------------------------------------------------


@right("batch_norm_delta", "the closed form")
def norm(delta, inputs, gamma, eps):
    axes, M = (0, 1, 2), inputs[..., 0].size
    inverse = 1 / np.sqrt(inputs.var(axis=axes) + eps)
    x_hat = (inputs - inputs.mean(axis=axes)) * inverse
    return gamma * inverse / M * (M * delta - delta.sum(axis=axes) - x_hat * (delta * x_hat).sum(axis=axes))


@right("batch_norm_delta", "through mean and variance")
def _(delta, inputs, gamma, eps):
    axes, M = (0, 1, 2), inputs[..., 0].size
    centred = inputs - inputs.mean(axis=axes)
    root = np.sqrt((centred**2).mean(axis=axes) + eps)
    d_hat = delta * gamma
    d_root = -(d_hat * centred).sum(axis=axes) / root**2
    d_centred = d_hat / root + d_root / root * centred / M
    return d_centred - d_centred.mean(axis=axes)


@right("batch_norm_delta", "the Jacobian of each channel")
def _(delta, inputs, gamma, eps):
    result = np.zeros(inputs.shape)
    for c in range(inputs.shape[3]):
        x = inputs[..., c].ravel()
        M, root = x.size, np.sqrt(x.var() + eps)
        hat = (x - x.mean()) / root
        jacobian = gamma[c] / root * (np.eye(M) - 1 / M - np.outer(hat, hat) / M)
        result[..., c] = (delta[..., c].ravel() @ jacobian).reshape(inputs.shape[:3])
    return result


in_dtypes("batch_norm_delta", norm)


def parts(delta, inputs, gamma, eps, variance=np.var):
    root = np.sqrt(variance(inputs, axis=(0, 1, 2)) + eps)
    hat = (inputs - inputs.mean(axis=(0, 1, 2))) / root
    return gamma / root, hat, delta.mean(axis=(0, 1, 2)), (delta * hat).mean(axis=(0, 1, 2))


@wrong("batch_norm_delta", "statistics taken for constants")
def scales_only(delta, inputs, gamma, eps):
    return delta * gamma / np.sqrt(inputs.var(axis=(0, 1, 2)) + eps)


@wrong("batch_norm_delta", "path through the mean missing")
def forgets_the_mean(delta, inputs, gamma, eps):
    scale, hat, _, product = parts(delta, inputs, gamma, eps)
    return scale * (delta - hat * product)


@wrong("batch_norm_delta", "path through the variance missing")
def forgets_the_variance(delta, inputs, gamma, eps):
    scale, _, mean, _ = parts(delta, inputs, gamma, eps)
    return scale * (delta - mean)


@wrong("batch_norm_delta", "variance divided by N − 1")
def unbiased(delta, inputs, gamma, eps):
    scale, hat, mean, product = parts(delta, inputs, gamma, eps, lambda x, axis: np.var(x, axis=axis, ddof=1))
    return scale * (delta - mean - hat * product)


@wrong("batch_norm_delta", "epsilon left out")
def without_eps(delta, inputs, gamma, eps):
    return norm(delta, inputs, gamma, 0)


@wrong("batch_norm_delta", "gamma left out")
def without_gamma(delta, inputs, gamma, eps):
    return norm(delta, inputs, 1, eps)
