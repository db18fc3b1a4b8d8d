"""The exercises: what each asks for, on which inputs, with which hints.

The inputs are small integers, of an integer dtype where the result has no others, and of floats where a copy of them,
or an array made like them, has to hold fractions. None is square, no kernel has a symmetry, and zeros and ties are
among them: so each known mistake gives another result.
"""

import numpy as np

from convbp import loops
from convbp.activations import relu, sigmoid, tanh
from convbp.exercises import solutions
from convbp.exercises.exercise import Accepted, Exercise
from convbp.misconceptions import TASKS
from convbp.notation import number, subscripted
from convbp.sums import exact, functions, symbol, symbols


def _random(seed: int, *shape: int, dtype: type = int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-4, 6, shape).astype(dtype)


def _quarters(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9, 10, shape) / 4


IMAGE = np.array([[1, 2, 0, 3, 1], [0, 1, 2, 1, 4], [2, 0, 1, 2, 3], [1, 3, 0, 1, 2]])
KERNEL = np.array([[1, 2, -1], [0, 3, -2]])
DELTA = np.array([[1, 0, 2, -1], [-1, 3, 0, 4], [2, 1, -2, 1]])

_NCHW = (0, 3, 1, 2)
_IMAGES, _KERNELS = "shape (N, H, W, C)", "shape (k1, k2, C, D)"


# Article level: numbers of one channel


def _trace_cross_correlation(image, kernel):
    return loops.cross_correlate(symbols("I", image), symbols("K", kernel))


def _trace_convolution(image, kernel):
    return loops.convolve(symbols("I", image), symbols("K", kernel))


def _trace_full(image, kernel):
    return loops.convolve(symbols("I", image), symbols("K", kernel), mode="full")


cross_correlation = Exercise(
    name="cross_correlation",
    task="The cross-correlation I ⊗ K where the kernel lies inside the image (valid).",
    takes={"image": "the image I, shape (H, W)", "kernel": "the kernel K, shape (k1, k2)"},
    returns="an array of shape (H - k1 + 1, W - k2 + 1)",
    equation="Eq. 1",
    computation=TASKS["cross_correlation"],
    inputs=[
        {"image": IMAGE, "kernel": KERNEL},
        {"image": _random(1, 6, 4), "kernel": _random(2, 3, 2)},
        {"image": _random(3, 5, 7), "kernel": _random(4, 2, 3)},
    ],
    trace=_trace_cross_correlation,
    axes=("row", "column"),
    hints=(
        "How often does the kernel fit? H - k1 + 1 times from top to bottom: that is the number of rows.",
        "For each place (i, j) two more loops walk over the kernel's entries m and n.",
        "Start each sum at 0 and add image[i + m, j + n] * kernel[m, n].",
    ),
    answer=solutions.cross_correlation,
)

convolution = Exercise(
    name="convolution",
    task="The convolution I ∗ K where nothing outside the image is read (valid).",
    takes={"image": "the image I, shape (H, W)", "kernel": "the kernel K, shape (k1, k2)"},
    returns="an array of shape (H - k1 + 1, W - k2 + 1); its first entry is Eq. 2 at i = k1 - 1, j = k2 - 1",
    equation="Eq. 2",
    computation=TASKS["convolution"],
    inputs=[
        {"image": IMAGE, "kernel": KERNEL},
        {"image": _random(5, 6, 4), "kernel": _random(6, 3, 2)},
        {"image": _random(7, 5, 8), "kernel": _random(8, 2, 4)},
        {"image": _random(80, 6, 5), "kernel": _random(81, 1, 3)},  # k1 − 1 is 0, and so is −0 as the end of a slice
    ],
    trace=_trace_convolution,
    axes=("row", "column"),
    hints=(
        "Eq. 2 has minus signs: I(i - m, j - n) meets K(m, n).",
        "The smallest i for which no index is negative is k1 - 1.",
        "Or turn the kernel by 180°, kernel[::-1, ::-1], and cross-correlate.",
    ),
    answer=solutions.convolution,
)

