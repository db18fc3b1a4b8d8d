"""The picture as a reader's eye and a renderer meet it: where things are, which colours, and what a patch changes."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest

from convbp.explorers.sliding_window import State, scene
from convbp.pictures import arranging, drawing, svg
from convbp.pictures.colours import (
    DARK,
    HUES,
    LIGHT,
    SHARES,
    contrast,
    diverging,
    hue,
    ink_on,
    mixed,
    share,
)
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Scene, Selection, Tag, Term
from convbp.pictures.text_wrapping import text_width
from pictures import (
    AROUND,
    CELLS,
    HOSTILE,
    SVG,
    apply,
    arrange,
    gallery,
    hostile,
    inside,
    kind_of,
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


@pytest.mark.parametrize(("outside", "text"), [(0, "·"), (None, "")])
def test_around_an_array_there_are_dots_for_its_zeros_or_nothing(outside, text):
    grid = Grid("g", "g", ((outside, 7),), core=(0, 1, 1, 1))
    look = drawing.look(grid, 40, as_map=False)
    drawn = ElementTree.fromstring(f"<svg>{drawing.grid(grid, look)}</svg>")
    assert [cell.get("class").split()[0] for cell in drawn.iter("rect")] == ["pad", "cell"]
    assert "".join(shape.text for shape in drawn.iter("text") if shape.get("class") == "padded") == text
    under = ElementTree.fromstring(f"<svg>{drawing.mark(Mark('g', 0, 0, 1, 2), grid, look)}</svg>")
    assert [shape.text for shape in under.iter("text")] == ["0"] * (outside == 0)


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
            *("svg", "title", "desc", "g", "rect", "text")
        }
        assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
        shown = [shape.text for shape in texts(root)]
        assert " ".join(shown).count(HOSTILE) == 2 + 2  # titles of grids; symbols and numbers of a term
        assert "<&>" in shown
        cells = {element.get("data-cell") for element in root.iter() if element.get("data-cell")}
        assert cells == {",".join(map(str, cell)) for cell in drawn.highlights}


def test_a_still_picture_knows_no_theme():
    assert "var(" in drawing.style(still=False)
    for drawn in SCENES:
        assert "var(" not in svg.picture(drawn, still=True)
        assert drawing.style(still=True) in svg.picture(drawn, still=True)


def test_a_still_picture_differs_only_in_its_colours_and_by_the_texts_that_a_page_has_around_it():
    for drawn in SCENES:
        layout = svg.layout_of_still(drawn)
        live = arrange(parse(svg.picture(drawn)), layout._asdict())
        still = parse(svg.picture(drawn, still=True))
        paper = still.find("{*}rect")
        assert (paper.get("width"), paper.get("height"), paper.get("fill")) == (
            live.get("width"),
            live.get("height"),
            "#ffffff",
        )
        still.remove(paper)
        above, below = (part for part in still.findall("{*}g") if not part.get("data-part"))
        formula = drawn.highlights[drawn.selected].formula
        assert " ".join(line.text for line in above) == " ".join(formula.heading.split())
        assert " ".join(line.text for line in below) == " ".join(" ".join((formula.total, *formula.notes)).split())
        still.remove(above)
        still.remove(below)
        still.remove(still.find("{*}style"))
        assert ElementTree.tostring(live) == ElementTree.tostring(still)


# Patches


@each_scene
def test_a_patch_makes_of_the_picture_the_one_with_that_selection(drawn):
    base, patches = svg.picture(drawn), svg.patches(drawn)
    assert patches.keys() == drawn.highlights.keys()
    slots = {element.get("data-slot") for element in parse(base).iter() if element.get("data-slot")}
    slots |= AROUND
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


def test_on_a_narrow_page_some_phrases_stand_below_the_others_and_the_maps_below_them():
    drawn = scene(State(np.ones((5, 6)), np.ones((2, 3))))
    first, *_, last = svg.layouts(drawn)
    *phrases, kernel = first.places
    assert [x for x, _, _ in phrases] == sorted({x for x, _, _ in phrases})
    assert kernel[1] > max(y for _, y, _ in phrases)
    ys = [y for _, y, _ in last.places]
    assert ys == sorted(set(ys))
    assert last.height > first.height
    assert last.width <= arranging.PHONE + 2 * arranging.MARGIN


def test_there_is_a_layout_for_each_number_of_maps_that_can_stand_side_by_side():
    maps = [arranging.Box(width, 10, 10) for width in (200, 230, 190, 210, 205)]
    parts = arranging.Parts((arranging.Box(100, 20, 20), *maps), (arranging.GAP,) * 6, (0, 1))
    found = []
    for layout in arranging.layouts(parts):
        tops = [y for _, y, _ in layout.places[1:]]
        found.append(tops.count(tops[0]))
        assert layout.width >= max(x + one.width for (x, _, _), one in zip(layout.places[1:], maps, strict=True))
    assert found == sorted(found, reverse=True)
    assert set(found) == {5, 4, 3, 2, 1}


def test_maps_that_are_drawn_small_take_no_more_room_in_a_line_than_they_need():
    maps = [arranging.Box(width, 10, 10) for width in (100, 90, 120, 110)]
    parts = arranging.Parts((arranging.Box(60, 20, 20), *maps), (arranging.GAP,) * 5, (0, 1), 0.4)
    for layout in arranging.layouts(parts):
        lefts, tops = ([place[at] for place in layout.places[1:]] for at in (0, 1))
        assert len(set(tops)) == 1
        wide = [0.4 * box.width + arranging.GAP for box in maps]
        assert [left - lefts[0] for left in lefts] == pytest.approx([sum(wide[:n]) for n in range(4)], abs=1)


def test_an_operator_stands_between_what_it_joins():
    a, b = Grid("a", "", ((1, 2),)), Grid("b", "", ((3,), (4,)))
    both = {Selection("a", 0, 0): Highlight((), Formula(), "s.")}
    drawn = shapes(parse(svg.picture(Scene("two", ((a, "⊗", b), ("→", a)), both, Selection("a", 0, 0)))))
    cells = [(shape.box[0], shape.box[2]) for shape in drawn if kind_of(shape) == "cell"]
    times, to = ((shape.box[0], shape.box[2]) for shape in drawn if shape.name == "operator")
    (_, first), (second, end), (again, _) = cells[1], cells[2], cells[4]
    assert first <= times[0] < times[1] <= second
    assert end <= to[0] < to[1] <= again
    assert sum(times) / 2 - first == pytest.approx(svg.OPERATOR / 2, abs=3)


def test_the_page_does_not_jump_when_the_mode_changes():
    valid, full = (svg.layouts(scene(State(mode=mode)))[0] for mode in ("valid", "full"))
    assert abs(valid.height - full.height) <= 40  # which is kept free


def some_selections(drawn):
    """The corners of each picture, and cells between them."""
    cells = list(drawn.highlights)
    return [*cells[:: 1 + len(cells) // 4], cells[-1]]


REAL_SCENES = [drawn for drawn in SCENES if drawn.title != HOSTILE]  # nobody can read the others anyway


@pytest.mark.slow
@pytest.mark.parametrize("drawn", REAL_SCENES, ids=range(len(REAL_SCENES)))
def test_everything_has_its_place_in_every_layout(drawn):
    for selection in some_selections(drawn):
        assert not misplaced(drawn, selection)


@pytest.mark.slow
def test_what_is_not_in_its_place_is_noticed(monkeypatch):
    drawn = gallery()
    cells = list(drawn.highlights)[:6]
    kept = (
        *(drawing._grid, drawing._as_cells, drawing._in_lines, drawing._column),
        *(arranging.largest_cell, arranging.layouts),
    )
    for module, name, value, complaint in [
        (arranging, "MARGIN", -3, "off the page"),
        (svg, "BEFORE_OPERATOR", -90, "parts overlap"),
        (drawing, "PLUS", -45, "texts overlap"),
        (arranging, "BELOW", -60, "a label on a cell"),
        (drawing, "TERM_ROOM", 900, "a wide line"),
    ]:
        with monkeypatch.context() as broken:
            broken.setattr(module, name, value)
            for one in kept:
                one.cache_clear()
            svg._recent.clear()
            assert complaint in {found[0] for cell in cells for found in misplaced(drawn, cell)}, complaint
    for one in kept:
        one.cache_clear()
    svg._recent.clear()
    assert not any(misplaced(drawn, cell) for cell in cells)


def test_a_text_is_as_wide_as_it_is_taken_to_be():
    sizes = {
        "title": (14, True),
        "name": (12, False),
        "label": (14, False),
        "said": (15, True),
        "note": (13, False),
        "heading": (15, True),
    }
    for drawn in REAL_SCENES:
        for text in texts(parse(svg.picture(drawn, still=True))):
            if text.name in sizes:
                left, _, right, _ = text.box
                expected = text_width(text.text, *sizes[text.name])
                assert 0.75 * expected - 3 <= right - left <= expected, text


OUTLINE = 2  # half of an outline's stroke, and half of the cell's own


def test_every_number_stays_inside_its_cell_and_clear_of_an_outline():
    for drawn in REAL_SCENES:
        everything = shapes(parse(svg.picture(drawn)))
        cells = pairs(everything, "cell") + pairs(everything, "pad")
        for cell, value in cells:
            if value.kind == "rect":
                assert cell.name == "pad"  # a place that does not exist
                continue
            assert kind_of(value) in ("value", "padded")
            left, top, right, bottom = cell.box
            assert inside(value.box, (left + OUTLINE, top, right - OUTLINE, bottom)), value
        drawn_cells = [shape for shape in everything if kind_of(shape) in CELLS]
        terms = sum(map(len, drawn.highlights[drawn.selected].formula.terms))
        assert len(drawn_cells) == sum(grid.size[0] * grid.size[1] for grid in drawn.grids) + terms


def test_a_long_exact_number_is_shortened_in_its_cell_only():
    drawn = scene(State([[123456789012345, Fraction(-1234567, 891)]], [[1]]))
    root = parse(svg.picture(drawn))
    values = [text.text for text in texts(root) if text.name == "value"]
    assert values == ["1.23e14", "−1.39e3", "1", "1.23e14", "1.23e14", "−1.39e3", "1"]
    assert "123456789012345" in [text.text for text in texts(root) if text.name == "total"]
    hovered = [title.text for title in root.iter(f"{SVG}title")]
    assert hovered.count("123456789012345") == 2
    assert "−1234567/891" in hovered
    assert "I(0, 0)·K(0, 0): 123456789012345·1 = 123456789012345" in hovered


def test_what_is_not_finite_is_written_and_leaves_the_other_colours_alone():
    values = (np.nan, np.inf, -np.inf, -2, 4)
    drawn = hostile()
    (first,), second = drawn.line
    drawn = replace(drawn, line=((replace(first, values=(values,), tags=()),), second))
    cells = pairs(shapes(parse(svg.picture(drawn, still=True))), "cell")[:5]
    assert [value.text for _, value in cells] == ["nan", "inf", "−inf", "−2", "4"]
    assert [cell.fill for cell, _ in cells] == ["#ffffff"] * 3 + [diverging(-0.5, 1), diverging(1, 1)]


def test_every_caption_stands_in_its_cell_below_its_number():
    for drawn in REAL_SCENES:
        everything = shapes(parse(svg.picture(drawn)))
        cells = [shape for shape in everything if kind_of(shape) in CELLS]
        for caption in (shape for shape in everything if kind_of(shape) == "caption"):
            assert any(inside(caption.box, cell.box) for cell in cells), caption


def pairs(everything, name):
    """Each shape of that name with what is drawn after it."""
    return [(shape, following) for shape, following in pairwise(everything) if kind_of(shape) == name]


# Kinds of cells, outlines and lines


def selected(drawn, n):
    """What is drawn when the n-th cell is chosen."""
    return shapes(parse(svg.picture(replace(drawn, selected=list(drawn.highlights)[n]), still=True)))


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
    numbers = [[shape.text for shape in selected(drawn, n) if kind_of(shape) == "value"][5:8] for n in (0, 2)]
    assert numbers[0] != numbers[1] == ["2", "1e−9", "−6"]


def test_cells_are_filled_by_value_by_hue_or_not_at_all():
    drawn = selected(gallery(), 0)
    cells = [shape for shape in drawn if kind_of(shape) in ("cell", "empty")][:9]
    values = [diverging(value / 10, 1) for value in (3, -1.5, 0, 7)]  # where 10 has the full colour
    assert [cell.fill for cell in cells] == [*values, "#ffffff", "#ffffff", hue(0), "#ffffff", hue(7)]
    assert [cell.name for cell in cells].count("empty") == 2
    small = [shape for shape in drawn if kind_of(shape) == "small"]
    assert small[0].fill == "#ffffff"
    assert small[31].fill == diverging(-1, 1)


def test_outlines_are_told_apart_by_their_dashes_and_not_only_by_their_colour():
    style = parse(svg.picture(gallery(), still=True)).find("{*}style").text
    rules = {
        name: dict(d.split(":") for d in body.split(";")) for name, body in re.findall(r"\.(\w+)\{([^}]*)\}", style)
    }
    looks = [rules["mark"], rules["mark"] | rules["dashed"], rules["mark"] | rules["faint"]]
    assert len({look.get("stroke-dasharray") for look in looks}) == len({look["stroke-width"] for look in looks}) == 3
    marks = [shape for shape in selected(gallery(), 0) if kind_of(shape) == "mark"]
    assert [mark.name for mark in marks] == ["mark", "mark faint", "mark dashed", "mark", "mark"]


def test_the_terms_stand_in_their_rows_and_columns_and_the_end_of_the_sum_in_a_column():
    drawn = selected(gallery(), 0)
    at = {shape.text: shape.box for shape in drawn if kind_of(shape) in ("caption", "label", "total", "said", "note")}
    top, left = (lambda text: at[text][1]), (lambda text: at[text][0])
    assert top("0·5") < top("3·1")
    assert left("0·5") < left("3·1") + 10
    assert top("Σ") < top("× f′(3)") < top("δ")
    order = ["The 3 products sum to 10.", "× f′(3) = 1", "central difference: 10.0"]
    assert [top(text) for text in order] == sorted(top(text) for text in order)
    assert [shape.text for shape in drawn if kind_of(shape) == "total"] == ["10"]


def test_the_terms_that_are_no_cells_stand_below_each_other():
    rows = (Term("a", "1·2 = 2"), Term("b", "3")), (Term("c", "4"),)
    drawn = ElementTree.fromstring(f"<svg>{drawing.terms(Formula(terms=rows), None, 0)}</svg>")
    assert [text.text for text in drawn.iter("text")] == ["a", "1·2 = 2", "b", "+", "3", "c", "+", "4"]
    tops = [float(text.get("y")) for text in drawn.iter("text") if text.text != "+"]
    assert tops == sorted(set(tops))


def test_what_is_not_added_has_no_plus():
    terms = (Term("a", "1", value=1), Term("b", "2", value=2)), (Term("c", "3", value=3),)
    for formula, expected in ((Formula("", terms), 2), (Formula("", terms, added=False), 0)):
        for cards in (None, drawing.Cards(40, 40)):
            assert drawing.terms(formula, cards, 3).count(">+<") == expected


def test_numbers_that_are_equal_and_written_differently_are_not_confused():
    for value, written in (
        (Fraction(1, 2), "1/2"),
        (0.5, "0.5"),
        (Fraction(1, 2), "1/2"),
        (1.0, "1"),
        (10**6, "1e6"),
    ):
        drawn = scene(State([[value, value]], [[1]]))
        assert written in [shape.text for shape in shapes(parse(svg.picture(drawn))) if shape.name == "value"]


# Colours


def drawn_with(strength):
    """The colours of a cell and of its number, where the largest number of the grid is 1."""
    return mixed(share(strength, 1) / SHARES, LIGHT), LIGHT["ink"]


STRENGTHS = [n / 200 for n in range(-200, 201)]


@pytest.mark.parametrize("strength", STRENGTHS[::8])
def test_a_number_can_be_read_on_its_colour(strength):
    drawn = scene(State([[strength, 1, -1]], [[1]]))
    everything = shapes(parse(svg.picture(drawn, still=True)))
    for cell, value in pairs(everything, "cell"):
        assert contrast(cell.fill, value.fill) >= 4.5
        assert (cell.fill, value.fill) == drawn_with(float(value.text.replace("−", "-")))


def test_every_colour_of_the_map_and_every_hue_carries_text_that_can_be_read():
    assert min(contrast(fill, ink_on(fill)) for fill in HUES) >= 4.5
    for drawn in REAL_SCENES:
        everything = shapes(parse(svg.picture(drawn, still=True)))
        for cell, text in pairs(everything, "cell"):
            assert contrast(cell.fill, text.fill) >= 4.5
    for theme in (LIGHT, DARK):
        assert min(contrast(mixed(strength, theme), theme["ink"]) for strength in STRENGTHS) >= 4.5


def test_text_on_the_paper_of_a_still_picture_can_be_read():
    for drawn in REAL_SCENES:
        everything = shapes(parse(svg.picture(drawn, still=True)))
        in_cells = ("value", "caption")
        on_paper = [shape for shape in everything if shape.kind == "text" and kind_of(shape) not in in_cells]
        if drawn.title != "everything":
            assert {shape.name for shape in on_paper} >= {"title", "index", "label", "total", "heading", "said"}
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
        assert distance(below, above) > 65 * strength
        assert min(distance(below, "#ffffff"), distance(above, "#ffffff")) > 43 * strength


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
    everything = shapes(parse(svg.picture(drawn, still=True)))
    written = pairs(everything, "cell")
    assert [paper.fill for paper, _ in written] == list(HUES)
    captions = [shape for shape in everything if kind_of(shape) == "caption"]
    for (paper, text), caption in zip(written, captions, strict=True):
        assert min(contrast(paper.fill, one.fill) for one in (text, caption)) >= 4.5


def test_zero_is_white_and_the_largest_has_the_full_colour():
    assert diverging(0, 5) == diverging(0, 0) == diverging(-0.0, 1) == "#ffffff"
    assert (diverging(-5, 5), diverging(Fraction(5), 5)) == (LIGHT["negative"], LIGHT["positive"])
    assert diverging(10**400, 10**400) == LIGHT["positive"]


def test_equal_captions_are_equal_weights_wherever_they_lie():
    """More weights than hues: the names alone tell them apart, and where they lie in the window their numbers stand."""
    kernel = np.arange(12).reshape(3, 4)
    drawn = scene(State(np.ones((5, 5)), kernel, operation="convolution"))
    everything = shapes(parse(svg.picture(drawn)))
    captions = [shape.text for shape in everything if kind_of(shape) == "caption"]
    names = [text for text in captions if text.startswith("K")]
    assert len(names) == len(set(names)) == 12
    assert [text for text in captions if text.startswith("×")] == [f"×{n}" for n in reversed(range(12))]
    assert [hue(n) for n in range(len(HUES) + 1)] == [*HUES, HUES[0]]
