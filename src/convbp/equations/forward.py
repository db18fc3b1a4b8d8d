"""Eq. 6 to 9: the forward pass of a layer, its activation, and the error."""

from fractions import Fraction

import numpy as np

from convbp.convolution import cross_correlate
from convbp.equations.cases import Layer, Predictions, double_sum, table
from convbp.equations.conditions import one_bias, with_one_weight
from convbp.equations.entry import Condition, Equation, Side, Statement
from convbp.losses import half_sum_of_squares


def _layer(case: Layer):
    return cross_correlate(case.o.array, case.kernel.array) + case.bias


def _eq6(case: Layer, shift=(0, 0), bias=None):
    """rot180{w} * o at (i, j) + ``shift``, by Eq. 2, and the bias: bᵢⱼ, or one for all places."""
    o, turned, (down, right) = case.o, case.kernel.rot180(), shift
    b = case.biases if bias is None else lambda i, j: bias
    return table(
        lambda i, j: double_sum(*case.entries, lambda m, n: o(i + down - m, j + right - n) * turned(m, n)) + b(i, j),
        *case.places,
    )


def _eq6_valid(case: Layer):
    k1, k2 = case.kernel.shape
    return _eq6(case, shift=(k1 - 1, k2 - 1), bias=case.bias)


def _eq7(case: Layer, bias=None):
    o, w = case.o, case.kernel
    b = case.biases if bias is None else lambda i, j: bias
    return table(lambda i, j: double_sum(*case.entries, lambda m, n: w(m, n) * o(i + m, j + n)) + b(i, j), *case.places)


def eq7_one_bias(case: Layer):
    return _eq7(case, bias=case.bias)


_X = "x^l_{i,j}"
_LAYER = {"o^{l-1}": "o", "w^l": "kernel", "b^l_{ij}": "biases"}

EQ_6 = Equation(
    6,
    "The forward pass as a convolution",
    "Forward Propagation",
    Layer,
    "A true convolution with the turned kernel flips twice, that is not at all, and is the cross-correlation of Eq. 7. "
    "But entry (i, j) of the layer is entry (i + k₁ − 1, j + k₂ − 1) of the full convolution: its valid part is meant. "
    "And a filter has one bias b, not one for each place.",
    symbols=_LAYER,
    axes=("i", "j"),
    printed=Statement(
        (Side(_X, _layer), Side(r"\mathrm{rot}_{180^\circ}\{w^l_{m,n}\} * o^{l-1}_{i,j} + b^l_{i,j}", _eq6)),
        conditions=(
            Condition("the kernel is 1×1 and the bias the same everywhere", lambda c: one_bias(with_one_weight(c))),
        ),
    ),
    readings=(
        Statement(
            (Side(_X, _layer), Side(r"\mathrm{rot}_{180^\circ}\{w^l_{m,n}\} * o^{l-1}_{i,j} + b^l_{i,j}", _eq6_valid)),
            note="∗ is the valid part of the convolution, counted from its own first entry, and bᵢⱼ is b everywhere",
        ),
    ),
    corrected=Statement(
        (
            Side(_X, _layer),
            Side(r"\big(\mathrm{rot}_{180^\circ}\{w^l\} * o^{l-1}\big)_{i+k_1-1,\,j+k_2-1} + b^l", _eq6_valid),
        ),
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
    "article's own list of symbols says; with a bias for each place the weights would be shared, but not the bias.",
    symbols=_LAYER,
    axes=("i", "j"),
    printed=Statement(
        (Side(_X, _layer), Side(r"\sum_m \sum_n w^l_{m,n}\, o^{l-1}_{i+m,j+n} + b^l_{i,j}", _eq7)),
        conditions=(Condition("the bias is the same everywhere", one_bias),),
    ),
    readings=(
        Statement(
            (Side(_X, _layer), Side(r"\sum_m \sum_n w^l_{m,n}\, o^{l-1}_{i+m,j+n} + b^l_{i,j}", eq7_one_bias)),
            note="bᵢⱼ is the filter's one bias b, whatever i and j",
        ),
    ),
    corrected=Statement(
        (Side(_X, _layer), Side(r"\sum_m \sum_n w^l_{m,n}\, o^{l-1}_{i+m,j+n} + b^l", eq7_one_bias)),
        note="b for bᵢⱼ",
    ),
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
    axes=("i", "j"),
    printed=Statement(
        (
            Side("o^l_{i,j}", _activated_as_polynomial),
            Side("f(x^l_{i,j})", lambda case: table(lambda i, j: case.f(case.x(i, j)), *case.places)),
        )
    ),
)


# Eq. 9: the error.


def _mean_squared_error(case: Predictions):
    misses = case.t.array - case.y.array
    return np.array([sum(misses * misses) * Fraction(1, len(misses))], object)


def _eq9(case: Predictions):
    (P,) = case.y.shape
    return np.array([Fraction(1, 2) * sum((case.t(p) - case.y(p)) ** 2 for p in range(P))], object)


def _half_squared_error(case: Predictions):
    return np.array([half_sum_of_squares(case.y.array, case.t.array)], object)


EQ_9 = Equation(
    9,
    "The error",
    "Error",
    Predictions,
    "As a definition of E it holds, and ∂E/∂yₚ = yₚ − tₚ follows. The name in the sentence before it does not fit: the "
    "mean squared error of P predictions is divided by P, this is half the sum. The two agree for P = 2 only.",
    symbols={"y": "y", "t": "t"},
    axes=("",),
    printed=Statement(
        (Side("E", _half_squared_error), Side(r"\tfrac12 \sum_p (t_p - y_p)^2", _eq9)),
        note="half the sum of the squares, whatever it is called",
    ),
    said={
        "by its name, the mean of the squares": Statement(
            (Side(r"\text{mean squared error}", _mean_squared_error), Side(r"\tfrac12 \sum_p (t_p - y_p)^2", _eq9)),
            conditions=(Condition("P = 2", lambda case: case.with_arrays(y=case.y.array[:2], t=case.t.array[:2])),),
        ),
    },
    remark="a definition under the wrong name",
    vary=("y", "t"),
    example_sizes=(3,),
)

EQUATIONS = (EQ_6, EQ_7, EQ_8, EQ_9)
