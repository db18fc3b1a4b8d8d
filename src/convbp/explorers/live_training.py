"""A training to watch, to pause and to stop, while the notebook goes on.

It runs in a thread of its own, so that a cell that takes long delays neither it nor its buttons; as a task on the
kernel's own loop it would stand still as long as any cell runs. The thread alone takes steps and `Condition` alone
speaks between it and the buttons, which the kernel may run in yet another thread: they say what is wanted, and wait
until the step that is being done is done. Nobody else sees a network between two steps' halves.

Where no thread can start, as in a browser, it is that task: it takes its steps between the cells, and `wait` takes all
that are left.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from inspect import signature
from math import ceil, floor, inf, log10
from numbers import Integral
from threading import Condition, Lock, RLock, Thread
from time import monotonic
from typing import Any

import ipywidgets as widgets
import numpy as np

from convbp.explorers.controls.alike import Layout, made
from convbp.explorers.controls.control import buttons, wrapped
from convbp.explorers.controls.former import close_former, close_inside
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.explorers.controls.terse import Terse, built_together
from convbp.networks.network import Network
from convbp.networks.training import DivergenceError, Progress, train
from convbp.pictures import still, training_picture
from convbp.shapes import NotFiniteError

READY, RUNNING, PAUSED, STOPPED, FINISHED, FAILED = "ready", "running", "paused", "stopped", "finished", "failed"

# Status → what the first button does, and its icon.
_MAIN = {READY: ("Start", "play"), RUNNING: ("Pause", "pause"), PAUSED: ("Go on", "play")}
_TRAIN_ON = ("Train on", "play")

# Seconds between two steps.
PACES = {"full": 0.0, "10 steps/s": 0.1, "1 step/s": 1.0}
_OFTEN = 0.15  # seconds between two pictures
_SHARE = 0.1  # of the time, at most, goes into pictures
_DEFAULTS = {
    name: option.default for name, option in signature(train).parameters.items() if option.kind == option.KEYWORD_ONLY
}

# What is being trained, and where: of two trainings of one network the later one stops the earlier one.
_in_training: dict[Network, "LiveTraining"] = {}
_starting = Lock()


class LiveTraining(Terse, widgets.VBox):
    """Train a network, and see it learn: its loss and accuracy, the first layer's filters, and the δ of one image.

    The buttons start, pause, go on, stop and reset; so do the methods. The sliders set learning rate and momentum of
    the next start; a training that has begun keeps its own. The weights are those that `convbp.train` gives, to the
    bit, paused or not. Two trainings of one network are not possible at once: the later one stops the earlier.

    Parameters
    ----------
    network : Network
    images : array_like, shape=(N, H, W, C)
    labels : array_like
    test : (images, labels), optional
        To find the accuracy on, after each epoch.
    example : int
        Which of the test images, or of the others if there are none, is looked at from inside.
    **options
        Of `convbp.train`: epochs, batch_size, learning_rate, momentum, weight_decay, seed.

    Raises
    ------
    TypeError, ValueError
        As `convbp.train` raises them. Or if there is no such option, or a number is no longer finite with the weights
        that the network has.
    """

    def __init__(
        self,
        network: Network,
        images: Any,
        labels: Any,
        *,
        test: tuple[Any, Any] | None = None,
        example: int = 0,
        **options: Any,
    ):
        for name in options:
            if name not in _DEFAULTS:
                raise TypeError(f"LiveTraining: there is no option {name!r}; expected example, {', '.join(_DEFAULTS)}.")
        self.network = network
        self._train = partial(train, network, images, labels, test=test, **options)
        self._options = {name: options.get(name, _DEFAULTS[name]) for name in ("learning_rate", "momentum")}
        self._train()  # refuses what cannot be; no step is done
        self._example = _example(network, *(test or (images, labels)), example)
        self._initial = network.parameters
        self._changed = Condition(RLock())  # holds what follows
        self._status = self._wanted = READY
        self._error: Exception | None = None
        self._records: list[Progress] = []
        try:
            self._inside = training_picture.inside(network, *self._example)
        except NotFiniteError:
            raise NotFiniteError(
                "LiveTraining: with the network's weights a number becomes infinite or NaN, as after a training that "
                "diverged; expected weights to begin with. Take a new network, or press Reset where it diverged."
            ) from None
        self._full = 0.0  # the largest δ so far: in every picture of it a colour means the same
        self._next_picture = 0.0
        self._steps: Iterator[None] | None = None  # where there are no threads

        with built_together():
            self._main = made(widgets.Button, layout={"width": "110px"})  # whatever it says
            self._stop = made(
                widgets.Button, description="Stop", icon="stop", tooltip="End the training after this step"
            )
            self._reset = made(
                widgets.Button, description="Reset", icon="undo", tooltip="Back to the weights it began with"
            )
            self._pace = buttons("pace", PACES.items())
            self._sliders = _sliders(**self._options)
            self._picture = made(widgets.HTML)
            super().__init__(
                [wrapped(self._main, self._stop, self._reset, self._pace, *self._sliders.values()), self._picture],
                layout=Layout(),
            )
            self.add_class("convbp-explorer")
            self._show()
        answer_beside_cells(self)
        self._main.on_click(lambda _: self.pause() if self.status == RUNNING else self.start())
        self._stop.on_click(lambda _: self.stop())
        self._reset.on_click(lambda _: self.reset())
        for name, slider in self._sliders.items():
            slider.observe(lambda change, name=name: self._options.update({name: change.new}), "value")

    @property
    def status(self) -> str:
        """ready, running, paused, stopped, finished or failed."""
        return self._status

    @property
    def records(self) -> tuple[Progress, ...]:
        """What `convbp.train` yielded so far."""
        return tuple(self._records)

    @property
    def error(self) -> Exception | None:
        """What ended the training, if it failed."""
        return self._error

    def start(self) -> "LiveTraining":
        """Begin; after a pause, go on; after the end, train on from the weights as they are. Does not wait."""
        with _starting:
            self._stop_another()
            with self._changed:
                if self._status == PAUSED:
                    self._wanted = RUNNING
                    self._enter(RUNNING)
                elif self._status != RUNNING:
                    before = self._status, self._wanted, self._error
                    _in_training[self.network] = self
                    self._wanted, self._error = RUNNING, None
                    self._enter(RUNNING)
                    try:
                        self._begin()
                    except RuntimeError:  # the machine has no thread left, and no event loop runs
                        del _in_training[self.network]
                        status, self._wanted, self._error = before
                        self._enter(status)
                        raise
        return self

    def pause(self) -> None:
        """Stand still after the step that is being done; returns when it is done."""
        with self._changed:
            if self._wanted == RUNNING:
                self._ask(PAUSED)

    def stop(self) -> None:
        """End after the step that is being done; returns when it is done. The network keeps what it has learnt."""
        with self._changed:
            if self._status in (RUNNING, PAUSED):
                self._ask(STOPPED)

    def reset(self) -> None:
        """Stop, and go back to the weights and to the empty records that it began with."""
        with _starting:
            self._stop_another()
            with self._changed:
                self.stop()
                self.network.replace_parameters(dict(self._initial))
                self._records.clear()
                self._error, self._full = None, 0.0
                self._enter(READY)

    def wait(self, timeout: float | None = None) -> "LiveTraining":
        """Wait until the training has ended, for a cell that needs what it has learnt.

        The buttons work meanwhile where the kernel runs callbacks beside a cell, as ipykernel 7 does in JupyterLab.
        To interrupt the kernel ends the waiting, not the training.

        Raises
        ------
        RuntimeError
            If it is paused and there are no threads, so that nobody could let it go on.
        TimeoutError
            If it has not ended after ``timeout`` seconds.
        DivergenceError, or whatever ended it
        """
        if self._steps is not None:
            self._do_the_rest(self._steps, timeout)
        with self._changed:
            if not self._changed.wait_for(lambda: self._status not in (RUNNING, PAUSED), timeout):
                raise TimeoutError(f"LiveTraining.wait: after {timeout} seconds it is {self._says()}")
            if self._error is not None:
                raise self._error
        return self

    def close(self) -> None:
        if hasattr(self, "_changed"):  # or it was refused, and is being thrown away
            self.stop()
            close_inside(self)
        super().close()

    # In the thread, or in the task

    def _begin(self) -> None:
        steps, self._steps = self._trained(), None
        try:
            # As a daemon it does not keep the kernel from ending.
            Thread(target=self._work, args=[steps], name="convbp training", daemon=True).start()
        except RuntimeError as no_thread:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                raise no_thread from None
            self._steps = steps
            self._task = loop.create_task(self._work_between_cells(steps))  # the loop itself would forget it

    def _trained(self) -> Iterator[None]:
        """Train step by step, to the end or until it is to be stopped, and note how it ended."""
        end: str = STOPPED
        error = None
        try:
            for record in self._train(**self._options):
                with self._changed:
                    self._records.append(record)
                    self._show_now_and_then()
                yield
                if self._wanted == STOPPED:
                    break
            else:
                end = FINISHED
        except Exception as raised:
            end, error = FAILED, raised
            if not isinstance(raised, DivergenceError):
                raise  # with its traceback, where the kernel writes those
        finally:
            with self._changed:
                _in_training.pop(self.network, None)
                self._wanted, self._error = end, error
                self._enter(end)

    def _work(self, steps: Iterator[None]) -> None:
        for _ in steps:
            with self._changed:
                self._wait_as_asked()

    async def _work_between_cells(self, steps: Iterator[None]) -> None:
        for _ in steps:
            await asyncio.sleep(self._pace.value)
            while self._wanted == PAUSED:
                await asyncio.sleep(0.05)

    def _do_the_rest(self, steps: Iterator[None], timeout: float | None) -> None:
        """All steps at once, as nobody else can do them while a cell waits."""
        end = inf if timeout is None else monotonic() + timeout
        if self._status == PAUSED:
            raise RuntimeError(
                f"LiveTraining.wait: it is {self._says()} Without threads no button can be pressed while a cell waits; "
                "expected a training that runs: live.start().wait()."
            )
        while self._status == RUNNING and monotonic() < end:
            next(steps, None)

    def _show_now_and_then(self) -> None:
        if monotonic() >= self._next_picture:
            began = monotonic()
            self._show()
            self._next_picture = monotonic() + max(_OFTEN, (monotonic() - began) / _SHARE)

    def _wait_as_asked(self) -> None:
        if self._pace.value:
            self._changed.wait_for(lambda: self._wanted != RUNNING, self._pace.value)
        while self._wanted == PAUSED:
            if self._status != PAUSED:  # anew, if it was to go on and to pause again before this thread could
                self._enter(PAUSED)
            self._changed.wait()

    # By whoever holds `_changed`

    def _ask(self, status: str) -> None:
        """Say what is wanted, and wait until the thread has done so or come to its end, or something else is wanted."""
        before, self._wanted = self._status, status
        if self._steps is not None:  # between two of them
            if status == STOPPED:
                next(self._steps, None)
            else:
                self._enter(status)
            return
        self._changed.notify_all()
        self._changed.wait_for(lambda: self._status != before or self._wanted != status)

    def _enter(self, status: str) -> None:
        self._status = status
        self._changed.notify_all()
        self._show()

    def _show(self) -> None:
        with suppress(NotFiniteError):  # where it diverges; what was seen last stays
            self._inside = training_picture.inside(self.network, *self._example)
        self._full = max(self._full, np.abs(self._inside.get("deltas", 0)).max())
        name, icon = _MAIN.get(self._status, _TRAIN_ON)
        self._main.description, self._main.icon = name, icon
        self._main.disabled = self._status == FAILED  # such weights would fail again
        under_way = self._status in (RUNNING, PAUSED)
        self._stop.disabled = not under_way
        for slider in self._sliders.values():
            slider.disabled = under_way
        self._picture.value = training_picture.page(self._moment())

    def _moment(self) -> training_picture.Moment:
        return training_picture.Moment(
            self._says(), self._status == FAILED, self._records, full=self._full, **self._inside
        )

    def _says(self) -> str:
        reason = "" if self._error is None else f" {self._error}"
        if isinstance(self._error, DivergenceError):
            reason += " Or press Reset, for the weights it began with."
        return f"{self._status.capitalize()}, {training_picture.where(self._records)}.{reason}"

    def _stop_another(self) -> None:
        another = _in_training.get(self.network, self)
        if another is not self:
            another.stop()

    def __repr__(self) -> str:
        with self._changed:
            return f"LiveTraining: {self._says()}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        close_former(self)
        with self._changed:
            picture, width, height = training_picture.still(self._moment())
            text = repr(self)
        data, metadata = still.as_bundle(picture, text, alt=text, width=width, height=height)
        live: Any = super()._repr_mimebundle_(**kwargs)
        return {**live, **data}, metadata


def _sliders(learning_rate: float, momentum: float) -> dict[str, widgets.Widget]:
    """Sliders for the two, each wide enough for what it begins with; a number stays as it is until its slider moves."""
    powers = (
        (-4, 0) if not learning_rate > 0 else (min(-4, floor(log10(learning_rate))), max(0, ceil(log10(learning_rate))))
    )
    look: dict[str, Any] = {"style": {"description_width": "auto"}, "layout": {"width": "250px"}}
    later = "used from the next start"
    return {
        "learning_rate": made(
            widgets.FloatLogSlider,
            learning_rate,
            min=powers[0],
            max=powers[1],
            step=0.1,
            readout_format=".2g",
            description="learning rate",
            tooltip=later,
            continuous_update=False,
            **look,
        ),
        "momentum": made(
            widgets.FloatSlider,
            momentum,
            min=0,
            max=max(0.99, momentum),
            step=0.01,
            description="momentum",
            tooltip=later,
            continuous_update=False,
            **look,
        ),
    }


def _example(network: Network, images: Any, labels: Any, which: int) -> tuple[np.ndarray, np.ndarray]:
    """The image that is looked at, and its label."""
    if len(network.input_shape) != 3:
        raise ValueError(
            f"LiveTraining: the network takes inputs of shape {network.input_shape}; expected images (H, W, C), as one "
            "is shown. train() trains it without a view."
        )
    images, labels = network.as_inputs("LiveTraining", images), np.asarray(labels)
    if not isinstance(which, Integral) or isinstance(which, bool):
        raise TypeError(f"LiveTraining: example is {which!r}; expected the number of an image, such as 0.")
    if not -len(images) <= which < len(images):
        raise ValueError(f"LiveTraining: example is {which}; expected the number of one of the {len(images)} images.")
    return images[which], labels[which]
