"""A solution of each exercise, as a reader could have written it: what ``.solution()`` shows."""

import numpy as np

from convbp.activations import sigmoid, tanh
from convbp.convolution import convolve, cross_correlate


def cross_correlation(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(H - k1 + 1):
        for j in range(W - k2 + 1):
            for m in range(k1):
                for n in range(k2):
                    result[i, j] += image[i + m, j + n] * kernel[m, n]
    return result


def convolution(image, kernel):
    (H, W), (k1, k2) = image.shape, kernel.shape
    result = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(k1 - 1, H):
        for j in range(k2 - 1, W):
            for m in range(k1):
                for n in range(k2):
                    result[i - k1 + 1, j - k2 + 1] += image[i - m, j - n] * kernel[m, n]
    return result


def rot180(kernel):
    return kernel[::-1, ::-1]


def full_convolution(image, kernel):
    k1, k2 = kernel.shape
    padded = np.pad(image, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    return cross_correlate(padded, kernel[::-1, ::-1])


def output_delta(pre_activation, targets):
    return (sigmoid(pre_activation) - targets) * sigmoid.derivative(pre_activation)


def relu_delta(delta, pre_activation):
    return np.where(pre_activation > 0, delta, 0)


def kernel_gradient(inputs, delta):
    (H, W), (rows, columns) = inputs.shape, delta.shape
    k1, k2 = H - rows + 1, W - columns + 1
    gradient = np.zeros((k1, k2))
    for m in range(k1):
        for n in range(k2):
            gradient[m, n] = np.sum(delta * inputs[m : m + rows, n : n + columns])
    return gradient


def bias_gradient(delta):
    return delta.sum(axis=(0, 1, 2))


def region_q(pixel, kernel_size, output_size):
    (i, j), (k1, k2), (rows, columns) = pixel, kernel_size, output_size
    first = max(i - k1 + 1, 0), max(j - k2 + 1, 0)
    last = min(i, rows - 1), min(j, columns - 1)
    return first, last


def delta_recursion(delta, kernel, pre_activation):
    return convolve(delta, kernel, mode="full") * tanh.derivative(pre_activation)


def max_routing(inputs, delta, size, stride):
    gradient = np.zeros(inputs.shape)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = stride[0] * i, stride[1] * j
            window = inputs[top : top + size[0], left : left + size[1]]
            row, column = np.unravel_index(np.argmax(window), window.shape)
            gradient[top + row, left + column] += delta[i, j]
    return gradient


def average_routing(delta, input_size, size, stride):
    gradient = np.zeros(input_size)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = stride[0] * i, stride[1] * j
            gradient[top : top + size[0], left : left + size[1]] += delta[i, j] / (size[0] * size[1])
    return gradient


def l2_routing(inputs, delta, size, stride):
    gradient = np.zeros(inputs.shape)
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = stride[0] * i, stride[1] * j
            here = np.s_[top : top + size[0], left : left + size[1]]
            norm = np.sqrt(np.sum(inputs[here] ** 2))
            if norm > 0:
                gradient[here] += delta[i, j] * inputs[here] / norm
    return gradient


def strided_input_gradient(delta, kernel, input_size, stride, padding):
    rows, columns = delta.shape
    (H, W), (s1, s2), (p1, p2) = input_size, stride, padding
    gradient = np.zeros((H + 2 * p1, W + 2 * p2))
    spread = np.zeros((s1 * (rows - 1) + 1, s2 * (columns - 1) + 1))
    spread[::s1, ::s2] = delta
    covered = convolve(spread, kernel, mode="full")
    gradient[: covered.shape[0], : covered.shape[1]] = covered
    return gradient[p1 : p1 + H, p2 : p2 + W]


def multichannel_input_gradient(delta, kernel):
    (N, rows, columns, D), (k1, k2, C, _) = delta.shape, kernel.shape
    gradient = np.zeros((N, rows + k1 - 1, columns + k2 - 1, C))
    for n in range(N):
        for c in range(C):
            for d in range(D):
                gradient[n, :, :, c] += convolve(delta[n, :, :, d], kernel[:, :, c, d], mode="full")
    return gradient


def multichannel_kernel_gradient(inputs, delta):
    (N, H, W, C), (_, rows, columns, D) = inputs.shape, delta.shape
    gradient = np.zeros((H - rows + 1, W - columns + 1, C, D))
    for n in range(N):
        for c in range(C):
            for d in range(D):
                gradient[:, :, c, d] += cross_correlate(inputs[n, :, :, c], delta[n, :, :, d])
    return gradient


def descent_step(weights, gradient, learning_rate):
    return weights - learning_rate * gradient


def two_layer_question(image, first_kernel, second_kernel, target):
    output = cross_correlate(cross_correlate(image, first_kernel), second_kernel)[0, 0]
    return 2 * (output - target) * cross_correlate(image, second_kernel)
