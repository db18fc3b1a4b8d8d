"""Convolution: published numbers, SciPy, exactness, dtypes, and what is said about bad input.

That it equals the loops of `convbp.loops` on all kinds of sizes is in test_properties.py.
"""

import re
from fractions import Fraction

import numpy as np
import pytest
import scipy  # its signal comes when it is asked for, and takes a second

import checks
from checks import assert_same, integers
from convbp import (
    conv2d,
    conv2d_bias_gradient,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    conv2d_transpose,
    convolution,
    convolve,
    cross_correlate,
    rot180,
)

IMAGE = [[1, 2, 3], [4, 5, 6]]
KERNEL = [[1, 10], [100, 1000]]
LARGEST = 2**63 - 1  # of int64


def from_nchw(array):
    return np.ascontiguousarray(np.asarray(array).transpose(0, 2, 3, 1))


def from_oihw(array):
    return np.ascontiguousarray(np.asarray(array).transpose(2, 3, 1, 0))


# --- published numbers ------------------------------------------------------------------------------------------------


def test_cs231n_forward():
    """CS231n assignment 2, conv_forward_naive: stride 2, padding 1, of linspaces in NCHW."""
    inputs = from_nchw(np.linspace(-0.1, 0.5, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4))
    kernel = from_oihw(np.linspace(-0.2, 0.3, 3 * 3 * 4 * 4).reshape(3, 3, 4, 4))
    expected = [
        [
            [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
            [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
            [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
        ],
        [
            [[-0.98053589, -1.03143541], [-1.19128892, -1.24695841]],
            [[0.69108355, 0.66880383], [0.59480972, 0.56776003]],
            [[2.36270298, 2.36904306], [2.38090835, 2.38247847]],
        ],
    ]
    outputs = conv2d(inputs, kernel, np.linspace(-0.1, 0.2, 3), stride=2, padding=1)
    np.testing.assert_allclose(outputs, from_nchw(expected), atol=1e-8)


def test_cs231n_backward():
    """CS231n assignment 2, conv_backward_naive: stride 1, padding 1, seed 231; its sums, and sums of sizes."""
    rng = np.random.RandomState(231)
    inputs, kernel = from_nchw(rng.randn(4, 3, 5, 5)), from_oihw(rng.randn(2, 3, 3, 3))
    rng.randn(2)  # the bias
    delta = from_nchw(rng.randn(4, 2, 5, 5))
    by_inputs = conv2d_input_gradient(delta, kernel, (5, 5), padding=1)
    by_kernel = conv2d_kernel_gradient(inputs, delta, (3, 3), padding=1)
    assert by_inputs.sum() == pytest.approx(-25.2973648504)
    assert np.abs(by_inputs).sum() == pytest.approx(755.2873712405)
    assert by_kernel.sum() == pytest.approx(-58.8451579148)
    assert np.abs(by_kernel).sum() == pytest.approx(398.9139910082)
    assert conv2d_bias_gradient(delta) == pytest.approx([0.4705038835, 1.8000732776])


def test_coursera_single_step():
    """Coursera, Convolution model step by step: one window, seed 3."""
    rng = np.random.RandomState(3)
    window, weights, bias = rng.randn(1, 5, 5, 3), rng.randn(5, 5, 3, 1), rng.randn(1)
    assert conv2d(window, weights, bias).item() == pytest.approx(-3.5443670581382474)


def test_coursera_forward():
    """Coursera, Convolution model step by step: seed 1, already in NHWC and (k1, k2, C, D)."""
    rng = np.random.RandomState(1)
    inputs, kernel, bias = rng.randn(2, 5, 7, 4), rng.randn(3, 3, 4, 8), rng.randn(8)
    outputs = conv2d(inputs, kernel, bias, stride=2, padding=1)
    assert outputs.shape == (2, 3, 4, 8)
    assert outputs.mean() == pytest.approx(0.5511276474566768)


def test_onnx_basic_convolution():
    outputs = cross_correlate(np.arange(25).reshape(5, 5), np.ones((3, 3), int))
    assert outputs.tolist() == [[54, 63, 72], [99, 108, 117], [144, 153, 162]]


# --- the article's level ----------------------------------------------------------------------------------------------


def test_by_hand():
    assert cross_correlate(IMAGE, KERNEL).tolist() == [[5421, 6532]]
    assert convolve(IMAGE, KERNEL).tolist() == [[1245, 2356]]
    assert rot180([[1, 2, 3], [4, 5, 6]]).tolist() == [[6, 5, 4], [3, 2, 1]]


@pytest.mark.parametrize("kernel_size", [(1, 1), (2, 3), (5, 1), (4, 6), (6, 9)])
def test_equals_scipy(kernel_size):
    """In full mode the kernel may be larger than the image."""
    rng = np.random.default_rng(0)
    image, kernel = integers(rng, (5, 7)), integers(rng, kernel_size)
    assert_same(cross_correlate(image, kernel, "full"), scipy.signal.correlate2d(image, kernel))
    assert_same(convolve(image, kernel, "full"), scipy.signal.convolve2d(image, kernel))
    if kernel_size < (6, 9):
        assert_same(cross_correlate(image, kernel), scipy.signal.correlate2d(image, kernel, "valid"))
        assert_same(convolve(image, kernel), scipy.signal.convolve2d(image, kernel, "valid"))


def test_valid_is_a_part_of_full():
    rng = np.random.default_rng(0)
    image, kernel = integers(rng, (5, 8)), integers(rng, (2, 4))
    for operation in cross_correlate, convolve:
        assert_same(operation(image, kernel, "valid"), operation(image, kernel, "full")[1:5, 3:8])


def test_rot180_leaves_channels_and_filters():
    kernel = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    turned = rot180(kernel)
    for (m, n), (m_turned, n_turned) in {(0, 0): (1, 2), (0, 1): (1, 1), (1, 0): (0, 2)}.items():
        assert_same(turned[m, n], kernel[m_turned, n_turned])


# --- the layer --------------------------------------------------------------------------------------------------------


def test_pytorch_layouts():
    """The table in the module's docstring: a layer in PyTorch's order of the axes is Σ over C of 2-D sums, by SciPy."""
    row = r"^ +([a-z]+),.*\) +\w+\.transpose\((\d, \d, \d, \d)\)$"
    axes = {name: eval(f"({order})") for name, order in re.findall(row, convolution.__doc__, re.MULTILINE)}
    assert set(axes) == {"inputs", "kernel", "outputs"}
    rng = np.random.default_rng(0)
    inputs, kernel, bias = integers(rng, (2, 5, 6, 3)), integers(rng, (2, 3, 3, 4)), integers(rng, 4)
    theirs, their_kernel = inputs.transpose(axes["inputs"]), kernel.transpose(axes["kernel"])
    expected = [
        [
            sum(map(lambda o, w: scipy.signal.correlate2d(o, w, "valid"), image, weights)) + b
            for weights, b in zip(their_kernel, bias, strict=True)
        ]
        for image in theirs
    ]
    assert_same(conv2d(inputs, kernel, bias).transpose(axes["outputs"]), expected)


@pytest.mark.parametrize(
    ("size", "stride", "padding", "dilation"),
    [
        ((4, 6), 1, (2, 1), 1),
        ((5, 6), 3, 1, 1),  # what no window covers, on the right and below, is as much as was padded
        ((1, 3), (1, 2), (3, 0), (5, 1)),  # no window has both its rows inside, the last at times not even below
        ((3, 1), (2, 1), (0, 4), (1, 2)),
    ],
)
def test_padding_is_zeros_around(size, stride, padding, dilation):
    rng = np.random.default_rng(0)
    (h, w), (p1, p2) = size, np.broadcast_to(padding, 2)
    inputs, kernel = integers(rng, (2, h, w, 3)), integers(rng, (2, 3, 3, 2))
    around, steps = np.pad(inputs, ((0, 0), (p1, p1), (p2, p2), (0, 0))), {"stride": stride, "dilation": dilation}
    outputs = conv2d(around, kernel, **steps)
    assert_same(conv2d(inputs, kernel, padding=padding, **steps), outputs)
    delta = integers(rng, outputs.shape)
    by_kernel = conv2d_kernel_gradient(around, delta, (2, 3), **steps)
    assert_same(conv2d_kernel_gradient(inputs, delta, (2, 3), padding=padding, **steps), by_kernel)
    by_inputs = conv2d_input_gradient(delta, kernel, around.shape[1:3], **steps)[:, p1 : p1 + h, p2 : p2 + w]
    assert_same(conv2d_input_gradient(delta, kernel, size, padding=padding, **steps), by_inputs)


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), ((2, 1), (1, 2), 1), (2, (0, 3), (1, 3))])
def test_kernel_gradient_is_a_correlation_with_delta(stride, padding, dilation):
    """Eq. 13: images and channels swap roles, δ is the kernel, and its steps are the dilation."""
    rng = np.random.default_rng(0)
    inputs, steps = integers(rng, (3, 9, 8, 2)), {"stride": stride, "padding": padding, "dilation": dilation}
    delta = integers(rng, conv2d(inputs, np.ones((2, 3, 2, 4), int), **steps).shape)
    correlated = conv2d(
        inputs.transpose(3, 1, 2, 0), delta.transpose(1, 2, 0, 3), stride=dilation, padding=padding, dilation=stride
    )
    expected = correlated[:, :2, :3].transpose(1, 2, 0, 3)  # what is beyond comes of rows that no window covers
    assert_same(conv2d_kernel_gradient(inputs, delta, (2, 3), **steps), expected)


