"""DrawDigit, driven as the page drives it: by the strokes that it reports, and by its real controls."""

import re
from fractions import Fraction
from math import exp

import ipywidgets as widgets
import numpy as np
import pytest

from convbp import Dense, Flatten, Network, digit_network, load_digits, split_digits, train
from convbp.explorers import DrawDigit
from convbp.explorers.draw_digit import State, scene

DIGITS = load_digits()
BLANK = np.zeros((8, 8), int)


@pytest.fixture(scope="module")
def network():
    digits, network = split_digits(), digit_network()
    for _ in train(network, digits.images, digits.labels, epochs=2):
        pass
    return network


@pytest.fixture
def explorer(network):
    return DrawDigit(network)


def stroke(explorer, *cells):
    """As the page reports it: press on the first cell, go over the others."""
    for n, (row, col) in enumerate(cells):
        explorer.view.set_state({"row": row, "col": col})
        explorer.view._handle_custom_msg({"paint": {"grid": "drawing", "row": row, "col": col}, "begins": n == 0}, [])


def control(explorer, kind, description):
    (found,) = (
        part for part in explorer.children[0].children if isinstance(part, kind) and part.description == description
    )
    return found


def press(explorer, name):
    control(explorer, widgets.Button, name)._handle_custom_msg({"event": "click"}, [])


def slide(explorer, name, value):
    control(explorer, widgets.IntSlider, name).set_state({"value": value})


def shown(explorer):
    """Which ink the reader sees."""
    (grid,) = (grid for grid in explorer.view.scene.grids if grid.name == "drawing")
    return np.array(grid.values)


def drawn(*cells, ink=16):
    expected = BLANK.copy()
    for cell in cells:
        expected[cell] = ink
    return expected


# What the network sees


@pytest.mark.parametrize("which", [0, 3, 17, 1796])
def test_the_probabilities_are_the_softmax_of_the_scores(network, which):
    image = DIGITS.images[which]
    grids = {grid.name: grid for grid in scene(State(network, image)).grids}
    scores = [float(x) for x in network.forward(image[None, :, :, None] / 16).output[0]]
    largest = max(scores)
    exponentials = [exp(x - largest) for x in scores]
    probabilities = [e / sum(exponentials) for e in exponentials]
    for name, values, tolerance in [
        *[("scores", scores, 0.006), ("exponentials", exponentials, 0.0006)],
        ("probabilities", [100 * p for p in probabilities], 0.06),
    ]:
        assert [row[0] for row in grids[name].values] == pytest.approx(values, abs=tolerance)
    seen = scores.index(largest)
    highlight = scene(State(network, image)).highlights["drawing", 2, 3]
    assert highlight.sentence == (
        f"The network sees a {seen} ({100 * probabilities[seen]:.0f} %). Cell (2, 3) has ink {image[2, 3]} of 16."
    )
    assert {(mark.row, mark.col) for mark in highlight.marks if mark.grid != "drawing"} == {(seen, 0)}
    one_by = Fraction(highlight.formula.total.split("1 / ")[-1].split(" =")[0])
    assert float(1 / one_by) == pytest.approx(probabilities[seen], rel=1e-3)


def test_it_sees_what_is_drawn(network, explorer):
    assert shown(explorer).tolist() == DIGITS.images[0].tolist()
    assert repr(explorer).startswith("DrawDigit: The network sees a 0 (")
    press(explorer, "Clear")
    assert "The paper is blank." in repr(explorer)
    stroke(explorer, *((row, 4) for row in range(8)))
    stroke(explorer, *((row, 3) for row in range(8)))
    expected = network.classify(drawn(*((r, c) for r in range(8) for c in (3, 4)))[None, :, :, None] / 16)[0]
    assert f"sees a {expected} (" in repr(explorer)


def test_update_asks_a_network_that_has_learnt_meanwhile():
    network = digit_network()
    explorer, digits = DrawDigit(network), split_digits()
    for _ in train(network, digits.images, digits.labels, epochs=1):
        pass
    explorer.update()
    assert repr(explorer) == repr(DrawDigit(network))


