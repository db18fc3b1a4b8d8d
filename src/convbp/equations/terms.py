"""The terms of a formula for one entry, and the cells that it reads there: the formula evaluated on named entries."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from convbp.equations.formula import Formula, Letter, Map
from convbp.notation import in_latex, latex_subscripted, subscripted
from convbp.sums import Factor, Sum, exact


class Arrays:
    """Arrays by the names that letters have: ``Arrays(o=image, kernel=kernel, delta=delta)``; ``f`` is the activation.

    Of input, kernel and output two say how large the third is.
    """

    def __init__(self, f=None, **arrays):
        self.f, self._maps = f, {name: Map(array) for name, array in arrays.items()}

    def map(self, letter: Letter) -> Map:
        return self._maps[letter.name]

    def size(self, name: str) -> int:
        return self.sizes[name]

    @property
    def sizes(self) -> dict[str, Any]:
        """The lengths of the axes: H and W of the input, k₁ and k₂ of the kernel, and C and D of its channels.

        None for those of an array that is not there.
        """
        above, kernel, below = (self._shape(*names) for names in (("inputs", "o"), ("kernel",), ("delta",)))
        if above is None and kernel and below:
            above = tuple(k + places - 1 for k, places in zip(kernel, below, strict=False))
        if kernel is None and above and below:
            kernel = tuple(size - places + 1 for size, places in zip(above, below, strict=False))
        names: dict[str, Any] = {
            "H": above and above[0],
            "W": above and above[1],
            "k_1": kernel and kernel[0],
            "k_2": kernel and kernel[1],
        }
        if kernel and len(kernel) == 4:
            names |= {"C": kernel[2], "D": kernel[3]}
        return names

    def _shape(self, *names: str) -> tuple[int, ...] | None:
        return next((self._maps[name].shape for name in names if name in self._maps), None)

    def agree(self, left: np.ndarray, right: np.ndarray):
        return np.equal(left, right, dtype=object)

    def apply(self, name: str, values: np.ndarray):
        return np.frompyfunc(self.f.slope if "'" in name else self.f, 1, 1)(values)


class _Named:
    """A map of which each entry knows its name, also outside of it, where it is 0."""

    def __init__(self, letter: Letter, entries: Map, write: Callable):
        self.letter, self.write, self.shape = letter, write, entries.shape
        self._array = entries.array
        self._boxes: dict[tuple, np.ndarray] = {}

    def read(self, *index):
        index = index or (np.asarray(0),)
        # Each entry is named once, in a box around all places, and read from there.
        first, last = (tuple(int(end(axis)) for axis in index) for end in (np.min, np.max))
        if (first, last) not in self._boxes:
            box = np.empty([b - a + 1 for a, b in zip(first, last, strict=True)], object)
            for at in np.ndindex(box.shape):
                place = tuple(a + b for a, b in zip(at, first, strict=True))
                box[at] = self._entry(*place[: len(self.shape)])
            self._boxes[first, last] = box
        return self._boxes[first, last][tuple(axis - a for axis, a in zip(index, first, strict=True))]

    def _entry(self, *place: int) -> Sum:
        inside = all(0 <= at < size for at, size in zip(place, self.shape, strict=True))
        letter, value = self.letter.text, exact(self._array[place]) if inside else 0
        named = tuple(at + first for at, first in zip(place, self.letter.first or [0] * len(place), strict=True))
        factor = Factor(
            self.write(letter, *named) if place else letter,
            latex_subscripted(letter, *named) if place else in_latex(letter),
            value,
            self.letter.name,
            named,
            inside,
        )
        return Sum((factor,))


class Named:
    """A case with its entries named, so that what a formula gives is a `Sum` that has its terms.

    ``write(letter, *index)`` writes an entry in a line of text.
    """

    def __init__(self, case, write: Callable = subscripted):
        self.case, self.write, self.size = case, write, case.size
        self._maps: dict[str, _Named] = {}

    def map(self, letter: Letter) -> _Named:
        if letter.name not in self._maps:
            self._maps[letter.name] = _Named(letter, self.case.map(letter), self.write)
        return self._maps[letter.name]

    def agree(self, left, right):
        return np.asarray(True)  # the terms of one side are as good as those of the other

    def apply(self, name: str, values: np.ndarray):
        return np.frompyfunc(lambda x: self._applied(name, x), 1, 1)(values)

    def _applied(self, name: str, x: Sum) -> Sum:
        ((inside,),) = x.terms
        value = exact(self.case.apply(name, np.asarray(inside.value, dtype=object)))
        text = f"{name.replace(chr(39), '′')}({inside.text})"
        return Sum((Factor(text, f"{name}({inside.latex})", value, inside.array, inside.index, inside.inside),))


def terms(formula: Formula, case, *index: int) -> Sum:
    """The terms of one entry, each a product of named factors; those that read outside of an array are there, too."""
    found = formula.value(case if isinstance(case, Named) else Named(case), *index)
    return found if isinstance(found, Sum) else Sum()


def all_terms(formula: Formula, case) -> np.ndarray:
    """The terms of every entry, as an array of `Sum`."""
    return formula.table(case if isinstance(case, Named) else Named(case))


def reads(formula: Formula, case, *index: int) -> Mapping[str, list[tuple[int, ...]]]:
    """The cells that one entry is made of: for each array, by its name, their indices, also outside of it."""
    cells: dict[str, list] = {}
    for term in terms(formula, case, *index).terms:
        for factor in term:
            if factor.array and factor.index not in cells.setdefault(factor.array, []):
                cells[factor.array].append(factor.index)
    return cells
