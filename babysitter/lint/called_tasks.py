"""Tasks that the process calls like functions, or hands to something that will."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.asking import (
    asked_before,
    asked_in_place,
    asked_of_each,
    asked_under,
    branch_of,
    partial_of,
)
from babysitter.lint.early import parts_of
from babysitter.lint.findings import in_words
from babysitter.lint.meanings import Own, Task
from babysitter.lint.recording import is_record
from babysitter.lint.scopes import Definition
from babysitter.lint.waiting import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

    Found = tuple[ast.AST, str, str, str]

CODE = "BS209"
MAP, PARTIAL = "builtins.map", "functools.partial"
FIRST = (MAP, PARTIAL, "builtins.filter", "functools.reduce")
SORTERS = ("builtins.sorted", "builtins.min", "builtins.max")
# Which argument is called, by its number and its name.
CALLED = {"parallel.map": (1, "fn"), "record": (1, "fn"), "timeout": (1, "thunk"), "on_cleanup": (0, "fn")}


def called_tasks(place: Place) -> Iterator[Found]:
    """A task that is called, here or by what it is handed to."""
    node = place.node
    if not isinstance(node, ast.Call) or place.is_at_import:
        return
    task = task_of(node.func, place)
    if task is not None:
        yield node, CODE, in_words(node), f"write {asked_in_place(node, task, place)}"
    yield from _handed_on(node, place)
    if is_record(node, place.meaning(node.func)):
        yield from _recorded(node, place)


def task_of(node: ast.AST, place: Place) -> Task | None:
    """The task that an expression is for sure; the first, where it is one of several."""
    found = place.meanings(node)
    tasks = [each for each in found if isinstance(each, Task) and each.is_sure]
    return tasks[0] if tasks and len(tasks) == len(found) else None


def _handed_on(node: ast.Call, place: Place) -> Iterator[Found]:
    for each in _to_be_called(node, place):
        task = task_of(each, place)
        if task is not None:
            cure = _cure_of(node, each, task, place)
            told = f"{in_words(each)}, which {in_words(node.func)}() calls,"
            yield each, CODE, told, f"write {cure}" if cure else ""


def _to_be_called(node: ast.Call, place: Place) -> list[ast.expr]:
    """The arguments of a call that it takes for functions."""
    name, of_context = place.dotted(node.func), place.in_context(node.func)
    named = {each.arg: each.value for each in node.keywords}
    if name in FIRST:
        return node.args[:1]
    if name in SORTERS:
        return [named["key"]] if "key" in named else []
    if of_context in GROUPS:
        return [part for each in node.args[:1] for part in parts_of(each, place)]
    if of_context not in CALLED:
        return []
    number, parameter = CALLED[of_context]
    return [*node.args[number : number + 1], *([named[parameter]] if parameter in named else [])]


def _cure_of(node: ast.Call, each: ast.expr, task: Task, place: Place) -> str:
    """The step that was meant; empty where it is not plain what comes of the task's result."""
    name, of_context = place.dotted(node.func), place.in_context(node.func)
    if name == MAP and len(node.args) > 1:
        return asked_of_each(node.args[1], each, task, place)
    if name == PARTIAL:
        return partial_of(node, place)
    if of_context == "parallel.map":
        return asked_under(each, task, place)
    return branch_of(each, place) if of_context in (*GROUPS, "timeout", "on_cleanup") else ""


def _recorded(node: ast.Call, place: Place) -> Iterator[Found]:
    """What the function calls that ``ctx.record`` calls: it does not run at a replay, but in the process."""
    for each in (*node.args[1:], *(keyword.value for keyword in node.keywords)):
        found = place.meaning(each)
        if isinstance(found, Own) and isinstance(found.node, (ast.FunctionDef, ast.Lambda)):
            inside = place._replace(module=found.module)
            for call in _calls_in(found.node):
                task = task_of(call.func, inside)
                # Another file's findings are told where that file is looked through.
                if task is not None and found.module is place.module:
                    yield call, CODE, in_words(call), f"write {asked_before(call, task, inside)}"


def _calls_in(function: ast.FunctionDef | ast.Lambda) -> Iterator[ast.Call]:
    waiting: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, (Definition, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))
