"""New files that have no name yet. By the time that ``link`` publishes the first, all are on the disk.

Where they wait, in order of liking:

- unnamed (O_TMPFILE): a kill leaves nothing behind, and of a thousand it is the
  quicker way too. Only on file systems that are known to flush an unnamed file
  in full; btrfs does not write the metadata of a file with no name, so that a
  power cut after link and folder flush could leave an empty file. Each takes a
  descriptor, so only as many as may well be open.
- named, in a folder of their own in a scratch folder: everywhere else.
"""

from __future__ import annotations

import errno
import os

from babysitter.disk import PRIVATE_FILE, PRIVATE_FOLDER, Folder, create, refuse, write_fully
from babysitter.errors import BabysitterError
from babysitter.flushing import flush_all, start_writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

MOST_AT_ONCE = 1024

# On these an unnamed file is flushed in full.
_KNOWN_KINDS = (b"ext4", b"xfs", b"tmpfs")

_ABANDONED_AFTER_SECONDS = 3600
_PREFIX = "staging."


def stage(folder: Folder, scratch: str, contents: Sequence[bytes]) -> Staged:
    """Write new files, to be linked into ``folder`` afterwards.

    The disk is at work on them when this returns, so that the caller has time
    for something else. ``scratch`` is a folder on the same file system, made when it is absent. A
    failure leaves nothing behind, a kill at most files in ``scratch``.

    Raises:
        StorageError
    """
    if kind_of(folder) in _KNOWN_KINDS and len(contents) <= open_at_once():
        try:
            return Unnamed(folder, contents)
        except OSError as error:
            # The kind alone does not promise it: sandboxes answer for their own.
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                refuse(error, folder.path, "written to")
    try:
        return Named(folder, scratch, contents)
    except OSError as error:
        refuse(error, scratch, "written to")


