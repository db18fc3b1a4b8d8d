"""How all ways from one number to another look, as SVG text: boxes, arrows with numbers, products and their sum."""

from functools import lru_cache
from html import escape

from convbp.notation import number
from convbp.pictures.colours import share
from convbp.pictures.scene import Totals, Ways
from convbp.pictures.text_wrapping import text_width

# Lengths in pixels. The ways are narrow enough to be read on a phone, and their totals stand below them there.
HEAD, LEFT, PITCH, CELL = 58, 4, 36, 30  # above the boxes; left of them; from one way to the next; of a cell
BOX, TALL = 60, 34  # a box with name and number
FAN, STRETCH = 22, 36  # of an arrow: where they part or meet, and where its number stands
CAPTION = 86  # beside a cell

# Where each part begins.
_BETWEEN = LEFT + BOX + FAN + STRETCH
_END = _BETWEEN + BOX + STRETCH + FAN


def size(grid: Ways | Totals) -> tuple[float, float]:
    """Width and height, with the title."""
    width: float = CAPTION + CELL if isinstance(grid, Totals) else _END + BOX
    width = max(width + 2, LEFT + text_width(grid.title, 14, bold=True))
    return width, HEAD + PITCH * _rows(grid) + 8 + PITCH


def corner(totals: Totals, row: int) -> tuple[float, float]:
    """The left and top edge of a cell."""
    return CAPTION, _middle(totals, row) - CELL / 2


def drawn(grid: Ways | Totals) -> str:
    """The ways from left to right, or their totals, with the title at the top left."""
    return _totals(grid) if isinstance(grid, Totals) else _ways(grid)


@lru_cache(maxsize=512)
def _ways(ways: Ways) -> str:
    rows = range(len(ways.between))
    parts = [f'<text class="title" x="{LEFT}" y="18">{escape(ways.title)}</text>']
    centres = _BETWEEN - STRETCH / 2 - 4, _BETWEEN + BOX + STRETCH / 2 + 4
    parts += [
        f'<text class="index" x="{x:g}" y="{HEAD - 14}">{escape(head)}</text>'
        for x, head in zip(centres, ways.heads, strict=True)
    ]
    for row in rows:
        y = _middle(ways, row) - _pitch(ways) / 2
        room = f'x="{LEFT + BOX}" y="{y:g}" width="{_END - LEFT - BOX}" height="{_pitch(ways):g}"'
        parts.append(f'<rect class="reach" {room} data-reaches="{escape(ways.totals)},{row},0"/>')
    parts += [f'<path class="arrow" d="{d}"/>' for row in rows for d in _arrows(ways, row)]
    for row, numbers in enumerate(ways.arrows):
        for x, value in zip((_BETWEEN - STRETCH / 2 - 4, _BETWEEN + BOX + STRETCH / 2), numbers, strict=True):
            parts.append(_fitting("onarrow", value, x, _middle(ways, row) - 4, STRETCH - 6, 13))
    for row, (name, (value,)) in enumerate(zip(ways.between, ways.values, strict=True)):
        parts.append(_box(name, value, _BETWEEN, _middle(ways, row)))
    every = f' data-reaches="{escape(ways.totals)},{len(rows)},0"'
    for x, (name, value) in ((LEFT, ways.start), (_END, ways.end)):
        parts.append(_box(name, value, x, HEAD + PITCH * _rows(ways) / 2, every))
    return "".join(parts)


@lru_cache(maxsize=512)
def _totals(totals: Totals) -> str:
    rule = _middle(totals, len(totals.values) - 1) - PITCH / 2 - 2
    parts = [
        f'<text class="index" x="{CAPTION - 10}" y="{HEAD - 14}">{escape(totals.title)}</text>',
        f'<path class="rule" d="M0 {rule:g}H{CAPTION + CELL}"/>',
    ]
    largest = max((abs(value) for (value,) in totals.values if not isinstance(value, str)), default=0)
    for row, ((value,), caption) in enumerate(zip(totals.values, totals.captions, strict=True)):
        x, y = corner(totals, row)
        steps = 0 if isinstance(value, str) else share(value, largest)  # to be predicted
        fill = f"p{steps}" if steps > 0 else f"n{-steps}" if steps else "z"
        box = f'x="{x}" y="{y:g}" width="{CELL}" height="{CELL}"'
        font_size = min(11, 11 * (CAPTION - 12) / max(text_width(caption, 11), 1))
        parts.append(
            f'<text class="beside" font-size="{font_size:.1f}" x="{CAPTION - 8}" y="{y + CELL / 2 + 4:g}">'
            f"{escape(caption)}</text>"
        )
        parts.append(f'<rect class="cell {fill}" {box} data-cell="{escape(totals.name)},{row},0"/>')
        parts.append(_fitting("value", value, x + CELL / 2, y + CELL / 2 + 5, CELL - 6, 14))
    return "".join(parts)


