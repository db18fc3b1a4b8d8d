"""A fourth set, written from the questions in the notebooks alone: sliding sums, and the weights."""

import contextlib

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy.ndimage import correlate
from scipy.signal import convolve2d, correlate2d, fftconvolve

from convbp import cross_correlate, rot180
from examination.sheet import Sheet

cross_correlation = Sheet("cross_correlation")
convolution = Sheet("convolution")
turned = Sheet("rot180")
full_convolution = Sheet("full_convolution")
kernel_gradient = Sheet("kernel_gradient")
bias_gradient = Sheet("bias_gradient")
descent_step = Sheet("descent_step")
region_q = Sheet("region_q")

SHEETS = [
    cross_correlation, convolution, turned, full_convolution,
    kernel_gradient, bias_gradient, descent_step, region_q,
]  # fmt: skip


# Cross-correlation


@cross_correlation.right("strides by hand")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    image = np.ascontiguousarray(image)
    windows = as_strided(image, (H - k1 + 1, W - k2 + 1, k1, k2), image.strides * 2)
    return np.tensordot(windows, kernel, 2)


@cross_correlation.right("a list of lists")
def _(image, kernel):
    (H, W), (k1, k2) = np.shape(image), np.shape(kernel)
    return [
        [sum(image[i + m][j + n] * kernel[m][n] for m in range(k1) for n in range(k2)) for j in range(W - k2 + 1)]
        for i in range(H - k1 + 1)
    ]


@cross_correlation.right("by shifted images")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    total = 0
    for (m, n), weight in np.ndenumerate(kernel):
        total = total + weight * image[m : H - k1 + 1 + m, n : W - k2 + 1 + n]
    return total


@cross_correlation.wrong("the number of positions without + 1", r"smaller|\+ 1|shape|one row")
def _(image, kernel):
    rows, columns = image.shape[0] - kernel.shape[0], image.shape[1] - kernel.shape[1]
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (image[i : i + kernel.shape[0], j : j + kernel.shape[1]] * kernel).sum()
    return result


@cross_correlation.wrong("= for += in the innermost loop", r"= |added|last|overw")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    result[i, j] = image[i + m, j + n] * kernel[m, n]
    return result


@cross_correlation.wrong(
    "the window read down the columns, the kernel along the rows", r"transpos|order|exchang|rows and columns"
)
def _(image, kernel):
    windows = sliding_window_view(image, kernel.shape)
    rows, columns = windows.shape[:2]
    return np.array([[windows[i, j].flatten("F") @ kernel.flatten() for j in range(columns)] for i in range(rows)])


@cross_correlation.wrong("SciPy's convolve2d, which flips", r"turn|flip|convolution")
def _(image, kernel):
    return convolve2d(image, kernel, mode="valid")


@cross_correlation.wrong(
    "the rows of the kernel from below", r"rows.*(revers|order|flip|below)|upside|(flip|revers|turn).*row|k1 - 1 - m"
)
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i, j in np.ndindex(result.shape):
        for m, n in np.ndindex(k1, k2):
            result[i, j] += image[i + m, j + n] * kernel[k1 - 1 - m, n]
    return result


@cross_correlation.wrong("the result kept in bytes", r"uint8|byte|256|integers|wrap")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1), dtype=np.uint8)
    for i, j in np.ndindex(result.shape):
        result[i, j] = int((image[i : i + k1, j : j + k2] * kernel).sum()) % 256
    return result


@cross_correlation.wrong("clipped to what a pixel can be", r"clip|positive|negative|below 0|cut|255")
def _(image, kernel):
    return np.clip(correlate2d(image, kernel, mode="valid"), 0, 255)


@cross_correlation.wrong("divided by the sum of the kernel, as a blur is", r"divided|normal|times")
def _(image, kernel):
    total = kernel.sum()
    return correlate2d(image, kernel, "valid") / (total if total else 1)


@cross_correlation.wrong("the number of rows used for the columns, too", r"column|shape|square|stopped")
def _(image, kernel):
    k = kernel.shape[0]
    out = np.zeros((image.shape[0] - k + 1, image.shape[1] - k + 1))
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[r, c] = np.sum(image[r : r + k, c : c + k] * kernel)
    return out


