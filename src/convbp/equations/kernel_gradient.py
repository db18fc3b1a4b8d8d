"""Eq. 10 to 14 and the bias gradient, which the article leaves out.

They are compared with central differences of E, or of x, through the plain loops of the forward pass.
"""

from convbp.equations import readings
from convbp.equations.cases import Layer
from convbp.equations.conditions import one_place, own_turn
from convbp.equations.entry import Condition, Equation, Statement
from convbp.equations.formula import (
    OTIMES,
    STAR,
    VALID,
    Both,
    Domain,
    Entries,
    Formula,
    Letter,
    Number,
    Slid,
    Turned,
    Written,
    over,
    total,
)
from convbp.equations.letters import E, H, W, by, d_by, i, j, k1, k2, m, m_, n, n_
from convbp.equations.sliding import OVER_KERNEL

_SECTION = "Backpropagation"
o, w, x, δ = Letter("o^{l-1}", "o"), Letter("w^l", "kernel"), Letter("x^l", "x"), Letter(r"\delta^l", "delta")
b = Letter("b^l", "bias")[()]
_LAYER = {r"o^{l-1}": "o", "w^l": "kernel", r"\delta^l": "delta"}
_WEIGHTS = (m_, 0, k1 - 1), (n_, 0, k2 - 1)
_PLACES = (i, 0, H - k1), (j, 0, W - k2)
_EACH_WEIGHT, _EACH_PAIR = over(*_WEIGHTS), over(*_PLACES, *_WEIGHTS)
_OVER_MAP = total(*_PLACES)
_W, _O = w[m_, n_], o[i + m_, j + n_]
_E_BY_W, _X_BY_W = by(E, _W), by(x[i, j], _W)

EQ_10 = Equation(
    10,
    "The chain rule for a weight",
    _SECTION,
    Layer,
    "A weight is used at every place of the output map, so it acts on E through every x, and the chain rule adds up "
    "all these ways. The second line only gives ∂E/∂x its name, δ.",
    symbols=_LAYER,
    printed=Statement.of(_EACH_WEIGHT, _E_BY_W, _OVER_MAP(by(E, x[i, j]) * _X_BY_W), _OVER_MAP(δ[i, j] * _X_BY_W)),
)

_X_SUM = total(*OVER_KERNEL, said=False)(w[m, n] * o[i + m, j + n])
# Written out: the term of w₀₀, dots, the term of the weight that is moved, dots.
_X_WRITTEN = Written((_X_SUM.term.where({m: Number(0), n: Number(0)}), _W * _O), _X_SUM, ((0, 0), (m_, n_)))

EQ_11 = Equation(
    11,
    "What stands in the derivative of x",
    _SECTION,
    Layer,
    "x is replaced by the sum that it is, Eq. 7. The sum's own m and n run over the whole kernel; m′ and n′ say which "
    "weight is moved.",
    symbols=_LAYER,
    printed=Statement.of(_EACH_PAIR, _X_BY_W, d_by(_W, _X_SUM + b)),
)

EQ_12 = Equation(
    12,
    "Only one term survives",
    _SECTION,
    Layer,
    "Of the terms of the sum only the one with m = m′ and n = n′ holds the weight that is moved: its derivative is "
    "what the weight is multiplied with. All others, and the bias, are constants.",
    symbols=_LAYER,
    printed=Statement.of(_EACH_PAIR, _X_BY_W, d_by(_W, _X_WRITTEN + b), d_by(_W, _W * _O), _O),
)

KERNEL_SUM = Formula(_OVER_MAP(δ[i, j] * _O), _EACH_WEIGHT)  # Eq. 13
BIAS_SUM = Formula(_OVER_MAP(δ[i, j]))

EQ_13 = Equation(
    13,
    "The gradient of the kernel",
    _SECTION,
    Layer,
    "Eq. 12 put into Eq. 10: every δ times the input that the weight met there. It is the valid cross-correlation o "
    "⊗ δ, in which δ is not turned.",
    symbols=_LAYER,
    printed=Statement.of(_EACH_WEIGHT, _E_BY_W, KERNEL_SUM.expression),
)

_TURNED = Turned(δ, braces=True)
_STAR = Entries(STAR, _TURNED[i, j], o[m_, n_])
_VALID_PART = Slid(STAR, _TURNED, o)[m_ + H - k1, n_ + W - k2]
_EQ_14 = Statement.of(
    _EACH_WEIGHT,
    _E_BY_W,
    _STAR,
    conditions=(Condition("the kernel is as large as the input, so that there is one δ", one_place),),
)

EQ_14 = Equation(
    14,
    "The gradient of the kernel as a convolution",
    _SECTION,
    Layer,
    "A true convolution turns what slides; turned twice, δ is as it was, so this is o ⊗ δ again. The printed index "
    "(m′, n′) hides that whole maps are convolved, and that the valid part is meant: entry (m′, n′) of the gradient is "
    "entry (m′ + H − k₁, n′ + W − k₂) of the full convolution.",
    symbols=_LAYER,
    printed=_EQ_14,
    tried=(
        _EQ_14.read_as({_STAR: _VALID_PART}, readings.CONVOLVES, readings.IN_VALID),
        _EQ_14.read_as(
            {_STAR: Slid(OTIMES, o, _TURNED, VALID)[m_, n_]},
            readings.CORRELATES,
            readings.IN_VALID,
            conditions=(Condition("δ is equal to its own rot180", own_turn("delta")),),
        ),
    ),
    corrected=Statement.of(
        _EACH_WEIGHT,
        _E_BY_W,
        Both(_VALID_PART, Slid(OTIMES, o, δ)[m_, n_]),
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
    printed=Statement.of(
        _EACH_WEIGHT,
        _E_BY_W,
        _OVER_MAP(Turned(δ)[i, j] * _O),
        conditions=(Condition("δ is equal to its own rot180", own_turn("delta")),),
    ),
    corrected=Statement.of(_EACH_WEIGHT, _E_BY_W, KERNEL_SUM.expression, note="δ as it is"),
    remark="turned once too often",
    vary=("inputs", "delta"),
)


BIAS = Equation(
    "bias gradient",
    "The gradient of the bias",
    _SECTION,
    Layer,
    "b is added at every place, and ∂x/∂b = 1 at each: the chain rule of Eq. 10 leaves the sum of all δ.",
    symbols={r"\delta^l": "delta"},
    corrected=Statement.of(Domain(), by(E, b), BIAS_SUM.expression),
)

EQUATIONS = (EQ_10, EQ_11, EQ_12, EQ_13, EQ_14, FIGURE_14, BIAS)
