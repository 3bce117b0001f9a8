"""The runs above a run: who has the topmost of them has them all."""

from __future__ import annotations

import os

from babysitter.runs.folder import check_folder, parent_of
from babysitter.runs.run import Run
from babysitter.runs.succession import newest_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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
    seen: set[str] = set()
    # Those that were brought here may lead in a circle.
    while run.run_id not in seen:
        seen.add(run.run_id)
        run = _parent(run) or run
    return run


def _parent(run: Run) -> Run | None:
    parent = parent_of(run.state.created)
    folder = os.path.join(os.path.dirname(run.folder), parent)
    if not parent or not os.path.lexists(folder):
        return None
    check_folder(folder)
    # A child may still be on its way to its end when its parent goes on as another.
    return newest_there(Run(folder, run.limits).load())