@pytest.mark.parametrize("wanted", [0, 7])
def test_a_wanted_digit_shows_how_its_score_depends_on_each_cell(network, explorer, wanted):
    exact, image = network.copy(np.float64), DIGITS.images[0]

    def score(cell, step):
        ink = image[None, :, :, None] / 16
        ink[0, *cell, 0] += step
        return exact.scores(ink)[0, wanted]

    (choice,) = (part for part in explorer.children if isinstance(part, widgets.ToggleButtons))
    names = [name for name, _ in choice.options]
    choice.set_state({"index": names.index(str(wanted))})
    (grid,) = (grid for grid in explorer.view.scene.grids if grid.name == "slopes")
    assert grid.title == f"∂x({wanted}) / ∂ink"
    for cell in [(0, 0), (2, 3), (4, 5), (7, 1)]:  # where both sides differ, there is a kink
        slopes = [(score(cell, step) - score(cell, 0)) / step for step in (1e-6, -1e-6)]
        assert min(slopes) - 0.006 <= grid.values[cell[0]][cell[1]] <= max(slopes) + 0.006
    highlight = explorer.view.scene.highlights["drawing", 2, 3]
    largest = np.unravel_index(np.argmax(grid.values), grid.size)
    assert f"darken {tuple(map(int, largest))} first" in highlight.sentence
    assert any(mark.grid == "slopes" and (mark.row, mark.col) == (2, 3) for mark in highlight.marks)
    choice.set_state({"index": names.index("none")})
    assert [grid.name for grid in explorer.view.scene.grids] == ["drawing", "scores", "exponentials", "probabilities"]


# Strokes and controls


def test_a_stroke_does_not_call_a_page_back_that_is_at_another_cell_by_now(explorer):
    stroke(explorer, (1, 2))
    explorer.view.set_state({"row": 4, "col": 5})
    explorer.view._handle_custom_msg({"paint": {"grid": "drawing", "row": 1, "col": 3}, "begins": True}, [])
    assert shown(explorer)[1, 3] == 16
    assert explorer.state.selected == (explorer.view.grid, explorer.view.row, explorer.view.col) == ("drawing", 4, 5)


def test_a_stroke_leaves_ink_and_the_cell_is_chosen(explorer):
    press(explorer, "Clear")
    stroke(explorer, (1, 2), (1, 3), (2, 3))
    assert shown(explorer).tolist() == drawn((1, 2), (1, 3), (2, 3)).tolist()
    assert explorer.state.selected == (explorer.view.grid, explorer.view.row, explorer.view.col) == ("drawing", 2, 3)
    assert explorer.message == ""


def test_a_stroke_that_begins_on_its_own_ink_leaves_paper(explorer):
    press(explorer, "Clear")
    stroke(explorer, (1, 2), (1, 3))
    stroke(explorer, (1, 3), (1, 2), (1, 1))
    assert not shown(explorer).any()
    stroke(explorer, (1, 2))
    stroke(explorer, (1, 1), (1, 2))  # begins on paper, so goes over ink
    assert shown(explorer).tolist() == drawn((1, 1), (1, 2)).tolist()


def test_the_pen_has_the_ink_of_its_slider(explorer):
    press(explorer, "Clear")
    slide(explorer, "ink", 5)
    stroke(explorer, (0, 7), (7, 0))
    assert shown(explorer).tolist() == drawn((0, 7), (7, 0), ink=5).tolist()
    slide(explorer, "ink", 9)
    stroke(explorer, (0, 7))
    assert shown(explorer)[0, 7] == 9
    slide(explorer, "ink", 0)
    stroke(explorer, (0, 7))
    assert shown(explorer)[0, 7] == 0


def test_an_example_is_laid_down_and_reset_goes_back(explorer):
    slide(explorer, "example", 17)
    assert shown(explorer).tolist() == DIGITS.images[17].tolist()
    stroke(explorer, (0, 0))
    slide(explorer, "example", 1796)
    assert shown(explorer).tolist() == DIGITS.images[1796].tolist()
    slide(explorer, "ink", 3)
    press(explorer, "Reset")
    assert shown(explorer).tolist() == DIGITS.images[0].tolist()
    assert [control(explorer, widgets.IntSlider, name).value for name in ("ink", "example")] == [16, 0]


@pytest.mark.slow
def test_many_strokes_leave_the_picture_of_a_fresh_one(network, explorer):
    rng = np.random.default_rng(0)
    for _ in range(60):
        slide(explorer, "ink", int(rng.integers(17)))
        stroke(explorer, *rng.integers(8, size=(3, 2)).tolist())
    fresh = DrawDigit(network, explorer.state.drawing)
    fresh.select(*explorer.state.selected[1:])
    assert explorer.view.scene == fresh.view.scene
    assert (explorer.view.slots, explorer.view.patches) == (fresh.view.slots, fresh.view.patches)


def test_only_strokes_paint(explorer):
    explorer.view.set_state({"grid": "drawing", "row": 3, "col": 4})
    assert explorer.state.selected == ("drawing", 3, 4)
    assert shown(explorer).tolist() == DIGITS.images[0].tolist()
    assert explorer.view.paintable
    assert '"paintable": false' in explorer.view.html()


