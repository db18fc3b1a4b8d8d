"""What a picture says, as data."""

from fractions import Fraction

import numpy as np
import pytest

from convbp.pictures.scene import Curve, Formula, Grid, Highlight, Mark, Scene, Selection, rows_of, top


def test_cells_are_counted_from_the_origin_row_by_row():
    grid = Grid("g", "g", ((1, 2, 3), (4, 5, 6)), origin=(-1, 2))
    assert grid.size == (2, 3)
    assert list(grid.cells()) == [(-1, 2), (-1, 3), (-1, 4), (0, 2), (0, 3), (0, 4)]


def test_the_core_is_the_array_and_an_entry_goes_by_its_index():
    grid = Grid("g", "g", ((0, 0, 0), (0, 5, 6)), origin=(-1, 2), core=(0, 3, 1, 2))
    assert [cell for cell in grid.cells() if grid.in_core(*cell)] == [(0, 3), (0, 4)]
    assert (grid.entry(0, 3), grid.entry(-1, 2)) == (5, 0)
    assert all(Grid("g", "g", ((1, 2),), origin=(4, -4)).in_core(4, col) for col in (-4, -3))


@pytest.mark.parametrize(
    "instead", [Grid("a", "a", ((1,),)), Grid("b", "b", ((1, 2),)), Grid("a", "a", ((1, 2),), small=True)]
)
def test_a_grid_in_the_place_of_another_has_its_name_and_size(instead):
    highlight = {Selection("a", 0, 0): Highlight((), Formula(), "", grids=(instead,))}
    with pytest.raises(ValueError, match=r"Scene: the highlight of .* replaces grid .* expected a grid of the scene"):
        Scene("title", ((Grid("a", "a", ((1, 2),)),),), highlight, Selection("a", 0, 0))


def test_the_chosen_cell_can_be_chosen():
    highlights = {Selection("a", 0, 0): Highlight((), Formula(), "")}
    with pytest.raises(ValueError, match=r"Scene: selected is \('a', 0, 2\); expected a cell .* such as \('a', 0, 0\)"):
        Scene("title", ((Grid("a", "a", ((1, 2),)),),), highlights, Selection("a", 0, 2))


def test_the_grids_come_in_reading_order_and_the_sentence_is_the_selected_one():
    a, b, c = (Grid(name, name, ((1,),)) for name in "abc")
    highlights = {
        Selection(name, 0, 0): Highlight((Mark(name, 0, 0),), Formula("", ((),), ""), f"chose {name}") for name in "ac"
    }
    scene = Scene("title", ((a, b), (c,)), highlights, Selection("c", 0, 0))
    assert scene.grids == (a, b, c)
    assert scene.sentence == "chose c"


def test_rows_are_of_python_numbers():
    for array in (np.array([[1, 2, 3]], np.int8), np.array([[0.5, 2]], np.float32), np.array([[True, False]])):
        rows = rows_of(array)
        assert {type(entry) for row in rows for entry in row} <= {int, float, bool}
        assert rows == tuple(map(tuple, array.tolist()))
    assert rows_of(np.array([[Fraction(1, 3), 2]], object)) == ((Fraction(1, 3), 2),)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_a_grid_without_cells_is_refused_in_words(shape):
    with pytest.raises(ValueError, match="Grid: output has no cells; expected values, row by row"):
        Grid("output", "output", rows_of(np.zeros(shape)))


def test_an_axis_ends_at_the_next_round_number():
    ends = sorted(n * 10.0**power for n in (1, 1.5, 2, 3, 4, 5, 6, 8) for power in range(-4, 5))
    for largest in (*np.random.default_rng(1).uniform(0.1, 1, 200) ** 4, *range(1, 101), 1234.5):
        assert top(largest) == pytest.approx(next(end for end in ends if end >= largest * (1 - 1e-12)))
    assert top(0) == 1


def test_a_straight_line_goes_as_far_as_the_axes():
    curve = Curve("c", "c", ((),), across=(-1, 3), up=(0, 2))
    rng = np.random.default_rng(2)
    for x, y, slope in (*rng.uniform(-4, 4, (200, 3)), (0, 1, 0), (7, 2, 0), (0, 0, 0), (0, 2.5, 0), (-3, -1, 0)):
        across = np.linspace(-1, 3, 4001)
        up = y + slope * (across - x)
        seen = (up >= 0) & (up <= 2)
        ends = curve.straight(x, y, slope)
        assert len(ends) == 2 * (seen.sum() > 1)
        if ends:
            near = np.array([np.compress(seen, values)[[0, -1]] for values in (across, up)]).T
            np.testing.assert_allclose(ends, near, atol=1e-3 * max(1, abs(slope)))
            np.testing.assert_allclose([y + slope * (at - x) for at, _ in ends], [high for _, high in ends])
