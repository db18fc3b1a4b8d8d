"""Eq. 15 to 22: the deltas, and how they come back to the layer below.

They are compared with central differences of E, or of x, through the plain loops of the forward pass.
"""

import numpy as np

from convbp.equations.cases import Layer, Map, double_sum, table
from convbp.equations.conditions import own_turn, with_one_weight, without_first_weight
from convbp.equations.entry import Condition, Equation, Side, Statement
from convbp.equations.kernel_gradient import by

_SECTION = "Backpropagation"
_OVER_KERNEL = r"\sum_{m=0}^{k_1-1}\sum_{n=0}^{k_2-1}"
NEXT_LAYER = {"x^l": "inputs", "w^{l+1}": "kernel", r"\delta^{l+1}": "delta", "f(x)": "f"}
_E_BY_X = by("E", "x^l_{i',j'}")
_X_UP = "x^{l+1}_{i'-m,j'-n}"
_X_BY_X = by(_X_UP, "x^l_{i',j'}")
_Q_BY_X = by("x_Q^{l+1}", "x^l_{i',j'}")
_SLOPE = r"f'\big(x^l_{i',j'}\big)"


def _delta(case: Layer):
    return case.delta.array


EQ_15 = Equation(
    15,
    "δ",
    _SECTION,
    Layer,
    "A definition: δ says how E depends on the pre-activation x of each place, before f.",
    symbols={"x^l": "x", "t": "target"},
    axes=("i", "j"),
    printed=Statement(
        (
            Side(r"\delta^l_{i,j}", _delta),
            Side(by("E", "x^l_{i,j}"), lambda case: case.error_by_x.array),
        )
    ),
)


def _error_by_inputs(case: Layer):
    return case.error_by_inputs


def _eq16(case: Layer, error_by_x: Map):
    (k1, k2), by = case.kernel.shape, case.x_by_inputs

    def entry(row, col):
        Q = range(row - k1 + 1, row + 1), range(col - k2 + 1, col + 1)
        return double_sum(*Q, lambda i, j: error_by_x(i, j) * by(i, j, row, col))

    return table(entry, *case.pixels)


def _eq17(case: Layer, error_by_x: Map):
    by = case.x_by_inputs
    return table(
        lambda i, j: double_sum(*case.entries, lambda m, n: error_by_x(i - m, j - n) * by(i - m, j - n, i, j)),
        *case.pixels,
    )


EQ_16 = Equation(
    16,
    "The region Q",
    _SECTION,
    Layer,
    "Q is every place of the output that the pixel (i′, j′) acts on, from (i′ − k₁ + 1, j′ − k₂ + 1) to (i′, j′). "
    "Near the border a part of it lies outside the map, where there is nothing: "
    "Q is clipped, and smaller than the kernel.",
    symbols=NEXT_LAYER,
    axes=("i'", "j'"),
    printed=Statement(
        (
            Side(_E_BY_X, _error_by_inputs),
            Side(
                rf"\sum_{{i,j \in Q}} {by('E', 'x_Q^{l+1}')} {_Q_BY_X}",
                lambda case: _eq16(case, case.error_by_x),
            ),
            Side(
                rf"\sum_{{i,j \in Q}} \delta_Q^{{l+1}} {_Q_BY_X}",
                lambda case: _eq16(case, case.delta),
            ),
        ),
        note="Q clipped to the output map",
    ),
)

EQ_17 = Equation(
    17,
    "The region Q, by its indices",
    _SECTION,
    Layer,
    "The places of Q counted by the weight that leads there. It needs δ = 0 outside its map, so it is the full "
    "convolution that begins here, not the valid one.",
    symbols=NEXT_LAYER,
    axes=("i'", "j'"),
    printed=Statement(
        (
            Side(_E_BY_X, _error_by_inputs),
            Side(f"{_OVER_KERNEL} {by('E', _X_UP)} {_X_BY_X}", lambda case: _eq17(case, case.error_by_x)),
            Side(
                rf"{_OVER_KERNEL} \delta^{{l+1}}_{{i'-m,j'-n}} {_X_BY_X}",
                lambda case: _eq17(case, case.delta),
            ),
        ),
        note="δ = 0 outside its map",
    ),
)


def _over_links(case: Layer, entry) -> np.ndarray:
    """``entry(i', j', m, n)`` where (i′ − m, j′ − n) is a place of the output map, and 0 where it is not."""
    rows, cols = case.places
    return table(
        lambda i, j, m, n: entry(i, j, m, n) if i - m in rows and j - n in cols else 0, *case.pixels, *case.entries
    )


