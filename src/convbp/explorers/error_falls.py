"""The error falls: one layer, its δ, the gradient of its weights, and steps against it."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from convbp import exercises
from convbp.convolution import cross_correlate
from convbp.equations.kernel_gradient import KERNEL_SUM
from convbp.equations.terms import all_terms
from convbp.explorers.controls.alike import made
from convbp.explorers.controls.chosen_number import chosen_number
from convbp.explorers.controls.control import Control
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.examples import IMAGE, KERNEL
from convbp.explorers.states.fields import array, scalar, tick
from convbp.explorers.states.state import ExplorerState
from convbp.losses import half_sum_of_squares
from convbp.notation import bracketed, factor, number
from convbp.pictures.scene import (
    Cells,
    Curve,
    Flight,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Line,
    Mark,
    Scene,
    Selection,
    Term,
    covered,
    rows_of,
    top,
)
from convbp.pictures.written_terms import coming_about, in_rows, named, outline, written
from convbp.shapes import check_size
from convbp.sums import Sum

TARGETS = ((8, 6, 0), (4, 9, 6), (10, 2, 7))
FIRST = Selection("kernel", 0, 0)
STEPS = 40  # that the curve shows
LARGEST = 10**6  # weight, before it is called diverged


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """A layer x = o ⊗ w, the targets of its outputs, a learning rate, and the errors before the steps so far."""

    begins_with: ClassVar[dict[str, Any]] = {"targets": TARGETS}

    image: np.ndarray = array(IMAGE, 7, doc="o.")
    kernel: np.ndarray = array(KERNEL, 4, shape="(k1, k2)", doc="w, no larger than the image.")
    targets: np.ndarray = array(
        None, 7, shape="(H − k1 + 1, W − k2 + 1)", doc="t, what x should be; zeros if left out."
    )
    learning_rate: Any = scalar(
        0.01,
        0,
        slider={
            "least": 0,
            "most": 0.05,
            "step": 0.001,
            "real_format": ".3f",
            "style": {"description_width": "auto"},
        },
        label="η",
        doc="η, for a step w − η·∂E/∂w.",
    )
    covered: bool = tick(
        False,
        label="cover ∂E/∂w",
        doc="Cover the gradient: a cell takes a prediction, and shows its number after it.",
    )
    errors: tuple[float, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        outputs = cross_correlate(self.image, self.kernel)
        if self.targets is None:
            self.settle("targets", np.zeros(outputs.shape, int))
        hint = "There is one target for each output. Leave targets out to have zeros."
        check_size(self.explorer, "targets", self.targets.shape, outputs.shape, hint)
        largest = max(abs(weight) for weight in self.kernel.flat)
        if largest > LARGEST:
            raise ValueError(
                f"{self.explorer}: a weight would be {number(float(largest))}; expected at most ±{LARGEST:,}. "
                "The error grows with every step: take a smaller learning rate, or press Reset."
            )

    @property
    def outputs(self) -> np.ndarray:
        """x."""
        return cross_correlate(self.image, self.kernel)

    @property
    def delta(self) -> np.ndarray:
        """∂E/∂x."""
        return half_sum_of_squares.gradient(self.outputs, self.targets)

    @property
    def gradient(self) -> np.ndarray:
        """∂E/∂w."""
        return cross_correlate(self.image, self.delta)

    @property
    def error(self) -> Any:
        """E."""
        return half_sum_of_squares(self.outputs, self.targets)


def scene(state: State) -> Scene:
    """Return the picture of a state: input, weights, outputs, targets, δ, the gradient, and E after each step.

    For a chosen weight the highlight writes its gradient as the sum of Eq. 13, and its step; for a pixel or a target it
    shows what is made with it; and for a step, the error then.
    """
    grids = {
        "image": Grid("image", "input o", rows_of(state.image), axes=("i", "j")),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), axes=("m′", "n′")),
        "outputs": Grid("outputs", "x = o ⊗ w", rows_of(state.outputs)),
        "targets": Grid("targets", "targets t", rows_of(state.targets), axes=("i", "j")),
        "delta": Grid("delta", "δ = x − t", rows_of(state.delta)),
        "gradient": Grid("gradient", "∂E/∂w = o ⊗ δ", rows_of(state.gradient)),
    }
    errors = (*state.errors, float(state.error))
    first = max(0, len(errors) - 1 - STEPS)
    steps = tuple(range(first, len(errors)))
    curve = Curve(
        "errors",
        f"E = {number(errors[-1])}",
        (errors[first:],),
        axes=("", "step"),
        at=steps,
        across=(first, first + max(10, top(len(steps) - 1))),
        up=(0, top(max(errors[first:]))),
        labels=("steps", ""),
        lines=(Line(tuple(zip(steps, errors[first:], strict=True))),),
        small=True,
    )
    sums = all_terms(KERNEL_SUM, named(o=state.image, delta=state.delta))
    highlights = {
        Selection("kernel", *at): partial(_of_weight, state, grids, sums[at], at) for at in grids["kernel"].cells()
    }
    highlights |= {Selection("targets", *at): partial(_of_target, state, grids, at) for at in grids["targets"].cells()}
    highlights |= {Selection("image", *at): partial(_of_pixel, state, grids, at) for at in grids["image"].cells()}
    highlights |= {
        Selection("errors", 0, n): partial(_of_step, curve, n, errors[step - 1] if step else None)
        for n, step in enumerate(steps)
    }
    shown = {name: _short(grid) for name, grid in grids.items()}
    drawn = Scene(
        title="The error falls",
        line=(
            (shown["image"],),
            ((shown["kernel"], shown["gradient"]),),
            ((shown["outputs"], shown["targets"]),),
            (shown["delta"],),
            (curve,),
        ),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else FIRST,
    )
    return covered(drawn, "gradient") if state.covered else drawn


def _short(grid: Grid) -> Grid:
    """Of real numbers two decimals, as the texts have more: whole ones become such by a step, and no cell grows."""
    return replace(
        grid, values=tuple(tuple(round(v, 2) if isinstance(v, float) else v for v in row) for row in grid.values)
    )


def _of_weight(state: State, grids: dict[str, Grid], entry: Sum, at: tuple[int, int]) -> Highlight:
    name, slope, weight = bracketed("w", *at), grids["gradient"].entry(*at), grids["kernel"].entry(*at)
    rate = state.learning_rate
    after = number(weight - float(rate) * float(slope))
    return Highlight(
        marks=(
            Mark("kernel", *at),
            Mark("gradient", *at),
            outline("image", "o", entry),
            outline("delta", "delta", entry),
        ),
        formula=Formula(
            heading=f"∂E/∂{name}  =  Σᵢ Σⱼ δ(i, j) · o(i + {at[0]}, j + {at[1]})  (Eq. 13)",
            terms=in_rows(written(entry, {}), grids["delta"].size[1]),
            total=f"∂E/∂{name} is {number(slope)}.",
            notes=(f"step: {name} − η·∂E/∂{name} = {number(weight)} − {factor(rate)}·{factor(slope)} = {after}",),
        ),
        sentence=(
            f"E is {number(float(state.error))}. Its slope for {name} is {number(slope)}: a step takes {name} from "
            f"{number(weight)} to {after}."
        ),
        flights=coming_about(entry, {"o": "image", "delta": "delta"}, grids["delta"].size[1], Cells("gradient", *at)),
    )


def _of_target(state: State, grids: dict[str, Grid], at: tuple[int, int]) -> Highlight:
    x, t, miss = (grids[name].entry(*at) for name in ("outputs", "targets", "delta"))

    def term(i: int, j: int) -> Term:
        delta = grids["delta"].entry(i, j)
        return Term(
            f"½·δ({i}, {j})²", f"½·{factor(delta)}² = {number(float(delta) ** 2 / 2)}", value=float(delta) ** 2 / 2
        )

    rows, cols = grids["delta"].size
    return Highlight(
        marks=tuple(Mark(name, *at) for name in ("outputs", "targets", "delta")),
        formula=Formula(
            heading=f"{bracketed('δ', *at)} = x − t = {number(x)} − {factor(t)} = {number(miss)}  (Eq. 9 and 15)",
            terms=tuple(tuple(term(i, j) for j in range(cols)) for i in range(rows)),
            total=f"E is {number(float(state.error))}.",
        ),
        sentence=(
            f"Output {at} is {number(x)} and should be {number(t)}: δ there is {number(miss)}, and E is "
            f"{number(float(state.error))}."
        ),
        flights=(tuple(Flight(Cells(name, *at), Cells("delta", *at)) for name in ("outputs", "targets")),),
    )


def _of_pixel(state: State, grids: dict[str, Grid], at: tuple[int, int]) -> Highlight:
    (k1, k2), (rows, cols) = grids["kernel"].size, grids["delta"].size
    top_left = max(0, at[0] - k1 + 1), max(0, at[1] - k2 + 1)
    bottom_right = min(at[0], rows - 1), min(at[1], cols - 1)
    size = bottom_right[0] - top_left[0] + 1, bottom_right[1] - top_left[1] + 1
    region = f"{size[0]}×{size[1]} output{'s' * (size != (1, 1))}"
    return Highlight(
        marks=(Mark("image", *at), Mark("outputs", *top_left, *size, style="dashed")),
        formula=Formula(
            heading=f"{bracketed('o', *at)} = {number(grids['image'].entry(*at))} goes into {region}",
            total=f"E is {number(float(state.error))}.",
            notes=("Move it with the slider: x, δ, E and ∂E/∂w follow.",),
        ),
        sentence=f"Pixel {at} is {number(grids['image'].entry(*at))} and goes into {region}.",
        flights=((Flight(Cells("image", *at), Cells("outputs", *top_left, *size), meets=True),),),
    )


def _of_step(curve: Curve, n: int, before: float | None) -> Highlight:
    step, error = int(curve.at[n]), curve.entry(0, n)
    change = "" if before is None else f", {'less' if error < before else 'no less'} than {number(before)} before"
    return Highlight(
        marks=(Mark("errors", 0, n),),
        formula=Formula(total=f"After step {step}: E = {number(error)}{change}."),
        sentence=f"After step {step} the error is {number(error)}{change}.",
    )


def _step(state: State) -> State:
    """All weights, one step against their gradient."""
    rate = float(state.learning_rate)
    kernel = state.kernel.astype(float) - rate * state.gradient.astype(float)
    return replace(state, kernel=kernel, errors=(*state.errors, float(state.error)))


def _steps(state: State, count: int) -> State:
    for _ in range(count):
        state = _step(state)
    return state


def _with_number(state: State) -> State:
    """With a cell chosen whose number can be moved: of a step on the curve, the first weight."""
    return replace(state, selected=FIRST) if state.selected.grid == "errors" else state


def _name(state: State) -> str:
    grid, *at = state.selected
    return bracketed({"image": "o", "kernel": "w", "targets": "t"}[grid], *at)


class ErrorFalls(Explorer, state=State, scene=scene):
    """Choose a number of o, w or t and move it: E, δ and the gradient follow; a step moves all weights downhill."""

    def controls(self) -> Rows:
        ((rate, cover),) = super().controls()
        chosen = chosen_number(_name)
        number = Control(
            chosen.widget,
            lambda state: chosen.read(_with_number(state)),
            lambda state, value: chosen.change(_with_number(state), value),
            lambda state: chosen.fit(_with_number(state)),
        )
        buttons = []
        for count, name in ((1, "Step"), (10, "10 steps")):
            button = made(widgets.Button, description=name, icon="arrow-down", tooltip="All weights become w − η·∂E/∂w")
            button.on_click(lambda _, count=count: self._show(lambda state: _steps(state, count)))
            buttons.append(button)
        return [[number, rate, *buttons, cover]]

    def mistake_in(self, numbers: np.ndarray) -> str:
        return exercises.kernel_gradient.mistake_in(numbers, {"inputs": self.state.image, "delta": self.state.delta})
