"""Explorer, driven as the page drives it: through the traits of its real controls, and their real callbacks."""

import asyncio
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace

import ipywidgets as widgets
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

import sample
from controls import control
from convbp import convolve
from convbp.explorers import PoolingRoute, SlidingWindow
from convbp.explorers.controls import alike
from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.kernel_presets import OWN_VALUES, PRESETS
from convbp.explorers.explorer import FRAME, Explorer
from convbp.explorers.sliding_window import scene
from convbp.explorers.states.fields import whole
from convbp.explorers.states.state import ExplorerState
from convbp.pictures import svg
from convbp.pictures.grid_view import GridView
from convbp.pictures.scene import Formula, Grid, Highlight, Highlights, Mark, Scene, Selection, Term
from pictures import page, parse

IMAGE = [[1, 2, 0, 3], [0, -1, 5, 2], [4, 0, 1, 1]]
KERNEL = [[2, -3], [0, 1]]
TOO_TALL = [[1, 2], [0, 3], [2, -1], [5, 4]]  # for the image, unless the mode is full


@pytest.fixture
def explorer():
    return SlidingWindow(IMAGE, KERNEL)


def operations(explorer):
    return control(explorer, widgets.ToggleButtons, description="operation")


def modes(explorer):
    return control(explorer, widgets.ToggleButtons, description="mode")


def presets(explorer):
    return control(explorer, widgets.Dropdown)


def sliders(explorer):
    return control(explorer, ArraySliders).children


def press(choice, value):
    """As the page does it: it knows its options by their place."""
    values = [option[-1] if isinstance(option, tuple) else option for option in choice.options]
    choice.set_state({"index": values.index(value)})


def shown(explorer):
    """What the reader sees, controls included."""
    view = explorer.view
    return (
        ElementTree.tostring(page(view)),
        *(view.patches, view.layouts, view.axes, view.title),
        *(operations(explorer).value, modes(explorer).value, presets(explorer).value),
        [slider.value for slider in sliders(explorer)],
    )


def check(explorer):
    """The reader sees what a fresh explorer in the same state would show, and every control says the same."""
    state, view = explorer.state, explorer.view
    drawn = scene(state)
    assert state.selected == drawn.selected == (view.grid, view.row, view.col)
    assert view.scene == drawn
    fresh = GridView(drawn)
    assert shown(explorer)[:5] == (
        ElementTree.tostring(parse(svg.picture(drawn))),
        *(fresh.patches, fresh.layouts, fresh.axes, fresh.title),
    )
    assert (operations(explorer).value, modes(explorer).value) == (state.operation, state.mode)
    assert [slider.value for slider in sliders(explorer)] == state.kernel.ravel().tolist()
    name = presets(explorer).value
    if name == OWN_VALUES:
        assert not any(np.array_equal(make(*state.kernel.shape), state.kernel) for make in PRESETS.values())
    else:
        np.testing.assert_array_equal(PRESETS[name](*state.kernel.shape), state.kernel)


# Each control


def test_it_begins_as_it_was_asked_to():
    explorer = SlidingWindow(IMAGE, KERNEL, "convolution", "full")
    assert (explorer.state.operation, explorer.state.mode) == ("convolution", "full")
    assert explorer.state.image.tolist() == IMAGE
    assert explorer.state.kernel.tolist() == KERNEL
    assert explorer.message == ""
    check(explorer)


def test_the_first_selection_is_one_that_can_be_chosen():
    explorer = SlidingWindow(IMAGE, KERNEL, "convolution", "valid")  # whose output begins at (1, 1)
    assert explorer.state.selected == ("output", 1, 1)
    check(explorer)


def test_buttons_set_the_operation_and_the_mode(explorer):
    for operation in ("convolution", "cross-correlation"):
        for mode in ("full", "valid"):
            press(operations(explorer), operation)
            press(modes(explorer), mode)
            assert (explorer.state.operation, explorer.state.mode) == (operation, mode)
            check(explorer)


def test_every_preset_sets_the_kernel(explorer):
    for name, make in PRESETS.items():
        press(presets(explorer), name)
        np.testing.assert_array_equal(explorer.state.kernel, make(2, 2))
        check(explorer)
    press(presets(explorer), OWN_VALUES)
    assert explorer.state.kernel.tolist() == KERNEL, "what the reader had last"
    check(explorer)
    sliders(explorer)[3].set_state({"value": 7})
    press(presets(explorer), "all ones")
    press(presets(explorer), OWN_VALUES)
    assert explorer.state.kernel.tolist() == [[2, -3], [0, 7]]


