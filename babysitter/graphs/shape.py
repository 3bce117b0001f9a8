"""The shape of a process: lines of control made of steps and groups, and the ways between them.

What comes from the same place in the source is one node, however often it was asked for: a loop
is a way back, and branches that begin at the same place are one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.keys import Key
    from babysitter.testing.sites import Stack

# Kinds of nodes that are no effects.
GROUP, START, END, MORE = "group", "start", "end", "more"
OK, FAILED, PENDING, CANCELLED = "ok", "failed", "pending", "cancelled"
# Of a group in which something failed, where it is not known whether that has left it.
PARTLY = "partly"
# What one says of several: the first of these that one of them is in.
WORST_FIRST = (FAILED, PENDING, PARTLY, CANCELLED, OK)


class Node:
    """A box of the drawing.

    Attributes:
        kind: of the effect, or one of this module's.
        titles: what people read of each request, every text once.
        pattern: the title as the author wrote it, with its braces.
        stack: where in the source it comes from; empty when that is not known.
        is_taken: it was come past; else it is drawn dashed.
        count: how often it was asked for.
        attempts: how often it is tried, at most.
        states: of a run, how often it stands in which; ``took_ms`` all of them together. Of a group
            ``branch_states`` says it of all its branches.
        retried: of a run, how many attempts have failed and were followed by another one.
    """

    def __init__(self, key: Key, kind: str, *, stack: Stack = (), is_taken: bool = True) -> None:
        self.key = key
        self.kind = kind
        self.stack = stack
        self.is_taken = is_taken
        self.titles: dict[str, None] = {}
        self.pattern = ""
        self.task = ""
        self.count = 0
        self.attempts = 1
        self.states: dict[str, int] = {}
        self.branch_states: dict[str, int] = {}
        self.took_ms = 0
        self.retried = 0
        # Of a group; empty of everything else.
        self.mode = ""
        self.limit = ""
        self.lines: dict[Key, Line] = {}

    @property
    def title(self) -> str:
        """What it is called; of several that are called differently what they have in common."""
        if len(self.titles) == 1:
            return next(iter(self.titles))
        return self.pattern or (self.task if self.kind != "breakpoint" else "") or next(iter(self.titles), "")

    @property
    def state(self) -> str:
        """How it stands; empty of a process that is not run."""
        return next((state for state in WORST_FIRST if self.states.get(state)), "")


class Way:
    """From one node to the next; ``word`` says when, ``is_back`` that it leads to one before."""

    def __init__(self, source: Key | None, target: Key | None, word: str, *, is_taken: bool) -> None:
        self.source = source
        self.target = target
        self.word = word
        self.is_taken = is_taken
        self.is_back = False


class Line:
    """One line of control.

    Attributes:
        names: of the branches that it stands for, where these were given by hand.
        times: how many branches that is.
        ways: None as their source is the beginning of the line, as their target its end.
    """

    def __init__(self) -> None:
        self.nodes: dict[Key, Node] = {}
        self.ways: dict[tuple[Key | None, Key | None, str], Way] = {}
        self.names: list[str] = []
        self.times = 0

    def connect(self, source: Key | None, target: Key | None, word: str = "", *, is_taken: bool) -> None:
        """Make a way where there is none."""
        if source is None and target is None:
            return
        known = self.ways.get((source, target, word))
        if known is None:
            self.ways[source, target, word] = Way(source, target, word, is_taken=is_taken)
        elif is_taken:
            known.is_taken = True

    def order(self) -> list[Node]:
        """Its nodes, each after those that lead to it, but for ways back, which are marked as such."""
        placed = {key: number for number, key in enumerate(self.nodes)}
        for way in self.ways.values():
            if way.source is not None and way.target is not None:
                way.is_back = placed[way.target] <= placed[way.source]
        return list(self.nodes.values())

    def insert(self, node: Node, after: Key | None) -> None:
        """Put a node behind another one; behind None is before all others."""
        nodes = list(self.nodes.items())
        at = 0 if after is None else 1 + list(self.nodes).index(after)
        self.nodes = dict([*nodes[:at], (node.key, node), *nodes[at:]])


def every_line(line: Line) -> Iterator[Line]:
    """A line, and all that are in its groups."""
    yield line
    for node in list(line.nodes.values()):
        for inner in list(node.lines.values()):
            yield from every_line(inner)
