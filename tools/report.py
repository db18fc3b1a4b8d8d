"""What a class handed in: who solved which exercise, and which mistakes were how often.

    python3 course.py report FOLDER [--csv class.csv] [--html class.html] [--run [--seed SEED]]

FOLDER holds notebooks as students saved them: one folder for each student, as nbgrader's submitted/ and autograded/
have, or one file for each. Read are the results that checks leave in saved outputs; nothing is executed, and only the
standard library is needed. Whoever can edit a file can edit these results. With --run they are not looked at: each
notebook runs in a process of its own, with limits of time and memory, and the checks run in another, on other numbers
if there is a seed.
"""

import argparse
import ast
import csv
import json
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEDIA_TYPE = "application/vnd.convbp.result+json"  # of what convbp.exercises.result.Result leaves in an output
CHECK = re.compile(r"\bexercises\.(\w+)\.check\(")
SECONDS, MEGABYTES = 60, 2048  # for one cell; of address space
CHECK_SECONDS = 5  # for one answer, on all inputs
COLUMNS = ["student", "exercise", "passed", "points", "kind", "mistake", "where", "notebook"]
# Kinds that only a report has, beside those of a result.
UNREADABLE, NO_CHECK, NOT_RUN = "unreadable", "no check in it", "not run"
FILE = "the file itself"  # in the place of an exercise
ERROR, UNCHECKED, NO_FUNCTION = "error before the check", "no result saved", "no function, so not on other numbers"


@dataclass(frozen=True)
class Row:
    """One student's result of one exercise."""

    student: str
    exercise: str
    passed: bool = False
    points: float = 0.0
    kind: str = ""
    mistake: str = ""
    where: str = ""
    notebook: str = ""

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
    parser.add_argument("--seed", help="check on the numbers of this seed; with --run")
    chosen = parser.parse_args(arguments)
    if not chosen.folder.is_dir():
        sys.exit(f"There is no folder {chosen.folder}; expected one with the notebooks that students saved.")
    if chosen.seed is not None and not chosen.run:
        sys.exit("--seed needs --run: what is saved was checked on the numbers of the course.")
    found = submissions(chosen.folder)
    if not found:
        sys.exit(f"There is no notebook in {chosen.folder}.")
    rows = []
    for student, path in found:
        some = run(student, path, chosen.seed) if chosen.run else read(student, path)
        rows += some or [Row(student, "", kind=NO_CHECK, notebook=path.name)]
    rows = one_each(rows)
    if chosen.csv:
        write_csv(rows, chosen.csv)
    if chosen.html:
        chosen.html.write_text(page(rows, chosen.site, executed=chosen.run), encoding="utf-8")
    print(summary(rows))
    return 0


def submissions(folder: Path) -> list[tuple[str, Path]]:
    """The notebooks, each with its student: the first folder below, or else the name of the file."""
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts]
    inner = [path.relative_to(folder).parts for path in paths]
    return [(parts[0] if parts[1:] else path.stem, path) for parts, path in zip(inner, paths, strict=True)]


def code_cells(path: Path) -> list[dict]:
    """The code cells, without the course's own solutions.

    Raises
    ------
    ValueError
        If the file is no notebook.
    """
    try:
        cells = [dict(cell) for cell in json.loads(path.read_text(encoding="utf-8-sig"))["cells"]]
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise ValueError(f"{path} is no notebook: {error}") from None
    code = [cell for cell in cells if cell.get("cell_type") == "code"]
    for cell in code:
        source = cell.get("source", "")
        cell["source"] = source if isinstance(source, str) else "".join(map(str, source))
    return [cell for cell in code if "solution" not in (cell.get("metadata") or {}).get("tags", [])]


# What students saved


def read(student: str, path: Path) -> list[Row]:
    """The results that are saved in a notebook; of a check without one, why there is none."""
    try:
        return [row for cell in code_cells(path) for row in _saved(student, path.name, cell)]
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
    return Row(
        student,
        str(one.get("exercise", "")),
        one.get("passed") is True,
        float(points) if isinstance(points, int | float) else 0.0,
        str(one.get("kind", "")),
        ", ".join(map(str, mistakes)) if isinstance(mistakes, list) else "",
        str(one.get("where", "")),
        notebook,
    )


