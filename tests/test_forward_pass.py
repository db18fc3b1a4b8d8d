"""ForwardPass's scene against Eq. 6 to 8 read literally: receptive field, products, bias and activation."""

import math
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from convbp import loops
from convbp.explorers import ForwardPass
from convbp.explorers.forward_pass import State, scene
from convbp.explorers.states.fields import ACTIVATIONS
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import grid_of, random_array, random_layer, uncovered

# Each function beside its slope, from the textbook.
FUNCTIONS = {
    "identity": (lambda x: x, lambda x: 1),
    "relu": (lambda x: max(x, 0), lambda x: int(x > 0)),
    "leaky_relu": (lambda x: x if x > 0 else x / 100, lambda x: 1 if x > 0 else 0.01),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
    "tanh": (math.tanh, lambda x: 1 / math.cosh(x) ** 2),
    "softplus": (lambda x: math.log1p(math.exp(x)), lambda x: 1 / (1 + math.exp(-x))),
}


def random_state(rng):
    image, kernel, _ = random_layer(rng)
    bias, activation = int(rng.integers(-9, 10)), str(rng.choice(list(ACTIVATIONS)))
    return State(image, kernel, bias, activation, bool(rng.integers(2)), bool(rng.integers(2)))


def check(state, drawn):
    """The picture of a state of integers says what Eq. 6, 7 and 8 say."""
    drawn = uncovered(scene, state, "o", lambda chosen: chosen[1:], ["x"])
    (k1, k2), (function, slope) = state.kernel.shape, FUNCTIONS[state.activation.name]
    shown = {grid.name: grid for grid in drawn.grids}
    (x,) = loops.conv2d(state.image[None, :, :, None], state.kernel[:, :, None, None], [state.bias])[..., 0]
    eq_6 = loops.convolve(state.image, loops.rot180(state.kernel), mode="full") + state.bias
    assert shown["x"].values == tuple(map(tuple, x.tolist()))
    assert shown["image"].values == tuple(map(tuple, state.image.tolist()))
    assert shown["kernel"].values == tuple(map(tuple, state.kernel.tolist()))
    assert set(drawn.highlights) == {Selection(name, i, j) for name in "xo" for i, j in np.ndindex(x.shape)}
    for cell, highlight in drawn.highlights.items():
        name, i, j = cell
        marks, formula = {mark.grid: mark for mark in highlight.marks}, highlight.formula
        field = marks["image"]
        assert (field.row, field.col, field.rows, field.cols) == (i, j, k1, k2)
        value = shown["x"].entry(i, j)

        # The terms, the products in their cells, and the weights' names where they lie on the input.
        *rows, (bias,) = formula.terms
        assert [len(row) for row in rows] == [k2] * k1
        assert (bias.symbols, bias.numbers, bias.hue) == ("b", number(state.bias), None)
        total = state.bias
        for m, row in enumerate(rows):
            for n, term in enumerate(row):
                weight, pixel = state.kernel[m, n], state.image[i + m, j + n]
                total += weight * pixel
                assert term.symbols == f"w({m}, {n})·o({i + m}, {j + n})"
                assert term.numbers == f"{factor(weight)}·{factor(pixel)} = {number(weight * pixel)}"
                assert term.value == weight * pixel
                tag = field.tags[m][n]
                assert tag == shown["kernel"].tags[m][n]
                assert (tag.text, tag.hue) == (subscripted("w", m, n), term.hue)
        assert total == value == eq_6[i + k1 - 1, j + k2 - 1]

        # The two results, and the words.
        assert {(m.grid, m.style) for m in highlight.marks if (m.row, m.col, m.rows, m.cols) == (i, j, 1, 1)} >= {
            (name, "solid"),
            ("o" if name == "x" else "x", "dashed"),
        }
        out = shown["o"].entry(i, j)
        assert out == pytest.approx(function(value), rel=1e-12, abs=1e-300)
        exact = state.activation.name in ("identity", "relu")
        assert not exact or (type(out) is int and out == function(value))
        here, result = f"({i}, {j})", f"{state.activation.name}({number(value)}) = {number(out)}"
        assert formula.total == f"xˡ{here} is {number(value)}, and oˡ{here} is {result} (Eq. 8)."
        *by_convolution, about_f = formula.notes
        assert len(by_convolution) == state.as_convolution
        for note in by_convolution:
            assert f"at ({i + k1 - 1}, {j + k2 - 1}), plus b, is {number(value)} too" in note
        words = re.search(r"(\S+)\.$", about_f)[1]
        assert words == number(slope(value)) or float(words) == pytest.approx(slope(value), rel=1e-3)
        assert f"Output {here} is {number(out)}," in highlight.sentence or name == "x"
        assert f"Pre-activation {here} is {number(value)}:" in highlight.sentence or name == "o"
        assert f"the {k1}×{k2} receptive field that starts at {here}" in highlight.sentence


