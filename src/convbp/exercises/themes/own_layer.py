"""What frameworks do with the same sums: transposed convolution, col2im, depthwise kernels, batch normalisation."""

from dataclasses import replace

import numpy as np

from convbp import loops
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import mistake
from convbp.exercises.themes.arrays import NCHW, quarters, random, sevenths
from convbp.exercises.themes.channels import multichannel_kernel_gradient
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    full,
    in_corner,
    mean_for_sum,
    mirrored,
    opposite_sign,
    transposed,
    turned,
)
from convbp.exercises.themes.stride import strided_input_gradient
from convbp.sums import Sum, symbol, symbols

TRANSPOSED = "notebook 17, transposed convolution"
COLUMNS = "notebook 17, im2col and col2im"
GROUPS = "notebook 17, groups"
NORM = "notebook 17, batch normalisation"

# The transposed convolution


def _transposed_size(inputs, kernel, stride, padding, output_padding):
    sizes = zip(inputs.shape, kernel.shape, stride, padding, output_padding, strict=True)
    return [s * (n - 1) + k - 2 * p + o for n, k, s, p, o in sizes]


def _conv_transpose2d(inputs, kernel, stride, padding, output_padding, **steps):
    size = _transposed_size(inputs, kernel, stride, padding, output_padding)
    return strided_input_gradient.compute(inputs, kernel, size, stride, padding, **steps)


def _with_another_kernel(m):
    """A mistake about the kernel, made as it slides: the size of the result is that of the right one."""
    change = m.changes["kernel"]
    return [replace(m, changes={"slide": lambda spread, kernel: full(spread, change(kernel))})]


def _zeros_after_cutting(r, a):
    ends_at_last_window = _conv_transpose2d(a.inputs, a.kernel, a.stride, a.padding, (0, 0))
    return in_corner(ends_at_last_window, r.shape)


def _trace_transposed(inputs, kernel, stride, padding, output_padding):
    layer = symbols("x", inputs)[None, :, :, None], symbols("w", kernel)[:, :, None, None]
    steps = {"stride": stride, "padding": padding, "output_padding": output_padding}
    return loops.conv2d_transpose(*layer, **steps)[0, :, :, 0]


def _transposed_by_scattering(inputs, kernel, stride, padding, output_padding):
    (rows, columns), (k1, k2), (s1, s2) = inputs.shape, kernel.shape, stride
    (p1, p2), (o1, o2) = padding, output_padding
    H, W = s1 * (rows - 1) + k1 - 2 * p1 + o1, s2 * (columns - 1) + k2 - 2 * p2 + o2
    result = np.zeros((H, W))
    for i in range(rows):
        for j in range(columns):
            for m in range(k1):
                for n in range(k2):
                    row, column = s1 * i + m - p1, s2 * j + n - p2
                    if 0 <= row < H and 0 <= column < W:
                        result[row, column] += inputs[i, j] * kernel[m, n]
    return result


