"""A layer forwards: receptive field, products, pre-activation, activation (Eq. 6 to 8)."""

from dataclasses import dataclass

import ipywidgets as widgets
import numpy as np

from convbp.activations import identity, leaky_relu, relu, sigmoid, softplus, tanh
from convbp.convolution import convolve, cross_correlate, rot180
from convbp.equations.forward import FORWARD_SUM
from convbp.equations.terms import all_terms
from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.explorer import Control, Explorer, reset_button, wrapped
from convbp.explorers.readable import one_of, readable
from convbp.explorers.written_terms import hues_of, in_rows, named, written
from convbp.notation import number
from convbp.pictures.scene import Formula, Grid, Highlight, Mark, Scene, Selection, Term, named_tags, rows_of
from convbp.shapes import as_numbers
from convbp.sums import Sum

LARGEST_IMAGE, LARGEST_KERNEL = 9, 5
FIRST = Selection("x", 0, 0)
ACTIVATIONS = {f.name: f for f in (identity, relu, leaky_relu, sigmoid, tanh, softplus)}

IMAGE = ((1, 2, 0, 3, 1, 0), (0, 1, 2, 1, 4, 1), (2, 0, 1, 2, 3, 0), (1, 3, 0, 1, 2, 2))
KERNEL = ((1, -2, 1), (0, 2, -1))


@dataclass(frozen=True, eq=False)
class State:
    """What the reader sees: the input, the filter with its one bias, the activation, and the chosen cell."""

    image: np.ndarray
    kernel: np.ndarray
    bias: object = 0
    activation: str = "relu"
    selected: Selection = FIRST

    def __post_init__(self):
        for name, largest in (("image", LARGEST_IMAGE), ("kernel", LARGEST_KERNEL)):
            object.__setattr__(self, name, readable("ForwardPass", name, getattr(self, name), largest))
        bias = as_numbers("ForwardPass", "bias", self.bias, None)
        if bias.ndim:
            raise ValueError(
                f"ForwardPass: bias has shape {bias.shape}; expected one number: a filter has one bias for all places. "
                "Give a single number, for example bias=1."
            )
        object.__setattr__(self, "bias", readable("ForwardPass", "bias", [[bias.item()]])[0, 0])
        one_of("ForwardPass", "activation", self.activation, ACTIVATIONS)


def scene(state: State) -> Scene:
    """Return the picture of a state: the input, the kernel, their products, the pre-activation x and the output f(x).

    For each cell (i, j) of x, or of f(x), the highlight outlines the receptive field and writes out Eq. 7, 6 and 8.
    """
    (k1, k2), f = state.kernel.shape, ACTIVATIONS[state.activation]
    x = cross_correlate(state.image, state.kernel) + state.bias
    as_in_eq_6 = convolve(state.image, rot180(state.kernel), mode="full") + state.bias
    tags = rows_of(named_tags("w", state.kernel.shape))
    met = {(i, j): state.kernel * state.image[i : i + k1, j : j + k2] for i, j in np.ndindex(x.shape)}
    largest = max(abs(product) for products in met.values() for product in products.flat)

    def grids(i: int, j: int) -> dict[str, Grid]:
        return {**fixed, "products": Grid("products", "products w·o", rows_of(met[i, j]), tags=tags, largest=largest)}

    fixed = {
        "image": Grid("image", "input oˡ⁻¹", rows_of(state.image)),
        "kernel": Grid("kernel", "kernel wˡ", rows_of(state.kernel), tags=tags),
        "x": Grid("x", "pre-activation xˡ", rows_of(x), axes=("i", "j")),
        "o": Grid("o", f"oˡ = {f.name}(xˡ)", rows_of(f(x)), axes=("i", "j")),
    }
    sums = all_terms(FORWARD_SUM, named(o=state.image, kernel=state.kernel))
    highlights = {
        Selection(name, i, j): _highlight(
            name, grids(i, j), sums[i, j], state, as_in_eq_6[i + k1 - 1, j + k2 - 1], i, j
        )
        for name in ("x", "o")
        for i, j in np.ndindex(x.shape)
    }
    first = grids(0, 0)
    return Scene(
        title="Forward pass: x = o ⊗ w + b, then f(x)",
        columns=((first["image"],), (first["kernel"], first["products"]), (first["x"],), (first["o"],)),
        highlights=highlights,
        selected=state.selected if state.selected in highlights else FIRST,
    )


