"""An entry of a gradient written out: every product of its sum, in symbols and in numbers.

The terms are those of the formulas of the equations, evaluated on entries that know their names.
"""

from dataclasses import dataclass

import numpy as np

from convbp.equations.cases import CONVOLUTION, CROSS_CORRELATION
from convbp.equations.deltas import INPUT_SUM, UNTURNED_FULL
from convbp.equations.kernel_gradient import BIAS_SUM, KERNEL_SUM
from convbp.equations.terms import Arrays, terms
from convbp.notation import factor, in_latex, latex_subscripted, number, subscripted
from convbp.shapes import as_numbers
from convbp.sums import Factor, Sum, exact, symbol

TERMS_IN_A_LINE = 6  # in LaTeX; a notebook is about so wide


@dataclass(frozen=True)
class Expansion:
    """A sum written out; a notebook shows it as LaTeX.

    Attributes
    ----------
    left : str
        What it is the value of, as LaTeX.
    sum : Sum
        The products; none where no product reaches.
    slope : Factor or None
        What the whole sum is multiplied with, f′(x), if anything.
    """

    left: str
    sum: Sum
    slope: Factor | None = None

    @property
    def value(self):
        """The number."""
        return exact(self.sum.value * (1 if self.slope is None else self.slope.value))

    @property
    def symbols(self) -> str:
        """The products in symbols, as LaTeX."""
        return self._joined(self.sum.in_latex(), self.slope.latex if self.slope else "")

    @property
    def numbers(self) -> str:
        """The products in numbers, as LaTeX."""
        return self._joined(self.sum.numbers_in_latex(), in_latex(factor(self.slope.value)) if self.slope else "")

    @property
    def latex(self) -> str:
        """What it is = in symbols = in numbers = the number; long sums in several lines."""
        lines = [self.symbols, self.numbers, in_latex(number(self.value))]
        body = " \\\\\n".join(f"&= {line}" for line in lines if line)
        return f"\\begin{{aligned}}\n{self.left} {body}\n\\end{{aligned}}"

    def _joined(self, terms: list[str], slope: str) -> str:
        rows = [" + ".join(terms[i : i + TERMS_IN_A_LINE]) for i in range(0, len(terms), TERMS_IN_A_LINE)]
        joined = " \\\\\n&\\quad + ".join(rows)
        if not slope or not terms:
            return joined
        return rf"\big({joined}\big) \cdot {slope}" if len(terms) > 1 else rf"{joined} \cdot {slope}"

    def __repr__(self) -> str:
        terms = " + ".join(self.sum.in_symbols()) or "no term"
        if self.slope:
            terms = f"({terms})·{self.slope.text}"
        return f"{terms} = {number(self.value)}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


def expand_kernel_gradient(inputs, delta, m, n, *, convention=CROSS_CORRELATION) -> Expansion:
    """Write out ∂E/∂wₘₙ: Σ δᵢⱼ oᵢ₊ₘ,ⱼ₊ₙ, Eq. 13; under a true convolution, the entry of rot180(o ⊗ δ).

    Parameters
    ----------
    inputs : array_like, shape=(H, W)
        o.
    delta : array_like, shape=(H − k1 + 1, W − k2 + 1)
    m, n : int
        Which weight, from 0.
    convention : {"cross-correlation", "convolution"}
        Of the forward pass.

    Returns
    -------
    Expansion

    Raises
    ------
    TypeError, ValueError
        If an array is not 2-D, not of numbers, or empty; the δ's are more than the inputs; there is no such weight;
        or the convention is another.
    """
    operation = "expand_kernel_gradient"
    inputs, delta = as_numbers(operation, "inputs", inputs, "HW"), as_numbers(operation, "delta", delta, "HW")
    k1, k2 = (size - places + 1 for size, places in zip(inputs.shape, delta.shape, strict=True))
    if k1 < 1 or k2 < 1:
        raise ValueError(
            f"{operation}: delta has shape {delta.shape}, inputs have {inputs.shape}; expected a delta that is not "
            "larger, (H − k1 + 1, W − k2 + 1). Are the two exchanged?"
        )
    _check_entry(operation, "weight", (m, n), (k1, k2))
    row, col = _turned((m, n), (k1, k2), operation, convention)
    entry = terms(KERNEL_SUM, Arrays(o=inputs, delta=delta), row, col)
    return Expansion(_derivative(latex_subscripted("w", m, n)), entry)


