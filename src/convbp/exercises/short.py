"""Short answers: what a reader predicts, and the small checks that a notebook writes itself.

    exercises.compare(mine, literal[0, 1], other="the corner is on row 0, column 1.")
    exercises.answer("layers", mine)        what is right stands in questions.py: who reads the cell does not see it
    exercises.judge(check, mine, "image, kernel")       check is the notebook's, and never sees what is no array

Whatever stands there, text, None or a function, is answered with a sentence. All of them print it, and return whether
the answer is right: as something that shows nothing, so that it may stand at the end of a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from convbp.exercises.questions import QUESTIONS, Question
from convbp.exercises.reading import plain
from convbp.exercises.running import Call, kept, read_safely, run

Of = Mapping[str, object] | Sequence[Mapping[str, object]] | None  # the arguments for a function that is handed in
_A_NUMBER = "a number"


class Right:
    """Whether an answer is right; the words have been printed, so a notebook shows nothing more.

    Attributes
    ----------
    right : bool
    """

    def __init__(self, right: bool) -> None:
        self.right = right

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return ""

    def _ipython_display_(self) -> None:
        pass


def answer(name: str, mine: object, *, of: Of = None) -> Right:
    """Print whether a question's answer is right, and if it is not, what may have gone wrong.

    Parameters
    ----------
    name : str
        Which of the questions of `convbp.exercises.questions`.
    mine : object
        The reader's answer; the three dots are none yet.
    of : mapping or list of them, optional
        The answer is a function, and its results for these arguments are asked for.

    Returns
    -------
    Right

    >>> bool(answer("wrong line", ...))
    Put the number of a line in the place of the dots.
    False
    """
    if name not in QUESTIONS:
        raise ValueError(f"answer: there is no question {name!r}; expected one of {', '.join(QUESTIONS)}.")
    return _say(_words_for(QUESTIONS[name], mine, of))


def compare(
    mine: object,
    right: Any,
    *slips: tuple[Any, Any],
    other: Any = None,
    yes: str = "",
    asked: str = _A_NUMBER,
    shape: tuple[int, ...] | None = None,
    close: float = 1e-9,
    of: Of = None,
) -> Right:
    """Print whether an answer in numbers is right, and if it is not, what may have gone wrong.

    Parameters
    ----------
    mine : object
        The reader's answer; the three dots are none yet.
    right : array_like or callable
        The right numbers, or what says of an array whether it is right.
    *slips : pairs
        Wrong numbers, or what says of an array whether it is so, and words for the mistake, or what makes them.
    other : str or callable
        The words for any other; left out, they are about the first entry that differs.
    yes : str
        What is added to *Yes*.
    asked : str
        What is asked for, as in *Put … in the place of the dots*.
    shape : tuple of int, optional
        The shape that the answer has to have. Without it as many numbers are enough.
    close : float
        By how much an entry may differ.
    of : mapping or list of them, optional
        The answer is a function, and its results for these arguments are asked for: of a list, one below the other.

    Returns
    -------
    Right

    >>> bool(compare(3, 4, (3, "add the bias."), other="count again."))
    Not yet: add the bias.
    False
    """
    return _say(_words_for(Question(right, slips, other, yes, asked, shape, close), mine, of))


def judge(check: Callable, mine: object, takes: str = "", *, many: bool = False, kind: type = object) -> Right:
    """Print what a notebook's own check says of an answer, or why it is none.

    Parameters
    ----------
    check : callable
        Takes the answer and returns a sentence. Of a function it gets one that returns arrays of numbers.
    mine : object
        The reader's answer.
    takes : str
        The names of the arguments, if it is a function.
    many : bool
        The function returns several arrays, in a tuple or a dict.
    kind : type
        What the answer has to be, if it is no function; of ``float`` any number.

    Returns
    -------
    Right

    >>> bool(judge(lambda double: "Yes." if double(2) == 4 else "Not yet.", None, "n"))
    Not yet: a function is asked for, and None stands there.
    False
    """
    try:
        return _say(check(_careful(mine, takes, many) if takes else _of_kind(mine, kind)))
    except _Refused as reason:
        return _say(str(reason))
    except Exception as error:
        return _say(f"Not yet: it stopped with {type(error).__name__}: {plain(error.__str__, '')}")


class _Refused(Exception):
    """Why it is no answer, as a sentence."""


def _say(words: object) -> Right:
    print(words)
    return Right(str(words).startswith("Yes"))


def _words_for(question: Question, mine: object, of: Of = None) -> str:
    """What is said to an answer."""
    try:
        if isinstance(question.right, frozenset):
            given: Any = _names(mine, question)
        elif of is not None:
            given = _results(mine, [of] if isinstance(of, Mapping) else of, question)
        else:
            given = _numbers(mine, question)
    except _Refused as reason:
        return str(reason)
    if _is(given, question.right, question):
        return f"Yes{': ' if question.yes else '.'}{question.yes}"
    right = question.right
    compared = "look at it once more." if callable(right) or isinstance(right, frozenset) else None
    other = question.other or compared or (lambda given: _first_difference(given, np.asarray(right)))
    said = next((words for wrong, words in question.slips if _is(given, wrong, question)), other)
    return f"Not yet: {said(given) if callable(said) else said}"


def _first_difference(given: np.ndarray, right: np.ndarray) -> str:
    at = tuple(int(n) for n in np.argwhere(given != right)[0])
    return f"the entry {at} should be {right[at]:g}, yours is {given[at]:g}."


def _results(mine: object, of: Sequence[Mapping[str, object]], question: Question) -> np.ndarray:
    """What a function gives for each of these arguments, in one array."""
    function = _careful(mine, ", ".join(of[0]), many=False)
    results = [function(*arguments.values()) for arguments in of]
    right = np.shape(question.right)[len(of) > 1 :]
    for result in results:
        if result.shape != right:
            raise _Refused(f"Not yet: your result has shape {result.shape}, expected {right}.")
    return np.stack(results) if len(of) > 1 else results[0]


def _is(given: Any, wanted: Any, question: Question) -> bool:
    if callable(wanted):
        return bool(wanted(given))
    if isinstance(given, frozenset):
        return given == wanted
    wanted = np.asarray(wanted, float)
    if given.ndim == 1:  # as many numbers are enough
        wanted = wanted.reshape(-1)
    return given.shape == wanted.shape and np.allclose(given, wanted, rtol=0, atol=question.close)


def _numbers(mine: object, question: Question) -> Any:
    """The answer as an array of numbers: of the shape that is asked for, or in one row."""
    put = f"Put {question.asked} "
    if _has_dots(mine):
        raise _Refused(f"{put}in the place of the dots.")
    call = read_safely(mine)
    if call.answer is None or call.answer.size_only:
        raise _Refused(f"Not yet: {_what(mine, call)}. {put}there.")
    given = call.answer.values
    if not np.isfinite(given).all():
        raise _Refused(f"Not yet: an entry is NaN or infinite. {put}there.")
    if question.shape is not None and given.shape != question.shape and given.ndim:
        raise _Refused(f"Not yet: this has the shape {given.shape}, expected {question.shape}. {put}there.")
    size = None if callable(question.right) else np.size(question.right)
    size = 1 if question.asked == _A_NUMBER else size
    if (question.shape is None and size not in (None, given.size)) or (question.shape and not given.ndim):
        raise _Refused(f"Not yet: {_count(given.size)}. {put}there.")
    if question.shape is None:
        given = given.reshape(-1)
    return given[0] if size == 1 and callable(question.right) else given


def _count(size: int) -> str:
    return f"that is {size} number{'' if size == 1 else 's'}" if size else "there is no number in it"


def _names(mine: object, question: Question) -> frozenset:
    put = f"Put {question.asked} in the place of the dots."
    if _has_dots(mine) or (isinstance(mine, set | frozenset) and ... in mine):
        raise _Refused(put)
    if not isinstance(mine, set | frozenset | list | tuple) or not all(isinstance(one, str) for one in mine):
        raise _Refused(f"Not yet: expected names in braces, {{'…', '…'}}. {put}")
    unknown = sorted(set(mine) - set(question.among))
    if unknown:
        raise _Refused(f"Not yet: {plain(lambda: unknown[0], 'that', 40)} is none of {', '.join(question.among)}.")
    if not mine:
        raise _Refused(f"Not yet: there is no name in it. {put}")
    return frozenset(mine)


def _has_dots(mine: object, depth: int = 8) -> bool:
    """Whether the three dots stand there, or anywhere in lists of lists."""
    if mine is ...:
        return True
    if isinstance(mine, np.ndarray) and mine.dtype == object and mine.size < 1000:
        return any(one is ... for one in mine.flat)
    if isinstance(mine, list | tuple) and depth and len(mine) < 1000:
        return any(_has_dots(one, depth - 1) for one in mine)
    return False


def _what(mine: object, call: Call) -> str:
    """What stands there that is no array of numbers, in words."""
    if mine is None:
        return "None stands there"
    if isinstance(mine, str | bytes):
        return "that is text, between quotation marks"
    if callable(mine):
        return "a function stands there" if not isinstance(mine, type) else "a class stands there"
    if call.answer is not None:
        return f"that is an array of shape {call.answer.shape}"
    said = call.problem.replace("came back", "stands there" if call.problem.startswith("A ") else "stand there")
    said = said.partition("\n")[0].rstrip(".")
    return said[:1].lower() + said[1:]


def _of_kind(mine: object, kind: type) -> object:
    if kind is float:
        return float(_numbers(mine, Question(lambda given: True, (), "")))
    if not isinstance(mine, kind):
        raise _Refused(f"Not yet: a {kind.__name__} is asked for, and {_what_else(mine)} stands there.")
    return mine


def _what_else(mine: object) -> str:
    return "None" if mine is None else f"a value of type {plain(lambda: type(mine).__name__, 'unknown', 40)}"


def _careful(function: object, takes: str, many: bool) -> Callable[..., Any]:
    """The reader's function; what comes back from it is an array of numbers, or nothing does."""
    if not callable(function) or isinstance(function, type):
        raise _Refused(f"Not yet: a function is asked for, and {_what_else(function)} stands there.")
    names = takes.split(", ")

    def called(*arguments: object) -> Any:
        results: list[object] = []
        done = run(kept(function, results) if many else function, [dict(zip(names, arguments, strict=True))])
        (call,) = done.calls
        if call.problem:
            raise _Refused(f"Not yet. {call.problem}")
        if call.changed:
            raise _Refused(f"Not yet: {call.changed[0]} has changed. Work on a copy.")
        if not many:
            return _values(call)
        return _each(results[0])

    return called


def _values(call: Call) -> np.ndarray:
    if call.answer is None:
        raise _Refused(f"Not yet. {call.problem}")
    if call.answer.size_only:
        raise _Refused(f"Not yet: your result has shape {call.answer.shape}, which is too large for any answer here.")
    if not np.isfinite(call.answer.values).all():
        raise _Refused("Not yet: an entry of your result is NaN or infinite. Was something divided by 0?")
    return call.answer.values


def _each(result: object) -> Any:
    """The arrays of a tuple or a dict; what is neither as it is."""
    if isinstance(result, Mapping):
        return {name: _values(read_safely(part)) for name, part in result.items()}
    if isinstance(result, Sequence) and not isinstance(result, str):
        return [_values(read_safely(part)) for part in result]
    return result
