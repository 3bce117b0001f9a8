"""Handlers that swallow the end of a branch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.scopes import Definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babysitter.lint.replayed import Place

SWALLOWED, LEFT = "BS301", "BS302"
TOO_MUCH = ("builtins.BaseException", "babysitter.BranchCancelled", "babysitter.errors.BranchCancelled")


def swallowed(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A handler around a step that catches what gives a branch up, and does not raise it again."""
    node = place.node
    if isinstance(node, ast.Try) and _has_step(node.body):
        for handler in node.handlers:
            what = _too_much(handler.type, place)
            if what and any(isinstance(each, ast.Raise) for each in _inside(handler.body)):
                return
            if what:
                yield handler, SWALLOWED, what
    elif isinstance(node, (ast.With, ast.AsyncWith)) and _has_step(node.body):
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and place.dotted(call.func) == "contextlib.suppress":
                names = [place.dotted(each) for each in call.args]
                if any(name in TOO_MUCH for name in names):
                    yield call, SWALLOWED, ast.unparse(call)


def _too_much(caught: ast.expr | None, place: Place) -> str:
    if caught is None:
        return "a bare `except`"
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    name = next((ast.unparse(kind) for kind in kinds if place.dotted(kind) in TOO_MUCH), "")
    return f"`except {name}`" if name else ""


def left(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A ``finally`` around a step that is left on the way."""
    node = place.node
    if not isinstance(node, ast.Try) or not _has_step([*node.body, *node.handlers, *node.orelse]):
        return
    for statement in node.finalbody:
        for each in _ways_out(statement):
            word = type(each).__name__.lower()
            yield each, LEFT, f"`{word}` in `finally`"


def _ways_out(node: ast.AST, *, is_in_loop: bool = False) -> Iterator[ast.AST]:
    if isinstance(node, (Definition, ast.Lambda)):
        return
    if isinstance(node, ast.Return) or (isinstance(node, (ast.Break, ast.Continue)) and not is_in_loop):
        yield node
    inner = is_in_loop or isinstance(node, (ast.For, ast.AsyncFor, ast.While))
    for child in ast.iter_child_nodes(node):
        yield from _ways_out(child, is_in_loop=inner)


def _has_step(body: Iterable[ast.AST]) -> bool:
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    return any(isinstance(each, waits) for each in _inside(body))


def _inside(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All that stands in there, but not in functions within it."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (Definition, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
