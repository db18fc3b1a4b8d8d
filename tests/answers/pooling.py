"""Answers about the way back through pooling."""

import math

import numpy as np

from answers.table import in_dtypes, right, wrong


def windows(delta, size, stride):
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            top, left = i * stride[0], j * stride[1]
            yield (i, j), np.s_[top : top + size[0], left : left + size[1]]


# --- max --------------------------------------------------------------------------------------------------------------


@right("max_routing", "argmax")
def max_routing(inputs, delta, size, stride):
    out = np.zeros(inputs.shape, delta.dtype)
    for place, here in windows(delta, size, stride):
        window = inputs[here]
        row, column = divmod(int(window.argmax()), window.shape[1])
        out[here][row, column] += delta[place]
    return out


@right("max_routing", "loops and a running best")
def _(inputs, delta, size, stride):
    out = [[0] * inputs.shape[1] for _ in range(inputs.shape[0])]
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            best, where = None, None
            for m in range(size[0]):
                for n in range(size[1]):
                    value = inputs[i * stride[0] + m, j * stride[1] + n]
                    if best is None or value > best:
                        best, where = value, (i * stride[0] + m, j * stride[1] + n)
            out[where[0]][where[1]] += delta[i, j]
    return out


@right("max_routing", "a dictionary of places")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for (i, j), d in np.ndenumerate(delta):
        cells = {
            (stride[0] * i + m, stride[1] * j + n): inputs[stride[0] * i + m, stride[1] * j + n]
            for m in range(size[0])
            for n in range(size[1])
        }
        out[max(cells, key=cells.get)] += d
    return out


