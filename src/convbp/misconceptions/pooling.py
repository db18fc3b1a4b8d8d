"""What goes wrong when pooling sends the error back: ties, overlap, shares."""

import numpy as np

from convbp.misconceptions.common import mirrored, opposite_sign, transposed, turned
from convbp.misconceptions.misconception import Misconception, Task, mistake

MAX = "notebook 09, max pooling"
AVERAGE = "notebook 09, average pooling"
L2 = "notebook 09, L2 pooling"


def _at_first(hit):
    """1 at the first True in row-major order, 0 elsewhere."""
    share = np.zeros(hit.shape)
    share.flat[np.argmax(hit)] = 1
    return share


def _at_last(hit):
    return np.flip(_at_first(np.flip(hit)))


def _at_first_by_columns(hit):
    return _at_first(hit.T).T


def _winner(window):
    return _at_first(window == window.max())


def _equal_shares(window):
    return np.full(window.shape, 1 / window.size)


def _norm(window):
    return np.sqrt((window**2).sum())


def _over_norm(window):
    return window / _norm(window)


def _add(held, new):
    return held + new


def _replace(held, new):
    return new


def _replace_where_routed(held, new):
    return np.where(new != 0, new, held)


def _by_stride(i, j, stride, size):
    return stride[0] * i, stride[1] * j


def _route(size, stride, delta, inputs, share, collect, corner=_by_stride):
    """Each δ gives the entries of its window their shares; a window past the end is cut off."""
    gradient = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        top, left = corner(i, j, stride, size)
        seen = np.s_[top : top + size[0], left : left + size[1]]
        if inputs[seen].size:
            gradient[seen] = collect(gradient[seen], share(inputs[seen]) * delta[i, j])
    return gradient


def _overlap(where: str, *ways) -> list[Misconception]:
    return mistake(
        "= for +=",
        "Where windows overlap, the last one replaced what was there.",
        "An entry of several windows gets a part from each, and they add up: +=.",
        where,
        *[{"collect": collect} for collect in ways],
    )


def _stride(where: str) -> list[Misconception]:
    return mistake(
        "stride ignored",
        "You put the windows side by side, or one pixel apart, whatever the stride.",
        "The window of output (i, j) begins at row s₁·i, column s₂·j.",
        where,
        {"stride": lambda stride: (1, 1)},
        {"corner": lambda i, j, stride, size: (size[0] * i, size[1] * j)},
    )


def _swapped(where: str) -> list[Misconception]:
    return mistake(
        "rows and columns swapped",
        "You exchanged rows and columns of the window or of the stride.",
        "In each pair the first number is for rows, the second for columns.",
        where,
        {"size": lambda size: size[::-1]},
        {"stride": lambda stride: stride[::-1]},
        {"size": lambda size: size[::-1], "stride": lambda stride: stride[::-1]},
    )


def _max_routing(inputs, delta, size, stride, *, share=_winner, times=lambda window: 1, collect=_add, **steps):
    return _route(size, stride, delta, inputs, lambda window: share(window) * times(window), collect, **steps)


max_routing = Task(
    _max_routing,
    mistake(
        "ties copied",
        "Where several entries of a window are the largest, you gave δ to each of them.",
        "One unit wins, the first in row-major order: else the error would grow on its way back.",
        MAX,
        share=lambda window: window == window.max(),
    ),
    mistake(
        "ties split",
        "Where several entries of a window are the largest, you divided δ among them.",
        "One unit wins, the first in row-major order, and gets all of it.",
        MAX,
        share=lambda window: (window == window.max()) / (window == window.max()).sum(),
    ),
    mistake(
        "tie to another",
        "You took another of several largest entries, not the first in row-major order.",
        "That could be agreed on as well, but here the first in row-major order wins, as in PyTorch and TensorFlow.",
        MAX,
        {"share": lambda window: _at_last(window == window.max())},
        {"share": lambda window: _at_first_by_columns(window == window.max())},
        {"share": lambda window: _at_last((window == window.max()).T).T},
    ),
    _overlap(MAX, _replace, _replace_where_routed),
    mistake(
        "multiplied with the activation",
        "You multiplied δ with the largest entry.",
        "Max pooling is a switch: the error goes to the winner as it is (∂y/∂x = 1 there).",
        MAX,
        times=np.max,
    ),
    mistake(
        "delta to every entry",
        "You gave δ to all entries of a window.",
        "Only the winner made the output, and only it gets the error.",
        MAX,
        share=np.ones_like,
    ),
    mistake(
        "average for max",
        "You divided δ equally among the entries of a window: that is the way back of average pooling.",
        "Only the winner made the output, and only it gets the error.",
        MAX,
        share=_equal_shares,
    ),
    mistake(
        "smallest for largest",
        "You gave δ to the smallest entry of each window.",
        "The winner is the largest entry.",
        MAX,
        {"share": lambda window: _at_first(window == window.min())},
        {"share": lambda window: _at_last(window == window.min())},
        {"share": lambda window: window == window.min()},
    ),
    mistake(
        "largest magnitude for largest",
        "You compared the absolute values.",
        "The winner is the largest entry, with its sign.",
        MAX,
        share=lambda window: _at_first(np.abs(window) == np.abs(window).max()),
    ),
    mistake(
        "largest of all",
        "You looked for the largest entry of the whole input.",
        "Each window has its own winner.",
        MAX,
        {"result": lambda r, a: (a.inputs == a.inputs.max()) * a.delta.sum()},
        {"result": lambda r, a: _at_first(a.inputs == a.inputs.max()) * a.delta.sum()},
    ),
    mistake(
        "winner's place without the window's",
        "You took the winner's place in its window for its place in the input.",
        "To it belongs where the window begins: s₁·i rows and s₂·j columns further.",
        MAX,
        {"result": lambda r, a: _at_local_places(a, _add)},
        {"result": lambda r, a: _at_local_places(a, _replace_where_routed)},
    ),
    mistake(
        "winners for error",
        "You marked the winners, or copied them, without δ.",
        "The winner gets the δ of its window.",
        MAX,
        {"delta": np.ones_like},
        {"delta": np.ones_like, "collect": _replace_where_routed},
        {"delta": np.ones_like, "times": np.max, "collect": _replace_where_routed},
    ),
    mistake(
        "always the same place",
        "You gave δ to the same place of every window.",
        "The winner is where the window's largest entry is.",
        MAX,
        {"share": lambda window: _at_first(np.ones_like(window))},
        {"share": lambda window: _at_last(np.ones_like(window))},
    ),
    _stride(MAX),
    _swapped(MAX),
    transposed(MAX),
    turned(MAX, "No axis is to be reversed."),
    mirrored(MAX),
    opposite_sign(MAX),
)