def test_uncovered_rows_and_columns_get_zero():
    """Windows of 2×1 in steps of (3, 2) on 7×6: they miss rows 2, 5 and 6, and columns 1, 3 and 5."""
    kernel = np.array([[1], [10]]).reshape(2, 1, 1, 1)
    delta = np.arange(1, 7).reshape(1, 2, 3, 1)
    gradient = conv2d_input_gradient(delta, kernel, (7, 6), stride=(3, 2))[0, :, :, 0]
    none = [0] * 6
    first, second = [1, 0, 2, 0, 3, 0], [4, 0, 5, 0, 6, 0]
    tens = [[10 * entry for entry in row] for row in (first, second)]
    assert gradient.tolist() == [first, tens[0], none, second, tens[1], none, none]
    inputs = np.ones((1, 7, 6, 1), int)
    inputs[:, [2, 5, 6]] = inputs[:, :, [1, 3, 5]] = 1000
    assert conv2d_kernel_gradient(inputs, delta, (2, 1), stride=(3, 2)).ravel().tolist() == [21, 21]


def test_a_window_may_see_nothing_but_padding():
    """Padding 3 around 1×2 under a 2×1 kernel: most places see zeros alone, and pass nothing back."""
    inputs, kernel = np.array([5, 7]).reshape(1, 1, 2, 1), np.array([1, 10]).reshape(2, 1, 1, 1)
    outputs = conv2d(inputs, kernel, [3], padding=3)[0, :, :, 0]
    expected = np.full((6, 8), 3)
    expected[2:4, 3:5] += [[50, 70], [5, 7]]
    assert_same(outputs, expected)
    delta = np.arange(48).reshape(1, 6, 8, 1)
    expected = [[[[27 + 190], [28 + 200]]]]
    assert conv2d_input_gradient(delta, kernel, (1, 2), padding=3).tolist() == expected
    expected = [[[[5 * 27 + 7 * 28]]], [[[5 * 19 + 7 * 20]]]]
    assert conv2d_kernel_gradient(inputs, delta, (2, 1), padding=3).tolist() == expected


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "sides"),
    [
        (5, 3, 1, 1, (1, 1)),
        (5, 2, 1, 1, (0, 1)),  # an even kernel
        (6, 3, 2, 1, (0, 1)),  # a stride
        (5, 3, 2, 1, (1, 1)),
        (7, 3, 1, 2, (2, 2)),
        (4, 1, 3, 1, (0, 0)),  # the windows end before the input
    ],
)
def test_same_is_half_of_what_is_missing_and_the_odd_one_at_the_end(size, kernel, stride, dilation, sides):
    rng = np.random.default_rng(0)
    inputs, weights = integers(rng, (1, size, 3, 1)), integers(rng, (kernel, 1, 1, 2))
    steps = {"stride": (stride, 1), "dilation": (dilation, 1)}
    output = conv2d(inputs, weights, padding="same", **steps)
    assert output.shape[1:3] == (-(-size // stride), 3)
    assert_same(output, conv2d(np.pad(inputs, ((0, 0), sides, (0, 0), (0, 0))), weights, **steps))
    assert_same(output, conv2d(inputs, weights, padding=(sides, (0, 0)), **steps))


def test_each_group_is_a_layer_of_its_own():
    rng = np.random.default_rng(0)
    inputs, kernel, bias = integers(rng, (2, 4, 5, 4)), integers(rng, (2, 3, 2, 6)), integers(rng, 6)
    output = conv2d(inputs, kernel, bias, groups=2)
    parts = [conv2d(inputs[..., :2], kernel[..., :3], bias[:3]), conv2d(inputs[..., 2:], kernel[..., 3:], bias[3:])]
    assert_same(output, np.concatenate(parts, axis=3))
    delta = integers(rng, output.shape)
    by_kernel = conv2d_kernel_gradient(inputs, delta, (2, 3), groups=2)
    assert_same(by_kernel[..., 3:], conv2d_kernel_gradient(inputs[..., 2:], delta[..., 3:], (2, 3)))
    by_inputs = conv2d_input_gradient(delta, kernel, (4, 5), groups=2)
    assert_same(by_inputs[..., :2], conv2d_input_gradient(delta[..., :3], kernel[..., :3], (4, 5)))


def test_output_padding_says_which_of_the_input_sizes_is_meant():
    kernel, delta = np.ones((3, 3, 1, 1), int), np.ones((1, 2, 2, 1), int)
    for over in 0, 1, 2:
        output = conv2d_transpose(delta, kernel, stride=3, output_padding=over)
        assert output.shape == (1, 6 + over, 6 + over, 1)
        assert conv2d(output, kernel, stride=3).shape == delta.shape
        assert not output[:, 6:].any()


TRANSPOSED = np.ones((1, 2, 2, 2), int), np.ones((2, 2, 3, 2), int)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: conv2d(np.ones((1, 4, 4, 3)), np.ones((2, 2, 1, 4)), groups=2), ValueError, "groups is 2 and C = 3"),
        (lambda: conv2d(np.ones((1, 4, 4, 4)), np.ones((2, 2, 2, 3)), groups=2), ValueError, "groups is 2 and D = 3"),
        (lambda: conv2d(np.ones((1, 4, 4, 4)), np.ones((2, 2, 4, 4)), groups=2), ValueError, "(k1, k2, C / groups, D)"),
        (lambda: conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), groups=0), ValueError, "groups is 0"),
        (lambda: conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), groups=1.0), TypeError, "groups is 1.0"),
        (lambda: conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), padding="full"), ValueError, "expected 'same'"),
        (
            lambda: conv2d(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), padding=((0, -1), (0, 0))),
            ValueError,
            "padding[0] is (0, -1)",
        ),
        (lambda: conv2d_transpose(*TRANSPOSED, padding="same"), ValueError, "padding is 'same'"),
        (lambda: conv2d_transpose(*TRANSPOSED, stride=2, output_padding=2), ValueError, "less than the stride"),
        (lambda: conv2d_transpose(*TRANSPOSED, padding=2), ValueError, "Use less padding"),
        (lambda: conv2d_transpose(*TRANSPOSED, [1]), ValueError, "bias has shape (1,); expected (3,)"),
    ],
)
def test_what_is_said_of_groups_sides_and_output_padding(call, error, says):
    assert says in checks.what_it_says(error, call)


