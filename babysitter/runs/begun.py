"""What somebody had begun before it is given up: it has cost something, and nobody will say how much."""

from __future__ import annotations

import os

from babysitter.engine.ledger import WITHOUT_MODEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

STARTED = "child.json"


def begun(run: Run, effect: Effect) -> dict[str, Any]:
    """For the event that gives an effect up, where a budget has to know it."""
    return {"begun": True} if run.state.meter is not None and _has_begun(run, effect) else {}


def all_begun(run: Run) -> dict[str, Any]:
    """The same for an event that gives up whatever is pending, or a part of that."""
    if run.state.meter is None:
        return {}
    known = [effect.id for effect in run.state.pending.values() if _has_begun(run, effect)]
    return {"begun": known} if known else {}


def _has_begun(run: Run, effect: Effect) -> bool:
    """Somebody has started what uses a model, as far as the effect's folder tells it."""
    if effect.kind in WITHOUT_MODEL:
        return False
    try:
        # Whoever only waits for its turn has made the file, and written nothing into it.
        return os.stat(os.path.join(run.folder, "tasks", effect.id, STARTED)).st_size > 0
    except OSError:
        return False
