"""The chain rule: δ at the output, through an activation, and from layer to layer."""

from collections.abc import Callable

import numpy as np

from convbp import loops
from convbp.activations import relu, sigmoid, tanh
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.exercises.exercise import Accepted, exercise
from convbp.exercises.mistakes import Misconception, mistake
from convbp.exercises.themes import arrays
from convbp.exercises.themes.arrays import quarters, random, sevenths
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    full,
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
from convbp.notation import number, subscripted
from convbp.sums import functions, symbol, symbols

LOSS = "notebook 05, Eq. 9"
DELTA = "notebook 04, Eq. 8, and notebook 05, Eq. 9"
SLOPE = "notebook 08, Eq. 18 to 20"
RECURSION = "notebook 08, Eq. 20 to 22"
WORKED = "notebook 16, the worked question"
_LEAKY = 0.01, 0.1, 0.2, 0.3  # the slopes that are usual for x < 0


def _slope_mistakes(f, where: str) -> list[Misconception]:
    """What is put in the place of f′(x)."""
    return [
        *mistake(
            "f′ missing",
            "You left out f′(x).",
            "The error passes through the activation, too, and the chain rule multiplies with its derivative.",
            where,
            slope=lambda x: 1,
        ),
        *mistake(
            "f for f′",
            "You multiplied with f(x), where f′(x) is due.",
            "The chain rule asks how fast f changes at x, not how large it is.",
            where,
            slope=f,
        ),
        *mistake(
            "f′ at the output",
            "You took f′ at the output f(x), where it is to be taken at the pre-activation x.",
            "f has been applied to x, so its slope there is what counts.",
            where,
            slope=lambda x: f.derivative(f(x)),
        ),
        *mistake(
            "f′ twice",
            "You multiplied with f′(x) twice.",
            "The error passes through the activation once.",
            where,
            slope=lambda x: f.derivative(x) ** 2,
        ),
        *mistake(
            "pre-activation for f′",
            "You multiplied with the pre-activation x, where f′(x) is due.",
            "The chain rule asks how fast f changes at x.",
            where,
            slope=np.asarray,
        ),
    ]


def _slopes(f) -> dict[str, Callable]:
    """What else is put in the place of f′(x), with y = f(x)."""
    of_output: dict[str, Callable] = {
        "1 − y": lambda y: 1 - y,
        "1 + y": lambda y: 1 + y,
        "y²": np.square,
        "1 − y²": lambda y: 1 - y**2,
        "1 + y²": lambda y: 1 + y**2,
        "−y²": lambda y: -(y**2),
        "(1 − y)²": lambda y: (1 - y) ** 2,
        "y·(1 − y)": lambda y: y * (1 - y),
        "y·(1 + y)": lambda y: y * (1 + y),
        "y²·(1 − y)": lambda y: y**2 * (1 - y),
        "y·(1 − y²)": lambda y: y * (1 - y**2),
        "f(y)": f,
    }
    of_input: dict[str, Callable] = {
        "x²": np.square,
        "1 − x": lambda x: 1 - x,
        "1 − x²": lambda x: 1 - x**2,
        "x·(1 − x)": lambda x: x * (1 - x),
        "1/(1 + x²)": lambda x: 1 / (1 + x**2),
        "exp(x)": np.exp,
        "exp(−x)": lambda x: np.exp(-x),
        "x·f′(x)": lambda x: x * f.derivative(x),
        "1/f′(x)": lambda x: 1 / f.derivative(x),
        "the root of f′(x)": lambda x: np.sqrt(f.derivative(x)),
        "f′(−x)": lambda x: f.derivative(-x),
        "1 − f′(x)": lambda x: 1 - f.derivative(x),
        "the sigmoid": sigmoid,
        "the derivative of the sigmoid": sigmoid.derivative,
        "tanh(x)": tanh,
        "the derivative of tanh": tanh.derivative,
        "ReLU(x)": relu,
        "the derivative of ELU": lambda x: np.where(x > 0, 1, np.exp(x)),
        "1 for 0 < x < 1": lambda x: (x > 0) & (x < 1),
        "1 for 0 < x < 6": lambda x: (x > 0) & (x < 6),
        "1/x for x > 0": lambda x: np.where(x > 0, 1 / x, 0),
    }
    found = {name: lambda x, g=g: g(f(x)) for name, g in of_output.items()} | of_input
    return {
        f"{name} in the place of f′(x), y being f(x)" if "y" in name else f"{name} in the place of f′(x)": g
        for name, g in found.items()
    }


