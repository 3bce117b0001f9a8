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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


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


def publish(folder: Folder, name: str, data: bytes) -> None:
    """Make a file appear whole and durable under its name, or not at all.

    Raises:
        FileExistsError: the name is taken; nothing was touched.
        StorageError
    """
    # Only here: whoever just reads has no use for what staging needs.
    from babysitter.staging import stage

    with stage(folder, folder.path, [data]) as staged:
        try:
            staged.link(0, name)
        except OSError as error:
            refuse(error, os.path.join(folder.path, name), "linked", NO_LINKS)
    folder.sync()


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


def open_inside(root: str, names: Sequence[str], *, make: bool = False) -> Folder:
    """A folder below ``root``, opened step by step; made, if need be, when ``make`` is set.

    A path as a whole would follow a link that stands in the place of one of
    its folders, and lead anywhere.

    Raises:
        UnsafePath: a link, a file, or somebody else's folder is on the way.
        FileNotFoundError: a folder is not there.
    """
    folder = Folder(root)
    for name in names:
        with folder as outer:
            folder = outer.inner(name, make=make)
    return folder


def read_regular(path: str, limit: int, *, is_own: bool = False, follow: bool = False) -> bytes:
    """Read a file that somebody else may have put there.

    Never a FIFO, a device or a folder, never more than ``limit`` bytes, also
    when it grows meanwhile; never through a link at its own place, unless
    ``follow`` is set.

    Raises:
        UnsafePath: it is not a regular file; or, with ``is_own``, it is somebody else's.
        InvalidInput: it is too large.
        FileNotFoundError: it is not there.
    """
    fd = open_to_read(path, follow=follow)
    try:
        return read_fully(fd, path, limit, is_own=is_own)
    except OSError as error:
        refuse(error, path, "read")
    finally:
        os.close(fd)