def test_own_values_that_there_never_were_or_of_another_shape_leave_the_preset():
    explorer = SlidingWindow(IMAGE, PRESETS["all ones"](2, 2))
    before = shown(explorer)
    press(presets(explorer), OWN_VALUES)
    assert shown(explorer) == before
    assert presets(explorer).value == "all ones"
    explorer.update(kernel=KERNEL)
    explorer.update(kernel=np.ones((2, 3), int))
    press(presets(explorer), OWN_VALUES)
    assert explorer.state.kernel.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert explorer.message == ""


@pytest.mark.slow
def test_every_slider_sets_its_entry_through_its_whole_range(explorer):
    for n in range(4):
        for position in range(sliders(explorer)[n].min, sliders(explorer)[n].max + 1):
            expected = explorer.state.kernel.ravel().tolist()
            expected[n] = position
            sliders(explorer)[n].set_state({"value": position})
            assert explorer.state.kernel.ravel().tolist() == expected
            check(explorer)


@pytest.mark.slow
def test_every_cell_can_be_chosen_in_the_page_and_in_code(explorer):
    modes(explorer).value = "full"
    for choose in (
        lambda cell: explorer.view.set_state({"grid": cell.grid, "row": cell.row, "col": cell.col}),
        lambda cell: explorer.select(cell.row, cell.col),
        lambda cell: explorer.select(np.int64(cell.row), np.int64(cell.col), grid="output"),
        lambda cell: explorer.update(selected=cell),
    ):
        for cell in explorer.view.scene.highlights:
            choose(cell)
            assert explorer.state.selected == cell
            assert explorer.message == ""
            assert repr(explorer) == f"SlidingWindow: {scene(replace(explorer.state, selected=cell)).sentence}"
            check(explorer)


def test_reset_goes_back_to_how_it_began():
    explorer = SlidingWindow(IMAGE, KERNEL, "convolution", "full")
    began = shown(explorer)
    for change in (
        lambda: explorer.update(image=[[1, 2, 3]], kernel=[[0.5, 1]], mode="valid", operation="cross-correlation"),
        lambda: explorer.select(2, 2),
        lambda: explorer.update(mode="no such mode"),
    ):
        change()
        assert shown(explorer) != began or explorer.message
        control(explorer, widgets.Button, description="Reset").click()
        assert shown(explorer) == began
        assert explorer.message == ""
        check(explorer)


# Everything at once


def gestures(explorer, rng):
    """Everything a reader can do, each with random values."""
    some_kernel = rng.integers(-9, 10, rng.integers(1, 4, 2))
    some_image = rng.integers(-9, 10, rng.integers(4, 7, 2))
    cells = list(explorer.view.scene.highlights)
    cell = cells[rng.integers(len(cells))]
    slider = sliders(explorer)[rng.integers(len(sliders(explorer)))]
    return {
        "slider": lambda: slider.set_state({"value": int(rng.integers(slider.min, slider.max + 1))}),
        "operation": lambda: press(operations(explorer), str(rng.choice(["cross-correlation", "convolution"]))),
        "mode": lambda: press(modes(explorer), str(rng.choice(["valid", "full"]))),
        "preset": lambda: press(presets(explorer), str(rng.choice([*PRESETS, OWN_VALUES]))),
        "page": lambda: explorer.view.set_state({"row": cell.row, "col": cell.col}),
        "select": lambda: explorer.select(cell.row, cell.col),
        "kernel": lambda: explorer.update(kernel=some_kernel),
        "floats": lambda: explorer.update(kernel=some_kernel / 2),
        "image": lambda: explorer.update(image=some_image),
        "both": lambda: explorer.update(image=some_image, kernel=TOO_TALL, mode="full"),
        "reset": explorer.reset,
    }


BAD_GESTURES = {
    "text": lambda explorer: explorer.update(image="cat"),
    "too large": lambda explorer: explorer.update(kernel=np.ones((6, 6)), mode="full"),
    "half good": lambda explorer: explorer.update(image=[[1, 2]], operation="no such operation"),
    "unknown field": lambda explorer: explorer.update(imgae=[[1, 2]]),
    "no such cell": lambda explorer: explorer.select(99, 0),
    "not a cell": lambda explorer: explorer.update(selected=None),
    "does not fit": lambda explorer: explorer.update(kernel=np.ones((5, 5)), mode="valid", image=np.ones((3, 4))),
}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(sample.size(1, thorough=3)))
def test_after_a_hundred_random_gestures_the_picture_is_that_of_a_fresh_explorer(seed):
    explorer, rng, done = SlidingWindow(IMAGE, KERNEL), np.random.default_rng(seed), set()
    for _ in range(100):
        if rng.random() < 0.2:
            before, state = shown(explorer), explorer.state
            BAD_GESTURES[str(rng.choice(list(BAD_GESTURES)))](explorer)
            assert explorer.message
            assert explorer.state is state
            assert shown(explorer) == before
        else:
            possible, state = gestures(explorer, rng), explorer.state
            name = str(rng.choice(list(possible)))
            possible[name]()
            done.add(name)
            # What changes anything takes the message away; only a valid mode that does not fit is refused.
            assert not explorer.message or explorer.state is state
            check(explorer)
    assert done == set(gestures(explorer, rng))