def _highlight(
    chosen: str, grids: dict[str, Grid], entry: Sum, state: State, as_in_eq_6: object, i: int, j: int
) -> Highlight:
    kernel, products = grids["kernel"], grids["products"]
    (k1, k2), f = kernel.size, ACTIVATIONS[state.activation]
    x, o = grids["x"].entry(i, j), grids["o"].entry(i, j)

    field = f"the {k1}×{k2} receptive field that starts at ({i}, {j})"
    sentences = {
        "x": f"Pre-activation ({i}, {j}) is {number(x)}: the kernel lies on {field}; multiply entry by entry, add, and "
        f"add the bias {number(state.bias)}.",
        "o": f"Output ({i}, {j}) is {number(o)}, {f.name} of the pre-activation {number(x)}: all it sees of the input "
        f"is {field}.",
    }
    return Highlight(
        marks=(
            Mark("image", i, j, k1, k2, tags=kernel.tags),
            Mark("kernel", 0, 0, k1, k2),
            Mark("products", 0, 0, k1, k2),
            Mark("x", i, j, style="solid" if chosen == "x" else "dashed"),
            Mark("o", i, j, style="solid" if chosen == "o" else "dashed"),
        ),
        formula=Formula(
            heading=f"xˡ({i}, {j})  =  Σₘ Σₙ wˡ(m, n) · oˡ⁻¹({i} + m, {j} + n)  +  bˡ  (Eq. 7)",
            terms=(*in_rows(written(entry, hues_of("kernel", kernel)), k2), (Term("b", number(state.bias)),)),
            total=f"xˡ({i}, {j}) is {number(x)}, and oˡ({i}, {j}) is {f.name}({number(x)}) = {number(o)} (Eq. 8).",
            notes=(
                f"Eq. 6: rot180(wˡ) ∗ oˡ⁻¹ at ({i + k1 - 1}, {j + k2 - 1}), plus b, is {number(as_in_eq_6)} too: "
                "∗ turns the kernel back.",
                f"{f.name}(x) is {f.formula}. Its slope here, needed on the way back, is "
                f"{number(f.derivative(x).item())}.",
            ),
        ),
        sentence=sentences[chosen],
        grids=(products,),
    )


class ForwardPass(Explorer):
    """Choose a cell of a layer's output: its receptive field, the products, the bias and the activation.

    Parameters
    ----------
    image : array_like, shape=(H, W)
        At most 9×9.
    kernel : array_like, shape=(k1, k2)
        At most 5×5, and no larger than the image.
    bias : number
        One for all places.
    activation : {"identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus"}

    Raises
    ------
    TypeError, ValueError
        If there is no picture of what came in; a later `update` says so above the picture instead.
    """

    def __init__(self, image=IMAGE, kernel=KERNEL, bias=1, activation="relu"):
        state, reset = State(image, kernel, bias, activation, Selection("x", 0, 2)), reset_button()
        choice = widgets.Dropdown(description="activation f", options=list(ACTIVATIONS))
        slider = NumberSlider(description="bias b", step=0.5)
        sliders = ArraySliders("w", rows_of(state.kernel))
        super().__init__(
            state,
            scene,
            controls=[
                Control.field("activation", choice),
                Control.field("bias", slider),
                Control.array("kernel", sliders),
            ],
            layout_rows=[wrapped(choice, slider, reset), sliders],
            reset=reset,
        )
