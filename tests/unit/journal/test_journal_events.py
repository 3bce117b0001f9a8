"""One event: its bytes, its checksum, its place in the chain, its name."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from babysitter.errors import CorruptEvent, InvalidInput
from babysitter.journal.events import Event, Head, decode, encode, file_name, number_of

GENESIS = Head.genesis("run-1")
AT = 1_795_484_901_123


def forged(text: str) -> bytes:
    """An event with whatever content and the checksum that belongs to it."""
    body = text.encode(errors="surrogatepass")
    return body + b',"checksum":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def raw_event(**changes: Any) -> bytes:
    parts = {
        "type": "NOTE",
        "recordedAt": "2026-11-24T01:48:21.123Z",
        "data": {"prev": GENESIS.checksum},
        **changes,
    }
    return forged(json.dumps(parts, separators=(",", ":"))[:-1])


def reason(raw: bytes, head: Head = GENESIS) -> str:
    with pytest.raises(CorruptEvent) as caught:
        decode(raw, head)
    return caught.value.message.removeprefix(f"the event {file_name(head)!r} ")


def test_an_event_is_one_line_of_compact_json_with_its_checksum_last() -> None:
    body = (
        '{"type":"NOTE","recordedAt":"2026-11-24T01:48:21.123Z",'
        '"data":{"prev":"' + hashlib.sha256(b"run-1").hexdigest() + '","batch":[1,2],"text":"é"}'
    ).encode()
    expected = body + b',"checksum":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'
    assert encode(GENESIS, "NOTE", AT, {"text": "é"}, [1, 2]) == expected


def test_what_was_encoded_is_decoded() -> None:
    raw = encode(GENESIS, "NOTE", AT, {"a": [1, None], "b": "\x1b[0m"}, None)
    event = decode(raw, GENESIS)
    assert (event.seq, event.type, event.at, event.ms, event.raw_size) == (
        1,
        "NOTE",
        "2026-11-24T01:48:21.123Z",
        AT,
        len(raw),
    )
    assert event.data == {"prev": GENESIS.checksum, "a": [1, None], "b": "\x1b[0m"}


def test_an_event_is_the_head_of_the_journal_that_ends_with_it() -> None:
    event = decode(encode(GENESIS, "NOTE", AT, {}, None), GENESIS)
    assert event == Head(1, event.checksum, AT)


def test_heads_are_equal_by_value() -> None:
    assert (Head(1, "a", 2), hash(Head(1, "a", 2))) == (Head(1, "a", 2), hash(Head(1, "a", 2)))
    assert Head(1, "a", 2) != Head(1, "b", 2)


@pytest.mark.parametrize(("batch", "end"), [(None, 1), ([1, 7], 7)])
def test_an_event_knows_where_its_batch_ends(batch: list[int] | None, end: int) -> None:
    assert decode(encode(GENESIS, "NOTE", AT, {}, batch), GENESIS).batch_end == end


def test_the_name_of_the_next_event_follows_from_the_head_alone() -> None:
    # Recorded: runs on disk depend on it.
    assert file_name(GENESIS) == "000001.0000000000NSJ0M7ENH033Q3EE.json"
    assert file_name(Head(999_999, "ab" * 32, AT)) == "1000000.01M85KTQR38ED4663SMSZA0NH9.json"


def test_heads_that_differ_give_names_that_differ() -> None:
    heads = [Head(1, "a", 1), Head(2, "a", 1), Head(1, "b", 1), Head(1, "a", 2)]
    assert len({file_name(head)[7:] for head in heads}) == 4


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (file_name(GENESIS), 1),
        ("1234567.x.json", 1234567),
        ("000003.json", 3),
        (".DS_Store", None),
        ("notes.json", None),
        ("000003.x.json.bak", None),
        ("00003.x.json", None),
        ("0000003.x.json", None),
        ("\u0663" * 6 + ".x.json", None),
    ],
)
def test_only_numbered_json_files_can_be_events(name: str, number: int | None) -> None:
    assert number_of(name) == number


@pytest.mark.parametrize("key", ["prev", "batch"])
def test_the_journals_own_keys_cannot_be_given(key: str) -> None:
    with pytest.raises(ValueError, match="has a key 'prev' or 'batch'; the journal sets these itself"):
        encode(GENESIS, "NOTE", AT, {key: 1}, None)


def test_what_is_not_json_cannot_be_an_event() -> None:
    with pytest.raises(TypeError, match=r"the value at 'data.a' is of type 'set'"):
        encode(GENESIS, "NOTE", AT, {"a": {1}}, None)


def test_what_could_not_be_read_again_is_not_written() -> None:
    deep: Any = 0
    for _ in range(300):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested more than 200 levels deep"):
        encode(GENESIS, "NOTE", AT, {"deep": deep}, None)


def test_many_brackets_that_are_not_deep_are_written() -> None:
    event = decode(encode(GENESIS, "NOTE", AT, {"wide": [[]] * 1000, "text": "[" * 1000}, None), GENESIS)
    assert len(event.data["wide"]) == 1000


def test_every_flipped_bit_is_found() -> None:
    raw = encode(GENESIS, "NOTE", AT, {"a": 1}, None)
    missed = []
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            decode(bytes(flipped), GENESIS)
            missed.append(bit)
        except CorruptEvent:
            pass
    assert missed == []


def test_every_cut_is_found() -> None:
    raw = encode(GENESIS, "NOTE", AT, {"a": 1}, None)
    for length in range(len(raw)):
        assert "does not end with the checksum" in reason(raw[:length])


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\n",
        lambda raw: raw[:-1] + b"\r\n",
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw * 2,
    ],
)
def test_added_bytes_are_found(change: Any) -> None:
    assert "does not end with the checksum" in reason(change(encode(GENESIS, "NOTE", AT, {}, None)))


def test_a_checksum_that_is_not_that_of_the_bytes_is_told_beside_the_right_one() -> None:
    raw = encode(GENESIS, "NOTE", AT, {}, None)
    right, wrong = json.loads(raw)["checksum"], "0" * 64
    assert reason(raw.replace(right.encode(), wrong.encode())) == (
        f"does not end with the checksum of its bytes, {right!r}, but with {wrong!r}"
    )


def test_where_there_is_no_checksum_at_all_that_is_told() -> None:
    assert reason(b'{"type":"NOTE"}\n').endswith(", nor with any other")


def test_an_event_of_another_run_does_not_follow() -> None:
    raw = encode(Head.genesis("run-2"), "NOTE", AT, {}, None)
    assert reason(raw).startswith(
        f"follows an event {Head.genesis('run-2').checksum!r}, and the one before it is"
    )


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (raw_event(recordedAt="yesterday"), "was recorded at no time"),
        (raw_event(recordedAt="1969-12-31T23:59:59.999Z"), "before the event before it"),
        (raw_event(recordedAt=5), "of the wrong kind"),
        (raw_event(type=None), "of the wrong kind"),
        (raw_event(data=[]), "of the wrong kind"),
        (raw_event(data={}), "follows an event None"),
        (raw_event(extra=1), "does not consist of type, recordedAt, data, checksum"),
        (
            raw_event(data={"prev": GENESIS.checksum, "batch": [2, 3]}),
            "names the batch [2, 3], which it is not in",
        ),
        (raw_event(data={"prev": GENESIS.checksum, "batch": "12"}), "names the batch '12'"),
        (raw_event(data={"prev": GENESIS.checksum, "batch": [1, 2, 3]}), "names the batch [1, 2, 3]"),
        (raw_event(data={"prev": GENESIS.checksum, "batch": [True, 2]}), "names the batch [True, 2]"),
        (raw_event(data={"prev": GENESIS.checksum, "batch": None}), "names the batch None"),
        (
            raw_event(data={"prev": GENESIS.checksum, "a": "\ud800"}),
            "is not JSON: the value at 'data.a' holds a lone",
        ),
        (raw_event(data={"prev": GENESIS.checksum, "a": float("nan")}), "is not JSON: the JSON holds 'NaN'"),
        (forged('{"type":"NOTE"'), "does not consist of"),
        (forged('"text"'), "is not JSON"),
        (forged('{"a":' + "[" * 100_000), "is not JSON"),
        (forged('{"type":"NOTE","data":{"a":' + "9" * 5000 + "}"), "is not JSON"),
    ],
)
def test_a_forged_event_is_refused_even_with_its_checksum_right(raw: bytes, why: str) -> None:
    assert why in reason(raw)


def test_an_event_before_the_one_before_it_is_refused() -> None:
    head = Event(1, "ab" * 32, AT, "NOTE", "", {}, 1)
    raw = encode(head, "NOTE", AT - 1, {}, None)
    assert "before the event before it" in reason(raw, head)
