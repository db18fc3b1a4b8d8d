"""Tasks to work on by hand, with own numbers for each student, and the key.

    python3 course.py exam --exercises kernel_gradient,max_routing --roster names.csv --out exam/ \\
        [--title "Examination" --date "3 March" --points 4,6 --seed "a secret of yours"]

The roster is a CSV file with a line of headings; the first column says who. exam.html has all sheets, each on a page of
its own, to be printed at once. The numbers are those of ``exercise.variant(seed=f"{seed} {who}", n=1)``, on which every
known mistake gives a result of its own. The same seed gives the same pages; keep it, and key.html, which names it, to
yourself. moodle.xml has the same tasks for a question bank of Moodle, with a field for each number of the result.
"""

import argparse
import csv
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html import escape
from pathlib import Path

import numpy as np

from convbp import exercises
from convbp.exercises.exercise import Exercise
from convbp.notation import number
from convbp.sums import exact

# The exercises that need other words on paper than their name gives.
TITLES = {
    "rot180": "The turn by 180°",
    "convolution": "The convolution, valid",
    "cross_correlation": "The cross-correlation, valid",
    "full_convolution": "The convolution, full",
    "descent_step": "One step of gradient descent",
    "region_q": "The region Q",
    "output_delta": "δ at the output",
    "relu_delta": "δ through ReLU",
    "delta_recursion": "δ through a layer",
    "max_routing": "δ through max pooling",
    "average_routing": "δ through average pooling",
    "l2_routing": "δ through L2 pooling",
    "strided_input_gradient": "The input gradient, with stride and padding",
    "multichannel_input_gradient": "The input gradient, with channels",
    "multichannel_kernel_gradient": "The kernel gradient, with channels",
    "two_layer_question": "Two layers",
    "conv_transpose2d": "The transposed convolution",
    "col2im": "The way back of im2col",
    "batch_norm_delta": "δ through batch normalisation",
}
SHAPE = re.compile(r"(?:, )?\bshape \([^)]*\)")
IN_THE_COURSE = re.compile(r", as convbp\.\w+")
STYLE = """body { font: 11pt/1.3 Georgia, serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem }
h1, h2, h3, p { margin: .5rem 0 }
table { border-collapse: collapse; margin: .3rem 0 } td { border: 1px solid #777; padding: 2px 8px; text-align: right }
section { break-inside: avoid } h2, h3 { break-after: avoid }
.given { display: flex; flex-wrap: wrap; gap: 0 2rem } .room { border: 1px solid #777; height: 7rem }
.mistakes { columns: 14rem; column-gap: 2rem; font-size: 9pt; padding-left: 1rem }
header { display: flex; justify-content: space-between; border-bottom: 1px solid #777 }
.student + .student { break-before: page }
@page { margin: 15mm } @media print { body { margin: 0; max-width: none; padding: 0 } }"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("course.py exam", description=__doc__.split("\n")[0])
    parser.add_argument("--exercises", required=True, help="names, with commas between them")
    parser.add_argument("--roster", required=True, type=Path, help="CSV file; who stands in the first column")
    parser.add_argument("--out", required=True, type=Path, help="folder to write into")
    parser.add_argument("--title", default="Examination", help="at the top of each sheet")
    parser.add_argument("--date", default="", help="beside it, as you write dates")
    parser.add_argument("--points", help="for each exercise, with commas between them, or one number for all")
    parser.add_argument("--seed", default="", help="other numbers for another examination")
    chosen = parser.parse_args(arguments)
    known = {one.name: one for one in exercises.ALL}
    names = [name.strip() for name in chosen.exercises.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"There is no exercise {', '.join(unknown)}; there are {', '.join(known)}.")
    points = points_of(chosen.points, len(names))
    heading, *students = roster(chosen.roster)
    chosen.out.mkdir(parents=True, exist_ok=True)
    if any(chosen.out.iterdir()):
        sys.exit(f"There is something in {chosen.out} already; name an empty folder.")
    head = " · ".join(filter(None, (chosen.title, chosen.date, in_all(points))))
    sheets, key, bank = [], [], ET.Element("quiz")
    for who in students:
        asked = [known[name].variant(f"{chosen.seed} {who}", n=1) for name in names]
        tasks = "".join(task(n, one, points[n - 1]) for n, one in enumerate(asked, 1))
        top = f"<header><p>{escape(head)}</p><p><b>{escape(who)}</b></p></header>"
        sheets.append(f'<div class="student">{top}{tasks}</div>')
        solutions = "".join(solution(n, one) for n, one in enumerate(asked, 1))
        key.append(f'<div class="student"><h2>{escape(who)}</h2>{solutions}</div>')
        for one in asked:
            add_to_bank(bank, who, one)
    seed = f"seed “{chosen.seed}”" if chosen.seed else "no seed, so anybody with the course can make them"
    made = f"<p>Exercises {', '.join(names)}; {escape(seed)}.</p>"
    (chosen.out / "exam.html").write_text(page(chosen.title, "".join(sheets)), encoding="utf-8")
    (chosen.out / "key.html").write_text(
        page("Key", f"<h1>Key: {escape(head)}</h1>{made}{''.join(key)}"), encoding="utf-8"
    )
    ET.ElementTree(bank).write(chosen.out / "moodle.xml", encoding="utf-8", xml_declaration=True)
    several = "s" * (len(students) != 1)
    print(
        f"In {chosen.out}: exam.html, with {len(students)} sheet{several} to print from a browser; key.html, for you; "
        f"and moodle.xml, for Moodle. The first line of {chosen.roster.name}, “{heading}”, is taken for a heading."
    )
    return 0


def points_of(given: str | None, tasks: int) -> list[str]:
    """The points of each task as they were written, or as many empty texts."""
    points = [one.strip() for one in given.split(",")] if given else [""]
    points = points * tasks if len(points) == 1 else points
    try:
        right = len(points) == tasks and all(float(one) > 0 for one in points if given)
    except ValueError:
        right = False
    if not right:
        sys.exit(f"--points is {given}; expected one number above 0, or {tasks} with commas between them.")
    return points


def in_all(points: list[str]) -> str:
    return f"{sum(map(float, points)):g} points" if points[0] else ""


def roster(path: Path) -> list[str]:
    """The heading, and who takes part: the first column; columns are told by the sign in the line of headings."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{path} cannot be read ({error}); expected a CSV file in UTF-8.")
    heading = text.partition("\n")[0]
    between = max(",;\t", key=heading.count)  # Excel takes ; where a comma stands in numbers
    lines = csv.reader(text.splitlines(keepends=True), delimiter=between)
    named, *who = [line[0].strip() for line in lines if line and line[0].strip()] or [""]
    if not who:
        sys.exit(f"There is nobody in {path}: expected a line of headings, and then a line for each student.")
    twice = {one for one in who if who.count(one) > 1}
    if twice:
        sys.exit(f"{path} has {', '.join(sorted(twice))} twice; the first column has to tell students apart.")
    return [named, *who]


