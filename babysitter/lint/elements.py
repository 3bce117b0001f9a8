"""What a loop over a table of the author's gives, as far as the table is written down."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.binder import has_star
from babysitter.lint.scopes import Assigned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.lint.modules import Module
    from babysitter.lint.targets import Targets

# They give the same things, in another order or form.
SAME = frozenset({"sorted", "list", "tuple", "reversed", "iter"})
TABLES = (ast.Dict, ast.List, ast.Tuple)
VIEWS = frozenset({"keys", "values", "items"})
DEEPEST = 8


class Part(NamedTuple):
    """An expression, and the module that it stands in."""

    node: ast.expr
    module: Module


Thing = Part | tuple[Part, Part]


def elements(node: ast.expr, module: Module, targets: Targets) -> list[Thing]:
    """The things that come out of an expression one by one; none when that cannot be said."""
    if isinstance(node, ast.Call):
        return _given_by(node, module, targets)
    found = written(Part(node, module), targets)
    if isinstance(found.node, ast.Dict):
        return [key for key, _ in _entries(found)]
    if isinstance(found.node, (ast.Tuple, ast.List, ast.Set)) and not has_star(found.node):
        return [Part(each, found.module) for each in found.node.elts]
    return []


def _given_by(node: ast.Call, module: Module, targets: Targets) -> list[Thing]:
    function = node.func
    if isinstance(function, ast.Name) and function.id in SAME and node.args:
        return elements(node.args[0], module, targets)
    if not isinstance(function, ast.Attribute) or function.attr not in VIEWS:
        return []
    entries = _entries(written(Part(function.value, module), targets))
    if function.attr == "items":
        return list(entries)
    return [value if function.attr == "values" else key for key, value in entries]


def _entries(part: Part) -> list[tuple[Part, Part]]:
    table, module = part
    if not isinstance(table, ast.Dict):
        return []
    found = [
        (Part(key, module), Part(value, module))
        for key, value in zip(table.keys, table.values, strict=True)
        if key is not None
    ]
    return found if len(found) == len(table.keys) else []


def written(part: Part, targets: Targets, depth: int = 0) -> Part:
    """The expression behind a name that has only one; itself when it is no such name."""
    if not isinstance(part.node, (ast.Name, ast.Attribute)) or depth > DEEPEST:
        return part
    found = targets.of(part.node, part.module)
    if len(found) != 1 or not isinstance(found[0].binding, Assigned):
        return part
    return written(Part(found[0].binding.value, found[0].scope.module), targets, depth + 1)


def table_behind(node: ast.expr) -> ast.expr:
    """The dict of ``TABLE.items()`` and the like; anything else is itself."""
    function = node.func if isinstance(node, ast.Call) else None
    return function.value if isinstance(function, ast.Attribute) and function.attr in VIEWS else node


def inner(thing: Thing, path: tuple[int, ...]) -> Part | None:
    """What stands at a place in a thing, as the second of a pair."""
    for number in path:
        parts = _parts(thing)
        if number >= len(parts):
            return None
        thing = parts[number]
    return thing if isinstance(thing, Part) else None


def _parts(thing: Thing) -> Sequence[Part]:
    if not isinstance(thing, Part):
        return thing
    if not isinstance(thing.node, (ast.Tuple, ast.List)) or has_star(thing.node):
        return ()
    return [Part(each, thing.module) for each in thing.node.elts]


def looked_up(node: ast.expr, module: Module, targets: Targets) -> list[Part]:
    """All that ``TABLE[key]`` or ``TABLE.get(key)`` may be."""
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        table, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 1:
        table, key = node.func.value, node.args[0]
        if node.func.attr != "get":
            return []
    else:
        return []
    found = written(Part(table, module), targets)
    if isinstance(found.node, ast.Dict):
        return [value for name, value in _entries(found) if not _differ(name.node, key)]
    return [each for each in elements(*found, targets) if isinstance(each, Part)]


def _differ(one: ast.expr, other: ast.expr) -> bool:
    both = isinstance(one, ast.Constant) and isinstance(other, ast.Constant)
    return both and getattr(one, "value", None) != getattr(other, "value", None)


def is_looked_into(node: ast.AST, module: Module) -> bool:
    """A table of which one thing is taken, or one after the other: ``TABLE[key]``, ``for each in TABLE``."""
    parent = module.parent_of(node)
    if isinstance(parent, ast.Attribute) and parent.attr in (*VIEWS, "get"):
        node, parent = parent, module.parent_of(parent)
        if not isinstance(parent, ast.Call):
            return False
        if parent.func is node and node.attr == "get":
            return True
        node, parent = parent, module.parent_of(parent)
    if isinstance(parent, ast.Subscript):
        return parent.value is node
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is node