@exercise(
    task="A transposed convolution of one channel: what the backward pass of a layer with this kernel, stride and "
    "padding does with δ, as a layer of its own.",
    takes={
        "inputs": "x, shape (H', W'), in the place of δ",
        "kernel": "w, shape (k1, k2), as that layer has it",
        "stride": "(s1, s2)",
        "padding": "(p1, p2)",
        "output_padding": "(o1, o2), the rows and columns that the windows of that layer leave over",
    },
    returns="an array of shape (s1·(H' - 1) + k1 - 2·p1 + o1, s2·(W' - 1) + k2 - 2·p2 + o2)",
    equation="Eq. 20 without f′, with stride and padding",
    axes=("row", "column"),
    inputs=[
        {"inputs": made(n, *x), "kernel": made(n + 1, *k), "stride": s, "padding": p, "output_padding": o}
        for made, n, x, k, s, p, o in [
            (random, 300, (2, 3), (3, 2), (3, 2), (1, 0), (2, 0)),
            (random, 302, (3, 4), (2, 4), (2, 3), (0, 1), (1, 2)),
            (random, 304, (4, 3), (3, 2), (1, 2), (1, 1), (0, 1)),
            (sevenths, 306, (2, 3), (3, 2), (3, 2), (1, 0), (2, 0)),
            (sevenths, 308, (4, 2), (4, 5), (2, 3), (2, 1), (1, 0)),
            (sevenths, 310, (2, 1), (2, 1), (4, 3), (0, 0), (3, 2)),  # more left over than the kernel has
            (sevenths, 312, (1, 3), (3, 1), (1, 2), (1, 0), (0, 1)),
            (sevenths, 314, (3, 1), (1, 2), (2, 1), (0, 0), (1, 0)),
            (sevenths, 316, (1, 2), (5, 2), (4, 1), (2, 0), (3, 0)),
            (sevenths, 320, (3, 10), (5, 1), (1, 1), (3, 3), (0, 0)),  # more padding than what is left
            (sevenths, 322, (10, 3), (1, 5), (1, 1), (3, 3), (0, 0)),
            (sevenths, 318, (2, 3), (3, 2), (2, 2), (1, 0), (1, 1)),
        ]
    ],
    hints=(
        "Each input puts a copy of the kernel, times itself, where its window was: they are s apart, and add up.",
        "Let the copies fall into zeros of (s1·(H' - 1) + k1 + o1, s2·(W' - 1) + k2 + o2): the padded input, with the "
        "rows and columns that are left over.",
        "Then take the padding off: p rows and columns on each side.",
    ),
    trace=_trace_transposed,
    compute=_conv_transpose2d,
    programs=(_transposed_by_scattering,),
    mistakes=[
        *strided_input_gradient.computation.changing("spread", "slide", "crop"),
        *(_with_another_kernel(m) for (m,) in strided_input_gradient.computation.changing("kernel")),
        mistake(
            "zeros for output_padding",
            "You put rows or columns of zeros at the end for output_padding, after the padding was cut off.",
            "It says how large the input was, and pads no zeros: a row that is left over stands before the padding is "
            "cut, and where there is padding, a window may have read it.",
            TRANSPOSED,
            result=_zeros_after_cutting,
        ),
        mistake(
            "output_padding ignored",
            "You left out output_padding.",
            "With a stride, inputs of several sizes have the same output size; output_padding says which is meant.",
            TRANSPOSED,
            output_padding=lambda _: (0, 0),
        ),
        mistake(
            "output_padding at the wrong end",
            "You put the rows and columns that are left over at the beginning.",
            "The windows start at the first row; what is left over is at the end.",
            TRANSPOSED,
            place=lambda array, size: in_corner(array, size, end=True),
        ),
        turned(TRANSPOSED, "Only w is turned, not what comes out."),
        transposed(TRANSPOSED),
        mirrored(TRANSPOSED),
        opposite_sign(TRANSPOSED),
    ],
)
def conv_transpose2d(inputs, kernel, stride, padding, output_padding):
    (rows, columns), (k1, k2) = inputs.shape, kernel.shape
    (s1, s2), (p1, p2), (o1, o2) = stride, padding, output_padding
    padded = np.zeros((s1 * (rows - 1) + k1 + o1, s2 * (columns - 1) + k2 + o2))
    for i in range(rows):
        for j in range(columns):
            padded[s1 * i : s1 * i + k1, s2 * j : s2 * j + k2] += inputs[i, j] * kernel
    return padded[p1 : padded.shape[0] - p1, p2 : padded.shape[1] - p2]


# col2im


