"""Answers to the exercises on sliding windows, as strangers write them."""

import itertools

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from scipy import ndimage, signal

from examination.sheet import Sheet

# cross_correlation

correlation = Sheet("cross_correlation")


@correlation.right("list comprehension")
def _(img, k):
    h, w = k.shape
    return [
        [float((img[r : r + h, c : c + w] * k).sum()) for c in range(img.shape[1] - w + 1)]
        for r in range(img.shape[0] - h + 1)
    ]


@correlation.right("windows and einsum")
def _(img, k):
    return np.einsum("xyab,ab->xy", sliding_window_view(img, k.shape), k)


@correlation.right("scipy")
def _(img, k):
    return signal.correlate2d(img, k, "valid")


@correlation.right("FFT")
def _(img, k):
    size = [a + b - 1 for a, b in zip(img.shape, k.shape, strict=True)]
    full = np.fft.irfft2(np.fft.rfft2(img, size) * np.fft.rfft2(k[::-1, ::-1], size), size)
    return full[k.shape[0] - 1 : img.shape[0], k.shape[1] - 1 : img.shape[1]]


@correlation.right("im2col")
def _(img, k):
    oh, ow = img.shape[0] - k.shape[0] + 1, img.shape[1] - k.shape[1] + 1
    cols = []
    for r in range(oh):
        for c in range(ow):
            cols.append(img[r : r + k.shape[0], c : c + k.shape[1]].reshape(-1))
    return (np.array(cols) @ k.reshape(-1)).reshape(oh, ow)


@correlation.right("strides, float32")
def _(img, k):
    img = np.ascontiguousarray(img, np.float32)
    shape = (img.shape[0] - k.shape[0] + 1, img.shape[1] - k.shape[1] + 1, *k.shape)
    return np.tensordot(as_strided(img, shape, img.strides * 2), k.astype(np.float32), 2)


@correlation.right("recursion over the rows of the kernel")
def _(img, k):
    def one_row(row):
        if row == len(k):
            return 0.0
        oh, ow = len(img) - len(k) + 1, img.shape[1] - k.shape[1] + 1
        here = sum(k[row, c] * img[row : row + oh, c : c + ow] for c in range(k.shape[1]))
        return here + one_row(row + 1)

    return one_row(0)


@correlation.wrong("one half-width for both axes", r"k\.shape|shape|[kK]1|kernel")
def _(img, k):
    p = k.shape[0] // 2
    out = np.zeros((img.shape[0] - k.shape[0] + 1, img.shape[1] - k.shape[1] + 1))
    for r in range(p, p + out.shape[0]):
        for c in range(p, p + out.shape[1]):
            out[r - p, c - p] = np.sum(img[r - p : r - p + k.shape[0], c - p : c - p + k.shape[0]] * k)
    return out


@correlation.wrong("truncated buffer of integers", "integers")
def _(img, k):
    out = np.zeros((img.shape[0] - k.shape[0] + 1, img.shape[1] - k.shape[1] + 1), dtype=np.int32)
    for r, c in np.ndindex(out.shape):
        out[r, c] = (img[r : r + k.shape[0], c : c + k.shape[1]] * k).sum()
    return out


@correlation.wrong("convolution by the library", "turn|convolution|flip")
def _(img, k):
    return signal.convolve2d(img, k, mode="valid")


@correlation.wrong("same size, from scipy's default", "as large as the image")
def _(img, k):
    return ndimage.correlate(img.astype(float), k.astype(float), mode="constant")


@correlation.wrong("full by default", "full")
def _(img, k):
    return signal.correlate2d(img, k)


@correlation.wrong("swapped arguments of the library", "exchanged|shape|order|turned")
def _(img, k):
    return signal.correlate2d(k, img, "valid")[::-1, ::-1][:1, :1]


@correlation.wrong("one window too few", "one row and one column")
def _(img, k):
    oh, ow = img.shape[0] - k.shape[0], img.shape[1] - k.shape[1]
    return np.array([[(img[r : r + k.shape[0], c : c + k.shape[1]] * k).sum() for c in range(ow)] for r in range(oh)])


@correlation.wrong("mean for sum", "mean")
def _(img, k):
    return np.mean(sliding_window_view(img, k.shape) * k, axis=(2, 3))


