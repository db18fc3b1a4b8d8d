"""The letters of the article: indices, sizes, arrays, and the derivatives that a case has."""

from convbp.equations.formula import Apply, At, Derivative, Index, Letter, Partial, Size

i, j, m, n, c, d, p = map(Index, "ijmncdp")
i_, j_, m_, n_ = map(Index, ("i'", "j'", "m'", "n'"))
H, W, C, D, P, N = map(Size, "HWCDPN")
k1, k2 = Size("k_1"), Size("k_2")
E = Letter("E", "error")


def by(above: At | Letter, below: At) -> Partial:
    """∂above/∂below, by central differences through the forward pass."""
    return Partial(above[()] if isinstance(above, Letter) else above, below)


def f(x: At) -> Apply:
    return Apply("f", x)


def slope(x: At) -> Apply:
    """f′(x)."""
    return Apply("f'", x)


def d_by(entry: At, expression) -> Derivative:
    """∂/∂entry of an expression."""
    return Derivative(entry, expression)
