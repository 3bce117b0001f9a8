"""Start programs and see what they cost: time, peak memory, files opened, bytes printed.

The working directory and the environment are those of this process, so that starting a program
costs no more than it has to. Nothing large is kept or imported here: the peak memory that the
kernel tells of a program begins with that of the process that started it.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Command = Sequence[str]

# Starts the rest of its arguments, from a Python that is as small as can be, and prints their peak memory.
WATCH = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class ChildFailed(Exception):
    """A program that is measured did not end as it should; the message has what it said."""


class Children:
    """Starts programs, with their output in files of a folder of its own.

    Attributes:
        stdin: the file that programs read as their standard input.
        counts_processor: ``seconds`` are those of the processor, not those of the clock on the wall.
    """

    def __init__(self, folder: str, python: str, *, counts_processor: bool = False) -> None:
        self.python = python
        self.stdin = os.devnull
        self.counts_processor = counts_processor
        self._stdout = os.path.join(folder, "stdout")
        self._stderr = os.path.join(folder, "stderr")
        self._trace = os.path.join(folder, "trace")

    def seconds(self, command: Command) -> float:
        """Run a command to its end; the seconds that it took."""
        passed, worked = self._spend(command)
        return worked if self.counts_processor else passed

    def wall_seconds(self, command: Command) -> float:
        """The same for a command that mostly waits."""
        return self._spend(command)[0]

    def _spend(self, command: Command) -> tuple[float, float]:
        began = time.perf_counter()
        _, status, usage = os.wait4(self._start(command), 0)
        passed = time.perf_counter() - began
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            said = (_read(self._stderr) or _read(self._stdout)).decode(errors="replace").strip()
            raise ChildFailed(f"{' '.join(command)} ended with {code}: {said[-2000:]}")
        return passed, usage.ru_utime + usage.ru_stime

    def _start(self, command: Command) -> int:
        path = shutil.which(command[0])
        if path is None:
            raise ChildFailed(f"there is no program {command[0]!r}")
        fresh = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, self.stdin, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, self._stdout, fresh, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, self._stderr, fresh, 0o600),
        ]
        return os.posix_spawn(path, [path, *command[1:]], os.environ, file_actions=actions)

    def output(self, command: Command) -> bytes:
        """Run a command; what it printed."""
        self.seconds(command)
        return self.last_output()

    def last_output(self) -> bytes:
        """What the last command printed."""
        return _read(self._stdout)

    def peak_bytes(self, command: Command) -> int:
        """Run a command; the most memory that it held."""
        path = shutil.which(command[0]) or command[0]
        printed = self.output([self.python, "-I", "-S", "-c", WATCH, path, *command[1:]])
        # Kilobytes on Linux, bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        return int(printed.splitlines()[-1]) * unit

    def opened_files(self, command: Command) -> int | None:
        """Run a command; how many files it opened. None where strace is not there or not allowed."""
        traced = ["strace", "-f", "-qq", "-e", "trace=open,openat", "-o", self._trace, *command]
        try:
            self.seconds(traced)
        except ChildFailed:
            return None
        return sum(b"= -1 " not in line and b"open" in line for line in _read(self._trace).splitlines())


def _read(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


def side_by_side(works: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each gives, in turns: when the machine is slow for a while it is slow for all of them.

    Each is called once before that, so that its files are in memory and its bytecode is made.
    """
    for work in works.values():
        work()
    told: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            told[name].append(work())
    return told
