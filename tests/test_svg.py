"""The picture as a reader's eye and a renderer meet it: where things are, which colours, and what a patch changes."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest

from convbp.explorers.sliding_window import State, scene
from convbp.pictures import drawing, svg
from convbp.pictures.colours import HUES, NEGATIVE, POSITIVE, contrast, diverging, hue, ink_on
from convbp.pictures.scene import Formula, Grid, Highlight, Scene, Selection, Tag, Term
from convbp.pictures.text_wrapping import text_width
from pictures import (
    CELLS,
    HOSTILE,
    apply,
    arrange,
    gallery,
    hostile,
    inside,
    misplaced,
    parse,
    random_array,
    random_state,
    shapes,
)


def pictures(kinds, how_many):
    rng = np.random.default_rng(11)
    return [scene(random_state(rng, kind)) for kind in kinds for _ in range(how_many)]


def largest():
    rng = np.random.default_rng(12)
    arrays = random_array(rng, (16, 15), "integer"), random_array(rng, (5, 4), "long")
    return scene(State(*arrays, operation="convolution", mode="full"))


SCENES = [*pictures(["integer", "fraction", "float", "long"], 3), largest(), gallery(), hostile()]
each_scene = pytest.mark.parametrize("drawn", SCENES, ids=[f"{n} {drawn.title[:40]}" for n, drawn in enumerate(SCENES)])


def texts(root):
    return [shape for shape in shapes(root) if shape.kind == "text" and shape.text]


# Text


@pytest.mark.parametrize(("outside", "text"), [(0, "0"), (None, "")])
def test_around_an_array_there_are_zeros_to_be_seen_or_nothing(outside, text):
    grid = Grid("g", "g", ((outside, 7),), core=(0, 1, 1, 1))
    drawn = ElementTree.fromstring(f"<svg>{drawing.grid(grid)}</svg>")
    assert [cell.get("class") for cell in drawn.iter("rect")] == ["pad", "cell"]
    assert "".join(shape.text for shape in drawn.iter("text") if shape.get("class") == "padded") == text


@each_scene
def test_the_same_scene_gives_the_same_text(drawn):
    assert svg.picture(drawn) == svg.picture(replace(drawn))
    assert svg.patches(drawn) == svg.patches(replace(drawn))


@each_scene
@pytest.mark.parametrize("still", [False, True])
def test_the_picture_is_well_formed_and_says_what_it_is(drawn, still):
    root = parse(svg.picture(drawn, still=still))
    title, sentence = root[:2]
    assert (title.tag.partition("}")[2], sentence.tag.partition("}")[2]) == ("title", "desc")
    assert (title.text, sentence.text) == (drawn.title, drawn.sentence)
    assert root.get("role") == "img"


def test_text_from_outside_stays_text():
    drawn = hostile()
    for root in (
        parse(svg.picture(drawn)),
        *(apply(parse(svg.picture(drawn)), p) for p in svg.patches(drawn).values()),
    ):
        assert {element.tag.partition("}")[2] for element in root.iter()} == {
            *("svg", "title", "desc", "style", "g", "rect", "text")
        }
        assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
        shown = [shape.text for shape in texts(root)]
        assert " ".join(shown).count(HOSTILE) == 2 + 4  # titles of grids; heading, symbols, numbers, total, in lines
        assert "<b>" in shown
        cells = {element.get("data-cell") for element in root.iter() if element.get("data-cell")}
        assert cells == {",".join(map(str, cell)) for cell in drawn.highlights}


def test_a_still_picture_knows_no_theme():
    for drawn in SCENES:
        assert "var(" in svg.picture(drawn)
        assert "var(" not in svg.picture(drawn, still=True)


def test_a_still_picture_differs_only_in_its_colours_and_in_its_layout_if_it_is_wide():
    for drawn in SCENES:
        layout = svg.layout_of_still(drawn)
        assert layout == svg.layouts(drawn)[0] or svg.layouts(drawn)[0].width > svg.WIDEST
        live = arrange(parse(svg.picture(drawn)), layout._asdict())
        still = parse(svg.picture(drawn, still=True))
        style, paper = live.find("{*}style"), still.find("{*}rect")
        assert (paper.get("width"), paper.get("height"), paper.get("fill")) == (
            live.get("width"),
            live.get("height"),
            "#ffffff",
        )
        still.remove(paper)
        still.find("{*}style").text = style.text
        assert ElementTree.tostring(live) == ElementTree.tostring(still)


# Patches


@each_scene
def test_a_patch_makes_of_the_picture_the_one_with_that_selection(drawn):
    base, patches = svg.picture(drawn), svg.patches(drawn)
    assert patches.keys() == drawn.highlights.keys()
    slots = {element.get("data-slot") for element in parse(base).iter() if element.get("data-slot")}
    assert svg.slots(drawn).keys() == slots
    replaced = {grid.name for highlight in drawn.highlights.values() for grid in highlight.grids}
    slots -= {f"grid{g}" for g, grid in enumerate(drawn.grids) if grid.name not in replaced}
    for selection in list(drawn.highlights)[:: 1 + len(drawn.highlights) // 12]:
        assert patches[selection].keys() == slots
        patched = apply(parse(base), patches[selection])
        drawn_so = parse(svg.picture(replace(drawn, selected=selection)))
        assert ElementTree.tostring(patched) == ElementTree.tostring(drawn_so)


@each_scene
def test_every_cell_one_can_choose_is_offered_once_and_no_other(drawn):
    offered = [element.get("data-cell") for element in parse(svg.picture(drawn)).iter() if element.get("data-cell")]
    assert sorted(offered) == sorted(",".join(map(str, cell)) for cell in drawn.highlights)


# Layouts


@each_scene
def test_layouts_go_from_wide_to_narrow(drawn):
    widths = [layout.width for layout in svg.layouts(drawn)]
    assert widths == sorted(set(widths), reverse=True)
    root = parse(svg.picture(drawn))
    first = svg.layouts(drawn)[0]
    assert root.get("viewBox") == f"0 0 {first.width} {first.height}"
    assert ElementTree.tostring(arrange(parse(svg.picture(drawn)), first._asdict())) == ElementTree.tostring(root)


def test_there_is_room_for_the_title_of_a_grid_that_replaces_another():
    grids = [Grid(name, name, ((1,),)) for name in "ab"]
    long = replace(grids[0], title="a title that is longer than the one it replaces")
    highlights = {Selection("a", 0, 0): Highlight((), Formula("sum"), "a.", grids=(long,))}
    drawn = Scene("two", tuple((grid,) for grid in grids), highlights, Selection("a", 0, 0))
    assert not misplaced(drawn, drawn.selected)


def test_a_narrow_page_gets_some_columns_below_the_others():
    first, *_, last = svg.layouts(scene(State(np.ones((5, 6)), np.ones((2, 3)))))
    assert len({y for _, y in first.places[:-1]}) == 1
    assert len({x for x, _ in first.places[:-1]}) == 3
    assert len({y for _, y in last.places[:-1]}) > 1
    assert last.places[-1][1] > first.places[-1][1]
    assert last.height > first.height


def test_the_page_does_not_jump_when_the_mode_changes():
    valid, full = (
        svg.layouts(scene(State(np.ones((4, 6)), np.ones((3, 2)), mode=mode)))[0] for mode in ("valid", "full")
    )
    assert valid.height == full.height


def some_selections(drawn):
    """The corners of each picture, and cells between them."""
    cells = list(drawn.highlights)
    return [*cells[:: 1 + len(cells) // 4], cells[-1]]


REAL_SCENES = [drawn for drawn in SCENES if drawn.title != HOSTILE]  # nobody can read the others anyway


@pytest.mark.parametrize("drawn", REAL_SCENES, ids=range(len(REAL_SCENES)))
def test_everything_has_its_place_in_every_layout(drawn):
    for selection in some_selections(drawn):
        assert not misplaced(drawn, selection)


def test_what_is_not_in_its_place_is_noticed(monkeypatch):
    drawn = gallery()
    cells = list(drawn.highlights)[:6]
    for module, name, value, complaint in [
        (svg, "MARGIN", -3, "off the page"),
        (svg, "GAP", -90, "parts overlap"),
        (drawing, "LINE", 8, "texts overlap"),
        (svg, "GAP", -30, "a label on a cell"),
        (drawing, "FORMULA_WIDTH", 700, "a wide line"),
    ]:
        drawing._grid.cache_clear()
        drawing._formula.cache_clear()
        with monkeypatch.context() as broken:
            broken.setattr(module, name, value)
            assert complaint in {found[0] for cell in cells for found in misplaced(drawn, cell)}
    drawing._grid.cache_clear()
    drawing._formula.cache_clear()
    assert not any(misplaced(drawn, cell) for cell in cells)


def test_a_text_is_as_wide_as_it_is_taken_to_be():
    sizes = {
        "title": (14, True),
        "total": (15, True),
        "sum": (15, False),
        "outside": (15, False),
        "symbols": (12, False),
    }
    for drawn in REAL_SCENES:
        for text in texts(parse(svg.picture(drawn))):
            if text.name in sizes:
                left, _, right, _ = text.box
                expected = text_width(text.text, *sizes[text.name])
                assert 0.75 * expected - 3 <= right - left <= expected, text


OUTLINE = 3.5  # half of an outline's stroke, and half of the cell's own


def test_every_number_stays_inside_its_cell_and_clear_of_an_outline():
    for drawn in REAL_SCENES:
        everything = shapes(parse(svg.picture(drawn)))
        cells = pairs(everything, "cell") + pairs(everything, "pad")
        for cell, value in cells:
            if value.kind == "rect":
                assert cell.name == "pad"  # a place that does not exist
                continue
            assert value.name in ("value", "padded")
            left, top, right, bottom = cell.box
            assert inside(value.box, (left + OUTLINE, top, right - OUTLINE, bottom)), value
        drawn_cells = [shape for shape in everything if shape.name in CELLS]
        assert len(drawn_cells) == sum(grid.size[0] * grid.size[1] for grid in drawn.grids)


def test_a_long_exact_number_is_shortened_in_its_cell_only():
    drawn = scene(State([[123456789012345, Fraction(-1234567, 891)]], [[1]]))
    shown = texts(parse(svg.picture(drawn)))
    assert [text.text for text in shown if text.name == "value"] == ["1.235e14", "−1386", "1", "1", "1.235e14", "−1386"]
    assert "123456789012345·1 = 123456789012345" in [text.text for text in shown]


def test_what_is_not_finite_is_written_and_leaves_the_other_colours_alone():
    values = (np.nan, np.inf, -np.inf, -2, 4)
    drawn = hostile()
    (first, *_), second = drawn.columns
    drawn = replace(drawn, columns=((replace(first, values=(values,), tags=()),), second))
    cells = pairs(shapes(parse(svg.picture(drawn))), "cell")[:5]
    assert [value.text for _, value in cells] == ["nan", "inf", "−inf", "−2", "4"]
    assert [cell.fill for cell, _ in cells] == ["#ffffff"] * 3 + [diverging(-0.5, 1), diverging(1, 1)]


def test_every_tag_holds_its_text():
    for drawn in REAL_SCENES:
        for box, text in pairs(shapes(parse(svg.picture(drawn))), "tag"):
            assert text.name == "tagged"
            assert inside(text.box, box.box)


def pairs(everything, name):
    """Each shape of that name with what is drawn after it."""
    return [(shape, following) for shape, following in pairwise(everything) if shape.name == name]


# Kinds of cells, outlines and lines


def selected(drawn, n):
    """What is drawn when the n-th cell is chosen."""
    cell = list(drawn.highlights)[n]
    return shapes(apply(parse(svg.picture(drawn, still=True)), svg.patches(drawn)[cell]))


def test_a_grid_that_a_highlight_replaces_is_back_when_another_cell_is_chosen():
    drawn, cells = gallery(), list(gallery().highlights)
    titles = [[shape.text for shape in selected(drawn, n) if shape.name == "title"] for n in range(3)]
    assert [row[1:3] for row in titles] == [
        ["w, by hue", "a map of 20×32"],
        ["w, by hue", "large, as it is at 1"],
        ["weights · 2 = twice the weights", "large, as it is at 2"],
    ]
    root = apply(parse(svg.picture(replace(drawn, selected=cells[2]))), svg.patches(drawn)[cells[0]])
    assert [shape.text for shape in shapes(root) if shape.name == "title"] == titles[0]
    numbers = [[shape.text for shape in selected(drawn, n) if shape.name == "value"][-3:] for n in (0, 2)]
    assert numbers[0] != numbers[1] == ["2", "1e−9", "−6"]


def test_cells_are_filled_by_value_by_hue_or_not_at_all():
    cells = [shape for shape in selected(gallery(), 0) if shape.name in ("cell", "empty")]
    values = [diverging(value / 10, 1) for value in (3, -1.5, 0, 7)]  # where 10 has the full colour
    assert [cell.fill for cell in cells] == [*values, "#ffffff", "#ffffff", hue(0), "#ffffff", hue(7)]
    assert [cell.name for cell in cells].count("empty") == 2
    small = [shape for shape in selected(gallery(), 0) if shape.name == "small"]
    assert small[0].fill == "#ffffff"
    assert small[31].fill == diverging(-1, 1)


def test_outlines_are_told_apart_by_their_dashes_and_not_only_by_their_colour():
    style = parse(svg.picture(gallery(), still=True)).find("{*}style").text
    rules = {
        name: dict(d.split(":") for d in body.split(";")) for name, body in re.findall(r"\.(\w+)\{([^}]*)\}", style)
    }
    looks = [rules["mark"], rules["mark"] | rules["dashed"], rules["mark"] | rules["faint"]]
    assert len({look.get("stroke-dasharray") for look in looks}) == len({look["stroke"] for look in looks}) == 3
    marks = [shape for shape in selected(gallery(), 0) if "mark" in shape.name.split()]
    assert [mark.name for mark in marks] == ["mark", "mark faint", "mark dashed", "mark", "mark"]


def test_the_lines_of_a_formula_stand_below_each_other_and_what_is_outside_is_struck_out():
    words = [shape for shape in selected(gallery(), 0) if shape.name in ("sum", "symbols", "outside", "total")]
    lines = {text: shape.box[1] for shape in words if (text := shape.text) not in ("+", "b", "7")}
    order = ["every line", "0·5 = 0", "3·1 = 3", "The 3 products sum to 10.", "× f′(3) = 1", "central difference: 10.0"]
    assert [lines[text] for text in order] == sorted(lines[text] for text in order)
    assert [shape.text for shape in words if shape.name == "outside"] == ["0·5 = 0"]
    assert "line-through" in svg.picture(gallery())


def test_what_is_not_added_has_no_plus():
    terms = (Term("a", "1"), Term("b", "2")), (Term("c", "3"),)
    for formula, expected in ((Formula("", terms), 2), (Formula("", terms, added=False), 0)):
        assert drawing.formula(formula).count(">+<") == expected


def test_numbers_that_are_equal_and_written_differently_are_not_confused():
    for value, written in (
        (Fraction(1, 2), "1/2"),
        (0.5, "0.5"),
        (Fraction(1, 2), "1/2"),
        (1.0, "1"),
        (10**6, "1000000"),
    ):
        drawn = scene(State([[value, value]], [[1]]))
        assert written in [shape.text for shape in shapes(parse(svg.picture(drawn))) if shape.name == "value"]


# Colours


def drawn_with(strength):
    """The colours of a cell and of its number, where the largest number of the grid is 1."""
    fill = diverging(strength, 1)
    return fill, ink_on(fill)


STRENGTHS = [n / 200 for n in range(-200, 201)]


@pytest.mark.parametrize("strength", STRENGTHS[::8])
def test_a_number_can_be_read_on_its_colour(strength):
    drawn = scene(State([[strength, 1, -1]], [[1]]))
    everything = shapes(parse(svg.picture(drawn, still=True)))
    for cell, value in pairs(everything, "cell"):
        assert contrast(cell.fill, value.fill) >= 4.5
        assert (cell.fill, value.fill) == drawn_with(float(value.text.replace("−", "-")))


def test_every_colour_of_the_map_and_every_hue_carries_text_that_can_be_read():
    assert min(contrast(*drawn_with(strength)) for strength in STRENGTHS) >= 4.5
    assert min(contrast(fill, ink_on(fill)) for fill in HUES) >= 4.5
    for drawn in REAL_SCENES:
        for tag, text in pairs(shapes(parse(svg.picture(drawn))), "tag"):
            assert contrast(tag.fill, text.fill) >= 4.5


def test_text_on_the_paper_of_a_still_picture_can_be_read():
    for drawn in REAL_SCENES:
        everything = shapes(parse(svg.picture(drawn, still=True)))
        on_paper = [shape for shape in everything if shape.kind == "text" and shape.name not in ("value", "tagged")]
        if drawn.title != "everything":
            assert {shape.name for shape in on_paper} >= {"title", "index", "sum", "symbols", "total"}
        assert min(contrast(shape.fill, "#ffffff") for shape in on_paper) >= 4.5


def test_contrast_is_the_ratio_that_wcag_defines():
    assert contrast("#000000", "#ffffff") == contrast("#ffffff", "#000000") == 21
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the lightest grey that passes on white
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


# How linear RGB looks to those whose one kind of cone is missing: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes,
# "A physiologically-based model for simulation of color vision deficiency", IEEE TVCG, 2009, severity 1.0.
COLOUR_VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def seen(colour, vision):
    """CIE Lab coordinates of ``#rrggbb`` as it looks with that vision; 2.3 apart is a just noticeable difference."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(COLOUR_VISION[vision]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / (np.array(to_xyz) @ np.ones(3))
    x, y, z = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_negative_and_positive_are_told_apart_with_every_colour_vision(vision):
    def distance(one, other):
        return np.linalg.norm(seen(one, vision) - seen(other, vision))

    for strength in np.linspace(0.1, 1, 19):
        below, above = diverging(-strength, 1), diverging(strength, 1)
        assert distance(below, above) > 75 * strength
        assert min(distance(below, "#ffffff"), distance(above, "#ffffff")) > 55 * strength


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_a_larger_number_is_darker_with_every_colour_vision(vision):
    for end in (-1, 1):
        lightness = [seen(diverging(end * strength, 1), vision)[0] for strength in np.linspace(0, 1, 21)]
        assert (np.diff(lightness) < 0).all()


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_any_two_of_the_nine_hues_of_a_3x3_kernel_are_told_apart_with_every_colour_vision(vision):
    assert len(HUES) == 9
    for one, other in combinations(HUES, 2):
        assert np.linalg.norm(seen(one, vision) - seen(other, vision)) > 5 * 2.3


