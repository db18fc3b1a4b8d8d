"""LiveTraining, driven as the page drives it: by its real buttons, while it trains in its thread."""

import base64
import math
import re
import subprocess
import sys
import threading
import time
from io import BytesIO
from itertools import islice
from xml.etree import ElementTree

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from controls import control
from convbp import Conv2D, Dense, Flatten, Network, digit_network, relu, split_digits, train
from convbp.explorers import LiveTraining
from convbp.networks.training import DivergenceError, Progress
from convbp.pictures import panels, training_picture
from convbp.pictures.colours import diverging
from convbp.pictures.plots import images
from convbp.pictures.still import SCALE
from convbp.shapes import NotFiniteError

DIGITS = split_digits()
IMAGES, LABELS = DIGITS.images[:200], DIGITS.labels[:200]
TEST = DIGITS.test_images[:50], DIGITS.test_labels[:50]
OPTIONS = {"test": TEST, "epochs": 4, "batch_size": 16, "seed": 3}  # 4 × 13 steps


@pytest.fixture
def network():
    return small_network()


@pytest.fixture
def live(network):
    live = LiveTraining(network, IMAGES, LABELS, **OPTIONS)
    yield live
    live.close()


def small_network():
    return Network((8, 8, 1), Conv2D(5, (2, 3)), relu, Flatten(), Dense(10), seed=1)


def plainly(network, steps=None):
    """Train without a view; the records."""
    return tuple(islice(train(network, IMAGES, LABELS, **OPTIONS), steps))


def same_weights(one, other):
    return all(np.array_equal(array, other.parameters[name]) for name, array in one.parameters.items())


def press(live, name):
    """As the page does it. A name that no button has, or one that cannot be pressed, is an error."""
    (button,) = (part for part in live.children[0].children if getattr(part, "description", None) == name)
    assert not button.disabled
    button._handle_custom_msg({"event": "click"}, [])


def pressable(live):
    buttons = (part for part in live.children[0].children if isinstance(part, widgets.Button))
    return [button.description for button in buttons if not button.disabled]


def set_pace(live, name):
    (pace,) = (part for part in live.children[0].children if isinstance(part, widgets.ToggleButtons))
    pace.set_state({"index": [option for option, _ in pace.options].index(name)})


def html(live):
    return live.children[1].value


def until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


# The same training


def test_it_gives_what_train_gives_to_the_bit(live, network):
    assert pressable(live) == ["Start", "Reset"]
    press(live, "Start")
    assert live.wait(20) is live
    plain = small_network()
    assert live.records == plainly(plain)
    assert same_weights(network, plain)
    assert (live.status, pressable(live)) == ("finished", ["Train on", "Reset"])


def test_pauses_change_no_bit(live, network):
    press(live, "Start")
    for steps in (1, 5, 20):
        until(lambda steps=steps: len(live.records) >= steps)
        live.pause()
        live.start()
    live.wait(20)
    plain = small_network()
    assert live.records == plainly(plain)
    assert same_weights(network, plain)


def test_paused_it_stands_still_between_two_steps(live, network):
    set_pace(live, "10 steps/s")
    press(live, "Start")
    until(lambda: live.records)
    press(live, "Pause")
    steps, weights = len(live.records), network.parameters
    assert (live.status, pressable(live)) == ("paused", ["Go on", "Stop", "Reset"])
    time.sleep(0.25)
    assert len(live.records) == steps
    assert network.parameters is weights
    plain = small_network()
    plainly(plain, steps)
    assert same_weights(network, plain)
    press(live, "Go on")
    until(lambda: len(live.records) > steps)


def test_stopped_it_keeps_what_it_has_learnt_and_can_train_on(live, network):
    set_pace(live, "10 steps/s")
    press(live, "Start")
    until(lambda: len(live.records) >= 2)
    press(live, "Stop")
    steps = len(live.records)
    assert (live.status, pressable(live)) == ("stopped", ["Train on", "Reset"])
    plain = small_network()
    records = plainly(plain, steps)
    assert same_weights(network, plain)
    set_pace(live, "full")
    press(live, "Train on")
    live.wait(20)
    assert live.records == records + plainly(plain)
    assert same_weights(network, plain)
    assert f"step {steps + 52} of {steps + 52}:" in repr(live)


