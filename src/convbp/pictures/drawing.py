"""How each thing in a picture looks: a grid, an outline, the terms of a sum, as SVG text around an origin of its own.

What has been drawn is kept: a grid or an outline that is in the next picture as well costs nothing there.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from math import ceil
from typing import Any, NamedTuple

from convbp.notation import brief, number
from convbp.pictures import curves, ways
from convbp.pictures.colours import DARK, HUES, LIGHT, SHARES, ink_on, mixed, share
from convbp.pictures.scene import Curve, Formula, Grid, Highlight, Mark, Tag, Term, Totals, Ways
from convbp.pictures.text_wrapping import broken, text_width

# Lengths in pixels.
CELLS = (52, 48, 44, 40, 36, 32, 30, 28)  # sides of a cell: a picture takes the largest for which there is room
MAP_CELL, LARGEST_MAP_CELL = 26, 40
THUMBNAIL, THUMBNAIL_CELL = 0.4, 32  # a map without numbers: the part of its size, which is that when it is open
SMALL_CELLS = {20: 8, 32: 5}  # without numbers, by the number of rows or columns
GUTTER = 22  # left of a grid, for its row indices
HEAD, MAP_HEAD, CARD_HEAD = 40, 20, 24  # above a grid, for its title and column indices; above a map; above the terms
SMALL_INDICES, INDEX_ROOM = 4, 18  # of a small grid every so many indices are written, or more seldom for so much room
TITLE, MAP_TITLE, CAPTION = 14, 12, 11  # sizes of texts
THUMBNAIL_TITLE = round(MAP_TITLE / THUMBNAIL)
INDEX = 0.8  # of the size of a caption, its index
LEGIBLE, SNUG, LEAST = 8.8, 8, 7  # of a number, if there is room for it, or if one line then is enough; at all
WIDER, PLUS, APART = 8, 16, 8  # a term than a cell; between two terms, and between their lines
BETWEEN_GROUPS, IN_GROUP = 0.3, 4  # of a line of terms, from one group to the next; between the lines of a group
TERM_ROOM, WIDEST_TERM = 372, 110  # for a row of terms; of the factors of a term, or they are left out
LINE, CONTINUED, HANG = 24, 20, 20  # of a text; from a line to the rest of it when it is broken, and its indent
UNDER_FRAME = 3.3  # of a cell at each edge: a frame and its halo lie there
SNUG_CELL = 34  # in smaller ones a number stands higher, to be clear of its caption
COLUMN_LINE, RESULT_ROOM = 34, 180  # of the end of a sum; for a number in it

_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_FORCED = {
    **dict.fromkeys(("paper", "zero", "positive", "negative"), "Canvas"),
    **dict.fromkeys(("ink", "muted", "rule"), "CanvasText"),
}
# Where a page says that it is dark: JupyterLab, the site, VS Code, Colab.
_DARK = ("[data-jp-theme-light=false]", "[data-theme=dark]", ".vscode-dark", "[theme=dark]")


class Look(NamedTuple):
    """How a grid is drawn: the side of its cells, whether its rows and columns are numbered, its title's size or 0."""

    cell: int
    numbered: bool
    title: int = TITLE

    @property
    def gutter(self) -> int:
        return GUTTER if self.numbered else 2

    @property
    def head(self) -> int:
        return HEAD if self.numbered else {0: 6, THUMBNAIL_TITLE: 44}.get(self.title, MAP_HEAD)

    @property
    def font(self) -> int:
        """The size of its numbers, if they have room."""
        cell = self.cell
        return 17 if cell >= 40 else 15 if cell >= 34 else 13 if cell >= 28 else 12

    @property
    def title_line(self) -> int:
        """Of the title: high enough for a frame around the cells, where nothing else is between them."""
        return 15 if self.numbered else {THUMBNAIL_TITLE: 30}.get(self.title, 12)

    def place(self, grid: Grid, row: int, col: int) -> tuple[float, float]:
        """The left and top edge of a cell."""
        top, left = grid.origin
        return self.gutter + self.cell * (col - left), self.head + self.cell * (row - top)

    def baseline(self) -> float:
        """Of a number in its cell: high enough for a caption below it, where cells can have one."""
        return round(self.cell * (0.68 if self.is_map else 0.58 if self.cell >= SNUG_CELL else 0.53), 1)

    @property
    def is_map(self) -> bool:
        """Whether it is only context."""
        return self.title != TITLE

    def named(self, grid: Grid) -> str:
        """The title of a grid as it is drawn."""
        return grid.title.partition(":")[0] if self.title == THUMBNAIL_TITLE else grid.title * (self.title > 0)


