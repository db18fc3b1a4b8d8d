"""The gradients of a layer with channels, filters and a batch of images."""

from functools import partial

import numpy as np

from convbp import loops
from convbp.convolution import conv2d, conv2d_input_gradient, conv2d_kernel_gradient, convolve, cross_correlate, rot180
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import Misconception, mistake
from convbp.exercises.themes.arrays import NCHW, random, sevenths
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    columns_reversed,
    mean_for_sum,
    mirrored,
    one_axis_missing,
    only,
    opposite_sign,
    overwritten,
    rows_reversed,
    transposed,
)
from convbp.sums import symbols

FIGURE = "notebook 06, Eq. 13 and 14"
CHANNELS = "notebook 11, channels"


def _back_through_channels(delta, kernel):
    (_, rows, columns, _), (k1, k2, _, _) = delta.shape, kernel.shape
    return conv2d_input_gradient(delta, kernel, (rows + k1 - 1, columns + k2 - 1))


def _same_channel_only(kernel):
    return kernel * np.eye(*kernel.shape[2:])


def _reshaped(kernel):
    """What stands where the swapped channel axes are due if they are reshaped."""
    k1, k2, channels, filters = kernel.shape
    return kernel.reshape(k1, k2, filters, channels).swapaxes(2, 3)


def _per_filter(backward):
    return lambda r, a: np.stack(
        [backward(a.delta[..., [d]], a.kernel[..., [d]]) for d in range(a.kernel.shape[3])], axis=-1
    )


def _channel_flips(why: str) -> list[Misconception]:
    return mistake(
        "channel axes reversed",
        "You reversed the order of channels or filters.",
        why,
        CHANNELS,
        {"kernel": lambda kernel: kernel[:, :, ::-1, ::-1]},
        {"kernel": lambda kernel: kernel[:, :, ::-1]},
        {"kernel": lambda kernel: kernel[..., ::-1]},
    )


def _overwritten_through_channels(a, backwards):
    """Each δ of each filter, filter by filter, replaces what is there."""
    result = np.zeros_like(_back_through_channels(a.delta, a.kernel))
    for n, c in np.ndindex(len(result), result.shape[3]):
        result[n, ..., c] = overwritten(a.delta[n, ..., -1], a.kernel[:, :, c, -1], backwards=backwards)
    return result


def _overwritten_back(delta, kernel, backwards=False):
    """Each δ replaces what is there, for the one filter."""
    weights = np.moveaxis(kernel, 2, 0)
    images = [[overwritten(one[..., 0], w[..., 0], backwards=backwards) for w in weights] for one in delta]
    return np.moveaxis(np.array(images), 1, 3)


