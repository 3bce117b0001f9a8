"""Python of a document is executed: a module as it stands, a piece of a process as the body of one.

A process is played with answers that fit (``anything``), because a document shows how to ask. What
a piece does not define itself is looked for in the blocks before it; if it is not there either, a name
that is used as a task is a task, and any other name is a list of two texts.
"""

from __future__ import annotations

import ast
import builtins
import linecache
from typing import Any

from babysitter import python
from babysitter.testing import approves, play

# How a process in a document may end; only `stuck` and `waiting` are mistakes of the document.
PIECE = "piece_of_a_process"
GOOD_ENDS = ("completed", "failed", "halted", "continued")
COME_BACK = {"int": 1, "str": "text", "list": ["text"], "dict": {}, "bool": True, "float": 1.0, "None": None}
SCHEMA_VALUES = {"object": {}, "array": [], "string": "text", "integer": 1, "number": 1, "boolean": True}


class Fragment:
    """One block of Python, in the namespace of its document."""

    def __init__(self, text: str, place: str, namespace: dict[str, Any]) -> None:
        self.text = text
        self.place = place
        self.namespace = namespace
        self.tree = ast.parse(text, place)

    @property
    def begins_inside(self) -> int | None:
        """How many statements stand before the first that is a part of a process; None when none is.

        Such a one awaits, or uses ``ctx``, outside of any function that has it as a parameter.
        """
        for at, statement in enumerate(self.tree.body):
            if _is_inside(statement):
                return at
        return None

    def run(self) -> None:
        """Execute it; a process in it is played, and so is a piece of one."""
        before = self.namespace.get("process")
        tree = self._as_module()
        self._stand_in(tree)
        # So that a traceback shows the line.
        linecache.cache[self.place] = (len(self.text), None, self.text.splitlines(keepends=True), self.place)
        exec(compile(tree, self.place, "exec", dont_inherit=True), self.namespace)  # noqa: S102
        process = self.namespace.pop(PIECE, None) or self.namespace.get("process")
        if process is not before and callable(process):
            self._play(process, tree)
        for name, test in list(self.namespace.items()):
            if name.startswith("test_") and callable(test):
                del self.namespace[name]
                test()

    def _as_module(self) -> ast.Module:
        """The block, with what stands inside a process as the body of one."""
        at = self.begins_inside
        if at is None:
            return self.tree
        module = ast.parse(f"async def {PIECE}(inputs, ctx): pass")
        function = module.body[0]
        assert isinstance(function, ast.AsyncFunctionDef)
        function.body = self.tree.body[at:]
        return ast.Module([*self.tree.body[:at], function], [])

    def _stand_in(self, tree: ast.Module) -> None:
        known = {*self.namespace, *dir(builtins), *_bound(tree)}
        for name in sorted(_used(tree) - known):
            is_task = name in _used_as_tasks(tree)
            self.namespace[name] = _task(name) if is_task else ["a", "b"]

    def _play(self, process: Any, tree: ast.Module) -> None:
        inputs = self.namespace.get("inputs", {name: ["a", "b"] for name in _inputs(tree)})
        if isinstance(self.namespace.get("Inputs"), dict):
            inputs = {}
        played = play(
            process, inputs, results=self._anything, people=_yes, subprocesses=_Whatever(), most_effects=200
        )
        assert played.status in GOOD_ENDS, f"{self.place}: {played.told}"

    def _anything(self, asked: Any) -> Any:
        if asked.kind == "breakpoint":
            options = asked.definition["breakpoint"].get("options")
            return approves(option=options[0] if options else None)
        if asked.kind in ("subprocess", "hook"):
            return {}
        if asked.kind == "shell":
            return [] if asked.definition["shell"].get("parse") else "what it printed\n"
        told = asked.definition.get(asked.kind)
        if isinstance(told, dict) and told.get("outputSchema"):
            return fitting(told["outputSchema"])
        return self._returned(asked.task)

    def _returned(self, task: str) -> Any:
        """A value of the type that the task's function says it returns."""
        tasks = [each for each in self.namespace.values() if getattr(each, "id", None) == task]
        returned = getattr(tasks[0].function, "__annotations__", {}).get("return") if tasks else None
        name = getattr(returned, "__name__", str(returned)).partition("[")[0]
        return COME_BACK.get(name, 1)


class _Whatever(dict):  # type: ignore[type-arg]
    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return {}


def _yes(question: str) -> Any:
    return approves()


def _task(name: str) -> Any:
    def function(**args: Any) -> Any:
        return args

    return python(id=name)(function)


def fitting(schema: Any) -> Any:
    """A small value that fits a schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type", "object")
    if kind == "object":
        rules = schema.get("properties", {})
        return {name: fitting(rules.get(name, {"type": "array"})) for name in schema.get("required", [])}
    return SCHEMA_VALUES.get(kind if isinstance(kind, str) else kind[0])


# What a piece of Python is made of.


def _without(tree: ast.AST, is_left_out: Any) -> list[ast.AST]:
    found = []
    for child in ast.iter_child_nodes(tree):
        if not is_left_out(child):
            found += [child, *_without(child, is_left_out)]
    return found


def _has_parameter(node: ast.AST, name: str) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and name in {
        each.arg for each in [*node.args.args, *node.args.kwonlyargs]
    }


def _is_inside(statement: ast.stmt) -> bool:
    if _has_parameter(statement, "ctx"):
        return False
    if any(isinstance(node, ast.Name) and node.id == "ctx" for node in _without(statement, _has_ctx)):
        return True
    waits = (ast.Await, ast.AsyncFor, ast.AsyncWith)
    outside = [] if _is_function(statement) else [statement, *_without(statement, _is_function)]
    return any(isinstance(node, waits) for node in outside)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))


def _has_ctx(node: ast.AST) -> bool:
    return _has_parameter(node, "ctx")


def _used(tree: ast.AST) -> set[str]:
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _bound(tree: ast.AST) -> set[str]:
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
    return bound


def _used_as_tasks(tree: ast.AST) -> set[str]:
    """Names that are the first argument of ``ctx.task``, or have ``.using``."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            subject = node.args[0] if node.func.attr == "task" and node.args else node.func.value
            if node.func.attr in {"task", "using"} and isinstance(subject, ast.Name):
                found.add(subject.id)
    return found


def _inputs(tree: ast.AST) -> set[str]:
    """The inputs that a process looks at."""
    return {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "inputs"
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }
