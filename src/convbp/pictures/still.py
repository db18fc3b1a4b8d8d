"""A scene as a picture that does not move: PNG, which is shown wherever a notebook is."""

import base64
from pathlib import Path

import resvg_py
from matplotlib import get_data_path

from convbp.pictures import svg
from convbp.pictures.scene import Scene

_FONTS = [str(Path(get_data_path(), "fonts", "ttf", name)) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")]


def png(scene: Scene) -> bytes:
    """The picture on white, at twice its size so that it stays sharp."""
    return rasterised(svg.picture(scene, still=True))


def rasterised(picture: str) -> bytes:
    """SVG text as PNG, at twice its size."""
    return resvg_py.svg_to_bytes(svg_string=picture, font_files=_FONTS, skip_system_fonts=True, zoom=2)


def bundle(scene: Scene, text: str) -> tuple[dict, dict]:
    """The mime bundle of the picture, ``text`` its text form, and its metadata: size on the page and alt text."""
    width, height, _ = svg.layout_of_still(scene)
    data = {"text/plain": text, "image/png": base64.b64encode(png(scene)).decode("ascii")}
    return data, {"image/png": {"alt": scene.sentence, "width": width, "height": height}}
