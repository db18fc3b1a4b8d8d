"""The repository around the code: what its files promise each other, and what none of them may hold."""

import ast
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rattler import MatchSpec

import convbp
import course
from convbp import equations, exercises, explorers
from tools import save_notebooks

ROOT = Path(course.ROOT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
PACKAGE = ROOT / "src" / "convbp"
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = save_notebooks.notebooks()

# Each imports only from the ones above it.
LAYERS = [
    *["shapes", "convolution", "pooling", "activations", "losses", "gradient_check"],
    *["notation", "loops", "sums", "equations"],
    *["networks", "pictures"],
    *["exercises"],  # a check shows yours, expected and the difference
    *["diagnose"],
    *["explorers"],
    *["torch"],
]


def tracked_files():
    """Every file in the index that is still there; git says which."""
    try:
        listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    except (OSError, subprocess.CalledProcessError):
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("needs git, and a clone rather than a download")
    return [path for path in (ROOT / name for name in listed.split("\0") if name) if path.exists()]


def name_of(requirement):
    return re.sub(r"[-_.]+", "-", Requirement(requirement).name).lower()


# Files that have to agree


def test_environment_yml_holds_valid_specs_and_no_bound_but_the_one_for_python():
    *specs, pip = CONDA["dependencies"]
    for spec in specs:
        parsed = MatchSpec(spec, strict=True)
        if parsed.name.normalized == "python":
            assert str(parsed.version) == PROJECT["requires-python"]
        else:
            assert parsed.version is None, f"{spec}: the bounds stand in pyproject.toml"
    assert [Requirement(line).specifier for line in pip["pip"] if not line.startswith(".")] == [SpecifierSet()]


def test_environment_yml_names_what_the_notebooks_need():
    *specs, pip = CONDA["dependencies"]
    from_conda = {MatchSpec(spec).name.normalized for spec in specs} - {"python", "pip"}
    from_pip = {name_of(line) for line in pip["pip"] if not line.startswith(".")}
    needed = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["notebooks"]
    assert from_conda | from_pip == {name_of(requirement) for requirement in needed}
    assert not from_conda & from_pip


def test_environment_yml_installs_the_course_itself():
    # Not editable: the path of the reader's folder would stand in a file that is read in the locale's encoding.
    assert ".[notebooks]" in CONDA["dependencies"][-1]["pip"]
    assert CONDA["channels"] == ["conda-forge"]


def test_the_script_asks_for_the_python_that_the_project_asks_for():
    assert PROJECT["requires-python"] == ">={}.{}".format(*course.MINIMUM)


def test_pre_commit_runs_a_ruff_that_the_project_allows():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (revision,) = [repo["rev"] for repo in hooks if repo["repo"].endswith("/ruff-pre-commit")]
    (ruff,) = [r for r in map(Requirement, PROJECT["optional-dependencies"]["test"]) if r.name == "ruff"]
    assert revision.removeprefix("v") in ruff.specifier


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= citation.keys()
    newest = next(version for version, _ in changelog() if version != "Unreleased")
    assert convbp.__version__ == citation["version"] == newest
    assert PROJECT["dynamic"] == ["version"]
    assert PROJECT["license"] == citation["license"] == "MIT"


def changelog():
    """Pairs of a version's name and the text under it."""
    _, *parts = re.split(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [
        (heading.split(" - ")[0], f"{heading}\n{text}") for heading, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def test_the_changelog_is_in_the_form_of_keep_a_changelog():
    for version, text in changelog():
        heading, *lines = text.splitlines()
        assert version == "Unreleased" or re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", heading)
        kinds = [line.removeprefix("### ") for line in lines if line.startswith("#")]
        assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
        assert len(kinds) == len(set(kinds))
        first = next((line for line in lines if line), None)
        assert first is None or first.startswith("### ")


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda p: p.name)
def test_an_issue_form_has_what_github_asks_for(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form.keys() <= {"name", "description", "labels", "body"}
    assert form["name"]
    assert form["description"]
    for part in form["body"]:
        assert part["type"] in {"input", "textarea"}
        assert part["attributes"]["label"]


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("test*.yml")), ids=lambda p: p.name)
def test_the_workflow_tests_the_oldest_python_with_the_test_command(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    versions = [str(v) for job in jobs.values() for v in job.get("strategy", {}).get("matrix", {}).get("python", [])]
    assert "{}.{}".format(*course.MINIMUM) in versions
    assert any("course.py test" in step.get("run", "") for job in jobs.values() for step in job["steps"])


# What no file may hold


def test_no_file_holds_a_path_of_one_machine_or_the_address_of_a_package_registry():
    forbidden = re.compile(
        rb"/(home|root|Users|work)/\w|[A-Z]:\\+Users"
        rb"|pypi\.org|pythonhosted\.org|anaconda\.org|npmjs\.(org|com)|unpkg\.com|jsdelivr\.net"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in tracked_files()
        for match in forbidden.finditer(path.read_bytes())
    ]
    assert not found


def test_no_file_is_large():
    assert not [str(path) for path in tracked_files() if path.stat().st_size > 1_000_000]


# Code


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_oxlint_has_nothing_to_say():
    oxlint = shutil.which("oxlint", path=os.path.dirname(sys.executable))
    done = subprocess.run([oxlint, "--deny-warnings", "src"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "on 0 files" not in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.3.0", reason="older ones know less of their own types")
def test_mypy_has_nothing_to_say():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_are_there_for_those_who_use_the_package():
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


PUBLIC = [
    pytest.param(getattr(module, name), id=f"{module.__name__}.{name}")
    for module in (convbp, equations, exercises, explorers)
    for name in module.__all__
    if callable(getattr(module, name))
]


@pytest.mark.parametrize("thing", PUBLIC)
def test_every_public_name_is_described_as_numpydoc_has_it(thing):
    doc = inspect.getdoc(thing)
    assert doc
    _, *parts = re.split(r"^(\w+)\n-+$", doc, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert sections.keys() <= {"Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "Examples", "Notes"}
    if not inspect.isroutine(thing) and not inspect.isclass(thing):
        return  # an object that can be called says what it is
    described = sections.get("Parameters", "") + sections.get("Attributes", "")
    names = {
        n.strip(" *") for line in re.findall(r"^\S.*$", described, re.MULTILINE) for n in line.split(" :")[0].split(",")
    }
    signature = inspect.signature(thing)
    assert signature.parameters.keys() <= names
    if inspect.isroutine(thing) and signature.return_annotation not in (None, "None"):
        assert {"Returns", "Yields"} & sections.keys()


def imported_layers(path):
    """What the module at ``path`` imports of convbp, wherever in the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("convbp."))


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_layer_imports_only_from_the_ones_above_it(path):
    layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if layer == "__init__":
        return  # the public names, from wherever they are
    assert layer in LAYERS, "a new layer: say in LAYERS which ones it stands on"
    own = [layer] if path.parent != PACKAGE else []
    assert set(imported_layers(path)) <= {*LAYERS[: LAYERS.index(layer)], *own}


# Notebooks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
class TestNotebook:
    def test_is_saved_as_course_py_saves_it(self, path):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
        assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
        assert not [o for o in outputs if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]

    def test_every_code_cell_was_run_in_order(self, path):
        code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))

    def test_code_cells_are_short(self, path):
        cells = nbformat.read(path, as_version=4).cells
        assert max(cell.source.count("\n") + 1 for cell in cells if cell.cell_type == "code") <= 25

    def test_links_lead_somewhere(self, path):
        prose = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
        links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"\w+:|#", link)]
        assert not [link for link in links if not (path.parent / link.partition("#")[0]).exists()]
