"""Firefox: a saved picture, and notebooks in JupyterLab, as a reader points, presses keys and moves sliders."""

import os
import re
import shutil
import warnings
from pathlib import Path

import pytest

from browser import PATIENCE, jupyterlab
from convbp.explorers import DeltaFlow
from convbp.pictures.scene import Selection

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it calls what others have deprecated
    from marionette_driver import By, Wait
    from marionette_driver.keys import Keys
    from marionette_driver.marionette import ActionSequence, Marionette

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
EXPLORER = ".jp-NotebookPanel .convbp-explorer:has(svg)"
# What Firefox's log says of an error on a page.
COMPLAINT = re.compile("JavaScript error: (http|file).*")

# What drives Firefox leaves its pipes to the garbage collector.
pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


def _firefox() -> str | None:
    """Path of Firefox; CONVBP_FIREFOX names one that is found in no usual place."""
    usual = ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"]
    usual += [rf"{os.environ.get('PROGRAMFILES', '')}\Mozilla Firefox\firefox.exe"]
    return next(filter(None, map(shutil.which, [os.environ.get("CONVBP_FIREFOX", ""), *usual])), None)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """What Firefox writes of itself and of the pages."""
    return tmp_path_factory.mktemp("firefox") / "log"


@pytest.fixture(scope="module")
def firefox(log):
    path = _firefox()
    if path is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("no Firefox; CONVBP_FIREFOX names one")
    firefox = Marionette(bin=path, headless=True, gecko_log=str(log), port=0)
    firefox.start_session(timeout=PATIENCE)
    firefox.timeout.script = firefox.timeout.page_load = PATIENCE
    firefox.set_window_rect(width=1366, height=768)
    yield firefox
    firefox.quit()
    firefox.cleanup()


@pytest.fixture(scope="module")
def lab(firefox, tmp_path_factory):
    """JupyterLab on copies of two notebooks."""
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    for name in ("01_*", "08_*"):
        (notebook,) = NOTEBOOKS.glob(f"{name}.ipynb")
        shutil.copy(notebook, root / f"{name[:2]}.ipynb")
    with jupyterlab(root, home) as address:
        firefox.navigate(address)
        eventually(firefox, "globalThis.jupyterapp !== undefined")
        run(firefox, "jupyterapp.restored.then(() => true)")
        yield firefox
        firefox.navigate("about:blank")


def run(firefox, promise):
    """The value of a promise on the page."""
    return firefox.execute_async_script(f"const done = arguments[0]; ({promise}).then(done)", sandbox=None)


def eventually(firefox, condition):
    """Wait until a JavaScript expression is true on the page."""
    Wait(firefox, timeout=PATIENCE).until(
        lambda firefox: firefox.execute_script(f"return Boolean({condition})", sandbox=None), message=condition
    )


def says(explorer, sentence):
    found = explorer.find_element(By.CSS_SELECTOR, ".convbp-sentence")
    Wait(explorer.marionette, timeout=PATIENCE).until(lambda _: found.text == sentence, message=sentence)


def cell(explorer, chosen):
    return explorer.find_element(By.CSS_SELECTOR, f'[data-cell="{chosen.grid},{chosen.row},{chosen.col}"]')


def hover(element):
    pointer = ActionSequence(element.marionette, "pointer", "mouse", {"pointerType": "mouse"})
    pointer.pointer_move(0, 0, origin=element).perform()


def assert_answers(explorer, scene):
    """Pointer, click and arrow keys each show what the scene says of the cell."""
    first, other = Selection("below", 0, 0), Selection("below", 1, 1)
    hover(cell(explorer, other))
    says(explorer, scene.highlights[other].sentence)
    cell(explorer, first).click()
    says(explorer, scene.highlights[first].sentence)
    explorer.find_element(By.CSS_SELECTOR, "[role=application]").send_keys(Keys.ARROW_RIGHT)
    says(explorer, scene.highlights[first._replace(col=1)].sentence)


def test_a_saved_picture_answers(firefox, tmp_path):
    explorer = DeltaFlow()
    explorer.save_html(tmp_path / "picture.html")
    firefox.navigate((tmp_path / "picture.html").as_uri())
    assert_answers(firefox.find_element(By.CSS_SELECTOR, "body"), explorer.view.scene)


@pytest.mark.parametrize("name", ["01", "08"])
def test_a_notebook_runs_and_its_sliders_and_pictures_answer(lab, name):
    run(lab, f"jupyterapp.commands.execute('docmanager:open', {{path: '{name}.ipynb'}}).then(() => null)")
    eventually(lab, "jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status == 'idle'")
    run(lab, "jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
    eventually(lab, "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'")
    errors = "[...jupyterapp.shell.currentWidget.content.widgets].flatMap((cell) => cell.model.outputs?.toJSON() ?? [])"
    assert lab.execute_script(f"return {errors}.filter((output) => output.output_type == 'error')", sandbox=None) == []
    eventually(lab, f"document.querySelector('{EXPLORER} [role=slider]')")
    before = lab.execute_script(f"return document.querySelector('{EXPLORER} svg').outerHTML")
    handle = lab.find_element(By.CSS_SELECTOR, f"{EXPLORER} [role=slider]")
    lab.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", [handle])
    handle.send_keys(Keys.ARROW_LEFT)
    Wait(lab, timeout=PATIENCE).until(
        lambda lab: lab.execute_script(f"return document.querySelector('{EXPLORER} svg').outerHTML") != before
    )
    run(lab, "(async () => { const at = jupyterapp.shell.currentWidget; await at.sessionContext.shutdown();"
        " at.context.model.dirty = false; at.dispose(); })()")  # fmt: skip


# Stands last, to have seen everything.
def test_nothing_complains(firefox, log, tmp_path):
    def complaints():
        return COMPLAINT.findall(log.read_text(encoding="utf-8", errors="replace"))

    assert complaints() == []
    (tmp_path / "wrong.html").write_text("<script>nothing.at.all</script>", encoding="utf-8")
    firefox.navigate((tmp_path / "wrong.html").as_uri())
    Wait(firefox, timeout=PATIENCE).until(lambda _: complaints() == ["file"], message="errors are not in the log")
