"""Eq. 15 to 22: the deltas, and how they come back to the layer below.

They are compared with central differences of E, or of x, through the plain loops of the forward pass.
"""

from convbp.equations import readings
from convbp.equations.cases import Layer
from convbp.equations.conditions import own_turn, with_one_weight, without_first_weight
from convbp.equations.entry import Condition, Equation, Statement
from convbp.equations.formula import (
    FULL,
    OTIMES,
    STAR,
    Clipped,
    Entries,
    Formula,
    Letter,
    Number,
    Place,
    Slid,
    Turned,
    TurnedSum,
    Written,
    beside,
    over,
    total,
)
from convbp.equations.letters import E, H, W, by, d_by, f, i, i_, j, j_, k1, k2, m, m_, n, n_, slope
from convbp.equations.sliding import OVER_KERNEL, VALID

_SECTION = "Backpropagation"
NEXT_LAYER = {"x^l": "inputs", "w^{l+1}": "kernel", r"\delta^{l+1}": "delta", "f(x)": "f"}
x, x_up = Letter("x^l", "inputs"), Letter("x^{l+1}", "x")
w, δ = Letter("w^{l+1}", "kernel"), Letter(r"\delta^{l+1}", "delta")
b = Letter("b^{l+1}", "bias")[()]
_PIXELS = (i_, 0, H - 1), (j_, 0, W - 1)
_EACH_PIXEL = over(*_PIXELS)
_EACH_LINK = over(*_PIXELS, *OVER_KERNEL, where=((i_ - m, 0, H - k1), (j_ - n, 0, W - k2)))
_SUM = total(*OVER_KERNEL)
_X, _X_UP = x[i_, j_], x_up[i_ - m, j_ - n]
_E_BY_X, _X_BY_X, _SLOPE = by(E, _X), by(_X_UP, _X), slope(_X)

_ONE_WEIGHT = Condition("the kernel is 1×1", with_one_weight)
_HERE, _δ = Letter("x^l", "x"), Letter(r"\delta^l", "delta")
EQ_15 = Equation(
    15,
    "δ",
    _SECTION,
    Layer,
    "A definition: δ says how E depends on the pre-activation x of each place, before f.",
    symbols={"x^l": "x", "t": "target"},
    printed=Statement.of(VALID, _δ[i, j], by(E, _HERE[i, j])),
)

Q = Place("Q", (i, j))
_OVER_Q = total(
    (i, Clipped(i_ - k1 + 1, H - k1), Clipped(i_, H - k1)),
    (j, Clipped(j_ - k2 + 1, W - k2), Clipped(j_, W - k2)),
    over=r"\sum_{i,j \in Q}",
)

