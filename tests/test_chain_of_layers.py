"""ChainOfLayers: both passes by plain loops on plain numbers, and every product that each sum names, by its indices."""

import re
from base64 import b64decode
from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from math import isclose, prod

import numpy as np
import pytest

import convbp
from convbp import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    L2Pool2D,
    MaxPool2D,
    Network,
    half_sum_of_squares,
    leaky_relu,
    loops,
    relu,
)
from convbp.explorers import ChainOfLayers
from convbp.explorers.chain.example import IMAGE, example
from convbp.explorers.chain.state import State, last_step
from convbp.explorers.chain_of_layers import scene
from convbp.networks.layers import Activate
from convbp.pictures import svg
from convbp.pictures.scene import Selection, stacked
from convbp.shapes import as_steps, as_window


def random_network(rng):
    """One of five kinds, with integer weights; whatever has two axes differs along them."""
    one, two = (int(n) for n in rng.permutation([1, 2]))
    kind = rng.integers(5)
    if kind == 0:
        first = Conv2D(one, (2, 1)), relu, MaxPool2D((1, 2)), Conv2D(two, (one, two)), relu, MaxPool2D((2, 1))
        size, layers = (5, 6, 1), (*first, Flatten())
    elif kind == 1:
        conv = Conv2D(two, (1, 3), stride=(2, 1), padding=(0, 1), dilation=(1, two))
        size, layers = (3, 4, one), (conv, leaky_relu, Flatten(), Dense(3))
    elif kind == 2:
        size, layers = (1, 3, 2), (Flatten(), Dense(2), relu, Dense(3))
    elif kind == 3:
        pool = AveragePool2D((2, 3), stride=(2, 1), padding=(1, 0))
        size, layers = (3, 4, two), (Conv2D(one, (2, 1)), relu, pool, Flatten())
    else:
        size, layers = (3, 4, two), (MaxPool2D((2, 3), stride=1, padding=(1, 0)), Conv2D(one, (3, 2)), relu, Flatten())
    network = Network(size, *layers)
    shapes = {name: array.shape for name, array in network.parameters.items()}
    network.parameters = {name: rng.integers(-2, 3, shape) for name, shape in shapes.items()}
    return network


def random_state(rng):
    network = random_network(rng)
    label, step = rng.integers(network.output_shape[0]), rng.integers(last_step(network) + 1)
    image = rng.integers(-2, 4, network.input_shape)
    return State(network, image, int(label), float(rng.integers(1, 4)) / 10, int(step))


# What the two passes are


def forward_by_loops(state):
    """Each array of the forward pass by the layer's name, with the probabilities."""
    arrays, o = {"input": state.image}, state.image[None]
    for name, layer in state.network.layers.items():
        own = [state.network.parameters[full] for full in state.network.parameter_names[name].values()]
        if isinstance(layer, Conv2D):
            o = loops.conv2d(o, *own, stride=layer.stride, padding=layer.padding, dilation=layer.dilation)
        elif isinstance(layer, AveragePool2D):
            o = loops.average_pool2d(o, layer.size, stride=layer.stride, padding=layer.padding).output.astype(float)
        elif isinstance(layer, MaxPool2D):
            o = loops.max_pool2d(o, layer.size, stride=layer.stride, padding=layer.padding).output
        elif isinstance(layer, Activate):
            o = np.where(o > 0, o, (layer.function is leaky_relu) * 0.01 * o)
        elif isinstance(layer, Flatten):
            o = np.array([[value for row in o[0] for pixel in row for value in pixel]])
        else:
            o = np.array(
                [[sum(o[0, i] * own[0][i, u] for i in range(o.shape[1])) + own[1][u] for u in range(layer.units)]]
            )
        arrays[name] = o[0]
    powers = [np.exp(score - max(o[0])) for score in o[0]]
    return arrays | {"softmax": np.array(powers) / sum(powers)}


