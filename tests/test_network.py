"""Networks: both passes against plain loops and finite differences, their arrays, their files, and what they refuse."""

import os
import re
import stat
import tracemalloc
import zipfile
from copy import deepcopy

import numpy as np
import pytest

import convbp
from convbp import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    L2Pool2D,
    MaxPool2D,
    Network,
    check_gradients,
    half_sum_of_squares,
    leaky_relu,
    loops,
    relu,
    sigmoid,
    softplus,
    tanh,
)
from convbp.networks.layers import Activate

LABELS = np.array([3, 0, 2])


def images(seed=0, size=(7, 6, 2), count=3):
    return np.random.default_rng(seed).normal(size=(count, *size))


def network(pool=None, activation=tanh, **options):
    """Two convolutions with everything that can differ along the two axes differing."""
    return Network(
        (7, 6, 2),
        Conv2D(3, (2, 3), stride=(1, 2), padding=(2, 1)),
        activation,
        *([pool] if pool else []),
        Conv2D(4, (3, 2), dilation=(1, 2), padding=1),
        activation,
        Flatten(),
        Dense(5),
        activation,
        Dense(4),
        **options,
    )


POOLS = {
    "max": (MaxPool2D, loops.max_pool2d),
    "average": (AveragePool2D, loops.average_pool2d),
    "L2": (L2Pool2D, loops.l2_pool2d),
}


def with_biases(net):
    """The same network with all parameters off zero: a bias of 0 would hide one forgotten."""
    net.parameters = {name: array + 0.1 for name, array in net.parameters.items()}
    return net


@pytest.mark.parametrize("kind", POOLS)
def test_forward_is_the_printed_sums(kind):
    pool, pool_by_loops = POOLS[kind]
    window = {"size": (3, 2), "stride": (2, 1), "padding": (1, 0)}
    net = with_biases(network(pool(**window), dtype=np.float64))
    w = net.parameters
    x1 = loops.conv2d(images(), w["conv1.kernel"], w["conv1.bias"], stride=(1, 2), padding=(2, 1))
    pooled = pool_by_loops(np.tanh(x1), **window).output
    x2 = loops.conv2d(pooled, w["conv2.kernel"], w["conv2.bias"], dilation=(1, 2), padding=1)
    row = np.tanh(x2).reshape(3, -1)
    hidden = np.tanh(np.einsum("ni,iu->nu", row, w["dense1.weights"]) + w["dense1.bias"])
    scores = np.einsum("ni,iu->nu", hidden, w["dense2.weights"]) + w["dense2.bias"]
    forward = net.forward(images())
    by_hand = {
        "input": images(),
        "conv1.pre_activation": x1,
        "tanh1.output": np.tanh(x1),
        "pool1.output": pooled,
        "conv2.pre_activation": x2,
        "flatten1.output": row,
        "tanh3.output": hidden,
        "dense2.pre_activation": scores,
    }
    for name, expected in by_hand.items():
        np.testing.assert_allclose(forward[name], expected, rtol=1e-12, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(net.scores(images()), forward.output)
    exponentials = np.exp(scores)
    np.testing.assert_allclose(net.probabilities(images()), exponentials / exponentials.sum(1, keepdims=True), 1e-12)
    assert net.classify(images()).tolist() == scores.argmax(1).tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "kind"),
    [(tanh, "max"), (sigmoid, "average"), (softplus, "L2"), (relu, "max"), (leaky_relu, "average"), (relu, "L2")],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_gradient_is_a_central_difference(activation, kind):
    net = with_biases(network(POOLS[kind][0]((3, 2), stride=(2, 1), padding=(1, 0)), activation))
    found = check_gradients(net, images(), LABELS)
    assert found.agrees, found
    assert found.comparisons.keys() == net.parameters.keys()
    assert sum(marked.sum() for marked in found.kinks.values()) <= 2  # beside a ReLU's kink or a tie
    assert all(marked.shape == net.parameters[name].shape for name, marked in found.kinks.items())


