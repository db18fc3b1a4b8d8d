"""A Python in which no thread can start, as in a browser: checks, and a training."""

import asyncio
import sys
import threading
import time

import numpy as np
import pytest

from convbp import Conv2D, Dense, Flatten, Network, cross_correlate, relu, rot180, split_digits, train
from convbp.exercises import kernel_gradient
from convbp.explorers import LiveTraining
from convbp.networks.training import DivergenceError

DIGITS = split_digits()
IMAGES, LABELS = DIGITS.images[:80], DIGITS.labels[:80]
OPTIONS = {"epochs": 2, "batch_size": 8, "seed": 3}
STEPS = 20


@pytest.fixture
def no_threads(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)


needs_monitoring = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with Python 3.12")

# Checks


def turned(inputs, delta):
    return cross_correlate(inputs, rot180(delta))


def prints(inputs, delta):
    print("here")
    return cross_correlate(inputs, delta)


def fails(inputs, delta):
    return inputs[99]


def exits(inputs, delta):
    sys.exit("enough")


def endless(*given):
    while True:
        pass


def endless_in_one_call_of_its_own(*given):
    def again():
        for _ in iter(int, 1):
            pass

    again()


def swallows(*given):
    while True:
        try:
            endless()
        except:  # noqa: E722
            continue


def checks_itself(*given):
    return kernel_gradient.check(cross_correlate)


@needs_monitoring
@pytest.mark.parametrize(
    "function",
    [cross_correlate, turned, prints, fails, exits, endless, endless_in_one_call_of_its_own, checks_itself],
)
def test_a_check_says_the_same_as_in_a_thread(function, request, capsys):
    in_a_thread = kernel_gradient.check(function, seconds=0.5)
    request.getfixturevalue("no_threads")
    began = time.monotonic()
    here = kernel_gradient.check(function, seconds=0.5)
    assert time.monotonic() - began < 2
    assert (here.passed, here.points, here.message) == (in_a_thread.passed, in_a_thread.points, in_a_thread.message)
    assert capsys.readouterr() == ("", "")
    assert kernel_gradient.check(cross_correlate).passed  # nothing is left behind


@needs_monitoring
def test_a_loop_that_swallows_everything_is_stopped_too(no_threads):
    assert "so it was stopped" in kernel_gradient.check(swallows, seconds=0.1).message


@needs_monitoring
def test_what_was_put_into_numpy_is_taken_out_again(no_threads, monkeypatch):
    def mine(*given):
        np.dot = None
        endless()

    dot = np.dot
    assert "so it was stopped" in kernel_gradient.check(mine, seconds=0.1).message
    assert np.dot is dot


@needs_monitoring
def test_no_watch_is_kept_afterwards(no_threads):
    before = [sys.monitoring.get_tool(n) for n in range(6)]
    kernel_gradient.check(cross_correlate)
    assert [sys.monitoring.get_tool(n) for n in range(6)] == before


# LiveTraining


def small_network():
    return Network((8, 8, 1), Conv2D(3, (2, 3)), relu, Flatten(), Dense(10), seed=1)


def plainly():
    network = small_network()
    return tuple(train(network, IMAGES, LABELS, **OPTIONS)), network.parameters


def in_a_loop(drive, **changes):
    """Run the coroutine function ``drive`` on a training, as cells and buttons do on the kernel's loop."""

    async def run():
        live = LiveTraining(small_network(), IMAGES, LABELS, **OPTIONS | changes)
        try:
            await asyncio.wait_for(drive(live), 20)
        finally:
            live.close()
        return live

    return asyncio.run(run())


async def until(holds):
    while not holds():
        await asyncio.sleep(0)


def gave_what_train_gives(live):
    records, weights = plainly()
    return live.records == records and all(np.array_equal(w, live.network.parameters[n]) for n, w in weights.items())


def test_it_trains_between_the_cells(no_threads):
    async def drive(live):
        live.start()
        assert (live.status, live.records) == ("running", ())  # nobody waited
        await until(lambda: live.status == "finished")

    assert gave_what_train_gives(in_a_loop(drive))


def test_it_pauses_and_goes_on_and_changes_no_bit(no_threads):
    async def drive(live):
        live.start()
        await until(lambda: len(live.records) == 3)
        live.pause()
        await asyncio.sleep(0.1)
        assert (live.status, len(live.records)) == ("paused", 3)
        with pytest.raises(RuntimeError, match=r"LiveTraining.wait: it is Paused, .* expected a training that runs"):
            live.wait()
        live.start()
        await until(lambda: live.status == "finished")

    assert gave_what_train_gives(in_a_loop(drive))


def test_waiting_does_the_rest(no_threads):
    async def drive(live):
        live.start()
        await until(lambda: len(live.records) == 3)
        live.wait()
        assert live.status == "finished"

    assert gave_what_train_gives(in_a_loop(drive))


def test_waiting_ends_in_time(no_threads):
    async def drive(live):
        live.start()
        with pytest.raises(TimeoutError, match="after 0 seconds it is Running"):
            live.wait(0)

    assert in_a_loop(drive).status == "stopped"


def test_it_stops_at_once_and_begins_anew(no_threads):
    async def drive(live):
        live.start()
        await until(lambda: len(live.records) == 3)
        live.stop()
        assert (live.status, len(live.records)) == ("stopped", 3)
        await asyncio.sleep(0.1)
        assert len(live.records) == 3
        live.reset()
        assert (live.status, live.records) == ("ready", ())
        live.start().wait()

    assert gave_what_train_gives(in_a_loop(drive))


def test_a_later_training_of_the_network_stops_the_former(no_threads):
    async def drive(live):
        live.start()
        await until(lambda: len(live.records) == 3)
        later = LiveTraining(live.network, IMAGES, LABELS, **OPTIONS).start()
        assert (live.status, later.status) == ("stopped", "running")
        later.wait()

    assert len(in_a_loop(drive).records) == 3


def test_a_training_that_diverges_says_so(no_threads):
    async def drive(live):
        with pytest.raises(DivergenceError):
            live.start().wait()

    assert in_a_loop(drive, learning_rate=1e9).status == "failed"
