"""Kernels worth trying, and a control to choose among them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from convbp.convolution import rot180
from convbp.explorers.controls.control import Control
from convbp.explorers.controls.example_list import examples


def _counting(k1: int, k2: int) -> np.ndarray:
    return np.arange(1, k1 * k2 + 1).reshape(k1, k2)


def _one_at(row: int, col: int) -> Callable[[int, int], np.ndarray]:
    def kernel(k1: int, k2: int) -> np.ndarray:
        return np.array([[int((m, n) == (row % k1, col % k2)) for n in range(k2)] for m in range(k1)])

    return kernel


def _last_minus_first(axis: int) -> Callable[[int, int], np.ndarray]:
    def kernel(k1: int, k2: int) -> np.ndarray:
        position = np.indices((k1, k2))[axis]
        return (position == position.max()).astype(int) - (position == 0)

    return kernel


# Each in whatever shape the kernel has.
PRESETS = {
    "counting: no symmetry": _counting,
    "one at the top left": _one_at(0, 0),
    "one at the bottom right": _one_at(-1, -1),
    "all ones": lambda k1, k2: np.ones((k1, k2), int),
    "right minus left": _last_minus_first(1),
    "bottom minus top": _last_minus_first(0),
    "equal to its own rot180": lambda k1, k2: np.minimum(_counting(k1, k2), rot180(_counting(k1, k2))),
}
OWN_VALUES = "your own values"


def preset_choice(field: str = "kernel") -> Control:
    """A list of the presets, for a field of the state that is a kernel; it keeps its shape."""

    def of_its_shape(make: Callable[[int, int], np.ndarray]) -> Callable[[Any], tuple[np.ndarray]]:
        return lambda state: (make(*getattr(state, field).shape),)

    made_by = {name: of_its_shape(make) for name, make in PRESETS.items()}
    return examples(field, OWN_VALUES, made_by, (field,), keeps_shape=True)
