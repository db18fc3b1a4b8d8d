"""Checks of an implementation that is handed to them, each an AssertionError if it is wrong.

The package's own functions have to pass them (test_properties.py), and a collection of wrong ones has to fail them
(test_wrong_implementations.py). Numbers are compared with `convbp.loops`, and gradients also by two ways that
need no second gradient: the adjoint identity, and central differences of the error after loops' forward pass.
All arrays are read-only, so what changes its arguments fails as well.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import pytest

from convbp import adjoint_test, central_difference, compare_gradients, half_sum_of_squares, loops


def integers(rng, shape, low=-9, high=9):
    array = rng.integers(low, high + 1, shape)
    array.flags.writeable = False
    return array


def assert_same(result, expected):
    """Same shape, and equal entries."""
    np.testing.assert_array_equal(result, expected, strict=False)
    assert np.shape(result) == np.shape(expected), f"shape {np.shape(result)} instead of {np.shape(expected)}"


def what_it_says(error, function, *arguments, **named):
    """The message of the error that the call raises."""
    with pytest.raises(error) as raised:
        function(*arguments, **named)
    return str(raised.value)


def assert_agrees(report):
    assert report.agrees is not False, repr(report)  # None is zero on both sides


@dataclass(frozen=True)
class Layer:
    """Sizes of a convolutional layer, with random integers for its arrays."""

    size: tuple[int, int]
    kernel_size: tuple[int, int]
    batch: int = 2
    channels: int = 2
    filters: int = 3
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    largest: int = 9
    seed: int = 0
    groups: int = 1  # of so many channels and filters each

    @property
    def steps(self):
        steps = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return steps | ({"groups": self.groups} if self.groups > 1 else {})

    def random(self, shape, seed):
        return integers(np.random.default_rng(seed), shape, -self.largest, self.largest)

    @cached_property
    def inputs(self):
        return self.random((self.batch, *self.size, self.channels * self.groups), self.seed)

    @cached_property
    def kernel(self):
        return self.random((*self.kernel_size, self.channels, self.filters * self.groups), self.seed + 1)

    @cached_property
    def bias(self):
        return self.random(self.filters * self.groups, self.seed + 2)

    @cached_property
    def outputs(self):
        return loops.conv2d(self.inputs, self.kernel, self.bias, **self.steps)

    @cached_property
    def delta(self):
        return self.random(self.outputs.shape, self.seed + 3)


# Never square, k1 ≠ k2, C ≠ D, rows unlike columns. Each step alone, so that forgetting it shows, and all together.
LAYERS = [
    Layer((5, 4), (2, 3)),
    Layer((4, 6), (3, 2), channels=3, filters=2),
    Layer((6, 8), (2, 3), stride=(2, 3)),  # leaves out columns between windows and at the end
    Layer((7, 4), (3, 2), stride=(3, 1), batch=3),
    Layer((4, 5), (3, 2), padding=(2, 1)),
    Layer((7, 6), (2, 3), dilation=(3, 2)),
    Layer((8, 7), (3, 2), stride=(2, 3), padding=(1, 2), dilation=(2, 1)),
    Layer((3, 5), (1, 2), batch=1, channels=1, filters=1, stride=(2, 2)),  # a stride larger than the kernel
]


def check_conv2d(conv2d, layer):
    assert_same(conv2d(layer.inputs, layer.kernel, layer.bias, **layer.steps), layer.outputs)
    without_bias = loops.conv2d(layer.inputs, layer.kernel, **layer.steps)
    assert_same(conv2d(layer.inputs, layer.kernel, **layer.steps), without_bias)


def check_kernel_gradient(kernel_gradient, layer):
    arguments = layer.inputs, layer.delta, layer.kernel_size
    assert_same(kernel_gradient(*arguments, **layer.steps), loops.conv2d_kernel_gradient(*arguments, **layer.steps))


def check_input_gradient(input_gradient, layer):
    arguments = layer.delta, layer.kernel, layer.size
    assert_same(input_gradient(*arguments, **layer.steps), loops.conv2d_input_gradient(*arguments, **layer.steps))


def check_bias_gradient(bias_gradient, layer):
    assert_same(bias_gradient(layer.delta), loops.conv2d_bias_gradient(layer.delta))


def check_kernel_gradient_is_adjoint(kernel_gradient, layer):
    assert_adjoint(
        lambda kernel: loops.conv2d(layer.inputs, kernel, **layer.steps),
        lambda delta: kernel_gradient(layer.inputs, delta, layer.kernel_size, **layer.steps),
        layer.kernel.shape,
    )


def check_input_gradient_is_adjoint(input_gradient, layer):
    assert_adjoint(
        lambda inputs: loops.conv2d(inputs, layer.kernel, **layer.steps),
        lambda delta: input_gradient(delta, layer.kernel, layer.size, **layer.steps),
        layer.inputs.shape,
    )


def check_bias_gradient_is_adjoint(bias_gradient, layer):
    nothing = np.zeros_like(layer.inputs)
    assert_adjoint(
        lambda bias: loops.conv2d(nothing, layer.kernel, bias, **layer.steps),
        bias_gradient,
        layer.bias.shape,
    )


def assert_adjoint(forward, backward, shape):
    try:
        assert_agrees(adjoint_test(forward, backward, shape, trials=2))
    except ValueError as wrong_shape:
        raise AssertionError(wrong_shape) from None


def check_kernel_gradient_by_differences(kernel_gradient, layer):
    """E = ½ Σ (x − t)² with t = x − δ, whose derivative for x is δ."""
    targets = layer.outputs - layer.delta
    assert_slope(
        lambda kernel: half_sum_of_squares(loops.conv2d(layer.inputs, kernel, layer.bias, **layer.steps), targets),
        layer.kernel,
        kernel_gradient(layer.inputs, layer.delta, layer.kernel_size, **layer.steps),
    )


def check_input_gradient_by_differences(input_gradient, layer):
    targets = layer.outputs - layer.delta
    assert_slope(
        lambda inputs: half_sum_of_squares(loops.conv2d(inputs, layer.kernel, layer.bias, **layer.steps), targets),
        layer.inputs,
        input_gradient(layer.delta, layer.kernel, layer.size, **layer.steps),
    )


def check_bias_gradient_by_differences(bias_gradient, layer):
    targets = layer.outputs - layer.delta
    assert_slope(
        lambda bias: half_sum_of_squares(loops.conv2d(layer.inputs, layer.kernel, bias, **layer.steps), targets),
        layer.bias,
        bias_gradient(layer.delta),
    )


def assert_slope(error, at, gradient):
    """The error is a square in each entry: a central difference is exact but for rounding, so the step can be large."""
    assert np.shape(gradient) == np.shape(at), f"shape {np.shape(gradient)} instead of {np.shape(at)}"
    assert_agrees(compare_gradients(gradient, central_difference(error, at, step=0.5), tolerance=1e-9))


@dataclass(frozen=True)
class Pair:
    """Sizes of an image and a kernel, with random integers for both."""

    size: tuple[int, int]
    kernel_size: tuple[int, int]
    seed: int = 0

    @cached_property
    def arrays(self):
        rng = np.random.default_rng(self.seed)
        return integers(rng, self.size), integers(rng, self.kernel_size)


PAIRS = [Pair((5, 4), (2, 3)), Pair((3, 6), (3, 2)), Pair((4, 4), (1, 2)), Pair((3, 4), (3, 4))]


def check_cross_correlate(cross_correlate, pair):
    for mode in "valid", "full":
        assert_same(cross_correlate(*pair.arrays, mode), loops.cross_correlate(*pair.arrays, mode))


def check_convolve(convolve, pair):
    for mode in "valid", "full":
        assert_same(convolve(*pair.arrays, mode), loops.convolve(*pair.arrays, mode))


@dataclass(frozen=True)
class Windows:
    """Sizes of a pooling layer, with random integers: from few, so that most windows hold ties."""

    size: tuple[int, int]
    window: tuple[int, int]
    stride: tuple[int, int] | None = None
    padding: tuple[int, int] = (0, 0)
    batch: int = 2
    channels: int = 3
    low: int = -1
    high: int = 1
    seed: int = 0

    @cached_property
    def inputs(self):
        shape = self.batch, *self.size, self.channels
        return integers(np.random.default_rng(self.seed), shape, self.low, self.high)

    @property
    def arguments(self):
        return {"size": self.window, "stride": self.stride, "padding": self.padding}

    def delta(self, output):
        return integers(np.random.default_rng(self.seed + 1), np.shape(output))


WINDOWS = [
    Windows((4, 6), (2, 3)),
    Windows((5, 7), (2, 3)),  # one row and one column are left over
    Windows((5, 4), (3, 2), stride=(1, 1)),  # overlap
    Windows((6, 7), (2, 2), stride=(3, 2)),  # gaps
    Windows((4, 5), (3, 2), stride=(2, 1), padding=(1, 1), low=-4, high=-2),  # a zero from the padding would win
    Windows((4, 5), (2, 3), padding=(1, 1), low=0, high=1),
    Windows((6, 4), (2, 3), stride=(2, 1), low=0, high=0),  # nothing but ties, and norm 0
    Windows((5, 6), (2, 3), stride=(2, 2), low=-9, high=9),
]


def check_max_pool(max_pool2d, windows):
    expected = loops.max_pool2d(windows.inputs, **windows.arguments)
    result = max_pool2d(windows.inputs, **windows.arguments)
    delta = windows.delta(expected.output)
    assert_same(result.output, expected.output)
    assert_same(result.winners, expected.winners)
    assert_same(result.route(delta), expected.route(delta))


def check_average_pool(average_pool2d, windows):
    """Exact on Fractions, and correctly rounded on integers."""
    expected = loops.average_pool2d(windows.inputs, **windows.arguments)
    delta = windows.delta(expected.output)
    fractions = average_pool2d(windows.inputs * Fraction(1), **windows.arguments)
    assert_same(fractions.output, expected.output)
    assert_same(fractions.route(delta * Fraction(1)), expected.route(delta))
    floats = average_pool2d(windows.inputs, **windows.arguments)
    assert_same(floats.output.astype(float), expected.output.astype(float))
    assert_same(floats.route(delta).astype(float), expected.route(delta).astype(float))


def check_l2_pool(l2_pool2d, windows):
    expected = loops.l2_pool2d(windows.inputs, **windows.arguments)
    result = l2_pool2d(windows.inputs, **windows.arguments)
    delta = windows.delta(expected.output)
    np.testing.assert_allclose(result.output, expected.output, rtol=1e-13)
    np.testing.assert_allclose(result.route(delta), expected.route(delta), rtol=1e-13, atol=1e-13)


def check_average_pool_is_adjoint(average_pool2d, windows):
    assert_adjoint(
        lambda inputs: loops.average_pool2d(inputs, **windows.arguments).output,
        lambda delta: average_pool2d(windows.inputs, **windows.arguments).route(delta * Fraction(1)),
        windows.inputs.shape,
    )


def check_max_pool_by_differences(max_pool2d, windows):
    assert_pool_slope(max_pool2d, loops.max_pool2d, windows)


def check_average_pool_by_differences(average_pool2d, windows):
    assert_pool_slope(average_pool2d, loops.average_pool2d, windows)


def check_l2_pool_by_differences(l2_pool2d, windows):
    assert_pool_slope(l2_pool2d, loops.l2_pool2d, windows)


def assert_pool_slope(pool, loops_pool, windows):
    """E = Σ δ·y at inputs that are all different and not 0, so that there is neither a tie nor a norm of 0."""
    shape = windows.inputs.shape
    order = np.random.default_rng(windows.seed).permutation(windows.inputs.size).reshape(shape)
    at = (order + 1.0) * np.where(order % 2, 1, -1)
    pooled = pool(at, **windows.arguments)
    delta = windows.delta(pooled.output)
    slopes = central_difference(lambda inputs: (delta * loops_pool(inputs, **windows.arguments).output).sum(), at)
    assert_agrees(compare_gradients(pooled.route(delta), slopes, tolerance=1e-7))


# Each activation at one number, as its formula stands in a book, and its slope at a kink if it has one.
ACTIVATIONS = {
    "identity": (lambda x: x, {}),
    "relu": (lambda x: max(x, 0), {0: 0}),
    "leaky_relu": (lambda x: x if x > 0 else 0.01 * x, {0: 0.01}),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), {}),
    "tanh": (math.tanh, {}),
    "softplus": (lambda x: math.log(1 + math.exp(x)), {}),
}


def check_activation(activation, name):
    formula, kinks = ACTIVATIONS[name]
    formula = np.vectorize(formula, otypes=[float])
    at = np.array([[-3.0, -0.7, -0.01], [0.02, 0.8, 2.5]])
    np.testing.assert_allclose(activation(at), formula(at), rtol=1e-14)
    slopes = central_difference(lambda x: formula(x).sum(), at)
    assert_agrees(compare_gradients(activation.derivative(at), slopes, tolerance=1e-9))
    for kink, slope in kinks.items():
        assert activation.derivative(np.array([kink])) == slope, f"slope at the kink {kink} is not {slope}"


def check_half_sum_of_squares(loss):
    outputs, targets = np.array([[1, 5, -2], [4, 0, 3]]), np.array([[3, 4, 4], [-1, 0, 2]])
    expected = sum((t - y) ** 2 for t, y in zip(targets.flat, outputs.flat, strict=True)) / 2
    assert loss(outputs, targets) == expected
    assert_same(loss.gradient(outputs, targets), outputs - targets)


def check_softmax_cross_entropy(loss):
    outputs, labels = np.array([[1.0, -0.5, 0.25, 2.0], [0.5, 0.0, -1.5, 1.0], [3.0, 0.1, 0.2, 0.3]]), [2, 3, 0]

    def error(scores):
        rows = [[math.exp(score) for score in row] for row in scores.tolist()]
        return -sum(math.log(row[label] / sum(row)) for row, label in zip(rows, labels, strict=True)) / len(rows)

    np.testing.assert_allclose(loss(outputs, labels), error(outputs), rtol=1e-14)
    slopes = central_difference(error, outputs)
    assert_agrees(compare_gradients(loss.gradient(outputs, labels), slopes, tolerance=1e-9))
