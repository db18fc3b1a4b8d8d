"""A reader's worked question: two layers, one output. Is the gradient a product of sums? It is a sum of products.

    i  →  o¹ = i ⊗ w¹  →  o² = o¹ ⊗ w², one number  →  C = (o² − y)²

The letters are the reader's, who counts entries from 1, row by row.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np

from convbp import loops
from convbp.convolution import convolve, cross_correlate
from convbp.explorers.controls.chosen_number import chosen_number
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.fields import Array, array, declares
from convbp.explorers.states.layer import each_with_each
from convbp.explorers.states.state import ExplorerState
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Flight,
    Flights,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Scene,
    Selection,
    Tag,
    rows_of,
)
from convbp.pictures.written_terms import coming_about, in_rows, written
from convbp.shapes import as_numbers, check_size
from convbp.sums import Sum, exact, symbol

FIRST = Selection("first_kernel", 0, 0)
LETTERS = {"image": "i", "first_kernel": "w¹", "hidden": "o¹", "second_kernel": "w²"}

IMAGE, FIRST_KERNEL, SECOND_KERNEL, TARGET = ((1, 2, 0), (0, 1, 3), (2, 0, 1)), ((1, -1), (2, 1)), ((2, 1), (3, -1)), 5


class Target(Array):
    """One number, kept as a 1×1 array: in a grid it can be chosen like the others."""

    def check(self, state: ExplorerState, name: str, value: Any) -> np.ndarray:
        array = np.atleast_2d(as_numbers(state.explorer, name, value, None))
        check_size(state.explorer, name, array.shape, (1, 1), "It is one number, which o² should be.")
        return super().check(state, name, array)

    def type(self) -> str:
        return "number"

    def limits(self) -> str:
        return ""


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """The numbers that one can change, and which of them is chosen."""

    image: np.ndarray = array(IMAGE, 5)
    first_kernel: np.ndarray = array(FIRST_KERNEL, 5, shape="(k1, k2)")
    second_kernel: np.ndarray = array(
        SECOND_KERNEL, 5, shape="(H − k1 + 1, W − k2 + 1)", doc="It lies on all of o¹, so that o² is one number."
    )
    target: np.ndarray = declares(Target)(TARGET, doc="The y in C = (o² − y)².")

    def __post_init__(self) -> None:
        super().__post_init__()
        hint = "It lies on all of o¹, so that o² is one number."
        check_size(self.explorer, "second_kernel", self.second_kernel.shape, self.hidden.shape, hint)

    @cached_property
    def hidden(self) -> np.ndarray:
        """o¹, shape=(H − k1 + 1, W − k2 + 1)."""
        return cross_correlate(self.image, self.first_kernel)

    @cached_property
    def output(self) -> Any:
        """o², one number."""
        return cross_correlate(self.hidden, self.second_kernel)[0, 0]

    @property
    def slope(self) -> Any:
        """∂C/∂o²."""
        return 2 * (self.output - self.target[0, 0])

    @cached_property
    def met(self) -> np.ndarray:
        """For each w¹ the sum of the pixels that it met."""
        return cross_correlate(self.image, np.ones(self.hidden.shape, int))


def scene(state: State) -> Scene:
    """Return the picture of a state: the chain from input to cost, and below it ∂C/∂w¹ found in three ways.

    For each number that one can change the highlight writes out the derivative of the cost with respect to it.
    """
    i, w1, o1, w2 = (_named(letter, getattr(state, name)) for name, letter in LETTERS.items())
    # ∂o²/∂ each entry: a sum with a product for each path from there to o².
    paths: dict[str, Any] = {
        "image": loops.convolve(w2, w1, mode="full"),
        "first_kernel": loops.cross_correlate(i, w2),
        "second_kernel": o1,
    }
    gradients = {
        "image": state.slope * convolve(state.second_kernel, state.first_kernel, mode="full"),
        "first_kernel": state.slope * cross_correlate(state.image, state.second_kernel),
        "second_kernel": state.slope * state.hidden,
    }
    asked = state.slope * state.second_kernel.sum() * state.met
    slopes = {name: _central_difference(state, name) for name in gradients}
    ways = {
        "right": ("∂C/∂w¹", gradients["first_kernel"]),
        "asked": ("∂C/∂w¹, the asker's", asked),
        "difference": ("central difference", slopes["first_kernel"]),
    }
    largest = max(np.abs(array).max() for _, array in ways.values())
    right, asker, difference = (
        Grid(name, title, rows_of(array), largest=largest) for name, (title, array) in ways.items()
    )
    image = Grid("image", "input i", rows_of(state.image), axes=_axes("i"))
    first = Grid("first_kernel", "w¹", rows_of(state.first_kernel), tags=_tags(state, "first_kernel"), axes=_axes("w¹"))
    hidden = Grid("hidden", "o¹ = i ⊗ w¹", rows_of(state.hidden), tags=_tags(state, "hidden"))
    second = Grid(
        "second_kernel", "w²", rows_of(state.second_kernel), tags=_tags(state, "second_kernel"), axes=_axes("w²")
    )
    output = Grid("output", "o² = o¹ ⊗ w²", ((state.output,),))
    target = Grid("target", "target y", rows_of(state.target), axes=_axes("y"))

    highlights = {
        Selection(name, *at): partial(
            _highlight,
            state,
            name,
            at,
            paths[name][at],
            (gradient, slopes[name][at]),
            asked[at] if name == "first_kernel" else None,
        )
        for name, array in gradients.items()
        for at, gradient in np.ndenumerate(array)
    } | {Selection("target", 0, 0): partial(_of_target, state)}
    return Scene(
        title="Two layers: product of sums, or sum of products?",
        line=(
            (image, "⊗", first, "=", hidden),
            ("⊗", second, "=", output, target),
            (PRODUCTS, SUM),
            (right, difference, asker),
        ),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _axes(letter: str) -> tuple[str, str]:
    """What to call row and column: the entries have names, these have none."""
    return f"row of {letter}", f"column of {letter}"


def _named(letter: str, array: np.ndarray) -> np.ndarray:
    """The array, its entries named and counted from 1."""
    named = np.empty(array.shape, object)
    for n, (at, value) in enumerate(np.ndenumerate(array), start=1):
        named[at] = symbol(subscripted(letter, n), value)
    return named


def _name(state: State, grid: str, row: int, col: int) -> str:
    return subscripted(LETTERS[grid], 1 + row * getattr(state, grid).shape[1] + col) if grid in LETTERS else "y"


def _tags(state: State, name: str) -> tuple[tuple[Tag, ...], ...]:
    """The names of entries: w² and the o¹ that goes through it have a hue together, each w¹ has its own."""
    (rows, cols), first = getattr(state, name).shape, state.hidden.size if name == "first_kernel" else 0
    return tuple(tuple(Tag(_name(state, name, r, c), first + r * cols + c) for c in range(cols)) for r in range(rows))


def _costs(image, first_kernel, second_kernel, target) -> np.ndarray:
    """C for several of each, of which only one is more than one: shape=(images, first kernels, second kernels)."""
    hidden = each_with_each(image, first_kernel)
    return (each_with_each(hidden.reshape(-1, *hidden.shape[2:]), second_kernel) - target) ** 2


def _central_difference(state: State, name: str) -> np.ndarray:
    """(C(+1) − C(−1)) / 2 for each entry; C is a square in each, so any step gives the derivative."""
    arrays = {grid: getattr(state, grid)[None] for grid in ("image", "first_kernel", "second_kernel", "target")}
    at = getattr(state, name)
    steps = np.eye(at.size, dtype=at.dtype).reshape(-1, *at.shape)
    ahead, behind = (_costs(**{**arrays, name: at + moved}).ravel() for moved in (steps, -steps))
    return np.reshape([exact(rise * Fraction(1, 2)) for rise in ahead - behind], at.shape)


def _highlight(state: State, name: str, at: tuple[int, int], paths: Sum, slopes: tuple, asked: object) -> Highlight:
    letter, (gradient, difference) = _name(state, name, *at), slopes
    tags = {tag.text: tag for grid in ("hidden", "second_kernel") for row in _tags(state, grid) for tag in row}
    terms = written(paths, tags)
    notes, says = [f"Central difference of C = (o² − y)²: {number(difference)}."], ""
    if name == "first_kernel":
        sums = state.met[at], state.second_kernel.sum(), state.slope
        verdict = "equal here by chance" if asked == gradient else "not the gradient"
        notes += [
            f"The asker: Σ i · Σ w² · 2(o² − y) = {'·'.join(map(factor, sums))} = {number(asked)}, {verdict}.",
            f"Through {letter} each pixel meets one w² only; the asker multiplies it with all of them.",
        ]
        says = f"each pixel it met times the w² that follows, added up; the asker's product of sums is {number(asked)}"
    elif name == "second_kernel":
        notes += [f"The asker has the same, {terms[0].symbols} · 2(o² − y): right."]
        says = f"it met {terms[0].symbols} alone, and here the asker is right"
    else:
        says = "w¹ times w² on each path from it to o², added up"
    return Highlight(
        marks=_marks(state, name, *at),
        formula=Formula(
            heading=f"∂C/∂{letter}  =  ∂o²/∂{letter} · 2(o² − y),  where ∂o²/∂{letter} is",
            terms=in_rows(terms, state.hidden.shape[1]),
            total=f"∂C/∂{letter} = {factor(exact(paths.value))}·{factor(state.slope)} = {number(gradient)}.",
            notes=tuple(notes),
            column=((f"∂o²/∂{letter}", exact(paths.value)), ("× 2(o² − y)", state.slope), (f"∂C/∂{letter}", gradient)),
            name=f"∂o²/∂{letter}",
        ),
        sentence=f"The derivative ∂C/∂{letter} is {number(gradient)}: {says}.",
        flights=_flights(state, paths)
        + (((Flight(Cells("sum", 2, 0), Cells("right", *at)),),) if name == "first_kernel" else ()),
    )


def _flights(state: State, paths: Sum) -> Flights:
    """The products come about where the entries of these names are shown."""
    places = {_name(state, grid, *at): (grid, at) for grid in LETTERS for at in np.ndindex(getattr(state, grid).shape)}
    placed = Sum(
        *(
            tuple(replace(part, array=places[part.text][0], index=places[part.text][1]) for part in term)
            for term in paths.terms
        )
    )
    return coming_about(placed, {grid: grid for grid in LETTERS}, state.hidden.shape[1], Cells("sum", 0, 0))


def _marks(state: State, name: str, row: int, col: int) -> tuple[Mark, ...]:
    (rows, cols), (k1, k2) = state.hidden.shape, state.first_kernel.shape
    if name == "first_kernel":
        return (
            Mark("image", row, col, rows, cols, tags=_tags(state, "second_kernel")),
            Mark("first_kernel", row, col),
            Mark("hidden", 0, 0, rows, cols, style="dashed"),
            Mark("second_kernel", 0, 0, rows, cols, style="dashed"),
            Mark("right", row, col),
            Mark("difference", row, col),
            Mark("asked", row, col, style="faint"),
        )
    if name == "second_kernel":
        return Mark("hidden", row, col), Mark("second_kernel", row, col), Mark("output", 0, 0, style="dashed")
    top, left = max(0, row - k1 + 1), max(0, col - k2 + 1)
    reached = top, left, min(row, rows - 1) - top + 1, min(col, cols - 1) - left + 1
    return Mark("image", row, col), *(Mark(grid, *reached, style="dashed") for grid in ("hidden", "second_kernel"))


def _of_target(state: State) -> Highlight:
    output, target, slope = (number(value) for value in (state.output, state.target[0, 0], -state.slope))
    cost = number((state.output - state.target[0, 0]) ** 2)
    return Highlight(
        marks=(Mark("target", 0, 0), Mark("output", 0, 0)),
        formula=Formula(
            heading=f"C  =  (o² − y)²  =  {cost},  with o² = {output} and y = {target}",
            total=f"∂C/∂y = −2(o² − y) = {slope}.",
        ),
        sentence=f"The derivative ∂C/∂y is {slope}: the cost (o² − y)² is {cost}, with o² = {output} and y = {target}.",
    )


class TwoLayerQuestion(Explorer, state=State, scene=scene):
    """Choose a number of two layers to see how the cost depends on it; change it, and see who is right."""

    def controls(self) -> Rows:
        return [[chosen_number(lambda state: _name(state, *state.selected))]]