def _places(input_size, kernel_size, stride):
    return [(n - k) // s + 1 for n, k, s in zip(input_size, kernel_size, stride, strict=True)]


def _as_windows(columns, places, kernel_size):
    return columns.reshape(*places, *kernel_size)


def _in_place(windows, input_size, stride):
    result, (rows, cols, k1, k2), (s1, s2) = np.zeros(input_size), windows.shape, stride
    for m in range(k1):
        for n in range(k2):
            result[m : m + s1 * (rows - 1) + 1 : s1, n : n + s2 * (cols - 1) + 1 : s2] += windows[:, :, m, n]
    return result


def _col2im(columns, input_size, kernel_size, stride, *, read=_as_windows, add=_in_place):
    return add(read(columns, _places(input_size, kernel_size, stride), kernel_size), input_size, stride)


def _one_replaces_another(backwards):
    def add(windows, input_size, stride):
        result, (rows, cols, k1, k2), (s1, s2) = np.zeros(input_size), windows.shape, stride
        places = list(np.ndindex(rows, cols))
        for i, j in reversed(places) if backwards else places:
            result[s1 * i : s1 * i + k1, s2 * j : s2 * j + k2] = windows[i, j]
        return result

    return add


def _mean_of_windows(windows, input_size, stride):
    counts = _in_place(np.ones_like(windows), input_size, stride)
    return _in_place(windows, input_size, stride) / np.maximum(counts, 1)


def _trace_columns(columns, input_size, kernel_size, stride):
    (rows, cols), (k1, k2), (s1, s2) = _places(input_size, kernel_size, stride), kernel_size, stride
    named, result = symbols("c", columns), np.zeros(input_size, object)
    for i, j, m, n in np.ndindex(rows, cols, k1, k2):
        result[s1 * i + m, s2 * j + n] += named[i * cols + j, m * k2 + n]
    return result


def _columns_pixel_by_pixel(columns, input_size, kernel_size, stride):
    (H, W), (k1, k2), (s1, s2) = input_size, kernel_size, stride
    rows, cols = (H - k1) // s1 + 1, (W - k2) // s2 + 1
    image = np.zeros((H, W))
    for i in range(rows):
        for j in range(cols):
            for m in range(k1):
                for n in range(k2):
                    image[s1 * i + m, s2 * j + n] += columns[i * cols + j, m * k2 + n]
    return image


@exercise(
    task="The backward pass of im2col. im2col lays each window of an image out as a row, window after window; given "
    "how the error depends on each entry of that, how does it depend on each pixel?",
    takes={
        "columns": "a row for each window, shape (H'·W', k1·k2)",
        "input_size": "(H, W)",
        "kernel_size": "(k1, k2)",
        "stride": "(s1, s2)",
    },
    returns="an array of shape (H, W); what no window covers gets 0",
    equation="Eq. 20 without f′, in another order",
    axes=("row", "column"),
    inputs=[
        {"columns": made(seed, rows * cols, k[0] * k[1]), "input_size": n, "kernel_size": k, "stride": s}
        for made, seed, n, k, s in [
            (random, 330, (4, 7), (2, 3), (1, 2)),
            (random, 331, (4, 7), (2, 3), (1, 2)),
            (random, 332, (7, 9), (3, 2), (2, 3)),
            (sevenths, 333, (7, 5), (3, 2), (2, 1)),
            (sevenths, 334, (5, 8), (2, 3), (1, 2)),
            (sevenths, 335, (8, 3), (2, 2), (3, 1)),  # gaps, and rows that are left over
            (sevenths, 336, (1, 5), (1, 2), (1, 1)),
            (sevenths, 337, (4, 3), (3, 1), (1, 1)),
            (sevenths, 338, (3, 4), (2, 3), (1, 1)),
        ]
        for rows, cols in [_places(n, k, s)]
    ],
    hints=(
        "Row i·W' + j belongs to the window whose first pixel is (s1·i, s2·j).",
        "Laid out as (k1, k2) again, it tells how the error depends on each pixel of that window.",
        "A pixel in several windows has a part from each: +=.",
    ),
    trace=_trace_columns,
    compute=_col2im,
    programs=(_columns_pixel_by_pixel,),
    mistakes=[
        mistake(
            "= for +=",
            "Where windows overlap, one replaced the other.",
            "im2col has copied a pixel once for each window; on the way back its copies add up: +=."
            + AT_REPEATED_PLACES,
            COLUMNS,
            {"add": _one_replaces_another(False)},
            {"add": _one_replaces_another(True)},
        ),
        mistake(
            "mean for sum",
            "You divided by the number of windows that hold a pixel, as one does to undo im2col.",
            "A backward pass undoes nothing: what comes back along all paths adds up.",
            COLUMNS,
            add=_mean_of_windows,
        ),
        mistake(
            "windows in another order",
            "You took the windows column by column.",
            "They stand row by row: row i·W' + j of the matrix is window (i, j).",
            COLUMNS,
            read=lambda columns, places, size: columns.reshape(*places[::-1], *size).swapaxes(0, 1),
        ),
        mistake(
            "weights in another order",
            "You read each window column by column.",
            "Its entries stand row by row: m·k2 + n is the entry (m, n).",
            COLUMNS,
            read=lambda columns, places, size: columns.reshape(*places, *size[::-1]).swapaxes(2, 3),
        ),
        mistake(
            "reshaped for transposed",
            "You took the matrix for one with a row for each weight.",
            "Here a row is a window. Where a column is one, transpose: a reshape mixes the windows.",
            COLUMNS,
            read=lambda columns, places, size: _as_windows(columns.reshape(-1, len(columns)).T, places, size),
        ),
        mistake(
            "window turned by 180°",
            "You turned each window by 180°.",
            "A window is laid back as it was taken out: the turn belongs to a kernel that slides over δ.",
            COLUMNS,
            columns=lambda columns: columns[:, ::-1],
        ),
        mistake(
            "stride ignored",
            "You laid the windows down one pixel apart.",
            "Window (i, j) begins at the pixel (s1·i, s2·j).",
            COLUMNS,
            add=lambda windows, size, stride: _in_place(windows, size, (1, 1)),
        ),
        turned(COLUMNS, "Nothing is turned: a window is laid back as it was taken out."),
        transposed(COLUMNS),
        mirrored(COLUMNS),
        opposite_sign(COLUMNS),
    ],
)
def col2im(columns, input_size, kernel_size, stride):
    (H, W), (k1, k2), (s1, s2) = input_size, kernel_size, stride
    cols = (W - k2) // s2 + 1
    image = np.zeros((H, W))
    for place, row in enumerate(columns):
        i, j = s1 * (place // cols), s2 * (place % cols)
        image[i : i + k1, j : j + k2] += row.reshape(k1, k2)
    return image


# Depthwise kernels


def _own_channel(pairs):
    """Of a slice for each pair of a channel and a filter, those of a channel and its own filter."""
    return np.einsum("mncc->mnc", pairs)


def _pairs(inputs, delta):
    return multichannel_kernel_gradient.compute(inputs, delta)


def _trace_depthwise(inputs, delta):
    size = tuple(n - m + 1 for n, m in zip(inputs.shape[1:3], delta.shape[1:3], strict=True))
    layer = symbols("o", inputs), symbols("δ", delta)
    return loops.conv2d_kernel_gradient(*layer, size, groups=inputs.shape[3])[:, :, 0]


def _depthwise_by_slices(inputs, delta):
    (_, H, W, C), (_, rows, columns, _) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2, C))
    for m in range(k1):
        for n in range(k2):
            for c in range(C):
                gradient[m, n, c] = np.sum(inputs[:, m : m + rows, n : n + columns, c] * delta[:, :, :, c])
    return gradient


