"""What a picture says, as data: grids of numbers, and for each cell one can choose, what lights up with it.

An explorer turns its state into a `Scene`; `convbp.svg` turns the scene into a picture. Nothing here
knows about pixels, colours or widgets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


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
        The numbers, row by row.
    origin
        The index of the first cell, (row, column). Not always (0, 0): the full cross-correlation
        starts at (1 − k₁, 1 − k₂).
    tags
        For each cell the tag it carries always, or None; empty if no cell has one.
    core
        ``(row, col, rows, cols)``: the cells outside this rectangle are zeros around the array, drawn
        faintly. None if all cells belong to the array.
    axes
        What the row and the column index of a cell are called, if a reader can choose a cell here.
    """

    name: str
    title: str
    values: tuple[tuple, ...]
    origin: tuple[int, int] = (0, 0)
    tags: tuple[tuple["Tag | None", ...], ...] = ()
    core: tuple[int, int, int, int] | None = None
    axes: tuple[str, str] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.values), len(self.values[0])

    def cells(self) -> Iterable[tuple[int, int]]:
        """The index of each cell, row by row."""
        (rows, cols), (top, left) = self.size, self.origin
        return ((top + r, left + c) for r in range(rows) for c in range(cols))


@dataclass(frozen=True)
class Tag:
    """A small label in the corner of a cell; equal ``hue`` means: the same weight."""

    text: str
    hue: int


@dataclass(frozen=True)
class Mark:
    """An outline around ``rows``×``cols`` cells of a grid, with an optional tag in each cell."""

    grid: str
    row: int
    col: int
    rows: int = 1
    cols: int = 1
    tags: tuple[tuple[Tag, ...], ...] = ()


@dataclass(frozen=True)
class Term:
    """One summand: in symbols, in numbers, and its tag's hue."""

    symbols: str
    numbers: str
    hue: int


@dataclass(frozen=True)
class Formula:
    """A sum written out: what is summed, every term in rows, and the result."""

    heading: str
    terms: tuple[tuple[Term, ...], ...]
    total: str


@dataclass(frozen=True)
class Highlight:
    """What one selection shows: outlines, the sum written out, and a sentence (the alt text)."""

    marks: tuple[Mark, ...]
    formula: Formula
    sentence: str


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

    @property
    def grids(self) -> tuple[Grid, ...]:
        return tuple(grid for column in self.columns for grid in column)

    @property
    def sentence(self) -> str:
        return self.highlights[self.selected].sentence


def rows_of(array: np.ndarray) -> tuple[tuple, ...]:
    """The entries of a 2-D array as Python numbers, row by row, for `Grid.values`."""
    return tuple(map(tuple, array.tolist()))
