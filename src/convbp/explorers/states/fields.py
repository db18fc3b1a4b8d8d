"""What a field of a state may hold. It is said once, and checks, signature, docstring and control follow.

    image: np.ndarray = array(IMAGE, largest=16)
    kernel: np.ndarray = array(KERNEL, largest=5, sliders="K")
    mode: str = choice("valid", ["valid", "full"])
    covered: bool = tick(False, label="cover the output")

Each of these is a `dataclasses.field` with that default (None where it may be left out), and with a `Kind` in its
metadata that knows the rest and has the other arguments. What is refused raises `TypeError` or `ValueError`, in a
sentence that says what came, what was expected and a hint.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from numbers import Integral, Rational
from operator import index
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import ipywidgets as widgets
import numpy as np

from convbp.activations import Activation, identity, leaky_relu, relu, sigmoid, softplus, tanh
from convbp.explorers.controls.alike import made
from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.control import Change, Control, buttons, menu
from convbp.explorers.controls.kernel_presets import preset_choice
from convbp.explorers.controls.number_slider import NumberSlider
from convbp.explorers.controls.pair_slider import pair_slider
from convbp.explorers.controls.step_player import StepPlayer
from convbp.notation import subscripted
from convbp.pictures.scene import rows_of
from convbp.shapes import as_numbers, as_pair

if TYPE_CHECKING:
    from convbp.explorers.states.state import ExplorerState

LARGEST_NUMBER = 10**15
ACTIVATIONS = {f.name: f for f in (identity, relu, leaky_relu, sigmoid, tanh, softplus)}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a field may hold.

    Attributes
    ----------
    doc : str
        What it means, for the docstring of the explorer.
    label : str
        What its control is called; empty for the name of the field.
    change : callable, optional
        ``change(state, value)`` is the state after its control has moved, if other fields change with it.
    parameter : bool
        Whether it is a parameter of the explorer.
    """

    doc: str = ""
    label: str = ""
    change: Change | None = None
    parameter: bool = True

    def check(self, state: "ExplorerState", name: str, value: Any) -> Any:
        """Return the value as the state keeps it; in ``state`` the fields above this one are checked already."""
        raise NotImplementedError

    def type(self) -> str:
        """What the docstring calls it."""
        raise NotImplementedError

    def limits(self) -> str:
        """A sentence for the docstring, or nothing."""
        return ""

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        """What moves it; nothing if only `Explorer.update` does."""
        return []


Options = ParamSpec("Options")


def declares(kind: Callable[Options, Kind]) -> Callable[Concatenate[Any, Options], Any]:
    """Return a function that makes a field: of its default, and of the arguments of the kind."""

    def declare(default: Any, /, *arguments: Options.args, **options: Options.kwargs) -> Any:
        made = kind(*arguments, **options)
        return dataclasses.field(default=default, kw_only=not made.parameter, metadata={"kind": made})

    return declare


# Arrays


def readable(explorer: str, name: str, array: Any, largest: int = 16) -> np.ndarray:
    """Return a copy of a 2-D array, for a picture: nobody can change it, and its products do not overflow.

    Floats are taken in double precision, integers and Fractions as Python's own, and any other number as a float.

    Parameters
    ----------
    explorer, name : str
        For messages: who asks for the array, and what it is called there.
    array : array_like, shape=(H, W)
    largest : int
        At most so many rows and columns.

    Raises
    ------
    TypeError, ValueError
        If it is not a 2-D array of finite real numbers, or one that could not be read.
    """
    array = as_numbers(explorer, name, array, "HW")
    if max(array.shape) > largest:
        raise ValueError(
            f"{explorer}: {name} has shape {array.shape}; expected at most {largest}×{largest}, "
            f"or its numbers could not be read. Show a part of it: {name}[:{largest}, :{largest}]."
        )
    try:
        entries = [_as_python(entry) for entry in array.flat]
    except (TypeError, ValueError, ArithmeticError):
        raise TypeError(
            f"{explorer}: {name} has an entry that is no real number; expected integers, floats or Fractions."
        ) from None
    if any(entry != entry for entry in entries):
        raise ValueError(f"{explorer}: {name} has an entry that is NaN; expected finite numbers.")
    if any(not -LARGEST_NUMBER <= entry <= LARGEST_NUMBER for entry in entries):
        raise ValueError(
            f"{explorer}: {name} has an entry beyond ±{LARGEST_NUMBER:.0e}; expected smaller ones, "
            f"or its numbers could not be read. Divide {name} by a power of ten."
        )
    kept = np.empty(array.shape, float if array.dtype.kind == "f" else object)
    for at, entry in zip(np.ndindex(array.shape), entries, strict=True):
        kept[at] = entry
    kept.setflags(write=False)
    return kept


