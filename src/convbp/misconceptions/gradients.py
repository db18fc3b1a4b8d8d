"""What goes wrong in a layer's gradients: for the kernel, the bias and the input, with stride and with channels."""

import numpy as np

from convbp.convolution import conv2d, conv2d_input_gradient, conv2d_kernel_gradient, convolve, cross_correlate, rot180
from convbp.misconceptions.common import (
    columns_reversed,
    full,
    in_corner,
    kernel_transposed,
    mean_for_sum,
    mirrored,
    one_axis_missing,
    one_axis_too_many,
    only,
    opposite_sign,
    overwritten,
    product_of_sums,
    rows_reversed,
    sums_one_short,
    transposed,
    turned,
)
from convbp.misconceptions.misconception import Misconception, Task, mistake

KERNEL = "notebook 06, Eq. 13"
FIGURE = "notebook 06, Eq. 13 and 14"
BIAS = "notebook 06, the bias gradient"
STRIDE = "notebook 10, stride"
CHANNELS = "notebook 10, channels"


kernel_gradient = Task(
    lambda inputs, delta, *, slide=cross_correlate: slide(inputs, delta),
    mistake(
        "delta turned by 180°",
        "You correlated the input with rot180(δ), as the article's figure of Eq. 14 does.",
        "In this course the forward pass does not flip (Eq. 7), so δ is not flipped either (Eq. 13).",
        FIGURE,
        delta=rot180,
    ),
    turned(FIGURE, "That would be the gradient if the forward pass flipped the kernel; Eq. 7 does not flip."),
    mistake(
        "inputs turned by 180°",
        "You turned the input by 180°.",
        "In Eq. 13 δ(i, j) meets the input at (i + m′, j + n′): both are read in the same direction.",
        FIGURE,
        inputs=rot180,
    ),
    one_axis_too_many("delta", "δ", "Eq. 13 flips neither axis of δ.", FIGURE),
    mirrored(FIGURE),
    transposed(KERNEL),
    opposite_sign(KERNEL),
    mistake(
        "full for valid",
        "You let δ stand over the border of the input: that is the full result.",
        "For the kernel gradient δ lies inside (valid), in k₁·k₂ places; it is the way back to the input that is full.",
        "notebook 06, Eq. 13, and notebook 07, valid or full",
        {"slide": lambda inputs, delta: cross_correlate(inputs, delta, mode="full")},
        {"slide": full},
    ),
    mean_for_sum(lambda a: a.delta.size, "the places of the output", KERNEL),
    mistake(
        "product of sums for sum of products",
        "You multiplied a sum of inputs with the sum of δ.",
        "Each δ is multiplied with the input that its output has seen, and then the products are added.",
        "notebook 11, the worked question",
        slide=product_of_sums(cross_correlate),
    ),
    mistake(
        "= for +=",
        "Only one product is left in each entry: the last one replaced those before it.",
        "A weight is used in every place of the output, and what comes from each place adds up: +=.",
        KERNEL,
        delta=lambda delta: only(delta, -1, -1),
    ),
    mistake(
        "first place only",
        "You took only the first place of the output into account.",
        "A weight is used in every place of the output: the sum of Eq. 13 is over all i and j.",
        KERNEL,
        delta=lambda delta: only(delta, 0, 0),
    ),
    mistake(
        "diagonal of δ only",
        "You used the entries δ(i, i) only: one index walked where there are two.",
        "The two sums are independent: each i meets each j.",
        KERNEL,
        delta=lambda delta: delta * np.eye(*delta.shape),
    ),
    sums_one_short("delta", "δ", KERNEL),
    mistake(
        "wrapped around the border",
        "Past the border you went on at the other side of the input.",
        "In Eq. 13 no index leaves the input: m′ goes from 0 to k₁ − 1, n′ from 0 to k₂ − 1.",
        KERNEL,
        slide=lambda inputs, delta: cross_correlate(np.pad(inputs, [(0, n - 1) for n in delta.shape], "wrap"), delta),
    ),
    mistake(
        "delta missing",
        "You added up the inputs that each weight has seen, without δ.",
        "By the chain rule each of them counts as much as its output does: times δ(i, j).",
        "notebook 06, Eq. 10 to 13",
        delta=np.ones_like,
    ),
)


