"""Random pictures, and a reading of SVG text into boxes and words that knows nothing of how it was written."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import ImageFont

from convbp.explorers.sliding_window import State
from convbp.notation import number
from convbp.pictures import drawing, svg
from convbp.pictures.scene import PRODUCTS, SUM, Formula, Grid, Highlight, Mark, Scene, Selection, Tag, Term

SVG = "{http://www.w3.org/2000/svg}"

# Numbers that are hard to place: long, tiny, exact and large.
LONG_NUMBERS = (-1234.5678, 1e-7, -1.2345e-10, Fraction(-123, 457), Fraction(10, 3), -123456789012345, 98765, 0.1 + 0.2)

# What a text from outside could hold to break out of where it stands.
HOSTILE = """</text></script><script>alert("1")</script><!-- & 'quoted' ]]>"""


def random_array(rng, shape, kind):
    """Integers, Fractions or floats, some of them zero; ``kind="long"`` is of `LONG_NUMBERS`."""
    integers = rng.integers(-9, 10, shape)
    if kind == "integer":
        return integers
    if kind == "float":
        return integers * rng.random(shape).round(3)
    if kind == "fraction":
        entries = [
            Fraction(int(n), int(d)) for n, d in zip(integers.flat, rng.integers(1, 8, integers.size), strict=True)
        ]
    else:
        entries = [LONG_NUMBERS[n] for n in rng.integers(len(LONG_NUMBERS), size=integers.size)]
    array = np.empty(integers.size, object)
    array[:] = entries
    return array.reshape(shape)


def random_layer(rng):
    """Image, kernel and δ of a layer, integers, with H ≠ W and k1 ≠ k2."""
    (H, W), (k1, k2) = rng.choice(np.arange(3, 7), 2, replace=False), rng.choice(np.arange(1, 4), 2, replace=False)
    return [rng.integers(-9, 10, shape) for shape in ((H, W), (k1, k2), (H - k1 + 1, W - k2 + 1))]


def random_state(rng, kind="integer"):
    """A state of SlidingWindow with H ≠ W and k1 ≠ k2, and a kernel that may be larger than the image if full."""
    mode = str(rng.choice(["valid", "full"]))
    H, W = rng.choice(np.arange(3, 7), 2, replace=False)
    k1, k2 = rng.choice(np.arange(1, 4 if mode == "valid" else 5), 2, replace=False)
    image, kernel = random_array(rng, (H, W), kind), random_array(rng, (k1, k2), kind)
    return State(image, kernel, str(rng.choice(["cross-correlation", "convolution"])), mode)


def uncovered(scene, state, name, shown_at, others=(), stay="", waits=lambda chosen: False):
    """The picture of a state without its cover, having checked that the cover hides these grids and nothing else.

    Of the first a cell asks for the number at ``shown_at(chosen cell)``, and its answer shows it; none if that is None.
    One that ``waits`` does not even show what goes where; grids whose names begin with ``stay`` do.
    """
    covered, open_ = scene(state), scene(replace(state, covered=False))
    if not state.covered:
        return covered
    numbers = {one: entries(grid_of(open_, one)) for one in (*others, name)}
    assert covered.highlights.keys() == open_.highlights.keys()
    assert list(covered.answers) == [chosen for chosen in covered.highlights if shown_at(chosen)]
    for chosen, highlight in covered.highlights.items():
        after = open_.highlights[chosen]
        if waits(chosen):
            assert (highlight.formula, highlight.flights) == (Formula(after.formula.heading), ())
            assert highlight.marks == tuple(mark for mark in after.marks if mark.style == "solid")
            continue
        if chosen not in covered.answers:
            assert highlight == after
            continue
        changed, shown = np.split(np.array(covered.answers[chosen].grids, object), [len(after.grids)])
        assert {grid.name: entries(grid) for grid in shown} == {
            one: {at: value if at == shown_at(chosen) else "?" for at, value in found.items()}
            for one, found in numbers.items()
        }
        for one, as_it_is in zip(changed, after.grids, strict=True):
            was = entries(as_it_is)
            if stay and one.name.startswith(stay):
                assert one == as_it_is
                continue
            assert entries(one) == {at: was[at] if at == shown_at(chosen) else None for at in was}
        assert replace(covered.answers[chosen], grids=after.grids) == after
        assert covered.answer_at(chosen) == shown_at(chosen)
        assert highlight.marks == tuple(mark for mark in after.marks if mark.style == "solid")
        assert highlight.formula == Formula(after.formula.heading)
        assert [one.name for one in highlight.grids] == [one.name for one in after.grids]
        blank = [one for one in highlight.grids if not (stay and one.name.startswith(stay))]
        assert not any(value is not None for one in blank for value in entries(one).values())
        assert highlight.flights == highlight.links == ()
        row, col = map(number, shown_at(chosen))
        title = next(grid.title for grid in open_.grids if grid.name == name)
        assert highlight.sentence == f"Predict the number at ({row}, {col}) of “{title}”."
    for grid, as_it_is in zip(covered.grids, open_.grids, strict=True):
        assert grid == as_it_is if grid.name not in numbers else set(entries(grid).values()) == {"?"}
    return open_


def grid_of(scene, name):
    """The grid of a scene that has this name."""
    return next(grid for grid in scene.grids if grid.name == name)


def entries(grid):
    """The grid's numbers by their index."""
    return dict(zip(grid.cells(), (value for row in grid.values for value in row), strict=True))


