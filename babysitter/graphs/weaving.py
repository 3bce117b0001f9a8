"""From what has happened in a run or a dry run to its shape: every tree of effects adds to the lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from babysitter.durations import brief
from babysitter.engine.state import COMPLETED, CONTINUED, HALTED, STUCK, WAITING
from babysitter.engine.state import FAILED as RUN_FAILED
from babysitter.graphs.keys import key_of, key_of_group
from babysitter.graphs.shape import CANCELLED, END, FAILED, GROUP, OK, PARTLY, PENDING, Line, Node
from babysitter.graphs.values import TEXT
from babysitter.views import marks
from babysitter.views.nodes import Branch, Effect, Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.graphs.keys import Key
    from babysitter.testing.sites import GroupSite, Sites
    from babysitter.views.tree import Tree

    Last = tuple[Key | None, str]

STATES = {
    marks.OK: OK,
    marks.NONZERO: OK,
    marks.REJECTED: OK,
    marks.FAILED: FAILED,
    marks.PARTLY: PARTLY,
    marks.CANCELLED: CANCELLED,
}
YES, NO = "yes", "no"
# What a branch is called after an item that nobody could read.
HASH = re.compile(r"[0-9a-f]{10}(~\d+)?")


class Weaver:
    """Adds what has happened to lines of control.

    Args:
        sites: where in the source the steps come from, as far as it is known.
        decided: what a breakpoint was answered: yes, no, or nothing yet (None).
        has_states: it is about a run, whose states and times are told.
    """

    def __init__(
        self,
        sites: Sites,
        decided: Callable[[Effect], bool | None],
        *,
        is_taken: bool = True,
        has_states: bool = False,
        now_ms: int = 0,
    ) -> None:
        self._sites = sites
        self._decided = decided
        self._is_taken = is_taken
        self._has_states = has_states
        self._now_ms = now_ms

    def add(self, line: Line, branch: Branch, before: Key | None = None) -> Last:
        """Add a branch to a line; gives its last node, and the word of the way that leads on from there."""
        word = ""
        for child in branch.children:
            node = self._node_of(line, child, before)
            self._see(node, child)
            line.connect(before, node.key, word, is_taken=self._is_taken)
            before, word = node.key, self._word(child)
        return before, word

    def end(self, line: Line, last: Last, key: str, title: str, kind: str = END) -> None:
        """Add how it ends."""
        end: Key = (kind, key)
        if end not in line.nodes:
            line.nodes[end] = Node(end, kind, is_taken=self._is_taken)
            line.nodes[end].titles[title] = None
        line.nodes[end].is_taken |= self._is_taken
        line.connect(last[0], end, last[1], is_taken=self._is_taken)

    def _node_of(self, line: Line, child: Effect | Group, before: Key | None) -> Node:
        made = self._of_effect(child) if isinstance(child, Effect) else self._of_group(child)
        if made.key not in line.nodes:
            last = next(reversed(line.nodes), None)
            line.insert(made, last if self._is_taken or before is None else before)
        node = line.nodes[made.key]
        node.is_taken |= self._is_taken
        return node

    def _of_effect(self, effect: Effect) -> Node:
        site = self._sites.steps.get(effect.step)
        if site is None:
            return Node((effect.kind, effect.label), effect.kind, is_taken=self._is_taken)
        node = Node(key_of(site), effect.kind, stack=site.stack, is_taken=self._is_taken)
        node.task = site.task.id
        node.pattern = str(site.task.options.get("title") or "")
        return node

    def _of_group(self, group: Group) -> Node:
        site = self._sites.groups.get(group.path)
        if site is None:
            # Without a place in the source each group is one of its own.
            return Node(("group", group.path), GROUP, is_taken=self._is_taken)
        return Node(key_of_group(site.stack, site.mode), GROUP, stack=site.stack, is_taken=self._is_taken)

    def _see(self, node: Node, child: Effect | Group) -> None:
        if isinstance(child, Effect):
            self._see_effect(node, child)
        else:
            self._see_group(node, child)
        if self._has_states and child.started_ms is not None:
            node.took_ms += child.elapsed(self._now_ms) or 0

    def _see_effect(self, node: Node, effect: Effect) -> None:
        is_stub = bool(node.pattern) and not self._has_states and TEXT in effect.label
        node.titles.setdefault(node.pattern if is_stub else label_of(effect))
        node.attempts = max(node.attempts, effect.max_attempts)
        if self._is_taken:
            node.count += 1
            node.retried += effect.attempt - 1 if self._has_states else 0
            self._stand(node, effect.state)

    def _see_group(self, node: Node, group: Group) -> None:
        site = self._sites.groups.get(group.path)
        # The events do not say it while only groups inside of it have asked for something.
        node.mode = group.mode or (site.mode if site is not None else "") or "parallel"
        node.titles.setdefault(node.mode)
        if site is not None and site.limit is not None:
            node.limit = str(site.limit)
        elif group.limit is not None:
            node.limit = group.limit.label.removeprefix("time limit of ")
        seen: dict[Key, int] = {}
        for branch in group.children:
            if branch.children:
                key = self._add_branch(node, branch)
                seen[key] = seen.get(key, 0) + 1
        if self._is_taken:
            for key, times in seen.items():
                # In a loop the group comes again and again; how many there are side by side counts.
                node.lines[key].times = max(node.lines[key].times, times)
        if self._is_taken:
            node.count += 1
            self._stand(node, _state_of(group, site))
            for branch in group.children:
                self._count(node.branch_states, branch.state)

    def _add_branch(self, group: Node, branch: Branch) -> Key:
        """Branches that begin at the same place in the source are one line; gives its key."""
        first = self._node_of(Line(), branch.children[0], None)
        line = group.lines.setdefault(first.key, Line())
        if self._is_taken:
            is_stub = not self._has_states and TEXT in branch.title
            is_told = bool(branch.label) or not HASH.fullmatch(branch.name)
            if branch.title and is_told and not is_stub and branch.title not in line.names:
                line.names.append(branch.title)
        last, word = self.add(line, branch)
        line.connect(None, first.key, is_taken=self._is_taken)
        line.connect(last, None, word, is_taken=self._is_taken)
        return first.key

    def _stand(self, node: Node, state: str) -> None:
        if self._has_states:
            self._count(node.states, state)

    def _count(self, states: dict[str, int], state: str) -> None:
        known = STATES.get(state, PENDING)
        states[known] = states.get(known, 0) + 1

    def _word(self, child: Effect | Group) -> str:
        """Which of its exits a breakpoint was left by."""
        if not isinstance(child, Effect) or child.kind != "breakpoint":
            return ""
        decided = self._decided(child)
        return "" if decided is None else YES if decided else NO


def _state_of(group: Group, site: GroupSite | None) -> str:
    """As the tree has it; whoever has driven the process knows whether a failure has left the group."""
    if site is None or site.has_raised is None:
        return group.state
    return marks.FAILED if site.has_raised else marks.OK


def label_of(effect: Effect) -> str:
    """What people read of it; of a sleep how long it is."""
    if effect.due_ms is None or effect.label != effect.kind:
        return effect.label
    return f"sleep {brief((effect.due_ms - effect.requested_ms) / 1000)}"


def tree_of(events: Any, tree: Tree) -> Tree:
    """The events, folded into the tree."""
    for event in events:
        tree.event(event)
    return tree


def ending(state: Any) -> tuple[str, str]:
    """How a run has ended, as a key, and for people; empty while it has not."""
    told = state.ending or {}
    if state.status == COMPLETED:
        return "completed", "end"
    if state.status == RUN_FAILED:
        title = f"failed: {told['error'].get('message') or told['error'].get('name')}"
        # For another reason is another end.
        return title, title
    if state.status == HALTED:
        return "halted", f"halted: {told.get('reason')}"
    if state.status == CONTINUED:
        return "continued", "goes on as a new run"
    if state.status == STUCK:
        return "stuck", f"stuck: {state.problem['name']}: {state.problem['message']}"
    return ("", "") if state.status == WAITING else (state.status, state.status)
