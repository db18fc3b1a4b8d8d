"""Backward passes as they are written for kernels and coursework, right and wrong: what a diagnosis says of each.

The right one is made wrong by one change of its text, as a slip of the pen would; so nothing here knows how the package
computes a mistake.
"""

import os
import re
import subprocess
import sys
from functools import partial
from itertools import combinations

import numpy as np
import pytest

import convbp
import sample
from checks import what_it_says
from convbp import diagnose
from convbp.diagnose import convolutions, others
from convbp.diagnose.conditions import where
from convbp.diagnose.report import Finding
from convbp.exercises.mistakes import Computation
from convbp.pooling import max_pool2d

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

# With a framework's operations: the kernel gradient is a convolution, too, with the batch in the place of the channels.
FRAMEWORK = """
def backward(dy, x, w, stride, padding):
    over = [(n + 2 * padding - k) % stride for n, k in zip(x.shape[2:], w.shape[2:], strict=True)]
    steps = {"stride": stride, "padding": padding, "output_padding": tuple(over)}
    dx = conv2d_transpose(dy.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), **steps).transpose(0, 3, 1, 2)
    sums = conv2d(x.transpose(1, 2, 3, 0), dy.transpose(2, 3, 0, 1), padding=padding, dilation=stride)
    return dx, sums.transpose(3, 0, 1, 2)[:, :, : w.shape[2], : w.shape[3]], dy.sum(axis=(0, 2, 3))
"""

PROGRAMS = {"scatter": SCATTER, "windows": WINDOWS, "columns": COLUMNS, "framework": FRAMEWORK}

# (program, what is changed, into what, the result that is wrong, what has to be said: a mistake's name, or a condition)
WRONG = [
    ("scatter", "r = i * s1 +", "r = i +", "dx", "stride > 1"),
    ("scatter", "m * t1", "m", "dx", "dilation"),
    ("scatter", "l * t2 - left", "l - left", "dw", "dilation"),
    ("scatter", "(s1, s2), (t1, t2), Dg", "(t1, t2), (s1, s2), Dg", "dx", "stride for dilation"),
    ("scatter", "(s1, s2), (t1, t2), Dg", "(t1, t2), (s1, s2), Dg", "dw", "stride for dilation"),
    ("scatter", "(t1, t2), Dg", "(t2, t1), Dg", "dx", "columns of the dilation swapped"),
    ("scatter", "(t1, t2), Dg", "(t2, t1), Dg", "dw", "columns of the dilation swapped"),
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
    ("framework", "dilation=stride)", "stride=stride)", "dw", "stride kept in the backward pass"),
    ("framework", ", dilation=stride)", ")", "dw", "stride ignored"),
    ("framework", ": w.shape[2], : w.shape[3]]", "-w.shape[2] :, -w.shape[3] :]", "dw", "the last entries kept"),
    ("framework", "padding - k", "padding", "dx", "output_padding miscounted"),
    ("columns", "return dxp", "dxp = np.maximum(dxp, 0)\n    return dxp", "dx", "negative"),
    ("columns", "return dxp", "dxp = dxp.astype(int)\n    return dxp", "dx", "cut off to integers"),
]  # fmt: skip
CASES = 32  # all combinations of the steps
TRIED = np.sort(sample.rng("wrong backward passes").permutation(len(WRONG))[: sample.size(12, len(WRONG))])


def made(source):
    scope = {"np": np, "conv2d": convbp.conv2d, "conv2d_transpose": convbp.conv2d_transpose}
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


def by_transposed_convolution(output_padding, fill=False):
    """dx as one writes it with a framework, whose transposed convolution has to be told what the windows leave over."""

    def backward(dy, x, w, stride, padding, dilation, groups):
        axes = x.shape[2:], w.shape[2:], stride, padding, dilation
        steps = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        steps["output_padding"] = tuple(output_padding(*axis) for axis in zip(*axes, strict=True))
        dx = convbp.conv2d_transpose(dy.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), **steps).transpose(0, 3, 1, 2)
        missing = [(0, n - m) for n, m in zip(x.shape[2:], dx.shape[2:], strict=True)]
        return {"dx": np.pad(dx, ((0, 0), (0, 0), *missing)) if fill else dx}

    return backward


