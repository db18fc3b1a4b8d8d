"""DenseToConvolution's scene: the matrix times what goes in, where a weight is used, and what the loops give."""

import re

import numpy as np
import pytest

from convbp import loops
from convbp.explorers import DenseToConvolution
from convbp.explorers.dense_to_convolution import State, scene
from convbp.explorers.states.layer_matrix import STEPS
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import grid_of

WAYS = ("forward", "backward")


def random_state(rng):
    """A layer small enough for a matrix, with H ≠ W and k1 ≠ k2."""
    size, kernel = (rng.choice(np.arange(*ends), 2, replace=False) for ends in ((3, 5), (1, 4)))
    arrays = [rng.integers(-9, 10, shape) for shape in (size, kernel, size - kernel + 1)]
    return State(*arrays, step=str(rng.choice(STEPS)), way=str(rng.choice(WAYS)))


def meets(output, pixel, kernel):
    """The entry of the kernel that lies on the pixel in the output's window, or None."""
    entry = pixel[0] - output[0], pixel[1] - output[1]
    return entry if 0 <= entry[0] < kernel.shape[0] and 0 <= entry[1] < kernel.shape[1] else None


def check(state, drawn):
    """The matrix, the product, and what each cell that can be chosen shows."""
    forward, shared = state.way == "forward", state.step == "shared"
    pixels, outputs = list(np.ndindex(state.image.shape)), list(np.ndindex(state.delta.shape))
    grids = {grid.name: grid for grid in drawn.grids}
    matrix, product = grids["matrix"], grids["product"]
    source, starts, ends = (state.image, pixels, outputs) if forward else (state.delta, outputs, pixels)
    assert grids["source"].values == tuple(map(tuple, source.tolist()))
    assert (matrix.size, product.size) == ((len(ends), len(starts)), (state.delta if forward else state.image).shape)

    # The matrix: which connections there are, and whose weight each has.
    names, entries = {}, {}
    for (t, end), (s, start) in ((t, s) for t in enumerate(ends) for s in enumerate(starts)):
        pixel, output = (start, end) if forward else (end, start)
        entry, value = meets(output, pixel, state.kernel), matrix.entry(t, s)
        assert (value is None) == (entry is None and state.step != "dense")
        if value is not None:
            assert not (entry and (shared or output == (0, 0))) or value == state.kernel[entry]
            names[t, s] = f"w{entry}" if shared else f"W({outputs.index(output)}, {pixels.index(pixel)})"
            entries[t, s] = entry
            tag = (subscripted("w", *entry), entry[0] * state.kernel.shape[1] + entry[1]) if shared else None
            assert (matrix.tags[t][s] and (matrix.tags[t][s].text, matrix.tags[t][s].hue)) == tag
            assert matrix.hues[t][s] == (tag and tag[1])
    counts = len(outputs) * len(pixels), len(outputs) * state.kernel.size, state.kernel.size
    weights = dict(zip(STEPS, counts, strict=True))[state.step]
    assert len(set(names.values())) == weights
    assert re.search(r": (\d+) weights?$", matrix.title)[1] == str(weights)

    # The product; in the end it is what sliding gives.
    w = np.array([[value or 0 for value in row] for row in matrix.values])
    assert [value for row in product.values for value in row] == (w @ source.ravel()).tolist()
    if forward:
        slid = loops.cross_correlate(state.image, state.kernel)
    else:
        slid = loops.convolve(state.delta, state.kernel, mode="full")
    assert not shared or product.values == tuple(map(tuple, slid.tolist()))

    into, out = ("o", "x") if forward else ("δ", "∂E/∂o")
    gradient = loops.cross_correlate(state.image, state.delta)  # Eq. 13
    assert ("kernel" in grids) == shared
    assert len(drawn.highlights) == len(ends) * (len(starts) + 1) + (state.kernel.size if shared else 0)
    for (name, *cell), highlight in drawn.highlights.items():
        (row,), formula, cell = highlight.grids, highlight.formula, tuple(cell)
        assert formula.notes[-1] == "Weights: {} if dense, {} if cut, {} if shared.".format(*counts)
        terms = [term for line in formula.terms for term in line]

        if name == "kernel":
            first = next(at for at in entries if entries[at] == cell)
            assert highlight is drawn.highlights["matrix", *first]
        elif name == "product":
            t = ends.index(cell)
            assert [value for line in row.values for value in line] == list(matrix.values[t])
            (box,) = [mark for mark in highlight.marks if mark.grid == "source"]
            covered = {(box.row + r, box.col + c): tag for r, line in enumerate(box.tags) for c, tag in enumerate(line)}
            assert covered == {start: matrix.tags[t][s] for s, start in enumerate(starts) if (t, s) in names}
            for s, (start, term) in enumerate(zip(starts, terms, strict=True)):
                what, value = f"{into}{start}", w[t, s] * source[start]
                assert term.symbols == (f"{names[t, s]}·{what}" if (t, s) in names else f"{what} is cut")
                assert term.numbers == f"{factor(w[t, s])}·{factor(source[start])} = {number(value)}"
                assert term.outside == ((t, s) not in names)
                assert term.hue == matrix.hues[t][s]
            here = f"{out}{cell} is {number(product.entry(*cell))}"
            assert formula.total == f"{here}."
            assert highlight.sentence.startswith(f"{here}, row {t} of the matrix times {into}: ")
            assert f"at {cell} is {number(slid[cell])} (Eq. " in formula.notes[0]
            assert formula.notes[0].endswith("everywhere.") == shared
        elif cell not in names:
            t, s = cell
            assert f"from {into}{starts[s]} to {out}{ends[t]} is cut." in highlight.sentence
            assert {mark.style for mark in highlight.marks} == {"faint"}
            assert not terms
        else:
            t, s = cell
            uses = [at for at in names if names[at] == names[cell]]
            marked = {use: {("matrix", *use), ("source", *starts[use[1]]), ("product", *ends[use[0]])} for use in uses}
            lit = {
                style: {(m.grid, m.row, m.col) for m in highlight.marks if m.style == style}
                for style in ("solid", "dashed")
            }
            own = {("row", *starts[s]), *([("kernel", *entries[cell])] if shared else [])}
            assert lit["solid"] == marked[cell] | own
            assert lit["dashed"] == set().union(*marked.values()) - marked[cell]
            assert [(term.symbols, term.numbers) for term in terms] == [
                (
                    f"{names[cell]}·{into}{starts[s]} → {out}{ends[t]}",
                    f"{factor(w[t, s])}·{factor(source[starts[s]])} = {number(w[t, s] * source[starts[s]])}",
                )
                for t, s in uses
            ]
            meeting = source[starts[s]] * (state.delta if forward else state.image)[ends[t]]
            assert formula.total.endswith(f": {number(gradient[entries[cell]] if shared else meeting)}.")
            assert f"holds {names[cell]}, which is {number(w[cell])} and takes " in highlight.sentence
            assert ("in this place only" in highlight.sentence) == (len(uses) == 1)


