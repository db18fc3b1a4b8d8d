"""How long a notebook takes, and what its main line is: ``python tools/reading.py [notebook ...]``.

The main line is all but what is folded away in ``<details>``, cells tagged ``aside`` or ``solution``, and the tasks.
Its minutes, by the rule below, stand at the top of each notebook; a test compares them.
"""

import re
import sys
from pathlib import Path

import nbformat

from convbp import explorers

# A reader whose first language is not English, and who computes along. Such a reader noted the minutes for 00 to 09;
# with these weights the sums are within 4 minutes of them.
WORDS = 180  # of prose per minute, the folded answers among them
LINES = 10  # of code per minute, with what they print; the set-up's are not counted
FORMULA = 1.5  # minutes for each line of one that stands in lines of its own
PREDICTION = 1.5  # minutes for each "Predict first"
PICTURE = 3  # minutes for one that answers
TASK = 7  # minutes
STEP = 5  # minutes to which the sums are rounded

PICTURES = re.compile(rf"^({'|'.join(explorers.__all__)})\(", re.MULTILINE)
TASKS = re.compile(r"^## Your turn$.*?(?=^## (?!Your turn)|\Z)", re.MULTILINE | re.DOTALL)
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
FOLDED_CODE = {"outputs_hidden": True, "source_hidden": True}  # JupyterLab shows its first line
ANSWER = re.compile(r"<details><summary>The answers?\b[^<]*</summary>")
ANSWERS = re.compile(r"<details><summary>(?:The|One) answers?\b[^<]*</summary>(.*?)</details>", re.DOTALL)
LISTING = re.compile(r"```.*?```", re.DOTALL)
DISPLAYED = re.compile(r"\$\$.*?\$\$", re.DOTALL)


def is_aside(cell: nbformat.NotebookNode) -> bool:
    return bool({"aside", "solution"} & set(cell.metadata.get("tags", [])))


