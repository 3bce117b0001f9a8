"""``session``, and ``create`` in the session of an agent host, as real commands."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from babysitter.sessions.grants import grant
from tests.support.commands import call, told, write

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "11111111-aaaa", "22222222-bbbb"
ASKS = """
async def process(inputs, ctx):
    return await ctx.task(ask, question="why")
"""


@pytest.fixture
def session(project: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """We are in the shell of the first session."""
    write("asks.py", ASKS)
    monkeypatch.setenv("CLAUDECODE", "1")
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", FIRST)
    return monkeypatch


def listed() -> list[tuple[str, str]]:
    return [(each["session"], each["run"]) for each in told("session", "list")["sessions"]]


def finish(run: str) -> None:
    (effect,) = told("iterate", run)["pending"]
    told("post", run, effect, "--value", '"because"')
    assert told("iterate", run)["status"] == "completed"


def test_a_run_that_a_session_makes_binds_it(session: pytest.MonkeyPatch) -> None:
    assert told("create", "asks.py", "--run-id", "r1")["status"] == "waiting"
    assert told("session", "whoami")["run"] == "r1"
    assert listed() == [(FIRST, "r1")]


def test_the_journal_says_who_is_bound(session: pytest.MonkeyPatch) -> None:
    told("create", "asks.py", "--run-id", "r1")
    found = told("events", "r1")["events"]
    assert [each["type"] for each in found][:2] == ["RUN_CREATED", "SESSION_BOUND"]


def test_unbound_makes_a_run_only(session: pytest.MonkeyPatch) -> None:
    told("create", "asks.py", "--run-id", "r1", "--unbound")
    assert listed() == []


def test_outside_of_a_session_nothing_is_bound(session: pytest.MonkeyPatch) -> None:
    session.delenv("CLAUDE_CODE_SESSION_ID")
    session.delenv("CLAUDECODE")
    told("create", "asks.py", "--run-id", "r1")
    assert listed() == []


@pytest.mark.parametrize("words", [("create", "asks.py", "--run-id", "r2"), ("session", "bind", "other")])
def test_a_session_with_an_unfinished_run_needs_a_person_for_another(
    session: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    told("create", "asks.py", "--run-id", "other", "--unbound")
    told("create", "asks.py", "--run-id", "r1")
    error = told(*words, code=3)["error"]
    assert (error["name"], "/babysitter:approve rebind" in error["hint"]) == ("PersonNeeded", True)
    assert (listed(), call("status", "r2").code) == ([(FIRST, "r1")], 4)


def test_after_the_run_has_ended_the_session_is_free(session: pytest.MonkeyPatch) -> None:
    told("create", "asks.py", "--run-id", "r1")
    finish("r1")
    told("create", "asks.py", "--run-id", "r2")
    assert listed() == [(FIRST, "r2")]


def gone(home: Path, session: str) -> None:
    """The host of the session has ended without a word."""
    with subprocess.Popen(["true"]) as host:
        host.wait()
    (home / "sessions" / session / "host").write_text(f"{host.pid}\n1\n\n\n")


def test_a_run_that_a_session_still_has_is_not_taken_away_without_a_person(
    session: pytest.MonkeyPatch,
) -> None:
    told("create", "asks.py", "--run-id", "r1")
    session.setenv("CLAUDE_CODE_SESSION_ID", SECOND)
    error = told("session", "bind", "r1", code=3)["error"]
    assert (error["name"], "/babysitter:resume r1" in error["hint"]) == ("PersonNeeded", True)
    assert listed() == [(FIRST, "r1")]


def test_a_person_who_typed_the_command_takes_it_over(session: pytest.MonkeyPatch) -> None:
    told("create", "asks.py", "--run-id", "r1")
    session.setenv("CLAUDE_CODE_SESSION_ID", SECOND)
    grant(SECOND, "rebind", {"by": "somebody"})
    assert told("session", "bind", "r1")["takenFrom"] == FIRST


def test_what_was_typed_serves_once_needed_or_not(session: pytest.MonkeyPatch) -> None:
    grant(FIRST, "rebind", {"by": "somebody"})
    grant(FIRST, "policy", {"by": "somebody"})
    told("create", "asks.py", "--run-id", "r1")
    told("create", "asks.py", "--run-id", "r2", code=3)
    told("create", "asks.py", "--run-id", "r2", "--unbound", "--yolo", code=3)


def test_a_run_that_cannot_be_read_frees_nobody(session: pytest.MonkeyPatch, project: Path) -> None:
    told("create", "asks.py", "--run-id", "r1")
    (project / ".a5c" / "runs" / "r1").rename(project / "aside")
    found = [
        told(*words, code=3)["error"]["name"]
        for words in (("create", "asks.py", "--run-id", "r2"), ("session", "release"))
    ]
    assert (found, listed()) == (["PersonNeeded"] * 2, [(FIRST, "r1")])


def test_a_cut_of_the_journal_frees_nobody_and_binding_anew_does_not_make_it_good(
    session: pytest.MonkeyPatch, project: Path
) -> None:
    told("create", "asks.py", "--run-id", "r1")
    run = project / ".a5c" / "runs" / "r1"
    for event in sorted((run / "journal").iterdir())[1:]:
        event.unlink()
    for file in (run / "state").iterdir():
        file.unlink()
    assert told("session", "bind", "r1", code=5)["error"]["name"] == "TailRemoved"
    (project / "asks.py").write_text((project / "asks.py").read_text().replace("why", "what"))
    assert "a person accepts it" in told("iterate", "r1", code=7)["hint"]


def test_another_session_takes_the_run_of_one_that_died(session: pytest.MonkeyPatch, home: Path) -> None:
    told("create", "asks.py", "--run-id", "r1")
    gone(home, FIRST)
    session.setenv("CLAUDE_CODE_SESSION_ID", SECOND)
    assert told("session", "bind", "r1") == {"session": SECOND, "run": "r1", "takenFrom": FIRST}
    assert told("session", "bind", "r1") == {"session": SECOND, "run": "r1"}


def test_the_session_that_lost_its_run_is_free_for_another(session: pytest.MonkeyPatch, home: Path) -> None:
    told("create", "asks.py", "--run-id", "r1")
    gone(home, FIRST)
    session.setenv("CLAUDE_CODE_SESSION_ID", SECOND)
    told("session", "bind", "r1")
    session.setenv("CLAUDE_CODE_SESSION_ID", FIRST)
    told("create", "asks.py", "--run-id", "r2")
    assert sorted(listed()) == [(FIRST, "r2"), (SECOND, "r1")]


@pytest.mark.parametrize("inside", [True, False], ids=["inside the session", "in a script outside"])
def test_a_session_is_released_by_a_person_only(session: pytest.MonkeyPatch, inside: bool) -> None:
    told("create", "asks.py", "--run-id", "r1")
    if not inside:
        session.delenv("CLAUDE_CODE_SESSION_ID")
        session.delenv("CLAUDECODE")
    assert told("session", "release", FIRST, code=3)["error"]["name"] == "PersonNeeded"
    assert listed() == [(FIRST, "r1")]


def test_a_finished_run_needs_nobody_to_be_released_from(session: pytest.MonkeyPatch) -> None:
    told("create", "asks.py", "--run-id", "r1")
    finish("r1")
    assert told("session", "release")["status"] == "released"
    assert listed() == []


def test_a_run_that_has_ended_binds_nobody(session: pytest.MonkeyPatch) -> None:
    told("create", "asks.py", "--run-id", "r1", "--unbound")
    finish("r1")
    assert told("session", "bind", "r1", code=3)["error"]["name"] == "RunFinished"
    assert listed() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("session", "release"), 2),
        (("session", "release", "nosuch"), 2),
        (("session", "release", "../x"), 6),
        (("session", "bind", "nosuch"), 4),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    session: pytest.MonkeyPatch, words: tuple[str, ...], code: int
) -> None:
    ended = call(*words)
    assert (ended.code, ended.stderr.startswith("error: "), ended.stdout) == (code, True, "")


def test_outside_of_a_session_there_is_no_who(project: Path) -> None:
    assert told("session", "whoami", code=2)["error"]["name"] == "UsageError"
