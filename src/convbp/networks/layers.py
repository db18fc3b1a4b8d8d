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
article's δ = ∂E/∂x, Eq. 15; an activation is a layer of its own here, so the factor f′ of Eq. 20 is its backward pass.
Eq. 22 is meant as corrected: as printed it does not hold.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, MISSING, Field, dataclass, fields, is_dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from convbp.activations import as_activation
from convbp.convolution import conv2d, conv2d_bias_gradient, conv2d_input_gradient, conv2d_kernel_gradient
from convbp.pooling import Pooled, average_pool2d, l2_pool2d, max_pool2d
from convbp.shapes import Array, as_groups, as_pair, as_size, as_steps, as_window, output_size, placed, steps_by_keyword

Shape = tuple[int, ...]


class LayerResult(NamedTuple):
    """What a layer saw, and what it made of it."""

    inputs: Array
    output: Array


class Layer:
    """What all layers share; each is a frozen description, and the network keeps its parameters.

    ``kind`` begins its name in a network, ``makes`` is what its output is called among the arrays of a pass.
    """

    kind: ClassVar[str]
    makes: ClassVar[str] = "output"

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of the output for one image, given that of the inputs; `ValueError` if they do not fit."""
        return shape

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """The shape of each parameter, given that of the inputs."""
        return {}

    def initial(self, name: str, shape: Shape, rng: "np.random.Generator") -> Any:
        """How the parameter ``name`` of this ``shape`` starts: an array of it, or numbers of which one can be made.

        A bias, or another with one axis, starts at 0; weights are normal with variance 2 / inputs per unit (K. He et
        al., "Delving Deep into Rectifiers", 2015). A layer whose parameters start otherwise says so here: with a scale
        that starts at 0, nothing would get through.
        """
        *to_a_unit, units = shape
        return rng.normal(size=shape) * np.sqrt(2 / prod(to_a_unit)) if to_a_unit else np.zeros(units)

    def forward(self, inputs: Array, *_: Any, **parameters: Any) -> LayerResult | Pooled:
        """Step 2: what comes out, as ``.output``, with what the backward pass needs."""
        raise NotImplementedError

    def backpropagate(self, delta: Array, result: Any, *_: Any, **parameters: Any) -> Array:
        """Step 4: the delta of the layer below, from that of this one."""
        raise NotImplementedError

    def gradients(self, delta: Array, result: Any) -> dict[str, Array]:
        """Step 5: the gradient of the error for each parameter."""
        return {}

    def __str__(self) -> str:
        """As it was written, without what is left at its default."""
        words = []
        arguments: tuple[Field[Any], ...] = fields(self) if is_dataclass(self) else ()
        for argument in arguments:
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
    stride, dilation : int or (int, int)
    padding : int, (int, int), ((int, int), (int, int)) or "same"
    groups : int
    """

    filters: int
    kernel_size: Any
    _: KW_ONLY
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    kind: ClassVar[str] = "conv"
    makes: ClassVar[str] = "pre_activation"

    def __post_init__(self) -> None:
        _settle(self, filters=as_size("Conv2D", "filters", self.filters))
        _settle(self, kernel_size=as_pair("Conv2D", "kernel_size", self.kernel_size, 1))
        steps = as_steps("Conv2D", self.stride, self.padding, self.dilation)
        _settle(self, **dict(zip(("stride", "padding", "dilation"), steps, strict=True)))
        _settle(self, groups=as_groups("Conv2D", self.groups, filters=self.filters))

    @property
    def _steps(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation, "groups": self.groups}

    def output_shape(self, shape: Shape) -> Shape:
        _expect_axes(shape, 3)
        k = as_pair("Conv2D", "kernel_size", self.kernel_size, 1)
        as_groups("Conv2D", self.groups, C=shape[2])
        places, *_ = placed("Conv2D", (shape[0], shape[1]), k, self.stride, self.padding, self.dilation)
        return (*places, self.filters)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        k1, k2 = as_pair("Conv2D", "kernel_size", self.kernel_size, 1)
        return {"kernel": (k1, k2, shape[2] // self.groups, self.filters), "bias": (self.filters,)}

    def forward(self, inputs: Array, kernel: Array, bias: Array) -> LayerResult:
        return LayerResult(inputs, conv2d(inputs, kernel, bias, **self._steps))

    def backpropagate(self, delta: Array, result: LayerResult, kernel: Array, bias: Array) -> Array:
        return conv2d_input_gradient(delta, kernel, result.inputs.shape[1:3], **self._steps)

    def gradients(self, delta: Array, result: LayerResult) -> dict[str, Array]:
        return {
            "kernel": conv2d_kernel_gradient(result.inputs, delta, self.kernel_size, **self._steps),
            "bias": conv2d_bias_gradient(delta),
        }


Conv2D.__init__ = steps_by_keyword(Conv2D.__init__)  # type: ignore[method-assign]


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

    def __post_init__(self) -> None:
        _settle(self, units=as_size("Dense", "units", self.units))

    def output_shape(self, shape: Shape) -> Shape:
        _expect_axes(shape, 1)
        return (self.units,)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        return {"weights": (*shape, self.units), "bias": (self.units,)}

    def forward(self, inputs: Array, weights: Array, bias: Array) -> LayerResult:
        return LayerResult(inputs, inputs @ weights + bias)

    def backpropagate(self, delta: Array, result: LayerResult, weights: Array, bias: Array) -> Array:
        return delta @ weights.T

    def gradients(self, delta: Array, result: LayerResult) -> dict[str, Array]:
        return {"weights": result.inputs.T @ delta, "bias": delta.sum(axis=0)}


@dataclass(frozen=True)
class Activate(Layer):
    """An activation function as a layer: o = f(x), Eq. 8. In a network `convbp.relu` itself or "relu" may stand for it.

    Parameters
    ----------
    function : Activation or str
        Such as `convbp.relu`, or its name.
    """

    function: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "function", as_activation("Activate", self.function, "function"))

    @property
    def kind(self) -> str:  # type: ignore[override]
        return self.function.name

    def forward(self, inputs: Array) -> LayerResult:
        return LayerResult(inputs, self.function(inputs))

    def backpropagate(self, delta: Array, result: LayerResult) -> Array:
        return delta * self.function.derivative(result.inputs)

    def __str__(self) -> str:
        return self.function.name


@dataclass(frozen=True)
class _Pool2D(Layer):
    """A pooling layer: the error goes back along the routes that the forward pass has kept."""

    size: Any
    _: KW_ONLY
    stride: Any = None
    padding: Any = 0
    kind: ClassVar[str] = "pool"
    _pool: ClassVar[Callable[..., Pooled]]

    def __post_init__(self) -> None:
        size, stride, padding = as_window(type(self).__name__, self.size, self.stride, self.padding)
        _settle(self, size=size, padding=padding)
        if self.stride is not None:
            _settle(self, stride=stride)

    def output_shape(self, shape: Shape) -> Shape:
        _expect_axes(shape, 3)
        name = type(self).__name__
        return (
            *output_size(name, (shape[0], shape[1]), *as_window(name, self.size, self.stride, self.padding)),
            shape[2],
        )

    def forward(self, inputs: Array) -> Pooled:
        return self._pool(inputs, self.size, stride=self.stride, padding=self.padding)

    def backpropagate(self, delta: Array, result: Pooled) -> Array:
        return result.route(delta)


_Pool2D.__init__ = steps_by_keyword(_Pool2D.__init__)  # type: ignore[method-assign]


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

    def output_shape(self, shape: Shape) -> Shape:
        return (prod(shape),)

    def forward(self, inputs: Array) -> LayerResult:
        return LayerResult(inputs, inputs.reshape(len(inputs), -1))

    def backpropagate(self, delta: Array, result: LayerResult) -> Array:
        return delta.reshape(result.inputs.shape)


def _settle(layer: Layer, **checked: Any) -> None:
    """Keep what was checked in the place of what was written; one number for both axes stays one."""
    for name, value in checked.items():
        one = isinstance(value, tuple) and isinstance(getattr(layer, name), int | np.integer)
        object.__setattr__(layer, name, value[0] if one else value)


def _expect_axes(shape: Shape, count: int) -> None:
    if len(shape) == count:
        return
    if count == 1:
        raise ValueError("expected one row of numbers per image. Put Flatten() before it.")
    grey = len(shape) == 2
    hint = f"Grey images have one channel: {(*shape, 1)}." if grey else "It has to stand before Flatten()."
    raise ValueError(f"expected maps (H, W, C). {hint}")