def _as_python(entry: Any) -> int | Fraction | float:
    if isinstance(entry, Integral):
        return int(entry)
    if isinstance(entry, Rational):
        return Fraction(int(entry.numerator), int(entry.denominator))
    return float(entry)


@dataclass(frozen=True)
class Array(Kind):
    """A 2-D array of at most so many rows and columns, kept as `readable` returns it.

    ``shape`` is for the docstring. With ``sliders="K"`` each entry has a slider, K₀₀, K₀₁, …; with ``presets=True``
    there is a list of kernels.
    """

    largest: int = 16
    shape: str = "(H, W)"
    sliders: str = ""
    presets: bool = False

    def check(self, state: "ExplorerState", name: str, value: Any) -> np.ndarray:
        return readable(state.explorer, name, value, self.largest)

    def type(self) -> str:
        return f"array_like, shape={self.shape}"

    def limits(self) -> str:
        return f"At most {self.largest}×{self.largest}."

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        presets = [preset_choice(name)] if self.presets else []
        if not self.sliders:
            return presets
        return [*presets, Control.array(name, ArraySliders(self.sliders, rows_of(getattr(state, name))))]


# One of a few values


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few names, in upper or lower case, each with a button.

    ``options`` lists the names, or maps what stands on each button to its name.
    """

    options: Mapping[str, str] | Iterable[str]

    @property
    def named(self) -> dict[str, str]:
        """What stands on each button, and its name."""
        return dict(self.options) if isinstance(self.options, Mapping) else {name: name for name in self.options}

    def check(self, state: "ExplorerState", name: str, value: Any) -> str:
        found = {option.casefold(): option for option in self.named.values()}
        if not isinstance(value, str) or value.casefold() not in found:
            raise ValueError(f"{state.explorer}: {name} is {shown(value)}; expected {_either(self.named.values())}.")
        return found[value.casefold()]

    def type(self) -> str:
        return "{" + ", ".join(f'"{option}"' for option in self.named.values()) + "}"

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        return [Control.field(name, buttons(self.label or name, self.named.items()), self.change)]


@dataclass(frozen=True)
class Function(Kind):
    """An activation function or the name of one, kept as the `Activation`, with a list to choose from."""

    def check(self, state: "ExplorerState", name: str, value: Any) -> Activation:
        if isinstance(value, Activation):
            return value
        if not isinstance(value, str) or value.casefold() not in ACTIVATIONS:
            raise ValueError(
                f"{state.explorer}: {name} is {shown(value)}; expected {_either(ACTIVATIONS)}, or an Activation."
            )
        return ACTIVATIONS[value.casefold()]

    def type(self) -> str:
        return "Activation or {" + ", ".join(f'"{name}"' for name in ACTIVATIONS) + "}"

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        def options(state: "ExplorerState") -> dict[str, Any]:
            own = getattr(state, name)  # of the reader's, perhaps
            return {"options": tuple({**ACTIVATIONS, own.name: own}.items())}

        return [Control.field(name, made(widgets.Dropdown, description=self.label or name), self.change, fit=options)]


@dataclass(frozen=True)
class Tick(Kind):
    """True or False, with a box to tick."""

    def check(self, state: "ExplorerState", name: str, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{state.explorer}: {name} is {shown(value)}; expected True or False.")
        return bool(value)

    def type(self) -> str:
        return "bool"

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        box = made(widgets.Checkbox, description=self.label, indent=False, layout={"width": "auto"})
        return [Control.field(name, box, self.change)]


# Numbers


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from ``least`` to ``most`` or ``most(state)``, with a slider; ``player=True`` if it is a step."""

    least: int
    most: int | Callable[[Any], int]
    player: bool = False

    def check(self, state: "ExplorerState", name: str, value: Any) -> int:
        most = self.most(state) if callable(self.most) else self.most
        asked = f"{name} is {shown(value)}; expected a whole number from {self.least} to {most}."
        try:
            number = None if isinstance(value, bool | np.bool_) else index(value)
        except TypeError:
            number = None
        if number is None:
            raise TypeError(f"{state.explorer}: {asked}")
        if not self.least <= number <= most:
            raise ValueError(f"{state.explorer}: {asked}")
        return number

    def type(self) -> str:
        return "int"

    def limits(self) -> str:
        return "" if callable(self.most) else f"From {self.least} to {self.most}."

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        if self.player:
            widget = StepPlayer(self.label or name, interval=1500)
        else:
            style = {"description_width": "auto"}
            widget = made(widgets.IntSlider, min=self.least, description=self.label or name, style=style)
        most = self.most
        return [
            Control.field(name, widget, self.change, fit=lambda state: {"max": most(state) if callable(most) else most})
        ]


