"""The calls by which a process reads and changes files: watched, written down, and made to fail.

For a child process that a test may ruin. The functions of ``os`` are replaced
in it, as the package calls them, so nothing of this is known to the package.
Each call below the watched folder is one *operation* with a number. A *plan*
says at which number what happens.
"""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import stat
import sys
import threading
from base64 import b64decode, b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# What can be killed before, after and in the middle.
_CHANGES = "create nameless write truncate flush link rename mkdir unlink rmdir"
CHANGES = frozenset(_CHANGES.split())
# What can only fail.
LOOKS = frozenset(["open", "look", "read", "list", "close"])

_NAMES = """
open write pwrite fsync link rename mkdir unlink rmdir ftruncate read pread listdir close stat lstat fstat
readlink lseek getpid kill
"""
_REAL = {name: getattr(os, name) for name in _NAMES.split()}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Plan(NamedTuple):
    """What happens to which operation.

    Attributes:
        folder: operations below it count.
        at: the number of the operation; 0 for none, so that all are only written down.
        does: ``kill-before``, ``kill-after``, ``kill-half``, ``fail`` or ``short``.
        number: of the error, or how many bytes a short write takes.
        for_good: also to all later ones.
        looks: operations are those that only look, not those that change.
        is_unknown: the file system is taken for one of a kind that is not known.
        is_audited: what goes around the watched functions is written down too.
    """

    folder: str
    at: int = 0
    does: str = ""
    number: int = 0
    for_good: bool = False
    looks: bool = False
    is_unknown: bool = False
    is_audited: bool = False


class Operation(NamedTuple):
    """One operation as it was written down; nodes and folders are known by device and inode.

    Attributes:
        kind: one of CHANGES or LOOKS, or ``escaped``.
        path: for people.
        failed: the error's number, or 0.
        node: what was made, written, flushed or given a name.
        folder, name: where a name was made or taken away.
        to_folder, to_name: where ``rename`` has put it.
        offset, data: of a write; ``offset`` is the new size for ``truncate``.
    """

    kind: str
    path: str
    failed: int = 0
    node: str = ""
    folder: str = ""
    name: str = ""
    to_folder: str = ""
    to_name: str = ""
    offset: int = 0
    data: str = ""

    @property
    def content(self) -> bytes:
        return b64decode(self.data)


def read_log(text: str) -> list[Operation]:
    """What a watched process has written down. Each line is one write, so a kill tears none."""
    return [Operation(**json.loads(line)) for line in text.splitlines()]