def assert_flies(drawn, cell, bias=0):
    """What flies for a cell, or as the picture appears, has cells to go to; products are of what met, and add up."""
    highlight = drawn.answers.get(cell, drawn.highlights[cell])
    grids = {grid.name: entries(grid) for grid in (*drawn.grids, *highlight.grids)}
    rows = enumerate(highlight.formula.terms)
    grids["products"] = {(r, c): term.value for r, row in rows for c, term in enumerate(row)}
    grids["sum"] = {(n, 0): value for n, (_, value) in enumerate(highlight.formula.column)}

    def numbers(cells):
        grid, row, col, rows, cols = cells
        return [grids[grid][row + r, col + c] for r in range(rows) for c in range(cols)]

    met = {}  # where a block lies on another: the products, number by number
    for step in (*highlight.flights, *drawn.flights):
        sums = {}
        for start, end, carries, meets, _, fades in step:
            first, last = numbers(start), numbers(end)
            assert len(carries) in (0, max(len(first), len(last)))
            if meets and not carries and not fades and len(first) == len(last):
                met[end] = [(a or 0) * b for a, b in zip(first, last, strict=True)]
            if [one.end for one in step].count(end) > 1 or len(first) > len(last):  # several numbers meet there
                met.pop(end, None)
            if meets or not (carries or start.grid == "products"):
                continue
            products = [prod(map(read_number, text.split("·"))) for text in carries] or first
            if carries and start in met:
                assert products == pytest.approx(list(map(float, met[start])), rel=written_to(met[start]))
            if not highlight.formula.added:  # the cells have what was there as well
                continue
            if len(last) == 1:
                sums[end] = sums.get(end, 0 if carries else bias) + sum(products)
            elif carries:
                assert products == pytest.approx(list(map(float, last)), rel=written_to(last))
        for end, total in sums.items():
            (value,) = numbers(end)
            assert float(total) == pytest.approx(float(value), rel=written_to([value, total]), abs=1e-9)
    hues = {
        (mark.grid, mark.row + r, mark.col + c): tag.hue
        for mark in highlight.marks
        for r, tags in enumerate(mark.tags)
        for c, tag in enumerate(tags)
        if tag
    }
    for link in highlight.links:
        assert link.end in hues, f"{link} ends where no mark has a tag"
        assert (link.start[1:], hues[link.end]) == (cell[1:], link.hue)  # or the same pixel of another grid


def written_to(values):
    """How exactly numbers can be read off their texts."""
    return 1e-9 if all(value == int(value) for value in values) else 1e-2


def read_number(text):
    return float(Fraction(text.strip("()").replace("\u2212", "-")))


