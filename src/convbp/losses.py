"""Losses, each beside its gradient with respect to the outputs of the network.

``half_sum_of_squares(outputs, targets)`` is the number E, and ``half_sum_of_squares.gradient(outputs, targets)``
is ∂E/∂outputs.

`half_sum_of_squares`
    E = ½ Σₚ (tₚ − yₚ)², Eq. 9 in Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid,
    2016. It is called the mean squared error there, but is half the *sum* of the squares, and its gradient
    is y − t with no 1/P. Outputs and targets have the same shape, whatever it is. Integers and Fractions stay
    exact: of integers E is a float up to 2⁵², and beyond, where a float may have no half, a Fraction.

`softmax_cross_entropy`
    The mean over the batch of −log pₙ(label n), where pₙ is the softmax of row n of the outputs. Outputs are
    of shape=(N, D), one score per class; targets are of shape=(N,), the classes as integers 0 … D−1. The
    gradient is (p − one-hot) / N. Scores may be of any size: only their differences are exponentiated.

Floats keep their dtype; float16 is added up and divided in float32, as N may be beyond all of float16.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from convbp.shapes import Array, as_floats, as_numbers, check_size, computed, entry_type, in_one_dtype


@dataclass(frozen=True)
class Loss:
    """A number that says how far outputs are from targets, with its gradient.

    Attributes
    ----------
    name : str
    formula : str
        E in words of mathematics.
    """

    name: str
    formula: str
    _check: Callable[[str, ArrayLike, ArrayLike], tuple[Array, Array]] = field(repr=False)
    _value: Callable[[Array, Array], Any] = field(repr=False)
    _gradient: Callable[[Array, Array], Array] = field(repr=False)

    def __call__(self, outputs: ArrayLike, targets: ArrayLike) -> Any:
        """Return E, a float or, where the outputs are exact and a float may not be, a Fraction.

        Parameters
        ----------
        outputs, targets : array_like
            Of the shapes that the module's description of the loss says.

        Raises
        ------
        TypeError
            If an entry is not a real number, or a class is not an integer.
        ValueError
            If an array is empty, has a NaN or the wrong shape, there is no such class, or E is too large for its dtype.
        """
        return computed(self.name, self._value, *self._check(self.name, outputs, targets))[()]

    def gradient(self, outputs: ArrayLike, targets: ArrayLike) -> Array:
        """Return ∂E/∂outputs, of the shape of the outputs; arguments and errors are those of the loss itself."""
        operation = f"{self.name}.gradient"
        return computed(operation, self._gradient, *self._check(operation, outputs, targets))


def softmax(scores: Array) -> Array:
    """Return exp(x) / Σ exp(x) along the last axis, of scores of any size: only their differences are exponentiated."""
    probabilities: Array = np.exp(_log_softmax(scores))
    return probabilities


def _log_softmax(scores: Array) -> Array:
    scores = scores - scores.max(axis=-1, keepdims=True)
    logarithms: Array = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return logarithms


def _outputs_and_targets(operation: str, outputs: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    outputs = as_numbers(operation, "outputs", outputs, None)
    targets = as_numbers(operation, "targets", targets, None)
    hint = "Each output has one target; targets.reshape(outputs.shape) if only the axes differ."
    check_size(operation, "targets", targets.shape, outputs.shape, hint)
    both = np.stack(in_one_dtype(1, outputs, targets))  # NumPy stacks uint64 and int64 as float64
    wide = in_one_dtype(4 * outputs.size, both, both)[0]  # for squares of up to twice the largest
    return wide[0, ...], wide[1, ...]  # as arrays, even where these are 0-d


def _half_sum(outputs: Array, targets: Array) -> Any:
    misses: Array = np.ravel(targets) - np.ravel(outputs)  # not 0-d: of such objects NumPy returns the bare number
    total = (misses**2).sum()
    if isinstance(total, int | np.integer) and total > 2**53:  # from here on not every integer is a float64
        return Fraction(int(total), 2)
    return total / 2


def _scores_and_labels(operation: str, outputs: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    scores = as_floats(operation, "outputs", as_numbers(operation, "outputs", outputs, "ND"))
    labels = as_numbers(operation, "targets", targets, "N")
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{operation}: targets has entries of type {entry_type(labels)}; expected the classes as integers. "
            f"From one-hot rows: one_hot.argmax(axis=1)."
        )
    count, classes = scores.shape
    check_size(operation, "targets", labels.shape, (count,), "Each row of the outputs has one class.")
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(
            f"{operation}: targets has the class {wrong[0]}; expected 0 … {classes - 1}, as the outputs have "
            f"{classes} scores per row. Classes count from 0."
        )
    return scores, labels


def _cross_entropy(scores: Array, labels: Array) -> Any:
    return -_log_softmax(scores)[np.arange(len(labels)), labels].mean()


def _cross_entropy_gradient(scores: Array, labels: Array) -> Array:
    gradient = softmax(scores)
    gradient[np.arange(len(labels)), labels] -= 1
    return gradient / len(labels)


half_sum_of_squares = Loss(
    "half_sum_of_squares",
    "½ Σ (t − y)²",
    _outputs_and_targets,
    _half_sum,
    lambda y, t: y - t,
)

softmax_cross_entropy = Loss(
    "softmax_cross_entropy",
    "−Σ log softmax(outputs)[n, label n] / N",
    _scores_and_labels,
    _cross_entropy,
    _cross_entropy_gradient,
)
