"""What was seen of a network, as a reader looks at it: tables, checks, a plot of the δ, the explorer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from convbp.notation import number
from convbp.shapes import as_real
from convbp.torch.checking import Check, checked, not_recomputed
from convbp.torch.recording import OVERWRITTEN, Call, Flow, Kept, Recorded, Recording, label
from convbp.torch.table import NONE, Table, listed

if TYPE_CHECKING:
    from convbp.explorers import DeltaFlow
    from convbp.pictures.plots import Plot

MODEL = "the model"  # its name is empty
SELF = f"'' ({MODEL})"
LISTS = nn.ParameterList | nn.ParameterDict


@dataclass(eq=False, repr=False)
class Seen(Table):
    """What went through a network while it was captured: ``seen["features.3"]`` is one layer of it.

    Printed it is an overview of all layers in the order in which their first calls ended: with the mean |δ| at the
    output and as sent back, the mean |gradient| of each parameter, and whether ``check()`` computes the layer again.
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

    def check(self, *, tolerance: float | None = None) -> "Check":
        """Check all layers, as `SeenLayer.check` does one.

        Parameters
        ----------
        tolerance : float, optional
            As there.

        Returns
        -------
        Check

        Raises
        ------
        RuntimeError
            If no layer was seen, or no backward pass where there could have been one.
        TypeError, ValueError
            If ``tolerance`` is not between 0 and 1.
        """
        layers = [self[name] for name in self]
        if not layers:
            raise RuntimeError(f"capture: no layer was seen. {self._hint()}")
        parts = [layer.check(tolerance=tolerance) for layer in layers]
        both = list(zip(layers, parts, strict=True))
        rows = [row._replace(name=f"{part.name}: {row.name}") for _, part in both for row in part.rows]
        notes: dict[str, list[str]] = {}  # each with the layers that it is of
        for layer, part in both:
            for note in part.notes:
                if note != not_recomputed(layer.why_not):
                    notes.setdefault(note, []).append(part.name)
        own = [f"{listed(names)}: {note}" for note, names in notes.items()]
        return Check("all layers", rows, [*own, *self._not_recomputed()], tolerance)

    def plot(self) -> "Plot":
        """Plot the mean |δ| at both ends of each layer, in the order of the overview, on a logarithmic axis.

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
        from convbp.torch.plot import plot

        ends = {name: (_mean(self[name].deltas), _mean(self[name].deltas_back)) for name in self}
        if not any(mean for both in ends.values() for mean in both):
            raise RuntimeError(f"seen.plot: no δ came to any layer. {self._recording.no_backward()}")
        return plot({name or MODEL: both for name, both in ends.items()})

    def _hint(self) -> str:
        if self._recording.modules():
            return "Call the model inside the with block."
        return "It has no layer: neither a module without parts nor one with parameters of its own."

    def _why_not(self, name: str, module: Any) -> str:
        found, seen = self._recording, f"Seen are: {listed([own or SELF for own in self])}."
        if module is None:
            return f"capture: the model has no layer {name!r}. {self._meant(name)}{seen}"
        kind = type(module).__name__
        if inside := [own for own in self if own.startswith(f"{name}.")]:
            return f"capture: {name!r} is a {kind} of other layers; of these were seen: {listed(inside)}."
        if not found.chosen(name):
            return f"capture: {name!r}, {kind}, is not among the layers asked for, only={list(found.only)}. {seen}"
        if isinstance(module, LISTS):
            return f"capture: {name!r} is a {kind}, which is not called; the overview has its gradients. {seen}"
        if gradients := self._uncalled().get(name):
            return f"capture: {name!r}, {kind}: {PAST_IT} A gradient came to: {_sizes(gradients)}. {seen}"
        return f"capture: {name!r}, {kind}, was not called inside the with block. {seen}"

    def _meant(self, name: str) -> str:
        if name in dict(self._recording.model.named_parameters()):
            layer, _, parameter = name.rpartition(".")
            return f"It is the parameter {parameter!r} of a layer: ask for that, seen[{layer!r}]. "
        near = get_close_matches(name, dict(self._recording.model.named_modules()), 1)
        return f"Did you mean {near[0]!r}? " if near else ""

    def _title(self) -> str:
        layers = f"{len(self)} layer{'s' * (len(self) != 1)} seen"
        size = float(f"{self._recording.kept() / 1e6:.2g}")
        return f"{type(self._recording.model).__name__}: {layers}, {number(size)} MB kept"

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [
            ("layer", "kind", "came out", "mean |δ| at output", "mean |δ| sent back", "mean |gradient|", "check()")
        ]
        for name in self:
            layer = self[name]
            times = f", {len(layer.calls)} calls" if len(layer.calls) > 1 else ""
            shape = NONE if layer.outputs is None else _shape(layer.outputs.shape)
            sizes = _size(layer.deltas), _size(layer.deltas_back), _sizes(layer.gradients) or NONE
            check = "not recomputed" if layer.why_not else "recomputed"
            rows.append((name or MODEL, layer.kind + times, shape, *sizes, check))
        for name, gradients in self._uncalled().items():
            if gradients:
                kind = f"{self._kind(name)}, not called"
                rows.append((name or MODEL, kind, NONE, NONE, NONE, _sizes(gradients), "not recomputed"))
        return rows

    def _notes(self) -> list[str]:
        found, notes = self._recording, []
        if not found.passes:
            notes.append(found.no_backward())
        if (count := max([len(found.passes_of(layer)) for layer in found.layers.values()], default=0)) > 1:
            notes.append(
                f"{count} backward passes were seen: a δ is of the last that came there, a gradient of the last "
                "alone; .grad has the sum of all since it was set to zero."
            )
        if found.transformed:
            notes.append(
                "Not seen: what ran inside of torch.func (grad, vmap and the like), where hooks have no numbers."
            )
        past = {
            name: gradients
            for name, gradients in self._uncalled().items()
            if not isinstance(found.model.get_submodule(name), LISTS)
        }
        if used := [name or MODEL for name, gradients in past.items() if gradients]:
            notes.append(f"{listed(used)}: {PAST_IT}")
        if unused := [f"{name or MODEL} ({self._kind(name)})" for name, gradients in past.items() if not gradients]:
            notes.append(f"Not called inside the with block: {listed(unused)}.")
        return notes + self._not_recomputed()

    def _uncalled(self) -> dict[str, dict[str, np.ndarray]]:
        """The layers that were not called, with the gradients of their parameters."""
        found = self._recording.uncalled()
        module = self._recording.model.get_submodule
        return {
            name: {label(module(name), key): _native(tensor) for key, tensor in told.items()}
            for name, told in found.items()
        }

    def _kind(self, name: str) -> str:
        return type(self._recording.model.get_submodule(name)).__name__

    def _not_recomputed(self) -> list[str]:
        reasons: dict[str, list[str]] = {}
        for name in self:
            if reason := self[name].why_not:
                reasons.setdefault(reason, []).append(f"{name or MODEL} ({self[name].kind})")
        return [f"Not recomputed, {reason}: {listed(names)}." for reason, names in reasons.items()]


PAST_IT = (
    "its parameters were used past it, as by F.conv2d(x, layer.weight). Only a call is seen, layer(x): there is no δ "
    "to show, and nothing to recompute."
)


@dataclass(eq=False, repr=False)
class SeenLayer(Table):
    """One layer: what went in, its parameters, what came out, δ at both ends, and the gradients.

    Printed it is a table of shapes and sizes. The arrays are NumPy's, in PyTorch's order of the axes. If a layer was
    called several times, ``calls`` are its calls, and an array is that of the last; the gradient of a parameter is
    summed over all of them. If several backward passes came to it, ``passes`` are these, and δ and gradients are those
    of the last; ``.grad`` has the sum. A pass that goes through gradients, after ``create_graph=True``, has terms that
    are no layer's own, and does not count. If several tensors go in or come out, an array is that of the first.
    """

    _recording: Recording
    _recorded: Recorded
    _call: Call | None = None
    _pass: int | None = None

    @property
    def name(self) -> str:
        """As in ``model.named_modules()``."""
        return self._recorded.name

    @property
    def module(self) -> nn.Module:
        """The layer itself."""
        return self._recorded.module

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type(self.module).__name__

    @property
    def calls(self) -> list["SeenLayer"]:
        """Its calls, each as if it were the only one."""
        return [replace(self, _call=call) for call in self._calls]

    @property
    def passes(self) -> list["SeenLayer"]:
        """The backward passes that came to it, each as if it were the only one."""
        return [replace(self, _pass=number) for number in self._passes()]

    @property
    def why_not(self) -> str:
        """Why ``check()`` does not compute its last call again; empty if it does."""
        return self._last.why_not

    @property
    def inputs(self) -> np.ndarray | None:
        """What went in; None if it was no tensor."""
        return next((_native(flow.kept.tensor) for flow in self._last.inputs), None)

    @property
    def outputs(self) -> np.ndarray | None:
        """What came out; None if it was no tensor."""
        return next((_native(flow.kept.tensor) for flow in self._last.outputs), None)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Its parameters as they were in the forward pass: kernel and bias, or what they are called in such a layer."""
        return {label(self.module, key): _native(kept.tensor) for key, kept in self._last.parameters.items()}

    @property
    def delta(self) -> np.ndarray | None:
        """δ at its output, ∂E/∂(what came out); None if none came."""
        return next((self._of_pass(flow.deltas) for flow in self._last.outputs), None)

    @property
    def delta_back(self) -> np.ndarray | None:
        """δ at its input: what this layer alone sends back; None if nothing asked for it."""
        return next((self._of_pass(flow.deltas) for flow in self._last.inputs), None)

    @property
    def deltas(self) -> np.ndarray:
        """All entries of δ at its outputs, of all calls in a row."""
        return self._entries([flow for call in self._calls for flow in call.outputs])

    @property
    def deltas_back(self) -> np.ndarray:
        """All entries of δ at its inputs, of all calls in a row."""
        return self._entries([flow for call in self._calls for flow in call.inputs])

    @property
    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of its parameters, summed over all calls, as autograd has them."""
        found = {label(self.module, key): self._of_pass(one.passes) for key, one in self._recorded.gradients.items()}
        return {name: gradient for name, gradient in found.items() if gradient is not None}

    def check(self, *, tolerance: float | None = None) -> "Check":
        """Compute the layer again, in float64 and by this package alone, and compare with what PyTorch has.

        Of what ran without a graph, as under ``no_grad``, only what came out is compared.

        Parameters
        ----------
        tolerance : float, optional
            How far an entry may be off, relative to the largest of its array, as `convbp.diagnose` has it. If left out,
            as far as rounding can take it: that of the coarsest dtype which went in, came out or came back.

        Returns
        -------
        Check
            With ``agrees``; printed it is a table of both sides. Of a layer that is not recomputed it has no row, and
            says why.

        Raises
        ------
        RuntimeError
            If no backward pass was seen, though there could have been one.
        TypeError, ValueError
            If ``tolerance`` is not between 0 and 1.
        """
        who = f"{self.name or MODEL}.check"
        if tolerance is not None:
            expected = "number between 0 and 1, relative to the largest entry, such as 0.01"
            tolerance = as_real(who, "tolerance", tolerance, expected, lambda value: 0 < value < 1)
        if not self._recording.passes and any(call.graph for call in self._calls):
            raise RuntimeError(f"{who}: there is nothing to compare. {self._recording.no_backward()}")
        return checked(self.name, self._recorded, self._calls, self._passes(), tolerance, self._recording)

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
            If it is a layer of another kind, or a Conv2d that ``check()`` does not recompute.
        ValueError
            If there is no such image, channel, filter or part, or the kernel is larger than 5×5.
        RuntimeError
            If no δ came.
        ModuleNotFoundError
            If what the pictures need is not installed.
        """
        name = self.name or MODEL
        if not isinstance(self.module, nn.Conv2d):
            raise TypeError(
                f"{name}.delta_flow: the layer is a {self.kind}; expected a Conv2d, whose δ come back as the explorer "
                f"shows it."
            )
        if self.why_not:
            raise TypeError(
                f"{name}.delta_flow: the layer is a {self.kind}, {self.why_not}; expected a Conv2d, whose δ come back "
                f"as the explorer shows it."
            )
        delta = self.delta
        if delta is None:
            why = self._last.missing(self._passes()) if self._recording.passes else self._recording.no_backward()
            raise RuntimeError(f"{name}.delta_flow: there is no δ to show. {why}")
        from convbp.torch.flow import of_part

        inputs = _native(self._last.inputs[0].kept.tensor)
        if inputs.ndim == 3:  # one image without a batch
            inputs, delta = inputs[None], delta[None]
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
        return self._recording.passes_of(self._recorded) if self._pass is None else [self._pass]

    def _of_pass(self, passes: dict[int, torch.Tensor]) -> np.ndarray | None:
        there = [number for number in self._passes() if number in passes]
        return _native(passes[there[-1]]) if there else None

    def _entries(self, flows: Sequence[Flow]) -> np.ndarray:
        found = [delta.ravel() for flow in flows if (delta := self._of_pass(flow.deltas)) is not None]
        return np.concatenate([np.zeros(0), *found])

    def _title(self) -> str:
        count, passes = len(self._recorded.calls), self._recording.passes_of(self._recorded)
        times = f"call {self._recorded.calls.index(self._call) + 1} of {count}" if self._call else f"{count} calls"
        title = f"{self.name or MODEL}: {self.module!r}" + (f", {times}" if count > 1 else "")
        if len(passes) > 1:
            at = len(passes) if self._pass is None else passes.index(self._pass) + 1
            title += f", backward pass {at} of {len(passes)}"
        return title

    def _rows(self) -> list[Sequence[str]]:
        rows: list[Sequence[str]] = [("", "shape", "mean |·|", "largest |·|", "norm")]
        for at, call in enumerate(self._calls, 1):
            of = f", call {at}" if len(self._calls) > 1 else ""
            into, out = (
                [(of + (f", tensor {n}" if len(flows) > 1 else ""), flow) for n, flow in enumerate(flows, 1)]
                for flows in (call.inputs, call.outputs)
            )
            for what, ends in (("went in", into), ("came out", out)):
                rows += [_row(f"{what}{which}", _native(flow.kept.tensor), flow.kept) for which, flow in ends]
            for what, ends in (("δ at the output", out), ("δ sent back", into)):
                rows += [_row(f"{what}{which}", self._of_pass(flow.deltas)) for which, flow in ends]
        gradients = self.gradients
        for name, value in self.parameters.items():
            rows.append(_row(name, value))
            if name in gradients:
                rows.append(_row(f"gradient of {name}", gradients[name]))
        return rows

    def _notes(self) -> list[str]:
        notes = [not_recomputed(self.why_not)] if self.why_not else []
        if not self._recording.passes:
            return [*notes, self._recording.no_backward()]
        return notes + [why for one in self.calls if (why := one._last.missing(self._passes()))]


def _native(tensor: torch.Tensor) -> np.ndarray:
    """The tensor in its own dtype, where NumPy has that, else in float32."""
    tensor = tensor.detach().cpu()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _mean(array: np.ndarray) -> float | None:
    return float(np.abs(array).mean(dtype=float)) if array.size else None


def _size(array: np.ndarray) -> str:
    mean = _mean(array)
    return NONE if mean is None else number(mean)


def _sizes(gradients: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name} {_size(gradient)}" for name, gradient in gradients.items())


def _shape(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "a number"


def _row(name: str, array: np.ndarray | None, kept: Kept | None = None) -> Sequence[str]:
    if array is None:
        return name, NONE, NONE, NONE, NONE
    if kept and not kept.intact:
        return name, _shape(array.shape), OVERWRITTEN, "", ""
    sizes = np.abs(array).astype(float)
    return (
        name,
        _shape(array.shape),
        _size(array),
        number(float(sizes.max(initial=0))),
        number(float(np.sqrt((sizes**2).sum()))),
    )
