"""What a name or an expression can stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

    from babysitter.lint.modules import Module
    from babysitter.lint.scopes import Definition


class External(NamedTuple):
    """Something that is not the process's own, by its dotted name; ``()`` stands for a call."""

    name: str


class InContext(NamedTuple):
    """Something of ``ctx``: ``task``, ``parallel.all``; empty for itself."""

    path: str


class Own(NamedTuple):
    """A function or class of the process's own files."""

    module: Module
    node: Definition | ast.Lambda


class Instance(NamedTuple):
    """An object of an own class."""

    module: Module
    node: ast.ClassDef


class Task(NamedTuple):
    """What ``@python``, ``@shell`` or ``@agent`` made of a function.

    Attributes:
        node: the function, or the call that makes it one.
        is_sure: it is the task itself, and not what an own decorator may have made of one.
    """

    node: ast.AST
    is_sure: bool


class Using(NamedTuple):
    """``task.using``, which gives the task again."""

    task: Task


Known = External | InContext | Own | Instance | Task | Using
Meaning = Known | None
