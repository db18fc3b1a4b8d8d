"""How curves, ways, small things and the layouts are drawn, against where they have to be."""

import re
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from PIL import Image

from convbp.pictures import arranging, curves, drawing, still, svg, ways
from convbp.pictures.colours import DARK, LIGHT
from convbp.pictures.scene import (
    Cells,
    Curve,
    Formula,
    Grid,
    Highlight,
    Line,
    Mark,
    Scene,
    Selection,
    Tag,
    Term,
    Totals,
    Ways,
    covered,
)
from convbp.pictures.text_wrapping import text_width
from convbp.pictures.written_terms import coming_about, outline, together, written
from convbp.sums import Factor, Sum
from pictures import SVG, arrange, gallery, inside, kind_of, overlaps, parse, shapes


def picture(*line, marks=(), maps=(), formula=None, selected=None, **more):
    """A scene with one cell to choose."""
    cell = selected or Selection("none", 0, 0)
    return Scene("t", line, {cell: Highlight(marks, formula or Formula(), "s.")}, cell, maps, **more)


def elements(drawn, name, tag="path"):
    return [one for one in parse(svg.picture(drawn)).iter(f"{SVG}{tag}") if one.get("class", "").split()[:1] == [name]]


def numbers(text):
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]


# Curves

CURVE = Curve(
    *("c", "a curve", ((1.0, 5.0, 2.0),)),
    axes=("n", ""),
    at=(-1.0, 0.5, 3.0),
    across=(-1, 3),
    up=(0, 6),
    labels=("w", "E"),
    lines=(
        Line(((-1, 1), (0.5, 5), (3, 2)), 1, "first"),
        Line(((0, 0), (2, 9)), 2, "second", "dots"),
        Line(((0, 3), (1, 3)), 3, "", "broken"),
        Line(()),
    ),
)
LEFT, TOP, RIGHT, BOTTOM = 46, 44, 46 + 360, 44 + 190  # of the axes


def place(x, y):
    """Of a point in the picture, which no line leaves."""
    return LEFT + 360 * (x + 1) / 4, TOP + 190 * (1 - min(max(y, 0), 6) / 6)


def test_a_curve_is_drawn_to_the_scale_of_its_axes():
    axis = [numbers(one.get("d")) for one in elements(picture((CURVE,)), "axis")]
    assert [d[1] for d in axis if len(d) == 3 and d[2] == 360] == [place(0, y)[1].__round__(2) for y in (0, 2, 4, 6)]
    assert [d[0] for d in axis if d[2] == 4] == [place(x, 0)[0] for x in (-1, 0, 1, 2, 3)]
    lines = [one for one in elements(picture((CURVE,)), "curve") if "L" in one.get("d")]
    for one, line in zip(lines, CURVE.lines, strict=False):
        assert re.fullmatch(r"M[\d. ]+(L[\d. ]+)+", one.get("d"))
        assert numbers(one.get("d")) == pytest.approx([n for point in line.points for n in place(*point)], abs=0.06)
    root = parse(svg.picture(picture((CURVE,))))
    dots = [(float(one.get("cx")), float(one.get("cy"))) for one in root.iter(f"{SVG}circle")]
    np.testing.assert_allclose(dots, [place(*point) for point in CURVE.lines[1].points], atol=0.06)
    assert not root.find(".//*[@data-slot='grid0']").text  # nothing but its elements
    assert not any(one.tail for one in root.find(".//*[@data-slot='grid0']"))


@pytest.mark.parametrize(("first", "last"), [(-1, 3), (0, 1), (0.1, 0.62), (-7, 40), (0, 1200), (0.5, 0.75)])
def test_ticks_are_all_round_numbers_between_the_ends(first, last):
    axis = elements(picture((replace(CURVE, across=(first, last), lines=()),)), "axis")
    xs = [d[0] for d in (numbers(one.get("d")) for one in axis) if d[2] == 4]
    values = np.array([first + (x - LEFT) / (RIGHT - LEFT) * (last - first) for x in xs])
    step = min(
        (n * 10.0**power for n in (1, 2, 5) for power in range(-4, 4)), key=lambda n: abs(n - np.diff(values)[0])
    )
    wanted = [n * step for n in range(-100, 100) if first - 1e-9 <= n * step <= last + 1e-9]
    np.testing.assert_allclose(values, wanted, atol=1e-3 * step)
    assert 2 <= len(values) <= 6