# Bad input


BAD_CELLS = {
    "outside": (("output", 3, 0), "SlidingWindow: there is no cell ('output', 3, 0) to choose; expected one from"),
    "negative": (("output", 0, -1), "SlidingWindow: there is no cell ('output', 0, -1) to choose; expected one from"),
    "wrong grid": (("input", 0, 0), "SlidingWindow: there is no cell ('input', 0, 0) to choose; expected one from"),
    "no grid": ((0, 0), "SlidingWindow: selected is (0, 0); expected the name of a grid and two integers"),
    "float": (("output", 0.5, 0), "SlidingWindow: selected is ('output', 0.5, 0); expected the name of a grid and two"),
    "text": ("abc", "SlidingWindow: selected is 'abc'; expected the name of a grid and two integers, for example"),
    "nothing": (None, "SlidingWindow: selected is None; expected the name of a grid and two integers, for example"),
}


@pytest.mark.parametrize(("cell", "message"), BAD_CELLS.values(), ids=BAD_CELLS)
def test_a_cell_that_cannot_be_chosen_is_refused_in_a_sentence(explorer, cell, message):
    before, state = shown(explorer), explorer.state
    explorer.update(selected=cell)
    assert explorer.message.startswith(message)
    assert explorer.state is state
    assert shown(explorer) == before


def test_the_refusal_of_a_cell_says_which_ones_there_are(explorer):
    explorer.select(2, 0)
    assert explorer.message == (
        "SlidingWindow: there is no cell ('output', 2, 0) to choose; "
        "expected one from ('output', 0, 0) to ('output', 1, 2)."
    )


def test_a_field_that_does_not_exist_is_refused_with_those_that_do(explorer):
    explorer.update(imgae=IMAGE)
    assert explorer.message == (
        "SlidingWindow: there is no imgae to change; expected image, kernel, operation, mode, covered, selected."
    )


def test_a_cell_and_a_mode_can_be_chosen_together(explorer):
    explorer.update(mode="full", selected=("output", -1, -1))
    assert (explorer.message, explorer.state.selected) == ("", ("output", -1, -1))
    check(explorer)


def test_a_button_for_what_has_no_picture_springs_back():
    explorer = SlidingWindow(IMAGE, TOO_TALL, mode="full")
    before = shown(explorer)
    press(modes(explorer), "valid")
    assert "4×2 and does not fit into the input of 3×4" in explorer.message
    assert modes(explorer).value == "full"
    assert shown(explorer) == before
    check(explorer)


@pytest.mark.parametrize(
    "good",
    [
        lambda explorer: explorer.update(kernel=KERNEL),
        lambda explorer: explorer.select(1, 1),
        lambda explorer: explorer.view.set_state({"row": 1}),
        lambda explorer: sliders(explorer)[0].set_state({"value": 7}),
        lambda explorer: press(modes(explorer), "full"),
        lambda explorer: explorer.reset(),
    ],
    ids=["update", "select", "page", "slider", "button", "reset"],
)
def test_the_next_good_input_takes_the_message_away(explorer, good):
    explorer.update(image=[[np.nan]])
    assert explorer.message == explorer.view.message != ""
    good(explorer)
    assert explorer.message == explorer.view.message == ""


def test_a_choice_made_in_a_picture_that_is_gone_is_put_right(explorer):
    modes(explorer).value = "full"
    explorer.select(2, 3)
    explorer.update(mode="valid")
    explorer.view.set_state({"row": 2, "col": 3})  # on its way when the mode changed
    assert (explorer.view.row, explorer.view.col) == (1, 2)
    check(explorer)


def test_the_reader_s_arrays_are_left_alone_and_what_becomes_of_them_does_not_show():
    image, kernel = np.array(IMAGE), np.array(KERNEL)
    explorer = SlidingWindow(image, kernel)
    sliders(explorer)[0].value = 7
    explorer.update(mode="full")
    assert image.tolist() == IMAGE
    assert kernel.tolist() == KERNEL
    explorer.reset()
    explorer.update(image=image, kernel=kernel)
    before = shown(explorer)
    image[:], kernel[:] = 9, 9
    explorer.select(0, 0)
    explorer.update()
    assert shown(explorer) == before
    assert explorer.state.image.tolist() == IMAGE


# An explorer of another picture: one slider, and two grids in which a cell can be chosen


FIRST = Selection("a", 0, 0)


@dataclass(frozen=True)
class Two(ExplorerState):
    factor: int = whole(1, -5, 5)
    offset: int = whole(0, 0, 100)


