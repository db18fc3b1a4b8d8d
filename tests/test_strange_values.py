"""Whatever comes in, out come finite numbers, or a TypeError or ValueError in our own words; nothing is changed.

Each run draws some calls anew: an ordinary call of a public function of numbers or networks, in which one or two of the
arguments are strange. ``CONVBP_STRANGE=100000`` draws so many of them, ``CONVBP_SEED=…`` draws those again that failed.
"""

import os
import random
import re
import warnings
from decimal import Decimal
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
import sympy

import convbp
from convbp import loops
from convbp.activations import ACTIVATIONS
from convbp.networks.layers import Activate
from convbp.networks.training import DivergenceError
from convbp.shapes import shown

COUNT = int(os.environ.get("CONVBP_STRANGE", "500"))
SEED = int(os.environ.get("CONVBP_SEED", random.randrange(2**32)))

LONG = np.longdouble("1e400") if np.finfo(np.longdouble).max > 1e308 else np.longdouble(2)


class Odd(np.ndarray):
    """An array of a class of its own."""


class NoRepr:
    def __repr__(self):
        raise RuntimeError("no repr")


NUMBERS = [
    *[0, 1, -1, 2, 2**31, 2**62, 2**63, 2**64, -(2**63), 2**70, 10**400, -(10**400), 10**5000, True],
    *[0.5, 1e-320, 1e308, -1e308, float("nan"), float("inf"), -0.0, 1j],
    *[Fraction(1, 3), Fraction(10**400), Fraction(1, 10**400), Decimal("0.1"), Decimal("NaN"), Decimal("sNaN")],
    *[Decimal("Infinity"), Decimal("1e999")],
    *[np.float16(60000), np.float32(3e38), np.float64(1e300), np.longdouble(0.5), LONG, np.longdouble("nan")],
    *[np.int8(-128), np.uint8(200), np.int64(2**62), np.uint64(2**64 - 1), np.bool_(True), np.complex64(1j)],
    *[np.timedelta64(3, "s"), np.timedelta64(5, "D"), np.datetime64("2016-09-05"), np.ma.masked],
    *[sympy.Symbol("x"), sympy.nan, sympy.oo, sympy.Rational(1, 3), sympy.I],
]
OTHERS = [
    *[
        None,
        "",
        "valid",
        "full",
        "1",
        "relu",
        b"12",
        [],
        {},
        {1: 2},
        set(),
        (),
        [[]],
        [1, [2]],
        [[1], [2, 3]],
        ...,
        NoRepr(),
    ],
    *[
        object(),
        range(3),
        np.zeros((0, 2)),
        memoryview(b"abcd"),
        bytearray(b"ab"),
        np.array(["a", "b"]),
        np.array(b"x"),
    ],
    *[np.zeros(2, [("a", int), ("b", float)]), np.float64, int, len, [None], iter([1, 2]), slice(2), (1, 2), (2, 1.0)],
    *[np.array([1, 2]), np.array(2), np.array([[1, 2], [2, 1]]), (1, True), (2**70, 1), [10**5000, 1], np.array(True)],
    *[
        np.array(None),
        np.array([1, None]),
        np.array(Fraction(1, 2)),
        [np.nan],
        [np.ones(2), 1],
        np.ma.array([1, 2], mask=[0, 1]),
    ],
]


def filled(rng, shape):
    """An array of the right shape, with strange entries."""
    kind = rng.randrange(6)
    size = int(np.prod(shape))
    some = [rng.choice(NUMBERS) if rng.random() < 0.3 else rng.randrange(-9, 9) for _ in range(size)]
    if kind == 0:
        array = np.empty(size, object)
        array[:] = some
    elif kind == 1:
        one = rng.choice(NUMBERS)
        array = np.empty(size, object)
        array[:] = [one] * size
    elif kind == 2:
        dtype = rng.choice([np.int8, np.uint8, np.int64, np.uint64, np.bool_])
        largest = 1 if dtype is np.bool_ else np.iinfo(dtype).max
        array = np.array([rng.choice([0, 1, largest]) for _ in range(size)], dtype)
    elif kind == 3:
        dtype = rng.choice([np.float16, np.float32, np.float64, np.longdouble])
        array = np.array([rng.choice([0, 0.5, np.finfo(dtype).max, -np.finfo(dtype).max]) for _ in range(size)], dtype)
    elif kind == 4:
        array = np.ma.array(np.arange(float(size)), mask=[rng.random() < 0.2 for _ in range(size)])
    else:
        array = np.arange(size).view(Odd)
    array = array.reshape(shape)
    return array.tolist() if kind != 4 and rng.random() < 0.2 else array


