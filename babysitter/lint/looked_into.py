"""Where an expression stands that counts by its value: a step or a coroutine there lacks its ``await``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babysitter.lint.place import Place

# Whoever takes a value apart; what is not here may keep it for somebody who awaits it.
TAKERS = frozenset(
    f"builtins.{name}"
    for name in (
        *("list", "tuple", "set", "frozenset", "dict", "sorted", "reversed", "enumerate", "zip", "iter"),
        *("len", "sum", "any", "all", "min", "max", "map", "filter", "next", "range"),
        *("int", "float", "str", "bool", "abs", "round"),
    )
) | {"json.dumps", "json.loads"}
EACH = frozenset(f"builtins.{name}" for name in ("sum", "any", "all", "min", "max", "sorted"))
OPENERS = (
    *(ast.Attribute, ast.Subscript, ast.FormattedValue, ast.UnaryOp, ast.BinOp),
    *(ast.Starred, ast.AugAssign, ast.Match),
)
# Of ``ctx``: what takes JSON values, or a text; the others take branches.
JSON_TAKERS = frozenset(
    {"task", "subprocess", "hook", "continue_as_new", "breakpoint", "orchestrator_task", "sleep"}
    | {"sleep_until", "log", "score", "progress", "halt"}
)


def is_looked_into(node: ast.AST, place: Place) -> bool:
    """An expression that is no good for anything there but by its value."""
    parent = place.module.parent_of(node)
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node or (isinstance(parent, ast.IfExp) and is_looked_into(parent, place))
    if isinstance(parent, (ast.For, ast.comprehension)):
        return parent.iter is node or (isinstance(parent, ast.comprehension) and node in parent.ifs)
    if isinstance(parent, ast.BoolOp):
        # The last of them is handed on as it is.
        return parent.values[-1] is not node or is_looked_into(parent, place)
    if isinstance(parent, ast.Compare):
        return _is_compared(node, parent)
    if isinstance(parent, ast.NamedExpr):
        return is_looked_into(parent, place)
    if isinstance(parent, ast.Assign):
        return any(isinstance(each, (ast.Tuple, ast.List)) for each in parent.targets)
    if isinstance(parent, ast.keyword):
        return parent.arg is None or _is_items(parent, place)
    if isinstance(parent, ast.Call):
        return node in parent.args and _takes_apart(parent, node, place)
    return isinstance(parent, OPENERS)


def _is_compared(node: ast.AST, parent: ast.Compare) -> bool:
    """By its value: whether something with a name is this very step, or one of these, may be asked."""
    is_kept = isinstance(node, ast.Name)
    asked = (ast.Is, ast.IsNot, ast.In, ast.NotIn) if parent.left is node else (ast.Is, ast.IsNot)
    return not (is_kept and all(isinstance(each, asked) for each in parent.ops))


def are_looked_into(node: ast.AST, place: Place) -> bool:
    """A collection that goes to what looks at each thing in it."""
    parent = place.module.parent_of(node)
    if not isinstance(parent, ast.Call) or parent.args[:1] != [node]:
        return False
    return place.dotted(parent.func) in EACH or _is_text_method(parent.func)


def _is_text_method(function: ast.expr) -> bool:
    """``", ".join``, ``"{}".format``."""
    is_text = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant)
    return is_text and getattr(function, "attr", "") in ("join", "format")


def _is_items(keyword: ast.keyword, place: Place) -> bool:
    call = place.module.parent_of(keyword)
    return keyword.arg == "items" and isinstance(call, ast.Call) and _is_map(call, place)


def _is_map(call: ast.Call, place: Place) -> bool:
    return place.in_context(call.func) == "parallel.map"


def _takes_apart(call: ast.Call, node: ast.AST, place: Place) -> bool:
    if _is_map(call, place):
        return call.args[0] is node
    return place.dotted(call.func) in TAKERS or _is_text_method(call.func)


def is_in_json(node: ast.AST, place: Place) -> bool:
    """It is, or is a part of, what is handed to a step, or what the process returns."""
    inner, around = node, place.module.parent_of(node)
    while _is_part(inner, around):
        assert around is not None
        inner, around = around, place.module.parent_of(around)
    if isinstance(around, ast.Return):
        return _is_of_process(around, place)
    if isinstance(around, ast.keyword):
        inner, around = around, place.module.parent_of(around)
    return isinstance(around, ast.Call) and around.func is not inner and _takes_json(around, place)


def _is_part(node: ast.AST, around: ast.AST | None) -> bool:
    if isinstance(around, ast.Dict):
        return node in around.values
    if isinstance(around, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        return around.elt is node
    if isinstance(around, ast.DictComp):
        return around.value is node
    if isinstance(around, ast.IfExp):
        return around.test is not node
    return isinstance(around, (ast.List, ast.Tuple, ast.Set))


def _takes_json(call: ast.Call, place: Place) -> bool:
    return place.in_context(call.func) in JSON_TAKERS


def _is_of_process(node: ast.Return, place: Place) -> bool:
    """The process itself returns it, and no function of its own that somebody may await."""
    function = place.module.scope_of(node).node
    return (
        isinstance(function, ast.AsyncFunctionDef)
        and function.name == place.names.export
        and not function.decorator_list
        and place.module is place.names.library.process
        and function in place.module.tree.body
    )
