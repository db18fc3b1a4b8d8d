"""A layer with channels and filters: forwards a sum over the channels, backwards a sum over the filters (Eq. 4)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from convbp.convolution import conv2d, conv2d_input_gradient, rot180
from convbp.explorers.controls.example_list import examples
from convbp.explorers.explorer import Explorer, Rows
from convbp.explorers.states.fields import Kind, choice, declares, readable, tick
from convbp.explorers.states.numbers import Part, numbers, rows_of_part
from convbp.explorers.states.state import ExplorerState
from convbp.notation import factor, number, subscripted
from convbp.pictures.scene import (
    PRODUCTS,
    SUM,
    Cells,
    Flight,
    Formula,
    Grid,
    Highlight,
    Highlights,
    Mark,
    Phrase,
    Scene,
    Selection,
    Tag,
    Term,
    covered,
    rows_of,
)
from convbp.pictures.written_terms import multiplied
from convbp.shapes import as_numbers, check_size

FORWARD, BACKWARD = "forward", "backward"
MOST_MAPS = 6  # channels, and filters
LARGEST_WITH_NUMBERS = 7  # of larger images all arrays are drawn small
WRITTEN_OUT = 18  # so many products of a sum
CHOICE = 30  # the side of a cell in which a map is chosen: so there is room for six maps beside it


def _small_numbers() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(8)
    return rng.integers(0, 4, (3, 4, 2)), rng.integers(-2, 4, (2, 3, 2, 3)), rng.integers(-2, 4, (2, 2, 3))


def _large() -> tuple[np.ndarray, ...]:
    """Discs in three colours, six filters at random, and an error in a few places."""
    rng, (r, c) = np.random.default_rng(1), np.indices((32, 32))
    discs = [(r - 11) ** 2 + (c - 12) ** 2 < 64, (r - 19) ** 2 + (c - 16) ** 2 < 81, (r - 13) ** 2 + (c - 21) ** 2 < 49]
    delta = rng.integers(-3, 4, (28, 28, 6)) * (rng.random((28, 28, 6)) < 0.04)
    return np.stack(discs, axis=-1) * 3 + 1, rng.integers(-2, 3, (5, 5, 3, 6)), delta


EXAMPLES = {"small numbers": _small_numbers(), "32×32×3, six 5×5×3 filters": _large()}
OWN_ARRAYS = "your own arrays"
CHW, DCHW = (1, 2, 0), (2, 3, 1, 0)  # how to transpose (C, H, W) and (D, C, k1, k2)


@dataclass(frozen=True)
class Stack(Kind):
    """Slices that are shown side by side, at most `MOST_MAPS` along each axis from the third on."""

    axes: str
    largest: int
    first: tuple[int, ...]  # how to transpose one whose channels stand first

    def check(self, state: ExplorerState, name: str, value: Any) -> np.ndarray:
        array, transpose = as_numbers(state.explorer, name, value, None), f"transpose{self.first}"
        came = f"{state.explorer}: {name} has shape {array.shape}; expected"
        if array.ndim == len(self.axes) + 1:
            raise ValueError(
                f"{came} {self.letters()}. Of a batch give one image: {name}[0], or {name}[0].{transpose} if its "
                "channels stand first."
            )
        array = as_numbers(state.explorer, name, array, self.axes)
        if not self._fits(array.shape) and self._fits(array.transpose(self.first).shape):
            raise ValueError(
                f"{came} {self.letters()}, at most {self.largest}×{self.largest} with {MOST_MAPS} channels and "
                f"filters, which stand last. If yours stand first, give {name}.{transpose}."
            )
        if max(array.shape[2:]) > MOST_MAPS:
            raise ValueError(
                f"{came} at most {MOST_MAPS} channels and filters, or there is no room for them. Show some of them: "
                f"{name}[..., :{MOST_MAPS}]."
            )
        slices = np.array(
            [
                readable(state.explorer, f"{name}[:, :, {', '.join(map(str, at))}]", array[:, :, *at], self.largest)
                for at in np.ndindex(array.shape[2:])
            ]
        )
        array = np.moveaxis(slices.reshape(*array.shape[2:], *array.shape[:2]), (-2, -1), (0, 1))
        array.setflags(write=False)
        return array

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return max(shape[:2]) <= self.largest and max(shape[2:]) <= MOST_MAPS

    def letters(self) -> str:
        """Its shape, as the docstring has it."""
        return {"HWC": "(H, W, C)", "klCD": "(k1, k2, C, D)", "IJD": "(H − k1 + 1, W − k2 + 1, D)"}[self.axes]

    def type(self) -> str:
        return f"array_like, shape={self.letters()}"


def _parts(state: "State") -> dict[str, Part]:
    """Of each slice of the kernel, and of each map that is not too large, the numbers that have sliders together."""
    found: dict[str, Part] = {}
    for name, letter, letters in (("kernel", "w", "cd"), ("inputs", "o", "c"), ("delta", "δ", "d")):
        array = getattr(state, name)
        for at in np.ndindex(array.shape[2:]) if array is not None and array.shape[1] <= LARGEST_WITH_NUMBERS else ():
            which = "".join(f", {axis} {n}" for axis, n in zip(letters, at, strict=True))
            parts = rows_of_part(name, letter, array[:, :, *at], at, beside=state.kernel)
            found |= {f"{letter}{which}{row}": part for row, part in parts.items()}
    return found


@dataclass(frozen=True, eq=False)
class State(ExplorerState):
    """What the reader sees: a layer's input, its kernel, the δ of its output, the way through it, the chosen cell."""

    inputs: np.ndarray = declares(Stack)(
        None,
        axes="HWC",
        largest=32,
        first=CHW,
        doc="At most 32×32×6; larger ones than 7×7 are drawn small, without numbers.",
    )
    kernel: np.ndarray = declares(Stack)(
        None, axes="klCD", largest=5, first=DCHW, doc="At most 5×5×6×6. Give both or neither."
    )
    delta: np.ndarray = declares(Stack)(
        None,
        axes="IJD",
        largest=32,
        first=CHW,
        doc="∂E/∂x of the layer's output; if left out it is x itself, the δ of E = ½ Σ x².",
    )
    way: str = choice(FORWARD, [FORWARD, BACKWARD], label="pass")
    covered: bool = tick(
        False,
        label="cover a map",
        doc="Cover one of the maps that come out, if it has numbers: a cell takes a prediction, and shows its number "
        "after it.",
    )
    numbers: str = numbers("w, c 0, d 0", _parts, label="sliders for")
    selected: Selection = field(default=Selection("target1", 1, 1), kw_only=True)

    def __post_init__(self) -> None:
        if self.inputs is None and self.kernel is None and self.delta is None:
            for name, array in zip(("inputs", "kernel", "delta"), EXAMPLES["small numbers"], strict=True):
                object.__setattr__(self, name, array)
        elif self.inputs is None or self.kernel is None:
            raise TypeError(
                f"{self.explorer}: of inputs and kernel one is missing; expected both, or neither for the example. "
                "Give inputs of shape (H, W, C) and a kernel of shape (k1, k2, C, D)."
            )
        super().__post_init__()
        (h, _, channels), (_, k2, of_kernel, _) = self.inputs.shape, self.kernel.shape
        if channels != of_kernel:
            hint = "Channels stand last: inputs (H, W, C), kernel (k1, k2, C, D)."
            if h in (of_kernel, k2):
                hint += f" If those of inputs stand first, give inputs.transpose{CHW}."
            if k2 in (channels, h):
                hint += f" If those of kernel stand first, give kernel.transpose{DCHW}."
            raise ValueError(
                f"{self.explorer}: inputs have C = {channels} but kernel has C = {of_kernel}; expected the same "
                f"number. {hint}"
            )
        output = conv2d(self.inputs[None], self.kernel)[0]
        if self.delta is None:
            self.settle("delta", output)
        hint = "δ has one map for each filter. Leave delta out to have one that fits."
        check_size(self.explorer, "delta", self.delta.shape, output.shape, hint)

    @property
    def small(self) -> bool:
        """Whether the arrays are too large for numbers."""
        return max(self.inputs.shape[:2]) > LARGEST_WITH_NUMBERS


