"""A scene as a picture that does not move: PNG, which is shown wherever a notebook is, else SVG."""

import base64
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from convbp.pictures import svg
from convbp.pictures.scene import Scene

SCALE, COLOURS = 1.5, 64  # of the picture in a notebook


@cache
def _fonts() -> dict:
    """DejaVu Sans as matplotlib ships it, for the same picture on every machine; without it the machine's own fonts.

    It is found without importing matplotlib, which takes a second and 30 MB.
    """
    matplotlib = find_spec("matplotlib")
    folders = [
        Path(place, "mpl-data", "fonts", "ttf") for place in getattr(matplotlib, "submodule_search_locations", ())
    ]
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
    files = [str(folder / name) for folder in folders for name in names if (folder / name).is_file()]
    return {"font_files": files, "skip_system_fonts": True} if files else {}


def png(scene: Scene) -> bytes:
    """The picture on white, at twice its size so that it stays sharp.

    Raises
    ------
    ModuleNotFoundError
        If resvg_py, which draws it, is not installed.
    """
    return rasterised(svg.picture(scene, still=True))


def rasterised(picture: str, scale: float = 2) -> bytes:
    """SVG text as PNG, so many pixels for each of its own; raises as `png` does."""
    try:
        import resvg_py
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "A still picture needs resvg_py, which is not installed in this Python: pip install resvg-py. "
            "The pictures that answer do without.",
            name=error.name,
        ) from error
    return resvg_py.svg_to_bytes(svg_string=picture, zoom=scale, **_fonts())


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
    """The mime bundle of SVG text and its metadata; without resvg_py, as in a browser, the picture stays SVG."""
    try:
        kind, data = "image/png", base64.b64encode(_small(rasterised(picture, SCALE))).decode("ascii")
    except ModuleNotFoundError:
        kind, data = "image/svg+xml", picture
    return {"text/plain": text, kind: data}, {kind: metadata}
