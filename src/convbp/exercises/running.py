"""Runs a reader's function so that nothing it does can break or hang the notebook.

It runs in a thread of its own. When its time is up, an exception is raised in that thread from outside, which ends any
loop written in Python, on every system. What cannot be ended so is one long call into compiled code (``time.sleep``, a
large matrix product): that is left behind, and said. ``os._exit`` and a crash of compiled code are beyond help.

Where no thread can start, as in a browser, it runs where it is, and `sys.monitoring` has the clock looked at with each
call and each jump. Not everywhere: a long call into compiled code could not be left behind, and Python 3.11 has none.
"""

import ctypes
import functools
import inspect
import io
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic  # as it is now, whatever a reader's function puts into the module
from types import CodeType
from typing import Any, TextIO

import numpy as np

from convbp.exercises import reading
from convbp.exercises.reading import Answer, Unreadable, plain, read, read_parts

SECONDS = 5.0  # for all inputs together
_PATIENCE = 1.0  # after that, for the function to end
_KEPT = 500  # characters of what was printed

_ADVICE = {
    "IndexError": "An index left its array: the last one is its length less 1. Check the limits of the loops; where an "
    "equation asks for a place outside, there is zero.",
    "UnboundLocalError": "Give the variable its first value before the loop.",
    "ZeroDivisionError": "Ask whether the divisor is 0 before dividing.",
    "RecursionError": "The function calls itself without end.",
    "NameError": "Is the cell with its definition run, or is it spelled differently?",
}


@dataclass
class Call:
    """What one call of the reader's function came to."""

    answer: Answer | None = None
    problem: str = ""  # why there is no answer
    kind: str = (
        "crash"  # of the problem, as a result has it; "type" if something came back, and it is no array of numbers
    )
    changed: list[str] = field(default_factory=list)  # the arguments that it changed
    parts: list[Answer | None] = field(default_factory=list)  # if several things came back together: the arrays


@dataclass
class Run:
    """All calls, in the order of the inputs; the last one may be missing if the time was up."""

    calls: list[Call] = field(default_factory=list)
    repeatable: bool = True
    printed: str = ""


class _TimeUp(BaseException):
    """Raised in the reader's thread; a BaseException, so that ``except Exception`` lets it pass."""


_here = threading.local()  # whether this thread checks a function, and whether the reader's own code runs


def run(function: Callable, inputs: Sequence[Mapping], seconds: float = SECONDS) -> Run:
    """Call ``function`` with the values of each of ``inputs``, and with the first of them twice."""
    if getattr(_here, "checked", False):
        raise RuntimeError("a function that is checked cannot check itself; call .check outside of it.")
    done = Run()

    def work() -> None:
        _here.checked = True
        try:
            for arguments in inputs:
                done.calls.append(_call(function, arguments))
            if done.calls[0].answer:
                again = _call(function, inputs[0])
                done.repeatable = again.answer is not None and _equal(done.calls[0].answer, again.answer)
        finally:
            _here.checked = False

    left = _within(work, seconds, done)
    if left and len(done.calls) < len(inputs):
        done.calls.append(Call(problem=left, kind="time"))
    elif left:
        done.calls[-1] = Call(problem=left, kind="time")
    return done


def kept(function: Callable, results: list[object]) -> Callable:
    """The function with its results put into ``results`` and 0 in their place: for what is more than one array."""

    @functools.wraps(function)
    def called(*given: object) -> float:
        results.append(function(*given))
        return 0.0

    return called


def read_safely(value: object) -> Call:
    """Read a value that was handed in, with the same care."""
    calls: list[Call] = []
    left = _within(lambda: calls.append(_read(value)), SECONDS, Run())
    return calls[0] if calls else Call(problem=left, kind="time")


def _call(function: Callable, arguments: Mapping) -> Call:
    given = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in arguments.items()}
    numpy = dict(vars(np))
    try:
        wrong_call = _signature_problem(function, list(given))
        if wrong_call:
            return Call(problem=wrong_call)
        with np.errstate(all="ignore"):
            value = _theirs(lambda: function(*given.values()))
    except _TimeUp:
        raise
    except BaseException as error:  # also SystemExit, so that sys.exit() does not end the notebook
        return Call(problem=f"Your function stopped with {_describe(error)}")
    finally:
        replaced = [f"np.{name}" for name, was in numpy.items() if vars(np).get(name) is not was]
        vars(np).update(numpy)
    if replaced:
        return Call(
            problem=f"Your function puts something else in the place of {', '.join(replaced)}, which all other code "
            "uses, too. It has been put back; choose another name."
        )
    call = _read(value)
    call.changed = [name for name in given if not np.array_equal(given[name], arguments[name])]
    return call


def _read(value: object) -> Call:
    parts: list[Answer | None] = []
    try:
        parts = _theirs(lambda: read_parts(value))
        return Call(answer=_theirs(lambda: read(value)), parts=parts)
    except _TimeUp:
        raise
    except Unreadable as reason:
        return Call(problem=str(reason), kind="type", parts=parts)
    except BaseException as error:  # whatever an object's own methods raise
        return Call(problem=f"What came back cannot be read as numbers; it fails with {_describe(error)}", kind="type")


def _theirs(call: Callable[[], Any]) -> Any:
    """Run what the reader has written, a function or an object's own methods."""
    _here.theirs = True
    try:
        return call()
    finally:
        _here.theirs = False


def _equal(one: Answer, other: Answer) -> bool:
    return one.values.shape == other.values.shape and np.array_equal(one.values, other.values, equal_nan=True)


