"""What a test says that is given in answer to a process: values, failures, people's decisions, and when."""

from __future__ import annotations

from typing import Any

from babysitter.durations import seconds
from babysitter.engine.outcomes import ShellResult


class Failure:
    """A failure: what ``fails`` makes, and what a failed run ended with.

    Attributes:
        name: of the error, such as ``TaskTimeout`` or ``ShellFailed``.
        message: one sentence.
        data: what the executor, or ``Failed``, said beside it.
        exit_code: of a command.
    """

    def __init__(self, name: str, message: str, data: Any = None, exit_code: int | None = None) -> None:
        self.name = name
        self.message = message
        self.data = data
        self.exit_code = exit_code

    def as_error(self) -> dict[str, Any]:
        """As it stands in the journal."""
        told = {"name": self.name, "message": self.message, "data": self.data, "exitCode": self.exit_code}
        return {name: item for name, item in told.items() if item is not None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Failure) and self.as_error() == other.as_error()

    def __hash__(self) -> int:
        return hash((self.name, self.message))

    def __repr__(self) -> str:
        return f"{self.name}: {self.message}"


class Reply:
    """A person's answer to a breakpoint; made by ``approves`` and ``rejects``."""

    def __init__(self, approved: bool, told: dict[str, Any]) -> None:
        self.approved = approved
        self.told = told

    def __repr__(self) -> str:
        told = [f"{name}={value!r}" for name, value in self.told.items() if value is not None]
        return f"{'approves' if self.approved else 'rejects'}({', '.join(told)})"


class InTurn:
    """One result after the other; made by ``in_turn``."""

    def __init__(self, results: tuple[Any, ...]) -> None:
        self.results = results


class Later:
    """A result that takes its time; made by ``takes``."""

    def __init__(self, length: float, result: Any) -> None:
        self.seconds = length
        self.result = result


class Never:
    """No result, for as long as anybody looks; there is one, ``never``."""

    def __repr__(self) -> str:
        return "never"


never = Never()


def fails(
    name: str = "TaskFailed", message: str = "", *, data: Any = None, exit_code: int | None = None
) -> Failure:
    """The task fails: the process gets ``TaskFailed`` with this name and message.

    ``TaskTimeout`` and ``TaskCancelled`` are classes of their own there, too.
    """
    return Failure(name, message or f"{name}, as the test has it", data, exit_code)


def exits(code: int, stdout: str = "", stderr: str = "") -> ShellResult:
    """The command ends so; unless its task says ``check=False``, a code other than 0 is a failure."""
    return ShellResult(code, stdout, stderr, 0.0)


def in_turn(*results: Any) -> InTurn:
    """The first result for the first request, the second for the second, and so on; more is an error.

    Counted are the requests that find this answer, in the order in which they
    are made, so ``in_turn(fails("TaskTimeout"), "ok")`` fails once.
    """
    return InTurn(results)


def takes(length: float | str, result: Any = None) -> Later:
    """The result comes after this time, on the clock of the play: seconds, or a text such as ``"10m"``."""
    return Later(seconds(length), result)


def approves(
    response: str | None = None,
    *,
    option: str | None = None,
    feedback: str | None = None,
    by: str = "somebody",
) -> Reply:
    """A person says yes."""
    return Reply(True, {"response": response, "option": option, "feedback": feedback, "by": by})


def rejects(
    feedback: str | None = None,
    *,
    option: str | None = None,
    response: str | None = None,
    by: str = "somebody",
) -> Reply:
    """A person says no, and why."""
    return Reply(False, {"response": response, "option": option, "feedback": feedback, "by": by})