rot180 = Exercise(
    name="rot180",
    task="The kernel turned by 180°.",
    takes={"kernel": "shape (k1, k2)"},
    returns="an array of shape (k1, k2)",
    equation="notebook 02, from Eq. 2",
    computation=TASKS["rot180"],
    inputs=[
        {"kernel": np.array([[1, 2, -1], [4, 3, -2]])},
        {"kernel": np.array([[3, 1], [-1, 4], [2, 5]])},
        {"kernel": _random(9, 3, 4)},
    ],
    trace=lambda kernel: loops.rot180(symbols("K", kernel)),
    axes=("row", "column"),
    hints=(
        "A turn by 180° is two reflections: top to bottom, and left to right.",
        "The entry (m, n) comes from (k1 - 1 - m, k2 - 1 - n). A slice with step -1 reverses an axis.",
    ),
    answer=solutions.rot180,
)

full_convolution = Exercise(
    name="full_convolution",
    task="The full convolution I ∗ K: all places where the kernel touches the image, with zeros outside.",
    takes={"image": "the image I, shape (H, W)", "kernel": "the kernel K, shape (k1, k2)"},
    returns="an array of shape (H + k1 - 1, W + k2 - 1)",
    equation="notebook 02, Eq. 2; notebook 07 needs it for δ and w, as Eq. 17",
    computation=TASKS["full_convolution"],
    inputs=[
        {"image": DELTA, "kernel": KERNEL},
        {"image": _random(10, 3, 5), "kernel": _random(11, 3, 2)},
        {"image": _random(12, 4, 5), "kernel": _random(13, 2, 4)},
        {"image": _random(82, 6, 4), "kernel": _random(83, 4, 2)},  # higher than wide
    ],
    trace=_trace_full,
    axes=("row", "column"),
    hints=(
        "How large is it? The window may hang over each border by all but one row or column of the kernel.",
        "Eq. 2 reads the image backwards, and zero outside. As in notebook 02: pad the image on each side with k1 - 1 "
        "rows and k2 - 1 columns of zeros, and take the valid result with the kernel turned by 180°.",
        "Or without padding: each pixel (i, j) brings its own copy of the kernel. Add image[i, j] * kernel to "
        "result[i : i + k1, j : j + k2]. The same numbers.",
    ),
    answer=solutions.full_convolution,
)


def _trace_back(delta, kernel):
    return loops.convolve(symbols("δ", delta), symbols("w", kernel), mode="full")


def _trace_output_delta(pre_activation, targets):
    errors = np.empty(targets.shape, object)
    for index, error in np.ndenumerate(sigmoid(pre_activation) - targets):
        errors[index] = symbol(f"({subscripted('y', *index)} − {subscripted('t', *index)})", error)
    return errors * functions("f′", "x", sigmoid.derivative(pre_activation))


output_delta = Exercise(
    name="output_delta",
    task="δ at the output of a network: ∂E/∂x for E = ½ Σ (t − y)² and y = f(x). "
    "Here f is the sigmoid, as convbp.sigmoid.",
    takes={"pre_activation": "x of the last layer, shape (H, W)", "targets": "t, shape (H, W)"},
    returns="an array of shape (H, W)",
    equation="Eq. 8, 9 and 15",
    computation=TASKS["output_delta"],
    inputs=[
        {"pre_activation": _quarters(13, 3, 4), "targets": _quarters(12, 3, 4)},
        {"pre_activation": _quarters(14, 4, 3), "targets": _quarters(15, 4, 3)},
    ],
    trace=_trace_output_delta,
    axes=("row", "column"),
    hints=(
        "The chain has two links: ∂E/∂x = ∂E/∂y · ∂y/∂x.",
        "∂E/∂y = y − t, by Eq. 9, with no number in front.",
        "∂y/∂x = f′(x): sigmoid.derivative(x), or y·(1 − y).",
    ),
    answer=solutions.output_delta,
)


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


