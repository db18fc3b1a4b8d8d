"""The article, executable: each of its equations can be shown, evaluated on exact numbers, and judged.

    from convbp.equations import equation, equations

    equation(22)                 # as printed, its verdict, the corrected form, both sides as numbers
    equation(22).check(seed=1)   # on fresh random integers
    equations()                  # all of them, with their verdicts
    conventions()                # the two conventions of the forward pass, and what follows from each
    expand_kernel_gradient(o, delta, 0, 1)  # ∂E/∂w₀₁ = δ₀₀o₀₁ + δ₀₁o₀₂ + …, in symbols and numbers

The article is Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016. No verdict is
stored: each is found by computing the printed form, with its printed limits and indices, and comparing it with
something that does not know it.

Which ways are tried is our choice; on how many cases each one holds is computed, and `convbp.equations.readings` has
the one rule for which of them are readings. An equation that holds with some reading holds with a reading.

    tried()                  # every equation with all that was tried, and the counts
    meanings_of_the_star()   # no single meaning of ∗ makes all equations hold
    rule_of_thumb()          # a reader's rule for rot180, run
    quick_tests()            # which mistake hides from which quick test
"""

from convbp.equations.conventions import conventions
from convbp.equations.entry import Check, Equation
from convbp.equations.errata import meanings_of_the_star, quick_tests, rule_of_thumb, tried
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
    "meanings_of_the_star",
    "quick_tests",
    "rule_of_thumb",
    "tried",
]
