"""The whole events that can be found anywhere in a run folder, each by the event that it follows."""

from __future__ import annotations

import errno

from babysitter.disk import Folder
from babysitter.errors import InvalidInput, StorageError, UnsafePath
from babysitter.journal.events import MAX_EVENT_BYTES, previous_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeVar

    Read = TypeVar("Read")

_TRIES = 3
_BOM = b"\xef\xbb\xbf"


class Piece:
    """The bytes of one event.

    Attributes:
        file: the file of the journal folder that has exactly these bytes; empty when none has.
        is_cached: the reading cache alone has them.
    """

    __slots__ = ("file", "is_cached", "raw")

    def __init__(self, raw: bytes, file: str, *, is_cached: bool = False) -> None:
        self.raw = raw
        self.file = file
        self.is_cached = is_cached


class Pieces:
    """An index of pieces.

    Attributes:
        named: the checksums that some file of the journal names as that of the event before it.
    """

    def __init__(self, folder: str, names: Sequence[str], cached: Iterable[bytes]) -> None:
        self.named: set[str] = set()
        self._by_prev: dict[str, list[Piece]] = {}
        for name in names:
            self._add_file(name, read_event_file(folder, name))
        for line in cached:
            self._add(Piece(line, "", is_cached=True))

    def after(self, checksum: str) -> list[Piece]:
        """The pieces that name the event of this checksum as the one before, those in files first."""
        return self._by_prev.get(checksum, [])

    def _add_file(self, name: str, content: bytes) -> None:
        if not self._add(Piece(content, name)):
            # An editor or a transfer may have changed nothing but the ends of the lines.
            plain = content.removeprefix(_BOM).replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
            if plain != content:
                self._add(Piece(plain, ""))

    def _add(self, piece: Piece) -> bool:
        prev = previous_of(piece.raw)
        if prev is None:
            return False
        if not piece.is_cached:
            self.named.add(prev)
        self._by_prev.setdefault(prev, []).append(piece)
        return True


def read_event_file(folder: str, name: str) -> bytes:
    """The content of a file of the journal folder; nothing when there is none, or none that can be an event.

    Raises:
        StorageError: as of ``read_past_faults``.
    """

    def read() -> bytes:
        with Folder(folder) as journal:
            return journal.read(name, MAX_EVENT_BYTES)

    return read_past_faults(read) or b""


def read_past_faults(read: Callable[[], Read]) -> Read | None:
    """What ``read`` gives; None when there is nothing to be read, or a bad place on the disk is in its way.

    Raises:
        StorageError: any other refusal. It says nothing of the file, and must not be taken for damage.
    """
    for _ in range(_TRIES):
        try:
            return read()
        except (FileNotFoundError, UnsafePath, InvalidInput):
            return None
        except StorageError as error:
            # A bad place stays bad.
            if getattr(error.__cause__, "errno", 0) != errno.EIO:
                raise
    return None
