"""A notebook on the wall and on paper.

    python3 course.py slides 08 [FOLDER]            the main line as slides, with pictures that answer
    python3 course.py print 08 [FILE] [--student]   a PDF, with the saved pictures and their sentences

Neither needs a network afterwards. What is a slide follows from the notebook: each heading begins one, "Predict first"
is one, and so is each picture and each output; long text goes on below. Folded answers become the speaker's notes (key
S). Left out are tasks, asides, questions to remember, and code that shows nothing.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from math import ceil
from pathlib import Path

import mathjax
import nbformat
import sphinx_revealjs
from build_site import run, state_in
from nbconvert import HTMLExporter, SlidesExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from reading import DISPLAYED, main_line, words
from student import handed_out

from convbp.pictures.grid_view import page

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parent / "notebooks"
LINES, WORDS = 12, 14  # of text on a slide, and words in a line
PRINTED_LINES = 24  # of code and what it prints
REVEAL = ["LICENSE", "dist/reveal.js", "dist/reveal.css", "dist/theme/white.css", "dist/theme/fonts", "plugin/notes"]
ANSWER = re.compile(r"<details>\s*<summary>[^<]*\banswers?\b[^<]*</summary>(.*?)</details>", re.DOTALL | re.IGNORECASE)
ONLY_FOR_READERS = re.compile(
    r"^(?:\*Time: .*|Remember\?|---|Back: .*|\*\*Further reading\.\*\*(?:.|\n(?!\n))*)$", re.MULTILINE
)
BLOCK = re.compile(r"(<aside.*?</aside>|```.*?```)|\n{2,}", re.DOTALL)
ENTRY = re.compile(r"\s*(?:[-*|]|\d+\.)\s")
HEADING = re.compile(r"#+ .*")
BEGINS = re.compile(r"(?P<heading>##? )|### |\*\*(?:Predict first|In your own words)")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("course.py", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    slides = commands.add_parser("slides", help="the main line as slides")
    slides.add_argument("notebook", type=notebook, help="its number, or a file")
    slides.add_argument("folder", nargs="?", type=Path, default=Path("slides"))
    slides.set_defaults(do=lambda chosen: write_slides(chosen.notebook, chosen.folder))
    paper = commands.add_parser("print", help="a PDF")
    paper.add_argument("notebook", type=notebook, help="its number, or a file")
    paper.add_argument("file", nargs="?", type=Path)
    paper.add_argument("--student", action="store_true", help="without solutions, and without the folded answers")
    paper.add_argument("--browser", help="a Chromium, Chrome or Edge; course.py finds it")
    paper.set_defaults(do=lambda chosen: write_pdf(chosen.notebook, chosen.file, chosen.student, chosen.browser))
    chosen = parser.parse_args(arguments)
    return chosen.do(chosen)


def notebook(name: str) -> Path:
    found = [Path(name)] if name.endswith(".ipynb") else sorted(NOTEBOOKS.glob(f"{name:0>2}_*.ipynb"))
    if len(found) != 1 or not found[0].is_file():
        raise argparse.ArgumentTypeError(f"there is no notebook {name}; expected a number from 00 to 16, or a file")
    return found[0].resolve()


def title_of(notebook: NotebookNode) -> str:
    return notebook.cells[0].source.partition("\n")[0].lstrip("# ")


def copy_mathjax(folder: Path) -> None:
    """MathJax as one file without fonts beside it, which a page from a disk may not load everywhere."""
    shutil.copy(Path(mathjax.__file__).parent / "static" / "mathjax" / "es5" / "tex-svg.js", folder / "mathjax.js")


# On the wall


def write_slides(path: Path, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    files = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    for name in REVEAL:
        target = folder / "reveal.js" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (files / name).is_dir():
            shutil.copytree(files / name, target, dirs_exist_ok=True)
        else:
            shutil.copy(files / name, target)
    copy_mathjax(folder)
    cells, pictures = slides_of(asyncio.run(run(path)), path.stem)
    for name, state in pictures.items():
        (folder / name).write_text(page(state, fit=True), encoding="utf-8")
    lecture = nbformat.v4.new_notebook(cells=cells)
    lecture.metadata.title = title_of(lecture)
    exporter = SlidesExporter(template_name="lecture", extra_template_basedirs=[str(HERE)])
    exporter.reveal_url_prefix, exporter.reveal_theme, exporter.mathjax_url = "reveal.js", "white", "mathjax.js"
    there = folder / f"{path.stem}.html"
    there.write_text(exporter.from_notebook_node(lecture)[0], encoding="utf-8")
    print(f"The slides are in {there}: open it in a browser. Space goes on, S opens the notes, with the answers.")
    return 0


def slides_of(notebook: NotebookNode, name: str) -> tuple[list[NotebookNode], dict[str, dict]]:
    """The main line as cells that have slide types, and the states of its pictures by the files they are to be in."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = ANSWER.sub(r'<aside class="notes">\1</aside>', cell.source)
    cells: list[NotebookNode] = []
    pictures: dict[str, dict] = {}
    for cell in main_line(notebook):
        if cell.cell_type == "markdown":
            cells += [new_markdown_cell(text, metadata=slide(kind)) for kind, text in parts(cell.source)]
        elif "exercises." not in cell.source:
            states = [state for output in cell.outputs if (state := state_in(output.get("data", {})))]
            for state in states:
                file = f"{name}-{len(pictures) + 1}.html"
                pictures[file] = state
                cells.append(new_markdown_cell(frame(file, state["title"]), metadata=slide("subslide")))
            if cell.outputs and not states:
                cell.metadata = slide("subslide") | {"transient": {"remove_source": lines_of(cell) > PRINTED_LINES}}
                cells.append(cell)
    return without_loose_ends(cells), pictures


