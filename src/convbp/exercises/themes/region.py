"""The affected region: which outputs a pixel reaches."""

import numpy as np

from convbp.exercises.drawing import below
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import mistake
from convbp.sums import symbol

Q = "notebook 07, Eq. 16 and 17"


def _as_it_is(corner, outputs):
    return corner


def _region(
    pixel,
    kernel_size,
    output_size,
    *,
    first=lambda p, k: p - k + 1,
    last=lambda p, k: p,
    clip_first=lambda corner, outputs: np.maximum(corner, 0),
    clip_last=lambda corner, outputs: np.minimum(corner, outputs - 1),
):
    pixel, kernel_size, outputs = map(np.array, (pixel, kernel_size, output_size))
    return np.array([clip_first(first(pixel, kernel_size), outputs), clip_last(last(pixel, kernel_size), outputs)])


_OFF_AT_THE_FIRST = (
    {"first": lambda p, k: p - k},
    {"first": lambda p, k: p - k + 2},
    {"clip_first": lambda corner, outputs: np.maximum(corner, 1)},
)


_OFF_AT_THE_LAST = ({"last": lambda p, k: p - 1}, {"clip_last": np.minimum})


def _trace_region(pixel, kernel_size, output_size):
    traced = np.empty((2, 2), object)
    for axis, (at, size, outputs) in enumerate((("i′", "k1", "H'"), ("j′", "k2", "W'"))):
        i, k, n = pixel[axis], kernel_size[axis], output_size[axis]
        traced[0, axis] = symbol(f"max({at} − {size} + 1, 0) = max({i} − {k} + 1, 0)", max(i - k + 1, 0))
        traced[1, axis] = symbol(f"min({at}, {outputs} − 1) = min({i}, {n} − 1)", min(i, n - 1))
    return traced


def _region_by_steps(pixel, kernel_size, output_size):
    top = max(0, pixel[0] - kernel_size[0] + 1)
    left = max(0, pixel[1] - kernel_size[1] + 1)
    bottom = min(output_size[0] - 1, pixel[0])
    right = min(output_size[1] - 1, pixel[1])
    return (top, left), (bottom, right)


def _region_by_search(pixel, kernel_size, output_size):
    (row, column), (k1, k2), (H, W) = pixel, kernel_size, output_size
    rows = [i for i in range(H) if i <= row < i + k1]
    columns = [j for j in range(W) if j <= column < j + k2]
    return (rows[0], columns[0]), (rows[-1], columns[-1])


def _other_sizes(random, arguments):
    """Other sizes, and a pixel that lies at the same borders."""
    pairs = [_along_one_axis(random, *numbers) for numbers in zip(*arguments.values(), strict=True)]
    if pairs[0][1] == pairs[1][1] or pairs[0][2] == pairs[1][2]:  # nothing is to be square
        return _other_sizes(random, arguments)
    return dict(zip(arguments, zip(*pairs, strict=True), strict=True))


def _along_one_axis(random, pixel, size, outputs):
    while True:
        new = below(random, 12), 2 + below(random, 4), 4 + below(random, 6)
        if new[0] < new[1] + new[2] - 1 and _borders(*new) == _borders(pixel, size, outputs):
            return new


def _borders(pixel, size, outputs):
    return pixel == 0, pixel < size - 1, pixel >= outputs


