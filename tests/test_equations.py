"""The executable edition: verdicts, checks, counterexamples; proofs with symbols; and that a broken entry is found."""

import inspect
import re
import types
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy

import course
from convbp import loops
from convbp.equations import conventions, equation, equations
from convbp.equations import deltas as deltas_module
from convbp.equations import forward as forward_module
from convbp.equations import kernel_gradient as kernel_gradient_module
from convbp.equations import pooling as pooling_module
from convbp.equations import sliding as sliding_module
from convbp.equations.cases import Blocks, Channels, Layer, Map, random_cases
from convbp.equations.conventions import ConvolutionLayer
from convbp.equations.entry import CASES, FAILS, HOLDS, WITH_A_READING, Side, Statement

ALL = list(equations())
NAMED = [entry.key for entry in ALL]

# What the article's readers and this course found, by hand; the code computes it.
VERDICTS = {
    **dict.fromkeys([1, 2, 8, 10, 11, 12, 13, 15, 16, 17, 18, 20], HOLDS),
    **dict.fromkeys(["bias gradient", "max pooling", "average pooling", "L2 pooling"], HOLDS),
    **dict.fromkeys([4, 5, 6, 7, 9, 14, 19], WITH_A_READING),
    **dict.fromkeys([3, "figure of Eq. 14", 21, 22], FAILS),
}


def test_every_equation_of_the_article_is_there_once():
    assert [entry.number for entry in ALL if entry.number] == list(range(1, 23))
    assert set(NAMED) == set(VERDICTS)
    assert len(NAMED) == len(VERDICTS)


@pytest.mark.parametrize("key", NAMED)
def test_the_verdict(key):
    assert equation(key).verdict == VERDICTS[key]


@pytest.mark.slow
@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_check_passes_on_fresh_cases(key, seed):
    check = equation(key).check(seed=seed)
    assert check.passed
    assert check.cases == CASES >= 200
    assert f"seed {seed}" in repr(check)
    assert equation(key).judged in repr(check)


@pytest.mark.parametrize("family", [Layer, ConvolutionLayer, Channels])
def test_random_cases_have_no_two_sizes_that_a_mistake_could_exchange(family):
    cases = random_cases(family, 0, CASES)
    for case in cases:
        (H, W, *_), (k1, k2, *_) = case.inputs.shape, case.kernel.shape
        assert H != W
        assert k1 != k2
        assert all(isinstance(value, int) for value in case.kernel.array.flat)
    assert len({(case.inputs.shape, case.kernel.shape) for case in cases}) > 8


@pytest.mark.parametrize("key", [key for key in NAMED if VERDICTS[key] != HOLDS])
def test_the_counterexample_is_one_and_no_smaller_case_is(key):
    entry = equation(key)
    case, faulty = entry.counterexample, entry.forms[entry.faulty]
    assert not faulty.holds(case)
    assert faulty.has_value(case)
    assert all(entry.forms[name].holds(case) for name in entry.relied_on)
    entries = sum(getattr(case, name).array.size for name in entry.vary)
    for smaller in entry.family.in_order(entry.vary):
        if sum(getattr(smaller, name).array.size for name in entry.vary) >= entries:
            break
        assert faulty.holds(smaller)


@pytest.mark.parametrize("key", [key for key in NAMED if VERDICTS[key] == HOLDS])
def test_what_holds_has_no_counterexample(key):
    assert equation(key).counterexample is None


@pytest.mark.parametrize("key", [key for key in NAMED if VERDICTS[key] != HOLDS])
def test_a_condition_under_which_it_happens_to_hold_is_given_and_met_by_cases_that_are_not_trivial(key):
    entry = equation(key)
    assert entry.forms[entry.faulty].conditions
    for form in entry.forms.values():
        for condition in form.conditions:
            met = [condition.meet(case) for case in random_cases(entry.family, 3, 100)]
            assert all(map(form.holds, met))
            assert sum(bool(np.any(form.values(case)[0] != 0)) for case in met) > 80


