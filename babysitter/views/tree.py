"""The run as a tree of groups and branches, folded from events one by one.

Each event costs as much as its place is deep, never as much as the run is large.
"""

from __future__ import annotations

from babysitter.views.marks import CANCELLED, FAILED, NONZERO, OK, RUNNING, STATES
from babysitter.views.nodes import Branch, Effect, Group, begin, change, end, rise, time_or

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from babysitter.executors.rates import Wait
    from babysitter.journal.events import Event

STARTED_BY_US = frozenset({"shell", "python", "hook"})


class RunInfo:
    """Which run a view is about."""

    __slots__ = ("folder", "process_id", "run_id", "title")

    def __init__(self, run_id: str, process_id: str, title: str, folder: str) -> None:
        self.run_id = run_id
        self.process_id = process_id
        self.title = title
        self.folder = folder


class Tree:
    """Everything about a run that views show.

    Attributes:
        effects: every effect by id, in the order of requests.
        by_state: the same by state; within a state in the order in which they came to it.
        held: what effects wait for that a rate limit keeps from being started, by id.
        size: how many lines it takes to show all of it.
    """

    def __init__(self) -> None:
        self.root = Branch(None, "")
        self.root.state = OK
        self.branches = {"": self.root}
        self.groups: dict[str, Group] = {}
        self.effects: dict[str, Effect] = {}
        self.by_state: dict[str, dict[str, Effect]] = {state: {} for state in STATES}
        self.held: Mapping[str, Wait] = {}
        self.size = 0
        self.first_ms = 0
        self.last_ms = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many effects are in each state."""
        return {state: len(effects) for state, effects in self.by_state.items()}

    def event(self, event: Event) -> None:
        """Fold one event in; what it is about and is not known is passed over."""
        self.first_ms = self.first_ms or event.ms
        self.last_ms = event.ms
        fold = _FOLDS.get(event.type)
        if fold is not None:
            fold(self, event)

    def executing(self, effect_id: str, started_ms: int) -> None:
        """Somebody here has begun with an effect."""
        effect = self.effects.get(effect_id)
        if effect is not None and effect.is_pending:
            effect.started_ms = started_ms
            begin(effect.parent, started_ms)
            self.move(effect, RUNNING)

    def output(self, effect_id: str, last_line: str) -> None:
        """An effect that is being performed has printed something."""
        effect = self.effects.get(effect_id)
        if effect is not None:
            effect.last_line = last_line

    def move(self, effect: Effect, state: str) -> None:
        """Bring an effect into a state, and what it is part of with it."""
        del self.by_state[effect.state][effect.id]
        self.by_state[state][effect.id] = effect
        change(effect, state)

    def branch(self, path: str) -> Branch:
        """The branch by its path (``3.0``), made with its groups when it is new."""
        found = self.branches.get(path)
        if found is None:
            group = self.group(path.rpartition(".")[0])
            found = self.branches[path] = Branch(group, path)
            group.add(found)
            self.size += 1
        return found

    def group(self, path: str) -> Group:
        """The group by the path of its step (``3``), made when it is new."""
        found = self.groups.get(path)
        if found is None:
            parent = self.branch(path.rpartition(".")[0])
            found = self.groups[path] = Group(parent, path)
            parent.add(found)
            self.size += 1
        return found


def _requested(tree: Tree, event: Event) -> None:
    data = event.data
    branch = tree.branch(data["stepId"].rpartition(".")[0])
    group = data.get("group")
    if group and branch.parent is not None:
        branch.parent.mode = group.get("mode") or ""
        branch.label = branch.label or group.get("label") or ""
    effect = Effect(branch, event)
    tree.effects[effect.id] = effect
    tree.by_state[effect.state][effect.id] = effect
    tree.size += branch is tree.root
    if effect.kind not in STARTED_BY_US:
        effect.started_ms = event.ms
        begin(branch, event.ms)
    branch.add(effect)


def _resolved(tree: Tree, event: Event) -> None:
    effect = tree.effects.get(event.data["effectId"])
    if effect is None:
        return
    data = event.data
    started = effect.requested_ms if effect.started_ms is None else effect.started_ms
    effect.started_ms = time_or(data.get("startedAt"), started)
    effect.last_line = ""
    if data["status"] == "error":
        effect.error = data.get("error") or {}
        effect.exit_code = effect.error.get("exitCode")
        state = FAILED
    else:
        effect.exit_code = _exit_code(effect, data)
        state = NONZERO if effect.exit_code else OK
        effect.value = data.get("value") if effect.exit_code else None
    begin(effect.parent, effect.started_ms)
    end(effect, time_or(data.get("finishedAt"), event.ms))
    tree.move(effect, state)


def _exit_code(effect: Effect, data: dict[str, Any]) -> int | None:
    if effect.kind != "shell":
        return None
    code = (data.get("evidence") or {}).get("exitCode")
    value = data.get("value")
    if code is None and isinstance(value, dict):
        code = value.get("exitCode")
    return code if isinstance(code, int) else None


def _cancelled(tree: Tree, event: Event) -> None:
    effect = tree.effects.get(event.data["effectId"])
    if effect is not None:
        effect.last_line = ""
        end(effect, event.ms)
        tree.move(effect, CANCELLED)


def _logged(tree: Tree, event: Event) -> None:
    progress = event.data.get("progress")
    if progress:
        branch = tree.branch(event.data.get("scope", "").rstrip("."))
        branch.progress = (progress.get("done") or 0, progress.get("total"), progress.get("label") or "")
        # A branch that has asked for nothing yet, and perhaps never will, keeps nobody waiting.
        rise(branch)


_FOLDS: dict[str, Callable[[Tree, Event], None]] = {
    "EFFECT_REQUESTED": _requested,
    "EFFECT_RESOLVED": _resolved,
    "EFFECT_CANCELLED": _cancelled,
    "PROCESS_LOG": _logged,
}
