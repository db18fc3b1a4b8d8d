"""TwoLayerQuestion's scene against the asker's own formulas, and every derivative against the cost itself."""

import re
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from convbp import loops
from convbp.explorers import TwoLayerQuestion
from convbp.explorers.two_layer_question import State, scene
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import Selection
from pictures import grid_of, random_array

LETTERS = {"image": "i", "first_kernel": "w¹", "second_kernel": "w²", "target": "y"}


def random_state(rng):
    H, W = rng.choice(np.arange(2, 5), 2, replace=False)
    k1, k2 = int(rng.integers(1, H + 1)), int(rng.integers(1, W + 1))
    if k1 == k2:
        k2 = k2 % W + 1
    second = H - k1 + 1, W - k2 + 1
    return State(*(random_array(rng, shape, "integer") for shape in ((H, W), (k1, k2), second, (1, 1))))


def cost(image, first_kernel, second_kernel, target):
    windows = np.lib.stride_tricks.sliding_window_view(image, first_kernel.shape)
    return int(np.einsum("ijmn,mn,ij", windows, first_kernel, second_kernel) - target[0, 0]) ** 2


def measured(state, name, at):
    """The slope of the parabola that the cost is in this number, through three of its points."""
    arrays = {grid: np.array(getattr(state, grid), int) for grid in LETTERS}
    values = []
    for step in (-2, 0, 1):
        moved = arrays[name].copy()
        moved[at] += step
        values.append(cost(**{**arrays, name: moved}))
    behind, here, ahead = values
    # f(−2) = c − 2b + 4a and f(1) = c + b + a, so b = (4·f(1) − f(−2) − 3·f(0)) / 6.
    return Fraction(4 * ahead - behind - 3 * here, 6)


def value_of(text):
    return int(text.strip("()").replace("−", "-"))


def check(state, drawn):
    """Everything that choosing each number shows."""
    grids = {grid.name: grid for grid in drawn.grids}
    arrays = {name: np.array(getattr(state, name)) for name in LETTERS}
    hidden = loops.cross_correlate(state.image, state.first_kernel)
    (rows, cols), (k1, k2) = hidden.shape, state.first_kernel.shape
    ((output,),) = loops.cross_correlate(hidden, state.second_kernel)
    slope = 2 * (output - state.target[0, 0])
    for name, array in {**arrays, "hidden": hidden, "output": np.array([[output]])}.items():
        assert dict(zip(grids[name].cells(), sum(grids[name].values, ()), strict=True)) == dict(np.ndenumerate(array))
    assert set(drawn.highlights) == {Selection(name, *at) for name in LETTERS for at in np.ndindex(arrays[name].shape)}

    named = {
        subscripted(letter, n): value
        for letter, array in (
            ("i", state.image),
            ("w¹", state.first_kernel),
            ("o¹", hidden),
            ("w²", state.second_kernel),
        )
        for n, value in enumerate(array.flat, start=1)
    }
    for (name, *at), highlight in drawn.highlights.items():
        right = measured(state, name, tuple(at))
        letter = "y" if name == "target" else subscripted(LETTERS[name], 1 + at[0] * arrays[name].shape[1] + at[1])
        assert highlight.sentence.startswith(f"The derivative ∂C/∂{letter} is {number(right)}: ")
        assert highlight.formula.total.endswith(f" = {number(right)}.")
        if name == "target":
            continue
        # Every path from the number to the output once, with the numbers that stand on it.
        terms = [term for row in highlight.formula.terms for term in row]
        total = 0
        for term in terms:
            values = [named[text] for text in term.symbols.split("·")]
            assert value_of(term.numbers.rpartition("= ")[2]) == np.prod(values)
            if len(values) > 1:
                assert term.numbers.partition(" =")[0] == "·".join(map(factor, values))
            total += int(np.prod(values))
        assert len({term.symbols for term in terms}) == len(terms)
        assert total * slope == right
        assert highlight.formula.notes[0] == f"Central difference of C = (o² − y)²: {number(right)}."
        marks = {mark.grid: mark for mark in highlight.marks}
        if name == "first_kernel":
            window = [(at[0] + r, at[1] + c) for r, c in product(range(rows), range(cols))]
            # The asker's ∂o¹/∂w¹ is the sum of the pixels, the asker's ∂C/∂o¹ the sum of what comes back.
            asked = sum(state.image[pixel] for pixel in window) * sum(w * slope for w in state.second_kernel.flat)
            assert (grids["right"].entry(*at), grids["asked"].entry(*at), grids["difference"].entry(*at)) == (
                *(right, asked, right),
            )
            assert f" = {number(asked)}, " in highlight.formula.notes[1]
            assert ("by chance" in highlight.formula.notes[1]) == (asked == right)
            assert ("not the gradient" in highlight.formula.notes[1]) == (asked != right)
            assert highlight.sentence.endswith(f"the asker's product of sums is {number(asked)}.")
            # The outlined pixels carry the w² that their product has, in its hue.
            pairs = {tuple(term.symbols.split("·")): term.hue for term in terms}
            assert (marks["image"].row, marks["image"].col) == window[0]
            assert pairs == {
                (subscripted("i", 1 + r * state.image.shape[1] + c), tag.text): tag.hue
                for (r, c), tag in zip(window, sum(marks["image"].tags, ()), strict=True)
            }
        elif name == "image":
            reached = {(at[0] - m, at[1] - n) for m, n in np.ndindex(k1, k2)} & set(np.ndindex(rows, cols))
            for grid in ("hidden", "second_kernel"):
                mark = marks[grid]
                assert reached == {(mark.row + r, mark.col + c) for r in range(mark.rows) for c in range(mark.cols)}
            assert len(terms) == len(reached)
        else:
            assert [term.symbols for term in terms] == [letter.replace("w²", "o¹")]
            assert (marks["hidden"].row, marks["hidden"].col) == tuple(at)


