"""The questions to remember: for many seeds an answer is right, known wrong ones are not, and what is typed is read."""

import re
from functools import cache

import ipywidgets as widgets
import numpy as np
import pytest

import sample
from convbp import central_difference, exercises, loops
from convbp.exercises.remembering import NUMBERS, STATEMENTS, Question, read

SEEDS = range(sample.size(40, 10_000))


@cache
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


# Every question once more, from nothing but its text: the answer, and the wrong numbers whose slip is named.


def numbers(text):
    return [int(n) for n in numbers_in(text.replace("\n", " "))[0]]


def nudged(error, at):
    """The slope of a quadratic error, by a central difference."""
    return (error(at + 1) - error(at - 1)) / 2


def of_slope(text):
    two, before, after, _ = numbers(text)
    assert two == 2
    changed = after - before
    return changed / 2, {"The weight grew by 2.": [changed], "Mind the sign: after minus before.": [-changed / 2]}


def of_entry(text):
    image, kernel = arrays_in(text)
    column = numbers(text)[-1]
    sums = loops.cross_correlate(image, kernel)[0]
    turned = loops.cross_correlate(image, kernel[::-1, ::-1])[0]
    return sums[column], {"You turned the kernel.": [turned[column]], "That is column 0.": [sums[0]]}


def places(rows, k1, over, step=1):
    """How many places a kernel has that hangs over the border by at most so many rows."""
    return len(range(-over, rows + over - k1 + 1, step))


def of_valid_size(text):
    k1, rows = numbers(text)
    assert 2 <= k1 < rows  # with one row nothing would be lost at the border
    return places(rows, k1, 0), {
        "Count the places: in an image as large as the kernel there is one.": [places(rows, k1, 0) - places(k1, k1, 0)],
        "That is the full result. Here the kernel stays inside.": [places(rows, k1, k1 - 1)],
    }


def of_full_size(text):
    rows, k1 = numbers(text)
    valid = "That is valid. In full the kernel has to touch the image only."
    return places(rows, k1, k1 - 1), {valid: [places(rows + k1, k1, 0) - k1]}  # below 0 if the kernel is the larger


def of_polynomials(text):
    a, b, c, d = numbers(text)

    def product(z):
        return (a + b * z) * (c + d * z)

    squared = (product(1) + product(-1)) / 2 - product(0)
    once = nudged(product, 0)
    return once, {"That is the number of z².": [squared], "There is a second way to get z.": [once - b * c]}


def of_parameters(text):
    C, D, k, _ = numbers(text)
    weights, flat = np.zeros((k, k, C, D)).size, np.zeros((k, k, D)).size
    return weights + D, {
        "Each filter has a bias, too.": [weights],
        "Each filter has a bias of its own.": [weights + 1],
        "Each filter is as deep as what it reads.": [flat + D],
    }


def of_receptive_field(text):
    kernels, seen = numbers(text), {0}
    for k in kernels:
        seen = {row + m for row in seen for m in range(k)}
    overlap = "The windows overlap: each layer adds one less than its kernel has rows."
    return len(seen), {overlap: [sum(kernels)], "Begin with 1.": [len(seen - {0})]}


def of_pre_activation(text):
    *window, bias = numbers(text)
    x = sum(pixel * weight for pixel, weight in zip(window[:3], window[3:], strict=True)) + bias
    if x < 0:
        return 0, {"That is x. relu gives nothing below 0.": [x]}
    return x, {"The bias is missing.": [x - bias]}


def of_output_slope(text):
    y, target = numbers(text)
    slope = nudged(lambda y: (target - y) ** 2 / 2, y)
    return slope, {"The sign: when y is too large, E grows with y.": [-slope]}


def of_nudge(text):
    lower, _, here, higher, _ = numbers(text)
    both = higher - lower
    return both / 2, {"That is the one-sided difference.": [higher - here], "The two lie 2 apart.": [both]}


def of_paths(text):
    a, b, c, d = numbers(text)
    return nudged(lambda w: w * a * b + w * c * d, 0), {
        "Along a path one multiplies.": [a + b + c + d],
        "Over the paths one adds.": [a * b * c * d],
        "And the second?": [a * b],
    }


