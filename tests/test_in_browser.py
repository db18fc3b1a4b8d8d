"""The notebooks in JupyterLab in a real browser: what a reader points at, presses and moves, and what answers."""

import re
import shutil
from fractions import Fraction
from functools import partial
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
from playwright.sync_api import expect

import sample
from browser import (
    Lab,
    Tab,
    accessible,
    cell_of,
    contrasts,
    eventually,
    faint,
    height,
    is_ready,
    jupyterlab,
    number,
    point_elsewhere,
    read,
    spills,
    write_notebook,
)
from convbp.explorers import KernelGradient, SlidingWindow
from convbp.explorers import __all__ as NAMES
from convbp.explorers.controls.kernel_presets import OWN_VALUES, PRESETS

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
# Notebooks of our own: two with the same pictures, in the second of which nobody has seen them yet; and one with one.
SLIDING, FAR_DOWN, OWN = "sliding_windows.ipynb", "far_down.ipynb", "own.ipynb"

# Of integers; of a digit; too tall: in full mode this kernel stands over the border, in valid mode it fits nowhere.
WINDOWS = [
    "from convbp import load_digits\nfrom convbp.explorers import SlidingWindow\nSlidingWindow()",
    "SlidingWindow(load_digits().images[3], [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])",
    "SlidingWindow([[1, 2, 0], [3, 1, 2]], [[1, 2], [0, 3], [2, -1]], mode='full')",
]

WAYS = list(product(["cross-correlation", "convolution"], ["valid", "full"]))
every_way = pytest.mark.parametrize(("operation", "mode"), WAYS)

# What JupyterLab says of a notebook: its outputs, and whether it trusts the cells that have some.
OUTPUTS = "panel.content.widgets.flatMap((cell) => cell.model.outputs?.toJSON() ?? [])"
FOLDED = OUTPUTS.replace("widgets", "widgets.filter((cell) => cell.outputHidden)")  # until the reader has predicted
TRUSTED = "panel.content.widgets.filter((cell) => cell.model.outputs?.length).map((cell) => cell.model.trusted)"

# What the page says of an element: whether it has an outline.
OUTLINE = (
    "element => getComputedStyle(element).outlineStyle !== 'none' && getComputedStyle(element).outlineWidth !== '0px'"
)


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """JupyterLab on copies of the notebooks, and on two of our own."""
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    for path in NOTEBOOKS:
        shutil.copy(path, root)
    write_notebook(root / SLIDING, WINDOWS)
    write_notebook(root / FAR_DOWN, WINDOWS, above=200, below=200)
    write_notebook(root / OWN, [WINDOWS[0], "1 + 1"])
    with jupyterlab(root, home) as address:
        yield Lab(browser, address)


@pytest.fixture(scope="module")
def at_first(lab):
    """What the explorers of our first notebook show when it has been run."""
    lab.open(SLIDING)
    lab.command("notebook:run-all-cells")
    expect(lab.panel.locator(".convbp-explorer svg")).to_have_count(3)
    return [(read(explorer), controls(explorer)) for explorer in lab.explorers]


@pytest.fixture
def explorers(lab, at_first):
    """The explorers of our first notebook, as they were at first: of integers, of a digit, too tall."""
    lab.open(SLIDING)
    for explorer, state in zip(lab.explorers, at_first, strict=True):
        point_elsewhere(explorer)
        if (read(explorer), controls(explorer)) != state:
            reset(explorer, state)
    return lab.explorers


@pytest.fixture
def explorer(explorers):
    return explorers[0]


@pytest.fixture
def saved(browser, tmp_path):
    """Open the page that an explorer saves; there is no kernel behind it."""

    def open_saved(options=None, **state):
        path = tmp_path / "saved.html"
        SlidingWindow(**state).save_html(path)
        return Tab(browser, path.as_uri(), **(options or {}))

    return open_saved


# What has to be seen


def by_definition(image, kernel, operation, mode):
    """Eq. 1 or 2, cell by cell: the number in each output cell, and which kernel entry lies on which input cell.

    In valid mode the output has a cell wherever the whole kernel lies on the image, in full mode wherever a part does.
    """
    sign, enough = {"cross-correlation": 1, "convolution": -1}[operation], {"valid": all, "full": any}[mode]
    output = {}
    for i, j in product(range(-5, 21), repeat=2):  # an image has at most 16 rows and columns, a kernel 5
        window = {(i + sign * m, j + sign * n): (m, n) for m, n in kernel}
        if enough(cell in image for cell in window):
            output[i, j] = sum(image.get(cell, 0) * kernel[entry] for cell, entry in window.items()), window
    return output


