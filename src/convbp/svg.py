"""Scene → SVG text. Pure: the same scene gives the same text, in the page, in a still picture, in a test.

In a page the colours follow the light or dark theme through CSS variables; in a still picture, which may
be looked at anywhere, they are plain colours on white.
"""

from html import escape
from typing import NamedTuple

from convbp.colours import diverging, hue, ink_on
from convbp.notation import MINUS, number
from convbp.scene import Formula, Grid, Highlight, Mark, Scene, Selection, Tag

# Lengths in pixels.
CELL = 40
BASELINE = 31  # of a number in its cell; low, so that a tag has room above it
NUMBER_ROOM = 33  # for a number in its cell; an outline takes the rest
FONT_SIZE, LEAST_FONT_SIZE = 15, 7  # of a number in its cell
GAP = 34  # between grids
GUTTER = 26  # left of a grid, for its row indices
HEAD = 40  # above a grid, for its title and column indices
MARGIN = 8
FORMULA_HEAD, TERM_HEIGHT, TERM_GAP = 30, 40, 28

# In a page JupyterLab's variable, else VS Code's, else the plain colour that a still picture has.
_THEME = {
    "ink": ("--jp-content-font-color1", "--vscode-editor-foreground", "#1f1f1f"),
    "muted": ("--jp-content-font-color2", "--vscode-descriptionForeground", "#5c5c5c"),
    "paper": ("--jp-layout-color0", "--vscode-editor-background", "#ffffff"),
}


class Layout(NamedTuple):
    """One way to arrange the parts of a picture: its size, and where each part's top left corner is."""

    width: int
    height: int
    places: tuple[tuple[int, int], ...]


def picture(scene: Scene, *, still: bool = False) -> str:
    """Return the whole picture, the selected cell's highlight included, as one ``<svg>`` element.

    Its parts are the scene's columns and, last, the formula; they are arranged as the first of `layouts`.
    ``still=True`` writes plain colours on white instead of CSS variables, for a renderer that knows no theme.
    """
    layout, slots = layouts(scene)[0], _slots(scene, scene.highlights[scene.selected])
    contents = [
        "".join(_grid(grid, *place) for grid, place in zip(column, _tops(column), strict=True))
        + _slot(f"marks{c}", slots)
        for c, column in enumerate(scene.columns)
    ]
    parts = "".join(
        f'<g data-part="{i}" transform="translate({x},{y})">{content}</g>'
        for i, (content, (x, y)) in enumerate(zip([*contents, _slot("formula", slots)], layout.places, strict=True))
    )
    paper = f'<rect width="{layout.width}" height="{layout.height}" fill="#ffffff"/>' if still else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cbp" role="img" width="{layout.width}" '
        f'height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}"><title>{escape(scene.title)}</title>'
        f'<desc data-slot="sentence">{slots["sentence"]}</desc><style>{_style(still)}</style>{paper}{parts}</svg>'
    )


def patches(scene: Scene) -> dict[Selection, dict[str, str]]:
    """Return for each cell one can choose what changes in the picture: the new content of every slot.

    The content does not depend on the layout.
    """
    return {selection: _slots(scene, highlight) for selection, highlight in scene.highlights.items()}


def layouts(scene: Scene) -> tuple[Layout, ...]:
    """Return the ways to arrange the picture, from wide to narrow: all columns side by side first."""
    widths = [_column_width(column) for column in scene.columns]
    runs = (widths[i:j] for i in range(len(widths)) for j in range(i + 1, len(widths) + 1))
    rooms = sorted({sum(run) + GAP * (len(run) - 1) for run in runs}, reverse=True)
    formulas = [highlight.formula for highlight in scene.highlights.values()]
    formula_size = max(map(_formula_width, formulas)), max(map(_formula_height, formulas))
    found: list[Layout] = []
    for room in rooms:
        layout = _layout(scene, widths, _wrapped(widths, room), formula_size)
        if not found or layout.width < found[-1].width:
            found.append(layout)
    return tuple(found)


def _wrapped(widths: list[float], room: float) -> list[list[int]]:
    rows, used = [], 0.0
    for c, width in enumerate(widths):
        if rows and used + GAP + width <= room:
            rows[-1].append(c)
            used += GAP + width
        else:
            rows.append([c])
            used = width
    return rows


