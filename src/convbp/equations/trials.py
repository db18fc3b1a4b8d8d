"""A formula tried as the right side of an equation: in how many random layers it is equal, and where it fails."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from math import prod

import numpy as np

from convbp.equations.cases import Layer, Quadratic, random_cases
from convbp.equations.entry import CASES, SEED, Equation
from convbp.equations.formula import Formula, Letter, Map
from convbp.equations.registry import equation

SQUARE_AND_X = Quadratic(1, 1)  # an activation whose slope differs from place to place, with f′(0) = 1


@dataclass(frozen=True, eq=False)
class Failure:
    """A case in which a formula fails, the entry where it does, its value there and what it should be."""

    case: Layer
    index: tuple[int, ...]
    value: object
    right: object


@dataclass(frozen=True, eq=False)
class Trial:
    """In how many of the random layers a formula is equal to the derivative; and a small one in which it is not.

    ``defined`` is False for a formula that has no value, as an index in it has none.
    """

    equal: int
    cases: int
    defined: bool
    failure: Failure | None


@lru_cache(maxsize=4096)
def trial(key: int, formula: Formula) -> Trial:
    """Try a formula as the right side of an equation about a `Layer`, exactly, on the cases that the verdicts are from.

    Parameters
    ----------
    key : int
        13, 20, 21 or 22, or another equation that has one side for each entry of the kernel, or of the inputs.
    formula : Formula
    """
    entry = equation(key)
    statement = replace(entry.statement, sides=(entry.statement.sides[0], formula))
    drawn = random_cases(Layer, SEED, CASES)
    failing = [case for case in drawn if not statement.holds(case)]
    if not failing:
        return Trial(CASES, CASES, True, None)
    small = next((case for case in small_cases(*_about(entry)) if not statement.holds(case)), None)
    least = small or min(failing, key=lambda case: case.inputs.array.size + case.delta.array.size)
    return Trial(CASES - len(failing), CASES, statement.has_value(drawn[0]), _failure(statement.values(least), least))


def _failure(sides: list[np.ndarray], case: Layer) -> Failure:
    right, value = sides
    where = np.argwhere(np.not_equal(right, value, dtype=object).astype(bool))[0]
    index = tuple(where.tolist())
    return Failure(case, index, value[index], right[index])


def _about(entry: Equation) -> tuple[str, str]:
    """The two arrays that are multiplied with each other."""
    read = {part.name for _, part in entry.statement.sides[1].expression.walk() if isinstance(part, Letter)}
    return ("kernel" if "kernel" in read else "inputs"), "delta"


@cache
def small_cases(one: str, other: str) -> tuple[Layer, ...]:
    """The smallest layers first, with a single 1 in each of the two arrays; the inputs are 0, then 0, 1, 2, ….

    A formula that is linear in each of the two arrays is wrong in one of these, if it is wrong in any of this size.
    """
    return tuple(_small_cases(one, other))


def _small_cases(one: str, other: str) -> Iterator[Layer]:
    def entries(sizes: tuple) -> int:
        shapes = Layer.shapes(*sizes)
        return prod(shapes[one]) + prod(shapes[other])

    for sizes in sorted(product((1, 2), repeat=4), key=lambda sizes: (entries(sizes), sizes)):
        shapes = Layer.shapes(*sizes)
        zeros = Layer.build(sizes, lambda shape: np.zeros(shape, int))
        if one != "inputs":
            zeros = replace(zeros, f=SQUARE_AND_X)
        counting = Map(np.arange(prod(shapes["inputs"])).reshape(shapes["inputs"]))
        for inputs in [zeros.inputs] if one == "inputs" else [zeros.inputs, counting]:
            for at, there in product(np.ndindex(shapes[one]), np.ndindex(shapes[other])):
                yield replace(
                    zeros,
                    **{"inputs": inputs, one: getattr(zeros, one).with_entry(at, 1)},
                    **{other: getattr(zeros, other).with_entry(there, 1)},
                )
