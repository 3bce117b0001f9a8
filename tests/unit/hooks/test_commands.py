"""What a person types: recorded when it is a person, and only then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.ids import sha256_hex
from babysitter.jsontext import canonical
from babysitter.sessions.grants import take
from tests.unit.hooks.conftest import OTHER, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.hooks.conftest import Session

pytestmark = pytest.mark.usefixtures("seen")
ASK = 'return (await ctx.breakpoint("Ship?", title="Ship")).approved'
CHOOSE = 'return (await ctx.breakpoint("Where?", options=["eu west", "us"])).option'


def typed(session: Session, name: str, arguments: str = "", in_session: str = SESSION, **payload: Any) -> Any:
    told = {"command_name": f"babysitter:{name}", "command_args": arguments, "command_source": "plugin"}
    return session.call("command", in_session, **{**told, **payload})


def value(session: Session, effect: str) -> Any:
    return session.run.state.effects[effect].value


@pytest.mark.parametrize("arguments", ["yes", "Y", "ok go on", "EFFECT yes"])
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
    (home / "sessions" / OTHER / "host").write_text(f"{os.getpid()}\n\n\n\n")
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
    told = typed(session, "approve", "edit")
    assert (f"\n  changed  job.py  {sha256_hex(file.read_bytes())}" in told.message, told.text) == (
        True,
        told.message,
    )
    file.write_text(file.read_text().replace("return 2", "return 3"))
    assert "a person accepts it" in session.call("stop").text
    typed(session, "approve", "edit")
    assert "has completed" in session.call("stop").message


BOTH = "return await ctx.parallel.all([ctx.task(ask, n=1), ctx.breakpoint('Go?')])"


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("halt", None),
        ("cancel", {"run": "job"}),
        ("cancel EFFECT", {"effect": "EFFECT"}),
        ("permit cancel STEP", {"effect": "EFFECT"}),
        ("rewind STEP", {"to": "1.0.1"}),
        ("rewind EFFECT", {"to": "1.0.1"}),
        ("rewind 1", {"to": "1"}),
    ],
)
def test_what_a_person_permits_is_about_what_they_have_named(
    bound: Callable[..., Session], words: str, about: dict[str, str] | None
) -> None:
    session = bound(BOTH)
    effect = session.pending("agent")
    told = typed(session, "approve", words.replace("EFFECT", effect.id).replace("STEP", effect.step))
    assert "recorded, the person permits to" in told.message, told.message
    found = session.run.state.permits[0].get("about")
    assert found == (about and {key: value.replace("EFFECT", effect.id) for key, value in about.items()})


@pytest.mark.parametrize("words", ["rewind", "rewind 9", "cancel nothing", "halt now", "edit 5"])
def test_what_names_nothing_permits_nothing(bound: Callable[..., Session], words: str) -> None:
    session = bound(BOTH)
    assert "nothing was recorded" in typed(session, "approve", words).message
    assert (session.run.state.permits, len(session.run.state.pending)) == ([], 2)


def test_to_cancel_what_is_over_is_not_permitted(bound: Callable[..., Session]) -> None:
    session = bound(BOTH)
    effect = session.pending("agent").id
    session.answer({"n": 1})
    told = typed(session, "approve", f"cancel {effect}")
    assert ("there is nothing to cancel" in told.message, session.run.state.permits) == (True, [])


CANCELLING = "return (await ctx.breakpoint('Ship?', options=['ship', 'cancel'])).option"


def test_an_option_to_cancel_with_a_word_behind_it_is_an_answer(bound: Callable[..., Session]) -> None:
    session = bound(CANCELLING)
    typed(session, "approve", "cancel please")
    (effect,) = session.run.state.effects.values()
    assert (effect.value["option"], effect.value["feedback"]) == ("cancel", "please")


@pytest.mark.parametrize("words", ["cancel", "cancel EFFECT"])
def test_an_option_to_cancel_is_not_taken_for_a_permit_nor_the_other_way_round(
    bound: Callable[..., Session], words: str
) -> None:
    session = bound(CANCELLING)
    effect = session.pending("breakpoint").id
    words = words.replace("EFFECT", effect)
    told = typed(session, "approve", words)
    assert f"/babysitter:approve permit {words} to give up" in told.message
    assert (session.run.state.permits, list(session.run.state.pending)) == ([], [effect])


def test_half_a_character_loses_no_grant(bound: Callable[..., Session]) -> None:
    typed(bound(ASK), "call", "x \ud83d", prompt_id="p\udc00")
    told = take(SESSION, "rebind") or {}
    assert (told["command"], told["prompt"]) == ("call x \\ud83d", "p\\udc00")


@pytest.mark.parametrize("arguments", ["", "  ", "EFFECT", "STEP"])
def test_without_a_word_nothing_is_recorded_and_what_is_asked_is_shown(
    bound: Callable[..., Session], arguments: str
) -> None:
    session = bound(
        'return (await ctx.breakpoint("Ship?\\nAll of it?", title="Ship it", options=["eu"])).option'
    )
    effect = session.pending("breakpoint")
    told = typed(session, "approve", arguments.replace("EFFECT", effect.id).replace("STEP", effect.step))
    assert told.message.splitlines() == [
        "babysitter: nothing was recorded: the person has to say what:",
        f"breakpoint {effect.id}, digest {digest(session, effect.id)}:",
        "  Ship it",
        "  Ship?",
        "  All of it?",
        "  - eu",
        "to answer: /babysitter:approve OPTION, or /babysitter:approve no",
    ]
    assert (told.text, session.pending("breakpoint").id) == (told.message, effect.id)


def digest(session: Session, effect: str) -> str:
    run = session.run
    definition = run.definition_of(run.state.effects[effect])
    return sha256_hex(canonical(definition).encode())[:8]


def test_of_several_breakpoints_each_is_shown_with_how_to_name_it(bound: Callable[..., Session]) -> None:
    session = bound('await ctx.parallel.all([ctx.breakpoint("A?"), ctx.breakpoint("B?" + "x" * 1500)])')
    first, second = session.run.state.pending
    told = typed(session, "approve").message
    assert f"\nto answer: /babysitter:approve {first} yes, or /babysitter:approve {first} no\n" in told
    assert f"\n  … cut; all of it: babysitter show job {second}\n" in told


def test_where_nothing_is_asked_it_is_said_so(bound: Callable[..., Session]) -> None:
    told = typed(bound("return await ctx.task(ask, n=1)"), "approve")
    assert told.message == "babysitter: nothing was recorded: no breakpoint is open"


def test_a_permit_that_is_an_option_as_well_has_to_be_told_apart(bound: Callable[..., Session]) -> None:
    session = bound('return (await ctx.breakpoint("Now?", options=["release", "hold"])).option')
    effect = session.pending("breakpoint").id
    told = typed(session, "approve", "release").message
    ways = (f"/babysitter:approve {effect} release", "/babysitter:approve permit release")
    assert ("nothing was recorded" in told, [way in told for way in ways]) == (True, [True, True])
    assert (session.run.state.permits, session.pending("breakpoint").id) == ([], effect)
    typed(session, "approve", "permit release")
    assert [permit["what"] for permit in session.run.state.permits] == ["release"]
    typed(session, "approve", f"{effect} release")
    assert value(session, effect)["option"] == "release"


def test_what_only_begins_with_a_permit_is_none(bound: Callable[..., Session]) -> None:
    session = bound(ASK)
    assert "neither yes nor no" in typed(session, "approve", "release it").message
    assert session.run.state.permits == []


@pytest.mark.parametrize(
    ("options", "text", "option", "feedback"),
    [
        (["staging", "staging eu"], "staging eu", "staging eu", None),
        (["staging eu", "staging"], "staging eu", "staging eu", None),
        (["staging", "staging eu"], "staging eu only", "staging eu", "only"),
        (["staging", "staging eu"], "staging europe", "staging", "europe"),
        (["1", "2"], "1", "1", None),
        (["1", "2"], "2 at night", "2", "at night"),
    ],
)
def test_the_option_that_fits_best_is_meant(
    bound: Callable[..., Session], options: list[str], text: str, option: str, feedback: str | None
) -> None:
    session = bound(f'return (await ctx.breakpoint("Where?", options={options})).option')
    effect = session.pending("breakpoint").id
    typed(session, "approve", text)
    assert (value(session, effect)["option"], value(session, effect)["feedback"]) == (option, feedback)


def test_an_option_comes_before_a_step_of_that_name(bound: Callable[..., Session]) -> None:
    session = bound('return (await ctx.breakpoint("Where?", options=["1", "2"])).option')
    effect = session.pending("breakpoint")
    assert effect.step == "1"
    typed(session, "approve", "1")
    assert value(session, effect.id)["option"] == "1"


def test_only_an_open_breakpoint_can_be_named(bound: Callable[..., Session]) -> None:
    session = bound(
        'await ctx.parallel.all([ctx.task(ask, n=1), ctx.breakpoint("A?"), ctx.breakpoint("B?")])'
    )
    other = session.pending("agent").id
    assert "it has to be said which breakpoint" in typed(session, "approve", f"{other} yes").message


def test_a_breakpoint_may_be_named_by_the_beginning_of_its_id(bound: Callable[..., Session]) -> None:
    session = bound('await ctx.parallel.all([ctx.breakpoint("A?"), ctx.breakpoint("B?")])')
    first, second = session.run.state.pending
    length = next(n for n in range(1, 20) if first[:n] != second[:n])
    typed(session, "approve", f"{first[:length]} no because")
    assert (value(session, first)["feedback"], list(session.run.state.pending)) == ("because", [second])
