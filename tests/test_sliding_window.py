"""SlidingWindow's scene against Eq. 1 and Eq. 2 read literally: numbers, indices, outlines, tags and words."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy  # its signal comes when it is asked for, and takes a second

import sample
from convbp import loops, rot180
from convbp.explorers import SlidingWindow
from convbp.explorers.controls.kernel_presets import PRESETS
from convbp.explorers.sliding_window import State, scene
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import entries, random_state, uncovered

OPERATIONS, MODES = ("cross-correlation", "convolution"), ("valid", "full")


def grids(scene):
    return {grid.name: grid for grid in scene.grids}


def tags(grid):
    return {(r, c): (tag.text, tag.hue) for r, row in enumerate(grid.tags) for c, tag in enumerate(row)}


def indices(state):
    """The output's indices, from where the sum of Eq. 1 or Eq. 2 has all its terms, or any, inside the image."""
    (H, W), (k1, k2) = state.image.shape, state.kernel.shape
    first, last = {
        ("cross-correlation", "valid"): ((0, 0), (H - k1, W - k2)),
        ("cross-correlation", "full"): ((1 - k1, 1 - k2), (H - 1, W - 1)),
        ("convolution", "valid"): ((k1 - 1, k2 - 1), (H - 1, W - 1)),
        ("convolution", "full"): ((0, 0), (H + k1 - 2, W + k2 - 2)),
    }[state.operation, state.mode]
    return [(i, j) for i in range(first[0], last[0] + 1) for j in range(first[1], last[1] + 1)]


def read(i, j, m, n, operation):
    """Which entry of the input the term (m, n) of output (i, j) reads."""
    return (i + m, j + n) if operation == "cross-correlation" else (i - m, j - n)


def value_of(text):
    """The number that `text` writes."""
    return Fraction(text.strip("()").replace("−", "-"))


def close(a, b, kind):
    return a == b if kind in ("integer", "fraction") else float(a) == pytest.approx(float(b), rel=6e-4, abs=1e-12)


def check_highlight(state, drawn, cell, kind):
    """Everything that choosing one cell of the output shows."""
    _, i, j = cell
    k1, k2 = state.kernel.shape
    highlight, shown = drawn.highlights[cell], grids(drawn)
    marks = {mark.grid: mark for mark in highlight.marks}
    inputs, weights, result = entries(shown["input"]), entries(shown["kernel"]), entries(shown["output"])[i, j]

    # The sum: each term's symbols, its numbers, and what they come to.
    assert [len(row) for row in highlight.formula.terms] == [k2] * k1
    total, weight_on = 0, {}
    for m, row in enumerate(highlight.formula.terms):
        for n, term in enumerate(row):
            r, c = read(i, j, m, n, state.operation)
            assert term.symbols == f"I({number(r)}, {number(c)})·K({m}, {n})"
            first, second, product = re.fullmatch(r"(.+)·(.+) = (.+)", term.numbers).groups()
            assert (first, second) == (factor(inputs[r, c]), factor(weights[m, n]))
            assert close(value_of(product), inputs[r, c] * weights[m, n], kind)
            assert (subscripted("K", m, n), term.hue) == tags(shown["kernel"])[m, n]
            total += inputs[r, c] * weights[m, n]
            weight_on[r, c] = subscripted("K", m, n), term.hue
    assert total == (result if kind in ("integer", "fraction") else pytest.approx(result, rel=1e-9, abs=1e-9))

    # The outlines: exactly what the terms read, each entry with the weight that meets it there.
    window = marks["input"]
    covered = {
        (window.row + r, window.col + c): (tag.text, tag.hue)
        for r, row in enumerate(window.tags)
        for c, tag in enumerate(row)
    }
    assert (window.rows, window.cols) == (k1, k2)
    assert covered == weight_on
    assert (marks["slid"].row, marks["slid"].col, marks["slid"].rows, marks["slid"].cols) == (0, 0, k1, k2)
    assert (marks["output"].row, marks["output"].col, marks["output"].rows, marks["output"].cols) == (i, j, 1, 1)
    assert len(highlight.marks) == 3

    # The words.
    sign, symbol = ("+", "⊗") if state.operation == "cross-correlation" else ("−", "∗")
    here = f"({number(i)}, {number(j)})"
    assert f"I {symbol} K at {here} " in highlight.formula.heading
    assert f"I({number(i)} {sign} m, {number(j)} {sign} n) · K(m, n)" in highlight.formula.heading
    assert highlight.formula.total.endswith(f" {number(result)}.")
    assert highlight.sentence.startswith(f"Output {here} is {number(result)}: ")
    assert (
        f"the {k1}×{k2} window of the input that starts at ({number(window.row)}, {number(window.col)})"
        in highlight.sentence
    )
    assert ("turned" in highlight.sentence) == (state.operation == "convolution")