@correlation.wrong("rounded at the end", "rounded")
def _(img, k):
    return np.rint(signal.correlate2d(img, k, "valid"))


@correlation.wrong("matrix product of window and kernel's transpose, its trace of a part", "—")
def _(img, k):
    v = sliding_window_view(img, k.shape)
    return np.array([[(a @ k.T)[0, 0] for a in row] for row in v])


@correlation.wrong("the kernel is normalised first", "sum|factor|divided|mean")
def _(img, k):
    return signal.correlate2d(img, k / np.abs(k).sum(), "valid")


@correlation.wrong("returns a tuple of result and shape", "several|tuple|lists|shape|numbers")
def _(img, k):
    out = signal.correlate2d(img, k, "valid")
    return out, out.shape


@correlation.wrong("no return", "None|return")
def _(img, k):
    signal.correlate2d(img, k, "valid")


@correlation.wrong("cached by shape", "remember")
def _(img, k, cache={}):  # noqa: B006
    key = (img.shape, k.shape)
    if key not in cache:
        cache[key] = signal.correlate2d(img, k, "valid")
    return cache[key]


@correlation.wrong("the kernel's axes swapped in the loop", "transpos|axes|exchanged|index|shape")
def _(img, k):
    out = np.zeros((img.shape[0] - k.shape[0] + 1, img.shape[1] - k.shape[1] + 1))
    for i, j in np.ndindex(out.shape):
        for m, n in np.ndindex(k.shape):
            out[i, j] += img[i + n, j + m] * k[m, n] if i + n < len(img) and j + m < img.shape[1] else 0
    return out


@correlation.wrong("the last product alone, = for +=", r"= for \+=|last|overwr|\+=|is written as")
def _(img, k):
    out = np.zeros((img.shape[0] - k.shape[0] + 1, img.shape[1] - k.shape[1] + 1))
    for i, j in np.ndindex(out.shape):
        for m, n in np.ndindex(k.shape):
            out[i, j] = img[i + m, j + n] * k[m, n]
    return out


# convolution

convolution = Sheet("convolution")


@convolution.right("scipy")
def _(A, K):
    return signal.convolve2d(A, K, mode="valid")


@convolution.right("loops from the far end")
def _(A, K):
    k1, k2 = K.shape
    H, W = A.shape
    S = np.zeros((H - k1 + 1, W - k2 + 1))
    for i in range(k1 - 1, H):
        for j in range(k2 - 1, W):
            S[i - k1 + 1, j - k2 + 1] = sum(A[i - m, j - n] * K[m, n] for m in range(k1) for n in range(k2))
    return S


@convolution.right("np.flip and einsum")
def _(A, K):
    return np.einsum("ijmn,mn->ij", sliding_window_view(A, K.shape), np.flip(K))


@convolution.right("rot90 twice and slices")
def _(A, K):
    K = np.rot90(np.rot90(K))
    return [
        [np.vdot(A[i : i + len(K), j : j + len(K[0])], K) for j in range(A.shape[1] - K.shape[1] + 1)]
        for i in range(A.shape[0] - K.shape[0] + 1)
    ]


@convolution.right("scatter, then cut")
def _(A, K):
    k1, k2 = K.shape
    H, W = A.shape
    full = np.zeros((H + k1 - 1, W + k2 - 1))
    for (m, n), w in np.ndenumerate(K):
        full[m : m + H, n : n + W] += w * A
    return full[k1 - 1 : H, k2 - 1 : W]


@convolution.right("FFT")
def _(A, K):
    F = np.fft.fft2(A) * np.fft.fft2(K, A.shape)
    return np.fft.ifft2(F).real[K.shape[0] - 1 :, K.shape[1] - 1 :]


@convolution.right("plain lists")
def _(A, K):
    A, K = A.tolist(), [row[::-1] for row in K.tolist()[::-1]]
    out = []
    for i in range(len(A) - len(K) + 1):
        out.append([])
        for j in range(len(A[0]) - len(K[0]) + 1):
            s = 0
            for m in range(len(K)):
                for n in range(len(K[0])):
                    s += A[i + m][j + n] * K[m][n]
            out[-1].append(s)
    return out


@convolution.wrong("cross-correlation", "cross-correlation|not turned|turn")
def _(A, K):
    return np.einsum("ijmn,mn->ij", sliding_window_view(A, K.shape), K)


