"""δ on its way back through pooling: max, average and L2."""

from collections.abc import Callable
from functools import partial

import numpy as np

from convbp import loops
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import Misconception, mistake
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    in_corner,
    mirrored,
    only,
    opposite_sign,
    transposed,
    turned,
)
from convbp.sums import exact, symbols

MAX = "notebook 09, max pooling"
AVERAGE = "notebook 09, average pooling"
L2 = "notebook 09, L2 pooling"


def _trace_pooling(pool):
    def trace(delta, size, stride, inputs=None, input_size=None):
        inputs = np.zeros(input_size) if inputs is None else inputs
        # Python's numbers, so that an average divides exactly
        layer = np.array([exact(value) for value in inputs.flat], object).reshape(1, *inputs.shape, 1)
        return pool(layer, size, stride=stride).route(symbols("δ", delta)[None, :, :, None])[0, :, :, 0]

    return trace


_POOLING = {"size": "(k1, k2), rows and columns of the window", "stride": "(s1, s2), its steps; windows may overlap"}


_ROUTED = "an array of shape (H, W); parts from overlapping windows add up, and what no window covers gets 0"
_TIES = np.array([[1, 3, 3, 0, 2, 1], [3, 2, 1, 2, 2, 0], [0, 1, 4, 1, 0, 2], [2, 4, 4, -5, 1, 0]])


_ZEROS = np.array([[3, 4, 0, 0, 0], [-1, 2, 0, 0, 0], [2, 0, 0, 0, 5], [1, -2, 2, 1, 3]])


def _pooling_inputs(first, seed):
    """Overlap, rows left over, and a window as large as its stride; ties and zeros throughout."""
    rng = np.random.default_rng(seed)
    others = [((6, 5), (3, 2), (1, 2)), ((5, 7), (2, 3), (2, 1)), ((7, 6), (2, 3), (3, 3)), ((4, 7), (2, 2), (1, 1))]
    given = [first, *(_pooled(rng, rng.integers(-3, 3, windows[0]), *windows) for windows in others)]
    for shape, size, stride in ((first["inputs"].shape, first["size"], first["stride"]), ((3, 5), (1, 2), (2, 3))):
        given.append(_pooled(rng, rng.integers(-9, 9, shape) / 7, shape, size, stride, whole=False))
    return [{name: _floats(value) for name, value in one.items()} for one in given]


def _max_inputs(first, seed):
    """Three with ties, three with overlap, one with neither: so that a slip with one of them keeps its points."""
    rng = np.random.default_rng(seed)
    ties = _pooled(rng, rng.integers(-3, 3, (7, 6)), (7, 6), (2, 3), (3, 3))
    both = (4, 6), first["size"], first["stride"]
    overlap, neither = ((6, 7), (3, 2), (1, 2)), ((5, 9), (2, 3), (2, 3))
    given = [
        first,
        ties,
        _pooled(rng, rng.integers(-3, 3, both[0]), *both, whole=False),
        _pooled(rng, _all_different(rng, *overlap[0]), *overlap),
        _pooled(rng, _all_different(rng, *neither[0]) / 7 - 2000, *neither, whole=False),
    ]  # the last is below whatever a search for the largest begins with
    return [{name: _floats(value) for name, value in one.items()} for one in given]


def _l2_inputs(first, seed):
    """Besides, norms below 1, and windows without a positive entry that are not zero."""
    rng = np.random.default_rng(seed + 100)
    small = _pooled(rng, -rng.integers(1, 4, (5, 7)) / 8, (5, 7), (2, 3), (2, 3))
    *others, last = _pooling_inputs(first, seed)
    return [*others, {name: _floats(value) for name, value in small.items()}, last]


