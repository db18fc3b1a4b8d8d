"""Sliding a kernel over an image: cross-correlation, convolution, the turn by 180°, valid and full."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from convbp import loops
from convbp.convolution import convolve, cross_correlate
from convbp.convolution import rot180 as half_turn
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import Misconception, mistake
from convbp.exercises.themes import arrays
from convbp.exercises.themes.arrays import random, sevenths
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    TO_THE_SAME_SIZE,
    after,
    around,
    before,
    columns_reversed,
    cut_from_larger,
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
    padded,
    product_of_sums,
    rows_reversed,
    same_for_valid,
    sums_one_short,
    transposed,
    turned,
)
from convbp.sums import symbols

EQ1 = "notebook 01, Eq. 1"
EQ2 = "notebook 02, Eq. 2"
EQ3 = "notebook 02, Eq. 2 and 3"
ROT180 = "notebook 02, why there is a turn by 180°"
FULL = "notebook 02, valid and full"


def _first_of_full(mode):
    """The convolution from entry (0, 0) on, as large as the valid one; ``mode`` says what is read outside."""

    def slid(image, kernel):
        rows, columns = np.subtract(image.shape, kernel.shape) + 1
        return padded(before, convolve, mode)(image, kernel)[:rows, :columns]

    return slid


def _sums(slide, last_product, where: str) -> list[Misconception]:
    return [
        *mean_for_sum(
            lambda a: a.kernel.size,
            "the k₁·k₂ products",
            where,
            "The products are added; nothing divides by their number.",
        ),
        *mistake(
            "product of sums for sum of products",
            "You multiplied the sum of the window with the sum of the kernel.",
            "Each pixel is multiplied with its own weight first, and then the products are added.",
            where,
            slide=product_of_sums(slide),
        ),
        *mistake(
            "kernel missing",
            "You added up the numbers under the kernel, without its weights.",
            "Each number is multiplied with its own weight first, and then the products are added.",
            where,
            kernel=np.ones_like,
        ),
        *mistake(
            "= for +=",
            "Only one product is left in each entry: the last one replaced those before it.",
            "The products add up: +=, with the sum starting from 0 for each entry." + AT_REPEATED_PLACES,
            where,
            *last_product,
        ),
    ]


def _windows_with(pool):
    def slid(image, kernel):
        windows = sliding_window_view(image, kernel.shape)
        return pool(windows, kernel)

    return slid


_OTHER_MATCHES: dict[str, Callable] = {
    "the sum of the squared differences in the place of the sum of the products": _windows_with(
        lambda windows, kernel: ((windows - kernel) ** 2).sum((2, 3))
    ),
    "the sum of the absolute differences in the place of the sum of the products": _windows_with(
        lambda windows, kernel: np.abs(windows - kernel).sum((2, 3))
    ),
    "the largest product in the place of their sum": _windows_with(
        lambda windows, kernel: (windows * kernel).max((2, 3))
    ),
    "each window divided by its norm": _windows_with(
        lambda windows, kernel: (windows * kernel).sum((2, 3)) / np.sqrt((windows**2).sum((2, 3)))
    ),
    "each window less its mean": _windows_with(
        lambda windows, kernel: ((windows - windows.mean((2, 3), keepdims=True)) * kernel).sum((2, 3))
    ),
}


def _flat(image, kernel):
    return np.convolve(image.ravel(), kernel.ravel())


_ONE_DIMENSIONAL: dict[str, Callable] = {
    "both arrays in one row, as np.convolve(image.ravel(), kernel.ravel()) has them": _flat,
    "both arrays in one row, and what np.convolve gives brought into the shape": lambda image, kernel: np.resize(
        _flat(image, kernel), np.add(image.shape, kernel.shape) - 1
    ),
}


def _trace_cross_correlation(image, kernel):
    return loops.cross_correlate(symbols("I", image), symbols("K", kernel))


def _trace_convolution(image, kernel):
    return loops.convolve(symbols("I", image), symbols("K", kernel))


def _trace_full(image, kernel):
    return loops.convolve(symbols("I", image), symbols("K", kernel), mode="full")


def _correlated_by_slices(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            result[i, j] = np.sum(image[i : i + k1, j : j + k2] * kernel)
    return result


def _correlated_by_weights(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for m in range(k1):
        for n in range(k2):
            result += image[m : m + H - k1 + 1, n : n + W - k2 + 1] * kernel[m, n]
    return result


@exercise(
    task="The cross-correlation I ⊗ K where the kernel lies inside the image (valid).",
    takes={"image": "the image I, shape (H, W)", "kernel": "the kernel K, shape (k1, k2)"},
    returns="an array of shape (H - k1 + 1, W - k2 + 1)",
    equation="Eq. 1",
    axes=("row", "column"),
    inputs=[
        {"image": arrays.IMAGE, "kernel": arrays.KERNEL},
        {"image": sevenths(101, 4, 5), "kernel": sevenths(102, 2, 3)},
        {"image": random(1, 6, 4), "kernel": random(2, 3, 2)},
        {"image": random(3, 5, 8), "kernel": random(4, 2, 4)},
        {"image": sevenths(115, 1, 4), "kernel": sevenths(116, 1, 3)},
        {"image": sevenths(103, 3, 4), "kernel": sevenths(104, 2, 1)},
    ],
    hints=(
        "How often does the kernel fit? H - k1 + 1 times from top to bottom: that is the number of rows.",
        "For each place (i, j) two more loops walk over the kernel's entries m and n.",
        "Start each sum at 0 and add image[i + m, j + n] * kernel[m, n].",
    ),
    trace=_trace_cross_correlation,
    compute=lambda image, kernel, *, slide=cross_correlate: slide(image, kernel),
    programs=(
        _correlated_by_slices,
        _correlated_by_weights,
    ),
    instead={"slide": cut_from_larger(cross_correlate) | _OTHER_MATCHES},
    mistakes=[
        mistake(
            "kernel flipped",
            "You turned the kernel by 180°, which gives the convolution of Eq. 2.",
            "Eq. 1 reads image and kernel in the same direction: I(i + m, j + n) meets K(m, n).",
            "notebook 01, Eq. 1, and notebook 02, Eq. 2",
            kernel=half_turn,
        ),
        one_axis_too_many("kernel", "the kernel", "Eq. 1 reads the kernel as it is, along both axes.", EQ1),
        kernel_transposed(EQ1),
        mistake(
            "full for valid",
            "You let the kernel stand over the border: that is the full result.",
            "Asked for is the valid one, where the kernel lies inside, in (H − k₁ + 1)·(W − k₂ + 1) places.",
            EQ1,
            slide=lambda image, kernel: cross_correlate(image, kernel, mode="full"),
        ),
        same_for_valid(cross_correlate, "the image", EQ1),
        mistake(
            "wrapped around the border",
            "Past the border you went on at the other side of the image.",
            "Outside an array there is zero, never its other end; and in the valid mode nothing outside is read.",
            EQ1,
            {"slide": padded(after, cross_correlate, "wrap")},
            {"slide": padded(before, cross_correlate, "wrap")},
        ),
        mistake(
            "last row and column left out",
            "Your result ends one row and one column too early.",
            "The kernel fits in H − k₁ + 1 rows and W − k₂ + 1 columns: the + 1 is easily forgotten.",
            EQ1,
            result=lambda r, a: r[:-1, :-1],
        ),
        mistake(
            "one row and column too many",
            "Your result goes on one row and one column too far, where the kernel stands over the border.",
            "The kernel fits in H − k₁ + 1 rows and W − k₂ + 1 columns.",
            EQ1,
            result=lambda r, a: cross_correlate(np.pad(a.image, ((0, 1), (0, 1))), a.kernel),
        ),
        mistake(
            "window moved by one",
            "Your windows lie one row and one column further than they should.",
            "With indices from 0 the window of entry (i, j) starts at the pixel (i, j).",
            EQ1,
            {"image": lambda image: np.pad(image, ((0, 1), (0, 1)))[1:, 1:]},
            {"image": lambda image: np.pad(image, ((1, 0), (1, 0)))[:-1, :-1]},
        ),
        mistake(
            "windows side by side",
            "You moved the kernel by its own size, as pooling does.",
            "It moves by one pixel, and windows overlap.",
            EQ1,
            result=lambda r, a: r[:: a.kernel.shape[0], :: a.kernel.shape[1]],
        ),
        mistake(
            "diagonal of the kernel only",
            "You used the entries K(m, m) only: one index walked where there are two.",
            "The two sums are independent: each m meets each n.",
            EQ1,
            kernel=lambda kernel: kernel * np.eye(*kernel.shape),
        ),
        sums_one_short("kernel", "the kernel", EQ1),
        mistake(
            "matrix product",
            "You took the matrix product, @ or dot, of window and kernel, with one of them transposed so that it fits.",
            "Each pixel is multiplied with the one weight that lies on it: entry by entry, window * kernel.",
            EQ1,
            {"kernel": lambda kernel: np.broadcast_to(kernel.sum(axis=0), kernel.shape)},
            {"kernel": lambda kernel: np.broadcast_to(kernel.sum(axis=1, keepdims=True), kernel.shape)},
        ),
        mistake(
            "image read backwards",
            "You read the image backwards, I(i − m, j − n), from entry (0, 0) on: up and to the left, over the border.",
            "Eq. 1 has plus signs: the pixel I(i + m, j + n) meets K(m, n), and then no index leaves the image.",
            EQ1,
            {"slide": _first_of_full("wrap")},
            {"slide": _first_of_full("constant")},
        ),
        _sums(cross_correlate, [{"kernel": lambda kernel: only(kernel, -1, -1)}], EQ1),
        turned(
            EQ1,
            "That is what turning both of them gives, and exchanging the two, as in correlate2d(kernel, image): Eq. 1 "
            "does neither.",
        ),
        mistake(
            "image flipped",
            "You turned the image by 180°.",
            "Eq. 1 reads image and kernel in the same direction.",
            EQ1,
            image=half_turn,
        ),
        transposed(EQ1),
        mirrored(EQ1),
        opposite_sign(EQ1),
    ],
)
def cross_correlation(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    result[i, j] += image[i + m, j + n] * kernel[m, n]
    return result


def _convolved_by_slices(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    turned = kernel[::-1, ::-1]
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            result[i, j] = np.sum(image[i : i + k1, j : j + k2] * turned)
    return result


def _convolved_in_loops(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    result[i, j] += image[i + m, j + n] * kernel[k1 - 1 - m, k2 - 1 - n]
    return result


@exercise(
    task="The convolution I ∗ K where nothing outside the image is read (valid).",
    takes={"image": "the image I, shape (H, W)", "kernel": "the kernel K, shape (k1, k2)"},
    returns="an array of shape (H - k1 + 1, W - k2 + 1); its first entry is Eq. 2 at i = k1 - 1, j = k2 - 1",
    equation="Eq. 2",
    axes=("row", "column"),
    inputs=[
        {"image": arrays.IMAGE, "kernel": arrays.KERNEL},
        {"image": sevenths(105, 4, 5), "kernel": sevenths(106, 2, 3)},
        {"image": random(5, 6, 4), "kernel": random(6, 3, 2)},
        {"image": random(7, 5, 8), "kernel": random(8, 2, 4)},
        {"image": random(80, 6, 5), "kernel": random(81, 1, 3)},  # k1 − 1 is 0, and so is −0 as the end of a slice
        {"image": sevenths(117, 1, 4), "kernel": sevenths(118, 1, 2)},
        {"image": sevenths(107, 3, 4), "kernel": sevenths(108, 2, 1)},
    ],
    hints=(
        "Eq. 2 has minus signs: I(i - m, j - n) meets K(m, n).",
        "The smallest i for which no index is negative is k1 - 1.",
        "Or turn the kernel by 180°, kernel[::-1, ::-1], and cross-correlate.",
    ),
    trace=_trace_convolution,
    compute=lambda image, kernel, *, slide=convolve: slide(image, kernel),
    programs=(
        _convolved_by_slices,
        _convolved_in_loops,
    ),
    instead={"slide": cut_from_larger(convolve)},
    mistakes=[
        mistake(
            "flip missing",
            "You did not turn the kernel, or turned it twice: that is the cross-correlation of Eq. 1.",
            "In Eq. 2 the pixel I(i − m, j − n) meets K(m, n): along both axes one of the two is read backwards.",
            EQ2,
            kernel=half_turn,
        ),
        one_axis_missing("the kernel", "the image", EQ2),
        kernel_transposed(EQ2),
        mistake(
            "result flipped for kernel",
            "You turned the whole result, rot180(I ⊗ K), as Eq. 21 does in notebook 08, or the image: "
            "rot180(I) ∗ K is the same.",
            "Only the kernel is turned, not what comes out: I ⊗ rot180(K).",
            EQ2,
            result=lambda r, a: half_turn(cross_correlate(a.image, a.kernel)),
        ),
        mistake(
            "image flipped for kernel",
            "You turned the image in the place of the kernel, and your result is the right one turned by 180°.",
            "It does not matter which of the two is turned only if the result is turned back.",
            EQ2,
            result=lambda r, a: half_turn(r),
        ),
        mistake(
            "full for valid",
            "You let the kernel stand over the border: that is the full convolution.",
            "Asked for is its valid part, k₁ − 1 ≤ i < H and k₂ − 1 ≤ j < W, where nothing outside is read.",
            EQ2,
            slide=full,
        ),
        same_for_valid(convolve, "the image", EQ2),
        mistake(
            "valid part off by k − 1",
            "You began Eq. 2 at i = 0, j = 0, where it reads zeros outside the image.",
            "Its valid part begins at i = k₁ − 1, j = k₂ − 1.",
            EQ2,
            slide=_first_of_full("constant"),
        ),
        mistake(
            "wrapped around the border",
            "Past the border you went on at the other side of the image, as Python's negative indices do.",
            "In Eq. 2 a negative index means outside, where there is zero; the valid part reads none.",
            "notebook 02, where do negative indices go",
            {"slide": padded(before, convolve, "wrap")},
            {"slide": padded(after, convolve, "wrap")},
            {"slide": _first_of_full("wrap")},
        ),
        mistake(
            "Eq. 3 as printed",
            "You took Eq. 3 with its printed limits, 0 … k − 1: K(−m, −n) is then outside the kernel but for m "
            "= n = 0.",
            "Eq. 3 holds with the limits −(k₁ − 1) … 0 and −(k₂ − 1) … 0.",
            EQ3,
            {"result": lambda r, a: a.image * a.kernel[0, 0]},
            {"result": lambda r, a: in_corner(a.image * a.kernel[0, 0], r.shape)},
            {"result": lambda r, a: in_corner(a.image * a.kernel[0, 0], r.shape, end=True)},
        ),
        mistake(
            "Eq. 3 with Python's negative indices",
            "You took Eq. 3 as printed, and Python read K[-m, -n] from the end of the kernel.",
            "K(−m, −n) with m > 0 is outside the kernel; the turned kernel is K[k1 - 1 - m, k2 - 1 - n].",
            EQ3,
            slide=lambda image, kernel: cross_correlate(image, np.roll(half_turn(kernel), 1, (0, 1))),
        ),
        mistake(
            "last row and column left out",
            "Your result ends one row and one column too early.",
            "The kernel fits in H − k₁ + 1 rows and W − k₂ + 1 columns: the + 1 is easily forgotten.",
            EQ2,
            result=lambda r, a: r[:-1, :-1],
        ),
        sums_one_short("kernel", "the kernel", EQ2),
        _sums(convolve, [{"kernel": lambda kernel: only(kernel, -1, -1)}], EQ2),
        transposed(EQ2),
        mirrored(EQ2),
        opposite_sign(EQ2),
    ],
)
def convolution(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(k1 - 1, H):
        for j in range(k2 - 1, W):
            for m in range(k1):
                for n in range(k2):
                    result[i - k1 + 1, j - k2 + 1] += image[i - m, j - n] * kernel[m, n]
    return result


def _turned_in_loops(kernel):
    k1, k2 = kernel.shape
    result = np.zeros((k1, k2))
    for m in range(k1):
        for n in range(k2):
            result[m, n] = kernel[k1 - 1 - m, k2 - 1 - n]
    return result


def _turned_in_a_copy(kernel):
    k1, k2 = kernel.shape
    result = kernel.copy()
    for m in range(k1):
        for n in range(k2):
            result[m, n] = kernel[k1 - 1 - m, k2 - 1 - n]
    return result


def _turned_by_exchanges(kernel):
    k1, k2 = kernel.shape
    result = kernel.copy()
    for m in range((k1 + 1) // 2):
        for n in range(k2):
            result[m, n] = kernel[k1 - 1 - m, k2 - 1 - n]
            result[k1 - 1 - m, k2 - 1 - n] = kernel[m, n]
    return result


@exercise(
    task="The kernel turned by 180°.",
    takes={"kernel": "shape (k1, k2)"},
    returns="an array of shape (k1, k2)",
    equation="notebook 02, from Eq. 2",
    axes=("row", "column"),
    inputs=[
        {"kernel": np.array([[1, 2, -1], [4, 3, -2]])},
        {"kernel": np.array([[3, 1], [-1, 4], [2, 5]])},
        {"kernel": random(9, 3, 4)},
        {"kernel": sevenths(109, 2, 3)},
        {"kernel": sevenths(119, 1, 4)},
        {"kernel": sevenths(110, 3, 1)},
    ],
    hints=(
        "A turn by 180° is two reflections: top to bottom, and left to right.",
        "The entry (m, n) comes from (k1 - 1 - m, k2 - 1 - n). A slice with step -1 reverses an axis.",
    ),
    trace=lambda kernel: loops.rot180(symbols("K", kernel)),
    compute=lambda kernel, *, turn=half_turn: turn(kernel),
    programs=(_turned_in_loops, _turned_in_a_copy, _turned_by_exchanges),
    mistakes=[
        mistake(
            "not turned",
            "Your result is the kernel as it came.",
            "A turn by 180° reverses the order of the rows and of the columns.",
            ROT180,
            turn=np.asarray,
        ),
        mistake(
            "only the rows flipped",
            "You reversed the order of the rows, but not that of the columns: a reflection, not a turn.",
            "A turn by 180° is two reflections, one after the other.",
            ROT180,
            turn=rows_reversed,
        ),
        mistake(
            "only the columns flipped",
            "You reversed the order of the columns, but not that of the rows: a reflection, not a turn.",
            "A turn by 180° is two reflections, one after the other.",
            ROT180,
            turn=columns_reversed,
        ),
        mistake(
            "transposed",
            "You exchanged rows and columns.",
            "A turn by 180° keeps the shape: the entry (m, n) goes to (k₁ − 1 − m, k₂ − 1 − n).",
            ROT180,
            {"turn": np.transpose},
            {"turn": lambda kernel: half_turn(kernel).T},
        ),
        mistake(
            "turned by 90°",
            "You turned by 90°, once.",
            "A turn by 180° is two turns by 90°: np.rot90(kernel, 2).",
            ROT180,
            {"turn": np.rot90},
            {"turn": lambda kernel: np.rot90(kernel, -1)},
        ),
        mistake(
            "off by one",
            "You read K[-m, -n], which leaves the first row and column where they are.",
            "Counting from 0, the entry opposite of (m, n) is (k₁ − 1 − m, k₂ − 1 − n).",
            ROT180,
            turn=lambda kernel: np.roll(half_turn(kernel), 1, (0, 1)),
        ),
        mistake(
            "sorted for reversed",
            "You sorted the entries.",
            "A turn reverses their order, whatever their values.",
            ROT180,
            {"turn": lambda kernel: np.sort(kernel.ravel())[::-1].reshape(kernel.shape)},
            {"turn": lambda kernel: np.sort(kernel.ravel()).reshape(kernel.shape)},
        ),
        opposite_sign(ROT180),
    ],
)
def rot180(kernel):
    return kernel[::-1, ::-1]


def _with_transpose(slide, image, kernel):
    return slide(image, kernel.T)


def _wrapped_before(image, kernel):
    return np.pad(image, [(k - 1, 0) for k in kernel.shape], mode="wrap")


def _full_by_scattering(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H + k1 - 1, W + k2 - 1))
    for i in range(H):
        for j in range(W):
            for m in range(k1):
                for n in range(k2):
                    result[i + m, j + n] += image[i, j] * kernel[m, n]
    return result


def _full_by_gathering(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H + k1 - 1, W + k2 - 1))
    for i in range(H + k1 - 1):
        for j in range(W + k2 - 1):
            for m in range(k1):
                for n in range(k2):
                    if 0 <= i - m < H and 0 <= j - n < W:
                        result[i, j] += image[i - m, j - n] * kernel[m, n]
    return result


def _full_by_copies(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H + k1 - 1, W + k2 - 1))
    for i in range(H):
        for j in range(W):
            result[i : i + k1, j : j + k2] += image[i, j] * kernel
    return result


def _full_of_padded(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    padded = np.zeros((H + 2 * (k1 - 1), W + 2 * (k2 - 1)))
    padded[k1 - 1 : k1 - 1 + H, k2 - 1 : k2 - 1 + W] = image
    turned = kernel[::-1, ::-1]
    result = np.zeros((H + k1 - 1, W + k2 - 1))
    for i in range(H + k1 - 1):
        for j in range(W + k2 - 1):
            result[i, j] = np.sum(padded[i : i + k1, j : j + k2] * turned)
    return result


@exercise(
    task="The full convolution I ∗ K: all places where the kernel touches the image, with zeros outside.",
    takes={"image": "the image I, shape (H, W)", "kernel": "the kernel K, shape (k1, k2)"},
    returns="an array of shape (H + k1 - 1, W + k2 - 1)",
    equation="notebook 02, Eq. 2; notebook 07 needs it for δ and w, as Eq. 17",
    axes=("row", "column"),
    inputs=[
        {"image": arrays.DELTA, "kernel": arrays.KERNEL},
        {"image": sevenths(111, 3, 4), "kernel": sevenths(112, 2, 3)},
        {"image": random(10, 3, 5), "kernel": random(11, 3, 2)},
        {"image": random(12, 4, 5), "kernel": random(13, 2, 4)},
        {"image": random(82, 6, 4), "kernel": random(83, 4, 2)},  # higher than wide
        {"image": sevenths(120, 1, 3), "kernel": sevenths(121, 3, 1)},
        {"image": sevenths(122, 2, 1), "kernel": sevenths(123, 3, 4)},
        {"image": sevenths(113, 2, 3), "kernel": sevenths(114, 1, 2)},
    ],
    hints=(
        "How large is it? The window may hang over each border by all but one row or column of the kernel.",
        "Eq. 2 reads the image backwards, and zero outside. As in notebook 02: pad the image on each side with k1 - 1 "
        "rows and k2 - 1 columns of zeros, and take the valid result with the kernel turned by 180°.",
        "Or without padding: each pixel (i, j) brings its own copy of the kernel. Add image[i, j] * kernel to "
        "result[i : i + k1, j : j + k2]. The same numbers.",
    ),
    trace=_trace_full,
    compute=lambda image, kernel, *, slide=full: slide(image, kernel),
    programs=(
        _full_by_scattering,
        _full_by_gathering,
        _full_by_copies,
        _full_of_padded,
    ),
    instead={"slide": _ONE_DIMENSIONAL},
    mistakes=[
        mistake(
            "flip missing",
            "You read image and kernel in the same direction, as Eq. 1 does, or turned the kernel once too often.",
            "Eq. 2 reads the image backwards, I(i − m, j − n): it is I ∗ K, or I ⊗ rot180(K).",
            "notebook 02, why there is a turn by 180°",
            kernel=half_turn,
        ),
        one_axis_missing("the kernel", "the image", FULL),
        kernel_transposed(
            FULL,
            "the kernel",
            # after the zeros were put around the image as the kernel itself needs them
            *[{"slide": padded(around, partial(_with_transpose, slide))} for slide in (cross_correlate, convolve)],
        ),
        sums_one_short("image", "the image", FULL),
        mistake(
            "Eq. 21 as printed",
            "You turned the whole result, rot180(I ⊗ K), as Eq. 21 does in notebook 08, or the image: "
            "rot180(I) ∗ K is the same.",
            "Only the kernel is turned, not what comes out: I ⊗ rot180(K).",
            "notebook 02, why there is a turn by 180°",
            result=lambda r, a: half_turn(full(a.image, half_turn(a.kernel))),
        ),
        turned(
            FULL, "You may have turned the image in the place of the kernel; then the result has to be turned back."
        ),
        mistake(
            "valid for full",
            "You kept the kernel inside the image: that is the valid convolution, and it makes the array smaller.",
            "Full makes it larger: as if the image had a border of zeros, k₁ − 1 rows and k₂ − 1 columns on each side.",
            FULL,
            slide=convolve,
        ),
        mistake(
            "same size for full",
            "Your result is as large as the image.",
            "The full result is larger, by k₁ − 1 rows and k₂ − 1 columns: all places where the kernel touches "
            "the image.",
            FULL,
            *[{"slide": padded(sides, convolve)} for sides in TO_THE_SAME_SIZE],
        ),
        mistake(
            "padding off by k − 1",
            "You put the wrong number of zeros around the image, or all of them on one side.",
            "The kernel has to reach k₁ − 1 rows and k₂ − 1 columns over the border, on each side.",
            FULL,
            {"slide": padded(lambda k: (k, k), convolve)},
            {"slide": padded(lambda k: (max(k - 2, 0),) * 2, convolve)},
            {"slide": padded(lambda k: (1, 1), convolve)},
            {"slide": padded(lambda k: (2 * (k - 1), 0), convolve)},
            {"slide": padded(lambda k: (0, 2 * (k - 1)), convolve)},
            {"slide": lambda image, kernel: convolve(np.pad(image, kernel.shape[0] - 1), kernel)},
            {"slide": lambda image, kernel: convolve(np.pad(image, kernel.shape[1] - 1), kernel)},
            {
                "slide": lambda image, kernel: convolve(
                    np.pad(image, [(kernel.shape[1] - 1,) * 2, (kernel.shape[0] - 1,) * 2]), kernel
                )
            },
        ),
        mistake(
            "wrapped around the border",
            "Past the border of the image you went on at its other side, as Python's negative indices do.",
            "Outside the image there is zero.",
            "notebook 02, where do negative indices go",
            {"slide": padded(around, convolve, "wrap")},
            {
                "slide": lambda image, kernel: convolve(
                    np.pad(_wrapped_before(image, kernel), [(0, k - 1) for k in kernel.shape]), kernel
                )
            },
            {"slide": padded(before, convolve, "wrap")},
        ),
        mistake(
            "border repeated",
            "You padded the image with copies of its border.",
            "Outside the image there is zero.",
            FULL,
            {"slide": padded(around, convolve, "edge")},
            {"slide": padded(around, convolve, "reflect")},
            {"slide": padded(around, convolve, "symmetric")},
        ),
        _sums(
            full,
            [
                {"kernel": lambda kernel: only(kernel, -1, -1)},
                {"kernel": lambda kernel: only(kernel, 0, 0)},
                {"slide": overwritten},
                {"slide": lambda image, kernel: overwritten(image, kernel, backwards=True)},
            ],
            FULL,
        ),
        transposed(FULL),
        mirrored(FULL),
        opposite_sign(FULL),
    ],
)
def full_convolution(image, kernel):
    k1, k2 = kernel.shape
    padded = np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    return cross_correlate(padded, kernel[::-1, ::-1])
