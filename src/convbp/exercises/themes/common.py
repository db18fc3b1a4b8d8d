"""Mistakes that can be made in more than one exercise, and the arithmetic that they need."""

from collections.abc import Callable, Mapping

import numpy as np

from convbp.convolution import convolve, rot180
from convbp.exercises.mistakes import Misconception, mistake


def rows_reversed(array):
    return array[::-1]


def columns_reversed(array):
    return array[:, ::-1]


def only(array, *index):
    """The array with zeros everywhere but at ``index``."""
    kept = np.zeros_like(array)
    kept[index] = array[index]
    return kept


def full(image, kernel):
    return convolve(image, kernel, mode="full")


def product_of_sums(slide):
    return lambda image, kernel: slide(image, np.ones_like(kernel)) * kernel.sum()


def as_it_is(array, size):
    """What leaves out a step that gives an array its size."""
    return array


def in_corner(array, size, end=False):
    """The array in the first (or last) corner of zeros of that size, cut off where it is larger."""
    flip = np.flip if end else np.asarray
    zeros, array = np.zeros(size), flip(array)
    inside = tuple(slice(min(n, m)) for n, m in zip(array.shape, size, strict=True))
    zeros[inside] = array[inside]
    return flip(zeros)


def overwritten(delta, kernel, stride=(1, 1), size=None, backwards=False):
    """Each δ spreads the kernel, and what comes last replaces what was there."""
    (k1, k2), (s1, s2) = kernel.shape, stride
    result = np.zeros(size or [s * (n - 1) + k for s, n, k in zip(stride, delta.shape, kernel.shape, strict=True)])
    places = list(np.ndindex(delta.shape))
    for i, j in reversed(places) if backwards else places:
        result[s1 * i : s1 * i + k1, s2 * j : s2 * j + k2] = delta[i, j] * kernel
    return result


# Larger results than the valid one


def padded(sides, slide, mode="constant"):
    """Slide valid over the image padded along each axis by ``sides(k)``, the widths before and after it."""

    def slid(image, kernel):
        return slide(np.pad(image, [sides(k) for k in kernel.shape], mode=mode), kernel)

    return slid


def before(k):
    return k - 1, 0


def after(k):
    return 0, k - 1


def around(k):
    return k - 1, k - 1


def half_before(k):
    return k // 2, (k - 1) // 2