def test_the_left_sides_are_what_the_loops_of_the_layer_say():
    for case in random_cases(Layer, 4, 50):
        o, delta, w = (
            case.o.array[None, ..., None],
            case.delta.array[None, ..., None],
            case.kernel.array[..., None, None],
        )
        slopes = np.array([[case.f.slope(x) for x in row] for row in case.inputs.array])
        np.testing.assert_array_equal(
            case.error_by_kernel, loops.conv2d_kernel_gradient(o, delta, case.kernel.shape)[..., 0, 0]
        )
        np.testing.assert_array_equal(case.error_by_bias, loops.conv2d_bias_gradient(delta))
        below = loops.conv2d_input_gradient(delta, w, case.inputs.shape)[0, ..., 0]
        np.testing.assert_array_equal(case.error_by_inputs, below * slopes)


def test_the_derivative_is_exact_for_polynomials_up_to_degree_four():
    x = Map([Fraction(2, 3)])
    for degree in range(5):
        found = random_cases(Layer, 0, 1)[0].derivative(lambda at, degree=degree: at(0) ** degree, x, 0)
        assert found == degree * Fraction(2, 3) ** (degree - 1 if degree else 0)


def test_blocks_have_a_derivative_whatever_the_pooling():
    for case in random_cases(Blocks, 0, CASES):
        for i in case.places[0]:
            for j in case.places[1]:
                entries = [case.inputs(*place) for place in case.block(i, j)]
                root = sympy.sqrt(sum(entry * entry for entry in entries))
                assert root.is_Integer
                assert root > 0
                assert len(set(entries)) == len(entries)


# With symbols for entries, and an f of which nothing is known.


class AnyFunction:
    """f with f′, both unspecified."""

    def __init__(self):
        self.f = sympy.Function("f")

    def __call__(self, x):
        return self.f(x)

    def slope(self, x):
        argument = sympy.Dummy()
        return self.f(argument).diff(argument).subs(argument, x).doit()


class SymbolicLayer(Layer):
    """A layer whose entries are symbols; its derivatives are taken by sympy."""

    def derivative(self, function, at, *index):
        moved = sympy.Dummy()
        changed = np.asarray(function(at.with_entry(index, moved)), dtype=object)
        derived = np.empty(changed.shape, dtype=object)
        for place, expression in np.ndenumerate(changed):
            derived[place] = sympy.diff(expression, moved).subs(moved, at(*index)).doit()
        return derived if derived.shape else derived[()]

    @property
    def target(self):
        return Map(_symbols("t", self.x.shape))


def _symbols(letter, shape):
    return np.array(sympy.symbols(f"{letter}:{int(np.prod(shape))}")).reshape(shape)


@pytest.fixture(scope="module", params=[(2, 1, 1, 3), (1, 2, 2, 1)], ids=str)
def symbolic(request):
    """δ is x − t, which is ∂E/∂x; so nothing is put in by hand."""
    shapes = Layer.shapes(*request.param)
    letters = {"inputs": "a", "kernel": "w", "biases": "b", "delta": "d"}
    arrays = {name: Map(_symbols(letter, shapes[name])) for name, letter in letters.items()}
    case = SymbolicLayer(**arrays, f=AnyFunction())
    return SymbolicLayer(**arrays | {"delta": Map(case.x.array - case.target.array)}, f=case.f)


def _zero(left, right):
    return left.shape == right.shape and all(
        sympy.expand(a - b) == 0 for a, b in zip(left.flat, right.flat, strict=True)
    )


PROVEN = [key for key in NAMED if key in range(10, 23) or key in ("bias gradient", "figure of Eq. 14")]


@pytest.mark.parametrize("key", PROVEN)
def test_the_forms_to_rely_on_are_proven_for_any_weights_inputs_and_f(key, symbolic):
    entry = equation(key)
    assert entry.relied_on
    for name in entry.relied_on:
        left, *others = entry.forms[name].values(symbolic)
        assert all(_zero(left, other) for other in others), name


@pytest.mark.parametrize("key", [key for key in PROVEN if VERDICTS[key] == FAILS])
def test_what_does_not_hold_differs_with_symbols_too(key, symbolic):
    left, right = equation(key).printed.values(symbolic)
    assert not _zero(left, right)


# Both conventions.


