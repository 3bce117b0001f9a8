"""``take``: an agent of one's own takes an effect, keeps it, and gives the result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from babysitter.approvals import place
from babysitter.cli.taking import _session_of
from babysitter.clock import iso, ms_of
from babysitter.runs.children import family
from babysitter.runs.folder import open_run
from babysitter.runs.run import Run
from babysitter.runs.taking import last_beat
from babysitter.runs.taking import take as take_effect
from tests.support.commands import call, sh, told, write

pytestmark = pytest.mark.usefixtures("project")

TWO = """
async def process(inputs, ctx):
    async def one(question):
        try:
            return await ctx.task(ask.using(timeout="1h", title=question), question=question)
        except TaskFailed as error:
            return error.name
    return await ctx.parallel.map(["first", "second"], one)
"""
MIXED = """
async def process(inputs, ctx):
    think = ctx.orchestrator_task("Think", title="own")
    await ctx.parallel.all([ctx.sleep(60), think, ctx.breakpoint("Go?")])
"""


def opened() -> Run:
    return open_run("r", os.path.abspath(".a5c/runs")).load()


def begin(source: str = TWO) -> list[str]:
    """A run; gives the ids of what waits."""
    told("create", write("p.py", source), "--run-id", "r")
    return list(opened().state.pending)


def take(*words: str, code: int = 0, by: str = "anna") -> Any:
    return told("take", "r", *words, "--by", by, code=code)


def test_it_prints_all_that_whoever_takes_it_needs() -> None:
    first, _ = begin()
    took = take("--lease", "90s")
    at = opened().state.effects[first].taken_ms
    assert took == {
        "run": "r",
        "effect": first,
        "attempt": 1,
        "title": "first",
        "until": iso(at + 90_000),
        "timeoutAt": iso(at + 3_600_000),
        "prompt": told("show", "r", first, "--prompt")["prompt"],
        "schema": None,
    }


def test_people_get_the_prompt_alone_on_standard_output() -> None:
    first, _ = begin()
    ended = call("take", "r", "--by", "anna")
    assert (ended.stdout, first in ended.stderr) == (call("show", "r", first, "--prompt").stdout, True)


def test_the_oldest_free_one_is_taken_and_then_there_is_none() -> None:
    first, second = begin()
    assert [take()["effect"], take(by="bert")["effect"]] == [first, second]
    assert take(by="carl", code=8) == {"run": "r", "status": "waiting", "effect": None}


def test_what_another_is_at_is_a_conflict() -> None:
    first, _ = begin()
    take(first)
    error = take(first, by="bert", code=3)["error"]
    assert (error["name"], "'anna'" in error["message"]) == ("EffectTaken", True)


def test_who_has_it_gets_it_again_and_keeps_it() -> None:
    first, _ = begin()
    take(first)
    again = take(first)
    assert (again["attempt"], again["prompt"], last_beat(opened().folder, first) > 0) == (
        1,
        take(first)["prompt"],
        True,
    )


def test_a_lease_that_is_over_leaves_it_to_the_next() -> None:
    first, _ = begin()
    run = opened()
    take_effect(run, run.state.effects[first], lambda effect: True, by="anna", lease=0)
    assert (take()["effect"], opened().state.effects[first].takes) == (first, 2)


def test_the_first_result_stands_whoever_took_it_last() -> None:
    first, second = begin()
    run = opened()
    take_effect(run, run.state.effects[first], lambda effect: True, by="anna", lease=0)
    take(first, by="bert")
    told("post", "r", first, "--value", '"of anna"')
    told("post", "r", first, "--value", '"of bert"', code=3)
    told("post", "r", second, "--value", '"x"')
    assert told("iterate", "r")["output"] == ["of anna", "x"]


def test_a_lease_is_renewed_by_who_has_it() -> None:
    first, _ = begin()
    until = take(first, "--lease", "60s")["until"]
    renewed = take(first, "--renew")
    assert (renewed["attempt"], ms_of(renewed["until"]) >= ms_of(until), "prompt" in renewed) == (
        1,
        True,
        False,
    )


def test_one_that_is_over_is_renewed_while_nobody_else_has_taken_it() -> None:
    first, _ = begin()
    run = opened()
    take_effect(run, run.state.effects[first], lambda effect: True, by="anna", lease=1)
    assert take(first, "--renew")["attempt"] == 1


def test_nobody_renews_the_lease_of_another() -> None:
    first, _ = begin()
    take(first)
    assert take(first, "--renew", by="bert", code=3)["error"]["name"] == "EffectTaken"


@pytest.mark.parametrize("how", [["--value", "1"], ["cancel"]], ids=["post", "cancel"])
def test_what_is_over_is_not_renewed(how: list[str]) -> None:
    first, _ = begin()
    take(first)
    told(*(["cancel", "r", first] if how == ["cancel"] else ["post", "r", first, *how]))
    assert take(first, "--renew", code=3)["error"]["name"] in ("AlreadyResolved", "EffectCancelled")


@pytest.mark.parametrize(
    "words",
    [
        ["--renew"],
        ["FIRST", "--renew"],
        ["FIRST", "--renew", "--lease", "5m"],
        ["--lease", "soon"],
        ["--lease", "25h"],
        ["--lease", "0"],
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_wrong_usage(words: list[str]) -> None:
    first, _ = begin()
    take(*(first if word == "FIRST" else word for word in words), code=2)
    assert opened().state.effects[first].takes == 0


@pytest.mark.parametrize("by", ["", "  ", "x" * 201])
def test_a_taker_has_a_name(by: str) -> None:
    begin()
    assert take(by=by, code=2)["error"]["name"] == "UsageError"


def test_in_a_run_that_has_ended_there_is_nothing_to_take() -> None:
    begin()
    told("halt", "r")
    assert take(code=3)["error"]["name"] == "RunFinished"


def test_only_what_an_agent_does_is_taken() -> None:
    begin(MIXED)
    assert [take()["title"], take(code=8)["effect"]] == ["own", None]
    (gate,) = [each for each in opened().state.pending.values() if each.kind == "breakpoint"]
    assert take(gate.id, code=2)["error"]["name"] == "ResultRejected"


def test_what_a_sessions_agent_is_to_do_itself_is_left_to_it() -> None:
    begin(MIXED)
    opened().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
    assert take(code=8)["effect"] is None


def test_inside_the_session_of_the_run_it_is_taken_for_that_session(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = begin()
    opened().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-1")
    take(first)
    assert (opened().state.effects[first].taken or {})["session"] == "s-1"


def test_in_another_session_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = begin()
    opened().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-2")
    take(first)
    assert "session" not in (opened().state.effects[first].taken or {})


def inside(words: str) -> None:
    """Call a command in the shell of session s-1, whose variables it takes away."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells the environment of a process")
    # Not the last command, or the shell becomes that program.
    ended = sh(
        "CLAUDE_CODE_SESSION_ID=s-1 CLAUDECODE=1 sh -c"
        f" 'env -u CLAUDE_CODE_SESSION_ID -u CLAUDECODE {words}; exit $?'"
    )
    assert ended.code == 0, ended


