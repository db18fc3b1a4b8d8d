"""What every explorer promises, checked for each: right numbers, everything in its place, controls that tell the truth.

A new explorer adds one line to `EXPLORERS`. The module of its own tests has ``random_state(rng)``, a state of integers
with H ≠ W and k1 ≠ k2 in which every control is set at random, and ``check(state, scene)``, which holds the numbers of
the scene, for every cell one can choose, against `convbp.loops` or the printed sum.
"""

import pydoc
import re
import xml.etree.ElementTree as ElementTree
from contextlib import suppress
from dataclasses import fields
from functools import partial
from inspect import signature
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import pytest
from traitlets import TraitError

import sample
import test_affected_region_q
import test_chain_of_layers
import test_channels
import test_convention_switch
import test_delta_flow
import test_dense_to_convolution
import test_equation_lab
import test_error_curve
import test_error_falls
import test_forward_pass
import test_kernel_flip
import test_kernel_gradient
import test_paths
import test_pooling_route
import test_sliding_window
import test_stride_and_padding
import test_two_layer_question
from controls import inside
from convbp import digit_network, explorers, load_digits
from convbp.explorers import (
    affected_region_q,
    chain_of_layers,
    channels,
    convention_switch,
    delta_flow,
    dense_to_convolution,
    equation_lab,
    error_curve,
    error_falls,
    forward_pass,
    kernel_flip,
    kernel_gradient,
    paths,
    pooling_route,
    sliding_window,
    stride_and_padding,
    two_layer_question,
)
from convbp.pictures import arranging, grid_view, svg
from convbp.pictures.colours import contrast
from convbp.pictures.grid_view import GridView
from pictures import apply, arrange, assert_flies, kind_of, misplaced, overlaps, page, parse, shapes, wide_lines


class Case(NamedTuple):
    """An explorer's module, and the module of its tests."""

    module: ModuleType
    tests: ModuleType


EXPLORERS = {
    "AffectedRegionQ": Case(affected_region_q, test_affected_region_q),
    "ChainOfLayers": Case(chain_of_layers, test_chain_of_layers),
    "Channels": Case(channels, test_channels),
    "ConventionSwitch": Case(convention_switch, test_convention_switch),
    "DeltaFlow": Case(delta_flow, test_delta_flow),
    "DenseToConvolution": Case(dense_to_convolution, test_dense_to_convolution),
    "EquationLab": Case(equation_lab, test_equation_lab),
    "ErrorCurve": Case(error_curve, test_error_curve),
    "ErrorFalls": Case(error_falls, test_error_falls),
    "ForwardPass": Case(forward_pass, test_forward_pass),
    "KernelFlip": Case(kernel_flip, test_kernel_flip),
    "KernelGradient": Case(kernel_gradient, test_kernel_gradient),
    "Paths": Case(paths, test_paths),
    "PoolingRoute": Case(pooling_route, test_pooling_route),
    "SlidingWindow": Case(sliding_window, test_sliding_window),
    "StrideAndPadding": Case(stride_and_padding, test_stride_and_padding),
    "TwoLayerQuestion": Case(two_layer_question, test_two_layer_question),
}

each_explorer = pytest.mark.parametrize("name", EXPLORERS)


