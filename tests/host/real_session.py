"""One headless session of the real Claude Code, with a scripted model."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from tests.host.fake_api import FakeApi
from tests.host.host_program import ROOT, environment, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.host.fake_api import Model

TOOLS = ("Bash", "Read", "Write", "Edit", "Agent")
MOST_SECONDS = 60
PLUGIN = ("--plugin-dir", str(ROOT))


class Session(NamedTuple):
    """A session that has ended.

    Attributes:
        code: its exit code.
        lines: what it has printed, one object a line; ``at`` is when, in seconds.
        api: what it has asked the model.
    """

    code: int
    lines: list[dict[str, Any]]
    api: FakeApi

    @property
    def id(self) -> str:
        return next(line["session_id"] for line in self.lines if line.get("session_id"))

    @property
    def result(self) -> dict[str, Any]:
        """The host's last word about it."""
        return next(line for line in reversed(self.lines) if line.get("type") == "result")

    def hooks(self, event: str) -> list[dict[str, Any]]:
        """What the hooks of an event have answered, those that said nothing left out."""
        told = [line for line in self.lines if line.get("subtype") == "hook_response"]
        said = [line["stdout"] for line in told if line["hook_event"] == event and line["stdout"].strip()]
        return [json.loads(text) for text in said]

    @property
    def seconds(self) -> float:
        """From the first line to the last."""
        return float(self.lines[-1]["at"] - self.lines[0]["at"])

    @property
    def hook_seconds(self) -> float:
        """How long at least one hook was running."""
        total, running, since = 0.0, 0, 0.0
        for line in self.lines:
            change = {"hook_started": 1, "hook_response": -1}.get(line.get("subtype", ""), 0)
            total += line["at"] - since if running else 0
            running, since = running + change, line["at"]
        return total

    @property
    def messages(self) -> list[str]:
        """What the Stop hook has told the person."""
        return [told["systemMessage"] for told in self.hooks("Stop") if "systemMessage" in told]


class Said(threading.Thread):
    """Reads what a session prints while it goes on."""

    def __init__(self, stdout: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.lines: list[dict[str, Any]] = []
        self._stdout = stdout

    def run(self) -> None:
        with self._stdout as stdout:
            for line in stdout:
                if line.startswith(b"{"):
                    self.lines.append({**json.loads(line), "at": time.monotonic()})


class Going(NamedTuple):
    """A session that is not at its end."""

    process: subprocess.Popen[bytes]
    api: FakeApi
    said: Said

    def kill(self) -> None:
        """End it as the kernel does when memory is short; what it has started lives on."""
        self.process.kill()
        self.process.wait()

    def end(self) -> Session:
        """Wait for its end; a mistake in the model is the test's."""
        code = self.process.wait(MOST_SECONDS)
        self.said.join()
        for mistake in self.api.mistakes:
            raise mistake
        return Session(code, self.said.lines, self.api)


@contextlib.contextmanager
def going(
    prompt: str,
    model: Model,
    *,
    home: Path,
    plugin: Sequence[str] = PLUGIN,
    arguments: Sequence[str] = (),
    tools: Sequence[str] = TOOLS,
    **variables: str,
) -> Iterator[Going]:
    """A session in the working directory, from its start on; it has ended when this is left."""
    command = [
        program(),
        "-p",
        prompt,
        "--output-format",
        "stream-json",
        "--verbose",
        "--include-hook-events",
    ]
    command += [*plugin, "--allowedTools", *tools, *arguments]
    with FakeApi(model) as api:
        process = subprocess.Popen(
            command,
            env=environment(home, api.url, **variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        said = Said(process.stdout)
        said.start()
        try:
            yield Going(process, api, said)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
