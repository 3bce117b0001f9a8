"""Rate limits in a session: what a batch offers, and how often a subagent is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.clock import iso, now_ms
from babysitter.hooks import rated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.hooks.conftest import Session

THREE = "return await ctx.parallel.map([1, 2, 3], lambda n: ctx.task(ask, n=n))"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, home: Path) -> int:
    """Two agent effects may be started in an hour; the clock stands still."""
    (home / "config.yaml").write_text("kinds:\n  agent: {limit: 2/hour}\n")
    moment = now_ms()
    monkeypatch.setattr(rated, "now_ms", lambda: moment)
    return moment


def start(session: Session, effect: str) -> Any:
    """The host is about to start a subagent for an effect."""
    tool = {"prompt": f"[effect:{effect}] do it", "subagent_type": "general-purpose"}
    return session.call("before-tool", tool_name="Agent", tool_input=tool)


def pending(session: Session) -> list[str]:
    return list(session.run.state.pending)


def test_only_as_many_are_offered_as_may_begin_now(bound: Callable[..., Session], now: int) -> None:
    session = bound(THREE)
    first, second, third = pending(session)
    told = session.call("stop").text
    assert [effect in told for effect in (first, second, third)] == [True, True, False]
    assert told.splitlines()[-1] == (
        f"- 1 more effects for subagents may begin from {iso(now + 3_600_000)} on, by a rate limit:"
        " `sleep 3600` in the background, and you are called then."
    )


def test_without_a_limit_all_are_offered(bound: Callable[..., Session]) -> None:
    session = bound(THREE)
    told = session.call("stop").text
    assert [effect in told for effect in pending(session)] == [True] * 3


def test_each_start_counts_and_one_too_many_is_denied(bound: Callable[..., Session], now: int) -> None:
    session = bound(THREE)
    answers = [start(session, effect) for effect in pending(session)]
    assert [answer.kind for answer in answers] == ["let go", "let go", "deny"]
    assert iso(now + 3_600_000) in answers[2].text


def test_when_none_may_begin_the_session_is_told_to_sleep_until_then(
    bound: Callable[..., Session], now: int
) -> None:
    session = bound(THREE)
    for effect in pending(session)[:2]:
        start(session, effect)
    told = session.call("stop")
    assert (told.kind, "There is nothing new to start; only:\n- 3 more effects" in told.text) == (
        "go on",
        True,
    )


def test_one_that_sleeps_is_let_go(bound: Callable[..., Session], now: int) -> None:
    session = bound(THREE)
    for effect in pending(session)[:2]:
        start(session, effect)
    sleeping = {"id": "b1", "type": "shell", "status": "running", "command": "sleep 3600"}
    told = session.call("stop", background_tasks=[sleeping])
    assert (told.kind, f"a rate limit, until {iso(now + 3_600_000)}" in told.message) == ("let go", True)


@pytest.mark.parametrize("prompt", ["Look around.", "[effect:nothing] do it", 7])
def test_other_subagents_are_not_counted(bound: Callable[..., Session], now: int, prompt: Any) -> None:
    session = bound(THREE)
    for _ in range(3):
        told = session.call("before-tool", tool_name="Agent", tool_input={"prompt": prompt})
        assert told.kind == "let go"
    assert start(session, pending(session)[0]).kind == "let go"


def test_where_starts_cannot_be_counted_none_is_started(
    bound: Callable[..., Session], now: int, home: Path
) -> None:
    session = bound(THREE)
    (home / "rates").write_text("no folder")
    told = start(session, pending(session)[0])
    assert (told.kind, str(home / "rates") in told.text, session.call("stop").kind) == ("deny", True, "go on")


def test_a_configuration_that_cannot_be_read_lets_nobody_go(
    bound: Callable[..., Session], home: Path
) -> None:
    session = bound(THREE)
    (home / "config.yaml").write_text("kinds: [\n")
    assert (session.call("stop").kind, start(session, pending(session)[0]).kind) == ("go on", "let go")
