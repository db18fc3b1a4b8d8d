"""Answers that were written without a look at the lists of mistakes: what a check makes of them.

A sample in each run; ``CONVBP_THOROUGH=1 python3 course.py test -k examination`` takes all of them. The figures are
printed by ``python -m examination``, run in tests/.
"""

from collections import Counter

import pytest

import sample
from convbp import exercises
from examination import FIRST, SECOND, verdict

SHEETS = [*FIRST, *SECOND]
SAMPLE = 3  # of a sheet

# Of what was written for the second set, after the first had been mended, not everything has a name.
AT_LEAST = 0.85


def some(sheet, answers):
    rng = sample.rng(f"{sheet.exercise} {len(answers)}")
    count = sample.size(min(SAMPLE, len(answers)), thorough=len(answers))
    return [answers[n] for n in rng.choice(len(answers), count, replace=False)]


@pytest.mark.parametrize("sheet", FIRST, ids=lambda sheet: sheet.exercise)
def test_what_is_right_is_accepted(sheet):
    assert len(sheet.right_ones) >= 6
    for style, function in some(sheet, list(sheet.right_ones.items())):
        result = getattr(exercises, sheet.exercise).check(function)
        assert result.passed, f"{style}: {result}"


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.exercise)
def test_what_is_wrong_is_refused_and_never_by_another_name(sheet):
    for wrong in some(sheet, sheet.wrong_ones):
        result = getattr(exercises, sheet.exercise).check(wrong.function)
        assert verdict(wrong, result) not in ("passed", "misnamed"), f"{wrong.mistake}: {result}"


@pytest.mark.skipif(not sample.THOROUGH, reason="takes all answers")
def test_most_are_named_or_told():
    said = Counter(
        verdict(wrong, getattr(exercises, sheet.exercise).check(wrong.function))
        for sheet in SHEETS
        for wrong in sheet.wrong_ones
    )
    assert said["named"] + said["told"] >= AT_LEAST * said.total()


def test_the_answers_are_many():
    assert {sheet.exercise for sheet in FIRST} == {sheet.exercise for sheet in SECOND} == set(exercises._BY_NAME)
    assert min(len(sheet.wrong_ones) for sheet in FIRST) >= 15
    assert min(len(sheet.wrong_ones) for sheet in SECOND) >= 5
