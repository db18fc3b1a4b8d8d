"""KernelFlip's scene against rot180 read entry by entry, and what it says of a kernel against both operations."""

import re

import ipywidgets as widgets
import numpy as np
import pytest

from controls import control
from convbp import loops
from convbp.explorers import KernelFlip
from convbp.explorers.controls.step_player import StepPlayer
from convbp.explorers.kernel_flip import State, scene
from convbp.notation import number, subscripted
from convbp.pictures.scene import Selection

# The kernels in the square: which of the two reflections each of them has behind it, (rows, columns).
SQUARE = {"kernel": (0, 0), "rows": (1, 0), "columns": (0, 1), "turned": (1, 1)}
ORDER = {"rows": ("kernel", "rows", "turned", "columns"), "columns": ("kernel", "columns", "turned", "rows")}


def random_state(rng):
    k1, k2 = rng.choice(np.arange(1, 6), 2, replace=False)
    kernel = rng.integers(-3, 4, (k1, k2))
    kernel = [kernel, kernel + kernel[::-1, ::-1], kernel - kernel[::-1, ::-1], kernel + kernel[::-1]][rng.integers(4)]
    return State(kernel, str(rng.choice(["rows", "columns"])), int(rng.integers(4)))


def place(name, size, m, n):
    """Where the entry (m, n) of the kernel is in a grid of that size."""
    rows, columns = SQUARE[name]
    return size[0] - 1 - m if rows else m, size[1] - 1 - n if columns else n


def check(state, drawn):
    """Where every entry is, and what is said of the kernel."""
    (k1, k2), shown = state.kernel.shape, ORDER[state.first][: state.step + 1]
    grids = {grid.name: grid for grid in drawn.grids}
    for name in SQUARE:
        for (m, n), value in np.ndenumerate(state.kernel):
            at = place(name, (k1, k2), m, n)
            assert grids[name].entry(*at) == (value if name in shown else None)
            assert [row[at[1]].text for row in grids[name].tags[at[0] : at[0] + 1]] == (
                [subscripted("K", m, n)] if name in shown else []
            )
    turned = loops.rot180(np.array(state.kernel, int))
    if "turned" in shown:
        assert np.array_equal(np.array(grids["turned"].values, int), turned)
        assert np.array_equal(np.array(grids["change"].values, int), state.kernel - turned)
    else:
        assert {value for row in grids["change"].values for value in row} == {None}
    assert len(drawn.highlights) == k1 * k2 * len(shown)
    for chosen, highlight in drawn.highlights.items():
        # Of the cells that hold one entry of the kernel, whichever is chosen, the picture shows them all.
        m, n = place(chosen.grid, (k1, k2), chosen.row, chosen.col)
        marks = {mark.grid: (mark.row, mark.col) for mark in highlight.marks}
        assert marks.pop("change", (m, n)) == (m, n)
        assert [mark.grid for mark in highlight.marks if mark.style == "solid"] == [chosen.grid]
        assert marks == {name: place(name, (k1, k2), m, n) for name in shown}
        value = number(state.kernel[m, n])
        of_the_turn = ":  rot180(K)(m, n) = K(k₁ − 1 − m, k₂ − 1 − n)" * ("turned" in shown)  # not before it is seen
        assert highlight.formula.heading == f"K({m}, {n}) = {value}{of_the_turn}"
        terms = [term for row in highlight.formula.terms for term in row]
        assert [term.numbers for term in terms] == [
            f"at {place(name, (k1, k2), m, n)}" if name in shown else "not yet"
            for name in ("kernel", "columns", "rows", "turned")
        ]
        assert highlight.sentence.startswith(f"K({m}, {n}) is {value}")
        said = re.findall(r"\(\d, \d\)", highlight.sentence)
        assert said == [str(place(name, (k1, k2), m, n)) for name in shown]
    check_words(state, highlight.formula)


