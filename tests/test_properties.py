"""Whatever the shapes, strides, padding, dilation and channels: the checks of checks.py hold for the package.

Hypothesis draws the sizes and, when a check fails, finds the smallest that still do. That the checks see mistakes is
tested in test_wrong_implementations.py, on sizes that are never square nor symmetric.
"""

import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import checks
import convbp
from convbp import loops

# The same examples in every run under CI, so that a failure there can be repeated; new ones at home.
searched = settings(deadline=None, max_examples=200, derandomize=bool(os.environ.get("CI")))
searched_slowly = settings(searched, max_examples=60)

seeds = st.integers(0, 2**32 - 5)


def pairs(low, high):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def layers(
    draw, kernel=3, padding=2, dilation=3, room=4, channels=3, largest=(1, 9, 2**20, 2**40), groups=(1, 1, 2, 3)
):
    """A layer whose window fits at least once: with room for more, with entries as large as needs Python's integers."""
    kernel_size, stride = draw(pairs(1, kernel)), draw(pairs(1, 3))
    padding, dilation = draw(pairs(0, padding)), draw(pairs(1, dilation))
    extra = draw(pairs(0, room))
    size = tuple(
        max(1, t * (k - 1) + 1 - 2 * p) + e for k, p, t, e in zip(kernel_size, padding, dilation, extra, strict=True)
    )
    batch, channels, filters = (draw(st.integers(1, most)) for most in (2, channels, channels))
    largest, seed = draw(st.sampled_from(largest)), draw(seeds)
    padding = draw(
        st.sampled_from([padding, tuple((0, 2 * p) for p in padding), tuple((2 * p, 0) for p in padding), "same"])
    )
    groups = draw(st.sampled_from(groups))
    return checks.Layer(size, kernel_size, batch, channels, filters, stride, padding, dilation, largest, seed, groups)


small_layers = layers(kernel=2, dilation=2, room=2, channels=2, largest=(9,), groups=(1, 1, 2))


