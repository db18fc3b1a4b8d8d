"""A notebook on the wall and on paper.

    python3 course.py slides 08 [FOLDER] [--site URL]            the main line as slides, with pictures that answer
    python3 course.py print 08 [FILE] [--student] [--site URL]   a PDF, with the saved pictures and their sentences

08 is the number of a notebook, or a file; --student leaves out solutions and folded answers.

Neither needs a network afterwards. What is a slide follows from the notebook: each heading begins one, "Predict first"
is one, and so is each picture; text, code and outputs share one where there is room, and long text goes on below. The
numbers of the set-up are shown where it stands, and of other code that shows nothing the lines that a later slide
uses. Folded answers become the speaker's notes (key S). Left out are tasks, asides, and questions to remember. Links
to other notebooks lead into the site that --site names, or are words.
"""

import argparse
import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from html import escape
from itertools import takewhile
from math import ceil
from operator import is_not
from pathlib import Path
from urllib.parse import unquote

import mathjax
import nbformat
import numpy as np
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
LINE_OF_CODE = 0.75  # of a line of text
LARGEST = 64  # numbers of an array that is shown
PRINTED_LINES = 24  # of code and what it prints
REVEAL = ["LICENSE", "dist/reveal.js", "dist/reveal.css", "dist/theme/white.css", "dist/theme/fonts", "plugin/notes"]
ANSWER = re.compile(r"<details>\s*<summary>[^<]*\banswers?\b[^<]*</summary>(.*?)</details>", re.DOTALL | re.IGNORECASE)
ONLY_FOR_READERS = re.compile(
    r"^(?:\*Time: .*|Remember\?|---|Back: .*|\*\*Further reading\.\*\*(?:.|\n(?!\n))*)$", re.MULTILINE
)
BLOCK = re.compile(r"(<aside.*?</aside>|```.*?```)|\n{2,}", re.DOTALL)
ENTRY = re.compile(r"\s*(?:[-*|]|\d+\.)\s")
HEADING = re.compile(r"#+ .*")
LINK = re.compile(r'<a [^>]*?href="(?!\w+:)([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
LAST = max(path.name[:2] for path in NOTEBOOKS.glob("[0-9]*.ipynb"))
EXPECTED = f"expected a number from 00 to {LAST}, or a file"
GREEK = {"delta": r"\delta"}
BEGINS = re.compile(r"(?P<heading>##? )|### |\*\*(?:Predict first|In your own words)")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("course.py", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    slides = commands.add_parser("slides", help="the main line as slides")
    slides.add_argument("notebook", type=notebook, help="its number, or a file")
    slides.add_argument("folder", nargs="?", type=Path, default=Path("slides"))
    slides.add_argument("--site", default="", help="address of the course's site, for links to other notebooks")
    slides.set_defaults(do=lambda chosen: write_slides(chosen.notebook, chosen.folder, chosen.site))
    paper = commands.add_parser("print", help="a PDF")
    paper.add_argument("notebook", type=notebook, help="its number, or a file")
    paper.add_argument("file", nargs="?", type=Path)
    paper.add_argument("--student", action="store_true", help="without solutions, and without the folded answers")
    paper.add_argument("--site", default="", help="address of the course's site, for links to other notebooks")
    paper.add_argument("--browser", help="a Chromium, Chrome or Edge; course.py finds it")
    paper.set_defaults(
        do=lambda chosen: write_pdf(chosen.notebook, chosen.file, chosen.student, chosen.browser, chosen.site)
    )
    chosen = parser.parse_args(arguments)
    return chosen.do(chosen)


def notebook(name: str) -> Path:
    found = [Path(name)] if name.endswith(".ipynb") else sorted(NOTEBOOKS.glob(f"{name:0>2}_*.ipynb"))
    if len(found) != 1 or not found[0].is_file():
        raise argparse.ArgumentTypeError(f"there is no notebook {name}; {EXPECTED}")
    return found[0].resolve()


def title_of(notebook: NotebookNode) -> str:
    return notebook.cells[0].source.partition("\n")[0].lstrip("# ")


def leading_somewhere(page: str, site: str) -> str:
    """The page, with links to other notebooks leading into the site; where there is none, and of other files, words.

    So are links to a heading that is not on the page, as of what slides leave out.
    """

    def kept(link: re.Match) -> str:
        (path, _, part), words = link[1].partition("#"), link[2]
        if not path and f'id="{unquote(part)}"' in page:
            return link[0]
        if not site or not re.fullmatch(r"\d\d_\w+\.ipynb", path):
            return words
        address = f"{site.rstrip('/')}/notebooks/{Path(path).stem}.html{'#' * bool(part)}{part}"
        return f'<a href="{escape(address)}">{words}</a>'

    return LINK.sub(kept, page)


def copy_mathjax(folder: Path) -> None:
    """MathJax as one file without fonts beside it, which a page from a disk may not load everywhere."""
    shutil.copy(Path(mathjax.__file__).parent / "static" / "mathjax" / "es5" / "tex-svg.js", folder / "mathjax.js")


# On the wall


def write_slides(path: Path, folder: Path, site: str = "") -> int:
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
    there.write_text(leading_somewhere(exporter.from_notebook_node(lecture)[0], site), encoding="utf-8")
    print(f"The slides are in {there}: open it in a browser. Space goes on, S opens the notes, with the answers.")
    return 0


def slides_of(notebook: NotebookNode, name: str) -> tuple[list[NotebookNode], dict[str, dict]]:
    """The main line as cells that have slide types, and the states of its pictures by the files they are to be in."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = ANSWER.sub(r'<aside class="notes">\1</aside>', cell.source)
    cells: list[NotebookNode] = []
    pictures: dict[str, dict] = {}
    unseen: dict[str, str] = {}  # what was defined by code that is on no slide
    room, given = 0.0, ""
    code = iter([cell for cell in notebook.cells if cell.cell_type == "code"])
    for cell in main_line(notebook):
        if cell.cell_type == "code":
            for aside in takewhile(partial(is_not, cell), code):
                unseen |= definitions(aside.source)
        if cell.cell_type == "markdown":
            some, room = parts(cell.source, room)
            cells += [new_markdown_cell(text, metadata=slide(kind)) for kind, text in some]
            continue
        states = [state for output in cell.outputs if (state := state_in(output.get("data", {})))]
        if "exercises." in cell.source:
            continue
        for state in states:
            file = f"{name}-{len(pictures) + 1}.html"
            pictures[file], room = state, 0.0
            cells.append(new_markdown_cell(frame(file, state["title"]), metadata=slide("subslide")))
        if cell.outputs and not states:
            needed = definitions_for(cell.source, unseen)
            if needed and len(needed.splitlines()) + lines_of(cell) <= PRINTED_LINES:
                cell.source = f"{needed}\n\n{cell.source}"
            elif needed:  # on a slide of their own
                cells.append(new_markdown_cell(f"```python\n{needed}\n```", metadata=slide("subslide")))
                room = 0.0
            height = LINE_OF_CODE * lines_of(cell)
            kind = "subslide" if height > room else "-"
            room = (room if kind == "-" else LINES) - height
            too_long = lines_of(cell) > PRINTED_LINES
            cell.metadata = slide(kind) | {"transient": {"remove_source": too_long}}
            for name, text in definitions(cell.source).items():
                unseen.pop(name, None)
                unseen |= {name: text} if too_long else {}
            cells.append(cell)
        elif not cell.outputs:
            unseen |= definitions(cell.source)
            if not given and (given := numbers(cell.source)):
                cells.append(new_markdown_cell(given, metadata=slide("subslide")))
                room = 0.0
    return without_loose_ends(cells), pictures


def statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:  # a line for IPython
        return []


def definitions(source: str) -> dict[str, str]:
    """The code that binds each name; of imports and of arrays that are shown as such there is none."""
    found = {}
    for statement in statements(source):
        if isinstance(statement, ast.Import | ast.ImportFrom) or given_numbers(statement):
            continue
        text = ast.get_source_segment(source, statement)
        bound = [
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        names = [statement.name] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else bound
        found |= dict.fromkeys(names, text)
    return found


def definitions_for(source: str, unseen: dict[str, str]) -> str:
    """What the code uses of ``unseen``, below what that uses in turn; none of it is unseen any more."""
    nodes = [node for statement in statements(source) for node in ast.walk(statement) if isinstance(node, ast.Name)]
    used = {node.id for node in nodes} - {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    needed = list(dict.fromkeys(text for name, text in unseen.items() if name in used))
    if not needed:
        return ""
    for name in [name for name, text in unseen.items() if text in needed]:
        del unseen[name]
    text = "\n".join(needed)
    return "\n".join(filter(None, (definitions_for(text, unseen), text)))


def given_numbers(statement: ast.stmt) -> list[tuple[str, object]]:
    """The names and values of ``w = np.array([[1, 2]])``, or of ``w, b = np.array([[1, 2]]), 1``; else nothing."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return []
    target, value = statement.targets[0], statement.value
    several = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
    found = []
    for name, one in zip(target.elts, value.elts, strict=False) if several else [(target, value)]:
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "np.array" and len(one.args) == 1:
            one = one.args[0]
        try:
            read = ast.literal_eval(one)
        except ValueError:
            return []
        if not isinstance(name, ast.Name) or not isinstance(read, int | float | list):
            return []
        found.append((name.id, read))
    return found


def numbers(source: str) -> str:
    """The numbers that a set-up begins with, as formulas; empty if there are no arrays among them."""
    found = [pair for statement in statements(source) for pair in given_numbers(statement)]
    typeset = []
    for name, value in found:
        array = np.array(value)
        if array.ndim <= 2 and array.size <= LARGEST:
            letter = GREEK.get(name, name if len(name) == 1 else rf"\texttt{{{name}}}".replace("_", r"\_"))
            rows = r"\\ ".join(" & ".join(map(str, row)) for row in np.atleast_2d(array).tolist())
            typeset.append(
                rf"{letter} = \begin{{pmatrix}} {rows} \end{{pmatrix}}" if array.ndim else f"{letter} = {value}"
            )
    lines = [r" \qquad ".join(typeset[k : k + 3]) for k in range(0, len(typeset), 3)]
    has_arrays = any(isinstance(value, list) for _, value in found)
    return "\n\n".join(["**The numbers**", *(f"$${line}$$" for line in lines)]) if has_arrays else ""


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


def parts(source: str, room: float = 0.0) -> tuple[list[tuple[str, str]], float]:
    """A text as slides, each with its type, and the lines that are left on the last.

    A heading or a prediction begins one, and so does what has no room; ``room`` is what the slide before has left.
    Nothing shares a slide with a prediction that it would answer.
    """
    made: list[tuple[str, list[str]]] = [("-", [])]
    for block in blocks_of(ONLY_FOR_READERS.sub("", source)):
        begins = BEGINS.match(block)
        notes = block.startswith("<aside")
        height = 0 if notes else height_of(block)
        alone = len(made[-1][1]) == 1 and HEADING.fullmatch(made[-1][1][0])
        if begins or (height > room and not notes and not alone):
            made.append(("slide" if begins and begins["heading"] else "subslide", []))
            room = LINES
        made[-1][1].append(block)
        room = 0.0 if begins and block.startswith("**") else room - height
    return [(kind, "\n\n".join(blocks)) for kind, blocks in made if blocks], room


def blocks_of(source: str) -> list[str]:
    """The paragraphs; a formula stays with the one that leads to it."""
    blocks: list[str] = []
    for block in filter(None, map(str.strip, filter(None, BLOCK.split(source)))):
        if block.startswith("$$") and blocks and not BEGINS.match(blocks[-1]) and not blocks[-1].startswith("<aside"):
            blocks[-1] += f"\n\n{block}"
        else:
            blocks.append(block)
    return blocks


def height_of(block: str) -> float:
    """How many lines a block of text takes; a formula on a line of its own takes three, and each further line two."""
    formulas = 3 * (block.count("$$") // 2) + 2 * len(re.findall(r"\\\\$", block, re.MULTILINE))
    lines = [line for line in DISPLAYED.sub("", block).split("\n") if line.strip()]
    is_prose = not any(ENTRY.match(line) for line in lines)
    texts = [" ".join(lines)] if is_prose else lines
    heights = (LINE_OF_CODE if block.startswith("```") else ceil(words(text) / WORDS) for text in texts if words(text))
    return formulas + sum(0.7 * is_prose + height for height in heights)


# On paper


def write_pdf(path: Path, out: Path | None, student: bool, browser: str | None, site: str = "") -> int:
    out = (out or Path(f"{path.stem}.pdf")).resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    made = on_paper(nbformat.read(path, as_version=4), student)
    made.metadata.title = title_of(made)
    exporter = HTMLExporter(template_name="lecture", extra_template_basedirs=[str(HERE)])
    exporter.template_file = "paper.html.j2"
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = exporter.exclude_anchor_links = True
    exporter.mathjax_url = "mathjax.js"
    text, _ = exporter.from_notebook_node(made, resources={"metadata": {"name": made.metadata.title}})
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "page.html"
        file.write_text(leading_somewhere(text, site), encoding="utf-8")
        copy_mathjax(file.parent)
        if not browser:
            folder = out.with_suffix("")
            shutil.copytree(scratch, folder, dirs_exist_ok=True)
            print(f"There is no Chromium, Chrome or Edge here: print {folder / 'page.html'} from a browser.")
            return 1
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        options = ["--headless", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline"]
        options += ["--virtual-time-budget=60000", *as_root]
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
