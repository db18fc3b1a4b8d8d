"""The commands of the course. They need Python 3.11 or newer, and bring everything else themselves.

    python3 course.py start     open the course in JupyterLab
    python3 course.py test      run all tests
    python3 course.py save      run the notebooks and save them with their outputs
    python3 course.py student   write the notebooks without their solutions into the folder student/
    python3 course.py report    say of a folder of handed-in notebooks who solved what, and which mistakes
    python3 course.py exam      write a page of tasks with own numbers for each student, and the key
    python3 course.py slides    write the main line of a notebook as slides: slides 08 FOLDER
    python3 course.py print     write a notebook as a PDF: print 08 FILE
    python3 course.py site      build the course as a web site into the folder site/

On Windows: py course.py start. What stands after the command is passed on: to JupyterLab (or is the
notebook to open), to pytest, as the notebooks to save, or as the folder to write into. student --standalone
writes a folder that can be handed out by itself, --no-answers leaves out the folded answers as well. With
--help each says what it takes, and installs nothing; start and test pass that on, too. With --pip before the
command, plain pip installs, even where there is uv.

The first run makes the folder .venv beside this file and needs the network; later runs install nothing.
"""

# A Python that is too old must get as far as the sentence in main(). So all of this parses on Python 2.7:
# ASCII only, no f-strings, no annotations.

import ast
import contextlib
import errno
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

try:
    from urllib.parse import quote
except ImportError:  # Python 2, which gets as far as the sentence in main()
    quote = str

MINIMUM = (3, 11)
ROOT = os.path.dirname(os.path.abspath(__file__))
NOTEBOOKS = os.path.join(ROOT, "notebooks")
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
STAMP = os.path.join(VENV, "course.json")
INCLUDED_IN = {"notebooks": ["lecture", "test", "site"], "lecture": ["test"]}  # a set-up for these will do
LAB_SETTINGS = os.path.join(VENV, "share", "jupyter", "lab", "settings", "overrides.json")
LAB_DEFAULTS = {
    # A question whether to fetch news would cover a corner of the page.
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
    # Pictures are saved with the notebook; opened later, without a kernel, they still answer.
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}
ENVIRONMENT = {
    # The kernel named python3 is the one in .venv, even if the reader's own Jupyter settings name another so.
    "JUPYTER_PREFER_ENV_PATH": "1",
    # What a still picture needs for a moment, 10 MB or so, goes back to the system. glibc would keep it in each kernel,
    # as its own limits grow with what it is asked for; no other system reads these.
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "MALLOC_TRIM_THRESHOLD_": "4000000",
}
TOOLS = {
    "save": "save_notebooks.py",
    "student": "student.py",
    "report": "report.py",
    "exam": "exam.py",
    "slides": "lecture.py",
    "print": "lecture.py",
    "site": "build_site.py",
}
COPY_IT = "Copy the folder of the course to a place of your own, and run this there."
LAB_OPTIONS = [
    "--ServerApp.answer_yes=True",  # Ctrl-C ends it without a question
    "--LabApp.news_url=None",  # this and the next: nothing is asked of any other machine
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]


def main(arguments):
    if sys.version_info < MINIMUM:
        sys.exit(
            "The course needs Python %d.%d or newer; this is %d.%d (%s). Get one from "
            "https://www.python.org/downloads and run this again with it."
            % (MINIMUM + sys.version_info[:2] + (sys.executable,))
        )
    use_uv = arguments[:1] != ["--pip"]
    arguments = arguments if use_uv else arguments[1:]
    commands = {"start": start, "test": test, "save": save, "student": student, "report": report, "exam": exam}
    commands.update({"slides": slides, "print": print_out, "site": site})
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    if arguments[0] in TOOLS and ("-h" in arguments or "--help" in arguments):
        print(docstring(os.path.join(ROOT, "tools", TOOLS[arguments[0]])))
        return 0
    return commands[arguments[0]](arguments[1:], use_uv)


def docstring(path):
    """What a tool says of itself, without what it imports, which may not be installed."""
    with open(path, "rb") as file:
        return ast.get_docstring(ast.parse(file.read()))


