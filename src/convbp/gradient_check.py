"""Ways to test a gradient without trusting it.

Differences move one entry at a time and watch the error: `central_difference` with one step, `check_gradient` with the
best of several, or with a complex step where the function takes one. The adjoint test asks whether a backward pass is
the transpose of its forward pass, ⟨A x, y⟩ = ⟨x, Aᵀ y⟩, which for a linear layer is all that backpropagation
claims; on integers it is exact. None can see a forward and a backward pass that are wrong alike: take the
forward pass from `convbp.loops`.

What two gradients may differ by follows from the arithmetic. The values of a function are rounded; with a step h its
slope is known only up to that noise divided by h. How large the noise is, is measured: third differences over
points so close that any smooth function is a parabola there leave nothing but noise (J. Moré and S. Wild, "Estimating
Computational Noise", 2011).
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature
from math import inf, log10
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convbp.shapes import (
    Array,
    as_count,
    as_floats,
    as_numbers,
    as_positive,
    as_size,
    check_size,
    computed,
    shown,
)

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Function = Callable[[Floats], Any]

_STEP = 1e-5
_RELATIVE_STEP = 1e-8  # of entries beyond 1000, where it is the larger one: rounding to float64 takes 10⁻⁸ of it
_STEPS = 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8  # that `check_gradient` tries, of entries around 1
_COMPLEX_STEP = 1e-100  # nothing is subtracted, so it can be as small as one likes
_EPSILON = float(np.finfo(np.float64).eps)
ROUNDING = 1000 * _EPSILON
"""What rounding can make of a zero in a gradient, relative to the largest of the gradients beside it."""
_CLEAR = 1000  # times the error that rounding can make: an entry so large shows whether a gradient is right


def central_difference(function: Function, at: ArrayLike, step: float | None = None) -> Floats:
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
        returns or the step is not a real number, or the function is none.
    ValueError
        If ``at`` is empty or has a NaN, the function returns an array or a NaN, or the step is not positive and
        finite, or so small beside an entry that rounding changes it by more than a tenth.
    """
    operation = "central_difference"
    x, steps = _at_and_steps(operation, function, at, step)
    _check_moves(operation, x, steps)
    minus, plus = _values_around(operation, function, x, steps)
    return computed(operation, lambda: (plus - minus) / (2 * steps))