relu_delta = Exercise(
    name="relu_delta",
    task="δ on its way back through o = ReLU(x): δ of x from δ of o.",
    takes={"delta": "δ of the output o, shape (H, W)", "pre_activation": "x, shape (H, W)"},
    returns="an array of shape (H, W); where x is 0 any slope from 0 to 1 that is the same everywhere",
    equation="Eq. 18 and 19",
    computation=TASKS["relu_delta"],
    inputs=[
        {
            "delta": np.array([[2, -1, 3, 1], [-2, 4, 1, -3], [5, 2, -4, 2]], float),
            "pre_activation": np.array([[1, -2, 0, 3], [0.5, 2, -1, 0], [-3, 0, 4, -0.5]]),
        },
        {"delta": _random(16, 4, 3, dtype=float), "pre_activation": _random(17, 4, 3) / 2},
    ],
    trace=lambda delta, pre_activation: symbols("δ", delta) * functions("f′", "x", relu.derivative(pre_activation)),
    axes=("row", "column"),
    hints=(
        "The derivative of max(x, 0) is 1 where x is positive and 0 where x is negative.",
        "np.where(x > 0, …, …) chooses entry by entry.",
    ),
    answer=solutions.relu_delta,
    accepted=_other_slope,
    usual=[_slope_at_zero(1), _slope_at_zero(0.5)],
)

kernel_gradient = Exercise(
    name="kernel_gradient",
    task="How the error depends on each entry of the kernel, ∂E/∂w; the forward pass is x = o ⊗ w (Eq. 7).",
    takes={"inputs": "the layer's input o, shape (H, W)", "delta": "δ = ∂E/∂x, shape (H - k1 + 1, W - k2 + 1)"},
    returns="an array of shape (k1, k2)",
    equation="Eq. 13",
    computation=TASKS["kernel_gradient"],
    inputs=[
        {"inputs": IMAGE, "delta": DELTA[:2]},
        {"inputs": _random(18, 6, 5), "delta": _random(19, 5, 3)},
        {"inputs": _random(20, 5, 7), "delta": _random(21, 3, 4)},
    ],
    trace=lambda inputs, delta: loops.cross_correlate(symbols("o", inputs), symbols("δ", delta)),
    axes=("row", "column"),
    hints=(
        "How large is the kernel? H - H' + 1 rows, if δ has H' of them.",
        "By Eq. 12 ∂x(i, j)/∂w(m, n) is the input at (i + m, j + n): no index has a minus.",
        "So ∂E/∂w(m, n) is the sum of delta * inputs[m : m + H', n : n + W'], which is inputs ⊗ δ.",
    ),
    answer=solutions.kernel_gradient,
)

bias_gradient = Exercise(
    name="bias_gradient",
    task="How the error depends on each bias, ∂E/∂b.",
    takes={"delta": "δ = ∂E/∂x, shape (N, H', W', D): images, rows, columns, filters"},
    returns="an array of shape (D,)",
    equation="Eq. 7; the article leaves it out",
    computation=TASKS["bias_gradient"],
    inputs=[{"delta": _random(22, 2, 2, 3, 4)}, {"delta": _random(23, 3, 2, 4, 5)}, {"delta": _random(24, 2, 4, 3, 6)}],
    trace=lambda delta: loops.conv2d_bias_gradient(symbols("δ", delta)),
    axes=("filter",),
    hints=(
        "In Eq. 7 the bias of a filter is added in every place: ∂x/∂b = 1.",
        "So the error comes back from every place of every image, and adds up; the filters stay apart.",
    ),
    answer=solutions.bias_gradient,
    layouts={"NCHW": {"delta": _NCHW}},
)


