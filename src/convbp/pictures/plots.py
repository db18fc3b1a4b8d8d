"""What is a plot rather than a grid of numbers: curves, by matplotlib, and images that are too large for numbers."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from convbp.pictures.arranging import ROOM
from convbp.pictures.colours import HUES
from convbp.pictures.panels import GAP, HEAD, SIDE, Panel, maps, side_by_side
from convbp.pictures.still import as_bundle

if TYPE_CHECKING:  # a second and 30 MB, for those who plot curves
    from matplotlib.figure import Figure


class Plot:
    """A figure with its description, which is its alt text and its text form."""

    def __init__(self, figure: "Figure", description: str):
        self.figure = figure
        self.description = description

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        png = BytesIO()
        # Without the library's version in it, the same figure gives the same bytes.
        self.figure.savefig(png, dpi=100, bbox_inches="tight", facecolor="white", metadata={"Software": None})
        data = {"text/plain": repr(self), "image/png": base64.b64encode(png.getvalue()).decode("ascii")}
        return data, {"image/png": {"alt": self.description}}


class Images:
    """Images side by side with their description, which is the alt text and the text form."""

    def __init__(self, panels: Sequence[Panel], height: int, description: str):
        self.svg, self.width, self.height = side_by_side(panels, height)
        self.description = description

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data, metadata = as_bundle(self.svg, repr(self), alt=self.description, width=self.width, height=self.height)
        return (data, metadata) if metadata else (data | {"image/svg+xml": self.svg}, {})


def images(arrays: Sequence[np.ndarray], titles: Sequence[str], description: str) -> Images:
    """Show 2-D arrays side by side in the diverging colours, white at zero, each up to its own largest value.

    Parameters
    ----------
    arrays : sequence of ndarray, shape=(H, W) each
    titles
        One for each array.
    description
        What is to be seen, for those who cannot see it.
    """
    side = max(8, min(SIDE, ROOM // len(arrays) - GAP - 12))
    panels = [
        maps(title, np.asarray(array, dtype=float)[None], "", side) for array, title in zip(arrays, titles, strict=True)
    ]
    return Images(panels, HEAD + side + GAP // 2, description)


def curves(
    x: Sequence[float], lines: Mapping[str, Sequence[float]], labels: tuple[str, str], description: str, log: str = ""
) -> Plot:
    """Show values over the same ``x``, each line with its name.

    Parameters
    ----------
    x : sequence of float
    lines
        The values of each line, by its name.
    labels
        Of the x axis and of the y axis.
    description
        What is to be seen, for those who cannot see it.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.
    """
    # Not through pyplot: its figures are shared by all threads, and widget callbacks run in threads of their own.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2))
    axes = figure.subplots()
    styles = zip(HUES, ("-", "--", ":", "-."), "osD^", strict=False)  # never by colour alone
    for (name, values), (colour, style, marker) in zip(lines.items(), styles, strict=False):
        axes.plot(x, values, style, color=colour, marker=marker, markersize=4, label=name)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    for axis in log:
        getattr(axes, f"set_{axis}scale")("log")
    axes.grid(color="#dddddd")
    if len(lines) > 1:
        axes.legend()
    return Plot(figure, description)