def test_large_integers_do_not_wrap_in_a_transposed_convolution():
    large = np.full((1, 1, 1, 1), 2**62)
    assert conv2d_transpose(large, [[[[1]]]], [2**62]).item() == 2**63


# --- exactness and dtypes ---------------------------------------------------------------------------------------------


def test_small_integers_do_not_wrap():
    image = np.full((2, 3), 255, np.uint8)
    result = cross_correlate(image, image[:, :2])
    assert result.tolist() == [[4 * 255**2] * 2]
    assert result.dtype == np.int64
    assert conv2d_bias_gradient(np.full((2, 3, 4, 1), -128, np.int8)).tolist() == [-128 * 24]


def test_masks_are_integers():
    result = cross_correlate([[True, True, False]], np.array([[True, True]]))
    assert result.tolist() == [[2, 1]]


@pytest.mark.parametrize(
    ("image", "kernel"),
    [
        ([[2**62, 2**62]], [[1, 1]]),
        ([[2**62, 1]], [[4, 1]]),
        ([[-(2**63), 0]], [[1, -1]]),
        (np.array([[2**64 - 1, 1]], np.uint64), [[-1, 1]]),
        ([[3**40, 2]], [[3**40, 1]]),
        ([[2**100, 1]], [[2, 3]]),
        (np.array([[np.int64(2**62), Fraction(1, 2)]]), np.array([[np.int64(4), 1]], object)),
    ],
    ids=["sum", "product", "smallest", "unsigned", "rounded", "long", "among objects"],
)
def test_large_integers_do_not_wrap(image, kernel):
    a, b, v, w = (entry if isinstance(entry, Fraction) else int(entry) for entry in (*image[0], *kernel[0]))
    assert cross_correlate(image, kernel).tolist() == [[a * v + b * w]]
    assert convolve(image, kernel, "full").tolist() == [[a * v, a * w + b * v, b * w]]