@cross_correlation.wrong("FFT without the conjugate", r"circular|wrap|around|turn|flip|convolution|backwards")
def _(image, kernel):
    rows, columns = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    return np.fft.ifft2(np.fft.fft2(image) * np.fft.fft2(kernel, image.shape)).real[:rows, :columns]


@cross_correlation.wrong("as large as the image", r"shape|same|as large|padd|zeros")
def _(image, kernel):
    return correlate(image, kernel, mode="constant")


# Convolution


@convolution.right("FFT, cut")
def _(image, kernel):
    return fftconvolve(image, kernel, mode="valid")


@convolution.right("Eq. 2 by its indices")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    return np.array(
        [
            [sum(image[i - m, j - n] * kernel[m, n] for m in range(k1) for n in range(k2)) for j in range(k2 - 1, W)]
            for i in range(k1 - 1, H)
        ]
    )


@convolution.wrong("the kernel is not turned", r"turn|flip|cross-correlation")
def _(image, kernel):
    windows = sliding_window_view(image, kernel.shape)
    return np.einsum("ijmn,mn->ij", windows, kernel)


@convolution.wrong("turned up and down only", r"column|row|left|one axis|up")
def _(image, kernel):
    return cross_correlate(image, np.flipud(kernel))


@convolution.wrong("a quarter of a turn", r"90|quarter|transpos|stopped|shape")
def _(image, kernel):
    return cross_correlate(image, np.rot90(kernel))


@convolution.wrong("the result turned in place of the kernel", r"result.*(turn|flip)|(turn|flip).*result|whole")
def _(image, kernel):
    return cross_correlate(image, kernel)[::-1, ::-1]


@convolution.wrong("K(−m, −n) with Python's negative indices", r"negative|−1|-1|moved|index|count|from the end")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i, j in np.ndindex(result.shape):
        for m in range(k1):
            for n in range(k2):
                result[i, j] += image[i + m, j + n] * kernel[-m, -n]
    return result


@convolution.wrong("I(i − m, j − n) from i = 0 on", r"negative|wrap|other end|index|from the end")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i, j in np.ndindex(result.shape):
        for m in range(k1):
            for n in range(k2):
                result[i, j] += image[i - m, j - n] * kernel[m, n]
    return result


@convolution.wrong("image and kernel both turned", r"image|both|result|turn")
def _(image, kernel):
    return correlate2d(np.flip(image), np.flip(kernel), "valid")


@convolution.wrong("full", r"full|shape|larger|zeros")
def _(image, kernel):
    return convolve2d(image, kernel)


# Turned by 180°


@turned.right("flat, from behind")
def _(kernel):
    return np.ravel(kernel)[::-1].reshape(np.shape(kernel))


@turned.right("two exchange matrices")
def _(kernel):
    k1, k2 = kernel.shape
    return np.eye(k1)[::-1] @ kernel @ np.eye(k2)[::-1]


@turned.right("lists, reversed twice")
def _(kernel):
    return [list(reversed(row)) for row in reversed(kernel.tolist())]


@turned.wrong("one quarter only", r"90|quarter|shape|transpos")
def _(kernel):
    return np.rot90(kernel)


@turned.wrong("mirrored", r"left|column|one axis|each row|mirror")
def _(kernel):
    return np.fliplr(kernel)


@turned.wrong("exchanged twice, so back again", r"unchanged|not turned|as it (was|came)|itself|same")
def _(kernel):
    turned = kernel.copy()
    k1, k2 = turned.shape
    for i in range(k1):
        for j in range(k2):
            a, b = turned[i, j], turned[k1 - 1 - i, k2 - 1 - j]
            turned[i, j], turned[k1 - 1 - i, k2 - 1 - j] = b, a
    return turned


@turned.wrong("overwritten while it was read", r"overw|copy|in place|half|already")
def _(kernel):
    turned = kernel.copy()
    k1, k2 = turned.shape
    for i in range(k1):
        for j in range(k2):
            turned[i, j] = turned[k1 - 1 - i, k2 - 1 - j]
    return turned


