"""What a class handed in: who solved which task, and which mistakes were how often.

    python3 course.py report FOLDER [--csv class.csv] [--html class.html] [--site URL] [--run [--seed SEED]]

FOLDER holds notebooks as students saved them: one folder for each student, as nbgrader's submitted/ and autograded/
have, or one file for each. Read are the results that checks leave in saved outputs; nothing is executed, and only the
standard library is needed. Whoever can edit a file can edit these results. With --run they are not looked at: each
notebook runs in a process of its own, with limits of time and memory, and what it hands to a check is checked in
another, on numbers that no student has; it says their seed, and with --seed they are the same again.

A task is a heading of a notebook of the course with a check below it, as students get both. A check elsewhere stands
under its exercise's name. A cell that is still as it was handed out is not begun, whatever its check would say.
"""

import argparse
import csv
import json
import re
import secrets
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEDIA_TYPE = "application/vnd.convbp.result+json"  # of what convbp.exercises.result.Result leaves in an output
CHECK = re.compile(r"\bexercises\.(\w+)\.check\(")
HEADING = re.compile(r"^#{1,3} .*$", re.MULTILINE)
SECONDS, MEGABYTES = 60, 2048  # for one cell; of address space
CHECK_SECONDS = 5  # for one answer, on all inputs
COLUMNS = ["student", "task", "exercise", "passed", "points", "kind", "mistake", "where", "notebook"]
# Kinds that only a report has, beside those of a result.
UNREADABLE, NO_CHECK, NOT_RUN, NOT_BEGUN = "unreadable", "no check in it", "not run", "not begun"
FILE = "the file itself"  # in the place of a task
ERROR, UNCHECKED, NO_FUNCTION = "error before the check", "no result saved", "no function"
UNREACHED = "check not reached"  # as its condition does not hold
UNTRIED = {NOT_RUN, NOT_BEGUN, UNCHECKED, UNREACHED, ERROR, "missing"}


