"""What a picture says, as data: grids of numbers, and for each cell one can choose, what lights up with it.

An explorer turns its state into a `Scene`; `convbp.pictures.svg` turns the scene into a picture. Nothing here
knows about pixels, colours or widgets.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from math import floor, log10
from typing import Any, NamedTuple

import numpy as np

from convbp.notation import number, subscripted


class Selection(NamedTuple):
    """One cell of one grid, by the grid's name and the cell's index as the equations count it."""

    grid: str
    row: int
    col: int


@dataclass(frozen=True)
class Grid:
    """An array drawn as cells with their numbers.

    Parameters
    ----------
    name
        By which highlights and selections refer to it.
    title
        Shown above it.
    values
        The entries, row by row: numbers; or a short text to stand in the cell; or None for a cell that is empty.
    origin
        The index of the first cell, (row, column). Not always (0, 0): the full cross-correlation
        starts at (1 − k₁, 1 − k₂).
    tags
        For each cell the tag it carries always, or None; empty if no cell has one.
    core
        ``(row, col, rows, cols)``: the cells outside this rectangle are not the array's. They are zeros around
        it (or, with the value None, places that do not exist), drawn faintly. None if all cells are the array's.
    axes
        What the row and the column index of a cell are called, if a reader can choose each cell of the core: a letter,
        or words that say without "row" or "column" what is counted, as "path"; empty where there is only one.
    hues
        For each cell the hue it is filled with, whatever its value, or None; empty if all follow their values.
    largest
        The absolute value that gets the full colour. None for the largest in the grid; give it where a grid
        changes with the selection, or equal numbers would change their colour with it.
    small
        Drawn as coloured cells without numbers, for arrays too large to be read.
    notch
        Where the first weight of a kernel lies, which says whether it is turned: "first" or "last", a corner.
    """

    name: str
    title: str
    values: tuple[tuple, ...]
    origin: tuple[int, int] = (0, 0)
    tags: tuple[tuple["Tag | None", ...], ...] = ()
    core: tuple[int, int, int, int] | None = None
    axes: tuple[str, str] | None = None
    hues: tuple[tuple[int | None, ...], ...] = ()
    largest: object = None
    small: bool = False
    notch: str = ""

    def __post_init__(self):
        if not self.values or not self.values[0]:
            raise ValueError(f"Grid: {self.name} has no cells; expected values, row by row.")

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.values), len(self.values[0] if self.values else ())

    def cells(self) -> Iterable[tuple[int, int]]:
        """The index of each cell, row by row."""
        (rows, cols), (top, left) = self.size, self.origin
        return ((top + r, left + c) for r in range(rows) for c in range(cols))

    def tag_hue(self, row: int, col: int) -> int | None:
        """The hue of the tag that a cell carries; None if it carries none."""
        tag = self.tags[row - self.origin[0]][col - self.origin[1]] if self.tags else None
        return tag.hue if tag else None

    def in_core(self, row: int, col: int) -> bool:
        """Whether the cell is an entry of the array."""
        (top, left), (rows, cols) = self.origin, self.size
        top, left, rows, cols = self.core or (top, left, rows, cols)
        return top <= row < top + rows and left <= col < left + cols

    def entry(self, row: int, col: int) -> Any:
        """The value of a cell."""
        return self.values[row - self.origin[0]][col - self.origin[1]]


class Line(NamedTuple):
    """A line in a `Curve`, through points in the units of its axes; ``name`` and ``hue`` stand in the legend.

    ``style`` is "solid", "broken", or "dots": a dotted line with a dot at each point.
    """

    points: tuple[tuple[float, float], ...]
    hue: int = 0
    name: str = ""
    style: str = "solid"


@dataclass(frozen=True)
class Curve(Grid):
    """Numbers over an axis: its cells are points, all in one row, that are chosen along the curve as cells are.

    ``values`` holds that row, how high each point lies.

    Parameters
    ----------
    at
        Where each cell lies on the horizontal axis, in increasing order.
    across, up
        From where to where the two axes go.
    labels
        What the two axes are, the horizontal one first.
    lines
        Drawn behind the points. `Highlight` adds those that come with a choice.
    """

    at: tuple[float, ...] = ()
    across: tuple[float, float] = (0, 1)
    up: tuple[float, float] = (0, 1)
    labels: tuple[str, str] = ("", "")
    lines: tuple[Line, ...] = ()

    def __post_init__(self):
        """It may have no points, only lines."""

    def straight(self, x: float, y: float, slope: float) -> tuple[tuple[float, float], ...]:
        """The ends of a straight line through a point, as far as it lies between the axes; none if it does not."""
        (left, right), (low, high) = self.across, self.up
        if slope:
            first, last = sorted((x + (low - y) / slope, x + (high - y) / slope))
            left, right = max(left, first), min(right, last)
        elif not low <= y <= high:
            return ()
        return tuple((end, y + slope * (end - x)) for end in (left, right)) if left < right else ()


@dataclass(frozen=True)
class Ways(Grid):
    """All ways from one number to another, each through one number between them, with a number on every arrow.

    ``values`` are these numbers, in one column. What each way comes to stands in a `Totals` beside it. A way whose
    total is marked is drawn bold; if the sum is marked, all are.

    Parameters
    ----------
    start, end
        The two numbers: a name and a value each.
    between
        The names of the numbers that the ways go through.
    arrows
        For each way the numbers on its two arrows.
    heads
        What stands above the arrows into ``between``, and above those out of it.
    totals
        The name of the grid with what the ways come to.
    rows
        So high as if there were so many ways, so that nothing moves where there are fewer.
    """

    start: tuple[str, Any] = ("", 0)
    end: tuple[str, Any] = ("", 0)
    between: tuple[str, ...] = ()
    arrows: tuple[tuple[Any, Any], ...] = ()
    heads: tuple[str, str] = ("", "")
    totals: str = ""
    rows: int = 0

    def __post_init__(self):
        """There may be none."""


@dataclass(frozen=True)
class Totals(Grid):
    """What `Ways` come to, all in one column, each beside its way: ``values[n][0]``, and in the last row their sum.

    Parameters
    ----------
    captions
        For each cell what stands beside it.
    rows
        As in `Ways`.
    """

    captions: tuple[str, ...] = ()
    rows: int = 0


def top(largest: float) -> float:
    """The next round number: where an axis may end."""
    power = 10.0 ** floor(log10(largest)) if largest > 0 else 1
    return next((n * power for n in (1, 1.5, 2, 3, 4, 5, 6, 8) if n * power >= largest), 10 * power)


@dataclass(frozen=True)
class Tag:
    """A caption under the number of a cell, such as the name of a weight; equal ``hue`` means: the same weight.

    ``value`` is the weight's own: where a `Mark` lays it on other cells, they say with what they are multiplied.
    """

    text: str
    hue: int
    value: Any = None


class Cells(NamedTuple):
    """A block of ``rows``×``cols`` cells of a grid, from the cell (row, col)."""

    grid: str
    row: int
    col: int
    rows: int = 1
    cols: int = 1


@dataclass(frozen=True)
class Mark:
    """An outline around ``rows``×``cols`` cells of a grid, with an optional tag in each cell.

    What links cells of two grids is said by tags: each cell at the end of a link carries the name of its weight, or its
    number. For the chosen cell a `Link` can draw it, too; of all cells at once the lines would hide the numbers.

    ``style`` is "solid" for what is chosen or read, "dashed" for what it reaches, and "faint" for what it would reach
    if the array went on. An outline lies on cells: a grid that is to be left at its border has cells outside its core.
    ``notch`` is as in a `Grid`, of the kernel that lies there.
    """

    grid: str
    row: int
    col: int
    rows: int = 1
    cols: int = 1
    tags: tuple[tuple[Tag | None, ...], ...] = ()
    style: str = "solid"
    notch: str = ""

    @property
    def cells(self) -> Cells:
        """What lies in it."""
        return Cells(self.grid, self.row, self.col, self.rows, self.cols)

    def links(self, start: Selection) -> tuple["Link", ...]:
        """A line from a cell to each of these that has a tag."""
        return tuple(
            Link(start, Selection(self.grid, self.row + r, self.col + c), tag.hue)
            for r, tags in enumerate(self.tags)
            for c, tag in enumerate(tags)
            if tag
        )


class Flight(NamedTuple):
    """Numbers that are seen to go from some cells to others, all at once.

    Of two blocks of one size each number goes to its own place in the other; to a single cell all of them go, and
    from a single one to each; and between two blocks of different sizes goes an outline. Where that is on the page,
    and how long it takes, is the page's business. When it is over, the picture is as if nothing had moved.

    Parameters
    ----------
    start, end
        From where, and where to.
    carries
        What is written on what moves, row by row; empty for the numbers that stand where it starts.
    meets
        The numbers where it ends are there before, and what comes is laid on them. Else they show as it arrives.
    reversed
        "rows" or "columns" if their order is the opposite at the end: a reflection. If that is where they are already,
        the numbers are those after it.
    fades
        It vanishes on its way: what it was multiplied with is 0.
    """

    start: Cells
    end: Cells
    carries: tuple[str, ...] = ()
    meets: bool = False
    reversed: str = ""
    fades: bool = False


class Link(NamedTuple):
    """A thin line between two cells, in the hue of the weight that links them."""

    start: Selection
    end: Selection
    hue: int


Flights = tuple[tuple[Flight, ...], ...]  # one after the other; those of one entry go together


class Term(NamedTuple):  # of which a picture has thousands: made and hashed in half the time of a dataclass
    """One summand: in symbols, in numbers, such as 2·3 = 6, and its tag's hue if it has one.

    ``outside`` marks one that is zero because it reads outside an array. A term with its ``value`` is a cell of the
    picture, with what stands before the "=" under it; one without is a line of text.
    """

    symbols: str
    numbers: str
    hue: int | None = None
    outside: bool = False
    value: Any = None


@dataclass(frozen=True)
class Formula:
    """A sum written out: what is summed, every term in rows, the result, and lines to say more. Each may be missing.

    The terms stand in the rows and columns of what they are made of; a row of none stands between two groups. With
    ``added=False`` there is no plus between them: each goes to a place of its own. ``column`` is the end of the sum
    as one writes it by hand, a name and a number in each line, the result last.
    """

    heading: str = ""
    terms: tuple[tuple[Term, ...], ...] = ()
    total: str = ""
    notes: tuple[str, ...] = ()
    added: bool = True
    column: tuple[tuple[str, Any], ...] = ()
    name: str = "products"


@dataclass(frozen=True)
class Highlight:
    """What one selection shows: outlines, the sum written out, and a sentence (the alt text).

    Each of ``grids`` is shown in the place of the scene's grid of that name; it has the same size. ``lines`` come into
    the scene's curves, by their names. ``flights`` say in which order the numbers come about, for a reader who keeps
    this cell, and ``links`` which cells hang together.
    """

    marks: tuple[Mark, ...]
    formula: Formula
    sentence: str
    grids: tuple[Grid, ...] = ()
    flights: Flights = ()
    links: tuple[Link, ...] = ()
    lines: tuple[tuple[str, Line], ...] = ()


Makers = Mapping[Selection, Callable[[], Highlight]]


class Highlights(Mapping[Selection, Highlight]):
    """What each cell shows, made when it is first asked for: before all others that of the chosen cell is needed.

    >>> shown = Highlights({Selection("output", 0, 0): lambda: Highlight((), Formula(), "Here.")})
    >>> shown[Selection("output", 0, 0)].sentence
    'Here.'
    """

    def __init__(self, to_make: Makers):
        self._to_make, self._made = dict(to_make), dict[Selection, Highlight]()

    def __getitem__(self, cell: Selection) -> Highlight:
        if cell not in self._made:
            self._made[cell] = self._to_make[cell]()
        return self._made[cell]

    def __contains__(self, cell: object) -> bool:
        return cell in self._to_make

    def __iter__(self) -> Iterator[Selection]:
        return iter(self._to_make)

    def __len__(self) -> int:
        return len(self._to_make)


class Part(NamedTuple):
    """A place in the line for something that each highlight's formula brings along."""

    name: str


