"""Steps that no dry run has come to, put in dashed where they stand in the source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from babysitter.graphs.shape import END, GROUP, MORE, START, Line, Node, every_line
from babysitter.graphs.source_steps import CALL, Finder, Names, SourceStep, functions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from babysitter.graphs.keys import Key
    from babysitter.graphs.source_steps import Arm, Function
    from babysitter.testing.sites import Frame, Sites

    # A function: its file, and the line at which it begins.
    Place = tuple[str, int]
    Made = tuple[SourceStep, Node]

# So deep are functions gone into that are called by functions that no run has come to.
DEEPEST = 4
CUT = (MORE, "cut")
SOURCE = "source"


def add_untaken(
    line: Line, sites: Iterable[Sites], texts: Mapping[str, str], module: Any, process: Place
) -> None:
    """Add the steps of all functions that were come to; ``texts`` are the files of the process."""
    frames = {frame for each in sites for frame in frames_of(each)}
    for file, text in texts.items():
        functions = functions_of(ast.parse(text))
        lines = {frame[3] for frame in frames if frame[0] == file}
        known = {frame[:2] for frame in frames} | {process}
        for begins in sorted(begins for place, begins in known if place == file):
            if begins in functions:
                _Function(line, (file, begins), functions, Names(module)).add(lines)


def is_from_source(key: Key) -> bool:
    """A node was put in from the source, as nobody had come to it."""
    return key[:1] == (SOURCE,)


def frames_of(sites: Sites) -> set[Frame]:
    """Every place in the source that was come to."""
    stacks = [each.stack for each in sites.steps.values()] + [each.stack for each in sites.groups.values()]
    return {frame for stack in stacks for frame in stack}


class _Function:
    """One function that was come to, in all the lines of control that it is a part of."""

    def __init__(self, root: Line, place: Place, functions: dict[int, Function], names: Names) -> None:
        self._root = root
        self._place = place
        self._functions = functions
        self._helpers = {
            each.name: each for each in functions.values() if isinstance(each, ast.AsyncFunctionDef)
        }
        self._finder = Finder(self._helpers)
        self._names = names

    def add(self, reached: set[int]) -> None:
        """Add what stands on none of these lines, the arms of statements after what they are in."""
        steps = self._finder.steps_of(self._functions[self._place[1]])
        missing = [step for step in steps if not step.is_on(reached)]
        for context in self._contexts():
            for chain in _chains(missing):
                made = [(step, node) for step in chain for node in self._nodes_of(step, 0)]
                for part in context.parts(made):
                    context.insert(part)

    def _contexts(self) -> list[_Context]:
        found: dict[tuple[int, tuple[Frame, ...]], _Context] = {}
        for line in every_line(self._root):
            for node in line.nodes.values():
                for depth, frame in enumerate(node.stack):
                    if frame[:2] == self._place:
                        prefix = node.stack[:depth]
                        context = found.setdefault((id(line), prefix), _Context(line))
                        context.lines[node.key] = frame[3]
                        break
        return list(found.values()) or [_Context(self._root)]

    def _nodes_of(self, step: SourceStep, depth: int) -> list[Node]:
        """The nodes of a step; of a call those of the function that is called."""
        if step.kind == CALL:
            return self._called(step, depth)
        kind, title = self._names.told(step)
        where: Key = (SOURCE, self._place[0], step.line, step.node.col_offset)
        node = Node(where, kind, is_taken=False)
        if step.kind == GROUP:
            self._fill(node, step, depth)
        node.titles[node.mode or title] = None
        return [node]

    def _called(self, step: SourceStep, depth: int) -> list[Node]:
        function = step.node.func
        if depth >= DEEPEST or not isinstance(function, ast.Name):
            return []
        steps = self._finder.steps_of(self._helpers[function.id])
        found = [node for each in steps for node in self._nodes_of(each, depth + 1)]
        for node in found:
            # The same function may be called at two places.
            node.key = (*node.key, "called at", step.line, step.node.col_offset)
        return found

    def _fill(self, group: Node, step: SourceStep, depth: int) -> None:
        group.kind = GROUP
        function = step.node.func
        group.mode = function.attr if isinstance(function, ast.Attribute) else ""
        limits = [word.value for word in step.node.keywords if word.arg == "limit"]
        group.limit = ast.unparse(limits[0]) if limits else ""
        for each in step.inner:
            nodes = self._nodes_of(each, depth)
            if nodes:
                group.lines[nodes[0].key] = line_of(nodes)


def line_of(nodes: list[Node]) -> Line:
    """Nodes one after the other, none of them taken."""
    line = Line()
    before: Key | None = None
    for node in nodes:
        line.nodes[node.key] = node
        line.connect(before, node.key, is_taken=False)
        before = node.key
    line.connect(before, None, is_taken=False)
    return line


def _chains(steps: list[SourceStep]) -> list[list[SourceStep]]:
    """The steps of each arm, outer arms first."""
    chains: dict[int, list[SourceStep]] = {}
    for step in sorted(steps, key=lambda step: len(step.arms)):
        chains.setdefault(id(step.arm), []).append(step)
    return list(chains.values())


class _Context:
    """A function in one line of control.

    Attributes:
        lines: those of its nodes that were come to, each with its line in it.
        added: the same of those that are put in, with the arm that each is in.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.lines: dict[Key, int] = {}
        self.added: dict[Key, tuple[int, Arm | None]] = {}

    def parts(self, made: list[Made]) -> list[list[Made]]:
        """Steps between which no other one stands that was come to."""
        parts: dict[tuple[Key | None, Key | None], list[Made]] = {}
        for step, node in made:
            place = self._before(step), self._after(step)
            parts.setdefault(place, []).append((step, node))
        return list(parts.values())

    def insert(self, part: list[Made]) -> None:
        """Put nodes in between what stands before them in the source and what stands behind."""
        first, last = part[0][0], part[-1][0]
        arm = first.arm
        at, word = self._before(first), arm.word if arm is not None else ""
        after = self._left(arm.leaves) if arm is not None and arm.leaves else self._after(last)
        for _, node in part:
            if node.key not in self.line.nodes:
                self.line.insert(node, self._behind(at, after))
            self.line.connect(at, node.key, word, is_taken=False)
            at, word = node.key, ""
        for step, node in part:
            self.added[node.key] = (step.line, step.arm)
        self.line.connect(at, after, is_taken=False)

    def _behind(self, key: Key | None, before: Key | None) -> Key | None:
        """Behind a node and what was put there already, but before another one that was put there."""
        keys = list(self.line.nodes)
        at = -1 if key is None else keys.index(key)
        while at + 1 < len(keys) and is_from_source(keys[at + 1]) and keys[at + 1] != before:
            at += 1
        return None if at < 0 else keys[at]

    def _seen_from(self, step: SourceStep) -> dict[Key, int]:
        """The nodes that come before or after a step, whichever way is gone: not those of other arms."""
        arms = step.arms
        added = {key: line for key, (line, arm) in self.added.items() if arm in arms}
        return {**self.lines, **added}

    def _before(self, step: SourceStep) -> Key | None:
        seen = {key: line for key, line in self._seen_from(step).items() if line < step.line}
        if seen:
            return self._or_its_end(max(seen, key=lambda key: seen[key]))
        keys = list(self.line.nodes)
        at = min((keys.index(key) for key in self.lines), default=1) - 1
        return self._or_its_end(keys[at]) if at >= 0 else None

    def _or_its_end(self, key: Key) -> Key:
        """Where the dry run ended after a node, what would have followed follows that."""
        return CUT if (key, CUT, "") in self.line.ways else key

    def _after(self, step: SourceStep) -> Key | None:
        seen = {key: line for key, line in self._seen_from(step).items() if line > step.line}
        if seen:
            return min(seen, key=lambda key: seen[key])
        keys = list(self.line.nodes)
        at = max((keys.index(key) for key in self.lines), default=0) + 1
        behind = [key for key in keys[at:] if key[0] not in (SOURCE, END, MORE)]
        return behind[0] if behind else self._left("return")

    def _left(self, how: str) -> Key | None:
        """Where one comes to who leaves: only the process's own line has ends that are drawn."""
        if (START,) not in self.line.nodes:
            return None
        key: Key = (END, "completed" if how == "return" else "raises")
        if key not in self.line.nodes:
            self.line.nodes[key] = Node(key, END, is_taken=False)
            self.line.nodes[key].titles["end" if how == "return" else "raises"] = None
        return key
