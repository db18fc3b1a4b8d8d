"""A network, layer upon layer, with every array of both passes open to look at.

The five steps of the algorithm, as Grzegorz Gwardys lists them in "Convolutional Neural Networks backpropagation:
from intuition to derivation" (2016), and where they are:

    =====================  ==================================  ================================
    1. input               `Network.forward`, its first array  o⁰, the images
    2. feedforward         each layer's ``forward``            o⁰ → x¹ → o¹ → … → xᴸ
    3. output error        the loss's ``gradient``             δᴸ = ∂E/∂xᴸ
    4. backpropagate       each layer's ``backpropagate``      δᴸ → … → δ¹
    5. gradient            each layer's ``gradients``          ∂E/∂w, ∂E/∂b
    =====================  ==================================  ================================

`Network.forward` is 1 and 2, `Network.backpropagate` is 3 to 5. Gwardys' forward pass is a true convolution, here it
is a cross-correlation (Eq. 7 of the article), which turns every kernel by 180° and changes nothing else.
"""

import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple
from zipfile import ZipFile

import numpy as np

from convbp.activations import Activation, as_activation
from convbp.losses import Loss, softmax, softmax_cross_entropy
from convbp.networks.layers import Activate, Layer, LayerResult
from convbp.pooling import Pooled
from convbp.shapes import (
    NotFiniteError,
    as_count,
    as_floats,
    as_numbers,
    as_size,
    check_entries,
    check_size,
    computed,
    shown,
)


class NamedArrays(Mapping[str, np.ndarray]):
    """The arrays of one pass through a network, by name, in the order in which they were made.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        What ``a_pass["conv1.pre_activation"]`` looks up. Printing the pass lists all names with their shapes.
    """

    arrays: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self.arrays[name]
        except KeyError:
            raise KeyError(f"there is no array {name!r}; expected one of {', '.join(self.arrays)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __repr__(self) -> str:
        return _table([("array", "shape"), *((name, str(array.shape)) for name, array in self.arrays.items())])


@dataclass(frozen=True, eq=False, repr=False)
class Forward(NamedArrays):
    """What the forward pass made: ``input``, and of each layer its ``….pre_activation`` or ``….output``.

    A max pooling has its ``….winners`` as well.

    Attributes
    ----------
    inputs : ndarray, shape=(N, H, W, C)
    results : mapping of str to LayerResult or Pooled
        What each layer saw and made, by the layer's name.
    parameters : mapping of str to ndarray
        With which it was made.
    """

    inputs: np.ndarray
    layers: Mapping[str, Layer]
    results: Mapping[str, LayerResult | Pooled]
    parameters: Mapping[str, np.ndarray]

    @property
    def output(self) -> np.ndarray:
        """What the last layer returned, shape=(N, …)."""
        return self.results[list(self.layers)[-1]].output

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:  # type: ignore[override]
        arrays = {"input": self.inputs}
        for name, result in self.results.items():
            arrays[f"{name}.{self.layers[name].makes}"] = result.output
            if isinstance(result, Pooled) and result.winners is not None:
                arrays[f"{name}.winners"] = result.winners
        return arrays


@dataclass(frozen=True, eq=False, repr=False)
class Deltas(NamedArrays):
    """What `Network.deltas` sent back: of each layer ``….delta``, and ``input.delta``."""

    arrays: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False, repr=False)
class Backward(NamedArrays):
    """What the backward pass made: of each layer ``….delta`` and the ``….gradient`` of each parameter; ``input.delta``.

    Attributes
    ----------
    loss : float
    gradients : mapping of str to ndarray
        By the names of the parameters.
    """

    arrays: Mapping[str, np.ndarray]
    loss: float
    gradients: Mapping[str, np.ndarray]


class Backpropagated(NamedTuple):
    """One layer on the way back: its name, its delta, and the gradients for its parameters by their names."""

    layer: str
    delta: np.ndarray
    gradients: dict[str, np.ndarray]


