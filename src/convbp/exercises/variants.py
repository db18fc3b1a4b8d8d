"""Every one-edit variant of a right program, as a mistake that an answer can be looked up among.

An edit puts one thing for another: a sign, an index, a limit, an axis, an operator, a function; or leaves a factor, a
term, a line out. The two edits that do the same for rows and for columns are likely together, and count as one.
What a variant gives is computed, so to say that an answer has its numbers cannot be false.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np

_FUNCTIONS = {  # what is easily taken for what
    "sum": ("mean", "max", "min", "prod"),
    "mean": ("sum",),
    "argmax": ("argmin",),
    "max": ("min", "sum", "mean"),
    "min": ("max",),
    "maximum": ("minimum",),
    "zeros": ("ones",),
    "convolve": ("cross_correlate",),
    "cross_correlate": ("convolve",),
}
_OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (),
    ast.Pow: (ast.Mult,),
}
_SIGNS = {ast.Add: "+", ast.Sub: "−", ast.Mult: "·", ast.Div: "/", ast.FloorDiv: "//", ast.Pow: "**"}
_COMPARED = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_PLAIN_SWAPS = {"exchanged", "indices exchanged", "the other axis's limit", "condition left out"}
_LEFT_OUT = {"sqrt", "abs", "max", "min", "maximum", "minimum", "sum", "pad", "tanh", "sigmoid", "flip"}
_MODES = {"full": "valid", "valid": "full"}
# Names for rows, and what stands in the same place for columns.
_PARTNERS = {"i": "j", "m": "n", "k1": "k2", "H": "W", "s1": "s2", "p1": "p2", "rows": "columns", "row": "column"}
_PARTNERS |= {"[0]": "[1]", "top": "left", "bottom": "right", "h": "w", "r": "c"}
_PARTNERS |= {column: row for row, column in _PARTNERS.items()}


@dataclass(frozen=True)
class Edit:
    """Put ``new`` in the place of what is ``owner``'s ``field``, or its entry ``index``."""

    kind: str
    owner: ast.AST
    field: str
    index: int | None
    new: object
    statement: ast.stmt

    @property
    def old(self) -> object:
        """What is there."""
        there = getattr(self.owner, self.field)
        return there if self.index is None else there[self.index]

    def exchange(self, new: object) -> object:
        """Put ``new`` there and return what was there."""
        old = self.old
        if self.index is None:
            setattr(self.owner, self.field, new)
        else:
            getattr(self.owner, self.field)[self.index] = new
        return old


@dataclass
class Program:
    """A right program, and what comes of it if it is edited.

    Parameters
    ----------
    function : callable
        Written in Python, with its source at hand.
    """

    function: Callable
    tree: ast.Module = field(init=False)

    def __post_init__(self):
        source = textwrap.dedent(inspect.getsource(self.function))
        self.tree = ast.parse(source)
        (definition,) = self.tree.body
        if not isinstance(definition, ast.FunctionDef):
            raise TypeError(f"{self.function!r} has no definition of its own; expected a function made with def.")
        definition.decorator_list = []
        self._definition = definition

    def edits(self, every_name: bool = False) -> Iterator[Edit]:
        """Every edit, the plainest kinds of each place first; with every name for every other, if that is asked for."""
        places = _Places(self._definition)
        if every_name:
            places.take_every_name_for_every_other()
        yield from places.edits()

    def edited(self, edits: tuple[Edit, ...]) -> Callable | None:
        """Return the program with these edits, or None if they make no program."""
        scope = dict(self.function.__globals__)
        with self._with(edits):
            try:
                exec(compile(self.tree, f"<{self.function.__name__}, edited>", "exec"), scope)
            except (SyntaxError, TypeError, ValueError):
                return None
        return scope[self._definition.name]

    def lines(self, edits: tuple[Edit, ...]) -> tuple[list[str], list[str]]:
        """The lines that these edits change, as they are and as they become."""
        changed = list({id(edit.statement): edit for edit in edits}.values())
        before = [_header(edit.statement) for edit in changed]
        with self._with(edits):
            return before, [_after(edit) for edit in changed]

    @contextmanager
    def _with(self, edits: tuple[Edit, ...]) -> Iterator[None]:
        undo = [(edit, edit.exchange(edit.new)) for edit in edits]
        for edit in edits:
            _locate(edit.new, edit.statement)
        try:
            yield
        finally:
            for edit, old in reversed(undo):
                edit.exchange(old)


