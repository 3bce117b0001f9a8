"""The run as a tree of groups and branches, folded from events one by one.

A branch is one line of control: effects and groups, one after the other, so
it stands where its last one stands. A group is branches side by side. Each
event costs as much as its place is deep, never as much as the run is large.
"""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.views.marks import (
    AGENT,
    CANCELLED,
    CLOCK,
    FAILED,
    NONZERO,
    OK,
    PENDING,
    PERSON,
    REQUESTED,
    RUNNING,
    STATES,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.journal.events import Event

STARTED_BY_US = frozenset({"shell", "python"})
FIRST_STATES = {"breakpoint": PERSON, "sleep": CLOCK, "shell": REQUESTED, "python": REQUESTED}
ONE_IS_ENOUGH = frozenset({"any", "race"})


class RunInfo:
    """Which run a view is about."""

    __slots__ = ("folder", "process_id", "run_id", "title")

    def __init__(self, run_id: str, process_id: str, title: str, folder: str) -> None:
        self.run_id = run_id
        self.process_id = process_id
        self.title = title
        self.folder = folder


class Node:
    """A place in the tree: its state, and from when to when something went on in it.

    ``index`` is its number among its siblings.
    """

    __slots__ = ("ended_ms", "index", "parent", "started_ms", "state")

    def __init__(self, parent: Branch | Group | None, state: str) -> None:
        self.parent = parent
        self.state = state
        self.index = 0
        self.started_ms: int | None = None
        self.ended_ms: int | None = None

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING

    def elapsed(self, now: int) -> int | None:
        """Milliseconds until now, or until its end; None when nothing has begun in it."""
        if self.started_ms is None:
            return None
        end = now if self.is_pending or self.ended_ms is None else self.ended_ms
        return max(0, end - self.started_ms)


class Effect(Node):
    """One effect: what a person wants to know of it.

    Attributes:
        due_ms: when a sleep ends.
        question: what a breakpoint asks.
        error: of a failed one; ``value`` is kept only of a command that did not exit with 0.
        last_line: what it printed last, while it runs.
    """

    __slots__ = (
        "due_ms",
        "error",
        "exit_code",
        "id",
        "kind",
        "label",
        "last_line",
        "question",
        "requested_ms",
        "step",
        "task_id",
        "value",
    )

    parent: Branch

    def __init__(self, parent: Branch, event: Event) -> None:
        data = event.data
        super().__init__(parent, FIRST_STATES.get(data["kind"], AGENT))
        self.id: str = data["effectId"]
        self.step: str = data["stepId"]
        self.task_id: str = data.get("taskId", "")
        self.kind: str = data["kind"]
        self.label: str = data.get("label") or self.task_id
        self.requested_ms = event.ms
        definition = data.get("definition") or {}
        self.due_ms = _due(definition, event.ms) if self.kind == "sleep" else None
        self.question = str((definition.get("breakpoint") or {}).get("question") or "")
        self.exit_code: int | None = None
        self.error: dict[str, Any] | None = None
        self.value: Any = None
        self.last_line = ""

    @property
    def name(self) -> str:
        """Its title, after the name of its branch where that says something."""
        branch = self.parent.title
        return f"{branch}: {self.label}" if branch else self.label

    @property
    def last_words(self) -> str:
        """Why it failed, in a line."""
        if self.error is not None:
            return str(self.error.get("message") or self.error.get("name") or "")
        return f"exit code {self.exit_code}" if self.exit_code else ""


class _Container(Node):
    """Something with children; ``tally`` counts them by state."""

    __slots__ = ("children", "path", "tally")

    def __init__(self, parent: Branch | Group | None, path: str) -> None:
        super().__init__(parent, REQUESTED)
        self.path = path
        self.children: list[Any] = []
        self.tally = dict.fromkeys(STATES, 0)

    def add(self, child: Node) -> None:
        child.index = len(self.children)
        self.children.append(child)
        self.tally[child.state] += 1
        _rise(self)

    def derive(self) -> str:
        """The state that follows from the children's."""
        raise NotImplementedError


class Branch(_Container):
    """One line of control; the root is one too. ``progress`` is (done, total or None, label)."""

    __slots__ = ("label", "name", "progress")

    parent: Group | None

    def __init__(self, parent: Group | None, path: str) -> None:
        super().__init__(parent, path)
        self.name = path.rpartition(".")[2]
        self.label = ""
        self.progress: tuple[float, float | None, str] | None = None

    def derive(self) -> str:
        return self.children[-1].state if self.children else OK

    @property
    def title(self) -> str:
        """What tells it from its siblings: its item, or the name given by hand; nothing for a number."""
        return self.label or ("" if self.name.isdigit() else self.name)


class Group(_Container):
    """Branches side by side. ``mode`` is empty while only groups inside it have asked for something."""

    __slots__ = ("mode",)

    parent: Branch

    def __init__(self, parent: Branch, path: str) -> None:
        super().__init__(parent, path)
        self.mode = ""

    def derive(self) -> str:
        for state in PENDING:
            if self.tally[state]:
                return state
        if self.mode != "settled" and self.tally[FAILED]:
            is_saved = self.mode in ONE_IS_ENOUGH and (self.tally[OK] or self.tally[NONZERO])
            return OK if is_saved else FAILED
        return CANCELLED if self.tally[CANCELLED] == len(self.children) else OK

    @property
    def is_current(self) -> bool:
        """Its branch has not gone on to another step."""
        return self.parent.children[-1] is self


class Tree:
    """Everything about a run that views show.

    Attributes:
        effects: every effect by id, in the order of requests.
        by_state: the same by state; within a state in the order in which they came to it.
        size: how many lines it takes to show all of it.
        events: how many were folded.
    """

    def __init__(self) -> None:
        self.root = Branch(None, "")
        self.root.state = OK
        self.branches = {"": self.root}
        self.groups: dict[str, Group] = {}
        self.effects: dict[str, Effect] = {}
        self.by_state: dict[str, dict[str, Effect]] = {state: {} for state in STATES}
        self.size = 0
        self.events = 0
        self.first_ms = 0
        self.last_ms = 0
        self.status = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many effects are in each state."""
        return {state: len(effects) for state, effects in self.by_state.items()}

    def event(self, event: Event) -> None:
        """Fold one event in; what it is about and is not known is passed over."""
        self.events += 1
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
            _begin(effect.parent, started_ms)
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
        _change(effect, state)

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


def _change(node: Node, state: str) -> None:
    """Set a node's state and let its ancestors follow, as far up as anything changes."""
    while node.state != state:
        parent, before = node.parent, node.state
        node.state = state
        if parent is None:
            return
        parent.tally[before] -= 1
        parent.tally[state] += 1
        node, state = parent, parent.derive()


def _rise(container: _Container) -> None:
    _change(container, container.derive())


def _begin(node: Node | None, ms: int) -> None:
    while node is not None and (node.started_ms is None or node.started_ms > ms):
        node.started_ms = ms
        node = node.parent


def _end(node: Node | None, ms: int) -> None:
    while node is not None and (node.ended_ms is None or node.ended_ms < ms):
        node.ended_ms = ms
        node = node.parent


def _due(definition: dict[str, Any], requested_ms: int) -> int:
    sleep = definition.get("sleep") or {}
    if "until" in sleep:
        return _time(sleep["until"], requested_ms)
    return requested_ms + round(sleep.get("seconds", 0) * 1000)


def _time(text: Any, otherwise: int) -> int:
    try:
        return ms_of(text) if isinstance(text, str) else otherwise
    except ValueError:
        return otherwise


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
        _begin(branch, event.ms)
    branch.add(effect)


def _resolved(tree: Tree, event: Event) -> None:
    effect = tree.effects.get(event.data["effectId"])
    if effect is None:
        return
    data = event.data
    started = effect.requested_ms if effect.started_ms is None else effect.started_ms
    effect.started_ms = _time(data.get("startedAt"), started)
    effect.last_line = ""
    if data["status"] == "error":
        effect.error = data.get("error") or {}
        effect.exit_code = effect.error.get("exitCode")
        state = FAILED
    else:
        effect.exit_code = _exit_code(effect, data)
        state = NONZERO if effect.exit_code else OK
        effect.value = data.get("value") if effect.exit_code else None
    _begin(effect.parent, effect.started_ms)
    _end(effect, _time(data.get("finishedAt"), event.ms))
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
        _end(effect, event.ms)
        tree.move(effect, CANCELLED)


def _logged(tree: Tree, event: Event) -> None:
    progress = event.data.get("progress")
    if progress:
        branch = tree.branch(event.data.get("scope", "").rstrip("."))
        branch.progress = (progress.get("done") or 0, progress.get("total"), progress.get("label") or "")
        # A branch that has asked for nothing yet, and perhaps never will, keeps nobody waiting.
        _rise(branch)


def _ended(tree: Tree, event: Event) -> None:
    tree.status = "completed" if event.type == "RUN_COMPLETED" else "failed"


_FOLDS: dict[str, Callable[[Tree, Event], None]] = {
    "EFFECT_REQUESTED": _requested,
    "EFFECT_RESOLVED": _resolved,
    "EFFECT_CANCELLED": _cancelled,
    "PROCESS_LOG": _logged,
    "RUN_COMPLETED": _ended,
    "RUN_FAILED": _ended,
}
