"""What a network of this package costs and reaches, beside the same network in PyTorch where that is installed.

    python benchmarks/network.py [accuracy] [time] [memory] [growth]

One thread, float32.

accuracy  on held-out digits, of the default network with the default options
time      of training. PyTorch begins with the same weights, sees the same batches in the same order, and has to come to
          the same loss; the two train epoch by epoch in turns, so that a busy machine slows both.
memory    at the peak of a training step, beside the arrays that it has to keep
growth    of the time with batch, size, channels and kernel, beside that of the number of multiplications
"""

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"  # these are read when NumPy and PyTorch are imported

import platform
import sys
import tracemalloc
from inspect import signature
from statistics import mean, median
from time import perf_counter, process_time

import numpy as np

from convbp import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Network,
    digit_network,
    fit,
    half_sum_of_squares,
    split_digits,
    train,
)
from convbp.networks.layers import Activate
from convbp.networks.training import Progress

try:
    import torch
except ModuleNotFoundError:
    torch = None

SEEDS = range(5)
DEFAULTS = {name: p.default for name, p in signature(train).parameters.items() if p.default is not p.empty}


def run(network, digits, **options):
    """Train to the end; return the last record."""
    return fit(network, digits.images, digits.labels, test=digits.test, **options)


def verdict(reached):
    return "reached" if reached else "missed"


def accuracy():
    count = sum(array.size for array in digit_network().parameters.values())
    found = [run(digit_network(seed), split_digits(seed), seed=seed).test_accuracy for seed in SEEDS]
    listed = ", ".join(f"{seed}: {share:.2%}" for seed, share in zip(SEEDS, found, strict=True))
    same_split = [run(digit_network(seed), split_digits(), seed=seed).test_accuracy for seed in SEEDS]
    halves = [run(digit_network(seed), split_digits(None), seed=seed).test_accuracy for seed in SEEDS]
    print("Accuracy on 450 held-out digits")
    print(f"  parameters {count:,} (≤ 30,000 {verdict(count <= 30_000)})")
    print(f"  first run, all defaults {found[0]:.2%} (≥ 98 % {verdict(found[0] >= 0.98)})")
    print(f"  mean of five seeds {mean(found):.2%} (≥ 98.5 % {verdict(mean(found) >= 0.985)})")
    print(f"    each for split, weights and order: {listed}")
    print(f"  the default split, five seeds for weights and order: mean {mean(same_split):.2%}")
    print(f"  scikit-learn's two halves, by other writers, five seeds: mean {mean(halves):.2%}")


# PyTorch's side


def in_pytorch(network):
    """The same network with the same weights; for layers as in `digit_network`."""
    translated = {
        Conv2D: lambda layer, w: torch.nn.Conv2d(w.shape[2], w.shape[3], w.shape[:2], layer.stride, layer.padding),
        MaxPool2D: lambda layer, w: torch.nn.MaxPool2d(layer.size, layer.stride, layer.padding),
        Flatten: lambda layer, w: torch.nn.Flatten(),
        Dense: lambda layer, w: torch.nn.Linear(*w.shape),
    }
    modules = []
    for name, layer in network.layers.items():
        own = [network.parameters[full] for full in network.parameter_names[name].values()]
        make = translated.get(type(layer), lambda layer, w: torch.nn.ReLU())
        modules.append(make(layer, own[0] if own else None))
        if own:
            weights = own[0]
            if weights.ndim == 4:
                weights = weights.transpose(3, 2, 0, 1)
            else:  # PyTorch flattens (C, H, W)
                h, w, c = network.shapes[list(network.layers)[list(network.layers).index(name) - 2]]
                weights = weights.reshape(h, w, c, -1).transpose(3, 2, 0, 1).reshape(weights.shape[1], -1)
            with torch.no_grad():
                modules[-1].weight.copy_(torch.from_numpy(np.ascontiguousarray(weights)))
                modules[-1].bias.copy_(torch.from_numpy(own[1].copy()))
    return torch.nn.Sequential(*modules)


def train_in_pytorch(
    model, digits, memory_format, *, epochs, batch_size, learning_rate, momentum, weight_decay, seed, test
):
    """The loop of `convbp.train` as one writes it with PyTorch."""

    def as_tensor(images):
        return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=memory_format)

    model.to(memory_format=memory_format)
    images, labels = as_tensor(digits.images), torch.from_numpy(digits.labels)
    test_images, test_labels = as_tensor(digits.test_images), torch.from_numpy(digits.test_labels)
    optimizer = torch.optim.SGD(model.parameters(), learning_rate, momentum, weight_decay=weight_decay)
    loss_function, rng, step = torch.nn.CrossEntropyLoss(), np.random.default_rng(seed), 0
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(rng.permutation(len(images)))
        batches = order.split(batch_size)
        for batch in batches:
            step += 1
            optimizer.zero_grad()
            scores = model(images[batch])
            loss = loss_function(scores, labels[batch])
            loss.backward()
            optimizer.step()
            right, tested = (scores.argmax(1) == labels[batch]).float().mean().item(), None
            if batch is batches[-1]:
                with torch.no_grad():
                    tested = (model(test_images).argmax(1) == test_labels).float().mean().item()
            yield Progress(step, epochs * len(batches), epoch, epochs, loss.item(), right, tested)


