"""Pooling, the transposed convolution, dense layers, batch normalisation and activations as they are diagnosed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from convbp import exercises
from convbp.convolution import conv2d, conv2d_kernel_gradient, conv2d_transpose, rot180
from convbp.diagnose import convolutions as conv
from convbp.diagnose.engine import Case
from convbp.exercises.mistakes import Computation, Misconception, mistake
from convbp.exercises.themes.own_layer import AXES, NORM, normalised
from convbp.pooling import average_pool2d, max_pool2d

Compute = Callable[..., Any]
Round = Callable[[np.ndarray], np.ndarray]  # to numbers that a dtype has
MEAN = "You took the mean, where the sum is due."
SIGN = [
    mistake(
        "opposite sign",
        "Every entry has the opposite sign.",
        "Somewhere one minus is too many or too few.",
        "notebook 08",
        result=lambda r, a: -r,
    )
]


def _lifted(computation: Computation, lift: Callable[..., Any]) -> list[list[Misconception]]:
    """Mistakes of another computation: ``lift`` does with our arguments what a function of its arguments does."""

    def compute(m: Misconception) -> Compute:
        return lambda **given: lift(lambda theirs: computation.wrong(theirs, m), **given)

    return [
        [Misconception(m.name, m.done, m.why, m.where, {"compute": compute(m)})] for m in computation.misconceptions
    ]


# Pooling


def _max_of_each_map(route: Callable[[Mapping], Any], inputs, delta, size, stride, padding):
    """The way back of max pooling, map by map, over inputs with −∞ around."""
    (p1, p2), result = padding, np.zeros(inputs.shape)
    around = np.pad(inputs, ((0, 0), (p1, p1), (p2, p2), (0, 0)), constant_values=-np.inf)
    for n, c in np.ndindex(len(inputs), inputs.shape[3]):
        one = route({"inputs": around[n, ..., c], "delta": delta[n, ..., c], "size": size, "stride": stride})
        result[n, ..., c] = one[p1 : p1 + inputs.shape[1], p2 : p2 + inputs.shape[2]]
    return result


def _mean_of_each_map(route: Callable[[Mapping], Any], inputs, delta, size, stride, padding):
    (p1, p2), result = padding, np.zeros(inputs.shape)
    (_, H, W, _) = inputs.shape
    for n, c in np.ndindex(len(inputs), inputs.shape[3]):
        given = {"delta": delta[n, ..., c], "input_size": (H + 2 * p1, W + 2 * p2), "size": size, "stride": stride}
        result[n, ..., c] = route(given)[p1 : p1 + H, p2 : p2 + W]
    return result


def _padding_not_counted(inputs, delta, size, stride, padding):
    """The mean over those entries of a window that are no padding."""
    counted = average_pool2d(np.ones_like(inputs), size, stride=stride, padding=padding).output
    return average_pool2d(inputs, size, stride=stride, padding=padding).route(delta / counted)


def _no_padding(back: Compute) -> Compute:
    def cut(inputs, delta, size, stride, padding):
        """As if the gradient of the padded inputs began with that of the inputs."""
        (p1, p2), (_, H, W, _) = padding, inputs.shape
        around = np.pad(inputs, ((0, 0), (p1, p1), (p2, p2), (0, 0)), constant_values=-1e9)
        return back(around, delta, size, stride, (0, 0))[:, :H, :W]

    return cut


def max_pool_back(inputs, delta, size, stride, padding):
    """What `max_pool2d` says."""
    return max_pool2d(inputs, size, stride=stride, padding=padding).route(delta)


def average_pool_back(inputs, delta, size, stride, padding):
    """What `average_pool2d` says."""
    return average_pool2d(inputs, size, stride=stride, padding=padding).route(delta)


def _cut_wrongly(back: Compute) -> list[Misconception]:
    return mistake(
        "padding removed at the wrong side",
        "You took all of the padding off at the bottom and on the right.",
        "The padding is no part of the input: its rows at the top and columns on the left come off first.",
        "notebook 10, padding",
        compute=_no_padding(back),
    )


def _zeros_around(inputs, delta, size, stride, padding):
    (p1, p2), (_, H, W, _) = padding, inputs.shape
    around = np.pad(inputs, ((0, 0), (p1, p1), (p2, p2), (0, 0)))
    return max_pool_back(around, delta, size, stride, (0, 0))[:, p1 : p1 + H, p2 : p2 + W]


MAX_MISTAKES = [
    mistake(
        "padded with 0, not −∞",
        "You padded with zeros: where all entries of a window are negative, the padding wins.",
        "What is padded must never be the largest: pad with −∞.",
        "notebook 09, max pooling",
        compute=_zeros_around,
    ),
    *_lifted(exercises.max_routing.computation, _max_of_each_map),
    _cut_wrongly(max_pool_back),
]
AVERAGE_MISTAKES = [
    *_lifted(exercises.average_routing.computation, _mean_of_each_map),
    _cut_wrongly(average_pool_back),
    mistake(
        "padding not counted",
        "You divided by the number of entries that are no padding.",
        "Here padded zeros count, as in PyTorch by default; there count_include_pad=False is the other choice.",
        "notebook 09, average pooling",
        compute=_padding_not_counted,
    ),
]


def other_ties(inputs, delta, size, stride, padding):
    """What is right as well where several entries are the largest: δ to another one of them, or shared."""
    known = [m for m in exercises.max_routing.computation.misconceptions if m.name in ("tie to another", "ties split")]
    wrong = exercises.max_routing.computation.wrong

    def made(m: Misconception) -> Callable[[Mapping], Any]:
        return lambda theirs: wrong(theirs, m)

    return [_max_of_each_map(made(m), inputs, delta, size, stride, padding) for m in known]


def pooling_cases(count: int, steps: Sequence[str], pairs: bool, rounded: Round, seed: int) -> list[Case]:
    """Windows that overlap, leave gaps and rows over, with and without padding, ties on one in four."""
    return [_pooling_case(n, n == count - 1, steps, pairs, rounded, seed) for n in range(count)]


def _pooling_case(n: int, last: bool, steps: Sequence[str], pairs: bool, rounded: Round, seed: int) -> Case:
    rng = np.random.default_rng((seed, n))

    def pair(low: int, high: int) -> Any:
        first, second = (int(v) for v in rng.integers(low, high + 1, 2))
        return (first, second) if pairs else (first, first)

    size = (2, 3) if last and pairs else pair(1 if n % 5 == 0 else 2, 3)
    stride = pair(1, 4) if "stride" in steps and n & 1 else size
    padding: Any = tuple(k // 2 if "padding" in steps and n & 2 else 0 for k in size)
    images, channels, over = (2, 2, (1, 2)) if last else (*(int(v) for v in rng.integers(1, 4, 2)), pair(0, 5))
    H, W = (max(1, k - 2 * p) + o for k, p, o in zip(size, padding, over, strict=True))
    ties = n % 4 == 3 and not last
    numbers = rng.integers(-2, 3, (images, H, W, channels)) if ties else rng.normal(size=(images, H, W, channels))
    inputs = rounded(numbers)
    places = average_pool2d(inputs, size, stride=stride, padding=padding).output.shape
    arguments = {
        "inputs": inputs,
        "delta": rounded(rng.normal(size=places)),
        "size": size,
        "stride": stride,
        "padding": padding,
    }
    rests = [(m + 2 * p - k) % s for m, p, k, s in zip((H, W), padding, size, stride, strict=True)]
    conditions = {
        "windows overlap": any(s < k for s, k in zip(stride, size, strict=True)),
        "padding > 0": any(padding),
        "several entries are the largest": ties,
        "the window leaves rows or columns over": any(rests),
        "windows leave gaps": any(s > k for s, k in zip(stride, size, strict=True)),
        "the stride is not the size": stride != size,
        "stride > 1": max(stride) > 1,
        "the window has more than one entry": size != (1, 1),
        "the window is not square": size[0] != size[1],
        "stride differs between rows and columns": stride[0] != stride[1],
        "there are several images": images > 1,
        "there are several channels": channels > 1,
        "the input is not square": H != W,
        "windows do not overlap": not any(s < k for s, k in zip(stride, size, strict=True)),
    }
    return Case(arguments, conditions)


# The transposed convolution: what conv2d does with its inputs happens here to δ


def transposed_cases(cases: Sequence[Case]) -> list[Case]:
    """Cases of a convolutional layer, seen from its other end; what it leaves over is the output padding."""
    return [Case(_from_the_other_end(**case.arguments), case.conditions) for case in cases]


def _from_the_other_end(inputs, kernel, bias, delta, stride, padding, dilation, groups):
    reach = [t * (k - 1) + 1 for t, k in zip(dilation, kernel.shape, strict=False)]
    sizes = zip(inputs.shape[1:3], padding, reach, stride, strict=True)
    over = tuple((n + sum(p) - r) % s for n, p, r, s in sizes)
    return {
        "inputs": delta,
        "kernel": kernel,
        "bias": inputs[0, 0, 0],
        "delta": inputs,
        "stride": stride,
        "padding": padding,
        "output_padding": over,
        "dilation": dilation,
        "groups": groups,
    }


def transposed_forward(inputs, kernel, bias, delta, **steps):
    """What `conv2d_transpose` says."""
    return conv2d_transpose(inputs, kernel, bias, **steps)


def transposed_dx(inputs, kernel, bias, delta, output_padding, **steps):
    """The input gradient of a transposed convolution is a convolution."""
    return conv2d(delta, kernel, **steps)


def transposed_dw(inputs, kernel, bias, delta, output_padding, **steps):
    """That of the kernel is the convolution's, with inputs and δ in each other's place."""
    return conv2d_kernel_gradient(delta, inputs, kernel.shape[:2], **steps)


def _forward_of_delta(run: Callable[[Mapping], Any], inputs, kernel, bias, delta, output_padding, **steps):
    return run({"inputs": delta, "kernel": kernel, "bias": np.zeros(kernel.shape[3]), "delta": inputs, **steps})


def _exchanged(run: Callable[[Mapping], Any], inputs, kernel, bias, delta, output_padding, **steps):
    return run({"inputs": delta, "kernel": kernel, "bias": bias, "delta": inputs, **steps})


def _short(inputs, kernel, bias, delta, padding, output_padding, **steps):
    """What comes out if the padding is cut off where the last windows end; rows that are left over are missing."""
    (top, bottom), (left, right) = padding
    covered = conv2d_transpose(inputs, kernel, bias, **steps)
    return covered[:, top : covered.shape[1] - bottom, left : covered.shape[2] - right]


def _short_and_zeros(inputs, kernel, bias, delta, **steps):
    short = _short(inputs, kernel, bias, delta, **steps)
    return np.pad(short, [(0, n - m) for n, m in zip(delta.shape, short.shape, strict=True)])


def _input_gradient(run: Callable[[Mapping], Any], inputs, kernel, bias, delta, output_padding, **steps):
    """The forward pass is the input gradient, of a layer whose inputs have the shape of our δ."""
    return run({"inputs": np.zeros_like(delta), "kernel": kernel, "bias": bias, "delta": inputs, **steps}) + bias


_LEFT_OVER = (
    "It says how large the output is, and pads no zeros: a row that is left over stands before the padding is cut, and "
    "where there is padding, a window reaches it. There is a bias, too.",
    "notebook 17, transposed convolution",
)
TRANSPOSED_FORWARD = [
    mistake(
        "zeros for output_padding",
        "You put rows or columns of zeros at the end for output_padding, after the padding was cut off.",
        *_LEFT_OVER,
        {"compute": _short_and_zeros},
        {"compute": lambda bias, **given: _short_and_zeros(bias=np.zeros_like(bias), **given) + bias},
    ),
    mistake("output_padding ignored", "You left out output_padding.", *_LEFT_OVER, compute=_short),
    mistake("bias missing", "The bias is missing.", "Each filter adds its own.", "notebook 03", bias=np.zeros_like),
    *_lifted(Computation(conv.input_gradient, conv.INPUT_MISTAKES), _input_gradient),
]
_OTHERWISE = ("kernel flipped forward", "bias missing")  # said of δ in other words, or not of δ
_KNOWN_FORWARD = Computation(
    conv.forward, [group for group in conv.FORWARD_MISTAKES if group[0].name not in _OTHERWISE]
)
TRANSPOSED_DX = [
    mistake(
        "kernel turned",
        "You turned the kernel by 180°.",
        "The way back of a transposed convolution is a convolutional layer: it slides the kernel over δ as it is.",
        "notebook 08",
        kernel=rot180,
        compute=transposed_dx,
    ),
    *_lifted(_KNOWN_FORWARD, _forward_of_delta),
    *SIGN,
]
TRANSPOSED_DW = _lifted(Computation(conv.kernel_gradient, conv.KERNEL_MISTAKES), _exchanged)
TRANSPOSED_DB = _lifted(
    exercises.bias_gradient.computation, lambda run, inputs, kernel, bias, delta, **steps: run({"delta": delta})
)


# Dense layers, batch normalisation, activations: δ and inputs with one row for each image


def rows_cases(
    count: int, arrays: Callable[..., Mapping[str, Any]], lengths: Sequence[str], rounded: Round, seed: int
) -> list[Case]:
    """Batches of one to five images; ``arrays(rng, images, first, second)`` makes what goes in.

    ``lengths`` says of what there are ``first`` and ``second``; of "" nothing is said.
    """
    found = []
    for n in range(count):
        rng = np.random.default_rng((seed, n))
        images, first, second = (2, 3, 2) if n == count - 1 else (int(v) for v in rng.integers(1, 6, 3))
        given = {
            name: rounded(value) if isinstance(value, np.ndarray) else value
            for name, value in arrays(rng, images, first, second).items()
        }
        conditions = {
            "there are several images": images > 1,
            **{f"there are several {name}": n > 1 for name, n in zip(lengths, (first, second), strict=True) if name},
            **({f"{' and '.join(lengths)} differ in number": first != second} if all(lengths) else {}),
            "there is one image": images == 1,
        }
        found.append(Case(given, conditions))
    return found


def dense_arrays(rng, images, first, second):
    """(N, I), (I, O), (O,) and (N, O)."""
    shapes = {"inputs": (images, first), "kernel": (first, second), "bias": (second,), "delta": (images, second)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


DENSE_DX = [
    *SIGN,
    mistake(
        "weights not transposed",
        "You multiplied δ with w as it is.",
        "Backward every unit sends its δ along its weights to the inputs: δ wᵀ.",
        "notebook 12",
        result=lambda r, a: a.delta @ a.kernel,
    ),
]
DENSE_DW = [
    *SIGN,
    mistake("mean for sum", MEAN, "All images share the weights, and each adds its part.", "notebook 12",
            result=lambda r, a: r / len(a.delta)),
    mistake("transposed", "Inputs and units of your result are exchanged.", "It has the shape of w.", "notebook 12",
            result=lambda r, a: r.T),
]  # fmt: skip
DENSE_DB = [
    *SIGN,
    mistake("mean for sum", MEAN, "All images share the bias, and each adds its part.", "notebook 12",
            {"result": lambda r, a: r / len(a.delta)}, {"result": lambda r, a: np.full_like(r, a.delta.mean())}),
    mistake("summed over the wrong axis", "You summed over the units.", "Each unit has its own bias.", "notebook 12",
            result=lambda r, a: a.delta.sum(axis=1)),
]  # fmt: skip


def norm_arrays(rng, images, first, second):
    """(N, H, W, C), with at least two numbers in each channel."""
    shape = images, first + 1, 2, second
    arrays = {"inputs": rng.normal(1, 2, shape), "delta": rng.normal(size=shape)}
    return {**arrays, "gamma": rng.normal(1, 1, second), "beta": rng.normal(size=second), "eps": 1e-3}


def norm_forward(inputs, delta, gamma, beta, eps):
    """y = γ x̂ + β."""
    return gamma * normalised(inputs, eps)[0] + beta


def norm_dx(inputs, delta, gamma, beta, eps, **steps):
    """What the exercise says."""
    return exercises.batch_norm_delta.compute(delta, inputs, gamma, eps, **steps)


def norm_dgamma(inputs, delta, gamma, beta, eps):
    """Σ δ x̂."""
    return (delta * normalised(inputs, eps)[0]).sum(axis=AXES)


def norm_dbeta(inputs, delta, gamma, beta, eps):
    """Σ δ."""
    return delta.sum(axis=AXES)


NORM_DX = exercises.batch_norm_delta.computation.changing(
    "through_mean", "through_variance", "variance", "eps", "gamma", "result"
)
NORM_DGAMMA = [
    *SIGN,
    mistake("not normalised", "You multiplied δ with x, not with x̂.", "y = γ x̂ + β, so ∂y/∂γ = x̂.", NORM,
            result=lambda r, a: (a.delta * a.inputs).sum(axis=AXES)),
    mistake("mean for sum", MEAN, "Every entry of a channel shares its γ.", NORM,
            {"result": lambda r, a: r / a.delta[..., 0].size}, {"result": lambda r, a: r / len(a.delta)}),
]  # fmt: skip
NORM_DBETA = [
    *SIGN,
    mistake("mean for sum", MEAN, "Every entry of a channel shares its β.", NORM,
            {"result": lambda r, a: r / a.delta[..., 0].size}, {"result": lambda r, a: r / len(a.delta)}),
]  # fmt: skip


def activation_mistakes(name: str, value: Compute, slope: Compute) -> list[list[Misconception]]:
    """What goes wrong with δ · f′(x)."""
    where = "notebook 08, Eq. 20"
    formula = {"tanh": lambda y: 1 - y**2, "sigmoid": lambda y: y * (1 - y)}.get(name)
    by_output = (
        []
        if formula is None
        else [
            mistake(
                "x for y in f′",
                "You put x in the place of y in the formula of f′ by y = f(x).",
                "f′ is 1 − y² for tanh and y · (1 − y) for the sigmoid, where y is what came out.",
                where,
                result=lambda r, a: a.delta * formula(a.inputs),
            ),
        ]
    )
    return [
        *SIGN,
        *by_output,
        mistake("f′ of δ", "You took f′ at δ.", "f′ is taken at x: what went in decides, not what comes back.", where,
                result=lambda r, a: a.delta * slope(a.delta)),
        mistake("f for f′", "You multiplied δ with f(x).", "By the chain rule it is f′(x).", where,
                result=lambda r, a: a.delta * value(a.inputs)),
        mistake("f′ at the output", "You took f′ at the output.", "f′ is taken at x, before the activation.", where,
                result=lambda r, a: a.delta * slope(value(a.inputs))),
        mistake("delta missing", "You returned f′(x) without δ.", "By the chain rule it counts times δ.", where,
                result=lambda r, a: slope(a.inputs)),
        mistake("f′ missing", "You sent δ back as it is.", "By the chain rule it counts times f′(x).", where,
                result=lambda r, a: a.delta),
    ]  # fmt: skip
