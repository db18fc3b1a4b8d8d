"""Two questions on earlier notebooks, with new numbers each time, that check themselves.

A question is a function of a random generator, in `NUMBERS` or in `STATEMENTS` by its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.convolution import convolve, cross_correlate, rot180
from convbp.notation import number


@dataclass(frozen=True)
class Question:
    """A question: a number to find, or a statement to decide; why it is so; and what known wrong numbers mean."""

    text: str
    answer: int | bool
    why: str
    slips: Mapping[int, str] = field(default_factory=dict)

    def judge(self, given: int | bool | None) -> str:
        """What is said to an answer; None stands for what could not be read as a whole number."""
        if given is None:
            return "Expected a whole number, such as −3."
        if given == self.answer:
            return f"Yes. {self.why}"
        if isinstance(self.answer, bool):
            return f"No. {self.why}"
        return f"Not yet. {self.slips[given]}" if given in self.slips else "Not yet."


class Remember(widgets.VBox):
    """Questions that were asked with one seed, and places for the answers.

    Attributes
    ----------
    questions : tuple of Question
    seed : int
        Asks the same again.
    """

    def __init__(self, questions: tuple[Question, ...], seed: int):
        self.questions, self.seed = questions, seed
        super().__init__([part for n, one in enumerate(questions, 1) for part in _asked(n, one)])

    def __repr__(self) -> str:
        return f"Remember: {len(self.questions)} questions, with new numbers each time. Run the cell to be asked."

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        live: Any = super()._repr_mimebundle_(**kwargs)
        return {**live, "text/plain": repr(self)}


def remember(*names: str, seed: int | None = None) -> Remember:
    """Ask questions on earlier notebooks, each with new numbers.

    Parameters
    ----------
    *names : str
        Which questions, such as "valid size"; a name that is not known is answered with the list.
    seed : int, optional
        Asks the same again, to all of a class for instance. Without one it is another each time.

    Returns
    -------
    Remember
        In a notebook, the questions with places for the answers.

    Raises
    ------
    ValueError
        If there is no such question.
    """
    known = {**NUMBERS, **STATEMENTS}
    for name in names:
        if name not in known:
            raise ValueError(f"remember: there is no question {name!r}; expected some of {', '.join(known)}.")
    if seed is None:
        seed = int(np.random.default_rng().integers(10**6))
    rng = np.random.default_rng(seed)
    return Remember(tuple(known[name](rng) for name in names), seed)


def read(typed: str) -> int | None:
    """The whole number that was typed, or None."""
    try:
        return int(typed.replace("−", "-").replace(" ", ""))
    except ValueError:
        return None


def _asked(n: int, question: Question) -> tuple[widgets.Widget, ...]:
    """The question, the place for its answer, and what is said to that."""
    text = widgets.HTML(f'<div style="white-space: pre-wrap"><b>{n}.</b> {escape(question.text)}</div>')
    said = widgets.HTML()

    wrong: list[bool] = []

    def say(given: int | bool | None) -> None:
        judged = question.judge(given)
        wrong.append(judged.startswith("Not yet"))
        if wrong[-1] and sum(wrong) > 1:  # the second time it says how
            judged = f"{judged} {question.why}"
        said.value = f'<div role="status">{escape(judged)}</div>'

    if isinstance(question.answer, bool):
        choices = [widgets.Button(description=word) for word in ("True", "False")]
        for choice, decided in zip(choices, (True, False), strict=True):
            choice.on_click(lambda _, decided=decided: say(decided))
        return text, widgets.HBox(choices), said
    place = widgets.Text(
        description=f"Answer {n}:",
        placeholder="a number, then Enter",
        continuous_update=False,
        layout={"width": "270px"},
    )
    place.observe(lambda change: say(read(change["new"])) if change["new"].strip() else None, "value")
    return text, place, said


def _rows(array: np.ndarray) -> str:
    """An array, a line for each row."""
    written = [[number(value) for value in row] for row in array]
    width = max(len(entry) for row in written for entry in row)
    return "\n".join("    " + "  ".join(entry.rjust(width, "\u2007") for entry in row) for row in written)


def _small(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Small whole numbers, none of them 0."""
    return rng.integers(1, 5, shape) * rng.choice([-1, 1, 1], shape)


