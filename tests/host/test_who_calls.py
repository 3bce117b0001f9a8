"""A person's decision comes from the host: a hook that somebody else calls records nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.approvals.place import ancestors
from babysitter.hosts.claude import SIGNS
from babysitter.sessions.presence import is_below_host
from tests.host import fake_host
from tests.host.fake_host import HOOKS, SESSION, environment, payload, raw
from tests.host.lab import events

if TYPE_CHECKING:
    from pathlib import Path

TYPED = raw(payload("UserPromptExpansion.human_command", command_args="yes"))
# Connects what it starts to the same socket that the host would have given it.
BETWEEN = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"


@pytest.fixture(autouse=True)
def session(project: Path, home: Path) -> None:
    """Our own process is the host of a session that a person sits at, and the run waits for them."""
    fake_host.make_bound_run("r", "gated.py")
    (home / "sessions" / SESSION / "host").write_text(f"{os.getpid()}\n\n\n\n")


def called(*command: str, is_socket: bool) -> str:
    """What a hook says to the model that was started so."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(TYPED)
        ended = subprocess.run(
            command,
            env=environment(),
            **({"stdin": theirs} if is_socket else {"input": TYPED}),  # type: ignore[call-overload]
            capture_output=True,
            check=True,
        )
    return str(json.loads(ended.stdout)["hookSpecificOutput"]["additionalContext"])


def answers() -> int:
    return len(events("r", "EFFECT_RESOLVED"))


@pytest.mark.skipif(
    is_below_host(ancestors(), SIGNS), reason="these tests were started by an agent's session"
)
def test_what_the_host_calls_is_recorded() -> None:
    said = called(str(HOOKS / "command"), is_socket=True)
    assert ("recorded, the person said yes" in said, answers()) == (True, 1)


def test_what_comes_through_a_pipe_is_not() -> None:
    said = called(str(HOOKS / "command"), is_socket=False)
    assert ("nothing was recorded" in said, answers()) == (True, 0)


def test_what_another_process_calls_is_not() -> None:
    said = called(sys.executable, "-c", BETWEEN, str(HOOKS / "command"), is_socket=True)
    assert ("nothing was recorded" in said, answers()) == (True, 0)
