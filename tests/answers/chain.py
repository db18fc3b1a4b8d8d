"""Answers along the chain rule: output, activation, recursion, step, and the worked question."""

import math

import numpy as np
from scipy import signal
from scipy.special import expit

from answers.sliding import correlate, scatter
from answers.table import in_dtypes, right, wrong

# --- output delta -----------------------------------------------------------------------------------------------------


@right("output_delta", "y(1 − y)")
def output_delta(pre_activation, targets):
    y = 1 / (1 + np.exp(-pre_activation))
    return (y - targets) * y * (1 - y)


@right("output_delta", "loops and math")
def _(pre_activation, targets):
    out = []
    for xs, ts in zip(pre_activation, targets, strict=True):
        out.append([])
        for x, t in zip(xs, ts, strict=True):
            y = 1 / (1 + math.exp(-x))
            out[-1].append((y - t) * y * (1 - y))
    return out


@right("output_delta", "f′ from the exponential")
def _(x, t):
    return -(t - expit(x)) * np.exp(-x) / (1 + np.exp(-x)) ** 2


@right("output_delta", "central differences")
def _(x, t):
    def error(x):
        return 0.5 * (t - expit(x)) ** 2

    return (error(x + 1e-5) - error(x - 1e-5)) / 2e-5


in_dtypes("output_delta", output_delta)


@wrong("output_delta", "y − t missing")
def the_slope_alone(x, t):
    y = expit(x)
    return y * (1 - y)


@wrong("output_delta", "y returned")
def the_output_alone(x, t):
    return expit(x)


@wrong("output_delta", "sign of y − t")
def t_minus_y(x, t):
    y = expit(x)
    return (t - y) * y * (1 - y)


@wrong("output_delta", "divided by P")
def mean_squared(x, t):
    y = expit(x)
    return (y - t) * y * (1 - y) / y.size


@wrong("output_delta", "½ forgotten")
def derivative_of_the_square(x, t):
    y = expit(x)
    return 2 * (y - t) * y * (1 - y)


@wrong("output_delta", "f′ missing")
def stops_at_the_output(x, t):
    return expit(x) - t


@wrong("output_delta", "f for f′")
def times_y(x, t):
    y = expit(x)
    return (y - t) * y


@wrong("output_delta", "f′ at the output")
def slope_at_y(x, t):
    y = expit(x)
    s = expit(y)
    return (y - t) * s * (1 - s)


@wrong("output_delta", "f′ written for outputs, at the pre-activation")
def x_one_minus_x(x, t):
    return (expit(x) - t) * x * (1 - x)


@wrong("output_delta", "pre-activation for output")
def forgets_f(x, t):
    return (x - t) * expit(x) * (1 - expit(x))


@wrong("output_delta", "loss for its derivative")
def squares(x, t):
    y = expit(x)
    return 0.5 * (t - y) ** 2 * y * (1 - y)


@wrong("output_delta", "sign of y − t", "f′ missing")
def difference_only(x, t):
    return t - expit(x)


@wrong("output_delta", "divided by P", "f′ missing")
def difference_over_p(x, t):
    return (expit(x) - t) / t.size


@wrong("output_delta", "derivative of another function")
def slope_of_tanh(x, t):
    y = expit(x)
    return (y - t) * (1 - y * y)


@wrong("output_delta", "divided by P", "½ forgotten")
def pytorch_mse(x, t):
    y = expit(x)
    return 2 * (y - t) * y * (1 - y) / y.size


@wrong("output_delta", "½ kept")
def half_of_it(x, t):
    y = expit(x)
    return 0.5 * (y - t) * y * (1 - y)


@wrong("output_delta", "f′ twice")
def slope_squared(x, t):
    y = expit(x)
    return (y - t) * (y * (1 - y)) ** 2


@wrong("output_delta", "pre-activation for f′")
def times_the_pre_activation(x, t):
    return (expit(x) - t) * x


@wrong("output_delta", "absolute value of y − t")
def absolute_error(x, t):
    y = expit(x)
    return abs(y - t) * y * (1 - y)


@wrong("output_delta", "added up")
def one_number(x, t):
    y = expit(x)
    return float(np.sum((y - t) * y * (1 - y)))


@wrong("output_delta", "one difference for all")
def total_error_for_each(x, t):
    y = expit(x)
    return np.sum(y - t) * y * (1 - y)


