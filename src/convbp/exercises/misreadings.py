"""What comes of a right computation if something is done to one of its arguments first, or to its result at the end.

What a misreading gives is computed, so to say that an answer has its numbers cannot be false.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations, permutations
from typing import Any

import numpy as np

Ways = dict[str, Callable]  # what is done to an array, with {} for its name


@dataclass(frozen=True, eq=False)
class Misreading:
    """What is done, in words; it stands where a `Misconception` does."""

    name: str
    changes: Mapping[str, Callable]
    where: str
    why: str = ""

    @property
    def done(self) -> str:
        comes_out = "" if "result" in self.changes else "what comes out with "
        return f"Number for number, your result is {comes_out}{self.name}."


def usual(arguments: Mapping, where: str) -> list[Misreading]:
    """Each way in which one of the arguments is easily taken for another: turned, exchanged, cut off."""
    return [
        Misreading(name.format(key), {key: change}, where)
        for key, value in arguments.items()
        for name, change in _usual_ways(value).items()
    ]


def unusual(
    compute: Callable, arguments: Mapping, result: np.ndarray, instead: Mapping[Any, Mapping], where: str
) -> list[Misreading]:
    """More of them, of which one is likely only where nothing plainer explains the numbers.

    ``instead`` has for steps of the computation, or for several together, what else may be done there, by a name of it.
    """
    steps = _in_steps(instead, where)
    of_arguments = [
        Misreading(name.format(key), {key: change}, where)
        for key, value in arguments.items()
        for name, change in _unusual_ways(value).items()
    ]
    of_result = [
        Misreading(name.format("the right one"), {"result": lambda r, a, change=change: change(r)}, where)
        for name, change in (_of_result(result) | _of_parts(result) | _by_reshaping(result)).items()
    ]
    with_arguments = [
        Misreading(f"the right one {name} {key}", {"result": partial(_with, key, change)}, where)
        for key, value in arguments.items()
        if np.shape(value) == result.shape
        for name, change in _TOGETHER.items()
    ]
    exchanged = [Misreading(name, {"compute": change}, where) for name, change in _exchanges(compute, arguments)]
    cut = [Misreading(name, {"compute": change}, where) for name, change in _cut_to_another(compute, arguments, result)]
    return [*steps, *exchanged, *of_arguments, *cut, *with_arguments, *of_result]


def _in_steps(instead: Mapping[Any, Mapping], where: str) -> list[Misreading]:
    """What may be done in one step, or in one and another."""
    one = [
        Misreading(name, dict(zip(step, change, strict=True)) if isinstance(step, tuple) else {step: change}, where)
        for step, some in instead.items()
        for name, change in some.items()
    ]
    two = [
        Misreading(f"{a.name}, and {b.name}", {**a.changes, **b.changes}, where)
        for a, b in combinations(one, 2)
        if len(a.changes) == len(b.changes) == 1 and a.changes.keys() != b.changes.keys()
    ]
    return [*one, *two]


def _cut_to_another(compute: Callable, arguments: Mapping, result: np.ndarray) -> Iterator[tuple[str, Callable]]:
    """Of one array only as many rows and columns as another has, as when a loop takes its limits from that."""
    arrays = {key: value for key, value in arguments.items() if isinstance(value, np.ndarray)}

    def put(key: str, shape: Callable) -> Callable:
        def computed(**given):
            size = shape(given)
            inside = tuple(slice(min(n, m)) for n, m in zip(given[key].shape, size, strict=True))
            return compute(**given | {key: _only(inside, given[key])})

        return computed

    for key, value in arrays.items():
        for other in arrays:
            if other != key and arrays[other].ndim == value.ndim:
                name = f"nothing but the first of {key} along each axis, as many as {other} has"
                yield name, put(key, lambda given, other=other: given[other].shape)
        if result.ndim == value.ndim and result.shape != value.shape:
            name = f"nothing but the first of {key} along each axis, as many as the result has"
            yield name, put(key, lambda given: compute(**given).shape)


_TOGETHER: Ways = {
    "times": np.multiply,
    "divided by": np.divide,
    "added to": np.add,
    "subtracted from": lambda r, x: x - r,
}
_TOGETHER["less"] = np.subtract


def _with(key: str, change: Callable, result: np.ndarray, arguments: Any) -> np.ndarray:
    return change(result, getattr(arguments, key))


def _exchanges(compute: Callable, arguments: Mapping) -> Iterator[tuple[str, Callable]]:
    """Two arguments of one kind, exchanged; and one of them used for both."""

    def put(places: Mapping[str, str]) -> Callable:
        return lambda **given: compute(**{key: given[places.get(key, key)] for key in given})

    for one, other in combinations(arguments, 2):
        if isinstance(arguments[one], tuple) == isinstance(arguments[other], tuple):
            yield f"{one} and {other} exchanged", put({one: other, other: one})
            yield f"{one} in the place of {other}", put({other: one})
            yield f"{other} in the place of {one}", put({one: other})


def _usual_ways(value: Any) -> Ways:
    if isinstance(value, np.ndarray):
        return _turns(value) | {
            "{} cut off to integers": np.trunc,
            "{} rounded": np.round,
            "the absolute values of {}": np.abs,
            "−{0} for {0}": np.negative,
            "the negative entries of {} set to 0": lambda array: np.maximum(array, 0),
        }
    if isinstance(value, tuple):
        return {
            "rows and columns of {} exchanged": lambda pair: pair[::-1],
            "{}[0] for both axes": lambda pair: (pair[0], pair[0]),
            "{}[1] for both axes": lambda pair: (pair[1], pair[1]),
            "1 for both entries of {}": lambda pair: (1, 1),
            "0 for both entries of {}": lambda pair: (0, 0),
            "{}[0] one larger": lambda pair: (pair[0] + 1, pair[1]),
            "{}[1] one larger": lambda pair: (pair[0], pair[1] + 1),
            "{} one larger": lambda pair: (pair[0] + 1, pair[1] + 1),
            "{} one smaller": lambda pair: (pair[0] - 1, pair[1] - 1),
        }
    return {"−{0} for {0}": lambda number: -number, "0 for {}": lambda number: 0, "1 for {}": lambda number: 1}


def _unusual_ways(value: Any) -> Ways:
    powers: Ways = {
        "the square of {}": np.square,
        "the root of {}": lambda x: np.sqrt(np.asarray(x, float)),
        "twice {}": lambda x: 2 * x,
        "half of {}": lambda x: x / 2,
        "1/{0} for {0}": lambda x: 1 / np.asarray(x, float),
        "1 − {0} for {0}": lambda x: 1 - x,
    }
    if isinstance(value, np.ndarray):
        signs: Ways = {
            "the signs of {}": np.sign,
            "ones for {}": np.ones_like,
            "the positive entries of {} set to 0": lambda array: np.minimum(array, 0),
        }
        bytes_: Ways = {"{} cut off to 8 bits, as astype(np.uint8) does": lambda x: np.trunc(x) % 256}
        if value.ndim == 2:
            bytes_["the product of the sums of {} along its two axes"] = lambda x: np.outer(x.sum(1), x.sum(0))
        return signs | powers | bytes_ | _normalised() | _of_parts(value) | _alone(value) | _by_reshaping(value)
    if isinstance(value, tuple):
        return {
            "half of {}": lambda pair: (pair[0] // 2, pair[1] // 2),
            "twice {}": lambda pair: (2 * pair[0], 2 * pair[1]),
            "{}[0] one smaller": lambda pair: (pair[0] - 1, pair[1]),
            "{}[1] one smaller": lambda pair: (pair[0], pair[1] - 1),
        }
    return powers


def _turns(array: np.ndarray) -> Ways:
    turns: Ways = {f"{{}} reversed along axis {axis}": partial(np.flip, axis=axis) for axis in range(array.ndim)}
    if array.ndim == 2:
        turns |= {"{} turned by 180°": np.flip, "{} transposed": np.transpose}
    return turns


def _normalised() -> Ways:
    return {
        "{} divided by its norm": lambda x: x / np.sqrt(np.sum(np.square(x))),
        "{} divided by its sum": lambda x: x / np.sum(x),
        "{} divided by the sum of its absolute values": lambda x: x / np.abs(x).sum(),
        "{} divided by its largest absolute value": lambda x: x / np.abs(x).max(),
        "{} divided by its largest entry": lambda x: x / np.max(x),
        "{} divided by the number of its entries": lambda x: x / np.size(x),
        "{} divided by its length along axis 0": lambda x: x / len(x),
        "{} less its mean": lambda x: x - np.mean(x),
        "the softmax of {}": lambda x: np.exp(x - np.max(x)) / np.exp(x - np.max(x)).sum(),
        "{} kept between −1 and 1": lambda x: np.clip(x, -1, 1),
        "{} kept between 0 and 1": lambda x: np.clip(x, 0, 1),
        "{} kept between 0 and 255": lambda x: np.clip(x, 0, 255),
    }


def _of_parts(array: np.ndarray) -> Ways:
    """One part in the place of all: an entry along an axis, a mean, a sum; or each in the place of the next."""
    ways: Ways = {}
    for axis in range(array.ndim):
        ways |= {
            f"the first of {{}} along axis {axis} for all": partial(_taken, 0, axis),
            f"the last of {{}} along axis {axis} for all": partial(_taken, -1, axis),
            f"{{}} moved on by one along axis {axis}": partial(np.roll, shift=1, axis=axis),
            f"{{}} moved back by one along axis {axis}": partial(np.roll, shift=-1, axis=axis),
            f"the running sums of {{}} along axis {axis}": partial(np.cumsum, axis=axis),
        }
    for count in range(1, array.ndim + 1):
        for axes in combinations(range(array.ndim), count):
            along = f"ax{'i' if count == 1 else 'e'}s {', '.join(map(str, axes))}"
            ways[f"the mean of {{}} along {along} for all"] = partial(_pooled, np.mean, axes)
            ways[f"the sum of {{}} along {along} for all"] = partial(_pooled, np.sum, axes)
            ways[f"the largest of {{}} along {along} for all"] = partial(_pooled, np.max, axes)
    return ways


def _alone(array: np.ndarray) -> Ways:
    """One part, and zeros in the place of all others."""
    ways: Ways = {}
    for count in range(1, array.ndim + 1):
        for axes in combinations(range(array.ndim), count):
            for n, word in ((0, "first"), (-1, "last")):
                index = tuple(n if axis in axes else slice(None) for axis in range(array.ndim))
                along = f"ax{'i' if count == 1 else 'e'}s {', '.join(map(str, axes))}"
                ways[f"nothing but the {word} of {{}} along {along}"] = partial(_only, index)
    for one, other in combinations(range(array.ndim), 2):
        ways[f"nothing but the diagonal of {{}} along axes {one}, {other}"] = partial(_diagonal, one, other)
    return ways


def _diagonal(one: int, other: int, array: np.ndarray) -> np.ndarray:
    places = np.indices(array.shape, sparse=True)
    return np.where(places[one] == places[other], array, 0)


def _of_result(result: np.ndarray) -> Ways:
    ways: Ways = {"{}, but 0 where it should be negative": lambda r: np.maximum(r, 0)} | _normalised()
    for count in range(1, result.ndim + 1):
        for axes in combinations(range(result.ndim), count):
            along = f"ax{'i' if count == 1 else 'e'}s {', '.join(map(str, axes))}"
            ways |= {
                f"{{}} summed up along {along}": partial(np.sum, axis=axes),
                f"{{}}, its mean along {along}": partial(np.mean, axis=axes),
                f"{{}}, its largest along {along}": partial(np.max, axis=axes),
                f"every second of {{}} along {along}": partial(_every_second, axes),
            }
    if result.ndim > 1:
        ways |= {
            "{}, but in one row: only the axes are not as asked for": np.ravel,
            "{}, of which only what is not 0 is left, in one row": lambda r: r[r != 0],
        }
    return ways | {"the square of {}": np.square, "the root of {}": np.sqrt, "the signs of {}": np.sign}


def _every_second(axes: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    return array[tuple(slice(None, None, 2 if axis in axes else 1) for axis in range(array.ndim))]


def _only(index: tuple, array: np.ndarray) -> np.ndarray:
    kept = np.zeros_like(array)
    kept[index] = array[index]
    return kept


def _taken(n: int, axis: int, array: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.take(array, [n], axis), array.shape)


def _pooled(pool: Callable, axes: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    return np.broadcast_to(pool(array, axis=axes, keepdims=True), array.shape)


def _by_reshaping(array: np.ndarray) -> Ways:
    """reshape where transpose is due: the axes get their lengths, and the numbers stay in their order."""
    ways: Ways = {}
    for order in permutations(range(array.ndim)):
        if order != tuple(range(array.ndim)):
            ways |= {
                f"{{}} reshaped, where its axes are to be put in the order {order}": partial(_reshaped, order),
                f"{{}} with its axes in the order {order}, reshaped and not put back": partial(_not_put_back, order),
            }
    return ways


def _reshaped(order: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    return array.reshape([array.shape[axis] for axis in order]).transpose(np.argsort(order))


def _not_put_back(order: tuple[int, ...], array: np.ndarray) -> np.ndarray:
    return array.transpose(order).reshape(array.shape)
