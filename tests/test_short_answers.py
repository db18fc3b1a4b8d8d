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
import sample
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
        with suppress(NameError, KeyError):  # it goes on with what was skipped
            exec(cell.source, names)


@pytest.mark.slow
@pytest.mark.parametrize("path", sample.some(NOTEBOOKS, 10, "tasks answered"), ids=lambda path: path.stem)
def test_whatever_stands_there_is_answered_in_words_and_what_the_solution_finds_is_right(path, capsys, monkeypatch):
    monkeypatch.setattr("builtins.display", lambda *shown, **more: None, raising=False)
    solutions = {cell.source: after.source for cell, after in pairwise(code(path)) if is_solution(after)}
    for source, names in ran_through(path):
        assert_what_the_solution_finds_is_right(source, solutions[source], names, capsys)
        odd = [*ODD.items()]
        if not re.search(r"exercises\.\w+\.check\(mine\)", source):  # to these anything is given in test_exercises.py
            odd += [(f"function {n}", function) for n, function in enumerate(odd_functions())]
        for name, given in odd:
            capsys.readouterr()
            said = run(source, {**names, **dict.fromkeys(READERS, given)}, given) or capsys.readouterr().out
            assert re.match(r"Not yet|Put ", said), (name, said, source)


# Questions whose solution is a text, or prints what there is to see.
IN_WORDS = {"wrong line", "suspects", "paths"}


def assert_what_the_solution_finds_is_right(source, solution, names, capsys):
    asked = re.search(r'^.*exercises\.answer\("([^"]+)", (\w+).*$', source, re.MULTILINE)
    if asked and asked[1] not in IN_WORDS:
        found = {**names}
        exec(source, found)
        exec(solution, found)
        capsys.readouterr()
        exec(asked[0], {**found, asked[2]: found.get("answer", found[asked[2]])})
        assert capsys.readouterr().out.startswith("Yes"), asked[1]


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


# What is said


def said_to(capsys, call, *given, **options):
    capsys.readouterr()
    right = call(*given, **options)
    said = capsys.readouterr().out.rstrip("\n")
    assert bool(right) == said.startswith("Yes")
    assert repr(right) == ""
    return said


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_knows_its_answer_and_each_of_its_slips(name, capsys):
    question = QUESTIONS[name]
    assert said_to(capsys, exercises.answer, name, question.right).startswith("Yes")
    for wrong, words in question.slips:
        if not callable(wrong):
            assert said_to(capsys, exercises.answer, name, wrong) == f"Not yet: {words}"
    assert said_to(capsys, exercises.answer, name, ...) == f"Put {question.asked} in the place of the dots."


def test_the_names_of_layers_that_cannot_be_are_told_apart(capsys):
    def said(*names):
        return said_to(capsys, exercises.answer, "suspects", set(names))

    assert "conv2 has its δ by then" in said("pool1", "relu2")
    assert "spoils conv1 only" in said("conv2", "relu2", "dense1")
    assert "can be right" in said("relu2", "pool2")
    assert "down to conv2's" in said("relu2", "dense1")
    assert "conv9 is none of" in said("conv9")


def test_where_only_a_function_knows_what_is_right_nothing_is_told(capsys):
    assert said_to(capsys, exercises.compare, 3, lambda given: given == 4) == "Not yet: look at it once more."


def test_a_wrong_name_of_a_question_is_said():
    with pytest.raises(ValueError, match="there is no question 'regoin'; expected one of"):
        exercises.answer("regoin", 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (4, "Yes."),
        ([4.0], "Yes."),
        (4 + 1e-12, "Yes."),
        (3, "Not yet: add the bias."),
        (5, "Not yet: it is odd."),
        (6, "Not yet: 6 is no answer."),
        ([4, 4], "Not yet: that is 2 numbers. Put a number there."),
        (None, "Not yet: None stands there. Put a number there."),
        ("4", "Not yet: that is text, between quotation marks. Put a number there."),
        (len, "Not yet: a function stands there. Put a number there."),
        (math.nan, "Not yet: an entry is NaN or infinite. Put a number there."),
    ],
)
def test_a_number_is_compared_in_words(given, said, capsys):
    slips = (3, "add the bias."), (lambda given: bool(np.all(given % 2 == 1)), "it is odd.")
    other = lambda given: f"{given[0]:g} is no answer."  # noqa: E731
    assert said_to(capsys, exercises.compare, given, 4, *slips, other=other) == said


def test_an_array_has_to_have_its_shape_and_a_function_may_say_whether_it_is_right(capsys):
    def said(given):
        options = {"other": "no.", "asked": "two rows", "shape": (2, 2)}
        return said_to(capsys, exercises.compare, given, lambda rows: rows.trace() == 3, **options)

    assert said([[1, 5], [6, 2]]) == "Yes."
    assert said([[1, 5], [6, 3]]) == "Not yet: no."
    assert said([1, 5, 6, 2]) == "Not yet: this has the shape (4,), expected (2, 2). Put two rows there."
    assert said([[1, ...], [2, 3]]) == "Put two rows in the place of the dots."


def test_a_function_is_compared_by_its_results(capsys):
    given = [{"one": np.array([1, 2])}, {"one": np.array([3, 5])}]

    def said(function):
        return said_to(capsys, exercises.compare, function, [[2, 3], [4, 6]], of=given)

    def grows(one):
        one += 1
        return one

    assert said(lambda one: one + 1) == "Yes."
    assert said(lambda one: one) == "Not yet: the entry (0, 0) should be 2, yours is 1."
    assert said(lambda one: one[:1]) == "Not yet: your result has shape (1,), expected (2,)."
    assert said(grows) == "Not yet: one has changed. Work on a copy."
    assert "Nothing came back (None)" in said(lambda one: None)
    assert "KeyError" in said(crashes)
    assert said(3) == "Not yet: a function is asked for, and a value of type int stands there."


def test_a_check_of_a_notebook_gets_arrays_of_numbers_or_is_not_called(capsys):
    def check(function):
        both = function(np.array([1, 2]))
        return "Yes." if [list(one) for one in both] == [[1, 2], [2, 4]] else "Not yet: no."

    def said(function):
        return said_to(capsys, exercises.judge, check, function, "one", many=True)

    assert said(lambda one: (one, 2 * one)) == "Yes."
    assert said(lambda one: [one.tolist(), (2 * one).tolist()]) == "Yes."
    assert said(lambda one: (one, one)) == "Not yet: no."
    assert "A value of type str" in said(lambda one: (one, "2"))
    assert said(lambda one: 3).startswith("Not yet: it stopped with TypeError")
    assert said_to(capsys, exercises.judge, lambda rate: f"Yes, {rate}", 0.5, kind=float) == "Yes, 0.5"
