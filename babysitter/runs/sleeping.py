"""Sleeps: which are pending, when they end, and recording that they have ended."""

from __future__ import annotations

from babysitter.clock import iso, ms_of
from babysitter.errors import CorruptEvent, HeadMoved
from babysitter.runs import drafts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect, RunState
    from babysitter.runs.run import Run

LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


def sleepers(state: RunState) -> list[Effect]:
    """The sleeps that are pending."""
    return [effect for effect in state.pending.values() if effect.kind == "sleep"]


def due_at(effect: Effect) -> int:
    """When a sleep ends, in milliseconds since 1970; at the latest when the calendar does.

    Raises:
        CorruptEvent: the event does not say it.
    """
    try:
        sleep: dict[str, Any] = (effect.definition or {}).get("sleep", {})
        if "until" in sleep:
            return ms_of(sleep["until"])
        length: float = sleep.get("seconds", 0)
        return min(effect.requested_ms + round(length * 1000), LAST_MS)
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise CorruptEvent(f"event {effect.seq} (EFFECT_REQUESTED) lacks or misshapes 'sleep'") from None


def wake_sleepers(run: Run) -> None:
    """Record the sleeps that are due, in the order in which they became due."""
    while not run.state.is_finished:
        now = run.now_ms()
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