def _outputs(f) -> dict[str, Callable]:
    """What else is put in the place of y = f(x)."""
    found: dict[str, Callable] = {
        "f(f(x))": lambda x: f(f(x)),
        "f(−x)": lambda x: f(-x),
        "f′(x)": f.derivative,
        "the square of f(x)": lambda x: f(x) ** 2,
        "f(x), rounded to 0 or 1,": lambda x: np.round(f(x)),
        "tanh(x)": tanh,
        "ReLU(x)": relu,
        "exp(x)": np.exp,
        "exp(−x)": lambda x: np.exp(-x),
        "the softmax": lambda x: np.exp(x) / np.exp(x).sum(),
        "the softmax of each row": lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True),
        "the softmax of each column": lambda x: np.exp(x) / np.exp(x).sum(0),
    }
    return {f"{name} in the place of f(x)": g for name, g in found.items()}


def _with_own_slope(outputs: dict[str, Callable]) -> dict[str, tuple[Callable, Callable]]:
    """Each of them for f, and its y·(1 − y) for f′."""
    return {f"{name} and y·(1 − y) of that": (g, lambda x, g=g: g(x) * (1 - g(x))) for name, g in outputs.items()}


_SLOPES_AT_TARGETS: dict[str, tuple[Callable, Callable]] = {
    "t·(1 − t) in the place of f′(x)": (lambda y, t: (y - t) * t * (1 - t), np.ones_like),
    "f′(t) in the place of f′(x)": (lambda y, t: (y - t) * sigmoid.derivative(t), np.ones_like),
}
_DIFFERENCES: dict[str, Callable] = {
    f"{name} in the place of y − t": difference
    for name, difference in {
        "y": lambda y, t: y,
        "t": lambda y, t: t,
        "y + t": lambda y, t: y + t,
        "y·t": lambda y, t: y * t,
        "y − 1": lambda y, t: y - 1,
        "y² − t²": lambda y, t: y**2 - t**2,
        "(y − t)³": lambda y, t: (y - t) ** 3,
        "the sign of y − t": lambda y, t: np.sign(y - t),
        "−t/y": lambda y, t: -t / y,
        "(y − t)/(y·(1 − y))": lambda y, t: (y - t) / (y * (1 - y)),
        "the mean of y − t": lambda y, t: np.full(y.shape, np.mean(y - t)),
        "the sum of y − t": lambda y, t: np.full(y.shape, np.sum(y - t)),
    }.items()
}


def _derivatives_of_others(names: str, where: str, *slopes) -> list[Misconception]:
    return mistake(
        "derivative of another function",
        f"You took the derivative of {names}.",
        "f′ belongs to the activation of this layer.",
        where,
        *[{"slope": slope} for slope in slopes],
    )


def _output_delta(pre_activation, targets, *, output=sigmoid, difference=lambda y, t: y - t, slope=sigmoid.derivative):
    return difference(output(pre_activation), targets) * slope(pre_activation)


def _trace_back(delta, kernel):
    return loops.convolve(symbols("δ", delta), symbols("w", kernel), mode="full")


def _trace_output_delta(pre_activation, targets):
    errors = np.empty(targets.shape, object)
    for index, error in np.ndenumerate(sigmoid(pre_activation) - targets):
        errors[index] = symbol(f"({subscripted('y', *index)} − {subscripted('t', *index)})", error)
    return errors * functions("f′", "x", sigmoid.derivative(pre_activation))


