"""The way of a diagnosis: cases → call → read → compare → where it is wrong → the mistake.

The last step is that of the exercises: a `Computation` with its known mistakes, and `convbp.exercises.naming`, which
finds the one whose numbers are those that came, on every case. Whatever is said is said in the layout that was asked
for: only what the package itself computes has its channels last.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from convbp.diagnose.calling import Callee, as_answer, called, results_of
from convbp.diagnose.conditions import where
from convbp.diagnose.report import Diagnosis, Finding
from convbp.exercises.describing import counts_in, describe, ratio
from convbp.exercises.mistakes import Computation, Misconception
from convbp.exercises.naming import Explanation, Known, name
from convbp.exercises.reading import Answer
from convbp.exercises.variants import Variant, variants

_DESCRIBED = 6  # cases at most that are looked at where no mistake explains the numbers
_AGAIN = 8  # wrong cases at most that are called once more
_SOME = 12  # cases that tell whether another layout is meant
Order = tuple[int, ...] | None  # how axes stand that here have the channels last; None if they stand so


@dataclass(frozen=True)
class Case:
    """Arguments of the operation, and what is true of them, in words."""

    arguments: Mapping[str, Any]
    conditions: Mapping[str, bool]


@dataclass(frozen=True)
class Sought:
    """A result that is looked for: how it is computed and mistaken, and how its axes stand.

    Attributes
    ----------
    right : callable
        The right result of the arguments of a case, by name.
    computation : Computation
        The same in the steps that can go wrong, and how they do.
    axes : tuple of str
    programs : tuple of callables
        Right programs, of which one edit is a mistake to be recognised.
    order : tuple of int, or None
        How its axes stand in the layout that was asked for.
    also : callable
        Other results that are right as well, such as of equal entries another one.
    """

    right: Callable[..., np.ndarray]
    computation: Computation
    axes: tuple[str, ...]
    programs: tuple[Callable, ...] = ()
    order: Order = None
    also: Callable[[Mapping], Sequence[np.ndarray]] = field(default=lambda arguments: ())


@dataclass(frozen=True)
class Layer:
    """An operation as it is diagnosed: another's functions, and the cases for them.

    Attributes
    ----------
    operation, layout : str
    forward, backward : Callee, or None
    output : Sought
    sought : mapping of str to Sought
        The results of ``backward``, in their order.
    made : callable
        Makes so many cases, with this seed.
    hand : callable
        What the functions get of a case, before it is of their framework.
    orders : mapping of str to tuple of int
        How the axes of the arguments stand in the layout.
    shown : callable
        The sizes and steps of a case, in words.
    notes : sequence of str
    linear_in : mapping of str to str
        The argument that each result is the gradient for, if the operation is linear in it: then whether forward and
        backward are adjoint, ⟨A x, δ⟩ = ⟨x, Aᵀ δ⟩, is seen as well.
    words : mapping of str to str
        What the texts of mistakes, in which channels are last, have to say instead.
    """

    operation: str
    layout: str
    forward: Callee | None
    backward: Callee | None
    output: Sought
    sought: Mapping[str, Sought]
    made: Callable[[int, int], list[Case]]
    hand: Callable[[Case], Mapping[str, Any]]
    orders: Mapping[str, Order]
    shown: Callable[[Mapping], str]
    notes: Sequence[str] = ()
    linear_in: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What came back for one case, or why there is none; and what was expected, in the same layout."""

    case: Case
    expected: np.ndarray
    answer: Answer | None
    problem: str = ""
    stopped: bool = False  # then nothing is known of this result

    @property
    def right(self) -> bool:
        """Whether it is what was expected."""
        return self.answer is not None and self.answer.equals(self.expected)


def in_order(array: Any, order: Order) -> Any:
    """An array whose channels are last with its axes in that order; what has other axes stays as it is."""
    return array.transpose(order) if order and np.ndim(array) == len(order) else array


def _back(order: Order) -> Order:
    return tuple(np.argsort(order).tolist()) if order else None


class _InLayout(Computation):
    """A computation for arguments, and with results, whose axes stand in another order."""

    def __init__(self, computation: Computation, orders: Mapping[str, Order], order: Order):
        super().__init__(computation.compute, [computation.misconceptions])
        self._orders, self._order = {key: _back(one) for key, one in orders.items()}, order

    def begun(self, arguments: Mapping, *made: Misconception) -> tuple[Mapping, Any]:
        return super().begun({k: in_order(v, self._orders.get(k)) for k, v in arguments.items()}, *made)

    def finished(self, begun: tuple[Mapping, Any], *made: Misconception) -> np.ndarray | None:
        return in_order(super().finished(begun, *made), self._order)