def test_the_delta_of_the_input_is_a_central_difference():
    net = with_biases(network(dtype=np.float64))
    delta = net.backward(net.forward(images()), LABELS)["input.delta"]
    expected = convbp.central_difference(lambda x: net.loss(net.scores(x), LABELS), images())
    assert convbp.compare_gradients(delta, expected).agrees


def test_a_delta_of_ones_own_is_sent_back_to_every_layer():
    net, inputs = network(POOLS["max"][0](2), dtype=np.float64), images()
    weights = np.random.default_rng(3).normal(size=(3, 4))
    forward = net.forward(inputs)
    deltas = net.deltas(forward, weights)
    expected = convbp.central_difference(lambda o: (net.scores(o) * weights).sum(), inputs)
    np.testing.assert_allclose(deltas["input.delta"], expected, rtol=1e-6, atol=1e-8)
    upper = convbp.central_difference(
        lambda x: (net.run(x, net.parameters, "tanh2") * weights).sum(), forward["conv2.pre_activation"]
    )
    np.testing.assert_allclose(deltas["conv2.delta"], upper, rtol=1e-6, atol=1e-8)
    # begun with the loss's δ, it is what `backward` finds
    backward = net.backward(forward, LABELS)
    again = net.deltas(forward, net.loss.gradient(forward.output, LABELS))
    assert all(np.array_equal(again[name], backward[name]) for name in again)
    assert list(again) == [name for name in backward if name.endswith(".delta")]


def test_another_loss():
    net = with_biases(network(loss=half_sum_of_squares))
    assert check_gradients(net, images(), np.arange(12).reshape(3, 4) / 10).agrees


def flip_forgotten(self, delta, result, kernel, bias):
    return convbp.conv2d_input_gradient(delta, kernel[::-1, ::-1], result.inputs.shape[1:3], **self._steps)


def slope_forgotten(self, delta, result):
    return delta


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [(Conv2D, flip_forgotten), (Activate, slope_forgotten)],
    ids=["flip", "slope"],
)
def test_the_check_sees_a_wrong_backward_pass(monkeypatch, layer, wrong):
    net = with_biases(network())
    monkeypatch.setattr(layer, "backpropagate", wrong)
    found = check_gradients(net, images(), LABELS)
    assert not found.agrees
    assert not found.comparisons["conv1.kernel"].agrees
    assert found.comparisons["dense2.weights"].agrees  # above the mistake all is well
    assert "conv1.kernel: DIFFERS, relative error" in repr(found)


def test_the_check_counts_kinks_and_compares_the_rest():
    net = Network((4, 3, 1), Conv2D(2, (2, 1)), relu, Flatten(), Dense(3))
    blank_corner = np.abs(images(size=(4, 3, 1)))
    blank_corner[:, 0:2, 0] = 0  # a bias of 0 on inputs of 0: the ReLU stands at its kink
    found = check_gradients(net, blank_corner, LABELS % 3)
    assert found.kinks["conv1.bias"].all()
    assert found.comparisons["conv1.bias"] is None
    assert not found.kinks["conv1.kernel"].any()
    assert found.agrees
    assert "conv1.bias: not compared; 2 of 2 entries at a kink" in repr(found)
    assert re.search(r"conv1.kernel: agrees to \d+\.\d digits; none of 4 entries at a kink", repr(found))


def test_a_smaller_step_gets_away_from_a_kink_beside_the_point():
    net = Network((2, 1, 1), Conv2D(2, (2, 1)), relu, Flatten(), Dense(2), dtype=np.float64)
    net.parameters = {**net.parameters, "conv1.kernel": np.ones((2, 1, 1, 2)), "conv1.bias": [-1 + 3e-6, 1]}
    found = check_gradients(net, [[[[0.5]], [[0.5]]]], [1])  # the first unit is 3e-6 from its kink, the step is 1e-5
    assert found.agrees, found
    assert not any(marked.any() for marked in found.kinks.values())


def test_a_check_changes_nothing():
    net = network()
    before = net.parameters
    check_gradients(net, images(count=1), LABELS[:1])
    assert net.parameters is before
    assert net.dtype == np.float32


