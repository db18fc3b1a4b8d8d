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
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from convbp.activations import Activation
from convbp.losses import Loss, softmax, softmax_cross_entropy
from convbp.networks.layers import Activate, Layer, Made
from convbp.pooling import Pooled
from convbp.shapes import NotFiniteError, as_count, as_numbers, check_size, computed


class Pass(Mapping):
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
class Forward(Pass):
    """What the forward pass made: ``input``, and of each layer its ``….pre_activation`` or ``….output``.

    A max pooling has its ``….winners`` as well.

    Attributes
    ----------
    inputs : ndarray, shape=(N, H, W, C)
    made : mapping of str to Made or Pooled
        What each layer saw and made, by the layer's name.
    parameters : mapping of str to ndarray
        With which it was made.
    """

    inputs: np.ndarray
    layers: Mapping[str, Layer]
    made: Mapping[str, Made | Pooled]
    parameters: Mapping[str, np.ndarray]

    @property
    def output(self) -> np.ndarray:
        """What the last layer returned, shape=(N, …)."""
        return self.made[list(self.layers)[-1]].output

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        arrays = {"input": self.inputs}
        for name, made in self.made.items():
            arrays[f"{name}.{self.layers[name].makes}"] = made.output
            if isinstance(made, Pooled) and made.winners is not None:
                arrays[f"{name}.winners"] = made.winners
        return arrays


