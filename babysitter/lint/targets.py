"""What the names in a process's own files are bound to, wherever that stands."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.scopes import Imported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.modules import Library, Module
    from babysitter.lint.scopes import Binding, Scope

DEEPEST = 20


class Target(NamedTuple):
    """One thing that a name is bound to, and where."""

    scope: Scope
    binding: Binding


class Targets:
    """Follows names through scopes and through the imports of own modules."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._depth = 0
        self._names: dict[tuple[str, Scope], list[Target]] = {}

    def of(self, node: ast.AST, module: Module) -> list[Target]:
        """All that a name, or a name of an own module, is bound to; imports are followed."""
        if isinstance(node, ast.Name):
            return self._of_name(node.id, module.scope_of(node))
        own = self._own_module(node.value, module) if isinstance(node, ast.Attribute) else None
        return self._all_followed(self._bound(node.attr, own.scope)) if own else []  # type: ignore[attr-defined]

    def _of_name(self, name: str, scope: Scope) -> list[Target]:
        # A name may stand, and be bound, a hundred times in one function.
        home = scope.home(name) or scope
        if (name, home) not in self._names:
            self._names[name, home] = self._all_followed(self._bound(name, scope))
        return self._names[name, home]

    def _all_followed(self, found: list[Target]) -> list[Target]:
        return [target for each in found for target in self._followed(each)]

    def _bound(self, name: str, scope: Scope) -> list[Target]:
        home = scope.home(name)
        if home is not None:
            return [Target(home, each) for each in home.bindings[name]]
        for star in scope.module.scope.stars:
            own = self.library.module(star)
            if own is not None and name in own.scope.bindings:
                return self._bound(name, own.scope)
        return []

    def _followed(self, target: Target) -> Iterator[Target]:
        own = self._import(target.binding.dotted) if isinstance(target.binding, Imported) else None
        if own is None or own[1] is None or self._depth > DEEPEST:
            yield target
            return
        self._depth += 1
        for each in self._bound(own[1], own[0].scope):
            yield from self._followed(each)
        self._depth -= 1

    def _import(self, dotted: str) -> tuple[Module, str | None] | None:
        """The own module that a dotted name leads to, and the name in it."""
        parts = dotted.split(".")
        whole = self.library.module(dotted)
        if whole is not None:
            return whole, None
        within = self.library.module(".".join(parts[:-1])) if len(parts) > 1 else None
        return None if within is None else (within, parts[-1])

    def _own_module(self, node: ast.AST, module: Module) -> Module | None:
        """The own module that ``report`` or ``package.report`` stands for."""
        dotted = self._dotted(node, module)
        return self.library.module(dotted) if dotted else None

    def _dotted(self, node: ast.AST, module: Module) -> str:
        if isinstance(node, ast.Attribute):
            before = self._dotted(node.value, module)
            return f"{before}.{node.attr}" if before else ""
        if not isinstance(node, ast.Name):
            return ""
        found = {each.binding for each in self._bound(node.id, module.scope_of(node))}
        only = found.pop() if len(found) == 1 else None
        return only.dotted if isinstance(only, Imported) else ""
