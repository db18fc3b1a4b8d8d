"""Answers that slide a kernel: cross-correlation, convolution, the turn, full convolution, region Q."""

from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

from answers.table import in_dtypes, right, wrong

# --- cross-correlation ------------------------------------------------------------------------------------------------


@right("cross_correlation", "four loops")
def correlate(image, kernel):
    H, W = image.shape
    k1, k2 = kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1), np.result_type(image, kernel))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    out[i, j] += image[i + m, j + n] * kernel[m, n]
    return out


@right("cross_correlation", "slices")
def _(image, kernel):
    k1, k2 = kernel.shape
    rows, columns = image.shape[0] - k1 + 1, image.shape[1] - k2 + 1
    return [[(image[i : i + k1, j : j + k2] * kernel).sum() for j in range(columns)] for i in range(rows)]


@right("cross_correlation", "windows and einsum")
def _(image, kernel):
    return np.einsum("ijmn,mn->ij", sliding_window_view(image, kernel.shape), kernel)


@right("cross_correlation", "scipy")
def _(image, kernel):
    return signal.correlate2d(image, kernel, mode="valid")


@right("cross_correlation", "Fractions in a generator of lists, no NumPy")
def _(image, kernel):
    I = [[Fraction(v) for v in row] for row in image]  # noqa: E741
    K = [[Fraction(v) for v in row] for row in kernel]
    return tuple(
        tuple(
            sum(I[i + m][j + n] * K[m][n] for m in range(len(K)) for n in range(len(K[0])))
            for j in range(len(I[0]) - len(K[0]) + 1)
        )
        for i in range(len(I) - len(K) + 1)
    )


@right("cross_correlation", "by the Fourier transform")
def _(image, kernel):
    shape = image.shape
    product = np.fft.rfft2(image) * np.conj(np.fft.rfft2(kernel, shape))
    return np.fft.irfft2(product, shape)[: shape[0] - kernel.shape[0] + 1, : shape[1] - kernel.shape[1] + 1]


@right("cross_correlation", "sums of slices")
def _(image, kernel):
    k1, k2 = kernel.shape
    rows, columns = image.shape[0] - k1 + 1, image.shape[1] - k2 + 1
    result = np.zeros((rows, columns))
    for m in range(k1):
        for n in range(k2):
            result += image[m : m + rows, n : n + columns] * kernel[m, n]
    return result


in_dtypes("cross_correlation", correlate)


@wrong("cross_correlation", "kernel flipped")
def reads_the_image_backwards(image, kernel):
    k1, k2 = kernel.shape
    H, W = image.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(k1 - 1, H):
        for j in range(k2 - 1, W):
            for m in range(k1):
                for n in range(k2):
                    out[i - k1 + 1, j - k2 + 1] += image[i - m, j - n] * kernel[m, n]
    return out


@wrong("cross_correlation", "kernel flipped along the rows only")
def reads_rows_backwards(image, kernel):
    k1, k2 = kernel.shape
    out = correlate(image, kernel) * 0
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for m in range(k1):
                for n in range(k2):
                    out[i, j] += image[i + k1 - 1 - m, j + n] * kernel[m, n]
    return out


@wrong("cross_correlation", "kernel flipped along the columns only")
def mirrors_the_kernel(image, kernel):
    return correlate(image, np.fliplr(kernel))


@wrong("cross_correlation", "kernel transposed")
def kernel_indices_swapped(image, kernel):
    k2, k1 = kernel.shape
    out = []
    for i in range(len(image) - k1 + 1):
        out.append([])
        for j in range(len(image[0]) - k2 + 1):
            out[-1].append(sum(image[i + m][j + n] * kernel[n][m] for m in range(k1) for n in range(k2)))
    return out


@wrong("cross_correlation", "full for valid")
def zeros_all_around(image, kernel):
    k1, k2 = kernel.shape
    return correlate(np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1))), kernel)


@wrong("cross_correlation", "same size for valid")
def as_large_as_the_image(image, kernel):
    out = np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    if i + m < image.shape[0] and j + n < image.shape[1]:
                        out[i, j] += image[i + m, j + n] * kernel[m, n]
    return out


@wrong("cross_correlation", "same size for valid")
def scipy_same(image, kernel):
    return signal.correlate2d(image, kernel, mode="same")


