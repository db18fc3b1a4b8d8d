"""The two conventions: forward without a flip or with one, and what follows from it for the two gradients.

Nearly every framework, and Eq. 7 of the article, cross-correlates. Grzegorz Gwardys, "Convolutional Neural
Networks backpropagation: from intuition to derivation" (2016), convolves. Both are right; what is wrong is to mix
the rows.
"""

from dataclasses import dataclass

from convbp.equations.cases import CONVOLUTION, CROSS_CORRELATION, Layer
from convbp.equations.deltas import NEXT_LAYER
from convbp.equations.entry import Equation, Statement
from convbp.equations.formula import FULL, OTIMES, STAR, VALID, Formula, InPart, Letter, Slid, Turned, dot, over
from convbp.equations.letters import E, H, W, by, i, j, k1, k2, slope

FIGURE = "figure"

_o, _w, _δ = Letter("o", "o"), Letter("w", "kernel"), Letter(r"\delta", "delta")
_x, _below, _b = Letter("x", "x").bare(i, j), Letter("x", "inputs").bare(i, j), Letter("b", "bias")[()]
_PLACES, _WEIGHTS = over((i, 0, H - k1), (j, 0, W - k2)), over((i, 0, k1 - 1), (j, 0, k2 - 1))
_PIXELS = over((i, 0, H - 1), (j, 0, W - 1))


@dataclass(frozen=True)
class Rule:
    """A formula of the whole maps o, w and δ, and another one that gives the same, or for the figure what it should be.

    ``note`` says of the other one how it is written.
    """

    map: Slid | Turned
    note: str
    again: Slid | Turned


# What is computed -> how each convention does it, and for the kernel the article's figure. A convention is a row.
TABLE = {
    "forward": {
        CROSS_CORRELATION: Rule(
            Slid(OTIMES, _o, _w, VALID), "Written with ∗: {} (Eq. 6)", Slid(STAR, Turned(_w), _o, VALID)
        ),
        CONVOLUTION: Rule(Slid(STAR, _o, _w, VALID), "Written with ⊗: {}", Slid(OTIMES, _o, Turned(_w), VALID)),
    },
    "by_kernel": {
        CROSS_CORRELATION: Rule(
            Slid(OTIMES, _o, _δ, VALID),
            "With ∗ it is δ that is turned: {} (Eq. 14)",
            Slid(STAR, Turned(_δ), _o, VALID),
        ),
        CONVOLUTION: Rule(
            Turned(Slid(OTIMES, _o, _δ, VALID)),
            "With ∗ it is o that is turned: {}",
            Slid(STAR, Turned(_o), _δ, VALID),
        ),
        FIGURE: Rule(
            Slid(OTIMES, _o, Turned(_δ), VALID),
            "Eq. 14 beside that figure has ∗: {}",
            Slid(STAR, Turned(_δ), _o, VALID),
        ),
    },
    "by_image": {
        CROSS_CORRELATION: Rule(
            Slid(OTIMES, _δ, Turned(_w), FULL), "Written with ∗, no turn: {} (Eq. 20)", Slid(STAR, _δ, _w, FULL)
        ),
        CONVOLUTION: Rule(Slid(OTIMES, _δ, _w, FULL), "Eq. 22 as printed: {}", Slid(STAR, _δ, Turned(_w), FULL)),
    },
}
DOMAINS = {"forward": _PLACES, "by_kernel": _WEIGHTS, "by_image": _PIXELS}


def formula_of(name: str, map: Slid | Turned) -> Formula:
    """The map of a rule for this part of the `TABLE`, entry by entry."""
    return Formula(map.bare(i, j), DOMAINS[name])


@dataclass(frozen=True, eq=False)
class ConvolutionLayer(Layer):
    """A layer whose forward pass is x = o ∗ w + b, the valid part."""

    convention: str = CONVOLUTION


@dataclass(frozen=True)
class Convention:
    """One row of the table: three entries that can be shown and checked as those of the article."""

    name: str
    forward: Equation
    kernel_gradient: Equation
    delta: Equation

    @property
    def entries(self) -> tuple[Equation, Equation, Equation]:
        return self.forward, self.kernel_gradient, self.delta


class Conventions(tuple):
    """The two rows; a notebook shows them as a table."""

    def __repr__(self) -> str:
        return "\n".join(entry.judged for row in self for entry in row.entries)

    def _repr_markdown_(self) -> str:
        head = "| | forward | $\\partial E/\\partial w$ | $\\partial E/\\partial x$ below |\n|---|---|---|---|"
        rows = [[row.name, *(_right_side(entry) for entry in row.entries)] for row in self]
        return "\n".join([head, *("| " + " | ".join(row) + " |" for row in rows)])


def conventions() -> Conventions:
    """Return the two conventions: cross-correlation forward, and convolution forward.

    Returns
    -------
    Conventions
    """
    return _CONVENTIONS


def _right_side(entry: Equation) -> str:
    sides = " = ".join(side.latex for side in entry.statement.sides[1:])
    return f"${sides}$ ({entry.verdict})"


_NAMES = {
    CROSS_CORRELATION: ("cross-correlation forward (Eq. 7; PyTorch, TensorFlow)", Layer),
    CONVOLUTION: ("convolution forward (Gwardys)", ConvolutionLayer),
}


def _row(convention: str) -> Convention:
    name, family = _NAMES[convention]
    rules = {part: TABLE[part][convention] for part in TABLE}
    pair = sorted((rules["by_image"].map, rules["by_image"].again), key=lambda map: "rot" not in map.latex)
    deltas = [dot(map.bare(i, j), slope(_below)) for map in pair]

    def entry(what, title, part, *sides):
        statement = Statement.of(DOMAINS[part], *sides)
        return Equation(f"{what}, {convention} forward", title, "Convolution", family, "", NEXT_LAYER, statement)

    return Convention(
        name,
        entry("forward", "The forward pass", "forward", _x, InPart(rules["forward"].map.bare(i, j) + _b)),
        entry(
            "kernel gradient",
            "The gradient of the kernel",
            "by_kernel",
            by(E, _w.bare(i, j)),
            InPart(rules["by_kernel"].map.bare(i, j)),
        ),
        entry("delta", "The way back", "by_image", by(E, _below), deltas[0], InPart(deltas[1])),
    )


_CONVENTIONS = Conventions(map(_row, _NAMES))