@dataclass(frozen=True)
class Scalar(Kind):
    """One number, whole or not, with a slider of which ``slider`` holds the options of `NumberSlider`."""

    least: float | None = None
    slider: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def check(self, state: "ExplorerState", name: str, value: Any) -> Any:
        array = as_numbers(state.explorer, name, value, None)
        if array.ndim:
            raise ValueError(
                f"{state.explorer}: {name} has shape {array.shape}; expected one number, for example {name}=1. "
                f"{self.doc}".rstrip()
            )
        number = readable(state.explorer, name, [[array.item()]])[0, 0]
        if self.least is not None and number < self.least:
            raise ValueError(f"{state.explorer}: {name} is {number}; expected at least {self.least}.")
        return number

    def type(self) -> str:
        return "number"

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        slider = NumberSlider(0.0, self.label or name, **self.slider)
        return [Control.field(name, slider, self.change)]


@dataclass(frozen=True)
class Pair(Kind):
    """A whole number, or two (rows, columns), kept as two; each has a slider, which goes at most to ``room(state)``.

    With ``names="w"`` it is the index of an entry, and there is a list of them instead: w₀₀, w₀₁, ….
    """

    least: int
    most: int | None = None
    room: Callable[[Any], Sequence[int]] | None = None
    names: str = ""

    def check(self, state: "ExplorerState", name: str, value: Any) -> tuple[int, int]:
        came = f"{state.explorer}: {name} is {shown(value)}; expected"
        try:
            pair = as_pair(state.explorer, name, value, self.least)
        except TypeError:
            raise TypeError(f"{came} an integer or a pair of integers (rows, columns).") from None
        except ValueError:  # as Python writes no integer of thousands of digits
            raise ValueError(f"{came} at least {self.least} along both axes.") from None
        if self.most is not None and max(pair) > self.most:
            raise ValueError(f"{came} at most {self.most}, or the picture could not be read. Take a smaller one.")
        return pair

    def type(self) -> str:
        return "int or (int, int)"

    def limits(self) -> str:
        return "" if self.most is None else f"From {self.least} to {self.most}."

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        def entries(state: Any) -> tuple[tuple[str, tuple[int, int]], ...]:
            return tuple(
                (subscripted(self.names, *at), at) for at in np.ndindex(most(state, 0) + 1, most(state, 1) + 1)
            )

        def most(state: Any, axis: int) -> int:
            limits = self.most, self.room and self.room(state)[axis]
            return min(limit for limit in limits if limit is not None)

        if self.names:
            return [
                Control.field(
                    name, menu(self.label or name), self.change, fit=lambda state: {"options": entries(state)}
                )
            ]
        return [pair_slider(name, axis, self.least, partial(most, axis=axis), self.change) for axis in range(2)]


array, choice, activation, tick = declares(Array), declares(Choice), declares(Function), declares(Tick)
whole, scalar, pair = declares(Whole), declares(Scalar), declares(Pair)


# What messages say


def shown(value: Any) -> str:
    """A value, in one line that is not long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # an integer with too many digits for Python to write
        text = f"a {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:79]}…"


def _either(values: Iterable[str]) -> str:
    *first, last = map(repr, values)
    return f"{', '.join(first)} or {last}"