def hostile():
    """A scene all of whose texts come from outside."""
    grids = tuple(
        Grid(f"{n}{HOSTILE}", HOSTILE, ((1, 2),), tags=((Tag("<&>", 0), None),), axes=("i", "j")) for n in "ab"
    )
    chosen = [Selection(grid.name, 0, col) for grid in grids for col in range(2)]
    formula = Formula(HOSTILE, ((Term(HOSTILE, HOSTILE, 0),),), HOSTILE)
    highlights = {
        cell: Highlight((Mark(*cell, tags=((Tag("<b>", 1),),)),), formula, f"{HOSTILE} {cell.grid[0]} {cell.col}")
        for cell in chosen
    }
    return Scene(HOSTILE, (grids[:1], grids[1:]), highlights, chosen[0])


def gallery():
    """A scene with everything that a scene can hold: kinds of cells, outlines and lines, and two grids to choose in."""
    around = (-1, -2)
    shown = Grid(
        *("map", "δ, and what is around it", ((None,) * 5, (None, None, 3, -1.5, 0), (None, None, 7, None, "w₁₂"))),
        origin=around,
        core=(0, 0, 2, 3),
        axes=("i", "j"),
        largest=10,
    )
    weights = Grid("weights", "w, by hue", ((1, None, -3),), hues=((0, None, 7),), axes=("m", "n"))
    large = Grid("large", "a map of 20×32", tuple(tuple(r - c for c in range(32)) for r in range(20)), small=True)
    holed = Grid("holed", "small, with holes", ((1, None), (0, -1)), (-1, -1), core=(0, -1, 1, 2), small=True)
    context = Grid("context", "context", ((1, -12.345), (1e-9, None)), tags=((Tag("b", 3), None),) * 2)
    kinds = [
        *[Mark("map", -1, -2, 2, 3, style="faint"), Mark("map", 0, 0, 1, 1, ((Tag("w₀₀", 0),),), "dashed")],
        *[Mark("large", 3, 4, 5, 6), Mark("weights", 0, 1, 1, 2, ((None, Tag("b", 3)),))],
    ]
    terms = (
        (Term("δ(−1, 0)·w(1, 0)", "0·5 = 0", outside=True, value=0), Term("b", "7", value=7)),
        (Term("δ(0, 0)·w(0, 0)", "3·1 = 3", 0, value=3),),
    )
    words = [
        Formula(
            "every line",
            terms,
            "The 3 products sum to 10.",
            ("× f′(3) = 1", "central difference: 10.0"),
            column=(("Σ", 10), ("× f′(3)", 1), ("δ", 10)),
        ),
        Formula(total="a total alone"),
        Formula(notes=("a line alone", "and another one")),
        Formula("a heading, and a title that is longer than the one that it replaces"),
        Formula(
            "∂E/∂o at (2, 3)  =  Σₘ Σₙ δ(2 − m, 3 − n) · w(m, n), a heading that is too long for a single line",
            ((terms[0][0], *[Term("w(0, 0, 0)·o(1, 1, 0)", "(−7)·(−1.25) = 8.75", 1, value=8.75)] * 6), terms[1]),
            "x(0, 1, 2) = max(1, 2, 3, 4, 5) + exp(8) / (exp(16) + exp(10) + exp(0) + exp(2) + exp(0) + exp(2)) = 7.",
            ("a note that takes more than the two lines that all of the other texts would have needed at most, " * 2,),
        ),
        Formula(
            "long", ((Term(" + ".join(["δ(0, 1)·w(2, 3)"] * 9), " + ".join(["3·1"] * 30), 2, value=90), terms[0][1]),)
        ),
    ]
    chosen = [Selection(grid.name, *cell) for grid in (shown, weights) for cell in grid.cells() if grid.in_core(*cell)]
    highlights = {}
    for n, cell in enumerate(chosen):
        instead = replace(large, title=f"large, as it is at {n}", values=tuple(row[::-1] for row in large.values))
        longer = replace(weights, title="weights · 2 = twice the weights", values=((2, 1e-9, -6),))
        highlights[cell] = Highlight(
            *((Mark(*cell), *kinds[n % 3 :]), words[n % 6], f"Cell {n}."), grids=(instead, longer)[: n % 3]
        )
    line = ((shown, weights),), ("⊙", (large, holed)), ("=", PRODUCTS, "→", SUM)
    return Scene("everything", line, highlights, chosen[1], maps=(context,))


