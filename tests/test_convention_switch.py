"""ConventionSwitch's scene against the index of each forward pass, and what follows from it by the chain rule alone."""

from itertools import product

import numpy as np
import pytest

from controls import control
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.equations.conventions import TABLE, formula_of
from convbp.equations.terms import Arrays
from convbp.explorers import ConventionSwitch
from convbp.explorers.convention_switch import State, scene
from convbp.notation import factor, number, subscripted
from pictures import grid_of, random_layer

CONVENTIONS = ["cross-correlation", "convolution"]
LEFT = {"forward": "x", "by_kernel": "∂E/∂w", "by_image": "∂E/∂o"}


def random_state(rng):
    forward, by_image = (str(rule) for rule in rng.choice(CONVENTIONS, 2))
    return State(
        *random_layer(rng), forward=forward, by_kernel=str(rng.choice([*CONVENTIONS, "figure"])), by_image=by_image
    )


def pixel(convention, size, i, j, m, n):
    """Which pixel w(m, n) meets at the output (i, j)."""
    return (i + m, j + n) if convention == "cross-correlation" else (i + size[0] - 1 - m, j + size[1] - 1 - n)


def links(state, convention):
    """Every product of the forward pass: its output, its weight and its pixel."""
    outputs, weights = (product(*map(range, array.shape)) for array in (state.delta, state.kernel))
    return [(at, w, pixel(convention, state.kernel.shape, *at, *w)) for at, w in product(outputs, weights)]


def factors(state, name):
    """For each entry the pairs of what its rule multiplies: (letter, index) and (letter, index)."""
    rule, (rows, cols) = getattr(state, name), state.delta.shape
    shape = {"forward": state.delta, "by_kernel": state.kernel, "by_image": state.image}[name].shape
    found = {cell: set() for cell in product(*map(range, shape))}
    for at, weight, pixel in links(state, "cross-correlation" if rule == "figure" else rule):
        if name == "forward":
            found[at].add((("o", pixel), ("w", weight)))
        elif name == "by_image":
            found[pixel].add((("δ", at), ("w", weight)))
        else:
            turned = rows - 1 - at[0], cols - 1 - at[1]  # the figure lays the flipped δ on the pixels as they are
            found[weight].add((("o", pixel), ("δ", turned if rule == "figure" else at)))
    return found


def slopes(state, name):
    """The chain rule on every product of the forward pass; E = Σ δ·x."""
    gradient = np.zeros(state.kernel.shape if name == "by_kernel" else state.image.shape, object)
    for at, weight, pixel in links(state, state.forward):
        if name == "by_kernel":
            gradient[weight] += state.delta[at] * state.image[pixel]
        else:
            gradient[pixel] += state.delta[at] * state.kernel[weight]
    return gradient


def check(state, drawn):
    """Everything that choosing an entry of x, or of a gradient, shows."""
    arrays = {"o": state.image, "w": state.kernel, "δ": state.delta}
    grids = {grid.name: grid for grid in drawn.grids}
    cells_left = set(drawn.highlights)
    for name in LEFT:
        rule, grid, pairs = getattr(state, name), grids[name], factors(state, name)
        assert grid.title == f"{LEFT[name]} = {TABLE[name][rule].map.text}"
        expected = slopes(state, name) if name != "forward" else None
        wrong = set()
        for cell, met in pairs.items():
            value = sum(arrays[one][at] * arrays[other][there] for (one, at), (other, there) in met)
            assert grid.entry(*cell) == value
            if expected is not None:
                assert grids[f"{name} slopes"].entry(*cell) == expected[cell]
                if value != expected[cell]:
                    wrong.add(cell)
                tag = grid.tags[cell[0]][cell[1]]
                assert (tag.text if tag else "") == ("≠" if cell in wrong else "")
            check_highlight(state, drawn.highlights[name, *cell], met, arrays, name, cell)
            check_words(state, drawn.highlights[name, *cell], name, value, None if expected is None else expected[cell])
            cells_left.remove((name, *cell))
        if expected is not None:
            assert grids[f"{name} slopes"].title == f"{'≠' if wrong else '='} central difference"
            assert not (wrong and rule == state.forward)
    assert not cells_left