def two_grids(state):
    if state.factor < 0:
        raise ValueError("Two: factor is negative; expected at least 0.")
    columns = tuple((Grid(name, name, ((1, 2 * state.factor + state.offset),), axes=("i", "j")),) for name in "ab")
    cells = [Selection(name, 0, col) for name in "ab" for col in range(2)]
    formula = Formula("", ((Term("", "", 0),),), "")
    highlights = {cell: Highlight((Mark(*cell),), formula, f"{cell.grid}{cell.col}") for cell in cells}
    return Scene("two", columns, highlights, state.selected if state.selected in highlights else FIRST)


class TwoGrids(Explorer, state=Two, scene=two_grids):
    """Two grids."""


def test_any_state_and_scene_make_an_explorer():
    explorer = TwoGrids()
    slider = control(explorer, description="factor")
    assert (slider.min, slider.max, slider.value) == (-5, 5, 1)
    slider.set_state({"value": 4})
    assert explorer.state == Two(4, selected=FIRST)
    assert explorer.view.scene == two_grids(explorer.state)
    explorer.update(factor=3)
    assert slider.value == 3
    slider.set_state({"value": -1})
    assert (explorer.message, slider.value) == ("Two: factor is negative; expected at least 0.", 3)
    with pytest.raises(ValueError, match="Two: factor is negative"):
        TwoGrids(-1)


def late(state):
    """The same, but that of cell b1 there is nothing to show if the factor is 4."""

    def highlight(cell):
        if state.factor == 4 and cell == ("b", 0, 1):
            raise (ValueError("Two: of b1 nothing can be said.") if state.offset < 9 else OverflowError("too large"))
        return drawn.highlights[cell]

    drawn = two_grids(state)
    return replace(drawn, highlights=Highlights({cell: partial(highlight, cell) for cell in drawn.highlights}))


class TwoLate(Explorer, state=Two, scene=late):
    """Two grids."""


@pytest.mark.parametrize(
    ("offset", "message"),
    [
        (1, "Two: of b1 nothing can be said."),
        (9, "TwoLate: OverflowError('too large'); expected numbers of a usual size."),
    ],
)
def test_what_turns_out_to_have_no_picture_after_its_first_part_was_shown_leaves_the_former_one(offset, message):
    explorer = TwoLate(factor=3, offset=offset)
    explorer.select(0, 1, grid="a")
    view = explorer.view
    before = [ElementTree.tostring(page(view)), view.patches, view.layouts, view.scene]
    slider = control(explorer, description="factor")
    slider.set_state({"value": 4})
    assert (explorer.message, slider.value, explorer.state.factor) == (message, 3, 3)
    assert [ElementTree.tostring(page(view)), view.patches, view.layouts, view.scene] == before
    slider.set_state({"value": 2})
    assert (explorer.message, explorer.state.factor, len(view.patches)) == ("", 2, 4)


# In a kernel: what a control changes is drawn before the cells of the picture follow


def in_a_kernel(scenario):
    """Run a generator where an event loop runs, which at each yield of it has the seconds that come.

    Without, it has 50 ms more than a page has to draw.
    """

    async def run():
        for seconds in scenario:
            await asyncio.sleep(FRAME + 0.05 if seconds is None else seconds)

    asyncio.run(run())


def test_in_a_kernel_the_cells_follow_when_the_page_has_had_the_time_to_draw():
    explorer = SlidingWindow(IMAGE, KERNEL)
    whole = SlidingWindow(IMAGE, [[5, -3], [0, 1]]).view

    def scenario():
        sliders(explorer)[0].set_state({"value": 5})
        view = explorer.view
        assert (view.slots["sentence"], view.patches, view.is_complete) == (whole.slots["sentence"], {}, False)
        yield
        assert (view.frame, view.slots, view.patches, view.moves) == (
            whole.frame,
            whole.slots,
            whole.patches,
            whole.moves,
        )

    in_a_kernel(scenario())


def test_in_a_kernel_a_slider_that_moves_on_makes_the_cells_of_its_last_place_alone(monkeypatch):
    explorer, made = SlidingWindow(IMAGE, KERNEL), []
    complete = GridView.complete
    monkeypatch.setattr(GridView, "complete", lambda view: (made.append(view._scene.grids[1].values), complete(view)))

    def scenario():
        for value in (3, 4, 5):
            sliders(explorer)[0].set_state({"value": value})
        yield
        assert made == [((5, -3), (0, 1))]
        assert explorer.view.patches == SlidingWindow(IMAGE, [[5, -3], [0, 1]]).view.patches

    in_a_kernel(scenario())


