"""What is written as the JavaScript original has it, and is refused when a run comes to it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.engine.context import BREAKPOINT_OPTIONS, Context
from babysitter.engine.old_ways import NAMES, OPTIONS, in_python, keyword_cure, public, renamed
from babysitter.engine.parallel import Parallel
from babysitter.lint.findings import in_words
from babysitter.lint.meanings import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.place import Place

ORIGINALS_WAY = "BS801"
OF_CONTEXT = {"": public(Context), "parallel": public(Parallel)}


def originals_way(place: Place) -> Iterator[tuple[ast.AST, str, str]]:
    """A name, a breakpoint, or options of a call that only the original has."""
    node = place.node
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        told = _name(node, place)
    elif isinstance(node, ast.Call):
        asks = {"breakpoint": _breakpoint, "task": _options}.get(place.in_context(node.func))
        told = asks(node, place) if asks else None
    else:
        told = None
    if told:
        yield node, ORIGINALS_WAY, told


def _name(node: ast.Attribute, place: Place) -> str | None:
    """Only what is called otherwise for sure: what is called ctx may be something of the author's own."""
    above, _, name = place.in_context(node).rpartition(".")
    known = OF_CONTEXT.get(above)
    meant = renamed(name, known) if name and known and name not in known else None
    return f"{in_words(node)}, in Python {in_words(node.value)}.{meant}," if meant else None


def _breakpoint(node: ast.Call, place: Place) -> str | None:
    told = [each for each in node.args if isinstance(each, ast.Dict)]
    keywords = [keyword.arg for keyword in node.keywords if keyword.arg]
    if (told and told[0] is node.args[0]) or len(told) == len(node.args) - 1 > 0:
        return f"{in_words(node)}, in Python {_in_python(node, told, keywords)},"
    other = [name for name in keywords if name not in (*BREAKPOINT_OPTIONS, "question")]
    if not other:
        return None
    return f"{other[0]}= of ctx.breakpoint ({keyword_cure(other[0], BREAKPOINT_OPTIONS)})"


def _in_python(node: ast.Call, dicts: list[ast.Dict], keywords: list[str]) -> str:
    given = {
        key.value: value
        for each in dicts
        for key, value in zip(each.keys, each.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    asked = given.pop("question", node.args[0] if node.args[0] not in dicts else None)
    question = in_words(asked) if asked else "…"
    return in_python(question, [*given, *keywords], BREAKPOINT_OPTIONS)


def _options(node: ast.Call, place: Place) -> str | None:
    """Options beside the arguments of a task whose function has no such parameters."""
    if not node.args or any(isinstance(each, ast.Starred) for each in node.args):
        return None
    name = in_words(node.args[0])
    last = node.args[2] if len(node.args) == 3 and isinstance(node.args[1], ast.Dict) else None
    keys = (
        [key.value for key in last.keys if isinstance(key, ast.Constant)]
        if isinstance(last, ast.Dict)
        else []
    )
    if "label" in keys:
        return f"{in_words(node)}, in Python ctx.task({name}.using(title=…), …),"
    task = place.meaning(node.args[0])
    taken = _parameters(task.node) if isinstance(task, Task) else None
    if taken is None:
        return None
    for keyword in node.keywords:
        if keyword.arg in OPTIONS and keyword.arg not in taken:
            option = NAMES.get(keyword.arg, keyword.arg)
            return f"{keyword.arg}= of ctx.task, in Python ctx.task({name}.using({option}=…), …),"
    return None


def _parameters(function: ast.AST) -> list[str] | None:
    """What a task's function takes; None when that is anything, or cannot be said."""
    if not isinstance(function, ast.FunctionDef) or function.args.kwarg:
        return None
    return [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
