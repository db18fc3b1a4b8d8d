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

from convbp.shapes import as_floats, as_numbers


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
    _value: Callable[[np.ndarray], np.ndarray] = field(repr=False)
    _slope: Callable[[np.ndarray], np.ndarray] = field(repr=False)

    def __call__(self, pre_activation):
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
            If the array is empty, or an entry is NaN or infinite.
        """
        return self._apply(self._value, self.name, pre_activation)

    def derivative(self, pre_activation):
        """Return f′(x) for each entry x; arguments, result and errors are those of f itself."""
        return self._apply(self._slope, f"{self.name}.derivative", pre_activation)

    @staticmethod
    def _apply(function, operation, pre_activation):
        return np.asarray(function(as_numbers(operation, "pre_activation", pre_activation, None)))


LEAK = 0.01  # the slope of leaky_relu for negative numbers


def _sigmoid(x):
    x = as_floats(x)
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def _sigmoid_slope(x):
    e = np.exp(-np.abs(as_floats(x)))
    return e / (1 + e) ** 2  # s(x)·s(−x), which does not cancel where 1 − s(x) would


def _tanh_slope(x):
    e = np.exp(-np.abs(as_floats(x)))
    return (2 * e / (1 + e**2)) ** 2  # 1/cosh², which does not cancel where 1 − tanh² would


def _softplus(x):
    x = as_floats(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


identity = Activation("identity", "x", np.copy, np.ones_like)

relu = Activation(
    "relu",
    "max(x, 0)",
    lambda x: np.maximum(x, np.zeros_like(x)),  # NumPy is slower with a single 0
    lambda x: (x > 0).view(np.int8).astype(x.dtype),  # as a small integer, or object would get True and False
)

leaky_relu = Activation(
    "leaky_relu",
    f"x if x > 0, else {LEAK}·x",
    lambda x: np.where(x > 0, as_floats(x), LEAK * as_floats(x)),
    lambda x: np.where(x > 0, 1, LEAK).astype(as_floats(x).dtype),
)

sigmoid = Activation("sigmoid", "1 / (1 + exp(−x))", _sigmoid, _sigmoid_slope)

tanh = Activation("tanh", "tanh(x)", lambda x: np.tanh(as_floats(x)), _tanh_slope)

softplus = Activation("softplus", "log(1 + exp(x))", _softplus, _sigmoid)
