"""Files by their path, on a real disk and on one that refuses."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from babysitter.disk import Folder
from babysitter.errors import InvalidInput, StorageError, UnsafePath
from babysitter.files import open_inside, publish, read_regular, replace, sync_folder, write_once


class Disk:
    """Counts what is flushed and fails as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.flushed: list[int] = []
        self.failure: int | None = None
        self.real_fsync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, fd: int) -> None:
        self.flushed.append(os.fstat(fd).st_ino)
        if self.failure is not None:
            raise OSError(self.failure, os.strerror(self.failure))
        self.real_fsync(fd)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_write_once_writes_a_private_file(tmp_path: Path) -> None:
    write_once(str(tmp_path / "a"), b"content")
    found = tmp_path / "a"
    assert (found.read_bytes(), stat.S_IMODE(found.stat().st_mode)) == (b"content", 0o600)


def test_write_once_does_not_touch_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileExistsError):
        write_once(str(tmp_path / "a"), b"new")
    assert (tmp_path / "a").read_text() == "old"


def test_write_once_does_not_write_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_once(str(tmp_path / "a"), b"new")
    assert not (tmp_path / "elsewhere").exists()


def test_write_once_into_no_folder_is_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_once(str(tmp_path / "absent" / "a"), b"")


def test_write_once_flushes_exactly_once(tmp_path: Path, disk: Disk) -> None:
    write_once(str(tmp_path / "a"), b"content")
    assert disk.flushed == [(tmp_path / "a").stat().st_ino]


def test_a_failed_flush_is_not_tried_again_and_leaves_no_file(tmp_path: Path, disk: Disk) -> None:
    disk.failure = errno.EIO
    with pytest.raises(StorageError):
        write_once(str(tmp_path / "a"), b"content")
    assert (len(disk.flushed), os.listdir(tmp_path)) == (1, [])


def test_a_full_disk_is_a_storage_error_that_names_file_and_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError) as caught:
        write_once(str(tmp_path / "a"), b"content")
    assert caught.value.message == f"'{tmp_path}/a' cannot be written: No space left on device"
    assert caught.value.hint == "free some space and try again; nothing was acknowledged"
    assert os.listdir(tmp_path) == []


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, bytes(data[:3])))
    write_once(str(tmp_path / "a"), b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_publish_gives_a_whole_file_its_name(tmp_path: Path) -> None:
    with Folder(str(tmp_path)) as folder:
        publish(folder, "a", b"content")
    assert ((tmp_path / "a").read_bytes(), os.listdir(tmp_path)) == (b"content", ["a"])


def test_publish_flushes_the_file_and_then_the_folder(tmp_path: Path, disk: Disk) -> None:
    with Folder(str(tmp_path)) as folder:
        publish(folder, "a", b"content")
    assert disk.flushed == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]


def test_publish_does_not_touch_a_name_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with Folder(str(tmp_path)) as folder, pytest.raises(FileExistsError):
        publish(folder, "a", b"new")
    assert ((tmp_path / "a").read_text(), os.listdir(tmp_path)) == ("old", ["a"])


def test_replace_puts_a_file_in_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    replace(str(tmp_path / "a"), b"new")
    assert ((tmp_path / "a").read_text(), os.listdir(tmp_path)) == ("new", ["a"])


def test_replace_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("target")
    (tmp_path / "a").symlink_to(tmp_path / "target")
    replace(str(tmp_path / "a"), b"new")
    assert ((tmp_path / "target").read_text(), (tmp_path / "a").is_symlink()) == ("target", False)


def test_replace_leaves_nothing_behind_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StorageError):
        replace(str(tmp_path / "a"), b"new")
    assert os.listdir(tmp_path) == ["a"]


def test_replace_does_not_flush(tmp_path: Path, disk: Disk) -> None:
    replace(str(tmp_path / "a"), b"new")
    assert disk.flushed == []


def test_a_folder_that_cannot_be_flushed_is_a_storage_error(tmp_path: Path, disk: Disk) -> None:
    disk.failure = errno.EIO
    with pytest.raises(StorageError, match="cannot be flushed: Input/output error"):
        sync_folder(str(tmp_path))


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_is_never_a_link_or_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    path.symlink_to(tmp_path) if kind == "link" else path.write_text("")
    with pytest.raises(UnsafePath, match="is a link or a file, and a folder is expected"):
        Folder(str(path))


