"""The rule for readings; and the counts of the errata, once more in plain loops that know no formula."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from convbp.equations import equation, equations, meanings_of_the_star, quick_tests, rule_of_thumb, tried
from convbp.equations.cases import Channels, Layer, random_cases
from convbp.equations.conventions import ConvolutionLayer
from convbp.equations.entry import CASES, FAILS, HOLDS, NOTHING_OUTSIDE, SEED, WITH_A_READING
from convbp.equations.formula import UNDEFINED
from convbp.equations.readings import CORRECTION, NOT_A_READING, PRINTED, READING, Meaning, kind


def at(array, r, c):
    return array[r][c] if 0 <= r < len(array) and 0 <= c < len(array[0]) else 0


def size(array):
    return len(array), len(array[0])


def turned(array):
    return [row[::-1] for row in array[::-1]]


def plus(array, bias):
    return [[entry + bias for entry in row] for row in array]


def grid(rows, cols, entry):
    return [[entry(r, c) for c in range(cols)] for r in range(rows)]


def convolved(a, b, part="full"):
    """Every entry of a meets every entry of b, at the sum of their places."""
    (H, W), (k1, k2) = size(a), size(b)
    out = [[0] * (W + k2 - 1) for _ in range(H + k1 - 1)]
    for r, c in np.ndindex(H, W):
        for m, n in np.ndindex(k1, k2):
            out[r + m][c + n] += a[r][c] * b[m][n]
    if part == "full":
        return out
    top, left = min(H, k1) - 1, min(W, k2) - 1
    return [row[left : len(row) - left] for row in out[top : len(out) - top]]


def correlated(a, b, part="valid"):
    """b laid on a as it is: inside of it only, or wherever they touch."""
    (H, W), (k1, k2) = size(a), size(b)
    over = (k1 - 1, k2 - 1) if part == "full" else (0, 0)
    rows, cols = (abs(s - k) + 1 + 2 * o for s, k, o in zip((H, W), (k1, k2), over, strict=True))
    if part == "full":
        rows, cols = H + k1 - 1, W + k2 - 1

    def entry(i, j):
        return sum(at(a, i - over[0] + m, j - over[1] + n) * b[m][n] for m, n in np.ndindex(k1, k2))

    return grid(rows, cols, entry)


class Loops:
    """A layer in lists: its map and its gradients by following every link from an input to an output."""

    def __init__(self, case, flips=False):
        self.o, self.w, self.delta = (array.array.tolist() for array in (case.o, case.kernel, case.delta))
        self.image, self.bias, self.biases = case.inputs.array.tolist(), case.bias, case.biases.array.tolist()
        self.slope = [[case.f.slope(x) for x in row] for row in self.image]
        (H, W), (k1, k2), (rows, cols) = size(self.o), size(self.w), size(self.delta)
        self.x = [[self.bias] * cols for _ in range(rows)]
        self.by_w, self.by_o = [[0] * k2 for _ in range(k1)], [[0] * W for _ in range(H)]
        for i, j in np.ndindex(rows, cols):
            for m, n in np.ndindex(k1, k2):
                r, c = (i + k1 - 1 - m, j + k2 - 1 - n) if flips else (i + m, j + n)
                self.x[i][j] += self.o[r][c] * self.w[m][n]
                self.by_w[m][n] += self.delta[i][j] * self.o[r][c]
                self.by_o[r][c] += self.delta[i][j] * self.w[m][n]

    def back(self, below):
        """Whether the map, times f′, is ∂E/∂x below."""
        return all(
            (one - right) * slope == 0
            for row in zip(below, self.by_o, self.slope, strict=True)
            for one, right, slope in zip(*row, strict=True)
        )


@cache
def layers(flips=False):
    family = ConvolutionLayer if flips else Layer
    return [Loops(case, flips) for case in random_cases(family, SEED, CASES)]


def count(holds, flips=False):
    return sum(map(holds, layers(flips)))


def column(table, name):
    return {row: counts[table.head.index(name)] for row, counts in table.rows.items()}


# The rule.


def test_what_is_tried_is_what_the_rule_says():
    entry = equation(3)
    kinds = [kind(form, entry.printed) for form in entry.tried]
    assert kinds == [READING, NOT_A_READING, NOT_A_READING, CORRECTION]
    assert entry.readings == entry.tried[:1]
    assert kind(entry.printed, entry.printed) == PRINTED
    for one in equations():
        for form in one.tried:
            same = form.latex == one.printed.latex
            assert same or kind(form, one.printed) == CORRECTION
            assert form.meanings or not same, "a reading has a meaning that it reads"
        assert one.corrected is None or kind(one.corrected, one.printed) == CORRECTION


def test_the_verdict_follows_from_the_rule():
    for key in (3, 22):
        entry = equation(key)
        assert entry.verdict == WITH_A_READING
        nowhere = tuple(
            replace(form, meanings=tuple(replace(one, used="") for one in form.meanings)) for form in entry.tried
        )
        assert replace(entry, tried=nowhere).verdict == FAILS, "a meaning that the article has nowhere is no reading"
    right = equation(21).corrected
    assert replace(equation(21), tried=(right,)).verdict == FAILS, "other symbols are no reading"
    named = replace(equation(21).printed, sides=right.sides)
    assert replace(equation(21), tried=(replace(named, meanings=(Meaning("so", "Eq. 0"),)),)).verdict == FAILS


def test_every_star_gets_the_same_two_meanings():
    for entry in equations():
        if entry.printed is None or entry.number in (2, 3) or " * " not in entry.printed.latex:
            continue
        words = {meaning.words for form in entry.readings for meaning in form.meanings}
        assert {"∗ is the convolution of Eq. 2", "∗ is the cross-correlation of Eq. 1"} <= words, entry.key


def test_zeros_outside_have_one_price_for_all():
    reads = {entry.key for entry in equations() if NOTHING_OUTSIDE in entry.forms}
    assert reads == {2, 3, 6, 14, 17, 20, 21, 22}
    assert not [key for key in reads if equation(key).verdict == HOLDS]
    # By hand: at (0, 0) Eq. 17 and 20 read δ at (−m, −n), and Eq. 2 reads I there.
    case = random_cases(Layer, SEED, 1)[0]
    for key in (2, 17, 20):
        entry = equation(key)
        assert entry.verdict == WITH_A_READING
        assert entry.printed.holds(case)
        assert entry.forms[NOTHING_OUTSIDE].values(case)[1][0, 0] is UNDEFINED
    assert NOTHING_OUTSIDE not in equation(16).forms  # its Q is made of places of the map


@pytest.mark.slow
def test_words_count_against_none():
    for key, verdict in ((9, HOLDS), (7, WITH_A_READING), (19, WITH_A_READING)):
        entry = equation(key)
        assert entry.said
        assert not set(entry.said) & entry.holding
        assert entry.verdict == verdict == replace(entry, said={}).verdict
    flipped = count(lambda layer: correlated(layer.o, layer.w) == convolved(layer.o, layer.w, "valid"))
    assert equation(7).check().counts["by the words before it, the kernel is flipped"] == flipped < CASES


# The counts, in plain loops.


def test_eq_3_by_loops():
    def sum_3(layer, kernel, places, limits=None):
        def entry(i, j):
            k1, k2 = size(layer.w)
            (a, b), (c, d) = limits or ((0, k1), (0, k2))
            around = ((m, n) for m in range(a, b) for n in range(c, d))
            return sum(at(layer.image, i + m, j + n) * kernel(m, n) for m, n in around)

        return grid(*places, entry)

    def valid(layer):
        return convolved(layer.image, layer.w, "valid")

    def flipped(layer):
        return sum_3(layer, lambda m, n: turned(layer.w)[m][n], size(valid(layer))) == valid(layer)

    def as_python(layer):
        return sum_3(layer, lambda m, n: layer.w[-m][-n], size(valid(layer))) == valid(layer)

    def centred(layer, printed=True):
        (k1, k2), (H, W) = size(layer.w), size(layer.image)
        if not (k1 % 2 and k2 % 2):
            return False
        r1, r2 = k1 // 2, k2 // 2
        right = [row[r2 : r2 + W] for row in convolved(layer.image, layer.w)[r1 : r1 + H]]
        limits = None if printed else ((-r1, r1 + 1), (-r2, r2 + 1))
        return sum_3(layer, lambda m, n: at(layer.w, r1 - m, r2 - n), (H, W), limits) == right

    def as_printed(layer):
        full = convolved(layer.image, layer.w)
        return sum_3(layer, lambda m, n: at(layer.w, -m, -n), size(full)) == full

    entry = equation(3)
    wanted = [count(flipped), count(as_python), count(centred), count(lambda layer: centred(layer, False))]
    assert [entry.count(form) for form in entry.tried] == wanted
    assert entry.count(entry.printed) == count(as_printed)
    assert wanted[0] == CASES > max(wanted[1:])


def test_eq_21_by_loops():
    def sums(layer, kernel, border=False):
        k1, k2 = size(kernel)
        top, left = (k1 - 1, k2 - 1) if border else (0, 0)

        def entry(i, j):
            return sum(at(layer.delta, i - top + m, j - left + n) * kernel[m][n] for m, n in np.ndindex(k1, k2))

        return grid(*size(layer.image), entry)

    wanted = [
        count(lambda layer: layer.back(turned(sums(layer, layer.w, border=True)))),
        count(lambda layer: layer.back(sums(layer, layer.w))),
        count(lambda layer: layer.back(sums(layer, layer.w, border=True))),
        count(lambda layer: layer.back(sums(layer, turned(layer.w)))),
    ]
    entry = equation(21)
    assert [entry.count(form) for form in entry.tried] == wanted
    assert entry.count(entry.corrected) == count(lambda one: one.back(sums(one, turned(one.w), border=True))) == CASES
    assert max(wanted) < CASES


@pytest.mark.parametrize("flips", [False, True])
def test_the_meanings_of_the_star_by_loops(flips):
    def of(slide):
        return {
            "Eq. 5": count(lambda one: slide(one.image, one.w) == correlated(one.image, one.w)),
            "Eq. 6": count(lambda one: plus(slide(one.o, turned(one.w)), one.bias) == one.x, flips),
            "Eq. 14": count(lambda one: slide(one.o, turned(one.delta)) == one.by_w, flips),
            "Eq. 22": count(lambda one: one.back(slide(one.delta, turned(one.w), "full")), flips),
            "Eq. 7": count(lambda one: plus(correlated(one.o, one.w), one.bias) == one.x, flips),
            "Eq. 13": count(lambda one: correlated(one.o, one.delta) == one.by_w, flips),
            "Eq. 20": count(lambda one: one.back(convolved(one.delta, one.w)), flips),
        }

    table = meanings_of_the_star()
    rows = [row for row in table.rows if ("flips (" in row) == flips]
    assert len(rows) == 2
    for row in rows:
        slide = correlated if "cross-correlation" in row else lambda a, b, part="valid": convolved(a, b, part)
        for name, wanted in of(slide).items():
            assert column(table, name)[row] == wanted, (row, name)


def test_eq_4_by_loops():
    def added(case, d, slide):
        image, kernel = case.inputs.array, case.kernel.array
        maps = [slide(image[..., c].tolist(), kernel[..., c, d].tolist(), "valid") for c in range(kernel.shape[2])]
        return np.sum(np.array(maps), axis=0).tolist()

    def holds(case, slide):
        return all(added(case, d, slide) == added(case, d, correlated) for d in range(case.kernel.shape[3]))

    for row, counted in column(meanings_of_the_star(), "Eq. 4").items():
        slide = correlated if "cross-correlation" in row else convolved
        assert counted == sum(holds(case, slide) for case in random_cases(Channels, SEED, CASES))


def test_no_single_reading_makes_all_hold():
    table = meanings_of_the_star()
    assert len(table.rows) == 4
    starred = {f"Eq. {key}" for key in (4, 5, 6, 14, 22)}
    holding = [set(table.holding(row)) & starred for row in table.rows]
    assert holding == [{"Eq. 6", "Eq. 14"}, {"Eq. 4", "Eq. 5", "Eq. 22"}, {"Eq. 22"}, {"Eq. 4", "Eq. 5", "Eq. 6"}]


def test_the_rule_of_thumb_by_loops():
    def right(slide):
        return (
            count(lambda one: plus(slide(one.o, one.w, "valid"), one.bias) == one.x),
            count(lambda one: slide(one.o, one.delta, "valid") == one.by_w),
            count(lambda one: one.back(slide(one.delta, one.w, "full"))),
        )

    assert tuple(rule_of_thumb().rows.values()) == (right(correlated), right(convolved))
    assert [rule_of_thumb().holding(row) for row in rule_of_thumb().rows] == [("Eq. 6", "Eq. 14"), ("Eq. 22",)]


@pytest.mark.slow
def test_which_quick_test_hides_which_mistake():
    table = quick_tests()
    hidden = {row: set(table.holding(row)) for row in table.rows}
    assert hidden["a kernel of ones"] == {"Eq. 22"}
    assert hidden["a 1×1 kernel"] == {"Eq. 3", "Eq. 22"}
    assert hidden["δ of ones"] == hidden["δ equal to its own rot180"] == {"Figure of Eq. 14"}
    assert hidden["random numbers"] == set()
    assert "Eq. 21" not in set().union(*hidden.values())


@pytest.mark.slow
def test_a_quick_test_by_loops():
    ones = column(quick_tests(), "Eq. 22")["a kernel of ones"], column(quick_tests(), "Eq. 3")["a kernel of ones"]
    found = [0, 0]
    for case in random_cases(Layer, SEED, CASES):
        one = Loops(case.with_arrays(kernel=np.ones(case.kernel.shape, int)))
        found[0] += one.back(convolved(one.delta, turned(one.w)))
        full = convolved(one.image, one.w)
        found[1] += full == grid(*size(full), lambda i, j, one=one: at(one.image, i, j) * one.w[0][0])
    assert list(ones) == found == [CASES, 0]


# How they show themselves.


def test_the_table_of_what_was_tried_has_every_form_once():
    entry = equation(3)
    rows, meanings = tried(3)._repr_markdown_().split("\n\n")
    assert len(rows.splitlines()) == 2 + len(entry.forms)
    for form in entry.forms.values():
        assert f"{entry.count(form)} of {CASES}" in rows.replace("*", "")
    assert meanings.count("**nowhere**") == 2
    assert {one.key for one in tried()} >= {2, 3, 4, 5, 6, 7, 9, 14, 17, 19, 20, 21, 22}


@pytest.mark.parametrize(("key", "reads_outside"), [(3, True), (9, False), (17, True)])
def test_zeros_outside_are_named_as_a_reading_with_their_place_in_the_article(key, reads_outside):
    rows, meanings = tried(key)._repr_markdown_().split("\n\n")
    assert rows.count(" | 0 outside an array | reading | ") == reads_outside
    assert meanings.count("| 0 outside an array | Eq. 16: ") == reads_outside


def test_a_table_of_counts_says_the_same_in_both_forms():
    table = rule_of_thumb()
    for counts in table.rows.values():
        for number in map(str, counts):
            assert number in repr(table)
            assert number in table._repr_markdown_()
    assert len(repr(table).splitlines()) == 1 + len(table.rows)
    assert table._repr_markdown_().count(f"**{CASES}**") == 3
