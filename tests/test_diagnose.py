"""Backward passes as they are written for kernels and coursework, right and wrong: what a diagnosis says of each.

The right one is made wrong by one change of its text, as a slip of the pen would; so nothing here knows how the package
computes a mistake.
"""

import re
from time import perf_counter

import numpy as np
import pytest

from convbp import diagnose

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


def made(source):
    scope = {"np": np}
    exec(source, scope)
    return scope["backward"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_right_ones_are_not_refused(name):
    found = diagnose.conv2d(backward=made(PROGRAMS[name]))
    assert found.agrees, repr(found)
    assert list(found.findings) == ["dx", "dw", "db"]


@pytest.mark.parametrize(("program", "old", "new", "key", "says"), WRONG)
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


def test_48_cases_take_no_two_seconds():
    start = perf_counter()
    assert diagnose.conv2d(backward=made(WINDOWS)).agrees
    right = perf_counter() - start
    assert not diagnose.conv2d(backward=made(WINDOWS.replace("* w[f]", "* w[f, :, ::-1, ::-1]"))).agrees
    assert right < 2