# The arrays


def test_every_array_has_its_name_and_prints_with_its_shape():
    net = network(MaxPool2D(2))
    forward = net.forward(images())
    backward = net.backward(forward, LABELS)
    assert repr(forward).splitlines() == [
        "array                  shape",
        "input                  (3, 7, 6, 2)",
        "conv1.pre_activation   (3, 10, 3, 3)",
        "tanh1.output           (3, 10, 3, 3)",
        "pool1.output           (3, 5, 1, 3)",
        "pool1.winners          (3, 5, 1, 3, 2)",
        "conv2.pre_activation   (3, 5, 1, 4)",
        "tanh2.output           (3, 5, 1, 4)",
        "flatten1.output        (3, 20)",
        "dense1.pre_activation  (3, 5)",
        "tanh3.output           (3, 5)",
        "dense2.pre_activation  (3, 4)",
    ]
    deltas = {name.removesuffix(".delta"): array.shape for name, array in backward.items() if name.endswith(".delta")}
    made = {name.partition(".")[0]: array.shape for name, array in forward.items() if not name.endswith(".winners")}
    assert deltas == made
    assert list(deltas) == list(made)[::-1]
    gradients = {name.removesuffix(".gradient") for name in backward if name.endswith(".gradient")}
    assert gradients == backward.gradients.keys() == net.parameters.keys()
    assert backward.loss == net.loss(forward.output, LABELS)
    assert all(array.dtype == np.float32 for array in (*net.parameters.values(), *backward.values()))


def test_the_steps_back_come_one_by_one_from_the_last_layer_to_the_first():
    net = network()
    forward = net.forward(images())
    steps = list(net.backpropagate(forward, LABELS))
    assert [step.layer for step in steps] == list(net.layers)[::-1]
    np.testing.assert_array_equal(steps[0].delta, net.loss.gradient(forward.output, LABELS))  # step 3


def test_an_array_that_is_not_there():
    with pytest.raises(KeyError, match=r"no array 'conv1.output'; expected one of input, conv1.pre_activation"):
        network().forward(images())["conv1.output"]


def test_gradients_are_for_the_parameters_of_their_forward_pass():
    net = network()
    forward = net.forward(images())
    before = net.backward(forward, LABELS)
    net.parameters = {name: 2 * array for name, array in net.parameters.items()}
    after = net.backward(forward, LABELS)
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])


def test_nothing_is_changed():
    net, inputs, labels = network(MaxPool2D(2), dtype=np.float64), images(), LABELS.copy()
    forward = net.forward(inputs)
    kept = {name: array.copy() for name, array in forward.items()}
    net.backward(forward, labels)
    for name, array in kept.items():
        np.testing.assert_array_equal(forward[name], array)
    np.testing.assert_array_equal(inputs, images())
    np.testing.assert_array_equal(labels, LABELS)
    with pytest.raises(ValueError, match="read-only"):
        net.parameters["conv1.kernel"][0] = 1


def test_it_prints_as_a_table():
    assert repr(network(AveragePool2D((2, 1), stride=1), relu)).splitlines() == [
        "name      layer                                             output shape  parameters",
        "input                                                       (7, 6, 2)              0",
        "conv1     Conv2D(3, (2, 3), stride=(1, 2), padding=(2, 1))  (10, 3, 3)            39",
        "relu1     relu                                              (10, 3, 3)             0",
        "pool1     AveragePool2D((2, 1), stride=1)                   (9, 3, 3)              0",
        "conv2     Conv2D(4, (3, 2), padding=1, dilation=(1, 2))     (9, 3, 4)             76",
        "relu2     relu                                              (9, 3, 4)              0",
        "flatten1  Flatten()                                         (108,)                 0",
        "dense1    Dense(5)                                          (5,)                 545",
        "relu3     relu                                              (5,)                   0",
        "dense2    Dense(4)                                          (4,)                  24",
        "                                                                                 684",
    ]


