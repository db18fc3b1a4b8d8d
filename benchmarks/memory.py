"""What a kernel holds in memory after notebooks, beside one that has only imported what any course with widgets needs.

    python benchmarks/memory.py [notebook ...]

Without names: notebooks 01 and 07. Each line is a kernel of its own, in the environment that `course.py start` gives:
what it has for itself (USS, which thirty kernels take thirty times), and that with its share of what others have mapped
as well (PSS). Linux only.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from course import ENVIRONMENT, NOTEBOOKS  # noqa: E402

# From nothing to what the pictures need of other packages; a notebook holds this whatever convbp does.
FLOORS = {
    "an empty kernel": "",
    "… with NumPy": "import numpy",
    "… and ipywidgets": "import ipywidgets, numpy",
    "… and anywidget": "import anywidget, ipywidgets, numpy",
}

MEASURE = """
import gc; gc.collect()
_of = dict(line.split(":") for line in open("/proc/self/smaps_rollup").read().splitlines()[1:])
_kb = {name: int(text.split()[0]) for name, text in _of.items()}
print(_kb["Private_Clean"] + _kb["Private_Dirty"], _kb["Pss"], "matplotlib" in __import__("sys").modules)
"""


def held(cells: list[str]) -> tuple[float, float, bool]:
    """USS and PSS in MB of a kernel that ran these cells, and whether matplotlib was imported."""
    made = [nbformat.v4.new_code_cell(source) for source in [*cells, MEASURE]]
    notebook = nbformat.v4.new_notebook(cells=made)
    NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    uss, pss, plots = notebook.cells[-1].outputs[-1].text.split()
    return int(uss) / 1024, int(pss) / 1024, plots == "True"


def cells(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def main(names: list[str]) -> None:
    os.environ.update(ENVIRONMENT)
    paths = [path for name in names or ["01", "07"] for path in sorted(Path(NOTEBOOKS).glob(f"{name}*.ipynb"))]
    kernels = {said: [source] for said, source in FLOORS.items()}
    kernels |= {"… and convbp.explorers": ["import convbp.exercises, convbp.explorers"]}
    kernels |= {" and ".join(path.stem[:2] for path in paths): [cell for path in paths for cell in cells(path)]}
    print(f"{'MB':<28}{'USS':>8}{'PSS':>8}")
    for said, sources in kernels.items():
        uss, pss, plots = held(sources)
        print(f"{said:<28}{uss:8.1f}{pss:8.1f}{'   with matplotlib' if plots else ''}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
