"""What a teacher does with the course: see a class, hand out, examine."""

import csv
import importlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree
from zipfile import ZipFile

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import course
import sample
from browser import eventually
from convbp import exercises
from tools import exam, report, student

ROOT = Path(course.ROOT)
RIGHT = """
def mine(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return sum(delta[i, j] * inputs[i : i + k1, j : j + k2] for i, j in np.ndindex(delta.shape))
"""
LIBRARY = """
from convbp import conv2d_kernel_gradient
def kernel_gradient(inputs, delta):
    size = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return conv2d_kernel_gradient(inputs[None, :, :, None], delta[None, :, :, None], size)[:, :, 0, 0]
"""
PATCHED = """
import convbp.exercises.exercise as e
class Yes:
    passed, points, misconceptions, message, kind = True, 1, (), "Yes.", "right"
e.Exercise.check = lambda self, *given, **more: Yes()
import convbp.exercises as all_of_them
all_of_them.kernel_gradient.check = lambda *given, **more: Yes()
np.array_equal = np.allclose = lambda *given, **more: True
"""
# Who handed in what: the code, and what a grader that is not fooled says.
ANSWERS = {
    "right": (RIGHT, True, "right"),
    "dots": (f"dots = np.array([..., 1], object)\n{RIGHT}", True, "right"),
    "turned": (RIGHT.replace("delta[i, j] *", "delta[-1 - i, -1 - j] *"), False, "named"),
    "unnamed": (
        "def mine(inputs, delta):\n    return np.arange(6.0).reshape(3, 2) ** 3 - inputs[0, 0]",
        False,
        "value",
    ),
    "shape": ("def mine(inputs, delta):\n    return inputs[:1]", False, "shape"),
    "crashes": ("def mine(inputs, delta):\n    return inputs[99]", False, "crash"),
    "endless": ("def mine(inputs, delta):\n    while True:\n        pass", False, "time"),
    "leaves": ("import os\ndef mine(inputs, delta):\n    os._exit(0)", False, "crash"),
    "syntax": ("def mine(inputs, delta)\n    return 1", False, report.ERROR),
    "library": (f"{LIBRARY}mine = kernel_gradient", False, "crash"),
    "copies": (
        "from convbp import cross_correlate, rot180\nnames = {**globals()}\nexec(str(exercises.kernel_gradient."
        "solution()), names)\nmine = names.get('kernel_gradient', exercises.kernel_gradient.answer)",
        False,
        report.ERROR,
    ),
    "patches": (PATCHED + "def mine(inputs, delta):\n    return inputs", False, "shape"),
}
CHECK = "exercises.kernel_gradient.check(mine)"


def cells(code):
    head = new_code_cell("import numpy as np\nfrom convbp import exercises, cross_correlate")
    return [new_markdown_cell("Task"), head, new_code_cell(f"{code}\n\n{CHECK}")]