def test_seeds_and_dtypes():
    one, same, other = network(seed=1), network(seed=1), network(seed=2)
    assert all(np.array_equal(one.parameters[name], same.parameters[name]) for name in one.parameters)
    assert not np.array_equal(one.parameters["conv1.kernel"], other.parameters["conv1.kernel"])
    drawn, zero = Network((2,), Dense(3)), Network((2,), Dense(3), seed=0)
    np.testing.assert_array_equal(drawn.parameters["dense1.weights"], zero.parameters["dense1.weights"])
    wide = Network((30, 20, 4), Conv2D(50, (3, 5)), seed=3)
    assert np.std(wide.parameters["conv1.kernel"]) == pytest.approx(np.sqrt(2 / 60), rel=0.05)
    assert not wide.parameters["conv1.bias"].any()
    assert network(dtype=np.float64).scores(images()).dtype == np.float64
    assert network().copy(np.float64).scores(images()) == pytest.approx(network().scores(images()), rel=1e-4, abs=1e-5)


# Files


def test_what_is_saved_is_what_is_loaded(tmp_path):
    net, other = network(seed=1), network(seed=2)
    net.save(tmp_path / "weights.npz")
    other.load(tmp_path / "weights.npz")
    np.testing.assert_array_equal(other.scores(images()), net.scores(images()))
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as saved:
        assert list(saved.files) == list(net.parameters)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_a_save_through_a_link_writes_the_file_behind_it(tmp_path):
    """Also where that is not there yet; and who may read it stays as it was."""
    net, file, link = network(seed=1), tmp_path / "weights.npz", tmp_path / "newest.npz"
    try:
        link.symlink_to(file)
    except OSError:
        pytest.skip("this system lets nobody link")
    net.save(link)
    assert link.is_symlink()
    os.chmod(file, 0o600)
    network(seed=2).save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 or os.name == "nt"
    net.load(file)
    np.testing.assert_array_equal(net.parameters["conv1.kernel"], network(seed=2).parameters["conv1.kernel"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newest.npz", "weights.npz"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such things")
def test_a_save_replaces_nothing_that_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"Network\.save: .*pipe is a device or the like; expected a file"):
        network().save(tmp_path / "pipe")
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


@pytest.mark.parametrize("path", [0, 1.5, None, np.zeros(2), "", "a\0b"])
def test_what_is_no_path(path):
    """Least of all the number of a file that is open."""
    for method in network().save, network().load:
        with pytest.raises((TypeError, ValueError), match=r"path is .*; expected the name of a file, such as 'weights"):
            method(path)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((50, 1000, 1000), np.uint8), r"parameters\['conv1.kernel'\] has shape \(50, 1000, 1000\); expected"),
        (np.full((2, 3, 2, 3), "a" * 500_000), r"parameters\['conv1.kernel'\] has entries of type str; expected real"),
    ],
    ids=["shape", "text"],
)
def test_a_small_file_that_unpacks_to_much_is_refused_before_it_has(tmp_path, array, said):
    path = tmp_path / "weights.npz"
    np.savez_compressed(path, **(dict(network().parameters) | {"conv1.kernel": array}))
    peak = most_memory(lambda: network().load(path), said)
    assert path.stat().st_size < array.nbytes / 100
    assert peak < array.nbytes / 10


def test_a_header_that_unpacks_to_much_is_refused_before_it_has(tmp_path):
    """Of another version than `save` writes, a header may itself be of gigabytes."""
    path = tmp_path / "weights.npz"
    network().save(path)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members["conv1.kernel.npy"] = b"\x93NUMPY\x02\x00" + (2**25).to_bytes(4, "little") + b" " * 2**25
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    assert most_memory(lambda: network().load(path), "weights.npz is not a file of arrays") < 2**24


def most_memory(call, said):
    """At the peak of a call that is refused."""
    tracemalloc.start()
    try:
        with pytest.raises((TypeError, ValueError), match=said):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    net, path = network(), tmp_path / "weights.npz"
    net.save(path)
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        net.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


class Surprise:
    """What a pickle would run."""

    def __reduce__(self):
        return (print, ("surprise",))


