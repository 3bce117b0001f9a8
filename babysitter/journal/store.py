"""The journal of a run on disk: load, read since, append, verify.

Correctness rests on one thing: the name of the next event file is computed
from the event before, and ``link(2)`` gives that name to one writer only. No
lock is needed to read, and none to write.
"""

from __future__ import annotations

import os

from babysitter.disk import NO_LINKS, Folder, refuse
from babysitter.errors import (
    CorruptEvent,
    HeadMoved,
    InvalidInput,
    JournalError,
    MissingEvent,
    RunBusy,
    StorageError,
    UnsafePath,
)
from babysitter.journal.cache import Cache
from babysitter.journal.events import MAX_EVENT_BYTES, Event, Head, decode, encode, encoded_head, file_name
from babysitter.journal.listing import check_known, check_listing, check_tail, event_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from babysitter.journal.events import Draft
    from babysitter.staging import Staged

    Visit = Callable[[Event], object]


class Journal:
    """The ordered, write-once record of one run.

    Attributes:
        head: of what has been read or written through this object.
    """

    def __init__(self, run_folder: str, run_id: str) -> None:
        self.run_folder = run_folder
        self.run_id = run_id
        self.folder = os.path.join(run_folder, "journal")
        self._cache = Cache(run_folder, run_id)
        self._flush_failed = False
        self._has_written = False
        self._quarantine = os.path.join(run_folder, "quarantine")
        self._start_again()
        # Where the event behind the head would be, as far as somebody has asked.
        self._next: tuple[Head | None, str] = (None, "")

    def _start_again(self) -> None:
        self.head: Head = Head.genesis(self.run_id)
        # Of the folder that was read: a repair puts another one in its place.
        self._identity: list[int] | None = None
        # The file of the head; empty while there is none.
        self._head_name = ""
        # The last number and the time of the batch that the head belongs to.
        self._batch = (0, 0)
        # The last event known to be on the disk under its name.
        self._flushed = (0, self.head.checksum)

    @property
    def unfinished_batch(self) -> int:
        """How many events an interrupted batch lacks behind the head; nobody was told of that batch."""
        return max(0, self._batch[0] - self.head.seq)

    @property
    def has_more(self) -> bool:
        """Somebody has written an event behind the head; it costs next to nothing to ask."""
        if self._next[0] is not self.head:
            self._next = self.head, os.path.join(self.folder, file_name(self.head))
        return os.path.lexists(self._next[1])

    # Reading

    def load(self, visit: Callable[[Event], object], *, use_cache: bool = True) -> Head:
        """Visit every event in order and return the head.

        Events come from the cache in ``state/`` as far as it fits, then from
        their files. Needs no lock and repairs nothing. What ``visit`` has seen
        counts only when this returns: a gap may be found after the last event.

        Raises:
            CorruptEvent, MissingEvent, TailRemoved: the journal cannot be trusted.
            StorageError
        """
        try:
            return self._load(visit, use_cache=use_cache)
        except JournalError as error:
            raise self._hinted(error) from None

    def _load(self, visit: Callable[[Event], object], *, use_cache: bool) -> Head:
        self._start_again()
        with self._open_same() as journal:
            # The marker before the listing, the listing before the events:
            # each can then only be behind what comes after it, never ahead.
            marker = self._cache.marker(journal)
            names = event_names(journal)
            self._cache.start_again()
            if not use_cache:
                self._cache.stop()
            if marker is not None:
                self._flushed = marker.flushed
                lines = self._cache.open(marker, journal, names) if use_cache else None
                if lines is not None:
                    for event in self._cache.events(lines, marker, self.head):
                        visit(event)
                    self._take(event, names[event.seq - 1])
            cached = self.head.seq
            fresh = self._follow(journal, visit)
            self._batch = check_listing(journal, names[cached:], fresh, self.head, self._batch)
            # Of a journal that is being put away only a beginning may have been there to be read.
            self._check_place(journal)
            check_tail(names, self.head, self._flushed)
            if fresh:
                self._cache.save(journal, self.head, self._flushed)
        return self.head

    def verify(self) -> Head:
        """Read and check everything from the event files alone; return the head.

        Raises:
            CorruptEvent, MissingEvent, TailRemoved, StorageError
        """
        return Journal(self.run_folder, self.run_id).load(lambda event: None, use_cache=False)

    def read_since(self, visit: Callable[[Event], object]) -> Head:
        """Visit what was written after ``head``; one open that fails when there is nothing.

        Raises:
            CorruptEvent, StorageError
        """
        try:
            with self._open_same() as journal:
                if self._follow(journal, visit):
                    self._cache.save(journal, self.head, self._flushed)
        except JournalError as error:
            raise self._hinted(error) from None
        return self.head

    def _hinted(self, error: JournalError) -> JournalError:
        """The error with the way out, which needs the run's id."""
        error.hint = error.hint or f"babysitter doctor {self.run_id}"
        return error

    def _follow(self, journal: Folder, visit: Visit) -> list[str]:
        """Read on from the head by computed names; return the names that were there."""
        fresh: list[str] = []
        while True:
            name = file_name(self.head)
            try:
                raw = journal.read(name, MAX_EVENT_BYTES)
            except FileNotFoundError:
                return fresh
            except (UnsafePath, InvalidInput) as error:
                raise CorruptEvent(f"the event {name!r} cannot be one: {error.message}") from error
            event = decode(raw, self.head)
            check_known(event, self._flushed)
            self._cache.add(raw, name)
            self._take(event, name)
            fresh.append(name)
            visit(event)

    def _take(self, event: Event, name: str) -> None:
        self._head_name = name
        self.head = event
        self._batch = (event.batch_end, event.ms)

    def _open_same(self) -> Folder:
        """Open the folder, which has to be the one that was read before."""
        try:
            journal = Folder(self.folder)
        except FileNotFoundError:
            raise MissingEvent(f"the journal folder {self.folder!r} is absent") from None
        identity = journal.identity()
        if self._identity is None:
            self._identity = identity
        elif self._identity != identity:
            journal.close()
            raise self._replaced()
        return journal

    def _check_place(self, journal: Folder) -> None:
        """What was written counts only where readers look for it.

        A repair moves the folder away first, and then takes along whatever it
        finds in it. So an event that was linked before this look is not lost.
        """
        try:
            found = os.stat(self.folder, follow_symlinks=False)
        except OSError:
            raise self._replaced() from None
        if [found.st_dev, found.st_ino] != journal.identity():
            raise self._replaced()

    def _replaced(self) -> RunBusy:
        return RunBusy(
            f"the journal of run {self.run_id!r} was repaired while this command was at work",
            hint="nothing of this was acknowledged; call it again",
        )

    # Writing

    def append(self, drafts: Sequence[Draft], now_ms: int) -> list[Event]:
        """Write events at the end of the journal; return them as a reader gets them.

        They are durable when this returns. A kill at any moment leaves a
        beginning of them, each one whole; after a power cut some may be left
        without those before them, and the next writer moves these aside.
        Nothing of that was acknowledged.

        Their time is ``now_ms``, or that of the head when it is later. A draft may bring a time of
        its own, in a journal that nobody else can see yet.

        Raises:
            HeadMoved: another writer was first; read on and decide again.
            RunBusy: the journal was repaired meanwhile.
            StorageError: the disk refused; what is left of the events may still be read.
            TypeError, ValueError, InvalidInput: a draft is not JSON or too large; nothing was written.
        """
        if not drafts:
            return []
        self._check_flushes()
        with self._open_same() as journal:
            if self._head_name and not journal.has(self._head_name):
                # A repair has cut it off, and another one got the inode of the folder that was read.
                raise self._replaced()
            try:
                return self._write(journal, drafts, now_ms)
            except FileNotFoundError:
                # A repair has removed the folder that is open here.
                self._check_place(journal)
                raise

    def _write(self, journal: Folder, drafts: Sequence[Draft], now_ms: int) -> list[Event]:
        # Not when reading: it is needed by writers only.
        from babysitter.staging import stage

        self._sweep(journal)
        raws = self._encode(drafts, now_ms)
        with stage(journal, self._cache.folder, raws) as staged:
            # Meanwhile the disk is at work.
            events = self._decode(raws)
            names = [file_name(head) for head in [self.head, *events[:-1]]]
            self._publish(journal, staged, names)
        for name, raw, event in zip(names, raws, events, strict=True):
            self._cache.add(raw, name)
            self._take(event, name)
        self._note_flushed()
        self._has_written = True
        self._cache.save(journal, self.head, self._flushed)
        return events

    def keep_no_cache(self) -> None:
        """Write no cache: it would say what is on the disk of a run that is not yet where it will be."""
        self._cache.stop()

    def flush(self) -> None:
        """Make durable what was read: an answer may rest on what another writer has only just linked.

        Raises:
            StorageError
        """
        self._check_flushes()
        if self._flushed[0] < self.head.seq:
            with self._open_same() as journal:
                self._sync(journal)
                self._check_place(journal)
            self._note_flushed()

    def _encode(self, drafts: Sequence[Draft], now_ms: int) -> list[bytes]:
        ms = max(now_ms, self.head.ms)
        if self._batch[0] > self.head.seq:
            # The events of a batch share one time. A later one makes sure that
            # this event differs from the one that was to stand here, and so do
            # the names after it: a file that a slow sweeper still means to
            # move aside can never be one of ours.
            ms = max(ms, self._batch[1] + 1)
        first = self.head.seq + 1
        batch = [first, first + len(drafts) - 1] if len(drafts) > 1 else None
        head, raws = self.head, []
        for kind, data, *own_time in drafts:
            ms = max(ms, *own_time) if own_time else ms
            raws.append(encode(head, kind, ms, data, batch))
            head = encoded_head(raws[-1], head, ms)
        return raws

    def _decode(self, raws: Sequence[bytes]) -> list[Event]:
        head, events = self.head, []
        for raw in raws:
            head = event = decode(raw, head)
            events.append(event)
        return events

    def _publish(self, journal: Folder, staged: Staged, names: Sequence[str]) -> None:
        if self._flushed[0] < self.head.seq:
            # What another writer has linked may not be on the disk yet. A
            # power cut may then lose it and keep what stands behind it,
            # outside of any batch, and that would be a missing event.
            self._sync(journal)
            self._note_flushed()
        for index, name in enumerate(names):
            self._link(journal, staged, index, name)
        self._sync(journal)
        self._check_place(journal)

    def _link(self, journal: Folder, staged: Staged, index: int, name: str) -> None:
        try:
            staged.link(index, name)
        except FileExistsError:
            # A network file system that has lost its answer tries again, and finds what it
            # has just made. By the file and not by its bytes: two that write the same at
            # the same time must not both hear that they were first.
            if not staged.has(index, name):
                raise HeadMoved(
                    f"{name!r} of run {self.run_id!r} was written by another command first"
                ) from None
        except OSError as error:
            refuse(error, os.path.join(journal.path, name), "linked", NO_LINKS)

    def _sync(self, journal: Folder) -> None:
        try:
            journal.sync()
            if self.head.seq and not self._flushed[0]:
                # Whoever made the run may have been killed before it had flushed the way to it.
                for path in (self.run_folder, os.path.join(self.run_folder, os.pardir)):
                    with Folder(path) as folder:
                        folder.sync()
        except StorageError:
            self._flush_failed = True
            raise

    def _check_flushes(self) -> None:
        if self._flush_failed:
            # A second fsync would succeed without what the first one lost.
            raise StorageError(
                f"the journal {self.folder!r} could not be flushed before, so nothing more is written to it",
                hint="look at the disk, then start the command again",
            )

    def _note_flushed(self) -> None:
        self._flushed = (self.head.seq, self.head.checksum)

    def _sweep(self, journal: Folder) -> None:
        # Only after an interruption, so not paid for by everybody else. When the first event of a
        # batch is lost, and the last of the others moved aside, only the quarantine tells of it.
        is_left = self._batch[0] > self.head.seq
        if not is_left and (self._has_written or not os.path.lexists(self._quarantine)):
            return
        from babysitter.journal.sweep import flush_swept, sweep

        try:
            if is_left:
                sweep(self.run_folder, journal, self.head, self._batch[0])
            flush_swept(self.run_folder, journal)
        except StorageError:
            self._flush_failed = True
            raise