@wrong("cross_correlation", "wrapped around the border")
def modulo(image, kernel):
    H, W = image.shape
    out = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    out[i, j] += image[(i + m) % H, (j + n) % W] * kernel[m, n]
    return out


@wrong("cross_correlation", "last row and column left out")
def forgets_the_one(image, kernel):
    k1, k2 = kernel.shape
    out = np.zeros((image.shape[0] - k1, image.shape[1] - k2))
    for i in range(image.shape[0] - k1):
        for j in range(image.shape[1] - k2):
            out[i, j] = (image[i : i + k1, j : j + k2] * kernel).sum()
    return out


@wrong("cross_correlation", "mean for sum")
def mean_of_products(image, kernel):
    k1, k2 = kernel.shape
    rows, columns = image.shape[0] - k1 + 1, image.shape[1] - k2 + 1
    return [[np.mean(image[i : i + k1, j : j + k2] * kernel) for j in range(columns)] for i in range(rows)]


@wrong("cross_correlation", "product of sums for sum of products")
def sums_first(image, kernel):
    k1, k2 = kernel.shape
    rows, columns = image.shape[0] - k1 + 1, image.shape[1] - k2 + 1
    return [[image[i : i + k1, j : j + k2].sum() * kernel.sum() for j in range(columns)] for i in range(rows)]