@pytest.mark.parametrize(
    ("backward", "name"),
    [
        (by_transposed_convolution(lambda n, k, s, p, t: (n + 2 * p - t * (k - 1) - 1) % s), None),
        (by_transposed_convolution(lambda n, k, s, p, t: 0), "uncovered pixels left out"),
        (by_transposed_convolution(lambda n, k, s, p, t: 0, fill=True), "cut before filled"),
        (by_transposed_convolution(lambda n, k, s, p, t: (n + 2 * p - k) % s), "output_padding miscounted"),
        (by_transposed_convolution(lambda n, k, s, p, t: (n - t * (k - 1) - 1) % s), "output_padding miscounted"),
        (by_transposed_convolution(lambda n, k, s, p, t: s - 1), "output_padding miscounted"),
    ],
)
def test_what_the_windows_leave_over_in_a_transposed_convolution(backward, name):
    found = diagnose.conv2d(backward=backward)["dx"]
    assert found.names == ((name,) if name else ()), str(found)
    if name:  # the advice is the formula of the right one above, also where there is padding
        assert "(H + 2·p − window) mod s, with window = dilation·(k − 1) + 1" in found.said


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
        (lambda: diagnose.conv2d(backward=max, dtype=int), ValueError, "one of float64, float32, float16, bfloat16"),
        (lambda: diagnose.conv2d(backward=max, cases=1), ValueError, "cases is 1; expected at least 2"),
        (lambda: diagnose.conv2d(backward=lambda dy, x, w, u, v: 0), TypeError, "a parameter 'u'"),
        (lambda: diagnose.activation("swish", backward=max), ValueError, "function is 'swish'"),
    ],
)
def test_what_is_said_of_bad_input(call, error, says):
    assert says in what_it_says(error, call)


# What came back


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (lambda: diagnose.conv2d(backward=lambda dy, x, w: None, cases=8), ["dx", "dw", "db"]),
        (lambda: diagnose.conv2d(backward=lambda dy, x, w: {}, cases=8), ["dx", "dw", "db"]),
        (lambda: diagnose.batch_norm(backward=lambda dy, x: (None, None), cases=8), ["dx", "dgamma", "dbeta"]),
        (lambda: diagnose.max_pool2d(backward=lambda dy, x: None, cases=8), ["dx"]),
        (lambda: diagnose.max_pool2d(forward=lambda x: None, cases=8), ["forward"]),
        (lambda: diagnose.activation("relu", backward=lambda dy, x: None, cases=8), ["dx"]),
        (lambda: diagnose.dense(forward=lambda x, w: None, cases=8), ["forward"]),
    ],
)
def test_where_nothing_came_back_nothing_agrees(found, names):
    found = found()
    assert not found.agrees
    assert list(found.findings) == names
    for finding in found.findings.values():
        assert "Nothing came back (None): does your function end with return" in finding.said


def test_a_diagnosis_of_nothing_does_not_agree():
    assert not diagnose.Diagnosis("conv2d", {}).agrees