def main_line(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells of the main line; those of the tasks, from "Your turn" to the next heading of its level, are out."""
    kept = []
    for cell in without_tasks(notebook):
        if cell.cell_type == "markdown":
            cell = nbformat.from_dict({**cell, "source": FOLDED.sub("", cell.source)})
        if not is_aside(cell) and (cell.source.strip() or cell.cell_type != "markdown"):
            kept.append(cell)
    return kept


def plain(markdown: str) -> str:
    """The text as it is read aloud; a formula within a line is one word, one that stands alone none."""
    text = DISPLAYED.sub(" ", markdown)
    text = re.sub(r"\$[^$]+\$", "formula", text)
    text = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"^\[[^\]]*\]: .*$|^\|[-|: ]+\|$", "", text, flags=re.MULTILINE)
    return re.sub(r"<[^>]*>|[*`#|]", " ", text)


def words(markdown: str) -> int:
    return len(re.findall(r"[^\W_][\w'’.-]*", plain(markdown)))


def sentences(markdown: str) -> list[str]:
    """The sentences, which go on past a colon; a heading, an item and a cell of a table are ones of their own."""
    blocks = re.split(r"\n\s*\n|\n\s*(?=[-*] |\d+\. |#|\|)|(?<=\|)", DISPLAYED.sub(".\n\n", markdown))
    return [one for block in blocks for one in re.split(r"(?<=[.?!])\s+|(?<=[.?!]\))\s+", plain(block)) if words(one)]


def minutes(notebook: nbformat.NotebookNode) -> tuple[int, int]:
    """Minutes of the main line and of the tasks, by the rule."""
    tasks = sum(
        len(re.findall(r"^### \d+\. ", cell.source, re.MULTILINE))
        for cell in notebook.cells
        if cell.cell_type == "markdown"
    )
    return STEP * round(_of_main_line(notebook) / STEP), STEP * round(TASK * tasks / STEP)


def minutes_more(notebook: nbformat.NotebookNode) -> int:
    """By how many minutes it takes longer with all that is folded but the solutions: text, code, tables, listings."""
    main = _of_main_line(notebook)
    cells = without_tasks(notebook)
    text = _text_of(cells)
    printed = [
        output.get("data", {}).get("text/markdown", "")
        for cell in cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    read = sum(map(words, [text, *printed])) / WORDS
    listings = sum(len(one.splitlines()) - 2 for one in LISTING.findall(text)) / LINES
    return STEP * round((read + listings + _besides_reading(cells, text)) / STEP) - STEP * round(main / STEP)


def without_tasks(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """All cells but the tasks and their solutions."""
    kept, in_tasks = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            source = TASKS.sub("", "## Your turn\n" * in_tasks + cell.source)
            for heading in re.findall(r"^## (.*)$", cell.source, re.MULTILINE):
                in_tasks = heading == "Your turn"
            kept.append(nbformat.from_dict({**cell, "source": source}))
        elif not in_tasks:
            kept.append(cell)
    return kept


def _of_main_line(notebook: nbformat.NotebookNode) -> float:
    cells = main_line(notebook)
    told = [cell.source for cell in notebook.cells if cell.cell_type == "markdown" and not is_aside(cell)]
    answers = [answer for source in told for answer in ANSWERS.findall(source)]
    text = _text_of(cells)
    return (words(text) + sum(map(words, answers))) / WORDS + _besides_reading(cells, text)


def _text_of(cells: list[nbformat.NotebookNode]) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def _besides_reading(cells: list[nbformat.NotebookNode], text: str) -> float:
    """Minutes for code, pictures, predictions and formulas."""
    _, *code = [cell.source for cell in cells if cell.cell_type == "code"]  # without the set-up
    lines = sum(bool(line.strip()) for source in code for line in source.splitlines())
    return (
        lines / LINES
        + PICTURE * sum(bool(PICTURES.search(source)) for source in code)
        + PREDICTION * text.count("Predict first")
        + FORMULA * sum(len(formula.split("\\\\\n")) for formula in DISPLAYED.findall(text))
    )


def longest_stretch(notebook: nbformat.NotebookNode) -> int:
    """The most words between two cells that can be run."""
    stretches = [0]
    for cell in main_line(notebook):
        if cell.cell_type == "code":
            stretches.append(0)
        else:
            stretches[-1] += words(cell.source)
    return max(stretches)


def main_words(notebook: nbformat.NotebookNode) -> int:
    return sum(words(cell.source) for cell in main_line(notebook) if cell.cell_type == "markdown")


def shown_too_early(notebook: nbformat.NotebookNode) -> list[str]:
    """The code cells right after a "Predict first", or a mistake to find, whose saved output does not wait."""
    found, asked = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            asked = asked or "Predict first" in cell.source or ". Find the mistake" in cell.source
        elif asked:
            asked = False
            waits = cell.metadata.get("jupyter", {}).get("outputs_hidden") or "covered=True" in cell.source
            asks = [output for output in cell.outputs if output.get("text", "").startswith("Put ")]
            if len(asks) < len(cell.outputs) and not waits:
                found.append(cell.source)
    return found


def answered_openly(notebook: nbformat.NotebookNode) -> list[str]:
    """The text cells after a "Predict first" that do not begin with the folded answer: who goes on reads it unasked."""
    found, asked = [], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not is_aside(cell):
            if asked and not ANSWER.match(cell.source):
                found.append(cell.source)
            asked = "Predict first" in FOLDED.sub("", cell.source)
    return found


def answered_at_once(notebook: nbformat.NotebookNode) -> list[str]:
    """The folds in which an answer follows the question to predict: who opens the one has read the other."""
    folds = [fold for cell in notebook.cells if cell.cell_type == "markdown" for fold in FOLDED.findall(cell.source)]
    asked = [fold.partition("**Predict first") for fold in folds]
    return [fold for fold, (_, found, after) in zip(folds, asked, strict=True) if found and "\n\n" in after.strip()]


def open_asides(notebook: nbformat.NotebookNode) -> list[str]:
    """What stands open though it is set aside: code that is not folded, text that is neither in a fold nor a table."""
    found = []
    for cell in notebook.cells:
        if "aside" in cell.metadata.get("tags", []):
            if cell.cell_type == "markdown":
                found += re.findall(r"^[^#|\s].*", FOLDED.sub("", cell.source), re.MULTILINE)
            elif cell.metadata.get("jupyter") != FOLDED_CODE or not cell.source.startswith("# "):
                found.append(cell.source)
    return found


FAULTS = {
    "the answer is shown": shown_too_early,
    "the next text does not begin with the folded answer": answered_openly,
    "asks and answers in one fold": answered_at_once,
    "set aside, and stands open": open_asides,
}


def main(arguments: list[str]) -> None:
    folder = Path(__file__).parent.parent / "notebooks"
    for path in [Path(argument) for argument in arguments] or sorted(folder.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        reading, tasks = minutes(notebook)
        print(
            f"{path.stem:32} {main_words(notebook):5} words, {longest_stretch(notebook):4} at a stretch, "
            f"{reading} minutes, {minutes_more(notebook)} more with what is folded, and {tasks} for the tasks"
        )
        for cell in main_line(notebook):
            if cell.cell_type == "markdown":
                for sentence in sentences(cell.source):
                    if words(sentence) > 30:
                        print(f"    {words(sentence)} words: {' '.join(sentence.split())}")
        for words_for_it, look in FAULTS.items():
            for source in look(notebook):
                print(f"    {words_for_it}: {source.splitlines()[0]} …")


if __name__ == "__main__":
    main(sys.argv[1:])