def test_the_question_with_its_own_letters():
    drawn = TwoLayerQuestion().view.scene
    highlight = drawn.highlights["first_kernel", 0, 0]
    assert [term.symbols for row in highlight.formula.terms for term in row] == ["i₁·w²₁", "i₂·w²₂", "i₄·w²₃", "i₅·w²₄"]
    assert highlight.formula.heading == "∂C/∂w¹₁  =  ∂o²/∂w¹₁ · 2(o² − y),  where ∂o²/∂w¹₁ is"
    assert re.fullmatch(
        r"The asker: Σ i · Σ w² · 2\(o² − y\) = \S+·\S+·\S+ = \S+, not the gradient\.", highlight.formula.notes[1]
    )
    assert drawn.highlights["second_kernel", 0, 0].formula.notes[1] == "The asker has the same, o¹₁ · 2(o² − y): right."
    assert drawn.highlights["second_kernel", 0, 0].sentence.endswith(": it met o¹₁ alone, and here the asker is right.")


def test_where_all_w2_are_equal_but_one_path_counts_the_two_agree_by_chance():
    drawn = scene(State([[2, 0], [0, 0]], [[1, 1]], [[1], [0]], 5))
    assert drawn.highlights["first_kernel", 0, 0].formula.notes[1].endswith("equal here by chance.")


def test_the_chosen_number_can_be_changed():
    explorer = TwoLayerQuestion()
    (slider,) = (control.widget for control in explorer._controls)
    assert (slider.description, slider.value) == ("w¹₁", 1)
    explorer.select(2, 1, "image")
    assert (slider.description, slider.value) == ("i₈", 0)
    slider.value = -3
    assert explorer.state.image[2, 1] == -3
    explorer.select(0, 0, "target")
    assert (slider.description, slider.value) == ("y", 5)
    slider.value = -9
    assert explorer.state.slope == 2 * (explorer.state.output + 9)
    explorer.update(target=explorer.state.output)
    (handle,) = slider.children
    assert slider.value == handle.value == handle.max == explorer.state.output
    assert {entry for row in grid_of(explorer.view.scene, "right").values for entry in row} == {0}


BAD_INPUT = {
    "text": ({"image": "cat"}, "TwoLayerQuestion: image has entries of type str; expected real numbers"),
    "too large": ({"image": np.ones((3, 6))}, "TwoLayerQuestion: image has shape (3, 6); expected at most 5×5"),
    "second": (
        {"second_kernel": [[1]]},
        "TwoLayerQuestion: second_kernel has shape (1, 1); expected (2, 2). It lies on",
    ),
    "first": ({"first_kernel": np.ones((4, 1))}, "cross_correlate: the kernel or window is 4×1 and does not fit"),
    "target": ({"target": [1, 2]}, "TwoLayerQuestion: target has shape (1, 2); expected (1, 1). It is one number"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        TwoLayerQuestion(**arguments)
    assert str(refused.value).startswith(message)
    explorer = TwoLayerQuestion()
    explorer.update(**arguments)
    assert explorer.message == str(refused.value)
