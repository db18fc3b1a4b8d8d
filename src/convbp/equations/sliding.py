"""Eq. 1 to 5: cross-correlation and convolution, and the layer before it has its notation."""

import numpy as np

from convbp import convolution, loops
from convbp.equations import readings
from convbp.equations.cases import Channels, Layer
from convbp.equations.conditions import odd_kernel, only_first_weight, own_turn, with_one_weight
from convbp.equations.entry import Condition, Equation, Statement
from convbp.equations.formula import (
    FROM_THE_END,
    FROM_THE_MIDDLE,
    OTIMES,
    STAR,
    At,
    Block,
    Both,
    Counted,
    Judged,
    Letter,
    Number,
    Slid,
    Turned,
    dot,
    over,
    total,
)
from convbp.equations.letters import C, D, H, W, c, d, i, j, k1, k2, m, n

I, K, x = Letter("I", "inputs"), Letter("K", "kernel"), Letter("x", "x")  # noqa: E741
b = Letter("b", "bias")[()]
VALID = over((i, 0, H - k1), (j, 0, W - k2))
FULL = over((i, 0, H + k1 - 2), (j, 0, W + k2 - 2))
OVER_KERNEL = (m, 0, k1 - 1), (n, 0, k2 - 1)

# Left sides, which say what an equation is about: they are computed by what does not know the formulas.


def _judged_by(operation, mode="valid"):
    return lambda case: operation(case.inputs.array, case.kernel.array, mode=mode)


_ONE_WEIGHT = Condition("the kernel is 1×1", with_one_weight)
_CORRELATED = Judged(Slid(OTIMES, I, K).joined(i, j), _judged_by(convolution.cross_correlate))
_CONVOLVED = Judged(Slid(STAR, I, K).joined(i, j), _judged_by(convolution.convolve, "full"))


EQ_1 = Equation(
    1,
    "Cross-correlation",
    "Cross-correlation",
    Layer,
    "A definition. It does not say which i and j are meant: where 0 ≤ i ≤ H − k₁ and 0 ≤ j ≤ W − k₂ the window lies "
    "inside the image, and the sum is the valid one.",
    symbols={"I": "inputs", "K": "kernel"},
    printed=Statement.of(VALID, _CORRELATED, total(*OVER_KERNEL)(I(i + m, j + n) * K(m, n))),
)

_VALID_PART = Judged(_CONVOLVED.printed, _judged_by(convolution.convolve))
_SUM_2 = total(*OVER_KERNEL)(I(i - m, j - n) * K(m, n))
_INSIDE_2 = total(*OVER_KERNEL)(I(i + k1 - 1 - m, j + k2 - 1 - n) * K(m, n))
_EQ_2 = Statement.of(FULL, _CONVOLVED, _SUM_2, note="zeros outside the image")

EQ_2 = Equation(
    2,
    "Convolution",
    "Convolution",
    Layer,
    "A definition, which reads I(i − m, j − n) outside the image near the border and does not say what stands there. "
    "With zeros there, 0 ≤ i ≤ H + k₁ − 2 and 0 ≤ j ≤ W + k₂ − 2 give the full result; where nothing is read outside, "
    "from (k₁ − 1, k₂ − 1) to (H − 1, W − 1), the valid one.",
    symbols={"I": "inputs", "K": "kernel"},
    printed=_EQ_2,
    tried=(_EQ_2.read_as({_CONVOLVED: _VALID_PART, _SUM_2: _INSIDE_2}, readings.IN_VALID, over=VALID),),
    remark="it reads beyond the border",
    vary=("inputs", "kernel"),
    inside=(_ONE_WEIGHT,),
    example_sizes=(2, 3, 1, 1),
)

_NEGATED = K(-m, -n)
_SUM_3 = total(*OVER_KERNEL)
_EQ_3 = Statement.of(
    FULL,
    _CONVOLVED,
    _SUM_3(I(i + m, j + n) * _NEGATED),
    conditions=(Condition("K is zero everywhere but at K(0, 0), as every 1×1 kernel is", only_first_weight),),
)


