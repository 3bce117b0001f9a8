"""Steps and coroutines that nobody waits for, or that are waited for too early."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.names import Own
from babysitter.lint.scopes import Assigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.replayed import Place

GROUPS = ("parallel.all", "parallel.settled", "parallel.any", "parallel.race")
STEPS = frozenset(
    {"task", "breakpoint", "sleep", "sleep_until", "timeout", "subprocess", "orchestrator_task", "hook"}
    | {*GROUPS, "parallel.map"}
)
STEP, COROUTINE, TASK, EARLY = "BS203", "BS204", "BS205", "BS206"
STARTERS = ("asyncio.create_task", "asyncio.ensure_future")
TOGETHER = ("asyncio.gather", "asyncio.wait")


def forgotten(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A call that gives something to await, and is neither awaited nor handed on."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    code = _code_of(node, place)
    if code and (_is_dropped(node, place) or (code != TASK and _is_taken_for_its_result(node, place))):
        yield node, code, in_words(node)


def _code_of(node: ast.Call, place: Place) -> str | None:
    if place.in_context(node.func) in STEPS:
        return STEP
    if place.dotted(node.func) in STARTERS:
        return TASK
    called = place.meaning(node.func)
    return COROUTINE if isinstance(called, Own) and _is_coroutine(called) else None


def _is_coroutine(own: Own) -> bool:
    """A plain async function; a decorator may make anything of one, and with ``yield`` it is a generator."""
    node = own.node
    if not isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        return False
    scope = own.module.scope_in(node)
    return not any(
        isinstance(each, (ast.Yield, ast.YieldFrom)) and own.module.scope_of(each).function is scope
        for each in ast.walk(node)
    )


def _is_dropped(node: ast.Call, place: Place) -> bool:
    parent = place.module.parent_of(node)
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, ast.Return) and place.in_context(node.func):
        return isinstance(place.module.scope_of(node).node, ast.AsyncFunctionDef)
    if isinstance(parent, ast.Assign) and all(isinstance(each, ast.Name) for each in parent.targets):
        return not any(_uses(target.id, place) for target in parent.targets if isinstance(target, ast.Name))
    return False


def _uses(name: str, place: Place) -> list[ast.Name]:
    """Where a name of the function around is read, also in functions within it."""
    scope = place.module.scope_of(place.node)
    home = scope.home(name) or scope
    return [
        each
        for each in ast.walk(home.node)
        if isinstance(each, ast.Name) and each.id == name and not isinstance(each.ctx, ast.Store)
    ]


def _is_taken_for_its_result(node: ast.Call, place: Place) -> bool:
    """As in ``ctx.task(tests).stdout``, or with a name in between."""
    if _is_looked_into(node, place):
        return True
    parent = place.module.parent_of(node)
    if not (isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name)):
        return False
    name = parent.targets[0].id
    home = place.module.scope_of(node).home(name)
    bindings = home.bindings[name] if home else []
    is_only = len(bindings) == 1 and isinstance(bindings[0], Assigned)
    return is_only and any(_is_looked_into(each, place) for each in _uses(name, place))


def _is_looked_into(node: ast.AST, place: Place) -> bool:
    parent = place.module.parent_of(node)
    if isinstance(parent, (ast.Attribute, ast.Subscript)):
        return parent.value is node
    if isinstance(parent, (ast.If, ast.While, ast.IfExp)):
        return parent.test is node
    if isinstance(parent, ast.For):
        return parent.iter is node
    return isinstance(parent, (ast.Compare, ast.FormattedValue, ast.UnaryOp))


def too_early(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """``await`` where a branch is to be handed over."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    if place.in_context(node.func) in GROUPS:
        branches = [each for given in node.args[:1] for each in _parts(given, place)]
    elif place.dotted(node.func) in TOGETHER:
        branches = [*node.args, *(each for given in node.args for each in _parts(given, place))]
    else:
        return
    for each in branches:
        if isinstance(each, ast.Await):
            yield each, EARLY, in_words(each)


def _parts(node: ast.expr, place: Place) -> list[ast.expr]:
    """What stands in a list, dict or comprehension, also in one with a name."""
    if isinstance(node, ast.Starred):
        return _parts(node.value, place)
    if isinstance(node, (ast.List, ast.Tuple)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        return [node.elt]
    if isinstance(node, ast.DictComp):
        return [node.value]
    targets = place.names.targets(node, place.module) if isinstance(node, ast.Name) else []
    if len(targets) == 1 and isinstance(targets[0].binding, Assigned):
        value = targets[0].binding.value
        return [] if isinstance(value, (ast.Name, ast.Starred)) else _parts(value, place)
    return []
