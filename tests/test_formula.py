"""Formulas as trees: LaTeX and value change together, and each single change is caught unless algebra undoes it."""

import os
import time
from dataclasses import replace
from functools import cache

import numpy as np

from convbp.equations import equations
from convbp.equations.cases import Blocks, random_cases
from convbp.equations.changes import all_changes
from symbolic import is_zero, symbolic_case

SIZES = {"Layer": [(2, 1, 1, 3), (1, 2, 2, 1)], "Channels": [(2, 1, 1, 2, 2, 3)], "Predictions": [(3,)]}


@cache
def symbolic(family):
    return [symbolic_case(family, *sizes) for sizes in SIZES[family.__name__]]


def right_sides():
    """Each side of each form of each equation but the first, which the judge computes."""
    for entry in equations():
        for name, form in entry.forms.items():
            for n in range(1, len(form.sides)):
                yield entry, name, n


SIDES = list(right_sides())
CHANGES = [
    (*side, change, after) for side in SIDES for change, after in all_changes(side[0].forms[side[1]].sides[side[2]])
]
THOROUGH = bool(os.environ.get("CONVBP_THOROUGH"))
SEED = int(os.environ.get("CONVBP_SEED", time.time_ns() % 2**32))  # another part in each run


def with_formula(entry, name, n, after):
    """The entry with another formula in the place of a side of one of its forms."""
    form = entry.forms[name]
    broken = replace(form, sides=(*form.sides[:n], after, *form.sides[n + 1 :]))
    if form is entry.printed:
        return replace(entry, printed=broken)
    if form is entry.corrected:
        return replace(entry, corrected=broken)
    if name in entry.said:
        return replace(entry, said={**entry.said, name: broken})
    readings = tuple(broken if reading is form else reading for reading in entry.readings)
    return replace(entry, readings=readings)


def equal(one, other, cases):
    return all(bool(np.all(one.table(case) == other.table(case))) for case in cases)


def equal_by_algebra(one, other, family):
    """Whether the two are equal for any entries, and any f: proven with symbols."""
    return family is not Blocks and all(is_zero(one.table(case), other.table(case)) for case in symbolic(family))


def judge(entry, name, n, after):
    """What a change does: "equal" by algebra, "caught" by the entry's check, or "missed"."""
    before, broken = entry.forms[name].sides[n], with_formula(entry, name, n, after)
    assert after.latex != before.latex, "the LaTeX has not changed"
    if equal(before, after, random_cases(entry.family, 7, 12)):
        assert equal_by_algebra(before, after, entry.family), "the value changes in no case, and not by algebra"
        return "equal"
    if name not in entry.relied_on:
        return "caught"  # this form does not hold; another value of it is all that there is to see
    return "missed" if broken.check(seed=7, cases=12).passed else "caught"


def test_every_change_shows_in_the_latex_and_is_caught_unless_algebra_undoes_it():
    """40 of the 900 changes, all with CONVBP_THOROUGH=1."""
    some = range(len(CHANGES)) if THOROUGH else np.random.default_rng(SEED).choice(len(CHANGES), 40, replace=False)
    missed = []
    for entry, name, n, change, after in (CHANGES[at] for at in some):
        if judge(entry, name, n, after) == "missed":
            missed.append((entry.key, name, change))
    assert not missed, f"with CONVBP_SEED={SEED}"
