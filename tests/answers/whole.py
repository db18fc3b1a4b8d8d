"""Right answers of which the whole result is turned, mirrored, exchanged or negated at the end."""

import numpy as np

from answers import chain, gradients, own_layer, pooling, sliding
from answers.table import wrong


def then(change, function):
    return lambda *given: change(np.asarray(function(*given)))


def rows_reversed(result):
    return np.array([result[-1 - i] for i in range(len(result))])


def columns_reversed(result):
    return np.array([[row[-1 - j] for j in range(len(row))] for row in result])


def half_a_turn(result):
    return np.rot90(result, 2)  # of the first two axes


def turned_maps(result):
    return np.rot90(result, 2, axes=(1, 2))


def exchanged(result):
    return np.array([[result[j][i] for j in range(len(result))] for i in range(len(result[0]))])


def exchanged_maps(result):
    return np.array([exchanged(image) for image in result])


SIGN = {"opposite sign": np.negative}
EXCHANGED = {"transposed": exchanged}
MIRRORED = {"result mirrored top to bottom": rows_reversed, "result mirrored left to right": columns_reversed}
TURNED = {"result turned by 180°": half_a_turn}
ALL = SIGN | EXCHANGED | MIRRORED | TURNED

CHANGES = {
    "cross_correlation": (sliding.correlate, ALL),
    "convolution": (sliding.convolve, SIGN | MIRRORED),
    "rot180": (sliding.turn, SIGN),
    "full_convolution": (sliding.scatter, ALL),
    "output_delta": (chain.output_delta, EXCHANGED),
    "relu_delta": (chain.relu_delta, SIGN | EXCHANGED),
    "kernel_gradient": (gradients.kernel_gradient, MIRRORED),
    "delta_recursion": (chain.recursion, EXCHANGED | MIRRORED | TURNED),
    "max_routing": (pooling.max_routing, ALL),
    "average_routing": (pooling.average_routing, ALL),
    "l2_routing": (pooling.l2_routing, ALL),
    "strided_input_gradient": (gradients.strided, ALL),
    "multichannel_input_gradient": (
        gradients.input_gradient,
        SIGN | {"transposed": exchanged_maps, "result turned by 180°": turned_maps},
    ),
    "multichannel_kernel_gradient": (gradients.window_sums, SIGN | EXCHANGED | MIRRORED),
    "conv_transpose2d": (own_layer.conv_transpose, ALL),
    "col2im": (own_layer.fold, ALL),
    "depthwise_kernel_gradient": (own_layer.depthwise, SIGN | EXCHANGED | MIRRORED),
    "batch_norm_delta": (own_layer.norm, SIGN),
    "descent_step": (chain.step, EXCHANGED),
    "two_layer_question": (chain.two_layers, EXCHANGED | MIRRORED | TURNED),
}

for exercise, (function, changes) in CHANGES.items():
    for name, change in changes.items():
        answer = then(change, function)
        answer.__name__ = name
        wrong(exercise, name)(answer)
