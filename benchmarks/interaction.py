"""How long a reader waits until a picture answers, in JupyterLab in a real browser.

    python benchmarks/interaction.py

What is timed runs from a real key press (the event's own time stamp) to changed pixels. A selection, which the browser
answers alone, is one line; the slider of a kernel entry, which goes through the kernel, stands beside two others: an
ipywidgets slider that does nothing but set a label, the least that such a round trip takes, and the same four grids
drawn by matplotlib in ipywidgets' ``interactive_output``. They take turns, so that a busy machine slows all of them.

Changed pixels: a MutationObserver sees the new content (an image is waited for until it is decoded), the animation
frame that follows draws it, and the first task after that frame stops the clock. So the time holds all work of the
page, layout and painting, and the wait for the next frame; not the screen's. A browser without a screen, too, draws
60 frames a second, so 0 to 16.7 ms of each time are that wait. The first table is taken again with this limit off:
what is left there is work.
"""

import os
import platform
import random
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import nbformat
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import course  # noqa: E402
from browser import Lab, eventually, jupyterlab  # noqa: E402

SELECTIONS, ROUNDS, MATPLOTLIB_ROUNDS = 100, 40, 10
WARM_UP = 3
NO_FRAME_LIMIT = ["--disable-frame-rate-limit", "--disable-gpu-vsync"]

SET_UP = """
import ipywidgets as widgets
import numpy as np
from convbp import load_digits
from convbp.pictures import plots
from convbp.explorers import SlidingWindow, sliding_window

EDGES = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
integers = {"image": np.array(sliding_window.IMAGE), "kernel": np.array(sliding_window.KERNEL)}
digit = {"image": load_digits().images[3], "kernel": EDGES, "mode": "full"}

def tagged(name, widget):
    widget.add_class(f"benchmark-{name}")
    return widget
"""

ROUND_TRIP = """
import ipywidgets as widgets

slider, label = widgets.IntSlider(min=-9, max=9), widgets.Label("0")
slider.observe(lambda change: setattr(label, "value", str(change.new)), "value")
widgets.VBox([slider, label]).add_class("benchmark-round-trip")
"""

MATPLOTLIB = """
import matplotlib.pyplot as plt

def drawn(image, kernel, mode="valid"):
    slider = widgets.IntSlider(kernel[0, 0], min=-9, max=9)

    def draw(entry):
        changed = kernel.copy()
        changed[0, 0] = entry
        scene = sliding_window.scene(sliding_window.State(image, changed, mode=mode))
        marks = {mark.grid: mark for mark in scene.highlights[scene.selected].marks}
        figure, axes = plt.subplots(1, 4, figsize=(13, 4))
        for axis, grid in zip(axes, scene.grids):
            values, (top, left) = np.array(grid.values, float), grid.origin
            largest = abs(values).max() or 1
            axis.imshow(values, cmap="PuOr_r", vmin=-largest, vmax=largest)
            for (i, j), value in np.ndenumerate(values):
                axis.text(j, i, f"{value:g}", ha="center", va="center", fontsize=8)
            if mark := marks.get(grid.name):
                corner = (mark.col - left - 0.5, mark.row - top - 0.5)
                axis.add_patch(plt.Rectangle(corner, mark.cols, mark.rows, fill=False, edgecolor="C1", linewidth=3))
            axis.set_xticks(range(grid.size[1]), range(left, left + grid.size[1]))
            axis.set_yticks(range(grid.size[0]), range(top, top + grid.size[0]))
            axis.set_title(grid.title)
        plt.show()

    return widgets.VBox([slider, widgets.interactive_output(draw, {"entry": slider})])
"""

CELLS = [
    SET_UP,
    ROUND_TRIP,
    'tagged("integers", SlidingWindow(**integers))',
    'tagged("digit", SlidingWindow(**digit))',
    MATPLOTLIB,
    'tagged("drawn-integers", drawn(**integers))',
    'tagged("drawn-digit", drawn(**digit))',
]

# What is to be done when the frame that comes next has been drawn.
AFTER_FRAME = """(act) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = act;
    channel.port2.postMessage(null);
})"""

# Arms the clock: it starts at the next event of that kind, and stops when what it has changed in an element is drawn.
CLOCK = f"""(element, kind) => {{
    const afterFrame = {AFTER_FRAME};
    const source = () => element.querySelector("img")?.src;
    const before = source();
    globalThis.elapsed = new Promise((resolve, reject) => {{
        let start;
        const observer = new MutationObserver(async () => {{
            if (before && (!source() || source() === before)) return; // the new image is still to come
            observer.disconnect();
            await element.querySelector("img")?.decode();
            afterFrame(() => resolve(performance.now() - start));
        }});
        addEventListener(kind, (event) => {{ // not before: what comes until then is of an earlier one
            start = event.timeStamp;
            observer.observe(element, {{childList: true, subtree: true, characterData: true}});
        }}, {{capture: true, once: true}});
        setTimeout(() => reject(new Error("nothing has changed")), 30000);
    }});
}}"""