AROUND = {"heading", "words"}  # what stands around a picture on a page, and not in it


@dataclass(frozen=True)
class Shape:
    """A rectangle or a text, where it is in the picture, and as what it is drawn."""

    kind: str
    name: str  # its class
    box: tuple[float, float, float, float]  # left, top, right, bottom, strokes included
    fill: str
    part: str  # which part of the picture it belongs to
    text: str = ""


def parse(picture):
    """The root of the picture; fails if it is not well formed."""
    root = ElementTree.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    return root


def arrange(root, layout):
    """What the front end does to a picture to show it in another layout."""
    for name in ("width", "height"):
        root.set(name, str(layout[name]))
    root.set("viewBox", f"0 0 {layout['width']} {layout['height']}")
    for part, (x, y, scale) in enumerate((*place, 1)[:3] for place in layout["places"]):
        form = f"translate({x},{y})" + (f" scale({scale:g})" if scale != 1 else "")
        root.find(f".//*[@data-part='{part}']").set("transform", form)
    return root


def apply(root, patch):
    """What the front end does to a picture to show another selection."""
    for slot, markup in patch.items():
        if slot in AROUND:
            continue
        (element,) = root.findall(f".//*[@data-slot='{slot}']")
        fragment = ElementTree.fromstring(f'<g xmlns="{SVG[1:-1]}">{markup}</g>')
        element[:], element.text = list(fragment), fragment.text
    return root


def page(view):
    """What the front end makes of what it gets from a `GridView`."""
    root = arrange(parse(view.frame), view.layouts[0])
    return apply(apply(root, view.slots), view.patches[f"{view.grid},{view.row},{view.col}"])


def shapes(root):
    """Every rectangle and text of the picture, in the order in which they are drawn."""
    own = root.find(f"{SVG}style")  # else it has that of the page
    style = drawing.style(still=False) if own is None else own.text
    return list(_shapes(root, _rules(style), 0.0, 0.0, 1.0, "", {}))


def _shapes(element, rules, x, y, scale, part, inherited):
    for child in element:
        if child.tag == f"{SVG}g":
            form = r"translate\(([^,]+),([^)]+)\)(?: scale\((.+)\))?"
            dx, dy, by = re.fullmatch(form, child.get("transform", "translate(0,0)")).groups()
            at = x + scale * float(dx), y + scale * float(dy), scale * float(by or 1)
            size = {"font-size": child.get("font-size")} if child.get("font-size") else inherited
            yield from _shapes(child, rules, *at, child.get("data-part", part), size)
        elif child.tag in (f"{SVG}rect", f"{SVG}text"):
            # A rule of the style sheet wins over an attribute.
            names = child.get("class", "").split()
            look = {**inherited, **child.attrib, **rules.get("text", {})}
            for name in names:
                look |= rules.get(name, {})
            left, top = x + scale * float(child.get("x", 0)), y + scale * float(child.get("y", 0))
            kind, text = child.tag.removeprefix(SVG), ""
            if kind == "text":
                text = " ".join("".join(child.itertext()).split())
                anchor = {"middle": "ms", "end": "rs"}.get(look.get("text-anchor"), "ls")
                bold, size = look.get("font-weight") == "bold", float(look["font-size"].removesuffix("px"))
                box = _extent(" ".join((child.text or "").split()), bold, anchor, size)
                for lowered in child:  # an index, after a text in the middle
                    left_, _, right_, bottom_ = _extent(lowered.text, bold, anchor, float(lowered.get("font-size")))
                    half, bottom_ = (right_ - left_) / 2, bottom_ + float(lowered.get("dy"))
                    box = (box[0] - half, box[1], box[2] + half, max(box[3], bottom_))
            else:
                edge = float(look.get("stroke-width", 0)) / 2
                box = (-edge, -edge, float(child.get("width")) + edge, float(child.get("height")) + edge)
            box = (left + scale * box[0], top + scale * box[1], left + scale * box[2], top + scale * box[3])
            yield Shape(kind, " ".join(names), box, look.get("fill", ""), part, text)


