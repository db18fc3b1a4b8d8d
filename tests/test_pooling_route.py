"""PoolingRoute's scene against the plain loops: shares, winners, sums, and what the reader can do to the input."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from controls import control
from convbp import loops
from convbp.explorers import PoolingRoute
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.pooling_route import scene
from convbp.explorers.states.pooling import PoolingState
from convbp.notation import factor, number
from convbp.pictures.scene import Selection
from pictures import uncovered

ORACLE = {"max": loops.max_pool2d, "average": loops.average_pool2d, "L2": loops.l2_pool2d}


def random_state(rng):
    H, W = rng.choice(np.arange(3, 6), 2, replace=False)
    size = tuple(map(int, rng.choice(np.arange(1, 4), 2, replace=False)))
    stride = tuple(map(int, rng.integers(1, 4, 2)))
    inputs = rng.integers(-3, 4, (H, W)) * rng.integers(0, 2)  # often ties, sometimes nothing but zeros
    places = (H - size[0]) // stride[0] + 1, (W - size[1]) // stride[1] + 1
    delta = rng.integers(-9, 10, places) if rng.integers(2) else None
    return PoolingState(inputs, str(rng.choice(list(ORACLE))), size, stride, delta, bool(rng.integers(2)))


def close(one, other, state):
    return one == (pytest.approx(other) if state.pooling == "L2" else other)


def drawn_terms(highlight):
    return [(term.symbols, term.numbers) for row in highlight.formula.terms for term in row]


def check(state, drawn):
    """Everything that choosing each δ and each pixel shows."""

    def asked(chosen):
        return chosen[1:] if chosen[0] == "inputs" else None

    drawn = uncovered(scene, state, "gradient", asked, waits=lambda chosen: not asked(chosen))
    (H, W), (k1, k2), (s1, s2) = state.inputs.shape, state.size, state.stride
    grids = {grid.name: grid for grid in drawn.grids}
    pooled = ORACLE[state.pooling](state.inputs[None, ..., None], state.size, stride=state.stride)
    rows, cols = pooled.output.shape[1:3]
    δ = np.arange(1, rows * cols + 1).reshape(rows, cols) if state.delta is None else state.delta
    gradient = pooled.route(δ[None, ..., None])[0, ..., 0]
    for name, array in (("inputs", state.inputs), ("output", pooled.output[0, ..., 0]), ("delta", δ)):
        assert all(close(grids[name].entry(*at), value, state) for at, value in np.ndenumerate(array))
    assert all(close(grids["gradient"].entry(*at), value, state) for at, value in np.ndenumerate(gradient))

    places, pixels = list(product(range(rows), range(cols))), list(product(range(H), range(W)))
    window = {(i, j): [(s1 * i + m, s2 * j + n) for m in range(k1) for n in range(k2)] for i, j in places}
    share = {}
    for i, j in places:
        entries = [int(state.inputs[pixel]) for pixel in window[i, j]]
        norm = sum(entry * entry for entry in entries) ** 0.5
        for n, (pixel, entry) in enumerate(zip(window[i, j], entries, strict=True)):
            share[i, j, pixel] = {
                "max": int(n == entries.index(max(entries))),
                "average": Fraction(1, k1 * k2),
                "L2": entry / norm if norm else 0,
            }[state.pooling]
    assert set(drawn.highlights) == {
        *(Selection("delta", *place) for place in places),
        *(Selection("inputs", *pixel) for pixel in pixels),
    }
    tagged = {at for at, tag in zip(grids["inputs"].cells(), sum(grids["inputs"].tags, ()), strict=True) if tag}
    assert tagged == {p for (i, j, p), part in share.items() if part and state.pooling == "max"}

    for place in places:
        highlight = drawn.highlights["delta", *place]
        (shown,) = highlight.grids
        for pixel in pixels:
            there = share.get((*place, pixel))
            assert shown.entry(*pixel) is None if there is None else close(shown.entry(*pixel), there, state)
        outlines = {mark.grid: (mark.style, (mark.row, mark.col), mark.rows * mark.cols) for mark in highlight.marks}
        reached = (
            [pixel for pixel in window[place] if share[*place, pixel]] if state.pooling == "max" else window[place]
        )
        assert outlines == {
            "inputs": ("solid", window[place][0], k1 * k2),
            "output": ("solid", place, 1),
            "delta": ("solid", place, 1),
            "shares": ("dashed", reached[0], len(reached)),
            "gradient": ("dashed", reached[0], len(reached)),
        }
        assert drawn_terms(highlight) == [
            (
                f"to {pixel}, o = {number(state.inputs[pixel])}",
                f"{factor(shown.entry(*pixel))}·{factor(δ[place])} = {number(shown.entry(*pixel) * δ[place])}",
            )
            for pixel in window[place]
        ]
        y = grids["output"].entry(*place)
        assert f"{place} is {number(y)}, " in highlight.sentence
        assert highlight.sentence.endswith(f" of δ{place} = {number(δ[place])}.")
        equal = [int(state.inputs[pixel]) for pixel in window[place]].count(y)
        assert any("A tie" in note for note in highlight.formula.notes) == (state.pooling == "max" and equal > 1)

    for pixel in pixels:
        highlight, (r, c) = drawn.highlights["inputs", *pixel], pixel
        covering = [place for place in places if pixel in window[place]]
        assert not highlight.grids
        assert close(grids["shares"].entry(r, c), sum(share[*place, pixel] for place in covering), state)
        assert {m.grid: (m.row, m.col) for m in highlight.marks if m.style == "solid"} == dict.fromkeys(
            ("inputs", "shares", "gradient"), pixel
        )
        for mark in highlight.marks:
            if mark.style == "dashed":
                region = product(range(mark.row, mark.row + mark.rows), range(mark.col, mark.col + mark.cols))
                assert list(region) == covering
        assert any(mark.style == "dashed" for mark in highlight.marks) == bool(covering)
        assert drawn_terms(highlight) == [
            (f"∂y{place}/∂o · δ{place}", f"{factor(part)}·{factor(δ[place])} = {number(part * δ[place])}")
            for place in covering
            for part in [drawn.highlights["delta", *place].grids[0].entry(*pixel)]
        ]
        assert highlight.sentence.endswith(f": ∂E/∂o there is {number(grids['gradient'].entry(*pixel))}.")
        assert highlight.sentence.startswith("No window covers" if not covering else f"Pixel {pixel} ")

    note = next(iter(drawn.highlights.values())).formula.notes[0]
    assert note.startswith(f"Σ δ = {number(δ.sum())}, Σ ∂E/∂o = {number(sum(sum(grids['gradient'].values, ())))}: ")
    if state.pooling != "L2":
        assert gradient.sum() == δ.sum()
        assert ": conserved" in note


@pytest.mark.parametrize(
    ("pooling", "sentence", "numbers"),
    [
        (
            "max",
            "The output y(0, 1) is 4, the largest entry of the 2×1 window that starts at pixel (0, 1): "
            "pixel (0, 1) gets all of δ(0, 1) = 5.",
            ["1·5 = 5", "0·5 = 0"],
        ),
        (
            "average",
            "The output y(0, 1) is 7/2, the mean of the 2×1 window that starts at pixel (0, 1): "
            "each pixel gets 1/2 of δ(0, 1) = 5.",
            ["(1/2)·5 = 5/2", "(1/2)·5 = 5/2"],
        ),
        (
            "L2",
            "The output y(0, 1) is 5, the norm √Σ o² of the 2×1 window that starts at pixel (0, 1): "
            "each pixel gets o/y of δ(0, 1) = 5.",
            ["0.8·5 = 4", "0.6·5 = 3"],
        ),
    ],
)
def test_one_picture_of_each_kind_word_by_word(pooling, sentence, numbers):
    state = PoolingState([[0, 4, 1], [0, 3, 1]], pooling, (2, 1), None, [[1, 5, 2]])
    highlight = scene(state).highlights["delta", 0, 1]
    assert highlight.sentence == sentence
    assert [text for _, text in drawn_terms(highlight)] == numbers


def test_a_pixel_in_several_windows_gets_from_each_and_one_in_none_gets_nothing():
    inputs = [[1, 9, 1, 5], [0, 2, 3, 5]]
    overlap = scene(PoolingState(inputs, "max", (2, 2), (1, 1)))
    assert overlap.highlights["inputs", 0, 1].sentence == (
        "Pixel (0, 1) is the winner in 2 of the 2 windows that cover it: ∂E/∂o there is 3."
    )
    left_over = scene(PoolingState(inputs, "max", (2, 3)))
    assert left_over.highlights["inputs", 1, 3].sentence == "No window covers pixel (1, 3): ∂E/∂o there is 0."
    assert left_over.highlights["inputs", 1, 3].formula.total == "∂E/∂o at (1, 3) is 0: no window covers the pixel."


def test_only_the_norm_does_not_conserve_the_sum():
    notes = {
        name: scene(PoolingState([[3, 4]], name, (1, 2), None, [[5]])).highlights["delta", 0, 0].formula.notes[0]
        for name in ORACLE
    }
    assert notes["max"] == "Σ δ = 5, Σ ∂E/∂o = 5: conserved, as the shares of each window sum to 1."
    assert notes["average"] == notes["max"]
    assert notes["L2"].startswith("Σ δ = 5, Σ ∂E/∂o = 7: in general not conserved")


# What a reader can change


def chosen_number(explorer):
    return control(explorer, NumberSlider)


def press(explorer, name):
    control(explorer, description=name).click()


def test_the_slider_is_that_of_the_chosen_number():
    explorer = PoolingRoute()
    explorer.select(1, 2)
    slider, before = chosen_number(explorer), explorer.state
    assert (slider.description, slider.value) == ("δ(1, 2)", 6)
    slider.value = -4
    assert explorer.state.deltas.tolist() == [[1, 2, 3], [4, 5, -4]]
    assert explorer.view.scene.grids[-1].entry(2, 5) == -4
    explorer.select(0, 2, "inputs")
    assert (slider.description, slider.value) == ("o(0, 2)", 0)
    slider.value = 7
    expected = before.inputs.copy()
    expected[0, 2] = 7
    assert explorer.state.inputs.tolist() == expected.tolist()
    assert explorer.view.scene.highlights["delta", 0, 1].sentence.endswith("pixel (0, 2) gets all of δ(0, 1) = 2.")


def test_floats_stay_floats_and_large_numbers_widen_the_slider():
    explorer = PoolingRoute([[0.5, 20.5], [1, 2]], "average")
    explorer.select(0, 1, "inputs")
    slider = chosen_number(explorer)
    (handle,) = slider.children
    assert (slider.value, handle.value, handle.max, handle.step) == (20.5, 20.5, 21, 0.1)
    slider.value = 2.5
    assert explorer.view.scene.grids[1].values == ((1.5,),)
    slider.value = 3
    assert explorer.view.scene.grids[1].values == ((1.625,),)


def test_the_reader_s_own_deltas_come_back_with_their_windows():
    explorer = PoolingRoute(delta=[[1, -2, 0], [2, 1, 7]])
    rows = control(explorer, description="size, rows")
    before = explorer.view.scene
    rows.value = 1
    assert explorer.state.deltas.shape != (2, 3)
    assert explorer.state.delta is None
    rows.value = 2
    assert explorer.view.scene == before


def test_ties_go_to_the_first_and_zeros_have_no_norm():
    explorer = PoolingRoute()
    explorer.select(1, 1)
    press(explorer, "Make ties")
    assert explorer.state.inputs[2:4, 2:4].tolist() == [[4, 4], [4, 4]]
    highlight = explorer.view.scene.highlights[explorer.state.selected]
    assert "pixel (2, 2) gets all of δ(1, 1) = 5" in highlight.sentence
    assert highlight.formula.notes[-1].startswith("A tie: 4 stands there 4 times.")
    explorer.select(3, 3, "inputs")  # in the same window
    press(explorer, "Make zeros")
    assert explorer.state.inputs[2:4, 2:4].tolist() == [[0, 0], [0, 0]]
    explorer.update(pooling="L2", selected=("delta", 1, 1))
    highlight = explorer.view.scene.highlights[explorer.state.selected]
    assert "no pixel gets anything of δ(1, 1) = 5" in highlight.sentence
    assert highlight.grids[0].entry(2, 2) == 0


def test_where_no_window_is_chosen_the_buttons_change_nothing():
    explorer = PoolingRoute()
    explorer.select(4, 0, "inputs")
    before = explorer.state.inputs.tolist()
    press(explorer, "Make zeros")
    assert explorer.state.inputs.tolist() == before


def test_another_window_has_another_delta():
    explorer = PoolingRoute([[1, 2, 3], [4, 5, 6]], size=(1, 2), delta=[[7], [8]])
    stride_of_columns = control(explorer, description="stride, columns")
    assert explorer.state.deltas.tolist() == [[7], [8]]
    stride_of_columns.value = 1
    assert explorer.message == ""
    assert explorer.state.deltas.tolist() == [[1, 2], [3, 4]]


BAD_INPUT = {
    "text": ({"inputs": "cat"}, "PoolingRoute: inputs has entries of type str; expected real numbers"),
    "too large": ({"inputs": np.ones((3, 9))}, "PoolingRoute: inputs has shape (3, 9); expected at most 8×8"),
    "no such pooling": ({"pooling": "min"}, "PoolingRoute: pooling is 'min'; expected 'max', 'average' or 'L2'"),
    "large window": ({"size": (2, 5)}, "PoolingRoute: size is (2, 5); expected at most 4, or"),
    "no stride": ({"stride": 0}, "PoolingRoute: stride is 0; expected at least 1"),
    "does not fit": ({"inputs": [[1, 2]]}, "PoolingRoute: the kernel or window is 2×2 and does not fit"),
    "delta": ({"delta": [[1]]}, "PoolingRoute: delta has shape (1, 1); expected (2, 3). Leave delta out"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        PoolingRoute(**arguments)
    assert str(refused.value).startswith(message)
    explorer = PoolingRoute()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)


def test_a_delta_comes_back_by_way_of_the_pixel_that_won():
    """A pixel that wins two windows gets both δ, each by its own output."""
    drawn = PoolingRoute([[1, 9, 2]], "max", (1, 2), 1, delta=[[3, -5]]).view.scene
    for col, value in enumerate(("3", "−5")):
        flights = drawn.highlights["delta", 0, col].flights[1:]
        ways = [[(flight.start[:3], flight.end[:3], flight.carries) for flight in step] for step in flights]
        assert ways == [
            [(("delta", 0, col), ("output", 0, col), ())],
            [(("output", 0, col), ("inputs", 0, 1), (value,))],
            [(("inputs", 0, 1), ("gradient", 0, 1), (value,))],
        ]
