"""Who begins an agent effect in a session, and is still at it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.hooks.taking import fetched_effect
from babysitter.runs.taking import last_beat
from babysitter.sessions.agents import carried
from tests.unit.hooks.conftest import OTHER, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.hooks.conftest import Session

ONE = "return await ctx.task(ask, n=1)"
OWN = 'return await ctx.orchestrator_task("Think")'
AGENT = "a42a69296ccd49989"


def taken(session: Session) -> list[tuple[int, str, str]]:
    """Each take of the one effect: its number, session and subagent."""
    found: list[tuple[int, str, str]] = []
    run = session.run

    def look(event: Any) -> None:
        if event.type == "EFFECT_TAKEN":
            data = event.data
            found.append((data["attempt"], data.get("session", ""), data.get("agent", "")))

    type(run)(run.folder).journal.load(look)
    return found


def shell(session: Session, command: str, agent: str = "", **more: Any) -> Any:
    return session.call(
        "before-tool", tool_name="Bash", tool_input={"command": command}, agent_id=agent, **more
    )


def fetch(session: Session, agent: str = "", kind: str = "agent") -> Any:
    return shell(session, f"babysitter show job {session.pending(kind).id} --prompt", agent)


def test_a_subagent_that_was_started_has_taken_its_effect(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.launch(AGENT, session.pending("agent").id)
    assert taken(session) == [(1, SESSION, AGENT)]


def test_the_next_one_has_the_next_number(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    for agent in (AGENT, "a2"):
        session.launch(agent, session.pending("agent").id)
    assert taken(session) == [(1, SESSION, AGENT), (2, SESSION, "a2")]


def test_a_subagent_that_is_only_about_to_be_started_has_taken_nothing(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    prompt = f"[effect:{session.pending('agent').id}] do it"
    session.call("before-tool", tool_name="Agent", tool_input={"prompt": prompt})
    assert taken(session) == []


def test_one_in_the_foreground_takes_it_when_it_fetches_its_prompt(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    assert fetch(session, AGENT).kind == "let go"
    assert (taken(session), carried(SESSION, AGENT)[0]) == (
        [(1, SESSION, AGENT)],
        session.pending("agent").id,
    )


@pytest.mark.parametrize("is_fetched_first", [False, True])
def test_it_takes_it_once(bound: Callable[..., Session], is_fetched_first: bool) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    if is_fetched_first:
        fetch(session, AGENT)
    session.launch(AGENT, effect)
    fetch(session, AGENT)
    assert taken(session) == [(1, SESSION, AGENT)]


def test_the_session_itself_takes_nothing_by_looking_at_a_prompt(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    fetch(session)
    assert taken(session) == []


def test_but_what_it_is_to_do_itself(bound: Callable[..., Session]) -> None:
    session = bound(OWN)
    for _ in range(2):
        fetch(session, kind="orchestrator_task")
    assert taken(session) == [(1, SESSION, "")]


def test_a_fetch_that_is_denied_takes_nothing(bound: Callable[..., Session]) -> None:
    session = bound(OWN)
    effect = session.pending("orchestrator_task").id
    told = shell(session, f"babysitter show job {effect} --prompt; babysitter approve job")
    assert (told.kind, taken(session)) == ("deny", [])


@pytest.mark.parametrize(
    "command", ["babysitter show job EFFECT", "babysitter show job NOTHING --prompt", "x --prompt"]
)
def test_other_commands_take_nothing(bound: Callable[..., Session], command: str) -> None:
    session = bound(OWN)
    effect = session.pending("orchestrator_task").id
    assert shell(session, command.replace("EFFECT", effect)).kind == "let go"
    assert taken(session) == []


def test_nobody_takes_what_babysitter_does(bound: Callable[..., Session]) -> None:
    session = bound("return await ctx.task(count, n=1)")
    session.launch(AGENT, session.pending("shell").id)
    assert taken(session) == []


def test_nobody_takes_anything_of_a_run_that_another_session_has(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    session.run.append([("SESSION_BOUND", {"host": "h", "sessionId": OTHER})])
    session.launch(AGENT, session.pending("agent").id)
    assert taken(session) == []


def test_a_journal_that_cannot_be_read_is_no_reason_to_complain_here(bound: Callable[..., Session]) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    first = min(os.scandir(os.path.join(session.folder, "journal")), key=lambda entry: entry.name)
    os.unlink(first.path)
    assert session.launch(AGENT, effect).kind == "let go"


@pytest.mark.parametrize(
    ("event", "tool"), [("before-tool", "Bash"), ("before-tool", "Write"), ("after-tool", "Agent")]
)
def test_whatever_a_subagent_calls_is_a_sign_of_life(
    bound: Callable[..., Session], event: str, tool: str
) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    session.launch(AGENT, effect)
    session.call(event, tool_name=tool, tool_input={"command": "ls"}, agent_id=AGENT)
    assert last_beat(session.folder, effect) > 0


@pytest.mark.parametrize("agent", ["", "another"])
def test_what_others_call_is_none(bound: Callable[..., Session], agent: str) -> None:
    session = bound(ONE)
    effect = session.pending("agent").id
    session.launch(AGENT, effect)
    session.call("before-tool", tool_name="Bash", tool_input={"command": "ls"}, agent_id=agent)
    assert last_beat(session.folder, effect) == 0


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("babysitter show r e1 --prompt", "e1"),
        ("/x/bin/babysitter show --prompt r e1", "e1"),
        ("env A=b babysitter show r e1 --json --prompt", "e1"),
        ("babysitter show r e1", ""),
        ("babysitter show r --prompt", ""),
        ("babysitter tasks r e1 --prompt", ""),
        ("show r e1 --prompt", ""),
    ],
)
def test_a_fetched_prompt_is_that_of_the_effect_that_the_command_names(words: str, found: str) -> None:
    assert fetched_effect(words.split()) == found