def open_at_once() -> int:
    """How many files may be held open: half of what this process is allowed, for it has others."""
    allowed = os.sysconf("SC_OPEN_MAX")
    return min(allowed // 2, MOST_AT_ONCE) if allowed > 1 else MOST_AT_ONCE


class Staged:
    """Files that wait for their names."""

    _folder: Folder

    def link(self, index: int, name: str) -> None:
        """Give one of them its name; for the first, wait until all of them are on the disk.

        Raises:
            FileExistsError: the name is taken.
            StorageError: they are not on the disk, and none gets a name.
            OSError: the file system cannot link.
        """
        raise NotImplementedError

    def has(self, index: int, name: str) -> bool:
        """Whether a name is that of this very file."""
        try:
            found = os.stat(name, dir_fd=self._folder.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, self._stat(index))

    def _stat(self, index: int) -> os.stat_result:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of them; those without a name vanish."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Unnamed(Staged):
    """Files that exist only as open descriptors."""

    def __init__(self, folder: Folder, contents: Sequence[bytes]) -> None:
        self._folder = folder
        self._fds: list[int] = []
        self._is_flushed = False
        try:
            for content in contents:
                fd = os.open(".", os.O_TMPFILE | os.O_WRONLY, PRIVATE_FILE, dir_fd=folder.fd)
                self._fds.append(fd)
                write_fully(fd, content)
            start_writing(self._fds)
        except BaseException:
            self.close()
            raise

    def link(self, index: int, name: str) -> None:
        if not self._is_flushed:
            self._flush()
        # Python follows the link in /proc only when it is given a folder to start from.
        here = self._folder.fd
        source = f"/proc/self/fd/{self._fds[index]}"
        os.link(source, name, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=True)

    def _stat(self, index: int) -> os.stat_result:
        return os.fstat(self._fds[index])

    def _flush(self) -> None:
        try:
            flush_all(self._fds, self._folder)
        except BaseException:
            # Whatever is tried next, none is flushed again and none gets a name.
            self.close()
            raise
        self._is_flushed = True

    def close(self) -> None:
        while self._fds:
            try:
                os.close(self._fds.pop())
            except OSError:
                # Flushed long since, or given up: what a close has to say changes neither.
                pass


class Named(Staged):
    """Files in a folder of their own, called by their index."""

    def __init__(self, folder: Folder, scratch: str, contents: Sequence[bytes]) -> None:
        self._folder = folder
        self._count = 0
        self._outer = _open_scratch(folder, scratch)
        try:
            self._scratch = _new_folder(self._outer)
        except BaseException:
            self._outer.close()
            raise
        try:
            for start in range(0, len(contents), at_once := open_at_once()):
                self._write(contents[start : start + at_once])
        except BaseException:
            self.close()
            raise

    def _write(self, contents: Sequence[bytes]) -> None:
        fds: list[int] = []
        try:
            for content in contents:
                fds.append(create(str(self._count), folder_fd=self._scratch.fd))
                self._count += 1
                write_fully(fds[-1], content)
            start_writing(fds)
            flush_all(fds, self._scratch)
        finally:
            for fd in fds:
                os.close(fd)

    def link(self, index: int, name: str) -> None:
        source = self._scratch.fd
        os.link(str(index), name, src_dir_fd=source, dst_dir_fd=self._folder.fd, follow_symlinks=False)

    def _stat(self, index: int) -> os.stat_result:
        return os.stat(str(index), dir_fd=self._scratch.fd, follow_symlinks=False)

    def close(self) -> None:
        try:
            for index in range(self._count):
                os.unlink(str(index), dir_fd=self._scratch.fd)
            os.rmdir(os.path.basename(self._scratch.path), dir_fd=self._outer.fd)
        except OSError:
            # Litter in a scratch folder; what was linked stands all the same.
            pass
        self._scratch.close()
        self._outer.close()


def _open_scratch(folder: Folder, scratch: str) -> Folder:
    if scratch == folder.path:
        # Through what is open: the path may lead elsewhere by now.
        return Folder(".", folder)
    try:
        return Folder(scratch)
    except FileNotFoundError:
        os.mkdir(scratch, PRIVATE_FOLDER)
        return Folder(scratch)


def _new_folder(outer: Folder) -> Folder:
    """Make a folder for one batch, and clear away those that a kill left long ago."""
    made = _PREFIX + os.urandom(6).hex()
    os.mkdir(made, PRIVATE_FOLDER, dir_fd=outer.fd)
    # The file system's own clock, which is also that of the others.
    now = os.stat(made, dir_fd=outer.fd).st_mtime
    for name in outer.names():
        if name.startswith(_PREFIX):
            _remove_abandoned(outer, name, now - _ABANDONED_AFTER_SECONDS)
    return outer.inner(made)


def _remove_abandoned(outer: Folder, name: str, before: float) -> None:
    try:
        with outer.inner(name) as abandoned:
            if os.fstat(abandoned.fd).st_mtime < before:
                for file in abandoned.names():
                    os.unlink(file, dir_fd=abandoned.fd)
                os.rmdir(name, dir_fd=outer.fd)
    except (OSError, BabysitterError):
        # Somebody else is at it, or it is not ours to remove: it can wait.
        pass


_kinds: dict[int, bytes] = {}


def kind_of(folder: Folder) -> bytes:
    """The kind of file system that ``folder`` is on; empty when that cannot be known."""
    device = folder.identity()[0]
    if device not in _kinds:
        _kinds[device] = _mounted_kind(f"{os.major(device)}:{os.minor(device)}".encode())
    return _kinds[device]


def _mounted_kind(device: bytes) -> bytes:
    # statfs, which would say it, is out of Python's reach without ctypes. A kind
    # whose files have other device numbers than its mount (btrfs) is not found,
    # which is as good as "unknown".
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            for line in mounts:
                fields = line.split()
                if fields[2] == device:
                    return fields[fields.index(b"-") + 1]
    except OSError:
        pass
    return b""