def _at_local_places(a, collect):
    gradient = np.zeros(a.inputs.shape)
    for i, j in np.ndindex(a.delta.shape):
        window = a.inputs[a.stride[0] * i :, a.stride[1] * j :][: a.size[0], : a.size[1]]
        corner = np.s_[: a.size[0], : a.size[1]]
        gradient[corner] = collect(gradient[corner], _winner(window) * a.delta[i, j])
    return gradient


def _coverage(a):
    """In how many windows each entry is, at least 1."""
    ones = np.ones_like
    return np.maximum(_route(a.size, a.stride, ones(a.delta), np.zeros(a.input_size), ones, _add), 1)


def _average_routing(
    delta, input_size, size, stride, *, share=np.ones_like, divisor=lambda k1, k2: k1 * k2, collect=_add, **steps
):
    return _route(size, stride, delta / divisor(*size), np.zeros(input_size), share, collect, **steps)


average_routing = Task(
    _average_routing,
    mistake(
        "not divided",
        "You gave the whole δ to every entry of its window.",
        "The average divides by the number of entries, k₁·k₂, and so does the way back.",
        AVERAGE,
        divisor=lambda k1, k2: 1,
    ),
    mistake(
        "divided by the wrong count",
        "You divided by another number than that of the entries of a window.",
        "The average divides by the number of entries, k₁·k₂, and so does the way back.",
        AVERAGE,
        *[
            {"divisor": lambda k1, k2: 1, "result": lambda r, a, count=count: r / count(a)}
            for count in (
                lambda a: a.size[0],
                lambda a: a.size[1],
                lambda a: a.size[0] ** 2,
                lambda a: a.size[1] ** 2,
                lambda a: sum(a.size),
                lambda a: a.stride[0] * a.stride[1],
                lambda a: a.delta.size,
                lambda a: a.input_size[0] * a.input_size[1],
                lambda a: (a.size[0] * a.size[1]) ** 2,
                lambda a: a.size[0] * a.size[1] - 1,
                lambda a: np.sqrt(a.size[0] * a.size[1]),
            )
        ],
    ),
    mistake(
        "mean over the windows",
        "You took the mean over the windows that cover a pixel.",
        "Each of these windows sends its part, and the parts add up: nothing divides by how many windows there are.",
        AVERAGE,
        result=lambda r, a: r / _coverage(a),
    ),
    _overlap(AVERAGE, _replace),
    mistake(
        "max for average",
        "You gave all of δ to one entry of its window.",
        "All entries made the average, with equal weights: each gets the same share.",
        AVERAGE,
        {"divisor": lambda k1, k2: 1, "share": lambda window: _at_first(np.ones_like(window))},
        {"divisor": lambda k1, k2: 1, "share": lambda window: _at_last(np.ones_like(window))},
    ),
    mistake(
        "multiplied for divided",
        "You multiplied with the number of entries.",
        "The average divides by it, and so does the way back.",
        AVERAGE,
        divisor=lambda k1, k2: 1 / (k1 * k2),
    ),
    _stride(AVERAGE),
    _swapped(AVERAGE),
    transposed(AVERAGE),
    turned(AVERAGE, "No axis is to be reversed."),
    mirrored(AVERAGE),
    opposite_sign(AVERAGE),
)