def test_the_nearest_point_of_a_curve_is_chosen_and_its_mark_is_around_it():
    drawn = picture((CURVE,), marks=(Mark("c", 0, 1),), selected=Selection("c", 0, 1))
    reach = [(float(one.get("x")), float(one.get("width"))) for one in elements(drawn, "reach", "rect")]
    xs = [place(x, 0)[0] for x in CURVE.at]
    edges = [LEFT, *((one + other) / 2 for one, other in pairwise(xs)), RIGHT]
    np.testing.assert_allclose(reach, [(one, other - one) for one, other in pairwise(edges)], atol=0.01)
    (mark,) = elements(drawn, "mark", "rect")
    dot = elements(drawn, "cell", "rect")[1]
    assert [mark.get(side) for side in ("x", "y", "width")] == [dot.get(side) for side in ("x", "y", "width")]
    x, y = place(0.5, 5)
    assert (float(dot.get("x")) + 5, float(dot.get("y")) + 5) == pytest.approx((x, y), abs=0.01)


@pytest.mark.parametrize("title", ["short", "a title that is much longer than the axes are wide, and longer still"])
def test_a_curve_has_room(title):
    width, height = curves.size(replace(CURVE, title=title))
    own = [shape for shape in shapes(parse(svg.picture(picture((replace(CURVE, title=title),)))))]
    right, bottom = (max(shape.box[side] for shape in own) - arranging.MARGIN for side in (2, 3))
    assert right <= width <= max(RIGHT + 12, right + 60)
    assert bottom <= height <= bottom + 20
    texts = [shape.box for shape in own if shape.kind == "text" and shape.text]
    assert not overlaps(texts)


# Ways


def some_ways(rows=0):
    ways = Ways(
        *("w", "ways", ((3,), (-4,))),
        start=("k", 2),
        end=("E", 5),
        between=("x₀", "x₁"),
        arrows=((2, 3), (4, -2)),
        heads=("∂x/∂k", "δ"),
        totals="t",
        rows=rows,
    )
    return ways, Totals(
        *("t", "product", ((6,), (-8,), (-2,))), axes=("path", ""), captions=("2·3 =", "4·(−2) =", "Σ ="), rows=rows
    )


def path(d):
    """The corners of an arrow: where it starts, where it is drawn level, where its head is."""
    d, head = re.fullmatch(r"(.*?)(m.*)", d).groups()
    assert head == "m-6 -4l6 4l-6 4"  # relative: at the tip, wherever that is
    return numbers(d)


@pytest.mark.parametrize("rows", [0, 2, 5])
def test_each_arrow_goes_from_box_to_box(rows):
    drawn = picture(some_ways(rows))
    rects = [[float(one.get(name)) for name in ("x", "y", "width", "height")] for one in elements(drawn, "box", "rect")]
    between, (start, end) = rects[:2], rects[2:]

    def middle(box):
        return box[1] + box[3] / 2

    assert middle(start) == middle(end) == pytest.approx(np.mean([middle(box) for box in between]))
    arrows = [path(one.get("d")) for one in elements(drawn, "arrow")]
    assert len(arrows) == 4
    for n, box in enumerate(between):
        there, on = arrows[2 * n : 2 * n + 2]
        assert there[:2] == [start[0] + start[2], middle(start)]
        assert there[-2] == middle(box)
        assert there[-1] == pytest.approx(box[0], abs=1)
        assert on[:2] == [box[0] + box[2], middle(box)]
        assert on[-2:] == pytest.approx([end[0], middle(end)], abs=1)
        # Each number lies above its arrow, where that is level, and is not as wide.
        cell = elements(drawn, "cell", "rect")[n]
        assert float(cell.get("y")) + ways.CELL / 2 == middle(box)
    text = [shape for shape in shapes(parse(svg.picture(drawn))) if shape.kind == "text" and shape.text]
    assert not overlaps([shape.box for shape in text])
    boxes = [shape.box for shape in shapes(parse(svg.picture(drawn))) if shape.name == "box"]
    for shape in text:
        if shape.name in ("inbox", "boxname"):
            assert any(inside(shape.box, box) for box in boxes), shape
    written_in = [shape.text for shape in text if shape.name in ("inbox", "onarrow", "value", "beside")]
    assert written_in == ["2", "3", "4", "−2", "3", "−4", "2", "5", "2·3 =", "6", "4·(−2) =", "−8", "Σ =", "−2"]


