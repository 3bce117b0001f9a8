"""A child process: its pipes, its group, its deadlines.

What a command starts ends with it. The child leads a session and a group of
its own; when it has exited, whatever else is in the group is told to end. Only
what leaves the group by itself (setsid, as daemons do) is let go.

Nothing here waits. The pool calls ``reap`` when a child may have exited, and
``advance`` when ``due`` has come or anything happened.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import time

from babysitter.disk import refuse
from babysitter.errors import StorageError
from babysitter.executors.output import PIECE_BYTES
from babysitter.executors.processes import group_lives
from babysitter.executors.work import CannotStart, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn, Protocol

    class Output(Protocol):
        """Takes what a child writes, piece by piece."""

        def take(self, piece: bytes) -> None: ...


NEVER = float("inf")

# From asking to end to ending by force.
GRACE_SECONDS = 5.0
# After the exit of the child: how long others may still write to its pipes, and
# then take to end. A result waits for this only if there are others.
LINGER_SECONDS = 0.25
# Between looks at what is left of a group; a look takes a millisecond or more.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1
# A pipe holds 16 pieces at most (1 MiB): enough for all that the child itself wrote.
_LAST_PIECES = 16

# The machine is at its limit; that is not the command's fault.
EXHAUSTED = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Pipe:
    """The reading end of one output stream, registered with a selector as its own data."""

    __slots__ = ("_selector", "fd", "output")

    def __init__(self, fd: int, output: Output, selector: selectors.BaseSelector) -> None:
        os.set_blocking(fd, False)
        selector.register(fd, selectors.EVENT_READ, self)
        self.fd = fd
        self.output = output
        self._selector = selector

    @property
    def is_open(self) -> bool:
        return self.fd >= 0

    def pull(self) -> bool:
        """Take one piece of what is there; False when there is nothing now."""
        if not self.is_open:
            return False
        try:
            piece = os.read(self.fd, PIECE_BYTES)
        except BlockingIOError:
            return False
        if not piece:
            self.close()
            return False
        try:
            self.output.take(piece)
        except StorageError:
            # Whoever goes on after this must not be given the same pipe again and again.
            self.close()
            raise
        return True

    def close(self) -> None:
        if self.is_open:
            self._selector.unregister(self.fd)
            os.close(self.fd)
            self.fd = -1


class Child:
    """One running process and what it started.

    Attributes:
        pid: also the number of its group and session.
        due: the monotonic time at which ``advance`` has something to do by itself.
        returncode: of the process itself, negative for a signal; None while it runs.
        is_over: it has exited, its output is complete, its group is gone.
        is_timed_out: it was ended because its time was up.
    """

    __slots__ = (
        "_killed_at",
        "_left_at",
        "_pause",
        "_pipes",
        "_process",
        "due",
        "is_over",
        "is_timed_out",
        "returncode",
    )

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: int,
        kept_fds: Sequence[int],
        outputs: Sequence[Output],
        selector: selectors.BaseSelector,
        deadline: float = NEVER,
    ) -> None:
        """Start it; it runs when this returns.

        Raises:
            CannotStart: there is no such program or folder, or the system refuses to run it.
            StorageError: the machine has no more processes, descriptors or memory.
        """
        self.due = deadline
        self.returncode: int | None = None
        self.is_over = False
        self.is_timed_out = False
        self._left_at = NEVER
        self._killed_at: float | None = None
        self._pipes: list[Pipe] = []
        self._pause = _FIRST_PAUSE
        how = {"cwd": cwd, "env": env, "stdin": stdin, "pass_fds": kept_fds}
        try:
            self._process = self._start(argv, outputs, selector, how)
        except (OSError, ValueError) as error:
            self._close_pipes()
            _explain(error, argv, cwd)

    def _start(
        self,
        argv: Sequence[str],
        outputs: Sequence[Output],
        selector: selectors.BaseSelector,
        how: dict[str, Any],
    ) -> subprocess.Popen[bytes]:
        writing: list[int] = []
        try:
            for output in outputs:
                reading, written = os.pipe()
                writing.append(written)
                self._pipes.append(Pipe(reading, output, selector))
            stdout, stderr = writing
            return subprocess.Popen(argv, stdout=stdout, stderr=stderr, start_new_session=True, **how)
        finally:
            for fd in writing:
                os.close(fd)

    @property
    def pid(self) -> int:
        return self._process.pid

    def reap(self) -> None:
        """Notice the exit of the process, if it has exited."""
        if self.returncode is not None:
            return
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            # Somebody else in this program took the exit status. Popen.poll() would say 0
            # then, and a check must never pass because nobody knows how it ended.
            pid, status = self.pid, 255 << 8
        if pid:
            self.returncode = self._process.returncode = os.waitstatus_to_exitcode(status)
            self._left_at = time.monotonic()

    def end(self, now: float, grace: float) -> None:
        """Ask the whole group to end, and end it by force when ``grace`` seconds are over."""
        if self.is_over:
            return
        was_asked = self._killed_at is not None
        self._killed_at = min(now + grace, self._killed_at or NEVER)
        self.due = self._killed_at
        if not was_asked:
            # To many programs a second request means "at once".
            self._signal(signal.SIGTERM)

    def abort(self) -> None:
        """End it at once and forget it: for a child that nobody is going to look after."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        for pipe in self._pipes:
            pipe.close()

    def advance(self, now: float) -> None:
        """Do what has become due."""
        if self.is_over:
            return
        if self.returncode is not None:
            self._follow_up(now)
        elif now >= self.due:
            if self._killed_at is None:
                self.is_timed_out = True
                self.end(now, GRACE_SECONDS)
            else:
                self.due = NEVER
                self._signal(signal.SIGKILL)

    def _follow_up(self, now: float) -> None:
        """The process has exited; complete its output, and end what it left behind."""
        if self._killed_at is None:
            patience = self._left_at + LINGER_SECONDS
            if now < patience and any(pipe.is_open for pipe in self._pipes):
                self.due = patience
                return
            self.end(now, LINGER_SECONDS)
        if self._killed_at is not None and now < self._killed_at and group_lives(self.pid):
            self.due = min(now + self._pause, self._killed_at)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            return
        self._signal(signal.SIGKILL)
        self._close_pipes()
        self.due = NEVER
        self.is_over = True

    def _signal(self, number: int) -> None:
        """Signal the group, if there is one.

        Its number cannot go to a stranger: until it is reaped the process holds
        it, and after that any other member does. With no member left it is free;
        but numbers are given out in a circle, and no round takes so short a time
        as lies between the exit and the last signal.
        """
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            # Nothing is left of it, or it has become another user's.
            return

    def _close_pipes(self) -> None:
        for pipe in self._pipes:
            for _ in range(_LAST_PIECES):
                if not pipe.pull():
                    break
            pipe.close()


def _explain(error: OSError | ValueError, argv: Sequence[str], cwd: str) -> NoReturn:
    """Say why a program could not be started, and what to do about it."""
    program = argv[0]
    if not isinstance(error, OSError):
        raise CannotStart(f"cannot start {shown(program, 200)}: {error}") from None
    if error.errno in EXHAUSTED:
        refuse(error, program, "started")
    if error.filename == cwd:
        reason = (
            f"the folder {cwd!r}, in which it should run, cannot be entered: {os.strerror(error.errno or 0)}"
        )
    elif isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason = _missing(program, cwd)
    elif isinstance(error, PermissionError):
        reason = "it is not an executable file; make it one with chmod +x, or name the program that runs it"
    elif error.errno == errno.ENOEXEC:
        reason = "it is not a program, and has no first line '#!...' that names one"
    else:
        reason = os.strerror(error.errno or 0)
    raise CannotStart(f"cannot start {shown(program, 200)}: {reason}") from None


def _missing(program: str, cwd: str) -> str:
    if os.sep not in program:
        return "there is no such program on PATH; install it, or check PATH"
    if os.path.exists(os.path.join(cwd, program)):
        return "the program that its first line names does not exist; install that, or change the line"
    return "there is no such file; install it, or check the path"