# --- ReLU -------------------------------------------------------------------------------------------------------------


@right("relu_delta", "a mask")
def relu_delta(delta, x):
    return delta * (x > 0)


@right("relu_delta", "loops")
def _(delta, x):
    return [[d if v > 0 else 0 for d, v in zip(ds, vs, strict=True)] for ds, vs in zip(delta, x, strict=True)]


@right("relu_delta", "the slope 1 at zero")
def _(delta, x):
    return np.where(x >= 0, delta, 0)


@right("relu_delta", "Heaviside with ½ at zero")
def _(delta, x):
    return delta * np.heaviside(x, 0.5)


@right("relu_delta", "a copy with zeros written in")
def _(delta, x):
    out = delta.copy()
    out[x <= 0] = 0
    return out


in_dtypes("relu_delta", relu_delta)


@wrong("relu_delta", "f′ missing")
def all_through(delta, x):
    return delta * 1.0


@wrong("relu_delta", "f for f′")
def times_relu(delta, x):
    return delta * np.maximum(x, 0)


@wrong("relu_delta", "ReLU of δ")
def cuts_delta(delta, x):
    return np.maximum(delta, 0)


@wrong("relu_delta", "opposite sign")
def minus_with_the_slope_1_at_zero(delta, x):
    return -delta * (x >= 0)


@wrong("relu_delta", "delta missing")
def heaviside_alone(delta, x):
    return np.heaviside(x, 0.5)


@wrong("relu_delta", "ReLU of δ")
def guided_with_the_slope_1_at_zero(delta, x):
    return np.maximum(delta, 0) * (x >= 0)


@wrong("relu_delta", "delta missing")
def mask_only(delta, x):
    return (x > 0).astype(float)


@wrong("relu_delta", "wrong way round")
def the_other_half(delta, x):
    return np.where(x > 0, 0, delta)


@wrong("relu_delta", "pre-activation for f′")
def times_x(delta, x):
    return delta * x


@wrong("relu_delta", "derivative of another function")
def leaky(delta, x):
    return np.where(x > 0, delta, 0.01 * delta)


@wrong("relu_delta", "derivative of another function")
def leaky_as_in_tensorflow(delta, x):
    return delta * np.where(x < 0, 0.2, 1)


@wrong("relu_delta", "ReLU of x")
def forward_again(delta, x):
    return np.maximum(x, 0)


@wrong("relu_delta", "sign of x for f′")
def plus_or_minus(delta, x):
    return [
        [math.copysign(d, v * d) if v else 0 for d, v in zip(*rows, strict=True)] for rows in zip(delta, x, strict=True)
    ]


# --- recursion --------------------------------------------------------------------------------------------------------


@right("delta_recursion", "scatter, and 1 − tanh²")
def recursion(delta, kernel, x):
    return scatter(delta, kernel) * (1 - np.tanh(x) ** 2)


@right("delta_recursion", "Eq. 20 in loops")
def _(delta, kernel, x):
    out = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            for m in range(kernel.shape[0]):
                for n in range(kernel.shape[1]):
                    if 0 <= i - m < delta.shape[0] and 0 <= j - n < delta.shape[1]:
                        out[i, j] += delta[i - m, j - n] * kernel[m, n] * (1 - math.tanh(x[i, j]) ** 2)
    return out


@right("delta_recursion", "scipy and the hyperbolic cosine")
def _(delta, kernel, x):
    return signal.convolve2d(delta, kernel) / np.cosh(x) ** 2


@right("delta_recursion", "Eq. 22 as corrected")
def _(delta, kernel, x):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    return correlate(padded, kernel[::-1, ::-1]) * (1 - np.tanh(x) ** 2)


in_dtypes("delta_recursion", recursion)


@wrong("delta_recursion", "f′ missing")
def only_the_kernel(delta, kernel, x):
    return scatter(delta, kernel)


@wrong("delta_recursion", "f for f′")
def times_tanh(delta, kernel, x):
    return scatter(delta, kernel) * np.tanh(x)


@wrong("delta_recursion", "f′ at the output")
def slope_at_o(delta, kernel, x):
    o = np.tanh(x)
    return scatter(delta, kernel) * (1 - np.tanh(o) ** 2)