class Pass(NamedTuple):
    """Both ways the same: maps that go in, a kernel with a slice for each pair of maps, and maps that come out.

    Backwards what goes in is δ with zeros around it, and the kernel is turned, its last two axes swapped.
    """

    source: np.ndarray
    around: tuple[int, int]
    kernel: np.ndarray
    target: np.ndarray


def one_pass(state: State) -> Pass:
    """What the layer does, on the state's way."""
    kernel, (rows, cols, _) = state.kernel, state.inputs.shape
    if state.way == FORWARD:
        return Pass(state.inputs, (0, 0), kernel, conv2d(state.inputs[None], kernel)[0])
    a1, a2 = kernel.shape[0] - 1, kernel.shape[1] - 1
    source = np.pad(state.delta, ((a1, a1), (a2, a2), (0, 0)), constant_values=np.zeros((), state.delta.dtype))
    target = conv2d_input_gradient(state.delta[None], kernel, (rows, cols))[0]
    return Pass(source, (a1, a2), rot180(kernel).swapaxes(2, 3), target)


def scene(state: State) -> Scene:
    """Return the picture of a state: each map that goes in beside the slice that lies on it, the sum, what comes out.

    Below are all slices, channel by channel. For each cell that comes out the highlight outlines a window in each map
    that goes in, and shows its slice: forwards those of a filter, backwards those of a channel.
    """
    forward, done, small = state.way == FORWARD, one_pass(state), state.small
    (_, _, channels, filters), (a1, a2), (rows, cols, _) = state.kernel.shape, done.around, done.source.shape
    core = 0, 0, rows - 2 * a1, cols - 2 * a2
    source = _maps("source", "o, channel" if forward else "δ, filter", done.source, small, (-a1, -a2), core)
    axes = None if small else ("i", "j") if forward else ("i′", "j′")
    target = _maps("target", "x, filter" if forward else "∂E/∂o, channel", done.target, small, axes=axes)
    slices = [[_slice(state, c, d) for d in range(filters)] for c in range(channels)]
    results: list[Phrase]
    if small:
        # There are too many cells to choose among: one chooses a map, and sees the cell in its middle.
        (what, letter), (i, j) = ("filter", "d") if forward else ("channel", "c"), np.array(done.target.shape[:2]) // 2
        names = tuple(f"{letter} {t}" for t in range(len(target)))
        results = [(grid,) for grid in (Grid("choice", f"choose a {what}", (names,), axes=("", what)), *target)]
        chosen = {Selection("choice", 0, t): (t, int(i), int(j)) for t in range(len(target))}
    else:
        results = [("→", *target)]
        chosen = {Selection(grid.name, i, j): (t, i, j) for t, grid in enumerate(target) for i, j in grid.cells()}
    highlights = {cell: partial(_highlight, state, done, slices, *at) for cell, at in chosen.items()}
    laid = _laid([column[0] for column in slices] if forward else slices[0])
    summands = [("+", grid, "⊙", own)[s == 0 :] for s, (grid, own) in enumerate(zip(source, laid, strict=True))]
    drawn = Scene(
        title=f"Channels and filters, {state.way}",
        line=(*summands, ("=", PRODUCTS), ("→", SUM), *results),
        maps=tuple(grid for column in slices for grid in column),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else next(iter(highlights)),
        cell=CHOICE if small else 0,
    )
    if not state.covered or small:
        return drawn
    return covered(drawn, target[min(1, len(target) - 1)].name, stay=(grid.name for grid in laid))