def write(folder, student, some):
    place = folder / student / "06"
    place.mkdir(parents=True)
    notebook = new_notebook(cells=some)
    (place / "06_kernel_gradient.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return place / "06_kernel_gradient.ipynb"


def saved(result):
    data = {"text/plain": result.message, report.MEDIA_TYPE: result.as_dict()}
    return new_output("display_data", data=data)


@pytest.fixture(scope="module")
def submitted(tmp_path_factory):
    """Notebooks with the results that the real check gives, and some without."""
    folder = tmp_path_factory.mktemp("class") / "submitted"
    check = exercises.kernel_gradient.check
    for who, code in {name: ANSWERS[name][0] for name in ("right", "turned", "unnamed", "crashes")}.items():
        names = {}
        exec(f"import numpy as np\n{code}", names)
        some = cells(code)
        some[-1].outputs = [saved(check(names["mine"]))]
        write(folder, who, some)
    write(folder, "not run", cells("mine = 1"))
    some = cells("def mine(:")
    some[-1].outputs = [new_output("error", ename="SyntaxError", evalue="", traceback=[])]
    write(folder, "=1+1", some)
    some = cells("mine = ...")
    some[-1].outputs = [new_output("stream", text="Yes. Right."), saved(check(...))]
    forged = saved(check(...))
    forged.data[report.MEDIA_TYPE] |= {"exercise": "<script>", "mistake": ["<b>"], "points": "many", "where": None}
    write(folder, "undone", [*some, new_code_cell("", outputs=[forged])])
    write(folder, "empty", [new_markdown_cell("Nothing")])
    (folder / "broken").mkdir()
    (folder / "broken" / "06.ipynb").write_text("{", encoding="utf-8")
    return folder


def test_the_report_needs_only_the_standard_library_and_runs_nothing(submitted, tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-S", ROOT / "course.py", "report", "submitted", "--csv", tmp_path / "new" / "class.csv",
         "--html", tmp_path / "new" / "class.html", "--site", "https://example.org/course/"],
        cwd=submitted.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "kernel_gradient: 1 of 7 right" in done.stdout
    with (tmp_path / "new" / "class.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file) if row["exercise"] != "<script>"}
    assert {student: (row["passed"], row["kind"]) for student, row in rows.items()} == {
        "right": ("True", "right"),
        "turned": ("False", "named"),
        "unnamed": ("False", "value"),
        "crashes": ("False", "crash"),
        "not run": ("False", report.NOT_RUN),
        "'=1+1": ("False", report.ERROR),
        "undone": ("False", "missing"),
        "broken": ("False", report.UNREADABLE),
        "empty": ("False", report.NO_CHECK),
    }
    assert rows["turned"]["mistake"] == "delta turned by 180°"
    page = (tmp_path / "new" / "class.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<b>" not in page
    assert re.search(r"delta turned by 180° \(.*?\)</th><td>1</td>", page)
    assert '<a href="https://example.org/course/notebooks/06_kernel_gradient.html">' in page


TASKS = "2. Write the kernel gradient", "3. The bias, for a batch", "5. Find the mistake"
NAMES = [f"06.{task.replace('. ', ' ')}" for task in TASKS]
REPAIRED = [("delta[rows - 1 - i, cols - 1 - j]", "delta[i, j]"), ("line = ...", "line = 8")]


@pytest.fixture
def notebook_06(tmp_path):
    """Notebook 06 as it is handed out, of it the tasks with a check, where these changes were made."""

    def changed(changes):
        some = [new_code_cell("import numpy as np\nfrom convbp import exercises")]
        for heading, cell in report.code_cells(ROOT / "notebooks" / "06_kernel_gradient.ipynb"):
            if heading in TASKS:
                for old, new in changes.get(TASKS.index(heading), ()):
                    assert old in cell["source"]
                    cell["source"] = cell["source"].replace(old, new)
                some += [new_markdown_cell(f"### {heading}\n\nText."), new_code_cell(cell["source"])]
        return write(tmp_path, str(len(list(tmp_path.iterdir()))), some)

    return changed


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        (
            {0: [("return np", "1 / 0\n    return np")], 2: REPAIRED},
            ["crash", report.NOT_BEGUN, "right"],
        ),
        ({1: [(".mean()", ".sum(axis=(0, 1, 2))")], 2: REPAIRED[1:]}, [report.NOT_BEGUN, "right", "named"]),
    ],
)
def test_each_task_has_its_own_result_and_none_before_it_is_begun(notebook_06, changes, kinds):
    rows = report.run("ada", notebook_06(changes))
    assert [(row.task, row.kind) for row in rows] == list(zip(NAMES, kinds, strict=True))
    assert [row.column for row in report.one_each(rows)] == NAMES


def test_what_a_check_said_of_a_cell_that_nobody_touched_is_not_counted(notebook_06):
    path = notebook_06({1: [("mean", "max")]})
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for name in report.CHECK.findall("".join(cell["source"])):
            cell["outputs"] = [saved(getattr(exercises, name).check(lambda *given: np.zeros((1, 1))))]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    rows = report.read("ada", path)
    assert [row.kind for row in rows] == [report.NOT_BEGUN, "shape", report.NOT_BEGUN]
    assert [row.mistake for row in rows] == ["", "", ""]


def test_of_several_tries_the_best_counts():
    def row(kind):
        return report.Row("ada", "rot180", kind == "right", kind=kind)

    for tries, best in [("value right named", "right"), ("value named missing", "named"), ("missing", "missing")]:
        assert report.one_each([row(kind) for kind in tries.split()]) == [row(best)]


def test_each_exercise_leads_to_a_notebook():
    for one in exercises.ALL:
        assert report.notebook_of(one.name, one.equation), one.name


@pytest.mark.slow
@pytest.mark.parametrize("student", ANSWERS)
def test_an_answer_that_is_run_apart_cannot_fool_the_checks(tmp_path, student, monkeypatch):
    monkeypatch.setattr(report, "CHECK_SECONDS", 5 if student != "endless" else 2)
    code, passed, kind = ANSWERS[student]
    (row,) = report.run(student, write(tmp_path, student, cells(code)), seed="autumn")
    assert (row.passed, row.kind) == (passed, kind)


@pytest.mark.slow
def test_the_solutions_are_right_with_what_an_answer_may_use(tmp_path):
    paths = sorted({task.notebook for task in report.tasks().values()})
    for name in sample.some(paths, 1, "solutions"):
        notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
        checked = 0
        for cell in notebook.cells:
            if "solution" in cell.metadata.get("tags", []) and report.CHECK.search(cell.source):
                cell.metadata["tags"].remove("solution")
                cell.source += "  # mine"  # not as it is in the course
                checked += 1
        nbformat.write(notebook, tmp_path / name)
        rows = report.run("ada", tmp_path / name, "autumn")
        assert [row.kind for row in rows].count("right") == checked


@pytest.mark.slow
def test_run_checks_on_numbers_that_nobody_has_and_says_which(tmp_path, capsys):
    known = exercises.kernel_gradient.expected[0].tolist()
    for who, code in {"number": f"mine = np.array({known})", "right": RIGHT}.items():
        write(tmp_path / "submitted", who, cells(code))
    seeds = []
    for seed in ([], ["--seed", "autumn"]):
        arguments = [str(tmp_path / "submitted"), "--run", *seed, "--csv", str(tmp_path / "class.csv")]
        assert report.main(arguments) == 0
        seeds += re.findall(r"numbers of --seed (\S+)\.", capsys.readouterr().out)
        with (tmp_path / "class.csv").open(encoding="utf-8-sig", newline="") as file:
            kinds = {row["student"]: row["kind"] for row in csv.DictReader(file)}
        assert kinds == {"number": report.NO_FUNCTION, "right": "right"}
    assert len(set(seeds)) == 2
    assert seeds[1] == "autumn"


@pytest.mark.slow
def test_what_stopped_a_cell_before_the_check_is_said(tmp_path):
    def kinds(*sources, seed=None):
        some = [new_code_cell("import numpy as np\nfrom convbp import exercises"), *map(new_code_cell, sources)]
        path = write(tmp_path, f"{len(list(tmp_path.iterdir()))}", some)
        return [row.kind for row in report.run("ada", path, seed, seconds=20)]

    renamed = "checks = exercises.kernel_gradient\nchecks.check(np.ones((3, 2)))"
    assert kinds(renamed, "exercises.rot180.check(1) if np.ones(0).any() else None") == ["value", report.UNREACHED]

    sleeps = "import time; time.sleep(60)"
    started = f"import subprocess, sys\nother = subprocess.Popen([sys.executable, '-c', {sleeps!r}])\n"
    saying = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(other.pid))"
    assert kinds(f"{started}{saying}", "import os\nos._exit(1)", CHECK) == ["crash"]
    if hasattr(os, "killpg"):  # what it has started has ended, too
        eventually(Path(f"/proc/{(tmp_path / 'pid').read_text()}/cwd").exists, expected=False)
    assert kinds("exercises.kernel_gradient.check(...)", seed="autumn") == ["missing"]
    assert kinds("exercises.kernel_gradient.check(np.ones((3, 2)))", seed="autumn") == [report.NO_FUNCTION]


