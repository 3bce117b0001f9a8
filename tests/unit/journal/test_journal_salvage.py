"""What of a damaged journal is found again, and what is not believed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from journal_folders import NOW, RUN_ID, RunFolder

from babysitter.disk import Folder
from babysitter.errors import StorageError
from babysitter.journal.salvage import Salvage, salvage
from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def found(run: RunFolder, before: int | None = None) -> Salvage:
    return salvage(str(run.path), RUN_ID, str(run.journal), before)


def numbers(salvaged: Salvage) -> list[int]:
    return [kept.event.data["n"] for kept in salvaged.kept]


def restored(salvaged: Salvage) -> list[int]:
    return [kept.event.seq for kept in salvaged.restored]


def damage(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[:40] + bytes([raw[40] ^ 1]) + raw[41:])


def test_a_whole_journal_is_kept_as_it_is(run: RunFolder) -> None:
    run.write(1, 3)
    salvaged = found(run)
    assert (numbers(salvaged), restored(salvaged), salvaged.left) == ([1, 2, 3, 4], [], [])


def test_an_event_whose_file_is_damaged_comes_from_the_cache(run: RunFolder) -> None:
    run.write(1, 1, 1)
    whole = run.files()[1].read_bytes()
    damage(run.files()[1])
    salvaged = found(run)
    assert (numbers(salvaged), restored(salvaged)) == ([1, 2, 3], [2])
    assert salvaged.kept[1].piece.raw == whole


def test_a_damaged_file_is_left(run: RunFolder) -> None:
    run.write(1, 1, 1)
    damage(run.files()[1])
    assert found(run).left == [run.files()[1].name]


def test_the_last_events_come_from_the_cache_of_this_folder(run: RunFolder) -> None:
    run.write(1, 1, 1)
    for path in run.files()[1:]:
        path.unlink()
    assert restored(found(run)) == [2, 3]


def test_the_cache_of_another_folder_is_not_believed_about_the_end(run: RunFolder, tmp_path: Path) -> None:
    run.write(1, 1, 1)
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    max((copy / "journal").iterdir()).unlink()
    salvaged = salvage(str(copy), RUN_ID, str(copy / "journal"))
    assert (numbers(salvaged), restored(salvaged)) == ([1, 2], [])


def test_the_cache_of_another_folder_is_believed_where_a_file_vouches_for_it(
    run: RunFolder, tmp_path: Path
) -> None:
    run.write(1, 1, 1)
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    damage(sorted((copy / "journal").iterdir())[1])
    salvaged = salvage(str(copy), RUN_ID, str(copy / "journal"))
    assert (numbers(salvaged), restored(salvaged)) == ([1, 2, 3], [2])


def test_without_any_file_the_cache_is_all_there_is(run: RunFolder) -> None:
    run.write(1, 2)
    shutil.rmtree(run.journal)
    assert numbers(found(run)) == [1, 2, 3]


def test_without_a_copy_the_journal_ends_before_the_damage(run: RunFolder) -> None:
    run.write(1, 1, 1, 1)
    run.forget_cache()
    damage(run.files()[2])
    salvaged = found(run)
    assert (numbers(salvaged), salvaged.left) == ([1, 2], [path.name for path in run.files()[2:]])


def with_crlf(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def with_mark(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


def without_end(path: Path) -> None:
    path.write_bytes(path.read_bytes().rstrip(b"\n"))


@pytest.mark.parametrize("edit", [with_crlf, with_mark, without_end])
def test_an_event_of_which_an_editor_changed_the_line_ends_is_whole(
    run: RunFolder, edit: Callable[[Path], None]
) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    edit(run.files()[1])
    assert (numbers(found(run)), restored(found(run))) == ([1, 2, 3], [2])


def test_an_event_under_another_name_is_found(run: RunFolder) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    run.files()[1].rename(run.journal / "saved by somebody")
    salvaged = found(run)
    assert (numbers(salvaged), restored(salvaged), salvaged.left) == ([1, 2, 3], [2], [])


def test_events_whose_contents_were_exchanged_are_found(run: RunFolder) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    _, second, third = run.files()
    contents = second.read_bytes(), third.read_bytes()
    third.write_bytes(contents[0])
    second.write_bytes(contents[1])
    assert (numbers(found(run)), restored(found(run))) == ([1, 2, 3], [2, 3])


def test_what_was_on_the_disk_counts_more_than_what_somebody_put_in_its_place(run: RunFolder) -> None:
    run.write(1, 1, 1)
    for path in run.files()[1:]:
        path.unlink()
    forger = Journal(str(run.path), RUN_ID)
    forger._cache.stop()
    with pytest.raises(Exception, match="was written before"):
        forger.load(lambda event: None, use_cache=False)
    forger.append([("NOTE", {"n": 20})], NOW)
    assert numbers(found(run)) == [1, 2, 3]


def test_a_file_of_another_run_is_left(run: RunFolder, tmp_path: Path) -> None:
    run.write(1, 1)
    other = RunFolder(tmp_path / "other")
    journal = Journal(str(other.path), "run-2")
    journal.append([("NOTE", {"n": 1})], NOW)
    shutil.copy(other.files()[0], run.journal)
    salvaged = found(run)
    assert (numbers(salvaged), salvaged.left) == ([1, 2], [other.files()[0].name])


def test_it_stops_where_it_is_told_to(run: RunFolder) -> None:
    run.write(1, 1, 1, 1)
    salvaged = found(run, before=3)
    assert (numbers(salvaged), salvaged.left) == ([1, 2], [path.name for path in run.files()[2:]])


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A bad place on the disk, where this file is."""
    real = Folder.read

    def read(folder: Folder, asked: str, *arguments: Any, **options: Any) -> bytes:
        if asked == name:
            raise StorageError(f"{asked!r} cannot be read: Input/output error")
        return real(folder, asked, *arguments, **options)

    monkeypatch.setattr(Folder, "read", read)


def test_an_event_that_cannot_be_read_comes_from_the_cache(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1, 1)
    unreadable(monkeypatch, run.files()[2].name)
    with pytest.raises(StorageError):
        run.open().verify()
    assert restored(found(run)) == [3]


def test_what_cannot_be_read_now_is_not_taken_for_damage(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    unreadable(monkeypatch, run.files()[1].name)
    with pytest.raises(StorageError, match="cannot be read") as caught:
        found(run)
    assert caught.value.hint == "if the disk is bad there for good, go back to before it: --before 2"


def test_a_bad_place_can_be_cut_off(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.write(1, 1, 1)
    run.forget_cache()
    unreadable(monkeypatch, run.files()[1].name)
    assert numbers(found(run, before=2)) == [1]


def test_links_folders_and_pipes_are_no_events(run: RunFolder, tmp_path: Path) -> None:
    import os

    run.write(1, 1, 1)
    run.forget_cache()
    _, second, third = run.files()
    second.rename(tmp_path / "outside")
    second.symlink_to(tmp_path / "outside")
    third.unlink()
    os.mkfifo(third)
    assert numbers(found(run)) == [1]
