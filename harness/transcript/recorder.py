"""Execute an adapter's calls and record them as statements of a Python syntax tree.

Every call and every operator on an array becomes a statement that assigns a new name. Statements stand in blocks: the
script's own, the body of a recorded function, the body of a `with` statement. A function that is passed to the
framework becomes a `def`, whose body is recorded when the framework first calls it. If the framework calls it again,
the same statements must arise; otherwise there is no transcript.
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

from harness.transcript.expressions import NEW, TranscriptError, dotted, empty_function, expression, normalised, target
from harness.transcript.symbols import Symbol, Whole, Word, is_plain, real


class Recorder:
    """The statements recorded so far, and the names that the adapter's own variables suggest for values."""

    def __init__(self, uncompiled: bool = False) -> None:
        """Start without statements.

        If `uncompiled`, calls whose first argument is a function are recorded and not executed while the adapter is
        being constructed, as those of a compiler are.
        """
        self.uncompiled, self.making = uncompiled, True
        self.blocks: list[list[ast.stmt]] = [[]]
        self.suggested: dict[str, str] = {}
        self.made_in: dict[str, str] = {}
        """The adapter's function in which each value was made: the second choice for its name."""
        self.roots: dict[str, Any] = {"numpy": sys.modules["numpy"]}
        """The imported modules by name, in the order of their import. Every script imports NumPy."""
        self.looked = False
        """Whether a Python `if` or `int`, for example, depended on a number in an array."""
        self.raised: BaseException | None = None
        """The last exception that the framework raised."""
        self.broken: BaseException | None = None
        """The first exception inside a recorded function that did not come from the framework."""
        self.inputs: set[str] = set()
        """The names of the framework's own arrays that were made from the arguments."""
        self.asked: set[str] = set()
        """The names of values of which a plain attribute was read, such as the shape. They may be needed for that
        alone."""
        self._count = self._depth = 0
        self._contexts: list[tuple[Symbol, ast.Name]] = []

    # The methods that symbols call (`harness.transcript.symbols.Notes`).

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
        if value is None or isinstance(value, bool):  # the call may have been made for its effect
            block[place] = ast.Expr(block[place].value)  # type: ignore[attr-defined]
        elif is_plain(value):
            del block[place]
        return self.symbol(value, name)

    def call_for_its_body(self, values: list[Any]) -> None:
        """Call the recorded functions among `values`, since the framework may have raised before it called them.

        Without a call their bodies would be unknown.
        """
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
        """Return an iterator over what Python's own iteration gives, which is not always what subscripts give."""
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
        """Record and execute `x += y`, or `x = x + y` if the value has no operator in place.

        Raise TranscriptError if the operator in place gives another object than its target.
        """
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
        """Mark what is raised within this context as the framework's exception.

        The statement that raised it is the block's last. It is kept in the script even if its value is not used.
        """
        block = self.blocks[-1]
        try:
            yield
        except Exception as error:
            self.raised = error
            if isinstance(block[-1], ast.Assign) and target(block[-1]):
                block[-1] = ast.Expr(block[-1].value)
            raise

    def seen(self, of: Symbol) -> Any:
        """Return the value, and note that what the adapter does next may depend on it."""
        self.looked = True
        return of._real

    def taken(self) -> list[ast.stmt]:
        """Return the statements so far, and start again without any."""
        block, self.blocks = self.blocks[0], [[]]
        return block

    # Values and their expressions.

    def symbol(self, value: Any, node: ast.expr) -> Any:
        return value if is_plain(value) else Symbol(self, value, node)

    def module(self, name: str, value: Any) -> Symbol:
        """Return an imported module as a symbol. Its `import` statement stands where it was first asked for."""
        if name not in self.roots:
            self.roots[name] = value
            self.blocks[-1].append(ast.Import([ast.alias(name)]))
        return Symbol(self, value, dotted(name))

    def shortest(self, of: Symbol, name: str, value: Any) -> ast.expr:
        """Return the attribute as an expression.

        It is taken from the first imported module that has the same object under the same name, or else from `of`.
        """
        if isinstance(of._real, ModuleType) and not is_plain(value):
            for root, module in self.roots.items():
                if "." not in root and vars(module).get(name) is value:
                    return ast.Attribute(dotted(root), name, ast.Load())
        return ast.Attribute(of._node, name, ast.Load())

    def handed(self, value: Any) -> tuple[ast.expr, Any]:
        """Return an argument's expression, and the value that the framework is given."""
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
        """Return the value, which the script will call by that name and count among the inputs."""
        if type(value) is Symbol and isinstance(value._node, ast.Name):
            self.suggested[value._node.id] = name
            self.inputs.add(value._node.id)
        return value

    def see_names(self) -> None:
        """Suggest the names of the adapter's local variables for the values that they hold.

        A value keeps the first name that was suggested.
        """
        for name, value in self.adapter_frame().f_locals.items():
            if type(value) is Symbol and isinstance(value._node, ast.Name) and value._node.id.startswith(NEW):
                self.suggested.setdefault(value._node.id, name)

    def compiled_name(self, compiler: ast.expr, function: ast.expr) -> str:
        own = self.suggested[function.id] if isinstance(function, ast.Name) else "f"
        return f"{compiler.attr}_{own}" if isinstance(compiler, ast.Attribute) else f"compiled_{own}"

    def adapter_frame(self) -> FrameType:
        """Return the adapter's frame: the innermost one outside of this package."""
        frame = inspect.currentframe()
        while frame and (str(frame.f_globals.get("__name__")).startswith(__package__)):
            frame = frame.f_back
        assert frame is not None
        return frame

    # Functions.

    def function(self, python: Callable[..., Any]) -> tuple[ast.Name, Callable[..., Any]]:
        """Record a `def` in this block. Return its name, and the function that records its body when it is called."""
        own = getattr(python, "__name__", "")
        name = self.new_name(own if own.isidentifier() else "fgh"[min(self._depth, 2)])
        definition = empty_function(name.id)
        self.blocks[-1].append(definition)

        @functools.wraps(python)  # a compiler looks at the parameters
        def traced(*args: Any, **named: Any) -> Any:
            recorded = empty_function(name.id) if definition.body else definition
            try:
                result = self.body(recorded, python, inspect.signature(python).bind(*args, **named).arguments)
                if recorded is not definition and normalised(definition) != normalised(recorded):
                    raise TranscriptError(f"{own} does something else when the framework calls it again")
            except Exception as error:
                self.broken = self.broken or (None if error is self.raised else error)
                raise
            return real(result)

        # `autograph_info__` keeps a compiler from rewriting this function's source, which is not the adapter's.
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
