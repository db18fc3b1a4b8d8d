"""Two ways to test a gradient without trusting it.

Central differences move one entry at a time and watch the error. The adjoint test asks whether a backward pass is
the transpose of its forward pass, ⟨A x, y⟩ = ⟨x, Aᵀ y⟩, which for a linear layer is all that backpropagation
claims; on integers it is exact. Neither can see a forward and a backward pass that are wrong alike: take the
forward pass from `convbp.loops`.
"""

from dataclasses import dataclass

import numpy as np

from convbp.shapes import as_count, as_numbers, as_positive, check_size

_STEP = 1e-5
_RELATIVE_STEP = 1e-8  # of entries beyond 1000, where it is the larger one: rounding to float64 takes 10⁻⁸ of it


def central_difference(function, at, step=None):
    """Estimate the gradient of ``function`` as (f(x + h) − f(x − h)) / 2h, one entry at a time.

    The estimate is off by about h²·f‴/6, plus 10⁻¹⁶·f/h from rounding; without ``step`` both are small for numbers
    around 1. At a kink (ReLU at 0, a tie in max pooling) it is the mean of the slopes on both sides, and
    wrong for either: `find_kinks` says where.

    Parameters
    ----------
    function : callable
        Takes an array like ``at``, returns one number. It is called twice per entry.
    at : array_like, shape=(…)
        Where. Integers and Fractions are taken as float64.
    step : float, optional
        The h, in the units of ``at``. If left out it is 10⁻⁵, and 10⁻⁸·|x| for an entry x where that is more.

    Returns
    -------
    ndarray of float64, shape=(…)

    Raises
    ------
    TypeError
        If ``at``, or what the function returns, is of a float dtype other than float64, or ``at``, what the function
        returns or the step is not a real number.
    ValueError
        If ``at`` is empty or has a NaN, the function returns an array or a NaN, or the step is not positive and
        finite, or so small beside an entry that rounding changes it by more than a tenth.
    """
    operation = "central_difference"
    at, steps = _at_and_steps(operation, at, step)
    _check_moves(operation, at, steps)
    minus, plus = _values_around(operation, function, at, steps)
    return (plus - minus) / (2 * steps)


def find_kinks(function, at, step=None, tolerance=1e-6):
    """Say for which entries of ``at`` a central difference is not to be trusted.

    An entry is marked if the central difference changes when the step is halved (a kink beside the point), or if the
    slopes on the left and on the right differ and the difference does not halve with the step, as it does on a
    smooth curve (a kink at the point). Changes of less than ``tolerance`` · (1 + largest slope) pass.

    Parameters
    ----------
    function, at, step
        As for `central_difference`. The function is called four times per entry.
    tolerance : float

    Returns
    -------
    ndarray of bool, shape=(…)

    Raises
    ------
    TypeError, ValueError
        As `central_difference` does; or if the tolerance is not a positive number.
    """
    operation = "find_kinks"
    at, steps = _at_and_steps(operation, at, step)
    tolerance = as_positive(operation, "tolerance", tolerance)
    _check_moves(operation, at, steps / 2)
    middle = _value(operation, function, at)

    def slopes(h):
        minus, plus = _values_around(operation, function, at, h)
        return (middle - minus) / h, (plus - middle) / h

    (left, right), (near_left, near_right) = slopes(steps), slopes(steps / 2)
    passes = tolerance * (1 + max(np.abs(left).max(), np.abs(right).max()))
    beside = np.abs(left + right - near_left - near_right) / 2 > passes
    jump, near_jump = np.abs(right - left), np.abs(near_right - near_left)
    return beside | (near_jump > np.maximum(0.75 * jump, passes))


@dataclass(frozen=True)
class Comparison:
    """How far a gradient is from what it is compared with, at the entry where it is farthest.

    Attributes
    ----------
    index : tuple of int
        The worst entry.
    computed, expected : float
        What the two arrays have there.
    relative_error : float
        |computed − expected| there, divided by the largest absolute value in either array.
    tolerance : float
        Up to which relative error the two agree.
    """

    index: tuple[int, ...]
    computed: float
    expected: float
    relative_error: float
    tolerance: float

    @property
    def agrees(self):
        return self.relative_error <= self.tolerance

    def __repr__(self):
        return (
            f"{'agrees' if self.agrees else 'DIFFERS'}: worst at {list(self.index)}, computed {self.computed:.9g}, "
            f"expected {self.expected:.9g}, relative error {self.relative_error:.1e} "
            f"(tolerance {self.tolerance:.0e})"
        )


def compare_gradients(computed, expected, tolerance=1e-6):
    """Compare two gradients entry by entry, and report the worst entry.

    Parameters
    ----------
    computed, expected : array_like, shape=(…)
    tolerance : float
        0 asks for equality.

    Returns
    -------
    Comparison
        Its ``agrees`` says whether the relative error is within the tolerance at every entry.

    Raises
    ------
    TypeError, ValueError
        If one of them is not an array of finite real numbers, the shapes differ, or the tolerance is neither a
        positive number nor 0.
    """
    operation = "compare_gradients"
    computed = as_numbers(operation, "computed", computed, None).astype(np.float64)
    expected = as_numbers(operation, "expected", expected, None).astype(np.float64)
    check_size(operation, "computed", computed.shape, expected.shape, "A gradient has the shape of its variable.")
    tolerance = as_positive(operation, "tolerance", tolerance, or_zero=True)
    difference = np.abs(computed - expected)
    index = tuple(int(i) for i in np.unravel_index(difference.argmax(), difference.shape))
    largest = max(np.abs(computed).max(), np.abs(expected).max())
    relative_error = float(difference[index] / largest) if largest else 0.0
    return Comparison(index, float(computed[index]), float(expected[index]), relative_error, tolerance)


