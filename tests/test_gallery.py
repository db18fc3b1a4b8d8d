"""The gallery in docs/: every explorer is in it, once, with what it shows, its file and a still picture."""

import inspect
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

import course
from convbp import explorers

PAGES = sorted(Path(course.ROOT, "docs", "gallery").glob("*.ipynb"))
CALL = re.compile(r"([A-Z]\w+)\(")


def entries(page):
    """Of each explorer its name, the text above its cell, and what is saved below it."""
    cells = nbformat.read(page, as_version=4).cells
    for text, cell in pairwise(cells):
        if cell.cell_type == "code" and (name := CALL.match(cell.source)):
            yield name[1], text.source, cell.outputs


def test_every_explorer_is_in_it_once():
    names = [name for page in PAGES for name, _, _ in entries(page)]
    assert sorted(names) == sorted(explorers.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_has_a_sentence_its_file_and_a_still_picture(page):
    for name, text, (output,) in entries(page):
        heading, _, what, link = text.splitlines()
        assert heading == f"## {name}"
        assert what.endswith((".", "?"))
        (target,) = re.findall(r"\]\((.*)\)$", link)
        assert (page.parent / target).resolve() == Path(inspect.getfile(getattr(explorers, name)))
        assert output.data["text/plain"].startswith(f"{name}: ")
        assert output.data["image/png"]
        assert len(output.metadata["image/png"]["alt"]) > 20
