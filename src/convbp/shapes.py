"""Output sizes, every check of what comes in and of what goes out, so that each such error is worded in one place.

Every message says the operation, what came, what is expected, and the likely remedy.

How the public functions and layers take their arguments, everywhere in the package:

* by position what an operation works on and what it needs: arrays, sizes, numbers of filters;
* by keyword alone how a window steps, ``stride``, ``padding`` and ``dilation``, as other libraries have another order;
* ``image`` is one grey picture with axes (H, W), ``inputs`` are those of a layer, (N, H, W, C), ``images`` those of a
  network; ``delta`` is the gradient of the error with respect to what the operation returned.
"""

import inspect
import math
import numbers
import operator
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Pair = tuple[int, int]
IntOrPair = int | Pair
Sides = tuple[Pair, Pair]
"""((top, bottom), (left, right))"""
Padding = IntOrPair | Sides | str
"""The same on all sides, (rows, columns), ((top, bottom), (left, right)) or "same"."""
_P = ParamSpec("_P")
_R = TypeVar("_R")

# What the axes of an array stand for, by the letter that a caller passes in ``axes``.
_HINTS = {
    "NHWC": "One grey image goes in as image[None, :, :, None], one colour image as image[None].",
    "klCD": "One grey image's filter goes in as kernel[:, :, None, None].",
    "D": "One number per filter, also where there is only one.",
    "NIJD": "One delta map goes in as delta[None, :, :, None].",
    "NIJC": "One delta map goes in as delta[None, :, :, None].",
    "HW": "One channel of one image is inputs[n, :, :, c].",
    "kl": "What one filter does to one channel is kernel[:, :, c, d].",
    "N": "One class per image; from one-hot rows: one_hot.argmax(axis=1).",
}


LARGEST_SIZE = 2**31 - 1  # along one axis; a stride beyond it would not even fit into NumPy's strides
MOST_ENTRIES = 2**40  # of one array


class NotFiniteError(ValueError):
    """An entry is NaN or infinite where a finite number is expected."""


def steps_by_keyword(call: Callable[_P, _R]) -> Callable[_P, _R]:
    """Say in which order the arguments of ``call`` stand where too many come by position: other libraries have others.

    Of a layer's ``__init__`` it is the order of the layer's own.
    """
    parameters = list(inspect.signature(call).parameters.values())
    by_position = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    own = [str(p.replace(annotation=p.empty)) for p in parameters if p.kind is p.KEYWORD_ONLY]
    of_layer = by_position[0] == "self"
    order = ", ".join([*by_position[of_layer:], "*", *own])

    @wraps(call)
    def checked(*arguments: _P.args, **named: _P.kwargs) -> _R:
        if len(arguments) > len(by_position):
            name = type(arguments[0]).__name__ if of_layer else call.__name__
            raise TypeError(
                f"{name}: {len(arguments) - of_layer} arguments came by position; expected "
                f"{len(by_position) - of_layer} at most, in the order {name}({order}). How the window steps is said "
                f"by name"
                + (", and how many channels the inputs have is not said." if "filters" in by_position else ".")
            )
        return call(*arguments, **named)

    return checked


def as_numbers(operation: str, name: str, value: object, axes: str | None) -> Array:
    """Return ``value`` as an array of real, finite numbers with one axis per letter of ``axes``.

    With ``axes=None`` it may have any number of axes.

    Booleans become integers, so that masks can be used as images; every other dtype is kept. An array
    of ``object`` dtype may hold Python integers, ``fractions.Fraction`` or anything else that adds and
    multiplies.

    Raises
    ------
    TypeError
        If the entries are not real numbers.
    ValueError
        If the number of axes is wrong, the array is empty or ragged, an entry is NaN or infinite, or hidden by the
        mask of a masked array.
    """
    if hides_entries(value):
        raise ValueError(
            f"{operation}: {name} is a masked array that hides entries; expected a number for each. "
            f"Say which: {name}.filled(0)."
        )
    try:
        array: Array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{operation}: {name} is a nested list with rows of different lengths; "
            f"expected {_kind(axes)}. Give every row the same number of entries."
        ) from None
    if array.dtype.kind == "f" and isinstance(value, list | tuple):
        array = _as_given(array, value)
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    elif array.dtype.kind == "O":
        array = _as_python(array)
    if array.dtype.kind not in "iufO" or (array.dtype.kind == "O" and not all(map(_is_number, array.flat))):
        raise TypeError(
            f"{operation}: {name} has entries of type {entry_type(array)}; expected real numbers "
            f"(integers, floats or Fractions). Convert it first, for example with "
            f"np.asarray({name}, dtype={'int' if axes == 'N' else 'float'})."
        )
    if axes is not None and array.ndim != len(axes):
        hint = _HINTS.get(axes, f"Check which axis of {name} is missing or one too many.")
        if axes in ("HW", "kl") and array.ndim < 2:
            hint = "A single row is [[1, 2, 3]], a single number [[1]]."
        raise ValueError(
            f"{operation}: {name} has shape {array.shape}, which is {_count(array.ndim, 'axis', 'axes')}; "
            f"expected {_count(len(axes), 'axis', 'axes')} ({_letters(axes)}). {hint}"
        )
    if array.size == 0:
        raise ValueError(
            f"{operation}: {name} is empty, its shape is {array.shape}; expected at least one entry along "
            f"every axis of {_kind(axes)}. Check the slice that made it."
        )
    if not is_finite(array):
        raise NotFiniteError(
            f"{operation}: {name} has an entry that is NaN or infinite; expected finite numbers. "
            f"np.argwhere(~np.isfinite({name})) shows where."
        )
    return array


