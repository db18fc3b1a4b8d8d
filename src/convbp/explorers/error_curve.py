"""The error as a curve over one weight: its slope by the chain rule and by nudging, and steps down the hill."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import ArrayLike

from convbp.activations import Activation, identity
from convbp.explorers.controls.alike import made
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.fields import activation, scalar
from convbp.explorers.states.state import ANYWHERE, ExplorerState
from convbp.losses import half_sum_of_squares
from convbp.notation import factor, number
from convbp.pictures.scene import Curve, Formula, Highlight, Highlights, Line, Mark, Scene, Selection, Term, top
from convbp.pictures.written_terms import multiplied

LEAST, MOST = -3, 5  # of the weights in the picture; a weight beyond them makes it wider
POINTS, BETWEEN = 33, 3  # that can be chosen; the curve goes through so many for each of them
FARTHEST = 1000  # weight
STEPS = 12  # that leave their trace


def _moved(name: str) -> Any:
    """A change after which the steps so far are no longer steps on this curve, or not from this weight."""
    return lambda state, value: replace(state, **{name: value}, walk=(), selected=ANYWHERE)


def _slider(least: float, most: float, step: float) -> dict[str, Any]:
    return {
        "least": least,
        "most": most,
        "step": step,
        "style": {"description_width": "auto"},
        "layout": {"width": "200px"},
    }


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """One weight between an input and an output, the target, a nudge and a learning rate; and the steps so far."""

    weight: Any = scalar(
        -1.0, slider=_slider(LEAST, MOST, 0.1), label="w", change=_moved("weight"), doc="w, from −1000 to 1000."
    )
    target: Any = scalar(
        3.0, slider=_slider(-5, 5, 0.1), label="t", change=_moved("target"), doc="t, what the output should be."
    )
    nudge: Any = scalar(1.0, 0.001, slider=_slider(0.1, 2, 0.1), label="h", doc="h, how far the secant reaches.")
    learning_rate: Any = scalar(0.1, 0, slider=_slider(0, 0.6, 0.01), label="η", doc="η, for a step w − η·∂E/∂w.")
    input: Any = scalar(2.0, slider={}, doc="o, what the weight is multiplied with.")
    activation: Activation = activation("identity", label="f", doc="f of the output y = f(o·w).")
    walk: tuple[float, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(self.weight) > FARTHEST:
            raise ValueError(
                f"{self.explorer}: w would be {number(self.weight)}; expected at most ±{FARTHEST}, or there is nothing "
                "to see. Take a smaller learning rate."
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights that can be chosen: evenly spaced, but for the nearest of them the weight itself."""
        here = float(self.weight)
        weights = np.linspace(min(LEAST, here), max(MOST, here), POINTS)
        weights[abs(weights - here).argmin()] = here
        return tuple(weights.tolist())

    @property
    def chosen(self) -> float:
        """The weight in the chosen point."""
        cell, weights = self.selected, self.weights
        return weights[cell.col] if cell in _cells(weights) else float(self.weight)

    def outputs(self, weight: float) -> tuple[float, float]:
        """The output x of a weight, and y = f(x)."""
        x = float(self.input) * weight
        return x, float(self.activation(x))

    def errors(self, weights: ArrayLike) -> tuple[float, ...]:
        """E = ½·(y − t)² for each of these weights, of which `half_sum_of_squares` would give the sum."""
        y = self.activation(float(self.input) * np.asarray(weights))
        return tuple(((y - float(self.target)) ** 2 / 2).tolist())

    def error(self, weight: float) -> float:
        """E for a weight."""
        return self.errors([weight])[0]

    def path(self, weight: float) -> tuple[float, float, float]:
        """∂E/∂y, ∂y/∂x and ∂x/∂w: along this path they are multiplied."""
        x, y = self.outputs(weight)
        by_y = half_sum_of_squares.gradient(y, float(self.target))
        return float(by_y), float(self.activation.derivative(x)), float(self.input)

    def after_step(self) -> float:
        """The weight to which a step against the slope leads from the chosen one."""
        return self.chosen - float(self.learning_rate) * float(np.prod(self.path(self.chosen)))


def _cells(weights: tuple[float, ...]) -> list[Selection]:
    return [Selection("curve", 0, n) for n in range(len(weights))]


