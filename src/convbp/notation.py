"""How a number, and an entry of an array, is written in a line of text."""

import re
from collections.abc import Callable
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


@lru_cache(maxsize=4096, typed=True)
def brief(value: object) -> str:
    """Write a number as there is room for it in a cell: a short integer or fraction, or three significant digits; if
    it is below 1 so many of them as go into five characters, and one at least.

    >>> brief(-1024), brief(1234567), brief(Fraction(1, 3)), brief(12.345), brief(-0.1234), brief(0.001234)
    ('−1024', '1.23e6', '1/3', '12.3', '−0.12', '0.001')
    """
    text = number(value)
    if len(text.lstrip(MINUS)) <= (4 if isinstance(value, Integral) else 3):
        return text
    real = float(value)  # type: ignore[arg-type]
    digits = next((n for n in (3, 2) if abs(real) >= 1 or len(f"{real:.{n}g}") <= 5), 1)
    text = f"{real:.{digits}g}"
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-").replace("-", MINUS)


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


_IN_TEXT: dict[str, str | Callable[[re.Match], str]] = {
    r",\\,": ",",
    r"\\mathrm\{rot\}_\{180\^\\circ\} ?": "rot180 ",
    r"\\overset\{\\text\{(\w+)\}\}\{(\\?\W?\w*)\}": r"\2 (\1)",
    r"\\sum_\{(.+?)=(.+?)\}\^\{(.+?)\} ?": r"Σ[\1 = \2 … \3] ",
    r"([A-Za-z])_([12])": lambda found: subscripted(found[1], int(found[2])),
    r"\^\{l\+1\}": "ˡ⁺¹",
    r"\^\{l-1\}": "ˡ⁻¹",
    r"\^l": "ˡ",
    r"_\{([^{}]*)\}": r"(\1)",
    r"\\[bB]ig": "",
    r"\\([{}])": r"\1",
    r"\\, ?": "·",
    r"\\delta": "δ",
    r"\\otimes": "⊗",
    r"\*": "∗",
    r"'": "′",
    r"(?<=[\w′)]) ?([-+]) ?(?=[\w(])": r" \1 ",
    r", ?": ", ",
    r"-": MINUS,
    r"rot180 (?=[{(])": "rot180",
}


def in_text(latex: str) -> str:
    r"""A formula in LaTeX as a line of text, for the few signs that the equations of the deltas and gradients use.

    >>> in_text(r"\sum_{m=0}^{k_1-1} \delta^{l+1}_{i'-m,j}\, w_{m,n}"), in_text(r"\mathrm{rot}_{180^\circ}\{w\}")
    ('Σ[m = 0 … k₁ − 1] δˡ⁺¹(i′ − m, j)·w(m, n)', 'rot180{w}')
    """
    for sign, written in _IN_TEXT.items():
        latex = re.sub(sign, written, latex)
    return latex.strip()
