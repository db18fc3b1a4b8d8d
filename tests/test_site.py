"""The site, in a real browser: the book answers without Python, and JupyterLite runs the notebooks."""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
import threading
from functools import partial
from html import unescape
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import urlopen

import nbformat
import pytest
from playwright.sync_api import expect

import course
import test_in_firefox as in_firefox
from browser import PATIENCE, Lab, Tab, cell_of, cut_off, eventually
from convbp.pictures.grid_view import patches_in, unpacked
from convbp.pictures.scene import Selection
from sample import THOROUGH, some

if not os.environ.get("CONVBP_SITE"):
    pytest.skip("CONVBP_SITE names no folder with the site, built; see CONTRIBUTING", allow_module_level=True)
firefox, log = in_firefox.firefox, in_firefox.log
SITE, ROOT = Path(os.environ["CONVBP_SITE"]).resolve(), Path(course.ROOT)

PAGES = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "lite" not in path.parts)
BOOK = [page for page in PAGES if not page.startswith(("embed/", "_"))]
LIVE = [page for page in BOOK if "convbp-live" in (SITE / page).read_text(encoding="utf-8")]
NOTEBOOKS, GALLERY = (sorted((ROOT / folder).glob("*.ipynb")) for folder in ("notebooks", "docs/gallery"))
PANEL = "globalThis.jupyterapp?.shell.currentWidget"
MOST = 1_500_000  # bytes that a page and all it needs may have, before they are packed for their way
BOOT = 600  # seconds in which a busy machine has Python in the page


class Handler(SimpleHTTPRequestHandler):
    """Hands out files, and counts their bytes."""

    bytes_sent = 0
    lost: ClassVar = []  # what was asked for and is not there

    def log_message(self, *arguments):
        pass

    def send_error(self, *arguments, **options):
        Handler.lost.append(self.path)
        super().send_error(*arguments, **options)

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
    # JupyterLab's icon is set by a script; until then a browser looks for one where it always does.
    assert set(Handler.lost) <= {"/favicon.ico"}
    assert [said for said in tab.complaints if "404" not in said] == []
    *_, host, some, path = tab.address.split("/")[:5]
    own = (f"http://{host}/{some}/{path}/", f"blob:http://{host}/", "data:")
    known = f"http://{host}/api/service-worker-heartbeat"  # which JupyterLite's own worker answers, wherever it is
    assert {request for request in tab.requests if not request.startswith(own)} <= {known}


# The book


def states(page):
    """The state of each picture on a page, as Python wrote it."""
    packed = re.findall(r'data-state="([^"]*)"', (SITE / page).read_text(encoding="utf-8"))
    read = [json.loads(gzip.decompress(base64.b64decode(one))) for one in packed]
    return [state | {"patches": patches_in(state), "answers": unpacked(state["answers"])} for state in read]


def plain(sentence):
    return unescape(re.sub(r"<[^>]*>", "", sentence))


@pytest.mark.parametrize("page", LIVE)
def test_each_picture_of_a_page_answers(browser, address, page):
    """In turns in a dark window as wide as a phone's, and in a light and wide one; and then they are printed."""
    dark = LIVE.index(page) % 2
    Handler.bytes_sent = 0
    tab = Tab(browser, address + page, color_scheme="dark" if dark else "light")
    tab.page.set_viewport_size({"width": 400, "height": 900} if dark else {"width": 1366, "height": 768})
    expect(tab.page.locator("mjx-container").first).to_be_attached()
    assert Handler.bytes_sent < MOST
    unfold(tab.page)
    for place, state in zip(tab.page.locator(".convbp-live").all(), states(page), strict=True):
        place.scroll_into_view_if_needed()
        assert_answers(place, state)
        assert_takes_a_prediction(place, state)
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_alone_and_content(tab)
    tab.page.close()


def unfold(page):
    """What comes out after a prediction waits until it is asked for."""
    expect(page.locator("summary[aria-label]")).to_have_count(0)
    for fold in page.locator("details:has(.convbp-live)").all():
        expect(fold.locator(".convbp-live")).to_be_hidden()
        fold.locator("summary").click()
        expect(fold.locator(".convbp-live")).to_be_visible()
    page.mouse.move(1, 1)  # and not where a picture will come to be


