"""Change an equation of the backward pass, place by place: what it reads, what it gives, and whether it still holds."""

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import ipywidgets as widgets
import numpy as np

from convbp.convolution import cross_correlate
from convbp.equations.cases import IDENTITY, Layer
from convbp.equations.changes import boxed
from convbp.equations.formula import UNDEFINED, Apply, Map
from convbp.equations.formula import Formula as Expression
from convbp.equations.registry import equation
from convbp.equations.terms import Named, all_terms
from convbp.equations.trials import SQUARE_AND_X, Failure, Trial, trial
from convbp.explorers.controls.alike import made
from convbp.explorers.controls.control import Control
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.changed_formula import (
    changes_of_formula,
    choices_of,
    formula_with,
    named_places,
    place_at,
    place_to_change,
    which_equation,
    without_detours,
)
from convbp.explorers.states.fields import array
from convbp.explorers.states.state import ExplorerState
from convbp.notation import bracketed, in_text, number
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Scene,
    Selection,
    Tag,
    named_tags,
    rows_of,
)
from convbp.pictures.written_terms import coming_about, in_rows, written
from convbp.shapes import check_size
from convbp.sums import Sum

IMAGE, KERNEL, DELTA = ((1, 2, 0, 3), (2, 1, -2, 4)), ((1, 2, -1), (0, 3, -2)), ((3, -2),)  # low, with room for words
FIRST = Selection("value", 0, 0)
LARGEST_IMAGE, LARGEST_KERNEL = 6, 3