def find_kinks(function: Function, at: ArrayLike, step: float | None = None, tolerance: float = 1e-6) -> Mask:
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
    x, steps = _at_and_steps(operation, function, at, step)
    tolerance = as_positive(operation, "tolerance", tolerance)
    _check_moves(operation, x, steps / 2)
    middle = _value(operation, function, x)
    with np.errstate(all="ignore"):
        slopes = _Slopes.around(operation, function, x, steps, middle)
        return slopes.kinks(tolerance * (1 + slopes.largest))


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
    largest : float
        The largest absolute value in either array.
    floor : float
        The error that rounding alone can make in ``expected`` there. It is allowed beside the tolerance.
    comparable : bool
        Whether the largest entry is clear of what rounding can make.
    """

    index: tuple[int, ...]
    computed: float
    expected: float
    relative_error: float
    tolerance: float
    largest: float
    floor: float = 0.0
    comparable: bool = True

    @property
    def agrees(self) -> bool | None:
        """Whether the two agree; None if there is nothing to compare, as all is zero or drowns in rounding."""
        if abs(self.computed - self.expected) > self.tolerance * self.largest + self.floor:
            return False
        return True if self.comparable else None

    @property
    def digits(self) -> float:
        """To how many decimal digits of the largest entry the two are equal; 16 if to all that a float64 has."""
        return min(16.0, -log10(self.relative_error)) if self.relative_error else 16.0

    def verdict(self) -> str:
        """In a few words."""
        if self.agrees is None:
            return f"nothing to compare: {'zero up to rounding' if self.largest else 'all zero'}"
        if self.agrees:
            return f"agrees to {self.digits:.1f} digits"
        return f"DIFFERS, relative error {self.relative_error:.0e}"

    def __repr__(self) -> str:
        verdict = {True: "agrees", False: "DIFFERS", None: self.verdict()}[self.agrees]
        return (
            f"{verdict}: worst at {list(self.index)}, computed {self.computed:.9g}, "
            f"expected {self.expected:.9g}, relative error {self.relative_error:.1e} "
            f"(tolerance {self.tolerance:.0e})"
        )


def compare_gradients(computed: ArrayLike, expected: ArrayLike, tolerance: float = 1e-6) -> Comparison:
    """Hold a gradient against another one, mostly against central differences.

    Two gradients agree if they differ nowhere by more than ``tolerance`` times the largest absolute value in
    either; entry by entry, the small ones would fail for rounding alone. Where both are zero everywhere there is
    nothing to compare: a wrong gradient, too, may be zero there.

    Parameters
    ----------
    computed, expected : array_like, shape=(…)
    tolerance : float

    Returns
    -------
    Comparison
        ``agrees`` is its verdict: True, False, or None if there was nothing to compare. Printing it shows the worst
        entry.

    Raises
    ------
    TypeError, ValueError
        If the two are not finite real numbers of the same shape, or the tolerance is neither a positive number nor 0.
    """
    operation = "compare_gradients"
    found, known = _floats(operation, "computed", computed), _floats(operation, "expected", expected)
    check_size(operation, "computed", found.shape, known.shape, "A gradient has the shape of its variable.")
    comparison = compared(found, known, as_positive(operation, "tolerance", tolerance, or_zero=True))
    assert comparison is not None  # nothing is left out
    return comparison


@dataclass(frozen=True, eq=False)
class GradientCheck:
    """What `check_gradient` or `check_gradients` found.

    Attributes
    ----------
    comparisons : mapping of str to Comparison, or None where every entry is at a kink
        Gradient and estimate of each array, at the entries that are at no kink.
    kinks : mapping of str to ndarray of bool
        For each array the entries where there is no derivative to compare with.
    methods : mapping of str to str
        How each estimate was made: by a complex step, or by central differences.
    """

    comparisons: Mapping[str, Comparison | None]
    kinks: Mapping[str, Mask]
    methods: Mapping[str, str] = field(default_factory=dict)

    @property
    def agrees(self) -> bool | None:
        """False if a gradient differs, True if all agree as far as they could be compared.

        None if it is open, as there is nothing to compare for all parameters of a layer: zero everywhere, or at a kink.
        """
        verdicts = {name: found and found.agrees for name, found in self.comparisons.items()}
        if False in verdicts.values():
            return False
        layers = {name.partition(".")[0] for name in verdicts}
        compared = {name.partition(".")[0] for name, agrees in verdicts.items() if agrees}
        return True if compared == layers and layers else None

    def __repr__(self) -> str:
        return "\n".join(map(self._line, self.comparisons))

    def _line(self, name: str) -> str:
        found, at_kinks = self.comparisons[name], int(self.kinks[name].sum())
        method = f" by {self.methods[name]}" if name in self.methods and found else ""
        verdict = found.verdict() if found else "not compared"
        return f"{name}: {verdict}{method}; {at_kinks or 'none'} of {self.kinks[name].size} entries at a kink"


def check_gradient(function: Callable[..., Any], gradient: Any, at: Any, *, tolerance: float = 1e-6) -> GradientCheck:
    """Compare a gradient, of whatever function, with the best estimate that the function's values allow.

    Where the function takes complex numbers and is smooth, that is a complex step, Im f(x + ih) / h, which subtracts
    nothing and is exact to rounding (J. Lyness and C. Moler, 1967); it counts only where central differences say the
    same, as np.abs, for one, takes complex numbers and drops the step. Otherwise, for each entry, it is the best of
    several central differences, with the error that their steps and rounding leave. Entries at a kink are left
    out and counted.

    Parameters
    ----------
    function : callable
        Takes what ``at`` has, returns one number. Central differences call it 24 times per entry at most.
    gradient : callable, array_like or tuple of them
        Takes what the function takes, returns the gradient for each array; or these gradients themselves.
    at : array_like, or tuple of array_like
        Where. A tuple is of several arrays, one for each argument of the function. All are taken as float64.
    tolerance : float
        Up to which error, relative to the largest entry of a gradient, the two agree.

    Returns
    -------
    GradientCheck
        ``agrees`` is True, False, or None if there was nothing to compare. Printing it gives a line for each array,
        with the number of digits.

    Raises
    ------
    TypeError, ValueError
        As `central_difference` does; or if function or gradient cannot be called with the arrays, there are not as many
        gradients as arrays, one is not of finite real numbers of the shape of its array, or the tolerance is not a
        positive number.
    """
    operation = "check_gradient"
    _check_callable(operation, "function", function)
    tolerance = as_positive(operation, "tolerance", tolerance)
    several = isinstance(at, tuple)
    names = [f"at[{i}]" for i in range(len(at))] if several else ["at"]
    points = [_floats(operation, name, array) for name, array in zip(names, at if several else (at,), strict=True)]
    if not points:
        raise ValueError(f"{operation}: at is an empty tuple; expected an array, or several in a tuple.")
    for name, called in (("function", function), ("gradient", gradient)):
        if callable(called):
            _check_takes(operation, name, called, points)
    given = gradient(*(point.copy() for point in points)) if callable(gradient) else gradient
    gradients = list(given) if several and isinstance(given, tuple | list) else [given]
    if len(gradients) != len(points):
        raise ValueError(
            f"{operation}: gradient is {len(gradients) if several and isinstance(given, tuple | list) else 'one'} "
            f"array{'s' * (len(gradients) != 1)}, at is {len(points)}; expected one gradient for each "
            f"array. Return them as a tuple, in the order of the arguments."
        )
    found = [_floats(operation, "gradient", array) for array in gradients]
    for array, point in zip(found, points, strict=True):
        check_size(operation, "gradient", array.shape, point.shape, "A gradient has the shape of its variable.")
    noise = rounding_noise(lambda arrays: _value(operation, lambda _: function(*arrays), points[0]), points)
    own_rounding = ROUNDING * max(float(np.abs(array).max()) for array in found)
    comparisons: dict[str, Comparison | None] = {}
    kinks, methods = {}, {}
    for i, (name, point) in enumerate(zip(names, points, strict=True)):

        def alone(array: Array, i: int = i) -> Any:
            return function(*(array if j == i else other.copy() for j, other in enumerate(points)))

        expected, error, kinks[name] = estimated(operation, alone, point, _STEPS, noise, tolerance, thorough=True)
        methods[name] = "central differences"
        exact = _complex_step(alone, point)
        if exact is not None and not np.any(np.abs(exact - expected)[~kinks[name]] > error[~kinks[name]]):
            expected, methods[name] = exact, "complex step"
            error = np.full_like(error, 100 * noise / (np.abs(point).max() or 1))
        comparisons[name] = compared(found[i], expected, tolerance, error + own_rounding, kinks[name])
    return GradientCheck(comparisons, kinks, methods)


@dataclass(frozen=True)
class AdjointTest:
    """The two sides of ⟨A x, y⟩ = ⟨x, Aᵀ y⟩: ``left`` from the forward pass, ``right`` from the backward pass.

    ``scale`` is the larger sum of the absolute values of their terms, to which the tolerance is relative.
    """

    left: Any
    right: Any
    tolerance: float
    scale: Any = 0

    @property
    def agrees(self) -> bool:
        return bool(abs(self.left - self.right) <= self.tolerance * self.scale)

    def __repr__(self) -> str:
        verdict = "agrees" if self.agrees else "DIFFERS"
        return f"{verdict}: <A x, y> = {self.left}, <x, A^T y> = {self.right}"


def adjoint_test(
    forward: Callable[[Array], Any],
    backward: Callable[[Array], Any],
    shape: Sequence[int],
    *,
    trials: int = 5,
    seed: int = 0,
    tolerance: float = 0.0,
) -> AdjointTest:
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
        Relative to the sum of the absolute values of the terms; 0 for functions that are exact on integers.

    Returns
    -------
    AdjointTest
        Of the first pair that differs, or else of the last.

    Raises
    ------
    TypeError, ValueError
        If one of the two is no function or does not return finite real numbers, ``backward`` returns an array of
        another shape, a size, ``trials`` or ``seed`` is not an integer or is too small, or the tolerance is neither a
        positive number nor 0.
    """
    operation = "adjoint_test"
    _check_callable(operation, "forward", forward)
    _check_callable(operation, "backward", backward)
    if not isinstance(shape, tuple | list):
        raise TypeError(
            f"{operation}: shape is {shown(shape)}; expected a tuple of integers, for example (4, 5), or (4,) for one "
            f"axis. It is the shape of what the forward pass takes."
        )
    shape = tuple(as_size(operation, f"shape[{axis}]", size) for axis, size in enumerate(shape))
    trials = as_count(operation, "trials", trials)
    rng = np.random.default_rng(as_count(operation, "seed", seed, 0))
    tolerance = as_positive(operation, "tolerance", tolerance, or_zero=True)
    for _ in range(trials):
        x = np.asarray(rng.integers(-9, 10, shape))
        forth = as_numbers(operation, "forward(x)", forward(x.copy()), None)
        y = np.asarray(rng.integers(-9, 10, forth.shape))
        back = as_numbers(operation, "backward(y)", backward(y.copy()), None)
        hint = "The backward pass returns a gradient for what the forward pass takes."
        check_size(operation, "backward(y)", back.shape, x.shape, hint)
        (left, one), (right, other) = _inner(operation, forth, y), _inner(operation, x, back)
        result = AdjointTest(left, right, tolerance, max(one, other))
        if not result.agrees:
            break
    return result


