"""What of a process runs at each replay: everything that is reached from the process and from its module.

Not what tasks do, nor what builds their prompts and commands (once for each request, never on replay),
nor functions that ``ctx.record`` calls once.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.lint.elements import TABLES, is_looked_into
from babysitter.lint.meanings import Instance, Own, Task
from babysitter.lint.place import Place
from babysitter.lint.recording import is_function_value, parts_that_run
from babysitter.lint.scopes import Assigned, Definition, Function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.lint.modules import Library, Module
    from babysitter.lint.names import Names
    from babysitter.lint.targets import Target


class Replayed:
    """Goes from the process's module and function to whatever they reach.

    Attributes:
        places: all nodes that run, in the order in which they are found.
        modules: the own modules that are loaded.
    """

    def __init__(self, library: Library, names: Names) -> None:
        self.library = library
        self.names = names
        self.places: list[Place] = []
        self.modules: list[Module] = []
        self._entered: set[ast.AST] = set()
        # Values with a name: those that are gone through, and all within them that counts as called.
        self._opened: set[ast.AST] = set()
        self._called: set[ast.AST] = set()
        self._waiting: list[tuple[list[ast.AST], Module]] = []
        self._load(library.process)
        for binding in library.process.scope.bindings.get(names.export, []):
            if isinstance(binding, Definition):
                self._enter(Own(library.process, binding))
        while self._waiting:
            nodes, module = self._waiting.pop(0)
            for node in nodes:
                self._walk(node, module)

    def _load(self, module: Module) -> None:
        if module not in self.modules:
            self.modules.append(module)
            self._waiting.append((list(module.tree.body), module))

    def _walk(self, node: ast.AST, module: Module) -> None:
        if isinstance(node, Definition) or self._waits_for_its_name(node, module):
            return
        self.places.append(Place(node, module, self.names))
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, module)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            self._refer(node, module)
        elif isinstance(node, (ast.Subscript, ast.Call)) and self._is_called(node, module):
            self._enter_all(node, module)
        for child in self._children(node, module):
            self._walk(child, module)

    def _waits_for_its_name(self, node: ast.AST, module: Module) -> bool:
        """A function or a module's value that has a name runs, or counts, where the name is used."""
        if node in self._opened or node in self._called:
            return False
        is_of_module = isinstance(module.scope_of(node).node, ast.Module)
        if node in module.named:
            return is_of_module or is_function_value(node, module, self.names)
        # One of a table is called where it is taken out of the table.
        parent = module.parent_of(node)
        return isinstance(node, ast.Lambda) and isinstance(parent, TABLES) and parent in self._opened

    def _children(self, node: ast.AST, module: Module) -> Iterable[ast.AST]:
        if isinstance(node, ast.If) and is_never_run(node.test):
            return node.orelse
        if isinstance(node, ast.AnnAssign):
            return [node.target, *([node.value] if node.value else [])]
        if isinstance(node, ast.arguments):
            return [each for each in (*node.defaults, *node.kw_defaults) if each]
        if isinstance(node, ast.Call):
            return parts_that_run(node, module, self.names)
        return ast.iter_child_nodes(node)

    def _import(self, node: ast.Import | ast.ImportFrom, module: Module) -> None:
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        else:
            origin = module.absolute(node.module or "", node.level)
            dotted = [origin, *(f"{origin}.{alias.name}" if origin else alias.name for alias in node.names)]
        for name in dotted:
            parts = name.split(".")
            for end in range(1, len(parts) + 1):
                found = self.library.module(".".join(parts[:end]))
                if found is not None:
                    self._load(found)

    def _refer(self, node: ast.Name | ast.Attribute, module: Module) -> None:
        """Whatever a name stands for runs now, or will when it is called."""
        if not isinstance(node.ctx, ast.Load):
            return
        is_called = self._is_called(node, module)
        for target in self.names.targets(node, module):
            self._reach(target, is_called=is_called, is_looked_into=is_looked_into(node, module))
        if is_called:
            self._enter_all(node, module)
        if isinstance(node, ast.Attribute):
            found = self.names.property_behind(node, module)
            if found is not None:
                self._enter(found)

    def _enter_all(self, node: ast.AST, module: Module) -> None:
        for found in self.names.meanings(node, module):
            if isinstance(found, Own):
                self._enter(found)

    def _is_called(self, node: ast.AST, module: Module) -> bool:
        """Within a function a name is as good as a call; a module may only keep it for its tasks."""
        parent = module.parent_of(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            return True
        if isinstance(parent, Definition) and node in parent.decorator_list:
            return True
        return node in self._called or not Place(node, module, self.names).is_at_import

    def _reach(self, target: Target, *, is_called: bool, is_looked_into: bool) -> None:
        scope, binding = target
        if isinstance(binding, Definition) and is_called:
            found = self.names.of_definition(binding, scope.module)
            if not isinstance(found, Task):
                self._enter(Own(scope.module, binding))
        elif isinstance(binding, Assigned):
            self._evaluate(binding.value, scope.module, is_looked_into=is_looked_into)

    def _evaluate(self, value: ast.expr, module: Module, *, is_looked_into: bool) -> None:
        """The value behind a name that is used: its functions count as called from here.

        Those of a table that is only looked into do not: whoever takes one out of it calls it.
        """
        if value not in module.named or value in self._called:
            return
        is_table = is_looked_into and isinstance(value, TABLES)
        if not self._waits_for_its_name(value, module) and (is_table or value not in self._opened):
            return
        self._opened.add(value)
        if not is_table:
            self._called.update(ast.walk(value))
        self._waiting.append(([value], module))

    def _enter(self, own: Own) -> None:
        node, module = own.node, own.module
        if node in self._entered:
            return
        self._entered.add(node)
        if isinstance(node, ast.ClassDef):
            self._enter_class(node, module)
            return
        self.places.append(Place(node, module, self.names))
        if isinstance(node, ast.Lambda):
            self._waiting.append(([node.args, node.body], module))
        else:
            self._waiting.append(([*node.decorator_list, node.args, *node.body], module))

    def _enter_class(self, node: ast.ClassDef, module: Module) -> None:
        """What making an object of it runs: its body, and the methods that Python itself calls."""
        self._waiting.append(([*node.decorator_list, *node.bases, *node.body], module))
        for each in node.body:
            if isinstance(each, Function) and each.name.startswith("__"):
                self._enter(Own(module, each))
        for base in node.bases:
            found = self.names.meaning(base, module)
            if isinstance(found, (Own, Instance)):
                self._enter(Own(found.module, found.node))


def is_never_run(test: ast.expr) -> bool:
    """``if TYPE_CHECKING:`` and ``if __name__ == "__main__":``."""
    if isinstance(test, ast.Compare):
        return isinstance(test.left, ast.Name) and test.left.id == "__name__"
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"