def _trace_region(pixel, kernel_size, output_size):
    traced = np.empty((2, 2), object)
    for axis, (at, size, outputs) in enumerate((("i′", "k1", "H'"), ("j′", "k2", "W'"))):
        i, k, n = pixel[axis], kernel_size[axis], output_size[axis]
        traced[0, axis] = symbol(f"max({at} − {size} + 1, 0) = max({i} − {k} + 1, 0)", max(i - k + 1, 0))
        traced[1, axis] = symbol(f"min({at}, {outputs} − 1) = min({i}, {n} − 1)", min(i, n - 1))
    return traced


region_q = Exercise(
    name="region_q",
    task="The region Q of a pixel: which outputs it has an effect on, from the first to the last.",
    takes={
        "pixel": "(i′, j′), an index of the input",
        "kernel_size": "(k1, k2)",
        "output_size": "(H', W') = (H - k1 + 1, W - k2 + 1)",
    },
    returns="((first row, first column), (last row, last column)); both ends belong to Q",
    equation="Eq. 16",
    computation=TASKS["region_q"],
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
        ]
    ],
    trace=_trace_region,
    axes=("row", "column"),
    hints=(
        "Output (i, j) sees the pixels from (i, j) to (i + k1 - 1, j + k2 - 1). For which i is i′ among them?",
        "Where there are no borders, from i′ - k1 + 1 to i′.",
        "No output has an index below 0 or above H' - 1: clip both ends.",
    ),
    answer=solutions.region_q,
)

delta_recursion = Exercise(
    name="delta_recursion",
    task="δ of a layer from δ of the layer above: δ ∗ w (full), times f′(x). Here f is tanh, as convbp.tanh.",
    takes={
        "delta": "δ of the layer above, shape (H', W')",
        "kernel": "w of the layer above, shape (k1, k2)",
        "pre_activation": "x of this layer, shape (H' + k1 - 1, W' + k2 - 1)",
    },
    returns="an array of the shape of x",
    equation="Eq. 20",
    computation=TASKS["delta_recursion"],
    inputs=[
        {"delta": DELTA, "kernel": KERNEL, "pre_activation": _quarters(25, 4, 6)},
        {"delta": _random(26, 3, 5), "kernel": _random(27, 3, 2), "pre_activation": _quarters(28, 5, 6)},
        {"delta": _random(29, 4, 5), "kernel": _random(30, 2, 3), "pre_activation": _quarters(31, 5, 7)},
        {"delta": _random(86, 5, 3), "kernel": _random(87, 4, 2), "pre_activation": _quarters(88, 8, 4)},
    ],
    trace=lambda delta, kernel, pre_activation: (
        _trace_back(delta, kernel) * functions("f′", "x", tanh.derivative(pre_activation))
    ),
    axes=("row", "column"),
    hints=(
        "First the way back through the kernel: the full convolution of δ with w.",
        "Then through the activation: entry by entry times f′(x).",
        "f′ is taken at the pre-activation: tanh.derivative(x), or 1 - tanh(x)**2.",
    ),
    answer=solutions.delta_recursion,
)


# Pooling


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
    return [{name: _floats(value) for name, value in one.items()} for one in given]


def _max_inputs(first, seed):
    """Three with ties, three with overlap, one with neither: so that a slip with one of them keeps its points."""
    rng = np.random.default_rng(seed)
    ties = [((7, 6), (2, 3), (3, 3)), ((4, 7), (2, 2), (1, 1))]
    none = [((6, 5), (3, 2), (1, 2)), ((5, 7), (2, 3), (2, 3))]
    given = [
        first,
        *(_pooled(rng, rng.integers(-3, 3, windows[0]), *windows) for windows in ties),
        *(_pooled(rng, _all_different(rng, *windows[0]), *windows) for windows in none),
    ]
    given[-1]["delta"] = given[-1]["delta"] / 2  # δ need not be whole, and no array of integers holds halves
    given[-1]["inputs"] = given[-1]["inputs"] - 2000  # below whatever a search for the largest begins with
    return [{name: _floats(value) for name, value in one.items()} for one in given]


