"""How a curve looks, as SVG text: axes with round numbers, lines, and a dot for each point that can be chosen."""

from functools import lru_cache
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

from convbp.notation import number
from convbp.pictures.colours import hue
from convbp.pictures.scene import Curve, Line
from convbp.pictures.text_wrapping import text_width

# Lengths in pixels.
HEAD, LEFT, FOOT, RIGHT = 44, 46, 34, 12  # above the axes for title and legend; for the numbers; to the right
WIDTH, HEIGHT = 360, 190  # between the axes
SMALL_WIDTH, SMALL_HEIGHT = 190, 138
DOT = 10
SAMPLE, APART = 22, 30  # of a line, in the legend; from a name to the next sample, so that texts can grow


def size(curve: Curve) -> tuple[float, float]:
    """Width and height, with title, numbers and labels."""
    width, height = _room(curve)
    return max(LEFT + width + RIGHT, LEFT + text_width(curve.title, 14, bold=True)), HEAD + height + FOOT


def corner(curve: Curve, col: int) -> tuple[float, float]:
    """The left and top edge of the dot of a cell."""
    x, y = _place(curve, curve.at[col], curve.entry(0, col))
    return x - DOT / 2, y - DOT / 2


@lru_cache(maxsize=512)
def drawn(curve: Curve) -> str:
    """The curve, its title at the top left; between two points the nearer one is chosen."""
    (width, height), bottom = _room(curve), HEAD + _room(curve)[1]
    parts = [f'<text class="title" x="{LEFT}" y="{HEAD - 26}">{escape(curve.title)}</text>']
    for value in _ticks(*curve.up):
        _, y = _place(curve, curve.across[0], value)
        parts.append(f'<path class="axis" d="M{LEFT} {y:g}h{width}"/>')
        parts.append(f'<text class="index end" x="{LEFT - 8}" y="{y + 4:g}">{number(value)}</text>')
    for value in _ticks(*curve.across):
        x, _ = _place(curve, value, curve.up[0])
        parts.append(f'<path class="axis" d="M{x:g} {bottom}v4"/>')
        parts.append(f'<text class="index" x="{x:g}" y="{bottom + 16}">{number(value)}</text>')
    across, up = map(escape, curve.labels)
    parts.append(f'<text class="index" x="{LEFT + width / 2:g}" y="{bottom + 30}">{across}</text>')
    if up and curve.labels[1] not in (line.name for line in curve.lines):  # or the legend says it
        parts.append(f'<text class="index end" x="{LEFT - 8}" y="{HEAD - 8}">{up}</text>')
    parts.append(_lines(curve, curve.lines, LEFT))
    if curve.axes:
        places = [_place(curve, x, y) for x, y in zip(curve.at, curve.values[0], strict=True)]
        keys = [f"{escape(curve.name)},0,{col}" for col in range(len(places))]
        middles = [(left + right) / 2 for (left, _), (right, _) in pairwise(places)]
        edges = [LEFT, *middles, LEFT + width]
        for key, (left, right) in zip(keys, pairwise(edges), strict=True):
            box = f'x="{left:g}" y="{HEAD}" width="{right - left:g}" height="{height}"'
            parts.append(f'<rect class="reach" {box} data-reaches="{key}"/>')
        for key, (x, y) in zip(keys, places, strict=True):
            box = f'x="{x - DOT / 2:g}" y="{y - DOT / 2:g}" width="{DOT}" height="{DOT}" rx="{DOT / 2:g}"'
            parts.append(f'<rect class="cell h0" {box} data-cell="{key}"/>')
    return f'<g class="plot">{"".join(parts)}</g>'


def lines(curve: Curve, added: tuple[Line, ...]) -> str:
    """Lines that come with a choice; their names stand in the legend after those of the curve's own."""
    return f'<g class="plot">{_lines(curve, added, LEFT + sum(map(_legend_width, curve.lines)))}</g>'


def _lines(curve: Curve, added: tuple[Line, ...], left: float) -> str:
    parts = []
    for line in added:
        if not line.points:
            continue
        places = [_place(curve, *point) for point in line.points]
        stroke = f'class="curve {line.style}" stroke="{hue(line.hue)}"'
        parts.append(f'<path {stroke} d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in places)}"/>')
        if line.style == "dots":
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{hue(line.hue)}"/>' for x, y in places]
        if line.name:
            parts.append(f'<path {stroke} d="M{left:g} {HEAD - 12}h{SAMPLE}"/>')
            parts.append(f'<text class="symbols" x="{left + SAMPLE + 6:g}" y="{HEAD - 8}">{escape(line.name)}</text>')
            left += _legend_width(line)
    return "".join(parts)


def style(colour: dict[str, str]) -> str:
    """What a curve adds to the style sheet of a picture, in the colours of a theme."""
    return (
        f".cbp .axis{{stroke:{colour['muted']};stroke-width:1;stroke-opacity:.4}}"
        ".cbp .curve{fill:none;pointer-events:none;stroke-width:2;stroke-linejoin:round}"
        ".cbp .dots{stroke-dasharray:2 4}"
        ".cbp .broken{stroke-dasharray:7 5}.cbp .end{text-anchor:end}"
        ".cbp .reach{fill:none;pointer-events:all;cursor:pointer}"
    )


def _room(curve: Curve) -> tuple[int, int]:
    return (SMALL_WIDTH, SMALL_HEIGHT) if curve.small else (WIDTH, HEIGHT)


def _place(curve: Curve, x: float, y: float) -> tuple[float, float]:
    """Where a point lies in the picture; one beyond the axes lies at their end."""
    (width, height), shares = _room(curve), []
    for value, (first, last) in ((x, curve.across), (y, curve.up)):
        shares.append(min(max((float(value) - first) / (last - first), 0), 1))
    return round(LEFT + width * shares[0], 2), round(HEAD + height * (1 - shares[1]), 2)


def _ticks(first: float, last: float) -> list[float]:
    """Round numbers from first to last, at most six."""
    least = (last - first) / 5
    power = 10.0 ** floor(log10(least))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= least * (1 - 1e-9))
    return [n * step for n in range(ceil(first / step - 1e-9), floor(last / step + 1e-9) + 1)]


def _legend_width(line: Line) -> float:
    return SAMPLE + 6 + text_width(line.name, 12) + APART if line.name else 0
