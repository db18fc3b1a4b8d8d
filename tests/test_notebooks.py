"""The notebooks in a reader's hands: run in part, read where nothing runs, and without the solutions."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

import course
import sample
from tools import reading

NOTEBOOKS = sorted(Path(course.NOTEBOOKS).glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(path):
    return "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


@pytest.mark.slow
@each_notebook
def test_after_a_restart_a_picture_needs_the_set_up_only_and_what_it_covers_was_not_printed(path):
    """With it in an empty namespace; that each cell can be run twice is seen where the notebooks are run."""
    set_up, *others = code(read(path))
    restarted = {}
    exec(set_up.source, restarted)
    printed = ""
    for cell in others:
        if "covered=True" in cell.source:
            assert not mostly_in(printed, eval(cell.source, dict(restarted)).view.solution.values), cell.source
        elif reading.PICTURES.search(cell.source):
            exec(cell.source, dict(restarted))
        printed += "".join(output.get("text", "") for output in cell.outputs)


def mostly_in(printed, rows):
    """Whether at least half of the rows of numbers have been printed, each in a line."""
    lines = [f" {' '.join(re.findall(r'-?[0-9.]*[0-9]', line))} " for line in printed.splitlines()]
    seen = [any(f" {' '.join(map(str, row))} " in line for line in lines) for row in rows]
    return len(rows[0]) > 2 and sum(seen) >= len(rows) / 2


def test_a_prediction_of_what_was_printed_is_found():
    rows = (1, 0, -5), (0, 8, 0)
    assert mostly_in("[[ 1  0 -5]\n [ 0  8  0]]\n", rows)
    assert mostly_in("first 1 0 -5 of them", rows)
    assert not mostly_in("[[ 1  0  5]\n [10  8  0]]\n", rows)


class OtherNumbers(ast.NodeTransformer):
    """Other whole numbers in the arrays; what is 0 stays 0."""

    def __init__(self):
        self.rng = sample.rng("other numbers")

    def visit_Call(self, node):
        if ast.unparse(node.func) == "np.array":
            for one in ast.walk(node.args[0]):
                if isinstance(one, ast.Constant) and type(one.value) is int and one.value:
                    one.value = int(self.rng.integers(1, 6) * self.rng.choice([-1, 1]))
        return node


@pytest.mark.slow
def test_with_other_numbers_at_the_top_it_runs_through_and_its_solutions_are_right(monkeypatch):
    monkeypatch.setattr("builtins.display", lambda *shown: None, raising=False)
    several = sample.rng("notebooks").permutation(NOTEBOOKS[1:9])[: sample.size(2, thorough=8)]
    for path in several:
        set_up, *others = code(read(path))
        names = {}
        exec(ast.unparse(OtherNumbers().visit(ast.parse(set_up.source))), names)
        for cell in others:
            result = run(cell.source, names)
            right = getattr(result, "passed", result)
            if "solution" in cell.metadata.get("tags", []):
                assert isinstance(right, tuple) or right in (True, None), cell.source


def run(source, names):
    """Run a cell, and return what it shows in the end."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return last and eval(compile(ast.Expression(last.value), "cell", "eval"), names)


AT_THE_TOP = "with the numbers at the top"
ENTRY = re.compile(r"(?<!say \$)(?<!unless \$)(?:\b[oxwIK]|\\delta)_(?:\d\d|\{\d,?\d\})\$? (?:=|is) \$?[−-]?\d")


@pytest.mark.parametrize("path", NOTEBOOKS[1:9], ids=lambda path: path.stem)
def test_a_number_of_the_arrays_is_said_to_be_one(path):
    blocks = [block for block in re.split(r"(<details>.*?</details>)|\n\n", prose(path), flags=re.DOTALL) if block]
    assert [block for block in blocks if ENTRY.search(block) and AT_THE_TOP not in block.lower()] == []


@pytest.mark.parametrize(
    ("number", "helpers", "asked", "answer"),
    [
        ("05", (), "gradient of E", (2, -2, 0, -5)),
        ("10", ("def full", "def spread"), "five numbers", (10, 20, 130, 200, 300)),
        ("12", (), "four layers", (30, 10)),
        ("18", (), "paths", (1, 2, 3, 2, 1)),
    ],
)
def test_a_right_answer_of_several_numbers_may_come_in_any_form(number, helpers, asked, answer, capsys):
    (path,) = [path for path in NOTEBOOKS if path.name.startswith(number)]
    set_up, *cells = [cell.source for cell in code(read(path))]
    imports = [line for line in set_up.splitlines() if line.startswith(("import", "from"))]
    names = {"o": np.zeros((4, 5), int), "w": np.zeros((2, 3), int), "delta": np.ones((2, 2), int)}
    exec("\n".join(imports), names)
    for helper in helpers:
        exec(next(source for source in cells if helper in source), names)
    (task,) = [source for source in cells if source.startswith("mine = ") and f'"{asked}"' in source]
    for given in (answer, list(answer), np.array(answer), np.array(answer, float), [list(answer)]):
        capsys.readouterr()
        exec(re.sub(r"^mine = .*", "mine = given", task), {**names, "given": given})
        assert capsys.readouterr().out == "Yes.\n", given