def backward_by_loops(state, forward):
    """Each δ by the layer's name, and each gradient by the parameter's."""
    names, deltas, gradients = ["input", *state.network.layers], {}, {}
    δ = forward["softmax"] - np.eye(len(forward["softmax"]))[state.label]
    for below, name in reversed(list(pairwise(names))):
        layer, o, deltas[name] = state.network.layers[name], forward[below][None], δ
        own = [state.network.parameters[full] for full in state.network.parameter_names[name].values()]
        if isinstance(layer, Conv2D):
            settings = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
            gradients[f"{name}.kernel"] = loops.conv2d_kernel_gradient(o, δ[None], layer.kernel_size, **settings)
            gradients[f"{name}.bias"] = loops.conv2d_bias_gradient(δ[None])
            δ = loops.conv2d_input_gradient(δ[None], own[0], o.shape[1:3], **settings)[0]
        elif isinstance(layer, AveragePool2D):
            δ = (
                loops.average_pool2d(o, layer.size, stride=layer.stride, padding=layer.padding)
                .route(δ[None])[0]
                .astype(float)
            )
        elif isinstance(layer, MaxPool2D):
            δ = loops.max_pool2d(o, layer.size, stride=layer.stride, padding=layer.padding).route(δ[None])[0]
        elif isinstance(layer, Activate):
            δ = np.where(o[0] > 0, δ, (layer.function is leaky_relu) * 0.01 * δ)
        elif isinstance(layer, Flatten):
            δ = δ.reshape(o[0].shape)
        else:
            gradients[f"{name}.weights"] = np.array([[o[0, i] * δ[u] for u in range(len(δ))] for i in range(len(o[0]))])
            gradients[f"{name}.bias"] = δ
            δ = np.array([sum(δ[u] * own[0][i, u] for u in range(len(δ))) for i in range(len(own[0]))])
    deltas["input"] = δ
    least = 1e-13 * max(np.abs(array).max() for array in [*deltas.values(), *gradients.values()])
    return [{name: np.where(np.abs(a) < least, 0, a) for name, a in arrays.items()} for arrays in (deltas, gradients)]


def in_view(state):
    """For each array that is in view at this step: by which step it was made, its letter, and its values."""
    names, parameters = list(state.network.layers), state.network.parameters
    forward = forward_by_loops(state)
    deltas, gradients = backward_by_loops(state, forward)
    made = [{"input": ("o", forward["input"])}]
    made[0] |= {name: ("b" if name.endswith("bias") else "w", array) for name, array in parameters.items()}
    for name in names:
        made.append({name: ("x" if name[:4] in ("conv", "dens") else "o", forward[name])})
    made += [{"softmax": ("p", forward["softmax"])}, {names[-1]: ("δ", deltas[names[-1]])}]
    for name, below in zip(names[::-1], [*names[-2::-1], "input"], strict=True):
        own = [full for full in parameters if full.startswith(f"{name}.")]
        if own:
            made.append({full: ("g", gradients[full]) for full in own})
        made.append({below: ("δ", deltas[below])} | {full: made[0][full] for full in own})
    if parameters:
        made.append({full: ("g", gradients[full]) for full in parameters})
        updated = {full: parameters[full] - state.rate * gradients[full] for full in parameters}
        made.append({full: (made[0][full][0], updated[full]) for full in parameters})
    assert len(made) == last_step(state.network) + 1
    shown = {}
    for step in range(state.step + 1):
        shown |= {name: (step, *rest) for name, rest in made[step].items()}
    return shown, forward, deltas


# What each entry was made of


def read(layer, there, shape):
    """What entry ``there`` of a layer's output reads: pairs of a parameter and an entry of the inputs."""
    if isinstance(layer, Activate):
        return [(None, there)]
    if isinstance(layer, Flatten):
        return [(None, index) for n, index in enumerate(np.ndindex(shape)) if n == there[0]]
    if isinstance(layer, Dense):
        return [(("b", there), None), *((("w", (i, *there)), (i,)) for i in range(shape[0]))]
    i, j, d = there
    pools = isinstance(layer, AveragePool2D | MaxPool2D)
    if pools:
        (k1, k2), (s1, s2), (p1, p2) = as_window("", layer.size, layer.stride, layer.padding)
        (t1, t2), channels = (1, 1), [d]
    else:
        (s1, s2), (p1, p2), (t1, t2) = as_steps("", layer.stride, layer.padding, layer.dilation)
        (k1, k2), channels = layer.kernel_size, range(shape[2])
    found = [] if pools else [(("b", (d,)), None)]
    for m, n in np.ndindex(k1, k2):
        row, col = s1 * i + t1 * m - p1, s2 * j + t2 * n - p2
        if 0 <= row < shape[0] and 0 <= col < shape[1]:
            weights = [None if pools else ("w", (m, n, c, d)) for c in channels]
            found += [(weight, (row, col, c)) for weight, c in zip(weights, channels, strict=True)]
    return found


