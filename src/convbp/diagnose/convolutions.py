"""The convolutional layer as it is diagnosed: its cases, and its gradients with all that is known to go wrong.

The mistakes are those of the exercises, which know them for one step at a time; here the steps stand together, with
dilation, groups and padding of one side, and what can go wrong with these is added.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from convbp import exercises
from convbp.convolution import (
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    rot180,
)
from convbp.diagnose.engine import Case
from convbp.exercises.mistakes import Misconception, mistake
from convbp.exercises.themes.common import as_it_is, in_corner
from convbp.shapes import Array, Pair, Sides, output_size

CHANNELS_FIRST = (0, 3, 1, 2)
KERNEL_FIRST = (3, 2, 0, 1)  # (D, C, k1, k2)
CHANNELS_FIRST_WORDS = {  # what the texts of the mistakes say, for a reader whose channels come first
    "(N, H, W, C)": "(N, C, H, W)",
    "(N, H', W', D): the sum is over the first three": "(N, D, H', W'): the sum is over all but the second",
    "the last axis stays": "the second axis stays",
    "(k1, k2, C, D): channels of the input first, then filters": "(D, C, k1, k2): filters first, then channels",
    "(k1, k2, C, D)": "(D, C, k1, k2)",
    "kernel.swapaxes(2, 3)": "kernel.swapaxes(0, 1)",
    "kernel[::-1, ::-1]": "kernel[:, :, ::-1, ::-1]",
}
ONE_SIDE = "the padding is not the same on both sides"


def _from_exercise(name: str, *places: str) -> Iterable[list[Misconception]]:
    """The mistakes of an exercise that change nothing but these steps; here there is a choice of layouts."""
    found = getattr(exercises, name).computation.changing(*places)
    return [group for group in found if group[0].name != "another layout"]


def _each_map(step: Callable[..., Array], array: Array, *more: Any) -> Array:
    """Do with the map (H, W) of each image and channel what ``step`` does with one."""
    maps = [[step(array[n, :, :, c], *more) for c in range(array.shape[3])] for n in range(len(array))]
    return np.moveaxis(np.array(maps), 1, 3)


def _dealt(array: Array, groups: int) -> list[Array]:
    return np.split(array, groups, axis=-1)


def _in_turn(array: Array, groups: int) -> list[Array]:
    """Channel after channel to the next group, as cards are dealt."""
    return [array[..., n::groups] for n in range(groups)]


def _zeros_between(one: Array, step: Pair) -> Array:
    spread = np.zeros([s * (n - 1) + 1 for n, s in zip(one.shape, step, strict=True)])
    spread[:: step[0], :: step[1]] = one
    return spread


def _dilated(kernel: Array, dilation: Pair) -> Array:
    spread = np.zeros((*(t * (k - 1) + 1 for t, k in zip(dilation, kernel.shape, strict=False)), *kernel.shape[2:]))
    spread[:: dilation[0], :: dilation[1]] = kernel
    return spread


def _without_sides(one: Array, sides: Sides) -> Array:
    (top, bottom), (left, right) = sides
    return one[top : one.shape[0] - bottom, left : one.shape[1] - right]


def _padded(inputs: Array, sides: Sides) -> Array:
    return np.pad(inputs, ((0, 0), *sides, (0, 0)))


def _cropping(change: Callable) -> Callable:
    """A way to cut the padding off that knows one number for both sides."""
    return lambda one, sides: change(one, (sides[0][0], sides[1][0]))


# The input gradient


def right_input_gradient(inputs, kernel, delta, bias, **steps):
    """What `conv2d_input_gradient` says."""
    return conv2d_input_gradient(delta, kernel, inputs.shape[1:3], **steps)


def right_kernel_gradient(inputs, kernel, delta, bias, **steps):
    """What `conv2d_kernel_gradient` says."""
    return conv2d_kernel_gradient(inputs, delta, kernel.shape[:2], **steps)


def input_gradient(
    inputs, kernel, delta, stride, padding, dilation, groups, *,
    spread=_zeros_between, back=None, place=in_corner, crop=_without_sides, fill=as_it_is, deal=_dealt,
    enlarge=_dilated, **_,
):  # fmt: skip
    """δ ⊗ rot180(w) in the steps that can go wrong."""
    back = back or exercises.multichannel_input_gradient.compute
    size = [n + sum(sides) for n, sides in zip(inputs.shape[1:3], padding, strict=True)]
    apart = _each_map(spread, delta, stride)
    parts = zip(deal(apart, groups), deal(kernel, groups), strict=True)
    covered = np.concatenate([back(d, enlarge(w, dilation)) for d, w in parts], axis=3)
    return _each_map(lambda one: fill(crop(place(one, size), padding), inputs.shape[1:3]), covered)


def _spread_of_window(inputs, kernel, delta, stride, padding, dilation, groups, **_):
    (N, H, W, C), (k1, k2, _, D) = inputs.shape, kernel.shape
    (s1, s2), ((p1, _), (p2, _)), (t1, t2) = stride, padding, dilation
    gradient = np.zeros((N, H, W, C))
    for image, i, j, d in np.ndindex(delta.shape):
        first = d // (D // groups) * (C // groups)
        for m in range(k1):
            for n in range(k2):
                row, column = s1 * i + t1 * m - p1, s2 * j + t2 * n - p2
                if 0 <= row < H and 0 <= column < W:
                    gradient[image, row, column, first : first + C // groups] += (
                        delta[image, i, j, d] * kernel[m, n, :, d]
                    )
    return gradient


def _spread_on_padded(inputs, kernel, delta, stride, padding, dilation, groups, **_):
    (N, H, W, C), (k1, k2, _, D) = inputs.shape, kernel.shape
    (s1, s2), ((top, bottom), (left, right)), (t1, t2) = stride, padding, dilation
    rows, columns = delta.shape[1], delta.shape[2]
    padded = np.zeros((N, H + top + bottom, W + left + right, C))
    for d in range(D):
        first = d // (D // groups) * (C // groups)
        for m in range(k1):
            for n in range(k2):
                for c in range(C // groups):
                    padded[:, t1 * m : t1 * m + s1 * rows : s1, t2 * n : t2 * n + s2 * columns : s2, first + c] += (
                        delta[:, :, :, d] * kernel[m, n, c, d]
                    )
    return padded[:, top : top + H, left : left + W]


def _last_window_stays(inputs, kernel, delta, stride, padding, dilation, groups, **_):
    """What a window gives in the place of what was there, not on top of it."""
    (N, H, W, C), (k1, k2, c, D) = inputs.shape, kernel.shape
    (s1, s2), ((top, bottom), (left, right)), (t1, t2), d = stride, padding, dilation, D // groups
    padded = np.zeros((N, H + top + bottom, W + left + right, C))
    for i, j in np.ndindex(delta.shape[1:3]):
        for g in range(groups):
            part = np.einsum("nd,klcd->nklc", delta[:, i, j, d * g : d * g + d], kernel[..., d * g : d * g + d])
            padded[:, s1 * i : s1 * i + t1 * k1 : t1, s2 * j : s2 * j + t2 * k2 : t2, c * g : c * g + c][
                :, :k1, :k2
            ] = part
    return padded[:, top : top + H, left : left + W]


def _last_weight_stays(inputs, kernel, delta, stride, padding, dilation, groups, **_):
    """The same, weight after weight."""
    (N, H, W, C), (k1, k2, c, D) = inputs.shape, kernel.shape
    (s1, s2), ((top, bottom), (left, right)), (t1, t2), d = stride, padding, dilation, D // groups
    (_, rows, columns, _), padded = delta.shape, np.zeros((N, H + top + bottom, W + left + right, C))
    for g in range(groups):
        for m in range(k1):
            for n in range(k2):
                part = delta[..., d * g : d * g + d] @ kernel[m, n, :, d * g : d * g + d].T
                padded[:, t1 * m : t1 * m + s1 * rows : s1, t2 * n : t2 * n + s2 * columns : s2, c * g : c * g + c][
                    :, :rows, :columns
                ] = part
    return padded[:, top : top + H, left : left + W]


def _left_over(rows: Callable) -> Callable:
    """The steps of a framework's transposed convolution, whose ``output_padding`` is counted by ``rows``."""

    def compute(inputs, kernel, delta, stride, padding, dilation, **steps):
        axes = zip(inputs.shape[1:3], kernel.shape, stride, map(sum, padding), dilation, strict=False)
        over = [rows(*axis) for axis in axes]

        def place(covered, size):
            return in_corner(covered, [n + o for n, o in zip(covered.shape, over, strict=True)])

        return input_gradient(inputs, kernel, delta, stride, padding, dilation, place=place, **steps)

    return compute