def _output_delta_by_formula(pre_activation, targets):
    y = 1 / (1 + np.exp(-pre_activation))
    return (y - targets) * y * (1 - y)


@exercise(
    task="δ at the output of a network: ∂E/∂x for E = ½ Σ (t − y)² and y = f(x). "
    "Here f is the sigmoid, as convbp.sigmoid.",
    takes={"pre_activation": "x of the last layer, shape (H, W)", "targets": "t, shape (H, W)"},
    returns="an array of shape (H, W)",
    equation="Eq. 8, 9 and 15",
    axes=("row", "column"),
    inputs=[
        {"pre_activation": quarters(13, 3, 4), "targets": quarters(12, 3, 4)},
        {"pre_activation": quarters(14, 4, 3), "targets": quarters(15, 4, 3)},
        {"pre_activation": sevenths(131, 3, 4), "targets": sevenths(132, 3, 4)},
    ],
    hints=(
        "The chain has two links: ∂E/∂x = ∂E/∂y · ∂y/∂x.",
        "∂E/∂y = y − t, by Eq. 9, with no number in front.",
        "∂y/∂x = f′(x): sigmoid.derivative(x), or y·(1 − y).",
    ),
    trace=_trace_output_delta,
    compute=_output_delta,
    programs=(_output_delta_by_formula,),
    instead={
        "slope": _slopes(sigmoid),
        "output": _outputs(sigmoid),
        "difference": _DIFFERENCES,
        ("output", "slope"): _with_own_slope(_outputs(sigmoid)),
        ("difference", "slope"): _SLOPES_AT_TARGETS,
    },
    mistakes=[
        mistake(
            "sign of y − t",
            "You took t − y, where y − t is due: every entry has the opposite sign.",
            "E grows when y grows beyond t: ∂E/∂y = y − t.",
            LOSS,
            difference=lambda y, t: t - y,
        ),
        mistake(
            "y − t missing",
            "You left out y − t: your result does not depend on the targets.",
            "The chain begins with ∂E/∂y = y − t, and multiplies with f′(x).",
            LOSS,
            difference=lambda y, t: np.ones_like(y),
        ),
        *(
            mistake(
                "divided by P",
                f"You divided by the number of {of}.",
                "Eq. 9 is half the sum of the squares, though it is called a mean: there is no 1/P in its derivative.",
                LOSS,
                result=lambda r, a, count=count: r / count(r),
            )
            for of, count in (
                ("outputs", lambda r: r.size),
                ("rows, as / len(x) does", lambda r: len(r)),
                ("columns", lambda r: r.shape[1]),
            )
        ),
        mistake(
            "½ forgotten",
            "Your result is twice the right one.",
            "The 2 from the square is taken away by the ½ in Eq. 9.",
            LOSS,
            result=lambda r, a: 2 * r,
        ),
        mistake(
            "½ kept",
            "Your result is half the right one.",
            "The 2 from the square takes the ½ in Eq. 9 away.",
            LOSS,
            result=lambda r, a: r / 2,
        ),
        _slope_mistakes(sigmoid, DELTA),
        mistake(
            "f′ written for outputs, at the pre-activation",
            "You took x·(1 − x).",
            "The sigmoid's derivative is y·(1 − y) in terms of its output y = f(x).",
            DELTA,
            slope=lambda x: x * (1 - x),
        ),
        _derivatives_of_others(
            "tanh or ReLU", DELTA, tanh.derivative, lambda x: 1 - sigmoid(x) ** 2, relu.derivative, lambda x: 1 - x**2
        ),
        mistake(
            "pre-activation for output",
            "You compared the pre-activation x with the targets.",
            "The targets belong to the output y = f(x).",
            LOSS,
            output=np.asarray,
        ),
        mistake(
            "loss for its derivative",
            "You took the squares of Eq. 9, where their derivative y − t is due.",
            "δ is ∂E/∂x: how E changes, not how large it is.",
            LOSS,
            {"difference": lambda y, t: (t - y) ** 2 / 2},
            {"difference": lambda y, t: (t - y) ** 2},
            {"result": lambda r, a: np.sum((a.targets - sigmoid(a.pre_activation)) ** 2) / 2},
            {"result": lambda r, a: np.mean((a.targets - sigmoid(a.pre_activation)) ** 2)},
        ),
        mistake(
            "absolute value of y − t",
            "You took the absolute value of y − t.",
            "Its sign says in which direction the output is wrong.",
            LOSS,
            difference=lambda y, t: np.abs(y - t),
        ),
        mistake(
            "added up",
            "You added up all entries.",
            "Each pre-activation has its own δ; only E itself is a sum.",
            LOSS,
            {"result": lambda r, a: r.sum()},
            {"result": lambda r, a: r.mean()},
        ),
        mistake(
            "one difference for all",
            "You multiplied each f′(x) with the sum, or the mean, of y − t.",
            "∂E/∂yₚ is yₚ − tₚ: the other outputs do not come in.",
            LOSS,
            {"difference": lambda y, t: (y - t).sum()},
            {"difference": lambda y, t: (y - t).mean()},
        ),
        transposed(DELTA),
    ],
)
def output_delta(pre_activation, targets):
    return (sigmoid(pre_activation) - targets) * sigmoid.derivative(pre_activation)