@dataclass(frozen=True)
class Row:
    """One student's result of one task."""

    student: str
    exercise: str
    passed: bool = False
    points: float = 0.0
    kind: str = ""
    mistake: str = ""
    where: str = ""
    notebook: str = ""
    task: str = ""

    @property
    def column(self) -> str:
        """What the row is in the table of the class: its task, or the name of an exercise that is in no task."""
        return self.task or self.exercise

    @property
    def what(self) -> str:
        """What to count: the mistake by its name, or else its kind."""
        return self.mistake or self.kind


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("course.py report", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="with the notebooks as students saved them")
    parser.add_argument("--csv", type=Path, help="write the table here")
    parser.add_argument("--html", type=Path, help="write the page here")
    parser.add_argument("--site", default=built_site(), help="address of the course's site, for the links of the page")
    parser.add_argument("--run", action="store_true", help="run the notebooks, each in a process with limits")
    parser.add_argument("--seed", help="with --run: the numbers to check on; else others in each run")
    chosen = parser.parse_args(arguments)
    if not chosen.folder.is_dir():
        sys.exit(f"There is no folder {chosen.folder}; expected one with the notebooks that students saved.")
    if chosen.seed is not None and not chosen.run:
        sys.exit("--seed needs --run: what is saved was checked on the numbers of the course.")
    found = submissions(chosen.folder)
    if not found:
        sys.exit(f"There is no notebook in {chosen.folder}.")
    if chosen.run and chosen.seed is None:  # on the course's own numbers a table of the results would do
        chosen.seed = secrets.token_hex(4)
    rows = []
    for student, path in found:
        some = run(student, path, chosen.seed) if chosen.run else read(student, path)
        rows += some or [Row(student, "", kind=NO_CHECK, notebook=path.name)]
    rows = one_each(rows)
    for path in filter(None, (chosen.csv, chosen.html)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if chosen.csv:
        write_csv(rows, chosen.csv)
    if chosen.html:
        chosen.html.write_text(page(rows, chosen.site, executed=chosen.run), encoding="utf-8")
    print(summary(rows))
    if chosen.run:
        print(f"Checked on the numbers of --seed {chosen.seed}.")
    return 0


def submissions(folder: Path) -> list[tuple[str, Path]]:
    """The notebooks, each with its student: the first folder below, or else the name of the file."""
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    inner = [path.relative_to(folder).parts for path in paths]
    return [(parts[0] if parts[1:] else path.stem, path) for parts, path in zip(inner, paths, strict=True)]


def cells_of(path: Path) -> list[dict]:
    """The cells of a notebook, their sources as text.

    Raises
    ------
    ValueError
        If the file is no notebook.
    """
    try:
        cells = [dict(cell) for cell in json.loads(path.read_text(encoding="utf-8-sig"))["cells"]]
        for cell in cells:
            source = cell.get("source", "")
            cell["source"] = source if isinstance(source, str) else "".join(map(str, source))
            cell["tags"] = list((cell.get("metadata") or {}).get("tags", []))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise ValueError(f"{path} is no notebook: {error}") from None
    return cells


def code_cells(path: Path) -> list[tuple[str, dict]]:
    """The code cells without the course's own solutions, each with the heading that it stands under."""
    heading, found = "", []
    for cell in cells_of(path):
        if cell.get("cell_type") == "markdown":
            heading = ([heading, *HEADING.findall(cell["source"])])[-1].strip("# ")
        elif cell.get("cell_type") == "code" and "solution" not in cell["tags"]:
            found.append((heading, cell))
    return found


@dataclass(frozen=True)
class Task:
    """A check of the course: its notebook, what the report calls it, and the cell as it is handed out."""

    notebook: str
    name: str
    source: str


@cache
def tasks() -> dict[tuple[str, str], Task]:
    """The course's tasks by heading and exercise."""
    return {
        (heading, exercise): Task(path.name, f"{path.name[:2]}.{heading.replace('. ', ' ', 1)}", cell["source"])
        for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
        for heading, cell in code_cells(path)
        for exercise in CHECK.findall(cell["source"])
    }


def in_task(row: Row, heading: str, source: str) -> Row:
    """The row with its task; not begun, if the cell is as it was handed out."""
    task = tasks().get((heading, row.exercise))
    if task is None:
        return row
    if source.split() == task.source.split():
        row = Row(row.student, row.exercise, kind=NOT_BEGUN, notebook=row.notebook)
    return replace(row, task=task.name)


# What students saved


def read(student: str, path: Path) -> list[Row]:
    """The results that are saved in a notebook; of a check without one, why there is none."""
    try:
        return [
            in_task(row, heading, cell["source"])
            for heading, cell in code_cells(path)
            for row in _saved(student, path.name, cell)
        ]
    except (ValueError, AttributeError, TypeError):
        return [Row(student, "", kind=UNREADABLE, notebook=path.name)]


def _saved(student: str, notebook: str, cell: dict) -> list[Row]:
    outputs = cell.get("outputs", [])
    held = [output.get("data", {}).get(MEDIA_TYPE) for output in outputs]
    results = [one for one in held if isinstance(one, dict)]
    if results:
        return [_row(student, notebook, one) for one in results]
    failed = any(output.get("output_type") == "error" for output in outputs)
    kind = ERROR if failed else UNCHECKED if outputs or cell.get("execution_count") else NOT_RUN
    return [Row(student, name, kind=kind, notebook=notebook) for name in CHECK.findall(cell["source"])]


def _row(student: str, notebook: str, one: dict) -> Row:
    points, mistakes = one.get("points"), one.get("mistake")
    kind = str(one.get("kind", ""))
    if kind == "crash" and "NotImplementedError" in str(one.get("said", "")):
        kind = NOT_BEGUN  # this is what nbgrader puts in the place of a solution
    return Row(
        student,
        str(one.get("exercise", "")),
        passed=one.get("passed") is True,
        points=float(points) if isinstance(points, int | float) else 0.0,
        kind=kind,
        mistake=", ".join(map(str, mistakes)) if isinstance(mistakes, list) else "",
        where=str(one.get("where", "")),
        notebook=notebook,
    )


def one_each(rows: list[Row]) -> list[Row]:
    """Of several results of a student for a task the best: one that passed, else the last that was tried.

    That a notebook has no check is said of a student who has no other notebook.
    """
    tried = {row.student for row in rows if row.kind != NO_CHECK}
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row.student, row.column
        if row.kind == NO_CHECK and row.student in tried:
            continue
        if key not in best or _worth(row) >= _worth(best[key]):
            best[key] = row
    return sorted(best.values(), key=lambda row: (row.student, row.column))


def _worth(row: Row) -> int:
    return 2 if row.passed else int(row.kind not in UNTRIED)


# What is run


def run(student: str, path: Path, seed: str | None = None, seconds: float = SECONDS) -> list[Row]:
    """Run a notebook in a process of its own, and check here what it hands to the checks of the course."""
    sys.path.append(str(ROOT / "examples" / "nbgrader"))
    import apart

    from convbp import exercises

    known = {exercise.name: exercise for exercise in exercises.ALL}
    try:
        cells = code_cells(path)
    except ValueError:
        return [Row(student, "", kind=UNREADABLE, notebook=path.name)]
    process = apart.Student(str(path.parent), closed=True, seconds=seconds, megabytes=MEGABYTES)
    rows, stopped = [], ERROR
    try:
        for heading, cell in cells:
            source = cell["source"]
            written = [name for name in CHECK.findall(source) if name in known]
            some, why = [], UNREACHED
            try:
                reply = process.try_cell(source)
                why = ERROR if reply["failed"] else UNREACHED
                for one in reply["checks"]:
                    if one["exercise"] in known:
                        some.append(_checked(student, path.name, known[one["exercise"]], process, one, seed))
            except Exception as error:  # whatever the process of a student's sends, or does not
                why = stopped = "time" if isinstance(error, TimeoutError) else "crash"
            missed = [name for name in written if name not in {row.exercise for row in some}]
            some += [Row(student, name, kind=why, notebook=path.name) for name in missed]
            rows += [in_task(row, heading, source) for row in some]
    finally:
        process.end()
    return [replace(row, kind=stopped) if row.kind == ERROR else row for row in rows]


@cache  # for the whole class
def _with_numbers(exercise, seed: str | None):
    return exercise if seed is None else exercise.variant(seed)


def _checked(student: str, notebook: str, exercise, process, handed_in: dict, seed: str | None) -> Row:
    import apart

    kind, number = handed_in["kind"], handed_in["number"]
    options = {name: apart.unpacked(value) for name, value in handed_in["options"].items()}
    if kind == "missing":
        result = exercise.check(...)
    elif kind == "function":

        def answer(*given):
            return process.call(number, *given, closed_for=exercise.name)

        try:
            result = _with_numbers(exercise, seed).check(answer, **options, seconds=CHECK_SECONDS)
        except ValueError:  # no such layout
            return Row(student, exercise.name, kind=ERROR, where=exercise.equation, notebook=notebook)
    elif seed is not None:
        return Row(student, exercise.name, kind=NO_FUNCTION, where=exercise.equation, notebook=notebook)
    else:
        result = exercise.check(apart.unpacked(handed_in["value"]), **options)
    return _row(student, notebook, result.as_dict())


# What is written


def write_csv(rows: list[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # the mark tells Excel the encoding
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([_no_formula(getattr(row, column)) for column in COLUMNS])


def _no_formula(value: object) -> object:
    """A text that no spreadsheet takes for a formula; students name files, and can write into outputs."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def by_task(rows: list[Row]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row.column].append(row)
    return dict(sorted(found.items()))


def summary(rows: list[Row]) -> str:
    """For each task how many passed, and the mistakes, the most frequent first."""
    lines = [f"{len({row.student for row in rows})} students"]
    for task, some in by_task(rows).items():
        lines.append(f"{task or FILE}: {sum(row.passed for row in some)} of {len(some)} right")
        lines += [f"  {n:>3}  {what}" for what, n in mistakes(some)]
    return "\n".join(lines)


def mistakes(rows: list[Row]) -> list[tuple[str, int]]:
    return Counter(row.what for row in rows if not row.passed).most_common()


def notebook_of(exercise: str, where: str) -> str:
    """The notebook to read: named in ``where``, or the one that has the exercise, or its equation; or none."""
    number = re.search(r"notebook (\d\d)", where)
    if number:
        return next((path.name for path in (ROOT / "notebooks").glob(f"{number[1]}_*.ipynb")), "")
    for (_, name), task in tasks().items():
        if name == exercise:
            return task.notebook
    equation = re.search(r"Eq\. (\d+)", where)
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, first, last in re.findall(r"^\| \d\d \| .*?notebooks/(\w+\.ipynb).*\| (\d+)[–, ]*(\d*) \|$", table, re.M):
        if equation and int(first) <= int(equation[1]) <= int(last or first):
            return name
    return ""


STYLE = """body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse } th, td { border: 1px solid #bbb; padding: 2px 8px; text-align: left }
td.right { background: #d5efe6 } td.wrong { background: #fbe3d3 } .scroll { overflow-x: auto }
.bars th, .bars td { border: 0; font-weight: normal } .bars th { max-width: 32rem }
.bars td:nth-child(2) { text-align: right }
.bar { background: #d55e00; display: block; height: 1rem; print-color-adjust: exact } .bar.right { background: #009e73 }
.bar.untried { background: #999 }
@media print { .scroll { overflow: visible } h2 { break-after: avoid } .bars { break-inside: avoid } }"""
WIDEST = 20  # rem of a bar
SAVED = (
    "Read from what students saved; nothing was run. A result can be older than the code above it, edited, or copied, "
    "so “right” means that a file says so."
)
RUN = (
    "Each notebook was run in a process of its own, and what it handed to the checks was checked in another. What was "
    "copied from elsewhere is right as well."
)
NOT_IN_IT = (
    "Tasks that ask for a number or a sentence check themselves in the notebook and are not in this report. "
    "“Not begun” is a cell that is as it was handed out."
)


def built_site() -> str:
    """The address of the site that was built here, or nothing."""
    site = ROOT / "site"
    return site.as_uri() if (site / "notebooks").is_dir() else ""


def page(rows: list[Row], site: str = "", executed: bool = False) -> str:
    """The report as a page that needs nothing beside it."""
    columns = by_task(rows)
    students = sorted({row.student for row in rows})
    cell = {(row.student, row.column): row for row in rows}
    head = "".join(f'<th scope="col">{escape(name or FILE)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(student)}</th>'
        + "".join(_cell(cell.get((student, name)), missing="not handed in" if name else "") for name in columns)
        + "</tr>\n"
        for student in students
    )
    parts = "\n".join(_part(name, some, site) for name, some in columns.items())
    return f"""<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Report of a class</title><style>{STYLE}</style>
<h1>Report of a class</h1>
<p>{RUN if executed else SAVED} {NOT_IN_IT}</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">student</th>{head}</tr></thead>
<tbody>{body}</tbody></table></div>
{parts}
</html>
"""


def _cell(row: Row | None, missing: str) -> str:
    if row is None:
        return f"<td>{missing}</td>"
    plain = row.points == float(row.passed)  # as a check that was given no points has it
    text = row.what if plain else f"{row.what} ({row.points:g} points)"
    return f'<td class="{_colour(row)}">{escape(text)}</td>'


def _colour(row: Row) -> str:
    return "right" if row.passed else "untried" if row.kind in UNTRIED else "wrong"


def _part(task: str, rows: list[Row], site: str) -> str:
    """How many are right, and which mistakes were how often, each with a bar and what to read."""
    counted = [("right", sum(row.passed for row in rows)), *mistakes(rows)]
    most = max(1, *(n for _, n in counted))
    first = {row.what: row for row in reversed(rows)}
    lines = "".join(
        f'<tr><th scope="row">{escape(what)}{_to_read(first[what], site) if k else ""}</th><td>{n}</td>'
        f'<td><span class="bar {colour}" style="width: {WIDEST * n / most:.1f}rem"></span></td></tr>'
        for k, (what, n) in enumerate(counted)
        for colour in [_colour(first[what]) if k else "right"]
    )
    exercise = rows[0].exercise
    known = "" if exercise in ("", task) else f" <small>({escape(exercise)})</small>"
    return f'<h2>{escape(task or FILE)}{known}</h2>\n<table class="bars">{lines}</table>'


def _to_read(row: Row, site: str) -> str:
    if not row.exercise or row.kind in UNTRIED:
        return ""
    notebook = notebook_of(row.exercise, row.where)
    said = escape(notebook)
    if notebook and site:
        address = f"{site.rstrip('/')}/notebooks/{Path(notebook).stem}.html"
        said = f'<a href="{escape(address)}">{said}</a>'
    parts = [part for part in (said, escape(row.where)) if part]
    return f" ({', '.join(parts)})" if parts else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
