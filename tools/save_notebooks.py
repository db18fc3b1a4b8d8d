"""Run notebooks in place and save them with their outputs: ``python3 course.py save [notebook ...]``.

What is saved depends on the notebook and its results only, so a second run changes no byte. A notebook with a
cell that fails, or that writes to stderr, stays as it was.
"""

import base64
import io
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

ROOT = Path(__file__).parent.parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def main(arguments: list[str]) -> int:
    failed = False
    for path in [Path(argument) for argument in arguments] or notebooks():
        try:
            print(f"{path.name}: {'saved' if save(path) else 'unchanged'}", flush=True)
        except (CellExecutionError, RuntimeError, ValueError, OSError) as error:
            print(f"{path.name}: not saved\n{error}", file=sys.stderr, flush=True)
            failed = True
    return int(failed)


def notebooks() -> list[Path]:
    """The course, and the gallery of its explorers."""
    return [*sorted(ROOT.glob("notebooks/*.ipynb")), *sorted(ROOT.glob("docs/gallery/*.ipynb"))]


def save(path: Path) -> bool:
    """Run the notebook at ``path`` and save it; return whether the file changed."""
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    outputs_before = [cell.get("outputs", []) for cell in notebook.cells]
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=300,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # how printed text comes in pieces differs from run to run
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    clean(notebook)
    for outputs, cell in zip(outputs_before, notebook.cells, strict=True):
        keep_pictures(outputs, cell.get("outputs", []))
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        path.write_text(after, encoding="utf-8", newline="\n")
    return after != before


def clean(notebook: nbformat.NotebookNode) -> None:
    """Take out, in place, what differs between runs or machines, and what a reader cannot use."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        for key in ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise ValueError(f"cell {cell.execution_count} writes to stderr:\n{output.text}")
            # The model is gone with the kernel: a saved view would say "model not found" instead of its picture.
            output.get("data", {}).pop(WIDGET_VIEW, None)
            output.get("metadata", {}).pop(WIDGET_VIEW, None)


def keep_pictures(before: list, after: list) -> None:
    """Give a picture its saved bytes back where no pixel changed: encoders and their version stamps vary."""
    for old, new in zip(before, after, strict=False):
        old, new = old.get("data", {}), new.get("data", {})
        if "image/png" in old and "image/png" in new and pixels(old["image/png"]) == pixels(new["image/png"]):
            new["image/png"] = old["image/png"]


def pixels(png: str) -> tuple:
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return image.size, image.convert("RGBA").tobytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
