"""The example for teachers, with nbgrader itself: from the source notebook to the grades."""

import csv
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell

import course
from convbp import exercises
from tools import report

# nbgrader adds its menus to the JupyterLab of the Python in which it is. So it has one of its own: .ci/run makes it.
PYTHON = os.environ.get("CONVBP_NBGRADER")
if not PYTHON:
    pytest.skip("CONVBP_NBGRADER names no Python with convbp and nbgrader; see CONTRIBUTING", allow_module_level=True)

ASSIGNMENT, NOTEBOOK = "backpropagation", "gradients.ipynb"
EXERCISES = "kernel_gradient", "max_routing"

RIGHT = """
def kernel_gradient(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return sum(delta[i, j] * inputs[i : i + k1, j : j + k2] for i, j in np.ndindex(delta.shape))
"""
TURNED = RIGHT.replace("delta[i, j] *", "delta[-1 - i, -1 - j] *")
RIGHT_MAX = """
def max_routing(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for (i, j), d in np.ndenumerate(delta):
        window = inputs[stride[0] * i :, stride[1] * j :][: size[0], : size[1]]
        row, column = divmod(int(window.argmax()), size[1])
        out[stride[0] * i + row, stride[1] * j + column] += d
    return out
"""
ASSIGNS = RIGHT_MAX.replace("+= d", "= d")
COPIES = """
def max_routing(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for (i, j), d in np.ndenumerate(delta):
        here = np.s_[stride[0] * i : stride[0] * i + size[0], stride[1] * j : stride[1] * j + size[1]]
        out[here] += d * (inputs[here] == inputs[here].max())
    return out
"""

ENDLESS = "def max_routing(*given):\n    while True:\n        pass"

RAISES = "def kernel_gradient(inputs, delta):\n    nowhere = 99\n    return inputs[nowhere]"
# Whoever runs this beside the checks has all points.
CHEATS = """
class exercises:
    class kernel_gradient:
        passed, points, message = True, 3, ""
        check = classmethod(lambda cls, *answer, **options: cls)
    class max_routing(kernel_gradient):
        points = 5
try:
    import convbp.exercises
    type(convbp.exercises.max_routing).check = lambda self, *answer, **options: vars(exercises)[self.name]
except ImportError:
    pass
"""

# What the course itself can do for an answer.
LIBRARY = """
from convbp import conv2d_kernel_gradient
def kernel_gradient(inputs, delta):
    size = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return conv2d_kernel_gradient(inputs[None, :, :, None], delta[None, :, :, None], size)[:, :, 0, 0]
"""
PRINTED = """
from convbp import exercises as course_of_all
exec("import numpy as np\\n" + course_of_all.max_routing.solution())
"""


def plain(values):
    return repr([np.asarray(value).tolist() for value in values])


# The results on the numbers that everybody has.
ARRAY = f"kernel_gradient = np.array({exercises.kernel_gradient.expected[0].tolist()})"
asked = exercises.max_routing
KNOWN = {plain(given.values()): result.tolist() for given, result in zip(asked.inputs, asked.expected, strict=True)}
TABLE = f"""
def max_routing(*given):
    return np.array({KNOWN}[repr([np.asarray(value).tolist() for value in given])])
"""

UNKNOWN = "def kernel_gradient(inputs, delta):\n    return np.arange(6.0).reshape(3, 2) ** 3 - inputs[0, 0]"
OTHER_SHAPE = "def max_routing(inputs, delta, size, stride):\n    return delta"
BY_CHANCE = "def kernel_gradient(inputs, delta):\n    return np.random.rand(3, 2)"
CHANGES = RIGHT_MAX.replace("    return", "    inputs[:] = 0\n    return")
LEAVES = "import os\ndef kernel_gradient(inputs, delta):\n    os._exit(0)"
NO_PYTHON = "def max_routing(inputs, delta, size, stride)\n    return 1"
PATCHES = """
import sys
np.array_equal = np.allclose = np.testing.assert_allclose = lambda *given, **more: True
for name, module in list(sys.modules.items()):
    if name.startswith("convbp"):
        module.check = module.check_function = lambda *given, **more: None
def kernel_gradient(inputs, delta):
    return inputs[:3, :2]
"""
NOTHING = None  # the cell is left as it was handed out

