"""How long the tasks of a run were at work: one after the other, and as they overlapped."""

from __future__ import annotations

from babysitter.clock import ms_of
from babysitter.engine.state import ERROR, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from babysitter.engine.state import Effect, RunState

# A person's thinking and the clock's going are no work that could have been done one after the other.
NO_WORK = frozenset({"breakpoint", "sleep"})


def times_json(state: RunState) -> dict[str, Any]:
    """What the tasks that have ended took, under ``times``; nothing where none has."""
    done = [(effect.step, span) for effect in state.effects.values() if (span := _span(effect))]
    spans = [span for _, span in done]
    work, busy = sum(max(0, end - start) for start, end in spans), covered(spans)
    told = {"workMs": work, "busyMs": busy, "savedMs": max(0, work - busy)}
    # A task is one, however often it was tried.
    return {"times": {"tasks": len({step for step, _ in done}), **told}} if done else {}


def _span(effect: Effect) -> tuple[int, int] | None:
    """From when to when an effect was at work; what was copied from another run is that run's work."""
    if effect.status not in (OK, ERROR) or effect.kind in NO_WORK or effect.is_copied:
        return None
    try:
        return ms_of(effect.started_at or ""), ms_of(effect.finished_at or "")
    except ValueError:
        return None  # whoever posted it has said nothing, or in a form of their own


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """The length of the time that lies in at least one of the spans."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