def terms_of_all(state, forward):
    """What each entry is made of, forward and back: array, letter, index -> a list of products of such triples.

    Back is forward turned around: what an entry gave to an output, it gets from that output's δ.
    """
    found = defaultdict(list)
    names = ["input", *state.network.layers]
    for below, name in pairwise(names):
        layer = state.network.layers[name]
        weights, bias = [*state.network.parameter_names[name].values()] or [None, None]
        parameters, letter = {"w": weights, "b": bias}, "x" if weights else "o"
        for there in np.ndindex(forward[name].shape):
            entries = read(layer, there, forward[below].shape)
            for weight, source in entries:
                own = [(parameters[weight[0]], *weight)] if weight else []
                found[name, letter, there].append([*own, *([(below, "", source)] if source else [])])
                if weight:
                    gradient = parameters[weight[0]], "g", weight[1]
                    found[gradient].append([(name, "δ", there), *([(below, "", source)] if source else [])])
            if isinstance(layer, MaxPool2D):
                entries = [max(entries, key=lambda pair: forward[below][pair[1]])]
            for weight, source in entries:
                if source:
                    own = [(parameters[weight[0]], *weight)] if weight else []
                    found[below, "δ", source].append([(name, "δ", there), *own])
    for (k,) in np.ndindex(forward["softmax"].shape):
        found["softmax", "p", (k,)] = [[(names[-1], "", (each,))] for each in range(len(forward["softmax"]))]
        found[names[-1], "δ", (k,)] = [[("softmax", "p", (k,))]]
    return found


SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def names_in(text):
    """The entries that a text names: (letter, index) of each."""
    return [
        (letter, tuple(map(int, index)))
        for letter, index in re.findall(r"([woxbgpδ])(\d+)", text.translate(SUBSCRIPTS))
    ]


def value_of(text):
    return float(Fraction(text.strip("()").replace("−", "-")))


def close(text, value):
    return isclose(value_of(text), value, rel_tol=6e-4, abs_tol=1e-11)


def place(array, index):
    if len(index) == 1:
        return (array, 0, *index) if array.endswith(".bias") else (array, *index, 0)
    return (".".join([array, *map(str, index[2:])]), *index[:2])


def covered(highlight):
    cells = [
        (mark.grid, mark.row + r, mark.col + c)
        for mark in highlight.marks
        for r in range(mark.rows)
        for c in range(mark.cols)
    ]
    assert len(set(cells)) == len(cells)
    return set(cells)


def check(state, drawn):
    """Every number in view, and for each what its sum names and what is outlined; for the tests that all share."""
    shown, forward, deltas = in_view(state)
    all_terms = terms_of_all(state, forward)
    grids = {grid.name: grid for grid in drawn.grids}
    expected = {place(array, index) for array, (_, _, values) in shown.items() for index in np.ndindex(values.shape)}
    assert set(drawn.highlights) == {Selection(*cell) for cell in expected}
    not_yet = [grid for grid in drawn.grids if grid.axes is None]
    assert all(value is None for grid in not_yet for row in grid.values for value in row)
    for array, (step, letter, values) in shown.items():
        for index in np.ndindex(values.shape):
            cell = Selection(*place(array, index))
            value, highlight = values[index], drawn.highlights[cell]
            in_cell = grids[cell.grid].entry(*cell[1:])
            assert isclose(in_cell, value, rel_tol=0.05, abs_tol=0.0051 if abs(value) > 0.09 else 1e-9)
            assert highlight.formula.heading.startswith(f"Step {step} of {last_step(state.network)}, ")
            made_of = all_terms[array, letter, index]
            check_words(highlight, array, letter, index, value)
            sources = {
                place(at, i)
                for term in made_of
                for at, kind, i in term
                if in_place(shown[at], kind, i, state.network.parameters.get(at))
            }
            assert covered(highlight) == sources | {tuple(cell)}
            check_terms(state, highlight, made_of, forward, deltas)


