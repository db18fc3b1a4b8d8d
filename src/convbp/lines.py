"""How wide a text is, and where it is broken if it is too wide."""

import re

from convbp.notation import MINUS

_BINDS = re.compile(r"[=≠+·−⊗∗/]|Σ.?|Eq\.")  # a word that stays with the next one


def text_width(text: str, font_size: float) -> float:
    """At most so wide is a text."""
    # In DejaVu Sans, the widest of the fonts in a picture, a digit is 0.64 em wide, and letters less on average.
    em = 0.64 * len(text) + 0.2 * text.count(MINUS) - 0.3 * (text.count(".") + text.count("/"))
    return font_size * em


def broken(text: str, font_size: float, room: float, hang: float = 0) -> list[str]:
    """Return the lines of a text, each at most ``room`` wide; all but the first leave ``hang`` free on their left.

    A line ends at a space, outside of brackets if it can and never between a sign and what follows it. What has no
    such space stays as it is, however wide.

    >>> broken("x(1, 2) = w(0, 0) · o(1, 2) + b", 15, 200)
    ['x(1, 2) = w(0, 0)', '· o(1, 2) + b']
    """
    lines: list[str] = []
    for piece in _pieces(text, in_brackets=False):
        fits = text_width(piece, font_size) <= room - hang
        for part in [piece] if fits else _pieces(piece, in_brackets=True):
            if lines and text_width(f"{lines[-1]} {part}", font_size) <= room - hang * (len(lines) > 1):
                lines[-1] += f" {part}"
            else:
                lines.append(part)
    return lines


def _pieces(text: str, in_brackets: bool) -> list[str]:
    """The text, cut at each space where a line may end."""
    pieces, depth, bound = [], 0, False
    for word in text.split():
        if bound or (depth > 0 and not in_brackets):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
        bound = _BINDS.fullmatch(word) is not None
        depth += word.count("(") - word.count(")")
    return pieces
