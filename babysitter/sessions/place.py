"""Where what belongs to a session is kept: small files in a folder of the user's own.

``host`` is written by the shell when the session starts: the host's process and when that started,
a line each. Everything else is JSON. None of it is the truth:
who is bound to a run is in its journal; without these files the hooks leave the session alone.
"""

from __future__ import annotations

import os

from babysitter.errors import BabysitterError, UnsafePath
from babysitter.files import read_regular, replace
from babysitter.ids import valid_id
from babysitter.jsontext import compact, loads
from babysitter.paths import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SESSIONS = "sessions"
# Before a process number: the session whose conversation was cleared in that process just now.
CLEARED = "cleared-"
MOST_BYTES = 1 << 20


def folder_of(session: str) -> str:
    """The folder of a session.

    Raises:
        UnsafePath: that is no id.
    """
    if not valid_id(session):
        raise UnsafePath(f"{session!r} is not the id of a session")
    return os.path.join(home(), SESSIONS, session)


def read(session: str, name: str) -> dict[str, Any] | None:
    """One of a session's files; None when it is not there, or is not what was written.

    Raises:
        UnsafePath: that is no session.
    """
    path = os.path.join(folder_of(session), name)
    try:
        told = loads(read_regular(path, MOST_BYTES, is_own=True))
    except (OSError, ValueError, RecursionError, BabysitterError):
        return None
    return told if isinstance(told, dict) else None


def write(session: str, name: str, told: dict[str, Any]) -> None:
    """Write one of a session's files, whole or not at all.

    Raises:
        StorageError
    """
    path = os.path.join(folder_of(session), name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    replace(path, compact(told).encode() + b"\n")


def remove(session: str, name: str) -> bool:
    """Remove one of a session's files; whether it was there."""
    try:
        os.unlink(os.path.join(folder_of(session), name))
    except FileNotFoundError:
        return False
    return True


def remove_all(session: str) -> None:
    """Remove all that is kept of a session."""
    from shutil import rmtree

    rmtree(folder_of(session), ignore_errors=True)


def names(session: str, folder: str) -> list[str]:
    """The files in a folder of a session."""
    try:
        return sorted(os.listdir(os.path.join(folder_of(session), folder)))
    except OSError:
        return []


def known() -> list[str]:
    """Every session that has a folder here."""
    try:
        found = os.listdir(os.path.join(home(), SESSIONS))
    except OSError:
        return []
    return sorted(name for name in found if valid_id(name) and not name.startswith(CLEARED))
