"""Every field of every explorer's state, given what nobody should give: shown or refused, and never stuck.

A run takes a sample, with a seed that changes; `CONVBP_ALL=1` takes all of them.
"""

import os
from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
import sympy

from convbp import digit_network, explorers, relu
from convbp.pictures.scene import Selection

EXPLORERS = [name for name in explorers.__all__ if name != "LiveTraining"]  # which has no state to update
STRANGE = [
    *(None, nan, inf, True, False, 0, -1, 1, 2, 3, 1.0, 0.5, 1j, 10**400, -(10**400), 10**5000, 2**63),
    *(np.bool_(True), np.int8(1), np.uint64(2**64 - 1), np.float32(1), np.float64(nan), np.longdouble(2)),
    *(
        np.array(3),
        np.array(1.0),
        np.array(True),
        np.array("valid"),
        np.array([1]),
        np.array([2, 1]),
        np.datetime64("NaT", "s"),
    ),
    *(
        np.zeros((2, 2)),
        np.zeros((0, 3)),
        np.ones((3, 3, 3)),
        np.ones((40, 40)),
        np.full((2, 2), nan),
        np.eye(3, dtype=bool),
    ),
    *(np.array([[1, 2]], object), np.ma.masked_array([[1, 2]], [[True, False]]), np.ones((2, 2), np.float16)),
    *(Decimal("1.5"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e999"), Fraction(1, 3), Fraction(10**400, 3)),
    *([[Decimal("1.5"), 1]], [[Decimal("NaN"), 1]], [[Fraction(1, 3), 2]], [[1, 2.5, Fraction(1, 2)]], [[nan, 1]]),
    *(
        [],
        [1, 2],
        [[1, 2], [3]],
        [[[1]]],
        [[1, "a"]],
        [[1, None]],
        [[1j]],
        [[1e300]],
        [[10**16]],
        [[True, False], [1, 0]],
    ),
    *((1, 2), (1.0, 2), (1, 2, 3), ("1", "2"), (10**400, 1), ((1,), (2,)), [[{}]], [[[[1, 2]]]], [[object()]]),
    *(
        "",
        "relu",
        "RELU",
        "Valid",
        "l2",
        "Average",
        "CONVOLUTION",
        "x" * 10_000,
        "\n",
        b"valid",
        np.str_("full"),
        "<b>",
    ),
    *(
        {},
        {1},
        {"valid": 1},
        object(),
        print,
        int,
        range(3),
        slice(1),
        ...,
        NotImplemented,
        iter([1]),
        relu,
        digit_network,
    ),
    *(("output", 0, 0), ("", 0, 0), ([], 0, 0), (None, 0, 0), ("image", 10**5000, 0), ("image", True, 0.5), "abc"),
    *(Selection("gradient", -1, -1), {"grid": "x"}, (0, 0), [["image", 0, 0]]),
    *(sympy.Symbol("x"), sympy.Rational(1, 3), [[sympy.Integer(2), 1]], [[sympy.Symbol("x")]], [[sympy.nan]]),
]


def made(name):
    return explorers.DrawDigit(digit_network()) if name == "DrawDigit" else getattr(explorers, name)()


def shown(explorer):
    """All that a reader sees but the message."""
    controls = [
        (control.widget.value, *(getattr(control.widget, trait) for trait in control.fit(explorer.state)))
        for control in explorer._controls
    ]
    return explorer.state, explorer.view.scene, explorer.view.slots, controls


def sample(rng):
    """What to try: field, and number of the strange value; of each explorer a few, or all."""
    pairs = {
        name: [(field, n) for field in made(name).state.changeable() for n in range(len(STRANGE))] for name in EXPLORERS
    }
    if os.environ.get("CONVBP_ALL"):
        return pairs
    return {name: [found[n] for n in rng.choice(len(found), 12, replace=False)] for name, found in pairs.items()}


@pytest.mark.slow
def test_no_value_of_a_field_breaks_an_explorer_or_leaves_it_half_changed(record_property):
    seed = int(np.random.SeedSequence().entropy) % 2**32
    record_property("seed", seed)
    for name, pairs in sample(np.random.default_rng(seed)).items():
        explorer = made(name)
        began = shown(explorer)
        for field, n in pairs:
            what = f"{name}().update({field}=STRANGE[{n}]), seed {seed}"
            before = shown(explorer)
            try:
                explorer.update(**{field: STRANGE[n]})
            except Exception as error:
                pytest.fail(f"{what}: {error!r} escapes")
            if explorer.message:
                assert "expected" in explorer.message, f"{what}: {explorer.message}"
                assert len(explorer.message) < 1000, what
                after = shown(explorer)
                assert after[0] is before[0], what
                assert after[1:] == before[1:], what
            else:
                for control in explorer._controls:
                    assert control.widget.value == control.read(explorer.state), what
                explorer.update()
                assert explorer.message == "", what
                explorer.reset()
            assert shown(explorer)[1:] == began[1:], what


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_field_that_is_the_state_s_own_business_is_not_taken(name):
    explorer = made(name)
    before = explorer.state
    explorer.update(own=[1, 2])
    assert explorer.message.startswith(f"{name}: there is no own to change; expected ")
    assert explorer.state is before


def test_what_numpy_calls_true_is_true_and_what_it_calls_3_is_3():
    window, flip = explorers.SlidingWindow(), explorers.KernelFlip(step=0)
    window.update(covered=np.bool_(True))
    flip.update(step=np.array(3))
    assert (window.message, flip.message) == ("", "")
    assert window.state.covered is True
    assert type(flip.state.step) is int
    window.update(covered=1.0)
    assert window.message == "SlidingWindow: covered is 1.0; expected True or False."
    window.update(covered=False)
    assert window.message == ""


def test_a_control_that_cannot_show_a_state_leaves_everything_as_it_was():
    explorer = explorers.SlidingWindow()
    before, box = shown(explorer), explorer._controls[-1]
    fails = [True]

    def read(state):
        if fails:
            fails.pop()
            raise RuntimeError("broken")
        return box.read(state)

    explorer._controls[-1] = type(box)(box.widget, read, box.change, box.fit)
    with pytest.raises(RuntimeError, match="broken"):
        explorer.update(mode="full")
    assert shown(explorer)[1:] == before[1:]
    explorer.update(mode="full")
    assert explorer.state.mode == "full"
