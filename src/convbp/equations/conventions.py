"""The two conventions: forward without a flip or with one, and what follows from it for the two gradients.

Nearly every framework, and Eq. 7 of the article, cross-correlates. Grzegorz Gwardys, "Convolutional Neural
Networks backpropagation: from intuition to derivation" (2016), convolves. Both are right; what is wrong is to mix
the rows.
"""

from dataclasses import dataclass
from itertools import starmap

from convbp.equations import deltas, kernel_gradient
from convbp.equations.cases import CONVOLUTION, Layer, double_sum, table
from convbp.equations.entry import Equation, Side, Statement
from convbp.equations.forward import eq7_one_bias


@dataclass(frozen=True, eq=False)
class ConvolutionLayer(Layer):
    """A layer whose forward pass is x = o ∗ w + b, the valid part."""

    convention: str = CONVOLUTION


@dataclass(frozen=True)
class Convention:
    """One row of the table: three entries that can be shown and checked as those of the article."""

    name: str
    forward: Equation
    kernel_gradient: Equation
    delta: Equation

    @property
    def entries(self) -> tuple[Equation, Equation, Equation]:
        return self.forward, self.kernel_gradient, self.delta


class Conventions(tuple):
    """The two rows; a notebook shows them as a table."""

    def __repr__(self) -> str:
        return "\n".join(entry.judged for row in self for entry in row.entries)

    def _repr_markdown_(self) -> str:
        head = "| | forward | $\\partial E/\\partial w$ | $\\partial E/\\partial x$ below |\n|---|---|---|---|"
        rows = [[row.name, *(_right_side(entry) for entry in row.entries)] for row in self]
        return "\n".join([head, *("| " + " | ".join(row) + " |" for row in rows)])


def conventions() -> Conventions:
    """Return the two conventions: cross-correlation forward, and convolution forward.

    Returns
    -------
    Conventions
    """
    return _CONVENTIONS


def _right_side(entry: Equation) -> str:
    sides = " = ".join(side.latex for side in entry.printed.sides[1:])
    return f"${sides}$ ({entry.verdict})"


def _convolved(case: Layer):
    (k1, k2), o, w = case.kernel.shape, case.o, case.kernel
    return (
        table(
            lambda i, j: double_sum(*case.entries, lambda m, n: o(i + k1 - 1 - m, j + k2 - 1 - n) * w(m, n)),
            *case.places,
        )
        + case.bias
    )


def _entry(family: type[Layer], what: str, title: str, left: Side, *right: Side) -> Equation:
    forward = "convolution" if family is ConvolutionLayer else "cross-correlation"
    return Equation(
        f"{what}, {forward} forward",
        title,
        "Convolution",
        family,
        "",
        symbols=deltas.NEXT_LAYER,
        axes=("i", "j"),
        printed=Statement((left, *right)),
    )


_X = Side("x", lambda case: case.x.array)
_BY_KERNEL = Side(r"\frac{\partial E}{\partial w}", lambda case: case.error_by_kernel)
_BY_INPUTS = Side(r"\frac{\partial E}{\partial x}", lambda case: case.error_by_inputs)
_SLOPE = r" \cdot f'(x)"

_ROWS = {
    "cross-correlation forward (Eq. 7; PyTorch, TensorFlow)": (
        Layer,
        [Side(r"o \otimes w + b \text{, valid}", eq7_one_bias)],
        [Side(r"o \otimes \delta \text{, valid}", kernel_gradient.eq13)],
        [
            Side(rf"(\delta \otimes \mathrm{{rot}}_{{180^\circ}} w){_SLOPE}", deltas.eq21_corrected),
            Side(rf"(\delta * w){_SLOPE} \text{{, full}}", deltas.eq20),
        ],
    ),
    "convolution forward (Gwardys)": (
        ConvolutionLayer,
        [Side("o * w + b \\text{, valid}", _convolved)],
        [
            Side(
                r"\mathrm{rot}_{180^\circ}(o \otimes \delta) \text{, valid}",
                lambda case: kernel_gradient.eq13(case)[::-1, ::-1],
            )
        ],
        [
            Side(rf"(\delta * \mathrm{{rot}}_{{180^\circ}} w){_SLOPE}", deltas.eq22_printed),
            Side(rf"(\delta \otimes w){_SLOPE} \text{{, full}}", deltas.unturned_times_slope),
        ],
    ),
}


def _row(name: str, row: tuple) -> Convention:
    family, forward, kernel_gradient, delta = row
    return Convention(
        name,
        _entry(family, "forward", "The forward pass", _X, *forward),
        _entry(family, "kernel gradient", "The gradient of the kernel", _BY_KERNEL, *kernel_gradient),
        _entry(family, "delta", "The way back", _BY_INPUTS, *delta),
    )


_CONVENTIONS = Conventions(starmap(_row, _ROWS.items()))
