"""Folders of runs that are known, so that what waits in any of them is found from everywhere.

One small file for each, in ``$BABYSITTER_HOME/places``, named by the digest of
the path that it holds. It is a hint and not the truth: what is not known is only not found from elsewhere.
"""

from __future__ import annotations

import os

from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER
from babysitter.errors import BabysitterError
from babysitter.files import read_regular
from babysitter.ids import sha256_hex
from babysitter.paths import home

FOLDER = "places"
MOST_BYTES = 1 << 14
_OPEN = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK


def remember(runs_dir: str) -> None:
    """Note a folder of runs, once. Where that cannot be written nothing is noted: a run is worth more."""
    content = os.fsencode(runs_dir)
    path = os.path.join(home(), FOLDER, _name(content))
    try:
        # As long as the path: one that a kill or a power cut has left empty is written again.
        if not _is_written(path, content):
            os.makedirs(os.path.dirname(path), mode=PRIVATE_FOLDER, exist_ok=True)
            _write(path, content)
    except OSError:
        return


def _is_written(path: str, content: bytes) -> bool:
    try:
        return os.lstat(path).st_size == len(content)
    except FileNotFoundError:
        return False


def _write(path: str, content: bytes) -> None:
    # In place: whoever else writes it writes the same, and whoever reads a part of it passes it over.
    fd = os.open(path, _OPEN, PRIVATE_FILE)
    try:
        os.write(fd, content)
    finally:
        os.close(fd)


def _name(content: bytes) -> str:
    return sha256_hex(content)[:32]


def known() -> list[str]:
    """Every folder of runs that is known and there, each once, in order."""
    folder = os.path.join(home(), FOLDER)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = {path for name in names if (path := _read(os.path.join(folder, name), name))}
    return sorted(path for path in found if os.path.isdir(path))


def _read(path: str, name: str) -> str:
    """The path that a file holds, real; empty when it is not what was written there."""
    try:
        content = read_regular(path, MOST_BYTES, is_own=True)
    except (BabysitterError, OSError):
        return ""
    place = os.fsdecode(content)
    return os.path.realpath(place) if _name(content) == name and os.path.isabs(place) else ""
