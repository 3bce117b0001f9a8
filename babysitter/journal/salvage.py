"""What of a damaged journal can be proven whole.

An event proves itself: its checksum fits its bytes, and it names the event
before by *its* checksum. So it does not matter where its bytes are found: in
the file of its name, in one of another name, or in the reading cache, which
has a second copy of nearly every event. The journal is followed from its
beginning as far as any of these leads.

The cache alone is believed about the end of the journal only while it is that
of this very folder: in a copy it may tell of events that were never here. What
it knows to have been on the disk counts more than another event in that
place, which somebody must have put there later.
"""

from __future__ import annotations

import os

from babysitter.disk import Folder
from babysitter.errors import CorruptEvent, InvalidInput, StorageError, UnsafePath
from babysitter.files import read_regular
from babysitter.journal.cache import LINES, Cache
from babysitter.journal.events import Head, decode, file_name
from babysitter.journal.pieces import Piece, Pieces, read_event_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.journal.cache import Marker
    from babysitter.journal.events import Event

_MOST_CACHED = 1 << 32
_NOT_THERE = (FileNotFoundError, UnsafePath, InvalidInput)
_BAD_PLACE = "if the disk is bad there for good, go back to before it: --before {}"


class Kept:
    """An event that stays, the name that it has to have, and where its bytes are."""

    __slots__ = ("event", "name", "piece")

    def __init__(self, event: Event, name: str, piece: Piece) -> None:
        self.event = event
        self.name = name
        self.piece = piece

    @property
    def is_restored(self) -> bool:
        """It was not where it should be."""
        return self.piece.file != self.name


class Salvage:
    """The longest beginning of a journal that can be proven.

    Attributes:
        kept: its events in order; those that are where they should be without their bytes.
        head: the last of them.
        left: the other files of the journal folder.
    """

    def __init__(self, kept: list[Kept], head: Head, left: list[str]) -> None:
        self.kept = kept
        self.head = head
        self.left = left

    @property
    def restored(self) -> list[Kept]:
        """The events that were not where they should be."""
        return [kept for kept in self.kept if kept.is_restored]


def salvage(run_folder: str, run_id: str, folder: str, before: int | None = None) -> Salvage:
    """Find the longest provable beginning of a run's journal; reads only.

    ``folder`` is where the event files are; ``before`` is the number of an
    event at which to stop although it may be whole.

    Raises:
        UnsafePath: a link is in the folder's place.
        StorageError: something cannot be read now, and stands nowhere else.
    """
    search = _Search(run_folder, run_id, folder)
    head, kept = Head.genesis(run_id), list[Kept]()
    while before is None or head.seq + 1 < before:
        found = search.after(head)
        if found is None:
            break
        event, piece = found
        kept.append(Kept(event, file_name(head), piece))
        head = event
    used = {each.piece.file for each in kept}
    return Salvage(kept, head, [name for name in search.names if name not in used])


class _Search:
    """Finds the next event, wherever it is."""

    def __init__(self, run_folder: str, run_id: str, folder: str) -> None:
        self._folder = folder
        self._pieces: Pieces | None = None
        self.names, marker = _listed(run_folder, run_id, folder)
        self._readable = list(self.names)
        self._lines = cached_lines(run_folder)
        # Checksums by number, as far as the cache knows them to have been on the disk.
        self._known = _known(self._lines, run_id, marker)
        # Without a single file the cache is all there is.
        self._is_cache_believed = bool(self._known) or not self.names

    def after(self, head: Head) -> tuple[Event, Piece] | None:
        wanted = self._known.get(head.seq + 1)
        try:
            found, refusal = self._in_its_file(head), None
        except StorageError as error:
            found, refusal = None, error
            self._readable = [name for name in self._readable if name != file_name(head)]
        if found is not None and wanted in (None, found[0].checksum):
            return found
        others = [each for each in self._elsewhere(head) if wanted in (None, each[0].checksum)]
        if refusal is not None and not others:
            refusal.hint = _BAD_PLACE.format(head.seq + 1)
            raise refusal
        return others[0] if others else found

    def _in_its_file(self, head: Head) -> tuple[Event, Piece] | None:
        name = file_name(head)
        event = _decoded(read_event_file(self._folder, name), head)
        return None if event is None else (event, Piece(b"", name))

    def _elsewhere(self, head: Head) -> list[tuple[Event, Piece]]:
        if self._pieces is None:
            self._pieces = Pieces(self._folder, self._readable, self._lines)
        found = [(_decoded(piece.raw, head), piece) for piece in self._pieces.after(head.checksum)]
        return [
            (event, piece)
            for event, piece in found
            if event is not None and self._is_believed(event, piece, self._pieces)
        ]

    def _is_believed(self, event: Event, piece: Piece, pieces: Pieces) -> bool:
        return not piece.is_cached or self._is_cache_believed or event.checksum in pieces.named


def _listed(run_folder: str, run_id: str, folder: str) -> tuple[list[str], Marker | None]:
    try:
        with Folder(folder) as journal:
            return sorted(journal.names()), _marker(Cache(run_folder, run_id), journal)
    except FileNotFoundError:
        return [], None


def _marker(cache: Cache, journal: Folder) -> Marker | None:
    try:
        return cache.read_marker(journal)
    except _NOT_THERE:
        return None


def cached_lines(run_folder: str) -> list[bytes]:
    """The lines of the reading cache, of which nothing is believed yet."""
    try:
        content = read_regular(os.path.join(run_folder, "state", LINES), _MOST_CACHED)
    except _NOT_THERE:
        return []
    return content.splitlines(keepends=True)


def _known(lines: list[bytes], run_id: str, marker: Marker | None) -> dict[int, str]:
    """The checksums of the events that a whole cache knows to have been on the disk."""
    if marker is None:
        return {}
    head, known = Head.genesis(run_id), dict[int, str]()
    for line in lines[: marker.flushed[0]]:
        event = _decoded(line, head)
        if event is None:
            return {}
        head = event
        known[event.seq] = event.checksum
    return known if (head.seq, head.checksum) == tuple(marker.flushed) else {}


def _decoded(raw: bytes, head: Head) -> Event | None:
    try:
        return decode(raw, head)
    except CorruptEvent:
        return None
