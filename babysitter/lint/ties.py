"""Sets in order of a key that two of their things may share: those two stay in the set's own order."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.findings import in_words
from babysitter.lint.known_sets import is_set
from babysitter.lint.sets import is_sorted_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

CODE = "BS108"
ORDERED = ("builtins.sorted", "builtins.min", "builtins.max")
# Keys that surely give the same for different things. Of others it is not known: a rank, an id, a name.
COARSE = frozenset({"builtins.len", "builtins.str.lower", "builtins.str.upper", "builtins.str.casefold"})
COARSE_METHODS = frozenset({"lower", "upper", "casefold", "count"})
COUNTERS = ("collections.Counter()",)


def ties(place: Place) -> Iterator[tuple[ast.AST, str, str, str]]:
    """``sorted(names, key=len)``, ``max(words, key=text.count)`` of a set."""
    node = place.node
    if not isinstance(node, ast.Call) or place.dotted(node.func) not in ORDERED or len(node.args) != 1:
        return
    if is_sorted_after(node, place):
        return
    for keyword in node.keywords:
        if keyword.arg == "key" and _is_coarse(keyword.value, place) and is_set(node.args[0], place):
            shared = f"where {in_words(keyword.value)} is the same for two of them"
            yield (
                node.args[0],
                CODE,
                f"{shared}, the set {in_words(node.args[0])}",
                f"write `{_in_order(node)}`",
            )


def _is_coarse(key: ast.expr, place: Place) -> bool:
    if isinstance(key, ast.Lambda):
        return _gives_coarse(key, place)
    if place.dotted(key) in COARSE:
        return True
    return isinstance(key, ast.Attribute) and (key.attr == "count" or _is_lookup(key, place))


def _is_lookup(key: ast.Attribute, place: Place) -> bool:
    """Counts of a ``Counter``."""
    value, module = place.names.written(key.value, place.module)
    is_counter = place._replace(module=module).dotted(value) in COUNTERS
    return is_counter and key.attr in ("get", "__getitem__")


def _gives_coarse(key: ast.Lambda, place: Place) -> bool:
    """``lambda name: -len(name)``, which has the thing itself nowhere else."""
    body = key.body.operand if isinstance(key.body, ast.UnaryOp) else key.body
    if not isinstance(body, ast.Call) or len(key.args.args) != 1:
        return False
    name = key.args.args[0].arg
    if _is(name, body.args[:1]):
        is_count = isinstance(body.func, ast.Attribute) and body.func.attr == "count"
        return is_count or place.dotted(body.func) == "builtins.len"
    function = body.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr in COARSE_METHODS
        and _is(name, [function.value])
    )


def _is(name: str, given: list[ast.expr]) -> bool:
    return len(given) == 1 and isinstance(given[0], ast.Name) and given[0].id == name


def _in_order(node: ast.Call) -> str:
    """The same of things that are in an order of their own before."""
    first = f"sorted({ast.unparse(node.args[0])})"
    return f"{ast.unparse(node.func)}({', '.join([first, *map(_keyword, node.keywords)])})"


def _keyword(keyword: ast.keyword) -> str:
    return f"{keyword.arg}={ast.unparse(keyword.value)}"
