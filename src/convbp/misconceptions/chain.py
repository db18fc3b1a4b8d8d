"""What goes wrong along the chain rule: at the output, through f, from layer to layer, and in the step that follows."""

import numpy as np

from convbp.activations import relu, sigmoid, tanh
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.misconceptions.common import (
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
from convbp.misconceptions.misconception import Misconception, Task, mistake

LOSS = "notebook 05, Eq. 9"
DELTA = "notebook 05, Eq. 9, and notebook 07, Eq. 15"
SLOPE = "notebook 08, Eq. 18 to 20"
RECURSION = "notebook 08, Eq. 20 to 22"
STEP = "notebook 06, what to do with it"
RATE = "notebook 12, the learning rate"
WORKED = "notebook 11, the worked question"

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


output_delta = Task(
    _output_delta,
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
    mistake(
        "divided by P",
        "You divided by the number of outputs.",
        "Eq. 9 is half the sum of the squares, though it is called a mean: there is no 1/P in its derivative.",
        LOSS,
        {"result": lambda r, a: r / r.size},
        {"result": lambda r, a: r / len(r)},
        {"result": lambda r, a: r / r.shape[1]},
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
)


relu_delta = Task(
    lambda delta, pre_activation, *, slope=relu.derivative: delta * slope(pre_activation),
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
    ),
    opposite_sign(SLOPE),
    transposed(SLOPE),
)


delta_recursion = Task(
    lambda delta, kernel, pre_activation, *, slide=full, slope=tanh.derivative: (
        slide(delta, kernel) * slope(pre_activation)
    ),
    _slope_mistakes(tanh, SLOPE),
    mistake(
        "f′ of the wrong argument",
        "You took f′ of what came back from the layer above.",
        "f′ is taken at this layer's pre-activation x.",
        SLOPE,
        {"result": lambda r, a: full(a.delta, a.kernel) * tanh.derivative(full(a.delta, a.kernel))},
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
    _derivatives_of_others("the sigmoid or ReLU", SLOPE, sigmoid.derivative, relu.derivative, lambda x: x * (1 - x)),
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
        "You turned the whole sum, rot180(δ ⊗ w), as Eq. 21 is printed.",
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
                np.pad(np.pad(delta, [(k - 1, 0) for k in kernel.shape], "wrap"), [(0, k - 1) for k in kernel.shape]),
                kernel,
            )
        },
    ),
    mistake(
        "= for +=",
        "Only one contribution is left in each entry: the last one replaced those before it.",
        "A pixel is in several windows; a part comes from each, and they add up: +=.",
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
)


def _pad_one_side(delta, kernel, side):
    return np.pad(delta, [(2 * (k - 1), 0) if side == 0 else (0, 2 * (k - 1)) for k in kernel.shape])


descent_step = Task(
    lambda weights, gradient, learning_rate, *, step=lambda w, change: w - change: step(
        weights, learning_rate * gradient
    ),
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
)


def _two_layer(
    image,
    first_kernel,
    second_kernel,
    target,
    *,
    loss_slope=lambda o, y: 2 * (o - y),
    slide=cross_correlate,
    forward=cross_correlate,
):
    (output,) = forward(forward(image, first_kernel), second_kernel).ravel()
    return loss_slope(output, target) * slide(image, second_kernel)


def _output(a):
    return cross_correlate(cross_correlate(a.image, a.first_kernel), a.second_kernel)


two_layer_question = Task(
    _two_layer,
    mistake(
        "product of sums for sum of products",
        "You multiplied the sum of the inputs with the sum of w², as the asker did.",
        "The weight w¹ reaches the output on several paths: along each its input meets its own entry of w², "
        "and these products add up.",
        WORKED,
        {"slide": product_of_sums(cross_correlate)},
        {"slide": lambda image, kernel: np.full(cross_correlate(image, kernel).shape, image.sum() * kernel.sum())},
    ),
    mistake(
        "2 forgotten",
        "Your result is half the right one.",
        "Here C is the square itself, without ½: its derivative is 2·(o² − y).",
        WORKED,
        loss_slope=lambda o, y: o - y,
    ),
    mistake(
        "sign of o² − y",
        "You took y − o², where o² − y is due: every entry has the opposite sign.",
        "C grows when o² grows beyond y.",
        WORKED,
        loss_slope=lambda o, y: 2 * (y - o),
    ),
    mistake(
        "derivative of the loss missing",
        "You left out 2·(o² − y).",
        "The chain begins at C: ∂C/∂o² = 2·(o² − y).",
        WORKED,
        {"loss_slope": lambda o, y: 1},
        {"loss_slope": lambda o, y: 2},
    ),
    mistake(
        "loss for its derivative",
        "You multiplied with C itself.",
        "∂C/∂o² is 2·(o² − y), not its square.",
        WORKED,
        loss_slope=lambda o, y: (o - y) ** 2,
    ),
    mistake(
        "target missing",
        "You left the target out.",
        "∂C/∂o² is 2·(o² − y).",
        WORKED,
        {"loss_slope": lambda o, y: 2 * o},
        {"loss_slope": lambda o, y: o},
    ),
    mistake(
        "second kernel turned by 180°",
        "You turned w² by 180°.",
        "The forward pass does not flip, so in the gradient for a kernel nothing is flipped (Eq. 13).",
        "notebook 06, Eq. 13, and notebook 11, the worked question",
        slide=lambda image, kernel: cross_correlate(image, rot180(kernel)),
    ),
    mistake(
        "second kernel missing",
        "You left w² out: you only added up the inputs.",
        "Between w¹ and the output there is w²: along each path the input is multiplied with its entry.",
        WORKED,
        slide=lambda image, kernel: cross_correlate(image, np.ones_like(kernel)),
    ),
    mistake(
        "one path only",
        "You followed one path from w¹ to the output.",
        "The same weight is used in every place of the first map: there is a path for each entry of w².",
        WORKED,
        {"slide": lambda image, kernel: cross_correlate(image, only(kernel, 0, 0))},
        {"slide": lambda image, kernel: cross_correlate(image, only(kernel, -1, -1))},
    ),
    mistake(
        "mean for sum",
        "You took the mean over the paths, where the sum is due.",
        "What comes along each path adds up.",
        WORKED,
        result=lambda r, a: r / a.second_kernel.size,
    ),
    mistake(
        "gradient for the second kernel",
        "Your result is ∂C/∂w².",
        "Asked for is ∂C/∂w¹, one layer further back.",
        WORKED,
        result=lambda r, a: 2 * (_output(a) - a.target) * cross_correlate(a.image, a.first_kernel),
    ),
    mistake(
        "forward pass flips",
        "In your forward pass the kernels are turned.",
        "The forward pass is a cross-correlation (Eq. 7).",
        "notebook 04, Eq. 7",
        forward=convolve,
    ),
    turned(WORKED, "Nothing is flipped in the gradient for a kernel (Eq. 13)."),
    mistake(
        "full for valid",
        "You let w² stand over the border of the image.",
        "The gradient for w¹ has the shape of w¹: the valid result.",
        "notebook 06, Eq. 13",
        slide=lambda image, kernel: cross_correlate(image, kernel, mode="full"),
    ),
    transposed(WORKED),
    mirrored(WORKED),
)