@convolution.wrong("flipped top to bottom alone (flipud)", "one axis|rows|top|axis")
def _(A, K):
    return signal.correlate2d(A, np.flipud(K), "valid")


@convolution.wrong("flipped left to right alone (fliplr)", "one axis|columns|left|axis")
def _(A, K):
    return signal.correlate2d(A, np.fliplr(K), "valid")


@convolution.wrong("turned by 90 degrees, where it fits", "90|shape|transpos")
def _(A, K):
    return signal.correlate2d(A, np.rot90(K), "valid")


@convolution.wrong("transposed for turned", "transpos|shape")
def _(A, K):
    return signal.correlate2d(A, K.T, "valid")


@convolution.wrong("circular, not cut", "wrap|around|begin|part|shape")
def _(A, K):
    return np.fft.ifft2(np.fft.fft2(A) * np.fft.fft2(K, A.shape)).real


@convolution.wrong("circular, cut at the other end", "wrap|moved|begin|cut|border|FFT")
def _(A, K):
    F = np.fft.ifft2(np.fft.fft2(A) * np.fft.fft2(K, A.shape)).real
    return F[: A.shape[0] - K.shape[0] + 1, : A.shape[1] - K.shape[1] + 1]


@convolution.wrong("same mode", "as large as the image")
def _(A, K):
    return signal.convolve2d(A, K, mode="same")


@convolution.wrong("negative indices wrap around, first rows returned", "negative|wrap|around")
def _(A, K):
    k1, k2 = K.shape
    S = np.zeros((A.shape[0] - k1 + 1, A.shape[1] - k2 + 1))
    for i, j in np.ndindex(S.shape):
        S[i, j] = sum(A[i - m, j - n] * K[m, n] for m in range(k1) for n in range(k2))
    return S


@convolution.wrong("zeros outside, first rows returned", "zero|outside|moved|begin|full")
def _(A, K):
    k1, k2 = K.shape
    S = np.zeros((A.shape[0] - k1 + 1, A.shape[1] - k2 + 1))
    for i, j in np.ndindex(S.shape):
        for m, n in np.ndindex(K.shape):
            if i - m >= 0 and j - n >= 0:
                S[i, j] += A[i - m, j - n] * K[m, n]
    return S


@convolution.wrong("flips the image instead", "image|turn|result")
def _(A, K):
    return signal.correlate2d(np.flip(A), K, "valid")


@convolution.wrong("flips twice", "cross-correlation|not turned|twice")
def _(A, K):
    return signal.convolve2d(A, np.flip(K), "valid")


@convolution.wrong("astype(int)", "integers")
def _(A, K):
    return signal.convolve2d(A, K, "valid").astype(int)


@convolution.wrong("index off by one in the flip: K[-m]", "negative|index|row|−m|-m|is written as|K")
def _(A, K):
    k1, k2 = K.shape
    S = np.zeros((A.shape[0] - k1 + 1, A.shape[1] - k2 + 1))
    for i, j in np.ndindex(S.shape):
        for m, n in np.ndindex(K.shape):
            S[i, j] += A[i + m, j + n] * K[-m, -n]
    return S


@convolution.wrong("turned in place: changes the argument", "changes its argument")
def _(A, K):
    K[:] = K[::-1, ::-1]
    return signal.correlate2d(A, K, "valid")


@convolution.wrong("swapped arguments", "order|exchanged|shape")
def _(A, K):
    return signal.convolve2d(K, A, mode="full")


# rot180

turned = Sheet("rot180")


@turned.right("slices")
def _(k):
    return k[::-1, ::-1]


@turned.right("np.rot90")
def _(k):
    return np.rot90(k, k=2)


@turned.right("reversed flat list")
def _(k):
    return k.ravel()[::-1].reshape(k.shape)


@turned.right("loops")
def _(k):
    out = np.empty_like(k)
    for m in range(k.shape[0]):
        for n in range(k.shape[1]):
            out[m, n] = k[-1 - m, -1 - n]
    return out


@turned.right("lists")
def _(k):
    return [list(reversed(row)) for row in reversed(k.tolist())]


@turned.right("flipud and fliplr, float32")
def _(k):
    return np.flipud(np.fliplr(k)).astype(np.float32)


