"""Which parts of a tree to show when not all of it fits.

What fails, runs or waits for a person comes first; a heading is shown with the
first thing under it. Looks at a few times as many effects as there are lines,
however large the tree is.
"""

from __future__ import annotations

from babysitter.views.marks import (
    AGENT,
    CANCELLED,
    CHILD,
    CLOCK,
    FAILED,
    NONZERO,
    OK,
    PERSON,
    REJECTED,
    REQUESTED,
    RUNNING,
)
from babysitter.views.nodes import Branch, Group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from babysitter.views.nodes import Effect, Node
    from babysitter.views.tree import Tree

# State, the part of all lines that it may take, and whether the newest come first.
# Failures come twice, so that many of them do not push out what is going on.
PLAN = (
    (PERSON, 0.25, False),
    (FAILED, 0.4, True),
    (RUNNING, 1.0, False),
    (AGENT, 1.0, False),
    (CLOCK, 1.0, False),
    (CHILD, 1.0, False),
    (FAILED, 1.0, True),
    (REJECTED, 0.25, True),
    (NONZERO, 0.25, True),
    (REQUESTED, 0.2, False),
    (OK, 0.2, True),
    (CANCELLED, 0.1, True),
)
LOOKS_PER_LINE = 4


class Choice:
    """The nodes to show, by parent. ``is_all`` when nothing had to be left out."""

    def __init__(self, tree: Tree, lines: int) -> None:
        self._tree = tree
        self._left = lines
        self._chosen: dict[Branch | Group, list[Node]] = {}
        self._known: set[Node] = {tree.root}
        self.is_all = tree.size <= lines
        if not self.is_all:
            self._choose(lines)

    def of(self, parent: Branch | Group) -> list[Node]:
        """The children of a node that are to be shown, in the order in which they came to be."""
        if self.is_all:
            return [child for child in parent.children if not is_hidden(child)]
        return sorted(self._chosen.get(parent, []), key=lambda node: node.index)

    def _choose(self, lines: int) -> None:
        for state, share, newest_first in PLAN:
            effects = self._tree.by_state[state]
            self._take(
                reversed(effects.values()) if newest_first else iter(effects.values()), lines, share, state
            )
            if state == NONZERO:
                self._take_steps(lines)

    def _take(self, effects: Iterable[Effect], lines: int, share: float, state: str) -> None:
        quota = max(1, int(lines * share))
        for number, effect in enumerate(effects):
            if quota <= 0 or self._left <= 0 or number >= lines * LOOKS_PER_LINE:
                return
            node = shown_as(effect)
            # A branch that has got over a failure is no failure.
            if node.state == state:
                quota -= self._add(node)

    def _take_steps(self, lines: int) -> None:
        """The last steps of the process itself: they tell where it stands."""
        for node in self._tree.root.children[: -lines - 1 : -1]:
            self._add(node)

    def _add(self, node: Node) -> int:
        """Show a node and what it stands under, if there is room; gives the lines that this took."""
        new = list(self._unknown(node))
        parents = [above.parent for above in new if above.parent is not None]
        # One line more under each heading (and for the root): what is left out there.
        cost = len(new) + sum(parent not in self._chosen for parent in parents)
        if not new or cost > self._left or any(map(is_hidden, new)):
            return 0
        self._left -= cost
        self._known.update(new)
        for above, parent in zip(new, parents, strict=True):
            self._chosen.setdefault(parent, []).append(above)
        return cost

    def _unknown(self, node: Node) -> Iterator[Node]:
        above: Node | None = node
        while above is not None and above not in self._known:
            yield above
            above = above.parent


def shown_as(effect: Effect) -> Node:
    """The line that an effect is shown in: its own, or, in a branch, that of the branch."""
    return effect if effect.parent.parent is None else effect.parent


def is_hidden(node: Node) -> bool:
    """Never shown: in a branch its effects (the branch's line tells), and groups that it has left behind."""
    parent = node.parent
    if not isinstance(parent, Branch) or parent.parent is None:
        return False
    return not (isinstance(node, Group) and node.is_current)
