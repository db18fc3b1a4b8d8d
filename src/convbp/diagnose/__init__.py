"""Finds what is wrong with a hand-written backward pass, and on which sizes and steps.

    from convbp import diagnose
    diagnose.conv2d(forward=my_forward, backward=my_backward, layout="NCHW")

The functions are called with what their parameters ask for, under the usual names: ``x``, ``w``, ``b``, ``dy``,
``stride``, ``padding``, ``dilation``, ``groups``. A step that a function does not take is not tried. What goes in is
of NumPy, or what ``to`` makes of it (``to=torch.from_numpy``, ``to=np.ndarray.tolist``); what comes back may be of
anything that NumPy reads. A function whose parameters cannot be read, as of compiled ones, gets the arrays by position,
(x, w, b) or (dy, x, w), and the steps by name.

    cases       convolutions.py     sizes and steps, and what is true of them in words
    call        calling.py          another's function, and what came back
    compare     engine.py           with the right result, within what the dtype allows
    where       conditions.py       the words of the parameters that hold for the cases that are wrong
    which       exercises           the mistake that gives the same numbers, as an exercise would name it
    report      report.py           what was found, to be printed or asserted
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import numpy as np

from convbp import pooling
from convbp.activations import as_activation
from convbp.diagnose import convolutions as conv
from convbp.diagnose import others as other
from convbp.diagnose.calling import Callee, called, callee
from convbp.diagnose.engine import Case, Layer, Order, Sought, Trial, diagnosis, in_order
from convbp.diagnose.report import Diagnosis, Finding
from convbp.exercises.mistakes import Computation
from convbp.shapes import as_count, shown

__all__ = [
    "Diagnosis",
    "Finding",
    "activation",
    "average_pool2d",
    "batch_norm",
    "conv2d",
    "conv_transpose2d",
    "dense",
    "max_pool2d",
]


def __dir__() -> list[str]:
    return __all__


class Options(TypedDict, total=False):
    """What each diagnosis can be told by name; `conv2d` says what it means."""

    to: Callable[[np.ndarray], Any]
    dtype: Any
    tolerance: float
    cases: int
    seed: int


_STEPS = ("stride", "padding", "dilation", "groups")
_Taken = tuple[tuple[str, ...], tuple[str, ...]]  # by name: arrays, and what else
_TRIED = 8  # cases by which it is seen in which form steps are taken
_TOLERANCES = {"float64": 1e-9, "float32": 1e-5, "float16": 2e-2, "bfloat16": 6e-2}
_LAYOUTS = {"NHWC": (None, None), "NCHW": (conv.CHANNELS_FIRST, conv.KERNEL_FIRST)}


def conv2d(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "NCHW",
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose a convolutional layer.

    Parameters
    ----------
    forward : callable, optional
        Takes some of x, w, b, stride, padding, dilation and groups, by these or the usual names; returns the output.
    backward : callable, optional
        Takes dy, x, w and the like; returns dx, dw and db, the first of them, or a dict of some. None stands for one
        that it leaves out.
    layout : {"NCHW", "NHWC"}
        "NCHW": inputs (N, C, H, W), kernels (D, C / groups, k1, k2), as in PyTorch. "NHWC": inputs (N, H, W, C) and
        kernels (k1, k2, C / groups, D), as in this course.
    to : callable
        Makes of an array what the functions take: ``torch.from_numpy``, ``np.ndarray.tolist``.
    dtype : float64, float32, float16 or bfloat16
        Of the arrays that go in, as a name, of NumPy or of PyTorch. Numbers of "bfloat16" come as float32, which NumPy
        has: ``to=lambda a: torch.from_numpy(a).bfloat16()``.
    tolerance : float
        How far an entry may be off, relative to the largest of its array; if left out, what the dtype allows.
    cases : int
        How many.
    seed : int
        Of their numbers.

    Returns
    -------
    Diagnosis
        ``agrees``, and a finding for each result; printing it says it in words.

    Raises
    ------
    TypeError, ValueError
        If neither function is given or one is none, it is not clear what a parameter stands for, or the layout, the
        dtype or the number of cases is none of those above.
    """
    return _Asked.of("conv2d", forward, backward, layout, _LAYOUTS, options).diagnosis(_convolution)