bias_gradient = Task(
    lambda delta: delta.sum(axis=(0, 1, 2)),
    mistake(
        "mean for sum",
        "You took the mean of δ, where the sum is due.",
        "The bias is added in every place, and what comes back from each place adds up; nothing divides.",
        BIAS,
        {"result": lambda r, a: r / a.delta[..., 0].size},
        {"result": lambda r, a: r / len(a.delta)},
        {"result": lambda r, a: r / a.delta[0, ..., 0].size},
        {"result": lambda r, a: a.delta.mean()},
    ),
    mistake(
        "bias gradient per position",
        "You kept one number for each position.",
        "There is one bias per filter, though the article writes b with i and j: sum over the positions.",
        BIAS,
        {"result": lambda r, a: a.delta.sum(axis=0)},
        {"result": lambda r, a: a.delta},
        {"result": lambda r, a: a.delta.mean(axis=0)},
    ),
    mistake(
        "one bias gradient per image",
        "You kept the images apart.",
        "All images share the bias: sum over the batch as well.",
        BIAS,
        {"result": lambda r, a: a.delta.sum(axis=(1, 2))},
        {"result": lambda r, a: a.delta.mean(axis=(1, 2))},
    ),
    mistake(
        "one number for all filters",
        "You added up all of δ.",
        "Each filter has its own bias: the last axis stays.",
        BIAS,
        {"result": lambda r, a: a.delta.sum()},
        {"result": lambda r, a: np.full(len(r), a.delta.sum())},
    ),
    mistake(
        "summed over the wrong axis",
        "You summed over the filters.",
        "δ has the axes (N, H', W', D): the sum is over the first three, and the filters stay.",
        BIAS,
        {"result": lambda r, a: a.delta.sum(axis=3)},
        {"result": lambda r, a: a.delta.sum(axis=(0, 1, 3))},
        {"result": lambda r, a: a.delta.sum(axis=(0, 2, 3))},
        {"result": lambda r, a: a.delta.sum(axis=(1, 2, 3))},
        {"result": lambda r, a: a.delta.sum(axis=(0, 3))},
        {"result": lambda r, a: a.delta.sum(axis=(2, 3))},
        {"result": lambda r, a: a.delta.sum(axis=(1, 3))},
    ),
    mistake(
        "summed over one axis too few",
        "You summed over rows or columns, but not over both.",
        "δ has the axes (N, H', W', D): the sum is over the first three.",
        BIAS,
        {"result": lambda r, a: a.delta.sum(axis=(0, 1))},
        {"result": lambda r, a: a.delta.sum(axis=(0, 2))},
        {"result": lambda r, a: a.delta.sum(axis=1)},
        {"result": lambda r, a: a.delta.sum(axis=2)},
    ),
    mistake(
        "first image only",
        "You used the first image only.",
        "All images share the bias: sum over the batch as well.",
        BIAS,
        result=lambda r, a: a.delta[0].sum(axis=(0, 1)),
    ),
    mistake(
        "= for +=",
        "Only one image, row or place is left: the last one replaced those before it.",
        "What comes from each place adds up: +=.",
        BIAS,
        {"result": lambda r, a: a.delta[-1].sum(axis=(0, 1))},
        {"result": lambda r, a: a.delta[-1, -1].sum(axis=0)},
        {"result": lambda r, a: a.delta[-1, -1, -1]},
        {"result": lambda r, a: a.delta[:, -1, -1].sum(axis=0)},
    ),
    mistake(
        "delta missing",
        "You counted the places, without δ.",
        "∂x/∂b is 1 in every place, and by the chain rule each counts δ: the sum of δ.",
        BIAS,
        result=lambda r, a: np.full(len(r), a.delta[..., 0].size),
    ),
    mistake(
        "absolute values",
        "You added up the absolute values of δ.",
        "A δ keeps its sign.",
        BIAS,
        result=lambda r, a: np.abs(a.delta).sum(axis=(0, 1, 2)),
    ),
    opposite_sign(BIAS),
)


# Stride and padding: spread δ, correlate, put into the padded input, take the padding off


def _with_zeros_between(delta, stride):
    (s1, s2), (rows, columns) = stride, delta.shape
    spread = np.zeros((s1 * (rows - 1) + 1, s2 * (columns - 1) + 1))
    spread[::s1, ::s2] = delta
    return spread


def _without_padding(padded, padding):
    (rows, columns), (p1, p2) = padded.shape, padding
    return padded[p1 : rows - p1, p2 : columns - p2]


def _not_spread(delta, stride):
    return delta


def _as_it_is(array, size):
    return array


def _strided_input_gradient(
    delta,
    kernel,
    input_size,
    stride,
    padding,
    *,
    spread=_with_zeros_between,
    slide=full,
    place=in_corner,
    crop=_without_padding,
):
    padded_size = [n + 2 * p for n, p in zip(input_size, padding, strict=True)]
    return crop(place(slide(spread(delta, stride), kernel), padded_size), padding)


def _overwritten_with_stride(backwards):
    def result(r, a):
        padded_size = [n + 2 * p for n, p in zip(a.input_size, a.padding, strict=True)]
        return _without_padding(overwritten(a.delta, a.kernel, a.stride, padded_size, backwards), a.padding)

    return result


