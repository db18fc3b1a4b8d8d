"""The state of `ChainOfLayers`: a network that can be read number by number, and how far it has come."""

from dataclasses import dataclass
from math import prod

import numpy as np

from convbp.explorers.chain.rules import FORWARD
from convbp.explorers.readable import LARGEST_NUMBER
from convbp.losses import softmax_cross_entropy
from convbp.networks.network import Network
from convbp.pictures.scene import Selection
from convbp.shapes import as_numbers

MOST_NUMBERS = 300


NOTHING = Selection("", 0, 0)


@dataclass(frozen=True, eq=False)
class State:
    """A network, the image that goes in, its class, the learning rate η, how many steps were made, the chosen cell.

    The network is a copy in double precision, so that training the reader's own goes past it.
    """

    network: Network
    image: np.ndarray
    label: int = 0
    rate: float = 0.01
    step: int = 1
    selected: Selection = NOTHING

    def __post_init__(self):
        network, image = _readable(self.network), as_numbers("ChainOfLayers", "image", self.image, None)
        if image.shape == network.input_shape[:-1] and network.input_shape[-1] == 1:
            image = image[..., None]
        image = network.as_inputs("ChainOfLayers", image[None])[0].copy()
        image.flags.writeable = False
        _check_sizes(network, image, self.label)
        last = last_step(network)
        if not isinstance(self.step, int | np.integer):
            raise TypeError(f"ChainOfLayers: step is {self.step!r}; expected a whole number from 0 to {last}.")
        if not 0 <= self.step <= last:
            raise ValueError(f"ChainOfLayers: step is {self.step}; expected 0 to {last}.")
        object.__setattr__(self, "network", network)
        object.__setattr__(self, "image", image)
        rate = as_numbers("ChainOfLayers", "rate", self.rate, "").item()
        if rate < 0:
            raise ValueError(f"ChainOfLayers: rate is {rate}; expected at least 0. A step goes down the gradient.")
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "step", int(self.step))


def last_step(network: Network) -> int:
    """The number of the last step, the update of the parameters; the input is step 0."""
    learning = sum(map(bool, network.parameter_names.values()))
    return 2 * len(network.layers) + 2 + (learning + 2 if learning else 0)


def _readable(network: Network) -> Network:
    if not isinstance(network, Network):
        raise TypeError(
            f"ChainOfLayers: network is {network!r}; expected a Network, for example "
            "Network((6, 7, 1), Conv2D(1, (3, 2)), relu, MaxPool2D(2), Flatten())."
        )
    for layer in network.layers.values():
        if type(layer) not in FORWARD:
            raise ValueError(
                f"ChainOfLayers: the network has a layer {layer}; expected Conv2D, activation functions, MaxPool2D, "
                "Flatten and Dense. Put MaxPool2D in its place."
            )
    if network.loss is not softmax_cross_entropy:
        raise ValueError(
            f"ChainOfLayers: the network's loss is {network.loss.name}; expected softmax_cross_entropy, "
            "which a Network has if no other is given."
        )
    count = sum(map(prod, network.shapes.values())) + sum(array.size for array in network.parameters.values())
    if count > MOST_NUMBERS:
        raise ValueError(
            f"ChainOfLayers: the network has {count} numbers in its arrays and parameters; expected at most "
            f"{MOST_NUMBERS}, or they could not be read. Take a smaller image or fewer filters."
        )
    return network.copy(np.float64)


def _check_sizes(network: Network, image: np.ndarray, label: int) -> None:
    """Refuse numbers that are too long to be read, and a label that is none."""
    arrays = [image, *network.parameters.values()]
    if max(np.abs(array).max() for array in arrays) > LARGEST_NUMBER ** (1 / 3):
        raise ValueError(
            f"ChainOfLayers: the image or a parameter has an entry beyond ±{LARGEST_NUMBER ** (1 / 3):.0e}; expected "
            "smaller ones, or the numbers could not be read. Divide by a power of ten."
        )
    network.loss(network.scores(image[None]), [label])
