"""The sliders of JupyterLab beside a reader's own numbers: nobody but the reader changes one."""

from functools import partial

import pytest
from playwright.sync_api import expect

import sample
from browser import cell_of, eventually, is_ready, lab_with, point_elsewhere

NUMBERS = """
import numpy as np
from convbp.explorers import *
reals = np.array([[0.123, 0.5, 1 / 3], [0.25, 3.0, 7.77], [1 / 7, -3.05, 9.123]])
kernel = np.array([[0.123, -0.777], [1.25, 2 / 3]])
whole = np.array([[17, 3, 3, 1], [0, -23, 3, 3], [9, 3, 6, -6]])
shown = {}

def numbers(state):
    arrays = {**vars(state), **(state.network.parameters if hasattr(state, "network") else {}), "selected": None}
    return [(name, value.tolist() if hasattr(value, "tolist") else str(value)) for name, value in arrays.items()]

def to_and_fro(explorer):
    for name, value in vars(explorer.state).items():
        if isinstance(value, np.ndarray | float):
            explorer.update(**{name: value * 3})
            explorer.update(**{name: value})
    if hasattr(explorer.state, "way"):
        explorer.update(step=12)
        explorer.update(way="scatter")
    explorer.reset()
"""

# Real numbers between the steps of a slider, whole ones of very different size, and sliders whose end moves.
EXPLORERS = {
    "SlidingWindow": "SlidingWindow(reals, kernel)",
    "KernelGradient": "KernelGradient(reals, kernel, [[0.3, 1 / 3], [0.7, -2.2]])",
    "TwoLayerQuestion": "TwoLayerQuestion(reals, kernel, kernel, 1 / 3)",
    "TwoLayerQuestion, whole": "TwoLayerQuestion(whole[:, :3], [[3, -17]], [[3, 1], [3, -2], [20, 3]])",
    "PoolingRoute": "PoolingRoute(reals)",
    "PoolingRoute, whole": "PoolingRoute(whole)",
    "ForwardPass": "ForwardPass(whole, kernel, 1 / 3)",
    "ChainOfLayers": "ChainOfLayers(rate=0.07)",
    "DeltaFlow": "DeltaFlow()",
}
NAMES = list(EXPLORERS)


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """JupyterLab with these explorers, each in a cell of its own."""
    cells = [NUMBERS, *(f"shown['{name}'] = {made}; shown['{name}']" for name, made in EXPLORERS.items())]
    with lab_with(browser, tmp_path_factory, cells, len(EXPLORERS)) as lab:
        yield lab


@pytest.fixture(params=sample.some(NAMES, 4, "explorers beside sliders"))
def name(request):
    return request.param


@pytest.fixture
def explorer(lab, name):
    explorer = lab.explorers[NAMES.index(name)]
    point_elsewhere(explorer)  # or it shows the cell that happens to lie where the test before clicked
    lab.page.evaluate("() => document.activeElement.blur()")
    explorer.scroll_into_view_if_needed()
    lab.value(f"shown['{name}'].reset()")
    is_ready(explorer)
    return explorer


def numbers(lab, name):
    """All the numbers that the explorer works on, to the last digit."""
    return lab.value(f"numbers(shown['{name}'].state)")


def told(lab, since):
    """What the page has told Python of since then, but for the chosen cell."""
    texts = (sent if isinstance(sent, str) else sent.decode(errors="replace") for sent in lab.sent[since:])
    return [text for text in texts if '"method":"update"' in text and '"value":' in text]


def test_to_look_at_numbers_does_not_change_them(lab, explorer, name):
    before, since = numbers(lab, name), len(lab.sent)
    for cell in sample.some(explorer.locator("[data-cell]").all(), 6, f"cells of {name}"):
        cell.click()
    point_elsewhere(explorer)
    eventually(lab.kernel_status, "idle")
    lab.value(f"shown['{name}'].reset()")
    explorer.locator("[data-cell]").last.click()
    eventually(lab.kernel_status, "idle")
    assert told(lab, since) == []
    assert numbers(lab, name) == before


def test_what_python_sets_comes_back_from_nobody(lab, explorer, name):
    """Each number is set to another size and back, so that ranges, steps and kinds of sliders change, too."""
    before, since = numbers(lab, name), len(lab.sent)
    lab.value(f"[to_and_fro(shown['{name}']) for _ in range(3)]")
    is_ready(explorer)
    eventually(lab.kernel_status, "idle")
    assert told(lab, since) == []
    assert numbers(lab, name) == before