class Network:
    """Layers one after the other, and the loss at their end.

    Parameters
    ----------
    input_shape : tuple of int
        Of one image: (H, W, C).
    *layers : Layer, Activation or str
        An activation function such as `convbp.relu`, or its name, stands for the layer that applies it.
    loss : Loss
    seed : int
        Of the random weights; equal seeds give equal networks. Each layer says how its parameters start
        (`Layer.initial`): mostly weights are random and biases 0.
    dtype : float32 or float64
        In which the network computes.

    Attributes
    ----------
    layers : mapping of str to Layer
        By name: the kind of the layer, and a number.
    shapes : mapping of str to tuple of int
        Of what each layer returns for one image; ``input`` is the first.
    parameter_names : mapping of str to mapping of str to str
        For each layer from its own names of its parameters to those in ``parameters``: kernel → conv1.kernel.

    Raises
    ------
    TypeError
        If something else than a layer comes, or another argument is not as described.
    ValueError
        If a layer does not fit on the one before it; the message says which two, and the shapes. Or if a size or the
        seed is too small.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        *layers: Layer | Activation | str,
        loss: Loss = softmax_cross_entropy,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        if not isinstance(input_shape, tuple | list):
            raise TypeError(
                f"Network: input_shape is {shown(input_shape)}; expected that of one image, such as (8, 8, 1)."
            )
        if not input_shape:
            raise ValueError("Network: input_shape is (); expected at least one size, such as (8, 8, 1) or (64,).")
        self.input_shape = tuple(as_size("Network", f"input_shape[{i}]", size) for i, size in enumerate(input_shape))
        if not isinstance(loss, Loss):
            raise TypeError(
                f"Network: loss is {shown(loss)}; expected softmax_cross_entropy or another of convbp's losses."
            )
        self.loss = loss
        self.dtype = _as_dtype(dtype)
        self.layers = MappingProxyType(_named(layers))
        self.shapes = MappingProxyType(self._fit())
        inputs = [*self.shapes.values()][:-1]
        own_shapes = {n: layer.parameter_shapes(i) for (n, layer), i in zip(self.layers.items(), inputs, strict=True)}
        self.parameter_names = MappingProxyType({n: {own: f"{n}.{own}" for own in o} for n, o in own_shapes.items()})
        self._parameter_shapes = {f"{n}.{own}": shape for n, o in own_shapes.items() for own, shape in o.items()}
        rng = np.random.default_rng(as_count("Network", "seed", seed, 0))
        arrays = {}
        for name, shape in self._parameter_shapes.items():
            layer, _, own = name.partition(".")
            check_entries("Network", name, shape)
            arrays[name] = self._as_parameter("Network", name, self.layers[layer].initial(own, shape, rng))
        self.replace_parameters(arrays)

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """Every parameter by name, such as ``conv1.kernel``.

        It is replaced as a whole: neither the mapping nor an array in it ever changes, so what was read stays as it was
        while a training goes on. Assigning checks everything before it changes anything.

        Raises
        ------
        TypeError, ValueError
            On assigning, if a parameter is missing, is not one of this network, has another shape or is not finite.
        """
        return self._parameters

    @parameters.setter
    def parameters(self, parameters: Mapping[str, np.ndarray]) -> None:
        if not isinstance(parameters, Mapping):
            raise TypeError(
                f"Network.parameters: the parameters are {type(parameters).__name__}; expected arrays by name, as a "
                f"network of the same layers has in its parameters."
            )
        self._check_names(parameters)
        self.replace_parameters(
            {name: self._as_parameter("Network.parameters", name, parameters[name]) for name in self._parameter_shapes}
        )

    def _check_names(self, names: Collection[Any]) -> None:
        shapes = self._parameter_shapes
        missing = [name for name in shapes if name not in names]
        foreign = [name if isinstance(name, str) else shown(name) for name in names if name not in shapes]
        if missing or foreign:
            found = [f"there is no {', '.join(missing)}"] if missing else []
            found += [f"there is {', '.join(foreign)}, which this network does not have"] if foreign else []
            raise ValueError(
                f"Network.parameters: {', and '.join(found)}; expected {', '.join(shapes) or 'none'}. They are of a "
                f"network with other layers; or, to change some only: "
                f"network.parameters = {{**network.parameters, {next(iter(shapes), '…')!r}: array}}."
            )

    def _check_shape(self, operation: str, name: str, shape: tuple[int, ...]) -> None:
        hint = "It is of a network with layers of another size."
        check_size(operation, f"parameters[{name!r}]", shape, self._parameter_shapes[name], hint)

    def _as_parameter(self, operation: str, name: str, value: Any) -> np.ndarray:
        array = as_numbers(operation, f"parameters[{name!r}]", value, None)
        self._check_shape(operation, name, array.shape)
        return self._in_own_dtype(operation, f"parameters[{name!r}]", array.copy())  # it will be made read-only

    def replace_parameters(self, arrays: dict[str, np.ndarray]) -> None:
        """Take these parameters without a check, as training does after each step."""
        for array in arrays.values():
            array.flags.writeable = False
        self._parameters = MappingProxyType(arrays)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of what the last layer returns for one image."""
        return list(self.shapes.values())[-1]

    def forward(self, inputs: Any) -> Forward:
        """Steps 1 and 2: run the network, and keep what every layer makes.

        Parameters
        ----------
        inputs : array_like, shape=(N, H, W, C)

        Returns
        -------
        Forward

        Raises
        ------
        TypeError, ValueError
            If the inputs are not finite numbers, there are none, or they have another size than ``input_shape``.
        """
        parameters, results = self.parameters, {}
        inputs = images = self.as_inputs("Network.forward", inputs)
        for name, layer in self.layers.items():
            results[name] = layer.forward(inputs, **self._own(parameters, name))
            inputs = results[name].output
        return Forward(images, self.layers, results, parameters)

    def backward(self, forward: Forward, targets: Any) -> Backward:
        """Steps 3 to 5: the deltas of all layers and the gradients for all parameters, with the delta of the input.

        Parameters
        ----------
        forward : Forward
            What `forward` returned; the gradients are for the parameters that it ran with.
        targets : array_like
            What the loss takes: for softmax cross-entropy the labels, shape=(N,).

        Returns
        -------
        Backward

        Raises
        ------
        TypeError, ValueError
            If the loss does not take the targets, or ``forward`` is not of this network.
        """
        arrays: dict[str, np.ndarray] = {}
        gradients: dict[str, np.ndarray] = {}
        for layer, delta, own in self.backpropagate(forward, targets, to_input=True):
            arrays[f"{layer}.delta"] = delta
            arrays |= {f"{name}.gradient": gradient for name, gradient in own.items()}
            gradients |= own
        return Backward(arrays, float(self.loss(forward.output, targets)), gradients)

    def backpropagate(self, forward: Forward, targets: Any, to_input: bool = False) -> Iterator[Backpropagated]:
        """Steps 3 to 5, one layer after the other from the last to the first.

        It keeps nothing that was taken, and of ``forward`` nothing that it has passed. ``to_input=True`` goes one step
        further, to the gradient for the input, of which training has no need.
        """
        self._check_own("Network.backpropagate", forward)
        # Targets of another dtype would make weights of it: the gradient keeps the network's own.
        delta = self.loss.gradient(forward.output, targets).astype(self.dtype, copy=False)  # step 3
        results, parameters = dict(forward.results), forward.parameters
        del forward  # so its arrays go one by one, unless the caller holds it
        lowest = next(iter(self.layers))
        for name, layer in reversed(list(self.layers.items())):
            gradients = {f"{name}.{own}": g for own, g in layer.gradients(delta, results[name]).items()}  # step 5
            yield Backpropagated(name, delta, gradients)
            if to_input or name != lowest:
                delta = layer.backpropagate(delta, results.pop(name), **self._own(parameters, name))  # step 4
        if to_input:
            yield Backpropagated("input", delta, {})

    def deltas(self, forward: Forward, delta: Any) -> Deltas:
        """Step 4 alone, begun with a δ of one's own: the deltas of all layers, down to that of the input.

        With 1 at one score and 0 at the others, ``input.delta`` says how that score depends on each pixel.

        Parameters
        ----------
        forward : Forward
            What `forward` returned.
        delta : array_like, shape=(N, …)
            How much each number counts that the last layer returned.

        Returns
        -------
        Deltas

        Raises
        ------
        TypeError, ValueError
            If ``delta`` is not finite numbers of the output's shape, or ``forward`` is not of this network.
        """
        operation, arrays = "Network.deltas", {}
        self._check_own(operation, forward)
        delta = as_numbers(operation, "delta", delta, None)
        check_size(operation, "delta", delta.shape, forward.output.shape, "It has a number for each that came out.")
        delta = self._in_own_dtype(operation, "delta", delta)
        for name, layer in reversed(list(self.layers.items())):
            arrays[f"{name}.delta"] = delta
            delta = layer.backpropagate(delta, forward.results[name], **self._own(forward.parameters, name))
        return Deltas({**arrays, "input.delta": delta})

    def _check_own(self, operation: str, forward: Any) -> None:
        if not isinstance(forward, Forward) or forward.layers is not self.layers:
            came = "of another network" if isinstance(forward, Forward) else type(forward).__name__
            raise TypeError(
                f"{operation}: forward is {came}; expected what the forward method of this network returned."
            )

    def scores(self, inputs: Any) -> np.ndarray:
        """What the last layer returns for ``inputs``, as `forward` takes them; keeps nothing else."""
        return self.run(self.as_inputs("Network.scores", inputs), self.parameters)

    def run(self, inputs: np.ndarray, parameters: Mapping[str, np.ndarray], first: str | None = None) -> np.ndarray:
        """What the layers from the one named ``first`` on make of ``inputs`` with these parameters."""
        names = list(self.layers)
        for name in names[names.index(first) if first else 0 :]:
            inputs = self.layers[name].forward(inputs, **self._own(parameters, name)).output
        return inputs

    def probabilities(self, inputs: Any) -> np.ndarray:
        """The softmax of the scores, shape=(N, classes)."""
        return computed("Network.probabilities", softmax, self.scores(inputs))

    def classify(self, inputs: Any) -> np.ndarray:
        """The class with the largest score, shape=(N,)."""
        return self.scores(inputs).argmax(axis=-1)

    def copy(self, dtype: Any = None) -> "Network":
        """A network with the same layers and parameters, in another dtype if asked for."""
        dtype = self.dtype if dtype is None else dtype
        copy = Network(self.input_shape, *self.layers.values(), loss=self.loss, dtype=dtype)
        copy.parameters = self.parameters
        return copy

    def __deepcopy__(self, memo: dict) -> "Network":
        return self.copy()  # nothing that two networks share ever changes

    def save(self, path: str | Path) -> None:
        """Save the parameters as an .npz file, which `numpy.load` opens; it is there as a whole or not at all.

        A symbolic link stays one: it is the file it points to that is replaced.

        Raises
        ------
        TypeError
            If ``path`` is no path.
        OSError
            If there is no such folder, ``path`` is a folder itself or another thing that is no file, or it cannot be
            written.
        """
        path = Path(os.path.realpath(_as_path("Network.save", path)))
        if path.is_dir():
            raise IsADirectoryError(f"Network.save: {path} is a folder; expected a file in it, such as weights.npz.")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"Network.save: there is no folder {path.parent} for {path.name}. Make it first.")
        if path.exists() and not path.is_file():
            raise OSError(f"Network.save: {path} is a device or the like; expected a file, such as weights.npz.")
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
        try:
            with open(unfinished, "wb") as file:
                np.savez(file, **self.parameters)  # type: ignore[arg-type]
            if path.exists():
                shutil.copymode(path, unfinished)  # who may read it stays as it was
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def load(self, path: str | Path) -> None:
        """Take the parameters from a file that `save` made. Nothing in the file is run: no pickles.

        Names, shapes and kinds of number are looked at before any array is read: a file that unpacks to more than the
        network's own parameters is refused before it has.

        Raises
        ------
        OSError
            If there is no such file.
        TypeError, ValueError
            If it is not such a file, or of another network. Then nothing has changed.
        """
        path = _as_path("Network.load", path)
        with open(path, "rb") as file, _damage_in_our_words(path), ZipFile(file) as saved:
            members = {member.filename.removesuffix(".npy"): member for member in saved.infolist()}
            self._check_names(members)
            arrays = {}
            for name in self._parameter_shapes:
                with saved.open(members[name]) as stream:
                    shape, dtype = _header(stream)
                self._check_shape("Network.parameters", name, shape)
                if dtype.kind not in "iuf":
                    as_numbers("Network.parameters", f"parameters[{name!r}]", np.empty(0, dtype), None)  # says so
            for name in self._parameter_shapes:
                with saved.open(members[name]) as stream:
                    arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
        self.parameters = arrays

    def as_inputs(self, operation: str, inputs: Any) -> np.ndarray:
        """``inputs`` as an array of the network's dtype, or a `ValueError` if their size is not ``input_shape``."""
        inputs = as_numbers(operation, "inputs", inputs, None)
        if inputs.shape[1:] != self.input_shape:
            *size, channels = self.input_shape
            hints = {
                (None, *size): "Grey images go in as images[..., None]." if channels == 1 else None,
                tuple(size): "One grey image goes in as image[None, ..., None]." if channels == 1 else None,
                self.input_shape: "One image goes in as image[None].",
                (None, channels, *size): "Channels stand last: images.transpose(0, 2, 3, 1).",
            }
            hint = hints.get(inputs.shape) or hints.get((None, *inputs.shape[1:]))
            expected = ", ".join(map(str, ("N", *self.input_shape)))
            raise ValueError(
                f"{operation}: inputs have shape {inputs.shape}; expected ({expected}). "
                f"{hint or 'A network takes images of the one size that it was made for.'}"
            )
        return self._in_own_dtype(operation, "inputs", inputs)

    def _in_own_dtype(self, operation: str, name: str, array: np.ndarray) -> np.ndarray:
        array = as_floats(operation, name, array)
        with np.errstate(over="ignore"):
            own = array.astype(self.dtype, copy=False)
        if own is not array and not np.isfinite(own).all():
            raise NotFiniteError(
                f"{operation}: {name} has an entry that is too large for {self.dtype}, in which the network computes; "
                f"expected smaller numbers. Divide by the largest, or make the network with dtype=np.float64."
            )
        return own

    def __repr__(self) -> str:
        """The table of layers: what each returns for one image, and how many parameters it has."""
        counts = {name: 0 for name in self.shapes} | {
            name: sum(array.size for array in self._own(self.parameters, name).values()) for name in self.layers
        }
        rows = [("name", "layer", "output shape", "parameters")]
        rows += [(n, str(self.layers.get(n, "")), str(self.shapes[n]), f"{counts[n]:,}") for n in self.shapes]
        return _table([*rows, ("", "", "", f"{sum(counts.values()):,}")], right=1)

    def _fit(self) -> dict[str, tuple[int, ...]]:
        before, shapes = "the input", {"input": self.input_shape}
        for name, layer in self.layers.items():
            shape = list(shapes.values())[-1]
            try:
                shapes[name] = layer.output_shape(shape)
            except ValueError as error:
                raise ValueError(
                    f"Network: {name}, {layer}, does not fit on {before}, which gives {shape} per image: {error}"
                ) from None
            before = f"{name}, {layer}"
        return shapes

    def _own(self, parameters: Mapping[str, Any], layer: str) -> dict[str, Any]:
        """The parameters of one layer, by the names that it has for them."""
        return {own: parameters[name] for own, name in self.parameter_names[layer].items()}