def test_in_a_kernel_sizes_that_changed_twice_before_any_cells_followed_are_those_of_the_picture():
    """Between two pictures of one size another one has the page for a moment, and leaves its frame there."""
    explorer = SlidingWindow(IMAGE, KERNEL)

    def scenario():
        press(modes(explorer), "full")
        press(modes(explorer), "valid")
        sliders(explorer)[0].set_state({"value": 5})
        assert explorer.view.frame == SlidingWindow(IMAGE, [[5, -3], [0, 1]]).view.frame
        yield
        assert ElementTree.tostring(page(explorer.view)) == ElementTree.tostring(
            page(SlidingWindow(IMAGE, [[5, -3], [0, 1]]).view)
        )

    in_a_kernel(scenario())


def test_in_a_kernel_update_and_a_page_of_its_own_have_all_cells_at_once(tmp_path):
    explorer = SlidingWindow(IMAGE, KERNEL)

    def scenario():
        explorer.update(kernel=[[5, -3], [0, 1]])
        assert explorer.view.patches == SlidingWindow(IMAGE, [[5, -3], [0, 1]]).view.patches
        sliders(explorer)[0].set_state({"value": 4})
        assert not explorer.view.patches
        explorer.save_html(tmp_path / "page.html")
        assert explorer.view.patches == SlidingWindow(IMAGE, [[4, -3], [0, 1]]).view.patches
        yield

    in_a_kernel(scenario())


def test_in_a_kernel_a_cell_that_was_chosen_meanwhile_asks_for_the_cells_at_once():
    explorer = SlidingWindow(IMAGE, KERNEL)

    def scenario():
        sliders(explorer)[0].set_state({"value": 5})
        explorer.view.set_state({"col": 1})
        assert explorer.view.patches == SlidingWindow(IMAGE, [[5, -3], [0, 1]]).view.patches
        assert explorer.state.selected == ("output", 0, 1)
        yield

    in_a_kernel(scenario())


def pictures_ahead(explorer):
    """The slider they are for, the chosen cell, and the picture by the slider's value."""
    ahead = explorer.view.ahead
    return ahead["slider"], ahead["at"], {value: picture["slots"] for value, picture in ahead["pictures"]}


def steps_around(value):
    """Where a slider from -9 to 9 goes from there in eight steps."""
    return set(range(max(value - 8, -9), min(value + 8, 9) + 1))


def test_in_a_kernel_what_a_slider_that_was_moved_leads_to_next_is_sent_ahead():
    explorer = SlidingWindow(IMAGE, KERNEL)
    first, view = sliders(explorer)[0], explorer.view

    def move(slider, value):
        """Whether the picture that comes first has been sent ahead."""
        sent = pictures_ahead(explorer)[2].get(value) if view.ahead else None
        slider.set_state({"value": value})
        return view.slots == sent

    def scenario():
        assert not move(first, 5)
        assert view.ahead == {}
        yield from (None, None)  # after the cells
        assert pictures_ahead(explorer)[:2] == (first.model_id, "output,0,0")
        assert pictures_ahead(explorer)[2].keys() == steps_around(5)
        for value in (6, 9, 5, 4, -3):  # with no moment between them
            assert move(first, value)
        yield from (None, None)
        assert pictures_ahead(explorer)[2].keys() == steps_around(-3)
        assert not move(first, 8)  # too far
        yield from (None, None)
        assert pictures_ahead(explorer)[2].keys() == steps_around(8)
        view.set_state({"col": 1})  # of this cell there is another picture
        yield from (None, None)
        assert pictures_ahead(explorer)[:2] == (first.model_id, "output,0,1")
        assert move(first, 7)
        yield from (None, None)
        assert not move(sliders(explorer)[3], 2)
        assert view.ahead == {}  # it was of the other slider
        yield from (None, None)
        assert pictures_ahead(explorer)[0] == sliders(explorer)[3].model_id
        for change in (lambda: explorer.update(covered=True), lambda: move(first, 3)):
            change()
            yield from (None, None)
            assert view.ahead == {}  # where the reader is to predict, nothing is shown early
        explorer.reset()
        assert not move(first, 1)
        yield from (None, None)
        assert view.ahead
        press(modes(explorer), "full")  # no slider
        yield from (None, None)
        assert view.ahead == {}

    in_a_kernel(scenario())


def test_in_a_kernel_a_slider_that_was_only_touched_makes_what_was_ahead_of_another_untrue():
    explorer = SlidingWindow(IMAGE, KERNEL)
    first, other, *_ = sliders(explorer)

    def scenario():
        first.set_state({"value": 5})
        yield from (None, None)
        explorer.view._handle_custom_msg({"touched": 1}, [])
        other.set_state({"value": 7})  # before its own steps are ahead
        assert explorer.view.ahead == {}
        yield from (None, None)
        assert pictures_ahead(explorer)[0] == other.model_id
        first.set_state({"value": 4})
        assert explorer.view.slots == SlidingWindow(IMAGE, explorer.state.kernel).view.slots

    in_a_kernel(scenario())


