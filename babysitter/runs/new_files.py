"""Many new files in a folder that nobody reads yet, flushed together."""

from __future__ import annotations

import os

from babysitter.disk import PRIVATE_FOLDER, Folder, create, flush, refuse, write_fully
from babysitter.flushing import flush_all, start_writing
from babysitter.staging import open_at_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self


class NewFiles:
    """They are on the disk, if they are to be durable, when ``flush`` returns."""

    def __init__(self, folder: Folder, *, is_durable: bool) -> None:
        self._folder = folder
        self._is_durable = is_durable
        self._most_open = open_at_once()
        self._open: list[int] = []
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
        if len(self._open) >= self._most_open:
            self._close_files()

    def flush(self) -> None:
        """Wait until everything is on the disk, if that is wanted.

        Raises:
            StorageError
        """
        self._close_files()
        for name in self._folders if self._is_durable else []:
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
            if self._is_durable:
                start_writing(self._open)
                flush_all(self._open, self._folder)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        while self._open:
            os.close(self._open.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._let_go()
