"""What one module, class, function or comprehension binds, and where a name is looked up."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from babysitter.lint.modules import Module

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Imported(NamedTuple):
    """A name that an import binds, and the dotted name that it stands for."""

    dotted: str


class Parameter(NamedTuple):
    """A name that a call gives its value."""

    function: Function
    arg: ast.arg


class Assigned(NamedTuple):
    """A name for the value of an expression."""

    value: ast.expr


class Element(NamedTuple):
    """A name that a loop gives to each thing in turn.

    Attributes:
        of: what is gone through.
        path: where in such a thing, as ``(1,)`` for the second of a pair.
    """

    of: ast.expr
    path: tuple[int, ...]


class Unknown(NamedTuple):
    """A name for something that cannot be read off: what ``with`` gives, the rest of a list."""

    node: ast.AST


Binding = Imported | Parameter | Assigned | Element | Unknown | Definition


class Scope:
    """What one module, class, function or comprehension binds.

    Attributes:
        bindings: name → all that it is bound to here, in the order of the source.
        stars: dotted names of modules whose names are all imported.
    """

    def __init__(self, node: ast.AST, module: Module, parent: Scope | None) -> None:
        self.node = node
        self.module = module
        self.parent = parent
        self.bindings: dict[str, list[Binding]] = {}
        self.stars: list[str] = []
        self.outer: set[str] = set()

    def bind(self, name: str, binding: Binding) -> None:
        self.bindings.setdefault(name, []).append(binding)

    def home(self, name: str) -> Scope | None:
        """The scope that a name is looked up in, as Python does it; None: it is a builtin, or unknown."""
        scope: Scope | None = self
        while scope is not None:
            is_seen = scope is self or not isinstance(scope.node, ast.ClassDef)
            if is_seen and name in scope.bindings and name not in scope.outer:
                return scope
            scope = scope.parent
        return None

    @property
    def function(self) -> Scope:
        """The function or module around, where comprehensions leave what they bind by ``:=``."""
        scope = self
        while isinstance(scope.node, Comprehension) and scope.parent is not None:
            scope = scope.parent
        return scope
