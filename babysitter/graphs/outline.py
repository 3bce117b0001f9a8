"""A shape as an outline for people: one line for each step, what goes on within a group below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.graphs.labels import branches_text, lines_of
from babysitter.graphs.shape import END, GROUP, MORE, START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.drawn import Drawn
    from babysitter.graphs.shape import Line, Node

INDENT = "  "
UNTAKEN = "~ "


def outline(drawn: Drawn) -> list[str]:
    """The steps in their order; one that the dry run did not come to begins with ``~``."""
    return list(_line(drawn.line, ""))


def _line(line: Line, indent: str) -> Iterator[str]:
    again = {way.target for way in line.ways.values() if way.is_back}
    for node in line.order():
        if node.kind in (START, END) and not _is_bad_end(node):
            continue
        mark = "" if node.is_taken else UNTAKEN
        loop = ", again and again" if node.key in again else ""
        yield f"{indent}{mark}{_told(node, line)}{loop}"
        if node.kind == GROUP:
            for inner in node.lines.values():
                yield from _branch(inner, f"{indent}{INDENT}")


def _is_bad_end(node: Node) -> bool:
    return node.kind == END and node.title != END


def _branch(line: Line, indent: str) -> Iterator[str]:
    """A branch of one step needs no line of its own that says which one it is."""
    told = branches_text(line)
    if len(line.nodes) > 1 and told:
        yield f"{indent}{told}:"
        indent += INDENT
    yield from _line(line, indent)


def _told(node: Node, line: Line) -> str:
    if node.kind == MORE:
        return node.title
    first, *rest = lines_of(node, line, is_alone=len(line.nodes) == 1)
    if node.kind == GROUP:
        return f"side by side ({', '.join([first, *rest])})"
    told = ", ".join(["breakpoint", *rest] if node.kind == "breakpoint" else rest)
    return f"{first} ({told})" if told else first