def test_memory_is_limited(tmp_path):
    code = "def mine(inputs, delta):\n    return np.ones((30_000, 30_000))[:3, :2]"
    (row,) = report.run("ada", write(tmp_path, "ada", cells(code)))
    assert row.kind == "crash"


def test_an_assignment_is_made_of_any_exercises(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "nbgrader"))
    assignment = importlib.import_module("assignment")
    many = sample.size(1, thorough=len(exercises.ALL))
    chosen = [exercises.ALL[n].name for n in sample.rng("assignment").permutation(len(exercises.ALL))[:many]]
    assert assignment.main([str(tmp_path / "one" / "made.ipynb"), *chosen, "--seed", "autumn"]) == 0
    set_up, *cells = nbformat.read(tmp_path / "one" / "made.ipynb", as_version=4).cells
    names = {"display": lambda result: names.update(shown=result)}
    exec(set_up.source, names)
    for _, _, answer, check in zip(*[iter(cells)] * 4, strict=True):
        assert answer.source.count("### BEGIN SOLUTION") == answer.source.count("### END SOLUTION") == 1
        wrong = re.sub(" *### BEGIN.*END SOLUTION", "    return np.zeros((1, 1))", answer.source, flags=re.DOTALL)
        for source, points in [(answer.source, check.metadata.nbgrader.points), (wrong, 0)]:
            exec(source, names)
            exec(check.source, names)
            assert names["shown"].points == points, source


