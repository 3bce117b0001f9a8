"""A repaired journal takes the place of a damaged one, whoever is at work meanwhile."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from journal_folders import NOW, RUN_ID, RunFolder

from babysitter.errors import MissingEvent, RunBusy, StorageError
from babysitter.journal import rebuild as rebuilding
from babysitter.journal.rebuild import finish, is_unfinished, rebuild
from babysitter.journal.salvage import salvage

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.journal.events import Event
    from babysitter.journal.store import Journal


def cut_before(run: RunFolder, number: int) -> str:
    place = rebuild(str(run.path), salvage(str(run.path), RUN_ID, str(run.journal), number), {"why": "test"})
    assert place is not None
    return place


def note(journal: Journal, number: int) -> None:
    journal.append([("NOTE", {"n": number})], NOW)


def test_the_new_journal_has_what_was_kept(run: RunFolder) -> None:
    run.write(1, 1, 1)
    cut_before(run, 3)
    assert run.numbers() == [1, 2]


def test_the_old_journal_stays_in_the_quarantine_as_it_was(run: RunFolder) -> None:
    run.write(1, 1, 1)
    before = run.snapshot()
    place = cut_before(run, 2)
    kept = {path.name: path.read_bytes() for path in (run.path / place).iterdir()}
    assert (place, kept) == ("quarantine/journal-1", before)


def test_a_report_stands_beside_it(run: RunFolder) -> None:
    run.write(1, 1)
    cut_before(run, 2)
    assert b'"why":"test"' in (run.quarantine / "journal-1.json").read_bytes()


def test_the_next_repair_has_the_next_number(run: RunFolder) -> None:
    run.write(1, 1, 1)
    assert [cut_before(run, 3), cut_before(run, 2)] == ["quarantine/journal-1", "quarantine/journal-2"]


def test_an_event_that_is_cut_does_not_come_back_by_itself(run: RunFolder) -> None:
    """The same folder is read once more for late events, and what was cut is still in it."""
    run.write(1, 1, 1)
    cut_before(run, 2)
    assert run.numbers() == [1]


def test_writing_goes_on_after_it(run: RunFolder) -> None:
    run.write(1, 1, 1)
    cut_before(run, 3)
    run.write(2)
    assert (run.numbers(), run.open().verify().seq) == ([1, 2, 3, 4], 4)


def test_who_had_read_the_old_journal_cannot_write(run: RunFolder) -> None:
    journal = run.write(1, 1, 1)
    cut_before(run, 3)
    with pytest.raises(RunBusy, match="repaired while this command was at work"):
        note(journal, 4)
    assert run.numbers() == [1, 2]


def test_who_had_read_the_old_journal_cannot_read_on(run: RunFolder) -> None:
    journal = run.write(1, 1, 1)
    cut_before(run, 3)
    with pytest.raises(RunBusy):
        journal.read_since(lambda event: None)


def test_a_writer_that_is_stopped_before_it_links_acknowledges_nothing(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run.write(1, 1, 1)
    once(monkeypatch, os, "link", lambda: cut_before(run, 3))
    with pytest.raises(RunBusy):
        note(journal, 4)
    assert (run.numbers(), run.open().verify().seq) == ([1, 2], 2)


def test_a_writer_that_is_stopped_before_it_answers_acknowledges_nothing(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run.write(1, 1, 1)
    once(monkeypatch, journal, "_check_place", lambda: cut_before(run, 3))
    with pytest.raises(RunBusy):
        note(journal, 4)
    assert run.numbers() == [1, 2]


def test_an_event_that_was_acknowledged_while_the_new_journal_was_made_is_taken_along(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run.write(1, 1)
    once(monkeypatch, rebuilding, "_announce", lambda: note(journal, 3))
    rebuild(str(run.path), salvage(str(run.path), RUN_ID, str(run.journal)), {})
    assert (run.numbers(), run.open().verify().seq) == ([1, 2, 3], 3)


def test_a_reader_in_the_middle_of_a_repair_does_not_take_a_beginning_for_all(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    reader, seen = run.open(), list[int]()

    def see(event: Event) -> None:
        seen.append(event.seq)
        if seen == [1]:
            cut_before(run, 3)

    with pytest.raises(RunBusy):
        reader.load(see)


def test_an_event_that_is_linked_while_the_old_journal_is_put_away_is_put_away_too(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1, 1)
    late = b"linked by a writer that has not noticed yet"
    once(monkeypatch, os, "rmdir", lambda: (run.path / "journal.repair-old" / "late").write_bytes(late))
    place = cut_before(run, 3)
    assert ((run.path / place / "late").read_bytes(), (run.path / "journal.repair-old").exists()) == (
        late,
        False,
    )


def test_folders_and_links_that_somebody_put_into_the_journal_are_put_away_too(run: RunFolder) -> None:
    run.write(1, 1)
    (run.journal / "mine").mkdir()
    (run.journal / "mine" / "file").write_text("kept")
    (run.journal / "link").symlink_to("nowhere")
    place = run.path / cut_before(run, 2)
    assert ((place / "mine" / "file").read_text(), os.readlink(place / "link")) == ("kept", "nowhere")


def once(monkeypatch: pytest.MonkeyPatch, place: Any, name: str, first: Callable[[], object]) -> None:
    """Do something before the next call of a function."""
    real = getattr(place, name)

    def call(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(place, name, real)
        first()
        return real(*arguments, **options)

    monkeypatch.setattr(place, name, call)


def test_the_cache_of_before_says_nothing_of_the_new_journal(run: RunFolder) -> None:
    """It knows its journal by the inode, and the next repair may get that of the one before."""
    run.write(1, 1, 1, 1, 1, 1)
    for number in (6, 5, 4, 3):
        cut_before(run, number)
        assert (run.numbers(), run.open().verify().seq) == (list(range(1, number)), number - 1)


@pytest.mark.parametrize("is_warm", [True, False])
def test_who_had_read_what_is_cut_cannot_write_although_the_folder_looks_the_same(
    run: RunFolder, is_warm: bool
) -> None:
    run.write(1, 1, 1)
    if not is_warm:
        run.forget_cache()
    journal = run.loaded()
    cut_before(run, 3)
    journal._identity = None  # as if the new folder had the inode of the old one
    with pytest.raises(RunBusy):
        note(journal, 4)
    assert run.numbers() == [1, 2]


def unfinished(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write(1, 1, 1)
    kill_at(monkeypatch, 3)
    with pytest.raises(Killed):
        cut_before(run, 3)


def test_a_repair_is_finished_without_its_report(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished(run, monkeypatch)
    shutil.rmtree(run.quarantine)
    finish(str(run.path), RUN_ID)
    assert (run.numbers(), is_unfinished(str(run.path))) == ([1, 2], False)


def test_a_report_that_is_torn_keeps_no_repair_from_being_finished(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished(run, monkeypatch)
    (run.quarantine / "journal-1.json").write_text('{"known": [')
    finish(str(run.path), RUN_ID)
    assert run.numbers() == [1, 2]


def test_what_is_put_away_takes_no_others_place(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    unfinished(run, monkeypatch)
    place = run.quarantine / "journal-1"
    (place / "folder").mkdir(parents=True)
    name = min((run.path / "journal.repair-old").iterdir()).name
    (place / name).write_text("another")
    (run.path / "journal.repair-old" / "folder").mkdir()
    finish(str(run.path), RUN_ID)
    kept = sorted(path.name for path in place.iterdir() if path.name.startswith((name, "folder")))
    assert kept == sorted([name, f"{name}.2", "folder", "folder.2"])


def test_names_of_others_in_the_quarantine_do_not_count(run: RunFolder) -> None:
    run.write(1, 1)
    run.quarantine.mkdir()
    for name in ("20240101.json", "journal-x.json", "9.json"):
        (run.quarantine / name).write_text("")
    assert cut_before(run, 2) == "quarantine/journal-1"


class Killed(BaseException):
    """The command is gone."""


def kill_at(monkeypatch: pytest.MonkeyPatch, rename: int) -> None:
    """Die before the n-th renaming of a repair."""
    real, left = os.rename, [rename]

    def renamed(*arguments: Any, **options: Any) -> None:
        left[0] -= arguments[0].startswith("journal")  # and not a cache
        if left[0] == 0:
            monkeypatch.setattr(os, "rename", real)
            raise Killed
        real(*arguments, **options)

    monkeypatch.setattr(os, "rename", renamed)


@pytest.mark.parametrize("step", [1, 2])
def test_a_kill_before_the_exchange_leaves_everything_as_it_was(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    run.write(1, 1, 1)
    kill_at(monkeypatch, step)
    with pytest.raises(Killed):
        cut_before(run, 2)
    assert (run.numbers(), is_unfinished(str(run.path))) == ([1, 2, 3], False)


def test_a_repair_after_such_a_kill_begins_anew(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write(1, 1, 1)
    kill_at(monkeypatch, 2)
    with pytest.raises(Killed):
        cut_before(run, 2)
    cut_before(run, 3)
    assert (run.numbers(), sorted(path.name for path in run.path.iterdir())) == (
        [1, 2],
        ["journal", "quarantine", "state"],
    )


def test_a_kill_between_the_two_steps_of_the_exchange_is_seen_and_finished(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1, 1)
    kill_at(monkeypatch, 3)
    with pytest.raises(Killed):
        cut_before(run, 3)
    assert is_unfinished(str(run.path))
    with pytest.raises(MissingEvent):
        run.numbers()
    finish(str(run.path), RUN_ID)
    assert (run.numbers(), is_unfinished(str(run.path))) == ([1, 2], False)


def test_what_was_linked_between_the_two_steps_is_taken_along_by_who_finishes(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run.write(1, 1)
    once(monkeypatch, rebuilding, "_announce", lambda: note(journal, 3))
    kill_at(monkeypatch, 3)
    monkeypatch.setattr(rebuilding, "_take_along", lambda *_: None)
    with pytest.raises(Killed):
        rebuild(str(run.path), salvage(str(run.path), RUN_ID, str(run.journal)), {})
    monkeypatch.undo()
    finish(str(run.path), RUN_ID)
    assert run.numbers() == [1, 2, 3]


def test_a_folder_that_cannot_be_moved_is_an_error_with_its_path(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1)
    salvaged = salvage(str(run.path), RUN_ID, str(run.journal))

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(StorageError, match=r"journal.repair-new' cannot be moved: Permission denied"):
        rebuild(str(run.path), salvaged, {})
    monkeypatch.undo()
    assert run.numbers() == [1, 2]


def test_an_answer_that_rests_on_what_was_read_is_not_given_after_a_repair(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    reader = run.loaded()
    once(monkeypatch, reader, "_check_place", lambda: cut_before(run, 3))
    with pytest.raises(RunBusy):
        reader.flush()
