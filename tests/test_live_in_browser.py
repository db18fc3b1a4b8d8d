"""Live training and drawing in JupyterLab in a real browser: what a reader presses and draws, while other cells run."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from browser import (
    accessible,
    cell_of,
    contrasts,
    eventually,
    faint,
    height,
    is_ready,
    lab_with,
    needs_subshells,
    point_elsewhere,
    read,
    spills,
)
from convbp import digit_network, split_digits, train
from convbp.explorers import DrawDigit

SEES = "for _ in train(sees, digits.images, digits.labels, epochs=1): pass"
CELLS = [
    "from convbp import digit_network, split_digits, train\n"
    "from convbp.explorers import DrawDigit, LiveTraining, SlidingWindow\n"
    f"digits, network, sees = split_digits(), digit_network(), digit_network()\n{SEES}",
    "live = LiveTraining(network, digits.images, digits.labels, test=digits.test)\nlive",
    "DrawDigit(sees)",
    "LiveTraining(digit_network(), digits.images, digits.labels, learning_rate=1000)",
    "window = SlidingWindow()\nwindow",
]

# Whether the weights are those after so many steps without a view.
AS_PLAIN_TRAINING = """[
    all((network.parameters[name] == array).all() for name, array in plain.parameters.items())
    for plain in [digit_network()]
    for step, record in enumerate(train(plain, digits.images, digits.labels, test=digits.test), 1)
    if step == len(live.records)
]"""


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """JupyterLab with a notebook that has been run: two trainings that have not begun, a drawing and a window."""
    with lab_with(browser, tmp_path_factory, CELLS, 4) as lab:
        yield lab


@pytest.fixture
def training(lab):
    """The training, at its beginning."""
    training = lab.explorers[0]
    press(training, "Reset")
    expect(says(training)).to_have_text("Ready, no step yet.")
    yield training
    press(training, "full")


@pytest.fixture
def drawing(lab):
    """The drawing, blank."""
    drawing = lab.explorers[1]
    press(drawing, "Reset")
    press(drawing, "Clear")
    eventually(lambda: ink(drawing), {})
    is_ready(drawing)
    return drawing


@pytest.fixture
def busy(lab):
    with lab.busy():
        yield


def press(explorer, name):
    explorer.get_by_role("button", name=name).click()


def says(training):
    return training.locator(".convbp-says")


def step(training):
    """How many steps are done, as the sentence says."""
    found = re.search(r"step (\d+) of", says(training).inner_text())
    return int(found[1]) if found else 0


def paper(drawing, cell):
    return cell_of(drawing, "drawing", *cell)


def ink(drawing):
    return {cell: int(value) for cell, value in read(drawing).numbers["drawing"].items() if value}


def draw(lab, drawing, cells):
    """Press on the first cell, move over the others, and let go."""
    paper(drawing, (7, 0)).scroll_into_view_if_needed()
    boxes = [paper(drawing, cell).bounding_box() for cell in cells]  # now, as a picture may be drawn anew on the way
    for n, box in enumerate(boxes):
        lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        if n == 0:
            lab.page.mouse.down()
    lab.page.mouse.up()


# Training


def test_it_trains_pauses_goes_on_and_stops_while_a_cell_runs(lab, training, busy):
    needs_subshells()
    press(training, "10 steps/s")
    press(training, "Start")
    eventually(lambda: step(training) >= 2, True)
    press(training, "Pause")
    expect(says(training)).to_have_text(re.compile("^Paused, "))
    steps, picture = step(training), training.locator("[role=img]").inner_html()
    lab.page.wait_for_timeout(400)
    assert step(training) == steps
    assert training.locator("[role=img]").inner_html() == picture
    press(training, "Go on")
    eventually(lambda: step(training) >= steps + 2, True)
    assert training.locator("[role=img]").inner_html() != picture
    press(training, "Stop")
    expect(says(training)).to_have_text(re.compile("^Stopped, "))
    expect(training.get_by_role("button", name="Stop")).to_be_disabled()
    expect(training.get_by_role("button", name="Train on")).to_be_enabled()


def test_cells_run_and_a_drawing_answers_while_it_trains(lab, training, drawing):
    press(training, "10 steps/s")
    press(training, "Start")
    eventually(lambda: step(training) >= 1, True)
    assert lab.value("6 * 7") == "42"
    paper(drawing, (2, 3)).click()
    eventually(lambda: ink(drawing), {(2, 3): 16})
    assert lab.value("live.status") == "'running'"
    press(training, "Pause")
    expect(says(training)).to_have_text(re.compile("^Paused, "))
    assert lab.value("len(live.records)") == str(step(training))
    assert lab.value(AS_PLAIN_TRAINING) == "[True]"


def test_the_controls_of_a_picture_answer_while_a_cell_runs_those_that_came_later_too(lab):
    needs_subshells()
    window = lab.explorers[3]
    with lab.busy():
        press(window, "full")
        eventually(lambda: len(read(window).numbers["output"]), 5 * 7)
    for kernel, changed in [([[1, 2, 3]], {(0, 0): 2, (0, 1): 2, (0, 2): 3}), ([[4], [7]], {(0, 0): 5, (1, 0): 7})]:
        lab.value(f"window.update(kernel={kernel})")
        expect(window.get_by_role("slider", name="K")).to_have_count(len(changed))
        with lab.busy():
            window.get_by_role("slider", name="K₀₀").press("ArrowRight")
            eventually(lambda changed=changed: read(window).numbers["kernel"], changed)


def test_at_full_speed_it_learns_the_digits(lab, training):
    press(training, "Start")
    expect(says(training)).to_have_text(re.compile("^Finished, step 860 of 860"), timeout=120_000)
    assert lab.value(AS_PLAIN_TRAINING) == "[True]"
    assert float(re.search(r"test images (\S+)%", says(training).inner_text())[1]) > 97


def test_divergence_is_said_at_once(lab):
    training = lab.explorers[2]
    press(training, "Start")
    expect(training.get_by_role("alert")).to_have_text(re.compile("^Failed, .* Try a smaller learning_rate"))
    press(training, "Reset")
    expect(training.get_by_role("alert")).to_have_count(0)


# Drawing


def test_a_drawing_by_pointer_is_classified_after_each_stroke(lab, drawing):
    digits, network = split_digits(), digit_network()
    for _ in train(network, digits.images, digits.labels, epochs=1):
        pass
    image, seen = np.zeros((8, 8), int), set()
    column, hook = [(row, 4) for row in range(8)], [(1, 3), (2, 2), (3, 1), (4, 1), (5, 1), (5, 2), (5, 3)]
    for cells in (column, hook):
        draw(lab, drawing, cells)
        image[tuple(np.transpose(cells))] = 16
        expected = {(int(r), int(c)): 16 for r, c in np.argwhere(image)}
        eventually(lambda expected=expected: set(ink(drawing)) >= set(expected), True)
        image = np.array([[ink(drawing).get((r, c), 0) for c in range(8)] for r in range(8)])  # corners may be crossed
        point_elsewhere(drawing)
        is_ready(drawing)
        sentence, fresh = drawing.locator(".convbp-sentence"), DrawDigit(network, image)
        eventually(lambda s=sentence, f=fresh: s.inner_text().split(".")[0], fresh.view.scene.sentence.split(".")[0])
        shown = read(drawing).numbers["probabilities"]
        (grid,) = (grid for grid in fresh.view.scene.grids if grid.name == "probabilities")
        assert [float(shown[c, 0]) for c in range(10)] == pytest.approx([p for (p,) in grid.values], abs=0.2)
        seen.add(sentence.inner_text().split(".")[0])
    assert len(seen) == 2


def test_a_drawing_by_finger(lab, drawing):
    finger = lab.page.context.new_cdp_session(lab.page)

    def touch(*cells):
        """Touch the first cell, move over the others, and lift the finger."""
        boxes = [paper(drawing, cell).bounding_box() for cell in cells]
        for n, box in enumerate(boxes):
            point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
            kind = "touchMove" if n else "touchStart"
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    paper(drawing, (7, 0)).scroll_into_view_if_needed()
    place = drawing.bounding_box()
    touch((6, 1))
    eventually(lambda: ink(drawing), {(6, 1): 16})
    touch((4, 6))
    eventually(lambda: ink(drawing), {(6, 1): 16, (4, 6): 16})
    column = [(row, 3) for row in range(7)]
    touch(*column)
    eventually(lambda: ink(drawing), dict.fromkeys([(6, 1), (4, 6), *column], 16))
    assert drawing.bounding_box() == place, "the page has scrolled"
    window = lab.explorers[3]
    cell_of(window, "output", 1, 2).scroll_into_view_if_needed()
    for cell in ((1, 2), (0, 1)):
        box = cell_of(window, "output", *cell).bounding_box()
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        eventually(lambda: lab.value("tuple(window.state.selected)"), str(("output", *cell)))
    finger.detach()


def test_a_drawing_by_keyboard(lab, drawing):
    drawing.get_by_role("application").focus()
    for _ in range(8):
        lab.page.keyboard.press("ArrowUp")
        lab.page.keyboard.press("ArrowLeft")
    before, cells = lab.ask("[panel.content.activeCellIndex, panel.content.widgets.length]"), {}
    for key, cell in [("ArrowDown", (1, 0)), ("ArrowRight", (1, 1)), ("ArrowRight", (1, 2))]:
        lab.page.keyboard.press(key)
        lab.page.keyboard.press("Space")
        cells[cell] = 16
        eventually(lambda: ink(drawing), cells)
        expect(drawing.locator(".convbp-sentence")).to_contain_text("Cell ({}, {}) has ink 16 of 16.".format(*cell))
    lab.page.keyboard.press("Space")
    eventually(lambda: ink(drawing), {(1, 0): 16, (1, 1): 16})
    lab.page.keyboard.press("ArrowLeft")
    expect(drawing.locator(".convbp-sentence")).to_contain_text("Cell (1, 1) has ink 16")
    assert lab.ask("[panel.content.activeCellIndex, panel.content.widgets.length]") == before
    expect(drawing.get_by_role("application")).to_be_focused()


def test_no_key_is_lost_of_one_who_types_faster_than_pictures_come(lab, drawing):
    drawing.get_by_role("application").focus()
    for key in ["Home", "PageUp", *["Space", "ArrowRight"] * 7, *["Space", "ArrowDown"] * 7, "Space"]:
        lab.page.keyboard.press(key)
    eventually(lambda: ink(drawing), {**{(0, col): 16 for col in range(8)}, **{(row, 7): 16 for row in range(8)}})


def test_the_pen_and_the_examples_have_sliders(drawing):
    pen, example = (drawing.get_by_role("slider", name=name, exact=True) for name in ("ink", "example"))
    pen.press("ArrowLeft")
    paper(drawing, (0, 7)).click()
    eventually(lambda: ink(drawing), {(0, 7): 15})
    example.press("ArrowRight")
    expected = split_digits(None).images[1, :, :, 0] * 16
    eventually(lambda: ink(drawing), {(int(r), int(c)): int(expected[r, c]) for r, c in np.argwhere(expected)})


# Legible, nameable, still


def test_every_text_is_legible_in_colours_that_the_reader_has_forced(lab, training, drawing):
    lab.page.emulate_media(forced_colors="active", color_scheme="dark")
    try:
        for explorer in (training, drawing):
            eventually(lambda explorer=explorer: faint(explorer), {})
    finally:
        lab.page.emulate_media(forced_colors="none", color_scheme="light")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_text_is_legible_in_both_themes(lab, training, drawing, theme):
    failing = lab.explorers[2]
    press(failing, "Start")
    expect(failing.get_by_role("alert")).to_be_visible()
    with lab.theme(theme):
        for explorer in (training, drawing, failing):
            eventually(lambda explorer=explorer: faint(explorer), {})
        assert {"loss", "filters of conv1", "Start"} <= contrasts(training).keys()
    press(failing, "Reset")


def test_a_screen_reader_meets_names_and_sentences(training, drawing):
    met = accessible(training)
    assert [node["name"] for node in met if node["role"] == "image"] == ["A network while it learns"]
    icons = "[\ue000-\uf8ff]"
    assert [re.sub(icons, "", node["name"]).strip() for node in met if node["role"] == "button"] == [
        *["Start", "Stop", "Reset"],
        *["full", "10 steps/s", "1 step/s"],
    ]
    assert "Ready, no step yet." in [node["name"] for node in met if node["role"] == "StaticText"]
    met = accessible(drawing)
    (name,) = (node["name"] for node in met if node["role"] == "application")
    assert name == "Draw a digit. Arrow keys choose a cell, Space paints it."
    (image,) = (node for node in met if node["role"] == "image")
    assert image["description"].startswith("The paper is blank.")
    assert [node["name"] for node in met if node["role"] == "slider"] == ["ink", "example", "row i", "column j"]


@pytest.mark.parametrize("width", [1600, 800])
def test_nothing_jumps_and_nothing_is_cut_off(lab, training, drawing, width):
    acts = {
        training: [
            lambda: press(training, "Start"),
            lambda: eventually(lambda: step(training) > 50, True),
            lambda: press(training, "Pause"),
            lambda: press(training, "Stop"),
            lambda: press(training, "Reset"),
        ],
        drawing: [
            lambda: paper(drawing, (1, 1)).click(),
            lambda: drawing.get_by_role("slider", name="example", exact=True).press("End"),
            lambda: press(drawing, "Clear"),
        ],
    }
    with lab.width(width):
        for explorer, doings in acts.items():
            eventually(lambda explorer=explorer: spills(explorer), [])
            at_first = height(explorer)
            for act in doings:
                act()
                assert height(explorer) == at_first
                assert spills(explorer) == []


# Stands last, to have seen everything.
def test_nothing_complains_and_no_other_machine_is_asked(lab):
    lab.assert_alone_and_content()
