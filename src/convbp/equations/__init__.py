"""The article, executable: each of its equations can be shown, evaluated on exact numbers, and judged.

    from convbp.equations import equation, equations

    equation(22)                 # as printed, its verdict, the corrected form, both sides as numbers
    equation(22).check(seed=1)   # on fresh random integers
    equations()                  # all of them, with their verdicts
    conventions()                # the two conventions of the forward pass, and what follows from each
    expand_kernel_gradient(o, delta, 0, 1)  # ∂E/∂w₀₁ = δ₀₀o₀₁ + δ₀₁o₀₂ + …, in symbols and numbers

The article is Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016. No verdict is
stored: each is found by computing the printed form, with its printed limits and indices and zero read outside the
arrays, and comparing it with something that does not know it.

Which readings are tried is our choice; on how many cases each one holds is computed. A reading keeps the printed
formula and supplies what the article does not say: an index (Eq. 4, 6, 14, 19), one bias for bᵢⱼ (6, 7), or that ∗
stands for what the layer does, which is to cross-correlate (4, 5). This last one is not open to an equation in which
rot180 stands beside ∗ (Eq. 6, 14, 22). There the turn is written out, and ∗ is the convolution of Eq. 2, which turns
once more: Eq. 6 and 14 are right only so. Hence Eq. 22, which would hold with ⊗ for ∗, does not hold.

An equation is judged with what its sentence says of it: Eq. 9 holds, but not under its name.
"""

from convbp.equations.conventions import conventions
from convbp.equations.entry import Check, Equation
from convbp.equations.expansion import (
    Expansion,
    expand_bias_gradient,
    expand_input_gradient,
    expand_kernel_gradient,
)
from convbp.equations.registry import Equations, equation, equations

__all__ = [
    "Check",
    "Equation",
    "Equations",
    "Expansion",
    "conventions",
    "equation",
    "equations",
    "expand_bias_gradient",
    "expand_input_gradient",
    "expand_kernel_gradient",
]