def test_large_integers_do_not_wrap_in_a_layer():
    large = 2**62
    layer = np.array([large, large]).reshape(1, 1, 2, 1)
    ones = np.ones((1, 2, 1, 1), int)
    assert conv2d(layer, ones).item() == 2**63
    assert conv2d(layer[:, :, :1], ones[:, :1], [large]).item() == 2**63
    assert conv2d_bias_gradient(layer).item() == 2**63
    assert conv2d_kernel_gradient(layer, np.ones((1, 1, 2, 1), int), (1, 1)).item() == 2**63
    assert conv2d_input_gradient(np.ones((1, 1, 1, 2), int), layer.reshape(1, 1, 1, 2), (1, 1)).item() == 2**63


def test_python_integers_only_where_int64_could_overflow():
    assert cross_correlate([[LARGEST]], [[1]]).dtype == np.int64
    assert cross_correlate([[LARGEST]], [[-1]]).dtype == np.int64
    assert cross_correlate([[LARGEST]], [[2]]).dtype == object
    assert conv2d(np.full((1, 1, 1, 1), LARGEST - 5), np.ones((1, 1, 1, 1), int), [5]).dtype == np.int64
    assert conv2d(np.full((1, 1, 1, 1), LARGEST - 5), np.ones((1, 1, 1, 1), int), [6]).dtype == object


