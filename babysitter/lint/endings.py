"""Handlers that swallow the end of a branch."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.elements import Part
from babysitter.lint.findings import in_words
from babysitter.lint.scopes import Definition
from babysitter.lint.waiting import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babysitter.lint.place import Place

SWALLOWED, LEFT = "BS301", "BS302"
TRY = (ast.Try, ast.TryStar)
TOO_MUCH = ("builtins.BaseException", "babysitter.BranchCancelled", "babysitter.errors.BranchCancelled")
CANCELLED = ("asyncio.CancelledError", "asyncio.exceptions.CancelledError")


def swallowed(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A handler around a step that catches what gives a branch up, and does not raise it again."""
    node = place.node
    if isinstance(node, TRY) and _has_step(node.body):
        yield from _swallowed_by_handlers(node, place)
    elif isinstance(node, (ast.With, ast.AsyncWith)) and _has_step(node.body):
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or place.dotted(call.func) != "contextlib.suppress":
                continue
            if any(_is_too_much(each, node.body, place) for each in call.args):
                yield call, SWALLOWED, in_words(call)


def _swallowed_by_handlers(node: ast.Try | ast.TryStar, place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    for handler in node.handlers:
        kinds = _kinds(handler.type, place)
        is_all = handler.type is None or any(
            _is_too_much(each, node.body, place._replace(module=own)) for each, own in kinds
        )
        if is_all and any(isinstance(each, ast.Raise) for each in _inside(handler.body)):
            # What comes behind does not get it any more.
            return
        if is_all:
            yield _clause(handler), SWALLOWED, _named(handler, node)


def _kinds(caught: ast.expr | None, place: Place) -> list[Part]:
    """The classes that a handler names, also those of a tuple with a name."""
    if caught is None:
        return []
    part = place.names.written(caught, place.module)
    if isinstance(part.node, ast.Tuple):
        return [Part(each, part.module) for each in part.node.elts]
    return [Part(caught, place.module)]


def _is_too_much(kind: ast.expr, body: list[ast.stmt], place: Place) -> bool:
    name = place.dotted(kind)
    # `await task` behind `task.cancel()` is as it should be; nobody cancels a step but its own branch.
    return name in TOO_MUCH or (name in CANCELLED and _has_own_step(body, place))


def _has_own_step(body: list[ast.stmt], place: Place) -> bool:
    awaited = (each.value for each in _inside(body) if isinstance(each, ast.Await))
    return any(isinstance(each, ast.Call) and place.in_context(each.func) in STEPS for each in awaited)


def _named(handler: ast.ExceptHandler, node: ast.Try | ast.TryStar) -> str:
    word = "except*" if isinstance(node, ast.TryStar) else "except"
    return f"`{word} {in_words(handler.type)}`" if handler.type else "a bare `except`"


def _clause(handler: ast.ExceptHandler) -> ast.AST:
    """The first line of a handler, up to what it catches."""
    end = handler.type
    return ast.Pass(
        lineno=handler.lineno,
        col_offset=handler.col_offset,
        end_lineno=end.end_lineno if end else handler.lineno,
        end_col_offset=end.end_col_offset if end else handler.col_offset + len("except"),
    )


def left(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A ``finally`` around a step that is left on the way."""
    node = place.node
    if not isinstance(node, TRY) or not _has_step([*node.body, *node.handlers, *node.orelse]):
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
