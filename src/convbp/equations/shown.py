"""How an equation shows itself in a notebook: Markdown with LaTeX, and its sides as numbers."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from convbp.equations.cases import Case, Quadratic
from convbp.equations.entry import CASES, FAILS, NOTHING_OUTSIDE, WORDS, Equation, Statement
from convbp.equations.formula import UNDEFINED
from convbp.equations.readings import PRINTED, READING, ZEROS


def page(entry: Equation) -> str:
    """The whole entry: printed form, verdict, explanation, the sides as numbers, smallest counterexample."""
    parts = [f"**{entry.name}: {entry.title}** (article, section *{entry.section}*)"]
    if entry.printed is not None:
        parts.append(_display(entry.printed, entry.number))
    parts += [f"**{_capital(entry.judged)}** {entry.explanation}", "On small integers, with"]
    parts.append(_arrays(entry, entry.example))
    for name, form in entry.forms.items():
        if name not in worth_seeing(entry):
            continue
        parts.append(f"**{_capital(name)}**{f' ({form.note})' if form.note else ''}:")
        if form is entry.corrected or name in entry.said:
            parts.append(_display(form))
        parts += _numbers(entry, form, entry.example)
        parts += [f"It happens to hold if {condition.words}." for condition in form.conditions]
    if entry.faulty is not None and entry.counterexample is not None:
        faulty = entry.forms[entry.faulty]
        fails = "the printed form fails" if faulty is entry.printed else f"it fails {entry.faulty}"
        parts.append(f"**The smallest case in which {fails}**, in zeros and ones:")
        parts.append(_arrays(entry, entry.counterexample, only=entry.vary))
        parts += _numbers(entry, faulty, entry.counterexample)
    return "\n\n".join(parts)


def worth_seeing(entry: Equation) -> list[str]:
    """The names of the forms whose numbers are shown: not of those that the rule does not admit, which are counted."""
    admitted = [name for name in entry.forms if entry.kind_of(name) in (PRINTED, READING, WORDS)]
    own = [name for name, form in entry.forms.items() if form in (entry.corrected, entry.statement)]
    return [name for name in entry.forms if name in {*admitted, *own} - ({NOTHING_OUTSIDE} - {entry.faulty})]


def overview(entries: Iterable[Equation]) -> str:
    """The table of all verdicts."""
    rows = ["| | what it is about | verdict | what is to be read into it, or changed |", "|---|---|---|---|"]
    for entry in entries:
        verdict = f"**{entry.verdict}**" if entry.verdict == FAILS else entry.verdict
        form = entry.corrected or entry.statement
        left_out = "the article leaves it out" if entry.printed is None else ""
        why = "; ".join(filter(None, [left_out, entry.remark, form.note]))
        rows.append(f"| {entry.name} | {entry.title} | {verdict} | {why} |")
    return "\n".join(rows)


def ways(entries: Iterable[Equation]) -> str:
    """What was tried: each form with what the rule takes it for and on how many cases it holds, then the meanings."""
    rows, used = ["| | taken as | it is | equal in |", "|---|---|---|---|"], []
    for entry in entries:
        for name, form in entry.forms.items():
            kind = entry.kind_of(name)
            meanings = (ZEROS,) if name == "as printed" and kind == READING else form.meanings
            used += [meaning for meaning in meanings if meaning not in used]
            taken = "; ".join(meaning.words for meaning in meanings) if kind == READING else form.note
            count = entry.count(form)
            cells = name if kind in (PRINTED, WORDS) else taken, kind, f"**{count}**" if count == CASES else count
            rows.append(f"| {entry.name} | {' | '.join(map(str, cells))} of {CASES} |")
    rows += ["", "| meaning | where the article has it |", "|---|---|"]
    return "\n".join([*rows, *(f"| {meaning.words} | {meaning.used or '**nowhere**'} |" for meaning in used)])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _display(form: Statement, number: int | None = None) -> str:
    tag = f" \\tag{{{number}}}" if number else ""
    return f"$$\n{form.latex}{tag}\n$$"


def _arrays(entry: Equation, case: Case, only: tuple[str, ...] = ()) -> str:
    made_of = {"o": "inputs", "bias": "biases"}  # in counterexamples f is the identity
    shown = []
    for letter, name in entry.symbols.items():
        if only and made_of.get(name, name) not in only:
            continue
        value = getattr(case, name)
        if isinstance(value, Quadratic):
            shown.append(f"{letter} = {_polynomial(value)}")
            continue
        array = np.asarray(getattr(value, "array", value), dtype=object)
        for channels in np.ndindex(array.shape[2:]):  # once, and without an index, if there are no channels
            # the channel c and the filter d, which the article counts from 1
            index = ",\\ ".join(f"{name}={channel + 1}" for name, channel in zip("cd", channels, strict=False))
            shown.append(f"{letter}{f'_{{{index}}}' if index else ''} = {_matrix(array[(..., *channels)])}")
    return "$$\n" + r",\quad ".join(shown) + "\n$$"


def _numbers(entry: Equation, form: Statement, case: Case) -> list[str]:
    """The sides of a form as matrices side by side; what differs from the first side is boxed."""
    left, *others = form.values(case)
    fixed = _first_difference(left, others)
    shown = [_labelled(_matrix(left[fixed]), form.sides[0].latex)]
    for line, other in enumerate(others, start=1):
        unequal = _unequal(left, other)
        label = "right side" if len(others) == 1 else f"line {line}"
        label = rf"\text{{{label}{', which has no value' if all(value is UNDEFINED for value in other.flat) else ''}}}"
        shown.append((r"\neq " if unequal.any() else "= ") + _labelled(_matrix(other[fixed], unequal[fixed]), label))
    where = ",\\ ".join(f"{axis} = {index}" for axis, index in zip(entry.axes, fixed, strict=False))
    rows, cols = entry.axes[-2:] if fixed else ("", "")
    planes = [f"at ${where}$, with rows for ${rows}$ and columns for ${cols}$:"] if fixed else []
    return [*planes, "$$\n" + "\n".join(shown) + "\n$$"]


def _labelled(matrix: str, label: str) -> str:
    return rf"\underbrace{{{matrix}}}_{{\textstyle {label}}}"


def _unequal(left: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.not_equal(left, other, dtype=object).astype(bool)


def _first_difference(left: np.ndarray, others: list[np.ndarray]) -> tuple[int, ...]:
    """The leading indices of the plane to show: of the first entry that differs, or else of the middle."""
    leading = max(left.ndim - 2, 0)
    places = [place for other in others for place in np.argwhere(_unequal(left, other))]
    return tuple(map(int, places[0][:leading])) if places else tuple(size // 2 for size in left.shape[:leading])


def _matrix(entries: np.ndarray, boxed: np.ndarray | None = None) -> str:
    boxed = np.atleast_2d(np.zeros(entries.shape, bool) if boxed is None else boxed)
    entries = np.atleast_2d(entries)
    texts = [
        " & ".join(rf"\boxed{{{_number(value)}}}" if box else _number(value) for value, box in zip(*row, strict=True))
        for row in zip(entries, boxed, strict=True)
    ]
    if entries.size == 1:
        return texts[0]
    return r"\begin{pmatrix}" + r"\\ ".join(texts) + r"\end{pmatrix}"


def _number(value: Any) -> str:
    if value is UNDEFINED:
        return "?"
    value = Fraction(value)
    if value.denominator == 1:
        return str(value.numerator)
    return rf"{'-' if value < 0 else ''}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _polynomial(f: Quadratic) -> str:
    head = {0: "", 1: "x^2 + ", -1: "-x^2 + "}[f.square]
    return head + ("x" if f.factor == 1 else f"{f.factor}x")
