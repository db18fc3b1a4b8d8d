"""Answers to the exercises on gradients and δ, as strangers write them."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special
from scipy.signal import convolve2d, correlate2d, fftconvolve

from examination.sheet import Sheet

# kernel_gradient

kernel = Sheet("kernel_gradient")


@kernel.right("scipy")
def _(x, d):
    return correlate2d(x, d, "valid")


@kernel.right("loops over outputs, adding patches")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    dw = np.zeros(k)
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            dw += d[i, j] * x[i : i + k[0], j : j + k[1]]
    return dw


@kernel.right("im2col and a matrix product")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    cols = sliding_window_view(x, k).reshape(d.size, -1)
    return (d.reshape(1, -1) @ cols).reshape(k)


@kernel.right("convolution with the turned delta")
def _(x, d):
    return convolve2d(x, np.rot90(d, 2), mode="valid")


@kernel.right("einsum, float32")
def _(x, d):
    return np.einsum("mnij,ij->mn", sliding_window_view(x.astype("f4"), d.shape), d.astype("f4"))


@kernel.right("lists")
def _(x, d):
    return [
        [
            sum(d[i][j] * x[i + m][j + n] for i in range(len(d)) for j in range(len(d[0])))
            for n in range(len(x[0]) - len(d[0]) + 1)
        ]
        for m in range(len(x) - len(d) + 1)
    ]


@kernel.right("FFT")
def _(x, d):
    h, w = d.shape
    return fftconvolve(x, d[::-1, ::-1])[h - 1 : x.shape[0], w - 1 : x.shape[1]]


@kernel.wrong("convolution for correlation", "rot180|turn")
def _(x, d):
    return convolve2d(x, d, mode="valid")


@kernel.wrong("result turned by 180", "turn|180")
def _(x, d):
    return np.rot90(correlate2d(x, d, "valid"), 2)


@kernel.wrong("swapped arguments, turned by scipy", "turn|180|exchang|order")
def _(x, d):
    return correlate2d(d, x, "valid")


@kernel.wrong("input turned", "turn")
def _(x, d):
    return correlate2d(np.flip(x), d, "valid")


@kernel.wrong("divided by the number of outputs", "mean|divided")
def _(x, d):
    return correlate2d(x, d, "valid") / d.size


@kernel.wrong("minus sign", "sign|minus|−")
def _(x, d):
    return -correlate2d(x, d, "valid")


@kernel.wrong("= for +=", r"\+=|last|overwr|is written as")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    dw = np.zeros(k)
    for i in range(d.shape[0]):
        for j in range(d.shape[1]):
            dw = d[i, j] * x[i : i + k[0], j : j + k[1]]
    return dw


@kernel.wrong("last row of delta left out", "limit|row|last|range|is written as")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    dw = np.zeros(k)
    for i in range(d.shape[0] - 1):
        for j in range(d.shape[1]):
            dw += d[i, j] * x[i : i + k[0], j : j + k[1]]
    return dw


@kernel.wrong("delta summed first, times the sum of the input window", "—")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    return d.sum() * x[: k[0], : k[1]]


@kernel.wrong("full instead of valid", "full|part|begin")
def _(x, d):
    return correlate2d(x, d)


@kernel.wrong("delta as the size of the kernel", "shape|delta")
def _(x, d):
    dw = np.zeros(d.shape)
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    for i in range(k[0]):
        for j in range(k[1]):
            dw += x[i : i + d.shape[0], j : j + d.shape[1]] * d
    return dw


@kernel.wrong("tuple of dw and db", "several|arrays|tuple|one")
def _(x, d):
    return correlate2d(x, d, "valid"), d.sum(keepdims=True)


@kernel.wrong("adds delta into itself: changes the argument", "changes its argument")
def _(x, d):
    d *= 1.0 if d.dtype.kind == "f" else 1
    d[0, 0] += 1
    d[0, 0] -= 1
    out = correlate2d(x, d, "valid")
    d[...] = 0
    return out


@kernel.wrong("int8 input", "integers|wrap|cut")
def _(x, d):
    return correlate2d(x.astype(np.int8), d.astype(np.int8), "valid")


@kernel.wrong("indices of the input swapped", "is written as|exchang|transpos|index|IndexError")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    dw = np.zeros(k)
    for m, n in np.ndindex(k):
        for i, j in np.ndindex(d.shape):
            dw[m, n] += d[i, j] * x[(i + n) % len(x), (j + m) % len(x[0])]
    return dw


@kernel.wrong("mean over windows axis only (sum over rows, mean over columns)", "divided|mean|factor|length")
def _(x, d):
    return correlate2d(x, d, "valid") / d.shape[1]


# bias_gradient

bias = Sheet("bias_gradient")


@bias.right("sum over axes")
def _(d):
    return d.sum(axis=(0, 1, 2))


@bias.right("reshape")
def _(d):
    return d.reshape(-1, d.shape[-1]).sum(0)


@bias.right("einsum")
def _(d):
    return np.einsum("nhwd->d", d)


@bias.right("ones")
def _(d):
    flat = d.reshape(-1, d.shape[3])
    return np.ones(len(flat)) @ flat


@bias.right("loops")
def _(d):
    db = [0.0] * d.shape[3]
    for n in range(d.shape[0]):
        for i in range(d.shape[1]):
            for j in range(d.shape[2]):
                for k in range(d.shape[3]):
                    db[k] += d[n, i, j, k]
    return db


@bias.right("filter by filter, float32")
def _(d):
    return np.array([d[..., k].sum() for k in range(d.shape[-1])], np.float32)


@bias.right("sum three times")
def _(d):
    return sum(sum(sum(d)))


@bias.wrong("mean over the batch", "mean|divided|length|images")
def _(d):
    return d.sum((0, 1, 2)) / len(d)


@bias.wrong("mean over everything", "mean")
def _(d):
    return d.mean((0, 1, 2))


@bias.wrong("sum over everything", "everything|one number|all|shape|filters")
def _(d):
    return d.sum()


@bias.wrong("batch only", "position")
def _(d):
    return d.sum(axis=0)


@bias.wrong("NCHW axes", "axes|axis|layout|channel|order")
def _(d):
    return d.sum(axis=(0, 2, 3))


@bias.wrong("positions only", "images|batch|axis|shape|positions")
def _(d):
    return d.sum(axis=(1, 2))


@bias.wrong("keepdims", "shape|axes")
def _(d):
    return d.sum(axis=(0, 1, 2), keepdims=True)


@bias.wrong("mean over positions, sum over images", "mean|divided|product|factor|positions")
def _(d):
    return d.mean((1, 2)).sum(0)


@bias.wrong("mean over images, sum over positions, by numpy", "mean|divided|images")
def _(d):
    return d.mean(0).sum((0, 1))


@bias.wrong("minus", "sign|minus")
def _(d):
    return -d.sum((0, 1, 2))


@bias.wrong("a column vector", "shape|axes")
def _(d):
    return d.reshape(-1, d.shape[-1]).sum(0)[:, None]


@bias.wrong("first image only", "first|image")
def _(d):
    return d[0].sum((0, 1))


@bias.wrong("the last image alone, = for +=", r"last|\+=|= for")
def _(d):
    for one in d:
        db = one.sum((0, 1))
    return db


@bias.wrong("integer buffer", "integers")
def _(d):
    db = np.zeros(d.shape[-1], int)
    for k in range(d.shape[-1]):
        db[k] = d[..., k].sum()
    return db


@bias.wrong("returns a generator", "type|generator|numbers")
def _(d):
    return (d[..., k].sum() for k in range(d.shape[-1]))


@bias.wrong("axis missing: sums the filters", "axis|axes|filters|shape")
def _(d):
    return d.sum(-1)


@bias.wrong("reshaped the wrong way round", "reshape|order|axes|other")
def _(d):
    return d.reshape(d.shape[-1], -1).sum(1)


@bias.wrong("all biases get the same sum", "filter|same|each|sum")
def _(d):
    return np.full(d.shape[-1], d.sum())


@bias.wrong("half", "0.5|half|½|factor")
def _(d):
    return 0.5 * d.sum((0, 1, 2))


# descent_step

descent = Sheet("descent_step")


@descent.right("one line")
def _(w, g, lr):
    return w - lr * g


@descent.right("np.subtract")
def _(w, g, lr):
    return np.subtract(w, np.multiply(g, lr))


@descent.right("copy and -=")
def _(w, g, lr):
    w = w.astype(float)
    w -= lr * g
    return w


@descent.right("lists")
def _(w, g, lr):
    return [[a - lr * b for a, b in zip(r, s, strict=True)] for r, s in zip(w.tolist(), g.tolist(), strict=True)]


@descent.right("loops")
def _(w, g, lr):
    out = np.zeros_like(w, dtype=float)
    for i in np.ndindex(w.shape):
        out[i] = w[i] - lr * g[i]
    return out


@descent.right("float32")
def _(w, g, lr):
    return w.astype(np.float32) - np.float32(lr) * g.astype(np.float32)


@descent.right("momentum of 0")
def _(w, g, lr):
    v = np.zeros(w.shape)
    v = 0 * v - lr * g
    return w + v


@descent.wrong("ascent", "added")
def _(w, g, lr):
    return w + lr * g


@descent.wrong("no learning rate", "learning_rate|rate|η|factor")
def _(w, g, lr):
    return w - g


@descent.wrong("the step alone", "step|weights|w")
def _(w, g, lr):
    return lr * g


@descent.wrong("the step with its sign alone", "step|weights|term|w")
def _(w, g, lr):
    return -lr * g


@descent.wrong("in place", "changes its argument|integers")
def _(w, g, lr):
    w -= lr * g
    return w


@descent.wrong("weight decay instead of gradient", "gradient|w|weights|is written as")
def _(w, g, lr):
    return w - lr * w


@descent.wrong("exchanged weights and gradient", "exchang|weights|gradient|is written as")
def _(w, g, lr):
    return g - lr * w


@descent.wrong("sign of the gradient", "whatever the size")
def _(w, g, lr):
    return w - lr * np.sign(g)


@descent.wrong("normalised gradient", "norm|divided|step|length")
def _(w, g, lr):
    return w - lr * g / np.linalg.norm(g)


@descent.wrong("mean gradient", "mean")
def _(w, g, lr):
    return w - lr * g.mean()


@descent.wrong("gradient divided by its size", "divided|entries|mean|number|size")
def _(w, g, lr):
    return w - lr * g / g.size


@descent.wrong("scaled the whole", "multiplied the weights")
def _(w, g, lr):
    return lr * (w - g)


@descent.wrong("(1 - lr) w - lr g", "decay|weights|w")
def _(w, g, lr):
    return (1 - lr) * w - lr * g


@descent.wrong("divided by the learning rate", "divided|/|rate")
def _(w, g, lr):
    return w - g / lr


@descent.wrong("cut off", "integers")
def _(w, g, lr):
    return (w - lr * g).astype(int)


@descent.wrong("matrix product", "matri|@|product|shape")
def _(w, g, lr):
    return w - lr * (w @ g)


@descent.wrong("squared gradient", "squar|\\*\\*|power|g")
def _(w, g, lr):
    return w - lr * g**2


@descent.wrong("two steps", "2|two|twice|factor")
def _(w, g, lr):
    for _ in range(2):
        w = w - lr * g
    return w


# output_delta

output = Sheet("output_delta")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@output.right("y(1 - y)")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * y * (1 - y)


@output.right("scipy's expit")
def _(x, t):
    y = special.expit(x)
    return -(t - y) * (y - y**2)


@output.right("exp(-x)/(1 + exp(-x))²")
def _(x, t):
    return (sigmoid(x) - t) * np.exp(-x) / (1 + np.exp(-x)) ** 2


@output.right("tanh")
def _(x, t):
    y = 0.5 * (1 + np.tanh(x / 2))
    return (y - t) / (4 * np.cosh(x / 2) ** 2)


@output.right("complex step")
def _(x, t):
    def E(z):
        return 0.5 * (t - 1 / (1 + np.exp(-z))) ** 2

    return E(x + 1e-30j).imag / 1e-30


@output.right("loops with math")
def _(x, t):
    import math

    out = []
    for xs, ts in zip(x, t, strict=True):
        ys = [1 / (1 + math.exp(-a)) for a in xs]
        out.append([(y - b) * y * (1 - y) for y, b in zip(ys, ts, strict=True)])
    return out


@output.right("float32")
def _(x, t):
    y = sigmoid(x.astype(np.float32))
    return (y - t.astype(np.float32)) * y * (1 - y)


@output.wrong("t - y", "sign|t − y|minus|opposite")
def _(x, t):
    y = sigmoid(x)
    return (t - y) * y * (1 - y)


@output.wrong("no derivative", "derivative|f′|factor|left out")
def _(x, t):
    return sigmoid(x) - t


@output.wrong("derivative alone", "error|y|t|factor|left out")
def _(x, t):
    y = sigmoid(x)
    return y * (1 - y)


@output.wrong("forgotten half: factor 2", "½|2 times|half|2")
def _(x, t):
    y = sigmoid(x)
    return 2 * (y - t) * y * (1 - y)


@output.wrong("1 - y for y (1 - y)", "1 − y|y|factor|derivative|left out")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * (1 - y)


@output.wrong("y (1 + y)", "1 \\+ y|\\+|sign|derivative")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * y * (1 + y)


@output.wrong("derivative at y in place of x: s(y)(1 - s(y))", "at the output|of y|twice|f′\\(|derivative")
def _(x, t):
    y = sigmoid(x)
    s = sigmoid(y)
    return (y - t) * s * (1 - s)


@output.wrong("x (1 - x)", "x|derivative")
def _(x, t):
    return (sigmoid(x) - t) * x * (1 - x)


@output.wrong("tanh' for sigmoid'", "tanh|1 − y²|derivative")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * (1 - y**2)


@output.wrong("mean: divided by the number of entries", "divided|mean")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * y * (1 - y) / x.size


@output.wrong("divided by the batch: rows", "divided|mean|rows|length")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * y * (1 - y) / len(x)


@output.wrong("error with pre-activation: x - t", "x|sigmoid|f")
def _(x, t):
    y = sigmoid(x)
    return (x - t) * y * (1 - y)


@output.wrong("square error", "squar|\\*\\*|power|error|½")
def _(x, t):
    y = sigmoid(x)
    return 0.5 * (y - t) ** 2 * y * (1 - y)


@output.wrong("forward differences", "digits|nudg|numerical")
def _(x, t):
    h = 1e-4

    def E(x):
        return 0.5 * (sigmoid(x) - t) ** 2

    return (E(x + h) - E(x)) / h


@output.wrong("exp(x) for exp(-x)", "sign|−x|exp|-x")
def _(x, t):
    y = 1 / (1 + np.exp(x))
    return (y - t) * y * (1 - y)


@output.wrong("sum over all", "shape|sum")
def _(x, t):
    y = sigmoid(x)
    return np.sum((y - t) * y * (1 - y))


@output.wrong("absolute error", "sign|absolut")
def _(x, t):
    y = sigmoid(x)
    return np.abs(y - t) * y * (1 - y)


@output.wrong("matrix product", "matri|@|shape|product")
def _(x, t):
    y = sigmoid(x)
    return (y - t) @ (y * (1 - y))


# relu_delta

relu = Sheet("relu_delta")


@relu.right("mask")
def _(d, x):
    return d * (x > 0)


@relu.right("where")
def _(d, x):
    return np.where(x > 0, d, 0)


@relu.right("copy and index")
def _(d, x):
    out = d.copy()
    out[x <= 0] = 0
    return out


@relu.right("heaviside")
def _(d, x):
    return d * np.heaviside(x, 0.5)


@relu.right("loops")
def _(d, x):
    return [[b if a > 0 else 0 for a, b in zip(r, s, strict=True)] for r, s in zip(x, d, strict=True)]


@relu.right("slope 1 at 0")
def _(d, x):
    return d * (x >= 0).astype(np.float32)


@relu.right("from the output")
def _(d, x):
    o = np.maximum(x, 0)
    return np.sign(o) * d


@relu.wrong("relu of delta", "delta|δ|negative|max")
def _(d, x):
    return np.maximum(d, 0)


@relu.wrong("masked by delta", "delta|δ|mask|d")
def _(d, x):
    return d * (d > 0)


@relu.wrong("times x where positive", "x|relu|slope|o")
def _(d, x):
    return d * np.maximum(x, 0)


@relu.wrong("the mask alone", "mask|slope|delta|δ|left out")
def _(d, x):
    return (x > 0).astype(float)


@relu.wrong("inverted mask", "negative|where|wrong side|<|condition")
def _(d, x):
    return d * (x < 0)


@relu.wrong("passed through", "everywhere")
def _(d, x):
    return d


@relu.wrong("leaky", "leak|0.01|slope|negative")
def _(d, x):
    return np.where(x > 0, d, 0.01 * d)


@relu.wrong("in place", "changes its argument")
def _(d, x):
    d[x <= 0] = 0
    return d


@relu.wrong("exchanged arguments", "exchang|other way|x")
def _(d, x):
    return x * (d > 0)


@relu.wrong("x > 1", "1|threshold|compar|x")
def _(d, x):
    return d * (x > 1)


@relu.wrong("sign of x", "sign|−1|minus")
def _(d, x):
    return d * np.sign(x)


@relu.wrong("abs", "absolut|sign")
def _(d, x):
    return np.abs(d) * (x > 0)


@relu.wrong("minus", "sign|minus")
def _(d, x):
    return -d * (x > 0)


@relu.wrong("int buffer", "integers")
def _(d, x):
    out = np.zeros(d.shape, int)
    out[x > 0] = d[x > 0]
    return out


@relu.wrong("only the positive ones, flat", "shape|flat|in one row")
def _(d, x):
    return d[x > 0]


@relu.wrong("sigmoid's derivative", "sigmoid|derivative|slope")
def _(d, x):
    y = sigmoid(x)
    return d * y * (1 - y)


@relu.wrong("ReLU of the product", "product|max|negative|relu|δ · x|x")
def _(d, x):
    return np.maximum(d * x, 0)


@relu.wrong("both positive", "both|delta|negative")
def _(d, x):
    return d * (x > 0) * (d > 0)


# delta_recursion

recursion = Sheet("delta_recursion")


@recursion.right("scipy")
def _(d, w, x):
    return convolve2d(d, w) * (1 - np.tanh(x) ** 2)


@recursion.right("scatter")
def _(d, w, x):
    out = np.zeros(x.shape)
    for i, j in np.ndindex(d.shape):
        out[i : i + len(w), j : j + w.shape[1]] += d[i, j] * w
    return out / np.cosh(x) ** 2


@recursion.right("padded windows")
def _(d, w, x):
    h, v = w.shape
    p = np.pad(d, ((h - 1,) * 2, (v - 1,) * 2))
    t = np.tanh(x)
    return np.einsum("ijmn,mn->ij", sliding_window_view(p, w.shape), w[::-1, ::-1]) * (1 - t * t)


@recursion.right("loops")
def _(d, w, x):
    o = np.tanh(x)
    r = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        for m, n in np.ndindex(w.shape):
            if 0 <= i - m < d.shape[0] and 0 <= j - n < d.shape[1]:
                r[i, j] += d[i - m, j - n] * w[m, n]
        r[i, j] *= 1 - o[i, j] ** 2
    return r


@recursion.right("correlation with the turned kernel")
def _(d, w, x):
    return correlate2d(d, np.flip(w), "full") * (1 - np.tanh(x)) * (1 + np.tanh(x))


@recursion.right("matrix of the layer, transposed")
def _(d, w, x):
    A = np.zeros((d.size, x.size))
    for n in range(x.size):
        e = np.zeros(x.size)
        e[n] = 1
        A[:, n] = correlate2d(e.reshape(x.shape), w, "valid").ravel()
    return (A.T @ d.ravel()).reshape(x.shape) * (1 - np.tanh(x) ** 2)


@recursion.right("float32")
def _(d, w, x):
    d, w, x = (a.astype(np.float32) for a in (d, w, x))
    return convolve2d(d, w) * (1 - np.tanh(x) ** 2)


@recursion.wrong("correlation, not turned", "turn|correlation")
def _(d, w, x):
    return correlate2d(d, w, "full") * (1 - np.tanh(x) ** 2)


@recursion.wrong("no derivative", "derivative|f′|left out")
def _(d, w, x):
    return convolve2d(d, w)


@recursion.wrong("1 + t²", "\\+|sign|derivative")
def _(d, w, x):
    return convolve2d(d, w) * (1 + np.tanh(x) ** 2)


@recursion.wrong("-t²", "derivative|t²|1|left out|tanh")
def _(d, w, x):
    return convolve2d(d, w) * (-(np.tanh(x) ** 2))


@recursion.wrong("1 - t", "square|power|derivative|tanh")
def _(d, w, x):
    return convolve2d(d, w) * (1 - np.tanh(x))


@recursion.wrong("1 - x²", "output|tanh|x|derivative")
def _(d, w, x):
    return convolve2d(d, w) * (1 - x**2)


@recursion.wrong("tanh for tanh'", "tanh|f for f′|derivative|f′")
def _(d, w, x):
    return convolve2d(d, w) * np.tanh(x)


@recursion.wrong("derivative at the output", "at the output|derivative|twice")
def _(d, w, x):
    o = np.tanh(x)
    return convolve2d(d, w) * (1 - np.tanh(o) ** 2)


@recursion.wrong("sigmoid's derivative", "sigmoid|derivative")
def _(d, w, x):
    y = sigmoid(x)
    return convolve2d(d, w) * y * (1 - y)


@recursion.wrong("sigmoid's form with tanh", "sigmoid|derivative|1 − ")
def _(d, w, x):
    y = np.tanh(x)
    return convolve2d(d, w) * y * (1 - y)


@recursion.wrong("same", "same|shape|part")
def _(d, w, x):
    return convolve2d(d, w, "same") * (1 - np.tanh(x[: d.shape[0], : d.shape[1]]) ** 2)


@recursion.wrong("delta turned, kernel not", "turn|delta|δ")
def _(d, w, x):
    return convolve2d(np.flip(d), w) * (1 - np.tanh(x) ** 2)


@recursion.wrong("both turned", "turn|both")
def _(d, w, x):
    return convolve2d(np.flip(d), np.flip(w)) * (1 - np.tanh(x) ** 2)


@recursion.wrong("derivative added", "\\+|added|product")
def _(d, w, x):
    return convolve2d(d, w) + (1 - np.tanh(x) ** 2)


@recursion.wrong("divided by the derivative", "/|divided")
def _(d, w, x):
    return convolve2d(d, w) / (1 - np.tanh(x) ** 2)


@recursion.wrong("derivative inside, on the wrong array", "delta|δ|derivative|x|f′")
def _(d, w, x):
    return convolve2d(d * (1 - np.tanh(d) ** 2), w)


@recursion.wrong("flipped along one axis only", "axis|rows|top")
def _(d, w, x):
    return convolve2d(d, np.flipud(w)) * (1 - np.tanh(x) ** 2)


@recursion.wrong("= for += in the scatter", r"\+=|overwr|last|is written as")
def _(d, w, x):
    out = np.zeros(x.shape)
    for i, j in np.ndindex(d.shape):
        out[i : i + len(w), j : j + w.shape[1]] = d[i, j] * w
    return out * (1 - np.tanh(x) ** 2)


@recursion.wrong("index off: i + m", "i \\+ m|\\+|is written as|sign|turn|index")
def _(d, w, x):
    r = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        for m, n in np.ndindex(w.shape):
            if i + m < d.shape[0] and j + n < d.shape[1]:
                r[i, j] += d[i + m, j + n] * w[m, n]
    return r * (1 - np.tanh(x) ** 2)


# two_layer_question

two = Sheet("two_layer_question")


def forward(i, w1, w2):
    return correlate2d(correlate2d(i, w1, "valid"), w2, "valid")[0, 0]


@two.right("scipy")
def _(i, w1, w2, y):
    return 2 * (forward(i, w1, w2) - y) * correlate2d(i, w2, "valid")


@two.right("loops")
def _(i, w1, w2, y):
    e = 2 * (forward(i, w1, w2) - y)
    out = np.zeros(w1.shape)
    for m, n in np.ndindex(w1.shape):
        for a, b in np.ndindex(w2.shape):
            out[m, n] += e * w2[a, b] * i[a + m, b + n]
    return out


@two.right("two backward passes")
def _(i, w1, w2, y):
    d2 = np.array([[2 * (forward(i, w1, w2) - y)]])
    d1 = convolve2d(d2, w2)
    return correlate2d(i, d1, "valid")


@two.right("central differences of a quadratic")
def _(i, w1, w2, y):
    out = np.zeros(w1.shape)
    for at in np.ndindex(w1.shape):
        e = np.zeros(w1.shape)
        e[at] = 1.0
        up, down = (forward(i, w1 + s * e, w2) - y for s in (1, -1))
        out[at] = (up**2 - down**2) / 2
    return out


@two.right("einsum")
def _(i, w1, w2, y):
    v = sliding_window_view(i, w2.shape)
    s = np.einsum("mnab,ab->mn", v, w2)
    return 2 * ((s * w1).sum() - y) * s


@two.right("lists")
def _(i, w1, w2, y):
    s = correlate2d(i, w2, "valid").tolist()
    o = sum(a * b for r, q in zip(s, w1.tolist(), strict=True) for a, b in zip(r, q, strict=True))
    return [[2 * (o - y) * a for a in r] for r in s]


@two.wrong("forgot the 2", "2|½|half|factor|0.5")
def _(i, w1, w2, y):
    return (forward(i, w1, w2) - y) * correlate2d(i, w2, "valid")


@two.wrong("y - o", "sign|minus|y")
def _(i, w1, w2, y):
    return 2 * (y - forward(i, w1, w2)) * correlate2d(i, w2, "valid")


@two.wrong("w2 turned", "turn|w²")
def _(i, w1, w2, y):
    return 2 * (forward(i, w1, w2) - y) * convolve2d(i, w2, "valid")


@two.wrong("image turned", "image|turn")
def _(i, w1, w2, y):
    return 2 * (forward(i, w1, w2) - y) * correlate2d(np.flip(i), w2, "valid")


@two.wrong("error left out", "error|o² − y|left out|factor|2")
def _(i, w1, w2, y):
    return correlate2d(i, w2, "valid")


@two.wrong("target left out", "target|y|left out|term")
def _(i, w1, w2, y):
    return 2 * forward(i, w1, w2) * correlate2d(i, w2, "valid")


@two.wrong("squared error times", "squar|power|\\*\\*")
def _(i, w1, w2, y):
    return (forward(i, w1, w2) - y) ** 2 * correlate2d(i, w2, "valid")


@two.wrong("gradient for w2", "w²|second|other|layer|o¹")
def _(i, w1, w2, y):
    return 2 * (forward(i, w1, w2) - y) * correlate2d(i, w1, "valid")


@two.wrong("w2 ignored: sum of the image windows", "w²|second|ones|kernel")
def _(i, w1, w2, y):
    return 2 * (forward(i, w1, w2) - y) * correlate2d(i, np.ones(w2.shape), "valid")


@two.wrong("forward pass with convolution", "forward|convolution|turn")
def _(i, w1, w2, y):
    o = convolve2d(convolve2d(i, w1, "valid"), w2, "valid")[0, 0]
    return 2 * (o - y) * correlate2d(i, w2, "valid")


@two.wrong("result turned", "turn|180")
def _(i, w1, w2, y):
    return np.rot90(2 * (forward(i, w1, w2) - y) * correlate2d(i, w2, "valid"), 2)


@two.wrong("half in the loss", "½|half|factor|2|0.5")
def _(i, w1, w2, y):
    e = 0.5 * 2 * (forward(i, w1, w2) - y)
    return e * correlate2d(i, w2, "valid")


@two.wrong("absolute error", "sign|absolut")
def _(i, w1, w2, y):
    return 2 * abs(forward(i, w1, w2) - y) * correlate2d(i, w2, "valid")


@two.wrong("times w1 as well", "w¹|first|times|product")
def _(i, w1, w2, y):
    return 2 * (forward(i, w1, w2) - y) * correlate2d(i, w2, "valid") * w1


@two.wrong("the updated weights", "first_kernel")
def _(i, w1, w2, y):
    return w1 - 0.1 * 2 * (forward(i, w1, w2) - y) * correlate2d(i, w2, "valid")


@two.wrong("forward differences", "digits|nudg|numerical")
def _(i, w1, w2, y):
    out = np.zeros(w1.shape)
    base = (forward(i, w1, w2) - y) ** 2
    for at in np.ndindex(w1.shape):
        v = w1.astype(float)
        v[at] += 1e-5
        out[at] = ((forward(i, v, w2) - y) ** 2 - base) / 1e-5
    return out


@two.wrong("tuple of both gradients", "several|arrays|tuple|one|shape")
def _(i, w1, w2, y):
    e = 2 * (forward(i, w1, w2) - y)
    return e * correlate2d(i, w2, "valid"), e * correlate2d(i, w1, "valid")


SHEETS = [kernel, bias, descent, output, relu, recursion, two]
