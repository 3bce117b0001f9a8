"""A shape as a list of nodes and a list of ways: what ``--json`` prints, and what Mermaid is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.graphs.shape import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.drawn import Drawn
    from babysitter.graphs.keys import Key
    from babysitter.graphs.shape import Line, Node, Way


class Listed:
    """A node with its id, and where it is.

    Attributes:
        line: its line of control.
        group: the id of the group that it is in; empty in the process's own line.
        branch: which one of the group's lines that is, from 0 on.
    """

    def __init__(self, id: str, node: Node, line: Line, group: str, branch: int) -> None:
        self.id = id
        self.node = node
        self.line = line
        self.group = group
        self.branch = branch

    def as_json(self) -> dict[str, Any]:
        node = self.node
        told: dict[str, Any] = {"id": self.id, "kind": node.kind, "title": node.title}
        told |= {"task": node.task} if node.task else {}
        told |= {"group": self.group, "branch": self.branch} if self.group else {}
        if node.kind == GROUP:
            told["mode"] = node.mode
            told |= {"limit": node.limit} if node.limit else {}
            told["branches"] = [_branch_json(line) for line in node.lines.values()]
        told |= {"maxAttempts": node.attempts} if node.attempts > 1 else {}
        told |= {"count": node.count} if node.count > 1 else {}
        if node.state:
            told |= {"state": node.state, "states": node.states, "tookMs": node.took_ms}
            told |= {"branchStates": node.branch_states} if node.branch_states else {}
            told |= {"failedAttempts": node.retried} if node.retried else {}
        return {**told, "isTaken": node.is_taken}


def _branch_json(line: Line) -> dict[str, Any]:
    return {"times": line.times, **({"names": line.names} if line.names else {})}


class Listing:
    """All nodes and ways of a drawing, numbered in the order of reading."""

    def __init__(self, drawn: Drawn) -> None:
        self.nodes: list[Listed] = []
        self.ways: list[tuple[str, str, Way]] = []
        self._add(drawn.line, "", 0)

    def _add(self, line: Line, group: str, branch: int) -> None:
        ids: dict[Key | None, str] = {}
        for node in line.order():
            listed = Listed(f"n{len(self.nodes) + 1}", node, line, group, branch)
            ids[node.key] = listed.id
            self.nodes.append(listed)
            for number, inner in enumerate(node.lines.values()):
                self._add(inner, listed.id, number)
        self.ways += [(ids[way.source], ids[way.target], way) for way in inner_ways(line)]

    def of(self, group: str, branch: int = 0) -> list[Listed]:
        """The nodes of one line."""
        return [each for each in self.nodes if (each.group, each.branch) == (group, branch)]


def inner_ways(line: Line) -> Iterator[Way]:
    """The ways of a line but for those from its beginning and to its end, which no box stands for."""
    return (way for way in line.ways.values() if way.source is not None and way.target is not None)


def as_json(drawn: Drawn) -> dict[str, Any]:
    """The drawing as ``--json`` prints it."""
    listing = Listing(drawn)
    return {
        "process": drawn.name,
        **({"run": drawn.run} if drawn.run else {}),
        "nodes": [each.as_json() for each in listing.nodes],
        "edges": [
            {
                "from": source,
                "to": target,
                **({"word": way.word} if way.word else {}),
                "isTaken": way.is_taken,
                "isBack": way.is_back,
            }
            for source, target, way in listing.ways
        ],
        "notes": drawn.notes,
    }
