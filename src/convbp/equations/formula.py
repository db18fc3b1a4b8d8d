r"""Formulas as trees: each is written once, and from that one object follow its LaTeX, its value, its terms, its reads.

    Σ = total((m, 0, k1 - 1), (n, 0, k2 - 1))
    Formula(Σ(δ[i_ - m, j_ - n] * w[m, n]), over((i_, 0, H - 1), (j_, 0, W - 1)))

A node prints itself (``latex``) and evaluates itself (``value``) from the same fields, so neither changes without the
other. Values are computed for all entries at once: every index is an integer array, a letter reads the entries there
and 0 outside, and a sum adds axes and removes them. Nothing is asked of entries but + and ·, so integers, Fractions,
sympy's symbols and a `convbp.sums.Sum` come through exactly; what has no value is `UNDEFINED`.

A *case* says what the letters are: ``case.map(letter)``, ``case.size(name)``, ``case.apply(name, values)`` and
``case.differentiate(function)`` and
``case.agree(left, right)``; `convbp.equations.cases.Case` and `convbp.equations.terms.Arrays` have these.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property, reduce
from math import isqrt
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np


class Undefined:
    """The value of what has none: it comes through every computation, and equals nothing, itself included."""

    def _itself(self, *_):
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __pow__ = __neg__ = _itself
    __hash__ = object.__hash__

    def __eq__(self, other):
        return False

    # The larger of it and a number, whichever comes first, is it again.
    def __ge__(self, other):
        return True

    def __le__(self, other):
        return False

    def __repr__(self):
        return "?"


UNDEFINED = Undefined()


class Map:
    """An array as the equations read it: ``a(i, j)`` is the entry there, or 0 (``outside``) where there is none."""

    def __init__(self, entries, outside=0):
        self.array = np.asarray(entries, dtype=object)
        self.shape = self.array.shape
        self.outside = outside

    @cached_property
    def _bordered(self) -> np.ndarray:
        """With one entry more at the end of each axis, for what is read outside."""
        bordered = np.full([size + 1 for size in self.shape], self.outside, dtype=object)
        bordered[tuple(map(slice, self.shape))] = self.array
        return bordered

    def read(self, *index):
        """The entries at arrays of indices; an index too many or too few has no value."""
        if len(index) != len(self.shape) or any(at is UNDEFINED for at in index):
            return UNDEFINED
        places = [np.where((at >= 0) & (at < size), at, size) for at, size in zip(index, self.shape, strict=True)]
        return self._bordered[tuple(places)]

    def __call__(self, *index):
        """One entry."""
        if len(index) != len(self.shape):
            return UNDEFINED
        inside = all(0 <= at < size for at, size in zip(index, self.shape, strict=True))
        return self.array[index] if inside else self.outside

    def with_entry(self, index, value) -> "Map":
        """The same but for one entry."""
        array = self.array.copy()
        array[index] = value
        return Map(array)

    def rot180(self) -> "Map":
        return Map(self.array[::-1, ::-1])


@dataclass(frozen=True)
class Node:
    """A part of a formula. Its fields are what it is made of; ``silent`` ones are not printed as such."""

    silent: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:  # a field of some, a property of others

        @property
        def latex(self) -> str: ...

    def parts(self, printed: bool = True):
        """Yield ``(field, number or None, part)`` for the nodes that it is made of."""
        for part in fields(self):
            value = getattr(self, part.name)
            if printed and part.name in self.silent:
                continue
            if isinstance(value, Node):
                yield part.name, None, value
            elif isinstance(value, tuple):
                for n, one in enumerate(value):
                    if isinstance(one, Node):
                        yield part.name, n, one

    def walk(self, path: tuple = ()):
        """Yield ``(path, node)`` for it and for every printed part of it."""
        yield path, self
        for name, n, part in self.parts():
            yield from part.walk((*path, (name, n)))

    def at_path(self, path: tuple) -> "Node":
        """The part that `walk` gave with this path."""
        for name, n in path:
            self = getattr(self, name) if n is None else getattr(self, name)[n]
        return self

    def with_part(self, path: tuple, part: "Node") -> Any:
        """The same with another part at this path."""
        if not path:
            return part
        (name, n), *rest = path
        old = getattr(self, name)
        if n is None:
            return replace(self, **{name: old.with_part(tuple(rest), part)})
        return replace(self, **{name: (*old[:n], old[n].with_part(tuple(rest), part), *old[n + 1 :])})

    def where(self, meanings: Mapping) -> Any:
        """The same with other nodes for those that are keys."""
        if self in meanings:
            return meanings[self]
        changes = {}
        for name, n, part in self.parts(printed=False):
            other = part.where(meanings)
            if n is None:
                changes[name] = other
            else:
                old = changes.get(name, getattr(self, name))
                changes[name] = (*old[:n], other, *old[n + 1 :])
        return replace(self, **changes) if changes else self


class Expression(Node):
    """A number that is printed."""

    def __add__(self, other):
        return Plus(self, expression(other))

    def __radd__(self, other):
        return Plus(expression(other), self)

    def __sub__(self, other):
        return Plus(self, expression(other), "-")

    def __rsub__(self, other):
        return Plus(expression(other), self, "-")

    def __mul__(self, other):
        return product(self, other, sign=r"\, ")

    def __pow__(self, other):
        return Power(self, other)

    def __neg__(self):
        return Negative(self)

    @property
    def compact(self) -> str:
        """As it is printed within an index or a limit."""
        return re.sub(r"(\\[a-zA-Z]+ (?=[a-zA-Z]))| ", r"\1", self.latex)  # but for the space that ends a command

    def value(self, case, at):
        """The number on this case, at these values of the indices."""
        raise NotImplementedError


def expression(value) -> Expression:
    return value if isinstance(value, Expression) else Number(value)


# Numbers and indices.


@dataclass(frozen=True)
class Number(Expression):
    number: Any
    latex: str = ""

    def __post_init__(self):
        object.__setattr__(self, "latex", self.latex or str(self.number))

    def value(self, case, at):
        return self.number


@dataclass(frozen=True)
class Index(Expression):
    """A letter that counts; it has no value where no sum and no entry gives it one."""

    latex: str

    def value(self, case, at):
        return at.get(self.latex, UNDEFINED)


@dataclass(frozen=True)
class Size(Expression):
    """A letter for the length of an axis, which the case has."""

    latex: str

    def value(self, case, at):
        return case.size(self.latex)


@dataclass(frozen=True)
class Plus(Expression):
    left: Expression
    right: Expression
    sign: str = "+"

    @property
    def latex(self) -> str:
        right = self.right.latex
        if right.startswith("-") or (self.sign == "-" and isinstance(self.right, Plus)):
            right = f"({right})"
        return f"{self.left.latex} {self.sign} {right}"

    def value(self, case, at):
        left, right = self.left.value(case, at), self.right.value(case, at)
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED  # and not an array of it, which would be no index
        return left + right if self.sign == "+" else left - right


@dataclass(frozen=True)
class Negative(Expression):
    of: Expression

    @property
    def latex(self) -> str:
        return f"-({self.of.latex})" if isinstance(self.of, Plus) else f"-{self.of.latex}"

    def value(self, case, at):
        return -self.of.value(case, at)


@dataclass(frozen=True)
class Block(Expression):
    """The number of the block in which an index lies."""

    of: Expression
    length: Expression

    @property
    def latex(self) -> str:
        return rf"\lfloor {self.of.latex}/{self.length.latex} \rfloor"

    def value(self, case, at):
        return self.of.value(case, at) // self.length.value(case, at)


@dataclass(frozen=True)
class Clipped(Expression):
    """An index that is moved to the nearest end of its range where it lies beyond."""

    of: Expression
    last: Expression

    @property
    def latex(self) -> str:
        return self.of.latex

    def value(self, case, at):
        return np.clip(self.of.value(case, at), 0, self.last.value(case, at))


@dataclass(frozen=True)
class Place(Node):
    """A name for several indices together, as Q for (i, j)."""

    latex: str
    indices: tuple[Expression, ...]
    silent = ("indices",)


# Arrays.


class Array(Node):
    """What has entries: ``a[i, j]`` is one, with subscripts.

    ``a.joined(i, j)`` prints no commas, and ``a.bare(i, j)`` no indices.
    """

    name: str  # of a `Letter`

    @property
    def text(self) -> str:
        """As it is written in a line of text."""
        raise NotImplementedError

    def __getitem__(self, indices):
        return At(self, _indices(indices))

    def joined(self, *indices):
        return At(self, _indices(indices), "joined")

    def bare(self, *indices):
        return At(self, _indices(indices), "bare")

    def shape(self, case) -> tuple[int, ...]:
        raise NotImplementedError

    def read(self, case, at, indices):
        """The entries at arrays of indices."""
        raise NotImplementedError


@dataclass(frozen=True)
class Letter(Array):
    """An array by its letter; ``name`` is what a case calls it, and ``a(i, j)`` an entry with brackets."""

    latex: str
    name: str
    first: tuple[int, ...] = ()  # the index of its first entry, if that is not 0

    @property
    def text(self) -> str:
        base = self.latex.split("^")[0]
        return {r"\delta": "δ"}.get(base, base)

    def __call__(self, *indices):
        return At(self, _indices(indices), "brackets")

    def shape(self, case) -> tuple[int, ...]:
        return case.map(self).shape

    def read(self, case, at, indices):
        if self.first and len(self.first) == len(indices):
            indices = [index - first for index, first in zip(indices, self.first, strict=True)]
        value = case.map(self).read(*indices)
        if ("step", self.name) not in at or value is UNDEFINED:
            return value
        # Within a derivative by one of its entries, this entry is moved by a step.
        here = reduce(np.logical_and, [i == at["moved", self.name, axis] for axis, i in enumerate(indices)])
        return value + np.asarray(here).astype(int).astype(object) * at["step", self.name]


def _indices(indices) -> tuple:
    indices = indices if isinstance(indices, tuple) else (indices,)
    return tuple(index if isinstance(index, Place) else expression(index) for index in indices)


@dataclass(frozen=True)
class Turned(Array):
    """rot180 of a map."""

    of: Array
    braces: bool = False

    @property
    def latex(self) -> str:
        inside = self.of.latex
        if self.braces:
            inside = rf"\{{{inside}\}}"
        elif isinstance(self.of, Slid):
            inside = f"({inside})"
        elif not inside.startswith("\\"):
            inside = f" {inside}"
        return rf"\mathrm{{rot}}_{{180^\circ}}{inside}"

    @property
    def text(self) -> str:
        return f"rot180({self.of.text})"

    def shape(self, case) -> tuple[int, ...]:
        return self.of.shape(case)

    def read(self, case, at, indices):
        ends = zip(self.shape(case), indices, strict=True)
        return self.of.read(case, at, [size - 1 - index for size, index in ends])


FROM_THE_END, FROM_THE_MIDDLE = "negative from the end", "from the middle"


@dataclass(frozen=True)
class Counted(Array):
    """A map that is counted in another way: negative indices from its end, or all of them from its middle."""

    of: Array
    way: str

    @property
    def latex(self) -> str:
        return self.of.latex

    def shape(self, case) -> tuple[int, ...]:
        return self.of.shape(case)

    def read(self, case, at, indices):
        sizes = list(self.shape(case))
        if self.way == FROM_THE_END:
            indices = [np.where(index < 0, index + size, index) for size, index in zip(sizes, indices, strict=True)]
        elif all(size % 2 for size in sizes):
            indices = [index + size // 2 for size, index in zip(sizes, indices, strict=True)]
        else:
            return UNDEFINED  # no middle
        return self.of.read(case, at, indices)


VALID, FULL = "valid", "full"


@dataclass(frozen=True)
class Slid(Array):
    r"""One map slid over another: \otimes as in Eq. 1, * as in Eq. 2, with zero outside.

    Its entries are counted as these equations count them, or, of a ``part``, from the part's own first entry. In full
    means with zeros outside.
    """

    operator: str
    left: Array
    right: Array
    part: str = ""

    @property
    def latex(self) -> str:
        return f"{self.left.latex} {self.operator} {self.right.latex}"

    @property
    def text(self) -> str:
        return f"{self.left.text} {'⊗' if self.operator == OTIMES else '∗'} {self.right.text}"

    def shape(self, case) -> tuple[int, ...]:
        sizes = zip(self.left.shape(case), self.right.shape(case), strict=True)
        return tuple(abs(a - b) + 1 if self.part == VALID else a + b - 1 for a, b in sizes)

    def read(self, case, at, indices):
        left, right, sign = self.left, self.right, 1 if self.operator == OTIMES else -1
        if self.part == FULL:
            case = getattr(case, "with_zeros", case)
        sizes = list(zip(left.shape(case), right.shape(case), strict=True))
        if self.part == VALID and sign < 0:
            indices = [index + min(size) - 1 for index, size in zip(indices, sizes, strict=True)]
        if self.part == FULL and sign > 0:
            indices = [index - size[1] + 1 for index, size in zip(indices, sizes, strict=True)]
        # A convolution is commutative. The sum is over the map on the right, or that which is turned, as it slides.
        slides = left if sign < 0 and isinstance(left, Turned) else right
        ranges = [(0, size - 1) for size in slides.shape(case)]
        at, (places, _) = _widened(at, len(ranges)), _places(ranges)
        new = (..., *[None] * len(ranges))
        met = [np.asarray(index)[new] + sign * m for index, m in zip(indices, places, strict=True)]
        where = (places, met) if slides is left else (met, places)
        return _added(left.read(case, at, where[0]) * right.read(case, at, where[1]), places)


OTIMES, STAR = r"\otimes", "*"


def _widened(at: dict, axes: int) -> dict:
    """The indices with room for so many more axes at the end."""
    new = (..., *[None] * axes)
    return {name: value[new] if isinstance(value, np.ndarray) else value for name, value in at.items()}


def _places(ranges: list) -> tuple[list[np.ndarray], Any]:
    """Arrays of the indices from first to last, each along its own axis; and where they lie within limits that vary."""
    places, inside = [], None
    for axis, (first, last) in enumerate(ranges):
        shape = [1] * len(ranges)
        shape[axis] = -1
        place = np.arange(np.min(first), np.max(last) + 1).reshape(shape)
        places.append(place)
        if np.size(first) > 1 or np.size(last) > 1:
            within = (place >= first) & (place <= last)
            inside = within if inside is None else inside & within
    return places, inside


def _added(values, places: list[np.ndarray], inside=None):
    """The sum over the last axes, which belong to the places."""
    values = np.asarray(values, dtype=object)
    if inside is not None:
        values = np.where(inside, values, 0)
    lengths = tuple(place.size for place in places)
    outer = np.broadcast_shapes(values.shape, lengths)[: -len(lengths)]
    values = np.broadcast_to(values, (*outer, *lengths)).reshape(*outer, int(np.prod(lengths)))
    return np.asarray(np.add.reduce(values, axis=-1), dtype=object)


@dataclass(frozen=True)
class At(Expression):
    """An entry of a map."""

    of: Array
    indices: tuple
    style: str = "subscripts"

    @property
    def latex(self) -> str:
        if isinstance(self.of, Turned) and self.style == "turned within":  # rot180 w_{m,n} for (rot180 w)_{m,n}
            return Turned(Letter(At(self.of.of, self.indices).latex, ""), self.of.braces).latex
        letter, printed = self.of.latex, [getattr(index, "compact", index.latex) for index in self.indices]
        if isinstance(self.of, Slid | Turned) and self.style != "bare":
            letter = rf"\big({letter}\big)" if "^" in letter.replace(r"180^\circ", "") else f"({letter})"
        if not printed or self.style == "bare":
            return letter
        if self.style == "brackets":
            return f"{letter}({', '.join(printed)})"
        if isinstance(self.indices[0], Place):
            base, *above = letter.split("^") if isinstance(self.of, Letter) else [letter]
            subscript = printed[0] if len(printed[0]) == 1 else f"{{{printed[0]}}}"
            return "^".join([f"{base}_{subscript}", *above])
        wide = any("_" in index for index in printed)
        subscript = ("" if self.style == "joined" else r",\," if wide else ",").join(printed)
        return f"{letter}_{subscript}" if len(subscript) == 1 else f"{letter}_{{{subscript}}}"

    def parts(self, printed: bool = True):
        return ((name, k, one) for name, k, one in super().parts() if not (printed and self._hides(name)))

    def _hides(self, name: str) -> bool:
        return self.style == "bare" and name == "indices"

    @property
    def places(self) -> list[Expression]:
        """The indices one by one."""
        return [one for index in self.indices for one in (index.indices if isinstance(index, Place) else (index,))]

    def value(self, case, at):
        indices = [index.value(case, at) for index in self.places]
        if any(index is UNDEFINED for index in indices):
            return UNDEFINED
        return self.of.read(case, at, [np.asarray(index) for index in indices])


# What is made of numbers.


def product(*factors, sign: str) -> "Product":
    first = factors[0]
    if isinstance(first, Product) and first.sign == sign:
        factors = (*first.factors, *factors[1:])
    return Product(tuple(map(expression, factors)), sign)


def beside(*factors) -> "Product":
    """A product printed without a sign between its factors."""
    return product(*factors, sign=" ")


def dot(*factors) -> "Product":
    return product(*factors, sign=r" \cdot ")


@dataclass(frozen=True)
class Product(Expression):
    factors: tuple[Expression, ...]
    sign: str = r"\, "

    @property
    def latex(self) -> str:
        printed = [f"({factor.latex})" if _is_open(factor) else factor.latex for factor in self.factors]
        text = printed[0]
        for before, factor, written in zip(self.factors, self.factors[1:], printed[1:], strict=False):
            fraction = isinstance(before, Partial) or isinstance(factor, Partial | Derivative)
            text += (" " if fraction else self.sign) + written
        return text

    def value(self, case, at):
        return reduce(lambda one, other: one * other, (factor.value(case, at) for factor in self.factors))


def _is_open(factor: Expression) -> bool:
    """Whether brackets are needed around it as a factor."""
    return isinstance(factor, Plus) or (
        isinstance(factor, At) and factor.style == "bare" and isinstance(factor.of, Slid)
    )


@dataclass(frozen=True)
class Power(Expression):
    of: Expression
    exponent: int

    @property
    def latex(self) -> str:
        base = f"({self.of.latex})" if isinstance(self.of, Plus | Negative) else self.of.latex
        return f"{base}^{self.exponent}"

    def value(self, case, at):
        value = self.of.value(case, at)
        return reduce(lambda one, other: one * other, [value] * self.exponent)


@dataclass(frozen=True)
class Ratio(Expression):
    """A fraction of integers, exact."""

    above: Expression
    below: Expression

    @property
    def latex(self) -> str:
        return rf"\frac{{{self.above.latex}}}{{{self.below.latex}}}"

    def value(self, case, at):
        return _ratio(self.above.value(case, at), self.below.value(case, at))


def _exact_ratio(above, below):
    return UNDEFINED if below is UNDEFINED or below == 0 else Fraction(1, below) * above


_ratio = np.frompyfunc(_exact_ratio, 2, 1)


@dataclass(frozen=True)
class Root(Expression):
    """The square root of a square."""

    of: Expression

    @property
    def latex(self) -> str:
        return rf"\sqrt{{\textstyle{self.of.latex}}}"

    def value(self, case, at):
        return np.frompyfunc(lambda a: isqrt(a) if a >= 0 else UNDEFINED, 1, 1)(self.of.value(case, at))


@dataclass(frozen=True)
class Range:
    """An index from its first to its last value."""

    index: Index
    first: Expression
    last: Expression


@dataclass(frozen=True)
class Limits(Node):
    """An index of a sum, from its first to its last value; ``said`` are those that are printed."""

    index: Index
    first: Expression
    last: Expression
    said: bool = True

    @property
    def latex(self) -> str:
        if not self.said:
            return rf"\sum_{{{self.index.latex}}}" if len(self.index.latex) > 1 else rf"\sum_{self.index.latex}"
        return rf"\sum_{{{self.index.latex}={self.first.compact}}}^{{{self.last.compact}}}"

    def parts(self, printed: bool = True):
        return super().parts(printed) if self.said or not printed else iter(())

    def of(self, case, at):
        return self.first.value(case, at), self.last.value(case, at)


@dataclass(frozen=True)
class Total(Expression):
    """Σ over one or several indices; ``over`` is printed in their place, if it has something to say."""

    limits: tuple[Limits, ...]
    term: Expression
    over: str = ""

    @property
    def latex(self) -> str:
        wide = any(limits.first != Number(0) for limits in self.limits if limits.said and limits.last == Number(0))
        signs = self.over or ("\\ " if wide else "").join(limits.latex for limits in self.limits)
        return f"{signs} ({self.term.latex})" if isinstance(self.term, Plus) else f"{signs} {self.term.latex}"

    def parts(self, printed: bool = True):
        return ((n, k, part) for n, k, part in super().parts(printed) if not (printed and self.over and n == "limits"))

    def value(self, case, at, but=()):
        """``but`` are places that are left out, each given by the values of the indices."""
        at = _widened(at, len(self.limits))
        ranges = [limits.of(case, at) for limits in self.limits]
        if any(end is UNDEFINED for ends in ranges for end in ends):
            return UNDEFINED
        places, inside = _places(ranges)
        if any(place.size == 0 for place in places):
            return 0
        at |= {limits.index.latex: place for limits, place in zip(self.limits, places, strict=True)}
        for left_out in but:
            new = (..., *[None] * len(places))
            same = reduce(np.logical_and, [p == np.asarray(v)[new] for p, v in zip(places, left_out, strict=True)])
            inside = ~same if inside is None else inside & ~same
        return _added(self.term.value(case, at), places, inside)


def total(*ranges, said: bool = True, over: str = ""):
    """Σ over ``(index, first, last)``, … of a term: ``total((m, 0, k1 - 1))(w[m])``."""
    limits = tuple(Limits(index, expression(first), expression(last), said) for index, first, last in ranges)
    return lambda term: Total(limits, term, over)


@dataclass(frozen=True)
class Written(Expression):
    r"""A sum written out in part: some of its terms, and dots for all others. What stands there twice is one term."""

    shown: tuple[Expression, ...]
    whole: Total
    places: tuple[tuple, ...]  # at which values of the indices of the sum the shown terms stand
    silent = ("whole", "places")

    @property
    def latex(self) -> str:
        return "".join(rf"{term.latex} + \dots + " for term in self.shown).removesuffix(" + ")

    def where(self, meanings):
        places = tuple(tuple(expression(v).where(meanings) for v in place) for place in self.places)
        return replace(
            self,
            shown=tuple(term.where(meanings) for term in self.shown),
            whole=self.whole.where(meanings),
            places=places,
        )

    def value(self, case, at):
        places = [[expression(index).value(case, at) for index in place] for place in self.places]
        value = self.whole.value(case, at, but=places)
        for n, term in enumerate(self.shown):
            again = [self._same(n, earlier, case, at) for earlier in range(n)]
            once = 1 - reduce(np.logical_or, again).astype(int).astype(object) if again else 1
            value = term.value(case, at) * once + value
        return value

    @cached_property
    def _reads(self) -> list[tuple[list, list]]:
        """For each shown term the maps that it reads, and at which indices."""
        reads = [[part for _, part in term.walk() if isinstance(part, At)] for term in self.shown]
        return [([part.of for part in parts], [index for part in parts for index in part.places]) for parts in reads]

    def _same(self, one: int, other: int, case, at):
        """Where two of the shown terms are one, entry by entry."""
        (maps, indices), (other_maps, other_indices) = self._reads[one], self._reads[other]
        if maps != other_maps:
            return np.asarray(False)
        pairs = [[index.value(case, at) for index in both] for both in zip(indices, other_indices, strict=True)]
        if any(index is UNDEFINED for pair in pairs for index in pair):
            return np.asarray(False)
        return np.asarray(reduce(np.logical_and, [np.equal(*pair) for pair in pairs]))


@dataclass(frozen=True)
class Apply(Expression):
    """The activation, or its derivative, of a number."""

    name: str  # f or f'
    of: Expression

    @property
    def latex(self) -> str:
        inside = self.of.latex
        return rf"{self.name}\big({inside}\big)" if set("'+-") & set(inside) else f"{self.name}({inside})"

    def value(self, case, at):
        value = self.of.value(case, at)
        return value if value is UNDEFINED else case.apply(self.name, np.asarray(value, dtype=object))


@dataclass(frozen=True)
class Partial(Expression):
    """A derivative that the case has, found by central differences through the forward pass: ∂E/∂w, ∂x/∂w, …."""

    of: At
    by: At

    @property
    def latex(self) -> str:
        return rf"\frac{{\partial {self.of.latex}}}{{\partial {self.by.latex}}}"

    def value(self, case, at):
        found = Letter("", f"{self.of.of.name}_by_{self.by.of.name}")
        return At(found, (*self.of.indices, *self.by.indices)).value(case, at)


@dataclass(frozen=True)
class Derivative(Expression):
    """∂/∂(an entry) of what stands there, by moving this entry."""

    by: At
    of: Expression

    @property
    def latex(self) -> str:
        inside = f" {self.of.latex}" if isinstance(self.of, Apply) else rf"\Big({self.of.latex}\Big)"
        return rf"\frac{{\partial}}{{\partial {self.by.latex}}}{inside}"

    def value(self, case, at):
        name = self.by.of.name
        moved = {("moved", name, axis): index.value(case, at) for axis, index in enumerate(self.by.places)}
        return case.differentiate(lambda step: self.of.value(case, at | moved | {("step", name): step}))


@dataclass(frozen=True)
class Entries(Expression):
    r"""A star between entries, where maps are meant: rot180{w_{m,n}} * o_{i,j}, the entry (i, j) of rot180{w} * o.

    The indices of the map that is turned mean nothing; the others say which entry it is. ``part`` is that of `Slid`.
    """

    operator: str
    left: At
    right: At
    part: str = ""

    @property
    def latex(self) -> str:
        left, right = (
            replace(side, style="turned within").latex if isinstance(side.of, Turned) else side.latex
            for side in (self.left, self.right)
        )
        operator = rf"\overset{{\text{{{self.part}}}}}{{{self.operator}}}" if self.part else self.operator
        return f"{left} {operator} {right}"

    @property
    def slid(self) -> Slid:
        """The maps that are meant."""
        return Slid(self.operator, self.left.of, self.right.of, self.part)

    @property
    def entry(self) -> At:
        """The side that says which entry it is; the left one, if both are turned."""
        left, right = (isinstance(side.of, Turned) for side in (self.left, self.right))
        return self.right if left and not right else self.left

    def value(self, case, at):
        return At(self.slid, self.entry.indices).value(case, at)


@dataclass(frozen=True)
class TurnedSum(Expression):
    """rot180 of the map of all values of an expression, which is printed around the expression for one entry."""

    of: Expression
    ranges: tuple[Range, ...]  # the indices of the map
    silent = ("ranges",)

    @property
    def latex(self) -> str:
        return rf"\mathrm{{rot}}_{{180^\circ}}\Big\{{{self.of.latex}\Big\}}"

    def value(self, case, at):
        ends = {r.index.latex: r.first.value(case, at) + r.last.value(case, at) for r in self.ranges}
        return self.of.value(case, at | {name: end - at[name] for name, end in ends.items()})


@dataclass(frozen=True)
class InPart(Expression):
    """An expression of whole maps, and in words which part of them is meant."""

    of: Expression

    @property
    def part(self) -> str:
        return next(node.part for _, node in self.of.walk() if isinstance(node, Slid))

    @property
    def latex(self) -> str:
        return rf"{self.of.latex} \text{{, {self.part}}}"

    def value(self, case, at):
        return self.of.value(case, at)


@dataclass(frozen=True)
class Both(Expression):
    """left = right on one line; it has a value where both have the same."""

    left: Expression
    right: Expression

    @property
    def latex(self) -> str:
        return f"{self.left.latex} = {self.right.latex}"

    def value(self, case, at):
        left, right = (np.asarray(side.value(case, at), dtype=object) for side in (self.left, self.right))
        return np.where(np.asarray(case.agree(left, right)).astype(bool), left, np.array(UNDEFINED))


@dataclass(frozen=True)
class Largest(Expression):
    """1 if an entry is the largest of its block, else 0."""

    entry: At
    length: Expression
    silent = ("length",)

    @property
    def latex(self) -> str:
        return (
            rf"\begin{{cases}}1 & \text{{if }} {self.entry.latex} \text{{ is the largest of its block}}\\ "
            r"0 & \text{else}\end{cases}"
        )

    def value(self, case, at):
        length, own = self.length.value(case, at), [index.value(case, at) for index in self.entry.places]
        places, _ = _places([(0, length - 1)] * len(own))
        new = (..., *[None] * len(own))
        block = [np.asarray(index)[new] // length * length + place for index, place in zip(own, places, strict=True)]
        most = np.maximum.reduce(self.entry.of.read(case, at, block), axis=(-2, -1))
        return (self.entry.value(case, at) == most).astype(int).astype(object)


@dataclass(frozen=True)
class Defined(Expression):
    """A letter that stands for an expression, which is printed `With` it."""

    latex: str

    def value(self, case, at):
        return at[self.latex]


@dataclass(frozen=True)
class With(Expression):
    """An expression, and after it what a letter in it stands for; in short, without indices."""

    of: Expression
    letter: Defined
    short: str
    meaning: Expression

    @property
    def latex(self) -> str:
        return rf"{self.of.latex},\quad {self.short} = {self.meaning.latex}"

    def value(self, case, at):
        return self.of.value(case, at | {self.letter.latex: self.meaning.value(case, at)})


@dataclass(frozen=True)
class Judged(Expression):
    """What an equation is about, computed by something that does not know the formula: a left side."""

    printed: Expression
    by: Any  # a function from a case to an array over the indices of the formula
    indices: tuple[Expression, ...] = field(default=())

    @property
    def latex(self) -> str:
        return self.printed.latex

    def value(self, case, at):
        indices = self.indices or getattr(self.printed, "places", ())
        return Map(self.by(case)).read(*(np.asarray(index.value(case, at)) for index in indices))


@dataclass(frozen=True)
class Domain:
    """For which entries a formula is meant: its indices with their ranges, and what else has to lie in a range."""

    ranges: tuple[Range, ...] = ()
    where: tuple[tuple[Expression, Expression, Expression], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(r.index.latex for r in self.ranges)

    def counts(self, case) -> tuple[range, ...]:
        """The values of each index."""
        return tuple(range(r.first.value(case, {}), r.last.value(case, {}) + 1) for r in self.ranges)

    def inside(self, case, at):
        """Where the formula is meant."""
        inside = np.asarray(True)
        for place, first, last in self.where:
            value = place.value(case, at)
            inside = inside & (value >= first.value(case, at)) & (value <= last.value(case, at))
        return inside


def over(*ranges, where=()) -> Domain:
    """The domain of ``(index, first, last)``, …, where other such triples hold."""
    made = (Range(index, expression(first), expression(last)) for index, first, last in ranges)
    within = ((expression(place), expression(first), expression(last)) for place, first, last in where)
    return Domain(tuple(made), tuple(within))


@dataclass(frozen=True)
class Formula:
    """An expression and the entries it is for.

    A formula with ``meanings`` is a reading: it is printed as it stands, and computed with other parts for those that
    the article does not say, or says for something else.
    """

    expression: Expression
    over: Domain = Domain()
    meanings: tuple[tuple[Node, Node], ...] = ()

    @property
    def latex(self) -> str:
        return self.expression.latex

    @cached_property
    def meant(self) -> Expression:
        """The expression that is computed."""
        return self.expression.where(dict(self.meanings)) if self.meanings else self.expression

    def on(self, *counts: range) -> "Formula":
        """The same for other entries: its indices run through these ranges."""
        ranges = zip(self.over.ranges, counts, strict=True)
        return replace(self, over=over(*((r.index, c.start, c.stop - 1) for r, c in ranges), where=self.over.where))

    def table(self, case) -> np.ndarray:
        """The value for every entry, and 0 where the formula is not meant; shape=(1,) if it has no index."""
        counts = self.over.counts(case)
        axes = np.meshgrid(*counts, indexing="ij", sparse=True)
        at = dict(zip(self.over.names, axes, strict=True))
        values = np.empty([len(count) for count in counts] or [1], dtype=object)
        values[...] = np.asarray(self.meant.value(case, at), dtype=object)
        if self.over.where:
            values[~np.broadcast_to(self.over.inside(case, at), values.shape)] = 0
        return values

    def value(self, case, *index: int):
        """The value for one entry."""
        at = {name: np.asarray(value) for name, value in zip(self.over.names, index, strict=True)}
        return np.asarray(self.meant.value(case, at), dtype=object)[()]

    def read_as(self, meanings: Mapping) -> "Formula":
        """What is printed stays, and the parts that are keys are taken to mean others."""
        return replace(self, meanings=tuple(meanings.items()))
