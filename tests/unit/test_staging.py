"""Files that wait for their names: each way of keeping them, each way of flushing them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter import staging
from babysitter.disk import Folder
from babysitter.errors import StorageError
from babysitter.flushing import FEW, flush_all, start_writing
from babysitter.staging import MOST_AT_ONCE, Named, Unnamed, open_at_once, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

# With the limit of open files that the fixture sets.
AT_ONCE = 40
SIZES = [1, FEW - 1, FEW, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "folder").mkdir()
    with Folder(str(tmp_path / "folder")) as opened:
        yield opened


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def few_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 2 * AT_ONCE)


@pytest.fixture(params=["as here", "no O_TMPFILE", "unknown file system", "no posix_fadvise"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, few_descriptors: None) -> None:
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
    elif request.param == "no posix_fadvise":
        monkeypatch.delattr(os, "posix_fadvise", raising=False)


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
@pytest.mark.parametrize("count", [3, FEW, AT_ONCE + 1])
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
@pytest.mark.parametrize("count", [1, FEW, AT_ONCE, 3 * AT_ONCE])
def test_every_file_is_flushed_once_after_its_content_was_written(
    folder: Folder, scratch: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: dict[int, bytes] = {}
    real_fsync = os.fsync

    def fsync(fd: int) -> None:
        found = os.fstat(fd)
        assert found.st_ino not in flushed
        flushed[found.st_ino] = Path(f"/proc/self/fd/{fd}").read_bytes()
        real_fsync(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with stage(folder, str(scratch), contents(count)) as staged:
        for index in range(count):
            staged.link(index, str(index))
            assert sorted(flushed.values()) == sorted(contents(count))


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("count", [1, FEW, AT_ONCE + 1])
def test_what_could_not_be_flushed_never_gets_a_name(
    folder: Folder, scratch: Path, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []

    def fsync(fd: int) -> None:
        flushed.append(os.fstat(fd).st_ino)
        raise OSError(errno.EIO, "Input/output error")

    def publish() -> None:
        with stage(folder, str(scratch), contents(count)) as staged:
            with pytest.raises(StorageError):
                staged.link(0, "first")
            staged.link(0, "again")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises((StorageError, LookupError)):
        publish()
    assert (len(flushed), os.listdir(folder.path)) == (len(set(flushed)), [])


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
        flush_all(fds, folder)
    for fd in fds:
        os.close(fd)
    assert len(flushed) == len(set(flushed))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_a_file_that_cannot_be_started_is_flushed_all_the_same(
    folder: Folder, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: int) -> None:
        raise OSError(number, os.strerror(number))

    flushed: list[int] = []
    monkeypatch.setattr(os, "posix_fadvise", refuse, raising=False)
    monkeypatch.setattr(os, "fsync", flushed.append)
    fds = [os.open(tmp_path / str(index), os.O_CREAT | os.O_WRONLY) for index in range(FEW)]
    start_writing(fds)
    flush_all(fds, folder)
    for fd in fds:
        os.close(fd)
    assert sorted(flushed) == fds


@pytest.mark.parametrize(
    ("allowed", "at_once"),
    [(256, 128), (1024, 512), (1 << 20, MOST_AT_ONCE), (3, 1), (-1, MOST_AT_ONCE)],
)
def test_half_of_the_descriptors_that_are_allowed_may_be_taken(
    allowed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_OPEN_MAX": allowed}.__getitem__)
    assert open_at_once() == at_once


def test_a_small_batch_has_no_names_where_that_is_safe(folder: Folder, scratch: Path) -> None:
    kind = staging.kind_of(folder)
    with stage(folder, str(scratch), contents(2)) as staged:
        assert isinstance(staged, Unnamed if kind in staging._KNOWN_KINDS else Named)


@pytest.mark.usefixtures("system")
def test_a_batch_never_takes_more_descriptors_than_it_may(
    folder: Folder, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(os.listdir("/dev/fd"))
    taken: list[int] = []
    real_write = os.write

    def write(fd: int, data: bytes) -> int:
        taken.append(len(os.listdir("/dev/fd")) - before)
        return real_write(fd, data)

    monkeypatch.setattr(os, "write", write)
    with stage(folder, str(scratch), contents(AT_ONCE * 3)):
        taken.append(len(os.listdir("/dev/fd")) - before)
    # Two more are those of the scratch folder, and of its own folder in there.
    assert max(taken) <= AT_ONCE + 2


def test_an_absent_scratch_folder_is_made(folder: Folder, tmp_path: Path) -> None:
    with Named(folder, str(tmp_path / "state"), [b"x"]) as staged:
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
    Named(folder, str(scratch), [b"x"]).close()
    assert sorted(os.listdir(scratch)) == ["other", "staging.new"]


def test_what_looks_old_but_is_a_link_is_left_alone(folder: Folder, scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("keep")
    (scratch / "staging.link").symlink_to(tmp_path / "precious")
    os.utime(scratch / "staging.link", (1000, 1000), follow_symlinks=False)
    Named(folder, str(scratch), [b"x"]).close()
    assert (tmp_path / "precious" / "file").exists()
