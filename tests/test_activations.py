"""Activations: values and slopes, large arguments, dtypes, and what is said about bad input."""

from fractions import Fraction

import numpy as np
import pytest

import convbp
from checks import ACTIVATIONS, check_activation, what_it_says
from convbp.activations import as_activation

FUNCTIONS = {name: getattr(convbp, name) for name in ACTIVATIONS}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


@each_function
def test_value_and_derivative(name):
    check_activation(FUNCTIONS[name], name)


LARGE = {
    # values and derivatives at −10³⁰⁰, −1000, 1000, 10³⁰⁰
    "identity": ([-1e300, -1000, 1000, 1e300], [1, 1, 1, 1]),
    "relu": ([0, 0, 1000, 1e300], [0, 0, 1, 1]),
    "leaky_relu": ([-1e298, -10, 1000, 1e300], [0.01, 0.01, 1, 1]),
    "sigmoid": ([0, 0, 1, 1], [0, 0, 0, 0]),
    "tanh": ([-1, -1, 1, 1], [0, 0, 0, 0]),
    "softplus": ([0, 0, 1000, 1e300], [0, 0, 1, 1]),
}


@each_function
def test_large_arguments(name):
    """Nothing overflows; a warning would be an error."""
    function, at = FUNCTIONS[name], np.array([-1e300, -1000, 1000, 1e300])
    values, slopes = LARGE[name]
    np.testing.assert_allclose(function(at), values, rtol=1e-15)
    np.testing.assert_allclose(function.derivative(at), slopes, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "at", "value", "slope"),
    [
        ("sigmoid", -40, np.exp(-40.0), np.exp(-40.0)),
        ("sigmoid", 40, 1, np.exp(-40.0)),
        ("tanh", 30, 1, 4 * np.exp(-60.0)),
        ("softplus", -40, np.exp(-40.0), np.exp(-40.0)),
    ],
)
def test_tails_keep_their_digits(name, at, value, slope):
    """Where 1 − s(x) or 1 − tanh² would have lost them all."""
    np.testing.assert_allclose(FUNCTIONS[name](at), value, rtol=1e-14)
    np.testing.assert_allclose(FUNCTIONS[name].derivative(at), slope, rtol=1e-14)


@each_function
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_dtype_and_shape(name, dtype):
    at = np.zeros((2, 3, 1), dtype)
    for result in FUNCTIONS[name](at), FUNCTIONS[name].derivative(at):
        assert result.dtype == dtype
        assert result.shape == at.shape


@pytest.mark.parametrize("name", ["identity", "relu"])
def test_integers_and_fractions_stay_exact(name):
    function = FUNCTIONS[name]
    for at in np.array([2**60 + 1, 3]), np.array([Fraction(1, 3), Fraction(7, 2)]):
        assert function(at).dtype == at.dtype
        assert function(at).tolist() == at.tolist()
        assert function.derivative(at).dtype == at.dtype
        assert list(map(repr, function.derivative(at).tolist())) == ["1", "1"]  # and not True
    assert convbp.relu([-5, 0, 5]).tolist() == [0, 0, 5]


@pytest.mark.parametrize("name", ["leaky_relu", "sigmoid", "tanh", "softplus"])
def test_integers_and_fractions_become_floats(name):
    function = FUNCTIONS[name]
    for at in np.array([-1, 0, 2]), np.array([Fraction(-1), Fraction(0), Fraction(2)]):
        assert function(at).dtype == np.float64
        assert function(at).tolist() == function(np.array([-1.0, 0, 2])).tolist()
        assert function.derivative(at).tolist() == function.derivative(np.array([-1.0, 0, 2])).tolist()


@each_function
def test_result_is_a_new_array(name):
    at = np.array([1.0, 2.0])
    assert not np.shares_memory(FUNCTIONS[name](at), at)


def test_representation_says_the_formula():
    assert repr(convbp.relu) == "Activation(name='relu', formula='max(x, 0)')"


@each_function
@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        (["a"], TypeError, "has entries of type str; expected real numbers"),
        ([1j], TypeError, "has entries of type complex128; expected real numbers"),
        ([], ValueError, "is empty, its shape is (0,); expected at least one entry"),
        ([1, np.nan], ValueError, "has an entry that is NaN or infinite; expected finite numbers."),
        ([[1], [2, 3]], ValueError, "is a nested list with rows of different lengths; expected an array."),
    ],
    ids=["text", "complex", "empty", "NaN", "ragged"],
)
def test_bad_arguments(name, argument, error, message):
    function = FUNCTIONS[name]
    assert what_it_says(error, function, argument).startswith(f"{name}: pre_activation {message}")
    assert what_it_says(error, function.derivative, argument).startswith(f"{name}.derivative: pre_activation {message}")


def test_an_activation_is_given_as_itself_or_by_name():
    for name, function in FUNCTIONS.items():
        assert as_activation("here", name) is function
        assert as_activation("here", function) is function
    expected = "expected one of identity, relu, leaky_relu, sigmoid, tanh, softplus, as a name or as the function"
    assert what_it_says(ValueError, as_activation, "here", "gelu").startswith(f"here: activation is 'gelu'; {expected}")
    for wrong in np.tanh, None, 3, ["relu"], np.array("relu"):
        assert f"; {expected}" in what_it_says(TypeError, as_activation, "here", wrong)


@pytest.mark.parametrize("name", ["leaky_relu", "sigmoid", "tanh", "softplus"])
def test_integers_beyond_floats(name):
    said = what_it_says(ValueError, FUNCTIONS[name], [10**400])
    assert said.startswith(f"{name}: pre_activation has an entry beyond all floats, which end at 1.8e308; expected")
    assert convbp.relu([10**400, -(10**400)]).tolist() == [10**400, 0]
