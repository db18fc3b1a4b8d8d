"""How a number, and an entry of an array, is written in a line of text."""

from fractions import Fraction
from functools import lru_cache
from numbers import Integral

MINUS = "\u2212"
_SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")


@lru_cache(maxsize=4096, typed=True)  # a picture writes the same few numbers hundreds of times
def number(value: object) -> str:
    """Write a number as a reader expects it: a true minus sign, at most four significant digits, exact integers.

    >>> number(-3), number(0.1 + 0.2), number(Fraction(2, 3)), number(-0.0)
    ('−3', '0.3', '2/3', '0')
    """
    if isinstance(value, Integral | Fraction):
        text = str(value + 0)  # True + 0 is 1
    else:
        text = f"{value:.4g}"
        if "e" not in text and float(text) == 0:
            text = "0"
        text = text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return text.replace("-", MINUS)


@lru_cache(maxsize=4096, typed=True)
def factor(value: object) -> str:
    """Write a number as it stands in a product: in brackets if it is negative or a fraction."""
    text = number(value)
    return f"({text})" if text.startswith(MINUS) or "/" in text else text


def subscripted(letter: str, *index: int) -> str:
    """Write an entry of an array as the equations do.

    >>> subscripted("K", 0, 2), subscripted("w", 10, 0)
    ('K₀₂', 'w₁₀,₀')
    """
    subscripts = [str(i).translate(_SUBSCRIPTS) for i in index]
    return letter + ("" if all(0 <= i <= 9 for i in index) else ",").join(subscripts)


def bracketed(letter: str, *index: int) -> str:
    """Write an entry of an array as the pictures do.

    >>> bracketed("K", 0, -1)
    'K(0, −1)'
    """
    return f"{letter}({', '.join(map(number, index))})"


_LATEX = {"δ": r"\delta", "′": "'", MINUS: "-", "·": r"\cdot ", "¹": "^1", "²": "^2"}


def in_latex(text: str) -> str:
    r"""The same in LaTeX, for the few signs that the equations use.

    >>> in_latex("δ"), in_latex("f′"), in_latex("(−3)"), in_latex("(−2/3)")
    ('\\delta', "f'", '(-3)', '(-2/3)')
    """
    return "".join(_LATEX.get(sign, sign) for sign in text)


def latex_subscripted(letter: str, *index: int) -> str:
    r"""Write an entry of an array in LaTeX.

    >>> latex_subscripted("δ", 0, 2), latex_subscripted("w", 10, 0)
    ('\\delta_{02}', 'w_{10,0}')
    """
    subscript = ("" if all(0 <= i <= 9 for i in index) else ",").join(map(str, index))
    return f"{in_latex(letter)}_{{{subscript}}}"
