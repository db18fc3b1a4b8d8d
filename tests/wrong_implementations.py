"""Wrong implementations, one for each mistake that people make, for the checks to reject.

A mistake is written as the right thing with the mistake in it, so that nothing else can be why it is rejected: where
it cannot be made by calling the package's functions wrongly, by a plain implementation written out here, which
without the mistake (the `..._by_windows` in ``RIGHT``) passes the same checks.
"""

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np

import convbp
from convbp import conv2d, conv2d_bias_gradient, conv2d_input_gradient, conv2d_kernel_gradient, cross_correlate, rot180


def replace(old, new):
    """What `=` does where `np.add`, that is `+=`, is due."""
    return new


def in_corner(array, shape):
    """The array in the first corner of zeros of that shape, cut off where it is larger."""
    zeros = np.zeros(shape, array.dtype)
    inside = tuple(slice(min(n, m)) for n, m in zip(array.shape, shape, strict=True))
    zeros[inside] = array[inside]
    return zeros


# --- article level ----------------------------------------------------------------------------------------------------


def full_by(correlate):
    """Right when valid, and by ``correlate`` when full."""
    return lambda image, kernel, mode="valid": (cross_correlate if mode == "valid" else correlate)(image, kernel)


def full_with_border(mode):
    def correlate(image, kernel):
        (k1, k2) = kernel.shape
        return cross_correlate(np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)), mode=mode), kernel)

    return full_by(correlate)


WRONG_CROSS_CORRELATE = {
    "kernel flipped": lambda image, kernel, mode="valid": cross_correlate(image, rot180(kernel), mode),
    "kernel flipped along rows": lambda image, kernel, mode="valid": cross_correlate(image, kernel[::-1], mode),
    "kernel flipped along columns": lambda image, kernel, mode="valid": cross_correlate(image, kernel[:, ::-1], mode),
    "transposed": lambda image, kernel, mode="valid": cross_correlate(image.T, kernel.T, mode),
    "valid for full": full_by(cross_correlate),
    "full wraps around": full_with_border("wrap"),
    "full repeats the border": full_with_border("edge"),
}

WRONG_CONVOLVE = {
    "kernel not flipped": cross_correlate,
    "kernel flipped along rows only": lambda image, kernel, mode="valid": cross_correlate(image, kernel[::-1], mode),
    "image flipped instead": lambda image, kernel, mode="valid": cross_correlate(rot180(image), kernel, mode),
    "result flipped instead": lambda image, kernel, mode="valid": rot180(cross_correlate(image, kernel, mode)),
    "valid for full": lambda image, kernel, mode="valid": cross_correlate(image, rot180(kernel)),
}


# --- layer, forward ---------------------------------------------------------------------------------------------------


def without(step, function):
    default = {"stride": 1, "padding": 0, "dilation": 1}[step]
    return lambda *arguments, **steps: function(*arguments, **{**steps, step: default})


def with_border(mode):
    def conv2d_with_border(inputs, kernel, bias=None, *, stride, padding, dilation):
        (p1, p2) = padding
        inputs = np.pad(inputs, ((0, 0), (p1, p1), (p2, p2), (0, 0)), mode=mode)
        return conv2d(inputs, kernel, bias, stride=stride, dilation=dilation)

    return conv2d_with_border


def conv2d_without_dilation(inputs, kernel, bias=None, **steps):
    right = conv2d(inputs, kernel, bias, **steps)
    return in_corner(without("dilation", conv2d)(inputs, kernel, bias, **steps), right.shape)


def bias_times(factor):
    """``factor(kernel)`` times the bias; Coursera's 2017 numbers come from adding it to every product."""

    def conv2d_with_bias(inputs, kernel, bias=None, **steps):
        return conv2d(inputs, kernel, None if bias is None else bias * factor(kernel), **steps)

    return conv2d_with_bias