@turned.wrong("the row in the middle left as it was", r"middle")
def _(kernel):
    turned = kernel.copy()
    k1, k2 = kernel.shape
    for i in range(k1 // 2):
        for j in range(k2):
            turned[i, j] = kernel[k1 - 1 - i, k2 - 1 - j]
            turned[k1 - 1 - i, k2 - 1 - j] = kernel[i, j]
    return turned


@turned.wrong("−i for −1 − i", r"one|moved|index|roll|negative|\[-m, -n\]")
def _(kernel):
    turned = np.zeros(kernel.shape)
    for i in range(len(kernel)):
        for j in range(len(kernel[0])):
            turned[i, j] = kernel[-i, -j]
    return turned


@turned.wrong("the transpose turned up and down", r"90|quarter|transpos|shape")
def _(kernel):
    return kernel.T[::-1]


# Full convolution


@full_convolution.right("scattered slice by slice, backwards")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H + k1 - 1, W + k2 - 1))
    for m in reversed(range(k1)):
        for n in reversed(range(k2)):
            out[m : m + H, n : n + W] += kernel[m, n] * image
    return out


@full_convolution.right("products of polynomials, row by row")
def _(image, kernel):
    H, k1 = len(image), len(kernel)
    rows = [sum(np.convolve(image[i - m], kernel[m]) for m in range(k1) if 0 <= i - m < H) for i in range(H + k1 - 1)]
    return np.stack(rows)


@full_convolution.right("arguments exchanged, as it is commutative")
def _(image, kernel):
    return convolve2d(kernel, image, mode="full")


@full_convolution.wrong("padded, but not turned", r"turn|flip|cross-correlation")
def _(image, kernel):
    k1, k2 = kernel.shape
    return cross_correlate(np.pad(image, ((k1 - 1,) * 2, (k2 - 1,) * 2)), kernel)


@full_convolution.wrong("padded by k on each side", r"shape|larger|k1|zeros")
def _(image, kernel):
    k1, k2 = kernel.shape
    return cross_correlate(np.pad(image, ((k1, k1), (k2, k2))), np.flip(kernel))


@full_convolution.wrong("k1 - 1 zeros on all four sides", r"shape|column|one axis|both axes|k1")
def _(image, kernel):
    return cross_correlate(np.pad(image, kernel.shape[0] - 1), np.rot90(kernel, 2))


@full_convolution.wrong("the border repeated outside", r"outside|border|edge|zeros|repeat")
def _(image, kernel):
    k1, k2 = kernel.shape
    return cross_correlate(np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)), mode="edge"), np.flip(kernel))


@full_convolution.wrong("= where patches overlap", r"= |overlap|added|last|overw")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H + k1 - 1, W + k2 - 1))
    for i in range(H):
        for j in range(W):
            out[i : i + k1, j : j + k2] = image[i, j] * kernel
    return out


@full_convolution.wrong("indices below 0 reach the other end", r"negative|wrap|other end|from the end")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H + k1 - 1, W + k2 - 1))
    for i in range(H + k1 - 1):
        for j in range(W + k2 - 1):
            for m in range(k1):
                for n in range(k2):
                    with contextlib.suppress(IndexError):
                        out[i, j] += image[i - m, j - n] * kernel[m, n]
    return out


@full_convolution.wrong("0 < i − m leaves out the first row and column", r"first|border|0|edge")
def _(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H + k1 - 1, W + k2 - 1))
    for i, j in np.ndindex(out.shape):
        for m, n in np.ndindex(k1, k2):
            if 0 < i - m < H and 0 < j - n < W:
                out[i, j] += image[i - m, j - n] * kernel[m, n]
    return out


@full_convolution.wrong("only where all of it lies inside, zeros around", r"valid|border|inside|part|zero")
def _(image, kernel):
    k1, k2 = kernel.shape
    return np.pad(convolve2d(image, kernel, "valid"), ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))


# The kernel gradient


@kernel_gradient.right("convolved with the turned δ")
def _(inputs, delta):
    return convolve2d(inputs, delta[::-1, ::-1], mode="valid")


@kernel_gradient.right("im2col and a matrix product")
def _(inputs, delta):
    windows = sliding_window_view(inputs, delta.shape)
    return (windows.reshape(-1, delta.size) @ delta.reshape(-1, 1)).reshape(windows.shape[:2])


