"""The whole events that can be found anywhere in a run folder, each by the event that it follows."""

from __future__ import annotations

from babysitter.disk import Folder
from babysitter.errors import InvalidInput, UnsafePath
from babysitter.journal.events import MAX_EVENT_BYTES, previous_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
        StorageError: it cannot be read now, which says nothing of it, and must not be taken for damage.
    """
    try:
        with Folder(folder) as journal:
            return journal.read(name, MAX_EVENT_BYTES)
    except (FileNotFoundError, UnsafePath, InvalidInput):
        return b""
