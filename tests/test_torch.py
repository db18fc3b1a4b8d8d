"""What is seen inside of PyTorch's networks, with PyTorch itself: its numbers, ours, and that nothing else changes."""

import copy
import importlib.util
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

# PyTorch is hundreds of megabytes, and only convbp.torch needs it. So it has a Python of its own: .ci/run makes it.
if not importlib.util.find_spec("torch") and not os.environ.get("CONVBP_TORCH"):
    pytest.skip("PyTorch is not here; `.ci/run torch` runs these tests, see CONTRIBUTING", allow_module_level=True)

import nbformat
import torch
import torch.nn.utils.prune
import torch.utils.checkpoint
from IPython.core.interactiveshell import InteractiveShell
from torch import nn
from torch.nn import functional as F

import convbp
from convbp import diagnose
from convbp.torch import capture
from convbp.torch.layers import WAYS

torch.set_num_threads(1)  # for such small arrays the others would only wait for each other
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


class Residual(nn.Module):
    """Its input goes two ways, and the sum is made in place."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)  # called twice
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x
        return self.relu(out)


def head(channels):
    """From maps to three scores."""
    return nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, 3)


NETWORKS = {
    "LeNet": lambda: nn.Sequential(
        nn.Conv2d(3, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 8, 3), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16, 12), nn.Sigmoid(), nn.Linear(12, 3),
    ),
    "residual block": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), Residual(4), *head(4)),
    "depthwise separable": lambda: nn.Sequential(
        nn.Conv2d(3, 6, (3, 2), groups=3, padding="same"), nn.Conv2d(6, 5, 1), nn.ReLU(), *head(5)
    ),
    "dilated": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, dilation=2, padding=2), nn.ReLU(), nn.Conv2d(4, 4, (3, 2), dilation=(1, 3)), *head(4)
    ),
    "strided": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(inplace=True), nn.Conv2d(4, 5, (2, 3), stride=(1, 2), padding=1), *head(5)
    ),
    "transposed decoder": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), nn.Tanh(),
        nn.ConvTranspose2d(6, 2, (2, 3), dilation=2, bias=False), *head(2),
    ),
    "1×1": lambda: nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 2, 1, stride=2), *head(2)),
    "grouped": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 3, groups=2, stride=2, padding=(0, 1)), nn.Sigmoid(), *head(6)
    ),
    "batch norm": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4, affine=False), *head(4)
    ),
    "pooling": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 2), nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), nn.ReLU(),
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), *head(4),
    ),
}  # fmt: skip


def ready(make, dtype=torch.float32, images=3, seed=0):
    """A network, images that are not square, and their classes."""
    torch.manual_seed(seed)
    return make().to(dtype), torch.randn(images, 3, 12, 11, dtype=dtype), torch.arange(images) % 3


def error(model, x, t):
    return F.cross_entropy(model(x).float(), t)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_what_is_seen_is_what_we_compute_again(make, dtype):
    model, x, t = ready(make, dtype)
    with capture(model) as seen:
        error(model, x, t).backward()
    assert set(seen) == {name for name, module in model.named_modules() if not list(module.children())}
    check = seen.check()
    assert check.agrees, check
    # Nothing is left out: what comes out, what goes back but at the image, and the gradient of each parameter.
    compared = {row.name for row in check.rows}
    calls = {name: len(seen[name].calls) for name in seen}
    overwritten = [note for note in check.notes if "overwritten in place" in note]
    assert overwritten == ["1.bn2: Not compared: came out, overwritten in place since."] * ("1.bn2" in seen)
    assert len([name for name in compared if "came out" in name]) == sum(calls.values()) - len(overwritten)
    first = next(iter(seen))
    assert {name for name in seen if any(re.match(rf"{name}: δ back", row) for row in compared)} == {*seen} - {first}
    parameters = dict(model.named_parameters())
    assert len([name for name in compared if "gradient of" in name]) == len(parameters)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_the_network_computes_what_it_does_without_to_the_bit(make):
    model, x, t = ready(make)
    other = copy.deepcopy(model)
    x.requires_grad_()
    with capture(model) as seen:
        error(model, x, t).backward()
    by_image, x.grad = x.grad, None
    error(other, x, t).backward()
    assert torch.equal(by_image, x.grad)
    for (name, parameter), (_, same) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(parameter.grad, same.grad), name
    for (name, buffer), (_, same) in zip(model.named_buffers(), other.named_buffers(), strict=True):
        assert torch.equal(buffer, same), name
    assert seen.check().agrees  # with the δ at the image


def test_what_is_seen_is_what_plain_hooks_see():
    """Of a block whose input goes two ways: what one layer sends back is a part of what comes together there."""
    model, x, t = ready(NETWORKS["residual block"])
    told = {}

    def tell(module, given, out):
        out.register_hook(lambda delta: told.update(delta=delta))

    model[0].register_forward_hook(tell)
    with capture(model) as seen:
        error(model, x, t).backward()
    np.testing.assert_array_equal(seen["0"].delta, told["delta"].numpy())
    through_sum = seen["1.relu"].calls[1].delta_back
    np.testing.assert_allclose(seen["1.conv1"].delta_back + through_sum, seen["0"].delta, rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(seen["0"].gradients["kernel"], model[0].weight.grad.numpy())
    np.testing.assert_array_equal(seen["0"].inputs, x.numpy())
    np.testing.assert_array_equal(seen["0"].parameters["bias"], model[0].bias.detach().numpy())


@pytest.mark.parametrize("change", ["kernel", "bias", "δ"])
def test_a_gradient_that_is_not_the_layer_s_own_is_seen(change):
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Conv2d(2, 2, (2, 1)))
    if change == "δ":
        model[1].register_forward_pre_hook(lambda module, given: (given[0] * 1,))
        wrong = capture(model)
        with wrong as seen:
            model(torch.randn(2, 1, 5, 4)).square().sum().backward()
        (back,) = seen._recording.layers["1"].calls[0].inputs[0].deltas.values()
        back[1, 1, 2, 1] += 1e-3
        row = next(row for row in seen["1"].check().rows if row.name == "δ back")
        assert (row.agrees, row.at) == (False, (1, 1, 2, 1))
    else:
        parameter = model[1].weight if change == "kernel" else model[1].bias
        parameter.register_hook(lambda gradient: gradient * 1.0001)
        with capture(model) as seen:
            model(torch.randn(2, 1, 5, 4)).square().sum().backward()
        wrong = {row.name for row in seen["1"].check().rows if not row.agrees}
        assert wrong == {f"gradient of {change}"}
    assert not seen.check().agrees
    assert seen["0"].check().agrees
    assert "not equal" in repr(seen["1"].check())


def small(*layers):
    """A network for images of one channel, with what it is given."""
    torch.manual_seed(1)
    return nn.Sequential(*layers), torch.randn(2, 1, 6, 5)


def seen_in(model, x, **options):
    with capture(model) as seen:
        model(x, **options).square().sum().backward()
    return seen


LAYERS = {
    "padding valid": nn.Conv2d(1, 2, 2, padding="valid"),
    "reaching over": nn.Conv2d(1, 2, (3, 5), padding=(2, 4), stride=(2, 3)),
    "transposed, sized by its output padding": nn.ConvTranspose2d(1, 2, 3, stride=(3, 2), output_padding=(2, 1)),
    "max, overlapping": nn.MaxPool2d((3, 2), stride=1, padding=(1, 1)),
    "max, with leftover rows": nn.MaxPool2d((4, 2)),
    "average, with another divisor": nn.AvgPool2d((3, 2), stride=2, padding=1, divisor_override=5),
    "average, cut off": nn.AvgPool2d((3, 2), stride=(2, 3), padding=(1, 0), ceil_mode=True),
    "tied to what came before": nn.BatchNorm2d(1, track_running_stats=False),
    "normalised by what was": nn.BatchNorm2d(1).eval(),
    "flat": nn.Linear(5, 3, bias=False),
    "average, to a size": nn.AdaptiveAvgPool2d((4, 3)),
    "of each row": nn.LayerNorm(5),
    "of rows and columns, without β": nn.LayerNorm((6, 5), bias=False),
    "of a group": nn.GroupNorm(1, 1),
    "gelu": nn.GELU(),
    "gelu by tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "leaky": nn.LeakyReLU(0.2),
    "relu6": nn.ReLU6(),
    "softmax": nn.Softmax(dim=-2),
    "nothing": nn.Identity(),
    "nothing in it": nn.Sequential(),
    "no shape": nn.Flatten(2),
    "nothing dropped": nn.Dropout().eval(),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_layer_by_itself(layer, dtype):
    layer = copy.deepcopy(layer).to(dtype)
    x = (4 * torch.randn(2, 1, 6, 5, generator=torch.Generator().manual_seed(0))).to(dtype).requires_grad_()
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -1, 1)
    seen = seen_in(layer, x)
    check = seen[""].check()
    assert check.agrees, check
    assert len(check.rows) == 2 + len(list(layer.parameters()))
    np.testing.assert_array_equal(seen[""].delta_back, x.grad.double().numpy())


@pytest.mark.parametrize("layer", [nn.GroupNorm(2, 6), nn.BatchNorm1d(6), nn.LayerNorm((6, 5))], ids=repr)
def test_normalisation_of_several_channels(layer):
    torch.manual_seed(0)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -2, 2)
    seen_in(layer, torch.randn(3, 6, 5).requires_grad_())[""].check().assert_agrees()


def test_one_image_without_a_batch_named_arguments_and_outputs_in_pairs():
    x = torch.randn(1, 6, 5, requires_grad=True)
    for layer in (nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(1, 2, 3, stride=2), nn.AvgPool2d(2), nn.MaxPool2d(2)):
        with capture(layer) as seen:
            layer(input=x).sum().backward()
        assert seen[""].check().agrees
        assert seen[""].inputs.shape == (1, 6, 5)
    layer = nn.MaxPool2d(2, return_indices=True)
    with capture(layer) as seen:
        layer(x)[0].sum().backward()
    assert seen[""].check().agrees
    layer = nn.ConvTranspose2d(1, 2, 3, stride=2)
    with capture(layer) as seen:
        layer(x, output_size=(14, 12)).sum().backward()
    assert seen[""].outputs.shape == (2, 14, 12)
    assert seen[""].check().agrees


@pytest.mark.parametrize("reentrant", [False, True])
def test_what_is_run_again_on_the_way_back_is_another_call(reentrant):
    model, x = small(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Conv2d(2, 1, 2))
    x.requires_grad_()
    with capture(model) as seen:
        torch.utils.checkpoint.checkpoint(model, x, use_reentrant=reentrant).square().sum().backward()
    assert len(seen["0"].calls) == 2
    assert sum(one.delta is not None for one in seen["0"].calls) == 1
    assert seen.check().agrees
    np.testing.assert_array_equal(seen["0"].gradients["kernel"], model[0].weight.grad.numpy())


def test_a_layer_that_is_called_twice_has_two_calls_and_one_gradient():
    conv = nn.Conv2d(1, 1, 3, padding=1)
    model, x = small(conv, nn.Tanh(), conv)
    seen = seen_in(model, x)
    first, second = seen["0"].calls
    np.testing.assert_array_equal(
        first.outputs, torch.nn.functional.conv2d(x, conv.weight, conv.bias, padding=1).detach()
    )
    np.testing.assert_allclose(second.delta, 2 * second.outputs)
    assert seen["2"].name == "0"  # the same layer, by its other name
    np.testing.assert_array_equal(seen["0"].gradients["kernel"], conv.weight.grad.numpy())
    check = seen["0"].check()
    assert check.agrees
    assert [row.name for row in check.rows] == [
        *("came out, call 1", "came out, call 2", "δ back, call 2", "gradient of kernel", "gradient of bias")
    ]
    assert "Conv2d, 2 calls" in repr(seen)
    assert "call 2 of 2" in repr(second)


def test_layers_that_share_a_parameter_share_its_gradient():
    model, x = small(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 3, padding=1))
    model[2].weight = model[0].weight
    seen = seen_in(model, x)
    assert seen.check().agrees


def test_what_a_step_of_training_changes_afterwards_is_not_seen():
    model, x = small(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 3))
    with capture(model) as seen:
        for _ in range(2):
            model.zero_grad(set_to_none=False)
            model(x).square().sum().backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.01)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.5 * parameter.grad
    assert seen.check().agrees
    first, second = seen["0"].calls
    assert not np.array_equal(first.parameters["kernel"], second.parameters["kernel"])
    assert second.delta is not None


def test_two_backward_passes_are_kept_apart():
    model, x = small(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Conv2d(2, 1, 2))
    with capture(model) as seen:
        out = model(x)
        out.sum().backward(retain_graph=True)
        out.square().sum().backward()
    assert seen.check().agrees
    np.testing.assert_allclose(seen["2"].delta, 2 * seen["2"].outputs)
    with capture(model) as seen:
        model(x).sum().backward()
        model(-x).sum().backward()
    assert seen.check().agrees
    first, second = seen["0"].calls
    assert first.delta is not None
    assert second.delta is not None
    assert np.array_equal(seen["0"].delta, second.delta)


def test_a_pass_through_gradients_is_not_taken_for_a_layer_s_own():
    model, x = small(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Conv2d(2, 1, 2))
    x.requires_grad_()
    other, y = copy.deepcopy(model), x.detach().clone().requires_grad_()
    with capture(model) as seen:
        (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        slope.square().sum().backward()
    (expected,) = torch.autograd.grad(other(y).sum(), y, create_graph=True)
    expected.square().sum().backward()
    assert torch.equal(model[0].weight.grad, other[0].weight.grad)
    check = seen.check()
    assert check.agrees, check
    np.testing.assert_array_equal(seen["0"].delta_back, slope.detach().numpy())
    assert seen["0"].gradients == {}


def test_what_has_no_gradient_says_why():
    model, x = small(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 2))
    model[0].requires_grad_(False)
    with capture(model) as seen:
        with torch.no_grad():
            model(x)
        model(x).sum().backward()
    assert [one.delta is None for one in seen["2"].calls] == [True, False]
    assert "No δ: it ran without a graph" in repr(seen["0"])
    assert seen["0"].gradients == {}
    assert seen.check().agrees
    two = nn.ModuleDict({"used": nn.Conv2d(1, 1, 2), "left": nn.Conv2d(1, 1, 2)})
    with capture(two) as seen:
        two["left"](x)
        two["used"](x).sum().backward()
    assert seen["left"].delta is None
    assert "the loss may not depend on it" in repr(seen["left"])
    assert [row.name for row in seen["left"].check().rows] == ["came out"]


def test_hooks_are_gone_afterwards_also_after_an_error_and_captures_can_be_nested():
    model, x = small(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Conv2d(2, 1, 2))
    own = model[0].register_forward_hook(lambda module, given, out: None)

    def hooks():
        return [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]

    before = hooks()
    with pytest.raises(RuntimeError, match="channels"), capture(model) as broken:
        model(torch.randn(2, 3, 6, 5))
    assert hooks() == before
    assert len(broken) == 0
    with capture(model) as outer:
        with capture(model[2]) as inner:
            model(x).sum().backward()
        model(x).sum().backward()
    assert hooks() == before
    assert not model[0].weight._backward_hooks
    own.remove()
    assert (len(inner[""].calls), len(outer["2"].calls)) == (1, 2)
    assert outer.check().agrees
    assert inner.check().agrees
    out = model(x)
    out.sum().backward()
    assert len(outer["2"].calls) == 2


class Doubled(nn.Conv2d):
    def forward(self, x):
        return 2 * super().forward(x)


NOT_RECOMPUTED = {
    "of no kind that is known here": (nn.Hardswish(), "Hardswish"),
    "a Conv2d with a forward of its own": (Doubled(1, 1, 2), "Doubled"),
    "padding_mode='reflect'": (nn.Conv2d(1, 1, 2, padding=1, padding_mode="reflect"), "Conv2d"),
    "dilation=2": (nn.MaxPool2d(2, dilation=2), "MaxPool2d"),
    "what it drops is drawn at each call": (nn.Dropout(), "Dropout"),
    "its parameters are computed from others at every call": (
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 1, 2)),
        "ParametrizedConv2d",
    ),
}


@pytest.mark.parametrize(("reason", "layer"), NOT_RECOMPUTED.items(), ids=NOT_RECOMPUTED)
def test_what_is_not_recomputed_is_seen_and_says_why(reason, layer):
    layer, kind = layer
    model, x = small(nn.Conv2d(1, 1, 2), layer, nn.Conv2d(1, 1, 1))
    seen = seen_in(model, x)
    assert list(seen) == ["0", "1", "2"]
    assert f"Not recomputed, {reason}: 1 ({kind})." in repr(seen).splitlines()
    assert re.search(rf"^  1 +{kind} .* not recomputed$", repr(seen), re.MULTILINE)
    assert repr(seen["1"]).splitlines()[-1] == f"Not recomputed: {reason}."
    np.testing.assert_array_equal(seen["1"].delta, seen["2"].delta_back)
    np.testing.assert_array_equal(seen["1"].delta_back, seen["0"].delta)
    assert len(seen["1"].gradients) == len(list(layer.parameters()))
    with pytest.raises(TypeError, match=r"1\.delta_flow: the layer is a"):
        seen["1"].delta_flow()
    alone = seen["1"].check()
    assert (alone.rows, alone.agrees) == ([], False)
    assert repr(alone) == f"1: nothing could be compared\nNot recomputed: {reason}."
    check = seen.check()
    assert check.agrees
    assert {row.name[0] for row in check.rows} == {"0", "2"}
    assert check.notes == [f"Not recomputed, {reason}: 1 ({kind})."]


def test_what_cannot_be_is_said():
    model, x = small(nn.Sequential(nn.Conv2d(1, 2, 3)), nn.ReLU(), nn.Conv2d(1, 1, 1))
    with capture(model) as seen:
        model[1](model[0](x))
    for name, near in {"conv": "", "0.O": r"Did you mean '0\.0'\? "}.items():
        with pytest.raises(KeyError, match=rf"the model has no layer '{name}'\. {near}Seen are: 0\.0, 1\."):
            seen[name]
    with pytest.raises(KeyError, match=r"It is the parameter 'weight' of a layer: ask for that, seen\['0\.0'\]\."):
        seen["0.0.weight"]
    with pytest.raises(KeyError, match=r"'0' is a Sequential of other layers; of these were seen: 0\.0"):
        seen["0"]
    with pytest.raises(KeyError, match="'2', Conv2d, was not called inside the with block"):
        seen["2"]
    for refused in (seen["1"].check, seen.check, seen.plot):
        with pytest.raises(RuntimeError, match=r"No backward pass was seen: call loss\.backward"):
            refused()
    assert "No backward pass was seen" in repr(seen)
    assert "No backward pass was seen" in repr(seen["1"])
    with capture(model) as empty:
        pass
    with pytest.raises(RuntimeError, match=r"no layer was seen\. Call the model inside the with block"):
        empty.check()
    with pytest.raises(TypeError, match=r"capture: model is a value of type Tensor; expected a torch\.nn\.Module"):
        capture(x).__enter__()
    with warnings.catch_warnings(action="ignore"):  # that torch.jit is deprecated
        traced = torch.jit.trace(model[0], x)
    with pytest.raises(TypeError, match=r"one that torch\.jit has made, .* expected the model that it was made of"):
        capture(traced).__enter__()
    for refused, said in ((3, "only has 3; expected names of layers"), (["0.0", model], "only has Sequential")):
        with pytest.raises(TypeError, match=said):
            capture(model, only=refused).__enter__()
    with pytest.raises(
        ValueError, match=r"only has 'conv\*', which is the name of no layer; .* such as '0\.0', '1', '2'"
    ):
        capture(model, only=("1", "conv*")).__enter__()
    seen = seen_in(model[:2], x)
    for refused in (seen.check, seen["0.0"].check):
        with pytest.raises(ValueError, match=r"0\.0\.check: tolerance is 2; expected a number between 0 and 1"):
            refused(tolerance=2)


class Functional(nn.Module):
    """It has a parameter of its own, and uses one layer by its parameters alone, and one not at all."""

    def __init__(self):
        super().__init__()
        self.own = nn.Parameter(torch.randn(2, 1, 2, 2))
        self.past = nn.Conv2d(2, 2, 2)
        self.unused = nn.Sequential(nn.Conv2d(2, 2, 1))
        self.called = nn.Conv2d(2, 1, 1)

    def forward(self, x):
        return self.called(F.conv2d(F.relu(F.conv2d(x, self.own)), self.past.weight, self.past.bias))


def test_what_is_used_past_its_layer_or_not_at_all_is_named():
    torch.manual_seed(5)
    model, x = Functional(), torch.randn(2, 1, 6, 5)
    seen = seen_in(model, x)
    assert list(seen) == ["called", ""]  # the model itself has a parameter
    np.testing.assert_array_equal(seen[""].gradients["own"], model.own.grad.numpy())
    mean = convbp.notation.number(model.past.weight.grad.abs().mean().item())
    assert re.search(rf"^  past +Conv2d, not called +– +– +– +kernel {mean}, bias .* not recomputed$", repr(seen), re.M)
    past = (
        "its parameters were used past it, as by F.conv2d(x, layer.weight). Only a call is seen, layer(x): there is no"
    )
    assert f"past: {past} δ to show, and nothing to recompute." in repr(seen).splitlines()
    assert "Not called inside the with block: unused.0 (Conv2d)." in repr(seen).splitlines()
    seen_are = re.escape("Seen are: called, '' (the model).")
    with pytest.raises(KeyError, match=rf"'past', Conv2d: {re.escape(past)} .* came to: kernel {mean}, .* {seen_are}"):
        seen["past"]
    with pytest.raises(KeyError, match=rf"'unused.0', Conv2d, was not called inside the with block\. {seen_are}"):
        seen["unused.0"]
    assert seen.check().agrees
    # A list of parameters is not called at all.
    model.more = nn.ParameterList([nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))])
    model.none = nn.ModuleList()
    with capture(model) as seen:
        (model(x) * model.more[1]).sum().backward()
    assert re.search(r"^  more +ParameterList, not called .* 1 \S+ +not recomputed$", repr(seen), re.M)
    assert "Not called inside the with block: unused.0 (Conv2d)." in repr(seen).splitlines()
    assert f"past: {past} δ to show, and nothing to recompute." in repr(seen).splitlines()
    with pytest.raises(
        KeyError, match="'more' is a ParameterList, which is not called; the overview has its gradients"
    ):
        seen["more"]
    # Used in both ways, its gradient is not that of its call.
    both = nn.Sequential(nn.Conv2d(1, 1, 1))
    with capture(both) as seen:
        F.conv2d(both(x), both[0].weight).sum().backward()
    check = seen.check()
    assert [row.name for row in check.rows if not row.agrees] == ["0: gradient of kernel"]
    assert "where it is used outside of a call of its layer" in check.notes[0]


class Odd(nn.Module):
    """Layers that are called in other ways: a list, by name, one tensor three times, several results, no tensor."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 8)
        self.norm = nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.lstm = nn.LSTM(8, 8, batch_first=True)
        self.join = Join()
        self.bias = Bias()
        self.bilinear = nn.Bilinear(8, 8, 4)

    def forward(self, words):
        x = self.norm(self.embed(words))
        x = x + self.attention(x, key=x, value=x)[0]
        _, (h, c) = self.lstm(x)
        return self.bilinear(self.join([h[0], x.mean(1)], scale=2), c[0]) + self.bias()