def conv_transpose2d(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "NCHW",
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose a transposed convolution, which is the input gradient of `conv2d` as a layer of its own.

    Parameters
    ----------
    forward : callable, optional
        Takes some of x, w, b, stride, padding, output_padding, dilation and groups.
    backward : callable, optional
        Takes dy, x, w and the like; returns dx, dw and db, the first of them, or a dict of some.
    layout : {"NCHW", "NHWC"}
        As for `conv2d`, with the kernel of the convolution that leads the other way: in PyTorch's order it is (channels
        in, channels out / groups, k1, k2).
    to, dtype, tolerance, cases, seed
        As for `conv2d`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does.
    """
    return _Asked.of("conv_transpose2d", forward, backward, layout, _LAYOUTS, options).diagnosis(_convolution)


def _convolution(asked: "_Asked") -> Layer:
    transposed = asked.operation == "conv_transpose2d"
    more = (*_STEPS, *(("output_padding",) if transposed else ()))
    ahead, behind = asked.callees(
        (("inputs", "kernel", "bias"), more), (("delta", "inputs", "kernel"), ("bias", *more))
    )
    both = [one for one in (ahead, behind) if one is not None]
    steps, handed = _taken(both, _STEPS)
    images, kernels = _LAYOUTS[asked.layout]
    orders = {"inputs": images, "kernel": kernels, "delta": images}

    def hand(case: Case, pairs: bool = True) -> dict[str, Any]:
        given = asked.arrays(case, orders)
        sides = case.arguments["padding"]
        padding = sides if any(a != b for a, b in sides) else (sides[0][0], sides[1][0])
        values = {"stride": case.arguments["stride"], "padding": padding, "dilation": case.arguments["dilation"]}
        given |= {step: value if pairs else value[0] for step, value in values.items() if step in handed}
        if transposed:
            given["output_padding"] = case.arguments["output_padding"][slice(None) if pairs else 0]
        return given | ({"groups": case.arguments["groups"]} if "groups" in handed else {})

    def made(count: int, seed: int, steps: list[str], pairs: bool, one_side: bool) -> list[Case]:
        found = conv.cases(count, steps, pairs, one_side, asked.rounded, seed)
        return _without_bias(ahead, other.transposed_cases(found) if transposed else found)

    def runs(pairs: bool, one_side: bool) -> int:
        """On how many of some cases nothing stops, if steps come in this form."""
        some = made(_TRIED, asked.seed, [step for step in steps if step != "groups"], pairs, one_side)
        some = [case for case in some if case.conditions.get(conv.ONE_SIDE, False) == one_side]
        return sum(not any(called(one, hand(case, pairs), asked.to)[1] for one in both) for case in some)

    left = [step + " (only one of the two takes it)" * (step in handed) for step in _STEPS if step not in steps]
    notes = [f"Not tried, as it is not taken: {', '.join(left)}."] if left else []
    pairs = runs(True, False) >= runs(False, False)
    if not pairs:
        notes.append("Not tried: steps that differ between rows and columns, as pairs are not taken.")
    one_side = pairs and "padding" in steps and runs(True, True) > 0
    if pairs and "padding" in steps and not one_side:
        notes.append("Not tried: padding of one side, ((top, bottom), (left, right)), as it is not taken.")
    sought = {
        "dx": Sought(
            conv.right_input_gradient,
            Computation(conv.input_gradient, conv.INPUT_MISTAKES),
            ("image", "row", "column", "channel"),
            conv.INPUT_PROGRAMS,
            images,
        ),
        "dw": Sought(
            conv.right_kernel_gradient,
            Computation(conv.kernel_gradient, conv.KERNEL_MISTAKES),
            ("row", "column", "channel", "filter"),
            conv.KERNEL_PROGRAMS,
            kernels,
        ),
        "db": Sought(conv.bias_gradient, Computation(conv.bias_gradient, conv.BIAS_MISTAKES), ("filter",)),
    }
    output = Sought(
        conv.forward, Computation(conv.forward, conv.FORWARD_MISTAKES), ("image", "row", "column", "filter"), (), images
    )
    if transposed:
        sought = {
            "dx": replace(
                sought["dx"], right=other.transposed_dx, computation=_as(other.transposed_dx, other.TRANSPOSED_DX)
            ),
            "dw": replace(
                sought["dw"], right=other.transposed_dw, computation=_as(other.transposed_dw, other.TRANSPOSED_DW)
            ),
            "db": replace(sought["db"], right=_bias_of, computation=_as(_bias_of, other.TRANSPOSED_DB)),
        }
        sought = {key: replace(one, programs=()) for key, one in sought.items()}
        right = other.transposed_forward
        output = replace(output, right=right, computation=_as(right, other.TRANSPOSED_FORWARD))
    return Layer(
        asked.operation,
        asked.layout,
        ahead,
        behind,
        output,
        sought,
        lambda count, seed: made(count, seed, steps, pairs, one_side),
        lambda case: hand(case, pairs),
        orders,
        conv.in_words,
        notes,
        {"dx": "inputs", "dw": "kernel"},
        conv.CHANNELS_FIRST_WORDS if images else {},
    )


@dataclass(frozen=True)
class _Asked:
    """What a diagnosis is asked for, checked."""

    operation: str
    forward: Callable | None
    backward: Callable | None
    layout: str
    to: Callable[[np.ndarray], Any]
    dtype: str
    tolerance: float | None
    cases: int
    seed: int
    layouts: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        operation: str,
        forward: Callable | None,
        backward: Callable | None,
        layout: str,
        layouts: Mapping[str, Any],
        options: Options,
    ) -> "_Asked":
        if unknown := set(options) - set(Options.__annotations__):
            raise TypeError(
                f"{operation}: there is no option {min(unknown)}; expected {', '.join(Options.__annotations__)}."
            )
        if forward is None and backward is None:
            raise TypeError(
                f"{operation}: neither forward nor backward came; expected a function for at least one of them, for "
                f"example {operation}(backward=my_backward)."
            )
        if layout not in layouts:
            raise ValueError(f"{operation}: layout is {shown(layout)}; expected {' or '.join(map(repr, layouts))}.")
        dtype = options.get("dtype", "float64")
        try:
            said = np.dtype(dtype).name
        except TypeError:  # such as torch.float32
            said = str(dtype)
        name = next((name for name in _TOLERANCES if re.search(rf"\b{name}\b", said)), "")
        if not name:
            raise ValueError(f"{operation}: dtype is {shown(dtype)}; expected one of {', '.join(_TOLERANCES)}.")
        tolerance = options.get("tolerance")
        if tolerance is not None and not (isinstance(tolerance, int | float) and 0 < tolerance < 1):
            raise ValueError(
                f"{operation}: tolerance is {shown(tolerance)}; expected a number between 0 and 1, relative to the "
                f"largest entry, such as {_TOLERANCES[name]:g}."
            )
        cases = as_count(operation, "cases", options.get("cases", 48), 2, 10_000)
        seed = as_count(operation, "seed", options.get("seed", 0), 0)
        to = options.get("to", np.asarray)
        return cls(operation, forward, backward, layout, to, name, tolerance, cases, seed, layouts)

    def callees(self, ahead: _Taken, behind: _Taken) -> tuple[Callee | None, Callee | None]:
        """The two functions, if they came, with what they need and what else they may take."""
        return (
            None if self.forward is None else callee(self.operation, "forward", self.forward, *ahead),
            None if self.backward is None else callee(self.operation, "backward", self.backward, *behind),
        )

    def arrays(self, case: Case, orders: Mapping[str, Order]) -> dict[str, np.ndarray]:
        """The arrays of a case as the functions get them."""
        dtype = "float32" if self.dtype == "bfloat16" else self.dtype
        return {
            key: np.ascontiguousarray(in_order(value, orders.get(key)), dtype)
            for key, value in case.arguments.items()
            if isinstance(value, np.ndarray)
        }

    def rounded(self, array: np.ndarray) -> np.ndarray:
        """The nearest numbers that the dtype has."""
        if self.dtype == "bfloat16":  # the first half of a float32
            half = array.astype(np.float32).view(np.uint32) + np.uint32(0x8000) & np.uint32(0xFFFF0000)
            return half.view(np.float32).astype(float)
        return array.astype(self.dtype).astype(float)

    def diagnosis(self, layer: Callable[["_Asked"], Layer]) -> Diagnosis:
        """Diagnose what ``layer`` makes of this."""

        def trial(one: Layer) -> Trial:
            return Trial(one, self.to, self.tolerance, _TOLERANCES[self.dtype])

        def others() -> list[Layer]:
            return [layer(replace(self, layout=other)) for other in self.layouts if other != self.layout]

        return diagnosis(layer(self), trial, others, self.cases, self.seed)


def max_pool2d(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "NCHW",
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose max pooling. Where several entries are the largest, δ may go to any one of them, or be shared.

    Parameters
    ----------
    forward : callable, optional
        Takes x, size, stride and padding, or some of them, by these or the usual names; returns the output.
    backward : callable, optional
        Takes dy, x, size, stride and padding, or some of them; returns dx.
    layout : {"NCHW", "NHWC"}
    to, dtype, tolerance, cases, seed
        As for `conv2d`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does.
    """
    sought = Sought(
        other.max_pool_back,
        _as(other.max_pool_back, other.MAX_MISTAKES),
        _MAPS,
        also=lambda given: other.other_ties(**given),
    )
    asked = _Asked.of("max_pool2d", forward, backward, layout, _LAYOUTS, options)
    return asked.diagnosis(lambda asked: _pooling(asked, pooling.max_pool2d, sought))


