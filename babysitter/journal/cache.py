"""The verified events of a run in one file: reading it opens two files instead of thousands.

``state/events.jsonl`` holds the lines of the event files one after the other.
What stands at an offset follows from the journal alone, so writers that are
at it at once write the same bytes. ``state/head.json``, the marker, says how
far the lines go and has a digest over them. It is written over in place, with
a digest of itself: to put a new file in its place costs more than flushing an
event, because ext4 writes out the data of what is renamed over a file.

Nothing here is ever flushed, and whatever does not fit is passed over without
a word: the journal has it all. One thing the marker can say that the journal
cannot: which events were on the disk for certain. If one of those is gone,
somebody has removed it.
"""

from __future__ import annotations

import os
import stat

from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER, Folder, open_to_read, refuse
from babysitter.errors import BabysitterError, CorruptEvent
from babysitter.ids import running_sha256, sha256_hex
from babysitter.journal.events import MAX_EVENT_BYTES, Head, decode
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from babysitter.journal.events import Event

LAYOUT = 1
_OVERWRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK
LINES = "events.jsonl"
MARKER = "head.json"

_MARKER_BYTES = 64 << 10
# Always as long, so that the next one fits in its place.
_MARKER_SIZE = 1024
_CHECK_SIZE = len(',"check":""}') + 64
_CHUNK = 1 << 20


class Marker:
    """How far the lines go.

    Attributes:
        head: of the last line.
        size, digest: of all the lines.
        names: digest over the names of the event files, a line each.
        flushed: number and checksum of the last event known to be on the disk.
    """

    __slots__ = ("digest", "flushed", "head", "names", "size")

    def __init__(self, head: Head, size: int, digest: str, names: str, flushed: tuple[int, str]) -> None:
        self.head = head
        self.size = size
        self.digest = digest
        self.names = names
        self.flushed = flushed


