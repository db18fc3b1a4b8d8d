"""Sizes → places: how large the cells of a picture are, and how its parts are arranged on pages of any width.

Nothing here knows what is drawn. A picture whose sizes have been met before, as most are while a slider moves, costs
nothing: `largest_cell` and `layouts` keep what they have found.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from convbp.pictures.drawing import CELLS, HEAD

# Lengths in pixels.
BESIDE, BELOW = 26, 14  # from a grid to the next, in a phrase and in a stack
GAP, BEFORE_OPERATOR = 22, 6  # from a phrase, or a map, to the next one, and to one that begins with an operator
NEXT_LINE = 10  # from a line to the next
MARGIN = 8
ROOM = 1170  # of the line on a usual page
USUAL, LINES = 36, 440  # the side of a cell at least, and the height of several lines at most, if there is room
SMALLER = 32  # the side of a cell that a single line may have instead: the page may make a usual one as small
HIGH, HIGHEST = 240, 400  # so high are the cells of a grid at most, if they can be, and if that is too little for many
STACK = 110  # so much higher may several grids be, one below the other
PHONE = 268  # on the narrowest page what is wider is made smaller
SHRINKS = 0.88  # as far as a page makes a line smaller before it takes a narrower layout
MUCH = 120  # lower: then the maps stand beside the line
LONGEST = 1400  # of a line on the widest page
ROUNDING = 1e-6  # of a width that is added up in another order, or as another Python adds


class Layout(NamedTuple):
    """One way to arrange the parts of a picture: its size, and where each part's top left corner is, and its scale."""

    width: int
    height: int
    places: tuple[tuple[int, int, float], ...]


class Box(NamedTuple):
    """How far something reaches: its width, and how far above and below the axis of its line."""

    width: float
    above: float
    below: float

    def box(self, cell: int) -> "Box":
        """It is as large with cells of any size."""
        return self


class Sized(Protocol):
    """A piece of the line: as large as it has to be for cells of some size. Equal ones have equal hashes."""

    def box(self, cell: int) -> Box: ...


class Stack(NamedTuple):
    """Several pieces, one below the other."""

    pieces: tuple[Sized, ...]

    def box(self, cell: int) -> Box:
        boxes = [piece.box(cell) for piece in self.pieces]
        height = sum(box.above + box.below for box in boxes) + BELOW * (len(boxes) - 1)
        return Box(max(box.width for box in boxes), height / 2, height / 2)


class Phrase(NamedTuple):
    """Pieces side by side, the room between them all together, and one for which height is kept, if there is any."""

    pieces: tuple[Sized, ...]
    between: float
    tallest: Sized | None = None

    def box(self, cell: int) -> Box:
        boxes = [piece.box(cell) for piece in self.pieces]
        width = sum(box.width for box in boxes) + self.between
        if self.tallest:
            boxes.append(self.tallest.box(cell))
        return Box(width, max(box.above for box in boxes), max(box.below for box in boxes))


class Parts(NamedTuple):
    """What is arranged: the phrases of the line, and then the maps.

    ``gaps`` are left free after each, if another one follows. ``begins`` says which phrases may begin a line if all
    that is until the next one has room in it, and ends with the first map. As ``thumbnails`` the maps are at most of
    that scale.
    """

    boxes: tuple[Box, ...]
    gaps: tuple[int, ...]
    begins: tuple[int, ...]
    thumbnails: float = 0

    @property
    def phrases(self) -> int:
        return self.begins[-1]

    def width(self, parts: Iterable[int]) -> float:
        """Of parts side by side."""
        *parts, last = parts
        return sum(self.boxes[p].width + self.gaps[p] for p in parts) + self.boxes[last].width

    def width_of_maps(self, parts: Iterable[int]) -> float:
        """Of maps side by side."""
        return sum(self.boxes[p].width * self.scale(p, ROOM) + GAP for p in parts) - GAP

    def scale(self, part: int, room: float) -> float:
        """Of a part in lines of this width; a map that is drawn without numbers is small."""
        largest = self.thumbnails if self.thumbnails and part >= self.phrases else 1.0
        return min(largest, int(100 * room / self.boxes[part].width) / 100)

    def units(self, room: float) -> Iterator[Sequence[int]]:
        """What stays together in lines of this width: what begins together if it can, else each phrase."""
        for start, end in pairwise(self.begins):
            if self.width(range(start, end)) <= room + ROUNDING:
                yield range(start, end)
            else:
                yield from ([p] for p in range(start, end))
        yield from ([p] for p in range(self.phrases, len(self.boxes)))

    def arranged(self, room: float) -> Layout:
        """The parts in lines of this width, the maps below the phrases; or beside them, where that is much lower."""
        phrases, maps = range(self.phrases), range(self.phrases, len(self.boxes))
        below = self.in_lines(self.units(room), room)
        left = room - GAP - self.width_of_maps(maps) if maps else 0
        if left < max(self.boxes[p].width for p in phrases):
            return below
        line = self.in_lines((unit for unit in self.units(left) if unit[0] in phrases), left)
        beside, at = self.in_lines([maps], room), line.width - 2 * MARGIN + GAP
        height = max(line.height, beside.height)
        if height + MUCH > below.height:
            return below
        return Layout(at + beside.width, height, (*line.places, *((at + x, y, scale) for x, y, scale in beside.places)))

    def in_lines(self, units: Iterable[Sequence[int]], room: float) -> Layout:
        """Parts in lines of this width; the first map begins one, and what is wider than a line is made smaller."""
        scales = [self.scale(p, room) for p in range(len(self.boxes))]
        lines: list[list[int]] = []
        used = 0.0
        for unit in units:
            width = self.width(unit) if len(unit) > 1 else self.boxes[unit[0]].width * scales[unit[0]]
            before = self.gaps[unit[0] - 1]
            if lines and unit[0] != self.phrases and used + before + width <= room + ROUNDING:
                lines[-1] += unit
                used += before + width
            else:
                lines.append(list(unit))
                used = width
        places, top, right = [], float(MARGIN), 0.0
        for line in lines:
            left = float(MARGIN)
            above = max(self.boxes[p].above * scales[p] for p in line)
            for p in line:
                places.append((round(left), round(top + above - self.boxes[p].above * scales[p]), scales[p]))
                left += self.boxes[p].width * scales[p] + self.gaps[p]
            right = max(right, left - self.gaps[line[-1]])
            top += above + max(self.boxes[p].below * scales[p] for p in line) + NEXT_LINE
        return Layout(round(right + MARGIN), round(top - NEXT_LINE + MARGIN), tuple(places))