def _other_slope(arguments, result):
    """Any slope from 0 to 1 at the kink is right; which one it is the result itself tells."""
    kink = (arguments["pre_activation"] == 0) & (arguments["delta"] != 0)
    if result.shape != kink.shape or not kink.any():
        return None
    at_zero = float((result[kink] / arguments["delta"][kink])[0])
    return _slope_at_zero(at_zero) if 0 < at_zero <= 1 else None


def _slope_at_zero(at_zero):
    return Accepted(
        f"At x = 0 you took the slope {number(at_zero)} for ReLU; the course takes 0, as PyTorch does. Both are right: "
        "there is a kink, and no derivative.",
        {"slope": lambda x: np.where(x == 0, at_zero, x > 0)},
    )


def _relu_delta_by_mask(delta, pre_activation):
    return delta * (pre_activation > 0)


def _relu_delta_in_loops(delta, pre_activation):
    H, W = delta.shape
    result = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            if pre_activation[i, j] > 0:
                result[i, j] = delta[i, j]
    return result


@exercise(
    task="δ on its way back through o = ReLU(x): δ of x from δ of o.",
    takes={"delta": "δ of the output o, shape (H, W)", "pre_activation": "x, shape (H, W)"},
    returns="an array of shape (H, W); where x is 0 any slope from 0 to 1 that is the same everywhere",
    equation="Eq. 18 and 19",
    axes=("row", "column"),
    inputs=[
        {
            "delta": np.array([[2, -1, 3, 1], [-2, 4, 1, -3], [5, 2, -4, 2]], float),
            "pre_activation": np.array([[1, -2, 0, 3], [0.5, 2, -1, 0], [-3, 0, 4, -0.5]]),
        },
        {"delta": random(16, 4, 3, dtype=float), "pre_activation": random(17, 4, 3) / 2},
        {"delta": sevenths(133, 3, 4), "pre_activation": sevenths(134, 3, 4)},
    ],
    hints=(
        "The derivative of max(x, 0) is 1 where x is positive and 0 where x is negative.",
        "np.where(x > 0, …, …) chooses entry by entry.",
    ),
    trace=lambda delta, pre_activation: symbols("δ", delta) * functions("f′", "x", relu.derivative(pre_activation)),
    accepted=_other_slope,
    usual=[_slope_at_zero(1), _slope_at_zero(0.5)],
    compute=lambda delta, pre_activation, *, slope=relu.derivative: delta * slope(pre_activation),
    programs=(
        _relu_delta_by_mask,
        _relu_delta_in_loops,
    ),
    instead={"slope": _slopes(relu)},
    mistakes=[
        mistake(
            "f′ missing",
            "You let δ through everywhere.",
            "Where x is negative ReLU is flat, and nothing of the error passes.",
            SLOPE,
            slope=np.ones_like,
        ),
        mistake(
            "f for f′",
            "You multiplied with max(x, 0), where f′(x) is due.",
            "Where x is positive ReLU has the slope 1, whatever x is.",
            SLOPE,
            slope=relu,
        ),
        mistake(
            "ReLU of δ",
            "You cut off the negative δ.",
            "Whether δ passes depends on the sign of x, not on that of δ.",
            SLOPE,
            {"result": lambda r, a: np.maximum(a.delta, 0)},
            {"result": lambda r, a: np.maximum(r, 0)},
        ),
        mistake(
            "delta missing",
            "Your result is f′(x) alone.",
            "The chain rule multiplies it with δ.",
            SLOPE,
            delta=np.ones_like,
        ),
        mistake(
            "only what passes",
            "Your result has only the δ that pass, in one row.",
            "The others are 0, in their places: δ·(x > 0), or np.where(x > 0, δ, 0).",
            SLOPE,
            {"result": lambda r, a: a.delta[a.pre_activation > 0]},
            {"result": lambda r, a: a.delta[a.pre_activation >= 0]},
        ),
        mistake(
            "ReLU of x",
            "Your result is f(x).",
            "Backward δ is multiplied with f′(x).",
            SLOPE,
            result=lambda r, a: np.maximum(a.pre_activation, 0),
        ),
        mistake(
            "wrong way round",
            "You let δ pass where x is negative.",
            "ReLU is flat there; it has the slope 1 where x is positive.",
            SLOPE,
            {"slope": lambda x: x < 0},
            {"slope": lambda x: x <= 0},
        ),
        mistake(
            "pre-activation for f′",
            "You multiplied with the pre-activation.",
            "Where x is positive ReLU has the slope 1, whatever x is.",
            SLOPE,
            slope=np.asarray,
        ),
        mistake(
            "sign of x for f′",
            "You multiplied with the sign of x.",
            "Where x is negative the slope is 0, not −1.",
            SLOPE,
            {"slope": np.sign},
            {"slope": lambda x: np.where(x > 0, 1, -1)},
        ),
        _derivatives_of_others(
            "leaky ReLU, the sigmoid or tanh",
            SLOPE,
            *[lambda x, slope=slope: np.where(x > 0, 1, slope) for slope in _LEAKY],
            *[lambda x, slope=slope: np.where(x < 0, slope, 1) for slope in _LEAKY],
            sigmoid.derivative,
            tanh.derivative,
            lambda x: relu(x) * (1 - relu(x)),
            lambda x: 1 - relu(x) ** 2,
        ),
        opposite_sign(SLOPE),
        transposed(SLOPE),
    ],
)
def relu_delta(delta, pre_activation):
    return np.where(pre_activation > 0, delta, 0)


