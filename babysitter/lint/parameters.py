"""What a parameter stands for: the context, the object of a method, or an object of the annotated type."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import External, InContext, Instance, Own

if TYPE_CHECKING:
    from babysitter.lint.meanings import Meaning
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names
    from babysitter.lint.scopes import Function, Parameter

CONTEXT_NAME = "ctx"
CONTEXTS = ("babysitter.Context", "babysitter.engine.context.Context")


def of_parameter(parameter: Parameter, module: Module, names: Names) -> Meaning:
    """What a call gives for a parameter, as far as that is always the same."""
    function, arg = parameter
    if _is_context(function, arg, module, names):
        return InContext("")
    around = module.scope_of(function).node
    arguments = function.args
    first = [*arguments.posonlyargs, *arguments.args][:1]
    if isinstance(around, ast.ClassDef) and arg in first:
        return Instance(module, around)
    if arg.annotation is None or arg in (arguments.vararg, arguments.kwarg):
        return None
    return of_annotation(arg.annotation, module, names)


def _is_context(function: Function, arg: ast.arg, module: Module, names: Names) -> bool:
    note = arg.annotation
    if isinstance(note, ast.Constant):
        return str(note.value).rpartition(".")[2] == "Context"
    if note is not None:
        named = names.meaning(note, module)
        if named is not None and named != External("typing.Any"):
            return isinstance(named, External) and named.name in CONTEXTS
    is_process = getattr(function, "name", "") == names.export and function in module.tree.body
    return arg.arg == CONTEXT_NAME or (is_process and function.args.args[1:2] == [arg])


def of_annotation(note: ast.expr, module: Module, names: Names) -> Meaning:
    """An object of the type that an annotation names."""
    if isinstance(note, ast.Subscript):
        note = note.value
    if isinstance(note, ast.BinOp):
        note = note.left
    named = names.meaning(note, module)
    if isinstance(named, External):
        return External(f"{named.name}()")
    if isinstance(named, Own) and isinstance(named.node, ast.ClassDef):
        return Instance(named.module, named.node)
    return None


def default_of(parameter: Parameter) -> ast.expr | None:
    """What a parameter is when a call leaves it out."""
    arguments, arg = parameter.function.args, parameter.arg
    in_order = [*arguments.posonlyargs, *arguments.args]
    if arg in in_order:
        number = in_order.index(arg) - len(in_order) + len(arguments.defaults)
        return arguments.defaults[number] if number >= 0 else None
    if arg in arguments.kwonlyargs:
        return arguments.kw_defaults[arguments.kwonlyargs.index(arg)]
    return None