@wrong("delta_recursion", "flip missing")
def eq_22_literally(delta, kernel, x):
    return signal.convolve2d(delta, np.rot90(kernel, 2)) * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "flip missing", "f′ missing")
def flipped_and_no_slope(delta, kernel, x):
    return signal.correlate2d(delta, kernel)


@wrong("delta_recursion", "flip missing", "f′ at the output")
def flipped_and_slope_at_o(delta, kernel, x):
    return signal.correlate2d(delta, kernel) * (1 - np.tanh(np.tanh(x)) ** 2)


@wrong("delta_recursion", "Eq. 21 as printed")
def eq_21_as_printed(delta, kernel, x):
    return np.rot90(signal.correlate2d(delta, kernel), 2) * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "only the rows flipped")
def half_a_turn(delta, kernel, x):
    return signal.correlate2d(delta, kernel[::-1, :]) * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "wrapped around the border")
def q_round_the_border(delta, kernel, x):
    rows, columns = delta.shape
    out = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        for m, n in np.ndindex(kernel.shape):
            out[i, j] += delta[(i - m) % rows, (j - n) % columns] * kernel[m, n]
    return out * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "derivative of another function")
def slope_of_the_sigmoid(delta, kernel, x):
    return scatter(delta, kernel) * expit(x) * (1 - expit(x))


@wrong("delta_recursion", "f′ written for outputs, at the pre-activation")
def one_minus_x_squared(delta, kernel, x):
    return scatter(delta, kernel) * (1 - x**2)


@wrong("delta_recursion", "= for +=")
def scatters_with_equals(delta, kernel, x):
    out = np.zeros(x.shape)
    for i, j in np.ndindex(delta.shape):
        out[i : i + kernel.shape[0], j : j + kernel.shape[1]] = delta[i, j] * kernel
    return out * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "= for +=")
def gathers_with_equals(delta, kernel, x):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((k1 - 1, k1 - 1), (k2 - 1, k2 - 1)))
    out = np.zeros(x.shape)
    for i, j in np.ndindex(x.shape):
        for m in range(k1):
            for n in range(k2):
                out[i, j] = padded[i + m, j + n] * kernel[k1 - 1 - m, k2 - 1 - n]
    return out * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "product of sums for sum of products", "f′ missing")
def sums_of_everything(delta, kernel, x):
    return signal.convolve2d(delta, np.ones(kernel.shape)) * kernel.sum()


@wrong("delta_recursion", "opposite sign")
def recursion_minus(delta, kernel, x):
    return scatter(delta, kernel) * (np.tanh(x) ** 2 - 1)


@wrong("delta_recursion", "f′ twice")
def slope_squared_too(delta, kernel, x):
    return scatter(delta, kernel) / np.cosh(x) ** 4


@wrong("delta_recursion", "pre-activation for f′")
def times_x_here(delta, kernel, x):
    return scatter(delta, kernel) * x


@wrong("delta_recursion", "f′ of the wrong argument")
def slope_of_what_came_back(delta, kernel, x):
    back = scatter(delta, kernel)
    return back * (1 - np.tanh(back) ** 2)


@wrong("delta_recursion", "f′ before the way back")
def slope_first(delta, kernel, x):
    return scatter(delta * (1 - np.tanh(delta) ** 2), kernel)


@wrong("delta_recursion", "only the columns flipped")
def the_other_half_of_a_turn(delta, kernel, x):
    return signal.correlate2d(delta, kernel[:, ::-1]) * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "map turned by 180°")
def turns_what_came_back(delta, kernel, x):
    return scatter(delta, kernel)[::-1, ::-1] * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "valid for full", "f′ missing")
def valid_and_no_slope(delta, kernel, x):
    return signal.convolve2d(delta, kernel, mode="valid")


@wrong("delta_recursion", "padding off by k − 1")
def zeros_before_only(delta, kernel, x):
    k1, k2 = kernel.shape
    padded = np.pad(delta, ((2 * (k1 - 1), 0), (2 * (k2 - 1), 0)))
    return correlate(padded, kernel[::-1, ::-1]) * (1 - np.tanh(x) ** 2)


@wrong("delta_recursion", "mean for sum")
def mean_over_the_window(delta, kernel, x):
    return scatter(delta, kernel / kernel.size) * (1 - np.tanh(x) ** 2)


# --- a step -----------------------------------------------------------------------------------------------------------


