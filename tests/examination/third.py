"""A third set of wrong answers, short ones, measured after what the second had shown was mended."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import convolve2d, correlate2d

from convbp import exercises
from examination.sheet import Sheet


def sheet(exercise, *answers):
    made = Sheet(exercise)
    for mistake, said, function in answers:
        made.wrong(mistake, said)(function)
    return made


def right(exercise):
    return getattr(exercises, exercise).answer


def valid(image, kernel):
    return correlate2d(image, kernel, "valid")


def tanh_slope(x):
    return 1 - np.tanh(x) ** 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


SHEETS = [
    sheet(
        "cross_correlation",
        ("absolute values at the end", "absolute", lambda a, k: np.abs(valid(a, k))),
        ("image cut off to integers", "integers", lambda a, k: valid(a.astype(int), k.astype(int))),
        ("squared differences", "—", lambda a, k: ((sliding_window_view(a, k.shape) - k) ** 2).sum((2, 3))),
        ("a bias of 1 added", "same number", lambda a, k: valid(a, k) + 1),
    ),
    sheet(
        "convolution",
        ("kernel shifted by one column", "moved|index", lambda a, k: convolve2d(a, np.roll(k, 1, 1), "valid")),
        ("the image transposed", "transpos|exchang|shape", lambda a, k: convolve2d(a.T, k.T, "valid")),
        ("minus", "opposite sign", lambda a, k: -convolve2d(a, k, "valid")),
        ("first row of the result missing", "part|first|row", lambda a, k: convolve2d(a, k, "valid")[1:]),
    ),
    sheet(
        "rot180",
        ("normalised", "divided by", lambda k: k[::-1, ::-1] / np.abs(k).sum()),
        ("each row reversed, and the rows rolled", "moved|index|row", lambda k: np.roll(k[:, ::-1], 1, 0)),
        ("inverse matrix", "stopped|LinAlg", lambda k: np.linalg.inv(k)),
    ),
    sheet(
        "full_convolution",
        ("padded by k // 2", "as large as|number of zeros|part", lambda a, k: convolve2d(a, k, "same")),
        ("cut off below 0", "positive", lambda a, k: np.maximum(convolve2d(a, k), 0)),
        ("kernel squared", "square", lambda a, k: convolve2d(a, k**2)),
        ("rows exchanged with columns in the kernel", "rows and columns", lambda a, k: convolve2d(a, k.T)),
    ),
    sheet(
        "region_q",
        ("pixel counted from 1", "off|one", lambda p, k, o: right("region_q")((p[0] + 1, p[1] + 1), k, o)),
        ("only the first", "shape", lambda p, k, o: right("region_q")(p, k, o)[0]),
        ("kernel one smaller", "smaller|off|one", lambda p, k, o: right("region_q")(p, (k[0] - 1, k[1] - 1), o)),
    ),
    sheet(
        "kernel_gradient",
        ("first row of δ alone", "first", lambda x, d: valid(x, np.vstack([d[:1], np.zeros_like(d[1:])]))),
        ("mean over the rows of δ", "divided|mean", lambda x, d: valid(x, d) / len(d)),
        ("signs of δ", "sign", lambda x, d: valid(x, np.sign(d))),
        ("times ten", "10 times", lambda x, d: 10 * valid(x, d)),
    ),
    sheet(
        "bias_gradient",
        ("squares", "square", lambda d: (d**2).sum((0, 1, 2))),
        ("last column alone", "last", lambda d: d[:, :, -1].sum((0, 1))),
        ("negative part cut", "negative", lambda d: np.maximum(d, 0).sum((0, 1, 2))),
        ("median", "—", lambda d: np.median(d, (0, 1, 2))),
    ),
    sheet(
        "descent_step",
        ("largest entry of the gradient for all", "largest", lambda w, g, r: w - r * g.max()),
        ("absolute gradient", "absolute", lambda w, g, r: w - r * np.abs(g)),
        ("weights normalised after", "norm", lambda w, g, r: (w - r * g) / np.linalg.norm(w - r * g)),
        ("halved rate", "half", lambda w, g, r: w - r / 2 * g),
    ),
    sheet(
        "output_delta",
        ("exp(−x) as the slope", "exp", lambda x, t: (sigmoid(x) - t) * np.exp(-x)),
        ("targets rounded", "rounded", lambda x, t: (sigmoid(x) - np.round(t)) * sigmoid(x) * (1 - sigmoid(x))),
        ("times x", "pre_activation|x", lambda x, t: (sigmoid(x) - t) * sigmoid(x) * (1 - sigmoid(x)) * x),
        ("tanh as the activation", "tanh", lambda x, t: (np.tanh(x) - t) * tanh_slope(x)),
    ),
    sheet(
        "relu_delta",
        ("slope 2", "2 times", lambda d, x: 2 * d * (x > 0)),
        ("mask shifted by a row", "moved", lambda d, x: d * (np.roll(x, 1, 0) > 0)),
        ("δ plus the mask", r"\+|plus|added", lambda d, x: d + (x > 0)),
        ("δ kept where x is negative, sign turned", "sign", lambda d, x: np.where(x > 0, d, -d)),
    ),
    sheet(
        "delta_recursion",
        ("x shifted", "moved", lambda d, w, x: convolve2d(d, w) * tanh_slope(np.roll(x, 1, 1))),
        ("slope of half of x", "half", lambda d, w, x: convolve2d(d, w) * tanh_slope(x / 2)),
        ("sum for each δ alike", "sum|mean", lambda d, w, x: convolve2d(np.full(d.shape, d.sum()), w) * tanh_slope(x)),
        ("w cut off below 0", "negative", lambda d, w, x: convolve2d(d, np.maximum(w, 0)) * tanh_slope(x)),
    ),
    sheet(
        "two_layer_question",
        ("target with the other sign", "target|sign", lambda i, a, b, y: right("two_layer_question")(i, a, b, -y)),
        ("w¹ halved", "half", lambda i, a, b, y: right("two_layer_question")(i, a / 2, b, y)),
        ("4 for 2", "twice", lambda i, a, b, y: 2 * right("two_layer_question")(i, a, b, y)),
        ("normalised", "norm", lambda i, a, b, y: valid(i, b) / np.linalg.norm(valid(i, b))),
    ),
    sheet(
        "max_routing",
        ("inputs negated", "smallest|−inputs", lambda x, d, k, s: right("max_routing")(-x, d, k, s)),
        ("inputs rounded", "rounded|integers|—", lambda x, d, k, s: right("max_routing")(np.round(x), d, k, s)),
        ("δ cut below 0", "negative", lambda x, d, k, s: right("max_routing")(x, np.maximum(d, 0), k, s)),
        ("divided by the window", "0.1667 times", lambda x, d, k, s: right("max_routing")(x, d, k, s) / (k[0] * k[1])),
    ),
    sheet(
        "average_routing",
        ("δ shifted", "moved", lambda d, n, k, s: right("average_routing")(np.roll(d, 1, 0), n, k, s)),
        ("H and W exchanged", "exchang", lambda d, n, k, s: right("average_routing")(d, n[::-1], k, s)),
        ("δ halved", "0.5|half", lambda d, n, k, s: right("average_routing")(d / 2, n, k, s)),
    ),
    sheet(
        "l2_routing",
        ("δ normalised", "norm", lambda x, d, k, s: right("l2_routing")(x, d / np.linalg.norm(d), k, s)),
        ("x cut below 0", "negative", lambda x, d, k, s: right("l2_routing")(np.maximum(x, 0), d, k, s)),
        ("times x once more", "share of the square", lambda x, d, k, s: right("l2_routing")(x, d, k, s) * x),
    ),
    sheet(
        "strided_input_gradient",
        ("p = 1 always", "1 for", lambda d, w, n, s, p: right("strided_input_gradient")(d, w, (n[0], n[1]), s, (1, 1))),
        ("δ mirrored", "axis", lambda d, w, n, s, p: right("strided_input_gradient")(d[::-1], w, n, s, p)),
        (
            "all w alike: mean",
            "mean",
            lambda d, w, n, s, p: right("strided_input_gradient")(d, np.full(w.shape, w.mean()), n, s, p),
        ),
    ),
    sheet(
        "multichannel_input_gradient",
        ("images in reverse", "axis 0", lambda d, w: right("multichannel_input_gradient")(d[::-1], w)),
        (
            "filters in reverse",
            "revers|channel|order",
            lambda d, w: right("multichannel_input_gradient")(d[..., ::-1], w),
        ),
        (
            "mean over the batch for all",
            "mean",
            lambda d, w: right("multichannel_input_gradient")(np.broadcast_to(d.mean(0), d.shape), w),
        ),
    ),
    sheet(
        "multichannel_kernel_gradient",
        (
            "first channel for all",
            "first",
            lambda x, d: right("multichannel_kernel_gradient")(np.broadcast_to(x[..., :1], x.shape), d),
        ),
        ("signs", "sign", lambda x, d: np.sign(right("multichannel_kernel_gradient")(x, d))),
        ("rows mirrored", "axis|flip|revers|order", lambda x, d: right("multichannel_kernel_gradient")(x[:, ::-1], d)),
    ),
]