def _x_by_inputs(case: Layer):
    return _over_links(case, lambda i, j, m, n: case.x_by_inputs(i - m, j - n, i, j))


def _by_pixel(case: Layer, expression):
    """∂/∂xᵢ′ⱼ′ of ``expression(x, i', j', m, n)``, for every link."""
    return _over_links(case, lambda i, j, m, n: case.derivative(lambda x: expression(x, i, j, m, n), case.inputs, i, j))


def _eq18(case: Layer):
    def bracket(x, i, j, m, n):
        # Outside the map there is no pixel, and o is 0 there; f(0) = 0 for the f's of these cases.
        return double_sum(*case.entries, lambda a, b: case.kernel(a, b) * case.f(x(i - m + a, j - n + b))) + case.bias

    return _by_pixel(case, bracket)


def _eq19_line(case: Layer, first):
    """The first line's bracket: the term of w₀₀ at the pixel ``first``, the dots, the term of the link, and b.

    The dots are the other terms of Eq. 18. What is written twice, the same weight at the same pixel, is one term.
    """

    def bracket(x, i, j, m, n):
        dots = {(a, b, i - m + a, j - n + b) for a in case.entries[0] for b in case.entries[1] if (a, b) != (0, 0)}
        terms = {(0, 0, *first(i, j, m, n)), *dots, (m, n, i, j)}
        return sum(case.kernel(a, b) * case.f(x(row, col)) for a, b, row, col in terms) + case.bias

    return bracket


def _eq19_zeros(case: Layer):
    """The bracket with m′ = n′ = 0 put in, and the printed zeros for i′ and j′."""
    return _eq19_line(case, lambda i, j, m, n: (0 - m + 0, 0 - n + 0))


def _eq19_mended(case: Layer):
    return _eq19_line(case, lambda i, j, m, n: (i - m + 0, j - n + 0))


def _value(case: Layer, bracket):
    return _over_links(case, lambda *link: bracket(case.inputs, *link))


def _next_x(case: Layer):
    return _over_links(case, lambda i, j, m, n: case.x(i - m, j - n))


def _eq19_printed(case: Layer):
    # m′ and n′ stand in no sum here: the first term's w and x have no indices, and no value.
    return _by_pixel(case, lambda x, i, j, m, n: case.kernel() * x() + _eq19_zeros(case)(x, i, j, m, n))


def _eq19_survivor(case: Layer):
    return _by_pixel(case, lambda x, i, j, m, n: case.kernel(m, n) * case.f(x(i, j)))


def _eq19_factor(case: Layer):
    def slope(i, j):
        return case.derivative(lambda x: case.f(x(i, j)), case.inputs, i, j)

    return _over_links(case, lambda i, j, m, n: case.kernel(m, n) * slope(i, j))


def eq19(case: Layer):
    return _over_links(case, lambda i, j, m, n: case.kernel(m, n) * case.f.slope(case.inputs(i, j)))


_D_X = r"\frac{\partial}{\partial x^l_{i',j'}}"
_UP = r"w^{l+1}_{m',n'}"
_LINK = r"w^{l+1}_{m,n} f\big(x^l_{i',j'}\big)"

EQ_18 = Equation(
    18,
    "What stands in the derivative of the next x",
    _SECTION,
    Layer,
    "The next layer's x is replaced by its sum over the outputs o, and o by f(x). It speaks of the places (i′ − m, "
    "j′ − n) that are in the map.",
    symbols=NEXT_LAYER,
    axes=("i'", "j'", "m", "n"),
    printed=Statement(
        (
            Side(_X_BY_X, _x_by_inputs),
            Side(
                rf"{_D_X}\Big(\sum_{{m'}}\sum_{{n'}} {_UP}\, f\big(x^l_{{i'-m+m',j'-n+n'}}\big) + b^{{l+1}}\Big)", _eq18
            ),
        ),
        note="where (i′ − m, j′ − n) is a place of the map",
    ),
)


def _eq19_lines(first_line, note=""):
    return Statement(
        (
            Side(_X_BY_X, _x_by_inputs),
            Side(rf"{_D_X}\Big({_expansion(_FIRST_PRINTED)}\Big)", first_line),
            Side(rf"{_D_X}\Big({_LINK}\Big)", _eq19_survivor),
            Side(rf"w^{{l+1}}_{{m,n}} {_D_X} f\big(x^l_{{i',j'}}\big)", _eq19_factor),
            Side(rf"w^{{l+1}}_{{m,n}} {_SLOPE}", eq19),
        ),
        note=note,
    )