class Cache:
    """The cache of one run, growing with what is read and written through one journal."""

    def __init__(self, run_folder: str, run_id: str) -> None:
        self.folder = os.path.join(run_folder, "state")
        self._run_id = run_id
        self.start_again()

    def start_again(self, expected_bytes: int = 0) -> None:
        """Forget what was read: the next event added is the first."""
        self._size = 0
        self._digest = running_sha256(expected_bytes)
        self._names = running_sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._works = True

    def stop(self) -> None:
        """Write nothing until the next start."""
        self._works = False

    # Reading

    def marker(self, journal: Folder) -> Marker | None:
        """What ``head.json`` says; None unless it is about this journal folder of this run."""
        try:
            with Folder(self.folder) as state:
                found = _whole(state) or _whole(state)
            if [found["layout"], found["runId"], found["journal"]] != [
                LAYOUT,
                self._run_id,
                journal.identity(),
            ]:
                return None
            return _checked_marker(found)
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            ArithmeticError,
            RecursionError,
            BabysitterError,
        ):
            # Absent, torn, garbage, a folder: in each case there is no cache.
            return None

    def open(self, marker: Marker, journal: Folder, names: Sequence[str]) -> int | None:
        """Open the lines if they are those of the marker and the journal still begins with them.

        ``names`` are the sorted names of the event files. All is checked that
        can be before a single event is passed on; None means "rebuild".
        """
        self.start_again(marker.size)
        fd = self._open_lines(marker, journal, names[: marker.head.seq])
        if fd is None:
            self.start_again()
        return fd

    def _open_lines(self, marker: Marker, journal: Folder, listed: Sequence[str]) -> int | None:
        self._names.update("".join([name + "\n" for name in listed]).encode())
        if len(listed) < marker.head.seq or self._names.hexdigest() != marker.names:
            return None
        fd = -1
        try:
            with Folder(self.folder) as state:
                fd = open_to_read(LINES, state.fd)
            if self._has_digest(fd, marker) and self._ends_with_head(fd, marker, journal, listed[-1]):
                self._size = marker.size
                return fd
        except (OSError, BabysitterError):
            # The same as above: a file that cannot be read is a cache that is not there.
            pass
        if fd >= 0:
            os.close(fd)
        return None

    def _has_digest(self, fd: int, marker: Marker) -> bool:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return False
        left = marker.size
        while left and (chunk := os.read(fd, min(left, _CHUNK))):
            self._digest.update(chunk)
            left -= len(chunk)
        return not left and self._digest.hexdigest() == marker.digest

    def _ends_with_head(self, fd: int, marker: Marker, journal: Folder, name: str) -> bool:
        # The last line is compared with the truth. As each line names the one
        # before by its checksum, this vouches for all of them.
        raw = journal.read(name, MAX_EVENT_BYTES)
        start = marker.size - len(raw)
        # A whole line: of an event that was cut down, the rest would be found at the end too.
        before = os.pread(fd, 1, start - 1) if start > 0 else b"\n"
        return start >= 0 and before == raw[-1:] == b"\n" and os.pread(fd, len(raw), start) == raw

    def events(self, fd: int, marker: Marker, head: Head) -> Iterator[Event]:
        """The events in the lines that ``open`` has opened, each verified; closes ``fd``.

        Raises:
            CorruptEvent: the lines were forged, digest and all.
        """
        os.lseek(fd, 0, os.SEEK_SET)
        with open(fd, "rb", buffering=_CHUNK) as lines:
            try:
                while head.seq < marker.head.seq:
                    head = event = decode(lines.readline(MAX_EVENT_BYTES), head)
                    yield event
            except CorruptEvent as error:
                raise self._forged(error.message) from error
            except OSError as error:
                refuse(error, os.path.join(self.folder, LINES), "read")
            if head != marker.head or lines.tell() != marker.size:
                raise self._forged("it ends with another event than it should")

    def _forged(self, reason: str) -> CorruptEvent:
        path = os.path.join(self.folder, LINES)
        return CorruptEvent(
            f"the cache {path!r} was altered: {reason}", hint="delete the folder 'state' of the run"
        )

    # Writing

    def add(self, raw: bytes, name: str) -> None:
        """Take the next event in; it is written with the next ``save`` at the latest."""
        if not self._works:
            return
        self._digest.update(raw)
        self._names.update(name.encode() + b"\n")
        self._size += len(raw)
        self._waiting.append(raw)
        self._waiting_bytes += len(raw)
        if self._waiting_bytes > _CHUNK:
            self._write(None)

    def save(self, journal: Folder, head: Head, flushed: tuple[int, str]) -> None:
        """Write the lines that were added, and the marker."""
        marker = {
            "layout": LAYOUT,
            "runId": self._run_id,
            "journal": journal.identity(),
            "seq": head.seq,
            "checksum": head.checksum,
            "ms": head.ms,
            "size": self._size,
            "sha256": self._digest.hexdigest(),
            "names": self._names.hexdigest(),
            "flushed": flushed,
        }
        body = compact(marker).encode()[:-1]
        self._write((body + _check_of(body)).ljust(_MARKER_SIZE - 1) + b"\n")

    def _write(self, marker: bytes | None) -> None:
        if not self._works:
            return
        try:
            with self._open_folder() as state:
                self._write_lines(state)
                if marker is not None and not _written_over(state, marker):
                    state.replace(MARKER, marker)
        except (OSError, BabysitterError):
            # A full disk or a read-only folder must not keep anybody from
            # reading or from going on. A cache that lacks lines only costs time.
            self.stop()

    def _open_folder(self) -> Folder:
        try:
            return Folder(self.folder)
        except FileNotFoundError:
            os.mkdir(self.folder, PRIVATE_FOLDER)
            return Folder(self.folder)

    def _write_lines(self, state: Folder) -> None:
        if not self._waiting:
            return
        fd = os.open(LINES, _OVERWRITE | os.O_CREAT, PRIVATE_FILE, dir_fd=state.fd)
        try:
            if not _is_ours(os.fstat(fd)):
                raise OSError("not a file of our own")
            rest = b"".join(self._waiting)
            start = self._size - len(rest)
            while rest:
                written = os.pwrite(fd, rest, start)
                rest, start = rest[written:], start + written
        finally:
            os.close(fd)
        self._waiting, self._waiting_bytes = [], 0


def _written_over(state: Folder, marker: bytes) -> bool:
    """Whether the marker could be written in the place of the one before."""
    try:
        fd = os.open(MARKER, _OVERWRITE, dir_fd=state.fd)
    except OSError:
        return False
    try:
        found = os.fstat(fd)
        is_fit = _is_ours(found) and found.st_size == len(marker)
        return is_fit and os.pwrite(fd, marker, 0) == len(marker)
    finally:
        os.close(fd)


def _is_ours(found: os.stat_result) -> bool:
    """A plain file that has no second name, under which it may be somebody else's."""
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def _check_of(body: bytes) -> bytes:
    """The last key of the marker: a digest over all before it."""
    return b',"check":"' + sha256_hex(body).encode() + b'"}'


def _whole(state: Folder) -> dict[str, Any]:
    """What the marker says; nothing when it is torn, or just being written."""
    raw = state.read(MARKER, _MARKER_BYTES).rstrip()
    body = raw[:-_CHECK_SIZE]
    return loads(raw) if raw[-_CHECK_SIZE:] == _check_of(body) else {}


def _checked_marker(found: dict[str, Any]) -> Marker:
    flushed = found["flushed"]
    head = Head(int(found["seq"]), str(found["checksum"]), int(found["ms"]))
    marker = Marker(
        head,
        int(found["size"]),
        str(found["sha256"]),
        str(found["names"]),
        (int(flushed[0]), str(flushed[1])),
    )
    if not 0 <= marker.flushed[0] <= head.seq or not head.seq > 0 or marker.size < 0:
        raise ValueError("numbers that cannot be")
    return marker