@pytest.mark.slow
def test_a_failure_in_a_test_suite_shows_the_whole_diagnosis(tmp_path):
    test = tmp_path / "test_mine.py"
    test.write_text(
        "from convbp import diagnose\n"
        "def test_it():\n"
        "    diagnose.dense(backward=lambda dy, x, w: (dy @ w.T, x.T @ dy / len(x), dy.mean(axis=0))).assert_agrees()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(test)]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    shown = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False).stdout
    found = diagnose.dense(backward=lambda dy, x, w: (dy @ w.T, x.T @ dy / len(x), dy.mean(axis=0)))
    for line in str(found).splitlines():
        assert line in shown
    assert "1 failed" in shown
    assert what_it_says(AssertionError, found.assert_agrees) == str(found)
    diagnose.dense(backward=dense, cases=4).assert_agrees()


def test_results_go_by_their_usual_names_and_others_are_refused():
    def under(*names):
        def backward(dy, x, w):
            return dict(zip(names, by_the_package(dy, x, w, 1, 0, 1, 1).values(), strict=True))

        return lambda: diagnose.conv2d(backward=backward, layout="NHWC", cases=4)

    assert under("grad_input", "dW", "dbias")().agrees
    said = "conv2d: backward returns 'foo', of which it is not clear what it is; expected some of dx, dw, db."
    assert what_it_says(ValueError, under("dx", "dw", "foo")) == said
    assert "returns 'dW', a second time" in what_it_says(ValueError, under("dweight", "dW", "db"))
    norm = diagnose.batch_norm(backward=lambda dy, x: {"dweight": 0 * x[0, :, 0, 0], "dbias": dy.sum(axis=(0, 2, 3))})
    assert [finding.agrees for finding in norm.findings.values()] == [False, True]


def test_as_many_results_as_autograd_s_functions_have():
    def backward(more):
        return lambda dy, x, w: (*by_the_package(dy, x, w, 1, 0, 1, 1).values(), *more)

    assert diagnose.conv2d(backward=backward([None, None]), layout="NHWC", cases=4).agrees
    said = what_it_says(ValueError, lambda: diagnose.conv2d(backward=backward([0, 0]), layout="NHWC", cases=4))
    assert said == "conv2d: backward returns 5 results; expected dx, dw, db, in this order."
    two = diagnose.max_pool2d(backward=lambda dy, x, k, stride: (max_pool(dy, x, k, stride), None), cases=4)
    assert two.agrees


# In the layout that was asked for


def backward_of(change):
    """A right backward pass, whose results are changed."""
    right = made(COLUMNS)
    return lambda dy, x, w: change(*right(dy, x, w))


@pytest.mark.slow
def test_shapes_are_those_of_the_caller():
    found = diagnose.conv2d(backward=backward_of(lambda dx, dw, db: {"dx": dx.transpose(0, 2, 3, 1)}), cases=8)
    assert "its shape is (1, 7, 6, 1), expected is (1, 1, 7, 6)." in found["dx"].said
    assert "Your result has shape (1, 3, 5, 3); expected is (1, 3, 3, 5)." in found["dx"].said
    assert "It is the right one, with its axes in the order (0, 2, 3, 1)" in found["dx"].said
    found = diagnose.conv2d(backward=backward_of(lambda dx, dw, db: {"dw": dw.ravel()}), cases=8)
    assert "its shape is (9,), expected is (1, 1, 3, 3)." in found["dw"].said
    swapped = diagnose.conv2d(backward=backward_of(lambda dx, dw, db: {"dw": dw.swapaxes(0, 1)}), cases=8)
    assert swapped["dw"].names == ("channels not swapped",)
    assert "the kernel, (D, C, k1, k2): filters first, then channels" in swapped["dw"].said
    assert "at (filter 0, channel 1, row 0, column 0) came" in swapped["dw"].said or "shape is" in swapped["dw"].said
    pooled = diagnose.max_pool2d(backward=lambda dy, x: x[:, :, 1:], cases=8)
    x = re.search(r"inputs (\(.*?\))", pooled["dx"].said).group(1)
    assert f"expected is {x}" in pooled["dx"].said


def test_no_text_of_a_mistake_speaks_of_another_layout():
    texts = [
        f"{m.done} {m.why}"
        for mistakes in (
            convolutions.INPUT_MISTAKES,
            convolutions.KERNEL_MISTAKES,
            convolutions.BIAS_MISTAKES,
            others.TRANSPOSED_DW,
        )
        for group in mistakes
        for m in group
    ]
    last = r"\(N, H|\(k1, k2|swapaxes\(2|kernel\[::|last axis|first three"
    assert any(re.search(last, text) for text in texts)
    for text in texts:
        for old, new in convolutions.CHANNELS_FIRST_WORDS.items():
            text = text.replace(old, new)
        assert not re.search(last, text), text


def test_a_function_of_another_layout_is_told_from_a_wrong_one():
    found = diagnose.conv2d(backward=by_the_package, cases=16)
    assert not found.agrees
    assert found.notes[0] == "With layout='NHWC' dx, dw, db are right."
    assert found.findings.keys() == {"dx", "dw", "db"}
    assert all(repr(found).count(f"\n{key}: ") == 1 for key in found.findings)
    assert found["dx"].right < found["dx"].of == 16
    norm = diagnose.batch_norm(backward=batch_norm, layout="NHWC", cases=16)
    assert norm.notes[0] == "With layout='NCHW' dx, dgamma, dbeta are right."
    weights = diagnose.dense(backward=dense, layout="OI", cases=16)
    assert weights.notes[0] == "With layout='IO' dx, dw, db are right."
    flipped = diagnose.conv2d(
        backward=lambda dy, x, w: by_the_package(dy, x, w[::-1, ::-1], 1, 0, 1, 1), layout="NCHW", cases=16
    )
    assert flipped.notes[0] == "With layout='NHWC' dw, db are right."
    assert "pairs" not in repr(found)  # which are taken in that layout


def test_only_where_it_is_so_in_all_cases_are_the_axes_said_to_be_all_that_is_wrong():
    def stacked(dy, x, w, stride, padding, dilation, groups):
        maps = zip(*(np.moveaxis(array, 1, 3)[:, None] for array in (dy, x)), strict=True)
        steps = stride, padding, dilation, groups
        return {
            "dw": [by_the_package(*pair, w.transpose(2, 3, 1, 0), *steps)["dw"].transpose(3, 2, 0, 1) for pair in maps]
        }

    says = "only the axes are not"
    assert says not in repr(diagnose.conv2d(backward=stacked))  # though one image is a batch, too
    summed = diagnose.conv2d(backward=lambda *given, **steps: {"dw": np.sum(stacked(*given, **steps)["dw"], 0)[None]})
    assert says in repr(summed)


def test_a_step_that_one_of_the_two_takes_alone_is_handed_to_it_and_does_nothing():
    def whole(x, w, b, stride, padding, dilation=1, groups=1):
        return convbp.conv2d(x, w, b, stride=stride, padding=padding, dilation=dilation, groups=groups)

    def short(dy, x, w, stride, padding):
        return by_the_package(dy, x, w, stride, padding, 1, 1)

    found = diagnose.conv2d(forward=whole, backward=short, layout="NHWC", cases=12)
    assert found.agrees
    assert "\nNot tried, as it is not taken: dilation (only one of the two takes it), groups (only one" in repr(found)
    found = diagnose.conv2d(
        forward=lambda x, w, b, stride: whole(x, w, b, stride, 0), backward=short, layout="NHWC", cases=12
    )
    assert found.agrees
    assert "not taken: padding (only one of the two takes it), dilation, groups." in repr(found)
    wrong = diagnose.conv2d(
        forward=whole,
        backward=lambda dy, x, w, stride: short(dy, x, w[::-1], stride, 0),
        layout="NHWC",
        cases=12,
    )
    assert {key: wrong[key].agrees for key in wrong.findings} == {"forward": True, "dx": False, "dw": True, "db": True}
    pooled = diagnose.max_pool2d(
        forward=lambda x, size, stride, padding=0: max_pool2d(x, size, stride=stride, padding=padding).output,
        backward=lambda dy, x, size: max_pool2d(x, size).route(dy),
        layout="NHWC",
        cases=12,
    )
    assert pooled.agrees


def test_results_in_another_order_are_told():
    found = diagnose.conv2d(backward=backward_of(lambda dx, dw, db: (dw, dx, db)), cases=8)
    assert found["dx"].said == "These are the numbers of dw: the order is dx, dw, db."
    assert found["db"].agrees


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
    rows = zip([0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1], strict=True)
    found = where(wrong, [dict(zip(("a", "b", "always"), row, strict=True)) for row in rows])
    assert (str(found) if found else "") == says


def test_a_condition_that_is_needed_and_not_enough():
    cases = [{"a": n < 20} for n in range(40)]
    found = where([n < 11 for n in range(40)], cases)
    assert str(found) == "only where a, on 11 of 20 cases"
    assert found.credible
    assert where([20 < n < 31 for n in range(40)], cases) is None
    assert not where([n == 3 for n in range(40)], cases).credible  # by chance in every other such test


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


def padded_with_zeros(dy, x, size, stride, padding):
    around = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dx = max_pool(dy, around, size, stride)
    return dx[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]


def last_window(dy, x, w, stride):
    dx = np.zeros_like(x)
    for i, j in np.ndindex(dy.shape[2:]):
        at = np.s_[:, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
        dx[at] = np.einsum("nd,dckl->nckl", dy[:, :, i, j], w)
    return dx


def last_weight(dy, x, w, stride):
    (rows, columns), dx = dy.shape[2:], np.zeros_like(x)
    for m, n in np.ndindex(w.shape[2:]):
        at = np.s_[:, :, m : m + stride * (rows - 1) + 1 : stride, n : n + stride * (columns - 1) + 1 : stride]
        dx[at] = np.einsum("ndij,dc->ncij", dy, w[:, :, m, n])
    return dx


@pytest.mark.parametrize("backward", [last_window, last_weight])
def test_a_window_that_replaces_another_is_named_with_the_condition_of_it(backward):
    found = diagnose.conv2d(backward=backward)["dx"]
    assert found.names == ("= for +=",)
    assert found.condition == "where windows overlap"


def test_what_comes_out_otherwise_each_time_has_neither_name_nor_condition():
    rng = np.random.default_rng(0)
    found = diagnose.dense(backward=lambda dy, x, w: dy @ w.T * (1 + (rng.random() < 0.2)))["dx"]
    assert (found.condition, found.names) == ("", ())
    assert found.said == "It gives other numbers when it is called again with the same arguments."


class Unreadable:
    """On a device, for NumPy."""

    def __init__(self, array):
        self.array = array

    def __array__(self, *arguments, **keywords):
        raise TypeError("it is on another device")


def test_what_numpy_cannot_read_is_not_said_to_be_changed():
    found = diagnose.dense(backward=lambda dy, x, w: dense(dy.array, x.array, w.array), to=Unreadable, cases=8)
    assert found.agrees
    assert not found.notes
    back = diagnose.dense(backward=lambda dy, x, w: Unreadable(dy @ w.T), cases=4)
    assert "cannot be read as numbers (TypeError: it is on another device)" in back["dx"].said


def coarse(array):
    """As bfloat16 has it."""
    return (array.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def test_a_coarser_dtype_and_a_tolerance_of_one_s_own():
    def backward(dy, x, w):
        for array in (dy, x, w):
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, coarse(array))
        return tuple(coarse(one) for one in dense(dy, x, w))

    assert diagnose.dense(backward=backward, dtype="bfloat16").agrees
    half = diagnose.dense(backward=lambda dy, x, w: 1.03 * dy @ w.T, tolerance=0.05)
    assert half.agrees
    assert not diagnose.dense(backward=lambda dy, x, w: 1.03 * dy @ w.T, tolerance=0.01).agrees
    assert "tolerance is 2" in what_it_says(ValueError, lambda: diagnose.dense(backward=dense, tolerance=2))


def test_a_context_is_not_taken_for_an_array():
    said = what_it_says(TypeError, lambda: diagnose.conv2d(backward=lambda ctx, grad_output: 0))
    assert "a parameter 'ctx' of which it is not clear" in said
    assert "Wrap it: backward=lambda dy, x, w: …" in said
    found = diagnose.conv2d(backward=lambda *arrays: 1 / 0, cases=4)
    assert any("went by position" in note for note in found.notes)


def test_only_what_is_for_others_is_listed():
    assert set(dir(diagnose)) == set(diagnose.__all__)


@pytest.mark.parametrize(
    ("found", "key", "name"),
    [
        (lambda: diagnose.max_pool2d(backward=padded_with_zeros), "dx", "padded with 0, not −∞"),
        (lambda: diagnose.activation("tanh", backward=lambda dy, x: dy * (1 - x**2)), "dx", "x for y in f′"),
        (lambda: diagnose.activation("relu", backward=lambda dy, x: dy * (dy > 0)), "dx", "f′ of δ"),
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


def junk(array):
    """No known mistake, and nothing that could be described as one."""
    return array + np.arange(array.size).reshape(array.shape) ** 2 + 0.5


def backward_wrong_where(happens):
    def backward(dy, x, w, stride, padding, dilation, groups):
        steps = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        dy, x, w = dy.transpose(0, 2, 3, 1), x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0)
        dw = convbp.conv2d_kernel_gradient(x, dy, w.shape[:2], **steps)
        return (junk(dw) if happens(x.shape, w.shape, stride, padding, dilation, groups) else dw).transpose(3, 2, 0, 1)

    return backward


@pytest.mark.parametrize(
    ("condition", "happens"),
    [
        ("the kernel has more than one weight", lambda x, w, *_: w[:2] != (1, 1)),
        ("the kernel is not square", lambda x, w, *_: w[0] != w[1]),
        ("stride differs between rows and columns", lambda x, w, stride, *_: stride[0] != stride[1]),
        ("stride = 1", lambda x, w, stride, *_: max(stride) == 1),
        ("dilation > 1", lambda x, w, stride, padding, dilation, groups: max(dilation) > 1),
        ("groups > 1", lambda x, w, stride, padding, dilation, groups: groups > 1),
        ("there are several images", lambda x, *_: x[0] > 1),
    ],
)
def test_where_it_is_wrong_is_said_in_these_words(condition, happens):
    backward = backward_wrong_where(happens)

    def gradients(dy, x, w, stride, padding, dilation, groups):
        return {"dw": backward(dy, x, w, stride, padding, dilation, groups)}

    found = diagnose.conv2d(backward=gradients, cases=24)
    assert f"dw: right on {found['dw'].right} of 24 cases; wrong where {condition}." in repr(found)


def test_which_part_of_another_layer_is_right_is_said_by_its_name():
    def wrong_dense(dy, x, w):
        dw, db = x.T @ dy, dy.sum(0)
        return dy @ w.T, np.concatenate([dw[:, :1], junk(dw)[:, 1:]], 1), np.concatenate([db[:1], junk(db)[1:] + 1])

    def wrong_norm(dy, x, gamma, eps):
        dx, dgamma, dbeta = batch_norm(dy, x, gamma, eps)
        return dx, np.concatenate([dgamma[:1], 7 + dgamma[1:] ** 2]), np.concatenate([dbeta[:1], 7 + dbeta[1:] ** 2])

    def wrong_slope(dy, x):
        dx = dy * (1 - np.tanh(x) ** 2)
        dx[:, :, 1:] = junk(dx)[:, :, 1:]
        return dx

    for found, keys, part, parts in (
        (diagnose.dense(backward=wrong_dense), ("dw", "db"), "unit", "units"),
        (diagnose.batch_norm(backward=wrong_norm), ("dgamma", "dbeta"), "channel", "channels"),
        (diagnose.activation("tanh", backward=wrong_slope), ("dx",), "column", "columns"),
    ):
        for key in keys:
            assert found[key].condition == f"where there are several {parts}"
            assert f"Right in {part} 0, wrong in the others." in found[key].said


def test_one_image_alone_is_a_case_of_its_own():
    found = diagnose.dense(backward=lambda dy, x, w: (dy @ w.T, x.T @ dy if len(x) > 1 else junk(x.T @ dy)))
    assert found["dw"].condition == "where there is one image"


def test_a_pass_that_is_zero_fits_one_that_is():
    found = diagnose.conv2d(
        forward=lambda x, w, b, **steps: 0 * convbp.conv2d(x, w, **steps) + b,
        backward=lambda dy, x, w, **steps: {"dx": 0 * x},
        layout="NHWC",
        cases=12,
    )
    assert "dx fits your forward pass (they are adjoint), but that is another operation." in found.notes


def test_a_pooling_that_takes_no_stride_has_that_of_its_windows():
    found = diagnose.average_pool2d(backward=lambda dy, x, size: average_pool(dy, x, size, size), cases=12)
    assert found.agrees, repr(found)


def test_notes_and_errors_to_the_word():
    def one_stride(dy, x, w, stride, padding, dilation, groups):
        assert all(isinstance(pad, int) for pad in padding)
        return {"dw": backward_wrong_where(lambda *_: False)(dy, x, w, stride, padding, dilation, groups)}

    assert repr(diagnose.conv2d(backward=one_stride, cases=8)).endswith(
        "\nNot tried: padding of one side, ((top, bottom), (left, right)), as it is not taken."
    )
    with pytest.raises(TypeError) as error:
        diagnose.dense(backward=lambda dy, x, w, b, mystery: dy)
    assert str(error.value) == (
        "dense: backward has a parameter 'mystery' of which it is not clear what it stands for; expected some "
        "of delta, inputs, kernel, bias, under these names or the usual ones (x, w, b, dy). Wrap it: backward=lambda "
        "dy, x, w: …"
    )


def test_what_lies_on_another_device_is_fetched():
    class OnDevice:
        def __init__(self, array):
            self.array, self.__cuda_array_interface__ = array, {}

        def get(self):
            return self.array

    found = diagnose.dense(backward=lambda dy, x, w: tuple(map(OnDevice, dense(dy, x, w))), cases=6)
    assert found.agrees, repr(found)


def test_every_mistake_says_what_was_done_and_why_in_sentences():
    tables = [value for module in (convolutions, others) for value in vars(module).values() if isinstance(value, list)]
    known = [one for table in tables for group in table for one in (group if isinstance(group, list) else [group])]
    known = [one for one in known if hasattr(one, "done")]
    assert len(known) > 300
    for one in known:
        for text in (one.done, one.why):
            assert re.match(r"(?![a-z]{2})\S", text), text
            assert not re.search(r"[A-Z]{5}|XX", text), text


def test_conditions_against_every_choice_of_words_and_of_cases():
    rng, kinds = np.random.default_rng(5), set()
    for _ in range(150):
        table = {words: rng.random(7) < rng.choice([0.3, 0.6, 0.9]) for words in "abcd"}
        some = list(table.values())[: rng.integers(1, 4)]
        wrong = np.all(some, axis=0) & (rng.random(7) < rng.choice([0.6, 1])) | (rng.random(7) < rng.choice([0, 0.2]))
        found = where(wrong.tolist(), [{words: bool(holds[n]) for words, holds in table.items()} for n in range(7)])
        told = {words: holds for words, holds in table.items() if 0 < holds.sum() < 7}
        exact = [
            count
            for count in (1, 2, 3)
            if any(np.array_equal(np.all(rows, axis=0), wrong) for rows in combinations(told.values(), count))
        ]
        either = any(np.array_equal(one | other, wrong) for one, other in combinations(told.values(), 2))
        needed = any(not (wrong & ~holds).any() for holds in told.values())
        if wrong.sum() in (0, 7) or not (exact or either or needed):
            assert found is None
            continue
        holds = (np.all if found.joined == "and" else np.any)([told[words] for words in found.words], axis=0)
        assert not (wrong & ~holds).any()
        assert (found.wrong, found.of) == (wrong.sum(), holds.sum())
        assert (found.wrong == found.of) == bool(exact or either)
        if exact:
            assert (found.joined, len(found.words)) == ("and", exact[0])
        choices = list(combinations(range(7), int(wrong.sum())))
        assert found.by_chance == pytest.approx(sum(holds[list(some)].all() for some in choices) / len(choices))
        kinds.add((found.joined, len(found.words), found.wrong == found.of))
        case = {words: bool(rng.integers(2)) for words in "abcd"}
        among = [case[words] for words in found.words]
        assert found.tells(case) == (sum(among) == len(among), sum(among) == 0)
    assert {("and", 1, True), ("and", 2, True), ("and", 3, True), ("or", 2, True), ("and", 1, False)} <= kinds


@pytest.mark.parametrize(
    ("finding", "says"),
    [
        (Finding(4, 4), "right."),
        (Finding(0, 4), "wrong on all 4 cases."),
        (Finding(0, 2), "wrong on all 2 cases."),
        (Finding(0, 4, stopped=3), "wrong on 1 case, no result on 3."),
        (Finding(0, 4, stopped=4), "no result on 4."),
        (Finding(3, 4, stopped=1), "right on 3 of 4 cases, no result on 1."),
        (Finding(1, 4, "where a", said="A.\nB."), "right on 1 of 4 cases; wrong where a.\n    A.\n    B."),
    ],
)
def test_a_finding_counts_what_is_right_wrong_and_missing(finding, says):
    assert str(finding) == says
    assert finding.agrees == (says == "right.")


@pytest.mark.parametrize(
    ("diagnosis", "takes"),
    [
        (diagnose.conv2d, "dy, x, w, stride, padding, dilation, groups"),
        (diagnose.conv_transpose2d, "dy, x, w, stride, padding, dilation, groups"),
        (diagnose.max_pool2d, "dy, x, size, stride"),
        (diagnose.average_pool2d, "dy, x, size, stride"),
        (diagnose.dense, "dy, x, w"),
        (diagnose.batch_norm, "dy, x, gamma, eps"),
        (partial(diagnose.activation, "tanh"), "dy, x"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_seed_tries_the_same_cases_again_and_another_others(diagnosis, takes):
    def tried(seed):
        given = []
        taken = eval(f"lambda {takes}: keep({takes})", {"keep": lambda *arguments: given.append(repr(arguments))})
        found = diagnosis(backward=taken, cases=2, seed=seed)
        assert {finding.of for finding in found.findings.values()} == {2}
        return given

    once, again, others = map(tried, (1, 1, 2))
    assert once == again
    assert not set(once) & set(others)


# What is said of a case, of a case


def windows_of(size, k, stride, dilation, padding):
    """How often each pixel is read, by following every window; and whether rows or columns are left over."""
    (H, W), ((top, bottom), (left, right)) = size, padding
    read, last = np.zeros(size, int), [0, 0]
    for i in range(-top, H + bottom - dilation[0] * (k[0] - 1), stride[0]):
        for j in range(-left, W + right - dilation[1] * (k[1] - 1), stride[1]):
            for m, n in np.ndindex(*k):
                row, col = i + dilation[0] * m, j + dilation[1] * n
                last = [max(last[0], row + 1), max(last[1], col + 1)]
                if 0 <= row < H and 0 <= col < W:
                    read[row, col] += 1
    return read, last != [H + bottom, W + right]


def test_the_conditions_of_a_convolution_s_cases_hold():
    steps = ("stride", "padding", "dilation", "groups")
    tried = convolutions.cases(40, steps, True, True, np.asarray, 3)
    for case in tried:
        given = case.arguments
        (images, H, W, channels), (k1, k2, of_group, filters) = given["inputs"].shape, given["kernel"].shape
        (s1, s2), (top, bottom), (left, right) = given["stride"], *given["padding"]
        (t1, t2), groups = given["dilation"], given["groups"]
        read, over = windows_of((H, W), (k1, k2), (s1, s2), (t1, t2), given["padding"])
        assert channels == of_group * groups
        assert given["bias"].shape == (filters,)
        assert (
            given["delta"].shape
            == convbp.conv2d(given["inputs"], given["kernel"], **{s: given[s] for s in steps}).shape
        )
        assert case.conditions == {
            "stride > 1": s1 > 1 or s2 > 1,
            "padding > 0": top + bottom + left + right > 0,
            "dilation > 1": t1 > 1 or t2 > 1,
            "groups > 1": groups > 1,
            "the padding is not the same on both sides": top != bottom or left != right,
            "windows overlap": read.max() > 1,
            "the window leaves rows or columns over": over,
            "there are several images": images > 1,
            "there are several channels": of_group > 1,
            "there are several filters": filters // groups > 1,
            "the kernel has more than one weight": k1 * k2 > 1,
            "the kernel is not square": k1 != k2,
            "the kernel has an even side": k1 * k2 % 2 == 0,
            "2·padding is not dilation·(k − 1)": 2 * top != t1 * (k1 - 1) or 2 * left != t2 * (k2 - 1),
            "the input is not square": H != W,
            "stride differs between rows and columns": s1 != s2,
            "padding differs between rows and columns": (top, bottom) != (left, right),
            "stride = 1": s1 == s2 == 1,
            "padding = 0": top == bottom == left == right == 0,
            "groups = 1": groups == 1,
            "the windows fit exactly": not over,
        }
    assert all({case.conditions[words] for case in tried} == {True, False} for words in tried[0].conditions)
    alone = convolutions.cases(4, ("stride",), True, False, np.asarray, 3)
    assert not [words for words in alone[0].conditions if re.search("padding|dilation|groups", words)]


def test_the_conditions_of_a_pooling_s_cases_hold():
    tried = others.pooling_cases(40, ("stride", "padding"), True, np.asarray, 3)
    for case in tried:
        given = case.arguments
        (images, H, W, channels), (k1, k2), (s1, s2) = given["inputs"].shape, given["size"], given["stride"]
        p1, p2 = given["padding"]
        _, over = windows_of((H, W), (k1, k2), (s1, s2), (1, 1), ((p1, p1), (p2, p2)))
        ties = case.conditions["several entries are the largest"]
        assert (len(np.unique(given["inputs"])) < given["inputs"].size) <= ties
        assert case.conditions == {
            "windows overlap": s1 < k1 or s2 < k2,
            "padding > 0": p1 + p2 > 0,
            "several entries are the largest": ties,
            "the window leaves rows or columns over": over,
            "windows leave gaps": s1 > k1 or s2 > k2,
            "the stride is not the size": s1 != k1 or s2 != k2,
            "stride > 1": s1 > 1 or s2 > 1,
            "the window has more than one entry": k1 * k2 > 1,
            "the window is not square": k1 != k2,
            "stride differs between rows and columns": s1 != s2,
            "there are several images": images > 1,
            "there are several channels": channels > 1,
            "the input is not square": H != W,
            "windows do not overlap": s1 >= k1 and s2 >= k2,
        }
    assert all({case.conditions[words] for case in tried} == {True, False} for words in tried[0].conditions)
    tied = [case.arguments["inputs"] for case in tried if case.conditions["several entries are the largest"]]
    assert len(tied) >= 8
    assert min(map(np.min, tied)) < 0 < max(map(np.max, tied))


STEPS = ("stride", "padding", "dilation", "groups")
GIVEN = [case.arguments for case in convolutions.cases(24, STEPS, True, True, np.asarray, 1)]


def steps_of(given):
    return {step: given[step] for step in STEPS}


def by_loops(given):
    inputs, kernel, delta = (given[name] for name in ("inputs", "kernel", "delta"))
    size, kernel_size = inputs.shape[1:3], kernel.shape[:2]
    return (
        convbp.loops.conv2d_input_gradient(delta, kernel, size, **steps_of(given)),
        convbp.loops.conv2d_kernel_gradient(inputs, delta, kernel_size, **steps_of(given)),
    )


def test_a_convolution_in_steps_and_its_programs_are_right_by_loops():
    for given in (GIVEN[-1], min(GIVEN[:8], key=lambda given: given["delta"].size)):
        dx, dw = by_loops(given)
        for program in (convolutions.input_gradient, *convolutions.INPUT_PROGRAMS):
            np.testing.assert_allclose(program(**given), dx, atol=1e-12, err_msg=program.__name__)
        for program in (convolutions.kernel_gradient, *convolutions.KERNEL_PROGRAMS):
            np.testing.assert_allclose(program(**given), dw, atol=1e-12, err_msg=program.__name__)


@pytest.mark.parametrize(
    ("right", "mistakes"),
    [
        (convolutions.input_gradient, convolutions.INPUT_MISTAKES),
        (convolutions.kernel_gradient, convolutions.KERNEL_MISTAKES),
        (convolutions.bias_gradient, convolutions.BIAS_MISTAKES),
        (convolutions.forward, convolutions.FORWARD_MISTAKES),
    ],
    ids=["dx", "dw", "db", "forward"],
)
def test_each_mistake_of_a_convolution_gives_something_and_it_is_wrong(right, mistakes):
    """In one of the ways that have the same words, on one of the cases."""
    task, cases = Computation(right, mistakes), GIVEN[8:24]
    expected, seen = [task.right(given) for given in cases], {}
    for one in task.misconceptions:
        found = [] if seen.get(one.done) else [task.wrong(given, one) for given in cases]
        seen[one.done] = seen.get(one.done) or any(
            wrong is not None and (wrong.shape != result.shape or not np.allclose(wrong, result))
            for wrong, result in zip(found, expected, strict=bool(found))
        )
    assert all(seen.values()), [done for done, wrong in seen.items() if not wrong]


@pytest.mark.parametrize(
    ("layout", "axes", "shape"),
    [
        ("NCHW", (0, 1, 2), "(N, D, H', W'): the sum is over all but the second, and"),
        ("NHWC", (1, 2, 3), "(N, H', W', D): the sum is over the first three, and"),
    ],
)
def test_the_words_of_a_mistake_are_those_of_the_layout(layout, axes, shape):
    def gradients(dy, x, w, stride, padding, dilation, groups):
        return {"db": dy.sum(axis=axes)}

    said = diagnose.conv2d(backward=gradients, layout=layout, cases=8)["db"].said
    assert f"You summed over the filters. δ has the axes {shape} the filters stay." in said
