"""How far a session had its run at its last stop.

For the guard against turns without progress, and as a witness of where the journal ended.
"""

from __future__ import annotations

import os

from babysitter.errors import TailRemoved
from babysitter.journal.events import file_name
from babysitter.sessions import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.journal.events import Head
    from babysitter.runs.run import Run

PROGRESS = "progress.json"


def keep_head(
    session: str, head: Head, *, moved: int = 0, stops: int = 0, asked: list[str] | None = None
) -> None:
    """Write down where the journal ends, and what the guard against turns without progress has to know.

    ``moved`` is the number of the last event that was a step forward, ``stops`` how often the session has
    stopped since, ``asked`` which breakpoints it was to ask.
    """
    told = {
        "moved": moved,
        "seq": head.seq,
        "checksum": head.checksum,
        "ms": head.ms,
        "stops": stops,
        "asked": asked or [],
    }
    place.write(session, PROGRESS, told)


def progress_of(session: str) -> dict[str, Any]:
    """What ``keep_head`` wrote last; empty when there is nothing."""
    told = place.read(session, PROGRESS) or {}
    wanted = (("moved", int), ("seq", int), ("checksum", str), ("ms", int), ("stops", int), ("asked", list))
    return told if all(isinstance(told.get(name), kind) for name, kind in wanted) else {}


def forget_progress(session: str) -> None:
    """The next stop is the first one."""
    place.remove(session, PROGRESS)


def check_tail(run: Run, progress: dict[str, Any]) -> None:
    """The journal of a loaded run must have what this session has seen in it.

    Raises:
        TailRemoved
    """
    from babysitter.journal.events import Head

    if not progress:
        return
    seen, head = Head(progress["seq"], progress["checksum"], progress["ms"]), run.journal.head
    is_there = head.seq > seen.seq and os.path.lexists(os.path.join(run.folder, "journal", file_name(seen)))
    if not is_there and (head.seq, head.checksum) != (seen.seq, seen.checksum):
        raise TailRemoved(
            f"the journal of run {run.run_id!r} ends at event {head.seq}, and this session has seen event "
            f"{seen.seq} in it",
            hint=f"babysitter doctor {run.run_id}",
        )
