"""What is seen inside of PyTorch's networks, with PyTorch itself: its numbers, ours, and that nothing else changes."""

import copy
import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import pytest

# PyTorch is hundreds of megabytes, and only convbp.torch needs it. So it has a Python of its own: .ci/run makes it.
if not importlib.util.find_spec("torch") and not os.environ.get("CONVBP_TORCH"):
    pytest.skip("PyTorch is not here; `.ci/run torch` runs these tests, see CONTRIBUTING", allow_module_level=True)

import nbformat
import torch
import torch.utils.checkpoint
from IPython.core.interactiveshell import InteractiveShell
from torch import nn
from torch.nn import functional as F

import convbp
from convbp import diagnose
from convbp.torch import capture

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
    kinds = {"Conv2d", "ConvTranspose2d", "Linear", "MaxPool2d", "AvgPool2d", "BatchNorm2d", "ReLU", "Tanh", "Sigmoid"}
    assert set(seen) == {name for name, module in model.named_modules() if type(module).__name__ in kinds}
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
        call = seen._recording.layers["1"].calls[0]
        (only,) = call.backs
        call.backs[only][1, 1, 2, 1] += 1e-3
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
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_layer_by_itself(layer):
    x = torch.randn(2, 1, 6, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -1, 1)
    seen = seen_in(layer, x)
    check = seen[""].check()
    assert check.agrees, check
    assert len(check.rows) == 2 + len(list(layer.parameters()))
    np.testing.assert_array_equal(seen[""].delta_back, x.grad.numpy())


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


LEFT_ALONE = {
    "a layer of another kind": (nn.GELU(), "GELU"),
    "a Conv2d with a forward of its own": (Doubled(1, 1, 2), "Doubled"),
    "padding_mode='reflect'": (nn.Conv2d(1, 1, 2, padding=1, padding_mode="reflect"), "Conv2d"),
    "dilation=2": (nn.MaxPool2d(2, dilation=2), "MaxPool2d"),
    "its parameters are computed from others at every call": (
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 1, 2)),
        "ParametrizedConv2d",
    ),
}


@pytest.mark.parametrize(("reason", "layer"), LEFT_ALONE.items(), ids=LEFT_ALONE)
def test_a_layer_that_is_not_known_is_named_and_left_alone(reason, layer):
    layer, kind = layer
    model, x = small(nn.Conv2d(1, 1, 2), layer)
    seen = seen_in(model, x)
    assert list(seen) == ["0"]
    why = "" if "kind" in reason else f": {reason}"
    assert f"Left alone: 1 ({kind}{why})." in repr(seen)
    with pytest.raises(KeyError, match=rf"capture: '1', {kind}, was left alone: {re.escape(reason)}. Seen are: 0"):
        seen["1"]
    assert seen.check().agrees


def test_what_cannot_be_is_said():
    model, x = small(nn.Sequential(nn.Conv2d(1, 2, 3)), nn.ReLU(), nn.Conv2d(1, 1, 1))
    with capture(model) as seen:
        model[1](model[0](x))
    with pytest.raises(KeyError, match=r"the model has no layer 'conv'; seen are: 0\.0, 1"):
        seen["conv"]
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
    model._orig_mod = model[0]  # as torch.compile leaves it
    with pytest.raises(TypeError, match=r"expected the model that was compiled: capture\(model\._orig_mod\)"):
        capture(model).__enter__()


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
    (line,) = plot.figure.axes[0].get_lines()
    expected = [np.abs(seen[name].delta).mean() for name in seen]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-6)
    assert expected[0] < expected[-1] / 100
    assert plot.figure.axes[0].get_yscale() == "log"
    assert [label.get_text() for label in plot.figure.axes[0].get_xticklabels()] == list(seen)
    assert "the smallest" in plot.description


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
    assert "Left alone: 2 (Flatten)." in said


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
