"""The journal on disk: what is written, in which order, and who was first."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import CorruptEvent, HeadMoved, MissingEvent, StorageError
from babysitter.journal.events import Head, file_name
from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from journal_folders import Calls, RunFolder

NOW = 1_795_484_901_123
BATCHES = [1, 2, 15, 16, 100, 101]


def drafts(count: int, **data: Any) -> list[tuple[str, dict[str, Any]]]:
    return [("NOTE", {"n": n + 1, **data}) for n in range(count)]


def ignore(event: object) -> None:
    pass


def test_the_files_in_order_are_the_history_as_json_lines(run: RunFolder) -> None:
    run.write(1, 3)
    lines = [json.loads(line) for line in b"".join(path.read_bytes() for path in run.files()).splitlines()]
    assert [line["data"]["n"] for line in lines] == [1, 2, 3, 4]


def test_each_event_has_the_checksum_of_the_one_before(run: RunFolder) -> None:
    run.write(1, 3)
    events = [json.loads(path.read_bytes()) for path in run.files()]
    expected = [Head.genesis("run-1").checksum, *(event["checksum"] for event in events[:-1])]
    assert [event["data"]["prev"] for event in events] == expected


def test_event_files_are_private(run: RunFolder) -> None:
    run.write(1, 2)
    assert {path.stat().st_mode & 0o777 for path in run.files()} == {0o600}


def test_events_that_are_written_together_name_their_range(run: RunFolder) -> None:
    run.write(1, 3)
    batches = [json.loads(path.read_bytes())["data"].get("batch") for path in run.files()]
    assert batches == [None, [2, 4], [2, 4], [2, 4]]


@pytest.mark.parametrize("size", BATCHES)
def test_what_was_written_is_read_by_the_next_command(run: RunFolder, size: int) -> None:
    written = run.open().append(drafts(size), NOW)
    seen: list[Any] = []
    run.open().load(seen.append)
    assert [(event, event.data) for event in seen] == [(event, event.data) for event in written]


def test_what_append_returns_went_through_json(run: RunFolder) -> None:
    (event,) = run.open().append([("NOTE", {"pair": (1, 2), "keys": {1: 2}})], NOW)
    assert (event.data["pair"], event.data["keys"]) == ([1, 2], {"1": 2})


def test_nothing_appended_is_nothing_written(run: RunFolder) -> None:
    assert (run.open().append([], NOW), run.files()) == ([], [])


def test_the_head_is_that_of_the_last_event(run: RunFolder) -> None:
    journal = run.write(1, 2)
    last = json.loads(run.files()[-1].read_bytes())
    assert journal.head == Head(3, last["checksum"], NOW)
    assert journal.head == run.loaded().head == run.open().verify()


def test_time_never_goes_back(run: RunFolder) -> None:
    journal = run.write(1, now=NOW)
    journal.append(drafts(1), NOW - 3_600_000)
    journal.append(drafts(1), 0)
    journal.append(drafts(1), NOW + 5)
    seen: list[Any] = []
    run.open().load(seen.append)
    assert [event.ms for event in seen] == [NOW, NOW, NOW, NOW + 5]


def test_a_draft_that_is_not_json_writes_nothing_of_its_batch(run: RunFolder) -> None:
    with pytest.raises(TypeError):
        run.open().append([("NOTE", {"n": 1}), ("NOTE", {"n": {2}})], NOW)
    assert run.files() == []


def test_read_since_visits_only_what_is_new(run: RunFolder) -> None:
    reader = run.write(2)
    run.loaded().append(drafts(2), NOW)
    seen: list[Any] = []
    head = reader.read_since(seen.append)
    assert ([event.seq for event in seen], head) == ([3, 4], run.loaded().head)


def test_read_since_opens_one_file_when_nothing_is_new(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run.write(5)
    opened: list[str] = []
    real_open = os.open

    def open_(path: str, *rest: Any, **options: Any) -> int:
        opened.append(os.path.basename(path))
        return real_open(path, *rest, **options)

    monkeypatch.setattr(os, "open", open_)
    journal.read_since(ignore)
    assert opened == ["journal", file_name(journal.head)]


def test_load_starts_again_from_the_first_event(run: RunFolder) -> None:
    journal = run.write(3)
    seen: list[Any] = []
    journal.load(seen.append)
    assert [event.seq for event in seen] == [1, 2, 3]


def test_an_empty_journal_has_the_head_of_its_run(run: RunFolder) -> None:
    assert run.open().load(ignore) == Head.genesis("run-1")


def test_a_journal_folder_that_is_absent_is_a_missing_event(run: RunFolder) -> None:
    run.journal.rmdir()
    with pytest.raises(MissingEvent, match=r"the journal folder .* is absent"):
        run.open().load(ignore)


def test_a_run_folder_that_is_renamed_while_it_is_made_keeps_its_journal(
    run: RunFolder, tmp_path: Path
) -> None:
    run.write(2)
    run.path.rename(tmp_path / "renamed")
    journal = Journal(str(tmp_path / "renamed"), "run-1")
    assert journal.load(ignore).seq == 2


# Who was first


def test_the_second_writer_for_a_number_is_told_that_the_head_moved(run: RunFolder) -> None:
    run.write(1)
    first, second = run.loaded(), run.loaded()
    first.append(drafts(1, who="first"), NOW)
    with pytest.raises(HeadMoved, match=r"'000002.* of run 'run-1' was written by another command first"):
        second.append(drafts(1, who="second"), NOW)
    assert (second.head.seq, len(run.files())) == (1, 2)


@pytest.mark.parametrize("size", BATCHES)
def test_nothing_of_a_batch_that_came_second_is_there(run: RunFolder, size: int) -> None:
    second = run.write(1)
    run.loaded().append(drafts(1), NOW)
    before = run.snapshot()
    with pytest.raises(HeadMoved):
        second.append(drafts(size, who="second"), NOW)
    assert (run.snapshot(), sorted(os.listdir(run.state))) == (before, ["events.jsonl", "head.json"])


def test_who_came_second_reads_on_and_appends(run: RunFolder) -> None:
    second = run.write(1)
    run.loaded().append(drafts(1), NOW)
    with pytest.raises(HeadMoved):
        second.append(drafts(1, who="second"), NOW)
    second.read_since(ignore)
    second.append(drafts(1, who="second"), NOW)
    assert run.open().verify() == second.head


def test_a_new_journal_object_cannot_write_into_a_journal_that_it_has_not_read(run: RunFolder) -> None:
    run.write(1)
    with pytest.raises(HeadMoved):
        run.open().append(drafts(1, who="second"), NOW)


def test_of_two_that_write_the_very_same_event_at_once_one_was_first(run: RunFolder) -> None:
    first, second = run.loaded(), run.loaded()
    first.append(drafts(1), NOW)
    with pytest.raises(HeadMoved):
        second.append(drafts(1), NOW)
    assert run.numbers() == [1]


@pytest.mark.parametrize("kinds", [(), (b"ext4", b"xfs", b"tmpfs")], ids=["named", "as here"])
def test_a_link_that_was_made_although_the_answer_was_lost_counts(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, kinds: tuple[bytes, ...]
) -> None:
    """As on a network file system, which then tries again and finds the name taken."""
    monkeypatch.setattr("babysitter.staging._KNOWN_KINDS", kinds)
    real_link = os.link

    def link(*arguments: Any, **options: Any) -> None:
        real_link(*arguments, **options)
        raise FileExistsError(17, "File exists")

    journal = run.loaded()
    monkeypatch.setattr(os, "link", link)
    journal.append(drafts(2), NOW)
    assert run.numbers() == [1, 2]


def test_a_writer_that_is_overtaken_within_its_batch_acknowledges_nothing(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = run.loaded()
    real_link, count = os.link, [0]

    def link(*arguments: Any, **options: Any) -> None:
        count[0] += 1
        if count[0] == 3:
            monkeypatch.setattr(os, "link", real_link)
            fast = run.loaded()
            assert fast.head.seq == 2
            fast.append([("NOTE", {"n": 100})], NOW)
        real_link(*arguments, **options)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(HeadMoved):
        slow.append(drafts(5), NOW)
    assert (run.numbers(), slow.head.seq) == ([1, 2, 100], 0)


@pytest.mark.parametrize("kind", ["folder", "fifo", "link"])
def test_something_odd_under_the_next_name_is_reported_and_not_overwritten(run: RunFolder, kind: str) -> None:
    journal = run.write(1)
    odd = run.journal / file_name(journal.head)
    {"folder": odd.mkdir, "fifo": lambda: os.mkfifo(odd), "link": lambda: odd.symlink_to("/nowhere")}[kind]()
    with pytest.raises(HeadMoved):
        journal.append(drafts(1), NOW)
    with pytest.raises(CorruptEvent, match=r"cannot be one: .* is not a regular file"):
        run.open().load(ignore)


# What is on the disk when


@pytest.mark.parametrize("size", [1, 3])
def test_files_are_flushed_before_they_are_linked_and_the_folder_after(
    run: RunFolder, calls: Calls, size: int
) -> None:
    run.open().append(drafts(size), NOW)
    assert calls.kinds() == ["flush file"] * size + ["link"] * size + ["flush folder"]


def test_no_file_is_flushed_twice(run: RunFolder, calls: Calls) -> None:
    journal = run.open()
    for size in (1, 3, 17):
        journal.append(drafts(size), NOW)
    files = [what for call, what in calls.made if call == "flush file"]
    assert len(files) == len(set(files))


def test_what_another_writer_may_not_have_flushed_is_flushed_before_anything_stands_behind_it(
    run: RunFolder, calls: Calls
) -> None:
    journal = run.write(1)
    run.loaded().append(drafts(1), NOW)
    journal.read_since(ignore)
    calls.made.clear()
    journal.append(drafts(1), NOW)
    assert calls.kinds() == ["flush folder", "flush file", "link", "flush folder"]


def test_a_head_that_is_known_to_be_on_the_disk_is_not_flushed_again(run: RunFolder, calls: Calls) -> None:
    run.write(2)
    journal = run.loaded()
    calls.made.clear()
    journal.append(drafts(1), NOW)
    assert calls.kinds() == ["flush file", "link", "flush folder"]


def test_an_answer_that_rests_on_what_was_only_read_is_flushed_once(run: RunFolder, calls: Calls) -> None:
    journal = run.write(1)
    run.loaded().append(drafts(1), NOW)
    journal.read_since(ignore)
    calls.made.clear()
    journal.flush()
    journal.flush()
    assert calls.kinds() == ["flush folder"]


def test_the_way_to_a_run_is_flushed_where_nothing_says_that_it_was(run: RunFolder, calls: Calls) -> None:
    run.write(2)
    run.forget_cache()
    journal = run.loaded()
    calls.made.clear()
    journal.flush()
    folders = [run.journal, run.path, run.path.parent]
    assert calls.made == [("flush folder", folder.stat().st_ino) for folder in folders]


def test_an_answer_that_rests_on_what_was_written_here_needs_no_flush(run: RunFolder, calls: Calls) -> None:
    journal = run.write(2)
    calls.made.clear()
    journal.flush()
    assert calls.kinds() == []


@pytest.mark.parametrize("size", [1, 3])
def test_a_file_that_cannot_be_flushed_is_dropped(run: RunFolder, calls: Calls, size: int) -> None:
    journal = run.write(1)
    calls.fail_at["flush file"] = errno.EIO
    with pytest.raises(StorageError, match="cannot be flushed: Input/output error"):
        journal.append(drafts(size), NOW)
    assert (len(run.files()), calls.kinds().count("link")) == (1, 1)
    assert sorted(os.listdir(run.state)) == ["events.jsonl", "head.json"]


def test_after_a_failed_flush_of_the_folder_nothing_more_is_acknowledged(
    run: RunFolder, calls: Calls
) -> None:
    journal = run.write(1)
    calls.fail_at["flush folder"] = errno.EIO
    with pytest.raises(StorageError):
        journal.append(drafts(1), NOW)
    del calls.fail_at["flush folder"]
    calls.made.clear()
    for again in (lambda: journal.append(drafts(1), NOW), journal.flush):
        with pytest.raises(
            StorageError, match="could not be flushed before, so nothing more is written to it"
        ):
            again()
    assert calls.made == []


def test_what_was_not_acknowledged_is_not_known_to_be_on_the_disk(run: RunFolder, calls: Calls) -> None:
    journal = run.write(1)
    calls.fail_at["flush folder"] = errno.EIO
    with pytest.raises(StorageError):
        journal.append(drafts(1), NOW)
    run.files()[-1].unlink()
    assert run.open().load(ignore).seq == 1


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_links_is_a_storage_error_with_a_way_out(
    run: RunFolder, calls: Calls, number: int
) -> None:
    calls.fail_at["link"] = number
    with pytest.raises(StorageError, match="cannot be linked") as caught:
        run.open().append(drafts(1), NOW)
    assert "BABYSITTER_RUNS_DIR" in caught.value.hint


def test_a_disk_that_is_full_when_linking_says_so(run: RunFolder, calls: Calls) -> None:
    calls.fail_at["link"] = errno.ENOSPC
    with pytest.raises(StorageError, match="No space left on device") as caught:
        run.open().append(drafts(1), NOW)
    assert "free some space" in caught.value.hint


def test_no_descriptor_is_left_open(run: RunFolder) -> None:
    before = len(os.listdir("/dev/fd"))
    journal = run.write(1, 3, 17, 101)
    other = run.loaded()
    journal.append(drafts(1), NOW)
    with pytest.raises(HeadMoved):
        other.append(drafts(1, who="second"), NOW)
    run.forget_cache()
    run.loaded()
    journal.verify()
    journal.read_since(ignore)
    assert len(os.listdir("/dev/fd")) == before


# What somebody did to the files


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("has_cache", [True, False])
def test_an_event_that_is_removed_is_missed(run: RunFolder, number: int, has_cache: bool) -> None:
    run.write(1, 1, 1, 1, 1, 1, 1)
    run.files()[number - 1].unlink()
    if not has_cache:
        run.forget_cache()
    for read in (run.open().verify, lambda: run.open().load(ignore)):
        with pytest.raises(
            MissingEvent, match=f"event {number} is missing, and event [0-9] was written after it"
        ):
            read()


def test_reading_a_damaged_journal_changes_nothing(run: RunFolder) -> None:
    run.write(3, 1)
    run.files()[1].unlink()
    before = run.snapshot()
    with pytest.raises(MissingEvent):
        run.open().load(ignore)
    assert (run.snapshot(), run.quarantine.exists()) == (before, False)


@pytest.mark.parametrize("has_cache", [True, False])
def test_two_events_that_are_swapped_are_found(run: RunFolder, has_cache: bool) -> None:
    run.write(1, 1, 1, 1)
    second, third = run.files()[1:3]
    raw = second.read_bytes(), third.read_bytes()
    second.write_bytes(raw[1])
    third.write_bytes(raw[0])
    if not has_cache:
        run.forget_cache()
    with pytest.raises(CorruptEvent, match=r"000002.* follows an event"):
        run.open().verify()


@pytest.mark.parametrize("has_cache", [True, False])
def test_names_that_are_swapped_are_found(run: RunFolder, has_cache: bool) -> None:
    run.write(1, 1, 1)
    first, second = run.files()[:2]
    first.rename(run.journal / ("000002" + first.name[6:]))
    second.rename(run.journal / ("000001" + second.name[6:]))
    if not has_cache:
        run.forget_cache()
    with pytest.raises(CorruptEvent, match="has a wrong name, after event 0 comes '000001"):
        run.open().load(ignore)


@pytest.mark.parametrize("has_cache", [True, False])
@pytest.mark.parametrize("number", [1, 2])
def test_a_second_file_with_the_same_number_is_found(run: RunFolder, number: int, has_cache: bool) -> None:
    run.write(1, 1, 1)
    copied = run.files()[number - 1]
    (run.journal / (copied.name[:-6] + "0.json")).write_bytes(copied.read_bytes())
    if not has_cache:
        run.forget_cache()
    with pytest.raises(CorruptEvent, match=f"is a second event file with the number {number}"):
        run.open().load(ignore)


def test_a_name_that_cannot_follow_is_found(run: RunFolder) -> None:
    journal = run.write(2)
    (run.journal / "000003.01ARYZ6S410000000000000000.json").write_text("{}")
    expected = file_name(journal.head)
    with pytest.raises(CorruptEvent, match=f"has a wrong name, after event 2 comes '{expected}'"):
        run.open().load(ignore)


@pytest.mark.parametrize("name", ["000004.01ARYZ6S410000000000000000.json", "1234567.x.json"])
def test_a_number_from_beyond_is_a_missing_event(run: RunFolder, name: str) -> None:
    run.write(2)
    (run.journal / name).write_text("{}")
    with pytest.raises(MissingEvent, match="event 3 is missing"):
        run.open().load(ignore)


@pytest.mark.parametrize("name", [".DS_Store", "notes.txt", "000001.x.json.bak", "\udcff"])
def test_foreign_names_are_ignored(run: RunFolder, name: str) -> None:
    run.write(2)
    (run.journal / name).touch()
    (run.journal / (name + "folder")).mkdir()
    assert run.numbers() == [1, 2]


def test_events_of_another_run_are_refused(run: RunFolder) -> None:
    run.write(2)
    with pytest.raises(CorruptEvent, match="has a wrong name"):
        run.open("run-2").load(ignore)


def test_a_changed_byte_is_found_by_verify_also_when_the_cache_is_warm(run: RunFolder) -> None:
    run.write(3)
    second = run.files()[1]
    second.write_bytes(second.read_bytes().replace(b'"n":2', b'"n":7'))
    with pytest.raises(CorruptEvent, match=r"000002.* does not end with the checksum of its bytes"):
        run.open().verify()


def test_a_changed_last_event_is_found_at_once(run: RunFolder) -> None:
    run.write(3)
    last = run.files()[-1]
    last.write_bytes(last.read_bytes().replace(b'"n":3', b'"n":7'))
    with pytest.raises(CorruptEvent, match=r"000003.* does not end with the checksum of its bytes"):
        run.open().load(ignore)