def test_both_rows_of_the_table_hold_and_say_so():
    for row in conventions():
        for entry in row.entries:
            assert entry.verdict == HOLDS
            assert entry.check(seed=5).passed
    assert conventions()._repr_markdown_().count("(holds)") == 6


@pytest.mark.parametrize("what", ["forward", "kernel_gradient", "delta"])
def test_to_mix_the_rows_is_wrong(what):
    first, second = (getattr(row, what) for row in conventions())
    for entry, other in ((first, second), (second, first)):
        cases = random_cases(entry.family, 6, 100)
        right = [entry.printed.sides[0].value(case) for case in cases]
        mixed = [side.value(case) for case in cases for side in other.printed.sides[1:2]]
        assert sum(np.array_equal(a, b) for a, b in zip(right, mixed, strict=True)) < 40


# Each entry is broken on purpose.

BROKEN = [
    (1, sliding_module, "_eq1", "I(i + m, j + n)", "I(i - m, j + n)"),
    (1, sliding_module, "_eq1", "K(m, n)", "K(n, m)"),
    (2, sliding_module, "_eq2", "j - n", "j + n"),
    (2, sliding_module, "_eq2", "i - m", "i - m + 1"),
    (3, sliding_module, "_eq3_corrected", "range(-(k1 - 1), 1)", "range(-(k1 - 1), 0)"),
    (3, sliding_module, "_eq3_corrected", "range(-(k2 - 1), 1)", "range(-k2 + 2, 1)"),
    (4, sliding_module, "_eq4", "K(m, n, c, d)", "K(m, n, d, c)"),
    (4, sliding_module, "_eq4", "b(d)", "b(0)"),
    (4, sliding_module, "_eq4", "I(i + m, j + n, c)", "I(i - m, j + n, c)"),
    (4, sliding_module, "_eq4_one_filter", "d: 0", "d: 1"),
    (5, sliding_module, "_eq5", "+ case.bias", ""),
    (6, forward_module, "_eq6_valid", "k1 - 1", "0"),
    (6, forward_module, "_eq6", "case.kernel.rot180()", "case.kernel"),
    (7, forward_module, "_eq7", "o(i + m, j + n)", "o(i + n, j + m)"),
    (7, forward_module, "eq7_one_bias", "case.bias", "-case.bias"),
    (8, forward_module, "_activated_as_polynomial", "case.x.array", "case.x.array[::-1]"),
    (9, forward_module, "_eq9", "Fraction(1, 2)", "1"),
    (9, forward_module, "_eq9", "range(P)", "range(P - 1)"),
    (9, forward_module, "_mean_squared_error", "misses * misses", "misses"),
    (10, kernel_gradient_module, "_eq10", "error_by_x(i, j)", "error_by_x(j, i)"),
    (10, kernel_gradient_module, "_eq10", "by(i, j, m, n)", "by(i, j, m, 0)"),
    (11, kernel_gradient_module, "_eq11", "case.o(i + m, j + n)", "case.o(i, j + n)"),
    (12, kernel_gradient_module, "_eq12_expanded", "case.o(i + m, j + n)", "case.o(i + m, j - n)"),
    (12, kernel_gradient_module, "_eq12_survivor", "w(m, n)", "w(0, n)"),
    (12, kernel_gradient_module, "_eq12", "i + m", "i - m"),
    (13, kernel_gradient_module, "eq13", "case.delta(i, j)", "case.delta.rot180()(i, j)"),
    (13, kernel_gradient_module, "eq13", "j + n", "j + n + 1"),
    (14, kernel_gradient_module, "_eq14", "case.delta.rot180()", "case.delta"),
    (14, kernel_gradient_module, "_eq14_valid", "rows - 1", "rows"),
    ("figure of Eq. 14", kernel_gradient_module, "eq13", "case.delta", "case.delta.rot180()"),
    ("bias gradient", kernel_gradient_module, "_sum_of_deltas", "case.delta", "case.o"),
    (15, deltas_module, "_delta", "case.delta", "case.delta.rot180()"),
    (16, deltas_module, "_eq16", "row + 1", "row"),
    (16, deltas_module, "_eq16", "col - k2 + 1", "col - k1 + 1"),
    (17, deltas_module, "_eq17", "error_by_x(i - m, j - n)", "error_by_x(i + m, j - n)"),
    (17, deltas_module, "_eq17", "by(i - m, j - n, i, j)", "by(i - m, j - n, j, i)"),
    (18, deltas_module, "_eq18", "case.f(x(", "(x("),
    (18, deltas_module, "_eq18", "i - m + a", "i - m - a"),
    (19, deltas_module, "_eq19_mended", "i - m + 0", "0 - m + 0"),
    (19, deltas_module, "_eq19_line", "(m, n, i, j)", "(m, n, i, 0)"),
    (19, deltas_module, "_eq19_survivor", "case.kernel(m, n)", "case.kernel(0, n)"),
    (19, deltas_module, "_eq19_factor", "x(i, j)", "x(i, 0)"),
    (19, deltas_module, "eq19", "case.f.slope", "case.f"),
    (20, deltas_module, "eq20", "δ(i - m, j - n)", "δ(i + m, j + n)"),
    (20, deltas_module, "eq20", "* case.f.slope(case.inputs(i, j))", ""),
    (21, deltas_module, "eq21_corrected", "case.kernel.rot180()", "case.kernel"),
    (21, deltas_module, "eq21_corrected", "(k1 - 1)", "k1"),
    (22, deltas_module, "eq21_corrected", "(k2 - 1)", "(k1 - 1)"),
    (22, deltas_module, "eq20", "w(m, n)", "w(n, m)"),
    ("max pooling", pooling_module, "_max_rule", "max(", "min("),
    ("average pooling", pooling_module, "_average_rule", "case.N * case.N", "case.N"),
    ("L2 pooling", pooling_module, "_l2_rule", "case.inputs(*pixel)", "1"),
]


