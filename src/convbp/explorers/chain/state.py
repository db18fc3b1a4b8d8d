"""The state of `ChainOfLayers`: a network that can be read number by number, and how far it has come."""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from convbp.explorers.chain.example import IMAGE, example
from convbp.explorers.chain.rules import FORWARD
from convbp.explorers.states.fields import LARGEST_NUMBER, Kind, declares, scalar, shown, whole
from convbp.explorers.states.state import ANYWHERE, ExplorerState
from convbp.losses import softmax_cross_entropy
from convbp.networks.network import Network
from convbp.shapes import as_numbers

MOST_NUMBERS = 300


def last_step(network: Network) -> int:
    """The number of the last step, the update of the parameters; the input is step 0."""
    learning = sum(map(bool, network.parameter_names.values()))
    return 2 * len(network.layers) + 2 + (learning + 2 if learning else 0)


class SmallNetwork(Kind):
    """A network whose numbers can all be read; kept as a copy in double precision: training goes past it."""

    def check(self, state: ExplorerState, name: str, value: Any) -> Network:
        network = value
        if not isinstance(network, Network):
            raise TypeError(
                f"{state.explorer}: {name} is {shown(network)}; expected a Network, for example "
                "Network((6, 7, 1), Conv2D(1, (3, 2)), relu, MaxPool2D(2), Flatten())."
            )
        for layer in network.layers.values():
            if type(layer) not in FORWARD:
                raise ValueError(
                    f"{state.explorer}: the network has a layer {layer}; expected Conv2D, activation functions, "
                    "MaxPool2D, AveragePool2D, Flatten and Dense. Put one of these in its place."
                )
        if network.loss is not softmax_cross_entropy:
            raise ValueError(
                f"{state.explorer}: the network's loss is {network.loss.name}; expected softmax_cross_entropy, "
                "which a Network has if no other is given."
            )
        count = sum(map(prod, network.shapes.values())) + sum(array.size for array in network.parameters.values())
        if count > MOST_NUMBERS:
            raise ValueError(
                f"{state.explorer}: the network has {count} numbers in its arrays and parameters; expected at most "
                f"{MOST_NUMBERS}, or they could not be read. Take a smaller image or fewer filters."
            )
        return network.copy(np.float64)

    def type(self) -> str:
        return "Network"


class ItsImage(Kind):
    """An image of the size that the state's network takes."""

    def check(self, state: Any, name: str, value: Any) -> np.ndarray:
        network: Network = state.network
        image = as_numbers(state.explorer, name, value, None)
        if image.shape == network.input_shape[:-1] and network.input_shape[-1] == 1:
            image = image[..., None]
        image = network.as_inputs(state.explorer, image[None])[0].copy()
        image.flags.writeable = False
        return image

    def type(self) -> str:
        return "array_like, shape=(H, W, C), or (H, W) if C is 1"


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """A network, the image that goes in, its class, the learning rate η, how many steps were made, the chosen cell."""

    network: Network = declares(SmallNetwork)(
        None,
        doc="Of Conv2D, activation functions, MaxPool2D, AveragePool2D, Flatten and Dense, for softmax "
        "cross-entropy, small enough to be read: at most 300 numbers in its arrays and parameters. It is copied. "
        "If left out, it is conv → relu → max → conv → relu → max → flatten.",
    )
    image: np.ndarray = declares(ItsImage)(None)
    label: int = whole(0, 0, lambda state: state.network.output_shape[0] - 1, label="class", doc="The image's class.")
    rate: float = scalar(
        0.01,
        least=0,
        label="η",
        doc="The learning rate η.",
        slider={"least": 0, "most": 0.2, "step": 0.01, "layout": {"width": "200px"}},
    )
    step: int = whole(
        1,
        0,
        lambda state: last_step(state.network),
        player=True,
        change=lambda state, step: replace(state, step=step, selected=ANYWHERE),
        doc="With which step to begin; 0 is the input alone.",
    )

    def __post_init__(self) -> None:
        if self.network is None:
            object.__setattr__(self, "network", example())
        if self.image is None:
            object.__setattr__(self, "image", IMAGE)
        super().__post_init__()
        object.__setattr__(self, "rate", float(self.rate))
        _check_sizes(self.explorer, self.network, self.image, self.label)


def _check_sizes(explorer: str, network: Network, image: np.ndarray, label: int) -> None:
    """Refuse numbers that are too long to be read, and a label that is none."""
    arrays = [image, *network.parameters.values()]
    if max(np.abs(array).max() for array in arrays) > LARGEST_NUMBER ** (1 / 3):
        raise ValueError(
            f"{explorer}: the image or a parameter has an entry beyond ±{LARGEST_NUMBER ** (1 / 3):.0e}; expected "
            "smaller ones, or the numbers could not be read. Divide by a power of ten."
        )
    network.loss(network.scores(image[None]), [label])
