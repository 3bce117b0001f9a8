"""Tables of a module that are handed to a function, which changes them there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.meanings import Own
from babysitter.lint.scopes import Parameter
from babysitter.lint.state import CHANGES, GLOBAL, is_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place
    from babysitter.lint.scopes import Function


def changed_by_others(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """``add(SEEN, name)``, where ``def add(seen, name)`` has ``seen.append(name)``."""
    node = place.node
    called = place.meaning(node.func) if isinstance(node, ast.Call) and not place.is_at_import else None
    if not isinstance(node, ast.Call) or not isinstance(called, Own) or isinstance(called.node, ast.ClassDef):
        return
    inside = place._replace(module=called.module)
    for given, arg in _handed(node, called.node, called):
        if is_shared(given, place) and _is_changed(Parameter(called.node, arg), inside):
            yield given, GLOBAL, f"{in_words(given)}, which {in_words(node.func)}() changes,"


def _handed(node: ast.Call, function: Function, called: Own) -> Iterator[tuple[ast.expr, ast.arg]]:
    """What is given, and the parameter that it is there."""
    in_order = [*function.args.posonlyargs, *function.args.args]
    is_method = isinstance(called.module.scope_of(function).node, ast.ClassDef)
    if is_method and getattr(function, "decorator_list", []):
        # What it is given first is not said.
        return
    for given, arg in zip(node.args, in_order[is_method:], strict=False):
        if isinstance(given, ast.Starred):
            break
        yield given, arg
    named = {each.arg: each for each in (*in_order, *function.args.kwonlyargs)}
    yield from ((each.value, named[each.arg]) for each in node.keywords if each.arg in named)


def _is_changed(parameter: Parameter, place: Place) -> bool:
    return any(_is(each, parameter, place) for each in _changed_in(parameter.function))


def _changed_in(function: Function) -> Iterator[ast.expr]:
    """What a function changes, as far as that is plain."""
    for each in ast.walk(function):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            if each.func.attr in CHANGES:
                yield each.func.value
        elif isinstance(each, ast.Subscript) and isinstance(each.ctx, (ast.Store, ast.Del)):
            yield each.value


def _is(node: ast.expr, parameter: Parameter, place: Place) -> bool:
    targets = place.names.targets(node, place.module) if isinstance(node, ast.Name) else []
    return [each.binding for each in targets] == [parameter]