@right("descent_step", "one line")
def step(weights, gradient, learning_rate):
    return weights - learning_rate * gradient


@right("descent_step", "loops")
def _(weights, gradient, learning_rate):
    new = weights.copy()
    for m in range(weights.shape[0]):
        for n in range(weights.shape[1]):
            new[m, n] -= learning_rate * gradient[m, n]
    return new


@right("descent_step", "lists")
def _(w, g, rate):
    return [[a - rate * b for a, b in zip(r, s, strict=True)] for r, s in zip(w.tolist(), g.tolist(), strict=True)]


@right("descent_step", "add the negative")
def _(w, g, rate):
    return np.add(w, np.multiply(-rate, g))


in_dtypes("descent_step", step)


@wrong("descent_step", "added for subtracted")
def uphill(w, g, rate):
    return w + rate * g


@wrong("descent_step", "gradient for the new weight")
def the_gradient(w, g, rate):
    return g


@wrong("descent_step", "change for the new weight")
def the_change(w, g, rate):
    return -rate * g


@wrong("descent_step", "learning rate missing")
def whole_gradient(w, g, rate):
    return w - g


@wrong("descent_step", "divided by the learning rate")
def divides(w, g, rate):
    return w - g / rate


@wrong("descent_step", "difference the wrong way round")
def wrong_way(w, g, rate):
    return rate * g - w


@wrong("descent_step", "learning rate missing", "added for subtracted")
def plus_whole_gradient(w, g, rate):
    return w + g


@wrong("descent_step", "learning rate times everything")
def brackets(w, g, rate):
    return rate * (w - g)


@wrong("descent_step", "weights times the step")
def shrinks(w, g, rate):
    return w * (1 - rate * g)


@wrong("descent_step", "weights unchanged")
def forgets_to_store(w, g, rate):
    new = w.copy()
    w - rate * g
    return new


@wrong("descent_step", "sign of the gradient only")
def equal_steps(w, g, rate):
    return w - rate * np.where(g > 0, 1, np.where(g < 0, -1, 0))


@wrong("descent_step", "learning rate subtracted")
def minus_the_rate(w, g, rate):
    return w - rate


@wrong("descent_step", "one step for all weights")
def mean_gradient(w, g, rate):
    return w - rate * g.mean()


# --- the two layers ---------------------------------------------------------------------------------------------------


@right("two_layer_question", "delta first")
def two_layers(image, w1, w2, y):
    o1 = correlate(image, w1)
    o2 = np.sum(o1 * w2)
    delta = 2 * (o2 - y) * w2
    return correlate(image, delta)


@right("two_layer_question", "path by path")
def _(image, w1, w2, y):
    o2 = 0
    for i, j in np.ndindex(w2.shape):
        for m, n in np.ndindex(w1.shape):
            o2 += image[i + m, j + n] * w1[m, n] * w2[i, j]
    dw = [[0] * w1.shape[1] for _ in range(w1.shape[0])]
    for m, n in np.ndindex(w1.shape):
        for i, j in np.ndindex(w2.shape):
            dw[m][n] += 2 * (o2 - y) * w2[i, j] * image[i + m, j + n]
    return dw


@right("two_layer_question", "central differences")
def _(image, w1, w2, y):
    def C(w):
        return (np.sum(correlate(image, w) * w2) - y) ** 2

    out = np.zeros(w1.shape)
    for place in np.ndindex(w1.shape):
        h = np.zeros(w1.shape)
        h[place] = 0.5  # C is a square in each weight: exact
        out[place] = C(w1 + h) - C(w1 - h)
    return out


@right("two_layer_question", "scipy")
def _(image, w1, w2, y):
    o2 = signal.correlate2d(signal.correlate2d(image, w1, "valid"), w2, "valid").item()
    return 2 * (o2 - y) * signal.correlate2d(image, w2, "valid")


in_dtypes("two_layer_question", two_layers)


def o2(image, w1, w2):
    return np.sum(correlate(image, w1) * w2)


@wrong("two_layer_question", "product of sums for sum of products")
def the_asker(image, w1, w2, y):
    dw = np.zeros(w1.shape)
    for m, n in np.ndindex(w1.shape):
        seen = image[m : m + w2.shape[0], n : n + w2.shape[1]]
        dw[m, n] = seen.sum() * w2.sum() * 2 * (o2(image, w1, w2) - y)
    return dw