def in_place(shown, kind, index, parameter):
    """Whether a number that was used is still in view; kind "" is one of the forward pass."""
    _, letter, values = shown
    return values[index] == parameter[index] if kind in ("w", "b") and letter in "wb" else letter in (kind or "oxp")


def value_in(array, kind, index, state, forward, deltas):
    """An entry as it was when it was used; kind "" is one of the forward pass."""
    arrays = deltas if kind == "δ" else state.network.parameters if kind in ("w", "b") else forward
    return arrays[array][index]


def check_words(highlight, array, letter, index, value):
    """The total names the entry and gives its value; the sentence says the same."""
    total = highlight.formula.total
    assert names_in(total)[0] == (letter, index)
    assert f" of {array} = " in total
    assert highlight.sentence.endswith(total)
    before_words = re.split(r", (?:the sum|as) ", total)[0].removesuffix(".")
    assert close(before_words.split(" = ")[-1], value)


def check_terms(state, highlight, made_of, forward, deltas):
    """The terms that are written are the products of the printed sum, with the numbers of their factors."""

    def value(factor):
        return value_in(*factor, state, forward, deltas)

    written = [term for row in highlight.formula.terms for term in row]
    if not written:
        return
    if len(made_of) > 12:
        made_of = [term for term in made_of if all(abs(value(factor)) > 1e-12 for factor in term)][:12]
    by_name = {}
    for term in made_of:
        key = frozenset((kind or "o", i) for _, kind, i in term)
        by_name[key] = [value(factor) for factor in term]
    assert len(by_name) == len(made_of) == len(written)
    for term in written:
        named = frozenset((kind.replace("x", "o"), i) for kind, i in names_in(term.symbols))
        factors = by_name.pop(named)
        if "1/" in term.symbols:  # the only average pooling there is takes an equal share of each
            (pool,) = (layer for layer in state.network.layers.values() if isinstance(layer, AveragePool2D))
            factors = [*factors, 1 / prod(pool.size)]
        *shown, product = re.split(" = |·", term.numbers)
        assert close(product, np.prod(factors))
        if shown:
            assert all(map(close, sorted(shown, key=value_of), sorted(factors)))


# The example: conv → relu → max → conv → relu → max → flatten → softmax


def at(step, cell):
    return scene(State(example(), IMAGE, step=step)).highlights[Selection(*cell)]


def texts(highlight):
    return [(term.symbols, term.numbers) for row in highlight.formula.terms for term in row]


def test_a_cell_of_the_first_convolution_has_its_window_and_its_sum():
    highlight = at(1, ("conv1.1", 0, 3))
    assert highlight.formula.heading == (
        "Step 1 of 20, conv1: x = Σ w·o + b over the window, in all channels (Eq. 4, 7)."
    )
    # 1·2 + 0·1 + 1·1 + 0·2 + 2·2 + 0·1 − 1
    assert texts(highlight) == [
        ("b₁", "−1"),
        ("w₀₀₀₁·o₀₃₀", "1·2 = 2"),
        ("w₀₁₀₁·o₀₄₀", "0·1 = 0"),
        ("w₁₀₀₁·o₁₃₀", "1·1 = 1"),
        ("w₁₁₀₁·o₁₄₀", "0·2 = 0"),
        ("w₂₀₀₁·o₂₃₀", "2·2 = 4"),
        ("w₂₁₀₁·o₂₄₀", "0·1 = 0"),
    ]
    assert highlight.sentence == (
        "Step 1 of 20, conv1: x₀₃₁ of conv1 = 6, the sum of 7 terms, made of conv1.bias and conv1.kernel and input."
    )
    window = next(mark for mark in highlight.marks if mark.grid == "input.0")
    assert (window.row, window.col, window.rows, window.cols) == (0, 3, 3, 2)
    assert [[tag.text for tag in row] for row in window.tags] == [
        ["w₀₀₀₁", "w₀₁₀₁"],
        ["w₁₀₀₁", "w₁₁₀₁"],
        ["w₂₀₀₁", "w₂₁₀₁"],
    ]


