"""Training: every update by hand, repeatable to the bit, what it reaches, how it stops, and what it refuses."""

import io
import re
import sys
import tracemalloc
import warnings
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from convbp import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Network,
    accuracy,
    digit_network,
    fit,
    half_sum_of_squares,
    relu,
    show_progress,
    split_digits,
    train,
)
from convbp.networks.training import AtChanceWarning, DivergenceError, Progress


def small_network(**options):
    return Network((8, 8, 1), Conv2D(4, (3, 2)), relu, MaxPool2D(2), Flatten(), Dense(10), **options)


def images_and_labels(count=20):
    digits = split_digits()
    return digits.images[:count], digits.labels[:count]


def weights(network):
    return {name: array.copy() for name, array in network.parameters.items()}


def test_a_step_is_the_printed_update():
    images, labels = images_and_labels(12)
    trained, by_hand = small_network(dtype=np.float64), small_network(dtype=np.float64)
    records = list(
        train(
            trained, images, labels, epochs=2, batch_size=5, learning_rate=0.2, momentum=0.7, weight_decay=0.01, seed=9
        )
    )
    rng, w = np.random.default_rng(9), weights(by_hand)
    v, step = {name: 0 * array for name, array in w.items()}, 0
    for epoch in (1, 2):
        order = rng.permutation(12)
        for batch in (order[0:5], order[5:10], order[10:12]):
            forward = by_hand.forward(images[batch])
            backward = by_hand.backward(forward, labels[batch])
            right = [row.argmax() == label for row, label in zip(forward.output, labels[batch], strict=True)]
            assert records[step] == Progress(
                step + 1, 6, epoch, 2, backward.loss, sum(right) / len(right), None, len(batch)
            )
            for name in w:
                v[name] = 0.7 * v[name] + backward.gradients[name] + 0.01 * w[name]
                w[name] = w[name] - 0.2 * v[name]
            by_hand.parameters = w
            step += 1
    for name, array in trained.parameters.items():
        np.testing.assert_allclose(array, w[name], rtol=1e-12)


def test_a_step_is_done_when_its_record_is_taken_and_not_before():
    network = small_network()
    records = train(network, *images_and_labels())
    first = network.parameters
    kept = weights(network)
    next(records)
    second = network.parameters
    assert first is not second
    for name, array in first.items():  # what was read before stays as it was
        np.testing.assert_array_equal(array, kept[name])
        assert not np.array_equal(array, second[name])
        assert array.dtype == second[name].dtype == np.float32


def test_equal_seeds_give_equal_bits_and_pausing_changes_none():
    def trained(seed, pause=False):
        network = digit_network(seed)
        records = train(network, *images_and_labels(100), epochs=3, seed=seed)
        if pause:
            list(islice(records, 5))
            accuracy(network, *images_and_labels(10))
        *_, last = records
        return b"".join(array.tobytes() for array in network.parameters.values()), last

    assert trained(1) == trained(1, pause=True)
    assert trained(1) != trained(2)


def test_the_seeds_that_nobody_gives_are_0():
    one, other = digit_network(), digit_network(seed=0)
    fit(one, *images_and_labels(20), epochs=1, batch_size=8)
    fit(other, *images_and_labels(20), epochs=1, batch_size=8, seed=0)
    for name, array in one.parameters.items():
        np.testing.assert_array_equal(array, other.parameters[name])
    for array, same in zip(split_digits(), split_digits(seed=0), strict=True):
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("order", [1, 2])
def test_the_seed_decides_the_order_alone(order):
    one, other = small_network(), small_network()
    list(train(one, *images_and_labels(), epochs=1, batch_size=3, seed=order))
    list(train(other, *images_and_labels(), epochs=1, batch_size=3, seed=order + 1))
    assert not np.array_equal(one.parameters["dense1.weights"], other.parameters["dense1.weights"])


