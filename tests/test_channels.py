"""Channels' scene against the printed sum over channels, and backwards over filters."""

import re
from collections import Counter
from dataclasses import replace

import ipywidgets as widgets
import numpy as np
import pytest

from controls import control
from convbp import loops
from convbp.explorers import Channels
from convbp.explorers.channels import EXAMPLES, State, scene
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import uncovered

WAYS = ("forward", "backward")


def random_state(rng):
    """A small layer with H ≠ W, k1 ≠ k2 and C ≠ D."""
    size, kernel, (C, D) = (rng.choice(np.arange(*ends), 2, replace=False) for ends in ((3, 5), (1, 4), (1, 4)))
    shapes = (*size, C), (*kernel, C, D), (*(size - kernel + 1), D)
    arrays = (rng.integers(-9, 10, shape) for shape in shapes)
    return State(*arrays, way=str(rng.choice(WAYS)), covered=bool(rng.integers(2)))


def printed(state, i, j, t):
    """The products of one cell that comes out: for each map that goes in, (w, what it meets) for each m, n."""
    k1, k2, C, D = state.kernel.shape
    o, δ = (dict(np.ndenumerate(array)) for array in (state.inputs, state.delta))
    entries = list(np.ndindex(k1, k2))
    if state.way == "forward":
        return [[(state.kernel[m, n, c, t], o[i + m, j + n, c]) for m, n in entries] for c in range(C)]
    return [[(state.kernel[m, n, t, d], δ.get((i - m, j - n, d), 0)) for m, n in entries] for d in range(D)]


def check(state, drawn):
    """What comes out, and for each cell of it the slices, the windows under them, and the products."""
    forward, (k1, k2, C, D) = state.way == "forward", state.kernel.shape
    hidden = f"target{min(1, (D if forward else C) - 1)}"
    drawn = uncovered(scene, state, hidden, lambda chosen: chosen[1:] if chosen[0] == hidden else None, stay="laid")
    inputs, kernel, delta = (array.astype(int) for array in (state.inputs, state.kernel, state.delta))
    if forward:
        expected, sources = loops.conv2d(inputs[None], kernel)[0], C
    else:
        expected, sources = loops.conv2d_input_gradient(delta[None], kernel, inputs.shape[:2])[0], D
    targets = D if forward else C
    grids = {grid.name: grid for grid in drawn.grids}
    for s in range(sources):
        shown, array = grids[f"source{s}"], (inputs if forward else delta)[:, :, s]
        assert {at: shown.entry(*at) for at in shown.cells() if shown.in_core(*at)} == dict(np.ndenumerate(array))
        assert all(shown.entry(*at) == 0 for at in shown.cells() if not shown.in_core(*at))
    assert [grid for grid in grids if grid.startswith("target")] == [f"target{t}" for t in range(targets)]
    assert len(drawn.highlights) == expected.size
    for t in range(targets):
        target = grids[f"target{t}"]
        assert target.values == tuple(map(tuple, expected[:, :, t].tolist()))
        for i, j in target.cells():
            highlight = drawn.highlights[target.name, i, j]
            marks = {mark.grid: mark for mark in highlight.marks}
            slices = {f"w{s},{t}" if forward else f"w{t},{s}": s for s in range(sources)}
            sides = (f"{name}{s}" for name in ("source", "laid") for s in range(sources))
            assert set(marks) == {target.name, *slices, *sides}
            laid = {grid.name: grid for grid in highlight.grids}
            products = printed(state, i, j, t)
            for name, s in slices.items():
                # Each cell under the slice has the name of its weight, there, in the slice and in the sum.
                turned, window, place = grids[name], marks[f"source{s}"], (t, s) if not forward else (s, t)
                met = []
                for r, c in np.ndindex(k1, k2):
                    at = window.row + r, window.col + c
                    m, n = (at[0] - i, at[1] - j) if forward else (i - at[0], j - at[1])
                    assert window.tags[r][c] == turned.tags[r][c]
                    assert turned.tags[r][c].text == subscripted("w", m, n, *place)
                    assert turned.entry(r, c) == kernel[(m, n, *place)]
                    met.append((turned.entry(r, c), grids[f"source{s}"].entry(*at)))
                assert Counter(met) == Counter(products[s])
                which = f"c {place[0]}, d {place[1]}"
                assert (turned.title, laid[f"laid{s}"].title) == (which, f"{'w' if forward else 'rot180(w)'}, {which}")
                assert replace(laid[f"laid{s}"], name=name, title=which) == turned
                part = sum(weight * entry for weight, entry in products[s])
                assert highlight.formula.column[s] == (f"{'channel' if forward else 'filter'} {s}", part)
                rows = highlight.formula.terms[s * (k1 + 1) : (s + 1) * (k1 + 1)]
                assert [len(row) for row in rows] in ([], [k2] * k1 + [0] * (s < sources - 1))
                assert not rows or [[term.numbers, term.value] for row in rows for term in row] == [
                    [f"{factor(weight)}·{factor(entry)} = {number(weight * entry)}", weight * entry]
                    for weight, entry in met
                ]
            assert bool(highlight.formula.terms) == (sources * k1 * k2 <= 18)
            assert highlight.formula.column[-1] == ("Σ", expected[i, j, t])
            letter = "x" if forward else "∂E/∂o"
            here = f"{letter}({i}, {j}, {t}) is {number(expected[i, j, t])}"
            assert highlight.formula.total == f"{here}."
            assert highlight.sentence.startswith(f"{here}: ")
            assert "×".join(map(str, (k1, k2, C, D) if forward else (k1, k2, D, C))) in highlight.formula.notes[-1]


