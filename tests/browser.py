"""Drives the real thing: JupyterLab in a browser, and the explorers in it, as a reader sees and moves them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, WebSocket, expect

import course

Index = tuple[int, int]

PATIENCE = 60  # seconds: other tests keep the processors busy, and who waits for what comes loses nothing


def write_notebook(path: Path, cells: list[str], *, above: int = 0, below: int = 0) -> None:
    """Write a notebook of these code cells, with so many of text above and below them."""
    text = nbformat.v4.new_markdown_cell
    cells = [*(text("above") for _ in range(above)), *map(nbformat.v4.new_code_cell, cells)]
    notebook = nbformat.v4.new_notebook(cells=[*cells, *(text("below") for _ in range(below))])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


@contextmanager
def jupyterlab(root: Path, home: Path) -> Iterator[str]:
    """Run JupyterLab on the folder ``root`` with the options that a reader gets; give the address to open.

    Whatever it keeps (settings, workspaces, trust in notebooks) it keeps in ``home``, so it starts as on a new machine.
    """
    kept = ["JUPYTER_CONFIG", "JUPYTER_DATA", "JUPYTER_RUNTIME", "JUPYTERLAB_SETTINGS", "JUPYTERLAB_WORKSPACES"]
    environment = {f"{name}_DIR": str(home / name) for name in kept}
    environment |= {"IPYTHONDIR": str(home / "ipython"), "JUPYTER_PREFER_ENV_PATH": "1"}
    options = [f"--ServerApp.root_dir={root}", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    options += course.LAB_OPTIONS
    course.settle_lab()
    with open(home / "log", "w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            server = _server(process, home)
            yield f"{server['url']}lab?reset&token={server['token']}"
        finally:
            process.terminate()  # it ends its kernels, too
            process.wait(timeout=PATIENCE)


def _server(process: subprocess.Popen, home: Path) -> dict:
    """What the server writes down as soon as it listens; the port that it found free is among it."""
    info = home / "JUPYTER_RUNTIME" / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + 2 * PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return json.loads(info.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # not there yet, or half of it
            time.sleep(0.05)
    raise RuntimeError(f"JupyterLab did not start:\n{(home / 'log').read_text(encoding='utf-8')}")


def needs_subshells() -> None:
    """For a test in which a kernel does two things at once: those before ipykernel 7 have one thread for everything."""
    if int(version("ipykernel").partition(".")[0]) < 7:
        pytest.skip("this ipykernel runs callbacks after cells, not beside them")


def eventually(read: Callable[[], Any], expected: Any) -> None:
    """Wait until ``read()`` is ``expected``; fail if it does not become so."""
    deadline = time.monotonic() + PATIENCE
    while (found := read()) != expected:
        assert time.monotonic() < deadline, f"{found}\nhas not become\n{expected}"
        time.sleep(0.02)


# What JupyterLab complains of, of itself, when a notebook is closed soon after it was opened.
_OF_CLOSING = ("Canceled future for debug_request", "._ensureFocus")


class Tab:
    """A page of the browser that takes notes from the beginning.

    ``address`` is the first that it was given, ``requests`` are all that it asked for, ``complaints`` the errors on its
    console, and ``sent`` the messages to kernels.
    """

    def __init__(self, browser: Browser, address: str, **options: Any):
        # Motion ends in what is there without it; a test that looks at motion asks for it.
        options = {"viewport": {"width": 1600, "height": 1000}, "reduced_motion": "reduce"} | options
        self.page = browser.new_page(**options)
        self.page.set_default_timeout(1000 * PATIENCE)
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.sent: list[bytes | str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", self._on_websocket)
        self.page.on("pageerror", lambda error: self._on_complaint(str(error)))
        self.page.on("console", lambda entry: entry.type == "error" and self._on_complaint(entry.text))
        self.page.goto(address)

    def _on_complaint(self, text: str) -> None:
        if not any(known in text for known in _OF_CLOSING):
            self.complaints.append(text)

    def _on_websocket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)
        if "/api/kernels/" in socket.url:
            socket.on("framesent", lambda frame: self.sent.append(frame))


# Brings a cell into view, which alone is sure to be on the page, and waits until it stands still there.
_TURN_TO = """async (n) => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = n;
    await notebook.scrollToItem(n, "start");
    const top = () => notebook.activeCell.node.getBoundingClientRect().top;
    for (let still = 0, before; still < 4; before = top()) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        still = top() === before ? still + 1 : 0;
    }
}"""


class Lab(Tab):
    """JupyterLab; what it says of a notebook, it says of the one in view."""

    def __init__(self, browser: Browser, address: str):
        super().__init__(browser, address)
        self.page.wait_for_function("globalThis.jupyterapp?.restored.then(() => true)", timeout=2000 * PATIENCE)

    def command(self, name: str, **arguments: Any) -> None:
        """Do what an entry of a menu does, and wait until it is done."""
        self.page.evaluate(
            "([name, arguments]) => jupyterapp.commands.execute(name, arguments).then(() => null)", [name, arguments]
        )

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression about ``panel``, JupyterLab's own object for the notebook."""
        return self.page.evaluate(f"(() => {{ const panel = jupyterapp.shell.currentWidget; return {expression}; }})()")

    def kernel_status(self) -> str:
        return self.ask("panel.sessionContext?.session?.kernel?.status")

    def open(self, path: str) -> None:
        """Open a notebook, or turn to it if it is open; return when its kernel waits for work."""
        self.command("docmanager:open", path=path)
        eventually(lambda: self.ask("panel.context?.path"), path)
        eventually(self.kernel_status, "idle")

    def turn_to(self, n: int) -> Locator:
        """Bring a cell into view, and return it."""
        self.page.evaluate(_TURN_TO, n)
        return self.panel.locator(".jp-Notebook-cell.jp-mod-active")

    def close(self) -> None:
        """Close the notebook in view without saving it, and end its kernel."""
        self.page.evaluate(
            """async () => {
                const panel = jupyterapp.shell.currentWidget;
                await panel.sessionContext.shutdown();
                panel.context.model.dirty = false;
                panel.dispose();
            }"""
        )

    def value(self, expression: str) -> str:
        """What Python says of an expression, in another cell."""
        reply = self.page.evaluate(
            """expression => jupyterapp.shell.currentWidget.sessionContext.session.kernel
                .requestExecute({code: "", user_expressions: {value: expression}})
                .done.then((reply) => reply.content.user_expressions.value)""",
            expression,
        )
        assert reply["status"] == "ok", reply
        return reply["data"]["text/plain"]

    @contextmanager
    def busy(self) -> Iterator[None]:
        """A cell runs all the while."""
        # The status is "idle" again as soon as the kernel has heard of a selection, beside what runs. So ask what runs:
        # the first that the kernel says of the cell is that it has begun.
        kernel = "panel.sessionContext.session.kernel"
        self.ask(
            f"""(() => {{
                const cell = {kernel}.requestExecute({{code: "import time; time.sleep(600)"}});
                panel.running = false;
                cell.onIOPub = () => {{ panel.running = true; }};
                cell.done.finally(() => {{ panel.running = false; }});
            }})()"""
        )
        try:
            eventually(lambda: self.ask("panel.running"), True)
            yield
            assert self.ask("panel.running")
        finally:
            self.ask(f"{kernel}.interrupt()")
            eventually(lambda: self.ask("panel.running"), False)

    @contextmanager
    def waiting(self, owner: str, method: str) -> Iterator[None]:
        """All the while Python waits where a method of an object begins, which has that name in the notebook."""
        needs_subshells()
        held = f"held(setattr, {owner}, {method!r}, {owner}.{method})"
        self.value(f"exec({_HELD!r})")
        try:
            assert self.value(held) == "None"
            yield
        finally:
            self.value(f"go_on.set() or delattr({owner}, {method!r})")

    @contextmanager
    def theme(self, name: str) -> Iterator[None]:
        """In the Light or the Dark theme."""
        try:
            self._change_theme(name)
            yield
        finally:
            self._change_theme("Light")

    def _change_theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=f"JupyterLab {name}")
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", str(name == "Light").lower())

    @contextmanager
    def width(self, pixels: int) -> Iterator[None]:
        """In a window so wide."""
        self.page.set_viewport_size({"width": pixels, "height": 1000})
        try:
            yield
        finally:
            self.page.set_viewport_size({"width": 1600, "height": 1000})

    def assert_alone_and_content(self) -> None:
        """The console shows no error, and no other machine was asked for anything."""
        assert self.complaints == [], self.complaints
        assert {urlsplit(address).hostname for address in self.requests} <= {"localhost", None}
        assert {urlsplit(address).scheme for address in self.requests} <= {"http", "ws", "data", "blob"}
        assert any("/api/kernels/" in address for address in self.requests)

    @property
    def panel(self) -> Locator:
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    @property
    def explorers(self) -> list[Locator]:
        return self.panel.locator(".convbp-explorer").all()


