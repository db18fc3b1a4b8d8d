"""An exercise: what it asks for, and the check of an answer."""

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np

from convbp.exercises.judging import Known, Verdict, judge
from convbp.exercises.reading import Answer, plain
from convbp.exercises.result import Result, card, scene_of, sum_text
from convbp.exercises.running import SECONDS, Call, read_safely, run
from convbp.misconceptions import Misconception, Task
from convbp.notation import number
from convbp.sums import exact

BLUE = "#0072b2"


class Note(str):
    """A text that shows itself as a card."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return card(str(self), BLUE)


class Source(str):
    """Python code that shows itself as such."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return f"```python\n{self}\n```"


@dataclass(frozen=True)
class Accepted:
    """An answer that differs from the reference and is right as well."""

    said: str
    steps: Mapping[str, Callable]


@dataclass(eq=False)
class Exercise:
    """A function to write, or a number to find, and how it is checked.

    `check` takes a function, or a number or an array: the result for `example`. Printing the exercise shows what is
    asked for.

    Attributes
    ----------
    name : str
    task : str
        What is asked for, in a sentence or two.
    takes : mapping
        The arguments in their order, each with what it is and its shape.
    returns : str
    equation : str
        Where it is derived.
    computation : Task
    inputs : list of dict
        The arguments of each call; the first is the example.
    trace : callable
        Gives the result with each entry as a `convbp.sums.Sum`.
    axes : tuple of str
        What the axes of the result count.
    hints : tuple of str
    answer : callable
        A solution as a reader could have written it.
    layouts : mapping
        Other layouts in which the arguments may be taken: name -> the order of the axes of each argument and of the
        result.
    accepted : callable, optional
        Takes the arguments of the example and the result for them; returns what is right as well and may be meant, an
        `Accepted`, or None.
    usual : sequence of Accepted
        Those that a wrong answer is looked at with, too.
    """

    name: str
    task: str
    takes: Mapping[str, str]
    returns: str
    equation: str
    computation: Task
    inputs: Sequence[Mapping]
    trace: Callable
    axes: tuple[str, ...]
    hints: tuple[str, ...]
    answer: Callable
    layouts: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    accepted: Callable[[Mapping, np.ndarray], Accepted | None] = lambda arguments, result: None
    usual: Sequence[Accepted] = ()

    def __post_init__(self):
        self._known = Known(self.computation, self.inputs)
        self._hints_given = 0
        self.tried = self.done = False
        for arguments in self.inputs:
            for value in arguments.values():
                if isinstance(value, np.ndarray):
                    value.setflags(write=False)

    @property
    def signature(self) -> str:
        """How the function is called."""
        return f"{self.name}({', '.join(self.takes)})"

    @property
    def example(self) -> Mapping:
        """The arguments of the first call, by name; a number or an array is checked as the result for these."""
        return MappingProxyType({n: v.copy() if isinstance(v, np.ndarray) else v for n, v in self.inputs[0].items()})

    @cached_property
    def expected(self) -> list[np.ndarray]:
        """The right result for each of the inputs."""
        return [self.computation.right(arguments) for arguments in self.inputs]

    def check(
        self,
        answer: object,
        *,
        at: Sequence[int] | None = None,
        layout: str | None = None,
        points: float = 1,
        seconds: float = SECONDS,
    ) -> Result:
        """Check an answer.

        Parameters
        ----------
        answer : callable, number or array_like
            A function with the exercise's signature, or the result for `example`.
        at : tuple of int, optional
            If only one entry of the result for `example` is handed in: its index.
        layout : str, optional
            One of `layouts`, if the function takes its arguments in it.
        points : float
            For an answer that is right on all inputs.
        seconds : float
            How long the function may take, for all inputs together.

        Returns
        -------
        Result

        Raises
        ------
        ValueError
            If there is no such layout or entry. Nothing that is wrong with the answer itself raises.
        """
        axes = self._axes_of(layout)
        if at is not None:
            at = self._index(at)
        if answer is Ellipsis:
            return self._result(False, 0, (), "Not yet. Put your answer in the place of the three dots.")
        self.tried = True
        if callable(answer) and at is None:
            result = self._check_function(answer, axes, points, seconds)
        else:
            result = self._check_value(answer, at, axes, points)
        self.done |= result.passed
        return result

    def hint(self, step: int | None = None) -> Note:
        """Return the next hint, or hint number ``step``, counted from 1."""
        if step is None:
            step = self._hints_given = min(self._hints_given + 1, len(self.hints))
        elif not 1 <= step <= len(self.hints):
            raise ValueError(f"{self.name}: hint is {step!r}; expected a number from 1 to {len(self.hints)}.")
        last = f"\nThat was the last hint; {self.name}.solution() shows a solution." if step == len(self.hints) else ""
        return Note(f"Hint {step} of {len(self.hints)}. {self.hints[step - 1]}{last}")

    def solution(self) -> Source:
        """Return a solution, as code."""
        return Source(inspect.getsource(self.answer).strip())

    def __repr__(self) -> str:
        width = max(map(len, self.takes))
        arguments = "\n".join(f"  {name:<{width}}  {what}" for name, what in self.takes.items())
        layouts = (
            f"\nIn another layout: check(…, layout={' or '.join(map(repr, self.layouts))})." if self.layouts else ""
        )
        return (
            f"{self.signature}\n{self.task}\n{arguments}\n"
            f"  returns {self.returns}\n"
            f"Derived in: {self.equation}.\n"
            f"It is called with {len(self.inputs)} inputs and may take {SECONDS:g} seconds.{layouts}"
        )

    def _repr_html_(self) -> str:
        return card(repr(self), BLUE)

    # The two kinds of answers

    def _check_function(self, function: Callable, axes: Mapping, points: float, seconds: float) -> Result:
        given = [{name: self._turned(value, axes.get(name)) for name, value in one.items()} for one in self.inputs]
        done = run(function, given, seconds)
        returned = [call.answer for call in done.calls]
        for call in done.calls:
            self._turn_back(call, axes.get("result"))
        notes = _notes(done.printed)
        expected, steps = self._expected_as(done.calls)
        right = [self._is_right(call, e) for call, e in zip(done.calls, expected, strict=False)]
        share = sum(right) / len(self.inputs)
        if all(right) and len(right) == len(self.inputs) and done.repeatable:
            said = [f"Yes. Right on all {len(right)} inputs.", *notes]
            return self._result(True, points, (), "\n".join([*said, steps] if steps else said))
        problem = _first_problem(done.calls)
        if problem:
            number_, call = problem
            where = f" (on input {number_ + 1} of {len(self.inputs)})" if number_ else ""
            said = [f"Not yet{where}. {call.problem}", *self._asked_for(call), *notes]
            return self._result(False, points * share, (), "\n".join(said))
        if not done.repeatable:
            text = "Not yet. Two calls with the same numbers gave different results: is there something random in it, "
            return self._result(False, 0, (), "\n".join([text + "or does it remember the call before?", *notes]))
        changed = sorted({name for call in done.calls for name in call.changed})
        if changed:
            notes.append(_on_changed(changed))
        if "result" in axes and all(answer.equals(e) for answer, e in zip(returned, expected, strict=True)):
            text = (
                f"Not yet. The numbers are right, but asked for in that layout, too: result.transpose{axes['result']}."
            )
            return self._result(False, 0, ("another layout",), "\n".join([text, *notes]))
        if axes:
            notes.append(f"Below, axes stand as in the course: {', '.join(self.axes)}.")
        answers = [call.answer for call in done.calls]
        if all(answer.equals(e) for answer, e in zip(answers, expected, strict=True)):
            return self._result(False, 0, (), "\n".join(["Not yet. The numbers are right, but:", *notes]))
        return self._wrong(answers, expected, points * share, notes)

    def _check_value(self, value: object, at: tuple[int, ...] | None, axes: Mapping, points: float) -> Result:
        call = read_safely(value)
        if call.problem:
            text = call.problem.replace("came back", "was handed in")
            return self._result(False, 0, (), "\n".join([f"Not yet. {text}", *self._asked_for(call)]))
        if at is not None:
            return self._check_entry(call.answer, at, points)
        self._turn_back(call, axes.get("result"))
        expected, said = self._expected_as([call])
        if call.answer.equals(expected[0]):
            return self._result(True, points, (), "\n".join(filter(None, ["Yes. Right.", said])))
        notes = []
        if call.answer.shape == () and expected[0].ndim:
            notes = [f"If it is one entry of the result, say which: check(…, at={(0,) * expected[0].ndim})."]
        return self._wrong([call.answer], expected[:1], 0, notes)

    def _check_entry(self, answer: Answer, at: tuple[int, ...], points: float) -> Result:
        """One entry of the result for the example. Several mistakes may give the same number; then none is named."""
        expected = self.expected[0][at]
        if answer.equals(np.asarray(expected)):
            return self._result(True, points, (), "Yes. Right.")
        made = {}
        for misconception in self.computation.misconceptions:
            wrong = self._known.wrong(0, (misconception,))
            there = wrong is not None and wrong.ndim == len(at) and all(np.less(at, wrong.shape))
            if there and answer.equals(np.asarray(wrong[at])):
                made[misconception.name] = misconception
        names = tuple(made) if len(made) == 1 else ()
        if answer.shape != ():
            return self._result(False, 0, (), f"Not yet. An array of shape {answer.shape} came; expected one number.")
        yours = f"Yours is {number(exact(answer.values))}."
        said = [_explained(tuple(made.values()))] if names else ["That is another number."]
        text = _with(self.inputs[0]) + sum_text(at, self.expected[0], None, self._entry(self.inputs[0], at))
        return self._result(False, 0, names, "\n".join([f"Not yet. {said[0]}", yours, text]))

    def _wrong(self, answers, expected, points, notes) -> Result:
        verdict = judge(self._known, answers, expected, self.axes)
        for other in self.usual if not verdict.made else ():
            task = Task(partial(self.computation.compute, **other.steps), self.computation.misconceptions)
            found = judge(
                Known(task, self.inputs), answers, [task.right(i) for i in self.inputs[: len(answers)]], self.axes
            )
            if found.made:
                verdict = replace(
                    found, sentences=[*found.sentences, f"Besides: {other.said}"], differs=verdict.differs
                )
                break
        wrong = next(n for n, (a, e) in enumerate(zip(answers, expected, strict=True)) if not a.equals(e))
        at = verdict.differs
        index = at if at is not None else (0,) * expected[wrong].ndim
        entry = self._entry(self.inputs[wrong], index)
        where = "" if wrong == 0 else f"On input {wrong + 1} of {len(self.inputs)}:\n"
        text = (
            where
            + _with(self.inputs[wrong])
            + sum_text(index, expected[wrong], None if at is None else answers[wrong], entry)
        )
        names = tuple(m.name for m in verdict.made) + (("cut off to integers",) if verdict.cut_off else ())
        scene = scene_of(answers[wrong], expected[wrong], at, entry, self.axes)
        return self._result(False, points, names, "\n".join([f"Not yet. {_said(verdict)}", *notes, text]), scene)

    def _result(self, passed, points, names, message, scene=None) -> Result:
        return Result(passed, float(points), names, message, scene)

    # Details

    def _expected_as(self, calls: Sequence[Call]) -> tuple[list[np.ndarray], str]:
        """The right results, or others that are accepted if the answers are these; and what to say about it."""
        answers = [call.answer for call in calls]
        other = self.accepted(self.inputs[0], answers[0].values) if None not in answers else None
        if other is not None:
            inputs = self.inputs[: len(answers)]
            results = [np.asarray(self.computation.compute(**i, **other.steps), float) for i in inputs]
            if all(answer.equals(result) for answer, result in zip(answers, results, strict=True)):
                return results, other.said
        return self.expected, ""

    @staticmethod
    def _is_right(call: Call, expected: np.ndarray) -> bool:
        return call.answer is not None and not call.changed and call.answer.equals(expected)

    def _asked_for(self, call: Call) -> list[str]:
        return [f"Asked for: {self.returns}."] if call.unreadable else []

    def _entry(self, arguments: Mapping, index: tuple[int, ...]) -> object:
        return np.asarray(self.trace(**arguments), object)[index]

    def _axes_of(self, layout: str | None) -> Mapping[str, tuple[int, ...]]:
        if layout is None:
            return {}
        if layout not in self.layouts:
            known = " or ".join(map(repr, self.layouts)) or "none, as there is only one"
            raise ValueError(f"{self.name}: layout is {layout!r}; expected {known}.")
        return self.layouts[layout]

    @staticmethod
    def _turned(value: object, order: tuple[int, ...] | None) -> object:
        return np.ascontiguousarray(value.transpose(order)) if order else value

    @staticmethod
    def _turn_back(call: Call, order: tuple[int, ...] | None) -> None:
        if order and call.answer and call.answer.values.ndim == len(order):
            values = call.answer.values.transpose(np.argsort(order))
            call.answer = Answer(values, call.answer.tolerance, call.answer.integers)

    def _index(self, at: Sequence[int]) -> tuple[int, ...]:
        shape = self.expected[0].shape
        try:
            index = tuple(operator.index(n) for n in (at if isinstance(at, tuple | list) else (at,)))
        except TypeError:
            index = ()
        if len(index) != len(shape) or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
            last = tuple(n - 1 for n in shape)
            raise ValueError(f"{self.name}: at is {at!r}; expected an index of the result, up to {last}.")
        return index