@dataclass(frozen=True, eq=False, repr=False)
class Backward(Pass):
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
    *layers : Layer or Activation
        An activation function such as `convbp.relu` stands for the layer that applies it.
    loss : Loss
    seed : int
        Of the random weights; equal seeds give equal networks. They are normal with variance 2 / inputs per unit (K. He
        et al., "Delving Deep into Rectifiers", 2015), biases are 0.
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
        *layers: Layer | Activation,
        loss: Loss = softmax_cross_entropy,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        if not isinstance(input_shape, tuple | list):
            raise TypeError(f"Network: input_shape is {input_shape!r}; expected that of one image, such as (8, 8, 1).")
        if not input_shape:
            raise ValueError("Network: input_shape is (); expected at least one size, such as (8, 8, 1) or (64,).")
        self.input_shape = tuple(as_count("Network", f"input_shape[{i}]", size) for i, size in enumerate(input_shape))
        if not isinstance(loss, Loss):
            raise TypeError(f"Network: loss is {loss!r}; expected softmax_cross_entropy or another of convbp's losses.")
        self.loss = loss
        with suppress(TypeError):  # in NumPy's words, if there is no such type
            dtype = None if dtype is None else np.dtype(dtype)  # which would make float64 of it
        if dtype not in (np.float32, np.float64):
            raise TypeError(f"Network: dtype is {dtype}; expected float32 or float64.")
        self.dtype = dtype
        self.layers = MappingProxyType(_named(layers))
        self.shapes = MappingProxyType(self._fit())
        inputs = [*self.shapes.values()][:-1]
        own_shapes = {n: layer.parameter_shapes(i) for (n, layer), i in zip(self.layers.items(), inputs, strict=True)}
        self.parameter_names = MappingProxyType({n: {own: f"{n}.{own}" for own in o} for n, o in own_shapes.items()})
        self._parameter_shapes = {f"{n}.{own}": shape for n, o in own_shapes.items() for own, shape in o.items()}
        rng = np.random.default_rng(as_count("Network", "seed", seed, 0))
        self.replace_parameters({name: self._initial(rng, shape) for name, shape in self._parameter_shapes.items()})

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
        shapes = self._parameter_shapes
        if not isinstance(parameters, Mapping):
            raise TypeError(
                f"Network.parameters: there came {type(parameters).__name__}; expected arrays by name, as a network of "
                f"the same layers has in its parameters."
            )
        if parameters.keys() != shapes.keys():
            missing = [name for name in shapes if name not in parameters]
            foreign = [str(name) for name in parameters if name not in shapes]
            found = [f"there is no {', '.join(missing)}"] if missing else []
            found += [f"there is {', '.join(foreign)}, which the network has not"] if foreign else []
            raise ValueError(
                f"Network.parameters: {', and '.join(found)}; expected {', '.join(shapes) or 'none'}. They are of a "
                f"network with other layers; or, to change some only: "
                f"network.parameters = {{**network.parameters, {next(iter(shapes), '…')!r}: array}}."
            )
        arrays = {}
        for name, shape in shapes.items():
            what = f"parameters[{name!r}]"
            array = as_numbers("Network.parameters", what, parameters[name], None)
            check_size(
                "Network.parameters", what, array.shape, shape, "It is of a network with layers of another size."
            )
            arrays[name] = self._in_own_dtype("Network.parameters", what, array.copy())  # it will be made read-only
        self.replace_parameters(arrays)

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
        parameters, made = self.parameters, {}
        inputs = images = self.as_inputs("Network.forward", inputs)
        for name, layer in self.layers.items():
            made[name] = layer.forward(inputs, **self._own(parameters, name))
            inputs = made[name].output
        return Forward(images, self.layers, made, parameters)

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
        arrays, gradients = {}, {}
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
        if not isinstance(forward, Forward) or forward.layers is not self.layers:
            came = "of another network" if isinstance(forward, Forward) else type(forward).__name__
            raise TypeError(
                f"Network.backpropagate: forward is {came}; expected what the forward method of this network returned."
            )
        # Targets of another dtype would make weights of it: the gradient keeps the network's own.
        delta = self.loss.gradient(forward.output, targets).astype(self.dtype, copy=False)  # step 3
        made, parameters = dict(forward.made), forward.parameters
        del forward  # so its arrays go one by one, unless the caller holds it
        lowest = next(iter(self.layers))
        for name, layer in reversed(self.layers.items()):
            gradients = {f"{name}.{own}": g for own, g in layer.gradients(delta, made[name]).items()}  # step 5
            yield Backpropagated(name, delta, gradients)
            if to_input or name != lowest:
                delta = layer.backpropagate(delta, made.pop(name), **self._own(parameters, name))  # step 4
        if to_input:
            yield Backpropagated("input", delta, {})

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
        copy = Network(self.input_shape, *self.layers.values(), loss=self.loss, dtype=dtype or self.dtype)
        copy.parameters = self.parameters
        return copy

    def __deepcopy__(self, memo: dict) -> "Network":
        return self.copy()  # nothing that two networks share ever changes

    def save(self, path: str | Path) -> None:
        """Save the parameters as an .npz file, which `numpy.load` opens; it is there as a whole or not at all.

        Raises
        ------
        OSError
            If there is no such folder, ``path`` is a folder itself, or it cannot be written.
        """
        path = Path(path)
        if path.is_dir():
            raise IsADirectoryError(f"Network.save: {path} is a folder; expected a file in it, such as weights.npz.")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"Network.save: there is no folder {path.parent} for {path.name}. Make it first.")
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
        try:
            with open(unfinished, "wb") as file:
                np.savez(file, **self.parameters)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    def load(self, path: str | Path) -> None:
        """Take the parameters from a file that `save` made. Nothing in the file is run: no pickles.

        Raises
        ------
        OSError
            If there is no such file.
        TypeError, ValueError
            If it is not such a file, or of another network. Then nothing has changed.
        """
        with open(path, "rb") as file:
            try:
                with np.load(file, allow_pickle=False) as saved:
                    parameters = {name: saved[name] for name in saved.files}
            except Exception:
                # Damage can show as nearly anything. Not in NumPy's words, which advise to allow pickles.
                raise ValueError(
                    f"Network.load: {Path(path).name} is not a file of arrays, or is damaged; expected what "
                    f"Network.save wrote. Save the weights again."
                ) from None
        self.parameters = parameters

    def as_inputs(self, operation: str, inputs: Any) -> np.ndarray:
        """``inputs`` as an array of the network's dtype, or a `ValueError` if their size is not ``input_shape``."""
        inputs = as_numbers(operation, "inputs", inputs, None)
        if inputs.shape[1:] != self.input_shape:
            *size, channels = self.input_shape
            mends = {
                (None, *size): "Grey images go in as images[..., None]." if channels == 1 else None,
                tuple(size): "One grey image goes in as image[None, ..., None]." if channels == 1 else None,
                self.input_shape: "One image goes in as image[None].",
                (None, channels, *size): "Channels stand last: images.transpose(0, 2, 3, 1).",
            }
            mend = mends.get(inputs.shape) or mends.get((None, *inputs.shape[1:]))
            expected = ", ".join(map(str, ("N", *self.input_shape)))
            raise ValueError(
                f"{operation}: inputs have shape {inputs.shape}; expected ({expected}). "
                f"{mend or 'A network takes images of the one size that it was made for.'}"
            )
        return self._in_own_dtype(operation, "inputs", inputs)

    def _in_own_dtype(self, operation, name, array):
        with np.errstate(over="ignore"):
            own = array.astype(self.dtype, copy=False)
        if own is not array and not np.isfinite(own).all():
            raise NotFiniteError(
                f"{operation}: {name} has an entry that is too large for {self.dtype}, in which the network computes. "
                f"Divide by the largest, or make the network with dtype=np.float64."
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

    def _fit(self):
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

    def _own(self, parameters, layer):
        """The parameters of one layer, by the names that it has for them."""
        return {own: parameters[name] for own, name in self.parameter_names[layer].items()}

    def _initial(self, rng, shape):
        *to_a_unit, units = shape
        array = rng.normal(size=shape) * np.sqrt(2 / prod(to_a_unit)) if to_a_unit else np.zeros(units)
        return array.astype(self.dtype)


def _named(layers):
    if not layers:
        raise ValueError("Network: there are no layers; expected at least one, for example Flatten(), Dense(10).")
    numbers, named = Counter(), {}
    for layer in layers:
        if isinstance(layer, Activation):
            layer = Activate(layer)
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Network: {layer!r} is not a layer; expected Conv2D(…), Dense(…), a pooling layer, Flatten() or an "
                f"activation function such as relu."
            )
        numbers[layer.kind] += 1
        named[f"{layer.kind}{numbers[layer.kind]}"] = layer
    return named


def _table(rows, right=0):
    """Columns of text, the last ``right`` of them flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = ["<"] * (len(widths) - right) + [">"] * right
    return "\n".join(
        "  ".join(f"{text:{side}{width}}" for text, side, width in zip(row, aligned, widths, strict=True)).rstrip()
        for row in rows
    )
