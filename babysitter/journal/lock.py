"""``run.lock``: order among commands that would otherwise do work for nothing.

What is true in the journal does not rest on it: a lock that is lost, stolen or
deleted costs a retry, never an event.
"""

from __future__ import annotations

import os
import sys

from babysitter.clock import iso, now_ms
from babysitter.disk import PRIVATE_FILE, read_fully, refuse
from babysitter.errors import BabysitterError, RunBusy, UnsafePath
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from filelock import BaseFileLock

NAME = "run.lock"
UNKNOWN = "another command"

_HOLDER_BYTES = 4096


class RunLock:
    """A lock that is held until ``release`` or the end of the ``with`` block, or of the process."""

    def __init__(self, lock: BaseFileLock, path: str) -> None:
        self._lock = lock
        self._path = path

    def release(self) -> None:
        """Let the next one in; a second call does nothing."""
        if self._lock.is_locked:
            _write_holder(self._path, b"")
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def run_lock(run_folder: str, timeout: float) -> RunLock:
    """Take the lock of a run, waiting at most ``timeout`` seconds; 0 tries once.

    Raises:
        RunBusy: another command holds it; says which when it has said so itself.
        UnsafePath: something else stands in the lock's place.
        StorageError: the file system has no locks, or refuses.
    """
    from filelock import Timeout

    path = os.path.join(run_folder, NAME)
    _check_place(path)
    lock = _file_lock(path)
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise _busy(run_folder, path, timeout) from None
    except OSError as error:
        refuse(error, path, "locked")
    _write_holder(path, compact(_ourselves()).encode() + b"\n")
    return RunLock(lock, path)


def _file_lock(path: str) -> BaseFileLock:
    from inspect import signature

    from filelock import FileLock

    # A soft lock is a file that outlives its dead holder, a lock with a
    # lifetime is taken from a living one, and a lock file that is deleted
    # locks nothing for those who still have it open.
    wanted: dict[str, Any] = {"fallback_to_soft": False, "preserve_lock_file": True}
    known = signature(FileLock.__init__).parameters
    options = {name: value for name, value in wanted.items() if name in known}
    return FileLock(path, mode=PRIVATE_FILE, thread_local=False, **options)


def _check_place(path: str) -> None:
    # Before filelock, which takes a link for a lock that is about to be free.
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        raise UnsafePath(f"{path!r} is not a regular file, and the run's lock is expected there")


def _ourselves() -> dict[str, Any]:
    command = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
    # Arguments may be any bytes; those that are not UTF-8 are surrogates here.
    text = command[:200].encode(errors="replace").decode()
    return {"pid": os.getpid(), "command": text, "since": iso(now_ms())}


def _write_holder(path: str, data: bytes) -> None:
    # Into the lock file itself: the lock is on the open file, so a second
    # descriptor that is closed again does not end it.
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, data, 0)
        finally:
            os.close(fd)
    except OSError:
        # It only serves a message that others may want to print.
        pass


def _busy(run_folder: str, path: str, timeout: float) -> RunBusy:
    run = os.path.basename(os.path.abspath(run_folder))
    waited = f" and was not free within {timeout:g} seconds" if timeout else ""
    return RunBusy(
        f"the run {run!r} is in use by {_holder(path)}{waited}", hint="try again when it has ended"
    )


def holder(run_folder: str) -> str:
    """Who holds the lock of a run, asked without touching it; empty when nobody does."""
    path = os.path.join(run_folder, NAME)
    is_held = _is_flocked(path)
    told = _holder(path)
    if is_held is None:
        # This system does not say. Whoever let go in good order is no longer named in the file.
        return "" if told == UNKNOWN else told
    return told if is_held else ""


def _is_flocked(path: str) -> bool | None:
    """Whether the system knows a lock on the file; None where it does not tell."""
    try:
        found = os.stat(path, follow_symlinks=False)
        with open("/proc/locks", encoding="ascii") as locks:
            lines = locks.read().split("\n")
    except FileNotFoundError:
        return None if os.path.lexists(path) else False
    except OSError:
        return None
    wanted = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    return any(wanted in line.split() and "FLOCK" in line for line in lines)


def _holder(path: str) -> str:
    """Who wrote last that it holds the lock; it may have ended since, or not have written yet."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = loads(read_fully(fd, path, _HOLDER_BYTES))
        finally:
            os.close(fd)
        pid, command = int(found["pid"]), str(found["command"])
        os.kill(pid, 0)
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError, BabysitterError):
        return UNKNOWN
    return f"{command!r} (process {pid})"