def test_fractions_stay_exact_through_a_layer():
    """Everything in sevenths is the integers' result in sevenths, or in 49ths where two are multiplied."""
    rng = np.random.default_rng(0)
    inputs, kernel, bias = integers(rng, (2, 4, 5, 2)), integers(rng, (2, 3, 2, 3)), integers(rng, 3)
    delta, seventh = integers(rng, (2, 3, 3, 3)), Fraction(1, 7)
    assert_same(
        conv2d(inputs * seventh, kernel * seventh, bias * seventh**2), conv2d(inputs, kernel, bias) * seventh**2
    )
    assert_same(
        conv2d_kernel_gradient(inputs * seventh, delta * seventh, (2, 3)),
        conv2d_kernel_gradient(inputs, delta, (2, 3)) * seventh**2,
    )
    assert_same(
        conv2d_input_gradient(delta * seventh, kernel * seventh, (4, 5)),
        conv2d_input_gradient(delta, kernel, (4, 5)) * seventh**2,
    )
    assert_same(conv2d_bias_gradient(delta * seventh), conv2d_bias_gradient(delta) * seventh)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floats_keep_their_dtype(dtype):
    inputs, kernel, delta = (np.ones(shape, dtype) for shape in [(1, 3, 4, 2), (2, 1, 2, 3), (1, 2, 4, 3)])
    results = [
        cross_correlate(inputs[0, :, :, 0], kernel[:, :, 0, 0]),
        convolve(inputs[0, :, :, 0], kernel[:, :, 0, 0], "full"),
        rot180(kernel),
        conv2d(inputs, kernel),
        conv2d(inputs, kernel, kernel[0, 0, 0]),
        conv2d_kernel_gradient(inputs, delta, (2, 1)),
        conv2d_input_gradient(delta, kernel, (3, 4)),
        conv2d_bias_gradient(delta),
    ]
    assert [result.dtype for result in results] == [dtype] * len(results)


@pytest.mark.parametrize("largest", [np.float16(6e4), np.float32(3e38), np.float64(1e308)])
def test_large_floats_are_not_taken_for_infinite(largest):
    """Their squares overflow, by which infinite entries are looked for."""
    assert cross_correlate([[largest]], np.ones((1, 1), largest.dtype)).tolist() == [[largest]]


# --- nothing is changed, and nothing is shared ------------------------------------------------------------------------


def test_inputs_are_neither_changed_nor_shared():
    rng = np.random.default_rng(0)
    inputs, kernel, bias, delta = (integers(rng, shape) for shape in [(1, 3, 4, 2), (1, 1, 2, 3), (3,), (1, 3, 4, 3)])
    arguments = inputs, kernel, bias, delta
    before = [array.copy() for array in arguments]
    results = [
        cross_correlate(inputs[0, :, :, 0], kernel[:, :, 0, 0]),
        convolve(inputs[0, :, :, 0], kernel[:, :, 0, 0]),
        rot180(kernel),
        conv2d(inputs, kernel, bias),
        conv2d_kernel_gradient(inputs, delta, 1),
        conv2d_input_gradient(delta, kernel, (3, 4)),
        conv2d_bias_gradient(delta[:, :1, :1]),
    ]
    for result in results:
        result += 1
        assert not any(np.shares_memory(result, array) for array in arguments)
    for array, as_it_was in zip(arguments, before, strict=True):
        assert_same(array, as_it_was)


