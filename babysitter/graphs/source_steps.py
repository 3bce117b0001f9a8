"""The steps that stand in the source of a function, with the arm of the statement that each is in."""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Function = ast.AsyncFunctionDef | ast.FunctionDef

ASKS = {
    "task": "task",
    "breakpoint": "breakpoint",
    "subprocess": "subprocess",
    "sleep": "sleep",
    "sleep_until": "sleep",
    "hook": "hook",
    "orchestrator_task": "orchestrator_task",
}
MODES = frozenset({"all", "map", "settled", "any", "race"})
FUNCTIONS = (ast.AsyncFunctionDef, ast.FunctionDef)
COLLECTIONS = (ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.DictComp, ast.GeneratorExp)
LONGEST = 40
GROUP, CALL = "group", "call"


class Arm:
    """One of the ways that a statement can go: ``if …``, ``else``, ``except …``, the body of a loop.

    ``leaves`` is how its last statement leaves the function: ``return``, ``raise``, or not at all.
    ``above`` is the arm that it is in, if any.
    """

    def __init__(self, word: str, body: list[ast.stmt], above: Arm | None) -> None:
        self.word = short(word)
        self.above = above
        last = body[-1] if body else None
        self.leaves = {ast.Return: "return", ast.Raise: "raise"}.get(type(last), "")


class SourceStep:
    """A step, a group of them, or the call of a function that has some."""

    def __init__(self, node: ast.Call, kind: str, arm: Arm | None) -> None:
        self.node = node
        self.kind = kind
        self.arm = arm
        self.inner: list[SourceStep] = []

    @property
    def line(self) -> int:
        return self.node.lineno

    @property
    def arms(self) -> list[Arm | None]:
        """The arms that it is in, the innermost first, and last None, which is the function."""
        arms: list[Arm | None] = [self.arm]
        while arms[-1] is not None:
            arms.append(arms[-1].above)
        return arms

    def is_on(self, lines: Iterable[int]) -> bool:
        """One of these lines is a part of it."""
        return any(self.node.lineno <= line <= (self.node.end_lineno or 0) for line in lines)


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def functions_of(tree: ast.AST) -> dict[int, Function]:
    """The functions of a file, also those within others, by the line at which their code begins."""
    found = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    return {min([each.lineno, *(d.lineno for d in each.decorator_list)]): each for each in found}


class Finder:
    """Finds the steps of functions; ``helpers`` are the async functions of the file, by name."""

    def __init__(self, helpers: Mapping[str, Function]) -> None:
        self._helpers = helpers
        self._prepared: dict[str, list[SourceStep]] = {}

    def steps_of(self, function: Function) -> list[SourceStep]:
        """In the order of the source."""
        self._prepared = {}
        found = [step for each in function.body for step in self._in(each, None)]
        found += [step for steps in self._prepared.values() for step in steps]
        return sorted(found, key=lambda step: (step.node.lineno, step.node.col_offset))

    def _in(self, node: ast.AST, arm: Arm | None) -> Iterator[SourceStep]:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            return
        if isinstance(node, ast.Assign) and isinstance(node.value, COLLECTIONS):
            # What is made here is handed to a group further down, most often.
            name = ast.unparse(node.targets[0])
            self._prepared[name] = [
                step for each in ast.iter_child_nodes(node.value) for step in self._in(each, arm)
            ]
            return
        if isinstance(node, ast.Call):
            step = self._read(node, arm)
            if step is not None:
                yield step
                if step.kind == GROUP:
                    return
        arms: dict[tuple[str, int], Arm] = {}
        for child, word, body in parts_of(node):
            inner = arm if word is None else arms.setdefault((word, id(body)), Arm(word, body, arm))
            yield from self._in(child, inner)

    def _read(self, node: ast.Call, arm: Arm | None) -> SourceStep | None:
        function = node.func
        if isinstance(function, ast.Name):
            return SourceStep(node, CALL, arm) if function.id in self._helpers else None
        if not isinstance(function, ast.Attribute):
            return None
        if is_parallel(function):
            return self._group(node, arm)
        is_of_context = isinstance(function.value, ast.Name) and function.value.id != "time"
        kind = ASKS.get(function.attr) if is_of_context else None
        return SourceStep(node, kind, arm) if kind else None

    def _group(self, node: ast.Call, arm: Arm | None) -> SourceStep:
        group = SourceStep(node, GROUP, arm)
        arguments = [*node.args, *(word.value for word in node.keywords)]
        group.inner = [step for each in arguments for step in self._in(each, None)]
        for each in arguments:
            if isinstance(each, ast.Name) and each.id in self._prepared:
                group.inner += self._prepared.pop(each.id)
            elif isinstance(each, ast.Name) and each.id in self._helpers:
                # Handed over by its name: the branch is a call of it.
                called = ast.copy_location(ast.Call(func=each, args=[], keywords=[]), each)
                group.inner.append(SourceStep(called, CALL, None))
        return group