@st.composite
def windows(draw):
    """A pooling layer with windows that overlap, leave gaps, or stand over the border; from all ties to hardly any."""
    window, stride = draw(pairs(1, 3)), draw(st.none() | pairs(1, 4))
    padding = tuple(draw(st.integers(0, k // 2)) for k in window)
    extra = draw(pairs(0, 4))
    size = tuple(max(1, k - 2 * p) + e for k, p, e in zip(window, padding, extra, strict=True))
    low, high = draw(st.sampled_from([(0, 0), (-1, 0), (-1, 1), (-9, 9), (-(2**40), 2**40)]))
    return checks.Windows(
        size, window, stride, padding, draw(st.integers(1, 2)), draw(st.integers(1, 2)), low, high, draw(seeds)
    )


@st.composite
def images_and_kernels(draw):
    kernel_size, extra = draw(pairs(1, 4)), draw(pairs(0, 4))
    size = tuple(k + e for k, e in zip(kernel_size, extra, strict=True))
    return checks.Pair(size, kernel_size, draw(seeds))


@searched
@given(images_and_kernels())
def test_article_level_equals_loops(pair):
    checks.check_cross_correlate(convbp.cross_correlate, pair)
    checks.check_convolve(convbp.convolve, pair)


@pytest.mark.slow
@searched
@given(images_and_kernels())
def test_article_level_is_exact_on_fractions(pair):
    image, kernel = (array * Fraction(1, 7) for array in pair.arrays)
    for mode in "valid", "full":
        checks.assert_same(convbp.convolve(image, kernel, mode), loops.convolve(image, kernel, mode))
        checks.assert_same(convbp.cross_correlate(image, kernel, mode), loops.cross_correlate(image, kernel, mode))


@searched
@given(images_and_kernels())
def test_a_flip_turns_one_into_the_other(pair):
    """Eq. 3 of the article as corrected, and rot180 both of the sum and of what is summed."""
    image, kernel = pair.arrays
    flipped = convbp.rot180(kernel)
    checks.assert_same(flipped, loops.rot180(kernel))
    checks.assert_same(convbp.rot180(flipped), kernel)
    for mode in "valid", "full":
        checks.assert_same(convbp.convolve(image, kernel, mode), convbp.cross_correlate(image, flipped, mode))
        both_flipped = convbp.cross_correlate(convbp.rot180(image), flipped, mode)
        checks.assert_same(both_flipped, convbp.rot180(convbp.cross_correlate(image, kernel, mode)))


@searched
@given(layers())
def test_layer_and_its_gradients_equal_loops(layer):
    checks.check_conv2d(convbp.conv2d, layer)
    checks.check_kernel_gradient(convbp.conv2d_kernel_gradient, layer)
    checks.check_input_gradient(convbp.conv2d_input_gradient, layer)
    checks.check_bias_gradient(convbp.conv2d_bias_gradient, layer)


@searched
@given(layers(largest=(9,)))
def test_gradients_are_adjoints_of_the_forward_pass(layer):
    checks.check_kernel_gradient_is_adjoint(convbp.conv2d_kernel_gradient, layer)
    checks.check_input_gradient_is_adjoint(convbp.conv2d_input_gradient, layer)
    checks.check_bias_gradient_is_adjoint(convbp.conv2d_bias_gradient, layer)


@searched_slowly
@given(small_layers, st.data())
def test_a_transposed_convolution_equals_loops_and_is_the_input_gradient(layer, data):
    assume(layer.padding != "same")
    over = tuple(data.draw(st.integers(0, s - 1)) for s in layer.stride)
    bias = layer.random(layer.channels * layer.groups, layer.seed + 4)
    try:
        expected = loops.conv2d_transpose(layer.delta, layer.kernel, bias, output_padding=over, **layer.steps)
    except ValueError as error:
        assume("Use less padding" not in str(error))
        raise
    output = convbp.conv2d_transpose(layer.delta, layer.kernel, bias, output_padding=over, **layer.steps)
    checks.assert_same(output, expected)
    by_conv2d = convbp.conv2d_input_gradient(layer.delta, layer.kernel, output.shape[1:3], **layer.steps)
    checks.assert_same(output, by_conv2d + bias)


@searched_slowly
@given(small_layers)
def test_gradients_are_central_differences_of_the_error(layer):
    checks.check_kernel_gradient_by_differences(convbp.conv2d_kernel_gradient, layer)
    checks.check_input_gradient_by_differences(convbp.conv2d_input_gradient, layer)
    checks.check_bias_gradient_by_differences(convbp.conv2d_bias_gradient, layer)


@searched
@given(layers(padding=0, dilation=1, groups=(1,)))
def test_a_layer_is_a_sum_of_cross_correlations(layer):
    """Eq. 4 of the article from Eq. 1, channel by channel."""
    outputs = convbp.conv2d(layer.inputs, layer.kernel)
    for n, d in np.ndindex(layer.batch, layer.filters):
        channels = range(layer.channels)
        maps = [convbp.cross_correlate(layer.inputs[n, :, :, c], layer.kernel[:, :, c, d]) for c in channels]
        checks.assert_same(outputs[n, :, :, d], sum(maps))


@searched
@given(windows())
def test_pooling_equals_loops(window):
    checks.check_max_pool(convbp.max_pool2d, window)
    checks.check_average_pool(convbp.average_pool2d, window)
    checks.check_l2_pool(convbp.l2_pool2d, window)


@searched
@given(windows())
def test_average_route_is_the_adjoint(window):
    checks.check_average_pool_is_adjoint(convbp.average_pool2d, window)


@searched_slowly
@given(windows())
def test_routes_are_central_differences_of_the_error(window):
    checks.check_max_pool_by_differences(convbp.max_pool2d, window)
    checks.check_average_pool_by_differences(convbp.average_pool2d, window)
    checks.check_l2_pool_by_differences(convbp.l2_pool2d, window)


@pytest.mark.slow
@pytest.mark.parametrize("name", checks.ACTIVATIONS)
@searched
@given(st.floats(-30, 30).filter(lambda x: abs(x) > 1e-3))  # away from the kinks
def test_derivatives_are_central_differences(name, x):
    activation = getattr(convbp, name)
    slope = convbp.central_difference(lambda at: activation(at).sum(), [x])
    np.testing.assert_allclose(activation.derivative([x]), slope, rtol=1e-6, atol=1e-9)