def _sum(factors: list[tuple[int, int]]) -> str:
    """A sum of products, written out."""
    products = " + ".join(f"{number(a)}·{number(b) if b >= 0 else f'({number(b)})'}" for a, b in factors)
    return f"{products} = {number(sum(a * b for a, b in factors))}"


# Numbers to find


def slope(rng: np.random.Generator) -> Question:
    """What a nudge says (00)."""
    before, change = int(rng.integers(10, 30)), int(rng.choice([-3, -2, 2, 3]))
    return Question(
        f"A weight grows by 2, and the error E goes from {before} to {before + 2 * change}. "
        "How much is that for each 1 by which the weight grows?",
        change,
        f"({before + 2 * change} − {before}) / 2 = {number(change)}.",
        {2 * change: "The weight grew by 2.", -change: "Mind the sign: after minus before."},
    )


def entry(rng: np.random.Generator) -> Question:
    """One entry of a cross-correlation (01)."""
    image, kernel = _small(rng, 2, 4), _small(rng, 2, 2)
    i, j = 0, int(rng.integers(1, 3))
    window = image[:, j : j + 2]
    turned = int((window * rot180(kernel)).sum())
    right = int((window * kernel).sum())
    first = int((image[:, :2] * kernel).sum())
    return Question(
        f"The image is\n{_rows(image)}\nand the kernel\n{_rows(kernel)}\nWhat is (I ⊗ K) in row {i}, column {j}?",
        right,
        _sum([(int(a), int(b)) for a, b in zip(window.ravel(), kernel.ravel(), strict=True)]) + ".",
        {turned: "You turned the kernel.", first: "That is column 0."},
    )


def valid_size(rng: np.random.Generator) -> Question:
    """Rows of a valid result (01)."""
    rows, k1 = int(rng.integers(9, 33)), int(rng.integers(2, 8))
    return Question(
        f"A kernel with {k1} rows slides inside an image with {rows} rows. How many rows has the result?",
        rows - k1 + 1,
        f"{rows} − {k1} + 1 = {rows - k1 + 1}.",
        {
            rows - k1: "Count the places: in an image as large as the kernel there is one.",
            rows + k1 - 1: "That is the full result. Here the kernel stays inside.",
        },
    )


def full_size(rng: np.random.Generator) -> Question:
    """Rows of a full result (02)."""
    rows, k1 = int(rng.integers(4, 30)), int(rng.integers(2, 8))
    return Question(
        f"An image with {rows} rows, a kernel with {k1}, and the mode full. How many rows has the result?",
        rows + k1 - 1,
        f"{rows} + {k1} − 1 = {rows + k1 - 1}: the kernel may hang over the border.",
        {rows - k1 + 1: "That is valid. In full the kernel has to touch the image only."},
    )


def polynomials(rng: np.random.Generator) -> Question:
    """A coefficient of a product, which is an entry of a full convolution (02)."""
    a, b = rng.integers(1, 6, 2), rng.integers(1, 6, 2)
    right = int(convolve([a], [b], mode="full")[0, 1])
    return Question(
        f"({a[0]} + {a[1]}z)·({b[0]} + {b[1]}z): how many z has the product?",
        right,
        f"{_sum([(int(a[0]), int(b[1])), (int(a[1]), int(b[0]))])}.",
        {int(a[1] * b[1]): "That is the number of z².", int(a[0] * b[1]): "There is a second way to get z."},
    )


def parameters(rng: np.random.Generator) -> Question:
    """Parameters of a layer (03)."""
    k, C, D = (int(n) for n in (rng.integers(2, 5), rng.integers(2, 5), rng.integers(3, 7)))
    weights = k * k * C * D
    return Question(
        f"A convolutional layer reads {C} channels with {D} filters of {k} × {k}. How many parameters has it?",
        weights + D,
        f"({k}·{k}·{C} + 1)·{D} = {weights + D}.",
        {
            weights: "Each filter has a bias, too.",
            weights + 1: "Each filter has a bias of its own.",
            (k * k + 1) * D: "Each filter is as deep as what it reads.",
        },
    )