def check(state, drawn):
    """The picture of a state of integers says what the equation says; for the tests that all explorers share."""
    drawn = uncovered(scene, state, "output", lambda chosen: chosen[1:])
    operation = {"cross-correlation": loops.cross_correlate, "convolution": loops.convolve}[state.operation]
    output = operation(state.image, state.kernel, state.mode)
    assert [list(row) for row in grids(drawn)["output"].values] == output.tolist()
    for cell in drawn.highlights:
        check_highlight(state, drawn, cell, "integer")


def test_a_covered_output_shows_the_chosen_number_only():
    rng = np.random.default_rng(8)
    for _ in range(60):
        state = replace(random_state(rng, "integer"), covered=True)
        uncovered(scene, state, "output", lambda chosen: chosen[1:])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["integer", "fraction", "float", "long"])
def test_every_selection_of_random_pictures_says_what_the_equation_says(kind):
    rng = np.random.default_rng(7)
    seen = set()
    for _ in range(sample.size(90, thorough=260)):
        state = random_state(rng, kind)
        seen.add((state.operation, state.mode))
        drawn = scene(state)
        shown, (H, W) = grids(drawn), state.image.shape
        image = dict(np.ndenumerate(state.image))
        assert set(drawn.highlights) == {Selection("output", i, j) for i, j in indices(state)}
        assert drawn.selected in drawn.highlights

        assert not any(isinstance(entry, np.generic) for grid in drawn.grids for entry in entries(grid).values())
        # The grids: the input with zeros around it, the kernel, the kernel as it slides, the output.
        assert entries(shown["input"]) == {index: image.get(index, 0) for index in shown["input"].cells()}
        assert shown["input"].core == (0, 0, H, W)
        assert entries(shown["kernel"]) == dict(np.ndenumerate(state.kernel))
        weight_by_tag = {tags(shown["kernel"])[index]: value for index, value in entries(shown["kernel"]).items()}
        assert len({hue for _, hue in weight_by_tag}) == len(weight_by_tag) == state.kernel.size
        assert {tags(shown["slid"])[index]: value for index, value in entries(shown["slid"]).items()} == weight_by_tag
        for (i, j), result in entries(shown["output"]).items():
            expected = sum(
                image.get(read(i, j, m, n, state.operation), 0) * weight
                for (m, n), weight in np.ndenumerate(state.kernel)
            )
            assert result == (
                expected if kind in ("integer", "fraction") else pytest.approx(expected, rel=1e-9, abs=1e-9)
            )

        for cell in drawn.highlights:
            check_highlight(state, drawn, cell, kind)
    assert len(seen) == 4


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("operation", "theirs"), [*zip(OPERATIONS, ("correlate2d", "convolve2d"), strict=True)])
def test_the_output_is_what_scipy_computes(operation, theirs, mode):
    rng = np.random.default_rng(3)
    image, kernel = rng.integers(-9, 10, (7, 5)), rng.integers(-9, 10, (2, 3))
    output = grids(scene(State(image, kernel, operation, mode)))["output"].values
    np.testing.assert_array_equal(np.array(output, int), getattr(scipy.signal, theirs)(image, kernel, mode))