def _layout(scene: Scene, widths: list[float], rows: list[list[int]], formula_size: tuple[float, float]) -> Layout:
    places, top, right = [], MARGIN, 0.0
    for r, row in enumerate(rows):
        left = MARGIN
        for c in row:
            places.append((round(left), round(top)))
            left += widths[c] + GAP
        right = max(right, left - GAP)
        reserved = HEAD + CELL * scene.rows if r == 0 else 0
        top += max(reserved, *(_column_height(scene.columns[c]) for c in row)) + GAP / 2
    places.append((MARGIN, round(top)))
    return Layout(
        width=round(max(right, MARGIN + formula_size[0]) + MARGIN),
        height=round(top + formula_size[1] + MARGIN),
        places=tuple(places),
    )


def _slots(scene: Scene, highlight: Highlight) -> dict[str, str]:
    slots = {"formula": _formula(highlight.formula), "sentence": escape(highlight.sentence)}
    for c, column in enumerate(scene.columns):
        places = dict(zip((grid.name for grid in column), _tops(column), strict=True))
        marks = [mark for mark in highlight.marks if mark.grid in places]
        slots[f"marks{c}"] = "".join(_mark(mark, *places[mark.grid]) for mark in marks)
    return slots


def _slot(name: str, slots: dict[str, str]) -> str:
    return f'<g data-slot="{name}">{slots[name]}</g>'


# Where things are, within their part.


def _tops(column: tuple[Grid, ...]) -> list[tuple[float, float]]:
    """For each grid of a column where its index (0, 0) is, or would be: left and top."""
    places, top = [], 0
    for grid in column:
        row, col = grid.origin
        places.append((GUTTER - CELL * col, top + HEAD - CELL * row))
        top += HEAD + CELL * grid.size[0] + GAP
    return places


def _column_width(column: tuple[Grid, ...]) -> float:
    return max(max(GUTTER + CELL * grid.size[1], GUTTER + _text_width(grid.title, 14)) for grid in column)


def _column_height(column: tuple[Grid, ...]) -> float:
    return sum(HEAD + CELL * grid.size[0] for grid in column) + GAP * (len(column) - 1)


def _formula_width(formula: Formula) -> float:
    columns = max(map(len, formula.terms))
    texts = max(_text_width(formula.heading, 15), _text_width(formula.total, 15))
    return max(20 + columns * (_term_width(formula) + TERM_GAP), texts)


def _formula_height(formula: Formula) -> float:
    return 2 * FORMULA_HEAD + 6 + TERM_HEIGHT * len(formula.terms)


def _term_width(formula: Formula) -> float:
    terms = [term for row in formula.terms for term in row]
    return max(max(14 + _text_width(term.symbols, 12), _text_width(term.numbers, 15)) for term in terms)


def _text_width(text: str, font_size: float) -> float:
    # In DejaVu Sans, the widest of the fonts in _style, a digit is 0.64 em wide, and letters less on average.
    em = 0.64 * len(text) + 0.2 * text.count(MINUS) - 0.3 * (text.count(".") + text.count("/"))
    return font_size * em


# How things look.


def _grid(grid: Grid, x: float, y: float) -> str:
    (top, left), (rows, cols) = grid.origin, grid.size
    above, before = y + CELL * top, x + CELL * left
    parts = [f'<text class="title" x="{before}" y="{above - 22}">{escape(grid.title)}</text>']
    for col in range(left, left + cols):
        parts.append(f'<text class="index" x="{x + CELL * (col + 0.5)}" y="{above - 6}">{number(col)}</text>')
    for row in range(top, top + rows):
        parts.append(f'<text class="index" x="{before - 11}" y="{y + CELL * (row + 0.5) + 4}">{number(row)}</text>')
    largest = max((abs(value) for row in grid.values for value in row if _finite(value)), default=0)
    tags = grid.tags or ((None,) * cols,) * rows
    for (row, col), value, tag in zip(grid.cells(), _flat(grid.values), _flat(tags), strict=True):
        choice = f' data-cell="{escape(grid.name)},{row},{col}"' if grid.axes else ""
        parts.append(_cell(x + CELL * col, y + CELL * row, value, largest, _in_core(grid, row, col), choice))
        if tag is not None:
            parts.append(_tag(tag, x + CELL * col, y + CELL * row))
    return f'<g data-grid="{escape(grid.name)}">{"".join(parts)}</g>'


def _finite(value: object) -> bool:
    return abs(value) < float("inf")  # also of an integer that is too large for a float


def _flat(rows: tuple[tuple, ...]) -> list:
    return [entry for row in rows for entry in row]


def _in_core(grid: Grid, row: int, col: int) -> bool:
    if grid.core is None:
        return True
    top, left, rows, cols = grid.core
    return top <= row < top + rows and left <= col < left + cols


