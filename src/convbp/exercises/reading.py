"""Reads what a reader hands in as an array of numbers, or says why it is none.

Whatever it is, it is looked at with care: its size before its entries, and each of its own methods may fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutine

import numpy as np

from convbp.shapes import hides_entries

LARGEST = 100_000  # entries; every exercise is small
_DEEPEST = 8  # lists within lists
_MOST_PARTS = 4  # arrays that come back together, as in ``return dx, dw, db``

_TOLERANCES = {"float16": 1e-2, "float32": 1e-5}  # relative to the largest entry


class Unreadable(Exception):
    """Why it is not an array of numbers, as a sentence."""


@dataclass(frozen=True, eq=False)
class Answer:
    """An array of numbers as it was handed in.

    Attributes
    ----------
    values : ndarray of float64
    tolerance : float
        By how much it may differ from the right answer, relative to that one's largest entry, with its dtype.
    integers : bool
        Whether it was of integers.
    size_only : tuple of int, or None
        Its shape, where it was too large to be looked at; ``values`` is empty then.
    """

    values: np.ndarray
    tolerance: float = 1e-6
    integers: bool = False
    size_only: tuple[int, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape if self.size_only is None else self.size_only

    def equals(self, expected: np.ndarray, more: float = 1) -> bool:
        """Whether the shape is that of ``expected``, and every entry within the tolerance, NaN where it has NaN."""
        if self.shape != expected.shape:
            return False
        return bool(self.agrees(expected, more).all())

    def first_difference(self, expected: np.ndarray) -> tuple[int, ...]:
        """The index of the first entry that differs, in row-major order; for arrays of the same shape."""
        return tuple(int(n) for n in np.argwhere(~self.agrees(expected))[0])

    def agrees(self, expected: np.ndarray, more: float = 1) -> np.ndarray:
        """For each entry whether it is within the tolerance; for arrays of the same shape."""
        finite = expected[np.isfinite(expected)]
        largest = np.abs(finite).max(initial=0) or 1
        return np.isclose(self.values, expected, rtol=0, atol=more * self.tolerance * largest, equal_nan=True)


def read(value: object) -> Answer:
    """Return the value as an `Answer`.

    Raises
    ------
    Unreadable
        If it is not an array of numbers. Other exceptions come from methods of the value itself.
    """
    if value is None:
        raise Unreadable("Nothing came back (None): does your function end with return, followed by the result?")
    if value is Ellipsis or value is NotImplemented:
        raise Unreadable("Put your answer in the place of the three dots.")
    if iscoroutine(value):
        value.close()
    if isinstance(value, np.ndarray) and hides_entries(value):
        raise Unreadable("An array with masked entries came back; expected all: result.filled(0) has zeros there.")
    if isinstance(value, np.ndarray):
        if value.size > LARGEST:
            return Answer(np.empty(0), size_only=tuple(int(n) for n in value.shape))
    elif isinstance(value, list | tuple):
        _measure(value, LARGEST, _DEEPEST)
    elif isinstance(value, str | bytes | dict | set | frozenset) or not (
        isinstance(value, bool | int | float | np.generic) or hasattr(value, "__array__") or hasattr(value, "__float__")
    ):
        raise Unreadable(f"{_kind(value)} came back; expected numbers, as an array or in lists.")
    return _as_answer(value)


def read_parts(value: object) -> list[Answer | None]:
    """Each array of several things that came back together, as in ``return dx, dw``; None for what is no array."""
    if not (isinstance(value, list | tuple) and 2 <= len(value) <= _MOST_PARTS):
        return []
    if not any(isinstance(part, np.ndarray) for part in value):
        return []
    arrays = [isinstance(part, np.ndarray) and 0 < part.size <= LARGEST for part in value]
    return [_as_answer(part) if array else None for part, array in zip(value, arrays, strict=True)]


def plain(get: Callable[[], object], otherwise: str, longest: int = 200) -> str:
    """A text from outside, in one line and not too long, whatever trouble it makes."""
    try:
        text = " ".join(str(get()).split())
        return "".join(character if character.isprintable() else "·" for character in text)[:longest]
    except Exception:
        return otherwise


def _kind(value: object) -> str:
    name = plain(lambda: type(value).__name__, "something", 40)
    return f"A value of type {name}"


def _measure(value: list | tuple, room: int, depth: int) -> int:
    """How many numbers the lists hold; refuses what is too large, too deep, or holds itself."""
    if depth == 0:
        raise Unreadable(f"Lists within lists, more than {_DEEPEST} deep, came back; expected numbers in rows.")
    count = 0
    for entry in value:
        if isinstance(entry, range):
            raise Unreadable(f"{_kind(entry)} stands among the entries; expected numbers: its first and its last?")
        count += _measure(entry, room - count, depth - 1) if isinstance(entry, list | tuple) else 1
        if count > room:
            raise Unreadable(f"More than {LARGEST} numbers came back; that is too large for any answer here.")
    return count


def _as_answer(value: object) -> Answer:
    try:
        array = np.asarray(value)
    except ValueError:
        parts = value if isinstance(value, tuple | list) else []
        shapes = [part.shape for part in parts if isinstance(part, np.ndarray)]
        if 1 < len(shapes) == len(parts) <= _MOST_PARTS:
            listed = ", ".join(map(str, shapes[:-1]))
            raise Unreadable(
                f"{len(shapes)} arrays came back together, of shapes {listed} and {shapes[-1]}; expected one."
            ) from None
        if shapes and 1 < len(parts) <= _MOST_PARTS:
            raise Unreadable(
                f"{len(parts)} things came back together, and not all of them are arrays; expected one array."
            ) from None
        raise Unreadable("Lists with rows of different lengths came back; give every row the same length.") from None
    if array.size > LARGEST:
        return Answer(np.empty(0), size_only=array.shape)
    if array.dtype.kind == "O":
        return _from_objects(array)
    if array.dtype.kind == "c":
        raise Unreadable(f"Complex numbers ({array.dtype}) came back; expected real ones: result.real has those.")
    if array.dtype.kind not in "biuf":
        raise Unreadable(f"Entries of type {plain(lambda: array.dtype, '?', 40)} came back; expected real numbers.")
    return Answer(
        np.array(array, dtype=np.float64, subok=False),
        _TOLERANCES.get(array.dtype.name, Answer.tolerance),
        array.dtype.kind in "biu",
    )


def _from_objects(array: np.ndarray) -> Answer:
    """Fractions, integers beyond int64, or whatever else is a number to Python."""
    values = np.empty(array.shape, np.float64)
    for index, entry in np.ndenumerate(array):
        if entry is None or isinstance(entry, str | bytes | list | tuple | dict | np.ndarray):
            raise Unreadable(f"{_kind(entry)} stands among the entries; expected numbers.")
        try:
            values[index] = float(entry)
        except OverflowError:
            values[index] = np.inf
        except Exception:
            raise Unreadable(f"{_kind(entry)} stands among the entries; expected numbers.") from None
    return Answer(values)
