"""The commands of course.py, driven for real where that needs no network, in a copy of the project's outline."""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import course
from browser import eventually
from tools import save_notebooks

ROOT = Path(course.ROOT)


@pytest.fixture
def outline(tmp_path):
    """A folder with course.py and a project file, and nothing set up."""
    folder = tmp_path / "course"
    folder.mkdir()
    shutil.copy(ROOT / "course.py", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def load_for_real(folder):
    """The module course.py of ``folder``."""
    spec = importlib.util.spec_from_file_location("course_copy", folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(folder):
    """The module course.py of ``folder``; its ``installed`` lists what it would have installed."""
    module = load_for_real(folder)
    module.installed = []
    module.install = lambda requirement, use_uv: module.installed.append(requirement)
    return module


def run(*command, **environment):
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


# What is missing is said in one line


def test_an_old_python_is_told_which_one_is_needed(outline):
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 6); sys.argv = ['course.py', 'start'];"
        f"runpy.run_path({str(outline / 'course.py')!r}, run_name='__main__')"
    )
    done = run(sys.executable, "-c", pretend)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("The course needs Python 3.11 or newer; this is 3.9 (")
    assert not (outline / ".venv").exists()


def test_an_old_python_can_read_as_far_as_that():
    source = (ROOT / "course.py").read_text(encoding="ascii")
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.Match)
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, newer)
        if isinstance(node, ast.FunctionDef):
            later = [node.returns, *node.args.kwonlyargs, *node.args.posonlyargs]
            assert not any([*later, *(argument.annotation for argument in node.args.args)])
        if isinstance(node, ast.List | ast.Tuple):
            assert not any(isinstance(entry, ast.Starred) for entry in node.elts)
        if isinstance(node, ast.Raise):
            assert node.cause is None


