"""One event: its bytes, its place in the chain, and the name of its file.

An event is one line of compact JSON, ``type``, ``recordedAt``, ``data``,
``checksum``, in this order. ``checksum`` is the SHA-256 of all bytes before
it; verifying cuts the tail off and hashes what is left, because no two
encoders agree on every number. ``data.prev``, the first key of the data, is
the checksum of the event before, so the events are a chain.

The file's name follows from the event before: whoever wants to write the next
event wants the same name, and ``link(2)`` lets one of them have it.
"""

from __future__ import annotations

from babysitter.clock import iso, ms_of
from babysitter.errors import CorruptEvent, InvalidInput
from babysitter.ids import digest10, sha256_hex, ulid
from babysitter.jsontext import compact, is_deeper_than, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    Draft = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], int]

MAX_EVENT_BYTES = 64 << 20

# Python reads JSON only so deep as the stack allows that it finds itself on;
# what was written from a shallow stack must be readable from any other.
MAX_DEPTH = 200

_BEFORE_CHECKSUM = b',"checksum":"'
_AFTER_CHECKSUM = b'"}\n'
_TAIL = len(_BEFORE_CHECKSUM) + 64 + len(_AFTER_CHECKSUM)
_KEYS = ("type", "recordedAt", "data", "checksum")


class Head:
    """Where a journal ends: number, checksum and time of its last event.

    Equal heads end equal journals.
    """

    __slots__ = ("checksum", "ms", "seq")

    def __init__(self, seq: int, checksum: str, ms: int) -> None:
        self.seq = seq
        self.checksum = checksum
        self.ms = ms

    @classmethod
    def genesis(cls, run_id: str) -> Head:
        """The head of a run without events: the chain hangs on the run's id."""
        return Head(0, sha256_hex(run_id.encode()), 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Head) and (self.seq, self.checksum, self.ms) == (
            other.seq,
            other.checksum,
            other.ms,
        )

    def __hash__(self) -> int:
        return hash(self.checksum)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.seq}, {self.checksum!r}, {self.ms})"


class Event(Head):
    """One entry of the journal, and the head of the journal that ends with it.

    Attributes:
        type: what happened.
        at: when, as it is written.
        data: the particulars, with ``prev`` and ``batch``.
        raw_size: bytes on disk.
    """

    __slots__ = ("at", "data", "raw_size", "type")

    def __init__(
        self, seq: int, checksum: str, ms: int, type: str, at: str, data: dict[str, Any], raw_size: int
    ) -> None:
        self.seq = seq
        self.checksum = checksum
        self.ms = ms
        self.type = type
        self.at = at
        self.data = data
        self.raw_size = raw_size

    @property
    def batch_end(self) -> int:
        """The number of the last event of the batch that this one belongs to."""
        batch = self.data.get("batch")
        return batch[1] if batch else self.seq


def file_name(head: Head) -> str:
    """The name of the event after ``head``: the only one it can have."""
    seq = head.seq + 1
    return f"{seq:06d}.{ulid(head.ms, digest10(f'{head.checksum}{seq}'.encode()))}.json"


def number_of(name: str) -> int | None:
    """The number in an event file's name; None for a name that cannot be one."""
    digits = name.partition(".")[0]
    if not (name.endswith(".json") and digits.isascii() and digits.isdigit()):
        return None
    # Beyond six digits a number has no zeros before it, so that each has one spelling.
    return int(digits) if len(digits) == 6 or (len(digits) > 6 and digits[0] != "0") else None


def encode(head: Head, type: str, ms: int, data: Mapping[str, Any], batch: list[int] | None) -> bytes:
    """The bytes of the event after ``head``.

    ``batch`` is the number of the first and of the last event that are written together.

    Raises:
        TypeError, ValueError: the data is not JSON, or has a key that is the journal's own.
        InvalidInput: the event is too large or nested too deeply ever to be read again.
    """
    if "prev" in data or "batch" in data:
        raise ValueError(f"the data of {type!r} has a key 'prev' or 'batch'; the journal sets these itself")
    chained = {"prev": head.checksum, **({"batch": batch} if batch else {}), **data}
    body = compact({"type": type, "recordedAt": iso(ms), "data": chained})[:-1].encode()
    # Few brackets cannot be deep, and counting them costs next to nothing.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and is_deeper_than(chained, MAX_DEPTH):
        raise InvalidInput(f"the data of {type!r} is nested more than {MAX_DEPTH} levels deep")
    if len(body) + _TAIL > MAX_EVENT_BYTES:
        raise InvalidInput(f"the event {type!r} has {len(body)} bytes, at most {MAX_EVENT_BYTES} are written")
    return body + _BEFORE_CHECKSUM + sha256_hex(body).encode() + _AFTER_CHECKSUM


