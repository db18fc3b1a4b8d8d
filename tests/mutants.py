"""Wrong answers made of right ones by one edit each, and plain loops that decide which of them are wrong."""

import math
import warnings

import numpy as np

import sample
from answers import RIGHT
from convbp import exercises, loops
from convbp.exercises.reading import read
from convbp.exercises.variants import Program

# Random inputs of every shape, and the right result for them


def numbers(rng, *shape):
    return rng.integers(-20, 21, shape) / 7


def sizes(rng, most=5):
    return tuple(int(n) for n in rng.integers(1, most, 2))


def image_and_kernel(rng):
    kernel = sizes(rng)
    return numbers(rng, *(k + int(rng.integers(0, 5)) for k in kernel)), numbers(rng, *kernel)


def full(rng):
    return {"image": numbers(rng, *sizes(rng)), "kernel": numbers(rng, *sizes(rng))}


def recursion(rng):
    delta, kernel = sizes(rng), sizes(rng)
    x = numbers(rng, *(n + k - 1 for n, k in zip(delta, kernel, strict=True)))
    return {"delta": numbers(rng, *delta), "kernel": numbers(rng, *kernel), "pre_activation": x}


def region(rng):
    kernel, outputs = sizes(rng), sizes(rng, 9)
    pixel = tuple(int(rng.integers(0, k + n - 1)) for k, n in zip(kernel, outputs, strict=True))
    return {"pixel": pixel, "kernel_size": kernel, "output_size": outputs}