INPUT_PROGRAMS = (_spread_of_window, _spread_on_padded)


def _dilation_and_groups(grouped: Mapping[str, Callable]) -> list[list[Misconception]]:
    return [
        mistake(
            "dilation ignored",
            "The dilation was left out of the backward pass: neighbouring weights read neighbouring pixels.",
            "Weight (m, n) has seen the pixel t·m rows and t·n columns on, and its gradient goes the same way.",
            "notebook 10, dilation",
            dilation=lambda dilation: (1, 1),
        ),
        mistake(
            "stride for dilation",
            "Stride and dilation were exchanged.",
            "Forward the window reads at s·i + t·m − p: the stride goes with the place, the dilation with the weight.",
            "notebook 10, dilation",
            {"dilation": lambda dilation: dilation[::-1]},
        ),
        mistake(
            "padding of the other side",
            "The padding of the bottom was taken for that of the top, or of the right for the left.",
            "A pixel's index is moved by what is padded before it, at the top and on the left, alone.",
            "notebook 10, padding",
            {"padding": lambda sides: (sides[0][::-1], sides[1][::-1])},
            {"padding": lambda sides: ((sides[0][0],) * 2, (sides[1][0],) * 2)},
            {"padding": lambda sides: ((sides[0][1],) * 2, (sides[1][1],) * 2)},
        ),
        mistake(
            "groups dealt in turn",
            "Channels and filters were dealt to the groups in turn, or in another order.",
            "A group has channels that follow each other: the first C / groups, then the next.",
            "notebook 11",
            grouped,
        ),
    ]  # fmt: skip


