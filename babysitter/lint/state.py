"""What outlives a replay: the state of modules and classes, and defaults that are shared."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.elements import Part, table_behind
from babysitter.lint.findings import in_words
from babysitter.lint.meanings import External, Instance, Own
from babysitter.lint.members import member
from babysitter.lint.scopes import Assigned, Element, Imported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

GLOBAL, DEFAULT = "BS401", "BS402"
DEEPEST = 8
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MAKERS = frozenset(
    {f"builtins.{name}()" for name in ("list", "dict", "set", "bytearray")}
    | {f"collections.{name}()" for name in ("defaultdict", "deque", "Counter", "OrderedDict")}
)
CHANGES = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add", "discard", "update"}
    | {"setdefault", "popitem", "appendleft", "popleft", "extendleft", "subtract"}
    | {"difference_update", "intersection_update", "symmetric_difference_update"}
)


def global_state(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """Changes of what belongs to a module or a class, made by a function."""
    node = place.node
    if place.is_at_import:
        return
    if isinstance(node, ast.Global):
        yield node, GLOBAL, f"`global {', '.join(node.names)}`"
    elif isinstance(node, ast.Call) and _is_changing_call(node, place):
        yield node, GLOBAL, f"{in_words(node.func)}()"
    elif isinstance(node, (ast.Subscript, ast.Attribute)) and _is_changed(node, place):
        yield node, GLOBAL, f"a change of {in_words(node)}"


def _is_changed(node: ast.Subscript | ast.Attribute, place: Place) -> bool:
    if not isinstance(node.ctx, (ast.Store, ast.Del)):
        return False
    return is_shared(node.value, place) or _is_of_class(node, place)


def _is_changing_call(node: ast.Call, place: Place) -> bool:
    if place.dotted(node.func) == "builtins.next" and node.args:
        return _is_counter(node.args[0], place)
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in CHANGES:
        return False
    return is_shared(function.value, place)


def is_shared(node: ast.AST, place: Place, depth: int = 0) -> bool:
    """A list, dict or the like that a module or a class keeps."""
    if isinstance(node, ast.Subscript):
        # A slice is a copy.
        return not isinstance(node.slice, ast.Slice) and is_shared(node.value, place, depth)
    other = _behind(node, place)
    if other is not None:
        there = place._replace(module=other.module)
        return depth < DEEPEST and is_shared(other.node, there, depth + 1)
    value = _value_of_module(node, place)
    if value is not None:
        return is_mutable(value[0], value[1])
    return isinstance(node, ast.Attribute) and _is_kept_by_class(node, place)


def _behind(node: ast.AST, place: Place) -> Part | None:
    """What of a table a name of a function stands for: ``seen = CACHE["seen"]``, ``for each in STAGES``."""
    targets = place.names.targets(node, place.module) if isinstance(node, ast.Name) else []
    if len(targets) != 1 or isinstance(targets[0].scope.node, ast.Module):
        return None
    binding, module = targets[0].binding, targets[0].scope.module
    if isinstance(binding, Element):
        return Part(table_behind(binding.of), module)
    if isinstance(binding, Assigned) and isinstance(binding.value, (ast.Name, ast.Attribute, ast.Subscript)):
        is_part = isinstance(binding.value, ast.Subscript) and isinstance(binding.value.slice, ast.Slice)
        return None if is_part else Part(binding.value, module)
    return None


def _is_kept_by_class(node: ast.Attribute, place: Place) -> bool:
    """``Report.lines``, also as ``self.lines`` where no object ever gets lines of its own."""
    base = place.meaning(node.value)
    if not isinstance(base, (Own, Instance)) or not isinstance(base.node, ast.ClassDef):
        return False
    if isinstance(base, Instance) and _is_of_object(node.attr, base.node):
        return False
    found = member(base.module, base.node, node.attr, place.names)
    if found is None or not isinstance(found.binding, Assigned):
        return False
    return is_mutable(found.binding.value, place._replace(module=found.scope.module))


def _is_of_object(name: str, node: ast.ClassDef) -> bool:
    stored = (each for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr == name)
    return bool(node.decorator_list) or any(isinstance(each.ctx, ast.Store) for each in stored)


def _is_of_class(node: ast.Subscript | ast.Attribute, place: Place) -> bool:
    """``Counter.total``, or ``settings.level`` of an own module."""
    if not isinstance(node, ast.Attribute):
        return False
    base = place.meaning(node.value)
    if isinstance(base, Own):
        # What a function makes is made anew at each replay.
        return isinstance(base.module.scope_of(base.node).node, ast.Module)
    if isinstance(base, External):
        return place.names.library.module(base.name) is not None and _is_import(node.value, place)
    return False


def _is_import(node: ast.AST, place: Place) -> bool:
    return any(isinstance(each.binding, Imported) for each in place.names.targets(node, place.module))


def _value_of_module(node: ast.AST, place: Place) -> tuple[ast.expr, Place] | None:
    targets = place.names.targets(node, place.module)
    values = [each for each in targets if isinstance(each.scope.node, ast.Module)]
    if len(values) != 1 or not isinstance(values[0].binding, Assigned):
        return None
    return values[0].binding.value, place._replace(module=values[0].scope.module)


def _is_counter(node: ast.AST, place: Place) -> bool:
    value = _value_of_module(node, place)
    return value is not None and value[1].dotted(value[0]) == "itertools.count()"


def is_mutable(node: ast.AST, place: Place) -> bool:
    """An expression makes something that can be changed."""
    return isinstance(node, DISPLAYS) or place.dotted(node) in MAKERS


def shared_defaults(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """Defaults of a function's parameters that can be changed."""
    node = place.node
    # A lambda has them to bind a value at once.
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for each in (*node.args.defaults, *node.args.kw_defaults):
            if each is not None and is_mutable(each, place):
                yield each, DEFAULT, f"the default {in_words(each)} of {node.name!r}"