@pytest.mark.parametrize(("row", "bold"), [(0, [0, 1]), (1, [2, 3]), (2, [0, 1, 2, 3])])
def test_the_arrows_of_a_way_that_is_chosen_are_bold_and_of_the_sum_all(row, bold):
    drawn = picture(some_ways(), marks=(Mark("t", row, 0),), selected=Selection("t", row, 0))
    arrows = [one.get("d") for one in elements(drawn, "arrow") if "taken" not in one.get("class")]
    taken = [one.get("d") for one in elements(drawn, "arrow") if "taken" in one.get("class")]
    assert taken == [arrows[n] for n in bold]
    (mark,) = elements(drawn, "mark", "rect")
    cell = elements(drawn, "cell", "rect")[row]
    assert [mark.get(side) for side in ("x", "y", "width")] == [cell.get(side) for side in ("x", "y", "width")]


@pytest.mark.parametrize("rows", [0, 2, 5])
def test_ways_have_room(rows):
    for piece in some_ways(rows):
        own = [shape for shape in shapes(parse(svg.picture(picture((piece,)))))]
        width, height = ways.size(piece)
        assert max(shape.box[2] for shape in own) - arranging.MARGIN <= width + 1
        assert height == ways.size(some_ways(rows)[0])[1]  # one beside the other
        assert ways.size(piece) == ways.size(replace(piece, values=piece.values * 2)) or rows < 5  # nothing moves
    assert max(shape.box[3] for shape in own) - arranging.MARGIN <= height <= max(shape.box[3] for shape in own) + 10


# Cells


@pytest.mark.parametrize(("which", "corner"), [("first", (0, 0)), ("last", (3, 2))])
def test_a_notch_fills_a_corner_of_its_kernel(which, corner):
    grid = Grid("g", "", ((1, 2, 3), (4, 5, 6)), notch=which)
    look = drawing.look(grid, 40)
    ends = [
        numbers(re.search(r'class="notch" d="(.*?)"', drawn)[1])
        for drawn in (drawing.grid(grid, look), drawing.mark(Mark("g", 0, 0, 2, 3, notch=which), grid, look))
    ]
    left, top = look.place(grid, 0, 0)
    assert ends[0][:2] == ends[1][:2] == [left + 40 * corner[0], top + 40 * corner[1]]
    inwards = 1 if which == "first" else -1
    assert ends[0][2] == inwards * 11


def test_numbers_are_as_large_as_there_is_room():
    rng = np.random.default_rng(1)
    for digits in range(1, 12):
        grid = Grid("g", "", ((int(rng.integers(10 ** (digits - 1), 10**digits)), 1),))
        look = drawing.look(grid, 48)
        size = float(re.search(r'<g font-size="(.*?)"', drawing.grid(grid, look))[1])
        widest = max(text_width(text, 1) for text in re.findall(r">([^<]+)</text>", drawing.grid(grid, look)))
        assert size <= look.font
        if size not in (look.font, drawing.LEAST):
            assert size * widest <= 41 < (size + 0.11) * widest


def test_larger_arrays_without_numbers_have_smaller_cells():
    cells = [drawing.look(Grid("g", "", ((0,) * n,), small=True), 40).cell for n in (20, 21, 32, 33, 64)]
    assert cells == sorted(cells, reverse=True)
    assert cells[0] > cells[1] == cells[2] > cells[3] == cells[4]


@pytest.mark.parametrize("cell", drawing.CELLS)
def test_a_caption_lies_in_the_lowest_part_of_its_cell_and_is_smaller_than_the_number(cell):
    grid = Grid("g", "", ((1,),), tags=((Tag("w", 0),),))
    drawn = drawing.grid(grid, drawing.look(grid, cell))
    (left, top), sizes = (
        drawing.look(grid, cell).place(grid, 0, 0),
        numbers(" ".join(re.findall(r'font-size="(.*?)"', drawn))),
    )
    x, y = numbers(re.search(r'class="caption" (x=".*? y=".*?")', drawn)[1])
    assert x == left + cell / 2
    assert top + 0.8 * cell < y < top + cell - 2
    assert sizes[1] <= 0.75 * sizes[0]


