"""Every explorer in JupyterLab in a real browser: what a reader points at, presses and moves, and what answers."""

import ast
from collections import defaultdict

import ipywidgets as widgets
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import sample
from browser import (
    Tab,
    accessible,
    cell_of,
    contrasts,
    cut_off,
    eventually,
    faint,
    height,
    is_ready,
    lab_with,
    outlined,
    point_elsewhere,
    spills,
)
from convbp import convolve, cross_correlate
from convbp.explorers import SlidingWindow
from convbp.notation import number
from convbp.pictures import svg
from convbp.pictures.grid_view import _SCRIPT, STYLE, GridView, _read
from convbp.pictures.scene import Grid, Selection
from test_explorers import EXPLORERS, UNDER_CONTROLS, inside, make

NAMES = list(EXPLORERS)

# The picture, the sentence and the sliders and list below it, as they stand on the page.
SHOWN = """root => [
    root.querySelector("[role=application]").ariaLabel,
    ...[...root.querySelectorAll("[data-slot]")].map((slot) => slot.dataset.slot + ": " + slot.innerHTML),
    ...[...root.querySelectorAll(".convbp-choice :is(select, input)")].map((at) => [at.value, at.min, at.max].join()),
    root.querySelector(".convbp-sentence").textContent,
]"""

# What flies is there for less than a second.
COUNT_CHIPS = """root => {
    globalThis.chips = 0;
    new MutationObserver((changes) => {
        const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
        chips += added.filter(({ className }) => className === "convbp-chip").length;
    }).observe(root, { childList: true, subtree: true });
}"""

SLIDERS = widgets.IntSlider | widgets.FloatSlider
CHOICES = widgets.ToggleButtons, widgets.Dropdown, widgets.Checkbox


def shown(root):
    return root.evaluate(SHOWN)


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """JupyterLab with a notebook that has been run: every explorer, in a cell of its own and without arguments."""
    made = (f"shown['{n}'] = explorers.{n}(); shown['{n}']" for n in NAMES)
    cells = ["from convbp import explorers\nshown = {}", *made]
    with lab_with(browser, tmp_path_factory, cells, len(NAMES)) as lab:
        yield lab


@pytest.fixture(scope="module")
def fresh(browser):
    """What a picture drawn anew shows of a scene: by a page of its own, which has no past. Most are asked for again."""
    tab, known = Tab(browser, "about:blank"), {}

    def shown_of(scene):
        key = scene.title, scene.selected, *svg.slots(scene).items(), *scene.highlights
        if key not in known:
            tab.page.set_content(GridView(scene).html())
            is_ready(tab.page.locator("body"))
            known[key] = shown(tab.page.locator("body"))
        return known[key]

    return shown_of


