"""A place in the source that runs at each replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.meanings import External, InContext
from babysitter.lint.scopes import Function

if TYPE_CHECKING:
    import ast

    from babysitter.lint.meanings import Known, Meaning
    from babysitter.lint.modules import Module
    from babysitter.lint.names import Names


class Place(NamedTuple):
    """A node that runs at each replay, with what is needed to understand it."""

    node: ast.AST
    module: Module
    names: Names

    def meaning(self, node: ast.AST) -> Meaning:
        return self.names.meaning(node, self.module)

    def meanings(self, node: ast.AST) -> tuple[Known, ...]:
        return self.names.meanings(node, self.module)

    def dotted(self, node: ast.AST) -> str:
        """The name of something that is not the process's own, or nothing."""
        found = self.meaning(node)
        return found.name if isinstance(found, External) else ""

    def in_context(self, node: ast.AST) -> str:
        """What of ``ctx`` an expression is, or nothing."""
        found = self.meaning(node)
        return found.path if isinstance(found, InContext) else ""

    @property
    def is_at_import(self) -> bool:
        """It runs when the module is loaded, not within a function."""
        scope = self.module.scope_of(self.node)
        while scope.parent is not None and not isinstance(scope.node, Function):
            scope = scope.parent
        return scope.parent is None
