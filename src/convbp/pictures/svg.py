"""Scene → SVG text. Pure: the same scene gives the same text, in the page, in a still picture, in a test.

A picture is a frame with slots: one for the cells of each grid, one for the outlines in it, one for the terms of the
sum, one for its end, and the texts. In a page the colours follow the light or dark theme through CSS variables, and the
texts around the picture are the page's; in a still picture, which may be looked at anywhere, they are part of it, and
the colours are plain ones on white.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import accumulate, pairwise
from typing import NamedTuple

from convbp.pictures import curves, drawing
from convbp.pictures.drawing import CELLS, Look
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Curve,
    Formula,
    Grid,
    Highlight,
    Part,
    Phrase,
    Piece,
    Scene,
    Selection,
    stacked,
)

# Lengths in pixels.
OPERATOR = 34  # the width of an operator
BESIDE, BELOW = 26, 14  # from a grid to the next, in a phrase and in a stack
GAP, BEFORE_OPERATOR = 22, 6  # from a phrase, or a map, to the next one, and to one that begins with an operator
NEXT_LINE = 10  # from a line to the next
MARGIN = 8
ROOM = 1170  # of the line on a usual page
USUAL, LINES = 36, 440  # the side of a cell at least, and the height of several lines at most, if there is room
HIGH, HIGHEST = 240, 400  # so high are the cells of a grid at most, if they can be, and if that is too little for many
PHONE = 268  # on the narrowest page what is wider is made smaller
SHRINKS = 0.88  # as far as a page makes a line smaller before it takes a narrower layout
MUCH = 120  # lower: then the maps stand beside the line
LONGEST = 1400  # of a line on the widest page
ROUNDING = 1e-6  # of a width that is added up in another order, or as another Python adds
WIDEST = 1300  # of a still picture, if it can be: on a page it is made smaller until it fits


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


def picture(scene: Scene, *, still: bool = False) -> str:
    """Return the whole picture, the selected cell's highlight included, as one ``<svg>`` element.

    Its parts are the phrases of the line and the maps; they are arranged as the first of `layouts`, or with
    ``still=True`` as `layout_of_still`, with the texts of the highlight around them, and then written in plain colours
    on white instead of CSS variables, for a renderer that knows no theme.
    """
    drawn = _drawn(scene)
    if not still:
        return drawn.picture(slots(scene), layouts(scene)[0])
    above, layout, below = _still(scene)
    return drawn.picture(slots(scene), layout, still=True, around=above + below)


def frame(scene: Scene) -> str:
    """Return the picture with empty slots, and not yet arranged."""
    drawn = _drawn(scene)
    return drawn.picture({}, Layout(0, 0, ((0, 0, 1),) * len(drawn.boxes)))


def slots(scene: Scene) -> dict[str, str]:
    """Return the content of every slot of the picture, the selected cell's highlight included."""
    drawn = _drawn(scene)
    contents = {f"grid{g}": drawing.grid(grid, drawn.looks[grid.name]) for g, grid in enumerate(scene.grids)}
    return contents | drawn.changes(scene.highlights[scene.selected])


def patches(scene: Scene) -> dict[Selection, dict[str, str]]:
    """Return for each cell one can choose what changes in the picture: the new content of every slot that changes.

    The content does not depend on the layout.
    """
    drawn = _drawn(scene)
    replaced = {grid.name for _, highlight in scene.all_highlights() for grid in highlight.grids}
    base = {
        f"grid{g}": drawing.grid(grid, drawn.looks[grid.name])
        for g, grid in enumerate(scene.grids)
        if grid.name in replaced
    }
    return {selection: base | drawn.changes(highlight) for selection, highlight in scene.highlights.items()}


def answers(scene: Scene) -> dict[Selection, dict[str, str]]:
    """Return for each cell that asks for a prediction what then changes in the picture, beside its patch."""
    changes = _drawn(scene).changes
    return {
        selection: dict(changes(after).items() - changes(scene.highlights[selection]).items())
        for selection, after in scene.answers.items()
    }


def words(highlight: Highlight) -> dict[str, str]:
    """Return the texts around the picture."""
    formula = highlight.formula
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in formula.notes)
    total = f'<p class="said">{escape(formula.total)}</p>' if formula.total else ""
    return {"heading": escape(formula.heading), "words": total + notes, "sentence": escape(highlight.sentence)}


