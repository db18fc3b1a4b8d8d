"""How long a reader waits for each explorer, and what is sent for it, in JupyterLab in a real browser.

    python benchmarks/explorers.py [name ...]

The explorers are those of the gallery, each as its cell there makes it. One line for each says

- how long it takes from running its cell to the picture on the page, for the first time in a fresh kernel, and how
  much is sent to the page for it: all messages of the cell, still picture included, before any compression;
- how long it takes from moving the pointer onto a cell to changed pixels, which the browser does alone;
- the same for a step of a slider, which goes through the kernel: the explorer's last that changes the picture. In turns
  with them, the least that such a round trip takes: an ipywidgets slider that does nothing but set a label;
- the same once more for such a step as a reader takes it who looks in between: what it leads to has been sent ahead;
- and for steps to and fro, less than 0.1 s from one change to the next key, as of a slider that is dragged.

How pixels are known to have changed, `interaction.py` says.
"""

import os
import platform
import random
import sys
import tempfile
from itertools import cycle
from pathlib import Path
from statistics import median

import nbformat
from interaction import AFTER_FRAME, ROOT, ROUND_TRIP, p95, pressed, timed
from playwright.sync_api import sync_playwright

import course
from browser import Lab, eventually, jupyterlab

RUNS, SELECTIONS, STEPS = 5, 60, 30
WARM_UP = 3
AHEAD = 200  # milliseconds without a step: then what the next ones lead to is there
DRAGGED = 6  # steps without a pause between them but that of `timed`, after half a second of nothing
TRIP = "empty ipywidgets round trip"

# To do without what is sent ahead.
SWITCH = "from convbp.explorers.explorer import Explorer\nlook_ahead = Explorer._look_ahead"

# Runs the cell in view; milliseconds until a picture in it is drawn.
RUN = f"""() => {{
    const afterFrame = {AFTER_FRAME}, cell = jupyterapp.shell.currentWidget.content.activeCell.node;
    return new Promise((resolve, reject) => {{
        const start = performance.now();
        const observer = new MutationObserver(() => {{
            if (!cell.querySelector(".convbp-explorer svg rect")) return;
            observer.disconnect();
            afterFrame(() => resolve(performance.now() - start));
        }});
        observer.observe(cell, {{childList: true, subtree: true}});
        setTimeout(() => reject(new Error("no picture")), 60000);
        jupyterapp.commands.execute("notebook:run-cell");
    }});
}}"""

# By grid the middles of the cells that one can choose, as far as they are in view and nothing lies on them.
PLACES = """stage => {
    const places = {};
    for (const cell of stage.querySelectorAll("[data-cell]")) {
        const box = cell.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
        if (document.elementFromPoint(x, y) === cell) (places[cell.dataset.cell.split(",")[0]] ??= []).push([x, y]);
    }
    return places;
}"""


