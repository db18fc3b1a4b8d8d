"""Backward passes as they are written for kernels and coursework, right and wrong: what a diagnosis says of each.

The right one is made wrong by one change of its text, as a slip of the pen would; so nothing here knows how the package
computes a mistake.
"""

import re

import numpy as np
import pytest

import convbp
import sample
from checks import what_it_says
from convbp import diagnose
from convbp.diagnose.conditions import where

# A backward pass for all steps, channels first, as kernels are written: loops over the taps.
SCATTER = """
def backward(dy, x, w, stride, padding, dilation, groups):
    N, C, H, W = x.shape
    D, Cg, k1, k2 = w.shape
    _, _, rows, cols = dy.shape
    (s1, s2), (t1, t2), Dg = stride, dilation, D // groups
    (top, _), (left, _) = [p if isinstance(p, tuple) else (p, p) for p in padding]
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(D)
    for d in range(D):
        g = d // Dg
        for n in range(N):
            db[d] += dy[n, d].sum()
        for m in range(k1):
            for l in range(k2):
                for i in range(rows):
                    r = i * s1 + m * t1 - top
                    if r < 0 or r >= H:
                        continue
                    for j in range(cols):
                        q = j * s2 + l * t2 - left
                        if q < 0 or q >= W:
                            continue
                        dx[:, g * Cg : (g + 1) * Cg, r, q] += np.outer(dy[:, d, i, j], w[d, :, m, l])
                        dw[d, :, m, l] += dy[:, d, i, j] @ x[:, g * Cg : (g + 1) * Cg, r, q]
    return dx, dw, db
"""

# As coursework is written: windows of the padded input, one stride for both axes, no dilation, no groups.
WINDOWS = """
def backward(dout, x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    db = dout.sum(axis=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            h, v = i * stride, j * stride
            window = xp[:, :, h : h + HH, v : v + WW]
            for f in range(F):
                dw[f] += (window * dout[:, f, i, j][:, None, None, None]).sum(axis=0)
                dxp[:, :, h : h + HH, v : v + WW] += dout[:, f, i, j][:, None, None, None] * w[f]
    return dxp[:, :, pad : pad + H, pad : pad + W], dw, db
"""

# With matrices: im2col there, col2im back.
COLUMNS = """
def backward(grad_output, input, weight, stride=1, padding=0):
    N, C, H, W = input.shape
    D, _, k1, k2 = weight.shape
    rows, cols = grad_output.shape[2:]
    xp = np.pad(input, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    g = grad_output.transpose(1, 0, 2, 3).reshape(D, -1)
    places = [(m, l) for m in range(k1) for l in range(k2)]
    taps = [xp[:, :, m : m + stride * rows : stride, l : l + stride * cols : stride] for m, l in places]
    columns = np.stack([tap[:, :, :rows, :cols] for tap in taps], axis=2)
    columns = columns.transpose(1, 2, 0, 3, 4).reshape(C * k1 * k2, -1)
    dw = (g @ columns.T).reshape(weight.shape)
    back = (weight.reshape(D, -1).T @ g).reshape(C, k1, k2, N, rows, cols)
    dxp = np.zeros_like(xp)
    for m in range(k1):
        for l in range(k2):
            tap = back[:, m, l].transpose(1, 0, 2, 3)
            dxp[:, :, m : m + stride * rows : stride, l : l + stride * cols : stride] += tap
    return dxp[:, :, padding : padding + H, padding : padding + W], dw, g.sum(axis=1)
"""

PROGRAMS = {"scatter": SCATTER, "windows": WINDOWS, "columns": COLUMNS}