@wrong("cross_correlation", "= for +=")
def assigns(image, kernel):
    k1, k2 = kernel.shape
    out = np.zeros((image.shape[0] - k1 + 1, image.shape[1] - k2 + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for m in range(k1):
                for n in range(k2):
                    out[i, j] = image[i + m, j + n] * kernel[m, n]
    return out


@wrong("cross_correlation", "transposed")
def result_transposed(image, kernel):
    k1, k2 = kernel.shape
    out = np.zeros((image.shape[1] - k2 + 1, image.shape[0] - k1 + 1))
    for i in range(out.shape[1]):
        for j in range(out.shape[0]):
            out[j, i] = np.sum(image[i : i + k1, j : j + k2] * kernel)
    return out


@wrong("cross_correlation", "windows side by side")
def steps_of_the_kernel(image, kernel):
    k1, k2 = kernel.shape
    return [
        [np.sum(image[i : i + k1, j : j + k2] * kernel) for j in range(0, image.shape[1] - k2 + 1, k2)]
        for i in range(0, image.shape[0] - k1 + 1, k1)
    ]


@wrong("cross_correlation", "full for valid", "kernel flipped")
def numpy_like_full_convolution(image, kernel):
    return signal.convolve2d(image, kernel)


@wrong("cross_correlation", "sums one short")
def loops_to_the_last_but_one(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i, j in np.ndindex(out.shape):
        for m in range(k1 - 1):
            for n in range(k2 - 1):
                out[i, j] += image[i + m, j + n] * kernel[m, n]
    return out


@wrong("cross_correlation", "kernel missing")
def sums_the_windows(image, kernel):
    return sliding_window_view(image, kernel.shape).sum((-1, -2))


@wrong("cross_correlation", "one row and column too many")
def slices_past_the_end(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 2, W - k2 + 2))
    for i, j in np.ndindex(out.shape):
        window = image[i : i + k1, j : j + k2]
        out[i, j] = np.sum(window * kernel[: window.shape[0], : window.shape[1]])
    return out


@wrong("cross_correlation", "window moved by one")
def counts_from_one(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape

    def pixel(i, j):
        return image[i, j] if i < H and j < W else 0

    return [
        [
            sum(pixel(i + m, j + n) * kernel[m - 1, n - 1] for m in range(1, k1 + 1) for n in range(1, k2 + 1))
            for j in range(W - k2 + 1)
        ]
        for i in range(H - k1 + 1)
    ]


@wrong("cross_correlation", "diagonal of the kernel only")
def one_index_for_two(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i, j in np.ndindex(out.shape):
        for m in range(min(k1, k2)):
            out[i, j] += image[i + m, j + m] * kernel[m, m]
    return out


@wrong("cross_correlation", "image flipped")
def image_from_the_end(image, kernel):
    return signal.correlate2d(image[::-1, ::-1], kernel, mode="valid")


@wrong("cross_correlation", "matrix product")
def at_for_star(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i, j in np.ndindex(out.shape):
        out[i, j] = (image[i : i + k1, j : j + k2] @ kernel.T).sum()
    return out


@wrong("cross_correlation", "matrix product")
def dot_of_the_other_transpose(image, kernel):
    k1, k2 = kernel.shape
    rows, columns = image.shape[0] - k1 + 1, image.shape[1] - k2 + 1
    return [[np.sum(np.dot(image[i : i + k1, j : j + k2].T, kernel)) for j in range(columns)] for i in range(rows)]


@wrong("cross_correlation", "image read backwards")
def minus_for_plus(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    out[i, j] += image[i - m, j - n] * kernel[m, n]
    return out


@wrong("cross_correlation", "image read backwards")
def minus_for_plus_and_zero_outside(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    return [
        [
            sum(image[i - m, j - n] * kernel[m, n] for m in range(min(k1, i + 1)) for n in range(min(k2, j + 1)))
            for j in range(W - k2 + 1)
        ]
        for i in range(H - k1 + 1)
    ]


# --- convolution ------------------------------------------------------------------------------------------------------


@right("convolution", "four loops")
def convolve(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1), image.dtype)
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    out[i, j] += image[i + k1 - 1 - m, j + k2 - 1 - n] * kernel[m, n]
    return out


@right("convolution", "turn and correlate")
def _(image, kernel):
    return correlate(image, np.rot90(kernel, 2))


@right("convolution", "the middle of the full one")
def _(image, kernel):
    k1, k2 = kernel.shape
    out = np.zeros((image.shape[0] + k1 - 1, image.shape[1] + k2 - 1))
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i : i + k1, j : j + k2] += image[i, j] * kernel
    return out[k1 - 1 : image.shape[0], k2 - 1 : image.shape[1]]


@right("convolution", "scipy")
def _(image, kernel):
    return signal.convolve2d(image, kernel, mode="valid")


in_dtypes("convolution", convolve)


@wrong("convolution", "flip missing")
def forgets_the_flip(image, kernel):
    return [
        [
            sum(image[i + m][j + n] * kernel[m][n] for m in range(kernel.shape[0]) for n in range(kernel.shape[1]))
            for j in range(image.shape[1] - kernel.shape[1] + 1)
        ]
        for i in range(image.shape[0] - kernel.shape[0] + 1)
    ]


@wrong("convolution", "only the rows flipped")
def flipud(image, kernel):
    return correlate(image, np.flipud(kernel))


@wrong("convolution", "only the columns flipped")
def minus_in_the_columns_only(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(k2 - 1, W):
            for m in range(k1):
                for n in range(k2):
                    out[i, j - k2 + 1] += image[i + m, j - n] * kernel[m, n]
    return out


@wrong("convolution", "image flipped for kernel")
def turns_the_image(image, kernel):
    return correlate(image[::-1, ::-1], kernel)


@wrong("convolution", "full for valid")
def the_default_of_scipy(image, kernel):
    return signal.convolve2d(image, kernel)


@wrong("convolution", "wrapped around the border")
def python_indices(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            out[i, j] = sum(image[i - m, j - n] * kernel[m, n] for m in range(k1) for n in range(k2))
    return out


@wrong("convolution", "wrapped around the border")
def python_indices_in_the_valid_shape(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            out[i, j] = sum(image[i - m, j - n] * kernel[m, n] for m in range(k1) for n in range(k2))
    return out


@wrong("convolution", "valid part off by k − 1")
def starts_at_zero(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    if i >= m and j >= n:
                        out[i, j] += image[i - m, j - n] * kernel[m, n]
    return out


@wrong("convolution", "Eq. 3 as printed")
def eq_3_literally(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape

    def K(m, n):
        return kernel[m, n] if 0 <= m < k1 and 0 <= n < k2 else 0

    return [
        [sum(image[i + m, j + n] * K(-m, -n) for m in range(k1) for n in range(k2)) for j in range(W - k2 + 1)]
        for i in range(H - k1 + 1)
    ]


@wrong("convolution", "Eq. 3 with Python's negative indices")
def eq_3_in_python(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    return [
        [sum(image[i + m, j + n] * kernel[-m, -n] for m in range(k1) for n in range(k2)) for j in range(W - k2 + 1)]
        for i in range(H - k1 + 1)
    ]


@wrong("convolution", "mean for sum")
def averages(image, kernel):
    return convolve(image, kernel) / len(kernel.ravel())


@wrong("convolution", "result flipped for kernel")
def the_result_turned(image, kernel):
    return np.rot90(correlate(image, kernel), 2)


@wrong("convolution", "flip missing", "transposed")
def neither_flipped_nor_upright(image, kernel):
    return correlate(image, kernel).T


@wrong("convolution", "flip missing")
def turns_twice(image, kernel):
    return signal.convolve2d(image, np.flip(kernel), mode="valid")


@wrong("convolution", "wrapped around the border")
def product_of_spectra(image, kernel):
    return np.fft.ifft2(np.fft.fft2(image) * np.fft.fft2(kernel, image.shape)).real


@wrong("convolution", "sums one short")
def loops_from_one(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    return [
        [sum(image[i - m, j - n] * kernel[m, n] for m in range(1, k1) for n in range(k2)) for j in range(k2 - 1, W)]
        for i in range(k1 - 1, H)
    ]


@wrong("convolution", "kernel transposed")
def transpose_for_flip(image, kernel):
    return signal.correlate2d(image, kernel.T, mode="valid")


@wrong("convolution", "same size for valid")
def scipy_same_convolution(image, kernel):
    return signal.convolve2d(image, kernel, mode="same")


@wrong("convolution", "last row and column left out")
def forgets_the_one_in_the_shape(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    turned = np.rot90(kernel, 2)
    return [[np.sum(image[i : i + k1, j : j + k2] * turned) for j in range(W - k2)] for i in range(H - k1)]


@wrong("convolution", "product of sums for sum of products")
def sum_times_sum(image, kernel):
    return sliding_window_view(image, kernel.shape).sum((-1, -2)) * kernel.sum()


@wrong("convolution", "kernel missing")
def window_sums(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    return [[np.sum(image[i : i + k1, j : j + k2]) for j in range(W - k2 + 1)] for i in range(H - k1 + 1)]


@wrong("convolution", "= for +=")
def convolution_assigns(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    out = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(k1 - 1, H):
        for j in range(k2 - 1, W):
            for m, n in np.ndindex(kernel.shape):
                out[i - k1 + 1, j - k2 + 1] = image[i - m, j - n] * kernel[m, n]
    return out


# --- rot180 -----------------------------------------------------------------------------------------------------------


@right("rot180", "slices")
def turn(kernel):
    return kernel[::-1, ::-1]


@right("rot180", "loops over lists")
def _(kernel):
    k1, k2 = len(kernel), len(kernel[0])
    return [[kernel[k1 - 1 - m][k2 - 1 - n] for n in range(k2)] for m in range(k1)]


@right("rot180", "rot90 twice")
def _(kernel):
    return np.rot90(np.rot90(kernel))


@right("rot180", "reversed in one dimension")
def _(kernel):
    return kernel.ravel()[::-1].reshape(kernel.shape)


@right("rot180", "reversed lists")
def _(kernel):
    return [list(reversed(row)) for row in reversed(kernel.tolist())]


in_dtypes("rot180", turn)


@wrong("rot180", "only the rows flipped")
def upside_down(kernel):
    return kernel[::-1]


@wrong("rot180", "only the columns flipped")
def each_row_reversed(kernel):
    return [list(row)[::-1] for row in kernel]


@wrong("rot180", "transposed")
def transposes(kernel):
    return [[kernel[m][n] for m in range(len(kernel))] for n in range(len(kernel[0]))]


@wrong("rot180", "turned by 90°")
def rot90(kernel):
    return np.rot90(kernel)


@wrong("rot180", "turned by 90°")
def clockwise(kernel):
    return [list(column) for column in zip(*kernel[::-1].tolist(), strict=True)]


@wrong("rot180", "not turned")
def flips_twice(kernel):
    return np.flipud(np.flipud(kernel))


@wrong("rot180", "off by one")
def minus_m(kernel):
    out = kernel.copy()
    for m in range(kernel.shape[0]):
        for n in range(kernel.shape[1]):
            out[m, n] = kernel[-m, -n]
    return out


@wrong("rot180", "sorted for reversed")
def sorts(kernel):
    return np.array(sorted(kernel.ravel(), reverse=True)).reshape(kernel.shape)


# --- full convolution -------------------------------------------------------------------------------------------------


@right("full_convolution", "scatter")
def scatter(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1), np.result_type(delta, kernel))
    for i in range(rows):
        for j in range(columns):
            for m in range(k1):
                for n in range(k2):
                    out[i + m, j + n] += delta[i, j] * kernel[m, n]
    return out


@right("full_convolution", "gather with a question at the border")
def _(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows + k1 - 1):
        for j in range(columns + k2 - 1):
            for m in range(k1):
                for n in range(k2):
                    if 0 <= i - m < rows and 0 <= j - n < columns:
                        out[i, j] += delta[i - m, j - n] * kernel[m, n]
    return out


@right("full_convolution", "pad, turn, correlate")
def _(delta, kernel):
    k1, k2 = kernel.shape
    return correlate(np.pad(delta, ((k1 - 1,) * 2, (k2 - 1,) * 2)), kernel[::-1, ::-1])


@right("full_convolution", "scipy")
def _(delta, kernel):
    return signal.convolve2d(delta, kernel)


@right("full_convolution", "a sum of shifted maps")
def _(delta, kernel):
    k1, k2 = kernel.shape
    shifts = [w * np.pad(delta, ((m, k1 - 1 - m), (n, k2 - 1 - n))) for (m, n), w in np.ndenumerate(kernel)]
    return sum(shifts)


@right("full_convolution", "as a polynomial product, row by row")
def _(delta, kernel):
    out = np.zeros((len(delta) + len(kernel) - 1, delta.shape[1] + kernel.shape[1] - 1))
    for i, row in enumerate(delta):
        for m, weights in enumerate(kernel):
            out[i + m] += np.convolve(row, weights)
    return out


@right("full_convolution", "scatter of slices")
def _(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows):
        for j in range(columns):
            out[i : i + k1, j : j + k2] += delta[i, j] * kernel
    return out


in_dtypes("full_convolution", scatter)


@wrong("full_convolution", "flip missing")
def pads_and_forgets_the_turn(delta, kernel):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    out = np.zeros((padded.shape[0] - k1 + 1, padded.shape[1] - k2 + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.sum(padded[i : i + k1, j : j + k2] * kernel)
    return out


@wrong("full_convolution", "flip missing")
def turns_and_convolves(delta, kernel):
    return signal.convolve2d(delta, np.rot90(kernel, 2))


@wrong("full_convolution", "only the rows flipped")
def turns_the_rows(delta, kernel):
    return signal.correlate2d(delta, kernel[::-1])


@wrong("full_convolution", "only the columns flipped")
def turns_the_columns(delta, kernel):
    return signal.correlate2d(delta, kernel[:, ::-1])


@wrong("full_convolution", "valid for full")
def valid(delta, kernel):
    return signal.convolve2d(delta, kernel, mode="valid")


@wrong("full_convolution", "same size for full")
def same(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for m in range(k1):
                for n in range(k2):
                    if i - m >= 0 and j - n >= 0:
                        out[i, j] += delta[i - m, j - n] * kernel[m, n]
    return out


@wrong("full_convolution", "Eq. 21 as printed")
def eq_21(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape

    def d(i, j):
        return delta[i, j] if 0 <= i < rows and 0 <= j < columns else 0

    total = [
        [sum(d(i + m, j + n) * kernel[m, n] for m in range(k1) for n in range(k2)) for j in range(1 - k2, columns)]
        for i in range(1 - k1, rows)
    ]
    return np.rot90(total, 2)


@wrong("full_convolution", "wrapped around the border")
def negative_indices(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows + k1 - 1):
        for j in range(columns + k2 - 1):
            for m in range(k1):
                for n in range(k2):
                    if i - m < rows and j - n < columns:
                        out[i, j] += delta[i - m, j - n] * kernel[m, n]
    return out


@wrong("full_convolution", "wrapped around the border")
def modulo_of_the_map(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows + k1 - 1):
        for j in range(columns + k2 - 1):
            for m in range(k1):
                for n in range(k2):
                    out[i, j] += delta[(i - m) % rows, (j - n) % columns] * kernel[m, n]
    return out


@wrong("full_convolution", "= for +=")
def scatter_replaces(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows):
        for j in range(columns):
            out[i : i + k1, j : j + k2] = delta[i, j] * kernel
    return out


@wrong("full_convolution", "= for +=")
def gather_replaces(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows + k1 - 1):
        for j in range(columns + k2 - 1):
            for m in range(k1):
                for n in range(k2):
                    if 0 <= i - m < rows and 0 <= j - n < columns:
                        out[i, j] = delta[i - m, j - n] * kernel[m, n]
    return out


@wrong("full_convolution", "padding off by k − 1")
def pads_by_k(delta, kernel):
    k1, k2 = kernel.shape
    return correlate(np.pad(delta, ((k1, k1), (k2, k2))), kernel[::-1, ::-1])


@wrong("full_convolution", "padding off by k − 1")
def pads_by_one(delta, kernel):
    return correlate(np.pad(delta, 1), kernel[::-1, ::-1])


@wrong("full_convolution", "product of sums for sum of products")
def multiplies_sums(delta, kernel):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    out = np.zeros((padded.shape[0] - k1 + 1, padded.shape[1] - k2 + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = padded[i : i + k1, j : j + k2].sum() * kernel.sum()
    return out


@wrong("full_convolution", "kernel transposed")
def transpose_for_turn(delta, kernel):
    return scatter(delta, kernel.T)


@wrong("full_convolution", "kernel transposed")
def transpose_for_turn_after_padding(image, kernel):
    k1, k2 = kernel.shape
    return correlate(np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1))), kernel.T)


@wrong("full_convolution", "flip missing")
def scatters_the_turned_kernel(delta, kernel):
    return scatter(delta, kernel[::-1, ::-1])


@wrong("full_convolution", "= for +=")
def shifts_replace(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for m in range(k1):
        for n in range(k2):
            out[m : m + rows, n : n + columns] = kernel[m, n] * delta
    return out


@wrong("full_convolution", "border repeated")
def pads_with_the_edge(delta, kernel):
    k1, k2 = kernel.shape
    return correlate(np.pad(delta, ((k1 - 1,) * 2, (k2 - 1,) * 2), mode="edge"), kernel[::-1, ::-1])


@wrong("full_convolution", "mean for sum")
def mean_of_the_gathered(delta, kernel):
    k1, k2 = kernel.shape
    windows = sliding_window_view(np.pad(delta, ((k1 - 1,) * 2, (k2 - 1,) * 2)), (k1, k2))
    return (windows * kernel[::-1, ::-1]).mean((-1, -2))


@wrong("full_convolution", "kernel missing")
def spreads_delta_alone(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i, j in np.ndindex(delta.shape):
        out[i : i + k1, j : j + k2] += delta[i, j]
    return out


@wrong("full_convolution", "sums one short")
def scatters_all_but_the_last(delta, kernel):
    (rows, columns), (k1, k2) = delta.shape, kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1))
    for i in range(rows - 1):
        for j in range(columns - 1):
            out[i : i + k1, j : j + k2] += delta[i, j] * kernel
    return out


# --- region Q ---------------------------------------------------------------------------------------------------------


@right("region_q", "max and min")
def region(pixel, kernel_size, output_size):
    i, j = pixel
    first = max(0, i - kernel_size[0] + 1), max(0, j - kernel_size[1] + 1)
    last = min(output_size[0] - 1, i), min(output_size[1] - 1, j)
    return first, last


@right("region_q", "by asking every output")
def asks_every_output(pixel, kernel_size, output_size):
    found = [
        (i, j)
        for i in range(output_size[0])
        for j in range(output_size[1])
        if i <= pixel[0] < i + kernel_size[0] and j <= pixel[1] < j + kernel_size[1]
    ]
    return [list(found[0]), list(found[-1])]


@right("region_q", "np.clip")
def _(pixel, kernel_size, output_size):
    p, k, n = np.array(pixel), np.array(kernel_size), np.array(output_size)
    return np.array([np.clip(p - k + 1, 0, n - 1), np.clip(p, 0, n - 1)])


@right("region_q", "in float32")
def _(*given):
    return np.array(region(*given), np.float32)


@right("region_q", "lists of floats")
def _(*given):
    return [[float(n) for n in corner] for corner in region(*given)]


@wrong("region_q", "Q not clipped")
def no_border(pixel, kernel_size, output_size):
    return (pixel[0] - kernel_size[0] + 1, pixel[1] - kernel_size[1] + 1), pixel


@wrong("region_q", "Q clipped at one end only")
def clips_below_zero_only(pixel, kernel_size, output_size):
    return (max(pixel[0] - kernel_size[0] + 1, 0), max(pixel[1] - kernel_size[1] + 1, 0)), pixel


@wrong("region_q", "Q clipped at one end only")
def clips_the_end_only(pixel, kernel_size, output_size):
    first = (pixel[0] - kernel_size[0] + 1, pixel[1] - kernel_size[1] + 1)
    return first, (min(pixel[0], output_size[0] - 1), min(pixel[1], output_size[1] - 1))


@wrong("region_q", "Q wrapped around")
def goes_round(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    return ((i - k1 + 1) % rows, (j - k2 + 1) % columns), (i % rows, j % columns)


@wrong("region_q", "window for region")
def forwards(pixel, kernel_size, output_size):
    last = [min(p + k - 1, n - 1) for p, k, n in zip(pixel, kernel_size, output_size, strict=True)]
    return [p for p in pixel], last


@wrong("region_q", "off by one")
def one_too_early(pixel, kernel_size, output_size):
    last = region(pixel, kernel_size, output_size)[1]
    return [max(pixel[0] - kernel_size[0], 0), max(pixel[1] - kernel_size[1], 0)], last


@wrong("region_q", "off by one")
def forgets_both_ones(pixel, kernel_size, output_size):
    first = [max(p - k, 0) for p, k in zip(pixel, kernel_size, strict=True)]
    return first, [min(p, n) for p, n in zip(pixel, output_size, strict=True)]


@wrong("region_q", "off by one")
def one_less_at_both_ends(pixel, kernel_size, output_size):
    first = [max(p - k, 0) for p, k in zip(pixel, kernel_size, strict=True)]
    return first, [min(p - 1, n - 1) for p, n in zip(pixel, output_size, strict=True)]


@wrong("region_q", "end not included")
def as_a_slice(pixel, kernel_size, output_size):
    first, last = region(pixel, kernel_size, output_size)
    return first, (last[0] + 1, last[1] + 1)


@wrong("region_q", "rows and columns swapped")
def x_before_y(pixel, kernel_size, output_size):
    (a, b), (c, d) = region(pixel, kernel_size, output_size)
    return (b, a), (d, c)


@wrong("region_q", "corners transposed")
def ranges(pixel, kernel_size, output_size):
    (a, b), (c, d) = region(pixel, kernel_size, output_size)
    return (a, c), (b, d)


@wrong("region_q", "size for end")
def corner_and_size(pixel, kernel_size, output_size):
    (a, b), (c, d) = region(pixel, kernel_size, output_size)
    return (a, b), (c - a + 1, d - b + 1)


@wrong("region_q", "centred on the pixel")
def half_a_kernel_each_way(pixel, kernel_size, output_size):
    halves = [k // 2 for k in kernel_size]
    first = [max(p - half, 0) for p, half in zip(pixel, halves, strict=True)]
    return first, [min(p + half, n - 1) for p, half, n in zip(pixel, halves, output_size, strict=True)]


@wrong("region_q", "pixel for region")
def its_own_index(pixel, kernel_size, output_size):
    return pixel, [min(p, n - 1) for p, n in zip(pixel, output_size, strict=True)]


# --- a quarter of a turn ----------------------------------------------------------------------------------------------


@wrong("cross_correlation", "kernel turned by 90°")
def correlates_with_a_quarter_turn(image, kernel):
    return correlate(image, np.rot90(kernel))


@wrong("convolution", "kernel turned by 90°")
def rot90_once(image, kernel):
    return correlate(image, np.rot90(kernel))


@wrong("full_convolution", "kernel turned by 90°")
def pads_for_the_kernel_that_rot90_gives(image, kernel):
    turned = np.rot90(kernel)
    k1, k2 = turned.shape
    return correlate(np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1))), turned)
