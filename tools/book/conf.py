"""The book's settings for Sphinx. `tools/build_site.py` puts the pages beside this file before it runs Sphinx."""

import sys
from pathlib import Path

from docutils.nodes import SkipNode

import convbp

sys.path.insert(0, str(Path(__file__).parent))  # for anchors.py

project = "Backpropagation in convolutional networks"
author = "The convbp authors"
copyright = author
release = version = convbp.__version__
language = "en"

extensions = ["myst_nb"]
exclude_patterns = ["src", "extra", "_static"]
nb_execution_mode = "off"  # they come with their outputs
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "anchors.jupyter_anchor"
suppress_warnings = ["myst.header"]  # a heading that skips a level

html_theme = "furo"  # small, without a request to anybody, light and dark, from a phone to a projector
html_title = project
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_css_files = ["grid_view.css", "book.css"]
html_js_files = [
    ("formulas.js", {"defer": "defer"}),
    ("mathjax/startup.js", {"defer": "defer"}),
    ("book.js", {"type": "module"}),
]
html_math_renderer = "as_written"
html_show_sourcelink = html_copy_source = False


def setup(app):
    # Sphinx's own puts what has several lines into an environment in which \\tag is not allowed.
    app.add_html_math_renderer("as_written", (inline, None), (block, None))


def inline(writer, node):
    writer.body.append(f'<span class="math">\\({writer.encode(node.astext())}\\)</span>')
    raise SkipNode


def block(writer, node):
    writer.body.append(f'<div class="math">\\[{writer.encode(node.astext())}\\]</div>\n')
    raise SkipNode