def scene(state: State) -> Scene:
    """Return the picture of a state: E over w, and for each point its tangent, the secant for h, and the next step."""
    weights = state.weights
    errors = state.errors(weights)
    fine = np.linspace(weights[0], weights[-1], BETWEEN * (POINTS - 1) + 1).tolist()
    walk = (*state.walk, float(state.weight))
    all_points = sorted({*zip(weights, errors, strict=True), *zip(fine, state.errors(fine), strict=True)})
    curve = Curve(
        "curve",
        "the error E over the weight w",
        (errors,),
        axes=("", "point"),
        at=weights,
        across=(weights[0], weights[-1]),
        up=(0, top(max(error for _, error in all_points))),
        labels=("w", "E"),
        lines=(
            Line(tuple(all_points), 0, "E"),
            *([Line(tuple(zip(walk, state.errors(walk), strict=True)), 3, "steps", "dots")] if state.walk else []),
        ),
    )
    highlights = {
        cell: partial(_highlight, state, curve, cell, weight)
        for cell, weight in zip(_cells(weights), weights, strict=True)
    }
    here = Selection("curve", 0, weights.index(float(state.weight)))
    return Scene(
        title="The error over one weight",
        line=((curve,),),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else here,
    )


def _highlight(state: State, curve: Curve, cell: Selection, w: float) -> Highlight:
    o, t, h, rate = (float(value) for value in (state.input, state.target, state.nudge, state.learning_rate))
    (_, y), path = state.outputs(w), state.path(w)
    slope = float(np.prod(path))
    after = w - rate * slope
    error, up, down, error_after = state.errors([w, w + h, w - h, after])
    central = (up - down) / (2 * h)
    f = state.activation.name if state.activation is not identity else ""
    ends = tuple(
        (place, value)
        for place, value in ((w - h, down), (w + h, up))
        if curve.across[0] <= place <= curve.across[1] and value <= curve.up[1]
    )
    terms = (
        (
            Term("x = o·w", multiplied(o, w)),
            Term(f"y = {f}(x)" if f else "y = x", number(y)),
            Term("E = ½·(y − t)²", f"½·{factor(y - t)}² = {number(error)}"),
        ),
        (
            Term("∂E/∂y = y − t", f"{number(y)} − {factor(t)} = {number(path[0])}"),
            Term(f"∂y/∂x = {f}′(x)" if f else "∂y/∂x", number(path[1])),
            Term("∂x/∂w = o", number(path[2])),
        ),
    )
    way = "is level" if slope == 0 else f"goes {'up' if slope > 0 else 'down'} to the right"
    return Highlight(
        marks=(Mark(*cell),),
        formula=Formula(
            terms=terms,
            total=f"∂E/∂w = {multiplied(*path)}: the slope of the tangent.",
            notes=(
                f"secant: (E(w + h) − E(w − h)) / 2h = ({number(up)} − {number(down)}) / {number(2 * h)} "
                f"= {number(central)}",
                f"step: w − η·∂E/∂w = {number(w)} − {multiplied(rate, slope).partition(' = ')[0]} = {number(after)}: "
                f"E = {number(error_after)}",
            ),
            added=False,
        ),
        sentence=(
            f"At w = {number(w)} the error is {number(error)} and {way}, with the slope {number(slope)}; the secant "
            f"for h = {number(h)} has the slope {number(central)}."
        ),
        lines=(
            ("curve", Line(curve.straight(w, error, slope), 1, "tangent")),
            ("curve", Line(curve.straight(w + h, up, central), 2, "secant", "broken")),
            ("curve", Line(ends, 2, "", "dots")),
        ),
    )


def _stepped(state: State) -> State:
    """One step down the hill, from the chosen point."""
    walk = (*state.walk, state.chosen)[-STEPS:]
    return replace(state, weight=state.after_step(), walk=walk, selected=ANYWHERE)


class ErrorCurve(Explorer, state=State, scene=scene):
    """Choose a point of the curve, or move w: tangent, secant, and where a step leads. Too large a step overshoots."""

    def controls(self) -> Rows:
        ((weight, target, nudge, rate, _, activation),) = super().controls()
        step = made(widgets.Button, description="Step", icon="arrow-down", tooltip="w becomes w − η·∂E/∂w")
        step.on_click(lambda _: self._show(_stepped))
        # A point that is chosen on the curve is a weight, too.
        return [[replace(weight, read=lambda state: state.chosen), target, nudge, rate, activation, step]]

    def _checked(self, changes: dict[str, Any]) -> dict[str, Any]:
        moved = {} if changes.keys() <= {"nudge", "learning_rate", "selected"} else {"walk": (), "selected": ANYWHERE}
        return moved | super()._checked(changes)