def test_one_picture_word_by_word():
    state = State([[1, 2, 0], [0, -1, 5]], [[2, -3]], "convolution", "full", selected=Selection("output", 1, 1))
    highlight = scene(state).highlights[state.selected]
    heading = " ".join(highlight.formula.heading.split())  # as SVG shows it
    assert heading == "I ∗ K at (1, 1) = Σₘ Σₙ I(1 − m, 1 − n) · K(m, n)"
    assert [[(term.symbols, term.numbers) for term in row] for row in highlight.formula.terms] == [
        [("I(1, 1)·K(0, 0)", "(−1)·2 = −2"), ("I(1, 0)·K(0, 1)", "0·(−3) = 0")]
    ]
    assert highlight.formula.total == "The 2 products sum to −2."
    assert highlight.sentence == (
        "Output (1, 1) is −2: the turned kernel lies on the 1×2 window of the input that starts at (1, 0); "
        "multiply entry by entry, and add."
    )
    slid = grids(scene(state))["slid"]
    assert (slid.title, slid.values) == ("rot180(K) slides", ((-3, 2),))


def test_a_kernel_of_one_entry_makes_a_sum_of_one_product():
    assert scene(State([[3, 4]], [[2]])).highlights[Selection("output", 0, 1)].formula.total == "The sum is 8."


def test_a_cell_that_a_change_of_mode_leaves_outside_becomes_the_nearest_one():
    image, kernel = np.ones((3, 5), int), np.ones((2, 3), int)
    for chosen, nearest in {(-1, -2): (0, 0), (2, 4): (1, 2), (1, -1): (1, 0), (0, 1): (0, 1)}.items():
        state = State(image, kernel, "cross-correlation", "valid", selected=Selection("output", *chosen))
        assert scene(state).selected == ("output", *nearest)


def test_a_state_keeps_a_copy_that_nobody_can_change():
    image, kernel = np.arange(6).reshape(2, 3), np.ones((1, 2))
    state = State(image, kernel)
    image[:], kernel[:] = 7, 7
    assert state.image.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert state.kernel.tolist() == [[1, 1]]
    with pytest.raises(ValueError, match="read-only"):
        state.image[0, 0] = 1


@pytest.mark.parametrize(
    ("image", "kernel", "output"),
    [
        (np.full((1, 2), 200, np.uint8), np.full((1, 2), 200, np.uint8), 80_000),
        (np.full((1, 2), 2**40), np.full((1, 2), 2**40), 2**81),
        (np.full((1, 2), 300, np.float16), np.full((1, 2), 300, np.float16), 180_000),
        (np.eye(1, 2, dtype=bool), [[True, True]], 1),
        ([[1, Fraction(1, 3)]], [[2, 0.5]], pytest.approx(2 + 1 / 6)),
    ],
    ids=["uint8", "int64", "float16", "bool", "mixed"],
)
def test_no_dtype_overflows(image, kernel, output):
    assert grids(scene(State(image, kernel)))["output"].values == ((output,),)