@contextmanager
def opened(playwright, address, arguments=()):
    """The notebook of this benchmark in a browser of its own, run."""
    with playwright.chromium.launch(executable_path=course.system_browser(), args=list(arguments)) as browser:
        lab = Lab(browser, address)
        lab.open("benchmark.ipynb")
        lab.command("notebook:run-all-cells")
        eventually(lambda: lab.panel.locator(".convbp-explorer svg").count(), 2)
        eventually(lambda: lab.panel.locator(".jp-OutputArea img").count(), 2)
        yield lab


def timed(act, kind, watched):
    """Milliseconds from the event of that kind which ``act`` causes to changed pixels in the element ``watched``."""
    page = watched.page
    watched.evaluate(CLOCK, kind)
    page.wait_for_timeout(50 + random.uniform(0, 50))  # whatever the last answer has left to do; at any time of a frame
    act()
    return page.evaluate("elapsed")


def pressed(focus, key, watched):
    """Milliseconds from a key press in the element ``focus`` to changed pixels in the element ``watched``."""
    focus.scroll_into_view_if_needed()
    focus.focus()
    return timed(lambda: focus.page.keyboard.press(key), "keydown", watched)


def time_selections(lab, name):
    """Walk over the output, there and back."""
    picture = lab.panel.locator(f".benchmark-{name} .convbp-stage")
    keys = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]
    return [pressed(picture, keys[n % 4], picture) for n in range(WARM_UP + SELECTIONS)][WARM_UP:]


def time_sliders(lab):
    """All sliders in turns: one step up, one step down."""
    watched = {
        "round-trip": ".widget-label >> nth=-1",
        "integers": ".convbp-stage",
        "digit": ".convbp-stage",
        "drawn-integers": ".jp-OutputArea",
        "drawn-digit": ".jp-OutputArea",
    }
    times = {name: [] for name in watched}
    for n in range(WARM_UP + ROUNDS):
        for name, where in watched.items():
            if name.startswith("drawn") and n >= WARM_UP + MATPLOTLIB_ROUNDS:
                continue
            root = lab.panel.locator(f".benchmark-{name}")
            slider = root.locator(".noUi-handle").first
            times[name].append(pressed(slider, ["ArrowRight", "ArrowLeft"][n % 2], root.locator(where)))
    return {name: found[WARM_UP:] for name, found in times.items()}


def p95(times):
    return quantiles(times, n=20, method="inclusive")[-1]


def line(what, times, goal="", met=None):
    verdict = "" if met is None else f"{goal}: {'met' if met else 'MISSED'}"
    print(f"  {what:44}{median(times):8.1f}{p95(times):8.1f}   {verdict}".rstrip())


def main():
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    if hasattr(os, "getloadavg"):
        print(f"load at the start: {os.getloadavg()[0]:.1f}")
    titles = {"integers": "4×5 integers, 2×3 kernel, valid", "digit": "8×8 digit, 3×3 kernel, full"}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as folder:
        root, home = Path(folder, "root"), Path(folder, "home")
        root.mkdir()
        home.mkdir()
        nbformat.write(notebook, root / "benchmark.ipynb")
        with jupyterlab(root, home) as address, sync_playwright() as playwright:
            with opened(playwright, address) as lab:
                print(f"Chromium {lab.page.context.browser.version}; milliseconds from key press to changed pixels\n")
                print(f"{'A cell is chosen':46}{'median':>8}{'p95':>8}")
                for name, title in titles.items():
                    times = time_selections(lab, name)
                    met = median(times) <= 16.7 and p95(times) <= 33
                    line(title, times, "goal 16.7 and 33", met)
                sliders = time_sliders(lab)
            with opened(playwright, address, NO_FRAME_LIMIT) as lab:
                for name, title in titles.items():
                    line(f"{title}, no frame limit", time_selections(lab, name))
    print(f"\n{'A slider moves':46}{'median':>8}{'p95':>8}")
    trip = median(sliders["round-trip"])
    line("empty ipywidgets round trip", sliders["round-trip"])
    for name, title in titles.items():
        times = sliders[name]
        line(title, times, f"{median(times) / trip:.2f}× the round trip, goal 1.5×", median(times) <= 1.5 * trip)
    for name, title in titles.items():
        times = sliders[f"drawn-{name}"]
        ratio = median(times) / median(sliders[name])
        line(f"{title}, matplotlib", times, f"{ratio:.0f}× ours, goal 10×", ratio >= 10)


if __name__ == "__main__":
    main()
