"""docs/writing_an_exercise.md: its exercise is taken from the page, and keeps what every exercise promises."""

import inspect
import linecache
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import course
import mutants
import test_misconceptions

GUIDE = Path(course.ROOT, "docs", "writing_an_exercise.md")
TEXT = GUIDE.read_text(encoding="utf-8")
THEME, CHECKED = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
NAME = "convbp.exercises.themes.windows"
PROMISES = [
    test
    for name, test in vars(test_misconceptions).items()
    if name.startswith("test_") and list(inspect.signature(test).parameters) == ["exercise"]
]


@pytest.fixture
def window_sums(monkeypatch):
    """The guide's exercise; its source is where `inspect` looks for that of a file."""
    module = ModuleType(NAME)
    monkeypatch.setitem(sys.modules, NAME, module)
    monkeypatch.setitem(linecache.cache, NAME, (len(THEME), None, THEME.splitlines(keepends=True), NAME))
    module.__file__ = NAME
    exec(compile(THEME, NAME, "exec"), vars(module))
    return module.window_sums


@pytest.mark.parametrize("promise", PROMISES, ids=lambda test: test.__name__.removeprefix("test_"))
def test_it_keeps_what_all_exercises_promise(window_sums, promise):
    promise(window_sums)


def test_its_solution_is_printed_and_passes(window_sums):
    code = window_sums.solution()
    assert code.startswith("def window_sums(image, size):\n")
    scope = {"np": np}
    exec(code, scope)
    assert window_sums.check(scope["window_sums"]).passed
    assert all(window_sums.check(program).passed for program in window_sums.programs)


def test_the_check_says_what_the_guide_shows(window_sums, capsys):
    exec(CHECKED, {})
    (shown,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert capsys.readouterr().out.split() == shown.split()


def test_its_known_mistakes_and_one_edit_of_its_programs_are_named(window_sums):
    assert window_sums.check(lambda image, size: np.transpose(window_sums.answer(image, size))).misconceptions == (
        "transposed",
    )

    def one_row_further(image, size):
        (H, W), (k1, k2) = image.shape, size
        rows, columns = range(H - k1 + 1), range(W - k2 + 1)
        return [[image[i + 1 : i + k1, j : j + k2].sum() for j in columns] for i in rows]

    message = window_sums.check(one_row_further).message
    assert "result[i, j] = np.sum(image[i + 1:i + k1, j:j + k2])" in message


def test_its_inputs_refuse_every_mutant_that_is_wrong(window_sums, monkeypatch):
    def make(rng):
        image, kernel = mutants.image_and_kernel(rng)
        return {"image": image, "size": kernel.shape}

    def sums(image, size):
        return mutants.loops.cross_correlate(image, np.ones(size))

    monkeypatch.setitem(mutants.BY_LOOPS, "window_sums", (make, sums))
    for function in (window_sums.answer, *window_sums.programs):
        program = mutants.Program(function)
        wrong, passed, refused = mutants.examined(window_sums, program)
        assert wrong > 20
        assert not mutants.told(program, [*passed, *refused])


def test_the_links_lead_to_files_that_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 8
    assert not [link for link in links if not (GUIDE.parent / link).exists()]