def of_kernel_gradient(text):
    inputs, delta = arrays_in(text)
    row, column = numbers(text)[-2:]
    turned = loops.cross_correlate(inputs, delta[:, ::-1])
    error = central_difference(
        lambda kernel: np.sum(delta * loops.cross_correlate(inputs.astype(float), kernel)), np.zeros((2, 2))
    ).round()
    not_turned = "δ lies on the input as it is, not turned."
    return error[row, column], {not_turned: [turned[row, column]], "That is row 0.": [error[0, column]]}


def of_bias_gradient(text):
    (delta,) = arrays_in(text)
    slope = nudged(lambda bias: np.sum(delta * (7 + bias)), 0)
    return slope, {"One bias, but it acts on each of the outputs.": [1]}


def of_region(text):
    k1, k2, H, W, i, j = numbers(text)
    windows = [(m, n) for m in range(H - k1 + 1) for n in range(W - k2 + 1)]
    border = "It is near the upper border: is there an output for each of the weights?"
    reached = sum(m <= i < m + k1 and n <= j < n + k2 for m, n in windows)
    return reached, {border: [k1 * k2]}


def of_input_gradient(text):
    w0, w1, d0, d1 = numbers(text)
    first, second = d0 * w1, d1 * w0
    return nudged(lambda pixel: d0 * (w1 * pixel) + d1 * (w0 * pixel), 0), {
        "Which weight did the first output read it with?": [d0 * w0 + d1 * w1],
        "A second output reads it, too.": [first, second],
    }


def of_through_relu(text):
    x, back = numbers(text)
    slips = {"It is multiplied by the slope of relu, not by x.": [back * x]}
    if x < 0:
        slips["Where x is below 0, relu is flat."] = [back]
    return back * (max(x + 0.5, 0) - max(x - 0.5, 0)), slips


def of_share(text):
    *window, delta, at = numbers(text)
    share = delta * (at == max(window) if text.startswith("Max") else 0.25)
    return share, {"Its value is not multiplied.": [delta * at]}


def of_strided_size(text):
    rows, k1, stride, padding = numbers(text)
    right = places(rows, k1, padding, stride)
    one_side = len(range(0, rows + padding - k1 + 1, stride))
    return right, {"The first place counts, too.": [right - 1], "Padding is on both sides.": [one_side]}


def of_spread_size(text):
    rows, stride = numbers(text)
    row = "".join(["δ", *["0" * (stride - 1) + "δ"] * (rows - 1)])
    one_each = "".join(["δ"] * rows + ["0"] * (stride - 1))
    after_each = "".join(["δ" + "0" * (stride - 1)] * rows)
    return len(row), {
        "Zeros stand between the rows only.": [len(after_each)],
        "There are zeros in each gap.": [len(one_each)],
    }


def of_pairs(text):
    C, D = numbers(text)
    kernel, maps = np.ones((1, 1, C, D)), np.eye(D)[:, None, None, :]
    reached = [loops.conv2d_input_gradient(one[None], kernel, (1, 1))[0, 0, 0, 0] for one in maps]
    return sum(reached), {
        "These are the channels.": [C],
        "That is for all channels together.": [C * D],
        "Each filter reads this channel.": [1],
    }


def of_softmax_delta(text):
    (percent,) = numbers(text)
    scores = np.log([percent / 100, 1 - percent / 100])
    slope = central_difference(lambda s: np.log(np.exp(s).sum()) - s[0], scores)[0]
    return round(100 * slope), {
        "At the label, 1 is taken away.": [percent],
        "The sign: what is, minus what should be.": [-round(100 * slope)],
    }


@pytest.mark.parametrize("name", NUMBERS)
def test_the_answer_and_each_slip_follow_from_the_text(name):
    by_hand = globals()[f"of_{name.replace(' ', '_')}"]
    offered, named = set(), set()
    for question in asked(name):
        right, slips = by_hand(question.text)
        assert question.answer == right, question.text
        known = {wrong: f"Not yet. {said}" for said, some in slips.items() for wrong in some if wrong != right}
        assert {wrong for wrong in question.slips if wrong != right} == set(known), question.text
        offered |= {f"Not yet. {said}" for said, some in slips.items() if set(some) - {right}}
        for wrong in known:
            said = question.judge(int(wrong))
            assert any(said == f"Not yet. {one}" and wrong in some for one, some in slips.items()), question.text
            named.add(said)
    assert named == offered


