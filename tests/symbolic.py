"""Cases of the equations with symbols for entries, and an activation of which nothing is known."""

from functools import cached_property

import numpy as np
import sympy

from convbp.equations.cases import Channels, Layer, Predictions
from convbp.equations.formula import Map


class AnyFunction:
    """f with f′, both unspecified."""

    def __init__(self):
        self.f = sympy.Function("f")

    def __call__(self, x):
        return self.f(x)

    def slope(self, x):
        argument = sympy.Dummy()
        return self.f(argument).diff(argument).subs(argument, x).doit()


class Symbolic:
    """Derivatives are taken by sympy."""

    def differentiate(self, function):
        moved = sympy.Dummy()
        changed = np.asarray(function(moved), dtype=object)
        derived = np.frompyfunc(lambda one: sympy.diff(one, moved).subs(moved, 0).doit(), 1, 1)(changed)
        return np.asarray(derived, dtype=object)[()]

    def gradient(self, function, at):
        columns = [
            self.differentiate(lambda step, index=index: function(at.with_entry(index, at(*index) + step)))
            for index in np.ndindex(at.shape)
        ]
        return np.stack([np.asarray(column, dtype=object) for column in columns], axis=-1).reshape(
            (*np.shape(columns[0]), *at.shape)
        )

    def agree(self, left, right):
        return np.frompyfunc(lambda a, b: sympy.expand(a - b) == 0, 2, 1)(left, right)


class SymbolicLayer(Symbolic, Layer):
    @cached_property
    def target(self):
        return Map(_symbols("t", self.x.shape))


class SymbolicChannels(Symbolic, Channels):
    pass


class SymbolicPredictions(Symbolic, Predictions):
    pass


def _symbols(letter, shape):
    return np.array(sympy.symbols(f"{letter}:{int(np.prod(shape))}")).reshape(shape)


def _arrays(family, sizes):
    letters = {"inputs": "a", "kernel": "w", "biases": "b", "delta": "d", "y": "y", "t": "t"}
    return {name: Map(_symbols(letters[name], shape)) for name, shape in family.shapes(*sizes).items()}


def symbolic_layer(*sizes):
    """δ is x − t, which is ∂E/∂x; so nothing is put in by hand."""
    arrays = _arrays(Layer, sizes)
    case = SymbolicLayer(**arrays, f=AnyFunction())
    return SymbolicLayer(**arrays | {"delta": Map(case.x.array - case.target.array)}, f=case.f)


def symbolic_case(family, *sizes):
    """A case of any family but that of pooling, which compares."""
    if family is Layer:
        return symbolic_layer(*sizes)
    return {Channels: SymbolicChannels, Predictions: SymbolicPredictions}[family](**_arrays(family, sizes))


def is_zero(left, right):
    """Whether left − right is 0 whatever the symbols are."""
    return left.shape == right.shape and all(
        sympy.expand(a - b) == 0 for a, b in zip(left.flat, right.flat, strict=True)
    )
