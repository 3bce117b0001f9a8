"""What of a run waits for a rate limit, for those who only look."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from babysitter.clock import iso, now_ms
from babysitter.errors import BabysitterError
from babysitter.executors.effect_lock import worker_of
from babysitter.executors.folders import TASKS
from babysitter.executors.rates import Rates, Wait
from babysitter.sessions.takers import is_at_it

if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.engine.state import Effect
    from babysitter.rate import Rate
    from babysitter.runs.run import Run


def held_by_rates(run: Run, rates: Sequence[Rate]) -> list[dict[str, Any]]:
    """``[{"kind" or "task": name, "limit", "next": time, "effects": count}]``; nothing that is being done."""
    rated = [
        effect
        for effect in run.state.pending.values()
        if any(rate.is_for(effect.kind, effect.task_id) for rate in rates) and not _is_begun(run, effect)
    ]
    try:
        waits = Rates(rates).waits([(effect.kind, effect.task_id) for effect in rated], now_ms())
    except (BabysitterError, OSError):
        # Whoever is going to start them says what is wrong.
        return []
    told: dict[Rate, dict[str, Any]] = {}
    for wait in filter(None, waits):
        told.setdefault(wait.rate, _told(wait))["effects"] += 1
    return list(told.values())


def _is_begun(run: Run, effect: Effect) -> bool:
    # Whoever is at it has taken its start.
    return is_at_it(run, effect) or worker_of(os.path.join(run.folder, TASKS, effect.id)) is not None


def _told(wait: Wait) -> dict[str, Any]:
    return {wait.rate.what: wait.rate.name, "limit": wait.rate.text, "next": iso(wait.at_ms), "effects": 0}
