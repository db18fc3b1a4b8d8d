"""Scene → SVG text. Pure: the same scene gives the same text, in the page, in a still picture, in a test.

A picture is a frame with slots: one for the cells of each grid, one for the outlines in it, one for the formula and
one for the sentence. In a page the colours follow the light or dark theme through CSS variables; in a still picture,
which may be looked at anywhere, they are plain colours on white.
"""

from html import escape
from typing import NamedTuple

from convbp.pictures import curves, drawing
from convbp.pictures.drawing import CELL, HEAD
from convbp.pictures.scene import Curve, Grid, Highlight, Scene, Selection

# Lengths in pixels.
GAP = 34  # between grids
MARGIN = 8
WIDEST = 1300  # of a still picture, if it can be: on a page it is made smaller until it fits


class Layout(NamedTuple):
    """One way to arrange the parts of a picture: its size, and where each part's top left corner is."""

    width: int
    height: int
    places: tuple[tuple[int, int], ...]


def picture(scene: Scene, *, still: bool = False) -> str:
    """Return the whole picture, the selected cell's highlight included, as one ``<svg>`` element.

    Its parts are the scene's columns and, last, the formula; they are arranged as the first of `layouts`, or with
    ``still=True`` as `layout_of_still`, and then written in plain colours on white instead of CSS variables, for a
    renderer that knows no theme.
    """
    return _picture(scene, slots(scene), layout_of_still(scene) if still else layouts(scene)[0], still)


def frame(scene: Scene) -> str:
    """Return the picture with empty slots, and not yet arranged."""
    return _picture(scene, {}, Layout(0, 0, ((0, 0),) * (len(scene.columns) + 1)), still=False)


def slots(scene: Scene) -> dict[str, str]:
    """Return the content of every slot of the picture, the selected cell's highlight included."""
    contents = {f"grid{g}": drawing.grid(grid) for g, grid in enumerate(scene.grids)}
    return contents | _changes(scene, scene.highlights[scene.selected])


def patches(scene: Scene) -> dict[Selection, dict[str, str]]:
    """Return for each cell one can choose what changes in the picture: the new content of every slot that changes.

    The content does not depend on the layout.
    """
    replaced = {grid.name for highlight in scene.highlights.values() for grid in highlight.grids}
    base = {f"grid{g}": drawing.grid(grid) for g, grid in enumerate(scene.grids) if grid.name in replaced}
    return {selection: base | _changes(scene, highlight) for selection, highlight in scene.highlights.items()}


def answers(scene: Scene) -> dict[Selection, dict[str, str]]:
    """Return for each cell that asks for a prediction what then changes in the picture, beside its patch."""
    return {
        selection: dict(_changes(scene, after).items() - _changes(scene, scene.highlights[selection]).items())
        for selection, after in scene.answers.items()
    }


def layouts(scene: Scene) -> tuple[Layout, ...]:
    """Return the ways to arrange the picture, from wide to narrow: all columns side by side first."""
    titled: dict[str, list[Grid]] = {grid.name: [grid] for grid in scene.grids}
    for _, highlight in scene.all_highlights():
        for grid in highlight.grids:
            titled[grid.name].append(grid)
    widths = [
        max(drawing.grid_size(one)[0] for grid in column for one in titled[grid.name]) for column in scene.columns
    ]
    runs = (widths[i:j] for i in range(len(widths)) for j in range(i + 1, len(widths) + 1))
    rooms = sorted({sum(run) + GAP * (len(run) - 1) for run in runs}, reverse=True)
    sizes = [drawing.formula_size(highlight.formula) for _, highlight in scene.all_highlights()]
    formula_size = max(width for width, _ in sizes), max(height for _, height in sizes)
    found: list[Layout] = []
    for room in rooms:
        layout = _layout(scene, widths, _wrapped(widths, room), formula_size)
        if not found or layout.width < found[-1].width:
            found.append(layout)
    return tuple(found)


def layout_of_still(scene: Scene) -> Layout:
    """Return the first of `layouts` that is not too wide to be read on a page; the last, if all are."""
    found = layouts(scene)
    return next((layout for layout in found if layout.width <= WIDEST), found[-1])


def _wrapped(widths: list[float], room: float) -> list[list[int]]:
    rows: list[list[int]] = []
    used = 0.0
    for c, width in enumerate(widths):
        if rows and used + GAP + width <= room:
            rows[-1].append(c)
            used += GAP + width
        else:
            rows.append([c])
            used = width
    return rows


def _layout(scene: Scene, widths: list[float], rows: list[list[int]], formula_size: tuple[float, float]) -> Layout:
    places, top, right = [], float(MARGIN), 0.0
    for r, row in enumerate(rows):
        left = float(MARGIN)
        for c in row:
            places.append((round(left), round(top)))
            left += widths[c] + GAP
        right = max(right, left - GAP)
        reserved = HEAD + CELL * scene.rows if r == 0 else 0
        top += max(reserved, *(_tops(scene.columns[c])[-1] - GAP for c in row)) + GAP / 2
    places.append((MARGIN, round(top)))
    return Layout(
        width=round(max(right, MARGIN + formula_size[0]) + MARGIN),
        height=round(top + formula_size[1] + MARGIN),
        places=tuple(places),
    )


def _tops(column: tuple[Grid, ...]) -> list[float]:
    """Where in its column each grid begins, and where the next one would."""
    tops: list[float] = [0]
    for grid in column:
        tops.append(tops[-1] + drawing.grid_size(grid)[1] + GAP)
    return tops


def _changes(scene: Scene, highlight: Highlight) -> dict[str, str]:
    contents = {"formula": drawing.formula(highlight.formula), "sentence": escape(highlight.sentence)}
    for g, grid in enumerate(scene.grids):
        marks = "".join(drawing.mark(m, grid) for m in highlight.marks if m.grid == grid.name)
        if isinstance(grid, Curve):
            marks = curves.lines(grid, tuple(line for name, line in highlight.lines if name == grid.name)) + marks
        contents[f"marks{g}"] = marks
        for instead in highlight.grids:
            if instead.name == grid.name:
                contents[f"grid{g}"] = drawing.grid(instead)
    return contents


def _picture(scene: Scene, contents: dict[str, str], layout: Layout, still: bool) -> str:
    def slot(name: str) -> str:
        return f'<g data-slot="{name}">{contents.get(name, "")}</g>'

    parts, g = [], 0
    for column in scene.columns:
        grids = []
        for grid, top in zip(column, _tops(column)[:-1], strict=True):
            inside = slot(f"grid{g}") + slot(f"marks{g}")
            grids.append(f'<g data-grid="{escape(grid.name)}" transform="translate(0,{top})">{inside}</g>')
            g += 1
        parts.append("".join(grids))
    placed = "".join(
        f'<g data-part="{p}" transform="translate({x},{y})">{part}</g>'
        for p, (part, (x, y)) in enumerate(zip([*parts, slot("formula")], layout.places, strict=True))
    )
    paper = f'<rect width="{layout.width}" height="{layout.height}" fill="#ffffff"/>' if still else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cbp" role="img" width="{layout.width}" '
        f'height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}"><title>{escape(scene.title)}</title>'
        f'<desc data-slot="sentence">{contents.get("sentence", "")}</desc>'
        f"<style>{drawing.style(still)}</style>{paper}{placed}</svg>"
    )
