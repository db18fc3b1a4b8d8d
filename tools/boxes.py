"""The network as one picture, in notebook 00: ``python tools/boxes.py`` prints its Markdown.

Six boxes forward, and below them the way of E back; each is a small SVG within a link. One large SVG with links in it
would lose them: JupyterLab takes SVG out of Markdown. With a share of the width each, six stay one row everywhere.
"""

from base64 import b64encode
from html import escape

FORWARD = [
    ("the image", "8 × 8 numbers", "01_cross_correlation.ipynb"),
    ("sliding sum", "slide, multiply, add", "03_convolutional_layer.ipynb"),
    ("bias and bend", "below 0 is cut off", "04_forward_propagation.ipynb"),
    ("pooling", "keep the largest", "09_pooling.ipynb"),
    ("ten scores", "each from all", "03_convolutional_layer.ipynb#From-a-dense-layer-to-a-convolution"),
    ("the error E", "how wrong?", "05_error_and_its_gradient.ipynb"),
]
BACK = [
    ("to each pixel", "whoever reads it", "07_affected_region.ipynb"),
    ("to each weight", "over all places", "06_kernel_gradient.ipynb"),
    ("past the bend", "times its slope", "08_delta_backpropagation.ipynb"),
    ("to the largest", "the others get 0", "09_pooling.ipynb"),
    ("all in a row", "layer by layer", "12_whole_network.ipynb"),
    ("it begins here", "the first δ", "05_error_and_its_gradient.ipynb"),
]
BLUE, ORANGE = "#0072b2", "#d55e00"
WIDTH, HEIGHT, GAP = 150, 64, 14  # of a box with its gaps


def box(title: str, below: str, colour: str, arrow: str) -> str:
    """One box, with half of each arrow beside it."""
    middle = HEIGHT / 2
    head = {"→": f"{GAP},{middle} 6,{middle - 5} 6,{middle + 5}", "←": f"0,{middle} 8,{middle - 5} 8,{middle + 5}"}
    at = {"→": 0, "←": WIDTH - GAP}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<path d="M0 {middle}H{WIDTH}" stroke="{colour}" stroke-width="3"/>',
        f'<rect x="{GAP}" y="6" width="{WIDTH - 2 * GAP}" height="{HEIGHT - 12}" rx="6" fill="#fff" stroke="{colour}"'
        ' stroke-width="2"/>',
        f'<polygon points="{head[arrow]}" fill="{colour}" transform="translate({at[arrow]})"/>',
        f'<g text-anchor="middle" fill="#222"><text x="{WIDTH // 2}" y="28" font-size="13" font-weight="bold">'
        f'{escape(title)}</text><text x="{WIDTH // 2}" y="46" font-size="11">{escape(below)}</text></g></svg>',
    ]
    return "".join(parts)


def row(boxes: list[tuple[str, str, str]], colour: str, arrow: str, word: str) -> str:
    pictures = []
    for title, below, link in boxes:
        data = b64encode(box(title, below, colour, arrow).encode()).decode()
        alt = escape(f"{word}: {title}, {below}")
        pictures.append(f'<a href="{link}"><img alt="{alt}" width="16.6%" src="data:image/svg+xml;base64,{data}"></a>')
    return "".join(pictures)


def markdown() -> str:
    return f"{row(FORWARD, BLUE, '→', 'Forward')}<br>{row(BACK, ORANGE, '←', 'Back')}"


if __name__ == "__main__":
    print(markdown())