def test_the_drawing_is_never_changed_in_place(explorer):
    before, copy = explorer.state.drawing, explorer.state.drawing.copy()
    stroke(explorer, (0, 0))
    np.testing.assert_array_equal(before, copy)
    np.testing.assert_array_equal(DIGITS.images[0], copy)


# What is refused


@pytest.mark.parametrize(
    ("drawing", "said"),
    [
        (np.zeros((8, 7)), r"\(8, 7\); expected \(8, 8\)"),
        (BLANK + 17, "from 17 to 17; expected 0"),
        (BLANK - 1, "from −1 to −1"),
        (
            DIGITS.images[0] / 16,
            "entries such as 0.3125, and none above 1; expected whole numbers from 0 to 16. For an",
        ),
        (np.full((8, 8), np.nan), "NaN"),
    ],
)
def test_a_drawing_that_cannot_be(network, explorer, drawing, said):
    with pytest.raises(ValueError, match=said):
        DrawDigit(network, drawing)
    before = shown(explorer).tolist()
    explorer.update(drawing=drawing)
    assert said.split(";")[0].replace("\\", "") in explorer.message
    assert shown(explorer).tolist() == before


def test_python_s_own_integers_and_fractions_are_ink(network):
    drawing = [[Fraction(2 * (i + j), 2) for j in range(8)] for i in range(8)]
    assert shown(DrawDigit(network, drawing)).tolist() == drawing


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"selected": ("drawing", 8, 0)}, "there is no cell ('drawing', 8, 0) to choose"),
        ({"pen": "x"}, "DrawDigit: pen is 'x'; expected a whole number from 0 to 16."),
        ({"pen": 99}, "DrawDigit: pen is 99; expected a whole number from 0 to 16."),
        ({"wanted": "ten"}, "DrawDigit: wanted is 'ten'; expected"),
        ({"example": -1}, "DrawDigit: example is -1; expected a whole number from 0 to 1796."),
        ({"example": 1797}, "DrawDigit: example is 1797; expected a whole number from 0 to 1796."),
    ],
)
def test_what_cannot_be_shown_changes_nothing(explorer, changes, said):
    before = explorer.state
    explorer.update(**changes)
    assert said in explorer.message
    assert explorer.state is before
    explorer.clear()
    assert explorer.message == ""


def test_an_image_between_0_and_1_comes_in_as_the_message_says(network):
    image = (DIGITS.images[5] / 16).astype(np.float32)
    assert shown(DrawDigit(network, 16 * image)).tolist() == DIGITS.images[5].tolist()
    assert shown(DrawDigit(network, 11 * image)).tolist() == np.rint(11 * image).tolist()
    assert shown(DrawDigit(network, drawn((3, 4), ink=1))).tolist() == drawn((3, 4), ink=1).tolist()


def test_a_network_for_something_else():
    for size in ((8, 9, 3), (29, 5, 1), (64,)):
        takes = rf"takes {re.escape(str(size))} and returns \(10,\).*expected \(H, W, 1\)"
        with pytest.raises(ValueError, match=takes):
            DrawDigit(Network(size, *([Flatten()] if len(size) > 1 else []), Dense(10)))
    with pytest.raises(ValueError, match=r"returns \(9,\)"):
        DrawDigit(Network((8, 8, 1), Flatten(), Dense(9)))
    with pytest.raises(TypeError, match=r"DrawDigit: network is <class .*; expected a Network"):
        DrawDigit(Network)


def test_a_cell_that_is_not_there(explorer):
    for cell in [(8, 0), (0, 8), (-1, 0)]:
        with pytest.raises(ValueError, match="no cell"):
            explorer.paint(*cell)
    with pytest.raises(TypeError, match=r"the cell to paint is \(1.5, 2\); expected two integers"):
        explorer.paint(1.5, 2)


def test_the_cells_are_those_of_the_network_s_images():
    network = Network((5, 12, 1), Flatten(), Dense(10), seed=2)
    explorer = DrawDigit(network)
    assert explorer.view.scene.grids[0].size == (5, 12)
    eight = DIGITS.images[0]  # each cell shows that of the data which lies in the same place
    assert all(ink == eight[r * 8 // 5, c * 8 // 12] for (r, c), ink in np.ndenumerate(shown(explorer)))
    explorer.clear()
    explorer.paint(4, 11)
    assert np.argwhere(shown(explorer)).tolist() == [[4, 11]]
    assert f"sees a {network.classify(shown(explorer)[None, :, :, None] / 16)[0]} (" in repr(explorer)
    with pytest.raises(ValueError, match=r"no cell \(5, 0\) to paint; expected \(0, 0\) to \(4, 11\)"):
        explorer.paint(5, 0)
    explorer.update(example=3)
    assert shown(explorer).shape == (5, 12)