@dataclass(frozen=True)
class Trial:
    """A layer, tried: with what its arrays are made, and how far its results may be off."""

    layer: Layer
    to: Callable[[np.ndarray], Any]
    tolerance: float | None
    least: float  # what the dtype allows

    def results(self, cases: Sequence[Case]) -> tuple[dict[str, list[Seen]], list[str]]:
        """What came back of both functions for these cases, by the name of the result; and notes."""
        layer = self.layer
        seen: dict[str, list[Seen]] = {}
        notes: list[str] = []
        ahead, behind = (layer.forward, {"forward": layer.output}), (layer.backward, layer.sought)
        for role, (function, sought) in (("forward", ahead), ("backward", behind)):
            if function is not None:
                some, said = self._tried(role, function, sought, cases)
                seen |= some
                notes += [f"{role}: {note}" for note in said]
        return seen, notes

    def _tried(
        self, role: str, function: Callee, sought: Mapping[str, Sought], cases: Sequence[Case]
    ) -> tuple[dict[str, list[Seen]], list[str]]:
        seen: dict[str, list[Seen]] = {}
        back = [called(function, self.layer.hand(case), self.to) for case in cases]
        named = [
            {} if problem else results_of(f"{self.layer.operation}: {role}", result, list(sought))
            for result, problem, _ in back
        ]
        given = {key for one in named for key, value in one.items() if value is not None}
        for key, one in sought.items():
            if given and key not in given:
                continue  # some results are enough
            seen[key] = [
                self._read(one, case, results.get(key), problem)
                for case, (_, problem, _), results in zip(cases, back, named, strict=True)
            ]
        changed = dict.fromkeys(key for _, _, some in back for key in some)
        notes = [f"It changes its argument {key}, in which whoever called it finds other numbers." for key in changed]
        stopped = [problem for _, problem, _ in back if problem]
        if stopped:
            at = where([bool(problem) for _, problem, _ in back], [case.conditions for case in cases])
            words = f", {at}" if at and at.credible else ""
            notes.append(f"It stops on {len(stopped)} case{'s' * (len(stopped) > 1)}{words}: {stopped[0]}")
        if len(stopped) == len(back) and function.takes is None:
            arrays = ", ".join(function.arrays)
            notes.append(
                f"What it takes cannot be read, so {arrays} went by position, and the steps by name. If it takes them "
                f"otherwise, say how: {role}=lambda x, w, stride: …"
            )
        return seen, notes

    def _read(self, sought: Sought, case: Case, result: Any, problem: str) -> Seen:
        expected = in_order(sought.right(**case.arguments), sought.order)
        if problem:
            return Seen(case, expected, None, problem, stopped=True)
        answer, problem = as_answer(result, self.tolerance, self.least)
        if answer is not None and not answer.equals(expected):
            others = (in_order(other, sought.order) for other in sought.also(case.arguments))
            expected = next((other for other in others if answer.equals(other)), expected)
        return Seen(case, expected, answer, problem)

    def unsteady(self, key: str, seen: Sequence[Seen]) -> bool:
        """Whether another result comes back if it is called again where it was wrong."""
        wrong = [one for one in seen if one.answer is not None and not one.right][:_AGAIN]
        again = self.results([one.case for one in wrong])[0].get(key, []) if wrong else []
        return any(
            new.answer is None or (old.answer is not None and not new.answer.equals(old.answer.values))
            for old, new in zip(wrong, again, strict=False)
        )

    def condition(self, key: str, seen: Sequence[Seen], holds: Callable[[Seen], bool], seed: int) -> str:
        """Where something holds, in words that hold for fresh cases as well, for which they are the most likely not to.

        What holds for all cases by accident, as "the input is not square" may, does not for these.
        """
        told, found = [one for one in seen if not one.stopped], None
        for fresh in range(1, 4):
            former, found = found, where([holds(one) for one in told], [one.case.conditions for one in told])
            if found is None or found == former or (former and found.words == former.words):
                break
            cases = sorted(self.layer.made(2 * len(seen), seed + 7919 * fresh), key=lambda c: found.tells(c.conditions))
            few = len(seen) // 6
            more = self.results([*cases[: 2 * few], *cases[-few:]])[0].get(key, [])
            told += [one for one in more if not one.stopped]
        return str(found) if found and found.credible else ""


