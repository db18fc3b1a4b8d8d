"""Forward with a flip or without: to each belong its own rules for the way back, and to mix them is wrong.

One row of the table is Eq. 7, 13 and 20 of the article, the other is that of Gwardys; each flips in one of two passes.
"""

from dataclasses import dataclass, replace
from math import isclose
from typing import Any, ClassVar, NamedTuple

import numpy as np

from convbp import convolution, loops
from convbp.explorers.convention_table import CONVOLUTION, CROSS_CORRELATION, FIGURE, TABLE, Rule
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import DELTA, KERNEL
from convbp.explorers.states.fields import array, choice
from convbp.explorers.states.layer import LARGEST_KERNEL, LayerState
from convbp.notation import number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Scene, Selection, Tag, Term, named_tags, rows_of
from convbp.sums import Sum, symbols

FIRST = Selection("by_kernel", 0, 0)

LEFT = {"forward": "x", "by_kernel": "∂E/∂w", "by_image": "∂E/∂o"}


def _rules(name: str) -> dict[str, str]:
    return {f"{rule.formula}, the figure" if key == FIGURE else rule.formula: key for key, rule in TABLE[name].items()}


@dataclass(frozen=True, eq=False)
class State(LayerState):
    """A layer with one rule for each part of `TABLE`; where none is given, the one that belongs to the forward pass."""

    begins_with: ClassVar[dict[str, Any]] = {"delta": DELTA}

    kernel: np.ndarray = array(
        KERNEL, LARGEST_KERNEL, shape="(k1, k2)", doc="No larger than the image.", sliders="w", presets=True
    )
    forward: str = choice(
        CROSS_CORRELATION,
        _rules("forward"),
        label="x =",
        change=lambda state, rule: replace(state, **dict.fromkeys(TABLE, rule)),
    )
    by_kernel: str = choice(
        None,
        _rules("by_kernel"),
        label="∂E/∂w =",
        doc="Whose rule is used for ∂E/∂w: of a convention, or of the article's figure. If left out, as ``forward``.",
    )
    by_image: str = choice(None, _rules("by_image"), label="∂E/∂o =", doc="Whose rule is used for ∂E/∂o.")

    def __post_init__(self) -> None:
        for name in ("by_kernel", "by_image"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, self.forward)
        super().__post_init__()

    def output(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """What the layer makes of an image, under its convention."""
        return self.rule("forward").value(convolution, image, kernel, None)

    def rule(self, name: str) -> Rule:
        """The one that is chosen for this part of `TABLE`."""
        return TABLE[name][getattr(self, name)]


class Part(NamedTuple):
    """x or one of the gradients, by its rule; a gradient has its central difference, too, and where that is another."""

    name: str
    rule: Rule
    values: np.ndarray
    again: np.ndarray
    sums: np.ndarray
    slopes: np.ndarray | None
    wrong: np.ndarray

    @property
    def title(self) -> str:
        return f"{LEFT[self.name]} = {self.rule.formula}"


def scene(state: State) -> Scene:
    """Return the picture of a state: o and w, x and δ, and each gradient by its rule, above its central difference.

    Where the two differ the cell has the tag ≠. For an entry of x, or of a gradient, the highlight outlines what it is
    made of, with a name for what meets there, and writes out the sum.
    """
    parts = {name: _part(state, name) for name in TABLE}
    tags = {"w": named_tags("w", state.kernel.shape), "δ": named_tags("δ", state.delta.shape)}
    grids = {
        "o": Grid("o", "input o", rows_of(state.image)),
        "w": Grid("w", "kernel w", rows_of(state.kernel), tags=rows_of(tags["w"])),
        "δ": Grid("δ", "δ = ∂E/∂x", rows_of(state.delta)),
    }
    for (name, part), axes in zip(parts.items(), (("i", "j"), ("m′", "n′"), ("i′", "j′")), strict=True):
        marked = rows_of(np.where(part.wrong, Tag("≠", 1), None))
        grids[name] = Grid(name, part.title, rows_of(part.values), tags=marked, axes=axes)
        if part.slopes is not None:
            title = f"{'≠' if part.wrong.any() else '='} central difference"
            grids[f"{name} slopes"] = Grid(f"{name} slopes", title, rows_of(part.slopes))
    highlights = {
        Selection(name, *cell): _highlight(state, part, tags, *cell)
        for name, part in parts.items()
        for cell in np.ndindex(part.values.shape)
    }
    pairs = (("o", "w"), ("forward", "δ"), ("by_kernel", "by_kernel slopes"), ("by_image", "by_image slopes"))
    return Scene(
        title="Two conventions: a flip forwards, or on the way back",
        columns=tuple(tuple(grids[name] for name in pair) for pair in pairs),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _part(state: State, name: str) -> Part:
    rule, arrays = state.rule(name), {"o": state.image, "w": state.kernel, "δ": state.delta}
    values, again = (compute(convolution, *arrays.values()) for compute in (rule.value, rule.again))
    sums = rule.value(loops, *(symbols(letter, array) for letter, array in arrays.items()))
    if name == "forward":
        return Part(name, rule, values, again, sums, None, np.zeros(values.shape, bool))
    slopes = state.central_difference("kernel" if name == "by_kernel" else "image")
    return Part(name, rule, values, again, sums, slopes, _differ(values, slopes))


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two arrays are not equal; floats are, if they are so up to what rounding makes of a difference."""
    rounding = 1e-9 * float(np.abs(other).max())

    def differ(a, b) -> bool:
        return not isclose(a, b, abs_tol=rounding) if isinstance(b, float) else a != b

    return np.reshape([differ(a, b) for a, b in zip(one.flat, other.flat, strict=True)], one.shape)


def _marks(state: State, name: str, tags: dict[str, np.ndarray], i: int, j: int) -> tuple[Mark, ...]:
    """What the entry is made of; a rule that turns an array reads it from the other end."""
    (k1, k2), (rows, cols), rule = state.kernel.shape, state.delta.shape, getattr(state, name)
    if name == "forward":
        met = tags["w"][::-1, ::-1] if rule == CONVOLUTION else tags["w"]
        return Mark("o", i, j, k1, k2, rows_of(met)), Mark("w", 0, 0, k1, k2)
    if name == "by_kernel":
        met = tags["δ"][::-1, ::-1] if rule == FIGURE else tags["δ"]
        window = (k1 - 1 - i, k2 - 1 - j) if rule == CONVOLUTION else (i, j)
        return Mark("o", *window, rows, cols, rows_of(met)), Mark("δ", 0, 0, rows, cols, rows_of(tags["δ"]))
    met = tags["w"] if rule == CONVOLUTION else tags["w"][::-1, ::-1]
    top, left = max(i - k1 + 1, 0), max(j - k2 + 1, 0)
    met = met[top - i + k1 - 1 :, left - j + k2 - 1 :][: rows - top, : cols - left]
    return Mark("δ", top, left, *met.shape, rows_of(met)), Mark("w", 0, 0, k1, k2)


def _highlight(state: State, part: Part, tags: dict[str, np.ndarray], i: int, j: int) -> Highlight:
    name, forward, cell = part.name, state.rule("forward").formula, (i, j)
    marks = _marks(state, name, tags, i, j)
    hues = {tag.text: tag.hue for tag in tags["δ" if name == "by_kernel" else "w"].flat}

    def term(factors: tuple) -> Term:
        product = Sum(factors)
        return Term(
            symbols=product.in_symbols()[0],
            numbers=f"{product.in_numbers()[0]} = {number(product.value)}",
            hue=next(hues[part.text] for part in factors if part.text in hues),
        )

    terms, width = [term(factors) for factors in part.sums[cell].terms], marks[0].cols
    value, again, rule = number(part.values[cell]), number(part.again[cell]), getattr(state, name)
    if name == "forward":
        row = [TABLE[other][rule].formula for other in ("by_kernel", "by_image")]
        total = f"x({i}, {j}) is {value} by this rule."
        belongs = f"In its row of the table: ∂E/∂w = {row[0]}, ∂E/∂o = {row[1]}."
    else:
        slope, fits = number(part.slopes[cell]), rule == state.forward
        verdict = "wrong" if part.wrong[cell] else "they agree" if fits else "equal, but by chance"
        total = (
            f"{LEFT[name]}({i}, {j}) is {value} by this rule; the central difference of Σ δ·x is {slope}: {verdict}."
        )
        belongs = f"This rule belongs to x = {forward}: the same row of the table."
        if rule == FIGURE:
            belongs = "This rule, that of the article's figure, belongs to no row of the table."
        elif not fits:
            other = TABLE["forward"][rule].formula
            belongs = f"This rule belongs to x = {other}, but the forward pass is x = {forward}: two rows are mixed."
    return Highlight(
        marks=(
            *marks,
            Mark(name, i, j),
            *((Mark(f"{name} slopes", i, j, style="dashed"),) if name != "forward" else ()),
        ),
        formula=Formula(
            heading=f"{LEFT[name]} at ({i}, {j}), by {part.rule.formula}:",
            terms=tuple(tuple(terms[at : at + width]) for at in range(0, len(terms), width)),
            total=total,
            notes=(f"{part.rule.note}, here {again}.", belongs),
        ),
        sentence=f"{part.title}: {total} {belongs}",
    )


class ConventionSwitch(Explorer, state=State, scene=scene):
    """Switch the convention, and the rules for both gradients switch with it; or mix them, and see what goes wrong."""
