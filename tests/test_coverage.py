"""Every equation of the article is introduced in one notebook, and its check is executed there."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

from convbp import exercises
from convbp.equations import equation

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9][0-9]_*.ipynb"))
COMPLETE = 19  # 00 to 18
ALL = range(1, 23)


def introduced(notebook):
    """The numbers in the headings "## Eq. 3: …" or "## Eq. 10 to 12: …" of a notebook."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = []
    for heading in re.findall(r"^##+ Eq\. (\d+(?:(?:, | and | to )\d+)*)(?=:)", text, re.MULTILINE):
        numbers = [int(number) for number in re.findall(r"\d+", heading)]
        found += range(numbers[0], numbers[-1] + 1) if " to " in heading else numbers
    return found


def checked(notebook):
    """The numbers of the equations whose check a cell runs, with what the cell has shown."""
    return {
        int(number): "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for number in re.findall(r"equation\((\d+)\)\.check\(", cell.source)
    }


def problems(notebooks):
    """What is wrong with the notebooks, and which equations none of them introduces."""
    found, everywhere = [], Counter()
    for name, notebook in notebooks.items():
        everywhere.update(introduced(notebook))
        for number in introduced(notebook):
            if number not in ALL:
                found.append(f"{name}: there is no Eq. {number}")
                continue
            shown = checked(notebook).get(number)
            if shown is None:
                found.append(f"{name}: a heading introduces Eq. {number}, and no cell runs equation({number}).check()")
            elif equation(number).judged not in shown:
                found.append(f"{name}: the check of Eq. {number} does not show its verdict: {shown!r}")
    found += [f"Eq. {number} is introduced {count} times" for number, count in everywhere.items() if count > 1]
    return found, [number for number in ALL if number not in everywhere]


@pytest.mark.slow
def test_each_equation_is_introduced_once_and_checked_where_it_is(capsys):
    found, missing = problems({path.name: nbformat.read(path, as_version=4) for path in NOTEBOOKS})
    assert not found
    if len(NOTEBOOKS) == COMPLETE:
        assert not missing
    elif missing:
        with capsys.disabled():
            print(f"\nNot introduced in a notebook yet: Eq. {', '.join(map(str, missing))}.")


def notebook(heading, source, shown):
    output = nbformat.v4.new_output("execute_result", {"text/plain": shown})
    cells = [nbformat.v4.new_markdown_cell(heading), nbformat.v4.new_code_cell(source, outputs=[output])]
    return nbformat.v4.new_notebook(cells=cells)


GOOD = notebook("# 06\n\n## Eq. 13: the gradient", "equation(13).check(seed=1)", "... Eq. 13 holds.")


@pytest.mark.parametrize(
    ("notebooks", "words"),
    [
        ({"a": GOOD, "b": GOOD}, "Eq. 13 is introduced 2 times"),
        ({"a": notebook("## Eq. 13: the gradient", "equation(12).check()", "")}, "no cell runs equation(13)"),
        ({"a": notebook("## Eq. 22: back", "equation(22).check()", "Eq. 22 holds.")}, "does not show its verdict"),
        ({"a": notebook("## Eq. 23: more", "", "")}, "there is no Eq. 23"),
    ],
)
def test_what_is_wrong_is_found(notebooks, words):
    found, _ = problems(notebooks)
    assert any(words in problem for problem in found)


def test_headings_for_several_equations_are_read():
    found, missing = problems({"a": GOOD})
    assert not found
    assert missing == [number for number in ALL if number != 13]
    for heading, numbers in {"10 to 12": [10, 11, 12], "2 and 3": [2, 3], "4, 5": [4, 5], "7": [7]}.items():
        assert introduced(notebook(f"## Eq. {heading}: x", "", "")) == numbers


(ERRATA,) = [path for path in NOTEBOOKS if path.stem.endswith("errata_and_questions")]
TABLE = "\n".join(cell.source for cell in nbformat.read(ERRATA, as_version=4).cells if "\n|---" in cell.source)


def section(link):
    """The text under the heading to which a link leads, up to the next heading."""
    file, _, anchor = unquote(link).partition("#")
    path = ERRATA.parent / file if file else ERRATA
    text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    found = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return next(below for heading, below in pairwise(found) if heading.strip().replace(" ", "-") == anchor)


@pytest.mark.parametrize("number", ALL)
def test_the_notebook_of_errata_leads_to_every_equation(number):
    (links,) = re.findall(rf"\| {number} \| ([^|]*) \|", TABLE)
    assert re.search(rf"#Eq\.-(\d+-and-)?{number}(-and-\d+)?:", links), links


@pytest.mark.parametrize("number", range(1, 26))
def test_the_notebook_of_errata_leads_to_the_answer_to_every_readers_question(number):
    """Where it is asked it has its number: in the heading, or in the fold."""
    (cell,) = re.findall(rf"^\| R{number} \|.*\| (.*) \|$", TABLE, re.MULTILINE)
    links = re.findall(r"\]\(([^)\s]*)\)", cell)
    assert any(re.search(rf"\([^)]*\bR{number}\b", unquote(link) + section(link)) for link in links), cell


WHERE = {misconception.where for exercise in exercises.ALL for misconception in exercise.computation.misconceptions}
HEADINGS = {
    path.name[:2]: [
        heading.lower()
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
        for heading in re.findall(r"^#+ (.*)", cell.source, re.MULTILINE)
    ]
    for path in NOTEBOOKS
}


@pytest.mark.parametrize("where", sorted(WHERE))
def test_where_a_check_sends_a_reader_there_is_something(where):
    for place in where.split(", and "):
        number, what = re.fullmatch(r"notebook (\d\d), (.*)", place).groups()
        equations = [int(n) for n in re.findall(r"\d+", what)] if what.startswith("Eq.") else []
        for one in equations:
            assert any(re.match(rf"eq\. .*\b{one}\b", heading) for heading in HEADINGS[number]), (number, one)
        assert equations or any(what.lower() in heading for heading in HEADINGS[number]), (number, what)