class Line(NamedTuple):
    """Phrases before the size of the cells is known; ``least`` is the smallest in which all numbers can be read.

    ``snug`` is the smallest in which they still can if that saves a line.
    ``gaps`` and ``begins`` are as in `Parts`.
    """

    phrases: tuple[Phrase, ...]
    gaps: tuple[int, ...]
    begins: tuple[int, ...]
    least: int
    snug: int = 0


@lru_cache(maxsize=512)
def largest_cell(line: Line) -> int:
    """The largest side of a cell with which a line has room on a page."""

    def fits(cell: int, high: int, room: float = ROOM) -> bool:
        pieces = [piece for phrase in line.phrases for piece in phrase.pieces]
        low = all(
            box.above + box.below <= high + HEAD + 4 + STACK * isinstance(piece, Stack)
            for piece in pieces
            for box in [piece.box(cell)]
        )
        return low and sum(phrase.box(cell).width for phrase in line.phrases) + gaps <= room

    gaps = sum(line.gaps[: len(line.phrases) - 1])
    cells = [cell for cell in CELLS if cell >= line.least] or CELLS[:1]
    usual = [cell for cell in cells if cell >= USUAL] or cells[-1:]
    for high, some in ((HIGH, usual), (HIGHEST, usual)):
        for cell in some:
            if fits(cell, high):
                return cell
    single = next((cell for cell in cells if fits(cell, HIGHEST)), None)
    if single and single >= SMALLER:
        return single
    # A single line that the page makes a little smaller.
    snug = (cell for cell in reversed(CELLS) if max(USUAL, line.snug) <= cell < usual[-1])
    for cell in (usual[-1], *(snug if line.snug else ())):
        if fits(cell, HIGHEST, (ROOM + 2 * MARGIN) / SHRINKS - 2 * MARGIN):
            return cell
    # Several lines, then, if they are not too high; else smaller cells.
    heights = {cell: _height(line, cell) for cell in cells if cell <= 40 or cell == cells[-1]}
    low = next((cell for cell in heights if cell in usual and heights[cell] <= LINES), None)
    return low or single or min(heights, key=heights.__getitem__)


def _height(line: Line, cell: int) -> float:
    """Of a line with cells of this size, in as many lines as it needs on a page."""
    parts = Parts(tuple(phrase.box(cell) for phrase in line.phrases), line.gaps, line.begins)
    places = parts.in_lines(parts.units(ROOM), ROOM).places
    return max(y + scale * (box.above + box.below) for (_, y, scale), box in zip(places, parts.boxes, strict=True))


@lru_cache(maxsize=512)
def layouts(parts: Parts) -> tuple[Layout, ...]:
    """The ways to arrange a picture, from wide to narrow: the whole line first, the maps below it."""
    lines, count = parts.phrases, len(parts.boxes)
    rooms = {parts.width(range(i, j)) for i in range(lines) for j in range(i + 1, lines + 1)}
    starts = [lines] if parts.thumbnails else range(count)  # of many small maps it matters little where a line ends
    rooms |= {parts.width_of_maps(range(i, j)) for i in starts for j in range(max(i, lines) + 1, count + 1)}
    rooms = {min(room, LONGEST) for room in rooms}
    found: list[Layout] = []
    for room in sorted({max(room, PHONE) for room in (*rooms, PHONE)}, reverse=True):
        layout = parts.arranged(room)
        if not found or layout.width < found[-1].width:
            found.append(layout)
    return tuple(found)
