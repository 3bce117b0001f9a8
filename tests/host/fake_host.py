"""Calls hooks as the host does, without the host: recorded payloads, its environment, and a bounded wait."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, NamedTuple

from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.iterate import iterate
from babysitter.sessions.binding import bind
from tests.host.host_program import ROOT
from tests.host.lab import PROCESSES, RUNS

PAYLOADS = Path(__file__).parent / "payloads"
HOOKS = ROOT / "hooks"
SESSION = "2862ac6d-8176-4630-8c10-e7cd339fdb0f"
# Event of the host → our script.
SCRIPTS = {
    event: Path(groups[0]["hooks"][0]["command"].strip('"')).name
    for event, groups in json.loads((HOOKS / "hooks.json").read_text())["hooks"].items()
}
RECORDED = sorted(path.stem for path in PAYLOADS.glob("[!_]*.json"))
OURS = [name for name in RECORDED if name.split(".", maxsplit=1)[0] in SCRIPTS]
# Nothing that a hook does takes long; one that hangs is ended by this, and the test fails.
MOST_SECONDS = 60


class Ended(NamedTuple):
    """How a hook has ended: its code, and the one object that it may print."""

    code: int
    told: dict[str, Any] | None
    stderr: str


class Hook:
    """A hook that was started and has not got its payload yet."""

    def __init__(self, script: str, hooks: Path = HOOKS) -> None:
        # A socket, as the host has it.
        self.stdin, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [hooks / script],
                env=environment(),
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def write(self, *pieces: bytes) -> None:
        """Write what a hook reads, as far as it wants to read it; the socket stays open."""
        try:
            for piece in pieces:
                self.stdin.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            # It has read enough.
            pass

    def end(self, *, is_closed: bool = True) -> Ended:
        """Wait for its end, with its standard input closed or not."""
        if is_closed:
            self.close()
        watch = threading.Timer(MOST_SECONDS, self.process.kill)
        watch.start()
        try:
            assert self.process.stdout is not None
            assert self.process.stderr is not None
            with self.process.stdout as stdout, self.process.stderr as stderr:
                said, complained = stdout.read().decode(), stderr.read().decode()
            code = self.process.wait()
        finally:
            watch.cancel()
            self.close()
        assert said.count("\n") == bool(said), said
        return Ended(code, json.loads(said) if said else None, complained)

    def close(self) -> None:
        self.stdin.close()


def call(script: str, *pieces: bytes) -> Ended:
    """A hook from start to end."""
    hook = Hook(script)
    hook.write(*pieces)
    return hook.end()


def payload(name: str, **changes: Any) -> dict[str, Any]:
    """A recorded payload, as if it were of our session and plugin."""
    text = (PAYLOADS / f"{name}.json").read_text("utf-8")
    told: dict[str, Any] = json.loads(text.replace('"bs:', '"babysitter:').replace("/bs:", "/babysitter:"))
    return {**told, "session_id": SESSION, "cwd": str(Path.cwd()), **changes}


def raw(told: dict[str, Any]) -> bytes:
    """A payload as the host writes it."""
    return json.dumps(told).encode() + b"\n"


def environment() -> dict[str, str]:
    """What a hook of an interactive session finds in its environment, with ourselves as the host."""
    recorded = json.loads((PAYLOADS / "_hook_env_interactive_vs_nested.json").read_text("utf-8"))
    own = {
        "BABYSITTER_HOME": os.environ["BABYSITTER_HOME"],
        "PATH": os.environ["PATH"],
        "CLAUDE_CODE_SESSION_ID": SESSION,
        "CLAUDE_PID": str(os.getpid()),
        "CLAUDE_PROJECT_DIR": str(Path.cwd()),
        "CLAUDE_PLUGIN_ROOT": str(ROOT),
    }
    return {**recorded["interactive"], **own}


def make_bound_run(run_id: str, process: str) -> None:
    """A run of a process of ours in the working directory, bound to our session, with its first batch."""
    Path(process).write_text((PROCESSES / process).read_text("utf-8"), "utf-8")
    project = str(Path.cwd())
    entry = resolve(process, project)
    run = create(str(RUNS.absolute()), entry, {}, project=project, version="0", run_id=run_id).load()
    bind(run, "claude-code", SESSION)
    iterate(run)
