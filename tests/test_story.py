"""How the notebooks tell it: two tracks, honest lengths, answers that wait, questions to remember."""

import re
from pathlib import Path

import nbformat
import pytest

import course
from convbp import explorers
from tools import boxes, reading

NOTEBOOKS = sorted(Path(course.NOTEBOOKS).glob("[0-9][0-9]_*.ipynb"))
COURSE = [path for path in NOTEBOOKS if path.name[:2] < "14"]
APPENDICES = [path for path in NOTEBOOKS if "14" <= path.name[:2] < "17"]  # to look something up in
WITH_YOUR_OWN_CODE = NOTEBOOKS[len(COURSE) + len(APPENDICES) :]
MAIN_LINES = [*COURSE, *WITH_YOUR_OWN_CODE]
FIRST = COURSE[:10]


def for_each(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


MOST_WORDS = 1300  # of a main line
MOST_AT_A_STRETCH = 500
LONGEST_SENTENCE = 30
MOST_MINUTES = 40
FIND_THE_MISTAKE = ("06", "07", "08", "09", "10")


def read(path):
    return nbformat.read(path, as_version=4)


def text_of(cells):
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


# Lengths


@for_each(MAIN_LINES)
def test_the_main_line_is_short(path):
    notebook = read(path)
    assert reading.main_words(notebook) <= MOST_WORDS
    assert reading.longest_stretch(notebook) <= MOST_AT_A_STRETCH


@for_each(MAIN_LINES)
def test_a_sentence_of_the_main_line_is_short(path):
    sentences = reading.sentences(text_of(reading.main_line(read(path))))
    assert not [one for one in sentences if reading.words(one) > LONGEST_SENTENCE]


@for_each(NOTEBOOKS)
def test_the_time_at_the_top_is_that_of_the_rule(path):
    notebook = read(path)
    announced = re.search(r"\*Time: (\d+) minutes, and (\d+) for the tasks\.", notebook.cells[0].source)
    assert tuple(map(int, announced.groups())) == reading.minutes(notebook)
    assert reading.minutes(notebook)[0] <= MOST_MINUTES or path in APPENDICES


@for_each(NOTEBOOKS)
def test_what_the_folds_take_stands_at_the_top_where_it_is_much(path):
    notebook = read(path)
    announced = re.search(r"for the tasks\. All that is folded: (\d+) more\.", notebook.cells[0].source)
    more = reading.minutes_more(notebook)
    assert int(announced[1]) == more if announced else more < 10


def notebook(*cells):
    """A notebook of markdown (as text) and code (as a list of lines, the last of them a tag)."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(nbformat.v4.new_markdown_cell(cell))
        else:
            *lines, tag = cell
            made.append(nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": [tag]} if tag else {}))
    return nbformat.v4.new_notebook(cells=made)


def test_what_is_folded_or_set_aside_or_a_task_is_not_of_the_main_line():
    made = notebook(
        "one two<details><summary>no</summary>no\n\nno</details> three",
        ["set_up", ""],
        ["aside", "aside"],
        "four\n\n## Your turn\n\nno",
        ["task", ""],
        ["solution", "solution"],
        "### 2. no",
        "no\n\n## To remember\n\nfive",
    )
    kept = reading.main_line(made)
    assert [cell.source for cell in kept if cell.cell_type == "code"] == ["set_up"]
    assert reading.main_words(made) == 7  # with the two of "To remember"
    assert reading.longest_stretch(made) == 4


def test_what_is_folded_takes_more_time_but_no_solution_and_no_task():
    words, lines = "word " * 10 * reading.WORDS, ["line"] * 10 * reading.LINES
    fold = f"<details><summary>More</summary>\n\n{words}\n</details>"
    assert reading.minutes_more(notebook(["set-up", ""], words, [*lines, ""])) == 0
    assert reading.minutes_more(notebook(["set-up", ""], fold, [*lines, "aside"])) == 20
    assert reading.minutes_more(notebook(["set-up", ""], "## Your turn", [*lines, "solution"], fold)) == 0
    listing = "\n".join(["<details><summary>More</summary>", "```", *lines, "```", "</details>"])
    assert reading.minutes_more(notebook(["set-up", ""], listing)) == 10


def test_the_rule_counts_words_lines_formulas_predictions_and_pictures():
    words = "word " * 10 * reading.WORDS
    assert reading.minutes(notebook(words, ["set-up", ""])) == (10, 0)
    assert reading.minutes(notebook(words, ["set-up", ""], ["line"] * 10 * reading.LINES + [""])) == (20, 0)
    formulas = "$$a b c$$ " * 20
    assert reading.minutes(notebook(formulas, ["set-up", ""])) == (20 * reading.FORMULA, 0)
    assert reading.minutes(notebook("$$a\\\\\n(b \\\\ c)$$ " * 10, ["set-up", ""])) == (20 * reading.FORMULA, 0)
    assert reading.minutes(notebook("**Predict first** " * 20, ["set-up", ""]))[0] == 20 * reading.PREDICTION
    pictures = [["SlidingWindow()", ""]] * 10
    assert reading.minutes(notebook(["set-up", ""], *pictures))[0] == 10 * reading.PICTURE
    answer, more = (f"<details><summary>{name}</summary>\n\n{words}\n</details>" for name in ("The answer", "More"))
    assert reading.minutes(notebook(["set-up", ""], answer, more)) == (10, 0)
    assert reading.minutes(notebook(["set-up", ""], "## Your turn\n\n### 1. a", "### 2. b"))[1] == 15


@pytest.mark.parametrize(
    ("markdown", "count"),
    [
        ("Two words.", 2),
        ("a [link](to_this.ipynb) $x + y$ **bold** `code`", 5),
        ("$$x = 1$$ after", 1),
        ("| a | b |\n|---|---|\n| c | d |", 4),
        ("don't 180° 3 × 3", 4),
    ],
)
def test_words_are_counted_as_they_are_read(markdown, count):
    assert reading.words(markdown) == count


def test_sentences_end_at_stops_items_and_cells():
    text = "One. Two? (Three.) Four:\n\n- five\n- six\n\n| seven | eight |\n\n$$x$$\n\nnine"
    assert len(reading.sentences(text)) == 9
    assert len(reading.sentences("One: two; three.")) == 1


# Answers that wait


@for_each(NOTEBOOKS)
def test_no_answer_stands_right_below_its_question(path):
    assert not reading.shown_too_early(read(path))


def test_an_answer_that_does_not_wait_is_found():
    asked, output = (
        nbformat.v4.new_markdown_cell("**Predict first:** what?"),
        nbformat.v4.new_output("stream", text="4"),
    )
    told = nbformat.v4.new_code_cell("print(4)", outputs=[output])
    assert reading.shown_too_early(nbformat.v4.new_notebook(cells=[asked, told])) == ["print(4)"]
    told.metadata["jupyter"] = {"outputs_hidden": True}
    assert not reading.shown_too_early(nbformat.v4.new_notebook(cells=[asked, told]))


@for_each(NOTEBOOKS)
def test_the_text_after_a_prediction_begins_with_its_answer_folded(path):
    assert not reading.answered_openly(read(path))


def test_an_answer_in_the_open_is_found():
    asked, told = "**Predict first:** what?", "Four."
    folded = f"<details><summary>The answer</summary>\n\n{told}\n</details>"
    code, aside = ["2 + 2", ""], ["2 + 3", "aside"]
    assert reading.answered_openly(notebook(asked, code, aside, told)) == [told]
    assert reading.answered_openly(notebook(asked, code, f"{told}\n\n{folded}")) == [f"{told}\n\n{folded}"]
    assert not reading.answered_openly(notebook(asked, code, f"{folded}\n\n{asked}", code, folded, told))
    assert not reading.answered_openly(notebook(folded.replace(told, asked), code, told))


@for_each(FIRST)
def test_no_fold_has_a_question_and_its_answer(path):
    assert not reading.answered_at_once(read(path))


def test_a_question_answered_in_its_own_fold_is_found():
    asked, answer = "**Predict first:**\n1. How many?\n2. Why?", "Four."
    made = notebook(f"<details><summary>More</summary>\n\n{asked}\n</details>\n\n{answer}")
    assert not reading.answered_at_once(made)
    (found,) = reading.answered_at_once(
        notebook(f"<details><summary>More</summary>\n\n{asked}\n\n{answer}\n</details>")
    )
    assert answer in found


# The second track


@for_each(NOTEBOOKS)
def test_what_is_set_aside_is_folded(path):
    assert not reading.open_asides(read(path))


def test_an_aside_that_stands_open_is_found():
    fold = "<details><summary>More</summary>\n\nword\n</details>"
    made = notebook(f"## A heading\n\n{fold}", ["# What it computes", "1 + 1", "aside"])
    text, code = made.cells
    text.metadata["tags"] = ["aside"]
    assert reading.open_asides(made) == [code.source]
    code.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": True}
    assert not reading.open_asides(made)
    text.source += "\n\nword"
    assert reading.open_asides(made) == ["word"]


@for_each(FIRST[1:])
def test_the_main_line_does_not_number_readers_questions(path):
    assert not re.findall(r"\bR\d+\b", text_of(reading.main_line(read(path))))


def test_the_boxes_of_the_first_notebook_are_those_of_the_tool():
    assert boxes.markdown() in text_of(read(NOTEBOOKS[0]).cells)
    linked = {link.partition("#")[0] for _, _, link in [*boxes.FORWARD, *boxes.BACK]}
    assert linked <= {path.name for path in NOTEBOOKS}


# Questions


@for_each(MAIN_LINES[1:])
def test_it_opens_with_two_questions_to_remember(path):
    _, second, *_ = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    assert re.fullmatch(r'exercises\.remember\("[^"]+", "[^"]+"\)', second)


@for_each(MAIN_LINES)
def test_it_asks_for_a_reason_in_the_readers_own_words(path):
    (asked,) = [cell.source for cell in read(path).cells if "**In your own words" in cell.source]
    assert re.search(r"\*\*In your own words.*<details><summary>.+</summary>\n\n.+\n</details>", asked, re.DOTALL)


@pytest.mark.parametrize("number", FIND_THE_MISTAKE)
def test_it_has_a_mistake_to_find(number):
    (path,) = [path for path in NOTEBOOKS if path.name.startswith(number)]
    assert re.search(r"^### \d+\. Find the mistake", text_of(read(path).cells), re.MULTILINE)


def test_each_explorer_is_used_in_a_notebook():
    code = "\n".join(cell.source for path in NOTEBOOKS for cell in read(path).cells if cell.cell_type == "code")
    assert [name for name in explorers.__all__ if f"{name}(" not in code] == []


# Routes


def said(minutes):
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


ROUTES = [text_of(read(NOTEBOOKS[0]).cells), (Path(course.ROOT) / "README.md").read_text(encoding="utf-8")]


@pytest.mark.parametrize("text", ROUTES)
def test_the_short_route_takes_about_two_hours(text):
    ((route, time),) = re.findall(r"^\| \*\*The idea\*\* \| (.*) \| (.*) \|$", text, re.MULTILINE)
    read_whole, _, pictures_of = route.partition(";")
    minutes = 10  # for the five steps
    for name in re.findall(r"(\d\d_\w+\.ipynb)", read_whole):
        minutes += reading.minutes(read(Path(course.NOTEBOOKS) / name))[0]
    for name in re.findall(r"(\d\d_\w+\.ipynb)", pictures_of)[:3]:
        code = [cell.source for cell in reading.main_line(read(Path(course.NOTEBOOKS) / name))]
        minutes += (reading.PICTURE + reading.PREDICTION) * sum(bool(reading.PICTURES.search(one)) for one in code)
    assert time == "about 2 h"
    assert abs(minutes - 120) <= 15


@pytest.mark.parametrize("text", ROUTES)
def test_the_routes_take_the_time_that_they_say(text):
    rows = re.findall(r"^\| \*\*(Everything|For an engineer)\*\* \| (.*) \| (.*) \|$", text, re.MULTILINE)
    (_, everything), (engineer, short) = [row[1:] for row in rows]
    times = {path.name: reading.minutes(read(path)) for path in COURSE}
    main, tasks = (sum(time[part] for time in times.values()) for part in (0, 1))
    assert everything == f"{said(main)}, and {said(tasks)} for the tasks"
    assert f"{said(sum(reading.minutes_more(read(path)) for path in COURSE))} more |" in text
    route, _, _ = engineer.partition(";")  # what comes after takes as long as one wants
    names = re.findall(r"(\d\d_\w+\.ipynb)", route)
    assert len(names) == 4
    assert short == said(sum(times[name][0] for name in names))