# What is predicted


def test_what_is_covered_has_no_numbers_until_they_are_asked_for():
    image, output = Grid("i", "image", ((1, 2),)), Grid("o", "output", ((3, 4),), axes=("i", "j"))
    formula = Formula("sum", ((Term("a", "3", value=3),),), column=(("Σ", 3),))
    highlights = {
        Selection("o", 0, col): Highlight((Mark("i", 0, col), Mark("o", 0, col)), formula, f"{col}.") for col in (0, 1)
    }
    drawn = covered(Scene("t", (((image, output),),), highlights, Selection("o", 0, 1)), "o")
    assert [grid.values for grid in drawn.grids] == [((1, 2),), (("?", "?"),)]
    assert drawn.answers[drawn.selected].grids[0].values == (("?", 4),)
    asked = [shape.name for shape in shapes(parse(svg.picture(drawn)))]
    assert asked.count("asked") == 2  # in the places of the products and of their sum
    answer = svg.answers(drawn)[drawn.selected]
    assert "asked" not in answer["products"] + answer["sum"]
    assert ">3<" in answer["products"]


def test_a_frame_has_nothing_in_its_slots():
    slots = [one for one in parse(svg.frame(gallery())).iter() if one.get("data-slot")]
    assert len(slots) > 5
    assert not any(one.text or len(one) for one in slots)


def test_maps_are_thumbnails_if_the_scene_says_so():
    grid, context = (Grid(name, name, ((1,),)) for name in "gm")
    for thumbnails in (True, False):
        root = parse(svg.picture(picture((grid,), maps=(context,), thumbnails=thumbnails)))
        parts = [one for one in root.iter() if one.get("data-part")]
        assert [one.get("class") for one in parts] == [None, "thumbnail" if thumbnails else None]
        assert not any(one.tail or one.text for one in parts)


# Layouts


def greedy(widths, maps, room):
    """Each in the line before it if it has room there; the maps begin a line."""
    lines = []
    for n, width in enumerate(widths):
        if lines and n != len(widths) - maps and sum(lines[-1]) + arranging.GAP * len(lines[-1]) + width <= room:
            lines[-1].append(width)
        else:
            lines.append([width])
    return lines


def test_layouts_are_those_of_a_naive_wrapper_for_every_width_of_a_page():
    rng = np.random.default_rng(3)
    for phrases, maps in ((1, 0), (3, 0), (3, 1), (2, 3), (4, 4)):
        grids = [Grid(f"g{n}", "", ((0,) * int(rng.integers(1, 4)),)) for n in range(phrases + maps)]
        drawn = picture(*((grid,) for grid in grids[:phrases]), maps=tuple(grids[phrases:]), cell=52)
        looks = [drawing.look(grid, 52, n >= phrases) for n, grid in enumerate(grids)]
        widths = [drawing.grid_size(grid, look)[0] for grid, look in zip(grids, looks, strict=True)]
        wanted = []
        for room in range(arranging.LONGEST, arranging.PHONE - 1, -1):
            lines = greedy(widths, maps, room)
            width = round(max(sum(line) + arranging.GAP * (len(line) - 1) for line in lines) + 2 * arranging.MARGIN)
            if not wanted or width < wanted[-1][0]:
                xs = [arranging.MARGIN + sum(line[:n]) + arranging.GAP * n for line in lines for n in range(len(line))]
                wanted.append((width, list(map(round, xs))))
        assert [(layout.width, [x for x, _, _ in layout.places]) for layout in svg.layouts(drawn)] == wanted


def test_what_stands_below_each_other_has_its_middle_where_a_grid_beside_it_has_it():
    one, stack = Grid("a", "a", ((1,),)), tuple(Grid(name, name, ((1,), (2,))) for name in "bcd")
    drawn = shapes(parse(svg.picture(picture((one, "=", stack)))))
    (operator,) = [shape for shape in drawn if shape.name == "operator"]
    cells = [shape.box for shape in drawn if kind_of(shape) == "cell"]
    titles = [shape.box for shape in drawn if shape.name == "title"]
    single = (cells[0][1] + cells[0][3]) / 2
    stacked = (titles[1][1] + cells[-1][3]) / 2
    assert (operator.box[1] + operator.box[3]) / 2 == pytest.approx(single, abs=5)  # it is below the middle of its line
    assert stacked == pytest.approx(single, abs=4)


