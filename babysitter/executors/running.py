"""An effect that is being performed: one child after the other, until there is a result."""

from __future__ import annotations

import os
import subprocess
import time

from babysitter.clock import now_ms
from babysitter.disk import create, open_to_read, refuse, write_fully
from babysitter.errors import StorageError
from babysitter.executors.child import NEVER, Child
from babysitter.executors.folders import open_folder
from babysitter.executors.output import Output
from babysitter.executors.processes import LOCK_VARIABLE
from babysitter.executors.programs import program_of
from babysitter.executors.work import CannotStart, Concluded, Exit, Finished, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    import selectors
    from collections.abc import Mapping
    from typing import Any

    from babysitter.executors.effect_lock import EffectLock
    from babysitter.executors.work import Command, Executor, Work
    from babysitter.redaction import Redaction

# Beside the value an answer may have a line that says what it is, or be an error with its traceback.
_ANSWER_EXTRA = 1 << 16
# Kinds whose program the process names, so that it is evidence which one that was.
WITH_PROGRAM = ("shell", "hook")
# What tells of an error in the words of others.
IN_WORDS = ("traceback", "problems")


class Running:
    """One effect in the pool's hands, from its first start to its result.

    Attributes:
        started_ms: when it was started here.
        child: its process at the moment.
    """

    def __init__(
        self,
        work: Work,
        executor: Executor,
        lock: EffectLock,
        *,
        environment: Mapping[str, str],
        selector: selectors.BaseSelector,
        answer_bytes: int,
        redaction: Redaction,
    ) -> None:
        """Start it; what it says is redacted.

        Raises:
            CannotStart: it never ran.
            Concluded: nothing had to run.
            StorageError: the disk or the machine refused; it never ran.
        """
        self.effect_id = work.effect_id
        self.started_ms = now_ms()
        self.lock = lock
        self._work = work
        self._executor = executor
        self._selector = selector
        self._answer = -1
        self._answer_bytes = answer_bytes
        self._redaction = redaction
        command = executor.command()
        self._started: list[dict[str, Any]] = []
        self._began = time.monotonic()
        self._deadline = NEVER if command.timeout is None else self._began + command.timeout
        self._environment = {**environment, **_told(work, lock)}
        self._stdout = Output(os.path.join(work.folder, "stdout.log"), redaction)
        self._stderr = Output(os.path.join(work.folder, "stderr.log"), redaction)
        lock.note_start()
        try:
            self.child = self._start_next(command)
        except StorageError:
            # It never ran; when there is room for it, that will be the same attempt.
            lock.starts -= 1
            raise

    @property
    def last_line(self) -> str:
        """The last line of output that says something, of either stream."""
        return max((self._stdout, self._stderr), key=lambda output: output.moved_at).last_line()

    def _start_next(self, command: Command) -> Child:
        """Start a command, or the first after it that can be started."""
        while True:
            try:
                return self._start(command)
            except CannotStart as error:
                if command.refused is None:
                    self.close()
                    raise
                command.refused(error)
            try:
                command = self._executor.command()
            except Concluded:
                self.close()
                raise

    def _start(self, command: Command) -> Child:
        stdin = subprocess.DEVNULL
        environment = {**self._environment, **command.env}
        program: dict[str, str] = {}
        if self._work.kind in WITH_PROGRAM:
            # Before it runs: it could put another one in its place.
            program = program_of(command.argv, command.cwd, environment)
        kept = [self.lock.fd]
        self._stdout.keep(command.keeps)
        try:
            self._stdout.reserve()
            self._stderr.reserve()
            if command.input is not None:
                stdin = self._open_input(command.input, command.input_name)
            if command.wants_answer:
                self._answer = self._unnamed_file("answer", b"")
                kept.append(self._answer)
                environment["BABYSITTER_ANSWER_FD"] = str(self._answer)
            child = Child(
                command.argv,
                cwd=command.cwd,
                env=environment,
                stdin=stdin,
                kept_fds=kept,
                outputs=(self._stdout, self._stderr),
                selector=self._selector,
                deadline=self._deadline_of(command),
            )
            self._note(child)
        except CannotStart:
            raise
        except BaseException:
            self.close()
            raise
        finally:
            if stdin >= 0:
                os.close(stdin)
        self._started.append({"argv": command.argv, **program})
        return child

    def _deadline_of(self, command: Command) -> float:
        if command.has_own_time and command.timeout is not None:
            return time.monotonic() + command.timeout
        return self._deadline

    def _note(self, child: Child) -> None:
        try:
            self.lock.note_start(child.pid)
        except StorageError:
            child.abort()
            raise

    def _open_input(self, content: bytes, name: str | None) -> int:
        """Standard input is a file, not a pipe: nothing has to be fed, and nobody waits for a slow reader."""
        if name is None:
            return self._unnamed_file("stdin", content)
        with open_folder(self._work.folder) as folder:
            folder.replace(name, content)
            return open_to_read(name, folder.fd, shown=os.path.join(folder.path, name))

    def _unnamed_file(self, name: str, content: bytes) -> int:
        """A file with some content that only its descriptor leads to."""
        temporary = f"{name}.{os.urandom(6).hex()}.tmp"
        try:
            with open_folder(self._work.folder) as folder:
                writing = create(temporary, folder_fd=folder.fd)
                try:
                    fd = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder.fd)
                    write_fully(writing, content)
                    return fd
                finally:
                    os.close(writing)
                    os.unlink(temporary, dir_fd=folder.fd)
        except OSError as error:
            refuse(error, os.path.join(self._work.folder, temporary), "written")

    def advance(self, now: float) -> Finished | None:
        """Do what has become due; what comes of it when that was the end."""
        self.child.advance(now)
        if not self.child.is_over:
            return None
        ended = self._exit()
        try:
            result = self._executor.conclude(ended)
            if result is None:
                self.child = self._start_next(self._executor.command())
                return None
        except Concluded as done:
            result = done.result
        except CannotStart as error:
            result = Result.failed("StartFailed", str(error))
        return self._finish(result)

    def _exit(self) -> Exit:
        assert self.child.returncode is not None
        self._stdout.finish()
        self._stderr.finish()
        ended = Exit(
            self.child.returncode,
            self._stdout,
            self._stderr,
            answer=self._take_answer(),
            duration_ms=round((time.monotonic() - self._began) * 1000),
            is_timed_out=self.child.is_timed_out,
        )
        self._started[-1]["exitCode"] = ended.code
        return ended

    def _take_answer(self) -> bytes | None:
        if self._answer < 0:
            return None
        answer = os.pread(self._answer, self._answer_bytes + _ANSWER_EXTRA, 0)
        os.close(self._answer)
        self._answer = -1
        return answer

    def _finish(self, result: Result) -> Finished:
        self.close()
        performed = {"hooks": self._started} if self._work.kind == "hook" else self._started[-1]
        return Finished(
            self.effect_id,
            result.status,
            result.value,
            _without_secrets(result.error, self._redaction),
            started_ms=self.started_ms,
            finished_ms=max(self.started_ms, now_ms()),
            evidence={
                **performed,
                **result.evidence,
                "stdoutSha256": self._stdout.sha256(),
                "stderrSha256": self._stderr.sha256(),
            },
            usage=self._executor.usage,
        )

    def close(self) -> None:
        """Let go of all that is open but the lock; the child must be over, or never have started."""
        self._take_answer()
        try:
            self._stdout.close()
        finally:
            self._stderr.close()


def _without_secrets(error: dict[str, Any] | None, redaction: Redaction) -> dict[str, Any] | None:
    """What went wrong, in words; the ends of the output in it are redacted already."""
    if error is None:
        return None
    told = {**error, "message": redaction.text(error["message"])}
    if "data" in error:
        words = {name: redaction.data(error["data"][name]) for name in IN_WORDS if name in error["data"]}
        told["data"] = {**error["data"], **words}
    return told


def _told(work: Work, lock: EffectLock) -> dict[str, str]:
    """What every child is told about its effect."""
    return {
        "BABYSITTER_EFFECT_ID": work.effect_id,
        "BABYSITTER_RUN_ID": work.run_id,
        "BABYSITTER_ARTIFACTS": os.path.join(work.run_folder, "artifacts"),
        # The attempt that people read of, "2 of 3"; the other one counts the starts of this very effect.
        "BABYSITTER_TRY": str(work.attempt),
        "BABYSITTER_ATTEMPT": str(lock.starts + 1),
        LOCK_VARIABLE: lock.mark,
    }
