"""The host's process behind a session: whether it lives, and whether a person started it."""

from __future__ import annotations

import os

from babysitter.disk import open_to_read, read_fully
from babysitter.errors import BabysitterError
from babysitter.sessions import place

HOST = "host"
_MOST_BYTES = 1 << 16


class Presence:
    """What the hook of a session's start wrote down; numbers are 0 and texts empty where it said nothing."""

    __slots__ = ("pid", "plugin", "project")

    def __init__(self, pid: int, project: str, plugin: str) -> None:
        self.pid = pid
        self.project = project
        self.plugin = plugin


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
    lines = [*content.decode(errors="replace").split("\n"), "", "", ""]
    pid = int(lines[0]) if lines[0].isascii() and lines[0].isdecimal() and len(lines[0]) < 12 else 0
    return Presence(pid, lines[1], lines[2])


def is_alive(session: str) -> bool:
    """The host's process of a session is still there."""
    found = presence_of(session)
    return found is not None and found.pid > 1 and _lives(found.pid)


def _lives(pid: int) -> bool:
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
    if environment is None:
        return True
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