def start(arguments, use_uv):
    """Open JupyterLab on the first notebook, or on the one named, with the kernel of .venv."""
    named = [name for name in arguments if name.endswith(".ipynb")]
    folder, page = place(named[0]) if named else (ROOT, "notebooks/00_start_here.ipynb")
    set_up("notebooks", use_uv)
    options = LAB_OPTIONS + [
        "--ServerApp.root_dir=" + folder,
        "--LabApp.default_url=/lab/tree/" + quote(os.fsencode(page)),
    ]
    return run([PYTHON, "-m", "jupyterlab"] + options + [option for option in arguments if option not in named])


def place(notebook):
    """The folder to show beside a notebook, that of the course if it is in there, and its path from that folder."""
    if not os.path.isfile(notebook):
        sys.exit("There is no notebook %s." % os.path.abspath(notebook))
    path, course = os.path.realpath(notebook), os.path.realpath(ROOT)
    if path.startswith(os.path.join(course, "")):
        return ROOT, os.path.relpath(path, course).replace(os.sep, "/")
    return os.path.split(path)


def test(arguments, use_uv):
    """Run pytest, with a browser for the browser tests where one can be had."""
    set_up("test", use_uv)
    if not system_browser():
        say("There is no Chromium, Chrome or Edge here; Playwright fetches its own Chromium, once, some 150 MB.")
        fetch = [PYTHON, "-m", "playwright", "install", "chromium"]
        if subprocess.run(fetch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).returncode != 0:
            say("It could not, so no browser test can run: install Chromium or Chrome, or name one in CONVBP_BROWSER.")
    return run([PYTHON, "-m", "pytest"] + arguments)


def save(arguments, use_uv):
    """Run the named notebooks, or all of them, and save them with their outputs."""
    set_up("test", use_uv)
    notebooks = [os.path.abspath(path) for path in arguments]
    return run([PYTHON, os.path.join("tools", "save_notebooks.py")] + notebooks)


def student(arguments, use_uv):
    """Write the notebooks without the cells tagged as solutions; nbconvert does it, or tools/student.py all of it."""
    if "--standalone" in arguments:
        set_up("notebooks", use_uv)
        return run_here([PYTHON, os.path.join(ROOT, "tools", "student.py")] + arguments)
    if "--no-answers" in arguments:
        sys.exit("--no-answers goes with --standalone: student OUT --standalone --no-answers.")
    if arguments[1:] or (arguments and arguments[0].startswith("-")):
        sys.exit("student takes one name at most, that of the folder to write into; it got %s." % " ".join(arguments))
    folder = os.path.abspath((arguments or ["student"])[0])
    names = sorted(name for name in os.listdir(NOTEBOOKS) if name.endswith(".ipynb"))
    if any(os.path.exists(os.path.join(folder, name)) for name in names):
        sys.exit(
            "There are notebooks in %s already, and what somebody wrote in them would be lost: name another "
            "folder, or take that one away first." % folder
        )
    need_writable(folder, "Name another folder for the student edition.")
    set_up("notebooks", use_uv)
    remove = ["--TagRemovePreprocessor.enabled=True", "--TagRemovePreprocessor.remove_cell_tags=solution"]
    command = [PYTHON, "-m", "nbconvert", "--to=notebook", "--output-dir=" + folder]
    failed = run(command + remove + [os.path.join(NOTEBOOKS, name) for name in names])
    if not failed:
        say("The student edition is in %s." % folder)
    return failed


def site(arguments, use_uv):
    """Build the web site: the notebooks as pages, and JupyterLite."""
    set_up("site", use_uv)
    return run([PYTHON, os.path.join("tools", "build_site.py")] + arguments)


def report(arguments, use_uv):
    """Say what a class handed in. What is saved is read by any Python; only --run needs the set-up."""
    executes = "--run" in arguments
    if executes:
        set_up("notebooks", use_uv)
    return run_here([PYTHON if executes else sys.executable, os.path.join(ROOT, "tools", "report.py")] + arguments)


def exam(arguments, use_uv):
    """Write a page of tasks for each student, and the key."""
    set_up("notebooks", use_uv)
    return run_here([PYTHON, os.path.join(ROOT, "tools", "exam.py")] + arguments)


def slides(arguments, use_uv):
    """Write the main line of a notebook as slides."""
    set_up("lecture", use_uv)
    return run_here([PYTHON, os.path.join(ROOT, "tools", "lecture.py"), "slides"] + arguments)