BY_KERNEL = 13
LEFT = {13: "∂E/∂w", 20: "∂E/∂x", 21: "∂E/∂x", 22: "∂E/∂x"}
TITLES = {"o": "input o", "inputs": "xˡ", "kernel": "kernel w", "delta": "δ"}


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """An equation with changes in it, and a layer with δ = ∂E/∂x; from Eq. 20 on o = f(x), f(x) = x² + x."""

    equation: int = which_equation((13, 20, 21, 22), 20)
    changes: tuple[tuple[str, str], ...] = changes_of_formula()
    image: np.ndarray = array(IMAGE, LARGEST_IMAGE, doc="o for Eq. 13, and xˡ for the others.")
    kernel: np.ndarray = array(KERNEL, LARGEST_KERNEL, shape="(k1, k2)", doc="No larger than the image.", presets=True)
    delta: np.ndarray = array(
        DELTA, LARGEST_IMAGE, shape="(H − k1 + 1, W − k2 + 1)", doc="∂E/∂x of the layer's output."
    )
    place: str = place_to_change()
    selected: Selection = field(default=Selection("value", 1, 1), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        hint = "δ has one entry for each output."
        output = cross_correlate(self.image, self.kernel).shape
        check_size(self.explorer, "delta", self.delta.shape, output, hint)
        if self.place not in named_places(self.formula):
            object.__setattr__(self, "place", place_at(self.formula, ()))

    @property
    def formula(self) -> Expression:
        """The right side of the equation, as it is now."""
        return formula_with(self.equation, self.changes)

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of the arrays that the equation is about."""
        return ("o" if self.equation == BY_KERNEL else "inputs", "delta", "kernel")

    def layer(self, exactly: bool = False) -> Layer:
        """The layer as a case of the equations; ``exactly`` with Fractions for floats, so that nothing is rounded."""
        read = np.frompyfunc(lambda entry: Fraction(entry) if exactly and isinstance(entry, float) else entry, 1, 1)
        image, kernel, delta = (Map(read(array)) for array in (self.image, self.kernel, self.delta))
        no_bias = Map(np.zeros(self.delta.shape, int))
        return Layer(image, kernel, no_bias, delta, f=IDENTITY if self.equation == BY_KERNEL else SQUARE_AND_X)

    def shown(self, values: np.ndarray) -> np.ndarray:
        """Exact values as a picture of these arrays shows them: as floats, if there are floats among the arrays."""
        if all(array.dtype == object for array in (self.image, self.kernel, self.delta)):
            return values
        return np.frompyfunc(lambda value: value if value is UNDEFINED else float(value), 1, 1)(values)


class Read(NamedTuple):
    """What one entry of the formula is made of: its products, and how many of them read each cell of each array."""

    sum: Sum
    cells: dict[str, Counter]

    @classmethod
    def of(cls, entry: object) -> "Read":
        products = entry if isinstance(entry, Sum) else Sum()
        cells: dict[str, Counter] = {}
        for product in products.terms:
            for part in product:
                for name in _where(part):
                    cells.setdefault(name, Counter())[part.index] += 1
        return cls(products, cells)


def _where(part: Any) -> list[str]:
    """The grids in which a factor is shown: f′(x) is beside its x, too."""
    applied = part.text.startswith("f") and part.array == "inputs"
    return [part.array, "slope"] if applied else [part.array] * bool(part.array)


def scene(state: State) -> Scene:
    """Return the picture of a state: the arrays, the value of the formula for each entry, and the central difference.

    Where these two differ the cell has the tag ≠. For an entry the highlight outlines the cells that the formula reads,
    lists its products, and says in how many random layers the formula is equal, or the smallest in which it fails.
    """
    formula, case, found = state.formula, state.layer(exactly=True), trial(state.equation, state.formula)
    right, values = (side.table(case) for side in (equation(state.equation).statement.sides[0], formula))
    wrong = np.not_equal(right, values, dtype=object).astype(bool)
    entries = all_terms(formula, Named(state.layer(), bracketed))
    reads = {cell: Read.of(entry) for cell, entry in np.ndenumerate(entries)}
    tagged = "delta" if state.equation == BY_KERNEL else "kernel"
    tags = named_tags("δ" if tagged == "delta" else "w", getattr(state, tagged))
    grids = {name: _grid(state, name, reads.values()) for name in state.arrays}
    hues = {(tagged, cell): tag for cell, tag in np.ndenumerate(tags)}
    if state.equation != BY_KERNEL:
        grids["slope"] = _slope(state, grids["inputs"])
    values, right = state.shown(values), state.shown(right)
    left, axes = LEFT[state.equation], ("m′", "n′") if state.equation == BY_KERNEL else ("i′", "j′")
    known = np.frompyfunc(lambda value: "?" if value is UNDEFINED else value, 1, 1)(values)
    marked = rows_of(np.frompyfunc(lambda differs: Tag("≠", 1) if differs else None, 1, 1)(wrong))
    title = f"{'≠' if wrong.any() else '='} central difference"
    grids["value"] = Grid("value", f"{left} by the formula", rows_of(known), tags=marked, axes=axes)
    grids["nudged"] = Grid("nudged", title, rows_of(right))
    highlights = {
        Selection("value", *cell): partial(
            _highlight, state, found, grids, reads[cell], hues, cell, (values[cell], right[cell], bool(wrong[cell]))
        )
        for cell in reads
    }
    above = ("inputs", "slope") if "slope" in grids else ("o",)
    read_from = tuple(grids[name] for name in (*above, "delta", *["kernel"] * (state.equation != BY_KERNEL)))
    others = () if state.equation != BY_KERNEL else (grids["kernel"],)
    return Scene(
        title="An equation to change",
        line=(*((grid,) for grid in read_from), ("→", PRODUCTS), ("→", SUM, "→", grids["value"], grids["nudged"])),
        maps=others,
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _grid(state: State, name: str, reads: Any) -> Grid:
    """An array with as many zeros around it as the formula reads there."""
    own = {"o": state.image, "inputs": state.image, "delta": state.delta, "kernel": state.kernel}[name]
    cells = [(0, 0), tuple(size - 1 for size in own.shape)]
    cells += [cell for read in reads for cell in read.cells.get(name, ())]
    (top, left), (bottom, right) = np.min(cells, axis=0).tolist(), np.max(cells, axis=0).tolist()
    map_ = Map(own)
    values = tuple(tuple(map_(row, col) for col in range(left, right + 1)) for row in range(top, bottom + 1))
    core = None if (bottom - top + 1, right - left + 1) == own.shape else (0, 0, *own.shape)
    return Grid(name, TITLES[name] + (", zeros around it" if core else ""), values, (top, left), core=core)


def _slope(state: State, inputs: Grid) -> Grid:
    """What the formula makes of xˡ: f′ of it, or f if that is what stands in the formula."""
    names = {node.name for _, node in state.formula.expression.walk() if isinstance(node, Apply)} or {"f'"}
    (name,) = names
    f = SQUARE_AND_X if name == "f" else SQUARE_AND_X.slope
    title = "f(x) = x² + x" if name == "f" else "f′(x) = 2x + 1"
    return replace(inputs, name="slope", title=title, values=tuple(tuple(map(f, row)) for row in inputs.values))


def _highlight(
    state: State,
    found: Trial,
    grids: dict[str, Grid],
    read: Read,
    hues: dict[tuple, Tag],
    cell: tuple[int, int],
    compared: tuple[object, object, bool],
) -> Highlight:
    value, right, wrong = compared
    met = _met(read, hues)
    marks = [mark for name in grids for mark in _outlines(grids[name], read.cells.get(name, {}), met.get(name, {}))]
    changed = "with " + "; ".join(f"{place} → {choice}" for place, choice in state.changes)
    equation = f"Eq. {state.equation} {changed if state.changes else 'as printed'}"
    verdict = f"Equal in {found.equal} of {found.cases} random layers."
    notes = [f"{equation}:", verdict] if state.changes else [f"{equation}: {verdict.lower()}"]
    if found.failure:
        notes.append(_said(found.failure))
    compared_in_words = (
        f"{bracketed(LEFT[state.equation], *cell)}: formula {_written(value)}, central difference {number(right)}: "
        f"{'not ' * wrong}equal."
    )
    parts = (part for product in read.sum.terms for part in product if (part.array, part.index) in hues)
    terms = written(read.sum, {part.text: hues[part.array, part.index] for part in parts})
    width = 2 if any(len(product) > 2 for product in read.sum.terms) else 4
    shown = Sum(
        *(tuple(replace(part, array=_where(part)[-1]) if part.array else part for part in p) for p in read.sum.terms)
    )
    return Highlight(
        marks=(*marks, Mark("value", *cell), Mark("nudged", *cell, style="dashed")),
        formula=Formula(
            heading=f"{LEFT[state.equation]} = {in_text(state.formula.latex)}",
            terms=in_rows(terms, width),
            total=compared_in_words,
            notes=tuple(notes),
            column=(("Σ", "no value" if value is UNDEFINED else value),),
        ),
        sentence=f"{equation}. {compared_in_words} {verdict}",
        flights=coming_about(shown, {name: name for name in ("delta", *grids)}, width, Cells("value", *cell)),
    )


def _written(value: object) -> str:
    return "no value" if value is UNDEFINED else number(value)


def _met(read: Read, hues: dict[tuple, Tag]) -> dict[str, dict[tuple, Tag]]:
    """For the cells that one product alone reads, the tag of the tagged cell that they meet there."""
    met: dict[str, dict[tuple, Tag]] = {}
    for product in read.sum.terms:
        tag = next((hues[part.array, part.index] for part in product if (part.array, part.index) in hues), None)
        for part in product:
            for name in _where(part):
                if tag and read.cells[name][part.index] == 1:
                    met.setdefault(name, {})[part.index] = tag
    return met


def _outlines(grid: Grid, cells: Any, tags: dict[tuple, Tag]) -> list[Mark]:
    """An outline around the cells, or around each of them if they are no rectangle; those outside the array faintly."""
    inside = {cell for cell in cells if grid.in_core(*cell)}
    return [
        *_outline(grid.name, inside, tags, "solid"),
        *_outline(grid.name, set(cells) - inside, {}, "faint"),
    ]


def _outline(name: str, cells: set, tags: dict[tuple, Tag], style: str) -> list[Mark]:
    if not cells:
        return []
    (top, left), (bottom, right) = np.min(list(cells), axis=0).tolist(), np.max(list(cells), axis=0).tolist()
    rows, cols = bottom - top + 1, right - left + 1
    if rows * cols > len(cells):
        return [mark for cell in sorted(cells) for mark in _outline(name, {cell}, tags, style)]
    tagged = tuple(tuple(tags.get((top + r, left + c)) for c in range(cols)) for r in range(rows))
    return [Mark(name, top, left, rows, cols, tags=tagged if tags else (), style=style)]


def _said(failure: Failure) -> str:
    """The case in which a formula fails, in a line."""
    case, (i, j) = failure.case, failure.index
    arrays = (
        {"o": case.o, "δ": case.delta} if case.f is IDENTITY else {"x": case.inputs, "w": case.kernel, "δ": case.delta}
    )
    given = ", ".join(f"{letter} = {_matrix(map_)}" for letter, map_ in arrays.items())
    return (
        f"Smallest case where it fails: {given}: at ({i}, {j}) formula {_written(failure.value)}, "
        f"central difference {number(failure.right)}."
    )


def _matrix(map_: Map) -> str:
    return "(" + "; ".join(" ".join(map(number, row)) for row in map_.array.tolist()) + ")"


def prepare() -> None:
    """Try what the first picture shows, which takes longer than to draw it: the derivatives of 200 layers are kept."""
    state = State()
    trial(state.equation, state.formula)


class EquationLab(Explorer, state=State, scene=scene):
    """Change Eq. 13, 20, 21 or 22, place by place: the cells that it reads, its value, and whether it still holds."""

    def controls(self) -> Rows:
        size = {"style": {"description_width": "auto"}, "layout": {"width": "420px"}}
        place = made(widgets.Dropdown, description="place", **size)
        there = made(widgets.Dropdown, description="stands there", **size)
        line = made(
            widgets.HTMLMath,
            description="formula",
            style=size["style"],
            layout={"max_width": "100%", "min_height": "66px", "overflow": "auto hidden"},
        )
        back = made(widgets.Button, description="Take back", tooltip="Take back the last change", icon="step-backward")
        back.on_click(lambda _: self.update(changes=self.state.changes[:-1]))
        return [
            *super().controls(),
            [
                Control.field("place", place, fit=lambda state: {"options": tuple(named_places(state.formula))}),
                Control(there, lambda state: "", _changed, lambda state: {"options": _options(state)}),
                back,
            ],
            [Control(line, _typeset, lambda state, value: state)],
        ]


def _options(state: State) -> tuple[tuple[str, str], ...]:
    place = named_places(state.formula)[state.place]
    return (("as it stands", ""), *((text, text) for text in choices_of(place)))


def _changed(state: State, choice: str) -> State:
    if not choice:
        return state
    place = named_places(state.formula)[state.place]
    changes = without_detours(state.equation, (*state.changes, (state.place, choice)))
    return replace(state, changes=changes, place=place_at(formula_with(state.equation, changes), place.path))


def _typeset(state: State) -> str:
    """The equation in LaTeX, with a box around the place that can be changed."""
    left = equation(state.equation).statement.sides[0].latex
    return rf"$\displaystyle {left} = {boxed(state.formula, named_places(state.formula)[state.place])}$"