WRONG_CONV2D = {
    "kernel flipped": lambda inputs, kernel, bias=None, **steps: conv2d(inputs, rot180(kernel), bias, **steps),
    "channels in reverse": lambda inputs, kernel, bias=None, **steps: conv2d(inputs[..., ::-1], kernel, bias, **steps),
    "bias in every product": bias_times(lambda kernel: kernel[..., 0].size),
    "bias forgotten": bias_times(lambda kernel: 0),
    "stride ignored": without("stride", conv2d),
    "padding ignored": without("padding", conv2d),
    "dilation ignored": conv2d_without_dilation,
    "stride of the rows for the columns": lambda inputs, kernel, bias=None, *, stride, **steps: conv2d(
        inputs, kernel, bias, stride=stride[0], **steps
    ),
    "padding repeats the border": with_border("edge"),
    "padding wraps around": with_border("wrap"),
}


# --- layer, backward --------------------------------------------------------------------------------------------------


def windows(kernel_size, delta, stride, dilation):
    """For each place (i, j) of δ its index, and the index of what its window sees in the padded inputs."""
    (k1, k2), (s1, s2), (t1, t2) = kernel_size, stride, dilation
    for i, j in np.ndindex(delta.shape[1:3]):
        rows = slice(s1 * i, s1 * i + t1 * (k1 - 1) + 1, t1)
        columns = slice(s2 * j, s2 * j + t2 * (k2 - 1) + 1, t2)
        yield np.s_[:, i, j], np.s_[:, rows, columns]


def kernel_gradient_by_windows(collect=np.add, pad=lambda p: (p, p)):
    """dw, window by window."""

    def kernel_gradient(inputs, delta, kernel_size, *, stride, padding, dilation):
        padded = np.pad(inputs, ((0, 0), pad(padding[0]), pad(padding[1]), (0, 0)))
        gradient = np.zeros((*kernel_size, inputs.shape[3], delta.shape[3]), int)
        for place, window in windows(kernel_size, delta, stride, dilation):
            gradient = collect(gradient, np.tensordot(padded[window], delta[place], axes=(0, 0)))
        return gradient

    return kernel_gradient


def input_gradient_by_windows(collect=np.add, crop=lambda padded, p, n: padded.take(range(p, p + n), axis=0)):
    """do, window by window: each δ spreads the kernel over what it has seen."""

    def input_gradient(delta, kernel, input_size, *, stride, padding, dilation):
        (h, w), (p1, p2) = input_size, padding
        padded = np.zeros((len(delta), h + 2 * p1, w + 2 * p2, kernel.shape[2]), int)
        for place, window in windows(kernel.shape[:2], delta, stride, dilation):
            padded[window] = collect(padded[window], np.tensordot(delta[place], kernel, axes=(1, 3)))
        rows_first = crop(np.moveaxis(padded, 1, 0), p1, h)
        return crop(rows_first.transpose(2, 1, 0, 3), p2, w).transpose(1, 2, 0, 3)

    return input_gradient


def keep_first(padded, p, n):
    return padded[:n]


def wrap_around(padded, p, n):
    """What lies in the padding is added at the opposite end."""
    wrapped = np.zeros((n, *padded.shape[1:]), padded.dtype)
    np.add.at(wrapped, (np.arange(len(padded)) - p) % n, padded)
    return wrapped


def dense(delta, size, kernel_size, stride, padding, dilation):
    """δ as if the stride had been 1: no zeros between its entries."""
    places = [n + 2 * p - t * (k - 1) for n, p, t, k in zip(size, padding, dilation, kernel_size, strict=True)]
    return in_corner(delta, (len(delta), *places, delta.shape[3]))


def undilated(size, kernel_size, dilation):
    """The input size for which the same kernel without dilation gives outputs of the same size."""
    return tuple(n - (t - 1) * (k - 1) for n, t, k in zip(size, dilation, kernel_size, strict=True))


