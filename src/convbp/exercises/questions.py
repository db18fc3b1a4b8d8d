"""The questions of the notebooks whose answer is always the same, and what is said to a wrong one.

They stand here, and not in the cells that ask: there one would read the answer before one has thought of one. What
depends on the numbers at the top of a notebook is computed there, and compared with `convbp.exercises.compare`.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Question:
    """A question with a short answer.

    Attributes
    ----------
    right : object
        One number, or several, or a function that says of an array whether it is right, or a frozenset of names.
    slips : tuple of pairs
        What is wrong, in the same forms, and words for the mistake, or a function that makes them of the answer.
    other : str or callable
        The words for any other.
    yes : str
        What is added to *Yes*.
    asked : str
        What is asked for, as in *Put … in the place of the dots*.
    shape : tuple of int, or None
        The shape that the answer has to have; None: as many numbers are enough.
    close : float
        By how much an entry may differ.
    among : tuple of str
        The names that there are, if names are asked for.
    """

    right: Any
    slips: tuple[tuple[Any, Any], ...]
    other: Any
    yes: str = ""
    asked: str = "a number"
    shape: tuple[int, ...] | None = None
    close: float = 1e-9
    among: tuple[str, ...] = ()


_LINE = "the number of a line"
_LAYERS = ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten1", "dense1")
_CLAIMED = (1, 0, 0, 1, 0, 0, 0, 1)


def _first_claim_that_differs(given):
    n = next(n for n, (one, right) in enumerate(zip(given, _CLAIMED, strict=True)) if one != right)
    return f"for pair {n}, counted from 0, the answer is {bool(_CLAIMED[n])}."


QUESTIONS = {
    # 00
    "up or down": Question(
        0.49,
        ((0.51, "that is the way in which the error grew."),),
        "0.49 or 0.51.",
        "up made the error larger, so go down. The slope is 0.03 / 0.01 = 3.",
        "0.49 or 0.51",
    ),
    # 03
    "second layer": Question(
        550,
        (
            (540, "each filter has a bias, too."),
            (541, "each filter has a bias of its own: ten of them."),
            (100, "each filter is as deep as what comes in."),
            (90, "each filter is as deep as what comes in, and has a bias."),
            (280, "what comes in has six channels: the first layer has six filters."),
            (600, "one bias for a filter, not one for each of its slices."),
            (270, "what comes in has six channels, not three; and biases are missing."),
            (546, "ten filters, so ten biases."),
            (60, "each pair of a channel and a filter has 3 × 3 weights; and biases are missing."),
        ),
        "count the weights of one filter, add its bias, times ten.",
    ),
    "matrix": Question(
        [[1, -2], [4, 2]],
        (
            (
                [[1, -2], [0, 0]],
                "those are the first four in a row. The image has four columns: where is its next row?",
            ),
            ([[2, 4], [-2, 1]], "you turned the kernel. Nothing is flipped here."),
            ([[1, 4], [-2, 2]], "rows and columns are swapped."),
        ),
        "cut row 0 into three lines of four, as the image has, and look at the upper left corner.",
        asked="two rows of two numbers",
        shape=(2, 2),
    ),
    # 04
    "receptive field": Question(
        9,
        (
            (11, "the windows overlap. Each layer adds one less than its kernel has rows."),
            (45, "the windows overlap. Each layer adds one less than its kernel has rows."),
            (8, "without any layer one would see 1 pixel. Begin with it."),
        ),
        "begin with 1, and for each layer add its kernel's rows less one.",
    ),
    # 05
    "gradient of E": Question(
        (2, -2, 0, -5),
        (
            ((-2, 2, 0, 5), "the sign. It is the output minus the target."),
            ((4, -4, 0, -10), "you forgot the ½ of E, which cancels the 2."),
            ((0.5, -0.5, 0, -1.25), "you divided by P. E is half the sum, not a mean."),
            ((1, -1, 0, -2.5), "that is the gradient of the mean of the squares. E is half their sum."),
        ),
        "for each output, y - t.",
        asked="four numbers",
    ),
    # 06
    "wrong line": Question(8, (), "with one δ that is not 0, say the first, what should the gradient be?", asked=_LINE),
    # 07
    "region": Question(
        ((5, 1), (5, 3)),
        (
            (((5, 1), (7, 3)), "there is no output in rows 6 and 7. Clip it."),
            (((7, 3), (9, 5)), "those are windows that begin at the pixel. It may be any of a window's nine."),
        ),
        "unclipped it runs from (7 - 3 + 1, 3 - 3 + 1) to (7, 3). Then clip.",
        "one row of three outputs.",
        "two pairs, (top, left) and (bottom, right),",
    ),
    # 11
    "two filters": Question(
        45,
        (
            (40, "that is filter 0 alone. The pixel goes into the maps of both."),
            (
                51,
                "you slid the kernels as they are. The first place met the pixel with its second weight.",
            ),
            (5, "that is filter 1 alone. The pixel goes into the maps of both."),
        ),
        "two filters, two places: four products. Which weight met the pixel in each?",
    ),
    # 12
    "four layers": Question(
        (30, 10),
        (
            ((40, 30), "max pooling sends δ to the winner only."),
            ((10, 20), "you turned δ. The forward pass does not flip, so δ meets o as it is."),
            ((6, 2), "on its way down δ goes through the dense layer, times its weight."),
            ((75, 25), "what is, minus what should be."),
            ((60, 20), "there is a half before the square."),
            ((-30, -10), "the sign. What is, minus what should be."),
        ),
        "forward first, (1, -3), then what? Then back, one layer at a time.",
        asked="two numbers",
    ),
    "suspects": Question(
        frozenset({"relu2", "pool2", "flatten1", "dense1"}),
        (
            (
                lambda given: bool(given & {"conv1", "relu1", "pool1"}),
                "conv2 has its δ by then. A mistake there spoils what is below.",
            ),
            (
                lambda given: "conv2" in given,
                "conv2's step backward spoils conv1 only, a wrong gradient one line only.",
            ),
            (
                lambda given: "dense1" not in given,
                "a layer's own gradients can be right and its step backward wrong.",
            ),
        ),
        "every layer that δ passes after dense1's gradients, down to conv2's.",
        asked="names of layers",
        among=_LAYERS,
    ),
    # 13
    "a quarter": Question(
        1.3863,
        (
            (-1.3863, "there is a minus before the logarithm, so a loss is never below 0."),
            (0.75, "1 - p would be the δ, without its sign. The loss is a logarithm."),
            (0.602, "take the natural logarithm."),
            (2, "take the natural logarithm."),
        ),
        "E = -ln p of the right digit.",
        close=0.006,
    ),
    # 14
    "claim": Question(
        _CLAIMED,
        (),
        _first_claim_that_differs,
        "right for a δ equal to its own rot180, and for an o of ones, which hides every turn.",
        "True or False, eight times,",
    ),
    # 15
    "his gradient": Question(
        3,
        ((4, "(4) follows from (3): from the line before, whether that is right or not."),),
        "this line is right. Try each line on numbers, with by_nudging.",
        "z(x - a, y - b) stood there. With the plus it is the gradient of the other convention.",
        _LINE,
    ),
    # 16
    "two layers": Question(
        48,
        (
            (68, "the second path is stopped by ReLU, its pre-activation is -3."),
            (144, "a product of sums; and in the backward pass ReLU stops the second path."),
            (-936, "a product of sums, and ReLU is missing in both passes."),
            (24, "C is the square, without a half. Its slope is 2·(o2 - y)."),
            (12, "the chain begins at C, with 2·(o2 - y)."),
            (-48, "the sign. C grows when o2 grows beyond y."),
            (-442, "ReLU is missing in both passes."),
        ),
        "what are the pre-activations? Which path is open?",
    ),
    "one pixel": Question(
        3,
        (),
        "this line is right. With which weight does i5 go into the first place of o1?",
        "in o1_1 the pixel i5 stands at the lower right, so it meets the last weight, w1_4.",
        _LINE,
    ),
    # 18
    "paths": Question(
        (1, 2, 3, 2, 1),
        (
            ((1, 2, 4, 2, 1), "from the middle, the first layer can step left, stay or step right."),
            (lambda given: given.sum() != 9, "three choices in each of two layers make nine paths in all."),
        ),
        "count them for each pixel; a path is one weight in each layer.",
        asked="five numbers",
    ),
    "Grad-CAM": Question(
        2,
        (),
        "this line does what the one before hands it. How many α should an image have?",
        "the mean is over places, not over the maps. One α for all maps cannot choose among them.",
        _LINE,
    ),
}
