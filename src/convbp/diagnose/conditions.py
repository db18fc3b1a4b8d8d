"""Says in the words of the parameters on which of many cases something went wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

_MOST = 3  # conditions that are said together
_CHANCE = 1e-3  # a condition that is only needed is said if it would hold by chance less often


@dataclass(frozen=True)
class Condition:
    """Some words that tell the cases that are wrong.

    Attributes
    ----------
    words : tuple of str
    joined : {"and", "or"}
    wrong, of : int
        How many cases are wrong, of how many for which the words hold.
    by_chance : float
        How likely all of the wrong ones would be among those by chance.
    """

    words: tuple[str, ...]
    joined: str
    wrong: int
    of: int
    by_chance: float

    @property
    def credible(self) -> bool:
        """Whether it says just which cases are wrong, or can hardly hold for all of them by chance."""
        return self.wrong == self.of or self.by_chance < _CHANCE

    def tells(self, conditions: Mapping[str, bool]) -> tuple[bool, bool]:
        """A case sorts by how little it tells about this: first those for which some of the words hold, not all."""
        holds = [conditions[words] for words in self.words]
        return all(holds), not any(holds)

    def __str__(self) -> str:
        words = f" {self.joined} ".join(self.words)
        return f"where {words}" if self.wrong == self.of else f"only where {words}, on {self.wrong} of {self.of} cases"


def where(wrong: Sequence[bool], conditions: Sequence[Mapping[str, bool]]) -> Condition | None:
    """When ``wrong`` holds: in exactly these cases if that can be said, else within which; None if in all or unknown.

    Parameters
    ----------
    wrong : sequence of bool
        For each case.
    conditions : sequence of mappings of str to bool
        For each case the same, in words; the likelier ones first.

    Returns
    -------
    Condition or None
        Such as "where stride > 1 and dilation > 1", or "only where padding > 0, on 7 of 12 cases". The fewest words
        that will do, for what holds in exactly these cases.
    """

    def mask(holds: Sequence[bool]) -> int:
        return sum(1 << n for n, one in enumerate(holds) if one)

    everywhere, cases = mask([True] * len(wrong)), mask(wrong)
    if cases in (0, everywhere):
        return None
    rows = {words: mask([one[words] for one in conditions]) for words in conditions[0]}
    rows = {words: holds for words, holds in rows.items() if holds not in (0, everywhere)}

    def found(words: tuple[str, ...], joined: str, holds: int) -> Condition:
        k, of = cases.bit_count(), holds.bit_count()
        return Condition(words, joined, k, of, comb(of, k) / comb(len(wrong), k))

    all_of: dict[tuple[str, ...], int] = {}
    for count in range(1, _MOST + 1):
        for some in combinations(rows, count):
            all_of[some] = everywhere
            for words in some:
                all_of[some] &= rows[words]
            if all_of[some] == cases:
                return found(some, "and", cases)
    for one, other in combinations(rows, 2):
        if rows[one] | rows[other] == cases:
            return found((one, other), "or", cases)
    around = [found(some, "and", holds) for some, holds in all_of.items() if len(some) < _MOST and not cases & ~holds]
    # Another word must halve the cases, else it is not worth saying.
    return min(around, key=lambda one: one.of * 2 ** len(one.words), default=None)
