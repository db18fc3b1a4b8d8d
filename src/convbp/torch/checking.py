"""A layer computed again by this package, beside what PyTorch has."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from convbp.notation import number
from convbp.torch.layers import BACK, Value, Way, as_array, way
from convbp.torch.recording import OVERWRITTEN, Call, Recorded
from convbp.torch.table import Table


class Compared(NamedTuple):
    """One result of both sides: the entry where they differ most (or, if they are equal, the largest).

    Attributes
    ----------
    name : str
    at : tuple of int
    theirs, ours : float
        PyTorch's entry there, and this package's.
    difference : float
        The largest difference of two entries.
    agrees : bool
        Whether all entries are equal up to rounding.
    digits : int
        How many digits the numbers of PyTorch's side have.
    """

    name: str
    at: tuple[int, ...]
    theirs: float
    ours: float
    difference: float
    agrees: bool
    digits: int


@dataclass(eq=False, repr=False)
class Check(Table):
    """PyTorch's results beside this package's: ``agrees`` says whether all are equal up to rounding.

    Attributes
    ----------
    name : str
    rows : list of Compared
    notes : list of str
        What could not be compared, and why.
    """

    name: str
    rows: list[Compared]
    notes: list[str]

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and all of it is equal up to rounding."""
        return bool(self.rows) and all(row.agrees for row in self.rows)

    def _title(self) -> str:
        wrong = [row.name for row in self.rows if not row.agrees]
        if not self.rows:
            return f"{self.name}: nothing could be compared"
        return f"{self.name}: " + (f"{', '.join(wrong)}: not equal" if wrong else "equal up to rounding")

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("", "entry", "PyTorch", "convbp", "largest difference")]
        for row in self.rows:
            theirs, ours = (f"{value:.{row.digits}g}".replace("-", "−") for value in (row.theirs, row.ours))
            rows.append((row.name, str(row.at), theirs, ours, number(row.difference) + " !" * (not row.agrees)))
        return rows

    def _notes(self) -> list[str]:
        return self.notes


def compared(name: str, theirs: torch.Tensor, ours: Value, coarsest: torch.dtype) -> Compared:
    """Compare up to rounding: that of the dtype at both ends, and that of sums, which are in float32 at least.

    Algorithms that exchange sums and products, as Winograd's does, spread rounding over neighbours; so the mean size
    counts as well.
    """
    info, sums = torch.finfo(coarsest), min(torch.finfo(coarsest).eps, torch.finfo(torch.float32).eps)
    allowed = (8 * info.eps + np.sqrt(ours.terms) * sums) * (ours.size + ours.size.mean()) + 8 * info.eps * info.tiny
    value = as_array(theirs)
    apart = np.abs(value - ours.value)
    right = apart <= allowed  # which a NaN is not
    at = np.unravel_index(np.argmax(np.abs(value) if right.all() else np.where(right, 0, apart / allowed)), value.shape)
    digits = {torch.float64: 17, torch.float32: 9}.get(theirs.dtype, 5)
    index = tuple(map(int, at))
    return Compared(name, index, value[at], ours.value[at], float(apart.max()), bool(right.all()), digits)


class Side(NamedTuple):
    """A result of PyTorch's, and how it is computed here."""

    name: str
    theirs: torch.Tensor
    ours: Callable[[], Value]
    coarsest: torch.dtype


def checked(name: str, layer: Recorded, calls: Sequence[Call], passes: Sequence[int]) -> Check:
    """Both sides of some calls of a layer, and of the gradients of its parameters, in these backward passes."""
    rows, notes = [], []
    for at, call in enumerate(calls, 1):
        if not call.output.intact:
            notes.append(f"Not compared: came out{_of(at, calls)}, {OVERWRITTEN}.")
        if why := call.missing(passes):
            notes.append(why)
    for side in [*_of_calls(layer, calls, passes), *_of_parameters(layer, passes)]:
        try:
            rows.append(compared(side.name, side.theirs, side.ours(), side.coarsest))
        except (TypeError, ValueError) as error:
            notes.append(f"Not compared: {side.name}. {error}")
    return Check(name or "the model", rows, list(dict.fromkeys(notes)))


def _of(at: int, calls: Sequence[Call]) -> str:
    return f", call {at}" if len(calls) > 1 else ""


def _of_calls(layer: Recorded, calls: Sequence[Call], passes: Sequence[int]) -> Iterator[Side]:
    for at, call in enumerate(calls, 1):
        if call.output.intact:
            run = partial(_output, layer, call)
            yield Side(f"came out{_of(at, calls)}", call.output.tensor, run, coarsest(call))
        for at_pass in passes:
            if at_pass in call.deltas and at_pass in call.backs:
                run = partial(_back, [(layer, BACK, call)], at_pass)
                yield Side(f"{BACK}{_of(at, calls)}", call.backs[at_pass], run, coarsest(call))


def _of_parameters(layer: Recorded, passes: Sequence[int]) -> Iterator[Side]:
    """Ours is the sum over all calls, of all layers that share the parameter."""
    for key, gradient in layer.gradients.items():
        for at_pass in passes:
            users = [(owner, name, call) for name, owner in gradient.owners for call in owner.calls]
            users = [user for user in users if at_pass in user[2].deltas]
            if at_pass in gradient.passes:
                dtype = max((coarsest(call) for _, _, call in users), key=_eps)
                label = f"gradient of {layer.label(key)}"
                yield Side(label, gradient.passes[at_pass], partial(_back, users, at_pass), dtype)


def _output(layer: Recorded, call: Call) -> Value:
    return recomputed(layer, call).output()


def _back(users: Sequence[tuple[Recorded, str, Call]], at_pass: int) -> Value:
    """What comes back by these names, added up."""
    parts = [recomputed(layer, call).back(as_array(call.deltas[at_pass]))[name]() for layer, name, call in users]
    values, sizes, terms = zip(*parts, strict=True)
    return Value(np.sum(values, axis=0), np.sum(sizes, axis=0), sum(terms))


def recomputed(layer: Recorded, call: Call) -> Way:
    """The layer computed again."""
    if not call.inputs.intact:
        raise ValueError(f"what went in was {OVERWRITTEN}.")
    given = {name: as_array(kept.tensor) for name, kept in call.parameters.items()}
    return way(layer.module, as_array(call.inputs.tensor), tuple(call.output.tensor.shape), given)


def coarsest(call: Call) -> torch.dtype:
    """Of the dtypes that a call had to do with, the one with the fewest digits."""
    tensors = [call.inputs.tensor, call.output.tensor, *call.deltas.values(), *call.backs.values()]
    return max({tensor.dtype for tensor in tensors}, key=_eps)


def _eps(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps
