"""What a function calls when a call of it leaves a parameter out: ``def label(clock=time.time)``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.meanings import External, Own
from babysitter.lint.outside import code_of
from babysitter.lint.parameters import default_of
from babysitter.lint.scopes import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place


def called_by_default(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A call that leaves it to the default of a parameter to read a clock, and the like."""
    node = place.node
    called = place.meaning(node.func) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or not isinstance(called, Own) or isinstance(called.node, ast.ClassDef):
        return
    for parameter in _left_out(node, called):
        value = default_of(parameter)
        found = place.names.meaning(value, called.module) if value else None
        code = code_of(found.name) if isinstance(found, External) else None
        if code and value and _is_called(parameter, called):
            yield node, code, f"{ast.unparse(value)}, which {in_words(node.func)}() calls by default,"


def _left_out(node: ast.Call, called: Own) -> list[Parameter]:
    """The parameters with a default that a call says nothing about; none when that cannot be seen."""
    if any(isinstance(each, ast.Starred) for each in node.args) or any(
        not each.arg for each in node.keywords
    ):
        return []
    function = called.node
    assert not isinstance(function, ast.ClassDef)
    in_order = [*function.args.posonlyargs, *function.args.args]
    is_method = isinstance(called.module.scope_of(function).node, ast.ClassDef)
    rest = in_order[len(node.args) + is_method :]
    named = {each.arg for each in node.keywords}
    return [Parameter(function, each) for each in (*rest, *function.args.kwonlyargs) if each.arg not in named]


def _is_called(parameter: Parameter, called: Own) -> bool:
    calls = (each for each in ast.walk(called.node) if isinstance(each, ast.Call))
    return any(isinstance(each.func, ast.Name) and each.func.id == parameter.arg.arg for each in calls)