@turned.right("permutation matrices")
def _(k):
    return np.eye(len(k))[::-1] @ k @ np.eye(k.shape[1])[::-1]


@turned.wrong("transpose", "rows and columns")
def _(k):
    return k.T


@turned.wrong("flipud", "rows|top|one axis|axis")
def _(k):
    return np.flipud(k)


@turned.wrong("fliplr", "columns|left|one axis|axis")
def _(k):
    return np.fliplr(k)


@turned.wrong("rot90 once", "90")
def _(k):
    return np.rot90(k)


@turned.wrong("rot90 clockwise", "90")
def _(k):
    return np.rot90(k, -1)


@turned.wrong("rot90 four times", "as it came")
def _(k):
    return np.rot90(k, 4)


@turned.wrong("unchanged", "as it came")
def _(k):
    return k


@turned.wrong("index -m, -n", "-m|−m|negative|index")
def _(k):
    return np.array([[k[-m, -n] for n in range(k.shape[1])] for m in range(k.shape[0])])


@turned.wrong("in a loop in place, half overwritten", "changes its argument|half|copy|overwr")
def _(k):
    for m in range(k.shape[0]):
        for n in range(k.shape[1]):
            k[m, n] = k[k.shape[0] - 1 - m, k.shape[1] - 1 - n]
    return k


@turned.wrong("copied, then overwritten while it is read", "half|copy|overwr|while|read")
def _(k):
    out = k.copy()
    for m in range(k.shape[0]):
        for n in range(k.shape[1]):
            out[m, n] = out[k.shape[0] - 1 - m, k.shape[1] - 1 - n]
    return out


@turned.wrong("anti-transpose", "rows and columns")
def _(k):
    return k[::-1, ::-1].T


@turned.wrong("negated", "sign|negat|−|minus")
def _(k):
    return -k[::-1, ::-1]


@turned.wrong("off by one: an index too far", "index|IndexError")
def _(k):
    out = np.zeros(k.shape)
    for m, n in np.ndindex(k.shape):
        out[m, n] = k[k.shape[0] - m, k.shape[1] - n]
    return out


@turned.wrong("reversed rows as lists only", "rows|top|one axis|axis")
def _(k):
    return list(reversed(k.tolist()))


@turned.wrong("list.reverse() returns None", "None")
def _(k):
    return k.tolist().reverse()


@turned.wrong("flattened", "shape|flat")
def _(k):
    return k.flatten()[::-1]


@turned.wrong("flip of the first axis twice", "as it came")
def _(k):
    return np.flip(np.flip(k, 0), 0)


@turned.wrong("int8", "integers|wrap")
def _(k):
    return k[::-1, ::-1].astype(np.int8)


# full_convolution

full = Sheet("full_convolution")


@full.right("scipy default")
def _(a, k):
    return signal.convolve2d(a, k)


@full.right("scatter")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1))
    for i, j in np.ndindex(a.shape):
        out[i : i + k.shape[0], j : j + k.shape[1]] += a[i, j] * k
    return out


@full.right("pad and windows")
def _(a, k):
    (h, w) = k.shape
    p = np.pad(a, ((h - 1, h - 1), (w - 1, w - 1)))
    return (sliding_window_view(p, (h, w)) * k[::-1, ::-1]).sum((-1, -2))


@full.right("dictionary of sums")
def _(a, k):
    total = {}
    for (i, x), (m, y) in itertools.product(np.ndenumerate(a), np.ndenumerate(k)):
        at = i[0] + m[0], i[1] + m[1]
        total[at] = total.get(at, 0) + x * y
    rows, cols = a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1
    return [[total[r, c] for c in range(cols)] for r in range(rows)]


@full.right("FFT")
def _(a, k):
    return signal.fftconvolve(a, k)


@full.right("np.add.at")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1))
    i, j, m, n = np.indices(a.shape + k.shape)
    np.add.at(out, (i + m, j + n), a[i, j] * k[m, n])
    return out


@full.right("polynomials, row by row")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1))
    for i in range(len(a)):
        for m in range(len(k)):
            out[i + m] += np.convolve(a[i], k[m])
    return out


@full.wrong("cross-correlation, full", "cross-correlation|turn")
def _(a, k):
    return signal.correlate2d(a, k)


