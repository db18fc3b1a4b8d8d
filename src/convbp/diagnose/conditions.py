"""Says in the words of the parameters on which of many cases something went wrong."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

_MOST = 3  # conditions that are said together


def where(wrong: Sequence[bool], conditions: Mapping[str, Sequence[bool]]) -> str:
    """When ``wrong`` holds: in exactly these cases if that can be said, else within which; empty if in all or unknown.

    Parameters
    ----------
    wrong : sequence of bool
        For each case.
    conditions : mapping of str to sequence of bool
        In words, for each case; the likelier ones first.

    Returns
    -------
    str
        Such as "where stride > 1 and dilation > 1", or "only where padding > 0, on 7 of those 12 cases".
    """
    cases = np.asarray(wrong, bool)
    if cases.all() or not cases.any():
        return ""
    rows = {words: np.asarray(holds, bool) for words, holds in conditions.items()}
    rows = {words: holds for words, holds in rows.items() if holds.any() and not holds.all()}
    several = [some for count in range(1, _MOST + 1) for some in combinations(rows, count)]
    for some in several:
        if np.array_equal(np.all([rows[words] for words in some], axis=0), cases):
            return f"where {' and '.join(some)}"
    for some in several:
        if len(some) == 2 and np.array_equal(np.any([rows[words] for words in some], axis=0), cases):
            return f"where {' or '.join(some)}"
    around = {some: np.all([rows[words] for words in some], axis=0) for some in several if len(some) < _MOST}
    around = {some: holds for some, holds in around.items() if holds[cases].all()}
    if not around:
        return ""
    tightest = min(around, key=lambda some: (around[some].sum(), len(some)))
    return f"only where {' and '.join(tightest)}, on {cases.sum()} of those {around[tightest].sum()} cases"