class Watch:
    """The watched functions of one process, once ``install`` was called."""

    def __init__(self, plan: Plan, log: int) -> None:
        self.plan = plan
        self._log = log
        self._count = 0
        self._paths: dict[int, str] = {}
        self._written: set[int] = set()
        self._lock = threading.Lock()
        self._inside = threading.local()

    def install(self) -> None:
        """Replace the functions, for the rest of this process."""
        for name in _NAMES.split():
            watched = getattr(self, f"_{name}", None)
            if watched is not None:
                setattr(os, name, watched)
        os.remove, os.replace = self._unlink, self._rename
        self._install_in_package()
        if self.plan.is_audited:
            sys.addaudithook(self._audit)

    def _install_in_package(self) -> None:
        from babysitter import staging

        if self.plan.is_unknown:
            staging._KNOWN_KINDS = ()
        from babysitter.runs import packing

        # Archives are written through a file object, which would go around the watched functions.
        packing.open = self._file_of  # type: ignore[attr-defined]

    def _file_of(self, fd: int, _: str) -> io.BufferedWriter:
        return io.BufferedWriter(_Raw(fd))

    # What happens to an operation

    def _does(self, kind: str) -> str:
        """Count an operation; gives what is to happen to it."""
        if kind not in (LOOKS if self.plan.looks else CHANGES):
            return ""
        with self._lock:
            self._count += 1
            is_meant = self._count == self.plan.at or (self.plan.for_good and self._count > self.plan.at)
        return self.plan.does if is_meant and self.plan.at else ""

    def _perform(
        self,
        kind: str,
        path: str,
        call: Callable[[], Any],
        tell: Callable[[Any], Mapping[str, Any]],
        half: Callable[[], Any] | None = None,
    ) -> Any:
        does = self._does(kind)
        if does == "kill-before":
            _die()
        if does == "kill-half":
            if half is not None:
                half()
            _die()
        if does == "fail":
            self._fail(kind, path, tell)
        try:
            with self._unaudited():
                result = call()
        except OSError as error:
            self._note(kind, path, failed=error.errno or errno.EIO)
            if does == "kill-after":
                _die()
            raise
        self._note(kind, path, **tell(result))
        if does == "kill-after":
            _die()
        return result

    def _fail(self, kind: str, path: str, tell: Callable[[Any], Mapping[str, Any]]) -> None:
        told = tell(None) if kind == "flush" else {}
        self._note(kind, path, failed=self.plan.number, **told)
        raise OSError(self.plan.number, os.strerror(self.plan.number), path)

    def _note(self, kind: str, path: str, **told: Any) -> None:
        line = json.dumps({"kind": kind, "path": path, **told}) + "\n"
        _REAL["write"](self._log, line.encode())

    # What goes around

    @contextmanager
    def _unaudited(self) -> Iterator[None]:
        self._inside.is_so = True
        try:
            yield
        finally:
            self._inside.is_so = False

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if getattr(self._inside, "is_so", False) or event not in _AUDITED.split():
            return
        if event == "open" and (isinstance(arguments[0], int) or not arguments[2] & _WRITING):
            return
        # A relative path may be meant from any folder, so it counts as below the watched one.
        path = os.path.join(self.plan.folder, os.fsdecode(arguments[0]))
        if self._is_watched(path):
            self._note("escaped", f"{event} {path}")

    # Where things are

    def _is_watched(self, path: str) -> bool:
        return path.startswith(self.plan.folder + os.sep) or path == self.plan.folder

    def _where(self, path: Any, folder: int | None = None) -> str:
        text = os.fsdecode(path)
        if folder is None:
            return os.path.abspath(text)
        return os.path.normpath(os.path.join(_opened_at(folder), text))

    def _is_ours(self, fd: int) -> bool:
        return fd in self._paths

    def _place(self, path: str) -> dict[str, str]:
        """The folder of a path, and its name there."""
        folder, name = os.path.split(path)
        return {"folder": _node(_REAL["stat"](folder)), "name": name}

    # Opening and closing

    def _open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        def call() -> int:
            return _REAL["open"](path, flags, mode, dir_fd=dir_fd)

        where = self._where(path, dir_fd)
        if not self._is_watched(where):
            return call()
        fd = self._perform(_kind_of_open(where, flags), where, call, lambda fd: self._opened(fd, where))
        self._paths[fd] = where
        if flags & _WRITING:
            self._written.add(fd)
        return fd

    def _opened(self, fd: int, where: str) -> dict[str, str]:
        return {"node": _node(_REAL["fstat"](fd)), **self._place(where)}

    def _close(self, fd: int) -> None:
        path = self._paths.pop(fd, "")
        if fd not in self._written:
            _REAL["close"](fd)
            return
        self._written.discard(fd)
        # Linux closes a file also when it tells of a failure.
        _REAL["close"](fd)
        self._perform("close", path, lambda: None, _nothing)

    # Content

    def _write(self, fd: int, data: Any) -> int:
        if not self._is_ours(fd):
            return _REAL["write"](fd, data)
        return self._write_at(fd, data, _REAL["lseek"](fd, 0, os.SEEK_CUR))

    def _pwrite(self, fd: int, data: Any, offset: int) -> int:
        if not self._is_ours(fd):
            return _REAL["pwrite"](fd, data, offset)
        return self._write_at(fd, data, offset)

    def _write_at(self, fd: int, data: Any, offset: int) -> int:
        content = bytes(data)
        size = len(content)
        if self.plan.does == "short" and self._is_short():
            size = max(1, size // 2) if not self.plan.number else min(size, self.plan.number)

        def put(length: int) -> int:
            _REAL["lseek"](fd, offset + length, os.SEEK_SET)
            return _REAL["pwrite"](fd, content[:length], offset)

        def tell(_: int) -> dict[str, Any]:
            data = b64encode(content[:size]).decode()
            return {"node": _node(_REAL["fstat"](fd)), "offset": offset, "data": data}

        return self._perform("write", self._paths[fd], lambda: put(size), tell, lambda: put(size // 2))

    def _is_short(self) -> bool:
        return self.plan.for_good or self._count + 1 == self.plan.at

    def _ftruncate(self, fd: int, length: int) -> None:
        self._perform(
            "truncate",
            self._paths.get(fd, ""),
            lambda: _REAL["ftruncate"](fd, length),
            lambda _: {"node": _node(_REAL["fstat"](fd)), "offset": length},
        )

    def _fsync(self, fd: int) -> None:
        if not self._is_ours(fd):
            _REAL["fsync"](fd)
            return
        node = _node(_REAL["fstat"](fd))
        self._perform("flush", self._paths[fd], lambda: _REAL["fsync"](fd), lambda _: {"node": node})

    # Names

    def _link(
        self,
        src: Any,
        dst: Any,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        to = self._where(dst, dst_dir_fd)

        def call() -> None:
            _REAL["link"](
                src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks
            )

        self._perform("link", to, call, lambda _: {"node": _node(_REAL["lstat"](to)), **self._place(to)})

    def _rename(
        self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        source, to = self._where(src, src_dir_fd), self._where(dst, dst_dir_fd)

        def call() -> None:
            _REAL["rename"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

        def tell(_: None) -> dict[str, Any]:
            place = self._place(to)
            return {
                "node": _node(_REAL["lstat"](to)),
                **self._place(source),
                "to_folder": place["folder"],
                "to_name": place["name"],
            }

        self._perform("rename", f"{source} {to}", call, tell)

    def _mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        where = self._where(path, dir_fd)

        def call() -> None:
            _REAL["mkdir"](path, mode, dir_fd=dir_fd)

        def tell(_: None) -> dict[str, Any]:
            return {"node": _node(_REAL["lstat"](where)), **self._place(where)}

        if self._is_watched(where):
            self._perform("mkdir", where, call, tell)
        else:
            call()

    def _unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._take_away("unlink", path, dir_fd)

    def _rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._take_away("rmdir", path, dir_fd)

    def _take_away(self, kind: str, path: Any, dir_fd: int | None) -> None:
        where = self._where(path, dir_fd)

        def call() -> None:
            _REAL[kind](path, dir_fd=dir_fd)

        if self._is_watched(where):
            self._perform(kind, where, call, lambda _: self._place(where))
        else:
            call()

    # Looking

    def _read(self, fd: int, length: int) -> bytes:
        return self._look("read", fd, lambda: _REAL["read"](fd, length))

    def _pread(self, fd: int, length: int, offset: int) -> bytes:
        return self._look("read", fd, lambda: _REAL["pread"](fd, length, offset))

    def _listdir(self, path: Any = ".") -> Any:
        if isinstance(path, int):
            return self._look("list", path, lambda: _REAL["listdir"](path))
        where = self._where(path)
        if not self._is_watched(where):
            return _REAL["listdir"](path)
        return self._perform("list", where, lambda: _REAL["listdir"](path), _nothing)

    def _look(self, kind: str, fd: int, call: Callable[[], Any]) -> Any:
        return self._perform(kind, self._paths[fd], call, _nothing) if self._is_ours(fd) else call()


class _Raw(io.RawIOBase):
    """A file to be written, over the watched functions."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return os.write(self._fd, data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._fd, offset, whence)

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._fd)


_AUDITED = """
open os.link os.rename os.mkdir os.remove os.rmdir os.truncate os.symlink os.chmod os.chown os.utime
os.setxattr shutil.copyfile shutil.copymode shutil.copystat shutil.copytree shutil.move
"""


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _die() -> None:
    _REAL["kill"](_REAL["getpid"](), signal.SIGKILL)
    signal.pause()


def _node(found: os.stat_result) -> str:
    return f"{found.st_dev}:{found.st_ino}"


def _opened_at(fd: int) -> str:
    return str(_REAL["readlink"](f"/proc/self/fd/{fd}"))


def _kind_of_open(where: str, flags: int) -> str:
    nameless = getattr(os, "O_TMPFILE", 0)
    if nameless and flags & nameless == nameless:
        return "nameless"
    if not flags & _WRITING:
        return "look"
    try:
        is_new = not stat.S_IFMT(_REAL["lstat"](where).st_mode)
    except FileNotFoundError:
        is_new = True
    return "create" if is_new else "open"
