"""What moves in a picture, and what a reader types into it, in a saved page in a real browser."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from browser import Tab, accessible, cell_of, eventually, point_elsewhere, spills
from convbp.explorers import AffectedRegionQ, ChainOfLayers, DeltaFlow, ErrorCurve, SlidingWindow
from convbp.pictures import svg
from convbp.pictures.colours import hue
from convbp.pictures.scene import Selection

# After each act of the reader: what is in motion, by its class, and when that ends, in milliseconds.
NOTE = """() => {
    const note = () => { globalThis.motion = document.getAnimations().map((animation) =>
        [animation.effect.target.getAttribute("class"), animation.effect.getComputedTiming().endTime]); };
    for (const act of ["keydown", "click", "pointerover"]) document.addEventListener(act, note);
    note();
}"""
# Which slots of the picture do not hold this markup.
OTHERS = """slots => [...document.querySelectorAll("[data-slot]")].filter((at) => {
    const copy = at.cloneNode();
    copy.innerHTML = slots[at.dataset.slot];
    return copy.innerHTML !== at.innerHTML;
}).map((at) => at.dataset.slot)"""
FINISH = "() => { for (const animation of document.getAnimations()) animation.finish(); }"


def moving(tab):
    """How many numbers and outlines the reader's last act has set in motion, or left so, and how long it lasts."""
    found = tab.page.evaluate("motion")
    names = [name or "" for name, _ in found]
    outlines = sum(name.startswith("mark") for name in names)
    return names.count("convbp-chip"), outlines, max((end for _, end in found), default=0)


@pytest.fixture
def opened(browser, tmp_path):
    """Open the page that an explorer saves; things move in it."""
    tabs = []

    def open_saved(explorer, **options):
        explorer.save_html(tmp_path / "saved.html", **options)
        tabs.append(Tab(browser, (tmp_path / "saved.html").as_uri(), reduced_motion="no-preference"))
        expect(tabs[-1].page.get_by_role("application")).to_have_attribute("aria-busy", "false")
        tabs[-1].page.evaluate(NOTE)
        return tabs[-1]

    yield open_saved
    for tab in tabs:
        assert tab.complaints == []
        tab.page.close()


def test_numbers_fly_over_the_picture_that_is_there_already(opened):
    explorer = DeltaFlow()
    tab, scene = opened(explorer), explorer.view.scene
    (i, j), picture, view = explorer.state.selected[1:], tab.page.get_by_role("application"), tab.page.locator("body")

    def shows(row, col):
        """At once, not when the motion has ended; and nothing else on the page has moved."""
        slots = svg.slots(replace(scene, selected=Selection("below", row, col)))
        assert tab.page.evaluate(OTHERS, slots) == []
        assert tab.page.locator(".convbp-view").bounding_box() == place

    place = tab.page.locator(".convbp-view").bounding_box()
    flight = 6 + 6 + 6 + 1  # the window, its products, to their sum, and that times f′
    assert moving(tab) == (0, 0, 0)
    picture.press("ArrowUp")
    shows(i - 1, j)
    numbers, outlines, longest = moving(tab)
    assert (numbers, outlines) == (flight, 5)  # of the six outlines the one around rot180(w) stays
    assert 2000 < longest <= 2900
    picture.press("ArrowUp")  # cuts it short
    assert tab.page.locator(".convbp-chip").count() == flight
    shows(i - 2, j)
    tab.page.evaluate(FINISH)
    expect(tab.page.locator(".convbp-chip")).to_have_count(0)
    shows(i - 2, j)

    cell_of(view, "below", i, j - 1).hover()  # only outlines glide
    assert moving(tab) == (0, 5, 260)
    tab.page.keyboard.down("ArrowLeft")
    tab.page.keyboard.down("ArrowLeft")  # held
    assert moving(tab)[::2] == (0, 260)
    tab.page.keyboard.up("ArrowLeft")
    cell_of(view, "below", 1, 1).click()
    point_elsewhere(view)  # a pointer that moves over the page disturbs no flight
    assert moving(tab)[0] == flight
    shows(1, 1)

    play = tab.page.get_by_role("button", name="play")
    play.click()
    assert moving(tab)[0] == flight
    shows(1, 2)
    picture.press("ArrowDown")  # works at once, and nothing goes on
    shows(2, 2)
    expect(play).to_have_text("▶ play")

    tab.page.emulate_media(reduced_motion="reduce")
    picture.press("ArrowDown")
    assert moving(tab) == (0, 0, 0)
    shows(3, 2)
    tab.page.emulate_media(reduced_motion="no-preference")
    tab.page.get_by_role("checkbox", name="motion").uncheck()
    picture.press("ArrowUp")
    assert moving(tab) == (0, 0, 0)
    shows(2, 2)
    cell_of(view, "below", 3, 4).click()
    play.click()  # from the last but one to the last, where it ends
    shows(3, 5)
    expect(play).to_have_text("▶ play")