_HELD = """
import threading
go_on = threading.Event()
def held(put, owner, name, do):
    put(owner, name, lambda *arguments, **named: go_on.wait(60) and do(*arguments, **named))
"""


@contextmanager
def lab_with(browser: Browser, folders: Any, cells: list[str], explorers: int) -> Iterator[Lab]:
    """JupyterLab with a notebook of these cells, which has been run and shows so many explorers.

    ``folders`` is pytest's ``tmp_path_factory``.
    """
    root, home = folders.mktemp("root"), folders.mktemp("home")
    write_notebook(root / "cells.ipynb", cells)
    with jupyterlab(root, home) as address:
        lab = Lab(browser, address)
        lab.open("cells.ipynb")
        lab.command("notebook:run-all-cells")
        expect(lab.panel.locator(".convbp-explorer:has(svg)")).to_have_count(explorers)
        yield lab


# What a reader does, and what the page says of an explorer


def cell_of(root: Locator, grid: str, row: int, col: int) -> Locator:
    return root.locator(f'[data-cell="{grid},{row},{col}"]')


def point_elsewhere(root: Locator) -> None:
    root.page.mouse.move(1, 1)


def is_ready(root: Locator) -> None:
    """What the cells would change in the picture has arrived, too."""
    expect(root.get_by_role("application")).to_have_attribute("aria-busy", "false")


