"""How long a reader of the site waits, and what is sent, in a real browser; and the same notebook in JupyterLab.

    python benchmarks/site.py site [notebook]

``site`` is the folder that `course.py site` has built. For each page of the book with pictures: the bytes of the page
and of all that it needs, unpacked, and how long it takes from asking for it, with an empty cache, to the first picture
that answers. Then the notebook, 01 if left out, in JupyterLite and in JupyterLab in turns: from *Run it* to the
application, from there to a kernel that waits for work, from there through the cells to the first picture whose sliders
answer, and one step of such a slider. JupyterLite is opened once before, so that the browser has its files.

Beside the seconds stand those that processors worked meanwhile, where Linux counts them: on a machine that does other
things as well, these say more.
"""

import os
import platform
import shutil
import sys
import tempfile
import threading
from collections import defaultdict
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from time import perf_counter
from types import SimpleNamespace

import nbformat
from interaction import ROOT
from playwright.sync_api import sync_playwright

import course
from browser import Lab, Tab, jupyterlab
from convbp import explorers

RUNS, LONG = 3, 600_000
PANEL = "globalThis.jupyterapp?.shell.currentWidget"
MOVE = """stage => new Promise((resolve) => {
    const start = performance.now();
    new MutationObserver((_, observer) => { observer.disconnect(); resolve(performance.now() - start); })
        .observe(stage, {childList: true, subtree: true, characterData: true});
})"""
PARTS = ["the application", "a kernel that waits", "a picture with sliders", "together"]


class Handler(SimpleHTTPRequestHandler):
    """Hands out files, and counts their bytes."""

    bytes_sent = 0

    def log_message(self, *arguments):
        pass

    def copyfile(self, source, outputfile):
        Handler.bytes_sent += os.fstat(source.fileno()).st_size
        super().copyfile(source, outputfile)


class Clock:
    """Seconds since it was asked last, and those that processors worked for the processes started from here."""

    def __init__(self):
        self.before = perf_counter(), worked()

    def __call__(self):
        (then, before), (now, after) = self.before, (perf_counter(), worked())
        self.before = now, after
        return now - then, sum(seconds - before.get(process, 0) for process, seconds in after.items())


def worked():
    """Process → its processor seconds, of those that descend from this one; one that has ended is left out."""
    seconds, children = {}, defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = path.read_text().rpartition(")")
        except OSError:  # it has ended
            continue
        _, parent, *rest = fields.split()
        process = int(path.parent.name)
        seconds[process] = (int(rest[9]) + int(rest[10])) / os.sysconf("SC_CLK_TCK")
        children[int(parent)].append(process)

    def below(process):
        return [one for child in children[process] for one in (child, *below(child))]

    return {process: seconds[process] for process in below(os.getpid())}


def page(browser, address):
    """Bytes, and seconds until the first picture of a page answers, in a browser that knows nothing of it."""
    Handler.bytes_sent, start = 0, perf_counter()
    tab = Tab(browser, address)
    tab.page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    first = tab.page.locator(".convbp-live").first
    first.scroll_into_view_if_needed()
    first.locator(".convbp-stage svg rect").first.wait_for(state="attached")
    passed = perf_counter() - start
    tab.page.wait_for_load_state("networkidle")
    tab.page.close()
    return Handler.bytes_sent, passed


def notebook(open_it, n):
    """The parts of opening a notebook and running it up to its cell n, as of a clock; and a step of a slider, in ms."""
    clock, parts = Clock(), []
    lab = open_it()
    lab.page.set_default_timeout(LONG)
    parts.append(clock())
    lab.page.wait_for_function(f"{PANEL}?.sessionContext?.session?.kernel?.status === 'idle'", timeout=LONG)
    parts.append(clock())
    cell = lab.turn_to(n)
    lab.command("notebook:run-all-above")
    lab.command("notebook:run-cell")
    handle, stage = cell.locator(".widget-slider [role=slider]").first, cell.locator(".convbp-stage")
    handle.wait_for(state="attached", timeout=LONG)
    stage.locator("svg rect").first.wait_for(state="attached", timeout=LONG)
    parts.append(clock())
    steps = []
    for key in ["ArrowRight", "ArrowLeft"] * 5:
        stage.evaluate(f"stage => {{ globalThis.moved = ({MOVE})(stage); }}")
        handle.press(key)
        steps.append(lab.page.evaluate("globalThis.moved"))
    lab.page.close()
    return parts, median(steps)


def first_explorer(path):
    """The number of the first cell that shows an explorer."""
    for n, cell in enumerate(nbformat.read(path, as_version=4).cells):
        texts = (output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", []))
        if any(text.partition(":")[0] in explorers.__all__ for text in texts):
            return n
    sys.exit(f"There is no explorer in {path}.")


def main(site, path="notebooks/01_cross_correlation.ipynb"):
    site = Path(site).resolve()
    live = [file for file in sorted(site.rglob("*.html")) if "convbp-live" in file.read_text(encoding="utf-8")]
    print(f"{platform.platform()}, {os.cpu_count()} cores", end="")
    print(f", load at the start {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadingHTTPServer(("localhost", 0), partial(Handler, directory=site)) as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=course.system_browser()) as browser,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}/"
        print(f"Chromium {browser.version}\n\n{'page':44}{'MB':>6}{'s':>7}")
        for file in live:
            name = file.relative_to(site).as_posix()
            size, passed = min(page(browser, address + name) for _ in range(RUNS))
            print(f"{name:44}{size / 1e6:6.2f}{passed:7.2f}")

        n = first_explorer(ROOT / path)
        root, home = Path(folder, "root"), Path(folder, "home")
        (root / path).parent.mkdir(parents=True)
        home.mkdir()
        shutil.copy(ROOT / path, root / path)
        context = browser.new_context(viewport={"width": 1600, "height": 1000})
        same = SimpleNamespace(new_page=lambda **_: context.new_page())  # and so with the same files in its cache
        with jupyterlab(root, home) as lab_address:

            def in_lite():
                return Lab(same, f"{address}lite/notebooks/index.html?path={path}")

            def in_lab():
                lab = Lab(browser, lab_address)
                lab.page.evaluate("path => { jupyterapp.commands.execute('docmanager:open', {path}); }", path)
                return lab

            notebook(in_lite, n)
            found = {name: [] for name in ("JupyterLite", "JupyterLab")}
            for _ in range(RUNS):
                found["JupyterLite"].append(notebook(in_lite, n))
                found["JupyterLab"].append(notebook(in_lab, n))
    print(f"\n{path}: seconds, and those that processors worked; the median of {RUNS}\n")
    print(f"{'':26}" + "".join(f"{name:>20}" for name in found))
    for n, part in enumerate(PARTS):
        print(
            f"{part:26}" + "".join(f"{passed:12.1f}{work:8.1f}" for passed, work in map(partial(at, n), found.values()))
        )
    print(
        f"{'a step of the slider, ms':26}"
        + "".join(f"{median(step for _, step in f):12.0f}{'':8}" for f in found.values())
    )


def at(n, runs):
    """The median of one part, or of all together."""
    taken = [parts[n] if n < len(parts) else tuple(map(sum, zip(*parts, strict=True))) for parts, _ in runs]
    return tuple(map(median, zip(*taken, strict=True)))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