def check_highlight(state, highlight, met, arrays, name, cell):
    terms = [term for row in highlight.formula.terms for term in row]
    assert {(term.symbols, term.numbers) for term in terms} == {
        (
            f"{subscripted(one, *at)}·{subscripted(other, *there)}",
            f"{factor(arrays[one][at])}·{factor(arrays[other][there])} = "
            + number(arrays[one][at] * arrays[other][there]),
        )
        for (one, at), (other, there) in met
    }
    assert len(terms) == len(met)
    marks = {mark.grid: mark for mark in highlight.marks}
    assert (marks[name].row, marks[name].col) == cell
    window = marks["δ" if name == "by_image" else "o"]
    tagged = {
        (window.row + r, window.col + c): tag.text for r, row in enumerate(window.tags) for c, tag in enumerate(row)
    }
    assert tagged == {at: subscripted(other, *there) for (_, at), (other, there) in met}


def check_words(state, highlight, name, value, slope):
    rule, formula = getattr(state, name), highlight.formula
    assert f" is {number(value)} by this rule" in formula.total
    assert formula.total in highlight.sentence
    if name == "forward":
        assert TABLE["by_kernel"][rule].map.text in formula.notes[1]
        assert TABLE["by_image"][rule].map.text in formula.notes[1]
        return
    verdict = "wrong" if value != slope else "they agree" if rule == state.forward else "equal, but by chance"
    assert formula.total.endswith(f"is {number(slope)}: {verdict}.")
    assert ("the same row" in formula.notes[1]) == (rule == state.forward)
    assert ("two rows are mixed" in formula.notes[1]) == (rule not in (state.forward, "figure"))
    if rule != "figure":
        assert formula.notes[0].endswith(f", here {number(value)}.")


FAST = {
    "o ⊗ w": lambda o, w, δ: cross_correlate(o, w),
    "o ∗ w": lambda o, w, δ: convolve(o, w),
    "rot180(w) ∗ o": lambda o, w, δ: convolve(o, rot180(w)),
    "o ⊗ rot180(w)": lambda o, w, δ: cross_correlate(o, rot180(w)),
    "o ⊗ δ": lambda o, w, δ: cross_correlate(o, δ),
    "rot180(o ⊗ δ)": lambda o, w, δ: rot180(cross_correlate(o, δ)),
    "o ⊗ rot180(δ)": lambda o, w, δ: cross_correlate(o, rot180(δ)),
    "rot180(δ) ∗ o": lambda o, w, δ: convolve(o, rot180(δ)),
    "rot180(o) ∗ δ": lambda o, w, δ: convolve(rot180(o), δ),
    "δ ⊗ rot180(w)": lambda o, w, δ: cross_correlate(δ, rot180(w), mode="full"),
    "δ ∗ w": lambda o, w, δ: convolve(δ, w, mode="full"),
    "δ ⊗ w": lambda o, w, δ: cross_correlate(δ, w, mode="full"),
    "δ ∗ rot180(w)": lambda o, w, δ: convolve(δ, rot180(w), mode="full"),
}


def test_each_formula_is_computed_as_it_is_written_and_so_is_the_one_beside_it():
    rng = np.random.default_rng(8)
    for _ in range(20):
        o, w, δ = random_layer(rng)
        case = Arrays(o=o, kernel=w, delta=δ)
        for name, rules in TABLE.items():
            for key, rule in rules.items():
                one, other = (formula_of(name, map).table(case) for map in (rule.map, rule.again))
                np.testing.assert_array_equal(one, FAST[rule.map.text](o, w, δ))
                np.testing.assert_array_equal(other, FAST[rule.again.text](o, w, δ))
                assert np.array_equal(one, other) or key == "figure"
        figure, right = TABLE["by_kernel"]["figure"], TABLE["by_kernel"]["cross-correlation"]
        assert figure.again.text == right.again.text


@pytest.mark.parametrize("forward", CONVENTIONS)
def test_the_article_s_figure_is_wrong_under_both_conventions(forward):
    o, δ = np.arange(1, 10).reshape(3, 3), np.array([[2, 3], [5, 7]])
    drawn = scene(State(o, [[1, 0], [2, 4]], δ, forward=forward, by_kernel="figure"))
    figure, slope = (grid_of(drawn, name) for name in ("by_kernel", "by_kernel slopes"))
    assert figure.entry(0, 0) == 7 * 1 + 5 * 2 + 3 * 4 + 2 * 5  # w₁ ← δ₄I₁ + δ₃I₂ + δ₂I₄ + δ₁I₅
    met = (1, 2, 4, 5) if forward == "cross-correlation" else (5, 6, 8, 9)
    assert slope.entry(0, 0) == np.dot((2, 3, 5, 7), met)
    highlight = drawn.highlights["by_kernel", 0, 0]
    assert highlight.formula.terms[0][0].symbols == "o₀₀·δ₁₁"
    assert "belongs to no row of the table" in highlight.sentence