def changed(module, function, old, new):
    """The entries of a module in which one function has been changed."""
    source = inspect.getsource(module)
    start = re.search(rf"^def {function}\(", source, re.MULTILINE).start()
    assert old in inspect.getsource(getattr(module, function))
    broken = types.ModuleType(module.__name__)
    broken.__package__ = module.__package__
    exec(compile(source[:start] + source[start:].replace(old, new, 1), module.__file__, "exec"), broken.__dict__)
    return {entry.key: entry for entry in broken.EQUATIONS}


@pytest.mark.parametrize(("key", "module", "function", "old", "new"), BROKEN, ids=lambda value: str(value)[:40])
def test_a_broken_entry_is_found(key, module, function, old, new):
    assert not changed(module, function, old, new)[key].check(seed=7, cases=40).passed


def test_every_entry_has_been_broken():
    assert {key for key, *_ in BROKEN} == set(NAMED)


def test_a_misprint_that_is_mended_changes_the_verdict():
    entry = changed(deltas_module, "eq22_printed", "turned(m, n)", "case.kernel(m, n)")[22]
    assert entry.verdict == HOLDS
    entry = changed(kernel_gradient_module, "_figure_14", "turned(i, j)", "case.delta(i, j)")["figure of Eq. 14"]
    assert entry.verdict == HOLDS


# What may be read into an equation.


def _printed(entry):
    return " ".join(side.latex for side in entry.printed.sides)


TURN, STAR = r"\mathrm{rot}_{180^\circ}", " * "
BESIDE_A_TURN = [entry for entry in ALL if entry.printed and TURN in _printed(entry) and STAR in _printed(entry)]


def reads_the_star_as_a_convolution(entry, reading):
    """Whether the right side of a reading is a part of the full convolution, which the loops compute."""
    for case in random_cases(Layer, 8, 20):
        o, w, delta = case.o.array, case.kernel.array, case.delta.array
        slopes = np.array([[case.f.slope(x) for x in row] for row in case.inputs.array])
        whole, times, plus = {
            6: (loops.convolve(w[::-1, ::-1], o, mode="full"), 1, case.bias),
            14: (loops.convolve(delta[::-1, ::-1], o, mode="full"), 1, 0),
            22: (loops.convolve(delta, w[::-1, ::-1], mode="full"), slopes, 0),
        }[entry.key]
        right = reading.values(case)[1]
        rows, cols = (whole.shape[axis] - right.shape[axis] + 1 for axis in (0, 1))
        parts = [whole[i:, j:][: right.shape[0], : right.shape[1]] for i in range(rows) for j in range(cols)]
        if not any(np.array_equal(part * times + plus, right) for part in parts):
            return False
    return True


