"""The fourth set's second half: δ on its way back, pooling, stride, channels, two layers."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import convolve2d, correlate2d
from scipy.special import expit

from convbp import cross_correlate, rot180, sigmoid
from examination.sheet import Sheet

output_delta = Sheet("output_delta")
relu_delta = Sheet("relu_delta")
delta_recursion = Sheet("delta_recursion")
max_routing = Sheet("max_routing")
average_routing = Sheet("average_routing")
l2_routing = Sheet("l2_routing")
strided_input_gradient = Sheet("strided_input_gradient")
multichannel_input_gradient = Sheet("multichannel_input_gradient")
multichannel_kernel_gradient = Sheet("multichannel_kernel_gradient")
two_layer_question = Sheet("two_layer_question")

SHEETS = [
    output_delta, relu_delta, delta_recursion, max_routing, average_routing, l2_routing, strided_input_gradient,
    multichannel_input_gradient, multichannel_kernel_gradient, two_layer_question,
]  # fmt: skip


# The delta of the last layer


@output_delta.right("with math.exp and loops")
def _(pre_activation, targets):
    out = []
    for xs, ts in zip(pre_activation, targets, strict=True):
        ys = [1 / (1 + math.exp(-x)) for x in xs]
        out.append([(y - t) * y * (1 - y) for y, t in zip(ys, ts, strict=True)])
    return out


@output_delta.right("the slope by the hyperbolic cosine")
def _(pre_activation, targets):
    return (expit(pre_activation) - targets) / (4 * np.cosh(pre_activation / 2) ** 2)


@output_delta.wrong("t − y", r"sign|minus|t − y|t - y")
def _(pre_activation, targets):
    y = sigmoid(pre_activation)
    return (targets - y) * y * (1 - y)


@output_delta.wrong("the slope at y", r"slope|y|twice|derivative")
def _(pre_activation, targets):
    y = sigmoid(pre_activation)
    return (y - targets) * sigmoid.derivative(y)


@output_delta.wrong("x − t for y − t", r"x|activation|y")
def _(pre_activation, targets):
    return (pre_activation - targets) * sigmoid.derivative(pre_activation)


@output_delta.wrong("the 2 of the square, without the ½", r"2|½|twice|half")
def _(pre_activation, targets):
    y = sigmoid(pre_activation)
    return 2 * (y - targets) * y * (1 - y)


@output_delta.wrong("the slope of the cross-entropy", r"slope|f′|missing|cross-entropy")
def _(pre_activation, targets):
    return 1 / (1 + np.exp(-pre_activation)) - targets


@output_delta.wrong("y² for y(1 − y)", r"slope|y²|square|1 − y|1 - y|y \* y")
def _(pre_activation, targets):
    y = sigmoid(pre_activation)
    return (y - targets) * y * y


@output_delta.wrong("the sign in the exponent", r"exp|sign|−x|-x|1 − y|1 - y|minus")
def _(pre_activation, targets):
    y = 1 / (1 + np.exp(pre_activation))
    return (y - targets) * y * (1 - y)


@output_delta.wrong("the mean squared error of a library", r"divided|number|mean|2")
def _(pre_activation, targets):
    y = sigmoid(pre_activation)
    return 2 * (y - targets) / y.size * y * (1 - y)


@output_delta.wrong("the error itself, squared", r"square|error|E|derivative")
def _(pre_activation, targets):
    y = sigmoid(pre_activation)
    return 0.5 * (targets - y) ** 2


# Through ReLU


@relu_delta.right("a mask that is assigned")
def _(delta, pre_activation):
    result = np.array(delta, dtype=float)
    result[pre_activation <= 0] = 0
    return result


@relu_delta.right("the step function of NumPy")
def _(delta, pre_activation):
    return delta * np.heaviside(pre_activation, 0.5)


@relu_delta.wrong("ReLU of δ", r"ReLU|δ|sign|positive|negative")
def _(delta, pre_activation):
    return np.maximum(delta, 0)


@relu_delta.wrong("times the output", r"times|x|o|output|slope")
def _(delta, pre_activation):
    return delta * np.maximum(pre_activation, 0)


@relu_delta.wrong("the mask alone", r"δ|mask|slope|missing")
def _(delta, pre_activation):
    return (pre_activation > 0).astype(float)


@relu_delta.wrong("only the entries that are left, in a row", r"shape|one axis|row|list|entries")
def _(delta, pre_activation):
    return delta[pre_activation > 0]


@relu_delta.wrong("the wrong half", r"negative|other|wrong|<|where x")
def _(delta, pre_activation):
    return np.where(pre_activation < 0, delta, 0)


@relu_delta.wrong("a leak", r"leak|negative|0.01|below|times")
def _(delta, pre_activation):
    return np.where(pre_activation > 0, delta, 0.01 * delta)


@relu_delta.wrong("o / x for the slope", r"nan|0/0|divi|not a number|NaN")
def _(delta, pre_activation):
    with np.errstate(invalid="ignore"):
        return delta * np.maximum(pre_activation, 0) / pre_activation


@relu_delta.wrong("the sign for the slope", r"sign|−1|-1|negative")
def _(delta, pre_activation):
    return delta * np.sign(pre_activation)


# The whole step


@delta_recursion.right("gathered, with a test of the border")
def _(delta, kernel, pre_activation):
    rows, columns = delta.shape
    out = np.zeros(pre_activation.shape)
    for i, j in np.ndindex(out.shape):
        for m, n in np.ndindex(kernel.shape):
            if 0 <= i - m < rows and 0 <= j - n < columns:
                out[i, j] += delta[i - m, j - n] * kernel[m, n]
        out[i, j] /= math.cosh(pre_activation[i, j]) ** 2
    return out


@delta_recursion.right("FFT")
def _(delta, kernel, pre_activation):
    shape = pre_activation.shape
    sums = np.fft.irfft2(np.fft.rfft2(delta, shape) * np.fft.rfft2(kernel, shape), shape)
    return sums * (1 - np.tanh(pre_activation) ** 2)


@delta_recursion.wrong("padded δ, kernel not turned", r"turn|flip|rot")
def _(delta, kernel, pre_activation):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    return cross_correlate(padded, kernel) * (1 - np.tanh(pre_activation) ** 2)


@delta_recursion.wrong("1 − x² with x where tanh(x) belongs", r"x²|tanh|square|slope|activation")
def _(delta, kernel, pre_activation):
    return convolve2d(delta, kernel) * (1 - pre_activation**2)


@delta_recursion.wrong("1 − tanh without the square", r"square|slope|tanh")
def _(delta, kernel, pre_activation):
    return convolve2d(delta, kernel) * (1 - np.tanh(pre_activation))


@delta_recursion.wrong("no slope at all", r"slope|f′|missing|activation")
def _(delta, kernel, pre_activation):
    sums = np.zeros(pre_activation.shape)
    k1, k2 = kernel.shape
    for i, j in np.ndindex(delta.shape):
        sums[i : i + k1, j : j + k2] += delta[i, j] * kernel
    return sums


@delta_recursion.wrong("the slope of ReLU", r"ReLU|slope")
def _(delta, kernel, pre_activation):
    return convolve2d(delta, kernel) * (pre_activation > 0)


@delta_recursion.wrong("the slope of the sigmoid", r"sigmoid|slope")
def _(delta, kernel, pre_activation):
    s = 1 / (1 + np.exp(-pre_activation))
    return convolve2d(delta, kernel) * s * (1 - s)


@delta_recursion.wrong("1 / cosh, not squared", r"cosh|square|slope|root")
def _(delta, kernel, pre_activation):
    return convolve2d(delta, kernel) / np.cosh(pre_activation)


@delta_recursion.wrong("the slope after the turn: x turned, too", r"turn|slope|x|pre-activation")
def _(delta, kernel, pre_activation):
    return convolve2d(delta, kernel) * (1 - np.tanh(rot180(pre_activation)) ** 2)


@delta_recursion.wrong("each patch written over the former", r"= |overw|added|last|overlap")
def _(delta, kernel, pre_activation):
    sums = np.zeros(pre_activation.shape)
    k1, k2 = kernel.shape
    for i, j in np.ndindex(delta.shape):
        sums[i : i + k1, j : j + k2] = delta[i, j] * kernel
    return sums * (1 - np.tanh(pre_activation) ** 2)


# Max pooling


@max_routing.right("with np.add.at")
def _(inputs, delta, size, stride):
    windows = sliding_window_view(inputs, size)[:: stride[0], :: stride[1]]
    windows = windows[: delta.shape[0], : delta.shape[1]]
    at = windows.reshape(*delta.shape, -1).argmax(-1)
    i, j = np.indices(delta.shape)
    result = np.zeros(inputs.shape)
    np.add.at(result, (i * stride[0] + at // size[1], j * stride[1] + at % size[1]), delta)
    return result


@max_routing.right("a search with a strict comparison")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i in range(len(delta)):
        for j in range(len(delta[0])):
            best = None
            for m in range(size[0]):
                for n in range(size[1]):
                    at = i * stride[0] + m, j * stride[1] + n
                    if best is None or inputs[at] > inputs[best]:
                        best = at
            out[best] += delta[i, j]
    return out


@max_routing.wrong("a search that lets the last win", r"tie|equal|last|another of several")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        best, where = -np.inf, None
        for m, n in np.ndindex(*size):
            value = inputs[i * stride[0] + m, j * stride[1] + n]
            if value >= best:
                best, where = value, (i * stride[0] + m, j * stride[1] + n)
        out[where] += delta[i, j]
    return out


@max_routing.wrong("all that are equal share", r"tie|equal|share|divided")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        window = inputs[a : a + size[0], b : b + size[1]]
        won = window == window.max()
        out[a : a + size[0], b : b + size[1]] += won * delta[i, j] / won.sum()
    return out


@max_routing.wrong("= at the winner", r"= |overlap|added|last|overw")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        m, n = divmod(int(np.argmax(inputs[a : a + size[0], b : b + size[1]])), size[1])
        out[a + m, b + n] = delta[i, j]
    return out


@max_routing.wrong("the window's place without the stride", r"stride|step|one")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        window = inputs[i : i + size[0], j : j + size[1]]
        m, n = np.unravel_index(np.argmax(window), window.shape)
        out[i + m, j + n] += delta[i, j]
    return out


@max_routing.wrong("windows side by side, whatever the stride", r"stride|overlap|size|stopped|step")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        a, b = i * size[0], j * size[1]
        window = inputs[a : a + size[0], b : b + size[1]]
        if window.size:
            m, n = np.unravel_index(np.argmax(window), window.shape)
            out[a + m, b + n] += delta[i, j]
    return out


@max_routing.wrong("the place in the window taken for the place in the input", r"window|offset|corner|place|top")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        where = np.unravel_index(inputs[a : a + size[0], b : b + size[1]].argmax(), size)
        out[where] += delta[i, j]
    return out


@max_routing.wrong("the largest magnitude", r"absolute|magnitude|sign|abs")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        window = np.abs(inputs[a : a + size[0], b : b + size[1]])
        m, n = np.unravel_index(window.argmax(), window.shape)
        out[a + m, b + n] += delta[i, j]
    return out


@max_routing.wrong("the flat index divided by the rows of the window", r"flat|divided|k1|rows|columns|index|stopped")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        at = inputs[a : a + size[0], b : b + size[1]].argmax()
        m, n = at // size[0], at % size[0]
        out[min(a + m, out.shape[0] - 1), min(b + n, out.shape[1] - 1)] += delta[i, j]
    return out


# Average pooling


@average_routing.right("two matrices")
def _(delta, input_size, size, stride):
    def spread(n, k, s, outputs):
        return np.array([[0 <= p - q * s < k for q in range(outputs)] for p in range(n)]) / k

    left = spread(input_size[0], size[0], stride[0], delta.shape[0])
    right = spread(input_size[1], size[1], stride[1], delta.shape[1])
    return left @ delta @ right.T


@average_routing.right("a full convolution with ones, filled up")
def _(delta, input_size, size, stride):
    spread = np.zeros(((len(delta) - 1) * stride[0] + 1, (len(delta[0]) - 1) * stride[1] + 1))
    spread[:: stride[0], :: stride[1]] = delta
    sums = convolve2d(spread, np.ones(size) / np.prod(size))
    return np.pad(sums, [(0, a - b) for a, b in zip(input_size, sums.shape, strict=True)])


@average_routing.wrong("not divided", r"divided|times|size|k1")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        out[i * stride[0] : i * stride[0] + size[0], j * stride[1] : j * stride[1] + size[1]] += delta[i, j]
    return out


@average_routing.wrong("divided by the area of the stride", r"stride|divided")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        out[a : a + size[0], b : b + size[1]] += delta[i, j] / (stride[0] * stride[1])
    return out


@average_routing.wrong("overwritten", r"= |overlap|added|overw")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    share = delta / np.prod(size)
    for (i, j), d in np.ndenumerate(share):
        out[i * stride[0] : i * stride[0] + size[0], j * stride[1] : j * stride[1] + size[1]] = d
    return out


@average_routing.wrong("np.kron, cut or filled to the size", r"kron|cop|repeat|stride|overlap|step")
def _(delta, input_size, size, stride):
    copied = np.kron(delta, np.ones(size)) / (size[0] * size[1])
    out = np.zeros(input_size)
    rows, columns = min(out.shape[0], copied.shape[0]), min(out.shape[1], copied.shape[1])
    out[:rows, :columns] = copied[:rows, :columns]
    return out


@average_routing.wrong("whole numbers", r"integer|whole|//|round")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        out[a : a + size[0], b : b + size[1]] += delta[i, j] // (size[0] * size[1])
    return out


@average_routing.wrong("size and stride exchanged", r"exchang|swap|size|stride")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        a, b = i * size[0], j * size[1]
        out[a : a + stride[0], b : b + stride[1]] += delta[i, j] / (stride[0] * stride[1])
    return out


@average_routing.wrong("divided by how many windows cover the pixel", r"covered|count|windows|overlap|number")
def _(delta, input_size, size, stride):
    out, count = np.zeros(input_size), np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        out[a : a + size[0], b : b + size[1]] += delta[i, j] / (size[0] * size[1])
        count[a : a + size[0], b : b + size[1]] += 1
    return out / np.maximum(count, 1)


@average_routing.wrong("the columns of the window for both", r"k2|column|square|both|divided|size")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    k = size[1]
    for i, j in np.ndindex(delta.shape):
        a, b = i * stride[0], j * stride[1]
        out[a : a + size[0], b : b + size[1]] += delta[i, j] / k**2
    return out


# L2 pooling


@l2_routing.right("norms of all windows at once")
def _(inputs, delta, size, stride):
    windows = sliding_window_view(inputs, size)[:: stride[0], :: stride[1]]
    norms = np.linalg.norm(windows, axis=(2, 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = np.nan_to_num(delta / norms, nan=0, posinf=0, neginf=0)
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        for m, n in np.ndindex(*size):
            out[i * stride[0] + m, j * stride[1] + n] += factors[i, j] * windows[i, j, m, n]
    return out


@l2_routing.right("math.hypot")
def _(inputs, delta, size, stride):
    out = np.zeros_like(inputs, dtype=float)
    for (i, j), d in np.ndenumerate(delta):
        seen = slice(i * stride[0], i * stride[0] + size[0]), slice(j * stride[1], j * stride[1] + size[1])
        out[seen] += d * inputs[seen] / (math.hypot(*inputs[seen].flat) or 1)
    return out


def l2(of):
    def mine(inputs, delta, size, stride):
        out = np.zeros(inputs.shape)
        for i, j in np.ndindex(delta.shape):
            a, b = i * stride[0], j * stride[1]
            window = inputs[a : a + size[0], b : b + size[1]]
            y = np.sqrt(np.sum(window**2))
            if y > 0:
                out[a : a + size[0], b : b + size[1]] += delta[i, j] * of(window, y)
        return out

    return mine


l2_routing.wrong("not divided by y", r"y|divided|norm|root")(l2(lambda x, y: x))
l2_routing.wrong("the 2 of x² kept", r"2|twice|half|½")(l2(lambda x, y: 2 * x / y))
l2_routing.wrong("divided by the sum of squares, root forgotten", r"root|y²|square|norm")(l2(lambda x, y: x / y**2))
l2_routing.wrong("x² over y", r"square|x²|sign|x")(l2(lambda x, y: x**2 / y))
l2_routing.wrong("the root of a mean", r"mean|root|number|divided|times")(l2(lambda x, y: x / np.sqrt((x**2).mean())))
l2_routing.wrong("shares of the sum of magnitudes", r"magnitude|absolute|L1|sum|Σ")(
    l2(lambda x, y: x / np.abs(x).sum())
)
l2_routing.wrong("every pixel as if it were average pooling", r"average|divided|size|x|same")(
    l2(lambda x, y: np.ones(x.shape) / x.size)
)


@l2_routing.wrong("0/0 in the window of zeros", r"nan|0/0|zeros|not a number|NaN|divi")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    with np.errstate(invalid="ignore"):
        for i, j in np.ndindex(delta.shape):
            seen = np.s_[i * stride[0] : i * stride[0] + size[0], j * stride[1] : j * stride[1] + size[1]]
            out[seen] += delta[i, j] * inputs[seen] / np.linalg.norm(inputs[seen])
    return out


# Stride and padding


@strided_input_gradient.right("gathered, pixel by pixel")
def _(delta, kernel, input_size, stride, padding):
    out = np.zeros(input_size)
    for i, j in np.ndindex(*input_size):
        for a, b in np.ndindex(delta.shape):
            m, n = i + padding[0] - a * stride[0], j + padding[1] - b * stride[1]
            if 0 <= m < kernel.shape[0] and 0 <= n < kernel.shape[1]:
                out[i, j] += delta[a, b] * kernel[m, n]
    return out


@strided_input_gradient.right("the transpose of the matrix of the layer")
def _(delta, kernel, input_size, stride, padding):
    columns = []
    for at in np.ndindex(*input_size):
        image = np.zeros(input_size)
        image[at] = 1
        padded = np.pad(image, [(p, p) for p in padding])
        columns.append(correlate2d(padded, kernel, "valid")[:: stride[0], :: stride[1]].ravel())
    return (np.array(columns) @ delta.ravel()).reshape(input_size)


def scattered(kernel, size, delta, stride):
    out = np.zeros(size)
    for (i, j), d in np.ndenumerate(delta):
        for (m, n), w in np.ndenumerate(kernel):
            if i * stride[0] + m < size[0] and j * stride[1] + n < size[1]:
                out[i * stride[0] + m, j * stride[1] + n] += d * w
    return out


def padded_size(input_size, padding):
    return [n + 2 * p for n, p in zip(input_size, padding, strict=True)]


@strided_input_gradient.wrong("the padding never cut off", r"padding|shape|cut")
def _(delta, kernel, input_size, stride, padding):
    return scattered(kernel, padded_size(input_size, padding), delta, stride)


@strided_input_gradient.wrong("padding ignored", r"padding")
def _(delta, kernel, input_size, stride, padding):
    return scattered(kernel, input_size, delta, stride)


@strided_input_gradient.wrong("the kernel turned though scattered", r"turn|flip")
def _(delta, kernel, input_size, stride, padding):
    out = scattered(np.flip(kernel), padded_size(input_size, padding), delta, stride)
    return out[padding[0] : padding[0] + input_size[0], padding[1] : padding[1] + input_size[1]]


@strided_input_gradient.wrong("the strides exchanged", r"stride|exchang|swap|stopped")
def _(delta, kernel, input_size, stride, padding):
    out = scattered(kernel, padded_size(input_size, padding), delta, stride[::-1])
    return out[padding[0] : padding[0] + input_size[0], padding[1] : padding[1] + input_size[1]]


@strided_input_gradient.wrong("stride ignored", r"stride|step|zeros between")
def _(delta, kernel, input_size, stride, padding):
    out = scattered(kernel, padded_size(input_size, padding), delta, (1, 1))
    return out[padding[0] : padding[0] + input_size[0], padding[1] : padding[1] + input_size[1]]


@strided_input_gradient.wrong("i·s − p below 0 reaches the other end", r"negative|wrap|other end|from the end")
def _(delta, kernel, input_size, stride, padding):
    out = np.zeros(input_size)
    for (i, j), d in np.ndenumerate(delta):
        for (m, n), w in np.ndenumerate(kernel):
            row, column = i * stride[0] - padding[0] + m, j * stride[1] - padding[1] + n
            if row < input_size[0] and column < input_size[1]:
                out[row, column] += d * w
    return out


@strided_input_gradient.wrong("p[0]:-p[0], which is empty for 0", r"padding|shape|empty|−0|-0|0")
def _(delta, kernel, input_size, stride, padding):
    out = scattered(kernel, padded_size(input_size, padding), delta, stride)
    return out[padding[0] : -padding[0], padding[1] : -padding[1]]


@strided_input_gradient.wrong("δ copied s × s times", r"cop|repeat|zeros between|stride")
def _(delta, kernel, input_size, stride, padding):
    wide = np.repeat(np.repeat(delta, stride[0], 0), stride[1], 1)
    sums = convolve2d(wide, kernel)
    out = np.zeros(padded_size(input_size, padding))
    rows, columns = min(out.shape[0], sums.shape[0]), min(out.shape[1], sums.shape[1])
    out[:rows, :columns] = sums[:rows, :columns]
    return out[padding[0] : padding[0] + input_size[0], padding[1] : padding[1] + input_size[1]]


# Channels, to the input


@multichannel_input_gradient.right("einsum over windows")
def _(delta, kernel):
    k1, k2 = kernel.shape[:2]
    around = np.pad(delta, ((0, 0), (k1 - 1, k1 - 1), (k2 - 1, k2 - 1), (0, 0)))
    windows = sliding_window_view(around, (k1, k2), axis=(1, 2))
    return np.einsum("nijdab,abcd->nijc", windows, kernel[::-1, ::-1])


@multichannel_input_gradient.right("NCHW inside")
def _(delta, kernel):
    delta, kernel = delta.transpose(0, 3, 1, 2), kernel.transpose(3, 2, 0, 1)
    maps = [
        [sum(convolve2d(image[d], kernel[d, c]) for d in range(len(kernel))) for c in range(kernel.shape[1])]
        for image in delta
    ]
    return np.array(maps).transpose(0, 2, 3, 1)


def to_input(delta, kernel, pair):
    N, rows, columns, D = delta.shape
    k1, k2, C, _ = kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for n, c, d in np.ndindex(N, C, D):
        out[n, :, :, c] += pair(delta[n, :, :, d], kernel[:, :, c, d])
    return out


@multichannel_input_gradient.wrong("correlated in full", r"turn|flip|cross-correl")
def _(delta, kernel):
    return to_input(delta, kernel, lambda d, w: correlate2d(d, w, "full"))


@multichannel_input_gradient.wrong("np.flip of all four axes", r"all (four )?axes|channel|filter")
def _(delta, kernel):
    return to_input(delta, np.flip(kernel)[::-1, ::-1], convolve2d)


@multichannel_input_gradient.wrong("the filters not added up", r"= |last|filter|added|overw")
def _(delta, kernel):
    N, rows, columns, D = delta.shape
    k1, k2, C, _ = kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for n, c, d in np.ndindex(N, C, D):
        out[n, :, :, c] = convolve2d(delta[n, :, :, d], kernel[:, :, c, d])
    return out


@multichannel_input_gradient.wrong("reshaped where the axes are swapped", r"reshape|swap|axes|channel|filter")
def _(delta, kernel):
    k1, k2, C, D = kernel.shape
    return to_input(delta, kernel.reshape(k1, k2, D, C).transpose(0, 1, 3, 2), convolve2d)


@multichannel_input_gradient.wrong("the mean over the filters", r"mean|divided|filter")
def _(delta, kernel):
    return to_input(delta, kernel, convolve2d) / kernel.shape[3]


@multichannel_input_gradient.wrong("the first image for the whole batch", r"image|batch|first")
def _(delta, kernel):
    return to_input(np.broadcast_to(delta[:1], delta.shape), kernel, convolve2d)


@multichannel_input_gradient.wrong("kernels added up over the filters first", r"filter|added|sum")
def _(delta, kernel):
    total = np.repeat(kernel.sum(3, keepdims=True), kernel.shape[3], 3)
    return to_input(delta, total, convolve2d)


@multichannel_input_gradient.wrong("turned along the rows only", r"row|column|one axis|left|up")
def _(delta, kernel):
    return to_input(delta, kernel[:, ::-1], convolve2d)


# Channels, to the weights


@multichannel_kernel_gradient.right("einsum over windows")
def _(inputs, delta):
    windows = sliding_window_view(inputs, delta.shape[1:3], axis=(1, 2))
    return np.einsum("nabcij,nijd->abcd", windows, delta)


@multichannel_kernel_gradient.right("scattered over the outputs")
def _(inputs, delta):
    k1, k2 = (inputs.shape[axis] - delta.shape[axis] + 1 for axis in (1, 2))
    gradient = 0
    for n, i, j in np.ndindex(delta.shape[:3]):
        gradient = gradient + inputs[n, i : i + k1, j : j + k2, :, None] * delta[n, i, j]
    return gradient


def to_weights(inputs, delta, pair=cross_correlate):
    k1, k2 = (inputs.shape[axis] - delta.shape[axis] + 1 for axis in (1, 2))
    out = np.zeros((k1, k2, inputs.shape[3], delta.shape[3]))
    for n, c, d in np.ndindex(len(inputs), inputs.shape[3], delta.shape[3]):
        out[:, :, c, d] += pair(inputs[n, :, :, c], delta[n, :, :, d])
    return out


@multichannel_kernel_gradient.wrong("convolved", r"turn|flip|convolution")
def _(inputs, delta):
    return to_weights(inputs, delta, lambda o, d: convolve2d(o, d, "valid"))


@multichannel_kernel_gradient.wrong("the mean over the batch", r"mean|divided|N|images")
def _(inputs, delta):
    return to_weights(inputs, delta) / len(inputs)


@multichannel_kernel_gradient.wrong("the last image alone", r"= |last|image|added")
def _(inputs, delta):
    return to_weights(inputs[-1:], delta[-1:])


@multichannel_kernel_gradient.wrong("filters before channels", r"shape|swap|exchang|order|axes|filter")
def _(inputs, delta):
    return to_weights(inputs, delta).swapaxes(2, 3)


@multichannel_kernel_gradient.wrong("images added up before the product", r"image|batch|added up|first|cross")
def _(inputs, delta):
    return to_weights(inputs.sum(0, keepdims=True), delta.sum(0, keepdims=True))


@multichannel_kernel_gradient.wrong("the first channel for all", r"channel|first")
def _(inputs, delta):
    return to_weights(np.repeat(inputs[..., :1], inputs.shape[3], 3), delta)


@multichannel_kernel_gradient.wrong("each filter has the sum of all δ", r"filter|δ|sum|added")
def _(inputs, delta):
    return to_weights(inputs, np.repeat(delta.sum(3, keepdims=True), delta.shape[3], 3))


@multichannel_kernel_gradient.wrong("the result turned in rows and columns", r"turn|flip|result")
def _(inputs, delta):
    return to_weights(inputs, delta)[::-1, ::-1]


# The asker's two layers


@two_layer_question.right("δ sent back, then Eq. 13")
def _(image, first_kernel, second_kernel, target):
    o1 = correlate2d(image, first_kernel, "valid")
    o2 = np.vdot(o1, second_kernel)
    delta1 = np.multiply.outer(2 * (o2 - target), second_kernel)
    return sum(
        delta1[i, j] * image[i : i + first_kernel.shape[0], j : j + first_kernel.shape[1]]
        for i, j in np.ndindex(delta1.shape)
    )


@two_layer_question.right("a complex step")
def _(image, first_kernel, second_kernel, target):
    def cost(kernel):
        return (
            np.sum(np.einsum("ijmn,mn->ij", sliding_window_view(image, kernel.shape), kernel) * second_kernel) - target
        ) ** 2

    out = np.zeros(first_kernel.shape)
    for at in np.ndindex(out.shape):
        kernel = first_kernel.astype(complex)
        kernel[at] += 1e-30j
        out[at] = cost(kernel).imag / 1e-30
    return out


def two_layers(image, w1, w2):
    return cross_correlate(cross_correlate(image, w1), w2)[0, 0]


@two_layer_question.wrong("without the 2", r"2|half|twice|factor")
def _(image, first_kernel, second_kernel, target):
    return (two_layers(image, first_kernel, second_kernel) - target) * cross_correlate(image, second_kernel)


@two_layer_question.wrong("y − o²", r"sign|minus|negative")
def _(image, first_kernel, second_kernel, target):
    return 2 * (target - two_layers(image, first_kernel, second_kernel)) * cross_correlate(image, second_kernel)


@two_layer_question.wrong("o² alone, the target forgotten", r"target|y")
def _(image, first_kernel, second_kernel, target):
    return 2 * two_layers(image, first_kernel, second_kernel) * cross_correlate(image, second_kernel)


@two_layer_question.wrong("w² turned", r"w².*turn|turn|flip")
def _(image, first_kernel, second_kernel, target):
    error = two_layers(image, first_kernel, second_kernel) - target
    return 2 * error * convolve2d(image, second_kernel, "valid")


@two_layer_question.wrong("δ without w²: sums of windows", r"w²|second|ones|without|missing")
def _(image, first_kernel, second_kernel, target):
    error = two_layers(image, first_kernel, second_kernel) - target
    return 2 * error * cross_correlate(image, np.ones(second_kernel.shape))


@two_layer_question.wrong("the error squared", r"square|error|C")
def _(image, first_kernel, second_kernel, target):
    error = two_layers(image, first_kernel, second_kernel) - target
    return error**2 * cross_correlate(image, second_kernel)


@two_layer_question.wrong("∂o²/∂w¹ alone", r"∂o|error|2|without|missing|C")
def _(image, first_kernel, second_kernel, target):
    return cross_correlate(image, second_kernel)


@two_layer_question.wrong("the gradient of w²", r"w²|other|second|shape|o¹")
def _(image, first_kernel, second_kernel, target):
    o1 = cross_correlate(image, first_kernel)
    return 2 * (np.vdot(o1, second_kernel) - target) * o1


@two_layer_question.wrong("times w¹", r"w¹|first")
def _(image, first_kernel, second_kernel, target):
    error = two_layers(image, first_kernel, second_kernel) - target
    return 2 * error * cross_correlate(image, second_kernel) * first_kernel
