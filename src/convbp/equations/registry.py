"""All entries, in the article's order, and how to find one."""

from collections.abc import Iterator, Sequence
from numbers import Integral

from convbp.equations import deltas, forward, kernel_gradient, pooling, sliding
from convbp.equations.entry import Equation

_ALL = tuple(entry for part in (sliding, forward, kernel_gradient, deltas, pooling) for entry in part.EQUATIONS)


class Equations(Sequence):
    """Entries in the article's order; a notebook shows them as a table with their verdicts.

    Parameters
    ----------
    entries : tuple of Equation
    """

    def __init__(self, entries: tuple[Equation, ...]):
        self._entries = entries

    def __getitem__(self, index):
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Equation]:
        return iter(self._entries)

    def __repr__(self) -> str:
        width = max(len(entry.name) for entry in self)
        return "\n".join(f"{entry.name:{width}}  {entry.verdict:20}  {entry.remark or entry.title}" for entry in self)

    def _repr_markdown_(self) -> str:
        from convbp.equations.shown import overview

        return overview(self)


def equations() -> Equations:
    """Return all entries: Eq. 1 to 22, and those that have a name and no number.

    They stand in the article's order, to be gone through or shown as a table; by number: ``equation(n)``.

    Returns
    -------
    Equations
    """
    return Equations(_ALL)


def equation(key: int | str) -> Equation:
    """Return one entry.

    Parameters
    ----------
    key : int or str
        1 to 22, or a name as the table of `equations` has it: "Eq. 22", "bias gradient", "max pooling".

    Returns
    -------
    Equation

    Raises
    ------
    TypeError
        If the key is neither an integer nor a string.
    ValueError
        If there is no such entry.
    """
    if isinstance(key, bool) or not isinstance(key, Integral | str):
        raise TypeError(f"equation: the key is {key!r}; expected {_EXPECTED}.")
    for entry in _ALL:
        names = (str(entry.key).lower(), entry.name.lower())
        if key == entry.key or (isinstance(key, str) and " ".join(key.lower().split()) in names):
            return entry
    raise ValueError(f"equation: there is no {key!r}; expected {_EXPECTED}.")


_EXPECTED = "an integer from 1 to 22, or one of " + ", ".join(repr(e.key) for e in _ALL if e.number is None)
