"""Answers to the exercises on pooling, stride and channels, as strangers write them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import convolve2d, correlate2d

from examination.sheet import Sheet


def windows(d, size, stride):
    """Each output with the slices of its window."""
    for i, j in np.ndindex(d.shape):
        yield (i, j), (slice(i * stride[0], i * stride[0] + size[0]), slice(j * stride[1], j * stride[1] + size[1]))


# max_routing

largest = Sheet("max_routing")


@largest.right("argmax")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] += d[at]
    return out


@largest.right("np.add.at")
def _(x, d, k, s):
    v = sliding_window_view(x, k)[:: s[0], :: s[1]]
    m, n = np.divmod(v.reshape(*v.shape[:2], -1).argmax(-1), k[1])
    i, j = np.indices(d.shape)
    out = np.zeros(x.shape)
    np.add.at(out, (i * s[0] + m, j * s[1] + n), d)
    return out


@largest.right("loops")
def _(x, d, k, s):
    out = [[0.0] * x.shape[1] for _ in range(x.shape[0])]
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            best = -np.inf
            for m in range(k[0]):
                for n in range(k[1]):
                    if x[i * s[0] + m, j * s[1] + n] > best:
                        best, at = x[i * s[0] + m, j * s[1] + n], (i * s[0] + m, j * s[1] + n)
            out[at[0]][at[1]] += d[i, j]
    return out


@largest.right("bincount")
def _(x, d, k, s):
    flat = []
    for (i, j), w in windows(d, k, s):
        m, n = divmod(int(x[w].argmax()), k[1])
        flat.append((i * s[0] + m) * x.shape[1] + j * s[1] + n)
    return np.bincount(flat, d.ravel(), x.size).reshape(x.shape)


@largest.right("max() with a key")
def _(x, d, k, s):
    out = np.zeros_like(x, dtype=float)
    for (i, j), _ in windows(d, k, s):
        places = [(i * s[0] + m, j * s[1] + n) for m in range(k[0]) for n in range(k[1])]
        out[max(places, key=lambda p: x[p])] += d[i, j]
    return out


@largest.right("float32 and nonzero")
def _(x, d, k, s):
    out = np.zeros(x.shape, np.float32)
    for at, w in windows(d, k, s):
        m, n = np.argwhere(x[w] == x[w].max())[0]
        out[w][m, n] += d[at]
    return out


@largest.wrong("ties all get it", "equal|tie|mask|largest|==")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] * (x[w] == x[w].max())
    return out


@largest.wrong("ties share", "equal|tie|share|divid")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        mask = x[w] == x[w].max()
        out[w] += d[at] * mask / mask.sum()
    return out


@largest.wrong("last of ties wins", "another of several largest")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.argwhere(x[w] == x[w].max())[-1]
        out[w][m, n] += d[at]
    return out


@largest.wrong("= for +=", r"\+=|overwr|last|is written as|overlap")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] = d[at]
    return out


@largest.wrong("index arrays with +=", r"np\.add\.at|index arrays|\+=|overwr")
def _(x, d, k, s):
    v = sliding_window_view(x, k)[:: s[0], :: s[1]]
    m, n = np.divmod(v.reshape(*v.shape[:2], -1).argmax(-1), k[1])
    i, j = np.indices(d.shape)
    out = np.zeros(x.shape)
    out[i * s[0] + m, j * s[1] + n] += d
    return out


@largest.wrong("stride of the rows for both", r"s1|stride\[0\]|stride|both")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, (s[0], s[0])):
        if x[w].shape == k:
            m, n = np.unravel_index(x[w].argmax(), k)
            out[w][m, n] += d[at]
    return out


@largest.wrong("window's size as stride", "stride|size|k")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, k):
        if x[w].size:
            m, n = np.unravel_index(x[w].argmax(), x[w].shape)
            out[w][m, n] += d[at]
    return out


@largest.wrong("flat index divided by the rows", "//|%|divid|k1|rows|flat|is written as|IndexError")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for (i, j), w in windows(d, k, s):
        m, n = divmod(int(x[w].argmax()), k[0])
        out[min(i * s[0] + m, len(x) - 1), min(j * s[1] + n, x.shape[1] - 1)] += d[i, j]
    return out


@largest.wrong("search begins at 0", "begins at 0|negative|0 for −∞|inf|zero")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for (i, j), _ in windows(d, k, s):
        best, at = 0, (i * s[0], j * s[1])
        for m in range(k[0]):
            for n in range(k[1]):
                if x[i * s[0] + m, j * s[1] + n] > best:
                    best, at = x[i * s[0] + m, j * s[1] + n], (i * s[0] + m, j * s[1] + n)
        out[at] += d[i, j]
    return out


@largest.wrong("minimum", "min|smallest")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmin(), k)
        out[w][m, n] += d[at]
    return out


@largest.wrong("absolute values", "absolut")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(np.abs(x[w]).argmax(), k)
        out[w][m, n] += d[at]
    return out


@largest.wrong("every entry of the window", "every|whole window|all|average|window")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at]
    return out


@largest.wrong("window's largest times delta", "value|times|largest|product|x")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] += d[at] * x[w].max()
    return out


@largest.wrong("the largest itself", "value|forward|delta|δ")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for _, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] += x[w].max()
    return out


@largest.wrong("place within the window, not the image", "window|corner|stride|i \\*|left out|is written as")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[m, n] += d[at]
    return out


@largest.wrong("delta in one order, windows in another", "transpos|exchang|order|is written as|columns")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    it = iter(d.ravel())
    for j in range(d.shape[1]):
        for i in range(d.shape[0]):
            a, b = i * s[0], j * s[1]
            m, n = np.unravel_index(x[a : a + k[0], b : b + k[1]].argmax(), k)
            out[a + m, b + n] += next(it)
    return out


@largest.wrong("int buffer", "integers")
def _(x, d, k, s):
    out = np.zeros(x.shape, int)
    for at, w in windows(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] += int(d[at])
    return out


@largest.wrong("one mask for the whole image", "mask|whole|equal|same value|window")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out += d[at] * (x == x[w].max())
    return out


# average_routing

average = Sheet("average_routing")


@average.right("slices")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.right("loops")
def _(d, n, k, s):
    out = np.zeros(n)
    for i, j in np.ndindex(d.shape):
        for a in range(k[0]):
            for b in range(k[1]):
                out[i * s[0] + a, j * s[1] + b] += d[i, j] / k[0] / k[1]
    return out


@average.right("window position by window position")
def _(d, n, k, s):
    out = np.zeros(n)
    h, w = d.shape
    for a in range(k[0]):
        for b in range(k[1]):
            out[a : a + s[0] * h : s[0], b : b + s[1] * w : s[1]] += d
    return out / np.prod(k)


@average.right("dilated delta and a convolution")
def _(d, n, k, s):
    z = np.zeros((s[0] * (d.shape[0] - 1) + 1, s[1] * (d.shape[1] - 1) + 1))
    z[:: s[0], :: s[1]] = d
    r = convolve2d(z, np.full(k, 1 / (k[0] * k[1])))
    return np.pad(r, [(0, a - b) for a, b in zip(n, r.shape, strict=True)])


@average.right("two matrices")
def _(d, n, k, s):
    R = np.array([[s[0] * i <= r < s[0] * i + k[0] for i in range(d.shape[0])] for r in range(n[0])])
    C = np.array([[s[1] * j <= c < s[1] * j + k[1] for j in range(d.shape[1])] for c in range(n[1])])
    return R.astype(float) @ d @ C.T.astype(float) / (k[0] * k[1])


@average.right("np.add.at, float32")
def _(d, n, k, s):
    out = np.zeros(n, np.float32)
    i, j, a, b = np.indices(d.shape + tuple(k))
    np.add.at(out, (i * s[0] + a, j * s[1] + b), (d[i, j] / (k[0] * k[1])).astype(np.float32))
    return out


@average.wrong("not divided", "divid|number|factor|multipl")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at]
    return out


@average.wrong("= for +=", r"\+=|overwr|last|overlap|is written as")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] = d[at] / (k[0] * k[1])
    return out


@average.wrong("kron, overlapping windows not considered", "repeat|kron|overlap|stride|copied|size|shape")
def _(d, n, k, s):
    r = np.kron(d, np.ones(k)) / (k[0] * k[1])
    out = np.zeros(n)
    h, w = min(n[0], r.shape[0]), min(n[1], r.shape[1])
    out[:h, :w] = r[:h, :w]
    return out


@average.wrong("d[i // k]", "//|overlap|repeat|stride|copied|window")
def _(d, n, k, s):
    out = np.zeros(n)
    for i, j in np.ndindex(*n):
        a, b = i // k[0], j // k[1]
        if a < d.shape[0] and b < d.shape[1]:
            out[i, j] = d[a, b] / (k[0] * k[1])
    return out


@average.wrong("d[i // s]", "//|overlap|repeat|stride|copied|window")
def _(d, n, k, s):
    out = np.zeros(n)
    for i, j in np.ndindex(*n):
        a, b = i // s[0], j // s[1]
        if a < d.shape[0] and b < d.shape[1]:
            out[i, j] = d[a, b] / (k[0] * k[1])
    return out


@average.wrong("stride of the rows for both", r"s1|stride\[0\]|stride|both")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, (s[0], s[0])):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("stride exchanged", "stride|exchang|s1|s2")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s[::-1]):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("stride ignored", "stride|1")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, (1, 1)):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("size as stride", "stride|size|k")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, k):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("divided by the stride", "stride|divid")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at] / (s[0] * s[1])
    return out


@average.wrong("divided by k1 + k2", "\\+|sum|divid")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at] / (k[0] + k[1])
    return out


@average.wrong("divided by k1 squared", "k1|size\\[0\\]|divid|both")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at] / k[0] ** 2
    return out


@average.wrong("divided by how many windows cover", "how many|cover|overlap|windows")
def _(d, n, k, s):
    out, count = np.zeros(n), np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at]
        count[w] += 1
    return out / np.maximum(count, 1)


@average.wrong("to the first of the window only", "first|corner|one entry|max")
def _(d, n, k, s):
    out = np.zeros(n)
    for (i, j), _ in windows(d, k, s):
        out[i * s[0], j * s[1]] += d[i, j] / (k[0] * k[1])
    return out


@average.wrong("floor division", "//|floor|integers|rounded")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at] // (k[0] * k[1])
    return out


@average.wrong("divided by the size of delta", "divid|delta|number")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in windows(d, k, s):
        out[w] += d[at] / d.size
    return out


@average.wrong("shape of what windows cover, not of the input", "shape|input_size|part")
def _(d, n, k, s):
    out = np.zeros(((d.shape[0] - 1) * s[0] + k[0], (d.shape[1] - 1) * s[1] + k[1]))
    for at, w in windows(d, k, s):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("width from H", r"H|input_size|shape|both|\[0\]")
def _(d, n, k, s):
    out = np.zeros((n[0], n[0]))
    for at, w in windows(d, k, s):
        part = out[w]
        part += d[at] / (k[0] * k[1])
    return out


# l2_routing

norm = Sheet("l2_routing")


@norm.right("slices")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.sqrt((x[w] ** 2).sum())
        if y:
            out[w] += d[at] * x[w] / y
    return out


@norm.right("linalg.norm")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.linalg.norm(x[w])
        out[w] += 0 if y == 0 else d[at] / y * x[w]
    return out


@norm.right("loops")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for i, j in np.ndindex(d.shape):
        total = 0.0
        for a, b in np.ndindex(*k):
            total += x[i * s[0] + a, j * s[1] + b] ** 2
        for a, b in np.ndindex(*k):
            if total > 0:
                r, c = i * s[0] + a, j * s[1] + b
                out[r, c] += d[i, j] * x[r, c] * total**-0.5
    return out


@norm.right("divide with where")
def _(x, d, k, s):
    v = sliding_window_view(x, k)[:: s[0], :: s[1]]
    y = np.sqrt((v * v).sum((2, 3)))
    g = np.divide(d, y, out=np.zeros(y.shape), where=y > 0)
    out = np.zeros(x.shape)
    for a, b in np.ndindex(*k):
        out[a : a + s[0] * len(g) : s[0], b : b + s[1] * g.shape[1] : s[1]] += g
    return out * x


@norm.right("nan_to_num")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += np.nan_to_num(d[at] * x[w] / np.hypot.reduce(x[w].astype(float).ravel()))
    return out


@norm.right("float32")
def _(x, d, k, s):
    out = np.zeros(x.shape, np.float32)
    for at, w in windows(d.astype(np.float32), k, s):
        y = np.sqrt(np.sum(np.square(x[w], dtype=np.float32)))
        out[w] += np.float32(d[at]) * x[w].astype(np.float32) / y if y > 0 else np.float32(0)
    return out


@norm.wrong("no norm", "divid|norm|y|left out")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] * x[w]
    return out


@norm.wrong("2x without the root", "root|2|square|sqrt|factor")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] * 2 * x[w]
    return out


@norm.wrong("divided by the square of the norm", "y²")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = (x[w] ** 2).sum()
        out[w] += d[at] * x[w] / y if y else 0
    return out


@norm.wrong("half of it: 1/(2y)", "½|half|0.5|factor|2")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.linalg.norm(x[w])
        out[w] += d[at] * x[w] / (2 * y) if y else 0
    return out


@norm.wrong("x forgotten", "x|left out|inputs")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.linalg.norm(x[w])
        out[w] += d[at] / y if y else 0
    return out


@norm.wrong("NaN at 0", "0 by 0")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] * x[w] / np.linalg.norm(x[w])
    return out


@norm.wrong("epsilon in the root", "digits|ε")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] * x[w] / np.sqrt((x[w] ** 2).sum() + 1e-5)
    return out


@norm.wrong("= for +=", r"\+=|overwr|last|overlap|is written as")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.linalg.norm(x[w])
        out[w] = d[at] * x[w] / y if y else 0
    return out


@norm.wrong("the sum of absolute values", "absolut|L1|norm|sum")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.abs(x[w]).sum()
        out[w] += d[at] * x[w] / y if y else 0
    return out


@norm.wrong("absolute values of x", "absolut|sign")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.linalg.norm(x[w])
        out[w] += d[at] * np.abs(x[w]) / y if y else 0
    return out


@norm.wrong("squares of x", "squar|power|\\*\\*|x")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.linalg.norm(x[w])
        out[w] += d[at] * x[w] ** 2 / y if y else 0
    return out


@norm.wrong("norm of the whole image", "whole|image|window|norm")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    y = np.linalg.norm(x)
    for at, w in windows(d, k, s):
        out[w] += d[at] * x[w] / y
    return out


@norm.wrong("root of the mean", "mean|divid|number|factor")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        y = np.sqrt((x[w] ** 2).mean())
        out[w] += d[at] * x[w] / y if y else 0
    return out


@norm.wrong("times y", "times|multipl|divid|\\*|·")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] * x[w] * np.linalg.norm(x[w])
    return out


@norm.wrong("average pooling", "average|mean|divid")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, s):
        out[w] += d[at] / (k[0] * k[1])
    return out


@norm.wrong("stride ignored", "stride|1")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in windows(d, k, (1, 1)):
        y = np.linalg.norm(x[w])
        out[w] += d[at] * x[w] / y if y else 0
    return out


# strided_input_gradient

strided = Sheet("strided_input_gradient")


@strided.right("scatter into a padded buffer")
def _(d, w, n, s, p):
    buf = np.zeros((n[0] + 2 * p[0], n[1] + 2 * p[1]))
    for i, j in np.ndindex(d.shape):
        buf[i * s[0] : i * s[0] + len(w), j * s[1] : j * s[1] + w.shape[1]] += d[i, j] * w
    return buf[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.right("gather")
def _(d, w, n, s, p):
    out = np.zeros(n)
    for r, c in np.ndindex(*n):
        for i, j in np.ndindex(d.shape):
            a, b = r + p[0] - i * s[0], c + p[1] - j * s[1]
            if 0 <= a < w.shape[0] and 0 <= b < w.shape[1]:
                out[r, c] += d[i, j] * w[a, b]
    return out


@strided.right("scatter with if")
def _(d, w, n, s, p):
    out = np.zeros(n)
    for i, j in np.ndindex(d.shape):
        for a, b in np.ndindex(w.shape):
            r, c = i * s[0] + a - p[0], j * s[1] + b - p[1]
            if 0 <= r < n[0] and 0 <= c < n[1]:
                out[r, c] += d[i, j] * w[a, b]
    return out.tolist()


@strided.right("dilated delta, full convolution, cut")
def _(d, w, n, s, p):
    z = np.zeros((n[0] + 2 * p[0] - len(w) + 1, n[1] + 2 * p[1] - w.shape[1] + 1))
    z[:: s[0], :: s[1]][: d.shape[0], : d.shape[1]] = d
    f = convolve2d(z, w)
    return f[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.right("weight by weight")
def _(d, w, n, s, p):
    buf = np.zeros((n[0] + 2 * p[0], n[1] + 2 * p[1]))
    h, v = d.shape
    for (a, b), value in np.ndenumerate(w):
        buf[a : a + s[0] * h : s[0], b : b + s[1] * v : s[1]] += value * d
    return buf[p[0] : len(buf) - p[0], p[1] : buf.shape[1] - p[1]]


@strided.right("np.add.at, float32")
def _(d, w, n, s, p):
    buf = np.zeros((n[0] + 2 * p[0], n[1] + 2 * p[1]), "f4")
    i, j, a, b = np.indices(d.shape + w.shape)
    np.add.at(buf, (i * s[0] + a, j * s[1] + b), (d[i, j] * w[a, b]).astype("f4"))
    return buf[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


def scattered(d, w, n, s, p, put=lambda old, new: old + new):
    size = [max(a + 2 * b, (o - 1) * c + k) for a, b, c, k, o in zip(n, p, s, w.shape, d.shape, strict=True)]
    buf = np.zeros(size)
    for i, j in np.ndindex(d.shape):
        at = slice(i * s[0], i * s[0] + len(w)), slice(j * s[1], j * s[1] + w.shape[1])
        buf[at] = put(buf[at], d[i, j] * w)
    return buf


@strided.wrong("padding not cut off", "padd|cut|shape|part|begin")
def _(d, w, n, s, p):
    return scattered(d, w, n, s, p)


@strided.wrong("padding cut at the end only", "padd|begin|cut|moved|left out|is written as")
def _(d, w, n, s, p):
    return scattered(d, w, n, s, p)[: n[0], : n[1]]


@strided.wrong("stride of the rows for both", r"s1|stride\[0\]|stride|both")
def _(d, w, n, s, p):
    out = scattered(d, w, n, (s[0], s[0]), p)
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("padding of the rows for both", r"p1|padding\[0\]|padding|both")
def _(d, w, n, s, p):
    big = np.pad(scattered(d, w, n, s, p), 9)[9:]
    big = big[:, 9:]
    return big[p[0] : p[0] + n[0], p[0] : p[0] + n[1]]


@strided.wrong("stride ignored", "stride|1")
def _(d, w, n, s, p):
    out = scattered(d, w, n, (1, 1), p)
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("padding ignored", "padd")
def _(d, w, n, s, p):
    return scattered(d, w, n, s, (0, 0))[: n[0], : n[1]]


@strided.wrong("kernel turned", "turn|180")
def _(d, w, n, s, p):
    out = scattered(d, w[::-1, ::-1], n, s, p)
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("= for +=", r"\+=|overwr|last|overlap|is written as")
def _(d, w, n, s, p):
    out = scattered(d, w, n, s, p, lambda old, new: new)
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("padding wraps by negative indices", "negative|wrap|padd")
def _(d, w, n, s, p):
    out = np.zeros(n)
    for i, j in np.ndindex(d.shape):
        for a, b in np.ndindex(w.shape):
            r, c = i * s[0] + a - p[0], j * s[1] + b - p[1]
            if r < n[0] and c < n[1]:
                out[r % n[0], c % n[1]] += d[i, j] * w[a, b]
    return out


@strided.wrong("one zero too many between (dilation s + 1)", "stride|one|is written as")
def _(d, w, n, s, p):
    out = scattered(d, w, n, (s[0] + 1, s[1] + 1), p)
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("kernel transposed", "transpos|kernel|index")
def _(d, w, n, s, p):
    out = scattered(d, w.T, n, s, p)
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("padding subtracted twice", "padd|2|twice|is written as|moved")
def _(d, w, n, s, p):
    out = np.zeros(n)
    for i, j in np.ndindex(d.shape):
        for a, b in np.ndindex(w.shape):
            r, c = i * s[0] + a - 2 * p[0], j * s[1] + b - 2 * p[1]
            if 0 <= r < n[0] and 0 <= c < n[1]:
                out[r, c] += d[i, j] * w[a, b]
    return out


@strided.wrong("padding added", "padd|sign|\\+|is written as|moved")
def _(d, w, n, s, p):
    out = np.zeros(n)
    for i, j in np.ndindex(d.shape):
        for a, b in np.ndindex(w.shape):
            r, c = i * s[0] + a + p[0], j * s[1] + b + p[1]
            if 0 <= r < n[0] and 0 <= c < n[1]:
                out[r, c] += d[i, j] * w[a, b]
    return out


@strided.wrong("correlation with dilated delta", "turn|180|correlation")
def _(d, w, n, s, p):
    z = np.zeros((n[0] + 2 * p[0] - len(w) + 1, n[1] + 2 * p[1] - w.shape[1] + 1))
    z[:: s[0], :: s[1]][: d.shape[0], : d.shape[1]] = d
    f = correlate2d(z, w)
    return f[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("int buffer", "integers")
def _(d, w, n, s, p):
    out = scattered(d, w, n, s, p, lambda old, new: np.trunc(old + new))
    return out[p[0] : p[0] + n[0], p[1] : p[1] + n[1]].astype(int)


@strided.wrong("padded result instead of cut", "shape|padd|margin")
def _(d, w, n, s, p):
    out = scattered(d, w, n, s, (0, 0))[: n[0], : n[1]]
    return np.pad(out, [(a, a) for a in p])


# multichannel_input_gradient

back = Sheet("multichannel_input_gradient")


@back.right("einsum scatter")
def _(d, w):
    N, H, W, _ = d.shape
    k1, k2, C, _ = w.shape
    out = np.zeros((N, H + k1 - 1, W + k2 - 1, C))
    for m in range(k1):
        for n in range(k2):
            out[:, m : m + H, n : n + W] += np.einsum("nhwd,cd->nhwc", d, w[m, n])
    return out


@back.right("matmul")
def _(d, w):
    N, H, W, _ = d.shape
    k1, k2, C, _ = w.shape
    out = np.zeros((N, H + k1 - 1, W + k2 - 1, C), np.float32)
    for i in range(H):
        for j in range(W):
            out[:, i : i + k1, j : j + k2, :] += (w @ d[:, i, j].T).transpose(3, 0, 1, 2)
    return out


@back.right("scipy per pair")
def _(d, w):
    return np.stack(
        [
            np.stack(
                [sum(convolve2d(x[..., f], w[..., c, f]) for f in range(d.shape[3])) for c in range(w.shape[2])], -1
            )
            for x in d
        ]
    )


@back.right("padding and windows")
def _(d, w):
    k1, k2 = w.shape[:2]
    p = np.pad(d, ((0, 0), (k1 - 1,) * 2, (k2 - 1,) * 2, (0, 0)))
    v = sliding_window_view(p, (k1, k2), axis=(1, 2))
    return np.einsum("nhwdab,abcd->nhwc", v, w[::-1, ::-1])


@back.right("tensordot, col2im")
def _(d, w):
    N, H, W, _ = d.shape
    k1, k2, C, _ = w.shape
    cols = np.tensordot(d, w, (3, 3))
    out = np.zeros((N, H + k1 - 1, W + k2 - 1, C))
    for i in range(H):
        for j in range(W):
            out[:, i : i + k1, j : j + k2] += cols[:, i, j]
    return out


@back.right("loops")
def _(d, w):
    N, H, W, _ = d.shape
    k1, k2, C, _ = w.shape
    out = np.zeros((N, H + k1 - 1, W + k2 - 1, C))
    for b, i, j, f in np.ndindex(d.shape):
        for m, n, c in np.ndindex(k1, k2, C):
            out[b, i + m, j + n, c] += d[b, i, j, f] * w[m, n, c, f]
    return out.tolist()


def col2im(d, w, put=lambda old, new: old + new):
    N, H, W, _ = d.shape
    k1, k2, C = w.shape[:3]
    cols = np.tensordot(d, w, (3, 3))
    out = np.zeros((N, H + k1 - 1, W + k2 - 1, C))
    for i in range(H):
        for j in range(W):
            at = slice(None), slice(i, i + k1), slice(j, j + k2)
            out[at] = put(out[at], cols[:, i, j])
    return out


@back.wrong("= in col2im", r"\+=|overwr|last|is written as")
def _(d, w):
    return col2im(d, w, lambda old, new: new)


@back.wrong("turned kernel", "turn|180")
def _(d, w):
    return col2im(d, w[::-1, ::-1])


@back.wrong("turned in all axes", "turn|revers|channel|axes")
def _(d, w):
    return col2im(d, w[::-1, ::-1, ::-1, ::-1])


@back.wrong("one axis flipped", "axis|rows|top|revers")
def _(d, w):
    return col2im(d, w[::-1])


@back.wrong("valid, after padding of nothing", "valid|shape|padd|zeros|part")
def _(d, w):
    v = sliding_window_view(d, w.shape[:2], axis=(1, 2)) if min(d.shape[1:3]) >= max(w.shape[:2]) else d[:, :1, :1]
    if v.ndim == 4:
        return v
    return np.einsum("nhwdab,abcd->nhwc", v, w[::-1, ::-1])


@back.wrong("channels and filters exchanged", "channel|filter|exchang|shape")
def _(d, w):
    if w.shape[2] == w.shape[3]:
        return col2im(d, w.swapaxes(2, 3))
    return col2im(d[..., :1].repeat(w.shape[2], -1), w.swapaxes(2, 3))


@back.wrong("mean over the batch", "mean|divid|images|length")
def _(d, w):
    return col2im(d, w) / len(d)


@back.wrong("summed over the batch", "shape|images|sum")
def _(d, w):
    return col2im(d, w).sum(0)


@back.wrong("first filter only", "filter|first|one")
def _(d, w):
    return col2im(d[..., :1], w[..., :1])


@back.wrong("mean over filters", "mean|filter|divid")
def _(d, w):
    return col2im(d, w) / d.shape[3]


@back.wrong("sum over the channels", "channel|shape|sum")
def _(d, w):
    return col2im(d, w).sum(-1)


@back.wrong("all channels alike", "channel|same|sum|each")
def _(d, w):
    out = col2im(d, w)
    return np.repeat(out.sum(-1, keepdims=True), out.shape[-1], -1)


@back.wrong("channels first returned", "axes|layout|channel|order|shape")
def _(d, w):
    return col2im(d, w).transpose(0, 3, 1, 2)


@back.wrong("last image used for all", "image|last|batch")
def _(d, w):
    out = col2im(d, w)
    return np.repeat(out[-1:], len(out), 0)


@back.wrong("last filter only: = over the filters", r"filter|last|\+=|is written as")
def _(d, w):
    return col2im(d[..., -1:], w[..., -1:])


@back.wrong("integers", "integers")
def _(d, w):
    return col2im(d, w).astype(np.int64)


@back.wrong("rows and columns of the result exchanged", "axes|exchang|transpos|shape")
def _(d, w):
    return col2im(d, w).swapaxes(1, 2)


# multichannel_kernel_gradient

weights = Sheet("multichannel_kernel_gradient")


def size_of(x, d):
    return x.shape[1] - d.shape[1] + 1, x.shape[2] - d.shape[2] + 1


def by_windows(x, d, said="nhwcab,nhwd->abcd"):
    return np.einsum(said, sliding_window_view(x, size_of(x, d), axis=(1, 2)), d)


@weights.right("einsum over windows")
def _(x, d):
    return by_windows(x, d)


@weights.right("weight by weight")
def _(x, d):
    k1, k2 = size_of(x, d)
    _, H, W, _ = d.shape
    out = np.zeros((k1, k2, x.shape[3], d.shape[3]))
    for m in range(k1):
        for n in range(k2):
            out[m, n] = np.tensordot(x[:, m : m + H, n : n + W], d, ((0, 1, 2), (0, 1, 2)))
    return out


@weights.right("im2col")
def _(x, d):
    k = size_of(x, d)
    v = sliding_window_view(x, k, axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    cols = v.reshape(-1, k[0] * k[1] * x.shape[3])
    return (cols.T @ d.reshape(-1, d.shape[3])).reshape(*k, x.shape[3], d.shape[3])


@weights.right("scipy per pair")
def _(x, d):
    k = size_of(x, d)
    out = np.zeros((*k, x.shape[3], d.shape[3]))
    for b in range(len(x)):
        for c in range(x.shape[3]):
            for f in range(d.shape[3]):
                out[:, :, c, f] += correlate2d(x[b, ..., c], d[b, ..., f], "valid")
    return out


@weights.right("output by output, float32")
def _(x, d):
    k1, k2 = size_of(x, d)
    out = np.zeros((k1, k2, x.shape[3], d.shape[3]), "f4")
    for b, i, j in np.ndindex(d.shape[:3]):
        out += x[b, i : i + k1, j : j + k2, :, None].astype("f4") * d[b, i, j].astype("f4")
    return out


@weights.right("loops, lists")
def _(x, d):
    k1, k2 = size_of(x, d)
    N, H, W, D = d.shape

    def one(m, n, c, f):
        return sum(x[b, i + m, j + n, c] * d[b, i, j, f] for b in range(N) for i in range(H) for j in range(W))

    return [[[[one(m, n, c, f) for f in range(D)] for c in range(x.shape[3])] for n in range(k2)] for m in range(k1)]


@weights.wrong("mean over the batch", "mean|divid|images|length")
def _(x, d):
    return by_windows(x, d) / len(x)


@weights.wrong("mean over all outputs", "mean|divid|number|outputs|product")
def _(x, d):
    return by_windows(x, d) / (d.shape[0] * d.shape[1] * d.shape[2])


@weights.wrong("turned", "turn|180|revers")
def _(x, d):
    return by_windows(x, d)[::-1, ::-1]


@weights.wrong("convolution", "rot180|turn")
def _(x, d):
    return by_windows(x, d[:, ::-1, ::-1])


@weights.wrong("delta of image 0 for all", "image 0|first image|same|δ")
def _(x, d):
    return by_windows(x, np.repeat(d[:1], len(d), 0))


@weights.wrong("last image only", "last|image")
def _(x, d):
    return by_windows(x[-1:], d[-1:])


@weights.wrong("first image only", "first|image")
def _(x, d):
    return by_windows(x[:1], d[:1])


@weights.wrong("images added first", "images|added|sum|first")
def _(x, d):
    return by_windows(x.sum(0, keepdims=True), d.sum(0, keepdims=True))


@weights.wrong("D, C order", "axes|channel|filter|exchang|order|shape")
def _(x, d):
    return by_windows(x, d).swapaxes(2, 3)


@weights.wrong("PyTorch's order (D, C, k1, k2)", "axes|layout|order|shape")
def _(x, d):
    return by_windows(x, d).transpose(3, 2, 0, 1)


@weights.wrong("channels summed", "channel|shape|sum")
def _(x, d):
    return by_windows(x, d, "nhwcab,nhwd->abd")


@weights.wrong("channels summed and repeated", "channel|same|sum")
def _(x, d):
    out = by_windows(x, d).sum(2, keepdims=True)
    return np.repeat(out, x.shape[3], 2)


@weights.wrong("one gradient per image", "shape|image|batch")
def _(x, d):
    return by_windows(x, d, "nhwcab,nhwd->nabcd")


@weights.wrong("delta averaged over the positions", "mean|positions|divid|delta")
def _(x, d):
    k = size_of(x, d)
    v = sliding_window_view(x, k, axis=(1, 2)).sum((1, 2))
    return np.einsum("ncab,nd->abcd", v, d.mean((1, 2)))


@weights.wrong("rows and columns of the kernel exchanged", "axes|transpos|exchang|shape|rows")
def _(x, d):
    return by_windows(x, d).swapaxes(0, 1)


@weights.wrong("reshape in the wrong order", "reshape|order|places|stand|axes")
def _(x, d):
    k = size_of(x, d)
    v = sliding_window_view(x, k, axis=(1, 2))
    cols = v.reshape(-1, x.shape[3] * k[0] * k[1])
    return (cols.T @ d.reshape(-1, d.shape[3])).reshape(*k, x.shape[3], d.shape[3])


@weights.wrong("minus", "sign|minus")
def _(x, d):
    return -by_windows(x, d)


@weights.wrong("int", "integers")
def _(x, d):
    return by_windows(x, d).astype(int)


SHEETS = [largest, average, norm, strided, back, weights]
