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

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convbp.diagnose import convolutions as conv
from convbp.diagnose.calling import called, callee
from convbp.diagnose.engine import TOLERANCES, Case, Sought, diagnosis
from convbp.diagnose.report import Diagnosis, Finding
from convbp.exercises.mistakes import Computation
from convbp.shapes import as_count, shown

__all__ = ["Diagnosis", "Finding", "conv2d"]

_STEPS = ("stride", "padding", "dilation", "groups")
_TRIED = 8  # cases by which it is seen in which form steps are taken
_LAYOUTS = {"NHWC": (None, None), "NCHW": (conv.CHANNELS_FIRST, conv.KERNEL_FIRST)}


def conv2d(
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    layout: str = "NCHW",
    to: Callable[[np.ndarray], Any] = np.asarray,
    dtype: Any = np.float64,
    cases: int = 48,
    seed: int = 0,
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
        "NCHW": inputs (N, C, H, W), kernels (D, C / groups, k1, k2), as in PyTorch. "NHWC": inputs (N, H, W, C), kernels
        (k1, k2, C / groups, D), as in this course.
    to : callable
        Makes of an array what the functions take: ``torch.from_numpy``, ``np.ndarray.tolist``.
    dtype : float16, float32 or float64
        Of the arrays that go in, and what the results are held against.
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
    operation = "conv2d"
    kind = _checked(operation, forward, backward, layout, _LAYOUTS, dtype)
    count, seed = as_count(operation, "cases", cases, 2, 10_000), as_count(operation, "seed", seed, 0)
    ahead = None if forward is None else callee(operation, "forward", forward, ("inputs", "kernel", "bias"), _STEPS)
    behind = (
        None
        if backward is None
        else callee(operation, "backward", backward, ("delta", "inputs", "kernel"), ("bias", *_STEPS))
    )
    both = [one for one in (ahead, behind) if one is not None]
    steps = [step for step in _STEPS if all(one.accepts(step) for one in both)]
    images, kernels = _LAYOUTS[layout]
    orders = {"inputs": images, "kernel": kernels, "delta": images}

    def hand(case: Case, pairs: bool = True) -> dict[str, Any]:
        given = {
            key: _in_order(case.arguments[key], orders.get(key), kind) for key in ("inputs", "kernel", "bias", "delta")
        }
        sides = case.arguments["padding"]
        padding = sides if any(a != b for a, b in sides) else (sides[0][0], sides[1][0])
        values = {"stride": case.arguments["stride"], "padding": padding, "dilation": case.arguments["dilation"]}
        given |= {step: value if pairs else value[0] for step, value in values.items() if step in steps}
        return given | ({"groups": case.arguments["groups"]} if "groups" in steps else {})

    def runs(pairs: bool, one_side: bool) -> int:
        """On how many of some cases nothing stops, if steps come in this form."""
        some = conv.cases(_TRIED, [step for step in steps if step != "groups"], pairs, one_side, kind, seed)
        some = [case for case in some if case.conditions[conv.ONE_SIDE] == one_side]
        return sum(not any(called(one, hand(case, pairs), to)[1] for one in both) for case in some)

    notes = (
        [f"Not tried, as it is not taken: {', '.join(left)}."]
        if (left := [s for s in _STEPS if s not in steps])
        else []
    )
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
    return diagnosis(
        operation,
        ahead,
        behind,
        sought,
        output,
        conv.cases(count, steps, pairs, one_side, kind, seed),
        lambda case: hand(case, pairs),
        conv.in_words,
        to,
        kind,
        notes,
        {"dx": "inputs", "dw": "kernel"},
    )


def _in_order(array: np.ndarray, order: tuple[int, ...] | None, dtype: np.dtype) -> np.ndarray:
    return np.ascontiguousarray(array.transpose(order) if order else array, dtype)


def _checked(
    operation: str, forward: object, backward: object, layout: object, layouts: Mapping[str, Any], dtype: Any
) -> np.dtype:
    if forward is None and backward is None:
        raise TypeError(
            f"{operation}: neither forward nor backward came; expected a function for at least one of them, for "
            f"example {operation}(backward=my_backward)."
        )
    if layout not in layouts:
        raise ValueError(f"{operation}: layout is {shown(layout)}; expected {' or '.join(map(repr, layouts))}.")
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind.name not in TOLERANCES:
        raise ValueError(f"{operation}: dtype is {shown(dtype)}; expected one of {', '.join(TOLERANCES)}.")
    return kind
