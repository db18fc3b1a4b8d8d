"""How each thing in a picture looks: a grid, an outline, a formula, as SVG text around an origin of its own.

What has been drawn is kept: a grid or an outline that is in the next picture as well costs nothing there.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from html import escape
from typing import Any

from convbp.notation import number
from convbp.pictures import curves, ways
from convbp.pictures.colours import diverging, hue, ink_on
from convbp.pictures.scene import Curve, Formula, Grid, Mark, Tag, Term, Ways
from convbp.pictures.text_wrapping import broken, text_width

# Lengths in pixels.
CELL, SMALL_CELL = 40, 8
BASELINE = 31  # of a number in its cell; low, so that a tag has room above it
NUMBER_ROOM = 33  # for a number in its cell; an outline takes the rest
FONT_SIZE, LEAST_FONT_SIZE = 15, 7  # of a number in its cell
GUTTER = 26  # left of a grid, for its row indices
HEAD = 40  # above a grid, for its title and column indices
FORMULA_WIDTH = 560  # at most: a wide formula would make the whole picture small where the page is narrow
LINE, CONTINUED, HANG = 24, 20, 20  # of a formula; from a line to the rest of it when it is broken, and its indent
TERM_HEIGHT, TERM_GAP, PLUS, SWATCH = 40, 28, 20, 13
TERM_ROOM = FORMULA_WIDTH - PLUS - HANG  # for a term
SMALL_INDICES = 4  # of a small grid every so many indices are written

# In a page JupyterLab's variable, else VS Code's, else the plain colour that a still picture has.
_THEME = {
    "ink": ("--jp-content-font-color1", "--vscode-editor-foreground", "#1f1f1f"),
    "muted": ("--jp-content-font-color2", "--vscode-descriptionForeground", "#5c5c5c"),
    "paper": ("--jp-layout-color0", "--vscode-editor-background", "#ffffff"),
}
_FORCED = {"ink": "CanvasText", "muted": "CanvasText", "paper": "Canvas"}


def grid_size(grid: Grid) -> tuple[float, float]:
    """Width and height of a grid, with its title and indices."""
    if isinstance(grid, Curve):
        return curves.size(grid)
    if isinstance(grid, Ways):
        return ways.size(grid)
    (rows, cols), cell = grid.size, _cell_size(grid)
    return max(GUTTER + cell * cols, GUTTER + text_width(grid.title, 14, bold=True)), HEAD + cell * rows


def grid(grid: Grid) -> str:
    """A grid, its title at the top left."""
    if isinstance(grid, Curve):
        return curves.drawn(grid)
    if isinstance(grid, Ways):
        return ways.drawn(grid)
    # To a cache 1/2 and 0.5 are the same, but they are not written alike.
    return _grid(grid, tuple(map(type, _flat(grid.values))))


@lru_cache(maxsize=2048)
def _grid(grid: Grid, types: tuple[type, ...]) -> str:
    (top, left), (rows, cols), cell = grid.origin, grid.size, _cell_size(grid)
    step = SMALL_INDICES if grid.small else 1
    parts = [f'<text class="title" x="{GUTTER}" y="{HEAD - 22}">{escape(grid.title)}</text>']
    for col in range(left, left + cols):
        if col % step == 0:
            x, _ = _place(grid, top, col)
            parts.append(f'<text class="index" x="{x + cell / 2:g}" y="{HEAD - 6}">{number(col)}</text>')
    for row in range(top, top + rows):
        if row % step == 0:
            _, y = _place(grid, row, left)
            parts.append(f'<text class="index" x="{GUTTER - 11}" y="{y + cell / 2 + 4:g}">{number(row)}</text>')
    numbers = [abs(value) for value in _flat(grid.values) if _finite(value)]
    largest = max(numbers, default=0) if grid.largest is None else grid.largest
    tags, hues = (_flat(entries or ((None,) * cols,) * rows) for entries in (grid.tags, grid.hues))
    draw = _small_cell if grid.small else _cell
    for (row, col), value, tag, filled in zip(grid.cells(), _flat(grid.values), tags, hues, strict=True):
        in_core = grid.in_core(row, col)
        # Each cell can be found, among all of the picture or in its grid: what moves starts and ends at cells.
        chosen = grid.axes and in_core
        at = f' data-cell="{escape(grid.name)},{row},{col}"' if chosen else f' data-at="{row},{col}"'
        fill = hue(filled) if filled is not None else diverging(value if _finite(value) else 0, largest)
        parts.append(draw(*_place(grid, row, col), value, fill, in_core, at))
        if tag is not None:
            parts.append(_tag(tag, *_place(grid, row, col)))
    return "".join(parts)


def mark(mark: Mark, grid: Grid) -> str:
    """An outline in a grid."""
    taken = ways.chosen(grid, mark.row) if isinstance(grid, Ways) else ""
    return taken + _mark(mark, *_place(grid, mark.row, mark.col), _cell_size(grid))


@lru_cache(maxsize=8192)
def _mark(mark: Mark, left: float, top: float, cell: float) -> str:
    box = f'x="{left}" y="{top}" width="{cell * mark.cols}" height="{cell * mark.rows}" rx="3"'
    tags = [
        _tag(tag, left + cell * col, top + cell * row)
        for row, tags in enumerate(mark.tags)
        for col, tag in enumerate(tags)
        if tag is not None
    ]
    halo = "" if mark.style == "faint" else f'<rect class="halo" {box}/>'
    name = "mark" if mark.style == "solid" else f"mark {mark.style}"
    return f'{halo}<rect class="{name}" {box}/>{"".join(tags)}'


def _cell_size(grid: Grid) -> int:
    if isinstance(grid, Curve):
        return curves.DOT
    if isinstance(grid, Ways):
        return ways.CELL
    return SMALL_CELL if grid.small else CELL


def _place(grid: Grid, row: int, col: int) -> tuple[float, float]:
    """The left and top edge of a cell."""
    if isinstance(grid, Curve):
        return curves.corner(grid, col)
    if isinstance(grid, Ways):
        return ways.corner(grid, row)
    cell, (top, left) = _cell_size(grid), grid.origin
    return GUTTER + cell * (col - left), HEAD + cell * (row - top)


def _finite(value: Any) -> bool:
    # An integer may be too large for a float.
    return value is not None and not isinstance(value, str) and abs(value) < float("inf")


def _flat(rows: tuple[tuple, ...]) -> list:
    return [entry for row in rows for entry in row]


def _cell(x: float, y: float, value: Any, fill: str, in_core: bool, at: str) -> str:
    box = f'x="{x}" y="{y}" width="{CELL}" height="{CELL}"{at}'
    if not in_core:
        text = "" if value is None else f'<text class="padded" x="{x + CELL // 2}" y="{y + BASELINE}">0</text>'
        return f'<rect class="pad" {box}/>{text}'
    if value is None:
        return f'<rect class="empty" {box}/>'
    text = value if isinstance(value, str) else number(value)
    if text_width(text, LEAST_FONT_SIZE) > NUMBER_ROOM and not isinstance(value, str):
        text = number(float(value))  # the formula has all digits of a long integer or Fraction
    font_size = min(FONT_SIZE, round(NUMBER_ROOM / text_width(text, 1), 1)) if text else FONT_SIZE
    return (
        f'<rect class="cell" {box} fill="{fill}"/>'
        f'<text class="value" x="{x + CELL // 2}" y="{y + BASELINE}" font-size="{font_size}" '
        f'fill="{ink_on(fill)}">{escape(text)}</text>'
    )


def _small_cell(x: float, y: float, value: object, fill: str, in_core: bool, at: str) -> str:
    box = f'x="{x}" y="{y}" width="{SMALL_CELL}" height="{SMALL_CELL}"{at}'
    if not in_core:
        return f'<rect class="pad" {box}/>'
    return f'<rect class="empty" {box}/>' if value is None else f'<rect class="small" {box} fill="{fill}"/>'


def _tag(tag: Tag, x: float, y: float) -> str:
    fill = hue(tag.hue)
    width = 7 * len(tag.text) + 3
    return (
        f'<rect class="tag" x="{x + 3}" y="{y + 3}" width="{width}" height="12" rx="3" fill="{fill}"/>'
        f'<text class="tagged" x="{x + 3 + width / 2:g}" y="{y + 12}" fill="{ink_on(fill)}">{escape(tag.text)}</text>'
    )


def formula_size(formula: Formula) -> tuple[float, float]:
    """Width and height of a formula."""
    return _formula(formula)[1:]


def formula(formula: Formula) -> str:
    """A formula, its heading at the top left; what is wider than `FORMULA_WIDTH` is broken into lines."""
    return _formula(formula)[0]


@lru_cache(maxsize=2048)
def _formula(formula: Formula) -> tuple[str, float, float]:
    """Its SVG text, its width and its height."""
    blocks = [
        partial(_text, "sum", formula.heading),
        partial(_terms, formula),
        partial(_text, "total", formula.total),
        *(partial(_text, "sum", note) for note in formula.notes),
    ]
    parts, widths = [], []
    height: float = 0
    for block in blocks:
        part, width, added = block(16 + height)
        parts.append(part)
        widths.append(width)
        height += added
    return "".join(parts), max(widths), height


def _text(name: str, text: str, y: float) -> tuple[str, float, float]:
    bold = name == "total"
    lines, width = _broken(text, 15, FORMULA_WIDTH, bold)
    return _lines(name, lines, 0, y), width, LINE + CONTINUED * (len(lines) - 1) if lines else 0


def _terms(formula: Formula, y: float) -> tuple[str, float, float]:
    """The rows of terms; one that is too wide goes on below, indented, all its lines about equally long."""
    rows = [row for row in formula.terms if row]
    sizes = [_term_size(term) for row in rows for term in row]
    if not sizes:
        return "", 0, 0
    step = max([width for width, _ in sizes]) + TERM_GAP
    height = TERM_HEIGHT + CONTINUED * max([broken for _, broken in sizes])
    most, top = max(1, int((TERM_ROOM + TERM_GAP) // step)), y
    parts: list[str] = []
    right: float = 0
    for row in rows:
        lines = -(-len(row) // most)
        in_a_line = -(-len(row) // lines)
        for n, term in enumerate(row):
            line, place = divmod(n, in_a_line)
            x = round(PLUS + HANG * (line > 0) + step * place)
            parts.append(_term(term, x, y + 6 + height * line, formula.added and bool(parts)))
            right = max(right, x + step - TERM_GAP)
        y += height * lines
    return "".join(parts), right, y - top + 12


@lru_cache(maxsize=4096)  # when one number changes, most terms of a picture stay as they are, and where they are
def _term_size(term: Term) -> tuple[float, int]:
    """Width of a term, and how many more lines than two it has."""
    (symbols, symbols_width), (numbers, numbers_width) = _broken_term(term)
    return max(SWATCH + symbols_width, numbers_width), max(0, len(symbols) + len(numbers) - 2)


@lru_cache(maxsize=4096)
def _term(term: Term, x: float, y: float, plus: bool) -> str:
    (symbols, _), (numbers, _) = _broken_term(term)
    below = y + 17 + CONTINUED * max(0, len(symbols) - 1)
    sign = f'<text class="sum" x="{x - PLUS}" y="{below}">+</text>' if plus else ""
    swatch, indent = "", 0
    if term.hue is not None:
        swatch, indent = f'<rect x="{x}" y="{y - 9}" width="9" height="9" rx="2" fill="{hue(term.hue)}"/>', SWATCH
    return (
        f"{sign}{swatch}{_lines('symbols', symbols, x + indent, y)}"
        f"{_lines('outside' if term.outside else 'sum', numbers, x, below)}"
    )


def _broken_term(term: Term) -> tuple[tuple[tuple[str, ...], float], tuple[tuple[str, ...], float]]:
    return _broken(term.symbols, 12, TERM_ROOM - SWATCH), _broken(term.numbers, 15, TERM_ROOM)


def _lines(name: str, lines: Sequence[str], x: float, y: float) -> str:
    if len(lines) == 1:  # nearly always, thousands of times in a picture
        return f'<text class="{name}" x="{x}" y="{y}">{lines[0]}</text>'
    return "".join(
        [
            f'<text class="{name}" x="{x + HANG * (n > 0)}" y="{y + CONTINUED * n}">{s}</text>'
            for n, s in enumerate(lines)
        ]
    )


@lru_cache(maxsize=4096)
def _broken(text: str, font_size: float, room: float, bold: bool = False) -> tuple[tuple[str, ...], float]:
    """The lines of a text, escaped, and the width of the widest."""
    lines = broken(text, font_size, room, HANG, bold)
    widths = [HANG * (n > 0) + text_width(line, font_size, bold) for n, line in enumerate(lines)]
    return tuple(map(escape, lines)), max(widths, default=0)


def theme(still: bool) -> dict[str, str]:
    """The colours of text, of fainter text and of the page, as CSS that follows the page unless ``still``."""
    return {name: plain if still else f"var(--cbp-{name})" for name, (_, _, plain) in _THEME.items()}


def _variables() -> str:
    """The style sheet that sets the colours of a `theme`; where the reader has chosen some for all pages, to those.

    The cells keep their own, as they show numbers, and the texts on them.
    """
    follow = ";".join(
        f"--cbp-{name}:var({jupyter},var({vscode},{plain}))" for name, (jupyter, vscode, plain) in _THEME.items()
    )
    forced = ";".join(f"--cbp-{name}:{system}" for name, system in _FORCED.items())
    return (
        f".cbp{{{follow};direction:ltr}}"
        f"@media (forced-colors:active){{.cbp{{{forced}}}.cbp,.cbp *{{forced-color-adjust:none}}}}"
    )


def style(still: bool) -> str:
    """The style sheet of a picture."""
    colour = theme(still)
    return (
        ("" if still else _variables())
        + ".cbp text{font-family:'DejaVu Sans',Verdana,'Segoe UI',sans-serif;pointer-events:none;user-select:none}"
        f".cbp .title{{font-size:14px;font-weight:bold;fill:{colour['ink']}}}"
        f".cbp .index{{font-size:11px;text-anchor:middle;fill:{colour['muted']}}}"
        ".cbp .value,.cbp .padded,.cbp .tagged{text-anchor:middle}"
        ".cbp .cell{stroke:#9a9a9a;stroke-width:1}"
        ".cbp .small{shape-rendering:crispEdges}"
        f".cbp .pad,.cbp .empty{{fill:{colour['paper']};stroke:#9a9a9a;stroke-width:1;stroke-dasharray:2 3}}"
        f".cbp .padded{{font-size:13px;fill:{colour['muted']}}}"
        ".cbp .tagged{font-size:9px;font-weight:bold}"
        ".cbp .tag,.cbp .halo,.cbp .mark{pointer-events:none}"
        ".cbp .halo{fill:none;stroke:#ffffff;stroke-width:6}"
        ".cbp .mark{fill:none;stroke:#d55e00;stroke-width:3}"
        ".cbp .dashed{stroke:#0072b2;stroke-dasharray:9 5}"
        ".cbp .faint{stroke:#3f8fc4;stroke-width:2.5;stroke-dasharray:3 4}"
        f".cbp .sum{{font-size:15px;fill:{colour['ink']}}}"
        f".cbp .outside{{font-size:15px;fill:{colour['muted']};text-decoration:line-through}}"
        f".cbp .total{{font-size:15px;font-weight:bold;fill:{colour['ink']}}}"
        f".cbp .symbols{{font-size:12px;fill:{colour['muted']}}}"
        + curves.style(colour)
        + ways.style(colour)
        + ".cbp [data-cell]{cursor:pointer}"
    )