def test_in_a_kernel_of_two_sliders_touched_at_once_the_last_has_its_steps_ahead():
    explorer, sent = SlidingWindow(IMAGE, KERNEL), []
    explorer.view.observe(lambda change: sent.append(change.new["slider"]), "ahead")

    def scenario():
        explorer.view._handle_custom_msg({"touched": 0}, [])
        yield from (0, 0)  # some of its pictures are drawn
        explorer.view._handle_custom_msg({"touched": 3}, [])
        yield from (None, None)
        assert sent == [sliders(explorer)[3].model_id]
        pictures = pictures_ahead(explorer)[2]
        assert pictures.keys() == steps_around(KERNEL[1][1])
        sliders(explorer)[3].set_state({"value": 4})
        assert explorer.view.slots == pictures[4]

    in_a_kernel(scenario())


def test_in_a_kernel_what_is_sent_ahead_may_have_another_frame():
    explorer = PoolingRoute(np.arange(24.0).reshape(4, 6) % 7)
    size = control(explorer, widgets.IntSlider, description="size, rows")

    def scenario():
        size.set_state({"value": 3})
        yield from (None, None)
        before, sent = explorer.view.frame, pictures_ahead(explorer)[2]
        assert any("frame" in picture for _, picture in explorer.view.ahead["pictures"])
        size.set_state({"value": 1})
        assert (explorer.view.slots, explorer.view.frame == before) == (sent[1], False)

    in_a_kernel(scenario())


def test_in_a_kernel_what_has_no_picture_is_not_sent_ahead():
    explorer = TwoLate(factor=1, offset=9)
    slider = control(explorer, description="factor")

    def scenario():
        slider.set_state({"value": 0})
        yield from (None, None)
        assert pictures_ahead(explorer)[2].keys() == {*range(6)}  # -1 is refused
        slider.set_state({"value": -1})
        assert explorer.view.ahead == {}
        assert explorer.message == "Two: factor is negative; expected at least 0."
        slider.set_state({"value": 3})
        yield from (None, None)
        assert pictures_ahead(explorer)[2].keys() == {*range(6)}

    in_a_kernel(scenario())


def test_in_a_kernel_the_former_whole_picture_stays_where_the_cells_of_one_cannot_be_shown():
    explorer = TwoLate(factor=3)
    explorer.select(0, 1, grid="a")
    slider = control(explorer, description="factor")
    before = [ElementTree.tostring(page(explorer.view)), explorer.view.patches, explorer.view.scene]

    def scenario():
        slider.set_state({"value": 5})  # has a picture, but is gone before its cells would have followed
        slider.set_state({"value": 4})
        assert (explorer.message, explorer.state.factor) == ("", 4)
        yield
        assert (explorer.message, explorer.state.factor, slider.value) == ("Two: of b1 nothing can be said.", 3, 3)
        assert [ElementTree.tostring(page(explorer.view)), explorer.view.patches, explorer.view.scene] == before
        slider.set_state({"value": 2})
        yield
        assert (explorer.message, explorer.state.factor, len(explorer.view.patches)) == ("", 2, 4)

    in_a_kernel(scenario())


def test_a_cell_is_chosen_in_the_grid_named_or_in_the_last_one():
    explorer = TwoGrids()
    explorer.select(0, 1, grid="b")
    assert explorer.state.selected == ("b", 0, 1)
    explorer.select(0, 0)
    assert explorer.state.selected == ("b", 0, 0)
    explorer.view.set_state({"grid": "a", "row": 0, "col": 1})
    explorer.select(0, 0)
    assert explorer.state.selected == ("a", 0, 0)


# Threads: JupyterLab runs callbacks beside a running cell.


@pytest.mark.parametrize("busy_with", ["the picture", "the controls"])
@pytest.mark.parametrize("how", ["update", "control", "page"])
def test_what_arrives_while_another_input_is_being_shown_is_not_lost(busy_with, how):
    busy = threading.Event()

    def dawdle(state, place):
        if state.factor == 2 and place == busy_with:
            busy.set()
            time.sleep(0.1)  # long enough for the other input to arrive

    def slow_scene(state):
        dawdle(state, "the picture")
        return two_grids(state)

    def slow_read(state):
        dawdle(state, "the controls")
        return state.factor

    class Slow(Explorer, state=Two, scene=slow_scene):
        def controls(self):
            ((factor, offset),) = super().controls()
            return [[offset, replace(factor, read=slow_read)]]

    explorer = Slow()
    sliders = [control(explorer, description=name) for name in ("offset", "factor")]
    first = threading.Thread(target=explorer.update, kwargs={"factor": 2})
    first.start()
    assert busy.wait(timeout=10)
    if how == "page":
        explorer.view.set_state({"col": 1})
    elif how == "update":
        explorer.update(offset=7)
    else:
        sliders[0].set_state({"value": 7})
    first.join()
    assert explorer.state == (Two(2, 0, selected=Selection("a", 0, 1)) if how == "page" else Two(2, 7, selected=FIRST))
    assert explorer.view.scene == two_grids(explorer.state)
    assert [slider.value for slider in sliders] == [explorer.state.offset, 2]


