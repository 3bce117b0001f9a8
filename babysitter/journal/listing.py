"""What the names in a journal's folder say: is something missing, doubled, or out of place."""

from __future__ import annotations

from babysitter.errors import BabysitterError, CorruptEvent, MissingEvent, TailRemoved
from babysitter.journal.events import MAX_EVENT_BYTES, Head, decode, file_name, number_of
from babysitter.jsontext import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.disk import Folder
    from babysitter.journal.events import Event

_SIX_DIGITS = 1_000_000


def event_names(journal: Folder) -> list[str]:
    """The names of the event files, in order. What cannot be one is somebody else's, and is ignored."""
    # The first test is the quicker, and nearly every name passes it.
    names = [name for name in journal.names() if _is_usual(name) or number_of(name) is not None]
    names.sort()
    if len(names) >= _SIX_DIGITS:
        names.sort(key=lambda name: number_of(name) or 0)
    return names


def _is_usual(name: str) -> bool:
    return name[6:7] == "." and name[-5:] == ".json" and name[:6].isdigit() and name.isascii()


def check_listing(
    journal: Folder, listed: Sequence[str], read: Sequence[str], head: Head, batch: tuple[int, int]
) -> tuple[int, int]:
    """Compare the names that were listed with those that were read by following the chain since.

    A listing that shows a gap is not yet a fault: it may have raced with a
    writer or a sweeper. So a name counts only while it is still there, and the
    chain was followed to ``head`` after the listing was made.

    ``batch`` is the last number and the time of the batch that ``head``
    belongs to. When a power cut took the first event of the next batch, only
    what is left of that one knows its range; then that is returned instead.

    Raises:
        CorruptEvent: a file has a name that does not follow from the chain.
        MissingEvent: an event is absent, later ones are there, and no
            interrupted batch explains it.
    """
    followed = set(read)
    for name in listed:
        if name in followed or not journal.has(name):
            continue
        number = number_of(name) or 0
        if number <= head.seq:
            raise CorruptEvent(f"{name!r} is a second event file with the number {number}")
        if number == head.seq + 1:
            raise CorruptEvent(
                f"the event file {name!r} has a wrong name, after event {head.seq} comes {file_name(head)!r}"
            )
        if number > batch[0]:
            batch = _batch_of_stray(journal, name, number, head)
    return batch


def _batch_of_stray(journal: Folder, name: str, number: int, head: Head) -> tuple[int, int]:
    """The end and the time of the batch that the event ``number`` behind a hole was written with."""
    try:
        raw = journal.read(name, MAX_EVENT_BYTES)
        # All but its place in the chain can be verified.
        event = decode(raw, Head(number - 1, loads(raw)["data"]["prev"], 0))
        if event.data["batch"][0] <= head.seq + 1:
            return event.batch_end, event.ms
    except (OSError, ValueError, LookupError, TypeError, RecursionError, BabysitterError):
        # It says nothing that can be believed.
        pass
    raise _missing(head, number)


def check_tail(listed: Sequence[str], head: Head, flushed: tuple[int, str]) -> None:
    """Nothing that was on the disk for certain may be gone.

    Raises:
        TailRemoved, MissingEvent
    """
    seq = flushed[0]
    if seq <= head.seq:
        return
    if listed and (number_of(listed[-1]) or 0) > head.seq + 1:
        raise _missing(head, seq)
    raise TailRemoved(f"the journal ends with event {head.seq}, and event {seq} was written before")


def check_known(event: Event, flushed: tuple[int, str]) -> None:
    """An event that was on the disk for certain may not have become another one.

    Raises:
        TailRemoved
    """
    seq, checksum = flushed
    if event.seq == seq and event.checksum != checksum:
        raise TailRemoved(
            f"event {seq} has the checksum {event.checksum!r}, and {checksum!r} was written before"
        )


def _missing(head: Head, later: int) -> MissingEvent:
    return MissingEvent(f"event {head.seq + 1} is missing, and event {later} was written after it")
