"""Build the site: every notebook as a page whose pictures answer without Python, and JupyterLite beside them.

    python3 course.py site [FOLDER] [--book] [--run NAME ...] [--pyodide PATH_OR_URL]

FOLDER is site/ if left out. --book leaves out JupyterLite, and so the Python in the page. --run 07_affected_region runs
the named notebooks alone; the other pages show what is saved, with still pictures, for a quick look. --pyodide says
where Pyodide comes from: a folder with the distribution, its archive, or the archive's address; CONVBP_PYODIDE as well.
"""

import argparse
import asyncio
import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import Any

import mathjax
import nbformat
from nbclient import NotebookClient
from save_notebooks import ROOT, WIDGET_VIEW, clean, notebooks

from convbp.exercises.result import MEDIA_TYPE
from convbp.pictures.grid_view import STYLE, alone, page, patches_in

BOOK = Path(__file__).parent / "book"
GRID_VIEW = ROOT / "src" / "convbp" / "pictures" / "grid_view"
IPY = "IPY_MODEL_"
HIDDEN = (
    "GridViewModel",
    "HTMLModel",
    "LabelModel",
    "PlayModel",
)  # what is no control, or has one of its name beside it
TASKS = re.compile(r"^## Your turn$", re.MULTILINE)
RUN = "convbp:run"  # stands for the address that runs a page's notebook
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="course.py site", description="Build the course as a web site.")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "site", help="where to: site/ if left out")
    parser.add_argument("--book", action="store_true", help="the book alone, without Python in the page")
    parser.add_argument(
        "--run",
        nargs="+",
        metavar="NAME",
        choices=[path.stem for path in notebooks()],
        help="run these notebooks alone; the other pages show what is saved, with still pictures, for a quick look",
    )
    parser.add_argument(
        "--pyodide",
        metavar="PATH_OR_URL",
        default=os.environ.get("CONVBP_PYODIDE"),
        help="where Pyodide comes from: a folder with the distribution, its archive, or the archive's address",
    )
    chosen = parser.parse_args(arguments)
    site = chosen.folder.resolve()
    if site.exists() and any(site.iterdir()) and not (site / ".convbp").exists():
        sys.exit(f"There is something in {site} that this did not build: name another folder, or empty that one.")
    lite = None
    if not chosen.book:
        import lite
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "source")
        write_source(source, asyncio.run(run_all(chosen.run)), with_lite=lite is not None)
        shutil.rmtree(site, ignore_errors=True)
        sphinx(source, site, with_lite=lite is not None)
        if lite is not None:
            lite.build(site / "lite", Path(scratch), chosen.pyodide)
    (site / ".convbp").write_text("Built by course.py site, which may replace this folder.\n", encoding="utf-8")
    (site / ".nojekyll").touch()  # GitHub Pages leaves out folders that begin with _ otherwise
    print(f"The site is in {site}. To look at it: {Path(sys.executable).name} -m http.server -d {site}")
    return 0


# The notebooks, run


async def run_all(names: list[str] | None = None) -> dict[Path, nbformat.NotebookNode]:
    """Run all notebooks, or those of these names, as many at a time as there are processors; the others as saved."""
    turn = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(path: Path) -> nbformat.NotebookNode:
        if names and path.stem not in names:
            return as_page(nbformat.read(path, as_version=4))
        async with turn:
            try:
                return await run(path)
            except RuntimeError:  # a kernel could not start, its port was taken meanwhile
                return await run(path)

    paths = notebooks()
    return dict(zip(paths, await asyncio.gather(*map(one, paths)), strict=True))


async def run(path: Path) -> nbformat.NotebookNode:
    """Run the notebook and return it as a page."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    await client.async_execute()
    print(f"{os.path.relpath(path, ROOT)}: run", flush=True)
    return as_page(notebook)


def as_page(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Put pictures that answer in the place of the views of widgets, and take out what no reader sees."""
    models = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for cell in notebook.cells:
        for output in list(cell.get("outputs", [])):
            data = output.get("data", {})
            data.pop(MEDIA_TYPE, None)  # for programs that read notebooks
            view = data.get(WIDGET_VIEW)
            picture = view and picture_of(view["model_id"], models)
            if picture:
                shown = without(controls_of(view["model_id"], models)) + live(picture)
                output.data = {"text/html": shown, "text/plain": output.data["text/plain"]}
                output.metadata = {}
            elif view:  # questions, or a training
                needs = {"text/html": f'<p class="convbp-needs">This needs Python: <a href="{RUN}">run it</a>.</p>'}
                cell.outputs.insert(0, nbformat.v4.new_output("display_data", needs))
    clean(notebook)
    return notebook