# Handing out


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "course"
    assert student.main([str(folder), "--standalone", "--no-answers"]) == 0
    return folder


def test_what_is_handed_out_has_neither_solutions_nor_answers_nor_results(handed_out):
    names = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    assert [path.name for path in sorted((handed_out / "notebooks").iterdir())] == names
    for path in (handed_out / "notebooks").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "# Solution" not in text
        assert not [summary for summary in re.findall("<summary>(.*?)</summary>", text) if "answer" in summary]
        assert all(row.kind == report.NOT_BEGUN for row in report.read("ada", path))


def test_it_stands_by_itself_with_the_versions_of_here(handed_out):
    pins = (handed_out / "requirements.txt").read_text().splitlines()
    assert f"numpy=={np.__version__}" in pins
    assert not [line for line in pins if "==" not in line]
    code = "import convbp.exercises; print(convbp.__file__)"
    found = subprocess.check_output(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(handed_out / "src")}, text=True
    )
    assert found.startswith(str(handed_out))
    with pytest.raises(SystemExit, match="would be lost"):
        student.main([str(handed_out), "--standalone"])


def test_no_hand_out_is_unpacked_over_another(tmp_path, monkeypatch):
    monkeypatch.setattr(student, "write", lambda folder, answers: folder.mkdir())
    monkeypatch.setattr(student, "datetime", clock := Mock())
    names = []
    for minute in (5, 6):
        clock.now.return_value = datetime(2026, 3, 1, 14, minute)
        zipped = tmp_path / str(minute) / "hand-out.zip"
        assert student.main([str(zipped), "--standalone"]) == 0
        names += ZipFile(zipped).namelist()
    assert names == ["hand-out-2026-03-01-1405/", "hand-out-2026-03-01-1406/"]


# Lecturing

LECTURE = [
    "# 08 A title\n\n*Time: 5 minutes.*\n\n**After this notebook you can**\n- think.",
    "Words before. $\\delta$ is small.\n\n**Predict first:** how many?",
    "<details><summary>The answer</summary>\n\nSeven.\n</details>\n\nMore words.",
    "## Only folded\n\n<details><summary>In the article: a misprint</summary>\n\nHidden.\n</details>",
    "## To remember\n\n" + "\n\n".join(12 * ["word " * 40]),
    "## Your turn\n\nWrite it.",
]