def _pad_one_side(delta, kernel, side):
    return np.pad(delta, [(2 * (k - 1), 0) if side == 0 else (0, 2 * (k - 1)) for k in kernel.shape])


def _recursion_by_scattering(delta, kernel, pre_activation):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    back = np.zeros(pre_activation.shape)
    for i in range(rows):
        for j in range(columns):
            for m in range(k1):
                for n in range(k2):
                    back[i + m, j + n] += delta[i, j] * kernel[m, n]
    return back * (1 - np.tanh(pre_activation) ** 2)


def _recursion_by_gathering(delta, kernel, pre_activation):
    (H, W), (k1, k2), (rows, columns) = pre_activation.shape, kernel.shape, delta.shape
    result = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            for m in range(k1):
                for n in range(k2):
                    if 0 <= i - m < rows and 0 <= j - n < columns:
                        result[i, j] += delta[i - m, j - n] * kernel[m, n] * tanh.derivative(pre_activation[i, j])
    return result


def _recursion_of_padded(delta, kernel, pre_activation):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    slope = 1 - np.tanh(pre_activation) ** 2
    return cross_correlate(padded, kernel[::-1, ::-1]) * slope


def _recursion_by_copies(delta, kernel, pre_activation):
    k1, k2 = kernel.shape
    back = np.zeros(pre_activation.shape)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            back[i : i + k1, j : j + k2] += delta[i, j] * kernel
    return back * tanh.derivative(pre_activation)


