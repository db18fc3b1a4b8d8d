"""What a picture says, as data: grids of numbers, and for each cell one can choose, what lights up with it.

An explorer turns its state into a `Scene`; `convbp.pictures.svg` turns the scene into a picture. Nothing here
knows about pixels, colours or widgets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any, NamedTuple

import numpy as np

from convbp.notation import subscripted


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
        What the row and the column index of a cell are called, if a reader can choose each cell of the core.
    hues
        For each cell the hue it is filled with, whatever its value, or None; empty if all follow their values.
    largest
        The absolute value that gets the full colour. None for the largest in the grid; give it where a grid
        changes with the selection, or equal numbers would change their colour with it.
    small
        Drawn as a map: small coloured cells without numbers, for arrays too large to be read.
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

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.values), len(self.values[0])

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

    Its cells are all in one column: what each way comes to, ``values[n][0]``, and in the last row their sum. A way
    that is marked is drawn bold; if the sum is marked, all are.

    Parameters
    ----------
    start, end
        The two numbers: a name and a value each.
    between
        The number that each way goes through.
    arrows
        For each way the numbers on its two arrows.
    heads
        What stands above the arrows into ``between``, above those out of it, and above the cells.
    captions
        For each cell what stands beside it.
    rows
        So high as if there were so many ways, so that nothing moves where there are fewer.
    """

    start: tuple[str, Any] = ("", 0)
    end: tuple[str, Any] = ("", 0)
    between: tuple[tuple[str, Any], ...] = ()
    arrows: tuple[tuple[Any, Any], ...] = ()
    heads: tuple[str, str, str] = ("", "", "")
    captions: tuple[str, ...] = ()
    rows: int = 0


def top(largest: float) -> float:
    """The next round number: where an axis may end."""
    power = 10.0 ** floor(log10(largest)) if largest > 0 else 1
    return next((n * power for n in (1, 1.5, 2, 3, 4, 5, 6, 8) if n * power >= largest), 10 * power)


@dataclass(frozen=True)
class Tag:
    """A small label in the corner of a cell; equal ``hue`` means: the same weight."""

    text: str
    hue: int


@dataclass(frozen=True)
class Mark:
    """An outline around ``rows``×``cols`` cells of a grid, with an optional tag in each cell.

    What links cells of two grids is said by tags, too: each cell at the end of a link carries the name of its
    weight. A line between them would run across the cells on its way, a dozen would hide them, and where columns
    stand below each other it would run across the page.

    ``style`` is "solid" for what is chosen or read, "dashed", in another colour, for what it reaches, and "faint"
    for what it would reach if the array went on. An outline lies on cells: a grid that is to be left at its
    border has cells outside its core.
    """

    grid: str
    row: int
    col: int
    rows: int = 1
    cols: int = 1
    tags: tuple[tuple[Tag | None, ...], ...] = ()
    style: str = "solid"


class Term(NamedTuple):  # of which a picture has thousands: made and hashed in half the time of a dataclass
    """One summand: in symbols, in numbers, and its tag's hue if it has one.

    ``outside`` marks one that is zero because it reads outside an array; it is struck out.
    """

    symbols: str
    numbers: str
    hue: int | None = None
    outside: bool = False


@dataclass(frozen=True)
class Formula:
    """A sum written out: what is summed, every term in rows, the result, and lines to say more. Each may be missing.

    With ``added=False`` there is no plus between the terms: each goes to a place of its own.
    """

    heading: str = ""
    terms: tuple[tuple[Term, ...], ...] = ()
    total: str = ""
    notes: tuple[str, ...] = ()
    added: bool = True


@dataclass(frozen=True)
class Highlight:
    """What one selection shows: outlines, the sum written out, and a sentence (the alt text).

    Each of ``grids`` is shown in the place of the scene's grid of that name; it has the same size. ``lines`` come into
    the scene's curves, by their names.
    """

    marks: tuple[Mark, ...]
    formula: Formula
    sentence: str
    grids: tuple[Grid, ...] = ()
    lines: tuple[tuple[str, Line], ...] = ()


@dataclass(frozen=True)
class Scene:
    """A whole picture.

    Parameters
    ----------
    title
        What the picture is, in a few words.
    columns
        The grids, in columns from left to right, each from top to bottom.
    highlights
        For every cell a reader can choose, what it shows.
    selected
        The chosen cell; a key of ``highlights``.
    rows
        Room for at least so many rows of cells, so that the page does not jump when a grid grows.
    """

    title: str
    columns: tuple[tuple[Grid, ...], ...]
    highlights: Mapping[Selection, Highlight]
    selected: Selection
    rows: int = 0

    def __post_init__(self):
        shapes = {grid.name: (grid.size, grid.small) for grid in self.grids}
        for selection, highlight in self.highlights.items():
            for grid in highlight.grids:
                if shapes.get(grid.name) != (grid.size, grid.small):
                    raise ValueError(
                        f"Scene: the highlight of {tuple(selection)} replaces grid {grid.name!r} by one of size "
                        f"{grid.size}, small={grid.small}; expected a grid of the scene, and its size. "
                        "Pad it with None."
                    )
        if self.selected not in self.highlights:
            raise ValueError(
                f"Scene: selected is {tuple(self.selected)}; expected a cell with a highlight, such as "
                f"{tuple(next(iter(self.highlights), ()))}."
            )

    @property
    def grids(self) -> tuple[Grid, ...]:
        return tuple(grid for column in self.columns for grid in column)

    @property
    def sentence(self) -> str:
        return self.highlights[self.selected].sentence


def rows_of(array: np.ndarray) -> tuple[tuple, ...]:
    """The entries of a 2-D array as Python objects, row by row: numbers, or tags, for a grid or a mark."""
    return tuple(map(tuple, array.tolist()))


def named_tags(letter: str, shape: tuple[int, int]) -> np.ndarray:
    """Return for each entry of an array a tag with its name and a hue of its own, as an array: it can be turned."""
    tags = np.empty(shape, object)
    for n, index in enumerate(np.ndindex(shape)):
        tags[index] = Tag(subscripted(letter, *index), n)
    return tags


def covered(scene: Scene, name: str) -> Scene:
    """The same with "?" for the numbers of one grid, to be predicted: each shows when its cell is marked."""
    grid = next(grid for grid in scene.grids if grid.name == name)

    def but(cells: set[tuple[int, int]]) -> Grid:
        """The grid with some numbers in view; the colours of the others would tell too much."""
        all_cells = iter(grid.cells())
        shown = tuple(tuple(v if next(all_cells) in cells else "?" for v in values) for values in grid.values)
        return replace(grid, values=shown)

    unknown = but(set())
    return replace(
        scene,
        columns=tuple(tuple(unknown if one is grid else one for one in column) for column in scene.columns),
        highlights={
            chosen: replace(
                highlight, grids=(*highlight.grids, but({(m.row, m.col) for m in highlight.marks if m.grid == name}))
            )
            for chosen, highlight in scene.highlights.items()
        },
    )