def chosen(ways: Ways, row: int) -> str:
    """The arrows of a way, or of all if the row is that of the sum, drawn bold."""
    rows = range(len(ways.between)) if row == len(ways.between) else [row]
    return "".join(f'<path class="arrow taken" d="{d}"/>' for one in rows for d in _arrows(ways, one))


def style(colour: dict[str, str]) -> str:
    """What ways add to the style sheet of a picture, in the colours of a theme."""
    return (
        f".cbp .arrow{{fill:none;pointer-events:none;stroke:{colour['muted']};stroke-width:1}}"
        f".cbp .taken{{stroke:{colour['ink']};stroke-width:3}}"
        f".cbp .rule{{stroke:{colour['ink']};stroke-width:1.5}}"
        f".cbp .box{{fill:{colour['paper']};stroke:{colour['muted']};stroke-width:1.5}}"
        f".cbp .boxname{{font-size:11px;text-anchor:middle;fill:{colour['muted']}}}"
        f".cbp .inbox,.cbp .onarrow{{text-anchor:middle;fill:{colour['ink']}}}"
        f".cbp .beside{{text-anchor:end;fill:{colour['muted']}}}"
    )


def _count(grid: Ways | Totals) -> int:
    """How many ways there are."""
    return len(grid.values) - isinstance(grid, Totals)


def _rows(grid: Ways | Totals) -> int:
    return max(grid.rows, _count(grid))


def _pitch(grid: Ways | Totals) -> float:
    return PITCH * _rows(grid) / max(_count(grid), 1)


def _middle(grid: Ways | Totals, row: int) -> float:
    """How high a way runs; the sum stands below all."""
    if row == _count(grid):
        return HEAD + PITCH * _rows(grid) + 8 + PITCH / 2
    return HEAD + _pitch(grid) * (row + 0.5)


def _arrows(ways: Ways, row: int) -> tuple[str, str]:
    """The two arrows of a way: they part, run level where the number stands, and meet."""
    axis, y = HEAD + PITCH * _rows(ways) / 2, _middle(ways, row)
    parting, first = LEFT + BOX, _BETWEEN - STRETCH
    second, meeting = _BETWEEN + BOX + STRETCH, _END
    head = "m-6 -4l6 4l-6 4"
    return (
        f"M{parting} {axis:g}C{parting + FAN * 0.6:g} {axis:g} {first - FAN * 0.6:g} {y:g} {first} {y:g}"
        f"H{_BETWEEN - 1}{head}",
        f"M{_BETWEEN + BOX} {y:g}H{second}"
        f"C{second + FAN * 0.6:g} {y:g} {meeting - FAN * 0.6:g} {axis:g} {meeting - 1} {axis:g}{head}",
    )


def _box(name: str, value: object, x: float, middle: float, reaches: str = "") -> str:
    place = f'x="{x}" y="{middle - TALL / 2 + 1:g}" width="{BOX}" height="{TALL - 2}" rx="4"{reaches}'
    return (
        f'<rect class="box" {place}/><text class="boxname" x="{x + BOX / 2:g}" y="{middle - 5:g}">{escape(name)}</text>'
        + _fitting("inbox", value, x + BOX / 2, middle + 11, BOX - 8, 14)
    )


def _fitting(name: str, value: object, x: float, y: float, room: float, font_size: float) -> str:
    """A number in the middle, as large as there is room."""
    text = value if isinstance(value, str) else number(value)
    if text_width(text, font_size) > room:
        text = number(float(value))  # type: ignore[arg-type]
    font_size = min(font_size, room / text_width(text, 1))
    return f'<text class="{name}" x="{x:g}" y="{y:g}" font-size="{font_size:.1f}">{text}</text>'