def _expansion(first: str) -> str:
    return rf"{first} + \dots + {_LINK} + \dots + b^{{l+1}}"


_FIRST_PRINTED = rf"{_UP} f\big(x^l_{{0-m+m',0-n+n'}}\big)"
_FIRST_ZEROS = r"w^{l+1}_{0,0} f\big(x^l_{0-m+0,0-n+0}\big)"
_FIRST = r"w^{l+1}_{0,0} f\big(x^l_{i'-m+0,j'-n+0}\big)"

EQ_19 = Equation(
    19,
    "Only one link survives",
    _SECTION,
    Layer,
    "The first line writes the sum of Eq. 18 out. Its first term is printed with m′ and n′ where 0 belongs, so that it "
    "has no value, and with 0 where i′ and j′ belong. With m′ = n′ = 0 put in, the line is not the sum that it should "
    "be, x of the next layer; its derivative is right all the same, as the wrong term does not change with the pixel. "
    "The result, the weight of the link times f′, holds.",
    symbols=NEXT_LAYER,
    axes=("i'", "j'", "m", "n"),
    printed=_eq19_lines(_eq19_printed),
    said={
        "as the sum of Eq. 18 written out, with m′ = n′ = 0": Statement(
            (Side(_X_UP, _next_x), Side(_expansion(_FIRST_ZEROS), lambda case: _value(case, _eq19_zeros(case)))),
            conditions=(Condition("w₀₀ = 0, so that the first term is 0", without_first_weight),),
        ),
    },
    readings=(
        _eq19_lines(
            lambda case: _by_pixel(case, _eq19_zeros(case)),
            note="m′ = n′ = 0 in the first term, and only the derivative matters",
        ),
    ),
    corrected=Statement(
        (Side(_X_UP, _next_x), Side(_expansion(_FIRST), lambda case: _value(case, _eq19_mended(case)))),
        note="w₀₀, and x at (i′ − m, j′ − n)",
    ),
    remark="a misprint in the first term",
    vary=("inputs", "kernel"),
)


def _times_slope(case: Layer, entries: np.ndarray):
    return entries * table(lambda i, j: case.f.slope(case.inputs(i, j)), *case.pixels)


def eq20(case: Layer):
    δ, w = case.delta, case.kernel
    return table(
        lambda i, j: double_sum(
            *case.entries, lambda m, n: δ(i - m, j - n) * w(m, n) * case.f.slope(case.inputs(i, j))
        ),
        *case.pixels,
    )


def _unturned(case: Layer, shift=(0, 0)):
    """Σₘ Σₙ δᵢ′₊ₘ,ⱼ′₊ₙ wₘₙ at (i′, j′) − ``shift``, for every pixel."""
    δ, w, (up, left) = case.delta, case.kernel, shift
    return table(
        lambda i, j: double_sum(*case.entries, lambda m, n: δ(i - up + m, j - left + n) * w(m, n)), *case.pixels
    )


def _whole_map(case: Layer):
    k1, k2 = case.kernel.shape
    return _unturned(case, shift=(k1 - 1, k2 - 1))


def unturned_times_slope(case: Layer):
    return _times_slope(case, _whole_map(case))


def _eq21_printed(case: Layer):
    return _times_slope(case, _unturned(case)[::-1, ::-1])


def _eq21_whole_map(case: Layer):
    return _times_slope(case, _whole_map(case)[::-1, ::-1])


def _eq21_one_number(case: Layer):
    return _times_slope(case, _unturned(case))


def eq21_corrected(case: Layer):
    δ, turned, (k1, k2) = case.delta, case.kernel.rot180(), case.kernel.shape
    return _times_slope(
        case,
        table(
            lambda i, j: double_sum(*case.entries, lambda m, n: δ(i - (k1 - 1) + m, j - (k2 - 1) + n) * turned(m, n)),
            *case.pixels,
        ),
    )


def eq22_printed(case: Layer):
    δ, turned = case.delta, case.kernel.rot180()
    return _times_slope(
        case,
        table(lambda i, j: double_sum(*case.entries, lambda m, n: δ(i - m, j - n) * turned(m, n)), *case.pixels),
    )