strided_input_gradient = Task(
    _strided_input_gradient,
    mistake(
        "flip missing",
        "You slid the kernel over δ as it is, or spread it turned.",
        "The way back turns the kernel by 180°, with a stride as without: δ ⊗ rot180(w), or δ ∗ w.",
        "notebook 08, Eq. 20 to 22, and notebook 10, stride",
        kernel=rot180,
    ),
    one_axis_missing("w", "δ", STRIDE),
    kernel_transposed(STRIDE, "w"),
    mistake(
        "zeros not put in",
        "You did not put zeros between the entries of δ.",
        "Neighbours in δ come from windows s pixels apart: s − 1 zeros belong between them.",
        STRIDE,
        {"spread": _not_spread},
        {"spread": _not_spread, "place": _as_it_is},
    ),
    mistake(
        "stride kept in the backward pass",
        "You moved the kernel by the stride in the backward pass as well.",
        "The stride leaves out places; on the way back every pixel needs its number: zeros between the δ, stride 1.",
        STRIDE,
        {"result": lambda r, a: full(a.delta, a.kernel)[:: a.stride[0], :: a.stride[1]]},
        {"result": lambda r, a: full(_with_zeros_between(a.delta, a.stride), a.kernel)[:: a.stride[0], :: a.stride[1]]},
        {"result": lambda r, a: convolve(a.delta, a.kernel)[:: a.stride[0], :: a.stride[1]]},
    ),
    mistake(
        "delta repeated for spread",
        "You put copies of each δ where zeros belong.",
        "Between the windows there is no output: its δ is zero.",
        STRIDE,
        spread=lambda delta, stride: delta.repeat(stride[0], 0).repeat(stride[1], 1),
    ),
    mistake(
        "wrong number of zeros between",
        "You put s zeros between the entries of δ.",
        "Its entries are to be s apart: with s − 1 zeros between them.",
        STRIDE,
        {"spread": lambda delta, stride: _with_zeros_between(delta, (stride[0] + 1, stride[1] + 1))},
        {
            "spread": lambda delta, stride: _with_zeros_between(delta, (stride[0] + 1, stride[1] + 1)),
            "place": _as_it_is,
        },
    ),
    mistake(
        "padding not removed",
        "You did not take the padding off: your result is that of the padded input.",
        "The padding is no part of the input: take its p rows and columns off, on each side.",
        "notebook 10, padding",
        crop=_as_it_is,
    ),
    mistake(
        "padding removed on one side only",
        "You took the padding off on one side only.",
        "The padding lies around the input: p rows and columns come off on each side.",
        "notebook 10, padding",
        {"crop": lambda padded, padding: padded[padding[0] :, padding[1] :]},
        {"crop": lambda padded, padding: padded[: -padding[0] or None, : -padding[1] or None]},
    ),
    mistake(
        "padding removed at the wrong side",
        "You took all of the padding off on one side.",
        "The padding lies around the input: p rows and columns come off on each side.",
        "notebook 10, padding",
        {"crop": lambda padded, padding: padded[: -2 * padding[0] or None, : -2 * padding[1] or None]},
        {"crop": lambda padded, padding: padded[2 * padding[0] :, 2 * padding[1] :]},
    ),
    mistake(
        "padding of zero cut as -0",
        "You cut with a slice that ends at -p: where p is 0 it ends at -0, which is the start, and nothing is left.",
        "Let the slice end at p + H (and p + W), which is right for p = 0, too.",
        "notebook 10, padding",
        crop=lambda padded, padding: padded[padding[0] : -padding[0], padding[1] : -padding[1]],
    ),
    mistake(
        "uncovered pixels left out",
        "Your result ends where the last window ends.",
        "Pixels that no window covers are still pixels of the input: they get 0.",
        STRIDE,
        place=_as_it_is,
    ),
    mistake(
        "uncovered pixels at the wrong end",
        "You put the rows and columns that no window covers at the beginning.",
        "The windows start at the first pixel; what is left over is at the end.",
        STRIDE,
        place=lambda array, size: in_corner(array, size, end=True),
    ),
    mistake(
        "rows and columns swapped",
        "You exchanged rows and columns of the stride or of the padding.",
        "In each pair the first number is for rows, the second for columns.",
        STRIDE,
        {"stride": lambda stride: stride[::-1]},
        {"padding": lambda padding: padding[::-1]},
    ),
    mistake(
        "= for +=",
        "Where windows overlap, the last one replaced what was there.",
        "A pixel in several windows gets a part from each, and they add up: +=.",
        STRIDE,
        {"result": _overwritten_with_stride(False)},
        {"result": _overwritten_with_stride(True)},
        {"kernel": lambda kernel: only(kernel, -1, -1)},
        {"kernel": lambda kernel: only(kernel, 0, 0)},
    ),
    mistake(
        "product of sums for sum of products",
        "You multiplied a sum of δ with the sum of the kernel.",
        "Each δ is multiplied with the weight on its path, and then the products are added.",
        "notebook 11, the worked question",
        slide=product_of_sums(full),
    ),
    mean_for_sum(lambda a: a.kernel.size, "the k₁·k₂ products", STRIDE),
    turned(STRIDE, "Only w is turned, not what comes out."),
    transposed(STRIDE),
    mirrored(STRIDE),
    opposite_sign(STRIDE),
)


