"""Something goes wrong at the n-th thing that an operation does to the disk, in a process of its own.

The process is forked, so whoever uses this must have no threads: it is for scripts, not for tests.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from babysitter.errors import BabysitterError
from babysitter.runs import packing

if TYPE_CHECKING:
    from collections.abc import Callable

MAKING = (
    "open",
    "mkdir",
    "rename",
    "link",
    "write",
    "pwrite",
    "ftruncate",
    "fsync",
    "chmod",
    "fchmod",
    "utime",
)
REMOVING = ("unlink", "rmdir")
WRITING = ("write", "pwrite")
KILL, ONCE, FOR_GOOD = "kill", "once", "for good"
FINE, REFUSED, MISTAKE, REACHED, KEPT = 0, 3, 4, 8, 16


class Fault(NamedTuple):
    """What goes wrong: the process is killed, or the disk gives an error, once or from then on."""

    how: str
    number: int = 0


class Ended(NamedTuple):
    """How an operation ended: ``could_tidy`` if it was refused, and could remove what it had begun."""

    is_reached: bool
    could_tidy: bool


class Points:
    """Counts what is done to the disk, and lets the n-th go wrong; a write has two points."""

    def __init__(self, fault: Fault, at: int) -> None:
        self._fault = fault
        self._at = at
        self.passed = 0
        self.kept_something = False

    def install(self) -> None:
        for name in (*MAKING, *REMOVING):
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        packing.open = self._open  # type: ignore[attr-defined]

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return call(*arguments, **options)
            self.reach(name)
            if name in WRITING:
                self.reach(name, lambda: call(arguments[0], half(arguments[1]), *arguments[2:]))
            return call(*arguments, **options)

        return wrapped

    def _open(self, fd: int, mode: str) -> Any:
        points = self

        class Written(io.FileIO):
            def write(self, data: Any) -> int:
                points.reach("write")
                points.reach("write", lambda: super(Written, self).write(half(data)))
                return super().write(data)

        return Written(fd, mode)

    def reach(self, name: str, first: Callable[[], object] | None = None) -> None:
        """A point; in the middle of a call, ``first`` does one half of it."""
        self.passed += 1
        is_it = self.passed == self._at or (
            self._fault.how == FOR_GOOD and self.passed > self._at and name in MAKING
        )
        if not is_it:
            return
        self.kept_something = self.kept_something or name in REMOVING
        if first is not None:
            first()
        if self._fault.how == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(self._fault.number, os.strerror(self._fault.number))


def half(data: Any) -> bytes:
    return bytes(data)[: len(bytes(data)) // 2]


def at_point(fault: Fault, at: int, operate: Callable[[], object]) -> Ended:
    """Operate with a fault at one point.

    An error that is not babysitter's own is a defect.
    """
    pid = os.fork()
    if pid == 0:
        _operate(Points(fault, at), at, operate)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        return Ended(True, False)
    code = os.WEXITSTATUS(status)
    assert code & 7 != MISTAKE, f"{fault} at point {at} ends in a traceback"
    return Ended(bool(code & REACHED), code & 7 == REFUSED and not code & KEPT)


def _operate(points: Points, at: int, operate: Callable[[], object]) -> None:
    leave, code = os._exit, MISTAKE
    try:
        points.install()
        operate()
        code = FINE
    except BabysitterError:
        code = REFUSED
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        leave(code + REACHED * (points.passed >= at) + KEPT * points.kept_something)