def windows(rng):
    """Sizes of input, window, stride and output."""
    size, stride, left = sizes(rng, 4), sizes(rng, 4), rng.integers(0, 7, 2)
    inputs = tuple(int(k + n) for k, n in zip(size, left, strict=True))
    return inputs, size, stride, tuple((n - k) // s + 1 for n, k, s in zip(inputs, size, stride, strict=True))


def routing(rng):
    inputs, size, stride, outputs = windows(rng)
    values = rng.integers(-2, 3, inputs).astype(float) if rng.random() < 0.5 else numbers(rng, *inputs) - 9
    return {"inputs": values, "delta": numbers(rng, *outputs), "size": size, "stride": stride}


def average(rng):
    inputs, size, stride, outputs = windows(rng)
    return {"delta": numbers(rng, *outputs), "input_size": inputs, "size": size, "stride": stride}


def strided(rng):
    kernel, stride, padding = sizes(rng), sizes(rng, 4), tuple(p - 1 for p in sizes(rng))
    inputs = tuple(
        max(1, k - 2 * p) + int(left) for k, p, left in zip(kernel, padding, rng.integers(0, 6, 2), strict=True)
    )
    outputs = [(n + 2 * p - k) // s + 1 for n, p, k, s in zip(inputs, padding, kernel, stride, strict=True)]
    arrays = {"delta": numbers(rng, *outputs), "kernel": numbers(rng, *kernel)}
    return arrays | {"input_size": inputs, "stride": stride, "padding": padding}


def channels(rng):
    (N, C), (_, D), (k1, k2), (rows, columns) = sizes(rng), sizes(rng), sizes(rng, 4), sizes(rng, 4)
    return N, C, D, k1, k2, rows, columns


def input_gradient(rng):
    N, C, D, k1, k2, rows, columns = channels(rng)
    return {"delta": numbers(rng, N, rows, columns, D), "kernel": numbers(rng, k1, k2, C, D)}


def kernel_gradient(rng):
    N, C, D, k1, k2, rows, columns = channels(rng)
    inputs = numbers(rng, N, rows + k1 - 1, columns + k2 - 1, C)
    return {"inputs": inputs, "delta": numbers(rng, N, rows, columns, D)}


def transposed(rng):
    inputs, kernel, stride = sizes(rng, 4), sizes(rng), sizes(rng, 4)
    padding = [
        int(rng.integers(0, (s * (n - 1) + k - 1) // 2 + 1)) for n, k, s in zip(inputs, kernel, stride, strict=True)
    ]
    over = tuple(int(rng.integers(0, s)) for s in stride)
    arrays = {"inputs": numbers(rng, *inputs), "kernel": numbers(rng, *kernel)}
    return arrays | {"stride": stride, "padding": tuple(padding), "output_padding": over}


def columns(rng):
    inputs, size, stride, (rows, cols) = windows(rng)
    arrays = {"columns": numbers(rng, rows * cols, size[0] * size[1])}
    return arrays | {"input_size": inputs, "kernel_size": size, "stride": stride}


def depthwise(rng):
    N, C, _, k1, k2, rows, cols = channels(rng)
    return {"inputs": numbers(rng, N, rows + k1 - 1, cols + k2 - 1, C), "delta": numbers(rng, N, rows, cols, C)}


def normalisation(rng):
    shape = (*sizes(rng), *sizes(rng))
    arrays = {"delta": numbers(rng, *shape), "inputs": numbers(rng, *shape), "gamma": numbers(rng, shape[3])}
    return arrays | {"eps": float(rng.random()) + 0.1}


def two_layers(rng):
    first, second = sizes(rng, 4), sizes(rng, 4)
    image = numbers(rng, *(k + n - 1 for k, n in zip(first, second, strict=True)))
    kernels = {"first_kernel": numbers(rng, *first), "second_kernel": numbers(rng, *second)}
    return {"image": image} | kernels | {"target": float(rng.integers(-9, 10))}


def steps(rng):
    shape = sizes(rng)
    return {"weights": numbers(rng, *shape), "gradient": numbers(rng, *shape), "learning_rate": float(rng.random())}


def same_shape(*names):
    def make(rng):
        shape = sizes(rng)
        return {name: numbers(rng, *shape) for name in names}

    return make


def off_the_kink(rng):
    """Without the zeros, where several slopes are right."""
    given = same_shape("delta", "pre_activation")(rng)
    return given | {"pre_activation": given["pre_activation"] + 1 / 14}


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def entry_by_entry(formula):
    return lambda *arrays: np.vectorize(formula, otypes=[float])(*arrays)


def pooled(pool):
    def route(inputs, delta, size, stride):
        return (
            pool(inputs[None, :, :, None], size, stride=stride).route(delta[None, :, :, None])[0, :, :, 0].astype(float)
        )

    return route


def both_ends(pixel, kernel_size, output_size):
    """The outputs whose window holds the pixel, by looking at each."""
    ends = []
    for at, size, outputs in zip(pixel, kernel_size, output_size, strict=True):
        seen = [i for i in range(outputs) if at in range(i, i + size)]
        ends.append((seen[0], seen[-1]))
    return np.transpose(ends)


def through_stride(delta, kernel, input_size, stride, padding):
    layer = delta[None, :, :, None], kernel[:, :, None, None]
    return loops.conv2d_input_gradient(*layer, input_size, stride=stride, padding=padding)[0, :, :, 0]


def through_channels(delta, kernel):
    size = [n + k - 1 for n, k in zip(delta.shape[1:3], kernel.shape[:2], strict=True)]
    return loops.conv2d_input_gradient(delta, kernel, size)


def of_channels(inputs, delta):
    size = [n - m + 1 for n, m in zip(inputs.shape[1:3], delta.shape[1:3], strict=True)]
    return loops.conv2d_kernel_gradient(inputs, delta, size)


def through_transposed(inputs, kernel, stride, padding, output_padding):
    layer, steps = (inputs[None, :, :, None], kernel[:, :, None, None]), {"stride": stride, "padding": padding}
    return loops.conv2d_transpose(*layer, **steps, output_padding=output_padding)[0, :, :, 0]


def windows_back(columns, input_size, kernel_size, stride):
    """How im2col depends on each pixel, one after the other."""

    def laid_out(image):
        tops, lefts = (range(0, n - k + 1, s) for n, k, s in zip(input_size, kernel_size, stride, strict=True))
        (k1, k2) = kernel_size
        return np.array([image[i : i + k1, j : j + k2].ravel() for i in tops for j in lefts])

    result = np.zeros(input_size)
    for pixel in np.ndindex(input_size):
        one = np.zeros(input_size)
        one[pixel] = 1
        result[pixel] = (laid_out(one) * columns).sum()
    return result


def of_own_channel(inputs, delta):
    size = [n - m + 1 for n, m in zip(inputs.shape[1:3], delta.shape[1:3], strict=True)]
    return loops.conv2d_kernel_gradient(inputs, delta, size, groups=inputs.shape[3])[:, :, 0]


def through_normalisation(delta, inputs, gamma, eps):
    """By a complex step, which knows nothing of the derivation."""
    result = np.zeros(inputs.shape)
    for at in np.ndindex(inputs.shape):
        nudged = inputs.astype(complex)
        nudged[at] += 1e-30j
        difference = nudged - nudged.mean(axis=(0, 1, 2))
        outputs = gamma * difference / np.sqrt((difference**2).mean(axis=(0, 1, 2)) + eps)
        result[at] = (outputs.imag * delta).sum() / 1e-30
    return result


def for_first_kernel(image, first_kernel, second_kernel, target):
    ((output,),) = loops.cross_correlate(loops.cross_correlate(image, first_kernel), second_kernel)
    return 2 * (output - target) * loops.cross_correlate(image, second_kernel)


BY_LOOPS = {
    "cross_correlation": (
        lambda rng: dict(zip(("image", "kernel"), image_and_kernel(rng), strict=True)),
        loops.cross_correlate,
    ),
    "convolution": (
        lambda rng: dict(zip(("image", "kernel"), image_and_kernel(rng), strict=True)),
        loops.convolve,
    ),
    "rot180": (same_shape("kernel"), loops.rot180),
    "full_convolution": (full, lambda image, kernel: loops.convolve(image, kernel, mode="full")),
    "kernel_gradient": (
        lambda rng: dict(zip(("inputs", "delta"), image_and_kernel(rng), strict=True)),
        loops.cross_correlate,
    ),
    "bias_gradient": (
        lambda rng: {"delta": numbers(rng, *sizes(rng), *sizes(rng))},
        loops.conv2d_bias_gradient,
    ),
    "descent_step": (steps, lambda w, g, rate: w - rate * g),
    "region_q": (region, both_ends),
    "output_delta": (
        same_shape("pre_activation", "targets"),
        entry_by_entry(lambda x, t: (sigmoid(x) - t) * sigmoid(x) * sigmoid(-x)),
    ),
    "relu_delta": (off_the_kink, entry_by_entry(lambda d, x: d if x > 0 else 0)),
    "delta_recursion": (
        recursion,
        lambda d, w, x: loops.convolve(d, w, mode="full") * entry_by_entry(lambda x: math.cosh(x) ** -2)(x),
    ),
    "max_routing": (routing, pooled(loops.max_pool2d)),
    "average_routing": (
        average,
        lambda delta, input_size, size, stride: pooled(loops.average_pool2d)(
            np.zeros(input_size, int).astype(object), delta, size, stride
        ),
    ),
    "l2_routing": (routing, pooled(loops.l2_pool2d)),
    "strided_input_gradient": (strided, through_stride),
    "multichannel_input_gradient": (input_gradient, through_channels),
    "multichannel_kernel_gradient": (kernel_gradient, of_channels),
    "conv_transpose2d": (transposed, through_transposed),
    "col2im": (columns, windows_back),
    "depthwise_kernel_gradient": (depthwise, of_own_channel),
    "batch_norm_delta": (normalisation, through_normalisation),
    "two_layer_question": (two_layers, for_first_kernel),
}
DECIDING = {}
USUAL, ALL = 50, 250


def deciding(name, most):
    """Random inputs for the exercise, and what plain loops say of them; of every kind, the same in every run."""
    made = DECIDING.setdefault(name, [])
    make, loop = BY_LOOPS[name]
    for n in range(most):
        if n == len(made):
            given = make(np.random.default_rng([n, 20]))
            # Where a sum is 0 but for rounding, another order of its terms gives another tiny number.
            made.append((given, np.asarray(loop(*given.values()), float).round(12)))
        yield made[n]


def agrees(function, given, expected):
    """Whether a function gives what is expected and leaves its arguments as they are."""
    copies = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in given.items()}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = read(function(*copies.values()))
        except Exception:
            return False
    unchanged = all(np.array_equal(copies[name], given[name]) for name in given)
    return answer.equals(expected) and unchanged


def is_right(name, function, most=None):
    """What plain loops decide, on random inputs of many shapes."""
    return all(agrees(function, *case) for case in deciding(name, most or sample.size(USUAL, thorough=ALL)))


def passes(exercise, function):
    """What the exercise's own inputs decide."""
    cases = zip(exercise.inputs, exercise.expected, strict=True)
    if exercise.name == "relu_delta":  # where several slopes are right
        return exercise.check(function).passed
    return all(agrees(function, *case) for case in cases)


def programs(exercise):
    """The right answers that are functions with a source of their own."""
    styles = dict(RIGHT[exercise.name])
    styles |= {program.__name__: program for program in (exercise.answer, *exercise.programs)}
    found = {}
    for style, function in styles.items():
        try:
            found[style] = Program(function)
        except (AttributeError, IndentationError, OSError, SyntaxError, TypeError, ValueError):
            continue  # a lambda, or a function made by another
    return found


def mutants(program):
    """Each edit with the answer that it makes."""
    for edit in program.edits(every_name=True):
        function = program.edited((edit,))
        if function is not None:
            yield edit, function


def examined(exercise, program, chosen=lambda all_of_them: all_of_them):
    """How many mutants are wrong, which wrong ones pass, and which right ones are refused."""
    wrong, passed, refused = 0, [], []
    for edit, function in chosen(list(mutants(program))):
        right, accepted = is_right(exercise.name, function), passes(exercise, function)
        if right and not accepted:  # fifty inputs may have let it by
            right = is_right(exercise.name, function, ALL)
        wrong += not right
        if accepted and not right:
            passed.append(edit)
        if right and not accepted:
            refused.append(edit)
    return wrong, passed, refused


def told(program, edits):
    return [" ⟶ ".join("; ".join(lines) for lines in program.lines((edit,))) for edit in edits]


def all_exercises():
    return {exercise.name: exercise for exercise in exercises.ALL}