def test_reset_goes_back_to_the_beginning(live, network):
    press(live, "Start")
    until(lambda: live.records)
    press(live, "Reset")
    assert (live.status, live.records) == ("ready", ())
    assert same_weights(network, small_network())
    begun = html(live)
    assert begun == html(LiveTraining(small_network(), IMAGES, LABELS, **OPTIONS))
    press(live, "Start")
    live.wait(20)
    assert live.records == plainly(small_network())
    assert html(live) != begun


# Beside others


def test_no_call_waits_longer_than_for_a_step(live):
    set_pace(live, "1 step/s")
    for call in (live.start, live.pause, live.start, live.stop):
        began = time.monotonic()
        call()
        assert time.monotonic() - began < 0.5
        time.sleep(0.05)
    assert live.status == "stopped"


def test_the_later_of_two_trainings_of_one_network_stops_the_earlier(live, network):
    set_pace(live, "10 steps/s")
    press(live, "Start")
    until(lambda: live.records)
    later = LiveTraining(network, IMAGES, LABELS, **OPTIONS)
    press(later, "Start")
    assert live.status == "stopped"
    later.wait(20)
    plain = small_network()
    plainly(plain, len(live.records))
    plainly(plain)
    assert same_weights(network, plain)


def test_two_networks_train_at_once(live, network):
    other_network = small_network()
    other = LiveTraining(other_network, IMAGES, LABELS, **OPTIONS)
    live.start()
    other.start()
    live.wait(20)
    other.wait(20)
    assert live.records == other.records == plainly(small_network())
    assert same_weights(network, other_network)


