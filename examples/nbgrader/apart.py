"""Grades in two processes: what a student wrote runs in one, the checks in another.

nbgrader runs a notebook in one kernel, in which an answer cell can replace the checks that come after it. Here the
kernel runs only the cells that are locked in the assignment. Every other cell is sent to a process of the student's
own, and each function defined there is called from the kernel by name. Only JSON goes between the two: numbers, arrays
and texts, and nothing that could run.
"""

import builtins
import importlib.machinery
import json
import linecache
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from io import StringIO

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


# In the process of nbgrader


def execute(base):
    """nbgrader's preprocessor ``base``, which runs a notebook, made to run the student's cells apart."""
    from nbgrader.api import Gradebook

    class ExecuteApart(base):
        def preprocess(self, nb, resources, **more):
            folder, this = resources["metadata"]["path"], resources["nbgrader"]
            with Gradebook(this["db_url"]) as book:  # not the notebook, in which a student can call any cell locked
                source = book.find_notebook(this["notebook"], this["assignment"])
                locked = {cell.name for cell in source.source_cells if cell.locked}
                checks = {cell.name for cell in source.grade_cells}
            given, written = [], []
            for cell in nb.cells:
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                if cell.cell_type == "code" and name not in locked:
                    written.append((cell, cell.source))
                    call = f"apart.run({folder!r}, {given!r}, {cell.source!r}, globals())"
                    cell.source = f"import sys; sys.path.append({HERE!r}); import apart; {call}"
                    given = []
                elif cell.cell_type == "code" and name not in checks:
                    given.append(cell.source)  # imports, which the student's cells build upon
            try:
                with tempfile.TemporaryDirectory() as empty:  # no numpy.py that was handed in is imported here
                    resources["metadata"]["path"] = empty
                    return super().preprocess(nb, resources, **more)
            finally:
                resources["metadata"]["path"] = folder
                for cell, source in written:
                    cell.source = source

    return ExecuteApart


# In the kernel, beside the checks


class Student:
    """The student's process; it is started again, with all that ran in it, when it was ended.

    ``closed`` takes the solutions out of it; ``seconds`` is how long one request may take, ``megabytes`` how much
    address space the process has, where the system can limit it.
    """

    def __init__(self, folder, closed=False, seconds=None, megabytes=None):
        self.folder, self.sources, self.process = folder, [], None
        self.options, self.seconds = {"closed": closed, "megabytes": megabytes}, seconds

    def run(self, source):
        """Run a cell; return what it printed and the names that are defined by now."""
        reply = self.try_cell(source)
        return reply["printed"], {name: unpacked(value) for name, value in reply["values"].items()}, reply["functions"]

    def try_cell(self, source):
        """Run a cell; return all that is to be said of it, as `serve` says it."""
        reply = self.ask({"run": source})
        self.sources.append(source)
        return reply

    def call(self, name, *arguments, closed_for=None):
        """Call a function by its name, or one that was handed to a check by its number among these."""
        request = {"call": name, "arguments": [packed(value) for value in arguments], "closed_for": closed_for or name}
        reply = self.ask(request)
        if "error" in reply:
            raise_in(f"<{name}, as it was handed in>", *reply["error"])
        for mine, theirs in zip(arguments, reply["arguments"], strict=True):
            if isinstance(mine, np.ndarray):
                mine[...] = unpacked(theirs)  # a function that changes its arguments is told so
        print(reply["printed"], end="")
        return unpacked(reply["value"])

    def ask(self, request):
        try:
            if self.process is None:
                self.start()
            return self.exchange(request)
        except BaseException as error:
            self.end()
            if isinstance(error, EOFError | ConnectionError):
                raise RuntimeError("the process in which it ran has ended") from error
            raise

    def start(self):
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")  # nothing of this process is in the other one
        process = context.Process(target=serve, args=(theirs, self.folder, self.options), daemon=True)
        process.start()
        self.process = process
        theirs.close()
        for source in self.sources:
            self.exchange({"run": source})

    def exchange(self, request):
        self.pipe.send_bytes(json.dumps(request).encode())
        end = None if self.seconds is None else time.monotonic() + self.seconds
        while not self.pipe.poll(0.05):  # in small steps: when its time is up, a check interrupts this
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"it did not end within {self.seconds:g} seconds")
        return json.loads(self.pipe.recv_bytes())

    def end(self):
        process, self.process = self.process, None  # first, for this may be interrupted, too
        if process is not None:
            with suppress(AttributeError, ProcessLookupError):  # Windows has no groups; it may have ended
                os.killpg(process.pid, signal.SIGKILL)  # with what it has started
            process.kill()
            process.join()


student = None
bound = {}


def run(folder, given, source, names):
    """Run a cell of the student's, and add what it defines to ``names``, never in the place of the kernel's own."""
    global student
    student = student or Student(folder, closed=True)
    for text in given:
        student.run(text)
    printed, values, functions = student.run(source)
    print(printed, end="")
    for name, value in {**{name: function(name) for name in functions}, **values}.items():
        ours = name in names or hasattr(builtins, name)
        if not ours or (name in bound and names.get(name) is bound[name]):
            names[name] = bound[name] = value


def function(name):
    place = f"<{name}, as it was handed in>"
    made = {"call": partial(student.call, name)}
    exec(compile("def answer(*given): return call(*given)", place, "exec"), made)
    return made["answer"]


