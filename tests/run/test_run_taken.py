"""Agent effects that somebody else has taken: left to them, waited for, ended by the clock, taken over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from babysitter.runs.folder import open_run
from babysitter.runs.taking import take
from tests.support.driving import Command, effects, events, told, types, wait_until, write

ASK = """
@agent
def ask():
    "ask"
    return "Hm?"

async def process(inputs, ctx):
    try:
        return await ctx.task(ask.using(timeout=inputs.get("timeout")))
    except TaskFailed as error:
        return [error.name, str(error)]
"""
BESIDE = """
@agent
def ask():
    "ask"
    return "Hm?"

@shell
def build():
    "build"
    return "touch started; until test -e go; do sleep 0.02; done"

async def process(inputs, ctx):
    async def asking():
        try:
            return await ctx.task(ask.using(timeout=inputs.get("timeout")))
        except TaskFailed as error:
            return error.name
    _, told = await ctx.parallel.all([ctx.task(build), asking()])
    return told
"""
AGENT = "sh -c 'cat >/dev/null; echo >>asked; echo 7'"


def begin(*words: str, source: str = ASK) -> str:
    """A run with one agent effect; gives its id."""
    write("p.py", source)
    told(0, "create", "p.py", "--run-id", "r", *words)
    return str(effects("r")["ask"]["effectId"])


def taken_by(by: str, **more: Any) -> None:
    run = open_run("r", os.path.abspath(".a5c/runs")).load()
    (effect,) = [effect for effect in run.state.pending.values() if effect.kind == "agent"]
    take(run, effect, lambda found: True, by=by, **more)


def test_what_another_is_at_is_left_to_them_and_waited_for() -> None:
    effect = begin(source=BESIDE)
    taken_by("anna", lease=3600)
    command = Command("resume", "r", "--jobs", "2", "--agent-command", AGENT, "--json")
    wait_until(Path("started").exists)
    Path("go").touch()
    wait_until(lambda: "EFFECT_RESOLVED" in types("r"))
    told(0, "post", "r", effect, "--value", '"of anna"')
    ended = command.end()
    assert (ended.code, ended.told["output"], Path("asked").exists()) == (0, "of anna", False)


def test_it_is_done_here_when_their_lease_is_over() -> None:
    begin()
    taken_by("anna", lease=0.5)
    assert told(0, "resume", "r", "--agent-command", AGENT)["output"] == 7


def test_what_was_taken_by_a_session_that_has_died_is_done_here() -> None:
    begin()
    home = Path(os.environ["BABYSITTER_HOME"], "sessions", "s-1")
    home.mkdir(parents=True)
    (home / "host").write_text(f"{2**31 - 1}\n\n")
    open_run("r", os.path.abspath(".a5c/runs")).load().append(
        [("SESSION_BOUND", {"host": "claude-code", "sessionId": "s-1"})]
    )
    taken_by("claude-code", session="s-1", agent="a1", lease=3600)
    assert told(0, "resume", "r", "--agent-command", AGENT)["output"] == 7


def test_the_clock_ends_it_while_somebody_looks_on() -> None:
    begin("-i", "timeout=0.7")
    taken_by("anna")
    assert told(0, "resume", "r")["output"] == ["TaskTimeout", "the agent gave no result within 0.7 s"]


def test_also_when_it_is_taken_only_then() -> None:
    begin("-i", "timeout=0.5", source=BESIDE)
    command = Command("work", "r", "--json")
    wait_until(Path("started").exists)
    taken_by("anna", lease=3600)
    wait_until(lambda: "EFFECT_RESOLVED" in types("r"))
    Path("go").touch()
    assert command.end().told["output"] == "TaskTimeout"


def test_work_does_not_wait_for_the_clock_and_says_when_it_strikes() -> None:
    begin("-i", "timeout=3600")
    taken_by("anna")
    ended = told(0, "work", "r")
    assert (ended["status"], "until" in ended) == ("waiting", True)


def test_without_a_time_it_is_waited_for_by_nobody() -> None:
    begin()
    taken_by("anna")
    assert told(8, "resume", "r")["status"] == "waiting"


def test_what_is_done_here_the_clock_of_before_does_not_end() -> None:
    begin("-i", "timeout=60")
    taken_by("anna", lease=0)
    ended = told(0, "resume", "r", "--agent-command", AGENT)
    assert (ended["output"], events("r")[-2]["data"]["executor"], types("r").count("EFFECT_TAKEN")) == (
        7,
        "local",
        1,
    )


def test_a_task_of_the_session_is_done_by_the_agent_command_where_there_is_no_session() -> None:
    write(
        "p.py",
        """
N = {"type": "object", "required": ["n"]}

async def process(inputs, ctx):
    return await ctx.orchestrator_task("Think of a number.", returns=N)
""",
    )
    agent = """sh -c 'cat >asked; echo "{\\"n\\": 3}"'"""
    assert told(0, "run", "p.py", "--run-id", "r", "--agent-command", agent)["output"] == {"n": 3}
    assert Path("asked").read_text().startswith("Think of a number.")


def test_without_an_agent_command_it_says_how_to_go_on() -> None:
    write("p.py", "async def process(inputs, ctx):\n    await ctx.orchestrator_task('Think.')\n")
    assert "--agent-command" in told(8, "run", "p.py", "--run-id", "r")["hint"]
