"""What the equations are evaluated on: named arrays of integers, and derivatives that are exact on them.

A family of cases (`Layer`, `Channels`, `Predictions`, `Blocks`) has arrays whose shapes follow from a few sizes. A
case can be drawn at random, with no two sizes equal that a mistake could exchange, and the cases can be gone through
from the smallest on, which is how counterexamples are found.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from typing import ClassVar, Self

import numpy as np

from convbp import loops
from convbp.equations.formula import UNDEFINED, Map

CROSS_CORRELATION, CONVOLUTION = "cross-correlation", "convolution"


def table(entry: Callable, *ranges: range) -> np.ndarray:
    """The array of ``entry(i, j, …)`` over the ranges, as Python's own exact numbers."""
    values = np.empty([len(r) for r in ranges], dtype=object)
    for place, index in zip(np.ndindex(values.shape), itertools.product(*ranges), strict=True):
        values[place] = entry(*index)
    return values


STEPS = 1, -1, 2, -2


def central_difference(one, minus_one, two, minus_two):
    """The derivative at 0 of F, a number or an array, from its values at the `STEPS`.

    (8 [F(1) − F(−1)] − [F(2) − F(−2)]) / 12 is exact if F is a polynomial of degree at most 4: the terms with the third
    power cancel, and the error begins with the fifth derivative.
    """
    return (8 * (one - minus_one) - (two - minus_two)) * Fraction(1, 12)


class Moved:
    """One number in many copies of a computation at once; in each copy one entry of an array is moved by a step."""

    def __init__(self, values: np.ndarray):
        self.values = values

    def __add__(self, other):
        return Moved(self.values + (other.values if isinstance(other, Moved) else other))

    def __mul__(self, other):
        return Moved(self.values * (other.values if isinstance(other, Moved) else other))

    def __neg__(self):
        return Moved(-self.values)

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __pow__(self, exponent):
        return Moved(self.values**exponent)

    __radd__, __rmul__ = __add__, __mul__


@dataclass(frozen=True)
class Quadratic:
    """The activation f(x) = square·x² + factor·x: not linear, and still exact on integers."""

    square: int
    factor: int

    def __call__(self, x):
        return self.square * x * x + self.factor * x

    def slope(self, x):
        """f′(x)."""
        return 2 * self.square * x + self.factor


IDENTITY = Quadratic(0, 1)


