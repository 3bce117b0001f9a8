"""One iteration: the sleeps that are due, a replay, one batch of requests, and leave."""

from __future__ import annotations

from babysitter.clock import iso, ms_of, now_ms
from babysitter.errors import HeadMoved
from babysitter.runs import drafts
from babysitter.runs.execution import Execution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect, RunState
    from babysitter.errors import NondeterminismError
    from babysitter.runs.run import Run


class Iteration:
    """What one iteration did.

    Attributes:
        status: of the run afterwards; ``diverged`` when a changed process no longer fits its journal.
        new: effects requested by this iteration.
        diverged: where it stopped fitting.
    """

    __slots__ = ("diverged", "new", "run", "status")

    def __init__(self, run: Run, new: list[Effect], diverged: NondeterminismError | None) -> None:
        self.run = run
        self.new = new
        self.diverged = diverged
        self.status: str = "diverged" if diverged else run.state.status


def iterate(run: Run) -> Iteration:
    """Bring a loaded run one step on; of a finished run nothing is written.

    Raises:
        NondeterminismError: the unchanged process asks for something else than its journal has.
        JournalError, StorageError, RunBusy
    """
    wake_sleepers(run)
    if run.state.is_finished:
        return Iteration(run, [], None)
    execution = Execution(run)
    execution.start()
    events = execution.write_round()
    return Iteration(run, requested_in(run.state, events), execution.diverged)


def requested_in(state: RunState, events: list[Any]) -> list[Effect]:
    """The effects that events requested."""
    return [state.effects[event.data["effectId"]] for event in events if event.type == "EFFECT_REQUESTED"]


def wake_sleepers(run: Run) -> None:
    """Record the sleeps that are due, in the order in which they became due."""
    while not run.state.is_finished:
        now = now_ms()
        due = sorted(
            (due_at(effect), effect.seq, effect) for effect in sleepers(run.state) if due_at(effect) <= now
        )
        if not due:
            return
        try:
            run.append([_woken(run, effect, at) for at, _, effect in due])
        except HeadMoved:
            run.refresh()


def _woken(run: Run, effect: Effect, at: int) -> drafts.Draft:
    return drafts.resolved(run, effect.id, "ok", None, None, executor="clock", finished_at=iso(at))


def sleepers(state: RunState) -> list[Effect]:
    """The sleeps that are pending."""
    return [effect for effect in state.pending.values() if effect.kind == "sleep"]


def due_at(effect: Effect) -> int:
    """When a sleep ends, in milliseconds since 1970."""
    sleep = (effect.definition or {}).get("sleep", {})
    if "until" in sleep:
        return ms_of(sleep["until"])
    return effect.requested_ms + round(sleep.get("seconds", 0) * 1000)
