"""One output stream of a child: redacted, written to its file as it comes, hashed, its end kept in memory.

The redacted stream is what there is of it: its file, digest, size and end agree. Only
what is asked for as a value is kept as the child wrote it.
"""

from __future__ import annotations

import os
import time

from babysitter.disk import create, refuse, write_fully
from babysitter.executors.folders import open_folder
from babysitter.ids import running_sha256
from babysitter.redaction import Redaction

# 64 KiB is what a pipe holds.
PIECE_BYTES = 1 << 16
TAIL_BYTES = 8 << 10
LINE_LENGTH = 200
BEGINNING_BYTES = 240

# Output can be of any size, and the driver lives long enough to load the fast hash.
_ANY_SIZE = 1 << 20


class Output:
    """What a child wrote to one stream, however much it is.

    Attributes:
        size: of what is written, in bytes, so far.
        moved_at: the monotonic time of the last piece.
        kept: the beginning of the stream as it came, as much of it as was asked for.
        beginning: of what is written, for a message.
    """

    __slots__ = (
        "_file",
        "_is_begun",
        "_keeps",
        "_path",
        "_redacting",
        "_sha256",
        "_tail",
        "beginning",
        "kept",
        "moved_at",
        "size",
    )

    def __init__(self, path: str, redaction: Redaction | None = None) -> None:
        """The file of an earlier start goes away. Without ``redaction`` the built-in rules hold.

        An empty ``path``: there is no file, only what is known of the stream.
        """
        redaction = redaction or Redaction()
        self._path = path
        self._file = -1
        self._is_begun = False
        self._redacting = redaction.stream() if redaction.is_on else None
        self._sha256 = running_sha256(_ANY_SIZE)
        self._tail = b""
        self._keeps = 0
        self.kept = bytearray()
        self.beginning = b""
        self.size = 0
        self.moved_at = 0.0
        if path:
            _remove(path)

    def reserve(self) -> None:
        """Make sure of a descriptor. The file itself is made for the first byte: most commands are silent.

        Raises:
            StorageError: there are no more descriptors.
        """
        if self._file < 0:
            try:
                self._file = os.open(os.devnull, os.O_WRONLY)
            except OSError as error:
                refuse(error, self._path, "written")

    def keep(self, most: int) -> None:
        """Keep the next bytes, and no older ones: one more than ``most``, so that "too much" shows."""
        self._keeps = most + 1 if most else 0
        self.kept = bytearray()

    def take(self, piece: bytes) -> None:
        """Take what came next.

        Raises:
            StorageError: it cannot be written to the file.
        """
        self.moved_at = time.monotonic()
        if len(self.kept) < self._keeps:
            self.kept += piece[: self._keeps - len(self.kept)]
        self._put(piece if self._redacting is None else self._redacting.take(piece))

    def finish(self) -> None:
        """The child is over: take also what was held back because it could have become a secret.

        Raises:
            StorageError: as in ``take``.
        """
        if self._redacting is not None:
            self._put(self._redacting.finish())

    def _put(self, piece: bytes) -> None:
        if not piece:
            return
        if self._path:
            self._write(piece)
        self._sha256.update(piece)
        if self.size < BEGINNING_BYTES:
            self.beginning = (self.beginning + piece[:BEGINNING_BYTES])[:BEGINNING_BYTES]
        self.size += len(piece)
        self._tail = piece[-TAIL_BYTES:] if len(piece) >= TAIL_BYTES else (self._tail + piece)[-TAIL_BYTES:]

    def _write(self, piece: bytes) -> None:
        try:
            if not self._is_begun:
                self._let_go()
                self._file = _create_anew(self._path)
                self._is_begun = True
            write_fully(self._file, piece)
        except OSError as error:
            refuse(error, self._path, "written")

    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def tail(self) -> str:
        """The last 8 KiB as text, from the beginning of a line if there is one."""
        tail = self._tail
        if self.size > len(tail):
            _, newline, lines = tail.partition(b"\n")
            # A long line without an end begins somewhere; in the middle of a character is no place.
            tail = lines if newline and lines else tail.lstrip(_CONTINUATION)
        return tail.decode("utf-8", "replace")

    def last_line(self) -> str:
        """The last line that says something; a carriage return begins a line, as progress bars use it.

        Also of what is held back so much is shown as cannot be a secret.
        """
        held = b"" if self._redacting is None else self._redacting.peek()
        lines = (self._tail + held).replace(b"\r", b"\n").rstrip().rsplit(b"\n", 1)
        return lines[-1][: LINE_LENGTH * 4].decode("utf-8", "replace").strip()[:LINE_LENGTH]

    def close(self) -> None:
        """Finish, and close the file; what is known of the stream stays.

        Raises:
            StorageError: as in ``take``; the file is closed.
        """
        try:
            self.finish()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _create_anew(path: str) -> int:
    """A file of our own, never one that is there: also beside a driver that does not see our locks."""
    name = os.path.basename(path)
    with open_folder(os.path.dirname(path)) as folder:
        for _ in range(_MOST_TRIES):
            try:
                return create(name, folder_fd=folder.fd)
            except FileExistsError:
                _remove(path)
        return create(name, folder_fd=folder.fd)


def _remove(path: str) -> None:
    try:
        with open_folder(os.path.dirname(path)) as folder:
            os.unlink(os.path.basename(path), dir_fd=folder.fd)
    except FileNotFoundError:
        pass
    except OSError as error:
        refuse(error, path, "removed")


_MOST_TRIES = 10
_CONTINUATION = bytes(range(0x80, 0xC0))
