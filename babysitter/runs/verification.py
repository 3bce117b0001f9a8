"""Check all of a run that can be proven, from its files alone. Reads only."""

from __future__ import annotations

import os

from babysitter.disk import Folder
from babysitter.engine.state import CONTINUED
from babysitter.errors import CorruptEvent, InvalidInput, MissingEvent, UnsafePath
from babysitter.ids import sha256_hex
from babysitter.journal.cache import MARKER, Cache
from babysitter.journal.listing import event_names
from babysitter.runs.run import LARGEST_OWN_FILE, MOST_ABOUT, Run, check_ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.journal.events import Event, Head

WHOLE, ABSENT, BEHIND, UNUSABLE = "whole", "absent", "behind", "unusable"


class Verified:
    """What was checked.

    Attributes:
        head: of the journal.
        files: how many files that events refer to.
        children: how many child runs were found to be as the run has recorded them.
        cache: ``whole``, ``absent``, ``behind`` (lacks new events) or ``unusable``; each is harmless.
    """

    __slots__ = ("cache", "children", "files", "head", "run")

    def __init__(self, run: Run, head: Head, files: int, cache: str) -> None:
        self.children = 0
        self.run = run
        self.head = head
        self.files = files
        self.cache = cache


class Reference:
    """A file that an event refers to by its digest.

    Attributes:
        what: it is, for a message.
        seq: the number of the event that needs it, 1 for what the run began with.
        effect: the id of the effect that it belongs to, if any.
        is_needed: the run cannot go on without it.
    """

    __slots__ = ("digest", "effect", "file", "is_needed", "seq", "what")

    def __init__(
        self, what: str, file: str, digest: str, seq: int, effect: str = "", *, is_needed: bool = True
    ) -> None:
        self.what = what
        self.file = file
        self.digest = digest
        self.seq = seq
        self.effect = effect
        self.is_needed = is_needed

    def way_out(self, run_id: str) -> str:
        """What to do when the file is lost; ``run_id`` as it is to be named in a command."""
        if not self.is_needed:
            return "put the file back as it was; nothing that is still to be done needs it"
        if self.file == "run.json":
            return f"babysitter repair {run_id} --dry-run"
        if self.seq == 1:
            return "put the file back as it was; without it the run can be read, but not go on"
        again = f"babysitter repair {run_id} --before {self.seq}"
        return f"put the file back as it was, or ask for it again: {again}"


def verify(run: Run, see: Callable[[Event], object] | None = None) -> Verified:
    """Check the chain, the names and the shape of every event, and the digest of every file.

    ``see`` is called with each event, for those who want to show progress.

    Raises:
        JournalError: names the first fault.
        UnsafePath, StorageError
    """
    load_from_files(run, see)
    run.check_about()
    checked = 0
    for reference in references(run):
        fault = fault_of(run, reference)
        if fault is not None:
            raise fault
        checked += 1
    return Verified(run, run.journal.head, checked, cache_of(run))


def load_from_files(run: Run, see: Callable[[Event], object] | None = None) -> None:
    """Read the journal from its files, past the cache.

    Raises:
        JournalError, UnsafePath, StorageError
    """

    def visit(event: Event) -> None:
        run.state.apply(event)
        if see is not None:
            see(event)

    run.journal.load(visit, use_cache=False)
    if not run.state.created:
        raise MissingEvent(f"the journal of run {run.run_id!r} is empty, not even its creation is there")
    if run.state.run_id != run.run_id:
        raise CorruptEvent(f"event 1 created the run {run.state.run_id!r}, and run.json names {run.run_id!r}")


def references(run: Run) -> Iterator[Reference]:
    """The files that the events of a loaded run refer to, in the order of the events."""
    created = run.state.created
    if "runDigest" in created:
        yield Reference("run.json", "run.json", created["runDigest"], 1)
    yield Reference("the inputs", created["inputsRef"], created["inputsDigest"], 1)
    for effect in run.state.effects.values():
        if effect.definition_ref is not None:
            what = f"the definition of effect {effect.id!r}"
            # Replay builds none; only who performs it reads it.
            yield Reference(what, *effect.definition_ref, effect.seq, effect.id, is_needed=effect.is_pending)
        if effect.result_ref is not None:
            # Of a finished run nothing is replayed any more.
            needed = not run.state.is_finished
            what = f"the result of effect {effect.id!r}"
            yield Reference(what, *effect.result_ref, effect.resolved_seq, effect.id, is_needed=needed)
    ending, last = run.state.ending or {}, run.state.last_seq
    if run.state.status == CONTINUED and "inputsRef" in ending:
        yield Reference("what it goes on with", ending["inputsRef"], ending["sha256"], last, is_needed=False)
    if "outputRef" in ending:
        yield Reference("the output", ending["outputRef"], ending["sha256"], last, is_needed=False)


def fault_of(run: Run, reference: Reference) -> CorruptEvent | None:
    """What is wrong with a file that an event refers to; None when it is as it was written."""
    limit = MOST_ABOUT if reference.file == "run.json" else LARGEST_OWN_FILE
    try:
        check_ref(reference.file)
        content = run.read_file(reference.file, limit)
    except FileNotFoundError:
        found = "it is absent"
    except (CorruptEvent, UnsafePath, InvalidInput) as error:
        found = error.message
    else:
        if sha256_hex(content) == reference.digest:
            return None
        found = "its content was changed"
    named = reference.what if reference.what == reference.file else f"{reference.what}, {reference.file!r},"
    return CorruptEvent(
        f"{named} of run {run.run_id!r} is not what event {reference.seq} says: {found}",
        hint=f"babysitter doctor {run.run_id}",
    )


def cache_of(run: Run) -> str:
    """The state of a loaded run's reading cache."""
    cache = Cache(run.folder, run.run_id)
    with Folder(os.path.join(run.folder, "journal")) as journal:
        marker = cache.marker(journal)
        if marker is None:
            return UNUSABLE if os.path.lexists(os.path.join(cache.folder, MARKER)) else ABSENT
        fd = cache.open(marker, journal, event_names(journal))
    if fd is None:
        return UNUSABLE
    os.close(fd)
    return WHOLE if marker.head == run.journal.head else BEHIND
