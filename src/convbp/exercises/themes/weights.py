"""The gradients for kernel and bias, and the step that follows."""

from collections.abc import Callable

import numpy as np

from convbp import loops
from convbp.convolution import cross_correlate, rot180
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import mistake
from convbp.exercises.themes import arrays
from convbp.exercises.themes.arrays import random, sevenths
from convbp.exercises.themes.common import (
    AT_REPEATED_PLACES,
    cut_from_larger,
    full,
    mean_for_sum,
    mirrored,
    one_axis_too_many,
    only,
    opposite_sign,
    product_of_sums,
    same_for_valid,
    sums_one_short,
    transposed,
    turned,
)
from convbp.sums import symbol, symbols

KERNEL = "notebook 06, Eq. 13"
FIGURE = "notebook 06, Eq. 13 and 14"
BIAS = "notebook 06, the bias gradient"
STEP = "notebook 06, what to do with it"
RATE = "notebook 13, the learning rate"


def _kernel_gradient_in_loops(inputs, delta):
    (H, W), (rows, columns) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2))
    for m in range(k1):
        for n in range(k2):
            for i in range(rows):
                for j in range(columns):
                    gradient[m, n] += delta[i, j] * inputs[i + m, j + n]
    return gradient


def _kernel_gradient_by_windows(inputs, delta):
    (H, W), (rows, columns) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2))
    for i in range(rows):
        for j in range(columns):
            gradient += delta[i, j] * inputs[i : i + k1, j : j + k2]
    return gradient


