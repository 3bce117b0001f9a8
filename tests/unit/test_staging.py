"""Files that wait for their names: each way of keeping them, each way of flushing them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter import flushing, staging
from babysitter.disk import Folder
from babysitter.errors import StorageError
from babysitter.flushing import FEW, flush_all, sync_file_system
from babysitter.staging import MOST_UNNAMED, Named, Unnamed, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = [1, FEW - 1, FEW, 70, MOST_UNNAMED, MOST_UNNAMED + 1]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "folder").mkdir()
    with Folder(str(tmp_path / "folder")) as opened:
        yield opened


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture(params=["as here", "no O_TMPFILE", "unknown file system", "no syncfs"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine as it is, and as others are."""
    if request.param == "no O_TMPFILE":
        real_open = os.open

        def open_(path: str, flags: int, *rest: int, **options: int) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")
            return real_open(path, flags, *rest, **options)

        monkeypatch.setattr(os, "open", open_)
    elif request.param == "unknown file system":
        monkeypatch.setattr(staging, "kind_of", lambda folder: b"btrfs")
    elif request.param == "no syncfs":
        monkeypatch.setattr(flushing, "sync_file_system", lambda folder: False)
        monkeypatch.setattr(staging, "sync_file_system", lambda folder: False)


def contents(count: int) -> list[bytes]:
    return [b"%d" % index * 10 for index in range(count)]


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("count", SIZES)
def test_what_is_linked_has_its_content_and_nothing_else_is_left(
    folder: Folder, scratch: Path, count: int
) -> None:
    with stage(folder, str(scratch), contents(count)) as staged:
        assert os.listdir(folder.path) == []
        for index in range(count):
            staged.link(index, f"{index:03d}")
    written = [(Path(folder.path) / name).read_bytes() for name in sorted(os.listdir(folder.path))]
    assert (written, os.listdir(scratch)) == (contents(count), [])


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("count", SIZES)
def test_what_is_never_linked_vanishes(folder: Folder, scratch: Path, count: int) -> None:
    stage(folder, str(scratch), contents(count)).close()
    assert (os.listdir(folder.path), os.listdir(scratch)) == ([], [])


