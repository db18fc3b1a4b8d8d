"""Eq. 1 to 5: cross-correlation and convolution, and the layer before it has its notation."""

import numpy as np

from convbp import loops
from convbp.convolution import convolve, cross_correlate
from convbp.equations.cases import Channels, Layer, double_sum, table
from convbp.equations.conditions import only_first_weight, with_one_weight
from convbp.equations.entry import Condition, Equation, Side, Statement

_SUM = r"\sum_{m=0}^{k_1-1}\sum_{n=0}^{k_2-1}"


# Sides, each computed as it is printed: I, K, o, w, δ are 0 outside.


def _cross_correlation(case: Layer):
    return cross_correlate(case.inputs.array, case.kernel.array)


def _eq1(case):
    I, K = case.inputs, case.kernel  # noqa: E741
    return table(lambda i, j: double_sum(*case.entries, lambda m, n: I(i + m, j + n) * K(m, n)), *case.places)


def _full(case: Layer) -> tuple[range, range]:
    """The rows and columns of the full result: 0 to H + k₁ − 2, 0 to W + k₂ − 2."""
    return tuple(range(size + k - 1) for size, k in zip(case.inputs.shape, case.kernel.shape, strict=True))


def _convolution(case: Layer):
    return convolve(case.inputs.array, case.kernel.array, mode="full")


def _eq2(case):
    I, K = case.inputs, case.kernel  # noqa: E741
    return table(lambda i, j: double_sum(*case.entries, lambda m, n: I(i - m, j - n) * K(m, n)), *_full(case))


def _eq3(case, ms, ns):
    I, K = case.inputs, case.kernel  # noqa: E741
    return table(lambda i, j: double_sum(ms, ns, lambda m, n: I(i + m, j + n) * K(-m, -n)), *_full(case))


def _eq3_printed(case):
    return _eq3(case, *case.entries)


def _eq3_corrected(case):
    k1, k2 = case.kernel.shape
    return _eq3(case, range(-(k1 - 1), 1), range(-(k2 - 1), 1))


EQ_1 = Equation(
    1,
    "Cross-correlation",
    "Cross-correlation",
    Layer,
    "A definition. It does not say which i and j are meant: where 0 ≤ i ≤ H − k₁ and 0 ≤ j ≤ W − k₂ the window lies "
    "inside the image, and the sum is the valid one.",
    symbols={"I": "inputs", "K": "kernel"},
    axes=("i", "j"),
    printed=Statement(
        (Side(r"(I \otimes K)_{ij}", _cross_correlation), Side(rf"{_SUM} I(i+m, j+n)\, K(m, n)", _eq1)),
    ),
)

EQ_2 = Equation(
    2,
    "Convolution",
    "Convolution",
    Layer,
    "A definition. With zeros outside the image, 0 ≤ i ≤ H + k₁ − 2 and 0 ≤ j ≤ W + k₂ − 2 give the full result.",
    symbols={"I": "inputs", "K": "kernel"},
    axes=("i", "j"),
    printed=Statement((Side("(I * K)_{ij}", _convolution), Side(rf"{_SUM} I(i-m, j-n)\, K(m, n)", _eq2))),
    example_sizes=(2, 3, 1, 1),
)

EQ_3 = Equation(
    3,
    "Convolution with negated indices",
    "Convolution",
    Layer,
    "With m and n from 0 to k − 1 the sum reads K(−m, −n), which lies outside the kernel unless m = n = 0: what is "
    "left is I(i, j)·K(0, 0). To put −m for m in Eq. 2 changes the limits too. The condition printed after it, "
    "K(−m, −n) = K(m, n), is that of a kernel for which the flip may be left out, not of Eq. 3.",
    symbols={"I": "inputs", "K": "kernel"},
    axes=("i", "j"),
    printed=Statement(
        (Side("(I * K)_{ij}", _convolution), Side(rf"{_SUM} I(i+m, j+n)\, K(-m, -n)", _eq3_printed)),
        conditions=(Condition("K is zero everywhere but at K(0, 0), as every 1×1 kernel is", only_first_weight),),
    ),
    corrected=Statement(
        (
            Side("(I * K)_{ij}", _convolution),
            Side(r"\sum_{m=-(k_1-1)}^{0}\ \sum_{n=-(k_2-1)}^{0} I(i+m, j+n)\, K(-m, -n)", _eq3_corrected),
        ),
        note="the limits run from −(k − 1) to 0",
    ),
    remark="wrong limits",
    vary=("inputs", "kernel"),
    example_sizes=(2, 3, 1, 1),
)


# Eq. 4: channels and filters.


def _convolved_channels(case: Channels):
    """Σ_c (I_c * K_cd), by Eq. 2 and with its index."""
    I, K = case.inputs, case.kernel  # noqa: E741
    ms, ns, channels, _ = map(range, K.shape)
    return table(
        lambda i, j, d: sum(I(i - m, j - n, c) * K(m, n, c, d) for m in ms for n in ns for c in channels), *case.places
    )


def _layer_with_channels(case: Channels):
    return loops.conv2d(case.inputs.array[None], case.kernel.array, case.biases.array)[0].astype(object)


