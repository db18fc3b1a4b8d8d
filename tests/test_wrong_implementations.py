"""The checks are worth what they reject: they have to see each of the mistakes in wrong_implementations.py."""

import pytest

import checks
import convbp
import wrong_implementations as wrong
from convbp import loops

# Operation → the checks of it, each of which has to see each mistake alone; the cases they go through; the mistakes.
GRADIENT = ["check_{}", "check_{}_is_adjoint", "check_{}_by_differences"]
POOLING = ["check_{}"]  # by ties and zero norms, which central differences have to avoid
OPERATIONS = {
    "cross_correlate": (["check_{}"], checks.PAIRS, wrong.WRONG_CROSS_CORRELATE),
    "convolve": (["check_{}"], checks.PAIRS, wrong.WRONG_CONVOLVE),
    "conv2d": (["check_{}"], checks.LAYERS, wrong.WRONG_CONV2D),
    "kernel_gradient": (GRADIENT, checks.LAYERS, wrong.WRONG_KERNEL_GRADIENT),
    "input_gradient": (GRADIENT, checks.LAYERS, wrong.WRONG_INPUT_GRADIENT),
    "bias_gradient": (GRADIENT, checks.LAYERS, wrong.WRONG_BIAS_GRADIENT),
    "max_pool": (POOLING, checks.WINDOWS, wrong.WRONG_MAX_POOL),
    "average_pool": (POOLING, checks.WINDOWS, wrong.WRONG_AVERAGE_POOL),
    "l2_pool": (POOLING, checks.WINDOWS, wrong.WRONG_L2_POOL),
}


def check_all(name, implementation, cases):
    for case in cases:
        getattr(checks, name)(implementation, case)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "implementation", "cases"),
    [
        pytest.param(name.format(operation), implementation, cases, id=f"{name.format(operation)}-{mistake}")
        for operation, (names, cases, mistakes) in OPERATIONS.items()
        for name in names
        for mistake, implementation in mistakes.items()
    ],
)
def test_mistake_is_rejected(name, implementation, cases):
    with pytest.raises(AssertionError):
        check_all(name, implementation, cases)


@pytest.mark.parametrize(("activation", "mistake"), wrong.WRONG_ACTIVATIONS)
def test_mistake_in_an_activation_is_rejected(activation, mistake):
    with pytest.raises(AssertionError):
        checks.check_activation(wrong.WRONG_ACTIVATIONS[activation, mistake], activation)


@pytest.mark.parametrize(("loss", "mistake"), wrong.WRONG_LOSSES)
def test_mistake_in_a_loss_is_rejected(loss, mistake):
    with pytest.raises(AssertionError):
        getattr(checks, f"check_{loss}")(wrong.WRONG_LOSSES[loss, mistake])


@pytest.mark.slow
@pytest.mark.parametrize("operation", wrong.RIGHT)
def test_without_the_mistake_it_is_accepted(operation):
    names, cases, _ = OPERATIONS[operation]
    for name in names:
        check_all(name.format(operation), wrong.RIGHT[operation], cases)


@pytest.mark.slow
@pytest.mark.parametrize("module", [convbp, loops], ids=["convbp", "loops"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_package_is_accepted(module, operation):
    names, cases, _ = OPERATIONS[operation]
    implementation = getattr(module, f"conv2d_{operation}", None) or getattr(module, f"{operation}2d", None)
    implementation = implementation or getattr(module, operation)
    for name in names:
        check_all(name.format(operation), implementation, cases)