def assert_explains(explorer, cell, operation="cross-correlation", mode="valid"):
    """The whole picture says of this cell of the output what the definition says."""
    row, col = (str(index).replace("-", "\u2212") for index in cell)
    expect(explorer.locator(".convbp-sentence")).to_have_text(re.compile(rf"^Output \({row}, {col}\) is "))
    picture = read(explorer)
    value, window = by_definition(picture.numbers["input"], picture.numbers["kernel"], operation, mode)[cell]
    assert picture.outlines == {"input": set(window), "slid": set(picture.numbers["slid"]), "output": {cell}}
    kernel, products = picture.numbers["kernel"], picture.numbers["products"]
    met = {place: number(tag.removeprefix("×")) for place, tag in picture.tags["input"].items()}
    assert met == {place: kernel[entry] for place, entry in window.items()}
    (top, left), name = min(window), {"K{}{}".format(*entry): entry for entry in kernel}
    assert {(top + m, left + n): name[tag] for (m, n), tag in picture.tags["slid"].items()} == window
    values = sorted(picture.numbers["input"].get(place, 0) * kernel[entry] for place, entry in window.items())
    assert sorted(products.values()) == values
    assert number(re.search(r"sum to (\S+)\.$", picture.total)[1]) == value
    assert [number(n) for n in re.match(r"Output \((\S+), (\S+)\) is (\S+):", picture.sentence).groups()] == [
        *cell,
        value,
    ]


def eventually_computes(explorer, kernel=None, operation="cross-correlation", mode="valid"):
    """The picture comes to show the kernel, or its own by then, and in each cell what the definition makes of it."""

    def amiss():
        numbers = read(explorer).numbers
        outputs = by_definition(numbers["input"], kernel or numbers["kernel"], operation, mode)
        output = {cell: value for cell, (value, _) in outputs.items()}
        expected = {"kernel": kernel or numbers["kernel"], "output": output}
        return [(name, numbers[name], grid) for name, grid in expected.items() if numbers[name] != grid]

    eventually(amiss, [])
    is_ready(explorer)


def controls(explorer):
    """What the controls say: the pressed buttons, the name of the kernel, the numbers beside the sliders."""
    return explorer.evaluate(
        """root => {
            const shown = "button.mod-active, option:checked, .widget-readout, .convbp-choice output";
            return [...root.querySelectorAll(shown)].map((element) => element.textContent.replace(/\u00a0/g, " "));
        }"""
    )


