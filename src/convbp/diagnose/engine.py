"""The way of a diagnosis: cases → call → read → compare → where it is wrong → the mistake.

The last step is that of the exercises: a `Computation` with its known mistakes, and `convbp.exercises.naming`, which
finds the one whose numbers are those that came, on every case.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convbp.diagnose.calling import Callee, as_answer, called
from convbp.diagnose.conditions import where
from convbp.diagnose.report import Diagnosis, Finding
from convbp.exercises.describing import counts_in, describe, ratio
from convbp.exercises.mistakes import Computation
from convbp.exercises.naming import Explanation, Known, name
from convbp.exercises.reading import Answer
from convbp.exercises.variants import variants

_DESCRIBED = 6  # cases at most that are looked at where no mistake explains the numbers
TOLERANCES = {"float16": 2e-2, "float32": 1e-5, "float64": 1e-9}


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
    order: tuple[int, ...] | None = None
    also: Callable[[Mapping], Sequence[np.ndarray]] = field(default=lambda arguments: ())


@dataclass(frozen=True)
class Seen:
    """What came back for one case: an answer, or why there is none. Where the function stopped, nothing is known."""

    case: Case
    expected: np.ndarray
    answer: Answer | None
    problem: str = ""
    stopped: bool = False

    @property
    def right(self) -> bool:
        """Whether it is what was expected."""
        return self.answer is not None and self.answer.equals(self.expected)


def tried(
    function: Callee,
    sought: Mapping[str, Sought],
    cases: Sequence[Case],
    hand: Callable[[Case], Mapping[str, Any]],
    to: Callable[[np.ndarray], Any],
    tolerance: float,
    names_of: Callable[[Any], Mapping[str, Any]],
) -> tuple[dict[str, list[Seen]], list[str]]:
    """Call a function on all cases; return for each result what was seen, and notes."""
    seen: dict[str, list[Seen]] = {}
    notes: dict[str, None] = {}
    back = [called(function, hand(case), to) for case in cases]
    named = [names_of(result) if not problem else {} for result, problem, _ in back]
    given = {key for one in named for key, value in one.items() if value is not None}
    for key, one in sought.items():
        if key not in given and any(named):
            continue  # some results are enough
        seen[key] = []
        for case, (_, problem, _), results in zip(cases, back, named, strict=True):
            answer, stopped = None, bool(problem)
            if not stopped:
                answer, problem = as_answer(results.get(key), tolerance)
            if answer is not None and one.order and answer.values.ndim == len(one.order):
                turned = answer.values.transpose(np.argsort(one.order))
                answer = Answer(turned, answer.tolerance, answer.integers)
            expected = one.right(**case.arguments)
            if answer is not None and not answer.equals(expected):
                expected = next((other for other in one.also(case.arguments) if answer.equals(other)), expected)
            seen[key].append(Seen(case, expected, answer, problem, stopped))
    problems = [problem for _, problem, _ in back]
    if any(problems):
        at = where([bool(one) for one in problems], _conditions([case.conditions for case in cases]))
        count = sum(map(bool, problems))
        notes[f"It stops on {count} cases{f', {at}' if at else ''}: {next(filter(None, problems))}"] = None
    for _, _, changed in back:
        notes |= {
            f"It changes its argument {key}, in which whoever called it finds other numbers.": None for key in changed
        }
    return seen, list(notes)


def _conditions(of_cases: Sequence[Mapping[str, bool]]) -> dict[str, list[bool]]:
    """What is true of the cases, by the words for it."""
    return {words: [one[words] for one in of_cases] for words in (of_cases[0] if of_cases else {})}


def finding(sought: Sought, seen: Sequence[Seen], shown: Callable[[Mapping], str]) -> Finding:
    """Say where a result is wrong, and which mistake gives its numbers."""
    right = sum(one.right for one in seen)
    known = [one for one in seen if not one.stopped]  # what stops it says nothing of a single result
    conditions = _conditions([one.case.conditions for one in known])
    condition = where([not one.right for one in known], conditions)
    unread = [one for one in known if one.answer is None]
    lines: list[str] = []
    names: tuple[str, ...] = ()
    if unread:
        at = where([one.answer is None for one in known], conditions)
        lines.append(f"No numbers on {len(unread)} cases{f', {at}' if at else ''}: {unread[0].problem}")
    answered = [one for one in seen if one.answer is not None]
    if any(not one.right for one in answered):
        explanation = _named(sought, answered)
        if explanation:
            lines += [*_in_words(explanation)]
            names = explanation.names
        else:
            lines += _described(sought, [one for one in answered if not one.right])
        first = next(one for one in answered if not one.right)
        lines.append(_entry(first, sought, shown))
    return Finding(right, len(seen), condition, names, "\n".join(lines), len(seen) - len(known))


def _known(sought: Sought, seen: Sequence[Seen]) -> Known:
    inputs = [one.case.arguments for one in seen]

    def edited() -> list[Any]:
        return [one for program in sought.programs for one in variants(program, "the lines above")]

    return Known(sought.computation, inputs, edited)


def _named(sought: Sought, answered: Sequence[Seen]) -> Explanation | None:
    """The mistake that gives all answers: the search begins with the last, and goes on with the first.

    So the smallest that is wrong comes last, and those that are right, with which most mistakes agree, before it.
    """
    smallest, *others = sorted(answered, key=lambda one: (one.right, one.expected.size))
    in_order = [*others, smallest]
    answers = [one.answer for one in in_order if one.answer is not None]
    by = [ratio(answer, one.expected) for answer, one in zip(answers, in_order, strict=True) if one.expected.any()]
    factors = np.array(by, float)  # NaN where it is not right but for a factor
    if factors.size and np.allclose(factors, factors[0]) and not np.isclose(factors[0], -1):
        return None  # right but for one number, which is said without a search
    counts = [_counts(one.case.arguments) for one in in_order]
    return name(_known(sought, in_order), answers, [one.expected for one in in_order], counts)


def _counts(arguments: Mapping[str, Any]) -> dict[str, float]:
    return counts_in({name: value for name, value in arguments.items() if isinstance(value, np.ndarray | int | float)})


def _described(sought: Sought, wrong: Sequence[Seen]) -> list[str]:
    some = list(wrong)[:_DESCRIBED]
    answers = [one.answer for one in some if one.answer is not None]
    counts = [_counts(one.case.arguments) for one in some]
    return [" ".join(describe(_known(sought, some), answers, [one.expected for one in some], counts, sought.axes))]


def _in_words(found: Explanation) -> list[str]:
    each = []
    for m in found.made:
        each += [*" ".join(filter(None, [m.done, m.why])).splitlines(), f"See {m.where}."]
    return [*each, *found.besides.values()]


def _entry(one: Seen, sought: Sought, shown: Callable[[Mapping], str]) -> str:
    assert one.answer is not None
    given = shown(one.case.arguments)
    if one.answer.shape != one.expected.shape:
        return f"First with {given}: its shape is {one.answer.shape}, expected is {one.expected.shape}."
    at = one.answer.first_difference(one.expected)
    place = f"at ({', '.join(f'{axis} {n}' for axis, n in zip(sought.axes, at, strict=True))})" if at else "it"
    return f"First with {given}: {place} came {one.answer.values[at]:.6g}, expected is {one.expected[at]:.6g}."


def diagnosis(
    operation: str,
    forward: Callee | None,
    backward: Callee | None,
    sought: Mapping[str, Sought],
    output: Sought,
    cases: Sequence[Case],
    hand: Callable[[Case], Mapping[str, Any]],
    shown: Callable[[Mapping], str],
    to: Callable[[np.ndarray], Any],
    dtype: np.dtype,
    notes: Sequence[str] = (),
    linear_in: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Try both functions on all cases, and say what was seen.

    ``linear_in`` names the argument that each result is the gradient for, if the operation is linear in it: then
    whether forward and backward are adjoint, ⟨A x, δ⟩ = ⟨x, Aᵀ δ⟩, is seen as well.
    """
    tolerance = TOLERANCES[dtype.name]
    results: dict[str, list[Seen]] = {}
    said = list(notes)
    if forward is not None:
        results, more = tried(forward, {"forward": output}, cases, hand, to, tolerance, lambda y: {"forward": y})
        said += [f"forward: {note}" for note in more]
    if backward is not None:
        order = list(sought)

        def names_of(value: Any) -> Mapping[str, Any]:
            if isinstance(value, dict):
                return value
            several = isinstance(value, tuple) or (
                isinstance(value, list) and len(value) <= len(order) and _arrays(value)
            )
            return dict(zip(order, value if several else [value], strict=False))

        more_seen, more = tried(backward, sought, cases, hand, to, tolerance, names_of)
        results |= more_seen
        said += [f"backward: {note}" for note in more]
    everything = {**sought, "forward": output}
    found = {key: finding(everything[key], seen, shown) for key, seen in results.items()}
    if "forward" in found and not found["forward"].agrees and linear_in:
        said += _adjoint(results, linear_in)
    return Diagnosis(operation, found, tuple(said))