def test_the_error_gets_past_the_second_convolution():
    """The reader's question: each δ of conv2 times the weight that the pixel had there, summed over both filters."""
    highlight = at(14, ("pool1.1", 0, 1))
    assert texts(highlight) == [
        ("δ₀₁₀·w₀₀₁₀", "(−0.7311)·1 = −0.7311"),
        ("δ₀₁₁·w₀₀₁₁", "0·(−1) = 0"),
        ("δ₀₀₀·w₀₁₁₀", "0·(−1) = 0"),
        ("δ₀₀₁·w₀₁₁₁", "0.7311·(−2) = −1.462"),
    ]
    assert highlight.formula.total == (
        "δ₀₁₁ of pool1 = −2.193, the sum of 4 terms, made of conv2.delta and conv2.kernel."
    )
    # On the δ the kernel lies turned: the weights run backwards.
    links = {mark.grid: [[tag.text for tag in row] for row in mark.tags] for mark in highlight.marks if mark.tags}
    assert (links["conv2.0"], links["conv2.1"]) == ([["w₀₁₁₀", "w₀₀₁₀"]], [["w₀₁₁₁", "w₀₀₁₁"]])
    assert {mark.style for mark in highlight.marks if mark.grid.startswith("conv2")} == {"dashed"}


def test_each_rule_in_words():
    said = {
        (2, ("relu1.0", 0, 4)): "o₀₄₀ of relu1 = f(x₀₄₀) = f(−1) = 0.",
        (3, ("pool1.0", 0, 0)): "o₀₀₀ of pool1 = max(1, 3, 0, 4) = 4.",
        (7, ("flatten1", 1, 0)): "o₁ of flatten1 = o₀₀₁ of pool2 = 3.",
        (8, ("softmax", 0, 0)): "p₀ of softmax = exp(2) / (exp(2) + exp(3)) = 0.2689.",
        (9, ("flatten1", 0, 0)): "δ₀ of flatten1 = p₀ − 1 = 0.2689 − 1 = −0.7311.",
        (11, ("relu2.0", 0, 0)): "δ₀₀₀ of relu2 = 0, as it was the largest of no window.",
        (13, ("conv2.bias", 0, 1)): "g₁ of conv2.bias = 0.7311, the sum of 2 terms, made of conv2.delta.",
        (12, ("conv2.1", 0, 0)): "δ₀₀₁ of conv2 = δ₀₀₁ of relu2 · f′(3) = 0.7311·1 = 0.7311.",
        (20, ("conv2.bias", 0, 0)): "b₀ of conv2.bias = b₀ − η·g₀ = 2 − 0.01·(−0.7311) = 2.007.",
    }
    for (step, cell), total in said.items():
        assert at(step, cell).formula.total == total
    assert "E = −log p of class 0 = 1.313." in at(8, ("softmax", 0, 0)).formula.heading
    assert at(20, ("conv2.bias", 0, 0)).formula.heading.endswith("E goes from 1.313 to 0.06539.")


def test_of_equals_the_first_is_the_largest_forward_and_back():
    network = Network((2, 3, 1), MaxPool2D((2, 3)), Flatten())
    forward, back = (scene(State(network, [[1, 5, 0], [5, 2, 5]], step=step)) for step in (1, 6))
    (window, _) = forward.highlights[Selection("pool1.0", 0, 0)].marks
    assert [[tag and tag.text for tag in row] for row in window.tags] == [[None, "max", None], [None] * 3]
    (delta,) = (grid for grid in back.grids if grid.name == "input.0")
    assert [[tag and tag.text for tag in row] for row in delta.tags] == [[None, "max", None], [None] * 3]


def test_many_terms_are_shown_without_those_that_are_zero():
    highlight = at(17, ("conv1.kernel.0.0", 0, 1))
    assert texts(highlight) == [("δ₂₁₀·o₂₂₀", "1.462·1 = 1.462"), ("δ₂₂₀·o₂₃₀", "2.193·2 = 4.386")]
    assert highlight.formula.notes == ("22 terms with a factor 0 are left out.",)