def _maps(name: str, title: str, array: np.ndarray, small: bool, origin=(0, 0), core=None, axes=None) -> list[Grid]:
    return [
        Grid(
            f"{name}{s}",
            f"{title} {s}",
            rows_of(array[:, :, s]),
            origin=origin,
            core=core,
            axes=axes,
            largest=abs(array).max(),
            small=small,
        )
        for s in range(array.shape[2])
    ]


def _slice(state: State, c: int, d: int) -> Grid:
    """What filter d has for channel c, backwards turned."""
    forward, array = state.way == FORWARD, state.kernel[:, :, c, d]
    first = array.size * (c * state.kernel.shape[3] + d)  # of the hues, of which each weight has one
    tags = np.empty(array.shape, object)
    for n, (at, value) in enumerate(np.ndenumerate(array)):
        tags[at] = Tag(subscripted("w", *at, c, d), first + n, value)
    return Grid(
        f"w{c},{d}",
        f"c {c}, d {d}",
        rows_of(array if forward else rot180(array)),
        tags=() if state.small else rows_of(tags if forward else tags[::-1, ::-1]),
        largest=abs(state.kernel).max(),
        small=state.small,
        notch="" if state.small else "first" if forward else "last",
    )


def _laid(line: Sequence[Grid]) -> list[Grid]:
    """The slices of a line, in the places where they lie beside the maps that go in."""
    which = {"first": "w, ", "last": "rot180(w), "}
    return [replace(grid, name=f"laid{s}", title=which.get(grid.notch, "") + grid.title) for s, grid in enumerate(line)]