@pytest.mark.slow
def test_callbacks_and_updates_in_several_threads_leave_one_state(explorer):
    start, rounds = threading.Barrier(4), range(60)

    def update_kernels():
        start.wait()
        for n in rounds:
            explorer.update(kernel=[[n % 9, 1], [2, -n % 9]], mode=("valid", "full")[n % 2])

    def update_images():
        start.wait()
        for n in rounds:
            explorer.update(image=np.full((3 + n % 2, 4), n), operation=("convolution", "cross-correlation")[n % 2])
            explorer.update(image="bad")

    def move_controls():
        start.wait()
        for n in rounds:
            press(modes(explorer), ("valid", "full")[n % 2])
            sliders(explorer)[n % 4].set_state({"value": n % 7})

    def choose_cells():
        start.wait()
        for n in rounds:
            explorer.view.set_state({"row": n % 3, "col": n % 4})

    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(act) for act in (update_kernels, update_images, move_controls, choose_cells)]:
                done.result(timeout=60)
    finally:
        sys.setswitchinterval(switch_interval)
    check(explorer)


# In a notebook


def test_the_output_is_a_live_view_a_still_picture_and_a_sentence(explorer):
    explorer.view.set_state({"row": 1, "col": 2})
    data, metadata = explorer._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert data["image/png"] == explorer.view.still()[0]["image/png"]
    sentence = "Output (1, 2) is 5: the kernel lies on the 2×2 window of the input that starts at (1, 2);"
    assert data["text/plain"].startswith(f"SlidingWindow: {sentence}")
    assert data["text/plain"] == repr(explorer)
    assert metadata["image/png"]["alt"].startswith(sentence)


def test_what_is_saved_is_the_view_s_and_nothing_else_is_touched(explorer, tmp_path):
    explorer.select(1, 2)
    before = shown(explorer)
    tmp_path /= "new"  # a folder that is not there yet
    explorer.save_html(tmp_path / "page.html", title="T", caption="C")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == explorer.view.html("T", "C")
    explorer.save_html(tmp_path / "apart.htm", title="T", caption="C", inline=False)
    apart = (tmp_path / "apart.htm").read_text(encoding="utf-8")
    assert all(part in apart for part in ('href="apart.css"', 'src="apart.js"', ">T<", ">C<"))
    explorer.save_svg(tmp_path / "picture.svg")
    explorer.save_png(tmp_path / "picture.png", scale=3)
    assert {path.name for path in tmp_path.iterdir()} == {
        *["page.html", "apart.htm", "apart.css", "apart.js", "picture.svg", "picture.png"]
    }
    picture = parse((tmp_path / "picture.svg").read_text(encoding="utf-8"))
    assert picture.findtext("{*}desc") == explorer.view.scene.sentence
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == tuple(3 * int(picture.get(side)) for side in ("width", "height"))
    with pytest.raises(ValueError, match=r"save_png: scale is 0; expected a number above 0 and at most 20"):
        explorer.save_png(tmp_path / "other.png", scale=0)
    assert shown(explorer) == before


def test_a_grid_of_predictions_is_judged_as_an_exercise_would_and_lasts_while_the_numbers_do(explorer):
    view = explorer.view
    explorer.update(covered=True)
    turned = convolve(np.array(IMAGE), np.array(KERNEL))
    right = dict(zip(view.solution.cells(), (value for row in view.solution.values for value in row), strict=True))

    def predict(numbers):
        view.predictions = {f"{row},{col}": [float(value), str(value)] for (row, col), value in numbers.items()}

    predict(dict(list(right.items())[1:]))
    assert view.verdict == ""
    predict(right)
    assert view.verdict == f"{len(right)} of {len(right)} are right."
    predict(dict(np.ndenumerate(turned)))
    assert f" of {len(right)} are right. You turned the kernel by 180°" in view.verdict
    explorer.update(covered=False)
    assert len(view.predictions) == len(right), "beside the right ones, now that these can be seen"
    explorer.update(kernel=[[1, 2], [3, 4]])
    assert (view.predictions, view.verdict) == ({}, "")
    predict(right)
    explorer.reset()
    assert (view.predictions, view.verdict) == ({}, "")


