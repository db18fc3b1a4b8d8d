"""Backpropagation in convolutional networks, written to be understood."""

from types import ModuleType

from convbp.activations import identity, leaky_relu, relu, sigmoid, softplus, tanh
from convbp.convolution import (
    conv2d,
    conv2d_bias_gradient,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    conv2d_transpose,
    convolve,
    cross_correlate,
    rot180,
)
from convbp.gradient_check import adjoint_test, central_difference, check_gradient, compare_gradients, find_kinks
from convbp.losses import half_sum_of_squares, softmax_cross_entropy
from convbp.networks.digits import digit_network, load_digits, split_digits
from convbp.networks.layers import AveragePool2D, Conv2D, Dense, Flatten, L2Pool2D, MaxPool2D
from convbp.networks.network import Network
from convbp.networks.network_check import check_gradients
from convbp.networks.training import accuracy, fit, show_progress, train
from convbp.pooling import average_pool2d, l2_pool2d, max_pool2d

__version__ = "0.1.0"

__all__ = [
    "AveragePool2D",
    "Conv2D",
    "Dense",
    "Flatten",
    "L2Pool2D",
    "MaxPool2D",
    "Network",
    "accuracy",
    "adjoint_test",
    "average_pool2d",
    "central_difference",
    "check_gradient",
    "check_gradients",
    "compare_gradients",
    "conv2d",
    "conv2d_bias_gradient",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "conv2d_transpose",
    "convolve",
    "cross_correlate",
    "digit_network",
    "find_kinks",
    "fit",
    "half_sum_of_squares",
    "identity",
    "l2_pool2d",
    "leaky_relu",
    "load_digits",
    "max_pool2d",
    "relu",
    "rot180",
    "show_progress",
    "sigmoid",
    "softmax_cross_entropy",
    "softplus",
    "split_digits",
    "tanh",
    "train",
]


def __getattr__(name: str) -> ModuleType:
    """`plots` when it is asked for, as no number needs it."""
    if name == "plots":
        from convbp.pictures import plots

        return plots
    raise AttributeError(f"module 'convbp' has no attribute {name!r}")
