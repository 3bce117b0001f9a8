"""Sessions begin, are compacted, cleared, resumed and end; the run stays as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from babysitter.sessions.binding import ENDED, bind, binding_of
from tests.unit.hooks.conftest import OTHER, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.hooks.conftest import Session

ONE = "return await ctx.task(ask, n=1)"
MANY = "return await ctx.parallel.map(range(500), lambda n: ctx.task(tell.using(title='t' * 200), n=n))"


@pytest.mark.parametrize("body", [ONE, MANY])
def test_a_session_that_was_compacted_is_told_where_it_stands(
    bound: Callable[..., Session], body: str
) -> None:
    told = bound(body).call("session-start", source="compact")
    assert (told.kind, "bound to run job" in told.text, len(told.text.encode()) <= 1000) == (
        "tell",
        True,
        True,
    )


def test_a_session_without_a_run_is_told_nothing(bound: Callable[..., Session]) -> None:
    assert bound(ONE).call("session-start", OTHER, source="startup").kind == "let go"


def test_a_session_that_ends_is_not_bound_and_the_run_waits(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.call("session-end", reason="other")
    state = session.run.state
    assert (binding_of(SESSION), state.session, state.status, len(state.pending)) == (
        None,
        None,
        "waiting",
        1,
    )
    assert state.guard is not None


def test_a_session_that_is_resumed_gets_its_run_back(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.call("session-end", reason="other")
    told = session.call("session-start", source="resume")
    assert (told.kind, (session.run.state.session or {})["sessionId"]) == ("tell", SESSION)
    assert binding_of(SESSION) is not None


def test_but_not_when_another_has_taken_it(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.call("session-end", reason="other")
    bind(session.run, "claude-code", OTHER)
    told = session.call("session-start", source="resume")
    assert (told.kind, binding_of(SESSION), binding_of(SESSION, ENDED)) == ("let go", None, None)


def test_a_conversation_that_was_cleared_hands_its_run_on(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.call("session-end", reason="clear")
    session.call("session-start", OTHER, source="clear")
    assert (session.run.state.session or {})["sessionId"] == OTHER
    assert (binding_of(OTHER) is None, binding_of(SESSION, ENDED)) == (False, None)


def test_in_another_process_it_is_not_handed_on(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.call("session-end", reason="clear")
    session.environ["CLAUDE_PID"] = "1234567"
    session.call("session-start", OTHER, source="clear")
    assert session.run.state.session is None


@pytest.mark.usefixtures("seen")
def test_a_process_that_was_started_from_within_the_session_ends_only_itself(
    bound: Callable[..., Session],
) -> None:
    session = bound(ONE)
    session.environ["CLAUDE_PID"] = str(os.getppid())
    session.call("session-end", reason="other")
    assert binding_of(SESSION) is not None


def test_a_finished_run_is_told_once(bound: Callable[..., Session]) -> None:
    from babysitter.runs.iterate import iterate

    session = bound(ONE)
    session.answer({"n": 1})
    iterate(session.run)
    assert "has completed; proof" in session.call("session-start", source="compact").text
    assert session.call("session-start", source="compact").kind == "let go"


def test_before_compacting_a_run_that_cannot_be_trusted_is_told_of(
    bound: Callable[..., Session], project: Path
) -> None:
    session = bound(ONE)
    assert session.call("compact", trigger="auto").message == ""
    event = min((project / ".a5c" / "runs" / "job" / "journal").iterdir())
    event.write_bytes(b"{}")
    (project / ".a5c" / "runs" / "job" / "state" / "head.json").unlink()
    assert "babysitter doctor job" in session.call("compact", trigger="auto").message


def test_nothing_is_left_of_a_session_that_ends_without_a_run(
    home: Path, bound: Callable[..., Session]
) -> None:
    session = bound(ONE)
    (home / "sessions" / OTHER).mkdir()
    session.call("session-end", OTHER, reason="other")
    assert not (home / "sessions" / OTHER).exists()


def test_the_shell_of_a_host_that_names_no_session_is_told_it(
    bound: Callable[..., Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, file = bound(ONE), tmp_path / "env"
    monkeypatch.setenv("CLAUDE_ENV_FILE", str(file))
    session.call("session-start", source="startup")
    assert file.read_text() == f"export BABYSITTER_SESSION_ID={SESSION}\n"


def test_a_session_is_taken_up_again_although_the_configuration_cannot_be_read(
    bound: Callable[..., Session], project: Path
) -> None:
    session = bound(ONE)
    session.call("session-end", reason="other")
    (project / ".a5c" / "config.yaml").write_text("limits: {\n")
    assert "cannot end before the run does" in session.call("session-start", source="resume").text