def half_of_the_explorers(sweep):
    """In each run others."""
    return pytest.mark.parametrize("name", sample.some(list(EXPLORERS), len(EXPLORERS) // 2, sweep))


def make(name):
    """An explorer as it is without arguments."""
    return getattr(explorers, name)()


def some(drawn, rng, how_many=4):
    cells = list(drawn.highlights)
    return [cells[n] for n in rng.choice(len(cells), min(how_many, len(cells)), replace=False)]


def test_every_explorer_is_here():
    # Of these two the picture follows a network that is being trained; they have tests of their own.
    assert EXPLORERS.keys() | {"DrawDigit", "LiveTraining"} == set(explorers.__all__)


@pytest.mark.parametrize("name", explorers.__all__)
def test_the_page_is_told_of_each_part_once_as_it_is_then_and_of_what_stands_in_it_before(name, monkeypatch):
    told, changed = [], []
    monkeypatch.setattr(widgets.Widget, "open", recorded(widgets.Widget.open, told))
    monkeypatch.setattr(
        widgets.Widget, "_send", lambda widget, message, buffers=None: changed.append((widget, message))
    )
    explorer = made_of(name)
    assert [message for widget, message in changed if not isinstance(widget, GridView)] == []
    assert len(told) == len(set(told))
    parts = [explorer]
    for part in parts:
        parts += getattr(part, "children", ())
        inside = [*getattr(part, "children", ()), part.layout, *([part.style] if hasattr(part, "style") else [])]
        assert all(one not in told or told.index(one) < told.index(part) for one in inside)
        assert part in told
        sent = part.get_state()
        assert sent["layout"] == f"IPY_MODEL_{part.layout.model_id}"
        assert not [name for name, value in sent.items() if value is None and name != "index"] or part is explorer.view


def recorded(method, calls):
    def call(self):
        method(self)
        calls.append(self)

    return call


def made_of(name):
    if name == "LiveTraining":
        digits = load_digits()
        return explorers.LiveTraining(digit_network(), digits.images[:40, :, :, None], digits.labels[:40])
    return explorers.DrawDigit(digit_network()) if name == "DrawDigit" else make(name)


def test_each_explorer_has_a_file_of_its_name_and_nothing_else_lies_beside_them():
    files = {path.stem for path in Path(explorers.__file__).parent.glob("*.py")} - {"__init__", "explorer"}
    names = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in explorers.__all__}
    assert files - {"convention_table"} == names


@each_explorer
def test_the_signature_is_that_of_the_parameters_and_help_says_what_each_may_be(name):
    explorer = getattr(explorers, name)
    names = list(signature(explorer).parameters)
    documented = re.findall(r"^(\w+) : .", explorer.__doc__.partition("Parameters\n----------\n")[2], re.MULTILINE)
    assert documented == names
    assert f"{name}({names[0]}=" in re.sub(r"[\s|]", "", pydoc.render_doc(explorer))  # on one line or on several
    with pytest.raises(TypeError, match=rf"{name}: got an unexpected keyword argument 'sise'; expected {names[0]}"):
        explorer(sise=1)
    defaults = {name: parameter.default for name, parameter in signature(explorer).parameters.items()}
    given, left_out = explorer(*defaults.values()).state, explorer().state
    for own in fields(given):
        assert np.all(getattr(given, own.name) == getattr(left_out, own.name)) or own.name == "network"


# Numbers and places


@pytest.mark.slow
@each_explorer
def test_random_states_say_what_the_printed_sums_say_in_lines_that_are_not_wide(name):
    case, rng = EXPLORERS[name], sample.rng(name)
    for _ in range(sample.size(20, thorough=1000)):
        state = case.tests.random_state(rng)
        drawn = case.module.scene(state)
        assert drawn.selected in drawn.highlights
        case.tests.check(state, drawn)
        for cell in some(drawn, rng, 1):
            assert not wide_lines(drawn, cell)
            assert_flies(drawn, cell, getattr(state, "bias", 0))


@pytest.mark.slow
@half_of_the_explorers("random states")
def test_in_random_states_everything_has_its_place_and_can_be_read(name):
    case, rng = EXPLORERS[name], np.random.default_rng(2)
    drawn = [
        make(name).view.scene,
        *(case.module.scene(case.tests.random_state(rng)) for _ in range(sample.size(2, thorough=12))),
    ]
    for scene in drawn:
        for cell in some(scene, rng):
            assert not misplaced(scene, cell)
            everything = shapes(apply(parse(svg.picture(scene, still=True)), svg.patches(scene)[cell]))
            papers = []  # the cells so far, the uppermost last
            for shape in everything:
                if shape.name.startswith("cell"):
                    papers.append(shape)
                if shape.kind == "text" and shape.text:
                    paper = next((one.fill for one in reversed(papers) if overlaps([one.box, shape.box])), "#ffffff")
                    assert contrast(shape.fill, paper) >= 4.5, shape
            for shape in everything:
                assert not re.search(r"-\d|\d\.0*[1-9]\d{4}|None|nan|\bTrue\b|\bFalse\b", shape.text), shape


@each_explorer
def test_no_line_of_a_formula_is_wide(name):
    drawn = make(name).view.scene
    assert not [line for cell in drawn.highlights for line in wide_lines(drawn, cell)]


@each_explorer
def test_the_cells_one_can_choose_are_those_that_are_offered_each_with_a_sentence_of_its_own(name):
    case, rng = EXPLORERS[name], np.random.default_rng(3)
    for _ in range(sample.size(6, thorough=20)):
        drawn = case.module.scene(case.tests.random_state(rng))
        root = parse(svg.picture(drawn))
        offered = [element.get("data-cell") for element in root.iter() if element.get("data-cell")]
        assert sorted(offered) == sorted(",".join(map(str, cell)) for cell in drawn.highlights)
        sentences = {(cell.grid, highlight.sentence) for cell, highlight in drawn.highlights.items()}
        assert len(sentences) == len(drawn.highlights)
        assert all(sentence.endswith(".") for _, sentence in sentences)


# Controls, through their real traits and callbacks


def through(values, rng):
    """Both ends, and some of what is between; all of it on demand."""
    if sample.THOROUGH:
        return values
    return sorted({values[0], values[-1], *rng.choice(values, min(3, len(values)), replace=False).tolist()})


def moves(explorer, rng):
    """A move of each button, every option of every choice, and every slider through its range, one by one."""
    for widget in inside(explorer):
        if isinstance(widget, widgets.Button):
            yield widget.click
        elif isinstance(widget, widgets.ToggleButtons | widgets.Dropdown):
            for index in range(len(widget.options)):
                yield partial(widget.set_state, {"index": index})
        elif isinstance(widget, widgets.Checkbox):
            for value in (not widget.value, widget.value):
                yield partial(widget.set_state, {"value": value})
        elif isinstance(widget, widgets.IntSlider | widgets.Play):
            for value in through(range(widget.min, widget.max + 1, 1 + (widget.max - widget.min) // 20), rng):
                yield partial(widget.set_state, {"value": value})
        elif isinstance(widget, widgets.FloatSlider):
            for value in np.linspace(widget.min, widget.max, 5):
                yield partial(widget.set_state, {"value": float(value)})


def sent_first(monkeypatch, explorer):
    """A list that gets what the page is told first of each picture, and how many cells have been asked for by then."""
    first = []

    def look(seconds):
        first.append((dict(explorer.view.slots), len(getattr(explorer.view.scene.highlights, "_made", ()))))

    monkeypatch.setattr(grid_view, "sleep", look)
    return first


def texts_in(slots):
    return {slot: re.findall(r">([^<]+)<", markup) for slot, markup in slots.items()}


@each_explorer
def test_what_is_sent_first_already_says_what_the_picture_will_say(name, monkeypatch):
    explorer, rng = make(name), sample.rng(name)
    first = sent_first(monkeypatch, explorer)
    for move in moves(explorer, rng):
        if sample.THOROUGH or rng.random() < 0.3:
            del first[:]
            with suppress(TraitError):  # a list may have become shorter by what was left out
                move()
            for slots, _ in first[-1:]:
                assert texts_in(slots) == texts_in(explorer.view.slots)


@pytest.mark.parametrize(
    "layer",
    ["AffectedRegionQ", "ConventionSwitch", "DeltaFlow", "ForwardPass", "KernelGradient", "SlidingWindow"],
)
def test_for_other_numbers_the_chosen_cell_is_shown_before_others_are_asked_for(layer, monkeypatch):
    explorer = make(layer)
    first = sent_first(monkeypatch, explorer)
    for step in (1, 2, -7):
        explorer.update(kernel=explorer.state.kernel + step)
        slots, asked_for = first[-1]
        assert asked_for == 1
        assert len(explorer.view.scene.highlights._made) == len(explorer.view.patches) > 1
        assert texts_in(slots) == texts_in(explorer.view.slots)


def assert_fresh(name, explorer):
    """The reader sees what a fresh picture of the same state would show, and every control says the same."""
    state, view = explorer.state, explorer.view
    drawn = EXPLORERS[name].module.scene(state)
    assert state.selected == drawn.selected == (view.grid, view.row, view.col)
    assert view.scene == drawn
    fresh = GridView(drawn)
    assert [getattr(view, part) for part in ("frame", "layouts", "patches", "axes", "title")] == [
        getattr(fresh, part) for part in ("frame", "layouts", "patches", "axes", "title")
    ]
    assert ElementTree.tostring(page(view)) == ElementTree.tostring(parse(svg.picture(drawn)))
    for control in explorer._controls:
        assert control.widget.value == control.read(state)
        for trait, value in control.fit(state).items():
            assert getattr(control.widget, trait) == value


@pytest.mark.slow
@half_of_the_explorers("controls")
def test_every_control_moved_through_its_range_leaves_a_fresh_picture(name):
    explorer = make(name)
    rng = sample.rng(name)
    for move in moves(explorer, rng):
        if rng.random() < 0.5 and not sample.THOROUGH:
            continue
        with suppress(TraitError):  # a list may have become shorter by what was left out
            move()
        assert explorer.view.scene == EXPLORERS[name].module.scene(explorer.state)
    assert_fresh(name, explorer)


@pytest.mark.slow
@each_explorer
def test_after_many_random_gestures_the_picture_is_that_of_a_fresh_explorer(name):
    case, rng, explorer = EXPLORERS[name], sample.rng(name), make(name)
    for n in range(sample.size(8, thorough=100)):
        gesture = rng.integers(6)
        if gesture == 0:
            state = case.tests.random_state(rng)
            names = [name for name in state.changeable() if name != "selected"]
            explorer.update(**{name: getattr(state, name) for name in names})
            assert explorer.message == ""
        elif gesture <= 2:
            (cell,) = some(explorer.view.scene, rng, 1)
            explorer.view.set_state({"grid": cell.grid, "row": cell.row, "col": cell.col})
            assert explorer.state.selected == cell
        elif gesture == 3 and n % 3 == 0:
            before = explorer.state
            explorer.update(**{fields(before)[0].name: "not an array"})
            assert explorer.message
            assert explorer.state is before
        else:
            possible = list(moves(explorer, rng))
            possible[rng.integers(len(possible))]()
        assert_fresh(name, explorer)
    explorer.reset()
    assert explorer.state.selected == make(name).state.selected
    assert_fresh(name, explorer)


@each_explorer
def test_every_control_has_a_name(name):
    for widget in inside(make(name)):
        if isinstance(widget, widgets.Button):
            assert widget.description or widget.tooltip
        elif isinstance(widget, widgets.Play):
            assert widget.tooltip
        elif isinstance(widget, widgets.ValueWidget) and "description" in widget.traits():
            assert widget.description


# On one screen

PAGE, UNDER_CONTROLS = 1186, 475  # of 1366×768 pixels in JupyterLab without its side bar; controls and heading have 165


def end(scene):
    """How far down on a page of that width what takes part reaches: the line, and what is outlined in the maps."""
    layout = next(one for one in svg.layouts(scene) if arranging.SHRINKS * one.width <= PAGE)
    drawn = shapes(arrange(parse(svg.picture(scene)), layout._asdict()))
    lines = re.findall(r'data-part="(\d+)" transform', svg.frame(scene))  # a map has a name, too
    bottoms = [shape.box[3] for shape in drawn if shape.part in lines or kind_of(shape) == "mark"]
    return max(bottoms) * min(1, PAGE / layout.width)


def choices(explorer):
    """Each option of each of its lists, and all that its switches can be set to together: which widgets, to what."""
    lists = [widget for widget in inside(explorer) if isinstance(widget, widgets.Dropdown)]
    switches = [widget for widget in inside(explorer) if isinstance(widget, widgets.ToggleButtons | widgets.Checkbox)]
    values = [(0, 1) if isinstance(one, widgets.Checkbox) else range(len(one.options)) for one in switches]
    together = [list(zip(switches, chosen, strict=True)) for chosen in product(*values)]
    return together + [[(one, index)] for one in lists for index in range(len(one.options))]


def put(chosen):
    """Set widgets as the page does; a list may have lost its last options by what was chosen before."""
    for one, value in chosen:
        if isinstance(one, widgets.Checkbox):
            one.set_state({"value": bool(value)})
        elif value < len(one.options):
            one.set_state({"index": value})


@pytest.mark.slow
@each_explorer
def test_whatever_is_chosen_in_its_lists_and_switches_the_sum_is_seen_on_one_screen(name):
    explorer = make(name)
    for chosen in sample.some(choices(explorer), 6, f"choices of {name}"):
        explorer.reset()
        put(chosen)
        assert end(explorer.view.scene) <= UNDER_CONTROLS, [(one.description, value) for one, value in chosen]


def high(scene):
    """How high the picture is on a page of that width."""
    layout = next(one for one in svg.layouts(scene) if arranging.SHRINKS * one.width <= PAGE)
    return layout.height * min(1, PAGE / layout.width)


# With the numbers of the notebooks, where those that a choice leads to need more room than those before it.
DIGIT = np.random.default_rng(0).integers(0, 17, (8, 8))
OF_NOTEBOOKS = {
    "a digit": ("ForwardPass", (DIGIT, [[-1, 0, 1]] * 3, -40)),
    "windows that overlap": (
        "PoolingRoute",
        ([[0, 1, 0, 5, 0], [0, 0, 9, 0, 6], [1, 3, 2, 0, 4], [2, 0, 1, 1, 3]], "max", (1, 3), 1),
    ),
    "one line of windows": ("PoolingRoute", ([[3, 0, 1, -1, 0, 0], [0, -4, 1, 1, 0, 0]], "L2")),
}
# More than that where a formula with a mistake has more products, and where a matrix with two maps is transposed.
GROWS = {"EquationLab": 90, "DenseToConvolution": 56}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*EXPLORERS, *OF_NOTEBOOKS])
def test_whatever_is_chosen_the_picture_does_not_grow_much(name):
    """By what is kept free below it at most."""
    made, arguments = OF_NOTEBOOKS.get(name, (name, ()))
    explorer = getattr(explorers, made)(*arguments)
    before = high(explorer.view.scene)
    for chosen in choices(explorer) if name in OF_NOTEBOOKS else sample.some(choices(explorer), 8, f"{name} grows"):
        explorer.reset()
        put(chosen)
        grown = high(explorer.view.scene) - before
        assert grown <= GROWS.get(name, 40), [(one.description, value) for one, value in chosen]


# In a notebook


@each_explorer
def test_alone_it_shows_something_and_says_it_in_a_sentence(name):
    explorer = make(name)
    data, metadata = explorer._repr_mimebundle_()
    assert data["text/plain"] == f"{name}: {explorer.view.scene.sentence}"
    assert metadata["image/png"]["alt"] == explorer.view.scene.sentence
    numbers = {value for grid in explorer.view.scene.grids for row in grid.values for value in row}
    assert len(numbers) > 4


@each_explorer
def test_it_is_small_enough_to_be_sent_at_each_move_of_a_slider(name):
    view = make(name).view
    assert len(str(view.slots)) + len(view.frame) < 100_000
    assert len(str(view.patches)) < 1_000_000


# Every number once more, of few states


@each_explorer
def test_the_picture_it_begins_with_and_another_say_what_the_printed_sums_say(name):
    case, rng = EXPLORERS[name], np.random.default_rng(4)
    for state in (make(name).state, case.tests.random_state(rng)):
        drawn = case.module.scene(state)
        case.tests.check(state, drawn)
        for cell in some(drawn, rng, 5):
            assert_flies(drawn, cell, getattr(state, "bias", 0))


@each_explorer
def test_no_text_shouts_or_has_a_hole(name):
    drawn = make(name).view.scene
    texts = [drawn.title, *(grid.title for grid in drawn.grids)]
    for highlight in drawn.highlights.values():
        formula = highlight.formula
        texts += [formula.heading, formula.total, *formula.notes, highlight.sentence]
        texts += [text for row in formula.terms for term in row for text in (term.symbols, term.numbers)]
    for text in texts:
        assert not re.search(r"[A-Z]{3}|XX|None|True|False|nan", text), text


def alone(explorer):
    """The states to which each option of each of its switches leads, one by one, and some options of its lists."""
    state = explorer.state
    for n, control in enumerate(explorer._controls):
        widget = control.widget
        if isinstance(widget, widgets.Checkbox):
            yield control.change(state, not control.read(state))
        elif isinstance(widget, widgets.ToggleButtons):
            yield from (control.change(state, value) for _, value in widget._options_full)
        elif isinstance(widget, widgets.Dropdown):
            values = [value for _, value in widget._options_full]
            for value in sample.some(values, 2, f"list {n} of {type(explorer).__name__}"):
                yield control.change(state, value)


@each_explorer
def test_with_each_option_alone_what_flies_has_somewhere_to_go_and_with_one_the_numbers_are_right(name):
    case, rng, states = EXPLORERS[name], sample.rng(f"options of {name}"), list(alone(make(name)))
    checked = rng.integers(max(1, len(states)))
    for n, state in enumerate(states):
        drawn = case.module.scene(state)
        for cell in some(drawn, rng, 2):
            assert_flies(drawn, cell, getattr(state, "bias", 0))
        if n == checked and drawn.selected.grid != "choice":  # of large maps, which have a test of their own
            case.tests.check(state, drawn)
