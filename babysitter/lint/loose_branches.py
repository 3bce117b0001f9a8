"""Branches that are handed to a group one by one, as ``asyncio.gather`` takes them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.meanings import Own
from babysitter.lint.waiting import GROUPS, STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

CODE = "BS210"
LONGEST = 120


def loose_branches(place: Place) -> Iterator[tuple[ast.AST, str, str, str]]:
    """``ctx.parallel.all(one, other)``, and a single branch without a list."""
    node = place.node
    if not isinstance(node, ast.Call) or place.in_context(node.func) not in GROUPS:
        return
    is_starred = any(isinstance(each, ast.Starred) for each in node.args)
    if len(node.args) > 1 or is_starred or any(_is_branch(each, place) for each in node.args):
        yield node, CODE, in_words(node), _cure_of(node)


def _is_branch(node: ast.expr, place: Place) -> bool:
    found = place.meaning(node)
    if isinstance(found, Own):
        return not isinstance(found.node, ast.ClassDef)
    return isinstance(node, ast.Call) and place.in_context(node.func) in STEPS


def _cure_of(node: ast.Call) -> str:
    given, named = [ast.unparse(each) for each in node.args], [ast.unparse(each) for each in node.keywords]
    if len(node.args) > 1 and isinstance(getattr(node.args[1], "value", None), int):
        return f"give the limit by its name: {_called(node, [given[0], f'limit={given[1]}'])}"
    only = node.args[0]
    branches = ast.unparse(only.value) if isinstance(only, ast.Starred) and not given[1:] else ""
    in_list = f"[{', '.join(given)}]"
    return f"write a list: {_called(node, [branches or in_list, *named])}"


def _called(node: ast.Call, given: list[str]) -> str:
    told = f"{ast.unparse(node.func)}({', '.join(given)})"
    return told if len(told) <= LONGEST else f"{ast.unparse(node.func)}([…])"
