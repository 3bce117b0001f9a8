"""Whether a command is called by a person, by a script, or by an agent."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from babysitter.approvals import place
from babysitter.errors import PersonNeeded

SIGNS = [
    "AI_AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_PID",
    "CODEX_SANDBOX",
    "CURSOR_AGENT",
    "GEMINI_CLI",
]


def know(session: str, home: Path, pid: int = 0) -> None:
    """A session as the hook of its start leaves it."""
    folder = home / "sessions" / session
    folder.mkdir(parents=True)
    (folder / "host").write_text(f"{pid}\n/project\n/plugin\n")


@pytest.mark.parametrize("name", SIGNS)
def test_a_variable_of_a_host_says_that_an_agent_calls(name: str) -> None:
    assert (place.is_inside_host({name: "1"}), place.is_inside_host({name: ""})) == (True, False)


@pytest.mark.parametrize("name", ["CODEX_HOME", "CLAUDE_CONFIG_DIR", "GEMINI_API_KEY"])
def test_a_variable_that_people_set_themselves_says_nothing(name: str) -> None:
    assert not place.is_inside_host({name: "1"})


def test_the_host_of_a_known_session_above_says_that_an_agent_calls(home: Path) -> None:
    know("s-1", home, os.getppid())
    assert place.is_inside_host({})


def test_a_host_that_is_not_above_says_nothing(home: Path) -> None:
    know("s-1", home, 1)
    assert not place.is_inside_host({})


def test_a_process_above_that_a_known_session_has_started_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know("s-1", home)
    monkeypatch.setattr(place, "session_of_process", lambda pid: "s-1" if pid == os.getppid() else "")
    assert place.is_inside_host({})


def test_a_process_of_a_session_that_is_not_known_says_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know("s-1", home)
    monkeypatch.setattr(place, "session_of_process", lambda pid: "another")
    assert not place.is_inside_host({})


def test_about_a_guarded_run_any_session_above_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "has_signs", lambda pid: pid == os.getppid())
    told = [place.is_inside_host({}, is_guarded=is_guarded) for is_guarded in (False, True)]
    assert (told, list(home.iterdir())) == ([False, True], [])


def test_about_a_guarded_run_processes_of_no_session_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_environment_of", lambda pid: {"PATH": "/bin", "CLAUDECODE": ""})
    assert not place.is_inside_host({}, is_guarded=True)


@pytest.mark.parametrize("name", [*SIGNS[1:4], "BABYSITTER_SESSION_ID"])
def test_whatever_names_a_session_is_a_sign(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(place, "_environment_of", lambda pid: {name: "1"})
    assert place.has_signs(1)


@pytest.mark.parametrize("is_guarded", [False, True])
def test_the_level_asks_as_strictly_as_the_run_wants(
    monkeypatch: pytest.MonkeyPatch, *, is_guarded: bool
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(place, "is_inside_host", lambda environ, *, is_guarded: asked.append(is_guarded))
    place.level_here("", "", {}, is_guarded=is_guarded)
    assert asked == [is_guarded]


def test_the_session_of_a_process_is_read_from_its_environment() -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells the environment of a process")
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        env={"CLAUDE_CODE_SESSION_ID": "s-7", "CLAUDECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        # Once it prints it is the program, with its own environment.
        child.stdout.readline()
        told = place.session_of_process(child.pid)
        child.communicate(b"\n")
    assert (told, place.session_of_process(1 << 30)) == ("s-7", "")


def test_the_processes_above_are_found_without_proc_too(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(place.ancestors())
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    monkeypatch.setattr(place, "_listed_parents", lambda: {os.getppid(): 77, 77: 78, 78: 77})
    assert (before[0], list(place.ancestors())) == (os.getppid(), [os.getppid(), 77, 78])


def test_the_list_of_processes_has_this_one() -> None:
    if subprocess.run(["sh", "-c", "command -v ps"], stdout=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("there is no ps")
    assert place._listed_parents()[os.getpid()] == os.getppid()


def test_a_process_that_is_gone_has_nothing_above_it() -> None:
    assert place._parent_of(1 << 30) == 0


def test_an_agent_gets_no_level_at_all() -> None:
    with pytest.raises(PersonNeeded, match="inside an agent's session nobody answers") as caught:
        place.level_here("nobody answers", "ask a person", {"CLAUDECODE": "1"})
    assert caught.value.hint == "ask a person"


@pytest.mark.parametrize(("is_there", "level"), [(True, "terminal"), (False, "script")])
def test_the_level_is_that_of_a_terminal_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, is_there: bool, level: str
) -> None:
    monkeypatch.setattr(place, "is_person_there", lambda: is_there)
    assert place.level_here("nobody answers", "") == level


@pytest.mark.parametrize("name", place.STARTED_BY_US)
def test_what_babysitter_has_started_is_no_person_whatever_terminal_it_has(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    controlling, terminal = pty.openpty()
    with os.fdopen(terminal, "r+b", buffering=0) as stream, os.fdopen(controlling, "rb"):
        for standard in ("stdin", "stdout"):
            monkeypatch.setattr(sys, standard, stream)
        monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
        before = place.is_person_there()
        monkeypatch.setenv(name, "x")
        assert (before, place.is_person_there()) == (True, False)
