"""A run is packed and unpacked: nothing is lost, and what stands in the way leaves everything as it was."""

from __future__ import annotations

import fcntl
import os
import socket
import zipfile
from typing import TYPE_CHECKING

import pytest
from projects import ASK_ONCE, Project
from put_away import archive_of, damage, end, kept, left_in, members, packed

from babysitter.errors import (
    Conflict,
    CorruptEvent,
    JournalError,
    NoSuchRun,
    RunBusy,
    RunExists,
    RunPacked,
    StorageError,
    UnsafePath,
    UsageError,
)
from babysitter.journal.lock import run_lock
from babysitter.limits import DEFAULT
from babysitter.runs import new_files, packing, unpacking
from babysitter.runs.ended import EndedRun
from babysitter.runs.folder import find, packed_ids
from babysitter.runs.packing import pack
from babysitter.runs.unpacking import copied, restore
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def run(project: Project) -> Path:
    """The folder of a run that has ended, and holds all kinds of things."""
    return end(project)


# There and back


def test_a_run_that_is_packed_and_restored_is_the_same(run: Path) -> None:
    before = kept(run)
    packed(run)
    restore("r", str(run.parent))
    assert kept(run) == before
    assert left_in(run.parent) == ["r"]


def test_a_restored_run_is_loaded_and_verified(run: Path, project: Project) -> None:
    output = project.open().output()
    packed(run)
    restore("r", str(run.parent))
    opened = project.open()
    assert (opened.output(), opened.journal.verify().seq) == (output, 4)


def test_packing_removes_the_folder_and_leaves_one_private_file(run: Path) -> None:
    packed(run)
    archive = archive_of(run)
    modes = [path.stat().st_mode & 0o777 for path in (archive, archive.parent)]
    assert (left_in(run.parent), modes) == (["r.zip"], [0o600, 0o700])


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_whatever_the_umask_what_is_packed_and_restored_is_private(run: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        packed(run)
        mode = archive_of(run).stat().st_mode & 0o777
        restore("r", str(run.parent))
    finally:
        os.umask(before)
    found = {path.stat().st_mode & 0o777 for path in run.rglob("*") if path.is_file()}
    made = [archive_of(run).parent, run, *run.rglob("*")]
    folders = {path.stat().st_mode & 0o777 for path in made if path.is_dir()}
    assert (mode, found, folders) == (0o600, {0o600, 0o700}, {0o700})


def test_what_the_owner_may_run_can_be_run_again(run: Path) -> None:
    packed(run)
    restore("r", str(run.parent))
    runnable = [path.name for path in run.rglob("*") if path.is_file() and path.stat().st_mode & 0o100]
    assert runnable == ["empty.txt"]


def test_the_same_run_makes_the_same_members_wherever_and_whenever_it_is_packed(run: Path) -> None:
    before = packed(run).about
    first = members(archive_of(run))
    restore("r", str(run.parent))
    moved = run.parent.parent / "elsewhere" / "r"
    moved.parent.mkdir()
    run.rename(moved)
    os.utime(moved / "notes.txt", (1, 1))
    after = packed(moved).about
    del first["packed.json"]
    second = {name: held for name, held in members(archive_of(moved)).items() if name != "packed.json"}
    assert (second, {**after, "packedAt": ""}) == (first, {**before, "packedAt": ""})


NOT_COMPARED = {"files", "folders", "packedAt", "createdAt", "endedAt"}


def test_an_archive_says_what_the_run_is(run: Path, project: Project) -> None:
    state, head = project.open().state, project.open().journal.head
    about = packed(run).about
    assert {name: about[name] for name in about if name not in NOT_COMPARED} == {
        "layout": 1,
        "runId": "r",
        "processId": "project",
        "status": "completed",
        "events": 4,
        "checksum": head.checksum,
        "resolved": 1,
        "pending": 0,
        "executable": ["artifacts/empty.txt"],
        "version": "0.1.0",
    }
    assert (len(about["files"]), state.status) == (11, "completed")


def test_another_program_can_read_an_archive(run: Path) -> None:
    journal = b"".join(path.read_bytes() for path in sorted(run.joinpath("journal").glob("0*")))
    packed(run)
    with zipfile.ZipFile(archive_of(run)) as archive:
        assert (archive.testzip(), archive.read("journal.jsonl")) == (None, journal)
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_cache_and_the_lock_are_left_out(run: Path) -> None:
    packed(run)
    assert [name for name in members(archive_of(run)) if name.startswith(("state", "run.lock"))] == []


def test_an_archive_that_is_to_be_kept_stays(run: Path) -> None:
    packed(run)
    restore("r", str(run.parent), keep=True)
    assert left_in(run.parent) == ["r", "r.zip"]


def test_what_is_read_and_written_is_told(run: Path) -> None:
    told: list[int] = []
    made = pack(EndedRun(str(run)), "0", told.append)
    read = sum(told)
    told.clear()
    restore("r", str(run.parent), tell=told.append)
    # All but packed.json itself, which is made.
    assert (read, sum(told)) == (read, read)
    assert 0 < made.size - read < 3000


# Both forms at once, as a kill leaves them


def test_packing_again_recognises_its_own_archive_and_removes_the_folder(run: Path) -> None:
    packed(run)
    restore("r", str(run.parent), keep=True)
    before = archive_of(run).stat().st_ino
    packed(run)
    assert (left_in(run.parent), archive_of(run).stat().st_ino) == (["r.zip"], before)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: (run / "notes.txt").write_text("other"),
        lambda run: (run / "notes.txt").unlink(),
        lambda run: (run / "more.txt").write_text("more"),
        lambda run: (run / "artifacts" / "hollow" / "new").mkdir(),
        lambda run: (run / "notes.txt").chmod(0o700),
    ],
)
def test_an_archive_that_is_not_the_same_is_a_conflict_and_both_stay(
    run: Path, change: Callable[[Path], object]
) -> None:
    packed(run)
    restore("r", str(run.parent), keep=True)
    change(run)
    before = digest_of(run.parent)
    with pytest.raises(Conflict, match="of the same id that is not the same"):
        packed(run)
    assert {**digest_of(run.parent), "r/run.lock": ""} == {**before, "r/run.lock": ""}