@pytest.mark.slow
def test_it_learns_the_digits():
    digits, network = split_digits(), digit_network()
    records = list(train(network, digits.images, digits.labels, test=digits.test, epochs=3))
    tested = [record for record in records if record.test_accuracy is not None]
    assert [(record.step, record.epoch) for record in tested] == [(43, 1), (86, 2), (129, 3)]
    assert {record.steps for record in records} == {129}
    assert records[0].loss == pytest.approx(np.log(10), rel=0.3)
    right = network.classify(digits.test_images) == digits.test_labels
    assert tested[-1].test_accuracy == accuracy(network, *digits.test) == right.mean()
    assert right.mean() > 0.95
    assert all(isinstance(number, int | float) for number in (tested[-1].loss, tested[-1].accuracy))


def test_a_loss_with_targets_in_rows():
    images, labels = images_and_labels(60)
    targets = np.eye(10)[labels]
    network = small_network(loss=half_sum_of_squares)
    records = list(train(network, images, targets, test=(images, targets), batch_size=6, learning_rate=0.005))
    assert records[-1].loss < records[0].loss / 4
    assert records[-1].test_accuracy == accuracy(network, images, targets) > 0.5
    assert {array.dtype for array in network.parameters.values()} == {np.dtype(np.float32)}
    assert {array.dtype for array in network.backward(network.forward(images), targets).values()} == {np.dtype("f4")}


@pytest.mark.parametrize("batch", [32, 256])
def test_a_step_takes_less_memory_than_twice_the_arrays_of_the_forward_pass_and_the_parameters(batch):
    digits = split_digits()
    images, labels = digits.images[:batch], digits.labels[:batch]
    tracemalloc.start()
    try:
        network = digit_network()
        records = train(network, images, labels, batch_size=batch)
        next(records)
        tracemalloc.reset_peak()
        next(records)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    results = network.forward(images).results
    outputs = [images] + [results[name].output for name in results if not name.startswith("flatten")]
    with_gradients_and_velocity = 3 * sum(array.nbytes for array in network.parameters.values())
    assert peak < 1.9 * (sum(array.nbytes for array in outputs) + with_gradients_and_velocity)


# How it stops


@pytest.mark.parametrize(("rate", "instead"), [(50.0, "0.1 instead of 50 "), (1e30, "0.1 instead of 1e+30 ")])
def test_divergence_is_a_sentence_and_leaves_finite_weights(rate, instead):
    network = digit_network()
    records = train(network, *images_and_labels(200), learning_rate=rate)
    said = r"train: diverged at step \d+, in epoch \d+: a number became infinite or NaN\. Try a smaller learning_rate, "
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DivergenceError, match=said + re.escape(f"{instead}(mostly it is between 0.001 and 0.1)")):
            list(records)
    assert all(np.isfinite(array).all() for array in network.parameters.values())
    assert next(records, "over") == "over"


def test_of_a_small_rate_it_advises_a_tenth():
    records = train(small_network(), *images_and_labels(), learning_rate=0.5, momentum=0, weight_decay=1e39)
    with pytest.raises(DivergenceError, match=r"a smaller learning_rate, 0\.05 instead of 0\.5 \("):
        list(records)


@pytest.mark.parametrize("rate", [1e15, 1e25])
def test_a_divergence_that_only_the_test_images_show(rate):
    network, (images, labels), digits = digit_network(), images_and_labels(32), split_digits()
    records = train(network, images, labels, test=digits.test, epochs=1, learning_rate=rate)
    before = weights(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DivergenceError, match="diverged at step 1, in epoch 1: a number became infinite or NaN"):
            list(records)
    assert all((network.parameters[name] == array).all() for name, array in before.items())


def test_no_accuracy_of_scores_that_are_not_finite():
    network = small_network()
    network.parameters = {name: 0 * array + 1e30 for name, array in network.parameters.items()}
    with pytest.raises(ValueError, match=r"^accuracy: the network's scores are not finite.*numbers\. Train a new "):
        accuracy(network, *images_and_labels())


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_who_changes_the_arrays_meanwhile_changes_no_training(kind):
    images, labels = images_and_labels(40)
    images, labels = images.astype(kind), labels.copy()
    alone, watched = small_network(), small_network()
    losses = [record.loss for record in train(alone, images.copy(), labels.copy(), epochs=2)]
    records = train(watched, images, labels, epochs=2)
    for loss in losses:
        assert next(records).loss == loss
        images[:], labels[:] = 0, 99
    assert all((array == watched.parameters[name]).all() for name, array in alone.parameters.items())