def _inner(operation: str, a: Array, b: Array) -> tuple[Any, Any]:
    """⟨a, b⟩ in Python's own numbers, which do not overflow, and the sum of the absolute values of its terms."""

    def sums() -> Array:
        terms = [p * q for p, q in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)]
        return np.array([sum(terms), sum(map(abs, terms))], object)

    left, scale = computed(operation, sums)
    return left, scale


# What the checks share


def rounding_noise(value: Callable[[list[Floats]], float], points: Sequence[Floats]) -> float:
    """How much rounding alone moves ``value(points)``, about: by third differences over points that are very close."""
    rng = np.random.default_rng(0)
    moves = []
    for point in points:
        sizes = np.array(np.abs(point))
        sizes[sizes == 0] = sizes.max() or 1
        moves.append(2.0**-44 * sizes * rng.choice([-1, 1], point.shape))
    values = [value([point.copy() for point in points])]
    with suppress(ArithmeticError, ValueError):  # at the edge of where the function is defined
        values += [
            value([np.asarray(p + i * move) for p, move in zip(points, moves, strict=True)]) for i in range(1, 12)
        ]
    with np.errstate(over="ignore"):
        spread = (
            0.0 if len(values) < 4 else np.sqrt(np.mean(np.diff(values, 3) ** 2) / 20)
        )  # the third difference of noise has 1 + 9 + 9 + 1 of it
    return float(max(spread, _EPSILON * np.abs(values).max()))