def look(grid: Grid, cell: int, as_map: bool = False, title: int = MAP_TITLE) -> Look:
    """How a grid is drawn in a line with cells of this size, or as a map with a title of that size."""
    if grid.small:
        side = next((cell for most, cell in SMALL_CELLS.items() if max(grid.size) <= most), 3)
        return Look(side, not as_map and max(grid.size) > 2 * SMALL_INDICES, MAP_TITLE if as_map else TITLE)
    if not as_map:
        return Look(cell, not grid.notch)
    if title != MAP_TITLE:
        return Look(THUMBNAIL_CELL, False, title)
    return Look(min(LARGEST_MAP_CELL, max(MAP_CELL, needed(grid, LEAST + 1))), False, MAP_TITLE)


def needed(grid: Grid, font_size: float = LEGIBLE) -> int:
    """The side of a cell in which all numbers of a grid can be read; what is no grid of cells has its own sizes."""
    if has_own_size(grid):
        return 0
    return 7 + ceil(font_size * max(text_width(_text(value), 1) for value in _flat(grid.values)))


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else brief(value)


def has_own_size(grid: Grid) -> bool:
    """Whether it is as large as it is, whatever the size of a cell in the line: no grid of cells with numbers."""
    return grid.small or isinstance(grid, Curve | Ways | Totals)


def grid_size(grid: Grid, look: Look) -> tuple[float, float]:
    """Width and height of a grid, with its title and indices."""
    if isinstance(grid, Curve):
        return curves.size(grid)
    if isinstance(grid, Ways | Totals):
        return ways.size(grid)
    return size_of_cells(*grid.size, title_width(grid, look), look)


def size_of_cells(rows: int, cols: int, title: float, look: Look) -> tuple[float, float]:
    """Width and height of so many cells, with their indices, below a title of some width."""
    return look.gutter + max(look.cell * cols + 2, title), look.head + look.cell * rows + 2


def title_width(grid: Grid, look: Look) -> float:
    return text_width(look.named(grid), look.title, bold=look.title == TITLE)


def grid(grid: Grid, look: Look) -> str:
    """A grid, its title at the top left."""
    if isinstance(grid, Curve):
        return curves.drawn(grid)
    if isinstance(grid, Ways | Totals):
        return ways.drawn(grid)
    # To a cache 1/2 and 0.5 are the same, but they are not written alike.
    return _grid(grid, look, tuple(map(type, _flat(grid.values))))