# (program, what is changed, into what, the result that is wrong, what has to be said: a mistake's name, or a condition)
WRONG = [
    ("scatter", "r = i * s1 +", "r = i +", "dx", "stride > 1"),
    ("scatter", "m * t1", "m", "dx", "dilation"),
    ("scatter", "l * t2 - left", "l - left", "dw", "dilation"),
    ("scatter", "- top", "", "dx", "padding > 0"),
    ("scatter", "- top", "+ top", "dw", "padding > 0"),
    ("scatter", "q = j * s2 + l * t2 - left", "q = j * s1 + l * t2 - left", "dx", "stride differs|swapped"),
    ("scatter", "q = j * s2 + l * t2 - left", "q = j * s2 + l * t1 - left", "dw", "dilation"),
    ("scatter", "l * t2 - left", "l * t2 - top", "dx", "padding"),
    ("scatter", "(top, _), (left, _)", "(_, top), (_, left)", "dx", "not the same on both sides|other side"),
    ("scatter", "g = d // Dg", "g = d % groups", "dx", "groups"),
    ("scatter", "g = d // Dg", "g = 0", "dx", "groups > 1|first group"),
    ("scatter", "g = d // Dg", "g = groups - 1 - d // Dg", "dw", "groups > 1"),
    ("scatter", "r < 0 or r >= H", "r <= 0 or r >= H", "dx", "comparison|padding|row"),
    ("scatter", "r < 0 or r >= H", "r < 0 or r >= H - 1", "dw", "."),
    ("scatter", "w[d, :, m, l])", "w[d, :, k1 - 1 - m, k2 - 1 - l])", "dx", "flip missing"),
    ("scatter", "w[d, :, m, l])", "w[d, :, k1 - 1 - m, l])", "dx", "only the"),
    ("scatter", "w[d, :, m, l])", "w[d, :, m, k2 - 1 - l])", "dx", "only the"),
    ("scatter", "r, q] += np.outer", "r, q] = np.outer", "dx", "."),
    ("scatter", "dw[d, :, m, l] +=", "dw[d, :, m, l] =", "dw", "="),
    ("scatter", "dw[d, :, m, l] +=", "dw[d, :, m, l] -=", "dw", "opposite sign"),
    ("scatter", "dw[d, :, m, l] +=", "dw[d, :, k1 - 1 - m, k2 - 1 - l] +=", "dw", "turned by 180°"),
    ("scatter", "db[d] += dy[n, d].sum()", "db[d] = dy[n, d].sum()", "db", "= for"),
    ("scatter", "db[d] += dy[n, d].sum()", "db[d] += dy[n, d].mean()", "db", "mean for sum"),
    ("scatter", "return dx, dw, db", "return dx, dw / N, db", "dw", "mean for sum"),
    ("scatter", "return dx, dw, db", "return dx / N, dw, db", "dx", "mean for sum"),
    ("scatter", "for n in range(N):", "for n in range(1):", "db", "first image only"),
    ("windows", "h, v = i * stride, j * stride", "h, v = i, j", "dx", "stride > 1"),
    ("windows", "db = dout.sum(axis=(0, 2, 3))", "db = dout.mean(axis=(0, 2, 3))", "db", "mean for sum"),
    ("windows", "db = dout.sum(axis=(0, 2, 3))", "db = dout.sum(axis=(2, 3))", "db", "per image"),
    ("windows", "db = dout.sum(axis=(0, 2, 3))", "db = dout.sum()", "db", "all filters"),
    ("windows", "* w[f]", "* w[f, :, ::-1, ::-1]", "dx", "flip missing"),
    ("windows", "* w[f]", "* w[f, ::-1]", "dx", "channel axes reversed"),
    ("windows", "* w[f]", "* w[0]", "dx", "several filters"),
    ("windows", "* w[f]", "", "dx", "."),
    ("windows", "dxp[:, :, pad : pad + H, pad : pad + W], dw", "dxp[:, :, :H, :W], dw", "dx", "padding"),
    ("windows", "dxp[:, :, pad : pad + H, pad : pad + W], dw", "dxp, dw", "dx", "padding"),
    ("windows", "dxp[:, :, pad : pad + H, pad : pad + W], dw", "dxp[:, :, pad:-pad, pad:-pad], dw", "dx", "padding"),
    ("windows", "dxp[:, :, pad : pad + H, pad : pad + W], dw", "dxp[:, :, 2 * pad :, 2 * pad :], dw", "dx", "padding"),
    ("windows", "dw[f] += (window", "dw[f] += (window[:, :, ::-1, ::-1]", "dw", "turned"),
    ("windows", ".sum(axis=0)\n", ".mean(axis=0)\n", "dw", "mean for sum"),
    ("windows", "dw[f] += (", "dw[f] = (", "dw", "."),
    ("windows", "+= dout[:, f, i, j]", "= dout[:, f, i, j]", "dx", "= for"),
    ("windows", "+= dout[:, f, i, j]", "+= dout[:, f, j, i]", "dx", "."),
    ("windows", "(0, 0), (pad, pad)", "(0, 0), (0, 2 * pad)", "dw", "pad"),
    ("windows", ", (pad, pad)))", ", (pad, pad)), mode='edge')", "dw", "padding > 0"),
    ("columns", "m : m + stride * rows : stride, l : l + stride * cols : stride] +=", "m : m + rows, l : l + cols] +=",
     "dx", "stride"),
    ("columns", "back[:, m, l].transpose", "back[:, l, m].transpose", "dx", "."),
    ("columns", "back[:, m, l].transpose", "back[:, k1 - 1 - m, k2 - 1 - l].transpose", "dx", "flip missing"),
    ("columns", ".reshape(weight.shape)", ".reshape(D, k1, k2, C).transpose(0, 3, 1, 2)", "dw", "several channels"),
    ("columns", "(C, k1, k2, N, rows, cols)", "(C, k1, k2, rows, cols, N).transpose(0, 1, 2, 5, 3, 4)",
     "dx", "images"),
    ("columns", "stride] += tap", "stride] = tap", "dx", "."),
    ("columns", "g = grad_output.transpose(1, 0, 2, 3).reshape", "g = grad_output.reshape", "dw", "images"),
    ("columns", "g.sum(axis=1)", "g.mean(axis=1)", "db", "mean for sum"),
    ("columns", "g.sum(axis=1)", "g.sum(axis=0)", "db", "."),
    ("columns", "padding + W], dw", "padding + W], -dw", "dw", "opposite sign"),
    ("columns", "padding : padding + H, padding : padding + W], dw", ": H, : W], dw", "dx", "padding"),
    ("columns", "range(k1):\n", "range(k1 - 1):\n", "dx", "."),
    ("columns", "return dxp", "return 2 * dxp", "dx", "2 times"),
    ("columns", "return dxp", "dxp = np.maximum(dxp, 0)\n    return dxp", "dx", "negative"),
    ("columns", "return dxp", "dxp = dxp.astype(int)\n    return dxp", "dx", "cut off to integers"),
]  # fmt: skip
CASES = 32  # all combinations of the steps
TRIED = np.sort(sample.rng("wrong backward passes").permutation(len(WRONG))[: sample.size(24, len(WRONG))])


