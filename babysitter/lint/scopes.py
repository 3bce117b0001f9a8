"""Which names a module binds, and in which scope each piece of it stands."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


class Unknown(NamedTuple):
    """A name for something that cannot be read off: the target of a loop, a part of a tuple."""

    node: ast.AST


Binding = Imported | Parameter | Assigned | Unknown | Definition


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


class Binder(ast.NodeVisitor):
    """Goes once through a module; notes the scope and the parent of every node."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.scope = Scope(module.tree, module, None)
        self.scopes: dict[ast.AST, Scope] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.inner: dict[ast.AST, Scope] = {module.tree: self.scope}
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
            if isinstance(target, ast.Name):
                self.scope.bind(target.id, Assigned(node.value))
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.scope.bind(node.target.id, Assigned(node.value) if node.value else Unknown(node))
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.scope.function.bind(node.target.id, Assigned(node.value))
        self.generic_visit(node)

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
        if isinstance(node.ctx, ast.Store) and not self._is_bound_already(node):
            self.scope.bind(node.id, Unknown(node))

    def _is_bound_already(self, node: ast.Name) -> bool:
        # What is added to by `+=` stays what it is.
        parent = self.parents[node]
        whole = (ast.AnnAssign, ast.NamedExpr, ast.AugAssign)
        return isinstance(parent, whole) or (isinstance(parent, ast.Assign) and node in parent.targets)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.scope.bind(node.name, Unknown(node))
        self.generic_visit(node)


def _parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (arg for arg in (arguments.vararg, arguments.kwarg) if arg)