# Of each line in the picture: its colour, and the middle of what lies at its two ends.
LINES = """() => [...document.querySelectorAll(".convbp-over path")].map((path) => {
    const ends = [0, path.getTotalLength()].map((at) => path.getPointAtLength(at).matrixTransform(path.getScreenCTM()));
    return [path.getAttribute("stroke"), ...ends.map(({ x, y }) => [x, y])];
})"""
# How many numbers of cells, or other texts, a line runs across.
CROSSED = """(texts = ".value") => [...document.querySelectorAll(".convbp-over path")].reduce((count, path) => {
    const to = path.getScreenCTM(), long = path.getTotalLength();
    const points = Array.from({ length: 200 }, (_, n) => path.getPointAtLength((n * long) / 199).matrixTransform(to));
    const hit = ({ left, right, top, bottom }) =>
        points.some(({ x, y }) => x > left && x < right && y > top + 2 && y < bottom - 2);
    return count + [...document.querySelectorAll(texts)].filter((text) => hit(text.getBoundingClientRect())).length;
}, 0)"""


@pytest.mark.parametrize(
    ("explorer", "width", "cells"),
    [
        (AffectedRegionQ, 1600, [(0, 0), (1, 4), (2, 3)]),
        (AffectedRegionQ, 500, [(0, 0), (1, 4), (2, 3)]),
        (DeltaFlow, 1600, [(1, 2), (0, 4)]),
    ],
)
def test_a_line_leads_from_the_pixel_to_each_output_of_its_region_in_its_weight_s_colour(
    opened, explorer, width, cells
):
    explorer = explorer()
    tab = opened(explorer)
    tab.page.set_viewport_size({"width": width, "height": 1000})
    body, scene = tab.page.locator("body"), explorer.view.scene
    for row, col in cells:
        chosen = Selection(scene.selected.grid, row, col)
        cell_of(body, *chosen).click()
        tab.page.evaluate(FINISH)
        links = scene.highlights[chosen].links
        lines = tab.page.evaluate(LINES)
        assert len(lines) == len(links)
        for (_, start, end), link in zip(lines, links, strict=True):
            for (x, y), at in (
                (start, cell_of(body, *link.start)),
                (end, body.locator(f'[data-grid="delta"] [data-at="{link.end.row},{link.end.col}"]')),
            ):
                box = at.bounding_box()
                assert box["x"] - 5 <= x <= box["x"] + box["width"]
                assert box["y"] - 5 <= y <= box["y"] + box["height"]
        assert [colour for colour, _, _ in lines] == [hue(link.hue) for link in links]
        assert tab.page.evaluate(CROSSED) == 0
        assert spills(body) == []
    tab.page.get_by_role("checkbox", name="links").uncheck()
    assert tab.page.evaluate(LINES) == []


@pytest.mark.parametrize(
    ("explorer", "width", "grid"), [(AffectedRegionQ(), 500, "delta"), (DeltaFlow(way="scatter"), 750, "sums")]
)
def test_a_line_passes_behind_titles_and_indices(opened, explorer, width, grid):
    tab = opened(explorer)
    tab.page.set_viewport_size({"width": width, "height": 1400})  # the grid lies below the one with the chosen cell
    eventually(lambda: tab.page.evaluate(CROSSED, ".title, .index") > 0, True)
    texts = tab.page.locator(f'[data-grid="{grid}"] :is(.title, .index)').all()
    with_lines = [text.screenshot() for text in texts]
    tab.page.get_by_role("checkbox", name="links").uncheck()
    assert with_lines == [text.screenshot() for text in texts]