@pytest.mark.usefixtures("system")
def test_a_name_that_is_taken_is_file_exists(folder: Folder, scratch: Path) -> None:
    (Path(folder.path) / "taken").write_text("old")
    with stage(folder, str(scratch), [b"new"]) as staged, pytest.raises(FileExistsError):
        staged.link(0, "taken")


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("count", [3, FEW, MOST_UNNAMED + 1])
def test_a_disk_that_fills_up_leaves_nothing_behind(
    folder: Folder, scratch: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [count - 1]
    real_write = os.write

    def write(fd: int, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real_write(fd, data)

    monkeypatch.setattr(os, "write", write)
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(StorageError, match="No space left on device"):
        stage(folder, str(scratch), contents(count))
    assert (os.listdir(folder.path), os.listdir(scratch)) == ([], [])
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("count", [1, FEW, MOST_UNNAMED + 1])
def test_every_file_is_flushed_once_or_the_whole_file_system_is(
    folder: Folder, scratch: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    synced: list[str] = []
    real_fsync, real_sync = os.fsync, flushing.sync_file_system

    def fsync(fd: int) -> None:
        flushed.append(os.fstat(fd).st_ino)
        real_fsync(fd)

    def sync(folder: Folder) -> bool:
        done = real_sync(folder)
        synced.extend([folder.path] * done)
        return done

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(flushing, "sync_file_system", sync)
    monkeypatch.setattr(staging, "sync_file_system", sync)
    stage(folder, str(scratch), contents(count)).close()
    assert (len(flushed), len(set(flushed)), len(synced)) in [(count, count, 0), (0, 0, 1)]


@pytest.mark.parametrize("count", [2, FEW + 1])
def test_a_failed_flush_is_a_storage_error_and_never_tried_again(
    folder: Folder, tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []

    def fsync(fd: int) -> None:
        flushed.append(fd)
        raise OSError(errno.EIO, "Input/output error")

    fds = [os.open(tmp_path / str(index), os.O_CREAT | os.O_WRONLY) for index in range(count)]
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageError, match="cannot be flushed: Input/output error"):
        flush_all(fds, folder, can_sync_all=False)
    for fd in fds:
        os.close(fd)
    assert len(flushed) == len(set(flushed))


def test_a_file_system_that_could_not_be_flushed_is_a_storage_error(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctypes

    class Library:
        @staticmethod
        def syncfs(fd: int) -> int:
            ctypes.set_errno(errno.EIO)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno: Library)
    with pytest.raises(StorageError, match="cannot be flushed: Input/output error"):
        sync_file_system(folder)


@pytest.mark.parametrize("library", ["without the call", "with a call that is forbidden"])
def test_where_syncfs_is_missing_it_is_not_used(
    folder: Folder, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctypes

    class Library:
        pass

    def forbidden(fd: int) -> int:
        ctypes.set_errno(errno.ENOSYS)
        return -1

    if library == "with a call that is forbidden":
        Library.syncfs = staticmethod(forbidden)  # type: ignore[attr-defined]
    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno: Library)
    assert sync_file_system(folder) is False


@pytest.mark.parametrize(
    ("sysname", "release", "reports"),
    [
        ("Linux", "6.18.44-fc-v595", True),
        ("Linux", "5.8", True),
        ("Linux", "5.7.19", False),
        ("Linux", "5.15-rc1", True),
        ("Linux", "4.19.0-amd64", False),
        ("Linux", "odd", False),
        ("Darwin", "23.1.0", False),
    ],
)
def test_syncfs_counts_from_linux_5_8_on(
    sysname: str, release: str, reports: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class System:
        pass

    System.sysname, System.release = sysname, release  # type: ignore[attr-defined]
    monkeypatch.setattr(os, "uname", lambda: System)
    assert flushing.syncfs_reports_failures() is reports


def test_a_small_batch_has_no_names_where_that_is_safe(folder: Folder, scratch: Path) -> None:
    kind = staging.kind_of(folder)
    with stage(folder, str(scratch), contents(2)) as staged:
        assert isinstance(staged, Unnamed if kind in staging._KNOWN_KINDS else Named)


@pytest.mark.usefixtures("system")
def test_a_large_batch_takes_few_descriptors(folder: Folder, scratch: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    with stage(folder, str(scratch), contents(MOST_UNNAMED * 2)):
        assert len(os.listdir("/dev/fd")) - before <= MOST_UNNAMED


def test_an_absent_scratch_folder_is_made(folder: Folder, tmp_path: Path) -> None:
    with Named(folder, str(tmp_path / "state"), [b"x"], can_sync_all=False) as staged:
        staged.link(0, "a")
    assert os.listdir(tmp_path / "state") == []


def test_what_a_kill_left_long_ago_is_cleared_away_and_what_is_new_is_not(
    folder: Folder, scratch: Path
) -> None:
    for name in ("staging.old", "staging.new", "other"):
        (scratch / name).mkdir()
        (scratch / name / "0").write_text("left")
    for name in ("staging.old", "other"):
        os.utime(scratch / name, (1000, 1000))
    Named(folder, str(scratch), [b"x"], can_sync_all=False).close()
    assert sorted(os.listdir(scratch)) == ["other", "staging.new"]


def test_what_looks_old_but_is_a_link_is_left_alone(folder: Folder, scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("keep")
    (scratch / "staging.link").symlink_to(tmp_path / "precious")
    os.utime(scratch / "staging.link", (1000, 1000), follow_symlinks=False)
    Named(folder, str(scratch), [b"x"], can_sync_all=False).close()
    assert (tmp_path / "precious" / "file").exists()