def encoded_head(raw: bytes, head: Head, ms: int) -> Head:
    """The head of a journal that ends with these bytes, which ``encode`` has just given."""
    return Head(head.seq + 1, raw[-64 - len(_AFTER_CHECKSUM) : -len(_AFTER_CHECKSUM)].decode(), ms)


def decode(raw: bytes, head: Head) -> Event:
    """Read and verify the event after ``head``: its form, its checksum, its link to the event before.

    Raises:
        CorruptEvent: names the file.
    """
    checksum = sha256_hex(raw[:-_TAIL])
    if raw[-_TAIL:] != _BEFORE_CHECKSUM + checksum.encode() + _AFTER_CHECKSUM:
        _corrupt(head, f"does not end with the checksum of its bytes, {checksum!r}, {_ending_of(raw)}")
    kind, at, data = _parts(raw, head)
    prev = data.get("prev")
    if prev != head.checksum:
        _corrupt(head, f"follows an event {prev!r}, and the one before it is {head.checksum!r}")
    try:
        ms = ms_of(at)
    except ValueError as error:
        _corrupt(head, f"was recorded at no time: {error}")
    if ms < head.ms:
        _corrupt(head, f"was recorded at {at!r}, before the event before it")
    event = Event(head.seq + 1, checksum, ms, kind, at, data, len(raw))
    if "batch" in data:
        _check_batch(event, head)
    return event


def _ending_of(raw: bytes) -> str:
    """What an event has where its checksum should be, in words."""
    told, after = raw[-_TAIL + len(_BEFORE_CHECKSUM) : -len(_AFTER_CHECKSUM)], raw[-len(_AFTER_CHECKSUM) :]
    if after == _AFTER_CHECKSUM and raw[-_TAIL:].startswith(_BEFORE_CHECKSUM):
        return f"but with {told.decode('ascii', 'backslashreplace')!r}"
    return "nor with any other"


def previous_of(raw: bytes) -> str | None:
    """The checksum of the event before one whose place is not known; None unless the bytes are whole."""
    body = raw[:-_TAIL]
    if raw[-_TAIL:] != _BEFORE_CHECKSUM + sha256_hex(body).encode() + _AFTER_CHECKSUM:
        return None
    try:
        prev = loads(raw)["data"]["prev"]
    except (ValueError, LookupError, TypeError, RecursionError, InvalidInput):
        return None
    return prev if isinstance(prev, str) else None


def _parts(raw: bytes, head: Head) -> tuple[str, str, dict[str, Any]]:
    try:
        parsed = loads(raw)
        # An escaped surrogate is valid JSON and can never be printed or written.
        if b"\\u" in raw:
            compact(parsed)
    except (ValueError, RecursionError, InvalidInput) as error:
        _corrupt(head, f"is not JSON: {error}")
    if not isinstance(parsed, dict) or tuple(parsed) != _KEYS:
        _corrupt(head, f"does not consist of {', '.join(_KEYS)}")
    kind, at, data = parsed["type"], parsed["recordedAt"], parsed["data"]
    if not (isinstance(kind, str) and isinstance(at, str) and isinstance(data, dict)):
        _corrupt(head, "has a type, time or data of the wrong kind")
    return kind, at, data


def _check_batch(event: Event, head: Head) -> None:
    batch = event.data["batch"]
    try:
        first, last = batch
        if type(first) is type(last) is int and first <= event.seq <= last:
            return
    except (TypeError, ValueError):
        pass
    _corrupt(head, f"names the batch {batch!r}, which it is not in")


def _corrupt(head: Head, reason: str) -> NoReturn:
    raise CorruptEvent(f"the event {file_name(head)!r} {reason}")
