"""New numbers for an exercise, drawn from a seed, on which its known mistakes are still told apart.

Of Python's generator only ``random()`` is used, whose numbers for a seed are the same in every version.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

from convbp.exercises.mistakes import Computation

_TRIES = 300
_RATES = (0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75)
_DENOMINATORS = (1, 2, 4, 7, 8)

Draw = Callable[[Random, Mapping], Mapping]


def drawn(
    computation: Computation, inputs: Sequence[Mapping], n: int, seed: str, draw: Draw | None = None
) -> list[Mapping]:
    """Return ``n`` inputs with the shapes of some of ``inputs``, in their order, and other numbers.

    The first has the shapes of the first; if there are more, one more has them too. They are drawn again until every
    two known mistakes, and each and the right answer, differ on them as they do on ``inputs``: on all together, and on
    the first.

    Raises
    ------
    ValueError
        If no such inputs were found.
    """
    random, other = Random(seed), draw or new_numbers
    again = [k for k in range(1, len(inputs)) if _shapes(inputs[k]) == _shapes(inputs[0])]
    alike_on_first = _alike(computation, inputs[:1])
    alike = _alike(computation, inputs) if n > 1 else alike_on_first
    for _ in range(_TRIES):
        chosen = again[-1:] if n > 1 else []
        rest = [k for k in range(1, len(inputs)) if k not in chosen]
        while len(chosen) < n - 1:
            chosen.append(rest.pop(below(random, len(rest))) if rest else below(random, len(inputs)))
        found = [other(random, inputs[k]) for k in (0, *sorted(chosen))]
        if _alike(computation, found[:1]) <= alike_on_first and _alike(computation, found) <= alike:
            return found
    raise ValueError(f"No {n} inputs for {seed!r} tell all known mistakes apart; take more of them, or another seed.")


def below(random: Random, n: int) -> int:
    """A whole number from 0 to n - 1."""
    return int(random.random() * n)


def new_numbers(random: Random, arguments: Mapping) -> Mapping:
    """The same arguments with other numbers of the same kind: zeros stay where they are, sizes as they are."""
    return {key: _new(random, key, value) for key, value in arguments.items()}


def _new(random: Random, key: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        steps = next((d for d in _DENOMINATORS if np.allclose(value * d, np.round(value * d))), 100)
        low, high = int(np.floor(value.min() * steps)), int(np.ceil(value.max() * steps))
        if high - low < 4:
            low, high = low - 4, high + 4
        new = [low + below(random, high - low + 1) for _ in range(value.size)]
        numbers = np.array([one or high for one in new]).reshape(value.shape) / steps
        return np.where(value == 0, 0, numbers).astype(value.dtype)
    if isinstance(value, tuple):
        return value
    if 0 < value < 1 and key != "target":
        return _RATES[below(random, len(_RATES))]
    return type(value)(below(random, 19) - 9 + value % 1)


def _shapes(arguments: Mapping) -> list:
    return [value if isinstance(value, tuple) else np.shape(value) for value in arguments.values()]


def _alike(computation: Computation, inputs: Sequence[Mapping]) -> set[frozenset[str]]:
    """The pairs of names of mistakes, or of one and the right answer, that these inputs do not tell apart."""
    names: dict[tuple, set[str]] = {}
    answers: list[tuple[str, list]] = [("", [computation.right(arguments) for arguments in inputs])]
    answers += [(m.name, [computation.wrong(arguments, m) for arguments in inputs]) for m in computation.misconceptions]
    for name, results in answers:
        if results[0] is not None:
            key = tuple(None if r is None else (r.shape, (np.round(r, 5) + 0.0).tobytes()) for r in results)
            names.setdefault(key, set()).add(name)
    return {frozenset((a, b)) for some in names.values() for a in some for b in some if a != b}