DRAWN = sample.some(NAMES, len(NAMES) // 4, "explorers in JupyterLab")  # in each run others


@pytest.fixture(params=DRAWN)
def name(request):
    return request.param


@pytest.fixture
def explorer(lab, fresh, name):
    """One explorer, as it began."""
    explorer = lab.explorers[NAMES.index(name)]
    explorer.get_by_role("button", name="Reset").click()
    point_elsewhere(explorer)
    explorer.scroll_into_view_if_needed()
    eventually(lambda: shown(explorer), fresh(make(name).view.scene))
    return explorer


# What the page knows of each model of a widget. What shows a widget has the manager of them.
MODELS = """async () => {
    const inside = function* (part) {
        yield part;
        for (const one of part.children?.() ?? []) yield* inside(one);
    };
    const renderer = [...inside(jupyterapp.shell.currentWidget)].find((part) => part._manager?.promise);
    const models = Object.entries((await renderer._manager.promise)._models);
    const plain = ({ children, layout, style, ...others }) => others;
    const known = models.map(async ([id, model]) => [id, plain((await model).attributes)]);
    return Object.fromEntries(await Promise.all(known));
}"""
# What Python says of each, but for the pictures.
SAID = """{id: {name: list(value) if isinstance(value, tuple) else value
              for name, value in __import__("ipywidgets").Widget.get_state(widget).items()}
         for id, widget in __import__("ipywidgets").widgets.widget._instances.items() if not hasattr(widget, "_esm")}"""


def test_the_page_knows_of_all_controls_what_python_says_although_it_is_told_less(lab):
    """Where Python says nothing, the page may take anything for that."""
    known, said = lab.page.evaluate(MODELS), ast.literal_eval(lab.value(SAID))
    assert len(said.keys() & known.keys()) > 100
    nothing = [None, "", [], False]
    others = {
        (widget["_model_name"], name)
        for id, widget in said.items()
        for name, value in widget.items()
        if id in known and name not in ("children", "layout", "style")
        if known[id].get(name) != value and (value not in nothing or known[id].get(name) not in nothing)
    }
    assert others == set()


# What has to be seen


def one_of_each_grid(scene):
    """In every grid where a cell can be chosen, the last one that is not chosen."""
    return list({cell.grid: cell for cell in scene.highlights if cell != scene.selected}.values())


def assert_explains(explorer, scene, cell):
    """The sentence and the outlines are those of this cell."""
    highlight, marks = scene.highlights[cell], defaultdict(list)
    expect(explorer.locator(".convbp-sentence")).to_have_text(highlight.sentence)
    for mark in highlight.marks:
        grid = next(grid for grid in scene.grids if grid.name == mark.grid)
        (top, left), (_, cols) = grid.origin, grid.size
        rows = range(mark.row - top, mark.row - top + mark.rows)
        marks[mark.grid].append([cols * row + mark.col - left + n for row in rows for n in range(mark.cols)])
    assert {name: sorted(found) for name, found in outlined(explorer).items() if found} == {
        name: sorted(expected) for name, expected in marks.items()
    }


# What a reader does


def moves(explorer, like):
    """Each control but buttons, from first to last: the reader moves it, and in Python the same one of ``like`` moves.

    Of the sliders only the first is moved; the switches go through all their options, the lists to the last.
    """
    sliders, switches, lists, boxes = (
        [widget for widget in inside(like) if isinstance(widget, kind)] for kind in (SLIDERS, *CHOICES)
    )
    if sliders:
        handle = explorer.locator(".widget-slider [role=slider]").first
        eventually(lambda: float(handle.get_attribute("aria-valuenow")), float(sliders[0].value))
        handle.press("ArrowLeft")
        sliders[0].value -= sliders[0].step
        yield sliders[0]
    for n, switch in enumerate(switches):
        buttons = explorer.locator(".widget-toggle-buttons").nth(n).get_by_role("button").all()
        for switch.index, button in enumerate(buttons):
            button.click()
            yield switch
    for n, one in enumerate(lists):
        last = len(one.options) - 1
        one.index = last  # which it may not keep: a list of what can be done is back at its first line
        explorer.locator(".widget-dropdown select").nth(n).select_option(index=last)
        yield one
    for n, box in enumerate(boxes):
        explorer.get_by_role("checkbox").nth(n).click()
        box.value = not box.value
        yield box


# Choosing a cell


def test_the_pointer_shows_what_a_cell_was_made_of_without_a_message_to_the_kernel(lab, explorer, name):
    scene, before, sent = make(name).view.scene, shown(explorer), len(lab.sent)
    for cell in one_of_each_grid(scene):
        cell_of(explorer, *cell).hover()
        assert_explains(explorer, scene, cell)
        assert shown(explorer) != before
        point_elsewhere(explorer)
        assert_explains(explorer, scene, scene.selected)
        assert shown(explorer) == before
    assert lab.sent[sent:] == []


def test_a_click_keeps_a_cell_and_python_hears_of_it(lab, explorer, name):
    scene = make(name).view.scene
    for cell in one_of_each_grid(scene):
        cell_of(explorer, *cell).click()
        point_elsewhere(explorer)
        assert_explains(explorer, scene, cell)
        eventually(lambda: lab.value(f"tuple(shown['{name}'].state.selected)"), str(tuple(cell)))


def test_keys_step_to_the_next_cell_and_to_the_ends_of_row_and_column(lab, explorer, name):
    scene = make(name).view.scene
    for grid, row, col in one_of_each_grid(scene)[:3]:
        rows, cols = (sorted({cell[axis] for cell in scene.highlights if cell.grid == grid}) for axis in (1, 2))
        cell_of(explorer, grid, row, col).click()
        point_elsewhere(explorer)
        for key, at_row, at_col in [
            *[("Home", row, cols[0]), ("ArrowRight", row, cols[:2][-1]), ("End", row, cols[-1])],
            *[("PageUp", rows[0], cols[-1]), ("ArrowDown", rows[:2][-1], cols[-1]), ("PageDown", rows[-1], cols[-1])],
            *[("ArrowLeft", rows[-1], cols[-2:][0]), ("ArrowUp", rows[-2:][0], cols[-2:][0])],
        ]:
            lab.page.keyboard.press(key)
            assert_explains(explorer, scene, Selection(grid, at_row, at_col))


def test_a_map_that_lies_over_a_picture_goes_with_it(lab):
    explorer = lab.explorers[NAMES.index("Channels")]
    explorer.scroll_into_view_if_needed()
    explorer.locator("[data-map] .name").first.click()
    expect(explorer.locator("[data-map].open")).to_have_count(1)
    explorer.get_by_role("combobox", name="example").select_option(label="32×32×3, six 5×5×3 filters")
    is_ready(explorer)
    expect(explorer.locator("[data-map].open, .sheet")).to_have_count(0)
    expect(explorer.locator(".convbp-legend")).not_to_contain_text("a small grid")
    explorer.get_by_role("button", name="Reset").click()


# Predicting


def test_a_grid_of_predictions_is_judged_by_python_and_stays_beside_the_right_numbers(lab):
    explorer = lab.explorers[NAMES.index("SlidingWindow")]
    explorer.scroll_into_view_if_needed()
    covers, guesses = explorer.get_by_role("checkbox", name="cover the output"), explorer.locator(".convbp-guess")
    state = make("SlidingWindow").state
    turned, picture = convolve(state.image, state.kernel), explorer.get_by_role("application")
    with lab.waiting("shown['SlidingWindow'].view", "_cells_of"):  # the picture is there, what its cells show is not
        covers.check()
        expect(explorer.locator('[data-grid="output"] .value').first).to_have_text("?")
        expect(picture).to_have_attribute("aria-busy", "true")
        for key in ("PageUp", "Home"):
            picture.press(key)
        for value in turned[0]:  # typed without waiting
            lab.page.keyboard.type(str(value))
            lab.page.keyboard.press("Enter")
            lab.page.keyboard.press("ArrowRight")
        expect(guesses).to_have_count(0)
    eventually(guesses.all_text_contents, list(map(number, turned[0])))
    for (row, col), value in np.ndenumerate(turned):
        cell_of(explorer, "output", row, col).click()
        lab.page.keyboard.type(str(value))
        lab.page.keyboard.press("Enter")
    expect(explorer.locator(".convbp-sentence")).to_contain_text("are right. You turned the kernel by 180°")
    covers.uncheck()
    right = cross_correlate(state.image, state.kernel)
    marks = ["✓" if mine == value else f"{number(mine)} ✗" for mine, value in zip(turned.flat, right.flat, strict=True)]
    eventually(lambda: sorted(guesses.all_text_contents()), sorted(marks))
    explorer.get_by_role("button", name="Reset").click()


# Changing something


def offered(explorer):
    """What stands in each list on the page; a choice from one can change another without changing the picture."""
    return explorer.locator(".widget-dropdown select").evaluate_all(
        "lists => lists.map(list => [...list.options].map(option => option.textContent.replaceAll('\\u00a0', ' ')))"
    )


def choices(like):
    return [widget for widget in inside(like) if isinstance(widget, widgets.Dropdown)]


# Half of them, each at one of two widths: others in each run.
@pytest.mark.parametrize(
    ("name", "width"),
    [
        (name, width)
        for name in sample.some(NAMES, len(NAMES) // 4, "explorers whose controls are moved")
        for width in sample.some([1600, 800], 1, f"width of {name}")
    ],
)
def test_every_control_leads_to_the_picture_of_a_fresh_explorer_and_nothing_jumps(lab, explorer, fresh, name, width):
    like = make(name)
    with lab.width(width):
        eventually(lambda: spills(explorer), [])
        first = high = height(explorer)

        def nothing_has_jumped(after, may_grow=False):
            assert height(explorer) == high or (may_grow and height(explorer) > high), after
            assert spills(explorer) == [], after

        for cell in one_of_each_grid(like.view.scene):
            cell_of(explorer, *cell).hover()
            nothing_has_jumped(cell)
        like.select(cell.row, cell.col, cell.grid)
        cell_of(explorer, *cell).click()
        nothing_has_jumped("click")
        others = False
        for moved in moves(explorer, like):
            point_elsewhere(explorer)
            assert like.message == ""
            eventually(lambda: shown(explorer), fresh(like.view.scene))
            eventually(lambda: offered(explorer), [list(lists._options_labels) for lists in choices(like)])
            # Other arrays, functions or passes may need more room than is kept free, and in a narrow page other
            # numbers; from then on the picture keeps it.
            others = (
                others
                or isinstance(moved, widgets.Dropdown | widgets.ToggleButtons)
                or (isinstance(moved, SLIDERS) and width == 800)
            )
            nothing_has_jumped(moved, may_grow=others)
            high = height(explorer)
        assert shown(explorer) != fresh(make(name).view.scene)
        explorer.get_by_role("button", name="Reset").click()
        eventually(lambda: shown(explorer), fresh(make(name).view.scene))
        eventually(lambda: height(explorer), first)  # room that was needed meanwhile is given back
        assert spills(explorer) == []


def test_whoever_takes_hold_of_a_slider_has_its_next_steps_ahead(lab, explorer, name):
    ahead = f"shown['{name}'].view.ahead"
    called = f"{ahead} and __import__('ipywidgets').widgets.widget._instances[{ahead}['slider']].description"
    for slider in explorer.locator(".widget-slider:visible").all():
        label, handle = slider.locator(".widget-label").inner_text(), slider.get_by_role("slider")
        ends = [handle.get_attribute(f"aria-value{end}") for end in ("min", "max")]
        handle.focus()
        if ends[0] != ends[1]:
            eventually(lambda: lab.value(called), repr(label))


# Legible, nameable


def titles(scene):
    """Those that are drawn: of thumbnails the names alone, and of several one below the other the first."""
    if scene.thumbnails:
        in_line = (piece for phrase in scene.line for piece in phrase)
        return {piece.title for piece in in_line if isinstance(piece, Grid)}
    shown = {grid.name: grid.title for grid in (*scene.grids, *scene.highlights[scene.selected].grids)}
    return set(shown.values())


def test_every_text_is_legible_in_both_themes_and_they_differ(lab):
    seen, looked_at = {}, sample.some(DRAWN, len(DRAWN) // 2, "both themes")
    for theme in ("Light", "Dark"):
        with lab.theme(theme):
            for name in looked_at:
                explorer = lab.explorers[NAMES.index(name)]
                explorer.get_by_role("button", name="Reset").click()
                explorer.scroll_into_view_if_needed()
                scene = make(name).view.scene
                eventually(lambda explorer=explorer: faint(explorer), {})
                eventually(lambda at=explorer, of=scene: titles(of) <= contrasts(at).keys(), True)
                seen[name, theme] = explorer.screenshot()
    assert [name for name in looked_at if seen[name, "Light"] == seen[name, "Dark"]] == []


@pytest.mark.parametrize("name", ["SlidingWindow", "ForwardPass"], indirect=True)
def test_a_slider_changes_numbers_where_they_stand(explorer, name):
    stage, before = explorer.locator(".convbp-stage"), shown(explorer)
    cells = "stage => [...stage.querySelectorAll('[data-slot^=grid] rect, [data-slot^=grid] .value')]"
    stage.evaluate(f"stage => {{ for (const [n, cell] of ({cells})(stage).entries()) cell.was = n; }}")
    explorer.locator(".widget-slider [role=slider]").first.press("ArrowRight")
    eventually(lambda: shown(explorer) != before, True)
    is_ready(explorer)
    assert stage.evaluate(f"stage => ({cells})(stage).every((cell, n) => cell.was === n)")


@pytest.mark.parametrize("name", ["KernelFlip", "ChainOfLayers"])
def test_a_step_moves_numbers_and_ends_in_the_picture_of_a_fresh_explorer(lab, explorer, fresh, name):
    """In KernelFlip a reflection of the whole kernel; in a network from what is read to what is made of it."""
    like = make(name)
    lab.page.emulate_media(reduced_motion="no-preference")
    try:
        for button, step in (("fa-step-backward", -1), ("fa-step-forward", 1)):
            (player,) = (widget for widget in inside(like) if isinstance(widget, widgets.Play))
            player.value += step
            explorer.evaluate(COUNT_CHIPS)
            explorer.locator(f"button:has(.{button})").click()
            if like.view.scene.flights:
                eventually(lambda: lab.page.evaluate("chips") > 0, True)
            eventually(lambda: shown(explorer), fresh(like.view.scene))
            expect(explorer.locator(".convbp-chip")).to_have_count(0)
    finally:
        lab.page.emulate_media(reduced_motion="reduce")


def in_one_line(text):
    return " ".join(text.split())


def test_a_screen_reader_meets_a_named_picture_named_controls_and_the_sentence(explorer, name):
    like = make(name)
    scene, met = like.view.scene, accessible(explorer)
    assert [node["name"] for node in met if node["role"] == "application"] == [
        f"{in_one_line(scene.title)}. Arrow keys choose a cell."
    ]
    assert [(node["name"], node["description"]) for node in met if node["role"] == "image"] == [
        (in_one_line(scene.title), in_one_line(scene.sentence))
    ]
    focusable = [(node["role"], node["name"].strip()) for node in met if node.get("focusable")]
    assert [role for role, name in focusable if not name] == []
    row, col = next(grid.axes for grid in scene.grids if grid.name == scene.selected.grid)
    cells, there = (
        [cell for cell in scene.highlights if cell.grid == scene.selected.grid],
        [("row", row, 1), ("column", col, 2)],  # of a letter; words stand for themselves
    )
    assert [name for role, name in focusable if role == "slider"] == [
        *(widget.description for widget in inside(like) if isinstance(widget, SLIDERS)),
        *(
            f"{line} {axis}".strip() if len(axis.rstrip("′")) <= 1 else axis
            for line, axis, n in there
            if len({cell[n] for cell in cells}) > 1
        ),
    ]
    assert [node["role"] for node in met if node.get("live")] == ["paragraph"]


def test_every_text_is_legible_in_colours_that_the_reader_has_forced(lab):
    """As Windows' contrast themes do; beside a light theme of JupyterLab the worst is a dark one."""
    lab.page.emulate_media(forced_colors="active", color_scheme="dark")
    try:
        for name in DRAWN:
            explorer = lab.explorers[NAMES.index(name)]
            explorer.scroll_into_view_if_needed()
            assert titles(make(name).view.scene) <= contrasts(explorer).keys()
            eventually(lambda explorer=explorer: faint(explorer), {})
    finally:
        lab.page.emulate_media(forced_colors="none", color_scheme="light")


def test_an_examination_for_accessibility_finds_nothing(lab):
    assert lab.panel.locator(".convbp-explorer .widget-play button").count() > 0
    violations = Axe().run(lab.page, context=".convbp-explorer").response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == []


# How large the smallest number of the line is, in pixels. Those of maps are small until one is opened.
NUMBER = """picture => Math.min(
    ...[...picture.querySelectorAll("[data-part]:not([data-map]) :is(.value, .total, .inbox)")]
        .filter((text) => text.textContent)
        .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a),
)"""

# From the first control to the picture, to the end of the sum and the last outline, and what is kept free below.
ONE_SCREEN = """explorer => {
    const {top} = explorer.getBoundingClientRect(), stage = explorer.querySelector(".convbp-stage");
    const bottoms = (names) => [...explorer.querySelectorAll(names)].map((one) => one.getBoundingClientRect())
        .filter((box) => box.height).map((box) => box.bottom - top);
    const picture = stage.querySelector(":scope > svg");
    const free = stage.getBoundingClientRect().bottom - picture.getBoundingClientRect().bottom;
    const below = parseFloat(getComputedStyle(stage.parentElement).paddingBottom);
    const end = Math.max(0, ...bottoms("[data-slot=products], [data-slot=sum], .mark"));
    return [stage.getBoundingClientRect().top - top, end, free + below];
}"""


def test_what_takes_part_and_its_sum_are_seen_on_one_screen(lab):
    """Of 768 pixels JupyterLab leaves about 647 to a notebook. All begin anew, without the room that they have kept."""
    done = int(lab.value("len(In)"))
    lab.command("notebook:run-all-cells")
    eventually(lambda: int(lab.value("len(In)")) > done + len(NAMES), True)
    expect(lab.panel.locator(".convbp-explorer:has(svg)")).to_have_count(len(NAMES))
    lab.command("application:toggle-left-area")
    try:
        with lab.width(1366):
            for name, explorer in zip(NAMES, lab.explorers, strict=True):
                explorer.get_by_role("button", name="Reset").click()
                explorer.scroll_into_view_if_needed()
                eventually(lambda explorer=explorer: spills(explorer), [])
                start, end, free = explorer.evaluate(ONE_SCREEN)
                assert start <= 640 - UNDER_CONTROLS, name  # so other choices have room, too
                assert end <= 640, name
                assert free <= 40, name
    finally:
        lab.command("application:toggle-left-area")


@pytest.mark.parametrize(("width", "least"), [(400, 9.5), (320, 8)])
def test_on_a_phone_pictures_can_be_read_and_controls_are_whole(lab, width, least):
    lab.command("application:toggle-left-area")
    try:
        with lab.width(width):
            for explorer in lab.explorers:
                explorer.scroll_into_view_if_needed()
                picture = explorer.locator(".convbp-stage > svg")
                explorer.get_by_role("button", name="Reset").click()
                eventually(lambda picture=picture: picture.evaluate(NUMBER) >= least, True)
                eventually(lambda explorer=explorer: cut_off(explorer), [])
    finally:
        lab.command("application:toggle-left-area")


# Stands last, to have seen everything.
def test_all_pictures_of_a_page_have_one_style_sheet(lab):
    rules = "(sheet) => [...sheet.cssRules].some((rule) => rule.selectorText === '.cbp .cell')"
    assert lab.page.evaluate(f"[...document.adoptedStyleSheets].filter({rules}).length") == 1
    assert lab.page.locator(".convbp-view style").count() == 0


def test_a_picture_in_the_shadow_of_another_page_looks_as_everywhere(browser):
    """As some notebooks have it, where no style sheet of the page reaches it."""
    tab, view = Tab(browser, "about:blank"), SlidingWindow().view
    state = {name: value for name, value in view.get_state().items() if not name.startswith("_")}
    fill = tab.page.evaluate(
        """async ([script, state, style]) => {
            const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
            const { default: view, standIn } = await import(url);
            const [place, el] = [document.createElement("section"), document.createElement("div")];
            place.attachShadow({ mode: "open" }).append(el);
            await view.render({ model: standIn(state), el, style });
            document.body.append(place);
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return getComputedStyle(el.querySelector(".mark")).fill;
        }""",
        [_SCRIPT + _read("stand_in.js"), state, STYLE],
    )
    assert fill == "none"
    tab.page.close()


def test_nothing_complains_and_no_other_machine_is_asked(lab):
    lab.assert_alone_and_content()