def _counted_from_the_middle(case: Layer):
    """I ∗ K at every pixel, with the middle of the kernel there: a part of the full convolution."""
    (H, W), (k1, k2) = case.inputs.shape, case.kernel.shape
    return _judged_by(convolution.convolve, "full")(case)[k1 // 2 :, k2 // 2 :][:H, :W]


_PIXELS = over((i, 0, H - 1), (j, 0, W - 1))
_AROUND = Judged(_CONVOLVED.printed, _counted_from_the_middle)
_MIDDLE_K = At(Counted(K, FROM_THE_MIDDLE), (-m, -n), "brackets")
_r1, _r2 = Block(k1, Number(2)), Block(k2, Number(2))

EQ_3 = Equation(
    3,
    "Convolution with negated indices",
    "Convolution",
    Layer,
    "With m and n from 0 to k − 1 the sum reads K(−m, −n), which lies outside the kernel unless m = n = 0: what is "
    "left is I(i, j)·K(0, 0). To put −m for m in Eq. 2 changes the limits too. If K(−m, −n) is taken for the flipped "
    "kernel, counted from its first entry as rot180 is in Eq. 6, the sum is the valid part of I ∗ K. The condition "
    "printed after it, K(−m, −n) = K(m, n), is that of a kernel for which the flip may be left out, not of Eq. 3.",
    symbols={"I": "inputs", "K": "kernel"},
    printed=_EQ_3,
    tried=(
        _EQ_3.read_as(
            {_CONVOLVED: _VALID_PART, _NEGATED: Turned(K)[m, n]}, readings.FLIPPED, readings.IN_VALID, over=VALID
        ),
        _EQ_3.read_as(
            {_CONVOLVED: _VALID_PART, _NEGATED: At(Counted(K, FROM_THE_END), (-m, -n), "brackets")},
            readings.FROM_THE_END,
            readings.IN_VALID,
            over=VALID,
            conditions=(_ONE_WEIGHT,),
        ),
        _EQ_3.read_as(
            {_CONVOLVED: _AROUND, _NEGATED: _MIDDLE_K},
            readings.FROM_THE_MIDDLE,
            over=_PIXELS,
            conditions=(_ONE_WEIGHT,),
        ),
        Statement.of(
            _PIXELS,
            _AROUND,
            total((m, -_r1, _r1), (n, -_r2, _r2))(I(i + m, j + n) * _MIDDLE_K),
            note="K is counted from its middle, and so are the limits",
            conditions=(Condition("K has a middle, its lengths being odd", odd_kernel),),
        ),
    ),
    corrected=Statement.of(
        FULL,
        _CONVOLVED,
        total((m, -(k1 - 1), 0), (n, -(k2 - 1), 0))(I(i + m, j + n) * K(-m, -n)),
        note="the limits run from −(k − 1) to 0",
    ),
    remark="wrong limits, unless K(−m, −n) is an entry of the flipped kernel",
    vary=("inputs", "kernel"),
    example_sizes=(2, 3, 1, 1),
)


# Eq. 4: channels and filters, which the article counts from 1.

_I, _K = Letter("I", "inputs", (0, 0, 1)), Letter("K", "kernel", (0, 0, 1, 1))
_b = Letter("b", "biases", (1,))
_PLACES = over((i, 0, H - k1), (j, 0, W - k2), (d, 1, D))
_SUM_4 = total(*OVER_KERNEL, (c, 1, C))


def _convolved_channels(case: Channels, mode="full"):
    """Σ_c (I_c * K_cd), by Eq. 2 and, in full, with its index."""
    I, K = case.inputs.array, case.kernel.array  # noqa: E741
    *_, channels, filters = K.shape
    maps = [
        sum(loops.convolve(I[..., c], K[..., c, d], mode=mode).astype(object) for c in range(channels))
        for d in range(filters)
    ]
    return np.stack(maps, axis=-1)


def _convolving_layer(case: Channels):
    return _convolved_channels(case, "valid") + case.biases.array


def _own_turn_without_filters(case: Channels):
    return case.with_arrays(kernel=case.kernel.array + case.kernel.array[::-1, ::-1])


def _layer_with_channels(case: Channels):
    return loops.conv2d(case.inputs.array[None], case.kernel.array, case.biases.array)[0]


def _with_filters(printed, by):
    """A left side with an entry for each filter, whether or not it is printed with its index."""
    return Judged(printed, lambda case: np.pad(by(case), ((0, 0), (0, 0), (1, 0))), (i, j, d))


def _only_first_filter(case: Channels):
    return case.with_arrays(kernel=case.kernel.array[..., :1], biases=case.biases.array[:1])


_STAR_4 = Slid(STAR, I, K).joined(i, j)
_LEFT_4, _LAYER_4, _CONVOLVING_4 = (
    _with_filters(_STAR_4, by) for by in (_convolved_channels, _layer_with_channels, _convolving_layer)
)
# K has four indices and is given three; b is a vector of D and is given none: neither has a value.
_EQ_4 = Statement.of(_PLACES, _LEFT_4, _SUM_4(dot(_K[m, n, c], _I[i + m, j + n, c])) + _b[()])

_FILTER_D = {_K[m, n, c]: _K[m, n, c, d], _b[()]: _b[d]}

EQ_4 = Equation(
    4,
    "The layer with channels and filters",
    "Convolution Neural Networks",
    Channels,
    "K has just been declared k₁×k₂×C×D, one kernel of C channels for each of D filters, and b has D entries. The sum "
    "names three of the four indices, so as it stands it has no value: K, b and the output belong to one filter d. "
    "And the sum is the cross-correlation of Eq. 1, though it is written ∗.",
    symbols={"I": "inputs", "K": "kernel", "b": "biases"},
    printed=_EQ_4,
    tried=(
        _EQ_4.read_as({_LEFT_4: _LAYER_4, **_FILTER_D}, readings.CORRELATES, readings.OUTPUT, readings.EACH_FILTER),
        _EQ_4.read_as(
            {_LEFT_4: _LAYER_4, _K[m, n, c]: _K[m, n, c, 1], _b[()]: _b[1]},
            readings.CORRELATES,
            readings.OUTPUT,
            readings.ONE_FILTER,
            conditions=(Condition("there is one filter, D = 1", _only_first_filter),),
        ),
        _EQ_4.read_as(
            {_LEFT_4: _CONVOLVING_4, **_FILTER_D},
            readings.CONVOLVES,
            readings.IN_VALID,
            readings.OUTPUT,
            readings.EACH_FILTER,
            conditions=(Condition("every kernel is equal to its own rot180", _own_turn_without_filters),),
        ),
    ),
    corrected=Statement.of(
        _PLACES,
        _with_filters(x.joined(i, j, d), _layer_with_channels),
        _SUM_4(dot(_K[m, n, c, d], _I[i + m, j + n, c])) + _b[d],
        note="K, b and what comes out are those of filter d",
    ),
    remark="incomplete, as the filter's index is missing",
    vary=("inputs", "kernel", "biases"),
    example_sizes=(2, 1, 1, 2, 2, 3),
)


# Eq. 5: one channel, one filter.


def _image_layer(case: Layer):
    return convolution.cross_correlate(case.inputs.array, case.kernel.array) + case.bias


def _convolving_image_layer(case: Layer):
    return convolution.convolve(case.inputs.array, case.kernel.array) + case.bias


_SUM_5 = total(*OVER_KERNEL)(dot(K[m, n], I[i + m, j + n])) + b
_EQ_5 = Statement.of(
    VALID,
    _CONVOLVED,
    _SUM_5,
    conditions=(
        Condition(
            "the kernel is 1×1 and b = 0",
            lambda case: with_one_weight(case).with_arrays(biases=np.zeros(case.inputs.shape, int)),
        ),
    ),
)

EQ_5 = Equation(
    5,
    "The layer with one channel",
    "Convolution Neural Networks",
    Layer,
    "The right side is what the layer computes, and what Eq. 7 says again. The left side is not: by Eq. 2, ∗ reads the "
    "image backwards, and has no bias. Here, as in Eq. 4 and 22, ∗ is written and ⊗ is meant.",
    symbols={"I": "inputs", "K": "kernel", "b": "bias"},
    printed=_EQ_5,
    tried=(
        _EQ_5.read_as({_CONVOLVED: Judged(_CONVOLVED.printed, _image_layer)}, readings.CORRELATES, readings.OUTPUT),
        _EQ_5.read_as(
            {_CONVOLVED: Judged(_CONVOLVED.printed, _convolving_image_layer)},
            readings.CONVOLVES,
            readings.IN_VALID,
            readings.OUTPUT,
            conditions=(Condition("the kernel is equal to its own rot180", own_turn("kernel")),),
        ),
    ),
    corrected=Statement.of(
        VALID,
        Judged(x.joined(i, j), _image_layer),
        Both(_SUM_5, Slid(OTIMES, I, K).joined(i, j) + b),
        note="the operation is ⊗",
    ),
    remark="the right sum under the wrong symbol",
    vary=("inputs", "kernel", "biases"),
)

EQUATIONS = (EQ_1, EQ_2, EQ_3, EQ_4, EQ_5)
