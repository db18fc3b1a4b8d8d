"""EquationLab against the LaTeX that it prints, read and computed here by plain loops that know nothing of its tree."""

import re
from collections import Counter
from functools import cache
from itertools import product

import ipywidgets as widgets
import numpy as np
import pytest

import sample
from controls import control
from convbp.equations.cases import Layer, random_cases
from convbp.equations.changes import boxed, changed, places
from convbp.equations.trials import SQUARE_AND_X, small_cases, trial
from convbp.explorers import EquationLab
from convbp.explorers.equation_lab import State, prepare
from convbp.explorers.states.changed_formula import choices_of, formula_with, named_places
from convbp.notation import number
from convbp.pictures.scene import Selection
from pictures import grid_of, random_layer

EQUATIONS = 13, 20, 21, 22
NAMES = {"δ": "delta", "w": "kernel", "o": "o", "x": "inputs"}


class Read:
    """Arrays that are 0 outside, and a note of every cell that was read."""

    def __init__(self, image, kernel, delta):
        self.arrays = {"o": image, "x": image, "w": kernel, "δ": delta}
        (self.H, self.W), (self.k1, self.k2) = image.shape, kernel.shape
        self.cells = set()

    def at(self, letter, *index):
        array = self.arrays[letter]
        self.cells.add((NAMES[letter], index))
        inside = all(0 <= i < size for i, size in zip(index, array.shape, strict=True))
        return array[index] if inside else 0

    def turned(self, letter, i, j):
        rows, cols = self.arrays[letter].shape
        return self.at(letter, rows - 1 - i, cols - 1 - j)

    def slid(self, operator, part, left, right, i, j):
        """An entry of left ∗ right or left ⊗ right; each is the way of reading a map, and its letter."""
        (rows, cols), (k1, k2) = self.arrays[left[1]].shape, self.arrays[right[1]].shape
        ends = min(rows, k1) - 1, min(cols, k2) - 1
        if operator == "*":
            i, j = (i + ends[0], j + ends[1]) if part == "valid" else (i, j)
            if left[0] == self.turned:  # it is the one that slides
                left, right, (k1, k2) = right, left, (rows, cols)
            return sum(left[0](left[1], i - m, j - n) * right[0](right[1], m, n) for m, n in np.ndindex(k1, k2))
        i, j = (i - k1 + 1, j - k2 + 1) if part == "full" else (i, j)
        return sum(left[0](left[1], i + m, j + n) * right[0](right[1], m, n) for m, n in np.ndindex(k1, k2))


LETTER = r"(?:(\\delta|[wox])\^(?:l|\{l[+-]1\}))"
ROT = r"\\mathrm\{rot\}_\{180\^\\circ\} ?"
TURNED = rf"\\big\({ROT}(?:\\\{{)?{LETTER}(?:\\\}})?\\big\)"
SLID = (
    rf"(?P<left>(?:{ROT}(?:\\\{{)?)?{LETTER})_\{{(?P<index>[^{{}}]*)\}}(?:\\\}})? "
    r"(?:\\overset\{\\text\{(?P<part>\w+)\}\}\{)?(?P<op>\*|\\otimes)\}? "
    rf"(?P<right>(?:{ROT}(?:\\\{{)?)?{LETTER})_\{{[^{{}}]*\}}(?:\\\}})?"
)


def _letter(latex):
    return "δ" if "delta" in latex else re.search(r"[wox](?=\^|$)", latex)[0]


def _map(latex):
    return f"({'turned' if 'rot' in latex else 'at'}, '{_letter(re.sub(ROT, '', latex))}')"


def in_python(latex):
    """The Python of the LaTeX."""
    around = re.fullmatch(rf"{ROT}\\Big\\\{{(.*)\\Big\\\}}(.*)", latex)
    if around:
        inside, after = map(in_python, around.groups())
        return f"(lambda i_, j_: {inside})(H - 1 - i_, W - 1 - j_){after}"
    python = re.sub(
        SLID,
        lambda found: (
            f"slid('{found['op'][-1]}', '{found['part'] or ''}', {_map(found['left'])}, {_map(found['right'])}, "
            f"{found['index']})"
        ),
        latex,
    )
    python = re.sub(rf"{TURNED}_\{{([^{{}}]*)\}}", lambda found: f"turned('{_letter(found[1])}', {found[2]})", python)
    python = re.sub(rf"{LETTER}_\{{([^{{}}]*)\}}", lambda found: f"at('{_letter(found[1])}', {found[2]})", python)
    for sign, written in (("f'", "slope"), (r"\big", ""), (r"\,", "*"), ("k_1", "k1"), ("k_2", "k2")):
        python = python.replace(sign, written)
    python = re.sub(r"(?<=[ijmn])'(?=[-+,)= *}]|$)", "_", python)
    opened = python.count(r"\sum")
    *sums, term = re.split(r"(?<=\}) ?(?=\\sum)|(?<=\}) (?!\\sum)", python, maxsplit=opened) if opened else [python]
    for one in reversed(sums):
        index, first, last = re.fullmatch(r"\\sum_\{(\w+)=(.+?)\}\^\{(.+?)\}", one).groups()
        term = f"sum({term} for {index} in range({first}, {last} + 1))"
    return term


