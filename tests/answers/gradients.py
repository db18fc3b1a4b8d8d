"""Answers about a layer's gradients."""

import itertools

import numpy as np
from scipy import signal

from answers.sliding import correlate, scatter
from answers.table import in_dtypes, right, wrong

# --- kernel gradient --------------------------------------------------------------------------------------------------


@right("kernel_gradient", "Eq. 13 in loops")
def kernel_gradient(inputs, delta):
    (H, W), (rows, columns) = inputs.shape, delta.shape
    dw = np.zeros((H - rows + 1, W - columns + 1), inputs.dtype)
    for m in range(H - rows + 1):
        for n in range(W - columns + 1):
            for i in range(rows):
                for j in range(columns):
                    dw[m, n] += delta[i, j] * inputs[i + m, j + n]
    return dw


@right("kernel_gradient", "window by window")
def _(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return sum(delta[i, j] * inputs[i : i + k1, j : j + k2] for i, j in np.ndindex(delta.shape))


@right("kernel_gradient", "Eq. 14 with a true convolution")
def _(inputs, delta):
    return signal.convolve2d(inputs, delta[::-1, ::-1], mode="valid")


@right("kernel_gradient", "lists")
def _(inputs, delta):
    o, d = inputs.tolist(), delta.tolist()
    return [
        [
            sum(d[i][j] * o[i + m][j + n] for i in range(len(d)) for j in range(len(d[0])))
            for n in range(len(o[0]) - len(d[0]) + 1)
        ]
        for m in range(len(o) - len(d) + 1)
    ]


@right("kernel_gradient", "central differences")
def _(inputs, delta):
    shape = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    out = np.zeros(shape)
    for place in np.ndindex(shape):
        nudge = np.zeros(shape)
        nudge[place] = 1e-4
        errors = [np.sum(delta * correlate(inputs, w)) for w in (1 + nudge, 1 - nudge)]
        out[place] = (errors[0] - errors[1]) / 2e-4
    return out


in_dtypes("kernel_gradient", kernel_gradient)


@wrong("kernel_gradient", "delta turned by 180°")
def the_figure(inputs, delta):
    (H, W), (rows, columns) = inputs.shape, delta.shape
    dw = np.zeros((H - rows + 1, W - columns + 1))
    for m in range(H - rows + 1):
        for n in range(W - columns + 1):
            for i in range(rows):
                for j in range(columns):
                    dw[m, n] += delta[rows - 1 - i, columns - 1 - j] * inputs[i + m, j + n]
    return dw


@wrong("kernel_gradient", "result turned by 180°")
def for_a_forward_pass_that_flips(inputs, delta):
    return kernel_gradient(inputs, delta)[::-1, ::-1]


@wrong("kernel_gradient", "delta flipped along the rows only")
def flips_rows_of_delta(inputs, delta):
    return kernel_gradient(inputs, np.flipud(delta))


@wrong("kernel_gradient", "delta flipped along the columns only")
def flips_columns_of_delta(inputs, delta):
    return kernel_gradient(inputs, np.fliplr(delta))


@wrong("kernel_gradient", "transposed")
def n_before_m(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    dw = np.zeros((k2, k1))
    for m in range(k1):
        for n in range(k2):
            dw[n, m] = np.sum(delta * inputs[m : m + delta.shape[0], n : n + delta.shape[1]])
    return dw


@wrong("kernel_gradient", "full for valid")
def full(inputs, delta):
    return signal.correlate2d(inputs, delta, mode="full")


@wrong("kernel_gradient", "mean for sum")
def mean_over_places(inputs, delta):
    rows, columns = delta.shape
    k1, k2 = inputs.shape[0] - rows + 1, inputs.shape[1] - columns + 1
    return [[np.mean(delta * inputs[m : m + rows, n : n + columns]) for n in range(k2)] for m in range(k1)]


@wrong("kernel_gradient", "product of sums for sum of products")
def sum_times_sum(inputs, delta):
    rows, columns = delta.shape
    k1, k2 = inputs.shape[0] - rows + 1, inputs.shape[1] - columns + 1
    return [[delta.sum() * inputs[m : m + rows, n : n + columns].sum() for n in range(k2)] for m in range(k1)]


@wrong("kernel_gradient", "= for +=")
def keeps_the_last_window(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    dw = np.zeros((k1, k2))
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            dw = delta[i, j] * inputs[i : i + k1, j : j + k2]
    return dw


@wrong("kernel_gradient", "opposite sign")
def minus(inputs, delta):
    return -kernel_gradient(inputs, delta)


@wrong("kernel_gradient", "delta missing")
def without_delta(inputs, delta):
    rows, columns = delta.shape
    k1, k2 = inputs.shape[0] - rows + 1, inputs.shape[1] - columns + 1
    return [[inputs[m : m + rows, n : n + columns].sum() for n in range(k2)] for m in range(k1)]


@wrong("kernel_gradient", "delta turned by 180°", "mean for sum")
def figure_and_mean(inputs, delta):
    return signal.convolve2d(inputs, delta, mode="valid") / delta.shape[0] / delta.shape[1]


@wrong("kernel_gradient", "delta turned by 180°", "transposed")
def figure_and_transposed(inputs, delta):
    return correlate(inputs, delta[::-1, ::-1]).T


@wrong("kernel_gradient", "delta turned by 180°", "opposite sign")
def figure_and_minus(inputs, delta):
    return 0 - correlate(inputs, np.rot90(delta, 2))


@wrong("kernel_gradient", "sums one short")
def leaves_out_the_last_delta(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    out = np.zeros((k1, k2))
    for i in range(delta.shape[0] - 1):
        for j in range(delta.shape[1] - 1):
            out += delta[i, j] * inputs[i : i + k1, j : j + k2]
    return out


@wrong("kernel_gradient", "inputs turned by 180°")
def input_from_the_end(inputs, delta):
    return signal.correlate2d(np.rot90(inputs, 2), delta, mode="valid")


@wrong("kernel_gradient", "first place only")
def only_the_first_output(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return [[delta[0, 0] * inputs[m, n] for n in range(k2)] for m in range(k1)]


@wrong("kernel_gradient", "diagonal of δ only")
def i_for_both(inputs, delta):
    k1, k2 = inputs.shape[0] - delta.shape[0] + 1, inputs.shape[1] - delta.shape[1] + 1
    return sum(delta[i, i] * inputs[i : i + k1, i : i + k2] for i in range(min(delta.shape)))


@wrong("kernel_gradient", "wrapped around the border")
def modulo_of_the_input(inputs, delta):
    (H, W), out = inputs.shape, np.zeros(inputs.shape)
    for m, n in np.ndindex(H, W):
        for i, j in np.ndindex(delta.shape):
            out[m, n] += delta[i, j] * inputs[(i + m) % H, (j + n) % W]
    return out


# --- bias gradient ----------------------------------------------------------------------------------------------------


@right("bias_gradient", "a sum over three axes")
def bias_gradient(delta):
    return delta.sum((0, 1, 2))


@right("bias_gradient", "loops")
def _(delta):
    N, rows, columns, D = delta.shape
    db = [0] * D
    for n in range(N):
        for i in range(rows):
            for j in range(columns):
                for d in range(D):
                    db[d] += delta[n][i][j][d]
    return db


@right("bias_gradient", "reshape")
def _(delta):
    return delta.reshape(-1, delta.shape[-1]).sum(axis=0)


@right("bias_gradient", "einsum")
def _(delta):
    return np.einsum("nijd->d", delta)


@right("bias_gradient", "a product with ones")
def _(delta):
    return np.ones(delta[..., 0].size) @ delta.reshape(-1, delta.shape[3])


in_dtypes("bias_gradient", bias_gradient)


@wrong("bias_gradient", "mean for sum")
def mean_over_all(delta):
    return delta.mean(axis=(0, 1, 2))


@wrong("bias_gradient", "mean for sum")
def mean_over_the_batch(delta):
    return delta.sum((1, 2)).mean(0)


@wrong("bias_gradient", "mean for sum")
def mean_over_positions(delta):
    return sum(delta[n].mean(axis=(0, 1)) for n in range(len(delta)))


@wrong("bias_gradient", "bias gradient per position")
def keeps_positions(delta):
    db = np.zeros(delta.shape[1:])
    for one in delta:
        db += one
    return db


@wrong("bias_gradient", "bias gradient per position")
def delta_itself(delta):
    return delta


@wrong("bias_gradient", "one bias gradient per image")
def keeps_images(delta):
    return [[delta[n, :, :, d].sum() for d in range(delta.shape[3])] for n in range(delta.shape[0])]


@wrong("bias_gradient", "one number for all filters")
def one_number(delta):
    return np.sum(delta)


@wrong("bias_gradient", "summed over the wrong axis")
def sums_filters(delta):
    return delta.sum(axis=-1)


@wrong("bias_gradient", "summed over the wrong axis")
def thinks_of_channels_first(delta):
    return delta.sum(axis=(0, 2, 3))


@wrong("bias_gradient", "first image only")
def one_image(delta):
    return delta[0].sum(axis=0).sum(axis=0)


@wrong("bias_gradient", "= for +=")
def forgets_plus(delta):
    db = np.zeros(delta.shape[3])
    for n in range(delta.shape[0]):
        for d in range(delta.shape[3]):
            db[d] = delta[n, :, :, d].sum()
    return db


@wrong("bias_gradient", "= for +=")
def keeps_the_last_row(delta):
    for image in delta:
        for row in image:
            db = row.sum(0)
    return db


@wrong("bias_gradient", "delta missing")
def counts(delta):
    return [delta.shape[0] * delta.shape[1] * delta.shape[2]] * delta.shape[3]


@wrong("bias_gradient", "opposite sign")
def subtracts(delta):
    db = np.zeros(delta.shape[3])
    for place in np.ndindex(delta.shape[:3]):
        db -= delta[place]
    return db


@wrong("bias_gradient", "summed over one axis too few")
def keeps_the_columns(delta):
    return delta.sum(axis=(0, 1))


@wrong("bias_gradient", "absolute values")
def magnitudes(delta):
    return [np.abs(delta[..., d]).sum() for d in range(delta.shape[-1])]


# --- strided input gradient -------------------------------------------------------------------------------------------


@right("strided_input_gradient", "scatter into the padded input")
def strided(delta, kernel, input_size, stride, padding):
    (H, W), (s1, s2), (p1, p2), (k1, k2) = input_size, stride, padding, kernel.shape
    out = np.zeros((H + 2 * p1, W + 2 * p2), delta.dtype)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            out[i * s1 : i * s1 + k1, j * s2 : j * s2 + k2] += delta[i, j] * kernel
    return out[p1 : p1 + H, p2 : p2 + W]


@right("strided_input_gradient", "pixel by pixel")
def _(delta, kernel, input_size, stride, padding):
    out = np.zeros(input_size)
    for row, column in np.ndindex(*input_size):
        for m, n in np.ndindex(kernel.shape):
            i, above = divmod(row + padding[0] - m, stride[0])
            j, left = divmod(column + padding[1] - n, stride[1])
            if above == left == 0 and 0 <= i < delta.shape[0] and 0 <= j < delta.shape[1]:
                out[row, column] += delta[i, j] * kernel[m, n]
    return out


@right("strided_input_gradient", "zeros between, correlate with the turned kernel")
def _(delta, kernel, input_size, stride, padding):
    (H, W), (s1, s2), (p1, p2), (k1, k2) = input_size, stride, padding, kernel.shape
    spread = np.zeros((H + 2 * p1 + k1 - 1, W + 2 * p2 + k2 - 1))
    spread[k1 - 1 :: s1, k2 - 1 :: s2][: delta.shape[0], : delta.shape[1]] = delta
    return correlate(spread, np.rot90(kernel, 2))[p1 : p1 + H, p2 : p2 + W]


@right("strided_input_gradient", "lists")
def _(delta, kernel, input_size, stride, padding):
    out = [[0] * input_size[1] for _ in range(input_size[0])]
    for i, j, m, n in itertools.product(*map(range, (*delta.shape, *kernel.shape))):
        row, column = i * stride[0] + m - padding[0], j * stride[1] + n - padding[1]
        if 0 <= row < input_size[0] and 0 <= column < input_size[1]:
            out[row][column] += delta[i][j] * kernel[m][n]
    return out


in_dtypes("strided_input_gradient", strided)


def spread(delta, stride):
    out = np.zeros((stride[0] * (delta.shape[0] - 1) + 1, stride[1] * (delta.shape[1] - 1) + 1))
    out[:: stride[0], :: stride[1]] = delta
    return out


@wrong("strided_input_gradient", "flip missing")
def strided_without_turn(delta, kernel, input_size, stride, padding):
    return strided(delta, np.rot90(kernel, 2), input_size, stride, padding)


@wrong("strided_input_gradient", "zeros not put in")
def as_with_stride_1(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    if i + m < out.shape[0] and j + n < out.shape[1]:
                        out[i + m, j + n] += delta[i, j] * kernel[m, n]
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "stride kept in the backward pass")
def strides_backwards(delta, kernel, input_size, stride, padding):
    return scatter(delta, kernel)[:: stride[0], :: stride[1]]


@wrong("strided_input_gradient", "padding not removed")
def leaves_the_padding(delta, kernel, input_size, stride, padding):
    (H, W), (s1, s2), (p1, p2), (k1, k2) = input_size, stride, padding, kernel.shape
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            out[i * s1 : i * s1 + k1, j * s2 : j * s2 + k2] += delta[i, j] * kernel
    return out


@wrong("strided_input_gradient", "padding removed at the wrong side")
def takes_the_padding_off_the_end(delta, kernel, input_size, stride, padding):
    return leaves_the_padding(delta, kernel, input_size, stride, padding)[: input_size[0], : input_size[1]]


@wrong("strided_input_gradient", "padding of zero cut as -0")
def cuts_with_negative_ends(delta, kernel, input_size, stride, padding):
    return leaves_the_padding(delta, kernel, input_size, stride, padding)[
        padding[0] : -padding[0], padding[1] : -padding[1]
    ]


@wrong("strided_input_gradient", "uncovered pixels left out")
def ends_with_the_last_window(delta, kernel, input_size, stride, padding):
    covered = signal.convolve2d(spread(delta, stride), kernel)
    (H, W), (p1, p2) = covered.shape, padding
    return covered[p1 : H - p1, p2 : W - p2]


@wrong("strided_input_gradient", "delta repeated for spread")
def upsamples(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    large = signal.convolve2d(np.kron(delta, np.ones(stride)), kernel)
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    h, w = min(large.shape[0], len(out)), min(large.shape[1], out.shape[1])
    out[:h, :w] = large[:h, :w]
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "= for +=")
def overlap_replaces(delta, kernel, input_size, stride, padding):
    (H, W), (s1, s2), (p1, p2), (k1, k2) = input_size, stride, padding, kernel.shape
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            out[i * s1 : i * s1 + k1, j * s2 : j * s2 + k2] = delta[i, j] * kernel
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "= for +=")
def gathers_with_equals(delta, kernel, input_size, stride, padding):
    (H, W), (s1, s2), (p1, p2), (k1, k2) = input_size, stride, padding, kernel.shape
    spread = np.zeros((H + 2 * p1 + k1 - 1, W + 2 * p2 + k2 - 1))
    for i, j in np.ndindex(delta.shape):
        spread[k1 - 1 + i * s1, k2 - 1 + j * s2] = delta[i, j]
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    for i, j in np.ndindex(out.shape):
        for m, n in np.ndindex(k1, k2):
            out[i, j] = spread[i + m, j + n] * kernel[k1 - 1 - m, k2 - 1 - n]
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "flip missing", "padding not removed")
def neither_turn_nor_crop(delta, kernel, input_size, stride, padding):
    return leaves_the_padding(delta, kernel[::-1, ::-1], input_size, stride, padding)


@wrong("strided_input_gradient", "zeros not put in", "padding not removed")
def neither_zeros_nor_crop(delta, kernel, input_size, stride, padding):
    return scatter(delta, kernel)


@wrong("strided_input_gradient", "only the columns flipped")
def spreads_the_kernel_with_its_rows_reversed(delta, kernel, input_size, stride, padding):
    """The same numbers as those of w[:, ::-1] slid over δ with its zeros."""
    return strided(delta, kernel[::-1], input_size, stride, padding)


@wrong("strided_input_gradient", "only the rows flipped")
def slides_with_the_rows_reversed(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    back = signal.correlate2d(spread(delta, stride), kernel[::-1])
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    out[: back.shape[0], : back.shape[1]] = back
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "kernel transposed")
def spreads_the_transpose(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    back = signal.convolve2d(spread(delta, stride), kernel.T)
    out = np.zeros((H + 2 * p1 + kernel.size, W + 2 * p2 + kernel.size))
    out[: back.shape[0], : back.shape[1]] = back
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "wrong number of zeros between")
def s_zeros_between(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    back = signal.convolve2d(spread(delta, (stride[0] + 1, stride[1] + 1)), kernel)
    out = np.zeros((back.shape[0] + H, back.shape[1] + W))
    out[: back.shape[0], : back.shape[1]] = back
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "padding removed on one side only")
def cuts_the_top_and_left(delta, kernel, input_size, stride, padding):
    with_padding = input_size[0] + 2 * padding[0], input_size[1] + 2 * padding[1]
    return strided(delta, kernel, with_padding, stride, (0, 0))[padding[0] :, padding[1] :]


@wrong("strided_input_gradient", "uncovered pixels at the wrong end")
def aligns_at_the_end(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    back = signal.convolve2d(spread(delta, stride), kernel)
    out = np.zeros((H + 2 * p1, W + 2 * p2))
    out[out.shape[0] - back.shape[0] :, out.shape[1] - back.shape[1] :] = back
    return out[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "rows and columns swapped")
def reads_the_padding_backwards(delta, kernel, input_size, stride, padding):
    (H, W), (p2, p1) = input_size, padding
    back = np.zeros((40, 40))
    covered = signal.convolve2d(spread(delta, stride), kernel)
    back[: covered.shape[0], : covered.shape[1]] = covered
    return back[p1 : p1 + H, p2 : p2 + W]


@wrong("strided_input_gradient", "product of sums for sum of products")
def spreads_the_sum_of_the_kernel(delta, kernel, input_size, stride, padding):
    return strided(delta, np.full(kernel.shape, kernel.sum()), input_size, stride, padding)


@wrong("strided_input_gradient", "mean for sum")
def divides_by_the_kernel(delta, kernel, input_size, stride, padding):
    return strided(delta, kernel, input_size, stride, padding) / kernel.size


# --- channels ---------------------------------------------------------------------------------------------------------


@right("multichannel_input_gradient", "loops")
def input_gradient(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C), delta.dtype)
    for n, i, j in np.ndindex(N, rows, columns):
        for d in range(D):
            for a in range(k1):
                for b in range(k2):
                    for c in range(C):
                        out[n, i + a, j + b, c] += delta[n, i, j, d] * kernel[a, b, c, d]
    return out


@right("multichannel_input_gradient", "a matrix product per place")
def _(delta, kernel):
    (N, rows, columns, _), (k1, k2, C, _) = delta.shape, kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for a in range(k1):
        for b in range(k2):
            out[:, a : a + rows, b : b + columns] += delta @ kernel[a, b].T
    return out


@right("multichannel_input_gradient", "turn, swap, einsum over windows")
def _(delta, kernel):
    k1, k2 = kernel.shape[:2]
    padded = np.pad(delta, ((0, 0), (k1 - 1, k1 - 1), (k2 - 1, k2 - 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k1, k2), axis=(1, 2))
    return np.einsum("nijdab,abcd->nijc", windows, kernel[::-1, ::-1])


@right("multichannel_input_gradient", "scipy for each pair")
def _(delta, kernel):
    C, D = kernel.shape[2:]
    return np.stack(
        [[sum(signal.convolve2d(one[..., d], kernel[:, :, c, d]) for d in range(D)) for c in range(C)] for one in delta]
    ).transpose(0, 2, 3, 1)


in_dtypes("multichannel_input_gradient", input_gradient)


@wrong("multichannel_input_gradient", "flip missing")
def channels_without_turn(delta, kernel):
    (N, rows, columns, _), (k1, k2, C, _) = delta.shape, kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for a in range(k1):
        for b in range(k2):
            out[:, a : a + rows, b : b + columns] += delta @ kernel[k1 - 1 - a, k2 - 1 - b].T
    return out


@wrong("multichannel_input_gradient", "channel axes reversed")
def reverses_all_four_axes(delta, kernel):
    w = kernel[::-1, ::-1, ::-1, ::-1]  # turns the channels, too
    k1, k2 = kernel.shape[:2]
    padded = np.pad(delta, ((0, 0), (k1 - 1, k1 - 1), (k2 - 1, k2 - 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k1, k2), axis=(1, 2))
    return np.einsum("nijdab,abcd->nijc", windows, w)


@wrong("multichannel_input_gradient", "channel axes reshaped for swapped")
def reshapes(delta, kernel):
    k1, k2, C, D = kernel.shape
    w = kernel.reshape(k1, k2, D, C)
    (N, rows, columns, _) = delta.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for a in range(k1):
        for b in range(k2):
            out[:, a : a + rows, b : b + columns] += delta @ w[a, b]
    return out


@wrong("multichannel_input_gradient", "summed over the wrong axis")
def each_channel_the_sum(delta, kernel):
    total = input_gradient(delta, kernel).sum(axis=3)
    return np.stack([total] * kernel.shape[2], axis=3)


@wrong("multichannel_input_gradient", "filters not summed")
def one_map_per_filter(delta, kernel):
    maps = [
        [
            [signal.convolve2d(one[..., d], kernel[:, :, c, d]) for d in range(kernel.shape[3])]
            for c in range(kernel.shape[2])
        ]
        for one in delta
    ]
    return np.array(maps).transpose(0, 3, 4, 1, 2)


@wrong("multichannel_input_gradient", "one filter only")
def the_first_filter(delta, kernel):
    return input_gradient(delta[..., :1], kernel[..., :1])


@wrong("multichannel_input_gradient", "one map only", "one filter only")
def the_first_slice(delta, kernel):
    return signal.convolve2d(delta[0, :, :, 0], kernel[:, :, 0, 0])


@wrong("multichannel_input_gradient", "one map only")
def the_first_channel_of_the_first_image(delta, kernel):
    return sum(signal.convolve2d(delta[0, :, :, d], kernel[:, :, 0, d]) for d in range(kernel.shape[3]))


@wrong("multichannel_input_gradient", "= for +=")
def the_last_filter(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for n in range(N):
        for c in range(C):
            for d in range(D):
                out[n, :, :, c] = signal.convolve2d(delta[n, :, :, d], kernel[:, :, c, d])
    return out


@wrong("multichannel_input_gradient", "mean for sum")
def mean_over_filters(delta, kernel):
    return input_gradient(delta, kernel) / delta.shape[-1]


@wrong("multichannel_input_gradient", "product of sums for sum of products")
def adds_filters_first(delta, kernel):
    D, W = delta.sum(axis=3), kernel.sum(axis=3)
    return np.array([[signal.convolve2d(one, W[:, :, c]) for c in range(W.shape[2])] for one in D]).transpose(
        0, 2, 3, 1
    )


@wrong("multichannel_input_gradient", "another layout")
def channels_first(delta, kernel):
    return np.transpose(input_gradient(delta, kernel), (0, 3, 1, 2))


@wrong("multichannel_input_gradient", "only the rows flipped")
def turns_rows_of_all_filters(delta, kernel):
    return input_gradient(delta, kernel[:, ::-1])


@right("multichannel_kernel_gradient", "loops")
def channel_kernel_gradient(inputs, delta):
    (N, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    dw = np.zeros((H - rows + 1, W - columns + 1, C, D), inputs.dtype)
    for m, n, c, d in np.ndindex(dw.shape):
        for image in range(N):
            for i in range(rows):
                for j in range(columns):
                    dw[m, n, c, d] += inputs[image, i + m, j + n, c] * delta[image, i, j, d]
    return dw


@right("multichannel_kernel_gradient", "einsum for each weight")
def _(inputs, delta):
    rows, columns = delta.shape[1:3]
    k1, k2 = inputs.shape[1] - rows + 1, inputs.shape[2] - columns + 1
    return np.array(
        [
            [np.einsum("bijc,bijd->cd", inputs[:, m : m + rows, n : n + columns], delta) for n in range(k2)]
            for m in range(k1)
        ]
    )


@right("multichannel_kernel_gradient", "tensordot")
def _(inputs, delta):
    windows = np.lib.stride_tricks.sliding_window_view(inputs, delta.shape[1:3], axis=(1, 2))
    return np.tensordot(windows, delta, axes=((0, 4, 5), (0, 1, 2)))


@right("multichannel_kernel_gradient", "scipy for each pair")
def pairs(inputs, delta):
    k = [inputs.shape[a] - delta.shape[a] + 1 for a in (1, 2)]
    dw = np.zeros((*k, inputs.shape[3], delta.shape[3]))
    for o, d in zip(inputs, delta, strict=True):
        for c in range(o.shape[2]):
            for f in range(d.shape[2]):
                dw[:, :, c, f] += signal.correlate2d(o[..., c], d[..., f], mode="valid")
    return dw


in_dtypes("multichannel_kernel_gradient", channel_kernel_gradient)


@wrong("multichannel_kernel_gradient", "delta turned by 180°")
def turns_delta(inputs, delta):
    return pairs(inputs, delta[:, ::-1, ::-1, :])


@wrong("multichannel_kernel_gradient", "result turned by 180°")
def turns_the_gradient(inputs, delta):
    return pairs(inputs, delta)[::-1, ::-1]


@wrong("multichannel_kernel_gradient", "mean for sum")
def mean_over_batch(inputs, delta):
    return pairs(inputs, delta) / inputs.shape[0]


@wrong("multichannel_kernel_gradient", "one pair only", "first image only")
def the_first_pair_of_the_first_image(inputs, delta):
    return signal.correlate2d(inputs[0, :, :, 0], delta[0, :, :, 0], mode="valid")


@wrong("multichannel_kernel_gradient", "one pair only", "= for +=")
def the_last_pair_of_the_last_image(inputs, delta):
    for o, d in zip(inputs, delta, strict=True):
        for c, f in itertools.product(range(o.shape[2]), range(d.shape[2])):
            dw = signal.correlate2d(o[..., c], d[..., f], mode="valid")
    return dw


@wrong("multichannel_kernel_gradient", "one pair only")
def the_first_pair_of_all_images(inputs, delta):
    return pairs(inputs[..., :1], delta[..., :1])[:, :, 0, 0]


@wrong("multichannel_kernel_gradient", "= for +=")
def the_last_image(inputs, delta):
    for o, d in zip(inputs, delta, strict=True):
        dw = pairs(o[None], d[None])
    return dw


@wrong("multichannel_kernel_gradient", "one gradient per image")
def per_image(inputs, delta):
    return [pairs(o[None], d[None]) for o, d in zip(inputs, delta, strict=True)]


@wrong("multichannel_kernel_gradient", "channels not swapped")
def filters_before_channels(inputs, delta):
    dw = pairs(inputs, delta)
    out = np.zeros((dw.shape[0], dw.shape[1], dw.shape[3], dw.shape[2]))
    for c in range(dw.shape[2]):
        for d in range(dw.shape[3]):
            out[:, :, d, c] = dw[:, :, c, d]
    return out


@wrong("multichannel_kernel_gradient", "summed over the wrong axis")
def loses_the_channels(inputs, delta):
    grey = inputs.sum(axis=3, keepdims=True)
    return pairs(grey, delta)[:, :, 0, :]


@wrong("multichannel_kernel_gradient", "another layout")
def as_pytorch(inputs, delta):
    return pairs(inputs, delta).transpose(3, 2, 0, 1)


@wrong("multichannel_kernel_gradient", "product of sums for sum of products")
def adds_images_first(inputs, delta):
    return pairs(inputs.sum(axis=0)[None], delta.sum(axis=0)[None])


@wrong("multichannel_kernel_gradient", "first image only")
def image_zero(inputs, delta):
    return pairs(inputs[:1], delta[:1])


@wrong("multichannel_kernel_gradient", "delta turned by 180°", "mean for sum")
def turned_and_averaged(inputs, delta):
    return pairs(inputs, delta[:, ::-1, ::-1]) / len(delta)


@wrong("multichannel_input_gradient", "only the columns flipped")
def channels_with_half_a_turn(delta, kernel):
    k1, k2 = kernel.shape[:2]
    padded = np.pad(delta, ((0, 0), (k1 - 1, k1 - 1), (k2 - 1, k2 - 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k1, k2), axis=(1, 2))
    return np.einsum("nijdab,abcd->nijc", windows, kernel[:, ::-1])


@wrong("multichannel_input_gradient", "channels not swapped")
def filter_c_for_channel_c(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    out = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for n, c in itertools.product(range(N), range(min(C, D))):
        out[n, :, :, c] = signal.convolve2d(delta[n, :, :, c], kernel[:, :, c, c])
    return out


@wrong("multichannel_input_gradient", "valid for full")
def channels_valid(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    out = np.zeros((N, rows - k1 + 1, columns - k2 + 1, C))
    for n, c, d in itertools.product(range(N), range(C), range(D)):
        out[n, :, :, c] += signal.convolve2d(delta[n, :, :, d], kernel[:, :, c, d], mode="valid")
    return out


@wrong("multichannel_input_gradient", "images summed")
def forgets_the_batch(delta, kernel):
    (rows, columns), (k1, k2, C, _) = delta.shape[1:3], kernel.shape
    out = np.zeros((rows + k1 - 1, columns + k2 - 1, C))
    for image in delta:
        for i, j in np.ndindex(rows, columns):
            out[i : i + k1, j : j + k2] += kernel @ image[i, j]
    return out


def window_sums(inputs, delta, rule="nabcij,nijd->abcd"):
    windows = np.lib.stride_tricks.sliding_window_view(inputs, delta.shape[1:3], axis=(1, 2))
    return np.einsum(rule, windows, delta)


@wrong("multichannel_kernel_gradient", "inputs turned by 180°")
def inputs_from_the_end(inputs, delta):
    return window_sums(inputs[:, ::-1, ::-1], delta)


@wrong("multichannel_kernel_gradient", "delta flipped along the rows only")
def delta_upside_down(inputs, delta):
    return window_sums(inputs, delta[:, ::-1])


@wrong("multichannel_kernel_gradient", "delta flipped along the columns only")
def delta_mirrored(inputs, delta):
    return window_sums(inputs, delta[:, :, ::-1])


@wrong("multichannel_kernel_gradient", "same channel only")
def one_index_for_channel_and_filter(inputs, delta):
    (N, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    out = np.zeros((H - rows + 1, W - columns + 1, C, D))
    for n, c in itertools.product(range(N), range(min(C, D))):
        out[:, :, c, c] += signal.correlate2d(inputs[n, :, :, c], delta[n, :, :, c], mode="valid")
    return out


@wrong("multichannel_kernel_gradient", "full for valid")
def kernel_gradient_full(inputs, delta):
    (N, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    out = np.zeros((H + rows - 1, W + columns - 1, C, D))
    for n, c, d in itertools.product(range(N), range(C), range(D)):
        out[:, :, c, d] += signal.correlate2d(inputs[n, :, :, c], delta[n, :, :, d])
    return out


@wrong("multichannel_kernel_gradient", "delta missing")
def inputs_added_up(inputs, delta):
    return window_sums(inputs, np.ones(delta.shape))


@wrong("strided_input_gradient", "kernel turned by 90°")
def spreads_a_quarter_turn(delta, kernel, input_size, stride, padding):
    return strided(delta, np.rot90(kernel), input_size, stride, padding)


@wrong("strided_input_gradient", "cut before filled")
def cuts_then_fills(delta, kernel, input_size, stride, padding):
    (p1, p2), out = padding, np.zeros(input_size)
    rows, columns = (s * (n - 1) + k for s, n, k in zip(stride, delta.shape, kernel.shape, strict=True))
    covered = strided(delta, kernel, (rows, columns), stride, (0, 0))[p1 : rows - p1, p2 : columns - p2]
    out[: covered.shape[0], : covered.shape[1]] = covered
    return out


@wrong("multichannel_kernel_gradient", "δ of one image for all")
def delta_of_the_first(inputs, delta):
    return channel_kernel_gradient(inputs, np.stack([delta[0]] * len(delta)))


@wrong("multichannel_kernel_gradient", "inputs of one image for all")
def inputs_of_the_first(inputs, delta):
    return channel_kernel_gradient(np.stack([inputs[0]] * len(inputs)), delta)


@wrong("strided_input_gradient", "wrapped around the border")
def negative_indices(delta, kernel, input_size, stride, padding):
    out = np.zeros(input_size)
    for (i, j), error in np.ndenumerate(delta):
        for (m, n), weight in np.ndenumerate(kernel):
            row, column = stride[0] * i + m - padding[0], stride[1] * j + n - padding[1]
            out[row % input_size[0], column % input_size[1]] += error * weight
    return out


@wrong("kernel_gradient", "same size for valid")
def in_mode_same(inputs, delta):
    return signal.correlate2d(inputs, delta, mode="same")


@wrong("strided_input_gradient", "padding added for removed")
def padded_once_more(delta, kernel, input_size, stride, padding):
    (H, W), (p1, p2) = input_size, padding
    gradient = np.zeros((H + 2 * p1, W + 2 * p2))
    for i, j in np.ndindex(delta.shape):
        for m, n in np.ndindex(kernel.shape):
            gradient[stride[0] * i + m, stride[1] * j + n] += delta[i, j] * kernel[m, n]
    return np.pad(gradient[:H, :W], ((p1, p1), (p2, p2)))