def test_the_gradients_are_central_differences_and_max_pooling_loses_nothing():
    state = State(example(), np.array(IMAGE) + 0.01 * np.arange(42).reshape(6, 7), step=19)  # away from kinks
    drawn = scene(state)
    network = state.network.copy()

    def error(name, values):
        network.parameters = state.network.parameters | {name: values}
        return network.loss(network.scores(state.image[None]), [0])

    for name, array in state.network.parameters.items():
        numerical = convbp.central_difference(lambda values, name=name: error(name, values), array)
        for index, expected in np.ndenumerate(numerical):
            total = drawn.highlights[Selection(*place(name, index))].formula.total
            value = re.split(r", (?:the sum|as) ", total)[0].removesuffix(".").split(" = ")[-1]
            assert value_of(value) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    values = {grid.name: sum(map(sum, grid.values)) for grid in drawn.grids if grid.axes}
    for c in range(2):
        assert values[f"relu1.{c}"] == pytest.approx(values[f"pool1.{c}"], abs=0.03)  # rounded in the cells


def test_nothing_in_view_was_made_later_and_what_is_to_come_is_empty():
    drawn = scene(State(example(), IMAGE, step=3))
    known = {grid.name for grid in drawn.grids if grid.axes}
    assert {name.partition(".")[0] for name in known} == {"input", "conv1", "relu1", "pool1", "conv2"}
    assert "conv2.0" not in known
    assert "conv2.kernel.0.0" in known


def test_the_still_picture_can_be_read_on_a_page():
    layout = svg.layout_of_still(scene(State(example(), IMAGE, step=14)))
    assert layout.width <= svg.WIDEST
    assert layout.height <= 640
    data, metadata = ChainOfLayers(step=14)._repr_mimebundle_()
    assert metadata["image/png"]["width"] == layout.width
    assert int.from_bytes(b64decode(data["image/png"])[16:20], "big") == pytest.approx(1.5 * layout.width, abs=1)


def stands_in(line):
    """The arrays and operators of a line, each name once."""
    found = []
    for piece in (piece for phrase in line for piece in phrase):
        names = [grid.name for grid in stacked(piece)] or [piece if isinstance(piece, str) else piece.name]
        found += [re.sub(r"(\.\d+)+$", "", name) for name in names]
    return list(dict.fromkeys(found))


def test_the_line_of_a_step_is_what_it_reads_and_makes_with_operators_between():
    lines = {step: stands_in(scene(State(example(), IMAGE, step=step)).line) for step in range(21)}
    end = ["=", "products", "→", "sum"]
    assert lines[0] == ["input"]
    assert lines[1] == ["input", "⊗", "conv1.kernel", "+", "conv1.bias", *end, "conv1"]
    assert lines[2] == ["conv1", "→", "relu1"]
    assert lines[14] == ["conv2", "·", "conv2.kernel", *end, "pool1"]
    assert lines[17] == ["input", "⊗", "conv1", *end, "conv1.kernel", "conv1.bias"]
    assert lines[19] == lines[20] == ["conv1.kernel", "conv1.bias", "conv2.kernel", "conv2.bias"]


def test_every_array_has_a_place_below_the_line_which_no_step_moves():
    pictures = [scene(State(example(), IMAGE, step=step)) for step in range(last_step(example()) + 1)]
    for drawn in pictures:
        maps = [[grid.name.removesuffix(" above") for grid in stacked(piece)] for piece in drawn.maps]
        assert maps == [[grid.name.removesuffix(" above") for grid in stacked(one)] for one in pictures[0].maps]
        in_line = {grid.name for phrase in drawn.line for piece in phrase for grid in stacked(piece)}
        gone = {grid.name.removesuffix(" above") for grid in drawn.grids if grid.name.endswith(" above")}
        assert in_line == gone
    wide = [svg.layouts(drawn)[0] for drawn in pictures]
    assert len({layout.height for layout in wide}) == 1
    assert len({tuple(y for _, y, scale in layout.places if scale == 0.4) for layout in wide}) == 1


# The controls


def controls(explorer):
    player, chosen, label, rate = (control.widget for control in explorer._controls)
    return player, label, rate, chosen


def test_a_step_chooses_a_cell_of_what_it_made():
    explorer = ChainOfLayers()
    player, *_ = controls(explorer)
    assert explorer.state.step == 1
    for step, array in ((4, "conv2"), (13, "conv2.kernel"), (14, "pool1"), (20, "conv1.kernel")):
        player.value = step
        assert explorer.state.selected.grid.startswith(array)
    assert player.max == 20


