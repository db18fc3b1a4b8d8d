"""What may be changed in a formula: at each place that is printed, what else could stand there.

Changes are made in the tree, so the changed formula is printed, evaluated and marked like any other. The tests make all
single changes of all equations; what a reader may choose from in a picture is the same list.
"""

from dataclasses import dataclass, replace
from typing import Any

from convbp.equations.formula import (
    FULL,
    OTIMES,
    STAR,
    VALID,
    Apply,
    At,
    Derivative,
    Entries,
    Expression,
    Formula,
    Index,
    InPart,
    Letter,
    Limits,
    Negative,
    Node,
    Number,
    Partial,
    Plus,
    Power,
    Product,
    Size,
    Slid,
    Turned,
    TurnedSum,
)

OTHER_AXIS = {"i": "j", "i'": "j'", "m": "n", "m'": "n'", "H": "W", "k_1": "k_2"}
OTHER_AXIS |= {second: first for first, second in OTHER_AXIS.items()}
OTHER_INDEX = {"i": "m", "j": "n", "i'": "m", "j'": "n", "m'": "m", "n'": "n", "m": "m'", "n": "n'", "c": "d", "d": "c"}
OTHER_OPERATOR = {OTIMES: STAR, STAR: OTIMES}
OTHER_PART = {VALID: FULL, FULL: VALID}


@dataclass(frozen=True)
class Changeable:
    """A place in a formula, what stands there, and for each name of a change what could."""

    path: tuple
    node: Node
    choices: dict[str, Node]

    @property
    def latex(self) -> str:
        return self.node.latex


def places(formula: Formula) -> list[Changeable]:
    """Every place of the formula that is printed and where something else could stand, in the order of printing."""
    letters = {part.of for _, part in formula.expression.walk() if isinstance(part, At) and _is_map(part)}
    found = []
    for path, node, role in _walk(formula.expression):
        if choices := dict(_choices(node, role, letters)):
            found.append(Changeable(path, node, choices))
    return found


def _is_map(entry: At) -> bool:
    return isinstance(entry.of, Letter) and len(entry.places) == 2 and not entry.of.name.startswith("bias")


def changed(formula: Formula, place: Changeable, choice: str) -> Formula:
    """The formula with this choice at this place."""
    return replace(formula, expression=formula.expression.with_part(place.path, place.choices[choice]))


def boxed(formula: Formula, place: Changeable) -> str:
    """The LaTeX of the formula with a box around the place."""
    kind: Any = type(place.node)

    def latex(self) -> str:
        return rf"\boxed{{{self.__dict__.get('latex') or kind.latex.fget(self)}}}"

    # Of a class of its own, as a formula prints some parts by what they are: a sum, say, knows its `Limits`.
    node: Any = object.__new__(type(f"Boxed{kind.__name__}", (kind,), {"latex": property(latex)}))
    node.__dict__.update(place.node.__dict__)
    return formula.expression.with_part(place.path, node).latex


def all_changes(formula: Formula):
    """Yield ``(name of the change, changed formula)`` for every single change."""
    for place in places(formula):
        for choice in place.choices:
            yield f"{place.latex}: {choice}", changed(formula, place, choice)


INDEX, ENTRY, TERM = "index", "entry", "term"


def _walk(node: Node, path: tuple = (), role: str = TERM):
    """As `Node.walk`, and what the node is: an index, the entry of a derivative, or a number."""
    yield path, node, role
    if isinstance(node, Limits):
        return  # is changed as a whole
    for name, n, part in node.parts():
        if isinstance(node, At) and name == "indices":
            its = INDEX
        elif isinstance(node, Partial) or (isinstance(node, Derivative) and name == "by"):
            its = ENTRY
        else:
            its = role
        yield from _walk(part, (*path, (name, n)), its)


def _choices(node: Node, role: str, letters: set):
    """Yield ``(name, node)`` for what could stand in the place of a node."""
    match node:
        case Plus():
            sign = "-" if node.sign == "+" else "+"
            yield f"the sign is {sign}", replace(node, sign=sign)
            if role != INDEX:
                yield "the first term is missing", node.right if node.sign == "+" else -node.right
                yield "the last term is missing", node.left
        case Negative():
            yield "without the minus", node.of
        case Number() if role == INDEX:
            yield "one more", Number(node.number + 1)
            yield "one less", Number(node.number - 1)
        case Number():
            yield "twice as much", Number(node.number * 2)
        case Index() | Size() if node.latex in OTHER_AXIS:
            other = OTHER_AXIS[node.latex]
            yield f"{other} for {node.latex}", type(node)(other)
        case Limits() if node.said:
            for end in ("first", "last"):
                for by, name in ((1, "later"), (-1, "earlier")):
                    moved: dict[str, Any] = {end: _shifted(getattr(node, end), by)}
                    yield f"its {end} value is one {name}", replace(node, **moved)
            exchanged = node.where({Size(name): Size(other) for name, other in OTHER_AXIS.items()})
            if exchanged != node:
                yield "the limits of the other axis", exchanged
        case At() if role == TERM:
            yield from _other_maps(node, letters)
        case InPart():
            changed_part = node.where(_other_parts(node))
            yield f"the {changed_part.part} part", changed_part
        case Slid() | Entries():
            yield "the other operation", replace(node, operator=OTHER_OPERATOR[node.operator])
            if isinstance(node, Entries):
                for part, name in ((FULL, "in full"), (VALID, "the valid part"), ("", "without saying which part")):
                    if part != node.part:
                        yield name, replace(node, part=part)
        case Product():
            for n, factor in enumerate(node.factors):
                left = (*node.factors[:n], *node.factors[n + 1 :])
                yield f"without {factor.latex}", left[0] if len(left) == 1 else replace(node, factors=left)
        case Apply():
            yield "the other of f and f'", replace(node, name="f" if node.name == "f'" else "f'")
        case TurnedSum():
            yield "not turned", node.of
        case Power():
            yield "not squared", node.of


def _other_maps(node: At, letters: set):
    """Its map turned, or another one with as many indices."""
    of = node.of
    if isinstance(of, Turned):
        yield "not turned", replace(node, of=of.of)
    elif _is_map(node):
        yield "turned", replace(node, of=Turned(of))
    if _is_map(node):
        for other in sorted(letters - {of}, key=lambda letter: letter.latex):
            yield f"{other.latex} for {of.latex}", replace(node, of=other)


def _other_parts(node: Node) -> dict:
    """The full part of each map for its valid one, and the other way round."""
    slid = [part for _, part in node.walk() if isinstance(part, Slid)]
    return {part: replace(part, part=OTHER_PART[part.part]) for part in slid}


def _shifted(end: Expression, by: int) -> Expression:
    """A limit moved by one, written as one would."""
    if isinstance(end, Number):
        return Number(end.number + by)
    if isinstance(end, Plus) and isinstance(end.right, Number):
        constant = (end.right.number if end.sign == "+" else -end.right.number) + by
        sign = "+" if constant > 0 else "-"
        return end.left if constant == 0 else Plus(end.left, Number(abs(constant)), sign)
    return Plus(end, Number(1), "+" if by > 0 else "-")
