"""A layer computed again by this package, beside what PyTorch has."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from convbp.notation import number
from convbp.torch.layers import BACK, Value, Way, as_array, way
from convbp.torch.recording import OVERWRITTEN, Call, Recorded, Recording, label
from convbp.torch.table import Table, listed


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
    allowed : float
        By how much that entry may differ.
    agrees : bool
        Whether no entry differs by more.
    digits : int
        How many digits the numbers of PyTorch's side have.
    """

    name: str
    at: tuple[int, ...]
    theirs: float
    ours: float
    difference: float
    allowed: float
    agrees: bool
    digits: int


@dataclass(eq=False, repr=False)
class Check(Table):
    """PyTorch's results beside this package's: ``agrees`` says whether all are equal, up to rounding or a tolerance.

    Attributes
    ----------
    name : str
    rows : list of Compared
    notes : list of str
        What could not be compared, and why.
    tolerance : float or None
        How far an entry may be off, relative to the largest of its array; None: as far as rounding takes it.
    """

    name: str
    rows: list[Compared]
    notes: list[str]
    tolerance: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and all of it is equal."""
        return bool(self.rows) and all(row.agrees for row in self.rows)

    def assert_agrees(self) -> None:
        """Do nothing if ``agrees``; for a test suite, as `convbp.diagnose.Diagnosis` has it.

        Raises
        ------
        AssertionError
            With the whole table, the wrong rows first, if not.
        """
        __tracebackhide__ = True  # pytest shows the line that called
        if not self.agrees:
            raise AssertionError(str(self))

    def _title(self) -> str:
        wrong = [row.name for row in self.rows if not row.agrees]
        if not self.rows:
            return f"{self.name}: nothing could be compared"
        how = "rounding" if self.tolerance is None else f"{number(self.tolerance)} of the largest entry"
        return f"{self.name}: " + (f"{listed(wrong)}: not equal" if wrong else f"equal up to {how}")

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("", "entry", "PyTorch", "convbp", "largest difference", "allowed")]
        for row in sorted(self.rows, key=lambda row: row.agrees):  # the wrong ones first
            theirs, ours = (f"{value:.{row.digits}g}".replace("-", "−") for value in (row.theirs, row.ours))
            difference = number(row.difference) + " !" * (not row.agrees)
            rows.append((row.name, str(row.at), theirs, ours, difference, number(row.allowed)))
        return rows

    def _notes(self) -> list[str]:
        return self.notes


def compared(side: "Side", tolerance: float | None) -> Compared:
    """Compare up to a tolerance, or to rounding: that of the dtype at both ends, and that of sums, in float32 at least.

    Algorithms that exchange sums and products, as Winograd's does, spread rounding over neighbours; so the mean size
    counts as well.
    """
    info, ours, value = torch.finfo(side.coarsest), side.ours(), as_array(side.theirs)
    if tolerance is None:
        sums = min(info.eps, torch.finfo(torch.float32).eps)
        sizes = ours.size + ours.size.mean()
        allowed = (8 * info.eps + np.sqrt(ours.terms) * sums) * sizes + 8 * info.eps * info.tiny
    else:
        allowed = np.full(value.shape, tolerance * np.abs(ours.value).max(initial=0))
    apart = np.abs(value - ours.value)
    right = apart <= allowed  # which a NaN is not
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = np.where(right, 0, apart / allowed)
    at = np.unravel_index(np.argmax(np.abs(value) if right.all() else worst), value.shape)
    digits = {torch.float64: 17, torch.float32: 9}.get(side.theirs.dtype, 5)
    index = tuple(map(int, at))
    most, least = float(apart.max()), float(allowed[at])
    return Compared(side.name, index, value[at], ours.value[at], most, least, bool(right.all()), digits)


class Side(NamedTuple):
    """A result of PyTorch's, and how it is computed here."""

    name: str
    theirs: torch.Tensor
    ours: Callable[[], Value]
    coarsest: torch.dtype