def _highlight(state: State, done: Pass, slices: list[list[Grid]], t: int, i: int, j: int) -> Highlight:
    (k1, k2, sources, _), value = done.kernel.shape, number(done.target[i, j, t])
    if state.way == FORWARD:
        line, start, made, letter = [column[t] for column in slices], (i, j), "channel", "c"
        result, product = f"x({i}, {j}, {t})", f"w(m, n, {{}}, {t})·o({i} + m, {j} + n, {{}})"
        shapes: tuple[str, ...] = (f"Shapes: o {_by(state.inputs)}, w {_by(state.kernel)}, x {_by(done.target)}.",)
        how = f"filter {t} has a slice for each channel; lay it on there, multiply, and add up over the channels"
    else:
        line, start, made, letter = slices[t], (i - k1 + 1, j - k2 + 1), "filter", "d"
        result, product = f"∂E/∂o({i}, {j}, {t})", f"w(m, n, {t}, {{}})·δ({i} − m, {j} − n, {{}})"
        shapes = (
            f"Shapes: δ {_by(state.delta)}, with zeros around it {_by(done.source)}; ∂E/∂o {_by(done.target)}.",
            f"w {_by(state.kernel)}; turned, and its last two axes swapped, {_by(done.kernel)}.",
        )
        how = f"each filter has a slice for channel {t}; lay it, turned, on the filter's δ, multiply, and add up over "
        how += "the filters"

    met = {
        (s, m, n): (done.kernel[m, n, s, t], done.source[i + m, j + n, s]) for s, m, n in np.ndindex(sources, k1, k2)
    }

    def term(s: int, m: int, n: int) -> Term:
        (weight, entry), tag = met[s, m, n], line[s].tags[m][n]
        met_at = f"({number(start[0] + m)}, {number(start[1] + n)}, {s})"
        symbols = f"{tag.text if tag else ''}·{'o' if state.way == FORWARD else 'δ'}{met_at}"
        return Term(symbols, multiplied(weight, entry), tag.hue if tag else None, value=weight * entry)

    parts = [sum(math.prod(met[s, m, n]) for m, n in np.ndindex(k1, k2)) for s in range(sources)]
    few = len(met) <= WRITTEN_OUT and not state.small
    groups = [tuple(tuple(term(s, m, n) for n in range(k2)) for m in range(k1)) for s in range(sources if few else 0)]
    terms = tuple(row for s, group in enumerate(groups) for row in (((),) if s else ()) + group)

    def written_out(s: int) -> tuple[str, ...]:
        return tuple("·".join(map(factor, met[s, m, n])) for m, n in np.ndindex(k1, k2))

    lying = [Cells(grid.name, 0, 0, k1, k2) for grid in _laid(line)]
    return Highlight(
        marks=(
            *(Mark(f"source{s}", *start, k1, k2, tags=grid.tags) for s, grid in enumerate(line)),
            *(Mark(grid.name, 0, 0, k1, k2) for grid in (*_laid(line), *line)),
            Mark(f"target{t}", i, j),
            *([Mark("choice", 0, t)] if state.small else []),
        ),
        formula=Formula(
            heading=f"{result}  =  Σ over {letter}, m and n of {product.format(letter, letter)}",
            terms=terms,
            total=f"{result} is {value}.",
            notes=shapes,
            column=(*((f"{made} {s}", part) for s, part in enumerate(parts)), ("Σ", done.target[i, j, t])),
        ),
        sentence=f"{result} is {value}: {how}.",
        grids=tuple(_laid(line)),
        flights=()
        if state.small  # there are no numbers to be seen
        else (
            tuple(Flight(Cells(f"source{s}", *start, k1, k2), on, meets=True) for s, on in enumerate(lying)),
            tuple(Flight(on, Cells(f"target{t}", i, j), written_out(s)) for s, on in enumerate(lying)),
        ),
    )


def _by(array: np.ndarray) -> str:
    return "×".join(map(str, array.shape))


class Channels(Explorer, state=State, scene=scene):
    """A layer with several channels and filters; choose a cell that comes out, forwards or backwards.

    Without arguments it begins with small numbers; its list of examples has a reader's question, an input of three
    channels of 32×32 and six filters.
    """

    def controls(self) -> Rows:
        made_by = {name: lambda state, arrays=arrays: arrays for name, arrays in EXAMPLES.items()}
        ways, sliders = super().controls()
        return [[examples("example", OWN_ARRAYS, made_by, ("inputs", "kernel", "delta")), *ways], sliders]
