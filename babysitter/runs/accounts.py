"""What the effects of a run have used, one by one, and of all runs below it.

What was spent is spent: each attempt counts, and so does what was cancelled, or superseded by an edit or
a rewind. What a fork has taken over was paid for where it comes from.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from babysitter.budget import BY_BUDGET
from babysitter.clock import iso
from babysitter.engine.state import CONTINUED, SUBPROCESS, Effect
from babysitter.errors import BabysitterError, RunPacked
from babysitter.ids import valid_id
from babysitter.runs.children import child_id
from babysitter.runs.folder import archive_of, check_folder
from babysitter.runs.results import OWN_KINDS
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.engine.state import RunState
    from babysitter.journal.events import Event
    from babysitter.limits import Limits
    from babysitter.usage import Usage

    # The path of a group of the process itself, and a branch of it.
    Branch = tuple[str, str]

NO_BRANCH: Branch = ("", "")
DAY_LENGTH = 10


class Spent:
    """An effect that was performed, or given up, by whoever may have used something for that.

    Attributes:
        branch: where it stands in the run that is looked at.
        day: of its result, by UTC.
        usage: None when nobody has said.
    """

    __slots__ = ("branch", "day", "task", "usage")

    def __init__(self, task: str, branch: Branch, day: str, usage: Usage | None) -> None:
        self.task = task
        self.branch = branch
        self.day = day
        self.usage = usage


class Child:
    """What is known of the run that performs an effect; ``was_there``: it has come to its end once."""

    __slots__ = ("branch", "effect", "run_id", "was_there")

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        self.branch = branch_of(effect.step)
        self.run_id = ""
        self.was_there = False


class Account:
    """One run: its events go in by ``see``, each after its state has taken it.

    Attributes:
        spent: in the order of results.
        children: by the effects that asked for them.
        labels: of branches, as far as effects of theirs name them.
        parent: the run that this one is a child of, as it was found; empty for that which is looked at.
    """

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.spent: list[Spent] = []
        self.children: dict[str, Child] = {}
        self.labels: dict[Branch, str] = {}
        self.parent = ""
        self._seen: set[str] = set()

    @property
    def goes_on_as(self) -> str:
        """The id of the run in which a continued run goes on; empty when it does not."""
        following = (self.state.ending or {}).get("runId", "") if self.state.status == CONTINUED else ""
        return str(following) if valid_id(following) else ""

    def see(self, event: Event) -> None:
        """Take an event in."""
        if event.type == "EFFECT_REQUESTED":
            self._requested(event)
        elif event.type in ("EFFECT_RESOLVED", "EFFECT_CANCELLED"):
            self._ended(event)

    def _requested(self, event: Event) -> None:
        data = event.data
        group = data.get("group") or {}
        if group.get("label"):
            self.labels.setdefault((group["path"], group["branch"]), group["label"])
        for path, label in (group.get("above") or {}).items():
            outer, _, branch = path.rpartition(".")
            self.labels.setdefault((outer, branch), label)
        if data["kind"] == SUBPROCESS:
            # One of our own: that of the state forgets what it asked for when it is answered.
            self.children[data["effectId"]] = Child(Effect(event))

    def _ended(self, event: Event) -> None:
        data = event.data
        effect = self.state.effects[data["effectId"]]
        evidence = data.get("evidence") or {}
        self._seen.add(effect.id)
        if "copiedFrom" in data or "copiedFrom" in evidence:
            self.children.pop(effect.id, None)
        elif effect.id in self.children:
            self.children[effect.id].was_there = "childRun" in evidence
        elif effect.usage is not None or may_use(effect):
            self._add(effect, event.at)

    def close(self) -> Account:
        """Add those that no event of their own has ended: the end of the run has, or a plan."""
        for effect in self.state.effects.values():
            is_over = self.state.is_finished or not effect.is_pending
            if is_over and effect.id not in self._seen and may_use(effect):
                self._add(effect, iso(self.state.last_ms))
        return self

    def _add(self, effect: Effect, at: str) -> None:
        day = at[:DAY_LENGTH]
        self.spent.append(Spent(effect.task_id, branch_of(effect.step), day, effect.usage))


def may_use(effect: Effect) -> bool:
    """An agent performs it, so it costs something, said or not; unless there was nothing left for it."""
    return effect.kind not in OWN_KINDS and effect.executor != BY_BUDGET


def branch_of(step: str) -> Branch:
    """The branch of the outermost group that a step is in."""
    path, _, rest = step.partition(".")
    branch, is_in_group, _ = rest.partition(".")
    return (path, branch) if is_in_group else NO_BRANCH


def read_account(run: Run) -> Account:
    """The account of an opened run that was not loaded yet.

    Raises:
        JournalError, StorageError
    """
    account = Account(run.state)
    run.on_event = account.see
    run.load()
    run.on_event = None
    return account.close()


def _with_children(run: Run) -> Account:
    """The same, and the ids of the child runs; what asks for them may be in files of the run."""
    account = read_account(run)
    for child in account.children.values():
        child.run_id = child_id(run, child.effect)
    return account


class Family:
    """The accounts of a run and of all that were ever below it, each child after its parent.

    Attributes:
        missing: ids of child runs that have ended and are not there any more.
        unreadable: those whose journal cannot be trusted, and why.
    """

    def __init__(self) -> None:
        self.accounts: list[Account] = []
        self.missing: list[str] = []
        self.unreadable: list[tuple[str, BabysitterError]] = []


def read_family(run: Run) -> Family:
    """What a run and those below it have used, read anew; ``run`` itself is not touched.

    What a child has used counts for the branch in which it was asked for.

    Raises:
        JournalError, UnsafePath, StorageError: as far as it is about the run itself.
    """
    family = Family()
    first = _with_children(Run(run.folder, run.limits))
    family.accounts.append(first)
    reading = _Reading(family, runs_dir_of(run), run.limits, first)
    waiting = [(first, child, child.branch) for child in first.children.values()]
    for parent, child, branch in waiting:
        for account in reading.of_child(parent, child, branch):
            waiting += [(account, each, branch) for each in account.children.values()]
    return family


def runs_dir_of(run: Run) -> str:
    """The folder of runs that a run lies in, be it packed."""
    return os.path.dirname(run.folder if run.archive is None else os.path.dirname(run.archive))


class _Reading:
    def __init__(self, family: Family, runs_dir: str, limits: Limits, first: Account) -> None:
        self._family = family
        self._runs_dir = runs_dir
        self._limits = limits
        self._known = {first.state.run_id}

    def of_child(self, parent: Account, child: Child, branch: Branch) -> list[Account]:
        """The accounts of a child, and of those in which it goes on."""
        found: list[Account] = []
        about = {"runId": parent.state.run_id, "effectId": child.effect.id}
        run_id = child.run_id
        while run_id and run_id not in self._known:
            self._known.add(run_id)
            account = self._read(run_id, about)
            if account is None:
                self._note_missing(run_id, child)
                break
            account.parent = parent.state.run_id
            for spent in account.spent:
                spent.branch = branch
            found.append(account)
            run_id = account.goes_on_as
        self._family.accounts += found
        return found

    def _note_missing(self, run_id: str, child: Child) -> None:
        is_told = any(run_id == unreadable for unreadable, _ in self._family.unreadable)
        if child.was_there and not is_told:
            self._family.missing.append(run_id)

    def _read(self, run_id: str, parent: dict[str, Any]) -> Account | None:
        try:
            with opened_anyhow(run_id, self._runs_dir, self._limits) as run:
                account = None if run is None else _with_children(run)
        except BabysitterError as error:
            self._family.unreadable.append((run_id, error))
            return None
        told = {} if account is None else account.state.created.get("parent") or {}
        # A run that only has the id is none of the family.
        return account if {name: told.get(name) for name in parent} == parent else None


@contextmanager
def opened_anyhow(run_id: str, runs_dir: str, limits: Limits) -> Iterator[Run | None]:
    """The run of that very id, not loaded; of a packed one a copy; None when there is none.

    Raises:
        CorruptArchive, JournalError, UnsafePath, StorageError
    """
    folder, archive = os.path.join(runs_dir, run_id), archive_of(run_id, runs_dir)
    if os.path.lexists(folder):
        check_folder(folder)
        yield Run(folder, limits)
    elif os.path.lexists(archive):
        from babysitter.runs.unpacking import copied

        with copied(RunPacked(run_id, archive=archive), limits) as run:
            yield run
    else:
        yield None
