"""What of a process runs at each replay: everything that is reached from the process and from its module.

Not what tasks do, nor what builds their prompts and commands (once for each request, never on replay),
nor functions that ``ctx.record`` calls once.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.names import External, InContext, Instance, Own, Task
from babysitter.lint.scopes import Assigned, Definition, Function, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.lint.modules import Library, Module
    from babysitter.lint.names import Meaning, Names, Target

WRAPPERS = ("functools.partial",)


class Place(NamedTuple):
    """A node that runs at each replay, with what is needed to understand it."""

    node: ast.AST
    module: Module
    names: Names

    def meaning(self, node: ast.AST) -> Meaning:
        return self.names.meaning(node, self.module)

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
        self._seen: set[ast.AST] = set()
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
        for child in self._children(node, module):
            self._walk(child, module)

    def _waits_for_its_name(self, node: ast.AST, module: Module) -> bool:
        """A function or a module's value that has a name runs, or counts, where the name is used."""
        parent = module.parent_of(node)
        if not (isinstance(parent, (ast.Assign, ast.AnnAssign)) and parent.value is node):
            return False
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
        if not all(isinstance(target, ast.Name) for target in targets) or node in self._seen:
            return False
        return isinstance(module.scope_of(node).node, ast.Module) or self._is_function_value(node, module)

    def _is_function_value(self, node: ast.AST, module: Module) -> bool:
        if isinstance(node, ast.Call):
            called = self.names.meaning(node.func, module)
            return isinstance(called, External) and called.name in WRAPPERS
        return isinstance(node, ast.Lambda)

    def _children(self, node: ast.AST, module: Module) -> Iterable[ast.AST]:
        if isinstance(node, ast.If) and is_never_run(node.test):
            return node.orelse
        if isinstance(node, ast.AnnAssign):
            return [node.target, *([node.value] if node.value else [])]
        if isinstance(node, ast.arguments):
            return [each for each in (*node.defaults, *node.kw_defaults) if each]
        if isinstance(node, ast.Call):
            return self._children_of_call(node, module)
        return ast.iter_child_nodes(node)

    def _children_of_call(self, node: ast.Call, module: Module) -> list[ast.AST]:
        called = self.names.meaning(node.func, module)
        if self.names.is_task_maker(node.func, module):
            return [node.func]
        values = [*node.args, *(each.value for each in node.keywords)]
        if self._is_record(node, called):
            return [node.func, *node.args[:1]]
        if isinstance(called, Own) and self._records_what_it_is_given(called):
            return [node.func, *(each for each in values if not self._is_function(each, module))]
        return [node.func, *values]

    def _is_record(self, node: ast.Call, called: Meaning) -> bool:
        if isinstance(called, InContext):
            return called.path == "record"
        # Also of a context that goes by a name which nobody knows.
        is_named = isinstance(node.func, ast.Attribute) and node.func.attr == "record"
        return called is None and is_named and len(node.args) + len(node.keywords) == 2

    def _records_what_it_is_given(self, called: Own) -> bool:
        """An own function that hands a parameter of its own to ``ctx.record``."""
        return not isinstance(called.node, ast.ClassDef) and any(
            isinstance(each, ast.Call)
            and self._is_record(each, self.names.meaning(each.func, called.module))
            and any(self._is_parameter(value, called) for value in each.args[1:])
            for each in ast.walk(called.node)
        )

    def _is_parameter(self, node: ast.AST, called: Own) -> bool:
        return any(
            isinstance(target.binding, Parameter) and target.binding.function is called.node
            for target in self.names.targets(node, called.module)
        )

    def _is_function(self, node: ast.AST, module: Module) -> bool:
        return self._is_function_value(node, module) or isinstance(self.names.meaning(node, module), Own)

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
            self._reach(target, is_called=is_called)
        found = self.names.meaning(node, module)
        if isinstance(found, Own) and is_called:
            self._enter(found)

    def _is_called(self, node: ast.AST, module: Module) -> bool:
        """Within a function a name is as good as a call; a module may only keep it for its tasks."""
        parent = module.parent_of(node)
        if isinstance(parent, ast.Call) and parent.func is node:
            return True
        if isinstance(parent, Definition) and node in parent.decorator_list:
            return True
        return node in self._seen or not Place(node, module, self.names).is_at_import

    def _reach(self, target: Target, *, is_called: bool) -> None:
        scope, binding = target
        if isinstance(binding, Definition) and is_called:
            found = self.names.of_definition(binding, scope.module)
            if not isinstance(found, Task):
                self._enter(Own(scope.module, binding))
        elif isinstance(binding, Assigned):
            self._evaluate(binding.value, scope.module)

    def _evaluate(self, value: ast.expr, module: Module) -> None:
        """The value behind a name that is used: its functions count as called from here."""
        if value not in self._seen and self._waits_for_its_name(value, module):
            self._seen.update(ast.walk(value))
            self._waiting.append(([value], module))

    def _enter(self, own: Own) -> None:
        node, module = own.node, own.module
        if node in self._seen:
            return
        self._seen.add(node)
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