@exercise(
    task="How the error depends on each entry of the kernel, ∂E/∂w; the forward pass is x = o ⊗ w (Eq. 7).",
    takes={"inputs": "the layer's input o, shape (H, W)", "delta": "δ = ∂E/∂x, shape (H - k1 + 1, W - k2 + 1)"},
    returns="an array of shape (k1, k2)",
    equation="Eq. 13",
    axes=("row", "column"),
    inputs=[
        {"inputs": arrays.IMAGE, "delta": arrays.DELTA[:2]},
        {"inputs": sevenths(121, 4, 5), "delta": sevenths(122, 2, 4)},
        {"inputs": random(18, 6, 5), "delta": random(19, 5, 3)},
        {"inputs": random(20, 5, 7), "delta": random(21, 3, 4)},
        {"inputs": sevenths(128, 1, 4), "delta": sevenths(129, 1, 2)},
        {"inputs": sevenths(123, 3, 4), "delta": sevenths(124, 2, 1)},
    ],
    hints=(
        "How large is the kernel? H - H' + 1 rows, if δ has H' of them.",
        "By Eq. 12 ∂x(i, j)/∂w(m, n) is the input at (i + m, j + n): no index has a minus.",
        "So ∂E/∂w(m, n) is the sum of delta * inputs[m : m + H', n : n + W'], which is inputs ⊗ δ.",
    ),
    trace=lambda inputs, delta: loops.cross_correlate(symbols("o", inputs), symbols("δ", delta)),
    compute=lambda inputs, delta, *, slide=cross_correlate: slide(inputs, delta),
    programs=(
        _kernel_gradient_in_loops,
        _kernel_gradient_by_windows,
    ),
    instead={"slide": cut_from_larger(cross_correlate)},
    mistakes=[
        mistake(
            "delta turned by 180°",
            "You correlated the input with rot180(δ): δ is turned by 180° there.",
            "In this course the forward pass does not flip (Eq. 7), so δ is not flipped either (Eq. 13).",
            FIGURE,
            delta=rot180,
        ),
        turned(FIGURE, "That would be the gradient if the forward pass flipped the kernel; Eq. 7 does not flip."),
        mistake(
            "inputs turned by 180°",
            "You turned the input by 180°.",
            "In Eq. 13 δ(i, j) meets the input at (i + m′, j + n′): both are read in the same direction.",
            FIGURE,
            inputs=rot180,
        ),
        one_axis_too_many("delta", "δ", "Eq. 13 flips neither axis of δ.", FIGURE),
        mirrored(FIGURE),
        transposed(KERNEL),
        opposite_sign(KERNEL),
        mistake(
            "full for valid",
            "You let δ stand over the border of the input: that is the full result.",
            "For the kernel gradient δ lies inside (valid), in k₁·k₂ places; it is the way back to the input "
            "that is full.",
            "notebook 06, Eq. 13, and notebook 07, valid or full",
            {"slide": lambda inputs, delta: cross_correlate(inputs, delta, mode="full")},
            {"slide": full},
        ),
        same_for_valid(cross_correlate, "the input", KERNEL, "δ"),
        mean_for_sum(lambda a: a.delta.size, "the places of the output", KERNEL),
        mistake(
            "product of sums for sum of products",
            "You multiplied a sum of inputs with the sum of δ.",
            "Each δ is multiplied with the input that its output has seen, and then the products are added.",
            "notebook 16, the worked question",
            slide=product_of_sums(cross_correlate),
        ),
        mistake(
            "= for +=",
            "Only one product is left in each entry: the last one replaced those before it.",
            "A weight is used in every place of the output, and what comes from each place adds up: +=."
            + AT_REPEATED_PLACES,
            KERNEL,
            delta=lambda delta: only(delta, -1, -1),
        ),
        mistake(
            "first place only",
            "You took only the first place of the output into account.",
            "A weight is used in every place of the output: the sum of Eq. 13 is over all i and j.",
            KERNEL,
            delta=lambda delta: only(delta, 0, 0),
        ),
        mistake(
            "diagonal of δ only",
            "You used the entries δ(i, i) only: one index walked where there are two.",
            "The two sums are independent: each i meets each j.",
            KERNEL,
            delta=lambda delta: delta * np.eye(*delta.shape),
        ),
        sums_one_short("delta", "δ", KERNEL),
        mistake(
            "wrapped around the border",
            "Past the border you went on at the other side of the input.",
            "In Eq. 13 no index leaves the input: m′ goes from 0 to k₁ − 1, n′ from 0 to k₂ − 1.",
            KERNEL,
            slide=lambda inputs, delta: cross_correlate(
                np.pad(inputs, [(0, n - 1) for n in delta.shape], "wrap"), delta
            ),
        ),
        mistake(
            "delta missing",
            "You added up the inputs that each weight has seen, without δ.",
            "By the chain rule each of them counts as much as its output does: times δ(i, j).",
            "notebook 06, Eq. 10 to 13",
            delta=np.ones_like,
        ),
    ],
)
def kernel_gradient(inputs, delta):
    (H, W), (rows, columns) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2))
    for m in range(k1):
        for n in range(k2):
            gradient[m, n] = np.sum(delta * inputs[m : m + rows, n : n + columns])
    return gradient


def _bias_gradient_in_loops(delta):
    N, rows, columns, D = delta.shape
    gradient = np.zeros(D)
    for image in range(N):
        for i in range(rows):
            for j in range(columns):
                for d in range(D):
                    gradient[d] += delta[image, i, j, d]
    return gradient


def _bias_gradient_by_filters(delta):
    gradient = np.zeros(delta.shape[3])
    for d in range(delta.shape[3]):
        gradient[d] = np.sum(delta[:, :, :, d])
    return gradient


_STATISTICS: dict[str, Callable] = {
    "the median": np.median,
    "the standard deviation": np.std,
    "the variance": np.var,
    "the root of the sum of the squares": lambda delta, axis: np.sqrt((delta**2).sum(axis)),
    "the root of the mean of the squares": lambda delta, axis: np.sqrt((delta**2).mean(axis)),
    "the mean of the squares": lambda delta, axis: (delta**2).mean(axis),
    "the product": np.prod,
    "the largest": np.max,
    "the smallest": np.min,
    "the largest absolute value": lambda delta, axis: np.abs(delta).max(axis),
    "the number of those that are not 0": lambda delta, axis: (delta != 0).sum(axis),
}
_POOLED = {f"{name} in the place of the sum": pool for name, pool in _STATISTICS.items()}


