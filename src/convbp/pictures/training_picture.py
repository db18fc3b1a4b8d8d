"""What a training looks like: loss and accuracy as curves, the first filters, and the deltas that one image sends back.

`Moment` holds the numbers; `page` and `still` write them as SVG text, for a page and for a picture that does not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil

import numpy as np

from convbp.networks.layers import Conv2D
from convbp.networks.network import Network
from convbp.networks.training import Progress
from convbp.notation import number
from convbp.pictures.curves import drawn, size
from convbp.pictures.panels import GAP, Panel, maps, side_by_side, style
from convbp.pictures.scene import Curve, Line, top
from convbp.shapes import NotFiniteError

TITLE = "A network while it learns"

HEIGHT = 212  # of a panel, in pixels
POINTS = 120  # of a curve, at most; each is the mean of some steps


@dataclass(frozen=True, eq=False)
class Moment:
    """A training at one moment.

    Attributes
    ----------
    says : str
        Where the training stands: a sentence.
    alarming : bool
        Whether a screen reader should say it at once.
    records : sequence of Progress
    image : ndarray, shape=(H, W)
        The one that is looked at.
    label, seen : str
        What it is, and what the network takes it for.
    filters : ndarray or None, shape=(D, k1, k2)
        The first convolutional layer's, for the first channel; None if the network has no such layer.
    deltas : ndarray or None, shape=(D, H, W)
        The gradient of the loss, of this image alone, for what that layer returns.
    layer : str
        Its name.
    full : float
        The δ that has the full colour, if the largest of these is smaller.
    """

    says: str
    alarming: bool
    records: Sequence[Progress]
    image: np.ndarray
    label: str
    seen: str
    filters: np.ndarray | None = None
    deltas: np.ndarray | None = None
    layer: str = ""
    full: float = 0.0


def inside(network: Network, image: np.ndarray, label: np.ndarray) -> dict:
    """What `Moment` shows of the inside of a network: ``image`` to ``layer``.

    Parameters
    ----------
    network : Network
    image : ndarray, shape=(H, W, C)
    label : ndarray
        As the network's loss takes it for one image.

    Raises
    ------
    NotFiniteError
        If one of its numbers is not finite.
    """
    layer = next((name for name, layer in network.layers.items() if isinstance(layer, Conv2D)), None)
    with np.errstate(all="ignore"):
        forward = network.forward(image[None])
        backward = network.backward(forward, label[None])
        share = network.probabilities(image[None])[0].max()
    if not (np.isfinite(share) and all(np.isfinite(array).all() for array in backward.values())):
        raise NotFiniteError("LiveTraining: a number in the network is not finite.")
    found = {
        "image": image[:, :, 0],
        "label": f"a {label if label.ndim == 0 else label.argmax()}",
        "seen": f"seen as a {forward.output[0].argmax()} ({share:.0%})",
    }
    if layer is not None:
        filters, deltas = forward.parameters[f"{layer}.kernel"][:, :, 0], backward[f"{layer}.delta"][0]
        found |= {"filters": np.moveaxis(filters, -1, 0), "deltas": np.moveaxis(deltas, -1, 0), "layer": layer}
    return found


def where(records: Sequence[Progress]) -> str:
    """Where a training stands after these records, in half a sentence."""
    if not records:
        return "no step yet"
    last, (done, total) = records[-1], _steps(records)
    tested = next((r for r in reversed(records) if r.test_accuracy is not None), None)
    of_the_test = f"; of the test images {tested.test_accuracy:.1%} after epoch {tested.epoch}" if tested else ""
    right, images = _right(records)[-1]
    share = f"{right:.0%} of {f'the last {images} images' if images > 1 else 'the batch'} right"
    return f"step {done} of {total}: loss {number(last.loss)}, {share}{of_the_test}"


def _right(records: Sequence[Progress]) -> list[tuple[float, int]]:
    """Of each step the share that is right, and of how many images: a small last batch of an epoch says too little.

    So it is taken together with the one before it.
    """
    full = max((record.images for record in records), default=0)
    shares = []
    for before, record in zip([None, *records], records):  # noqa: B905
        some = [record] if before is None or record.images == full else [before, record]
        images = sum(r.images for r in some)
        shares.append((sum(r.accuracy * r.images for r in some) / images, images))
    return shares


def page(moment: Moment) -> str:
    """HTML for a page: the panels side by side, in several lines where the page is narrow, and the sentence."""
    panels = "".join(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cbp" width="{panel.width}" height="{HEIGHT}" '
        f'style="flex:none">{panel.content}</svg>'
        for panel in _panels(moment)
    )
    role = ' role="alert"' if moment.alarming else ""
    return (
        f"<style>{style(still=False)}</style>"
        f'<div role="img" aria-label="{TITLE}" style="display:flex;flex-wrap:wrap;gap:8px {GAP}px">{panels}</div>'
        # Room for two lines, so that a longer sentence does not move the page below.
        f'<p{role} class="convbp-says" style="margin:4px 0;line-height:1.4;min-height:4.2em">{escape(moment.says)}</p>'
    )


def still(moment: Moment) -> tuple[str, int, int]:
    """The panels side by side in one SVG, in plain colours on white; its width and height."""
    return side_by_side(_panels(moment), HEIGHT)


# The panels


def _panels(moment: Moment) -> list[Panel]:
    records = moment.records
    tests = [(step, r.test_accuracy) for step, r in enumerate(records, 1) if r.test_accuracy is not None]
    losses, right = _means([r.loss for r in records]), _means([share for share, _ in _right(records)])
    panels = [
        _plot("loss", [("", losses)], records, top(max((loss for _, loss in losses), default=1))),
        _plot("share right", [("batch", right), ("test", tests)], records, 1),
    ]
    if moment.filters is not None:
        panels.append(maps(f"filters of {moment.layer}", moment.filters))
    panels.append(maps(f"one image: {moment.label}", moment.image[None], moment.seen))
    if moment.deltas is not None:
        panels.append(maps(f"its δ at {moment.layer}", moment.deltas, full=moment.full))
    return panels


def _plot(title: str, curves: list[tuple[str, list]], records: Sequence[Progress], top: float) -> Panel:
    """Curves over the epochs, each a name and its points (step, value); the axes go on to the end of the training."""
    steps = _steps(records)[1] if records else 1
    epochs = round(steps * records[-1].epochs / records[-1].steps) if records else 1
    lines = tuple(
        # Never by colour alone: the second is dashed, and its points are dots.
        Line(tuple((step * epochs / steps, value) for step, value in points), c, name, "dots" if c else "solid")
        for c, (name, points) in enumerate(curves)
    )
    curve = Curve("", title, ((),), across=(0, epochs), up=(0, top), labels=("epochs", ""), lines=lines, small=True)
    return Panel(round(size(curve)[0]), drawn(curve))


# Numbers


def _steps(records: Sequence[Progress]) -> tuple[int, int]:
    """How many steps are done, and how many there will be, if a training was added to another one."""
    last = records[-1]
    return len(records), len(records) - last.step + last.steps


def _means(values: list[float]) -> list[tuple[float, float]]:
    """The means of so many consecutive values that there are few of them, each over the middle of its steps."""
    size = ceil(len(values) / POINTS)
    parts = (values[i : i + size] for i in range(0, len(values), size or 1))
    return [(size * p + (len(part) + 1) / 2, sum(part) / len(part)) for p, part in enumerate(parts)]
