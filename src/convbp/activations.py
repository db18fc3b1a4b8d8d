"""Activation functions o = f(x), each beside its derivative f′; Eq. 8 and the f′ of Eq. 20 in

    Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016.

``relu(x)`` is the function and ``relu.derivative(x)`` its derivative, entry by entry. Where a function has a kink
it has no derivative; what is returned there is the slope on the left, as in PyTorch: relu′(0) = 0.

Floats keep their dtype. `identity` and `relu` keep integers and Fractions exact; the others give float64 for
them. For any float, however large, nothing overflows: no exponential has a positive exponent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from convbp.shapes import Array, as_floats, as_numbers, computed, shown


@dataclass(frozen=True)
class Activation:
    """A function to put between layers, with its derivative.

    Attributes
    ----------
    name : str
    formula : str
        f(x) in words of mathematics.
    """

    name: str
    formula: str
    _value: Callable[[Array], Array] = field(repr=False)
    _slope: Callable[[Array], Array] = field(repr=False)
    _exact: bool = field(repr=False, default=False)  # on integers and Fractions; else they become floats

    def __call__(self, pre_activation: ArrayLike) -> Array:
        """Return f(x) for each entry x.

        Parameters
        ----------
        pre_activation : array_like, shape=(…)

        Returns
        -------
        ndarray, shape=(…)

        Raises
        ------
        TypeError
            If an entry is not a real number.
        ValueError
            If the array is empty, or an entry is NaN, infinite or beyond all floats.
        """
        return self._apply(self._value, self.name, pre_activation)

    def derivative(self, pre_activation: ArrayLike) -> Array:
        """Return f′(x) for each entry x; arguments, result and errors are those of f itself."""
        return self._apply(self._slope, f"{self.name}.derivative", pre_activation)

    def _apply(self, function: Callable[[Array], Array], operation: str, pre_activation: ArrayLike) -> Array:
        x = as_numbers(operation, "pre_activation", pre_activation, None)
        if not self._exact:
            x = as_floats(operation, "pre_activation", x)
        return computed(operation, function, x).astype(x.dtype, copy=False)


LEAK = 0.01  # the slope of leaky_relu for negative numbers


def _sigmoid(x: Array) -> Array:
    e: Array = np.exp(-np.abs(x))
    value: Array = np.where(x < 0, e, 1) / (1 + e)
    return value


def _sigmoid_slope(x: Array) -> Array:
    e: Array = np.exp(-np.abs(x))
    slope: Array = e / (1 + e) ** 2  # s(x)·s(−x), which does not cancel where 1 − s(x) would
    return slope


def _tanh_slope(x: Array) -> Array:
    e: Array = np.exp(-np.abs(x))
    slope: Array = (2 * e / (1 + e**2)) ** 2  # 1/cosh², which does not cancel where 1 − tanh² would
    return slope


def _softplus(x: Array) -> Array:
    value: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return value


identity = Activation("identity", "x", np.copy, np.ones_like, _exact=True)

relu = Activation(
    "relu",
    "max(x, 0)",
    lambda x: np.maximum(x, np.zeros_like(x)),  # NumPy is slower with a single 0
    lambda x: np.greater(x, 0).view(np.int8),  # not where: it is slower
    _exact=True,
)

leaky_relu = Activation(
    "leaky_relu",
    f"x if x > 0, else {LEAK}·x",
    lambda x: np.where(x > 0, x, LEAK * x),
    lambda x: np.where(x > 0, 1, LEAK),
)

sigmoid = Activation("sigmoid", "1 / (1 + exp(−x))", _sigmoid, _sigmoid_slope)

tanh = Activation("tanh", "tanh(x)", np.tanh, _tanh_slope)

softplus = Activation("softplus", "log(1 + exp(x))", _softplus, _sigmoid)

ACTIVATIONS = {f.name: f for f in (identity, relu, leaky_relu, sigmoid, tanh, softplus)}


def as_activation(operation: str, activation: object, name: str = "activation") -> Activation:
    """Return the activation function that is given, or that has the name that is given.

    Raises
    ------
    TypeError
        If it is neither a function of `ACTIVATIONS` or the like, nor a word.
    ValueError
        If it is a word that names none.
    """
    expected = f"expected one of {', '.join(ACTIVATIONS)}, as a name or as the function itself, such as convbp.relu."
    if isinstance(activation, Activation):
        return activation
    if not isinstance(activation, str):
        raise TypeError(f"{operation}: {name} is {shown(activation)}; {expected}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"{operation}: {name} is {activation!r}; {expected}")
    return ACTIVATIONS[activation]
