"""KernelGradient's scene against Eq. 13 as plain loops, the article's figure as it is drawn, and E itself."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from controls import control
from convbp import cross_correlate, loops, rot180
from convbp.explorers import KernelGradient
from convbp.explorers.kernel_gradient import BY_WEIGHT, WAYS, State, scene
from convbp.notation import number, subscripted
from convbp.pictures.scene import Selection
from pictures import entries, grid_of, random_layer, read_number, uncovered


def random_state(rng):
    layer, way = random_layer(rng), str(rng.choice(list(WAYS.values())))
    weight = tuple(int(rng.integers(size)) for size in layer[1].shape)
    return State(*layer, way=way, weight=weight, covered=bool(rng.integers(2)))


def numbers_of(formula):
    """What each note comes to, in order."""
    return [note.rpartition(" = ")[2].partition(",")[0] for note in formula.notes]


def check(state, drawn):
    """Everything that choosing each weight, or each δ, shows."""
    drawn = uncovered(scene, state, "gradient", lambda chosen: chosen[1:] if state.way in BY_WEIGHT else None)
    (k1, k2), (rows, cols) = state.kernel.shape, state.delta.shape
    layer = np.array(state.image, int)[None, ..., None], np.array(state.delta, int)[None, ..., None]
    gradient = loops.conv2d_kernel_gradient(*layer, (k1, k2))[:, :, 0, 0]
    assert [list(row) for row in grid_of(drawn, "gradient").values] == gradient.tolist()
    if state.way in BY_WEIGHT:
        cells = product(("kernel", "gradient"), range(k1), range(k2))
    else:
        cells = product(("delta",), range(rows), range(cols))
    assert set(drawn.highlights) == {Selection(*cell) for cell in cells}
    checks = {"weights": check_weights, "turned": check_turned, "deltas": check_deltas, "follow": check_followed}
    checks[state.way](state, drawn, gradient)


def check_weights(state, drawn, gradient):
    rows, cols = state.delta.shape
    o, δ = (dict(np.ndenumerate(array)) for array in (state.image, state.delta))
    bias = sum(δ.values())
    for (_, m, n), highlight in drawn.highlights.items():
        met = {(i, j): o[i + m, j + n] for i, j in product(range(rows), range(cols))}
        marks = {mark.grid: mark for mark in highlight.marks}
        assert (marks["image"].row, marks["image"].col) == (m, n)
        assert [[tag.text for tag in row] for row in marks["image"].tags] == [
            [subscripted("δ", i, j) for j in range(cols)] for i in range(rows)
        ]
        assert (marks["kernel"].row, marks["kernel"].col) == (marks["gradient"].row, marks["gradient"].col) == (m, n)
        for i, row in enumerate(highlight.formula.terms):
            for j, term in enumerate(row):
                assert term.value == met[i, j] * δ[i, j]
                assert term.symbols == f"δ({i}, {j})·o({i + m}, {j + n})"
                assert term.numbers.endswith(f" = {number(met[i, j] * δ[i, j])}")
        result = number(gradient[m, n])
        assert highlight.formula.total == f"∂E/∂w({m}, {n}) is {result}."
        assert numbers_of(highlight.formula) == [result, number(bias)]
        assert highlight.sentence.startswith(f"The gradient of w({m}, {n}) is {result}: ")


def check_turned(state, drawn, gradient):
    """The last δ lies on the first pixel that the weight met; and where the sum is not the gradient, that is said."""
    rows, cols = state.delta.shape
    for (_, m, n), highlight in drawn.highlights.items():
        met = {
            (i, j): state.image[i + m, j + n] * state.delta[rows - 1 - i, cols - 1 - j]
            for i, j in product(range(rows), range(cols))
        }
        assert {(i, j): highlight.formula.terms[i][j].value for i, j in met} == met
        figure = sum(met.values())
        assert grid_of(drawn, "figure").entry(m, n) == figure
        wrong = figure != gradient[m, n]
        verdict = "wrong" if wrong else "equal by chance"
        said = f"The sum is {number(figure)}; ∂E/∂w({m}, {n}) is {number(gradient[m, n])}: {verdict}."
        assert highlight.formula.total == said
        assert highlight.formula.column == (("Σ", figure),)
        for note in highlight.formula.notes[:2]:  # the central difference, and Eq. 14
            assert note.endswith(f" = {number(gradient[m, n])}")
        assert bool(grid_of(drawn, "figure").tags[m][n]) == wrong
        assert f"is {number(figure)}, and the gradient is {number(gradient[m, n])}: {verdict}; " in highlight.sentence


def check_deltas(state, drawn, gradient):
    """Each δ adds its multiple of its window, and the last one makes it the gradient."""
    (k1, k2), sums = state.kernel.shape, np.zeros_like(gradient)
    for done, ((_, i, j), highlight) in enumerate(drawn.highlights.items(), 1):
        marks = {mark.grid: mark.cells[1:] for mark in highlight.marks}
        assert marks == {"delta": (i, j, 1, 1), "image": (i, j, k1, k2), "sums": (0, 0, k1, k2)}
        for m, n in product(range(k1), range(k2)):
            come = state.delta[i, j] * state.image[i + m, j + n]
            term = highlight.formula.terms[m][n]
            assert term.symbols == f"to w({m}, {n}): δ·o({i + m}, {j + n})"
            before, added = map(read_number, term.numbers.partition(" = ")[0].split(" + "))
            assert (before, added) == (sums[m, n], come)
            sums[m, n] += come
            assert term.value == sums[m, n]
        assert list(entries(highlight.grids[0]).values()) == sums.ravel().tolist()
        assert highlight.formula.total.startswith(f"{done} of {state.delta.size} δ ")
        assert highlight.sentence.startswith(f"δ ({i}, {j}) is {number(state.delta[i, j])}: ")
    assert sums.tolist() == gradient.tolist()


def check_followed(state, drawn, gradient):
    """An output's slope for the weight, by nudging it, is the pixel that is shown; the last sum is the gradient."""
    (m, n), (k1, k2), total, seen = state.weight, state.kernel.shape, 0, {}
    nudge = np.zeros((k1, k2), int)
    nudge[m, n] = 1
    slopes = cross_correlate(state.image, state.kernel + nudge) - cross_correlate(state.image, state.kernel)
    for (_, i, j), highlight in drawn.highlights.items():
        seen[i, j] = slopes[i, j]
        assert {at: value for at, value in entries(highlight.grids[0]).items() if value is not None} == seen
        window, kernel_lies, pixel, *_ = highlight.marks
        assert window.cells[1:] == (m, n, *state.delta.shape)
        assert [tag.text if tag else None for row in window.tags for tag in row] == [
            subscripted("δ", *at) if at in seen else None for at in np.ndindex(state.delta.shape)
        ]
        assert kernel_lies.cells[1:] == (i, j, k1, k2)
        assert grid_of(drawn, "image").entry(*pixel.cells[1:3]) == slopes[i, j]
        assert highlight.formula.heading.endswith(f"=  {number(slopes[i, j])}  (Eq. 12)")
        total += state.delta[i, j] * slopes[i, j]
        terms = [term.value for row in highlight.formula.terms for term in row]
        assert (len(terms), sum(terms)) == (len(seen), total)
        assert highlight.formula.column == (("Σ so far", total),)
        assert f" {number(total)}" in highlight.formula.total
        assert highlight.sentence.endswith(f" {number(total)}.")
    assert total == gradient[m, n]
    assert highlight.formula.total.endswith(f": it is ∂E/∂w({m}, {n}).")