@full.wrong("valid", "valid|zeros|inside|part|shape")
def _(a, k):
    return signal.convolve2d(a, k, "valid")


@full.wrong("same", "as large as the image")
def _(a, k):
    return signal.convolve2d(a, k, "same")


@full.wrong("padding by k instead of k - 1", "padd|begin|margin|part|zeros")
def _(a, k):
    p = np.pad(a, [(n, n) for n in k.shape])
    return signal.convolve2d(p, k, "valid")


@full.wrong("padding by rows for both axes", "number of zeros")
def _(a, k):
    p = np.pad(a, k.shape[0] - 1)
    return signal.convolve2d(p, k, "valid")


@full.wrong("reflected, not zero", "reflect|edge|outside|border|zeros")
def _(a, k):
    return signal.convolve2d(a, k, "full", boundary="symm")


@full.wrong("wraps around", "other side")
def _(a, k):
    return signal.convolve2d(a, k, "full", boundary="wrap")


@full.wrong("= for += in the scatter", r"= for \+=|\+=|overwr|is written as|last")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1))
    for i, j in np.ndindex(a.shape):
        out[i : i + k.shape[0], j : j + k.shape[1]] = a[i, j] * k
    return out


@full.wrong("index arrays with +=, which adds once", r"np\.add\.at|index arrays|\+=|overwr|last")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1))
    i, j, m, n = np.indices(a.shape + k.shape)
    out[i + m, j + n] += a[i, j] * k[m, n]
    return out


@full.wrong("image flipped instead of the kernel", "image|turn")
def _(a, k):
    return signal.correlate2d(np.flip(a), k)


@full.wrong("kernel flipped in one axis", "axis|rows|top")
def _(a, k):
    return signal.convolve2d(a, k[::-1])


@full.wrong("buffer of integers", "integers")
def _(a, k):
    out = np.zeros((a.shape[0] + k.shape[0] - 1, a.shape[1] + k.shape[1] - 1), int)
    for i, j in np.ndindex(a.shape):
        for m, n in np.ndindex(k.shape):
            out[i + m, j + n] += int(a[i, j] * k[m, n])
    return out


@full.wrong("padded with ones", "ones|padd|zeros|outside|border")
def _(a, k):
    p = np.pad(a, [(n - 1, n - 1) for n in k.shape], constant_values=1)
    return signal.convolve2d(p, k, "valid")


@full.wrong("last row and column missing", "part|limit|shape|begin|row")
def _(a, k):
    return signal.convolve2d(a, k)[:-1, :-1]


@full.wrong("transposed", "rows and columns")
def _(a, k):
    return signal.convolve2d(a, k).T


@full.wrong("transposed kernel", "transpos|shape")
def _(a, k):
    return signal.convolve2d(a, k.T)


# region_q

region = Sheet("region_q")


@region.right("max and min")
def _(p, k, o):
    first = [max(0, a - b + 1) for a, b in zip(p, k, strict=True)]
    last = [min(a, n - 1) for a, n in zip(p, o, strict=True)]
    return [first, last]


@region.right("tuples")
def _(p, k, o):
    (i, j), (k1, k2), (h, w) = p, k, o
    return (max(i - k1 + 1, 0), max(j - k2 + 1, 0)), (min(i, h - 1), min(j, w - 1))


@region.right("np.clip")
def _(p, k, o):
    p, k, o = map(np.array, (p, k, o))
    return np.stack([np.clip(p - k + 1, 0, o - 1), np.clip(p, 0, o - 1)])


@region.right("search")
def _(p, k, o):
    seen = [(i, j) for i in range(o[0]) for j in range(o[1]) if 0 <= p[0] - i < k[0] and 0 <= p[1] - j < k[1]]
    return seen[0], seen[-1]


@region.right("if")
def _(p, k, o):
    i0, j0 = p[0] - k[0] + 1, p[1] - k[1] + 1
    if i0 < 0:
        i0 = 0
    if j0 < 0:
        j0 = 0
    i1 = p[0] if p[0] < o[0] else o[0] - 1
    j1 = p[1] if p[1] < o[1] else o[1] - 1
    return np.array([[i0, j0], [i1, j1]])


@region.right("floats")
def _(p, k, o):
    p, k, o = (np.array(x, float) for x in (p, k, o))
    return np.maximum(p - k + 1, 0), np.minimum(p, o - 1)