@dataclass(frozen=True, eq=False)
class Case:
    """Named arrays of integers. A subclass says which, and what shape each has for which sizes."""

    SIZES: ClassVar[tuple]
    """The sizes that are tried, each a tuple of the arguments of `shapes`."""

    @staticmethod
    def shapes(*sizes) -> Mapping[str, tuple]:
        """The shape of each array."""
        raise NotImplementedError

    @staticmethod
    def generic(*sizes) -> bool:
        """Whether no two sizes are equal that a mistake could exchange. Random cases are drawn from such."""
        raise NotImplementedError

    @classmethod
    def build(cls, sizes: tuple, entries: Callable):
        """The case of the sizes that has ``entries(shape)`` for each array."""
        return cls(**{name: Map(entries(shape)) for name, shape in cls.shapes(*sizes).items()})

    @classmethod
    def random(cls, rng: np.random.Generator, sizes: tuple | None = None):
        """A case of random sizes, or of those given, with random entries."""
        generic = cls._generic_sizes()
        sizes = sizes or generic[rng.integers(len(generic))]
        return cls.build(sizes, lambda shape: rng.integers(-5, 6, shape))

    @classmethod
    @cache
    def _generic_sizes(cls) -> list[tuple]:
        return [sizes for sizes in cls.SIZES if cls.generic(*sizes)]

    @classmethod
    @lru_cache(maxsize=16)
    def _drawn(cls, seed: int, count: int) -> tuple:
        rng = np.random.default_rng(seed)
        return tuple(cls.random(rng) for _ in range(count))

    @classmethod
    def in_order(cls, names: tuple[str, ...]) -> Iterator:
        """Every case of the `SIZES` with zeros and ones in the named arrays, and zeros in the others.

        Those with the fewest entries in the named arrays come first, of these the ones with the fewest ones, then
        those whose ones stand first.
        """

        def count(sizes):
            return sum(math.prod(cls.shapes(*sizes)[name]) for name in names)

        for sizes in sorted(cls.SIZES, key=lambda sizes: (count(sizes), sizes)):
            for ones in _subsets(count(sizes)):
                yield cls._of_ones(sizes, names, ones)

    @classmethod
    def _of_ones(cls, sizes, names, ones):
        case = cls.build(sizes, lambda shape: np.zeros(shape, int))
        arrays, start = {}, 0
        for name in names:
            shape = cls.shapes(*sizes)[name]
            places = range(start, start := start + math.prod(shape))
            arrays[name] = Map(np.array([int(place in ones) for place in places]).reshape(shape))
        return replace(case, **arrays)

    @property
    def sizes(self) -> dict[str, int]:
        """The lengths of the axes, by their letters."""
        raise NotImplementedError

    # What a formula asks of a case.

    def map(self, letter) -> Map:
        """The array that the letter stands for."""
        value = getattr(self, letter.name)
        return value if isinstance(value, Map) else Map(value)

    def size(self, name: str) -> int:
        """The length that the letter stands for."""
        return self.sizes[name]

    def differentiate(self, function: Callable):
        """Differentiate ``function(step)`` at 0; a method, so that a case with symbols can do so in symbols."""
        return central_difference(*map(function, STEPS))

    def agree(self, left: np.ndarray, right: np.ndarray):
        """Where two arrays are equal."""
        return np.equal(left, right, dtype=object)

    def gradient(self, function: Callable, at: Map) -> np.ndarray:
        """∂function/∂(each entry of ``at``); ``function(at)`` is a number or an array, whose axes come first."""
        moved, size = np.empty(at.shape, object), at.array.size
        steps = np.multiply.outer(STEPS, np.eye(size, dtype=object))
        for n, (index, value) in enumerate(np.ndenumerate(at.array)):
            moved[index] = Moved(steps[:, n] + value)
        found = np.asarray(function(Map(moved)), dtype=object)
        copies = np.empty((found.size, len(STEPS), size), object)
        for n, one in enumerate(found.flat):
            copies[n] = one.values if isinstance(one, Moved) else one
        return central_difference(*copies.swapaxes(0, 1)).reshape((*found.shape, *at.shape))

    def with_arrays(self, **arrays) -> Self:
        """The same with other arrays in the place of those named."""
        return replace(self, **{name: Map(array) for name, array in arrays.items()})


class WithoutZeros:
    """A case outside of whose arrays there is nothing: what is read there has no value."""

    def __init__(self, case: Case):
        self.with_zeros = case

    def __getattr__(self, name: str):
        return getattr(self.with_zeros, name)

    def map(self, letter) -> Map:
        return Map(self.with_zeros.map(letter).array, UNDEFINED)


def _subsets(n: int) -> Iterator[frozenset]:
    return (frozenset(s) for size in range(n + 1) for s in itertools.combinations(range(n), size))


def random_cases(family: type[Case], seed: int, count: int) -> tuple:
    """``count`` random cases; kept, so that equations of one family share what was computed on a case."""
    return family._drawn(seed, count)