def test_the_article_s_figure_is_the_one_that_differs():
    o, δ = np.arange(1, 10).reshape(3, 3), np.array([[1, 2], [3, 5]])
    state = State(o, [[1, 0], [2, 1]], δ)
    formula, turned = (scene(one).highlights["gradient", 0, 0].formula for one in (state, replace(state, way="turned")))
    right, figure = 1 * 1 + 2 * 2 + 3 * 4 + 5 * 5, 5 * 1 + 3 * 2 + 2 * 4 + 1 * 5
    assert formula.total == f"∂E/∂w(0, 0) is {right}."
    assert numbers_of(formula) == [str(right), "11"]
    assert turned.total == f"The sum is {figure}; ∂E/∂w(0, 0) is {right}: wrong."
    assert numbers_of(turned)[:2] == [str(right)] * 2


def test_the_central_difference_is_one_of_the_error_and_not_the_formula_again(monkeypatch):
    # A wrong forward pass is seen by the central difference, and by nothing else.
    state = State([[1, 2, 0], [0, 1, 3]], [[2, -1]], [[1, 3], [-2, 5]])
    right = scene(state).highlights["gradient", 0, 1].formula
    outputs = State.outputs
    monkeypatch.setattr(State, "outputs", lambda self, image, kernel: 2 * outputs(self, image, kernel))
    wrong = scene(state).highlights["gradient", 0, 1].formula
    assert [a == b for a, b in zip(numbers_of(right), numbers_of(wrong), strict=True)] == [False, True]