def diagnosis(
    layer: Layer, trial: Callable[[Layer], Trial], others: Callable[[], Sequence[Layer]], count: int, seed: int
) -> Diagnosis:
    """Try both functions on all cases, and say what was seen; ``others`` is the same in the other layouts."""
    this = trial(layer)
    results, notes = this.results(layer.made(count, seed))
    everything = {**layer.sought, "forward": layer.output}
    if said := _meant(results, trial, others, seed):
        found = {key: _only(seen, next((one.problem for one in seen), "")) for key, seen in results.items()}
        return Diagnosis(layer.operation, found, said)
    notes = [*layer.notes, *notes]
    found = {}
    for key, seen in results.items():
        if all(one.right for one in seen):
            found[key] = Finding(len(seen), len(seen))
        elif other := _another(key, results):
            found[key] = _only(seen, f"These are the numbers of {other}: the order is {', '.join(layer.sought)}.")
        elif this.unsteady(key, seen):
            found[key] = _only(seen, "It gives other numbers when it is called again with the same arguments.")
        else:
            found[key] = _finding(this, key, everything[key], seen, seed)
    if "forward" in found and not found["forward"].agrees and layer.linear_in:
        notes += _adjoint(layer, results)
    return Diagnosis(layer.operation, found, tuple(notes))


def _share(seen: Sequence[Seen]) -> float:
    return sum(one.right for one in seen) / len(seen)


def _only(seen: Sequence[Seen], said: str) -> Finding:
    right, stopped = sum(one.right for one in seen), sum(one.stopped for one in seen)
    return Finding(right, len(seen), said=said if _share(seen) < 1 else "", stopped=stopped)


def _meant(
    results: Mapping[str, Sequence[Seen]],
    trial: Callable[[Layer], Trial],
    others: Callable[[], Sequence[Layer]],
    seed: int,
) -> tuple[str, ...]:
    """If next to nothing is right: the layout in which most of it is, and what is not tried in that; else nothing."""
    telling = [key for key, seen in results.items() if seen[0].expected.ndim > 1]
    if any(_share(results[key]) > 1 / 8 for key in telling):
        return ()
    for other in others():
        there, _ = trial(other).results(other.made(_SOME, seed))
        right = [key for key in results if key in there and _share(there[key]) > 1 / 2]
        if any(key in telling for key in right):
            how = "" if all(_share(there[key]) == 1 for key in right) else ", in most cases"
            said = f"With layout={other.layout!r} {', '.join(right)} {'is' if len(right) == 1 else 'are'} right{how}."
            return said, *other.notes
    return ()


def _another(key: str, results: Mapping[str, Sequence[Seen]]) -> str:
    """Which other result its numbers are, on all cases."""
    mine = results[key]
    for other, seen in results.items():
        both = zip(mine, seen, strict=True)
        if other != key and all(one.answer is not None and one.answer.equals(its.expected) for one, its in both):
            return other
    return ""


def _finding(trial: Trial, key: str, sought: Sought, seen: Sequence[Seen], seed: int) -> Finding:
    """Say where a result is wrong, and which mistake gives its numbers."""
    right = sum(one.right for one in seen)
    known = [one for one in seen if not one.stopped]  # what stops it says nothing of a single result
    condition = trial.condition(key, seen, lambda one: not one.right, seed)
    unread = [one for one in known if one.answer is None]
    lines: list[str] = []
    names: tuple[str, ...] = ()
    if unread:
        at = condition if len(unread) == len(known) - right else ""
        at = at or trial.condition(key, seen, lambda one: one.answer is None, seed)
        lines.append(
            f"No numbers on {len(unread)} case{'s' * (len(unread) > 1)}{f', {at}' if at else ''}: {unread[0].problem}"
        )
    answered = [one for one in seen if one.answer is not None]
    if any(not one.right for one in answered):
        explanation = _named(trial.layer, sought, answered)
        if explanation:
            lines += _in_words(explanation, trial.layer.words)
            names = explanation.names
        else:
            lines += _described(trial.layer, sought, [one for one in answered if not one.right])
        first = next(one for one in answered if not one.right)
        lines.append(_entry(first, sought, trial.layer.shown))
    return Finding(right, len(seen), condition, names, "\n".join(lines), len(seen) - len(known))


@cache
def _edited(program: Callable, where: str) -> list[Variant]:
    return variants(program, where)