A_LAYER = np.arange(30).reshape(5, 6) % 7, np.array([[2, 0, 5], [1, 3, 4]]), np.arange(16).reshape(4, 4) % 5 - 2


def _of_one_weight(text):
    image, kernel, _ = A_LAYER
    grown = np.add(kernel, [[0, 0, 0], [0, 1, 0]])
    by = loops.cross_correlate(image, grown) - loops.cross_correlate(image, kernel)
    return np.array_equal(by, np.ones((4, 4)) if text.endswith(" by 1.") else image[1:, 1:5])


def _of_depth(text):
    C, D, said = numbers(text)
    return loops.conv2d(np.ones((1, 3, 4, C)), np.ones((2, 2, C, D))).shape[-1] == said


def _of_turned_delta(text):
    image, kernel, delta = A_LAYER
    gradient = central_difference(lambda w: np.sum(delta * loops.cross_correlate(image * 1.0, w)), kernel * 1.0)
    other = delta[::-1, ::-1] if text.endswith(" o ⊗ rot180(δ).") else delta
    return np.array_equal(gradient.round(), loops.cross_correlate(image, other))


def _of_valid_or_full(text):
    image, kernel, delta = A_LAYER
    slides = (image, delta) if "of the kernel" in text else (delta, kernel)
    sought = kernel if "of the kernel" in text else image
    mode = text.rstrip(".").split()[-1]
    return loops.convolve(*slides, mode).shape == sought.shape


def _of_one_flip(text):
    image, kernel, delta = A_LAYER
    forward = loops.convolve if "∗ w, with a flip" in text else loops.cross_correlate
    gradient = central_difference(lambda o: np.sum(delta * forward(o, kernel)), image * 1.0).round()
    return np.array_equal(gradient, loops.cross_correlate(np.pad(delta, ((1, 1), (2, 2))), kernel[::-1, ::-1]))


def _of_without_f(text):
    image, kernel, other = A_LAYER
    two = loops.cross_correlate(loops.cross_correlate(image, kernel), other[:2, :3])
    one = loops.cross_correlate(image, loops.convolve(kernel, other[:2, :3], "full"))
    return np.array_equal(one, two) == text.endswith("compute what one layer with a larger kernel can.")


def _of_route(text):
    window, delta = np.array([3.0, 8, 5]), 6
    slope = central_difference(lambda o: delta * np.max(o), window).round()
    return np.array_equal(slope, [0, delta * 8 if text.endswith("times the winner's value.") else delta, 0])


TRUE = {
    "which way": lambda text: (numbers(text)[0] < 0) == text.endswith(" up."),
    "one weight": _of_one_weight,
    "flip": lambda text: np.array_equal(*(lambda k: (k, k[::-1, ::-1]))(arrays_in(text)[0])),
    "depth": _of_depth,
    "without f": _of_without_f,
    "new weights": lambda text: text.endswith(" w − η·∂E/∂w."),
    "turned delta": _of_turned_delta,
    "valid or full": _of_valid_or_full,
    "one flip": _of_one_flip,
    "route": _of_route,
    "stride back": lambda text: text.endswith(" the kernel moves by 1."),
    "summed over": lambda text: text.split()[0] + text.split()[-1] in ("Forward,channels.", "Backfilters."),
    "where it shows": lambda text: text.endswith(" is right all the same."),
    "chosen by": lambda text: text.endswith(" no honest test any more."),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_true_if_what_it_says_is_so(name):
    for text, answer in {(question.text, question.answer) for question in asked(name)}:
        assert answer == TRUE[name](text), text


def test_the_reason_says_which_way():
    for question in asked("which way"):
        grows = numbers(question.text)[0] > 0
        assert (
            question.why
            == f"E {'grows' if grows else 'falls'} when the weight grows, so move it {'down' if grows else 'up'}."
        )
    for question in asked("flip"):
        assert question.why.startswith("Turned by 180° it is the same") == question.answer


@pytest.mark.parametrize("name", [*NUMBERS, *STATEMENTS])
def test_what_is_said_stands_in_sentences(name):
    for question in asked(name)[:10]:
        for said in (question.text, question.why, *question.slips.values()):
            assert re.match(r"[A-Z\d(⌊½−]|([δfpxy]|conv2)\b", said), said
            assert said.endswith((".", "?")), said
            assert set(re.findall(r"\b[A-ZΑ-Ω]{2,}\b", said)) <= {"ONE"}, said