def kernel_gradient_without_stride(inputs, delta, kernel_size, *, stride, **steps):
    delta = dense(delta, inputs.shape[1:3], kernel_size, stride, **steps)
    return conv2d_kernel_gradient(inputs, delta, kernel_size, **steps)


def kernel_gradient_without_dilation(inputs, delta, kernel_size, *, dilation, **steps):
    (h, w) = undilated(inputs.shape[1:3], kernel_size, dilation)
    return conv2d_kernel_gradient(inputs[:, :h, :w], delta, kernel_size, **steps)


def product_of_sums(inputs, delta, kernel_size, **steps):
    """The worked question of the third source multiplies two sums where the chain rule sums products."""
    return conv2d_kernel_gradient(inputs, np.ones_like(delta), kernel_size, **steps) * delta.sum(axis=(0, 1, 2))


def channels_mixed(kernel):
    """Channels and filters read in each other's order: the right shape, the wrong entries."""
    (k1, k2, channels, filters) = kernel.shape
    return kernel.reshape(k1, k2, filters, channels).swapaxes(2, 3)


WRONG_KERNEL_GRADIENT = {
    "result flipped": lambda *arguments, **steps: rot180(conv2d_kernel_gradient(*arguments, **steps)),
    "delta flipped, as in the article's figure": lambda inputs, delta, size, **steps: conv2d_kernel_gradient(
        inputs, delta[:, ::-1, ::-1], size, **steps
    ),
    "result flipped along rows": lambda *arguments, **steps: conv2d_kernel_gradient(*arguments, **steps)[::-1],
    "= for +=": kernel_gradient_by_windows(collect=replace),
    "mean over places": lambda inputs, delta, size, **steps: (
        conv2d_kernel_gradient(inputs, delta, size, **steps) / delta[0, :, :, 0].size
    ),
    "mean over images": lambda inputs, delta, size, **steps: (
        conv2d_kernel_gradient(inputs, delta, size, **steps) / len(inputs)
    ),
    "last image only": lambda inputs, delta, size, **steps: conv2d_kernel_gradient(
        inputs[-1:], delta[-1:], size, **steps
    ),
    "images out of step": lambda inputs, delta, size, **steps: conv2d_kernel_gradient(
        inputs[::-1], delta, size, **steps
    ),
    "product of sums": product_of_sums,
    "stride ignored": kernel_gradient_without_stride,
    "dilation ignored": kernel_gradient_without_dilation,
    "padding at one end": kernel_gradient_by_windows(pad=lambda p: (0, 2 * p)),
    "channels and filters mixed": lambda *arguments, **steps: channels_mixed(
        conv2d_kernel_gradient(*arguments, **steps).swapaxes(2, 3)
    ).swapaxes(2, 3),
    "channels not swapped back": lambda *arguments, **steps: conv2d_kernel_gradient(*arguments, **steps).swapaxes(2, 3),
}


def input_gradient_without_zero_insertion(delta, kernel, input_size, *, stride, **steps):
    delta = dense(delta, input_size, kernel.shape[:2], stride, **steps)
    return conv2d_input_gradient(delta, kernel, input_size, **steps)


def input_gradient_by_repeating(delta, kernel, input_size, *, stride, **steps):
    """δ enlarged by repeating its entries, as an image is, instead of with zeros."""
    delta = delta.repeat(stride[0], axis=1).repeat(stride[1], axis=2)
    delta = dense(delta, input_size, kernel.shape[:2], stride, **steps)
    return conv2d_input_gradient(delta, kernel, input_size, **steps)


def input_gradient_without_dilation(delta, kernel, input_size, *, dilation, **steps):
    smaller = undilated(input_size, kernel.shape[:2], dilation)
    gradient = conv2d_input_gradient(delta, kernel, smaller, **steps)
    return in_corner(gradient, (len(delta), *input_size, kernel.shape[2]))


def valid_for_full(delta, kernel, input_size, **steps):
    """Only where every entry of the kernel meets a δ; nothing at the borders."""
    terms = conv2d_input_gradient(np.ones_like(delta), np.ones_like(kernel), input_size, **steps)
    return np.where(terms == terms.max(), conv2d_input_gradient(delta, kernel, input_size, **steps), 0)