def test_a_step_keeps_the_weights_that_are_left():
    matrices = {}
    for step in STEPS:
        explorer = DenseToConvolution(step=step)
        matrices[step] = np.array(grid_of(explorer.view.scene, "matrix").values, object)
    dense, cut, shared = (matrices[step] for step in STEPS)
    left = cut != None  # noqa: E711 - entry by entry
    np.testing.assert_array_equal(cut[left], dense[left])
    np.testing.assert_array_equal(shared[0], cut[0])
    np.testing.assert_array_equal(shared != None, left)  # noqa: E711
    assert 0 not in dense


def test_backward_is_the_same_matrix_transposed():
    for step in STEPS:
        w, turned = (grid_of(DenseToConvolution(step=step, way=way).view.scene, "matrix") for way in WAYS)
        assert list(zip(*w.values, strict=True)) == list(turned.values)
        assert list(zip(*w.hues, strict=True)) == list(turned.hues)


def test_forward_and_backward_are_adjoint_at_each_step():
    for step in STEPS:
        forward, backward = (DenseToConvolution(step=step, way=way) for way in WAYS)
        x, below = (np.array(grid_of(explorer.view.scene, "product").values) for explorer in (forward, backward))
        assert (x * forward.state.delta).sum() == (below * forward.state.image).sum()


def test_in_the_example_a_row_of_the_transposed_matrix_is_the_turned_kernel():
    explorer = DenseToConvolution(step="shared", way="backward")
    (row,) = explorer.view.scene.highlights[explorer.state.selected].grids
    np.testing.assert_array_equal(row.values, loops.rot180(explorer.state.kernel))
    assert explorer.view.scene.sentence == (
        "∂E/∂o(1, 2) is 4, row 7 of the matrix times δ: the weights that are left are the kernel's, and laid out as δ "
        "they stand turned by 180°."
    )


def test_one_weight_word_by_word():
    drawn = scene(State([[1, 2, 0], [4, -1, 5]], [[2], [-3]], [[1, -2, 3]], step="shared"))
    highlight = drawn.highlights["kernel", 1, 0]
    assert highlight.formula.heading == "w(1, 0) = −3 is used in 3 places, once for each output"
    assert [(term.symbols, term.numbers, term.hue) for term in highlight.formula.terms[0]] == [
        ("w(1, 0)·o(1, 0) → x(0, 0)", "(−3)·4 = −12", 1),
        ("w(1, 0)·o(1, 1) → x(0, 1)", "(−3)·(−1) = 3", 1),
        ("w(1, 0)·o(1, 2) → x(0, 2)", "(−3)·5 = −15", 1),
    ]
    assert not highlight.formula.added
    assert highlight.formula.total == "Its gradient is δ·o, added up over all of them (Eq. 13): 21."
    assert highlight.sentence == (
        "Row 0, column 3 holds w(1, 0), which is −3 and takes o(1, 0) to x(0, 0); this weight is used in 3 places, "
        "once for each output."
    )


@pytest.mark.slow
def test_steps_and_ways_are_chosen_with_buttons():
    explorer = DenseToConvolution()
    steps, ways = explorer.children[0].children[:2]
    steps.set_state({"index": 2})
    assert len(explorer.view.scene.grids) == 5
    explorer.select(1, 2, "kernel")
    ways.set_state({"index": 1})
    assert explorer.state.selected == ("kernel", 1, 2)
    steps.set_state({"index": 1})
    assert explorer.state.selected == Selection("product", 0, 0)
    assert explorer.message == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": np.ones((3, 6))}, "DenseToConvolution: image has shape (3, 6); expected at most 5×5"),
        ({"kernel": np.ones((4, 2))}, "cross_correlate: the kernel or window is 4×2 and does not fit into"),
        ({"delta": [[1]]}, "DenseToConvolution: delta has shape (1, 1); expected (2, 3)"),
        ({"step": "sparse"}, "DenseToConvolution: step is 'sparse'; expected 'dense', 'cut' or 'shared'"),
        ({"way": "up"}, "DenseToConvolution: way is 'up'; expected 'forward' or 'backward'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        DenseToConvolution(**arguments)
    assert str(refused.value).startswith(message)
    explorer = DenseToConvolution()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