def test_one_picture_word_by_word():
    state = State([[1, 2, 0], [0, -1, 5]], [[2, -3]], -4, "relu", as_convolution=True, selected=Selection("o", 1, 0))
    highlight = scene(state).highlights[state.selected]
    assert " ".join(highlight.formula.heading.split()) == "xˡ(1, 0) = Σₘ Σₙ wˡ(m, n) · oˡ⁻¹(1 + m, 0 + n) + bˡ (Eq. 7)"
    assert [[(term.symbols, term.numbers) for term in row] for row in highlight.formula.terms] == [
        [("w(0, 0)·o(1, 0)", "2·0 = 0"), ("w(0, 1)·o(1, 1)", "(−3)·(−1) = 3")],
        [("b", "−4")],
    ]
    assert highlight.formula.total == "xˡ(1, 0) is −1, and oˡ(1, 0) is relu(−1) = 0 (Eq. 8)."
    assert highlight.formula.notes == (
        "rot180(wˡ) ∗ oˡ⁻¹ at (1, 1), plus b, is −1 too: ∗ turns the kernel back (Eq. 6).",
        "relu(x) is max(x, 0). Its slope here, needed on the way back, is 0.",
    )
    assert highlight.sentence == (
        "Output (1, 0) is 0, relu of the pre-activation −1: all it sees of the input is the 1×2 receptive field that "
        "starts at (1, 0)."
    )


def test_the_example_shows_what_the_activation_does():
    explorer = ForwardPass()
    negative = [value for row in grid_of(explorer.view.scene, "x").values for value in row if value < 0]
    assert negative
    assert grid_of(explorer.view.scene, "x").entry(*explorer.state.selected[1:]) < 0
    assert all(value >= 0 for row in grid_of(explorer.view.scene, "o").values for value in row)


def test_fractions_and_whole_numbers_stay_exact():
    rng = np.random.default_rng(5)
    image, kernel = random_array(rng, (3, 4), "fraction"), random_array(rng, (2, 1), "fraction")
    drawn = scene(State(image, kernel, Fraction(1, 3)))
    expected = loops.cross_correlate(image, kernel) + Fraction(1, 3)
    assert grid_of(drawn, "x").values == tuple(map(tuple, expected.tolist()))
    assert grid_of(drawn, "o").values == tuple(tuple(max(value, 0) for value in row) for row in expected.tolist())


def test_the_bias_moves_every_pre_activation_alike():
    explorer = ForwardPass()
    before = np.array(grid_of(explorer.view.scene, "x").values)
    slider = next(control.widget for control in explorer._controls if control.widget.description == "bias b")
    (handle,) = slider.children
    handle.set_state({"value": 4})
    np.testing.assert_array_equal(np.array(grid_of(explorer.view.scene, "x").values) - before, np.full(before.shape, 3))
    assert type(explorer.state.bias) is int
    explorer.update(bias=2.5)
    (handle,) = slider.children
    handle.set_state({"value": -1.5})
    assert explorer.state.bias == -1.5
    explorer.update(bias=-30)
    (handle,) = slider.children
    assert (slider.value, handle.value, handle.min, handle.max) == (-30, -30, -30, 30)


def test_a_cell_that_is_no_longer_there_gives_way_to_the_first():
    state = replace(State(np.eye(4, 5), np.eye(2, 1)), selected=Selection("o", 3, 1))
    assert scene(state).selected == Selection("x", 0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": "cat"}, "ForwardPass: image has entries of type str; expected real numbers"),
        ({"image": np.ones((3, 10))}, "ForwardPass: image has shape (3, 10); expected at most 9×9"),
        ({"kernel": np.ones((6, 1))}, "ForwardPass: kernel has shape (6, 1); expected at most 5×5"),
        ({"kernel": np.ones((5, 2))}, "cross_correlate: the kernel or window is 5×2 and does not fit into"),
        ({"bias": [1, 2]}, "ForwardPass: bias has shape (2,); expected one number, for example bias=1. A filter has"),
        ({"bias": [[1], [1, 2]]}, "ForwardPass: bias is a nested list with rows of different lengths"),
        ({"bias": "b"}, "ForwardPass: bias has entries of type str; expected real numbers"),
        ({"bias": np.nan}, "ForwardPass: bias has an entry that is NaN or infinite; expected finite numbers"),
        ({"activation": "swish"}, "ForwardPass: activation is 'swish'; expected 'identity', 'relu', 'leaky_relu',"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        ForwardPass(**arguments)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    explorer = ForwardPass()
    state = explorer.state
    explorer.update(**arguments)
    assert explorer.message.startswith(message)
    assert explorer.state is state
