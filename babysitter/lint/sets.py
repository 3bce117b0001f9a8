"""Sets that are gone through in their own order, which is another one in each Python."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.known_sets import is_set
from babysitter.lint.scopes import Comprehension, Definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

CODE = "BS108"
# Whoever takes things in their order. What is not here, as `sorted`, `len` or `sum`, does not care.
IN_ORDER = frozenset(
    f"builtins.{name}"
    for name in ("list", "tuple", "enumerate", "zip", "map", "filter", "iter", "dict", "str", "repr")
) | {"builtins.dict.fromkeys"}
NO_MATTER = frozenset(
    f"builtins.{name}" for name in ("sorted", "set", "frozenset", "len", "any", "all", "sum", "min", "max")
)
GROUPS = ("parallel.map", "parallel.all", "parallel.settled", "parallel.any", "parallel.race")


def own_orders(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """Where a set is taken apart and the order matters."""
    node = place.node
    for each in _gone_through(node, place):
        if is_set(each, place) and not is_sorted_after(node, place):
            yield each, CODE, f"the set {in_words(each)}"
    if _pops(node, place):
        yield node, CODE, in_words(node)


def _gone_through(node: ast.AST, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.For):
        if not all(_is_without_order(each) for each in node.body):
            yield node.iter
    elif isinstance(node, Comprehension) and not isinstance(node, (ast.SetComp, ast.DictComp)):
        yield from (each.iter for each in node.generators)
    elif isinstance(node, ast.Starred) and not _is_looked_for_in(place.module.parent_of(node), place):
        yield node.value
    elif isinstance(node, ast.Assign):
        if any(_takes_apart(target) for target in node.targets):
            yield node.value
    elif isinstance(node, ast.FormattedValue):
        yield node.value
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _is_text(node.left):
        yield from node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    elif isinstance(node, ast.Call):
        yield from _taken_by(node, place)


def _is_looked_for_in(node: ast.AST | None, place: Place) -> bool:
    """A set again, or ``kind in ("a", *others)``."""
    parent = place.module.parent_of(node) if node is not None else None
    is_compared = isinstance(parent, ast.Compare) and isinstance(parent.ops[0], (ast.In, ast.NotIn))
    return isinstance(node, ast.Set) or is_compared


def _takes_apart(target: ast.expr) -> bool:
    """``first, *others = names``, but not ``only, = names``."""
    if not isinstance(target, (ast.Tuple, ast.List)):
        return False
    return len(target.elts) > 1 or any(isinstance(each, ast.Starred) for each in target.elts)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _taken_by(node: ast.Call, place: Place) -> Iterator[ast.expr]:
    if place.dotted(node.func) in IN_ORDER:
        yield from node.args
    elif place.in_context(node.func) in GROUPS or _is_join(node):
        yield from node.args[:1]
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "format" and _is_text(node.func.value):
        yield from (*node.args, *(each.value for each in node.keywords))


def _is_join(node: ast.Call) -> bool:
    function = node.func
    return isinstance(function, ast.Attribute) and function.attr == "join" and _is_text(function.value)


def is_sorted_after(node: ast.AST, place: Place) -> bool:
    """What comes of it goes straight to something that does not care for an order."""
    parent = place.module.parent_of(node)
    if isinstance(parent, ast.Assign):
        return isinstance(parent.targets[0], ast.Name) and _is_sorted_by_name(parent.targets[0], place)
    if not isinstance(parent, ast.Call) or node not in parent.args:
        return False
    return place.dotted(parent.func) in NO_MATTER or _is_method_of_set(parent.func, place)


def _is_method_of_set(function: ast.expr, place: Place) -> bool:
    return isinstance(function, ast.Attribute) and is_set(function.value, place)


def _is_sorted_by_name(name: ast.Name, place: Place) -> bool:
    """As in ``names = list(found)`` and then ``names.sort()``."""
    around = place.module.scope_of(name).node
    return any(
        isinstance(each, ast.Attribute)
        and each.attr == "sort"
        and isinstance(each.value, ast.Name)
        and each.value.id == name.id
        for each in ast.walk(around)
    )


def _is_without_order(node: ast.stmt) -> bool:
    """A statement of a loop that comes to the same in any order."""
    if any(isinstance(each, ast.Await) for each in ast.walk(node)):
        return False
    if isinstance(node, ast.If):
        return all(_is_without_order(each) for each in (*node.body, *node.orelse))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        return isinstance(function, ast.Attribute) and function.attr in ("add", "discard")
    if isinstance(node, ast.AugAssign):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Return):
        # Whichever of them it was.
        return node.value is None or isinstance(node.value, ast.Constant)
    return isinstance(node, (ast.Pass, ast.Continue, ast.Delete))


def _pops(node: ast.AST, place: Place) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    is_pop = node.func.attr == "pop" and not node.args and is_set(node.func.value, place)
    return is_pop and not _is_only_one(node.func.value, place)


def _is_only_one(node: ast.expr, place: Place) -> bool:
    """It stands where ``len(names) == 1``."""
    around: ast.AST | None = node
    asked = f"len({ast.unparse(node)}) == 1"
    while around is not None and not isinstance(around, Definition):
        if isinstance(around, (ast.If, ast.IfExp, ast.While)) and asked in ast.unparse(around.test):
            return True
        around = place.module.parent_of(around)
    return False