def _rules(style):
    rules = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style):
        declarations = dict(declaration.split(":", 1) for declaration in body.split(";"))
        for selector in selectors.split(","):
            name = selector.removeprefix(".cbp ").removeprefix(".")
            rules.setdefault(name, {}).update(declarations)
    return rules


@cache
def _extent(text, bold, anchor, size):
    """The box of a text drawn at (0, 0), in DejaVu Sans, the widest of the fonts that the pictures name."""
    left, top, right, bottom = _font(bold).getbbox(text, anchor=anchor)
    return tuple(edge * size / 256 for edge in (left, top, right, bottom))


@cache
def _font(bold):
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", name)), 256)


WIDEST_LINE = 400  # of a sum: where a page is narrow, a wider one would be made small
LABELS, CELLS = (
    ("title", "name", "index", "sum", "symbols", "label", "operator", "plus"),
    ("cell", "pad", "empty", "small"),
)


def misplaced(drawn, selection):
    """What of a picture, with that cell chosen, is not in its place: a complaint for each, and none if all is well.

    Everything lies on the page, in every layout, and no part on another; no text lies on a text, no label on a cell;
    no line of the sum is wider than `WIDEST_LINE`.
    """
    complaints, root = (
        [("a wide line", line) for line in wide_lines(drawn, selection)],
        apply(parse(svg.picture(drawn)), svg.patches(drawn)[selection]),
    )
    for layout in svg.layouts(drawn):
        everything = shapes(arrange(root, layout._asdict()))
        page = (0, 0, layout.width, layout.height)
        complaints += [("off the page", shape) for shape in everything if not inside(shape.box, page)]
        parts = [[shape.box for shape in everything if shape.part == str(p)] for p in range(len(layout.places))]
        complaints += [("parts overlap", pair) for pair in overlaps([hull(boxes) for boxes in parts if boxes])]
    # A zero under an outline lies on the dot that is there without one.
    written = [s for s in everything if s.kind == "text" and s.text and s.text != "·"]
    for i, j in overlaps([shape.box for shape in written]):
        complaints.append(("texts overlap", written[i], written[j]))
    labels, cells = ([s for s in everything if kind_of(s) in names] for names in (LABELS, CELLS))
    for i, j in overlaps([shape.box for shape in labels + cells]):
        if i < len(labels) <= j:
            complaints.append(("a label on a cell", labels[i]))
    return complaints


def kind_of(shape):
    """Its first class; the others say how it is coloured."""
    return shape.name.partition(" ")[0]


def wide_lines(drawn, selection):
    """What of the sum, with that cell chosen, ends further right than it may."""
    alone = replace(
        drawn,
        line=((Grid("none", "", ((None,),)),), (PRODUCTS,), (SUM,)),
        maps=(),
        highlights={selection: Highlight((), drawn.answers.get(selection, drawn.highlights[selection]).formula, "")},
        answers={},
        selected=selection,
    )
    own = [shape for shape in shapes(arrange(parse(svg.picture(alone)), svg.layouts(alone)[0]._asdict()))]
    lefts = {str(p): x for p, (x, _, _) in enumerate(svg.layouts(alone)[0].places)}
    return [shape for shape in own if shape.part > "0" and shape.box[2] - lefts[shape.part] > WIDEST_LINE]


def hull(boxes):
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def overlaps(boxes):
    """The pairs of boxes that share more than a hair."""
    left, top, right, bottom = np.array(boxes).T[:, :, None]
    share = (np.minimum(right, right.T) - np.maximum(left, left.T) > 0.05) & (
        np.minimum(bottom, bottom.T) - np.maximum(top, top.T) > 0.05
    )
    return [(i, j) for i, j in np.argwhere(share) if i < j]


def inside(inner, outer):
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]