@dataclass(frozen=True, eq=False)
class Variant:
    """What a right program gives with some edits; it stands where a `Misconception` does."""

    program: Program
    edits: tuple[Edit, ...]
    where: str
    why: str = ""

    @property
    def name(self) -> str:
        return self.edits[0].kind

    @property
    def done(self) -> str:
        before, after = ("\n".join(f"    {line}" for line in lines) for lines in self.program.lines(self.edits))
        return f"Number for number, your result is what comes out if\n{before}\nis written as\n{after}\n"

    @cached_property
    def changes(self) -> Mapping[str, Callable]:
        edited = self.program.edited(self.edits) or _nothing

        def compute(**arguments):
            try:
                return edited(**arguments)
            except IndexError:
                self.__dict__["left_an_array"] = True
                raise

        return {"compute": compute}

    @property
    def may_be_guarded(self) -> bool:
        """Whether an index has left an array, as one was taken for another, where it has been computed."""
        plain = self.name in _PLAIN_SWAPS or re.fullmatch(r"[^\W\d]\w* for [^\W\d]\w*", self.name)
        return bool(plain) and self.__dict__.get("left_an_array", False)

    def guarded(self) -> list["Guarded"]:
        """What it gives if no index that leaves its array stops it."""
        return [Guarded(self.program, self.edits, self.where, self.why, wraps) for wraps in (False, True)]


@dataclass(frozen=True, eq=False)
class Guarded(Variant):
    """A variant of which an index leaves an array, as a reader writes it who has met the IndexError.

    ``wraps`` says whether a negative index is read from the end, as after ``except IndexError`` or ``if i < n``.
    """

    wraps: bool = False

    @property
    def done(self) -> str:
        beyond = "behind the end of an array is left out, but not what lies before its beginning"
        return f"{super().done}and what lies {beyond if self.wraps else 'outside of an array is left out'}.\n"

    @cached_property
    def changes(self) -> Mapping[str, Callable]:
        edited = self.program.edited(self.edits)
        if edited is None:
            return {"compute": _nothing}
        arrays = _LeftOutBehind if self.wraps else _LeftOut
        within = FunctionType(edited.__code__, edited.__globals__ | {"np": _Guarding(arrays)})

        def compute(**arguments):
            result = within(**{k: v.view(arrays) if isinstance(v, np.ndarray) else v for k, v in arguments.items()})
            return result.view(np.ndarray) if isinstance(result, np.ndarray) else result

        return {"compute": compute}


class _LeftOutBehind(np.ndarray):
    """What an index behind its end reads is 0, and what is put there is lost."""

    def __getitem__(self, index):
        try:
            return super().__getitem__(index)
        except IndexError:
            return 0.0

    def __setitem__(self, index, value):
        with suppress(IndexError):
            super().__setitem__(index, value)

    def __iter__(self):  # to an end, though no index raises
        return iter(self.view(np.ndarray))


class _LeftOut(_LeftOutBehind):
    """The same before its beginning."""

    def __getitem__(self, index):
        return 0.0 if _is_before(index) else super().__getitem__(index)

    def __setitem__(self, index, value):
        if not _is_before(index):
            super().__setitem__(index, value)


def _is_before(index: object) -> bool:
    if isinstance(index, tuple):
        for n in index:
            if isinstance(n, int) and n < 0:
                return True
    return isinstance(index, int) and index < 0


class _Guarding:
    """NumPy, whose new arrays are of that class."""

    def __init__(self, arrays: type[np.ndarray]):
        self._arrays = arrays

    def zeros(self, *arguments, **keywords) -> np.ndarray:
        return np.zeros(*arguments, **keywords).view(self._arrays)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _nothing(**arguments) -> None:
    """Where the edits make no program, nothing comes of it."""


def variants(function: Callable, where: str) -> list[Variant]:
    """Each one-edit variant of a right program, and each that edits rows and columns alike."""
    program = Program(function)
    edits = list(program.edits())
    return [Variant(program, some, where) for some in (*((edit,) for edit in edits), *_pairs(edits))]


# Rows and columns alike