@exercise(
    task="How the error depends on each weight of a depthwise layer: channel c of the output is channel c of the input "
    "with a kernel of its own, over a batch of N images.",
    takes={"inputs": "o, shape (N, H, W, C)", "delta": "δ of the output, shape (N, H - k1 + 1, W - k2 + 1, C)"},
    returns="an array of shape (k1, k2, C)",
    equation="Eq. 13, for each channel",
    axes=("row", "column", "channel"),
    inputs=[
        {"inputs": random(350, 2, 4, 5, 3), "delta": random(351, 2, 3, 2, 3)},
        {"inputs": random(352, 3, 6, 5, 4), "delta": random(353, 3, 3, 4, 4)},
        {"inputs": sevenths(354, 2, 4, 5, 3), "delta": sevenths(355, 2, 3, 2, 3)},
        {"inputs": sevenths(356, 2, 3, 2, 2), "delta": sevenths(357, 2, 2, 1, 2)},
    ],
    hints=(
        "For one channel and one image it is Eq. 13: o ⊗ δ, valid.",
        "No channel meets another one: there are C kernels, not C · C.",
        "All images share them: add up over the batch.",
    ),
    trace=_trace_depthwise,
    layouts={"NCHW": {"inputs": NCHW, "delta": NCHW, "result": (2, 0, 1)}},
    compute=lambda inputs, delta, *, slide=_pairs: _own_channel(slide(inputs, delta)),
    programs=(_depthwise_by_slices,),
    mistakes=[
        *multichannel_kernel_gradient.computation.changing("inputs", "delta", "slide"),
        mistake(
            "every channel with every filter",
            "You let every channel meet every filter.",
            "In a depthwise layer channel c meets kernel c alone, so there are C slices, not C · C.",
            GROUPS,
            {"result": lambda r, a: _pairs(a.inputs, a.delta)},
            {"result": lambda r, a: _pairs(a.inputs, a.delta).sum(axis=2)},
            {"result": lambda r, a: _pairs(a.inputs, a.delta).sum(axis=3)},
        ),
        mistake(
            "channels added up",
            "You added up the channels.",
            "Each channel has a kernel of its own, and so a gradient of its own.",
            GROUPS,
            {"result": lambda r, a: r.sum(axis=2)},
            {"result": lambda r, a: np.broadcast_to(r.sum(axis=2, keepdims=True), r.shape)},
        ),
        mistake(
            "images kept apart",
            "You kept the images apart.",
            "All images share the kernels: sum over the batch as well.",
            GROUPS,
            result=lambda r, a: np.stack(
                [_own_channel(_pairs(o[None], d[None])) for o, d in zip(a.inputs, a.delta, strict=True)]
            ),
        ),
        mistake(
            "another layout",
            "The axes of your result stand in another order.",
            "The numbers are right; asked for is (k1, k2, C), unless you check with layout='NCHW'.",
            GROUPS,
            result=lambda r, a: np.moveaxis(r, 2, 0),
        ),
        *(
            mean_for_sum(count, of, GROUPS, "All images and places share the kernel: nothing divides.")
            for count, of in (
                (lambda a: len(a.delta), "the images"),
                (lambda a: a.delta[0, ..., 0].size, "the places of an image"),
                (lambda a: a.delta[..., 0].size, "images and places"),
            )
        ),
        turned(GROUPS, "The forward pass does not flip, and so neither does Eq. 13."),
        transposed(GROUPS),
        mirrored(GROUPS),
        opposite_sign(GROUPS),
    ],
)
def depthwise_kernel_gradient(inputs, delta):
    (_, H, W, C), (_, rows, columns, _) = inputs.shape, delta.shape
    gradient = np.zeros((H - rows + 1, W - columns + 1, C))
    for m in range(H - rows + 1):
        for n in range(W - columns + 1):
            gradient[m, n] = (inputs[:, m : m + rows, n : n + columns] * delta).sum(axis=(0, 1, 2))
    return gradient


