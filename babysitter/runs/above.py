"""The runs above a run: their session has it and guards it, and when they have ended nobody waits for it."""

from __future__ import annotations

import os

from babysitter.runs.folder import check_folder, parent_of
from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
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
    return next((above.state.guard for above in runs_above(run) if above.state.guard is not None), None)


def ended_above(run: Run) -> Run | None:
    """A run above a loaded one that has ended before it, if there is any; nobody waits for this one then.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    return next((above for above in runs_above(run) if above.state.is_finished), None)


def session_over(run: Run) -> dict[str, Any] | None:
    """The session that is to finish a loaded run, or the one at the top of its family.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    return top_of(run).state.session


def top_of(run: Run) -> Run:
    """The run that belongs to no other, above a loaded one; the last of those that are there.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    # Not at the top: those who go on as another are looked for by hooks and commands only.
    from babysitter.runs.succession import newest_there

    seen: set[str] = set()
    while run.run_id not in seen:
        seen.add(run.run_id)
        above = read_above(run.state.created, os.path.dirname(run.folder), run.limits)
        # A child may still be on its way to its end when its parent goes on as another.
        run = run if above is None else newest_there(above)
    return run


def runs_above(run: Run) -> Iterator[Run]:
    """The nearest first; as whoever brings a run on has those above it in memory."""
    seen = {run.run_id}
    while True:
        if run.above is None:
            run.above = read_above(run.state.created, os.path.dirname(run.folder), run.limits)
        # Those that were brought here may lead in a circle.
        if run.above is None or run.above.run_id in seen:
            return
        run = run.above
        seen.add(run.run_id)
        yield run


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