@np.errstate(all="ignore")
def estimated(
    operation: str,
    function: Function,
    at: Floats,
    steps: Sequence[float],
    noise: float,
    tolerance: float,
    *,
    thorough: bool = False,
) -> tuple[Floats, Floats, Mask]:
    """The gradient by central differences, up to which error it is known, and the entries that are at a kink.

    Later steps are tried for the entries that an earlier one found at a kink, or that it left uncertain if
    ``thorough``; the best counts.
    """
    middle = _value(operation, function, at)
    expected, error = np.zeros_like(at), np.full_like(at, inf)
    left: Mask = np.ones(at.shape, bool)
    for step in steps:

        def moved(entries: Floats, left: Mask = left) -> Any:
            array = at.copy()
            array[left] = entries
            return function(array)

        sizes = np.maximum(step, step * np.abs(at[left]) if thorough else _RELATIVE_STEP * np.abs(at[left]))
        slopes = _Slopes.around(operation, moved, at[left], sizes, middle, forgiving=thorough)
        value, off = slopes.best(noise)
        passes = tolerance / 4 * slopes.largest + 4 * slopes.noise(noise)
        off[slopes.kinks(passes)] = inf
        better = off < error[left]
        expected[left] = np.where(better, value, expected[left])
        error[left] = np.where(better, off, error[left])
        enough = np.abs(expected).max() * tolerance / 1000 if thorough else inf
        left = (error == inf) | (error > enough)
        if not left.any():
            break
    return expected, error, error == inf