def without_loose_ends(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells without headings whose text was folded away, and the answers below such."""
    kept: list[NotebookNode] = []
    for cell in cells:
        if HEADING.match(cell.source) and kept and HEADING.fullmatch(kept[-1].source):
            kept.pop()
        if not (cell.source.startswith("<aside") and kept and HEADING.fullmatch(kept[-1].source)):
            kept.append(cell)
    return kept


def slide(kind: str) -> dict:
    return {"slideshow": {"slide_type": kind}}


def frame(file: str, title: str) -> str:
    return f'<iframe src="{file}" title="{escape(title)}"></iframe>'


def lines_of(cell: NotebookNode) -> int:
    """How many lines a cell takes with what it prints."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return sum(len(text.splitlines()) for text in (cell.source, *texts))


def parts(source: str) -> list[tuple[str, str]]:
    """A text as slides, each with its type: a heading or a prediction begins one, and so does what has no room."""
    made: list[tuple[str, list[str]]] = []
    room = 0.0
    for block in filter(None, map(str.strip, filter(None, BLOCK.split(ONLY_FOR_READERS.sub("", source))))):
        begins = BEGINS.match(block)
        notes = block.startswith("<aside")
        height = 0 if notes else height_of(block)
        if not made and notes:
            made.append(("-", []))  # of the slide before
        elif begins or not made or height > room:
            made.append(("slide" if begins and begins["heading"] else "subslide", []))
            room = LINES
        made[-1][1].append(block)
        room -= height
    return [(kind, "\n\n".join(blocks)) for kind, blocks in made]


def height_of(block: str) -> float:
    """How many lines a block of text takes; a formula on a line of its own takes three, and each further line two."""
    formulas = 3 * (block.count("$$") // 2) + 2 * len(re.findall(r"\\\\$", block, re.MULTILINE))
    lines = [line for line in DISPLAYED.sub("", block).split("\n") if line.strip()]
    is_prose = not any(ENTRY.match(line) for line in lines)
    texts = [" ".join(lines)] if is_prose else lines
    return formulas + sum(0.7 * is_prose + ceil(words(text) / WORDS) for text in texts if words(text))


# On paper


def write_pdf(path: Path, out: Path | None, student: bool, browser: str | None) -> int:
    out = (out or Path(f"{path.stem}.pdf")).resolve()
    made = on_paper(nbformat.read(path, as_version=4), student)
    made.metadata.title = title_of(made)
    exporter = HTMLExporter(template_name="lecture", extra_template_basedirs=[str(HERE)])
    exporter.template_file = "paper.html.j2"
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = exporter.exclude_anchor_links = True
    exporter.mathjax_url = "mathjax.js"
    text, _ = exporter.from_notebook_node(made, resources={"metadata": {"name": made.metadata.title}})
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "page.html"
        file.write_text(text, encoding="utf-8")
        copy_mathjax(file.parent)
        if not browser:
            folder = out.with_suffix("")
            shutil.copytree(scratch, folder, dirs_exist_ok=True)
            print(f"There is no Chromium, Chrome or Edge here: print {folder / 'page.html'} from a browser.")
            return 1
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--virtual-time-budget=60000", *as_root]
        command = [browser, *options, f"--user-data-dir={scratch}/profile", f"--print-to-pdf={out}", file.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode or not out.exists():
        sys.exit(f"{browser} could not print it:\n{done.stderr}")
    print(f"{path.name} is printed into {out}.")
    return 0


def on_paper(notebook: NotebookNode, student: bool) -> NotebookNode:
    """The notebook with its pictures as figures above their sentences, and its folded boxes open."""
    if student:
        notebook = nbformat.from_dict(handed_out(notebook, answers=False))
    for cell in notebook.cells:
        cell.source = "".join(cell.source)
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("<details>", "<details open>")
        for output in cell.get("outputs", []):
            png = output.get("data", {}).get("image/png")
            if png:
                alt = escape(output.metadata.get("image/png", {}).get("alt", ""))
                image = f'<img src="data:image/png;base64,{png.strip()}" alt="{alt}">'
                output.data = {"text/html": f"<figure>{image}<figcaption>{alt}</figcaption></figure>"}
    return notebook


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
