"""Paths' scene against the plain loops of the forward pass: each derivative on an arrow, each product, the sum."""

from fractions import Fraction

import numpy as np
import pytest

from controls import control
from convbp import explorers, loops
from convbp.explorers import Paths
from convbp.explorers.paths import BIAS, MAXIMUM, PIXEL, WEIGHT, State, scene
from convbp.notation import number
from convbp.pictures.scene import Mark, Selection
from pictures import uncovered


def random_state(rng):
    of = str(rng.choice([WEIGHT, PIXEL, BIAS, MAXIMUM]))
    (H, W), (k1, k2) = rng.choice(np.arange(3, 6), 2, replace=False), rng.choice(np.arange(1, 4), 2, replace=False)
    image, kernel = (rng.integers(-9, 10, shape) for shape in ((H, W), (k1, k2)))
    size = tuple(map(int, rng.integers(1, 4, 2)))
    if (H - k1 + 1) * (W - k2 + 1) > 12:
        return random_state(rng)
    ends = {WEIGHT: kernel.shape, BIAS: (1, 1)}.get(of, image.shape)
    at = tuple(int(rng.integers(end)) for end in ends)
    delta = rng.integers(-9, 10, (H - k1 + 1, W - k2 + 1))
    pooled = rng.integers(-9, 10, (H // size[0], W // size[1]))
    return State(image, kernel, delta, of, at, int(rng.integers(-3, 4)), size, pooled, bool(rng.integers(2)))


def outputs(state, by=0):
    """What the layer gives, by loops, with the chosen number moved."""
    image, kernel, bias = state.image.astype(object), state.kernel.astype(object), state.bias
    if state.of in (PIXEL, MAXIMUM):
        image[state.at] += by
    elif state.of == WEIGHT:
        kernel[state.at] += by
    else:
        bias += by
    if state.of == MAXIMUM:
        return loops.max_pool2d(image[None, :, :, None], state.size).output[0, :, :, 0]
    return loops.conv2d(image[None, :, :, None], kernel[:, :, None, None], [bias])[0, :, :, 0]


def reaches(state, i, j):
    """Whether output (i, j) is made with the number."""
    (row, col), ((k1, k2), (s1, s2)) = state.at, (state.kernel.shape, state.size)
    if state.of == MAXIMUM:
        return row // s1 == i and col // s2 == j
    return state.of != PIXEL or (0 <= row - i < k1 and 0 <= col - j < k2)


def check(state, drawn):
    """Everything that choosing each path, and the sum, shows."""
    drawn = uncovered(scene, state, "paths", lambda chosen: chosen[1:])
    h = Fraction(1, 100)
    x, δ = outputs(state), state.pooled_delta if state.of == MAXIMUM else state.delta
    reached = [place for place in np.ndindex(x.shape) if reaches(state, *place)]
    # A pixel that is as large as the largest other one of its window is at a kink.
    window = [
        state.image[p]
        for p in np.ndindex(state.image.shape)
        if [p[0] // state.size[0], p[1] // state.size[1]] == [a // s for a, s in zip(state.at, state.size, strict=True)]
    ]
    tie = state.of == MAXIMUM and window.count(max(window)) > 1
    ways, totals, *_ = drawn.grids
    assert [value for (value,) in ways.values] == [x[place] for place in reached]
    assert [name.partition("(")[2] for name in ways.between] == [f"{i}, {j})" for i, j in reached]
    assert ways.end == ("E", sum(value**2 for value in δ.flat) / 2)
    assert [second for _, second in ways.arrows] == [δ[place] for place in reached]
    if not tie:
        slopes = (outputs(state, h) - outputs(state, -h)) / (2 * h)
        assert [first for first, _ in ways.arrows] == [slopes[place] for place in reached]
    products = [first * second for first, second in ways.arrows]
    assert [value for (value,) in totals.values] == [*products, sum(products)]
    assert list(drawn.highlights) == [Selection("paths", n, 0) for n in range(len(reached) + 1)]
    *single, every = drawn.highlights.values()
    for n, (highlight, product, place) in enumerate(zip(single, products, reached, strict=True)):
        assert highlight.marks[0] == Mark("paths", n, 0)
        assert highlight.marks[-1] == Mark("delta", *place)
        assert highlight.formula.total.endswith(f" = {number(product)}")
        if not tie:
            # Nudged along this path alone, E changes by this path's product.
            assert f" {number(product)}, if only " in highlight.formula.notes[0]
    assert every.marks[0] == Mark("paths", len(reached), 0)
    assert every.formula.total.endswith(number(sum(products)))
    if not tie:
        assert every.formula.notes[0].endswith(f" {number(sum(products))}, the same")
        assert every.sentence.endswith(f" gives {number(sum(products))}.")
    assert {mark.grid for mark in every.marks} <= {grid.name for grid in drawn.grids}


def shown(explorer):
    return explorer.view.scene.highlights[explorer.state.selected].formula


def test_two_paths_each_nudged_alone_and_both():
    # y = (3w, 2w) at w = 1, and δ = (−1, 2): 3·(−1) along one path, 2·2 along the other.
    explorer = Paths([[3, 2]], [[1]], [[-1, 2]])
    found = []
    for row in range(3):
        explorer.select(row, 0)
        found.append(shown(explorer).notes[0].rpartition(" = ")[2])
    assert found == ["−3, if only x(0, 0) follows", "4, if only x(0, 1) follows", "1, the same"]
    assert shown(explorer).total == "(−3) + 4 = 1"


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ({}, 9),
        ({"of": PIXEL, "at": (1, 2)}, 6),
        ({"of": PIXEL}, 1),
        ({"of": BIAS}, 9),
        ({"of": MAXIMUM}, 1),
        ({"of": MAXIMUM, "at": (0, 4)}, 0),
    ],
)
def test_so_many_paths_there_are(options, paths):
    assert len(Paths(**options).view.scene.highlights) == paths + 1


def test_at_a_tie_the_nudge_says_that_there_is_no_derivative():
    explorer = Paths([[3, 3], [0, 1]], [[1]], of=MAXIMUM)
    assert shown(explorer).notes[0].endswith("not the same, as at a tie there is no derivative")


def test_a_wrong_derivative_would_differ_from_the_nudge(monkeypatch):
    right = shown(Paths()).notes[0]
    monkeypatch.setattr(
        explorers.paths, "conv2d_kernel_gradient", lambda o, d, k: -loops.conv2d_kernel_gradient(o, d, k)
    )
    wrong = shown(Paths()).notes[0]
    assert right.endswith("the same")
    assert "not the same" in wrong


def test_another_kind_of_number_begins_at_its_first_and_the_sliders_follow():
    explorer = Paths(at=(1, 2))
    explorer._controls[0].widget.value = BIAS
    assert (explorer.state.of, explorer.state.at, explorer.message) == (BIAS, (0, 0), "")
    assert [control(explorer, description=name).max for name in ("row", "column")] == [0, 0]
    explorer._controls[0].widget.value = PIXEL
    assert [control(explorer, description=name).max for name in ("row", "column")] == [3, 4]


BAD_INPUT = {
    "kind": ({"of": "delta"}, "Paths: of is 'delta'; expected 'weight', 'pixel', 'bias' or 'maximum'."),
    "place": (
        {"at": (2, 0)},
        "Paths: at is (2, 0); expected a row from 0 to 1 and a column from 0 to 2, the places of",
    ),
    "many": ({"kernel": [[1]]}, "Paths: delta has shape (3, 3); expected (4, 5)."),
    "maxima": ({"pooled_delta": [[1]]}, "Paths: pooled_delta has shape (1, 1); expected (2, 2). Leave it out"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    explorer = Paths()
    explorer.update(**arguments)
    assert explorer.message.startswith(message)


def test_so_many_paths_could_not_be_read():
    with pytest.raises(ValueError, match="there are 20 paths; expected at most 12"):
        scene(State(kernel=[[1]]))


@pytest.mark.parametrize("kind", [WEIGHT, PIXEL, BIAS, MAXIMUM])
def test_each_kind_of_number_has_its_derivatives(kind):
    state = State(of=kind, at=(0, 0) if kind == BIAS else (1, 2))
    check(state, scene(state))


def test_where_no_path_leads_it_is_said():
    explorer = Paths(of=MAXIMUM, at=(0, 4))
    assert explorer.view.scene.highlights[explorer.state.selected].sentence == (
        "No path leads from o(0, 4) to E: its derivative is 0, and nudging o(0, 4) gives 0."
    )