# Channels


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


multichannel_input_gradient = Task(
    lambda delta, kernel, *, back=_back_through_channels: back(delta, kernel),
    mistake(
        "flip missing",
        "You slid each filter over δ as it is, or spread it turned.",
        "The way back turns the two spatial axes of the kernel by 180°, and swaps the two channel axes.",
        "notebook 08, Eq. 20 to 22, and notebook 10, channels",
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
        "Each channel c gets a sum over all filters d, of δ(d) with w(·, ·, c, d): the two channel axes are swapped.",
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
        "What comes from every filter and every place adds up: +=.",
        CHANNELS,
        {"kernel": lambda kernel: only(kernel, Ellipsis, -1)},
        {"result": lambda r, a: _overwritten_through_channels(a, backwards=False)},
        {"result": lambda r, a: _overwritten_through_channels(a, backwards=True)},
        {"result": lambda r, a: _per_filter(_overwritten_back)(r, a).sum(axis=-1)},
        {"kernel": lambda kernel: only(kernel, -1, -1)},
        {"kernel": lambda kernel: only(kernel, -1, -1, Ellipsis, -1)},
    ),
    mistake(
        "product of sums for sum of products",
        "You added up the filters first, of δ and of the kernel, and multiplied then.",
        "Each δ(d) is multiplied with its own filter w(·, ·, c, d), and then the products are added.",
        "notebook 11, the worked question",
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
    mistake(
        "mean for sum",
        "You took a mean, where the sum over the filters is due.",
        "What comes back from each filter adds up; nothing divides by their number.",
        CHANNELS,
        {"result": lambda r, a: r / a.delta.shape[3]},
        {"result": lambda r, a: r / len(a.delta)},
        {"result": lambda r, a: r / a.kernel[:, :, 0, 0].size},
    ),
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
        "notebook 10, channels",
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
)


def _overwritten_through_channels(a, backwards):
    """Each δ of each filter, filter by filter, replaces what is there."""
    result = np.zeros_like(_back_through_channels(a.delta, a.kernel))
    for n, c in np.ndindex(len(result), result.shape[3]):
        result[n, ..., c] = overwritten(a.delta[n, ..., -1], a.kernel[:, :, c, -1], backwards=backwards)
    return result


def _overwritten_back(delta, kernel):
    """Each δ replaces what is there, for the one filter."""
    images = [[overwritten(one[..., 0], w[..., 0]) for w in np.moveaxis(kernel, 2, 0)] for one in delta]
    return np.moveaxis(np.array(images), 1, 3)


def _kernel_gradient(inputs, delta):
    return conv2d_kernel_gradient(
        inputs, delta, [n - m + 1 for n, m in zip(inputs.shape, delta.shape, strict=True)][1:3]
    )


def _per_image(a):
    return np.stack([_kernel_gradient(a.inputs[[n]], a.delta[[n]]) for n in range(len(a.delta))])


def _on_images(change):
    """Do with each image what ``change`` does with a 2-D array."""
    return lambda images: np.moveaxis(change(np.moveaxis(images, 0, 2)), 2, 0)


multichannel_kernel_gradient = Task(
    lambda inputs, delta, *, slide=_kernel_gradient: slide(inputs, delta),
    mistake(
        "delta turned by 180°",
        "You correlated the inputs with rot180(δ), as the article's figure of Eq. 14 does.",
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
    mistake(
        "mean for sum",
        "You took a mean, where the sum is due.",
        "All images and places share the kernel, and what comes from each adds up; nothing divides by their number.",
        "notebook 06, Eq. 13, and notebook 10, channels",
        {"result": lambda r, a: r / len(a.delta)},
        {"result": lambda r, a: r / a.delta[0, ..., 0].size},
        {"result": lambda r, a: r / a.delta[..., 0].size},
    ),
    mistake(
        "first image only",
        "You used the first image only.",
        "All images share the kernel: sum over the batch as well.",
        CHANNELS,
        delta=lambda delta: only(delta, 0),
    ),
    mistake(
        "= for +=",
        "Only one contribution is left: the last image or place replaced those before it.",
        "What comes from every image and every place adds up: +=.",
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
        "The kernel has a slice for each pair of a channel c and a filter d, and so has its gradient: (k1, k2, C, D).",
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
        "notebook 11, the worked question",
        {"slide": lambda inputs, delta: _kernel_gradient(inputs.sum(0, keepdims=True), delta.sum(0, keepdims=True))},
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
)