def _pairs(edits: list[Edit]) -> Iterator[tuple[Edit, Edit]]:
    """Two edits, of which one does with rows what the other does with columns."""
    within: dict[int, str] = {}  # what an edit is within, written once
    places: dict[tuple[str, str], Edit] = {}
    for edit in edits:
        if isinstance(edit.new, list | ast.stmt):
            continue
        if id(edit.owner) not in within:
            plain = isinstance(edit.owner, ast.Tuple) or not isinstance(edit.owner, ast.expr)
            within[id(edit.owner)] = "" if plain else _text(edit.owner)
        _locate(edit.new, edit.statement)
        places[f"{within[id(edit.owner)]}|{_text(edit.old)}", _text(edit.new)] = edit
    for (old, new), edit in places.items():
        mirrored = _mirrored(old)
        other = places.get((mirrored, _mirrored(new))) if old < mirrored else None
        if other and (edit.owner, edit.field, edit.index) != (other.owner, other.field, other.index):
            yield edit, other


def _text(node: object) -> str:
    if isinstance(node, ast.operator | ast.cmpop):
        return type(node).__name__
    return ast.unparse(node) if isinstance(node, ast.AST) else str(node)


def _mirrored(text: str) -> str:
    """The text with the names for rows and those for columns exchanged, and axis 0 with axis 1."""
    return re.sub(r"\[[01]\]|\w+", lambda word: _PARTNERS.get(word[0], word[0]), text)


# Where a program can be edited