def checked(
    name: str, layer: Recorded, calls: Sequence[Call], passes: Sequence[int], tolerance: float | None, among: Recording
) -> Check:
    """Both sides of some calls of a layer, and of the gradients of its parameters, in these backward passes."""
    reasons = {call.why_not for call in calls}
    rows, notes = [], [not_recomputed(reason) for reason in reasons if len(reasons) == 1 and reason]
    for at, call in enumerate(calls, 1):
        if call.why_not:
            notes += [not_recomputed(call.why_not, _of(at, calls))] if len(reasons) > 1 else []
        elif not call.outputs[0].kept.intact:
            notes.append(f"Not compared: came out{_of(at, calls)}, {OVERWRITTEN}.")
        if why := call.missing(passes):
            notes.append(why)
    for side in [*_of_calls(layer, calls, passes), *_of_parameters(layer, passes, among)]:
        try:
            rows.append(compared(side, tolerance))
        except (TypeError, ValueError) as error:
            notes.append(f"Not compared: {side.name}. {error}")
    if any(row.name.startswith(GRADIENT) and not row.agrees for row in rows):
        notes.append(
            "The gradient of a parameter has other terms, too, where it is used outside of a call of its layer, and a "
            "hook on it may have changed it."
        )
    return Check(name or "the model", rows, list(dict.fromkeys(notes)), tolerance)


GRADIENT = "gradient of"


def not_recomputed(reason: str, which: str = "") -> str:
    """Say that a layer is not computed again, and why."""
    return f"Not recomputed{which}: {reason}."


def _of(at: int, calls: Sequence[Call]) -> str:
    return f", call {at}" if len(calls) > 1 else ""


def _in(at_pass: int, passes: Sequence[int]) -> str:
    return f", pass {passes.index(at_pass) + 1}" if len(passes) > 1 else ""


def _of_calls(layer: Recorded, calls: Sequence[Call], passes: Sequence[int]) -> Iterator[Side]:
    for at, call in enumerate(calls, 1):
        if call.why_not:
            continue
        (inputs, *_), (output, *_) = call.inputs, call.outputs
        if output.kept.intact:
            run = partial(_output, layer, call)
            yield Side(f"came out{_of(at, calls)}", output.kept.tensor, run, coarsest(call))
        for at_pass in passes:
            if at_pass in output.deltas and at_pass in inputs.deltas:
                run = partial(_back, [(layer, BACK, call)], at_pass)
                name = f"{BACK}{_of(at, calls)}{_in(at_pass, passes)}"
                yield Side(name, inputs.deltas[at_pass], run, coarsest(call))


def _of_parameters(layer: Recorded, passes: Sequence[int], among: Recording) -> Iterator[Side]:
    """Ours is the sum over all calls, of all layers that share the parameter."""
    for key, gradient in layer.gradients.items():
        for at_pass in passes:
            users = [(owner, name, call) for name, owner in gradient.owners for call in owner.calls]
            users = [user for user in users if user[2].reached(at_pass)]
            if at_pass in gradient.passes and not all(call.why_not for call in layer.calls):
                dtype = max((coarsest(call) for _, _, call in users), key=_eps)
                name = f"{GRADIENT} {label(layer.module, key)}{_in(at_pass, passes)}"
                run = partial(_back, users, at_pass, among.shared_outside(gradient))
                yield Side(name, gradient.passes[at_pass], run, dtype)


def _output(layer: Recorded, call: Call) -> Value:
    return recomputed(layer, call).output()


def _back(users: Sequence[tuple[Recorded, str, Call]], at_pass: int, shared: bool = False) -> Value:
    """What comes back by these names, added up."""
    if shared:
        raise ValueError("A layer that is not looked at shares the parameter.")
    for layer, _, call in users:
        if call.why_not:
            raise ValueError(f"{layer.name}, which shares it, is not recomputed: {call.why_not}.")
    parts = []
    for layer, name, call in users:
        results = recomputed(layer, call).back(as_array(call.outputs[0].deltas[at_pass]))
        if name not in results:
            raise ValueError("It is a parameter that such a layer does not have.")
        parts.append(results[name]())
    values, sizes, terms = zip(*parts, strict=True)
    return Value(np.sum(values, axis=0), np.sum(sizes, axis=0), sum(terms))


def recomputed(layer: Recorded, call: Call) -> Way:
    """The layer computed again."""
    inputs, output = call.inputs[0].kept, call.outputs[0].kept
    if not inputs.intact:
        raise ValueError(f"what went in was {OVERWRITTEN}.")
    given = {name: as_array(kept.tensor) for name, kept in call.parameters.items()}
    return way(layer.module, as_array(inputs.tensor), tuple(output.tensor.shape), given)


def coarsest(call: Call) -> torch.dtype:
    """Of the dtypes that a call had to do with, the one with the fewest digits."""
    flows = [*call.inputs, *call.outputs]
    tensors = [flow.kept.tensor for flow in flows] + [delta for flow in flows for delta in flow.deltas.values()]
    return max({tensor.dtype for tensor in tensors}, key=_eps)


def _eps(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps if dtype.is_floating_point else 0.0