def _cell(x: float, y: float, value: object, largest: object, in_core: bool, choice: str) -> str:
    if not in_core:
        return (
            f'<rect class="pad" x="{x}" y="{y}" width="{CELL}" height="{CELL}"{choice}/>'
            f'<text class="padded" x="{x + CELL / 2}" y="{y + BASELINE}">0</text>'
        )
    fill, text = diverging(value if _finite(value) else 0, largest), number(value)
    if _text_width(text, LEAST_FONT_SIZE) > NUMBER_ROOM:
        text = number(float(value))  # the formula has all digits of a long integer or Fraction
    font_size = min(FONT_SIZE, round(NUMBER_ROOM / _text_width(text, 1), 1))
    return (
        f'<rect class="cell" x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{fill}"{choice}/>'
        f'<text class="value" x="{x + CELL / 2}" y="{y + BASELINE}" font-size="{font_size}" '
        f'fill="{ink_on(fill)}">{text}</text>'
    )


def _mark(mark: Mark, x: float, y: float) -> str:
    left, top = x + CELL * mark.col, y + CELL * mark.row
    box = f'x="{left}" y="{top}" width="{CELL * mark.cols}" height="{CELL * mark.rows}" rx="3"'
    tags = [
        _tag(tag, left + CELL * col, top + CELL * row)
        for row, tags in enumerate(mark.tags)
        for col, tag in enumerate(tags)
    ]
    return f'<rect class="halo" {box}/><rect class="mark" {box}/>{"".join(tags)}'


def _tag(tag: Tag, x: float, y: float) -> str:
    fill = hue(tag.hue)
    width = 7 * len(tag.text) + 3
    return (
        f'<rect class="tag" x="{x + 3}" y="{y + 3}" width="{width}" height="12" rx="3" fill="{fill}"/>'
        f'<text class="tagged" x="{x + 3 + width / 2}" y="{y + 12}" fill="{ink_on(fill)}">{escape(tag.text)}</text>'
    )


def _formula(formula: Formula) -> str:
    step = _term_width(formula) + TERM_GAP
    parts = [f'<text class="sum" x="0" y="16">{escape(formula.heading)}</text>']
    for r, row in enumerate(formula.terms):
        y = 16 + FORMULA_HEAD + TERM_HEIGHT * r
        for c, term in enumerate(row):
            x = round(20 + step * c)
            plus = f'<text class="sum" x="{x - 20}" y="{y + 17}">+</text>' if c or r else ""
            parts.append(
                f'{plus}<rect x="{x}" y="{y - 9}" width="9" height="9" rx="2" fill="{hue(term.hue)}"/>'
                f'<text class="symbols" x="{x + 13}" y="{y}">{escape(term.symbols)}</text>'
                f'<text class="sum" x="{x}" y="{y + 17}">{escape(term.numbers)}</text>'
            )
    bottom = 16 + FORMULA_HEAD + TERM_HEIGHT * len(formula.terms) + 6
    parts.append(f'<text class="total" x="0" y="{bottom}">{escape(formula.total)}</text>')
    return "".join(parts)


def theme(still: bool) -> dict[str, str]:
    """The colours of text, of fainter text and of the page, as CSS: they follow the page, unless the picture is still."""
    return {
        name: plain if still else f"var({jupyter}, var({vscode}, {plain}))"
        for name, (jupyter, vscode, plain) in _THEME.items()
    }


def _style(still: bool) -> str:
    colour = theme(still)
    return (
        ".cbp text{font-family:'DejaVu Sans',Verdana,'Segoe UI',sans-serif;pointer-events:none;user-select:none}"
        f".cbp .title{{font-size:14px;font-weight:bold;fill:{colour['ink']}}}"
        f".cbp .index{{font-size:11px;text-anchor:middle;fill:{colour['muted']}}}"
        ".cbp .value,.cbp .padded,.cbp .tagged{text-anchor:middle}"
        ".cbp .cell{stroke:#9a9a9a;stroke-width:1}"
        f".cbp .pad{{fill:{colour['paper']};stroke:#9a9a9a;stroke-width:1;stroke-dasharray:2 3}}"
        f".cbp .padded{{font-size:13px;fill:{colour['muted']}}}"
        ".cbp .tagged{font-size:9px;font-weight:bold}"
        ".cbp .tag,.cbp .halo,.cbp .mark{pointer-events:none}"
        ".cbp .halo{fill:none;stroke:#ffffff;stroke-width:6}"
        ".cbp .mark{fill:none;stroke:#d55e00;stroke-width:3}"
        f".cbp .sum{{font-size:15px;fill:{colour['ink']}}}"
        f".cbp .total{{font-size:15px;font-weight:bold;fill:{colour['ink']}}}"
        f".cbp .symbols{{font-size:12px;fill:{colour['muted']}}}"
        ".cbp [data-cell]{cursor:pointer}"
    )
