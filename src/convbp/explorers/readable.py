"""What a picture can show of a reader's own arrays: not too many numbers, and none that is too long."""

import numpy as np

from convbp.shapes import as_numbers

LARGEST_NUMBER = 10**15


def readable(explorer: str, name: str, array, largest: int = 16) -> np.ndarray:
    """Return a copy of a 2-D array, for a picture: nobody can change it, and its products do not overflow.

    Floats are taken in double precision, all else as Python's numbers.

    Parameters
    ----------
    explorer, name : str
        For messages: who asks for the array, and what it is called there.
    array : array_like, shape=(H, W)
    largest : int
        At most so many rows and columns.

    Raises
    ------
    TypeError, ValueError
        If it is not a 2-D array of finite real numbers, or one that could not be read.
    """
    array = as_numbers(explorer, name, array, "HW")
    if max(array.shape) > largest:
        raise ValueError(
            f"{explorer}: {name} has shape {array.shape}; expected at most {largest}×{largest}, "
            f"or its numbers could not be read. Show a part of it: {name}[:{largest}, :{largest}]."
        )
    array = array.astype(float if array.dtype.kind == "f" else object)
    if np.abs(array).max() > LARGEST_NUMBER:
        raise ValueError(
            f"{explorer}: {name} has an entry beyond ±{LARGEST_NUMBER:.0e}; expected smaller ones, "
            f"or its numbers could not be read. Divide {name} by a power of ten."
        )
    array.setflags(write=False)
    return array


def one_of(explorer: str, name: str, value, choices) -> None:
    """Refuse a ``value`` that is none of the ``choices`` with a `ValueError` that lists them."""
    if value not in choices:
        *first, last = map(repr, choices)
        raise ValueError(f"{explorer}: {name} is {value!r}; expected {', '.join(first)} or {last}.")
