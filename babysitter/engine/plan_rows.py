"""A plan for people: what becomes of each step of a run under its process as it is now."""

from __future__ import annotations

from babysitter.engine import plan
from babysitter.engine.definitions import title_of
from babysitter.engine.history import group_of, number_of, scope_of
from babysitter.engine.plan import ANSWERED_ONES
from babysitter.jsontext import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.groups import Group
    from babysitter.engine.matching import Matching
    from babysitter.engine.replan import Replan
    from babysitter.engine.replay import Replay
    from babysitter.engine.state import Effect

REUSED, AGAIN, NEW, GONE, LATER = "reused", "asked again", "new", "no longer asked for", "not reached yet"


class Row:
    """One step: what becomes of it, where it stands and stood, and what a person should know."""

    __slots__ = ("before", "effect_id", "kind", "note", "plan", "step", "title")

    def __init__(
        self, plan: str, title: str, kind: str, step: str, before: str, effect_id: str, note: str
    ) -> None:
        self.plan = plan
        self.title = title
        self.kind = kind
        self.step = step
        self.before = before
        self.effect_id = effect_id
        self.note = note

    def as_json(self) -> dict[str, Any]:
        told = {
            "plan": self.plan,
            "title": self.title,
            "kind": self.kind,
            "stepId": self.step,
            "before": self.before,
            "effectId": self.effect_id,
            "note": self.note,
        }
        return {name: item for name, item in told.items() if item}


def rows_of(
    replan: Replan, matching: Matching, replay: Replay, difference: Callable[[Effect, Call], str]
) -> list[Row]:
    """In the order of the process as it is now; then what is left over of the one before.

    ``difference`` says in which arguments a request differs from an effect.
    """
    return _Rows(replan, matching, replay, difference).all()


def _title(call: Call) -> str:
    """What people read for a request that was not made yet."""
    return title_of(call.task, loads(call.args_text)) if call.task.is_author_made else call.task.id


class _Rows:
    def __init__(
        self, replan: Replan, matching: Matching, replay: Replay, difference: Callable[[Effect, Call], str]
    ) -> None:
        self._difference = difference
        self._replan = replan
        self._matching = matching
        self._replay = replay
        kept = {effect.id for effect in replan.reused.values()}
        self._left = {e.id: e for e in matching.history.effects if e.id not in kept}
        # Scope → when the last step of it that keeps its result got it.
        self._last: dict[str, int] = {}
        # Scope → the number at which its branch waits; path → a group that is not over.
        self._stand: dict[str, int] = {}
        self._groups: dict[str, Group] = {}
        for step, (branch, _) in replay.waiting.items():
            self._look_at(branch, step)

    def all(self) -> list[Row]:
        effects = {effect.id: effect for effect in self._replan.reused.values()}
        rows = [
            self._reused(effects[about[0]], about[1])
            for word, *about in self._replan.lines
            if word == plan.ASKED
        ]
        rows += [self._asked(step, call) for step, call in self._replan.undecided.items()]
        return rows + [self._left_over(effect) for effect in self._left.values()]

    def _reused(self, effect: Effect, step: str) -> Row:
        notes = []
        if effect.is_pending:
            notes.append("not answered yet")
        if effect.id in self._replan.redefined:
            notes.append("what it asks for reads otherwise now")
        if self._is_older(effect, step):
            notes.append("older than the step before it")
        before = effect.step if effect.step != step else ""
        return Row(REUSED, effect.label, effect.kind, step, before, effect.id, "; ".join(notes))

    def _is_older(self, effect: Effect, step: str) -> bool:
        """Its result was there before that of the step before it in its scope."""
        scope = scope_of(step)
        before, self._last[scope] = self._last.get(scope, 0), effect.resolved_seq
        return bool(number_of(step)) and 0 < effect.resolved_seq < before

    def _asked(self, step: str, call: Call) -> Row:
        old = self._same_request(step, call)
        if old is None:
            return Row(NEW, _title(call), call.task.kind, step, "", "", "")
        note = ""
        if old.id in self._replan.redefined:
            note = "what it asks for reads otherwise now"
        elif old.args_hash != call.args_hash:
            note = f"with other arguments{self._difference(old, call)}"
        del self._left[old.id]
        before = old.step if old.step != step else ""
        return Row(AGAIN, old.label, old.kind, step, before, old.id, note)

    def _same_request(self, step: str, call: Call) -> Effect | None:
        """What is left of before and is the same request, or the same task in the same place."""
        scope = self._matching.scopes.get(scope_of(step))
        here = [] if scope is None else self._matching.history.in_scope(scope)
        left = [e for e in (*here, *self._left.values()) if e.id in self._left and e.task_id == call.task.id]
        same = [effect for effect in left if effect.args_hash == call.args_hash]
        place = None if scope is None else f"{scope}{step[len(scope_of(step)) :]}"
        is_one_of_its_kind = not call.task.is_author_made
        same += [e for e in left if e.step == place and (is_one_of_its_kind or e.label == _title(call))]
        return same[0] if same else None

    def _left_over(self, effect: Effect) -> Row:
        word = GONE if self._is_past(effect.step) else LATER
        note = "given up before" if effect.status == "cancelled" else ""
        if word == LATER and effect.status in ANSWERED_ONES and self._matching.keeps_later(effect):
            note = "its result is kept for then"
        return Row(word, effect.label, effect.kind, "", effect.step, effect.id, note)

    def _is_past(self, step: str) -> bool:
        """The process has come to where it cannot ask for this any more."""
        if self._replay.end is not None or self._replay.has_tasks:
            # Where a task stands that waits for another one is nowhere to be seen.
            return self._replay.end is not None
        scope = scope_of(step)
        while scope not in self._matching.now:
            group = group_of(scope)
            if not group:
                return False
            if self._has_begun_all(group):
                return True
            step, scope = group, scope_of(group)
        now = self._matching.now[scope]
        return now not in self._stand or 0 < number_of(step) < self._stand[now]

    def _has_begun_all(self, before: str) -> bool:
        """A group that is still there has begun all its branches, and none of them is the one meant."""
        group = self._groups.get(self._matching.group_now(before))
        return group is not None and len(group.branches) == len(group.fork.thunks)

    def _look_at(self, branch: Branch, step: str) -> None:
        """Note where a branch stands, and all those that wait for it."""
        self._stand[branch.scope] = number_of(step)
        while branch.group is not None:
            self._groups[branch.group.path] = branch.group
            step, branch = branch.group.path, branch.group.parent
            self._stand[branch.scope] = number_of(step)
