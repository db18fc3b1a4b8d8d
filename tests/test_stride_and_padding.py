"""StrideAndPadding's scene against the plain loops; backwards, a correlation with stride 1 of what is drawn."""

from itertools import product

import numpy as np
import pytest

from convbp import cross_correlate, loops
from convbp.explorers import StrideAndPadding
from convbp.explorers.states.strided_layer import StridedLayer
from convbp.explorers.stride_and_padding import scene
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import random_array


def random_state(rng):
    while True:
        H, W = map(int, rng.choice(np.arange(2, 6), 2, replace=False))
        k1, k2 = map(int, rng.choice(np.arange(1, 4), 2, replace=False))
        stride, dilation = (tuple(map(int, rng.integers(1, 4, 2))) for _ in range(2))
        reach = dilation[0] * (k1 - 1), dilation[1] * (k2 - 1)
        padding = tuple(int(rng.integers(0, most + 1)) for most in reach)
        sizes = [(n + 2 * p - r - 1) // s + 1 for n, p, r, s in zip((H, W), padding, reach, stride, strict=True)]
        if min(sizes) >= 1:
            image, kernel = random_array(rng, (H, W), "integer"), random_array(rng, (k1, k2), "integer")
            delta = random_array(rng, sizes, "integer") if rng.integers(2) else None
            return StridedLayer(image, kernel, stride, padding, dilation, delta)


def entries(grid):
    return dict(zip(grid.cells(), (value for row in grid.values for value in row), strict=True))


def links(mark):
    """Which cells of a mark carry which weight."""
    return {
        (mark.row + r, mark.col + c): tag.text
        for r, tags in enumerate(mark.tags)
        for c, tag in enumerate(tags)
        if tag is not None
    }


def spread_out(kernel, dilation):
    """The kernel with its weights apart, zeros between."""
    size = [d * (k - 1) + 1 for d, k in zip(dilation, kernel.shape, strict=True)]
    apart = np.zeros(size, object)
    apart[:: dilation[0], :: dilation[1]] = kernel
    return apart


def check(state, drawn):
    """Everything that choosing each output and each pixel shows."""
    (H, W), (k1, k2) = state.image.shape, state.kernel.shape
    (s1, s2), (p1, p2), (d1, d2) = state.stride, state.padding, state.dilation
    steps = {"stride": (s1, s2), "padding": (p1, p2), "dilation": (d1, d2)}
    image, layer = np.array(state.image, int)[None, ..., None], np.array(state.kernel, int)[..., None, None]
    output = loops.conv2d(image, layer, **steps)[0, ..., 0]
    rows, cols = output.shape
    δ = np.arange(1, rows * cols + 1).reshape(rows, cols) if state.delta is None else np.array(state.delta, int)
    gradient = loops.conv2d_input_gradient(δ[None, ..., None], layer, (H, W), **steps)[0, ..., 0]
    grids = {grid.name: grid for grid in drawn.grids}
    pixel, spread = entries(grids["image"]), grids["spread"]
    assert {at: pixel[at] for at in np.ndindex(H, W)} == dict(np.ndenumerate(state.image))
    assert set(pixel) == set(product(range(-p1, H + p1), range(-p2, W + p2)))
    assert entries(grids["output"]) == dict(np.ndenumerate(output))
    assert entries(grids["gradient"]) == dict(np.ndenumerate(gradient))
    # Backwards: what is drawn, correlated with what is drawn, with stride 1, is the gradient.
    turned = np.array(grids["turned"].values)
    assert (cross_correlate(spread.values, spread_out(turned, (d1, d2))) == gradient).all()
    assert {at: value for at, value in entries(spread).items() if spread.in_core(*at)} == {
        (u, v): δ[u // s1, v // s2] if u % s1 == v % s2 == 0 else 0
        for u in range(s1 * (rows - 1) + 1)
        for v in range(s2 * (cols - 1) + 1)
    }

    assert set(drawn.highlights) == {
        *(Selection("output", *at) for at in np.ndindex(rows, cols)),
        *(Selection("image", *at) for at in np.ndindex(H, W)),
    }
    taps, reading = list(np.ndindex(k1, k2)), {at: {} for at in np.ndindex(H, W)}
    for i, j in np.ndindex(rows, cols):
        highlight = drawn.highlights["output", i, j]
        read = {(m, n): (s1 * i + d1 * m - p1, s2 * j + d2 * n - p2) for m, n in taps}
        marks = {mark.grid: mark for mark in highlight.marks}
        assert links(marks["image"]) == {at: subscripted("w", *tap) for tap, at in read.items()}
        assert (marks["output"].row, marks["output"].col) == (i, j)
        assert spread.entry(marks["spread"].row, marks["spread"].col) == δ[i, j]
        terms = [term for row in highlight.formula.terms for term in row]
        for term, (m, n) in zip(terms, taps, strict=True):
            r, c = read[m, n]
            weight = state.kernel[m, n]
            assert term.symbols == f"w({m}, {n})·o({number(r)}, {number(c)})"
            assert term.numbers == f"{factor(weight)}·{factor(pixel[r, c])} = {number(weight * pixel[r, c])}"
            assert term.outside == ((r, c) not in reading)
            if (r, c) in reading:
                reading[r, c][m, n] = i, j
        assert highlight.formula.total == f"x({i}, {j}) is {number(output[i, j])}."
        assert [note.rpartition(" ")[2] for note in highlight.formula.notes] == [str(rows), str(cols)]
        padded = sum(term.outside for term in terms)
        assert (f"of which {padded} in the padding" in highlight.sentence) == bool(padded)

    for at, tag in zip(grids["gradient"].cells(), sum(grids["gradient"].tags, ()), strict=True):
        assert (tag is not None) == (not reading[at])
    for at, by in reading.items():
        highlight = drawn.highlights["image", *at]
        on_spread, *_ = (mark for mark in highlight.marks if mark.grid == "spread")
        assert links(on_spread) == {(at[0] + p1 - d1 * m, at[1] + p2 - d2 * n): subscripted("w", m, n) for m, n in taps}
        assert {(mark.row, mark.col): mark.tags[0][0].text for mark in highlight.marks if mark.grid == "output"} == {
            output: subscripted("w", *tap) for tap, output in by.items()
        }
        terms = (term for row in highlight.formula.terms for term in row)
        for term, tap in zip(terms, taps[::-1], strict=True):  # as rot180(w) lies there
            value = δ[by[tap]] if tap in by else 0
            name = f"δ{by[tap]}" if tap in by else "0"
            assert term.symbols == f"{name}·w{tap}"
            assert term.numbers == f"{factor(value)}·{factor(state.kernel[tap])} = {number(value * state.kernel[tap])}"
            assert term.outside == (tap not in by)
        assert highlight.formula.total.startswith(f"∂E/∂o at {at} is {number(gradient[at])}")
        assert ("Q is empty" in highlight.formula.total) == (not by)
        assert highlight.sentence.startswith(f"Pixel {at} is read by {len(by) or 'no'} window")
        assert highlight.sentence.endswith(f" there, and ∂E/∂o is {number(gradient[at])}.")


def test_one_picture_word_by_word():
    state = StridedLayer([[1, 2, 3, 4], [5, 6, 7, 8]], [[2, -3]], (1, 2), (0, 1), (1, 2), [[1, 4], [0, 5]])
    drawn = scene(state)
    output, pixel = drawn.highlights["output", 1, 0], drawn.highlights["image", 0, 1]
    assert output.formula.heading == "x(1, 0)  =  Σₘ Σₙ w(m, n) · o(1·1 + 1·m − 0, 2·0 + 2·n − 1)"
    assert output.formula.notes == (
        "H′ = ⌊(2 + 2·0 − 1·(1 − 1) − 1) / 1⌋ + 1 = 2",
        "W′ = ⌊(4 + 2·1 − 2·(2 − 1) − 1) / 2⌋ + 1 = 2",
    )
    assert output.sentence == (
        "Output (1, 0) is −18: its window starts at pixel (1, −1) and reads 2 pixels, of which 1 in the padding."
    )
    assert pixel.sentence == "Pixel (0, 1) is read by 2 windows: rot180(w) lies on 2 δ there, and ∂E/∂o is 5."
    assert pixel.formula.notes == (
        "Between the δ stand s − 1 zeros: 0 down, 1 across.",
        "Around them stand r·(k − 1) − p zeros: 0 above, 1 to the left.",
    )


def test_a_pixel_that_no_window_reads_has_no_gradient():
    highlight = StrideAndPadding().view.scene.highlights["image", 4, 5]
    assert highlight.sentence == ("Pixel (4, 5) is read by no windows: rot180(w) lies on no δ there, and ∂E/∂o is 0.")
    assert all(term.outside for row in highlight.formula.terms for term in row)


def test_the_reader_s_own_deltas_come_back_with_their_places():
    explorer = StrideAndPadding(delta=[[1, -2], [2, 1]])
    (stride,) = (control.widget for control in explorer._controls if control.widget.description == "stride, rows")
    before = explorer.view.scene
    stride.value = 1
    assert explorer.state.deltas.tolist()[0] == [1, 2]
    stride.value = 2
    assert explorer.view.scene == before
    explorer.update(delta=[[5, 5], [5, 5]])
    stride.value = 1
    stride.value = 2
    assert explorer.state.delta.tolist() == [[5, 5], [5, 5]]


def test_less_dilation_leaves_less_room_for_padding():
    explorer = StrideAndPadding(stride=1, padding=(2, 4), dilation=2, delta=np.ones((7, 10), int))
    widgets = {control.widget.description: control.widget for control in explorer._controls}
    assert widgets["padding, columns"].max == 4
    widgets["dilation, columns"].value = 1
    assert explorer.message == ""
    assert (explorer.state.padding, explorer.state.dilation) == ((2, 2), (2, 1))
    assert widgets["padding, columns"].max == 2
    assert explorer.state.delta is None
    assert explorer.state.deltas.max() > 1
    widgets["padding, rows"].value = 0
    widgets["stride, columns"].value = 3
    assert (explorer.state.padding, explorer.state.stride) == ((0, 2), (1, 3))
    explorer.reset()
    assert explorer.state.deltas.tolist() == [[1] * 10] * 7


BAD_INPUT = {
    "text": ({"image": "cat"}, "StrideAndPadding: image has entries of type str; expected real numbers"),
    "too large": ({"image": np.ones((3, 9))}, "StrideAndPadding: image has shape (3, 9); expected at most 8×8"),
    "stride": ({"stride": 4}, "StrideAndPadding: stride is 4; expected at most 3"),
    "padding": (
        {"padding": 2},
        "StrideAndPadding: padding is (2, 2); expected at most dilation·(k − 1), which is (1, 2)",
    ),
    "does not fit": ({"image": [[1, 2]]}, "StrideAndPadding: the kernel or window is 2×3 and does not fit"),
    "delta": ({"delta": [[1]]}, "StrideAndPadding: delta has shape (1, 1); expected (2, 2). Leave delta out"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        StrideAndPadding(**arguments)
    assert str(refused.value).startswith(message)
    explorer = StrideAndPadding()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
