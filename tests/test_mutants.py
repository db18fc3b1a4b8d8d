"""The inputs of the exercises, held against wrong answers that nobody thought of: one edit of a right one each.

A sample of the mutants in each run; ``CONVBP_THOROUGH=1 python3 course.py test -k mutants`` tries all of them.
"""

from pathlib import Path

import pytest
import yaml

import course
import mutants
import sample

EXERCISES = mutants.all_exercises()
PROGRAMS = {name: mutants.programs(exercise) for name, exercise in EXERCISES.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_the_right_answers_are_of_many_styles_and_right_by_plain_loops(name):
    assert len(PROGRAMS[name]) >= 5
    for style, program in PROGRAMS[name].items():
        assert mutants.is_right(name, program.function) or "slope" in style, style


@pytest.mark.slow
@pytest.mark.parametrize("name", EXERCISES)
def test_what_plain_loops_find_wrong_is_refused_and_what_they_find_right_is_not(name, capsys):
    exercise, rng = EXERCISES[name], sample.rng(name)

    def chosen(all_of_them):
        if sample.THOROUGH or len(all_of_them) < 8:
            return all_of_them
        return [all_of_them[n] for n in rng.choice(len(all_of_them), 8, replace=False)]

    wrong, faults = 0, []
    for style, program in PROGRAMS[name].items():
        if "slope" in style:  # at the kink of ReLU several answers are right
            continue
        count, passed, refused = mutants.examined(exercise, program, chosen)
        wrong += count
        faults += [f"{style}, passed though wrong: {line}" for line in mutants.told(program, passed)]
        faults += [f"{style}, refused though right: {line}" for line in mutants.told(program, refused)]
    if sample.THOROUGH:
        with capsys.disabled():
            print(f"\n{name}: {wrong} wrong mutants of {len(PROGRAMS[name])} right answers")
    assert not faults, "\n".join(faults)


def test_inputs_without_fractions_would_let_cut_off_numbers_pass():
    exercise = EXERCISES["kernel_gradient"]
    whole = [n for n, right in enumerate(exercise.expected) if (right == right.round()).all()]
    cut_off = [
        mutants.agrees(lambda *given: exercise.answer(*given).astype(int), exercise.inputs[n], exercise.expected[n])
        for n in whole
    ]
    assert whole
    assert all(cut_off)
    assert not mutants.passes(exercise, lambda *given: exercise.answer(*given).astype(int))


def test_what_is_said_of_an_equivalent_mutant_is_said_of_a_line_that_is_there():
    groups = yaml.safe_load(Path(course.ROOT, "tests", "equivalent_mutants.yml").read_text(encoding="utf-8"))
    for group in groups:
        if "everywhere" in group:
            continue
        source = Path(course.ROOT, "src", "convbp", group["file"]).read_text(encoding="utf-8")
        assert " ".join(group["line"].split()) in " ".join(source.split()), (group["file"], group["line"])
        assert group["why"].endswith(".")
        assert group["line"] not in group["mutants"]