def test_in_a_still_picture_texts_are_below_each_other_and_on_the_paper():
    drawn = gallery()
    for cell in drawn.highlights:
        still = parse(svg.picture(replace(drawn, selected=cell), still=True))
        own = [shape for shape in shapes(still) if shape.name in ("heading", "said", "note")]
        assert not overlaps([shape.box for shape in own]) if own else True
        page = (0, 0, float(still.get("width")), float(still.get("height")))
        assert all(inside(shape.box, page) for shape in own)
        below = [shape.box[3] for shape in own if shape.name != "heading"]
        if below:
            assert page[3] - max(below) < 40


# Colours of a page, and terms


def test_a_page_sets_every_colour_for_light_and_for_dark():
    blocks = re.findall(r"([^{}]+)\{((?:--cbp-|direction)[^{}]*)\}", drawing.style(False).partition(".cbp text")[0])
    assert len(blocks) == 4
    for (_, body), colours in zip(blocks[:3], (LIGHT, DARK, DARK), strict=True):
        declared = [one.split(":", 1) for one in body.split(";")]
        assert {name.removeprefix("--cbp-") for name, _ in declared} - {"direction"} == set(colours)
        own = dict(declared)
        assert own["--cbp-paper"] == f"var(--jp-layout-color0,var(--vscode-editor-background,{colours['paper']}))"
        assert own["--cbp-ink"] == colours["ink"]
    assert all(f"var(--cbp-{name})" not in drawing.style(True) for name in LIGHT)
    assert set(re.findall(r"var\(--cbp-(\w+)\)", drawing.style(False))) <= set(LIGHT)


def test_a_product_is_faint_where_it_is_zero_as_it_reads_outside():
    factors = (
        Factor("x(0, 0)", "", 2),
        Factor("x(0, 1)", "", 0),
        Factor("x(0, 2)", "", 0, inside=False),
        Factor("f′(x(0, 2))", "", 1, inside=False),  # need not be 0
    )
    terms = written(Sum(*((one,) for one in factors)), {})
    assert [term.outside for term in terms] == [False, False, True, False]


def test_products_come_about_where_factors_meet_and_go_on_to_their_sum():
    x, w = ([Factor(f"{name}{n}", "", n + 2, name, (0, n)) for n in range(2)] for name in "xw")
    met, made, summed = coming_about(
        Sum((x[0], w[0]), (x[1], w[1])), {"w": "kernel", "x": "image"}, 2, Cells("o", 0, 0)
    )
    kernel, image, products = (Cells(name, 0, 0, 1, 2) for name in ("kernel", "image", "products"))
    assert [(flight.start, flight.end, flight.carries) for flight in (*met, *made, *summed)] == [
        (kernel, image, ()),
        (image, products, ("2·2", "3·3")),
        (products, Cells("o", 0, 0), ()),
    ]
    assert met[0].meets


# More of where things have to be


@pytest.mark.parametrize("which", [0, 1])
def test_a_long_title_of_ways_has_room(which):
    piece = replace(
        some_ways()[which], title="a title that is much longer than the ways are wide, and a bit more of it"
    )
    own = shapes(parse(svg.picture(picture((piece,)))))
    width, _ = ways.size(piece)
    assert max(shape.box[2] for shape in own) - svg.MARGIN <= width + 1


def test_a_picture_ends_below_what_stands_lowest_in_it():
    grids = [Grid(f"g{n}", f"grid {n}", ((n,) * 3,) * (1 + n)) for n in range(3)]
    drawn = picture(*((grid,) for grid in grids), maps=(Grid("m", "map", ((1, 2),)),), cell=52)
    layouts = svg.layouts(drawn)
    assert len(layouts) > 2
    for layout in layouts:
        lowest = max(shape.box[3] for shape in shapes(arrange(parse(svg.picture(drawn)), layout._asdict())))
        assert lowest <= layout.height <= lowest + 2 * svg.MARGIN


