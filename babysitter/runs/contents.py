"""What is in a run folder: the part of it that a packed run keeps."""

from __future__ import annotations

import os
import stat

from babysitter.disk import refuse
from babysitter.errors import Conflict, UnsafePath
from babysitter.journal.events import number_of
from babysitter.journal.lock import NAME as LOCK

JOURNAL = "journal"
# Caches and a lock: both are made again. Event files are kept too, but as lines of one file.
LEFT_OUT = frozenset({"state", LOCK})


class Item:
    """A file or a folder in a run folder; equal to one that was found there and has not changed since.

    Attributes:
        name: from the run folder, with slashes.
        is_executable: its owner may run it.
    """

    __slots__ = ("_stamp", "is_executable", "is_folder", "name", "size")

    def __init__(self, name: str, found: os.stat_result) -> None:
        self.name = name
        self.is_folder = stat.S_ISDIR(found.st_mode)
        self.is_executable = bool(found.st_mode & stat.S_IXUSR)
        self.size = 0 if self.is_folder else found.st_size
        self._stamp = (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and (self.name, self._stamp) == (other.name, other._stamp)

    def __hash__(self) -> int:
        return hash(self.name)


def contents(run_folder: str) -> list[Item]:
    """Everything that is kept but the event files, sorted by name: a folder before what is in it.

    Raises:
        UnsafePath: a link, a device, a pipe or a socket, or a name that is no text. What it stands for
            could not be given back.
        Conflict: something goes away while it is looked at.
        StorageError
    """
    found: list[Item] = []
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        for item in _items_in(run_folder, inside):
            found.append(item)
            if item.is_folder:
                waiting.append(item.name)
    found.sort(key=lambda item: item.name)
    return found


def _items_in(run_folder: str, inside: str) -> list[Item]:
    path = os.path.join(run_folder, inside)
    try:
        with os.scandir(path) as entries:
            return [
                _item(os.path.join(inside, entry.name), entry)
                for entry in entries
                if not is_left_out(os.path.join(inside, entry.name))
            ]
    except FileNotFoundError:
        raise changed(path) from None
    except OSError as error:
        refuse(error, path, "read")


def is_left_out(name: str) -> bool:
    """It is made again from the rest, or is kept in another form."""
    folder, _, event = name.rpartition("/")
    return name in LEFT_OUT or (folder == JOURNAL and number_of(event) is not None)


def _item(name: str, entry: os.DirEntry[str]) -> Item:
    found = entry.stat(follow_symlinks=False)
    if not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
        raise UnsafePath(
            f"{entry.path!r} is neither a file nor a folder, and cannot be packed",
            hint="put a file in its place, or remove it",
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnsafePath(
            f"the name of {entry.path!r} is not UTF-8, and cannot be packed", hint="rename it"
        ) from None
    return Item(name, found)


def changed(path: str) -> Conflict:
    """Somebody works in a folder that should be at rest."""
    return Conflict(f"{path!r} was changed while it was read", hint="see what writes there, then try again")
