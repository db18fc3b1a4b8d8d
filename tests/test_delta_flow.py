"""DeltaFlow's scene against Eq. 20 as plain sums, both ways, and against E itself."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import cosh, exp

import numpy as np
import pytest

import convbp
from controls import control
from convbp import loops
from convbp.activations import Activation
from convbp.explorers import DeltaFlow
from convbp.explorers.delta_flow import State, scene
from convbp.explorers.states.fields import ACTIVATIONS
from convbp.gradient_check import central_difference
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import entries, random_layer, uncovered

SLOPES = {
    "identity": lambda x: 1,
    "relu": lambda x: int(x > 0),
    "leaky_relu": lambda x: 1 if x > 0 else 0.01,
    "sigmoid": lambda x: exp(-abs(x)) / (1 + exp(-abs(x))) ** 2,
    "tanh": lambda x: cosh(x) ** -2,
    "softplus": lambda x: 1 / (1 + exp(-x)),
}


def random_state(rng):
    activation, way = str(rng.choice(list(SLOPES))), str(rng.choice(["gather", "scatter"]))
    return State(*random_layer(rng), activation=activation, way=way, covered=bool(rng.integers(2)))


def cells(shape):
    return list(product(*map(range, shape)))


def marked(highlight):
    """For each grid the outlined cells, each with the text of its tag."""
    found = {}
    for mark in highlight.marks:
        found[mark.grid] = {
            (mark.row + r, mark.col + c): mark.tags[r][c].text if mark.tags else ""
            for r, c in cells((mark.rows, mark.cols))
        }
    return found


def values(text):
    return [Fraction(part.strip("()").replace("−", "-")) for part in re.split(r"·(?!w)| \+ | = ", text)]


def grid(drawn, name):
    return next(grid for grid in drawn.grids if grid.name == name)


def check(state, drawn):
    """Everything that choosing each pixel, or each δ, shows."""
    drawn = uncovered(scene, state, "below", lambda chosen: chosen[1:] if state.way == "gather" else None)
    (H, W), (rows, cols), (k1, k2) = state.image.shape, state.delta.shape, state.kernel.shape
    x, δ, w = (dict(np.ndenumerate(array)) for array in (state.image, state.delta, state.kernel))
    layer = np.array(state.delta, int)[None, ..., None], np.array(state.kernel, int)[..., None, None]
    sums = dict(np.ndenumerate(loops.conv2d_input_gradient(*layer, (H, W))[0, :, :, 0].astype(object)))
    grids = {grid.name: grid for grid in drawn.grids}
    slope = {at: SLOPES[state.activation.name](value) for at, value in x.items()}
    assert entries(grids["slope"]) == pytest.approx(slope, rel=1e-9)
    assert entries(grids["below"]) == pytest.approx({at: sums[at] * slope[at] for at in sums}, rel=1e-9)
    assert {at: value for at, value in entries(grids["delta"]).items() if grids["delta"].in_core(*at)} == δ
    for (m, n), value in w.items():
        assert grids["turned"].entry(k1 - 1 - m, k2 - 1 - n) == grids["kernel"].entry(m, n) == value
    chosen, in_order = ("below", cells((H, W))) if state.way == "gather" else ("delta", cells((rows, cols)))
    assert list(drawn.highlights) == [Selection(chosen, *cell) for cell in in_order]
    for done, ((_, i, j), highlight) in enumerate(drawn.highlights.items(), 1):
        (so_far,) = map(entries, highlight.grids)
        if state.way == "gather":
            check_gather(state, highlight, (i, j), slope[i, j], sums[i, j], entries(grids["below"])[i, j])
            assert so_far == {at: sums[at] if at in in_order[:done] else None for at in sums}
        else:
            parts = {at: [] for at in sums}
            for (a, b), (m, n) in product(in_order[:done], w):
                parts[a + m, b + n].append(δ[a, b] * w[m, n])
            assert so_far == {at: sum(come) if come else None for at, come in parts.items()}
            check_scatter(state, highlight, (i, j), so_far, done)
    if state.way == "scatter":
        assert so_far == sums


def check_gather(state, highlight, pixel, slope, total, below):
    (i, j), (k1, k2) = pixel, state.kernel.shape
    δ, w = (dict(np.ndenumerate(array)) for array in (state.delta, state.kernel))
    # Place by place of the turned kernel: which δ lies there, and which weight.
    places = {(r, c): ((i - k1 + 1 + r, j - k2 + 1 + c), (k1 - 1 - r, k2 - 1 - c)) for r, c in cells((k1, k2))}
    products = {place: δ.get(at, 0) * w[weight] for place, (at, weight) in places.items()}
    assert {(r, c): highlight.formula.terms[r][c].value for r, c in places} == products
    assert sum(products.values()) == total
    assert [value for _, value in highlight.formula.column] == pytest.approx([total, slope, below], rel=1e-9)
    for (r, c), (at, weight) in places.items():
        term = highlight.formula.terms[r][c]
        assert term.symbols == f"δ({number(at[0])}, {number(at[1])})·w({weight[0]}, {weight[1]})"
        assert values(term.numbers) == [δ.get(at, 0), w[weight], products[r, c]]
        assert term.outside == (at not in δ)
        assert marked(highlight)["delta"][at] == subscripted("w", *weight)
    for name in ("below", "slope", "sums", "below"):
        assert marked(highlight)[name] == {pixel: ""}
    result = re.fullmatch(
        r"The sum is (\S+), and δˡ.* is (\S+) · f′\((\S+)\) = \S+·\S+ = (\S+) \(Eq. 20\)\.", highlight.formula.total
    )
    assert result.groups() == (number(total), number(total), number(state.image[pixel]), number(below))
    assert f"sum to {number(total)}, and times f′ that is δˡ = {number(below)}." in highlight.sentence


def check_scatter(state, highlight, place, so_far, done):
    (i, j), w = place, dict(np.ndenumerate(state.kernel))
    value = state.delta[place]
    for (m, n), weight in w.items():
        term = highlight.formula.terms[m][n]
        assert term.symbols == f"to ({i + m}, {j + n}): δ·w({m}, {n})"
        before, come, after = values(term.numbers)
        assert (come, after) == (value * weight, so_far[i + m, j + n])
        assert term.value == after
        assert before + come == after
        assert marked(highlight)["sums"][i + m, j + n] == subscripted("w", m, n)
    assert len(marked(highlight)["sums"]) == len(w)
    assert marked(highlight)["delta"] == {place: ""}
    assert f"= {number(value)} spreads: add {factor(value)}·w(m, n)" in highlight.formula.heading
    assert highlight.formula.total.startswith(f"{done} of {state.delta.size} δ ha")
    assert ("gather" in highlight.formula.total) == (done == state.delta.size)
    assert highlight.sentence.startswith(f"δ ({i}, {j}) is {number(value)}: ")


@pytest.mark.parametrize("way", ["gather", "scatter"])
@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "softplus"])
def test_the_result_is_the_slope_of_the_error(activation, way):
    rng = np.random.default_rng(6)
    x, w, δ = rng.normal(size=(4, 5)), rng.normal(size=(2, 3)), rng.normal(size=(3, 3))
    f = getattr(convbp, activation)
    expected = central_difference(lambda x: (δ * loops.cross_correlate(f(x), w)).sum(), x)
    below = grid(scene(State(x, w, δ, activation=activation, way=way)), "below")
    np.testing.assert_allclose(np.array(below.values, float), expected, rtol=1e-6, atol=1e-8)


def test_a_delta_left_out_is_the_output_itself():
    x, w = np.array([[1, -2, 3], [-1, 2, -3]]), np.array([[2, -1]])
    assert State(x, w).delta.tolist() == [[2, -3], [-2, 4]]
    assert State(x, w, activation="identity").delta.tolist() == [[4, -7], [-4, 7]]


def test_one_picture_of_each_way_word_by_word():
    state = State([[1, -2, 3]], [[2, -1]], [[5, -3]])
    formula = scene(state).highlights["below", 0, 0].formula
    assert formula.heading.startswith("δˡ(0, 0)  =  f′ · Σₘ Σₙ δˡ⁺¹(0 − m, 0 − n) · w(m, n)")
    assert [(term.symbols, term.numbers, term.outside) for term in formula.terms[0]] == [
        ("δ(0, −1)·w(0, 1)", "0·(−1) = 0", True),
        ("δ(0, 0)·w(0, 0)", "5·2 = 10", False),
    ]
    assert formula.total == "The sum is 10, and δˡ(0, 0) is 10 · f′(1) = 10·1 = 10 (Eq. 20)."
    drawn = scene(replace(state, way="scatter"))
    formula = drawn.highlights["delta", 0, 1].formula
    assert formula.heading == "δˡ⁺¹(0, 1) = −3 spreads: add (−3)·w(m, n) at (0 + m, 1 + n)"
    assert [(term.symbols, term.numbers) for term in formula.terms[0]] == [
        ("to (0, 1): δ·w(0, 0)", "−5 + (−6) = −11"),
        ("to (0, 2): δ·w(0, 1)", "0 + 3 = 3"),
    ]
    assert formula.total == "2 of 2 δ have spread. They are what gather collects."
    assert drawn.highlights["delta", 0, 0].formula.total == "1 of 2 δ has spread."


def test_with_the_other_way_the_nearest_cell_is_chosen():
    explorer = DeltaFlow()
    ways = control(explorer, description="way")
    explorer.view.set_state({"grid": "below", "row": 1, "col": 2})
    ways.value = "scatter"
    assert explorer.state.selected == ("delta", 1, 2)
    explorer.select(2, 3)
    assert explorer.view.scene.sentence.startswith("δ (2, 3) is −3: ")
    ways.value = "gather"
    assert explorer.state.selected == ("below", 2, 3)


def shown(explorer):
    """The values of the sums so far, and of δˡ."""
    drawn = explorer.view.scene
    (sums,) = [grid for grid in drawn.highlights[drawn.selected].grids if grid.name == "sums"]
    return sums, replace(grid(drawn, "below"), axes=None)


def test_at_the_last_step_both_ways_show_the_same_numbers():
    explorer = DeltaFlow()
    explorer.select(3, 5)
    collected = shown(explorer)
    explorer.update(way="scatter")
    explorer.select(2, 3)
    assert shown(explorer) == collected


def test_every_activation_can_be_chosen():
    assert ACTIVATIONS.keys() == SLOPES.keys()


BAD_INPUT = {
    "text": ({"image": "cat"}, "DeltaFlow: image has entries of type str; expected real numbers"),
    "too large": ({"kernel": np.ones((3, 6))}, "DeltaFlow: kernel has shape (3, 6); expected at most 5×5"),
    "delta": ({"delta": [[1]]}, "DeltaFlow: delta has shape (1, 1); expected (3, 4). δ has one entry for each output"),
    "way": ({"way": "push"}, "DeltaFlow: way is 'push'; expected 'gather' or 'scatter'."),
    "activation": ({"activation": "max"}, "DeltaFlow: activation is 'max'; expected 'identity', 'relu'"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        DeltaFlow(**arguments)
    assert str(refused.value).startswith(message)
    explorer = DeltaFlow()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)


def test_an_activation_may_be_a_name_in_any_case_or_a_function_also_one_s_own():
    by_name, by_function = DeltaFlow(activation="Tanh"), DeltaFlow(activation=convbp.tanh)
    assert by_name.view.scene == by_function.view.scene
    own = Activation("double", "2·x", lambda x: 2 * x, lambda x: 2 + 0 * x)
    by_name.update(activation=own)
    menu = control(by_name, description="activation f")
    assert (by_name.message, menu.value, [name for name, _ in menu.options][-1]) == ("", own, "double")
    assert grid(by_name.view.scene, "slope").values[0][0] == 2
    by_name.update(activation="relu")
    assert [name for name, _ in menu.options] == list(ACTIVATIONS)
