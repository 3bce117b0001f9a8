"""Decorators that make a task of a function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import External, Own, Task
from babysitter.lint.returns import returned_by

if TYPE_CHECKING:
    from babysitter.lint.meanings import Meaning
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names

DEFINER = "define_task"
TASK_MAKERS = ("python", "shell", "agent", DEFINER)


def is_task_maker(node: ast.AST, module: Module, names: Names) -> bool:
    """``python``, ``shell(timeout=…)`` and the like, or an own decorator that is made of these."""
    found = names.meaning(node, module)
    if isinstance(found, External):
        return _makes_tasks(found)
    if isinstance(node, ast.Call):
        return is_task_maker(node.func, module, names)
    if isinstance(found, Own) and not isinstance(found.node, ast.ClassDef):
        used = (each for each in ast.walk(found.node) if isinstance(each, ast.Name))
        return any(_makes_tasks(names.meaning(each, found.module)) for each in used)
    return False


def makes_tasks_only(node: ast.AST, module: Module, names: Names) -> bool:
    """A decorator gives a task for sure: an own one may also give a function that asks for one."""
    found = names.meaning(node, module)
    if found is None and isinstance(node, ast.Call):
        maker = names.meaning(node.func, module)
        found = returned_by(maker, names) if isinstance(maker, Own) else None
    if isinstance(found, Own):
        made = returned_by(found, names)
        return isinstance(made, Task) and made.is_sure
    return _makes_tasks(found)


def is_made_by(called: External, node: ast.Call) -> bool:
    """``python(function)``, ``shell(timeout=60)(function)`` or ``define_task(id, build)``: a task itself."""
    if not _makes_tasks(called) or called.name.count("()") > 1:
        return False
    return bool(node.args) or called.name.endswith(DEFINER)


def _makes_tasks(found: Meaning) -> bool:
    if not isinstance(found, External):
        return False
    parts = found.name.replace("()", "").split(".")
    return parts[0] == "babysitter" and parts[-1] in TASK_MAKERS
