"""The host's process behind a session: whether it lives, and whether a person started it."""

from __future__ import annotations

import os

from babysitter.disk import open_to_read, read_fully
from babysitter.errors import BabysitterError
from babysitter.sessions import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

HOST = "host"
_MOST_BYTES = 1 << 16
# Of /proc/*/stat, counted from the state on, which is the third.
_START_TIME = 19


class Presence:
    """What the hook of a session's start wrote down; 0 and empty where it said nothing.

    ``started`` is when the process started, in the system's own count: a number alone is given to another
    process sooner or later.
    """

    __slots__ = ("pid", "started")

    def __init__(self, pid: int, started: str) -> None:
        self.pid = pid
        self.started = started

    @property
    def lives(self) -> bool:
        """It is still that process."""
        return self.pid > 1 and _is_there(self.pid) and self.started in ("", start_of(self.pid))


def presence_of(session: str) -> Presence | None:
    """The host's process of a session; None when its start was not seen."""
    path = os.path.join(place.folder_of(session), HOST)
    try:
        fd = open_to_read(path)
        try:
            content = read_fully(fd, path, _MOST_BYTES, is_own=True)
        finally:
            os.close(fd)
    except (OSError, BabysitterError):
        return None
    lines = [*content.decode(errors="replace").split("\n"), ""]
    pid = int(lines[0]) if lines[0].isascii() and lines[0].isdecimal() and len(lines[0]) < 12 else 0
    return Presence(pid, lines[1])


def is_alive(session: str) -> bool:
    """The host's process of a session is still there."""
    found = presence_of(session)
    return found is not None and found.lives


def has_died(session: str) -> bool:
    """The host's process of a session was seen, and is gone; not when it is not known which it was."""
    found = presence_of(session)
    return found is not None and found.pid > 1 and not found.lives


def start_of(pid: int) -> str:
    """When a process started; empty where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name of the program comes before it, in brackets, and may hold anything.
            return file.read().rpartition(b") ")[2].split()[_START_TIME].decode()
    except (OSError, IndexError):
        return ""


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_nested(pid: int, signs: tuple[str, ...]) -> bool:
    """Whether a host's process was itself started by a host's session: its environment says so.

    Also when that cannot be found out: what is asked here is whether a person can be believed.
    """
    environment = _environment_of(pid)
    return True if environment is None else _has(environment, signs)


def is_below_host(pids: Iterable[int], signs: tuple[str, ...]) -> bool:
    """Whether the environment of any of these processes says that a host's session started it."""
    return any(_has(_environment_of(pid) or b"", signs) for pid in pids)


def _has(environment: bytes, signs: tuple[str, ...]) -> bool:
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0")}
    return any(sign.encode() in names for sign in signs)


def _environment_of(pid: int) -> bytes | None:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None if os.path.exists("/proc/self/environ") else _environment_from_ps(pid)
    except OSError:
        return None


def _environment_from_ps(pid: int) -> bytes | None:
    """Where there is no /proc. Words of arguments stand among the variables; they can only add suspicion."""
    import subprocess

    told = subprocess.run(
        ["ps", "eww", "-o", "command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    return told.stdout.strip().replace(b" ", b"\0") or None
