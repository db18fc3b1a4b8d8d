"""Layers of PyTorch computed again by this package, in float64: what they return, and what they send back.

Each is a function of a module and of arrays in PyTorch's order, NumPy's in float64. It gives a `Way`: what comes out,
and a function of δ for what goes back. Beside every value stands what rounding depends on: the sum of the absolute
values of its terms, which is the same computation on absolute values, and how many terms there are.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import erf, prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from convbp import activations, convolution, pooling

Array = np.ndarray


class Value(NamedTuple):
    """A result; the sum of the absolute values of its terms, entry by entry; and how many terms these are."""

    value: Array
    size: Array
    terms: int


Result = Callable[[], Value]


@dataclass(frozen=True)
class Way:
    """What a layer makes of its input; and of δ: the δ that it sends back, and the gradients of its parameters.

    Each result is computed when it is called.
    """

    output: Result
    back: Callable[[Array], Mapping[str, Result]]


OTHER = "of no kind that is known here"
DRAWN = "what it drops is drawn at each call"
BACK = "δ back"  # among the results of `Way.back`, the one of the input


def why_not(module: nn.Module, dtypes: Iterable[torch.dtype]) -> str:
    """Why a layer is not computed again, on numbers of these dtypes; empty if it is."""
    kind = _kind(module)
    if kind is None or (kind is nn.Sequential and len(module)):
        return OTHER
    for name in ("forward", "_conv_forward"):
        if name in vars(module) or getattr(type(module), name, None) is not getattr(kind, name, None):
            return f"a {kind.__name__} with a forward of its own"
    if parametrize.is_parametrized(module):
        return "its parameters are computed from others at every call"
    if getattr(module, "padding_mode", "zeros") != "zeros":
        return f"padding_mode={module.padding_mode!r}"
    if kind is nn.MaxPool2d and module.dilation not in (1, (1, 1)):
        return f"dilation={module.dilation}"
    if kind is nn.Softmax and module.dim is None:
        return "dim=None"
    if kind in (nn.Dropout, nn.Dropout2d) and module.training and module.p > 0:
        return DRAWN
    return ", ".join(f"numbers of {dtype}" for dtype in dtypes if not dtype.is_floating_point)


def _kind(module: nn.Module) -> type[nn.Module] | None:
    """The kind in `WAYS` that a layer is of."""
    return next((kind for kind in WAYS if isinstance(module, kind)), None)


def way(module: nn.Module, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    """Compute a layer again; ``given`` are its parameters, and what it normalises with, as they were."""
    found = next(compute for kind, compute in WAYS.items() if isinstance(module, kind))
    alone = isinstance(module, _MAPS) and inputs.ndim == 3  # one image, without the axis of the batch
    if not alone:
        return found(module, inputs, output_shape, given)
    made = found(module, inputs[None], (1, *output_shape), given)

    def back(delta: Array) -> dict[str, Result]:
        results = dict(made.back(delta[None]))
        return {**results, BACK: _without_batch(results[BACK])}

    return Way(_without_batch(made.output), back)


def _without_batch(result: Result) -> Result:
    def alone() -> Value:
        one = result()
        return one._replace(value=one.value[0], size=one.size[0])

    return alone


def pair(value: Any) -> tuple[int, int]:
    """What a module has for rows and columns."""
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


# Orders of the axes


def _last(maps: Array) -> Array:
    """(N, C, H, W) → (N, H, W, C)."""
    return maps.transpose(0, 2, 3, 1)


def _first(maps: Array) -> Array:
    """(N, H, W, C) → (N, C, H, W)."""
    return maps.transpose(0, 3, 1, 2)


def _turned(kernel: Array) -> Array:
    """(D, C / groups, k1, k2) → (k1, k2, C / groups, D)."""
    return kernel.transpose(2, 3, 1, 0)


def _back_again(kernel: Array) -> Array:
    """(k1, k2, C / groups, D) → (D, C / groups, k1, k2)."""
    return kernel.transpose(3, 2, 0, 1)


# Layers with a kernel


def _summed(compute: Callable[..., Array], terms: int, *arrays: Array) -> Result:
    """A sum of products of these arrays."""
    return lambda: Value(compute(*arrays), compute(*map(np.abs, arrays)), terms)


def _steps(module: Any) -> dict[str, Any]:
    padding = {"valid": 0}.get(module.padding, module.padding) if isinstance(module.padding, str) else module.padding
    return {"stride": module.stride, "padding": padding, "dilation": module.dilation, "groups": module.groups}


def _bias_of(given: Mapping[str, Array], count: int) -> Array:
    return given.get("bias", np.zeros(count))


def _conv2d(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    steps, x, w = _steps(module), _last(inputs), _turned(given["weight"])
    k1, k2, channels, filters = w.shape

    def run(x: Array, w: Array, b: Array) -> Array:
        return _first(convolution.conv2d(x, w, b, **steps))

    def to_kernel(x: Array, delta: Array) -> Array:
        return _back_again(convolution.conv2d_kernel_gradient(x, delta, (k1, k2), **steps))

    def to_inputs(delta: Array, w: Array) -> Array:
        return _first(convolution.conv2d_input_gradient(delta, w, x.shape[1:3], **steps))

    def back(delta: Array) -> dict[str, Result]:
        d = _last(delta)
        return {
            BACK: _summed(to_inputs, k1 * k2 * filters // module.groups, d, w),
            "weight": _summed(to_kernel, d[..., 0].size, x, d),
            "bias": _summed(convolution.conv2d_bias_gradient, d[..., 0].size, d),
        }

    return Way(_summed(run, k1 * k2 * channels, x, w, _bias_of(given, filters)), back)


def _conv_transpose2d(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    """A transposed convolution does with its input what a convolution does with δ; so the two change places."""
    steps, x, w = _steps(module), _last(inputs), _turned(given["weight"])
    k1, k2, filters, channels = w.shape
    bias = _bias_of(given, filters * module.groups)

    def run(x: Array, w: Array, b: Array) -> Array:  # whatever the output padding was, it stands in the output's shape
        return _first(convolution.conv2d_input_gradient(x, w, output_shape[-2:], **steps) + b)

    def to_kernel(x: Array, delta: Array) -> Array:
        return _back_again(convolution.conv2d_kernel_gradient(delta, x, (k1, k2), **steps))

    def back(delta: Array) -> dict[str, Result]:
        d = _last(delta)
        return {
            BACK: _summed(lambda d, w: _first(convolution.conv2d(d, w, **steps)), k1 * k2 * filters, d, w),
            "weight": _summed(to_kernel, x[..., 0].size, x, d),
            "bias": _summed(convolution.conv2d_bias_gradient, d[..., 0].size, d),
        }

    return Way(_summed(run, k1 * k2 * channels // module.groups, x, w, bias), back)


def _linear(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    w, rows = given["weight"], inputs.reshape(-1, inputs.shape[-1])
    units, entries = w.shape

    def back(delta: Array) -> dict[str, Result]:
        d = delta.reshape(-1, units)
        return {
            BACK: _summed(lambda d, w: (d @ w).reshape(inputs.shape), units, d, w),
            "weight": _summed(lambda d, x: d.T @ x, len(d), d, rows),
            "bias": _summed(lambda d: d.sum(axis=0), len(d), d),
        }

    run = _summed(lambda x, w, b: (x @ w.T + b).reshape(output_shape), entries, rows, w, _bias_of(given, units))
    return Way(run, back)


# Pooling


def _max_pool2d(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    pooled, cut, _ = _pooled(pooling.max_pool2d, module, inputs, output_shape, inputs.min() - abs(inputs.min()) - 1)
    output = _first(pooled.output)

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: _summed(lambda d: cut(pooled.route(_last(d))), prod(pair(module.kernel_size)), delta)}

    return Way(lambda: Value(output, np.abs(output), 1), back)


def _avg_pool2d(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    """The mean of k1·k2 entries, brought to PyTorch's divisor: what of a window lies on the input, padded or not."""
    count = prod(pair(module.kernel_size))
    pooled, cut, counted = _pooled(pooling.average_pool2d, module, inputs, output_shape, 0)
    share = count / (module.divisor_override or counted(module.count_include_pad))

    def run(x: Array) -> Array:
        return _first(_pooled(pooling.average_pool2d, module, x, output_shape, 0)[0].output * share)

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: _summed(lambda d: cut(pooled.route(_last(d) * share)), count, delta)}

    return Way(_summed(run, count, inputs), back)