EQ_16 = Equation(
    16,
    "The region Q",
    _SECTION,
    Layer,
    "Q is every place of the output that the pixel (i′, j′) acts on, from (i′ − k₁ + 1, j′ − k₂ + 1) to (i′, j′). "
    "Near the border a part of it would lie outside the map. By the words after it Q is made of places of the output, "
    "so it is clipped there, and smaller than the kernel.",
    symbols=NEXT_LAYER,
    printed=Statement.of(
        _EACH_PIXEL,
        _E_BY_X,
        _OVER_Q(by(E, x_up[Q]) * by(x_up[Q], _X)),
        _OVER_Q(δ[Q] * by(x_up[Q], _X)),
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
    printed=Statement.of(
        _EACH_PIXEL,
        _E_BY_X,
        _SUM(by(E, _X_UP) * _X_BY_X),
        _SUM(δ[i_ - m, j_ - n] * _X_BY_X),
        note="δ = 0 outside its map",
    ),
    remark="it reads beyond the border",
    vary=("kernel", "delta"),
    inside=(_ONE_WEIGHT,),
)

_OVER_LINKS = total((m_, 0, k1 - 1), (n_, 0, k2 - 1), said=False)
_NEXT_X = _OVER_LINKS(w[m_, n_] * f(x[i_ - m + m_, j_ - n + n_]))

EQ_18 = Equation(
    18,
    "What stands in the derivative of the next x",
    _SECTION,
    Layer,
    "The next layer's x is replaced by its sum over the outputs o, and o by f(x). It speaks of the places (i′ − m, "
    "j′ − n) that are in the map.",
    symbols=NEXT_LAYER,
    printed=Statement.of(
        _EACH_LINK, _X_BY_X, d_by(_X, _NEXT_X + b), note="where (i′ − m, j′ − n) is a place of the map"
    ),
)

_LINK = beside(w[m, n], f(_X))
_TERM = beside(w[m_, n_], f(x[i_ - m + m_, j_ - n + n_]))
_ZEROS = {m_: Number(0), n_: Number(0)}
_FIRST_PRINTED = _TERM.where({i_: Number(0), j_: Number(0)})  # m′ and n′ stand in no sum here: it has no value


def _expansion(first):
    """The bracket of the first line: the term of w₀₀, the dots, the term of the link, and b."""
    return Written((first, _LINK), _NEXT_X, ((0, 0), (m, n))) + b


_EQ_19 = Statement.of(
    _EACH_LINK,
    _X_BY_X,
    d_by(_X, _expansion(_FIRST_PRINTED)),
    d_by(_X, _LINK),
    beside(w[m, n], d_by(_X, f(_X))),
    beside(w[m, n], _SLOPE),
)

EQ_19 = Equation(
    19,
    "Only one link survives",
    _SECTION,
    Layer,
    "The first line writes the sum of Eq. 18 out. Its first term is printed with m′ and n′ where 0 belongs, so that it "
    "has no value, and with 0 where i′ and j′ belong. With m′ = n′ = 0 put in, the line is not the sum that it should "
    "be, x of the next layer; its derivative is right all the same, as the wrong term does not change with the pixel. "
    "The result, the weight of the link times f′, holds. The words before it expand the summation of Eq. 17, which is "
    "∂E/∂x; the one that is expanded is that of Eq. 18.",
    symbols=NEXT_LAYER,
    printed=_EQ_19,
    said={
        "as the sum of Eq. 18 written out, with m′ = n′ = 0": Statement.of(
            _EACH_LINK,
            _X_UP,
            _expansion(_FIRST_PRINTED.where(_ZEROS)),
            conditions=(Condition("w₀₀ = 0, so that the first term is 0", without_first_weight),),
        ),
        "by the words before it, the summation of Eq. 17": Statement.of(
            _EACH_LINK, _E_BY_X, d_by(_X, _expansion(_TERM.where(_ZEROS)))
        ),
    },
    tried=(_EQ_19.read_as({_FIRST_PRINTED: _FIRST_PRINTED.where(_ZEROS)}, readings.FIRST_TERM),),
    corrected=Statement.of(_EACH_LINK, _X_UP, _expansion(_TERM.where(_ZEROS)), note="w₀₀, and x at (i′ − m, j′ − n)"),
    remark="a misprint in the first term",
    vary=("inputs", "kernel"),
)


_LINKED = δ[i_ - m, j_ - n] * w[m, n]
INPUT_SUM = Formula(_SUM(_LINKED), _EACH_PIXEL)  # Eq. 20 without f′: ∂E/∂o
COLLECTED = Formula(Slid(OTIMES, δ, Turned(w), FULL)[i_, j_], _EACH_PIXEL)  # the same, by the turned kernel
UNTURNED_FULL = Formula(Slid(OTIMES, δ, w, FULL)[i_, j_], _EACH_PIXEL)  # ∂E/∂o under a true convolution

EQ_20 = Equation(
    20,
    "The way back",
    _SECTION,
    Layer,
    "Eq. 19 put into Eq. 17, with δ = 0 outside its map. It is a true convolution, (δ ∗ w) at (i′, j′), in full, "
    "times f′ of that place.",
    symbols=NEXT_LAYER,
    printed=Statement.of(_EACH_PIXEL, _E_BY_X, _SUM(_LINKED * _SLOPE), note="δ = 0 outside its map"),
    remark="it reads beyond the border",
    vary=("kernel", "delta"),
    inside=(_ONE_WEIGHT,),
)

_HANGING = δ[i_ + m, j_ + n]
_UNTURNED = _SUM(_HANGING * w[m, n])
_TURNED = Turned(w, braces=True)
_BORDERED = δ[i_ - (k1 - 1) + m, j_ - (k2 - 1) + n]
_TURNED_SUM = TurnedSum(_UNTURNED, over(*_PIXELS).ranges)
_EQ_21 = Statement.of(
    _EACH_PIXEL,
    _E_BY_X,
    _TURNED_SUM * _SLOPE,
    conditions=(
        Condition(
            "the kernel is 1×1 and δ equal to its own rot180", lambda case: own_turn("delta")(with_one_weight(case))
        ),
    ),
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
    printed=_EQ_21,
    tried=(
        _EQ_21.read_as(
            {_HANGING: _BORDERED},
            readings.MAP_TURNED,
            readings.IN_FULL,
            conditions=(Condition("δ is equal to its own rot180", own_turn("delta")),),
        ),
        _EQ_21.read_as({_TURNED_SUM: _UNTURNED}, readings.NUMBER_TURNED, conditions=(_ONE_WEIGHT,)),
        _EQ_21.read_as(
            {_TURNED_SUM: _SUM(_BORDERED * w[m, n])},
            readings.NUMBER_TURNED,
            readings.IN_FULL,
            conditions=(Condition("the kernel is equal to its own rot180", own_turn("kernel")),),
        ),
        Statement.of(
            _EACH_PIXEL,
            _E_BY_X,
            _SUM(_HANGING * _TURNED[m, n]) * _SLOPE,
            note="the turn is moved to w, and δ left as printed",
            conditions=(_ONE_WEIGHT,),
        ),
    ),
    corrected=Statement.of(
        _EACH_PIXEL,
        _E_BY_X,
        _SUM(δ[i_ - k1 + 1 + m, j_ - k2 + 1 + n] * Turned(w)[m, n] * _SLOPE),
        note="rot180 w inside, and δ with a border of k − 1 zeros",
    ),
    remark="the sum is turned instead of the kernel",
    vary=("kernel", "delta"),
)

_STAR = Entries(STAR, δ[i_, j_], _TURNED[m, n])
_TURNED_BACK = Condition("the kernel is equal to its own rot180, as every 1×1 kernel is", own_turn("kernel"))
_EQ_22 = Statement.of(_EACH_PIXEL, _E_BY_X, _STAR * _SLOPE, conditions=(_TURNED_BACK,))

EQ_22 = Equation(
    22,
    "The way back as a convolution",
    _SECTION,
    Layer,
    "If ∗ means what it means in Eq. 2, 6 and 14, it turns the turned kernel back: what is left is δ ⊗ w, without a "
    "turn. It holds if ∗ means what it means in Eq. 4 and 5, or with w in the place of rot180 w: δ ⊗ rot180 w = δ ∗ w, "
    "in full.",
    symbols=NEXT_LAYER,
    printed=_EQ_22,
    tried=(
        _EQ_22.read_as({_STAR: Slid(OTIMES, δ, _TURNED, FULL)[i_, j_]}, readings.CORRELATES, readings.IN_FULL),
        _EQ_22.read_as(
            {_STAR: Slid(STAR, δ, _TURNED, FULL)[i_, j_]},
            readings.CONVOLVES,
            readings.IN_FULL,
            conditions=(_TURNED_BACK,),
        ),
    ),
    corrected=Statement.of(
        _EACH_PIXEL,
        _E_BY_X,
        Slid(OTIMES, δ, _TURNED, FULL)[i_, j_] * _SLOPE,
        Slid(STAR, δ, w, FULL)[i_, j_] * _SLOPE,
        note="⊗ with the turned kernel, or ∗ with the kernel as it is; both in full",
    ),
    remark="turned twice, unless ∗ is ⊗",
    vary=("kernel", "delta"),
)

EQUATIONS = (EQ_15, EQ_16, EQ_17, EQ_18, EQ_19, EQ_20, EQ_21, EQ_22)