@lru_cache(maxsize=2048)
def _grid(grid: Grid, look: Look, types: tuple[type, ...]) -> str:
    (top, left), (rows, cols), cell = grid.origin, grid.size, look.cell
    name, title = "name" if look.is_map else "title", look.named(grid)
    parts = [f'<text class="{name}" x="{look.gutter}" y="{look.title_line}">{escape(title)}</text>'] if title else []
    step = SMALL_INDICES * ceil(INDEX_ROOM / (SMALL_INDICES * cell)) if grid.small else 1
    for col in range(left, left + cols) if look.numbered else ():
        if col % step == 0:
            x, _ = look.place(grid, top, col)
            parts.append(f'<text class="index" x="{x + cell / 2:g}" y="{HEAD - 6}">{number(col)}</text>')
    for row in range(top, top + rows) if look.numbered else ():
        if row % step == 0:
            _, y = look.place(grid, row, left)
            parts.append(f'<text class="index" x="10" y="{y + cell / 2 + 4:g}">{number(row)}</text>')
    values = _flat(grid.values)
    largest = grid.largest
    if largest is None:
        largest = max((abs(value) for value in values if _finite(value)), default=0)
    tags, hues = (_flat(entries or ((None,) * cols,) * rows) for entries in (grid.tags, grid.hues))
    texts = [_text(value) for value in values]
    size = _fitting(texts, look.font, cell - 7)
    parts.append(f'<g font-size="{size:g}">')
    captions = []
    for (row, col), value, text, tag, filled in zip(grid.cells(), values, texts, tags, hues, strict=True):
        in_core = grid.in_core(row, col)
        x, y = look.place(grid, row, col)
        # Each cell can be found, among all of the picture or in its grid: what moves starts and ends at cells.
        chosen = grid.axes and in_core
        at = f' data-cell="{escape(grid.name)},{row},{col}"' if chosen else f' data-at="{row},{col}"'
        weight = _weight(tag)
        box = f'x="{x:g}" y="{y:g}" width="{cell}" height="{cell}"{at}{weight}'
        ink = ""
        if not in_core:
            parts.append(f'<rect class="pad" {box}/>')
            text = "·" if value is not None else ""
        elif value is None:
            parts.append(f'<rect class="empty" {box}/>')
        else:
            fill, ink = _filled(value, largest, filled)
            kind = "small" if grid.small else "cell"
            if text_width(text, size) > cell - 2:
                text = "…"
            parts.append(f'<rect class="{kind} {fill}" {box}{_closed(_hover(value, text))}')
        if text and not grid.small:
            middle = f'x="{x + cell / 2:g}" y="{y + look.baseline():g}"'
            parts.append(
                f'<text class="{f"value {ink}".strip() if in_core else "padded"}" {middle}>{escape(text)}</text>'
            )
        if tag is not None and not look.is_map:
            captions.append((tag.text, x, y, ink, ""))
    parts += ["</g>", *_captions(captions, cell)]
    if grid.notch:
        parts.append(_notch(grid.notch, look.gutter, look.head, rows, cols, cell))
    return "".join(parts)


def _filled(value: Any, largest: Any, filled: int | None) -> tuple[str, str]:
    """The class of a cell that says its colour, and that of the text in it if it is not in ink."""
    if filled is not None:
        which = filled % len(HUES)
        return f"h{which}", f"on{which}"
    steps = share(value, largest) if _finite(value) else 0
    return f"p{steps}" if steps > 0 else f"n{-steps}" if steps else "z", ""


def _hover(value: Any, text: str) -> str:
    """All digits of a number, if the cell has not."""
    whole = value if isinstance(value, str) else f"{value:.12g}" if isinstance(value, float) else number(value)
    return "" if whole.replace("-", "\u2212") == text else f"<title>{escape(whole)}</title>"


def _closed(inside: str) -> str:
    return f">{inside}</rect>" if inside else "/>"


def _weight(tag: Tag | None) -> str:
    """The attribute that says which weight lies here: whatever has the same hangs together with it."""
    return "" if tag is None or tag.value is None else f' data-w="{tag.hue}"'


def _captions(captions: Sequence[tuple[str, float, float, str, str]], cell: float) -> list[str]:
    """Texts below the numbers of cells, in one size."""
    if not captions:
        return []
    widest = max(
        text_width(name, 1) + INDEX * text_width(index, 1) for name, index in map(_indexed, {c[0] for c in captions})
    )
    size = max(LEAST, min(_caption(cell), int(10 * (cell - 2 * UNDER_FRAME) / widest) / 10))
    down = round(min(cell * 0.88, cell - UNDER_FRAME - 0.15 * size), 1)
    return [
        f'<g font-size="{size:g}">',
        *(
            f'<text class="{f"caption {ink}".strip()}" x="{x + cell / 2:g}" y="{y + down:g}"{weight}>'
            f"{_written(text, size)}</text>"
            for text, x, y, ink, weight in captions
        ),
        "</g>",
    ]


def _indexed(text: str) -> tuple[str, str]:
    """A name and its index, in digits: in a caption the index signs of Unicode would be too small to be read."""
    name = text.rstrip("₀₁₂₃₄₅₆₇₈₉")
    return name, text[len(name) :].translate(_DIGITS)


