"""docs/writing_an_explorer.md: its explorer is taken from the page, and keeps what every explorer promises."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import course
import test_explorers
from convbp import explorers
from convbp.pictures import still

GUIDE = Path(course.ROOT, "docs", "writing_an_explorer.md")
CODE, TESTS = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
PROMISES = [
    test
    for name, test in vars(test_explorers).items()
    if name.startswith("test_") and any("name" in mark.args for mark in getattr(test, "pytestmark", ()))
]


def load(name, code, monkeypatch):
    """Make a module of the code, importable by that name until the test ends."""
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(code, f"{GUIDE.name}: {name}", "exec"), vars(module))
    return module


@pytest.fixture
def window_sum(monkeypatch):
    """The guide's explorer, entered where the guide says that a new one is."""
    module = load("convbp.explorers.window_sum", CODE, monkeypatch)
    tests = load("test_window_sum", TESTS, monkeypatch)
    monkeypatch.setattr(explorers, "WindowSum", module.WindowSum, raising=False)
    monkeypatch.setitem(test_explorers.EXPLORERS, "WindowSum", test_explorers.Case(module, tests))
    return module


@pytest.mark.parametrize("promise", PROMISES, ids=lambda test: test.__name__.removeprefix("test_"))
def test_the_explorer_of_the_guide_keeps_what_all_promise(window_sum, promise):
    promise("WindowSum")


def test_the_guide_s_own_tests_pass(window_sum):
    own = {name: test for name, test in vars(sys.modules["test_window_sum"]).items() if name.startswith("test_")}
    assert own
    for test in own.values():
        test()


def test_it_is_drawn_and_each_of_its_numbers_is_there(window_sum):
    explorer = window_sum.WindowSum([[1, 2, 3], [4, 5, 6]], height=1, width=2)
    assert [grid.values for grid in explorer.view.scene.grids] == [
        ((1, 2, 3), (4, 5, 6)),
        ((0, 0, 0, 0), (0, 1, 3, 6), (0, 5, 12, 21)),
        ((3, 5), (9, 11)),
    ]
    assert still.png(explorer.view.scene).startswith(b"\x89PNG")
    explorer.select(1, 1)
    assert str(explorer) == "WindowSum: Window (1, 1) has the sum 11: the two sums at + minus the two at −."
    explorer.update(height=3)
    assert explorer.message == "WindowSum: height is 3; expected a whole number from 1 to 2."


def test_it_is_as_long_as_it_says():
    code = re.sub(r'""".*?"""', "", CODE, flags=re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip() and not re.match("import |from ", line)]
    assert len(lines) == 32


def test_the_links_of_the_guide_lead_to_files_that_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE.read_text(encoding="utf-8"))
    assert len(links) > 10
    assert not [link for link in links if not (GUIDE.parent / link).exists()]