class _Places:
    """Walks through a function's definition and gives the edits of each place."""

    def __init__(self, definition: ast.FunctionDef):
        self.definition = definition
        self._made = [node for node in definition.body if isinstance(node, ast.Assign)]
        self.parameters = [argument.arg for argument in definition.args.args]
        self.others: dict[str, list[str]] = {}  # what each index or size is easily taken for
        self.known = {node.id for node in ast.walk(definition) if isinstance(node, ast.Name)} | set(self.parameters)
        indices: list[str] = []
        for node in ast.walk(definition):
            if isinstance(node, ast.For | ast.comprehension):
                indices += _names(node.target)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                self._siblings(node.targets[0])
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):  # for what it is made of
                made_of = [name for name in _names(node.value) if name in self.parameters]
                self.others[node.targets[0].id] = _distinct(made_of)
                for name in _distinct(made_of):  # and the other way round: what is read while it is written
                    self.others.setdefault(name, []).append(node.targets[0].id)
        for n, name in enumerate(indices):  # the next ones, and those of the loops two further in or out
            self.others[name] = _distinct([indices[k] for k in (n - 2, n - 1, n + 1, n + 2) if 0 <= k < len(indices)])

    def take_every_name_for_every_other(self) -> None:
        names = set(self.parameters)
        names |= {
            node.id
            for node in ast.walk(self.definition)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self.others = {name: sorted(names - {name, "_"}) for name in names}

    def _siblings(self, target: ast.Tuple) -> None:
        """Each size for the others of its array, and for that of the same axis of another array."""
        arrays = [_names(one) for one in target.elts]
        if all(len(names) == 1 for names in arrays):
            arrays = [[name for names in arrays for name in names]]
        for names in arrays:
            for axis, name in enumerate(names):
                same_axis = [other[axis] for other in arrays if other is not names and axis < len(other)]
                found = [other for other in [*names, *same_axis] if other not in (name, "_")]
                self.others[name] = _distinct([*self.others.get(name, []), *found])

    def edits(self) -> Iterator[Edit]:
        for statement in self.definition.body:
            yield from self._statement(statement, self.definition, "body")
        yield from self._returned_early()

    def _statement(self, statement: ast.stmt, owner: ast.AST, place: str) -> Iterator[Edit]:
        index = getattr(owner, place).index(statement)

        def put(kind: str, new: object, where: str | None = None, of: ast.AST | None = None) -> Edit:
            if where is None:
                return Edit(kind, owner, place, index, new, statement)
            return Edit(kind, of or statement, where, None, new, statement)

        if isinstance(statement, ast.AugAssign):
            value = statement.value
            stored = _copy(statement.target)
            yield put("= for +=", ast.Assign([stored], value))
            for operator in _OPERATORS[type(statement.op)]:
                yield put(f"{_SIGNS[operator]}= for {_SIGNS[type(statement.op)]}=", operator(), "op")
        if isinstance(statement, ast.If):
            yield put("condition left out", ast.Constant(True), "test")
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            without_negative = ast.parse(f"np.maximum({ast.unparse(statement.value)}, 0)", mode="eval").body
            yield put("ReLU put in", without_negative, "value")
        if isinstance(statement, ast.Return):
            made = [node.targets[0].id for node in self._made if isinstance(node.targets[0], ast.Name)]
            yield from (put(f"{name} returned", _name(name), "value") for name in made)
        for name, value in ast.iter_fields(statement):
            if name in ("body", "orelse"):
                for one in list(value):
                    yield from self._statement(one, statement, name)
            elif isinstance(value, ast.expr):
                yield from self._expression(value, statement, name, None, statement)
            elif name == "targets":
                yield from self._expression(value[0], statement, name, 0, statement)
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.If) and not isinstance(owner, ast.If):
            yield put("line left out", ast.Pass())
        if isinstance(statement, ast.For) and len(statement.body) > 1:
            yield Edit("last line out of the loop", owner, place, None, _outdented(owner, place, index), statement)

    def _returned_early(self) -> Iterator[Edit]:
        *_, last = self.definition.body
        loops = [node for node in ast.walk(self.definition) if isinstance(node, ast.For)]
        for loop in {id(loop): loop for loop in (loops[:1] + loops[-1:])}.values():
            if isinstance(last, ast.Return):
                yield Edit("return in the loop", loop, "body", None, [*loop.body, last], last)

    def _expression(
        self, node: ast.expr, owner: ast.AST, place: str, index: int | None, statement: ast.stmt, inside: str = ""
    ) -> Iterator[Edit]:
        """The edits of an expression; ``inside`` says whether it is an index or the limit of a loop."""

        def put(kind: str, new: object) -> Edit:
            return Edit(kind, owner, place, index, new, statement)

        def within(child: ast.expr, field_: str, number: int | None = None, role: str = inside) -> Iterator[Edit]:
            return self._expression(child, node, field_, number, statement, role)

        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                yield from (put(f"{o} for {name}", _name(o)) for o in self.others.get(name, ()) if o != name)
                if name in self.parameters and not inside:
                    yield from (put(f"{o} for {name}", _name(o)) for o in self.parameters if o != name)
                if name in _FUNCTIONS:
                    yield from (put(f"{o} for {name}", _name(o)) for o in _FUNCTIONS[name])
            case ast.Constant(value=bool() | None):
                pass
            case ast.Constant(value=int() as value):
                yield from (put(f"{o} for {value}", ast.Constant(o)) for o in (value - 1, value + 1))
            case ast.Constant(value=str() as value) if value in _MODES:
                yield put(f"{_MODES[value]} for {value}", ast.Constant(_MODES[value]))
            case ast.BinOp(left=left, op=op, right=right):
                for operator in _OPERATORS.get(type(op), ()):
                    if inside and operator in (ast.Div, ast.Mult) and not isinstance(op, ast.FloorDiv):
                        continue
                    kind = f"{_SIGNS[operator]} for {_SIGNS[type(op)]}"
                    yield put(kind, ast.BinOp(left, operator(), right))
                part = {ast.Add: "term", ast.Sub: "term", ast.Pow: "power"}.get(type(op), "factor")
                yield put(f"{part} left out", left)
                yield put(f"{part} left out", right if not isinstance(op, ast.Sub) else ast.UnaryOp(ast.USub(), right))
                if isinstance(op, ast.Add):  # whichever of the two a reader writes first
                    yield put("− for +", ast.BinOp(right, ast.Sub(), left))
                if isinstance(op, ast.Sub | ast.Div | ast.FloorDiv):
                    yield put("exchanged", ast.BinOp(right, op, left))
                if not inside:
                    yield from (put("parentheses elsewhere", other) for other in _with_other_parentheses(node))
                    if isinstance(op, ast.Mult | ast.Div):
                        yield put("a square too many", ast.BinOp(_square(left), op, right))
                        yield put("a square too many", ast.BinOp(left, op, _square(right)))
                yield from within(left, "left")
                yield from within(right, "right")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield put("minus left out", operand)
                if isinstance(operand, ast.Attribute) and operand.attr == "inf":
                    yield put("0 for −∞", ast.Constant(0))
                yield from within(operand, "operand")
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                for comparison in _COMPARED.get(type(op), ()):
                    yield put("comparison", ast.Compare(left, [comparison()], [right]))
                yield from within(left, "left")
                yield from within(right, "comparators", 0)
            case ast.Subscript(value=value, slice=ast.Tuple(elts=[*places]) as tuple_):
                if len(places) == 2:
                    yield put("indices exchanged", ast.Subscript(value, _tuple(places[::-1]), node.ctx))
                for n in range(len(places)):
                    left_out = [*places[:n], *places[n + 1 :]]
                    yield put("index left out", ast.Subscript(value, _tuple(left_out), node.ctx))
                yield from within(value, "value", role="")
                for n, one in enumerate(places):
                    yield from self._place(one, tuple_, "elts", n, statement)
            case ast.Subscript(value=value, slice=one):
                if isinstance(value, ast.Attribute | ast.Name | ast.Subscript | ast.Call):
                    yield from within(value, "value", role="")
                    yield from self._place(one, node, "slice", None, statement)
            case ast.Call(func=function, args=arguments, keywords=keywords):
                yield from self._call(node, put)
                called = _called(function)
                if isinstance(function, ast.Attribute):
                    yield from within(function, "func")
                else:
                    yield from within(function, "func", role="function")
                role = "limit" if called == "range" else inside
                for n, one in enumerate(arguments):
                    yield from within(one, "args", n, role)
                for keyword in keywords:
                    yield from self._expression(keyword.value, keyword, "value", None, statement, inside)
            case ast.Attribute(value=value, attr=attr):
                for other in _FUNCTIONS.get(attr, ()):
                    yield put(f"{other} for {attr}", ast.Attribute(value, other, ast.Load()))
                if attr == "T":
                    yield put(".T left out", value)
                if attr == "derivative":
                    yield put("f for f′", value)
                if attr not in ("shape", "size", "ndim"):
                    yield from within(value, "value")
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                if isinstance(node.ctx, ast.Load):
                    if len(elements) == 2:
                        yield put("exchanged", _tuple(elements[::-1]))
                    for n, one in enumerate(elements):
                        yield from within(one, "elts", n)
            case ast.GeneratorExp(elt=one) | ast.ListComp(elt=one):
                yield from within(one, "elt")
                for generator in node.generators:
                    yield from self._expression(generator.iter, generator, "iter", None, statement, inside)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yield put("condition left out", body)
                yield from within(test, "test")
                yield from within(body, "body")
                yield from within(orelse, "orelse")
            case _:
                pass

    def _of_the_other_axis(self, end: ast.expr, put: Callable) -> Iterator[Edit]:
        """The columns counted by the rows, or the other way round; a single name has been put for another already."""
        text = ast.unparse(end)
        mirrored = _mirrored(text)
        if mirrored != text and not isinstance(end, ast.Name) and set(_names(ast.parse(mirrored))) <= self.known:
            yield put("the other axis's limit", ast.parse(mirrored, mode="eval").body)

    def _place(self, node: ast.expr, owner: ast.AST, place: str, index: int | None, statement) -> Iterator[Edit]:
        """The edits of one index, or of one slice."""

        def put(kind: str, new: ast.expr) -> Edit:
            return Edit(kind, owner, place, index, new, statement)

        if not isinstance(node, ast.Slice):
            if not isinstance(node, ast.Constant | ast.UnaryOp):
                if not _has_constant(node):
                    yield from (put("index off by one", _plus(node, step)) for step in (1, -1))
                yield put("a minus too many", ast.UnaryOp(ast.USub(), node))
            yield from self._expression(node, owner, place, index, statement, "index")
            return
        for bound in ("lower", "upper", "step"):
            value = getattr(node, bound)
            if value is None:
                continue
            parts = {name: getattr(node, name) for name in ("lower", "upper", "step")}
            yield put("step left out" if bound == "step" else "limit left out", ast.Slice(**(parts | {bound: None})))
            if bound != "step" and not _has_constant(value):
                for step in (1, -1):
                    yield put("limit off by one", ast.Slice(**(parts | {bound: _plus(value, step)})))
            yield from self._expression(value, node, bound, None, statement, "index")

    def _call(self, node: ast.Call, put: Callable) -> Iterator[Edit]:
        called, arguments = _called(node.func), node.args
        if called == "range":
            *first, end = arguments[:2]
            start = first[0] if first else ast.Constant(0)
            ends = [] if _has_constant(end) else [[start, _plus(end, -1)], [start, _plus(end, 1)]]
            yield from self._of_the_other_axis(end, lambda kind, new: put(kind, ast.Call(node.func, [*first, new], [])))
            for new in ([_plus(start, 1), end], *ends):
                new = new[1:] if isinstance(new[0], ast.Constant) and new[0].value == 0 else new
                yield put("limit off by one", ast.Call(node.func, new, []))
            if first and not (isinstance(start, ast.Constant) and start.value == 0):
                yield put("limit off by one", ast.Call(node.func, [_plus(start, -1), end], []))
                yield put("limit left out", ast.Call(node.func, [end], []))
            return
        if called in ("zeros", "empty", "ones") and arguments and isinstance(arguments[0], ast.Tuple):
            for n, one in enumerate(arguments[0].elts):
                if _has_constant(one):
                    continue
                for step in (1, -1):
                    sizes = [*arguments[0].elts[:n], _plus(one, step), *arguments[0].elts[n + 1 :]]
                    yield put("size off by one", ast.Call(node.func, [_tuple(sizes), *arguments[1:]], node.keywords))
        if len(arguments) == 1 and isinstance(node.func, ast.Name) and not node.keywords:
            yield put(f"{called} twice", ast.Call(node.func, [node], []))
        if len(arguments) == 2:
            yield put("exchanged", ast.Call(node.func, arguments[::-1], node.keywords))
        if called == "where" and len(arguments) == 3:
            yield put("exchanged", ast.Call(node.func, [arguments[0], arguments[2], arguments[1]], []))
        if called in _LEFT_OUT:
            yield from (put(f"{called} left out", one) for one in arguments)
        if isinstance(node.func, ast.Attribute) and called in ("sum", "mean", "transpose", "swapaxes"):
            yield put(f"{called} left out", node.func.value)
        if isinstance(node.func, ast.Attribute) and called == "derivative" and len(arguments) == 1:
            at_output = ast.Call(node.func, [ast.Call(node.func.value, arguments, [])], [])
            yield put("f′ at the output", at_output)
        for n in range(len(node.keywords)):
            yield put("option left out", ast.Call(node.func, arguments, [*node.keywords[:n], *node.keywords[n + 1 :]]))