def _written(text: str, size: float) -> str:
    name, index = _indexed(text)
    lowered = f'<tspan dy="{0.15 * size:.1f}" font-size="{INDEX * size:.1f}">{index}</tspan>' if index else ""
    return escape(name) + lowered


def _caption(cell: float) -> int:
    """The size of a caption in a cell of this side."""
    return CAPTION if cell >= 36 else 9


def _fitting(texts: Iterable[str], size: float, room: float) -> float:
    """The size in which all of the texts fit into the room."""
    widest = max((text_width(text, 1) for text in texts), default=0)
    return max(LEAST, min(size, int(10 * room / widest) / 10)) if widest else size


def _notch(which: str, left: float, top: float, rows: int, cols: int, cell: float) -> str:
    """A filled corner of the first or the last cell of a rectangle; a small one leaves free what stands there."""
    side = 11 if cell >= 36 else 8
    if which == "first":
        return f'<path class="notch" d="M{left:g} {top:g}h{side}l-{side} {side}z"/>'
    return f'<path class="notch" d="M{left + cols * cell:g} {top + rows * cell:g}h-{side}l{side} -{side}z"/>'


def mark(mark: Mark, grid: Grid, look: Look) -> str:
    """An outline in a grid."""
    if isinstance(grid, Curve):
        return _mark(mark.style, 1, 1, "", (), (), *curves.corner(grid, mark.col), Look(curves.DOT, False))
    if isinstance(grid, Totals):
        return _mark(mark.style, 1, 1, "", (), (), *ways.corner(grid, mark.row), Look(ways.CELL, False))
    left, top = look.place(grid, mark.row, mark.col)
    captions, zeros = [], []
    has_zeros = mark.style == "solid" and not grid.small and grid.core is not None
    for r, c in ((r, c) for r in range(mark.rows) for c in range(mark.cols)):
        at = mark.row + r, mark.col + c
        tag = mark.tags[r][c] if mark.tags else None
        if (
            tag is not None
            and not look.is_map
            and not (grid.tags and grid.tags[at[0] - grid.origin[0]][at[1] - grid.origin[1]])
        ):
            captions.append((tag.text if tag.value is None else f"×{brief(tag.value)}", r, c, _weight(tag)))
        if has_zeros and not grid.in_core(*at) and grid.entry(*at) is not None:
            zeros.append((r, c))
    return _mark(mark.style, mark.rows, mark.cols, mark.notch, tuple(captions), tuple(zeros), left, top, look)


@lru_cache(maxsize=8192)
def _mark(
    style: str,
    rows: int,
    cols: int,
    notch: str,
    captions: tuple[tuple[str, int, int, str], ...],
    zeros: tuple[tuple[int, int], ...],
    left: float,
    top: float,
    look: Look,
) -> str:
    cell = look.cell
    box = f'x="{left:g}" y="{top:g}" width="{cell * cols}" height="{cell * rows}" rx="{3 if cell >= MAP_CELL else 1}"'
    halo = "" if style == "faint" else f'<rect class="halo" {box}/>'
    name = "mark" if style == "solid" else f"mark {style}"
    under = [
        f'<rect class="under" x="{left + cell * c + 1:g}" y="{top + cell * r + 1:g}" width="{cell - 2}" '
        f'height="{cell - 2}"/><text class="padded" font-size="{look.font}" x="{left + cell * (c + 0.5):g}" '
        f'y="{top + cell * r + look.baseline():g}">0</text>'
        for r, c in zeros
    ]
    texts = _captions([(text, left + cell * c, top + cell * r, "", weight) for text, r, c, weight in captions], cell)
    corner = _notch(notch, left, top, rows, cols, cell) if notch else ""
    return "".join([*under, halo, f'<rect class="{name}" {box}/>', *texts, corner])


def _finite(value: Any) -> bool:
    # An integer may be too large for a float.
    return value is not None and not isinstance(value, str) and abs(value) < float("inf")


def _flat(rows: tuple[tuple, ...]) -> list:
    return [entry for row in rows for entry in row]


# The terms of a sum


class Cards(NamedTuple):
    """How the terms of all highlights of a picture are drawn as cells: their height and their width."""

    cell: int
    width: float


