"""Commands as real processes in the working directory, and what they leave behind."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = str(Path(__file__).parents[2])
# As the launcher does it, without the search for an environment.
COMMAND = [
    sys.executable,
    "-I",
    "-c",
    f"import sys; sys.path.insert(0, {ROOT!r}); from babysitter.cli.main import main; main()",
]
# The same for somebody at a terminal: whatever has started the tests is not above it, as far as it can see.
ALONE = "from babysitter.approvals import place; place.ancestors = lambda: iter(()); "
AT_TERMINAL = [*COMMAND[:-1], COMMAND[-1].replace("from ", f"{ALONE}from ", 1)]
# Never reached where things work; a busy machine is slow.
PATIENCE = 60.0
CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Ended:
    """How a command ended."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def told(self) -> dict[str, Any]:
        """The JSON that it printed."""
        assert self.stdout, self.stderr
        return json.loads(self.stdout)


class Command:
    """A command that runs; its output is read when it has ended."""

    def __init__(self, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, *COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> Ended:
        """Wait for its end."""
        try:
            stdout, stderr = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"it did not end: {stdout}{stderr}") from None
        return Ended(self.process.returncode, stdout, stderr)


def babysitter(*arguments: str) -> Ended:
    """Run a command to its end."""
    return Command(*arguments).end()


def told(code: int, *arguments: str) -> dict[str, Any]:
    """The JSON of a command that ends with this exit code."""
    ended = babysitter(*arguments, "--json")
    assert ended.code == code, ended.stdout + ended.stderr
    return ended.told


class Terminal:
    """A command on a terminal of its own; whatever it prints is read by ``sees`` and ``end``."""

    def __init__(self, *arguments: str) -> None:
        self.screen = ""
        self.raw = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LINES="40", COLUMNS="100")
            os.execv(AT_TERMINAL[0], [*AT_TERMINAL, *arguments])  # noqa: S606 - it is to become the command

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def sees(self, text: str) -> None:
        """Wait until a text is on the screen; what was before it is forgotten."""
        until = time.monotonic() + PATIENCE
        while text not in self.screen:
            assert self._read(until), f"{text!r} did not come: {self.screen}"
        self.screen = self.screen.partition(text)[2]

    def types(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def end(self) -> int:
        """Wait for the end of the command; gives its exit code."""
        until = time.monotonic() + PATIENCE
        while self._read(until):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self, until: float) -> bool:
        assert select.select([self._fd], [], [], until - time.monotonic())[0], self.screen
        try:
            piece = os.read(self._fd, 1 << 16)
        except OSError:  # Linux: nobody has the other end any more
            return False
        self.raw += piece
        # Enough for texts of ours, which are not cut in the middle of a sequence.
        self.screen = CONTROL_SEQUENCE.sub("", self.screen + piece.decode(errors="replace"))
        return bool(piece)


def write(name: str, source: str) -> None:
    """A file in the working directory; a process gets what all of these tests import."""
    text = dedent(source)
    if name.endswith(".py"):
        text = "from babysitter import Failed, TaskFailed, agent, define_task, python, shell\n" + text
    Path(name).write_text(text)


def run_folder(run: str) -> Path:
    return Path(".a5c/runs", run)


def events(run: str) -> list[dict[str, Any]]:
    """The journal of a run, as its files are."""
    return [json.loads(path.read_bytes()) for path in sorted(run_folder(run).joinpath("journal").iterdir())]


def types(run: str) -> list[str]:
    """The types of a run's events."""
    return [event["type"] for event in events(run)]


def effects(run: str) -> dict[str, dict[str, Any]]:
    """What a run requested, by label: the request's data, its ``result``, how often it was resolved."""
    by_id: dict[str, dict[str, Any]] = {}
    for event in events(run):
        data = event["data"]
        if event["type"] == "EFFECT_REQUESTED":
            by_id[data["effectId"]] = {**data, "result": None, "resolved": 0, "cancelled": 0}
        elif event["type"] == "EFFECT_RESOLVED":
            by_id[data["effectId"]]["result"] = data
            by_id[data["effectId"]]["resolved"] += 1
        elif event["type"] == "EFFECT_CANCELLED":
            by_id[data["effectId"]]["cancelled"] += 1
    return {data["label"]: data for data in by_id.values()}


def lines(name: str) -> list[str]:
    """What effects have appended to a file; nothing when none has."""
    path = Path(name)
    return path.read_text().splitlines() if path.exists() else []


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for something that other processes do."""
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


def processes() -> dict[int, str]:
    """This test's commands and what they have started, by pid: its home is in their environment."""
    mark = f"\0BABYSITTER_HOME={os.environ['BABYSITTER_HOME']}\0".encode()
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) != os.getpid()]
    return {pid: _read(pid, "cmdline") for pid in pids if mark in f"\0{_read(pid, 'environ')}\0".encode()}


def end_processes() -> dict[int, str]:
    """End what is left of this test's processes; gives them, for there should be none."""
    left = processes()
    for pid in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