def is_parallel(function: ast.Attribute) -> bool:
    """It is ``ctx.parallel.MODE``, or ``ctx.timeout``."""
    of = function.value
    if isinstance(of, ast.Attribute):
        return of.attr == "parallel" and function.attr in MODES
    return isinstance(of, ast.Name) and of.id == "ctx" and function.attr == "timeout"


def parts_of(node: ast.AST) -> Iterator[tuple[ast.AST, str | None, list[ast.stmt]]]:
    """What a node is made of; with a word where that is gone through only sometimes."""
    arms = dict(_arms(node))
    for name, value in ast.iter_fields(node):
        word = arms.get(name)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, (ast.ExceptHandler, ast.match_case)):
                for each in child.body:
                    yield each, _word_of(child), child.body
            elif isinstance(child, ast.AST):
                yield child, word, value if isinstance(value, list) else []


def _arms(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, (ast.If, ast.IfExp)):
        yield from (("body", f"if {_condition(node.test)}"), ("orelse", "else"))
    elif isinstance(node, ast.While):
        yield from (("body", f"while {_condition(node.test)}"), ("orelse", "else"))
    elif isinstance(node, (ast.For, ast.AsyncFor)):
        yield from (("body", f"for {ast.unparse(node.target)}"), ("orelse", "else"))


def _condition(test: ast.expr) -> str:
    """A condition as it is written, but for the steps in it, which have a box of their own."""
    return ast.unparse(Answers().visit(deepcopy(test)))


class Answers(ast.NodeTransformer):
    """Puts a word in place of what is awaited."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return ast.copy_location(ast.Name("answer", ast.Load()), node)


def _word_of(node: ast.ExceptHandler | ast.match_case) -> str:
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}"
    return f"except {ast.unparse(node.type)}" if node.type is not None else "except"


class Names:
    """What the steps of a file are called; ``module`` has the tasks that they name."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def told(self, step: SourceStep) -> tuple[str, str]:
        """Kind and title."""
        first = step.node.args[0] if step.node.args else None
        if step.kind == "task":
            return self._task(first)
        if step.kind == "breakpoint":
            title = next((word.value for word in step.node.keywords if word.arg == "title"), first)
            return step.kind, _text(title)
        return step.kind, f"{step.kind} {_text(first)}" if step.kind in ("sleep", "hook") else _text(first)

    def _task(self, named: ast.expr | None) -> tuple[str, str]:
        """Of a task that the file defines its kind and title, of another one how it is written."""
        root = named
        while isinstance(root, (ast.Call, ast.Attribute)):
            root = root.func if isinstance(root, ast.Call) else root.value
        task = getattr(self._module, root.id, None) if isinstance(root, ast.Name) else None
        function = getattr(task, "function", None)
        if task is None or function is None:
            return "task", _text(named)
        lines = (function.__doc__ or "").strip().splitlines()
        return task.kind, str(task.options.get("title") or (lines[0] if lines else task.id))


def _text(node: ast.expr | None) -> str:
    if node is None:
        return "…"
    if isinstance(node, ast.Constant):
        return short(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return short("".join(_piece(each) for each in node.values))
    return short(ast.unparse(node))


def _piece(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return f"{{{ast.unparse(node.value)}}}"
    return str(node.value) if isinstance(node, ast.Constant) else ""
