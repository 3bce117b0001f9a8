"""What the clock decides: sleeps that have ended, and agent effects that have taken too long."""

from __future__ import annotations

from babysitter.clock import iso, ms_of
from babysitter.durations import seconds
from babysitter.errors import CorruptEvent, HeadMoved
from babysitter.runs import drafts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


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


def deadline_of(run: Run, effect: Effect) -> int | None:
    """When a pending agent effect has taken too long, counted from when it was taken last.

    None: nobody has begun, or it may take as long as it likes. What babysitter itself performs has its
    deadline there.
    """
    if effect.taken is None:
        return None
    described = run.definition_of(effect).get(effect.kind)
    told = described.get("timeout") if isinstance(described, dict) else None
    try:
        return None if told is None else min(effect.taken_ms + round(seconds(told) * 1000), LAST_MS)
    except (ValueError, OverflowError):
        # No length of time, as an author's own description may have it.
        return None


def deadline_of_breakpoint(run: Run, effect: Effect) -> int | None:
    """When a breakpoint is decided though nobody has answered; None: never.

    Raises:
        CorruptRules: it may be one that a rule keeps for people.
    """
    asked = run.definition_of(effect)["breakpoint"]
    if asked.get("deadline") is None:
        return None
    if asked.get("default"):
        from babysitter.runs.policy import must_be_asked

        if must_be_asked(run, effect):
            return None
    return min(effect.requested_ms + round(seconds(asked["deadline"]) * 1000), LAST_MS)


def moments(run: Run, performed: Container[str] = ()) -> list[tuple[int, int, Effect]]:
    """When the clock ends something that is pending, in the order in which it does: milliseconds first.

    ``performed`` are the ids of agent effects whose deadline somebody else heeds.
    """
    pending = run.state.pending.values()
    found = [(due_at(effect), effect.seq, effect) for effect in pending if effect.kind == "sleep"]
    found += [
        (at, effect.seq, effect)
        for effect in pending
        if effect.kind == "breakpoint" and (at := deadline_of_breakpoint(run, effect)) is not None
    ]
    taken = [effect for effect in pending if effect.taken is not None and effect.id not in performed]
    late = [(deadline_of(run, effect), effect.seq, effect) for effect in taken]
    return sorted([*found, *((at, seq, effect) for at, seq, effect in late if at is not None)])


def wake_sleepers(run: Run, performed: Container[str] = ()) -> None:
    """Record what the clock has ended, in the order in which it became due; see ``moments``."""
    while not run.state.is_finished:
        now = run.now_ms()
        due = [(effect, at) for at, _, effect in moments(run, performed) if at <= now]
        if not due:
            return
        try:
            run.append([draft for effect, at in due for draft in _ended(run, effect, at)])
        except HeadMoved:
            run.refresh()


def _ended(run: Run, effect: Effect, at: int) -> list[drafts.Draft]:
    if effect.kind == "breakpoint":
        from babysitter.runs.settling import undecided_in_time

        return undecided_in_time(run, effect, at)
    if effect.kind == "sleep":
        return [drafts.resolved(run, effect.id, "ok", None, None, executor="clock", finished_at=iso(at))]
    took = (at - effect.taken_ms) / 1000
    error = {"name": "TaskTimeout", "message": f"the agent gave no result within {took:g} s"}
    began, ended = iso(effect.taken_ms), iso(at)
    return [
        drafts.resolved(
            run, effect.id, "error", None, error, executor="clock", started_at=began, finished_at=ended
        )
    ]
