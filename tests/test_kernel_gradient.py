"""KernelGradient's scene against Eq. 13 as plain loops, the article's figure as it is drawn, and E itself."""

from itertools import product

import numpy as np
import pytest

from convbp import cross_correlate, loops
from convbp.explorers import KernelGradient
from convbp.explorers.kernel_gradient import State, scene
from convbp.notation import number, subscripted
from convbp.pictures.scene import Selection
from pictures import random_layer


def random_state(rng):
    return State(*random_layer(rng))


def numbers_of(formula):
    """What each note comes to, in order."""
    return [note.rpartition(" = ")[2].partition(",")[0] for note in formula.notes]


def check(state, drawn):
    """Everything that choosing each weight shows."""
    (k1, k2), (rows, cols) = state.kernel.shape, state.delta.shape
    o, δ = (dict(np.ndenumerate(array)) for array in (state.image, state.delta))
    layer = np.array(state.image, int)[None, ..., None], np.array(state.delta, int)[None, ..., None]
    gradient = loops.conv2d_kernel_gradient(*layer, (k1, k2))[:, :, 0, 0]
    bias = loops.conv2d_bias_gradient(layer[1])[0]
    grids = {grid.name: grid for grid in drawn.grids}
    assert [list(row) for row in grids["gradient"].values] == gradient.tolist()
    cells = list(product(range(k1), range(k2)))
    assert set(drawn.highlights) == {Selection(name, *cell) for name in ("kernel", "gradient") for cell in cells}
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
        # In the figure the last δ lies on the first pixel that the weight met.
        figure = sum(value * δ[rows - 1 - i, cols - 1 - j] for (i, j), value in met.items())
        assert numbers_of(highlight.formula) == [result, number(figure), result, number(bias)]
        chance = "equal by chance" if figure == gradient[m, n] else "not the gradient"
        assert highlight.formula.notes[1].endswith(f", {chance}")
        assert highlight.sentence.startswith(f"The gradient of w({m}, {n}) is {result}: ")


def test_the_article_s_figure_is_the_one_that_differs():
    o, δ = np.arange(1, 10).reshape(3, 3), np.array([[1, 2], [3, 5]])
    formula = scene(State(o, [[1, 0], [2, 1]], δ)).highlights["gradient", 0, 0].formula
    right, figure = 1 * 1 + 2 * 2 + 3 * 4 + 5 * 5, 5 * 1 + 3 * 2 + 2 * 4 + 1 * 5
    assert formula.total == f"∂E/∂w(0, 0) is {right}."
    assert numbers_of(formula) == [str(right), str(figure), str(right), "11"]


def test_the_central_difference_is_one_of_the_error_and_not_the_formula_again(monkeypatch):
    # A wrong forward pass is seen by the central difference, and by nothing else.
    state = State([[1, 2, 0], [0, 1, 3]], [[2, -1]], [[1, 3], [-2, 5]])
    right = scene(state).highlights["gradient", 0, 1].formula
    monkeypatch.setattr(State, "output", lambda self, image, kernel: 2 * cross_correlate(image, kernel))
    wrong = scene(state).highlights["gradient", 0, 1].formula
    assert [a == b for a, b in zip(numbers_of(right), numbers_of(wrong), strict=True)] == [True, True, False, True]


def test_of_floats_the_central_difference_agrees_too():
    rng = np.random.default_rng(5)
    state = State(rng.normal(size=(5, 4)), rng.normal(size=(2, 3)), rng.normal(size=(4, 2)))
    for highlight in scene(state).highlights.values():
        one, _, difference, _ = (float(text.replace("−", "-")) for text in numbers_of(highlight.formula))
        assert one == pytest.approx(difference, rel=1e-3, abs=1e-3)


def test_the_deltas_follow_their_sliders():
    explorer = KernelGradient()
    delta = np.arange(9).reshape(3, 3)
    explorer.update(delta=delta)
    assert explorer.view.scene.highlights[explorer.state.selected].formula.notes[-1].endswith("= 36")
    assert [slider.value for slider in explorer.children[1].children] == delta.ravel().tolist()


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
