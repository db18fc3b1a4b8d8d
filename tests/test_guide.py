"""The guides in docs/: what each adds is taken from the page, and keeps what everything of its kind promises."""

import importlib.util
import re
import sys
from inspect import signature
from pathlib import Path

import pytest

import course
import test_equations
import test_explorers
import test_formula
from convbp import diagnose, explorers
from convbp.equations.changes import all_changes
from convbp.equations.entry import HOLDS
from convbp.pictures import still

DOCS = Path(course.ROOT, "docs")
GUIDES = sorted(DOCS.glob("*.md"))


def blocks(guide):
    """The Python of a guide."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def promises(tests, by):
    """The tests of a module that each thing has to pass, which is given as their parameter of that name."""
    return [
        test
        for name, test in vars(tests).items()
        if name.startswith("test_") and any(by in mark.args for mark in getattr(test, "pytestmark", ()))
    ]


def named(test):
    return test.__name__.removeprefix("test_")


def load(name, code, tmp_path, monkeypatch):
    """Make a module of the code, importable by that name until the test ends; in a file, for what reads its source."""
    file = tmp_path / f"{name}.py"
    file.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_the_links_of_a_guide_lead_to_files_that_are_there(guide):
    links = re.findall(r"\]\(([^)#]+)\)", guide.read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (guide.parent / link).exists()]


# An explorer

EXPLORER, EXPLORER_TESTS = blocks("writing_an_explorer.md")


@pytest.fixture
def window_sum(tmp_path, monkeypatch):
    """The guide's explorer, entered where the guide says that a new one is."""
    module = load("convbp.explorers.window_sum", EXPLORER, tmp_path, monkeypatch)
    tests = load("test_window_sum", EXPLORER_TESTS, tmp_path, monkeypatch)
    monkeypatch.setattr(explorers, "WindowSum", module.WindowSum, raising=False)
    monkeypatch.setitem(test_explorers.EXPLORERS, "WindowSum", test_explorers.Case(module, tests))
    return module


@pytest.mark.parametrize("promise", promises(test_explorers, "name"), ids=named)
def test_the_explorer_of_the_guide_keeps_what_all_promise(window_sum, promise, monkeypatch):
    promise("WindowSum", **({"monkeypatch": monkeypatch} if "monkeypatch" in signature(promise).parameters else {}))


def test_the_guide_s_own_tests_pass(window_sum):
    own = {name: test for name, test in vars(sys.modules["test_window_sum"]).items() if name.startswith("test_")}
    assert own
    for test in own.values():
        test()


def test_it_is_drawn_and_each_of_its_numbers_is_there(window_sum):
    explorer = window_sum.WindowSum([[1, 2, 3], [4, 5, 6]], height=1, width=2)
    assert [grid.values for grid in explorer.view.scene.grids] == [
        ((0, 0, 0, 0), (0, 1, 3, 6), (0, 5, 12, 21)),
        ((3, 5), (9, 11)),
        ((1, 2, 3), (4, 5, 6)),
    ]
    assert still.png(explorer.view.scene).startswith(b"\x89PNG")
    explorer.select(1, 1)
    assert str(explorer) == "WindowSum: Window (1, 1) has the sum 11: the two sums at + minus the two at −."
    explorer.update(height=3)
    assert explorer.message == "WindowSum: height is 3; expected a whole number from 1 to 2."


def test_it_is_as_long_as_it_says():
    code = re.sub(r'""".*?"""', "", EXPLORER, flags=re.DOTALL)
    code = re.sub(r"^from \S+ import \([^)]*\)$", "", code, flags=re.MULTILINE)
    lines = [line for line in code.splitlines() if line.strip() and not re.match("import |from ", line)]
    assert len(lines) == 38


# An equation

(EQUATION,) = blocks("writing_an_equation.md")


@pytest.fixture
def the_sum(tmp_path, monkeypatch):
    return load("sum_of_the_map", EQUATION, tmp_path, monkeypatch).SUM


def test_the_equation_of_the_guide_holds_and_shows_itself(the_sum):
    assert the_sum.verdict == HOLDS
    assert the_sum.check(seed=1).passed
    test_equations.test_an_entry_shows_its_forms_its_verdict_and_both_sides(the_sum)


def test_every_change_of_it_is_caught(the_sum):
    changes = list(all_changes(the_sum.corrected.sides[1]))
    judged = [test_formula.judge(the_sum, "as it should be", 1, after) for _, after in changes]
    assert len(judged) > 10
    assert judged.count("caught") > 10
    assert "missed" not in judged


# A layer of one's own


def test_the_code_of_the_page_on_your_own_layer_runs_and_holds(capsys):
    exec("\n".join(blocks("your_own_layer.md")), {})
    assert "dx: right on" in capsys.readouterr().out


# Your own layer


class Sought(Exception):
    """What a diagnosis is about to look for, in place of the diagnosis."""


def known_mistakes(operation, monkeypatch):
    """By the name of each result, the names of the mistakes that are looked for."""

    def look(layer, *others):
        raise Sought({**layer.sought, "forward": layer.output})

    monkeypatch.setattr(diagnose, "diagnosis", look)
    given = ("relu",) if operation == "activation" else ()
    with pytest.raises(Sought) as found:
        getattr(diagnose, operation)(*given, backward=lambda dy, x, w=0, **steps: 0)
    (results,) = found.value.args
    names = {key: [m.name for m in one.computation.misconceptions] for key, one in results.items()}
    return {key: ", ".join(dict.fromkeys(some)) for key, some in names.items() if some}


def test_the_mistakes_that_are_listed_are_those_that_are_looked_for(monkeypatch):
    text = (DOCS / "your_own_layer.md").read_text(encoding="utf-8")
    listed = {}
    for operation, result, names in re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", text, re.MULTILINE):
        listed.setdefault(operation, {})[result] = names
    operations = sorted(set(diagnose.__all__) - {"Diagnosis", "Finding"})
    assert listed == {operation: known_mistakes(operation, monkeypatch) for operation in operations}