def _pooled(
    pool: Callable[..., pooling.Pooled], module: Any, inputs: Array, output_shape: tuple[int, ...], outside: float
) -> tuple[pooling.Pooled, Callable[[Array], Array], Callable[[bool], Array]]:
    """The pooling of a padded input, how its gradient is cut to the input, and how many entries each window counts.

    The padding is put there by hand, and below and on the right as much as the output asks for: ``ceil_mode``.
    """
    (H, W), places = inputs.shape[2:], output_shape[2:]
    size, steps, pads = (pair(value) for value in (module.kernel_size, module.stride, module.padding))
    more = [
        max(0, s * (n - 1) + k - h - 2 * p) for s, n, k, h, p in zip(steps, places, size, (H, W), pads, strict=True)
    ]
    around = [(0, 0), *((p, p + m) for p, m in zip(pads, more, strict=True)), (0, 0)]
    padded = np.pad(_last(inputs), around, constant_values=outside)

    def cut(gradient: Array) -> Array:
        return _first(gradient[:, pads[0] : pads[0] + H, pads[1] : pads[1] + W])

    def counted(with_padding: bool) -> Array:
        there = np.zeros((1, *padded.shape[1:3], 1))
        p1, p2 = (0, 0) if with_padding else pads
        there[:, p1 : H + 2 * pads[0] - p1, p2 : W + 2 * pads[1] - p2] = 1
        return pooling.average_pool2d(there, size, stride=steps).output * prod(size)

    return pool(padded, size, stride=steps), cut, counted


