"""Executes for real and writes down what it executed, as statements of a Python syntax tree.

Every call and operator on an array is a statement that gives a new name, in blocks: the script's own, a recorded
function's, a `with` statement's. A function that the framework is handed becomes a `def`, whose body is recorded when
the framework first calls it; if it calls it again, the same statements must arise, or there is no transcript.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from harness.transcript.expressions import NEW, TranscriptError, alike, dotted, empty_function, expression, target
from harness.transcript.symbols import Symbol, Whole, Word, is_plain, real


class Recorder:
    """The statements so far, and the names that an adapter's own variables suggest for them."""

    def __init__(self, uncompiled: bool = False) -> None:
        """`uncompiled`: what the adapter hands functions to while it is made is written down and not executed."""
        self.uncompiled, self.making = uncompiled, True
        self.blocks: list[list[ast.stmt]] = [[]]
        self.suggested: dict[str, str] = {}
        self.made_in: dict[str, str] = {}
        """The adapter's function that made a value: the second best name for it."""
        self.roots: dict[str, Any] = {"numpy": sys.modules["numpy"]}
        """Modules that were imported, in order. Every script imports NumPy."""
        self.looked = False
        """Whether a Python `if` or `int` depended on a number in an array."""
        self.raised: BaseException | None = None
        """The framework's own exception, the last that was seen."""
        self.broken: BaseException | None = None
        """One that is not the framework's: the adapter's, or ours."""
        self.inputs: set[str] = set()
        """Names of the framework's own arrays that were made of the arguments."""
        self.asked: set[str] = set()
        """Names of values that gave a plain one: their shape was wanted, if nothing else of them."""
        self._count = self._depth = 0
        self._contexts: list[tuple[Symbol, ast.Name]] = []

    # What symbols ask for.

    def call(self, function: Symbol, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self.see_names()
        given = [self.handed(value) for value in args]
        by_name = {name: self.handed(value) for name, value in named.items()}
        keywords = [ast.keyword(name, node) for name, (node, _) in by_name.items()]
        name = self.assign(ast.Call(function._node, [node for node, _ in given], keywords))
        block, place = self.blocks[-1], len(self.blocks[-1]) - 1
        if self.making and given and getattr(given[0][1], "recorded", False):
            self.suggested[name.id] = self.compiled_name(function._node, given[0][0])
            if self.uncompiled:
                return Symbol(self, given[0][1], name)
        try:
            with self.executing():
                value = function._real(*(value for _, value in given), **{n: v for n, (_, v) in by_name.items()})
        except Exception:
            self.call_for_its_body([value for _, value in given])
            raise
        if value is None or isinstance(value, bool):  # it may have been called for its effect
            block[place] = ast.Expr(block[place].value)  # type: ignore[attr-defined]
        elif is_plain(value):
            del block[place]
        return self.symbol(value, name)

    def call_for_its_body(self, values: list[Any]) -> None:
        """A framework that raises before it calls a function leaves unsaid what that does: so it is called here."""
        functions = [value for value in values if getattr(value, "recorded", False)]
        others = [value for value in values if not getattr(value, "recorded", False)][:1]
        broken, raised = self.broken, self.raised
        for function in functions if others else []:
            with contextlib.suppress(Exception):
                function(*(others[0] if isinstance(others[0], tuple) else others))
        self.broken, self.raised = broken, raised

    def attribute(self, of: Symbol, name: str) -> Any:
        block, _ = self.blocks[-1], self.assign(ast.Attribute(of._node, name, ast.Load()))
        with self.executing():
            value = getattr(of._real, name)
        block.pop()
        if is_plain(value) and isinstance(of._node, ast.Name):
            self.asked.add(of._node.id)
        return self.symbol(value, self.shortest(of, name, value))

    def item(self, of: Symbol, key: Any) -> Any:
        self.see_names()
        node, block = ast.Subscript(of._node, self.node(key), ast.Load()), self.blocks[-1]
        name = self.assign(node)
        with self.executing():
            value = of._real[real(key)]
        if is_plain(value) or isinstance(of._real, tuple | list | dict):
            block.pop()
            return self.symbol(value, node)
        return self.symbol(value, name)

    def items(self, of: Symbol) -> Iterator[Any]:
        """What Python's own iteration over the value gives, which is not always what subscripts would."""
        self.see_names()
        with self.executing():
            values = list(of._real)
        if all(map(is_plain, values)):
            return iter(values)
        node = of._node
        if not isinstance(of._real, tuple | list):
            node = self.assign(ast.Call(ast.Name("list", ast.Load()), [of._node], []))
        return iter([self.symbol(v, ast.Subscript(node, ast.Constant(i), ast.Load())) for i, v in enumerate(values)])

    def operation(self, node: Callable[..., ast.expr], compute: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
        self.see_names()
        statement, block = node(*map(self.node, operands)), self.blocks[-1]
        name = self.assign(statement)
        with self.executing():
            value = compute(*map(real, operands))
        if is_plain(value):
            block.pop()
        return self.symbol(value, name)

    def in_place(self, sign: ast.operator, compute: Callable[..., Any], target: Symbol, other: Any) -> Any:
        """An `x += y`, which is `x = x + y` where the value is not its own target."""
        in_place = getattr(target._real, f"__i{compute.__name__.rstrip('_')}__", None)
        if in_place is None or not isinstance(target._node, ast.Name):
            return self.operation(lambda left, right: ast.BinOp(left, sign, right), compute, (target, other))
        self.blocks[-1].append(ast.AugAssign(ast.Name(target._node.id, ast.Store()), sign, self.node(other)))
        with self.executing():
            value = in_place(real(other))
        if value is not target._real:
            raise TranscriptError("an operator in place gave another value than its target")
        return target

    def write(self, compute: Callable[[], Any], target: ast.expr, value: Any) -> None:
        self.see_names()
        self.blocks[-1].append(ast.Assign([target], self.node(value)))
        with self.executing():
            compute()

    def enter(self, of: Symbol) -> Any:
        self.see_names()
        entered = of._real.__enter__()
        name = self.new_name()
        self._contexts.append((of, name))
        self.blocks.append([])
        return self.symbol(entered, name)

    def leave(self, of: Symbol, error: tuple[Any, Any, Any]) -> Any:
        self.see_names()
        (context, name), body = self._contexts.pop(), self.blocks.pop()
        item = ast.withitem(context._node, ast.Name(name.id, ast.Store()))
        self.blocks[-1].append(ast.With([item], body or [ast.Pass()]))
        return of._real.__exit__(*error)

    @contextmanager
    def executing(self) -> Iterator[None]:
        """What raises here is the framework's doing, and its statement is the block's last: it stands, used or not."""
        block = self.blocks[-1]
        try:
            yield
        except Exception as error:
            self.raised = error
            if isinstance(block[-1], ast.Assign) and target(block[-1]):
                block[-1] = ast.Expr(block[-1].value)
            raise

    def seen(self, of: Symbol) -> Any:
        """The value, on which what the adapter does next may depend."""
        self.looked = True
        return of._real

    def taken(self) -> list[ast.stmt]:
        """The statements so far, which are no longer the recorder's."""
        block, self.blocks = self.blocks[0], [[]]
        return block

    # Values and their expressions.

    def symbol(self, value: Any, node: ast.expr) -> Any:
        return value if is_plain(value) else Symbol(self, value, node)

    def module(self, name: str, value: Any) -> Symbol:
        """An imported module. Its `import` stands where it was first asked for."""
        if name not in self.roots:
            self.roots[name] = value
            self.blocks[-1].append(ast.Import([ast.alias(name)]))
        return Symbol(self, value, dotted(name))

    def shortest(self, of: Symbol, name: str, value: Any) -> ast.expr:
        """The attribute, by the first imported module that has the same object under the same name."""
        if isinstance(of._real, ModuleType) and not is_plain(value):
            for root, module in self.roots.items():
                if "." not in root and vars(module).get(name) is value:
                    return ast.Attribute(dotted(root), name, ast.Load())
        return ast.Attribute(of._node, name, ast.Load())

    def handed(self, value: Any) -> tuple[ast.expr, Any]:
        """An argument's expression, and what the framework is given."""
        if callable(value) and type(value) is not Symbol and not isinstance(value, type):
            return self.function(value)
        return self.node(value), real(value)

    def node(self, value: Any) -> ast.expr:
        return expression(value)

    def assign(self, value: ast.expr, suggestion: str = "") -> ast.Name:
        name = self.new_name(suggestion)
        self.made_in[name.id] = self.adapter_frame().f_code.co_name
        self.blocks[-1].append(ast.Assign([ast.Name(name.id, ast.Store())], value))
        return name

    def new_name(self, suggestion: str = "") -> ast.Name:
        self._count += 1
        name = f"{NEW}{self._count}"
        if suggestion:
            self.suggested[name] = suggestion
        return ast.Name(name, ast.Load())

    def called(self, value: Any, name: str) -> Any:
        """The value, which the script is to call by that name."""
        if type(value) is Symbol and isinstance(value._node, ast.Name):
            self.suggested[value._node.id] = name
            self.inputs.add(value._node.id)
        return value

    def see_names(self) -> None:
        """What the adapter calls its values: the first local variable that holds one names it."""
        for name, value in self.adapter_frame().f_locals.items():
            if type(value) is Symbol and isinstance(value._node, ast.Name) and value._node.id.startswith(NEW):
                self.suggested.setdefault(value._node.id, name)

    def compiled_name(self, compiler: ast.expr, function: ast.expr) -> str:
        own = self.suggested[function.id] if isinstance(function, ast.Name) else "f"
        return f"{compiler.attr}_{own}" if isinstance(compiler, ast.Attribute) else f"compiled_{own}"

    def adapter_frame(self) -> FrameType:
        """Where the adapter stands: the innermost that is not ours."""
        frame = inspect.currentframe()
        while frame and (str(frame.f_globals.get("__name__")).startswith(__package__)):
            frame = frame.f_back
        assert frame is not None
        return frame

    # Functions.

    def function(self, python: Callable[..., Any]) -> tuple[ast.Name, Callable[..., Any]]:
        """A `def` in this block, and what records its body when it is called."""
        own = getattr(python, "__name__", "")
        name = self.new_name(own if own.isidentifier() else "fgh"[min(self._depth, 2)])
        definition = empty_function(name.id)
        self.blocks[-1].append(definition)

        @functools.wraps(python)  # what compiles it looks at its parameters
        def traced(*args: Any, **named: Any) -> Any:
            recorded = empty_function(name.id) if definition.body else definition
            try:
                result = self.body(recorded, python, inspect.signature(python).bind(*args, **named).arguments)
                if recorded is not definition and alike(definition) != alike(recorded):
                    raise TranscriptError(f"{own} does something else when the framework calls it again")
            except Exception as error:
                self.broken = self.broken or (None if error is self.raised else error)
                raise
            return real(result)

        # The second keeps a compiler of Python's source away: what it would rewrite here is not the adapter's.
        vars(traced).update(recorded=True, autograph_info__={})
        return name, traced

    def body(self, definition: ast.FunctionDef, python: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        names = {parameter: self.new_name(parameter) for parameter in arguments}
        definition.args.args = [ast.arg(name.id) for name in names.values()]
        self.blocks.append([])
        self._depth += 1
        try:
            result = python(
                **{parameter: self.parameter(arguments[parameter], names[parameter]) for parameter in names}
            )
            self.blocks[-1].append(ast.Return(self.node(result)))
        finally:
            self._depth -= 1
            definition.body = self.blocks.pop() or [ast.Pass()]
        return result

    def parameter(self, value: Any, name: ast.Name) -> Any:
        if type(value) is int or type(value) is str:
            named: Any = Whole(value) if type(value) is int else Word(value)
            named.name = name.id
            return named
        return self.symbol(value, name)
