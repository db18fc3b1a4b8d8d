"""The site, in a real browser: the book answers without Python, and JupyterLite runs the notebooks."""

import base64
import gzip
import json
import os
import re
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import urlopen

import nbformat
import pytest
from playwright.sync_api import expect

import course
from browser import Lab, Tab, cell_of, eventually
from convbp.pictures.grid_view import unpacked
from sample import THOROUGH

if not os.environ.get("CONVBP_SITE"):
    pytest.skip("CONVBP_SITE names no folder with the site, built; see CONTRIBUTING", allow_module_level=True)
SITE, ROOT = Path(os.environ["CONVBP_SITE"]).resolve(), Path(course.ROOT)

PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "lite" not in path.parts)
BOOK = [page for page in PAGES if not page.startswith(("embed/", "_"))]
LIVE = [page for page in BOOK if "convbp-live" in (SITE / page).read_text(encoding="utf-8")]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST = 1_500_000  # bytes that a page and all it needs may have, before they are packed for their way
BOOT = 300  # seconds in which a busy machine has Python in the page


class Handler(SimpleHTTPRequestHandler):
    """Hands out files, and counts their bytes."""

    bytes_sent = 0

    def log_message(self, *arguments):
        pass

    def copyfile(self, source, outputfile):
        content = source.read()
        Handler.bytes_sent += len(content)
        outputfile.write(content)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the site is: not at the root of its host."""
    root = tmp_path_factory.mktemp("root")
    (root / "some").mkdir()
    (root / "some" / "path").symlink_to(SITE)
    with ThreadingHTTPServer(("localhost", 0), partial(Handler, directory=root)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/some/path/"
        server.shutdown()


def assert_alone_and_content(tab):
    assert tab.complaints == []
    assert {urlsplit(request).hostname for request in tab.requests} <= {"localhost", None}
    assert all(urlsplit(request).path.startswith("/some/path/") for request in tab.requests if request[:4] == "http")


# The book


def states(page):
    """The state of each picture on a page, as Python wrote it."""
    packed = re.findall(r'data-state="([^"]*)"', (SITE / page).read_text(encoding="utf-8"))
    return [json.loads(gzip.decompress(base64.b64decode(one))) for one in packed]


def sentence_of(state, key):
    text = re.sub(r"<[^>]*>", "", unpacked(state["patches"])[key]["sentence"])
    return re.sub(r"&lt;", "<", re.sub(r"&gt;", ">", text)).replace("&amp;", "&").replace("&#x27;", "'")


@pytest.mark.parametrize("page", LIVE)
def test_each_picture_of_a_page_answers_to_pointer_and_keys(browser, address, page):
    dark = LIVE.index(page) % 2
    Handler.bytes_sent = 0
    tab = Tab(browser, address + page, color_scheme="dark" if dark else "light")
    tab.page.set_viewport_size({"width": 400, "height": 900} if dark else {"width": 1366, "height": 768})
    expect(tab.page.locator("mjx-container").first).to_be_attached()
    assert Handler.bytes_sent < MOST
    for place, state in zip(tab.page.locator(".convbp-live").all(), states(page), strict=True):
        place.scroll_into_view_if_needed()
        sentence = place.locator(".convbp-sentence")
        begun = "{grid},{row},{col}".format(**state)
        expect(sentence).to_contain_text(sentence_of(state, begun))
        cells = state["patches"]["cells"]
        there = [key for key in cells if key != begun]
        key = there[len(there) // 2]
        cell_of(place, *key.split(",")).first.click()
        expect(sentence).to_contain_text(sentence_of(state, key))
        place.get_by_role("application").press("Home")
        tab.page.mouse.move(1, 1)
        grid, row, _ = key.split(",")
        first = min(int(k.split(",")[2]) for k in cells if k.startswith(f"{grid},{row},"))
        expect(sentence).to_contain_text(sentence_of(state, f"{grid},{row},{first}"))
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_alone_and_content(tab)
    tab.page.close()


def test_each_notebook_has_its_page_and_every_explorer_its_own():
    for path in NOTEBOOKS:
        assert f"notebooks/{path.stem}.html" in BOOK
        assert json.loads((SITE / "notebooks" / path.name).read_text()) == json.loads(path.read_text())
    from convbp import explorers

    embedded = {Path(page).stem for page in PAGES if page.startswith("embed/")}
    assert embedded == set(explorers.__all__) - {"LiveTraining"}  # which is no picture to choose cells in


def test_solutions_are_folded():
    shown = "".join((SITE / page).read_text(encoding="utf-8") for page in BOOK)
    cells = [cell for path in NOTEBOOKS for cell in nbformat.read(path, 4).cells]
    count = sum(cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in cells)
    assert shown.count("Show the solution") == count > 10


class Links(HTMLParser):
    """The targets of a page's links, and the names that can be linked to in it."""

    def __init__(self, page):
        super().__init__()
        self.targets, self.names = set(), {""}
        self.feed((SITE / page).read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.names.add(found.get("id", ""))
        target = found.get("href" if tag in ("a", "link") else "src")
        if target and not urlsplit(target).scheme:
            self.targets.add(target)


def test_every_link_leads_somewhere():
    pages = {page: Links(page) for page in BOOK}
    lost = []
    for page, links in pages.items():
        for target in links.targets:
            path, name = urldefrag(urljoin(page, target.partition("?")[0])) if target[0] != "#" else (page, target[1:])
            there = SITE / unquote(path)
            if not there.exists() or (path in pages and unquote(name) not in pages[path].names):
                lost.append((page, target))
    assert not lost


def test_an_embedded_picture_is_offered_with_its_whole_address(browser, address):
    tab = Tab(browser, f"{address}embed.html")
    snippet = tab.page.locator(".convbp-snippet").first
    expect(snippet).to_contain_text(f'<iframe src="{address}embed/')
    frame = re.search(r'src="([^"]*)"', snippet.inner_text())[1]
    with urlopen(frame) as answer:
        assert b"convbp-stage" in answer.read()
    tab.page.close()


# JupyterLite


class Lite(Lab):
    """A notebook that the button *Run it* of its page has opened."""

    def __init__(self, browser, address, path):
        super().__init__(browser, f"{address}lite/notebooks/index.html?path={path}")
        self.page.set_default_timeout(1000 * BOOT)
        idle = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        self.page.wait_for_function(idle, timeout=1000 * BOOT)

    def says(self, code):
        """What the code prints."""
        return self.page.evaluate(
            """async (code) => {
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({code});
                let said = "";
                future.onIOPub = ({content}) => { said += content.text ?? content.evalue ?? ""; };
                await future.done;
                return said;
            }""",
            code,
        )

    def run_all(self):
        """Run the notebook from top to bottom; its cells, with what each shows."""
        self.page.evaluate(
            "jupyterapp.commands.execute('notebook:run-all-cells').then(() => { globalThis.allRun = true; })"
        )
        self.page.wait_for_function("globalThis.allRun", timeout=1000 * BOOT)
        cells = self.ask("panel.content.model.toJSON().cells")
        return [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]

    def scroll_to_first_explorer(self):
        """The cells that are out of sight are not on the page."""
        self.page.evaluate(
            """async () => {
                const notebook = jupyterapp.shell.currentWidget.content;
                const shows = ({model}) => JSON.stringify(model.toJSON().outputs ?? "").includes("widget-view");
                notebook.activeCellIndex = notebook.widgets.findIndex(shows);
                await notebook.scrollToItem(notebook.activeCellIndex, "start");
            }"""
        )


def texts(cell):
    """What a cell has printed or returned as text; a picture has no text to compare."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        assert output["output_type"] != "error", "".join(output["traceback"])
        if output.get("name") == "stdout":
            found.append("".join(output["text"]))
        elif "text/plain" in data and not any(kind.startswith(("image/", "application/")) for kind in data):
            found.append("".join(data["text/plain"]))
    return "".join(found)


CHECKS = """
import time
from convbp import cross_correlate, exercises, rot180
def endless(*given):
    while True:
        pass
began = time.time()
print(exercises.kernel_gradient.check(cross_correlate))
print(exercises.kernel_gradient.check(lambda inputs, delta: cross_correlate(inputs, rot180(delta))))
print(exercises.kernel_gradient.check(lambda inputs, delta: inputs))
print(exercises.kernel_gradient.check(endless, seconds=1))
print(time.time() - began < 60)
"""

TRAINING = """
from convbp import digit_network, split_digits
from convbp.explorers import LiveTraining
split = split_digits()
live = LiveTraining(digit_network(), split.images[:96], split.labels[:96], epochs=1).start()
print(live.status, len(live.records))
live.wait()
print(live.status, len(live.records))
"""


def on_cpython(code, capsys):
    exec(code, {})
    return capsys.readouterr().out


@pytest.mark.parametrize("path", NOTEBOOKS if THOROUGH else NOTEBOOKS[1:2], ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(browser, address, path, capsys):
    lite = Lite(browser, address, f"notebooks/{path.name}")
    saved_cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code" and cell.source]
    for cell, saved in zip(lite.run_all(), saved_cells, strict=True):
        got = texts(cell)
        if "nbval-ignore-output" not in saved.metadata.get("tags", []):
            assert got == texts(saved), saved.source
    if path == NOTEBOOKS[1]:
        root = lite.panel.locator(".convbp-explorer").first
        lite.scroll_to_first_explorer()
        before = root.locator(".convbp-stage").inner_html()
        root.locator(".widget-slider [role=slider]").first.press("ArrowRight")
        eventually(lambda: root.locator(".convbp-stage").inner_html() != before, True)
        assert lite.says(CHECKS) == on_cpython(CHECKS, capsys)
        running, finished = lite.says(TRAINING).splitlines()
        assert running.split() == ["running", "0"]
        assert finished.split()[0] == "finished"
    assert {urlsplit(request).hostname for request in lite.requests} <= {"localhost", None}
    assert not [said for said in lite.complaints if "404" not in said]
    lite.page.close()
