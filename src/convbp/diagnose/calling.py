"""Calls a function of another's, with what its parameters ask for, and reads what comes back, whatever holds it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from convbp.exercises.reading import Answer, Unreadable, plain, read
from convbp.shapes import shown

# What a parameter may be called, whatever its case and underscores.
_NAMES = {
    "inputs": "x xs input inputs o a image images img data aprev features",
    "kernel": "w weight weights kernel filter filters filt k theta",
    "bias": "b bias biases",
    "delta": "dy dout delta grad gradout gradoutput outputgrad g gy dz upstream dout dl dldy doutput dyout gradient",
    "output": "y out output outputs z",
    "gamma": "gamma scale",
    "beta": "beta shift",
    "eps": "eps epsilon",
    "stride": "stride strides s",
    "padding": "padding pad pads p paddings",
    "output_padding": "outputpadding outpad outputpad",
    "dilation": "dilation dilations dil dilate d",
    "groups": "groups group numgroups ngroups",
    "size": "size kernelsize poolsize window windowsize k ksize pool",
}

# What carries arrays in it, and is none: a framework's context, what a forward pass has kept.
_NO_ARRAYS = ["ctx", "context", "self", "cls", "cache", "saved", "savedtensors", "state", "config", "cfg"]

# What a result may be called, in the same way.
_RESULTS = {
    "dx": "dx dinput dinputs gradinput gradinputs gradx inputgrad gx",
    "dw": "dw dweight dweights gradweight gradweights gradw weightgrad gw dkernel gradkernel",
    "db": "db dbias gradbias gradb biasgrad gb",
    "dgamma": "dgamma dweight gradweight gradgamma dscale gradscale",
    "dbeta": "dbeta dbias gradbias gradbeta dshift gradshift",
}


@dataclass(frozen=True)
class Callee:
    """A function, and under which name or in which place each of its parameters is handed over.

    Attributes
    ----------
    takes : mapping of str to str, or None
        Its parameter for each of our arguments; None if it cannot be told, and then arrays go in by position.
    """

    function: Callable
    arrays: tuple[str, ...]
    takes: Mapping[str, str] | None
    everything: bool = False  # takes further arguments by name

    def accepts(self, name: str) -> bool:
        """Whether it takes this argument."""
        return self.takes is None or self.everything or name in self.takes

    def asks_for(self, name: str) -> bool:
        """Whether it has a parameter for it."""
        return self.takes is not None and name in self.takes

    def __call__(self, values: Mapping[str, Any]) -> Any:
        if self.takes is None:
            steps = {name: value for name, value in values.items() if not isinstance(value, _Array)}
            return self.function(*(values[name].value for name in self.arrays), **steps)
        named = {theirs: _bare(values[ours]) for ours, theirs in self.takes.items()}
        if self.everything:
            taken = {ours: v for ours, v in values.items() if ours not in self.takes and not isinstance(v, _Array)}
            named |= taken
        return self.function(*named.values()) if self._by_position() else self.function(**named)

    def _by_position(self) -> bool:
        kinds = [p.kind for p in inspect.signature(self.function).parameters.values()]
        return inspect.Parameter.POSITIONAL_ONLY in kinds


@dataclass(frozen=True)
class _Array:
    """An array as it goes over to the function, told from a step, which may be a list as well."""

    value: Any


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, _Array) else value


def callee(operation: str, role: str, function: object, arrays: Sequence[str], steps: Sequence[str]) -> Callee:
    """Find out what ``function`` takes.

    Raises
    ------
    TypeError
        If it is no function, or has a parameter without a default of which it is not clear what it stands for.
    """
    if not callable(function):
        raise TypeError(f"{operation}: {role} is {shown(function)}; expected a function.")
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # compiled functions have none
        return Callee(function, tuple(arrays), None)
    kinds = {p.kind for p in parameters}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return Callee(function, tuple(arrays), None)
    own = [p for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    takes: dict[str, str] = {}
    unknown = []
    for parameter in own:
        short = parameter.name.lower().replace("_", "")
        for ours in (*arrays, *steps):
            if ours not in takes and short in _NAMES[ours].split():
                takes[ours] = parameter.name
                break
        else:
            unknown.append(parameter)
    for parameter in [p for p in unknown if p.default is p.empty]:
        left = [ours for ours in arrays if ours not in takes]
        if not left or parameter.name.lower().replace("_", "") in _NO_ARRAYS:
            raise TypeError(
                f"{operation}: {role} has a parameter {parameter.name!r} of which it is not clear what it stands for; "
                f"expected some of {', '.join((*arrays, *steps))}, under these names or the usual ones (x, w, b, dy). "
                f"Wrap it: {role}=lambda {', '.join(_NAMES[ours].split()[0] for ours in arrays)}: …"
            )
        takes[left[0]] = parameter.name
    in_order = {ours: takes[ours] for p in own for ours in takes if takes[ours] == p.name}
    return Callee(function, tuple(arrays), in_order, inspect.Parameter.VAR_KEYWORD in kinds)


def called(function: Callee, values: Mapping[str, Any], to: Callable[[np.ndarray], Any]) -> tuple[Any, str, list[str]]:
    """What comes back of it, or what it stopped with; and which of its arguments it has changed."""
    given = {
        name: _Array(to(value.copy())) if isinstance(value, np.ndarray) else value for name, value in values.items()
    }
    arrays = {name: value.value for name, value in given.items() if isinstance(value, _Array)}
    before = {name: _numbers_in(value) for name, value in arrays.items()}
    try:
        with np.errstate(all="ignore"):
            result = function(given)
    except Exception as error:
        return None, _said_by(error), []
    pairs = {name: (before[name], _numbers_in(value)) for name, value in arrays.items()}
    changed = [n for n, (a, b) in pairs.items() if not (a is None or b is None or np.array_equal(a, b, equal_nan=True))]
    return result, "", changed


def _said_by(error: Exception) -> str:
    text = plain(error.__str__, "", 120)
    return f"{type(error).__name__}{': ' if text else ''}{text}"


def _numbers_in(value: Any) -> np.ndarray | None:
    """A copy of the numbers; None if they cannot be read."""
    try:
        return np.array(as_numpy(value), float)
    except Exception:
        return None


def as_numpy(value: Any) -> Any:
    """``value``, of whatever framework, for NumPy: off its tape and its device, by DLPack if by nothing else.

    A bfloat16, which NumPy does not have, becomes a float32.
    """
    for leave in ("detach", "cpu"):
        value = getattr(value, leave)() if callable(getattr(value, leave, None)) else value
    if hasattr(value, "__cuda_array_interface__") and hasattr(value, "get"):
        value = value.get()
    kind = str(getattr(value, "dtype", ""))
    if kind.endswith("bfloat16"):
        value = value.float() if hasattr(value, "float") else value.astype(np.float32)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    return value


def as_answer(value: Any, tolerance: float | None, least: float) -> tuple[Answer | None, str]:
    """What came back as numbers, with this tolerance, or else that of its dtype and at least ``least``; or why none."""
    try:
        answer = read(as_numpy(value))
    except Unreadable as reason:
        return None, str(reason)
    except Exception as error:
        return None, f"it cannot be read as numbers ({_said_by(error)}); return what NumPy reads"
    return replace(answer, tolerance=max(least, answer.tolerance) if tolerance is None else tolerance), ""


def results_of(operation: str, value: Any, order: Sequence[str]) -> dict[str, Any]:
    """What came back, by the names of the results.

    Raises
    ------
    ValueError
        If it is not clear which result something is.
    """
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, one in value.items():
            short = str(key).lower().replace("_", "")
            ours = next((ours for ours in order if short in _RESULTS.get(ours, ours).split()), None)
            if ours is None or ours in found:
                said = "a second time" if ours else "of which it is not clear what it is"
                raise ValueError(f"{operation} returns {shown(key)}, {said}; expected some of {', '.join(order)}.")
            found[ours] = one
        return found
    several = isinstance(value, tuple) or (isinstance(value, list) and len(value) <= len(order) and _arrays(value))
    results = value if several else [value]
    if any(one is not None for one in results[len(order) :]):
        if len(order) == 1:
            return {order[0]: value}  # a tuple is read as any answer is
        raise ValueError(f"{operation} returns {len(results)} results; expected {', '.join(order)}, in this order.")
    return dict(zip(order, results, strict=False))


def _arrays(value: Sequence) -> bool:
    """Whether it is a list of arrays rather than an array in lists."""
    return all(hasattr(entry, "shape") for entry in value) or len({np.ndim(entry) for entry in value}) > 1
