"""ErrorCurve's scene against E, its derivative and its differences written out from the textbook."""

import re

import numpy as np
import pytest

from controls import control
from convbp.explorers import ErrorCurve
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.error_curve import FARTHEST, POINTS, State
from convbp.notation import number
from convbp.pictures.scene import Mark, Selection
from test_forward_pass import FUNCTIONS


def random_state(rng):
    weight, target = (round(float(n), 2) for n in rng.uniform(-6, 7, 2))
    nudge, rate = (round(float(n), 2) for n in rng.uniform(0.01, 2, 2))
    walk = tuple(rng.uniform(-3, 5, rng.integers(3)).round(2).tolist())
    f = str(rng.choice(list(FUNCTIONS)))
    return State(weight, target, nudge, rate, int(rng.integers(-4, 5)), f, walk=walk)


def last_number(text):
    return float(re.findall(r"−?\d+(?:\.\d+)?(?:e−?\d+)?", text)[-1].replace("−", "-"))


def check(state, drawn):
    """Everything that choosing each point shows."""
    (f, slope_of_f), o, t, h = FUNCTIONS[state.activation.name], state.input, state.target, state.nudge

    def error(w):
        return (f(o * w) - t) ** 2 / 2

    (curve,) = drawn.grids
    assert list(drawn.highlights) == [Selection("curve", 0, n) for n in range(POINTS)]
    assert list(curve.at) == sorted(set(curve.at))
    assert state.weight in curve.at
    assert curve.values[0] == pytest.approx([error(w) for w in curve.at])
    assert curve.across[0] <= min(curve.at) <= max(curve.at) <= curve.across[1]
    assert max(curve.values[0]) <= curve.up[1]
    fine, *steps = curve.lines
    assert set(zip(curve.at, curve.values[0], strict=True)) <= set(fine.points)
    assert [[w for w, _ in line.points] for line in steps] == ([[*state.walk, state.weight]] if state.walk else [])
    for (name, _, n), highlight in drawn.highlights.items():
        w, value = curve.at[n], curve.values[0][n]
        y = f(o * w)
        slope, central = (y - t) * slope_of_f(o * w) * o, (error(w + h) - error(w - h)) / (2 * h)
        assert highlight.marks == (Mark(name, 0, n),)
        shown = [last_number(term.numbers) for row in highlight.formula.terms for term in row]
        expected = [o * w, y, value, y - t, slope_of_f(o * w), o]
        np.testing.assert_allclose(shown, expected, rtol=1e-3, atol=1e-9)
        secant, step = highlight.formula.notes
        for text, right in [
            (highlight.formula.total, slope),
            (secant, central),
            (step, error(w - state.learning_rate * slope)),
        ]:
            assert last_number(text) == pytest.approx(right, rel=1e-3, abs=1e-9)
        assert f"the error is {number(value)} " in highlight.sentence
        assert (" down " in highlight.sentence, " up " in highlight.sentence) == (slope < 0, slope > 0)
        tangent, line, ends = (line for _, line in highlight.lines)
        for drawn_line, steep, through in ((tangent, slope, (w, value)), (line, central, (w + h, error(w + h)))):
            for x, height in drawn_line.points:
                assert height == pytest.approx(through[1] + steep * (x - through[0]), rel=1e-6, abs=1e-6)
        assert len(tangent.points) == 2 or not 0 < value < curve.up[1]
        assert all(height == pytest.approx(error(x)) for x, height in ends.points)


def press(explorer, how_often=1):
    for _ in range(how_often):
        control(explorer, description="Step").click()


def test_a_step_goes_downhill_from_the_chosen_point_and_leaves_a_trace():
    explorer = ErrorCurve()  # E = ½(2w − 3)², which has the slope 4w − 6
    press(explorer)
    assert explorer.state.weight == pytest.approx(-1 - 0.1 * -10)
    explorer.view.set_state({"col": POINTS - 1})
    assert control(explorer, NumberSlider, description="w").value == 5
    press(explorer)
    assert explorer.state.weight == pytest.approx(5 - 0.1 * 14)
    assert explorer.state.walk == (-1, 5)
    assert explorer.state.chosen == explorer.state.weight


@pytest.mark.parametrize(
    ("rate", "signs"), [(0.1, [-1, -1, -1]), (0.25, [-1, 0, 0]), (0.4, [-1, 1, -1]), (0.55, [-1, 1, -1])]
)
def test_a_large_step_overshoots_and_a_larger_one_climbs(rate, signs):
    explorer, away = ErrorCurve(learning_rate=rate), []
    for _ in signs:
        away.append(explorer.state.weight - 1.5)
        press(explorer)
    assert np.sign(np.round(away, 9)).tolist() == signs
    assert (abs(away[-1]) > abs(away[0])) == (rate > 0.5)


def test_where_it_diverges_the_last_picture_stays():
    explorer = ErrorCurve(learning_rate=3)
    press(explorer, 20)
    assert "expected at most ±1000" in explorer.message
    assert abs(explorer.state.weight) <= FARTHEST


def test_another_curve_or_weight_begins_without_a_trace_and_h_and_the_rate_keep_it():
    explorer = ErrorCurve()
    for changes, kept in [({"nudge": 0.5}, 1), ({"learning_rate": 0.2}, 1), ({"target": 1}, 0), ({"weight": 2}, 0)]:
        explorer.reset()
        press(explorer)
        explorer.view.set_state({"col": 3})
        explorer.update(**changes)
        assert len(explorer.state.walk) == kept
        assert (explorer.state.selected.col == 3) == kept
    assert explorer.state.chosen == 2
    explorer.update(weight="cat")
    assert explorer.message
    assert explorer.state.chosen == 2


BAD_INPUT = {
    "far": ({"weight": 1001}, "ErrorCurve: w would be 1001; expected at most ±1000"),
    "no step": ({"nudge": 0}, "ErrorCurve: nudge is 0; expected at least 0.001."),
    "backwards": ({"learning_rate": -1}, "ErrorCurve: learning_rate is -1; expected at least 0."),
    "array": ({"target": [1, 2]}, "ErrorCurve: target has shape (2,); expected one number"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        ErrorCurve(**arguments)
    assert str(refused.value).startswith(message)
    explorer = ErrorCurve()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