def picture_of(model: str, models: dict[str, Any]) -> dict[str, Any] | None:
    """The state of the `GridView` in a widget, or None if there is none."""
    state = models[model]["state"]
    if "patches" in state:
        return alone(state)
    children = (child.removeprefix(IPY) for child in state.get("children", []))
    return next(filter(None, (picture_of(child, models) for child in children)), None)


def controls_of(model: str, models: dict[str, Any]) -> list[str]:
    """The names of what stands above a picture in the notebook, and not in the page: sliders, buttons, lists."""
    state = models[model]["state"]
    if (
        state["_model_name"] in HIDDEN
        or "none" in (hidden := models[state["layout"].removeprefix(IPY)]["state"]).values()
    ):
        return []
    children = [controls_of(child.removeprefix(IPY), models) for child in state.get("children", [])]
    named = [name for child in children for name in child]
    if hidden.get("visibility") == "hidden":
        return []
    if state["_model_name"] == "GridBoxModel" and len(named) > 2:  # the sliders of an array
        return [f"{named[0]} … {named[-1]}"]
    own = state.get("description") if not children else ""
    return [*named, *([own] if own and own != "Reset" else [])]


def without(controls: list[str]) -> str:
    """What is said above a picture of what cannot be moved in the page; `write_source` knows where the link leads."""
    if not controls:
        return ""
    names = ", ".join(f"<em>{escape(name)}</em>" for name in dict.fromkeys(controls))
    return f'<p class="convbp-needs">With Python this picture also has {names}: <a href="{RUN}">run it</a>.</p>'


def live(state: dict[str, Any]) -> str:
    """The markup that book.js turns into a picture; its state is compressed to a tenth."""
    packed = base64.b64encode(gzip.compress(json.dumps(state).encode(), mtime=0)).decode("ascii")
    sentence = patches_in(state)["{grid},{row},{col}".format(**state)]["sentence"]
    return f'<div class="convbp-live" data-state="{packed}"><p>{sentence}</p></div>'


# The book


def write_source(source: Path, done: dict[Path, nbformat.NotebookNode], with_lite: bool) -> None:
    """Write what Sphinx makes the book of: the notebooks, the guides beside them, and a page for each picture."""
    shutil.copytree(BOOK, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    static = source / "_static"
    for name in ("grid_view.js", "stand_in.js"):
        shutil.copy(GRID_VIEW / name, static)
    (static / "grid_view.css").write_text(STYLE, encoding="utf-8")
    copy_mathjax(static / "mathjax")
    for guide in sorted((ROOT / "docs").glob("*.md")):
        (source / "docs").mkdir(exist_ok=True)
        (source / "docs" / guide.name).write_text(without_loose_ends(guide), encoding="utf-8")
    extra = source / "extra"  # is copied as it is
    pictures: dict[str, dict] = {}
    for path, notebook in done.items():
        place = path.relative_to(ROOT)
        if "gallery" in place.parts:
            pictures |= pictures_of(notebook)
        for n, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":  # a link that is a picture
                cell.source = re.sub(r'(<a href="[\w./]*)\.ipynb', r"\1.html", cell.source)
                cell.source = TASKS.sub(rf"\g<0>\n\n{tasks_need(place, with_lite)}", cell.source)
            else:
                for output in cell.outputs:
                    if "text/html" in output.get("data", {}):
                        output.data["text/html"] = output.data["text/html"].replace(RUN, run_at(place, with_lite))
                following = (one for one in notebook.cells[n + 1 :] if one.cell_type == "code")
                fold(cell, is_task="solution" in next(following, cell).metadata.get("tags", []))
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(buttons(place, with_lite)))
        (source / place).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, source / place)
        (extra / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, extra / place)
    (extra / "embed").mkdir()
    for name, state in pictures.items():
        (extra / "embed" / f"{name}.html").write_text(page(state), encoding="utf-8")
    entries = "\n".join(embedded(name, state) for name, state in sorted(pictures.items()))
    embed = source / "embed.md"
    embed.write_text(embed.read_text(encoding="utf-8") + entries, encoding="utf-8")