class Join(nn.Module):
    def forward(self, parts, scale):
        return scale * sum(parts)


class Bias(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.ones(4))

    def forward(self):
        return self.value


def test_layers_of_all_kinds_are_seen_and_nothing_is_changed():
    torch.manual_seed(6)
    model, words = Odd(), torch.randint(7, (3, 5))
    other, told = copy.deepcopy(model), {}

    def tell(name):
        def hook(module, given, out):
            first = out[0] if isinstance(out, tuple) else out
            first.register_hook(lambda delta: told.update({name: delta}))

        return hook

    with capture(model) as seen:
        model(words).square().sum().backward()
    for name, module in other.named_children():
        module.register_forward_hook(tell(name))
    other(words).square().sum().backward()
    for (name, parameter), (_, same) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(parameter.grad, same.grad), name
    assert set(seen) == {name for name, _ in model.named_children()}
    for name in {*seen} - {"lstm", "bias"}:
        np.testing.assert_array_equal(seen[name].delta, told[name].numpy(), err_msg=name)
    assert seen["lstm"].delta is None  # of all that comes out, but there are h and c
    assert len(seen["lstm"].deltas) == 2 * 3 * 8
    assert seen["join"].delta_back.shape == (3, 8)
    assert len(seen["join"].deltas_back) == 2 * 3 * 8
    assert (seen["bias"].inputs, seen["embed"].delta_back) == (None, None)
    assert len(seen["attention"].deltas_back) == 3 * 5 * 8  # what goes in three times is one tensor
    originals = {f"parametrizations.weight.original{n}" for n in (0, 1)}
    assert set(seen["norm"].gradients) == {"bias", *originals}
    assert "came out, tensor 3" in repr(seen["lstm"])
    assert seen.plot().description


