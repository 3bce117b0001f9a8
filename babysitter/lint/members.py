"""What an own class has by a name, itself or from a class that it inherits from."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import External, Own
from babysitter.lint.targets import DEEPEST, Target

if TYPE_CHECKING:
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names
    from babysitter.lint.scopes import Binding

PROPERTIES = ("builtins.property", "functools.cached_property")


def member(module: Module, node: ast.ClassDef, name: str, names: Names, depth: int = 0) -> Target | None:
    """What a class, or an own class that it inherits from, has by this name."""
    bindings = module.scope_in(node).bindings.get(name)
    if bindings:
        return Target(module.scope_in(node), _read(bindings))
    for each in node.bases if depth < DEEPEST else []:
        base = names.meaning(each, module)
        if isinstance(base, Own) and isinstance(base.node, ast.ClassDef):
            found = member(base.module, base.node, name, names, depth + 1)
            if found is not None:
                return found
    return None


def _read(bindings: list[Binding]) -> Binding:
    """The last one, but of a property with a setter the function that reads it."""
    first, last = bindings[0], bindings[-1]
    is_setter = isinstance(last, ast.FunctionDef) and any(
        isinstance(each, ast.Attribute) and each.attr in ("setter", "deleter") for each in last.decorator_list
    )
    return first if is_setter else last


def property_of(target: Target, names: Names) -> Own | None:
    """The function of a property; None for what is none."""
    function, module = target.binding, target.scope.module
    if not isinstance(function, ast.FunctionDef):
        return None
    decorators = {names.meaning(each, module) for each in function.decorator_list}
    is_one = any(isinstance(each, External) and each.name in PROPERTIES for each in decorators)
    return Own(module, function) if is_one else None
