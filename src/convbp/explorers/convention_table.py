"""The two conventions as formulas to compute with: forwards, for ∂E/∂w and for ∂E/∂o, each written in two ways.

`convbp.equations.conventions` has the same table to be judged; here its formulas work on numbers and on symbols alike.
"""

from collections.abc import Callable
from typing import NamedTuple

CROSS_CORRELATION, CONVOLUTION, FIGURE = "cross-correlation", "convolution", "figure"


class Rule(NamedTuple):
    """A formula of o, w and δ, and another one that gives the same, or for the figure what it should have been.

    They take the module whose operations to use, too: `convbp.convolution` for numbers, and `convbp.loops` for
    symbols, of which each entry comes out as the sum of its terms.
    """

    formula: str
    value: Callable
    note: str
    again: Callable


# What is computed -> how each convention does it, and for the kernel the article's figure. A convention is a row.
TABLE = {
    "forward": {
        CROSS_CORRELATION: Rule(
            *("o ⊗ w", lambda op, o, w, δ: op.cross_correlate(o, w)),
            *("Written with ∗: rot180(w) ∗ o (Eq. 6)", lambda op, o, w, δ: op.convolve(o, op.rot180(w))),
        ),
        CONVOLUTION: Rule(
            *("o ∗ w", lambda op, o, w, δ: op.convolve(o, w)),
            *("Written with ⊗: o ⊗ rot180(w)", lambda op, o, w, δ: op.cross_correlate(o, op.rot180(w))),
        ),
    },
    "by_kernel": {
        CROSS_CORRELATION: Rule(
            *("o ⊗ δ", lambda op, o, w, δ: op.cross_correlate(o, δ)),
            *(
                "With ∗ it is δ that is turned: rot180(δ) ∗ o (Eq. 14)",
                lambda op, o, w, δ: op.convolve(o, op.rot180(δ)),
            ),
        ),
        CONVOLUTION: Rule(
            *("rot180(o ⊗ δ)", lambda op, o, w, δ: op.rot180(op.cross_correlate(o, δ))),
            *("With ∗ it is o that is turned: rot180(o) ∗ δ", lambda op, o, w, δ: op.convolve(op.rot180(o), δ)),
        ),
        FIGURE: Rule(
            *("o ⊗ rot180(δ)", lambda op, o, w, δ: op.cross_correlate(o, op.rot180(δ))),
            *("Eq. 14 beside that figure has ∗: rot180(δ) ∗ o", lambda op, o, w, δ: op.convolve(o, op.rot180(δ))),
        ),
    },
    "by_image": {
        CROSS_CORRELATION: Rule(
            *("δ ⊗ rot180(w)", lambda op, o, w, δ: op.cross_correlate(δ, op.rot180(w), mode="full")),
            *("Written with ∗, no turn: δ ∗ w (Eq. 20)", lambda op, o, w, δ: op.convolve(δ, w, mode="full")),
        ),
        CONVOLUTION: Rule(
            *("δ ⊗ w", lambda op, o, w, δ: op.cross_correlate(δ, w, mode="full")),
            *("Eq. 22 as printed: δ ∗ rot180(w)", lambda op, o, w, δ: op.convolve(δ, op.rot180(w), mode="full")),
        ),
    },
}