WRONG_INPUT_GRADIENT = {
    "kernel not flipped": lambda delta, kernel, size, **steps: conv2d_input_gradient(
        delta, rot180(kernel), size, **steps
    ),
    "kernel flipped along rows only": lambda delta, kernel, size, **steps: conv2d_input_gradient(
        delta, kernel[:, ::-1], size, **steps
    ),
    "result flipped, as Eq. 21 is printed": lambda delta, kernel, size, **steps: conv2d_input_gradient(
        delta, kernel, size, **steps
    )[:, ::-1, ::-1],
    "channels flipped as well": lambda delta, kernel, size, **steps: conv2d_input_gradient(
        delta, kernel[:, :, ::-1], size, **steps
    ),
    "channels not swapped": lambda delta, kernel, size, **steps: conv2d_input_gradient(
        delta, channels_mixed(kernel), size, **steps
    ),
    "first filter only": lambda delta, kernel, size, **steps: conv2d_input_gradient(
        delta[..., :1], kernel[..., :1], size, **steps
    ),
    "= for +=": input_gradient_by_windows(collect=replace),
    "valid for full": valid_for_full,
    "zero insertion forgotten": input_gradient_without_zero_insertion,
    "delta repeated instead of zeros": input_gradient_by_repeating,
    "dilation ignored": input_gradient_without_dilation,
    "padding removed at one end": input_gradient_by_windows(crop=keep_first),
    "padding not removed": input_gradient_by_windows(crop=lambda padded, p, n: padded),
    "wraps around at the border": input_gradient_by_windows(crop=wrap_around),
}

WRONG_BIAS_GRADIENT = {
    "mean over all": lambda delta: delta.mean(axis=(0, 1, 2)),
    "mean over images": lambda delta: conv2d_bias_gradient(delta) / len(delta),
    "one image only": lambda delta: conv2d_bias_gradient(delta[:1]),
    "per image": lambda delta: delta.sum(axis=(1, 2)),
    "per place": lambda delta: delta.sum(axis=0),
    "one place only": lambda delta: conv2d_bias_gradient(delta[:, :1, :1]),
    "filters summed": lambda delta: np.full(delta.shape[3], delta.sum()),
}


# --- pooling ----------------------------------------------------------------------------------------------------------


def pool_by_windows(value, shares, collect=np.add):
    """Pool window by window. A window is the list of its entries in row-major order, None where there is padding."""

    def pool(inputs, size, stride=None, padding=(0, 0)):
        (k1, k2), (s1, s2), (p1, p2) = size, stride or size, padding
        padded = np.pad(inputs.astype(object), ((0, 0), (p1, p1), (p2, p2), (0, 0)), constant_values=None)
        rows, columns = (padded.shape[1] - k1) // s1 + 1, (padded.shape[2] - k2) // s2 + 1
        places = list(np.ndindex(len(inputs), rows, columns, inputs.shape[3]))
        seen = {(n, i, j, c): (n, slice(i * s1, i * s1 + k1), slice(j * s2, j * s2 + k2), c) for n, i, j, c in places}
        entries = {place: padded[window].ravel().tolist() for place, window in seen.items()}
        output = np.array([value(entries[place]) for place in places]).reshape(len(inputs), rows, columns, -1)

        def route(delta):
            gradient = np.zeros(padded.shape, object)
            for place, window in seen.items():
                share = np.array(shares(entries[place]), object).reshape(k1, k2)
                gradient[window] = collect(gradient[window], delta[place] * share)
            return np.array(gradient[:, p1 : p1 + inputs.shape[1], p2 : p2 + inputs.shape[2]].tolist())

        def winner(n, i, j, c):
            row, column = divmod(int(np.argmax(shares(entries[n, i, j, c]))), k2)
            return i * s1 + row - p1, j * s2 + column - p2

        winners = np.array([winner(*place) for place in places]).reshape(*output.shape, 2)
        return SimpleNamespace(output=output, route=route, winners=winners)

    return pool


