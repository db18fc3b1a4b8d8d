"""GridView without a browser: what it sends, the still picture, and the page it saves."""

import base64
import io
import json
import re
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from convbp.explorers.sliding_window import State, scene
from convbp.pictures import grid_view, svg
from convbp.pictures.grid_view import GridView, patches_in, unpacked
from convbp.pictures.scene import Selection
from pictures import HOSTILE, hostile, kind_of, page, parse, shapes

IMAGE, KERNEL = [[1, 2, 0, 3], [0, -1, 5, 2], [4, 0, 1, 1]], [[2, -3], [0, 1], [1, 0]]


@pytest.fixture
def drawn():
    return scene(State(IMAGE, KERNEL, "convolution", "full"))


@pytest.fixture
def view(drawn):
    return GridView(drawn)


def pixels(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return np.array(image.convert("RGB"))


def inflated(text):
    return zlib.decompress(base64.b64decode(text)).decode()


# What the page gets


def test_the_page_gets_the_picture_and_a_patch_for_each_cell(drawn, view):
    assert ElementTree.tostring(page(view)) == ElementTree.tostring(parse(svg.picture(drawn)))
    assert view.patches == {",".join(map(str, cell)): patch for cell, patch in svg.patches(drawn).items()}
    assert [
        (one["width"], one["height"], tuple((*place, 1)[:3] for place in one["places"])) for one in view.layouts
    ] == list(svg.layouts(drawn))
    assert (view.grid, view.row, view.col) == drawn.selected
    assert (view.title, view.axes, view.message) == (drawn.title, {"output": ["output I ∗ K", "i", "j"]}, "")
    json.dumps(view.get_state(["frame", "slots", "patches", "layouts", "axes", "moves", "arrival"]))


def test_another_scene_is_sent_as_its_picture_and_then_the_patches(view, monkeypatch):
    sent = []
    monkeypatch.setattr(GridView, "_send", lambda self, message, buffers=None: sent.append(message))
    view.message = "refused"
    other = replace(scene(State(IMAGE, KERNEL)), selected=Selection("output", 0, 2))
    del sent[:]
    view.show(other)
    picture, patches = (message["state"] for message in sent)
    assert picture.keys() >= {"slots", "layouts", "title", "message", "col"}
    assert not picture["patches"]  # those of the picture before must not be applied to this one
    assert patches.keys() == {"patches", "moves"}
    assert patches_in(patches) == view.patches
    assert unpacked(patches["moves"]) == json.loads(json.dumps(view.moves))
    assert len(view.patches) == len(other.highlights)
    assert view.scene == other
    assert view.message == ""
    del sent[:]
    view.show(replace(scene(State(IMAGE, [[5, -3], [0, 1], [1, 0]])), selected=other.selected))
    assert sent[0]["state"].keys() == {"slots", "patches"}, "no other part of the picture is another one"
    json.dumps(sent)


def test_an_interrupted_picture_still_answers(view, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(grid_view, "sleep", interrupted)
    other = replace(scene(State(IMAGE, KERNEL)), selected=Selection("output", 0, 2))
    with pytest.raises(KeyboardInterrupt):
        view.show(other)
    assert len(view.patches) == len(other.highlights)


def test_a_cell_chosen_in_the_page_is_the_scene_s(drawn, view):
    view.set_state({"row": 2, "col": 3})
    assert view.scene == replace(drawn, selected=Selection("output", 2, 3))
    view.set_state({"row": 99})
    assert view.scene == drawn


# The still picture


def test_the_still_picture_is_on_white_and_twice_as_large(drawn, view):
    image = pixels(view.png())
    width, height, _ = svg.layout_of_still(drawn)
    assert image.shape == (2 * height, 2 * width, 3)
    edges = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (edges == 255).all()


def test_every_text_and_cell_of_the_still_picture_is_there(drawn, view):
    image = pixels(view.png())
    everything = shapes(parse(svg.picture(drawn, still=True)))
    assert len([shape for shape in everything if shape.kind == "text"]) > 100
    for shape in everything:
        left, top, right, bottom = (round(2 * edge) for edge in shape.box)
        if shape.kind == "text" and shape.text:
            # Letters have strokes: their box holds pixels of their colour, and others.
            ink = [int(shape.fill[i : i + 2], 16) for i in (1, 3, 5)]
            inked = (abs(image[top : bottom + 1, left : right + 1].astype(int) - ink).max(axis=2) < 100).mean()
            assert 0.02 < inked < 0.9, shape
        elif kind_of(shape) == "cell":
            assert "#{:02x}{:02x}{:02x}".format(*image[bottom - 9, left + 9]) == shape.fill


@pytest.mark.slow
def test_the_still_picture_is_the_same_each_time_and_follows_numbers_and_selection(drawn, view):
    png = view.png()
    assert GridView(drawn).png() == view.png() == png
    view.set_state({"row": 2, "col": 3})
    chosen = view.png()
    assert chosen != png
    assert GridView(replace(drawn, selected=Selection("output", 2, 3))).png() == chosen
    changed = [row[:] for row in IMAGE]
    changed[0][0] += 1
    assert GridView(scene(State(changed, KERNEL, "convolution", "full"))).png() != png


def test_the_mime_bundle_of_the_still_picture_has_its_size_and_says_what_it_shows(drawn, view):
    view.set_state({"row": 2, "col": 3})
    data, metadata = view.still()
    # The same pixels, with few colours.
    image, whole = pixels(base64.b64decode(data["image/png"], validate=True)), pixels(view.png(1.5))
    assert image.shape == whole.shape
    assert np.abs(image.astype(float) - whole).mean() < 2
    assert len(np.unique(image.reshape(-1, 3), axis=0)) <= 64 < len(np.unique(whole.reshape(-1, 3), axis=0))
    assert len(base64.b64decode(data["image/png"])) < len(view.png(1.5)) / 2
    chosen = replace(drawn, selected=Selection("output", 2, 3))
    width, height, _ = svg.layout_of_still(chosen)
    sentence = chosen.sentence
    assert data["text/plain"] == sentence
    assert metadata == {"image/png": {"alt": sentence, "width": width, "height": height}}


# The saved page


class Page(HTMLParser):
    """The elements of a page, and the text in each kind of them."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self._open = [], {}, []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open:
            self.text[self._open[-1]] = self.text.get(self._open[-1], "") + data


def test_the_saved_page_holds_what_the_widget_holds(view):
    view.set_state({"row": 2, "col": 3})
    page, sent = Page(view.html()), json.loads(inflated(re.search(r'atob\("(.*)"\)', view._esm)[1]))
    assert page.text["title"].startswith(2 * view.title)  # the page's, and that of the picture where no script may run
    assert page.text["p"] == view.scene.sentence
    assert page.text["script"].startswith("\n" + sent["script"])
    assert sent["style"] in page.text["style"]
    state = json.loads(re.search(r"^const state = (.*);$", page.text["script"], re.MULTILINE)[1])
    assert state == json.loads(json.dumps(view.get_state(list(state))))
    assert state.keys() >= set(re.findall(r'model\.get\("(\w+)"\)', sent["script"]))


def test_text_from_outside_does_not_break_out_of_the_saved_page(view):
    view.show(hostile())
    page = Page(view.html(HOSTILE, HOSTILE))
    assert [element for element in page.elements if element not in {"g", "rect", "text"}] == [
        *["html", "head", "meta", "meta", "title", "style", "body", "figure", "h1", "div"],
        *["svg", "title", "desc", "p", "figcaption", "footer", "cite", "script"],
    ]
    assert page.text["title"] == HOSTILE + " ".join(HOSTILE.split())
    assert page.text["h1"] == page.text["figcaption"] == HOSTILE
    assert "<!--" not in page.text["script"]  # a browser would then look for a second </script>
    state = json.loads(re.search(r"^const state = (.*);$", page.text["script"], re.MULTILINE)[1])
    assert state["frame"] == svg.frame(hostile())
    assert state["slots"] == svg.slots(hostile())
    assert state["title"] == HOSTILE


def test_nothing_is_asked_of_another_machine(view):
    addresses = re.findall(r"\w+://[^\s\"'<)\\]+|@import|url\(", view.html())
    assert set(addresses) == {"http://www.w3.org/2000/svg"}