@pytest.mark.parametrize("place", ["a", "a/b", "a/b/c"])
@pytest.mark.parametrize("make", [False, True])
def test_a_folder_below_another_is_never_reached_through_a_link(
    tmp_path: Path, place: str, make: bool
) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a" / "b" / "c").mkdir(parents=True)
    (root / place).rename(outside)
    (root / place).symlink_to(outside)
    with pytest.raises(UnsafePath, match="is a link or a file"):
        open_inside(str(root), ["a", "b", "c", "d"], make=make)
    assert not list(outside.rglob("d"))


def test_a_folder_below_another_is_made_for_the_user_alone(tmp_path: Path) -> None:
    with open_inside(str(tmp_path), ["a", "b"], make=True) as folder:
        assert (folder.path, stat.S_IMODE(os.fstat(folder.fd).st_mode)) == (str(tmp_path / "a" / "b"), 0o700)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_folder_below_another_that_is_absent_is_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_inside(str(tmp_path), ["a", "b"])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "/etc", "a\0"])
def test_what_is_no_name_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(UnsafePath, match="is not the name of a file or folder"):
        open_inside(str(tmp_path), [name], make=True)


def test_a_folder_that_somebody_else_makes_at_the_same_time_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.mkdir

    def mkdir(*args: object, **options: object) -> None:
        real(*args, **options)  # type: ignore[arg-type]
        real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "mkdir", mkdir)
    open_inside(str(tmp_path), ["a"], make=True).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_no_folder_or_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").touch()
    for name in ("a", "b"):
        os.chown(tmp_path / name, 65534, -1)
    with pytest.raises(UnsafePath, match="belongs to user 65534"):
        open_inside(str(tmp_path), ["a"])
    with pytest.raises(UnsafePath, match="belongs to user 65534"):
        read_regular(str(tmp_path / "b"), 10, is_own=True)
    assert read_regular(str(tmp_path / "b"), 10) == b""


def test_a_link_to_a_file_is_read_where_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("content")
    (tmp_path / "link").symlink_to("a")
    assert read_regular(str(tmp_path / "link"), 10, follow=True) == b"content"


def test_a_link_to_a_device_is_not_read_either(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(UnsafePath, match="is not a regular file"):
        read_regular(str(tmp_path / "link"), 10, follow=True)


def test_a_file_in_the_place_of_a_folder_holds_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(FileNotFoundError):
        read_regular(str(tmp_path / "a" / "b"), 10)


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_regular(str(tmp_path / "a"), 10) == b"0123456789"


def test_an_empty_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert read_regular(str(tmp_path / "a"), 10) == b""


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with pytest.raises(InvalidInput, match="has more than 9 bytes"):
        read_regular(str(tmp_path / "a"), 9)


def test_a_file_that_grows_over_the_limit_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"01234")
    real_read = os.read

    def read(fd: int, size: int) -> bytes:
        with path.open("ab") as more:
            more.write(b"x" * 1000)
        return real_read(fd, size)

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(InvalidInput, match="has more than 100 bytes"):
        read_regular(str(path), 100)


def test_a_file_that_comes_in_pieces_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    real_read = os.read
    monkeypatch.setattr(os, "read", lambda fd, size: real_read(fd, min(size, 3)))
    assert read_regular(str(tmp_path / "a"), 100) == b"0123456789"


def test_a_file_that_is_absent_is_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(str(tmp_path / "a"), 10)


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "socket", "device"])
def test_only_regular_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "link":
        (tmp_path / "target").write_text("secret")
        path.symlink_to(tmp_path / "target")
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("a")
    else:
        path = Path("/dev/zero")
    with pytest.raises(UnsafePath, match="is not a regular file"):
        read_regular(str(path), 10)


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    write_once(str(tmp_path / "a"), b"1")
    with Folder(str(tmp_path)) as folder:
        publish(folder, "b", b"2")
    replace(str(tmp_path / "a"), b"3")
    read_regular(str(tmp_path / "a"), 10)
    (tmp_path / "link").symlink_to(tmp_path)
    for names in (["c", "d"], ["c", "absent", "link"], ["link"], [".."]):
        with suppress(OSError, UnsafePath):
            open_inside(str(tmp_path), names, make=names[-1] == "d").close()
    for wrong in ("b", "absent/c"):
        with pytest.raises(OSError):
            write_once(str(tmp_path / wrong), b"")
    assert len(os.listdir("/dev/fd")) == before
