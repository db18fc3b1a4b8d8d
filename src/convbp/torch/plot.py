"""Where the δ vanish: a plot of their mean at both ends of each layer."""

from collections.abc import Mapping

import numpy as np

from convbp.notation import number
from convbp.pictures.plots import Plot, curves

WIDEST = 24  # inches
NAMED = 100  # layers; of more only every second is named, or every third


def plot(ends: Mapping[str, tuple[float | None, float | None]]) -> Plot:
    """Plot the mean |δ| at the output of each layer and as sent back; None where none came."""
    at = range(len(ends))
    lines = {"at the output": [end[0] for end in ends.values()], "sent back": [end[1] for end in ends.values()]}
    values = {name: [mean or np.nan for mean in means] for name, means in lines.items()}
    drawn = curves(at, values, ("layer", "mean |δ|"), _described(ends), "y")
    figure, (axes,) = drawn.figure, drawn.figure.axes
    zero = [n for n, both in enumerate(ends.values()) if 0 in both]
    if zero:  # which a logarithmic axis does not have
        axes.plot(zero, [0] * len(zero), "kx", transform=axes.get_xaxis_transform(), clip_on=False, label="0")
        axes.legend()
    figure.set_size_inches(min(max(6.4, 0.3 * len(ends)), WIDEST), 3.6)
    figure.set_layout_engine("constrained")  # the names have room in a saved figure as well
    step = -(-len(ends) // NAMED)
    axes.set_xticks(at[::step], list(ends)[::step], rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
    return drawn


def _described(ends: Mapping[str, tuple[float | None, float | None]]) -> str:
    there = {name: out for name, (out, _) in ends.items() if out}
    text = f"The mean |δ| at both ends of {len(ends)} layers."
    if there:
        least, most = min(there, key=there.__getitem__), max(there, key=there.__getitem__)
        text += (
            f" At the outputs the smallest, {number(there[least])}, is at {least}; the largest, {number(there[most])}, "
            f"at {most}."
        )
    for what, value in (("It is 0", 0.0), ("No δ came", None)):
        if names := [name for name, (out, _) in ends.items() if out == value]:
            text += f" {what} at {', '.join(names)}."
    return text
