"""The command ``babysitter`` of this checkout, as a real process in the working directory."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import IO, Any, NamedTuple

BABYSITTER = Path(__file__).parents[2] / "bin" / "babysitter"
HEAD = """from pathlib import Path

from babysitter import Failed, TaskFailed, agent, define_task, python, shell

@agent
def ask(question):
    return question

"""


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def told(self) -> Any:
        """The one JSON value that it printed."""
        assert self.stdout.count("\n") == 1, (self.stdout, self.stderr)
        return json.loads(self.stdout)


def start(*arguments: str, stdin: int | IO[bytes] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a command with pipes to its output."""
    return subprocess.Popen(
        [BABYSITTER, *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def end(process: subprocess.Popen[bytes], stdin: bytes | None = None) -> Ended:
    """Wait for the end of a command."""
    stdout, stderr = process.communicate(stdin)
    return Ended(process.returncode, stdout.decode(), stderr.decode())


def call(*arguments: str, stdin: str | bytes | None = None) -> Ended:
    """Run a command to its end."""
    if stdin is None:
        return end(start(*arguments))
    raw = stdin.encode() if isinstance(stdin, str) else stdin
    return end(start(*arguments, stdin=subprocess.PIPE), raw)


def told(*arguments: str, code: int = 0, stdin: str | bytes | None = None) -> Any:
    """The JSON of a command that ends with this exit code."""
    ended = call(*arguments, "--json", stdin=stdin)
    assert ended.code == code, ended
    return ended.told


def sh(script: str) -> Ended:
    """Run a shell script in which ``babysitter`` is this checkout's command."""
    path = f"PATH={BABYSITTER.parent}:$PATH\n"
    done = subprocess.run(["sh", "-c", path + dedent(script)], capture_output=True, text=True, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def write(name: str, source: str) -> str:
    """A process file in the working directory; gives its name."""
    Path(name).write_text(HEAD + dedent(source), "utf-8")
    return name
