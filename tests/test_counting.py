"""The count of multiplications against a count one by one, as the printed sums have them."""

from itertools import product

import pytest

from convbp import Conv2D, Dense, Flatten, MaxPool2D, Network, digit_network, relu
from convbp.networks.counting import multiplications


def times(*ranges):
    """How many products a sum over all of these has."""
    return sum(1 for _ in product(*map(range, ranges)))


def test_a_small_network_product_by_product():
    network = Network((7, 8, 2), Conv2D(3, (2, 3)), relu, MaxPool2D(2), Conv2D(4, (3, 2)), relu, Flatten(), Dense(5))
    found = multiplications(network)
    first, second, dense = times(6, 6, 2, 3, 2, 3), times(1, 2, 3, 2, 3, 4), times(8, 5)  # Eq. 4, place by place
    assert found.forward == first + second + dense
    slopes = times(6, 6, 3) + times(1, 2, 4)  # f′, entry by entry
    assert found.backward == first + 2 * second + 2 * dense + slopes
    assert found.parameters == 2 * 3 * 2 * 3 + 3 + 3 * 2 * 3 * 4 + 4 + 8 * 5 + 5
    assert found.nudging == 2 * found.parameters * found.forward


def test_what_is_below_all_weights_needs_no_delta():
    assert multiplications(Network((4,), relu, Dense(3))).backward == times(4, 3)
    assert multiplications(Network((4,), relu))[:] == (0, 0, 0)


def test_backward_costs_about_as_much_as_forward_and_nudging_thousands_of_times_as_much():
    found = multiplications(digit_network())
    assert found.forward < found.backward < 3 * found.forward
    assert found.nudging > 5000 * (found.forward + found.backward)
    assert f"for all {found.parameters:,} parameters at once" in str(found)


def test_something_else_is_refused():
    with pytest.raises(TypeError, match="multiplications: network is list; expected a Network"):
        multiplications([])