def write_pickle(path):
    arrays = dict(network().parameters) | {"conv1.bias": np.array([Surprise()], dtype=object)}
    np.savez(path, **arrays)


def write_nan(path):
    arrays = dict(network().parameters)
    arrays["dense2.bias"] = np.array([0, np.nan, 0, 0], np.float32)
    np.savez(path, **arrays)


def write_truncated(path):
    network().save(path)
    path.write_bytes(path.read_bytes()[:-200])


def write_flipped_bits(path):
    network().save(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"dense1.weights") + 400
    data[at] ^= 0xFF
    path.write_bytes(bytes(data))


def write_one_array(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def write_other_layers(path):
    Network((7, 6, 2), Flatten(), Dense(4)).save(path)


def write_other_sizes(path):
    arrays = dict(network().parameters)
    arrays["dense2.weights"] = arrays["dense2.weights"].T
    np.savez(path, **arrays)


def write_words(path):
    arrays = dict(network().parameters) | {"conv1.bias": np.array(["a", "b", "c"])}
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (write_pickle, "weights.npz is not a file of arrays, or is damaged; expected what Network.save wrote."),
        (
            write_nan,
            "parameters['dense2.bias'] has an entry that is NaN or infinite; expected finite numbers. "
            "np.argwhere(~np.isfinite(parameters['dense2.bias'])) shows where.",
        ),
        (write_truncated, "weights.npz is not a file of arrays, or is damaged"),
        (write_flipped_bits, "weights.npz is not a file of arrays, or is damaged"),
        (write_one_array, "weights.npz is not a file of arrays"),
        (lambda path: path.write_text("hello"), "weights.npz is not a file of arrays"),
        (lambda path: path.write_bytes(b""), "weights.npz is not a file of arrays"),
        (
            write_other_layers,
            "Network.parameters: there is no conv1.kernel, conv1.bias, conv2.kernel, conv2.bias, dense2.weights, "
            "dense2.bias; expected conv1.kernel, conv1.bias",
        ),
        (
            write_other_sizes,
            "parameters['dense2.weights'] has shape (4, 5); expected (5, 4). It is of a network with layers",
        ),
        (write_words, "parameters['conv1.bias'] has entries of type str; expected real numbers"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_is_not_of_this_network_changes_nothing(tmp_path, capsys, write, said):
    net, path = network(seed=5), tmp_path / "weights.npz"
    before = net.parameters
    write(path)
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        net.load(path)
    assert net.parameters is before
    assert "surprise" not in capsys.readouterr().out


@pytest.mark.slow
def test_no_damage_to_a_file_says_anything_else_or_changes_anything(tmp_path):
    net, path = Network((3, 2, 1), Conv2D(2, (2, 1)), relu, Flatten(), Dense(2)), tmp_path / "weights.npz"
    net.save(path)
    data, values = path.read_bytes(), {name: array.copy() for name, array in net.parameters.items()}
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        before = net.parameters
        said = ""
        try:
            net.load(path)  # where the damage is to a date, for instance
        except ValueError as error:
            said = str(error)
        assert re.match(r"$|Network\.(load: weights\.npz is not a file of arrays|parameters: there is no )", said)
        assert not said or net.parameters is before
        for name, array in values.items():
            np.testing.assert_array_equal(net.parameters[name], array)


def test_parameters_that_are_given_stay_writeable():
    net = network()
    mine = {name: array.copy() for name, array in net.parameters.items()}
    net.parameters = mine
    mine["conv1.bias"][0] = 5
    assert net.parameters["conv1.bias"][0] == 0


def test_a_save_into_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Network\.save: there is no folder .*models for weights.npz"):
        network().save(tmp_path / "models" / "weights.npz")
    with pytest.raises(IsADirectoryError, match=r"Network\.save: .* is a folder; expected a file in it"):
        network().save(tmp_path)


@pytest.mark.parametrize(
    ("forward", "came"),
    [
        (lambda net: net.scores(images()), "ndarray"),
        (lambda net: network(MaxPool2D(2)).forward(images()), "of another network"),
    ],
)
def test_a_backward_pass_without_its_forward_pass(forward, came):
    net = network()
    with pytest.raises(TypeError, match=f"forward is {came}; expected what the forward method of this network"):
        net.backward(forward(net), LABELS)


@pytest.mark.parametrize("name", ["step", "tolerance"])
@pytest.mark.parametrize(
    ("value", "error"),
    [("a", TypeError), (None, TypeError), (0, ValueError), (-1e-6, ValueError), (np.nan, ValueError)],
)
def test_a_check_with_another_step_or_tolerance(name, value, error):
    with pytest.raises(error, match=re.escape(f"check_gradients: {name} is {value!r}; expected a positive number")):
        check_gradients(network(), images(), LABELS, **{name: value})


def test_a_check_of_what_is_not_a_network():
    with pytest.raises(TypeError, match=r"check_gradients: network is <class 'convbp.+'>; expected a Network"):
        check_gradients(Network, images(), LABELS)


@pytest.mark.parametrize("parameters", [None, [np.zeros(3)]])
def test_parameters_without_names_change_nothing(parameters):
    net = network()
    before = net.parameters
    with pytest.raises(
        TypeError, match=r"Network.parameters: the parameters are (NoneType|list); expected arrays by name"
    ):
        net.parameters = parameters
    assert net.parameters is before


@pytest.mark.parametrize(
    ("missing", "others", "said"),
    [
        (
            "conv2.bias",
            {},
            "there is no conv2.bias; expected conv1.kernel, conv1.bias, conv2.kernel, conv2.bias, dense",
        ),
        (
            None,
            {"conv3.bias": 1, 7: 2},
            "Network.parameters: there is conv3.bias, 7, which this network does not have; expected conv1.kernel",
        ),
        (
            "conv1.bias",
            {"conv1.biases": [0, 0, 0]},
            "there is no conv1.bias, and there is conv1.biases, which this network does not have; expected",
        ),
        (None, {"conv3.bias": 1}, "network.parameters = {**network.parameters, 'conv1.kernel': array}."),
    ],
)
def test_a_parameter_missing_or_of_another_network_is_named(missing, others, said):
    net = network()
    before = net.parameters
    with pytest.raises(ValueError, match=re.escape(said)):
        net.parameters = {name: array for name, array in before.items() if name != missing} | others
    assert net.parameters is before


def test_a_deep_copy_is_a_network_of_its_own():
    net = with_biases(network(MaxPool2D(2), dtype=np.float64))
    copy, before = deepcopy(net), net.scores(images())
    assert copy.parameters is not net.parameters
    np.testing.assert_array_equal(copy.scores(images()), before)
    copy.parameters = {name: 2 * array for name, array in copy.parameters.items()}
    np.testing.assert_array_equal(net.scores(images()), before)
    assert not np.array_equal(copy.scores(images()), before)


class Doubled(convbp.networks.layers.Layer):
    """A layer of a reader's own, which is no dataclass."""

    kind = "doubled"

    def forward(self, inputs):
        return convbp.networks.layers.LayerResult(inputs, 2 * inputs)

    def backpropagate(self, delta, result):
        return 2 * delta


def test_arrays_and_numpy_s_integers_are_sizes_as_python_s_are():
    odd = Network(
        (8, 8, 1),
        Conv2D(np.int64(2), np.array([3, 2]), stride=np.array([1, 2]), padding=np.int8(1)),
        MaxPool2D([2, 1], stride=np.array([2, 1])),
        Flatten(),
        Dense(np.int64(3)),
    )
    plain = Network(
        (8, 8, 1), Conv2D(2, (3, 2), stride=(1, 2), padding=1), MaxPool2D((2, 1), stride=(2, 1)), Flatten(), Dense(3)
    )
    assert repr(odd) == repr(plain)
    assert list(odd.layers.values()) == list(plain.layers.values())
    assert {layer: hash(layer) for layer in odd.layers.values()} == {one: hash(one) for one in plain.layers.values()}


def test_an_activation_by_its_name():
    by_name = Network((3, 2, 1), Conv2D(2, (2, 1)), "relu", Flatten(), Dense(2))
    assert repr(by_name) == repr(Network((3, 2, 1), Conv2D(2, (2, 1)), relu, Flatten(), Dense(2)))
    assert Activate("tanh") == Activate(tanh)
    with pytest.raises(ValueError, match="Network: a layer is 'conv'; expected one of identity, relu, leaky_relu"):
        Network((3, 2, 1), "conv")


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Network((2**70, 1, 1), Flatten()), f"input_shape[0] is {2**70}; expected at most {2**31 - 1}."),
        (
            lambda: Network((2**31 - 1, 2**31 - 1, 1), Flatten(), Dense(3)),
            "Network: dense1.weights would be 461168",
        ),
        (
            lambda: Network((2, 2, 1), Flatten(), dtype=np.zeros(2)),
            "dtype is an array of shape (2,); expected float",
        ),
        (lambda: network().copy(np.array([1, 2])), "dtype is an array of shape (2,); expected float32 or float64."),
    ],
)
def test_sizes_and_types_that_cannot_be(build, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        build()


def test_a_layer_that_is_no_dataclass():
    net = Network((3, 2, 1), Conv2D(2, (2, 1)), Doubled(), Flatten(), Dense(2))
    assert re.search(r"^doubled1 +Doubled\(\) +\(2, 2, 2\) +0$", repr(net), re.MULTILINE)
    assert check_gradients(net, images(size=(3, 2, 1)), LABELS % 2).agrees
    with pytest.raises(ValueError, match=re.escape("dense1, Dense(2), does not fit on doubled1, Doubled(), which")):
        Network((3, 2, 1), Doubled(), Dense(2))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        network().load(tmp_path / "weights.npz")


# What it refuses


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Network((8, 8, 1)), "Network: there are no layers; expected at least one"),
        (
            lambda: Network((8, 8, 1), Conv2D(4, 3), relu, Dense(10)),
            "Network: dense1, Dense(10), does not fit on relu1, relu, which gives (6, 6, 4) per image: "
            "expected one row of numbers per image. Put Flatten() before it.",
        ),
        (
            lambda: Network((8, 7, 1), MaxPool2D(4), Conv2D(4, (3, 2))),
            "Network: conv1, Conv2D(4, (3, 2)), does not fit on pool1, MaxPool2D(4), which gives (2, 1, 1) per image: "
            "Conv2D: the kernel or window is 3×2 and does not fit into the input of 2×1",
        ),
        (
            lambda: Network((8, 8, 1), Flatten(), MaxPool2D(2)),
            "Network: pool1, MaxPool2D(2), does not fit on flatten1, Flatten(), which gives (64,) per image: "
            "expected maps (H, W, C). It has to stand before Flatten().",
        ),
        (
            lambda: Network((2, 2, 1), MaxPool2D(3)),
            "Network: pool1, MaxPool2D(3), does not fit on the input, which gives (2, 2, 1) per image: MaxPool2D: the",
        ),
        (lambda: Network((8, 6), Conv2D(4, 3)), "expected maps (H, W, C). Grey images have one channel: (8, 6, 1)."),
        (lambda: Network(8, Dense(3)), "Network: input_shape is 8; expected that of one image, such as (8, 8, 1)."),
        (lambda: Network((8, 8, 1), Flatten(), loss="mse"), "Network: loss is 'mse'; expected softmax_cross_entropy"),
        (lambda: Network((8, 8, 1), np.tanh), "Network: <ufunc 'tanh'> is not a layer; expected Conv2D(…)"),
        (lambda: Network((8, 0, 1), Flatten()), "Network: input_shape[1] is 0; expected at least 1."),
        (lambda: Network((), Flatten()), "Network: input_shape is (); expected at least one size, such as (8, 8, 1)"),
        (
            lambda: Network((8, 8, 1), Flatten(), dtype=int),
            "Network: dtype is <class 'int'>; expected float32 or float64.",
        ),
        (lambda: Network((8, 8, 1), Flatten(), dtype="double-ish"), "Network: dtype is 'double-ish'; expected float32"),
        (lambda: Network((8, 8, 1), Flatten(), dtype=None), "Network: dtype is None; expected float32 or float64."),
        (lambda: Network((8, 8, 1), Flatten(), seed="a"), "Network: seed is 'a'; expected an integer"),
        (lambda: Network((8, 8, 1), Flatten(), seed=-1), "Network: seed is -1; expected at least 0."),
        (
            lambda: Activate(np.tanh),
            "Activate: function is <ufunc 'tanh'>; expected one of identity, relu, leaky_relu, sigmoid",
        ),
        (lambda: Conv2D(0, 3), "Conv2D: filters is 0; expected at least 1."),
        (lambda: Conv2D(2.5, 3), "Conv2D: filters is 2.5; expected an integer, for example filters=8."),
        (lambda: Conv2D(2, 3, stride=0), "Conv2D: stride is 0; expected at least 1."),
        (
            lambda: Network((2**20,), Dense(2**21)),
            "Network: dense1.weights would be 1048576×2097152, more numbers than fit into memory; expected at most",
        ),
        (lambda: Dense(True), "Dense: units is True; expected an integer, for example units=8."),
        (lambda: AveragePool2D(2, padding=2), "AveragePool2D: padding is 2 and the window is 2×2"),
    ],
)
def test_a_network_that_cannot_be(build, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        build()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (np.zeros((3, 6, 7, 2)), "inputs have shape (3, 6, 7, 2); expected (N, 7, 6, 2). A network takes images of"),
        (np.zeros((7, 6, 2)), "inputs have shape (7, 6, 2); expected (N, 7, 6, 2). One image goes in as image[None]."),
        (np.zeros((0, 7, 6, 2)), "inputs is empty, its shape is (0, 7, 6, 2); expected at least one entry"),
        (np.full((1, 7, 6, 2), np.nan), "inputs has an entry that is NaN or infinite; expected finite numbers."),
        (np.full((1, 7, 6, 2), 1e39), "inputs has an entry that is too large for float32, in which the network"),
        (np.full((1, 7, 6, 2), "0"), "inputs has entries of type str; expected real numbers"),
    ],
    ids=["size", "one image", "empty", "NaN", "overflow", "text"],
)
@pytest.mark.parametrize("method", ["forward", "scores"])
def test_inputs_that_are_refused(method, inputs, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(f"Network.{method}: {said}")):
        getattr(network(), method)(inputs)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((5, 8, 6), "Grey images go in as images[..., None]."),
        ((8, 6), "One grey image goes in as image[None, ..., None]."),
        ((5, 1, 8, 6), "Channels stand last: images.transpose(0, 2, 3, 1)."),
        ((5, 6, 8, 1), "A network takes images of the one size that it was made for."),
    ],
)
def test_the_hint_for_images_in_another_form(shape, hint):
    with pytest.raises(ValueError, match=re.escape(f"inputs have shape {shape}; expected (N, 8, 6, 1). {hint}")):
        Network((8, 6, 1), Flatten(), Dense(10)).forward(np.zeros(shape))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([3, 4, 0], "targets has the class 4; expected 0 … 3, as the outputs have 4 scores per row."),
        ([3, -1, 0], "targets has the class -1; expected 0 … 3"),
        ([3, 0], "targets has shape (2,); expected (3,). Each row of the outputs has one class."),
        ([3.0, 0.0, 1.0], "targets has entries of type float64; expected the classes as integers."),
    ],
)
def test_labels_that_are_refused(labels, said):
    net = network()
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        net.backward(net.forward(images()), labels)


def test_a_delta_that_does_not_fit():
    net = network()
    with pytest.raises(ValueError, match=r"Network.deltas: delta has shape \(3, 5\); expected \(3, 4\)\. It has a"):
        net.deltas(net.forward(images()), np.zeros((3, 5)))
    with pytest.raises(TypeError, match=r"Network\.deltas: forward is of another network"):
        net.deltas(network().forward(images()), np.zeros((3, 4)))