@pytest.mark.filterwarnings("ignore:.*weight_norm")
@pytest.mark.parametrize(
    "change", [nn.utils.weight_norm, lambda conv: nn.utils.prune.l1_unstructured(conv, "weight", amount=0.4)]
)
def test_a_weight_that_is_computed_before_each_call_is_recomputed_with(change):
    model, x = small(nn.Conv2d(1, 2, 3), nn.Tanh(), change(nn.Conv2d(2, 2, 2)))
    seen = seen_in(model, x)
    check = seen.check()
    assert check.agrees
    assert "2: gradient of kernel" in {row.name for row in check.rows}
    np.testing.assert_array_equal(seen["2"].parameters["kernel"], model[2].weight.detach().numpy())
    own = {name for name, _ in model[2].named_parameters()}
    assert set(seen["2"].gradients) == {"kernel", *own}
    none = "It is a parameter that such a layer does not have."
    assert set(check.notes) == {f"2: Not compared: gradient of {name}. {none}" for name in own - {"bias"}}


class Again(nn.Module):
    """It calls itself."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(3.0))

    def forward(self, x, times=2):
        return self(x * self.factor, times - 1) if times else 1 * x


def test_what_is_made_late_calls_itself_or_has_other_numbers():
    lazy = nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(2))
    seen = seen_in(lazy, torch.randn(2, 1, 6, 5))
    assert seen.check().agrees
    np.testing.assert_array_equal(seen["0"].gradients["kernel"], lazy[0].weight.grad.numpy())
    x = torch.ones(1, requires_grad=True)
    with capture(Again()) as seen:
        seen._recording.model(x).backward()
    assert [(one.inputs.item(), one.delta_back.item()) for one in seen[""].calls] == [(9, 1), (3, 3), (1, 9)]
    with capture(nn.Linear(3, 2, dtype=torch.complex64)) as seen:
        seen._recording.model(torch.randn(2, 3, dtype=torch.complex64)).abs().sum().backward()
    assert seen.check().notes == ["Not recomputed, numbers of torch.complex64: the model (Linear)."]
    assert seen[""].delta.dtype == np.complex64


@pytest.mark.parametrize("transform", [torch.func.grad, torch.func.vmap])
def test_what_torch_func_transforms_runs_and_is_not_seen(transform):
    model, x = small(nn.Conv2d(1, 2, 3), nn.Tanh())
    run = transform(lambda x: model(x).sum())
    expected = run(x)
    with capture(model) as seen:
        found = run(x)
        model(x).sum().backward()
    assert torch.equal(found, expected)
    assert len(seen["0"].calls) == 1
    assert seen.check().agrees
    assert "Not seen: what ran inside of torch.func" in repr(seen)


@pytest.mark.parametrize("between", [nn.Identity(), nn.Dropout().eval(), nn.Flatten(0, 1), nn.Dropout(0.5)], ids=repr)
@pytest.mark.parametrize("twice", [False, True])
def test_what_works_in_place_on_what_another_layer_passed_on(between, twice):
    layers = [nn.Conv2d(1, 2, 3), between, *[nn.Identity()] * twice, nn.ReLU(inplace=True)]
    model, x = small(*layers)
    other = copy.deepcopy(model)
    torch.manual_seed(0)
    seen = seen_in(model, x)
    torch.manual_seed(0)
    other(x).square().sum().backward()
    assert torch.equal(model[0].weight.grad, other[0].weight.grad)
    last = str(len(layers) - 1)
    check = seen.check()
    assert check.agrees
    assert f"{last}: came out" in {row.name for row in check.rows}
    if isinstance(between, nn.Flatten):  # a view is changed, for which autograd has several steps
        assert seen[last].delta_back is None
        return
    assert f"{last}: δ back" in {row.name for row in check.rows}
    np.testing.assert_array_equal(seen["1"].delta, seen[last].delta_back)
    if not (isinstance(between, nn.Dropout) and between.training):
        np.testing.assert_array_equal(seen["0"].delta, seen["1"].delta_back)
    assert "0: came out" in {row.name for row in check.rows}  # as it was before it was overwritten


def test_what_is_overwritten_later_has_been_copied():
    first, second, relu = layers = nn.ModuleList([nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.ReLU(inplace=True)])
    with capture(layers) as seen:
        x = torch.randn(1, 1, 3, 3)
        one, other = first(x), second(x)
        (relu(one) * other).sum().backward()
    assert {f"{n}: came out" for n in range(3)} <= {row.name for row in seen.check().rows}
    assert seen.check().agrees


def test_what_works_in_place_and_does_nothing_sends_back_what_came():
    model, x = small(nn.Conv2d(1, 2, 3), nn.Dropout(inplace=True).eval(), nn.Conv2d(2, 1, 2))
    seen = seen_in(model, x)
    assert "1: δ back" in {row.name for row in seen.check().rows}
    np.testing.assert_array_equal(seen["1"].delta_back, seen["2"].delta_back)


class Graph(nn.Module):
    """As networks on graphs do, a layer takes and returns sparse matrices."""

    def forward(self, edges, x):
        return edges, edges @ x


def test_sparse_and_nested_tensors_go_through_unseen():
    layer, x = Graph(), torch.randn(3, 2, requires_grad=True)
    edges = torch.eye(3).to_sparse().requires_grad_()
    with capture(layer) as seen:
        _, out = layer(edges, x)
        (3 * out).sum().backward()
    assert edges.grad is not None
    np.testing.assert_array_equal(seen[""].inputs, x.detach())
    np.testing.assert_array_equal(seen[""].delta_back, np.full((3, 2), 3))
    nested = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(4, 3)], layout=torch.jagged)
    with capture(nn.Sequential(nn.Linear(3, 2))) as seen:
        seen._recording.model(nested)
    assert "Not recomputed: no array went through, but a sparse or nested tensor." in repr(seen["0"]).splitlines()
    assert re.search(r"^  0 +Linear +– .* not recomputed$", repr(seen), re.MULTILINE)


def test_where_an_identity_is_a_shortcut_its_delta_is_its_own():
    conv, shortcut = nn.Conv2d(1, 1, 1), nn.Identity()
    with capture(nn.ModuleList([conv, shortcut])) as seen:
        x = torch.randn(1, 1, 2, 2, requires_grad=True)
        h = x * 1
        (conv(h) + 3 * shortcut(h)).sum().backward()
    assert (seen["1"].delta == 3).all()
    assert (seen["1"].delta_back == 3).all()


def test_a_tolerance_is_relative_to_the_largest_entry():
    model, x = small(nn.Conv2d(1, 1, 2))
    model[0].weight.register_hook(lambda gradient: gradient + 0.01 * gradient.abs().max())
    seen = seen_in(model, x)
    for agrees, tolerance in ((False, None), (False, 0.0099), (True, 0.0102)):
        for check in (seen["0"].check(tolerance=tolerance), seen.check(tolerance=tolerance)):
            assert check.agrees == agrees
            assert {row.name.removeprefix("0: ") for row in check.rows if not row.agrees} <= {"gradient of kernel"}
    assert "equal up to 0.0102 of the largest entry" in repr(check)
    check.assert_agrees()
    # What is wrong stands first.
    with pytest.raises(AssertionError) as failed:
        seen["0"].check().assert_agrees()
    assert str(failed.value).splitlines()[2].startswith("  gradient of kernel")


def test_mixed_precision_has_the_rounding_of_the_coarsest():
    model, x, t = ready(NETWORKS["batch norm"])
    with capture(model) as seen:
        with torch.autocast("cpu", torch.bfloat16):
            loss = error(model, x, t)
        loss.backward()
    assert seen["0"].outputs.dtype == seen["0"].parameters["kernel"].dtype == np.float32
    assert seen._recording.layers["0"].calls[0].outputs[0].kept.tensor.dtype == torch.bfloat16
    assert seen.check().agrees
    assert not seen.check(tolerance=1e-6).agrees


def test_backward_passes_are_numbered_and_not_added_up():
    model, x = small(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Conv2d(2, 1, 2))
    with capture(model) as seen:
        for part in x.split(1):  # gradients are accumulated
            model(part).sum().backward()
    check = seen["0"].check()
    assert check.agrees
    assert [row.name for row in check.rows] == [
        *("came out, call 1", "came out, call 2"),
        *(f"gradient of {name}, pass {n}" for name in ("kernel", "bias") for n in (1, 2)),
    ]
    names = [row.name for row in seen["2"].check().rows]
    assert names[1:5:2] == ["δ back, call 1, pass 1", "δ back, call 2, pass 2"]
    first, second = seen["0"].passes
    kernels = [one.gradients["kernel"] for one in (first, second)]
    np.testing.assert_allclose(sum(kernels), model[0].weight.grad, rtol=1e-6)
    np.testing.assert_array_equal(seen["0"].gradients["kernel"], kernels[1])
    assert not np.array_equal(*kernels)
    assert (first.delta, first.calls[0].delta.shape) == (None, (1, 2, 4, 3))  # the last call is of the other pass
    assert "2 calls, backward pass 1 of 2" in repr(first)
    assert "2 backward passes were seen: " in repr(seen)
    assert first.check().agrees
    assert [row.name for row in first.check().rows][2:] == ["gradient of kernel", "gradient of bias"]


def test_only_some_layers():
    model, x, t = ready(NETWORKS["residual block"])
    for only, expected in {
        "1": ["1.conv1", "1.bn1", "1.relu", "1.conv2", "1.bn2"],
        "1.*": ["1.conv1", "1.bn1", "1.relu", "1.conv2", "1.bn2"],
        ("*conv?", "0"): ["0", "1.conv1", "1.conv2"],
        ("4", "1.relu"): ["1.relu", "4"],
    }.items():
        with capture(model, only=only) as seen:
            error(model, x, t).backward()
        assert list(seen) == expected
        assert seen.check().agrees
    with pytest.raises(KeyError, match=r"'0', Conv2d, is not among the layers asked for, only=\['4', '1.relu'\]"):
        seen["0"]
    assert "Not called" not in repr(seen)
    twice = nn.Sequential(model[0], nn.Sequential(model[0]))
    with capture(twice, only="1.0") as seen:  # by its other name
        pass
    assert list(seen._recording.modules()) == ["0"]
    shared = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    shared[1].weight = shared[0].weight
    with capture(shared, only="1") as seen:
        shared(torch.randn(2, 3)).sum().backward()
    check = seen.check()
    assert check.agrees
    assert check.notes == ["1: Not compared: gradient of weights. A layer that is not looked at shares the parameter."]


def test_what_is_tied_to_a_layer_that_is_not_recomputed_is_not_compared():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    model[1].weight = model[0].weight
    with capture(model) as seen:
        model(torch.tensor([0, 3])).sum().backward()
    (note, _) = seen.check().notes
    assert note.startswith("1: Not compared: gradient of weights. 0, which shares it, is not recomputed: of no kind")


def test_what_is_compiled_runs_as_it_was_written():
    model, x = small(nn.Conv2d(1, 2, 3), nn.Sequential(nn.ReLU(), nn.Conv2d(2, 1, 2)))
    expected = model(x)
    runs = []

    def backend(graph, given):
        return lambda *args: runs.append(1) or graph(*args)

    compiled = torch.compile(model, backend=backend)
    compiled(x)
    assert runs
    runs.clear()
    with capture(compiled) as seen:
        out = compiled(x)
        out.sum().backward()
    assert torch.equal(out, expected)
    assert list(seen) == ["0", "1.0", "1.1"]
    assert seen.check().agrees
    assert not runs
    compiled(x)
    assert runs
    model[1] = torch.compile(model[1], backend=backend)  # a part of it
    with capture(model) as seen:
        model(x).sum().backward()
    assert len(seen) == 3
    assert seen.check().agrees


def test_what_ran_without_a_graph_is_compared_as_far_as_it_came():
    model, x = small(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(24, 2))
    for without in (torch.no_grad, torch.inference_mode):
        with capture(model.eval()) as seen, without():
            model(x)
        check = seen.check()
        assert check.agrees
        assert [row.name for row in check.rows] == [f"{n}: came out" for n in range(5)]
        no_graph = "ran without a graph, under no_grad or where nothing asks for a gradient."
        assert check.notes == [f"0, 1, 2, 3, 4: No δ: it {no_graph}"]
        assert f"No backward pass was seen: the model {no_graph}" in repr(seen)


def test_how_much_is_kept_is_said():
    model, x = nn.Sequential(nn.Linear(100, 100, bias=False), nn.Identity()), torch.randn(50, 100)
    seen = seen_in(model, x)
    # x, what came out and its δ once, though two layers have them; the weights and their gradient.
    assert seen._recording.kept() == 4 * (3 * 50 * 100 + 2 * 100 * 100)
    assert repr(seen).startswith("Sequential: 2 layers seen, 0.14 MB kept\n")
    assert repr(seen_in(model[0], x)).startswith("Linear: 1 layer seen, ")


def test_numbers_that_are_none_are_said_and_are_not_equal():
    model, x = small(nn.Conv2d(1, 2, 3), nn.ReLU())
    x[0, 0, 2, 2] = np.nan
    seen = seen_in(model, x)
    check = seen["0"].check()
    assert not check.agrees
    assert "inputs has an entry that is NaN or infinite" in check.notes[0]


def test_where_the_gradient_vanishes_is_plotted():
    layers = [layer for _ in range(6) for layer in (nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())]
    model, x = small(*layers)
    seen = seen_in(model, x)
    plot = seen.plot()
    output, back = plot.figure.axes[0].get_lines()
    expected = [np.abs(seen[name].delta).mean() for name in seen]
    np.testing.assert_allclose(output.get_ydata(), expected, rtol=1e-6)
    np.testing.assert_allclose(back.get_ydata(), [np.nan, *expected[:-1]], rtol=1e-6)
    assert expected[0] < expected[-1] / 100
    assert plot.figure.axes[0].get_yscale() == "log"
    assert [label.get_text() for label in plot.figure.axes[0].get_xticklabels()] == list(seen)
    assert "the smallest" in plot.description


def test_where_the_gradient_is_0_or_none_came_is_marked_and_long_names_have_room(tmp_path):
    model = nn.Sequential()
    for n, layer in enumerate([nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Conv2d(1, 1, 1), nn.Hardtanh(0, 1)]):
        model.add_module(f"a_block_whose_name_is_long_{n}", nn.ModuleDict({"inside_of_it": layer}))
    first, relu, second, last = (block["inside_of_it"] for block in model)
    torch.nn.init.constant_(first.bias, -100)  # the ReLU is dead
    with capture(model) as seen:
        x = torch.randn(2, 1, 6, 5)
        last(second(relu(first(x)))).sum().backward()
        second(x)
    names = list(seen)
    plot = seen.plot()
    *_, zero = plot.figure.axes[0].get_lines()
    assert list(zero.get_xdata()) == [0, 1]  # at the first output, and sent back by the ReLU
    assert f"It is 0 at {names[0]}." in plot.description
    plot.figure.savefig(tmp_path / "plot.png")  # as a reader does, and not with bbox_inches="tight"
    for label in plot.figure.axes[0].get_xticklabels():
        box = label.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
    with capture(model) as seen:
        relu(first(x))
        last(second(x)).sum().backward()
    assert f"No δ came at {names[0]}, {names[1]}." in seen.plot().description
    many, x = small(*[nn.Tanh() for _ in range(230)])
    axes = seen_in(many, x.requires_grad_()).plot().figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(n) for n in range(0, 230, 3)]


def test_the_kinds_that_are_told_are_those_that_are_recomputed():
    guide = (Path(__file__).parent.parent / "docs" / "your_own_layer.md").read_text(encoding="utf-8")
    for text in (capture.__doc__, guide):
        words = " ".join(text.split())
        (told,) = re.findall(r"computes again (?:are )?(Conv2d, .*? Flatten), and Dropout in evaluation", words)
        names = set(re.findall(r"\w+", told.replace("and 2d", "BatchNorm2d"))) | {"Dropout", "Dropout2d", "Sequential"}
        assert names == {kind.__name__ for kind in WAYS}


def test_a_table_is_html_as_well():
    model, x = small(nn.Conv2d(1, 2, 3), nn.ReLU())
    seen = seen_in(model, x)
    for table in (seen, seen["0"], seen["0"].check()):
        html = table._repr_html_()
        assert html.count("<tr>") == len(table._rows())
        assert "<caption>" in html
    assert "2 × 2 × 4 × 3" in seen["0"]._repr_html_()


def test_the_code_of_the_guide_runs(capsys):
    guide = (Path(__file__).parent.parent / "docs" / "your_own_layer.md").read_text(encoding="utf-8")
    exec("\n".join(re.findall(r"^```py\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)), {})
    said = capsys.readouterr().out
    assert "0.3: equal up to rounding" in said
    assert said.startswith("Sequential: 7 layers seen, ")


NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def cells_of(name):
    return nbformat.read(NOTEBOOKS / name, as_version=4).cells


def folded(kind, cells):
    """The blocks of this kind in the text of some cells, such as the transcripts of what PyTorch prints."""
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.findall(rf"^```{kind}\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


def but_for_rounding(text):
    """A text without what another processor may round otherwise: where two results differ most, and by how much."""
    return re.sub(r" *\(.*e−\d+$", "", text, flags=re.MULTILINE)


def test_the_part_of_the_notebook_that_needs_pytorch_prints_what_is_folded_below_it(capsys):
    cells, shell = cells_of("17_your_own_layer.ipynb"), InteractiveShell()
    for cell in cells:
        if cell.cell_type == "code" and "solution" not in cell.metadata.get("tags", []):
            shell.run_cell(cell.source, silent=True).raise_error()
    said = but_for_rounding(capsys.readouterr().out)
    assert "PyTorch is not installed" not in said
    transcripts = folded("text", cells)
    assert len(transcripts) == 4
    assert [text for text in transcripts if but_for_rounding(text) not in said] == []


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("12_whole_network.ipynb", ("own = Network(",)),
        ("18_seeing_with_gradients.ipynb", ("def slopes", "some = [", "class Guided", "def alike", "def grad_cam")),
    ],
)
def test_what_a_notebook_says_of_the_same_in_pytorch(name, needed, capsys):
    set_up, *cells = cells_of(name)[1:]
    needed = [next(cell.source for cell in cells if words in cell.source) for words in needed]
    (text,) = [cell for cell in cells if "<summary>The same" in cell.source and "import torch" in cell.source]
    (code,), (transcript,) = folded("python", [text]), folded("text", [text])
    InteractiveShell().run_cell("\n".join([set_up.source, *needed, code]), silent=True).raise_error()
    assert capsys.readouterr().out.endswith(transcript + "\n")


def test_the_names_that_are_told_are_pytorch_s():
    (table,) = [cell.source for cell in cells_of("17_your_own_layer.ipynb") if "| in PyTorch |" in cell.source]
    names = re.findall(r"`((?:torch|F)\.[\w.]+)", table)
    assert len(names) > 8
    for name in names:
        assert eval(name, {"torch": torch, "F": F}), name


# The explorer


def grids_of(explorer):
    return {grid.name: grid for grid in explorer.view.scene.grids}


CONVOLUTIONS = {
    "plain": {"kernel_size": (2, 3)},
    "padded": {"kernel_size": (3, 2), "padding": (1, 2)},
    "strided": {"kernel_size": 3, "stride": (2, 3), "padding": 1},
    "dilated": {"kernel_size": (2, 3), "dilation": (3, 2)},
    "same": {"kernel_size": (2, 4), "padding": "same"},
    "grouped": {"kernel_size": 2, "groups": 2},
}


@pytest.mark.parametrize("steps", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_the_explorer_has_the_numbers_of_the_layer_at_their_indices(steps):
    torch.manual_seed(2)
    layer, x = nn.Conv2d(4, 6, **steps), torch.randn(2, 4, 11, 12, requires_grad=True)
    seen = seen_in(layer, x)[""]
    here = {"image": 1, "channel": 2, "rows": slice(4, 9), "cols": slice(-4, None)}
    group = layer.groups
    filters = range(6) if group == 1 else range(3, 6)
    explorers = [seen.delta_flow(filter=d, **here) for d in filters]
    parts = [np.array(grids_of(explorer)["below"].values, float) for explorer in explorers]
    np.testing.assert_allclose(sum(parts), seen.delta_back[1, 2, 4:9, 8:12], rtol=1e-4, atol=1e-6)
    grids = grids_of(explorers[0])
    assert grids["below"].origin == grids["image"].origin == (4, 8)
    np.testing.assert_array_equal(np.array(grids["image"].values, float), seen.inputs[1, 2, 4:9, 8:12])
    # Each δ stands at its own index, counted with the zeros of a stride; outside of the map there is 0.
    (s1, s2), own = layer.stride, seen.delta[1, filters[0]]
    for i, j in grids["delta"].cells():
        inside = 0 <= i <= s1 * (len(own) - 1) and 0 <= j <= s2 * (len(own[0]) - 1)
        there = inside and i % s1 == 0 and j % s2 == 0
        assert grids["delta"].entry(i, j) == pytest.approx(own[i // s1, j // s2] if there else 0)
        assert grids["delta"].in_core(i, j) == inside
    # Each pixel's products are those of its own window.
    for (_, i, j), highlight in explorers[0].view.scene.highlights.items():
        total = sum(term.value for row in highlight.formula.terms for term in row)
        assert total == pytest.approx(grids["below"].entry(i, j))
        for term in (term for row in highlight.formula.terms for term in row):
            a, b, m, n = (int(found.replace("−", "-")) for found in re.findall(r"−?\d+", term.symbols))
            kernel = grids["kernel"]
            assert term.value == pytest.approx(grids["delta"].entry(a, b) * kernel.entry(m, n))
            assert f"δˡ⁺¹({a + m} − m, {b + n} − n)" in highlight.formula.heading


def test_the_explorer_begins_at_the_filter_and_the_pixel_that_send_back_the_most():
    torch.manual_seed(3)
    layer, x = nn.Conv2d(1, 3, 3, bias=False), torch.zeros(1, 1, 20, 20, requires_grad=True)
    with capture(layer) as seen:
        layer(x)[0, 1, 15, 2].backward()
    grids = grids_of(seen[""].delta_flow())
    assert grids["below"].size == (7, 7)
    assert all(
        grids["below"].entry(15 + m, 2 + n) == layer.weight[1, 0, m, n].item() for m in range(3) for n in range(3)
    )
    explorer = seen[""].delta_flow(rows=slice(15, 18), cols=slice(2, 5))
    explorer.select(16, 3)
    assert explorer.state.selected == ("below", 16, 3)
    assert "Pixel (16, 3) collects" in repr(explorer)
    explorer.update(covered=True)
    assert explorer.message == ""
    assert explorer.view.scene.covered.origin == (15, 2)


def test_what_the_explorer_cannot_show_is_said():
    model, x = small(nn.Conv2d(1, 4, 3, groups=1), nn.ReLU(), nn.Conv2d(4, 4, 2, groups=2), nn.Conv2d(4, 1, (3, 1)))
    seen = seen_in(model, x)
    conv = seen["2"]
    for said, arguments in {
        "2.delta_flow: image is 2; expected an integer from 0 to 1.": {"image": 2},
        "2.delta_flow: channel is 'red'; expected an integer from 0 to 3.": {"channel": "red"},
        "2.delta_flow: filter is 0; expected one from 2 to 3, as with 2 groups": {"channel": 3, "filter": 0},
        "2.delta_flow: rows are slice(3, 3, None), of 4; expected a slice of 1 to 8": {"rows": slice(3, 3)},
        "2.delta_flow: cols are 1, of 3; expected a slice": {"cols": 1},
    }.items():
        with pytest.raises(ValueError, match=re.escape(said)):
            conv.delta_flow(**arguments)
    with pytest.raises(TypeError, match=r"1\.delta_flow: the layer is a ReLU; expected a Conv2d"):
        seen["1"].delta_flow()
    with capture(model) as seen:
        model(x)
    with pytest.raises(RuntimeError, match=r"there is no δ to show\. No backward pass was seen"):
        seen["0"].delta_flow()
    wide, x = nn.Conv2d(1, 1, 3, dilation=3, padding=3), torch.randn(1, 1, 9, 9)
    with pytest.raises(ValueError, match=r"the model\.delta_flow: the kernel is 7×7 .* expected at most 5×5"):
        seen_in(wide, x)[""].delta_flow()


# This package's functions beside PyTorch's

STEPS = {
    "groups": {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2},
    "depthwise": {"padding": (2, 0), "groups": 4},
    "same": {"padding": "same", "dilation": (2, 1)},
    "strided": {"stride": (3, 2), "padding": 1},
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_conv2d_and_its_gradients_are_those_of_pytorch(steps):
    rng, groups = np.random.default_rng(0), steps.get("groups", 1)
    x, w, b = (rng.normal(size=shape) for shape in ((2, 9, 8, 4), (3, 2, 4 // groups, 4), 4))
    tensors = [
        torch.from_numpy(np.ascontiguousarray(a)).requires_grad_() for a in (nchw(x), w.transpose(3, 2, 0, 1), b)
    ]
    out = F.conv2d(*tensors, **steps)
    np.testing.assert_allclose(nchw(convbp.conv2d(x, w, b, **steps)), out.detach(), rtol=1e-12, atol=1e-12)
    delta = rng.normal(size=out.shape)
    theirs = torch.autograd.grad(out, tensors, torch.from_numpy(delta))
    d = delta.transpose(0, 2, 3, 1)
    ours = (
        nchw(convbp.conv2d_input_gradient(d, w, (9, 8), **steps)),
        convbp.conv2d_kernel_gradient(x, d, (3, 2), **steps).transpose(3, 2, 0, 1),
        convbp.conv2d_bias_gradient(d),
    )
    for mine, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, their, rtol=1e-12, atol=1e-12)


def test_padding_of_one_side_is_pytorch_s_own_pad():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(2, 6, 7, 3)), rng.normal(size=(2, 3, 3, 4))
    sides = ((2, 0), (1, 3))
    image = torch.from_numpy(np.ascontiguousarray(nchw(x))).requires_grad_()
    kernel = torch.from_numpy(np.ascontiguousarray(w.transpose(3, 2, 0, 1)))
    out = F.conv2d(F.pad(image, (1, 3, 2, 0)), kernel, stride=(2, 1))
    ours = convbp.conv2d(x, w, stride=(2, 1), padding=sides)
    np.testing.assert_allclose(nchw(ours), out.detach(), rtol=1e-12, atol=1e-12)
    delta = rng.normal(size=ours.shape)
    (back,) = torch.autograd.grad(out, image, torch.from_numpy(np.ascontiguousarray(nchw(delta))))
    mine = convbp.conv2d_input_gradient(delta, w, (6, 7), stride=(2, 1), padding=sides)
    np.testing.assert_allclose(nchw(mine), back, rtol=1e-12, atol=1e-12)


def nchw(maps):
    return maps.transpose(0, 3, 1, 2)


def through(function, *given, delta, **steps):
    """What autograd sends back to each of ``given``."""
    given = [tensor.clone().requires_grad_() for tensor in given]
    return torch.autograd.grad(function(*given, **steps), given, delta)


def conv_backward(dy, x, w, b, stride, padding, dilation, groups):
    return through(F.conv2d, x, w, b, delta=dy, stride=stride, padding=padding, dilation=dilation, groups=groups)


def transposed_backward(dy, x, w, b, stride, padding, output_padding, groups, dilation):
    steps = {"stride": stride, "padding": padding, "output_padding": output_padding}
    return through(F.conv_transpose2d, x, w, b, delta=dy, groups=groups, dilation=dilation, **steps)


def pool_backward(pool):
    return lambda dy, x, kernel_size, stride, padding: through(
        pool, x, delta=dy, kernel_size=kernel_size, stride=stride, padding=padding
    )


def batch_norm(x, gamma, beta, eps):
    return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)


RIGHT = {
    "conv2d": (diagnose.conv2d, {"forward": F.conv2d, "backward": conv_backward}),
    "conv_transpose2d": (diagnose.conv_transpose2d, {"forward": None, "backward": transposed_backward}),
    "max_pool2d": (diagnose.max_pool2d, {"backward": pool_backward(F.max_pool2d)}),
    "average_pool2d": (diagnose.average_pool2d, {"backward": pool_backward(F.avg_pool2d)}),
    "dense": (diagnose.dense, {"layout": "OI", "backward": lambda dy, x, w, b: through(F.linear, x, w, b, delta=dy)}),
    "batch_norm": (
        diagnose.batch_norm,
        {"backward": lambda dy, x, gamma, beta, eps: through(batch_norm, x, gamma, beta, delta=dy, eps=eps)},
    ),
}


@pytest.mark.parametrize(("diagnosed", "given"), RIGHT.values(), ids=RIGHT)
def test_the_layers_of_pytorch_are_diagnosed_as_right(diagnosed, given):
    found = diagnosed(to=torch.from_numpy, **given)
    assert found.agrees, found


def flipped(dy, x, w, b, stride, padding, dilation, groups):
    dx, dw, db = conv_backward(dy, x, w, b, stride, padding, dilation, groups)
    return dx, dw.flip(2, 3), db


def turned_round(dy, x, w, b, stride, padding, dilation, groups):
    """The kernel is turned once too often."""
    return conv_backward(dy, x, w.flip(2, 3), b, stride, padding, dilation, groups)


def mean_bias(dy, x, w, b, stride, padding, dilation, groups):
    dx, dw, _ = conv_backward(dy, x, w, b, stride, padding, dilation, groups)
    return dx, dw, dy.mean((0, 2, 3))


@pytest.mark.parametrize(("backward", "wrong"), [(flipped, "dw"), (turned_round, "dx"), (mean_bias, "db")])
def test_wrong_ones_are_not(backward, wrong):
    found = diagnose.conv2d(forward=F.conv2d, backward=backward, to=torch.from_numpy)
    assert [name for name in ("dx", "dw", "db") if not found[name].agrees] == [wrong]
    assert found[wrong].names