@exercise(
    task="How the error depends on each bias, ∂E/∂b.",
    takes={"delta": "δ = ∂E/∂x, shape (N, H', W', D): images, rows, columns, filters"},
    returns="an array of shape (D,)",
    equation="Eq. 7; the article leaves it out",
    axes=("filter",),
    inputs=[
        {"delta": random(22, 2, 2, 3, 4)},
        {"delta": random(23, 3, 2, 4, 5)},
        {"delta": random(24, 2, 4, 3, 6)},
        {"delta": sevenths(125, 2, 2, 3, 4)},
    ],
    hints=(
        "In Eq. 7 the bias of a filter is added in every place: ∂x/∂b = 1.",
        "So the error comes back from every place of every image, and adds up; the filters stay apart.",
    ),
    trace=lambda delta: loops.conv2d_bias_gradient(symbols("δ", delta)),
    layouts={"NCHW": {"delta": arrays.NCHW}},
    compute=lambda delta, *, pool=np.sum: pool(delta, axis=(0, 1, 2)),
    programs=(
        _bias_gradient_in_loops,
        _bias_gradient_by_filters,
    ),
    instead={"pool": _POOLED},
    mistakes=[
        mistake(
            "mean for sum",
            "You took the mean of δ, where the sum is due.",
            "The bias is added in every place, and what comes back from each place adds up; nothing divides.",
            BIAS,
            {"result": lambda r, a: r / a.delta[..., 0].size},
            {"result": lambda r, a: a.delta.mean()},
        ),
        *(
            mean_for_sum(
                count,
                of,
                BIAS,
                "The bias is added in every place, and what comes back from each place adds up; nothing divides.",
            )
            for count, of in (
                (lambda a: len(a.delta), "the images"),
                (lambda a: a.delta[0, ..., 0].size, "the places of an image"),
            )
        ),
        mistake(
            "bias gradient per position",
            "You kept one number for each position.",
            "There is one bias per filter, though the article writes b with i and j: sum over the positions.",
            BIAS,
            {"result": lambda r, a: a.delta.sum(axis=0)},
            {"result": lambda r, a: a.delta},
            {"result": lambda r, a: a.delta.mean(axis=0)},
        ),
        mistake(
            "one bias gradient per image",
            "You kept the images apart.",
            "All images share the bias: sum over the batch as well.",
            BIAS,
            {"result": lambda r, a: a.delta.sum(axis=(1, 2))},
            {"result": lambda r, a: a.delta.mean(axis=(1, 2))},
        ),
        mistake(
            "one number for all filters",
            "You added up all of δ.",
            "Each filter has its own bias: the last axis stays.",
            BIAS,
            {"result": lambda r, a: a.delta.sum()},
            {"result": lambda r, a: np.full(len(r), a.delta.sum())},
        ),
        mistake(
            "summed over the wrong axis",
            "You summed over the filters.",
            "δ has the axes (N, H', W', D): the sum is over the first three, and the filters stay.",
            BIAS,
            {"result": lambda r, a: a.delta.sum(axis=3)},
            {"result": lambda r, a: a.delta.sum(axis=(0, 1, 3))},
            {"result": lambda r, a: a.delta.sum(axis=(0, 2, 3))},
            {"result": lambda r, a: a.delta.sum(axis=(1, 2, 3))},
            {"result": lambda r, a: a.delta.sum(axis=(0, 3))},
            {"result": lambda r, a: a.delta.sum(axis=(2, 3))},
            {"result": lambda r, a: a.delta.sum(axis=(1, 3))},
        ),
        mistake(
            "summed over one axis too few",
            "You summed over rows or columns, but not over both.",
            "δ has the axes (N, H', W', D): the sum is over the first three.",
            BIAS,
            {"result": lambda r, a: a.delta.sum(axis=(0, 1))},
            {"result": lambda r, a: a.delta.sum(axis=(0, 2))},
            {"result": lambda r, a: a.delta.sum(axis=1)},
            {"result": lambda r, a: a.delta.sum(axis=2)},
        ),
        mistake(
            "first image only",
            "You used the first image only.",
            "All images share the bias: sum over the batch as well.",
            BIAS,
            result=lambda r, a: a.delta[0].sum(axis=(0, 1)),
        ),
        mistake(
            "= for +=",
            "Only one image, row or place is left: the last one replaced those before it.",
            "What comes from each place adds up: +=." + AT_REPEATED_PLACES,
            BIAS,
            {"result": lambda r, a: a.delta[-1].sum(axis=(0, 1))},
            {"result": lambda r, a: a.delta[-1, -1].sum(axis=0)},
            {"result": lambda r, a: a.delta[-1, -1, -1]},
            {"result": lambda r, a: a.delta[:, -1, -1].sum(axis=0)},
        ),
        mistake(
            "delta missing",
            "You counted the places, without δ.",
            "∂x/∂b is 1 in every place, and by the chain rule each counts δ: the sum of δ.",
            BIAS,
            result=lambda r, a: np.full(len(r), a.delta[..., 0].size),
        ),
        mistake(
            "absolute values",
            "You added up the absolute values of δ.",
            "A δ keeps its sign.",
            BIAS,
            result=lambda r, a: np.abs(a.delta).sum(axis=(0, 1, 2)),
        ),
        opposite_sign(BIAS),
    ],
)
def bias_gradient(delta):
    return delta.sum(axis=(0, 1, 2))


