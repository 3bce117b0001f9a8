"""Expressions that are sets for sure."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import Own
from babysitter.lint.scopes import Assigned, Element

if TYPE_CHECKING:
    from babysitter.lint.place import Place
    from babysitter.lint.targets import Target

MADE = ("builtins.set()", "builtins.frozenset()")
MAKERS = ("builtins.set", "builtins.frozenset")
# Methods of a set that give one, and operators that do when one side is a set.
ALGEBRA = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
OPERATORS = (ast.BitOr, ast.BitAnd, ast.BitXor, ast.Sub)
# Where the sets of a dict are in what its views give.
WITHIN = {"values": (), "items": (1,)}
DEEPEST = 8


def is_set(node: ast.AST, place: Place, depth: int = 0) -> bool:
    """An expression is a set for sure."""
    if isinstance(node, (ast.Set, ast.SetComp)) or place.dotted(node) in MADE:
        return True
    if depth > DEEPEST:
        return False
    if isinstance(node, ast.BinOp) and isinstance(node.op, OPERATORS):
        return any(
            is_set(side, place, depth + 1) or _is_view_of_keys(side) for side in (node.left, node.right)
        )
    if isinstance(node, ast.IfExp):
        return is_set(node.body, place, depth + 1) and is_set(node.orelse, place, depth + 1)
    if isinstance(node, ast.Call):
        return _is_called_for_set(node, place, depth)
    if isinstance(node, ast.Subscript):
        return holds_sets(node.value, place)
    if isinstance(node, ast.Name):
        targets = place.names.targets(node, place.module)
        return bool(targets) and all(_is_bound_to_set(target, place, depth + 1) for target in targets)
    return False


def _is_view_of_keys(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys"


def _is_called_for_set(node: ast.Call, place: Place, depth: int) -> bool:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in ALGEBRA:
        return is_set(function.value, place, depth + 1)
    called = place.meaning(function)
    return isinstance(called, Own) and _gives_a_set(called, place, depth + 1)


def _gives_a_set(own: Own, place: Place, depth: int) -> bool:
    """A plain function of which every `return` is a set."""
    node, inside = own.node, place._replace(module=own.module)
    if isinstance(node, ast.Lambda):
        return is_set(node.body, inside, depth)
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return False
    returns = [each for each in ast.walk(node) if isinstance(each, (ast.Return, ast.Yield, ast.YieldFrom))]
    own_ones = [each for each in returns if own.module.scope_of(each).function is own.module.scope_in(node)]
    return bool(own_ones) and all(
        isinstance(each, ast.Return) and each.value is not None and is_set(each.value, inside, depth)
        for each in own_ones
    )


def _is_bound_to_set(target: Target, place: Place, depth: int) -> bool:
    binding, there = target.binding, place._replace(module=target.scope.module)
    if isinstance(binding, Assigned):
        return is_set(binding.value, there, depth)
    return isinstance(binding, Element) and _is_element_set(binding, there)


def _is_element_set(element: Element, place: Place) -> bool:
    """``files`` of ``for owner, files in owners.items()``, when the dict holds sets."""
    of = element.of
    while (
        isinstance(of, ast.Call) and place.dotted(of.func) in ("builtins.sorted", "builtins.list") and of.args
    ):
        of = of.args[0]
    if not isinstance(of, ast.Call) or not isinstance(of.func, ast.Attribute):
        return False
    return WITHIN.get(of.func.attr) == element.path and holds_sets(of.func.value, place)


def holds_sets(node: ast.expr, place: Place) -> bool:
    """A dict whose values are sets, as ``defaultdict(set)``."""
    value, module = place.names.written(node, place.module)
    there = place._replace(module=module)
    if isinstance(value, ast.DictComp):
        return is_set(value.value, there, DEEPEST)
    if isinstance(value, ast.Dict):
        return bool(value.values) and all(is_set(each, there, DEEPEST) for each in value.values)
    if not isinstance(value, ast.Call) or there.dotted(value.func) != "collections.defaultdict":
        return False
    return bool(value.args) and there.dotted(value.args[0]) in MAKERS
