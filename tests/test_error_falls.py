"""ErrorFalls' scene against the printed sums as plain loops, and E by central differences."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from controls import control
from convbp import central_difference, loops
from convbp.explorers import ErrorFalls
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.error_falls import LARGEST, State, scene
from convbp.notation import factor, number
from convbp.pictures.scene import Mark, Selection
from pictures import entries, random_layer, uncovered


def random_state(rng):
    image, kernel, targets = random_layer(rng)
    errors = tuple(rng.uniform(0, 99, rng.integers(60)).round(1).tolist())
    return State(image, kernel, targets, round(float(rng.uniform(0, 0.1)), 3), bool(rng.integers(2)), errors=errors)


def check(state, drawn):
    """Everything that choosing each cell shows."""
    drawn = uncovered(scene, state, "gradient", lambda chosen: chosen[1:] if chosen[0] == "kernel" else None)
    grids = {grid.name: grid for grid in drawn.grids}
    (k1, k2), (rows, cols) = state.kernel.shape, state.targets.shape
    x = loops.cross_correlate(state.image, state.kernel)
    δ = x - state.targets
    gradient = loops.cross_correlate(state.image, δ)
    E = sum(Fraction(miss) ** 2 for miss in δ.flat) / 2
    shown = {"image": state.image, "kernel": state.kernel, "targets": state.targets}
    for name, array in {**shown, "outputs": x, "delta": δ, "gradient": gradient}.items():
        assert entries(grids[name]) == {at: array[at] for at in np.ndindex(array.shape)}, name
    curve = grids["errors"]
    errors = [*state.errors, float(E)]
    assert list(curve.values[0]) == errors[-41:]
    assert list(curve.at) == list(range(len(errors)))[-41:]
    assert curve.across[0] <= curve.at[0] <= curve.at[-1] <= curve.across[1]
    chosen = [Selection(name, *at) for name in ("kernel", "targets", "image") for at in np.ndindex(shown[name].shape)]
    assert list(drawn.highlights) == [*chosen, *(Selection("errors", 0, n) for n in range(len(curve.at)))]
    for cell, highlight in drawn.highlights.items():
        grid, row, col = cell
        formula, outlined = highlight.formula, {mark.grid: mark for mark in highlight.marks}
        assert outlined[grid] == Mark(*cell)
        terms = [(term.symbols, term.numbers) for line in formula.terms for term in line]
        if grid == "kernel":
            places = list(product(range(rows), range(cols)))
            met = {(i, j): state.image[i + row, j + col] for i, j in places}
            assert terms == [
                (
                    f"δ({i}, {j})·o({i + row}, {j + col})",
                    f"{factor(δ[i, j])}·{factor(met[i, j])} = {number(δ[i, j] * met[i, j])}",
                )
                for i, j in places
            ]
            slope, weight = gradient[row, col], state.kernel[row, col]
            assert formula.total == f"∂E/∂w({row}, {col}) is {number(slope)}."
            after = number(weight - state.learning_rate * float(slope))
            assert formula.notes[0].endswith(
                f" = {number(weight)} − {factor(state.learning_rate)}·{factor(slope)} = {after}"
            )
            assert highlight.sentence.endswith(f"from {number(weight)} to {after}.")
            assert outlined["image"] == Mark("image", row, col, rows, cols)
        elif grid == "targets":
            assert terms == [
                (f"½·δ({i}, {j})²", f"½·{factor(δ[i, j])}² = {number(float(δ[i, j]) ** 2 / 2)}")
                for i, j in np.ndindex(δ.shape)
            ]
            assert formula.total == f"E is {number(float(E))}."
            assert f" = {number(δ[row, col])}  (" in formula.heading
        elif grid == "image":
            met = [(i, j) for i, j in np.ndindex(x.shape) if 0 <= row - i < k1 and 0 <= col - j < k2]
            region = outlined["outputs"]
            assert met == [(region.row + a, region.col + b) for a in range(region.rows) for b in range(region.cols)]
        else:
            assert f" = {number(curve.values[0][col])}" in formula.total
            assert f"After step {curve.at[col]} " in highlight.sentence


def press(explorer, name="Step"):
    control(explorer, description=name).click()


def test_the_gradient_is_the_slope_of_the_error_and_a_step_goes_against_it():
    explorer = ErrorFalls()
    before = explorer.state

    def error(kernel):
        return (
            (loops.cross_correlate(before.image.astype(float), kernel) - before.targets.astype(float)) ** 2
        ).sum() / 2

    slopes = central_difference(error, before.kernel.astype(float))
    press(explorer)
    np.testing.assert_allclose(
        explorer.state.kernel.astype(float), before.kernel.astype(float) - 0.01 * slopes, rtol=1e-6
    )
    assert explorer.state.errors == (error(before.kernel.astype(float)),)
    assert float(explorer.state.error) < float(before.error)


def test_ten_steps_are_ten_and_the_error_falls_with_each():
    one, ten = ErrorFalls(), ErrorFalls()
    for _ in range(10):
        press(one)
    press(ten, "10 steps")
    assert one.state.errors == ten.state.errors
    errors = [*ten.state.errors, float(ten.state.error)]
    assert errors == sorted(errors, reverse=True)
    ten.reset()
    assert ten.state.errors == ()


def test_with_too_large_a_rate_it_climbs_until_it_is_refused():
    explorer = ErrorFalls(learning_rate=0.05)
    for _ in range(40):
        press(explorer)
    assert "take a smaller learning rate, or press Reset" in explorer.message
    assert np.abs(explorer.state.kernel).max() <= LARGEST
    assert explorer.state.errors[-1] > explorer.state.errors[0]


def test_the_slider_moves_the_chosen_number_and_the_error_follows():
    explorer = ErrorFalls()
    slider = control(explorer, NumberSlider, description="w(0, 0)")
    for grid, name in (("image", "o(1, 2)"), ("kernel", "w(1, 2)"), ("targets", "t(1, 2)")):
        explorer.reset()
        before = float(explorer.state.error)
        explorer.select(1, 2, grid)
        assert slider.description == name
        slider.value += 1
        assert getattr(explorer.state, grid)[1, 2] == getattr(explorer._initial, grid)[1, 2] + 1
        assert float(explorer.state.error) != before
    press(explorer)
    explorer.select(0, 1, "errors")
    assert slider.description == "w(0, 0)"
    slider.value = 3
    assert explorer.state.kernel[0, 0] == 3


BAD_INPUT = {
    "targets": ({"targets": [[1]]}, "ErrorFalls: targets has shape (1, 1); expected (3, 3). There is one target"),
    "kernel": ({"kernel": np.full((2, 3), 1e7)}, "ErrorFalls: a weight would be 1e7; expected at most ±1,000,000."),
    "rate": ({"learning_rate": -1}, "ErrorFalls: learning_rate is -1; expected at least 0."),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    explorer = ErrorFalls()
    explorer.update(**arguments)
    assert explorer.message.startswith(message)


def test_a_known_mistake_in_the_predicted_gradient_is_named():
    explorer = ErrorFalls(covered=True)
    image, delta = explorer.state.image, explorer.state.delta
    assert "rot180(δ)" in explorer.mistake_in(loops.cross_correlate(image, loops.rot180(delta)))
    assert explorer.view.scene.highlights["kernel", 0, 0].formula.terms == ()


def test_targets_that_are_left_out_are_zeros():
    explorer = ErrorFalls([[1, 2, 3], [4, 5, 6]], [[1, -1]])
    assert explorer.state.targets.tolist() == [[0, 0], [0, 0]]
    np.testing.assert_array_equal(explorer.state.delta, explorer.state.outputs)