def as_floats(operation: str, name: str, array: Array) -> Array:
    """Return numbers for an operation that leaves the integers and Fractions: as float64 unless they are floats.

    Raises
    ------
    TypeError
        If an entry is no number to Python's ``float``.
    ValueError
        If it is beyond all floats.
    """
    if array.dtype.kind == "f":
        return array
    try:
        floats = array.astype(np.float64)
    except OverflowError:
        floats = np.array(math.inf)
    except (TypeError, ValueError):
        raise TypeError(
            f"{operation}: {name} has entries of type {entry_type(array)}, which are no floats; expected real numbers."
        ) from None
    if not is_finite(floats):
        raise NotFiniteError(
            f"{operation}: {name} has an entry beyond all floats, which end at 1.8e308; expected smaller numbers. "
            f"Divide by the largest."
        )
    return floats


def widened(array: Array) -> Array:
    """Return ``array`` for a sum or a divisor that could exceed 65504, the largest number of float16: as float32."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def in_one_dtype(terms: int, *arrays: Array) -> tuple[Array, ...]:
    """Bring the arrays to one dtype in which what is computed of them is exact if they are.

    That is a sum of up to ``terms`` products of the first two arrays (entries, if there is one array only), plus
    an entry of each further array.

    Integers go to int64, or to Python's own where even int64 could overflow: NumPy would wrap in silence.
    """
    dtype = np.result_type(*arrays)
    if all(array.dtype.kind in "iu" for array in arrays):
        largest = [max(int(array.max()), -int(array.min()), 1) for array in arrays]
        most = terms * math.prod(largest[:2]) + sum(largest[2:])
        dtype = np.dtype(np.int64 if most <= np.iinfo(np.int64).max else object)
    return tuple(as_objects(array) if dtype.kind == "O" else array.astype(dtype, copy=False) for array in arrays)


def as_objects(array: Array) -> Array:
    """Return ``array`` with Python's own numbers for entries, where a long double is a Fraction, as Python has none."""
    return _as_python(array.astype(object))


def computed(operation: str, compute: Callable[..., Any], *arrays: Array) -> Array:
    """Return ``compute(*arrays)`` as an array of finite numbers; float16 is computed in float32, for its sums.

    Raises
    ------
    TypeError
        If the entries are of kinds that Python does not add, multiply or compare with each other.
    ValueError
        If a result is too large for its dtype.
    """
    narrow = {array.dtype for array in arrays if array.dtype.kind not in "iu"} == {np.dtype(np.float16)}
    try:
        with np.errstate(all="ignore"):  # what is not finite is found without NumPy's warnings
            result: Array = np.asarray(compute(*map(widened, arrays)))
            if narrow and result.dtype == np.float32:
                result = result.astype(np.float16)
    except TypeError as error:
        raise TypeError(
            f"{operation}: the entries are of kinds that do not go together ({error}); expected integers, floats and "
            f"Fractions. Convert all arrays to one kind first, for example with np.asarray(…, dtype=float)."
        ) from error
    except ArithmeticError as error:
        raise _too_large(operation, "a float") from error
    if not is_finite(result):
        raise _too_large(operation, str(result.dtype) if result.dtype != object else "a float")
    return result


