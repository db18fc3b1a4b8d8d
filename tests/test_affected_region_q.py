"""AffectedRegionQ's scene against Eq. 16 and 17, and against the windows of the outputs themselves."""

from itertools import product

import numpy as np
import pytest

from convbp import cross_correlate, loops
from convbp.explorers import AffectedRegionQ
from convbp.explorers.affected_region_q import State, scene
from convbp.notation import number, subscripted
from convbp.pictures.scene import Selection
from pictures import random_layer, uncovered


def random_state(rng):
    return State(*random_layer(rng), covered=bool(rng.integers(2)))


def check(state, drawn):
    """Everything that choosing each pixel shows."""
    drawn = uncovered(scene, state, "reach", lambda chosen: chosen[1:])
    (H, W), (k1, k2), (rows, cols) = state.image.shape, state.kernel.shape, state.delta.shape
    grids = {grid.name: grid for grid in drawn.grids}
    δ, w = (dict(np.ndenumerate(array)) for array in (state.delta, state.kernel))
    layer = np.array(state.delta, int)[None, ..., None], np.array(state.kernel, int)[..., None, None]
    gradient = loops.conv2d_input_gradient(*layer, (H, W))[0, :, :, 0]
    assert set(drawn.highlights) == {Selection("image", *pixel) for pixel in product(range(H), range(W))}
    for (_, *pixel), highlight in drawn.highlights.items():
        i, j = pixel
        # An output is affected if the pixel is in its window, which starts at the output's own index.
        links = {
            (r, c): (i - r, j - c) for r, c in product(range(rows), range(cols)) if r <= i < r + k1 and c <= j < c + k2
        }
        assert grids["reach"].entry(i, j) == len(links)
        marks = [mark for mark in highlight.marks if mark.grid == "delta"]
        faint, dashed = marks
        assert (faint.style, dashed.style) == ("faint", "dashed")
        assert {
            (dashed.row + r, dashed.col + c): (tag.text, tag.hue)
            for r, tags in enumerate(dashed.tags)
            for c, tag in enumerate(tags)
        } == {output: (subscripted("w", m, n), m * k2 + n) for output, (m, n) in links.items()}
        assert (dashed.rows * dashed.cols, faint.rows, faint.cols) == (len(links), k1, k2)
        assert (faint.row, faint.col) == (i - (k1 - 1), j - (k2 - 1))
        assert {mark.grid: (mark.row, mark.col) for mark in highlight.marks if mark.style == "solid"} == {
            "image": (i, j),
            "reach": (i, j),
        }
        (used,) = (mark for mark in highlight.marks if mark.grid == "kernel")
        there = product(range(used.row, used.row + used.rows), range(used.col, used.col + used.cols))
        assert set(there) == set(links.values())
        # The sum: all of Eq. 17, what is outside faint.
        terms = [term for row in highlight.formula.terms for term in row]
        for term, (m, n) in zip(terms, product(range(k1), range(k2)), strict=True):
            value = δ.get((i - m, j - n), 0) * w[m, n]
            assert term.symbols == f"δ({number(i - m)}, {number(j - n)})·w({m}, {n})"
            assert term.numbers.endswith(f" = {number(value)}")
            assert term.outside == ((i - m, j - n) not in δ)
        assert highlight.formula.total == f"∂E/∂o at ({i}, {j}) is {number(gradient[i, j])}."
        assert highlight.sentence.startswith(f"Pixel ({i}, {j}) reaches {len(links)} output")
        assert (f"of which {k1 * k2 - len(links)} of {k1 * k2}" in highlight.sentence) == (len(links) < k1 * k2)


def test_one_picture_word_by_word():
    state = State([[1, 2, 0], [0, 1, 3]], [[2, -1]], [[1, 3], [-2, 5]], selected=Selection("image", 1, 2))
    highlight = scene(state).highlights[state.selected]
    assert [[(t.symbols, t.numbers, t.outside) for t in row] for row in highlight.formula.terms] == [
        [("δ(1, 2)·w(0, 0)", "0·2 = 0", True), ("δ(1, 1)·w(0, 1)", "5·(−1) = −5", False)]
    ]
    assert highlight.formula.total == "∂E/∂o at (1, 2) is −5."
    assert highlight.sentence == (
        "Pixel (1, 2) reaches 1 output, from (1, 1) to (1, 1): region Q, of which 1 of 2 places lie outside the output."
    )


def test_without_a_delta_it_is_that_of_half_the_sum_of_squares():
    image, kernel = [[1, 2, 0], [0, 1, 3]], [[2, -1]]
    np.testing.assert_array_equal(AffectedRegionQ(image, kernel).state.delta, cross_correlate(image, kernel))


def test_the_weights_follow_their_sliders():
    explorer = AffectedRegionQ()
    explorer.update(kernel=[[1, 2, 3], [4, 5, 6]], selected=("image", 2, 2))
    numbers = [
        term.numbers for row in explorer.view.scene.highlights[explorer.state.selected].formula.terms for term in row
    ]
    assert [text.partition("·")[2].partition(" ")[0] for text in numbers] == ["1", "2", "3", "4", "5", "6"]


BAD_INPUT = {
    "text": ({"image": "cat"}, "AffectedRegionQ: image has entries of type str; expected real numbers"),
    "too large": ({"image": np.ones((3, 10))}, "AffectedRegionQ: image has shape (3, 10); expected at most 9×9"),
    "does not fit": (
        {"kernel": np.ones((5, 5)), "image": np.ones((4, 6))},
        "cross_correlate: the kernel or window is 5×5",
    ),
    "delta": (
        {"delta": [[1]]},
        "AffectedRegionQ: delta has shape (1, 1); expected (4, 4). δ has one entry for each output",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        AffectedRegionQ(**arguments)
    assert str(refused.value).startswith(message)
    explorer = AffectedRegionQ()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
