"""What goes into the pool, what comes out of it, and what is said in between."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol

    from babysitter.executors.output import Output

    class Executor(Protocol):
        """Knows, for one effect, what to start and what its end means.

        Attributes:
            usage: what was used by all that was started, as far as it is known.
        """

        usage: dict[str, Any] | None

        def command(self) -> Command:
            """What to start now.

            Raises:
                CannotStart: the definition does not say what to start.
                Concluded: nothing has to be started.
            """

        def conclude(self, exit: Exit) -> Result | None:
            """What the end of the child means; None: start ``command()`` once more."""


class CannotStart(Exception):
    """The effect's command cannot be started; says why and what to do."""


class Concluded(Exception):
    """There is nothing to start, or nothing more: the effect has its result."""

    def __init__(self, result: Result) -> None:
        super().__init__("there is nothing to start")
        self.result = result


class Work:
    """An effect to be performed.

    Attributes:
        folder: the effect's own folder, made when it is needed.
        project: where its command runs.
        attempt: how often its step has asked, as a ``Retry`` counts.
    """

    __slots__ = (
        "attempt",
        "definition",
        "effect_id",
        "folder",
        "kind",
        "project",
        "run_folder",
        "run_id",
        "task_id",
    )

    def __init__(
        self,
        effect_id: str,
        kind: str,
        definition: dict[str, Any],
        *,
        run_id: str,
        folder: str,
        project: str,
        run_folder: str,
        task_id: str = "",
        attempt: int = 1,
    ) -> None:
        self.effect_id = effect_id
        self.kind = kind
        self.definition = definition
        self.run_id = run_id
        self.folder = folder
        self.project = project
        self.run_folder = run_folder
        self.task_id = task_id
        self.attempt = attempt


class Finished:
    """An effect that has been performed: ``value`` when ``status`` is ok, else ``error``."""

    __slots__ = (
        "effect_id",
        "error",
        "evidence",
        "executor",
        "finished_ms",
        "started_ms",
        "status",
        "usage",
        "value",
    )

    def __init__(
        self,
        effect_id: str,
        status: str,
        value: Any = None,
        error: dict[str, Any] | None = None,
        *,
        started_ms: int,
        finished_ms: int,
        executor: str = "local",
        evidence: dict[str, Any] | None = None,
        usage: dict[str, Any] | None = None,
    ) -> None:
        self.effect_id = effect_id
        self.status = status
        self.value = value
        self.error = error
        self.started_ms = started_ms
        self.finished_ms = finished_ms
        self.executor = executor
        self.evidence = evidence
        self.usage = usage


class Command:
    """What to start, and how.

    Attributes:
        cwd: an absolute folder.
        env: variables beyond those that every child gets.
        input: what its standard input gives; None: nothing.
        input_name: the input stays in the effect's folder under this name.
        timeout: seconds, for all starts of the effect together.
        has_own_time: the timeout is for this start alone.
        wants_answer: it gets a descriptor, named by $BABYSITTER_ANSWER_FD, to write an answer to.
        keeps: so many bytes of its standard output are kept whole in memory.
        refused: is told why it cannot be started, and then the next command is asked for; None: the
            effect has failed then.
    """

    __slots__ = (
        "argv",
        "cwd",
        "env",
        "has_own_time",
        "input",
        "input_name",
        "keeps",
        "refused",
        "timeout",
        "wants_answer",
    )

    def __init__(
        self,
        argv: Sequence[str],
        cwd: str,
        *,
        env: Mapping[str, str] | None = None,
        input: bytes | None = None,
        input_name: str | None = None,
        timeout: float | None = None,
        has_own_time: bool = False,
        wants_answer: bool = False,
        keeps: int = 0,
        refused: Callable[[CannotStart], None] | None = None,
    ) -> None:
        self.argv = list(argv)
        self.cwd = cwd
        self.env = env or {}
        self.input = input
        self.input_name = input_name
        self.timeout = timeout
        self.has_own_time = has_own_time
        self.wants_answer = wants_answer
        self.keeps = keeps
        self.refused = refused


class Exit:
    """How a child ended.

    Attributes:
        code: as a shell shows it: 128 + the signal's number for a child that was killed.
        signal: the number of the signal that killed it, else None.
        answer: what it wrote to its answer descriptor.
    """

    __slots__ = ("answer", "code", "duration_ms", "is_timed_out", "signal", "stderr", "stdout")

    def __init__(
        self,
        returncode: int,
        stdout: Output,
        stderr: Output,
        *,
        answer: bytes | None,
        duration_ms: int,
        is_timed_out: bool,
    ) -> None:
        self.signal = -returncode if returncode < 0 else None
        self.code = 128 - returncode if returncode < 0 else returncode
        self.stdout = stdout
        self.stderr = stderr
        self.answer = answer
        self.duration_ms = duration_ms
        self.is_timed_out = is_timed_out

    def how(self) -> str:
        """The end in words, for a message that begins with what ended."""
        if self.signal is None:
            return f"ended with exit code {self.code}"
        return f"was killed by {_signal_name(self.signal)} ({self.signal})"

    def why(self) -> str:
        """The last thing that was said on standard error, for the end of a message."""
        line = self.stderr.last_line()
        return f": {line}" if line else ""

    def facts(self) -> dict[str, Any]:
        """What is recorded of it."""
        facts: dict[str, Any] = {
            "exitCode": self.code,
            "stdout": self.stdout.tail(),
            "stderr": self.stderr.tail(),
            "durationMs": self.duration_ms,
            "stdoutBytes": self.stdout.size,
            "stderrBytes": self.stderr.size,
        }
        if self.signal is not None:
            facts["signal"] = self.signal
        return facts


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return "signal"


class Result:
    """What the end of an effect means: ``value`` when ``status`` is ok, else ``error``.

    ``evidence`` is what is recorded beside what every effect has.
    """

    __slots__ = ("error", "evidence", "status", "value")

    def __init__(self, status: str, value: Any = None, error: dict[str, Any] | None = None) -> None:
        self.status = status
        self.value = value
        self.error = error
        self.evidence: dict[str, Any] = {}

    @classmethod
    def ok(cls, value: Any) -> Result:
        return cls("ok", value)

    @classmethod
    def failed(cls, name: str, message: str, exit: Exit | None = None, **data: Any) -> Result:
        """A failure; what is known of the child's end hangs on it."""
        error: dict[str, Any] = {"name": name, "message": message}
        if exit is not None:
            error["exitCode"] = exit.code
            data = {**exit.facts(), **data}
        if data:
            error["data"] = data
        return cls("error", error=error)

    @classmethod
    def timed_out(cls, what: str, exit: Exit, timeout: float | None) -> Result:
        return cls.failed("TaskTimeout", f"{what} did not end within {timeout:g} s and was ended", exit)


def shown(text: str, most: int = 80) -> str:
    """A text from outside, short enough for a message."""
    one_line = " ".join(text.split())
    return repr(one_line if len(one_line) <= most else one_line[: most - 3] + "...")