def test_a_product_has_the_hue_of_the_weight_in_it():
    weights = {"K(0, 0)": Tag("a", 4), "K(0, 1)": None, "K(0, 2)": Tag("c", 0)}
    terms = written(Sum(*((Factor(f"K(0, {n})", "", n + 2), Factor(f"I({n})", "", 5)) for n in range(3))), weights)
    assert [term.hue for term in terms] == [4, None, 0]
    assert [term.numbers for term in terms] == ["2·5 = 10", "3·5 = 15", "4·5 = 20"]
    assert [term.value for term in terms] == [10, 15, 20]


def test_an_outline_is_around_the_cells_that_are_read_and_carries_their_weights():
    cells = [(2, 1), (2, 2), (3, 1), (3, 2)]
    entry = Sum(*((Factor(f"K{n}", "", 1, "K", (0, n)), Factor(f"I{n}", "", 1, "I", at)) for n, at in enumerate(cells)))
    assert outline("image", "I", entry, style="dashed") == Mark("image", 2, 1, 2, 2, (), "dashed")
    tags = {f"K{n}": Tag(f"k{n}", n) for n in (0, 1, 3)}
    assert outline("image", "I", entry, tags) == Mark(
        "image", 2, 1, 2, 2, ((tags["K0"], tags["K1"]), (None, tags["K3"])), "solid"
    )


def test_numbers_fly_as_one_block_only_if_that_is_what_they_are():
    block = [Cells("a", 1, 2), Cells("a", 1, 3), Cells("a", 2, 2), Cells("a", 2, 3)]
    place = Cells("b", 0, 0)
    (one,) = together(block, [place] * 4)
    assert (one.start, one.end) == (Cells("a", 1, 2, 2, 2), place)
    (back,) = together([place] * 4, block, ("1", "2", "3", "4"))
    assert (back.start, back.end, back.carries) == (place, Cells("a", 1, 2, 2, 2), ("1", "2", "3", "4"))
    for others in ([block[0], block[3]], [block[1], block[0]], [*block[:2], place, block[3]]):
        each = together(others, [place] * len(others), [str(n) for n in range(len(others))], meets=True)
        assert [(flight.start, flight.carries, flight.meets) for flight in each] == [
            (cell, (str(n),), True) for n, cell in enumerate(others)
        ]


@pytest.mark.parametrize("rows", [(5,), (2, 2, 2), (3, 1), (13,)])
def test_the_terms_have_the_room_that_they_take(rows):
    formula = Formula("sum", tuple(tuple(Term("a·b", "1·2 = 2", value=2) for _ in range(n)) for n in rows))
    extent = drawing.extent([Highlight((), formula, "s.")])
    cards = drawing.cards(extent.widest, 40)
    width, height = drawing.terms_size(formula.name, rows, cards)
    boxes = [
        [float(n) for n in box]
        for box in re.findall(
            r'<rect class="cell \w+" x="(.*?)" y="(.*?)" width="(.*?)" height="(.*?)"',
            drawing.terms(formula, cards, extent.largest),
        )
    ]
    assert len(boxes) == sum(rows)
    assert max(x + w for x, _, w, _ in boxes) <= width <= max(x + w for x, _, w, _ in boxes) + 4
    assert max(y + h for _, y, _, h in boxes) <= height <= max(y + h for _, y, _, h in boxes) + 4


@pytest.mark.parametrize("text", ["w", "w₀₁", "kernel", "kernel₀₁₂"])
def test_a_caption_is_not_wider_than_its_cell(text):
    grid = Grid("g", "", ((1,),), tags=((Tag(text, 0),),))
    for cell in drawing.CELLS:
        drawn = drawing.grid(grid, drawing.look(grid, cell))
        size = float(re.findall(r'<g font-size="(.*?)"', drawn)[1])
        name = text.rstrip("₀₁₂")
        wide = text_width(name, size) + text_width("0" * (len(text) - len(name)), 0.8 * size)
        assert wide <= cell - 2 or size == drawing.LEAST