def test_a_prediction_is_typed_in_the_picture_and_compared_when_it_is_uncovered(opened):
    explorer = SlidingWindow(covered=True)
    tab, right = opened(explorer), explorer.view.solution.entry
    body, picture, sentence = (
        tab.page.locator("body"),
        tab.page.get_by_role("application"),
        tab.page.locator(".convbp-sentence"),
    )
    high = tab.page.locator(".convbp-view").bounding_box()["height"]
    numbers, guesses = tab.page.locator('[data-grid="output"] .value'), tab.page.locator(".convbp-guess")
    assert set(numbers.all_text_contents()) == {"?"}
    picture.press("ArrowRight")
    expect(sentence).to_have_text("Predict the number at (0, 1) of “output I ⊗ K”. Type it, or press Enter to see it.")
    tab.page.keyboard.type(str(right(0, 1)))
    tab.page.keyboard.press("Enter")
    expect(sentence).to_contain_text(f"You predict {right(0, 1)}. Enter shows the number")
    assert set(numbers.all_text_contents()) == {"?"}
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.type("-1,5")
    tab.page.keyboard.press("Enter")
    assert guesses.all_text_contents() == [str(right(0, 1)), "−1.5"]
    tab.page.keyboard.press("Enter")
    expect(sentence).to_contain_text(f"Output (0, 2) is {right(0, 2)}: ")
    expect(sentence).to_contain_text(f"You predicted −1.5: wrong, it is {right(0, 2)}.")
    assert guesses.all_text_contents() == [str(right(0, 1)), "−1.5 ✗"]
    tab.page.keyboard.press("ArrowLeft")
    assert sorted(numbers.all_text_contents()) == sorted(["?"] * 8 + [str(right(0, 2))]), "what was seen stays"
    tab.page.keyboard.press("Enter")
    expect(sentence).to_contain_text(f"You predicted {right(0, 1)}: right.")
    assert guesses.first.text_content() == "✓"

    cell_of(body, "output", 2, 2).click()  # the same by pointer
    field = tab.page.get_by_label("your prediction")
    field.fill("one")
    field.press("Enter")
    expect(tab.page.get_by_role("alert")).to_have_text("“one” is no number.")
    field.fill(f"{2 * right(2, 2)}/2")
    tab.page.get_by_role("button", name="show").click()
    expect(sentence).to_contain_text(f"{2 * right(2, 2)}/2: right.")
    expect(tab.page.get_by_role("alert")).to_be_hidden()
    assert tab.page.locator(".convbp-view").bounding_box()["height"] == high
    seen, play = numbers.all_text_contents(), tab.page.get_by_role("button", name="play")
    cell_of(body, "output", 0, 2).click()
    play.click()  # goes on to a covered cell, and does not uncover it
    expect(sentence).to_contain_text("Predict the number at (1, 0)")
    assert tab.page.locator(".convbp-chip").count() == 0
    tab.page.get_by_role("button", name="pause").click()
    assert numbers.all_text_contents() == seen
    assert [node["role"] for node in accessible(body) if node.get("live")] == ["paragraph"]


def test_a_saved_page_works_where_no_script_may_stand_in_a_page(browser, tmp_path):
    SlidingWindow().save_html(tmp_path / "apart.html", title="A & B", caption="C < D", fit=True, inline=False)
    tab = Tab(browser, "about:blank")
    policy = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'"}
    tab.page.route(
        "**/*", lambda route: route.fulfill(path=tmp_path / urlsplit(route.request.url).path[1:], headers=policy)
    )
    tab.page.goto("http://localhost/apart.html")
    tab.page.get_by_role("application").press("ArrowDown")
    expect(tab.page.locator(".convbp-sentence")).to_contain_text("Output (1, 0) is ")
    expect(tab.page.locator("h1")).to_have_text("A & B")
    expect(tab.page.locator("figcaption")).to_have_text("C < D")
    expect(tab.page.locator("footer")).to_contain_text("MIT licence")
    tab.page.set_viewport_size({"width": 2400, "height": 1400})
    fits = "(page) => page.scrollWidth <= innerWidth && page.scrollHeight <= innerHeight"
    # Asked again and again, as a page under this policy lets no one wait in it.
    eventually(lambda: tab.page.evaluate(f"document.body.style.zoom > 1 && ({fits})(document.documentElement)"), True)
    tab.page.emulate_media(media="print")
    tab.page.set_viewport_size({"width": 700, "height": 1000})  # as wide as paper; nothing is cut off, or to be set
    box = tab.page.locator(".convbp-stage > svg").bounding_box()
    assert box["x"] + box["width"] <= 700
    expect(tab.page.get_by_role("slider")).to_have_count(0)
    assert tab.page.locator(".mark").first.evaluate("mark => getComputedStyle(mark).fill") == "none"
    assert tab.complaints == []
    tab.page.close()