@pytest.mark.parametrize("name", ["SlidingWindow"], indirect=True)
def test_what_was_uncovered_is_covered_again_when_a_slider_changes_it(lab, explorer, name):
    lab.value(f"shown['{name}'].update(covered=True)")
    is_ready(explorer)
    picture, seen = explorer.get_by_role("application"), explorer.locator('[data-cell="output,0,0"] + text')
    expect(seen).to_have_text("?")
    picture.press("Enter")
    expect(seen).not_to_have_text("?")
    picture.press("ArrowRight")  # another cell is the chosen one
    explorer.get_by_role("slider", name="K₀₁", exact=True).press("ArrowRight")
    expect(seen).to_have_text("?")
    is_ready(explorer)
    expect(seen).to_have_text("?")


@pytest.mark.parametrize("name", ["TwoLayerQuestion"], indirect=True)
def test_a_key_moves_a_real_number_by_a_step_and_not_by_a_crumb_more(lab, explorer, name):
    cell_of(explorer, "image", 1, 1).click()
    handle = explorer.locator(".widget-slider [role=slider]").first
    expect(explorer.locator(".widget-slider .widget-readout").first).to_have_text("3")
    for expected in ("2.9", "2.8", "2.7"):
        handle.press("ArrowLeft")
        eventually(lambda: lab.value(f"shown['{name}'].state.image[1, 1].item()"), expected)
    expect(explorer.locator(".convbp-sentence")).to_contain_text("i₅")


@pytest.mark.parametrize(
    ("name", "label"),
    sample.some(
        [("KernelGradient", "δ₀₁"), ("PoolingRoute, whole", "size, columns"), ("ChainOfLayers", "step")],
        1,
        "a step on or back",
    ),
    indirect=["name"],
)
def test_a_step_on_or_back_is_seen_before_python_has_heard_of_it(lab, explorer, name, label):
    """The answer of Python, when it comes, changes nothing more; and if it does not come, what was there comes back."""
    picture, it = explorer.get_by_role("application"), f"shown['{name}']"
    drawn = "[...stage.querySelectorAll('[data-slot]')].map((slot) => slot.textContent)"
    texts = partial(picture.evaluate, f"stage => {drawn}")
    handle = explorer.get_by_role("slider", name=label, exact=True)
    press = """(handle, key) => {
        handle.focus();
        handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        const stage = handle.closest(".convbp-explorer").querySelector(".convbp-stage");
        return [DRAWN, stage.getAttribute("aria-busy")]; // in the same moment
    }""".replace("DRAWN", drawn)
    is_ahead = partial(lab.value, f"{it}.view.ahead not in ({{}}, globals().get('seen'))")

    def step(key, busy="true"):
        before = texts()
        shows, says = handle.evaluate(press, key)
        assert (shows != before, says) == (busy == "true", busy)
        return before, shows

    handle.focus()  # to take hold of it is enough
    for key in ("ArrowRight", "ArrowLeft"):
        eventually(is_ahead, "True")
        lab.value(f"globals().update(seen={it}.view.ahead)")
        lab.page.wait_for_timeout(500)  # then the page has unpacked it, too, of which nothing shows
        with lab.waiting(it, "_show"):
            before, shows = step(key)
            assert texts() == shows
            if key == "ArrowLeft":
                eventually(texts, before)
                is_ready(explorer)
        eventually(texts, shows)
        is_ready(explorer)
        assert texts() == shows
    eventually(is_ahead, "True")
    # Of another cell there is nothing ahead, until Python has heard of it.
    explorer.locator("[data-cell]").first.click()
    with lab.waiting(it, "_look_ahead"), lab.waiting(it, "_show"):
        explorer.locator("[data-cell]").last.click()
        step("ArrowRight", busy="false")
    is_ready(explorer)