EQ_20 = Equation(
    20,
    "The way back",
    _SECTION,
    Layer,
    "Eq. 19 put into Eq. 17, with δ = 0 outside its map. It is a true convolution, (δ ∗ w) at (i′, j′), in full, "
    "times f′ of that place.",
    symbols=NEXT_LAYER,
    axes=("i'", "j'"),
    printed=Statement(
        (
            Side(_E_BY_X, _error_by_inputs),
            Side(rf"{_OVER_KERNEL} \delta^{{l+1}}_{{i'-m,j'-n}}\, w^{{l+1}}_{{m,n}}\, {_SLOPE}", eq20),
        ),
        note="δ = 0 outside its map",
    ),
)

_EQ_21_PRINTED = (
    rf"\mathrm{{rot}}_{{180^\circ}}\Big\{{{_OVER_KERNEL} \delta^{{l+1}}_{{i'+m,j'+n}}\, "
    rf"w^{{l+1}}_{{m,n}}\Big\}}\, {_SLOPE}"
)

EQ_21 = Equation(
    21,
    "The way back with a turn",
    _SECTION,
    Layer,
    "The turn is put around the sum. The sum at one place is one number, and turning a number does nothing; turning "
    "the whole map of sums turns δ as well as w. Only w may be turned, and δ needs a border of k − 1 zeros: "
    "the sum is then over δ(i′ − k₁ + 1 + m, j′ − k₂ + 1 + n) and rot180 w at (m, n).",
    symbols=NEXT_LAYER,
    axes=("i'", "j'"),
    printed=Statement(
        (Side(_E_BY_X, _error_by_inputs), Side(_EQ_21_PRINTED, _eq21_printed)),
        conditions=(
            Condition(
                "the kernel is 1×1 and δ equal to its own rot180", lambda case: own_turn("delta")(with_one_weight(case))
            ),
        ),
    ),
    readings=(
        Statement(
            (Side(_E_BY_X, _error_by_inputs), Side(_EQ_21_PRINTED, _eq21_whole_map)),
            note="δ has a border of k − 1 zeros, and the whole map of sums is turned",
            conditions=(Condition("δ is equal to its own rot180", own_turn("delta")),),
        ),
        Statement(
            (Side(_E_BY_X, _error_by_inputs), Side(_EQ_21_PRINTED, _eq21_one_number)),
            note="the sum is one number, which turning leaves as it is",
            conditions=(Condition("the kernel is 1×1", with_one_weight),),
        ),
    ),
    corrected=Statement(
        (
            Side(_E_BY_X, _error_by_inputs),
            Side(
                rf"{_OVER_KERNEL} \delta^{{l+1}}_{{i'-k_1+1+m,\,j'-k_2+1+n}}\, "
                rf"\big(\mathrm{{rot}}_{{180^\circ}} w^{{l+1}}\big)_{{m,n}}\, {_SLOPE}",
                eq21_corrected,
            ),
        ),
        note="rot180 w inside, and δ with a border of k − 1 zeros",
    ),
    remark="the sum is turned instead of the kernel",
    vary=("kernel", "delta"),
)

_EQ_22 = r"\delta^{l+1}_{i',j'} * \mathrm{rot}_{180^\circ}\{w^{l+1}_{m,n}\}\, " + _SLOPE

EQ_22 = Equation(
    22,
    "The way back as a convolution",
    _SECTION,
    Layer,
    "If ∗ means what it means in Eq. 2, 6 and 14, it turns the turned kernel back: what is left is δ ⊗ w, without a "
    "turn. It holds with ⊗ in the place of ∗, or with w in the place of rot180 w: δ ⊗ rot180 w = δ ∗ w, in full.",
    symbols=NEXT_LAYER,
    axes=("i'", "j'"),
    printed=Statement(
        (Side(_E_BY_X, _error_by_inputs), Side(_EQ_22, eq22_printed)),
        conditions=(Condition("the kernel is equal to its own rot180, as every 1×1 kernel is", own_turn("kernel")),),
    ),
    corrected=Statement(
        (
            Side(_E_BY_X, _error_by_inputs),
            Side(
                r"\big(\delta^{l+1} \otimes \mathrm{rot}_{180^\circ}\{w^{l+1}\}\big)_{i',j'}\, " + _SLOPE,
                eq21_corrected,
            ),
            Side(r"\big(\delta^{l+1} * w^{l+1}\big)_{i',j'}\, " + _SLOPE, eq20),
        ),
        note="⊗ with the turned kernel, or ∗ with the kernel as it is; both in full",
    ),
    remark="turned twice",
    vary=("kernel", "delta"),
)

EQUATIONS = (EQ_15, EQ_16, EQ_17, EQ_18, EQ_19, EQ_20, EQ_21, EQ_22)