def _known(layer: Layer, sought: Sought, seen: Sequence[Seen]) -> Known:
    inputs = [{k: in_order(v, layer.orders.get(k)) for k, v in one.case.arguments.items()} for one in seen]
    lines = "the lines above, in which channels are last" if sought.order else "the lines above"

    def edited() -> list[Any]:
        return [one for program in sought.programs for one in _edited(program, lines)]

    return Known(_InLayout(sought.computation, layer.orders, sought.order), inputs, edited)


def _named(layer: Layer, sought: Sought, answered: Sequence[Seen]) -> Explanation | None:
    """The mistake that gives all answers: the search begins with the last, and goes on with the first.

    So the smallest that is wrong comes last, and those that are right, with which most mistakes agree, before it.
    """
    smallest, *others = sorted(answered, key=lambda one: (one.right, one.expected.size))
    in_turn = [*others, smallest]
    answers = [one.answer for one in in_turn if one.answer is not None]
    by = [ratio(answer, one.expected) for answer, one in zip(answers, in_turn, strict=True) if one.expected.any()]
    factors = np.array(by, float)  # NaN where it is not right but for a factor
    if factors.size and np.allclose(factors, factors[0]) and not np.isclose(factors[0], -1):
        return None  # right but for one number, which is said without a search
    known = _known(layer, sought, in_turn)
    counts = [_counts(arguments) for arguments in known.inputs]
    return name(known, answers, [one.expected for one in in_turn], counts, exceptions=False)


def _counts(arguments: Mapping[str, Any]) -> dict[str, float]:
    return counts_in({name: value for name, value in arguments.items() if isinstance(value, np.ndarray | int | float)})


def _described(layer: Layer, sought: Sought, wrong: Sequence[Seen]) -> list[str]:
    # First one in which no axis can be taken for another.
    some = sorted(wrong, key=lambda one: len(set(one.expected.shape)), reverse=True)[:_DESCRIBED]
    answers = [one.answer for one in some if one.answer is not None]
    known = _known(layer, sought, some)
    counts = [_counts(arguments) for arguments in known.inputs]
    said = describe(known, answers, [one.expected for one in some], counts, _axes(sought))
    return [_reworded(" ".join(said), layer.words)]


def _axes(sought: Sought) -> Sequence[str]:
    return [sought.axes[n] for n in sought.order or range(len(sought.axes))]


def _reworded(text: str, words: Mapping[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def _in_words(found: Explanation, words: Mapping[str, str]) -> list[str]:
    each = []
    for m in found.made:
        each += [*_reworded(" ".join(filter(None, [m.done, m.why])), words).splitlines(), f"See {m.where}."]
    return [*each, *found.besides.values()]


def _entry(one: Seen, sought: Sought, shown: Callable[[Mapping], str]) -> str:
    assert one.answer is not None
    given = shown(one.case.arguments)
    if one.answer.shape != one.expected.shape:
        return f"First with {given}: its shape is {one.answer.shape}, expected is {one.expected.shape}."
    at = one.answer.first_difference(one.expected)
    place = f"at ({', '.join(f'{axis} {n}' for axis, n in zip(_axes(sought), at, strict=True))})" if at else "it"
    return f"First with {given}: {place} came {one.answer.values[at]:.6g}, expected is {one.expected[at]:.6g}."


def _adjoint(layer: Layer, results: Mapping[str, Sequence[Seen]]) -> list[str]:
    """Whether a forward pass that is another operation and its backward pass fit each other."""
    said = []
    for key, argument in layer.linear_in.items():
        if key not in results or results[key][0].answer is None:
            continue
        fits = []
        for ahead, behind in zip(results["forward"], results[key], strict=True):
            given = {k: in_order(ahead.case.arguments[k], layer.orders.get(k)) for k in (argument, "delta", "bias")}
            if ahead.answer is None or behind.answer is None or ahead.answer.shape != given["delta"].shape:
                continue
            if behind.answer.shape != given[argument].shape:
                continue
            bias = np.expand_dims(given["bias"], (1, 2)) if layer.output.order else given["bias"]
            ahead_sum = float(np.vdot(ahead.answer.values - bias, given["delta"]))
            behind_sum = float(np.vdot(behind.answer.values, given[argument]))
            size = np.linalg.norm(ahead.answer.values) * np.linalg.norm(given["delta"])
            fits.append(abs(ahead_sum - behind_sum) <= 10 * ahead.answer.tolerance * size)
        if fits and all(fits):
            said.append(f"{key} fits your forward pass (they are adjoint), but that is another operation.")
        elif fits:
            said.append(f"{key} does not fit your forward pass, either: the two are not adjoint.")
    return said
