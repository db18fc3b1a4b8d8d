"""Forward with a flip or without: to each belong its own rules for the way back, and to mix them is wrong.

One row of the table is Eq. 7, 13 and 20 of the article, the other is that of Gwardys; each flips in one of two passes.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import isclose
from typing import Any, ClassVar

import numpy as np

from convbp.equations.cases import CONVOLUTION, CROSS_CORRELATION
from convbp.equations.conventions import FIGURE, TABLE, Rule, formula_of
from convbp.equations.terms import Arrays, all_terms
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.examples import DELTA, KERNEL
from convbp.explorers.states.fields import array, choice
from convbp.explorers.states.layer import LARGEST_KERNEL, LayerState
from convbp.notation import number
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
from convbp.pictures.written_terms import Tags, coming_about, in_rows, outline, written
from convbp.sums import Sum

FIRST = Selection("by_kernel", 0, 0)

SHOWN = {"o": "o", "delta": "δ", "kernel": "w"}  # the grid of each array
LEFT = {"forward": "x", "by_kernel": "∂E/∂w", "by_image": "∂E/∂o"}


def _rules(name: str) -> dict[str, str]:
    return {
        f"{rule.map.text}, the figure" if key == FIGURE else rule.map.text: key for key, rule in TABLE[name].items()
    }


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

    def outputs(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """Under its convention."""
        return super().outputs(image, kernel[:, ::-1, ::-1] if self.forward == CONVOLUTION else kernel)

    def rule(self, name: str) -> Rule:
        """The one that is chosen for this part of `TABLE`."""
        return TABLE[name][getattr(self, name)]


@dataclass(frozen=True, eq=False)
class Part:
    """x or one of the gradients, by its rule; a gradient has its central difference, too, and where that is another."""

    name: str
    rule: Rule
    arrays: Arrays
    values: np.ndarray
    slopes: np.ndarray | None
    wrong: np.ndarray

    @cached_property
    def again(self) -> np.ndarray:
        """The same in the other way to write the rule."""
        return formula_of(self.name, self.rule.again).table(self.arrays)

    @cached_property
    def sums(self) -> np.ndarray:
        """The entries as sums."""
        return all_terms(formula_of(self.name, self.rule.map), self.arrays)

    @property
    def title(self) -> str:
        return f"{LEFT[self.name]} = {self.rule.map.text}"


def scene(state: State) -> Scene:
    """Return the picture of a state: o and w, x and δ, and each gradient by its rule, above its central difference.

    Where the two differ the cell has the tag ≠. For an entry of x, or of a gradient, the highlight outlines what it is
    made of, with a name for what meets there, and writes out the sum.
    """
    parts = {name: _part(state, name) for name in TABLE}
    tags = {"w": named_tags("w", state.kernel), "δ": named_tags("δ", state.delta)}
    grids = {
        "o": Grid("o", "input o", rows_of(state.image)),
        "w": Grid("w", "kernel w", rows_of(state.kernel), tags=rows_of(tags["w"]), notch="first"),
        "δ": Grid("δ", "δ = ∂E/∂x", rows_of(state.delta)),
    }
    for (name, part), axes in zip(parts.items(), (("i", "j"), ("m′", "n′"), ("i′", "j′")), strict=True):
        marked = rows_of(np.frompyfunc(lambda wrong: Tag("≠", 1) if wrong else None, 1, 1)(part.wrong))
        grids[name] = Grid(name, part.title, rows_of(part.values), tags=marked, axes=axes)
        if part.slopes is not None:
            title = f"{'≠' if part.wrong.any() else '='} central difference"
            grids[f"{name} slopes"] = Grid(f"{name} slopes", title, rows_of(part.slopes))
    highlights = {
        Selection(name, *cell): partial(_highlight, state, part, tags, *cell)
        for name, part in parts.items()
        for cell in np.ndindex(part.values.shape)
    }
    o, w, δ, x, by_kernel, by_image = (grids[name] for name in ("o", "w", "δ", *TABLE))
    return Scene(
        title="Two conventions: a flip forwards, or on the way back",
        line=((o, w, "→", x), (δ, "→", by_kernel, by_image), (PRODUCTS, "→", SUM)),
        maps=(grids["by_kernel slopes"], grids["by_image slopes"]),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _part(state: State, name: str) -> Part:
    rule, arrays = state.rule(name), Arrays(o=state.image, kernel=state.kernel, delta=state.delta)
    values = formula_of(name, rule.map).table(arrays)
    if name == "forward":
        return Part(name, rule, arrays, values, None, np.zeros(values.shape, bool))
    slopes = state.central_difference("kernel" if name == "by_kernel" else "image")
    return Part(name, rule, arrays, values, slopes, _differ(values, slopes))


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two arrays are not equal; floats are, if they are so up to what rounding makes of a difference."""
    rounding = 1e-9 * float(np.abs(other).max())

    def differ(a, b) -> bool:
        return not isclose(a, b, abs_tol=rounding) if isinstance(b, float) else a != b

    return np.reshape([differ(a, b) for a, b in zip(one.flat, other.flat, strict=True)], one.shape)


def _marks(name: str, entry: Sum, tags: Tags) -> tuple[Mark, ...]:
    """The cells that the entry is made of, with what meets there."""
    if name == "by_kernel":
        return outline("o", "o", entry, tags), outline("δ", "delta", entry, tags)
    met, array = ("o", "o") if name == "forward" else ("δ", "delta")
    return outline(met, array, entry.inside, tags), outline("w", "kernel", entry)


def _highlight(state: State, part: Part, tags: dict[str, np.ndarray], i: int, j: int) -> Highlight:
    name, forward, cell = part.name, state.rule("forward").map.text, (i, j)
    entry, carried = part.sums[cell], {tag.text: tag for tag in tags["δ" if name == "by_kernel" else "w"].flat}
    marks, terms = _marks(name, entry, carried), written(entry.inside, carried)
    value, again, rule = number(part.values[cell]), number(part.again[cell]), getattr(state, name)
    if part.slopes is None:
        row = [TABLE[other][rule].map.text for other in ("by_kernel", "by_image")]
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
            other = TABLE["forward"][rule].map.text
            belongs = f"This rule belongs to x = {other}, but the forward pass is x = {forward}: two rows are mixed."
    return Highlight(
        marks=(
            *marks,
            Mark(name, i, j),
            *((Mark(f"{name} slopes", i, j, style="dashed"),) if name != "forward" else ()),
        ),
        formula=Formula(
            heading=f"{LEFT[name]} at ({i}, {j}), by {part.rule.map.text}:",
            terms=in_rows(terms, marks[0].cols),
            total=total,
            column=(("Σ", part.values[cell]),),
            notes=(f"{part.rule.note.format(part.rule.again.text)}, here {again}.", belongs),
        ),
        sentence=f"{part.title}: {total} {belongs}",
        flights=coming_about(entry.inside, SHOWN, marks[0].cols, Cells(name, i, j)),
    )


class ConventionSwitch(Explorer, state=State, scene=scene):
    """Switch the convention, and the rules for both gradients switch with it; or mix them, and see what goes wrong."""