def print_out(arguments, use_uv):
    """Write a notebook as a PDF."""
    set_up("lecture", use_uv)
    browser = system_browser()
    given = ["--browser", browser] if browser else []
    return run_here([PYTHON, os.path.join(ROOT, "tools", "lecture.py"), "print"] + arguments + given)


def system_browser():
    """Where the Chromium, Chrome or Edge of this machine is, or None; CONVBP_BROWSER, if set, decides."""
    chosen = os.environ.get("CONVBP_BROWSER")
    if chosen:
        if not shutil.which(chosen):
            sys.exit("CONVBP_BROWSER is %s, and there is no such program. Correct it, or unset it." % chosen)
        return shutil.which(chosen)
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"]
    for name in ["Google Chrome", "Chromium", "Microsoft Edge"]:  # macOS
        names.append("/Applications/%s.app/Contents/MacOS/%s" % (name, name))
    for folder in ["ProgramFiles", "ProgramFiles(x86)", "LocalAppData"]:  # Windows
        for name in ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe"]:
            names.append(os.path.join(os.environ.get(folder, ""), name))
    return next(filter(None, map(shutil.which, names)), None)


def set_up(extra, use_uv):
    """Make .venv hold the course with its ``extra`` dependencies; do nothing if it does already."""
    if is_set_up(wanted_stamp(extra)):
        return
    need_writable(ROOT, COPY_IT)
    with nobody_else():
        wanted = wanted_stamp(extra)
        if not is_set_up(wanted):  # as another course.py may have done by now
            make_venv(wanted, use_uv)


def wanted_stamp(extra):
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = hashlib.sha256(file.read()).hexdigest()
    # The folder's name in bytes is the same in every locale.
    return {"root": repr(os.fsencode(ROOT)), "python": venv_python(), "project": project, "extra": extra}


def is_set_up(wanted):
    extra = wanted["extra"]
    return read_stamp() in [dict(wanted, extra=one) for one in [extra] + INCLUDED_IN.get(extra, [])]


@contextlib.contextmanager
def nobody_else():
    """Wait until no other course.py sets the same folder up. The system ends this with the process, however it ends."""
    with open(VENV + ".lock", "a") as file:  # beside .venv, which may be cleared
        waits = False
        while True:
            try:
                if os.name == "nt":
                    import msvcrt

                    file.seek(0)
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    break  # a file system that knows no locks
            if not waits:
                say("Another course.py is setting this folder up; waiting for it.")
            waits = True
            time.sleep(0.2)
        yield


def make_venv(wanted, use_uv):
    """Make .venv what is ``wanted``, or what is there into it."""
    stamp = read_stamp()
    reason = why_afresh(stamp, wanted)
    need_writable(VENV, COPY_IT)
    if reason:
        say("Making .venv: %s." % reason)
        base = getattr(sys, "_base_executable", sys.executable)  # not the .venv that is about to be cleared
        need_venv([base, "-m", "venv", "--without-pip", "--clear", VENV])
    if reason or stamp is not None:
        write_stamp({})  # if the installation is broken off, the next run starts afresh
    say("Installing what the course needs into .venv: seconds with uv, a minute or two with pip.")
    install(".[%s]" % wanted["extra"], use_uv)
    settle_lab()
    write_stamp(dict(wanted, python=venv_python()))


def need_writable(folder, hint):
    """Make ``folder`` if it is not there; end with one sentence if no file can be written in it."""
    try:
        os.makedirs(folder, exist_ok=True)
        trial = os.path.join(folder, "course.try%d" % os.getpid())  # two at once would remove each other's
        open(trial, "w").close()
        os.remove(trial)
    except OSError as error:
        sys.exit("Nothing can be written into %s (%s). %s" % (folder, error.strerror, hint))


def settle_lab():
    """Write the settings that the course's JupyterLab begins with, over none that are there: a reader's own win."""
    try:
        with open(LAB_SETTINGS) as file:
            settings = dict(LAB_DEFAULTS, **json.load(file))
    except FileNotFoundError:
        settings = LAB_DEFAULTS
    except (TypeError, ValueError):
        return  # a reader's own, with comments perhaps
    os.makedirs(os.path.dirname(LAB_SETTINGS), exist_ok=True)
    with open(LAB_SETTINGS, "w") as file:
        json.dump(settings, file)


