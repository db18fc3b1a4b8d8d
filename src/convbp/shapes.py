"""Output sizes and every check of what comes in, so that each such error is worded in one place.

Every message says the operation, what came, what is expected, and the likely mend.
"""

import math
import numbers
from collections.abc import Iterable, Sequence

import numpy as np

# What the axes of an array stand for, by the letter that a caller passes in ``axes``.
_MENDS = {
    "NHWC": "One grey image goes in as image[None, :, :, None], one colour image as image[None].",
    "klCD": "One grey image's filter goes in as kernel[:, :, None, None].",
    "D": "One number per filter, also where there is only one.",
    "NIJD": "One delta map goes in as delta[None, :, :, None].",
    "NIJC": "One delta map goes in as delta[None, :, :, None].",
    "HW": "One channel of one image is inputs[n, :, :, c].",
    "kl": "What one filter does to one channel is kernel[:, :, c, d].",
    "N": "One class per image; from one-hot rows: one_hot.argmax(axis=1).",
}


class NotFiniteError(ValueError):
    """An entry is NaN or infinite where a finite number is expected."""


def as_numbers(operation: str, name: str, value: object, axes: str | None) -> np.ndarray:
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
        If the number of axes is wrong, the array is empty or ragged, or an entry is NaN or infinite.
    """
    try:
        array = np.asarray(value)
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
    if array.dtype.kind not in "iufO" or (array.dtype.kind == "O" and not _adds_and_multiplies(array.flat)):
        raise TypeError(
            f"{operation}: {name} has entries of type {_entry_type(array)}; expected real numbers "
            f"(integers, floats or Fractions). Convert it first, for example with "
            f"np.asarray({name}, dtype={'int' if axes == 'N' else 'float'})."
        )
    if axes is not None and array.ndim != len(axes):
        mend = _MENDS.get(axes, f"Check which axis of {name} is missing or one too many.")
        if axes in ("HW", "kl") and array.ndim < 2:
            mend = "A single row is [[1, 2, 3]], a single number [[1]]."
        raise ValueError(
            f"{operation}: {name} has shape {array.shape}, which is {_count(array.ndim, 'axis', 'axes')}; "
            f"expected {_count(len(axes), 'axis', 'axes')} ({_letters(axes)}). {mend}"
        )
    if array.size == 0:
        raise ValueError(
            f"{operation}: {name} is empty, its shape is {array.shape}; expected at least one entry along "
            f"every axis of {_kind(axes)}. Check the slice that made it."
        )
    if not _all_finite(array):
        raise NotFiniteError(
            f"{operation}: {name} has an entry that is NaN or infinite; expected finite numbers. "
            f"np.argwhere(~np.isfinite({name})) shows where."
        )
    return array


def as_floats(array: np.ndarray) -> np.ndarray:
    """Return ``array`` for an operation that leaves the integers and Fractions: as float64 unless it is of floats."""
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def widened(array: np.ndarray) -> np.ndarray:
    """Return ``array`` for a sum or a divisor that could exceed 65504, the largest number of float16: as float32."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def exact(terms: int, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Bring the arrays to one dtype in which what is computed of them is exact if they are.

    That is a sum of up to ``terms`` products of the first two arrays (entries, if there is one array only), plus
    an entry of each further array.

    Integers go to int64, or to Python's own where even int64 could overflow: NumPy would wrap in silence.
    """
    dtype = np.result_type(*arrays)
    if all(array.dtype.kind in "iu" for array in arrays):
        largest = [max(int(array.max()), -int(array.min()), 1) for array in arrays]
        product, *addend = np.prod(largest[:2], dtype=object), *largest[2:]
        dtype = np.int64 if terms * product + sum(addend) <= np.iinfo(np.int64).max else object
    return tuple(array.astype(dtype, copy=False) for array in arrays)


def as_pair(operation: str, name: str, value: object, minimum: int) -> tuple[int, int]:
    """Return ``value``, an integer or a pair of integers (rows, columns), as a pair of at least ``minimum``."""
    if type(value) is int and value >= minimum:  # nearly always, and a network asks often
        return value, value
    entries = value.tolist() if isinstance(value, np.ndarray) else value
    is_pair = isinstance(entries, tuple | list) and len(entries) == 2
    pair = tuple(entries) if is_pair else (entries, entries)
    if not all(isinstance(v, numbers.Integral) and not isinstance(v, bool | np.bool_) for v in pair):
        raise TypeError(
            f"{operation}: {name} is {value!r}; expected an integer or a pair of integers (rows, columns), "
            f"for example {name}={max(minimum, 1)} or {name}=({max(minimum, 1)}, 2)."
        )
    if min(pair) < minimum:
        raise ValueError(
            f"{operation}: {name} is {value!r}; expected at least {minimum}"
            + (" along both axes." if is_pair else ".")
            + f" {name}={minimum} is the smallest that has a meaning."
        )
    return int(pair[0]), int(pair[1])


def as_count(operation: str, name: str, value: object, minimum: int = 1) -> int:
    """Return ``value``, an integer of at least ``minimum``: it counts something, or is a seed."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool | np.bool_):
        raise TypeError(f"{operation}: {name} is {value!r}; expected an integer, for example {name}=8.")
    if value < minimum:
        raise ValueError(f"{operation}: {name} is {value!r}; expected at least {minimum}.")
    return int(value)


