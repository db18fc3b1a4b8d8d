"""The worked question: two layers, one number, and the gradient for the first kernel."""

import numpy as np

from convbp import loops
from convbp.activations import relu, sigmoid, tanh
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.exercises.exercise import exercise
from convbp.exercises.mistakes import mistake
from convbp.exercises.themes import arrays
from convbp.exercises.themes.arrays import random, sevenths
from convbp.exercises.themes.common import mirrored, only, product_of_sums, transposed, turned
from convbp.sums import symbol, symbols

WORKED = "notebook 16, the worked question"


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


def _with_activation(f):
    def computed(image, first_kernel, second_kernel, target):
        before = cross_correlate(image, first_kernel)
        output = np.sum(f(before) * second_kernel)
        return cross_correlate(image, 2 * (output - target) * second_kernel * f.derivative(before))

    return computed


def _output(a):
    return cross_correlate(cross_correlate(a.image, a.first_kernel), a.second_kernel)


def _trace_two_layers(image, first_kernel, second_kernel, target):
    output = loops.cross_correlate(loops.cross_correlate(image, first_kernel), second_kernel)[0, 0]
    paths = loops.cross_correlate(symbols("i", image), symbols("w²", second_kernel))
    return paths * symbol("2(o² − y)", 2 * (output - target))


def _paths_in_loops(image, first_kernel, second_kernel, target):
    (k1, k2), (rows, columns) = first_kernel.shape, second_kernel.shape
    hidden = cross_correlate(image, first_kernel)
    output = np.sum(hidden * second_kernel)
    gradient = np.zeros((k1, k2))
    for m in range(k1):
        for n in range(k2):
            for i in range(rows):
                for j in range(columns):
                    gradient[m, n] += 2 * (output - target) * second_kernel[i, j] * image[i + m, j + n]
    return gradient


def _by_delta_of_the_map(image, first_kernel, second_kernel, target):
    hidden = cross_correlate(image, first_kernel)
    output = np.sum(hidden * second_kernel)
    delta = 2 * (output - target) * second_kernel
    return cross_correlate(image, delta)


@exercise(
    task="Two layers without activation, o¹ = i ⊗ w¹ and o² = o¹ ⊗ w², one number o², and C = (o² − y)²: "
    "how C depends on each entry of w¹.",
    takes={
        "image": "i, shape (H, W)",
        "first_kernel": "w¹, shape (k1, k2)",
        "second_kernel": "w², shape (H - k1 + 1, W - k2 + 1)",
        "target": "y, a number",
    },
    returns="∂C/∂w¹, an array of shape (k1, k2)",
    equation="Eq. 13 and 20",
    axes=("row", "column"),
    inputs=[  # of floats, as a reader may nudge the weights
        {
            "image": arrays.IMAGE[:3].astype(float),
            "first_kernel": np.array([[1, -1, 2], [0, 3, 1]], float),
            "second_kernel": np.array([[2, -1, 1], [1, 3, -2]], float),
            "target": 4,
        },
        {
            "image": random(62, 4, 6, dtype=float),
            "first_kernel": random(63, 2, 3, dtype=float),
            "second_kernel": random(64, 3, 4, dtype=float),
            "target": 7,
        },
        {
            "image": random(65, 5, 6, dtype=float),
            "first_kernel": random(66, 3, 2, dtype=float),
            "second_kernel": random(67, 3, 5, dtype=float),
            "target": -2,
        },
        {
            "image": sevenths(151, 3, 5),
            "first_kernel": sevenths(152, 2, 3),
            "second_kernel": sevenths(153, 2, 3),
            "target": 0.5,
        },
        {
            "image": sevenths(154, 2, 4),
            "first_kernel": sevenths(155, 1, 2),
            "second_kernel": sevenths(156, 2, 3),
            "target": 1,
        },
    ],
    hints=(
        "Go backwards: ∂C/∂o² = 2·(o² − y). Then δ of the first map is that, times w².",
        "Then it is Eq. 13 for the first layer: i ⊗ δ.",
        "Along each path the input is multiplied with its own entry of w²; then the products are added.",
    ),
    trace=_trace_two_layers,
    compute=_two_layer,
    programs=(
        _paths_in_loops,
        _by_delta_of_the_map,
    ),
    instead={
        "compute": {
            f"{name} between the layers": _with_activation(f)
            for name, f in {"ReLU": relu, "the sigmoid": sigmoid, "tanh": tanh}.items()
        },
        "loss_slope": {
            f"{name} in the place of 2·(o² − y)": slope
            for name, slope in {
                "1": lambda o, y: 1,
                "o²": lambda o, y: o,
                "y": lambda o, y: y,
                "o² + y": lambda o, y: o + y,
                "2·(o² + y)": lambda o, y: 2 * (o + y),
                "2·(o² − y)³": lambda o, y: 2 * (o - y) ** 3,
                "the sign of o² − y": lambda o, y: np.sign(o - y),
            }.items()
        },
    },
    mistakes=[
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
            "2 twice",
            "Your result is twice the right one.",
            "Here C is the square itself: its derivative is 2·(o² − y), with one 2.",
            WORKED,
            loss_slope=lambda o, y: 4 * (o - y),
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
            "notebook 06, Eq. 13, and notebook 16, the worked question",
            slide=lambda image, kernel: cross_correlate(image, rot180(kernel)),
        ),
        mistake(
            "image turned by 180°",
            "You turned the image by 180°.",
            "The forward pass does not flip, so in the gradient for a kernel nothing is flipped (Eq. 13).",
            "notebook 06, Eq. 13, and notebook 16, the worked question",
            {"slide": lambda image, kernel: cross_correlate(rot180(image), kernel)},
            {"image": rot180},
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
    ],
)
def two_layer_question(image, first_kernel, second_kernel, target):
    output = cross_correlate(cross_correlate(image, first_kernel), second_kernel)[0, 0]
    return 2 * (output - target) * cross_correlate(image, second_kernel)
