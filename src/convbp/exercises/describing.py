"""What can be seen of an answer that no mistake explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, permutations, product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from convbp.exercises.reading import Answer
from convbp.notation import number
from convbp.sums import exact

if TYPE_CHECKING:
    from convbp.exercises.naming import Known

_PLACES = 500  # of a part within an array: where there are more, none is looked for


def _not_finite(answers: Sequence[Answer]) -> list[str]:
    """A sentence on answers with NaN or infinity in them."""
    for answer in answers:
        bad = ~np.isfinite(answer.values)
        if bad.any():
            word = "NaN" if np.isnan(answer.values).any() else "infinite"
            first = tuple(int(n) for n in np.argwhere(bad)[0])
            much = "every entry" if bad.all() else f"{bad.sum()} of {bad.size} entries, first at {first}"
            return [f"Your result is {word} in {much}: was something divided by 0?"]
    return []


def _always_the_same(answers: Sequence[Answer], expected: Sequence[np.ndarray]) -> list[str]:
    """A sentence on answers that do not depend on the arguments."""
    if all(answer.values.size and not answer.values.any() for answer in answers):
        said = ["Your result is zero everywhere."]
        whole = all(np.array_equal(right, np.round(right)) for right in expected)
        if not whole and all(answer.integers for answer in answers):
            said.append("It is of integers: a number between −1 and 1 that is put into it becomes 0.")
        return said
    if len(answers) > 1 and all(np.array_equal(answer.values, answers[0].values) for answer in answers):
        return ["Your result is the same for all inputs: use the arguments, not particular numbers."]
    if all(answer.values.size > 1 and np.ptp(answer.values) == 0 for answer in answers):
        return [f"Every entry of your result is the same number, {number(exact(answers[0].values.flat[0]))}."]
    return []


def _remembered(answers: Sequence[Answer], expected: Sequence[np.ndarray]) -> list[str]:
    """A sentence on an answer that is right for another input."""
    for n, (answer, right) in enumerate(zip(answers, expected, strict=True)):
        for m in range(n):
            if not answer.equals(right) and answer.equals(expected[m]):
                return [
                    f"On input {n + 1} you gave the right result for input {m + 1}, which has the same shapes and "
                    "other numbers: does your function remember an earlier call?"
                ]
    return []


def _shape(answer: Answer, expected: np.ndarray, named: Sequence[str]) -> list[str]:
    """Sentences on a wrong shape; ``named`` says what else has this shape."""
    said = [f"Your result has shape {answer.shape}; expected is {expected.shape}."]
    if answer.size_only is None:
        if _but_for_axes(answer, expected):
            return [*said, "The numbers are right, and in the right order; only the axes are not."]
        seen = _rearranged(answer, expected) + _part_of(answer, expected)
        if seen:
            return said + seen
    return [*said, *named[:1]]


def _but_for_axes(answer: Answer, expected: np.ndarray) -> bool:
    """Whether it has the right numbers, in their order."""
    as_many = answer.size_only is None and answer.values.size == expected.size
    return as_many and bool(_close(answer, answer.values.ravel(), expected.ravel()))


def describe(
    known: Known,
    answers: Sequence[Answer],
    expected: Sequence[np.ndarray],
    counts: Sequence[Mapping],
    axes: Sequence[str],
) -> list[str]:
    """Sentences on answers of which at least one is wrong.

    ``counts`` has for each input some numbers by name, for a factor may be one of them. ``axes`` are the
    names of the axes, among them "row" and "column".
    """
    pairs = list(zip(answers, expected, strict=True))
    # If there is one, a pair in which it is not the axes alone; where an axis has length 1 it may seem so.
    answer, right = min((pair for pair in pairs if not pair[0].equals(pair[1])), key=lambda pair: _but_for_axes(*pair))
    said = _not_finite(answers)
    if not said and answer.shape != right.shape:
        named = _shapes(known, [answer.shape for answer in answers])
        said = [*_shape(answer, right, named), *_always_the_same(answers, expected)]
    said = said or _always_the_same(answers, expected) or _remembered(answers, expected)
    if not said and any(answer.shape != right.shape for answer, right in pairs):
        said = ["On some of the inputs the shape of your result is right, on others it is not."]
    sums = [sums_in(arguments) for arguments in known.inputs]
    factors = [{**one, **more} for one, more in zip(counts, sums, strict=False)]
    return said or _numbers(pairs, known.inputs[: len(pairs)], factors, axes)


def _numbers(pairs, inputs, factors, axes) -> list[str]:
    """Sentences on answers that have the right shapes and wrong numbers."""
    said = _signs(pairs) or _rounded(pairs) or _rearrangement(pairs) or _factor(pairs, factors) or _nearly(pairs)
    said = said or _combined(pairs, inputs, factors) or _offset(pairs) or _running_sum(pairs) or _shift(pairs, axes)
    if said:
        return said
    wrong = [(answer, right) for answer, right in pairs if not answer.equals(right)]
    return [*_on_some_inputs(len(wrong), len(pairs)), *_where(wrong, axes)]


def _shapes(known: Known, shapes: Sequence[tuple[int, ...]]) -> list[str]:
    """Sentences on what has these shapes, for every input: arguments, and the results of known mistakes."""
    inputs = known.inputs[: len(shapes)]
    named = [
        f"That is the shape of {key}, which came in."
        for key in inputs[0]
        if all(np.shape(arguments[key]) == shape for arguments, shape in zip(inputs, shapes, strict=True))
    ]
    for way in known.singles():
        wrong = [known.wrong(n, way) for n in range(len(shapes))]
        if all(w is not None and w.shape == shape for w, shape in zip(wrong, shapes, strict=True)):
            done = way[0].done[0].lower() + way[0].done[1:]
            named.append(f"This shape, with other numbers, comes from a known mistake: {done}")
    return named


def counts_in(arguments: Mapping) -> dict[str, float]:
    """Numbers of entries that a result may have been divided by, or multiplied with."""
    counts: dict[str, float] = {}
    for key, value in arguments.items():
        if isinstance(value, np.ndarray):
            counts[f"the number of entries of {key}"] = value.size
            counts |= {f"the length of {key} along axis {axis}": n for axis, n in enumerate(value.shape)}
        elif isinstance(value, tuple):
            counts[f"the product of {key}"] = prod(value)
            counts |= {f"{key}[{n}]": entry for n, entry in enumerate(value)}
        else:
            counts[key] = value
    return counts


def sums_in(arguments: Mapping) -> dict[str, float]:
    """The sum of each array among the arguments, by name."""
    return {f"the sum of {key}": value.sum() for key, value in arguments.items() if isinstance(value, np.ndarray)}


def _close(answer: Answer, values: np.ndarray, expected: np.ndarray) -> bool:
    return Answer(values, answer.tolerance).equals(expected)


def ratio(answer: Answer, expected: np.ndarray) -> float | None:
    """By what the answer is the expected array times a number; None if it is not."""
    if answer.shape != expected.shape or not expected.any() or not np.isfinite([answer.values, expected]).all():
        return None
    largest = np.unravel_index(np.abs(expected).argmax(), expected.shape)
    by = answer.values[largest] / expected[largest]
    return float(by) if by and _close(answer, answer.values, by * expected) else None


def _factor(pairs, counts):
    ratios = [by for pair in pairs if (by := ratio(*pair)) is not None]
    if len(ratios) < len(pairs) or pairs[0][1].size == 1:
        return []
    near = np.array(ratios) - 1
    if np.all(np.abs(near) < 1e-2) and not np.allclose(near, near[0], rtol=1e-2):
        return []  # no factor, but something small
    words = factor_in_words(ratios, counts)
    if words:
        return [f"Right up to a factor: {words}."]
    if np.allclose(np.abs(ratios), abs(ratios[0]), rtol=1e-4):
        times = "" if np.isclose(abs(ratios[0]), 1) else f", times {_precisely(abs(ratios[0]))}"
        return [f"Right on some inputs{times}, and with the opposite sign on others: was the sign of a factor lost?"]
    other = next(n for n, ratio in enumerate(ratios) if not np.isclose(ratio, ratios[0], rtol=1e-4))
    return [
        f"Right up to a factor, which changes from input to input: {_precisely(ratios[0])} for the first, "
        f"{_precisely(ratios[other])} for input {other + 1}."
    ]


def factor_in_words(ratios: Sequence[float], counts: Sequence[Mapping[str, float]]) -> str:
    """What was done to every entry, if these are the factors for the inputs; empty if that cannot be told."""
    if np.allclose(ratios, ratios[0], rtol=1e-4):
        if np.isclose(ratios[0], -1):
            return "every entry has the opposite sign"
        return f"every entry is {_precisely(ratios[0])} times what it should be"
    for name in counts[0]:
        sizes = np.array([float(count[name]) for count in counts])
        if not sizes.all():
            continue
        for factors, words in ((sizes, "multiplied with"), (1 / sizes, "divided by")):
            for sign, minus in ((1, ""), (-1, ", and has the opposite sign")):
                if np.allclose(ratios, sign * factors, rtol=1e-4):
                    return f"every entry is {words} {name}{minus}"
    return ""


def _precisely(ratio: float) -> str:
    """As pictures have it, but never as 0 or 1, which it is not."""
    short = number(round(ratio, 6))
    return short if short not in ("0", "1", "−1") else f"{ratio:.9g}".replace("-", "−")


def _combined(pairs, inputs, counts):
    """Whether it is the right result and one of the arguments, each times a number, added up."""
    for key in inputs[0]:
        others = [np.asarray(arguments[key]) for arguments in inputs]
        if pairs[0][1].size < 4 or any(other.shape != e.shape for other, (_, e) in zip(others, pairs, strict=True)):
            continue
        fitted = [_fitted(answer, e, other) for (answer, e), other in zip(pairs, others, strict=True)]
        each = [one for one in fitted if one is not None]
        if len(each) < len(fitted):
            continue
        by, times = np.transpose(each)
        if np.allclose(by + times, 1, atol=1e-4):  # it lies between the two, or beyond
            words = factor_in_words(by, counts)
            if words:
                return [f"Of the way from {key} to what is asked for: {words}.{_mean_or_sum(by)}"]
        if not np.allclose(by, by[0], rtol=1e-4):
            continue
        plus = f", plus {_times(by[0])}what is asked for."
        if np.allclose(times, times[0], rtol=1e-4):
            return [f"Your result is {_times(times[0])}{key}{plus}"]
        for name in counts[0]:
            if not any(count[name] == 0 for count in counts):
                of_count = times / [count[name] for count in counts]
                if np.allclose(of_count, of_count[0], rtol=1e-4):
                    return [f"Your result is {_times(of_count[0])}{name} times {key}{plus}"]
    return []


def _fitted(answer: Answer, right: np.ndarray, other: np.ndarray) -> tuple[float, float] | None:
    """The two numbers, neither of them 0, with which the right result and another array add up to the answer."""
    terms = np.stack([right.ravel(), other.ravel()], axis=1)
    by, times = np.linalg.lstsq(terms, answer.values.ravel(), rcond=None)[0]
    found = min(abs(by), abs(times)) > 1e-6 and _close(answer, answer.values, by * right + times * other)
    return (by, times) if found else None


def _mean_or_sum(factors: Sequence[float]) -> str:
    """A question, if a number or a length may have been divided by, or not."""
    whole = [factor if factor > 1 else 1 / factor for factor in factors if factor > 0]
    likely = len(whole) == len(factors) and np.allclose(whole, np.round(whole), rtol=1e-4)
    return " Is it a mean where the sum is due, or the other way round?" if likely else ""


def _times(factor: float) -> str:
    return "" if np.isclose(factor, 1) else f"{_precisely(float(factor))} times "


def _offset(pairs):
    differences = [answer.values - right for answer, right in pairs]
    if pairs[0][1].size > 1 and all(np.ptp(d) <= 1e-6 * np.abs(d).max() for d in differences):
        by = _precisely(float(differences[0].flat[0]))
        return [f"Every entry is off by the same number, {by} for the first input."]
    return []


def _running_sum(pairs):
    if pairs[0][1].size > 1 and all(_close(a, a.values, np.cumsum(e).reshape(e.shape)) for a, e in pairs):
        return ["Each entry is the sum of the right one and all before it: set the sum back to 0 for each entry."]
    return []


def _signs(pairs):
    if all(_close(a, np.abs(a.values), np.abs(e)) and not _close(a, a.values, -e) for a, e in pairs):
        return ["The absolute values are right; the signs are not."]
    if all(_close(a, a.values, np.maximum(e, 0)) for a, e in pairs):
        return ["It is right where it is positive, and 0 where it should be negative."]
    return []


def _rounded(pairs):
    for places in range(6):
        if all(_close(a, a.values, np.round(e, places)) for a, e in pairs):
            to = f" to {places} decimal{_s(places)}" if places else ""
            return [f"Your numbers are rounded{to}; keep them as they are."]
    return []


def _nearly(pairs):
    """Whether all is right but for the last digits, which is no slip but an approximation."""
    errors = [np.abs(a.values - e).max(initial=0) / (np.abs(e).max(initial=0) or 1) for a, e in pairs]
    digits = int(-np.log10(max(errors)))
    if digits < 2:
        return []
    return [
        f"Right to {digits} digits, and no further: is there an ε in a division or a root, a gradient found by "
        "nudging, or a number that was rounded on the way?"
    ]


def _arrangements(shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """The ways to exchange and reverse axes, simplest first."""
    axes = range(len(shape))
    turns = [tuple(a for a in axes if turn[a]) for turn in product((0, 1), repeat=len(shape))]
    ways = product(permutations(axes), turns)
    for order, reverse in sorted(ways, key=lambda way: (way[0] != tuple(axes), len(way[1]))):
        yield _arrangement(order, reverse, len(shape)), order, reverse


def _arrangement(order: tuple[int, ...], reverse: tuple[int, ...], count: int) -> str:
    parts = []
    if order != tuple(range(count)):
        parts.append("transposed" if count == 2 else f"with its axes in the order {order}")
    if reverse:
        if count == 2:
            words: dict[tuple[int, ...], str] = {(0,): "mirrored top to bottom", (1,): "mirrored left to right"}
            parts.append(words.get(reverse, "turned by 180°"))
        else:
            parts.append(f"reversed along {'axis' if len(reverse) == 1 else 'axes'} {', '.join(map(str, reverse))}")
    return " and ".join(parts)


def _rearrangement(pairs):
    if 2 <= pairs[0][1].ndim <= 4:
        for words, order, reverse in _arrangements(pairs[0][1].shape):
            if words and all(_is_rearranged(answer, right, order, reverse) for answer, right in pairs):
                return [f"Your result is the right one, {words}."]
    if all(_close(a, np.sort(a.values, axis=None), np.sort(e, axis=None)) for a, e in pairs):
        return ["The numbers are right, but they stand in other places."]
    return []


def _rearranged(answer: Answer, expected: np.ndarray) -> list[str]:
    if answer.values.ndim == expected.ndim and 2 <= expected.ndim <= 4:
        for words, order, reverse in _arrangements(expected.shape):
            if _is_rearranged(answer, expected, order, reverse):
                return [f"It is the right one, {words}."]
    return []


def _is_rearranged(answer: Answer, expected: np.ndarray, order: tuple[int, ...], reverse: tuple[int, ...]) -> bool:
    turned = np.flip(expected.transpose(order), reverse)
    return turned.shape == answer.shape and answer.equals(turned)


def _part_of(answer: Answer, expected: np.ndarray) -> list[str]:
    """Whether it is the right result with a margin, or a part of it."""
    if answer.values.ndim != expected.ndim or not answer.values.size:
        return []
    for small, large, word in (
        (expected, answer.values, "The right result is a part of yours: it begins at {}."),
        (answer.values, expected, "It is a part of the right result, the one that begins at {}."),
    ):
        room = [m - n for n, m in zip(small.shape, large.shape, strict=True)]
        if min(room) >= 0 and prod(n + 1 for n in room) <= _PLACES and small.size > 1 and small.any():
            for corner in np.ndindex(*[n + 1 for n in room]):
                part = large[tuple(slice(c, c + n) for c, n in zip(corner, small.shape, strict=True))]
                if _close(answer, small, part):
                    return [word.format(tuple(int(n) for n in corner))]
    return []


def _shift(pairs, axes):
    """Whether it is the right one moved by a few rows and columns."""
    if "row" not in axes:
        return []
    rows, columns = axes.index("row"), axes.index("column")
    steps = sorted(product(range(-2, 3), repeat=2), key=lambda step: abs(step[0]) + abs(step[1]))
    for down, right in steps[1:]:
        parts = [(a, *_moved(a.values, e, (rows, down), (columns, right))) for a, e in pairs]
        if all(part.size > 1 and part.any() and _close(a, mine, part) for a, mine, part in parts):
            by = f"{number(down)} row{_s(down)} and {number(right)} column{_s(right)}"
            return [f"Your numbers are right, but moved by {by}."]
    return []


def _s(count: int) -> str:
    return "" if abs(count) == 1 else "s"


def _moved(mine, right, *steps):
    for axis, step in steps:
        n = right.shape[axis]
        mine = np.take(mine, range(max(step, 0), max(n + min(step, 0), 0)), axis)
        right = np.take(right, range(max(-step, 0), max(n - max(step, 0), 0)), axis)
    return mine, right


def _on_some_inputs(wrong: int, of: int) -> list[str]:
    return [f"Your result is right on {of - wrong} of {of} inputs."] if 0 < wrong < of else []


def _where(wrong, axes: Sequence[str]) -> list[str]:
    """Which entries of the wrong answers are right: all inside, all of a channel, all but a few."""
    right = [answer.agrees(expected) for answer, expected in wrong]
    answer, expected = wrong[0]
    if not right[0].any():
        return ["No entry is right."]
    said = _border(wrong, right, axes) if "row" in axes else []
    for axis, name in reversed(list(enumerate(axes))):
        said = said or _along(wrong, right, axis, name)
    if not said and not answer.values[~right[0]].any():
        said = ["It is right wherever it is not zero: something is missing where it is."]
    elif not said and not expected[~right[0]].any():
        said = ["It is right except where 0 is expected."]
    count = right[0].sum()
    return [*said, f"{count} of {right[0].size} entries {'is' if count == 1 else 'are'} right."]


def _along(wrong, right, axis: int, name: str) -> list[str]:
    """Which rows, columns, channels are right, if some are in each of the wrong answers, and not as they hold zeros."""
    good = [
        [n for n in range(r.shape[axis]) if r.take(n, axis).all() and e.take(n, axis).any()]
        for r, (_, e) in zip(right, wrong, strict=True)
    ]
    if not all(good):
        return []
    return [f"Right in {name}{_s(len(good[0]))} {', '.join(map(str, good[0]))}, wrong in the others."]


def _border(wrong, right, axes) -> list[str]:
    others = tuple(axis for axis, name in enumerate(axes) if name not in ("row", "column"))
    planes = [r.all(axis=others) for r in right]
    # Where there are larger ones, nothing is asked of what has no inside to speak of.
    least = next((n for n in (4, 3, 2) if any(min(plane.shape) > n for plane in planes)), None)
    if least is None:
        return []
    planes = [plane for plane in planes if min(plane.shape) > least]
    # The fewest sides that explain all that is wrong.
    for sides in (some for count in range(1, 5) for some in combinations(("top", "bottom", "left", "right"), count)):
        if all(_only_at(sides, plane) for plane in planes):
            empty = all(not answer.values[~r].any() for r, (answer, _) in zip(right, wrong, strict=True))
            question = "it is 0 there. How far do your loops or slices go?" if empty else "what lies outside the array?"
            return [f"Right inside, wrong at the border ({', '.join(sides)}): {question}"]
    return []


def _only_at(sides: Sequence[str], right: np.ndarray) -> bool:
    """Whether all is right but for a few rows and columns at these sides, and at least half of those is wrong."""
    rows, columns = right.shape
    for m, n in product((1, 2, 3), repeat=2):
        if rows > 2 * m and columns > 2 * n:
            top, left = m * ("top" in sides), n * ("left" in sides)
            bottom, end = rows - m * ("bottom" in sides), columns - n * ("right" in sides)
            inside = right[top:bottom, left:end]
            if inside.all() and 2 * np.count_nonzero(~right) >= right.size - inside.size:
                return True
    return False
