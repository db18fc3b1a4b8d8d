"""What was seen of a network, as a reader looks at it: tables, checks, a plot of the δ, the explorer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from convbp.notation import number
from convbp.torch.checking import Check, checked
from convbp.torch.layers import OTHER
from convbp.torch.recording import OVERWRITTEN, Call, Kept, Recorded, Recording
from convbp.torch.table import NONE, Table

if TYPE_CHECKING:
    from convbp.explorers import DeltaFlow
    from convbp.pictures.plots import Plot

NO_BACKWARD = "No backward pass was seen: call loss.backward() inside the with block."


@dataclass(eq=False, repr=False)
class Seen(Table):
    """What went through a network while it was captured: ``seen["features.3"]`` is one layer of it.

    Printed it is an overview of all layers in the order of their first calls.
    """

    _recording: Recording

    def __getitem__(self, name: str) -> "SeenLayer":
        found = self._recording
        if name not in found.layers:
            module = dict(found.model.named_modules(remove_duplicate=False)).get(name)
            same = [layer for layer in found.layers.values() if layer.module is module]  # it stands under two names
            if not same:
                raise KeyError(self._why_not(name, module))
            name = same[0].name
        return SeenLayer(found, found.layers[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._recording.layers)

    def __len__(self) -> int:
        return len(self._recording.layers)

    def check(self) -> "Check":
        """Check all layers, as `SeenLayer.check` does one.

        Returns
        -------
        Check

        Raises
        ------
        RuntimeError
            If no layer or no backward pass was seen.
        """
        layers = [self[name] for name in self]
        if not layers:
            raise RuntimeError(f"capture: no layer was seen. {self._hint()}")
        parts = [layer.check() for layer in layers]
        both = list(zip(layers, parts, strict=True))
        rows = [row._replace(name=f"{layer.name}: {row.name}") for layer, part in both for row in part.rows]
        notes = [f"{layer.name}: {note}" for layer, part in both for note in part.notes]
        return Check("all layers", rows, notes)

    def plot(self) -> "Plot":
        """Plot the mean |δ| at the output of each layer, in the order of their first calls, on a logarithmic axis.

        Returns
        -------
        Plot
            With its ``figure``, of matplotlib, and a description.

        Raises
        ------
        RuntimeError
            If no δ came to any layer.
        ModuleNotFoundError
            If matplotlib is not installed.
        """
        from convbp.pictures.plots import curves

        deltas = {name: self[name].deltas for name in self}
        means = {name: np.abs(delta).mean() if delta.size else 0.0 for name, delta in deltas.items()}
        there = {name: mean for name, mean in means.items() if mean}
        if not there:
            raise RuntimeError(f"seen.plot: no δ came to any layer. {NO_BACKWARD}")
        least, most = min(there, key=there.__getitem__), max(there, key=there.__getitem__)
        none = [name for name in means if name not in there]
        text = (
            f"The mean |δ| at the output of {len(there)} layers: the smallest, {number(there[least])}, at {least}; the "
            f"largest, {number(there[most])}, at {most}." + (f" None or 0 at {', '.join(none)}." if none else "")
        )
        at = range(len(means))
        plot = curves(at, {"mean |δ|": [mean or np.nan for mean in means.values()]}, ("layer", "mean |δ|"), text, "y")
        plot.figure.set_size_inches(max(6.4, 0.3 * len(means)), 3.2)
        plot.figure.axes[0].set_xticks(at, list(means), rotation=60, ha="right", fontsize=8)
        return plot

    def _hint(self) -> str:
        alone = self._recording.left_alone
        return f"Left alone: {', '.join(alone)}." if alone else "Call the model inside the with block."

    def _why_not(self, name: str, module: Any) -> str:
        names = ", ".join(self) or "none"
        if module is None:
            return f"capture: the model has no layer {name!r}; seen are: {names}."
        kind = type(module).__name__
        if reason := self._recording.left_alone.get(name):
            return f"capture: {name!r}, {kind}, was left alone: {reason}. Seen are: {names}."
        inside = [own for own in self if own.startswith(f"{name}.")]
        if inside or any(True for _ in module.children()):
            return f"capture: {name!r} is a {kind} of other layers; of these were seen: {', '.join(inside) or 'none'}."
        return f"capture: {name!r}, {kind}, was not called inside the with block. Seen are: {names}."

    def _title(self) -> str:
        return f"{type(self._recording.model).__name__}: {len(self)} layers seen"

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("layer", "kind", "came out", "mean |δ|", "mean |gradient|")]
        for name in self:
            layer = self[name]
            gradients = [f"{name} {_size(gradient)}" for name, gradient in layer.gradients.items()]
            times = f", {len(layer.calls)} calls" if len(layer.calls) > 1 else ""
            shape = _shape(layer.calls[-1].outputs.shape)
            rows.append((name, layer.kind + times, shape, _size(layer.deltas), ", ".join(gradients) or NONE))
        return rows

    def _notes(self) -> list[str]:
        alone = []
        for name, reason in self._recording.left_alone.items():
            kind = type(self._recording.model.get_submodule(name)).__name__
            alone.append(f"{name} ({kind}{f': {reason}' if reason != OTHER else ''})")
        notes = [] if self._recording.passes else [NO_BACKWARD]
        return notes + ([f"Left alone: {', '.join(alone)}."] if alone else [])


@dataclass(eq=False, repr=False)
class SeenLayer(Table):
    """One layer: what went in, its parameters, what came out, δ at both ends, and the gradients.

    Printed it is a table of shapes and sizes. The arrays are NumPy's, in PyTorch's order of the axes. If a layer was
    called several times, ``calls`` are its calls, and an array is that of the last; the gradient of a parameter is
    summed over all of them. Of several backward passes it is the last that counts; one that goes through gradients,
    after ``create_graph=True``, has terms that are no layer's own, and does not.
    """

    _recording: Recording
    _recorded: Recorded
    _call: Call | None = None

    @property
    def name(self) -> str:
        """As in ``model.named_modules()``."""
        return self._recorded.name

    @property
    def module(self) -> torch.nn.Module:
        """The layer itself."""
        return self._recorded.module

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type(self.module).__name__

    @property
    def calls(self) -> list["SeenLayer"]:
        """Its calls, each as if it were the only one."""
        return [SeenLayer(self._recording, self._recorded, call) for call in self._calls]

    @property
    def inputs(self) -> np.ndarray:
        """What went in."""
        return _native(self._last.inputs.tensor)

    @property
    def outputs(self) -> np.ndarray:
        """What came out."""
        return _native(self._last.output.tensor)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Its parameters as they were in the forward pass: kernel and bias, or what they are called in such a layer."""
        return {self._recorded.label(key): _native(kept.tensor) for key, kept in self._last.parameters.items()}

    @property
    def delta(self) -> np.ndarray | None:
        """δ at its output, ∂E/∂(what came out); None if none came."""
        return self._of_pass(self._last.deltas)

    @property
    def delta_back(self) -> np.ndarray | None:
        """δ at its input: what this layer alone sends back; None if nothing asked for it."""
        return self._of_pass(self._last.backs)

    @property
    def deltas(self) -> np.ndarray:
        """All entries of δ at its output, of all calls in a row."""
        found = [delta.ravel() for one in self.calls if (delta := one.delta) is not None]
        return np.concatenate([np.zeros(0), *found])

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of its parameters, summed over all calls, as autograd has them."""
        found = {self._recorded.label(key): self._of_pass(one.passes) for key, one in self._recorded.gradients.items()}
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    def check(self) -> "Check":
        """Compute the layer again, in float64 and by this package alone, and compare with what PyTorch has.

        Returns
        -------
        Check
            With ``agrees``; printed it is a table of both sides.

        Raises
        ------
        RuntimeError
            If no backward pass was seen.
        """
        if not self._recording.passes:
            raise RuntimeError(f"{self.name or 'the model'}.check: there is nothing to compare. {NO_BACKWARD}")
        return checked(self.name, self._recorded, self._calls, self._passes())

    def delta_flow(
        self,
        image: int = 0,
        channel: int = 0,
        filter: int | None = None,
        rows: slice | None = None,
        cols: slice | None = None,
    ) -> "DeltaFlow":
        """Show how δ comes back through a Conv2d: the explorer `DeltaFlow` on these numbers, with their indices.

        Parameters
        ----------
        image, channel : int
            Of what went in.
        filter : int, optional
            Whose δ come back: the explorer shows those of one. If left out, the one that sends back the most.
        rows, cols : slice, optional
            Of the channel, at most 10 − k of each, where k is the size of the kernel with the zeros of a dilation. If
            left out, those around the largest δ.

        Returns
        -------
        DeltaFlow

        Raises
        ------
        TypeError
            If it is a layer of another kind.
        ValueError
            If there is no such image, channel, filter or part, or the kernel is larger than 5×5.
        RuntimeError
            If no δ came.
        ModuleNotFoundError
            If what the pictures need is not installed.
        """
        name = self.name or "the model"
        if not isinstance(self.module, torch.nn.Conv2d):
            raise TypeError(
                f"{name}.delta_flow: the layer is a {self.kind}; expected a Conv2d, whose δ come back as the explorer "
                f"shows it. check() takes any layer that was seen."
            )
        if self.delta is None:
            why = self._last.missing(self._passes()) if self._recording.passes else NO_BACKWARD
            raise RuntimeError(f"{name}.delta_flow: there is no δ to show. {why}")
        from convbp.torch.flow import of_part

        alone = self.inputs.ndim == 3  # one image without a batch
        inputs, delta = (array[None] if alone else array for array in (self.inputs, self.delta))
        asked = {"image": image, "channel": channel, "filter": filter, "rows": rows, "cols": cols}
        return of_part(name, self.module, inputs, self.parameters["kernel"], delta, asked)

    @property
    def _calls(self) -> list[Call]:
        return [self._call] if self._call else self._recorded.calls

    @property
    def _last(self) -> Call:
        return self._calls[-1]

    def _passes(self) -> list[int]:
        """The backward passes that brought δ here and did not go through gradients."""
        return self._recording.passes_of(self._recorded)

    def _of_pass(self, passes: dict[int, torch.Tensor]) -> np.ndarray | None:
        there = [number for number in self._passes() if number in passes]
        return _native(passes[there[-1]]) if there else None

    def _title(self) -> str:
        count = len(self._recorded.calls)
        times = f"call {self._recorded.calls.index(self._call) + 1} of {count}" if self._call else f"{count} calls"
        return f"{self.name or 'the model'}: {self.module!r}" + (f", {times}" if count > 1 else "")

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("", "shape", "mean |·|", "largest |·|", "norm")]
        for at, one in enumerate(self.calls, 1):
            of = f", call {at}" if len(self.calls) > 1 else ""
            rows.append(_row(f"went in{of}", one.inputs, one._last.inputs))
            rows.append(_row(f"came out{of}", one.outputs, one._last.output))
            rows += [_row(f"δ at the output{of}", one.delta), _row(f"δ sent back{of}", one.delta_back)]
        gradients = self.gradients
        for name, value in self.parameters.items():
            rows.append(_row(name, value))
            if name in gradients:
                rows.append(_row(f"gradient of {name}", gradients[name]))
        return rows

    def _notes(self) -> list[str]:
        if not self._recording.passes:
            return [NO_BACKWARD]
        return [why for one in self.calls if (why := one._last.missing(self._passes()))]


def _native(tensor: torch.Tensor) -> np.ndarray:
    """The tensor in its own dtype, where NumPy has that, else in float32."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _size(array: np.ndarray) -> str:
    return number(float(np.abs(array).mean(dtype=float))) if array.size else NONE


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def _row(name: str, array: np.ndarray | None, kept: Kept | None = None) -> Sequence[str]:
    if array is None:
        return name, NONE, NONE, NONE, NONE
    if kept and not kept.intact:
        return name, _shape(array.shape), OVERWRITTEN, "", ""
    sizes = np.abs(array.astype(float))
    return (
        name,
        _shape(array.shape),
        _size(array),
        number(float(sizes.max(initial=0))),
        number(float(np.sqrt((sizes**2).sum()))),
    )
