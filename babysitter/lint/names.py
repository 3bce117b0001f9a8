"""What a name or an expression stands for, as far as the source alone says it.

Where it says nothing, nothing is claimed: a false alarm is worse than a miss.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from babysitter.lint.elements import Part, elements, inner, looked_up, written
from babysitter.lint.external import A_PATH, GETATTR, attribute_of, outcome_of, texts_of
from babysitter.lint.meanings import External, InContext, Instance, Own, Task, Using
from babysitter.lint.members import member, property_of
from babysitter.lint.parameters import CONTEXT_NAME, of_annotation, of_parameter
from babysitter.lint.scopes import Assigned, Definition, Element, Imported, Parameter
from babysitter.lint.targets import DEEPEST, Targets
from babysitter.lint.task_makers import is_made_by, is_task_maker, makes_tasks_only

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.lint.meanings import Known, Meaning
    from babysitter.lint.modules import Library, Module
    from babysitter.lint.scopes import Scope
    from babysitter.lint.targets import Target


class Names:
    """Looks expressions up in all modules of a process."""

    def __init__(self, library: Library, export: str) -> None:
        self.library = library
        self.export = export
        self._targets = Targets(library)
        self._known: dict[ast.AST, tuple[Known, ...]] = {}
        self._depth = 0

    def targets(self, node: ast.AST, module: Module) -> list[Target]:
        """All that a name, or a name of an own module, is bound to; imports are followed."""
        return self._targets.of(node, module)

    def written(self, node: ast.expr, module: Module) -> Part:
        """The expression behind a name that has only one, with its module; else the name itself."""
        return written(Part(node, module), self._targets)

    def meaning(self, node: ast.AST, module: Module) -> Meaning:
        """What an expression stands for; None when that cannot be said, or is not always the same."""
        found = self.meanings(node, module)
        return found[0] if len(found) == 1 else None

    def meanings(self, node: ast.AST, module: Module) -> tuple[Known, ...]:
        """All that an expression may stand for, each once; empty when one of it cannot be said."""
        if node not in self._known:
            if self._depth > DEEPEST:
                return ()
            self._depth += 1
            try:
                # While it is looked up: a name may be defined by itself.
                self._known[node] = ()
                self._known[node] = self._look_up(node, module)
            finally:
                self._depth -= 1
        return self._known[node]

    def _look_up(self, node: ast.AST, module: Module) -> tuple[Known, ...]:
        if isinstance(node, ast.Name):
            return self._name(node, module)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, module)
        if isinstance(node, ast.Call):
            return _one(self._call(node, module)) or self._of_parts(looked_up(node, module, self._targets))
        if isinstance(node, ast.NamedExpr):
            return self.meanings(node.value, module)
        if isinstance(node, ast.Lambda):
            return (Own(module, node),)
        if isinstance(node, ast.IfExp):
            return _all(self.meanings(each, module) for each in (node.body, node.orelse))
        if isinstance(node, ast.Subscript):
            return self._of_parts(looked_up(node, module, self._targets))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left = self.meaning(node.left, module)
            return (left,) if left == External(A_PATH) else ()
        return ()

    def _of_parts(self, parts: Iterable[Part | None]) -> tuple[Known, ...]:
        return _all(self.meanings(*part) if part else () for part in parts)

    def _name(self, node: ast.Name, module: Module) -> tuple[Known, ...]:
        targets = self.targets(node, module)
        if targets:
            return _all(self._of_binding(*target) for target in targets)
        scope = module.scope_of(node)
        if scope.home(node.id) is None:
            return _one(self._global(node.id, module.scope.stars))
        return ()

    def _global(self, name: str, stars: list[str]) -> Meaning:
        """A name that nothing binds: a builtin, or one of ``from time import *``."""
        foreign = [star for star in stars if self.library.module(star) is None]
        if len(foreign) == 1:
            return External(f"{foreign[0]}.{name}")
        return External(f"builtins.{name}") if hasattr(builtins, name) and not foreign else None

    def _of_binding(self, scope: Scope, binding: object) -> tuple[Known, ...]:
        if isinstance(binding, Imported):
            return (External(binding.dotted),)
        if isinstance(binding, Definition):
            return (self.of_definition(binding, scope.module),)
        if isinstance(binding, Assigned):
            return self.meanings(binding.value, scope.module)
        if isinstance(binding, Parameter):
            return _one(of_parameter(binding, scope.module, self))
        if isinstance(binding, Element):
            things = elements(binding.of, scope.module, self._targets)
            return self._of_parts(inner(each, binding.path) for each in things)
        return ()

    def of_definition(self, node: Definition, module: Module) -> Own | Task:
        """What a ``def`` or ``class`` makes: a task, when a decorator says so."""
        if any(is_task_maker(each, module, self) for each in node.decorator_list):
            return Task(node, is_sure=makes_tasks_only(node.decorator_list[0], module, self))
        return Own(module, node)

    def _attribute(self, node: ast.Attribute, module: Module) -> tuple[Known, ...]:
        targets = self.targets(node, module)
        if targets:
            return _all(self._of_binding(*target) for target in targets)
        base = self.meaning(node.value, module)
        if isinstance(base, External):
            return (attribute_of(base, node.attr),)
        if isinstance(base, InContext):
            return (InContext(f"{base.path}.{node.attr}" if base.path else node.attr),)
        if isinstance(base, Task):
            return (Using(base),) if node.attr == "using" else ()
        own = self._member_of(base, node.attr)
        if own is not None:
            function = property_of(own, self)
            return _one(self._of_own_call(function)) if function else self._of_binding(*own)
        return (InContext(""),) if node.attr == CONTEXT_NAME and isinstance(base, Instance) else ()

    def _member_of(self, base: Meaning, name: str) -> Target | None:
        if isinstance(base, (Own, Instance)) and isinstance(base.node, ast.ClassDef):
            return member(base.module, base.node, name, self)
        return None

    def property_behind(self, node: ast.Attribute, module: Module) -> Own | None:
        """The function that is called when an attribute is read."""
        own = self._member_of(self.meaning(node.value, module), node.attr)
        return property_of(own, self) if own else None

    def _call(self, node: ast.Call, module: Module) -> Meaning:
        called = self.meaning(node.func, module)
        if called == External(GETATTR):
            return self._of_getattr(node, module)
        if isinstance(called, External):
            return Task(node, is_sure=True) if is_made_by(called, node) else outcome_of(called, node)
        if isinstance(called, InContext):
            return InContext(f"{called.path}()")
        if isinstance(called, Using):
            return called.task
        return self._of_own_call(called) if isinstance(called, Own) else None

    def _of_getattr(self, node: ast.Call, module: Module) -> Meaning:
        texts = texts_of(node)
        base = self.meaning(node.args[0], module) if texts else None
        return attribute_of(base, texts[0]) if isinstance(base, External) else None

    def _of_own_call(self, called: Own) -> Meaning:
        if isinstance(called.node, ast.ClassDef):
            return Instance(called.module, called.node)
        returns = called.node.returns if isinstance(called.node, ast.FunctionDef) else None
        return of_annotation(returns, called.module, self) if returns else None


def _one(found: Meaning) -> tuple[Known, ...]:
    return () if found is None else (found,)


def _all(found: Iterable[tuple[Known, ...]]) -> tuple[Known, ...]:
    each = list(found)
    return tuple(dict.fromkeys(one for some in each for one in some)) if all(each) else ()