def test_one_cell_word_by_word():
    state = State([[[1, 2], [0, 3], [4, -1]]], [[[[2], [1]], [[-3], [5]]]], [[[2], [-1]]], "backward")
    highlight = scene(state).highlights["target1", 0, 1]
    assert highlight.formula.heading == "∂E/∂o(0, 1, 1)  =  Σ over d, m and n of w(m, n, 1, d)·δ(0 − m, 1 − n, d)"
    assert [[(term.symbols, term.numbers) for term in row] for row in highlight.formula.terms] == [
        [("w₀₁₁₀·δ(0, 0, 0)", "5·2 = 10"), ("w₀₀₁₀·δ(0, 1, 0)", "1·(−1) = −1")]
    ]
    assert highlight.formula.column == (("filter 0", 9), ("Σ", 9))
    assert highlight.formula.notes == (
        "Shapes: δ 1×2×1, with zeros around it 1×4×1; ∂E/∂o 1×3×2.",
        "w 1×2×2×1; turned, and its last two axes swapped, 1×2×1×2.",
    )
    assert highlight.sentence == (
        "∂E/∂o(0, 1, 1) is 9: each filter has a slice for channel 1; lay it, turned, on the filter's δ, multiply, and "
        "add up over the filters."
    )


@pytest.mark.parametrize("way", WAYS)
def test_each_way_shows_what_the_printed_sums_say(way):
    state = replace(random_state(np.random.default_rng(5)), way=way)
    check(state, scene(state))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_large_maps_are_drawn_small_and_chosen_by_name(way):
    explorer = Channels()
    example, ways = control(explorer, description="example"), control(explorer, widgets.ToggleButtons)
    example.set_state({"index": 2})
    ways.set_state({"index": WAYS.index(way)})
    assert explorer.message == ""
    state, drawn = explorer.state, explorer.view.scene
    grids = {grid.name: grid for grid in drawn.grids}
    assert all(grid.small for name, grid in grids.items() if name != "choice")
    forward = way == "forward"
    expected = (
        loops.conv2d(state.inputs[None], state.kernel)
        if forward
        else loops.conv2d_input_gradient(state.delta[None], state.kernel, (32, 32))
    )[0]
    assert expected.shape == ((28, 28, 6) if forward else (32, 32, 3))
    i = j = 14 if forward else 16
    assert list(drawn.highlights) == [Selection("choice", 0, t) for t in range(expected.shape[2])]
    for (_, _, t), highlight in drawn.highlights.items():
        assert grids[f"target{t}"].values == tuple(map(tuple, expected[:, :, t].tolist()))
        assert f"({i}, {j}, {t}) is {number(expected[i, j, t])}" in highlight.sentence
        parts = [sum(weight * entry for weight, entry in products) for products in printed(state, i, j, t)]
        assert [value for _, value in highlight.formula.column] == [*parts, expected[i, j, t]]
        marked = {mark.grid: (mark.row, mark.col, mark.rows, mark.cols) for mark in highlight.marks}
        start = 14 if forward else 12
        assert {marked[f"source{s}"] for s in range(len(parts))} == {(start, start, 5, 5)}
        assert marked[f"target{t}"] == (i, j, 1, 1)
    example.set_state({"index": 1})
    assert not any(grid.small for grid in explorer.view.scene.grids)
    assert explorer.message == ""


