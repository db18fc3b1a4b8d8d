"""Kernels worth trying, and a control to choose among them, or among other examples."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.convolution import rot180
from convbp.explorers.controls.alike import made
from convbp.explorers.controls.control import Control


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


def examples(
    description: str,
    own: str,
    made_by: Mapping[str, Callable[[Any], tuple[np.ndarray, ...]]],
    fields: tuple[str, ...],
    keeps_shape: bool = False,
) -> Control:
    """A list of examples for fields of the state that are arrays; ``own`` brings back what the reader had last.

    With ``keeps_shape`` it does so while the arrays have the shape that they had then.
    """
    last: list[np.ndarray] = []

    def name(state: Any) -> str:
        arrays = [getattr(state, field) for field in fields]
        found = next((name for name, make in made_by.items() if all(map(np.array_equal, make(state), arrays))), own)
        if found == own:
            last[:] = arrays
        return found

    def with_example(state: Any, name: str) -> Any:
        arrays = last if name == own else made_by[name](state)
        if keeps_shape and any(
            np.shape(getattr(state, field)) != array.shape for field, array in zip(fields, arrays, strict=False)
        ):
            return state
        return replace(state, **dict(zip(fields, arrays, strict=False)))

    return Control(made(widgets.Dropdown, description=description, options=[own, *made_by]), name, with_example)
