"""How long a convolutional layer takes here, in PyTorch, and in its bare matrix products, side by side.

    python benchmarks/convolution.py
    python benchmarks/convolution.py profile

Forward, kernel gradient, input gradient and bias gradient together, in float32, on one thread. Each side is shown
with its fastest variant: PyTorch with its own order of the axes and with channels last, the matrix products with one
for the whole batch and one per image. They are timed in turns by the processor time that they take, so that a busy
machine slows all of them alike. With the word ``profile`` it shows instead where our time goes.
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"  # these are read when NumPy and PyTorch are imported

import platform
import sys
from cProfile import Profile
from pstats import Stats
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np

from convbp import conv2d, conv2d_bias_gradient, conv2d_input_gradient, conv2d_kernel_gradient

try:
    import torch
except ModuleNotFoundError:
    torch = None

SECONDS = 8  # for each layer
TURN_SECONDS = 0.005  # short calls are repeated for this long before it is another's turn


class Case(NamedTuple):
    batch: int
    size: int
    channels: int
    filters: int
    kernel_size: int
    goal: float
    """Our time at most this many times PyTorch's."""

    def __str__(self):
        n, s, c, d, k, _ = self
        return f"{n}×{s}×{s}×{c} → {d}, {k}×{k}"


CASES = [
    *(Case(batch, 28, 1, 6, 5, goal=1.0) for batch in (1, 32, 256)),
    *(Case(batch, 14, 6, 16, 5, goal=1.0) for batch in (1, 32, 256)),
    Case(8, 56, 64, 64, 3, goal=2.0),
]


def arrays(case):
    """Random inputs, kernel, bias and delta."""
    n, s, c, d, k, _ = case
    places = s - k + 1
    rng = np.random.default_rng(0)
    shapes = (n, s, s, c), (k, k, c, d), (d,), (n, places, places, d)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def ours(case):
    inputs, kernel, bias, delta = arrays(case)

    def run():
        return (
            conv2d(inputs, kernel, bias),
            conv2d_kernel_gradient(inputs, delta, case.kernel_size),
            conv2d_input_gradient(delta, kernel, case.size),
            conv2d_bias_gradient(delta),
        )

    return {"convbp": run}


def pytorch(case):
    def variant(memory_format):
        # A copy of its own: what comes out of as many transpositions is in neither order.
        inputs, kernel, bias, delta = (torch.from_numpy(array) for array in arrays(case))
        inputs = inputs.permute(0, 3, 1, 2).contiguous(memory_format=memory_format).requires_grad_()
        kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=memory_format).requires_grad_()
        delta = delta.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)
        bias.requires_grad_()

        def run():
            outputs = torch.nn.functional.conv2d(inputs, kernel, bias)
            by_inputs, by_kernel, by_bias = torch.autograd.grad(outputs, (inputs, kernel, bias), delta)
            return outputs.detach(), by_kernel, by_inputs, by_bias

        return run

    return {"NCHW": variant(torch.contiguous_format), "channels last": variant(torch.channels_last)}


def matrix_products(case):
    """The three products with every matrix there and in order: the least that a layer made of them takes."""
    n, s, c, d, k, _ = case
    rng = np.random.default_rng(0)

    def variant(batch, rows):
        windows = rng.standard_normal((batch, rows, k * k * c), dtype=np.float32)
        delta = rng.standard_normal((batch, rows, d), dtype=np.float32)
        kernel = rng.standard_normal((k * k * c, d), dtype=np.float32)
        return lambda: (windows @ kernel, windows.swapaxes(1, 2) @ delta, delta @ kernel.T)

    places = (s - k + 1) ** 2
    return {"one product": variant(1, n * places), "one per image": variant(n, places)}


def in_turns(variants):
    """Median seconds of the processor per call of each of the functions, timed in turns."""
    repeats = {}
    for name, run in variants.items():
        run()
        start = perf_counter()
        run()
        repeats[name] = max(1, round(TURN_SECONDS / (perf_counter() - start)))
    times = {name: [] for name in variants}
    end = perf_counter() + SECONDS
    while perf_counter() < end:
        for name, run in variants.items():
            start = process_time()
            for _ in range(repeats[name]):
                run()
            times[name].append((process_time() - start) / repeats[name])
    return {name: median(seconds) for name, seconds in times.items()}


def assert_same(ours, theirs):
    outputs, by_kernel, by_inputs, by_bias = (array.numpy() for array in theirs)
    theirs = outputs.transpose(0, 2, 3, 1), by_kernel.transpose(2, 3, 1, 0), by_inputs.transpose(0, 2, 3, 1), by_bias
    for here, there in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-3, atol=1e-3 * np.abs(there).max())


def fastest(times, variants):
    name = min(variants, key=times.get)
    return times[name] * 1e3, name


def profile(case):
    """Print in which functions the time goes, of those that take 4 % of it or more; without what they call."""
    run, profiler = ours(case)["convbp"], Profile(process_time)
    run()
    for _ in range(round(SECONDS * 1e6 / (case.batch * case.size**2 * case.channels * case.filters)) + 3):
        profiler.runcall(run)
    stats = Stats(profiler)
    print(case)
    for (_, _, function), (_, _, seconds, _, _) in sorted(stats.stats.items(), key=lambda item: -item[1][2]):
        if seconds >= 0.04 * stats.total_tt:
            print(f"    {seconds / stats.total_tt:4.0%}  {function}")


def main():
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; float32, one thread")
    if torch is None:
        print("PyTorch is not there to compare with: python -m pip install torch")
    else:
        torch.set_num_threads(1)
        print(f"PyTorch {torch.__version__}")
    print("forward and three gradients together, milliseconds, median of many turns\n")
    print(f"{'layer':<22}{'convbp':>9}{'PyTorch':>9}{'products':>10}   convbp / PyTorch   convbp / products")
    for case in CASES:
        sides = ours(case), pytorch(case) if torch else {}, matrix_products(case)
        if torch:
            assert_same(sides[0]["convbp"](), sides[1]["NCHW"]())
        times = in_turns({name: run for side in sides for name, run in side.items()})
        here, _ = fastest(times, sides[0])
        floor, floor_name = fastest(times, sides[2])
        there, ratio, name = "–", "–", ""
        if torch:
            seconds, name = fastest(times, sides[1])
            verdict = "reached" if here <= case.goal * seconds else "missed"
            there, ratio = f"{seconds:.3f}", f"{here / seconds:.2f} (≤ {case.goal:g} {verdict})"
            name = f"PyTorch {name}, "
        print(
            f"{case!s:<22}{here:>9.3f}{there:>9}{floor:>10.3f}   {ratio:<19}{here / floor:.2f}   [{name}{floor_name}]"
        )


if __name__ == "__main__":
    if sys.argv[1:] == ["profile"]:
        for case in CASES:
            profile(case)
    else:
        main()
