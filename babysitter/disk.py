"""The few calls that everything on disk goes through.

A call that the disk refuses becomes ``StorageError``, with the path and the
reason. ENOENT and EEXIST stay ``FileNotFoundError`` and ``FileExistsError``:
they are answers, not failures.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from babysitter.errors import InvalidInput, StorageError, UnsafePath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

# O_NONBLOCK: a FIFO in a file's place must be found out, not waited for.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

NO_LINKS = "if the file system has no hard links, set BABYSITTER_RUNS_DIR to a folder on one that has"

_HINTS = {
    errno.ENOSPC: "free some space and try again; nothing was acknowledged",
    errno.EDQUOT: "free some space and try again; nothing was acknowledged",
    errno.EROFS: "the file system is mounted read-only: reading works, writing does not",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.ENFILE: "too many files are open on this machine",
}


def refuse(error: OSError, path: str, doing: str, hint: str = "") -> NoReturn:
    """Raise what stands for an error that the system gave while ``path`` was to be ``doing``."""
    if isinstance(error, (FileNotFoundError, FileExistsError)):
        raise error
    reason = os.strerror(error.errno) if error.errno else str(error)
    hint = _HINTS.get(error.errno or 0, hint)
    raise StorageError(f"{path!r} cannot be {doing}: {reason}", hint=hint) from error


def flush(fd: int, path: str) -> None:
    """Wait until the file or folder is on the disk.

    Raises:
        StorageError: never flush this file again. The system forgets what it
            could not write, and a second fsync would succeed without it.
    """
    try:
        os.fsync(fd)
        if sys.platform == "darwin":
            flush_drive(fd)
    except OSError as error:
        refuse(error, path, "flushed")


def flush_drive(fd: int) -> None:
    """On macOS fsync leaves the data in the drive's own cache; this empties it."""
    import fcntl

    full = getattr(fcntl, "F_FULLFSYNC", None)
    try:
        if full is not None:
            fcntl.fcntl(fd, full)
    except OSError as error:
        # Network file systems do not know the call; their fsync is all there is.
        if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
            raise