@each_notebook
def test_it_can_be_read_where_nothing_runs(path):
    assert path.stat().st_size < 1_000_000
    for cell in code(read(path)):
        if reading.PICTURES.search(cell.source):
            assert any("image/png" in output.get("data", {}) for output in cell.outputs), cell.source
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert len(output.metadata["image/png"]["alt"]) > 20
                assert output.data["text/plain"]


def anchor(heading):
    """The anchor that JupyterLab gives a heading."""
    return re.sub(r"<[^>]*>", "", heading).strip().replace(" ", "-")


@each_notebook
def test_links_lead_to_headings_that_are_there(path):
    for target in re.findall(r"\]\(([^)\s]*\.ipynb#[^)\s]+)\)|\]\((#[^)\s]+)\)", prose(path)):
        file, _, fragment = (target[0] or path.name + target[1]).partition("#")
        headings = re.findall(r"^#+ (.*)$", prose(path.parent / file), re.MULTILINE)
        assert fragment.replace("%28", "(").replace("%29", ")") in map(anchor, headings)


@each_notebook
def test_it_leads_on_and_back_at_both_ends(path):
    cells = [cell.source for cell in read(path).cells]
    place = NOTEBOOKS.index(path)
    for neighbour in NOTEBOOKS[max(place - 1, 0) : place] + NOTEBOOKS[place + 1 : place + 2]:
        assert f"({neighbour.name}" in cells[-1]
        assert f"({neighbour.name}" in cells[0] or place == 0


@each_notebook
def test_it_says_what_it_takes_and_gives_and_has_three_tasks_with_solutions(path):
    text = prose(path)
    for part in ("**After this notebook you can**", "**You need**", "**Predict first", "## Your turn"):
        assert part in text
    solutions = [cell for cell in code(read(path)) if "solution" in cell.metadata.get("tags", [])]
    assert len(re.findall(r"^### \d+\. ", text, re.MULTILINE)) >= 3
    assert len(solutions) >= 3
    for cell in solutions:
        assert cell.metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}
        assert cell.source.startswith("# Solution")  # JupyterLab shows the first line of what is folded away


@each_notebook
def test_the_article_is_not_quoted_at_length(path):
    quoted = re.findall(r'"([^"]+)"', prose(path))
    assert all(len(text.split()) <= 20 for text in quoted)


@pytest.mark.slow
def test_the_student_edition_is_the_course_without_its_solutions(tmp_path):
    command = [sys.executable, Path(course.ROOT) / "course.py", "student", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert str(tmp_path) in done.stdout + done.stderr
    assert [path.name for path in sorted(tmp_path.glob("*.ipynb"))] == [path.name for path in NOTEBOOKS]
    for path in NOTEBOOKS:
        kept = [cell.source for cell in read(path).cells if "solution" not in cell.metadata.get("tags", [])]
        assert [cell.source for cell in read(tmp_path / path.name).cells] == kept
        assert not any(source.startswith("# Solution") for source in kept)
        assert not reading.shown_too_early(read(tmp_path / path.name))


def test_the_student_edition_does_not_replace_the_notebooks(capsys):
    with pytest.raises(SystemExit, match="name another folder"):
        course.student([course.NOTEBOOKS], use_uv=True)


def test_the_student_edition_replaces_nobody_s_work(tmp_path):
    mine = tmp_path / NOTEBOOKS[7].name
    mine.write_text("my answers")
    with pytest.raises(SystemExit, match="what somebody wrote in them would be lost: name another folder"):
        course.student([str(tmp_path)], use_uv=True)
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]
    assert mine.read_text() == "my answers"


@pytest.mark.parametrize("arguments", [["--help"], ["one", "two"]])
def test_the_student_edition_takes_one_folder(arguments):
    with pytest.raises(SystemExit, match="one name at most, that of the folder to write into; it got " + arguments[0]):
        course.student(arguments, use_uv=True)


@pytest.mark.slow
def test_nothing_is_misspelt(tmp_path):
    for path in NOTEBOOKS:  # without the pictures, whose letters are no words
        (tmp_path / f"{path.stem}.md").write_text(prose(path), encoding="utf-8")
    root = Path(course.ROOT)
    texts = [tmp_path, *root.glob("*.md"), *root.glob("docs/*.md"), *(root / "src").rglob("*.py")]
    options = ["--builtin=clear,rare,names", "--ignore-words-list=nd,dout"]
    command = [sys.executable, "-m", "codespell_lib", *options, *texts]
    assert not subprocess.run(command, capture_output=True, text=True).stdout
