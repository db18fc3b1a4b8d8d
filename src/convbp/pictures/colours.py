"""The colours of all pictures: one ink for each theme, one diverging map, one set for what is merely different."""

from functools import lru_cache
from typing import Any

# The ink can be read on all that is between a zero and the ends of the diverging map, which are told apart by all
# common kinds of colour vision. The rule is the line between two cells.
LIGHT = {
    "paper": "#ffffff",
    "zero": "#ffffff",
    "ink": "#15171c",
    "muted": "#5a5f69",
    "rule": "#c3c8d0",
    "positive": "#6fa8e6",
    "negative": "#f2a35e",
}
DARK = {
    "paper": "#111111",
    "zero": "#1c1f25",
    "ink": "#f4f5f7",
    "muted": "#a9afba",
    "rule": "#454b56",
    "positive": "#2c6db3",
    "negative": "#a9580f",
}
SHARES = 20  # so many steps from zero to an end
# Okabe and Ito's set, its yellow near the end, and a dark brown: one for each weight of a 3×3 kernel. A tenth entry
# begins it anew, so a text always stands beside a hue.
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6e6e6e", "#f0e442", "#662200")
# With a softer black neither would contrast enough with the middle of the blue.
_BLACK, _WHITE = "#000000", "#ffffff"


def hue(index: int) -> str:
    """The colour of the ``index``-th of several things."""
    return HUES[index % len(HUES)]


def share(value: Any, largest: Any) -> int:
    """How far ``value`` is on the way from 0 to ±``largest``, in `SHARES` steps, with its sign; 0 is 0 alone."""
    if not (value and largest):
        return 0
    steps = min(SHARES, max(1, round(SHARES * float(abs(value) / largest))))
    return steps if value > 0 else -steps


def diverging(value: Any, largest: Any) -> str:
    """The colour of ``value`` on a map that is white at 0 and full at ±``largest``."""
    return mixed(round(float(value / largest), 2) if largest else 0.0, LIGHT)


@lru_cache(maxsize=512)
def _mixed(strength: float, end: str, zero: str) -> str:
    pairs = zip(_channels(zero), _channels(end), strict=True)
    return "#" + "".join(f"{round(start + (channel - start) * strength):02x}" for start, channel in pairs)


def mixed(strength: float, theme: dict[str, str]) -> str:
    """The colour of the diverging map of a theme at ``strength``, from −1 to 1."""
    return _mixed(abs(strength), theme["positive" if strength > 0 else "negative"], theme["zero"])


@lru_cache(maxsize=512)
def ink_on(fill: str) -> str:
    """Black or white, whichever can be read better on ``fill``."""
    return max((_BLACK, _WHITE), key=lambda ink: contrast(ink, fill))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two ``#rrggbb`` colours, from 1 to 21, as WCAG 2 defines it; text wants at least 4.5."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    shares = [channel / 255 for channel in _channels(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
