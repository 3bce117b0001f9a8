"""What a run has spent together with all runs below it, and which budgets it has to keep."""

from __future__ import annotations

from babysitter.budget import RUN, USED
from babysitter.engine.ledger import Ledger, ledger_of
from babysitter.engine.state import CANCELLED, SUBPROCESS
from babysitter.errors import RunExists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run


class Spending:
    """The ledger of a loaded run and all below it; kept, it reads what is new only."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._below: dict[str, Spending] = {}

    def ledger(self) -> Ledger:
        """What is spent, and at work, as the journals are now.

        Raises:
            JournalError: one of them cannot be trusted, so nobody knows.
            UnsafePath, StorageError
        """
        state = self.run.state
        total = Ledger()
        if state.meter is None:
            total.add_living(ledger_of(state.effects.values()))
            waiting: Iterable[Effect] = state.effects.values()
        else:
            total.add_living(state.meter.ledger)
            waiting = list(state.meter.open.values())
        for effect in waiting:
            below = self._of(effect) if effect.kind == SUBPROCESS else None
            if below is not None:
                total.add_living(below.ledger())
        return total

    def _of(self, effect: Effect) -> Spending | None:
        """That of the child run of an effect, or of the run in which it goes on by now."""
        from babysitter.runs.children import find_child
        from babysitter.runs.succession import newest_there

        if not effect.is_pending and effect.status != CANCELLED:
            return None
        known = self._below.get(effect.id)
        if known is None:
            try:
                child = find_child(self.run, effect)
            except RunExists:
                return None
            if child is None:
                return None
            known = self._below[effect.id] = Spending(child)
        known.run.refresh()
        following = newest_there(known.run)
        if following is not known.run:
            # It carries what those before it have spent.
            known = self._below[effect.id] = Spending(following)
        return known


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


def usage_needed(run: Run, task_id: str) -> list[str]:
    """Dimensions of which a result of this task has to say how much it took.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    needed: dict[str, None] = {}
    for owner in owners(run):
        meter = owner.state.meter
        assert meter is not None
        for scope, what, _ in meter.limits():
            if what in USED and scope in ("", task_id) and what not in meter.estimate:
                needed[what] = None
    return list(needed)


def carried_by(run: Run, *, is_same_run: bool) -> dict[str, Any]:
    """What a run that comes of this one has spent before it begins, and its budget; nothing without one.

    ``is_same_run``: it is this run that goes on; its time and its iterations count, too.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    meter = run.state.meter
    if meter is None:
        return {}
    told: dict[str, Any] = {
        "ledger": Spending(run).ledger().as_json(),
        "rounds": meter.rounds if is_same_run else 0,
    }
    if is_same_run:
        told["startedMs"] = meter.started_ms
    return {"carried": told}


def budget_now(run: Run) -> dict[str, Any]:
    """The budget of a run with what people have added to it.

    Added time is that of this run alone, and stays with it.
    """
    meter = run.state.meter
    assert meter is not None
    budget = {**meter.budget, "estimate": dict(meter.estimate)} if meter.estimate else dict(meter.budget)
    tasks = {task: dict(amounts) for task, amounts in budget.get("tasks", {}).items()}
    whole = dict(budget.get(RUN, {}))
    for scope, what, limit in meter.limits():
        (tasks[scope] if scope else whole)[what] = limit
    return {**budget, **({RUN: whole} if whole else {}), **({"tasks": tasks} if tasks else {})}
