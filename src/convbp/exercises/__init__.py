"""Exercises that check themselves, and recognise the mistake.

    from convbp import exercises
    exercises.kernel_gradient                       what is asked for
    exercises.kernel_gradient.check(my_function)    or a number, or an array: the result for .example
    exercises.kernel_gradient.hint()                one step at a time
    exercises.kernel_gradient.solution()
    exercises.progress()                            which are done
    exercises.remember("valid size", "flip")        questions on earlier notebooks, with new numbers each time
    exercises.answer, .compare, .judge              short answers of the notebooks (short.py, questions.py)

An exercise stands in one place, its theme (`convbp.exercises.themes`): what is asked for, the inputs, hints, the right
computation, the known mistakes and a solution. The path of an answer through `check` (checking.py) is

    run         running.py      the function on each input, whatever it does
    read        reading.py      what came back as an array of numbers, or why it is none
    compare     checking.py     each with the right result
    name        naming.py       the mistake that gives the same numbers: a known one (mistakes.py), one edit of a
                                right program (variants.py), or something done to an argument or to the result
                                (misreadings.py)
    describe    describing.py   else what can be seen of the numbers
    show        result.py       the card, and the picture

All of it stays in this session: nothing is stored, and nothing is sent anywhere.
"""

from difflib import get_close_matches
from typing import TYPE_CHECKING

from convbp.exercises.exercise import Exercise, Note
from convbp.exercises.result import Result
from convbp.exercises.short import answer, compare, judge
from convbp.exercises.themes import ALL

if TYPE_CHECKING:
    from convbp.exercises.remembering import Remember, remember

_BY_NAME = {exercise.name: exercise for exercise in ALL}
__all__ = ["ALL", "Exercise", "Remember", "Result", "answer", "compare", "judge", "progress", "remember", *_BY_NAME]


def __getattr__(name: str) -> Exercise:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in ("Remember", "remember"):  # widgets, which a diagnosis does without
        from convbp.exercises import remembering

        return getattr(remembering, name)
    near = get_close_matches(name, _BY_NAME, 1)
    hint = f" Is it {near[0]}?" if near else ""
    raise AttributeError(f"exercises has no exercise {name}.{hint} exercises.progress() lists all.", name=name)


def __dir__() -> list[str]:
    return __all__


def progress(*some: Exercise) -> Note:
    """Say which exercises are done in this session.

    Parameters
    ----------
    *some : Exercise
        Of which; of all, if none is named.

    Returns
    -------
    Note

    >>> progress(rot180)
    0 of 1 done. Not tried: rot180.
    """
    some = some or ALL
    groups: dict[str, list[str]] = {"Done": [], "Tried": [], "Not tried": []}
    for exercise in some:
        groups["Done" if exercise.done else "Tried" if exercise.tried else "Not tried"].append(exercise.name)
    lists = [f"{word}: {', '.join(names)}." for word, names in groups.items() if names]
    return Note(" ".join([f"{len(groups['Done'])} of {len(some)} done.", *lists]))
