"""What killed commands have left in a folder of runs: nobody reads it, and it takes room."""

from __future__ import annotations

import os
import stat

from babysitter.errors import RunBusy, UnsafePath
from babysitter.files import sync_folder
from babysitter.journal.lock import run_lock
from babysitter.runs.creation import TEMPORARY as NEW
from babysitter.runs.folder import ARCHIVE, run_ids
from babysitter.runs.packing import TEMPORARY as PACKING
from babysitter.runs.removal import REMOVED, delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Whoever is still at it has touched it since.
OLD_AFTER_SECONDS = 3600
STAGING = "staging."


def litter(runs_dir: str, now_seconds: float) -> list[str]:
    """The paths of what was left more than an hour ago."""
    before = now_seconds - OLD_AFTER_SECONDS
    found = [
        *_old(runs_dir, (NEW, REMOVED), before),
        *_old(os.path.join(runs_dir, ARCHIVE), (PACKING, REMOVED), before),
    ]
    for run_id in run_ids(runs_dir):
        found += _old(os.path.join(runs_dir, run_id, "state"), (STAGING,), before)
    return sorted(found)


def _old(folder: str, beginnings: tuple[str, ...], before: float) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(beginnings) and _is_old(entry, before):
                    yield entry.path
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        # Nothing of ours is in there.
        return


def _is_old(entry: os.DirEntry[str], before: float) -> bool:
    found = entry.stat(follow_symlinks=False)
    is_made_by_us = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    return is_made_by_us and found.st_uid == os.geteuid() and found.st_mtime < before


def clear(path: str) -> bool:
    """Delete it; False when somebody is at work in it, or has put something else there.

    Raises:
        StorageError
    """
    if os.path.basename(path).startswith(NEW) and os.path.isdir(path):
        try:
            with run_lock(path, 0):
                delete(path)
        except (RunBusy, UnsafePath):
            return False
    else:
        # Whoever moved it away may have been killed before that was flushed. A power cut must not
        # give the run's name back to what is left of it.
        sync_folder(os.path.dirname(path))
        delete(path)
    return True