@kernel_gradient.right("numerical, by linearity")
def _(inputs, delta):
    k1, k2 = (a - b + 1 for a, b in zip(inputs.shape, delta.shape, strict=True))
    gradient = np.zeros((k1, k2))
    for m, n in np.ndindex(k1, k2):
        kernel = np.zeros((k1, k2))
        kernel[m, n] = 1
        gradient[m, n] = np.vdot(delta, correlate2d(inputs, kernel, "valid"))
    return gradient


@kernel_gradient.wrong("convolve2d with δ", r"δ.*turn|turn.*δ|flip|convolution")
def _(inputs, delta):
    return convolve2d(inputs, delta, "valid")


@kernel_gradient.wrong("the gradient turned at the end", r"result.*turn|turn|flip")
def _(inputs, delta):
    return rot180(cross_correlate(inputs, delta))


@kernel_gradient.wrong("the mean over the outputs", r"divided|mean|number of")
def _(inputs, delta):
    return cross_correlate(inputs, delta) / delta.size


@kernel_gradient.wrong("only the δ under a window as large as the kernel", r"first|not all|part|δ|limit|range")
def _(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    gradient = np.zeros((k1, k2))
    for m in range(k1):
        for n in range(k2):
            for i in range(min(k1, delta.shape[0])):
                for j in range(min(k2, delta.shape[1])):
                    gradient[m, n] += delta[i, j] * inputs[i + m, j + n]
    return gradient


@kernel_gradient.wrong(
    "the pixel in the place of the window", r"same number|one (number|pixel|entry)|window|all entries|equal"
)
def _(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    gradient = np.zeros((k1, k2))
    for i, j in np.ndindex(delta.shape):
        gradient += delta[i, j] * inputs[i, j]
    return gradient


@kernel_gradient.wrong("the last δ alone, = for +=", r"= |last|added|overw")
def _(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    gradient = np.zeros((k1, k2))
    for i, j in np.ndindex(delta.shape):
        gradient = delta[i, j] * inputs[i : i + k1, j : j + k2]
    return gradient


@kernel_gradient.wrong("the minus of the descent in it", r"sign|minus|negative")
def _(inputs, delta):
    return -cross_correlate(inputs, delta)


@kernel_gradient.wrong("as large as the input", r"shape|same|full|padd|as large as")
def _(inputs, delta):
    return correlate2d(inputs, delta, mode="same")


# The bias gradient


@bias_gradient.right("einsum")
def _(delta):
    return np.einsum("nijd->d", delta)


@bias_gradient.right("a row of ones times a matrix")
def _(delta):
    return np.ones(delta[..., 0].size) @ delta.reshape(-1, delta.shape[-1])


@bias_gradient.wrong("the mean over everything", r"mean|divided")
def _(delta):
    return delta.mean(axis=(0, 1, 2))


@bias_gradient.wrong("the mean over the images", r"mean|divided|N")
def _(delta):
    return delta.sum(axis=(1, 2)).mean(axis=0)


@bias_gradient.wrong("channels sought in the second axis", r"shape|axis|axes|NCHW|row|layout")
def _(delta):
    return delta.sum(axis=(0, 2, 3))


@bias_gradient.wrong("one number for all filters", r"all filters|every filter|filters|shape|one number|all of δ")
def _(delta):
    return np.full(delta.shape[-1], delta.sum())


@bias_gradient.wrong("the last image alone", r"last|= |image")
def _(delta):
    gradient = np.zeros(delta.shape[3])
    for image in delta:
        gradient = image.sum((0, 1))
    return gradient


@bias_gradient.wrong("the bias of one image after the other", r"shape|image|batch|N")
def _(delta):
    return delta.sum(axis=(1, 2))


@bias_gradient.wrong("the diagonal: one index for rows and columns", r"diagonal|row|column|index|not all|part")
def _(delta):
    N, rows, columns, D = delta.shape
    gradient = np.zeros(D)
    for n in range(N):
        for i in range(min(rows, columns)):
            gradient += delta[n, i, i]
    return gradient


# One step


@descent_step.right("with np.add and a minus")
def _(weights, gradient, learning_rate):
    return np.add(weights, np.multiply(-learning_rate, gradient))


@descent_step.right("entry by entry")
def _(weights, gradient, learning_rate):
    pairs = zip(weights.flat, gradient.flat, strict=True)
    return np.array([w - g * learning_rate for w, g in pairs]).reshape(weights.shape)


@descent_step.wrong("uphill", r"plus|sign|up|added")
def _(weights, gradient, learning_rate):
    return weights + learning_rate * gradient


@descent_step.wrong("only the change", r"change|weights|without|missing|step")
def _(weights, gradient, learning_rate):
    return -learning_rate * gradient


@descent_step.wrong("without the rate", r"rate|η|1")
def _(weights, gradient, learning_rate):
    return weights - gradient


@descent_step.wrong("the rate multiplies the weights, too", r"rate|η|times|bracket")
def _(weights, gradient, learning_rate):
    return learning_rate * (weights - gradient)


@descent_step.wrong("the direction alone: the gradient divided by its length", r"length|norm|divided")
def _(weights, gradient, learning_rate):
    return weights - learning_rate * gradient / np.linalg.norm(gradient)


@descent_step.wrong("the mean of the gradient for each weight", r"mean|average|same")
def _(weights, gradient, learning_rate):
    return weights - learning_rate * gradient.mean()


@descent_step.wrong("clipped to ±1", r"clip|cut|limit|1")
def _(weights, gradient, learning_rate):
    return weights - learning_rate * np.clip(gradient, -1, 1)


@descent_step.wrong("with weight decay", r"decay|weights|smaller")
def _(weights, gradient, learning_rate):
    return weights - learning_rate * (gradient + 0.01 * weights)


@descent_step.wrong("in place", r"in place|copy|chang|read-only|own")
def _(weights, gradient, learning_rate):
    weights -= learning_rate * gradient
    return weights


# The region Q


@region_q.right("found by trying each output")
def _(pixel, kernel_size, output_size):
    meets = [
        [q for q in range(size) if 0 <= at - q < k] for at, k, size in zip(pixel, kernel_size, output_size, strict=True)
    ]
    return tuple(axis[0] for axis in meets), tuple(axis[-1] for axis in meets)


@region_q.right("clip")
def _(pixel, kernel_size, output_size):
    end = np.array(output_size) - 1
    return np.clip(np.subtract(pixel, kernel_size) + 1, 0, None), np.minimum(pixel, end)


@region_q.wrong("without + 1", r"one|\+ 1|too (many|early)|first")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    return (max(i - k1, 0), max(j - k2, 0)), (min(i, rows - 1), min(j, columns - 1))


@region_q.wrong("not cut at 0", r"negative|cut|0|border|outside")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    return (i - k1 + 1, j - k2 + 1), (min(i, rows - 1), min(j, columns - 1))


@region_q.wrong("not cut at the end", r"cut|end|last|border|outside|beyond")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, k2) = pixel, kernel_size
    return (max(i - k1 + 1, 0), max(j - k2 + 1, 0)), (i, j)


@region_q.wrong("forward instead of backward", r"forward|other (direction|way)|right|below|down|before")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    return (min(i, rows - 1), min(j, columns - 1)), (min(i + k1 - 1, rows - 1), min(j + k2 - 1, columns - 1))


@region_q.wrong("the pixel in the middle", r"middle|centre|center|half")
def _(pixel, kernel_size, output_size):
    first = [max(at - k // 2, 0) for at, k in zip(pixel, kernel_size, strict=True)]
    last = [min(at + k // 2, size - 1) for at, k, size in zip(pixel, kernel_size, output_size, strict=True)]
    return first, last


@region_q.wrong("ends that Python's slices take", r"last|one|exclu|slice|end|\+ 1")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    return (max(i - k1 + 1, 0), max(j - k2 + 1, 0)), (min(i + 1, rows), min(j + 1, columns))


@region_q.wrong("rows together, columns together", r"rows|order|first.*last|pair|exchang|arrang")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    return (max(i - k1 + 1, 0), min(i, rows - 1)), (max(j - k2 + 1, 0), min(j, columns - 1))


@region_q.wrong("k1 for the columns", r"column|k1|exchang|size")
def _(pixel, kernel_size, output_size):
    (i, j), (k1, _k2), (rows, columns) = pixel, kernel_size, output_size
    return (max(i - k1 + 1, 0), max(j - k1 + 1, 0)), (min(i, rows - 1), min(j, columns - 1))
