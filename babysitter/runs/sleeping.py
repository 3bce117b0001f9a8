"""Sleeps: which are pending, when they end, and recording that they have ended."""

from __future__ import annotations

from babysitter.clock import iso, ms_of, now_ms
from babysitter.errors import HeadMoved
from babysitter.runs import drafts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.engine.state import Effect, RunState
    from babysitter.runs.run import Run


def sleepers(state: RunState) -> list[Effect]:
    """The sleeps that are pending."""
    return [effect for effect in state.pending.values() if effect.kind == "sleep"]


def due_at(effect: Effect) -> int:
    """When a sleep ends, in milliseconds since 1970."""
    sleep = (effect.definition or {}).get("sleep", {})
    if "until" in sleep:
        return ms_of(sleep["until"])
    return effect.requested_ms + round(sleep.get("seconds", 0) * 1000)


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