def receptive_field(rng: np.random.Generator) -> Question:
    """Rows that an output sees through several layers (04)."""
    kernels = [int(k) for k in rng.choice([2, 3, 5], 3)]
    right = 1 + sum(k - 1 for k in kernels)
    return Question(
        f"Three layers, with kernels of {kernels[0]}, {kernels[1]} and {kernels[2]} rows. "
        "How many rows of the image does an output of the last layer see?",
        right,
        f"1 + {' + '.join(str(k - 1) for k in kernels)} = {right}.",
        {
            sum(kernels): "The windows overlap: each layer adds one less than its kernel has rows.",
            right - 1: "Begin with 1.",
        },
    )


def pre_activation(rng: np.random.Generator) -> Question:
    """A sum, a bias and relu (04)."""
    pixels, weights = _small(rng, 3), _small(rng, 3)
    bias = int(rng.integers(-4, 5))
    x = int(pixels @ weights) + bias
    return Question(
        f"A window holds {', '.join(map(number, pixels))}, the weights on it are {', '.join(map(number, weights))}, "
        f"the bias is {number(bias)}, and f is relu. What comes out?",
        max(x, 0),
        f"x = {number(x)}, and relu of it is {max(x, 0)}.",
        {x: "That is x. relu gives nothing below 0."} if x < 0 else {x - bias: "The bias is missing."},
    )


def output_slope(rng: np.random.Generator) -> Question:
    """The first δ of all (05)."""
    y, t = (int(n) for n in rng.choice(np.arange(-5, 8), 2, replace=False))
    return Question(
        f"E = ½ Σ (t − y)². An output is y = {number(y)}, and its target t = {number(t)}. What is ∂E/∂y?",
        y - t,
        f"y − t = {number(y)} − {number(t) if t >= 0 else f'({number(t)})'} = {number(y - t)}.",
        {t - y: "The sign: when y is too large, E grows with y."},
    )


def nudge(rng: np.random.Generator) -> Question:
    """A central difference (05)."""
    change, middle = int(rng.choice([-4, -3, 3, 4])), int(rng.integers(12, 20))
    up, down = middle + change + 1, middle - change + 1
    return Question(
        f"E is {down} when a weight is 1 lower, {middle} as it is, and {up} when it is 1 higher. "
        "What is its central difference?",
        change,
        f"({up} − {down}) / 2 = {number(change)}.",
        {change + 1: "That is the one-sided difference.", 2 * change: "The two lie 2 apart."},
    )


def paths(rng: np.random.Generator) -> Question:
    """Along a path multiply, over all paths add (05)."""
    a, b, c, d = (int(n) for n in _small(rng, 4))
    return Question(
        f"A weight acts on E by two paths. The derivatives along the first are {number(a)} and {number(b)}, "
        f"along the second {number(c)} and {number(d)}. What is ∂E/∂w?",
        a * b + c * d,
        _sum([(a, b), (c, d)]) + ": along a path multiply, over all paths add.",
        {
            a + b + c + d: "Along a path one multiplies.",
            a * b * c * d: "Over the paths one adds.",
            a * b: "And the second?",
        },
    )


def kernel_gradient(rng: np.random.Generator) -> Question:
    """One entry of the kernel gradient (06)."""
    inputs, delta = _small(rng, 2, 3), _small(rng, 1, 2)
    m, n = 1, int(rng.integers(0, 2))
    right = cross_correlate(inputs, delta)
    return Question(
        f"The input is\n{_rows(inputs)}\nthe kernel has 2 rows and 2 columns, and δ is\n{_rows(delta)}\n"
        f"What is ∂E/∂w of the weight in row {m}, column {n}?",
        int(right[m, n]),
        _sum([(int(a), int(b)) for a, b in zip(inputs[m, n : n + 2], delta[0], strict=True)])
        + ": each δ times the pixel that the weight met there.",
        {
            int(cross_correlate(inputs, rot180(delta))[m, n]): "δ lies on the input as it is, not turned.",
            int(right[0, n]): "That is row 0.",
        },
    )


