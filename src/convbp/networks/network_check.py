"""The gradients of a whole network, held against central differences, parameter by parameter."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from convbp.gradient_check import ROUNDING, GradientCheck, compared, estimated, rounding_noise
from convbp.networks.network import Forward, Network
from convbp.shapes import as_positive, shown


def check_gradients(
    network: Network, inputs: Any, targets: Any, *, step: float = 1e-5, tolerance: float = 1e-6
) -> GradientCheck:
    """Compare the gradient for every parameter of ``network`` with central differences of its loss, in float64.

    A difference counts only beyond what rounding makes of the loss, divided by the step, and of the network's largest
    gradient. A gradient that is zero, or no larger than that, shows nothing: what is wrong may be zero there, too. It
    counts as neither right nor wrong, and if that holds for all parameters of a layer, the whole is open.

    At a kink (a ReLU's input at 0, a tie in max pooling) there is no derivative, and within one step of it a central
    difference means nothing. A smaller step gets away from a kink that is beside the point; entries that are still
    marked are left out of the comparison and counted.

    A digit's background is exactly 0, and so are the biases of a new network: the ReLUs behind a first Conv2D then
    stand at their kink. Check a network that has learned for some steps, or on inputs with noise.

    Parameters
    ----------
    network : Network
        It is not changed; a copy in float64 is checked.
    inputs, targets
        What `Network.forward` and the loss take. A few images will do: the loss is computed four times per entry.
    step : float
        See `convbp.central_difference`; the second, smaller step is a hundredth of it.
    tolerance : float
        Up to which error, relative to the largest entry of a gradient, the two agree.

    Returns
    -------
    GradientCheck
        ``agrees`` is True, False, or None if a layer could not be compared. Printing it gives a line per parameter.

    Raises
    ------
    TypeError, ValueError
        As `Network.forward`, the loss and `convbp.central_difference` do; or if the step or the tolerance is not a
        positive number.
    """
    operation = "check_gradients"
    if not isinstance(network, Network):
        raise TypeError(f"{operation}: network is {shown(network)}; expected a Network.")
    step = as_positive(operation, "step", step)
    tolerance = as_positive(operation, "tolerance", tolerance)
    network = network.copy(dtype=np.float64)
    forward = network.forward(inputs)
    gradients = network.backward(forward, targets).gradients
    largest = max((float(np.abs(gradient).max()) for gradient in gradients.values()), default=0.0)
    noise = _noise(network, inputs, targets)
    comparisons, kinks = {}, {}
    for name, loss_at in _losses(network, forward, targets):
        expected, error, kinks[name] = estimated(
            operation, loss_at, network.parameters[name], (step, step / 100), noise, tolerance
        )
        comparisons[name] = compared(gradients[name], expected, tolerance, error + ROUNDING * largest, kinks[name])
    return GradientCheck(comparisons, kinks)


def _noise(network: Network, inputs: Any, targets: Any) -> float:
    """How much rounding moves the loss when all parameters move a little."""
    names = list(network.parameters)
    images = network.as_inputs("check_gradients", inputs)

    def loss(arrays: list[np.ndarray]) -> float:
        return float(network.loss(network.run(images, dict(zip(names, arrays, strict=True))), targets))

    return rounding_noise(loss, [*network.parameters.values()])


def _losses(network: Network, forward: Forward, targets: Any) -> Iterator[tuple[str, Callable[[np.ndarray], Any]]]:
    """For each parameter its name, and the loss as a function of it; only the layers from its own on are run."""
    for layer, result in forward.results.items():
        for name in network.parameter_names[layer].values():

            def loss_at(array: np.ndarray, layer: str = layer, result: Any = result, name: str = name) -> Any:
                parameters = {**network.parameters, name: array}
                return network.loss(network.run(result.inputs, parameters, first=layer), targets)

            yield name, loss_at