def check_words(state, formula):
    """What the picture says of the kernel is so on an image, by Eq. 1 and Eq. 2."""
    (said,) = formula.notes
    if state.step < 2:
        assert said.endswith("?")
        return
    k1, k2 = state.kernel.shape
    # Powers of 97: two kernels of small integers give the same on it only if they are the same.
    image = np.array([97**n for n in range((k1 + 1) * (k2 + 2))], object).reshape(k1 + 1, k2 + 2)
    flipped, as_it_is = loops.convolve(image, state.kernel), loops.cross_correlate(image, state.kernel)
    assert ("I ∗ K = I ⊗ K" in said) == np.array_equal(flipped, as_it_is)
    if not np.array_equal(flipped, as_it_is):
        assert ("opposite sign" in said) == np.array_equal(flipped, -as_it_is)
    if "each reflection alone leaves" in said or "Reversing the rows changes nothing" in said:
        assert np.array_equal(state.kernel, state.kernel[::-1])
    if "Reversing the columns changes nothing" in said:
        assert np.array_equal(state.kernel, state.kernel[:, ::-1])


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        ([[1, 2, 3], [4, 5, 6]], "rot180(K) is another kernel: I ∗ K and I ⊗ K differ."),
        ([[1, 1], [1, 1], [1, 1]], "This kernel is its own rot180, each reflection alone leaves it as it is: "),
        ([[1, 2, 3], [3, 2, 1]], "This kernel is its own rot180, though no reflection alone leaves it as it is: "),
        ([[-1, 0, 1], [-2, 0, 2]], "rot180(K) is another kernel"),
        ([[-1, 0, 1], [-1, 0, 1]], "rot180(K) = −K: the convolution I ∗ K is I ⊗ K with the opposite sign."),
        ([[1, 2, 3], [1, 2, 3]], "Reversing the rows changes nothing here: reversing the columns is the whole turn."),
        ([[1, 2, 1], [3, 4, 3]], "Reversing the columns changes nothing here: reversing the rows is the whole turn."),
    ],
)
def test_what_is_said_of_a_kernel(kernel, words):
    formula = scene(State(kernel)).highlights["kernel", 0, 0].formula
    assert formula.notes[0].startswith(words)


def test_one_picture_word_by_word():
    state = State([[1, 2, 3], [4, -5, 6]], "columns", 2)
    highlight = scene(state).highlights["kernel", 0, 2]
    assert highlight.formula.heading == "K(0, 2) = 3:  rot180(K)(m, n) = K(k₁ − 1 − m, k₂ − 1 − n)"
    assert [[(term.symbols, term.numbers) for term in row] for row in highlight.formula.terms] == [
        [("kernel K", "at (0, 2)"), ("columns reversed", "at (0, 0)")],
        [("rows reversed", "not yet"), ("both: rot180(K)", "at (1, 0)")],
    ]
    assert highlight.formula.total == "The rows are reversed as well: that is the turn by 180°."
    assert highlight.sentence == (
        "K(0, 2) is 3; with the columns reversed it is at (0, 0); with the rows reversed as well at (1, 0)."
    )


def test_the_steps_lead_around_the_square_and_a_step_back_keeps_the_cell():
    explorer = KernelFlip(step=0)
    player = control(explorer, StepPlayer)
    assert (player.max, player.value) == (3, 0)
    for step, name in enumerate(ORDER["rows"]):
        player.value = step
        assert {grid.name for grid in explorer.view.scene.grids if grid.axes} == set(ORDER["rows"][: step + 1])
        explorer.select(1, 2, name)
        assert explorer.state.selected == (name, 1, 2)
    player.value = 1
    assert explorer.state.selected == ("kernel", 1, 2)


def test_another_shape_keeps_the_nearest_cell():
    assert scene(State(np.ones((2, 3)), selected=Selection("turned", 4, 1))).selected == ("kernel", 1, 1)


def test_a_preset_has_the_shape_of_the_kernel():
    explorer = KernelFlip([[1, 2, 3], [0, 1, 5]])
    preset = control(explorer, widgets.Dropdown)
    preset.value = "equal to its own rot180"
    assert explorer.state.kernel.shape == (2, 3)
    assert {value for row in explorer.view.scene.grids[-1].values for value in row} == {0}


BAD_INPUT = {
    "text": ({"kernel": "cat"}, "KernelFlip: kernel has entries of type str; expected real numbers"),
    "too large": ({"kernel": np.ones((3, 6))}, "KernelFlip: kernel has shape (3, 6); expected at most 5×5"),
    "first": ({"first": "diagonal"}, "KernelFlip: first is 'diagonal'; expected 'rows' or 'columns'."),
    "step": ({"step": 4}, "KernelFlip: step is 4; expected a whole number from 0 to 3."),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        KernelFlip(**arguments)
    assert str(refused.value).startswith(message)
    explorer = KernelFlip()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