def test_the_list_of_examples_says_whose_arrays_are_shown():
    explorer = Channels()
    example = control(explorer, description="example")
    assert example.value == next(iter(EXAMPLES))
    explorer.update(delta=explorer.state.delta + 1)
    assert example.value == "your own arrays"
    assert (
        control(Channels(np.eye(3, 4)[..., None], np.ones((1, 2, 1, 1))), description="example").value
        == "your own arrays"
    )


def test_the_list_of_examples_brings_back_the_arrays_that_were_there():
    explorer = Channels(np.eye(3, 4)[..., None], np.ones((1, 2, 1, 1)))
    example, before = control(explorer, description="example"), explorer.state
    for name in EXAMPLES:
        example.value = name
        assert explorer.state.inputs.shape == EXAMPLES[name][0].shape
        example.value = "your own arrays"
        for field in ("inputs", "kernel", "delta"):
            np.testing.assert_array_equal(getattr(explorer.state, field), getattr(before, field))
    assert explorer.message == ""


def test_both_ways_show_the_same_slices_turned():
    forward, backward = (
        {grid.name: grid for grid in Channels(way=way).view.scene.grids if grid.name.startswith("w")} for way in WAYS
    )
    assert forward.keys() == backward.keys()
    for name, grid in forward.items():
        np.testing.assert_array_equal(np.array(grid.values)[::-1, ::-1], backward[name].values)


def test_a_cell_that_is_no_longer_there_gives_way_to_the_first():
    state = replace(Channels().state, selected=Selection("target2", 1, 1), way="backward")
    assert scene(state).selected == Selection("target0", 0, 0)


ONES = np.ones((3, 4, 2)), np.ones((2, 1, 2, 3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"inputs": np.ones((3, 4)), "kernel": ONES[1]},
            "Channels: inputs has shape (3, 4), which is 2 axes; expected 3",
        ),
        ({"inputs": ONES[0]}, "Channels: of inputs and kernel one is missing; expected both"),
        (
            {"inputs": np.ones((3, 4, 7)), "kernel": ONES[1]},
            "Channels: inputs has shape (3, 4, 7); expected (H, W, C), at most 32×32 with 6",
        ),
        (
            {"inputs": np.ones((33, 4, 2)), "kernel": ONES[1]},
            "Channels: inputs[:, :, 0] has shape (33, 4); expected at",
        ),
        (
            {"inputs": ONES[0], "kernel": np.ones((6, 1, 2, 1))},
            "Channels: kernel has shape (6, 1, 2, 1); expected (k1, k2, C, D), at most 5×5 with",
        ),
        (
            {"inputs": ONES[0], "kernel": np.ones((2, 1, 3, 1))},
            "Channels: inputs have C = 2 but kernel has C = 3; expected",
        ),
        (
            {"inputs": ONES[0], "kernel": ONES[1], "delta": ONES[0]},
            "Channels: delta has shape (3, 4, 2); expected (2, 4, 3)",
        ),
        (
            {"inputs": ONES[0], "kernel": ONES[1], "way": "up"},
            "Channels: way is 'up'; expected 'forward' or 'backward'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        Channels(**arguments)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_who_has_the_channels_first_is_told_how_to_transpose():
    images, kernel = np.ones((2, 3, 32, 32)), np.ones((6, 3, 5, 5))  # (N, C, H, W) and (D, C, k1, k2)
    last = images[0].transpose(1, 2, 0), kernel.transpose(2, 3, 1, 0)
    for inputs, own_kernel, advice in (
        (images, kernel, "inputs[0].transpose(1, 2, 0)"),
        (images[0], kernel, "inputs.transpose(1, 2, 0)"),
        (last[0], kernel, "kernel.transpose(2, 3, 1, 0)"),
        (last[0][:4, :4], np.ones((2, 3, 4, 4)), "kernel.transpose(2, 3, 1, 0)"),
        (np.ones((2, 3, 4)), np.ones((2, 2, 2, 1)), "inputs.transpose(1, 2, 0)"),
    ):
        with pytest.raises(ValueError, match=rf"(give|or) {re.escape(advice)}"):
            Channels(inputs, own_kernel)
    drawn = Channels(*last).view.scene
    assert drawn.grids[0].size == (32, 32)