def tried(state):
    """The cell that is chosen at first, one to point at, one to click, and where the key Home leads from there."""
    begun, line = "{grid},{row},{col}".format(**state), lambda key: key.rpartition(",")[0]
    others = [key for key in state["patches"] if key != begun]
    clicked = others[len(others) // 2]
    beside = [key for key in state["patches"] if line(key) == line(clicked)]
    return begun, others[-1], clicked, min(beside, key=lambda key: int(key.rpartition(",")[2]))


def assert_answers(place, state):
    """Pointer, click and keys each show what Python wrote of the cell."""
    begun, pointed, clicked, home = tried(state)

    def says(key):
        expect(place.locator(".convbp-sentence")).to_contain_text(plain(state["patches"][key]["sentence"]))

    says(begun)
    cell_of(place, *pointed.split(",")).first.hover()
    says(pointed)
    place.page.mouse.move(1, 1)
    says(begun)
    cell_of(place, *clicked.split(",")).first.click()
    says(clicked)
    place.get_by_role("application").press("Home")
    place.page.mouse.move(1, 1)
    says(home)


def assert_takes_a_prediction(place, state):
    """Where a number is covered: it is typed, and shown beside the right one."""
    for key, answer in list(state["answers"].items())[:1]:
        value = state["asked"]["values"]["{},{}".format(*answer["at"])][0]
        cell_of(place, *key.split(",")).first.click()
        place.page.mouse.move(1, 1)
        place.page.keyboard.type(str(value + 1))
        place.page.keyboard.press("Enter")
        sentence, typed = place.locator(".convbp-sentence"), str(value + 1).replace("-", "\u2212")
        expect(sentence).to_contain_text(f"You predict {typed}.")
        place.page.keyboard.press("Enter")
        expect(sentence).to_contain_text(plain(answer["slots"]["sentence"]))
        expect(sentence).to_contain_text(f"You predicted {typed}: wrong")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as in test_in_firefox.py
@pytest.mark.parametrize("page", LIVE if THOROUGH else LIVE[-3:])
def test_each_picture_of_a_page_answers_in_firefox(firefox, log, address, page):
    firefox.navigate(address + page)
    firefox.execute_script("for (const fold of document.querySelectorAll('details')) fold.open = true")
    away = in_firefox.ActionSequence(firefox, "pointer", "mouse", {"pointerType": "mouse"}).pointer_move(1, 1)
    for n, state in enumerate(states(page)):
        place = firefox.find_elements("css selector", ".convbp-live")[n]
        begun, pointed, clicked, home = tried(state)

        def at(key, place=place):
            found = in_firefox.cell(place, Selection(*key.split(",")))
            into_view(found)
            return found

        def says(key, do=lambda: None, place=place, state=state):
            """The picture comes to say so; a page that still draws others may move away below the pointer meanwhile."""
            sentence, said = plain(state["patches"][key]["sentence"]), "?.textContent.includes(arguments[1])"
            script = f"return arguments[0].querySelector('.convbp-sentence'){said}"
            in_firefox.Wait(firefox, timeout=PATIENCE).until(
                lambda _: (do(), firefox.execute_script(script, [place, sentence]))[1], message=key
            )

        into_view(place)
        away.perform()  # the page came along under the pointer
        says(begun)
        says(pointed, lambda at=at, key=pointed: in_firefox.hover(at(key)))
        at(clicked).click()
        says(clicked)
        place.find_element("css selector", "[role=application]").send_keys(in_firefox.Keys.HOME)
        says(home)
    assert in_firefox.COMPLAINT.findall(log.read_text(encoding="utf-8", errors="replace")) == []


def into_view(element):
    """In Firefox; the page itself scrolls slowly."""
    element.marionette.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", [element])


def test_each_page_of_a_notebook_with_pictures_is_alive():
    """All of them where the whole site was built; a build that names notebooks leaves the others as they are saved."""
    assert LIVE
    if THOROUGH:
        explorers = {path for path in NOTEBOOKS if "convbp.explorers import" in path.read_text(encoding="utf-8")}
        assert {f"notebooks/{path.stem}.html" for path in explorers} <= set(LIVE)


NEEDS = re.compile(r'<p class="convbp-needs">(?:(?!</p>).)*</p>', re.DOTALL)


# The others are as they are saved.
WHOLE = [path for path in NOTEBOOKS if THOROUGH or f"notebooks/{path.stem}.html" in LIVE]


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_what_needs_python_is_said_where_it_is_asked_for(path):
    html = (SITE / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
    assert "convbp:run" not in html
    said = [plain(one) for one in NEEDS.findall(html)]
    assert sum("The checks need Python" in one for one in said) == 1
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    asked = sum(bool(re.search(r"^(exercises\.remember\(|live\b)", source, re.MULTILINE)) for source in cells)
    assert sum("This needs Python" in one for one in said) == asked
    pictures = re.findall(r'(<p class="convbp-needs">With Python(?:(?!<div).)*)?<div class="convbp-live"', html)
    assert all(pictures)


def test_the_controls_that_a_page_leaves_out_are_named():
    (path,) = [path for path in GALLERY if "ErrorCurve(" in path.read_text(encoding="utf-8")]
    html = (SITE / path.relative_to(ROOT)).with_suffix(".html").read_text(encoding="utf-8")
    (said,) = [one for one in map(plain, NEEDS.findall(html)) if "h, η" in one]
    assert said == "With Python this picture also has w, t, h, η, f, Step: run it."


def test_a_page_is_printed_with_its_pictures(browser, address):
    """Those that were never in view are drawn, too, each whole and on the sheet."""
    tab = Tab(browser, address + LIVE[0])
    unfold(tab.page)
    tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.page.emulate_media(media="print")
    tab.page.set_viewport_size({"width": 680, "height": 1000})  # A4 between its margins
    pictures = tab.page.locator(".convbp-live")
    expect(pictures.locator(".convbp-stage > svg")).to_have_count(pictures.count())
    for place in pictures.all():
        place.scroll_into_view_if_needed()
        eventually(lambda place=place: cut_off(place), [])
        svg = place.locator(".convbp-stage > svg").bounding_box()
        assert svg["x"] >= 0
        assert svg["x"] + svg["width"] <= 680
    for line in tab.page.locator("article pre").all():
        assert line.evaluate("pre => pre.scrollWidth <= pre.clientWidth + 1")
    assert tab.page.pdf(format="A4").count(b"/Type /Page\n") > 3
    tab.page.close()


def test_search_finds_a_word(browser, address):
    tab = Tab(browser, f"{address}search.html?q=pooling")
    found = tab.page.locator("#search-results a")
    expect(found.filter(has_text="Pooling").first).to_be_visible()
    assert_alone_and_content(tab)
    tab.page.close()


def test_each_notebook_has_its_page_and_every_explorer_its_own():
    for path in NOTEBOOKS:
        assert f"notebooks/{path.stem}.html" in BOOK
        assert json.loads((SITE / "notebooks" / path.name).read_text()) == json.loads(path.read_text())
    from convbp import explorers

    embedded = {Path(page).stem for page in PAGES if page.startswith("embed/")}
    assert embedded == set(explorers.__all__) - {"LiveTraining"}  # which is no picture to choose cells in


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_a_notebook_folds_its_page_folds_under_words_that_say_what_it_is(path):
    wanted, cells = [], [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    for cell, following in zip(cells, [*cells[1:], cells[0]], strict=True):
        folded, shown = cell.metadata.get("jupyter", {}), [kind for one in cell.outputs for kind in one.get("data", {})]
        if folded.get("source_hidden"):
            solution = "solution" in cell.metadata.tags
            wanted.append("Show the solution" if solution else cell.source.splitlines()[0].removeprefix("# "))
        elif "solution" in following.metadata.get("tags", []) and cell.outputs:
            wanted.append("Show what the check says of this")
        elif folded.get("outputs_hidden"):
            wanted.append("Show the picture" if "image/png" in shown else "Show what comes out")
    text = (SITE / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
    folds = re.findall(r'<details class="[^"]*\bhide\b[^>]*>.*?<p class="collapsed[^>]*>(.*?)</p>', text, re.DOTALL)
    assert [unescape(words) for words in folds] == wanted
    assert not re.search(r'<details class="[^"]*\bhide\b[^>]*\bopen\b', text)
    assert len(wanted) > 3


def test_a_notebook_is_downloaded_by_the_button_alone():
    for page in BOOK:
        text = (SITE / page).read_text(encoding="utf-8")
        links = re.findall(r'<a [^>]*href="[^"]*\.ipynb[^>]*>', text)
        assert all("convbp-take" in link or "lite/" in link or "_sources" in link for link in links), links


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
        page = Tab(browser, f"{address}{path.removesuffix('.ipynb')}.html").page
        button = page.locator("a.convbp-run").evaluate("link => link.href")
        page.close()
        super().__init__(browser, button)
        self.page.set_default_timeout(1000 * BOOT)
        self.wait_for_kernel()

    def wait_for_kernel(self):
        self.page.wait_for_function(f"{PANEL}?.sessionContext?.session?.kernel?.status === 'idle'", timeout=1000 * BOOT)

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
        return self.ask("panel.content.model.toJSON().cells")


def runnable(cells):
    return [cell for cell in cells if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]


def texts(cell):
    """What a cell has printed or returned as text; a picture has its sentence there."""
    found = []
    for output in cell.get("outputs", []):
        assert output["output_type"] != "error", "".join(output["traceback"])
        text = output["text"] if "text" in output else output["data"].get("text/plain", "")
        found.append("".join(text) if output.get("name") != "stderr" else "")
    return "".join(found)


def assert_gives_what_is_saved(cells, saved_cells):
    saved_cells = [cell for cell in runnable(saved_cells) if not differs(cell)]
    assert {"".join(cell["source"]): texts(cell) for cell in cells if not differs(cell)} == {
        cell.source: texts(cell) for cell in saved_cells
    }


def differs(cell):
    return "nbval-ignore-output" in cell["metadata"].get("tags", [])


def assert_a_slider_of_each_picture_asks_python(lite, cells):
    """In a picture with sliders, one of them changes it."""
    for n, cell in enumerate(cells):
        if "widget-view" not in json.dumps(cell.get("outputs", [])):
            continue
        here = lite.turn_to(n)
        stage, keys = here.locator(".convbp-stage"), []
        for handle in here.locator(".widget-slider [role=slider]").all() if stage.count() else []:
            least, now, most = (handle.get_attribute(f"aria-value{what}") for what in ("min", "now", "max"))
            if least != most:
                keys.append((handle, "ArrowLeft" if now == most else "ArrowRight"))
        before = stage.inner_html() if keys else ""
        for handle, key in 2 * keys:  # one step may lead to what is there already
            handle.press(key)
        if keys:
            eventually(lambda stage=stage, before=before: stage.inner_html() != before, True)


CHECKS = """
import time
import numpy as np
from convbp import cross_correlate, digit_network, exercises, load_digits, rot180
from convbp.explorers import DrawDigit
def endless(*given):
    while True:
        pass
began = time.time()
for check, right, wrong in [
    (exercises.kernel_gradient.check, cross_correlate, lambda inputs, delta: cross_correlate(inputs, rot180(delta))),
    (exercises.cross_correlation.check, cross_correlate, lambda image, kernel: cross_correlate(image, rot180(kernel))),
    (exercises.output_delta.check, exercises.output_delta.compute, lambda pre, targets: pre - targets),
]:
    print(check(right), check(wrong), check(lambda *given: given[0]))
print(exercises.kernel_gradient.check(endless, seconds=1))
print(time.time() - began < 60)
print(exercises.progress(exercises.kernel_gradient, exercises.output_delta))
drawing = DrawDigit(digit_network())
drawing.update(drawing=load_digits().images[7])
print(drawing)
"""

TRAINING = """
import numpy as np
from convbp import digit_network, split_digits
from convbp.explorers import LiveTraining
split = split_digits()
live = LiveTraining(digit_network(), split.images[:96], split.labels[:96], epochs=100).start()
"""
LOSS = "np.mean([record.loss for record in live.records[{}]])"


def assert_trains_between_the_cells(lite):
    lite.says(TRAINING)

    def state():
        status, steps = lite.says("print(live.status, len(live.records))").split()
        return status, int(steps)

    def more_than(steps):
        eventually(lambda: state()[1] > steps, True)

    assert state()[0] == "running"
    more_than(3)
    lite.says("live.pause()")
    paused = state()
    assert paused[0] == "paused"
    assert state() == paused
    lite.says("live.start()")
    more_than(paused[1] + 12)
    assert lite.says(f"live.stop(); print(live.status, {LOSS.format('-3:')} < {LOSS.format(':3')})") == "stopped True\n"


def on_cpython(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_run_it_opens_the_notebook_with_a_python_that_does_all_of_the_course(browser, address):
    """One notebook from top to bottom; checks, a training, a drawing; what the reader changed stays, and can be had."""
    path = "notebooks/01_cross_correlation.ipynb"
    lite = Lite(browser, address, path)
    cells = lite.run_all()
    assert_gives_what_is_saved(runnable(cells), nbformat.read(ROOT / path, 4).cells)
    assert_a_slider_of_each_picture_asks_python(lite, cells)
    assert lite.says(CHECKS) == on_cpython(CHECKS)
    assert_trains_between_the_cells(lite)
    lite.ask("panel.content.widgets[0].model.sharedModel.setSource('mine')")
    lite.command("docmanager:save")
    with lite.page.expect_download() as download:
        lite.command("docmanager:download")
    assert nbformat.read(download.value.path(), 4).cells[0].source == "mine"
    lite.page.reload()
    lite.page.wait_for_function(f"{PANEL}?.content?.widgets?.[0]?.model.sharedModel.source === 'mine'")
    assert_alone_and_content(lite)
    lite.page.close()


@pytest.mark.parametrize(
    "path", some([*NOTEBOOKS, *GALLERY], 2, "notebooks in JupyterLite"), ids=lambda path: path.stem
)
def test_a_notebook_runs_from_top_to_bottom(browser, address, path):
    lite = Lite(browser, address, path.relative_to(ROOT).as_posix())
    cells = lite.run_all()
    assert_gives_what_is_saved(runnable(cells), nbformat.read(path, 4).cells)
    assert_a_slider_of_each_picture_asks_python(lite, cells)
    assert_alone_and_content(lite)
    lite.page.close()
