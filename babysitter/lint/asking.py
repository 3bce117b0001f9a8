"""How a step is written that stands where a task is called: with the arguments that are there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import InContext
from babysitter.lint.parameters import CONTEXT_NAME, of_parameter
from babysitter.lint.scopes import Comprehension, Function, Parameter
from babysitter.lint.waiting import GROUPS

if TYPE_CHECKING:
    from babysitter.lint.meanings import Task
    from babysitter.lint.place import Place
    from babysitter.lint.scopes import Scope

LONGEST = 120
TOGETHER = ("asyncio.gather", "asyncio.wait")


def asked_in_place(call: ast.Call, task: Task, place: Place) -> str:
    """The step that was meant by a call of a task."""
    step, around = _step(call, task, place), place.module.scope_of(call).function.node
    whole = place.module.parent_of(call)
    is_asked_for = (
        isinstance(whole, ast.Call) and whole.args[:1] == [call] and place.in_context(whole.func) == "task"
    )
    if is_asked_for or _is_branch(call, place) or isinstance(around, ast.Lambda):
        # There is no `await` in a lambda, none in a list of branches, and one before `ctx.task(count(path))`.
        return f"`{step}`"
    if isinstance(whole, (ast.ListComp, ast.GeneratorExp)) and whole.elt is call and _is_plain(whole):
        [loop] = whole.generators
        head = f"{context_at(call, place)}.parallel.map({ast.unparse(loop.iter)}, "
        return f"`await {head}lambda {ast.unparse(loop.target)}: {step})`"
    within = ", in an `async def`" if isinstance(around, ast.FunctionDef) else ""
    return f"`await {step}`{within}"


def asked_before(call: ast.Call, task: Task, place: Place) -> str:
    """The same in place of all that is around the call."""
    return f"`await {_step(call, task, place)}`"


def asked_of_each(items: ast.expr, named: ast.expr, task: Task, place: Place) -> str:
    """The group that was meant by ``map(task, items)``."""
    given = f"{ast.unparse(items)}, {_lambda(named, task, place)}"
    return f"`await {context_at(named, place)}.parallel.map({given})`"


def asked_under(named: ast.expr, task: Task, place: Place) -> str:
    """The function that asks for a task of one argument."""
    return f"`{_lambda(named, task, place)}`"


def branch_of(named: ast.expr, place: Place) -> str:
    """The branch that asks for a task."""
    return f"`lambda: {context_at(named, place)}.task({ast.unparse(named)}, …)`"


def partial_of(call: ast.Call, place: Place) -> str:
    """The same ``partial``, of the step."""
    given = [*map(ast.unparse, call.args), *map(_keyword, call.keywords)]
    return f"`{ast.unparse(call.func)}({context_at(call, place)}.task, {', '.join(given)})`"


def context_at(node: ast.AST, place: Place) -> str:
    """What the context is called here; ``ctx`` where nobody has brought it."""
    scope: Scope | None = place.module.scope_of(node)
    while scope is not None:
        for name, bindings in scope.bindings.items():
            first = bindings[0]
            if isinstance(first, Parameter) and of_parameter(first, place.module, place.names) == InContext(
                ""
            ):
                return name
        scope = scope.parent
    return CONTEXT_NAME


def _step(call: ast.Call, task: Task, place: Place) -> str:
    called, context = ast.unparse(call.func), context_at(call, place)
    step = f"{context}.task({', '.join([called, *_given(call, task)])})"
    return step if len(step) <= LONGEST else f"{context}.task({called}, …)"


def _given(call: ast.Call, task: Task) -> list[str]:
    """The arguments, by the names that the task has for them: that is how they are journalled."""
    names, is_named = _names_of(task), True
    given = []
    for number, each in enumerate(call.args):
        is_named = is_named and number < len(names) and not isinstance(each, ast.Starred)
        given.append(f"{names[number]}={ast.unparse(each)}" if is_named else ast.unparse(each))
    return [*given, *map(_keyword, call.keywords)]


def _keyword(keyword: ast.keyword) -> str:
    value = ast.unparse(keyword.value)
    return f"{keyword.arg}={value}" if keyword.arg else f"**{value}"


def _names_of(task: Task) -> list[str]:
    node = task.node
    if isinstance(node, ast.Call) and node.args:
        # `python(lambda path: …)`; what define_task is given takes all arguments as one.
        node = node.args[0]
    return [each.arg for each in node.args.args] if isinstance(node, Function) else []


def _lambda(named: ast.expr, task: Task, place: Place) -> str:
    names = _names_of(task)
    step = f"{context_at(named, place)}.task({ast.unparse(named)}, "
    return f"lambda {names[0]}: {step}{names[0]}={names[0]})" if names else f"lambda item: {step}item)"


def _is_plain(node: ast.ListComp | ast.GeneratorExp) -> bool:
    loop = node.generators[0]
    return (
        len(node.generators) == 1 and not loop.ifs and not loop.is_async and isinstance(loop.target, ast.Name)
    )


def _is_branch(node: ast.AST, place: Place) -> bool:
    """It stands in the list for a group, or in a comprehension that makes that."""
    around = place.module.parent_of(node)
    while isinstance(around, (ast.List, ast.Tuple, ast.Dict, Comprehension)):
        around = place.module.parent_of(around)
    if not isinstance(around, ast.Call):
        return False
    is_group = place.in_context(around.func) in GROUPS or place.dotted(around.func) in TOGETHER
    return is_group and around.func is not node
