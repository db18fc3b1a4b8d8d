"""What goes through the layers of a network, forward and backward, taken down while it runs.

A hook before each call gives the layer a view of its input, so that what comes back to that view is from this layer
alone, and nothing from others that read the same input. One after it keeps what went in and came out, and has the
output tell its δ. And each parameter tells its gradient, once in each backward pass, summed over all calls. Tensors are
kept, not copied, but for the parameters and their gradients, which the next step of an optimizer would change, and for
what a layer that works in place is about to overwrite.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from convbp.torch.layers import WAYS, why_not

OVERWRITTEN = "overwritten in place since"


class Kept:
    """A tensor as it was: without a copy, so it knows whether somebody has written into it since; or in one."""

    def __init__(self, tensor: torch.Tensor, copy: bool = False):
        self._of, self._version = tensor.detach(), _version(tensor)
        self.tensor = self._of.clone() if copy else self._of

    @property
    def intact(self) -> bool:
        return self.tensor is not self._of or self.holds(self._of)

    def holds(self, tensor: torch.Tensor) -> bool:
        """Whether it is this tensor, and as it is now."""
        same = tensor.data_ptr() == self._of.data_ptr() and tensor.shape == self._of.shape
        return same and self._version == _version(tensor)


def _version(tensor: torch.Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


Passes = dict[int, torch.Tensor]  # of each backward pass that came by, by its number


@dataclass(eq=False, repr=False)
class Call:
    """One call of a layer: what went in and came out, with which parameters; and for each backward pass the two δ."""

    inputs: Kept
    output: Kept
    parameters: dict[str, Kept]  # and what a normalisation uses, as it was
    graph: bool  # whether anything could come back
    backs: Passes
    deltas: Passes = field(default_factory=dict)

    def missing(self, passes: Sequence[int]) -> str:
        """Why none of these backward passes brought δ; empty if one did."""
        if any(number in self.deltas for number in passes):
            return ""
        if not self.graph:
            return "No δ: it ran without a graph, under no_grad or where nothing asks for a gradient."
        return "No δ: no backward pass that was seen came to what came out; the loss may not depend on it."


@dataclass(eq=False, repr=False)
class Gradients:
    """The gradient of a parameter in each backward pass, and the layers it belongs to."""

    parameter: torch.Tensor  # which keeps its id
    passes: Passes = field(default_factory=dict)
    owners: list[tuple[str, "Recorded"]] = field(default_factory=list)  # each with what it calls the parameter


@dataclass(eq=False, repr=False)
class Recorded:
    """All calls of one layer, and the gradients of its parameters by name."""

    name: str
    module: nn.Module
    calls: list[Call] = field(default_factory=list)
    gradients: dict[str, Gradients] = field(default_factory=dict)

    def label(self, key: str) -> str:
        """What a parameter of such a layer is called."""
        return NAMES.get(type(self.module), NAMES[nn.Conv2d]).get(key, key)


NAMES: dict[type[nn.Module], dict[str, str]] = {
    nn.Conv2d: {"weight": "kernel"},
    nn.Linear: {"weight": "weights"},
    nn.BatchNorm2d: {"weight": "γ", "bias": "β", "running_mean": "running mean", "running_var": "running variance"},
}


@dataclass(eq=False, repr=False)
class Recording:
    """What has been seen so far.

    Attributes
    ----------
    layers : dict of str to Recorded
        In the order of their first calls.
    left_alone : dict of str to str
        The layers that were called and are not of a kind that is seen, and why.
    again : set of int
        The backward passes that were recorded to be differentiated themselves, by ``create_graph=True``.
    """

    model: nn.Module
    layers: dict[str, Recorded] = field(default_factory=dict)
    left_alone: dict[str, str] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)
    passes: list[int] = field(default_factory=list)
    _gradients: dict[int, Gradients] = field(default_factory=dict)
    _handles: list[Any] = field(default_factory=list)
    _begun: dict[str, tuple[Kept, Passes]] = field(default_factory=dict)
    _former: Call | None = None  # the last one that is over

    def passes_of(self, layer: Recorded) -> list[int]:
        """The backward passes that brought δ to a layer, and did not come through gradients that one before made."""
        found, again = [], False
        for number in self.passes:
            if any(number in call.deltas for call in layer.calls):
                found += [] if again else [number]
                again = again or number in self.again
        return found

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hooks on all layers, for as long as this lasts."""
        try:
            for name, module in self.model.named_modules():
                of_another = "parametrizations" in name.split(".")  # what another layer's weight is computed by
                if not of_another and (isinstance(module, tuple(WAYS)) or not any(True for _ in module.children())):
                    before, after = self._hooks(name)
                    self._handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
                    self._handles.append(module.register_forward_hook(after, with_kwargs=True, prepend=True))
            yield
        finally:
            for handle in self._handles:
                handle.remove()
            self._handles.clear()
            self._begun.clear()

    def _hooks(self, name: str) -> tuple[Callable, Callable]:
        def before(module: nn.Module, given: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]] | None:
            key = None if given else "input"
            inputs = given[0] if given else named.get("input")
            in_place = getattr(module, "inplace", False)
            if reason := why_not(module):
                self.left_alone[name] = reason
            if not isinstance(inputs, torch.Tensor) or (reason and not in_place):
                return None
            kept = Kept(inputs, copy=in_place)
            if in_place and self._former and self._former.output.holds(inputs):
                self._former.output = kept
            if reason:
                return None
            _, backs = self._begun[name] = kept, {}
            if in_place or not (inputs.requires_grad and torch.is_grad_enabled()):
                return None  # a view that is changed in place is another thing to autograd
            seen = inputs.view_as(inputs)
            self._tell(seen, backs)
            return ((seen, *given[1:]), named) if key is None else (given, {**named, key: seen})

        def after(module: nn.Module, given: tuple, named: dict[str, Any], output: Any) -> None:
            begun = self._begun.pop(name, None)
            output = output[0] if isinstance(output, tuple) else output  # MaxPool2d(return_indices=True) has two
            if begun is None or not isinstance(output, torch.Tensor):
                return
            (inputs, backs), layer = begun, self.layers.setdefault(name, Recorded(name, module))
            call = Call(inputs, Kept(output), self._parameters(layer), output.requires_grad, backs)
            layer.calls.append(call)
            self._former = call
            if call.graph:
                self._tell(output, call.deltas)
                if getattr(module, "inplace", False) and output.grad_fn is not None:
                    self._handles.append(output.grad_fn.register_hook(lambda back, _: self._put(back[0], backs)))

        return before, after

    def _parameters(self, layer: Recorded) -> dict[str, Kept]:
        """A copy of each parameter, and of what a normalisation uses; once as long as they are the same."""
        module, found = layer.module, {}
        fixed = getattr(module, "running_mean", None) is not None and not module.training
        for name in ("weight", "bias", *(("running_mean", "running_var") if fixed else ())):
            tensor = getattr(module, name, None)
            if tensor is None:
                continue
            kept = layer.calls[-1].parameters.get(name) if layer.calls else None
            found[name] = kept if kept and kept.holds(tensor) else Kept(tensor, copy=True)
            if tensor.requires_grad and torch.is_grad_enabled():
                self._watch(layer, name, tensor)
        return found

    def _watch(self, layer: Recorded, name: str, tensor: torch.Tensor) -> None:
        if id(tensor) not in self._gradients:
            self._gradients[id(tensor)] = Gradients(tensor)
            self._tell(tensor, self._gradients[id(tensor)].passes, copy=True)
        layer.gradients[name] = self._gradients[id(tensor)]
        if (name, layer) not in layer.gradients[name].owners:
            layer.gradients[name].owners.append((name, layer))

    def _tell(self, tensor: torch.Tensor, into: Passes, copy: bool = False) -> None:
        self._handles.append(tensor.register_hook(lambda gradient: self._put(gradient, into, copy)))

    def _put(self, gradient: torch.Tensor | None, into: Passes, copy: bool = False) -> None:
        if gradient is not None:  # as it may be where a pass goes through gradients
            into[self._this_pass()] = gradient.detach().clone() if copy else gradient.detach()

    def _this_pass(self) -> int:
        number = torch._C._current_graph_task_id()
        if number not in self.passes:
            self.passes.append(number)
        if torch.is_grad_enabled():
            self.again.add(number)
        return number
