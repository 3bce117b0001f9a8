"""What a name or an expression stands for, as far as the source alone says it.

Where it says two things, or none, nothing is claimed: a false alarm is worse than a miss.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, NamedTuple

from babysitter.lint.scopes import (
    Assigned,
    Binding,
    Definition,
    Function,
    Imported,
    Parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.lint.modules import Library, Module
    from babysitter.lint.scopes import Scope

CONTEXT_NAME = "ctx"
CONTEXTS = ("babysitter.Context", "babysitter.engine.context.Context")
TASK_MAKERS = ("python", "shell", "agent", "define_task")
IMPORTERS = ("builtins.__import__", "importlib.import_module")
PATHS = ("pathlib.Path", "pathlib.PosixPath")
A_PATH = "pathlib.Path()"
# Attributes and methods of a path that give a path.
PATH_STEPS = frozenset(
    {"parent", "joinpath()", "with_name()", "with_suffix()", "with_stem()", "resolve()", "absolute()"}
    | {"expanduser()", "relative_to()", "cwd()", "home()"}
)
DEEPEST = 20


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
    """What ``@python``, ``@shell`` or ``@agent`` made of a function."""

    node: ast.AST


Meaning = External | InContext | Own | Instance | Task | None


class Target(NamedTuple):
    """One thing that a name is bound to, and where."""

    scope: Scope
    binding: Binding


class Names:
    """Looks names up in all modules of a process."""

    def __init__(self, library: Library, export: str) -> None:
        self.library = library
        self.export = export
        self._known: dict[ast.AST, Meaning] = {}
        self._depth = 0

    def meaning(self, node: ast.AST, module: Module) -> Meaning:
        """What an expression stands for; None when that cannot be said."""
        if node not in self._known:
            if self._depth > DEEPEST:
                return None
            self._depth += 1
            try:
                # While it is looked up: a name may be defined by itself.
                self._known[node] = None
                self._known[node] = self._look_up(node, module)
            finally:
                self._depth -= 1
        return self._known[node]

    def _look_up(self, node: ast.AST, module: Module) -> Meaning:
        if isinstance(node, ast.Name):
            return self._name(node, module)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, module)
        if isinstance(node, ast.Call):
            return self._call(node, module)
        if isinstance(node, ast.NamedExpr):
            return self.meaning(node.value, module)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = self.meaning(node.left, module)
            return left if left == External(A_PATH) else None
        return None

    def targets(self, node: ast.AST, module: Module) -> list[Target]:
        """All that a name, or a name of an own module, is bound to; imports are followed."""
        if isinstance(node, ast.Name):
            found = self._bound(node.id, module.scope_of(node))
        elif isinstance(node, ast.Attribute):
            own = self._own_module(node.value, module)
            found = self._bound(node.attr, own.scope) if own else []
        else:
            found = []
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

    def _name(self, node: ast.Name, module: Module) -> Meaning:
        targets = self.targets(node, module)
        if targets:
            return self._meaning_of(targets)
        scope = module.scope_of(node)
        if scope.home(node.id) is None:
            return self._global(node.id, module.scope.stars)
        return None

    def _global(self, name: str, stars: list[str]) -> Meaning:
        """A name that nothing binds: a builtin, or one of ``from time import *``."""
        foreign = [star for star in stars if self.library.module(star) is None]
        if len(foreign) == 1:
            return External(f"{foreign[0]}.{name}")
        return External(f"builtins.{name}") if hasattr(builtins, name) and not foreign else None

    def _meaning_of(self, targets: list[Target]) -> Meaning:
        meanings = {self._of_binding(*target) for target in targets}
        return meanings.pop() if len(meanings) == 1 else None

    def _of_binding(self, scope: Scope, binding: Binding) -> Meaning:
        if isinstance(binding, Imported):
            return External(binding.dotted)
        if isinstance(binding, Definition):
            return self.of_definition(binding, scope.module)
        if isinstance(binding, Assigned):
            if isinstance(binding.value, ast.Lambda):
                return Own(scope.module, binding.value)
            return self.meaning(binding.value, scope.module)
        if isinstance(binding, Parameter):
            return self._of_parameter(binding, scope.module)
        return None

    def of_definition(self, node: Definition, module: Module) -> Meaning:
        """What a ``def`` or ``class`` makes: a task, when a decorator says so."""
        if any(self.is_task_maker(each, module) for each in node.decorator_list):
            return Task(node)
        return Own(module, node)

    def is_task_maker(self, node: ast.AST, module: Module) -> bool:
        """``python``, ``shell(timeout=…)`` and the like, or an own decorator that is made of these."""
        found = self.meaning(node, module)
        if isinstance(found, External):
            return _makes_tasks(found)
        if isinstance(node, ast.Call):
            return self.is_task_maker(node.func, module)
        if isinstance(found, Own) and not isinstance(found.node, ast.ClassDef):
            names = (each for each in ast.walk(found.node) if isinstance(each, ast.Name))
            return any(_makes_tasks(self.meaning(each, found.module)) for each in names)
        return False

    def _of_parameter(self, parameter: Parameter, module: Module) -> Meaning:
        function, arg = parameter
        if self._is_context(function, arg, module):
            return InContext("")
        around = module.scope_of(function).node
        arguments = function.args
        first = [*arguments.posonlyargs, *arguments.args][:1]
        if isinstance(around, ast.ClassDef) and arg in first:
            return Instance(module, around)
        if arg.annotation is None or arg in (arguments.vararg, arguments.kwarg):
            return None
        return self.of_annotation(arg.annotation, module)

    def _is_context(self, function: Function, arg: ast.arg, module: Module) -> bool:
        note = arg.annotation
        if isinstance(note, ast.Constant):
            return str(note.value).rpartition(".")[2] == "Context"
        if note is not None:
            named = self.meaning(note, module)
            if named is not None and named != External("typing.Any"):
                return isinstance(named, External) and named.name in CONTEXTS
        is_process = getattr(function, "name", "") == self.export and function in module.tree.body
        return arg.arg == CONTEXT_NAME or (is_process and function.args.args[1:2] == [arg])

    def of_annotation(self, note: ast.expr, module: Module) -> Meaning:
        """An object of the type that an annotation names."""
        if isinstance(note, ast.Subscript):
            note = note.value
        if isinstance(note, ast.BinOp):
            note = note.left
        named = self.meaning(note, module)
        if isinstance(named, External):
            return External(f"{named.name}()")
        if isinstance(named, Own) and isinstance(named.node, ast.ClassDef):
            return Instance(named.module, named.node)
        return None

    def _attribute(self, node: ast.Attribute, module: Module) -> Meaning:
        targets = self.targets(node, module)
        if targets:
            return self._meaning_of(targets)
        base = self.meaning(node.value, module)
        if isinstance(base, External):
            return _step(base.name, node.attr)
        if isinstance(base, InContext):
            return InContext(f"{base.path}.{node.attr}" if base.path else node.attr)
        if isinstance(base, Task):
            return base
        if isinstance(base, (Own, Instance)) and isinstance(base.node, ast.ClassDef):
            member = self.member(base.module, base.node, node.attr)
            if member is not None:
                return self._of_binding(*member)
        return InContext("") if node.attr == CONTEXT_NAME and isinstance(base, Instance) else None

    def member(self, module: Module, node: ast.ClassDef, name: str, depth: int = 0) -> Target | None:
        """What a class, or an own class that it inherits from, has by this name."""
        bindings = module.scope_in(node).bindings.get(name)
        if bindings:
            return Target(module.scope_in(node), bindings[-1])
        for each in node.bases if depth < DEEPEST else []:
            base = self.meaning(each, module)
            if isinstance(base, Own) and isinstance(base.node, ast.ClassDef):
                found = self.member(base.module, base.node, name, depth + 1)
                if found is not None:
                    return found
        return None

    def _call(self, node: ast.Call, module: Module) -> Meaning:
        called = self.meaning(node.func, module)
        if isinstance(called, External):
            return self._outcome(called.name, node, module)
        if isinstance(called, InContext):
            return InContext(f"{called.path}()")
        if isinstance(called, Task):
            return called
        if isinstance(called, Own):
            return self._of_own_call(called)
        return None

    def _of_own_call(self, called: Own) -> Meaning:
        if isinstance(called.node, ast.ClassDef):
            return Instance(called.module, called.node)
        returns = called.node.returns if isinstance(called.node, ast.FunctionDef) else None
        return self.of_annotation(returns, called.module) if returns else None

    def _outcome(self, name: str, node: ast.Call, module: Module) -> Meaning:
        texts = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if name in IMPORTERS and texts:
            return External(str(texts[0]))
        if name == "builtins.getattr" and texts:
            base = self.meaning(node.args[0], module)
            return _step(base.name, str(texts[0])) if isinstance(base, External) else None
        return External(A_PATH) if name in PATHS else _called(name)


def _makes_tasks(found: Meaning) -> bool:
    if not isinstance(found, External):
        return False
    parts = found.name.replace("()", "").split(".")
    return parts[0] == "babysitter" and parts[-1] in TASK_MAKERS


def _step(name: str, attribute: str) -> External:
    if name == A_PATH and attribute in PATH_STEPS:
        return External(A_PATH)
    return External(f"{name}.{attribute}")


def _called(name: str) -> External:
    base, _, method = f"{name}()".rpartition(".")
    is_path = (base == A_PATH or base in PATHS) and method in PATH_STEPS
    return External(A_PATH if is_path else f"{name}()")