def bind_top() -> None:
    opened().append([("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})])


@pytest.mark.parametrize("before", ["", "CLAUDE_CODE_SESSION_ID=s-2 "], ids=["taken away", "another"])
def test_a_session_is_known_also_without_its_variable(before: str) -> None:
    first, _ = begin()
    bind_top()
    inside(f"{before}babysitter take r {first} --by anna")
    assert (opened().state.effects[first].taken or {})["session"] == "s-1"


def test_a_host_that_names_no_session_is_taken_to_be_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    begin()
    bind_top()
    monkeypatch.setattr(place, "ancestors", lambda: iter([]))
    outside = _session_of(opened())
    monkeypatch.setenv("AI_AGENT", "1")
    assert (outside, _session_of(opened())) == ("", "s-1")


# Of child runs

FAMILY = """
async def child(inputs, ctx):
    think = ctx.orchestrator_task("Think", title="own")
    await ctx.parallel.all([think, ctx.task(ask, question="a")])

async def process(inputs, ctx):
    await ctx.subprocess(child)
"""


def begin_family() -> Run:
    """A run that a session has, with one child, which is given."""
    told("create", write("p.py", FAMILY), "--run-id", "r")
    bind_top()
    return family(opened())[1]


def test_of_a_child_it_is_taken_for_the_session_of_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    child = begin_family()
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "s-1")
    effect = told("take", child.run_id, "--by", "anna")["effect"]
    assert (Run(child.folder).load().state.effects[effect].taken or {})["session"] == "s-1"


def test_of_a_child_the_sessions_own_is_left_to_it_too() -> None:
    child = begin_family()
    asked = told("take", child.run_id, "--by", "anna")["title"]
    told("take", child.run_id, "--by", "bert", code=8)
    (own,) = [effect.id for effect in child.state.pending.values() if effect.kind == "orchestrator_task"]
    assert (asked, told("take", child.run_id, own, "--by", "bert")["title"]) == ("ask", "own")


# How it is shown


@pytest.mark.parametrize("words", [["tasks", "r"], ["show", "r"], ["show", "r", "FIRST"]], ids=" ".join)
def test_who_is_at_it_is_shown(words: list[str]) -> None:
    first, _ = begin()
    take(first)
    put = [first if word == "FIRST" else word for word in words]
    shown = told(*put)
    effect = shown["tasks"][0] if "tasks" in shown else shown
    assert (effect["taken"]["by"], effect["taken"]["attempt"], set(effect["taken"])) == (
        "anna",
        1,
        {"by", "attempt", "leaseSeconds", "at", "until"},
    )
    assert "anna" in call(*put).stdout


def test_a_status_says_how_many_are_taken_and_when_the_clock_ends_one() -> None:
    first, _ = begin()
    assert "taken" not in told("status", "r")
    until = take(first)["timeoutAt"]
    shown = told("status", "r")
    assert (shown["taken"], shown["until"]) == (1, until)
    assert "taken" in call("status", "r").stdout


# Rate limits


@pytest.fixture
def limited(home: Path) -> None:
    (home / "config.yaml").write_text("kinds:\n  agent: {limit: 1/hour}\n")


@pytest.mark.usefixtures("limited")
def test_what_a_rate_limit_does_not_admit_is_not_taken() -> None:
    _, second = begin()
    take()
    for words in ([], [second]):
        held = take(*words, by="bert", code=8)
        assert (held["effect"], "next" in held, opened().state.effects[second].takes) == (None, True, 0)


@pytest.mark.usefixtures("limited")
def test_who_has_it_keeps_it_whatever_the_limit() -> None:
    first, _ = begin()
    take(first)
    assert (take(first)["attempt"], take(first, "--renew")["attempt"]) == (1, 1)


@pytest.mark.usefixtures("limited")
def test_who_asks_for_what_cannot_be_taken_has_started_nothing() -> None:
    first, second = begin()
    told("post", "r", first, "--value", "1")
    take(first, code=3)
    assert take()["effect"] == second
