"""What all explorers share: controls, a frozen state, and the scene made of it in one `GridView`."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from inspect import Signature
from operator import index
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np

from convbp.explorers.controls.alike import Layout, look
from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.control import Control, reset_button, wrapped
from convbp.explorers.controls.former import close_former, close_inside
from convbp.explorers.controls.steps import Step, moved, sliders, steps
from convbp.explorers.controls.subshell import answer_beside_cells
from convbp.explorers.controls.terse import Terse, built_together
from convbp.explorers.states.fields import shown
from convbp.explorers.states.state import ANYWHERE, ExplorerState
from convbp.pictures.grid_view import NOWHERE, GridView
from convbp.pictures.scene import Scene, Selection

Rows = Sequence[Sequence[Control | widgets.Button]]

REACH, NEAR = 8, 2  # steps of a slider, on and back, whose pictures are sent ahead; and if these have other sizes
FRAME = 0.04  # seconds in which a page draws what a control has changed, better if nobody else works meanwhile


def _file(path: str | Path) -> Path:
    """Where to save; folders that are missing are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


class Explorer(Terse, widgets.VBox):
    """A picture with its controls: a state, and the scene that shows it.

    ``class WindowSum(Explorer, state=State, scene=scene)`` takes the fields of the state as parameters, has a control
    for each field that says what moves it, and gets the section *Parameters* of its docstring from them.

    Class arguments
    ---------------
    state
        A subclass of `ExplorerState`.
    scene
        A pure function from a state to a `Scene`. It raises `TypeError` or `ValueError` for a state that
        has no picture; the reader then sees the error's text, and the last good picture stays.
    """

    __signature__: ClassVar[Signature]
    _begin: ClassVar[type[ExplorerState]]
    _scene: ClassVar[Callable[..., Scene]]

    def __init_subclass__(
        cls,
        *,
        state: type[ExplorerState] | None = None,
        scene: Callable[[Any], Scene] | None = None,
        **options: Any,
    ):
        super().__init_subclass__(**options)
        if state is not None and scene is not None:  # or it is a variant of an explorer that has them
            state.explorer = cls.__name__
            cls._begin, cls._scene = state, staticmethod(scene)
            cls.__signature__ = state.parameters()
            cls.__doc__ = state.documented(cls.__doc__ or "")

    def __init__(self, *arguments: Any, **options: Any):
        try:
            given = self.__signature__.bind(*arguments, **options).arguments
        except TypeError as error:
            names = ", ".join(self.__signature__.parameters)
            raise TypeError(f"{type(self).__name__}: {error}; expected {names}.") from None
        # JupyterLab runs callbacks in a thread of their own, beside a running cell that may call update().
        self._lock = RLock()
        self._refreshing = False
        state = self._begin(**given)
        first = self._scene(state)
        self._state = self._initial = state.choosing(first.selected)
        self._shown = first
        self._whole = self._state, first  # the last one that was shown with all of its cells
        self._moved: tuple[Control, Any] | None = None  # what is being moved: a slider, and what it is a part of
        with built_together():
            rows, reset = self.controls(), reset_button()
            self._controls = [control for row in rows for control in row if isinstance(control, Control)]
            self.view = GridView(first, layout=look(Layout))
            super().__init__([*_laid_out(rows, reset), self.view], layout=Layout())
            self.add_class("convbp-explorer")
            self._refresh_controls()
        answer_beside_cells(self)
        for control in self._controls:
            control.widget.observe(partial(self._on_control, control), "value")
        self.view.observe(self._on_predictions, "predictions")
        self.view.observe(self._on_selection, ["grid", "row", "col"])
        self.view.on_msg(self._on_touch)
        reset.on_click(lambda _: self.reset())
        when_idle(self._keep_room)

    def controls(self) -> Rows:
        """Return the controls above the picture, row by row: those that the fields of the state ask for.

        The sliders of an array have a row of their own. A subclass adds what is no field, or arranges them otherwise;
        a button for *Reset* ends the first row.
        """
        found = self._state.controls()
        wide = [control for control in found if isinstance(control.widget, ArraySliders)]
        return [[control for control in found if control not in wide], *([control] for control in wide)]

    @property
    def state(self) -> Any:
        """What is shown. It is frozen; `update` changes to another."""
        return self._state

    @property
    def message(self) -> str:
        """Why the last input was refused; empty if it was not."""
        return self.view.message

    def update(self, **changes: Any) -> None:
        """Show the state with other values in the fields named.

        A value that has no picture changes nothing: the picture stays, and the reason stands above it.
        """
        self._show(lambda state: replace(state, **self._checked(changes)), at_once=True)

    def select(self, row: int, col: int, grid: str | None = None) -> None:
        """Choose a cell, by its index as the picture counts it; ``grid`` if there is more than one to choose in."""
        self.update(selected=(grid or self._state.selected.grid, row, col))

    def reset(self) -> None:
        """Go back to how it began."""
        self.view.forget_predictions()
        self._show(lambda state: self._initial, at_once=True)
        self.view.make_room_afresh()

    def mistake_in(self, numbers: np.ndarray) -> str:
        """The mistake that gives these numbers in the covered grid, in words; empty if none is known."""
        return ""

    def save_svg(self, path: str | Path) -> None:
        """Save the picture as it is now as SVG, on white, with its sentence as its description."""
        _file(path).write_text(self.view.svg(), encoding="utf-8")

    def save_png(self, path: str | Path, *, scale: float = 2) -> None:
        """Save the picture as it is now as PNG.

        Parameters
        ----------
        path : str or path
        scale : float
            How many pixels of the file there are to a pixel of the page, in each direction: 2 for a sharp screen.

        Raises
        ------
        ValueError
            If the scale is not above 0 and at most 20.
        ModuleNotFoundError
            If resvg, which draws it, is not installed.
        """
        if not 0 < scale <= 20:
            raise ValueError(
                f"{type(self).__name__}.save_png: scale is {shown(scale)}; expected a number above 0 and at most 20. "
                "2 is good for a page, 4 for print."
            )
        _file(path).write_bytes(self.view.png(scale))

    def save_html(
        self, path: str | Path, *, title: str = "", caption: str = "", fit: bool = False, inline: bool = True
    ) -> None:
        """Save the picture as a page that answers to pointer and keys with neither kernel nor network.

        It moves, and what is covered takes predictions. Another page shows it by ``<iframe src="…">``.

        Parameters
        ----------
        path : str or path
        title : str
            Stands above the picture. Without one the page's title is that of the picture.
        caption : str
            Stands below.
        fit : bool
            The picture is as large as the window has room for, as for a projector or an ``<iframe>``.
        inline : bool
            All in one file. If False, a .css and a .js are written beside it, for a server whose content security
            policy allows no script in a page.
        """
        path = _file(path)
        if inline:
            path.write_text(self.view.html(title, caption, fit), encoding="utf-8")
            return
        files = self.view.html_in_files(path.stem, title, caption, fit)
        for suffix, text in zip((path.suffix, ".css", ".js"), files, strict=True):
            path.with_suffix(suffix).write_text(text, encoding="utf-8")

    def reachable(self) -> Iterable[Any]:
        """Return the states that the page keeps room for: what buttons lead to, combined, and each tick by itself."""
        states, ticked = [self._state], []
        for control in self._controls:
            if isinstance(control.widget, widgets.ToggleButtons):
                states = [control.change(state, value) for state in states for _, value in control.widget.options]
            elif isinstance(control.widget, widgets.Checkbox):
                ticked.append(control.change(self._state, not control.read(self._state)))
        states += ticked
        return states if len(states) > 1 else ()

    def _keep_room(self) -> None:
        def scenes() -> Iterator[Scene]:
            for state in self.reachable():
                with suppress(TypeError, ValueError):  # some have no picture
                    yield self._scene(state)

        with self._lock:
            self.view.keep_room_for(scenes())

    def _show(self, change: Callable[[Any], Any], *, at_once: bool = False, moved: Any = None) -> None:
        """Show the state that follows from the one that is shown; with ``at_once`` all of it, for whoever asks next.

        ``moved`` is the control and its slider that asks for it, if it is one.

        Else what each cell would change in it follows when the page has drawn it. Where one moves a slider on and on,
        another picture then comes first, and what nobody could have seen of this one is never made.
        """
        with self._lock:
            begun, self._moved = False, moved
            try:
                state = change(self._state)
                scene = self._scene(state)
                if state.selected not in (scene.selected, self._state.selected, ANYWHERE):
                    raise ValueError(self._no_such_cell(state.selected, scene))
                if self.view.is_complete:
                    self._whole = self._state, self.view.scene
                begun = True
                begin = partial(self.view.begin, stands=_stands(moved[1]) if moved else NOWHERE)
                self._put(self.view.show if at_once else begin, state.choosing(scene.selected), scene)
                if not at_once:
                    _later(FRAME, partial(self._complete, scene))
            except Exception as error:
                self._refuse(error, begun)

    def _complete(self, scene: Scene) -> None:
        with self._lock:
            if scene is not self._shown:
                return  # another one has come meanwhile
            try:
                self.view.complete()
            except Exception as error:
                self._refuse(error, begun=True)
        when_idle(partial(self._look_ahead, self._state), FRAME)

    def _look_ahead(self, state: Any) -> None:
        """What the picture becomes if the slider that is being moved goes some steps on, or back."""
        with self._lock:
            if self._moved and self._is_whole(state):
                control, slider = self._moved
                wanted = list(steps(control.widget, slider, control.read(state), REACH))
                self._draw_ahead(state, self._moved, wanted, {})

    def _draw_ahead(
        self, state: Any, moved: tuple[Control, Any], wanted: list[Step], pictures: dict[float, dict]
    ) -> None:
        """Two pictures at a time, so that who moves the slider waits for no more; all of them are sent together."""
        with self._lock:
            if self._moved is not moved or not self._is_whole(state):
                return  # they would come too late
            control, slider = moved
            for step in wanted[:2]:
                with suppress(TypeError, ValueError, ArithmeticError):  # which is said when the reader gets there
                    pictures[step.slider] = self.view.picture_ahead(self._scene(control.change(state, step.control)))
            # Where they have other sizes they take longer, and are true of the next step alone.
            if not wanted[2:] or (len(pictures) > 2 * NEAR and any("frame" in one for one in pictures.values())):
                self.view.look_ahead(_stands(slider), pictures)
            else:
                when_idle(partial(self._draw_ahead, state, moved, wanted[2:], pictures))

    def _is_whole(self, state: Any) -> bool:
        """Whether this is still the state, and the page has all of it."""
        return state is self._state and self.view.is_complete

    def _refuse(self, error: Exception, begun: bool) -> None:
        if begun:  # what was there before can be shown
            self._put(self.view.show, *self._whole)
        self.view.look_ahead(NOWHERE, {})  # or the page may show what is refused
        if not isinstance(error, TypeError | ValueError | ArithmeticError):
            raise error
        self.view.message = str(error)
        if isinstance(error, ArithmeticError):  # of a number too strange for any check
            self.view.message = f"{type(self).__name__}: {error!r}; expected numbers of a usual size."
        self._refresh_controls()

    def _put(self, show: Callable[[Scene], None], state: Any, scene: Scene) -> None:
        self._state, self._shown = state, scene
        self._refreshing = True
        try:
            show(scene)
        finally:
            self._refreshing = False
        self._refresh_controls()

    def _checked(self, changes: dict[str, Any]) -> dict[str, Any]:
        names = self._state.changeable()
        for name in changes:
            if name not in names:
                raise TypeError(f"{type(self).__name__}: there is no {name} to change; expected {', '.join(names)}.")
        if "selected" not in changes:
            return changes
        try:
            grid, row, col = changes["selected"]
            selected = Selection(grid, index(row), index(col))
        except (TypeError, ValueError):
            selected = None
        if selected is None or not isinstance(selected.grid, str) or not selected.grid:
            raise TypeError(
                f"{type(self).__name__}: selected is {shown(changes['selected'])}; expected the name of a grid and "
                f"two integers, for example {tuple(self._state.selected)}."
            )
        return {**changes, "selected": selected}

    def _no_such_cell(self, asked: Selection, scene: Scene) -> str:
        cells = [tuple(cell) for cell in scene.highlights]
        return (
            f"{type(self).__name__}: there is no cell {shown(tuple(asked))} to choose; "
            f"expected one from {cells[0]} to {cells[-1]}."
        )

    def _refresh_controls(self) -> None:
        self._refreshing = True
        try:
            for control in self._controls:
                control.show(self._state)
        finally:
            self._refreshing = False

    def _on_control(self, control: Control, change: Any) -> None:
        with self._lock:
            if not self._refreshing:
                slider = moved(control.widget, change.old, change.new)
                self._show(lambda state: control.change(state, change.new), moved=slider and (control, slider))

    def _on_touch(self, view: GridView, content: Any, buffers: Any) -> None:
        """The reader has taken hold of a slider and not moved it yet; the page names it by its place among all."""
        with self._lock:
            found = [(control, slider) for control in self._controls for slider in sliders(control.widget)]
            self._moved = dict(enumerate(found)).get(content.get("touched"), self._moved)
            when_idle(partial(self._look_ahead, self._state))

    def _on_selection(self, change: Any) -> None:
        # The page shows it already, and the state follows; unless it was chosen in a picture that is gone by now.
        with self._lock:
            if self._refreshing:
                return
            setattr(self.view, change.name, change.new)  # another thread may have shown the former choice meanwhile
            selected = self.view.scene.selected
            self._state = self._state.choosing(selected)
            self.view.grid, self.view.row, self.view.col = selected
            self.view.message = ""
            self._refresh_controls()
            self._complete(self._shown)  # somebody is choosing cells: they are wanted now

    def _on_predictions(self, change: Any) -> None:
        """Once the whole grid has been predicted, say how much is right, and which mistake gives these numbers."""
        with self._lock:
            solution, predictions = self.view.solution, change.new
            self.view.verdict = ""
            if solution is None or len(predictions) < solution.size[0] * solution.size[1]:
                return
            values = [predictions[f"{row},{col}"][0] for row, col in solution.cells()]
            right = sum(map(is_right, values, (value for row in solution.values for value in row)))
            self.view.verdict = f"{right} of {len(values)} are right."
            if right < len(values) and (known := self.mistake_in(np.reshape(values, solution.size))):
                self.view.verdict += f" {known}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.view.scene.sentence}"

    def close(self) -> None:
        """Take the picture and its controls off the page, and out of the kernel."""
        close_inside(self)
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        close_former(self)
        data, metadata = self.view.still()
        live: Any = super()._repr_mimebundle_(**kwargs)
        return {**live, **data, "text/plain": repr(self)}, metadata


def _stands(slider: Any) -> tuple[str, float]:
    return slider.model_id, slider.value


def when_idle(act: Callable[[], None], seconds: float = 0) -> None:
    """Do something when nothing else is to be done, so much later; nothing where there is no page to show it."""
    with suppress(RuntimeError):  # no event loop
        asyncio.get_running_loop().call_later(seconds, act)


def _later(seconds: float, act: Callable[[], None]) -> None:
    """Do something a little later; now where nobody would, as no event loop runs."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        act()
    else:
        loop.call_later(seconds, act)


def is_right(prediction: float, value: Any) -> bool:
    """Whether a number was predicted: exactly, or where it is not whole to a hundredth of it."""
    return abs(prediction - value) <= (0 if value == int(value) else 0.01 * abs(value))


def _laid_out(rows: Rows, reset: widgets.Button) -> Iterator[widgets.Widget]:
    """The rows as widgets: side by side where they are several."""
    for r, row in enumerate(rows):
        parts = [part.widget if isinstance(part, Control) else part for part in row] + [reset] * (r == 0)
        yield parts[0] if len(parts) == 1 and r > 0 else wrapped(*parts)