def average_pool2d(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "NCHW",
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose average pooling, in which padded zeros count.

    Parameters
    ----------
    forward, backward, layout, to, dtype, tolerance, cases, seed
        As for `max_pool2d`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does.
    """
    sought = Sought(other.average_pool_back, _as(other.average_pool_back, other.AVERAGE_MISTAKES), _MAPS)
    asked = _Asked.of("average_pool2d", forward, backward, layout, _LAYOUTS, options)
    return asked.diagnosis(lambda asked: _pooling(asked, pooling.average_pool2d, sought))


def dense(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "IO",
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose a dense layer, x w + b.

    Parameters
    ----------
    forward : callable, optional
        Takes x, shape (N, I), w and b.
    backward : callable, optional
        Takes dy, x and w; returns dx, dw and db, the first of them, or a dict of some.
    layout : {"IO", "OI"}
        How the axes of w stand; "OI" as in PyTorch.
    to, dtype, tolerance, cases, seed
        As for `conv2d`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does.
    """
    return _Asked.of("dense", forward, backward, layout, {"IO": None, "OI": (1, 0)}, options).diagnosis(_dense)


def _dense(asked: "_Asked") -> Layer:
    order = asked.layouts[asked.layout]

    def dx(inputs, kernel, bias, delta):
        return delta @ kernel.T

    def dw(inputs, kernel, bias, delta):
        return inputs.T @ delta

    def db(inputs, kernel, bias, delta):
        return delta.sum(axis=0)

    def run(inputs, kernel, bias, delta):
        return inputs @ kernel + bias

    sought = {
        "dx": Sought(dx, _as(dx, other.DENSE_DX), ("image", "input")),
        "dw": Sought(dw, _as(dw, other.DENSE_DW), ("input", "unit"), (), order),
        "db": Sought(db, _as(db, other.DENSE_DB), ("unit",)),
    }
    output = Sought(run, _as(run, ()), ("image", "unit"))
    takes = (("inputs", "kernel", "bias"), ()), (("delta", "inputs", "kernel"), ("bias",))
    return _of_rows(asked, takes, sought, output, other.dense_arrays, ("inputs", "units"), {"kernel": order})


def batch_norm(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "NCHW",
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose batch normalisation in training: y = γ x̂ + β with x̂ = (x − μ) / √(σ² + ε) over images and places.

    With m numbers in a channel, dx = γ/√(σ² + ε) · (δ − Σδ/m − x̂ · Σ(δ x̂)/m), dγ = Σ δ x̂ and dβ = Σ δ.

    Parameters
    ----------
    forward : callable, optional
        Takes x, gamma, beta and eps, which is 10⁻³ here; returns y.
    backward : callable, optional
        Takes dy, x, gamma and eps; returns dx, dgamma and dbeta, the first of them, or a dict of some.
    layout : {"NCHW", "NHWC"}
    to, dtype, tolerance, cases, seed
        As for `conv2d`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does.
    """
    return _Asked.of("batch_norm", forward, backward, layout, _LAYOUTS, options).diagnosis(_batch_norm)


def _batch_norm(asked: "_Asked") -> Layer:
    images, _ = _LAYOUTS[asked.layout]
    sought = {
        "dx": Sought(other.norm_dx, _as(other.norm_dx, other.NORM_DX), _MAPS, (), images),
        "dgamma": Sought(other.norm_dgamma, _as(other.norm_dgamma, other.NORM_DGAMMA), ("channel",)),
        "dbeta": Sought(other.norm_dbeta, _as(other.norm_dbeta, other.NORM_DBETA), ("channel",)),
    }
    output = Sought(other.norm_forward, _as(other.norm_forward, ()), _MAPS, (), images)
    takes = (("inputs", "gamma", "beta"), ("eps",)), (("delta", "inputs", "gamma"), ("beta", "eps"))
    orders = {"inputs": images, "delta": images}
    return _of_rows(asked, takes, sought, output, other.norm_arrays, ("", "channels"), orders)


def activation(
    function: Any,
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    **options: Unpack[Options],
) -> Diagnosis:
    """Diagnose an activation.

    Parameters
    ----------
    function : Activation or str
        Which one it is to be, such as `convbp.relu` or "relu".
    forward : callable, optional
        Takes x.
    backward : callable, optional
        Takes dy and x, or y; returns dx.
    to, dtype, tolerance, cases, seed
        As for `conv2d`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    TypeError, ValueError
        As `conv2d` does; or if there is no such activation.
    """
    asked = _Asked.of("activation", forward, backward, "", {"": None}, options)
    f = as_activation("activation", function, "function")

    def dx(inputs, delta, output):
        return delta * f.derivative(inputs)

    def run(inputs, delta, output):
        return f(inputs)

    def arrays(rng, images, first, second):
        inputs = asked.rounded(rng.normal(0, 2, (images, first, second)))
        return {"inputs": inputs, "delta": rng.normal(size=inputs.shape), "output": f(inputs)}

    sought = {"dx": Sought(dx, _as(dx, other.activation_mistakes(f.name, f, f.derivative)), ("image", "row", "column"))}
    output = Sought(run, _as(run, ()), ("image", "row", "column"))
    takes = (("inputs",), ()), (("delta", "inputs", "output"), ())
    return asked.diagnosis(lambda asked: _of_rows(asked, takes, sought, output, arrays, ("rows", "columns"), {}))


_MAPS = ("image", "row", "column", "channel")


def _taken(functions: Sequence[Callee], steps: Sequence[str]) -> tuple[list[str], list[str]]:
    """The steps that all of them take, in which the cases differ; and these with what only one of them asks for."""
    taken = [step for step in steps if all(one.accepts(step) for one in functions)]
    return taken, [step for step in steps if step in taken or any(one.asks_for(step) for one in functions)]


def _without_bias(forward: Callee | None, cases: list[Case]) -> list[Case]:
    """The cases of a layer that has no bias, if the forward pass takes none."""
    if forward is None or forward.accepts("bias") or "bias" not in cases[0].arguments:
        return cases
    return [replace(c, arguments={**c.arguments, "bias": np.zeros_like(c.arguments["bias"])}) for c in cases]


def _as(compute: Callable, mistakes: Any) -> Computation:
    return Computation(compute, mistakes)


def _bias_of(delta, **_):
    return delta.sum(axis=(0, 1, 2))


def _of_rows(
    asked: _Asked,
    takes: tuple[_Taken, _Taken],
    sought: Mapping[str, Sought],
    output: Sought,
    arrays: Callable[..., dict[str, Any]],
    lengths: tuple[str, str],
    orders: Mapping[str, Order],
) -> Layer:
    """A layer whose arguments need nothing but their order of axes."""
    ahead, behind = asked.callees(*takes)

    def made(count: int, seed: int) -> list[Case]:
        return _without_bias(ahead, other.rows_cases(count, arrays, lengths, asked.rounded, seed))

    def hand(case: Case) -> dict[str, Any]:
        return {**case.arguments, **asked.arrays(case, orders)}

    shown = _sizes(orders)
    return Layer(asked.operation, asked.layout, ahead, behind, output, sought, made, hand, orders, shown)


def _sizes(orders: Mapping[str, Order]) -> Callable[[Mapping[str, Any]], str]:
    def shown(arguments: Mapping[str, Any]) -> str:
        given = {key: in_order(value, orders.get(key)) for key, value in arguments.items() if key != "delta"}
        return ", ".join(f"{k} {v.shape if isinstance(v, np.ndarray) else v}" for k, v in given.items())

    return shown


def _pooling(asked: _Asked, pool: Callable, sought: Sought) -> Layer:
    steps = ("size", "stride", "padding")
    ahead, behind = asked.callees((("inputs",), steps), (("delta", "inputs"), steps))
    both = [one for one in (ahead, behind) if one is not None]
    taken, handed = _taken(both, steps)
    images, _ = _LAYOUTS[asked.layout]
    orders = {"inputs": images, "delta": images}

    def run(inputs, delta, size, stride, padding):
        return pool(inputs, size, stride=stride, padding=padding).output

    def hand(case: Case, pairs: bool) -> dict[str, Any]:
        return asked.arrays(case, orders) | {step: case.arguments[step][slice(None) if pairs else 0] for step in handed}

    def made(count: int, seed: int, pairs: bool) -> list[Case]:
        return other.pooling_cases(count, taken, pairs, asked.rounded, seed)

    def runs(pairs: bool) -> int:
        some = made(_TRIED, asked.seed, pairs)
        return sum(not any(called(one, hand(case, pairs), asked.to)[1] for one in both) for case in some)

    pairs = runs(True) >= runs(False)
    return Layer(
        asked.operation,
        asked.layout,
        ahead,
        behind,
        Sought(run, _as(run, ()), _MAPS, (), images),
        {"dx": replace(sought, order=images)},
        lambda count, seed: made(count, seed, pairs),
        lambda case: hand(case, pairs),
        orders,
        _sizes(orders),
        [] if pairs else ["Not tried: steps that differ between rows and columns, as pairs are not taken."],
    )