def one_each(rows: list[Row]) -> list[Row]:
    """Of several results of a student for an exercise the best: one that passed, else the last that was tried.

    That a notebook has no check is said of a student who has no other notebook.
    """
    untried = {NOT_RUN, UNCHECKED, ERROR, "missing"}
    tried = {row.student for row in rows if row.kind != NO_CHECK}
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = row.student, row.exercise
        if row.kind == NO_CHECK and row.student in tried:
            continue
        if key not in best or _worth(row, untried) >= _worth(best[key], untried):
            best[key] = row
    return sorted(best.values(), key=lambda row: (row.student, row.exercise))


def _worth(row: Row, untried: set[str]) -> int:
    return 2 if row.passed else int(row.kind not in untried)


# What is run


def run(student: str, path: Path, seed: str | None = None, seconds: float = SECONDS) -> list[Row]:
    """Run a notebook in a process of its own, and check here what its functions return."""
    sys.path.append(str(ROOT / "examples" / "nbgrader"))
    import apart

    from convbp import exercises

    known = {exercise.name: exercise for exercise in exercises.ALL}
    try:
        cells = code_cells(path)
    except (ValueError, AttributeError, TypeError):
        return [Row(student, "", kind=UNREADABLE, notebook=path.name)]
    process = apart.Student(str(path.parent), closed=True, seconds=seconds, megabytes=MEGABYTES)
    rows, stopped = [], ERROR
    try:
        for cell in cells:
            asked = [name for name in CHECK.findall(cell["source"]) if name in known]
            try:
                process.run(cell["source"])
            except Exception as error:  # whatever the process of a student's sends, or does not
                stopped = "time" if isinstance(error, TimeoutError) else "crash"
                rows += [Row(student, name, kind=stopped, notebook=path.name) for name in asked]
                continue
            for name, answer in _answers(cell["source"]):
                if name in known:
                    rows.append(_checked(student, path.name, known[name], process, answer, seed))
                    asked = [other for other in asked if other != name]
            rows += [Row(student, name, kind=ERROR, notebook=path.name) for name in asked]
    finally:
        process.end()
    return [replace(row, kind=stopped) if row.kind == ERROR else row for row in rows]


@cache  # for the whole class
def _with_numbers(exercise, seed: str | None):
    return exercise if seed is None else exercise.variant(seed)


def _answers(source: str) -> list[tuple[str, str]]:
    """The exercises that a cell checks, each with the code of what is checked."""
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return [
        (CHECK.findall(ast.unparse(c.func) + "(")[0], ast.unparse(c.args[0]))
        for c in calls
        if CHECK.fullmatch(ast.unparse(c.func) + "(")
    ]


def _checked(student: str, notebook: str, exercise, process, answer: str, seed: str | None) -> Row:
    if answer == "...":
        return _row(student, notebook, exercise.check(...).as_dict())
    asked = _with_numbers(exercise, seed)
    try:
        _, values, functions = process.run(f"answer_to_check = {answer}")
    except Exception as error:  # whatever the process of a student's sends, or does not
        kind = "time" if isinstance(error, TimeoutError) else "crash"
        return Row(student, exercise.name, kind=kind, notebook=notebook)
    if "answer_to_check" in functions:
        result = asked.check(
            lambda *given: process.call("answer_to_check", *given, closed_for=exercise.name), seconds=CHECK_SECONDS
        )
    elif "answer_to_check" in values:
        if seed is not None:
            return Row(student, exercise.name, kind=NO_FUNCTION, where=exercise.equation, notebook=notebook)
        result = asked.check(values["answer_to_check"])
    else:
        return Row(student, exercise.name, kind=ERROR, where=exercise.equation, notebook=notebook)
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


def by_exercise(rows: list[Row]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row.exercise].append(row)
    return dict(sorted(found.items()))


def summary(rows: list[Row]) -> str:
    """For each exercise how many passed, and the mistakes, the most frequent first."""
    lines = [f"{len({row.student for row in rows})} students"]
    for exercise, some in by_exercise(rows).items():
        lines.append(f"{exercise or FILE}: {sum(row.passed for row in some)} of {len(some)} right")
        lines += [f"  {n:>3}  {what}" for what, n in mistakes(some)]
    return "\n".join(lines)


def mistakes(rows: list[Row]) -> list[tuple[str, int]]:
    return Counter(row.what for row in rows if not row.passed).most_common()


