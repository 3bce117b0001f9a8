"""Several commands on one run at the same time."""

from __future__ import annotations

import signal

import pytest

from babysitter.clock import ms_of
from tests.support.driving import (
    Command,
    effects,
    events,
    lines,
    told,
    wait_until,
    write,
)

HELD_UP = """
@shell
def held():
    "held"
    return "echo held >> started; until test -e go; do sleep 0.05; done"

@shell
def follow_up():
    "follow up"
    return "echo followed >> started"

@agent
def ask():
    "ask"
    return "Say a number"
"""
COUNTED = """
@shell
def count(number):
    return f'echo "begin {number} $BABYSITTER_ATTEMPT" >> log; sleep 0.1; echo "end {number}" >> log'

async def process(inputs, ctx):
    await ctx.parallel.map(list(range(inputs["count"])), lambda n: ctx.task(count, number=n))
    return "done"
"""


def held_up(rest: str) -> Command:
    """A driver that is busy with one effect until there is a file ``go``; the other branch does the rest."""
    write(
        "p.py",
        HELD_UP
        + f"""
async def process(inputs, ctx):
    async def other():
        {rest}
    await ctx.parallel.all([lambda: ctx.task(held), other])
    return "done"
""",
    )
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "2", "--json")
    wait_until(lambda: lines("started"))
    return command


def let_go(command: Command) -> None:
    write("go", "")
    ended = command.end()
    assert (ended.code, ended.told["output"]) == (0, "done")


@pytest.mark.parametrize("number", [signal.SIGCONT, signal.SIGSTOP])
def test_a_second_driver_is_told_who_has_the_run_also_when_that_one_stands_still(
    number: signal.Signals,
) -> None:
    command = held_up("pass")
    command.send(number)
    error = told(75, "resume", "r")["error"]
    assert f"(process {command.process.pid})" in error["message"]
    assert "babysitter run p.py" in error["message"]
    command.send(signal.SIGCONT)
    let_go(command)


def test_of_two_drivers_started_together_one_does_the_work() -> None:
    write("p.py", COUNTED)
    told(0, "create", "p.py", "--run-id", "r", "-i", "count=4")
    commands = [Command("resume", "r", "--json") for _ in range(3)]
    codes = sorted(command.end().code for command in commands)
    assert (codes[0], set(codes[1:]) <= {0, 75}, len(lines("log"))) == (0, True, 8)


def test_work_beside_run_does_no_effect_twice() -> None:
    write("p.py", COUNTED)
    told(0, "create", "p.py", "--run-id", "r", "-i", "count=16")
    commands = [Command(name, "r", "--jobs", "3", "--json") for name in ("work", "resume", "work")]
    assert [command.end().code for command in commands] == [0, 0, 0]
    assert sorted(lines("log")) == sorted(
        [line for number in range(16) for line in (f"begin {number} 1", f"end {number}")]
    )
    assert all(effect["resolved"] == 1 for effect in effects("r").values())


def test_two_who_work_share_the_effects() -> None:
    """Each takes what the other has not: together they do as many at once as both may."""
    write(
        "p.py",
        """
        @shell
        def meet(number):
            return f"touch here{number}; until test -e here{1 - number}; do sleep 0.02; done"

        async def process(inputs, ctx):
            await ctx.parallel.map([0, 1], lambda n: ctx.task(meet, number=n))
        """,
    )
    told(0, "create", "p.py", "--run-id", "r")
    commands = [Command("work", "r", "--jobs", "1", "--json") for _ in range(2)]
    assert [command.end().told["status"] for command in commands] == ["completed", "completed"]


def test_an_approval_from_elsewhere_is_taken_in_while_run_drives() -> None:
    command = held_up("await ctx.breakpoint('Go on?')\n        await ctx.task(follow_up)")
    told(0, "approve", "r")
    wait_until(lambda: "followed" in lines("started"))
    let_go(command)


def test_a_posted_result_is_taken_in_while_run_drives() -> None:
    command = held_up("await ctx.task(ask)\n        await ctx.task(follow_up)")
    told(0, "post", "r", effects("r")["ask"]["effectId"], "--value", "1")
    wait_until(lambda: "followed" in lines("started"))
    let_go(command)


def test_iterate_beside_run_changes_nothing_that_run_relies_on() -> None:
    command = held_up("await ctx.task(follow_up)")
    for _ in range(3):
        assert told(0, "iterate", "r")["status"] == "waiting"
    let_go(command)


def test_what_iterate_requests_is_performed_by_the_run_beside_it() -> None:
    """The driver is stopped while its effect ends, so that another command is first with the next round."""
    command = held_up("await ctx.breakpoint('Go on?')\n        await ctx.task(follow_up)")
    command.send(signal.SIGSTOP)
    told(0, "approve", "r")
    assert "shell" in told(0, "iterate", "r")["new"]
    command.send(signal.SIGCONT)
    wait_until(lambda: "followed" in lines("started"))
    let_go(command)


def test_what_others_write_is_seen_within_a_second() -> None:
    command = held_up(
        "await ctx.breakpoint('Go on?')\n        ctx.log('seen')\n        await ctx.breakpoint('More?')"
    )
    told(0, "approve", "r")
    wait_until(lambda: any(event["type"] == "PROCESS_LOG" for event in events("r")))
    at = {event["type"]: event["recordedAt"] for event in events("r")}
    unseen_for = ms_of(at["PROCESS_LOG"]) - ms_of(at["EFFECT_RESOLVED"])
    told(0, "approve", "r")
    let_go(command)
    assert unseen_for < 1000
