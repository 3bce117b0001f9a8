"""What a person types: recorded when it is a person, and only then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.sessions.grants import take
from tests.unit.hooks.conftest import OTHER, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.hooks.conftest import Session

pytestmark = pytest.mark.usefixtures("seen")
ASK = 'return (await ctx.breakpoint("Ship?", title="Ship")).approved'
CHOOSE = 'return (await ctx.breakpoint("Where?", options=["eu west", "us"])).option'


@pytest.fixture(autouse=True)
def top(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests may themselves be run by an agent, and the process asked about is this one."""
    monkeypatch.setattr("babysitter.sessions.presence._environment_of", lambda pid: b"HOME=/h\0")


def typed(session: Session, name: str, arguments: str = "", in_session: str = SESSION, **payload: Any) -> Any:
    told = {"command_name": f"babysitter:{name}", "command_args": arguments, "command_source": "plugin"}
    return session.call("command", in_session, **{**told, **payload})


def value(session: Session, effect: str) -> Any:
    return session.run.state.effects[effect].value


@pytest.mark.parametrize("arguments", ["", "yes", "Y", "ok go on", "EFFECT yes", "EFFECT"])
def test_yes_is_recorded(bound: Callable[..., Session], arguments: str) -> None:
    session = bound(ASK)
    effect = session.pending("breakpoint").id
    told = typed(session, "approve", arguments.replace("EFFECT", effect))
    assert (value(session, effect)["approved"], "recorded" in told.text) == (True, True)


def test_no_is_recorded_with_what_was_said(bound: Callable[..., Session]) -> None:
    session = bound(ASK)
    effect = session.pending("breakpoint").id
    typed(session, "approve", "no the changelog is missing")
    assert (value(session, effect)["approved"], value(session, effect)["feedback"]) == (
        False,
        "the changelog is missing",
    )


def test_an_option_may_have_several_words(bound: Callable[..., Session]) -> None:
    session = bound(CHOOSE)
    effect = session.pending("breakpoint").id
    typed(session, "approve", "eu west but slowly")
    assert (value(session, effect)["option"], value(session, effect)["feedback"]) == ("eu west", "but slowly")


@pytest.mark.parametrize("arguments", ["maybe", "later yes"])
def test_what_is_neither_yes_nor_no_records_nothing(bound: Callable[..., Session], arguments: str) -> None:
    session = bound(ASK)
    assert "nothing was recorded" in typed(session, "approve", arguments).text
    assert session.pending("breakpoint")


def test_yes_to_a_breakpoint_with_options_records_nothing(bound: Callable[..., Session]) -> None:
    session = bound(CHOOSE)
    assert "eu west, us" in typed(session, "approve", "yes").text
    assert session.pending("breakpoint")


def test_of_two_breakpoints_one_has_to_be_named(bound: Callable[..., Session]) -> None:
    session = bound('await ctx.parallel.all([ctx.breakpoint("A?"), ctx.breakpoint("B?")])')
    assert "it has to be said which" in typed(session, "approve", "yes").text
    assert len(session.run.state.pending) == 2


def test_the_level_is_that_of_a_command(bound: Callable[..., Session]) -> None:
    session = bound('return (await ctx.breakpoint("Ship?", assurance="terminal")).approved')
    assert "terminal" in typed(session, "approve", "yes").text
    assert session.pending("breakpoint")


@pytest.mark.parametrize(
    ("environ", "payload"),
    [
        ({"CLAUDE_CODE_SESSION_ATTENDED": "0"}, {}),
        ({"CLAUDE_PID": str(os.getppid())}, {}),
        ({}, {"command_source": "user"}),
        ({}, {"command_name": "other:approve"}),
    ],
    ids=["headless", "another process", "another source", "another plugin"],
)
def test_what_may_not_be_a_persons_command_is_refused(
    bound: Callable[..., Session], environ: dict[str, str], payload: dict[str, str]
) -> None:
    session = bound(ASK)
    session.environ.update(environ)
    typed(session, "approve", "yes", **payload)
    assert session.pending("breakpoint")


def test_a_session_that_was_started_by_a_session_is_refused(
    bound: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.sessions.presence._environment_of", lambda pid: b"A=1\0CLAUDECODE=1\0")
    session = bound(ASK)
    assert "itself started by a session" in typed(session, "approve", "yes").text
    assert session.pending("breakpoint")


def test_a_session_whose_start_was_not_seen_is_refused(bound: Callable[..., Session], home: Path) -> None:
    session = bound(ASK)
    (home / "sessions" / SESSION / "host").unlink()
    typed(session, "approve", "yes")
    assert session.pending("breakpoint")


def test_a_permit_is_recorded(bound: Callable[..., Session]) -> None:
    session = bound(ASK)
    typed(session, "approve", "release")
    (permit,) = session.run.state.permits
    assert (permit["what"], permit["assurance"]) == ("release", "command")
    assert session.pending("breakpoint")


def test_a_session_without_a_run_is_told_so(bound: Callable[..., Session], home: Path) -> None:
    session = bound(ASK)
    (home / "sessions" / OTHER).mkdir()
    (home / "sessions" / OTHER / "host").write_text(f"{os.getpid()}\n\n\n")
    assert "bound to no run" in typed(session, "approve", "yes", in_session=OTHER).text


@pytest.mark.parametrize(("name", "what"), [("yolo", "policy"), ("resume", "rebind"), ("call", "rebind")])
def test_a_command_that_allows_something_leaves_a_grant(
    bound: Callable[..., Session], name: str, what: str
) -> None:
    typed(bound(ASK), name, "whatever")
    told = take(SESSION, what)
    assert told is not None
    assert told["command"] == f"{name} whatever"
    assert take(SESSION, what) is None


def test_no_grant_is_left_for_a_schedule(bound: Callable[..., Session]) -> None:
    session = bound(ASK)
    session.environ["CLAUDE_CODE_SESSION_ATTENDED"] = "0"
    typed(session, "yolo")
    assert take(SESSION, "policy") is None


def test_an_edit_is_permitted_as_it_is_now_and_the_run_goes_on_with_it(
    bound: Callable[..., Session], project: Path
) -> None:
    session = bound("await ctx.task(ask, n=1)\nreturn await ctx.task(count, n=2)")
    session.answer({"n": 1})
    file = project / "job.py"
    file.write_text(file.read_text().replace("return await ctx.task(count, n=2)", "return 2"))
    assert "a person accepts it: /babysitter:approve edit" in session.call("stop").text
    typed(session, "approve", "edit")
    file.write_text(file.read_text().replace("return 2", "return 3"))
    assert "a person accepts it" in session.call("stop").text
    typed(session, "approve", "edit")
    assert "has completed" in session.call("stop").message


def test_half_a_character_loses_no_grant(bound: Callable[..., Session]) -> None:
    typed(bound(ASK), "call", "x \ud83d", prompt_id="p\udc00")
    told = take(SESSION, "rebind") or {}
    assert (told["command"], told["prompt"]) == ("call x \\ud83d", "p\\udc00")
