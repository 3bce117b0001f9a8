"""Functions that are made in a loop, called after it, and so see the last value of its variable."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.scopes import Comprehension

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place
    from babysitter.lint.scopes import Function

CODE = "BS207"
KEEPERS = frozenset({"append", "add", "insert", "appendleft", "setdefault"})
LATER = ("timeout", "parallel.all", "parallel.map", "parallel.settled", "parallel.any", "parallel.race")
Loop = ast.For | ast.AsyncFor | ast.While


def late_bindings(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """Functions kept past their turn that use what the loop binds anew on each turn."""
    node = place.node
    kept: Iterator[Function]
    if isinstance(node, Comprehension):
        scope = place.module.scope_in(node)
        kept = _called_later(node.value if isinstance(node, ast.DictComp) else node.elt, place)
        bound = frozenset(scope.bindings)
    elif isinstance(node, Loop):
        scope = place.module.scope_of(node).function
        bound = _bound_in(node)
        kept = _kept_in(node, place, bound)
    else:
        return
    for function in kept:
        name = _captured(function, bound, place, scope.node)
        if name:
            yield function, CODE, f"the {_kind(function)} that uses {name!r}"


def _kind(function: Function) -> str:
    return "lambda" if isinstance(function, ast.Lambda) else f"function {function.name!r}"


def _called_later(node: ast.AST, place: Place) -> Iterator[ast.Lambda]:
    """The lambdas in what a comprehension collects."""
    if isinstance(node, ast.Lambda):
        yield node
    elif isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from _called_later(each, place)
    elif isinstance(node, ast.Dict):
        for each in node.values:
            yield from _called_later(each, place)
    elif isinstance(node, ast.Call) and place.in_context(node.func) in LATER:
        for each in node.args:
            yield from _called_later(each, place)


def _bound_in(loop: Loop) -> frozenset[str]:
    """The names that a turn of the loop binds: its variable, and what it assigns outright."""
    targets = [] if isinstance(loop, ast.While) else [loop.target]
    for each in _statements(loop):
        if isinstance(each, ast.Assign):
            targets += each.targets
        elif isinstance(each, (ast.For, ast.AsyncFor)):
            targets.append(each.target)
    stored = (each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name))
    return frozenset(each.id for each in stored if isinstance(each.ctx, ast.Store))


def _statements(loop: Loop) -> Iterator[ast.AST]:
    """All that stands in a loop, but not in functions within it."""
    waiting: list[ast.AST] = list(loop.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))


def _kept_in(loop: Loop, place: Place, bound: frozenset[str]) -> Iterator[Function]:
    defined = {
        each.name: each
        for each in _statements(loop)
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    for each in _statements(loop):
        for value in _kept_by(each, bound):
            yield from _called_later(value, place)
            if isinstance(value, ast.Name) and value.id in defined:
                yield defined[value.id]


def _kept_by(node: ast.AST, bound: frozenset[str]) -> list[ast.expr]:
    """What a statement puts into a collection that is older than this turn of the loop."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in KEEPERS:
        return [] if _name_of(node.func.value) in bound else node.args
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        return [] if _name_of(node.targets[0].value) in bound else [node.value]
    if isinstance(node, ast.AugAssign) and isinstance(node.value, ast.List):
        return [] if _name_of(node.target) in bound else node.value.elts
    return []


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _captured(function: Function, bound: frozenset[str], place: Place, home: ast.AST) -> str:
    """A name of the loop that the function looks up when it is called."""
    body = function.body if isinstance(function.body, list) else [function.body]
    used = (each for root in body for each in ast.walk(root) if isinstance(each, ast.Name))
    names = {each.id for each in used if isinstance(each.ctx, ast.Load) and each.id in bound}
    scope = place.module.scope_in(function)
    found = {name: scope.home(name) for name in names}
    return min((name for name, where in found.items() if where and where.node is home), default="")