# Batch normalisation

AXES = (0, 1, 2)  # all but the channels


def _variance(inputs):
    return inputs.var(axis=AXES)


def normalised(inputs, eps, variance=_variance):
    """x̂ = (x − μ) / √(σ² + ε) over images and places, and the root."""
    root = np.sqrt(variance(inputs) + eps)
    return (inputs - inputs.mean(axis=AXES)) / root, root


def _batch_norm_delta(
    delta, inputs, gamma, eps, *, through_mean=np.copy, through_variance=np.copy, variance=_variance
):  # fmt: skip
    """γ/√(σ² + ε) · (δ − mean δ − x̂ · mean(δ x̂)): directly, through μ, and through σ."""
    x, root = normalised(inputs, eps, variance)
    by_mean, by_variance = delta.mean(axis=AXES), x * (delta * x).mean(axis=AXES)
    return gamma / root * (delta - through_mean(by_mean) - through_variance(by_variance))


def _trace_norm(delta, inputs, gamma, eps):
    """Each entry as a sum over all δ of its channel, each times ∂y/∂x from the quotient rule, number by number."""
    result, places = np.empty(inputs.shape, object), list(np.ndindex(inputs.shape[:3]))
    named, count = symbols("δ", delta), len(places)
    for *at, c in np.ndindex(inputs.shape):
        x = {place: float(inputs[(*place, c)]) for place in places}
        mean = sum(x.values()) / count
        root = (sum((value - mean) ** 2 for value in x.values()) / count + eps) ** 0.5
        entry = Sum()
        for place in places:
            of_difference, of_root = (place == tuple(at)) - 1 / count, (x[tuple(at)] - mean) / (count * root)
            slope = gamma[c] * (of_difference * root - (x[place] - mean) * of_root) / root**2
            entry += named[(*place, c)] * symbol("∂y/∂x", slope)
        result[(*at, c)] = entry
    return result


