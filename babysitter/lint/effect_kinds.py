"""Which kinds of effects a process asks for, as far as its source says it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.meanings import External, InContext
from babysitter.lint.scopes import Definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.meanings import Meaning
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names
    from babysitter.lint.replayed import Replayed

MAKERS = {f"babysitter.{kind}": kind for kind in ("agent", "python", "shell")}
OF_CONTEXT = {
    "breakpoint": "breakpoint",
    "sleep": "sleep",
    "sleep_until": "sleep",
    "subprocess": "subprocess",
}
OF_PATTERNS = {"babysitter.patterns.gates": "shell", "babysitter.patterns.until_approved": "breakpoint"}


def effect_kinds(replayed: Replayed) -> set[str]:
    """The kinds of all tasks in the process's own files, and of what it asks ``ctx`` for."""
    called = (place.meaning(place.node.func) for place in replayed.places if isinstance(place.node, ast.Call))
    found = {kind for meaning in called for kind in [_kind(meaning)] if kind}
    return found.union(*(_made(module, replayed.names) for module in replayed.modules))


def _kind(meaning: Meaning) -> str:
    if isinstance(meaning, InContext):
        return OF_CONTEXT.get(meaning.path, "")
    return OF_PATTERNS.get(meaning.name, "") if isinstance(meaning, External) else ""


def _made(module: Module, names: Names) -> Iterator[str]:
    for node in ast.walk(module.tree):
        for decorator in node.decorator_list if isinstance(node, Definition) else []:
            maker = decorator.func if isinstance(decorator, ast.Call) else decorator
            meaning = names.meaning(maker, module)
            if isinstance(meaning, External) and meaning.name in MAKERS:
                yield MAKERS[meaning.name]