def _input_gradient_by_copies(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    gradient = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for image in range(N):
        for i in range(rows):
            for j in range(columns):
                for d in range(D):
                    gradient[image, i : i + k1, j : j + k2, :] += delta[image, i, j, d] * kernel[:, :, :, d]
    return gradient


def _input_gradient_by_weights(delta, kernel):
    (N, rows, columns, _), (k1, k2, C, _) = delta.shape, kernel.shape
    gradient = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for m in range(k1):
        for n in range(k2):
            gradient[:, m : m + rows, n : n + columns, :] += delta @ kernel[m, n].T
    return gradient


@exercise(
    task="How the error depends on each input of a layer with C channels and D filters.",
    takes={"delta": "δ of the output, shape (N, H', W', D)", "kernel": "w, shape (k1, k2, C, D)"},
    returns="an array of shape (N, H' + k1 - 1, W' + k2 - 1, C)",
    equation="Eq. 20 without f′, with the channels of Eq. 4",
    axes=("image", "row", "column", "channel"),
    inputs=[
        {"delta": random(50, 2, 3, 4, 3), "kernel": random(51, 2, 3, 4, 3)},
        {"delta": random(52, 3, 3, 5, 2), "kernel": random(53, 3, 2, 4, 2)},
        {"delta": random(84, 2, 5, 3, 3), "kernel": random(85, 4, 2, 2, 3)},
        {"delta": sevenths(161, 2, 3, 4, 3), "kernel": sevenths(162, 2, 3, 4, 3)},
        {"delta": sevenths(163, 2, 3, 2, 3), "kernel": sevenths(164, 2, 1, 2, 3)},  # one column
        {"delta": sevenths(165, 1, 2, 3, 2), "kernel": sevenths(166, 1, 2, 3, 2)},  # one row
    ],
    hints=(
        "Filter d has a slice w(·, ·, c, d) for each channel c, which carries δ of filter d back to channel c.",
        "So channel c gets a sum over the filters d of full convolutions δ(d) ∗ w(·, ·, c, d).",
        "In one operation: turn the two spatial axes of w, swap its channel axes, and slide it over the padded δ.",
    ),
    trace=lambda delta, kernel: loops.conv2d_input_gradient(
        symbols("δ", delta),
        symbols("w", kernel),
        tuple(n + k - 1 for n, k in zip(delta.shape[1:3], kernel.shape[:2], strict=True)),
    ),
    layouts={"NCHW": {"delta": NCHW, "kernel": (3, 2, 0, 1), "result": NCHW}},
    compute=lambda delta, kernel, *, back=_back_through_channels: back(delta, kernel),
    programs=(
        _input_gradient_by_copies,
        _input_gradient_by_weights,
    ),
    mistakes=[
        mistake(
            "flip missing",
            "You slid each filter over δ as it is, or spread it turned.",
            "The way back turns the two spatial axes of the kernel by 180°, and swaps the two channel axes.",
            "notebook 08, Eq. 20 to 22, and notebook 11, channels",
            kernel=rot180,
        ),
        one_axis_missing("w", "δ", CHANNELS),
        _channel_flips("Only the two spatial axes are reversed; the channel axes are swapped."),
        mistake(
            "channel axes reshaped for swapped",
            "You brought the channel axes into the other order by reshape, which mixes their entries.",
            "To swap two axes is to transpose: kernel.swapaxes(2, 3).",
            CHANNELS,
            kernel=_reshaped,
        ),
        mistake(
            "one filter only",
            "You used one filter only.",
            "A channel is seen by every filter, and what comes back from each adds up.",
            CHANNELS,
            {"kernel": lambda kernel: only(kernel, Ellipsis, 0)},
        ),
        mistake(
            "one map only",
            "Your result has only one image and one channel.",
            "Each image has a gradient for each of its channels: (N, H, W, C).",
            CHANNELS,
            {"result": lambda r, a: r[0, :, :, 0]},
            {"result": lambda r, a: r[-1, :, :, -1]},
        ),
        mistake(
            "channels not swapped",
            "You kept channels and filters as they are forward: filter number c for channel c.",
            "Each channel c gets a sum over all filters d, of δ(d) with w(·, ·, c, d): the two channel axes "
            "are swapped.",
            CHANNELS,
            kernel=_same_channel_only,
        ),
        mistake(
            "summed over the wrong axis",
            "You summed over the channels.",
            "Backward the sum is over the filters, and each channel gets its own.",
            CHANNELS,
            {"kernel": lambda kernel: np.broadcast_to(kernel.sum(axis=2, keepdims=True), kernel.shape)},
            {"result": lambda r, a: r.sum(axis=3)},
            {"result": lambda r, a: r.sum(axis=3, keepdims=True)},
            {"result": lambda r, a: _per_filter(_back_through_channels)(r, a).sum(axis=3)},
        ),
        mistake(
            "filters not summed",
            "You kept the filters apart.",
            "A channel is seen by every filter, and what comes back from each adds up.",
            CHANNELS,
            result=_per_filter(_back_through_channels),
        ),
        mistake(
            "= for +=",
            "Only one contribution is left: the last one replaced those before it.",
            "What comes from every filter and every place adds up: +=." + AT_REPEATED_PLACES,
            CHANNELS,
            {"kernel": lambda kernel: only(kernel, Ellipsis, -1)},
            {"result": lambda r, a: _overwritten_through_channels(a, backwards=False)},
            {"result": lambda r, a: _overwritten_through_channels(a, backwards=True)},
            {"result": lambda r, a: _per_filter(_overwritten_back)(r, a).sum(axis=-1)},
            {"result": lambda r, a: _per_filter(partial(_overwritten_back, backwards=True))(r, a).sum(axis=-1)},
            {"kernel": lambda kernel: only(kernel, -1, -1)},
            {"kernel": lambda kernel: only(kernel, -1, -1, Ellipsis, -1)},
        ),
        mistake(
            "product of sums for sum of products",
            "You added up the filters first, of δ and of the kernel, and multiplied then.",
            "Each δ(d) is multiplied with its own filter w(·, ·, c, d), and then the products are added.",
            "notebook 16, the worked question",
            {
                "back": lambda delta, kernel: _back_through_channels(
                    delta.sum(axis=3, keepdims=True), kernel.sum(axis=3, keepdims=True)
                )
            },
            {
                "back": lambda delta, kernel: (
                    _back_through_channels(delta, np.ones_like(kernel)) * kernel.sum(axis=(0, 1, 3))
                )
            },
        ),
        mean_for_sum(lambda a: a.delta.shape[3], "the filters", CHANNELS),
        mean_for_sum(lambda a: len(a.delta), "the images", CHANNELS, "Each image has a gradient of its own."),
        mean_for_sum(lambda a: a.kernel[:, :, 0, 0].size, "the k₁·k₂ weights", CHANNELS),
        mistake(
            "valid for full",
            "You kept the kernel inside δ: that is the valid convolution, and it makes the array smaller.",
            "Each δ reaches a whole window of pixels: δ is padded by k − 1 on each side.",
            "notebook 07, valid or full",
            back=lambda delta, kernel: conv2d(delta, rot180(kernel).swapaxes(2, 3)),
        ),
        mistake(
            "images summed",
            "You added up the images.",
            "Each image has its own gradient for its input; only kernel and bias are shared, and sum over the batch.",
            CHANNELS,
            {"result": lambda r, a: r.sum(axis=0)},
            {"result": lambda r, a: np.broadcast_to(r.sum(axis=0, keepdims=True), r.shape)},
            {"result": lambda r, a: r.mean(axis=0)},
        ),
        mistake(
            "another layout",
            "The axes of your result stand in another order.",
            "The numbers are right; asked for is (N, H, W, C), channels last, unless you check with layout='NCHW'.",
            "notebook 11, channels",
            {"result": lambda r, a: np.moveaxis(r, 3, 1)},
            {"result": lambda r, a: np.moveaxis(r, 3, 0)},
        ),
        mistake(
            "result turned by 180°",
            "Each of your images is the right one turned by 180°.",
            "Only w is turned, not what comes out.",
            CHANNELS,
            result=lambda r, a: r[:, ::-1, ::-1],
        ),
        transposed(CHANNELS, rows=1),
        opposite_sign(CHANNELS),
    ],
)
def multichannel_input_gradient(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    gradient = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for n in range(N):
        for c in range(C):
            for d in range(D):
                gradient[n, :, :, c] += convolve(delta[n, :, :, d], kernel[:, :, c, d], mode="full")
    return gradient


def _kernel_gradient(inputs, delta):
    (_, H, W, _), (_, rows, columns, _) = inputs.shape, delta.shape
    return conv2d_kernel_gradient(inputs, delta, (H - rows + 1, W - columns + 1))


def _per_image(a):
    return np.stack([_kernel_gradient(a.inputs[[n]], a.delta[[n]]) for n in range(len(a.delta))])


def _on_images(change):
    """Do with each image what ``change`` does with a 2-D array."""
    return lambda images: np.moveaxis(change(np.moveaxis(images, 0, 2)), 2, 0)


def _kernel_gradient_in_loops(inputs, delta):
    (N, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2, C, D))
    for m, n, c, d in np.ndindex(k1, k2, C, D):
        for image, i, j in np.ndindex(N, rows, columns):
            gradient[m, n, c, d] += delta[image, i, j, d] * inputs[image, i + m, j + n, c]
    return gradient


def _kernel_gradient_by_slices(inputs, delta):
    (_, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2, C, D))
    for m, n, c, d in np.ndindex(k1, k2, C, D):
        gradient[m, n, c, d] = np.sum(inputs[:, m : m + rows, n : n + columns, c] * delta[:, :, :, d])
    return gradient


