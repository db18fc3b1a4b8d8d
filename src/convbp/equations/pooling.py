"""The pooling rules that stand without numbers after Eq. 22: max and average, and L2, which the article only names."""

from fractions import Fraction
from math import isqrt

import numpy as np

from convbp.equations.cases import Blocks, Map, table
from convbp.equations.entry import Equation, Side, Statement

_E_BY_X = r"\frac{\partial E}{\partial x_{i',j'}}"
_STEP = Fraction(1, 3)  # less than half of the distance of two integers, so that no other entry becomes the maximum


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


def _routed(case: Blocks, share) -> np.ndarray:
    """For each pixel δ of its block, times ``share(block, pixel)``."""

    def entry(*pixel):
        i, j = (index // case.N for index in pixel)
        return case.delta(i, j) * share(case.block(i, j), pixel)

    return table(entry, *case.pixels)


def _max_rule(case: Blocks):
    return _routed(case, lambda block, pixel: int(pixel == max(block, key=lambda place: case.inputs(*place))))


def _average_rule(case: Blocks):
    return _routed(case, lambda block, pixel: Fraction(1, case.N * case.N))


def _norm(case: Blocks, block) -> int:
    return isqrt(sum(case.inputs(*place) ** 2 for place in block))


def _l2_by_differences(case: Blocks):
    """∂y/∂x by way of the square of y, which is a polynomial: ∂(y²) = 2y ∂y."""
    halved = case.with_arrays(
        delta=table(lambda i, j: case.delta(i, j) * Fraction(1, 2 * _norm(case, case.block(i, j))), *case.places)
    )
    return _by_differences(halved, lambda block: sum(entry * entry for entry in block))


def _l2_rule(case: Blocks):
    return _routed(case, lambda block, pixel: Fraction(case.inputs(*pixel), _norm(case, block)))


def _entry(key: str, title: str, explanation: str, left, latex: str, right, left_out: bool = False) -> Equation:
    rule = Statement((Side(_E_BY_X, left), Side(latex, right)))
    return Equation(
        key,
        title,
        "Pooling Layer",
        Blocks,
        explanation,
        symbols={"x": "inputs", r"\delta": "delta"},
        axes=("i'", "j'"),
        printed=None if left_out else rule,
        corrected=rule if left_out else None,
        example_sizes=(2, 1, 2),
    )


MAX = _entry(
    "max pooling",
    "The error goes to the winning unit",
    "The largest entry of a block is the output, so a small change of any other entry changes nothing. Where two share "
    "the maximum there is no derivative, and one has to choose: this course takes the first in row-major order. "
    "Where windows overlap, what a unit gets from each of them adds up.",
    lambda case: _by_differences(case, max),
    r"\delta_{\text{block}} \cdot \begin{cases}1 & \text{if } x_{i',j'} \text{ is the largest of its block}\\ "
    r"0 & \text{else}\end{cases}",
    _max_rule,
)
AVERAGE = _entry(
    "average pooling",
    "The error is shared out equally",
    "Each of the N·N entries of a block counts 1/(N·N) in its average.",
    lambda case: _by_differences(case, lambda block: Fraction(sum(block)) / len(block)),
    r"\delta_{\text{block}} \cdot \frac{1}{N \times N}",
    _average_rule,
)
L2 = _entry(
    "L2 pooling",
    "The error is shared out by the entries",
    "The article names L2-norm pooling and leaves its rule out. y = √Σx² gives ∂y/∂x = x/y. Where y is 0 there is no "
    "derivative; this course takes 0.",
    _l2_by_differences,
    r"\delta_{\text{block}} \cdot \frac{x_{i',j'}}{y_{\text{block}}},\quad y = \sqrt{\textstyle\sum x^2}",
    _l2_rule,
    left_out=True,
)

EQUATIONS = (MAX, AVERAGE, L2)