class Extent(NamedTuple):
    """What the formulas of all highlights of a picture need of room, whatever the size of a cell is.

    ``shapes`` are the names of their terms and how many there are in each row, ``widest`` is the width of the widest
    term, and ``largest`` the absolute value with the full colour. Terms that are lines of text need the size ``lines``.
    """

    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    widest: float
    largest: float
    column: tuple[float, float]
    lines: tuple[float, float] | None = None


def extent(highlights: Iterable[Highlight]) -> Extent:
    """Return what the formulas of these need of room."""
    formulas = [highlight.formula for highlight in highlights]
    terms = [term for formula in formulas for row in formula.terms for term in row]
    columns = {(formula.column, _types(formula)) for formula in formulas}
    column = _widest_and_highest(_column(*column, 0)[1:] for column in columns)
    if any(term.value is None for term in terms):
        sizes = (_as_lines(formula.terms, formula.added)[1:] for formula in formulas if any(formula.terms))
        return Extent((), 0, 0, column, _widest_and_highest(sizes))
    widths = [text_width(text, CAPTION) for text in set(map(_factors, terms))]
    widths += [text_width(text, LEGIBLE) for text in {brief(term.value) for term in terms}]
    largest = max((abs(term.value) for term in terms if _finite(term.value)), default=0)
    shapes = dict.fromkeys((formula.name, tuple(map(len, formula.terms))) for formula in formulas)
    return Extent(tuple(shapes), max(widths, default=0), largest, column)


def _widest_and_highest(sizes: Iterable[tuple[float, float]]) -> tuple[float, float]:
    widths, heights = zip(*sizes, strict=True)
    return max(widths), max(heights)


def cards(widest: float, cell: int) -> Cards:
    """So large that each term of each highlight has room."""
    return Cards(cell, round(max(cell, min(widest, WIDEST_TERM)) + WIDER))


def _factors(term: Term) -> str:
    return term.numbers.rpartition(" = ")[0] or term.symbols


def terms_size(name: str, rows: tuple[int, ...], cards: Cards) -> tuple[float, float]:
    """Width and height of the terms, so many in each row, as cells."""
    if not any(rows):
        return 0, 0
    placed = _in_lines(rows, cards)
    columns, lines = (1 + max(at[axis] for row in placed for at in row) for axis in (0, 1))
    width = max(PLUS + columns * (cards.width + PLUS) - PLUS + 2, PLUS + text_width(name, TITLE, bold=True))
    return width, CARD_HEAD + round(lines * (cards.cell + _apart(rows))) - _apart(rows) + 2


def terms(formula: Formula, cards: Cards | None, largest: float) -> str:
    """The terms in their rows, their name at the top left; without cards as lines of text."""
    if not any(formula.terms):
        return ""
    if not cards:
        return _as_lines(formula.terms, formula.added)[0]
    types = tuple(type(term.value) for row in formula.terms for term in row)
    return _as_cells(formula.name, formula.terms, formula.added, cards, largest, types)


def unknown(name: str, width: float, height: float) -> str:
    """An empty frame where the terms or their sum will be."""
    said = f"{name} ?" if width > text_width(f"{name} ?", TITLE) + 8 else "?"
    return (
        f'<rect class="asked" x="2" y="2" width="{width - 4:g}" height="{height - 4:g}" rx="5"/>'
        f'<text class="asks" x="{width / 2:g}" y="{height / 2 + 5:g}">{escape(said)}</text>'
    )


def _apart(rows: tuple[int, ...]) -> int:
    """The room between two lines of terms, so many in each row: in groups they stand closer together."""
    return APART if all(rows) else IN_GROUP