def bias_gradient(rng: np.random.Generator) -> Question:
    """The bias gradient (06)."""
    delta = _small(rng, 2, 3)
    return Question(
        f"A filter's δ is\n{_rows(delta)}\nWhat is ∂E/∂b of its bias?",
        int(delta.sum()),
        f"The bias is added at each place, so it is the sum of all δ: {number(int(delta.sum()))}.",
        {1: "One bias, but it acts on each of the outputs."} if delta.sum() != 1 else {},
    )


def region(rng: np.random.Generator) -> Question:
    """How many outputs a pixel reaches (07)."""
    k1, k2 = (int(n) for n in rng.choice([2, 3, 4], 2, replace=False))
    i, rows = int(rng.integers(k1)), 9
    reached = (i + 1) * k2
    return Question(
        f"A kernel of {k1} × {k2} slides over an image of {rows} × {rows}. "
        f"How many outputs does the pixel ({i}, 4) reach?",
        reached,
        f"Rows {max(i - k1 + 1, 0)} to {i} and columns {4 - k2 + 1} to 4 of the output: {i + 1}·{k2} = {reached}.",
        {k1 * k2: "It is near the upper border: is there an output for each of the weights?"} if i < k1 - 1 else {},
    )


def input_gradient(rng: np.random.Generator) -> Question:
    """What comes back to one pixel (08)."""
    (d0, d1), (w0, w1) = (tuple(int(n) for n in _small(rng, 2)) for _ in range(2))
    right = d0 * w1 + d1 * w0
    return Question(
        f"A row of three pixels, the kernel ({number(w0)}, {number(w1)}), and δ = ({number(d0)}, {number(d1)}). "
        "What is ∂E/∂o of the pixel in the middle?",
        right,
        f"{_sum([(d0, w1), (d1, w0)])}: the first output read it with its second weight.",
        {
            d0 * w0 + d1 * w1: "Which weight did the first output read it with?",
            d0 * w1: "A second output reads it, too.",
            d1 * w0: "A second output reads it, too.",
        },
    )


def through_relu(rng: np.random.Generator) -> Question:
    """Through an activation (08)."""
    x, back = (int(n) for n in _small(rng, 2) * rng.integers(1, 4, 2))
    x = x if rng.integers(2) else -abs(x)
    return Question(
        f"A pixel has x = {number(x)}, then comes relu. ∂E/∂o = {number(back)} has come back to it. What is its δ?",
        back if x > 0 else 0,
        f"f′({number(x)}) = {int(x > 0)}, and δ is {number(back)} times that.",
        {back * x: "It is multiplied by the slope of relu, not by x."}
        | ({back: "Where x is below 0, relu is flat."} if x < 0 else {}),
    )


def share(rng: np.random.Generator) -> Question:
    """Through a pooling (09)."""
    window = rng.permutation(np.arange(1, 10))[:4]
    quarter, n, by_max = int(rng.integers(2, 9)), int(rng.integers(4)), bool(rng.integers(2))
    wins = int(window[n]) == int(window.max())
    if by_max:
        right, why = 4 * quarter * wins, f"It is {'' if wins else 'not '}the largest, and the largest gets all."
    else:
        right, why = quarter, f"Each of the four gets a quarter: {quarter}."
    return Question(
        f"{'Max' if by_max else 'Average'} pooling of a window with {', '.join(map(str, window))}, "
        f"and δ = {4 * quarter}. What goes back to the {window[n]}?",
        right,
        f"{why} That makes {right}.",
        {4 * quarter * int(window[n]): "Its value is not multiplied."},
    )