def _outdented(owner: ast.AST, place: str, index: int) -> list[ast.stmt]:
    body = getattr(owner, place)
    loop = _copy(body[index])
    return [*body[:index], ast.For(loop.target, loop.iter, loop.body[:-1], []), loop.body[-1], *body[index + 1 :]]


def _with_other_parentheses(node: ast.BinOp) -> Iterator[ast.expr]:
    """a·(b − c) as a·b − c, a − b·c as (a − b)·c, a − b² as (a − b)²; and the like."""
    sums, products = ast.Add | ast.Sub, ast.Mult | ast.Div
    left, op, right = node.left, node.op, node.right
    if isinstance(op, products) and isinstance(left, ast.BinOp) and isinstance(left.op, sums):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))
    if isinstance(op, products) and isinstance(right, ast.BinOp) and isinstance(right.op, sums):
        yield ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
    if isinstance(op, sums) and isinstance(right, ast.BinOp) and isinstance(right.op, products | ast.Pow):
        yield ast.BinOp(ast.BinOp(left, op, right.left), right.op, right.right)
    if isinstance(op, ast.Pow) and isinstance(left, ast.BinOp) and isinstance(left.op, sums | products):
        yield ast.BinOp(left.left, left.op, ast.BinOp(left.right, op, right))


def _square(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Pow(), ast.Constant(2))


