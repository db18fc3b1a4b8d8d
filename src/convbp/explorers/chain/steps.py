"""The two passes through a network as steps, from the input to the updated parameters."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from convbp import loops
from convbp.explorers.chain.rules import BACKWARD, FORWARD, Made, Read, settings, tabulate
from convbp.networks.layers import Conv2D
from convbp.networks.network import Network
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Tag


@dataclass(frozen=True)
class _Given:
    """A network, an image and its class, equal to others with the same layers and numbers."""

    network: Network = field(compare=False)
    image: np.ndarray = field(compare=False)
    label: int
    numbers: tuple[Any, ...]


def steps(network: Network, image: np.ndarray, label: int, rate: float) -> list[list[Made]]:
    """Return the arrays that each step makes; step 0 is the input with all parameters.

    Forward one layer at a time, then the softmax. Backward the δ of one layer at a time, and where a layer has
    parameters, their gradients as soon as its δ is there. At the end all gradients, and the parameters updated.
    """
    arrays = {"": image, **network.parameters}
    numbers = tuple((name, array.shape, array.dtype, array.tobytes()) for name, array in arrays.items())
    found, error = _passes(_Given(network, image, label, (*network.layers.items(), *numbers)))
    if len(found[-1]) > 1:  # the gradients of all parameters
        found = [*found, _updated(network, image, label, rate, found[0][1:], found[-1], error)]
    return found


@lru_cache(maxsize=4)
def _passes(given: _Given) -> tuple[list[list[Made]], float]:
    """The steps up to the update, and the error; kept, as they are the same whichever step is shown."""
    network, image, label = given.network, given.image, given.label
    forward = network.forward(image[None])
    backward = network.backward(forward, [label])
    back = _without_rounding(backward)
    parameters = {name: _parameters(network, name) for name in network.layers}
    made = [Made("input", "o", image, "the image")]
    for name, layer in network.layers.items():
        output = forward[f"{name}.{layer.makes}"][0]
        made.append(FORWARD[type(layer)](name, layer, made[-1], output, *parameters[name]))
    found = [[made[0], *(array for own in parameters.values() for array in own)], *([array] for array in made[1:])]
    probabilities = _softmax(made[-1], network.probabilities(image[None])[0], label, backward.loss)
    delta = _output_error(probabilities, made[-1], back[f"{made[-1].array}.delta"][0], label)
    found += [[probabilities], [delta]]
    gradients: list[Made] = []
    for (name, layer), inputs in zip(reversed(list(network.layers.items())), made[-2::-1], strict=True):
        if parameters[name]:
            found.append(_gradients(name, layer, inputs, delta, parameters[name], back))
            gradients = [*found[-1], *gradients]
        below = back[f"{inputs.array}.delta"][0]
        delta = BACKWARD[type(layer)](name, layer, inputs, delta, below, *parameters[name])
        found.append([delta, *parameters[name]])
    return [*found, *([gradients] if gradients else [])], backward.loss


def _without_rounding(backward):
    """The arrays, with a 0 where the terms of a sum cancel but for rounding."""
    least = 1e-13 * max(np.abs(array).max() for array in backward.values())
    return {name: np.where(np.abs(array) < least, 0, array) for name, array in backward.items()}


def _softmax(scores, probabilities, label, error):
    cells = tuple(scores.cell(k) for k in range(len(probabilities)))
    powers = [f"exp({number(cell.value)})" for cell in cells]

    def entry(k):
        return Read(cells, f"{powers[k]} / ({' + '.join(powers)})", "softmax")

    s = scores.symbol
    rule = f"softmax: p = exp({s}) / Σ exp({s}), and the error E = −log p of class {label} = {number(error)}"
    reads = (("", scores.array),)
    return Made("softmax", "p", probabilities, rule, lambda: tabulate(probabilities.shape, entry), reads=reads)


def _output_error(probabilities, scores, delta, label):
    def entry(k):
        p, one = probabilities.cell(k), int(k == label)
        return Read((p,), f"{p.text} − {one} = {number(p.value)} − {one}", f"p − {one}")

    rule = f"the output error: δ of {scores.array} = p − 1 for class {label}, the target, and p − 0 for the others"
    reads = (("", "softmax"),)
    return Made(scores.array, "δ", delta, rule, lambda: tabulate(delta.shape, entry), reads=reads)


def _parameters(network, name):
    """The kernel or the weights of a layer, and its bias; none if it has no parameters."""
    found = []
    for own, full in network.parameter_names[name].items():
        values, tags = network.parameters[full], None
        if own == "kernel":
            places = np.arange(values.size).reshape(values.shape)

            def tag(*at, values=values, places=places):
                return Tag(subscripted("w", *at), int(places[at]), values[at])

            tags = tabulate(values.shape, tag)
        found.append(Made(full, "b" if own == "bias" else "w", values, f"the parameters of {name}", tags=tags))
    return found


def _gradients(name, layer, inputs, delta, parameters, back):
    convolves, (weights, bias) = isinstance(layer, Conv2D), parameters

    def of_weights():
        o, δ = inputs.named, delta.named
        if not convolves:
            return np.multiply.outer(o, δ)
        return loops.conv2d_kernel_gradient(o[None], δ[None], layer.kernel_size, **settings(layer))

    def of_bias():
        return loops.conv2d_bias_gradient(delta.named[None]) if convolves else delta.named

    terms = "Σ δ·o over all places (Eq. 13), ∂E/∂b = Σ δ" if convolves else "δ·o, ∂E/∂b = δ"
    rule, reads = f"the gradients of {name}: ∂E/∂w = {terms}", (("", inputs.array), ("⊗" if convolves else "·", name))
    return [
        Made(p.array, "g", back[f"{p.array}.gradient"], rule, origin, p.tags, reads=reads)
        for p, origin in ((weights, of_weights), (bias, of_bias))
    ]


def _updated(network, image, label, rate, parameters, gradients, error):
    before, after = {p.array: p for p in parameters}, network.copy()
    after.parameters = {g.array: before[g.array].values - rate * g.values for g in gradients}
    now = network.loss(after.scores(image[None]), [label])
    rule = f"the update: w ← w − η·g with η = {number(rate)}; E goes from {number(error)} to {number(now)}"

    def updated(old, g):
        def entry(*index):
            one, slope = old.cell(*index), g.cell(*index)
            numbers = f"{number(one.value)} − {number(rate)}·{factor(slope.value)}"
            return Read((), f"{one.text} − η·{slope.text} = {numbers}", f"{one.text[0]} − η·g")

        values = after.parameters[old.array]
        return Made(old.array, old.symbol, values, rule, lambda: tabulate(values.shape, entry), old.tags)

    return [updated(before[g.array], g) for g in gradients]
