"""Whether the host's process of a session lives, and whether a person started it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.hosts.claude import SIGNS
from babysitter.sessions.presence import has_died, is_alive, is_nested, presence_of, start_of

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "s1"
START = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]


@pytest.mark.parametrize(("variable", "nested"), [("A", False), *((sign, True) for sign in SIGNS)])
def test_a_process_that_a_session_started_says_so_in_its_environment(variable: str, nested: bool) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(START, stdin=pipe, stdout=pipe, env={variable: "7"}) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = is_nested(child.pid, SIGNS)
        child.communicate(b"")
    assert found is nested


def test_a_process_that_is_not_there_is_not_believed() -> None:
    assert is_nested(2**31 - 1, SIGNS)


def seen(home: Path, text: str) -> None:
    (home / "sessions" / SESSION).mkdir(parents=True)
    (home / "sessions" / SESSION / "host").write_text(text)


def test_what_the_start_wrote_down_is_read(home: Path) -> None:
    seen(home, "123\n77\n")
    found = presence_of(SESSION)
    assert found is not None
    assert (found.pid, found.started) == (123, "77")


@pytest.mark.parametrize("text", ["", "x", "-1", "99999999999999", "\0"])
def test_whatever_else_stands_there_is_no_process(home: Path, text: str) -> None:
    seen(home, text)
    assert not is_alive(SESSION)


def test_this_process_is_alive(home: Path) -> None:
    seen(home, f"{os.getpid()}\n")
    assert is_alive(SESSION)


@pytest.mark.skipif(not start_of(os.getpid()), reason="this system does not say when a process started")
def test_a_number_that_was_given_to_another_process_is_not_alive(home: Path) -> None:
    seen(home, f"{os.getpid()}\n1\n")
    assert (is_alive(SESSION), has_died(SESSION)) == (False, True)


@pytest.mark.parametrize("text", [None, "", "PID\n"])
def test_a_process_has_died_only_if_it_is_known_which_it_was(home: Path, text: str | None) -> None:
    if text is not None:
        seen(home, text.replace("PID", str(os.getpid())))
    assert not has_died(SESSION)