def inside(entries):
    return [entry for entry in entries if entry is not None]


def zero_padded(entries):
    return [0 if entry is None else entry for entry in entries]


def largest(entries):
    return max(inside(entries))


def only(index, entries):
    return [1 if i == index else 0 for i in range(len(entries))]


def first_largest(entries):
    return only(entries.index(largest(entries)), entries)


def last_largest(entries):
    return first_largest(entries[::-1])[::-1]


def all_largest(entries):
    return [1 if entry == largest(entries) else 0 for entry in entries]


def split_largest(entries):
    return [Fraction(share, sum(all_largest(entries))) for share in all_largest(entries)]


def last_inside(entries):
    return only(max(i for i, entry in enumerate(entries) if entry is not None), entries)


def mean(entries):
    return Fraction(sum(inside(entries)), len(entries))


def equal_shares(entries):
    return [Fraction(1, len(entries))] * len(entries)


def winners_moved_by_padding(inputs, size, stride=None, padding=(0, 0)):
    right = convbp.max_pool2d(inputs, size, stride=stride, padding=padding)
    return SimpleNamespace(output=right.output, route=right.route, winners=right.winners + padding)


WRONG_MAX_POOL = {
    "ties copied": pool_by_windows(largest, all_largest),
    "ties split": pool_by_windows(largest, split_largest),
    "last of ties": pool_by_windows(largest, last_largest),
    "always the last corner": pool_by_windows(largest, last_inside),
    "to all in equal shares": pool_by_windows(largest, equal_shares),
    "times the entry": pool_by_windows(
        largest, lambda entries: [share * largest(entries) for share in first_largest(entries)]
    ),
    "largest by absolute value": pool_by_windows(lambda entries: max(inside(entries), key=abs), first_largest),
    "padding wins": pool_by_windows(
        lambda entries: max(zero_padded(entries)), lambda entries: first_largest(zero_padded(entries))
    ),
    "overlap overwritten": pool_by_windows(largest, first_largest, collect=replace),
    "stride ignored": lambda inputs, size, stride=None, padding=0: convbp.max_pool2d(inputs, size, padding=padding),
    "winners counted in the padded inputs": winners_moved_by_padding,
}


WRONG_AVERAGE_POOL = {
    "sum forward": pool_by_windows(lambda entries: sum(inside(entries)), equal_shares),
    "not divided backward": pool_by_windows(mean, lambda entries: [1] * len(entries)),
    "padding not counted": pool_by_windows(
        lambda entries: Fraction(sum(inside(entries)), len(inside(entries))),
        lambda entries: [Fraction(1, len(inside(entries)))] * len(entries),
    ),
    "to the first entry only": pool_by_windows(mean, lambda entries: only(0, entries)),
    "to the largest only": pool_by_windows(mean, first_largest),
    "overlap overwritten": pool_by_windows(mean, equal_shares, collect=replace),
}


def norm(entries):
    return math.sqrt(sum(entry * entry for entry in inside(entries)))


def norm_shares(entries):
    return [entry / norm(entries) if norm(entries) else 0 for entry in zero_padded(entries)]


WRONG_L2_POOL = {
    "not divided by the norm": pool_by_windows(norm, zero_padded),
    "divided by its square": pool_by_windows(
        norm, lambda entries: [share / norm(entries) if norm(entries) else 0 for share in norm_shares(entries)]
    ),
    "NaN where the norm is 0": pool_by_windows(
        norm, lambda entries: norm_shares(entries) if norm(entries) else [math.nan] * len(entries)
    ),
    "equal shares where the norm is 0": pool_by_windows(
        norm, lambda entries: norm_shares(entries) if norm(entries) else [1 / len(entries)] * len(entries)
    ),
    "sign lost": pool_by_windows(norm, lambda entries: [abs(share) for share in norm_shares(entries)]),
    "no root": pool_by_windows(lambda entries: norm(entries) ** 2, norm_shares),
    "root of the mean": pool_by_windows(lambda entries: norm(entries) / math.sqrt(len(entries)), norm_shares),
    "overlap overwritten": pool_by_windows(norm, norm_shares, collect=replace),
}


