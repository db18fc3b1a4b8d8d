"""The one front-end part: a widget that shows a picture and lets a reader choose a cell in it.

Python draws everything beforehand: the picture, and for each cell one can choose the little that changes
with it. The browser only swaps these parts, so that an answer needs no kernel.
"""

import base64
import json
from dataclasses import replace
from html import escape
from importlib import resources
from pathlib import Path

import anywidget
import resvg_py
import traitlets
from matplotlib import get_data_path

from convbp import svg
from convbp.scene import Scene, Selection

_FILES = resources.files(__package__)
_FONTS = [str(Path(get_data_path(), "fonts", "ttf", name)) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")]


class GridView(anywidget.AnyWidget):
    """Shows a `Scene`; ``grid``, ``row`` and ``col`` are the cell that the reader chose last."""

    _esm = _FILES.joinpath("grid_view.js").read_text(encoding="utf-8")
    _css = _FILES.joinpath("grid_view.css").read_text(encoding="utf-8")

    picture = traitlets.Unicode(help="the picture, as SVG text").tag(sync=True)
    patches = traitlets.Dict(help="'grid,row,col' -> new content of each slot of the picture").tag(sync=True)
    layouts = traitlets.List(help="how the picture's parts can be arranged, from wide to narrow").tag(sync=True)
    axes = traitlets.Dict(help="grid -> what its row and column index are called").tag(sync=True)
    title = traitlets.Unicode(help="what the picture is, for those who cannot see it").tag(sync=True)
    message = traitlets.Unicode(help="why the last input was refused, or empty").tag(sync=True)
    grid = traitlets.Unicode().tag(sync=True)
    row = traitlets.Int().tag(sync=True)
    col = traitlets.Int().tag(sync=True)

    def __init__(self, scene: Scene):
        super().__init__(**self._traits_for(scene))
        self._scene = scene

    def show(self, scene: Scene) -> None:
        """Show another scene, all of it in one message to the page."""
        with self.hold_sync():
            self._scene = scene
            for name, value in self._traits_for(scene).items():
                setattr(self, name, value)

    @property
    def scene(self) -> Scene:
        """What is shown, with the reader's selection."""
        chosen = Selection(self.grid, self.row, self.col)
        return replace(self._scene, selected=chosen) if chosen in self._scene.highlights else self._scene

    def png(self) -> bytes:
        """The picture as it is now, on white, at twice its size so that it stays sharp."""
        return resvg_py.svg_to_bytes(
            svg_string=svg.picture(self.scene, still=True), font_files=_FONTS, skip_system_fonts=True, zoom=2
        )

    def html(self) -> str:
        """The picture as a page of its own: it needs neither kernel nor network to answer a selection."""
        state = {name: getattr(self, name) for name in self._traits_for(self._scene)}
        return (
            _FILES.joinpath("page.html")
            .read_text(encoding="utf-8")
            .format(
                title=escape(self.title),
                css=self._css,
                esm=self._esm,
                # "</script>" inside a string would end the script, and "<!--" begin a comment.
                state=json.dumps(state, ensure_ascii=False).replace("<", "\\u003c"),
            )
        )

    def still(self) -> tuple[dict, dict]:
        """The mime bundle of the still picture, and its metadata: size on the page and alt text."""
        width, height, _ = svg.layouts(self._scene)[0]
        sentence = self.scene.sentence
        data = {"text/plain": sentence, "image/png": base64.b64encode(self.png()).decode("ascii")}
        return data, {"image/png": {"alt": sentence, "width": width, "height": height}}

    @staticmethod
    def _traits_for(scene: Scene) -> dict:
        selected = scene.selected
        return {
            "picture": svg.picture(scene),
            "patches": {f"{grid},{row},{col}": slots for (grid, row, col), slots in svg.patches(scene).items()},
            "layouts": [layout._asdict() for layout in svg.layouts(scene)],
            "axes": {grid.name: list(grid.axes) for grid in scene.grids if grid.axes},
            "title": scene.title,
            "message": "",
            "grid": selected.grid,
            "row": selected.row,
            "col": selected.col,
        }