@right("max_routing", "np.add.at")
def _(inputs, delta, size, stride):
    views = np.lib.stride_tricks.sliding_window_view(inputs, size)[:: stride[0], :: stride[1]]
    tap = views.reshape(*views.shape[:2], -1)[: delta.shape[0], : delta.shape[1]].argmax(-1)
    i, j = np.indices(delta.shape)
    out = np.zeros(inputs.shape)
    np.add.at(out, (stride[0] * i + tap // size[1], stride[1] * j + tap % size[1]), delta)
    return out


in_dtypes("max_routing", max_routing)


@wrong("max_routing", "cut off to integers")
def an_array_of_integers(inputs, delta, size, stride):
    out = np.zeros(inputs.shape, int)
    for place, here in windows(delta, size, stride):
        row, column = divmod(int(inputs[here].argmax()), size[1])
        out[here][row, column] += delta[place]
    return out


@wrong("max_routing", "ties copied")
def every_maximum(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * (inputs[here] == inputs[here].max())
    return out


@wrong("max_routing", "ties split")
def shared_maxima(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        mask = inputs[here] == inputs[here].max()
        out[here] += delta[place] * mask / mask.sum()
    return out


@wrong("max_routing", "tie to another")
def greater_or_equal(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for (i, j), d in np.ndenumerate(delta):
        best, where = -np.inf, None
        for m in range(size[0]):
            for n in range(size[1]):
                value = inputs[i * stride[0] + m, j * stride[1] + n]
                if value >= best:
                    best, where = value, (i * stride[0] + m, j * stride[1] + n)
        out[where] += d
    return out


@wrong("max_routing", "tie to another")
def columns_first(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for (i, j), d in np.ndenumerate(delta):
        best, where = -np.inf, None
        for n in range(size[1]):
            for m in range(size[0]):
                value = inputs[i * stride[0] + m, j * stride[1] + n]
                if value > best:
                    best, where = value, (i * stride[0] + m, j * stride[1] + n)
        out[where] += d
    return out


@wrong("max_routing", "= for +=")
def single_entry_assigned(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        window = inputs[here]
        row, column = divmod(int(window.argmax()), window.shape[1])
        out[here][row, column] = delta[place]
    return out


@wrong("max_routing", "= for +=")
def whole_window_assigned(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        routed = np.zeros(size)
        routed.flat[inputs[here].argmax()] = delta[place]
        out[here] = routed
    return out


@wrong("max_routing", "multiplied with the activation")
def times_the_value(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        window = inputs[here]
        row, column = divmod(int(window.argmax()), window.shape[1])
        out[here][row, column] += delta[place] * window.max()
    return out


@wrong("max_routing", "delta to every entry")
def everyone(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place]
    return out


@wrong("max_routing", "average for max")
def equal_parts(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] / size[0] / size[1]
    return out


@wrong("max_routing", "smallest for largest")
def argmin(inputs, delta, size, stride):
    return max_routing(-inputs, delta, size, stride)


@wrong("max_routing", "largest magnitude for largest")
def absolute(inputs, delta, size, stride):
    return max_routing(np.abs(inputs), delta, size, stride)


@wrong("max_routing", "ties copied", "= for +=")
def mask_assigned(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] = delta[place] * (inputs[here] == inputs[here].max())
    return out


@wrong("max_routing", "ties copied", "multiplied with the activation")
def mask_times_values(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * inputs[here] * (inputs[here] == inputs[here].max())
    return out


@wrong("max_routing", "rows and columns swapped")
def reads_both_pairs_backwards(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        top, left = stride[1] * i, stride[0] * j
        window = inputs[top : top + size[1], left : left + size[0]]
        if window.size:
            row, column = np.unravel_index(window.argmax(), window.shape)
            out[top + row, left + column] += delta[i, j]
    return out


@wrong("max_routing", "largest of all")
def argmax_of_the_input(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    out[np.unravel_index(inputs.argmax(), inputs.shape)] = delta.sum()
    return out


@wrong("max_routing", "winner's place without the window's")
def forgets_where_the_window_is(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[np.unravel_index(inputs[here].argmax(), size)] += delta[place]
    return out


@wrong("max_routing", "winners for error")
def marks_the_winners(inputs, delta, size, stride):
    return max_routing(inputs, np.ones(delta.shape), size, stride)


@wrong("max_routing", "always the same place")
def top_left(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for (i, j), d in np.ndenumerate(delta):
        out[i * stride[0], j * stride[1]] += d
    return out


@wrong("max_routing", "stride ignored")
def window_beside_window(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        here = inputs[i * size[0] : (i + 1) * size[0], j * size[1] : (j + 1) * size[1]]
        if here.size:
            row, column = np.unravel_index(here.argmax(), here.shape)
            out[i * size[0] + row, j * size[1] + column] += delta[i, j]
    return out


# --- average ----------------------------------------------------------------------------------------------------------


@right("average_routing", "slices")
def average_routing(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] / (size[0] * size[1])
    return out


@right("average_routing", "loops over lists")
def _(delta, input_size, size, stride):
    out = [[0.0] * input_size[1] for _ in range(input_size[0])]
    for i, row in enumerate(delta):
        for j, d in enumerate(row):
            for m in range(size[0]):
                for n in range(size[1]):
                    out[i * stride[0] + m][j * stride[1] + n] += d / size[0] / size[1]
    return out


@right("average_routing", "pixel by pixel")
def _(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for row, column in np.ndindex(*input_size):
        for (i, j), d in np.ndenumerate(delta):
            if 0 <= row - stride[0] * i < size[0] and 0 <= column - stride[1] * j < size[1]:
                out[row, column] += d
    return out / np.prod(size)


@right("average_routing", "as a strided layer with equal weights")
def _(delta, input_size, size, stride):
    from answers.gradients import strided

    return strided(delta, np.full(size, 1 / (size[0] * size[1])), input_size, stride, (0, 0))


in_dtypes("average_routing", average_routing)


@wrong("average_routing", "not divided")
def undivided(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place]
    return out


@wrong("average_routing", "divided by the wrong count")
def by_the_rows(delta, input_size, size, stride):
    return undivided(delta, input_size, size, stride) / size[0]


@wrong("average_routing", "divided by the wrong count")
def by_a_square(delta, input_size, size, stride):
    return undivided(delta, input_size, size, stride) / size[1] ** 2


@wrong("average_routing", "divided by the wrong count")
def by_the_outputs(delta, input_size, size, stride):
    return undivided(delta, input_size, size, stride) / delta.size


@wrong("average_routing", "mean over the windows")
def parts_averaged(delta, input_size, size, stride):
    parts = [[[] for _ in range(input_size[1])] for _ in range(input_size[0])]
    for (i, j), d in np.ndenumerate(delta):
        for m, n in np.ndindex(*size):
            parts[i * stride[0] + m][j * stride[1] + n].append(d / (size[0] * size[1]))
    return [[sum(some) / len(some) if some else 0 for some in row] for row in parts]


@wrong("average_routing", "not divided", "mean over the windows")
def deltas_averaged(delta, input_size, size, stride):
    return np.array(parts_averaged(delta, input_size, size, stride)) * size[0] * size[1]


@wrong("average_routing", "= for +=")
def average_assigned(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for place, here in windows(delta, size, stride):
        out[here] = delta[place] / (size[0] * size[1])
    return out


@wrong("average_routing", "max for average")
def to_the_corner(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        out[i * stride[0], j * stride[1]] += delta[i, j]
    return out


@wrong("average_routing", "stride ignored")
def one_pixel_apart(delta, input_size, size, stride):
    return average_routing(delta, input_size, size, (1, 1))


@wrong("average_routing", "not divided", "= for +=")
def undivided_and_assigned(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for place, here in windows(delta, size, stride):
        out[here] = delta[place]
    return out


@wrong("average_routing", "cut off to integers")
def integer_array(delta, input_size, size, stride):
    return average_routing(delta, input_size, size, stride).astype(int)


@wrong("average_routing", "multiplied for divided")
def times_the_count(delta, input_size, size, stride):
    return undivided(delta, input_size, size, stride) * size[0] * size[1]


@wrong("average_routing", "rows and columns swapped")
def window_lying_down(delta, input_size, size, stride):
    out = np.zeros(input_size)
    for i, j in np.ndindex(delta.shape):
        top, left = i * stride[0], j * stride[1]
        out[top : top + size[1], left : left + size[0]] += delta[i, j] / (size[0] * size[1])
    return out


# --- L2 ---------------------------------------------------------------------------------------------------------------


@right("l2_routing", "norm of each window")
def l2_routing(inputs, delta, size, stride):
    out = np.zeros(inputs.shape, np.result_type(inputs.dtype, np.float32))
    for place, here in windows(delta, size, stride):
        norm = np.linalg.norm(inputs[here])
        if norm:
            out[here] += delta[place] * inputs[here] / norm
    return out


@right("l2_routing", "loops")
def _(inputs, delta, size, stride):
    out = [[0.0] * inputs.shape[1] for _ in range(inputs.shape[0])]
    for i, j in np.ndindex(delta.shape):
        cells = [(i * stride[0] + m, j * stride[1] + n) for m in range(size[0]) for n in range(size[1])]
        y = sum(inputs[cell] ** 2 for cell in cells) ** 0.5
        for row, column in cells:
            out[row][column] += 0 if y == 0 else delta[i, j] * inputs[row, column] / y
    return out


@right("l2_routing", "nan_to_num")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * np.nan_to_num(inputs[here] / np.sqrt((inputs[here] ** 2).sum()))
    return out


@right("l2_routing", "a tiny number under the root")
def _(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * inputs[here] / np.sqrt((inputs[here] ** 2).sum() + 1e-20)
    return out


in_dtypes("l2_routing", l2_routing)


@wrong("l2_routing", "NaN at zero")
def divides_always(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * inputs[here] / np.sqrt(np.sum(inputs[here] ** 2))
    return out


def with_a_share_at_zero(share):
    def answer(inputs, delta, size, stride):
        out = l2_routing(inputs, delta, size, stride)
        for place, here in windows(delta, size, stride):
            if not inputs[here].any():
                out[here] += delta[place] * share
        return out

    return answer


@wrong("l2_routing", "another slope at zero")
def equal_parts_at_zero(inputs, delta, size, stride):
    return with_a_share_at_zero(1 / (size[0] * size[1]))(inputs, delta, size, stride)


@wrong("l2_routing", "another slope at zero")
def a_unit_vector_at_zero(inputs, delta, size, stride):
    return with_a_share_at_zero(1 / math.sqrt(size[0] * size[1]))(inputs, delta, size, stride)


@wrong("l2_routing", "another slope at zero")
def all_of_delta_at_zero(*given):
    return with_a_share_at_zero(1)(*given)


@wrong("l2_routing", "not divided by the norm")
def without_norm(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * inputs[here]
    return out


@wrong("l2_routing", "derivative of the sum of squares")
def two_x(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] += delta[place] * 2 * inputs[here]
    return out


@wrong("l2_routing", "divided by the square of the norm")
def norm_squared(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        s = (inputs[here] ** 2).sum()
        if s > 0:
            out[here] += delta[place] * inputs[here] / s
    return out


def of_each_window(share):
    """An answer that divides without asking whether the norm is 0."""

    def answer(inputs, delta, size, stride):
        out = np.zeros(inputs.shape)
        for place, here in windows(delta, size, stride):
            window = inputs[here]
            out[here] += delta[place] * share(window, np.sqrt((window**2).sum()))
        return out

    return answer


SHARES = {
    "twice": (lambda w, y: 2 * w / y, "chain rule of the root cut short"),
    "magnitudes": (lambda w, y: np.abs(w) / y, "absolute values"),
    "mean": (lambda w, y: w / y / w.size, "divided by the count as well"),
    "delta_alone": (lambda w, y: np.ones(w.shape) / y, "x missing"),
    "squared": (lambda w, y: w**2 / y**2, "squares for entries"),
    "norm_twice": (lambda w, y: w / y**2, "divided by the square of the norm"),
}
for done, (share, name) in SHARES.items():
    answer = of_each_window(share)
    answer.__name__ = f"{done}_and_divides_always"
    wrong("l2_routing", name, "NaN at zero")(answer)


@wrong("l2_routing", "divided by the sum")
def divides_by_a_sum_that_is_not_zero(inputs, delta, size, stride):
    return of_each_window(lambda w, y: w / w.sum() if w.sum() != 0 else 0 * w)(inputs, delta, size, stride)


@wrong("l2_routing", "result turned by 180°", "NaN at zero")
def turned_and_divides_always(inputs, delta, size, stride):
    return np.rot90(of_each_window(lambda w, y: w / y)(inputs, delta, size, stride), 2)


@wrong("l2_routing", "absolute values")
def loses_the_sign(inputs, delta, size, stride):
    return l2_routing(np.abs(inputs), delta, size, stride)


@wrong("l2_routing", "= for +=")
def l2_assigned(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        norm = np.linalg.norm(inputs[here])
        out[here] = delta[place] * inputs[here] / norm if norm else 0
    return out


@wrong("l2_routing", "x missing")
def delta_over_y(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        norm = np.linalg.norm(inputs[here])
        if norm:
            out[here] += delta[place] / norm
    return out


@wrong("l2_routing", "another pooling's way back")
def as_max(inputs, delta, size, stride):
    return max_routing(inputs, delta, size, stride)


@wrong("l2_routing", "= for +=", "NaN at zero")
def l2_assigned_with_nan(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for place, here in windows(delta, size, stride):
        out[here] = delta[place] * inputs[here] / np.linalg.norm(inputs[here])
    return out


@wrong("l2_routing", "chain rule of the root cut short")
def forgets_the_half(inputs, delta, size, stride):
    return 2 * l2_routing(inputs, delta, size, stride)


def shares(rule):
    """δ times ``rule`` of each window that is not all zeros, added up."""

    def answer(inputs, delta, size, stride):
        out = np.zeros(inputs.shape)
        for place, here in windows(delta, size, stride):
            if inputs[here].any():
                out[here] += delta[place] * rule(inputs[here])
        return out

    return answer


@wrong("l2_routing", "squares for entries")
def share_of_the_square(*given):
    return shares(lambda x: x**2 / np.sum(x**2))(*given)


@wrong("l2_routing", "norm for its derivative")
def times_the_norm(*given):
    return shares(np.linalg.norm)(*given)


@wrong("l2_routing", "divided by the sum")
def sum_of_magnitudes(*given):
    return shares(lambda x: x / np.abs(x).sum())(*given)


@wrong("l2_routing", "divided by the count as well")
def root_mean_square(*given):
    return shares(lambda x: x / np.linalg.norm(x) / x.size)(*given)


@wrong("l2_routing", "norm of the whole input")
def one_norm_for_all(inputs, delta, size, stride):
    whole = math.sqrt(sum(x * x for x in inputs.ravel()))
    return shares(lambda x: x / whole)(inputs, delta, size, stride)


@wrong("l2_routing", "stride ignored")
def l2_one_pixel_apart(inputs, delta, size, stride):
    return l2_routing(inputs, delta, size, (1, 1))


@wrong("l2_routing", "rows and columns swapped")
def l2_stride_backwards(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        here = np.s_[i * stride[1] :, j * stride[0] :]
        window = inputs[here][: size[0], : size[1]]
        if window.any():
            out[here][: size[0], : size[1]] += delta[i, j] * window / np.linalg.norm(window)
    return out


@wrong("max_routing", "largest from 0 on")
def begins_at_zero(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        best, place = 0, None
        for m, n in np.ndindex(*size):
            if inputs[stride[0] * i + m, stride[1] * j + n] > best:
                best, place = inputs[stride[0] * i + m, stride[1] * j + n], (stride[0] * i + m, stride[1] * j + n)
        if place:
            out[place] += delta[i, j]
    return out


@wrong("max_routing", "one mask for all windows")
def masks_first(inputs, delta, size, stride):
    mask, out = np.zeros(inputs.shape), np.zeros(inputs.shape)
    windows = {
        (i, j): np.s_[stride[0] * i : stride[0] * i + size[0], stride[1] * j : stride[1] * j + size[1]]
        for i, j in np.ndindex(delta.shape)
    }
    for window in windows.values():
        row, column = np.unravel_index(inputs[window].argmax(), size)
        mask[window][row, column] = 1
    for place, window in windows.items():
        out[window] += mask[window] * delta[place]
    return out


@wrong("max_routing", "winner's number read with the wrong length")
def columns_counted_by_the_rows(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        top, left = stride[0] * i, stride[1] * j
        number = inputs[top : top + size[0], left : left + size[1]].argmax()
        out[top + number // inputs.shape[1], left + number % inputs.shape[1]] += delta[i, j]
    return out


@wrong("average_routing", "δ copied up")
def nearest_window(delta, input_size, size, stride):
    rows = np.minimum(np.arange(input_size[0]) // stride[0], delta.shape[0] - 1)
    columns = np.minimum(np.arange(input_size[1]) // stride[1], delta.shape[1] - 1)
    return delta[rows][:, columns] / (size[0] * size[1])


@wrong("max_routing", "equal entries outside the window")
def compared_with_the_whole_input(inputs, delta, size, stride):
    out = np.zeros(inputs.shape)
    for i, j in np.ndindex(delta.shape):
        top, left = stride[0] * i, stride[1] * j
        out[inputs == inputs[top : top + size[0], left : left + size[1]].max()] += delta[i, j]
    return out
