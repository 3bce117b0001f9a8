"""Gates: commands whose exit code alone decides, side by side."""

from __future__ import annotations

from babysitter.engine.outcomes import Record
from babysitter.engine.tasks import shell
from babysitter.errors import TaskFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from babysitter.engine.context import Context
    from babysitter.engine.outcomes import ShellResult

    Command = str | Sequence[str]

MOST_LINES = 20


class Gate(Record):
    """How one gate ended.

    Attributes:
        name: what it was called.
        passed: its command exited with 0.
        exit_code: of the command; None: it took too long, could not be started, or was given up.
        seconds: how long it ran.
        lines: the last lines of its output, and before them, where there is no exit code, why.
    """

    __slots__ = ("name", "passed", "exit_code", "seconds", "lines")

    def __init__(self, name: str, exit_code: int | None, seconds: float, lines: list[str]) -> None:
        self.name = name
        self.passed = exit_code == 0
        self.exit_code = exit_code
        self.seconds = seconds
        self.lines = lines

    def __str__(self) -> str:
        how = "no exit code" if self.exit_code is None else f"exit code {self.exit_code}"
        return "\n".join([f"{self.name}: {'passed' if self.passed else f'failed, {how}'}", *self.lines])


class Gates(dict[str, Gate]):
    """All gates by their names, in the order in which they were given."""

    @property
    def passed(self) -> bool:
        """Every one of them passed."""
        return not self.failed

    @property
    def failed(self) -> list[Gate]:
        """Those that did not pass."""
        return [gate for gate in self.values() if not gate.passed]

    @property
    def share(self) -> float:
        """How many of a hundred passed, as a score."""
        return 100 * (len(self) - len(self.failed)) / len(self)

    def why(self) -> str:
        """Those that failed with the last lines of each, for a prompt or a message; empty if all passed."""
        return "\n\n".join(str(gate) for gate in self.failed)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each, without the output of those that passed."""
        return [{**gate.as_json(), "lines": [] if gate.passed else gate.lines} for gate in self.values()]


@shell(check=False)
def gate(name: str, command: str | list[str], cwd: str) -> dict[str, Any]:
    """A gate"""  # noqa: D400, D415 - a title that is always replaced
    return {"command" if isinstance(command, str) else "argv": command, "cwd": cwd}


async def gates(
    ctx: Context,
    commands: Mapping[str, Command],
    *,
    timeout: float | str | None = "10m",  # noqa: ASYNC109 - of each command, which the engine ends
    cwd: str = ".",
    limit: int | None = None,
) -> Gates:
    """Perform all commands at once; gives a ``Gate`` for each, decided by the exit code and nothing else.

    A text goes to ``sh``, a list is the words of a command. A gate that fails, takes longer than ``timeout``
    or cannot be started has not passed, and no error is raised for it. ``cwd`` is a folder relative to the
    project, ``limit`` how many run at a time.

    Raises:
        TypeError, ValueError: there is no command, one is neither a text nor a list of words, or a name
            cannot be part of a step's name.
    """
    if not commands:
        raise ValueError("gates needs at least one command; of none, all would have passed")
    listed = {name: _words(name, command) for name, command in commands.items()}
    branches = {name: _branch(ctx, name, command, timeout, cwd) for name, command in listed.items()}
    return Gates(await ctx.parallel.all(branches, limit=limit))


def _words(name: str, command: Any) -> str | list[str]:
    if isinstance(command, str) and command.strip():
        return command
    is_list = isinstance(command, (list, tuple)) and bool(command)
    if is_list and all(isinstance(word, str) for word in command):
        return list(command)
    raise TypeError(
        f"the command of gate {name!r} is {command!r};"
        " it is a text for sh, or a list of the words of a command"
    )


def _branch(
    ctx: Context, name: str, command: str | list[str], timeout: float | str | None, cwd: str
) -> Callable[[], Any]:
    shown = command if isinstance(command, str) else " ".join(command)
    # Views put the name of the branch before it.
    title = shown.replace("{", "{{").replace("}", "}}")
    task = gate.using(timeout=timeout, title=title)

    async def run() -> Gate:
        try:
            result: ShellResult = await ctx.task(task, name=name, command=command, cwd=cwd)
        except TaskFailed as error:
            # Too slow, not to be started, given up by a person: no exit code says that it is well.
            return _without_exit_code(name, error)
        return Gate(name, result.exit_code, result.duration, _last_lines(result.stdout, result.stderr))

    return run


def _without_exit_code(name: str, error: TaskFailed) -> Gate:
    told = error.data if isinstance(error.data, dict) else {}
    lines = _last_lines(told.get("stdout", ""), told.get("stderr", ""))
    return Gate(name, None, told.get("durationMs", 0) / 1000, [str(error), *lines])


def _last_lines(*outputs: str) -> list[str]:
    lines = [line.rstrip() for output in outputs for line in output.splitlines()]
    return [line for line in lines if line][-MOST_LINES:]
