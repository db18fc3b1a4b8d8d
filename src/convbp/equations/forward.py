"""Eq. 6 to 9: the forward pass of a layer, its activation, and the error."""

from fractions import Fraction

import numpy as np

from convbp.convolution import convolve, cross_correlate
from convbp.equations import readings
from convbp.equations.cases import CROSS_CORRELATION, Layer, Predictions
from convbp.equations.conditions import one_bias, own_turn, with_one_weight
from convbp.equations.entry import Condition, Equation, Statement
from convbp.equations.formula import (
    OTIMES,
    STAR,
    Domain,
    Entries,
    Formula,
    Judged,
    Letter,
    Number,
    Slid,
    Turned,
    beside,
    total,
)
from convbp.equations.formula import (
    VALID as VALID_PART,
)
from convbp.equations.letters import P, f, i, j, k1, k2, m, n, p
from convbp.equations.sliding import OVER_KERNEL, VALID
from convbp.losses import half_sum_of_squares

o, w, x = Letter("o^{l-1}", "o"), Letter("w^l", "kernel"), Letter("x^l", "x")
b_ij, b = Letter("b^l", "biases")[i, j], Letter("b^l", "bias")[()]
_LAYER = {"o^{l-1}": "o", "w^l": "kernel", "b^l_{ij}": "biases"}


def _layer(case: Layer):
    slide = cross_correlate if case.convention == CROSS_CORRELATION else convolve
    return slide(case.o.array, case.kernel.array) + case.bias


def _flipping_layer(case: Layer):
    return convolve(case.o.array, case.kernel.array) + case.bias


_X = Judged(x[i, j], _layer)
_TURNED = Turned(w, braces=True)
_STAR = Entries(STAR, _TURNED[m, n], o[i, j])
_VALID_PART = Slid(STAR, _TURNED, o)[i + k1 - 1, j + k2 - 1]
_EQ_6 = Statement.of(
    VALID,
    _X,
    _STAR + b_ij,
    conditions=(
        Condition("the kernel is 1×1 and the bias the same everywhere", lambda c: one_bias(with_one_weight(c))),
    ),
)
_SUM = total(OVER_KERNEL[0], said=False)(total(OVER_KERNEL[1], said=False)(w[m, n] * o[i + m, j + n]))
FORWARD_SUM = Formula(_SUM, VALID)  # Eq. 7 without the bias
_EQ_7 = Statement.of(VALID, _X, _SUM + b_ij, conditions=(Condition("the bias is the same everywhere", one_bias),))

EQ_6 = Equation(
    6,
    "The forward pass as a convolution",
    "Forward Propagation",
    Layer,
    "A true convolution with the turned kernel flips twice, that is not at all, and is the cross-correlation of Eq. 7. "
    "But entry (i, j) of the layer is entry (i + k₁ − 1, j + k₂ − 1) of the full convolution: its valid part is meant. "
    "And a filter has one bias b, not one for each place.",
    symbols=_LAYER,
    printed=_EQ_6,
    tried=(
        _EQ_6.read_as({_STAR: _VALID_PART, b_ij: b}, readings.CONVOLVES, readings.IN_VALID, readings.ONE_BIAS),
        _EQ_6.read_as(
            {_STAR: Slid(OTIMES, o, _TURNED, VALID_PART)[i, j], b_ij: b},
            readings.CORRELATES,
            readings.IN_VALID,
            readings.ONE_BIAS,
            conditions=(Condition("the kernel is equal to its own rot180", own_turn("kernel")),),
        ),
    ),
    corrected=Statement.of(
        VALID,
        _X,
        _VALID_PART + b,
        note="entry (i + k₁ − 1, j + k₂ − 1) of the full convolution, and b for bᵢⱼ",
    ),
    remark="the valid part is meant, and one bias",
    vary=("inputs", "kernel", "biases"),
)

EQ_7 = Equation(
    7,
    "The forward pass as a sum",
    "Forward Propagation",
    Layer,
    "The forward pass is a cross-correlation, o ⊗ w, plus a bias. A filter has one bias b for all places, as the "
    "article's own list of symbols says; with a bias for each place the weights would be shared, but not the bias. "
    "The words before Eq. 6 flip the kernel and slide it; this sum does not.",
    symbols=_LAYER,
    printed=_EQ_7,
    said={
        "by the words before it, the kernel is flipped": Statement.of(
            VALID,
            Judged(Letter(r"\text{flipped }x^l", "")[i, j], _flipping_layer),
            _SUM + b,
            conditions=(Condition("the kernel is equal to its own rot180", own_turn("kernel")),),
        ),
    },
    tried=(_EQ_7.read_as({b_ij: b}, readings.ONE_BIAS),),
    corrected=Statement.of(VALID, _X, _SUM + b, note="b for bᵢⱼ"),
    remark="one bias is meant",
    vary=("inputs", "kernel", "biases"),
)


def _activated_as_polynomial(case: Layer):
    return np.polyval(np.array([case.f.square, case.f.factor, 0], object), case.x.array)


EQ_8 = Equation(
    8,
    "The activation",
    "Forward Propagation",
    Layer,
    "A definition: f is applied to each entry by itself.",
    symbols={"x^l": "x", "f(x)": "f"},
    printed=Statement.of(VALID, Judged(Letter("o^l", "")[i, j], _activated_as_polynomial), f(x[i, j])),
)


# Eq. 9: the error.


y, t = Letter("y", "y"), Letter("t", "t")
_HALF_SQUARES = beside(Number(Fraction(1, 2), r"\tfrac12"), total((p, 0, P - 1), said=False)((t[p] - y[p]) ** 2))


def _mean_squared_error(case: Predictions):
    misses = case.t.array - case.y.array
    return sum(misses * misses) * Fraction(1, len(misses))


def _half_squared_error(case: Predictions):
    return half_sum_of_squares(case.y.array, case.t.array)


EQ_9 = Equation(
    9,
    "The error",
    "Error",
    Predictions,
    "As a definition of E it holds, and ∂E/∂yₚ = yₚ − tₚ follows. The name in the sentence before it does not fit: the "
    "mean squared error of P predictions is divided by P, this is half the sum. The two agree for P = 2 only.",
    symbols={"y": "y", "t": "t"},
    printed=Statement.of(
        Domain(),
        Judged(Letter("E", "")[()], _half_squared_error),
        _HALF_SQUARES,
        note="half the sum of the squares, whatever it is called",
    ),
    said={
        "by its name, the mean of the squares": Statement.of(
            Domain(),
            Judged(Letter(r"\text{mean squared error}", "")[()], _mean_squared_error),
            _HALF_SQUARES,
            conditions=(Condition("P = 2", lambda case: case.with_arrays(y=case.y.array[:2], t=case.t.array[:2])),),
        ),
    },
    remark="a definition under the wrong name",
    vary=("y", "t"),
    example_sizes=(3,),
)

EQUATIONS = (EQ_6, EQ_7, EQ_8, EQ_9)