def _adaptive_avg_pool2d(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    """Along each axis a matrix, whose rows take the means of the shares of that axis, rounded outwards."""
    rows, cols = (_shares(*sizes) for sizes in zip(output_shape[2:], inputs.shape[2:], strict=True))
    count = rows.shape[1] * cols.shape[1]

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: _summed(lambda d: rows.T @ d @ cols, count, delta)}

    return Way(_summed(lambda x: rows @ x @ cols.T, count, inputs), back)


def _shares(places: int, size: int) -> Array:
    i, at = np.arange(places)[:, None], np.arange(size)
    inside = (at >= i * size // places) & (at * places < (i + 1) * size)
    return inside / inside.sum(axis=1, keepdims=True)


# Normalisation


def _batch_norm(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    over = tuple(n for n in range(inputs.ndim) if n != 1)
    return _normalised(module, inputs, given, over, over)


def _layer_norm(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    axes, own = range(inputs.ndim), len(module.normalized_shape)
    return _normalised(module, inputs, given, tuple(axes[-own:]), tuple(axes[:-own]))


def _group_norm(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    blocks = len(inputs), module.num_groups, -1
    return _normalised(module, inputs, given, (2,), tuple(n for n in range(inputs.ndim) if n != 1), blocks)


def _normalised(
    module: Any,
    inputs: Array,
    given: Mapping[str, Array],
    axes: tuple[int, ...],
    over: tuple[int, ...],
    blocks: tuple[int, ...] | None = None,
) -> Way:
    """y = γ x̂ + β with x̂ = (x − μ) / √(σ² + ε); unless μ and σ² are constants, δ comes back through them as well.

    They are taken over ``axes`` of the inputs, which are first brought to the shape ``blocks``; γ and β are the same
    ``over`` those axes.
    """
    shape, constant = inputs.shape, "running_mean" in given
    column = tuple(1 if n in over else size for n, size in enumerate(shape))
    x = inputs.reshape(blocks or shape)

    def of(name: str, otherwise: Any) -> Any:
        return given[name].reshape(column) if name in given else otherwise

    mean = of("running_mean", x.mean(axes, keepdims=True))
    root = np.sqrt(of("running_var", x.var(axes, keepdims=True)) + module.eps)
    gamma, beta = of("weight", np.ones(column)), of("bias", np.zeros(column))
    x_hat, x_size = (x - mean) / root, (np.abs(x) + np.abs(mean)) / root  # the size of what cancels in x − μ
    count, summed = prod(x.shape[axis] for axis in axes), prod(shape[axis] for axis in over)

    def through(d: Array, x_hat: Array, sign: int) -> Array:
        d = d.reshape(x.shape)
        if not constant:
            d = d + sign * (d.mean(axes, keepdims=True) + x_hat * (d * x_hat).mean(axes, keepdims=True))
        return (d / root).reshape(shape)

    def back(delta: Array) -> dict[str, Result]:
        d = gamma * delta
        return {
            BACK: lambda: Value(through(d, x_hat, -1), through(np.abs(d), x_size, 1), count),
            "weight": lambda: Value(to_gamma(delta, x_hat), to_gamma(np.abs(delta), x_size), summed),
            "bias": _summed(lambda d: d.sum(over), summed, delta),
        }

    def to_gamma(delta: Array, x_hat: Array) -> Array:
        return (delta * x_hat.reshape(shape)).sum(over)

    def output() -> Value:
        size = np.abs(gamma) * x_size.reshape(shape) + np.abs(beta)
        return Value(gamma * x_hat.reshape(shape) + beta, size, count)

    return Way(output, back)


# Activations, and layers that only pass on

Entrywise = Callable[[Array], Array]


def _entrywise(f: Entrywise, slope: Entrywise, inputs: Array) -> Way:
    """PyTorch has f′ from rounded values, as 1 − y, which may cancel: what rounds is then as large as δ."""

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: lambda: Value(delta * slope(inputs), np.abs(delta), 1)}

    return Way(lambda: Value(f(inputs), np.abs(f(inputs)), 1), back)


def _activation(f: activations.Activation) -> Callable[..., Way]:
    return lambda module, inputs, output_shape, given: _entrywise(f, f.derivative, inputs)


def _leaky_relu(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    def slope(x: Array) -> Array:
        return np.where(x > 0, 1, module.negative_slope)

    return _entrywise(lambda x: x * slope(x), slope, inputs)


def _relu6(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    return _entrywise(lambda x: np.clip(x, 0, 6), lambda x: ((x > 0) & (x < 6)).astype(float), inputs)


def _gated(share: Entrywise, slope: Entrywise, x: Array) -> Way:
    """y = x g(x), where g goes from 0 to 1, from rounded values that cancel near either end."""

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: lambda: Value(delta * (share(x) + x * slope(x)), np.abs(delta) * (1 + np.abs(x)), 1)}

    return Way(lambda: Value(x * share(x), np.abs(x), 1), back)


def _silu(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    return _gated(activations.sigmoid, activations.sigmoid.derivative, inputs)


def _gelu(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    """Of g: how many of the normal numbers are below x, or by tanh nearly that."""
    if module.approximate == "none":
        return _gated(
            lambda x: (1 + _erf(x / np.sqrt(2))) / 2, lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), inputs
        )
    a, b = np.sqrt(2 / np.pi), 0.044715
    tanh = activations.tanh
    return _gated(
        lambda x: (1 + tanh(a * (x + b * x**3))) / 2,
        lambda x: tanh.derivative(a * (x + b * x**3)) * a * (1 + 3 * b * x**2) / 2,
        inputs,
    )


_erf = np.vectorize(erf, otypes=[float])


def _softmax(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    powers = np.exp(inputs - inputs.max(module.dim, keepdims=True))
    y, count = powers / powers.sum(module.dim, keepdims=True), inputs.shape[module.dim]

    def through(d: Array, sign: int) -> Array:
        return y * (d + sign * (d * y).sum(module.dim, keepdims=True))

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: lambda: Value(through(delta, -1), through(np.abs(delta), 1), count)}

    return Way(lambda: Value(y, y, count), back)


def _passed_on(module: Any, inputs: Array, output_shape: Any, given: Mapping[str, Array]) -> Way:
    """The same numbers, in another shape perhaps."""

    def back(delta: Array) -> dict[str, Result]:
        return {BACK: _summed(lambda d: d.reshape(inputs.shape), 1, delta)}

    return Way(_summed(lambda x: x.reshape(output_shape), 1, inputs), back)


WAYS: dict[type[nn.Module], Callable[..., Way]] = {
    nn.Conv2d: _conv2d,
    nn.ConvTranspose2d: _conv_transpose2d,
    nn.Linear: _linear,
    nn.MaxPool2d: _max_pool2d,
    nn.AvgPool2d: _avg_pool2d,
    nn.AdaptiveAvgPool2d: _adaptive_avg_pool2d,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: _group_norm,
    nn.ReLU: _activation(activations.relu),
    nn.Tanh: _activation(activations.tanh),
    nn.Sigmoid: _activation(activations.sigmoid),
    nn.LeakyReLU: _leaky_relu,
    nn.ReLU6: _relu6,
    nn.SiLU: _silu,
    nn.GELU: _gelu,
    nn.Softmax: _softmax,
    nn.Identity: _passed_on,
    nn.Sequential: _passed_on,  # where there is nothing in it, as some shortcuts are written
    nn.Flatten: _passed_on,
    nn.Dropout: _passed_on,  # where nothing is dropped
    nn.Dropout2d: _passed_on,
}
_MAPS = nn.Conv2d, nn.ConvTranspose2d, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d


def as_array(tensor: torch.Tensor) -> Array:
    """The numbers of a tensor of any device and precision, in float64."""
    return tensor.detach().to("cpu", torch.float64).numpy()
