"""Real values together with the expressions that give them: what is done to one is executed and recorded.

Modules, arrays, tapes and functions of a framework are wrapped. Python's own numbers, strings, booleans and tuples of
them are not wrapped, so that an adapter's `if` and `for` run as usual.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range)


class Notes(Protocol):
    """The methods that a symbol needs of its recorder."""

    def call(self, function: Symbol, args: tuple[Any, ...], named: dict[str, Any]) -> Any: ...
    def attribute(self, of: Symbol, name: str) -> Any: ...
    def item(self, of: Symbol, key: Any) -> Any: ...
    def operation(
        self, node: Callable[..., ast.expr], compute: Callable[..., Any], operands: tuple[Any, ...]
    ) -> Any: ...
    def in_place(self, sign: ast.operator, compute: Callable[..., Any], target: Symbol, other: Any) -> Any: ...
    def write(self, compute: Callable[[], Any], target: ast.expr, value: Any) -> None: ...
    def items(self, of: Symbol) -> Iterator[Any]: ...
    def enter(self, of: Symbol) -> Any: ...
    def leave(self, of: Symbol, error: tuple[Any, Any, Any]) -> Any: ...
    def node(self, value: Any) -> ast.expr: ...
    def seen(self, of: Symbol) -> Any: ...


class Whole(int):
    """A number with a name: a recorded function's `axis` or `index`."""

    name: str


class Word(str):
    """A string with a name: a recorded function's `reduction`."""

    name: str


def is_plain(value: Any) -> bool:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):  # a framework's own type of shape is a tuple too
        return all(map(is_plain, value))
    return type(value) in PLAIN


def real(value: Any) -> Any:
    """Return what a framework is given: the values without their symbols, in whatever they are nested."""
    if type(value) is Symbol:
        return value._real
    if isinstance(value, Whole | Word):
        return int(value) if isinstance(value, Whole) else str(value)
    if type(value) in (tuple, list):
        return type(value)(map(real, value))
    if type(value) is dict:
        return {name: real(part) for name, part in value.items()}
    if type(value) is slice:
        return slice(real(value.start), real(value.stop), real(value.step))
    return value


def binary(sign: ast.operator, compute: Callable[[Any, Any], Any]) -> tuple[Any, Any, Any]:
    """Return an operator's methods: from the left, from the right, and in place."""

    def node(left: ast.expr, right: ast.expr) -> ast.expr:
        return ast.BinOp(left, sign, right)

    def from_left(self: Symbol, other: Any) -> Any:
        return self._notes.operation(node, compute, (self, other))

    def from_right(self: Symbol, other: Any) -> Any:
        return self._notes.operation(node, compute, (other, self))

    def in_place(self: Symbol, other: Any) -> Any:
        return self._notes.in_place(sign, compute, self, other)

    return from_left, from_right, in_place


def unary(sign: ast.unaryop, compute: Callable[[Any], Any]) -> Any:
    return lambda self: self._notes.operation(lambda operand: ast.UnaryOp(sign, operand), compute, (self,))


def comparison(sign: ast.cmpop, compute: Callable[[Any, Any], Any]) -> Any:
    def node(left: ast.expr, right: ast.expr) -> ast.expr:
        return ast.Compare(left, [sign], [right])

    return lambda self, other: self._notes.operation(node, compute, (self, other))


class Symbol:
    """A wrapped value. Its hash, length and truth value are the value's own."""

    __slots__ = ("_node", "_notes", "_real")
    __array_ufunc__ = None  # so that an array on the left leaves the operator to the symbol
    _notes: Notes
    _real: Any
    _node: ast.expr

    def __init__(self, notes: Notes, value: Any, node: ast.expr) -> None:
        for name, part in (("_notes", notes), ("_real", value), ("_node", node)):
            object.__setattr__(self, name, part)

    def __getattr__(self, name: str) -> Any:
        if name in Symbol.__slots__ or (name.startswith("__") and not isinstance(self._real, ModuleType)):
            raise AttributeError(name)  # a framework looks for protocols in whatever it is given
        return self._notes.attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        target = ast.Attribute(self._node, name, ast.Store())
        self._notes.write(lambda: setattr(self._real, name, real(value)), target, value)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._notes.call(self, args, named)

    def __getitem__(self, key: Any) -> Any:
        return self._notes.item(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        target = ast.Subscript(self._node, self._notes.node(key), ast.Store())
        self._notes.write(lambda: operator.setitem(self._real, real(key), real(value)), target, value)

    def __iter__(self) -> Iterator[Any]:
        return self._notes.items(self)

    def __enter__(self) -> Any:
        return self._notes.enter(self)

    def __exit__(self, *error: Any) -> Any:
        return self._notes.leave(self, error)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(real(instance), self._real)

    def __hash__(self) -> int:
        return hash(self._real)

    def __len__(self) -> int:
        return len(self._real)

    def __bool__(self) -> bool:
        return bool(self._notes.seen(self))

    def __int__(self) -> int:
        return int(self._notes.seen(self))

    def __index__(self) -> int:
        return operator.index(self._notes.seen(self))

    def __float__(self) -> float:
        return float(self._notes.seen(self))

    def __str__(self) -> str:
        return str(self._real)

    __add__, __radd__, __iadd__ = binary(ast.Add(), operator.add)
    __sub__, __rsub__, __isub__ = binary(ast.Sub(), operator.sub)
    __mul__, __rmul__, __imul__ = binary(ast.Mult(), operator.mul)
    __truediv__, __rtruediv__, __itruediv__ = binary(ast.Div(), operator.truediv)
    __floordiv__, __rfloordiv__, __ifloordiv__ = binary(ast.FloorDiv(), operator.floordiv)
    __mod__, __rmod__, __imod__ = binary(ast.Mod(), operator.mod)
    __pow__, __rpow__, __ipow__ = binary(ast.Pow(), operator.pow)
    __matmul__, __rmatmul__, __imatmul__ = binary(ast.MatMult(), operator.matmul)
    __and__, __rand__, __iand__ = binary(ast.BitAnd(), operator.and_)
    __or__, __ror__, __ior__ = binary(ast.BitOr(), operator.or_)
    __neg__, __pos__, __invert__ = (
        unary(ast.USub(), operator.neg),
        unary(ast.UAdd(), operator.pos),
        unary(ast.Invert(), operator.invert),
    )
    __eq__, __ne__ = comparison(ast.Eq(), operator.eq), comparison(ast.NotEq(), operator.ne)
    __lt__, __le__ = comparison(ast.Lt(), operator.lt), comparison(ast.LtE(), operator.le)
    __gt__, __ge__ = comparison(ast.Gt(), operator.gt), comparison(ast.GtE(), operator.ge)

    def __abs__(self) -> Any:
        def node(operand: ast.expr) -> ast.expr:
            return ast.Call(ast.Name("abs", ast.Load()), [operand], [])

        return self._notes.operation(node, abs, (self,))
