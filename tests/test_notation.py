"""How numbers and indices are written, case by case and read back."""

import doctest
from fractions import Fraction

import numpy as np
import pytest

from convbp import notation
from convbp.notation import factor, number, subscripted

WRITTEN = [
    (0, "0"),
    (-3, "−3"),
    (12345678, "12345678"),
    (-(2**70), "−1180591620717411303424"),
    (True, "1"),
    (Fraction(2, 3), "2/3"),
    (Fraction(-4, 2), "−2"),
    (Fraction(1, 10**12), "1/1000000000000"),
    (0.1 + 0.2, "0.3"),
    (2.0, "2"),
    (-1234.5678, "−1235"),
    (0.0001, "0.0001"),
    (-0.000123456, "−0.0001235"),
    (0.0, "0"),
    (-0.0, "0"),
    (-1e-7, "−1e−7"),
    (1e-20, "1e−20"),
    (5e-324, "4.941e−324"),
    (123456.0, "1.235e5"),
    (99999.5, "1e5"),
    (1e100, "1e100"),
    (np.int8(-5), "−5"),
    (np.uint8(200), "200"),
    (np.int64(2**62), "4611686018427387904"),
    (np.float32(0.1), "0.1"),
    (np.float64(-0.0), "0"),
]


@pytest.mark.parametrize(("value", "text"), WRITTEN)
def test_a_number_is_written_as_a_reader_expects_it(value, text):
    assert number(value) == text


def test_a_number_reads_back_as_itself_or_within_its_four_digits():
    rng = np.random.default_rng(0)
    for value in (rng.standard_normal(500) * 10.0 ** rng.integers(-12, 13, 500)).tolist():
        text = number(value)
        digits = text.partition("e")[0].lstrip("−0.").replace(".", "")
        assert float(text.replace("−", "-")) == pytest.approx(value, rel=5.1e-4)
        assert len(digits) <= 4
    for value in rng.integers(-(2**62), 2**62, 100).tolist():
        exact = Fraction(value, 2**30)
        assert Fraction(number(exact).replace("−", "-")) == exact


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (-3, "(−3)"), (Fraction(1, 2), "(1/2)"), (Fraction(-1, 2), "(−1/2)"), (1e-7, "1e−7"), (-0.0, "0")],
)
def test_a_factor_has_brackets_where_a_product_needs_them(value, text):
    assert factor(value) == text


@pytest.mark.parametrize(
    ("index", "text"), [((0, 2), "K₀₂"), ((10, 0), "K₁₀,₀"), ((-1, 2), "K₋₁,₂"), ((3,), "K₃"), ((1, 2, 3, 4), "K₁₂₃₄")]
)
def test_an_index_stands_below_the_line_and_can_be_told_apart(index, text):
    assert subscripted("K", *index) == text


def test_the_examples_in_the_docstrings_hold():
    results = doctest.testmod(notation)
    assert results.attempted >= 2
    assert results.failed == 0