def title_of(asked: Exercise) -> str:
    return TITLES.get(asked.name) or f"The {asked.name.replace('_', ' ')}"


def task(n: int, asked: Exercise, points: str) -> str:
    worth = f" ({points} {'point' if points == '1' else 'points'})" if points else ""
    return (
        f"<section><h2>{n}. {escape(title_of(asked))}{worth}</h2>{question(asked)}"
        f'<p>Result: {escape(asked.returns)}.</p><div class="room"></div></section>'
    )


def question(asked: Exercise) -> str:
    """What is asked for, and the numbers of its one input."""
    arrays, rest = [], []
    for name, value in asked.inputs[0].items():
        said, plain_name = SHAPE.sub("", asked.takes[name]), name.replace("_", " ")
        if isinstance(value, np.ndarray) and value.ndim:
            what = said.lstrip(": ") or plain_name
            arrays.append(f"<div><p>{escape(what)} ({' × '.join(map(str, value.shape))})</p>{shown(value)}</div>")
        else:
            rest.append(f"<p>{escape(plain_name)}, {escape(said)}: {escape(plain(value))}</p>")
    given = f'<div class="given">{"".join(arrays)}</div>{"".join(rest)}'
    sentence = IN_THE_COURSE.sub("", asked.task)
    return f"<p>{escape(sentence)} Work it out by hand for these numbers.</p>{given}"


def solution(n: int, asked: Exercise) -> str:
    """The result, and what each known mistake would give for the same numbers."""
    right = asked.expected[0]
    wrong = {}
    for one in asked.computation.misconceptions:
        result = asked.computation.wrong(asked.inputs[0], one)
        if result is not None and result.size and not np.array_equal(result, right):
            wrong.setdefault(one.name, flat(result))
    items = "".join(f"<li>{escape(name)}: {result}</li>" for name, result in wrong.items())
    return (
        f"<section><h3>{n}. {escape(title_of(asked))}</h3>{shown(right)}"
        f'<p>Known mistakes:</p><ul class="mistakes">{items}</ul></section>'
    )


def add_to_bank(bank: ET.Element, who: str, asked: Exercise) -> None:
    """Add the task to a Moodle XML file: a category for each exercise, in it a cloze question for each student.

    The elements are those of https://docs.moodle.org/en/Moodle_XML_format, a field of a cloze question is as
    https://docs.moodle.org/en/Embedded_Answers_(Cloze)_question_type has it.
    """
    category = ET.SubElement(ET.SubElement(bank, "question", type="category"), "category")
    ET.SubElement(category, "text").text = f"$course$/top/convbp/{title_of(asked)}"
    one = ET.SubElement(bank, "question", type="cloze")
    ET.SubElement(ET.SubElement(one, "name"), "text").text = f"{title_of(asked)}: {who}"
    result = shown(asked.expected[0], lambda value: f"{{1:NUMERICAL:={float(value):.6g}:0.001}}")
    text = ET.SubElement(one, "questiontext", format="html")
    ET.SubElement(text, "text").text = f"{question(asked)}<p>Result:</p>{result}"


def plain(value: object) -> str:
    if isinstance(value, int | float | np.ndarray | np.generic) and not isinstance(value, bool):
        return number(exact(np.asarray(value)[()]))
    return str(value)


def shown(value: object, cell: Callable[[object], str] = plain) -> str:
    """An array as a table, one for each plane of its last two axes if it has more; anything else as it is printed."""
    if not isinstance(value, np.ndarray) or not value.ndim:
        return f"<p>{escape(cell(value))}</p>"
    if value.ndim > 2:
        return "".join(
            f"<p>[{', '.join(map(str, index))}, :, :]</p>{shown(value[index], cell)}"
            for index in np.ndindex(value.shape[:-2])
        )
    rows = ("".join(f"<td>{cell(entry)}</td>" for entry in row) for row in np.atleast_2d(value))
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def flat(value: np.ndarray) -> str:
    """The numbers in a line, with a semicolon after each row."""
    array = np.atleast_2d(value)
    rows = (" ".join(plain(entry) for entry in row) for row in array.reshape(-1, array.shape[-1]))
    return escape("; ".join(rows))


def page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style>{body}</html>\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