def write_fully(fd: int, data: bytes) -> None:
    """Write all of ``data``, however little each call takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def read_fully(fd: int, path: str, limit: int, *, is_own: bool = False) -> bytes:
    """Read a regular file to its end; ``is_own``: one that nobody else may have put there.

    Raises:
        UnsafePath: it is something else, or somebody else's.
        InvalidInput: it has, or grows to, more than ``limit`` bytes.
    """
    found = check_regular(fd, path)
    if is_own:
        check_owner(found, path)
    size = min(found.st_size, limit)
    # One byte more than there should be: its absence shows the end.
    data = os.read(fd, size + 1)
    if len(data) == size == found.st_size:
        return data
    while len(data) <= limit and (more := os.read(fd, min(limit + 1 - len(data), 1 << 20))):
        data += more
    if len(data) > limit:
        raise InvalidInput(f"{path!r} has more than {limit} bytes")
    return data


def open_to_read(path: str, folder_fd: int | None = None, *, shown: str = "", follow: bool = False) -> int:
    """Open a file for reading, never through a link at its own place unless ``follow`` is set."""
    try:
        return os.open(path, _READ & ~os.O_NOFOLLOW if follow else _READ, dir_fd=folder_fd)
    except NotADirectoryError as error:
        # A file in the place of one of its folders: there is no such file.
        raise FileNotFoundError(error.errno, os.strerror(errno.ENOENT), shown or path) from None
    except OSError as error:
        # ELOOP: a link. ENXIO: a socket, or a device that is not there.
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP):
            raise _not_a_file(shown or path) from None
        refuse(error, shown or path, "read")


def check_regular(fd: int, path: str) -> os.stat_result:
    """What is open is a regular file.

    Raises:
        UnsafePath
    """
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise _not_a_file(path)
    return found


def check_owner(found: os.stat_result, path: str) -> None:
    """A run's files and folders are our own.

    Raises:
        UnsafePath
    """
    if found.st_uid != os.geteuid():
        raise UnsafePath(
            f"{path!r} belongs to user {found.st_uid}, and you are user {os.geteuid()}",
            hint="copy the run folder and use the copy",
        )


def check_name(name: str) -> None:
    """What came from outside is the name of something in a folder, and no way out of it.

    Raises:
        UnsafePath
    """
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise UnsafePath(f"{name!r} is not the name of a file or folder")


def _not_a_file(path: str) -> UnsafePath:
    return UnsafePath(
        f"{path!r} is not a regular file", hint="a link, a folder or a device is not read in its place"
    )


def create(path: str, mode: int = PRIVATE_FILE, folder_fd: int | None = None) -> int:
    """Create a new file and open it for writing; FileExistsError also for a link that leads nowhere."""
    return os.open(path, _CREATE, mode, dir_fd=folder_fd)


class Folder:
    """An open folder: its files are reached through it, also if it is renamed meanwhile.

    Attributes:
        fd: its descriptor.
        path: as it was named when it was opened, for messages.
    """

    __slots__ = ("_identity", "fd", "path")
    fd: int

    def __init__(self, path: str, parent: Folder | None = None) -> None:
        """Open it, never through a link at its own place; with ``parent``, which it is in, at no place."""
        self.path = path
        self._identity: list[int] = []
        name, parent_fd = (path, None) if parent is None else (os.path.basename(path), parent.fd)
        try:
            self.fd = os.open(name, _OPEN_FOLDER, dir_fd=parent_fd)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise UnsafePath(f"{path!r} is a link or a file, and a folder is expected") from None
            refuse(error, path, "opened")

    def inner(self, name: str, *, make: bool = False) -> Folder:
        """A folder in this one, our own and no link; made, if need be, when ``make`` is set.

        Raises:
            UnsafePath, StorageError
        """
        check_name(name)
        path = os.path.join(self.path, name)
        try:
            found = Folder(path, self)
        except FileNotFoundError:
            if not make:
                raise
            self._make(name, path)
            found = Folder(path, self)
        try:
            check_owner(os.fstat(found.fd), path)
        except UnsafePath:
            found.close()
            raise
        return found

    def _make(self, name: str, path: str) -> None:
        try:
            os.mkdir(name, PRIVATE_FOLDER, dir_fd=self.fd)
        except FileExistsError:
            # Another command needs it too, and was first.
            return
        except OSError as error:
            refuse(error, path, "made")

    def names(self) -> list[str]:
        """The names in it, in no order."""
        try:
            return os.listdir(self.fd)
        except OSError as error:
            refuse(error, self.path, "listed")

    def has(self, name: str) -> bool:
        """Whether the name is taken, also by a link that leads nowhere."""
        try:
            os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except OSError as error:
            refuse(error, os.path.join(self.path, name), "looked at")
        return True

    def read(self, name: str, limit: int, *, is_own: bool = False) -> bytes:
        """One of its files, whole; errors as of ``read_fully``."""
        path = os.path.join(self.path, name)
        fd = open_to_read(name, self.fd, shown=path)
        try:
            return read_fully(fd, path, limit, is_own=is_own)
        except OSError as error:
            refuse(error, path, "read")
        finally:
            os.close(fd)

    def replace(self, name: str, data: bytes) -> None:
        """Put a file in place of another. Not flushed: for what can be made again."""
        temporary = f"{name}.{os.urandom(6).hex()}.tmp"
        try:
            fd = create(temporary, folder_fd=self.fd)
            try:
                write_fully(fd, data)
                os.rename(temporary, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)
            except BaseException:
                os.unlink(temporary, dir_fd=self.fd)
                raise
            finally:
                os.close(fd)
        except OSError as error:
            refuse(error, os.path.join(self.path, name), "written")

    def sync(self) -> None:
        """Wait until its names are on the disk."""
        flush(self.fd, self.path)

    def identity(self) -> list[int]:
        """What tells this folder from every other on the machine."""
        if not self._identity:
            found = os.fstat(self.fd)
            self._identity = [found.st_dev, found.st_ino]
        return self._identity

    def close(self) -> None:
        os.close(self.fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