PRODUCTS, SUM = Part("products"), Part("sum")
Piece = Grid | tuple[Grid, ...] | Part | tuple[Part, ...] | str
Phrase = tuple[Piece, ...]


@dataclass(frozen=True)
class Scene:
    """A whole picture.

    Parameters
    ----------
    title
        What the picture is, in a few words.
    line
        The picture is an equation, read from left to right, in phrases: on a page that is too narrow for all of them
        the next begins a new line. In a phrase stand grids, operators such as "⊙", several grids one below the other
        as a tuple, and what each highlight's formula brings along: `PRODUCTS` and `SUM`, as a tuple the sum below
        its products. These two stand last if they stand nowhere.
    highlights
        For every cell a reader can choose, what it shows; as `Highlights` made when it is asked for.
    selected
        The chosen cell; a key of ``highlights``.
    maps
        Grids that are only context: small, below the line, each alone or several as a tuple, one below the other. On
        a page one can be opened: it lies over the others until it is closed.
    thumbnails
        The maps are drawn without numbers until they are opened; what stands before a colon of a title is enough.
    tallest
        Grids, one below the other, for which the line keeps room whether or not they are in it.
    cell
        The side of a cell in the line; 0 for the largest for which there is room.
    flights
        What is seen to move when this picture comes after one with other flights: a step, or a switch.
    covered
        The grid whose numbers are to be predicted, as it is when they are not; None if there is nothing to predict.
    answers
        For the cells that ask for one of its numbers, what they show when it has been predicted.
    """

    title: str
    line: tuple[Phrase, ...]
    highlights: Mapping[Selection, Highlight]
    selected: Selection
    maps: tuple[Grid | tuple[Grid, ...], ...] = ()
    thumbnails: bool = False
    tallest: tuple[Grid, ...] = ()
    cell: int = 0
    flights: Flights = ()
    covered: Grid | None = None
    answers: Mapping[Selection, Highlight] = field(default_factory=dict)

    def __post_init__(self):
        if self.selected not in self.highlights:
            raise ValueError(
                f"Scene: selected is {tuple(self.selected)}; expected a cell with a highlight, such as "
                f"{tuple(next(iter(self.highlights), ()))}."
            )
        if not isinstance(self.highlights, Highlights):  # those will be checked when they have been made
            list(self.all_highlights())

    def all_highlights(self) -> Iterator[tuple[Selection, Highlight]]:
        """All that can be shown of its cells, before and after a prediction."""
        shapes = {grid.name: (grid.size, grid.small) for grid in self.grids}
        for selection, highlight in chain(self.highlights.items(), self.answers.items()):
            for grid in highlight.grids:
                if shapes.get(grid.name) != (grid.size, grid.small):
                    raise ValueError(
                        f"Scene: the highlight of {tuple(selection)} replaces grid {grid.name!r} by one of size "
                        f"{grid.size}, small={grid.small}; expected a grid of the scene, and its size. "
                        "Pad it with None."
                    )
            yield selection, highlight

    def answer_at(self, cell: Selection) -> tuple[int, int]:
        """Which entry of the covered grid a cell asks for."""
        return next((m.row, m.col) for m in self.answers[cell].marks if self.covered and m.grid == self.covered.name)

    @property
    def grids(self) -> tuple[Grid, ...]:
        """All of them, in the order in which they are read."""
        pieces = (*(piece for phrase in self.line for piece in phrase), *self.maps)
        return tuple(grid for piece in pieces for grid in stacked(piece))

    @property
    def sentence(self) -> str:
        return self.highlights[self.selected].sentence