def test_a_kernel_that_is_its_own_turn_hides_the_mistake():
    def signs(kernel):
        drawn = scene(State(np.arange(12).reshape(3, 4) ** 2, kernel, by_image="convolution"))
        return grid_of(drawn, "by_image slopes").title[0]

    assert signs([[1, 2, 3], [3, 2, 1]]) == "="
    assert signs([[1, 2, 3], [4, 5, 6]]) == "≠"


def test_the_switch_changes_the_whole_row_and_the_others_mix():
    explorer = ConventionSwitch()
    forward, by_kernel, by_image = (control(explorer, description=f"{left} =") for left in ("x", "∂E/∂w", "∂E/∂o"))

    def rules():
        return explorer.state.forward, explorer.state.by_kernel, explorer.state.by_image

    def signs():
        return [grid.title[0] for grid in explorer.view.scene.maps]

    assert (rules(), signs()) == (("cross-correlation",) * 3, ["=", "="])
    forward.value = "convolution"
    assert (rules(), signs()) == (("convolution",) * 3, ["=", "="])
    by_image.value = "cross-correlation"
    assert (rules(), signs()) == (("convolution", "convolution", "cross-correlation"), ["=", "≠"])
    by_kernel.value = "figure"
    assert signs() == ["≠", "≠"]
    forward.value = "cross-correlation"
    assert (rules(), signs()) == (("cross-correlation",) * 3, ["=", "="])


def test_rounding_is_no_mistake():
    rng = np.random.default_rng(9)
    for forward in CONVENTIONS:
        arrays = 1e6 * rng.normal(size=(5, 4)), rng.normal(size=(2, 3)), 1e-3 * rng.normal(size=(4, 2))
        drawn = scene(State(*arrays, forward=forward))
        assert [grid.title[0] for grid in drawn.maps] == ["=", "="]
        mixed = scene(State(*arrays, forward=forward, by_kernel="figure"))
        assert mixed.maps[0].title[0] == "≠"


def test_one_picture_word_by_word():
    state = State([[1, -2, 3]], [[2, 5]], [[5, -3]], forward="convolution", by_kernel="cross-correlation")
    highlight = scene(state).highlights["by_kernel", 0, 1]
    assert highlight.formula.heading == "∂E/∂w at (0, 1), by o ⊗ δ:"
    assert [[(term.symbols, term.numbers) for term in row] for row in highlight.formula.terms] == [
        [("o₀₁·δ₀₀", "(−2)·5 = −10"), ("o₀₂·δ₀₁", "3·(−3) = −9")]
    ]
    assert highlight.formula.total == ("∂E/∂w(0, 1) is −19 by this rule; the central difference of Σ δ·x is 11: wrong.")
    assert highlight.formula.notes == (
        "With ∗ it is δ that is turned: rot180(δ) ∗ o (Eq. 14), here −19.",
        "This rule belongs to x = o ⊗ w, but the forward pass is x = o ∗ w: two rows are mixed.",
    )


BAD_INPUT = {
    "text": ({"image": "cat"}, "ConventionSwitch: image has entries of type str; expected real numbers"),
    "too large": ({"kernel": np.ones((3, 6))}, "ConventionSwitch: kernel has shape (3, 6); expected at most 5×5"),
    "delta": ({"delta": [[1]]}, "ConventionSwitch: delta has shape (1, 1); expected (3, 3). δ has one entry for each"),
    "forward": (
        {"forward": "figure"},
        "ConventionSwitch: forward is 'figure'; expected 'cross-correlation' or 'convolution'.",
    ),
    "by_kernel": ({"by_kernel": "mean"}, "ConventionSwitch: by_kernel is 'mean'; expected 'cross-correlation', "),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        ConventionSwitch(**arguments)
    assert str(refused.value).startswith(message)
    explorer = ConventionSwitch()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