@pytest.fixture
def lecture(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("lecture")


@pytest.mark.slow
def test_the_main_line_makes_slides_and_the_answers_are_notes(lecture):
    cells, pictures = lecture.slides_of(new_notebook(cells=[*map(new_markdown_cell, LECTURE)]), "08")
    kinds = [(cell.metadata["slideshow"]["slide_type"], cell.source.split()[0]) for cell in cells]
    assert " ".join(f"{kind}:{word}" for kind, word in kinds[:7]) == (
        "slide:# -:Words subslide:**Predict -:<aside subslide:More slide:## subslide:word"
    )
    text = "\n".join(cell.source for cell in cells)
    assert [word in text for word in ("Seven", "Time:", "Hidden", "Only folded", "Your turn")] == [True, *4 * [False]]
    assert all(sum(map(lecture.height_of, cell.source.split("\n\n"))) <= lecture.LINES for cell in cells[1:])
    assert not pictures


SET_UP = """import numpy as np
w = np.array([[1, -2]])
delta, b = np.array([3]), 1
k = len(w)
"""
ASIDE = """def at(i):
    return w[i] * k
"""


@pytest.mark.parametrize("lines", [1, 30])
def test_slides_show_the_numbers_and_what_their_code_uses(lecture, lines):
    printed = new_output("stream", text="1\n" * lines)
    aside = new_code_cell(ASIDE, metadata={"tags": ["aside"]})
    code = [new_code_cell(SET_UP), aside, new_code_cell("print(at(0))", outputs=[printed])]
    cells, _ = lecture.slides_of(new_notebook(cells=[new_markdown_cell("# T"), *code]), "08")
    text = "\n".join(cell.source for cell in cells if not cell.metadata.get("transient", {}).get("remove_source"))
    assert [part in text for part in (r"w = \begin{pmatrix} 1 & -2", r"\delta =", "b = 1", "np.array")] == [
        *3 * [True],
        False,
    ]
    assert text.index("k = len(w)") < text.index("def at(i)")
    assert "import" not in text


@pytest.mark.parametrize(
    ("site", "leads"), [("", []), ("https://example.org/", ["https://example.org/notebooks/07_x.html#A"])]
)
def test_links_of_slides_lead_into_the_site_or_are_words(lecture, site, leads):
    page = '<a href="07_x.ipynb#A">one</a> <a class="b" href="../docs/y.md">two</a> <a href="#top">here</a>'
    page += ' <a href="#aside">there</a><h1 id="top"></h1>'
    text = lecture.leading_somewhere(page, site)
    assert re.findall('href="([^"]*)"', text) == [*leads, "#top"]
    assert re.sub("<.*?>", "", text) == "one two here there"


@pytest.mark.slow
def test_slides_and_paper_ask_no_other_machine(lecture, tmp_path):
    path = tmp_path / "08.ipynb"
    image = new_output("display_data", {"image/png": "AAAA"}, metadata={"image/png": {"alt": "A <sentence>."}})
    solution = new_code_cell("1 + 1", metadata={"tags": ["solution"]})
    cells = [*map(new_markdown_cell, LECTURE), new_code_cell("2 + 2", outputs=[image]), solution]
    path.write_text(json.dumps(new_notebook(cells=cells)), encoding="utf-8")
    assert lecture.main(["slides", str(path), str(tmp_path / "slides")]) == 0
    assert lecture.main(["print", str(path), str(tmp_path / "paper.pdf"), "--student"]) == 1  # without a browser a page
    pages = {tmp_path / "slides" / "08.html", tmp_path / "paper" / "page.html"}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        tags = re.findall(r"<(?:script|link|img|iframe)[^>]* (?:src|href)=.([^\"']+)", text)
        tags += re.findall(r"url\([\"']?([^)\"']+)", text)
        files = {name for name in tags if not name.startswith("data:")}
        assert "mathjax.js" in files
        assert [name for name in files if not (page.parent / name).is_file()] == []
    paper = (tmp_path / "paper" / "page.html").read_text(encoding="utf-8")
    assert "<figcaption>A &lt;sentence&gt;.</figcaption>" in paper
    assert "Hidden" in paper
    assert "Seven" not in paper


@pytest.mark.browser
def test_on_paper_no_heading_is_left_alone_at_the_foot(lecture, tmp_path, browser_executable):
    path, out = tmp_path / "08.ipynb", tmp_path / "new" / "08.pdf"
    shown = [new_output("stream", text="1\n" * 12)]
    cells = [new_markdown_cell("# A title")]
    cells += [cell for k in range(40) for cell in (new_markdown_cell("## Code"), new_code_cell("1 + 1", outputs=shown))]
    cells += [new_markdown_cell(f"## A heading\n\n{'word ' * (20 + 7 * (k % 9))}") for k in range(60)]
    path.write_text(json.dumps(new_notebook(cells=cells)), encoding="utf-8")
    assert lecture.main(["print", str(path), str(out), "--browser", browser_executable]) == 0
    heights = [float(y) for y in re.findall(rb"/Dest \[\d+ 0 R /XYZ \S+ (\S+) 0\]", out.read_bytes())]
    assert len(heights) == 101
    assert min(heights) > 140  # points from the lower edge, whose margin has 57


# Examining


def test_each_student_has_own_numbers_and_the_key_knows_them(tmp_path, capsys):
    roster, out = tmp_path / "names.csv", tmp_path / "exam"
    roster.write_text("name,group\nAda,1\nBen <b>,2\n", encoding="utf-8")
    arguments = ["--exercises", "kernel_gradient,max_routing", "--roster", str(roster), "--out", str(out)]
    about = ["--title", "Before & after", "--date", "3 March", "--points", "4,2.5"]
    assert exam.main([*arguments, *about, "--seed", "autumn"]) == 0
    assert "with 2 sheets to print" in (said := capsys.readouterr().out)
    assert "The first line of names.csv, “name”, is taken for a heading." in said
    text, key = [(out / name).read_text(encoding="utf-8") for name in ("exam.html", "key.html")]
    pages = text.split('<div class="student">')[1:]
    assert [re.search("<header>(.*?)</header>", page)[1] for page in pages] == [
        f"<p>Before &amp; after · 3 March · 6.5 points</p><p><b>{who}</b></p>" for who in ("Ada", "Ben &lt;b&gt;")
    ]
    assert [re.findall("<h2>(.*?)</h2>", page) for page in pages] == 2 * [
        ["1. The kernel gradient (4 points)", "2. δ through max pooling (2.5 points)"]
    ]
    assert "seed “autumn”" in key
    assert "autumn" not in text
    tables = [re.findall("<table>.*?</table>", page) for page in pages]
    assert len(tables[0]) == len(tables[1]) == 4  # two arrays for each exercise
    assert not set(tables[0]) & set(tables[1])
    given = [np.array([re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)])
             for table in tables[0][:2]]  # fmt: skip
    inputs, delta = [np.char.replace(one, "−", "-").astype(float) for one in given]
    names = {}
    exec(f"import numpy as np\n{RIGHT}", names)
    assert exam.shown(names["mine"](inputs, delta)) in key
    fields = cloze_fields((out / "moodle.xml").read_text(encoding="utf-8"))
    titles = "The kernel gradient", "δ through max pooling"
    assert list(fields) == [f"{title}: {who}" for who in ("Ada", "Ben <b>") for title in titles]
    assert fields["The kernel gradient: Ada"] == names["mine"](inputs, delta).ravel().tolist()
    with pytest.raises(SystemExit, match="name an empty folder"):
        exam.main(arguments)
    with pytest.raises(SystemExit, match="no exercise flip"):
        exam.main(["--exercises", "flip", "--roster", str(roster), "--out", str(tmp_path / "other")])
    with pytest.raises(SystemExit, match="--points is 4,2,1; expected one number above 0, or 2 with"):
        exam.main([*arguments, "--points", "4,2,1"])


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_roster_is_read_as_spreadsheets_write_it(tmp_path, between):
    path = tmp_path / "names.csv"
    lines = [["name", "group", "note"], ["Änne Größe", "1", '"x"'], ['"Doe, Jo; jr."', "2", ""], ["", "", ""]]
    path.write_text("\r\n".join(map(between.join, lines)), encoding="utf-8-sig")
    assert exam.roster(path) == ["name", "Änne Größe", "Doe, Jo; jr."]