# Maps that open, and what hangs together


def test_a_map_opens_over_the_others_by_a_click_or_a_key_and_moves_nothing(opened):
    tab = opened(ChainOfLayers(step=14))
    high = tab.page.evaluate("document.body.scrollHeight")
    maps, shown = tab.page.locator("[data-map]"), tab.page.locator("[data-map].open")
    number = tab.page.locator('[data-grid="input.0"] .value').first
    expect(number).to_be_hidden()
    tab.page.locator('[data-map="input.0"] .name').click()
    expect(shown).to_have_count(1)
    expect(number).to_be_visible()
    tab.page.locator('[data-map="input.0"] .name').click()
    expect(shown).to_have_count(0)
    picture = tab.page.get_by_role("application")
    for name in ("input.0", "conv1.kernel.0.0"):
        picture.press("m")
        expect(shown).to_have_attribute("data-map", name)
        outside = shown.evaluate(
            """map => { const a = map.getBoundingClientRect(), b = map.ownerSVGElement.getBoundingClientRect();
                return a.left < b.left || a.top < b.top || a.right > b.right || a.bottom > b.bottom; }"""
        )
        assert not outside
    picture.press("Escape")
    expect(shown).to_have_count(0)
    assert maps.count() > 10
    assert tab.page.evaluate("document.body.scrollHeight") == high


def test_what_meets_the_same_weight_lights_up_and_what_is_covered_has_a_frame(opened):
    tab = opened(SlidingWindow())
    lit = tab.page.locator(".lit")
    for grid, n in (("products", 1), ("slid", 1), ("input", 1)):
        point_elsewhere(tab.page.locator("body"))
        expect(lit).to_have_count(0)
        tab.page.locator(f'[data-grid="{grid}"] [data-slot^=grid] rect, [data-slot="{grid}"] rect').nth(n).hover()
        expect(lit).to_have_count(4)  # of the input, the kernel as it slides and as it is, and their product
        assert sorted(lit.evaluate_all("all => all.map((one) => one.closest('[data-grid]').dataset.grid)")) == [
            *("input", "kernel", "products", "slid")
        ]
    legend = tab.page.locator(".convbp-legend")
    assert not legend.get_attribute("open")
    legend.locator("summary").click()
    expect(legend).to_contain_text("blue: positive")
    tab = opened(SlidingWindow(covered=True))
    assert tab.page.locator(".asks").all_text_contents() == ["products ?", "sum ?"]


def test_nothing_hides_the_right_number_or_the_points_of_a_curve(browser, tmp_path):
    AffectedRegionQ(covered=True).save_html(tmp_path / "low.html")  # whose covered grid has low cells
    ErrorCurve().save_html(tmp_path / "curve.html")
    tab = Tab(browser, (tmp_path / "low.html").as_uri())
    tab.page.get_by_role("application").press("ArrowLeft")
    tab.page.keyboard.type("77")
    for _ in "typed", "shown":
        tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".convbp-guess")).to_have_text("✗ 6")
    expect(tab.page.locator(".convbp-sentence")).to_contain_text("reaches 6 outputs")
    tab.page.goto((tmp_path / "curve.html").as_uri())
    points = tab.page.locator("[data-cell]")
    expect(points.first).to_be_visible()
    below = """cells => cells.filter((cell) => {
        const { x, y, width, height } = cell.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2) !== cell;
    }).map((cell) => cell.dataset.cell)"""
    assert points.evaluate_all(below) == []
    tab.page.close()