def _arrays(value: Sequence) -> bool:
    """Whether it is a list of arrays rather than an array in lists."""
    return all(hasattr(entry, "shape") for entry in value) or len({np.ndim(entry) for entry in value}) > 1


def _adjoint(results: Mapping[str, Sequence[Seen]], linear_in: Mapping[str, str]) -> list[str]:
    """Whether a forward pass that is another operation and its backward pass fit each other."""
    said = []
    for key, argument in linear_in.items():
        if key not in results or results[key][0].answer is None:
            continue
        fits = []
        for ahead, behind in zip(results["forward"], results[key], strict=True):
            arguments = ahead.case.arguments
            if ahead.answer is None or behind.answer is None or ahead.answer.shape != arguments["delta"].shape:
                continue
            if behind.answer.shape != arguments[argument].shape:
                continue
            ahead_sum = float(np.vdot(ahead.answer.values - arguments.get("bias", 0), arguments["delta"]))
            behind_sum = float(np.vdot(behind.answer.values, arguments[argument]))
            size = np.linalg.norm(ahead.answer.values) * np.linalg.norm(arguments["delta"])
            fits.append(abs(ahead_sum - behind_sum) <= 10 * ahead.answer.tolerance * size)
        if fits and all(fits):
            said.append(f"{key} fits your forward pass (they are adjoint), but that is another operation.")
        elif fits:
            said.append(f"{key} does not fit your forward pass, either: the two are not adjoint.")
    return said
