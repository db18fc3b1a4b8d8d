"""`check_gradients` on networks of all kinds: no right gradient is called wrong, and no wrong one right.

Some networks are drawn anew in each run: ``CONVBP_NETWORKS=2000`` draws so many, ``CONVBP_SEED=…`` those that failed.
Which gradients are wrong, and are wrong *there*, is told by those of the same network with the right layer.
"""

import os
import random
from dataclasses import dataclass

import numpy as np
import pytest

from convbp import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    L2Pool2D,
    MaxPool2D,
    Network,
    check_gradients,
    half_sum_of_squares,
    leaky_relu,
    relu,
    sigmoid,
    softmax_cross_entropy,
    softplus,
    tanh,
)
from convbp.networks.layers import Activate, Layer, LayerResult

COUNT = int(os.environ.get("CONVBP_NETWORKS", "16"))
SEED = int(os.environ.get("CONVBP_SEED", random.randrange(2**32)))


@dataclass(frozen=True)
class Normalise(Layer):
    """Each image to mean 0 and variance 1, over all its entries or those of each channel."""

    channels: bool = False
    kind = "normalise"

    def _scaled(self, inputs):
        axes = (1, 2) if self.channels and inputs.ndim == 4 else tuple(range(1, inputs.ndim))
        centred = inputs - inputs.mean(axis=axes, keepdims=True)
        return centred, 1 / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + 1e-3), axes

    def forward(self, inputs):
        centred, scale, _ = self._scaled(inputs)
        return LayerResult(inputs, centred * scale)

    def backpropagate(self, delta, result):
        centred, scale, axes = self._scaled(result.inputs)
        y = centred * scale
        mean, along = delta.mean(axis=axes, keepdims=True), (delta * y).mean(axis=axes, keepdims=True)
        return scale * (delta - mean - y * along)


@dataclass(frozen=True)
class Scale(Layer):
    """Times a number per channel, which starts at 1: at 0 nothing would get through."""

    kind = "scale"

    def parameter_shapes(self, shape):
        return {"scale": shape[-1:]}

    def initial(self, name, shape, rng):
        return np.ones(shape)

    def forward(self, inputs, scale):
        return LayerResult(inputs, inputs * scale)

    def backpropagate(self, delta, result, scale):
        return delta * scale

    def gradients(self, delta, result):
        return {"scale": (delta * result.inputs).reshape(-1, delta.shape[-1]).sum(axis=0)}


@dataclass(frozen=True)
class Spoiled(Layer):
    """A layer whose ``backpropagate`` or ``gradients`` returns something else."""

    layer: Layer
    spoil: object
    backpropagates: bool

    @property
    def kind(self):
        return self.layer.kind

    def output_shape(self, shape):
        return self.layer.output_shape(shape)

    def parameter_shapes(self, shape):
        return self.layer.parameter_shapes(shape)

    def initial(self, name, shape, rng):
        return self.layer.initial(name, shape, rng)

    def forward(self, inputs, **parameters):
        return self.layer.forward(inputs, **parameters)

    def backpropagate(self, delta, result, **parameters):
        back = self.layer.backpropagate(delta, result, **parameters)
        return self.spoil(back) if self.backpropagates else back

    def gradients(self, delta, result):
        gradients = self.layer.gradients(delta, result)
        return gradients if self.backpropagates else {name: self.spoil(g) for name, g in gradients.items()}