def strided_size(rng: np.random.Generator) -> Question:
    """Rows of an output with stride and padding (10)."""
    rows, k1, s, p = int(rng.integers(8, 20)), int(rng.integers(2, 5)), int(rng.integers(2, 4)), int(rng.integers(3))
    right = (rows + 2 * p - k1) // s + 1
    return Question(
        f"{rows} rows, a kernel with {k1}, stride {s}, padding {p}. How many rows has the output?",
        right,
        f"⌊({rows} + 2·{p} − {k1}) / {s}⌋ + 1 = {right}.",
        {right - 1: "The first place counts, too.", (rows + p - k1) // s + 1: "Padding is on both sides."},
    )


def spread_size(rng: np.random.Generator) -> Question:
    """Rows of a δ with zeros between (10)."""
    rows, s = int(rng.integers(3, 9)), int(rng.integers(2, 5))
    right = s * (rows - 1) + 1
    return Question(
        f"δ has {rows} rows, the stride was {s}. How many rows has δ with the zeros between?",
        right,
        f"{rows} rows and {rows - 1} gaps of {s - 1}: {right}.",
        {s * rows: "Zeros stand between the rows only.", rows + s - 1: "There are zeros in each gap."},
    )


def pairs(rng: np.random.Generator) -> Question:
    """Convolutions in the backward pass of a layer (11)."""
    C, D = (int(n) for n in rng.choice(np.arange(2, 8), 2, replace=False))
    return Question(
        f"A layer has {C} channels and {D} filters. "
        "How many maps of δ have a part in the gradient of ONE input channel?",
        D,
        f"Each filter has a slice for this channel, so all {D}.",
        {
            C: "These are the channels.",
            C * D: "That is for all channels together.",
            1: "Each filter reads this channel.",
        },
    )


def softmax_delta(rng: np.random.Generator) -> Question:
    """δ of softmax and cross-entropy (13)."""
    percent = int(rng.integers(1, 20)) * 5
    return Question(
        f"A network gives the right digit {percent} %. What is δ at this digit's score, in hundredths?",
        percent - 100,
        f"p minus 1: {percent} − 100 = {number(percent - 100)}.",
        {percent: "At the label, 1 is taken away.", 100 - percent: "The sign: what is, minus what should be."},
    )


# Statements to decide


def _either(rng: np.random.Generator, right: str, wrong: str, why: str) -> Question:
    """A right or a wrong statement, by chance."""
    is_right = bool(rng.integers(2))
    return Question(right if is_right else wrong, is_right, why)


def which_way(rng: np.random.Generator) -> Question:
    """Against the gradient (00)."""
    change = int(rng.choice([-3, -2, 2, 3]))
    way, other = ("up", "down") if change < 0 else ("down", "up")
    said = f"E changes by {number(change)} for each 1 by which a weight grows. To make E smaller, move the weight"
    why = f"E {'falls' if change < 0 else 'grows'} when the weight grows, so move it {way}."
    return _either(rng, f"{said} {way}.", f"{said} {other}.", why)


def one_weight(rng: np.random.Generator) -> Question:
    """What one entry of a kernel does to the result (01)."""
    return _either(
        rng,
        "If one entry of the kernel grows by 1, each output grows by the pixel that lies under that entry.",
        "If one entry of the kernel grows by 1, each output grows by 1.",
        "The entry is multiplied by the pixel under it, at each place by another one.",
    )


def flip(rng: np.random.Generator) -> Question:
    """For which kernels the turn makes no difference (02)."""
    kernel = _small(rng, 2, 3)
    kernel[1] = [kernel[0], kernel[0, ::-1]][int(rng.integers(2))]
    same = np.array_equal(kernel, rot180(kernel))
    return Question(
        f"With the kernel\n{_rows(kernel)}\nconvolution and cross-correlation give the same.",
        same,
        f"Turned by 180° it is{' the same' if same else ' another one: upside down, and then left to right'}.",
    )


def depth(rng: np.random.Generator) -> Question:
    """How deep a layer's output is (03)."""
    C, D = (int(n) for n in rng.choice(np.arange(2, 9), 2, replace=False))
    return _either(
        rng,
        f"A layer reads {C} channels with {D} filters. What comes out has {D} channels.",
        f"A layer reads {C} channels with {D} filters. What comes out has {C * D} channels.",
        f"Each filter adds up over all {C} channels and makes one map: {D} maps.",
    )


def without_f(rng: np.random.Generator) -> Question:
    """Why there has to be an activation (04)."""
    layers = int(rng.integers(2, 9))
    return _either(
        rng,
        f"{layers} convolutional layers without an activation compute what one layer with a larger kernel can.",
        f"{layers} convolutional layers without an activation compute more than any one layer can.",
        "Without f the layers merge into one, whose kernel is their full convolution.",
    )


def new_weights(rng: np.random.Generator) -> Question:
    """The gradient is not the new weight (06)."""
    return _either(
        rng,
        "The new weight is w − η·∂E/∂w.",
        "The new weight is ∂E/∂w.",
        "The gradient says how E changes with w; the step is a small part of it, against it.",
    )


def turned_delta(rng: np.random.Generator) -> Question:
    """Nothing is turned in the kernel gradient (06)."""
    return _either(
        rng,
        "The forward pass is a cross-correlation. Then ∂E/∂w is o ⊗ δ, and nothing is turned.",
        "The forward pass is a cross-correlation. Then ∂E/∂w is o ⊗ rot180(δ).",
        "Each δ meets the pixels that its own output was made of, in the same order.",
    )


def valid_or_full(rng: np.random.Generator) -> Question:
    """Valid for the weights, full for the pixels (07)."""
    kernel = bool(rng.integers(2))
    what, right, wrong = ("kernel", "valid", "full") if kernel else ("input", "full", "valid")
    why = "It has to come out as small as the kernel." if kernel else "It has to come out as large as the input."
    said = f"The gradient of the {what} is a sum that slides; its mode is"
    return _either(rng, f"{said} {right}.", f"{said} {wrong}.", why)


def one_flip(rng: np.random.Generator) -> Question:
    """One flip in one of the two passes (08)."""
    forward = str(rng.choice(["⊗ w, without a flip", "∗ w, with a flip"]))
    turned = "without" in forward
    return Question(
        f"The forward pass is o {forward}. Going back, the turned kernel is laid on δ.",
        turned,
        "One flip, in one of the two passes: " + ("so this one has it." if turned else "the other one has it already."),
    )


def route(rng: np.random.Generator) -> Question:
    """What max pooling does to δ (09)."""
    return _either(
        rng,
        "Max pooling hands δ to the winner as it is.",
        "Max pooling hands δ to the winner, times the winner's value.",
        "y is the winner itself, so ∂y/∂o = 1 there.",
    )


def stride_back(rng: np.random.Generator) -> Question:
    """With which stride one goes back (10)."""
    s = int(rng.integers(2, 5))
    said = f"A layer has stride {s}. Going back, δ gets zeros between its rows and columns, and the kernel moves by"
    return _either(rng, f"{said} 1.", f"{said} {s}.", "Each pixel of the input needs its number.")


def summed_over(rng: np.random.Generator) -> Question:
    """Channels forward, filters back (11)."""
    way, right, wrong = [("Forward", "channels", "filters"), ("Back to the input", "filters", "channels")][
        int(rng.integers(2))
    ]
    said = f"{way}, a convolutional layer adds up over its"
    why = "A sum runs over whatever lies at the far end of the paths."
    return _either(rng, f"{said} {right}.", f"{said} {wrong}.", why)


def where_it_shows(rng: np.random.Generator) -> Question:
    """Which gradients a wrong step spoils (12)."""
    return _either(
        rng,
        "conv2 sends δ back by a wrong rule. Its own kernel gradient is right all the same.",
        "conv2 sends δ back by a wrong rule. So its own kernel gradient is wrong.",
        "Its own gradient is made of the δ that arrived. What lies below gets the wrong one.",
    )


def chosen_by(rng: np.random.Generator) -> Question:
    """What a test is good for (13)."""
    return _either(
        rng,
        "Of ten learning rates you take the one that is best on some images. These images are no honest test any more.",
        "Of ten learning rates you take the one that is best on the test images. The test is as honest as before.",
        "The luckiest of many tries wins. What one chooses by is called validation.",
    )


def _named(
    *questions: Callable[[np.random.Generator], Question],
) -> dict[str, Callable[[np.random.Generator], Question]]:
    return {question.__name__.replace("_", " "): question for question in questions}


NUMBERS = _named(
    *(slope, entry, valid_size, full_size, polynomials, parameters, receptive_field, pre_activation),
    *(output_slope, nudge, paths, kernel_gradient, bias_gradient),
    *(region, input_gradient, through_relu, share, strided_size, spread_size, pairs, softmax_delta),
)
STATEMENTS = _named(
    *(which_way, one_weight, flip, depth, without_f, new_weights, turned_delta),
    *(valid_or_full, one_flip, route, stride_back, summed_over, where_it_shows, chosen_by),
)
