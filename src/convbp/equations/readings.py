"""What is a reading of a printed equation and what is a correction: one rule, for every entry.

A *reading* has the printed symbols, each in its place, and gives some of them a meaning that the article itself gives
them somewhere. A *correction* has other symbols. What has the printed symbols with a meaning that the article has
nowhere is tried and counted, and is *not a reading*.

Three things follow for all alike. Outside an array there is nothing: that zeros are meant there is a reading. From
Eq. 10 on the forward pass is Eq. 7, as these equations print its sum: another forward pass is another equation. And a
verdict is about symbols: what the words beside an equation say is counted apart, against none.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convbp.equations.entry import Statement

PRINTED, READING, NOT_A_READING, CORRECTION = "as printed", "reading", "not a reading", "other symbols"


@dataclass(frozen=True)
class Meaning:
    """What a printed symbol is taken to mean, and where the article uses it so; "" if nowhere."""

    words: str
    used: str = ""


ZEROS = Meaning("0 outside an array", "Eq. 16: Q, which Eq. 17 counts, has only places of the map")
CONVOLVES = Meaning("∗ is the convolution of Eq. 2", "Eq. 2")
CORRELATES = Meaning("∗ is the cross-correlation of Eq. 1", "Eq. 4 and 5, under whose ∗ the sum of Eq. 1 stands")
IN_VALID = Meaning(
    "the map is the valid part, counted from its first entry", "Eq. 10: x runs from (0, 0) to (H − k₁, W − k₂)"
)
IN_FULL = Meaning(
    "the map is the full one, counted from its first entry", "Eq. 17 and 20: an entry for each pixel of the input"
)
OUTPUT = Meaning("what comes out has its bias", "the list of symbols: x has it")
ONE_BIAS = Meaning("bᵢⱼ is the filter's one b", "the list of symbols, and Eq. 11")
EACH_FILTER = Meaning("K and b are those of filter d", "the declaration of K and b, one for each filter")
ONE_FILTER = Meaning("there is one filter, the first", "from Eq. 5 on w and b have no index of a filter")
FLIPPED = Meaning(
    "K(−m, −n) is entry (m, n) of the flipped kernel", "the sentence after Eq. 3; the indices of rot180 in Eq. 6"
)
FIRST_TERM = Meaning("m′ = n′ = 0 in the first term", "Eq. 12, whose first term is that of w₀₀")
MAP_TURNED = Meaning("the whole map of sums is turned", "Eq. 6, 14 and 22: rot180 of a map")
NUMBER_TURNED = Meaning("the sum is one number, which turning leaves as it is", "Eq. 20: one sum for one pixel")

FROM_THE_END = Meaning("a negative index counts from the end, as in Python")
FROM_THE_MIDDLE = Meaning("K is counted from its middle, −r … r")


def kind(form: "Statement", printed: "Statement | None") -> str:
    """The rule: what a form is beside the printed one."""
    if form is printed:
        return PRINTED
    if printed is None or form.latex != printed.latex:
        return CORRECTION
    return READING if all(meaning.used for meaning in form.meanings) else NOT_A_READING