@lru_cache(maxsize=256)
def _in_lines(rows: tuple[int, ...], cards: Cards) -> tuple[tuple[tuple[int, float], ...], ...]:
    """The column and the line of each term; a row that is too long goes on below, all its lines about equally long.

    A row of none leaves room, a part of a line, between those above it and those below.
    """
    most = max(1, int((TERM_ROOM + PLUS) // (cards.width + PLUS)))
    placed, above = [], 0.0
    for length in rows:
        lines = -(-length // most)
        in_a_line = -(-length // lines) if lines else 1
        placed.append(tuple((n % in_a_line, above + n // in_a_line) for n in range(length)))
        above += lines or BETWEEN_GROUPS
    return tuple(placed)


@lru_cache(maxsize=2048)
def _as_cells(
    name: str,
    rows: tuple[tuple[Term, ...], ...],
    added: bool,
    cards: Cards,
    largest: float,
    types: tuple[type, ...],
) -> str:
    cell, width = cards
    lengths = tuple(map(len, rows))
    look, placed, apart = Look(cell, True), _in_lines(lengths, cards), _apart(lengths)
    size = _fitting([brief(term.value) for row in rows for term in row], look.font, width - 7)
    parts = [f'<text class="title" x="{PLUS}" y="15">{escape(name)}</text><g font-size="{size:g}">']
    factors = [[_factors(term) for term in row] for row in rows]
    small = _fitting((text for row in factors for text in row), _caption(cell), width - 4)
    captions = []
    for r, (row, places) in enumerate(zip(rows, placed, strict=True)):
        for n, (term, (column, line)) in enumerate(zip(row, places, strict=True)):
            x, y = PLUS + column * (width + PLUS), CARD_HEAD + round(line * (cell + apart))
            if added and (column or line):
                parts.append(f'<text class="plus" x="{x - PLUS / 2:g}" y="{y + cell / 2 + 6:g}">+</text>')
            fill, _ = _filled(term.value, largest, None)
            kind, ink = ("pad", "padded") if term.outside else (f"cell {fill}", "value")
            weight = "" if term.hue is None else f' data-w="{term.hue}"'
            said = f"<title>{escape(f'{term.symbols}: {term.numbers}')}</title>"
            parts.append(
                f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" '
                f'height="{cell}" rx="5" data-at="{r},{n}"{weight}>{said}</rect><text class="{ink}" '
                f'x="{x + width / 2:g}" y="{y + look.baseline():g}">{escape(brief(term.value))}</text>'
            )
            text = factors[r][n] if text_width(factors[r][n], small) <= width - 2 else "…"
            name = "caption outside" if term.outside else "caption"
            captions.append(
                f'<text class="{name}" x="{x + width / 2:g}" y="{y + round(cell * 0.88, 1):g}">{escape(text)}</text>'
            )
    return "".join([*parts, f'</g><g font-size="{small:g}">', *captions, "</g>"])


@lru_cache(maxsize=2048)
def _as_lines(rows: tuple[tuple[Term, ...], ...], added: bool) -> tuple[str, float, float]:
    """One below the other, in symbols and in numbers, each broken into lines if it is too wide; and their size."""
    parts, y, right = [], 16.0, 0.0
    for n, term in enumerate(term for row in rows for term in row):
        for name, text, size, gap in (("symbols", term.symbols, 12, 18), ("sum", term.numbers, 15, LINE)):
            lines, width = _broken(text, size, TERM_ROOM - HANG)
            if name == "sum" and added and n:
                parts.append(f'<text class="sum" x="0" y="{y:g}">+</text>')
            parts.append(_lines(name, lines, HANG, y))
            right, y = max(right, HANG + width), y + gap + CONTINUED * (len(lines) - 1)
    return "".join(parts), right, y - 8


def column(formula: Formula, width: float) -> str:
    """The end of a sum as one writes it by hand: names and numbers, a rule, the result."""
    return _column(formula.column, _types(formula), width)[0]


def _types(formula: Formula) -> tuple[type, ...]:
    return tuple(type(value) for _, value in formula.column)


@lru_cache(maxsize=4096)
def _column(lines: tuple[tuple[str, Any], ...], types: tuple[type, ...], width: float) -> tuple[str, float, float]:
    if not lines:
        return "", 0, 0
    numbers = [value if isinstance(value, str) else number(value) for _, value in lines]
    numbers = [
        text if text_width(text, LEAST, bold=True) <= RESULT_ROOM else _text(value)
        for text, (_, value) in zip(numbers, lines, strict=True)
    ]
    size = _fitting(numbers, 17, RESULT_ROOM / 1.12)
    names = max(text_width(name, TITLE) for name, _ in lines)
    box = max(44.0, *(text_width(text, size, bold=True) + 12 for text in numbers))
    width = max(width, names + 8 + box)
    parts = []
    for n, ((name, _), text) in enumerate(zip(lines, numbers, strict=True)):
        last, y = n == len(lines) - 1, COLUMN_LINE * n + 8 * (n == len(lines) - 1 > 0)
        if last and n:
            parts.append(f'<path class="line" d="M0 {y - 3}h{width:g}"/>')
        parts.append(
            f'<text class="label" x="0" y="{y + 21}">{escape(name)}</text>'
            f'<rect class="{"result" if last else "term"}" x="{width - box:g}" y="{y + 1}" width="{box:g}" '
            f'height="30" rx="5" data-at="{n},0"/>'
            f'<text class="{"total" if last else "value"}" font-size="{size:g}" x="{width - box / 2:g}" y="{y + 22}">'
            f"{escape(text)}</text>"
        )
    return "".join(parts), width + 2, COLUMN_LINE * len(lines) + 8 * (len(lines) > 1)


# Texts, in a picture that does not move; in a page they are the page's


def texts(formula: Formula, room: float) -> tuple[str, float]:
    """The result and the notes of a formula as SVG text, and how high it is."""
    return _paragraphs([("said", formula.total), *(("note", note) for note in formula.notes)], room)


def heading(formula: Formula, room: float) -> tuple[str, float]:
    """What is summed as SVG text, and how high it is."""
    return _paragraphs([("heading", formula.heading)], room)


def _paragraphs(texts: Sequence[tuple[str, str]], room: float) -> tuple[str, float]:
    parts, y = [], 16.0
    for name, text in texts:
        lines, _ = _broken(text, 13 if name == "note" else 15, room, name != "note")
        if lines:
            parts.append(_lines(name, lines, 0, y))
            y += LINE + CONTINUED * (len(lines) - 1)
    return "".join(parts), y - 16


def _lines(name: str, lines: Sequence[str], x: float, y: float) -> str:
    return "".join(
        f'<text class="{name}" x="{x + HANG * (n > 0):g}" y="{y + CONTINUED * n:g}">{s}</text>'
        for n, s in enumerate(lines)
    )


@lru_cache(maxsize=4096)
def _broken(text: str, font_size: float, room: float, bold: bool = False) -> tuple[tuple[str, ...], float]:
    """The lines of a text, escaped, and the width of the widest."""
    lines = broken(text, font_size, room, HANG, bold)
    widths = [HANG * (n > 0) + text_width(line, font_size, bold) for n, line in enumerate(lines)]
    return tuple(map(escape, lines)), max(widths, default=0)


# Colours


def theme(still: bool) -> dict[str, str]:
    """The colours of a picture by their names, as CSS that follows the page unless ``still``."""
    return LIGHT if still else {name: f"var(--cbp-{name})" for name in LIGHT}


def in_dark(part: str, rules: str) -> str:
    """The rules of the style sheet for a part of a picture where the page is dark."""
    part = f".cbp {part}".strip()
    pages = ",".join(f"{page} {part}" for page in _DARK)
    return f"{pages}{{{rules}}}@media (prefers-color-scheme:dark){{[data-theme=auto] {part}{{{rules}}}}}"


def _variables() -> str:
    """The style sheet that sets the colours of a `theme`; where the reader has chosen some for all pages, to those."""

    def set_to(colours: dict[str, str]) -> str:
        return ";".join(f"--cbp-{name}:{colour}" for name, colour in colours.items())

    paper = "--cbp-paper:var(--jp-layout-color0,var(--vscode-editor-background,{}))"
    return (
        f".cbp{{{set_to(LIGHT)};{paper.format(LIGHT['paper'])};direction:ltr}}"
        + in_dark("", f"{set_to(DARK)};{paper.format(DARK['paper'])}")
        + f"@media (forced-colors:active){{.cbp.cbp.cbp{{{set_to(_FORCED)}}}.cbp,.cbp *{{forced-color-adjust:none}}}}"
    )


@lru_cache(maxsize=2)
def style(still: bool) -> str:
    """The style sheet of a picture."""
    colour = theme(still)

    def fill(steps: int) -> str:
        if still:
            return mixed(steps / SHARES, LIGHT)
        end = colour["positive" if steps > 0 else "negative"]
        return f"color-mix(in srgb,{end} {100 * abs(steps) // SHARES}%,{colour['zero']})"

    shares = "".join(
        f".cbp .{'p' if sign > 0 else 'n'}{n}{{fill:{fill(sign * n)}}}"
        for sign in (1, -1)
        for n in range(1, SHARES + 1)
    )
    hues = "".join(f".cbp .h{n}{{fill:{one}}}.cbp .on{n}{{fill:{ink_on(one)}}}" for n, one in enumerate(HUES))
    return (
        ("" if still else _variables())
        + ".cbp text{font-family:'DejaVu Sans',Verdana,'Segoe UI',sans-serif;pointer-events:none;user-select:none;"
        f"font-variant-numeric:tabular-nums;fill:{colour['ink']}}}"
        f".cbp .title{{font-size:{TITLE}px;font-weight:bold}}.cbp .name{{font-size:{MAP_TITLE}px}}"
        f".cbp .thumbnail .name{{font-size:{THUMBNAIL_TITLE}px}}.cbp .thumbnail .value{{display:none}}"
        f".cbp .index{{font-size:11px;text-anchor:middle;fill:{colour['muted']}}}"
        ".cbp .value,.cbp .padded,.cbp .caption,.cbp .plus,.cbp .operator,.cbp .total{text-anchor:middle}"
        f".cbp .plus{{font-size:17px;fill:{colour['muted']}}}.cbp .operator{{font-size:22px;fill:{colour['muted']}}}"
        f".cbp .cell{{stroke:{colour['rule']};stroke-width:1}}.cbp .z{{fill:{colour['zero']}}}"
        ".cbp .small{shape-rendering:crispEdges}"
        f".cbp .pad,.cbp .empty{{fill:{colour['paper']};stroke:{colour['rule']};stroke-width:1;stroke-dasharray:1 4}}"
        f".cbp .thumbnail:not(.open) .empty{{stroke:{colour['muted']};stroke-width:2.5;stroke-dasharray:2.5 5}}"
        f".cbp .asked{{fill:none;stroke:{colour['muted']};stroke-width:1.5;stroke-dasharray:2 4}}"
        f".cbp .asks{{font-size:{TITLE}px;text-anchor:middle;fill:{colour['muted']}}}"
        f".cbp .padded,.cbp .outside{{fill:{colour['muted']}}}.cbp .under{{fill:{colour['paper']}}}"
        ".cbp .under,.cbp .halo,.cbp .mark,.cbp .notch{pointer-events:none}"
        f".cbp .halo{{fill:none;stroke:{colour['paper']};stroke-width:6}}"
        f".cbp .mark{{fill:none;stroke:{colour['ink']};stroke-width:3}}"
        ".cbp .dashed{stroke-width:2.5;stroke-dasharray:7 4}"
        f".cbp .faint{{stroke:{colour['muted']};stroke-width:2;stroke-dasharray:2 4}}"
        f".cbp .notch{{fill:{colour['ink']}}}"
        f".cbp .line{{stroke:{colour['ink']};stroke-width:1.5}}.cbp .term{{fill:none}}"
        f".cbp .result{{fill:none;stroke:{colour['ink']};stroke-width:1.5}}"
        f".cbp .label{{font-size:14px;fill:{colour['muted']}}}.cbp .total{{font-weight:bold}}"
        ".cbp .sum{font-size:15px}.cbp .heading,.cbp .said{font-size:15px;font-weight:bold}"
        f".cbp .symbols{{font-size:12px;fill:{colour['muted']}}}.cbp .note{{font-size:13px;fill:{colour['muted']}}}"
        f".cbp [data-cell]{{cursor:pointer}}{shares}{hues}{curves.style(colour)}{ways.style(colour)}"
    )
