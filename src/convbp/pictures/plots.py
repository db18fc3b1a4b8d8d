"""Matplotlib figures for what is a plot rather than a grid of numbers."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from convbp.pictures.colours import HUES, NEGATIVE, POSITIVE

if TYPE_CHECKING:  # a second and 30 MB, for those who plot
    from matplotlib.figure import Figure


_DIVERGING = [NEGATIVE, "#ffffff", POSITIVE]


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


def images(arrays: Sequence[np.ndarray], titles: Sequence[str], description: str) -> Plot:
    """Show 2-D arrays side by side in the diverging colours, white at zero, each up to its own largest value.

    Parameters
    ----------
    arrays : sequence of ndarray, shape=(H, W) each
    titles
        One for each array.
    description
        What is to be seen, for those who cannot see it.
    """
    from matplotlib.colors import LinearSegmentedColormap

    figure, diverging = _figure(2.2 * len(arrays), 2.6), LinearSegmentedColormap.from_list("convbp", _DIVERGING)
    for axes, array, title in zip(np.ravel(figure.subplots(1, len(arrays))), arrays, titles, strict=True):
        array = np.asarray(array, dtype=float)
        largest = np.abs(array).max() or 1
        axes.imshow(array, cmap=diverging, vmin=-largest, vmax=largest)
        axes.set_title(title, fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    return Plot(figure, description)


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
    figure = _figure(6.4, 3.2)
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


def _figure(width: float, height: float) -> "Figure":
    # Not through pyplot: its figures are shared by all threads, and widget callbacks run in threads of their own.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))