def notebook_of(exercise: str, where: str) -> str:
    """The notebook to read: named in ``where``, or the one that has the exercise, or its equation; or none."""
    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    number = re.search(r"notebook (\d\d)", where)
    if number:
        return next((path.name for path in notebooks if path.name.startswith(number[1])), "")
    for path in notebooks:
        if f"exercises.{exercise}.check(" in path.read_text(encoding="utf-8"):
            return path.name
    equation = re.search(r"Eq\. (\d+)", where)
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, first, last in re.findall(r"^\| \d\d \| .*?notebooks/(\w+\.ipynb).*\| (\d+)[–, ]*(\d*) \|$", table, re.M):
        if equation and int(first) <= int(equation[1]) <= int(last or first):
            return name
    return ""


STYLE = """body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse } th, td { border: 1px solid #bbb; padding: 2px 8px; text-align: left }
td.right { background: #d5efe6 } td.wrong { background: #fbe3d3 } .scroll { overflow-x: auto }
@media print { .scroll { overflow: visible } h2, svg { break-inside: avoid } }"""


def built_site() -> str:
    """The address of the site that was built here, or nothing."""
    site = ROOT / "site"
    return site.as_uri() if (site / "notebooks").is_dir() else ""


def page(rows: list[Row], site: str = "", executed: bool = False) -> str:
    """The report as a page that needs nothing beside it."""
    exercises = by_exercise(rows)
    students = sorted({row.student for row in rows})
    cell = {(row.student, row.exercise): row for row in rows}
    said = (
        "Each notebook was run in a process of its own, and checked in another."
        if executed
        else "Read from what students saved; nothing was run. A saved output can be edited by whoever has the file."
    )
    head = "".join(f'<th scope="col">{escape(name or FILE)}</th>' for name in exercises)
    body = "".join(
        f'<tr><th scope="row">{escape(student)}</th>'
        + "".join(_cell(cell.get((student, name)), missing="not handed in" if name else "") for name in exercises)
        + "</tr>\n"
        for student in students
    )
    parts = "\n".join(_part(name, some, site) for name, some in exercises.items())
    return f"""<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Report of a class</title><style>{STYLE}</style>
<h1>Report of a class</h1>
<p>{said}</p>
<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">student</th>{head}</tr></thead>
<tbody>{body}</tbody></table></div>
{parts}
</html>
"""


def _cell(row: Row | None, missing: str) -> str:
    if row is None:
        return f"<td>{missing}</td>"
    text = f"right, {row.points:g}" if row.passed else f"{row.what}, {row.points:g}" if row.points else row.what
    return f'<td class="{"right" if row.passed else "wrong"}">{escape(text)}</td>'


def _part(exercise: str, rows: list[Row], site: str) -> str:
    counted = [("right", sum(row.passed for row in rows)), *mistakes(rows)]
    look = {}
    for row in rows:
        look.setdefault(row.what, row.where)
    items = "".join(f"<li>{escape(what)}: {n}{_to_read(exercise, look[what], site)}</li>" for what, n in counted[1:])
    return f"<h2>{escape(exercise or FILE)}</h2>\n{bars(counted)}\n<ul>{items}</ul>"


def _to_read(exercise: str, where: str, site: str) -> str:
    notebook = notebook_of(exercise, where) if exercise else ""
    said = escape(notebook)
    if notebook and site:
        address = f"{site.rstrip('/')}/notebooks/{Path(notebook).stem}.html"
        said = f'<a href="{escape(address)}">{said}</a>'
    parts = [part for part in (said, escape(where)) if part]
    return f" ({', '.join(parts)})" if parts else ""


def bars(counted: list[tuple[str, int]]) -> str:
    """A bar for each, with its number; the sentence says the same."""
    most = max(1, *(n for _, n in counted))
    drawn = []
    for k, (what, n) in enumerate(counted):
        y, width = 24 * k, 300 * n / most
        colour = "#009e73" if what == "right" else "#d55e00"
        short = what if len(what) <= 44 else what[:43] + "…"
        drawn.append(
            f'<text x="330" y="{y + 17}" text-anchor="end">{escape(short)}</text>'
            f'<rect x="340" y="{y + 4}" width="{width:.1f}" height="16" fill="{colour}"/>'
            f'<text x="{346 + width:.1f}" y="{y + 17}">{n}</text>'
        )
    sentence = escape("; ".join(f"{what}: {n}" for what, n in counted), quote=True)
    return (
        f'<svg viewBox="0 0 700 {24 * len(counted)}" width="700" style="max-width: 100%" role="img" '
        f'aria-label="{sentence}" font-size="14">{"".join(drawn)}</svg>'
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
