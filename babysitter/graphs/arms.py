"""When a way is gone that a dry run with other answers has found: the arm that it leads into."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from babysitter.graphs.shape import every_line
from babysitter.graphs.source_steps import functions_of, parts_of, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babysitter.graphs.shape import Line, Node
    from babysitter.graphs.source_steps import Function
    from babysitter.testing.sites import Frame

    # Which statements they are, and when one comes to them.
    Arm = tuple[int, str]

# That a loop is entered says nothing of when.
LOOPS = ("for ", "while ")


def add_words(line: Line, texts: Mapping[str, str]) -> None:
    """Say when those ways are gone that are not taken, and have no word; ``texts`` are the files."""
    functions = {file: functions_of(ast.parse(text)) for file, text in texts.items()}
    for each in every_line(line):
        ways = list(each.ways.values())
        for way in ways:
            if not way.is_taken and not way.word and way.source is not None and way.target is not None:
                way.word = _word(each.nodes[way.source], each.nodes[way.target], functions)
        each.ways = {(way.source, way.target, way.word): way for way in ways}


def _word(source: Node, target: Node, functions: Mapping[str, Mapping[int, Function]]) -> str:
    """The outermost arm that the one is in and the other is not."""
    if not target.stack or (not source.stack and source.kind != "start"):
        return ""
    for number, frame in enumerate(target.stack):
        before = source.stack[number] if number < len(source.stack) else None
        if before == frame:
            continue
        if before is not None and before[:2] != frame[:2]:
            return ""
        known = {which for which, _ in _arms_at(before, functions)} if before is not None else set()
        words = [word for which, word in _arms_at(frame, functions) if which not in known]
        return next((short(word) for word in words if not word.startswith(LOOPS)), "")
    return ""


def _arms_at(frame: Frame, functions: Mapping[str, Mapping[int, Function]]) -> list[Arm]:
    """The arms that a line is in, the outermost first."""
    file, begins, _, line = frame
    node: ast.AST | None = functions.get(file, {}).get(begins)
    arms: list[Arm] = []
    while node is not None:
        node, arm = _part_at(node, line)
        arms += [arm] if arm[1] else []
    return arms


def _part_at(node: ast.AST, line: int) -> tuple[ast.AST | None, Arm]:
    for child, word, body in parts_of(node):
        if getattr(child, "lineno", line + 1) <= line <= (getattr(child, "end_lineno", 0) or 0):
            return child, (id(body), word or "")
    return None, (0, "")
