"""ArraySliders: the value moves the sliders, a slider moves the value, and what kind of sliders there are."""

from fractions import Fraction

import ipywidgets as widgets
import pytest

from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.number_slider import NumberSlider

VALUE = ((1, -2, 3), (0, 5, -4))


@pytest.fixture
def sliders():
    return ArraySliders("K", VALUE)


def positions(sliders):
    return [slider.value for slider in sliders.children]


def handles(sliders):
    """What the reader moves."""
    return sliders.children


def entries(value):
    return [entry for row in value for entry in row]


def kinds(sliders):
    both = widgets.IntSlider, widgets.FloatSlider
    return {kind for kind in both for handle in handles(sliders) if isinstance(handle, kind)}


def test_the_sliders_stand_where_the_value_is(sliders):
    assert sliders.value == VALUE
    assert positions(sliders) == entries(VALUE)
    assert [slider.description for slider in sliders.children] == ["K₀₀", "K₀₁", "K₀₂", "K₁₀", "K₁₁", "K₁₂"]
    assert "/ 3)" in sliders.layout.grid_template_columns


def test_the_sliders_follow_the_value(sliders):
    before = sliders.children
    sliders.value = ((9, 8, 7), (-6, 5, 4))
    assert positions(sliders) == [9, 8, 7, -6, 5, 4]
    assert sliders.children == before  # not made anew: the reader may have hold of one


@pytest.mark.parametrize("value", [VALUE, ((0.5, -2.0, 3.0), (0.0, 1e-3, -4.0))], ids=["integers", "floats"])
def test_the_value_follows_each_slider_through_its_range(value):
    sliders, told = ArraySliders("K", value), []
    sliders.observe(lambda change: told.append(change.new), "value")
    for n, slider in enumerate(handles(sliders)):
        for position in (slider.min, 0, 1, slider.max):
            before = entries(sliders.value)
            del told[:]
            slider.set_state({"value": position})  # as the page does
            after = [*before[:n], position, *before[n + 1 :]]
            assert entries(sliders.value) == positions(sliders) == after
            assert told == ([sliders.value] if before != after else [])
            assert [len(row) for row in sliders.value] == [3, 3]


def test_another_shape_gets_other_sliders(sliders):
    sliders.value = ((1, 2), (3, 4), (5, 6))
    assert positions(sliders) == [1, 2, 3, 4, 5, 6]
    assert [slider.description for slider in sliders.children][-1] == "K₂₁"
    assert "/ 2)" in sliders.layout.grid_template_columns
    sliders.children[3].value = -9
    assert sliders.value == ((1, 2), (3, -9), (5, 6))


def test_integers_stay_integers_and_anything_else_gets_sliders_for_floats(sliders):
    assert kinds(sliders) == {widgets.IntSlider}
    for value in (((0.5, 1.0), (2.0, 3.0)), ((Fraction(1, 3), Fraction(1)), (Fraction(2, 7), 3.5))):
        sliders.value = value
        assert kinds(sliders) == {widgets.FloatSlider}
        assert positions(sliders) == list(map(float, entries(value)))
    sliders.value = ((1, 2), (3, 4))
    assert kinds(sliders) == {widgets.IntSlider}


def test_floats_equal_to_the_integers_before_them_are_floats(sliders):
    sliders.value = tuple(tuple(map(float, row)) for row in VALUE)
    assert kinds(sliders) == {widgets.FloatSlider}
    assert positions(sliders) == entries(VALUE)
    sliders.children[0].value = 0.5
    assert sliders.value[0][0] == 0.5
    sliders.value = VALUE
    assert kinds(sliders) == {widgets.IntSlider}


def test_a_slider_leaves_the_other_fractions_alone():
    sliders = ArraySliders("K", ((Fraction(1, 3), Fraction(2, 7)),))
    sliders.children[1].value = 0.5
    assert sliders.value == ((Fraction(1, 3), 0.5),)


@pytest.mark.parametrize(
    "entry",
    [100, -100, 10**15, 1234.5, -1e15, Fraction(-31, 3)],
    ids=["100", "−100", "1e15", "1234.5", "−1e15", "−31/3"],
)
def test_the_range_grows_with_the_value_on_both_sides(entry):
    sliders = ArraySliders("K", ((1, 2),))
    sliders.value = ((1, entry),)
    unmoved, moved = handles(sliders)
    assert (unmoved.min, unmoved.max) == (-9, 9)
    assert moved.value == float(entry)
    assert moved.max == -moved.min >= abs(entry)
    sliders.value = ((1, 3),)
    assert sliders.children[1].value == 3


@pytest.mark.parametrize(
    ("least", "most", "value", "ends"),
    [(0, 0.2, 0.5, (0, 1)), (0, 0.2, -0.1, (-1, 1)), (-3, 9, -5, (-9, 9)), (-9, 9, 17, (-17, 17)), (0, 9, 4, (0, 9))],
)
def test_the_range_of_one_number_grows_to_where_it_is(least, most, value, ends):
    slider = NumberSlider(value, least=least, most=most)
    (handle,) = slider.children
    assert slider.value == handle.value == value
    assert (handle.min, handle.max) == ends


def test_a_number_moved_by_a_step_has_no_crumbs():
    slider = NumberSlider(0.3)
    (handle,) = slider.children
    handle.set_state({"value": 0.1 + 0.2})  # 0.30000000000000004
    assert slider.value == 0.3
    handle.set_state({"value": 2.9999999999999982})
    assert slider.value == 3
    assert handle.continuous_update is False


def test_a_change_of_the_value_is_told_once(sliders):
    told = []
    sliders.observe(lambda change: told.append(change.new), "value")
    for value in (((7, 7, 7), (7, 7, 7)), ((1, 2),), ((0.5, 2.0),)):
        del told[:]
        sliders.value = value
        assert told == [value]
