"""The one front-end part: a widget that shows a picture and lets a reader choose a cell in it.

Python draws everything beforehand: the picture, and for each cell one can choose the little that changes
with it. The browser only swaps these parts, so that an answer needs no kernel.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from importlib import resources
from time import sleep
from typing import Any

import anywidget
import traitlets

from convbp.pictures import still, svg
from convbp.pictures.scene import Scene, Selection

_FILES = resources.files(__package__)


class GridView(anywidget.AnyWidget):
    """Shows a `Scene`; ``grid``, ``row`` and ``col`` are the cell that the reader chose last.

    It keeps room for ``others``, so that the page below does not move when one of them is shown.
    """

    _esm = _FILES.joinpath("grid_view.js").read_text(encoding="utf-8")
    _css = _FILES.joinpath("grid_view.css").read_text(encoding="utf-8")

    frame = traitlets.Unicode(help="the picture, as SVG text with empty slots").tag(sync=True)
    slots = traitlets.Dict(help="slot -> what is in it").tag(sync=True)
    patches = traitlets.Dict(help="'grid,row,col' -> new content of each slot that changes").tag(sync=True)
    layouts: traitlets.List = traitlets.List(help="how its parts can be arranged, from wide to narrow").tag(sync=True)
    axes = traitlets.Dict(help="grid -> its title, and what its row and column index are called").tag(sync=True)
    others: traitlets.List = traitlets.List(
        help="layouts and longest sentence of each picture that room is kept for"
    ).tag(sync=True)
    title = traitlets.Unicode(help="what the picture is, for those who cannot see it").tag(sync=True)
    message = traitlets.Unicode(help="why the last input was refused, or empty").tag(sync=True)
    paintable = traitlets.Bool(False, help="whether a stroke over the cells is reported").tag(sync=True)
    grid = traitlets.Unicode().tag(sync=True)
    row = traitlets.Int().tag(sync=True)
    col = traitlets.Int().tag(sync=True)

    def __init__(self, scene: Scene, others: Iterable[Scene] = ()):
        super().__init__(
            **self._traits_for(scene),
            patches=self._patches_for(scene),
            others=[{"layouts": _layouts(other), "sentence": _longest_sentence(other)} for other in others],
        )
        self._scene = scene

    def show(self, scene: Scene) -> None:
        """Show another scene: first the picture, in one message, then what each cell would change in it.

        The patches of a large picture are many times its size; the reader need not wait for them to see it.
        Of the picture only the traits that changed are sent, and the page redraws only the slots that did.
        """
        with self.hold_sync():
            self._scene = scene
            for name, value in self._traits_for(scene).items():
                setattr(self, name, value)
            self.patches = {}
        try:
            sleep(0.001)  # lets the kernel's other thread send it now, and not when the patches are done
            self.patches = self._patches_for(scene)
        except BaseException:  # the kernel was interrupted: without patches the picture would answer to nothing
            self.patches = self._patches_for(scene)
            raise

    @property
    def scene(self) -> Scene:
        """What is shown, with the reader's selection."""
        chosen = Selection(self.grid, self.row, self.col)
        return replace(self._scene, selected=chosen) if chosen in self._scene.highlights else self._scene

    def png(self) -> bytes:
        """The picture as it is now."""
        return still.png(self.scene)

    def html(self) -> str:
        """The picture as a page of its own: it needs neither kernel nor network to answer a selection."""
        return page({name: getattr(self, name) for name in GridView.class_own_traits(sync=True)})

    def still(self) -> tuple[dict, dict]:
        """The mime bundle of the still picture, and its metadata."""
        return still.bundle(self.scene, self.scene.sentence)

    @staticmethod
    def _traits_for(scene: Scene) -> dict:
        selected = scene.selected
        return {
            "frame": svg.frame(scene),
            "slots": svg.slots(scene),
            "layouts": _layouts(scene),
            "axes": {grid.name: [grid.title, *grid.axes] for grid in scene.grids if grid.axes},
            "title": scene.title,
            "message": "",
            "grid": selected.grid,
            "row": selected.row,
            "col": selected.col,
        }

    @staticmethod
    def _patches_for(scene: Scene) -> dict:
        return {f"{grid},{row},{col}": slots for (grid, row, col), slots in svg.patches(scene).items()}


def page(state: Mapping[str, Any]) -> str:
    """A page that shows the state of a `GridView`, its own traits by name, and answers without Python."""
    return (
        _FILES.joinpath("page.html")
        .read_text(encoding="utf-8")
        .format(
            title=escape(state["title"]),
            css=GridView._css,
            esm=GridView._esm,
            stand_in=_FILES.joinpath("stand_in.js").read_text(encoding="utf-8"),
            # "</script>" inside a string would end the script, and "<!--" begin a comment.
            state=json.dumps(alone(state), ensure_ascii=False).replace("<", "\\u003c"),
        )
    )


def alone(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state for a page without Python, where nobody draws the picture anew."""
    own = {name: state[name] for name in GridView.class_own_traits(sync=True)}
    return own | {"paintable": False, "others": [], "message": ""}


def _layouts(scene: Scene) -> list[dict]:
    return [layout._asdict() for layout in svg.layouts(scene)]


def _longest_sentence(scene: Scene) -> str:
    return max((escape(highlight.sentence) for highlight in scene.highlights.values()), key=len)