def _too_large(operation: str, dtype: str) -> NotFiniteError:
    wider = {"float16": "float32", "float32": "float64"}.get(dtype)
    hint = f"Compute in {wider}: inputs.astype(np.{wider})" if wider else "Divide the numbers by the largest"
    return NotFiniteError(f"{operation}: a result is too large for {dtype}; expected smaller numbers. {hint}.")


def is_finite(array: Array) -> bool:
    """Whether no entry is NaN or infinite."""
    if array.dtype.kind in "iu":
        return True
    if array.dtype.kind == "O":
        return all(map(_is_finite_object, array.flat))
    # A NaN or an infinity survives the sum of squares, which is one fast pass; a sum that overflows is looked at again.
    return bool(np.isfinite(np.vdot(array, array)) or np.isfinite(array).all())


def as_pair(operation: str, name: str, value: object, minimum: int) -> Pair:
    """Return ``value``, an integer or a pair of integers (rows, columns), as a pair of at least ``minimum``."""
    if type(value) is int and minimum <= value <= LARGEST_SIZE:  # nearly always, and a network asks often
        return value, value
    entries: Any = value.tolist() if isinstance(value, np.ndarray) else value
    is_pair = isinstance(entries, tuple | list) and len(entries) == 2
    first, second = map(_as_integer, entries if is_pair else (entries, entries))
    if first is None or second is None:
        raise TypeError(
            f"{operation}: {name} is {shown(value)}; expected an integer or a pair of integers (rows, columns), "
            f"for example {name}={max(minimum, 1)} or {name}=({max(minimum, 1)}, 2)."
        )
    if min(first, second) < minimum:
        raise ValueError(
            f"{operation}: {name} is {shown(value)}; expected at least {minimum}"
            + (" along both axes." if is_pair else ".")
            + f" {name}={minimum} is the smallest that has a meaning."
        )
    if max(first, second) > LARGEST_SIZE:
        raise ValueError(f"{operation}: {name} is {shown(value)}; expected at most {LARGEST_SIZE} pixels.")
    return first, second


def as_count(operation: str, name: str, value: object, minimum: int = 1, maximum: int | None = None) -> int:
    """Return ``value``, an integer of at least ``minimum``: it counts something, or is a seed."""
    number = _as_integer(value)
    if number is None:
        raise TypeError(f"{operation}: {name} is {shown(value)}; expected an integer, for example {name}=8.")
    if number < minimum:
        raise ValueError(f"{operation}: {name} is {shown(value)}; expected at least {minimum}.")
    if maximum is not None and number > maximum:
        raise ValueError(f"{operation}: {name} is {shown(value)}; expected at most {maximum}.")
    return number


def as_size(operation: str, name: str, value: object) -> int:
    """Return ``value``, the size of an axis."""
    return as_count(operation, name, value, maximum=LARGEST_SIZE)


def as_real(operation: str, name: str, value: object, expected: str, fits: Callable[[float], bool]) -> float:
    """Return ``value`` as a float of Python's for which ``fits`` holds; ``expected`` says which these are."""
    message = f"{operation}: {name} is {shown(value)}; expected a {expected}."
    if not isinstance(value, numbers.Real) or isinstance(value, bool | np.timedelta64):
        raise TypeError(message)
    try:
        number = float(value)
    except OverflowError:  # an integer or a Fraction beyond all floats
        number = math.inf
    if not (math.isfinite(number) and fits(number)):
        raise ValueError(message)
    return number


def as_positive(operation: str, name: str, value: object, *, or_zero: bool = False) -> float:
    """Return ``value``, a positive finite number or, with ``or_zero``, 0, as a float: a step or a tolerance."""
    expected = f"positive number{' or 0' if or_zero else ''} that is finite, for example {name}=1e-5"
    return as_real(operation, name, value, expected, lambda x: x > 0 or (or_zero and x == 0))


def as_steps(
    operation: str, stride: object, padding: object, dilation: object
) -> tuple[Pair, Pair | Sides | Literal["same"], Pair]:
    """Return stride and dilation as pairs (rows, columns) of at least 1, and padding as it may be written.

    That is "same", a pair of at least 0, or such a pair ((top, bottom), (left, right)) of pairs.
    """
    return (
        as_pair(operation, "stride", stride, 1),
        _as_padding(operation, padding),
        as_pair(operation, "dilation", dilation, 1),
    )