@exercise(
    task="The region Q of a pixel: which outputs it has an effect on, from the first to the last.",
    takes={
        "pixel": "(i′, j′), an index of the input",
        "kernel_size": "(k1, k2)",
        "output_size": "(H', W') = (H - k1 + 1, W - k2 + 1)",
    },
    returns="((first row, first column), (last row, last column)); both ends belong to Q",
    equation="Eq. 16",
    axes=("row", "column"),
    inputs=[
        {"pixel": pixel, "kernel_size": size, "output_size": outputs}
        for pixel, size, outputs in [
            ((0, 7), (3, 5), (4, 6)),
            ((4, 3), (2, 3), (6, 8)),
            ((0, 2), (3, 2), (4, 6)),
            ((6, 0), (4, 3), (5, 7)),
            ((7, 5), (3, 5), (6, 9)),
            ((5, 8), (4, 2), (5, 8)),
            ((7, 5), (2, 3), (8, 4)),  # higher than wide
            ((1, 1), (3, 2), (7, 5)),  # one row above the border
            ((3, 1), (2, 3), (6, 4)),  # one column beside it
            ((5, 2), (3, 5), (4, 6)),  # the sizes of the first
        ]
    ],
    draw=_other_sizes,
    hints=(
        "Output (i, j) sees the pixels from (i, j) to (i + k1 - 1, j + k2 - 1). For which i is i′ among them?",
        "Where there are no borders, from i′ - k1 + 1 to i′.",
        "No output has an index below 0 or above H' - 1: clip both ends.",
    ),
    trace=_trace_region,
    compute=_region,
    programs=(
        _region_by_steps,
        _region_by_search,
    ),
    mistakes=[
        mistake(
            "Q not clipped",
            "You let Q go over the border of the output map.",
            "Where there is no output there is no path for the error: near a border Q is smaller than the kernel.",
            Q,
            clip_first=_as_it_is,
            clip_last=_as_it_is,
        ),
        mistake(
            "Q clipped at one end only",
            "You clipped Q at one of its ends, and not at the other.",
            "It may go over the border before the first row and column, and after the last.",
            Q,
            {"clip_first": _as_it_is},
            {"clip_last": _as_it_is},
        ),
        mistake(
            "Q wrapped around",
            "Past the border you went on at the other side of the map.",
            "Outside the map there is no output: Q is clipped.",
            Q,
            {"clip_first": np.mod, "clip_last": np.mod},
            {"clip_first": np.mod},
        ),
        mistake(
            "window for region",
            "You went forward from the pixel, as the window of an output does.",
            "Q is the other way round: the outputs whose window holds the pixel begin k − 1 before it, and end at it.",
            Q,
            {"first": lambda p, k: p, "last": lambda p, k: p + k - 1},
            {
                "first": lambda p, k: p,
                "last": lambda p, k: p + k - 1,
                "clip_first": _as_it_is,
                "clip_last": _as_it_is,
            },
        ),
        mistake(
            "centred on the pixel",
            "You put the pixel in the middle of Q.",
            "Q begins k − 1 before the pixel, and ends at it.",
            Q,
            {"first": lambda p, k: p - k // 2, "last": lambda p, k: p + k // 2},
            {"first": lambda p, k: p - (k - 1) // 2, "last": lambda p, k: p + k // 2},
            {"first": lambda p, k: p - k // 2, "last": lambda p, k: p + (k - 1) // 2},
        ),
        mistake(
            "off by one",
            "An end of your Q is one row and one column off, or both are.",
            "k windows hold the pixel, from i′ − k₁ + 1 to i′, and both ends belong to Q.",
            Q,
            *_OFF_AT_THE_FIRST,
            *_OFF_AT_THE_LAST,
            *(first | last for first in _OFF_AT_THE_FIRST for last in _OFF_AT_THE_LAST),
        ),
        mistake(
            "end not included",
            "Your last row and column are one further, as the end of a Python slice is.",
            "Asked for is the last output that belongs to Q.",
            Q,
            {"result": lambda r, a: r + np.array([[0], [1]])},
            {"last": lambda p, k: p + 1},
        ),
        mistake(
            "all of Q in a list",
            "You listed all outputs of Q.",
            "Asked for are two of them, the first and the last.",
            Q,
            result=lambda r, a: [
                (i, j) for i in range(int(r[0][0]), int(r[1][0]) + 1) for j in range(int(r[0][1]), int(r[1][1]) + 1)
            ],
        ),
        mistake(
            "pixel divided by the size",
            "You divided the pixel's index by the size of the kernel, as if the windows lay side by side.",
            "They lie one pixel apart, and overlap: up to k of them hold the pixel in each direction.",
            Q,
            {"first": lambda p, k: p // k, "last": lambda p, k: p // k, "clip_last": _as_it_is},
            {"first": lambda p, k: p // k, "last": lambda p, k: p // k},
        ),
        mistake(
            "size for end",
            "Your second row is the size of Q.",
            "Asked for is its last output.",
            Q,
            result=lambda r, a: [r[0], r[1] - r[0] + 1],
        ),
        mistake(
            "rows and columns swapped",
            "You exchanged rows and columns.",
            "The first number of each pair counts rows, the second columns.",
            Q,
            {"result": lambda r, a: r[:, ::-1]},
            {"kernel_size": lambda size: size[::-1]},
            {"output_size": lambda size: size[::-1]},
            {"pixel": lambda pixel: pixel[::-1]},
        ),
        mistake(
            "corners transposed",
            "You gave first and last row, then first and last column.",
            "Asked for are two outputs: (first row, first column) and (last row, last column).",
            Q,
            result=lambda r, a: np.transpose(r),
        ),
        mistake(
            "pixel for region",
            "Your Q is one output only, the one with the pixel's own index.",
            "The pixel lies in up to k₁·k₂ windows: those that begin at most k − 1 before it.",
            Q,
            first=lambda p, k: p,
        ),
    ],
)
def region_q(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    first = max(i - k1 + 1, 0), max(j - k2 + 1, 0)
    last = min(i, rows - 1), min(j, columns - 1)
    return first, last
