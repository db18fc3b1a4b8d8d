"""An exercise: what it asks for, and the check of an answer."""

import ast
import inspect
import operator
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

import numpy as np

from convbp.exercises.checking import check_entry, check_function, check_value, in_words
from convbp.exercises.describing import counts_in
from convbp.exercises.drawing import Draw, drawn, new_numbers
from convbp.exercises.misreadings import Misreading, unusual, usual
from convbp.exercises.mistakes import Computation, Misconception
from convbp.exercises.naming import Known, name
from convbp.exercises.reading import Answer
from convbp.exercises.result import Result, card
from convbp.exercises.running import SECONDS
from convbp.exercises.variants import Variant, variants

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
    asked for. `exercise` makes one of its solution.

    Attributes
    ----------
    answer : callable
        A solution as a reader could have written it; its name is that of the exercise.
    task : str
        What is asked for, in a sentence or two.
    takes : mapping
        The arguments in their order, each with what it is and its shape.
    returns : str
    equation : str
        Where it is derived.
    axes : tuple of str
        What the axes of the result count.
    inputs : list of dict
        The arguments of each call; the first is the example, and another has its shapes with other numbers.
    hints : tuple of str
    compute : callable
        The right computation, its steps as keyword-only arguments that a mistake replaces.
    mistakes : list of lists of Misconception
        The known wrong answers, as `mistake` makes them.
    trace : callable
        Gives the result with each entry as a `convbp.sums.Sum`.
    layouts : mapping
        Other layouts in which the arguments may be taken: name -> the order of the axes of each argument and of the
        result.
    accepted : callable, optional
        Takes the arguments of the example and the result for them; returns what is right as well and may be meant, an
        `Accepted`, or None.
    programs : sequence of callables
        Other right programs, of which one edit is a mistake to be recognised, as one of the solution is.
    usual : sequence of Accepted
        Those that a wrong answer is looked at with, too.
    instead : mapping
        What else may be done in a step of ``compute``: the step's name -> words for it -> a function; or the names of
        several -> words -> as many functions. They are looked at, and each two of them for different steps, where
        nothing plainer explains an answer.
    draw : callable
        Takes random numbers and one of the inputs; returns another of its kind, for `variant`.
    """

    answer: Callable
    task: str
    takes: Mapping[str, str]
    returns: str
    equation: str
    axes: tuple[str, ...]
    inputs: Sequence[Mapping]
    hints: tuple[str, ...]
    compute: Callable
    mistakes: Sequence[Iterable[Misconception]]
    trace: Callable
    layouts: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=dict)
    accepted: Callable[[Mapping, np.ndarray], Accepted | None] = lambda arguments, result: None
    programs: Sequence[Callable] = ()
    usual: Sequence[Accepted] = ()
    instead: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)
    draw: Draw = new_numbers

    def __post_init__(self):
        self.name = self.answer.__name__
        self.computation = Computation(self.compute, self.mistakes)
        self.known = Known(self.computation, self.inputs, self._variants, self._unusual)
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
        order = self._order_of(layout)
        entry = None if at is None else self._index(at)
        if answer is Ellipsis:
            said = "Not yet. Put your answer in the place of the three dots."
            return Result(False, 0.0, (), said, kind="missing", exercise=self.name, where=self.equation)
        self.tried = True
        if entry is not None:
            result = check_entry(self, answer, entry, points)
        elif callable(answer):
            result = check_function(self, answer, order, points, seconds)
        else:
            result = check_value(self, answer, order, points)
        self.done |= result.passed
        return replace(result, exercise=self.name, where=result.where or self.equation)

    def variant(self, seed: str, n: int = 3) -> "Exercise":
        """Return the same exercise with other numbers, as one for each student.

        The shapes are those of its own inputs, of the example first. Every known mistake gives other numbers on them
        than the right answer and than each other mistake, as on its own inputs.

        Parameters
        ----------
        seed : str
            The same seed gives the same numbers, on every system.
        n : int
            How many inputs.

        Raises
        ------
        ValueError
            If n is not positive, or no such inputs were found.

        >>> rot180.variant("s123456").example["kernel"].shape
        (2, 3)
        """
        if n < 1:
            raise ValueError(f"{self.name}: n is {n!r}; expected how many inputs, 1 or more.")
        inputs = drawn(self.computation, self.inputs, n, f"{self.name} {seed}", self.draw)
        return replace(self, inputs=inputs)

    def mistake_in(self, result: object, arguments: Mapping, **steps: Callable) -> str:
        """What is known to go wrong that gives this result for any arguments, in words; empty if nothing is known.

        Parameters
        ----------
        result : array_like
            A wrong one. It need not be exact where the right one is not whole.
        arguments : mapping
            By name, as those of `example`.
        **steps : callable
            What is done instead of a step of the right computation, where that is right, too: another activation.
        """
        computation = Computation(partial(self.compute, **steps), self.mistakes)
        right = computation.right(arguments)
        tolerance = Answer.tolerance if np.array_equal(right, np.round(right)) else 1e-2
        answer = Answer(np.asarray(result, dtype=float), tolerance)
        found = name(Known(computation, [arguments]), [answer], [right], [counts_in(arguments)])
        return " ".join(in_words(found)) if found else ""

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
        lines, _ = inspect.getsourcelines(self.answer)  # the decorator, with all that is asked for, comes first
        code = textwrap.dedent("".join(lines))
        start = ast.parse(code).body[0].lineno
        return Source("\n".join(code.splitlines()[start - 1 :]).strip())

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

    # Details

    def _variants(self) -> list[Misreading | Variant]:
        edited = [variants(program, self.equation) for program in (self.answer, *self.programs)]
        return [*usual(self.inputs[0], self.equation), *(one for some in edited for one in some)]

    def _unusual(self) -> list[Misreading | Variant]:
        edits = [m for (m,) in self.known.variants() if isinstance(m, Variant)]
        guarded = [one for edit in edits if edit.may_be_guarded for one in edit.guarded()]
        return [*unusual(self.compute, self.inputs[0], self.expected[0], self.instead, self.equation), *guarded]

    def _order_of(self, layout: str | None) -> Mapping[str, tuple[int, ...]]:
        if layout is None:
            return {}
        if layout not in self.layouts:
            known = " or ".join(map(repr, self.layouts)) or "none, as there is only one"
            raise ValueError(f"{self.name}: layout is {layout!r}; expected {known}.")
        return self.layouts[layout]

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


def exercise(**asked) -> Callable[[Callable], Exercise]:
    """Make an `Exercise` of its solution; its name is the exercise's, and the arguments are the attributes."""
    return lambda solution: Exercise(solution, **asked)
