"""Make recorded statements readable, and never change what they mean.

A statement whose value nobody uses is dropped, except calls that may have an effect. A value that is used once, by the
statement right after its own, is written there in place of its name. Values are named as the adapter names them, and
unlike any name that a function takes from outside.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from backends.base import METHODS
from harness.transcript.expressions import NEW, target
from harness.transcript.recorder import Recorder

WIDTH = 100
Block = list[ast.stmt]


def tidy(statements: Block, recorder: Recorder, aliases: Mapping[str, str], taken: Iterable[str]) -> None:
    """Make the statements readable, in place. `taken`: names that the script uses already."""
    while dropped(statements, loads(statements), recorder.asked):
        pass
    once = {name for name, times in loads(statements).items() if times == 1}
    inline(statements, once - recorder.inputs)
    better = {name: maker for name, maker in recorder.made_in.items() if maker.isidentifier() and maker[0] != "_"}
    better = {name: maker for name, maker in better.items() if maker not in METHODS}
    Names(better | recorder.suggested, aliases, set(taken)).module(statements)


def text(statements: Block) -> str:
    lines = "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in statements)
    return re.sub(r":\n\n( +def )", r":\n\1", lines)


def loads(nodes: Iterable[ast.AST]) -> Counter[str]:
    """Count how often each name is read."""
    walked = (part for node in nodes for part in ast.walk(node))
    return Counter(part.id for part in walked if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))


def blocks_of(statement: ast.stmt) -> list[Block]:
    return [statement.body] if isinstance(statement, ast.FunctionDef | ast.With) else []


def dropped(block: Block, used: Counter[str], asked: set[str]) -> bool:
    """Drop what is unused, and calls that are given a function that was never called. Return whether anything was."""
    uncalled = {s.name for s in block if isinstance(s, ast.FunctionDef) and not s.body}
    gone = [s for s in block if needless(s, used, uncalled, asked)]
    block[:] = [bare(s, used) for s in block if s not in gone]
    for statement in block:
        if isinstance(statement, ast.With) and isinstance(name := statement.items[0].optional_vars, ast.Name):
            statement.items[0].optional_vars = name if used[name.id] else None
    deeper = [dropped(inner, used, asked) for statement in block for inner in blocks_of(statement)]
    return bool(gone) or any(deeper)


def bare(statement: ast.stmt, used: Counter[str]) -> ast.stmt:
    """Return a statement without the name that it binds, if that is unused; any other statement as it is."""
    if isinstance(statement, ast.Assign) and (name := target(statement)) and not used[name]:
        return ast.Expr(statement.value)
    return statement


def needless(statement: ast.stmt, used: Counter[str], uncalled: set[str], asked: set[str]) -> bool:
    match statement:
        case ast.Import(names=[ast.alias(name=name)]):
            return not used[name.split(".")[0]]
        case ast.Assign(value=value) if (name := target(statement)) and not used[name]:
            effect = isinstance(value, ast.Call) and not (isinstance(value.func, ast.Name) and value.func.id == "list")
            return not effect or name in asked or bool(uncalled & set(loads([value])))
    return isinstance(statement, ast.FunctionDef) and not used[statement.name]


def inline(block: Block, once: set[str]) -> None:
    kept: Block = []
    for statement in block:
        for inner in blocks_of(statement):
            inline(inner, once)
        while kept and (name := target(kept[-1])) and name in once and takes(statement, kept[-1], name):
            kept.pop()
        kept.append(statement)
    block[:] = kept


def takes(statement: ast.stmt, before: ast.stmt, name: str) -> bool:
    """Write the value of the statement before into this statement, where that is safe, and return whether it was."""
    if not isinstance(before, ast.Assign) or name not in loads(heads(statement)):
        return False
    if not any(comes_first(name, head) for head in heads(statement)):
        return False
    if width(before) - len(name) - 3 + max(map(width, heads(statement))) - len(name) > WIDTH:
        return False
    for head in heads(statement):
        Written(name, before.value).visit(head)
    return True


def comes_first(name: str, head: ast.AST) -> bool:
    """Decide whether the name is read before any call is done. A call may change what the value is made of."""
    for node in evaluated(head):
        if isinstance(node, ast.Call):
            return False
        if isinstance(node, ast.Name) and node.id == name:
            return True
    return False


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in the order in which Python finishes their evaluation."""
    parts: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Assign):
        parts = (node.value, *node.targets)
    for part in parts:
        yield from evaluated(part)
    yield node


def heads(statement: ast.stmt) -> list[ast.AST]:
    """Return what is evaluated when the statement is reached, before anything inside of it."""
    if isinstance(statement, ast.With):
        return list(statement.items)
    return [] if isinstance(statement, ast.FunctionDef) else [statement]


def width(node: ast.AST) -> int:
    return len(ast.unparse(ast.fix_missing_locations(node)))


class Written(ast.NodeTransformer):
    """A transformer that replaces a name by the expression of its value."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:  # ast asks for this name
        return self.value if node.id == self.name else node


class Names:
    """Readable names, scope by scope. A function's own names may hide only names that it does not use."""

    def __init__(self, suggested: Mapping[str, str], aliases: Mapping[str, str], taken: set[str]) -> None:
        self.suggested, self.aliases = suggested, aliases
        self.taken = taken | set(dir(builtins)) | set(keyword.kwlist) | set(aliases) | set(aliases.values())
        self.given: dict[str, str] = {}

    def module(self, block: Block) -> None:
        self.scope(block, [])
        for statement in block:
            self.rename(statement)

    def scope(self, block: Block, parameters: list[ast.arg]) -> None:
        """Choose names for everything that is bound in this scope, and then for the functions inside."""
        bound = [argument.arg for argument in parameters] + list(bindings(block))
        mine = self.taken | {self.given[name] for name in loads(block) if name in self.given}
        for name in bound:
            if name.startswith(NEW):
                self.given[name] = self.unlike(self.suggested.get(name, "value"), mine)
                mine = mine | {self.given[name]}
        for function in functions(block):
            self.scope(function.body, function.args.args)

    def unlike(self, wish: str, taken: set[str]) -> str:
        numbered = (f"{wish}_{number}" for number in range(2, 10**6))
        return wish if wish not in taken else next(name for name in numbered if name not in taken)

    def rename(self, statement: ast.stmt) -> None:
        final: Callable[[str], str] = lambda name: self.given.get(name, self.aliases.get(name, name))  # noqa: E731
        for node in ast.walk(statement):
            match node:
                case ast.Name():
                    node.id = final(node.id)
                case ast.arg():
                    node.arg = final(node.arg)
                case ast.FunctionDef():
                    node.name = final(node.name)
                case ast.alias() if node.name in self.aliases:
                    node.asname = self.aliases[node.name]


def bindings(block: Block) -> Iterable[str]:
    """Yield the names that a block binds, in order. Those bound inside of a `with` are the block's own."""
    for statement in block:
        match statement:
            case ast.FunctionDef():
                yield statement.name
            case ast.With(items=[ast.withitem(optional_vars=name)]):
                yield from [name.id] if isinstance(name, ast.Name) else []
                yield from bindings(statement.body)
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name


def functions(block: Block) -> Iterable[ast.FunctionDef]:
    for statement in block:
        match statement:
            case ast.FunctionDef():
                yield statement
            case ast.With():
                yield from functions(statement.body)