@cache
def compiled(latex):
    return compile(in_python(latex), latex, "eval")


def entry(latex, image, kernel, delta, index, activation=SQUARE_AND_X):
    """The value of one entry of what is printed, and the cells that it reads."""
    read = Read(image, kernel, delta)
    names = {name: getattr(read, name) for name in ("at", "turned", "slid", "H", "W", "k1", "k2")}
    first, second = index
    names |= {"i_": first, "j_": second, "m_": first, "n_": second, "f": activation, "slope": activation.slope}
    return eval(compiled(latex), names), read.cells


def gradient(key, image, kernel, delta, f=SQUARE_AND_X):
    """∂E/∂w for Eq. 13, and ∂E/∂x below for the others, by the products of the forward pass."""
    found = np.zeros(kernel.shape if key == 13 else image.shape, object)
    for (i, j), (m, n) in product(np.ndindex(delta.shape), np.ndindex(kernel.shape)):
        if key == 13:
            found[m, n] += delta[i, j] * image[i + m, j + n]
        else:
            found[i + m, j + n] += delta[i, j] * kernel[m, n] * f.slope(image[i + m, j + n])
    return found


def some_changes(rng, key, how_many):
    changes = ()
    for _ in range(how_many):
        possible = named_places(formula_with(key, changes))
        place = str(rng.choice(list(possible)))
        changes = (*changes, (place, str(rng.choice(list(choices_of(possible[place]))))))
    return changes


def has_value(latex):
    """Whether the side of a star that is not turned, or the left one, has i′ and j′: not if only the left is turned."""
    found = re.match(SLID, latex)
    return not found or "rot" not in found["left"] or "rot" in found["right"]


def random_state(rng):
    key = int(rng.choice(EQUATIONS))
    changes = some_changes(rng, key, rng.integers(3))
    while not has_value(formula_with(key, changes).latex):
        changes = some_changes(rng, key, 1)
    place = str(rng.choice(list(named_places(formula_with(key, changes)))))
    return State(key, changes, *random_layer(rng), place=place)


def one_x(latex):
    """Whether x stands in f or f′, and nowhere else."""
    return latex.count("x^l") == 1 == len(re.findall(rf"f'?(\\big)?\((\\big\({ROT})?(\\{{)?x", latex))


def slope(latex):
    """f′ of f(x) = x² + x, or f if it stands in its place."""
    return (lambda x: 2 * x + 1) if "f'" in latex else (lambda x: x * x + x)


def check(state, drawn):
    """Everything that choosing each entry shows."""
    latex, arrays = formula_with(state.equation, state.changes).latex, (state.image, state.kernel, state.delta)
    grids = {grid.name: grid for grid in drawn.grids}
    right = gradient(state.equation, *arrays)
    assert set(drawn.highlights) == {Selection("value", *cell) for cell in np.ndindex(right.shape)}
    for (_, *cell), highlight in drawn.highlights.items():
        value, cells = entry(latex, *arrays, cell)
        assert grids["value"].entry(*cell) == value
        assert grids["nudged"].entry(*cell) == right[tuple(cell)]
        tag = grids["value"].tags[cell[0]][cell[1]]
        assert (tag is not None) == (value != right[tuple(cell)])
        verdict = "equal" if value == right[tuple(cell)] else "not equal"
        said = f": formula {number(value)}, central difference {number(right[tuple(cell)])}: {verdict}."
        assert highlight.formula.total.endswith(said)
        terms = [term.numbers.rpartition(" = ")[2] for row in highlight.formula.terms for term in row]
        assert sum(int(term.replace("−", "-")) for term in terms) == value
        marked = {
            (mark.grid, (mark.row + r, mark.col + c), mark.style)
            for mark in highlight.marks
            for r, c in np.ndindex(mark.rows, mark.cols)
        }
        read = {(name, at) for name, at, _ in marked if name not in ("value", "nudged", "slope")}
        assert read == cells or not terms
        applied = {at for name, at, _ in marked if name == "slope"}
        assert applied == ({at for name, at in read if name == "inputs"} if one_x(latex) else applied)
        assert all(grids["slope"].entry(*at) == slope(latex)(grids["inputs"].entry(*at)) for at in applied)
        assert all((style == "faint") != grids[name].in_core(*at) for name, at, style in marked)
    assert drawn.highlights[drawn.selected].sentence.startswith(f"Eq. {state.equation} ")