# --- activations and losses -------------------------------------------------------------------------------------------


class Sloped:
    """A function with what claims to be its derivative or gradient."""

    def __init__(self, function, derivative):
        self.function, self.derivative, self.gradient = function, derivative, derivative

    def __call__(self, *arguments):
        return self.function(*arguments)


def one_hot(outputs, labels):
    return np.eye(outputs.shape[1])[labels]


WRONG_ACTIVATIONS = {
    ("relu", "slope 1 at the kink"): Sloped(convbp.relu, lambda x: (x >= 0) * 1.0),
    ("relu", "its own slope"): Sloped(convbp.relu, convbp.relu),
    ("leaky_relu", "leak forgotten backward"): Sloped(convbp.leaky_relu, convbp.relu.derivative),
    ("leaky_relu", "leak on the wrong side"): Sloped(
        lambda x: np.where(x < 0, x, 0.01 * x), convbp.leaky_relu.derivative
    ),
    ("sigmoid", "derivative at s(x) instead of x"): Sloped(
        convbp.sigmoid, lambda x: convbp.sigmoid.derivative(convbp.sigmoid(x))
    ),
    ("sigmoid", "x(1 − x)"): Sloped(convbp.sigmoid, lambda x: x * (1 - x)),
    ("tanh", "1 − x²"): Sloped(convbp.tanh, lambda x: 1 - x**2),
    ("tanh", "1 − tanh"): Sloped(convbp.tanh, lambda x: 1 - np.tanh(x)),
    ("softplus", "slope of relu"): Sloped(convbp.softplus, convbp.relu.derivative),
}

half_sum, cross_entropy = convbp.half_sum_of_squares, convbp.softmax_cross_entropy

WRONG_LOSSES = {
    ("half_sum_of_squares", "mean instead of sum"): Sloped(
        lambda y, t: half_sum(y, t) / y.size, lambda y, t: half_sum.gradient(y, t) / y.size
    ),
    ("half_sum_of_squares", "1/P in the gradient only"): Sloped(
        half_sum, lambda y, t: half_sum.gradient(y, t) / y.size
    ),
    ("half_sum_of_squares", "half forgotten"): Sloped(lambda y, t: 2 * half_sum(y, t), half_sum.gradient),
    ("half_sum_of_squares", "t − y"): Sloped(half_sum, lambda y, t: t - y),
    ("softmax_cross_entropy", "sum over the batch"): Sloped(
        lambda y, t: cross_entropy(y, t) * len(y), lambda y, t: cross_entropy.gradient(y, t) * len(y)
    ),
    ("softmax_cross_entropy", "1/N forgotten in the gradient"): Sloped(
        cross_entropy, lambda y, t: cross_entropy.gradient(y, t) * len(y)
    ),
    ("softmax_cross_entropy", "one-hot not subtracted"): Sloped(
        cross_entropy, lambda y, t: cross_entropy.gradient(y, t) + one_hot(y, t) / len(y)
    ),
    ("softmax_cross_entropy", "softmax left out"): Sloped(cross_entropy, lambda y, t: (y - one_hot(y, t)) / len(y)),
}


# --- the same without a mistake ---------------------------------------------------------------------------------------

RIGHT = {
    "kernel_gradient": kernel_gradient_by_windows(),
    "input_gradient": input_gradient_by_windows(),
    "max_pool": pool_by_windows(largest, first_largest),
    "average_pool": pool_by_windows(mean, equal_shares),
    "l2_pool": pool_by_windows(norm, norm_shares),
}