@dataclass(frozen=True)
class AdjointTest:
    """The two sides of ⟨A x, y⟩ = ⟨x, Aᵀ y⟩: ``left`` from the forward pass, ``right`` from the backward pass."""

    left: object
    right: object
    tolerance: float

    @property
    def agrees(self):
        return abs(self.left - self.right) <= self.tolerance * max(abs(self.left), abs(self.right))

    def __repr__(self):
        verdict = "agrees" if self.agrees else "DIFFERS"
        return f"{verdict}: <A x, y> = {self.left}, <x, A^T y> = {self.right}"


def adjoint_test(forward, backward, shape, *, trials=5, seed=0, tolerance=0.0):
    """Test that ``backward`` is the transpose of ``forward`` on random integers x and y.

    Parameters
    ----------
    forward : callable
        A linear function: takes an array of ``shape``, returns an array. A bias makes it affine; leave it out.
    backward : callable
        What claims to be its transpose: takes an array like the output, returns one of ``shape``.
    shape : tuple of int
        Each at least 1.
    trials : int
        With how many pairs x, y, entries from −9 to 9; at least 1.
    seed : int
    tolerance : float
        Relative; 0 for functions that are exact on integers.

    Returns
    -------
    AdjointTest
        Of the first pair that differs, or else of the last.

    Raises
    ------
    TypeError, ValueError
        If ``backward`` returns an array of another shape, a size, ``trials`` or ``seed`` is not an integer or is too
        small, or the tolerance is neither a positive number nor 0.
    """
    operation = "adjoint_test"
    if not isinstance(shape, tuple | list):
        raise TypeError(
            f"{operation}: shape is {shape!r}; expected a tuple of integers, for example (4, 5), or (4,) for one axis. "
            f"It is the shape of what the forward pass takes."
        )
    shape = tuple(as_count(operation, f"shape[{axis}]", size) for axis, size in enumerate(shape))
    trials = as_count(operation, "trials", trials)
    rng = np.random.default_rng(as_count(operation, "seed", seed, 0))
    tolerance = as_positive(operation, "tolerance", tolerance, or_zero=True)
    for _ in range(trials):
        x = rng.integers(-9, 10, shape)
        forth = np.asarray(forward(x))
        y = rng.integers(-9, 10, forth.shape)
        back = np.asarray(backward(y))
        mend = "The backward pass returns a gradient for what the forward pass takes."
        check_size(operation, "backward(y)", back.shape, x.shape, mend)
        result = AdjointTest(_inner(forth, y), _inner(x, back), tolerance)
        if not result.agrees:
            break
    return result


def _inner(a, b):
    """⟨a, b⟩ in Python's own numbers, which do not overflow."""
    return sum(p * q for p, q in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True))


def _at_and_steps(operation, at, step):
    """``at`` in float64, and the step for each of its entries."""
    at = as_numbers(operation, "at", at, None)
    if step is not None:
        step = as_positive(operation, "step", step)
    _refuse_other_floats(operation, "at", at.dtype)
    at = at.astype(np.float64)
    return at, np.maximum(_STEP, _RELATIVE_STEP * np.abs(at)) if step is None else np.full(at.shape, step)


def _check_moves(operation, at, steps):
    """Raise ``ValueError`` if rounding changes a step: where it is lost the difference is 0, whatever the function."""
    lost = [np.abs(moved - steps) > steps / 10 for moved in ((at + steps) - at, at - (at - steps))]
    if np.any(lost):
        sizes = np.where(lost[0] | lost[1], np.abs(at), 0)
        index = np.unravel_index(sizes.argmax(), at.shape)  # the largest: a step for it does for the others
        place = f"at{[int(i) for i in index]}" if index else "at"
        raise ValueError(
            f"{operation}: {place} is {at[index]:g}, where rounding to float64 changes a step of {steps[index]:g} by "
            f"more than a tenth; expected a larger step, for example step={_RELATIVE_STEP * sizes[index]:.0e}."
        )


def _refuse_other_floats(operation, what, dtype):
    if dtype.kind == "f" and dtype != np.float64:
        raise TypeError(
            f"{operation}: {what} is of {dtype}; expected float64, as in fewer digits a difference of two close "
            f"values is mostly rounding error. Compute in float64: at.astype(np.float64), and parameters likewise."
        )


def _values_around(operation, function, at, steps):
    """f(x − h) and f(x + h) for every entry of ``at``, as two arrays of its shape."""
    minus, plus = np.empty_like(at), np.empty_like(at)
    for index in np.ndindex(at.shape):
        for values, moved_by in (minus, -steps[index]), (plus, steps[index]):
            moved = at.copy()
            moved[index] += moved_by
            values[index] = _value(operation, function, moved)
    return minus, plus


def _value(operation, function, at):
    value = as_numbers(operation, "function(at)", function(at), None)
    if value.ndim:
        raise ValueError(
            f"{operation}: function(at) has shape {value.shape}; expected one number. "
            f"Sum it, or weight it with a delta: (delta * result).sum()."
        )
    _refuse_other_floats(operation, "function(at)", value.dtype)
    return float(value)
