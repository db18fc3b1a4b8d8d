"""A state of an explorer: a frozen dataclass whose fields say what they may hold."""

from copy import copy
from dataclasses import dataclass, field, fields
from inspect import Parameter, Signature, signature
from textwrap import fill
from typing import Any, ClassVar, Self

from convbp.explorers.controls.control import Control
from convbp.explorers.states.fields import Array, Kind
from convbp.pictures.scene import Selection

ANYWHERE = Selection("", 0, 0)  # no cell yet: the scene begins where it likes


@dataclass(frozen=True, eq=False)
class ExplorerState:
    """What a reader sees and can change, and which cell is chosen.

    Its fields are those of `convbp.explorers.states.fields`, in the order of the explorer's parameters; one with
    ``parameter=False`` is none. What follows from several fields, or has to fit, is the business of ``__post_init__``.
    ``eq=False``, as arrays have no single answer to ``==``.
    """

    explorer: ClassVar[str] = "ExplorerState"  # for messages; `Explorer` sets it
    begins_with: ClassVar[dict[str, Any]] = {}  # what else one begins with where all arrays are the default ones

    selected: Selection = field(default=ANYWHERE, kw_only=True)

    def __post_init__(self) -> None:
        if all(getattr(self, name) is default for name, kind, default in _kinds(type(self)) if isinstance(kind, Array)):
            for own in fields(self):
                if own.name in self.begins_with and getattr(self, own.name) is own.default:
                    object.__setattr__(self, own.name, self.begins_with[own.name])
        for name, _, default in _kinds(type(self)):
            value = getattr(self, name)
            if value is not None or default is not None:
                self.settle(name, value)

    def settle(self, name: str, value: Any) -> None:
        """Keep a value in a field as its `Kind` has it; for ``__post_init__``, where it follows from other fields."""
        kind: Kind = type(self).__dataclass_fields__[name].metadata["kind"]
        object.__setattr__(self, name, kind.check(self, name, value))

    def choosing(self, selected: Selection) -> Self:
        """The same with another cell chosen, which asks for no check of the rest."""
        state = copy(self)
        object.__setattr__(state, "selected", selected)
        return state

    def controls(self) -> list[Control]:
        """New controls for its fields, in their order."""
        return [control for name, kind, _ in _kinds(type(self)) for control in kind.controls(self, name)]

    @classmethod
    def changeable(cls) -> list[str]:
        """The names of the fields that `Explorer.update` takes; what has no `Kind` is the state's own business."""
        return [*(name for name, _, _ in _kinds(cls)), "selected"]

    @classmethod
    def parameters(cls) -> Signature:
        """The signature of the explorer."""
        positional = [p for p in signature(cls).parameters.values() if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
        return Signature([parameter.replace(annotation=Parameter.empty) for parameter in positional])

    @classmethod
    def documented(cls, summary: str) -> str:
        """The docstring of the explorer."""
        entries = []
        for name, kind, default in _kinds(cls):
            if kind.parameter:
                text = " ".join(filter(None, (kind.limits(), kind.doc)))
                entries.append(f"{name} : {kind.type()}{', optional' if default is None else ''}")
                entries += [fill(text, 112, initial_indent="    ", subsequent_indent="    ")] if text else []
        return "\n".join([summary.rstrip(), "", "Parameters", "----------", *entries, "", *RAISES])


RAISES = (
    "Raises",
    "------",
    "TypeError, ValueError",
    "    If there is no picture of what came in. Later, `update` with such a value raises nothing: it keeps the last",
    "    good picture and says above it what was expected.",
)


def _kinds(state: type[ExplorerState]) -> list[tuple[str, Kind, Any]]:
    """The fields that say what they may hold: name, kind and default."""
    return [(f.name, f.metadata["kind"], f.default) for f in fields(state) if "kind" in f.metadata]
