"""The control for steps, moved through its real parts."""

import ipywidgets as widgets
import pytest

from convbp.explorers.controls.step_player import StepPlayer


@pytest.fixture
def player():
    player = StepPlayer()
    player.max = 3
    return player


def test_every_part_sets_the_step_and_the_others_follow(player):
    play, back, on, slider = player.children
    assert isinstance(play, widgets.Play)
    heard = []
    player.observe(lambda change: heard.append(change.new), "value")
    for move, step in [
        *[(lambda: play.set_state({"value": 1}), 1), (on.click, 2), (lambda: slider.set_state({"value": 3}), 3)],
        *[(on.click, 3), (back.click, 2), (lambda: setattr(player, "value", 0), 0), (back.click, 0)],
    ]:
        move()
        assert player.value == play.value == slider.value == step
    assert heard == [1, 2, 3, 2, 0]


def test_the_step_stays_within_what_there_is(player):
    play, *_, slider = player.children
    player.value = 9
    assert player.value == 3
    player.max = 1
    assert (player.value, play.value, slider.value) == (1, 1, 1)
    assert play.max == slider.max == 1
    player.max = 5
    player.value = 5
    assert play.value == slider.value == 5
