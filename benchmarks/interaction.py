"""How fast a picture answers: a selection, a slider, and beside it an empty round trip and matplotlib, in one run.

    python benchmarks/interaction.py

JupyterLab runs in headless Chromium, and keys are pressed as a reader presses them. The clock is the browser's: from
the time stamp of the key press to the first task after the frame in which the changed picture was painted. Frames
come 60 times a second, so an answer that takes no time at all still counts up to 16.7 ms.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import course  # noqa: E402
from browser import Lab, jupyterlab  # noqa: E402

PRESSES = 40

SMALL = "from convbp.explorers import SlidingWindow\nSlidingWindow()"
DIGIT = """
from convbp import load_digits
SlidingWindow(load_digits().images[3], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], mode="full")
"""
EMPTY = """
import ipywidgets as widgets
slider, label = widgets.IntSlider(min=-9, max=9), widgets.Label("0")
slider.observe(lambda change: setattr(label, "value", str(change.new)), "value")
widgets.VBox([slider, label])
"""
# The same four grids, numbers and outlines.
MATPLOTLIB = """
%matplotlib inline
import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from convbp import cross_correlate
from convbp.explorers.sliding_window import IMAGE, KERNEL

def draw(weight):
    kernel = np.array(KERNEL)
    kernel[0, 0] = weight
    figure, axes = plt.subplots(1, 4, figsize=(9, 3))
    arrays = np.array(IMAGE), kernel, kernel, cross_correlate(IMAGE, kernel)
    for ax, array, (rows, cols) in zip(axes, arrays, [(2, 3), (0, 0), (2, 3), (1, 1)]):
        ax.imshow(array, cmap="RdBu", vmin=-abs(array).max(), vmax=abs(array).max())
        for (i, j), value in np.ndenumerate(array):
            ax.text(j, i, value, ha="center", va="center")
        ax.add_patch(Rectangle((-0.5, -0.5), cols, rows, fill=False, edgecolor="#d55e00", linewidth=3))
    plt.show()

drawn = widgets.IntSlider(min=-9, max=9)
widgets.VBox([drawn, widgets.interactive_output(draw, {"weight": drawn})])
"""

# Resolves with the milliseconds from the next key press to the paint of what changes in `watched` after it.
_CLOCK = """watched => {
    globalThis.answer = new Promise((resolve) => {
        addEventListener("keydown", (press) => {
            const observer = new MutationObserver(async () => {
                const pictures = [...watched.querySelectorAll("img")];
                if (watched.matches(".widget-output") && !pictures.length) return;  // cleared, not yet drawn
                observer.disconnect();
                await Promise.all(pictures.map((picture) => picture.decode()));
                requestAnimationFrame(() => {
                    const after = new MessageChannel();
                    after.port1.onmessage = () => resolve(performance.now() - press.timeStamp);
                    after.port2.postMessage(null);
                });
            });
            observer.observe(watched, {subtree: true, childList: true, characterData: true, attributes: true});
        }, {capture: true, once: true});
    });
}"""


def milliseconds(lab: Lab, focus, watched, keys: list[str]) -> list[float]:
    """Press the keys one by one at ``focus``; how long ``watched`` took to answer each."""
    focus.scroll_into_view_if_needed()
    focus.focus()
    times = []
    for key in keys:
        watched.evaluate(_CLOCK)
        lab.page.keyboard.press(key)
        times.append(lab.page.evaluate("answer"))
        lab.page.wait_for_timeout(60)
    return times[3:]  # the first ones warm up


def report(name: str, times: list[float], goal: str = "") -> float:
    median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"{name:52} {median:8.1f} {late:8.1f}   {goal}", flush=True)
    return median


def main() -> None:
    executable = course.system_browser()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip()) for source in (SMALL, DIGIT, EMPTY, MATPLOTLIB)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root, home = Path(folder, "root"), Path(folder, "home")
        root.mkdir()
        home.mkdir()
        nbformat.write(notebook, root / "benchmark.ipynb")
        with playwright.chromium.launch(executable_path=executable) as browser, jupyterlab(root, home) as address:
            lab = Lab(browser, address)
            lab.open("benchmark.ipynb")
            lab.command("notebook:run-all-cells")
            lab.panel.locator(".jp-OutputArea img").first.wait_for(state="visible", timeout=60_000)
            measure(lab)


def measure(lab: Lab) -> None:
    walk = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"] * (PRESSES // 4)
    nudge = ["ArrowRight", "ArrowLeft"] * (PRESSES // 2)
    small, digit = lab.explorers
    print(f"{'milliseconds from key press to paint':52} {'median':>8} {'95 %':>8}")
    for name, explorer in (("small picture", small), ("digit, full mode", digit)):
        stage = explorer.locator(".convbp-stage")
        report(f"selection, {name}", milliseconds(lab, stage, stage, walk), "goal: 16.7 and 33")
    handle = ".noUi-handle"
    labelled = lab.panel.locator(".widget-vbox:has(> .widget-label)")
    empty = report(
        "slider: empty round trip through the kernel",
        milliseconds(lab, labelled.locator(handle), labelled.locator("> .widget-label"), nudge),
    )
    pictures = {}
    for name, explorer in (("small picture", small), ("digit, full mode", digit)):
        slider, stage = explorer.locator(handle).first, explorer.locator(".convbp-stage")
        pictures[name] = report(f"slider: {name}", milliseconds(lab, slider, stage, nudge), "goal: 1.5 empty ones")
    plotted = lab.panel.locator(".widget-vbox:has(.widget-output)").last
    slow = report(
        "slider: the small picture by matplotlib",
        milliseconds(lab, plotted.locator(handle), plotted.locator(".widget-output"), nudge),
    )
    for name, median in pictures.items():
        print(f"{name}: {median / empty:.2f} empty round trips; matplotlib takes {slow / median:.0f} times as long")


if __name__ == "__main__":
    main()