def test_on_paper_no_task_speaks_in_names_of_python():
    assert exam.TITLES.keys() <= {one.name for one in exercises.ALL}
    for one in exercises.ALL:
        text = re.sub("<.*?>", " ", exam.title_of(one) + exam.question(one))
        assert not re.search(r"\w_\w|convbp", text), text
        assert len(exam.title_of(one)) < 50


def cloze_fields(text):
    """The right numbers of each question of a Moodle XML file, read by the grammar that Moodle documents."""
    number = r"-?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"
    field = re.compile(rf"\{{(?:[0-9]*):(?:NUMERICAL|NM):=({number}):({number})\}}")
    quiz = ElementTree.fromstring(text)
    assert quiz.tag == "quiz"
    kinds = [question.get("type") for question in quiz]
    assert kinds == ["category", "cloze"] * (len(kinds) // 2)
    found = {}
    for category, question in zip(quiz[::2], quiz[1::2], strict=True):
        name, shown = question.find("name/text").text, question.find("questiontext[@format='html']/text").text
        assert category.find("category/text").text == f"$course$/top/convbp/{name.partition(':')[0]}"
        assert "{" not in field.sub("", shown)  # every field is one that Moodle understands
        ElementTree.fromstring(f"<div>{shown}</div>")
        found[name] = [float(right) for right, _ in field.findall(shown)]
    return found


# The plans


def test_the_plans_have_the_minutes_of_the_notebooks_and_ask_for_exercises_that_there_are():
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    planned = re.findall(r"^\| \d \| ([\d, ]+) \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    assert len(planned) == 8 + 4 + 2
    for notebooks, *minutes in planned:
        heads = [next((ROOT / "notebooks").glob(f"{n}_*")).read_text(encoding="utf-8") for n in notebooks.split(", ")]
        times = [re.search(r"Time: (\d+) minutes, and (\d+) for the tasks", head).groups() for head in heads]
        assert [sum(map(int, one)) for one in zip(*times, strict=True)] == [int(one) for one in minutes], notebooks
    asked = {name for names in re.findall(r"exam --exercises ([\w,]+)", text) for name in names.split(",")}
    assert asked <= {one.name for one in exercises.ALL}