@dataclass(frozen=True)
class _Slopes:
    """The slopes of a function to the left and to the right of a point, over a step and over half of it."""

    steps: Floats
    left: Floats
    right: Floats
    near_left: Floats
    near_right: Floats

    @classmethod
    def around(
        cls, operation: str, function: Function, at: Floats, steps: Floats, middle: float, forgiving: bool = False
    ) -> "_Slopes":
        found = []
        for h in steps, steps / 2:
            minus, plus = _values_around(operation, function, at, h, forgiving)
            found += [(middle - minus) / h, (plus - middle) / h]
        return cls(steps, *found)

    @property
    def largest(self) -> float:
        """The largest absolute value of a slope, of those that there are."""
        return float(max(np.nanmax(np.abs(self.left), initial=0), np.nanmax(np.abs(self.right), initial=0)))

    def kinks(self, passes: Any) -> Mask:
        """Where the sides differ, or a half step changes the slope, by more than ``passes``; or a value is missing."""
        beside = np.abs(self.left + self.right - self.near_left - self.near_right) / 2 > passes
        jump, near_jump = np.abs(self.right - self.left), np.abs(self.near_right - self.near_left)
        missing = np.isnan(jump) | np.isnan(near_jump)
        return np.asarray(beside | (near_jump > np.maximum(0.75 * jump, passes)) | missing)

    def noise(self, noise: float) -> Floats:
        """What noise in the function's values can make of the slope: that of thousands of entries stays below it."""
        return np.asarray(8 * noise / self.steps)

    def best(self, noise: float) -> tuple[Floats, Floats]:
        """The slope, and up to which error: with the term in h² taken out where that is more than noise."""
        wide, near = (self.left + self.right) / 2, (self.near_left + self.near_right) / 2
        extrapolated = (4 * near - wide) / 3
        off = np.abs(extrapolated - near)
        curved = off > self.noise(noise)
        return np.where(curved, extrapolated, wide), np.where(curved, off + 3 * self.noise(noise), self.noise(noise))


def compared(
    found: Floats, expected: Floats, tolerance: float, error: ArrayLike = 0.0, left_out: Mask | None = None
) -> Comparison | None:
    """The `Comparison` at the entry that is farthest off, its ``error`` allowed; None if all entries are left out."""
    kept = np.ones(found.shape, bool) if left_out is None else ~left_out
    if not kept.any():
        return None
    allowed = np.broadcast_to(error, found.shape)
    with np.errstate(over="ignore"):
        difference = np.abs(found - expected)
    excess = np.where(kept, difference - allowed, -inf)
    worst = tuple(int(i) for i in np.unravel_index(int(excess.argmax()), excess.shape))
    largest = float(max(np.abs(found[kept]).max(), np.abs(expected[kept]).max()))
    relative = float(difference[worst] / largest) if largest else 0.0
    comparable = largest > _CLEAR * float(allowed[kept].min())
    floor = float(allowed[worst])
    return Comparison(
        worst, float(found[worst]), float(expected[worst]), relative, tolerance, largest, floor, comparable
    )


def _complex_step(function: Callable[[Array], Any], at: Floats) -> Floats | None:
    """Im f(x + ih) / h for each entry, or None if the function does not take complex numbers."""
    slopes = np.empty_like(at)
    for index in np.ndindex(at.shape):
        moved = at.astype(np.complex128)
        moved[index] += 1j * _COMPLEX_STEP
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")  # NumPy warns where it drops an imaginary part
                value = np.asarray(function(moved))
        except Exception:  # whatever a function says to complex numbers
            return None
        if value.ndim or value.dtype.kind != "c" or not np.isfinite(value):
            return None
        slopes[index] = value.imag / _COMPLEX_STEP
    return slopes