def test_a_star_beside_a_turn_is_not_read_as_a_cross_correlation():
    assert [entry.key for entry in BESIDE_A_TURN] == [6, 14, 22]
    for entry in BESIDE_A_TURN:
        assert all(reads_the_star_as_a_convolution(entry, reading) for reading in entry.readings)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (6, lambda case: loops.cross_correlate(case.o.array, case.kernel.array[::-1, ::-1]) + case.bias),
        (14, lambda case: loops.cross_correlate(case.o.array, case.delta.array[::-1, ::-1])),
        (22, deltas_module.eq21_corrected),
    ],
)
def test_a_reading_that_breaks_this_rule_would_be_found(key, value):
    """The ⊗ of Eq. 22 makes it hold, and is no reading all the same; that of Eq. 6 and 14 is wrong besides."""
    entry = equation(key)
    left, right = entry.printed.sides
    reading = Statement((left, Side(right.latex, value)))
    assert not reads_the_star_as_a_convolution(entry, reading)
    assert (replace(entry, readings=(reading,)).verdict == WITH_A_READING) == (key == 22)


def test_what_is_said_of_an_equation_is_judged_apart_from_its_formula():
    check = equation(9).check(seed=3)
    assert check.counts["as printed"] == check.cases
    assert check.counts["by its name, the mean of the squares"] == 0
    assert check.verdict == WITH_A_READING
    assert replace(equation(9), said={}).verdict == HOLDS
    mended = changed(forward_module, "_mean_squared_error", "Fraction(1, len(misses))", "Fraction(1, 2)")[9]
    assert mended.verdict == HOLDS


# How they show themselves.


@pytest.mark.parametrize("key", NAMED)
def test_an_entry_shows_its_forms_its_verdict_and_both_sides(key):
    entry = equation(key)
    page = entry._repr_markdown_()
    assert entry.verdict in page
    assert entry.explanation in page
    assert page.count("$$") % 2 == 0
    assert page.count(r"\begin") == page.count(r"\end")
    if entry.number:
        assert rf"\tag{{{key}}}" in page
    assert page.count(r"\underbrace") >= 2 * len(entry.forms)
    assert ("boxed" in page) == (entry.verdict != HOLDS)
    assert entry.verdict in repr(entry)


