"""What a power cut leaves of a batch that nobody was told of.

The files of a batch are linked in order, so that a kill leaves a beginning of
it. A power cut may also keep a later name and lose an earlier one. Readers
stop at such a hole; whoever writes next first moves what lies behind it aside.
"""

from __future__ import annotations

import os

from babysitter.disk import PRIVATE_FOLDER, Folder, refuse
from babysitter.errors import HeadMoved, UnsafePath
from babysitter.files import sync_folder
from babysitter.journal.events import file_name, number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.journal.events import Head

QUARANTINE = "quarantine"
REASON = "left-by-an-interrupted-batch"


def sweep(run_folder: str, journal: Folder, head: Head, batch_end: int) -> None:
    """Move the events behind the hole after ``head`` into ``quarantine/``.

    ``batch_end`` is the last number of the unfinished batch that ``head``
    belongs to; nothing beyond it is touched. Two that sweep at once do no harm.
    Not flushed: ``flush_swept`` does that.

    Raises:
        HeadMoved: there is no hole; somebody has written the next event.
    """
    behind = [name for name in journal.names() if head.seq + 1 < (number_of(name) or 0) <= batch_end]
    # Looked for after the listing: a living writer links in order, so had it
    # made the names just listed, this one would be there too.
    if journal.has(file_name(head)):
        raise HeadMoved("another writer went on while the rest of an interrupted batch was looked at")
    if behind:
        with open_quarantine(run_folder) as quarantine:
            for name in behind:
                _move(journal, name, quarantine)


def flush_swept(run_folder: str, journal: Folder) -> None:
    """Wait until what was moved aside, by whomever, is on the disk in its new place and in no other.

    Also when nothing was left to move: whoever moved it may have been killed before this.
    The next event must not reach the disk before these have left it: after
    another power cut they would stand behind an event that they do not follow.

    Raises:
        StorageError
    """
    try:
        sync_folder(os.path.join(run_folder, QUARANTINE))
    except (FileNotFoundError, UnsafePath):
        # Nothing was ever moved aside.
        return
    sync_folder(run_folder)
    journal.sync()


def open_quarantine(run_folder: str) -> Folder:
    """The folder for what is moved aside, made when needed."""
    path = os.path.join(run_folder, QUARANTINE)
    try:
        os.mkdir(path, PRIVATE_FOLDER)
    except FileExistsError:
        pass
    except OSError as error:
        refuse(error, path, "made")
    return Folder(path)


def _move(journal: Folder, name: str, quarantine: Folder) -> None:
    aside = f"{name}.{REASON}"
    count = 1
    while quarantine.has(aside):
        count += 1
        aside = f"{name}.{REASON}.{count}"
    try:
        os.rename(name, aside, src_dir_fd=journal.fd, dst_dir_fd=quarantine.fd)
    except FileNotFoundError:
        # Another writer is sweeping too.
        pass
    except OSError as error:
        refuse(error, os.path.join(journal.path, name), "moved aside")