def fold(cell: nbformat.NotebookNode, is_task: bool) -> None:
    """Have the page fold what JupyterLab folds, under words that say what it is, and what a check says of no answer."""
    folded, tags = cell.metadata.get("jupyter", {}), cell.metadata.setdefault("tags", [])
    if not folded.get("source_hidden"):
        if not cell.outputs or not (is_task or folded.get("outputs_hidden")):
            return
        tags.append("hide-output")
        shown = "".join(str(output.get("data", {})) for output in cell.outputs)
        what = "the picture" if "convbp-live" in shown or "image/png" in shown else "what comes out"
        what = "what the check says of this" if is_task else what
        show, hide = f"Show {what}", f"Hide {what}"
    elif "solution" in tags:
        tags.append("hide-cell")
        show, hide = "Show the solution", "Hide the solution"
    else:  # an aside, whose first line says what it is
        tags.append("hide-cell")
        show = hide = cell.source.partition("\n")[0].lstrip("# ")
    cell.metadata.mystnb = {"code_prompt_show": show, "code_prompt_hide": hide}


def copy_mathjax(folder: Path) -> None:
    """Of MathJax, what formulas in TeX need and no menu."""
    all_of_it = Path(mathjax.__file__).parent / "static" / "mathjax" / "es5"
    for name in ("startup.js", "core.js", "input/tex.js", "input/tex", "output/chtml.js", "output/chtml/fonts"):
        there = folder / name
        there.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (all_of_it / name).is_dir() else shutil.copy)(all_of_it / name, there)


def without_loose_ends(guide: Path) -> str:
    """The text of a guide; where a link leads to what is no page and no file of the package, its words alone."""

    def kept(link: re.Match) -> str:
        words, target = link.groups()
        there = (guide.parent / target.partition("#")[0]).resolve()
        inside = (there.suffix == ".md" and there.parent == guide.parent) or there.is_relative_to(ROOT / "src")
        return link[0] if ":" in target or target[0] == "#" or (inside and there.is_file()) else words

    return re.sub(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)", kept, guide.read_text(encoding="utf-8"))


def run_at(place: Path, with_lite: bool) -> str:
    """Where a page's notebook runs: in JupyterLite, or the page that says how."""
    up = "../" * len(place.parent.parts)
    return f"{up}lite/notebooks/index.html?path={place.as_posix()}" if with_lite else f"{up}in_the_browser.html"


def buttons(place: Path, with_lite: bool) -> str:
    """What stands below a page's title: run it, or take it home; and what neither is needed for."""
    run = f'<a class="convbp-run" href="{run_at(place, with_lite)}">▶ Run it</a> '
    take = f'<a class="convbp-take" href="{place.name}" download>⤓ Download the notebook</a>'
    how = "Run it" if with_lite else f'<a href="{run_at(place, with_lite)}">take it to a Python</a>'
    needs = f"Pictures answer here: point, click, arrow keys, predictions. To run, press, draw or slide, {how}."
    return f'<p class="convbp-buttons">{run if with_lite else ""}{take}</p>\n<p class="convbp-needs">{needs}</p>'


def tasks_need(place: Path, with_lite: bool) -> str:
    """What stands below the heading of the tasks, whose checks are cells to run."""
    return f'<p class="convbp-needs">The checks need Python: <a href="{run_at(place, with_lite)}">run it</a>.</p>'


def pictures_of(notebook: nbformat.NotebookNode) -> dict[str, dict[str, Any]]:
    """The pictures of a notebook that was run, by the names of their explorers."""
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return {data["text/plain"].partition(":")[0]: state for data in outputs if (state := state_in(data))}


def state_in(data: dict[str, Any]) -> dict[str, Any] | None:
    """What `live` has packed into an output."""
    packed = re.search(r'data-state="([^"]*)"', data.get("text/html", ""))
    return packed and json.loads(gzip.decompress(base64.b64decode(packed[1])))


def embedded(name: str, state: dict[str, Any]) -> str:
    """The entry of one picture in the page of all that can be embedded."""
    title, address = escape(state["title"]), f"embed/{name}.html"
    fitting = [layout for layout in state["layouts"] if layout["width"] <= 900] or state["layouts"][-1:]
    height = round(fitting[0]["height"]) + 200  # and the sliders, and a sentence of some lines
    frame = f'<iframe src="{address}" title="{title}" width="100%" height="{height}" loading="lazy"></iframe>'
    return (
        f'\n## {name}\n\n<p><a href="{address}">{title}</a></p>\n\n'
        f'<pre class="convbp-snippet" tabindex="0">{escape(frame)}</pre>\n\n{frame}\n'
    )


def sphinx(source: Path, site: Path, with_lite: bool) -> None:
    """Make the pages; whatever Sphinx warns of ends it."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-b", "html"]
    command += ["-t", "with_lite"] if with_lite else []
    done = subprocess.run([*command, "-d", source.parent / "doctrees", source, site], check=False)
    if done.returncode:
        sys.exit("Sphinx could not make the book; why stands above.")
    for name in (".buildinfo", "objects.inv"):
        (site / name).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