def _pooled(rng, inputs, input_size, size, stride, whole=True):
    outputs = [(n - k) // s + 1 for n, k, s in zip(input_size, size, stride, strict=True)]
    delta = rng.choice([-4, -3, -2, -1, 1, 2, 3, 5], outputs)
    return {"inputs": inputs, "delta": delta if whole else delta / 7, "size": size, "stride": stride}


def _all_different(rng, H, W):
    return rng.permutation(H * W).reshape(H, W) - H * W // 2


def _floats(value):
    return value.astype(float) if isinstance(value, np.ndarray) else value


_OVERLAP_DELTA = np.array([[2, -1, 3, 1], [5, 4, -2, 6], [-3, 7, 1, 2]])


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


def _over_norm_with(under_the_root, beside_it, window):
    return window / (np.sqrt(_norm(window) ** 2 + under_the_root) + beside_it)


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
        "An entry of several windows gets a part from each, and they add up: +=." + AT_REPEATED_PLACES,
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


def _by_rank(n):
    """1 at the entry of that rank, the largest being 0; of equal entries the first comes first."""
    return lambda window: np.argsort(np.argsort(-window, axis=None, kind="stable")).reshape(window.shape) == n


_PLACES: dict[str, Callable] = {
    "windows that begin one stride further": lambda i, j, stride, size: (stride[0] * (i + 1), stride[1] * (j + 1)),
    "windows that begin one row and column further": lambda i, j, stride, size: (stride[0] * i + 1, stride[1] * j + 1),
    "windows that begin at row i + s₁, column j + s₂": lambda i, j, stride, size: (stride[0] + i, stride[1] + j),
    "windows whose rows and columns are exchanged": lambda i, j, stride, size: (stride[0] * j, stride[1] * i),
    "windows that begin at (i, j)·(s + 1)": lambda i, j, stride, size: ((stride[0] + 1) * i, (stride[1] + 1) * j),
    "windows a window and a stride apart": lambda i, j, stride, size: (
        (stride[0] + size[0]) * i,
        (stride[1] + size[1]) * j,
    ),
}
_SHARES_OF_MAX: dict[str, Callable] = {
    "the second largest entry in the place of the largest": _by_rank(1),
    "the largest entry of each row of the window": lambda window: np.array([_winner(row) for row in window]),
    "the largest entry of each column of the window": lambda window: np.array([_winner(row) for row in window.T]).T,
    "the first entry of each window in the place of the largest": lambda window: only(np.ones_like(window), 0, 0),
    "the last entry of each window in the place of the largest": lambda window: only(np.ones_like(window), -1, -1),
    "all entries above the mean of their window": lambda window: window > window.mean(),
    "all entries but the largest": lambda window: 1 - _winner(window),
    "the softmax of each window": lambda window: np.exp(window - window.max()) / np.exp(window - window.max()).sum(),
    "shares in the proportion of the entries": lambda window: window / window.sum(),
    "the entries divided by the largest": lambda window: window / window.max(),
    "the winner's row and column exchanged": lambda window: _exchanged(_winner(window)),
}
_EPSILONS = (0.1, 0.01, 0.001, 1e-4, 1e-5)
_OTHER_SHARES_OF_L2: dict[str, Callable] = {
    "y/x": lambda x: np.where(x == 0, 0, _norm(x) / x),
    "1": lambda x: np.ones(x.shape),
    "y": lambda x: np.full(x.shape, _norm(x)),
    "y·x": lambda x: x * _norm(x),
    "x + y": lambda x: x + _norm(x),
    "x/√y": lambda x: x / np.sqrt(_norm(x)),
    "x/∛y²": lambda x: x / np.cbrt(_norm(x) ** 2),
    "x/y³": lambda x: x / _norm(x) ** 3,
    "x/(1 + y)": lambda x: x / (1 + _norm(x)),
    "(x less its mean)/y": lambda x: (x - x.mean()) / _norm(x),
    "(x less its mean), divided by its deviation,": lambda x: (x - x.mean()) / x.std(),
    "the sign of x": lambda x: np.sign(x),
    "max(x, 0)/y": lambda x: np.maximum(x, 0) / _norm(x),
    "x/max x": lambda x: x / x.max(),
    "x/max |x|": lambda x: x / np.abs(x).max(),
    "x³/y": lambda x: x**3 / _norm(x),
    "√|x|/y": lambda x: np.sqrt(np.abs(x)) / _norm(x),
    "x divided by the number of entries": lambda x: x / x.size,
    **{f"x/√(y² + {e:g})": partial(_over_norm_with, e, 0) for e in _EPSILONS},
    **{f"x/(y + {e:g})": partial(_over_norm_with, 0, e) for e in _EPSILONS},
}
_SHARES_OF_L2 = {f"{name} in the place of x/y": share for name, share in _OTHER_SHARES_OF_L2.items()}


def _exchanged(share):
    """Where the window is large enough."""
    other = np.zeros(share.shape)
    (row,), (column,) = np.nonzero(share)
    if column < share.shape[0] and row < share.shape[1]:
        other[column, row] = 1
    return other


def _max_routing(inputs, delta, size, stride, *, share=_winner, times=lambda window: 1, collect=_add, **steps):
    return _route(size, stride, delta, inputs, lambda window: share(window) * times(window), collect, **steps)


def _at_local_places(a, collect):
    gradient = np.zeros(a.inputs.shape)
    for i, j in np.ndindex(a.delta.shape):
        window = a.inputs[a.stride[0] * i :, a.stride[1] * j :][: a.size[0], : a.size[1]]
        corner = np.s_[: a.size[0], : a.size[1]]
        gradient[corner] = collect(gradient[corner], _winner(window) * a.delta[i, j])
    return gradient


def _max_routing_in_loops(inputs, delta, size, stride):
    (rows, columns), (k1, k2), (s1, s2) = delta.shape, size, stride
    gradient = np.zeros(inputs.shape)
    for i in range(rows):
        for j in range(columns):
            largest, row, column = -np.inf, 0, 0
            for m in range(k1):
                for n in range(k2):
                    if inputs[s1 * i + m, s2 * j + n] > largest:
                        largest, row, column = inputs[s1 * i + m, s2 * j + n], s1 * i + m, s2 * j + n
            gradient[row, column] += delta[i, j]
    return gradient


def _max_routing_by_division(inputs, delta, size, stride):
    (rows, columns), (k1, k2), (s1, s2) = delta.shape, size, stride
    gradient = np.zeros(inputs.shape)
    for i in range(rows):
        for j in range(columns):
            place = np.argmax(inputs[s1 * i : s1 * i + k1, s2 * j : s2 * j + k2])
            gradient[s1 * i + place // k2, s2 * j + place % k2] += delta[i, j]
    return gradient


def _by_one_mask(a, collect):
    mask = _route(a.size, a.stride, np.ones_like(a.delta), a.inputs, _winner, lambda held, new: np.maximum(held, new))
    return _route(a.size, a.stride, a.delta, mask, np.asarray, collect)


def _by_one_value(a, collect):
    gradient = np.zeros(a.inputs.shape)
    for i, j in np.ndindex(a.delta.shape):
        window = a.inputs[a.stride[0] * i :, a.stride[1] * j :][: a.size[0], : a.size[1]]
        gradient = collect(gradient, (a.inputs == window.max()) * a.delta[i, j])
    return gradient


_LENGTHS = (lambda a: a.size[0], lambda a: a.inputs.shape[1], lambda a: a.inputs.shape[0])


def _at_places(r, a, place, guarded=True):
    """δ where ``place`` says, in its window; ``guarded`` leaves out what is outside of the input."""
    gradient = np.zeros(a.inputs.shape)
    for i, j in np.ndindex(a.delta.shape):
        window = a.inputs[a.stride[0] * i :, a.stride[1] * j :][: a.size[0], : a.size[1]]
        row, column = place(a, window)
        at = a.stride[0] * i + row, a.stride[1] * j + column
        if not guarded or all(np.less(at, gradient.shape)):
            gradient[at] += a.delta[i, j]
    return gradient


def _divided(length):
    return lambda a, window: divmod(int(window.argmax()), length(a))


def _first_windows_place(a, window):
    return np.unravel_index(a.inputs[: a.size[0], : a.size[1]].argmax(), a.size)


def _by_the_first_mask(a):
    first = a.inputs[: a.size[0], : a.size[1]]
    return _route(a.size, a.stride, a.delta, a.inputs, lambda window: first == first.max(), _add)


def _copied_up_at_maxima(inputs, delta, size, stride, by):
    """Each pixel has one δ and is compared with one maximum, both copied up."""
    maxima = np.empty(delta.shape)
    for i, j in np.ndindex(delta.shape):
        maxima[i, j] = inputs[stride[0] * i :, stride[1] * j :][: size[0], : size[1]].max()
    largest, sent = (in_corner(np.kron(array, np.ones(by)), inputs.shape) for array in (maxima, delta))
    return (inputs == largest) * sent


_BY_COPIES: dict[str, Callable] = {
    f"one maximum and one δ for each pixel, copied up by the {by}, as np.kron or repeat do": (
        lambda by=by, **given: _copied_up_at_maxima(**given, by=given[by])
    )
    for by in ("size", "stride")
}


@exercise(
    task="δ on its way back through max pooling. Of equal entries the first in row-major order wins.",
    takes={"inputs": "shape (H, W)", "delta": "δ of the pooled output, shape (H', W')", **_POOLING},
    returns=_ROUTED,
    equation="notebook 09; the article has the rule after Eq. 22",
    axes=("row", "column"),
    inputs=_max_inputs({"inputs": _TIES, "delta": _OVERLAP_DELTA[:, :2], "size": (2, 3), "stride": (1, 2)}, 31),
    hints=(
        "The window of output (i, j) begins at row s1·i, column s2·j.",
        "np.argmax finds the first of the largest entries; np.unravel_index turns its number into row and column.",
        "Add δ there, with +=, as one entry may win in several windows.",
    ),
    trace=_trace_pooling(loops.max_pool2d),
    compute=_max_routing,
    programs=(
        _max_routing_in_loops,
        _max_routing_by_division,
    ),
    instead={"share": _SHARES_OF_MAX, "corner": _PLACES, "compute": _BY_COPIES},
    mistakes=[
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
            "That could be agreed on as well, but here the first in row-major order wins, as in PyTorch and "
            "TensorFlow.",
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
            "largest from 0 on",
            "You looked for an entry that is larger than 0: in a window without one you found none.",
            "Begin with the window's first entry, or with −∞: the largest may be negative.",
            MAX,
            {"share": lambda window: _winner(window) if window.max() > 0 else np.zeros(window.shape)},
            {"share": lambda window: _winner(window) if window.max() > 0 else _at_first(np.ones_like(window))},
        ),
        mistake(
            "one mask for all windows",
            "You marked the winners of all windows in one mask, and gave each window's δ to every mark inside it.",
            "Where windows overlap a window has other windows' winners in it, too: only its own gets its δ.",
            MAX,
            result=lambda r, a: _by_one_mask(a, _add),
        ),
        mistake(
            "equal entries outside the window",
            "You gave each window's δ to every entry of the input that is as large as its winner, inside it or not.",
            "Only the entries of the window made the output, and of them the winner.",
            MAX,
            {"result": lambda r, a: _by_one_value(a, _add)},
        ),
        mistake(
            "winner's number read with the wrong length",
            "You divided the winner's number in its window by another length than that of the window's rows.",
            "Number p of a window is in row p // k₂ and column p % k₂: np.unravel_index(p, window.shape).",
            MAX,
            *[
                {"result": partial(_at_places, place=_divided(length), guarded=guarded)}
                for length in _LENGTHS
                for guarded in (False, True)
            ],
            {"result": partial(_at_places, place=lambda a, window: divmod(int(window.argmax()), a.size[0])[::-1])},
        ),
        mistake(
            "largest of all",
            "You looked for the largest entry of the whole input.",
            "Each window has its own winner.",
            MAX,
            {"result": lambda r, a: (a.inputs == a.inputs.max()) * a.delta.sum()},
            {"result": lambda r, a: _at_first(a.inputs == a.inputs.max()) * a.delta.sum()},
            {"result": lambda r, a: _route(a.size, a.stride, a.delta, a.inputs == a.inputs.max(), np.asarray, _add)},
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
            {"result": partial(_at_places, place=_first_windows_place)},
            {"result": partial(_at_places, place=_first_windows_place, guarded=False)},
            {"result": lambda r, a: _by_the_first_mask(a)},
        ),
        _stride(MAX),
        _swapped(MAX),
        transposed(MAX),
        turned(MAX, "No axis is to be reversed."),
        mirrored(MAX),
        opposite_sign(MAX),
    ],
)
def max_routing(inputs, delta, size, stride):
    gradient = np.zeros(inputs.shape)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = stride[0] * i, stride[1] * j
            window = inputs[top : top + size[0], left : left + size[1]]
            row, column = np.unravel_index(np.argmax(window), window.shape)
            gradient[top + row, left + column] += delta[i, j]
    return gradient


def _divided_by(count):
    return lambda r, a: r / count(a)


def _copied_up(a, by, last):
    """Each pixel takes the δ of the window number pixel // by; past the last window the last one's, or none."""
    gradient = np.zeros(a.input_size)
    for row, column in np.ndindex(gradient.shape):
        window = row // by[0], column // by[1]
        if last or all(np.less(window, a.delta.shape)):
            gradient[row, column] = a.delta[tuple(np.minimum(window, np.array(a.delta.shape) - 1))]
    return gradient / (a.size[0] * a.size[1])


def _coverage(a):
    """In how many windows each entry is, at least 1."""
    ones = np.ones_like
    return np.maximum(_route(a.size, a.stride, ones(a.delta), np.zeros(a.input_size), ones, _add), 1)


def _average_routing(
    delta, input_size, size, stride, *, share=np.ones_like, divisor=lambda k1, k2: k1 * k2, collect=_add, **steps
):
    return _route(size, stride, delta / divisor(*size), np.zeros(input_size), share, collect, **steps)


def _average_routing_in_loops(delta, input_size, size, stride):
    (rows, columns), (k1, k2), (s1, s2) = delta.shape, size, stride
    gradient = np.zeros(input_size)
    for i in range(rows):
        for j in range(columns):
            for m in range(k1):
                for n in range(k2):
                    gradient[s1 * i + m, s2 * j + n] += delta[i, j] / (k1 * k2)
    return gradient


@exercise(
    task="δ on its way back through average pooling.",
    takes={"delta": "δ of the pooled output, shape (H', W')", "input_size": "(H, W)", **_POOLING},
    returns=_ROUTED,
    equation="notebook 09; the article has the rule after Eq. 22",
    axes=("row", "column"),
    inputs=[
        {"delta": one["delta"], "input_size": one["inputs"].shape, "size": one["size"], "stride": one["stride"]}
        for one in _pooling_inputs(
            {"inputs": np.zeros((4, 8)), "delta": _OVERLAP_DELTA[:, :3], "size": (2, 3), "stride": (1, 2)}, 33
        )
    ],
    hints=(
        "Each of the k1·k2 entries of a window has the same part in its average: 1/(k1·k2).",
        "So each gets that part of δ. Windows may overlap: +=.",
    ),
    trace=_trace_pooling(loops.average_pool2d),
    compute=_average_routing,
    programs=(_average_routing_in_loops,),
    instead={"corner": _PLACES},
    mistakes=[
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
                {"divisor": lambda k1, k2: 1, "result": _divided_by(count)}
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
            "δ copied up",
            "You took for each pixel the δ of one window, as np.kron, repeat, or i // s do.",
            "Where windows overlap a pixel gets a part from each of them, and they add up.",
            AVERAGE,
            *[
                {"result": lambda r, a, by=by, last=last: _copied_up(a, by(a), last)}
                for by, last in ((lambda a: a.stride, True), (lambda a: a.stride, False), (lambda a: a.size, True))
            ],
        ),
        mistake(
            "mean over the windows",
            "You took the mean over the windows that cover a pixel.",
            "Each of these windows sends its part, and the parts add up: nothing divides by how many windows "
            "there are.",
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
    ],
)
def average_routing(delta, input_size, size, stride):
    gradient = np.zeros(input_size)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = stride[0] * i, stride[1] * j
            gradient[top : top + size[0], left : left + size[1]] += delta[i, j] / (size[0] * size[1])
    return gradient


def _l2_routing(inputs, delta, size, stride, *, share=_over_norm, at_zero=np.zeros_like, collect=_add, **steps):
    def shares(window):
        return share(window) if window.any() else at_zero(window)

    return _route(size, stride, delta, inputs, shares, collect, **steps)


def _l2_routing_in_loops(inputs, delta, size, stride):
    (rows, columns), (k1, k2), (s1, s2) = delta.shape, size, stride
    gradient = np.zeros(inputs.shape)
    for i in range(rows):
        for j in range(columns):
            squares = 0
            for m in range(k1):
                for n in range(k2):
                    squares += inputs[s1 * i + m, s2 * j + n] ** 2
            for m in range(k1):
                for n in range(k2):
                    if squares > 0:
                        gradient[s1 * i + m, s2 * j + n] += (
                            delta[i, j] * inputs[s1 * i + m, s2 * j + n] / np.sqrt(squares)
                        )
    return gradient


@exercise(
    task="δ on its way back through L2 pooling, y = √Σx². Where y is 0 the course takes the slope 0.",
    takes={"inputs": "shape (H, W)", "delta": "δ of the pooled output, shape (H', W')", **_POOLING},
    returns=_ROUTED,
    equation="notebook 09; the article leaves it out",
    axes=("row", "column"),
    inputs=_l2_inputs({"inputs": _ZEROS, "delta": _OVERLAP_DELTA[:, :2], "size": (2, 3), "stride": (1, 2)}, 34),
    hints=(
        "∂y/∂x = x/y: the derivative of the root is 1/(2y), that of the square 2x.",
        "Ask whether y is 0 before you divide.",
    ),
    trace=_trace_pooling(loops.l2_pool2d),
    compute=_l2_routing,
    programs=(_l2_routing_in_loops,),
    instead={"share": _SHARES_OF_L2, "corner": _PLACES},
    mistakes=[
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
            "There the norm has a kink, and no derivative; the course chose the slope 0, which treats both "
            "signs alike.",
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
            *[{"share": share} for share in (_winner, _equal_shares)],
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
    ],
)
def l2_routing(inputs, delta, size, stride):
    gradient = np.zeros(inputs.shape)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = stride[0] * i, stride[1] * j
            here = np.s_[top : top + size[0], left : left + size[1]]
            norm = np.sqrt(np.sum(inputs[here] ** 2))
            if norm > 0:
                gradient[here] += delta[i, j] * inputs[here] / norm
    return gradient
