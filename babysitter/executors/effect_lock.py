"""The right to perform an effect: one holder at a time on this machine, and nothing left of earlier starts.

The lock is a ``flock`` on ``child.json`` in the effect's folder, which also
says who was started last. The child inherits the descriptor, so the lock
outlives a killed driver for as long as the child lives. A child may close what
it inherits, so who gets the lock still looks for survivors of the start
before, by what is written there and by their environment, and ends them. Both
name the file itself (``mark``): a copy of the run has the same effects, and its
driver must not take the children of this one for survivors.

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

from babysitter.disk import PRIVATE_FILE, open_to_read, refuse
from babysitter.errors import InvalidInput, StorageError, UnsafePath
from babysitter.executors.folders import open_folder
from babysitter.executors.processes import is_same_process, marked_processes, signal_all, start_time
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SURVIVOR_GRACE_SECONDS = 2.0
RECORD = "child.json"
RECORD_BYTES = 500
RECORD_GRACE_SECONDS = 1.0
_READ_AND_WRITE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
# There was a start, and no more than that is known of it.
UNREADABLE: dict[str, Any] = {"starts": 0}


class EffectLock:
    """One driver's claim to one effect.

    Attributes:
        fd: the descriptor that children inherit; negative while it is not held.
        is_held: the effect is ours.
        is_anothers: it is not, because a driver that lives has it; as of the last ``take``.
        is_fresh: nobody has ever started the effect; known once the lock is held.
        mark: what tells the lock's file from every other on the machine, once the lock is held.
        starts: how often it was started, by anybody.
    """

    __slots__ = (
        "_path",
        "_survivors_killed_at",
        "_unknown_since",
        "fd",
        "is_anothers",
        "is_fresh",
        "is_held",
        "mark",
        "starts",
    )

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, RECORD)
        self._survivors_killed_at: float | None = None
        self._unknown_since: float | None = None
        self.is_held = False
        self.is_anothers = False
        self.is_fresh = False
        self.starts = 0
        self.mark = ""
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
        record, self.is_held = self._read_and_lock()
        self.is_anothers = not self.is_held and self._is_anothers(record, now)
        if self.is_held:
            self.is_fresh = not record
            self.starts = _count(record.get("starts"))
        elif not self.is_anothers:
            self._end_survivors(record, now)
        return self.is_held

    def is_clear(self, now: float) -> bool:
        """Whether nothing is left of earlier starts; what is left is told to end. Only while it is held."""
        return self.is_fresh or not self._end_survivors(self._read_again(), now)

    def _read_and_lock(self) -> tuple[dict[str, Any], bool]:
        """What is known of the last start, and whether the lock is ours from now on."""
        fd, is_locked = _open_private(self._path), False
        try:
            is_locked = _lock(fd, self._path)
            self.mark = _mark(fd)
            record = _read_record(fd)
        finally:
            if is_locked:
                self.fd = fd
            else:
                os.close(fd)
        return record, is_locked

    def _read_again(self) -> dict[str, Any]:
        fd = _open_private(self._path)
        try:
            return _read_record(fd)
        finally:
            os.close(fd)

    def _is_anothers(self, record: dict[str, Any], now: float) -> bool:
        """Whether a driver that lives holds the lock; one without a record is given time to write it."""
        if record:
            return _lives(record.get("driver"))
        self._unknown_since = self._unknown_since or now
        return now < self._unknown_since + RECORD_GRACE_SECONDS

    def _end_survivors(self, record: dict[str, Any], now: float) -> bool:
        """Ask survivors of earlier starts to end, later make them; False when there are none."""
        survivors = marked_processes(self.mark)
        if is_same_process(record.get("pid"), record.get("startTime")):
            survivors.append(record["pid"])
        if self._read_again() != record:
            # A living driver has just started the effect, and what was found may be its child.
            return True
        if survivors and self._survivors_killed_at is None:
            self._survivors_killed_at = now + SURVIVOR_GRACE_SECONDS
            signal_all(survivors, signal.SIGTERM)
        elif self._survivors_killed_at is not None and now >= self._survivors_killed_at:
            signal_all(survivors, signal.SIGKILL)
        return bool(survivors)

    def note_start(self, pid: int | None = None) -> None:
        """Write down that the effect is being started, then which process it has become.

        Not flushed: after a power cut there are no survivors. ``starts`` may
        then be too low, or too high after a kill between the two calls.
        """
        if pid is None:
            self.starts += 1
        record = {
            "lock": self.mark,
            "pid": pid,
            "pgid": pid,
            "startTime": start_time(pid) if pid else None,
            "starts": self.starts,
            "driver": _this_process(),
        }
        # Always the same length and one call: a kill cannot leave half of it.
        content = compact(record).ljust(RECORD_BYTES) + "\n"
        try:
            os.pwrite(self.fd, content.encode(), 0)
        except OSError as error:
            refuse(error, self._path, "written")

    def release(self) -> None:
        """Give the effect up. A descriptor that some daemon inherited does not hold it any longer."""
        if self.is_held:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            os.close(self.fd)
            self.fd = -1
            self.is_held = False


def worker_of(folder: str) -> int | None:
    """The driver that performs an effect now, asked without touching the lock; None when none does."""
    try:
        with open_folder(folder) as opened:
            fd = open_to_read(RECORD, opened.fd)
    except (OSError, UnsafePath, StorageError):
        return None
    try:
        driver: Any = _read_record(fd).get("driver")
    finally:
        os.close(fd)
    return int(driver["pid"]) if _lives(driver) else None


def _open_private(path: str) -> int:
    """Open the file, and make it and its folders when they are not there."""
    try:
        with open_folder(os.path.dirname(path), make=True) as folder:
            fd = os.open(RECORD, _READ_AND_WRITE, PRIVATE_FILE, dir_fd=folder.fd)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _unsafe(path) from None
        refuse(error, path, "opened")
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _unsafe(path)
    return fd


def _unsafe(path: str) -> UnsafePath:
    return UnsafePath(f"{path!r} is not what it should be: a link or a device was put in its place")


def _lock(fd: int, path: str) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # Going on without it could perform an effect twice at once.
        refuse(error, path, "locked")
    return True


def _mark(fd: int) -> str:
    found = os.fstat(fd)
    return f"{found.st_dev}:{found.st_ino}"


def _read_record(fd: int) -> dict[str, Any]:
    """What is known of the last start; empty when there was none."""
    content = os.pread(fd, RECORD_BYTES + 1, 0)
    if not content:
        return {}
    try:
        record = loads(content)
    except (InvalidInput, ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(record, dict):
        return UNREADABLE
    # In a copy of the run the processes are those of the original.
    return record if record.get("lock") == _mark(fd) else {"starts": record.get("starts")}


_this: dict[str, Any] = {}


def _this_process() -> dict[str, Any]:
    if _this.get("pid") != os.getpid():
        _this.update(pid=os.getpid(), startTime=start_time(os.getpid()))
    return _this


def _lives(driver: Any) -> bool:
    return isinstance(driver, dict) and is_same_process(driver.get("pid"), driver.get("startTime"))


def _count(starts: Any) -> int:
    return starts if isinstance(starts, int) and not isinstance(starts, bool) and starts > 0 else 0
