"""Decorators that make a task of a function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import External, Own

if TYPE_CHECKING:
    from babysitter.lint.meanings import Meaning
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names

TASK_MAKERS = ("python", "shell", "agent", "define_task")


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


def _makes_tasks(found: Meaning) -> bool:
    if not isinstance(found, External):
        return False
    parts = found.name.replace("()", "").split(".")
    return parts[0] == "babysitter" and parts[-1] in TASK_MAKERS