def test_a_picture_of_pixels_has_the_fonts_that_come_with_matplotlib(monkeypatch):
    """Not those of the machine, where a name may be another font, or none."""
    from matplotlib.ft2font import FT2Font

    def ink(font="'DejaVu Sans'", text="Wij 0"):
        picture = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">'
            f'<text x="4" y="22" font-size="20" font-family="{font}">{text}</text></svg>'
        )
        pixels = np.asarray(Image.open(BytesIO(still.rasterised(picture, 1))))[:, :, 3]
        return np.flatnonzero(pixels.any(axis=0))

    assert [FT2Font(BytesIO(font)).postscript_name for font in still._fonts()] == ["DejaVuSans", "DejaVuSans-Bold"]
    font = FT2Font(BytesIO(still._fonts()[0]))
    font.set_size(20, 72)
    font.set_text("Wij 0")
    assert abs((ink()[-1] - ink()[0] + 1) - font.get_width_height()[0] / 64) <= 3
    assert not len(ink("'Liberation Sans'"))
    monkeypatch.setattr(still, "_fonts", lambda: ())
    assert len(ink("'DejaVu Sans',Verdana")), "without them those of the machine"


@pytest.mark.parametrize("scale", [1, 1.5, 0.7, 3])
def test_a_picture_of_pixels_is_as_large_as_asked_for_and_not_cut(scale):
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="41" height="27" viewBox="0 0 41 27">'
        '<rect width="41" height="27" fill="#fff"/><rect x="31" y="17" width="10" height="10" fill="#000"/></svg>'
    )
    with Image.open(BytesIO(still.rasterised(picture, scale))) as image:
        assert image.size == (ceil(41 * scale), ceil(27 * scale))
        right, bottom = (int(side * scale) - 1 for side in (41, 27))
        assert image.getpixel((right, bottom)) == (0, 0, 0, 255)
        assert image.getpixel((int(30 * scale) - 1, bottom)) == (255, 255, 255, 255)


def test_pictures_of_pixels_can_be_made_in_several_threads():
    """A callback of a button has a thread of its own in JupyterLab."""
    one = svg.picture(gallery(), still=True)
    with ThreadPoolExecutor(3) as threads:
        assert len(set(threads.map(still.rasterised, [one] * 6))) == 1


@pytest.mark.parametrize("still", [True, False])
def test_in_a_picture_nothing_stands_between_its_elements(still):
    for one in parse(svg.picture(gallery(), still=still)).iter():
        assert not (one.tail or "").strip() or one.tag.endswith("tspan")
        written_in = one.tag.removeprefix(SVG) in ("text", "tspan", "title", "desc", "style")
        assert written_in or not (one.text or "").strip(), one


def test_a_number_that_is_too_long_for_its_box_is_rounded_in_it():
    piece = replace(some_ways()[0], end=("E", Fraction(123456789, 1000003)))
    own = shapes(parse(svg.picture(picture((piece,)))))
    assert [shape.text for shape in own if shape.name == "inbox"][-1] == "123.5"


@pytest.mark.parametrize(("row", "col"), [(-1, -1), (1, 1), (-1, 1), (0, 0)])
def test_zeros_stand_under_a_window_where_it_reaches_past_the_array_and_captions_where_a_cell_has_none(row, col):
    """A window of 3×2 in a 2×2 array with a ring of zeros around it."""
    core, tag = {(0, 0), (0, 1), (1, 0), (1, 1)}, Tag("w", 1, 7)
    tagged = {(0, 1)}  # says already what it is
    tags = tuple(tuple(Tag("a", 2) if (i, j) in tagged else None for j in range(-1, 3)) for i in range(-1, 4))
    values = tuple(tuple(int((i, j) in core) for j in range(-1, 3)) for i in range(-1, 4))
    grid = Grid("g", "", values, origin=(-1, -1), core=(0, 0, 2, 2), tags=tags)
    look = drawing.look(grid, 40)
    mark = drawing.mark(Mark("g", row, col, 3, 2, tags=((tag,) * 2,) * 3), grid, look)
    drawn = ElementTree.fromstring(f"<svg>{mark}</svg>")
    window = {(row + r, col + c) for r in range(3) for c in range(2)}
    left, top = look.place(grid, 0, 0)

    def cells(kind):
        found = [shape for shape in drawn.iter("text") if kind in shape.get("class")]
        places = [(float(shape.get("x")) - left, float(shape.get("y")) - top) for shape in found]
        return sorted((int(y // 40), int(x // 40)) for x, y in places)

    assert cells("padded") == sorted(window - core)
    assert cells("caption") == sorted(window - tagged)
