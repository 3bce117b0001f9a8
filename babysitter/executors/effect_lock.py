"""The right to perform an effect: one holder at a time on this machine, and nothing left of earlier starts.

The lock is a ``flock`` on a file in the effect's folder. The child inherits the
descriptor, so the lock outlives a killed driver for as long as the child lives.
A child may close what it inherits, so who gets the lock still looks for
survivors of the start before, by what ``child.json`` says and by their
environment, and ends them.

The lock is held until the result is recorded, and a successor looks at the
journal once more between taking the lock and starting (``is_fresh``). So it
cannot start what has been performed and recorded in the meantime.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat

from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER, Folder, refuse
from babysitter.errors import InvalidInput, UnsafePath
from babysitter.executors.processes import is_same_process, marked_processes, start_time
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SURVIVOR_GRACE_SECONDS = 2.0
RECORD = "child.json"
RECORD_BYTES = 1 << 16
RECORD_GRACE_SECONDS = 1.0
# There was a start, and no more than that is known of it.
UNREADABLE: dict[str, Any] = {"starts": 0}


class EffectLock:
    """One driver's claim to one effect.

    Attributes:
        fd: the descriptor that children inherit; negative while it is not held.
        is_held: the effect is ours.
        is_fresh: nobody has ever started the effect; known once the lock is held.
        starts: how often it was started, by anybody.
    """

    __slots__ = (
        "_effect_id",
        "_folder",
        "_survivors_killed_at",
        "_unknown_since",
        "fd",
        "is_fresh",
        "is_held",
        "starts",
    )

    def __init__(self, effect_id: str, folder: str) -> None:
        self._effect_id = effect_id
        self._folder = folder
        self._survivors_killed_at: float | None = None
        self._unknown_since: float | None = None
        self.is_held = False
        self.is_fresh = False
        self.starts = 0
        self.fd = -1

    def take(self, now: float) -> bool:
        """Whether the effect is ours now; ask again a little later while it is not.

        False while another driver lives that has it. Survivors of a dead one
        that hold the lock are told to end.

        Raises:
            UnsafePath: something else is in the place of a folder or of the file.
            StorageError
        """
        if self.is_held:
            return True
        self.is_held = self._lock()
        record = self._read_record()
        if self.is_held:
            self.is_fresh = not record
            self.starts = _count(record.get("starts"))
        elif not self._is_anothers(record, now):
            self._end_survivors(record, now)
        return self.is_held

    def is_clear(self, now: float) -> bool:
        """Whether nothing is left of earlier starts; what is left is told to end. Only while it is held."""
        return self.is_fresh or not self._end_survivors(self._read_record(), now)

    def _is_anothers(self, record: dict[str, Any], now: float) -> bool:
        """Whether a driver that lives holds the lock; one without a record is given time to write it."""
        if record:
            return _lives(record.get("driver"))
        self._unknown_since = self._unknown_since or now
        return now < self._unknown_since + RECORD_GRACE_SECONDS

    def _lock(self) -> bool:
        fd = _open_lock(self._folder)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(fd)
            if isinstance(error, BlockingIOError):
                return False
            # Going on without it could perform an effect twice at once.
            refuse(error, os.path.join(self._folder, "lock"), "locked")
        self.fd = fd
        return True

    def _end_survivors(self, record: dict[str, Any], now: float) -> bool:
        """Ask survivors of earlier starts to end, later make them; False when there are none."""
        survivors = marked_processes(self._effect_id)
        if is_same_process(record.get("pid"), record.get("startTime")):
            survivors.append(record["pid"])
        if self._read_record() != record:
            # A living driver has just started the effect, and what was found may be its child.
            return True
        if survivors and self._survivors_killed_at is None:
            self._survivors_killed_at = now + SURVIVOR_GRACE_SECONDS
            _signal(survivors, signal.SIGTERM)
        elif self._survivors_killed_at is not None and now >= self._survivors_killed_at:
            _signal(survivors, signal.SIGKILL)
        return bool(survivors)

    def note_start(self, pid: int | None = None) -> None:
        """Write down that the effect is being started, then which process it has become.

        Not flushed: after a power cut there are no survivors. ``starts`` may
        then be too low, or too high after a kill between the two calls.
        """
        if pid is None:
            self.starts += 1
        record = {
            "pid": pid,
            "pgid": pid,
            "startTime": start_time(pid) if pid else None,
            "starts": self.starts,
            "driver": _this_process(),
        }
        with Folder(self._folder) as folder:
            folder.replace(RECORD, compact(record).encode())

    def _read_record(self) -> dict[str, Any]:
        """What is known of the last start; empty when there was none."""
        try:
            with Folder(self._folder) as folder:
                record = loads(folder.read(RECORD, RECORD_BYTES))
        except FileNotFoundError:
            return {}
        except (InvalidInput, UnsafePath, ValueError, RecursionError):
            return UNREADABLE
        return record if isinstance(record, dict) else UNREADABLE

    def release(self) -> None:
        """Give the effect up. A descriptor that some daemon inherited does not hold it any longer."""
        if self.is_held:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            os.close(self.fd)
            self.fd = -1
            self.is_held = False


def _open_lock(folder: str) -> int:
    _make_folder(os.path.dirname(folder))
    _make_folder(folder)
    path = os.path.join(folder, "lock")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, PRIVATE_FILE)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _unsafe(path) from None
        refuse(error, path, "opened")
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _unsafe(path)
    return fd


def _unsafe(path: str) -> UnsafePath:
    return UnsafePath(f"{path!r} is not a regular file", hint="something else was put in the place of a lock")


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path, PRIVATE_FOLDER)
    except FileExistsError:
        # Raises UnsafePath when it is a link.
        Folder(path).close()
    except OSError as error:
        refuse(error, path, "made")


_this: dict[str, Any] = {}


def _this_process() -> dict[str, Any]:
    if _this.get("pid") != os.getpid():
        _this.update(pid=os.getpid(), startTime=start_time(os.getpid()))
    return _this


def _lives(driver: Any) -> bool:
    return isinstance(driver, dict) and is_same_process(driver.get("pid"), driver.get("startTime"))


def _count(starts: Any) -> int:
    return starts if isinstance(starts, int) and not isinstance(starts, bool) and starts > 0 else 0


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        for send in (os.killpg, os.kill):
            try:
                send(pid, number)
            except (ProcessLookupError, PermissionError):
                # Ended by itself meanwhile, or leads no group.
                continue