@pytest.mark.parametrize("harm", [lambda path: os.truncate(path, 3000), damage], ids=["cut", "changed"])
def test_a_damaged_archive_does_not_cost_the_folder(run: Path, harm: Callable[[Path], object]) -> None:
    packed(run)
    restore("r", str(run.parent), keep=True)
    harm(archive_of(run))
    with pytest.raises(JournalError, match="cannot be trusted"):
        packed(run)
    assert run.exists()


def test_a_run_that_has_a_folder_is_not_restored(run: Path) -> None:
    packed(run)
    restore("r", str(run.parent), keep=True)
    before = digest_of(run.parent)
    with pytest.raises(RunExists, match="a run 'r' exists"):
        restore("r", str(run.parent))
    assert digest_of(run.parent) == before


def test_a_file_in_the_place_of_the_folder_is_not_overwritten(run: Path) -> None:
    packed(run)
    run.write_text("mine")
    with pytest.raises(RunExists):
        restore("r", str(run.parent))
    assert (run.read_text(), left_in(run.parent)) == ("mine", ["r", "r.zip"])


def test_a_folder_that_appears_meanwhile_is_not_overwritten(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(run)

    def unpack(*arguments: object, **options: object) -> None:
        (run / "artifacts").mkdir(parents=True)

    monkeypatch.setattr(unpacking, "unpack", unpack)
    with pytest.raises(RunExists):
        restore("r", str(run.parent))
    assert (left_in(run.parent), os.listdir(run)) == (["r", "r.zip"], ["artifacts"])


def test_another_archive_that_appears_meanwhile_is_not_removed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(run)

    def after_the_other(folder: str) -> None:
        content = archive_of(run).read_bytes()
        archive_of(run).with_name("new").write_bytes(content)
        archive_of(run).with_name("new").rename(archive_of(run))

    monkeypatch.setattr(unpacking, "sync_folder", after_the_other)
    restore("r", str(run.parent))
    assert left_in(run.parent) == ["r", "r.zip"]


def test_the_archive_goes_only_while_the_folder_is_there(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that do not see each other's locks: this one restores, the other removes the folder again."""
    packed(run)
    set_aside = unpacking.leave_to.__globals__["set_aside"]

    def after_the_other(path: str) -> str:
        run.rename(run.parent / "away")
        return str(set_aside(path))

    monkeypatch.setitem(unpacking.leave_to.__globals__, "set_aside", after_the_other)
    restore("r", str(run.parent))
    assert left_in(run.parent) == ["away", "r.zip"]


def test_the_folder_goes_only_while_the_archive_is_there(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same the other way round."""
    before = kept(run)
    set_aside = packing.leave_to.__globals__["set_aside"]

    def after_the_other(path: str) -> str:
        archive_of(run).unlink()
        return str(set_aside(path))

    monkeypatch.setitem(packing.leave_to.__globals__, "set_aside", after_the_other)
    with pytest.raises(Conflict, match="was removed by another command"):
        packed(run)
    assert (left_in(run.parent), kept(run)) == (["r"], before)


# What is not packed


def refused(run: Path, error: type[Exception], match: str) -> None:
    """Packing says this, and leaves everything as it was."""
    before = kept(run)
    with pytest.raises(error, match=match):
        packed(run)
    assert (left_in(run.parent), kept(run)) == ([run.name], before)


def test_a_run_that_waits_is_not_packed(project: Project) -> None:
    project.begin(ASK_ONCE)
    refused(project.runs_dir / "r", Conflict, "the run 'r' is waiting")


def test_a_run_that_is_stuck_is_not_packed(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    {}['nothing']\n")
    refused(project.runs_dir / "r", Conflict, "the run 'r' is stuck")


def test_a_run_that_is_locked_is_not_packed(run: Path) -> None:
    with run_lock(str(run), 0):
        refused(run, RunBusy, "is in use by")


def test_a_run_with_a_command_that_still_runs_is_not_packed(run: Path) -> None:
    folder = run / "tasks" / "e1"
    folder.mkdir()
    with (folder / "child.json").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(run, RunBusy, "a command of effect 'e1' of run 'r' is still running")


def test_a_run_that_goes_on_after_it_was_looked_at_is_not_packed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = EndedRun(str(run))
    refresh = ended.run.refresh

    def rewound() -> None:
        refresh()
        ended.run.journal.head = type(ended.run.journal.head).genesis("r")

    monkeypatch.setattr(ended.run, "refresh", rewound)
    with pytest.raises(Conflict):
        pack(ended, "0")
    assert left_in(run.parent) == ["r"]


def test_a_run_with_a_changed_event_is_not_packed(run: Path) -> None:
    path = min(run.joinpath("journal").glob("0*"))
    path.write_bytes(path.read_bytes().replace(b"RUN_CREATED", b"RUN_CREATEE"))
    refused(run, CorruptEvent, "checksum")


def test_the_way_out_of_a_damaged_run_is_the_doctor(run: Path) -> None:
    max(run.joinpath("journal").glob("0*")).write_bytes(b"")
    with pytest.raises(JournalError) as raised:
        packed(run)
    assert raised.value.hint == "babysitter doctor r"


@pytest.mark.parametrize("name", ["inputs.json", "result-", "output-"])
@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(b"1")])
def test_a_run_with_a_file_that_is_not_what_its_event_says_is_not_packed(
    run: Path, name: str, change: Callable[[Path], object]
) -> None:
    (found,) = [path for path in run.rglob("*") if path.name.replace("value-", "result-").startswith(name)]
    change(found)
    refused(run, CorruptEvent, "its event has another digest")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to("."),
        os.mkfifo,
        lambda path: socket.socket(socket.AF_UNIX).bind(os.path.relpath(path)),
    ],
    ids=["link", "dangling", "folder", "pipe", "socket"],
)
@pytest.mark.parametrize("place", ["artifacts/x", "x", "tasks/x", "artifacts/deep/x"])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_what_could_not_be_given_back_is_not_packed(
    run: Path, place: str, make: Callable[[Path], object]
) -> None:
    make(run / place)
    with pytest.raises(UnsafePath, match=f"{place}' is neither a file nor a folder"):
        packed(run)
    assert (left_in(run.parent), os.path.lexists(run / place)) == (["r"], True)


def test_a_name_that_is_no_text_is_not_packed(run: Path) -> None:
    with open(os.fsencode(run) + b"/artifacts/\xff", "wb"):
        pass
    with pytest.raises(UnsafePath, match="not UTF-8"):
        packed(run)
    assert left_in(run.parent) == ["r"]


@pytest.mark.parametrize("name", ["packed.json", "journal.jsonl"])
def test_a_name_that_the_archive_needs_is_not_packed(run: Path, name: str) -> None:
    (run / name).write_text("mine")
    refused(run, UnsafePath, f"{name}' has a name that is babysitter's own")


def test_a_copy_under_another_name_is_not_packed(run: Path) -> None:
    run.rename(run.parent / "copy")
    refused(run.parent / "copy", UsageError, "the run in the folder 'copy' is 'r'")


def test_what_changes_while_it_is_packed_is_not_packed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = packing.describe

    def describe(*arguments: object) -> object:
        found = described(*arguments)  # type: ignore[arg-type]
        (run / "artifacts" / "late.txt").write_text("late")
        return found

    monkeypatch.setattr(packing, "describe", describe)
    with pytest.raises(Conflict, match="was changed while it was read"):
        packed(run)
    assert left_in(run.parent) == ["r"]


@pytest.mark.parametrize("lose", [lambda path: os.truncate(path, 100), damage], ids=["cut", "changed"])
def test_what_is_not_read_back_as_it_was_written_is_not_believed(
    run: Path, monkeypatch: pytest.MonkeyPatch, lose: Callable[[Path], object]
) -> None:
    def spoil(fd: int) -> None:
        (written,) = archive_of(run).parent.iterdir()
        lose(written)

    monkeypatch.setattr(packing, "_forget_pages", spoil)
    refused(run, StorageError, "what was written is not what is read back")


def test_what_says_something_else_than_was_written_is_not_believed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = packing.add_about
    monkeypatch.setattr(packing, "add_about", lambda archive, about: add(archive, {**about, "version": "x"}))
    refused(run, StorageError, "is not what is read back")


def test_an_archive_is_on_the_disk_before_it_has_its_name(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    noted(monkeypatch, packing, "flush", order)
    noted(monkeypatch, os, "link", order)
    noted(monkeypatch, packing, "leave_to", order)
    packed(run)
    assert order == ["flush", "link", "leave_to"]


def test_a_restored_run_is_on_the_disk_before_it_has_its_name(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(run)
    order: list[str] = []
    noted(monkeypatch, new_files, "flush_all", order)
    noted(monkeypatch, new_files, "flush", order)
    noted(monkeypatch, os, "rename", order)
    restore("r", str(run.parent), keep=True)
    assert (set(order[:-1]), order[-1]) == ({"flush_all", "flush"}, "rename")


def test_each_file_and_folder_of_a_restored_run_is_flushed(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(run)
    flushed: list[int] = []
    monkeypatch.setattr(new_files, "flush_all", lambda fds, *_, **__: flushed.extend(fds))
    monkeypatch.setattr(new_files, "flush", lambda fd, path: flushed.append(fd))
    restore("r", str(run.parent), keep=True)
    everything = [path for path in [run, *run.rglob("*")] if path.name != "run.lock"]
    assert len(flushed) == len(everything)


def noted(monkeypatch: pytest.MonkeyPatch, place: object, name: str, order: list[str]) -> None:
    """Note when something is called."""
    call = getattr(place, name)

    def note(*arguments: object, **options: object) -> object:
        order.append(name)
        return call(*arguments, **options)

    monkeypatch.setattr(place, name, note)


@pytest.mark.parametrize("target", ["folder", "file"])
def test_an_archive_folder_that_is_a_link_is_not_used(run: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (run.parent / ".archive").symlink_to(tmp_path / target)
    with pytest.raises(UnsafePath):
        packed(run)
    assert (run.exists(), list((tmp_path / "folder").iterdir())) == (True, [])


# Names


def test_a_packed_run_is_found_by_its_id_and_by_a_beginning_of_it(project: Project) -> None:
    packed(end(project, "run-one"))
    for name in ("run-one", "run-o"):
        with pytest.raises(RunPacked) as raised:
            find(name, str(project.runs_dir))
        assert (raised.value.archive, raised.value.hint) == (
            str(project.runs_dir / ".archive" / "run-one.zip"),
            "babysitter restore run-one",
        )


def test_a_folder_comes_before_an_archive_that_begins_like_it(project: Project) -> None:
    packed(end(project, "run-1"))
    project.create(run_id="run-2")
    assert find("run", str(project.runs_dir)) == str(project.runs_dir / "run-2")


def test_a_whole_id_of_an_archive_comes_before_a_folder_that_begins_with_it(project: Project) -> None:
    packed(end(project, "run"))
    project.create(run_id="run-2")
    with pytest.raises(RunPacked):
        find("run", str(project.runs_dir))


def test_the_beginning_of_two_archives_names_none(project: Project) -> None:
    packed(end(project, "run-1"))
    packed(end(project, "run-2"))
    with pytest.raises(NoSuchRun, match="no run 'run'") as raised:
        find("run", str(project.runs_dir))
    assert type(raised.value) is NoSuchRun


def test_only_what_can_be_the_archive_of_a_run_is_one(run: Path) -> None:
    packed(run)
    for name in ("x.txt", "-x.zip", ".packing-abc.zip", ".removed-abc", "a b.zip", ".zip"):
        (archive_of(run).parent / name).write_text("")
    assert list(packed_ids(str(run.parent))) == ["r"]


def test_a_new_run_does_not_take_the_id_of_a_packed_one(run: Path, project: Project) -> None:
    packed(run)
    with pytest.raises(RunExists, match="a run 'r' exists, and is packed"):
        project.create(run_id="r")


def test_what_is_not_packed_is_not_restored(project: Project) -> None:
    project.create(ASK_ONCE, run_id="r")
    with pytest.raises(NoSuchRun, match="no run 'r' is packed"):
        restore("r", str(project.runs_dir))


def test_an_archive_under_the_name_of_another_run_is_not_restored(run: Path) -> None:
    packed(run)
    archive_of(run).rename(archive_of(run).with_name("s.zip"))
    with pytest.raises(JournalError, match="holds the run 'r'"):
        restore("s", str(run.parent))
    assert left_in(run.parent) == ["s.zip"]


# Looking


def test_a_packed_run_is_looked_at_in_a_copy_that_is_gone_afterwards(
    run: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = project.open().output()
    packed(run)
    before = digest_of(run.parent)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(RunPacked) as raised:
        find("r", str(run.parent))
    with copied(raised.value, DEFAULT) as copy:
        folder = copy.folder
        mode = os.stat(folder).st_mode & 0o777
        assert (copy.load().output(), copy.archive, mode) == (output, str(archive_of(run)), 0o700)
        assert os.listdir(os.path.join(folder, "artifacts")) == []
    assert (os.path.exists(folder), digest_of(run.parent)) == (False, before)


def test_a_copy_is_gone_also_after_an_error(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(run)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ZeroDivisionError), copied(RunPacked("", archive=str(archive_of(run))), DEFAULT):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_a_copy_needs_room_for_itself_and_for_others(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(run)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(
        os, "statvfs", lambda folder: os.statvfs_result((4096, 4096, 30, 30, 30, 9, 9, 9, 0, 255))
    )
    with (
        pytest.raises(StorageError, match="has room for 122880"),
        copied(RunPacked("", archive=str(archive_of(run))), DEFAULT),
    ):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_a_run_that_does_not_fit_on_the_disk_is_not_begun(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(run)
    monkeypatch.setattr(
        os, "statvfs", lambda folder: os.statvfs_result((4096, 4096, 9, 9, 9, 9, 9, 9, 0, 255))
    )
    with pytest.raises(StorageError, match="has room for 36864"):
        restore("r", str(run.parent))
    assert left_in(run.parent) == ["r.zip"]


def test_a_large_journal_is_flushed_as_a_whole_and_is_the_same(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    [ctx.log(str(n)) for n in range(200)]\n")
    folder = project.runs_dir / "r"
    before = kept(folder)
    packed(folder)
    restore("r", str(project.runs_dir))
    assert (len(before) > 200, kept(folder)) == (True, before)
