"""A network layer by layer, forward and then backward: every array with its numbers (Eq. 4 to 22)."""

from dataclasses import replace

import ipywidgets as widgets
import numpy as np

from convbp.activations import relu
from convbp.explorers.chain.picture import columns, highlight, place
from convbp.explorers.chain.rules import Made
from convbp.explorers.chain.state import State, last_step
from convbp.explorers.chain.steps import steps
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.controls.step_player import StepPlayer
from convbp.explorers.explorer import Control, Explorer, reset_button, wrapped
from convbp.networks.layers import Conv2D, Flatten, MaxPool2D
from convbp.networks.network import Network
from convbp.pictures.scene import Scene, Selection

IMAGE = (
    (0, 1, 2, 2, 1, 0, 0),
    (0, 0, 0, 1, 2, 0, 0),
    (0, 0, 1, 2, 1, 0, 0),
    (0, 0, 2, 1, 0, 0, 1),
    (0, 1, 2, 0, 0, 0, 0),
    (0, 2, 1, 0, 0, 1, 0),
)
# By input channel and filter, as the picture shows them.
KERNELS = {
    "conv1": [[[[-1, 1], [0, 0], [0, 2]], [[1, 0], [1, 0], [2, 0]]]],
    "conv2": [[[[0, 2], [-2, -2]], [[-2, 0], [2, 1]]], [[[1, -1], [0, 0]], [[-1, -2], [1, 1]]]],
}
BIASES = {"conv1": [0, -1], "conv2": [2, 2]}


def example() -> Network:
    """conv → relu → max → conv → relu → max → flatten → softmax, with weights that are small integers."""
    first = Conv2D(2, (3, 2)), relu, MaxPool2D((2, 2))
    second = Conv2D(2, (2, 2)), relu, MaxPool2D((1, 2))
    network = Network((6, 7, 1), *first, *second, Flatten(), dtype=np.float64)
    kernels = {f"{name}.kernel": np.array(kernel).transpose(2, 3, 0, 1) for name, kernel in KERNELS.items()}
    network.parameters = kernels | {f"{name}.bias": bias for name, bias in BIASES.items()}
    return network


def scene(state: State) -> Scene:
    """Return the picture of a state: every array in the place that it keeps, as the steps so far have left it.

    On the way back the δ take the places of the numbers from the forward pass, array by array. For each cell the
    highlight outlines what it was made of, forward in the arrays before it, backward in those after it, and writes the
    rule with its numbers.
    """
    found = steps(state.network, state.image, state.label, state.rate)
    shown = {made.array: (step, made) for step in range(state.step + 1) for made in found[step]}
    highlights = {}
    for step, made in shown.values():
        origins = made.origin() if made.origin else np.full(made.values.shape, None)
        heading = f"Step {step} of {len(found) - 1}, {made.rule}."
        for index, origin in np.ndenumerate(origins):
            highlights[place(made.array, index)] = highlight(made, index, origin, heading, shown)
    arrays = {array: made for array, (_, made) in shown.items()}
    return Scene(
        title=f"A network layer by layer, step {state.step}: {found[state.step][0].rule}",
        columns=tuple(map(tuple, columns(state.network, arrays))),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else _worth_seeing(found[state.step][0]),
    )


def _worth_seeing(made: Made) -> Selection:
    """The entry with the largest absolute value: most others may be 0."""
    index = np.unravel_index(np.abs(made.values).argmax(), made.values.shape)
    return place(made.array, tuple(map(int, index)))


def _given(state: State) -> dict[str, np.ndarray]:
    """What a reader can change, by the names of the arrays."""
    return {"input": state.image, **state.network.parameters}


def _chosen(state: State) -> tuple[str, tuple[int, ...]] | None:
    """Which entry of those is chosen; None if another cell is."""
    for array, values in _given(state).items():
        for index in np.ndindex(values.shape):
            if place(array, index) == state.selected:
                return array, index
    return None


def _read_chosen(state: State) -> float:
    chosen = _chosen(state)
    return float(_given(state)[chosen[0]][chosen[1]]) if chosen else 0.0


def _change_chosen(state: State, value: float) -> State:
    if not (chosen := _chosen(state)):
        return state
    array, index = chosen
    given = _given(state)
    given[array] = given[array].copy()
    given[array][index] = value
    network = state.network.copy()
    image = given.pop("input")
    network.parameters = given
    return replace(state, network=network, image=image)


def _fit_chosen(state: State) -> dict:
    return {"disabled": _chosen(state) is None}


def _at_step(state: State, step: int) -> State:
    """The state at another step, with a cell chosen of what is made there."""
    state = replace(state, step=step)
    made = steps(state.network, state.image, state.label, state.rate)[state.step][0]
    return replace(state, selected=_worth_seeing(made))


class ChainOfLayers(Explorer):
    """A network layer by layer: step forward and then backward, and choose any number to see what it was made of.

    Parameters
    ----------
    network : Network
        Of Conv2D, activation functions, MaxPool2D, Flatten and Dense, for softmax cross-entropy, small enough to be
        read: at most 300 numbers in its arrays and parameters. It is copied. If left out, it is
        conv → relu → max → conv → relu → max → flatten.
    image : array_like, shape=(H, W, C), or (H, W) if C is 1
    label : int
        The image's class.
    rate : float
        The learning rate η.
    step : int
        With which step to begin; 0 is the input alone.

    Raises
    ------
    TypeError, ValueError
        If there is no picture of what came in; a later `update` says so above the picture instead.
    """

    def __init__(self, network=None, image=None, label=0, rate=0.01, step=1):
        network = example() if network is None else network
        state = _at_step(State(network, IMAGE if image is None else image, label, rate), step)
        player, reset = StepPlayer(interval=1500), reset_button()
        style = {"description_width": "auto"}
        label = widgets.IntSlider(description="class", style=style, layout={"width": "180px"})
        rate = NumberSlider(0.0, "η", least=0, most=0.2, step=0.01, style=style, layout={"width": "200px"})
        chosen = NumberSlider(0.0, "chosen o, w or b", step=0.5, style=style)
        super().__init__(
            state,
            scene,
            controls=[
                Control(player, lambda s: s.step, _at_step, lambda s: {"max": last_step(s.network)}),
                Control.field("label", label, fit=lambda s: {"max": s.network.output_shape[0] - 1}),
                Control(rate, lambda s: float(s.rate), lambda s, value: replace(s, rate=value)),
                Control(chosen, _read_chosen, _change_chosen, _fit_chosen),
            ],
            layout_rows=[wrapped(player, reset), wrapped(chosen, label, rate)],
            reset=reset,
        )