@pytest.mark.parametrize("entries", [1, 500, 2**40], ids=["one image", "two or three images", "all images"])
def test_as_many_images_at_a_time_as_memory_allows(entries, monkeypatch):
    monkeypatch.setattr(convolution, "ENTRIES_AT_ONCE", entries)
    layer = checks.Layer((5, 7), (3, 2), batch=5, stride=(2, 1), padding=(1, 2), dilation=(1, 3))
    checks.check_conv2d(conv2d, layer)
    checks.check_kernel_gradient(conv2d_kernel_gradient, layer)
    checks.check_input_gradient(conv2d_input_gradient, layer)


def test_any_memory_order():
    """Transposed, reversed and strided arrays, and nested lists, are what they hold."""
    rng = np.random.default_rng(0)
    inputs, kernel, delta = integers(rng, (2, 4, 5, 2)), integers(rng, (2, 3, 2, 3)), integers(rng, (2, 3, 3, 3))

    def others(array):
        spread = np.repeat(array, 2, axis=1)[:, ::2]
        return [np.asfortranarray(array), array[::-1, :, ::-1].copy()[::-1, :, ::-1], spread, array.tolist()]

    for o, w, d in zip(others(inputs), others(kernel), others(delta), strict=True):
        assert_same(conv2d(o, w), conv2d(inputs, kernel))
        assert_same(conv2d_kernel_gradient(o, d, (2, 3)), conv2d_kernel_gradient(inputs, delta, (2, 3)))
        assert_same(conv2d_input_gradient(d, w, (4, 5)), conv2d_input_gradient(delta, kernel, (4, 5)))
        assert_same(conv2d_bias_gradient(d), conv2d_bias_gradient(delta))


# --- bad input --------------------------------------------------------------------------------------------------------

ONES = np.ones((1, 3, 4, 2))
WEIGHTS = np.ones((2, 3, 2, 5))
DELTA = np.ones((1, 2, 2, 5))
NAN = float("nan")


def with_entry(array, entry):
    array = np.array(array, object if isinstance(entry, str) else None)
    array.flat[-1] = entry
    return array


