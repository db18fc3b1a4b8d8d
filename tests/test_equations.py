"""The executable edition: verdicts, checks, counterexamples; proofs with symbols; and that a broken entry is found."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy

import course
import sample
from convbp import loops
from convbp.equations import conventions, equation, equations
from convbp.equations.cases import Blocks, Channels, Layer, random_cases
from convbp.equations.changes import changed, places
from convbp.equations.conventions import ConvolutionLayer
from convbp.equations.entry import CASES, FAILS, HOLDS, NOTHING_OUTSIDE, WITH_A_READING
from convbp.equations.formula import UNDEFINED, Map
from convbp.equations.shown import worth_seeing
from symbolic import SymbolicLayer, is_zero, symbolic_layer

ALL = list(equations())
NAMED = [entry.key for entry in ALL]
SHOWN = [*ALL, *(entry for row in conventions() for entry in row.entries)]

# What the article's readers and this course found, by hand; the code computes it.
VERDICTS = {
    **dict.fromkeys([1, 8, 9, 10, 11, 12, 13, 15, 16, 18], HOLDS),
    **dict.fromkeys(["bias gradient", "max pooling", "average pooling", "L2 pooling"], HOLDS),
    **dict.fromkeys([2, 3, 4, 5, 6, 7, 14, 17, 19, 20, 22], WITH_A_READING),
    **dict.fromkeys(["figure of Eq. 14", 21], FAILS),
}


def test_every_equation_of_the_article_is_there_once():
    assert [entry.number for entry in ALL if entry.number] == list(range(1, 23))
    assert set(NAMED) == set(VERDICTS)
    assert len(NAMED) == len(VERDICTS)


@pytest.mark.parametrize("key", NAMED)
def test_the_verdict(key):
    assert equation(key).verdict == VERDICTS[key]


def test_what_a_formula_gives_is_exact():
    for entry in SHOWN:
        (case,) = random_cases(entry.family, 0, 1)
        for name, form in entry.forms.items():
            for value in (value for side in form.sides[1:] for value in side.table(case).flat):
                assert isinstance(value, int | Fraction) or value is UNDEFINED, (entry.key, name, value)


@pytest.mark.slow
@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize("seed", sample.some(range(1, 10), 1, "seed of the checks"))
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
    assert faulty.has_value(case) == (entry.faulty != NOTHING_OUTSIDE)
    assert all(entry.forms[name].holds(case) for name in entry.relied_on)
    entries = sum(getattr(case, name).array.size for name in entry.vary)
    for smaller in entry.family.in_order(entry.vary):
        if sum(getattr(smaller, name).array.size for name in entry.vary) >= entries:
            break
        assert faulty.holds(smaller)


@pytest.mark.parametrize("key", [key for key in NAMED if VERDICTS[key] == HOLDS and not equation(key).said])
def test_what_holds_has_no_counterexample(key):
    assert equation(key).counterexample is None


@pytest.mark.parametrize("key", [key for key in NAMED if VERDICTS[key] != HOLDS or equation(key).said])
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
    x, (case,) = Fraction(2, 3), random_cases(Layer, 0, 1)
    for degree in range(5):
        slope = degree * x ** (degree - 1 if degree else 0)
        assert case.differentiate(lambda step, degree=degree: (x + step) ** degree) == slope
        both = case.gradient(lambda at, degree=degree: at(0) ** degree + 3 * at(1), Map([x, 5]))
        assert both.tolist() == [slope, 3]


def test_blocks_have_a_derivative_whatever_the_pooling():
    for case in random_cases(Blocks, 0, CASES):
        for block in np.ndindex(case.delta.shape):
            entries = [case.inputs(*place) for place in case.block(*block)]
            root = sympy.sqrt(sum(entry * entry for entry in entries))
            assert root.is_Integer
            assert root > 0
            assert len(set(entries)) == len(entries)


# With symbols for entries, and an f of which nothing is known.


@pytest.fixture(scope="module", params=[(2, 1, 1, 3), (1, 2, 2, 1)], ids=str)
def symbolic(request):
    return symbolic_layer(*request.param)


def test_symbols_are_differentiated_as_such(symbolic):
    assert isinstance(symbolic, SymbolicLayer)
    (moved,) = {symbol for symbol in symbolic.kernel.array.flat if str(symbol) == "w0"}
    assert symbolic.differentiate(lambda step: (moved + step) ** 7) == 7 * moved**6


PROVEN = [key for key in NAMED if key in range(10, 23) or key in ("bias gradient", "figure of Eq. 14")]


@pytest.mark.parametrize("key", PROVEN)
def test_the_forms_to_rely_on_are_proven_for_any_weights_inputs_and_f(key, symbolic):
    entry = equation(key)
    assert entry.relied_on
    for name in entry.relied_on:
        left, *others = entry.forms[name].values(symbolic)
        assert all(is_zero(left, other) for other in others), name


@pytest.mark.parametrize("key", [key for key in PROVEN if VERDICTS[key] == FAILS])
def test_what_does_not_hold_differs_with_symbols_too(key, symbolic):
    left, right = equation(key).printed.values(symbolic)
    assert not is_zero(left, right)


# Both conventions.


@pytest.mark.slow
def test_both_rows_of_the_table_hold():
    for row in conventions():
        for entry in row.entries:
            assert entry.verdict == HOLDS
            assert entry.check(seed=5).passed


def test_the_table_of_both_conventions():
    """Forward and the kernel's gradient; then the way back, first with the turn and then without it."""
    head, line, *rows = [row.strip("| ").split(" | ") for row in conventions()._repr_markdown_().splitlines()]
    assert head == ["forward", r"$\partial E/\partial w$", r"$\partial E/\partial x$ below"]
    assert line == ["---|---|---|---"]
    turned, back = r"\mathrm{rot}_{180^\circ} w", r"\cdot f'(x)"
    assert rows == [
        [
            "cross-correlation forward (Eq. 7; PyTorch, TensorFlow)",
            r"$o \otimes w + b \text{, valid}$ (holds)",
            r"$o \otimes \delta \text{, valid}$ (holds)",
            rf"$(\delta \otimes {turned}) {back} = (\delta * w) {back} \text{{, full}}$ (holds)",
        ],
        [
            "convolution forward (Gwardys)",
            r"$o * w + b \text{, valid}$ (holds)",
            r"$\mathrm{rot}_{180^\circ}(o \otimes \delta) \text{, valid}$ (holds)",
            rf"$(\delta * {turned}) {back} = (\delta \otimes w) {back} \text{{, full}}$ (holds)",
        ],
    ]