def strange(rng, ordinary):
    """In place of an ordinary argument: a strange number, something else, or strange entries in the right shape."""
    draw = rng.random()
    if draw < 0.6 and isinstance(ordinary, np.ndarray):
        return filled(rng, ordinary.shape)
    return rng.choice(NUMBERS if draw < 0.8 else OTHERS)


X, W, B, D = np.ones((2, 4, 5, 2)), np.ones((2, 3, 2, 3)), np.zeros(3), np.ones((2, 3, 3, 3))
IMAGE, KERNEL, SCORES = np.ones((4, 5)), np.ones((2, 3)), np.ones((3, 4))
STEPS = {"stride": 1, "padding": 0, "dilation": 1}


def small():
    return convbp.Network((4, 5, 1), convbp.Conv2D(2, (2, 3)), "relu", convbp.Flatten(), convbp.Dense(3))


IMAGES, LABELS = np.ones((3, 4, 5, 1)), np.array([0, 1, 2])


def squares(x, *_):
    with np.errstate(all="ignore"):
        return (x * x).sum()


def of_network(method):
    return lambda *arguments, **named: getattr(small(), method)(*arguments, **named)


def assigned(value):
    network = small()
    before = network.parameters
    try:
        network.parameters = {**before, "conv1.bias": value}
    except Exception:
        assert network.parameters is before
        raise


CALLS = {
    **{
        f"{module.__name__}.{name}": (getattr(module, name), arguments, named)
        for module in (convbp, loops)
        for name, arguments, named in [
            ("cross_correlate", (IMAGE, KERNEL), {"mode": "valid"}),
            ("convolve", (IMAGE, KERNEL), {"mode": "full"}),
            ("rot180", (KERNEL,), {}),
            ("conv2d", (X, W, B), STEPS),
            ("conv2d_kernel_gradient", (X, D, (2, 3)), STEPS),
            ("conv2d_input_gradient", (D, W, (4, 5)), STEPS),
            ("conv2d_bias_gradient", (D,), {}),
            *[(f"{kind}_pool2d", (X, (2, 3)), {"stride": 1, "padding": 0}) for kind in ("max", "average", "l2")],
        ]
    },
    **{
        f"route of {module.__name__}.{kind}": (
            getattr(module, f"{kind}_pool2d")(X, (2, 3), stride=1).route,
            (D[..., :2],),
            {},
        )
        for module in (convbp, loops)
        for kind in ("max", "average", "l2")
    },
    **{name: (function, (IMAGE,), {}) for name, function in ACTIVATIONS.items()},
    **{f"{name}.derivative": (function.derivative, (IMAGE,), {}) for name, function in ACTIVATIONS.items()},
    "half_sum_of_squares": (convbp.half_sum_of_squares, (IMAGE, IMAGE), {}),
    "half_sum_of_squares.gradient": (convbp.half_sum_of_squares.gradient, (IMAGE, IMAGE), {}),
    "softmax_cross_entropy": (convbp.softmax_cross_entropy, (SCORES, LABELS), {}),
    "softmax_cross_entropy.gradient": (convbp.softmax_cross_entropy.gradient, (SCORES, LABELS), {}),
    "central_difference": (convbp.central_difference, (squares, KERNEL), {"step": 1e-3}),
    "find_kinks": (convbp.find_kinks, (squares, KERNEL), {"step": 1e-3, "tolerance": 1e-6}),
    "compare_gradients": (convbp.compare_gradients, (KERNEL, KERNEL), {"tolerance": 1e-6}),
    "check_gradient": (
        convbp.check_gradient,
        (squares, lambda x: 2 * np.clip(x, -1e9, 1e9), KERNEL),
        {"tolerance": 1e-6},
    ),
    "adjoint_test": (convbp.adjoint_test, (abs, abs, (2, 3)), {"trials": 1, "seed": 0, "tolerance": 0}),
    "Conv2D": (convbp.Conv2D, (3, (2, 3)), STEPS),
    "MaxPool2D": (convbp.MaxPool2D, ((2, 3),), {"stride": 1, "padding": 0}),
    "Dense": (convbp.Dense, (3,), {}),
    "Activate": (Activate, ("relu",), {}),
    "Network": (
        lambda shape, layer, **named: convbp.Network(shape, layer, convbp.Flatten(), **named),
        ((4, 5, 1), "relu"),
        {"loss": convbp.half_sum_of_squares, "seed": 0, "dtype": np.float32},
    ),
    "Network.parameters": (assigned, (np.zeros(2),), {}),
    "Network.forward": (of_network("forward"), (IMAGES,), {}),
    "Network.probabilities": (of_network("probabilities"), (IMAGES,), {}),
    "Network.classify": (of_network("classify"), (IMAGES,), {}),
    "Network.copy": (of_network("copy"), (), {"dtype": np.float64}),
    "Network.backward": (
        lambda images, labels: (net := small()).backward(net.forward(images), labels),
        (IMAGES, LABELS),
        {},
    ),
    "Network.save": (of_network("save"), ("no/such/folder/weights.npz",), {}),
    "Network.load": (of_network("load"), ("no such file.npz",), {}),
    "train": (  # not to its end, which may be 2⁶² epochs away
        lambda *arguments, **named: list(islice(convbp.train(small(), *arguments, **named), 3)),
        (IMAGES, LABELS),
        {"epochs": 1, "batch_size": 2, "learning_rate": 1e-3, "momentum": 0.5, "weight_decay": 0.0, "seed": 0},
    ),
    "accuracy": (lambda *arguments: convbp.accuracy(small(), *arguments), (IMAGES, LABELS), {}),
    "check_gradients": (
        lambda *arguments, **named: convbp.check_gradients(small(), *arguments, **named),
        (IMAGES[:1], LABELS[:1]),
        {"step": 1e-5, "tolerance": 1e-6},
    ),
    "split_digits": (convbp.split_digits, (0,), {}),
    "digit_network": (convbp.digit_network, (0,), {}),
}