@pytest.mark.parametrize(
    ("name", "label"),
    [("KernelGradient", "δ₀₁"), ("PoolingRoute, whole", "δ(0, 0)"), ("ChainOfLayers", "step")],
    indirect=["name"],
)
def test_a_picture_follows_keys_in_quick_succession_and_never_falls_back(lab, explorer, name, label):
    """What Python says of a place that the slider has left already is not shown."""
    it, handle = f"shown['{name}']", explorer.get_by_role("slider", name=label, exact=True)
    drag = """(handle, keys) => {
        const stage = handle.closest(".convbp-explorer").querySelector(".convbp-stage"), seen = [], dragged = [];
        const look = () => [...stage.querySelectorAll("[data-slot]")].map((slot) => slot.textContent).join();
        globalThis.watching = new MutationObserver(() => { if (look() !== seen.at(-1)) seen.push(look()); });
        globalThis.seen = seen;
        watching.observe(stage, { subtree: true, childList: true, characterData: true });
        for (const key of keys) {
            handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            dragged.push(look()); // in the same moment
        }
        return dragged;
    }"""
    before = lab.value(f"{it}.state")
    handle.focus()
    eventually(lambda: lab.value(f"bool({it}.view.ahead)"), "True")
    lab.page.wait_for_timeout(500)  # then the page has unpacked it, too, of which nothing shows
    with lab.waiting(it, "_show"):
        dragged = handle.evaluate(drag, ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"])
        assert dragged[0] != dragged[1] != dragged[2] == dragged[0]
        assert dragged[3] == dragged[1]
    is_ready(explorer)
    eventually(lab.kernel_status, "idle")
    assert lab.page.evaluate("() => watching.disconnect() ?? seen") == dragged[-1:]
    assert lab.value(f"{it}.state") != before


@pytest.mark.parametrize("name", ["PoolingRoute, whole"], indirect=True)
def test_a_picture_follows_a_slider_that_is_dragged(lab, explorer, name):
    """By the pointer, and while Python answers nothing."""
    handle, picture, mouse = (
        explorer.get_by_role("slider", name="δ(0, 0)", exact=True),
        explorer.get_by_role("application"),
        lab.page.mouse,
    )
    box, seen = handle.bounding_box(), {}
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    eventually(lambda: lab.value(f"bool(shown['{name}'].view.ahead)"), "True")
    lab.page.wait_for_timeout(500)  # then the page has unpacked it, too
    with lab.waiting(f"shown['{name}']", "_show"):
        while len(seen) < 6 and x < box["x"] + 300:
            x += 1
            mouse.move(x, y)
            seen.setdefault(float(handle.get_attribute("aria-valuenow")), set()).add(picture.inner_text())
    mouse.up()
    first, *_, last = seen
    assert [*seen] == [*range(int(first), int(first) + 6)]
    assert [len(pictures) for pictures in seen.values()] == [1] * len(seen)  # the one of that value
    assert len(set.union(*seen.values())) == len(seen)
    is_ready(explorer)
    eventually(picture.inner_text, *seen[last])
    assert lab.value(f"shown['{name}'].state.delta[0, 0]") == str(int(last))


@pytest.mark.parametrize(("name", "label"), [("KernelGradient", "δ₀₁"), ("ForwardPass", "w₀₁")], indirect=["name"])
def test_of_a_key_that_is_held_no_step_is_lost(lab, explorer, name, label):
    handle = explorer.get_by_role("slider", name=label, exact=True)
    handle.focus()
    began = float(handle.get_attribute("aria-valuenow"))
    for pause in (0, 30, 60):
        for _ in range(4):
            lab.page.keyboard.press("ArrowRight")
            lab.page.wait_for_timeout(pause)
    expected = str(round(round(began, 1) + 12 * 0.1, 10))
    which = {"KernelGradient": "delta", "ForwardPass": "kernel"}[name]
    eventually(lambda: lab.value(f"shown['{name}'].state.{which}[0, 1].item()"), expected)
    lab.page.wait_for_timeout(300)
    assert float(handle.get_attribute("aria-valuenow")) == float(expected)


@pytest.mark.parametrize("name", ["TwoLayerQuestion"], indirect=True)
def test_a_number_is_typed_as_people_write_it(lab, explorer, name):
    beside, label = (explorer.locator(f".widget-slider .{part}").first for part in ("widget-readout", "widget-label"))
    with lab.waiting(f"shown['{name}']", "_refresh_controls"):
        cell_of(explorer, "image", 1, 1).click()
        beside.fill("8")  # before the slider is that of the cell
    expect(label).to_have_text("i₅")
    beside.press("Enter")
    eventually(lambda: lab.value(f"shown['{name}'].state.image[1, 1].item()"), "8.0")
    for typed, expected in [("\u22122,5", "-2.5"), ("1.25", "1.25"), ("-0,5", "-0.5")]:
        beside.fill(typed)
        beside.press("Enter")
        eventually(lambda: lab.value(f"shown['{name}'].state.image[1, 1].item()"), expected)


@pytest.mark.parametrize("name", ["SlidingWindow"], indirect=True)
def test_a_page_that_runs_from_right_to_left_shows_the_same_picture(lab, explorer, name):
    texts = """root => [...root.querySelectorAll("text, .widget-readout")].map((at) => {
        const {x, width} = at.getBoundingClientRect();
        return [at.textContent, Math.round(x - root.getBoundingClientRect().x), Math.round(width)];
    })"""
    before = explorer.evaluate(texts)
    lab.page.evaluate("document.documentElement.dir = 'rtl'")
    eventually(lambda: explorer.evaluate(texts), before)
    lab.page.evaluate("document.documentElement.dir = ''")
