"""The gradient for the input of a layer with stride and padding."""

from functools import partial

import numpy as np

from convbp import loops
from convbp.convolution import convolve, rot180
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import mistake
from convbp.exercises.themes.arrays import random, sevenths
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    as_it_is,
    full,
    in_corner,
    kernel_transposed,
    mean_for_sum,
    mirrored,
    one_axis_missing,
    only,
    opposite_sign,
    overwritten,
    product_of_sums,
    transposed,
    turned,
)
from convbp.sums import symbols

STRIDE = "notebook 10, stride"
FILL_FIRST = (
    "First fill up to the padded input, of (H + 2·p1, W + 2·p2); then take p off on each side. In PyTorch: "
    "output_padding = (H + 2·p − window) mod s, with window = dilation·(k − 1) + 1."
)


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
    fill=as_it_is,
):
    padded_size = [n + 2 * p for n, p in zip(input_size, padding, strict=True)]
    return fill(crop(place(slide(spread(delta, stride), kernel), padded_size), padding), input_size)


def _folded(padded, padding, both_sides):
    """What lies outside comes in at the other side; if not on both sides, only what lies before the first pixel."""
    size = [n - 2 * p for n, p in zip(padded.shape, padding, strict=True)]
    inputs = np.zeros(size)
    for index, value in np.ndenumerate(padded):
        place = [i - p for i, p in zip(index, padding, strict=True)]
        if both_sides or all(i < n for i, n in zip(place, size, strict=True)):
            inputs[tuple(i % n for i, n in zip(place, size, strict=True))] += value
    return inputs


def _overwritten_with_stride(backwards):
    def result(r, a):
        padded_size = [n + 2 * p for n, p in zip(a.input_size, a.padding, strict=True)]
        return _without_padding(overwritten(a.delta, a.kernel, a.stride, padded_size, backwards), a.padding)

    return result


def _trace_strided(delta, kernel, input_size, stride, padding):
    layer = symbols("δ", delta)[None, :, :, None], symbols("w", kernel)[:, :, None, None]
    return loops.conv2d_input_gradient(*layer, input_size, stride=stride, padding=padding)[0, :, :, 0]


def _strided_by_scattering(delta, kernel, input_size, stride, padding):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    (H, W), (s1, s2), (p1, p2) = input_size, stride, padding
    gradient = np.zeros((H, W))
    for i in range(rows):
        for j in range(columns):
            for m in range(k1):
                for n in range(k2):
                    row, column = s1 * i + m - p1, s2 * j + n - p2
                    if 0 <= row < H and 0 <= column < W:
                        gradient[row, column] += delta[i, j] * kernel[m, n]
    return gradient


def _strided_by_copies(delta, kernel, input_size, stride, padding):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    (H, W), (s1, s2), (p1, p2) = input_size, stride, padding
    padded = np.zeros((H + 2 * p1, W + 2 * p2))
    for i in range(rows):
        for j in range(columns):
            padded[s1 * i : s1 * i + k1, s2 * j : s2 * j + k2] += delta[i, j] * kernel
    return padded[p1 : p1 + H, p2 : p2 + W]


