"""Files by their path: written once, published, replaced, and read with suspicion.

Errors are those of ``disk``: ``StorageError`` from the disk, FileNotFoundError
and FileExistsError as they are.
"""

from __future__ import annotations

import os

from babysitter.disk import (
    NO_LINKS,
    Folder,
    create,
    flush,
    open_to_read,
    read_fully,
    refuse,
    write_fully,
)


def write_once(path: str, data: bytes) -> None:
    """Create a file that did not exist; its content is on the disk when this returns.

    Its name is not: flush the folder when everything in it is written. After a
    kill in the middle the file may be there and torn.

    Raises:
        FileExistsError: the name is taken; nothing was touched.
        StorageError: the disk refused; the file is gone again.
    """
    try:
        fd = create(path)
        try:
            write_fully(fd, data)
            flush(fd, path)
        except BaseException:
            os.unlink(path)
            raise
        finally:
            os.close(fd)
    except OSError as error:
        refuse(error, path, "written")


def publish(folder: str, name: str, data: bytes) -> None:
    """Make a file appear whole and durable under its name, or not at all.

    Raises:
        FileExistsError: the name is taken; nothing was touched.
        StorageError
    """
    # Only here: whoever just reads has no use for what staging needs.
    from babysitter.staging import stage

    with Folder(folder) as open_folder:
        with stage(open_folder, folder, [data]) as staged:
            try:
                staged.link(0, name)
            except OSError as error:
                refuse(error, os.path.join(folder, name), "linked", NO_LINKS)
        open_folder.sync()


def replace(path: str, data: bytes) -> None:
    """Put a file in place of another. Not flushed: for caches only.

    A reader sees the old file or the new one; after a power cut it may be
    neither.
    """
    folder, name = os.path.split(path)
    with Folder(folder or ".") as open_folder:
        open_folder.replace(name, data)


def sync_folder(path: str) -> None:
    """Wait until the names in a folder are on the disk."""
    with Folder(path) as folder:
        folder.sync()


def read_regular(path: str, limit: int) -> bytes:
    """Read a file that somebody else may have put there.

    Never through a link at its own place, never a FIFO, a device or a folder,
    never more than ``limit`` bytes, also when it grows meanwhile.

    Raises:
        UnsafePath: it is not a regular file.
        InvalidInput: it is too large.
        FileNotFoundError: it is not there.
    """
    fd = open_to_read(path)
    try:
        return read_fully(fd, path, limit)
    except OSError as error:
        refuse(error, path, "read")
    finally:
        os.close(fd)
