"""The questions to remember: for many seeds an answer is right, known wrong ones are not, and what is typed is read."""

import re

import ipywidgets as widgets
import numpy as np
import pytest

import sample
from convbp import exercises
from convbp.exercises.remembering import NUMBERS, STATEMENTS, Question, read

SEEDS = range(sample.size(40, 10_000))


def asked(name):
    return [exercises.remember(name, seed=seed).questions[0] for seed in SEEDS]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_to_find_is_a_whole_number_with_new_numbers_each_time(name):
    questions = asked(name)
    assert len({question.text for question in questions}) > 5
    for question in questions:
        assert type(question.answer) is int
        assert question.judge(question.answer).startswith("Yes")
        assert question.judge(question.answer + 1000) == "Not yet."
        shown = re.findall(r"−?\d+", question.why)
        assert str(question.answer).replace("-", "−") in shown, question.why


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_true_for_some_seeds_and_false_for_others(name):
    questions = asked(name)
    assert {question.answer for question in questions} == {True, False}
    for question in questions:
        assert question.judge(question.answer).startswith("Yes")
        assert question.judge(not question.answer).startswith("No. ")


def test_a_slip_is_named_only_where_it_is_wrong():
    assert Question("", 3, "", {3: "a slip that is right here", 4: "one too many"}).judge(3) == "Yes. "
    assert Question("", 3, "", {4: "One too many."}).judge(4) == "Not yet. One too many."


def numbers_in(text):
    return np.array([[int(n.replace("−", "-")) for n in re.findall(r"−?\d+", line)] for line in text.splitlines()])


def arrays_in(text):
    """The arrays in a question's text."""
    return [numbers_in(block) for block in re.findall(r"(?:^ {4}.*\n?)+", text, re.MULTILINE)]


def test_answers_by_plain_loops():
    for question in asked("entry"):
        image, kernel = arrays_in(question.text)
        column = int(question.text.rstrip("?").split()[-1])
        assert question.answer == sum(image[m, column + n] * kernel[m, n] for m in range(2) for n in range(2))
    for question in asked("kernel gradient"):
        inputs, delta = arrays_in(question.text)
        column = int(question.text.rstrip("?").split()[-1])
        assert question.answer == sum(inputs[1, column + j] * delta[0, j] for j in range(2))
    for question in asked("bias gradient"):
        (delta,) = arrays_in(question.text)
        assert question.answer == sum(value for row in delta for value in row)
    for question in asked("flip"):
        (kernel,) = arrays_in(question.text)
        assert question.answer == all(kernel[m, n] == kernel[1 - m, 2 - n] for m in range(2) for n in range(3))
    for question in asked("valid size"):
        k1, rows = map(int, re.findall(r"\d+", question.text))
        assert question.answer == sum(first + k1 <= rows for first in range(rows))


def test_answers_of_the_backward_pass_by_nudging():
    """E = Σ δ·x changes by the gradient if a number grows by 1, as the layers are linear."""
    for question in asked("input gradient"):
        w0, w1, d0, d1 = numbers_in(question.text)[0]
        outputs = np.array([[w0, w1, 0], [0, w0, w1]])  # a row for each output
        assert question.answer == np.array([d0, d1]) @ (outputs @ [0, 1, 0])
    for question in asked("region"):
        k1, k2, H, W, i, j = numbers_in(question.text)[0]
        windows = [(m, n) for m in range(H - k1 + 1) for n in range(W - k2 + 1)]
        assert question.answer == sum(m <= i < m + k1 and n <= j < n + k2 for m, n in windows)
    for question in asked("through relu"):
        x, back = numbers_in(question.text)[0]
        assert question.answer == back * (max(x + 0.5, 0) - max(x - 0.5, 0))
    for question in asked("share"):
        *window, delta, at = numbers_in(question.text)[0]
        pool = max if question.text.startswith("Max") else lambda values: sum(values) / 4
        nudged = [value + (value == at) / 2 for value in window]
        assert question.answer == 2 * delta * (pool(nudged) - pool(window))
    for question in asked("strided size"):
        rows, k1, stride, padding = numbers_in(question.text)[0]
        assert question.answer == len(range(-padding, rows + padding - k1 + 1, stride))
    for question in asked("spread size"):
        rows, stride = numbers_in(question.text)[0]
        assert question.answer == len(range(0, stride * rows, stride)) + (rows - 1) * (stride - 1)


@pytest.mark.parametrize(
    ("typed", "number"), [("7", 7), (" −3 ", -3), ("-3", -3), ("− 3", -3), ("x", None), ("1.5", None)]
)
def test_what_is_typed_is_read(typed, number):
    assert read(typed) == number


def parts(remembered, kind):
    def inside(widget):
        yield widget
        for child in getattr(widget, "children", ()):
            yield from inside(child)

    return [widget for widget in inside(remembered) if isinstance(widget, kind)]


def test_an_answer_is_judged_where_it_is_given():
    remembered = exercises.remember("valid size", "depth", seed=3)
    number, statement = remembered.questions
    (place,), said = parts(remembered, widgets.Text), parts(remembered, widgets.HTML)
    place.value = "−99"
    assert "Not yet" in said[1].value
    assert number.why not in said[1].value
    place.value = "−98"
    assert number.why in said[1].value  # the second time it says how
    place.value = str(number.answer)
    assert "Yes" in said[1].value
    true, false = parts(remembered, widgets.Button)
    (false if statement.answer else true).click()
    assert "No." in said[3].value
    (true if statement.answer else false).click()
    assert "Yes." in said[3].value


def test_a_seed_asks_the_same_again_and_none_asks_anew():
    assert exercises.remember("entry", seed=5).questions == exercises.remember("entry", seed=5).questions
    assert len({exercises.remember("entry").questions[0].text for _ in range(5)}) > 1
    remembered = exercises.remember("entry", "flip")
    assert exercises.remember("entry", "flip", seed=remembered.seed).questions == remembered.questions


def test_what_is_saved_does_not_depend_on_the_numbers():
    texts = {exercises.remember("entry", "flip")._repr_mimebundle_()["text/plain"] for _ in range(3)}
    assert texts == {"Remember: 2 questions, with new numbers each time. Run the cell to be asked."}


def test_a_question_that_is_not_there_is_answered_with_the_list():
    with pytest.raises(ValueError, match="no question 'size'; expected some of slope, entry, valid size"):
        exercises.remember("size")