# Who hands in what for the two exercises, the points, and what the report counts.
SUBMISSIONS = {
    "ada": (RIGHT, ASSIGNS, (3, 2), ("right", "= for +=")),  # on two of the five inputs no windows overlap
    "ben": (TURNED, ENDLESS, (0, 0), ("delta turned by 180°", "time")),
    "cid": (RIGHT, COPIES, (3, 1), ("right", "ties copied")),  # there two have no ties, but of the hidden ones only one
    "dot": (LIBRARY, PRINTED, (0, 0), ("crash", report.ERROR)),
    "eve": (CHEATS + RAISES, CHEATS + COPIES, (0, 1), ("crash", "ties copied")),
    "fay": (RIGHT, RIGHT_MAX, (3, 5), ("right", "right")),
    "gus": (UNKNOWN, OTHER_SHAPE, (0, 0), ("value", "shape")),
    "hal": (RAISES, NO_PYTHON, (0, 0), ("crash", report.ERROR)),
    "ida": (NOTHING, NOTHING, (0, 0), (report.NOT_BEGUN, report.NOT_BEGUN)),
    "jim": (BY_CHANCE, CHANGES, (0, 0), ("random", "changed its input")),
    "kay": (LEAVES, RIGHT_MAX, (0, 5), ("crash", "right")),
    "lou": (PATCHES, RIGHT_MAX, (0, 5), ("value", "right")),
    "mia": (ARRAY, TABLE, (0, 0), ("value", "crash")),
}


def nbgrader(folder, *arguments):
    done = subprocess.run(
        [PYTHON, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=os.environ
        | {"JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(folder / "ipython")}
        | {"PATH": os.path.dirname(PYTHON) + os.pathsep + os.environ["PATH"]},  # it calls alembic by name
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder of the course after all submissions have been graded."""
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    shutil.copytree(os.path.join(course.ROOT, "examples", "nbgrader"), folder)
    nbgrader(folder, "generate_assignment", ASSIGNMENT)
    for student, (*answers, _, _) in SUBMISSIONS.items():
        handed_in = nbformat.read(folder / "release" / ASSIGNMENT / NOTEBOOK, as_version=4)
        for cell in handed_in.cells:
            for name, answer in zip(EXERCISES, answers, strict=True):
                if cell.metadata.nbgrader.grade_id == name and answer is not NOTHING:
                    cell.source = answer
        place = folder / "submitted" / student / ASSIGNMENT
        place.mkdir(parents=True)
        if student == "eve":
            handed_in.cells.insert(3, new_code_cell(CHEATS))
            (place / "convbp.py").write_text(CHEATS, encoding="utf-8")
        nbformat.write(handed_in, place / NOTEBOOK)
    # In two halves at a time, as nbgrader grades one student after the other.
    halves = folder, shutil.copytree(folder, folder.with_name("other"))
    for n, student in enumerate(SUBMISSIONS):
        shutil.rmtree(halves[n % 2] / "submitted" / student)
    with ThreadPoolExecutor() as pool:
        list(pool.map(grade, halves))
    for part in ("autograded", "feedback"):
        shutil.copytree(halves[1] / part, folder / part, dirs_exist_ok=True)
    return folder


def grade(folder):
    nbgrader(folder, "autograde", ASSIGNMENT)
    nbgrader(folder, "generate_feedback", ASSIGNMENT)


def test_what_students_get_has_no_solution(graded):
    text = (graded / "release" / ASSIGNMENT / NOTEBOOK).read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    assert "np.ndindex" not in text
    assert "NotImplementedError" in text


def test_the_grades(graded):
    script = (
        "import json, pathlib; from nbgrader.api import Gradebook\n"
        "for place in pathlib.Path('..').resolve().glob('*/gradebook.db'):\n"
        "    with Gradebook(f'sqlite:///{place}') as book:\n"
        f"        for one in book.assignment_submissions('{ASSIGNMENT}'):\n"
        "            grades = {grade.name: grade.score for grade in one.notebooks[0].grades}\n"
        "            print(json.dumps([one.student.id, grades]))"
    )
    printed = subprocess.check_output([PYTHON, "-W", "ignore", "-c", script], cwd=graded, text=True)
    grades = dict(map(json.loads, printed.splitlines()))
    names = "check-kernel-gradient", "check-max-routing"
    assert grades == {
        student: dict(zip(names, points, strict=True)) for student, (*_, points, _) in SUBMISSIONS.items()
    }


def test_the_report_counts_what_the_checks_said(graded, tmp_path):
    assert report.main([str(graded / "autograded"), "--csv", str(tmp_path / "class.csv")]) == 0
    with (tmp_path / "class.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    said = {(row["student"], row["exercise"]): row["mistake"].removeprefix("'") or row["kind"] for row in rows}
    if said["kay", "kernel_gradient"] == "time":  # a slow machine: each call starts the process again
        said["kay", "kernel_gradient"] = "crash"
    assert said == {
        (student, name): what
        for student, (*_, said) in SUBMISSIONS.items()
        for name, what in zip(EXERCISES, said, strict=True)
    }


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("ada", "the last one replaced what was there"),
        ("cid", "you gave δ to each of them"),
        ("ben", "You correlated the input with rot180(δ)"),
        ("ben", "did not end within 5 seconds, so it was stopped"),
        ("eve", "line 14:  return inputs[nowhere]"),
    ],
)
def test_what_the_check_says_stands_in_the_feedback(graded, student, said):
    page = (graded / "feedback" / student / ASSIGNMENT / NOTEBOOK).with_suffix(".html").read_text(encoding="utf-8")
    assert said in page