def test_a_python_without_ensurepip_is_told_the_debian_package(outline, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise SystemExit('No module named ensurepip')")
    done = run(sys.executable, outline / "course.py", "--pip", "start", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("sudo apt install python3-venv")


@pytest.mark.slow
def test_a_first_set_up_without_network_says_so_and_is_begun_afresh(outline):
    no_network = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    done = run(sys.executable, outline / "course.py", "--pip", "start", **no_network)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "It needs the network, this once." in done.stderr.splitlines()[-1]
    assert json.loads((outline / ".venv" / "course.json").read_text()) == {}


@pytest.fixture
def started(outline, monkeypatch):
    """The command that ``course.py start`` with these arguments would run, in ``outline``."""
    module, commands = load(outline), []
    monkeypatch.setattr(module, "set_up", lambda *_: None)
    monkeypatch.setattr(module, "run", commands.append)

    def start(*arguments):
        module.main(["start", *arguments])
        return commands.pop()

    return start


def test_start_opens_the_first_notebook_or_the_one_that_is_named(outline, started):
    notebook = outline / "student" / "07.ipynb"
    notebook.parent.mkdir()
    notebook.touch()
    command = started(str(notebook), "--port", "9000")
    assert f"--ServerApp.root_dir={outline}" in command
    assert "--LabApp.default_url=/lab/tree/student/07.ipynb" in command
    assert command[-2:] == ["--port", "9000"]
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in started()


def test_a_notebook_elsewhere_is_shown_in_its_own_folder(outline, started, monkeypatch):
    mine = outline.parent / "course of mine"  # which begins as the name of the course's folder does
    mine.mkdir()
    (mine / "task #2, Ü.ipynb").touch()
    monkeypatch.chdir(mine)
    command = started("task #2, Ü.ipynb")
    assert f"--ServerApp.root_dir={os.path.realpath(mine)}" in command
    assert "--LabApp.default_url=/lab/tree/task%20%232%2C%20%C3%9C.ipynb" in command


def test_a_notebook_that_is_not_there_cannot_be_opened(started):
    with pytest.raises(SystemExit, match=r"There is no notebook .*nowhere\.ipynb"):
        started("nowhere.ipynb")


def test_where_nothing_can_be_written_one_line_says_so(outline):
    (outline / "notebooks").mkdir()
    taken = outline / "taken"
    for path, arguments in [(outline / ".venv", ["start"]), (taken, ["student", taken])]:
        path.touch()  # a file, so that it can be no folder
        done = run(sys.executable, outline / "course.py", *arguments)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith(f"Nothing can be written into {path} (")
        assert "Traceback" not in done.stderr


@pytest.fixture
def bound_by_permissions():
    """What to put before a command so that even root may write only where permissions say so."""
    if os.name == "nt":
        pytest.skip("on Windows, permissions are another matter")
    command = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override"]
    if command and (not shutil.which("setpriv") or run(*command, "true").returncode != 0):
        pytest.skip("root may write everywhere, and cannot be kept from it here")
    return command


def test_a_folder_to_read_only_asks_for_a_copy_or_works_if_it_is_set_up(outline, bound_by_permissions):
    module = load(outline)
    script = f"import sys; sys.argv = ['course.py']; sys.path.insert(0, {str(outline)!r})\nimport course\n"
    start = [*bound_by_permissions, sys.executable, "-Bc", script + "course.run = print\ncourse.main(['start'])"]
    outline.chmod(0o500)
    try:
        refused = run(*start)
        outline.chmod(0o700)
        module.set_up("notebooks", use_uv=True)
        for folder in [outline / ".venv", outline]:
            folder.chmod(0o500)
        works = run(*start)
    finally:
        for folder in [outline, outline / ".venv"]:
            folder.chmod(0o700)
    assert "Copy the folder of the course to a place of your own" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
    assert (works.returncode, works.stderr) == (0, "")
    assert "jupyterlab" in works.stdout


@pytest.mark.parametrize("arguments", [[], ["strat"]])
def test_an_unknown_command_is_answered_with_the_known_ones(arguments):
    done = run(sys.executable, ROOT / "course.py", *arguments)
    assert done.returncode == 2
    assert "course.py start" in done.stdout


@pytest.mark.parametrize("name", course.TOOLS)
def test_help_says_what_is_taken_and_installs_nothing(name, outline):
    shutil.copytree(ROOT / "tools", outline / "tools")
    done = run(sys.executable, outline / "course.py", name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python3 course.py {name} " in done.stdout
    assert not (outline / ".venv").exists()
    tool = (ROOT / "tools" / course.TOOLS[name]).read_text(encoding="utf-8")
    options = re.findall(r"add_argument\(\s*\"(--[\w-]+)\"", tool)
    assert [option for option in options if option not in done.stdout and option != "--browser"] == []


def test_answers_are_left_out_of_a_hand_out_only(capsys):
    with pytest.raises(SystemExit, match="--no-answers goes with --standalone"):
        course.student(["out.zip", "--no-answers"], use_uv=True)


# Running and ending


@pytest.mark.skipif(os.name == "nt", reason="there a process is ended without being asked")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_who_ends_the_command_ends_what_it_runs(outline, name):
    waits = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    script = f"import course; raise SystemExit(course.run([course.sys.executable, '-c', {waits!r}]))"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=outline, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        child = int(process.stdout.readline())
        process.send_signal(getattr(signal, name))
        assert process.wait(20) != 0
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


# Setting up

C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def installs(outline):
    """Install a package of this source, in a folder with a letter outside ASCII, with a pretended installer."""
    folder = outline.rename(outline.parent / "Übung")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    source = folder / "src" / "convbp" / "__init__.py"
    source.parent.mkdir(parents=True)
    module = load_for_real(folder)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    library = Path(run(module.PYTHON, "-c", ask).stdout.rstrip())

    def installers(use_uv):
        (library / "_editable_impl_convbp.pth").write_text(str(folder / "src"), encoding="utf-8")
        return [[sys.executable, "-c", ""]]

    def install(text):
        source.write_text(text, encoding="utf-8")
        module.installers = installers
        module.install(".[notebooks]", use_uv=True)
        return module

    return install


def test_the_course_is_found_in_a_folder_that_the_locale_cannot_name(installs):
    module = installs("right = True")
    done = run(module.PYTHON, "-c", "import convbp; print(convbp.right)", **C_LOCALE)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_course_that_cannot_be_imported_is_not_called_set_up(installs, capfd):
    with pytest.raises(SystemExit, match=r"the Python in \.venv cannot import the course; why stands above"):
        installs("raise ImportError('something is missing')")
    assert "something is missing" in capfd.readouterr().err


def test_setting_up_twice_installs_once(outline):
    module = load(outline)
    module.set_up("notebooks", use_uv=True)
    module.set_up("notebooks", use_uv=True)
    assert module.installed == [".[notebooks]"]


def test_two_that_try_the_same_folder_at_once_do_not_disturb_each_other(tmp_path):
    script = "import course\nfor _ in range(2000): course.need_writable(*sys.argv[2:])"
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {script}"
    command = [sys.executable, "-Bc", code, str(ROOT), str(tmp_path), "hint"]
    several = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [one.communicate()[1] for one in several] == ["", "", ""]
    assert list(tmp_path.iterdir()) == []


def test_two_that_set_up_at_once_install_once(outline):
    """The second waits, and finds all done; one that was killed keeps nobody waiting."""
    log = outline / "log"
    script = f"""import sys, time; sys.path.insert(0, {str(outline)!r})
import course
def install(requirement, use_uv):
    with open({str(log)!r}, "a") as file: file.write("installs\\n")
    time.sleep(float(sys.argv[1]))
course.install = install
course.set_up("notebooks", use_uv=True)"""
    start = partial(subprocess.Popen, stdout=subprocess.PIPE, text=True)
    killed = start([sys.executable, "-Bc", script, "60"])
    eventually(log.exists, True)
    killed.kill()
    killed.communicate()
    log.unlink()
    both = [start([sys.executable, "-Bc", script, "1"]) for _ in range(2)]
    said = [one.communicate()[0].splitlines() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert log.read_text() == "installs\n"
    assert ["Another course.py is setting this folder up; waiting for it."] in said


def test_jupyterlab_saves_pictures_and_does_not_ask_about_news_unless_the_reader_has_settled_it(outline):
    module = load(outline)
    module.settle_lab()
    settings = outline / ".venv" / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    assert json.loads(settings.read_text()) == {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
        "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    }
    # A reader has settled one of them, or an earlier course did not know the other.
    settings.write_text('{"@jupyterlab/apputils-extension:notification": {"fetchNews": "true"}}')
    module.settle_lab()
    assert json.loads(settings.read_text()) == {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "true"},
        "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    }
    for own in ["// mine\n{}", "[]"]:
        settings.write_text(own)
        module.settle_lab()
        assert settings.read_text() == own


@pytest.mark.parametrize("more", ["lecture", "test", "site"])
def test_the_tests_and_the_site_bring_what_the_notebooks_need_and_not_the_other_way_round(outline, more):
    module = load(outline)
    for extra in ["notebooks", more, "notebooks"]:
        module.set_up(extra, use_uv=True)
    assert module.installed == [".[notebooks]", f".[{more}]"]


def stay(outline, module):
    """Something that a .venv made afresh would not have."""
    (outline / ".venv" / "stays").touch()
    return (outline / ".venv" / "stays").exists


def test_new_dependencies_are_installed_into_the_same_environment(outline):
    module = load(outline)
    module.set_up("notebooks", use_uv=True)
    stays = stay(outline, module)
    (outline / "pyproject.toml").write_text("[project]")
    module.set_up("notebooks", use_uv=True)
    assert module.installed == [".[notebooks]"] * 2
    assert stays()


def test_an_environment_made_by_hand_is_completed(outline):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", outline / ".venv"], check=True)
    module = load(outline)
    stays = stay(outline, module)
    module.set_up("notebooks", use_uv=True)
    assert module.installed == [".[notebooks]"]
    assert stays()


def lose_python(module):
    os.remove(module.PYTHON)


def break_off(module):
    def kill(requirement, use_uv):
        raise KeyboardInterrupt

    module.install, install = kill, module.install
    with pytest.raises(KeyboardInterrupt):
        module.set_up("test", use_uv=True)
    module.install = install


def move(module):
    module.write_stamp({**module.read_stamp(), "root": "elsewhere"})


def exchange_python(module):
    module.write_stamp({**module.read_stamp(), "python": [3, 99]})


def spoil_stamp(module):
    Path(module.STAMP).write_text('{"root": ')


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lose_python, "the Python in it does not run any more"),
        (break_off, "an earlier set-up was broken off"),
        (spoil_stamp, "an earlier set-up was broken off"),
        (move, "this folder was moved"),
        (exchange_python, "the Python in it was exchanged"),
    ],
)
def test_a_damaged_environment_is_made_afresh_with_a_word(outline, damage, reason, capsys):
    module = load(outline)
    module.set_up("notebooks", use_uv=True)
    stays = stay(outline, module)
    damage(module)
    capsys.readouterr()
    module.set_up("notebooks", use_uv=True)
    assert f"Making .venv: {reason}." in capsys.readouterr().out
    assert module.installed == [".[notebooks]"] * 2
    assert not stays()


# The browser


def test_the_reader_may_name_the_browser(monkeypatch):
    monkeypatch.setenv("CONVBP_BROWSER", sys.executable)
    assert course.system_browser() == sys.executable
    monkeypatch.setenv("CONVBP_BROWSER", "no-such-browser")
    with pytest.raises(SystemExit, match="CONVBP_BROWSER is no-such-browser"):
        course.system_browser()


def test_without_any_browser_the_other_tests_still_run(outline, monkeypatch, capsys):
    module = load(outline)
    calls = []
    monkeypatch.delenv("CONVBP_BROWSER", raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    module.set_up = lambda extra, use_uv: calls.append(extra)
    fails = subprocess.CompletedProcess([], returncode=1)
    monkeypatch.setattr(subprocess, "run", lambda command, **options: calls.append(command) or fails)
    module.run = lambda command: calls.append(command) or 0
    assert module.main(["test", "-k", "pooling"]) == 0
    assert calls == [
        "test",
        [module.PYTHON, "-m", "playwright", "install", "chromium"],
        [module.PYTHON, "-m", "pytest", "-k", "pooling"],
    ]
    assert "It could not, so no browser test can run" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="where browsers have fixed places, they cannot be hidden")
@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_browser_tests_without_a_browser_are_skipped_and_in_ci_fail(tmp_path, ci, outcome):
    (tmp_path / "test_browser.py").write_text("def test_it(browser_executable): pass")
    hidden = {"PATH": "", "CONVBP_BROWSER": "", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "CI": ci}
    plugins = ["-p", "conftest", "-p", "tests.conftest"]  # of this folder, while the test stands in another
    command = [sys.executable, "-m", "pytest", "-n0", *plugins, "-c", ROOT / "pyproject.toml", tmp_path]
    done = run(*command, PYTHONPATH=str(ROOT), **hidden)
    assert outcome in done.stdout.splitlines()[-1]


# Saving notebooks

PICTURE = """\
import base64, io
from IPython.display import display
from PIL import Image
file = io.BytesIO()
Image.new("RGB", (3, 2), "navy").save(file, "png")
view = {"model_id": "0", "version_major": 2, "version_minor": 0}
bundle = {"image/png": base64.b64encode(file.getvalue()).decode(), "text/plain": "a picture",
          "application/vnd.jupyter.widget-view+json": view}
display(bundle, raw=True, metadata={"image/png": {"alt": "two rows of navy"}})"""


def write_notebook(path, *sources, **metadata):
    """Write a notebook as an editor might leave it: never run, with ``metadata`` of its own."""
    cells = [new_code_cell(source, metadata={"execution": {"a time": "now"}, "tags": ["kept"]}) for source in sources]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def save(*paths):
    return run(sys.executable, ROOT / "tools" / "save_notebooks.py", *paths)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = write_notebook(
        tmp_path_factory.mktemp("notebooks") / "small.ipynb",
        "print(6 * 7)",
        "import ipywidgets\nipywidgets.IntSlider(3)",
        PICTURE,
        widgets={"application/vnd.jupyter.widget-state+json": {}},
        language_info={"name": "python", "version": "3.0.0"},
    )
    done = save(path)
    assert (done.returncode, done.stdout) == (0, "small.ipynb: saved\n")
    return path


@pytest.mark.slow
def test_saving_again_changes_no_byte(saved):
    before = saved.read_bytes()
    assert save(saved).stdout == "small.ipynb: unchanged\n"
    assert saved.read_bytes() == before
    assert before.endswith(b"}\n")


@pytest.mark.slow
def test_what_is_saved_is_the_still_picture_with_its_sentence_and_no_widget(saved):
    notebook = nbformat.read(saved, as_version=4)
    number, slider, picture = notebook.cells
    assert number.outputs[0].text == "42\n"
    assert slider.outputs[0].data == {"text/plain": "IntSlider(value=3)"}
    assert picture.outputs[0].data.keys() == {"image/png", "text/plain"}
    assert picture.outputs[0].metadata == {"image/png": {"alt": "two rows of navy"}}
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3]
    assert [cell.metadata for cell in notebook.cells] == [{"tags": ["kept"]}] * 3
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


@pytest.mark.slow
def test_a_failing_notebook_stays_as_it_was(tmp_path):
    raises = write_notebook(tmp_path / "raises.ipynb", "1 / 0")
    warns = write_notebook(tmp_path / "warns.ipynb", "import sys\nprint('careful', file=sys.stderr)")
    before = [raises.read_bytes(), warns.read_bytes()]
    done = save(raises, warns)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "cell 1 writes to stderr:\ncareful" in done.stderr
    assert [raises.read_bytes(), warns.read_bytes()] == before


def png_output(colour, software):
    info = PngInfo()
    info.add_text("Software", software)
    file = save_notebooks.io.BytesIO()
    Image.new("RGB", (3, 2), colour).save(file, "png", pnginfo=info)
    return {"data": {"image/png": save_notebooks.base64.b64encode(file.getvalue()).decode()}}


def test_a_picture_keeps_its_bytes_unless_a_pixel_changed():
    old = [png_output("navy", "1.0"), png_output("navy", "1.0")]
    new = [png_output("navy", "2.0"), png_output("gold", "2.0")]
    same, other = new[0]["data"]["image/png"], new[1]["data"]["image/png"]
    save_notebooks.keep_pictures(old, new)
    assert new[0] == old[0] != {"data": {"image/png": same}}
    assert new[1] == {"data": {"image/png": other}}


@pytest.mark.slow
def test_pytest_compares_a_notebook_with_what_is_saved_in_it_and_runs_each_cell_twice(tmp_path):
    cells = [
        new_code_cell("n = 42", execution_count=1),
        new_code_cell("n", execution_count=2, outputs=[new_output("execute_result", {"text/plain": "42"})]),
        new_code_cell("n", execution_count=3, outputs=[new_output("execute_result", {"text/plain": "43"})]),
        new_code_cell("del n", execution_count=4),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "small.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conftest",
        "-c",
        ROOT / "pyproject.toml",
        tmp_path / "small.ipynb",
    ]
    done = run(*command, PYTHONPATH=str(ROOT))
    assert re.findall(r"^FAILED .*::(Cell \d)", done.stdout, re.MULTILINE) == ["Cell 2", "Cell 3"]
    assert "2 failed, 2 passed" in done.stdout.splitlines()[-1]