def _as_padding(operation: str, padding: object) -> Pair | Sides | Literal["same"]:
    if isinstance(padding, str):
        if padding != "same":
            raise ValueError(
                f"{operation}: padding is {shown(padding)}; expected 'same', a number of pixels, (rows, columns) or "
                f"((top, bottom), (left, right)). Without padding it is 0."
            )
        return "same"
    entries: Any = padding.tolist() if isinstance(padding, np.ndarray) else padding
    if isinstance(entries, tuple | list) and len(entries) == 2 and all(isinstance(e, tuple | list) for e in entries):
        return as_pair(operation, "padding[0]", entries[0], 0), as_pair(operation, "padding[1]", entries[1], 0)
    return as_pair(operation, "padding", padding, 0)


def placed(
    operation: str, input_size: Pair, kernel_size: Pair, stride: object, padding: object, dilation: object
) -> tuple[Pair, Pair, Sides, Pair]:
    """How many places the kernel has, with stride, padding ((top, bottom), (left, right)) and dilation as they count.

    Padding "same" makes them ceil(n / stride): it puts max((places − 1)·s + d(k − 1) + 1 − n, 0) rows of zeros around,
    half of them above, and one more below if their number is odd: with even kernels and with a stride it may be.

    Raises
    ------
    TypeError, ValueError
        As `as_steps` and `output_size` do.
    """
    steps, pads, spread = as_steps(operation, stride, padding, dilation)
    if pads == "same":
        sizes = zip(input_size, kernel_size, steps, spread, strict=True)
        missing = [max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0) for n, k, s, d in sizes]
        rows, columns = ((count // 2, count - count // 2) for count in missing)
    else:
        rows, columns = (side if isinstance(side, tuple) else (side, side) for side in pads)
    return (
        output_size(operation, input_size, kernel_size, steps, (rows, columns), spread),
        steps,
        (rows, columns),
        spread,
    )


def as_window(operation: str, size: object, stride: object, padding: object) -> tuple[Pair, Pair, Pair]:
    """Return size, stride and padding of a pooling window as pairs (rows, columns).

    ``stride=None`` is the size. Padding is at most half the size, so that every window holds an entry of
    the inputs: a window of nothing but padding has no maximum.
    """
    window = as_pair(operation, "size", size, 1)
    steps = window if stride is None else as_pair(operation, "stride", stride, 1)
    pads = as_pair(operation, "padding", padding, 0)
    if any(2 * p > k for p, k in zip(pads, window, strict=True)):
        raise ValueError(
            f"{operation}: padding is {shown(padding)} and the window is {_by(window)}; expected a padding of at most "
            f"half the window, or a window could hold nothing but padding. "
            f"Use padding={tuple(k // 2 for k in window)} or less."
        )
    return window, steps, pads


def output_size(
    operation: str,
    input_size: tuple[int, int],
    kernel_size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: Pair | Sides = (0, 0),
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int]:
    """How many places the window has, (rows, columns): ``floor((n + 2p − d(k − 1) − 1) / s) + 1`` along each axis.

    Where the padding of an axis is a pair, its sum stands for 2p.

    With stride 1, no padding and no dilation this is (H − k₁ + 1, W − k₂ + 1), the size of the map in
    the article's Eq. 10.

    Raises
    ------
    ValueError
        If the window does not fit even once.
    """
    (h, w), (k1, k2), (s1, s2), (d1, d2) = input_size, kernel_size, stride, dilation
    p1, p2 = map(_on_both_sides, padding)
    reach = d1 * (k1 - 1) + 1, d2 * (k2 - 1) + 1
    padded = h + p1, w + p2
    if reach[0] > padded[0] or reach[1] > padded[1]:
        spread = f", spread by dilation to {_by(reach)}," if reach != tuple(kernel_size) else ""
        padding_note = f", padded to {_by(padded)}" if p1 or p2 else ""
        raise ValueError(
            f"{operation}: the kernel or window is {_by(kernel_size)}{spread} and does not fit into the input of "
            f"{_by(input_size)}{padding_note}; expected a window no larger than the input. "
            f"Use a smaller one, or add zeros around the input: mode='full' for two arrays, padding=… for a layer."
        )
    places = (padded[0] - reach[0]) // s1 + 1, (padded[1] - reach[1]) // s2 + 1
    check_entries(operation, "the output", places)
    return places


def transposed_size(
    operation: str,
    places: Pair,
    kernel_size: Pair,
    stride: object,
    padding: object,
    output_padding: object,
    dilation: object,
) -> Pair:
    """The size of the input on which a kernel has so many ``places``, with ``output_padding`` rows and columns over.

    Raises
    ------
    TypeError, ValueError
        As `as_steps` does; or if the padding is "same", the output padding not less than the stride, or nothing left.
    """
    steps, pads, spread = as_steps(operation, stride, padding, dilation)
    if pads == "same":
        raise ValueError(
            f"{operation}: padding is 'same'; expected numbers of pixels. Which they are follows from the size of what "
            f"comes out, and that is what is asked for."
        )
    over = as_pair(operation, "output_padding", output_padding, 0)
    if over[0] >= steps[0] or over[1] >= steps[1]:
        raise ValueError(
            f"{operation}: output_padding is {shown(output_padding)} and stride is {shown(stride)}; expected less than "
            f"the stride. As many rows or columns left over would be another place of the kernel."
        )
    sizes = zip(places, kernel_size, steps, map(_on_both_sides, pads), spread, over, strict=True)
    rows, columns = ((n - 1) * s - p + d * (k - 1) + 1 + o for n, k, s, p, d, o in sizes)
    if min(rows, columns) < 1:
        raise ValueError(
            f"{operation}: the output would be {rows}×{columns}; expected at least one row and column. "
            f"Use less padding."
        )
    return rows, columns


def _on_both_sides(padding: IntOrPair) -> int:
    """What is padded along an axis in all."""
    return sum(padding) if isinstance(padding, tuple) else 2 * padding


def check_entries(operation: str, what: str, shape: Sequence[int]) -> None:
    """Raise ``ValueError`` if an array of ``shape`` would have more entries than any memory holds."""
    if math.prod(shape) > MOST_ENTRIES:
        raise ValueError(
            f"{operation}: {what} would be {_by(shape)}, more numbers than fit into memory; expected at most "
            f"{MOST_ENTRIES}. Use a larger stride, less padding or smaller sizes."
        )


def check_size(operation: str, name: str, came: tuple[int, ...], expected: tuple[int, ...], hint: str) -> None:
    """Raise ``ValueError`` unless the shape ``came`` is the shape ``expected``; ``hint`` says where it follows from."""
    if tuple(came) != tuple(expected):
        raise ValueError(f"{operation}: {name} has shape {tuple(came)}; expected {tuple(expected)}. {hint}")


def check_delta(operation: str, delta: np.ndarray, places: tuple[int, int, int]) -> None:
    """Raise ``ValueError`` unless ``delta`` has the shape (N, H', W') = ``places`` and any number of filters."""
    hint = "It is the gradient for what conv2d returns, with the same stride, padding and dilation."
    check_size(operation, "delta", delta.shape, (*places, delta.shape[3]), hint)


def check_mode(operation: str, mode: object) -> None:
    """Raise ``ValueError`` unless ``mode`` is "valid" or "full"."""
    if not (isinstance(mode, str) and mode in ("valid", "full")):
        raise ValueError(
            f"{operation}: mode is {shown(mode)}; expected 'valid' or 'full'. "
            f"'valid' keeps the kernel inside the image, 'full' lets it stand over the border."
        )


def as_groups(operation: str, groups: object, **sizes: int) -> int:
    """Return ``groups``, a number that divides each of the ``sizes``, which are those of channels or filters."""
    count = as_count(operation, "groups", groups)
    for letter, size in sizes.items():
        if size % count:
            raise ValueError(
                f"{operation}: groups is {count} and {letter} = {size}; expected a number of groups that divides it. "
                f"Each group has as many channels, and as many filters, as every other."
            )
    return count


def check_channels(operation: str, name: str, array: Array, kernel: Array, letter: str = "C", groups: int = 1) -> None:
    """Raise ``ValueError`` unless ``array`` has as many channels, C, or filters, D, as the kernel has.

    A kernel with ``groups`` has the channels of one of them.
    """
    own, other = {"C": (2, 1), "D": (3, 0)}[letter]  # their axis in (k1, k2, C, D), and in the order (D, C, k1, k2)
    came, expected = array.shape[3], kernel.shape[own] * (groups if letter == "C" else 1)
    if came == expected:
        return
    if groups > 1 and letter == "C":
        raise ValueError(
            f"{operation}: {name} have C = {came} and kernel has {kernel.shape[2]} channels for each of {groups} "
            f"groups; expected C = {expected}. A kernel with groups has the shape (k1, k2, C / groups, D)."
        )
    in_order = f"{name}.transpose(0, 2, 3, 1)" if array.shape[1] in (expected, kernel.shape[other]) else ""
    kernel_in_order = "kernel.transpose(2, 3, 1, 0)" if kernel.shape[other] in (came, array.shape[1]) else ""
    if array.shape[1] == expected:  # one of the two is enough
        kernel_in_order = ""
    elif kernel.shape[other] == came:
        in_order = ""
    hint = " and ".join(filter(None, (in_order, kernel_in_order)))
    have = "has" if name == "delta" else "have"
    raise ValueError(
        f"{operation}: {name} {have} {letter} = {came} but kernel has {letter} = {expected}; expected the same number. "
        f"Inputs are (N, H, W, C), kernels (k1, k2, C, D), deltas (N, H', W', D): channels stand last."
        + (f" From channels first: {hint}." if hint else "")
    )


def _kind(axes: str | None) -> str:
    return f"an array with axes ({_letters(axes)})" if axes else "an array"


def _letters(axes: str) -> str:
    names = {"I": "H'", "J": "W'", "k": "k1", "l": "k2"}
    return ", ".join(names.get(letter, letter) for letter in axes)


def _by(size: Sequence[int]) -> str:
    return "×".join(str(n) for n in size)


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def shown(value: object) -> str:
    """``value`` as a message shows it: in one line that is not long, whatever it is."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of more digits than Python writes, or an object that cannot say what it is
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:60]}…{text[-15:]}"


def entry_type(array: Array) -> str:
    """What the entries of ``array`` are, for a message: of objects the first that is not a number, if there is one."""
    if array.dtype.kind == "O" and array.size:
        entries = list(array.flat)
        return type(next((entry for entry in entries if not _is_number(entry)), entries[0])).__name__
    return "str" if array.dtype.kind in "US" else str(array.dtype)


def _as_integer(value: object) -> int | None:
    """``value`` as an integer of Python's, or None if it is none; True and False count nothing."""
    if isinstance(value, bool | np.bool_) or (isinstance(value, np.ndarray) and value.dtype == bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]  # that is what is tried
    except TypeError:
        return None


def _is_number(entry: object) -> bool:
    """Whether the entry of an array of objects adds and multiplies, and is real as far as one can tell."""
    if type(entry) in (int, float, Fraction):
        return True
    if isinstance(entry, np.ndarray | np.generic) or (
        isinstance(entry, numbers.Complex) and not isinstance(entry, numbers.Real)
    ):
        return False
    try:
        entry * 1 + 0  # type: ignore[operator]  # that is what is tried
    except TypeError:
        return False
    except ArithmeticError:  # a signalling NaN, which is a number by its kind
        return True
    return True


def _is_finite_object(entry: object) -> bool:
    if type(entry) in (int, Fraction):
        return True
    if isinstance(entry, Decimal):  # a large one is finite, and infinite as a float
        return entry.is_finite()
    try:
        return math.isfinite(entry)  # type: ignore[arg-type]  # that is what is tried
    except (TypeError, OverflowError):  # a symbol, or larger than any float
        return True


def _as_given(array: Array, value: Iterable[object]) -> Array:
    """Keep a list of integers that NumPy has rounded: it makes floats of small ones beside some from 2⁶³ on."""
    objects = np.asarray(value, dtype=object)
    return objects if all(isinstance(entry, numbers.Integral) for entry in objects.flat) and array.size else array


def _as_python(array: Array) -> Array:
    """Replace NumPy's numbers among the objects by Python's: an np.int64 would overflow in silence among them too."""
    if any(isinstance(entry, np.generic | bool) for entry in array.flat):
        array = array.copy()
        for index, entry in np.ndenumerate(array):
            array[index] = _in_python(entry)
    return array


def _in_python(entry: object) -> object:
    if isinstance(entry, np.longdouble):  # to multiply one by a Fraction ends the interpreter
        return Fraction(*entry.as_integer_ratio()) if np.isfinite(entry) else float(entry)
    if isinstance(entry, bool | np.bool_):
        return int(entry)
    return entry.item() if isinstance(entry, np.number) and not isinstance(entry, np.timedelta64) else entry


def hides_entries(value: object) -> bool:
    """Whether ``value`` is a masked array with an entry that does not count, or has one in its lists."""
    if isinstance(value, np.ndarray):  # not by its class: to name that would import numpy.ma
        return hasattr(value, "mask") and bool(np.any(value.mask))
    return isinstance(value, list | tuple) and any(map(hides_entries, value))