def raise_in(place, kind, text, line, source):
    """Raise the error where it came from, so that the check quotes the student's line."""
    made = getattr(builtins, kind, None)
    if not (isinstance(made, type) and issubclass(made, Exception)):
        made = type(kind, (Exception,), {})
    linecache.cache[place] = (0, None, [*["\n"] * (line - 1), source], place)
    exec(compile("\n" * (line - 1) + "raise error", place, "exec"), {"error": made(text)})


# Between the two


def packed(value):
    """The value as JSON can say it."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        return {"array": np.asarray(value).tolist(), "dtype": np.dtype(value.dtype).str}
    if isinstance(value, tuple | list):
        return {"tuple" if isinstance(value, tuple) else "list": [packed(entry) for entry in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    if hasattr(value, "__float__") or hasattr(value, "__array__"):
        with suppress(TypeError, ValueError):  # an array of dots
            return packed(np.asarray(value, float))
    return {"value": f"an object of type {type(value).__name__}"}  # which the check refuses as it refuses any text


def unpacked(value):
    (kind, content), *dtype = value.items()
    if kind == "array":
        return np.array(content, np.dtype(dtype[0][1]))
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(map(unpacked, content))
    return content


# In the student's process


# What an answer may use of the course, and the exercises in which one of these is what is asked for.
FORWARD = ["cross_correlate", "convolve", "rot180", "conv2d"]
ACTIVATIONS = ["identity", "leaky_relu", "relu", "sigmoid", "softplus", "tanh"]
GIVEN = {"depthwise_kernel_gradient": ["conv2d_kernel_gradient"]}  # what a task begins with, and is in no other
ASKED = {
    "cross_correlation": ["cross_correlate", "convolve", "conv2d"],
    "convolution": ["convolve", "conv2d"],
    "full_convolution": ["convolve", "conv2d"],
    "rot180": ["rot180"],
}


def serve(pipe, folder, options):
    """Run cells and call functions, as ``pipe`` asks for, until it is closed."""
    if options["megabytes"]:
        limit_memory(options["megabytes"])
    if hasattr(os, "setsid"):
        os.setsid()
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    if options["closed"]:
        Closed()  # before a convbp.py that was handed in can be found
    os.chdir(folder)
    sys.path.insert(0, folder)
    shell = InteractiveShell.instance(colors="nocolor", config=Config({"HistoryManager": {"enabled": False}}))
    own, seen = set(shell.user_ns), 0
    while True:
        try:
            request = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        printed = StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            if "run" in request:
                done = shell.run_cell(request["run"])
                new = {name: value for name, value in shell.user_ns.items() if name not in own and name[0] != "_"}
                functions = [name for name, value in new.items() if callable(value)]
                simple = int, float, list, tuple, np.ndarray, np.generic
                values = {name: packed(value) for name, value in new.items() if isinstance(value, simple)}
                checks = [described(number) for number in range(seen, len(checked))]
                seen = len(checked)
                reply = {"functions": functions, "values": values, "checks": checks, "failed": not done.success}
            else:
                now_asked.update(closed_in(request["closed_for"]))
                name = request["call"]
                answer = checked[name][1] if isinstance(name, int) else shell.user_ns[name]
                reply = called(answer, [unpacked(value) for value in request["arguments"]])
                now_asked.clear()
        pipe.send_bytes(json.dumps({**reply, "printed": printed.getvalue()}).encode())


def called(answer, arguments):
    try:
        return {"value": packed(answer(*arguments)), "arguments": [packed(value) for value in arguments]}
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is this one
        own = [frame for frame in frames if frame.filename == frames[0].filename]
        line, source = (own[-1].lineno, own[-1].line) if own else (1, "")
        return {"error": [type(error).__name__, str(error), line, source]}


now_asked = set()  # what of the course the answer that is being called may not use


def closed_in(exercise):
    """What of the course an answer to this exercise may not use."""
    given = {name for names in GIVEN.values() for name in names}
    return given.difference(GIVEN.get(exercise, ())).union(ASKED.get(exercise, ()))


checked = []  # what was handed to a check: the exercise's name, the answer, and the options


def described(number):
    """A check as JSON has it: a function is called by its number, of anything else the value is here."""
    exercise, answer, options = checked[number]
    kind = "missing" if answer is ... else "function" if callable(answer) else "value"
    value = packed(answer) if kind == "value" else None
    said = {name: packed(options[name]) for name in ("at", "layout") if name in options}
    return {"exercise": exercise, "kind": kind, "number": number, "value": value, "options": said}


class Absent:
    """In the place of what is not there: it can be called and looked into, and gives no numbers.

    That the ``check`` of an exercise was called is remembered.
    """

    def __init__(self, path):
        self.path = path

    def __call__(self, *given, **more):
        *_, exercise, name = ("", *self.path)
        if name == "check" and given:
            checked.append((exercise, given[0], more))
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent((*self.path, name))


class Closed:
    """Imports the course with nothing in it but what an answer may use."""

    def __init__(self):
        import convbp

        self.names = {name: getattr(convbp, name) for name in ACTIVATIONS}
        guard = {*FORWARD, *closed_in(None)}
        self.names |= {name: guarded(name, getattr(convbp, name)) for name in guard}
        for name in [name for name in sys.modules if name.partition(".")[0] == "convbp"]:
            del sys.modules[name]
        sys.meta_path.insert(0, self)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "convbp":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        def there(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return self.names.get(name, Absent((*module.__name__.split("."), name)))

        module.__getattr__ = there


def guarded(name, function):
    def forward(*given, **more):
        if name in now_asked:
            raise RuntimeError(f"{name} is not to be used here")
        return function(*given, **more)

    return forward


def limit_memory(megabytes):
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
