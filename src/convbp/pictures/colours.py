"""The colours of all pictures: one diverging map, one set for what is merely different, and contrast."""

from functools import lru_cache
from typing import Any

# The ends of the diverging map, with white at zero between them. Orange and blue are told apart by all
# common kinds of colour vision.
NEGATIVE, POSITIVE = "#b35806", "#2166ac"
# Okabe and Ito's set, its yellow near the end, and a dark brown: one for each weight of a 3×3 kernel. A tenth entry
# begins it anew, so a text always stands beside a hue.
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6e6e6e", "#f0e442", "#662200")
# With a softer black neither would contrast enough with the middle of the blue.
_BLACK, _WHITE = "#000000", "#ffffff"


def hue(index: int) -> str:
    """The colour of the ``index``-th of several things."""
    return HUES[index % len(HUES)]


def diverging(value: Any, largest: Any) -> str:
    """The colour of ``value`` on a map that is white at 0 and full at ±``largest``."""
    return _diverging(round(float(value / largest), 2) if largest else 0.0)


@lru_cache(maxsize=256)
def _diverging(strength: float) -> str:
    end = _channels(POSITIVE if strength > 0 else NEGATIVE)
    return "#" + "".join(f"{round(255 + (channel - 255) * abs(strength)):02x}" for channel in end)


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