def test_the_rows_of_the_table_are_named_as_the_article_s_equations_and_sections():
    sections = {entry.section for entry in ALL}
    for row, convention in zip(conventions(), ("cross-correlation", "convolution"), strict=True):
        assert [entry.title for entry in row.entries] == ["The forward pass", equation(13).title, equation(20).title]
        names = [f"{what}, {convention} forward" for what in ("Forward", "Kernel gradient", "Delta")]
        assert [entry.name for entry in row.entries] == names
        assert {entry.section for entry in row.entries} <= sections


@pytest.mark.parametrize("what", ["forward", "kernel_gradient", "delta"])
def test_to_mix_the_rows_is_wrong(what):
    first, second = (getattr(row, what) for row in conventions())
    for entry, other in ((first, second), (second, first)):
        cases = random_cases(entry.family, 6, 100)
        right = [entry.printed.sides[0].table(case) for case in cases]
        mixed = [other.printed.sides[1].table(case) for case in cases]
        assert sum(np.array_equal(a, b) for a, b in zip(right, mixed, strict=True)) < 40


# A misprint that is mended; all single changes of all formulas are made in test_formula.py.


def mended(entry, printed, choice):
    """The entry with another choice at the place where ``printed`` stands."""
    left, right = entry.printed.sides
    (place,) = (place for place in places(right) if place.latex == printed and choice in place.choices)
    return replace(entry, printed=replace(entry.printed, sides=(left, changed(right, place, choice))))


