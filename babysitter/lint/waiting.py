"""Steps and coroutines that nobody waits for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.looked_into import are_looked_into, is_in_json, is_looked_into
from babysitter.lint.meanings import Own
from babysitter.lint.returns import returned_by
from babysitter.lint.scopes import Assigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

GROUPS = ("parallel.all", "parallel.settled", "parallel.any", "parallel.race")
STEPS = frozenset(
    {"task", "breakpoint", "sleep", "sleep_until", "timeout", "subprocess", "orchestrator_task", "hook"}
    | {*GROUPS, "parallel.map"}
)
COLLECTED = (ast.ListComp, ast.SetComp, ast.GeneratorExp)
STEP, COROUTINE, TASK = "BS203", "BS204", "BS205"
STARTERS = ("asyncio.create_task", "asyncio.ensure_future")
COROUTINES = frozenset(
    {f"asyncio.{name}" for name in ("sleep", "gather", "wait", "wait_for", "shield")}
    | {f"asyncio.Queue().{name}" for name in ("put", "get", "join")}
    | {f"asyncio.{name}().acquire" for name in ("Lock", "Semaphore", "BoundedSemaphore")}
    | {f"asyncio.{name}().wait" for name in ("Event", "Condition", "Barrier")}
)


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
    if place.dotted(node.func) in COROUTINES:
        return COROUTINE
    called = place.meaning(node.func)
    return COROUTINE if isinstance(called, Own) and _is_coroutine(called, place) else None


def _is_coroutine(own: Own, place: Place) -> bool:
    """An async function, also in own decorators that give one; with ``yield`` it is a generator."""
    node = own.node
    if not isinstance(node, ast.AsyncFunctionDef):
        return False
    if not all(_gives_coroutine(each, place._replace(module=own.module)) for each in node.decorator_list):
        return False
    scope = own.module.scope_in(node)
    return not any(
        isinstance(each, (ast.Yield, ast.YieldFrom)) and own.module.scope_of(each).function is scope
        for each in ast.walk(node)
    )


def _gives_coroutine(decorator: ast.expr, place: Place) -> bool:
    called = place.meaning(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if isinstance(decorator, ast.Call) and isinstance(called, Own):
        called = returned_by(called, place.names)
    made = returned_by(called, place.names) if isinstance(called, Own) else None
    return isinstance(made, Own) and isinstance(made.node, ast.AsyncFunctionDef)


def _is_dropped(node: ast.Call, place: Place) -> bool:
    kept, _ = _kept(node, place)
    parent = place.module.parent_of(kept)
    if isinstance(parent, ast.Expr):
        return True
    if isinstance(parent, ast.Return) and kept is node and place.in_context(node.func):
        return isinstance(place.module.scope_of(node).node, ast.AsyncFunctionDef)
    if isinstance(parent, ast.Assign) and all(isinstance(each, ast.Name) for each in parent.targets):
        return not any(_uses(target.id, place) for target in parent.targets if isinstance(target, ast.Name))
    return False


def _uses(name: str, place: Place) -> list[ast.Name]:
    """Where a name of the function around is read, also in functions within it."""
    scope = place.module.scope_of(place.node).function
    home = scope.home(name) or scope
    return [
        each
        for each in ast.walk(home.node)
        if isinstance(each, ast.Name) and each.id == name and not isinstance(each.ctx, ast.Store)
    ]


def _is_taken_for_its_result(node: ast.AST, place: Place) -> bool:
    """As in ``ctx.task(tests).stdout``, or with a name in between."""
    if is_looked_into(node, place) or is_in_json(node, place):
        return True
    kept, is_within = _kept(node, place)
    if is_within and are_looked_into(kept, place):
        return True
    name = place.module.parent_of(kept)
    if not (isinstance(name, ast.Assign) and isinstance(name.targets[0], ast.Name)):
        return False
    uses = _only_uses(name.targets[0].id, kept, place)
    is_taken = _is_each_looked_into if is_within else is_looked_into
    return any(is_taken(each, place) or is_in_json(each, place) for each in uses)


def _kept(node: ast.AST, place: Place) -> tuple[ast.AST, bool]:
    """The list around a step, if it is in one, and whether it is."""
    parent = place.module.parent_of(node)
    is_element = isinstance(parent, COLLECTED) and parent.elt is node
    is_within = isinstance(parent, (ast.List, ast.Tuple, ast.Set)) or is_element
    return (parent, True) if is_within and parent is not None else (node, False)


def _only_uses(name: str, node: ast.AST, place: Place) -> list[ast.Name]:
    """Where a name is read that is never anything but this."""
    home = place.module.scope_of(node).home(name)
    bindings = home.bindings[name] if home else []
    is_only = len(bindings) == 1 and isinstance(bindings[0], Assigned)
    return _uses(name, place) if is_only else []


def _is_each_looked_into(node: ast.Name, place: Place) -> bool:
    """``for each in ran: each.stdout``, or ``ran[0].stdout``."""
    parent = place.module.parent_of(node)
    if isinstance(parent, ast.Subscript) and not isinstance(parent.slice, ast.Slice):
        return is_looked_into(parent, place)
    if not isinstance(parent, (ast.For, ast.comprehension)) or not isinstance(parent.target, ast.Name):
        return False
    around = place.module.parent_of(parent) if isinstance(parent, ast.comprehension) else parent
    assert around is not None
    uses = [each for each in ast.walk(around) if isinstance(each, ast.Name) and each.id == parent.target.id]
    return any(is_looked_into(each, place) for each in uses)
