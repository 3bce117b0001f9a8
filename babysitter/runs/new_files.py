"""Many new files in a folder that nobody reads yet, flushed together."""

from __future__ import annotations

import os

from babysitter.disk import PRIVATE_FOLDER, Folder, create, flush, refuse, write_fully
from babysitter.flushing import FEW, flush_all, sync_file_system, syncfs_reports_failures
from babysitter.staging import can_sync_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

_OPEN_AT_ONCE = 64


class NewFiles:
    """They are on the disk, if they are to be durable, when ``flush`` returns."""

    def __init__(self, folder: Folder, count: int, *, is_durable: bool) -> None:
        """Prepare for about so many files."""
        self._folder = folder
        self._is_durable = is_durable
        self._syncs_at_end = (
            is_durable and count >= FEW and can_sync_all(folder) and syncfs_reports_failures()
        )
        self._open: list[int] = []
        self._names: list[str] = []
        self._folders = ["."]

    def make_folder(self, name: str) -> None:
        """Make a folder; whatever the umask, it is private."""
        try:
            os.mkdir(name, PRIVATE_FOLDER, dir_fd=self._folder.fd)
            os.chmod(name, PRIVATE_FOLDER, dir_fd=self._folder.fd)
        except OSError as error:
            refuse(error, os.path.join(self._folder.path, name), "made")
        self._folders.append(name)

    def write(self, name: str, mode: int, chunks: Iterator[bytes]) -> None:
        """Make a file with this content and this mode, whatever the umask."""
        try:
            fd = create(name, mode, self._folder.fd)
            self._open.append(fd)
            os.fchmod(fd, mode)
            for chunk in chunks:
                write_fully(fd, chunk)
        except OSError as error:
            refuse(error, os.path.join(self._folder.path, name), "written")
        self._names.append(name)
        if len(self._open) >= _OPEN_AT_ONCE:
            self._close_files()

    def flush(self) -> None:
        """Wait until everything is on the disk, if that is wanted.

        Raises:
            StorageError
        """
        self._close_files()
        if not self._is_durable:
            return
        if self._syncs_at_end:
            if sync_file_system(self._folder):
                return
            # There is no such call after all; what nobody was told of is told to who opens the file again.
            self._flush_again_opened(self._names)
        self._flush_again_opened(self._folders)

    def _flush_again_opened(self, names: list[str]) -> None:
        for name in names:
            path = os.path.join(self._folder.path, name)
            try:
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self._folder.fd)
                try:
                    flush(fd, path)
                finally:
                    os.close(fd)
            except OSError as error:
                refuse(error, path, "flushed")

    def _close_files(self) -> None:
        try:
            if self._is_durable and not self._syncs_at_end and self._open:
                flush_all(self._open, self._folder, can_sync_all=False)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        while self._open:
            os.close(self._open.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._let_go()
