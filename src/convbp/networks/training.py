"""Gradient descent: w ← w − η·v, with v = μ·v + ∂E/∂w + λ·w, one small batch of images after the other.

The article (Jefkine Kafunah, "Backpropagation In Convolutional Neural Networks", DeepGrid, 2016) ends with the
gradients; this is what they are for. η is the learning rate, μ the momentum, λ the weight decay, as in PyTorch's SGD.

`train` is a generator: it does one step for each record that is taken from it. To pause is not to take the next one;
to go on is to take it; and what happens between two steps is up to whoever takes them. `fit` takes them all.
"""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, inf, sqrt
from operator import attrgetter
from typing import Any

import numpy as np

from convbp.losses import half_sum_of_squares
from convbp.networks.network import Network
from convbp.shapes import NotFiniteError, as_count, as_real


class DivergenceError(ArithmeticError):
    """The loss, or a parameter, is no longer a finite number."""


class AtChanceWarning(UserWarning):
    """A training has ended, and the network does no better than by guessing."""


@dataclass(frozen=True)
class Progress:
    """Where a training stands after one step.

    Attributes
    ----------
    step, steps : int
        How many steps are done, and how many there will be.
    epoch, epochs : int
        The pass through the images that the step belongs to, from 1, and how many there will be.
    loss : float
        Of the step's batch, before the step.
    accuracy : float
        The share of the batch that was classified right, before the step.
    test_accuracy : float or None
        The share of the test images that is classified right, after the last step of an epoch.
    images : int
        How many there are in the batch; the last one of an epoch may be smaller.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    accuracy: float
    test_accuracy: float | None = None
    images: int = 1


def train(
    network: Network,
    images: Any,
    labels: Any,
    *,
    test: tuple[Any, Any] | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 0.03,
    momentum: float = 0.9,
    weight_decay: float = 0.002,
    seed: int = 0,
) -> Iterator[Progress]:
    """Train ``network`` by stochastic gradient descent; a step is done for each record that is taken.

    By itself, `train` does no step: loop over what it returns, or call `fit`.

    Equal networks, images and seeds give equal weights, to the bit on one machine. After each step
    ``network.parameters`` are new arrays, so whoever looks at them meanwhile sees no half step.

    Parameters
    ----------
    network : Network
    images : array_like, shape=(N, H, W, C)
    labels : array_like
        What the network's loss takes: for softmax cross-entropy the classes as integers, shape=(N,).
    test : (images, labels), optional
        To find the accuracy on, after each epoch.
    epochs : int
        Passes through all images, each in another order.
    batch_size : int
        Images per step; the last batch of an epoch may be smaller.
    learning_rate : float
        η > 0.
    momentum : float
        0 ≤ μ < 1.
    weight_decay : float
        λ ≥ 0.
    seed : int
        Of the orders.

    Yields
    ------
    Progress

    Raises
    ------
    TypeError, ValueError
        At once, before any step, if one of the arguments is not as described.
    DivergenceError
        On a step whose loss or weights are NaN or infinite, or after which the scores of the test images are; the
        network keeps the weights from before this step.

    Warns
    -----
    AtChanceWarning
        At the end, if the network is right no more often than by always naming the most frequent class.
    """
    # Copies, where need be: who changes the arrays between two steps changes no training that has been checked.
    given = images, labels
    images, labels = (
        array.copy() if np.may_share_memory(array, own) else array
        for array, own in zip(_as_examples("train:", network, *given), map(np.asarray, given), strict=True)
    )
    if test is not None:
        if not isinstance(test, tuple | list) or len(test) != 2:
            raise TypeError(f"train: test is {type(test).__name__}; expected a pair (images, labels).")
        test = _as_examples("train: test", network, *test)
    epochs, batch_size = as_count("train", "epochs", epochs), as_count("train", "batch_size", batch_size)
    learning_rate = _as_rate("learning_rate", learning_rate, "more than 0, mostly between 0.001 and 0.1", zero=False)
    momentum = _as_rate("momentum", momentum, "at least 0 and less than 1, often 0.9", below=1)
    weight_decay = _as_rate("weight_decay", weight_decay, "at least 0, often 0 or 0.001")
    rng = np.random.default_rng(as_count("train", "seed", seed, 0))
    _keep_freed_memory()

    def steps() -> Iterator[Progress]:
        batches, step = ceil(len(images) / batch_size), 0
        velocity = {name: np.zeros_like(array) for name, array in network.parameters.items()}
        for epoch in range(1, epochs + 1):
            right_of_all = 0.0
            order = rng.permutation(len(images))
            for batch in np.split(order, range(batch_size, len(order), batch_size)):
                step += 1
                before, on_test = network.parameters, None
                try:
                    loss, right, velocity = _step(
                        network, images[batch], labels[batch], velocity, learning_rate, momentum, weight_decay
                    )
                    if test and step == epoch * batches:
                        on_test = accuracy(network, *test)
                except NotFiniteError:
                    if network.parameters is not before:
                        network.replace_parameters(dict(before))
                    raise DivergenceError(
                        f"train: diverged at step {step}, in epoch {epoch}: a number became infinite or NaN. "
                        f"Try a smaller learning_rate, {min(learning_rate / 10, 0.1):g} instead of {learning_rate:g} "
                        f"(mostly it is between 0.001 and 0.1), and inputs between 0 and 1. Start from a new network: "
                        f"this one has the weights from before this step, which are rarely of use."
                    ) from None
                right_of_all += right * len(batch)
                yield Progress(step, epochs * batches, epoch, epochs, loss, right, on_test, len(batch))
        _warn_at_chance(network, labels, right_of_all / len(images), step, learning_rate, batch_size)

    return steps()


def fit(network: Network, images: Any, labels: Any, **options: Any) -> Progress:
    """Train ``network`` to the end, and return the last record.

    Parameters
    ----------
    network, images, labels, **options
        As for `train`, which says what it raises and warns of, too.

    Returns
    -------
    Progress
    """
    *_, last = train(network, images, labels, **options)
    return last


def accuracy(network: Network, images: Any, labels: Any) -> float:
    """The share of the images that the network classifies as the labels say.

    Parameters
    ----------
    network, images, labels
        As for `train`.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    NotFiniteError
        A `ValueError`, if a score is NaN or infinite: then no class has the largest.
    """
    images, labels = _as_examples("accuracy:", network, images, labels)
    right = 0
    for i in range(0, len(images), 256):  # a few at a time, which takes less memory
        with np.errstate(all="ignore"):  # what is not finite is found without NumPy's warnings
            scores = network.scores(images[i : i + 256])
        if not np.isfinite(scores).all():
            raise NotFiniteError(
                "accuracy: the network's scores are not finite, as of one whose training diverged; expected numbers. "
                "Train a new network with a smaller learning_rate."
            )
        right += _right(scores, labels[i : i + 256]).sum()
    return float(right / len(images))


def show_progress(records: Iterable[Progress]) -> Iterator[Progress]:
    """Pass the records of `train` on, with a progress bar in terminal or notebook.

    Parameters
    ----------
    records : iterable of Progress

    Yields
    ------
    Progress

    Raises
    ------
    ModuleNotFoundError
        If there is no tqdm, whose bar it is.
    """
    try:
        from tqdm.auto import tqdm  # here, as importing convbp loads NumPy only
    except ModuleNotFoundError as error:
        message = "show_progress needs tqdm, which is not installed in this Python: pip install tqdm"
        raise ModuleNotFoundError(message, name="tqdm") from error
    bar = None
    try:
        for record in records:
            if bar is None:  # the first record of a training that may have begun before
                bar = tqdm(total=record.steps, initial=record.step - 1, unit="step")
            shown = {"epoch": record.epoch, "loss": f"{record.loss:.3f}"}
            if record.test_accuracy is not None:
                shown["test"] = f"{record.test_accuracy:.1%}"
            bar.set_postfix(shown, refresh=False)
            bar.update()
            yield record
    finally:
        if bar is not None:
            bar.close()


def _step(
    network: Network,
    images: np.ndarray,
    labels: np.ndarray,
    velocity: dict[str, np.ndarray],
    learning_rate: float,
    momentum: float,
    weight_decay: float,
) -> tuple[float, float, dict[str, np.ndarray]]:
    """Do one step; return the loss and the accuracy before it, and the new velocity."""
    with np.errstate(all="ignore"):  # what is not finite is found without NumPy's warnings
        forward = network.forward(images)
        loss, right = network.loss(forward.output, labels), _right(forward.output, labels).mean()
        gradients: dict[str, np.ndarray] = {}
        backwards = network.backpropagate(forward, labels)
        del forward  # nor does what follows hold a delta: the arrays go as the backward pass leaves them behind
        for own in map(attrgetter("gradients"), backwards):
            gradients |= own
        velocity = {
            name: momentum * velocity[name] + gradients[name] + weight_decay * w
            for name, w in network.parameters.items()
        }
        new = {name: w - learning_rate * velocity[name] for name, w in network.parameters.items()}
    if not (np.isfinite(loss) and all(np.isfinite(array).all() for array in new.values())):
        raise NotFiniteError("the loss or a weight is not finite")
    network.replace_parameters(new)
    return float(loss), float(right), velocity


STEPS_TO_JUDGE = 100
"""Of a shorter training nobody expects much."""


def _warn_at_chance(
    network: Network, labels: np.ndarray, right: float, steps: int, learning_rate: float, batch_size: int
) -> None:
    """Say so if ``right``, the share over the last epoch, is within two standard deviations of guessing."""
    _, counts = np.unique(_classes(labels), return_counts=True)
    chance = counts.max() / len(labels)
    if steps < STEPS_TO_JUDGE or right > chance + 2 * sqrt(chance * (1 - chance) / len(labels)) or len(counts) == 1:
        return
    sums = network.loss is half_sum_of_squares
    rate = learning_rate / 10 / (batch_size if sums else 1)
    warnings.warn(
        f"train: after {steps} steps the network is right in {right:.1%} of the images, as by chance: always to name "
        f"the most frequent class is right in {chance:.1%}; expected more. A new network may learn, with a "
        f"learning_rate of {rate:.1g} instead of {learning_rate:g}"
        + (", as this loss is summed over the batch" if sums else "")
        + ". If not: do the labels belong to the images, and are these between 0 and 1?",
        AtChanceWarning,
        stacklevel=3,
    )


def _keep_freed_memory() -> None:
    """Free one large block: from then on the GNU C library keeps what each step frees, for the next one.

    Otherwise it returns some megabytes to the system after every step and asks for them again, and a step takes up to
    twice as long. The block is never written to, so it costs nothing, here or with another library.
    """
    np.empty(2**24, np.uint8)


def _right(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which rows of the scores have their largest where the labels say; targets in rows have it at their largest."""
    return scores.argmax(axis=1) == _classes(labels)


def _classes(labels: np.ndarray) -> np.ndarray:
    return labels if labels.ndim == 1 else labels.argmax(axis=1)


def _as_examples(operation: str, network: Network, images: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels as arrays that fit together and the network: the loss says what is wrong with a label."""
    if not isinstance(network, Network):
        raise TypeError(f"{operation} network is {type(network).__name__}; expected a Network.")
    images = network.as_inputs(f"{operation} images", images)
    if len(network.output_shape) != 1:
        raise ValueError(
            f"{operation} the network ends in {list(network.layers)[-1]}, which gives {network.output_shape} per "
            f"image; expected one row of numbers. Put Flatten() and Dense(…) at its end."
        )
    try:
        network.loss(np.zeros((len(images), *network.output_shape), network.dtype), labels)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{operation} labels: {error}") from None
    return images, np.asarray(labels)


def _as_rate(name: str, value: object, expected: str, below: float = inf, zero: bool = True) -> float:
    """``value`` as a float of Python's: one of NumPy's would turn the weights into its own dtype."""
    return as_real("train", name, value, f"number {expected}", lambda rate: 0 <= rate < below and (zero or rate > 0))