def timed_epochs(records):
    """Give for each epoch its seconds on the clock, on the processor, and its last record."""
    clock, processor = perf_counter(), process_time()
    for record in records:
        if record.test_accuracy is not None:
            yield perf_counter() - clock, process_time() - processor, record
            clock, processor = perf_counter(), process_time()


def time():
    options, digits, network = {**DEFAULTS}, split_digits(), digit_network()
    options["test"] = digits.test
    sides = {"convbp": train(network, digits.images, digits.labels, **options)}
    if torch:
        for name, memory_format in {"NCHW": torch.contiguous_format, "channels last": torch.channels_last}.items():
            model = in_pytorch(digit_network())
            sides[f"PyTorch {name}"] = train_in_pytorch(model, digits, memory_format, **options)
    turns = zip(*map(timed_epochs, sides.values()), strict=True)
    print("Time of training, default network and options, tested after each epoch; milliseconds per epoch, medians")
    medians, first_losses = {}, []
    for name, epochs in zip(sides, zip(*turns, strict=True), strict=True):
        clock, processor, records = zip(*epochs, strict=True)
        medians[name] = median(processor)
        first_losses.append(records[0].loss)
        print(
            f"  {name:<22}{median(processor) * 1e3:6.1f} of the processor, {median(clock) * 1e3:6.1f} on the clock; "
            f"loss {records[0].loss:.6f} after epoch 1, tested {records[-1].test_accuracy:.2%} after {len(epochs)}"
        )
    if not torch:
        print("  PyTorch is not there to compare with: python -m pip install torch")
        return
    np.testing.assert_allclose(first_losses, first_losses[0], rtol=0.02)
    ours, theirs = medians.pop("convbp"), min(medians.values())
    print(f"  convbp / the faster PyTorch, of the processor: {ours / theirs:.2f} (≤ 1 {verdict(ours <= theirs)})")


def memory():
    digits = split_digits()
    print("Memory at the peak of a training step, the default network, in MB and as a multiple of")
    print("  a) parameters, gradients, velocity, and every array of the forward pass, all of which can be opened")
    print("  b) the same, of the forward pass only what the way back reads: inputs of Conv2D, Dense, activations")
    for batch in 32, 256:
        tracemalloc.start()
        network, images = digit_network(), digits.images[:batch]
        records = train(network, images, digits.labels[:batch], batch_size=batch)
        next(records)
        tracemalloc.reset_peak()
        next(records)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        forward = network.forward(images)
        arrays = [forward.inputs, *(result.output for result in forward.results.values())]
        read = [forward.output] + [
            forward.results[name].inputs
            for name, layer in network.layers.items()
            if isinstance(layer, Conv2D | Activate | Dense)
        ]
        a, b = (size(kept) + 3 * size(network.parameters.values()) for kept in (arrays, read))
        print(
            f"  batch {batch:>3}: {peak / 1e6:5.2f} = {peak / a:.2f} × a, {a / 1e6:.2f} (≤ 2 {verdict(peak <= 2 * a)}) "
            f"= {peak / b:.2f} × b, {b / 1e6:.2f}"
        )


def size(arrays):
    """In bytes; an array and what is only another view of it count once."""
    return sum({array.ctypes.data: array.nbytes for array in arrays}.values())


def growth():
    """Forward and backward of one convolutional layer, as many filters as channels, padded to keep its size."""
    usual = {"batch": 16, "size": 16, "channels": 16, "kernel": 3}
    print("Growth of the time of a layer, forward and all gradients: fitted exponents, of the processor's time and of")
    print(f"the number of multiplications; what does not vary is {', '.join(f'{n} {v}' for n, v in usual.items())}")
    for name, values in {
        "batch": (4, 8, 16, 32, 64, 128),
        "size": (8, 12, 16, 24, 32, 48),
        "channels": (4, 8, 16, 32, 64),
        "kernel": (1, 3, 5, 7, 9),
    }.items():
        cases = [usual | {name: value} for value in values]
        steps = [layer_step(**case) for case in cases]
        seconds = np.median([[seconds_of(step) for step in steps] for _ in range(15)], axis=0)
        counts = [3 * c["batch"] * (c["size"] * c["channels"] * c["kernel"]) ** 2 for c in cases]
        by_time, by_count = (np.polyfit(np.log(values), np.log(y), 1)[0] for y in (seconds, counts))
        listed = ", ".join(f"{value}: {s * 1e3:.2g} ms" for value, s in zip(values, seconds, strict=True))
        print(f"  {name:<9} time {by_time:.2f}, multiplications {by_count:.2f}   ({listed})")


def layer_step(batch, size, channels, kernel):
    layer = Conv2D(channels, kernel, padding=kernel // 2)
    network = Network((size, size, channels), layer, loss=half_sum_of_squares)
    images = np.random.default_rng(0).random((batch, size, size, channels), dtype=np.float32)
    return lambda: network.backward(network.forward(images), images)


def seconds_of(step):
    start = process_time()
    step()
    return process_time() - start


PARTS = {"accuracy": accuracy, "time": time, "memory": memory, "growth": growth}


def main():
    asked = sys.argv[1:] or list(PARTS)
    if wrong := set(asked) - set(PARTS):
        sys.exit(f"There is no part {', '.join(sorted(wrong))}; expected some of {', '.join(PARTS)}.")
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}; float32, one thread")
    if torch:
        torch.set_num_threads(1)
        print(f"PyTorch {torch.__version__}")
    for part in asked:
        print()
        PARTS[part]()


if __name__ == "__main__":
    main()
