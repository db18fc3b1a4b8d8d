"""Eq. 10 to 14 and the bias gradient, which the article leaves out.

They are compared with central differences of E, or of x, through the plain loops of the forward pass.
"""

import numpy as np

from convbp.equations.cases import Layer, Map, double_sum, table
from convbp.equations.conditions import one_place, own_turn
from convbp.equations.entry import Condition, Equation, Side, Statement

_SECTION = "Backpropagation"
_OVER_MAP = r"\sum_{i=0}^{H-k_1}\sum_{j=0}^{W-k_2}"


def by(above: str, below: str) -> str:
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


_LAYER = {r"o^{l-1}": "o", "w^l": "kernel", r"\delta^l": "delta"}
_W = "w^l_{m',n'}"
_E_BY_W, _X_BY_W = by("E", _W), by("x^l_{i,j}", _W)
_O = "o^{l-1}_{i+m',j+n'}"


def _error_by_kernel(case: Layer):
    return case.error_by_kernel


def _eq10(case: Layer, error_by_x: Map):
    by = case.x_by_kernel
    return table(lambda m, n: double_sum(*case.places, lambda i, j: error_by_x(i, j) * by(i, j, m, n)), *case.entries)


def _eq10_first(case):
    return _eq10(case, case.error_by_x)


def _eq10_second(case):
    return _eq10(case, case.delta)


EQ_10 = Equation(
    10,
    "The chain rule for a weight",
    _SECTION,
    Layer,
    "A weight is used at every place of the output map, so it acts on E through every x, and the chain rule adds up "
    "all these ways. The second line only gives ∂E/∂x its name, δ.",
    symbols=_LAYER,
    axes=("m'", "n'"),
    printed=Statement(
        (
            Side(_E_BY_W, _error_by_kernel),
            Side(f"{_OVER_MAP} {by('E', 'x^l_{i,j}')} {_X_BY_W}", _eq10_first),
            Side(rf"{_OVER_MAP} \delta^l_{{i,j}} {_X_BY_W}", _eq10_second),
        )
    ),
)


def _x_by_kernel(case: Layer):
    return case.x_by_kernel.array


def _by_weight(case: Layer, expression):
    """∂/∂wₘ′ₙ′ of ``expression(w, i, j, m', n')``, for every i, j, m′, n′."""
    return table(
        lambda i, j, m, n: case.derivative(lambda w: expression(w, i, j, m, n), case.kernel, m, n),
        *case.places,
        *case.entries,
    )


def _eq11(case: Layer):
    def bracket(w, i, j, *_):
        return double_sum(*case.entries, lambda m, n: w(m, n) * case.o(i + m, j + n)) + case.bias

    return _by_weight(case, bracket)


def _eq12_expanded(case: Layer):
    def terms(w, i, j, *_):
        written = [w(m, n) * case.o(i + m, j + n) for m in case.entries[0] for n in case.entries[1]]
        return sum(written) + case.bias

    return _by_weight(case, terms)


def _eq12_survivor(case: Layer):
    return _by_weight(case, lambda w, i, j, m, n: w(m, n) * case.o(i + m, j + n))


def _eq12(case: Layer):
    return table(lambda i, j, m, n: case.o(i + m, j + n), *case.places, *case.entries)


_D_W = rf"\frac{{\partial}}{{\partial {_W}}}"

EQ_11 = Equation(
    11,
    "What stands in the derivative of x",
    _SECTION,
    Layer,
    "x is replaced by the sum that it is, Eq. 7. The sum's own m and n run over the whole kernel; m′ and n′ say which "
    "weight is moved.",
    symbols=_LAYER,
    axes=("i", "j", "m'", "n'"),
    printed=Statement(
        (
            Side(_X_BY_W, _x_by_kernel),
            Side(rf"{_D_W}\Big(\sum_m\sum_n w^l_{{m,n}}\, o^{{l-1}}_{{i+m,j+n}} + b^l\Big)", _eq11),
        )
    ),
)

EQ_12 = Equation(
    12,
    "Only one term survives",
    _SECTION,
    Layer,
    "Of the terms of the sum only the one with m = m′ and n = n′ holds the weight that is moved: its derivative is "
    "what the weight is multiplied with. All others, and the bias, are constants.",
    symbols=_LAYER,
    axes=("i", "j", "m'", "n'"),
    printed=Statement(
        (
            Side(_X_BY_W, _x_by_kernel),
            Side(
                rf"{_D_W}\Big(w^l_{{0,0}}\, o^{{l-1}}_{{i+0,j+0}} + \dots + {_W}\, {_O} + \dots + b^l\Big)",
                _eq12_expanded,
            ),
            Side(rf"{_D_W}\Big({_W}\, {_O}\Big)", _eq12_survivor),
            Side(_O, _eq12),
        )
    ),
)


def eq13(case: Layer):
    return table(
        lambda m, n: double_sum(*case.places, lambda i, j: case.delta(i, j) * case.o(i + m, j + n)), *case.entries
    )