def _has_constant(node: ast.expr) -> bool:
    """Whether a number is added to it, which is edited by itself."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        return _has_constant(node.left) or _has_constant(node.right)
    return isinstance(node, ast.Constant)


def _names(target: ast.AST) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _distinct(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _tuple(elements: list) -> ast.expr:
    return elements[0] if len(elements) == 1 else ast.Tuple(list(elements), ast.Load())


def _plus(node: ast.expr, step: int) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return ast.Constant(node.value + step)
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _copy(node):
    return ast.parse(ast.unparse(node)).body[0] if isinstance(node, ast.stmt) else _stored(node)


def _stored(node: ast.expr) -> ast.expr:
    (assign,) = ast.parse(f"{ast.unparse(node)} = 0").body
    assert isinstance(assign, ast.Assign)
    return assign.targets[0]


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _locate(new: Any, at: ast.stmt) -> None:
    for node in new if isinstance(new, list) else [new]:
        for one in ast.walk(node):
            if "lineno" in one._attributes and not hasattr(one, "lineno"):
                ast.copy_location(one, at)


# What is shown of an edit


def _header(statement: ast.stmt) -> str:
    """The statement's own line."""
    return ast.unparse(statement).split("\n")[0]


def _after(edit: Edit) -> str:
    if isinstance(edit.new, list):
        return f"# {edit.kind}"
    if isinstance(edit.new, ast.Pass):
        return "# nothing"
    return _header(edit.new if isinstance(edit.new, ast.stmt) else edit.statement)