def turn(start: Cells, end: Cells) -> Flights:
    """A block of cells that goes to another and is turned by 180° there: two reflections, one after the other."""
    return (Flight(start, end, meets=True, reversed="rows"),), (Flight(end, end, meets=True, reversed="columns"),)


def stacked(piece: Piece) -> tuple[Grid, ...]:
    """The grids of a piece of the line, from top to bottom; none if it is something else."""
    if isinstance(piece, Grid):
        return (piece,)
    return () if isinstance(piece, str) else tuple(one for one in piece if isinstance(one, Grid))


def rows_of(array: np.ndarray) -> tuple[tuple, ...]:
    """The entries of a 2-D array as Python objects, row by row: numbers, or tags, for a grid or a mark."""
    return tuple(map(tuple, array.tolist()))


def named_tags(letter: str, array: np.ndarray) -> np.ndarray:
    """Return for each entry of an array a tag with its name and a hue of its own, as an array: it can be turned."""
    tags = np.empty(array.shape, object)
    for n, (index, value) in enumerate(np.ndenumerate(array)):
        tags[index] = Tag(subscripted(letter, *index), n, value)
    return tags


def covered(scene: Scene, name: str, *others: str, stay: Iterable[str] = ()) -> Scene:
    """The same with "?" for the numbers of one grid, to be predicted one by one; `Scene.answers` says what comes then.

    So have ``others``, from which they could be read, cell by cell.

    Before that a cell shows what it is made of, but not what it reaches; and it is not said what comes out. A grid
    that changes with the choice, such as the sums so far, has only the number of that cell, and only with the answer;
    but for those that ``stay`` as they are, of which it is made.
    """
    kept = set(stay)
    grid, *gives_away = (next(grid for grid in scene.grids if grid.name == one) for one in (name, *others))

    def but(grid: Grid, cells: set[tuple[int, int]], hidden: str | None = "?") -> Grid:
        """A grid with some numbers in view; the colours of the others would tell too much."""
        all_cells = iter(grid.cells())
        shown = tuple(tuple(v if next(all_cells) in cells else hidden for v in values) for values in grid.values)
        return replace(grid, values=shown)

    def changing(highlight: Highlight, cells: set[tuple[int, int]]) -> tuple[Grid, ...]:
        return tuple(one if one.name in kept else but(one, cells, None) for one in highlight.grids)

    def asking(highlight: Highlight, row: int, col: int) -> Highlight:
        return Highlight(
            marks=tuple(mark for mark in highlight.marks if mark.style == "solid"),
            formula=Formula(highlight.formula.heading),
            sentence=f"Predict the number at ({number(row)}, {number(col)}) of “{grid.title}”.",
            grids=changing(highlight, set()),
        )

    unknown = {id(one): but(one, set()) for one in (grid, *gives_away)}

    def hidden(piece: Any) -> Any:
        return tuple(map(hidden, piece)) if type(piece) is tuple else unknown.get(id(piece), piece)

    asked = {
        chosen: (highlight, mark)
        for chosen, highlight in scene.highlights.items()
        for mark in highlight.marks
        if mark.grid == name
    }
    return replace(
        scene,
        line=hidden(scene.line),
        maps=hidden(scene.maps),
        highlights={**scene.highlights} | {c: asking(highlight, m.row, m.col) for c, (highlight, m) in asked.items()},
        answers={
            c: replace(
                highlight,
                grids=(
                    *changing(highlight, {(m.row, m.col)}),
                    *(but(one, {(m.row, m.col)}) for one in (*gives_away, grid)),
                ),
            )
            for c, (highlight, m) in asked.items()
        },
        covered=grid,
    )
