"""`DeltaFlow` on a part of a convolutional layer of a network: one filter, one channel, some rows and columns.

The part keeps its indices. A pixel (i, j) collects δ(i + p − m, j + q − n) · w(m, n), with the padding p and q at the
top and on the left: so of the δ those are shown that reach the part, k − 1 rows and columns more than it has. A stride
puts zeros between the δ, a dilation between the weights, as in notebook 10.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from convbp.activations import identity
from convbp.convolution import cross_correlate, rot180
from convbp.equations.deltas import COLLECTED
from convbp.equations.formula import Letter
from convbp.equations.terms import Arrays, Named, all_terms
from convbp.explorers import delta_flow
from convbp.explorers.explorer import Rows
from convbp.explorers.states.layer import LARGEST_IMAGE, LARGEST_KERNEL
from convbp.notation import bracketed
from convbp.pictures.scene import PRODUCTS, SUM, Grid, Highlights, Scene, Selection, covered, named_tags, rows_of
from convbp.pictures.written_terms import tags_of
from convbp.shapes import shown
from convbp.torch.layers import pair

Pair = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """Where a part of a layer lies: its first pixel, its padding, and the size of the map of δ, zeros included."""

    title: str
    notes: tuple[str, ...]
    pixel: Pair
    padding: Pair
    map_size: Pair


@dataclass(frozen=True, eq=False)
class State(delta_flow.State):
    """A part of a layer; its δ are those that reach it."""

    part: Part | None = None

    def output(self, image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """As many δ as reach an image of this size."""
        return np.zeros([n + k - 1 for n, k in zip(image.shape, kernel.shape, strict=True)])


class _Shifted(Named):
    """Entries by their indices in the whole layer."""

    def __init__(self, case: Any, first: Pair):
        super().__init__(case, bracketed)
        self.first = first

    def map(self, letter: Letter) -> Any:
        return super().map(replace(letter, first=self.first) if letter.name == "delta" else letter)


def scene(state: State) -> Scene:
    """The picture of DeltaFlow, by gather, with the indices of the whole layer."""
    part: Any = state.part
    (k1, k2), (row, col) = state.kernel.shape, part.pixel
    first = tuple(at + p - k + 1 for at, p, k in zip(part.pixel, part.padding, (k1, k2), strict=True))
    tags, turned = named_tags("w", state.kernel), rot180(state.kernel)
    core = _inside(first, state.delta.shape, part.map_size)
    sums, slope = cross_correlate(state.delta, turned), state.activation.derivative(state.image)
    grids = {
        "image": Grid("image", "xˡ, what went in", rows_of(state.image), part.pixel),
        "slope": Grid("slope", f"{state.activation.name}′(xˡ)", rows_of(slope), part.pixel),
        "delta": Grid("delta", "δˡ⁺¹", rows_of(state.delta), first, core=core),
        "kernel": Grid("kernel", "kernel w", rows_of(state.kernel), tags=rows_of(tags), notch="first"),
        "turned": Grid("turned", "rot180(w)", rows_of(turned), tags=rows_of(tags[::-1, ::-1]), notch="last"),
        "sums": Grid("sums", "sums so far", rows_of(sums), part.pixel, largest=np.abs(sums).max()),
        "below": Grid("below", "δˡ: sums · f′", rows_of(sums * slope), part.pixel, axes=("i′", "j′")),
    }
    collected = all_terms(COLLECTED, _Shifted(Arrays(delta=state.delta, kernel=state.kernel), first))
    carried = tags_of("w", grids["kernel"])
    highlights = {
        Selection("below", i, j): partial(
            delta_flow.gathered,
            grids,
            collected[i - row + k1 - 1, j - col + k2 - 1],
            carried,
            i,
            j,
            part.padding,
            "",
            part.notes,
        )
        for i, j in grids["below"].cells()
    }
    drawn = Scene(
        title=part.title,
        line=((grids["delta"], "⊙", grids["turned"]), ("=", PRODUCTS), ("→", SUM, "→", grids["below"])),
        maps=tuple(grids[name] for name in ("kernel", "image", "slope", "sums")),
        highlights=Highlights(highlights),
        selected=state.selected if state.selected in highlights else next(iter(highlights)),
    )
    return covered(drawn, "below") if state.covered else drawn


def _inside(first: Pair, shape: tuple[int, ...], size: Pair) -> tuple[int, int, int, int]:
    """The rectangle of the cells that lie in the map: (row, col, rows, cols)."""
    begin = [min(max(at, 0), n) for at, n in zip(first, size, strict=True)]
    end = [max(min(at + rows, n), 0) for at, rows, n in zip(first, shape, size, strict=True)]
    return begin[0], begin[1], max(end[0] - begin[0], 0), max(end[1] - begin[1], 0)


class DeltaFlow(delta_flow.DeltaFlow, state=State, scene=scene):
    """`convbp.explorers.DeltaFlow` on a part of a layer of a network."""

    def controls(self) -> Rows:
        kind = State.__dataclass_fields__["covered"].metadata["kind"]
        return [kind.controls(self.state, "covered")]


def of_part(
    name: str,
    module: Any,
    inputs: np.ndarray,
    kernel: np.ndarray,
    delta: np.ndarray,
    asked: Mapping[str, Any],
) -> DeltaFlow:
    """The explorer on a part of a Conv2d; arrays in PyTorch's order, ``asked`` as of `SeenLayer.delta_flow`."""
    who = f"{name}.delta_flow"
    filters, channels, (rows, cols) = kernel.shape[0], inputs.shape[1], inputs.shape[2:]
    image = _index(who, "image", asked["image"], len(inputs))
    channel = _index(who, "channel", asked["channel"], channels)
    group = channel // kernel.shape[1]
    own = range(group * filters // module.groups, (group + 1) * filters // module.groups)
    spread = _spread(kernel, module.dilation)[:, channel % kernel.shape[1]]
    apart = _spread(delta[image], module.stride)
    k1, k2 = spread.shape[1:]
    if max(k1, k2) > LARGEST_KERNEL:
        raise ValueError(
            f"{who}: the kernel is {k1}×{k2} (with the zeros of a dilation); expected at most "
            f"{LARGEST_KERNEL}×{LARGEST_KERNEL}, or its numbers could not be read. check() takes a layer of any size."
        )
    padding = _top_left(module, (k1, k2))
    parts = {d: _around(apart[d], padding, (k1, k2), (rows, cols)) for d in own}
    if asked["filter"] is None:
        chosen = max(own, key=lambda d: np.abs(cross_correlate(parts[d], rot180(spread[d]))).sum())
    else:
        chosen = _index(who, "filter", asked["filter"], filters)
        if chosen not in own:
            raise ValueError(
                f"{who}: filter is {chosen}; expected one from {own[0]} to {own[-1]}, as with {module.groups} groups "
                f"those alone see channel {channel}."
            )
    back = cross_correlate(parts[chosen], rot180(spread[chosen]))
    most = tuple(LARGEST_IMAGE - k + 1 for k in (k1, k2))
    peak = np.unravel_index(np.abs(back).argmax(), back.shape)
    (r0, r1), (c0, c1) = (
        _range(who, key, asked[key], size, limit, int(at))
        for key, size, limit, at in zip(("rows", "cols"), (rows, cols), most, peak, strict=True)
    )
    part = Part(
        f"The δ that filter {chosen} of {name} sends back to channel {channel} of image {image}",
        tuple(_notes(module, chosen, len(own), padding)),
        (r0, c0),
        padding,
        apart.shape[1:],
    )
    return DeltaFlow(
        image=inputs[image, channel, r0:r1, c0:c1],
        kernel=spread[chosen],
        delta=parts[chosen][r0 : r1 + k1 - 1, c0 : c1 + k2 - 1],
        activation=identity,
        part=part,
    )


def _spread(maps: np.ndarray, step: Any) -> np.ndarray:
    """The last two axes so far apart, with zeros between."""
    (s1, s2), (rows, cols) = pair(step), maps.shape[-2:]
    apart = np.zeros((*maps.shape[:-2], s1 * (rows - 1) + 1, s2 * (cols - 1) + 1))
    apart[..., ::s1, ::s2] = maps
    return apart


def _around(delta: np.ndarray, padding: Pair, kernel_size: Pair, size: Pair) -> np.ndarray:
    """The δ that reach the pixels of an input of this size: k − 1 rows and columns more than it has; 0 outside."""
    reaching = np.zeros([n + k - 1 for n, k in zip(size, kernel_size, strict=True)])
    first = [p - k + 1 for p, k in zip(padding, kernel_size, strict=True)]
    row, col, rows, cols = _inside((first[0], first[1]), reaching.shape, delta.shape)
    reaching[row - first[0] :, col - first[1] :][:rows, :cols] = delta[row : row + rows, col : col + cols]
    return reaching


def _top_left(module: Any, kernel_size: Pair) -> Pair:
    if module.padding == "same":
        return (kernel_size[0] - 1) // 2, (kernel_size[1] - 1) // 2
    return (0, 0) if module.padding == "valid" else pair(module.padding)


def _index(who: str, name: str, value: Any, count: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not -count <= value < count:
        raise ValueError(f"{who}: {name} is {shown(value)}; expected an integer from 0 to {count - 1}.")
    return int(value) % count


def _range(who: str, name: str, value: Any, size: int, most: int, at: int) -> tuple[int, int]:
    """The first index and the one after the last; if nothing is asked for, around ``at``."""
    if value is None:
        first = max(0, min(at - most // 2, size - most))
        return first, min(first + most, size)
    first, last, step = value.indices(size) if isinstance(value, slice) else (0, 0, 1)
    if step != 1 or not 0 < last - first <= most:
        raise ValueError(
            f"{who}: {name} are {shown(value)}, of {size}; expected a slice of 1 to {most} of them: as many have room "
            f"beside all δ that reach them, for example slice({min(4, size - 1)}, {min(4 + most, size)})."
        )
    return first, last


def _notes(module: Any, chosen: int, filters: int, padding: Pair) -> Iterator[str]:
    if filters > 1:
        yield f"This is the part of filter {chosen}; those of all {filters} that see this channel add up to δˡ."
    if padding != (0, 0):
        yield f"With padding {padding[0]} at the top, {padding[1]} on the left the indices of δ are larger by as much."
    for name, what in (("stride", "δ"), ("dilation", "weights")):
        if (step := pair(getattr(module, name))) != (1, 1):
            yield f"With {name} {step[0]}, {step[1]} there are zeros between the {what}; they have indices, too."
