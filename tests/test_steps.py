"""Where the sliders of a control can go: the steps of the page, and what the control then says."""

import ipywidgets as widgets
import pytest

from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.controls.step_player import StepPlayer
from convbp.explorers.controls.steps import moved, sliders, steps

ROWS = ((1, 9, 3), (4, 0.25, 6))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, [3, 4, 2]),
        (9, [9, 8]),
        (-9, [-9, -8]),
        (1 / 3, [0.3, 0.4, 0.2]),
        (0.27, [0.3, 0.4, 0.2]),
        (9.0, [9.0, 8.9]),
    ],
)
def test_one_number_goes_a_step_on_and_back_within_its_range(value, expected):
    control = NumberSlider(value)
    (slider,) = sliders(control)
    found = list(steps(control, slider, value, 1))
    assert [step.control for step in found] == expected
    assert [step.slider for step in found] == pytest.approx(expected)
    assert {type(step.control) for step in found} == {type(value)}


def test_of_an_array_one_entry_goes_and_the_others_stay():
    control = ArraySliders("K", ROWS)
    found = list(sliders(control))
    assert [step.control for step in steps(control, found[5], ROWS, 1)] == [
        ((1, 9, 3), (4, 0.25, 6)),
        ((1, 9, 3), (4, 0.25, 7)),
        ((1, 9, 3), (4, 0.25, 5)),
    ]
    assert [step.control[0][1] for step in steps(control, found[1], ROWS, 2)] == [9, 8, 7]
    assert [step.control[1][2] for step in steps(control, found[5], ROWS, 4)] == [6, 7, 5, 8, 4, 9, 3, 2]
    control.value = ((1, 2),)
    assert list(steps(control, found[5], control.value, 1)) == []  # which is no slider of it any more


def test_the_slider_that_was_moved_is_found_if_it_was_one():
    control = ArraySliders("K", ROWS)
    assert moved(control, ((1, 9, 3), (5, 0.25, 6)), ROWS) is list(sliders(control))[3]
    assert moved(control, ((1, 9, 2), (5, 0.25, 6)), ROWS) is None
    assert moved(control, ((1, 9), (5, 0.25)), ROWS) is None
    player = StepPlayer()
    assert moved(player, 1, 2) in player.children
    assert moved(widgets.Dropdown(options="ab"), "a", "b") is None