def test_a_chosen_weight_or_pixel_can_be_changed_and_nothing_else():
    explorer = ChainOfLayers()
    *_, chosen = controls(explorer)
    assert chosen.disabled
    explorer.select(0, 1, "conv2.kernel.1.0")
    assert (chosen.disabled, chosen.value) == (False, -1)
    chosen.value = 4
    assert explorer.state.network.parameters["conv2.kernel"][0, 1, 1, 0] == 4
    explorer.select(1, 4, "input.0")
    chosen.value = -3
    assert explorer.state.image[1, 4, 0] == -3
    assert explorer.state.network.parameters["conv2.kernel"][0, 1, 1, 0] == 4
    explorer.select(0, 1, "conv1.bias")
    assert chosen.value == -1
    explorer.reset()
    assert explorer.state.image[1, 4, 0] == IMAGE[1][4]


def test_the_readers_network_is_copied_and_shown_in_its_own_shapes():
    network = Network((3, 4, 2), Conv2D(1, (2, 3)), relu, Flatten(), Dense(3), seed=5)
    explorer = ChainOfLayers(network, np.arange(24).reshape(3, 4, 2) / 10, label=2, step=5)
    titles = [grid.title for grid in explorer.view.scene.grids]
    assert titles == [
        *("dense1 x", "softmax p"),
        *("input o: map 0", "input o: map 1", "w¹: c0, d0", "w¹: c1, d0", "b¹", "conv1 x", "relu1 o"),
        *("flatten1 o", "w²", "b²", "dense1 x", "softmax p"),
    ]
    before = explorer.view.scene
    network.parameters = {name: 0 * array for name, array in network.parameters.items()}
    explorer.update(step=5)
    assert explorer.view.scene == before


BAD_INPUT = {
    "no network": ({"network": "relu"}, "ChainOfLayers: network is 'relu'; expected a Network, for example Network("),
    "another pooling": (
        {"network": Network((4, 4, 1), L2Pool2D(2), Flatten())},
        "ChainOfLayers: the network has a layer L2Pool2D(2); expected Conv2D, activation functions, MaxPool2D, Average",
    ),
    "another loss": (
        {"network": Network((2, 2, 1), Flatten(), loss=half_sum_of_squares)},
        "ChainOfLayers: the network's loss is half_sum_of_squares; expected softmax_cross_entropy",
    ),
    "too large": (
        {"network": Network((28, 28, 1), Flatten(), Dense(10))},
        "ChainOfLayers: the network has 9428 numbers in its arrays and parameters; expected at most 300",
    ),
    "no scores": ({"network": Network((6, 7, 1), relu)}, "softmax_cross_entropy: outputs has shape (1, 6, 7, 1)"),
    "another size": ({"image": np.ones((5, 7))}, "ChainOfLayers: inputs have shape (1, 5, 7); expected (N, 6, 7, 1)"),
    "enormous": ({"image": np.full((6, 7), 1e9)}, "ChainOfLayers: the image or a parameter has an entry beyond ±1e+05"),
    "not finite": ({"image": np.full((6, 7), np.nan)}, "ChainOfLayers: image has an entry that is NaN or infinite"),
    "no such class": ({"label": 2}, "ChainOfLayers: label is 2; expected a whole number from 0 to 1."),
    "no class": ({"label": 0.5}, "ChainOfLayers: label is 0.5; expected a whole number from 0 to 1."),
    "a rate of many": ({"rate": [0.1, 0.2]}, "ChainOfLayers: rate has shape (2,)"),
    "a step before the first": ({"step": -1}, "ChainOfLayers: step is -1; expected a whole number from 0 to 20."),
    "a step after the last": ({"step": 21}, "ChainOfLayers: step is 21; expected a whole number from 0 to 20."),
    "half a step": ({"step": 1.5}, "ChainOfLayers: step is 1.5; expected a whole number from 0 to 20."),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        ChainOfLayers(**arguments)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")
    explorer = ChainOfLayers()
    before = explorer.state
    explorer.update(**arguments)
    assert explorer.message.startswith(message)
    assert explorer.state is before