EQ_13 = Equation(
    13,
    "The gradient of the kernel",
    _SECTION,
    Layer,
    "Eq. 12 put into Eq. 10: every δ times the input that the weight met there. It is the valid cross-correlation o "
    "⊗ δ, in which δ is not turned.",
    symbols=_LAYER,
    axes=("m'", "n'"),
    printed=Statement(
        (Side(_E_BY_W, _error_by_kernel), Side(rf"{_OVER_MAP} \delta^l_{{i,j}}\, {_O}", eq13)),
    ),
)


def _eq14(case: Layer, shift=(0, 0)):
    """rot180{δ} * o at (m′, n′) + ``shift``, by Eq. 2."""
    turned, o, (down, right) = case.delta.rot180(), case.o, shift
    return table(
        lambda m, n: double_sum(*case.places, lambda i, j: o(m + down - i, n + right - j) * turned(i, j)),
        *case.entries,
    )


def _eq14_valid(case: Layer):
    rows, cols = case.delta.shape
    return _eq14(case, shift=(rows - 1, cols - 1))


def _figure_14(case: Layer):
    turned = case.delta.rot180()
    return table(lambda m, n: double_sum(*case.places, lambda i, j: turned(i, j) * case.o(i + m, j + n)), *case.entries)


EQ_14 = Equation(
    14,
    "The gradient of the kernel as a convolution",
    _SECTION,
    Layer,
    "A true convolution turns what slides; turned twice, δ is as it was, so this is o ⊗ δ again. The printed index "
    "(m′, n′) hides that whole maps are convolved, and that the valid part is meant: entry (m′, n′) of the gradient is "
    "entry (m′ + H − k₁, n′ + W − k₂) of the full convolution.",
    symbols=_LAYER,
    axes=("m'", "n'"),
    printed=Statement(
        (Side(_E_BY_W, _error_by_kernel), Side(r"\mathrm{rot}_{180^\circ}\{\delta^l_{i,j}\} * o^{l-1}_{m',n'}", _eq14)),
        conditions=(Condition("the kernel is as large as the input, so that there is one δ", one_place),),
    ),
    readings=(
        Statement(
            (
                Side(_E_BY_W, _error_by_kernel),
                Side(r"\mathrm{rot}_{180^\circ}\{\delta^l_{i,j}\} * o^{l-1}_{m',n'}", _eq14_valid),
            ),
            note="∗ is the valid part of the convolution of the whole maps, counted from its own first entry",
        ),
    ),
    corrected=Statement(
        (
            Side(_E_BY_W, _error_by_kernel),
            Side(
                r"\big(\mathrm{rot}_{180^\circ}\{\delta^l\} * o^{l-1}\big)_{m'+H-k_1,\,n'+W-k_2}"
                r" = \big(o^{l-1} \otimes \delta^l\big)_{m',n'}",
                _eq14_valid,
            ),
        ),
        note="entry (m′ + H − k₁, n′ + W − k₂) of the full convolution",
    ),
    remark="the valid part is meant",
    vary=("inputs", "delta"),
)

FIGURE_14 = Equation(
    "figure of Eq. 14",
    "The figure slides the turned δ",
    _SECTION,
    Layer,
    "The figure beside Eq. 14 lays the turned δ on the input as it is and does not turn it again: δ₁₁o₀₀ + δ₁₀o₀₁ + "
    "δ₀₁o₁₀ + δ₀₀o₁₁ for the first weight. That is a cross-correlation with rot180 δ, where Eq. 14 has a convolution, "
    "and it is the gradient under neither forward convention: pairs meet that never met in the forward pass.",
    symbols=_LAYER,
    axes=("m'", "n'"),
    printed=Statement(
        (
            Side(_E_BY_W, _error_by_kernel),
            Side(
                rf"{_OVER_MAP} \big(\mathrm{{rot}}_{{180^\circ}}\delta^l\big)_{{i,j}}\, {_O}",
                _figure_14,
            ),
        ),
        conditions=(Condition("δ is equal to its own rot180", own_turn("delta")),),
    ),
    corrected=Statement(
        (Side(_E_BY_W, _error_by_kernel), Side(rf"{_OVER_MAP} \delta^l_{{i,j}}\, {_O}", eq13)),
        note="δ as it is",
    ),
    remark="turned once too often",
    vary=("inputs", "delta"),
)


def _sum_of_deltas(case: Layer):
    return np.array([double_sum(*case.places, case.delta)], object)


BIAS = Equation(
    "bias gradient",
    "The gradient of the bias",
    _SECTION,
    Layer,
    "b is added at every place, and ∂x/∂b = 1 at each: the chain rule of Eq. 10 leaves the sum of all δ.",
    symbols={r"\delta^l": "delta"},
    axes=("",),
    corrected=Statement(
        (
            Side(by("E", "b^l"), lambda case: case.error_by_bias),
            Side(rf"{_OVER_MAP} \delta^l_{{i,j}}", _sum_of_deltas),
        )
    ),
)

EQUATIONS = (EQ_10, EQ_11, EQ_12, EQ_13, EQ_14, FIGURE_14, BIAS)
