"""Scene → SVG text. Pure: the same scene gives the same text, in the page, in a still picture, in a test.

A picture is a frame with slots: one for the cells of each grid, one for the outlines in it, one for the terms of the
sum, one for its end, and the texts. In a page the texts around the picture and its style sheet are the page's, and the
colours follow the light or dark theme through CSS variables; in a still picture, which may be looked at anywhere, all
of that is part of it, and the colours are plain ones on white.
"""

from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import accumulate
from typing import NamedTuple

from convbp.pictures import arranging, curves, drawing, ways
from convbp.pictures.arranging import BEFORE_OPERATOR, BELOW, BESIDE, GAP, MARGIN, Box, Layout, Sized, Stack
from convbp.pictures.drawing import Look
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
    Ways,
    stacked,
)

# Lengths in pixels.
OPERATOR = 34  # the width of an operator
WIDEST = 1300  # of a still picture, if it can be: on a page it is made smaller until it fits


def picture(scene: Scene, *, still: bool = False) -> str:
    """Return the whole picture, the selected cell's highlight included, as one ``<svg>`` element.

    Its parts are the phrases of the line and the maps; they are arranged as the first of `layouts`, or with
    ``still=True`` as `layout_of_still`, with the texts of the highlight around them, and with a style sheet in plain
    colours on white, for a renderer that knows no theme.
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
    return _drawn(scene).slots()


def slots_at_first(scene: Scene, before: Scene) -> dict[str, str] | None:
    """Return the same for a picture that takes the place of another with the same grids, in the sizes of that one.

    It asks for the highlight of the chosen cell alone, and so it is a step ahead of all else: nearly always `slots`
    then says the same. None if the grids are others.
    """
    sizes = _drawn(before)
    drawn = _Drawn(scene, sizes_of=sizes)
    return None if scene.covered or before.covered or drawn.outline != sizes.outline else drawn.slots()


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
    return arranging.layouts(_drawn(scene).arranged)


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


class _Cells(NamedTuple):
    """A grid of ``rows``×``cols`` cells, with room for the widest of its titles."""

    rows: int
    cols: int
    title: float
    numbered: bool

    def box(self, cell: int) -> Box:
        look = Look(cell, self.numbered)
        width, height = drawing.size_of_cells(self.rows, self.cols, self.title, look)
        return Box(width, look.head + (height - look.head) / 2, (height - look.head) / 2)


class _Products(NamedTuple):
    """The terms of sums of these shapes."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    widest: float

    def box(self, cell: int) -> Box:
        cards = drawing.cards(self.widest, cell)
        sizes = [drawing.terms_size(*shape, cards) for shape in self.shapes]
        width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
        half = (height - drawing.CARD_HEAD) / 2
        return Box(width, drawing.CARD_HEAD + half, half)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A scene with the sizes of what is in it."""

    scene: Scene
    sizes_of: "_Drawn | None" = None  # another with the same grids, whose sizes it takes

    @cached_property
    def outline(self) -> tuple:
        """Its grids in their places: where they are equal one picture can take the sizes of another."""
        grids = tuple((grid.name, type(grid), grid.size, grid.small, grid.notch) for grid in self.scene.grids)
        line = tuple(len(stacked(piece)) or piece for phrase in self.scene.line for piece in (*phrase, ""))
        return grids, line, tuple(len(stacked(piece)) for piece in self.scene.maps), self.scene.thumbnails

    @cached_property
    def phrases(self) -> tuple[Phrase, ...]:
        """What of the line has something to show, each operand with the operator before it."""
        return tuple(operand for phrase in self._whole for operand in phrase)

    @cached_property
    def begins(self) -> tuple[int, ...]:
        """Which of `phrases` begin a phrase of the scene, and where the maps begin."""
        return tuple(accumulate(map(len, self._whole), initial=0))

    @cached_property
    def _whole(self) -> list[list[Phrase]]:
        """The phrases of the scene, in operands: a line that is too narrow for the whole is broken between them."""
        line = self.scene.line
        if not any(_parts(piece) for phrase in line for piece in phrase):
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
    def sized(self) -> list[arranging.Phrase]:
        """The phrases, with what each needs for cells of any size."""
        found: list[arranging.Phrase] = []
        for phrase in self.phrases:
            tallest = self._stack(self.scene.tallest) if self.scene.tallest and not found else None
            between = sum(map(_between, phrase, phrase[1:]))
            found.append(arranging.Phrase(tuple(map(self._sized, phrase)), between, tallest))
        return found

    @cached_property
    def cell(self) -> int:
        """The largest side of a cell with which the line has room on a page, unless the scene has one."""
        if self.scene.cell or self.sizes_of:
            return self.sizes_of.cell if self.sizes_of else self.scene.cell
        in_line = (grid for phrase in self.phrases for piece in phrase for grid in stacked(piece))
        shown = [one for grid in in_line for one in self._titled[grid.name]]
        sizes = drawing.LEGIBLE, drawing.SNUG
        least, snug = (
            max((drawing.needed(grid, size) for grid in shown if not grid.small), default=0) for size in sizes
        )
        return arranging.largest_cell(arranging.Line(tuple(self.sized), self.gaps, self.begins, least, snug))

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
    def cards(self) -> drawing.Cards | None:
        """How the terms are drawn; None if they are lines of text."""
        return None if self.extent.lines else drawing.cards(self.extent.widest, self.cell)

    @cached_property
    def extent(self) -> drawing.Extent:
        return self.sizes_of.extent if self.sizes_of else drawing.extent(self._highlights)

    @cached_property
    def boxes(self) -> list[Box]:
        """Of each part: the phrases, and then the maps."""
        return [phrase.box(self.cell) for phrase in self.sized] + [self._map(piece) for piece in self.scene.maps]

    @cached_property
    def gaps(self) -> tuple[int, ...]:
        """What is left free after each part, if another one follows."""
        gaps: list[int] = []
        for p, following in enumerate(self.phrases[1:], 1):
            operator, new = isinstance(following[0], str), p in self.begins
            gaps.append((BEFORE_OPERATOR if operator else GAP) if new else 0 if operator else BESIDE)
        return (*gaps, *[GAP] * (1 + len(self.scene.maps)))

    @cached_property
    def arranged(self) -> arranging.Parts:
        thumbnails = drawing.THUMBNAIL if self.scene.thumbnails else 0
        return arranging.Parts(tuple(self.boxes), self.gaps, self.begins, thumbnails)

    def _map(self, piece: Grid | tuple[Grid, ...]) -> Box:
        sizes = [self._size(grid, self.looks[grid.name]) for grid in stacked(piece)]
        return Box(max(width for width, _ in sizes), 0, sum(height for _, height in sizes))

    def _sized(self, piece: Piece) -> Sized:
        if isinstance(piece, str):
            return Box(OPERATOR, 12, 12)
        if not isinstance(piece, Part):
            parts = _parts(piece)
            return Stack(tuple(map(self._sized, parts))) if parts else self._stack(stacked(piece))
        size = self.extent.column if piece == SUM else self.extent.lines
        if not size:
            return _Products(self.extent.shapes, self.extent.widest)
        width, height = size
        return Box(width, height / 2, height / 2)

    def _stack(self, grids: tuple[Grid, ...]) -> Sized:
        sized = [self._grid(grid) for grid in grids]
        return sized[0] if len(sized) == 1 else Stack(tuple(sized))

    def _grid(self, grid: Grid) -> Sized:
        look = drawing.look(grid, 0)
        if drawing.has_own_size(grid):
            width, height = self._size(grid, look)
            return Box(width, look.head + (height - look.head) / 2, (height - look.head) / 2)
        titles = [drawing.title_width(one, look) for one in self._titled.get(grid.name, [grid])]
        return _Cells(*grid.size, max(titles), look.numbered)

    def _size(self, grid: Grid, look: Look) -> tuple[float, float]:
        """Of a grid, with room for each title that it has."""
        width = max(drawing.grid_size(one, look)[0] for one in self._titled.get(grid.name, [grid]))
        return width, drawing.grid_size(grid, look)[1]

    @cached_property
    def places(self) -> dict[str, tuple[int, Grid, Look]]:
        """Each grid by its name: the number of its slots, and how it is drawn."""
        return {grid.name: (g, grid, self.looks[grid.name]) for g, grid in enumerate(self.scene.grids)}

    @cached_property
    def parts(self) -> dict[Part, Box]:
        """What each formula brings along, and its size."""
        if self.sizes_of:
            return self.sizes_of.parts
        found = [part for phrase in self.phrases for piece in phrase for part in _parts(piece)]
        return {part: self._sized(part).box(self.cell) for part in found}

    def slots(self) -> dict[str, str]:
        """What is in the slots when the chosen cell is shown."""
        contents = {f"grid{g}": drawing.grid(grid, look) for g, grid, look in self.places.values()}
        return contents | self.changes(self.scene.highlights[self.scene.selected])

    def changes(self, highlight: Highlight) -> dict[str, str]:
        """What a highlight puts into the slots."""
        formula, contents = highlight.formula, words(highlight)
        asks = self.scene.covered is not None and not formula.terms
        for part, box in self.parts.items():
            if asks:
                contents[part.name] = drawing.unknown(part.name, box.width, box.above + box.below)
            elif part == PRODUCTS:
                contents[part.name] = drawing.terms(formula, self.cards, self.extent.largest)
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
            for g, grid, _ in self.places.values():
                if isinstance(grid, Ways) and grid.totals == mark.grid:
                    contents[f"marks{g}"] += ways.chosen(grid, mark.row)
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
        for phrase, sized, box in zip(self.phrases, self.sized, self.boxes, strict=False):
            pieces, x = [], 0.0
            for piece, following, one in zip(phrase, [*phrase[1:], ""], sized.pieces, strict=True):
                own = one.box(self.cell)
                y = box.above - own.above
                for part in _parts(piece):
                    inside = slot(part.name)
                    pieces.append(f'<g data-grid="{part.name}" transform="translate({x:g},{y:g})">{inside}</g>')
                    y += self.parts[part].above + self.parts[part].below + BELOW
                if isinstance(piece, str):
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
        paper = f'<rect width="{layout.width}" height="{layout.height}" fill="#ffffff"/>'
        style = f"<style>{drawing.style(still)}</style>{paper}" if still else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cbp" role="img" width="{layout.width}" '
            f'height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}"><title>{escape(self.scene.title)}'
            f'</title><desc data-slot="sentence">{contents.get("sentence", "")}</desc>'
            f"{style}{around}{placed}</svg>"
        )


_recent: list[_Drawn] = []


def _drawn(scene: Scene) -> _Drawn:
    """A scene with its sizes, which are asked for several times; the last few are kept."""
    found = next((one for one in _recent if one.scene is scene), None) or _Drawn(scene)
    _recent[:] = [found, *(one for one in _recent if one is not found)][:4]
    return found


def _parts(piece: Piece) -> tuple[Part, ...]:
    """What of a piece each formula brings along, from top to bottom."""
    pieces = (piece,) if isinstance(piece, Part | Grid | str) else piece
    return tuple(one for one in pieces if isinstance(one, Part))


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
