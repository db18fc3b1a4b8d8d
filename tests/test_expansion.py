"""Sums written out: what stands there is read again and computed, and has to be the gradient."""

import re
from fractions import Fraction

import numpy as np
import pytest

from convbp import conv2d, convolve
from convbp.equations import expand_bias_gradient, expand_input_gradient, expand_kernel_gradient
from convbp.notation import latex_subscripted
from convbp.sums import symbols

SIZES = [((4, 5), (2, 3)), ((3, 7), (3, 1)), ((5, 3), (1, 2)), ((12, 4), (2, 3))]


def computed(latex, **entries):
    """The value of a line of LaTeX, read by other rules than those that wrote it."""
    text = re.sub(r"\\\\\n&\\quad", " ", latex).replace(r"\big", "").replace(r"\cdot", "*").replace(r"\,", "*")
    for letter, array in entries.items():
        for index, value in np.ndenumerate(array):
            text = text.replace(latex_subscripted(letter, *index), f"({value})")
    return eval(re.sub(r"(\d+)/(\d+)", r"Fraction(\1, \2)", text), {"Fraction": Fraction})


def drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.integers(-9, 10, shape) for shape in shapes]


def error(inputs, kernel, delta, convention):
    """E = Σ δ·x, so that ∂E/∂x is δ."""
    if convention == "convolution":
        return int((delta * convolve(inputs, kernel)).sum())
    return int((delta * conv2d(inputs[None, ..., None], kernel[..., None, None])[0, ..., 0]).sum())


@pytest.mark.parametrize("convention", ["cross-correlation", "convolution"])
@pytest.mark.parametrize(("size", "kernel_size"), SIZES)
def test_each_weight_has_its_sum(size, kernel_size, convention):
    delta_size = tuple(n - k + 1 for n, k in zip(size, kernel_size, strict=True))
    o, w, delta = drawn(1, size, kernel_size, delta_size)
    for m, n in np.ndindex(kernel_size):
        nudged = w.copy()
        nudged[m, n] += 1
        change = error(o, nudged, delta, convention) - error(o, w, delta, convention)
        expansion = expand_kernel_gradient(o, delta, m, n, convention=convention)
        assert expansion.value == computed(expansion.numbers) == change
        assert computed(expansion.symbols, o=o, δ=delta) == change
        assert len(expansion.sum.terms) == delta.size


@pytest.mark.parametrize("convention", ["cross-correlation", "convolution"])
@pytest.mark.parametrize(("size", "kernel_size"), SIZES)
def test_each_pixel_has_its_sum(size, kernel_size, convention):
    delta_size = tuple(n - k + 1 for n, k in zip(size, kernel_size, strict=True))
    o, w, delta = drawn(2, size, kernel_size, delta_size)
    for row, col in np.ndindex(size):
        nudged = o.copy()
        nudged[row, col] += 1
        change = error(nudged, w, delta, convention) - error(o, w, delta, convention)
        expansion = expand_input_gradient(delta, w, row, col, convention=convention)
        assert expansion.value == change
        assert computed(expansion.symbols, δ=delta, w=w) == change
        steep = expand_input_gradient(delta, w, row, col, slope=Fraction(-2, 3), convention=convention)
        assert steep.value == computed(steep.numbers) == Fraction(-2, 3) * change
        assert f"f'(x_{{{','.join(map(str, (row, col))) if max(row, col) > 9 else f'{row}{col}'}}})" in steep.symbols


def test_the_bias_has_the_sum_of_all_deltas():
    (delta,) = drawn(3, (4, 3))
    expansion = expand_bias_gradient(delta)
    assert expansion.value == computed(expansion.numbers) == computed(expansion.symbols, δ=delta) == delta.sum()


def test_it_is_shown_as_in_a_book():
    expansion = expand_kernel_gradient([[1, 2, 3], [4, 5, 6]], [[7, -8]], 1, 1)
    assert repr(expansion) == "δ₀₀·o₁₁ + δ₀₁·o₁₂ = −13"
    assert expansion._repr_latex_() == (
        "$$\n\\begin{aligned}\n\\frac{\\partial E}{\\partial w_{11}} "
        "&= \\delta_{00}\\, o_{11} + \\delta_{01}\\, o_{12} \\\\\n"
        "&= 7 \\cdot 5 + (-8) \\cdot 6 \\\\\n&= -13\n\\end{aligned}\n$$"
    )
    steep = expand_input_gradient([[2, 0]], [[3, 4]], 0, 1, slope=0.5)
    assert repr(steep) == "(δ₀₁·w₀₀ + δ₀₀·w₀₁)·f′(x₀₁) = 4"


def test_a_long_sum_is_broken_into_lines():
    o, delta = drawn(4, (6, 6), (5, 4))
    assert expand_kernel_gradient(o, delta, 0, 0).latex.count(r"&\quad +") == 6


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: expand_kernel_gradient(np.ones((3, 4)), np.ones((2, 2)), 2, 0),
            ValueError,
            "expected (0, 0) to (1, 2)",
        ),
        (lambda: expand_kernel_gradient(np.ones((3, 4)), np.ones((2, 2)), -1, 0), ValueError, "not from the end"),
        (lambda: expand_kernel_gradient(np.ones((3, 4)), np.ones((2, 2)), 0.5, 0), TypeError, "expected two integers"),
        (lambda: expand_kernel_gradient(np.ones((2, 2)), np.ones((3, 2)), 0, 0), ValueError, "Are the two exchanged?"),
        (
            lambda: expand_kernel_gradient(np.ones(3), np.ones((2, 2)), 0, 0),
            ValueError,
            "expand_kernel_gradient: inputs",
        ),
        (
            lambda: expand_input_gradient(np.ones((2, 2)), np.ones((2, 3)), 3, 0),
            ValueError,
            "expected (0, 0) to (2, 3)",
        ),
        (
            lambda: expand_input_gradient(np.ones((2, 2)), np.ones((2, 3)), 0, 0, convention="true"),
            ValueError,
            "convention is 'true'; expected 'cross-correlation' or 'convolution'",
        ),
        (lambda: expand_bias_gradient([["a"]]), TypeError, "expand_bias_gradient: delta"),
    ],
)
def test_what_cannot_be_expanded(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()


def test_a_difference_of_symbols_is_a_sum_with_minus_one():
    image = np.array([[3, 5], [-2, 7]])
    entries = symbols("I", image)
    below = entries[1:] - entries[:-1]
    assert [entry.value for entry in below[0]] == (image[1] - image[0]).tolist()
    assert below[0, 0].in_symbols() == ["I₁₀", "I₀₀·(−1)"]
    assert (4 - entries[0, 0]).value == 1