def test_of_floats_the_central_difference_agrees_too():
    rng = np.random.default_rng(5)
    state = State(rng.normal(size=(5, 4)), rng.normal(size=(2, 3)), rng.normal(size=(4, 2)))
    for highlight in scene(state).highlights.values():
        difference, _ = (float(text.replace("−", "-")) for text in numbers_of(highlight.formula))
        assert float(highlight.formula.column[0][1]) == pytest.approx(difference, rel=1e-3, abs=1e-3)


def test_the_deltas_follow_their_sliders():
    explorer = KernelGradient()
    delta = np.arange(9).reshape(3, 3)
    explorer.update(delta=delta)
    assert explorer.view.scene.highlights[explorer.state.selected].formula.notes[-1].endswith("= 36")
    assert [slider.value for slider in explorer.children[1].children] == delta.ravel().tolist()


def test_from_way_to_way_the_weight_stays_the_same():
    explorer = KernelGradient()
    ways, weights = control(explorer, description="way"), control(explorer, description="weight")
    explorer.select(1, 2, "kernel")
    ways.value = "follow"
    assert (explorer.state.selected, weights.value) == (("delta", 0, 0), (1, 2))
    weights.value = (1, 0)
    assert "weight (1, 0) meets pixel (1, 0)" in repr(explorer)
    explorer.select(2, 1)
    ways.value = "deltas"
    assert explorer.state.selected == ("delta", 2, 1)
    ways.value = "turned"
    assert explorer.state.selected == ("gradient", 1, 0)
    explorer.update(way="follow", kernel=[[1, 2]], delta=np.ones((4, 4), int))
    assert (explorer.message, weights.value) == ("", (0, 0))


def test_the_known_mistake_is_named():
    explorer = KernelGradient(covered=True)
    figure = cross_correlate(explorer.state.image, rot180(explorer.state.delta))
    assert "rot180(δ)" in explorer.mistake_in(figure)


def test_a_weight_can_be_chosen_in_the_kernel_and_in_its_gradient():
    explorer = KernelGradient()
    for grid in ("kernel", "gradient"):
        explorer.view.set_state({"grid": grid, "row": 1, "col": 2})
        assert explorer.state.selected == (grid, 1, 2)
        assert explorer.view.scene.sentence.startswith("The gradient of w(1, 2) is ")


BAD_INPUT = {
    "text": ({"kernel": "cat"}, "KernelGradient: kernel has entries of type str; expected real numbers"),
    "too large": ({"kernel": np.ones((3, 6))}, "KernelGradient: kernel has shape (3, 6); expected at most 5×5"),
    "delta": (
        {"delta": [[1]]},
        "KernelGradient: delta has shape (1, 1); expected (3, 3). δ has one entry for each output",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        KernelGradient(**arguments)
    assert str(refused.value).startswith(message)
    explorer = KernelGradient()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)


@pytest.mark.parametrize("way", WAYS.values())
def test_each_way_shows_what_the_printed_sums_say(way):
    state = replace(random_state(np.random.default_rng(5)), way=way)
    check(state, scene(state))