def test_text_on_a_cell_or_a_tag_of_any_hue_can_be_read():
    hues, cell = tuple(range(len(HUES))), Selection("filled", 0, 0)
    filled = Grid("filled", "by hue", (hues,), tags=(tuple(Tag("w₀₀", n) for n in hues),), hues=(hues,))
    drawn = Scene("hues", ((filled,),), {cell: Highlight((), Formula(), "Nine hues.")}, cell)
    for name in ("cell", "tag"):
        written = pairs(shapes(parse(svg.picture(drawn, still=True))), name)
        assert [paper.fill for paper, _ in written] == list(HUES)
        assert min(contrast(paper.fill, text.fill) for paper, text in written) >= 4.5


def test_zero_is_white_and_the_largest_has_the_full_colour():
    assert diverging(0, 5) == diverging(0, 0) == diverging(-0.0, 1) == "#ffffff"
    assert (diverging(-5, 5), diverging(Fraction(5), 5)) == (NEGATIVE, POSITIVE)
    assert diverging(10**400, 10**400) == POSITIVE


def test_a_hue_never_stands_without_its_text():
    """More weights than hues: equal colours then stand for different weights, and only the texts tell them apart."""
    drawn = scene(State(np.ones((5, 5)), np.ones((3, 4))))
    everything = shapes(parse(svg.picture(drawn)))
    tags = [(box.fill, text.text) for box, text in pairs(everything, "tag")]
    terms = [(box.fill, text.text) for box, text in pairs(everything, "") if box.fill in HUES]
    assert len(terms) == 12
    assert all(text.startswith("I(") for _, text in terms)
    assert len({text for _, text in tags}) == 12
    assert len({fill for fill, _ in tags}) == len(HUES)
    assert {fill for fill, text in tags} == {fill for fill, _ in terms}
    assert len(set(tags)) == 12  # a weight has one colour wherever it lies
    assert sum(shape.fill in HUES for shape in everything) == len(tags) + len(terms)
    assert [hue(n) for n in range(len(HUES) + 1)] == [*HUES, HUES[0]]