@region.right("mask and nonzero")
def _(p, k, o):
    mask = np.zeros(o)
    for i, j in np.ndindex(*o):
        mask[i, j] = i <= p[0] < i + k[0] and j <= p[1] < j + k[1]
    r, c = np.nonzero(mask)
    return (r.min(), c.min()), (r.max(), c.max())


@region.wrong("no clipping at all", "outside|clip|limit|max|min|border")
def _(p, k, o):
    return (p[0] - k[0] + 1, p[1] - k[1] + 1), p


@region.wrong("clipped below, not above", "outside|limit|min|last|output")
def _(p, k, o):
    return (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), p


@region.wrong("clipped above, not below", "outside|limit|max|negative|first")
def _(p, k, o):
    return (p[0] - k[0] + 1, p[1] - k[1] + 1), (min(p[0], o[0] - 1), min(p[1], o[1] - 1))


@region.wrong("+1 forgotten", "1|one")
def _(p, k, o):
    return (max(0, p[0] - k[0]), max(0, p[1] - k[1])), (min(p[0], o[0] - 1), min(p[1], o[1] - 1))


@region.wrong("end exclusive", "one|1|belong|end|slice")
def _(p, k, o):
    return (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), (min(p[0] + 1, o[0]), min(p[1] + 1, o[1]))


@region.wrong("o for o - 1", "one|1|last|size")
def _(p, k, o):
    return (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), (min(p[0], o[0]), min(p[1], o[1]))


@region.wrong("forward: the window begins at the pixel", "window|forward|plus|\\+|begin")
def _(p, k, o):
    return p, (min(p[0] + k[0] - 1, o[0] - 1), min(p[1] + k[1] - 1, o[1] - 1))


@region.wrong("centred window", "centr|middle|half|//")
def _(p, k, o):
    h, w = k[0] // 2, k[1] // 2
    return (max(0, p[0] - h), max(0, p[1] - w)), (min(o[0] - 1, p[0] + h), min(o[1] - 1, p[1] + w))


@region.wrong("rows and columns exchanged at the end", "exchang|transpos|rows and columns")
def _(p, k, o):
    a, b = (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), (min(p[0], o[0] - 1), min(p[1], o[1] - 1))
    return a[::-1], b[::-1]


@region.wrong("kernel's sides exchanged", "kernel_size|k1|k2|exchang")
def _(p, k, o):
    (k2, k1) = k
    return (max(0, p[0] - k1 + 1), max(0, p[1] - k2 + 1)), (min(p[0], o[0] - 1), min(p[1], o[1] - 1))


@region.wrong("(rows), (columns) instead of (first), (last)", "first and last row")
def _(p, k, o):
    return (max(0, p[0] - k[0] + 1), min(p[0], o[0] - 1)), (max(0, p[1] - k[1] + 1), min(p[1], o[1] - 1))


@region.wrong("kernel's rows for both axes", "k1|kernel_size|both|\\[0\\]")
def _(p, k, o):
    s = k[0]
    return (max(0, p[0] - s + 1), max(0, p[1] - s + 1)), (min(p[0], o[0] - 1), min(p[1], o[1] - 1))


@region.wrong("flat: four numbers", "shape")
def _(p, k, o):
    return max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1), min(p[0], o[0] - 1), min(p[1], o[1] - 1)


@region.wrong("last first", "first|last|order|exchang|mirrored|top to bottom")
def _(p, k, o):
    return (min(p[0], o[0] - 1), min(p[1], o[1] - 1)), (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1))


@region.wrong("the input's size for the output's", "input|output|size|H")
def _(p, k, o):
    n = o[0] + k[0] - 1, o[1] + k[1] - 1
    return (max(0, p[0] - k[0] + 1), max(0, p[1] - k[1] + 1)), (min(p[0], n[0] - 1), min(p[1], n[1] - 1))


@region.wrong("a range object each", "type|numbers|range|shape")
def _(p, k, o):
    return range(max(0, p[0] - k[0] + 1), min(p[0], o[0] - 1) + 1), range(
        max(0, p[1] - k[1] + 1), min(p[1], o[1] - 1) + 1
    )


SHEETS = [correlation, convolution, turned, full, region]
