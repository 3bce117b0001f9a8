"""What a run has asked for until now, by the place of each request in its process.

Read from the script of a run, so of what counts: not from what an accepted
edit or a rewind has superseded.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.engine.state import Effect, Line

    # Task, hash of the arguments, attempt: what a request is, wherever it stands.
    Fingerprint = tuple[str, str, int]

CLEANUP = "cleanup"
GROUP = "group"
ASKED = "EFFECT_REQUESTED"


def scope_of(step: str) -> str:
    """The scope in which a step is: ``"3.0."`` of ``"3.0.2"``, empty for the process itself."""
    return step[: step.rfind(".") + 1]


def number_of(step: str) -> int:
    """The number of a step in its scope; 0 for one that was named by hand."""
    local = step[step.rfind(".") + 1 :].partition("~")[0]
    return int(local) if local.isdigit() else 0


def group_of(scope: str) -> str:
    """The path of the group whose branch a scope is; empty for the process and for cleanups."""
    path = scope[:-1].rpartition(".")[0]
    return "" if path == CLEANUP else path


def branch_of(scope: str) -> str:
    """The name of a branch in its group."""
    return scope[:-1].rpartition(".")[2]


def fingerprint(effect: Effect) -> Fingerprint:
    return effect.task_id, effect.args_hash, effect.attempt


class History:
    """The requests of a run.

    Attributes:
        effects: in the order of their requests.
        branches: of each group the names of its branches, in the order in which they first asked.
    """

    def __init__(self, script: Sequence[Line]) -> None:
        self.effects: list[Effect] = []
        self.branches: dict[str, dict[str, None]] = {}
        self._at: dict[tuple[str, int], Effect] = {}
        self._in_scope: dict[str, list[Effect]] = {}
        self._groups_in: dict[str, list[str]] = {}
        self._numbered: dict[tuple[str, int], list[Effect | str]] = {}
        self._begins: dict[str, Fingerprint | str] = {}
        for kind, subject, _ in script:
            if not isinstance(subject, dict):
                if kind == ASKED:
                    self._note(subject)
            elif kind == "RECORDED":
                # A branch that was given up before its first request left only this.
                self._note_branches(subject["scope"])

    def _note(self, effect: Effect) -> None:
        scope = scope_of(effect.step)
        self.effects.append(effect)
        self._at[effect.step, effect.attempt] = effect
        self._in_scope.setdefault(scope, []).append(effect)
        self._number(effect.step, effect)
        self._begins.setdefault(scope, fingerprint(effect))
        self._note_branches(scope)

    def _note_branches(self, scope: str) -> None:
        while group_of(scope):
            group, name = group_of(scope), branch_of(scope)
            if group not in self.branches:
                self.branches[group] = {}
                self._groups_in.setdefault(scope_of(group), []).append(group)
                self._number(group, group)
                self._begins.setdefault(scope_of(group), GROUP)
            if name in self.branches[group]:
                return
            self.branches[group][name] = None
            scope = scope_of(group)

    def _number(self, step: str, what: Effect | str) -> None:
        self._numbered.setdefault((scope_of(step), number_of(step)), []).append(what)

    def numbered(self, scope: str, number: int) -> list[Effect | str]:
        """What stood at a number in a scope: a request with its attempts and waits, or a group's path."""
        return self._numbered.get((scope, number), [])

    def at(self, step: str, attempt: int) -> Effect | None:
        """The request that stood at a step."""
        return self._at.get((step, attempt))

    def in_scope(self, scope: str) -> list[Effect]:
        """The requests that stood in a scope itself, in order."""
        return self._in_scope.get(scope, [])

    def groups_in(self, scope: str) -> list[str]:
        """The paths of the groups that stood in a scope itself and asked for something."""
        return self._groups_in.get(scope, [])

    def scopes_of(self, group: str) -> list[str]:
        """The scopes of a group's branches."""
        return [f"{group}.{name}." for name in self.branches.get(group, ())]

    def begins(self, scope: str) -> Fingerprint | str | None:
        """What a scope asked for first: a request, or ``GROUP``; None when it asked for nothing."""
        return self._begins.get(scope)
