"""Arrays as images, many small ones in a panel: for a training, and for what is too large to show numbers in cells."""

import base64
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from html import escape
from math import ceil, isqrt
from typing import NamedTuple

import numpy as np

from convbp.notation import number
from convbp.pictures import drawing
from convbp.pictures.colours import diverging
from convbp.pictures.text_wrapping import text_width

# Lengths in pixels.
HEAD, SIDE = 40, 144  # of a panel's title; of the images in it
GAP = 18
TILES = 36  # of a panel, at most


class Panel(NamedTuple):
    """A part of a picture, as SVG text with its top left corner at (0, 0)."""

    width: int
    content: str


def maps(title: str, maps: np.ndarray, below: str | None = None, side: int = SIDE, full: float = 0) -> Panel:
    """Arrays side by side in the diverging colours, white at zero; the largest, or ``full``, has the full colour.

    Parameters
    ----------
    title : str
    maps : ndarray, shape=(D, H, W)
    below : str, optional
        What stands below them; if left out, how large the largest is.
    side : int
        The longer side of all of them together.
    full : float
        What has the full colour, if it is more than the largest.
    """
    maps = maps[:TILES]
    largest = float(np.abs(maps).max())
    (count, rows, cols), across = maps.shape, isqrt(len(maps) - 1) + 1
    down = ceil(count / across)
    # One pixel of the image for each entry, and one between two maps; the page enlarges it.
    step_r, step_c = rows + 1, cols + 1
    pixels = np.zeros((down * step_r - 1, across * step_c - 1, 4), np.uint8)
    scale = side / max(pixels.shape[:2])
    frames = []
    levels = np.rint(100 * maps / (max(full, largest) or 1)).astype(int) + 100
    for m, tile in enumerate(_palette()[levels]):
        r, c = step_r * (m // across), step_c * (m % across)
        pixels[r : r + rows, c : c + cols] = tile
        box = 'x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"'.format(*(scale * n for n in (c, r, cols, rows)))
        frames.append(f'<rect class="frame" {box}/>')
    height, width = (scale * side for side in pixels.shape[:2])
    data = base64.b64encode(_png(pixels)).decode("ascii")
    said = f"largest ±{number(largest)}" if below is None else below
    content = (
        f'<text class="title" x="0" y="18">{escape(title)}</text><g transform="translate(1,{HEAD})">'
        f'<image width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>{"".join(frames)}</g>'
        f'<text class="symbols" x="0" y="{HEAD + side + 20}">{escape(said)}</text>'
    )
    return Panel(max(side + 12, ceil(text_width(title, drawing.TITLE, bold=True))), content)


def side_by_side(panels: Sequence[Panel], height: int) -> tuple[str, int, int]:
    """The panels in one SVG that does not move, in plain colours on white; its width and height."""
    parts, left = [], GAP // 2
    for panel in panels:
        parts.append(f'<g transform="translate({left},0)">{panel.content}</g>')
        left += panel.width + GAP
    width = left - GAP // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cbp" width="{width}" height="{height}">'
        f'<style>{style(still=True)}</style><rect width="{width}" height="{height}" fill="#ffffff"/>'
        f"{''.join(parts)}</svg>",
        width,
        height,
    )


def style(still: bool) -> str:
    # The images have the light theme's colours: in a dark one light and dark change places, and blue stays blue.
    turned = "" if still else drawing.in_dark("image", "filter:invert(.93) hue-rotate(180deg)")
    return drawing.style(still) + ".cbp .frame{fill:none;stroke:#9a9a9a}" + turned


@cache
def _palette() -> np.ndarray:
    """The colours from −1 to 1 in hundredths, shape=(201, 4): red, green, blue, opacity."""
    return np.array([[*bytes.fromhex(diverging(n / 100, 1)[1:]), 255] for n in range(-100, 101)], np.uint8)


def _png(pixels: np.ndarray) -> bytes:
    """The PNG file of pixels, shape=(H, W, 4): red, green, blue, opacity."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)  # each row unfiltered
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