TO_THE_SAME_SIZE = (before, after, lambda k: ((k - 1) // 2, k // 2), half_before)


def same_for_valid(slide, over: str, where: str, what: str = "the kernel") -> list[Misconception]:
    return mistake(
        "same size for valid",
        f"Your result is as large as {over}: {what} stood over its border, too.",
        f"In the valid mode {what} lies inside, and the result is smaller.",
        where,
        *[{"slide": padded(sides, slide)} for sides in TO_THE_SAME_SIZE],
    )


def cut_from_larger(slide) -> dict[str, Callable]:
    """What else is taken for the valid part."""

    def cut(sides):
        def slid(image, kernel):
            rows, columns = np.subtract(image.shape, kernel.shape) + 1
            return padded(sides, slide)(image, kernel)[:rows, :columns]

        return slid

    larger = {"of the image's size": lambda k: ((k - 1) // 2, k // 2), "that has the image's size": half_before}
    larger |= {"that is full": around}
    return {f"the first rows and columns of a result {which}": cut(sides) for which, sides in larger.items()}


# Mistakes about the whole result


def opposite_sign(where: str) -> list[Misconception]:
    return mistake(
        "opposite sign",
        "Every entry has the opposite sign.",
        "Somewhere one minus is too many or too few.",
        where,
        result=lambda r, a: -r,
    )


def transposed(where: str, rows: int = 0) -> list[Misconception]:
    """``rows`` is the axis of the rows; the columns are the next."""
    return mistake(
        "transposed",
        "Rows and columns of your result are exchanged.",
        "The first index counts rows (i, m), the second columns (j, n).",
        where,
        result=lambda r, a: np.swapaxes(r, rows, rows + 1),
    )


def turned(where: str, why: str) -> list[Misconception]:
    return mistake(
        "result turned by 180°",
        "Your result is the right one turned by 180°.",
        why,
        where,
        result=lambda r, a: r[::-1, ::-1],  # which may have NaN in it
    )


def mirrored(where: str) -> list[Misconception]:
    why = "No axis of the result is to be reversed; a turn by 180° would reverse both."
    return [
        *mistake(
            "result mirrored top to bottom",
            "The rows of your result are in reverse order.",
            why,
            where,
            result=lambda r, a: r[::-1],
        ),
        *mistake(
            "result mirrored left to right",
            "The columns of your result are in reverse order.",
            why,
            where,
            result=lambda r, a: r[:, ::-1],
        ),
    ]


def one_axis_too_many(array: str, symbol: str, why: str, where: str) -> list[Misconception]:
    """For what is not to be flipped at all."""
    return [
        *mistake(
            f"{array} flipped along the rows only",
            f"You reversed the order of the rows of {symbol}, and left its columns alone.",
            why,
            where,
            **{array: rows_reversed},
        ),
        *mistake(
            f"{array} flipped along the columns only",
            f"You reversed the order of the columns of {symbol}, and left its rows alone.",
            why,
            where,
            **{array: columns_reversed},
        ),
    ]


def one_axis_missing(symbol: str, over: str, where: str) -> list[Misconception]:
    """For a kernel that is to be turned by 180°: reversing one axis once more undoes it there.

    The same numbers come from a kernel that is spread, or convolved, with its other axis reversed.
    """
    why = "A turn by 180° reverses both axes, kernel[::-1, ::-1]; where ∗ does the turn, the kernel goes in as it is."
    return [
        *mistake(
            "only the rows flipped",
            f"Your result is that of {symbol} slid over {over} with its rows reversed, but not its columns.",
            why,
            where,
            kernel=columns_reversed,
        ),
        *mistake(
            "only the columns flipped",
            f"Your result is that of {symbol} slid over {over} with its columns reversed, but not its rows.",
            why,
            where,
            kernel=rows_reversed,
        ),
    ]


def sums_one_short(array: str, symbol: str, where: str) -> list[Misconception]:
    def without(*left_out):
        def change(values):
            values = values.copy()
            for index in left_out:
                values[index] = 0
            return values

        return {array: change}

    last, first = (-1, np.s_[:, -1]), (0, np.s_[:, 0])
    return mistake(
        "sums one short",
        f"Your sums leave out the first or the last row or column of {symbol}.",
        "range(n) goes from 0 to n − 1, which is every index; range(n - 1) and range(1, n) are one short.",
        where,
        *[without(*ends) for both in (last, first) for ends in (both, both[:1], both[1:])],
    )


def kernel_transposed(where: str, symbol: str = "the kernel", *more: Mapping) -> list[Misconception]:
    return [
        *mistake(
            "kernel transposed",
            f"You exchanged rows and columns of {symbol}.",
            "A turn by 180° keeps the shape k₁×k₂; a transpose makes it k₂×k₁.",
            where,
            {"kernel": np.transpose},
            {"kernel": lambda kernel: rot180(kernel.T)},
            *more,
        ),
        *mistake(
            "kernel turned by 90°",
            f"You turned {symbol} by 90°, as np.rot90(kernel) does.",
            "Two such turns make 180°: np.rot90(kernel, 2), or kernel[::-1, ::-1].",
            where,
            {"kernel": np.rot90},
            {"kernel": lambda kernel: np.rot90(kernel, -1)},
        ),
    ]


AT_REPEATED_PLACES = (
    " With arrays of indices, result[rows, columns] += …, a place that comes twice counts once: np.add.at counts both."
)


_ALONG_EACH_PATH = "The chain rule adds what comes along each path; nothing divides by their number."


def mean_for_sum(count, of: str, where: str, why: str = _ALONG_EACH_PATH) -> list[Misconception]:
    return mistake(
        "mean for sum",
        f"You took the mean over {of}, where the sum is due.",
        why,
        where,
        result=lambda r, a: r / count(a),
    )