def assert_it_fails_there(key, latex, failure):
    case = failure.case
    arrays = case.inputs.array, case.kernel.array, case.delta.array
    assert entry(latex, *arrays, failure.index, case.f)[0] == failure.value
    assert gradient(key, *arrays, case.f)[failure.index] == failure.right != failure.value
    assert max(case.delta.shape) <= 2, "a small case would do"


@pytest.mark.parametrize(("key", "place"), [(13, "i"), (20, "i' - m"), (21, "j' + n"), (22, "m")])
def test_a_formula_that_fails_does_so_in_a_small_layer(key, place):
    """The first choice at each of a few places: another index, or another sign."""
    formula = formula_with(key, ())
    at = next(one for one in places(formula) if one.latex == place)
    after = changed(formula, at, next(iter(at.choices)))
    found = trial(key, after)
    assert found.defined
    assert found.equal < found.cases == 200
    assert_it_fails_there(key, after.latex, found.failure)


@pytest.mark.parametrize("one", ["kernel", "inputs"])
def test_small_layers_have_a_single_1_in_each_of_two_arrays_and_the_smallest_come_first(one):
    cases = small_cases(one, "delta")
    sizes = [getattr(case, one).array.size + case.delta.array.size for case in cases]
    assert sizes == sorted(sizes)
    counted = Counter()
    for case in cases:
        for name in (one, "delta"):
            *zeros, last = sorted(getattr(case, name).array.ravel().tolist())
            assert (set(zeros), last) in (({0}, 1), (set(), 1))
        if one == "kernel":
            inputs = case.inputs.array.ravel().tolist()
            assert inputs in ([0] * len(inputs), list(range(len(inputs))))
            assert [case.f.slope(x) for x in range(3)] == [1, 3, 5]
        else:
            assert not case.kernel.array.any()
        counted[case.kernel.shape, case.delta.shape] += 1
    pairs = list(product((1, 2), repeat=2))
    assert set(counted) == set(product(pairs, repeat=2))
    for ((k1, k2), (rows, cols)), times in counted.items():
        each = k1 * k2 if one == "kernel" else (rows + k1 - 1) * (cols + k2 - 1)
        with_both_inputs = 2 if one == "kernel" else 1
        assert times == each * rows * cols * with_both_inputs


@pytest.mark.slow
@pytest.mark.parametrize("key", EQUATIONS)
def test_of_every_change_it_says_truly_whether_the_equation_still_holds(key):
    """A failure is one by plain loops, and so is each equality, on 8 random layers."""
    formula = formula_with(key, ())
    held = 0
    for place in places(formula):
        for choice in place.choices:
            after = changed(formula, place, choice)
            found = trial(key, after)
            if not has_value(after.latex):
                assert not found.defined
                continue
            assert found.defined
            assert (found.equal == found.cases) == (found.failure is None)
            if found.failure:
                assert_it_fails_there(key, after.latex, found.failure)
            else:
                held += 1
                rng = np.random.default_rng(3)
                for _ in range(8):
                    arrays = random_layer(rng)
                    right = gradient(key, *arrays)
                    assert [
                        entry(after.latex, *arrays, cell)[0] for cell in np.ndindex(right.shape)
                    ] == right.ravel().tolist()
    assert held == {13: 4, 20: 4, 21: 0, 22: 1}[key]  # sums that only go further into the zeros; and no turn


def test_the_counts_are_those_of_plain_loops():
    rng = sample.rng("counts")
    for key in EQUATIONS:
        formula = formula_with(key, some_changes(rng, key, 1))
        if not has_value(formula.latex):
            continue
        count = 0
        for case in random_cases(Layer, 0, 200):
            image = case.o if key == 13 else case.inputs
            arrays = image.array, case.kernel.array, case.delta.array
            right = gradient(key, *arrays, case.f)
            cells = np.ndindex(right.shape)
            count += all(entry(formula.latex, *arrays, cell, case.f)[0] == right[cell] for cell in cells)
        assert trial(key, formula).equal == count


