"""The layers of a network, each as short as its equations: they are those of Jefkine Kafunah, "Backpropagation In
Convolutional Neural Networks", DeepGrid, 2016 ("the article").

A layer is a frozen description; the network keeps its parameters. Its three methods are the steps 2, 4 and 5 of the
algorithm that `convbp.networks.network` runs:

    ================  ================================  ====================================  ==================
    layer             ``forward``                       ``backpropagate``                     ``gradients``
    ================  ================================  ====================================  ==================
    Conv2D            x = o ⊗ w + b           Eq. 4, 7  δ ⊗ rot180(w), full       Eq. 20, 22  o ⊗ δ, Σ δ  Eq. 13
    Activate          o = f(x)                Eq. 8     δ · f′(x)                 Eq. 20
    MaxPool2D, …      the window's maximum, …           δ along the routes kept
    Flatten           the same numbers in a row         the same numbers, back in place
    Dense             x = o w + b                       δ wᵀ                                  oᵀ δ, Σ δ
    ================  ================================  ====================================  ==================

The delta of a layer is the gradient of the error for what that layer returns. For Conv2D and Dense that is the
article's δ = ∂E/∂x, Eq. 15; an activation is a layer of its own here, so the factor f′ of Eq. 20 is its way back.
Eq. 22 is meant as corrected: as printed it does not hold.
"""

from dataclasses import MISSING, dataclass, fields, is_dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from convbp.activations import Activation
from convbp.convolution import conv2d, conv2d_bias_gradient, conv2d_input_gradient, conv2d_kernel_gradient
from convbp.pooling import Pooled, average_pool2d, l2_pool2d, max_pool2d
from convbp.shapes import as_count, as_pair, as_steps, as_window, output_size


class Made(NamedTuple):
    """What a layer saw, and what it made of it."""

    inputs: np.ndarray
    output: np.ndarray


class Layer:
    """What all layers share; each is a frozen description, and the network keeps its parameters.

    ``kind`` begins its name in a network, ``makes`` is what its output is called among the arrays of a pass.
    """

    kind: ClassVar[str]
    makes: ClassVar[str] = "output"

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the output for one image, given that of the inputs; `ValueError` if they do not fit."""
        return shape

    def parameter_shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter, given that of the inputs."""
        return {}

    def forward(self, inputs: np.ndarray, **parameters: np.ndarray) -> Made | Pooled:
        """Step 2: what comes out, as ``.output``, with what the way back needs."""
        raise NotImplementedError

    def backpropagate(self, delta: np.ndarray, made: Made | Pooled, **parameters: np.ndarray) -> np.ndarray:
        """Step 4: the delta of the layer below, from that of this one."""
        raise NotImplementedError

    def gradients(self, delta: np.ndarray, made: Made | Pooled) -> dict[str, np.ndarray]:
        """Step 5: the gradient of the error for each parameter."""
        return {}

    def __str__(self) -> str:
        """As it was written, without what is left at its default."""
        words = []
        for argument in fields(self) if is_dataclass(self) else ():
            value = getattr(self, argument.name)
            if argument.default is MISSING:
                words.append(f"{value}")
            elif value != argument.default:
                words.append(f"{argument.name}={value}")
        return f"{type(self).__name__}({', '.join(words)})"


