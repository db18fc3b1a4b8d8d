"""The tasks of the notebooks in a reader's hands: whatever stands there is answered, and no cell tells the answer."""

import ast
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest

import course
from convbp import exercises
from convbp.exercises.questions import QUESTIONS
from convbp.networks.layers import Layer, LayerResult
from tools import reading

NOTEBOOKS = sorted(Path(course.NOTEBOOKS).glob("[0-9][0-9]_*.ipynb"))
for_each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
READERS = {"mine", "line", "my_input", "my_delta", "claim_holds", "MeanOfMap"}  # what a task's reader writes


def code(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


def is_task(cell, after):
    return is_solution(after) and not cell.source.startswith("def friends")


def tasks(path):
    return [cell.source for cell, after in pairwise(code(path)) if is_task(cell, after)]


def without_the_answer(source):
    """The cell without what the reader writes in it."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not written(node) & READERS]
    return tree


def written(node):
    if isinstance(node, ast.Assign):
        return {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return {getattr(node, "name", "")}


# No answer is told


COMPARES = ("exercises.compare", "np.array_equal", "np.allclose", "np.isclose")


def told(source):
    """Where a cell has the right answer beside what the reader wrote, for everyone to read."""
    found = []
    for node in ast.walk(without_the_answer(source)):
        if isinstance(node, ast.Compare):
            tells = READERS & names_in(node) and any(map(constant, [node.left, *node.comparators]))
        elif isinstance(node, ast.Dict):  # what is said to each answer
            tells = any(ast.unparse(value).startswith("'Yes") for value in node.values)
        elif isinstance(node, ast.Call):
            tells = ast.unparse(node.func) in COMPARES and READERS & names_in(node.args[0]) and constant(node.args[1])
        else:
            continue
        found += [ast.unparse(node)] if tells else []
    return found


def names_in(node):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def constant(node):
    """A number, a text, or several; the three dots are none."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return bool(node.elts) and all(map(constant, node.elts))
    if isinstance(node, ast.UnaryOp):
        return constant(node.operand)
    return isinstance(node, ast.Constant) and node.value is not ...


@for_each
def test_a_cell_does_not_tell_its_answer(path):
    assert [found for source in tasks(path) for found in told(source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "mine = ...\nprint('Yes.' if mine == 0.49 else 'Not yet.')",
        "line = ...\nexercises.kernel_gradient.check(f) if line == 8 else None",
        "mine = ...\nif np.array_equal(mine, ((5, 1), (5, 3))):\n    print('Yes.')",
        "mine = ...\nprint({45: 'Yes.', 40: 'Not yet.'}.get(mine))",
        "mine = ...\nexercises.compare(mine, -1.5, other='no.')",
        "mine = ...\nset(mine) == {'relu2', 'pool2'}",
    ],
)
def test_an_answer_that_is_told_is_found(source):
    assert told(source)


def test_each_question_is_asked_once():
    asked = re.findall(
        r'exercises\.answer\("([^"]+)"', "\n".join(source for path in NOTEBOOKS for source in tasks(path))
    )
    assert sorted(asked) == sorted(QUESTIONS)


# Whatever stands there


class Hostile:
    def __getattr__(self, name):
        raise RuntimeError("no")


ODD = {
    "None": None,
    "text": "7",
    "bytes": b"7",
    "NaN": math.nan,
    "infinite": math.inf,
    "complex": 1j,
    "a list": [1, 2],
    "no list": [],
    "ragged": [[1, 2], [3]],
    "texts": ["a", "b"],
    "a list with None": [None, 1],
    "many axes": np.zeros((2, 1, 3, 1)),
    "an empty array": np.zeros((0, 2)),
    "texts in an array": np.array([["a"]]),
    "NaN in an array": np.full((2, 3), math.nan),
    "NaN in two rows": np.full((2, 2), math.nan),
    "five NaN": [math.nan] * 5,
    "a dict": {1: 2},
    "a set": {1},
    "names": {"conv1", "conv9"},
    "a function": lambda *given: None,
    "a class": int,
    "a range": range(3),
    "hostile": Hostile(),
    "large": 10**400,
}
RESULTS = [None, "7", math.nan, [], [[1, 2], [3]], np.zeros((0, 2)), np.full((3, 3), math.nan), {"a": 1}, (1, None)]


def crashes(*given):
    raise KeyError("no")


def odd_functions():
    yield from [lambda *given, result=result: result for result in RESULTS]
    yield from [crashes, lambda: 0, lambda one: one, Hostile()]


def ran_through(path):
    """The tasks of a notebook, each with what stands before it, whose reader has not written anything."""
    names = {}
    for cell, after in pairwise([*code(path), nbformat.v4.new_code_cell("")]):
        if is_task(cell, after):
            yield cell.source, names
        if is_solution(cell) or reading.PICTURES.search(cell.source) or "live" in cell.source or "nbval" in str(cell):
            continue
        with suppress(NameError):  # it goes on with what was skipped
            exec(cell.source, names)


@pytest.mark.slow
@for_each
def test_whatever_stands_there_is_answered_in_words(path, capsys, monkeypatch):
    monkeypatch.setattr("builtins.display", lambda *shown, **more: None, raising=False)
    for source, names in ran_through(path):
        odd = [*ODD.items()]
        if not re.search(r"exercises\.\w+\.check\(mine\)", source):  # to these anything is given in test_exercises.py
            odd += [(f"function {n}", function) for n, function in enumerate(odd_functions())]
        for name, given in odd:
            capsys.readouterr()
            said = run(source, {**names, **dict.fromkeys(READERS, given)}, given) or capsys.readouterr().out
            assert re.match(r"Not yet|Put ", said), (name, said, source)


def run(source, names, given):
    """Run a task with an answer; returns what an exercise says of it, if one is asked."""
    if "MeanOfMap" in source:
        names["MeanOfMap"] = lambda: Mean(given)
    tree = without_the_answer(source)
    last = tree.body.pop()
    exec(compile(tree, "cell", "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "cell", "exec"), names)
        return ""
    shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return shown.message if isinstance(shown, exercises.Result) else ""


@dataclass(frozen=True)
class Mean(Layer):
    """What a reader of notebook 12 writes, with anything sent back."""

    sent: object
    kind = "mean"

    def output_shape(self, shape):
        return shape[-1:]

    def forward(self, inputs):
        return LayerResult(inputs, inputs.mean(axis=(1, 2)))

    def backpropagate(self, delta, result):
        return self.sent(delta, result) if callable(self.sent) else self.sent