# operation, arguments, error, what came, what is expected, the mend
BAD = {
    "ragged": (
        cross_correlate,
        ([[1, 2], [3]], KERNEL),
        (
            ValueError,
            "image is a nested list with rows of different lengths",
            "an array with axes (H, W)",
            "Give every",
        ),
    ),
    "image axes": (
        cross_correlate,
        (ONES, KERNEL),
        (ValueError, "image has shape (1, 3, 4, 2), which is 4 axes", "2 axes (H, W)", "is inputs[n, :, :, c]."),
    ),
    "kernel axes": (
        convolve,
        (IMAGE, [1, 2]),
        (ValueError, "kernel has shape (2,), which is 1 axis;", "2 axes (k1, k2)", "A single row is [[1, 2, 3]]"),
    ),
    "image text": (
        cross_correlate,
        ([["a", "b"]], KERNEL),
        (TypeError, "image has entries of type str", "real numbers", "np.asarray(image, dtype=float)"),
    ),
    "image complex": (
        convolve,
        ([[1j, 2]], KERNEL),
        (TypeError, "image has entries of type complex128", "real numbers", "np.asarray(image, dtype=float)"),
    ),
    "image nothing": (
        cross_correlate,
        (None, KERNEL),
        (TypeError, "image has entries of type NoneType", "real numbers", "np.asarray(image, dtype=float)"),
    ),
    "image empty": (
        cross_correlate,
        (np.ones((0, 3)), KERNEL),
        (ValueError, "image is empty, its shape is (0, 3)", "at least one entry along every axis", "Check the slice"),
    ),
    "image NaN": (
        cross_correlate,
        (with_entry(np.ones((2, 3)), NAN), KERNEL),
        (
            ValueError,
            "image has an entry that is NaN or infinite",
            "finite numbers",
            "np.argwhere(~np.isfinite(image))",
        ),
    ),
    "kernel infinite": (
        convolve,
        (IMAGE, [[1.0, -np.inf]]),
        (ValueError, "kernel has an entry that is NaN or infinite", "finite", "np.argwhere(~np.isfinite(kernel))"),
    ),
    "mode": (
        cross_correlate,
        (IMAGE, KERNEL, "same"),
        (
            ValueError,
            "mode is 'same'",
            "'valid' or 'full'",
            "'valid' keeps the kernel inside the image, 'full' lets it",
        ),
    ),
    "kernel too large": (
        cross_correlate,
        (IMAGE, np.ones((3, 2))),
        (ValueError, "is 3×2 and does not fit into the input of 2×3", "no larger than the input", "mode='full'"),
    ),
    "kernel too wide": (
        convolve,
        (IMAGE, np.ones((2, 4))),
        (ValueError, "is 2×4 and does not fit into the input of 2×3", "no larger than the input", "mode='full'"),
    ),
    "turned ragged": (
        rot180,
        ([[1, 2], [3]],),
        (ValueError, "kernel is a nested list with rows of different lengths", "an array", "Give every row"),
    ),
    "turned axes": (
        rot180,
        ([1, 2],),
        (ValueError, "kernel has shape (2,), which is 1 axis;", "2 axes (k1, k2)", "A single row is [[1, 2, 3]]"),
    ),
    "inputs axes": (
        conv2d,
        (ONES[0], WEIGHTS),
        (ValueError, "inputs has shape (3, 4, 2)", "4 axes (N, H, W, C)", "one colour image as image[None]."),
    ),
    "layer kernel axes": (
        conv2d,
        (ONES, KERNEL),
        (ValueError, "kernel has shape (2, 2)", "4 axes (k1, k2, C, D)", "goes in as kernel[:, :, None, None]."),
    ),
    "inputs text": (
        conv2d,
        (with_entry(ONES, "x"), WEIGHTS),
        (TypeError, "inputs has entries of type str", "real numbers", "np.asarray(inputs, dtype=float)"),
    ),
    "inputs NaN": (
        conv2d,
        (with_entry(ONES, NAN), WEIGHTS),
        (ValueError, "inputs has an entry that is NaN or infinite", "finite", "np.argwhere(~np.isfinite(inputs))"),
    ),
    "inputs empty": (
        conv2d,
        (ONES[:0], WEIGHTS),
        (ValueError, "inputs is empty, its shape is (0, 3, 4, 2)", "at least one entry", "Check the slice"),
    ),
    "channels": (
        conv2d,
        (ONES[..., :1], WEIGHTS),
        (ValueError, "inputs have C = 1 but kernel has C = 2", "the same number", "kernels (k1, k2, C, D)"),
    ),
    "bias size": (
        conv2d,
        (ONES, WEIGHTS, [1, 2]),
        (ValueError, "bias has shape (2,)", "(5,)", "one bias per filter, the kernel's last axis."),
    ),
    "bias axes": (
        conv2d,
        (ONES, WEIGHTS, 1.5),
        (ValueError, "bias has shape (), which is 0 axes", "1 axis (D)", "One number per filter"),
    ),
    "bias NaN": (
        conv2d,
        (ONES, WEIGHTS, [NAN] * 5),
        (ValueError, "bias has an entry that is NaN or infinite", "finite", "np.argwhere(~np.isfinite(bias))"),
    ),
    "window too large": (
        conv2d,
        (ONES, WEIGHTS, None, {"padding": (0, 1), "dilation": 3}),
        (
            ValueError,
            "2×3, spread by dilation to 4×7, and does not fit into the input of 3×4, padded to 3×6",
            "no",
            "Use",
        ),
    ),
    "stride zero": (
        conv2d,
        (ONES, WEIGHTS, None, {"stride": 0}),
        (ValueError, "stride is 0", "at least 1", "stride=1 is the smallest that has a meaning."),
    ),
    "stride negative": (
        conv2d,
        (ONES, WEIGHTS, None, {"stride": (1, -2)}),
        (ValueError, "stride is (1, -2)", "at least 1 along both axes", "stride=1 is the smallest"),
    ),
    "stride fraction": (
        conv2d,
        (ONES, WEIGHTS, None, {"stride": 1.5}),
        (TypeError, "stride is 1.5", "an integer or a pair of integers (rows, columns)", "stride=1 or stride=(1, 2)"),
    ),
    "padding negative": (
        conv2d,
        (ONES, WEIGHTS, None, {"padding": -1}),
        (ValueError, "padding is -1", "at least 0", "padding=0 is the smallest that has a meaning."),
    ),
    "padding three": (
        conv2d,
        (ONES, WEIGHTS, None, {"padding": (1, 1, 1)}),
        (TypeError, "padding is (1, 1, 1)", "an integer or a pair", "padding=1 or padding=(1, 2)"),
    ),
    "dilation zero": (
        conv2d,
        (ONES, WEIGHTS, None, {"dilation": (0, 1)}),
        (ValueError, "dilation is (0, 1)", "at least 1 along both axes", "dilation=1 is the smallest"),
    ),
    "dilation text": (
        conv2d,
        (ONES, WEIGHTS, None, {"dilation": "1"}),
        (TypeError, "dilation is '1'", "an integer or a pair", "dilation=1 or dilation=(1, 2)"),
    ),
    "kernel gradient, delta size": (
        conv2d_kernel_gradient,
        (ONES, DELTA[:, :1], (2, 3)),
        (
            ValueError,
            "delta has shape (1, 1, 2, 5)",
            "(1, 2, 2, 5)",
            "what conv2d returns, with the same stride, padding",
        ),
    ),
    "kernel gradient, delta axes": (
        conv2d_kernel_gradient,
        (ONES, DELTA[0, :, :, 0], (2, 3)),
        (ValueError, "delta has shape (2, 2)", "4 axes (N, H', W', D)", "goes in as delta[None, :, :, None]."),
    ),
    "kernel gradient, stride forgotten": (
        conv2d_kernel_gradient,
        (ONES, DELTA, (2, 3), {"stride": 2}),
        (ValueError, "delta has shape (1, 2, 2, 5)", "(1, 1, 1, 5)", "the same stride"),
    ),
    "kernel gradient, kernel size": (
        conv2d_kernel_gradient,
        (ONES, DELTA, WEIGHTS.shape),
        (TypeError, "kernel_size is (2, 3, 2, 5)", "a pair of integers (rows, columns)", "kernel_size=(1, 2)"),
    ),
    "kernel gradient, kernel too large": (
        conv2d_kernel_gradient,
        (ONES, DELTA, 4),
        (ValueError, "is 4×4 and does not fit into the input of 3×4", "no larger than the input", "add zeros"),
    ),
    "input gradient, filters": (
        conv2d_input_gradient,
        (DELTA[..., :4], WEIGHTS, (3, 4)),
        (ValueError, "delta has D = 4 but kernel has D = 5", "the same number", "deltas (N, H', W', D)"),
    ),
    "input gradient, input size": (
        conv2d_input_gradient,
        (DELTA, WEIGHTS, (4, 4)),
        (ValueError, "delta has shape (1, 2, 2, 5)", "(1, 3, 2, 5)", "what conv2d returns"),
    ),
    "input gradient, size as a shape": (
        conv2d_input_gradient,
        (DELTA, WEIGHTS, ONES.shape),
        (TypeError, "input_size is (1, 3, 4, 2)", "a pair of integers (rows, columns)", "input_size=(1, 2)"),
    ),
    "input gradient, input too small": (
        conv2d_input_gradient,
        (DELTA, WEIGHTS, (1, 4)),
        (ValueError, "is 2×3 and does not fit into the input of 1×4", "no larger than the input", "add zeros"),
    ),
    "input gradient, delta NaN": (
        conv2d_input_gradient,
        (with_entry(DELTA, NAN), WEIGHTS, (3, 4)),
        (ValueError, "delta has an entry that is NaN or infinite", "finite", "np.argwhere(~np.isfinite(delta))"),
    ),
    "bias gradient, axes": (
        conv2d_bias_gradient,
        (DELTA[0],),
        (ValueError, "delta has shape (2, 2, 5), which is 3 axes", "4 axes (N, H', W', D)", "goes in as delta[None"),
    ),
    "bias gradient, empty": (
        conv2d_bias_gradient,
        (DELTA[:, :0],),
        (ValueError, "delta is empty, its shape is (1, 0, 2, 5)", "at least one entry", "Check the slice"),
    ),
    "bias gradient, text": (
        conv2d_bias_gradient,
        (with_entry(DELTA, "x"),),
        (TypeError, "delta has entries of type str", "real numbers", "np.asarray(delta, dtype=float)"),
    ),
}


@pytest.mark.parametrize(("operation", "arguments", "says"), BAD.values(), ids=BAD)
def test_bad_input(operation, arguments, says):
    """The message names the operation, what came, what is expected, and the mend, in this order."""
    *positional, last = arguments
    positional, steps = (positional, last) if isinstance(last, dict) else (arguments, {})
    error, came, expected, mend = says
    with pytest.raises(error) as raised:
        operation(*positional, **steps)
    said = str(raised.value)
    assert said.startswith(f"{operation.__name__}: ")
    before, after = said.split("expected ", 1)
    assert came in before
    assert expected in after
    assert mend in after[after.index(expected) + len(expected) :]
