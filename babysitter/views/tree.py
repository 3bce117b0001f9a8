"""The run as a tree of groups and branches, folded from events one by one.

Each event costs as much as its place is deep, never as much as the run is large.
"""

from __future__ import annotations

from babysitter.budget import BY_BUDGET
from babysitter.engine.plan import ANSWERED, ASKED
from babysitter.engine.plan import CANCELLED as GIVEN_UP
from babysitter.engine.scores import keep, keep_only
from babysitter.engine.state import BY_PERSON
from babysitter.views.decisions import decision_of
from babysitter.views.marks import CANCELLED, CLOCK, FAILED, NONZERO, OK, REJECTED, REQUESTED, RUNNING, STATES
from babysitter.views.nodes import (
    FORGIVING,
    TIMEOUT,
    Branch,
    Effect,
    Group,
    begin,
    change,
    end,
    first_state,
    rise,
    time_or,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from babysitter.engine.scores import Standing
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
        effects: what is shown, by id, in the order of requests: of each step its last attempt.
        known: every effect by id, also waits, limits of time, and what counts no more.
        by_state: the same by state; within a state in the order in which they came to it.
        ended_by: of a run that did not end well, the effects that it came of, by their ids; those of
            child runs by their scope, that of the run itself is empty.
        scores: by scope and name what the process has told by ``ctx.score``, as far as it counts.
        held: what effects wait for that a rate limit keeps from being started, by id.
        size: how many lines it takes to show all of it.
    """

    def __init__(self) -> None:
        self.known: dict[str, Effect] = {}
        self.held: Mapping[str, Wait] = {}
        self.ended_by: dict[str, list[str]] = {}
        self.scores: Standing = {}
        self.first_ms = 0
        self.last_ms = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew, with nothing shown."""
        self.root = Branch(None, "")
        self.root.state = OK
        self.branches = {"": self.root}
        self.groups: dict[str, Group] = {}
        self.effects: dict[str, Effect] = {}
        self.by_state: dict[str, dict[str, Effect]] = {state: {} for state in STATES}
        self.size = 0

    def causes(self, scope: str = "") -> list[Effect]:
        """The effects by whose failures a run has ended as it did; of a child run, those of the child too."""
        found = dict[str, Effect]()
        self._add_causes(scope, found)
        return list(found.values())

    def _add_causes(self, scope: str, found: dict[str, Effect]) -> None:
        for effect_id in self.ended_by.get(scope, ()):
            effect = self.known.get(effect_id)
            # A journal that nobody here has written may name an effect as its own cause.
            if effect is not None and effect_id not in found:
                found[effect_id] = effect
                for each in self.ended_by:
                    if each[:-1].rpartition(".")[0] == effect.step:
                        self._add_causes(each, found)

    @property
    def counts(self) -> dict[str, int]:
        """How many effects are in each state."""
        return {state: len(effects) for state, effects in self.by_state.items()}

    def event(self, event: Event) -> None:
        """Fold one event in; what it is about and is not known is passed over."""
        self.first_ms = self.first_ms or _made_ms(event)
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

    def place(self, effect: Effect) -> None:
        """Put an effect where its step is; a wait, or a limit of time, where it belongs to."""
        if effect.place != effect.step:
            self._wait(effect)
        elif effect.is_limit:
            group = self.group(effect.scope.rpartition(".")[0])
            group.mode, group.limit = TIMEOUT, effect
        else:
            self._add(effect)

    def _add(self, effect: Effect) -> None:
        branch = self.branch(effect.scope)
        if branch.parent is not None:
            mode, item = effect.group
            branch.parent.mode = mode or branch.parent.mode
            branch.label = branch.label or item
        for path, outer in effect.items_above.items():
            self.branch(path).label = self.branch(path).label or outer
        last = self._last_at(effect.step)
        self.effects[effect.id] = self.by_state[effect.state][effect.id] = effect
        if effect.started_ms is not None:
            begin(branch, effect.started_ms)
        effect.parent = branch
        if effect.attempt > 1 and last is not None:
            effect.previous = last
            del self.effects[last.id], self.by_state[last.state][last.id]
            branch.replace(last, effect)
        else:
            self.size += branch is self.root
            branch.add(effect)
        if effect.step in self.groups:
            self.groups[effect.step].performed = effect

    def _last_at(self, step: str) -> Effect | None:
        """The effect that a branch stands at, if that is of this step; a child run may hang below it."""
        branch = self.branches.get(step.rpartition(".")[0])
        latest = branch.children[-2:] if branch is not None else []
        found = [each for each in latest if isinstance(each, Effect) and each.step == step]
        return found[-1] if found else None

    def _wait(self, wait: Effect) -> None:
        """What has failed is tried again when this is over."""
        failed = self.failed_before(wait)
        if failed is not None:
            failed.due_ms = wait.due_ms
            self.move(failed, CLOCK)

    def settle(self, effect: Effect) -> None:
        """Show what its result, or its cancellation, has made of an effect."""
        if effect.place != effect.step:
            self._end_wait(effect)
        elif effect.is_limit:
            group = self.groups.get(effect.scope.rpartition(".")[0])
            if group is not None:
                rise(group)
        elif effect.id in self.effects and effect.result:
            if effect.started_ms is not None:
                begin(effect.parent, effect.started_ms)
            end(effect.parent, effect.ended_ms or 0)
            self.move(effect, effect.result)
            if effect.step in self.groups:
                rise(self.groups[effect.step])

    def failed_before(self, wait: Effect) -> Effect | None:
        """What has failed and is tried again when a wait is over; None of what is no such wait."""
        return self._last_at(wait.place) if wait.place != wait.step else None

    def _end_wait(self, wait: Effect) -> None:
        failed = self.failed_before(wait)
        if failed is None:
            return
        failed.due_ms = None
        if wait.result == CANCELLED:
            failed.cancelled_by = wait.cancelled_by
            self.move(failed, CANCELLED)
        else:
            self.move(failed, REQUESTED)

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
            found.performed = self._last_at(path)
            parent.add(found)
            self.size += 1
        return found


def _made_ms(event: Event) -> int:
    """When a run was made, by its first event; that of a fork has the time of the run that it comes from."""
    made = event.data.get("createdAt") if "forkedFrom" in event.data else None
    return time_or(made, event.ms)


def _requested(tree: Tree, event: Event) -> None:
    effect = Effect(event)
    tree.known[effect.id] = effect
    if effect.kind not in STARTED_BY_US:
        effect.started_ms = event.ms
    tree.place(effect)


def _resolved(tree: Tree, event: Event) -> None:
    effect = tree.known.get(event.data["effectId"])
    if effect is None:
        return
    data = event.data
    started = effect.requested_ms if effect.started_ms is None else effect.started_ms
    effect.started_ms = time_or(data.get("startedAt"), started)
    effect.last_line = ""
    effect.is_copied = "copiedFrom" in (data.get("evidence") or ())
    effect.is_refused = data.get("executor") == BY_BUDGET and data["status"] == "error"
    if data["status"] == "error":
        effect.error = data.get("error") or {}
        effect.exit_code = effect.error.get("exitCode")
        effect.result = FAILED
    elif effect.kind == "breakpoint":
        effect.decision = decision_of(data.get("value"))
        effect.result = REJECTED if effect.decision and not effect.decision["approved"] else OK
    else:
        effect.exit_code = _exit_code(effect, data)
        effect.result = NONZERO if effect.exit_code else OK
        effect.value = data.get("value") if effect.exit_code else None
    effect.ended_ms = time_or(data.get("finishedAt"), event.ms)
    tree.settle(effect)


def _exit_code(effect: Effect, data: dict[str, Any]) -> int | None:
    if effect.kind != "shell":
        return None
    code = (data.get("evidence") or {}).get("exitCode")
    value = data.get("value")
    if code is None and isinstance(value, dict):
        code = value.get("exitCode")
    return code if isinstance(code, int) else None


def _cancelled(tree: Tree, event: Event) -> None:
    effect = tree.known.get(event.data["effectId"])
    if effect is not None:
        effect.last_line = ""
        effect.result = CANCELLED
        if event.data.get("reason") == BY_PERSON:
            effect.cancelled_by = event.data.get("by") or "a person"
        effect.ended_ms = event.ms
        tree.settle(effect)


def _taken(tree: Tree, event: Event) -> None:
    effect = tree.known.get(event.data["effectId"])
    if effect is not None:
        effect.taken_by = event.data.get("agent") or event.data.get("by") or "an agent"


def _replanned(tree: Tree, event: Event) -> None:
    """An accepted edit, or a rewind: the tree begins anew with what still counts."""
    if event.data.get("scores") is not None:
        keep_only(tree.scores, event.data["scores"])
    plan = event.data.get("plan")
    if plan is None:
        return
    tree.forget()
    for (scope, _), series in tree.scores.items():
        tree.branch(scope.rstrip(".")).scores = series
    for word, *about in plan:
        effect = tree.known.get(about[0]) if word in (ASKED, ANSWERED, GIVEN_UP) else None
        if effect is not None and word == ASKED:
            effect.step = about[1]
            effect.state = first_state(effect.kind)
            tree.place(effect)
        elif effect is not None:
            tree.settle(effect)


def _reused(tree: Tree, event: Event) -> None:
    """Results that an accepted edit had kept answer steps now."""
    for effect_id, step in event.data["effects"]:
        effect = tree.known.get(effect_id)
        if effect is not None:
            effect.step = step
            effect.state = first_state(effect.kind)
            tree.place(effect)
            tree.settle(effect)


def _failed(tree: Tree, event: Event) -> None:
    error = event.data["error"]
    scope = event.data.get("scope", "")
    tree.ended_by[scope] = _ids(error.get("causes") or [error.get("effectId")])
    for effect in tree.causes(scope):
        if effect.id in tree.effects:
            _raise_through(effect.parent, scope.rstrip("."))


def _raise_through(branch: Branch, top: str) -> None:
    """What ended a run has left every group on its way, but for those that keep failures to themselves."""
    while branch.path != top and branch.parent is not None and branch.parent.mode not in FORGIVING:
        group = branch.parent
        group.has_raised = True
        rise(group)
        branch = group.parent


def _stopped(tree: Tree, event: Event) -> None:
    """The run is halted, or stuck."""
    tree.ended_by[event.data.get("scope", "")] = _ids(event.data.get("causes"))


def _ids(told: Any) -> list[str]:
    return [each for each in told if isinstance(each, str)] if isinstance(told, list) else []


def _logged(tree: Tree, event: Event) -> None:
    if "score" in event.data:
        branch = tree.branch(event.data["scope"].rstrip("."))
        branch.scores = keep(tree.scores, event.data)
        rise(branch)
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
    "EFFECT_TAKEN": _taken,
    "PROCESS_LOG": _logged,
    "PROCESS_CHANGED": _replanned,
    "RUN_REWOUND": _replanned,
    "EFFECTS_REUSED": _reused,
    "RUN_FAILED": _failed,
    "RUN_HALTED": _stopped,
    "PROCESS_ERROR": _stopped,
}
