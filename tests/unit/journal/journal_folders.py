"""A run folder to be written to, read, and damaged."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING, Any

from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from babysitter.journal.events import Event

RUN_ID = "run-1"
NOW = 1_795_484_901_123


class RunFolder:
    """One run on disk. ``open`` gives what a new command would have."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "journal"
        self.state = path / "state"
        self.quarantine = path / "quarantine"
        for folder in (path, self.journal, self.state):
            folder.mkdir()

    def open(self, run_id: str = RUN_ID) -> Journal:
        return Journal(str(self.path), run_id)

    def loaded(self) -> Journal:
        journal = self.open()
        journal.load(lambda event: None)
        return journal

    def write(self, *sizes: int, now: int = NOW) -> Journal:
        """Append batches of these sizes; each event says its number."""
        journal = self.loaded()
        for size in sizes:
            first = journal.head.seq + 1
            journal.append([("NOTE", {"n": first + index}) for index in range(size)], now)
        return journal

    def files(self) -> list[Path]:
        return sorted(self.journal.iterdir())

    def numbers(self) -> list[int]:
        """What a reader sees."""
        seen: list[Event] = []
        self.open().load(seen.append)
        return [event.data["n"] for event in seen]

    def forget_cache(self) -> None:
        shutil.rmtree(self.state)

    def cut_power(self, *lost: int) -> None:
        """Lose these events, and all that was never flushed: what a power cut may do to the last batch."""
        files = self.files()
        for number in lost:
            files[number - 1].unlink()
        self.forget_cache()

    def snapshot(self) -> dict[str, Any]:
        """Everything that is the journal's, to see that nothing was touched."""
        return {path.name: path.read_bytes() for path in self.files() if path.is_file()}


class Calls:
    """What was flushed and linked, in order, by name or inode."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, Any]] = []
        self._fsync, self._link = os.fsync, os.link
        self.fail_at: dict[str, int] = {}
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "link", self.link)

    def _note(self, call: str, what: Any) -> None:
        self.made.append((call, what))
        if call in self.fail_at:
            raise OSError(self.fail_at[call], os.strerror(self.fail_at[call]))

    def fsync(self, fd: int) -> None:
        found = os.fstat(fd)
        self._note("flush folder" if stat.S_ISDIR(found.st_mode) else "flush file", found.st_ino)
        self._fsync(fd)

    def link(self, source: str, name: str, **options: Any) -> None:
        self._note("link", name)
        self._link(source, name, **options)

    def kinds(self) -> list[str]:
        return [call for call, _ in self.made]