@exercise(
    task="How the error depends on each weight of a layer with C channels and D filters, over a batch of N images.",
    takes={"inputs": "o, shape (N, H, W, C)", "delta": "δ of the output, shape (N, H - k1 + 1, W - k2 + 1, D)"},
    returns="an array of shape (k1, k2, C, D)",
    equation="Eq. 13, with the channels of Eq. 4",
    axes=("row", "column", "channel", "filter"),
    inputs=[
        {"inputs": random(54, 2, 4, 5, 3), "delta": random(55, 2, 3, 2, 4)},
        {"inputs": random(56, 3, 6, 5, 4), "delta": random(57, 3, 3, 4, 2)},
        {"inputs": sevenths(167, 2, 4, 5, 3), "delta": sevenths(168, 2, 3, 2, 4)},
        {"inputs": sevenths(169, 2, 3, 2, 2), "delta": sevenths(170, 2, 2, 1, 3)},
    ],
    hints=(
        "The weight w(m, n, c, d) takes channel c of the input to filter d of the output.",
        "For each pair of c and d it is Eq. 13 with these two: o(c) ⊗ δ(d).",
        "All images share the weights: add up over the batch.",
    ),
    trace=lambda inputs, delta: loops.conv2d_kernel_gradient(
        symbols("o", inputs),
        symbols("δ", delta),
        tuple(n - m + 1 for n, m in zip(inputs.shape[1:3], delta.shape[1:3], strict=True)),
    ),
    layouts={"NCHW": {"inputs": NCHW, "delta": NCHW, "result": (3, 2, 0, 1)}},
    compute=lambda inputs, delta, *, slide=_kernel_gradient: slide(inputs, delta),
    programs=(
        _kernel_gradient_in_loops,
        _kernel_gradient_by_slices,
    ),
    mistakes=[
        mistake(
            "delta turned by 180°",
            "You correlated the inputs with rot180(δ): δ is turned by 180° there.",
            "In this course the forward pass does not flip (Eq. 7), so δ is not flipped either (Eq. 13).",
            FIGURE,
            delta=_on_images(lambda delta: delta[::-1, ::-1]),
        ),
        mistake(
            "result turned by 180°",
            "Each slice of your result is the right one turned by 180°.",
            "That would be the gradient if the forward pass flipped the kernel; Eq. 7 does not flip.",
            FIGURE,
            result=lambda r, a: rot180(r),
        ),
        mistake(
            "inputs turned by 180°",
            "You turned the inputs by 180°.",
            "In Eq. 13 δ(i, j) meets the input at (i + m′, j + n′): both are read in the same direction.",
            FIGURE,
            inputs=_on_images(lambda inputs: inputs[::-1, ::-1]),
        ),
        mistake(
            "delta flipped along the rows only",
            "You reversed the order of the rows of δ.",
            "Eq. 13 flips neither axis of δ.",
            FIGURE,
            delta=_on_images(rows_reversed),
        ),
        mistake(
            "delta flipped along the columns only",
            "You reversed the order of the columns of δ.",
            "Eq. 13 flips neither axis of δ.",
            FIGURE,
            delta=_on_images(columns_reversed),
        ),
        *(
            mean_for_sum(
                count,
                of,
                "notebook 06, Eq. 13, and notebook 11, channels",
                "All images and places share the kernel, and what comes from each adds up; nothing divides.",
            )
            for count, of in (
                (lambda a: len(a.delta), "the images"),
                (lambda a: a.delta[0, ..., 0].size, "the places of an image"),
                (lambda a: a.delta[..., 0].size, "images and places"),
            )
        ),
        mistake(
            "first image only",
            "You used the first image only.",
            "All images share the kernel: sum over the batch as well.",
            CHANNELS,
            delta=lambda delta: only(delta, 0),
        ),
        mistake(
            "δ of one image for all",
            "You used the δ of one image for all images.",
            "Each image has its own δ, which meets that image's inputs.",
            CHANNELS,
            {"delta": lambda delta: np.broadcast_to(delta[:1], delta.shape)},
            {"delta": lambda delta: np.broadcast_to(delta[-1:], delta.shape)},
        ),
        mistake(
            "inputs of one image for all",
            "You used the inputs of one image for all images.",
            "Each image's δ meets that image's inputs.",
            CHANNELS,
            {"inputs": lambda inputs: np.broadcast_to(inputs[:1], inputs.shape)},
            {"inputs": lambda inputs: np.broadcast_to(inputs[-1:], inputs.shape)},
        ),
        mistake(
            "= for +=",
            "Only one contribution is left: the last image or place replaced those before it.",
            "What comes from every image and every place adds up: +=." + AT_REPEATED_PLACES,
            CHANNELS,
            {"delta": lambda delta: only(delta, -1)},
            {"delta": lambda delta: only(delta, -1, -1, -1)},
            {"delta": lambda delta: only(delta, slice(None), -1, -1)},
        ),
        mistake(
            "one gradient per image",
            "You kept the images apart.",
            "All images share the kernel: sum over the batch as well.",
            CHANNELS,
            result=lambda r, a: _per_image(a),
        ),
        mistake(
            "channels not swapped",
            "You exchanged channels and filters in your result.",
            "The gradient has the axes of the kernel, (k1, k2, C, D): channels of the input first, then filters.",
            CHANNELS,
            {"result": lambda r, a: r.swapaxes(2, 3)},
            {"result": lambda r, a: r.swapaxes(2, 3).reshape(r.shape)},
        ),
        mistake(
            "one pair only",
            "Your result has only one pair of a channel and a filter.",
            "The kernel has a slice for each pair of a channel c and a filter d, and so has its gradient: (k1, "
            "k2, C, D).",
            CHANNELS,
            {"result": lambda r, a: r[:, :, 0, 0]},
            {"result": lambda r, a: r[:, :, -1, -1]},
        ),
        mistake(
            "summed over the wrong axis",
            "You summed over the channels, or over the filters.",
            "Each pair of a channel c and a filter d has its own weights: the sums are over images, rows and columns.",
            CHANNELS,
            {"result": lambda r, a: r.sum(axis=2)},
            {"result": lambda r, a: r.sum(axis=3)},
            {"result": lambda r, a: r.sum(axis=(2, 3))},
            {"result": lambda r, a: np.broadcast_to(r.sum(axis=2, keepdims=True), r.shape)},
            {"result": lambda r, a: np.broadcast_to(r.sum(axis=3, keepdims=True), r.shape)},
        ),
        mistake(
            "same channel only",
            "You let channel c meet filter c only.",
            "Each channel meets each filter.",
            CHANNELS,
            result=lambda r, a: _same_channel_only(r),
        ),
        mistake(
            "product of sums for sum of products",
            "You added up the images first, of the inputs and of δ, and multiplied then.",
            "Each image's δ meets that image's inputs, and then the products are added.",
            "notebook 16, the worked question",
            {
                "slide": lambda inputs, delta: _kernel_gradient(
                    inputs.sum(0, keepdims=True), delta.sum(0, keepdims=True)
                )
            },
            {
                "slide": lambda inputs, delta: (
                    _kernel_gradient(inputs, np.ones_like(delta)) * delta.sum(axis=(0, 1, 2), keepdims=True)
                )
            },
        ),
        mistake(
            "full for valid",
            "You let δ stand over the border of the inputs: that is the full result.",
            "For the kernel gradient δ lies inside (valid), in k₁·k₂ places.",
            "notebook 06, Eq. 13, and notebook 07, valid or full",
            slide=lambda inputs, delta: _kernel_gradient(
                np.pad(inputs, [(0, 0), *[(n - 1, n - 1) for n in delta.shape[1:3]], (0, 0)]), delta
            ),
        ),
        mistake(
            "another layout",
            "The axes of your result stand in another order.",
            "The numbers are right; asked for is (k1, k2, C, D), unless you check with layout='NCHW'.",
            CHANNELS,
            {"result": lambda r, a: r.transpose(3, 2, 0, 1)},
            {"result": lambda r, a: r.transpose(2, 3, 0, 1)},
        ),
        mistake(
            "delta missing",
            "You added up the inputs that each weight has seen, without δ.",
            "By the chain rule each of them counts as much as its output does: times δ(i, j).",
            "notebook 06, Eq. 10 to 13",
            delta=np.ones_like,
        ),
        transposed(CHANNELS),
        mirrored(CHANNELS),
        opposite_sign(CHANNELS),
    ],
)
def multichannel_kernel_gradient(inputs, delta):
    (N, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    gradient = np.zeros((H - rows + 1, W - columns + 1, C, D))
    for n in range(N):
        for c in range(C):
            for d in range(D):
                gradient[:, :, c, d] += cross_correlate(inputs[n, :, :, c], delta[n, :, :, d])
    return gradient
