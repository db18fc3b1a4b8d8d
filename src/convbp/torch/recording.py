"""What goes through the layers of a network, forward and backward, taken down while it runs.

A hook before each call gives the layer a view of each tensor that goes in, so that what comes back to that view is from
this layer alone, and nothing from others that read the same tensor. One after it keeps what went in and came out, and
has the output tell its δ. And each parameter tells its gradient, once in each backward pass, summed over all calls:
what stands in ``.grad`` is the sum over all passes since it was last set to zero. Tensors are kept, not copied, but for
the parameters and their gradients, which the next step of an optimizer would change, and for what a layer that works in
place is about to overwrite.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.utils import _pytree as pytree

from convbp.torch.layers import why_not

OVERWRITTEN = "overwritten in place since"
NO_GRAPH = "ran without a graph, under no_grad or where nothing asks for a gradient"


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
class Flow:
    """A tensor at one end of a layer: what went there forward, and what came back in each backward pass."""

    kept: Kept
    deltas: Passes = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class Call:
    """One call of a layer: what went in and came out, with the δ at both ends, and with which parameters."""

    inputs: list[Flow]
    outputs: list[Flow]
    parameters: dict[str, Kept]  # and what a normalisation uses, as it was
    graph: bool  # whether anything could come back
    why_not: str  # why it is not computed again; empty if it is

    def reached(self, number: int) -> bool:
        """Whether a backward pass came to what came out."""
        return any(number in flow.deltas for flow in self.outputs)

    def missing(self, passes: Sequence[int]) -> str:
        """Why none of these backward passes brought δ; empty if one did."""
        if any(self.reached(number) for number in passes):
            return ""
        if not self.graph:
            return f"No δ: it {NO_GRAPH}."
        return "No δ: no backward pass that was seen came to what came out; the loss may not depend on it."


@dataclass(eq=False, repr=False)
class Gradients:
    """The gradient of a parameter in each backward pass, and the layers it belongs to."""

    parameter: torch.Tensor  # which keeps its id
    watched: bool = False
    passes: Passes = field(default_factory=dict)
    owners: list[tuple[str, "Recorded"]] = field(default_factory=list)  # each with what it calls the parameter


@dataclass(eq=False, repr=False)
class Recorded:
    """All calls of one layer, and the gradients of its parameters by name."""

    name: str
    module: nn.Module
    calls: list[Call] = field(default_factory=list)
    gradients: dict[str, Gradients] = field(default_factory=dict)


def label(module: nn.Module, key: str) -> str:
    """What a parameter of such a layer is called."""
    return next((names.get(key, key) for kinds, names in NAMES.items() if isinstance(module, kinds)), key)


_NORM = {"weight": "γ", "bias": "β", "running_mean": "running mean", "running_var": "running variance"}
NAMES: dict[Any, dict[str, str]] = {
    (nn.Conv2d, nn.ConvTranspose2d): {"weight": "kernel"},
    nn.Linear: {"weight": "weights"},
    (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm): _NORM,
}


@dataclass(eq=False, repr=False)
class Recording:
    """What has been seen so far.

    Attributes
    ----------
    only : tuple of str
        Patterns: one has to fit the name of a layer, or of a part of the network that it lies in. None: all layers.
    layers : dict of str to Recorded
        In the order in which their first calls ended.
    again : set of int
        The backward passes that were recorded to be differentiated themselves, by ``create_graph=True``.
    transformed : bool
        Whether a layer was called inside of a function that torch.func transforms, where hooks see no numbers.
    """

    model: nn.Module
    only: tuple[str, ...] = ()
    layers: dict[str, Recorded] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)
    passes: list[int] = field(default_factory=list)
    transformed: bool = False
    _gradients: dict[int, Gradients] = field(default_factory=dict)
    _handles: list[Any] = field(default_factory=list)
    _flows: dict[int, list[Flow]] = field(default_factory=dict)  # by the address of what went there forward
    _view: tuple[Any, Any, list[Flow]] = (None, None, [])  # the last that a layer was given, of what, and where it went

    def modules(self) -> dict[str, nn.Module]:
        """The layers that are looked at: without a part of their own, or with parameters of their own."""
        found: dict[nn.Module, list[str]] = {}
        for name, module in self.model.named_modules(remove_duplicate=False):
            if "parametrizations" not in name.split("."):  # what another layer's weight is computed by
                found.setdefault(module, []).append(name)
        return {
            names[0]: module
            for module, names in found.items()
            if any(map(self.chosen, names))
            and not isinstance(module, nn.ModuleList | nn.ModuleDict)
            and not (next(module.children(), None) and next(module.parameters(recurse=False), None) is None)
        }

    def chosen(self, name: str) -> bool:
        """Whether a layer is one of those that were asked for, or in one of them."""
        parts = [name, *accumulate(name.split("."), "{}.{}".format)]
        return not self.only or any(fnmatchcase(part, pattern) for part in parts for pattern in self.only)

    def passes_of(self, layer: Recorded) -> list[int]:
        """The backward passes that brought δ to a layer, and did not come through gradients that one before made."""
        found, again = [], False
        for number in self.passes:
            if any(call.reached(number) for call in layer.calls):
                found += [] if again else [number]
                again = again or number in self.again
        return found

    def no_backward(self) -> str:
        """Say why there is no backward pass, if there is none."""
        calls = [call for layer in self.layers.values() for call in layer.calls]
        if calls and not any(call.graph for call in calls):
            return f"No backward pass was seen: the model {NO_GRAPH}."
        return "No backward pass was seen: call loss.backward() inside the with block."

    def uncalled(self) -> dict[str, dict[str, torch.Tensor]]:
        """The layers that were not called, with the last gradients of their parameters: these were used past it."""
        found = {}
        for name, module in self.modules().items():
            if name not in self.layers:
                told = {key: self._gradients.get(id(tensor)) for key, tensor in own_parameters(module)}
                found[name] = {key: list(one.passes.values())[-1] for key, one in told.items() if one and one.passes}
        return found

    def shared_outside(self, gradients: Gradients) -> bool:
        """Whether a parameter also belongs to a layer that is not looked at."""
        if not self.only:
            return False
        others = set(self.model.modules()) - set(self.modules().values())
        return any(one is gradients.parameter for other in others for _, one in own_parameters(other))

    def kept(self) -> int:
        """How many bytes are kept: each storage once, whoever else keeps it."""
        calls = [call for layer in self.layers.values() for call in layer.calls]
        flows = [flow for call in calls for flow in (*call.inputs, *call.outputs)]
        kept = [flow.kept for flow in flows] + [one for call in calls for one in call.parameters.values()]
        passes = [flow.deltas for flow in flows] + [one.passes for one in self._gradients.values()]
        tensors = [one.tensor for one in kept] + [tensor for one in passes for tensor in one.values()]
        storages = [tensor.untyped_storage() for tensor in tensors if tensor.layout == torch.strided]
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hooks on all layers, for as long as this lasts."""
        try:
            with _uncompiled():
                for name, module in self.modules().items():
                    if isinstance(module, torch.jit.ScriptModule):
                        continue  # which takes no hooks
                    before, after = self._hooks(name)
                    self._handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
                    self._handles.append(module.register_forward_hook(after, with_kwargs=True, prepend=True))
                    for _, tensor in own_parameters(module):
                        self._watch(tensor)
                yield
        finally:
            for handle in self._handles:
                handle.remove()
            self._handles.clear()
            self._flows.clear()
            self._view = None, None, []

    def _hooks(self, name: str) -> tuple[Callable, Callable]:
        begun: list[tuple[list[Flow], Any]] = []  # of calls that have not ended, as a layer may call itself

        def before(module: nn.Module, given: tuple, named: dict[str, Any]) -> tuple[tuple, dict[str, Any]] | None:
            if _transformed():
                self.transformed = True
                return None
            in_place = getattr(module, "inplace", False)
            entered: dict[int, tuple[Flow, torch.Tensor]] = {}  # what goes in twice is still one tensor

            def enter(tensor: torch.Tensor) -> torch.Tensor:
                if not _plain(tensor):
                    return tensor
                if id(tensor) not in entered:
                    entered[id(tensor)] = (self._enter_in_place if in_place else self._enter)(tensor)
                return entered[id(tensor)][1]

            if len(given) == 1 and isinstance(given[0], torch.Tensor) and not named:  # which is faster
                changed = (enter(given[0]),), named
            else:
                changed = pytree.tree_map_only(torch.Tensor, enter, (given, named))
            flows = [flow for flow, _ in entered.values()]
            begun.append((flows, next((one.grad_fn for _, one in entered.values() if in_place), None)))
            return changed

        def after(module: nn.Module, given: tuple, named: dict[str, Any], output: Any) -> None:
            if not begun or _transformed():
                return
            (inputs, source), layer = begun.pop(), self.layers.setdefault(name, Recorded(name, module))
            leaves = [output] if isinstance(output, torch.Tensor) else pytree.tree_leaves(output)
            tensors = [one for one in leaves if isinstance(one, torch.Tensor) and _plain(one)]
            outputs = [self._flow(tensor) for tensor in tensors]
            graph = any(tensor.requires_grad for tensor in tensors)
            why = why_not(module, {flow.kept.tensor.dtype for flow in (*inputs[:1], *outputs[:1])})
            why = why or ("" if inputs and outputs else "no array went through, but a sparse or nested tensor")
            layer.calls.append(Call(inputs, outputs, self._parameters(layer), graph, why))
            for tensor, flow in zip(tensors, outputs, strict=True):
                if tensor.requires_grad:
                    self._tell(tensor, flow.deltas)
                if tensor is self._view[0]:
                    self._view[2].append(flow)
            if source and tensors:
                self._tell_in_place(tensors[0], source, inputs[0].deltas)

        return before, after

    def _flow(self, tensor: torch.Tensor, copy: bool = False) -> Flow:
        flow = Flow(Kept(tensor, copy))
        self._flows.setdefault(tensor.data_ptr(), []).append(flow)
        return flow

    def _enter(self, tensor: torch.Tensor) -> tuple[Flow, torch.Tensor]:
        """A view, which has a δ of its own."""
        flow = self._flow(tensor)
        if not (tensor.requires_grad and torch.is_grad_enabled()):
            return flow, tensor
        view = tensor.view_as(tensor)
        self._tell(view, flow.deltas)
        _, of, flows = self._view if tensor is self._view[0] else (None, tensor, [])
        self._view = view, of, [*flows, flow]
        return flow, view

    def _enter_in_place(self, tensor: torch.Tensor) -> tuple[Flow, torch.Tensor]:
        """A copy of what will be overwritten, for all that have it; and no view, which is another thing to autograd.

        A layer that does nothing, such as Identity, has returned the view that it was given: then that of which it is.
        """
        flow = self._flow(tensor, copy=True)
        for other in self._flows[tensor.data_ptr()]:
            if other.kept.holds(tensor):
                other.kept = flow.kept
        if tensor is self._view[0]:
            _, tensor, through = self._view
            for before in through:
                before.deltas = flow.deltas
        return flow, tensor

    def _tell_in_place(self, output: torch.Tensor, source: Any, into: Passes) -> None:
        """Of a layer that works in place: what it sends back, where autograd has one step for it, or none."""
        step = output.grad_fn
        if step is source:
            self._tell(output, into)
        elif step is not None and step.next_functions[:1] == ((source, 0),):
            self._handles.append(step.register_hook(lambda back, _: self._put(back[0], into)))

    def _parameters(self, layer: Recorded) -> dict[str, Kept]:
        """A copy of each parameter, and of what a normalisation uses; once as long as they are the same.

        A weight that is no parameter has been computed from some before the call, as pruning does.
        """
        module, found = layer.module, {}
        given = dict(own_parameters(module))
        for name in ("weight", "bias"):
            if isinstance(computed := vars(module).get(name), torch.Tensor):
                given[name] = computed
        if getattr(module, "running_mean", None) is not None and not module.training:
            given |= {"running_mean": module.running_mean, "running_var": module.running_var}
        for name, tensor in given.items():
            kept = layer.calls[-1].parameters.get(name) if layer.calls else None
            found[name] = kept if kept and kept.holds(tensor) else Kept(tensor, copy=True)
            if tensor.requires_grad and torch.is_grad_enabled():
                layer.gradients[name] = self._watch(tensor)
                if (name, layer) not in layer.gradients[name].owners:
                    layer.gradients[name].owners.append((name, layer))
        return found

    def _watch(self, tensor: torch.Tensor) -> Gradients:
        found = self._gradients.setdefault(id(tensor), Gradients(tensor))
        if tensor.requires_grad and not found.watched and not nn.parameter.is_lazy(tensor):
            found.watched = True
            self._tell(tensor, found.passes, copy=True)
        return found

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


def own_parameters(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters that a layer has itself, and those that they are computed from."""
    return module.named_parameters(recurse=parametrize.is_parametrized(module))


def _plain(tensor: torch.Tensor) -> bool:
    """Whether it is an array, and neither sparse nor nested."""
    return tensor.layout == torch.strided and not tensor.is_nested


def _transformed() -> bool:
    return torch._C._functorch.peek_interpreter_stack() is not None


def _uncompiled() -> AbstractContextManager:
    """What torch.compile has made runs as it was written: compiled code runs past hooks."""
    compiled = "torch._dynamo" in sys.modules  # which takes seconds to load
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()