def frozen(value):
    """What to compare before and after."""
    if isinstance(value, np.ndarray):
        entries = np.asarray(value)
        objects = [*map(frozen, entries.flat)] if entries.dtype == object else entries.tobytes()
        return type(value), value.dtype, value.shape, objects
    if isinstance(value, list | tuple):
        return type(value), [frozen(entry) for entry in value]
    return id(value)


def is_finite(result):
    if isinstance(result, np.ndarray) and result.dtype == object:
        return all(map(is_finite, result.flat))
    if isinstance(result, np.ndarray | np.generic) and result.dtype.kind in "fc":
        return bool(np.isfinite(result).all())
    if isinstance(result, Decimal):
        return result.is_finite()
    if hasattr(result, "output") and hasattr(result, "route"):
        return is_finite(result.output)
    return result == result and result not in (float("inf"), float("-inf")) if isinstance(result, float) else True


def drawn(rng):
    name = rng.choice(list(CALLS))
    function, arguments, named = CALLS[name]
    arguments, named = list(arguments), dict(named)
    places = [(arguments, i) for i in range(len(arguments))] + [(named, key) for key in named]
    for container, key in rng.sample(places, min(len(places), rng.choice([1, 1, 2]))):
        ordinary, container[key] = container[key], strange(rng, container[key])
        if callable(ordinary) and callable(container[key]):
            container[key] = ordinary  # what another function says is its own affair
        if (
            key == "trials"
            and isinstance(container[key], int | np.integer)
            and not isinstance(container[key], np.timedelta64)
        ):
            container[key] = min(container[key], 2)  # adjoint_test does as many as it is told
    return name, function, arguments, named


OURS = re.compile(r"[\w.…()]+:? .*expected .", re.DOTALL)
"""The operation, what came, what was expected."""


def fault(function, arguments, named):
    """What is wrong with how the call ends, if anything is."""
    before = frozen([*arguments, *named.values()])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = function(*arguments, **named)
        if not is_finite(result):
            return "the result is not finite"
    except (DivergenceError, FileNotFoundError):
        pass  # a training that diverges, a file that is not there
    except (TypeError, ValueError) as error:
        if not OURS.match(str(error)) or len(str(error)) > 1000:
            return f"not our words: {type(error).__name__}: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None if frozen([*arguments, *named.values()]) == before else "an argument has changed"


@pytest.mark.parametrize("part", range(5))
def test_strange_values(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some of the strange values are names of files
    rng = random.Random(SEED + part)
    for n in range(COUNT // 5):
        name, function, arguments, named = drawn(rng)
        said = fault(function, arguments, named)
        came = ", ".join(map(shown, [*arguments, *named.values()]))
        assert said is None, f"CONVBP_SEED={SEED}, part {part}, call {n}: {name}({came}): {said}"


# All but those whose ordinary argument is a file that is not there.
@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"Network.save", "Network.load"}))
def test_the_ordinary_calls_are_ordinary(name):
    function, arguments, named = CALLS[name]
    function(*arguments, **named)


def test_the_fault_of_a_call_is_found():
    assert "changed" in fault(lambda x: x.fill(2), [np.ones(2)], {})
    assert "not finite" in fault(lambda x: x / 0.5 * np.inf, [np.ones(2)], {})
    assert "RuntimeWarning" in fault(lambda x: x / 0, [np.ones(2)], {})
    assert "not our words" in fault(int, ["a"], {})
    assert "OverflowError" in fault(float, [10**400], {})
    assert fault(convbp.relu, [np.ones(2)], {}) is None
