"""What a training looks like: its curves, its maps, and how they stand side by side; no training runs here."""

import base64
import math
import re
import sys
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from convbp import Conv2D, Dense, Flatten, Network, relu, split_digits
from convbp.networks.training import Progress
from convbp.pictures import panels, training_picture
from convbp.pictures.colours import diverging
from convbp.pictures.plots import images
from convbp.pictures.still import SCALE

DIGITS = split_digits()
IMAGES, LABELS = DIGITS.images[:2], DIGITS.labels[:2]


def small_network():
    return Network((8, 8, 1), Conv2D(5, (2, 3)), relu, Flatten(), Dense(10), seed=1)


def records_of(losses, tests):
    """Records of as many steps, two epochs of them, of twice as many to come."""
    n = len(losses)
    return [
        Progress(step, 2 * n, 1 + 2 * (step - 1) // n, 4, loss, 0.5, tests.get(step))
        for step, loss in enumerate(losses, 1)
    ]


def moment(records=(), **changes):
    network = small_network()
    inside = training_picture.inside(network, IMAGES[1], LABELS[1])
    return training_picture.Moment("Says <it>.", False, records, **inside | changes)


def plots(moment):
    """The points of each curve, in units of the axes, whose ends and numbers are read off the picture."""
    picture, _, _ = training_picture.still(moment)
    found = {}
    for group in ElementTree.fromstring(picture).iterfind(".//*[@class='plot']"):
        paths = [part.attrib for part in group if part.tag.endswith("path")]
        axes = [
            re.match(r"M(\S+) (\S+)h(\S+)", path["d"]).groups()
            for path in paths
            if path["class"] == "axis" and "h" in path["d"]
        ]
        if not axes:
            continue
        left, bottom, width = map(float, axes[0])
        height = bottom - float(axes[-1][1])
        texts = [part.text for part in group if part.tag.endswith("text")]
        ends = [part.text for part in group if part.get("class") == "index end"]
        top, epochs = float(ends[-1]), int(texts[texts.index("epochs") - 1])
        found[texts[0]] = [
            [((x - left) / width * epochs, (bottom - y) / height * top) for x, y in points]
            for path in paths
            if path["class"].startswith("curve") and "h" not in path["d"]
            for points in [[tuple(map(float, point.split())) for point in path["d"][1:].split("L")]]
        ]
    return found


def test_the_curves_go_through_the_records():
    losses = [4.0, 3.0, 2.5, 0.5, 1.0, 0.0]
    found = plots(moment(records_of(losses, {3: 0.25, 6: 0.75})))
    # Six steps are two of the four epochs.
    expected = [(step / 3, loss) for step, loss in enumerate(losses, 1)]
    np.testing.assert_allclose(found["loss"], [expected], atol=0.05)
    batch, test = found["share right"]
    np.testing.assert_allclose(batch, [(step / 3, 0.5) for step in range(1, 7)], atol=0.05)
    np.testing.assert_allclose(test, [(1, 0.25), (2, 0.75)], atol=0.05)


def test_a_small_last_batch_counts_together_with_the_one_before_it():
    """Two right of three are no 67 % beside thirty of thirty-two."""
    shares, images = [0.5, 30 / 32, 2 / 3], [32, 32, 3]
    records = [
        Progress(step, 6, 1 + step // 4, 2, 1.0, share, None, count)
        for step, (share, count) in enumerate(zip(shares, images, strict=True), 1)
    ]
    assert training_picture.where(records) == "step 3 of 6: loss 1, 91% of the last 35 images right"
    assert training_picture.where(records[:2]) == "step 2 of 6: loss 1, 94% of the last 32 images right"
    batch, *_ = plots(moment(records))["share right"]
    np.testing.assert_allclose([share for _, share in batch], [0.5, 30 / 32, 32 / 35], atol=0.01)


def test_long_curves_are_means():
    losses = np.random.default_rng(0).random(1000)
    ((points,), _) = plots(moment(records_of(losses.tolist(), {}))).values()
    steps, shown = np.array(points).T
    assert len(points) <= training_picture.POINTS
    assert shown.mean() == pytest.approx(losses.mean(), abs=0.01)
    means = losses[: 9 * 111].reshape(111, 9).mean(axis=1)
    np.testing.assert_allclose(shown[:111], means, atol=0.01)
    np.testing.assert_allclose(steps[:111] * 500, np.arange(111) * 9 + 5, atol=6)


@pytest.mark.parametrize(
    ("count", "rows", "cols", "full"), [(1, 2, 3, 0), (5, 2, 3, 0.01), (16, 4, 2, 30), (40, 2, 2, 0)]
)
def test_every_entry_of_a_map_is_a_pixel_of_its_colour(count, rows, cols, full):
    maps = np.random.default_rng(count).normal(size=(count, rows, cols))
    panel = panels.maps("maps", maps, full=full)
    data = base64.b64decode(re.search('base64,([^"]+)"', panel.content)[1])
    pixels = np.asarray(Image.open(BytesIO(data)))
    shown = min(count, panels.TILES)
    across = next(n for n in range(1, 10) if n * n >= shown)
    largest = max(np.abs(maps[:shown]).max(), full)
    for m in range(shown):
        top, left = (rows + 1) * (m // across), (cols + 1) * (m % across)
        for r in range(rows):
            for c in range(cols):
                assert "#{:02x}{:02x}{:02x}".format(*pixels[top + r, left + c][:3]) == diverging(maps[m, r, c], largest)
                assert pixels[top + r, left + c][3] == 255


@pytest.mark.parametrize("rasters", [True, False])
def test_images_stand_side_by_side_with_their_titles(rasters, monkeypatch):
    if not rasters:
        monkeypatch.setitem(sys.modules, "resvg", None)
    arrays = [np.eye(8), -2 * np.eye(5, 7), np.zeros((3, 3))]
    data, metadata = images(
        arrays, ["one", "a < b", "a title that is wider than what stands below it"], "three"
    )._repr_mimebundle_()
    assert data.pop("text/plain") == "three"
    if not rasters:
        titles = ElementTree.fromstring(data["image/svg+xml"]).findall(".//{*}text[@class='title']")
        assert [title.text for title in titles[:2]] == ["one", "a < b"]
        return
    size = metadata["image/png"]
    assert size.pop("alt") == "three"
    shown = Image.open(BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    assert shown.size == tuple(math.ceil(SCALE * size[side]) for side in ("width", "height"))
    colours = {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in shown.getcolors(100_000)}
    assert {diverging(1, 1), diverging(-1, 1)} <= colours


def test_maps_are_the_filters_and_what_the_image_sends_back():
    network = Network((8, 8, 1), Conv2D(5, (2, 3)), relu, Flatten(), Dense(10), seed=1, dtype=np.float64)
    bias = np.array([0.1, -0.2, 0.3, 0.05, -0.15])  # where the paper is blank a bias of 0 would be at ReLU's kink
    network.parameters = dict(network.parameters) | {"conv1.bias": bias}
    inside = training_picture.inside(network, IMAGES[1], LABELS[1])
    kernel = network.parameters["conv1.kernel"]
    assert inside["filters"].shape == (5, 2, 3)
    assert inside["filters"][4, 1, 2] == kernel[1, 2, 0, 4]
    assert inside["deltas"].shape == (5, 7, 6)
    step = 1e-6

    def loss(d, by):
        changed = network.copy()
        changed.parameters = dict(network.parameters) | {"conv1.bias": bias + by * (np.arange(5) == d)}
        return changed.loss(changed.scores(IMAGES[1:2]), LABELS[1:2])

    slopes = [(loss(d, step) - loss(d, -step)) / (2 * step) for d in range(5)]
    np.testing.assert_allclose(inside["deltas"].sum(axis=(1, 2)), slopes, rtol=1e-5, atol=1e-9)
    assert inside["label"] == f"a {LABELS[1]}"
    assert inside["seen"].startswith(f"seen as a {network.classify(IMAGES[1:2])[0]} (")


def test_what_is_said_cannot_break_out():
    assert "Says &lt;it&gt;." in training_picture.page(moment())


def test_the_picture_keeps_its_size():
    sizes = {training_picture.still(m)[1:] for m in (moment(), moment(records_of([1e30, 1e-9, 3], {2: 0.1})))}
    assert len(sizes) == 1


def texts(panel, name):
    return [part.text for part in panel.iter() if part.tag.endswith("text") and part.get("class") == name]


def test_the_panels_have_their_titles_and_none_covers_the_next():
    shown = moment(records_of([2.0, 1.0], {}), layer="conv7", label="a 3", seen="seen as a 5 (62%)")
    picture, width, height = training_picture.still(shown)
    root = ElementTree.fromstring(picture)
    assert (root.get("width"), root.get("height")) == (str(width), str(height))
    groups = [group for group in root if group.tag.endswith("g")]
    titles = [texts(group, "title") for group in groups]
    assert titles == [["loss"], ["share right"], ["filters of conv7"], ["one image: a 3"], ["its δ at conv7"]]
    said = [texts(group, "symbols") for group in groups]
    assert said[3] == ["seen as a 5 (62%)"]
    assert said[4][0].startswith("largest ±")
    lefts = [int(re.fullmatch(r"translate\((\d+),0\)", group.get("transform"))[1]) for group in groups]
    for group, left, end in zip(groups, lefts, [*lefts[1:], width], strict=True):
        rights = [
            float(part.get("x", 0)) + float(part.get("width"))
            for part in group.iter()
            if part.tag.endswith(("rect", "image"))
        ]
        ends = [float(part.get("x")) for part in group.iter() if part.tag.endswith("text")]
        assert left + max(rights + ends) <= end, titles


def test_a_page_says_at_once_only_what_is_alarming():
    for alarming in (True, False):
        plain = moment()
        page = training_picture.page(training_picture.Moment("Done.", alarming, (), plain.image, "a 3", "a 5"))
        assert ('role="alert"' in page) == alarming
        assert page.count("<svg") == 3  # with no filters


def test_before_the_first_step_there_is_nothing_to_say():
    assert training_picture.where([]) == "no step yet"
    one = Progress(1, 4, 1, 2, 2.5, 1.0, 0.25, 1)
    assert training_picture.where([one]) == (
        "step 1 of 4: loss 2.5, 100% of the batch right; of the test images 25.0% after epoch 1"
    )


def test_of_a_network_without_a_convolution_the_image_alone_is_shown():
    inside = training_picture.inside(Network((8, 8, 1), Flatten(), Dense(10), seed=1), IMAGES[1], LABELS[1])
    assert inside.keys() == {"image", "label", "seen"}
