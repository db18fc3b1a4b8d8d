"""The course as it is handed out: a folder or a zip that stands by itself.

    python3 course.py student [FOLDER]                          the notebooks alone, without their solutions
    python3 course.py student OUT --standalone [--no-answers]   all of it, --no-answers without the folded answers, too

OUT must not be there yet; if its name ends in .zip it is one file, with a folder in it whose name has the minute it was
made in, so that none is unpacked over another. In it are the notebooks without the solutions and
without the outputs of the tasks' checks, the package, the command ``course.py``, and requirements.txt with the versions
that are installed here, which its set-up keeps to. Nothing in it is a clone: what students write is never in the way of
an update, which is another folder.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from datetime import datetime
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ["course.py", "pyproject.toml", "LICENSE", "CITATION.cff", "src"]
README = """# convbp, as your course hands it out

You need Python 3.11 or newer. In this folder, `python3 course.py start` (on Windows, `py course.py start`) opens the
notebooks in JupyterLab. The first time it installs what they need into the folder `.venv`; that needs the network.

Work in the notebooks, or in copies of them. What you hand in is the notebook that you saved, with its outputs: they
have what the checks said. A newer file unpacks into a folder of another name, so what you wrote stays here; from there,
your own notebooks open with `python3 course.py start path/to/notebook.ipynb`.

Code and text are under the MIT licence, see LICENSE.
"""
ANSWER = re.compile(r"<details>\s*<summary>[^<]*\banswers?\b[^<]*</summary>.*?</details>\n*", re.DOTALL)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("course.py student", description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--standalone", action="store_true", required=True)
    parser.add_argument("--no-answers", action="store_true", help="leave out the folded answers to questions, too")
    chosen = parser.parse_args(arguments)
    out = chosen.out.resolve()
    if out.exists():
        sys.exit(f"There is {out} already, and what somebody wrote in it would be lost: name another.")
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / f"{out.stem}-{datetime.now():%Y-%m-%d-%H%M}"
        write(made, answers=not chosen.no_answers)
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".zip":
            shutil.make_archive(str(out.with_suffix("")), "zip", scratch, made.name)
        else:
            shutil.move(made, out)
    print(f"The course to hand out is in {out}.")
    return 0


def write(folder: Path, answers: bool = True) -> None:
    leave = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    (folder / "notebooks").mkdir(parents=True)
    (folder / "README.md").write_text(README, encoding="utf-8")
    for name in BESIDE:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=leave)
        else:
            shutil.copy(source, target)
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        notebook = handed_out(json.loads(path.read_text(encoding="utf-8")), answers)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        (folder / "notebooks" / path.name).write_text(text, encoding="utf-8")
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in pinned("convbp[notebooks]")))


def handed_out(notebook: dict, answers: bool = True) -> dict:
    """The notebook without solutions; a task's check has no output, so that nobody seems to have tried it."""
    cells = [cell for cell in notebook["cells"] if "solution" not in cell["metadata"].get("tags", [])]
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and ".check(" in source and "exercises." in source:
            cell["outputs"], cell["execution_count"] = [], None
        if cell["cell_type"] == "markdown" and not answers:
            cell["source"] = ANSWER.sub("", source).rstrip().splitlines(keepends=True)
    return {**notebook, "cells": [cell for cell in cells if "".join(cell["source"]).strip()]}


def pinned(requirement: str) -> list[str]:
    """What a requirement needs, and what that needs, each in the version that is installed here."""
    found: dict[str, str] = {}
    todo = [Requirement(requirement)]
    seen = set()
    while todo:
        one = todo.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        if (name, frozenset(one.extras)) in seen:
            continue
        seen.add((name, frozenset(one.extras)))
        installed = distribution(one.name)
        if name != "convbp":
            found[name] = f"{name}=={installed.version}"
        for line in installed.requires or []:
            needed = Requirement(line)
            if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
                todo.append(needed)
    return sorted(found.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
