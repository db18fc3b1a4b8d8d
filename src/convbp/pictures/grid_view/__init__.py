"""The one front-end part: a widget that shows a picture and lets a reader choose a cell in it.

Python draws everything beforehand: the picture, and for each cell one can choose the little that changes
with it. The browser only swaps these parts, so that an answer needs no kernel.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from importlib import resources
from time import sleep
from typing import Any
from urllib.parse import quote

import anywidget
import traitlets

from convbp.notation import number
from convbp.pictures import drawing, still, svg
from convbp.pictures.colours import hue
from convbp.pictures.scene import Grid, Highlight, Scene, Selection

_FILES = resources.files(__package__)


def _read(name: str) -> str:
    return _FILES.joinpath(name).read_text(encoding="utf-8")


def _without_comments(script: str) -> str:
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _deflated(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode())).decode("ascii")


_SCRIPT = _without_comments(_read("grid_view.js"))
STYLE = _read("grid_view.css") + drawing.style(still=False)

NOWHERE = "", 0  # where no slider stands


class GridView(anywidget.AnyWidget):
    """Shows a `Scene`; ``grid``, ``row`` and ``col`` are the cell that the reader chose last."""

    # Sent with each picture.
    _esm = _without_comments(_read("inflate.js")).replace(
        "DEFLATED", _deflated(json.dumps({"script": _SCRIPT, "style": STYLE}))
    )

    frame = traitlets.Unicode(help="the picture, as SVG text with empty slots").tag(sync=True)
    slots = traitlets.Dict(help="slot -> what is in it").tag(
        sync=True, to_json=lambda slots, view: packed_at_first(slots, view)
    )
    patches = traitlets.Dict(help="'grid,row,col' -> new content of each slot that changes").tag(
        sync=True, to_json=lambda patches, _: packed(_once(patches))
    )
    moves = traitlets.Dict(help="'grid,row,col' -> its flights and its links, if there are any").tag(
        sync=True, to_json=lambda moves, _: packed(moves)
    )
    answers = traitlets.Dict(
        help="'grid,row,col' of a cell that asks for a number -> which, and what its answer changes in its picture"
    ).tag(sync=True, to_json=lambda answers, _: packed(answers))
    asked = traitlets.Dict(help="the grid to be predicted: name, slot, 'row,col' -> number and text").tag(sync=True)
    predictions = traitlets.Dict(help="'row,col' -> number and text that the reader predicted").tag(sync=True)
    verdict = traitlets.Unicode(help="what is said of all of the predictions together").tag(sync=True)
    ahead = traitlets.Dict(help="a slider, and what the picture becomes by steps of it: see `look_ahead`").tag(
        sync=True, to_json=lambda ahead, _: packed(_ahead_once(ahead))
    )
    stands = traitlets.Tuple(
        default_value=NOWHERE, help="the slider of whose step the picture comes, and its value then"
    ).tag(sync=True)
    arrival: traitlets.List = traitlets.List(help="what flies when it is another than before").tag(sync=True)
    layouts: traitlets.List = traitlets.List(help="how its parts can be arranged, from wide to narrow").tag(
        sync=True, to_json=lambda layouts, view: packed_at_first(layouts, view)
    )
    axes = traitlets.Dict(help="grid -> its title, and what its row and column index are called").tag(sync=True)
    others: traitlets.List = traitlets.List(help="layouts and longest texts of each picture that room is kept for").tag(
        sync=True, to_json=lambda others, _: packed(others)
    )
    title = traitlets.Unicode(help="what the picture is, for those who cannot see it").tag(sync=True)
    message = traitlets.Unicode(help="why the last input was refused, or empty").tag(sync=True)
    paintable = traitlets.Bool(False, help="whether a stroke over the cells is reported").tag(sync=True)
    grid = traitlets.Unicode().tag(sync=True)
    row = traitlets.Int().tag(sync=True)
    col = traitlets.Int().tag(sync=True)

    def __init__(self, scene: Scene, **options: Any):
        self._solution = scene.covered  # the grid that is to be predicted, or was and can be seen now
        super().__init__(**self._picture_of(scene), **self._named(scene), **self._cells_of(scene), **options)
        self._scene = self._framed = scene  # and the one in whose frame the page shows it
        self.is_complete = True  # whether the page has all of it

    def keep_room_for(self, others: Iterable[Scene]) -> None:
        """The page below does not move when one of these is shown."""
        self.others = [
            {"layouts": _layouts(other), "asks": other.covered is not None, **_longest_texts(other)} for other in others
        ]

    def show(self, scene: Scene) -> None:
        """Show another scene: `begin`, and then `complete`."""
        self.begin(scene)
        try:
            sleep(0.001)  # lets the kernel's other thread send it now, and not when the patches are done
            self.complete()
        except KeyboardInterrupt:  # of the kernel: without patches the picture would answer to nothing
            self.complete()
            raise

    def begin(self, scene: Scene, stands: tuple[str, float] = NOWHERE) -> None:
        """Send the picture of another scene, in one message, but not yet what each cell would change in it.

        ``stands`` is the model id and the value of the slider that was moved, if one was. Of any other what was sent
        ahead is true no more.

        The patches of a large picture are many times its size; the reader need not wait for them to see it, nor, as
        long as the grids are those of the picture before, for the sizes that other cells need. Of the picture only the
        traits that changed are sent, and the page redraws only the slots that did.
        """
        with self.hold_sync():
            self.is_complete = False
            self._scene = scene
            solution = scene.covered or next((grid for grid in scene.grids if grid == self._solution), None)
            if solution != self._solution:
                self._solution = solution
                self._set({"predictions": {}, "verdict": ""})
            picture = self._picture_at_first(scene)
            if "frame" in picture:
                self._framed = scene
            self._set(picture | self._named(scene) | {"patches": {}, "stands": stands})
            if self.ahead.get("slider") != stands[0]:
                self.ahead = {}

    def complete(self) -> None:
        """Send what each cell would change in the picture that has begun, if the page has not got it yet."""
        if not self.is_complete:
            scene = self._scene
            self._set((self._picture_of(scene) if scene is not self._framed else {}) | self._cells_of(scene))
            self._framed, self.is_complete = scene, True

    def picture_ahead(self, scene: Scene) -> dict:
        """The picture of another scene as `begin` will send it, for `look_ahead`."""
        return self._picture_at_first(scene) | {"title": scene.title, "at": _key(scene.selected)}

    def look_ahead(self, stands: tuple[str, float], pictures: Mapping[float, dict]) -> None:
        """Send what the picture becomes if the slider with this model id, which has this value, is set to others.

        The page then shows it at once, and not after a trip to the kernel and back; the answer makes it whole. So it
        does until the reader chooses another cell. Where there is something to be predicted, nothing is sent.
        """
        known = pictures and not self._solution
        at = _key(self.scene.selected)
        ahead = {"slider": stands[0], "at": at, "pictures": list(pictures.items())} if known else {}
        self._set({"stands": stands, "ahead": ahead})

    def make_room_afresh(self) -> None:
        """The page below comes closer if this picture needs less room than one before it."""
        self.send({"afresh": True})

    def forget_predictions(self) -> None:
        """As before the first one."""
        self._solution = None
        self._set({"predictions": {}, "verdict": ""})

    def _set(self, traits: dict) -> None:
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)

    @property
    def scene(self) -> Scene:
        """What is shown, with the reader's selection."""
        chosen = Selection(self.grid, self.row, self.col)
        return replace(self._scene, selected=chosen) if chosen in self._scene.highlights else self._scene

    def svg(self) -> str:
        """The picture as it is now, on white."""
        return svg.picture(self.scene, still=True)

    def png(self, scale: float = 2) -> bytes:
        """The same as pixels, ``scale`` to each pixel of its size on the page."""
        return still.rasterised(self.svg(), scale)

    def html(self, title: str = "", caption: str = "", fit: bool = False) -> str:
        """The picture as a page of its own, with neither kernel nor network: it answers to a selection, moves, and
        takes predictions. Where no script may run, it stands still.

        ``title`` stands above it, ``caption`` below.
        """
        return page(self._state(), title, caption, self._still(), fit)

    def html_in_files(self, name: str, title: str = "", caption: str = "", fit: bool = False) -> tuple[str, str, str]:
        """The same in three files: a page, the ``name``.css and the ``name``.js that it asks for beside it.

        For a server whose content security policy allows no script and no style in a page.
        """
        written = _page(
            self.title,
            title,
            caption,
            self._still(),
            fit,
            f'<link rel="stylesheet" href="{quote(name)}.css">',
            f'<script src="{quote(name)}.js"></script>',
        )
        # As a module it could not be opened as a file.
        script = _script(self._state()).replace("export default { render };", "")
        return written, _style(), f"(async () => {{\n{script}}})();\n"

    def _state(self) -> dict[str, Any]:
        self.complete()
        return self.get_state(GridView.class_own_traits(sync=True))

    def _still(self) -> str:
        scene = self.scene
        return f'{svg.picture(scene)}<p class="convbp-sentence">{escape(scene.sentence)}</p>'

    def still(self) -> tuple[dict, dict]:
        """The mime bundle of the still picture, and its metadata."""
        return still.bundle(self.scene, self.scene.sentence)

    @property
    def solution(self) -> Grid | None:
        """What is to be predicted, or was and can be seen now."""
        return self._solution

    def _picture_at_first(self, scene: Scene) -> dict:
        """The slots alone, in the sizes of the frame that the page shows, if they fit into it."""
        slots = svg.slots_at_first(scene, self._framed)
        return {"slots": slots} if slots else self._picture_of(scene)

    @staticmethod
    def _picture_of(scene: Scene) -> dict:
        return {"frame": svg.frame(scene), "slots": svg.slots(scene), "layouts": _layouts(scene)}

    def _named(self, scene: Scene) -> dict:
        """What is said of the picture, and which of its cells is chosen."""
        selected = scene.selected
        return {
            "arrival": scene.flights,
            "asked": _asked(scene, self._solution) if self._solution else {},
            "axes": {grid.name: [grid.title, *grid.axes] for grid in scene.grids if grid.axes},
            "title": scene.title,
            "message": "",
            "grid": selected.grid,
            "row": selected.row,
            "col": selected.col,
        }

    @staticmethod
    def _cells_of(scene: Scene) -> dict:
        """What each cell one can choose would change in the picture, and what would move."""
        patches = {_key(cell): slots for cell, slots in svg.patches(scene).items()}
        moves = {_key(cell): _moves(highlight) for cell, highlight in {**scene.highlights, **scene.answers}.items()}
        answers = {
            _key(cell): {"at": scene.answer_at(cell), "slots": slots} for cell, slots in svg.answers(scene).items()
        }
        return {"moves": {key: move for key, move in moves.items() if move}, "answers": answers, "patches": patches}