@dataclass(frozen=True, eq=False)
class Layer(Case):
    """One channel, one filter: inputs → o = f(inputs) → x = o ⊗ w + b → E = ½ Σ (t − x)².

    For Eq. 1 to 3 and 5 the inputs are the image I and the kernel is K. For Eq. 6 to 14 the layer is l: o is oˡ⁻¹ and
    x is xˡ. For Eq. 16 to 22 it is l+1: the inputs are xˡ, f is applied to them, and x is xˡ⁺¹. The targets t are
    such that ∂E/∂x is ``delta``, so E is a polynomial of degree at most 4 in each entry of each array.
    """

    inputs: Map  # (H, W)
    kernel: Map  # (k1, k2)
    biases: Map  # (rows, cols), one for each place as the article's Eq. 6 and 7 have it; the layer has the first
    delta: Map  # (rows, cols)
    f: Quadratic = IDENTITY
    convention: str = CROSS_CORRELATION

    SIZES: ClassVar[tuple] = tuple(itertools.product((1, 2, 3), repeat=4))

    @staticmethod
    def shapes(k1, k2, rows, cols):
        return {
            "inputs": (rows + k1 - 1, cols + k2 - 1),
            "kernel": (k1, k2),
            "biases": (rows, cols),
            "delta": (rows, cols),
        }

    @staticmethod
    def generic(k1, k2, rows, cols):
        return k1 != k2 and rows + k1 != cols + k2 and rows * cols > 1

    @classmethod
    def random(cls, rng, sizes=None):
        return replace(super().random(rng, sizes), f=Quadratic(int(rng.integers(-1, 2)), int(rng.integers(1, 4))))

    @property
    def sizes(self) -> dict[str, int]:
        (H, W), (k1, k2) = self.inputs.shape, self.kernel.shape
        return {"H": H, "W": W, "k_1": k1, "k_2": k2}

    @property
    def bias(self):
        return self.biases.array[0, 0]

    def apply(self, name: str, values: np.ndarray):
        """f or f′ of each entry."""
        return np.frompyfunc(self.f.slope if "'" in name else self.f, 1, 1)(values)

    @cached_property
    def o(self) -> Map:
        return self.activated(self.inputs)

    @cached_property
    def x(self) -> Map:
        return self.forward()

    @cached_property
    def target(self) -> Map:
        return Map(self.x.array - self.delta.array)

    def activated(self, inputs: Map) -> Map:
        return Map(self.apply("f", inputs.array))

    def forward(self, o: Map | None = None, kernel: Map | None = None, bias=None) -> Map:
        """x by the plain loops, with other values for what is given."""
        o, kernel = o or self.o, kernel or self.kernel
        slide = loops.cross_correlate if self.convention == CROSS_CORRELATION else loops.convolve
        return Map(slide(o.array, kernel.array).astype(object) + (self.bias if bias is None else bias))

    # What the equations are compared with: derivatives of E and of x through the forward pass, and nothing else.

    def _error_by(self, at: Map, x: Callable[[Map], Map]) -> np.ndarray:
        """∂E/∂(each entry of ``at``) for E = ½ Σ (t − x(at))²; halved at the end, as integers are faster until then."""
        twice_error = self.gradient(lambda at: sum(((self.target.array - x(at).array) ** 2).ravel()), at)
        return twice_error * Fraction(1, 2)

    @cached_property
    def error_by_x(self) -> np.ndarray:
        """∂E/∂xᵢⱼ, shape=(rows, cols)."""
        return self._error_by(self.x, lambda x: x)

    @cached_property
    def error_by_kernel(self) -> np.ndarray:
        """∂E/∂wₘₙ, shape=(k1, k2)."""
        return self._error_by(self.kernel, lambda kernel: self.forward(kernel=kernel))

    @cached_property
    def error_by_bias(self) -> np.ndarray:
        """∂E/∂b, shape=()."""
        return self._error_by(Map(self.bias), lambda bias: self.forward(bias=bias()))

    @cached_property
    def error_by_inputs(self) -> np.ndarray:
        """∂E/∂xᵢⱼ of the layer below, shape=(H, W)."""
        return self._error_by(self.inputs, lambda inputs: self.forward(o=self.activated(inputs)))

    @cached_property
    def x_by_kernel(self) -> np.ndarray:
        """∂xᵢⱼ/∂wₘₙ, shape=(rows, cols, k1, k2)."""
        return self.gradient(lambda kernel: self.forward(kernel=kernel).array, self.kernel)

    @cached_property
    def x_by_inputs(self) -> np.ndarray:
        """∂xᵢⱼ/∂(input at i′, j′), shape=(rows, cols, H, W)."""
        return self.gradient(lambda inputs: self.forward(o=self.activated(inputs)).array, self.inputs)