def expand_bias_gradient(delta) -> Expansion:
    """Write out ∂E/∂b = Σ δᵢⱼ.

    Parameters
    ----------
    delta : array_like, shape=(rows, columns)

    Returns
    -------
    Expansion

    Raises
    ------
    TypeError, ValueError
        If ``delta`` is not 2-D, not of numbers, or empty.
    """
    delta = as_numbers("expand_bias_gradient", "delta", delta, "HW")
    return Expansion(_derivative("b"), terms(BIAS_SUM, Arrays(inputs=delta, delta=delta)))  # as of a 1×1 kernel


def expand_input_gradient(delta, kernel, row, col, *, slope=None, convention=CROSS_CORRELATION) -> Expansion:
    """Write out ∂E/∂oᵢⱼ = Σ δᵢ₋ₘ,ⱼ₋ₙ wₘₙ, Eq. 20; with a ``slope``, ∂E/∂xᵢⱼ, which is that times f′(xᵢⱼ).

    Products with a δ outside its map are left out.

    Parameters
    ----------
    delta : array_like, shape=(rows, columns)
        Of the layer above.
    kernel : array_like, shape=(k1, k2)
    row, col : int
        Which pixel of the input map, (rows + k1 − 1, columns + k2 − 1).
    slope : number, optional
        f′(x) at this pixel.
    convention : {"cross-correlation", "convolution"}
        Of the forward pass; under a true convolution it is the entry of δ ⊗ w, full.

    Returns
    -------
    Expansion

    Raises
    ------
    TypeError, ValueError
        If an array is not 2-D, not of numbers, or empty; there is no such pixel; or the convention is another.
    """
    operation = "expand_input_gradient"
    delta, kernel = as_numbers(operation, "delta", delta, "HW"), as_numbers(operation, "kernel", kernel, "kl")
    size = tuple(places + k - 1 for places, k in zip(delta.shape, kernel.shape, strict=True))
    _check_entry(operation, "pixel", (row, col), size)
    _turned((0, 0), (1, 1), operation, convention)
    formula = UNTURNED_FULL if convention == CONVOLUTION else INPUT_SUM
    entry = terms(formula, Arrays(delta=delta, kernel=kernel), row, col).inside
    letter = "o" if slope is None else "x"
    if slope is not None:
        inside = latex_subscripted("x", row, col)
        ((slope,),) = symbol(f"f′({subscripted('x', row, col)})", slope, f"f'({inside})").terms
    return Expansion(_derivative(latex_subscripted(letter, row, col)), entry, slope)


def _derivative(below: str) -> str:
    return rf"\frac{{\partial E}}{{\partial {below}}}"


def _check_entry(operation: str, what: str, index: tuple, size: tuple[int, int]) -> None:
    for at, end in zip(index, size, strict=True):
        if isinstance(at, bool) or not isinstance(at, int | np.integer):
            raise TypeError(f"{operation}: the {what} is {index}; expected two integers.")
        if not 0 <= at < end:
            raise ValueError(
                f"{operation}: the {what} is {index}; expected (0, 0) to ({size[0] - 1}, {size[1] - 1}). Indices count "
                "from 0, and not from the end."
            )


def _turned(index: tuple, size: tuple, operation: str, convention: str) -> tuple:
    """The index in o ⊗ δ: as it is, or, under a true convolution, turned by 180°."""
    if convention not in (CROSS_CORRELATION, CONVOLUTION):
        raise ValueError(
            f"{operation}: convention is {convention!r}; expected {CROSS_CORRELATION!r} or {CONVOLUTION!r}."
        )
    if convention == CROSS_CORRELATION:
        return index
    return tuple(k - 1 - at for at, k in zip(index, size, strict=True))