def one_entry(array):
    array = array.copy()
    array.flat[array.size // 2] *= 1.01
    return array


SPOILED = {
    "twice": lambda array: 2 * array,
    "sign": np.negative,
    "one in a thousand": lambda array: 1.001 * array,
    "turned": lambda array: array[..., ::-1] if array.ndim < 3 else array[:, ::-1],
    "one entry": one_entry,
    "zero": np.zeros_like,
    "mean": lambda array: np.full_like(array, array.mean()),
    "of size": lambda array: array / array.size,
    "positive": lambda array: np.maximum(array, 0),
    "a little more": lambda array: array + 1e-3 * np.abs(array).max(),
}


def drawn(rng):
    """Layers of a network, what it is checked on, and how large everything is."""
    f = rng.choice([relu, leaky_relu, tanh, sigmoid, softplus])
    pool = rng.choice([None, MaxPool2D, AveragePool2D, L2Pool2D])
    norm = rng.choice([None, None, Normalise(), Normalise(channels=True)])
    layers = [Conv2D(2, rng.choice([(2, 3), (3, 2)]), stride=rng.choice([1, (1, 2)]), padding=rng.choice([0, 1]))]
    layers += [norm] if norm else []
    layers += [Scale()] if rng.random() < 0.3 else []
    layers += [Activate(f)]
    layers += [pool((2, 1), stride=rng.choice([None, 1]))] if pool else []
    layers += [Conv2D(2, (2, 1), padding=(1, 0)), Activate(f)] if rng.random() < 0.3 else []
    layers += [Flatten(), Dense(3)] + ([Normalise()] if rng.random() < 0.2 else [])
    loss = rng.choice([softmax_cross_entropy, half_sum_of_squares])
    entries = np.random.default_rng(rng.randrange(2**32))
    inputs = entries.normal(size=(2, 5, 4, 1)) * rng.choice([0.01, 1, 1, 10])
    targets = np.array([2, 0]) if loss is softmax_cross_entropy else entries.normal(size=(2, 3))
    weights = rng.choice([0, 0.1, 1, 1, 1, 3])
    return layers, loss, inputs, targets, weights, rng.randrange(2**32)


def network(layers, loss, weights, seed):
    net = Network((5, 4, 1), *layers, loss=loss, dtype=np.float64, seed=seed)
    rng = np.random.default_rng(seed)
    net.parameters = {
        name: weights * (array + (0.1 * rng.normal(size=array.shape) if array.ndim == 1 else 0))
        for name, array in net.parameters.items()
    }
    return net


def gradients(net, inputs, targets):
    return net.backward(net.forward(inputs), targets).gradients


def is_wrong(found, right):
    """Whether a gradient is off by more than the check forgives, beyond what rounding of the largest of all makes."""
    all_of_them = max(np.abs(g).max() for g in right.values())
    return any(
        np.abs(found[name] - g).max() > 1e-5 * max(np.abs(found[name]).max(), np.abs(g).max()) + 1e-6 * all_of_them
        for name, g in right.items()
    )


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_no_right_gradient_is_called_wrong_and_no_wrong_one_right(part):
    rng = random.Random(SEED + part)
    for n in range(COUNT // 4):
        layers, loss, inputs, targets, weights, seed = drawn(rng)
        where = f"CONVBP_SEED={SEED}, part {part}, network {n}: {layers}, {loss.name}, weights × {weights}"
        right = network(layers, loss, weights, seed)
        found = check_gradients(right, inputs, targets)
        assert found.agrees is not False, f"{where}: a right one is called wrong\n{found}"
        at, kind = rng.randrange(len(layers)), rng.choice(list(SPOILED))
        has_parameters = hasattr(layers[at], "units") or isinstance(layers[at], Conv2D | Scale)
        spoiled = Spoiled(layers[at], SPOILED[kind], at > 0 and not (has_parameters and rng.random() < 0.5))
        wrong = network([*layers[:at], spoiled, *layers[at + 1 :]], loss, weights, seed)
        if is_wrong(gradients(wrong, inputs, targets), gradients(right, inputs, targets)):
            found = check_gradients(wrong, inputs, targets)
            assert not found.agrees, f"{where}: {kind} in layer {at} is called right\n{found}"


def checked(*layers, weights=1.0, inputs=None, targets=(1, 0), loss=softmax_cross_entropy):
    inputs = np.random.default_rng(3).normal(size=(2, 5, 4, 1)) if inputs is None else inputs
    return check_gradients(network(layers, loss, weights, 1), inputs, targets)


def test_a_bias_before_a_normalisation_has_no_gradient_and_is_not_called_wrong():
    found = checked(Conv2D(2, (2, 3)), Normalise(channels=True), tanh, Flatten(), Dense(3))
    assert found.agrees, found
    assert found.comparisons["conv1.bias"].agrees is None
    assert "conv1.bias: nothing to compare: zero up to rounding; none of 2 entries at a kink" in repr(found)
    assert "conv1.kernel: agrees to " in repr(found)


@pytest.mark.parametrize("function", [tanh, sigmoid, softplus])
def test_with_parameters_that_are_all_zero_nothing_is_called_wrong(function):
    found = checked(Conv2D(2, (2, 3)), function, Flatten(), Dense(3), weights=0)
    assert found.agrees is None
    assert found.comparisons["dense1.bias"].agrees


@pytest.mark.parametrize("spoil", ["twice", "sign", "turned", "zero"])
def test_behind_weights_of_zero_nothing_is_compared_and_nothing_agrees(spoil):
    layers = [Conv2D(2, (2, 3)), Activate(tanh), Flatten(), Dense(3)]
    layers[1] = Spoiled(layers[1], SPOILED[spoil], True)
    net = network(layers, softmax_cross_entropy, 1, 1)
    net.parameters = {**net.parameters, "dense1.weights": np.zeros((16, 3))}
    found = check_gradients(net, np.random.default_rng(3).normal(size=(2, 5, 4, 1)), [1, 0])
    assert found.agrees is None
    assert "conv1.kernel: nothing to compare: all zero" in repr(found)
    assert found.comparisons["conv1.kernel"].agrees is None
    assert found.comparisons["dense1.weights"].agrees


def test_a_scale_starts_where_its_layer_says():
    net = Network((5, 4, 1), Conv2D(2, (2, 3)), Scale(), relu, Flatten(), Dense(3))
    assert net.parameters["scale1.scale"].tolist() == [1, 1]
    assert net.parameters["conv1.bias"].tolist() == [0, 0]
    assert net.parameters["scale1.scale"].dtype == np.float32
    assert net.backward(net.forward(np.ones((1, 5, 4, 1))), [0]).gradients["conv1.kernel"].any()


def test_a_start_that_does_not_fit_is_refused():
    class Wrong(Scale):
        def initial(self, name, shape, rng):
            return np.ones(5)

    class NoNumber(Scale):
        def initial(self, name, shape, rng):
            return np.full(shape, np.nan)

    for layer, said in (Wrong(), r"has shape \(5,\); expected \(2,\)"), (NoNumber(), "NaN or infinite; expected"):
        with pytest.raises(ValueError, match=rf"Network: parameters\['scale1.scale'\] {said}|Network: .*{said}"):
            Network((5, 4, 1), Conv2D(2, (2, 3)), layer)