def test_a_diverging_step_changes_nothing():
    network = small_network()
    records = train(network, *images_and_labels(), learning_rate=1e39)
    before = network.parameters
    with pytest.raises(DivergenceError, match="diverged at step 1, in epoch 1"):
        next(records)
    assert network.parameters is before


# To the end


def test_fit_trains_to_the_end():
    fitted, trained = small_network(), small_network()
    *_, last = train(trained, *images_and_labels(), epochs=2, test=images_and_labels())
    assert fit(fitted, *images_and_labels(), epochs=2, test=images_and_labels()) == last
    for name, array in trained.parameters.items():
        np.testing.assert_array_equal(array, fitted.parameters[name])
    with pytest.raises(ValueError, match="train: epochs is 0; expected at least 1"):
        fit(small_network(), *images_and_labels(), epochs=0)


def test_a_record_says_how_many_images_its_batch_has():
    records = list(train(small_network(), *images_and_labels(12), epochs=2, batch_size=5))
    assert [record.images for record in records] == [5, 5, 2] * 2


@pytest.mark.slow
def test_a_training_that_stays_at_chance_says_so():
    """The default learning rate is too large for a loss that is summed over the batch."""
    digits, layers = split_digits(), digit_network().layers.values()
    images, targets = digits.images[:640], np.eye(10)[digits.labels[:640]]
    said = (
        r"train: after 100 steps the network is right in 1?\d\.\d% of the images, as by chance: always to name "
        r"the most frequent class is right in 1\d\.\d%; expected more\. A new network may learn, with a "
        r"learning_rate of 9e-05 instead of 0\.03, as this loss is summed over the batch\. If not: do the labels"
    )
    with pytest.warns(AtChanceWarning, match=said):
        fit(Network((8, 8, 1), *layers, loss=half_sum_of_squares), images, targets, epochs=5)
    advised = Network((8, 8, 1), *layers, loss=half_sum_of_squares)
    assert fit(advised, images, targets, epochs=5, learning_rate=9e-5).accuracy > 0.6  # or a warning fails it


def test_labels_of_other_images_are_a_training_at_chance():
    digits = split_digits()
    shuffled = np.random.default_rng(0).permutation(digits.labels)
    with pytest.warns(AtChanceWarning, match=r"learning_rate of 0\.003 instead of 0\.03\. If not: do the labels"):
        fit(small_network(), digits.images, shuffled, epochs=3)


def test_what_is_no_training_at_chance():
    """A short one; one class alone, which is right by chance and always."""
    images, labels = images_and_labels()
    fit(small_network(), images, np.random.default_rng(0).permutation(labels), epochs=2)
    fit(small_network(), images, 0 * labels, epochs=20, batch_size=4)


# The progress bar


def test_a_progress_bar_in_the_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    images, labels = images_and_labels()
    records = list(train(small_network(), images, labels, test=(images, labels), epochs=2, batch_size=4))
    assert list(show_progress(records)) == records
    shown = sys.stderr.getvalue()
    assert "10/10" in shown
    assert f"loss={records[-1].loss:.3f}" in shown
    assert f"test={records[-1].test_accuracy:.1%}" in shown


