"""The pooling rules that stand without numbers after Eq. 22: max and average, and L2, which the article only names."""

from fractions import Fraction
from math import isqrt

import numpy as np

from convbp.equations.cases import Blocks, table
from convbp.equations.entry import Equation, Statement
from convbp.equations.formula import (
    Block,
    Defined,
    Expression,
    Judged,
    Largest,
    Letter,
    Map,
    Number,
    Partial,
    Place,
    Product,
    Ratio,
    Root,
    With,
    dot,
    over,
    total,
)
from convbp.equations.letters import H, N, W, i_, j_, m, n

_STEP = Fraction(1, 3)  # less than half of the distance of two integers, so that no other entry becomes the maximum
x, δ = Letter("x", "inputs"), Letter(r"\delta", "delta")
_X = x[i_, j_]
_BLOCK = Place(r"\text{block}", (Block(i_, N), Block(j_, N)))
_SHARE = δ[_BLOCK]
_SQUARES = total((m, 0, N - 1), (n, 0, N - 1), over=r"\sum")(x.bare(N * Block(i_, N) + m, N * Block(j_, N) + n) ** 2)
_NORM = Root(_SQUARES)
_Y = Defined(r"y_{\text{block}}")


def _by_differences(case: Blocks, pooled) -> np.ndarray:
    """Σ δ ∂y/∂x for each pixel; the change of y = ``pooled(entries of a block)`` by central differences."""

    def value(inputs: Map, i: int, j: int):
        return pooled([inputs(*place) for place in case.block(i, j)])

    def entry(*pixel):
        ahead, behind = (case.inputs.with_entry(pixel, case.inputs(*pixel) + step) for step in (_STEP, -_STEP))
        return sum(
            case.delta(i, j) * (value(ahead, i, j) - value(behind, i, j)) / (2 * _STEP)
            for i in case.places[0]
            for j in case.places[1]
        )

    return table(entry, *case.pixels)


def _norm(case: Blocks, block) -> int:
    return isqrt(sum(case.inputs(*place) ** 2 for place in block))


def _l2_by_differences(case: Blocks):
    """∂y/∂x by way of the square of y, which is a polynomial: ∂(y²) = 2y ∂y."""
    halved = case.with_arrays(
        delta=table(lambda i, j: case.delta(i, j) * Fraction(1, 2 * _norm(case, case.block(i, j))), *case.places)
    )
    return _by_differences(halved, lambda block: sum(entry * entry for entry in block))


def _entry(key: str, title: str, explanation: str, by, rule: Expression, left_out: bool = False) -> Equation:
    left = Judged(Partial(Letter("E", "error")[()], _X), by, (i_, j_))
    statement = Statement.of(over((i_, 0, H - 1), (j_, 0, W - 1)), left, rule)
    return Equation(
        key,
        title,
        "Pooling Layer",
        Blocks,
        explanation,
        symbols={"x": "inputs", r"\delta": "delta"},
        printed=None if left_out else statement,
        corrected=statement if left_out else None,
        example_sizes=(2, 1, 2),
    )


MAX = _entry(
    "max pooling",
    "The error goes to the winning unit",
    "The largest entry of a block is the output, so a small change of any other entry changes nothing. Where two share "
    "the maximum there is no derivative, and one has to choose: this course takes the first in row-major order. "
    "Where windows overlap, what a unit gets from each of them adds up.",
    lambda case: _by_differences(case, max),
    dot(_SHARE, Largest(_X, N)),
)
AVERAGE = _entry(
    "average pooling",
    "The error is shared out equally",
    "Each of the N·N entries of a block counts 1/(N·N) in its average.",
    lambda case: _by_differences(case, lambda block: Fraction(sum(block)) / len(block)),
    dot(_SHARE, Ratio(Number(1), Product((N, N), r" \times "))),
)
L2 = _entry(
    "L2 pooling",
    "The error is shared out by the entries",
    "The article names L2-norm pooling and leaves its rule out. y = √Σx² gives ∂y/∂x = x/y. Where y is 0 there is no "
    "derivative; this course takes 0.",
    _l2_by_differences,
    With(dot(_SHARE, Ratio(_X, _Y)), _Y, "y", _NORM),
    left_out=True,
)

EQUATIONS = (MAX, AVERAGE, L2)
