"""LiveTraining, driven as the page drives it: by its real buttons, while it trains in its thread."""

import base64
import re
import subprocess
import sys
import threading
import time
from io import BytesIO
from itertools import islice

import ipywidgets as widgets
import numpy as np
import pytest
from PIL import Image

from controls import control
from convbp import Conv2D, Dense, Flatten, Network, digit_network, relu, split_digits, train
from convbp.explorers import LiveTraining
from convbp.networks.training import DivergenceError
from convbp.pictures import training_picture
from convbp.pictures.colours import diverging
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


def test_it_is_the_networks_digits_are_made_for():
    live = LiveTraining(digit_network(), DIGITS.images, DIGITS.labels, test=DIGITS.test, epochs=1)
    live.start().wait(30)
    assert live.records[-1].test_accuracy > 0.8
