"""Remove a run: moved away in one step, then deleted, so that no kill leaves half a run under its name.

Of two commands that each see the run in two forms, its folder and its archive,
one must not remove the first while the other removes the second, also where
they do not see each other's locks. So each moves its own away, looks whether
the other is still there, and puts it back when it is not.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from babysitter.disk import PRIVATE_FOLDER, refuse
from babysitter.errors import Conflict
from babysitter.files import sync_folder
from babysitter.ids import base32
from babysitter.runs.folder import PACKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.runs.ended import EndedRun

REMOVED = ".removed-"


def set_aside(path: str) -> str:
    """Take the name from a run folder or an archive; give the name that it has until it is deleted.

    Raises:
        FileNotFoundError: somebody else did.
        StorageError
    """
    folder = os.path.dirname(path)
    aside = os.path.join(folder, REMOVED + base32(os.urandom(10)))
    try:
        # From now on it is litter, and whoever clears that away goes by its age.
        os.utime(path, follow_symlinks=False)
        os.rename(path, aside)
    except OSError as error:
        refuse(error, path, "moved away")
    # Were it deleted first, a power cut could give the name back to what is left of it.
    sync_folder(folder)
    return aside


def leave_to(other: str, identity: tuple[int, int], path: str) -> str:
    """Set one form of a run aside for the other one, which has to be there, the very same, also afterwards.

    Raises:
        Conflict: it is not, and nothing has changed.
        StorageError
    """
    aside = set_aside(path)
    if identity_of(other) != identity:
        _put_back(aside, path)
        raise Conflict(
            f"{other!r} was removed by another command, so {path!r} stays where it is", hint="try again"
        )
    return aside


def remove(ended: EndedRun) -> None:
    """Remove the folder of a run that has ended.

    Raises:
        Conflict, RunBusy: somebody is at work on it.
        StorageError
    """
    with ended.hold():
        aside = set_aside(ended.run.folder)
    delete(aside)


def remove_archive(path: str) -> None:
    """Remove a packed run; no fault if it is gone already.

    Raises:
        StorageError
    """
    delete(path)
    sync_folder(os.path.dirname(path))


def identity_of(path: str) -> tuple[int, int] | None:
    """What tells a file or folder from every other; None when it is not there."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _put_back(aside: str, path: str) -> None:
    try:
        if path.endswith(PACKED):
            # Never over another one.
            os.link(aside, path)
            os.unlink(aside)
        else:
            os.rename(aside, path)
        sync_folder(os.path.dirname(path))
    except OSError as error:
        if isinstance(error, FileExistsError) or os.path.lexists(path):
            raise Conflict(f"{path!r} is taken; what was there before is now {aside!r}") from None
        refuse(error, path, "put back")


def delete(path: str) -> None:
    """Delete a file, or a folder with all that is in it; what is gone already is no fault.

    Raises:
        StorageError
    """
    try:
        _delete(path)
    except FileNotFoundError:
        # Somebody else clears it away too.
        return
    except OSError as error:
        refuse(error, path, "deleted")


def _delete(path: str) -> None:
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return
    folders = [path]
    for folder in folders:
        folders += _empty(folder)
    for folder in reversed(folders):
        with suppress(FileNotFoundError):
            os.rmdir(folder)


def _empty(folder: str) -> list[str]:
    """Delete the files in a folder; gives the folders in it."""
    inner = []
    with suppress(FileNotFoundError):
        # A process may have protected what it made against itself.
        if os.lstat(folder).st_mode & PRIVATE_FOLDER != PRIVATE_FOLDER:
            os.chmod(folder, PRIVATE_FOLDER)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.path)
                else:
                    with suppress(FileNotFoundError):
                        os.unlink(entry.path)
    return inner


def size_of(path: str) -> int:
    """The bytes of a file, or of all files in a folder; what cannot be looked at counts nothing."""
    total = 0
    folders = [path]
    with suppress(OSError):
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode):
            return found.st_size
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total
