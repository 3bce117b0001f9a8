"""What the source says of the values of a key, as in ``ctx.task(run, argv=found["argv"])``.

A guess at a result of which no schema says what is in it begins with these.
"""

from __future__ import annotations

import ast
import os
import sys
from typing import TYPE_CHECKING, Any

from babysitter.graphs.values import TEXT, value_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from babysitter.testing.processes import Given

VIEWS = frozenset({"items", "values", "keys"})
OF_TEXTS = frozenset({"strip", "split", "splitlines", "lower", "upper", "startswith", "endswith", "title"})
NUMBERS = (int, float)


class Alike(dict[str, Any]):
    """A mapping with values of one kind, as one of them is."""

    def __init__(self, one: Any) -> None:
        super().__init__()
        self.one = one


class Hints:
    """What is known of the values of keys.

    Attributes:
        keys: key → values that may stand there, the likeliest first.
    """

    def __init__(self, keys: dict[str, list[Any]]) -> None:
        self.keys = keys

    @property
    def everything(self) -> dict[str, Any]:
        """A mapping that has all keys."""
        return {key: values[0] if values else TEXT for key, values in self.keys.items()}


def hints_of(source: Given) -> Hints:
    """All that the files of a process say."""
    keys: dict[str, list[Any]] = {}
    for module in modules_of(source):
        try:
            with open(str(module.__file__), encoding="utf-8") as file:
                tree = ast.parse(file.read())
        except (OSError, ValueError, SyntaxError):
            continue
        for key, value in _Reader(tree, module).hints():
            known = keys.setdefault(key, [])
            if value is not None and value not in known:
                known.append(value)
    return Hints(keys)


def modules_of(source: Given) -> list[ModuleType]:
    """The process's module, and those beside it that are loaded."""
    own = os.path.join(source.folder, "")
    beside = [
        module
        for module in list(sys.modules.values())
        if str(getattr(module, "__file__", None) or "").startswith(own) and module is not source.module
    ]
    return [each for each in (source.module, *beside) if getattr(each, "__file__", None)]


class _Reader:
    """Goes through one file, and looks at what is done with what stands behind a key."""

    def __init__(self, tree: ast.AST, module: ModuleType) -> None:
        self._tree = tree
        self._module = module
        self._parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def hints(self) -> Iterator[tuple[str, Any]]:
        for node in ast.walk(self._tree):
            key = key_in(node)
            if key is not None:
                yield key, self._use(node)

    def _use(self, node: ast.AST) -> Any:
        """A value of the kind that is wanted where a node stands; None: nothing says so."""
        parent = self._parents.get(node)
        if isinstance(parent, ast.keyword):
            call = self._parents[parent]
            return self._argument(call, parent.arg) if isinstance(call, ast.Call) else None
        if isinstance(parent, ast.Call) and node in parent.args:
            return self._argument(parent, parent.args.index(node))
        if isinstance(parent, ast.Dict):
            around = self._use(parent)
            return around if isinstance(around, Alike) else {}
        if isinstance(parent, (ast.For, ast.comprehension)):
            return self._gone_through(parent) if parent.iter is node else None
        if isinstance(parent, ast.Attribute):
            return {} if parent.attr in VIEWS else TEXT if parent.attr in OF_TEXTS else None
        if isinstance(parent, ast.Subscript):
            return self._looked_into(parent, node)
        return _compared(parent, node)

    def _looked_into(self, parent: ast.Subscript, node: ast.AST) -> Any:
        if parent.value is not node:
            return TEXT
        return {} if key_in(parent) is not None else [TEXT]

    def _gone_through(self, loop: ast.For | ast.comprehension) -> Any:
        """A list of mappings, when each of its things is looked into; else of texts."""
        around = self._parents[loop] if isinstance(loop, ast.comprehension) else loop
        names = {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
        inside = (each for each in ast.walk(around) if key_in(each) is not None)
        bases = (each.value if isinstance(each, ast.Subscript) else each.func.value for each in inside)  # type: ignore[attr-defined]
        return [{}] if any(isinstance(each, ast.Name) and each.id in names for each in bases) else [TEXT]

    def _argument(self, call: ast.Call, which: str | int | None) -> Any:
        """A value for a parameter of an own function, or of a task."""
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr == "task" and isinstance(which, str):
            return next((value for each in self._tasks() if (value := _for(each, which)) is not None), None)
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            of = getattr(self._module, function.value.id, None)
            return _for(getattr(of, function.attr, None), which)
        return _for(getattr(self._module, getattr(function, "id", ""), None), which)

    def _tasks(self) -> list[Callable[..., Any]]:
        values = list(vars(self._module).values())
        functions = (getattr(each, "function", None) for each in values)
        return [each for each in functions if callable(each)]


def key_in(node: ast.AST) -> str | None:
    """The key of ``found["files"]`` or ``found.get("files")``."""
    if isinstance(node, ast.Subscript):
        key: ast.expr | None = node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        key = node.args[0] if node.args else None
    else:
        return None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def _compared(parent: ast.AST | None, node: ast.AST) -> Any:
    if isinstance(parent, ast.FormattedValue):
        return TEXT
    if isinstance(parent, ast.Starred):
        return [TEXT]
    if isinstance(parent, ast.BinOp):
        others = [each for each in (parent.left, parent.right) if each is not node]
    elif isinstance(parent, ast.Compare):
        others = [each for each in (parent.left, *parent.comparators) if each is not node]
    else:
        return None
    values = [each.value for each in others if isinstance(each, ast.Constant)]
    if values and isinstance(values[0], NUMBERS):
        return 1
    return values[0] if values and isinstance(values[0], str) else None


def _for(function: Any, which: str | int | None) -> Any:
    """A small value of the type that a parameter is annotated with; None when nothing says what that is."""
    from inspect import signature
    from typing import get_type_hints

    from pydantic import TypeAdapter

    if not hasattr(function, "__annotations__") or which is None:
        return None
    try:
        names = list(signature(function).parameters)
        name = names[which] if isinstance(which, int) else which
        told = get_type_hints(function).get(name, Any)
        schema = {} if told is Any else TypeAdapter(told).json_schema()
    except Exception:
        # It may name what only type checkers import, or have no schema.
        return None
    return _value(schema)


def _value(schema: dict[str, Any]) -> Any:
    if not schema:
        return None
    value = value_for(schema)
    more = schema.get("additionalProperties")
    is_plain = isinstance(more, dict) and more.get("type") not in (None, "object", "array")
    return Alike(value_for(more)) if value == {} and is_plain else value