def some_cells(explorer):
    """A cell in the middle of the output, and its corners."""
    cells = sorted(read(explorer).numbers["output"])
    rows, cols = sorted({i for i, _ in cells}), sorted({j for _, j in cells})
    return [(rows[len(rows) // 2], cols[len(cols) // 2]), *product((rows[0], rows[-1]), (cols[0], cols[-1]))]


# What a reader does


def output(explorer, cell):
    return cell_of(explorer, "output", *cell)


def switch(explorer, operation, mode):
    for name in (operation, mode):
        explorer.get_by_role("button", name=name).click()
    point_elsewhere(explorer)
    eventually_computes(explorer, None, operation, mode)


def reset(explorer, state):
    explorer.get_by_role("button", name="Reset").click()
    point_elsewhere(explorer)
    eventually(lambda: (read(explorer), controls(explorer)), state)
    is_ready(explorer)


# Choosing a cell


@every_way
def test_the_pointer_outlines_the_window_without_a_message_to_the_kernel(lab, explorers, operation, mode):
    for explorer in explorers[:2]:
        switch(explorer, operation, mode)
        pinned, sent = read(explorer), len(lab.sent)
        for cell in some_cells(explorer):
            output(explorer, cell).hover()
            assert_explains(explorer, cell, operation, mode)
        point_elsewhere(explorer)
        assert read(explorer) == pinned
        assert lab.sent[sent:] == []


def test_a_click_keeps_the_cell_and_the_kernel_hears_of_it(lab, explorer):
    sent = len(lab.sent)
    output(explorer, (1, 2)).hover()
    output(explorer, (2, 1)).click()
    point_elsewhere(explorer)
    assert_explains(explorer, (2, 1))
    switch(explorer, "cross-correlation", "full")
    assert_explains(explorer, (2, 1), mode="full")
    assert b'"row":2,"col":1' in lab.sent[sent], "the first message is about the click, none about hovering"


def test_keys_step_and_jupyterlab_does_not_hear_them(lab, explorer):
    output(explorer, (0, 0)).click()
    point_elsewhere(explorer)
    notebook = "[panel.content.activeCellIndex, panel.content.widgets.length]"
    before, place = lab.ask(notebook), explorer.bounding_box()
    for key, cell in [
        *[("ArrowDown", (1, 0)), ("ArrowRight", (1, 1)), ("ArrowDown", (2, 1)), ("ArrowUp", (1, 1))],
        *[("ArrowLeft", (1, 0)), ("ArrowLeft", (1, 0))],  # there is no further cell on the left
        *[("End", (1, 2)), ("PageDown", (2, 2)), ("Home", (2, 0)), ("PageUp", (0, 0)), ("PageDown", (2, 0))],
        ("b", (2, 0)),  # with which JupyterLab inserts a cell
    ]:
        lab.page.keyboard.press(key)
        assert_explains(explorer, cell)
        assert lab.ask(notebook) == before
    assert explorer.bounding_box() == place, "the page has scrolled"


def test_of_two_grids_arrows_stay_in_one_and_a_click_or_the_list_changes_it(browser, tmp_path):
    KernelGradient().save_html(tmp_path / "saved.html")
    tab = Tab(browser, (tmp_path / "saved.html").as_uri())
    sentence, chosen = tab.page.locator(".convbp-sentence"), tab.page.get_by_label("choose in")
    products = tab.page.locator('[data-grid="products"] .value')
    before, high = products.all_text_contents(), tab.page.evaluate("document.body.scrollHeight")

    def explains(grid, weight, kept=None):
        expect(sentence).to_contain_text(f"The gradient of w{weight} is ")
        expect(chosen).to_have_value(grid)
        sliders = tab.page.get_by_role("slider").all()
        assert str(tuple(int(slider.input_value()) for slider in sliders)) == (kept or weight)

    explains("gradient", "(0, 1)")
    tab.page.locator('[data-cell="kernel,1,2"]').hover()
    explains("gradient", "(1, 2)", kept="(0, 1)")
    assert products.all_text_contents() != before
    point_elsewhere(sentence)
    explains("gradient", "(0, 1)")
    assert products.all_text_contents() == before
    tab.page.locator('[data-cell="kernel,1,2"]').click()
    point_elsewhere(sentence)
    explains("kernel", "(1, 2)")
    for key, weight in [("ArrowLeft", "(1, 1)"), ("ArrowDown", "(1, 1)"), ("ArrowUp", "(0, 1)")]:
        tab.page.get_by_role("application").press(key)
        explains("kernel", weight)
    chosen.select_option("∂E/∂w")
    explains("gradient", "(0, 1)")
    assert products.all_text_contents() == before
    assert tab.page.evaluate("document.body.scrollHeight") == high
    assert tab.complaints == []


def test_the_sliders_for_row_and_column_choose_a_cell(lab, explorer):
    switch(explorer, "convolution", "full")
    output(explorer, (0, 0)).click()
    point_elsewhere(explorer)
    before = lab.ask("panel.content.widgets.length")
    for name, key, cell in [
        *[("row i", "ArrowUp", (1, 0)), ("column j", "ArrowRight", (1, 1)), ("row i", "End", (4, 1))],
        *[("row i", "ArrowDown", (3, 1)), ("column j", "End", (3, 6)), ("row i", "b", (3, 6))],
    ]:
        slider = explorer.get_by_role("slider", name=name)
        slider.press(key)
        assert_explains(explorer, cell, "convolution", "full")
        # JupyterLab would go to another cell of the notebook, or make one.
        expect(slider).to_be_focused()
        assert lab.ask("panel.content.widgets.length") == before


def test_tab_reaches_the_picture_and_its_sliders_and_focus_is_visible(lab, explorer):
    row, column = (explorer.get_by_role("slider", name=name) for name in ("row i", "column j"))
    explorer.locator(".widget-readout").last.focus()
    for stop in (explorer.get_by_role("application"), row, column):
        unfocused = stop.evaluate(OUTLINE)
        lab.page.keyboard.press("Tab")
        expect(stop).to_be_focused()
        assert (unfocused, stop.evaluate(OUTLINE)) == (False, True)


def test_the_selection_answers_while_the_kernel_is_busy(lab, explorer):
    with lab.busy():
        explorer.get_by_role("application").press("ArrowDown")
        assert_explains(explorer, (1, 0))
        output(explorer, (2, 2)).hover()
        assert_explains(explorer, (2, 2))


@every_way
def test_a_saved_page_answers_without_a_kernel(saved, operation, mode):
    tab = saved(operation=operation, mode=mode)
    root = tab.page.locator("body")
    _, first, *_, last = some_cells(root)
    for cell in some_cells(root):
        output(root, cell).hover()
        assert_explains(root, cell, operation, mode)
    output(root, first).click()
    point_elsewhere(root)
    for key, (down, right) in {
        "ArrowDown": (1, 0),
        "ArrowRight": (1, 1),
        "ArrowUp": (0, 1),
        "ArrowLeft": (0, 0),
    }.items():
        tab.page.keyboard.press(key)
        assert_explains(root, (first[0] + down, first[1] + right), operation, mode)
    for slider in root.get_by_role("slider").all():
        slider.press("End")
    assert_explains(root, last, operation, mode)
    assert tab.complaints == []
    assert [urlsplit(address).scheme for address in tab.requests] == ["file"]


# Changing the numbers


@every_way
def test_a_slider_of_the_kernel_changes_the_output_to_what_the_definition_says(explorer, operation, mode):
    switch(explorer, operation, mode)
    chosen = some_cells(explorer)[0]
    output(explorer, chosen).click()
    point_elsewhere(explorer)
    kernel = read(explorer).numbers["kernel"]
    for name, entry, key, step in [("K₀₂", (0, 2), "ArrowRight", 1), ("K₁₀", (1, 0), "ArrowLeft", -1)]:
        slider = explorer.get_by_role("slider", name=name)
        slider.press(key)
        slider.press(key)
        kernel = kernel | {entry: kernel[entry] + 2 * step}
        eventually_computes(explorer, kernel, operation, mode)
    assert_explains(explorer, chosen, operation, mode)


def test_every_preset_fills_the_kernel_and_the_controls_follow(explorer):
    names = explorer.get_by_role("combobox", name="kernel")
    for name, make in PRESETS.items():
        names.select_option(name)
        kernel = {entry: Fraction(int(value)) for entry, value in np.ndenumerate(make(2, 3))}
        eventually_computes(explorer, kernel)
        numbers = [str(value).replace("-", "−") for value in kernel.values()]
        eventually(lambda: controls(explorer), [name, "cross-correlation ⊗", "valid", *numbers, "0", "0"])
    explorer.get_by_role("slider", name="K₀₀").press("ArrowRight")
    eventually(lambda: controls(explorer)[0], OWN_VALUES)


def test_reset_goes_back_to_how_it_began(explorer, at_first):
    output(explorer, (1, 1)).click()
    explorer.get_by_role("slider", name="K₁₁").press("ArrowRight")
    switch(explorer, "convolution", "full")
    assert (read(explorer), controls(explorer)) != at_first[0]
    reset(explorer, at_first[0])


def test_a_mode_without_a_picture_is_refused_in_one_line_and_all_else_stays(explorers, at_first):
    explorer, state = explorers[2], at_first[2]
    explorer.get_by_role("button", name="valid").click()
    message = explorer.get_by_role("alert")
    expect(message).to_have_text(re.compile(r"^.*3×2.*does not fit.*2×3.*$"))
    eventually(lambda: (read(explorer), controls(explorer)), state)
    kernel = read(explorer).numbers["kernel"]
    explorer.get_by_role("slider", name="K₀₀").press("ArrowRight")
    eventually_computes(explorer, kernel | {(0, 0): kernel[0, 0] + 1}, mode="full")
    expect(message).to_be_hidden()


# The notebooks

# What a saved output says where an explorer was.
EXPLORER = re.compile(rf"({'|'.join(NAMES)}): ")


# All of them run in the tests of the notebooks; here it is JupyterLab that counts.
@pytest.fixture(scope="module", params=sample.some(NOTEBOOKS, 3, "notebooks in JupyterLab"), ids=lambda path: path.stem)
def saved_outputs(lab, request):
    """What is saved in a notebook. It is open as on a new machine, and the tests of one come one after the other."""
    lab.open(request.param.name)
    notebook = nbformat.read(request.param, as_version=4)
    yield [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    lab.close()


def test_a_fresh_clone_shows_still_pictures_before_anything_runs(lab, saved_outputs):
    outputs = lab.ask(OUTPUTS)
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == sum("image/png" in output.get("data", {}) for output in saved_outputs)
    assert all(picture["metadata"]["image/png"]["alt"] for picture in pictures)
    images, waiting = lab.panel.locator(".jp-OutputArea img"), lab.ask(FOLDED)
    expect(images).to_have_count(len(pictures) - sum("image/png" in output.get("data", {}) for output in waiting))
    lab.command("notebook:show-all-cell-outputs")
    expect(images).to_have_count(len(pictures))
    for image in images.all():
        image.scroll_into_view_if_needed()
        eventually(lambda image=image: image.evaluate("image => image.complete && image.naturalWidth > 100"), True)
    assert lab.panel.get_by_text("model not found").count() == 0
    assert lab.panel.locator(".convbp-explorer").count() == 0
    assert not any(lab.ask(TRUSTED))


def test_a_notebook_runs_from_top_to_bottom(lab, saved_outputs):
    lab.command("notebook:run-all-cells")
    outputs = lab.ask(OUTPUTS)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    data = [output.get("data", {}) for output in outputs]
    live = [shown["text/plain"] for shown in data if "application/vnd.jupyter.widget-view+json" in shown]
    live = [text for text in live if not text.startswith("Remember: ")]  # which has no picture
    texts = [output.get("data", {}).get("text/plain", "") for output in saved_outputs]
    assert all(map(EXPLORER.match, live))
    assert len(live) == sum(map(bool, map(EXPLORER.match, texts)))
    expect(lab.panel.locator(".convbp-explorer:has(svg)")).to_have_count(len(live))


# A reader's own notebook, saved


@pytest.fixture
def own(lab):
    """A notebook whose only picture has been run twice, and saved."""
    lab.open(OWN)
    for count in (1, 2):
        lab.command("notebook:run-all-cells")
        eventually(lambda count=count: lab.value("len(In)") >= str(2 * count), True)
        expect(lab.panel.locator(".convbp-explorer svg")).to_have_count(1)
    return lab


def test_a_cell_that_runs_again_closes_what_it_showed_unless_that_has_a_name(own):
    explorers = "[one for one in widget._instances.values() if isinstance(one, SlidingWindow)]"
    own.value("exec('from ipywidgets.widgets import widget')")
    assert own.value(f"len({explorers})") == "1"
    own.value(f"exec('kept = {explorers}')")
    own.command("notebook:run-all-cells")
    eventually(lambda: own.value(f"len({explorers})"), "2")
    expect(own.panel.locator(".convbp-explorer svg")).to_have_count(1)
    own.value("exec('del kept')")
    own.close()


def test_a_reader_s_own_notebook_still_answers_when_it_is_opened_again(own):
    own.command("docmanager:save")
    own.close()
    own.open(OWN)
    expect(own.panel.locator(".convbp-explorer svg")).to_have_count(1)
    assert own.panel.get_by_text("model not found").count() == 0
    (explorer,) = own.explorers
    explorer.get_by_role("application").press("ArrowDown")
    assert_explains(explorer, (1, 0))
    own.close()


def test_in_notebook_7_the_keys_of_a_control_stay_with_it(lab, browser):
    """It shares the server and the parts of JupyterLab, but not the shell that keeps keys from the notebook."""
    tab = Tab(browser, lab.address.replace("/lab?reset&", f"/notebooks/{OWN}?"))
    page, status = tab.page, tab.page.locator(".jp-Notebook-ExecutionIndicator")
    # It says "idle" before there is a kernel, too.
    eventually(lambda: bool(status.count() and tab.sent) and status.get_attribute("data-status"), "idle")
    for entry in ("Run", "Run All Cells"):
        page.get_by_role("menuitem", name=entry, exact=True).click()
    explorer = page.locator(".convbp-explorer:has(svg)")
    expect(explorer).to_have_count(1)
    before = page.locator(".jp-Cell").count()
    slider = explorer.get_by_role("slider", name="K₀₀")
    for control, keys in [
        (slider, ["ArrowUp", "ArrowRight", "ArrowDown", "b"]),
        (explorer.locator(".widget-readout").first, ["ArrowUp", "ArrowDown", "b"]),
        (explorer.get_by_role("combobox", name="kernel"), ["ArrowDown", "b"]),
        (explorer.get_by_role("application"), ["ArrowDown", "ArrowRight", "b"]),
    ]:
        control.focus()
        for key in keys:
            page.keyboard.press(key)
            expect(control).to_be_focused()
            expect(page.locator(".jp-Cell.jp-mod-active .convbp-explorer")).to_have_count(1)
    assert page.locator(".jp-Cell").count() == before
    eventually(lambda: read(explorer).outlines["output"], {(1, 1)})  # the keys came before the other kernel's picture
    assert_explains(explorer, (1, 1))
    page.close()


# Legible, nameable, still


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_text_is_legible_in_both_themes(lab, explorers, theme):
    switch(explorers[0], "convolution", "full")
    explorers[2].get_by_role("button", name="valid").click()
    expect(explorers[2].get_by_role("alert")).to_be_visible()
    with lab.theme(theme):
        for explorer in explorers:
            assert {"input I", "row i", "Reset", "K₀₀", "−1"} <= contrasts(explorer).keys()
            eventually(lambda explorer=explorer: faint(explorer), {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_a_saved_page_is_legible_in_both_themes(saved, scheme):
    root = saved({"color_scheme": scheme}, mode="full").page.locator("body")
    assert {"input I", "row i", "K00", "−1"} <= contrasts(root).keys()
    assert faint(root) == {}


def test_a_screen_reader_meets_a_named_picture_named_controls_and_the_sentence(lab, explorer):
    title = "Sliding window, cross-correlation, valid"
    sentence = explorer.locator(".convbp-sentence")
    for key in (None, "ArrowDown"):
        if key:
            explorer.get_by_role("application").press(key)
        met = accessible(explorer)
        assert [node["name"] for node in met if node["role"] == "application"] == [
            f"{title}. Arrow keys choose a cell."
        ]
        (image,) = (node for node in met if node["role"] == "image")
        assert (image["name"], image["description"]) == (title, sentence.inner_text())
    focusable = [(node["role"], node["name"].strip()) for node in met if node.get("focusable")]
    assert [role for role, name in focusable if not name] == []
    assert [name for role, name in focusable if role == "slider"] == [
        *["K₀₀", "K₀₁", "K₀₂", "K₁₀", "K₁₁", "K₁₂"],
        *["row i", "column j"],
    ]
    assert [node["role"] for node in met if node.get("live")] == ["paragraph"]
    expect(sentence).to_have_attribute("aria-live", "polite")


def test_sliders_that_are_out_of_sight_have_names(lab):
    lab.open(FAR_DOWN)
    lab.command("notebook:run-all-cells")
    readouts = lab.panel.locator(".convbp-explorer .widget-slider :is([role=slider], [contenteditable])")
    expect(readouts).to_have_count(2 * (2 * 3 + 3 * 3 + 3 * 2))
    names = [f"K{row}{col}" for rows, cols in ((2, 3), (3, 3), (3, 2)) for row in "₀₁₂"[:rows] for col in "₀₁₂"[:cols]]
    eventually(
        lambda: readouts.evaluate_all("parts => parts.map((part) => part.getAttribute('aria-label'))"),
        [name for name in names for _ in range(2)],
    )
    lab.close()


@pytest.mark.parametrize("width", [1600, 800])
@pytest.mark.parametrize("which", [0, 1], ids=["integers", "digit"])
def test_nothing_jumps_and_nothing_is_cut_off(lab, explorers, which, width):
    explorer = explorers[which]
    acts = [
        lambda: output(explorer, (1, 1)).hover(),
        lambda: output(explorer, (2, 2)).click(),
        lambda: explorer.get_by_role("application").press("ArrowUp"),
        *(partial(switch, explorer, *way) for way in WAYS),
        lambda: explorer.get_by_role("slider", name="K₀₀").press("ArrowRight"),
        lambda: explorer.get_by_role("button", name="Reset").click(),
    ]
    with lab.width(width):
        eventually(lambda: spills(explorer), [])
        high = height(explorer)
        for act in acts:
            act()
            assert height(explorer) == high
            assert spills(explorer) == []


def test_a_longer_sentence_moves_nothing(saved):
    page = saved(mode="full").page
    view = page.locator(".convbp-view")
    for width in range(800, 1100, 20):  # at some of these only the sentence with negative indices needs a second line
        page.set_viewport_size({"width": width, "height": 1000})
        heights = set()
        for cell in ((0, 0), (-1, -2)):
            output(view, cell).hover()
            heights.add(view.bounding_box()["height"])
        assert len(heights) == 1


# Stands last, to have seen everything.
def test_nothing_complains_and_no_other_machine_is_asked(lab, explorers):
    lab.assert_alone_and_content()