def _said(verdict: Verdict) -> str:
    said = [_explained(verdict.made)] if verdict.made else []
    if verdict.cut_off:
        said.append(
            "Your numbers are cut off to integers: an array made of integers keeps nothing else. "
            "Make it with np.zeros(shape), which is of floats."
        )
    if verdict.sentences:
        said.append(" ".join(verdict.sentences))
    return "\n".join(said)


def _with(arguments: Mapping) -> str:
    """The arguments that are short enough for a line."""
    short = [f"{name} = {value}" for name, value in arguments.items() if not isinstance(value, np.ndarray)]
    return f"With {', '.join(short)}:\n" if short else ""


def _explained(made: tuple[Misconception, ...]) -> str:
    if len(made) == 1:
        (m,) = made
        return f"{m.done} {m.why} See {m.where}."
    lines = [f"{n}. {m.done} {m.why} See {m.where}." for n, m in enumerate(made, 1)]
    return "\n".join(["Two things together explain your result:", *lines])


def _first_problem(calls: Sequence[Call]) -> tuple[int, Call] | None:
    return next(((n, call) for n, call in enumerate(calls) if call.problem), None)


def _notes(printed: str) -> list[str]:
    if not printed:
        return []
    line = plain(lambda: printed, "…", 60)
    return [f"(Your function also prints, which is not shown here: “{line}”.)"]


def _on_changed(names: Sequence[str]) -> str:
    copies = ", ".join(f"{name} = {name}.copy()" for name in names)
    return (
        f"Your function changes its argument{'s' if len(names) > 1 else ''} {', '.join(names)}, "
        f"and whoever called it finds other numbers there. Work on a copy: {copies}."
    )