@dataclass(frozen=True, eq=False)
class Channels(Case):
    """C channels and D filters, as Eq. 4 declares them."""

    inputs: Map  # (H, W, C)
    kernel: Map  # (k1, k2, C, D)
    biases: Map  # (D,)

    SIZES: ClassVar[tuple] = tuple(itertools.product((1, 2), (1, 2), (1, 2), (1, 2), (1, 2, 3), (1, 2, 3)))

    @staticmethod
    def shapes(k1, k2, rows, cols, C, D):
        return {"inputs": (rows + k1 - 1, cols + k2 - 1, C), "kernel": (k1, k2, C, D), "biases": (D,)}

    @staticmethod
    def generic(k1, k2, rows, cols, C, D):
        return k1 != k2 and rows + k1 != cols + k2 and C != D and C > 1

    @property
    def sizes(self) -> dict[str, int]:
        (H, W, C), (k1, k2, _, D) = self.inputs.shape, self.kernel.shape
        return {"H": H, "W": W, "C": C, "k_1": k1, "k_2": k2, "D": D}


@dataclass(frozen=True, eq=False)
class Predictions(Case):
    """P predictions y and their targets t."""

    y: Map  # (P,)
    t: Map  # (P,)

    SIZES: ClassVar[tuple] = tuple((P,) for P in range(1, 7))

    @property
    def sizes(self) -> dict[str, int]:
        return {"P": self.y.shape[0]}

    @staticmethod
    def shapes(P):
        return {"y": (P,), "t": (P,)}

    @staticmethod
    def generic(P):
        return P > 2


@dataclass(frozen=True, eq=False)
class Blocks(Case):
    """Pooling of N×N blocks that lie side by side: inputs → one number for each block → E, with ∂E/∂output = delta.

    In each block the entries are all different and their Σx² is a square, so every pooling has a derivative there,
    and it is rational.
    """

    inputs: Map  # (N·rows, N·cols)
    delta: Map  # (rows, cols)

    SIZES: ClassVar[tuple] = tuple(itertools.product((1, 2), (1, 2, 3), (1, 2, 3)))

    @staticmethod
    def shapes(N, rows, cols):
        return {"inputs": (N * rows, N * cols), "delta": (rows, cols)}

    @staticmethod
    def generic(N, rows, cols):
        return N > 1 and rows != cols

    @classmethod
    def random(cls, rng, sizes=None):
        case = super().random(rng, sizes)
        (rows, cols), N = case.delta.shape, case.N
        blocks = [[_block_with_whole_norm(rng, N) for _ in range(cols)] for _ in range(rows)]
        return case.with_arrays(inputs=np.block(blocks))

    @property
    def N(self) -> int:
        return self.inputs.shape[0] // self.delta.shape[0]

    @property
    def sizes(self) -> dict[str, int]:
        (H, W), N = self.inputs.shape, self.N
        return {"H": H, "W": W, "N": N}

    @property
    def places(self) -> tuple[range, range]:
        rows, cols = self.delta.shape
        return range(rows), range(cols)

    @property
    def pixels(self) -> tuple[range, range]:
        rows, cols = self.inputs.shape
        return range(rows), range(cols)

    def block(self, i: int, j: int) -> list[tuple[int, int]]:
        """The places of the entries of block (i, j)."""
        N = self.N
        return [(N * i + a, N * j + b) for a in range(N) for b in range(N)]


def _block_with_whole_norm(rng: np.random.Generator, N: int) -> np.ndarray:
    """N×N different integers whose squares have a sum that is a square, and not zero.

    They are |u|² e − 2 (u·e) u for a random u and the first unit vector e: e mirrored, and made |u|² times as long.
    """
    while True:
        u = rng.integers(-4, 5, N * N)
        mirrored = -2 * u[0] * u
        mirrored[0] += u @ u
        if len(set(mirrored.tolist())) == N * N and mirrored.any():
            return mirrored.reshape(N, N).astype(object)