# What cannot be drawn: what came in, and what is said about it.
BAD_INPUT = {
    "text": ({"image": "cat"}, "SlidingWindow: image has entries of type str; expected real numbers"),
    "nothing": ({"image": None}, "SlidingWindow: image has entries of type NoneType; expected real numbers"),
    "complex": ({"kernel": [[1j]]}, "SlidingWindow: kernel has entries of type complex128; expected real numbers"),
    "NaN": ({"image": [[1, np.nan, 2], [3, 4, 5]]}, "SlidingWindow: image has an entry that is NaN or infinite"),
    "infinite": ({"kernel": [[np.inf]]}, "SlidingWindow: kernel has an entry that is NaN or infinite"),
    "enormous": ({"image": [[1e300, 1, 1]] * 2}, "SlidingWindow: image has an entry beyond ±1e+15; expected smaller"),
    "enormous integer": ({"kernel": [[-(10**400)]]}, "SlidingWindow: kernel has an entry beyond ±1e+15; expected"),
    "empty": (
        {"kernel": np.ones((0, 2))},
        "SlidingWindow: kernel is empty, its shape is (0, 2); expected at least one",
    ),
    "ragged": ({"image": [[1, 2], [3]]}, "SlidingWindow: image is a nested list with rows of different lengths"),
    "one axis": ({"image": [1, 2, 3]}, "SlidingWindow: image has shape (3,), which is 1 axis; expected 2 axes (H, W)"),
    "three axes": (
        {"kernel": np.ones((1, 1, 2))},
        "SlidingWindow: kernel has shape (1, 1, 2), which is 3 axes; expected",
    ),
    "image too large": ({"image": np.ones((3, 17))}, "SlidingWindow: image has shape (3, 17); expected at most 16×16"),
    "kernel too large": ({"kernel": np.ones((6, 1))}, "SlidingWindow: kernel has shape (6, 1); expected at most 5×5"),
    "does not fit": ({"kernel": np.ones((5, 3))}, "cross_correlate: the kernel or window is 5×3 and does not fit into"),
    "unknown mode": ({"mode": "same"}, "SlidingWindow: mode is 'same'; expected 'valid' or 'full'."),
    "unknown operation": (
        {"operation": "correlation"},
        "SlidingWindow: operation is 'correlation'; expected 'cross-correlation' or 'convolution'",
    ),
}


each_bad_input = pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)


@each_bad_input
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        SlidingWindow(**arguments)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


@each_bad_input
def test_what_cannot_be_drawn_leaves_the_picture_and_says_why(arguments, message):
    explorer = SlidingWindow()
    explorer.select(1, 2)
    state, drawn, picture, controls = explorer.state, explorer.view.scene, explorer.view.slots, values(explorer)
    explorer.update(**arguments)
    assert explorer.message.startswith(message)
    assert "\n" not in explorer.message
    assert (explorer.state, explorer.view.scene, explorer.view.slots) == (state, drawn, picture)
    assert values(explorer) == controls


def values(widget):
    """What every control stands at."""
    return [getattr(widget, "value", None), *(values(child) for child in getattr(widget, "children", ()))]


# Presets

SHAPES = [(2, 3), (3, 2), (1, 4), (5, 4)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@each_shape
def test_every_preset_has_the_shape_of_the_kernel_and_whole_numbers(shape):
    kernels = [make(*shape) for make in PRESETS.values()]
    assert {kernel.shape for kernel in kernels} == {shape}
    assert {kernel.dtype.kind for kernel in kernels} == {"i"}


@each_shape
def test_the_presets_are_what_their_names_say(shape):
    kernel = {name: make(*shape) for name, make in PRESETS.items()}
    first, last = np.zeros(shape), np.zeros(shape)
    first[0, 0], last[-1, -1] = 1, 1
    np.testing.assert_array_equal(kernel["one at the top left"], first)
    np.testing.assert_array_equal(kernel["one at the bottom right"], last)
    np.testing.assert_array_equal(kernel["all ones"], np.ones(shape))
    own = kernel["equal to its own rot180"]
    np.testing.assert_array_equal(own, rot180(own))
    assert len(np.unique(own)) > 1
    assert len(np.unique(kernel["counting: no symmetry"])) == kernel["counting: no symmetry"].size
    # They measure a slope along their own axis, and none along the other.
    down, across = np.indices(shape)
    for name, along, other in (("right minus left", across, down), ("bottom minus top", down, across)):
        assert (kernel[name] * other).sum() == 0
        assert ((kernel[name] * along).sum() > 0) == (along.max() > 0)
