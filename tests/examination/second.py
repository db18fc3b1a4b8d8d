"""A second set of wrong answers, written and measured after what the first had shown was mended."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import convolve2d, correlate2d, fftconvolve

from examination.sheet import Sheet


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


correlation = Sheet("cross_correlation")


@correlation.wrong("only every second window (stride 2)", "stride|every|part|second|limit|shape|step")
def _(a, k):
    return correlate2d(a, k, "valid")[::2, ::2]


@correlation.wrong("out[i, j] with i over columns", "transpos|rows and columns|exchang")
def _(a, k):
    h, w = a.shape[0] - k.shape[0] + 1, a.shape[1] - k.shape[1] + 1
    return [[np.sum(a[i : i + k.shape[0], j : j + k.shape[1]] * k) for i in range(h)] for j in range(w)]


@correlation.wrong("the mean of the window subtracted first", "mean")
def _(a, k):
    v = sliding_window_view(a, k.shape)
    return ((v - v.mean((2, 3), keepdims=True)) * k).sum((2, 3))


@correlation.wrong("ReLU on top", "positive|negative|ReLU")
def _(a, k):
    return np.maximum(correlate2d(a, k, "valid"), 0)


@correlation.wrong("maximum of the products", "largest|max")
def _(a, k):
    return (sliding_window_view(a, k.shape) * k).max((2, 3))


@correlation.wrong("np.dot of window and kernel, summed", "matmul|shapes|@|product|dot")
def _(a, k):
    h, w = a.shape[0] - k.shape[0] + 1, a.shape[1] - k.shape[1] + 1
    return [[np.dot(a[i : i + k.shape[0], j : j + k.shape[1]], k).sum() for j in range(w)] for i in range(h)]


@correlation.wrong("sum not set back between entries", "set the sum back|before it|sum")
def _(a, k):
    out = np.zeros((a.shape[0] - k.shape[0] + 1, a.shape[1] - k.shape[1] + 1))
    s = 0
    for i, j in np.ndindex(out.shape):
        for m, n in np.ndindex(k.shape):
            s += a[i + m, j + n] * k[m, n]
        out[i, j] = s
    return out


@correlation.wrong("sum set back once per row", "set the sum back|before it|sum|row|axis 1")
def _(a, k):
    out = np.zeros((a.shape[0] - k.shape[0] + 1, a.shape[1] - k.shape[1] + 1))
    for i in range(out.shape[0]):
        s = 0
        for j in range(out.shape[1]):
            s += (a[i : i + k.shape[0], j : j + k.shape[1]] * k).sum()
            out[i, j] = s
    return out


convolution = Sheet("convolution")


@convolution.wrong("flattened kernel reversed, reshaped to its transpose", "transpos|shape")
def _(a, k):
    return correlate2d(a, k.ravel()[::-1].reshape(k.shape[::-1]), "valid")


@convolution.wrong("full by FFT", "full")
def _(a, k):
    return fftconvolve(a, k)


@convolution.wrong("separable: rows, then columns, of the sums", "—")
def _(a, k):
    r = np.array([np.convolve(row, k.sum(0), "valid") for row in a])
    return np.array([np.convolve(col, k.sum(1), "valid") for col in r.T]).T


@convolution.wrong("row by row, first row of the kernel only", "row|only|axis")
def _(a, k):
    n = a.shape[0] - k.shape[0] + 1
    return np.array([np.convolve(a[i], k[0], "valid") for i in range(n)])


@convolution.wrong("the centre shifted: same mode, cut at the wrong place", "moved|begin|zeros|border|FFT|outside")
def _(a, k):
    s = convolve2d(a, k, "same")
    return s[: a.shape[0] - k.shape[0] + 1, : a.shape[1] - k.shape[1] + 1]


@convolution.wrong("limits of the sum one short", "short|leave out|limit|last")
def _(a, k):
    k1, k2 = k.shape
    out = np.zeros((a.shape[0] - k1 + 1, a.shape[1] - k2 + 1))
    for i, j in np.ndindex(out.shape):
        for m in range(k1):
            for n in range(k2 - 1):
                out[i, j] += a[i + k1 - 1 - m, j + k2 - 1 - n] * k[m, n]
    return out


@convolution.wrong("string result", "type|str|numbers")
def _(a, k):
    return str(convolve2d(a, k, "valid"))


turned = Sheet("rot180")


@turned.wrong("rows sorted", "other places|sorted|sort")
def _(k):
    return np.sort(k, axis=1)[:, ::-1]


@turned.wrong("rolled by one", "moved on by one|moved|index")
def _(k):
    return np.roll(k, 1, (0, 1))


@turned.wrong("diagonal flip with rot90 and flipud", "rows and columns|transpos")
def _(k):
    return np.flipud(np.rot90(k))


@turned.wrong("every pair exchanged twice", "as it came")
def _(k):
    n = k.size
    flat = k.reshape(-1)
    for i in range(n):
        flat[i], flat[n - 1 - i] = flat[n - 1 - i], flat[i]
    return k


@turned.wrong("slices that end at 0 and lose a row", "shape|part|slice|index 0")
def _(k):
    return k[len(k) - 1 : 0 : -1, ::-1]


@turned.wrong("row index minus, column index kept with wrong start", "is written as|index|roll|moved|axis")
def _(k):
    return np.array([[k[-1 - m, -n] for n in range(k.shape[1])] for m in range(k.shape[0])])


full = Sheet("full_convolution")


@full.wrong("zeros on the right and bottom only", "one side|zeros")
def _(a, k):
    p = np.pad(a, [(0, 2 * (n - 1)) for n in k.shape])
    return convolve2d(p, k, "valid")


@full.wrong("np.convolve on flattened arrays", "shape|flat")
def _(a, k):
    return np.convolve(a.ravel(), k.ravel())


@full.wrong("flattened, cut and reshaped", "—")
def _(a, k):
    shape = a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1
    flat = np.convolve(a.ravel(), k.ravel())
    return np.resize(flat, shape)


@full.wrong("kernel turned twice by hand, once in the library", "same direction|turned")
def _(a, k):
    return convolve2d(a, np.rot90(k, 2))


@full.wrong("buffer too small in rows, with a crash", "broadcast|index|Index|shapes")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 2, a.shape[1] + k.shape[1] - 1))
    for i, j in np.ndindex(a.shape):
        out[i : i + k.shape[0], j : j + k.shape[1]] += a[i, j] * k
    return out


@full.wrong("divided by the number of weights", "mean")
def _(a, k):
    return convolve2d(a, k) / k.size


@full.wrong("image transposed", "transpos|exchang|rows and columns")
def _(a, k):
    return convolve2d(a.T, k.T)


@full.wrong("kernel's places added the wrong way: i - m", "negative|wrap|other side|−")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1))
    for i, j in np.ndindex(a.shape):
        for m, n in np.ndindex(k.shape):
            out[i - m, j - n] += a[i, j] * k[m, n]
    return out


region = Sheet("region_q")


@region.wrong("how many, instead of from where to where", "size of Q")
def _(p, k, o):
    first = np.maximum(np.array(p) - k + 1, 0)
    last = np.minimum(p, np.array(o) - 1)
    return first, last - first + 1


@region.wrong("stride k: integer division", "//|is written as|divid|stride")
def _(p, k, o):
    return (p[0] // k[0], p[1] // k[1]), (p[0] // k[0], p[1] // k[1])


@region.wrong("i - k without + 1, clipped", "1|one|row")
def _(p, k, o):
    return np.maximum(np.array(p) - k, 0), np.minimum(np.array(p), o) - 0


@region.wrong("clipped at the kernel's size", "kernel|k|place")
def _(p, k, o):
    return (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), (min(p[0], k[0] - 1), min(p[1], k[1] - 1))


@region.wrong("output's sides exchanged", "output_size|exchang|rows and columns")
def _(p, k, o):
    return (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), (min(p[0], o[1] - 1), min(p[1], o[0] - 1))


@region.wrong("wrapped by modulo", "modulo|%|wrap|outside|clip")
def _(p, k, o):
    return ((p[0] - k[0] + 1) % o[0], (p[1] - k[1] + 1) % o[1]), (p[0] % o[0], p[1] % o[1])


@region.wrong("all positions of Q as a list", "shape|different lengths|listed all")
def _(p, k, o):
    rows = range(max(0, p[0] - k[0] + 1), min(p[0], o[0] - 1) + 1)
    cols = range(max(0, p[1] - k[1] + 1), min(p[1], o[1] - 1) + 1)
    return [(i, j) for i in rows for j in cols]


kernel = Sheet("kernel_gradient")


@kernel.wrong("delta with the input reversed, full", "full|part")
def _(x, d):
    return convolve2d(d, x[::-1, ::-1])


@kernel.wrong("same mode cut to size", "moved|border|begin|zeros|places|outside")
def _(x, d):
    k = x.shape[0] - d.shape[0] + 1, x.shape[1] - d.shape[1] + 1
    return correlate2d(x, d, "same")[: k[0], : k[1]]


@kernel.wrong("a constant added", "same number")
def _(x, d):
    return correlate2d(x, d, "valid") + 0.01


@kernel.wrong("divided by the norm", "norm")
def _(x, d):
    g = correlate2d(x, d, "valid")
    return g / np.linalg.norm(g)


@kernel.wrong("clipped gradient", "between|clip")
def _(x, d):
    return np.clip(correlate2d(x, d, "valid"), -1, 1)


@kernel.wrong("delta transposed", "transpos|shape")
def _(x, d):
    return correlate2d(x, d.T, "valid")


@kernel.wrong("ReLU on delta first", "negative|set to 0")
def _(x, d):
    return correlate2d(x, np.maximum(d, 0), "valid")


@kernel.wrong("matrix product X D^T", "product|@|shape|broadcast|matmul")
def _(x, d):
    return x @ d.T


bias = Sheet("bias_gradient")


@bias.wrong("max", "max|largest")
def _(d):
    return d.max((0, 1, 2))


@bias.wrong("rows and filters mixed by transposing first", "axes|order|shape|rows|filters|sum")
def _(d):
    return d.transpose(0, 3, 1, 2).sum((0, 1, 2))


@bias.wrong("absolute values", "absolut")
def _(d):
    return np.abs(d).sum((0, 1, 2))


@bias.wrong("times the learning rate", "factor|0.01|times")
def _(d):
    return 0.01 * d.sum((0, 1, 2))


@bias.wrong("first row only", "row|first")
def _(d):
    return d[:, 0].sum((0, 1))


@bias.wrong("shape (1, D)", "axes")
def _(d):
    return d.sum((0, 1, 2)).reshape(1, -1)


@bias.wrong("mean over rows, sum over the rest", "mean|divid|rows|length")
def _(d):
    return d.mean(1).sum((0, 1))


@bias.wrong("square root of the sum of squares", "norm|root|squar")
def _(d):
    return np.sqrt((d**2).sum((0, 1, 2)))


descent = Sheet("descent_step")


@descent.wrong("clipped to [0, 1]", "positive|0|clip|between")
def _(w, g, lr):
    return np.clip(w - lr * g, 0, 1)


@descent.wrong("gradient transposed", "transpos|broadcast|shape")
def _(w, g, lr):
    return w - lr * g.T


@descent.wrong("lr ** 2", "square|\\*\\*|power|η|rate")
def _(w, g, lr):
    return w - lr**2 * g


@descent.wrong("weights and step multiplied", "multipl|·|times|\\*")
def _(w, g, lr):
    return w * (1 - lr * g)


@descent.wrong("rounded to two decimals", "rounded")
def _(w, g, lr):
    return np.round(w - lr * g, 2)


@descent.wrong("lr - w g", "exchang|rate|is written as|weights|order")
def _(w, g, lr):
    return lr - w * g


@descent.wrong("Adam-like: g / (|g| + eps)", "sign|whatever the size|digits")
def _(w, g, lr):
    return w - lr * g / (np.abs(g) + 1e-8)


@descent.wrong("momentum factor 0.9 on the step", "0.9|factor|gradient|times")
def _(w, g, lr):
    return w - 0.9 * lr * g


output = Sheet("output_delta")


@output.wrong("cross entropy: (y - t) / (y (1 - y)) times y (1 - y)", "f′|derivative|left out")
def _(x, t):
    y = sigmoid(x)
    return (y - t) / (y * (1 - y)) * y * (1 - y)


@output.wrong("y squared for y", "square|power|y")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * (1 - y) * y**2


@output.wrong("y - y² with t forgotten in y: (y) y (1-y)", "target|t|left out")
def _(x, t):
    y = sigmoid(x)
    return y * y * (1 - y)


@output.wrong("softmax instead of sigmoid", "softmax|sigmoid|sum|output")
def _(x, t):
    e = np.exp(x - x.max())
    y = e / e.sum()
    return (y - t) * y * (1 - y)


@output.wrong("the derivative at t", "target|t|derivative")
def _(x, t):
    y = sigmoid(x)
    return (y - t) * t * (1 - t)


@output.wrong("sigmoid twice", "twice|sigmoid|output|f")
def _(x, t):
    y = sigmoid(sigmoid(x))
    return (y - t) * y * (1 - y)


@output.wrong("thresholded output", "0.5|rounded|output|threshold|y")
def _(x, t):
    y = sigmoid(x)
    return (np.round(y) - t) * y * (1 - y)


@output.wrong("the loss", "loss|shape|square|number|all entries")
def _(x, t):
    return 0.5 * np.sum((t - sigmoid(x)) ** 2)


@output.wrong("arguments exchanged", "exchang|place of|targets")
def _(t, x):
    y = sigmoid(x)
    return (y - t) * y * (1 - y)


relu = Sheet("relu_delta")


@relu.wrong("1 where negative too: |sign|", "everywhere|sign|passes|let")
def _(d, x):
    return d * np.abs(np.sign(x))


@relu.wrong("ReLU of x added", "added|plus|x")
def _(d, x):
    return d + np.maximum(x, 0)


@relu.wrong("softplus derivative", "sigmoid")
def _(d, x):
    return d * sigmoid(x)


@relu.wrong("ELU-like", "exp|negative|slope|derivative|ELU")
def _(d, x):
    return np.where(x > 0, d, d * np.exp(x))


@relu.wrong("ReLU6: cut above too", "6|above|positive|right wherever|0|entries")
def _(d, x):
    return d * ((x > 0) & (x < 1.5))


@relu.wrong("minimum for maximum", "negative|where x|min")
def _(d, x):
    return np.where(np.minimum(x, 0) != 0, d, 0)


@relu.wrong("divided by x", "divid|x|/")
def _(d, x):
    return np.where(x > 0, d / np.where(x == 0, 1, x), 0)


@relu.wrong("mask of the output's mean", "mean|threshold|compar|entries")
def _(d, x):
    return d * (x > x.mean())


recursion = Sheet("delta_recursion")


@recursion.wrong("1 - o without the square, both", "square|power|derivative|\\*\\*")
def _(d, w, x):
    o = np.tanh(x)
    return convolve2d(d, w) * (1 - o) ** 2


@recursion.wrong("valid part of the padded input by same", "border|inside|zeros|moved|shape|padd")
def _(d, w, x):
    p = np.zeros(x.shape)
    p[: d.shape[0], : d.shape[1]] = d
    return correlate2d(p, w, "same") * (1 - np.tanh(x) ** 2)


@recursion.wrong("cosh for 1/cosh²", "cosh|derivative|divid|/")
def _(d, w, x):
    return convolve2d(d, w) * np.cosh(x) ** 2


@recursion.wrong("derivative squared", "twice|square")
def _(d, w, x):
    return convolve2d(d, w) * (1 - np.tanh(x) ** 2) ** 2


@recursion.wrong("times the pre-activation and derivative", "pre-activation|pre_activation|x")
def _(d, w, x):
    return convolve2d(d, w) * (1 - np.tanh(x) ** 2) * x


@recursion.wrong("activation of the sum", "tanh|f|sum")
def _(d, w, x):
    return np.tanh(convolve2d(d, w)) * (1 - np.tanh(x) ** 2)


@recursion.wrong("minus", "sign|minus")
def _(d, w, x):
    return -convolve2d(d, w) * (1 - np.tanh(x) ** 2)


@recursion.wrong("input convolved instead of delta", "delta|x|shape|pre")
def _(d, w, x):
    return correlate2d(x, w, "same")


two = Sheet("two_layer_question")


@two.wrong("o1's size for the error: sum over o1", "—")
def _(i, w1, w2, y):
    o1 = correlate2d(i, w1, "valid")
    return 2 * (o1.sum() - y) * correlate2d(i, w2, "valid")


@two.wrong("delta for o1 returned", "shape|second|layer|w²|δ|half|pass|further")
def _(i, w1, w2, y):
    o = correlate2d(correlate2d(i, w1, "valid"), w2, "valid")[0, 0]
    return 2 * (o - y) * w2


@two.wrong("w2 transposed, where it fits", "with other dimensions—")
def _(i, w1, w2, y):
    o = correlate2d(correlate2d(i, w1, "valid"), w2, "valid")[0, 0]
    return 2 * (o - y) * correlate2d(i, w2.T, "valid")


@two.wrong("the error without the forward pass: -2y", "target|o²|forward|left out|output")
def _(i, w1, w2, y):
    return -2 * y * correlate2d(i, w2, "valid")


@two.wrong("w1 and w2 exchanged everywhere, where it fits", "w²|exchang|∂C/∂w²")
def _(i, w1, w2, y):
    o = correlate2d(correlate2d(i, w1, "valid"), w2, "valid")[0, 0]
    return 2 * (o - y) * correlate2d(i, w1, "valid")


@two.wrong("cubed error", "squar|power|C|\\*\\*|factor")
def _(i, w1, w2, y):
    o = correlate2d(correlate2d(i, w1, "valid"), w2, "valid")[0, 0]
    return 2 * (o - y) ** 3 * correlate2d(i, w2, "valid")


@two.wrong("ReLU between the layers", "entries|forward|factor|0|positive|activation")
def _(i, w1, w2, y):
    o1 = np.maximum(correlate2d(i, w1, "valid"), 0)
    o = (o1 * w2).sum()
    return 2 * (o - y) * correlate2d(i, w2 * (o1 > 0), "valid")


@two.wrong("the sum of the gradient as a number", "shape|sum|number")
def _(i, w1, w2, y):
    o = correlate2d(correlate2d(i, w1, "valid"), w2, "valid")[0, 0]
    return float(np.sum(2 * (o - y) * correlate2d(i, w2, "valid")))


def places(d, k, s):
    for i, j in np.ndindex(d.shape):
        yield (i, j), (slice(i * s[0], i * s[0] + k[0]), slice(j * s[1], j * s[1] + k[1]))


largest = Sheet("max_routing")


@largest.wrong("pooled output's argmax used for the first window only", "first|entries|window")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    m, n = np.unravel_index(x[: k[0], : k[1]].argmax(), k)
    for _, w in places(d, k, s):
        out[w][m, n] += 1
    return out * 0 + _spread(out, d, k, s, m, n)


def _spread(out, d, k, s, m, n):
    r = np.zeros(out.shape)
    for at, w in places(d, k, s):
        r[w][m, n] += d[at]
    return r


@largest.wrong("argmax along the rows of each window", "row|each|argmax|entries|window")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in places(d, k, s):
        for m in range(k[0]):
            out[w][m, x[w][m].argmax()] += d[at]
    return out


@largest.wrong("zeros_like of whole numbers", "integers|whole")
def _(x, d, k, s):
    out = np.zeros(x.shape, dtype=np.int64)
    for at, w in places(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] = out[w][m, n] + d[at]
    return out


@largest.wrong("delta repeated by kron, times the mask of windows side by side", "side by side|stride|window")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for (i, j), _ in places(d, k, s):
        w = slice(i * k[0], (i + 1) * k[0]), slice(j * k[1], (j + 1) * k[1])
        if x[w].size:
            out[w] += d[i, j] * (x[w] == x[w].max())
    return out


@largest.wrong("rows and columns of the winner exchanged", "exchang|rows|columns|index|n, m")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for (i, j), w in places(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        r, c = i * s[0] + n, j * s[1] + m
        if r < x.shape[0] and c < x.shape[1]:
            out[r, c] += d[i, j]
    return out


@largest.wrong("the second largest", "second|entries|largest|other")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in places(d, k, s):
        m, n = np.unravel_index(np.argsort(-x[w], axis=None, kind="stable")[1], k)
        out[w][m, n] += d[at]
    return out


@largest.wrong("subtracted", "sign|minus|−=|opposite")
def _(x, d, k, s):
    out = np.zeros(x.shape)
    for at, w in places(d, k, s):
        m, n = np.unravel_index(x[w].argmax(), k)
        out[w][m, n] -= d[at]
    return out


@largest.wrong("the pooled output returned", "shape|pool|forward")
def _(x, d, k, s):
    return sliding_window_view(x, k)[:: s[0], :: s[1]].max((2, 3))


average = Sheet("average_routing")


@average.wrong("windows counted from 1", "moved|is written as|begin|corner|window")
def _(d, n, k, s):
    out = np.zeros((n[0] + s[0], n[1] + s[1]))
    for (i, j), _ in places(d, k, s):
        a, b = (i + 1) * s[0], (j + 1) * s[1]
        out[a : a + k[0], b : b + k[1]] += d[i, j] / (k[0] * k[1])
    return out[: n[0], : n[1]]


@average.wrong("size's sides exchanged", "exchang|size|rows and columns")
def _(d, n, k, s):
    k = k[::-1]
    out = np.zeros(n)
    for at, w in places(d, k, s):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("mean of delta everywhere", "mean|same|everywhere|each")
def _(d, n, k, s):
    return np.full(n, d.mean())


@average.wrong("divided only by the rows of the window", "divid|size\\[0\\]|rows|k")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in places(d, k, s):
        out[w] += d[at] / k[0]
    return out


@average.wrong("window one too large", "size|one larger|window")
def _(d, n, k, s):
    k = k[0] + 1, k[1] + 1
    out = np.zeros(n)
    for at, w in places(d, k, s):
        out[w] += d[at] / (k[0] * k[1])
    return out


@average.wrong("divided twice", "twice|divid|square|factor")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in places(d, k, s):
        out[w] += d[at] / (k[0] * k[1]) ** 2
    return out


@average.wrong("bilinear-like: the rest filled with the last value", "0|uncovered|entries|border|outside")
def _(d, n, k, s):
    out = np.zeros(n)
    for at, w in places(d, k, s):
        out[w] += d[at] / (k[0] * k[1])
    h, v = (d.shape[0] - 1) * s[0] + k[0], (d.shape[1] - 1) * s[1] + k[1]
    return np.pad(out[:h, :v], [(0, n[0] - h), (0, n[1] - v)], mode="edge")


@average.wrong("delta transposed", "transpos|exchang|broadcast|index|order")
def _(d, n, k, s):
    out = np.zeros(n)
    for i, j in np.ndindex(d.T.shape):
        out[i * s[0] : i * s[0] + k[0], j * s[1] : j * s[1] + k[1]] += d.T[i, j] / (k[0] * k[1])
    return out


norm = Sheet("l2_routing")


def l2(x, d, k, s, share):
    out = np.zeros(x.shape)
    with np.errstate(all="ignore"):
        for at, w in places(d, k, s):
            out[w] += np.nan_to_num(d[at] * share(x[w].astype(float)))
    return out


@norm.wrong("y / x", "exchang|y/x|divid|upside|is written as")
def _(x, d, k, s):
    return l2(x, d, k, s, lambda v: np.where(v == 0, 0, np.linalg.norm(v) / np.where(v == 0, 1, v)))


@norm.wrong("root of x over y", "root|sqrt")
def _(x, d, k, s):
    return l2(x, d, k, s, lambda v: v / np.sqrt(np.linalg.norm(v)))


@norm.wrong("max norm", "largest|max|norm")
def _(x, d, k, s):
    return l2(x, d, k, s, lambda v: v / np.abs(v).max())


@norm.wrong("cube root", "—")
def _(x, d, k, s):
    return l2(x, d, k, s, lambda v: v / np.cbrt((v**2).sum()))


@norm.wrong("x less its mean", "mean")
def _(x, d, k, s):
    return l2(x, d, k, s, lambda v: (v - v.mean()) / np.linalg.norm(v))


@norm.wrong("y added to the window's share", "—")
def _(x, d, k, s):
    return l2(x, d, k, s, lambda v: v + np.linalg.norm(v))


@norm.wrong("max pooling", "max|average")
def _(x, d, k, s):
    def first(v):
        r = np.zeros(v.size)
        r[v.argmax()] = 1
        return r.reshape(v.shape)

    return l2(x, d, k, s, first)


@norm.wrong("overwritten and negative", r"\+=|sign|two")
def _(x, d, k, s):
    return -l2(x, d, k, s, lambda v: v / np.linalg.norm(v))


strided = Sheet("strided_input_gradient")


def buffer(d, w, n, s, p):
    b = np.zeros((max(n[0] + 2 * p[0], (d.shape[0] - 1) * s[0] + len(w)), 99 + n[1]))
    for i, j in np.ndindex(d.shape):
        b[i * s[0] : i * s[0] + len(w), j * s[1] : j * s[1] + w.shape[1]] += d[i, j] * w
    return b


@strided.wrong("cut by the stride instead of the padding", "stride|padding|place of|cut|moved")
def _(d, w, n, s, p):
    b = np.pad(buffer(d, w, n, s, p), ((0, 30), (0, 30)))
    return b[s[0] : s[0] + n[0], s[1] : s[1] + n[1]]


@strided.wrong("padding exchanged", "padding|exchang")
def _(d, w, n, s, p):
    b = np.pad(buffer(d, w, n, s, p), ((0, 30), (0, 30)))
    return b[p[1] : p[1] + n[0], p[0] : p[0] + n[1]]


@strided.wrong("cut one too far", "padding|one|moved|is written as")
def _(d, w, n, s, p):
    b = np.pad(buffer(d, w, n, s, p), ((0, 30), (0, 30)))
    return b[p[0] + 1 : p[0] + 1 + n[0], p[1] + 1 : p[1] + 1 + n[1]]


@strided.wrong("kernel flipped top to bottom", "rows|axis|columns")
def _(d, w, n, s, p):
    b = np.pad(buffer(d, w[::-1], n, s, p), ((0, 30), (0, 30)))
    return b[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("[p:-p] slices", "-0|−0|-p|empty|shape")
def _(d, w, n, s, p):
    b = buffer(d, w, n, s, p)[: n[0] + 2 * p[0], : n[1] + 2 * p[1]]
    return b[p[0] : -p[0], p[1] : -p[1]]


@strided.wrong("mean over the kernel's places", "mean|divid|factor|number")
def _(d, w, n, s, p):
    b = np.pad(buffer(d, w, n, s, p), ((0, 30), (0, 30)))
    return b[p[0] : p[0] + n[0], p[1] : p[1] + n[1]] / w.size


@strided.wrong("stride of columns for both", r"stride\[1\]|both")
def _(d, w, n, s, p):
    b = np.zeros((200, 200))
    for i, j in np.ndindex(d.shape):
        b[i * s[1] : i * s[1] + len(w), j * s[1] : j * s[1] + w.shape[1]] += d[i, j] * w
    return b[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


@strided.wrong("delta's first row skipped", "first|row|limit|range|leave")
def _(d, w, n, s, p):
    d = d.copy()
    d[0] = 0
    b = np.pad(buffer(d, w, n, s, p), ((0, 30), (0, 30)))
    return b[p[0] : p[0] + n[0], p[1] : p[1] + n[1]]


back = Sheet("multichannel_input_gradient")


def scatter(d, w, said="nhwd,cd->nhwc"):
    k1, k2 = w.shape[:2]
    one = np.einsum(said, d, w[0, 0])
    out = np.zeros((len(d), d.shape[1] + k1 - 1, d.shape[2] + k2 - 1, one.shape[-1]))
    for m, n in np.ndindex(k1, k2):
        out[:, m : m + d.shape[1], n : n + d.shape[2]] += np.einsum(said, d, w[m, n])
    return out


@back.wrong("kernel by its first channel for all", "channel|first|same")
def _(d, w):
    return scatter(d, np.repeat(w[:, :, :1], w.shape[2], 2))


@back.wrong("delta of the first image for all", "image|first|axis 0")
def _(d, w):
    return scatter(np.repeat(d[:1], len(d), 0), w)


@back.wrong("sum of delta over the filters, then the kernel's sum", "filters|sum|first|product")
def _(d, w):
    return scatter(d.sum(-1, keepdims=True), w.sum(-1, keepdims=True))


@back.wrong("kernel reshaped instead of transposed", "reshap|order|axes|shape")
def _(d, w):
    k1, k2, C, D = w.shape
    return scatter(d, w.reshape(k1, k2, D, C).swapaxes(2, 3))


@back.wrong("index of the kernel exchanged: w[n, m]", "index|exchang|out of bounds|rows and columns")
def _(d, w):
    out = np.zeros((len(d), d.shape[1] + w.shape[0] - 1, d.shape[2] + w.shape[1] - 1, w.shape[2]))
    for m, n in np.ndindex(w.shape[:2]):
        out[:, m : m + d.shape[1], n : n + d.shape[2]] += np.einsum("nhwd,cd->nhwc", d, w[n, m])
    return out


@back.wrong("same size as delta", "shape|same|part|as large")
def _(d, w):
    return scatter(d, w)[:, : d.shape[1], : d.shape[2]]


@back.wrong("half", "factor|0.5|half")
def _(d, w):
    return scatter(d, w) / 2


weights = Sheet("multichannel_kernel_gradient")


def windows(x, d, said="nhwcab,nhwd->abcd"):
    size = x.shape[1] - d.shape[1] + 1, x.shape[2] - d.shape[2] + 1
    return np.einsum(said, sliding_window_view(x, size, axis=(1, 2)), d)


@weights.wrong("delta summed over the filters, for all", "filters|sum")
def _(x, d):
    return windows(x, np.repeat(d.sum(-1, keepdims=True), d.shape[-1], -1))


@weights.wrong("mean of the input over its channels for all", "mean|channel|axis 3")
def _(x, d):
    return windows(np.repeat(x.mean(-1, keepdims=True), x.shape[-1], -1), d)


@weights.wrong("images paired in reverse", "image|revers|axis 0|batch")
def _(x, d):
    return windows(x, d[::-1])


@weights.wrong("only the top left output", "first|place|output|one")
def _(x, d):
    e = np.zeros_like(d)
    e[:, 0, 0] = d[:, 0, 0]
    return windows(x, e)


@weights.wrong("mean over positions", "mean|divid|places|product")
def _(x, d):
    return windows(x, d) / (d.shape[1] * d.shape[2])


@weights.wrong("normalised by its own largest", "largest|divided")
def _(x, d):
    g = windows(x, d)
    return g / np.abs(g).max()


@weights.wrong("matrix of patches times delta, reshaped (C, k1, k2, D) without transposing", "shape|axes|order|reshap")
def _(x, d):
    g = windows(x, d, "nhwcab,nhwd->cabd")
    return g


SHEETS = [
    *[correlation, convolution, turned, full, region, kernel, bias, descent, output, relu, recursion, two],
    *[largest, average, norm, strided, back, weights],
]
