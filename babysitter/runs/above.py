"""The runs above a run: their session guards it, and when they have ended nobody waits for it."""

from __future__ import annotations

import os

from babysitter.runs.folder import check_folder, parent_of
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.limits import Limits


def guard_above(run: Run) -> dict[str, Any] | None:
    """Host and id of the session that was the last one bound to the nearest run above that has one.

    A session that comes to a family late is written to its root alone, and to a run below it when that is
    brought on next. What is asked of that run in between must find it all the same.

    Raises:
        JournalError: a run above cannot be trusted, so nobody knows.
        UnsafePath, StorageError
    """
    seen = {run.run_id}
    while (above := _above(run)) is not None and above.run_id not in seen:
        if above.state.guard is not None:
            return above.state.guard
        seen.add(above.run_id)
        run = above
    return None


def ended_above(run: Run) -> Run | None:
    """A run above a loaded one that has ended before it, if there is any; nobody waits for this one then.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    seen = {run.run_id}
    while (above := _above(run)) is not None and above.run_id not in seen:
        if above.state.is_finished:
            return above
        seen.add(above.run_id)
        run = above
    return None


def _above(run: Run) -> Run | None:
    """The run that asked for this one; as whoever brings it on has it in memory."""
    if run.above is None:
        run.above = read_above(run.state.created, os.path.dirname(run.folder), run.limits)
    return run.above


def read_above(created: dict[str, Any], runs_dir: str, limits: Limits) -> Run | None:
    """The run that asked for a run, by the event that made it; None when it is none's child, or alone by now.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    folder = os.path.join(runs_dir, parent_of(created))
    if not parent_of(created) or not os.path.lexists(folder):
        return None
    check_folder(folder)
    return Run(folder, limits).load()
