"""A notebook as a page, made by the README's command: its pictures and their alt texts."""

import re
import shlex
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

import course
from browser import write_notebook
from convbp.explorers import SlidingWindow
from convbp.pictures import still

README = (Path(course.ROOT) / "README.md").read_text(encoding="utf-8")


class Images(HTMLParser):
    """The attributes of each image of a page."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.found.append(dict(attributes))


@pytest.mark.slow
def test_a_notebook_becomes_a_page_with_its_pictures_and_what_they_show(tmp_path):
    command = re.search(r"python (-m jupyter nbconvert .*) notebooks/", README)[1]
    write_notebook(tmp_path / "one.ipynb", ["from convbp.explorers import SlidingWindow\nSlidingWindow()"])
    done = subprocess.run(
        [sys.executable, *shlex.split(command), tmp_path / "one.ipynb"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "one.html").read_text(encoding="utf-8")
    (image,) = Images(page).found
    picture = SlidingWindow().view
    assert unescape(image["alt"]) == picture.scene.sentence
    assert image["src"].removeprefix("data:image/png;base64,") == still.bundle(picture.scene, "")[0]["image/png"]
    assert "jupyter.widget-view" not in page
