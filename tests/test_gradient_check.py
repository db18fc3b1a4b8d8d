"""Central differences, kinks, comparisons and the adjoint test, on functions whose answers are known."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from checks import what_it_says
from convbp import adjoint_test, central_difference, check_gradient, compare_gradients, find_kinks, loops, relu, tanh

AT = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])


def cubes(x):
    return (np.arange(1, 7).reshape(2, 3) * x**3).sum()


def test_central_difference_of_cubes():
    expected = 3 * np.arange(1, 7).reshape(2, 3) * AT**2
    np.testing.assert_allclose(central_difference(cubes, AT), expected, rtol=1e-9)


def test_central_difference_of_a_square_is_exact():
    """Up to rounding, of which there is none for a step that is a power of two."""
    assert central_difference(lambda x: (x**2).sum(), AT, step=0.5).tolist() == (2 * AT).tolist()


def test_integers_and_fractions_are_taken_as_floats():
    for at in [1, 2], [Fraction(1), Fraction(2)]:
        slopes = central_difference(lambda x: (x**2).sum(), at, step=0.5)
        assert slopes.dtype == np.float64
        assert slopes.tolist() == [2, 4]


def test_without_a_step_it_grows_with_the_entry():
    """Up to 1000 it is 10⁻⁵, bit for bit; at 10²⁰ that would be lost in rounding."""
    for large in 1e20, -1e11, 1e4, 10**200:
        np.testing.assert_allclose(central_difference(lambda x: (3 * x).sum(), [large]), [3], rtol=1e-7)
        assert not find_kinks(lambda x: 3 * x, large)
    at = np.array([-1000, -1.5, 0, 1e-9, 30, 1000])
    for function in central_difference, find_kinks:
        by_default, as_said = function(lambda x: (x**3).sum(), at), function(lambda x: (x**3).sum(), at, 1e-5)
        assert by_default.tolist() == as_said.tolist()


def test_a_step_that_is_exact_is_not_lost_however_small_beside_the_entry():
    slopes = central_difference(lambda x: (3 * (x - 2.0**53)).sum(), [2.0**53 - 8, 2.0**53 - 16], step=1)
    assert slopes.tolist() == [3, 3]
    assert central_difference(lambda x: x - 1e8, 1e8, step=1e-5) == pytest.approx(1, rel=1e-2)


@pytest.mark.parametrize("function", [central_difference, find_kinks])
def test_the_step_that_a_lost_one_is_told_is_large_enough(function):
    at = np.array([[1.0, -3e12], [7e20, 2e-5]])
    said = what_it_says(ValueError, function, lambda x: (3 * x).sum(), at, 1e-3)
    step = float(said.split("step=")[1].rstrip("."))
    assert step == 7e12
    function(lambda x: (3 * x).sum(), at, step)


def test_the_point_is_not_changed_even_by_a_function_that_changes_its_argument():
    at = AT.copy()

    def rude(x):
        value = cubes(x)
        x[:] = 99
        return value

    np.testing.assert_array_equal(central_difference(rude, at), central_difference(cubes, at))
    np.testing.assert_array_equal(at, AT)


def test_kinks_of_relu():
    """At the kink, and as near as the step on both sides; not two steps away."""
    at = np.array([0.0, 3e-6, -3e-6, 7e-6, -7e-6, 2e-5, -2e-5, 1.0])
    marked = find_kinks(lambda x: relu(x).sum(), at)
    assert marked.tolist() == [True] * 5 + [False] * 3


def test_kinks_of_max_pooling():
    """A tie is a kink for those that tie, not for the others."""
    at = np.array([[1.0, 4.0], [4.0, 2.0]])
    marked = find_kinks(lambda x: loops.max_pool2d(x[None, :, :, None], 2).output.item(), at)
    assert marked.tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("smooth", [np.square, np.exp, np.sin, lambda x: x**3, lambda x: 1e3 * x**2])
def test_smooth_functions_have_no_kinks(smooth):
    assert not find_kinks(lambda x: smooth(x).sum(), np.array([-1.0, 0.0, 1e-6, 0.5, 2.0])).any()


@pytest.mark.parametrize(
    ("slope", "kink", "marked"), [(1.05, 0.75, True), (1.0, 0.75, False), (0.8, 0.4, True), (0.6, 0.4, False)]
)
def test_a_kink_beside_the_point_is_one_from_the_tolerance_on(slope, kink, marked):
    """With slope s from c on and steps 1 and ½, the difference changes by s(1 − c)/2 for c ≥ ½, by s/5 for c = 0.4."""
    for side in (1, -1):
        assert find_kinks(lambda x, side=side: slope * relu(side * x - kink).sum(), [0.0], 1, 0.1) == marked


@pytest.mark.parametrize(("jump", "marked"), [(1.05, True), (1.0, False)])
def test_a_jump_of_the_slope_is_a_kink_if_half_the_step_leaves_three_quarters_of_it(jump, marked):
    """Of jump·|x| + x², the slopes differ by 2·jump + 2h."""
    assert find_kinks(lambda x: (jump * np.abs(x) + x**2).sum(), [0.0], 1) == marked


@pytest.mark.parametrize(("slope", "marked"), [(0.105, False), (0.12, True)])
def test_the_steeper_side_says_how_large_a_jump_may_be(slope, marked):
    """Up to a tenth of 1 + slope, which is 0.1105 and 0.112."""
    for side in (1, -1):
        assert find_kinks(lambda x, side=side: slope * relu(side * x).sum(), [0.0], 1, 0.1) == marked


def test_a_step_is_refused_if_either_way_loses_more_than_a_tenth_of_it():
    """From 2⁵² on floats are 1 apart, below it a half."""
    assert central_difference(np.sum, 2.0**52, 1.105) == pytest.approx(2 / 2.21)
    for at in (2.0**52, -(2.0**52)):
        with pytest.raises(ValueError, match=r"at is -?4\.5036e\+15, where rounding"):
            central_difference(np.sum, at, 0.5)
    with pytest.raises(ValueError, match=r"at\[1\] is 0\.5, where rounding"):
        central_difference(np.sum, [0.0, 0.5], 1e-20)
    assert not find_kinks(np.sum, [2.0**53 - 4], 2)  # half of this step is not lost


def test_an_error_between_the_steps_names_the_function_that_was_called():
    for function in central_difference, find_kinks:
        with pytest.raises(ValueError, match=rf"^{function.__name__}: function\("):
            function(lambda x: 0.0 if x[0] == 1 else np.nan, [1.0])


def test_comparison_finds_the_worst_entry():
    computed = AT.copy()
    computed[1, 0] += 0.002
    computed[0, 1] += 0.001
    report = compare_gradients(computed, AT)
    assert report.index == (1, 0)
    assert (report.computed, report.expected) == (1.002, 1.0)
    assert report.relative_error == pytest.approx(0.001)  # 0.002 of the largest entry, which is 2
    assert not report.agrees
    assert repr(report) == (
        "DIFFERS: worst at [1, 0], computed 1.002, expected 1, relative error 1.0e-03 (tolerance 1e-06)"
    )


def test_comparison_of_equals():
    assert compare_gradients(AT, AT, tolerance=0).agrees
    assert compare_gradients(AT, AT + 1e-7, tolerance=1e-6).agrees
    assert not compare_gradients(AT, AT + 1e-7, tolerance=1e-8).agrees
    assert compare_gradients([0, 0], [0.0, 0.0]).relative_error == 0
    for one, other in ([[1, 100.0], [1, 1.0]], [[1, 1.0], [1, 100.0]]):
        assert compare_gradients(one, other).relative_error == 0.99  # the largest entry may stand in either
    assert repr(compare_gradients(AT, AT)).startswith("agrees: worst at [0, 0]")


def test_either_gradient_is_named_if_it_is_none():
    for name, gradients in {"computed": (["a"], [1.0]), "expected": ([1.0], ["a"])}.items():
        with pytest.raises(TypeError, match=f"^compare_gradients: {name} has entries of type"):
            compare_gradients(*gradients)


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(np.float64).max, reason="long doubles are float64 here")
@pytest.mark.parametrize("name", ["computed", "expected"])
def test_what_is_too_large_for_float64_is_named(name):
    given = {"computed": np.ones(2), "expected": np.ones(2), name: np.array([1, np.longdouble("1e400")])}
    with pytest.raises(ValueError, match=rf"^compare_gradients: {name}, in float64, has an entry that is NaN or inf"):
        compare_gradients(**given)


def test_adjoint_of_a_matrix_is_its_transpose():
    matrix = np.array([[1, 2, 3], [4, 5, 6]])
    right = adjoint_test(lambda x: matrix @ x, lambda y: matrix.T @ y, (3,))
    assert right.agrees
    assert repr(right) == f"agrees: <A x, y> = {right.left}, <x, A^T y> = {right.right}"
    wrong = adjoint_test(lambda x: matrix @ x, lambda y: matrix.T[::-1] @ y, (3,))
    assert not wrong.agrees
    assert repr(wrong) == f"DIFFERS: <A x, y> = {wrong.left}, <x, A^T y> = {wrong.right}"


def test_one_pair_that_differs_is_enough():
    calls = []

    def wrong_once(y):
        calls.append(y)
        return y + (len(calls) == 2)

    assert not adjoint_test(lambda x: x, wrong_once, (3,)).agrees


def test_adjoint_test_takes_five_pairs_of_integers_up_to_nine_unless_told_otherwise():
    pairs = []

    def same(array):
        pairs.append(array)
        return array

    adjoint_test(same, same, (1000,))
    assert len(pairs) == 2 * 5
    assert {(array.min(), array.max()) for array in pairs} == {(-9, 9)}
    adjoint_test(same, same, (1000,), seed=0)
    np.testing.assert_array_equal(pairs[:10], pairs[10:])


def test_adjoint_test_takes_what_numpy_gives_for_integers():
    shape, count = np.ones((3, 2)).shape, np.int64(2)
    assert adjoint_test(lambda x: x, lambda y: y, shape, trials=count, seed=count, tolerance=np.float32(0)).agrees
    assert adjoint_test(lambda x: x, lambda y: y, [count, 3]).agrees
    assert adjoint_test(lambda x: x, lambda y: y, ()).agrees


def test_adjoint_test_is_exact():
    """One in 10²⁰ is seen; and forgiven if asked."""
    large = 10**20

    def off_by_one(y):
        return (y.astype(object) * large + 1).astype(object)

    def forward(x):
        return x.astype(object) * large

    assert adjoint_test(forward, lambda y: y.astype(object) * large, (4,)).agrees
    assert not adjoint_test(forward, off_by_one, (4,)).agrees
    assert adjoint_test(forward, off_by_one, (4,), tolerance=1e-12).agrees


BAD_CALLS = {
    "float32 point": (
        (central_difference, cubes, AT.astype(np.float32)),
        TypeError,
        "at is of float32; expected float64, as in fewer digits a difference of two close values is mostly "
        "rounding error. Compute in float64: at.astype(np.float64), and parameters likewise.",
    ),
    "float32 function": (
        (central_difference, lambda x: np.float32(cubes(x)), AT),
        TypeError,
        "function(at) is of float32; expected float64",
    ),
    "function of many values": (
        (central_difference, np.square, AT),
        ValueError,
        "function(at) has shape (2, 3); expected one number. Sum it, or weight it with a delta",
    ),
    "function of no number": (
        (find_kinks, lambda x: np.nan, AT),
        ValueError,
        "function(at) has an entry that is NaN or infinite; expected finite numbers.",
    ),
    "function of text": (
        (central_difference, lambda x: "a", AT),
        TypeError,
        "function(at) has entries of type str; expected real numbers",
    ),
    "step 0": ((central_difference, cubes, AT, 0), ValueError, "step is 0; expected a positive number"),
    "step NaN": ((find_kinks, cubes, AT, np.nan), ValueError, "step is nan; expected a positive number"),
    "step of text": (
        (central_difference, cubes, AT, "a"),
        TypeError,
        "step is 'a'; expected a positive number that is",
    ),
    "step infinite": ((find_kinks, cubes, AT, np.inf), ValueError, "step is inf; expected a positive number that is"),
    "step beyond floats": ((central_difference, cubes, AT, 10**400), ValueError, "step is 1000000000"),
    "step lost": (
        (central_difference, cubes, [[1.0, 1e20]], 1e-5),
        ValueError,
        "at[0, 1] is 1e+20, where rounding to float64 changes a step of 1e-05 by more than a tenth; expected a larger "
        "step, for example step=1e+12.",
    ),
    "step half lost": (
        (central_difference, np.sum, -1e11, 1e-5),
        ValueError,
        "at is -1e+11, where rounding to float64",
    ),
    "half a step lost": ((find_kinks, np.sum, [2.0**53 - 4], 1), ValueError, "at[0] is 9.0072e+15, where rounding"),
    "tolerance of kinks 0": (
        (find_kinks, cubes, AT, 1e-5, 0),
        ValueError,
        "tolerance is 0; expected a positive number",
    ),
    "tolerance of kinks none": (
        (find_kinks, cubes, AT, 1e-5, None),
        TypeError,
        "tolerance is None; expected a positive",
    ),
    "tolerance of text": (
        (compare_gradients, AT, AT, "a"),
        TypeError,
        "tolerance is 'a'; expected a positive number or 0 that is finite, for example tolerance=1e-5.",
    ),
    "tolerance NaN": (
        (compare_gradients, AT, AT, np.nan),
        ValueError,
        "tolerance is nan; expected a positive number or",
    ),
    "tolerance infinite": (
        (compare_gradients, AT, AT, np.inf),
        ValueError,
        "tolerance is inf; expected a positive numb",
    ),
    "tolerance negative": (
        (compare_gradients, AT, AT, -1),
        ValueError,
        "tolerance is -1; expected a positive number or",
    ),
    "empty": ((central_difference, cubes, []), ValueError, "at is empty, its shape is (0,); expected at least one"),
    "shapes": (
        (compare_gradients, AT, AT.T),
        ValueError,
        "computed has shape (2, 3); expected (3, 2). A gradient has the shape of its variable.",
    ),
    "NaN": ((compare_gradients, AT * np.nan, AT), ValueError, "computed has an entry that is NaN or infinite"),
    "backward of another shape": (
        (adjoint_test, lambda x: x, lambda y: y[:2], (3,)),
        ValueError,
        "backward(y) has shape (2,); expected (3,). The backward pass returns a gradient for what the "
        "forward pass takes.",
    ),
}


@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        ({"trials": 0}, ValueError, "trials is 0; expected at least 1."),
        ({"trials": 2.0}, TypeError, "trials is 2.0; expected an integer, for example trials=8."),
        ({"seed": -1}, ValueError, "seed is -1; expected at least 0."),
        ({"seed": "a"}, TypeError, "seed is 'a'; expected an integer"),
        (
            {"shape": "ab"},
            TypeError,
            "shape is 'ab'; expected a tuple of integers, for example (4, 5), or (4,) for one ",
        ),
        ({"shape": 3}, TypeError, "shape is 3; expected a tuple of integers"),
        ({"shape": (0, 2)}, ValueError, "shape[0] is 0; expected at least 1."),
        ({"shape": (2, 1.5)}, TypeError, "shape[1] is 1.5; expected an integer"),
        ({"tolerance": None}, TypeError, "tolerance is None; expected a positive number or 0 that is finite"),
        ({"tolerance": np.nan}, ValueError, "tolerance is nan; expected a positive number or 0 that is finite"),
    ],
)
def test_bad_calls_of_the_adjoint_test(named, error, message):
    said = what_it_says(error, adjoint_test, lambda x: x, lambda y: y, **{"shape": (3,), **named})
    assert said.startswith(f"adjoint_test: {message}")


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(case):
    (function, *arguments), error, message = BAD_CALLS[case]
    assert what_it_says(error, function, *arguments).startswith(f"{function.__name__}: {message}")


# check_gradient: any function


@pytest.mark.parametrize(
    ("function", "gradient", "said"),
    [
        (
            lambda x, y: np.sum(x) + np.sum(y),
            lambda x: x,
            r"gradient takes \(x\), at is 2 arrays; expected a function of",
        ),
        (lambda x: np.sum(x), lambda x, y: (x, y), r"function takes \(x\), at is 2 arrays; expected a function of"),
    ],
)
def test_what_takes_another_number_of_arrays_than_at_has_is_refused(function, gradient, said):
    with pytest.raises(TypeError, match=f"^check_gradient: {said}"):
        check_gradient(function, gradient, (np.ones(2), np.ones((2, 3))))


def test_a_gradient_by_complex_step_is_right_to_rounding():
    found = check_gradient(cubes, lambda x: 3 * np.arange(1, 7).reshape(2, 3) * x**2, AT)
    assert found.agrees
    assert found.methods == {"at": "complex step"}
    assert found.comparisons["at"].digits > 15
    assert re.fullmatch(r"at: agrees to 1[56]\.\d digits by complex step; none of 6 entries at a kink", repr(found))


@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (lambda x: np.abs(x).sum(), np.sign),  # takes complex numbers and drops the step
        (lambda x: (x * np.conj(x)).real.sum(), lambda x: 2 * x),
        (lambda x: float((x.astype(float) ** 2).sum()), lambda x: 2 * x),  # drops it with a warning
        (lambda x: sum(math.exp(v) for v in x.flat), np.exp),  # refuses complex numbers
        (lambda x: tanh(x).sum(), tanh.derivative),
    ],
)
def test_where_a_function_has_no_complex_step_there_are_central_differences(function, gradient):
    found = check_gradient(function, gradient, AT)
    assert found.agrees, found
    assert found.methods == {"at": "central differences"}
    assert found.comparisons["at"].digits > 8
    assert check_gradient(function, lambda x: gradient(x) * (1 + 2e-6), AT).agrees is False


def test_several_arrays_have_a_gradient_each():
    rng = np.random.default_rng(0)
    w, x, b = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3)

    def gradients(w, x, b):
        y = w @ x + b
        return np.outer(y, x), w.T @ y, y

    found = check_gradient(lambda w, x, b: ((w @ x + b) ** 2).sum() / 2, gradients, (w, x, b))
    assert found.agrees
    assert list(found.comparisons) == ["at[0]", "at[1]", "at[2]"]
    wrong = gradients(w, x, b)[0], w.T @ (w @ x), w @ x + b  # a bias forgotten in the second
    found = check_gradient(lambda w, x, b: ((w @ x + b) ** 2).sum() / 2, wrong, (w, x, b))
    assert [found.comparisons[name].agrees for name in found.comparisons] == [True, False, True]
    assert found.agrees is False
    assert "at[1]: DIFFERS, relative error" in repr(found)


def test_the_worst_entry_is_counted_in_the_whole_array():
    gradient = np.array([[1.0, 0, 1], [1, 1, 1.5]])
    found = check_gradient(lambda x: relu(x).sum(), gradient, [[1.0, -1, 2], [0, 3, 4]])
    assert found.kinks["at"].tolist() == [[False, False, False], [True, False, False]]
    assert found.comparisons["at"].index == (1, 2)
    assert "1 of 6 entries at a kink" in repr(found)


def test_where_all_is_zero_there_is_nothing_to_compare():
    found = check_gradient(lambda x: 0 * x.sum(), np.zeros_like, AT)
    assert found.agrees is None
    assert repr(found).startswith("at: nothing to compare: all zero")
    assert compare_gradients(AT * 0, AT * 0).agrees is None
    found = check_gradient(lambda x: (x - x.mean()).sum(), np.zeros_like, AT)  # zero up to rounding
    assert found.agrees is None
    assert check_gradient(lambda x: (x - x.mean()).sum(), np.ones_like, AT).agrees is False


def test_at_a_kink_there_is_nothing_to_compare_either():
    found = check_gradient(lambda x: abs(x).sum(), np.sign, [0.0])
    assert found.agrees is None
    assert repr(found) == "at: not compared; 1 of 1 entries at a kink"


@pytest.mark.parametrize(
    ("function", "gradient", "at"),
    [
        (lambda x: np.log(x).sum(), lambda x: 1 / x, [1e-6, 2e-4, 3.0]),  # no logarithm on the left of a large step
        (lambda x: (1 / x).sum(), lambda x: -1 / x**2, [1e-3, 5.0]),
        (lambda x: (1e9 * x**2).sum(), lambda x: 2e9 * x, [1e-9, 3.0]),
        (lambda x: (1e-12 * np.sin(x)).sum(), lambda x: 1e-12 * np.cos(x), [0.5, 3.0]),
        (lambda x: np.sin(300 * x).sum(), lambda x: 300 * np.cos(300 * x), [0.5, 0.013]),
        (lambda x: (x**2).sum() + 1e8, lambda x: 2 * x, [0.5, 3.0]),
        (lambda x: (x**3).sum(), lambda x: 3 * x**2, [1e6, 1e5]),
        (lambda x: np.maximum(x, 0.5).sum(), lambda x: (x > 0.5) * 1.0, [0.5 + 1e-5, 2, 0.5 - 3e-7]),
        (lambda x: x.max(), lambda x: (x == x.max()) * 1.0, [1.0, 1.0 - 1e-6, 0.2]),
    ],
)
def test_right_gradients_are_not_called_wrong_and_wrong_ones_not_right(function, gradient, at):
    """By central differences, as real numbers are asked for."""

    def real(x):
        assert not np.iscomplexobj(x)
        return function(x)

    found = check_gradient(real, gradient, at)
    assert found.agrees, found
    for wrong in (lambda x: 1.001 * gradient(x), lambda x: -gradient(x), lambda x: gradient(x)[::-1]):
        assert check_gradient(real, wrong, at).agrees is False


BAD_CHECKS = {
    "no function": ((3, cubes, AT), TypeError, "function is 3; expected a function, for example np.sum."),
    "gradient of another shape": (
        (cubes, np.ones(3), AT),
        ValueError,
        "gradient has shape (3,); expected (2, 3). A gradient has the shape of its variable.",
    ),
    "one gradient for two arrays": (
        (lambda a, b: (a * b).sum(), lambda a, b: b, (AT, AT)),
        ValueError,
        "gradient is one array, at is 2; expected one gradient for each array. Return them as a tuple",
    ),
    "float32": (
        (lambda x: np.float32(x.sum()), np.ones_like, AT),
        TypeError,
        "function(at) is of float32; expected float64",
    ),
    "many values": (
        (np.square, lambda x: 2 * x, AT),
        ValueError,
        "function(at) has shape (2, 3); expected one number.",
    ),
    "no arrays": ((lambda: 1.0, (), ()), ValueError, "at is an empty tuple; expected an array, or several in a tuple."),
    "NaN": ((cubes, AT * np.nan, AT), ValueError, "gradient has an entry that is NaN or infinite; expected finite"),
}


@pytest.mark.parametrize("case", BAD_CHECKS)
def test_bad_calls_of_check_gradient(case):
    arguments, error, message = BAD_CHECKS[case]
    assert what_it_says(error, check_gradient, *arguments).startswith(f"check_gradient: {message}")


def test_an_adjoint_that_is_right_up_to_rounding_is_not_called_wrong_where_its_terms_cancel():
    matrix = np.random.default_rng(0).normal(size=(30, 40))
    for seed in range(20):
        assert adjoint_test(lambda x: matrix @ x, lambda y: matrix.T @ y, (40,), seed=seed, tolerance=1e-13).agrees
    wrong = matrix.T * 1.001
    assert not adjoint_test(lambda x: matrix @ x, lambda y: wrong @ y, (40,), tolerance=1e-13).agrees


def test_an_entry_that_is_in_one_of_two_gradients_only_counts():
    """The largest absolute value is of either, also where it is of the computed one."""
    assert compare_gradients([1, 100.0], [1, 1.0]).relative_error == pytest.approx(0.99)
    assert compare_gradients([1, 1.0], [1, 100.0]).relative_error == pytest.approx(0.99)


def test_kinks_with_uneven_slopes():
    """Where the slopes on both sides have the same sign, and where one of them is zero."""
    for left, right in (1, 3), (3, 1), (-1, -4), (0, 2), (2, 0), (5, 5.1):
        marked = find_kinks(lambda x, a=left, b=right: np.where(x > 0, b * x, a * x).sum(), [0.0, 1.0, -1.0])
        assert marked.tolist() == [True, False, False]
