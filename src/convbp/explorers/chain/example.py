"""The network that `ChainOfLayers` begins with, and its image."""

import numpy as np

from convbp.activations import relu
from convbp.networks.layers import Conv2D, Flatten, MaxPool2D
from convbp.networks.network import Network

IMAGE = (
    (0, 1, 2, 2, 1, 0, 0),
    (0, 0, 0, 1, 2, 0, 0),
    (0, 0, 1, 2, 1, 0, 0),
    (0, 0, 2, 1, 0, 0, 1),
    (0, 1, 2, 0, 0, 0, 0),
    (0, 2, 1, 0, 0, 1, 0),
)
# By input channel and filter, as the picture shows them.
KERNELS = {
    "conv1": [[[[-1, 1], [0, 0], [0, 2]], [[1, 0], [1, 0], [2, 0]]]],
    "conv2": [[[[0, 2], [-2, -2]], [[-2, 0], [2, 1]]], [[[1, -1], [0, 0]], [[-1, -2], [1, 1]]]],
}
BIASES = {"conv1": [0, -1], "conv2": [2, 2]}


def example() -> Network:
    """conv → relu → max → conv → relu → max → flatten → softmax, with weights that are small integers."""
    first = Conv2D(2, (3, 2)), relu, MaxPool2D((2, 2))
    second = Conv2D(2, (2, 2)), relu, MaxPool2D((1, 2))
    network = Network((6, 7, 1), *first, *second, Flatten(), dtype=np.float64)
    kernels = {f"{name}.kernel": np.array(kernel).transpose(2, 3, 0, 1) for name, kernel in KERNELS.items()}
    network.parameters = kernels | {f"{name}.bias": np.array(bias) for name, bias in BIASES.items()}
    return network