def height(root: Locator) -> int:
    """How high the cell of the notebook is."""
    return root.evaluate("element => element.closest('.jp-Cell').offsetHeight")


def cut_off(root: Locator) -> list[str]:
    """What of an element ends further right than it does; a picture and a formula are scrolled in their own places."""
    return root.evaluate(
        """element => {
            const edge = element.getBoundingClientRect().right + 1;
            const formulas = ".widget-htmlmath-content, .widget-htmlmath-content *";
            const scrolled = `.convbp-stage > *, .convbp-stage > * *, ${formulas}`;
            const parts = [...element.querySelectorAll(`:not(${scrolled})`)];
            const beyond = parts.filter((part) => part.getBoundingClientRect().right > edge);
            return beyond.map((part) => part.outerHTML.slice(0, 200));
        }"""
    )


def spills(root: Locator) -> list[str]:
    """What of an element, or around it, is wider than the room there is."""
    return cut_off(root) + root.evaluate(
        """element => {
            const spills = [];
            for (let at = element; at; at = at.parentElement) if (at.scrollWidth > at.clientWidth) spills.push(at);
            return spills.map((part) => part.outerHTML.slice(0, 200));
        }"""
    )


class Box(NamedTuple):
    """Where something is on the page, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def holds(self, other: "Box") -> bool:
        """Whether the middle of the other lies inside."""
        x, y = other.middle
        return self.left < x < self.right and self.top < y < self.bottom


@dataclass(frozen=True)
class Picture:
    """What a picture shows, read off the page by where things are.

    ``numbers[grid]`` are the numbers in it, the zeros around an array left out, ``outlines[grid]`` the cells that are
    outlined, ``tags[grid]`` the captions below the numbers. A cell goes by the indices that are written beside its row
    and above its column, or by its own where there are none.
    """

    numbers: dict[str, dict[Index, Fraction]]
    outlines: dict[str, set[Index]]
    tags: dict[str, dict[Index, str]]
    total: str
    sentence: str


_READ = """root => {
    const all = (within, selector, read) => [...within.querySelectorAll(selector)].map(read);
    const box = (shape) => {
        const {x, y, width, height} = shape.getBBox(), to = shape.getScreenCTM();
        return [to.a * x + to.e, to.d * y + to.f, to.a * (x + width) + to.e, to.d * (y + height) + to.f];
    };
    return {
        grids: Object.fromEntries(all(root, "[data-grid]", (grid) => [grid.dataset.grid, {
            cells: all(grid, ".cell, .pad, .empty, .small", (cell) =>
                [box(cell), cell.nextElementSibling?.textContent, cell.matches(".pad"), cell.dataset.at]),
            indices: all(grid, ".index", (index) => [box(index), index.textContent]),
            marks: all(grid, ".mark", box),
        }])),
        tags: all(root, "text.caption", (caption) => [box(caption), caption.textContent]),
        total: root.querySelector(".said").textContent,
        sentence: root.querySelector(".convbp-sentence").textContent,
    };
}"""


def number(text: str) -> Fraction:
    """The number that a text shows, with its true minus sign."""
    return Fraction(text.replace("\u2212", "-"))


def outlined(root: Locator) -> dict[str, list[list[int]]]:
    """Which cells each outline in a grid runs around; the cells are counted row by row."""
    found: dict[str, list[list[int]]] = {}
    for name, grid in root.evaluate(_READ)["grids"].items():
        cells = [Box(*box) for box, *_ in grid["cells"]]
        found[name] = [[n for n, _ in _inside(mark, enumerate(cells))] for mark in grid["marks"]]
    return found


def _inside(mark: list[float], cells: Iterable[tuple[Any, Box]]) -> list[tuple[Any, Box]]:
    """The cells that an outline runs around."""
    inside = [(name, cell) for name, cell in cells if Box(*mark).holds(cell)]
    lefts, tops, rights, bottoms = zip(*(cell for _, cell in inside), strict=True)
    hull = (min(lefts), min(tops), max(rights), max(bottoms))
    assert all(abs(a - b) < 0.5 for a, b in zip(mark, hull, strict=True)), "the outline runs beside its cells"
    return inside


def read(root: Locator) -> Picture:
    """Read the picture of an explorer."""
    found = root.evaluate(_READ)
    numbers: dict[str, dict[Index, Fraction]] = {}
    places: dict[tuple[str, Index], Box] = {}
    for name, grid in found["grids"].items():
        indices = [(Box(*box), int(number(text))) for box, text in grid["indices"]]
        numbers[name] = {}
        for cell, text, padding, at in grid["cells"]:
            cell = Box(*cell)
            if indices:
                (row,) = (n for box, n in indices if cell.top < box.middle[1] < cell.bottom)
                (col,) = (n for box, n in indices if cell.left < box.middle[0] < cell.right)
            else:  # a kernel, a map, the products: too small to need them
                row, col = map(int, at.split(","))
            places[name, (row, col)] = cell
            if not padding:
                numbers[name][row, col] = number(text)
    outlines: dict[str, set[Index]] = {}
    for grid, mark in ((name, mark) for name, part in found["grids"].items() for mark in part["marks"]):
        assert grid not in outlines, f"two outlines in {grid}"
        inside = _inside(mark, places.items())
        assert {name for (name, _), _ in inside} == {grid}
        outlines[grid] = {index for (_, index), _ in inside}
    tags: dict[str, dict[Index, str]] = {name: {} for name in numbers}
    for tag, text in found["tags"]:
        ((name, index),) = (place for place, cell in places.items() if cell.holds(Box(*tag)))
        tags[name][index] = text
    return Picture(numbers, outlines, tags, found["total"], found["sentence"])


_TEXTS = """root => {
    const style = getComputedStyle;
    const context = Object.assign(document.createElement("canvas"), {width: 1, height: 1}).getContext("2d");
    const painted = (colours) => { // one over the other, the last on top
        for (const colour of ["white", ...colours]) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const around = (element) => element ? [...around(element.parentElement), element] : [];
    const behind = (element) => around(element).map((at) => style(at).backgroundColor);
    const holds = (rect, text) => {
        const r = rect.getBoundingClientRect(), t = text.getBoundingClientRect();
        const x = (t.left + t.right) / 2, y = (t.top + t.bottom) / 2;
        return r.left < x && x < r.right && r.top < y && y < r.bottom;
    };
    const found = [];
    const note = (text, element, colour, colours) => found.push({
        text, ink: painted([...colours, colour]), paper: painted(colours),
        opacity: around(element).reduce((opacity, at) => opacity * style(at).opacity, 1),
    });
    for (const svg of root.querySelectorAll("svg")) for (const text of svg.querySelectorAll("text")) {
        const under = [...svg.querySelectorAll("rect")].filter((rect) => style(rect).fill !== "none"
            && holds(rect, text) && rect.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING);
        note(text.textContent, text, style(text).fill, [...behind(svg), ...under.map((rect) => style(rect).fill)]);
    }
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
        if (!text || element.closest("svg, script, style") || !element.checkVisibility()) continue;
        if (element.closest(":disabled")) continue; // see-through, as WCAG allows
        const shown = element.closest("select") ?? element; // a closed list shows an option in its own colours
        note(text, shown, style(shown).color, behind(shown));
    }
    return found;
}"""


def contrasts(root: Locator) -> dict[str, float]:
    """The contrast of every text with what is painted behind it, 1 to 21 as WCAG 2 defines it: the least if it recurs.

    What is painted behind a text are the backgrounds around it, and in a picture the rectangles under its middle.
    """
    found: dict[str, float] = {}
    for text in root.evaluate(_TEXTS):
        assert text["opacity"] == 1, f"{text} is see-through, which this does not reckon with"
        dark, light = sorted(map(_luminance, (text["ink"], text["paper"])))
        found[text["text"]] = min(found.get(text["text"], 21), (light + 0.05) / (dark + 0.05))
    return found


def faint(root: Locator) -> dict[str, float]:
    """The texts that are hard to read, with their contrast."""
    return {text: contrast for text, contrast in contrasts(root).items() if contrast < 4.5}


def _luminance(rgb: list[int]) -> float:
    channels = [channel / 255 for channel in rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def accessible(root: Locator) -> list[dict[str, Any]]:
    """What a screen reader meets, in order: role, name and description, and whether it is focusable or live."""
    root.scroll_into_view_if_needed()  # JupyterLab leaves out cells that are out of sight
    cdp = root.page.context.new_cdp_session(root.page)
    cdp.send("Accessibility.enable")
    root.evaluate("root => { globalThis.convbpRoot = root; }")
    handle = cdp.send("Runtime.evaluate", {"expression": "convbpRoot"})["result"]["objectId"]
    nodes = cdp.send("Accessibility.queryAXTree", {"objectId": handle})["nodes"]
    cdp.detach()
    return [
        {field: node.get(field, {}).get("value", "") for field in ("role", "name", "description")}
        | {detail["name"]: detail["value"].get("value") for detail in node["properties"]}
        for node in nodes
        if not node["ignored"]
    ]
