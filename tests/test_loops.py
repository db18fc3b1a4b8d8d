"""The oracle itself: sums done by hand, polynomials, and derivatives that sympy takes of its forward pass."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

import convbp
from checks import what_it_says
from convbp import loops

IMAGE = [[1, 2, 3], [4, 5, 6]]
KERNEL = [[1, 10], [100, 1000]]


def symbols(name, *shape):
    array = np.empty(shape, object)
    for index in np.ndindex(*shape):
        array[index] = sympy.Symbol(name + "".join(map(str, index)))
    return array


def derivatives(error, variables):
    """∂E/∂variable for each entry of an array of symbols."""
    return np.vectorize(lambda variable: sympy.diff(error, variable), otypes=[object])(variables)


def assert_equal_expressions(result, expected):
    assert result.shape == expected.shape
    for computed, derived in zip(result.flat, expected.flat, strict=True):
        assert sympy.simplify(computed - derived) == 0


def test_cross_correlation_by_hand():
    assert loops.cross_correlate(IMAGE, KERNEL).tolist() == [[5421, 6532]]
    full = [[1000, 2100, 3200, 300], [4010, 5421, 6532, 603], [40, 54, 65, 6]]
    assert loops.cross_correlate(IMAGE, KERNEL, "full").tolist() == full


def test_convolution_by_hand():
    assert loops.convolve(IMAGE, KERNEL).tolist() == [[1245, 2356]]
    full = [[1, 12, 23, 30], [104, 1245, 2356, 3060], [400, 4500, 5600, 6000]]
    assert loops.convolve(IMAGE, KERNEL, "full").tolist() == full


def test_full_convolution_multiplies_polynomials():
    """Σ I(i, j) xⁱ yʲ times Σ K(m, n) xᵐ yⁿ has the entries of I * K as its coefficients."""
    x, y = sympy.symbols("x y")

    def polynomial(array):
        return sympy.Poly({index: int(entry) for index, entry in np.ndenumerate(np.asarray(array))}, x, y)

    assert polynomial(IMAGE) * polynomial(KERNEL) == polynomial(loops.convolve(IMAGE, KERNEL, "full"))


def test_rot180_by_hand():
    assert loops.rot180([[1, 2, 3], [4, 5, 6]]).tolist() == [[6, 5, 4], [3, 2, 1]]
    assert loops.rot180(np.arange(12).reshape(3, 2, 1, 2)).ravel().tolist() == [10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1]


def test_layer_by_hand():
    """One image of 3×4 with two channels, a 2×1 kernel, one filter; stride (1, 3), padding (1, 0)."""
    inputs = np.arange(24).reshape(1, 3, 4, 2)
    kernel = np.array([1, 10, 100, 1000]).reshape(2, 1, 2, 1)
    result = loops.conv2d(inputs, kernel, [7], stride=(1, 3), padding=(1, 0))
    # (0, 0): the row above is padding, below stand 0 and 1; (1, 1): above 6 and 7, below 14 and 15; and so on.
    expected = [[1007, 7607], [10 + 800 + 9000 + 7, 6 + 70 + 1400 + 15000 + 7]]
    expected += [[8 + 90 + 1600 + 17000 + 7, 14 + 150 + 2200 + 23000 + 7], [16 + 170 + 7, 22 + 230 + 7]]
    assert result[0, :, :, 0].tolist() == expected


def test_dilation_by_hand():
    inputs = np.arange(1, 11).reshape(1, 2, 5, 1)
    kernel = np.array([[1, 10]]).reshape(1, 2, 1, 1)
    assert loops.conv2d(inputs, kernel, dilation=(1, 3))[0, :, :, 0].tolist() == [[41, 52], [96, 107]]


@pytest.mark.parametrize(
    "steps",
    [{}, {"stride": (2, 1), "padding": (1, 0)}, {"stride": (1, 2), "padding": (0, 1), "dilation": (2, 1)}],
)
def test_gradients_are_the_derivatives_of_the_forward_pass(steps):
    """For all inputs, kernels, biases and δ at once: E = Σ δ·x with symbols as entries."""
    inputs, kernel, bias = symbols("o", 2, 4, 3, 2), symbols("w", 2, 2, 2, 1), symbols("b", 1)
    outputs = loops.conv2d(inputs, kernel, bias, **steps)
    delta = symbols("d", *outputs.shape)
    error = (delta * outputs).sum()
    assert_equal_expressions(loops.conv2d_kernel_gradient(inputs, delta, (2, 2), **steps), derivatives(error, kernel))
    assert_equal_expressions(loops.conv2d_input_gradient(delta, kernel, (4, 3), **steps), derivatives(error, inputs))
    assert_equal_expressions(loops.conv2d_bias_gradient(delta), derivatives(error, bias))


@pytest.mark.parametrize("pool", [loops.average_pool2d, loops.l2_pool2d])
def test_routes_are_the_derivatives_of_the_forward_pass(pool):
    """Overlapping windows with padding, on symbols."""
    inputs = symbols("o", 1, 3, 4, 1)
    pooled = pool(inputs, (2, 3), stride=(2, 1), padding=(1, 1))
    delta = symbols("d", *pooled.output.shape)
    assert_equal_expressions(pooled.route(delta), derivatives((delta * pooled.output).sum(), inputs))


def test_integers_do_not_overflow():
    large = 2**62
    assert loops.cross_correlate([[large, large]], [[4, 4]]).tolist() == [[2**65]]


def test_fractions_stay_exact():
    thirds = np.array([[Fraction(1, 3), Fraction(2, 3)]])
    assert loops.convolve(thirds, thirds, "full").tolist() == [[Fraction(1, 9), Fraction(4, 9), Fraction(4, 9)]]


def test_dtypes():
    assert loops.cross_correlate(IMAGE, KERNEL).dtype == np.int64
    assert loops.cross_correlate(np.float32(IMAGE), KERNEL).dtype == np.float64
    assert loops.cross_correlate(symbols("i", 2, 3), KERNEL).dtype == object
    pooled = loops.average_pool2d(np.ones((1, 2, 1, 1)), 1, stride=2)
    gradient = pooled.route(pooled.output)  # the sum over no window at all is the integer 0
    assert (gradient.dtype, gradient.ravel().tolist()) == (np.float64, [1, 0])


@pytest.mark.parametrize(
    ("value", "dtype"), [(2**63 - 1, np.int64), (2**63, object), (-(2**63), np.int64), (-(2**63) - 1, object)]
)
def test_integers_are_of_int64_where_they_fit(value, dtype):
    result = loops.rot180(np.array([[value, 1]], object))
    assert result.dtype == dtype
    assert result.tolist() == [[1, value]]


INPUTS, LAYER_KERNEL, DELTA = np.ones((2, 5, 4, 2)), np.ones((2, 3, 2, 3)), np.ones((2, 4, 2, 3))


@pytest.mark.parametrize(
    ("name", "arguments", "steps"),
    [
        ("cross_correlate", (IMAGE, np.ones((3, 2))), {}),
        ("cross_correlate", (IMAGE, KERNEL, "same"), {}),
        ("convolve", (IMAGE, [[]]), {}),
        ("rot180", ([1, 2],), {}),
        ("conv2d", (INPUTS, np.ones((2, 3, 1, 3))), {}),
        ("conv2d", (INPUTS, LAYER_KERNEL, [1, 2]), {}),
        ("conv2d", (INPUTS, LAYER_KERNEL), {"stride": 0}),
        ("conv2d", (INPUTS, LAYER_KERNEL), {"dilation": 4}),
        ("conv2d_kernel_gradient", (INPUTS, DELTA, 0), {}),
        ("conv2d_kernel_gradient", (INPUTS, DELTA, (2, 3)), {"padding": 1}),
        ("conv2d_input_gradient", (DELTA, LAYER_KERNEL, (5, 4)), {"stride": 2}),
        ("conv2d_input_gradient", (DELTA, LAYER_KERNEL[..., :2], (5, 4)), {}),
        ("conv2d_input_gradient", (DELTA, LAYER_KERNEL, 0), {}),
        ("conv2d_bias_gradient", (DELTA[0],), {}),
    ],
)
def test_bad_arguments_are_refused_as_by_the_fast_operations(name, arguments, steps):
    said = what_it_says(ValueError, getattr(loops, name), *arguments, **steps)
    assert said.startswith(f"{name}: ")
    assert said == what_it_says(ValueError, getattr(convbp, name), *arguments, **steps)
