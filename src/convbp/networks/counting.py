"""Why one backward pass is enough: how many products each way to all gradients takes."""

from math import prod
from typing import NamedTuple

from convbp.networks.layers import Activate
from convbp.networks.network import Network


class Multiplications(NamedTuple):
    """How many products one image takes.

    ``forward`` is one forward pass; ``backward`` is one backward pass, for the gradients of all ``parameters``.
    ``nudging`` is two forward passes for each of them: central differences, which give the same.
    """

    parameters: int
    forward: int
    backward: int

    @property
    def nudging(self) -> int:
        return 2 * self.parameters * self.forward

    def __str__(self) -> str:
        once = self.forward + self.backward
        return (
            f"forward  {self.forward:>15,} products\n"
            f"backward {self.backward:>15,}, for all {self.parameters:,} parameters at once\n"
            f"nudging  {self.nudging:>15,}, two forward passes for each: "
            f"{self.nudging / max(once, 1):,.0f} times forward and backward together"
        )


def multiplications(network: Network) -> Multiplications:
    """Count the products with weights and with f′ that gradients of a network take, for one image.

    Forward, each weight is multiplied once for every place where its layer uses it. Backward, it is the same number of
    products for the gradient of the weights (Eq. 13), the same again for the δ of the layer below (Eq. 20; nobody asks
    for the δ of the image), and one product with f′ for each entry that an activation gives. What is multiplied with
    the zeros of a padding is counted, too; the loss and pooling are left out.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Multiplications

    Raises
    ------
    TypeError
        If it is not a network.
    """
    if not isinstance(network, Network):
        raise TypeError(f"multiplications: network is {type(network).__name__}; expected a Network.")
    forward = backward = 0
    learning = False  # whether there are parameters below, so that their δ is needed
    for name, layer in network.layers.items():
        shape, own = network.shapes[name], [network.parameters[one] for one in network.parameter_names[name].values()]
        products = sum(array.size for array in own if array.ndim > 1) * prod(shape[:-1])
        forward += products
        backward += products * (1 + learning)
        if isinstance(layer, Activate) and learning:
            backward += prod(shape)
        learning = learning or bool(own)
    return Multiplications(sum(array.size for array in network.parameters.values()), forward, backward)
