"""Which names a module binds, and in which scope each piece of it stands."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.scopes import (
    Assigned,
    Comprehension,
    Element,
    Function,
    Imported,
    Parameter,
    Scope,
    Unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babysitter.lint.modules import Module
    from babysitter.lint.scopes import Binding


class Binder(ast.NodeVisitor):
    """Goes once through a module; notes the scope and the parent of every node.

    Attributes:
        named: the values that are assigned to names, and to nothing else.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.scope = Scope(module.tree, module, None)
        self.scopes: dict[ast.AST, Scope] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.inner: dict[ast.AST, Scope] = {module.tree: self.scope}
        self.named: set[ast.AST] = set()
        self._bound: set[ast.AST] = set()
        self.visit(module.tree)

    def visit(self, node: ast.AST) -> None:
        self.scopes[node] = self.scope
        for child in ast.iter_child_nodes(node):
            self.parents[child] = node
            self.scopes[child] = self.scope
        getattr(self, f"visit_{type(node).__name__}", self.generic_visit)(node)

    def _within(self, node: ast.AST, children: Iterable[ast.AST]) -> None:
        outer, self.scope = self.scope, Scope(node, self.module, self.scope)
        self.inner[node] = self.scope
        for child in children:
            self.visit(child)
        self.scope = outer

    def _function(self, node: Function, body: list[ast.AST]) -> None:
        arguments = node.args
        self.visit(arguments)
        outer, self.scope = self.scope, Scope(node, self.module, self.scope)
        self.inner[node] = self.scope
        for arg in _parameters(arguments):
            self.scope.bind(arg.arg, Parameter(node, arg))
        for child in body:
            self.visit(child)
        self.scope = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.scope.bind(node.name, node)
        for each in (*node.decorator_list, *([node.returns] if node.returns else [])):
            self.visit(each)
        self._function(node, list(node.body))

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scope.bind(node.name, node)
        for each in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(each)
        self._within(node, node.body)

    def _comprehension(self, node: Comprehension) -> None:
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._within(node, [*node.generators, *parts])

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self.scope.bind(alias.asname or first, Imported(alias.name if alias.asname else first))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        origin = self.module.absolute(node.module or "", node.level)
        for alias in node.names:
            if alias.name == "*":
                self.scope.stars.append(origin)
            else:
                dotted = f"{origin}.{alias.name}" if origin else alias.name
                self.scope.bind(alias.asname or alias.name, Imported(dotted))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, node.value)
        if all(isinstance(target, ast.Name) for target in node.targets):
            self.named.add(node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)
            if isinstance(node.target, ast.Name):
                self.named.add(node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._bound.add(node.target)
        self.scope.function.bind(node.target.id, Assigned(node.value))
        self.generic_visit(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        """Bind a name to its value, and those of ``a, b = 1, 2`` each to its own."""
        if isinstance(target, ast.Name):
            self._bind_name(target, Assigned(value))
        for part, own in pairs(target, value):
            self._assign(part, own)
            if isinstance(part, ast.Name):
                self.named.add(own)

    def visit_For(self, node: ast.For | ast.comprehension) -> None:
        self._bind_elements(node.target, node.iter, ())
        self.generic_visit(node)

    visit_comprehension = visit_For

    def _bind_elements(self, target: ast.expr, of: ast.expr, path: tuple[int, ...]) -> None:
        if isinstance(target, ast.Name):
            self._bind_name(target, Element(of, path))
        elif isinstance(target, (ast.Tuple, ast.List)) and not has_star(target):
            for number, part in enumerate(target.elts):
                self._bind_elements(part, of, (*path, number))

    def _bind_name(self, target: ast.Name, binding: Binding) -> None:
        self._bound.add(target)
        self.scope.bind(target.id, binding)

    def visit_Global(self, node: ast.Global) -> None:
        self._bind_outside(node, self.inner[self.module.tree])

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self._bind_outside(node, self.scope.parent)

    def _bind_outside(self, node: ast.Global | ast.Nonlocal, start: Scope | None) -> None:
        """What is assigned from an inner function has no value that could be read off."""
        self.scope.outer.update(node.names)
        for name in node.names:
            home = start.home(name) if start else None
            if home is not None:
                home.bind(name, Unknown(node))

    def visit_Name(self, node: ast.Name) -> None:
        # What is added to by `+=` stays what it is.
        is_added_to = isinstance(self.parents[node], ast.AugAssign)
        if isinstance(node.ctx, ast.Store) and node not in self._bound and not is_added_to:
            self.scope.bind(node.id, Unknown(node))

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.scope.bind(node.name, Unknown(node))
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.scope.bind(node.rest, Unknown(node))
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.scope.bind(node.name, Unknown(node))
        self.generic_visit(node)


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (arg for arg in (arguments.vararg, arguments.kwarg) if arg)


def pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """The parts of ``a, b = 1, 2``, each target with its value; none where that is not so plain."""
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, (ast.Tuple, ast.List)):
        return []
    if has_star(target) or has_star(value) or len(target.elts) != len(value.elts):
        return []
    return list(zip(target.elts, value.elts, strict=True))


def has_star(node: ast.Tuple | ast.List | ast.Set) -> bool:
    """How many there are cannot be read off."""
    return any(isinstance(each, ast.Starred) for each in node.elts)
