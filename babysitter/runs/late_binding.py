"""Find branches that would all see the last item of a loop.

``[lambda: ctx.task(deploy, service=name) for name in names]`` reads as one
branch for each name. In Python a function looks a variable up when it is
called, and branches are called when the loop is over: every one of them would
deploy the last service, and nothing would tell. So a new or edited process is
refused for it. Only the sure case counts: a function without parameters that
is kept past its turn of the loop and uses the loop's variable.
"""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING

from babysitter.errors import InvalidInput
from babysitter.files import read_regular
from babysitter.runs.source import MOST_OF_SOURCE

if TYPE_CHECKING:
    from babysitter.runs.source import Source

Loop = ast.For | ast.AsyncFor | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
KEEPERS = frozenset({"append", "add", "insert", "appendleft"})


def refuse_late_binding(source: Source) -> None:
    """Look through the process file and the modules of its folder that it has loaded.

    Raises:
        InvalidInput: a branch made in a loop uses the loop's variable; names file, line and cure.
    """
    for name in source.digests:
        path = os.path.join(source.folder, name)
        found = late_lambdas(read_regular(path, MOST_OF_SOURCE, follow=True))
        if found:
            line, variable = found[0]
            raise InvalidInput(
                f"in {path!r}, line {line}: every branch made in this loop would see the last {variable!r}",
                hint=f"write `lambda {variable}={variable}: …`, or use ctx.parallel.map",
            )


def late_lambdas(content: bytes) -> list[tuple[int, str]]:
    """Line, and a loop variable, of each function that is called too late."""
    found = []
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, Loop):
            targets = _names(loop_targets(node), ast.Store)
            for function in kept_functions(node):
                used = _names([function.body], ast.Load) & targets
                if used:
                    found.append((function.lineno, min(used)))
    return sorted(found)


def loop_targets(loop: Loop) -> list[ast.AST]:
    """What a loop binds anew on each turn."""
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        return [loop.target]
    return [generator.target for generator in loop.generators]


def kept_functions(loop: Loop) -> list[ast.Lambda]:
    """Functions without parameters that outlive the turn of the loop in which they are made."""
    kept: list[ast.AST] = []
    if isinstance(loop, (ast.For, ast.AsyncFor)):
        for node in (inner for statement in loop.body for inner in ast.walk(statement)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in KEEPERS
            ):
                kept += node.args
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                kept.append(node.value)
    else:
        kept.append(loop.value if isinstance(loop, ast.DictComp) else loop.elt)
    return [node for node in kept if isinstance(node, ast.Lambda) and not has_parameters(node)]


def has_parameters(function: ast.Lambda) -> bool:
    """It takes something; ``lambda name=name: …`` is how a variable is bound at once."""
    args = function.args
    return bool(args.args or args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg)


def _names(nodes: list[ast.AST], context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for root in nodes
        for node in ast.walk(root)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
