"""How wide a text is, and where it is broken if it is too wide."""

import re
from functools import lru_cache

from convbp.notation import MINUS

# In DejaVu Sans, the widest of the fonts in a picture, a digit is 0.64 em wide, and letters are less on average. All
# names of arrays count alike, w too, which is wider: a grid whose title has another in the next step does not move.
_WIDTHS = {" ,.:;/·ijl": 0.34, "()tfr₀₁₂₃₄₅₆₇₈₉": 0.43, f"{MINUS}+=≠×→⊗∗": 0.84, "mMW": 0.98}
_EM = {sign: width for signs, width in _WIDTHS.items() for sign in signs}

_BINDS = re.compile(r"[=≠+·−⊗∗/]|Σ.?|Eq\.")  # a word that stays with the next one


@lru_cache(maxsize=8192)
def text_width(text: str, font_size: float, bold: bool = False) -> float:
    """A text is about so wide; wider by a pixel or two at most."""
    return font_size * (1.12 if bold else 1) * sum([_EM.get(sign, 0.64) for sign in text])


def broken(text: str, font_size: float, room: float, hang: float = 0, bold: bool = False) -> list[str]:
    """Return the lines of a text, each at most ``room`` wide; all but the first leave ``hang`` free on their left.

    A line ends at a space, outside of brackets if it can and never between a sign and what follows it. What has no
    such space stays as it is, however wide.

    >>> broken("x(1, 2) = w(0, 0) · o(1, 2) + b", 15, 200)
    ['x(1, 2) = w(0, 0) · o(1, 2)', '+ b']
    """
    if text_width(text, font_size, bold) <= room:
        return [" ".join(text.split())] if text else []
    lines: list[str] = []
    left = 0.0
    for piece in _pieces(text, in_brackets=False):
        fits = text_width(piece, font_size, bold) <= room - hang
        for part in [piece] if fits else _pieces(piece, in_brackets=True):
            more = text_width(f" {part}", font_size, bold)
            if lines and more <= left:
                lines[-1] += f" {part}"
                left -= more
            else:
                left = room - hang * bool(lines) - text_width(part, font_size, bold)
                lines.append(part)
    return lines


def _pieces(text: str, in_brackets: bool) -> list[str]:
    """The text, cut at each space where a line may end."""
    pieces: list[str] = []
    depth, bound = 0, False
    for word in text.split():
        if bound or (depth > 0 and not in_brackets):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
        bound = _BINDS.fullmatch(word) is not None
        depth += word.count("(") - word.count(")")
    return pieces