def layouts(scene: Scene) -> tuple[Layout, ...]:
    """Return the ways to arrange the picture, from wide to narrow: the whole line first, the maps below it."""
    drawn = _drawn(scene)
    lines, count = len(drawn.phrases), len(drawn.boxes)
    rooms = {drawn.width(range(i, j)) for i in range(lines) for j in range(i + 1, lines + 1)}
    starts = [lines] if scene.thumbnails else range(count)  # of many small maps it matters little where a line ends
    rooms |= {drawn.width_of_maps(range(i, j)) for i in starts for j in range(max(i, lines) + 1, count + 1)}
    rooms = {min(room, LONGEST) for room in rooms}
    found: list[Layout] = []
    for room in sorted({max(room, PHONE) for room in (*rooms, PHONE)}, reverse=True):
        layout = drawn.arranged(room)
        if not found or layout.width < found[-1].width:
            found.append(layout)
    return tuple(found)


def layout_of_still(scene: Scene) -> Layout:
    """Return the size of a still picture, and where its parts are in it."""
    return _still(scene)[1]


def _still(scene: Scene) -> tuple[str, Layout, str]:
    """The first of `layouts` that is not too wide to be read on a page, or the last, between the texts around it."""
    found = layouts(scene)
    width, height, places = next((layout for layout in found if layout.width <= WIDEST), found[-1])
    width, formula = max(width, 480), scene.highlights[scene.selected].formula
    above, head = drawing.heading(formula, width - 2 * MARGIN)
    below, foot = drawing.texts(formula, width - 2 * MARGIN)
    head, bottom = MARGIN + head, MARGIN + head + height + 4
    return (
        f'<g transform="translate({MARGIN},{MARGIN})">{above}</g>',
        Layout(width, round(bottom + foot), tuple((x, round(y + head), scale) for x, y, scale in places)),
        f'<g transform="translate({MARGIN},{bottom:g})">{below}</g>',
    )


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A scene with the sizes of what is in it."""

    scene: Scene
    given: int = 0  # the side of a cell, if it is not to be found out
    whole: "_Drawn | None" = None  # the same, where that is found out

    @cached_property
    def phrases(self) -> tuple[Phrase, ...]:
        """What of the line has something to show, each operand with the operator before it."""
        return tuple(operand for phrase in self._whole for operand in phrase)

    @cached_property
    def begins(self) -> set[int]:
        """Which of `phrases` begin a phrase of the scene, and where the maps begin."""
        return set(accumulate(map(len, self._whole), initial=0))

    @cached_property
    def _whole(self) -> list[list[Phrase]]:
        """The phrases of the scene, in operands: a line that is too narrow for the whole is broken between them."""
        line = self.scene.line
        if not any(isinstance(piece, Part) for phrase in line for piece in phrase):
            line = (*line, (PRODUCTS, SUM))
        absent = [part for part in (PRODUCTS, SUM) if not any(self._in(part, h.formula) for h in self._highlights)]
        shown = ([one for one in _operands(phrase) if one[-1] not in absent] for phrase in line)
        return [operands for operands in shown if operands]

    @staticmethod
    def _in(part: Part, formula: Formula) -> bool:
        return any(formula.terms) if part == PRODUCTS else bool(formula.column)

    @cached_property
    def _highlights(self) -> list[Highlight]:
        return [highlight for _, highlight in self.scene.all_highlights()]

    @cached_property
    def _titled(self) -> dict[str, list[Grid]]:
        """Each grid with those that are shown in its place."""
        found: dict[str, list[Grid]] = {grid.name: [grid] for grid in self.scene.grids}
        for highlight in self._highlights:
            for grid in highlight.grids:
                found[grid.name].append(grid)
        return found

    @cached_property
    def cell(self) -> int:
        """The largest side of a cell with which the line has room on a page."""

        if self.given or self.scene.cell:
            return self.given or self.scene.cell

        def fits(cell: int, high: int, room: float = ROOM) -> bool:
            boxes = [self._box(piece, cell) for phrase in self.phrases for piece in phrase]
            single = high + drawing.HEAD + 4
            highest = [
                (single if len(stacked(piece)) < 2 else single + 110) for phrase in self.phrases for piece in phrase
            ]
            width = sum(self._phrase(phrase, cell).width for phrase in self.phrases) + sum(
                self.gaps[: len(self.phrases) - 1]
            )
            low = all(box.above + box.below <= most for box, most in zip(boxes, highest, strict=True))
            return low and width <= room

        in_line = (grid for phrase in self.phrases for piece in phrase for grid in stacked(piece))
        shown = [one for grid in in_line for one in self._titled[grid.name]]
        least = max((drawing.needed(grid) for grid in shown if not grid.small), default=0)
        cells = [cell for cell in CELLS if cell >= least] or CELLS[:1]
        usual = [cell for cell in cells if cell >= USUAL] or cells[-1:]
        for high, some in ((HIGH, usual), (HIGHEST, usual)):
            for cell in some:
                if fits(cell, high):
                    return cell
        single = next((cell for cell in cells if fits(cell, HIGHEST)), None)
        if not single and fits(usual[-1], HIGHEST, ROOM / SHRINKS - 2 * MARGIN):
            return usual[-1]
        # Several lines, then, if they are not too high; else smaller cells.
        heights = {
            cell: _Drawn(self.scene, cell, self).height_of_line() for cell in cells if cell <= 40 or cell == cells[-1]
        }
        low = next((cell for cell in heights if cell in usual and heights[cell] <= LINES), None)
        return low or single or min(heights, key=heights.__getitem__)

    def height_of_line(self) -> float:
        """Of the phrases, in as many lines as they need on a page."""
        places = self._in_lines(self._units(ROOM), ROOM).places[: len(self.phrases)]
        return max(y + scale * (box.above + box.below) for (_, y, scale), box in zip(places, self.boxes, strict=False))

    @cached_property
    def looks(self) -> dict[str, Look]:
        """How each grid is drawn."""
        title = drawing.THUMBNAIL_TITLE if self.scene.thumbnails else drawing.MAP_TITLE
        in_line = (grid for phrase in self.scene.line for piece in phrase for grid in stacked(piece))
        found = {grid.name: drawing.look(grid, self.cell) for grid in in_line}
        for piece in self.scene.maps:
            for n, grid in enumerate(stacked(piece)):
                found[grid.name] = drawing.look(grid, self.cell, as_map=True, title=title if n == 0 else 0)
        return found

    @cached_property
    def cards(self) -> drawing.Cards:
        return drawing.cards(self.extent, self.cell)

    @cached_property
    def extent(self) -> drawing.Extent:
        return self.whole.extent if self.whole else drawing.extent(self._highlights)

    @cached_property
    def boxes(self) -> list[Box]:
        """Of each part: the phrases, and then the maps."""
        phrases = [self._phrase(phrase, self.cell) for phrase in self.phrases]
        return phrases + [self._map(piece) for piece in self.scene.maps]

    @cached_property
    def gaps(self) -> list[int]:
        """What is left free after each part, if another one follows."""
        gaps: list[int] = []
        for p, following in enumerate(self.phrases[1:], 1):
            operator, new = isinstance(following[0], str), p in self.begins
            gaps.append((BEFORE_OPERATOR if operator else GAP) if new else 0 if operator else BESIDE)
        return gaps + [GAP] * (1 + len(self.scene.maps))

    def width(self, parts: Iterable[int]) -> float:
        """Of parts side by side."""
        *parts, last = parts
        return sum(self.boxes[p].width + self.gaps[p] for p in parts) + self.boxes[last].width

    def width_of_maps(self, parts: Iterable[int]) -> float:
        """Of maps side by side."""
        return sum(self.boxes[p].width * self._scale(p, ROOM) + GAP for p in parts) - GAP

    def _phrase(self, phrase: Phrase, cell: int) -> Box:
        boxes = [self._box(piece, cell) for piece in phrase]
        width = sum(box.width for box in boxes) + sum(map(_between, phrase, phrase[1:]))
        if self.scene.tallest and phrase is self.phrases[0]:
            boxes.append(self._box(self.scene.tallest, cell))
        return Box(width, max(box.above for box in boxes), max(box.below for box in boxes))

    def _map(self, piece: Grid | tuple[Grid, ...]) -> Box:
        boxes = [self._grid_box(grid, self.looks[grid.name], top=True) for grid in stacked(piece)]
        return Box(max(box.width for box in boxes), 0, sum(box.below for box in boxes))

    def _box(self, piece: Piece, cell: int) -> Box:
        if isinstance(piece, Part):
            if piece == PRODUCTS:
                cards = drawing.cards(self.extent, cell)
                sizes = [drawing.terms_size(formula, cards) for formula in self.extent.formulas]
                head = drawing.CARD_HEAD if cards.cell else 0
            else:
                sizes, head = [self.extent.column], 0
            width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
            half = (height - head) / 2
            return Box(width, head + half, half)
        if isinstance(piece, str):
            return Box(OPERATOR, 12, 12)
        boxes = [self._grid_box(grid, drawing.look(grid, cell)) for grid in stacked(piece)]
        if len(boxes) == 1:
            return boxes[0]
        height = sum(box.above + box.below for box in boxes) + BELOW * (len(boxes) - 1)
        return Box(max(box.width for box in boxes), height / 2, height / 2)

    def _grid_box(self, grid: Grid, look: Look, top: bool = False) -> Box:
        width = max(drawing.grid_size(one, look)[0] for one in self._titled.get(grid.name, [grid]))
        height = drawing.grid_size(grid, look)[1]
        above = 0 if top else look.head + (height - look.head) / 2
        return Box(width, above, height - above)

    def arranged(self, room: float) -> Layout:
        """The parts in lines of this width, the maps below the phrases; or beside them, where that is much lower."""
        phrases, maps = range(len(self.phrases)), range(len(self.phrases), len(self.boxes))
        below = self._in_lines(self._units(room), room)
        left = room - GAP - self.width_of_maps(maps) if maps else 0
        if left < max(self.boxes[p].width for p in phrases):
            return below
        line = self._in_lines((unit for unit in self._units(left) if unit[0] in phrases), left)
        beside, at = self._in_lines([maps], room), line.width - 2 * MARGIN + GAP
        height = max(line.height, beside.height)
        if height + MUCH > below.height:
            return below
        return Layout(at + beside.width, height, (*line.places, *((at + x, y, scale) for x, y, scale in beside.places)))

    def _in_lines(self, units: Iterable[Sequence[int]], room: float) -> Layout:
        """Parts in lines of this width; the first map begins one, and what is wider than a line is made smaller."""
        scales = [self._scale(p, room) for p in range(len(self.boxes))]
        lines: list[list[int]] = []
        used = 0.0
        for unit in units:
            width = self.width(unit) if len(unit) > 1 else self.boxes[unit[0]].width * scales[unit[0]]
            before = self.gaps[unit[0] - 1]
            if lines and unit[0] != len(self.phrases) and used + before + width <= room + ROUNDING:
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

    def _scale(self, part: int, room: float) -> float:
        """Of a part in lines of this width; a map that is drawn without numbers is small."""
        largest = drawing.THUMBNAIL if self.scene.thumbnails and part >= len(self.phrases) else 1.0
        return min(largest, int(100 * room / self.boxes[part].width) / 100)

    def _units(self, room: float) -> Iterator[Sequence[int]]:
        """What stays together in lines of this width: a phrase if it can, else each operand."""
        ends = sorted(self.begins)
        for start, end in pairwise(ends):
            if self.width(range(start, end)) <= room + ROUNDING:
                yield range(start, end)
            else:
                yield from ([p] for p in range(start, end))
        yield from ([p] for p in range(len(self.phrases), len(self.boxes)))

    @cached_property
    def places(self) -> dict[str, tuple[int, Grid, Look]]:
        """Each grid by its name: the number of its slots, and how it is drawn."""
        return {grid.name: (g, grid, self.looks[grid.name]) for g, grid in enumerate(self.scene.grids)}

    @cached_property
    def parts(self) -> dict[Part, Box]:
        """What each formula brings along, and its size."""
        found = [piece for phrase in self.phrases for piece in phrase if isinstance(piece, Part)]
        return {part: self._box(part, self.cell) for part in found}

    def changes(self, highlight: Highlight) -> dict[str, str]:
        """What a highlight puts into the slots."""
        formula, contents = highlight.formula, words(highlight)
        asks = self.scene.covered is not None and not formula.terms
        for part, box in self.parts.items():
            if asks:
                contents[part.name] = drawing.unknown(part.name, box.width, box.above + box.below)
            elif part == PRODUCTS:
                contents[part.name] = drawing.terms(formula, self.cards)
            else:
                contents[part.name] = drawing.column(formula, box.width - 2)
        contents |= dict.fromkeys((f"marks{g}" for g in range(len(self.places))), "")
        for name in dict(highlight.lines):
            g, grid, _ = self.places[name]
            if isinstance(grid, Curve):
                contents[f"marks{g}"] = curves.lines(grid, tuple(line for at, line in highlight.lines if at == name))
        for mark in highlight.marks:
            g, grid, look = self.places[mark.grid]
            contents[f"marks{g}"] += drawing.mark(mark, grid, look)
        for instead in highlight.grids:
            g, _, look = self.places[instead.name]
            contents[f"grid{g}"] = drawing.grid(instead, look)
        return contents

    def picture(self, contents: dict[str, str], layout: Layout, still: bool = False, around: str = "") -> str:
        def slot(name: str) -> str:
            return f'<g data-slot="{name}">{contents.get(name, "")}</g>'

        numbers = {grid.name: g for g, grid in enumerate(self.scene.grids)}

        def drawn(piece: Piece, x: float, y: float, apart: float = 0) -> str:
            found = []
            for grid in stacked(piece):
                inside = slot(f"grid{numbers[grid.name]}") + slot(f"marks{numbers[grid.name]}")
                found.append(f'<g data-grid="{escape(grid.name)}" transform="translate({x:g},{y:g})">{inside}</g>')
                y += drawing.grid_size(grid, self.looks[grid.name])[1] + apart
            return "".join(found)

        parts = []
        for phrase, box in zip(self.phrases, self.boxes, strict=False):
            pieces, x = [], 0.0
            for piece, following in zip(phrase, [*phrase[1:], ""], strict=True):
                own = self._box(piece, self.cell)
                y = box.above - own.above
                if isinstance(piece, Part):
                    inside = slot(piece.name)
                    pieces.append(f'<g data-grid="{piece.name}" transform="translate({x:g},{y:g})">{inside}</g>')
                elif isinstance(piece, str):
                    middle = f'x="{x + OPERATOR / 2:g}" y="{box.above + 8:g}"'
                    pieces.append(f'<text class="operator" {middle}>{escape(piece)}</text>')
                pieces.append(drawn(piece, x, y, BELOW))
                x += own.width + _between(piece, following)
            parts.append("".join(pieces))
        parts += [drawn(piece, 0, 0) for piece in self.scene.maps]
        small = ' class="thumbnail"' if self.scene.thumbnails else ""
        kinds = [""] * len(self.phrases) + [f' data-map="{_name(piece)}"{small}' for piece in self.scene.maps]
        placed = "".join(
            f'<g data-part="{p}"{kinds[p]} transform="{placing(place)}">{part}</g>'
            for p, (part, place) in enumerate(zip(parts, layout.places, strict=True))
        )
        paper = f'<rect width="{layout.width}" height="{layout.height}" fill="#ffffff"/>' if still else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cbp" role="img" width="{layout.width}" '
            f'height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}"><title>{escape(self.scene.title)}'
            f'</title><desc data-slot="sentence">{contents.get("sentence", "")}</desc>'
            f"<style>{drawing.style(still)}</style>{paper}{around}{placed}</svg>"
        )


_recent: list[_Drawn] = []


def _drawn(scene: Scene) -> _Drawn:
    """A scene with its sizes, which are asked for several times; the last few are kept."""
    found = next((one for one in _recent if one.scene is scene), None) or _Drawn(scene)
    _recent[:] = [found, *(one for one in _recent if one is not found)][:4]
    return found


def _name(piece: Grid | tuple[Grid, ...]) -> str:
    return escape(stacked(piece)[0].name)


def placing(place: tuple[int, int, float]) -> str:
    """A place as a transformation."""
    x, y, scale = place
    return f"translate({x},{y})" + (f" scale({scale:g})" if scale != 1 else "")


def _operands(phrase: Phrase) -> list[Phrase]:
    """A phrase cut before each operator, and between two operands."""
    found: list[list[Piece]] = []
    for piece in phrase:
        if found and len(found[-1]) == 1 and isinstance(found[-1][0], str):
            found[-1].append(piece)
        else:
            found.append([piece])
    return [tuple(operand) for operand in found]


def _between(piece: Piece, following: Piece) -> float:
    """The room between two pieces of a phrase; operators have their own."""
    return 0 if isinstance(piece, str) or isinstance(following, str) else BESIDE
