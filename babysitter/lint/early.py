"""Steps that are waited for before the group that they are to be a part of has begun."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.scopes import Assigned
from babysitter.lint.waiting import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

CODE = "BS206"
TOGETHER = ("asyncio.gather", "asyncio.wait")


def too_early(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """``await`` where a branch is to be handed over."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    if place.in_context(node.func) in GROUPS:
        branches = [each for given in node.args[:1] for each in parts_of(given, place)]
    elif place.dotted(node.func) in TOGETHER:
        branches = [*node.args, *(each for given in node.args for each in parts_of(given, place))]
    else:
        return
    for each in branches:
        if isinstance(each, ast.Await):
            yield each, CODE, in_words(each)


def parts_of(node: ast.expr, place: Place) -> list[ast.expr]:
    """What stands in a list, dict or comprehension, also in one with a name."""
    if isinstance(node, ast.Starred):
        return parts_of(node.value, place)
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        return [node.elt]
    if isinstance(node, ast.DictComp):
        return [node.value]
    targets = place.names.targets(node, place.module) if isinstance(node, ast.Name) else []
    is_here = len(targets) == 1 and targets[0].scope.module is place.module
    if is_here and isinstance(targets[0].binding, Assigned):
        value = targets[0].binding.value
        return [] if isinstance(value, (ast.Name, ast.Starred)) else parts_of(value, place)
    return []