def _first_group_only(r, a):
    kept = np.zeros_like(r)
    kept[..., : r.shape[3] // a.groups] = r[..., : r.shape[3] // a.groups]
    return kept


def _correlated_with_forward_padding(r, a):
    turned = rot180(a.kernel).swapaxes(2, 3)
    result = conv2d(a.delta, turned, padding=a.padding)
    return result if result.shape == r.shape else None


INPUT_MISTAKES = [
    *_from_exercise("multichannel_input_gradient", "kernel", "delta", "result", "back"),
    *[
        [Misconception(m.name, m.done, m.why, m.where, {**m.changes, **crop})]
        for (m,) in _from_exercise("strided_input_gradient", "spread", "place", "crop", "fill", "stride", "padding")
        for crop in [{"crop": _cropping(m.changes["crop"])} if "crop" in m.changes else {}]
    ],
    *_dilation_and_groups({"deal": _in_turn}),
    mistake(
        "padding removed at the wrong side",
        "You took all of the padding off at the bottom and on the right.",
        "The padding is no part of the input: its rows at the top and columns on the left come off first.",
        "notebook 10, padding",
        crop=lambda one, sides: one[: one.shape[0] - sum(sides[0]), : one.shape[1] - sum(sides[1])],
    ),
    mistake(
        "output_padding miscounted",
        "You took another number of rows and columns for those that the windows leave over (output_padding).",
        "They are (H + 2·p − window) mod s, with window = dilation·(k − 1) + 1.",
        "notebook 10, stride",
        *(
            {"compute": _left_over(rows)}
            for rows in (
                lambda n, k, s, p, t: (n + p - k) % s,
                lambda n, k, s, p, t: (n - t * (k - 1) - 1) % s,
                lambda n, k, s, p, t: (n - k) % s,
                lambda n, k, s, p, t: (n + p) % s,
                lambda n, k, s, p, t: s - 1,
            )
        ),
    ),
    mistake(
        "forward padding in the backward pass",
        "δ was padded as the inputs are.",
        "Backward the padding is t·(k − 1) − p: with zeros so wide around δ each pixel meets all of its weights.",
        "notebook 10, padding",
        result=_correlated_with_forward_padding,
    ),
    mistake(
        "= for +=",
        "Where windows overlap, the last one replaced what was there.",
        "What comes from every window and every weight adds up: +=, or an atomic add where many threads write.",
        "notebook 10, stride",
        {"compute": _last_window_stays},
        {"compute": _last_weight_stays},
    ),
    mistake(
        "first group only",
        "Only the channels of the first group have a gradient.",
        "Each group is a layer of its own, with its own channels and filters.",
        "notebook 11",
        result=_first_group_only,
    ),
]


# The kernel gradient


def kernel_gradient(
    inputs, kernel, delta, stride, padding, dilation, groups, *,
    spread=_zeros_between, slide=None, pad=_padded, deal=_dealt, **_,
):  # fmt: skip
    """o ⊗ δ in the steps that can go wrong."""
    slide = slide or exercises.multichannel_kernel_gradient.compute
    apart, (k1, k2) = _each_map(spread, delta, stride), kernel.shape[:2]
    parts = zip(deal(pad(inputs, padding), groups), deal(apart, groups), strict=True)
    sums = np.concatenate([slide(o, d) for o, d in parts], axis=3)
    return sums[: dilation[0] * (k1 - 1) + 1 : dilation[0], : dilation[1] * (k2 - 1) + 1 : dilation[1]]


def _sums_of_products(inputs, kernel, delta, stride, padding, dilation, groups, **_):
    (_, H, W, C), (k1, k2, _, D) = inputs.shape, kernel.shape
    (s1, s2), ((p1, _), (p2, _)), (t1, t2) = stride, padding, dilation
    gradient = np.zeros(kernel.shape)
    for image, i, j, d in np.ndindex(delta.shape):
        first = d // (D // groups) * (C // groups)
        for m in range(k1):
            for n in range(k2):
                row, column = s1 * i + t1 * m - p1, s2 * j + t2 * n - p2
                if 0 <= row < H and 0 <= column < W:
                    gradient[m, n, :, d] += (
                        delta[image, i, j, d] * inputs[image, row, column, first : first + C // groups]
                    )
    return gradient


KERNEL_PROGRAMS = (_sums_of_products,)
KERNEL_MISTAKES = [
    *_from_exercise("multichannel_kernel_gradient", "inputs", "delta", "result", "slide"),
    mistake(
        "stride ignored",
        "The stride was left out: δ was slid as it is.",
        "Neighbours in δ come from windows s pixels apart: slide it with s − 1 zeros between.",
        "notebook 10, stride",
        spread=lambda one, step: one,
    ),
    mistake(
        "padding ignored",
        "The inputs were taken without their padding, or with it on one side only.",
        "The windows are those of the forward pass, which saw the padded inputs.",
        "notebook 10, padding",
        {"pad": lambda inputs, sides: np.pad(inputs, ((0, 0), *((0, sum(side)) for side in sides), (0, 0)))},
        {"pad": lambda inputs, sides: np.pad(inputs, ((0, 0), *((sum(side), 0) for side in sides), (0, 0)))},
    ),
    *_dilation_and_groups({"deal": _in_turn}),
]  # fmt: skip


def bias_gradient(inputs, kernel, delta, stride, padding, dilation, groups, **_):
    """Σ δ."""
    return exercises.bias_gradient.compute(delta)


BIAS_MISTAKES = _from_exercise("bias_gradient", "delta", "result")


# Forward


def forward(inputs, kernel, bias, stride, padding, dilation, groups, *, run=conv2d, **_):
    """x = o ⊗ w + b."""
    return run(inputs, kernel, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


FORWARD_MISTAKES = [
    mistake(
        "kernel flipped forward",
        "The forward pass turns the kernel by 180°: it is a true convolution.",
        "A layer slides the kernel as it is; turned forward, it must not be turned backward.",
        "notebook 03",
        kernel=rot180,
    ),
    mistake("bias missing", "The bias is missing.", "Each filter adds its own.", "notebook 03", bias=np.zeros_like),
    mistake(
        "kernel transposed", "Rows and columns of the kernel are exchanged.", "The first index counts rows.",
        "notebook 03", kernel=lambda kernel: kernel.swapaxes(0, 1),
    ),
    *_dilation_and_groups({"kernel": lambda kernel: kernel[..., ::-1]})[:3],
]  # fmt: skip


# Cases

SMALL = 3, 2  # the kernel of the last case, which is searched first


Round = Callable[[Array], Array]  # to numbers that a dtype has


def cases(count: int, steps: Sequence[str], pairs: bool, one_side: bool, rounded: Round, seed: int) -> list[Case]:
    """Cases of a convolutional layer: each of the ``steps`` with a value that does nothing, and with others.

    All the combinations of them come in turn, and with them kernels of one row, even and odd ones, windows that fit
    exactly and that leave rows over, one image and several. The last is small, with all of the steps.
    """
    return [_case(n, n == count - 1, steps, pairs, one_side, rounded, seed) for n in range(count)]


def _case(n: int, last: bool, steps: Sequence[str], pairs: bool, one_side: bool, rounded: Round, seed: int) -> Case:
    rng = np.random.default_rng((seed, n))
    order = [step for step in ("stride", "padding", "dilation", "groups") if step in steps]
    order += ["one_side"] if one_side and "padding" in steps else []
    on = {step: last or bool(n >> bit & 1) for bit, step in enumerate(order)}

    def pair(low: int, high: int) -> Pair:
        first, second = (int(v) for v in rng.integers(low, high + 1, 2))
        return (first, second) if pairs else (first, first)

    def step(name: str, otherwise: int, low: int, high: int) -> Pair:
        found = pair(low, high)
        if pairs and max(found) == otherwise:
            found = (found[0], low + 1)
        return found if on.get(name) else (otherwise, otherwise)

    stride = step("stride", 1, 1 if pairs else 2, 3)
    dilation = step("dilation", 1, 1 if pairs else 2, 3)
    around = step("padding", 0, 0 if pairs else 1, 2)
    sides: Sides = ((around[0],) * 2, (around[1],) * 2)
    if on.get("one_side"):
        top, left = (int(v) for v in rng.integers(0, 3, 2))
        sides = (top, top + 1), (left + 1, left)
        if not on["padding"]:
            sides = (0, 1), (1, 0)
    groups = int(rng.integers(2, 4)) if on.get("groups") else 1
    k: Any = (3, 3) if n == 0 else SMALL if last else tuple(int(v) for v in rng.integers(1, 4, 2))
    images, channels, filters = (int(v) for v in rng.integers(1, 4, 3))
    if last:
        images, channels, filters = 2, 2, 2
    over = [int(v) for v in rng.integers(0, 3 if last else 6, 2)]
    over = [o // s * s if n % 3 == 0 and not last else o for o, s in zip(over, stride, strict=True)]
    reach = [t * (m - 1) + 1 for t, m in zip(dilation, k, strict=True)]
    size: Any = tuple(max(1, r - sum(p)) + o for r, p, o in zip(reach, sides, over, strict=True))
    places = output_size("diagnose", size, (k[0], k[1]), stride, sides, dilation)

    def numbers(*shape: int) -> Array:
        return rounded(rng.normal(size=shape))

    arguments = {
        "inputs": numbers(images, *size, channels * groups),
        "kernel": numbers(*k, channels, filters * groups),
        "bias": numbers(filters * groups),
        "delta": numbers(images, *places, filters * groups),
        "stride": stride,
        "padding": sides,
        "dilation": dilation,
        "groups": groups,
    }
    over_rows = any((m + sum(p) - r) % s for m, p, r, s in zip(size, sides, reach, stride, strict=True))
    seen = [
        [s * i + t * m - before for i in range(places_) for m in range(k_)]
        for s, t, (before, _), places_, k_ in zip(stride, dilation, sides, places, k, strict=True)
    ]
    inside = [[at for at in some if 0 <= at < n] for some, n in zip(seen, size, strict=True)]
    overlap = all(inside) and any(len(set(some)) < len(some) for some in inside)
    twice = "2·padding is not dilation·(k − 1)" if "dilation" in steps else "2·padding is not k − 1"
    told = [  # the step that it tells something of, if it does; the likelier ones first
        ("stride", "stride > 1", max(stride) > 1),
        ("padding", "padding > 0", max(map(max, sides)) > 0),
        ("dilation", "dilation > 1", max(dilation) > 1),
        ("groups", "groups > 1", groups > 1),
        ("one_side", ONE_SIDE, any(a != b for a, b in sides)),
        ("", "windows overlap", overlap),
        ("", "the window leaves rows or columns over", over_rows),
        ("", "there are several images", images > 1),
        ("", "there are several channels", channels > 1),
        ("", "there are several filters", filters > 1),
        ("", "the kernel has more than one weight", k != (1, 1)),
        ("", "the kernel is not square", k[0] != k[1]),
        ("", "the kernel has an even side", not all(m % 2 for m in k)),
        ("padding", twice, any(2 * p[0] != r - 1 for p, r in zip(sides, reach, strict=True))),
        ("", "the input is not square", size[0] != size[1]),
        ("stride", "stride differs between rows and columns", stride[0] != stride[1]),
        ("padding", "padding differs between rows and columns", sides[0] != sides[1]),
        ("stride", "stride = 1", max(stride) == 1),
        ("padding", "padding = 0", max(map(max, sides)) == 0),
        ("groups", "groups = 1", groups == 1),
        ("", "the windows fit exactly", not over_rows),
    ]
    return Case(arguments, {words: holds for step, words, holds in told if step in ("", *order)})


def in_words(arguments: Mapping[str, Any]) -> str:
    """The sizes and steps of a case."""
    (_, H, W, C), (k1, k2, _, D) = arguments["inputs"].shape, arguments["kernel"].shape
    steps = {name: arguments[name] for name in ("stride", "padding", "dilation", "output_padding") if name in arguments}
    said = [f"{name} {_short(value)}" for name, value in steps.items()]
    return f"{H}×{W} inputs, C = {C}, a {k1}×{k2} kernel, D = {D}, {', '.join(said)}, groups {arguments['groups']}"


def _short(value: Any) -> str:
    if isinstance(value, tuple) and value[0] == value[1]:
        return _short(value[0])
    return str(value)