def made(source):
    scope = {"np": np}
    exec(source, scope)
    return scope["backward"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_right_ones_are_not_refused(name):
    found = diagnose.conv2d(backward=made(PROGRAMS[name]))
    assert found.agrees, repr(found)
    assert list(found.findings) == ["dx", "dw", "db"]


@pytest.mark.slow
@pytest.mark.parametrize(("program", "old", "new", "key", "says"), [WRONG[n] for n in TRIED])
def test_a_wrong_one_is_seen_and_what_is_wrong_is_said(program, old, new, key, says):
    assert old in PROGRAMS[program]
    found = diagnose.conv2d(backward=made(PROGRAMS[program].replace(old, new)), cases=CASES)
    assert not found.agrees
    assert not found[key].agrees
    finding = found[key]
    assert finding.condition or finding.names or len(finding.said.splitlines()) > 1
    assert re.search(says, f"{finding.condition} {finding.names} {finding.said}"), repr(found)


def test_what_is_right_beside_a_wrong_result_is_said_to_be():
    found = diagnose.conv2d(backward=made(SCATTER.replace("w[d, :, m, l])", "w[d, :, k1 - 1 - m, k2 - 1 - l])")))
    assert [finding.agrees for finding in found.findings.values()] == [False, True, True]
    assert "dx: right on" in repr(found)
    assert "dw: right." in repr(found)


# Layouts, dtypes, and what arrays come in


def by_the_package(dy, x, w, stride, padding, dilation, groups):
    steps = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return {
        "dx": convbp.conv2d_input_gradient(dy, w, np.shape(x)[1:3], **steps),
        "dw": convbp.conv2d_kernel_gradient(x, dy, np.shape(w)[:2], **steps),
        "db": convbp.conv2d_bias_gradient(dy),
    }


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_channels_last_in_each_dtype(dtype):
    found = diagnose.conv2d(forward=convbp.conv2d, backward=by_the_package, layout="NHWC", dtype=dtype)
    assert found.agrees, repr(found)
    assert not found.notes  # every step is tried, padding of one side as well
    flipped = diagnose.conv2d(
        backward=lambda dy, x, w, stride: convbp.conv2d_input_gradient(dy, w[::-1, ::-1], x.shape[1:3], stride=stride),
        layout="NHWC",
        dtype=dtype,
        cases=16,
    )
    assert flipped["dx"].names == ("flip missing",)


def test_lists_go_in_and_come_out():
    def backward(dy, x, w, stride):
        assert isinstance(x, list)
        assert isinstance(w[0][0][0], list)
        found = by_the_package(dy, x, w, stride, 0, 1, 1)
        return {name: array.tolist() for name, array in found.items()}

    assert diagnose.conv2d(backward=backward, layout="NHWC", to=np.ndarray.tolist, cases=8).agrees


class OnATape:
    """An array as frameworks have it: with a tape, on a device, and read by DLPack alone."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def cpu(self):
        return self

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_arrays_of_other_kinds_are_read_by_dlpack():
    def backward(dy, x, w):
        return OnATape(np.asarray(by_the_package(dy.array, x.array, w.array, 1, 0, 1, 1)["dx"]))

    assert diagnose.conv2d(backward=backward, layout="NHWC", to=OnATape, cases=4).agrees


def test_a_forward_pass_that_flips_and_its_own_backward_pass():
    def forward(x, w, stride):
        return convbp.conv2d(x, w[::-1, ::-1], stride=stride)

    def backward(dy, x, w, stride):
        return by_the_package(dy, x, w[::-1, ::-1], stride, 0, 1, 1)["dx"]

    found = diagnose.conv2d(forward=forward, backward=backward, layout="NHWC", cases=16)
    assert not found.agrees
    assert "dx fits your forward pass (they are adjoint), but that is another operation." in found.notes


def test_an_argument_that_is_changed_is_said():
    def backward(dy, x, w):
        result = by_the_package(dy, x, w, 1, 0, 1, 1)
        x *= 2
        return result

    found = diagnose.conv2d(backward=backward, layout="NHWC", cases=4)
    assert any("changes its argument inputs" in note for note in found.notes)


def test_what_stops_is_said_with_where():
    def backward(dy, x, w, stride, groups):
        if groups > 1:
            raise NotImplementedError("no groups")
        return by_the_package(dy, x, w, stride, 0, 1, groups)

    found = diagnose.conv2d(backward=backward, layout="NHWC")
    assert not found.agrees
    assert [note for note in found.notes if "stops on 24 cases, where groups > 1: NotImplementedError: no gr" in note]


def test_what_stops_does_not_count_against_a_result_that_is_right_elsewhere():
    def backward(dy, x, w, padding):
        if not np.any(padding):
            raise ValueError("an empty array")
        found = by_the_package(dy, x, w, 1, padding, 1, 1)
        return {**found, "dx": 2 * found["dx"]}

    found = diagnose.conv2d(backward=backward, layout="NHWC", cases=12)
    stopped = found["db"].stopped
    assert 0 < stopped < 12
    assert [found[key].stopped for key in ("dx", "dw")] == [stopped, stopped]
    assert str(found["db"]) == f"right on {12 - stopped} of 12 cases, no result on {stopped}."
    assert str(found["dx"]).startswith(f"wrong on {12 - stopped} cases, no result on {stopped}.")
    assert "2" in found["dx"].said
    assert not found["db"].agrees


def always_stops(dy, x, w):
    raise ValueError("no")


def test_what_always_stops_has_no_result():
    found = diagnose.conv2d(backward=always_stops, cases=4)
    assert [str(finding) for finding in found.findings.values()] == ["no result on 4."] * 3
    assert "It stops on 4 cases: ValueError: no" in repr(found)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: diagnose.conv2d(), TypeError, "neither forward nor backward came"),
        (lambda: diagnose.conv2d(backward=3), TypeError, "backward is 3; expected a function"),
        (lambda: diagnose.conv2d(backward=max, layout="CHW"), ValueError, "layout is 'CHW'; expected 'NHWC' or 'NCHW'"),
        (lambda: diagnose.conv2d(backward=max, dtype=int), ValueError, "expected one of float16, float32, float64"),
        (lambda: diagnose.conv2d(backward=max, cases=1), ValueError, "cases is 1; expected at least 2"),
        (lambda: diagnose.conv2d(backward=lambda dy, x, w, u, v: 0), TypeError, "a parameter 'u'"),
        (lambda: diagnose.activation("swish", backward=max), ValueError, "function is 'swish'"),
    ],
)
def test_what_is_said_of_bad_input(call, error, says):
    assert says in what_it_says(error, call)


# Where


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([0, 0, 0, 0], ""),
        ([1, 1, 1, 1], ""),
        ([0, 1, 0, 1], "where a"),
        ([0, 0, 0, 1], "where a and b"),
        ([0, 1, 1, 1], "where a or b"),
    ],
)
def test_conditions_are_those_of_the_cases(wrong, says):
    assert where(wrong, {"a": [0, 1, 0, 1], "b": [0, 0, 1, 1], "always": [1, 1, 1, 1]}) == says


def test_a_condition_that_is_needed_and_not_enough():
    assert where([0, 0, 1, 0], {"a": [0, 1, 1, 1]}) == "only where a, on 1 of those 3 cases"
    assert where([1, 0, 0, 0], {"a": [0, 1, 1, 1]}) == ""


# Other layers


def dense(dy, x, w):
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def max_pool(dy, x, size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        window = x[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        row, column = np.unravel_index(window.argmax(), window.shape)
        dx[n, c, i * stride + row, j * stride + column] += dy[n, c, i, j]
    return dx


def to_all_that_are_largest(dy, x, size, stride):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        at = np.s_[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        dx[at] += dy[n, c, i, j] * (x[at] == x[at].max())
    return dx


def average_pool(dy, x, size, stride, once=False):
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dy.shape):
        at = np.s_[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        dx[at] = (0 if once else dx[at]) + dy[n, c, i, j] / size**2
    return dx


def batch_norm(dy, x, gamma, eps):
    """By the graph, step by step, as it is taught."""
    axes = (0, 2, 3)
    m = x.size // x.shape[1]
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    root = np.sqrt(var + eps)
    dxhat = dy * gamma[:, None, None]
    dvar = (dxhat * (x - mean) * -0.5 * root**-3).sum(axis=axes, keepdims=True)
    dmean = (-dxhat / root).sum(axis=axes, keepdims=True)
    dx = dxhat / root + dvar * 2 * (x - mean) / m + dmean / m
    return dx, (dy * (x - mean) / root).sum(axis=axes), dy.sum(axis=axes)


def transposed(dy, x, w, stride, padding, output_padding, dilation, groups):
    """A framework's conv2d and its weight gradient, with the roles exchanged."""
    last, kernel = [a.transpose(0, 2, 3, 1) for a in (dy, x)], w.transpose(2, 3, 1, 0)
    steps = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    dx = convbp.conv2d(last[0], kernel, **steps).transpose(0, 3, 1, 2)
    dw = convbp.conv2d_kernel_gradient(*last, kernel.shape[:2], **steps).transpose(3, 2, 0, 1)
    return dx, dw, dy.sum(axis=(0, 2, 3))


def zeros_for_output_padding(bias_last):
    def forward(x, w, b, stride, padding, output_padding):
        small = convbp.conv2d_transpose(x, w, 0 * b if bias_last else b, stride=stride, padding=padding)
        return np.pad(small, ((0, 0), *((0, rows) for rows in output_padding), (0, 0))) + bias_last * b

    return forward


def without_statistics(dy, x, gamma, eps):
    return dy * (gamma / np.sqrt(x.var(axis=(0, 2, 3)) + eps))[:, None, None]


def turned(dy, x, w, stride, padding, output_padding, dilation, groups):
    return transposed(dy, x, w[:, :, ::-1, ::-1], stride, padding, output_padding, dilation, groups)[0]


@pytest.mark.parametrize(
    "found",
    [
        lambda: diagnose.dense(forward=lambda x, w, b: x @ w + b, backward=dense, cases=24),
        lambda: diagnose.dense(backward=lambda g, x, w: (g @ w, g.T @ x), layout="OI", cases=24),
        lambda: diagnose.max_pool2d(backward=max_pool, cases=24),
        lambda: diagnose.average_pool2d(backward=average_pool, cases=24),
        lambda: diagnose.batch_norm(backward=batch_norm, cases=24),
        lambda: diagnose.conv_transpose2d(backward=transposed, cases=24),
        lambda: diagnose.activation("tanh", forward=np.tanh, backward=lambda dy, y: dy * (1 - y**2), cases=24),
    ],
)
def test_right_ones_of_other_layers_are_not_refused(found):
    assert found().agrees, repr(found())


@pytest.mark.parametrize(
    ("found", "key", "name"),
    [
        (lambda: diagnose.dense(backward=lambda dy, x, w: (dy @ w.T, x.T @ dy / len(x))), "dw", "mean for sum"),
        (lambda: diagnose.max_pool2d(backward=to_all_that_are_largest), "dx", "ties copied"),
        (
            lambda: diagnose.average_pool2d(backward=lambda dy, x, k, stride: average_pool(dy, x, k, stride, True)),
            "dx",
            "= for +=",
        ),
        (lambda: diagnose.batch_norm(backward=without_statistics), "dx", "statistics taken for constants"),
        (lambda: diagnose.conv_transpose2d(backward=turned), "dx", "kernel turned"),
        *(
            (lambda one=one: diagnose.conv_transpose2d(forward=one, layout="NHWC"), "forward", name)
            for one, name in [
                (zeros_for_output_padding(False), "zeros for output_padding"),
                (zeros_for_output_padding(True), "zeros for output_padding"),
                (lambda x, w, b, stride: convbp.conv2d_transpose(x, w, b, stride=stride), "output_padding ignored"),
                (lambda x, w, b: convbp.conv2d_transpose(x, convbp.rot180(w), b), "flip missing"),
            ]
        ),
        (lambda: diagnose.activation("sigmoid", backward=lambda dy, x: dy * convbp.sigmoid(x)), "dx", "f for f′"),
        (lambda: diagnose.activation("relu", backward=lambda dy, x: dy), "dx", "f′ missing"),
    ],
)
def test_wrong_ones_of_other_layers_are_named(found, key, name):
    assert found()[key].names == (name,), repr(found())


def test_the_backward_pass_of_evaluation_is_known_as_such():
    assert "evaluation mode" in diagnose.batch_norm(backward=without_statistics, cases=4)["dx"].said
