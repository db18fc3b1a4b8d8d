"""The turn by 180° as two reflections, step by step; and kernels that it leaves as they are."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from convbp.convolution import rot180
from convbp.explorers.explorer import Explorer
from convbp.explorers.states.fields import array, choice, whole
from convbp.explorers.states.state import ExplorerState
from convbp.notation import number
from convbp.pictures.scene import (
    Cells,
    Flight,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Scene,
    Selection,
    Term,
    named_tags,
    rows_of,
)

ROWS, COLUMNS = "rows", "columns"  # the reflections, and the grids that they lead to
TITLES = {"kernel": "kernel K", COLUMNS: "columns reversed", ROWS: "rows reversed", "turned": "both: rot180(K)"}
LAST_STEP = 3  # one reflection, the other, and both in the other order

KERNEL = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12))


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """What the reader sees: the kernel, the reflection that comes first, how many have been done, the chosen cell."""

    begins_with: ClassVar[dict[str, Any]] = {"selected": Selection("kernel", 0, 1)}

    kernel: np.ndarray = array(KERNEL, 5, shape="(k1, k2)", sliders="K", presets=True)
    first: str = choice(ROWS, [ROWS, COLUMNS], doc="What is reversed first.")
    step: int = whole(
        LAST_STEP,
        0,
        LAST_STEP,
        player=True,
        doc="0, the kernel as it is; 1, one reflection; 2, both; 3, and both in the other order.",
    )

    @property
    def second(self) -> str:
        """The reflection that comes second."""
        return COLUMNS if self.first == ROWS else ROWS


def scene(state: State) -> Scene:
    """Return the picture of a state: a square of kernels, and what the turn changes.

    To the right the columns are reversed, downwards the rows, so both ways around the square lead to rot180(K). What
    has not been reached is empty. For each entry the highlight outlines where it is in each of the kernels.
    """
    (k1, k2), K = state.kernel.shape, state.kernel
    tags = named_tags("K", state.kernel)
    shown = {"kernel", *(state.first, "turned", state.second)[: state.step]}

    def grid(name: str, values: np.ndarray, tags: np.ndarray) -> Grid:
        if name not in shown:
            return Grid(name, TITLES[name], ((None,) * k2,) * k1)
        return Grid(name, TITLES[name], rows_of(values), tags=rows_of(tags), axes=("m", "n"))

    grids = {
        "kernel": grid("kernel", K, tags),
        ROWS: grid(ROWS, K[::-1], tags[::-1]),
        COLUMNS: grid(COLUMNS, K[:, ::-1], tags[:, ::-1]),
        "turned": grid("turned", rot180(K), tags[::-1, ::-1]),
    }
    change = rows_of(K - rot180(K)) if "turned" in shown else grids["turned"].values
    highlights = {
        # Each of the reflections leads back, too.
        Selection(name, *cell): partial(_highlight, state, grids, name, *_places(state.kernel.shape, *cell)[name])
        for name in shown
        for cell in grids[name].cells()
    }
    chosen = Selection("kernel", *(min(max(at, 0), k - 1) for at, k in zip(state.selected[1:], (k1, k2), strict=True)))
    return Scene(
        title="The turn by 180° is two reflections",
        line=(
            ((grids["kernel"], grids[ROWS]), (grids[COLUMNS], grids["turned"])),
            (Grid("change", "K − rot180(K)", change),),
        ),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else chosen,
        flights=tuple((move,) for move in _last_moves(state)),
    )


def _last_moves(state: State) -> list[Flight]:
    """From which kernel to which the last step leads, and what is reversed on the way."""
    ways = [("kernel", state.first, state.first), (state.first, "turned", state.second)][state.step - 1 : state.step]
    if state.step == LAST_STEP:
        ways = [("kernel", state.second, state.second), (state.second, "turned", state.first)]
    size = state.kernel.shape
    return [Flight(Cells(a, 0, 0, *size), Cells(b, 0, 0, *size), meets=True, reversed=what) for a, b, what in ways]


def _places(size: tuple[int, int], m: int, n: int) -> dict[str, tuple[int, int]]:
    """Where the entry (m, n) of the kernel is in each grid."""
    below, right = size[0] - 1 - m, size[1] - 1 - n
    return {"kernel": (m, n), ROWS: (below, n), COLUMNS: (m, right), "turned": (below, right)}


def _highlight(state: State, grids: dict[str, Grid], chosen: str, m: int, n: int) -> Highlight:
    places = _places(state.kernel.shape, m, n)
    path = ("kernel", state.first, "turned", state.second)[: state.step + 1]
    value, hue = number(state.kernel[m, n]), grids["kernel"].tag_hue(m, n)
    said = {
        "kernel": f"K({m}, {n}) is {value}" + ", and nothing is reversed yet" * (len(path) == 1),
        state.first: f"with the {state.first} reversed it is at {places[state.first]}",
        "turned": f"with the {state.second} reversed as well at {places['turned']}",
        state.second: f"and with the {state.second} reversed first it comes there by way of {places[state.second]}",
    }

    # An entry moves, and nothing is added: no formula has these terms.
    def term(name: str) -> Term:
        return Term(TITLES[name], f"at {places[name]}" if name in path else "not yet", hue if name in path else None)

    return Highlight(
        marks=(
            *(Mark(name, *places[name], style="solid" if name == chosen else "dashed") for name in path),
            *((Mark("change", m, n, style="dashed"),) if "turned" in path else ()),
        ),
        formula=Formula(
            heading=f"K({m}, {n}) = {value}" + ":  rot180(K)(m, n) = K(k₁ − 1 − m, k₂ − 1 − n)" * ("turned" in path),
            terms=((term("kernel"), term(COLUMNS)), (term(ROWS), term("turned"))),
            total=(
                "This is the kernel; two reflections turn it by 180°.",
                f"The {state.first} are reversed: that is one reflection.",
                f"The {state.second} are reversed as well: that is the turn by 180°.",
                f"First the {state.second}, then the {state.first}: the same. The order does not matter.",
            )[state.step],
            notes=(_symmetry(state.kernel) if "turned" in path else "Which entries will stay where they are?",),
            added=False,
        ),
        sentence="; ".join(said[name] for name in path) + ".",
        flights=tuple(
            (Flight(Cells(one, *places[one]), Cells(other, *places[other]), meets=True),)
            for one, other in pairwise(path[:3])
        ),
    )


def _symmetry(kernel: np.ndarray) -> str:
    """What the turn does to the kernel, and so to the convolution I ∗ K = I ⊗ rot180(K) (Eq. 3)."""
    turned = rot180(kernel)
    if np.array_equal(turned, kernel):
        alone = np.array_equal(kernel, kernel[::-1])
        each = "each reflection alone leaves it as it is" if alone else "though no reflection alone leaves it as it is"
        return f"This kernel is its own rot180, {each}: I ∗ K = I ⊗ K for every image."
    if np.array_equal(turned, -kernel):
        return "rot180(K) = −K: the convolution I ∗ K is I ⊗ K with the opposite sign."
    for what, other, mirrored in (("rows", "columns", kernel[::-1]), ("columns", "rows", kernel[:, ::-1])):
        if np.array_equal(mirrored, kernel):
            return f"Reversing the {what} changes nothing here: reversing the {other} is the whole turn."
    return "rot180(K) is another kernel: I ∗ K and I ⊗ K differ."


class KernelFlip(Explorer, state=State, scene=scene):
    """The turn of a kernel by 180°, one reflection at a time; choose an entry and see where it goes."""