class Gallery:
    """The gallery as one notebook in JupyterLab: the cells that set up, the empty round trip, the explorers."""

    def __init__(self, browser, address, set_up, explorers):
        self.lab, self.received = Lab(browser, address), 0
        self.lab.page.on("websocket", self._on_websocket)
        self.set_up = range(len(set_up))
        self.places = dict(zip([TRIP, *explorers], range(len(set_up), len(set_up) + 1 + len(explorers)), strict=True))
        self.lab.open("gallery.ipynb")

    def _on_websocket(self, socket):
        if "/api/kernels/" in socket.url:
            socket.on("framereceived", self._on_frame)

    def _on_frame(self, frame):
        self.received += len(frame)

    def turn_to(self, n):
        """Bring a cell into view, and return it."""
        return self.lab.turn_to(n)

    def start_afresh(self):
        """A fresh kernel, in which the cells that set up have run, and nothing to be seen."""
        self.lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
        self.lab.command("notebook:clear-all-cell-outputs")
        for n in [*self.set_up, self.places[TRIP]]:
            self.turn_to(n)
            self.lab.command("notebook:run-cell")
        eventually(self.lab.kernel_status, "idle")

    def run(self, name):
        """Milliseconds from running an explorer's cell to its picture, and bytes sent until all of it is there."""
        cell, before = self.turn_to(self.places[name]), self.received
        to_picture = self.lab.page.evaluate(RUN)
        eventually(self.lab.kernel_status, "idle")
        eventually(cell.locator(".convbp-stage[aria-busy=true]").count, 0)
        return to_picture, self.received - before

    def point(self, name):
        """Move the pointer from cell to cell of one grid; milliseconds each time, none without a choice."""
        stage = self.turn_to(self.places[name]).locator(".convbp-stage")
        if not stage.count():
            return []
        stage.scroll_into_view_if_needed()
        cells, mouse, times = max(stage.evaluate(PLACES).values(), key=len), self.lab.page.mouse, []
        at = cells[0]
        mouse.move(*at)
        for _ in range(WARM_UP + SELECTIONS):
            at = random.choice([cell for cell in cells if cell != at])  # it has another sentence, so pixels change
            times.append(timed(lambda at=at: mouse.move(*at), "pointerover", stage))
        mouse.move(1, 1)
        return times[WARM_UP:]

    def slide(self, names, pause, together=1):
        """So many steps of a slider of each in turns, to and fro: the slider's name, and milliseconds each time.

        After a pause with what they lead to sent ahead; without one not.
        """
        self.lab.value(f"setattr(Explorer, '_look_ahead', {'look_ahead' if pause else 'lambda *_: None'})")
        found = {name: (*slider, []) for name in [TRIP, *names] if (slider := self.slider(name))}
        for _ in range((WARM_UP + STEPS) // together):
            for name, (which, _, keys, times) in found.items():
                cell = self.turn_to(self.places[name])
                self.lab.page.wait_for_timeout(pause)
                handle = cell.locator(".noUi-handle").nth(which)
                times.extend(pressed(handle, next(keys), shown(cell)) for _ in range(together))
        return {name: (label, times[WARM_UP:]) for name, (_, label, _, times) in found.items()}

    def slider(self, name):
        """The last slider that changes what is shown: its number, its name, and the keys to press; or None."""
        cell = self.turn_to(self.places[name])
        if not shown(cell).count():  # what its sliders set shows when it begins
            return None
        for which, slider in reversed(list(enumerate(cell.locator(".widget-slider").all()))):
            handle = slider.locator(".noUi-handle")
            now, most = (float(handle.get_attribute(f"aria-value{what}")) for what in ("now", "max"))
            keys = ["ArrowRight", "ArrowLeft"][:: -1 if now == most else 1]
            before = shown(cell).inner_html()
            handle.press(keys[0])
            self.lab.page.wait_for_timeout(3000)
            if shown(cell).inner_html() != before:
                return which, slider.locator(".widget-label").text_content(), cycle(reversed(keys))
        return None


def shown(cell):
    """What a slider of the cell changes."""
    return cell.locator(".convbp-stage, .benchmark-round-trip > .widget-label").last


def cells_of_the_gallery():
    """The cells that set up, and those of the explorers by name."""
    pages = [nbformat.read(path, as_version=4) for path in sorted(ROOT.glob("docs/gallery/*.ipynb"))]
    sources = [[cell.source for cell in page.cells if cell.cell_type == "code"] for page in pages]
    return [first for first, *_ in sources], {cell.partition("(")[0]: cell for _, *rest in sources for cell in rest}


def main(names):
    set_up, explorers = cells_of_the_gallery()
    names = names or sorted(explorers)
    if unknown := set(names) - set(explorers):
        sys.exit(f"The gallery has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(explorers))}.")
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    if hasattr(os, "getloadavg"):
        print(f"load at the start: {os.getloadavg()[0]:.1f}")
    set_up = [*set_up, SWITCH]
    cells = [*set_up, ROUND_TRIP.strip(), *(explorers[name] for name in names)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder, "root"), Path(folder, "home")
        root.mkdir()
        home.mkdir()
        nbformat.write(notebook, root / "gallery.ipynb")
        with (
            jupyterlab(root, home) as address,
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=course.system_browser()) as browser,
        ):
            print(f"Chromium {browser.version}; times in ms, median and 95th percentile\n")
            gallery, runs = Gallery(browser, address, set_up, names), {name: [] for name in names}
            for _ in range(RUNS):
                gallery.start_afresh()
                for name in names:
                    runs[name].append(gallery.run(name))
            chosen = {name: gallery.point(name) for name in names}
            slid, *ahead = (gallery.slide(names, *how) for how in ((0,), (AHEAD,), (500, DRAGGED)))
    print(
        f"{'':28}{'to picture':>10}{'kB':>7}   {'cell chosen':>13}   {'slider moves':>14}{'× trip':>9}"
        f"   {'sent ahead':>13}{'× trip':>9}   {'dragged':>13}{'× trip':>9}   slider"
    )
    trips = (f"{median(found[TRIP][1]):7.1f}{p95(found[TRIP][1]):6.1f}" for found in (slid, *ahead))
    print(f"{TRIP:64}{(' ' * 12).join(trips)}")
    for name in names:
        times, sizes = zip(*runs[name], strict=True)
        line = f"{name:28}{median(times):10.0f}{max(sizes) / 1000:7.0f}"
        line += f"   {median(chosen[name]):6.1f}{p95(chosen[name]):7.1f}" if chosen[name] else f"{'–':>10}{'':6}"
        if name not in slid:
            line += f"{'–':>10}"
        else:
            for found in (slid, *ahead):
                times = found[name][1]
                line += f"   {median(times):7.1f}{p95(times):6.1f}{median(times) / median(found[TRIP][1]):9.2f}"
            line += f"   {slid[name][0]}"
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
