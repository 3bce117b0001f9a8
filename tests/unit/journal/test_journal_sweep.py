"""What a kill and what a power cut leave of a batch, built by hand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.disk import Folder
from babysitter.errors import HeadMoved, MissingEvent, StorageError, TailRemoved, UnsafePath
from babysitter.journal.events import Head, decode, file_name, number_of
from babysitter.journal.sweep import REASON, sweep

if TYPE_CHECKING:
    from journal_folders import Calls, RunFolder

NOW = 1_795_484_901_123


def after(run: RunFolder, now: int = NOW) -> list[Any]:
    """What the next writer adds."""
    return run.loaded().append([("NOTE", {"n": 100})], now)


def quarantined(run: RunFolder) -> list[int | None]:
    suffix = "." + REASON
    return sorted(number_of(path.name.removesuffix(suffix)) for path in run.quarantine.iterdir())


@pytest.mark.parametrize("kept", [1, 2, 4])
def test_after_a_kill_readers_see_the_beginning_of_the_batch(run: RunFolder, kept: int) -> None:
    run.write(1, 5)
    run.cut_power(*range(kept + 2, 7))
    assert run.numbers() == list(range(1, kept + 2))


def test_after_a_kill_the_next_writer_goes_on_and_nothing_is_set_aside(run: RunFolder) -> None:
    run.write(1, 5)
    run.cut_power(4, 5, 6)
    after(run)
    assert (run.numbers(), run.quarantine.exists()) == ([1, 2, 3, 100], False)


@pytest.mark.parametrize("lost", [(1,), (2,), (3, 5), (2, 3, 4), (1, 2, 3, 4)])
def test_readers_stop_at_a_hole_and_touch_nothing(run: RunFolder, lost: tuple[int, ...]) -> None:
    run.write(1, 5)
    run.cut_power(*(number + 1 for number in lost))
    before = run.snapshot()
    assert run.numbers() == list(range(1, lost[0] + 1))
    assert run.open().verify().seq == lost[0]
    assert (run.snapshot(), run.quarantine.exists()) == (before, False)


@pytest.mark.parametrize("lost", [(1,), (1, 3), (2,), (3, 5), (2, 3, 4)])
def test_the_next_writer_sets_what_is_behind_a_hole_aside(run: RunFolder, lost: tuple[int, ...]) -> None:
    run.write(1, 5)
    run.cut_power(*(number + 1 for number in lost))
    behind = [number for number in range(lost[0] + 2, 7) if number - 1 not in lost]
    after(run)
    assert (run.numbers(), quarantined(run)) == ([*range(1, lost[0] + 1), 100], behind)


def test_after_the_sweep_the_journal_is_whole(run: RunFolder) -> None:
    run.write(5)
    run.cut_power(3)
    journal = run.loaded()
    journal.append([("NOTE", {"n": 100}), ("NOTE", {"n": 101})], NOW)
    assert (journal.head.seq, run.open().verify()) == (4, journal.head)
    assert [number_of(path.name) for path in run.files()] == [1, 2, 3, 4]


def test_what_is_set_aside_keeps_its_content(run: RunFolder) -> None:
    run.write(5)
    content = run.files()[4].read_bytes()
    run.cut_power(3, 4)
    after(run)
    (path,) = run.quarantine.iterdir()
    assert path.read_bytes() == content


def test_a_second_hole_within_what_was_written_after_the_first_is_swept_too(run: RunFolder) -> None:
    run.write(5)
    run.cut_power(3)
    run.loaded().append([("NOTE", {"n": number}) for number in (10, 11, 12)], NOW)
    run.cut_power(4)
    after(run)
    assert (run.numbers(), quarantined(run)) == ([1, 2, 10, 100], [4, 5, 5])


def test_names_in_quarantine_are_not_written_over(run: RunFolder) -> None:
    run.write(3)
    run.cut_power(2)
    run.quarantine.mkdir()
    taken = run.quarantine / f"{run.files()[1].name}.{REASON}"
    taken.write_text("older")
    after(run)
    assert (taken.read_text(), len(list(run.quarantine.iterdir()))) == ("older", 2)


def test_events_before_the_hole_and_beyond_the_batch_are_never_set_aside(run: RunFolder) -> None:
    run.write(3, 1)
    run.cut_power(2)
    with pytest.raises(MissingEvent, match="event 2 is missing, and event 4 was written after it"):
        run.loaded()
    assert not run.quarantine.exists()


def test_a_hole_among_events_that_were_on_the_disk_for_certain_is_no_power_cut(run: RunFolder) -> None:
    run.write(5)
    run.files()[2].unlink()
    for read in (run.open().verify, run.loaded):
        with pytest.raises(MissingEvent, match="event 3 is missing, and event 5 was written after it"):
            read()


def test_a_batch_that_was_acknowledged_cannot_lose_its_end_unnoticed(run: RunFolder) -> None:
    run.write(5)
    for path in run.files()[2:]:
        path.unlink()
    with pytest.raises(TailRemoved, match="the journal ends with event 2, and event 5 was written before"):
        run.loaded()


@pytest.mark.parametrize("lost", [2, 3])
def test_what_stands_in_a_hole_differs_from_what_was_lost_also_when_the_clock_stands_still(
    run: RunFolder, lost: int
) -> None:
    run.write(1, now=NOW)
    run.write(4, now=NOW + 1000)
    old = [path.name for path in run.files()]
    run.cut_power(lost)
    # The very same events again, at the very same time: their names must not be
    # those that a slow sweeper still means to move aside.
    run.loaded().append([("NOTE", {"n": number}) for number in range(lost, 6)], NOW + 1000)
    new = [path.name for path in run.files()]
    assert (new[:lost], set(new[lost:]) & set(old)) == (old[:lost], set())


@pytest.mark.parametrize("text", ["", "{}", '{"data":{}}', "\0"])
def test_what_lies_behind_a_hole_must_name_its_batch_credibly(run: RunFolder, text: str) -> None:
    run.write(1, 3)
    run.cut_power(2)
    run.files()[1].write_text(text)
    with pytest.raises(MissingEvent, match="event 2 is missing, and event 3 was written after it"):
        run.loaded()


def test_a_lost_event_that_stood_alone_is_missing_whatever_batch_came_after(run: RunFolder) -> None:
    run.write(1, 1, 3)
    run.cut_power(2)
    with pytest.raises(MissingEvent, match="event 2 is missing, and event 3 was written after it"):
        run.loaded()


def test_what_is_set_aside_has_left_the_disk_before_the_next_event_is_linked(
    run: RunFolder, calls: Calls
) -> None:
    run.write(5)
    run.cut_power(3)
    journal = run.loaded()
    journal.flush()  # so that the head is no reason to flush once more
    calls.made.clear()
    journal.append([("NOTE", {"n": 100})], NOW)
    folders = [what for call, what in calls.made[: calls.kinds().index("link")] if call == "flush folder"]
    meant = {folder.stat().st_ino for folder in (run.quarantine, run.path, run.journal)}
    assert meant <= set(folders)


def test_a_sweep_that_cannot_be_flushed_writes_nothing(run: RunFolder, calls: Calls) -> None:
    run.write(5)
    run.cut_power(3)
    journal = run.loaded()
    calls.made.clear()
    calls.fail_at["flush folder"] = 5
    with pytest.raises(StorageError):
        journal.append([("NOTE", {"n": 100})], NOW)
    assert "link" not in calls.kinds()


def test_a_batch_that_somebody_is_just_linking_is_left_alone(run: RunFolder) -> None:
    run.write(5)
    files = run.files()
    later = {path.name: path.read_bytes() for path in files[2:]}
    run.cut_power(3, 4, 5)
    journal = run.loaded()
    # Between its reading and its writing, the living writer of the batch goes on.
    for name, content in later.items():
        (run.journal / name).write_bytes(content)
    with pytest.raises(HeadMoved, match="another writer went on"):
        journal.append([("NOTE", {"n": 100})], NOW)
    assert (run.numbers(), run.quarantine.exists()) == ([1, 2, 3, 4, 5], False)


def test_two_that_sweep_at_once_do_no_harm(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write(5)
    run.cut_power(3)
    slow = run.loaded()
    real_rename = os.rename

    def rename(*arguments: Any, **options: Any) -> None:
        monkeypatch.setattr(os, "rename", real_rename)
        after(run)  # the quicker one sweeps and writes while the slower one is about to move its first file
        real_rename(*arguments, **options)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(HeadMoved):
        slow.append([("NOTE", {"n": 200})], NOW)
    assert (run.numbers(), quarantined(run)) == ([1, 2, 100], [4, 5])


def test_nothing_is_moved_through_a_link_in_the_place_of_the_quarantine(run: RunFolder) -> None:
    run.write(3)
    run.cut_power(2)
    (run.path / "elsewhere").mkdir()
    run.quarantine.symlink_to(run.path / "elsewhere")
    with pytest.raises(UnsafePath):
        after(run)
    assert os.listdir(run.path / "elsewhere") == []


def test_only_what_the_batch_explains_is_set_aside(run: RunFolder) -> None:
    run.write(6)
    for path in run.files()[2:4]:
        path.unlink()
    with Folder(str(run.journal)) as folder:
        head = Head.genesis("run-1")
        for path in run.files()[:2]:
            head = decode(path.read_bytes(), head)
        sweep(str(run.path), folder, head, batch_end=5)
    assert quarantined(run) == [5]


def test_sweeping_where_there_is_no_hole_does_nothing(run: RunFolder) -> None:
    journal = run.write(3)
    with Folder(str(run.journal)) as folder:
        sweep(str(run.path), folder, journal.head, batch_end=9)
    assert (run.numbers(), run.quarantine.exists()) == ([1, 2, 3], False)


def test_a_reader_that_meets_a_sweep_sees_no_fault(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write(5)
    run.cut_power(3)
    reader, name = run.open(), file_name(run.loaded().head)
    real_read = Folder.read

    def read(folder: Folder, wanted: str, limit: int) -> bytes:
        if wanted == name:
            # The reader has made its listing; now the batch is swept and another event stands in the hole.
            monkeypatch.setattr(Folder, "read", real_read)
            after(run)
        return real_read(folder, wanted, limit)

    run.forget_cache()
    monkeypatch.setattr(Folder, "read", read)
    assert reader.load(lambda event: None).seq == 3
