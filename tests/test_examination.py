"""Answers that were written without a look at the lists of mistakes: what a check makes of them.

A sample in each run; ``CONVBP_THOROUGH=1 python3 course.py test -k examination`` takes all of them. The figures are
printed by ``python -m examination``, run in tests/.
"""

from collections import Counter

import pytest

import sample
from convbp import exercises
from examination import FIRST, FOURTH, SECOND, THIRD, verdict

SHEETS = [*FIRST, *SECOND, *THIRD, *FOURTH]
AT_LEAST = 0.85  # of the wrong ones have a name


def some(of, usual):
    """A few of them, others in each run."""
    of = list(of)
    chosen = sample.rng(f"examination {len(of)}").permutation(len(of))
    return [of[n] for n in chosen[: sample.size(usual, thorough=len(of))]]


def checked(sheet, function):
    return getattr(exercises, sheet.exercise).check(function)


def test_what_is_right_is_accepted():
    assert min(len(sheet.right_ones) for sheet in FIRST) >= 6
    for sheet in (*FIRST, *FOURTH):
        for style, function in some(sheet.right_ones.items(), 1):
            assert checked(sheet, function).passed, f"{sheet.exercise}, {style}: {checked(sheet, function)}"


@pytest.mark.slow
def test_what_is_wrong_is_refused_and_has_no_name_of_another_mistake():
    for sheet in some(SHEETS, 8):  # the first check of an exercise takes longest
        for wrong in some(sheet.wrong_ones, 6):
            result = checked(sheet, wrong.function)
            assert verdict(wrong, result) not in ("passed", "misnamed"), f"{wrong.mistake}: {result}"


@pytest.mark.skipif(not sample.THOROUGH, reason="takes all answers")
def test_most_are_named():
    said = Counter(verdict(wrong, checked(sheet, wrong.function)) for sheet in SHEETS for wrong in sheet.wrong_ones)
    assert said["named"] >= AT_LEAST * said.total()


def test_the_answers_are_many():
    examined = {sheet.exercise for sheet in FIRST}
    assert examined == {sheet.exercise for sheet in SECOND}
    assert len(examined) >= 18
    assert examined <= set(exercises._BY_NAME)
    assert min(len(sheet.wrong_ones) for sheet in FIRST) >= 15
    assert min(len(sheet.wrong_ones) for sheet in SECOND) >= 5
    assert sum(len(sheet.wrong_ones) for sheet in FOURTH) >= 120
    assert sum(len(sheet.right_ones) for sheet in FOURTH) >= 40