def _norm_step_by_step(delta, inputs, gamma, eps):
    M = inputs[..., 0].size
    mean = inputs.mean(axis=(0, 1, 2))
    variance = ((inputs - mean) ** 2).mean(axis=(0, 1, 2))
    dx_hat = delta * gamma
    dvariance = (dx_hat * (inputs - mean)).sum(axis=(0, 1, 2)) * -0.5 * (variance + eps) ** -1.5
    dmean = -dx_hat.sum(axis=(0, 1, 2)) / np.sqrt(variance + eps)
    return dx_hat / np.sqrt(variance + eps) + dvariance * 2 * (inputs - mean) / M + dmean / M


_PATHS = "μ and σ depend on every x of the batch, and so the error comes back through them as well."


@exercise(
    task="δ on its way back through batch normalisation: y = γ·x̂ + β with x̂ = (x − μ)/√(σ² + ε), where μ and σ² are "
    "mean and variance of a channel over all images and places, σ² with the count in its denominator.",
    takes={
        "delta": "∂E/∂y, shape (N, H, W, C)",
        "inputs": "x, shape (N, H, W, C)",
        "gamma": "γ, shape (C,)",
        "eps": "ε",
    },
    returns="∂E/∂x, an array of shape (N, H, W, C)",
    equation="the chain rule, over all paths",
    axes=("image", "row", "column", "channel"),
    inputs=[
        {"delta": made(n, *shape), "inputs": made(n + 1, *shape), "gamma": made(n + 2, shape[3]), "eps": eps}
        for made, n, shape, eps in [
            (quarters, 370, (2, 1, 2, 2), 0.25),
            (quarters, 373, (2, 1, 2, 2), 0.25),
            (sevenths, 376, (3, 2, 3, 2), 0.5),
            (quarters, 379, (2, 3, 1, 3), 0.05),
            (sevenths, 382, (1, 2, 3, 1), 0.2),
        ]
    ],
    hints=(
        "An x acts on E in three ways: on its own y, on μ, and on σ. Over all paths add.",
        "With δ̂ = γ·δ, and the means taken over images and places, the three are δ̂, −mean(δ̂) and −x̂·mean(δ̂·x̂).",
        "Together, divided by √(σ² + ε).",
    ),
    trace=_trace_norm,
    compute=_batch_norm_delta,
    programs=(_norm_step_by_step,),
    mistakes=[
        mistake(
            "statistics taken for constants",
            "You took mean and variance for constants: that is for evaluation mode, with running statistics.",
            f"In training {_PATHS}",
            NORM,
            through_mean=np.zeros_like,
            through_variance=np.zeros_like,
        ),
        mistake(
            "path through the mean missing",
            "You left out the way through the mean.",
            _PATHS,
            NORM,
            through_mean=np.zeros_like,
        ),
        mistake(
            "path through the variance missing",
            "You left out the way through the variance.",
            _PATHS,
            NORM,
            through_variance=np.zeros_like,
        ),
        mistake(
            "variance divided by N − 1",
            "You divided the variance by the count less 1.",
            "The batch is normalised by its own variance, Σ(x − μ)² / count.",
            NORM,
            variance=lambda x: x.var(axis=AXES, ddof=1),
        ),
        mistake(
            "epsilon left out", "You left ε out.", "The forward pass divides by √(σ² + ε).", NORM, eps=lambda eps: 0.0
        ),
        mistake("gamma left out", "You left γ out.", "y = γ x̂ + β, so ∂y/∂x̂ = γ.", NORM, gamma=np.ones_like),
        opposite_sign(NORM),
    ],
)
def batch_norm_delta(delta, inputs, gamma, eps):
    axes = (0, 1, 2)
    root = np.sqrt(inputs.var(axis=axes) + eps)
    x_hat = (inputs - inputs.mean(axis=axes)) / root
    dx_hat = gamma * delta
    return (dx_hat - dx_hat.mean(axis=axes) - x_hat * (dx_hat * x_hat).mean(axis=axes)) / root