def as_positive(operation: str, name: str, value: object, *, or_zero: bool = False) -> float:
    """Return ``value``, a positive finite number or, with ``or_zero``, 0, as a float: a step or a tolerance."""
    expected = f"expected a positive number{' or 0' if or_zero else ''} that is finite, for example {name}=1e-5."
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{operation}: {name} is {value!r}; {expected}")
    try:
        number = float(value)
    except OverflowError:  # an integer or a Fraction beyond all floats
        number = math.inf
    if not (0 < number < math.inf or (or_zero and value == 0)):
        raise ValueError(f"{operation}: {name} is {value!r}; {expected}")
    return number


def as_steps(operation: str, stride: object, padding: object, dilation: object) -> tuple[tuple[int, int], ...]:
    """Return the three as pairs (rows, columns), stride and dilation at least 1, padding at least 0."""
    return (
        as_pair(operation, "stride", stride, 1),
        as_pair(operation, "padding", padding, 0),
        as_pair(operation, "dilation", dilation, 1),
    )


def as_window(
    operation: str, size: object, stride: object, padding: object
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Return size, stride and padding of a pooling window as pairs (rows, columns).

    ``stride=None`` is the size. Padding is at most half the size, so that every window holds an entry of
    the inputs: a window of nothing but padding has no maximum.
    """
    size = as_pair(operation, "size", size, 1)
    stride = size if stride is None else as_pair(operation, "stride", stride, 1)
    pads = as_pair(operation, "padding", padding, 0)
    if any(2 * p > k for p, k in zip(pads, size, strict=True)):
        raise ValueError(
            f"{operation}: padding is {padding!r} and the window is {_by(size)}; expected a padding of at most "
            f"half the window, or a window could hold nothing but padding. "
            f"Use padding={tuple(k // 2 for k in size)} or less."
        )
    return size, stride, pads


def output_size(
    operation: str,
    input_size: tuple[int, int],
    kernel_size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
) -> tuple[int, int]:
    """How many places the window has, (rows, columns): ``floor((n + 2p − d(k − 1) − 1) / s) + 1`` along each axis.

    With stride 1, no padding and no dilation this is (H − k₁ + 1, W − k₂ + 1), the size of the map in
    the article's Eq. 10.

    Raises
    ------
    ValueError
        If the window does not fit even once.
    """
    (h, w), (k1, k2), (s1, s2), (p1, p2), (d1, d2) = input_size, kernel_size, stride, padding, dilation
    reach = d1 * (k1 - 1) + 1, d2 * (k2 - 1) + 1
    padded = h + 2 * p1, w + 2 * p2
    if reach[0] > padded[0] or reach[1] > padded[1]:
        spread = f", spread by dilation to {_by(reach)}," if reach != tuple(kernel_size) else ""
        padding_note = f", padded to {_by(padded)}" if any(padding) else ""
        raise ValueError(
            f"{operation}: the kernel or window is {_by(kernel_size)}{spread} and does not fit into the input of "
            f"{_by(input_size)}{padding_note}; expected a window no larger than the input. "
            f"Use a smaller one, or add zeros around the input: mode='full' for two arrays, padding=… for a layer."
        )
    return (padded[0] - reach[0]) // s1 + 1, (padded[1] - reach[1]) // s2 + 1


def check_size(operation: str, name: str, came: tuple[int, ...], expected: tuple[int, ...], mend: str) -> None:
    """Raise ``ValueError`` unless the shape ``came`` is the shape ``expected``; ``mend`` says where it follows from."""
    if tuple(came) != tuple(expected):
        raise ValueError(f"{operation}: {name} has shape {tuple(came)}; expected {tuple(expected)}. {mend}")


def check_delta(operation: str, delta: np.ndarray, places: tuple[int, int, int]) -> None:
    """Raise ``ValueError`` unless ``delta`` has the shape (N, H', W') = ``places`` and any number of filters."""
    mend = "It is the gradient for what conv2d returns, with the same stride, padding and dilation."
    check_size(operation, "delta", delta.shape, (*places, delta.shape[3]), mend)


def check_mode(operation: str, mode: object) -> None:
    """Raise ``ValueError`` unless ``mode`` is "valid" or "full"."""
    if mode not in ("valid", "full"):
        raise ValueError(
            f"{operation}: mode is {mode!r}; expected 'valid' or 'full'. "
            f"'valid' keeps the kernel inside the image, 'full' lets it stand over the border."
        )


def check_channels(operation: str, first: str, first_channels: int, second: str, second_channels: int) -> None:
    """Raise ``ValueError`` unless two arrays agree in their number of channels (or filters)."""
    if first_channels != second_channels:
        raise ValueError(
            f"{operation}: {first} {first_channels} but {second} {second_channels}; expected the same number. "
            f"Inputs are (N, H, W, C), kernels (k1, k2, C, D), deltas (N, H', W', D): channels stand last."
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


def _entry_type(array: np.ndarray) -> str:
    if array.dtype.kind == "O" and array.size:
        return next(type(entry).__name__ for entry in array.flat if not _adds_and_multiplies([entry]))
    return "str" if array.dtype.kind in "US" else str(array.dtype)


def _adds_and_multiplies(entries: Iterable) -> bool:
    for entry in entries:
        if isinstance(entry, complex | np.ndarray):
            return False
        try:
            entry * 1 + 0
        except TypeError:
            return False
    return True


def _as_given(array: np.ndarray, value: list | tuple) -> np.ndarray:
    """Keep a list of integers that NumPy has rounded: it makes floats of small ones beside some from 2⁶³ on."""
    objects = np.asarray(value, dtype=object)
    return objects if all(isinstance(entry, numbers.Integral) for entry in objects.flat) and array.size else array


def _as_python(array: np.ndarray) -> np.ndarray:
    """Replace NumPy's numbers among the objects by Python's: an np.int64 would overflow in silence among them too."""
    if any(isinstance(entry, np.generic) for entry in array.flat):
        array = array.copy()
        for index, entry in np.ndenumerate(array):
            array[index] = entry.item() if isinstance(entry, np.generic) else entry
    return array


def _all_finite(array: np.ndarray) -> bool:
    if array.dtype.kind in "iu":
        return True
    if array.dtype.kind == "O":
        return not any(isinstance(entry, float | np.floating) and not np.isfinite(entry) for entry in array.flat)
    # A NaN or an infinity survives the sum of squares, which is one fast pass; a sum that overflows is looked at again.
    return bool(np.isfinite(np.vdot(array, array)) or np.isfinite(array).all())