@wrong("two_layer_question", "2 forgotten")
def half(image, w1, w2, y):
    return (o2(image, w1, w2) - y) * correlate(image, w2)


@wrong("two_layer_question", "sign of o² − y")
def y_minus_o(image, w1, w2, y):
    return 2 * (y - o2(image, w1, w2)) * correlate(image, w2)


@wrong("two_layer_question", "derivative of the loss missing")
def starts_at_o2(image, w1, w2, y):
    return correlate(image, w2)


@wrong("two_layer_question", "second kernel turned by 180°")
def turns_w2(image, w1, w2, y):
    return 2 * (o2(image, w1, w2) - y) * signal.convolve2d(image, w2, "valid")


@wrong("two_layer_question", "second kernel missing")
def sums_inputs(image, w1, w2, y):
    return 2 * (o2(image, w1, w2) - y) * correlate(image, np.ones(w2.shape))


@wrong("two_layer_question", "one path only")
def first_path(image, w1, w2, y):
    return 2 * (o2(image, w1, w2) - y) * w2[0, 0] * image[: w1.shape[0], : w1.shape[1]]


@wrong("two_layer_question", "gradient for the second kernel")
def for_w2(image, w1, w2, y):
    return 2 * (o2(image, w1, w2) - y) * correlate(image, w1)


@wrong("two_layer_question", "product of sums for sum of products", "2 forgotten")
def the_asker_with_half(image, w1, w2, y):
    return (o2(image, w1, w2) - y) * correlate(image, np.ones(w2.shape)) * w2.sum()


@wrong("two_layer_question", "loss for its derivative")
def times_c(image, w1, w2, y):
    return (o2(image, w1, w2) - y) ** 2 * correlate(image, w2)


@wrong("two_layer_question", "target missing")
def output_for_error(image, w1, w2, y):
    return 2 * o2(image, w1, w2) * correlate(image, w2)


@wrong("two_layer_question", "mean for sum")
def mean_of_the_paths(image, w1, w2, y):
    return 2 * (o2(image, w1, w2) - y) * correlate(image, w2) / w2.size


@wrong("two_layer_question", "forward pass flips")
def convolves_forward(image, w1, w2, y):
    output = signal.convolve2d(signal.convolve2d(image, w1, "valid"), w2, "valid").item()
    return 2 * (output - y) * correlate(image, w2)


@wrong("two_layer_question", "full for valid")
def second_kernel_past_the_border(image, w1, w2, y):
    return 2 * (o2(image, w1, w2) - y) * signal.correlate2d(image, w2)


@wrong("descent_step", "weights for gradient")
def decay(weights, gradient, learning_rate):
    return weights - learning_rate * weights


@wrong("descent_step", "weights and gradient exchanged")
def the_other_way_round(weights, gradient, learning_rate):
    return gradient - learning_rate * weights


@wrong("two_layer_question", "2 twice")
def two_from_the_square_and_two_from_the_loss(image, first_kernel, second_kernel, target):
    return 2 * np.array(two_layers(image, first_kernel, second_kernel, target))


@wrong("two_layer_question", "image turned by 180°")
def backwards_over_the_image(image, first_kernel, second_kernel, target):
    return two_layers(image[::-1, ::-1], first_kernel, second_kernel, target)


@wrong("descent_step", "weight decay put in")
def with_decay(w, g, rate):
    return (1 - rate * 1e-3) * w - rate * g


@wrong("relu_delta", "only what passes")
def chosen(delta, x):
    return delta[x > 0]


@wrong("delta_recursion", "activation on the way back")
def squashed(delta, kernel, x):
    return np.tanh(signal.convolve2d(delta, kernel)) / np.cosh(x) ** 2


@wrong("region_q", "all of Q in a list")
def every_output(pixel, kernel_size, output_size):
    return [
        (i, j)
        for i in range(output_size[0])
        for j in range(output_size[1])
        if 0 <= pixel[0] - i < kernel_size[0] and 0 <= pixel[1] - j < kernel_size[1]
    ]


@wrong("region_q", "pixel divided by the size")
def as_if_side_by_side(pixel, kernel_size, output_size):
    window = pixel[0] // kernel_size[0], pixel[1] // kernel_size[1]
    return window, window
