"""Which numbers of a state have sliders: there is room for those of one small array, of one row, or for the sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from convbp.explorers.controls.array_sliders import ArraySliders
from convbp.explorers.controls.control import Control, menu
from convbp.explorers.states.fields import Kind, declares, shown
from convbp.notation import subscripted
from convbp.pictures.scene import rows_of

if TYPE_CHECKING:
    from convbp.explorers.states.state import ExplorerState

WHOLE = 3  # rows, of which an array has all its sliders at once, if the page has as many for them
Rows = tuple[tuple, ...]


class Part(NamedTuple):
    """Numbers that have sliders together: what they are called, how to read them in a state, and to change them."""

    names: Rows
    read: Callable[[Any], Rows]
    change: Callable[[Any, Rows], Any]
    limits: tuple[int, int] = (-9, 9)


Parts = Mapping[str, Part]


@dataclass(frozen=True)
class Numbers(Kind):
    """Which of the ``parts`` of a state has sliders, by its name, with a list to choose from.

    A row that is no more leaves them to the first part of that array, and any other name to the first part of all.
    """

    parts: Callable[[Any], Parts]
    parameter: bool = field(default=False, kw_only=True)  # the picture is the same

    def check(self, state: "ExplorerState", name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{state.explorer}: {name} is {shown(value)}; expected what stands in its list.")
        return value

    def _chosen(self, parts: Parts, name: str) -> str:
        same = [part for part in parts if part.partition(",")[0] == name.partition(",")[0]]
        return name if name in parts else next(iter([*same, *parts]))

    def controls(self, state: "ExplorerState", name: str) -> list[Control]:
        def part(state: Any) -> Part:
            parts = self.parts(state)
            return parts[self._chosen(parts, getattr(state, name))]

        return [
            Control(
                menu(self.label or name),
                lambda state: self._chosen(self.parts(state), getattr(state, name)),
                lambda state, chosen: replace(state, **{name: chosen}),
                fit=lambda state: {"options": tuple(self.parts(state))},
            ),
            Control(
                ArraySliders("", part(state).read(state)),
                lambda state: part(state).read(state),
                lambda state, rows: part(state).change(state, rows),
                fit=lambda state: {"names": part(state).names, "limits": part(state).limits},
            ),
        ]


numbers = declares(Numbers)


def rows_of_part(
    name: str, letter: str, array: np.ndarray, at: tuple[int, ...] = (), *, beside: np.ndarray
) -> dict[str, Part]:
    """The parts of a 2-D array, or of the slice ``array[:, :, *at]``: all of it, or one for each of its rows.

    ``name`` is that of its field, ``letter`` what its entries are called. None has more rows of sliders than those of
    the array ``beside`` it in the list, which has them at first: so the page does not jump.
    """

    def part(first: int, last: int) -> Part:
        where = slice(first, last), slice(None), *at

        def change(state: Any, rows: Rows) -> Any:
            changed = getattr(state, name).copy()
            changed[where] = rows
            return replace(state, **{name: changed})

        names = tuple(tuple(subscripted(letter, r, c) for c in range(array.shape[1])) for r in range(first, last))
        return Part(names, lambda state: rows_of(getattr(state, name)[where]), change)

    rows, most = len(array), len(beside) if len(beside) <= WHOLE else 1
    if rows <= most:
        return {"": part(0, rows)}
    return {f", row {r}": part(r, r + 1) for r in range(rows)}