@dataclass(frozen=True)
class Conv2D(Layer):
    """A convolutional layer; its arguments are those of `convbp.conv2d`.

    Parameters
    ----------
    filters : int
        D, how many maps it makes.
    kernel_size : int or (int, int)
        (k1, k2).
    stride, padding, dilation : int or (int, int)
    """

    filters: int
    kernel_size: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    kind: ClassVar[str] = "conv"
    makes: ClassVar[str] = "pre_activation"

    def __post_init__(self):
        _settle(self, filters=as_count("Conv2D", "filters", self.filters))
        _settle(self, kernel_size=as_pair("Conv2D", "kernel_size", self.kernel_size, 1))
        steps = as_steps("Conv2D", self.stride, self.padding, self.dilation)
        _settle(self, **dict(zip(("stride", "padding", "dilation"), steps, strict=True)))

    @property
    def _steps(self):
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def output_shape(self, shape):
        _expect_axes(shape, 3)
        k = as_pair("Conv2D", "kernel_size", self.kernel_size, 1)
        steps = as_steps("Conv2D", self.stride, self.padding, self.dilation)
        return (*output_size("Conv2D", shape[:2], k, *steps), self.filters)

    def parameter_shapes(self, shape):
        k1, k2 = as_pair("Conv2D", "kernel_size", self.kernel_size, 1)
        return {"kernel": (k1, k2, shape[2], self.filters), "bias": (self.filters,)}

    def forward(self, inputs, kernel, bias):
        return Made(inputs, conv2d(inputs, kernel, bias, **self._steps))

    def backpropagate(self, delta, made, kernel, bias):
        return conv2d_input_gradient(delta, kernel, made.inputs.shape[1:3], **self._steps)

    def gradients(self, delta, made):
        return {
            "kernel": conv2d_kernel_gradient(made.inputs, delta, self.kernel_size, **self._steps),
            "bias": conv2d_bias_gradient(delta),
        }


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer: x = o w + b, with a weight from every input to every unit.

    Parameters
    ----------
    units : int
    """

    units: int
    kind: ClassVar[str] = "dense"
    makes: ClassVar[str] = "pre_activation"

    def __post_init__(self):
        _settle(self, units=as_count("Dense", "units", self.units))

    def output_shape(self, shape):
        _expect_axes(shape, 1)
        return (self.units,)

    def parameter_shapes(self, shape):
        return {"weights": (*shape, self.units), "bias": (self.units,)}

    def forward(self, inputs, weights, bias):
        return Made(inputs, inputs @ weights + bias)

    def backpropagate(self, delta, made, weights, bias):
        return delta @ weights.T

    def gradients(self, delta, made):
        return {"weights": made.inputs.T @ delta, "bias": delta.sum(axis=0)}


@dataclass(frozen=True)
class Activate(Layer):
    """An activation function as a layer: o = f(x), Eq. 8. In a network `convbp.relu` itself may stand for it.

    Parameters
    ----------
    function : Activation
    """

    function: Activation

    def __post_init__(self):
        if not isinstance(self.function, Activation):
            raise TypeError(f"Activate: function is {self.function!r}; expected an activation function such as relu.")

    @property
    def kind(self):
        return self.function.name

    def forward(self, inputs):
        return Made(inputs, self.function(inputs))

    def backpropagate(self, delta, made):
        return delta * self.function.derivative(made.inputs)

    def __str__(self):
        return self.function.name


@dataclass(frozen=True)
class _Pool2D(Layer):
    """A pooling layer: the error goes back along the routes that the forward pass has kept."""

    size: Any
    stride: Any = None
    padding: Any = 0
    kind: ClassVar[str] = "pool"

    def __post_init__(self):
        size, stride, padding = as_window(type(self).__name__, self.size, self.stride, self.padding)
        _settle(self, size=size, padding=padding)
        if self.stride is not None:
            _settle(self, stride=stride)

    def output_shape(self, shape):
        _expect_axes(shape, 3)
        name = type(self).__name__
        return (*output_size(name, shape[:2], *as_window(name, self.size, self.stride, self.padding)), shape[2])

    def forward(self, inputs):
        return self._pool(inputs, self.size, self.stride, self.padding)

    def backpropagate(self, delta, made):
        return made.route(delta)


class MaxPool2D(_Pool2D):
    """`convbp.max_pool2d` as a layer, with its arguments; among the arrays of a pass are its ``winners``.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        Its size if left out.
    padding : int or (int, int)
    """

    _pool = staticmethod(max_pool2d)


class AveragePool2D(_Pool2D):
    """`convbp.average_pool2d` as a layer, with its arguments.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        Its size if left out.
    padding : int or (int, int)
    """

    _pool = staticmethod(average_pool2d)


class L2Pool2D(_Pool2D):
    """`convbp.l2_pool2d` as a layer, with its arguments.

    Parameters
    ----------
    size : int or (int, int)
        Rows and columns of the window.
    stride : int or (int, int), optional
        Its size if left out.
    padding : int or (int, int)
    """

    _pool = staticmethod(l2_pool2d)


@dataclass(frozen=True)
class Flatten(Layer):
    """All of an image's entries in one row: (N, H, W, C) → (N, H·W·C)."""

    kind: ClassVar[str] = "flatten"

    def output_shape(self, shape):
        return (prod(shape),)

    def forward(self, inputs):
        return Made(inputs, inputs.reshape(len(inputs), -1))

    def backpropagate(self, delta, made):
        return delta.reshape(made.inputs.shape)


def _settle(layer, **checked):
    """Keep what was checked in the place of what was written; one number for both axes stays one."""
    for name, value in checked.items():
        one = isinstance(value, tuple) and np.ndim(getattr(layer, name)) == 0
        object.__setattr__(layer, name, value[0] if one else value)


def _expect_axes(shape, count):
    if len(shape) == count:
        return
    if count == 1:
        raise ValueError("expected one row of numbers per image. Put Flatten() before it.")
    grey = len(shape) == 2
    mend = f"Grey images have one channel: {(*shape, 1)}." if grey else "It has to stand before Flatten()."
    raise ValueError(f"expected maps (H, W, C). {mend}")