def test_what_is_boxed_is_what_differs():
    numbers = equation(22)._repr_markdown_().split("As printed")[1].split("$$")[1]
    left, right = re.findall(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", numbers)
    printed = equation(22).printed.values(equation(22).example)
    for text, array in ((left, printed[0]), (right, printed[1])):
        found = [
            [re.sub(r"\\boxed\{(.*)\}", r"\1", cell.strip()) for cell in row.split("&")] for row in text.split(r"\\")
        ]
        assert found == [[str(value) for value in row] for row in array.tolist()]
    boxed = np.array([["boxed" in cell for cell in row.split("&")] for row in right.split(r"\\")])
    np.testing.assert_array_equal(boxed, printed[0] != printed[1])


def test_what_has_no_value_says_so_and_channels_and_filters_are_told_apart():
    page = equation(4)._repr_markdown_()
    printed, corrected = page.split("**As printed**")[1].split("**With a reading**")[0], page.split("**Corrected**")[1]
    assert r"\text{right side, which has no value}" in printed
    assert "no value" not in corrected.split("smallest case")[0]
    assert r"I_{c=2} =" in page
    assert r"K_{c=2,\ d=3} =" in page
    assert (
        r"\text{line 1, which has no value}" not in equation(19)._repr_markdown_()
    )  # it has some, where nothing is linked
    assert r"\boxed{?}" in equation(19)._repr_markdown_()


@pytest.mark.parametrize("key", [key for key in NAMED if VERDICTS[key] != HOLDS])
def test_the_example_shows_every_fault(key):
    entry = equation(key)
    faulty = [form for name, form in entry.forms.items() if name not in entry.relied_on]
    assert faulty
    assert not any(form.holds(entry.example) for form in faulty)


def test_eq_9_is_shown_as_it_is_printed_and_its_name_apart():
    page = equation(9)._repr_markdown_()
    assert r"E = \tfrac12 \sum_p (t_p - y_p)^2 \tag{9}" in page
    printed, name = page.split("**As printed**")[1].split("**By its name, the mean of the squares**")
    assert r"\neq" not in printed
    assert r"\text{mean squared error} = " in name
    assert "The smallest case in which it fails by its name" in name


def test_the_last_line_of_a_check_comes_from_its_own_cases():
    own_turn = next(seed for seed in range(100) if equation(22).check(seed, 1).counts["as printed"] == 1)
    other = next(seed for seed in range(100) if equation(22).check(seed, 1).counts["as printed"] == 0)
    assert repr(equation(22).check(own_turn, 1)).endswith("\nOn this case: Eq. 22 holds.")
    assert repr(equation(22).check(other, 1)).endswith("\nOn this case: Eq. 22 does not hold as printed: turned twice.")
    assert "\nOn these 3 cases: " in repr(equation(22).check(1, 3))
    assert repr(equation(22).check(1)).endswith("\nEq. 22 does not hold as printed: turned twice.")


def test_the_table_has_every_entry_with_its_verdict():
    table = equations()._repr_markdown_().splitlines()[2:]
    assert len(table) == len(ALL)
    for entry, row in zip(ALL, table, strict=True):
        assert entry.name in row
        assert entry.verdict in row
    assert len(repr(equations()).splitlines()) == len(ALL)


def test_the_table_says_nothing_twice():
    for row in equations()._repr_markdown_().splitlines()[2:]:
        *_, what, _ = row.split(" |")
        fault, mend = (set(pairwise(part.replace(",", "").split())) for part in f"{what};".split(";", 1))
        assert not fault & mend, what


def test_the_readme_shows_what_a_check_says():
    readme = (Path(course.ROOT) / "README.md").read_text(encoding="utf-8")
    assert f"equation(22).check(seed=1)\n```\n\n```text\n{equation(22).check(seed=1)}\n```" in readme


def test_the_readme_shows_what_its_expansion_says():
    section = (Path(course.ROOT) / "README.md").read_text(encoding="utf-8").split("## The equations, judged")[1]
    *_, code = re.findall(r"```python\n(.*?)\n```", section.split("\n## ")[0], re.DOTALL)
    *_, text = re.findall(r"```text\n(.*?)\n```", section.split("\n## ")[0], re.DOTALL)
    *lines, last = code.splitlines()
    scope = {}
    exec("\n".join(lines), scope)
    assert repr(eval(last, scope)) == text


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (0, ValueError, "there is no 0; expected an integer from 1 to 22, or one of 'figure of Eq. 14'"),
        (23, ValueError, "there is no 23"),
        ("bias", ValueError, "'bias gradient'"),
        (True, TypeError, "the key is True"),
        (2.0, TypeError, "the key is 2.0"),
        (None, TypeError, "the key is None"),
    ],
)
def test_a_key_that_is_none(key, error, words):
    with pytest.raises(error, match=re.escape(words)):
        equation(key)


def test_names_are_found_however_they_are_capitalised_and_numbers_of_numpy_too():
    assert equation("l2 pooling") is equation("L2 pooling")
    assert equation("eq. 22 ") is equation("22") is equation(22)
    assert all(equation(entry.name) is equation(entry.key) is entry for entry in ALL)
    assert equation(np.int64(22)) is equation(22)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"seed": -1}, ValueError, "seed is -1; expected 0 or more"),
        ({"seed": "1"}, TypeError, "seed is '1'; expected an integer"),
        ({"cases": 0}, ValueError, "cases is 0; expected 1 or more"),
        ({"cases": 2.5}, TypeError, "cases is 2.5"),
        ({"cases": True}, TypeError, "cases is True"),
    ],
)
def test_a_check_that_cannot_be_run(arguments, error, words):
    with pytest.raises(error, match=re.escape(words)):
        equation(1).check(**arguments)
