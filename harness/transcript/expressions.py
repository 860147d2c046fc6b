"""Values as expressions of Python's syntax, and functions of syntax trees."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

from harness.transcript.symbols import PLAIN, Symbol, Whole, Word

NEW = "_new_"
"""The prefix of a name that has no readable form yet."""
NAMED = re.compile(rf"{NEW}\d+")


class TranscriptError(Exception):
    """A question has no transcript in the framework's own words. The message says why."""


def expression(value: Any) -> ast.expr:
    """Return an expression that gives the value, in a script where symbols have their names.

    Raise TranscriptError for an object that has none.
    """
    if type(value) is Symbol:
        return value._node
    if isinstance(value, Whole | Word):
        return ast.Name(value.name, ast.Load())
    match value:
        case tuple():
            return ast.Tuple([expression(part) for part in value], ast.Load())
        case list():
            return ast.List([expression(part) for part in value], ast.Load())
        case dict():
            return ast.Dict([ast.Constant(key) for key in value], [expression(part) for part in value.values()])
        case float() if not math.isfinite(value):
            return ast.parse(f"float({str(value)!r})", mode="eval").body
        case slice():
            ends = (None if end is None else expression(end) for end in (value.start, value.stop, value.step))
            return ast.Slice(*ends)
    if value is ...:
        return ast.Constant(...)
    if type(value) in PLAIN:
        return ast.parse(repr(value), mode="eval").body
    if isinstance(value, type) and value.__module__ == "builtins":
        return ast.Name(value.__name__, ast.Load())
    raise TranscriptError(f"a {type(value).__name__} that the adapter did not get from its framework")


def empty_function(name: str) -> ast.FunctionDef:
    """Return the definition of a function that was not called yet."""
    definition = ast.parse(f"def {name}(): pass").body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.body = []
    return definition


def target(statement: ast.stmt) -> str:
    """Return the recorded name that a statement gives a value, or an empty string."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.FunctionDef(name=name) if name.startswith(NEW):
            return name
    return ""


def dotted(name: str) -> ast.expr:
    return ast.parse(name, mode="eval").body


def normalised(definition: ast.FunctionDef) -> str:
    """Return the definition's text with its names numbered in their own order.

    The text is equal for two recordings of one function.
    """
    order: dict[str, str] = {}
    text = ast.unparse(ast.fix_missing_locations(definition))
    return NAMED.sub(lambda found: order.setdefault(found[0], f"name{len(order)}"), text)