def why_afresh(stamp, wanted):
    """Why .venv cannot be built upon, or None. It has no stamp if it is not there, or was made by hand."""
    version = wanted["python"]
    if not os.path.exists(VENV):
        return "there is none yet"
    if version is None:
        return "the Python in it does not run any more"
    if version < list(MINIMUM):
        return "the Python in it is older than %d.%d" % MINIMUM
    if stamp is None:
        return None
    if not stamp:
        return "an earlier set-up was broken off"
    if stamp["root"] != wanted["root"]:
        return "this folder was moved"
    if stamp["python"] != version:
        return "the Python in it was exchanged"
    return None


def install(requirement, use_uv):
    """Install the course into .venv, and see that it can be imported from there."""
    # What is handed out to students names the versions that it was tried with.
    pins = ["--constraint", "requirements.txt"] if os.path.exists(os.path.join(ROOT, "requirements.txt")) else []
    for installer in installers(use_uv):
        if subprocess.call(installer + ["--editable", requirement] + pins, cwd=ROOT) == 0:
            break
    else:
        sys.exit("The set-up did not succeed; why stands above. It needs the network, this once. Then run this again.")
    link_to_source()
    if subprocess.call([PYTHON, "-c", "import convbp"]) != 0:
        sys.exit("All is installed, and yet the Python in .venv cannot import the course; why stands above.")


def link_to_source():
    """Give the file that leads .venv to src/ a relative path.

    An absolute one has the name of the reader's own folder in it, and before Python 3.13 such a file is read in the
    locale's encoding, in which a letter outside ASCII means something else, or nothing.
    """
    library = os.path.join(VENV, *(["Lib"] if os.name == "nt" else ["lib", "python*"]))
    for link in glob.glob(os.path.join(library, "site-packages", "*convbp*.pth")):
        os.remove(link)  # not written over: it may be a hard link into uv's cache
        with open(link, "w") as file:
            file.write(os.path.relpath(os.path.join(ROOT, "src"), os.path.dirname(link)))


def installers(use_uv):
    """The commands that can install into .venv, best first: uv from PATH, uv fetched by pip, pip."""
    into_venv = ["pip", "install", "--python", PYTHON]
    if use_uv and shutil.which("uv"):
        yield [shutil.which("uv")] + into_venv
    need_venv([PYTHON, "-m", "ensurepip"])
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    with open(os.devnull, "w") as nowhere:
        fetch_uv = pip + ["--retries", "1", "uv"]
        if use_uv and subprocess.call(fetch_uv, stdout=nowhere, stderr=nowhere) == 0:
            yield [PYTHON, "-m", "uv"] + into_venv
    yield pip


def need_venv(command):
    """Run a command of Python's own venv or ensurepip, which some systems leave out."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace")
        missing = "ensurepip" in said or "No module named venv" in said
        hint = " On Debian and Ubuntu: sudo apt install python3-venv" if missing else ""
        sys.exit(said + "Python could not make .venv, or pip in it." + hint)


def venv_python():
    """The version of the Python in .venv as [major, minor], or None if it does not run."""
    ask = "import sys; print(list(sys.version_info[:2]))"
    try:
        return json.loads(subprocess.check_output([PYTHON, "-c", ask]))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def read_stamp():
    try:
        with open(STAMP) as file:
            return json.load(file)
    except OSError:
        return None
    except ValueError:
        return {}


def write_stamp(stamp):
    with open(STAMP, "w") as file:
        json.dump(stamp, file)


def run_here(command):
    """Run a command where the reader is, whose paths it takes."""
    return run(command, os.getcwd())


def run(command, folder=ROOT):
    """Run a command, in the course's folder unless told, and return its exit code. It hears Ctrl-C too, and it decides.

    Who asks this process to end, or closes its terminal, means the command: JupyterLab must not stay on its port.
    """
    process = subprocess.Popen(command, cwd=folder, env=dict(os.environ, **ENVIRONMENT))
    for name in ["SIGTERM", "SIGHUP"]:  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_DFL:  # not under nohup
            signal.signal(number, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            if not (sys.stdin and sys.stdin.isatty()):  # a terminal has told the command, too
                process.terminate()


def say(sentence):
    print(sentence)
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ["PYTHONUTF8"] = "1"  # for all that is started from here, in a folder whose name may need it
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Broken off. Run the same command again to go on.")