def _floats(operation: str, name: str, value: ArrayLike) -> Floats:
    """``value`` in float64."""
    floats = as_floats(operation, name, as_numbers(operation, name, value, None))
    with np.errstate(over="ignore"):
        return as_numbers(operation, f"{name}, in float64,", floats.astype(np.float64), None)


def _at_and_steps(operation: str, function: Function, at: ArrayLike, step: float | None) -> tuple[Floats, Floats]:
    """``at`` in float64, and the step for each of its entries."""
    _check_callable(operation, "function", function)
    array = as_numbers(operation, "at", at, None)
    if step is not None:
        step = as_positive(operation, "step", step)
    _refuse_other_floats(operation, "at", array.dtype)
    x = _floats(operation, "at", array)
    return x, np.maximum(_STEP, _RELATIVE_STEP * np.abs(x)) if step is None else np.full(x.shape, step)


def _check_takes(operation: str, name: str, function: Callable[..., Any], points: Sequence[Any]) -> None:
    """Refuse a function that cannot be called with so many arrays; of some that are not Python's nothing is known."""
    with suppress(ValueError):
        takes = signature(function)
        try:
            takes.bind(*points)
        except TypeError as error:
            raise TypeError(
                f"{operation}: {name} takes {takes}, at is {len(points)} array{'s' * (len(points) != 1)}; expected a "
                f"function of as many, in the order of at ({error})."
            ) from None


def _check_callable(operation: str, name: str, function: object) -> None:
    if not callable(function):
        raise TypeError(f"{operation}: {name} is {shown(function)}; expected a function, for example np.sum.")


def _check_moves(operation: str, at: Floats, steps: Floats) -> None:
    """Raise ``ValueError`` if rounding changes a step: where it is lost the difference is 0, whatever the function."""
    with np.errstate(over="ignore", invalid="ignore"):  # a step beyond all floats is lost as well
        moves = (at + steps) - at, at - (at - steps)
        lost = [~(np.abs(moved - steps) <= steps / 10) for moved in moves]
    if np.any(lost):
        sizes = np.where(lost[0] | lost[1], np.abs(at), 0)
        index = np.unravel_index(sizes.argmax(), at.shape)  # the largest: a step for it does for the others
        place = f"at{[int(i) for i in index]}" if index else "at"
        raise ValueError(
            f"{operation}: {place} is {at[index]:g}, where rounding to float64 changes a step of {steps[index]:g} by "
            f"more than a tenth; expected a larger step, for example step={_RELATIVE_STEP * sizes[index]:.0e}."
        )


def _refuse_other_floats(operation: str, what: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind == "f" and dtype != np.float64:
        raise TypeError(
            f"{operation}: {what} is of {dtype}; expected float64, as in fewer digits a difference of two close "
            f"values is mostly rounding error. Compute in float64: at.astype(np.float64), and parameters likewise."
        )


def _values_around(
    operation: str, function: Function, at: Floats, steps: Floats, forgiving: bool = False
) -> tuple[Floats, Floats]:
    """f(x − h) and f(x + h) for every entry of ``at``, as two arrays of its shape; if ``forgiving``, NaN for none."""
    minus, plus = np.empty_like(at), np.empty_like(at)
    for index in np.ndindex(at.shape):
        for values, moved_by in (minus, -steps[index]), (plus, steps[index]):
            moved = at.copy()
            moved[index] += moved_by
            try:
                values[index] = _value(operation, function, moved)
            except (ArithmeticError, ValueError):  # beyond a pole, or where there is no logarithm
                if not forgiving:
                    raise
                values[index] = np.nan
    return minus, plus


def _value(operation: str, function: Function, at: Floats) -> float:
    value = as_numbers(operation, "function(at)", function(at), None)
    if value.ndim:
        raise ValueError(
            f"{operation}: function(at) has shape {value.shape}; expected one number. "
            f"Sum it, or weight it with a delta: (delta * result).sum()."
        )
    _refuse_other_floats(operation, "function(at)", value.dtype)
    return float(as_floats(operation, "function(at)", value))