def test_a_progress_bar_of_the_rest(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    records = train(small_network(), *images_and_labels(), epochs=2, batch_size=4)
    list(islice(records, 4))
    assert [record.step for record in show_progress(records)] == [5, 6, 7, 8, 9, 10]
    assert "10/10" in sys.stderr.getvalue()
    assert " 4/10 " in sys.stderr.getvalue()  # where it begins


def test_the_bar_stops_where_the_training_does(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = show_progress(train(small_network(), *images_and_labels(), batch_size=4, learning_rate=1e30))
    with pytest.raises(DivergenceError, match="at step 2"):
        list(bar)
    assert sys.stderr.getvalue().endswith("\n")


# What it refuses

IMAGES, LABELS = images_and_labels()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"learning_rate": 0},
            "train: learning_rate is 0; expected a number more than 0, mostly between 0.001 and 0.1.",
        ),
        ({"learning_rate": -0.1}, "train: learning_rate is -0.1; expected a number more than 0"),
        ({"learning_rate": float("nan")}, "train: learning_rate is nan; expected a number more than 0"),
        ({"learning_rate": float("inf")}, "train: learning_rate is inf; expected a number more than 0"),
        ({"learning_rate": "0.1"}, "train: learning_rate is '0.1'; expected a number more than 0"),
        ({"momentum": 1}, "train: momentum is 1; expected a number at least 0 and less than 1, often 0.9."),
        ({"weight_decay": -1}, "train: weight_decay is -1; expected a number at least 0"),
        ({"epochs": 0}, "train: epochs is 0; expected at least 1."),
        ({"batch_size": 2.5}, "train: batch_size is 2.5; expected an integer"),
        ({"seed": -1}, "train: seed is -1; expected at least 0."),
        ({"seed": None}, "train: seed is None; expected an integer, for example seed=8."),
        ({"labels": LABELS[:-1]}, "train: labels: softmax_cross_entropy: targets has shape (19,); expected (20,)."),
        ({"labels": LABELS + 8}, "expected 0 … 9, as the outputs have 10 scores per row. Classes count from 0."),
        ({"labels": LABELS.astype(float)}, "targets has entries of type float64; expected the classes as integers."),
        ({"labels": LABELS.astype(str)}, "targets has entries of type str; expected real numbers"),
        ({"labels": LABELS.astype(str)}, "np.asarray(targets, dtype=int)"),
        ({"labels": np.eye(10)[LABELS]}, "One class per image; from one-hot rows: one_hot.argmax(axis=1)."),
        ({"labels": [[1], [2, 3]]}, "targets is a nested list with rows of different lengths"),
        ({"images": IMAGES.astype(float) * 1e300}, "train: images: inputs has an entry that is too large for float32"),
        ({"images": IMAGES[:, :7]}, "train: images: inputs have shape (20, 7, 8, 1); expected (N, 8, 8, 1)."),
        ({"images": IMAGES[..., 0]}, "Grey images go in as images[..., None]."),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "train: images: inputs is empty, its shape is (0, 8, 8, 1)"),
        ({"test": (IMAGES[:, :7], LABELS)}, "train: test images: inputs have shape (20, 7, 8, 1)"),
        ({"test": (IMAGES, LABELS - 9)}, "train: test labels: softmax_cross_entropy: targets has the class -"),
        ({"test": IMAGES[:2]}, "train: test is ndarray; expected a pair (images, labels)."),
        ({"test": (IMAGES, LABELS, 3)}, "train: test is tuple; expected a pair (images, labels)."),
    ],
    ids=lambda value: "" if isinstance(value, str) else "-".join(value),
)
def test_what_is_refused_is_refused_at_once_and_nothing_changed(changes, said):
    network = small_network()
    before = network.parameters
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        train(**({"network": network, "images": IMAGES, "labels": LABELS} | changes))
    assert network.parameters is before


def test_what_is_not_a_network():
    with pytest.raises(TypeError, match="train: network is type; expected a Network"):
        train(Network, IMAGES, LABELS)
    with pytest.raises(TypeError, match="accuracy: network is type; expected a Network"):
        accuracy(Network, IMAGES, LABELS)


@pytest.mark.parametrize("kind", [np.float64, np.float32, Fraction])
def test_rates_of_any_kind_leave_the_weights_their_dtype(kind):
    network, same = small_network(), small_network()
    rates = {"learning_rate": 1 / 8, "momentum": 1 / 2, "weight_decay": 1 / 64}
    list(train(network, IMAGES, LABELS, epochs=1, **{name: kind(rate) for name, rate in rates.items()}))
    list(train(same, IMAGES, LABELS, epochs=1, **rates))
    for name, array in network.parameters.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, same.parameters[name])


def test_a_network_that_ends_in_maps_cannot_classify():
    network = Network((8, 8, 1), Conv2D(4, 3))
    with pytest.raises(ValueError, match=re.escape("ends in conv1, which gives (6, 6, 4) per image; expected one row")):
        train(network, IMAGES, LABELS)


def test_a_bar_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ModuleNotFoundError, match="pip install tqdm"):
        next(show_progress([]))