@exercise(
    task="How the error depends on each input, if the kernel moves by a stride over a padded input.",
    takes={
        "delta": "δ of the output, shape (H', W')",
        "kernel": "w, shape (k1, k2)",
        "input_size": "(H, W), without padding",
        "stride": "(s1, s2)",
        "padding": "(p1, p2), rows and columns of zeros on each side",
    },
    returns="an array of shape (H, W); what no window covers gets 0",
    equation="Eq. 20 without f′, with stride and padding",
    axes=("row", "column"),
    inputs=[
        {"delta": made(s, *outputs), "kernel": made(s + 1, *k), "input_size": n, "stride": t, "padding": p}
        for made, s, n, k, t, p, outputs in [
            (random, 70, (6, 8), (3, 2), (2, 3), (0, 1), (2, 3)),
            (random, 40, (6, 8), (3, 2), (2, 3), (2, 1), (4, 3)),
            (random, 42, (7, 6), (2, 3), (3, 2), (1, 2), (3, 4)),
            (random, 44, (8, 5), (3, 4), (2, 1), (1, 2), (4, 6)),
            (random, 46, (9, 6), (3, 2), (2, 3), (1, 0), (5, 2)),
            (random, 48, (6, 9), (2, 3), (1, 2), (0, 0), (5, 4)),  # stride 1 in the rows, an exact fit in the columns
            (sevenths, 70, (6, 8), (3, 2), (2, 3), (0, 1), (2, 3)),
            (sevenths, 74, (1, 4), (5, 1), (1, 1), (3, 3), (3, 10)),  # more padding than input
            (sevenths, 76, (4, 1), (1, 5), (1, 1), (3, 3), (10, 3)),
            (sevenths, 78, (4, 3), (3, 2), (12, 7), (5, 5), (1, 2)),  # few outputs
            (sevenths, 80, (5, 1), (3, 1), (1, 1), (0, 0), (3, 1)),  # one column
            (sevenths, 82, (1, 5), (1, 3), (1, 1), (0, 0), (1, 3)),  # one row
            (sevenths, 72, (4, 3), (1, 2), (2, 1), (1, 0), (3, 2)),
        ]
    ],
    hints=(
        "Neighbours in δ come from windows s pixels apart: put s - 1 zeros between them.",
        "Then it is as with stride 1: the full convolution with w.",
        "That covers the padded input, up to where the last window ends. Put it into zeros of (H + 2·p1, W + 2·p2), "
        "and take the padding off.",
    ),
    trace=_trace_strided,
    compute=_strided_input_gradient,
    programs=(
        _strided_by_scattering,
        _strided_by_copies,
    ),
    mistakes=[
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
            {"spread": _not_spread, "place": as_it_is},
        ),
        mistake(
            "stride kept in the backward pass",
            "You moved the kernel by the stride in the backward pass as well.",
            "The stride leaves out places; on the way back every pixel needs its number: zeros between the δ, "
            "stride 1.",
            STRIDE,
            {"result": lambda r, a: full(a.delta, a.kernel)[:: a.stride[0], :: a.stride[1]]},
            {
                "result": lambda r, a: full(_with_zeros_between(a.delta, a.stride), a.kernel)[
                    :: a.stride[0], :: a.stride[1]
                ]
            },
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
                "place": as_it_is,
            },
        ),
        mistake(
            "padding not removed",
            "You did not take the padding off: your result is that of the padded input.",
            "The padding is no part of the input: take its p rows and columns off, on each side.",
            "notebook 10, padding",
            crop=as_it_is,
        ),
        mistake(
            "padding added for removed",
            "You put zeros around your result, where rows and columns are to be cut off.",
            "Forward the padding is put around the input; backward what belongs to it is left out.",
            "notebook 10, padding",
            {"crop": lambda padded, p: np.pad(padded, [(n, n) for n in p])},
            {"crop": lambda padded, p: np.pad(padded[: -2 * p[0] or None, : -2 * p[1] or None], [(n, n) for n in p])},
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
            "You took all of the padding off on one side, as one does who puts the windows where they were without it.",
            "The padding lies around the input: p rows and columns come off on each side.",
            "notebook 10, padding",
            {"crop": lambda padded, padding: padded[: -2 * padding[0] or None, : -2 * padding[1] or None]},
            {"crop": lambda padded, padding: padded[2 * padding[0] :, 2 * padding[1] :]},
        ),
        mistake(
            "cut before filled",
            "You took the padding off before the pixels that no window covers were put in.",
            FILL_FIRST,
            "notebook 10, padding",
            place=as_it_is,
            fill=in_corner,
        ),
        mistake(
            "wrapped around the border",
            "You let what belongs to the padding go to the other side of the input, as Python's negative indices do.",
            "Outside the input is only padding, whose gradient is not asked for: leave it out.",
            "notebook 10, padding",
            {"crop": partial(_folded, both_sides=True)},
            {"crop": partial(_folded, both_sides=False)},
        ),
        mistake(
            "padding of zero cut as -0",
            "You cut with a slice that ends at -p: where p is 0 it ends at -0, which is the start, and nothing "
            "is left.",
            "Let the slice end at p + H (and p + W), which is right for p = 0, too.",
            "notebook 10, padding",
            crop=lambda padded, padding: padded[padding[0] : -padding[0], padding[1] : -padding[1]],
        ),
        mistake(
            "uncovered pixels left out",
            "Your result ends too early: the rows and columns that the windows leave over are missing.",
            "Pixels that no window covers are still pixels of the input: they get 0. " + FILL_FIRST,
            STRIDE,
            place=as_it_is,
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
            "A pixel in several windows gets a part from each, and they add up: +=." + AT_REPEATED_PLACES,
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
            "notebook 16, the worked question",
            slide=product_of_sums(full),
        ),
        mean_for_sum(lambda a: a.kernel.size, "the k₁·k₂ products", STRIDE),
        turned(STRIDE, "Only w is turned, not what comes out."),
        transposed(STRIDE),
        mirrored(STRIDE),
        opposite_sign(STRIDE),
    ],
)
def strided_input_gradient(delta, kernel, input_size, stride, padding):
    rows, columns = delta.shape
    (H, W), (s1, s2), (p1, p2) = input_size, stride, padding
    gradient = np.zeros((H + 2 * p1, W + 2 * p2))
    spread = np.zeros((s1 * (rows - 1) + 1, s2 * (columns - 1) + 1))
    spread[::s1, ::s2] = delta
    covered = convolve(spread, kernel, mode="full")
    gradient[: covered.shape[0], : covered.shape[1]] = covered
    return gradient[p1 : p1 + H, p2 : p2 + W]