class Shell:
    """As much of IPython in a kernel as a picture asks: which cell runs, what has a name, the history of results."""

    del_var = InteractiveShell.del_var  # and what that asks for

    def __init__(self):
        self.user_ns, self.parent = {"Out": {}}, {}
        self.history_manager = SimpleNamespace(output_hist=self.user_ns["Out"])
        self.last_execution_result = SimpleNamespace(result=None)
        self.displayhook = SimpleNamespace(_=None, __=None, ___=None)

    @property
    def all_ns_refs(self):
        return [self.user_ns]

    def get_parent(self):
        return self.parent

    def run(self, number, cell, show):
        """Show what ``show()`` returns as the result of a cell that is run as so manieth."""
        self.parent = {"metadata": {"cellId": cell}, "header": {"msg_id": str(number)}}
        self.user_ns[f"_{number}"] = self.user_ns["Out"][number] = shown = show()
        shown._repr_mimebundle_()
        return shown


@pytest.mark.slow
def test_a_cell_that_runs_again_closes_what_only_it_had_shown(monkeypatch):
    shell = Shell()
    monkeypatch.setattr("convbp.explorers.controls.former.get_ipython", lambda: shell)
    monkeypatch.setattr("convbp.explorers.controls.former._shown", {})
    before = set(widgets.widget._instances)

    def is_open(explorer):
        return {explorer.model_id, explorer.view.model_id} <= widgets.widget._instances.keys()

    first = shell.run(1, "a", SlidingWindow)
    ids = set(widgets.widget._instances) - before - {look.model_id for look in alike._looks.values()}  # all share those
    second = shell.run(2, "a", SlidingWindow)
    assert not ids & set(widgets.widget._instances), "the layouts, the styles and the controls are closed, too"
    assert first.comm is None
    assert shell.user_ns["Out"] == {2: second}
    shell.run(3, "b", lambda: second)  # which stands in two cells now
    named = shell.run(4, "a", SlidingWindow)
    assert is_open(second)
    shell.user_ns["kept"] = {"it": named}
    shell.run(5, "a", SlidingWindow)
    assert is_open(named)
    shell.run(6, None, SlidingWindow)  # some front ends do not say which cell it is
    last = shell.run(7, None, SlidingWindow)
    assert is_open(last)
    assert len([one for one in shell.user_ns["Out"].values() if isinstance(one, SlidingWindow)]) == 6


def test_cells_that_show_the_same_run_again_in_turns(monkeypatch):
    """As in notebook 00, where one cell begins a training and the next one waits for its end."""
    shell = Shell()
    monkeypatch.setattr("convbp.explorers.controls.former.get_ipython", lambda: shell)
    monkeypatch.setattr("convbp.explorers.controls.former._shown", {})
    for number in (1, 3, 5):
        shown = shell.run(number, "a", SlidingWindow)
        shell.run(number + 1, "b", lambda shown=shown: shown)
        assert shell.user_ns["Out"] == {number: shown, number + 1: shown}
    del shell.user_ns["_6"]  # by the reader
    last = [shell.run(number, cell, SlidingWindow) for number, cell in ((7, "a"), (8, "b"))]
    assert list(shell.user_ns["Out"].values()) == last


# What is imported, in a Python of its own


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_no_picture_brings_matplotlib():
    done = python("""if True:
        import sys
        from convbp.explorers import SlidingWindow
        explorer = SlidingWindow()
        explorer.update(mode="full")
        explorer.select(-1, -1)
        explorer.update(image="bad")
        explorer._repr_mimebundle_()
        explorer.view.html()
        from convbp import plots
        plots.images([explorer.state.image], ["image"], "numbers as colours")._repr_mimebundle_()
        print("matplotlib" in sys.modules)
    """)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_without_the_package_for_still_pictures_the_live_one_is_there(explorer, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg", None)
    data, metadata = explorer._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/svg+xml", "application/vnd.jupyter.widget-view+json"}
    assert data["image/svg+xml"] == explorer.view.svg()
    assert metadata["image/svg+xml"]["alt"] == explorer.view.scene.sentence
    with pytest.raises(ModuleNotFoundError, match=r"A still picture needs resvg.*pip install resvg"):
        explorer.view.png()


@pytest.mark.slow
@pytest.mark.parametrize("package", ["ipywidgets", "anywidget"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(package):
    done = python(f"import sys; sys.modules['{package}'] = None; import convbp; import convbp.explorers")
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith(f"ModuleNotFoundError: The pictures need {package}, which is not installed in this Python.")
    assert 'pip install --editable ".[notebooks]"' in error


def test_a_missing_module_of_the_package_itself_is_not_blamed_on_the_installation():
    done = python("import sys; sys.modules['convbp.pictures.scene'] = None; import convbp.explorers")
    assert "The pictures need" not in done.stderr
    assert "convbp.pictures.scene" in done.stderr.splitlines()[-1]
