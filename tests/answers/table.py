"""Where the answers are collected: each under its exercise, with what it should be recognised as."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np


class Wrong(NamedTuple):
    function: object
    names: frozenset  # of the mistakes; empty if it is none that is known


RIGHT = defaultdict(dict)  # exercise -> style -> function
WRONG = defaultdict(dict)  # exercise -> what the reader did -> Wrong


def right(exercise, style):
    def collect(function):
        assert style not in RIGHT[exercise]
        RIGHT[exercise][style] = function
        return function

    return collect


def wrong(exercise, *names):
    def collect(function):
        assert function.__name__ not in WRONG[exercise], f"{exercise}: {function.__name__} twice"
        WRONG[exercise][function.__name__] = Wrong(function, frozenset(names))
        return function

    return collect


def in_dtypes(exercise, function):
    """The same answer in single precision, and as lists."""

    def single(value):
        return value.astype(np.float32) if isinstance(value, np.ndarray) else value

    right(exercise, "in float32")(lambda *given: np.asarray(function(*map(single, given)), np.float32))
    right(exercise, "as nested lists")(lambda *given: np.asarray(function(*given)).tolist())
