"""A packed run: one file, read with suspicion, because a repository may have brought it.

It is a zip, so that other programs can look into it and single members can be
read without the rest. Its members are the files of the run folder, but the
events stand one after the other in ``journal.jsonl`` (the names of their files
follow from the chain), and ``packed.json`` says what the run is and has the
digest of every other file. Folders are members too.
"""

from __future__ import annotations

import os
import stat

from babysitter.disk import Folder, open_to_read
from babysitter.errors import UnsafePath
from babysitter.ids import running_sha256
from babysitter.journal.events import MAX_EVENT_BYTES, Head, decode, file_name
from babysitter.runs.members import ABOUT, LINES, checked, corrupt, read_about, read_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Self

    from babysitter.journal.events import Event

CHUNK = 1 << 20


class Packed:
    """A packed run, open. Only what was checked comes out of it.

    Attributes:
        about: what ``packed.json`` says.
        files: the names of the files of the run folder that it holds; the events are not among them.
        folders: the names of the folders, each before what is in it.
        executable: those of the files that their owner may run.
        size: of all files together, unpacked; ``packed_size`` is that of the archive.
        identity: tells the archive from every other file of the machine.
    """

    def __init__(self, path: str) -> None:
        """Open it and check everything that can be without unpacking it.

        Raises:
            FileNotFoundError: there is none.
            CorruptArchive: it is not what babysitter packs.
            UnsafePath: it is a link, belongs to somebody else, or would lead out of the run folder.
            UnknownLayout: a later version packed it.
        """
        from zipfile import ZipFile

        self.path = path
        self._file = _open(path)
        try:
            found = os.fstat(self._file.fileno())
            self.identity = (found.st_dev, found.st_ino)
            self.packed_size = found.st_size
            with checked(path):
                self._zip = ZipFile(self._file)
                self._members = read_members(self._zip, path)
                self.about = read_about(self._zip, self._members, path)
        except BaseException:
            self._file.close()
            raise
        self.size = self.size_without(frozenset())
        self.folders: list[str] = self.about["folders"]
        self.executable = frozenset(self.about["executable"])
        self.files = sorted(self.about["files"].keys() - {LINES})

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file, piece by piece.

        Raises:
            CorruptArchive: it is not what was packed; found out at its end.
        """
        digest, size = running_sha256(self._members[name].file_size), 0
        with checked(self.path), self._zip.open(self._members[name]) as member:
            while chunk := member.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        self._check_content(name, digest.hexdigest(), size)

    def events(self) -> Iterator[tuple[str, bytes, Event]]:
        """Every event, with the name and the bytes of its file, each checked against the one before.

        Raises:
            CorruptEvent, CorruptArchive
        """
        head = Head.genesis(self.about["runId"])
        digest, size = running_sha256(self._members[LINES].file_size), 0
        with checked(self.path), self._zip.open(self._members[LINES]) as member:
            while raw := member.readline(MAX_EVENT_BYTES + 1):
                digest.update(raw)
                size += len(raw)
                name = file_name(head)
                head = event = decode(raw, head)
                yield name, raw, event
        self._check_content(LINES, digest.hexdigest(), size)
        if (head.seq, head.checksum) != (self.about["events"], self.about["checksum"]):
            raise corrupt(self.path, f"its journal ends with event {head.seq}, and not as {ABOUT} says")

    def check(self) -> None:
        """Read everything in it.

        Raises:
            CorruptArchive, CorruptEvent
        """
        for name in self.files:
            for _ in self.chunks(name):
                pass
        for _ in self.events():
            pass

    def size_without(self, left_out: frozenset[str]) -> int:
        """Of all files but those in some of the folders."""
        sizes = [
            member.file_size
            for name, member in self._members.items()
            if name.partition("/")[0] not in left_out
        ]
        return sum(sizes)

    def _check_content(self, name: str, digest: str, size: int) -> None:
        if (digest, size) != (self.about["files"][name], self._members[name].file_size):
            raise corrupt(self.path, f"{name!r} is not what was packed")


def _open(path: str) -> BinaryIO:
    with Folder(os.path.dirname(path)) as folder:
        fd = open_to_read(os.path.basename(path), folder.fd, shown=path)
    file = open(fd, "rb")  # noqa: SIM115 - it stays open with the packed run
    found = os.fstat(fd)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        return file
    file.close()
    raise UnsafePath(f"{path!r} is not a regular file of your own", hint="copy the archive and use the copy")
