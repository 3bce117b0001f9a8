"""Arguments of steps that JSON does not have."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.elements import VIEWS
from babysitter.lint.findings import in_words
from babysitter.lint.meanings import External, InContext, Own, Task
from babysitter.lint.scopes import Assigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

NOT_JSON, TUPLE = "BS501", "BS502"
# How many arguments come before those that are written into the journal.
TAKERS = {"task": 1, "subprocess": 1, "hook": 1, "continue_as_new": 0}
OWN_OPTIONS = frozenset({"key", "title", "retry", "budget"})
FOREIGN = (ast.Set, ast.SetComp, ast.Lambda, ast.GeneratorExp)
MADE = frozenset(
    {f"builtins.{name}()" for name in ("set", "frozenset", "bytes", "bytearray", "memoryview", "object")}
    | {f"builtins.{name}()" for name in ("complex", "open", "map", "filter", "zip", "range", "enumerate")}
    | {f"builtins.{name}()" for name in ("reversed", "iter", "slice")}
    | {f"datetime.{name}()" for name in ("datetime", "date", "time", "timedelta", "timezone")}
    | {f"datetime.{name}()" for name in ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")}
    | {f"datetime.{name}()" for name in ("datetime.fromisoformat", "date.fromisoformat")}
    | {f"datetime.{name}()" for name in ("datetime.fromtimestamp", "datetime.strptime", "datetime.combine")}
    | {"datetime.UTC", "decimal.Decimal()", "fractions.Fraction()", "math.inf", "math.nan"}
    | {"pathlib.Path()", "pathlib.PurePath()", "pathlib.PurePosixPath()"}
    | {f"uuid.{name}()" for name in ("UUID", "uuid1", "uuid3", "uuid4", "uuid5")}
    | {"collections.deque()", "re.compile()", "io.StringIO()", "io.BytesIO()", "itertools.count()"}
)
OF_CONTEXT = ("", "now()", "random", "parallel")
DEEPEST = 4


def foreign_arguments(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """What stands in a call of a step, and JSON has nothing for."""
    node = place.node
    if not isinstance(node, ast.Call):
        return
    name = place.in_context(node.func)
    if name not in TAKERS:
        return
    for each in _given(node, name):
        yield from _foreign(each, place)


def _given(node: ast.Call, name: str) -> Iterator[ast.expr]:
    yield from (each for each in node.args[TAKERS[name] :] if not isinstance(each, ast.Starred))
    for keyword in node.keywords:
        is_own = name != "task" and keyword.arg in {*OWN_OPTIONS, "process", "name"}
        if not is_own:
            yield keyword.value


def _foreign(node: ast.expr, place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    if isinstance(node, ast.Tuple):
        yield node, TUPLE, f"the tuple {in_words(node)}"
    if isinstance(node, ast.Dict):
        for key in node.keys:
            if isinstance(key, ast.Constant) and not isinstance(key.value, str):
                yield key, NOT_JSON, f"the key {in_words(key)}"
    if isinstance(node, (ast.Tuple, ast.List, ast.Dict)):
        for each in node.values if isinstance(node, ast.Dict) else node.elts:
            yield from _foreign(each, place)
    elif is_foreign(node, place):
        yield node, NOT_JSON, in_words(node)


def is_foreign(node: ast.AST, place: Place, depth: int = 0) -> bool:
    """An expression is no JSON value for sure."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (bytes, complex, type(...)))
    if isinstance(node, FOREIGN) or _is_foreign_name(node, place) or _is_view(node, place):
        return True
    targets = place.names.targets(node, place.module) if isinstance(node, ast.Name) else []
    if len(targets) != 1 or not isinstance(targets[0].binding, Assigned) or depth > DEEPEST:
        return False
    return is_foreign(targets[0].binding.value, place._replace(module=targets[0].scope.module), depth + 1)


def _is_foreign_name(node: ast.AST, place: Place) -> bool:
    found = place.meaning(node)
    if isinstance(found, External):
        return found.name in MADE or _is_not_a_number(node, found) or _is_type(node, found)
    if isinstance(found, InContext):
        return found.path in OF_CONTEXT
    return isinstance(found, Own) or (isinstance(found, Task) and isinstance(node, ast.Name))


def _is_view(node: ast.AST, place: Place) -> bool:
    """``options.keys()``: hardly anything but a dict has a method of this name; of others it must be one."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.args:
        return False
    if place.meaning(node.func) is not None and place.dotted(node.func.value) != "builtins.dict()":
        return False
    value = place.names.written(node.func.value, place.module).node
    is_dict = isinstance(value, (ast.Dict, ast.DictComp)) or place.dotted(value) == "builtins.dict()"
    return node.func.attr == "keys" or (node.func.attr in VIEWS and is_dict)


def _is_not_a_number(node: ast.AST, found: External) -> bool:
    if found.name != "builtins.float()" or not isinstance(node, ast.Call) or not node.args:
        return False
    text = getattr(node.args[0], "value", "")
    return isinstance(text, str) and text.strip("+- ").lower() in ("nan", "inf", "infinity")


def _is_type(node: ast.AST, found: External) -> bool:
    """``int`` or ``len`` itself, not what a call of it gives."""
    is_name = isinstance(node, ast.Name) and found.name.startswith("builtins.")
    return is_name and "()" not in found.name and "." not in found.name.removeprefix("builtins.")
