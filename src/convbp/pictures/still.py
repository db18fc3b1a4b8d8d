"""A scene as a picture that does not move: PNG, which is shown wherever a notebook is, else SVG."""

import base64
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from math import ceil
from pathlib import Path

from convbp.pictures import svg
from convbp.pictures.scene import Scene

SCALE, COLOURS = 1.5, 64  # of the picture in a notebook


@cache
def _fonts() -> tuple[bytes, ...]:
    """DejaVu Sans as matplotlib ships it, for the same picture on every machine; none without it.

    It is found without importing matplotlib, which takes a second and 30 MB; and read once, as of a font that it knows
    as a file resvg looks into the file for each text.
    """
    matplotlib = find_spec("matplotlib")
    folders = [
        Path(place, "mpl-data", "fonts", "ttf") for place in getattr(matplotlib, "submodule_search_locations", ())
    ]
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
    return tuple((folder / name).read_bytes() for folder in folders for name in names if (folder / name).is_file())


def png(scene: Scene) -> bytes:
    """The picture on white, at twice its size so that it stays sharp.

    Raises
    ------
    ModuleNotFoundError
        If resvg, which draws it, is not installed.
    """
    return rasterised(svg.picture(scene, still=True))


def rasterised(picture: str, scale: float = 2) -> bytes:
    """SVG text as PNG, so many pixels for each of its own; raises as `png` does."""
    try:
        from resvg import render, usvg
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "A still picture needs resvg, which is not installed in this Python: pip install resvg. "
            "The pictures that answer do without.",
            name=error.name,
        ) from error
    options = usvg.Options.default()  # it may not go from thread to thread
    for font in _fonts():
        options.load_font_data(font)
    if not _fonts():
        options.load_system_fonts()
    tree = usvg.Tree.from_str(picture, options)
    width, height = (ceil(scale * side) for side in tree.int_size())
    return render(tree, (scale, 0, 0, 0, scale, 0), bg_size=(width, height))


def _small(png: bytes) -> bytes:
    """The same with few colours: a third of the size, and hardly another picture."""
    from PIL import Image

    file = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        file, "PNG"
    )
    return file.getvalue()


def bundle(scene: Scene, text: str) -> tuple[dict, dict]:
    """The mime bundle of the picture, ``text`` its text form, and its metadata: size on the page and alt text."""
    width, height, _ = svg.layout_of_still(scene)
    return as_bundle(svg.picture(scene, still=True), text, alt=scene.sentence, width=width, height=height)


def as_bundle(picture: str, text: str, **metadata: object) -> tuple[dict, dict]:
    """The mime bundle of SVG text and its metadata; without resvg, as in a browser, the picture stays SVG."""
    try:
        kind, data = "image/png", base64.b64encode(_small(rasterised(picture, SCALE))).decode("ascii")
    except ModuleNotFoundError:
        kind, data = "image/svg+xml", picture
    return {"text/plain": text, kind: data}, {kind: metadata}


def prepare() -> None:
    """Load what draws a still picture, so that the first one need not wait for it."""
    as_bundle('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', "")