def _eq4_printed(case: Channels):
    I, K, b = case.inputs, case.kernel, case.biases  # noqa: E741
    ms, ns, channels, _ = map(range, K.shape)
    # K has four indices and is given three; b is a vector of D and is given none: neither has a value.
    return table(
        lambda i, j, d: sum(K(m, n, c) * I(i + m, j + n, c) for m in ms for n in ns for c in channels) + b(),
        *case.places,
    )


def _eq4(case: Channels, filter_of=lambda d: d):
    """The sum with the filter's index; ``filter_of(d)`` is the filter that stands for filter d."""
    I, K, b = case.inputs, case.kernel, case.biases  # noqa: E741
    ms, ns, channels, _ = map(range, K.shape)

    def entry(i, j, d):
        d = filter_of(d)
        return sum(K(m, n, c, d) * I(i + m, j + n, c) for m in ms for n in ns for c in channels) + b(d)

    return table(entry, *case.places)


def _eq4_one_filter(case: Channels):
    return _eq4(case, filter_of=lambda d: 0)


def _only_first_filter(case: Channels):
    return case.with_arrays(kernel=case.kernel.array[..., :1], biases=case.biases.array[:1])


_SUM_4 = rf"{_SUM}\sum_{{c=1}}^{{C}}"

EQ_4 = Equation(
    4,
    "The layer with channels and filters",
    "Convolution Neural Networks",
    Channels,
    "K has just been declared k₁×k₂×C×D, one kernel of C channels for each of D filters, and b has D entries. The sum "
    "names three of the four indices, so as it stands it has no value: K, b and the output belong to one filter d. "
    "And the sum is the cross-correlation of Eq. 1, though it is written ∗.",
    symbols={"I": "inputs", "K": "kernel", "b": "biases"},
    axes=("i", "j", "d"),
    printed=Statement(
        (
            Side("(I * K)_{ij}", _convolved_channels),
            Side(rf"{_SUM_4} K_{{m,n,c}} \cdot I_{{i+m,j+n,c}} + b", _eq4_printed),
        )
    ),
    readings=(
        Statement(
            (
                Side("(I * K)_{ij}", _layer_with_channels),
                Side(rf"{_SUM_4} K_{{m,n,c}} \cdot I_{{i+m,j+n,c}} + b", _eq4),
            ),
            note="for each filter d, K and b are that filter's own, and ∗ stands for the layer, which cross-correlates",
        ),
        Statement(
            (
                Side("(I * K)_{ij}", _layer_with_channels),
                Side(rf"{_SUM_4} K_{{m,n,c}} \cdot I_{{i+m,j+n,c}} + b", _eq4_one_filter),
            ),
            note="no index means one and the same filter, the first, and ∗ stands for the layer",
            conditions=(Condition("there is one filter, D = 1", _only_first_filter),),
        ),
    ),
    corrected=Statement(
        (
            Side("x_{ijd}", _layer_with_channels),
            Side(rf"{_SUM_4} K_{{m,n,c,d}} \cdot I_{{i+m,j+n,c}} + b_d", _eq4),
        ),
        note="K, b and what comes out are those of filter d",
    ),
    remark="incomplete, as the filter's index is missing",
    vary=("inputs", "kernel", "biases"),
    example_sizes=(2, 1, 1, 2, 2, 3),
)


# Eq. 5 to 8: one channel, one filter.


def _true_convolution(case: Layer):
    """(I * K)ᵢⱼ of Eq. 2 at the indices of the layer's output."""
    I, K = case.inputs, case.kernel  # noqa: E741
    return table(lambda i, j: double_sum(*case.entries, lambda m, n: I(i - m, j - n) * K(m, n)), *case.places)


def _eq5(case: Layer):
    return _eq1(case) + case.bias


def _image_layer(case: Layer):
    return cross_correlate(case.inputs.array, case.kernel.array) + case.bias


EQ_5 = Equation(
    5,
    "The layer with one channel",
    "Convolution Neural Networks",
    Layer,
    "The right side is what the layer computes, and what Eq. 7 says again. The left side is not: by Eq. 2, ∗ reads the "
    "image backwards, and has no bias. Here, as in Eq. 4 and 22, ∗ is written and ⊗ is meant.",
    symbols={"I": "inputs", "K": "kernel", "b": "bias"},
    axes=("i", "j"),
    printed=Statement(
        (Side("(I * K)_{ij}", _true_convolution), Side(rf"{_SUM} K_{{m,n}} \cdot I_{{i+m,j+n}} + b", _eq5)),
        conditions=(
            Condition(
                "the kernel is 1×1 and b = 0",
                lambda case: with_one_weight(case).with_arrays(biases=np.zeros(case.inputs.shape, int)),
            ),
        ),
    ),
    readings=(
        Statement(
            (Side("(I * K)_{ij}", _image_layer), Side(rf"{_SUM} K_{{m,n}} \cdot I_{{i+m,j+n}} + b", _eq5)),
            note="∗ stands for what the layer does: cross-correlate, and add the bias",
        ),
    ),
    corrected=Statement(
        (
            Side("x_{ij}", _image_layer),
            Side(rf"{_SUM} K_{{m,n}} \cdot I_{{i+m,j+n}} + b = (I \otimes K)_{{ij}} + b", _eq5),
        ),
        note="the operation is ⊗",
    ),
    remark="the right sum under the wrong symbol",
    vary=("inputs", "kernel", "biases"),
)

EQUATIONS = (EQ_1, EQ_2, EQ_3, EQ_4, EQ_5)