def test_many_at_the_buttons_at_once(live, network):
    """As when callbacks run in several threads: nothing hangs, and what was learnt is a training's beginning."""
    rng = np.random.default_rng(0)

    def fiddle(names):
        for name in names:
            getattr(live, name)()

    threads = [
        threading.Thread(target=fiddle, args=(rng.choice(["start", "pause", "start"], 30),), daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    live.stop()
    steps = [record.step for record in live.records]
    assert steps == [1 + n % 52 for n in range(len(steps))]
    plain = small_network()
    for begin in range(0, len(steps), 52):
        plainly(plain, min(52, len(steps) - begin))
    assert same_weights(network, plain)


@pytest.mark.slow
def test_it_does_not_keep_python_from_ending():
    code = """
from convbp import digit_network, split_digits
from convbp.explorers import LiveTraining
digits = split_digits()
live = LiveTraining(digit_network(), digits.images, digits.labels, epochs=10**6).start()
while not live.records: pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# What goes wrong


def test_divergence_is_said_in_a_sentence_and_reset_mends_it(network):
    live = LiveTraining(network, IMAGES, LABELS, learning_rate=1e9)
    press(live, "Start")
    with pytest.raises(DivergenceError, match="smaller learning_rate"):
        live.wait(20)
    assert isinstance(live.error, DivergenceError)
    assert (live.status, pressable(live)) == ("failed", ["Reset"])
    (said,) = re.findall(r'<p role="alert".*?>(.*?)</p>', html(live))
    assert f"{live.error} Or press Reset, for the weights it began with." in said
    assert all(np.isfinite(array).all() for array in network.parameters.values())
    press(live, "Reset")
    assert (live.status, live.error) == ("ready", None)
    assert 'role="alert"' not in html(live)
    assert live.wait() is live


def test_weights_that_a_divergence_left_are_named_if_they_are_of_no_use(network):
    network.parameters = {name: 0 * array + 1e38 for name, array in network.parameters.items()}
    with pytest.raises(NotFiniteError, match=r"with the network's weights a number .* Take a new network, or press R"):
        LiveTraining(network, IMAGES, LABELS)


@pytest.mark.parametrize("where", ["inside", "page"])
def test_another_error_ends_it_and_is_not_swallowed(live, monkeypatch, where):
    raised, real = [], getattr(training_picture, where)
    monkeypatch.setattr(threading, "excepthook", raised.append)

    def broken(*arguments):
        if threading.current_thread().name == "convbp training":
            monkeypatch.setattr(training_picture, where, real)  # what says so has to be shown
            raise RuntimeError("it broke")
        return real(*arguments)

    monkeypatch.setattr(training_picture, where, broken)
    live.start()
    with pytest.raises(RuntimeError, match="it broke"):
        live.wait(20)
    until(lambda: raised)
    assert raised[0].exc_value is live.error
    assert "it broke" in html(live)
    assert live.status == "failed"


def slider(live, name):
    return control(live, widgets.FloatSlider | widgets.FloatLogSlider, description=name)


def test_the_sliders_set_what_the_next_start_takes_and_wait_while_it_trains(live, network):
    rate, momentum = slider(live, "learning rate"), slider(live, "momentum")
    assert (rate.value, momentum.value) == (0.03, 0.9)
    rate.value, momentum.value = 0.1, 0.5
    set_pace(live, "1 step/s")
    live.start()
    until(lambda: live.records)
    assert (rate.disabled, momentum.disabled) == (True, True)
    live.stop()
    assert (rate.disabled, momentum.disabled) == (False, False)
    other = small_network()
    list(islice(train(other, IMAGES, LABELS, **OPTIONS, learning_rate=0.1, momentum=0.5), len(live.records)))
    assert all((network.parameters[name] == array).all() for name, array in other.parameters.items())


def test_a_rate_beyond_the_usual_stays_as_it_was_given(network):
    live = LiveTraining(network, IMAGES, LABELS, **OPTIONS, learning_rate=1234.5, momentum=0.999)
    assert (slider(live, "learning rate").value, slider(live, "momentum").value) == (1234.5, 0.999)
    assert live._options == {"learning_rate": 1234.5, "momentum": 0.999}


def test_waiting_can_end_before_the_training(live):
    set_pace(live, "1 step/s")
    live.start()
    with pytest.raises(TimeoutError, match=r"after 0.1 seconds it is Running, "):
        live.wait(0.1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learning_rate": 0}, "learning_rate is 0"),
        ({"epochs": 0}, "epochs"),
        ({"test": (TEST[0][:, :-1], TEST[1])}, "test images"),
        (
            {"epoch": 3},
            "LiveTraining: there is no option 'epoch'; expected example, test, epochs, batch_size, learning_",
        ),
        ({"example": 50}, "example is 50.*50 images"),
        ({"example": "first"}, "example is 'first'; expected the number of an image"),
        ({"example": True}, "example is True; expected the number of an image"),
    ],
)
def test_what_train_refuses_is_refused_at_once(network, changes, said):
    before = network.parameters
    with pytest.raises((TypeError, ValueError), match=said):
        LiveTraining(network, IMAGES, LABELS, **OPTIONS | changes)
    assert network.parameters is before


def test_a_network_without_images_is_refused():
    rows = IMAGES.reshape(len(IMAGES), -1)
    with pytest.raises(ValueError, match=r"LiveTraining: the network takes inputs of shape \(64,\); expected images"):
        LiveTraining(Network((64,), Dense(10)), rows, LABELS)


def test_a_machine_without_threads_leaves_it_as_it_was(live, monkeypatch):
    def none_left(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            live.start()
    assert live.status == "ready"
    live.stop()
    live.start().wait(20)
    assert live.status == "finished"


# What is seen


def records_of(losses, tests):
    """Records of as many steps, two epochs of them, of twice as many to come."""
    n = len(losses)
    return [
        Progress(step, 2 * n, 1 + 2 * (step - 1) // n, 4, loss, 0.5, tests.get(step))
        for step, loss in enumerate(losses, 1)
    ]


def moment(records=(), **changes):
    network = small_network()
    inside = training_picture.inside(network, IMAGES[1], LABELS[1])
    return training_picture.Moment("Says <it>.", False, records, **inside | changes)


def plots(moment):
    """The points of each curve, in units of the axes, whose ends and numbers are read off the picture."""
    picture, _, _ = training_picture.still(moment)
    found = {}
    for group in ElementTree.fromstring(picture).iterfind(".//*[@class='plot']"):
        paths = [part.attrib for part in group if part.tag.endswith("path")]
        axes = [
            re.match(r"M(\S+) (\S+)h(\S+)", path["d"]).groups()
            for path in paths
            if path["class"] == "axis" and "h" in path["d"]
        ]
        if not axes:
            continue
        left, bottom, width = map(float, axes[0])
        height = bottom - float(axes[-1][1])
        texts = [part.text for part in group if part.tag.endswith("text")]
        ends = [part.text for part in group if part.get("class") == "index end"]
        top, epochs = float(ends[-1]), int(texts[texts.index("epochs") - 1])
        found[texts[0]] = [
            [((x - left) / width * epochs, (bottom - y) / height * top) for x, y in points]
            for path in paths
            if path["class"].startswith("curve") and "h" not in path["d"]
            for points in [[tuple(map(float, point.split())) for point in path["d"][1:].split("L")]]
        ]
    return found


def test_the_curves_go_through_the_records():
    losses = [4.0, 3.0, 2.5, 0.5, 1.0, 0.0]
    found = plots(moment(records_of(losses, {3: 0.25, 6: 0.75})))
    # Six steps are two of the four epochs.
    expected = [(step / 3, loss) for step, loss in enumerate(losses, 1)]
    np.testing.assert_allclose(found["loss"], [expected], atol=0.05)
    batch, test = found["share right"]
    np.testing.assert_allclose(batch, [(step / 3, 0.5) for step in range(1, 7)], atol=0.05)
    np.testing.assert_allclose(test, [(1, 0.25), (2, 0.75)], atol=0.05)


def test_a_small_last_batch_counts_together_with_the_one_before_it():
    """Two right of three are no 67 % beside thirty of thirty-two."""
    shares, images = [0.5, 30 / 32, 2 / 3], [32, 32, 3]
    records = [
        Progress(step, 6, 1 + step // 4, 2, 1.0, share, None, count)
        for step, (share, count) in enumerate(zip(shares, images, strict=True), 1)
    ]
    assert training_picture.where(records) == "step 3 of 6: loss 1, 91% of the last 35 images right"
    assert training_picture.where(records[:2]) == "step 2 of 6: loss 1, 94% of the last 32 images right"
    batch, *_ = plots(moment(records))["share right"]
    np.testing.assert_allclose([share for _, share in batch], [0.5, 30 / 32, 32 / 35], atol=0.01)


def test_long_curves_are_means():
    losses = np.random.default_rng(0).random(1000)
    ((points,), _) = plots(moment(records_of(losses.tolist(), {}))).values()
    steps, shown = np.array(points).T
    assert len(points) <= training_picture.POINTS
    assert shown.mean() == pytest.approx(losses.mean(), abs=0.01)
    means = losses[: 9 * 111].reshape(111, 9).mean(axis=1)
    np.testing.assert_allclose(shown[:111], means, atol=0.01)
    np.testing.assert_allclose(steps[:111] * 500, np.arange(111) * 9 + 5, atol=6)


@pytest.mark.parametrize(
    ("count", "rows", "cols", "full"), [(1, 2, 3, 0), (5, 2, 3, 0.01), (16, 4, 2, 30), (40, 2, 2, 0)]
)
def test_every_entry_of_a_map_is_a_pixel_of_its_colour(count, rows, cols, full):
    maps = np.random.default_rng(count).normal(size=(count, rows, cols))
    panel = panels.maps("maps", maps, full=full)
    data = base64.b64decode(re.search('base64,([^"]+)"', panel.content)[1])
    pixels = np.asarray(Image.open(BytesIO(data)))
    shown = min(count, panels.TILES)
    across = next(n for n in range(1, 10) if n * n >= shown)
    largest = max(np.abs(maps[:shown]).max(), full)
    for m in range(shown):
        top, left = (rows + 1) * (m // across), (cols + 1) * (m % across)
        for r in range(rows):
            for c in range(cols):
                assert "#{:02x}{:02x}{:02x}".format(*pixels[top + r, left + c][:3]) == diverging(maps[m, r, c], largest)
                assert pixels[top + r, left + c][3] == 255


@pytest.mark.parametrize("rasters", [True, False])
def test_images_stand_side_by_side_with_their_titles(rasters, monkeypatch):
    if not rasters:
        monkeypatch.setitem(sys.modules, "resvg_py", None)
    arrays = [np.eye(8), -2 * np.eye(5, 7), np.zeros((3, 3))]
    data, metadata = images(
        arrays, ["one", "a < b", "a title that is wider than what stands below it"], "three"
    )._repr_mimebundle_()
    assert data.pop("text/plain") == "three"
    if not rasters:
        titles = ElementTree.fromstring(data["image/svg+xml"]).findall(".//{*}text[@class='title']")
        assert [title.text for title in titles[:2]] == ["one", "a < b"]
        return
    size = metadata["image/png"]
    assert size.pop("alt") == "three"
    shown = Image.open(BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    assert shown.size == tuple(math.ceil(SCALE * size[side]) for side in ("width", "height"))
    colours = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in shown.getcolors(100_000)}
    assert {diverging(1, 1), diverging(-1, 1)} <= colours


def test_a_colour_of_a_delta_means_the_same_in_all_pictures_of_a_training(monkeypatch):
    """Until one is larger than all before; after a reset it begins anew."""
    shown = []
    monkeypatch.setattr(training_picture, "page", lambda moment: shown.append(moment) or "")
    live = LiveTraining(small_network(), IMAGES, LABELS, example=1, learning_rate=0.1, epochs=2)
    live.start().wait(20)
    live.reset()
    largest = [np.abs(moment.deltas).max() for moment in shown]
    assert len(shown) > 2
    assert [moment.full for moment in shown[:-1]] == list(np.maximum.accumulate(largest[:-1]))
    assert shown[-1].full == largest[-1] == largest[0]


def test_maps_are_the_filters_and_what_the_image_sends_back():
    network = Network((8, 8, 1), Conv2D(5, (2, 3)), relu, Flatten(), Dense(10), seed=1, dtype=np.float64)
    bias = np.array([0.1, -0.2, 0.3, 0.05, -0.15])  # where the paper is blank a bias of 0 would be at ReLU's kink
    network.parameters = dict(network.parameters) | {"conv1.bias": bias}
    inside = training_picture.inside(network, IMAGES[1], LABELS[1])
    kernel = network.parameters["conv1.kernel"]
    assert inside["filters"].shape == (5, 2, 3)
    assert inside["filters"][4, 1, 2] == kernel[1, 2, 0, 4]
    assert inside["deltas"].shape == (5, 7, 6)
    step = 1e-6

    def loss(d, by):
        changed = network.copy()
        changed.parameters = dict(network.parameters) | {"conv1.bias": bias + by * (np.arange(5) == d)}
        return changed.loss(changed.scores(IMAGES[1:2]), LABELS[1:2])

    slopes = [(loss(d, step) - loss(d, -step)) / (2 * step) for d in range(5)]
    np.testing.assert_allclose(inside["deltas"].sum(axis=(1, 2)), slopes, rtol=1e-5, atol=1e-9)
    assert inside["label"] == f"a {LABELS[1]}"
    assert inside["seen"].startswith(f"seen as a {network.classify(IMAGES[1:2])[0]} (")


def test_a_network_without_convolutions_has_no_filters_to_see():
    network = Network((8, 8, 1), Flatten(), Dense(10))
    live = LiveTraining(network, IMAGES, LABELS)
    assert "filters of" not in html(live)
    assert "one image" in html(live)


def test_a_still_picture_and_its_sentence(live):
    live.start()
    live.wait(20)
    data, metadata = live._repr_mimebundle_()
    last = live.records[-1]
    assert data["text/plain"] == repr(live) == metadata["image/png"]["alt"]
    assert repr(live).startswith("LiveTraining: Finished, step 52 of 52: loss ")
    assert repr(live).endswith(f"of the test images {last.test_accuracy:.1%} after epoch 4.")
    assert "application/vnd.jupyter.widget-view+json" in data
    image = Image.open(BytesIO(base64.b64decode(data["image/png"])))
    assert image.size == pytest.approx([1.5 * metadata["image/png"][side] for side in ("width", "height")], abs=1)
    # The filters and deltas are there in their colours: orange and blue, without smoothing between.
    colours = {colour for _, colour in image.convert("RGB").getcolors(10**6)}
    assert {tuple(bytes.fromhex(diverging(s, 1)[1:])) for s in (-1, 1)} & colours


def test_what_is_said_cannot_break_out():
    assert "Says &lt;it&gt;." in training_picture.page(moment())


def test_the_picture_keeps_its_size():
    sizes = {training_picture.still(m)[1:] for m in (moment(), moment(records_of([1e30, 1e-9, 3], {2: 0.1})))}
    assert len(sizes) == 1


def test_it_is_the_networks_digits_are_made_for():
    live = LiveTraining(digit_network(), DIGITS.images, DIGITS.labels, test=DIGITS.test, epochs=1)
    live.start().wait(30)
    assert live.records[-1].test_accuracy > 0.8
