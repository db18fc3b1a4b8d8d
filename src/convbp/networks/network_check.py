"""The gradients of a whole network, held against central differences, parameter by parameter."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from convbp.gradient_check import Comparison, central_difference, compare_gradients, find_kinks
from convbp.networks.network import Forward, Network
from convbp.shapes import as_positive


@dataclass(frozen=True, eq=False)
class NetworkCheck:
    """What `check_gradients` found.

    Attributes
    ----------
    comparisons : mapping of str to Comparison, or None where every entry is at a kink
        Backpropagated gradient and central difference of each parameter, at the entries that are at no kink.
    kinks : mapping of str to ndarray of bool
        For each parameter the entries where there is no derivative to compare with.
    """

    comparisons: Mapping[str, Comparison | None]
    kinks: Mapping[str, np.ndarray]

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and all of it agrees."""
        compared = [comparison for comparison in self.comparisons.values() if comparison]
        return bool(compared) and all(comparison.agrees for comparison in compared)

    def __repr__(self) -> str:
        def line(name):
            at_kinks, entries, comparison = int(self.kinks[name].sum()), self.kinks[name].size, self.comparisons[name]
            verdict = (
                f"{'agrees' if comparison.agrees else 'DIFFERS'}, relative error {comparison.relative_error:.0e}"
                if comparison
                else "not compared"
            )
            return f"{name}: {verdict}; {at_kinks or 'none'} of {entries} entries at a kink"

        return "\n".join(map(line, self.comparisons))


def check_gradients(
    network: Network, inputs: Any, targets: Any, *, step: float = 1e-5, tolerance: float = 1e-6
) -> NetworkCheck:
    """Compare the gradient for every parameter of ``network`` with central differences of its loss, in float64.

    At a kink (a ReLU's input at 0, a tie in max pooling) there is no derivative, and within one step of it a central
    difference means nothing. Such entries are found by `find_kinks`. A smaller step gets away from a kink that
    is beside the point; entries that are still marked are left out of the comparison and counted.

    A digit's background is exactly 0, and so are the biases of a new network: the ReLUs behind a first Conv2D then
    stand at their kink. Check a network that has learned for some steps, or on inputs with noise.

    Parameters
    ----------
    network : Network
        It is not changed; a copy in float64 is checked.
    inputs, targets
        What `Network.forward` and the loss take. A few images will do: the loss is computed six times per entry.
    step : float
        See `central_difference`; the second, smaller step is a hundredth of it.
    tolerance : float
        Up to which error, relative to the largest entry of a gradient, the two agree.

    Returns
    -------
    NetworkCheck
        Printing it gives a line for each parameter.

    Raises
    ------
    TypeError, ValueError
        As `Network.forward`, the loss and `central_difference` do; or if the step or the tolerance is not a positive
        number.
    """
    if not isinstance(network, Network):
        raise TypeError(f"check_gradients: network is {type(network).__name__}; expected a Network.")
    step = as_positive("check_gradients", "step", step)
    tolerance = as_positive("check_gradients", "tolerance", tolerance)
    network = network.copy(dtype=np.float64)
    forward = network.forward(inputs)
    gradients = network.backward(forward, targets).gradients
    comparisons, kinks = {}, {}
    for name, loss_at in _losses(network, forward, targets):
        at = network.parameters[name]
        expected, marked = central_difference(loss_at, at, step), find_kinks(loss_at, at, step)
        if marked.any():

            def loss_at_marked(entries, at=at, marked=marked, loss_at=loss_at):
                moved = at.copy()
                moved[marked] = entries
                return loss_at(moved)

            expected[marked] = central_difference(loss_at_marked, at[marked], step / 100)
            marked[marked] = find_kinks(loss_at_marked, at[marked], step / 100)
        smooth, kinks[name] = ~marked, marked
        computed = gradients[name][smooth]
        comparisons[name] = compare_gradients(computed, expected[smooth], tolerance) if smooth.any() else None
    return NetworkCheck(comparisons, kinks)


def _losses(
    network: Network, forward: Forward, targets: Any
) -> Iterator[tuple[str, Callable[[np.ndarray], np.floating]]]:
    """For each parameter its name, and the loss as a function of it; only the layers from its own on are run."""
    for layer, made in forward.made.items():
        for name in network.parameter_names[layer].values():

            def loss_at(array, layer=layer, made=made, name=name):
                parameters = {**network.parameters, name: array}
                return network.loss(network.run(made.inputs, parameters, first=layer), targets)

            yield name, loss_at