def _step_by_step(weights, gradient, learning_rate):
    result = weights.copy()
    for m in range(weights.shape[0]):
        for n in range(weights.shape[1]):
            result[m, n] -= learning_rate * gradient[m, n]
    return result


def _step_in_loops(weights, gradient, learning_rate):
    result = np.zeros(weights.shape)
    for m in range(weights.shape[0]):
        for n in range(weights.shape[1]):
            result[m, n] = weights[m, n] - learning_rate * gradient[m, n]
    return result


@exercise(
    task="One step of gradient descent: the new weights.",
    takes={"weights": "w, shape (k1, k2)", "gradient": "∂E/∂w, shape (k1, k2)", "learning_rate": "η, a number"},
    returns="an array of shape (k1, k2)",
    equation="notebook 06; the article leaves it out",
    axes=("row", "column"),
    inputs=[
        {
            "weights": arrays.KERNEL.astype(float),
            "gradient": np.array([[2, 10, -1], [5, 4, 12]], float),
            "learning_rate": 0.1,
        },
        {"weights": random(60, 3, 2, dtype=float), "gradient": random(61, 3, 2) + 0.5, "learning_rate": 0.25},
        {"weights": sevenths(126, 2, 3), "gradient": sevenths(127, 2, 3), "learning_rate": 0.3},
    ],
    hints=("The gradient says in which direction E grows. Go the other way, by η times the gradient.",),
    trace=lambda weights, gradient, learning_rate: (
        symbols("w", weights) + symbols("g", gradient) * symbol("(−η)", -learning_rate)
    ),
    compute=lambda weights, gradient, learning_rate, *, step=lambda w, change: w - change: step(
        weights, learning_rate * gradient
    ),
    programs=(_step_in_loops, _step_by_step),
    mistakes=[
        mistake(
            "added for subtracted",
            "You added η times the gradient.",
            "The gradient points to where E grows: to make E smaller the step goes the other way.",
            STEP,
            step=lambda w, change: w + change,
        ),
        mistake(
            "gradient for the new weight",
            "You took the gradient itself for the new weights.",
            "It says how E changes with the weights. The new weights are w − η·∂E/∂w.",
            STEP,
            {"result": lambda r, a: a.gradient},
            {"result": lambda r, a: -a.gradient},
        ),
        mistake(
            "change for the new weight",
            "Your result is the change of the weights.",
            "The new weights are the old ones and the change: w − η·∂E/∂w.",
            STEP,
            {"step": lambda w, change: -change},
            {"step": lambda w, change: change},
        ),
        mistake(
            "weight decay put in",
            "You made the weights smaller as well, as weight decay does.",
            "That is another method: here the step is −η·∂E/∂w alone.",
            STEP,
            *[
                {"result": lambda r, a, by=by: r - a.learning_rate * by * a.weights}
                for decay in (0.1, 0.01, 0.001, 1e-4, 5e-4)
                for by in (decay, 2 * decay)
            ],
        ),
        mistake(
            "learning rate missing",
            "You subtracted the whole gradient.",
            "The step is the gradient times the learning rate η.",
            RATE,
            learning_rate=lambda rate: 1,
        ),
        mistake(
            "divided by the learning rate",
            "You divided the gradient by η.",
            "The step is the gradient times the learning rate η: a small one makes small steps.",
            RATE,
            learning_rate=lambda rate: 1 / rate,
        ),
        mistake(
            "weights times the step",
            "You multiplied the weights with the step.",
            "The step is subtracted from the weights, whatever they are.",
            STEP,
            {"step": lambda w, change: w * change},
            {"step": lambda w, change: w - w * change},
        ),
        mistake(
            "learning rate times everything",
            "You multiplied the weights with η as well.",
            "η belongs to the gradient alone: w − η·∂E/∂w.",
            RATE,
            {"result": lambda r, a: a.learning_rate * (a.weights - a.gradient)},
            {"result": lambda r, a: (1 - a.learning_rate) * a.weights - a.learning_rate * a.gradient},
        ),
        mistake(
            "weights for gradient",
            "You multiplied the weights with η, where the gradient is due.",
            "What is subtracted is η times the gradient: w − η·∂E/∂w.",
            STEP,
            {"result": lambda r, a: a.weights - a.learning_rate * a.weights},
            {"result": lambda r, a: a.weights + a.learning_rate * a.weights},
        ),
        mistake(
            "weights and gradient exchanged",
            "You took the gradient for the weights, and the weights for the gradient.",
            "From the weights η times the gradient is subtracted: w − η·∂E/∂w.",
            STEP,
            {"result": lambda r, a: a.gradient - a.learning_rate * a.weights},
            {"result": lambda r, a: a.gradient + a.learning_rate * a.weights},
        ),
        mistake(
            "difference the wrong way round",
            "You subtracted the weights from the step.",
            "The step is subtracted from the weights: w − η·∂E/∂w.",
            STEP,
            {"step": lambda w, change: change - w},
        ),
        mistake(
            "weights unchanged",
            "Your result is the weights as they came.",
            "The new weights are w − η·∂E/∂w.",
            STEP,
            step=lambda w, change: w,
        ),
        mistake(
            "sign of the gradient only",
            "You made steps of η, whatever the size of the gradient.",
            "Where the gradient is larger the step is larger.",
            STEP,
            gradient=np.sign,
        ),
        mistake(
            "learning rate subtracted",
            "You subtracted η itself.",
            "The step is the gradient times the learning rate η.",
            RATE,
            gradient=np.ones_like,
        ),
        mistake(
            "one step for all weights",
            "You made the same step with every weight, from the sum or the mean of the gradient.",
            "Each weight has its own entry of the gradient.",
            STEP,
            {"gradient": np.mean},
            {"gradient": np.sum},
        ),
        transposed(STEP),
    ],
)
def descent_step(weights, gradient, learning_rate):
    return weights - learning_rate * gradient
