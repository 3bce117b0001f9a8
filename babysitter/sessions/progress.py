"""How far a session had its run at its last stop.

For the guard against turns without progress, and as a witness of where the journal ended.
"""

from __future__ import annotations

import os

from babysitter.errors import JournalError, TailRemoved
from babysitter.journal.events import file_name
from babysitter.runs.folder import archive_of, check_folder, check_id
from babysitter.runs.run import Run
from babysitter.sessions import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from babysitter.journal.events import Head

PROGRESS = "progress.json"
# A session's file is not to become larger than what is read of it.
MOST_BELOW = 2000


def keep_head(
    session: str,
    head: Head,
    *,
    moved: int = 0,
    stops: int = 0,
    asked: list[str] | None = None,
    below: list[dict[str, Any]] | None = None,
) -> None:
    """Write down where the journal ends, and what the guard against turns without progress has to know.

    ``moved`` is the number of the last event that was a step forward, ``stops`` how often the session has
    stopped since, ``asked`` which breakpoints it was to ask, ``below`` where the journals of the runs below
    end: what ``heads_of`` gives.
    """
    told = {
        "moved": moved,
        "seq": head.seq,
        "checksum": head.checksum,
        "ms": head.ms,
        "stops": stops,
        "asked": asked or [],
        "below": below or [],
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


def heads_of(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Where the journals of child runs end, each after that of its parent."""
    found = []
    for run in runs[:MOST_BELOW]:
        parent, head = run.state.created["parent"], run.journal.head
        whose = {"run": run.run_id, "parent": parent["runId"], "effect": parent["effectId"]}
        found.append({**whose, "seq": head.seq, "checksum": head.checksum, "ms": head.ms})
    return found


def keep_head_below(session: str, run_id: str, head: Head) -> None:
    """Write down where the journal of a run below the session's ends now, if the session knows that run."""
    told = place.read(session, PROGRESS) or {}
    for known in below_of(told):
        if known["run"] == run_id:
            known.update(seq=head.seq, checksum=head.checksum, ms=head.ms)
            place.write(session, PROGRESS, told)


def below_of(progress: dict[str, Any]) -> list[dict[str, Any]]:
    """What ``heads_of`` gave, as it was written down."""
    told = progress.get("below")
    wanted = (("run", str), ("parent", str), ("effect", str), ("seq", int), ("checksum", str), ("ms", int))
    return [
        known
        for known in (told if isinstance(told, list) else [])
        if isinstance(known, dict) and all(isinstance(known.get(name), kind) for name, kind in wanted)
    ]


def check_tail(run: Run, progress: dict[str, Any]) -> None:
    """The journal of a loaded run must have what this session has seen in it.

    Raises:
        TailRemoved
    """
    if progress:
        _check(run, progress, f"babysitter doctor {run.run_id}")


def check_below(run: Run, progress: dict[str, Any]) -> None:
    """So must the journals of the runs below it that their parents wait for.

    Raises:
        TailRemoved: one of them is shorter, or is not there.
        JournalError, UnsafePath, StorageError
    """
    loaded = {run.run_id: run}
    for known in below_of(progress):
        parent = loaded.get(known["parent"])
        if parent is None or not _waits(parent, known["effect"]):
            continue
        child, cure = _child(run, known["run"]), f"babysitter cancel {parent.run_id} {known['effect']}"
        hint = f"put its files back as they were; or have it given up: {cure}"
        if child is not None:
            _check(child, known, hint)
            loaded[child.run_id] = child
        elif not os.path.lexists(archive_of(known["run"], os.path.dirname(run.folder))):
            raise TailRemoved(
                f"the child run {known['run']!r} of run {parent.run_id!r} is not there any more", hint=hint
            )


def _waits(parent: Run, effect_id: str) -> bool:
    return not parent.state.is_finished and effect_id in parent.state.pending


def _child(run: Run, run_id: str) -> Run | None:
    folder = os.path.join(os.path.dirname(run.folder), run_id)
    check_id(run_id)
    if not os.path.lexists(folder):
        return None
    check_folder(folder)
    try:
        return Run(folder, run.limits).load()
    except JournalError as error:
        error.message = f"{error.message} (child run {run_id!r})"
        raise


def _check(run: Run, progress: dict[str, Any], hint: str) -> None:
    from babysitter.journal.events import Head

    seen, head = Head(progress["seq"], progress["checksum"], progress["ms"]), run.journal.head
    is_there = head.seq > seen.seq and os.path.lexists(os.path.join(run.folder, "journal", file_name(seen)))
    if not is_there and (head.seq, head.checksum) != (seen.seq, seen.checksum):
        raise TailRemoved(
            f"the journal of run {run.run_id!r} ends at event {head.seq}, and this session has seen event "
            f"{seen.seq} in it",
            hint=hint,
        )