def _signature_problem(function: Callable, names: list[str]) -> str:
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return ""  # compiled functions have none
    try:
        signature.bind(*names)
    except TypeError:
        called = f"({', '.join(names)}), in this order and without the names"
        return f"Your function takes {signature}; here it is called with {called}."
    return ""


def _describe(error: BaseException) -> str:
    """The error, and the line of the reader's that it came from."""
    kind = plain(lambda: type(error).__name__, "an error")
    text = plain(lambda: str(error), "")
    said = f"{kind}{': ' if text else ''}{text}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    frames = [frame for frame in frames if frame.filename != reading.__file__]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    if own:
        said += f"\n    line {own[-1].lineno}:  {own[-1].line or ''}".rstrip()
    advice = _ADVICE.get(kind, "")
    if "Cannot cast ufunc" in text and "output from" in text:
        advice = "An array of integers, as np.zeros(shape, int) makes it, takes no floats; one of np.zeros(shape) does."
    elif "does not fit into the input" in text:
        advice = "Are the two in the right order? The larger array comes first, then what slides over it."
    elif "read-only" in text:
        advice = (
            "That array is a view that can only be read, such as one of sliding_window_view. Work on a copy, "
            "array.copy(), or make a new one: w = w - … for w -= …."
        )
    elif any(words in text for words in ("empty sequence", "zero-size array", "argument is empty")):  # as max says it
        advice = (
            "A part of an array is empty, as it begins beyond the border. By how much do the windows move: by the "
            "stride, or by their own size?"
        )
    elif kind == "ValueError" and "matmul" in text:
        advice = "@ is the product of two matrices. The product entry by entry is *."
    elif kind == "ValueError" and ("broadcast" in text or "shapes" in text):
        advice = "Two arrays of different shapes met: print their shapes just before that line."
    return f"{said}\n{advice}" if advice else said


def _within(work: Callable[[], None], seconds: float, done: Run) -> str:
    """Do ``work`` apart; return an empty text, or what is to be said if it did not end in time."""
    output = _Captured()

    def target() -> None:
        output.thread = threading.get_ident()
        with suppress(_TimeUp):
            work()

    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (output.beside(stream) for stream in streams)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ended, stopped = _in_thread(target, seconds)
    finally:
        sys.stdout, sys.stderr = streams
        done.printed = output.text
    if ended:
        return ""
    time_limit = f"{seconds:g} second{'' if seconds == 1 else 's'}"
    said = f"Your function did not end within {time_limit}, so it was stopped: is there a loop without an end?"
    if stopped:
        return said
    return (
        f"Your function did not end within {time_limit}, and Python cannot stop it where it is: it may be "
        "waiting, or inside one long call. It goes on in the background; restart the kernel to be rid of it."
    )


def _in_thread(target: Callable[[], None], seconds: float) -> tuple[bool, bool]:
    """Run ``target`` in a thread; return whether it ended in time, and whether it has ended at all."""
    thread = threading.Thread(target=target, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # "can't start new thread"
        if sys.version_info >= (3, 12):
            return _watched(target, seconds, sys.monitoring), True
        raise
    try:
        _wait(thread, seconds)
    finally:  # also when the reader interrupts the kernel
        ended = not thread.is_alive()
        stopped = ended or _interrupt(thread)
    return ended, stopped


def _watched(target: Callable[[], None], seconds: float, watch: Any) -> bool:
    """Run ``target`` here, and look at the clock now and then; return whether it ended in time."""
    end, late = monotonic() + seconds, False

    def look(code: CodeType, *_: object) -> None:
        nonlocal late
        # Not while what a reader's function has changed is put back.
        if monotonic() > end and getattr(_here, "theirs", False) and code.co_filename != __file__:
            late = True
            raise _TimeUp

    tool = next(n for n in range(6) if watch.get_tool(n) is None)
    watch.use_tool_id(tool, "convbp")
    events = watch.events.PY_START, watch.events.PY_RESUME, watch.events.JUMP
    try:
        for event in events:
            watch.register_callback(tool, event, look)
        watch.set_events(tool, sum(events))
        target()
    finally:
        watch.set_events(tool, 0)
        for event in events:
            watch.register_callback(tool, event, None)
        watch.free_tool_id(tool)
    return not late


def _wait(thread: threading.Thread, seconds: float) -> None:
    """In small steps, as on Windows a longer one could not be interrupted."""
    end = monotonic() + seconds
    while thread.is_alive() and monotonic() < end:
        thread.join(0.05)


def _interrupt(thread: threading.Thread) -> bool:
    """Raise _TimeUp in the thread until it ends, or patience does; an ``except:`` in a loop may swallow some."""
    assert thread.ident is not None  # it has been started
    end = monotonic() + _PATIENCE
    while thread.is_alive() and monotonic() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_TimeUp))
        thread.join(0.02)
    return not thread.is_alive()


class _Captured:
    """Keeps the beginning of what one thread prints; other threads print as before."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.text = ""

    def beside(self, stream: TextIO) -> "_Beside":
        return _Beside(self, stream)


class _Beside(io.TextIOBase):
    def __init__(self, captured: _Captured, stream: TextIO):
        self._captured, self._stream = captured, stream

    def write(self, text: str) -> int:
        if threading.get_ident() != self._captured.thread:
            return self._stream.write(text)
        self._captured.text += text[: _KEPT - len(self._captured.text)]
        return len(text)

    def flush(self) -> None:
        if threading.get_ident() != self._captured.thread:
            self._stream.flush()

    def __getattr__(self, name: str):
        return getattr(self._stream, name)
