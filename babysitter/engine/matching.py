"""Which request of an edited process is answered by which effect that the run has already.

Two rules. **Redo**: in each scope the part before the first difference keeps
its results, and from there on everything is asked for again. Matching by
content alone would lie: of ``tests, fix, tests`` with one more ``tests`` in
front, the second one would get the result from before the fix. A branch that
differs makes what comes after its group differ, and no other branch. Steps
with a key keep theirs in any case. **Keep**: results are kept by content, also
out of their order; that is what a person may choose who knows better.

Before the first difference a step has the same number as before, so all that
has to be found is which branch of a group is which: that of the same name, or,
where branches only have numbers, one that begins with the same request.
"""

from __future__ import annotations

from babysitter.engine.branches import ENDED
from babysitter.engine.history import (
    CLEANUP,
    GROUP,
    branch_of,
    fingerprint,
    group_of,
    number_of,
    scope_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.history import Fingerprint, History
    from babysitter.engine.state import Effect


class Matching:
    """Binds steps of the process as it is to effects of its history, each of them once.

    Attributes:
        used: ids of the effects that answer a step.
        scopes: scope now → scope before; None: it was not there.
        has_tasks: the process has an event loop, and tasks of its own beside the groups.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.used: set[str] = set()
        self.has_tasks = False
        self.scopes: dict[str, str | None] = {"": ""}
        self._groups: dict[str, str | None] = {}
        # Scope before → scope now.
        self.now: dict[str, str] = {"": ""}
        # Whether the branch of a scope has only a number; a name may consist of digits, too.
        self._is_numbered: dict[str, bool] = {}

    def note(self, branch: Branch) -> None:
        """Learn of a branch, and of those that it is in, which of them have names."""
        while branch.group is not None and branch.scope not in self._is_numbered:
            self._is_numbered[branch.scope] = branch.group.fork.names is None
            branch = branch.group.parent

    def find(self, branch: Branch, call: Call) -> Effect | None:
        """The effect that answers this request; it counts as used only once ``use`` says so."""
        raise NotImplementedError

    def scope_of_record(self, branch: Branch) -> str | None:
        """The scope in which a value that is to be recorded now may have been recorded before."""
        self.note(branch)
        scope = branch.scope
        if scope in self.scopes or not self._is_numbered.get(scope):
            return self.scope_before(scope)
        # It has asked for nothing yet, by which it could be known; so this binds nothing.
        group = self.group_before(group_of(scope))
        same = None if group is None else f"{group}.{branch_of(scope)}."
        if same is not None and self.history.begins(same) is None:
            # Nor had it before.
            return self.scope_before(scope)
        return same

    def use(self, effect: Effect) -> None:
        self.used.add(effect.id)

    def find_elsewhere(self, branch: Branch, call: Call) -> Effect | None:
        """One that stood in another place; asked for only when nothing else is left to be answered."""
        return None

    def keeps_later(self, effect: Effect) -> bool:
        """A result that nothing asks for yet stays for when it is asked for."""
        raise NotImplementedError

    def scope_before(self, scope: str, first: Fingerprint | str | None = None) -> str | None:
        """The scope that this one was; ``first`` is what it asks for first, when that is being asked now."""
        if scope not in self.scopes:
            before = self._branch_before(scope, first)
            if before is None and self._is_numbered.get(scope):
                # It may be known by what it asks for next: its first request may never have been written.
                return None
            self.scopes[scope] = before
            if before is not None:
                self.now[before] = scope
        return self.scopes[scope]

    def _branch_before(self, scope: str, first: Fingerprint | str | None) -> str | None:
        if scope.startswith(f"{CLEANUP}.") and not group_of(scope):
            return scope
        group = self.group_before(group_of(scope))
        if group is None:
            return None
        name = branch_of(scope)
        same, is_numbered = f"{group}.{name}.", self._is_numbered.get(scope, False)
        is_free = name in self.history.branches[group] and same not in self.now
        if is_free and (not is_numbered or self.history.begins(same) == first):
            return same
        # A branch without a name of its own is known by what it begins with.
        others = self.history.scopes_of(group) if is_numbered else []
        return next((s for s in others if s not in self.now and self.history.begins(s) == first), None)

    def group_before(self, group: str) -> str | None:
        """The group that this one was."""
        if group not in self._groups:
            before = self.scope_before(scope_of(group), GROUP)
            if before is None:
                return None
            self._groups[group] = self._find_group(group, before)
        return self._groups[group]

    def group_now(self, before: str) -> str:
        """Where a group stands now; empty when it was not asked for yet, or is gone."""
        return next((now for now, old in self._groups.items() if old == before), "")

    def _find_group(self, group: str, scope: str) -> str | None:
        same = f"{scope}{number_of(group)}"
        return same if same in self.history.branches else None


class Redo(Matching):
    """The unchanged beginning of each scope keeps its results.

    Attributes:
        is_keyed_kept: a step with a key keeps its result wherever it stands.
    """

    def __init__(self, history: History, *, again_from: str = "", is_keyed_kept: bool = True) -> None:
        """``again_from``: a step, or a group, from which on everything is asked for again."""
        super().__init__(history)
        self.is_keyed_kept = is_keyed_kept
        self._again_from = again_from
        self._differs_from: dict[str, int] = {}
        self._checked: dict[str, int] = {}
        self._branches: dict[str, Branch] = {}

    def find(self, branch: Branch, call: Call) -> Effect | None:
        self.note(branch)
        scope, number = branch.scope, number_of(call.step)
        self._branches[scope] = branch
        wanted = (call.task.id, call.args_hash, call.attempt)
        before = self.scope_before(scope, wanted)
        if self._is_forced(call.step):
            self._differ(scope, number or branch.steps + 1)
        if before is None:
            return None
        is_keyed = not number
        self._look_back(scope, before, number or branch.steps + 1)
        if self._differs(scope, number) and not (is_keyed and self.is_keyed_kept):
            return None
        return self._at(scope, f"{before}{call.step[len(scope) :]}", wanted, number or branch.steps + 1)

    def keeps_later(self, effect: Effect) -> bool:
        return self.is_keyed_kept and not number_of(effect.step)

    def scope_of_record(self, branch: Branch) -> str | None:
        before = super().scope_of_record(branch)
        if before is not None:
            self._look_back(branch.scope, before, branch.steps + 1)
        return None if self._differs(branch.scope, branch.steps + 1) else before

    def _at(self, scope: str, step: str, wanted: Fingerprint, number: int) -> Effect | None:
        found = self.history.at(step, wanted[2])
        if found is None:
            # Asked for and given up within one round, perhaps, and so never requested.
            return None
        if fingerprint(found) != wanted or found.id in self.used:
            self._differ(scope, number)
            return None
        return found

    def _is_forced(self, step: str) -> bool:
        return bool(self._again_from) and f"{step}.".startswith(f"{self._again_from}.")

    def _differs(self, scope: str, number: int) -> bool:
        if scope.startswith(f"{CLEANUP}.") and any(
            s == "" or s.startswith(CLEANUP) for s in self._differs_from
        ):
            return True
        first = self._differs_from.get(scope)
        return first is not None and (first <= number or not number)

    def _differ(self, scope: str, number: int) -> None:
        """From this step on the scope is not what it was, nor is what comes after the group it is in."""
        known = self._differs_from.get(scope)
        self._differs_from[scope] = number if known is None else min(known, number)
        group = group_of(scope)
        if group:
            self._differ(scope_of(group), number_of(group) + 1)

    def _find_group(self, group: str, scope: str) -> str | None:
        parent, number = scope_of(group), number_of(group)
        self._look_back(parent, scope, number)
        return None if self._differs(parent, number) else super()._find_group(group, scope)

    def _look_back(self, scope: str, before: str, number: int) -> None:
        """Something that stood before this step may be gone: then it differs from there on."""
        open_from = 0
        for earlier in range(self._checked.get(scope, 1), number):
            things = self.history.numbered(before, earlier)
            if any(self._may_still_come(thing) for thing in things):
                open_from = open_from or earlier
            elif not all(self._is_spent(thing) for thing in things):
                self._differ(scope, earlier + 1)
                break
        self._checked[scope] = open_from or max(number, self._checked.get(scope, 1))

    def _may_still_come(self, thing: Effect | str) -> bool:
        """Tasks of asyncio go on beside the one that has made them, and what they ask for comes later."""
        if not self.has_tasks or not isinstance(thing, str):
            return False
        branches = [self._branches.get(self.now.get(scope, "")) for scope in self.history.scopes_of(thing)]
        return any(branch is None or branch.state != ENDED for branch in branches)

    def _is_spent(self, thing: Effect | str) -> bool:
        """It was asked for again, with all that is in it when it is a group; or it is still at it."""
        if not isinstance(thing, str):
            return thing.id in self.used
        return all(self._is_spent_scope(scope) for scope in self.history.scopes_of(thing))

    def _is_spent_scope(self, before: str) -> bool:
        if before not in self.now:
            return False
        branch = self._branches.get(self.now[before])
        if branch is not None and branch.state != ENDED:
            return True
        things: list[Effect | str] = [*self.history.in_scope(before), *self.history.groups_in(before)]
        return all(self._is_spent(thing) for thing in things)


class Keep(Matching):
    """Results are kept by content: at the same step, else in the same scope, else anywhere."""

    def __init__(self, history: History) -> None:
        super().__init__(history)
        self._by_content: dict[Fingerprint, list[Effect]] = {}
        for effect in history.effects:
            self._by_content.setdefault(fingerprint(effect), []).append(effect)

    def find(self, branch: Branch, call: Call) -> Effect | None:
        self.note(branch)
        wanted = (call.task.id, call.args_hash, call.attempt)
        before = self.scope_before(branch.scope, wanted)
        if before is None:
            return None
        found = self.history.at(f"{before}{call.step[len(branch.scope) :]}", call.attempt)
        is_same = found is not None and fingerprint(found) == wanted and found.id not in self.used
        return found if is_same else None

    def find_elsewhere(self, branch: Branch, call: Call) -> Effect | None:
        wanted = (call.task.id, call.args_hash, call.attempt)
        before = self.scopes.get(branch.scope)
        found = [effect for effect in self._by_content.get(wanted, []) if effect.id not in self.used]
        self._by_content[wanted] = found
        return min(found, key=lambda effect: (scope_of(effect.step) != before, effect.seq), default=None)

    def keeps_later(self, effect: Effect) -> bool:
        return True

    def _find_group(self, group: str, scope: str) -> str | None:
        same = super()._find_group(group, scope)
        taken = set(self._groups.values())
        if same is not None and same not in taken:
            return same
        return next((other for other in self.history.groups_in(scope) if other not in taken), None)
