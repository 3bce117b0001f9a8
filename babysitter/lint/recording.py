"""What of a call runs at a replay: not what makes tasks, nor what ``ctx.record`` calls once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import External, InContext, Own
from babysitter.lint.scopes import Parameter
from babysitter.lint.task_makers import is_task_maker

if TYPE_CHECKING:
    from babysitter.lint.meanings import Meaning
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names

WRAPPERS = ("functools.partial",)


def parts_that_run(node: ast.Call, module: Module, names: Names) -> list[ast.expr]:
    """The parts of a call that run, or that it may call, at each replay."""
    called = names.meaning(node.func, module)
    if is_task_maker(node.func, module, names):
        return [node.func]
    values = [*node.args, *(each.value for each in node.keywords)]
    if is_record(node, called):
        return [node.func, *node.args[:1]]
    if isinstance(called, Own) and _records_what_it_is_given(called, names):
        return [node.func, *(each for each in values if not _is_function(each, module, names))]
    return [node.func, *values]


def is_record(node: ast.Call, called: Meaning) -> bool:
    """``ctx.record(name, function)``."""
    if isinstance(called, InContext):
        return called.path == "record"
    # Also of a context that goes by a name which nobody knows.
    is_named = isinstance(node.func, ast.Attribute) and node.func.attr == "record"
    return called is None and is_named and len(node.args) + len(node.keywords) == 2


def _records_what_it_is_given(called: Own, names: Names) -> bool:
    """An own function that hands a parameter of its own to ``ctx.record``."""
    return not isinstance(called.node, ast.ClassDef) and any(
        isinstance(each, ast.Call)
        and is_record(each, names.meaning(each.func, called.module))
        and any(_is_parameter(value, called, names) for value in each.args[1:])
        for each in ast.walk(called.node)
    )


def _is_parameter(node: ast.AST, called: Own, names: Names) -> bool:
    return any(
        isinstance(target.binding, Parameter) and target.binding.function is called.node
        for target in names.targets(node, called.module)
    )


def _is_function(node: ast.AST, module: Module, names: Names) -> bool:
    return is_function_value(node, module, names) or isinstance(names.meaning(node, module), Own)


def is_function_value(node: ast.AST, module: Module, names: Names) -> bool:
    """An expression that makes a function, and calls none."""
    if isinstance(node, ast.Call):
        called = names.meaning(node.func, module)
        return isinstance(called, External) and called.name in WRAPPERS
    return isinstance(node, ast.Lambda)
