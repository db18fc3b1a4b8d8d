"""What a check returns: a verdict that shows itself as a card in a notebook and as text in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape

import numpy as np

from convbp.exercises.reading import Answer
from convbp.notation import number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Scene, Selection, Term, rows_of
from convbp.pictures.still import bundle
from convbp.sums import Sum, exact, written_out

MEDIA_TYPE = "application/vnd.convbp.result+json"  # under which a saved notebook has `Result.as_dict`
_SAID = 200  # characters
LARGEST_GRID = 8  # rows and columns; of a larger array the part around the difference is shown
MOST_TERMS = 6  # of a sum that the picture writes out


@dataclass(frozen=True)
class Result:
    """The result of a check.

    Attributes
    ----------
    passed : bool
    points : float
        The share of the inputs on which the answer was right, times the points of the check.
    misconceptions : tuple of str
        The names of the mistakes that were recognised, none or one or two.
    message : str
        What the card says.
    scene : Scene or None
        The picture: yours, expected, difference.
    kind : str
        "right", or what it is that is wrong: "named" (``misconceptions`` has the names), else "shape" or "value" (of
        the numbers), "crash", "type" (no array of numbers came back), "time", "random" (two calls gave different
        results), "changed its input", "entry" (one number alone, which is another), or "missing" (three dots).
    exercise : str
        Its name.
    where : str
        Where to read on: of the mistake if it is named, else of the exercise.
    """

    passed: bool
    points: float
    misconceptions: tuple[str, ...]
    message: str
    scene: Scene | None = field(default=None, repr=False)
    kind: str = "right"
    exercise: str = ""
    where: str = ""

    def as_dict(self) -> dict[str, object]:
        """What a program reads, as JSON holds it; ``said`` is the first line of the message."""
        return {
            "exercise": self.exercise,
            "passed": self.passed,
            "points": self.points,
            "kind": self.kind,
            "mistake": list(self.misconceptions),
            "where": self.where,
            "said": self.message.partition("\n")[0][:_SAID],
        }

    def __repr__(self) -> str:
        return self.message

    def _repr_html_(self) -> str:
        return card(self.message, "#009e73" if self.passed else "#d55e00")

    def _ipython_display_(self) -> None:
        # Two outputs: a page that shows HTML would leave out the picture beside it.
        from IPython.display import display

        data = {"text/plain": repr(self), "text/html": self._repr_html_(), MEDIA_TYPE: self.as_dict()}
        display(data, raw=True)
        if self.scene:
            data, metadata = bundle(self.scene, f"Picture: {self.scene.sentence}")
            display(data, metadata=metadata, raw=True)


def card(text: str, colour: str) -> str:
    """The text with a bar beside it; lines that are indented are formulas."""
    first, _, rest = text.partition("\n")
    head, dot, more = first.partition(". ")
    lines = [f"<strong>{escape(head + dot.strip())}</strong> {escape(more)}"]
    for line in rest.split("\n") if rest else []:
        lines.append(f"<code>{escape(line.strip())}</code>" if line.startswith(" ") else escape(line))
    return f'<div style="border-left: 5px solid {colour}; padding: 2px 12px;">{"<br>".join(lines)}</div>'


def scene_of(
    answer: Answer, expected: np.ndarray, at: Sequence[int] | None, entry: object, axes: Sequence[str]
) -> Scene | None:
    """The picture of an answer and what was expected; ``at`` is the entry to outline, None if the shapes differ."""
    if answer.size_only is not None or answer.values.ndim > 4 or not answer.values.size:
        return None
    index = (0,) * expected.ndim if at is None else tuple(at)
    rows = axes.index("row") if "row" in axes else 0
    here = index if at is not None else (0,) * answer.values.ndim
    mine = _plane(answer.values, here, _rows(answer.shape, expected.shape, rows))
    right = _plane(expected, index, rows)
    grids = [_grid("yours", mine), _grid("expected", right)]
    value = number(exact(expected[index]))
    heading = f"expected{_at(index)} = {value}"
    marks: tuple[Mark, ...] = ()
    sentence = f"Your result has shape {answer.values.shape}; expected is {expected.shape}."
    if at is not None:
        yours = answer.values[index]
        grids.append(_grid("difference", replace(mine, values=mine.values - right.values, where="")))
        marks = tuple(Mark(grid.name, *mine.cell) for grid in grids)
        heading = f"entry{_at(index)}: yours is {number(exact(yours))}, expected is {value}"
        sentence = f"At {index} yours is {number(exact(yours))}, expected is {value}."
    selected = Selection("expected", *right.cell)
    highlight = Highlight(marks, _formula(heading, entry, value), f"Yours, expected and the difference. {sentence}")
    columns = tuple((grid,) for grid in grids)
    return Scene("Yours, expected, difference", columns, {selected: highlight}, selected)


@dataclass(frozen=True)
class _Plane:
    """The 2-D part of an array that is shown: where it lies, such as "[:, :, 0, 0]", its corner, the chosen cell."""

    values: np.ndarray
    where: str
    corner: tuple[int, int]
    cell: tuple[int, int]


def _rows(shape: tuple[int, ...], expected: tuple[int, ...], rows: int) -> int:
    """The axis of the rows in a result of any shape, if ``rows`` is that of the expected result."""
    places = range(len(shape) - 1)
    fit = [axis for axis in places if shape[axis : axis + 2] == expected[rows : rows + 2]]
    if rows in fit or (len(shape) == len(expected) and not fit):
        return rows
    return max(fit or places, key=lambda axis: shape[axis] * shape[axis + 1], default=0)


def _plane(array: np.ndarray, index: tuple[int, ...], rows: int) -> _Plane:
    """The part along the axes ``rows`` and the next, through ``index``."""
    if array.ndim < 2:
        array, index = np.atleast_2d(array), (0, *index) if array.ndim else (0, 0)
    where = ""
    if array.ndim > 2:
        part = tuple(slice(None) if axis in (rows, rows + 1) else n for axis, n in enumerate(index))
        where = f"[{', '.join(':' if isinstance(n, slice) else str(n) for n in part)}]"
        array, index = array[part], index[rows : rows + 2]
    corner = tuple(
        max(0, min(i - LARGEST_GRID // 2, n - LARGEST_GRID)) for i, n in zip(index, array.shape, strict=True)
    )
    shown = array[corner[0] : corner[0] + LARGEST_GRID, corner[1] : corner[1] + LARGEST_GRID]
    return _Plane(shown, where, corner, (int(index[0]), int(index[1])))


def _grid(name: str, plane: _Plane) -> Grid:
    values = rows_of(np.vectorize(exact, otypes=[object])(plane.values))
    return Grid(name, f"{name}{plane.where}", values, origin=plane.corner)


def _at(index: Sequence[int]) -> str:
    return f" ({', '.join(map(str, index))})" if len(index) else ""


def _formula(heading: str, entry: object, value: str) -> Formula:
    if not isinstance(entry, Sum):
        return Formula(heading, ((Term("no term", "0", 6),),), f"= {value}")
    terms = [Term(s, n, 6) for s, n in zip(entry.in_symbols(), entry.in_numbers(), strict=True)]
    if len(terms) > MOST_TERMS:  # the card has them in its text, where they take less room
        terms = []
    return Formula(heading, tuple(tuple(terms[n : n + 4]) for n in range(0, len(terms), 4)), f"= {value}")


def sum_text(index: Sequence[int], expected: np.ndarray, answer: Answer | None, entry: object) -> str:
    """The entry with its sum written out term by term."""
    value = number(exact(expected[tuple(index)]))
    yours = ""
    if answer:
        own = number(exact(answer.values[tuple(index)]))
        # Four digits may not be enough to tell them apart.
        yours = f"; yours is {own if own != value else repr(float(answer.values[tuple(index)])).replace('-', '−')}"
    return f"Entry{_at(index)} should be {value}{yours}:\n  {written_out(entry)}"