@pytest.mark.slow
def test_a_reader_mends_eq_22_and_eq_21_by_the_lists():
    lab = EquationLab(22)
    assert lab.state.place == next(iter(named_places(lab.state.formula)))
    assert "Equal in 200 of 200" not in repr(lab)
    place, there = control(lab, description="place"), control(lab, description="stands there")
    place.value = "(rot180{w})(m, n)"
    there.value = "w(m, n)"
    assert "Equal in 200 of 200" in repr(lab)
    assert grid_of(lab.view.scene, "nudged").title == "= central difference"
    assert lab.state.place == "w(m, n)", "the place stays, whatever stands there"
    control(lab, description="Take back").click()
    assert lab.state.changes == ()
    place.value = "δ(i′, j′) ∗ rot180{w(m, n)}"
    there.value = "δ(i′, j′) ⊗ rot180{w(m, n)}"
    assert "Equal in 200 of 200" not in repr(lab)
    there.value = "δ(i′, j′) ⊗ (full) rot180{w(m, n)}"
    assert "Equal in 200 of 200" in repr(lab)
    control(lab, widgets.ToggleButtons).value = 21
    assert lab.state.changes == ()
    for at, choice in (("rot180{", "not turned"), ("i′ + m", "i′ − m"), ("j′ + n", "j′ − n")):
        assert "Equal in 200 of 200" not in repr(lab)
        place.value = next(name for name in place.options if name.startswith(at) and "·f" not in name)
        there.value = choice
    assert "Equal in 200 of 200" in repr(lab)


def test_a_change_and_back_again_is_no_change():
    lab = EquationLab(20, [("i′ − m in δ", "i′ + m")])
    place, there = control(lab, description="place"), control(lab, description="stands there")
    place.value = "i′ + m in δ"
    there.value = "i′ − m"
    assert (lab.state.changes, lab.state.place) == ((), "i′ − m in δ")
    there.value = ""
    assert lab.state.changes == ()


def test_the_line_is_typeset_from_the_formula_with_a_box_around_the_place():
    lab = EquationLab(20)
    line = control(lab, description="formula")
    assert line.value.startswith(
        r"$\displaystyle \frac{\partial E}{\partial x^l_{i',j'}} = \boxed{\sum_{m=0}^{k_1-1}}\sum"
    )
    control(lab, description="place").value = "i′ − m in δ"
    assert r"\delta^{l+1}_{\boxed{i'-m},j'-n}" in line.value
    control(lab, description="stands there").value = "i′ + m"
    assert r"\delta^{l+1}_{\boxed{i'+m},j'-n}" in line.value
    for key in EQUATIONS:
        formula = formula_with(key, ())
        for place in places(formula):
            assert re.sub(r"\\boxed\{(.*)\}", r"\1", boxed(formula, place), count=1).count("{") == formula.latex.count(
                "{"
            )


def test_a_symmetric_kernel_hides_the_mistake_in_the_picture_and_not_in_the_verdict():
    lab = EquationLab(22, kernel=[[1, 2, 3], [3, 2, 1]])
    assert grid_of(lab.view.scene, "nudged").title == "= central difference"
    assert "equal. Equal in 9 of 200 random layers." in repr(lab)


def test_where_nothing_is_rounded_floats_are_equal_too():
    lab = EquationLab(
        20, image=[[0.1, 0.2, 0.3], [1.7, -0.4, 0.9]], kernel=[[0.1, 0.7]], delta=[[0.3, -1.1], [0.2, 0.6]]
    )
    assert grid_of(lab.view.scene, "nudged").title == "= central difference"


BAD_INPUT = {
    "equation": ({"equation": 12}, "EquationLab: equation is 12; expected 13, 20, 21 or 22."),
    "text": ({"changes": "i"}, "EquationLab: changes is 'i'; expected pairs such as"),
    "place": (
        {"changes": [("q", "i")]},
        "EquationLab: changes has no place 'q' to change; expected 'Σ[m = 0 … k₁ − 1]', ",
    ),
    "choice": (
        {"changes": [("i′ − m in δ", "i")]},
        "EquationLab: changes has 'i' for i′ − m in δ; expected 'i′ + m'.",
    ),
    "delta": ({"delta": [[1]]}, "EquationLab: delta has shape (1, 1); expected (1, 2). δ has one entry for each"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_drawn_is_refused_in_one_line(arguments, message):
    with pytest.raises((TypeError, ValueError)) as refused:
        EquationLab(**arguments)
    assert str(refused.value).startswith(message)
    lab = EquationLab()
    lab.update(**arguments)
    assert lab.message == str(refused.value)


def test_the_first_picture_has_nothing_to_try_that_was_not_prepared():
    prepare()
    before = trial.cache_info().misses
    EquationLab()
    assert trial.cache_info().misses == before
