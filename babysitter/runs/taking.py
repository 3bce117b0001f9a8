"""Who has taken an agent effect to work on it, and until when that counts.

That it was taken is an event; that whoever took it is still at it is a file's time, in the folder of the
effect: it would be too much for a journal, and is worth nothing a day later.
"""

from __future__ import annotations

import os

from babysitter.clock import now_ms
from babysitter.disk import PRIVATE_FILE, refuse
from babysitter.errors import EffectTaken, ResultRejected
from babysitter.files import open_inside
from babysitter.ids import valid_id
from babysitter.runs.results import OWN_KINDS, ends_by
from babysitter.runs.stopping import check_going_on, check_pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.disk import Folder
    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run

# The kind that the agent of a session does itself, and no subagent.
SESSIONS_OWN = "orchestrator_task"
HEARTBEAT = "heartbeat"
_MARK = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


def take(
    run: Run,
    effect: Effect,
    is_free: Callable[[Effect], bool],
    *,
    by: str,
    session: str = "",
    agent: str = "",
    lease: float | None = None,
) -> int:
    """Record that somebody begins a pending agent effect; gives how often it was taken, with this time.

    ``is_free`` is asked of what the journal says last. ``lease`` is for how many seconds this counts
    without a sign of life.

    Raises:
        ResultRejected: babysitter or a person does this effect.
        EffectTaken: it is not free.
        AlreadyResolved, EffectCancelled, RunFinished: it is over.
        RunBusy, StorageError
    """
    _check_kind(run, effect)

    def decide() -> tuple[int, list[Draft]]:
        check_going_on(run)
        check_pending(run, effect)
        if not is_free(effect):
            raise taken_by_another(run, effect)
        attempt = effect.takes + 1
        told = {"effectId": effect.id, "attempt": attempt, "by": by, "session": session, "agent": agent}
        data: dict[str, Any] = {name: value for name, value in told.items() if value != ""}
        if lease is not None:
            data["leaseSeconds"] = lease
        return attempt, [("EFFECT_TAKEN", data)]

    return run.append_decided(decide)


def _check_kind(run: Run, effect: Effect) -> None:
    if effect.kind in OWN_KINDS:
        raise ResultRejected(
            effect.id,
            f"effect {effect.id!r} is a {effect.kind} effect; only what an agent does can be taken",
            hint=ends_by(run, effect),
        )


def taken_by_another(run: Run, effect: Effect) -> EffectTaken:
    """The error for an effect that somebody is at; the event that says so is durable then."""
    run.journal.flush()
    by = (effect.taken or {}).get("by", "a babysitter that runs")
    return EffectTaken(
        f"effect {effect.id!r} is being worked on, by {by!r}", hint="take another one, or wait for its lease"
    )


def is_leased(run: Run, effect: Effect, now: int) -> bool:
    """An effect was taken, and its lease, if it has one, is not over."""
    if effect.taken is None:
        return False
    end = lease_end(run, effect)
    return end is None or now < end


def lease_end(run: Run, effect: Effect) -> int | None:
    """When the lease of a taken effect is over, in milliseconds, if no sign of life comes; None: never."""
    seconds: float | None = (effect.taken or {}).get("leaseSeconds")
    if seconds is None:
        return None
    # A file from the future is no reason to wait for it.
    last = max(effect.taken_ms, min(last_beat(run.folder, effect.id), run.now_ms()))
    return last + round(seconds * 1000)


def beat(run_folder: str, effect_id: str) -> None:
    """Leave a sign of life of whoever works on an effect. Not durable: it is about this very moment.

    Raises:
        UnsafePath: something else is in the place of the file or of its folders.
        StorageError
    """
    with _folder(run_folder, effect_id, make=True) as folder:
        try:
            fd = os.open(HEARTBEAT, _MARK, PRIVATE_FILE, dir_fd=folder.fd)
        except OSError as error:
            refuse(error, os.path.join(folder.path, HEARTBEAT), "written")
        try:
            now = now_ms() * 1_000_000
            os.utime(fd, ns=(now, now))
        finally:
            os.close(fd)


def last_beat(run_folder: str, effect_id: str) -> int:
    """When the last sign of life came, in milliseconds since 1970; 0 when there was none."""
    if not valid_id(effect_id):
        return 0
    try:
        with _folder(run_folder, effect_id) as folder:
            found = os.stat(HEARTBEAT, dir_fd=folder.fd, follow_symlinks=False)
    except OSError:
        return 0
    return found.st_mtime_ns // 1_000_000


def _folder(run_folder: str, effect_id: str, *, make: bool = False) -> Folder:
    return open_inside(run_folder, ["tasks", effect_id], make=make)
