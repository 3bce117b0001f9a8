"""What a run has spent together with all runs below it, and which budgets it has to keep."""

from __future__ import annotations

import os

from babysitter.budget import ITERATIONS, RUN, USED, WALL
from babysitter.engine.ledger import Ledger, ledger_of, part_of
from babysitter.engine.state import CANCELLED, SUBPROCESS
from babysitter.errors import RunExists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

# What a fork begins anew: its time, and its rounds.
OF_ONE_RUN = (WALL, ITERATIONS)


class Spending:
    """The ledger of a loaded run and all below it; kept with the run, it reads what is new only.

    There may be a thousand runs below, and each of them asks: so what each has spent is kept, and taken
    out and put in again only when its journal has more.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._below = Ledger()
        self._known: dict[str, tuple[Spending, tuple[int, int], dict[str, Any]]] = {}
        self._folders: dict[str, str] = {}
        self._version = 0

    def ledger(self) -> Ledger:
        """What is spent, and at work, as the journals are now; a ledger of its own, to be counted on.

        Raises:
            as ``look``
        """
        self.look()
        return self.seen()

    def look(self) -> tuple[int, int]:
        """See what is new; gives another value whenever the ledger may be another than before.

        Raises:
            JournalError: one of them cannot be trusted, so nobody knows.
            UnsafePath, StorageError
        """
        self._look_below()
        return self._run.state.last_seq, self._version

    def seen(self) -> Ledger:
        """The ledger as of the last look."""
        total = _own(self._run)
        total.add(self._below.living_json())
        return total

    def _look_below(self) -> None:
        children = {effect.id: effect for effect in _children_of(self._run)}
        for known in [known for known in self._known if known not in children]:
            self._take_out(known)
            self._run.below.pop(known, None)
        for effect in children.values():
            child = self._child(effect)
            if child is not None:
                self._take_in(effect.id, spending_of(child))

    def _take_in(self, effect_id: str, spending: Spending) -> None:
        version, known = spending.look(), self._known.get(effect_id)
        if known is not None and known[:2] == (spending, version):
            return
        told = spending.seen().living_json()
        if known is None or known[2] != told:
            if known is not None:
                self._take_out(effect_id)
            self._below.add(told)
            self._version += 1
        self._known[effect_id] = spending, version, told

    def _take_out(self, effect_id: str) -> None:
        *_, told = self._known.pop(effect_id)
        self._below.add(told, -1)
        self._version += 1

    def _child(self, effect: Effect) -> Run | None:
        """The child run of an effect, or the run in which it goes on by now, as its journal is now."""
        from babysitter.runs.children import child_id, find_child
        from babysitter.runs.succession import newest_there

        child = self._run.below.get(effect.id)
        if child is None:
            if effect.id not in self._folders:
                runs_dir = os.path.dirname(self._run.folder)
                self._folders[effect.id] = os.path.join(runs_dir, child_id(self._run, effect))
            if not os.path.lexists(self._folders[effect.id]):
                return None
            try:
                child = find_child(self._run, effect)
            except RunExists:
                return None
        elif child.journal.has_more:
            child.refresh()
        # It carries what those before it have spent.
        following = None if child is None else newest_there(child)
        if following is not None:
            self._run.below[effect.id] = following
        return following


def spending_of(run: Run) -> Spending:
    """That of a loaded run, kept with it."""
    if run.spending is None:
        run.spending = Spending(run)
    return run.spending


def _children_of(run: Run) -> list[Effect]:
    """The effects of which no result says what their child runs have spent."""
    if run.state.meter is not None:
        effects = list(run.state.meter.open.values())
    else:
        effects = [effect for effect in run.state.effects.values() if effect.kind == SUBPROCESS]
    return [effect for effect in effects if effect.is_pending or effect.status == CANCELLED]


def _own(run: Run) -> Ledger:
    """What its own effects took, and what was at work when it ended around that."""
    state = run.state
    if state.meter is None:
        total = ledger_of(state.effects.values())
    else:
        total = Ledger(state.meter.ledger.currency)
        total.add(state.meter.ledger.living_json())
    begun = (state.ending or {}).get("begun", ())
    for effect in state.pending.values() if state.is_finished else ():
        total.left(effect, has_begun=effect.id in begun)
    return total


def owners(run: Run) -> Iterator[Run]:
    """A run and those above it that have a budget, the nearest first, as their journals are now.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    if run.state.meter is not None:
        yield run
    if "parent" not in run.state.created:
        return
    from babysitter.runs.above import runs_above

    for above in runs_above(run):
        above.refresh()
        if above.state.meter is not None:
            yield above


def unsaid(run: Run, task_id: str, usage: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """Of what a result of this task has to say how much it took, and does not.

    For each the id of the run whose budget counts it, the dimension, and the currency of that run.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    return [
        (owner.run_id, what, meter.ledger.currency)
        for owner in owners(run)
        if (meter := owner.state.meter) is not None
        for scope, what, _ in meter.limits()
        if what in USED and scope in ("", task_id) and what not in meter.estimate
        if part_of(what, usage, meter.ledger.currency) is None
    ]


def carried_by(run: Run, *, is_same_run: bool) -> dict[str, Any]:
    """What a run that comes of this one has spent before it begins; nothing without a budget.

    ``is_same_run``: it is this run that goes on; its time and its iterations count, too.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    meter = run.state.meter
    if meter is None:
        return {}
    told: dict[str, Any] = {
        "ledger": spending_of(run).ledger().as_json(),
        "rounds": meter.rounds if is_same_run else 0,
    }
    raised = [
        [scope, what, amount]
        for (scope, what), amount in meter.raised.items()
        if is_same_run or what not in OF_ONE_RUN
    ]
    told |= {name: value for name, value in (("estimate", meter.estimate), ("raised", raised)) if value}
    if is_same_run:
        told["startedMs"] = meter.started_ms
    return {"carried": told}


def budget_now(run: Run) -> dict[str, Any]:
    """The budget of a run with what people have added to it."""
    meter = run.state.meter
    assert meter is not None
    budget = {**meter.budget, "estimate": dict(meter.estimate)} if meter.estimate else dict(meter.budget)
    tasks = {task: dict(amounts) for task, amounts in budget.get("tasks", {}).items()}
    whole = dict(budget.get(RUN, {}))
    for scope, what, limit in meter.limits():
        (tasks[scope] if scope else whole)[what] = limit
    return {**budget, **({RUN: whole} if whole else {}), **({"tasks": tasks} if tasks else {})}