def _l2_routing(inputs, delta, size, stride, *, share=_over_norm, at_zero=np.zeros_like, collect=_add, **steps):
    def shares(window):
        return share(window) if window.any() else at_zero(window)

    return _route(size, stride, delta, inputs, shares, collect, **steps)


l2_routing = Task(
    _l2_routing,
    mistake(
        "NaN at zero",
        "Where a window is all zeros you divided 0 by 0.",
        "There the norm has a kink, and the course takes the slope 0: ask whether y is 0 before you divide.",
        L2,
        {"at_zero": lambda window: np.full(window.shape, np.nan)},
        {"at_zero": lambda window: np.full(window.shape, np.inf)},  # 1 / 0, where x is missing besides
    ),
    mistake(
        "another slope at zero",
        "Where a window is all zeros you gave its entries a share of δ.",
        "There the norm has a kink, and no derivative; the course chose the slope 0, which treats both signs alike.",
        L2,
        {"at_zero": _equal_shares},
        {"at_zero": lambda window: np.full(window.shape, window.size**-0.5)},
        {"at_zero": np.ones_like},
    ),
    mistake(
        "not divided by the norm",
        "You multiplied δ with x, without dividing by y.",
        "y = √Σx² has the derivative ∂y/∂x = x/y.",
        L2,
        share=np.asarray,
    ),
    mistake(
        "derivative of the sum of squares",
        "You multiplied δ with 2x: that is the derivative of Σx², without the root.",
        "y = √Σx² has the derivative ∂y/∂x = x/y.",
        L2,
        share=lambda window: 2 * window,
    ),
    mistake(
        "chain rule of the root cut short",
        "Your result has the wrong factor: the 2 of the square and the ½ of the root are to cancel.",
        "∂y/∂x = ½·(Σx²)^(−½)·2x = x/y.",
        L2,
        {"share": lambda window: 2 * _over_norm(window)},
        {"share": lambda window: _over_norm(window) / 2},
        {"share": lambda window: np.full(window.shape, 1 / (2 * _norm(window)))},
    ),
    mistake(
        "divided by the square of the norm",
        "You divided by y² = Σx².",
        "∂y/∂x = x/y, with the norm itself.",
        L2,
        share=lambda window: window / (window**2).sum(),
    ),
    mistake(
        "squares for entries",
        "You gave each entry its share of the square, x²/y² or x²/y.",
        "∂y/∂x = x/y, with the sign of x.",
        L2,
        {"share": lambda window: window**2 / (window**2).sum()},
        {"share": lambda window: window**2 / _norm(window)},
    ),
    mistake(
        "absolute values",
        "You lost the sign of x.",
        "∂y/∂x = x/y: where x is negative the norm shrinks as x grows.",
        L2,
        share=lambda window: np.abs(_over_norm(window)),
    ),
    mistake(
        "x missing",
        "You divided δ by y, and gave each entry the same.",
        "∂y/∂x = x/y: an entry counts as much as it is large.",
        L2,
        share=lambda window: np.full(window.shape, 1 / _norm(window)),
    ),
    mistake(
        "norm for its derivative",
        "You multiplied δ with y.",
        "The chain rule asks how fast y changes with x: x/y.",
        L2,
        {"share": lambda window: np.full(window.shape, _norm(window))},
        {"share": lambda window: window * _norm(window)},
    ),
    mistake(
        "divided by the sum",
        "You divided by Σx, or Σ|x|, in the place of √Σx².",
        "∂y/∂x = x/y, with the L2 norm y.",
        L2,
        {"share": lambda window: window / window.sum()},
        {"share": lambda window: window / window.sum() if window.sum() else 0 * window},
        {"share": lambda window: window / np.abs(window).sum()},
    ),
    mistake(
        "divided by the count as well",
        "You divided by the number of entries, too.",
        "The L2 norm is a root of a sum, not of a mean.",
        L2,
        {"share": lambda window: _over_norm(window) / window.size},
        {"share": lambda window: _over_norm(window) / np.sqrt(window.size)},
    ),
    mistake(
        "another pooling's way back",
        "You sent the error back as max or average pooling does.",
        "Here every entry made the output, each by ∂y/∂x = x/y.",
        L2,
        *[{"share": share, "at_zero": share} for share in (_winner, _equal_shares, np.ones_like)],
    ),
    mistake(
        "norm of the whole input",
        "You divided by the norm of the whole input.",
        "Each window has its own norm y.",
        L2,
        result=lambda r, a: _route(a.size, a.stride, a.delta, a.inputs, np.asarray, _add) / _norm(a.inputs),
    ),
    _overlap(L2, _replace),
    _stride(L2),
    _swapped(L2),
    transposed(L2),
    turned(L2, "No axis is to be reversed."),
    mirrored(L2),
    opposite_sign(L2),
)