def _l2_inputs(first, seed):
    """Besides, norms below 1, and windows without a positive entry that are not zero."""
    rng = np.random.default_rng(seed + 100)
    small = _pooled(rng, -rng.integers(1, 4, (5, 7)) / 8, (5, 7), (2, 3), (2, 3))
    return [*_pooling_inputs(first, seed), {name: _floats(value) for name, value in small.items()}]


def _pooled(rng, inputs, input_size, size, stride):
    outputs = [(n - k) // s + 1 for n, k, s in zip(input_size, size, stride, strict=True)]
    delta = rng.choice([-4, -3, -2, -1, 1, 2, 3, 5], outputs)
    return {"inputs": inputs, "delta": delta, "size": size, "stride": stride}


def _all_different(rng, H, W):
    return rng.permutation(H * W).reshape(H, W) - H * W // 2


def _floats(value):
    return value.astype(float) if isinstance(value, np.ndarray) else value


_OVERLAP_DELTA = np.array([[2, -1, 3, 1], [5, 4, -2, 6], [-3, 7, 1, 2]])

max_routing = Exercise(
    name="max_routing",
    task="δ on its way back through max pooling. Of equal entries the first in row-major order wins.",
    takes={"inputs": "shape (H, W)", "delta": "δ of the pooled output, shape (H', W')", **_POOLING},
    returns=_ROUTED,
    equation="notebook 09; the article has the rule after Eq. 22",
    computation=TASKS["max_routing"],
    inputs=_max_inputs({"inputs": _TIES, "delta": _OVERLAP_DELTA[:, :2], "size": (2, 3), "stride": (1, 2)}, 32),
    trace=_trace_pooling(loops.max_pool2d),
    axes=("row", "column"),
    hints=(
        "The window of output (i, j) begins at row s1·i, column s2·j.",
        "np.argmax finds the first of the largest entries; np.unravel_index turns its number into row and column.",
        "Add δ there, with +=, as one entry may win in several windows.",
    ),
    answer=solutions.max_routing,
)

average_routing = Exercise(
    name="average_routing",
    task="δ on its way back through average pooling.",
    takes={"delta": "δ of the pooled output, shape (H', W')", "input_size": "(H, W)", **_POOLING},
    returns=_ROUTED,
    equation="notebook 09; the article has the rule after Eq. 22",
    computation=TASKS["average_routing"],
    inputs=[
        {"delta": one["delta"], "input_size": one["inputs"].shape, "size": one["size"], "stride": one["stride"]}
        for one in _pooling_inputs(
            {"inputs": np.zeros((4, 8)), "delta": _OVERLAP_DELTA[:, :3], "size": (2, 3), "stride": (1, 2)}, 33
        )
    ],
    trace=_trace_pooling(loops.average_pool2d),
    axes=("row", "column"),
    hints=(
        "Each of the k1·k2 entries of a window has the same part in its average: 1/(k1·k2).",
        "So each gets that part of δ. Windows may overlap: +=.",
    ),
    answer=solutions.average_routing,
)

l2_routing = Exercise(
    name="l2_routing",
    task="δ on its way back through L2 pooling, y = √Σx². Where y is 0 the course takes the slope 0.",
    takes={"inputs": "shape (H, W)", "delta": "δ of the pooled output, shape (H', W')", **_POOLING},
    returns=_ROUTED,
    equation="notebook 09; the article leaves it out",
    computation=TASKS["l2_routing"],
    inputs=_l2_inputs({"inputs": _ZEROS, "delta": _OVERLAP_DELTA[:, :2], "size": (2, 3), "stride": (1, 2)}, 34),
    trace=_trace_pooling(loops.l2_pool2d),
    axes=("row", "column"),
    hints=(
        "∂y/∂x = x/y: the derivative of the root is 1/(2y), that of the square 2x.",
        "Ask whether y is 0 before you divide.",
    ),
    answer=solutions.l2_routing,
)


# Stride and channels


def _trace_strided(delta, kernel, input_size, stride, padding):
    layer = symbols("δ", delta)[None, :, :, None], symbols("w", kernel)[:, :, None, None]
    return loops.conv2d_input_gradient(*layer, input_size, stride=stride, padding=padding)[0, :, :, 0]


strided_input_gradient = Exercise(
    name="strided_input_gradient",
    task="How the error depends on each input, if the kernel moves by a stride over a padded input.",
    takes={
        "delta": "δ of the output, shape (H', W')",
        "kernel": "w, shape (k1, k2)",
        "input_size": "(H, W), without padding",
        "stride": "(s1, s2)",
        "padding": "(p1, p2), rows and columns of zeros on each side",
    },
    returns="an array of shape (H, W); what no window covers gets 0",
    equation="Eq. 20 without f′, with stride and padding",
    computation=TASKS["strided_input_gradient"],
    inputs=[
        {"delta": _random(s, *outputs), "kernel": _random(s + 1, *size), "input_size": n, "stride": t, "padding": p}
        for s, n, size, t, p, outputs in [
            (70, (6, 8), (3, 2), (2, 3), (0, 1), (2, 3)),
            (40, (6, 8), (3, 2), (2, 3), (2, 1), (4, 3)),
            (42, (7, 6), (2, 3), (3, 2), (1, 2), (3, 4)),
            (44, (8, 5), (3, 4), (2, 1), (1, 2), (4, 6)),
            (46, (9, 6), (3, 2), (2, 3), (1, 0), (5, 2)),
        ]
    ],
    trace=_trace_strided,
    axes=("row", "column"),
    hints=(
        "Neighbours in δ come from windows s pixels apart: put s - 1 zeros between them.",
        "Then it is as with stride 1: the full convolution with w.",
        "That covers the padded input, up to where the last window ends. Put it into zeros of (H + 2·p1, W + 2·p2), "
        "and take the padding off.",
    ),
    answer=solutions.strided_input_gradient,
)

multichannel_input_gradient = Exercise(
    name="multichannel_input_gradient",
    task="How the error depends on each input of a layer with C channels and D filters.",
    takes={"delta": "δ of the output, shape (N, H', W', D)", "kernel": f"w, {_KERNELS}"},
    returns="an array of shape (N, H' + k1 - 1, W' + k2 - 1, C)",
    equation="Eq. 20 without f′, with the channels of Eq. 4",
    computation=TASKS["multichannel_input_gradient"],
    inputs=[
        {"delta": _random(50, 2, 3, 4, 3), "kernel": _random(51, 2, 3, 4, 3)},
        {"delta": _random(52, 3, 3, 5, 2), "kernel": _random(53, 3, 2, 4, 2)},
        {"delta": _random(84, 2, 5, 3, 3), "kernel": _random(85, 4, 2, 2, 3)},
    ],
    trace=lambda delta, kernel: loops.conv2d_input_gradient(
        symbols("δ", delta),
        symbols("w", kernel),
        tuple(n + k - 1 for n, k in zip(delta.shape[1:3], kernel.shape[:2], strict=True)),
    ),
    axes=("image", "row", "column", "channel"),
    hints=(
        "Filter d has a slice w(·, ·, c, d) for each channel c, which carries δ of filter d back to channel c.",
        "So channel c gets a sum over the filters d of full convolutions δ(d) ∗ w(·, ·, c, d).",
        "In one operation: turn the two spatial axes of w, swap its channel axes, and slide it over the padded δ.",
    ),
    answer=solutions.multichannel_input_gradient,
    layouts={"NCHW": {"delta": _NCHW, "kernel": (3, 2, 0, 1), "result": _NCHW}},
)

multichannel_kernel_gradient = Exercise(
    name="multichannel_kernel_gradient",
    task="How the error depends on each weight of a layer with C channels and D filters, over a batch of N images.",
    takes={"inputs": f"o, {_IMAGES}", "delta": "δ of the output, shape (N, H - k1 + 1, W - k2 + 1, D)"},
    returns=f"an array of {_KERNELS}",
    equation="Eq. 13, with the channels of Eq. 4",
    computation=TASKS["multichannel_kernel_gradient"],
    inputs=[
        {"inputs": _random(54, 2, 4, 5, 3), "delta": _random(55, 2, 3, 2, 4)},
        {"inputs": _random(56, 3, 5, 6, 4), "delta": _random(57, 3, 4, 3, 2)},
    ],
    trace=lambda inputs, delta: loops.conv2d_kernel_gradient(
        symbols("o", inputs),
        symbols("δ", delta),
        tuple(n - m + 1 for n, m in zip(inputs.shape[1:3], delta.shape[1:3], strict=True)),
    ),
    axes=("row", "column", "channel", "filter"),
    hints=(
        "The weight w(m, n, c, d) takes channel c of the input to filter d of the output.",
        "For each pair of c and d it is Eq. 13 with these two: o(c) ⊗ δ(d).",
        "All images share the weights: add up over the batch.",
    ),
    answer=solutions.multichannel_kernel_gradient,
    layouts={"NCHW": {"inputs": _NCHW, "delta": _NCHW, "result": (3, 2, 0, 1)}},
)


# What to do with a gradient, and the worked question

descent_step = Exercise(
    name="descent_step",
    task="One step of gradient descent: the new weights.",
    takes={"weights": "w, shape (k1, k2)", "gradient": "∂E/∂w, shape (k1, k2)", "learning_rate": "η, a number"},
    returns="an array of shape (k1, k2)",
    equation="notebook 06; the article leaves it out",
    computation=TASKS["descent_step"],
    inputs=[
        {
            "weights": KERNEL.astype(float),
            "gradient": np.array([[2, 10, -1], [5, 4, 12]], float),
            "learning_rate": 0.1,
        },
        {"weights": _random(60, 3, 2, dtype=float), "gradient": _random(61, 3, 2) + 0.5, "learning_rate": 0.25},
    ],
    trace=lambda weights, gradient, learning_rate: (
        symbols("w", weights) + symbols("g", gradient) * symbol("(−η)", -learning_rate)
    ),
    axes=("row", "column"),
    hints=("The gradient says in which direction E grows. Go the other way, by η times the gradient.",),
    answer=solutions.descent_step,
)


def _trace_two_layers(image, first_kernel, second_kernel, target):
    output = loops.cross_correlate(loops.cross_correlate(image, first_kernel), second_kernel)[0, 0]
    paths = loops.cross_correlate(symbols("i", image), symbols("w²", second_kernel))
    return paths * symbol("2(o² − y)", 2 * (output - target))


two_layer_question = Exercise(
    name="two_layer_question",
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
    computation=TASKS["two_layer_question"],
    inputs=[  # of floats, as a reader may nudge the weights
        {
            "image": IMAGE[:3].astype(float),
            "first_kernel": np.array([[1, -1, 2], [0, 3, 1]], float),
            "second_kernel": np.array([[2, -1, 1], [1, 3, -2]], float),
            "target": 4,
        },
        {
            "image": _random(62, 4, 6, dtype=float),
            "first_kernel": _random(63, 2, 3, dtype=float),
            "second_kernel": _random(64, 3, 4, dtype=float),
            "target": 7,
        },
        {
            "image": _random(65, 5, 6, dtype=float),
            "first_kernel": _random(66, 3, 2, dtype=float),
            "second_kernel": _random(67, 3, 5, dtype=float),
            "target": -2,
        },
    ],
    trace=_trace_two_layers,
    axes=("row", "column"),
    hints=(
        "Go backwards: ∂C/∂o² = 2·(o² − y). Then δ of the first map is that, times w².",
        "Then it is Eq. 13 for the first layer: i ⊗ δ.",
        "Along each path the input is multiplied with its own entry of w²; then the products are added.",
    ),
    answer=solutions.two_layer_question,
)