@exercise(
    task="δ of a layer from δ of the layer above: δ ∗ w (full), times f′(x). Here f is tanh, as convbp.tanh.",
    takes={
        "delta": "δ of the layer above, shape (H', W')",
        "kernel": "w of the layer above, shape (k1, k2)",
        "pre_activation": "x of this layer, shape (H' + k1 - 1, W' + k2 - 1)",
    },
    returns="an array of the shape of x",
    equation="Eq. 20",
    axes=("row", "column"),
    inputs=[
        {"delta": arrays.DELTA, "kernel": arrays.KERNEL, "pre_activation": quarters(25, 4, 6)},
        {"delta": sevenths(135, 3, 4), "kernel": sevenths(136, 2, 3), "pre_activation": sevenths(137, 4, 6)},
        {"delta": random(26, 3, 5), "kernel": random(27, 3, 2), "pre_activation": quarters(28, 5, 6)},
        {"delta": random(29, 4, 5), "kernel": random(30, 2, 3), "pre_activation": quarters(31, 5, 7)},
        {"delta": random(86, 5, 3), "kernel": random(87, 4, 2), "pre_activation": quarters(88, 8, 4)},
        {"delta": sevenths(138, 2, 3), "kernel": sevenths(139, 1, 2), "pre_activation": quarters(140, 2, 4)},
    ],
    hints=(
        "First the way back through the kernel: the full convolution of δ with w.",
        "Then through the activation: entry by entry times f′(x).",
        "f′ is taken at the pre-activation: tanh.derivative(x), or 1 - tanh(x)**2.",
    ),
    trace=lambda delta, kernel, pre_activation: (
        _trace_back(delta, kernel) * functions("f′", "x", tanh.derivative(pre_activation))
    ),
    compute=lambda delta, kernel, pre_activation, *, slide=full, slope=tanh.derivative: (
        slide(delta, kernel) * slope(pre_activation)
    ),
    programs=(
        _recursion_by_scattering,
        _recursion_by_gathering,
        _recursion_of_padded,
        _recursion_by_copies,
    ),
    instead={"slope": _slopes(tanh)},
    mistakes=[
        _slope_mistakes(tanh, SLOPE),
        mistake(
            "f′ of the wrong argument",
            "You took f′ of what came back from the layer above.",
            "f′ is taken at this layer's pre-activation x.",
            SLOPE,
            {"result": lambda r, a: full(a.delta, a.kernel) * tanh.derivative(full(a.delta, a.kernel))},
        ),
        mistake(
            "activation on the way back",
            "You applied f to what comes back.",
            "Backward nothing is put through f: it is multiplied with f′(x).",
            SLOPE,
            {"slide": lambda delta, kernel: tanh(full(delta, kernel))},
            {"result": lambda r, a: tanh(full(a.delta, a.kernel))},
            {"delta": tanh},
        ),
        mistake(
            "f′ before the way back",
            "You multiplied δ of the layer above with f′, and sent it back then.",
            "The error comes back first, by the kernel, and then passes through the activation of this layer.",
            SLOPE,
            {"delta": lambda delta: delta * tanh.derivative(delta), "slope": np.ones_like},
        ),
        mistake(
            "f′ written for outputs, at the pre-activation",
            "You took 1 − x².",
            "The derivative of tanh is 1 − o² in terms of its output o = tanh(x): it has o in it, not x.",
            SLOPE,
            slope=lambda x: 1 - x**2,
        ),
        _derivatives_of_others(
            "the sigmoid or ReLU",
            SLOPE,
            sigmoid.derivative,
            relu.derivative,
            lambda x: x * (1 - x),
            lambda x: tanh(x) * (1 - tanh(x)),
        ),
        mistake(
            "flip missing",
            "You slid the kernel over δ as it is, or spread it turned (as Eq. 22 does if both its ∗ and its rot180 are "
            "taken at their word).",
            "The forward pass does not flip, so the way back does: δ ⊗ rot180(w), or δ ∗ w.",
            RECURSION,
            kernel=rot180,
        ),
        one_axis_missing("w", "δ", RECURSION),
        mistake(
            "Eq. 21 as printed",
            "You turned the whole sum, rot180(δ ⊗ w), as Eq. 21 is printed, or δ: rot180(δ) ∗ w is the same.",
            "Only w is turned, not what comes out.",
            "notebook 08, Eq. 21",
            slide=lambda delta, kernel: rot180(full(delta, rot180(kernel))),
        ),
        mistake(
            "map turned by 180°",
            "You turned what you sent back by 180°.",
            "Only w is turned, not what comes out.",
            RECURSION,
            {"slide": lambda delta, kernel: rot180(full(delta, kernel))},
        ),
        turned(RECURSION, "Only w is turned, not what comes out."),
        mistake(
            "valid for full",
            "You kept the kernel inside δ: that is the valid convolution, and it makes the array smaller.",
            "Each δ reaches a whole window of pixels: δ is padded by k − 1 on each side.",
            "notebook 07, valid or full",
            slide=convolve,
        ),
        mistake(
            "padding off by k − 1",
            "You put all the zeros on one side of δ.",
            "The kernel has to reach k₁ − 1 rows and k₂ − 1 columns over the border, on each side.",
            RECURSION,
            *[
                {"slide": lambda delta, kernel, side=side: convolve(_pad_one_side(delta, kernel, side), kernel)}
                for side in (0, 1)
            ],
        ),
        mistake(
            "wrapped around the border",
            "Past the border of δ you went on at its other side, as Python's negative indices do.",
            "Outside its map δ is zero: Q is clipped at the border.",
            "notebook 07, Eq. 16 and 17",
            {
                "slide": lambda delta, kernel: convolve(
                    np.pad(delta, [(k - 1, k - 1) for k in kernel.shape], mode="wrap"), kernel
                )
            },
            {
                "slide": lambda delta, kernel: convolve(
                    np.pad(
                        np.pad(delta, [(k - 1, 0) for k in kernel.shape], "wrap"), [(0, k - 1) for k in kernel.shape]
                    ),
                    kernel,
                )
            },
        ),
        mistake(
            "= for +=",
            "Only one contribution is left in each entry: the last one replaced those before it.",
            "A pixel is in several windows; a part comes from each, and they add up: +=." + AT_REPEATED_PLACES,
            SLOPE,
            {"slide": overwritten},
            {"slide": lambda delta, kernel: overwritten(delta, kernel, backwards=True)},
            {"kernel": lambda kernel: only(kernel, -1, -1)},
            {"kernel": lambda kernel: only(kernel, 0, 0)},
        ),
        mean_for_sum(lambda a: a.kernel.size, "the k₁·k₂ products", SLOPE),
        mistake(
            "product of sums for sum of products",
            "You multiplied a sum of δ with the sum of the kernel.",
            "Each δ is multiplied with the weight on its path, and then the products are added.",
            WORKED,
            slide=product_of_sums(full),
        ),
        transposed(RECURSION),
        mirrored(RECURSION),
        opposite_sign(RECURSION),
    ],
)
def delta_recursion(delta, kernel, pre_activation):
    return convolve(delta, kernel, mode="full") * tanh.derivative(pre_activation)
