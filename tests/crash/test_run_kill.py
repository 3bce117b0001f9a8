"""End a driver at any moment and go on: nothing is lost, and only what was in flight runs again."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.clock import ms_of
from tests.support.driving import (
    Command,
    Ended,
    effects,
    end_processes,
    events,
    lines,
    told,
    wait_until,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_KILLS = 12
# Of the long test; more of them find more: KILL_RUNS=50 scripts/test tests/crash/test_run_kill.py
SEEDS = range(int(os.environ.get("KILL_RUNS", "1")))
# Each start takes a lock that only its own processes can hold, and says so when it is taken already.
# Every third one has a child of its own that holds it too, and outlives it when nobody ends it.
COUNTED = """
import fcntl, os, subprocess, sys, time

effect, attempt = os.environ["BABYSITTER_EFFECT_ID"], os.environ["BABYSITTER_ATTEMPT"]
number = int(sys.argv[1])
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def say(word):
    os.write(log, f"{word} {effect} {attempt} {time.time_ns() // 1_000_000}\\n".encode())

lock = os.open(f"lock-{effect}", os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    say("twice")
say("begin")
if number % 3:
    time.sleep(0.05 * (number % 5))
else:
    subprocess.run(["sleep", "0.2"], pass_fds=[lock])
say("end")
print(number * number)
"""
PROCESS = """
@shell
def square(number):
    return [{python!r}, "-S", "-I", "counted", str(number)]

@python
def add(numbers):
    return sum(numbers)

async def process(inputs, ctx):
    async def chain(number):
        first = int((await ctx.task(square, number=number)).stdout)
        ctx.progress(1, 2)
        second = int((await ctx.task(square, number=number + 100)).stdout)
        return await ctx.task(add, numbers=[first, second])
    await ctx.sleep(0.3)
    sums = await ctx.parallel.map(list(range(8)), chain, limit=5)
    ctx.log("all there", sums=sums)
    return sums
"""
SUMS = [number**2 + (number + 100) ** 2 for number in range(8)]


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path) -> Iterator[None]:
    """No driver and nothing that one has started is alive when a test is over."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells what is left")
    yield
    assert end_processes() == {}


def driven_to_the_end(numbers: list[signal.Signals], chance: random.Random) -> tuple[Ended, int]:
    """End the driver by a signal at random moments until a run is over; how it ended, and after how many."""
    write("p.py", PROCESS.format(python=sys.executable))
    write("counted", COUNTED)
    told(0, "create", "p.py", "--run-id", "r")
    for kills in range(MOST_KILLS):
        command = Command("resume", "r", "--jobs", "4", "--json")
        time.sleep(chance.uniform(0.05, 0.9))
        command.send(chance.choice(numbers))
        ended = command.end()
        if ended.code == 0:
            return ended, kills
    return Command("resume", "r", "--jobs", "4", "--json").end(), MOST_KILLS


def log_lines(word: str) -> list[tuple[str, int, int]]:
    """Effect, attempt and time (ms) of what the commands said."""
    said = [line.split() for line in lines("log")]
    return [(effect, int(attempt), int(at)) for first, effect, attempt, at in said if first == word]


def attempts() -> dict[str, list[int]]:
    """The attempts of each effect, in the order in which they began."""
    found: dict[str, list[int]] = {}
    for effect, attempt, _ in log_lines("begin"):
        found.setdefault(effect, []).append(attempt)
    return found


def recorded() -> dict[str, int]:
    """When the result of each command was recorded (ms)."""
    resolved = [event for event in events("r") if event["type"] == "EFFECT_RESOLVED"]
    return {event["data"]["effectId"]: ms_of(event["recordedAt"]) for event in resolved}


def begun_after_they_were_recorded() -> list[Any]:
    known = recorded()
    return [line for line in log_lines("begin") if line[2] > known[line[0]]]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGKILL], [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]],
    ids=["killed", "any-signal"],
)
def test_a_run_whose_driver_is_ended_again_and_again_loses_nothing(
    seed: int, numbers: list[signal.Signals]
) -> None:
    ended, kills = driven_to_the_end(numbers, random.Random(seed))  # noqa: S311
    began = attempts()
    assert (ended.code, ended.told["output"]) == (0, SUMS)
    assert log_lines("twice") == []
    assert all(effect["resolved"] == 1 for effect in effects("r").values())
    assert begun_after_they_were_recorded() == []
    # Numbers can be skipped where a driver died between taking an effect and starting it.
    assert [tries for tries in began.values() if tries != sorted(set(tries)) or tries[-1] > kills + 1] == []


def test_only_what_was_in_flight_at_a_kill_runs_again() -> None:
    write("p.py", IN_FLIGHT)
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "4", "--json")
    wait_until(lambda: len(lines("started")) == 4)
    wait_until(lambda: sum(effect["resolved"] for effect in effects("r").values()) == 2)
    command.send(signal.SIGKILL)
    command.end()
    write("go", "")
    told(0, "resume", "r")
    assert sorted(lines("started")) == ["quick0 1", "quick1 1", "slow0 1", "slow0 2", "slow1 1", "slow1 2"]


IN_FLIGHT = """
@shell
def quick(number):
    return f"echo quick{number} $BABYSITTER_ATTEMPT >> started"

@shell
def slow(number):
    return f"echo slow{number} $BABYSITTER_ATTEMPT >> started; until test -e go; do sleep 0.05; done"

async def process(inputs, ctx):
    await ctx.parallel.all([
        lambda: ctx.parallel.map([0, 1], lambda n: ctx.task(quick.using(title=f"quick {n}"), number=n)),
        lambda: ctx.parallel.map([0, 1], lambda n: ctx.task(slow.using(title=f"slow {n}"), number=n)),
    ])
"""


def test_survivors_of_a_kill_are_ended_before_their_effects_start_again() -> None:
    write(
        "p.py",
        """
        @shell
        def stubborn():
            return (
                # Nobody reads its output any more, and writing it would end it.
                "exec 2>/dev/null; trap 'echo asked $BABYSITTER_ATTEMPT >> log' TERM;"
                " echo begin $BABYSITTER_ATTEMPT >> log;"
                " test -e go && exit; while :; do sleep 0.1; done"
            )

        async def process(inputs, ctx):
            await ctx.task(stubborn)
        """,
    )
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: lines("log"))
    command.send(signal.SIGKILL)
    command.end()
    write("go", "")
    told(0, "resume", "r")
    assert lines("log") == ["begin 1", "asked 1", "begin 2"]


def test_a_killed_driver_does_not_keep_the_run_busy() -> None:
    write("p.py", IN_FLIGHT)
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "4", "--json")
    wait_until(lambda: len(lines("started")) == 4)
    command.send(signal.SIGKILL)
    command.end()
    write("go", "")
    assert told(0, "resume", "r")["status"] == "completed"


def test_two_who_work_take_over_from_one_that_is_killed() -> None:
    write("p.py", IN_FLIGHT)
    told(0, "create", "p.py", "--run-id", "r")
    commands = [Command("work", "r", "--jobs", "2", "--json") for _ in range(3)]
    wait_until(lambda: len(lines("started")) == 4)
    commands[0].send(signal.SIGKILL)
    commands[0].end()
    write("go", "")
    commands[1].send(signal.SIGKILL)
    commands[1].end()
    assert commands[2].end().told["status"] == "completed"
    assert all(effect["resolved"] == 1 for effect in effects("r").values())