def _as_dtype(dtype: Any) -> np.dtype:
    for own in np.dtype(np.float32), np.dtype(np.float64):
        with suppress(Exception):  # what NumPy says of something that is no type at all
            if dtype is not None and np.dtype(dtype) == own:  # of None it would make float64
                return own
    raise TypeError(f"Network: dtype is {shown(dtype)}; expected float32 or float64.")


def _as_path(operation: str, path: Any) -> Path:
    """``path`` as a Path; not the number of an open file, for which Python would take an integer."""
    try:
        path = os.fsdecode(path)
    except TypeError:
        raise TypeError(
            f"{operation}: path is {shown(path)}; expected the name of a file, such as 'weights.npz'."
        ) from None
    if not path or "\0" in path:
        raise ValueError(f"{operation}: path is {shown(path)}; expected the name of a file, such as 'weights.npz'.")
    return Path(path)


@contextmanager
def _damage_in_our_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (TypeError, ValueError) as error:
        if str(error).startswith("Network."):
            raise
        raise _damaged(path) from None
    except Exception:  # damage can show as nearly anything
        raise _damaged(path) from None


def _damaged(path: Path) -> ValueError:
    """Not in NumPy's words, which advise to allow pickles."""
    return ValueError(
        f"Network.load: {path.name} is not a file of arrays, or is damaged; expected what Network.save wrote. "
        f"Save the weights again."
    )


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of the array that a file holds, without its entries."""
    if np.lib.format.read_magic(stream) != (1, 0):  # a header of another version may itself be of gigabytes
        raise ValueError("no array that save wrote")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject:
        raise ValueError("pickles")
    return shape, dtype


def _named(layers: tuple[Any, ...]) -> dict[str, Layer]:
    if not layers:
        raise ValueError("Network: there are no layers; expected at least one, for example Flatten(), Dense(10).")
    numbers: Counter[str] = Counter()
    named: dict[str, Layer] = {}
    for layer in layers:
        if isinstance(layer, Activation | str):
            layer = Activate(as_activation("Network", layer, "a layer"))
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Network: {shown(layer)} is not a layer; expected Conv2D(…), Dense(…), a pooling layer, Flatten() or "
                f"an activation function such as relu."
            )
        numbers[layer.kind] += 1
        named[f"{layer.kind}{numbers[layer.kind]}"] = layer
    return named


def _table(rows: Sequence[tuple[str, ...]], right: int = 0) -> str:
    """Columns of text, the last ``right`` of them flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = ["<"] * (len(widths) - right) + [">"] * right
    return "\n".join(
        "  ".join(f"{text:{side}{width}}" for text, side, width in zip(row, aligned, widths, strict=True)).rstrip()
        for row in rows
    )