@pytest.mark.parametrize(
    ("key", "printed", "choice"),
    [
        (22, r"\big(\mathrm{rot}_{180^\circ}\{w^{l+1}\}\big)_{m,n}", "not turned"),
        (22, r"\delta^{l+1}_{i',j'} * \mathrm{rot}_{180^\circ}\{w^{l+1}_{m,n}\}", "the other operation"),
        ("figure of Eq. 14", r"\big(\mathrm{rot}_{180^\circ}\delta^l\big)_{i,j}", "not turned"),
    ],
)
def test_a_misprint_that_is_mended_changes_the_verdict(key, printed, choice):
    entry = mended(equation(key), printed, choice)
    mends = choice == "not turned"  # ⊗ counts from another first entry
    with_zeros = NOTHING_OUTSIDE in entry.forms
    assert replace(entry, tried=()).verdict == ((WITH_A_READING if with_zeros else HOLDS) if mends else FAILS)
    assert entry.printed.latex != equation(key).printed.latex


# What its words say of it. What may be read into it: test_readings.py.


def test_what_is_said_of_an_equation_is_judged_apart_from_its_formula():
    check = equation(9).check(seed=3)
    assert check.counts["as printed"] == check.cases
    assert check.counts["by its name, the mean of the squares"] == 0
    assert check.verdict == HOLDS
    assert "under the wrong name" in repr(check)


# How they show themselves.


LABELS = r"right side(, which has no value)?|line [1-4](, which has no value)?|flipped |mean squared error"


@pytest.mark.parametrize("entry", SHOWN, ids=lambda entry: entry.name)
def test_an_entry_shows_its_forms_its_verdict_and_both_sides(entry):
    page = entry._repr_markdown_()
    assert entry.verdict in page
    assert entry.explanation in page
    assert "None" not in page
    assert page.count("$$") % 2 == 0
    assert page.count(r"\begin") == page.count(r"\end")
    if entry.number:
        assert rf"\tag{{{entry.number}}}" in page
    assert page.count(r"\underbrace") >= 2 * len(worth_seeing(entry))
    assert all(re.fullmatch(LABELS, label) for label in re.findall(r"\\textstyle \\text\{([^}]*)\}", page))
    assert ("boxed" in page) == (entry.verdict != HOLDS or bool(entry.said))
    assert entry.verdict in repr(entry)


@pytest.mark.parametrize(
    ("key", "letters"),
    [
        (3, ["I", "K"]),
        (5, ["I", "K", "b"]),
        (7, ["o^{l-1}", "w^l", "b^l_{ij}"]),
        (9, ["y", "t"]),
        (14, ["o^{l-1}", r"\delta^l"]),
        (20, ["w^{l+1}", r"\delta^{l+1}"]),
    ],
)
def test_the_smallest_case_shows_the_arrays_that_vary_in_it(key, letters):
    smallest = equation(key)._repr_markdown_().split("The smallest case")[1].split("$$")[1]
    assert re.findall(r"(\S+) = ", smallest) == letters


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
    figure = equation("figure of Eq. 14")
    own_turn = next(seed for seed in range(100) if figure.check(seed, 1).counts["as printed"] == 1)
    other = next(seed for seed in range(100) if figure.check(seed, 1).counts["as printed"] == 0)
    assert repr(figure.check(own_turn, 1)).endswith("\nOn this case: Figure of Eq. 14 holds.")
    fails = "Figure of Eq. 14 does not hold as printed: turned once too often."
    assert repr(figure.check(other, 1)).endswith(f"\nOn this case: {fails}")
    assert "\nOn these 3 cases: " in repr(figure.check(1, 3))
    assert repr(figure.check(1)).endswith(f"\n{fails}")


def test_the_table_has_every_entry_with_its_verdict_and_in_bold_what_does_not_hold():
    table = equations()._repr_markdown_().splitlines()[2:]
    assert len(table) == len(ALL)
    for entry, row in zip(ALL, table, strict=True):
        assert entry.name in row
        assert (f" **{entry.verdict}** " if entry.verdict == FAILS else f" {entry.verdict} ") in row
    assert len(repr(equations()).splitlines()) == len(ALL)


@pytest.mark.slow
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
        (0, ValueError, "there is no 0; expected an integer from 1 to 22, or one of '"),
        (0, ValueError, "'figure of Eq. 14'"),
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