def packed(value: Mapping[str, Any] | list) -> str:
    """What is sent for all cells, or for other pictures, a tenth as long: the page unpacks it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _deflated(text) if value else ""


def packed_at_first(value: Mapping[str, Any] | list, view: GridView) -> Any:
    """As a picture opens it comes `packed`; as it changes it does not, so that it can be shown at once."""
    return value if view.comm else packed(value)


def unpacked(text: str) -> Any:
    """What was `packed` so."""
    return json.loads(zlib.decompress(base64.b64decode(text))) if text else {}


def _once(patches: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The patches with each text once, and for each cell which of them its slots take, −1 where it has none."""
    if not patches:
        return {}
    slots = list(dict.fromkeys(slot for patch in patches.values() for slot in patch))
    numbers: dict[str, int] = {}
    cells = {
        key: [numbers.setdefault(patch[slot], len(numbers)) if slot in patch else -1 for slot in slots]
        for key, patch in patches.items()
    }
    return {"slots": slots, "texts": list(numbers), "cells": cells}


def _ahead_once(ahead: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is sent ahead with each text of a slot once: from step to step most are as they were."""
    if not ahead:
        return {}
    slots = {str(n): picture["slots"] for n, (_, picture) in enumerate(ahead["pictures"])}
    rest = [(value, {k: v for k, v in picture.items() if k != "slots"}) for value, picture in ahead["pictures"]]
    return {**ahead, "pictures": rest, "slots": _once(slots)}


def patches_in(state: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The patches in the state of a `GridView` as it is sent."""
    patches = unpacked(state["patches"])
    return {
        key: {patches["slots"][i]: patches["texts"][n] for i, n in enumerate(numbers)}
        for key, numbers in patches.get("cells", {}).items()
    }


def page(state: Mapping[str, Any], title: str = "", caption: str = "", still: str = "", fit: bool = False) -> str:
    """A page that shows the state of a `GridView`, its own traits by name, and answers without Python.

    Where no script may run it shows what ``still`` is in HTML. With ``fit`` it is as large as its window has room for.
    """
    style, script = f"<style>\n{_style()}</style>", f'<script type="module">\n{_script(state)}</script>'
    return _page(state["title"], title, caption, still, fit, style, script)


def _page(name: str, title: str, caption: str, still: str, fit: bool, style: str, script: str) -> str:
    return _read("page.html").format(
        title=escape(title or name),
        heading=f"<h1>{escape(title)}</h1>\n" if title else "",
        still=still,
        fit=" data-fit" if fit else "",
        caption=f"<figcaption>{escape(caption)}</figcaption>\n" if caption else "",
        style=style,
        script=script,
    )


def _style() -> str:
    return _read("page.css") + STYLE


def _script(state: Mapping[str, Any]) -> str:
    stand_in = _read("stand_in.js").replace("export ", "")
    return f"{_SCRIPT}\n{stand_in}\nconst state = {_escaped(alone(state))};\n{_read('page.js')}"


def alone(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state for a page without Python, where nobody draws the picture anew."""
    own = {name: state[name] for name in GridView.class_own_traits(sync=True)}
    own |= {name: unpacked(own[name]) for name in ("slots", "layouts") if isinstance(own[name], str)}
    return own | {"paintable": False, "others": "", "message": "", "ahead": "", "stands": NOWHERE}


def _layouts(scene: Scene) -> list[dict]:
    """With a scale only where a part is not drawn in its own size."""
    return [
        {
            "width": width,
            "height": height,
            "places": [(x, y) if scale == 1 else (x, y, scale) for x, y, scale in places],
        }
        for width, height, places in svg.layouts(scene)
    ]


def _escaped(value: object) -> str:
    """As JSON that can stand in a page: "</script>" in a string would end the script, and "<!--" begin a comment."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _key(cell: Selection) -> str:
    return ",".join(map(str, cell))


def _asked(scene: Scene, solution: Grid) -> dict:
    slot = [grid.name for grid in scene.grids].index(solution.name)
    values = {f"{row},{col}": solution.entry(row, col) for row, col in solution.cells()}
    return {
        "grid": solution.name,
        "slot": f"grid{slot}",
        "values": {at: [float(value), number(value)] for at, value in values.items()},
    }


def _moves(highlight: Highlight) -> dict:
    links = [[start, end, hue(weight)] for start, end, weight in highlight.links]
    return {name: move for name, move in (("flights", highlight.flights), ("links", links)) if move}


def _longest_texts(scene: Scene) -> dict[str, str]:
    texts = [svg.words(highlight) for _, highlight in scene.all_highlights()]
    return {name: max((text[name] for text in texts), key=len) for name in texts[0]}
