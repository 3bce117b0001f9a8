"""Drivers, iterations and posters on one run, killed at random: nothing is lost and nothing doubled."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.journal.store import Journal
from babysitter.runs.folder import open_run
from tests.support.driving import (
    PATIENCE,
    Command,
    end_processes,
    events,
    lines,
    run_folder,
    told,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.runs.run import Run

pytestmark = pytest.mark.torture
KILLS, MANY_KILLS = 24, 1000
KILLS_PER_RUN = 12
DRIVERS = 3
CHAINS = range(5)
# Each start takes a lock that only its own process can hold, and says so when somebody has it.
COUNTED = """
import fcntl, os, sys, time

effect, number = os.environ["BABYSITTER_EFFECT_ID"], int(sys.argv[1])
lock = os.open(f"lock-{effect}", os.O_RDWR | os.O_CREAT)
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.write(log, f"begin {effect}\\n".encode())
except BlockingIOError:
    os.write(log, f"twice {effect}\\n".encode())
time.sleep(0.02 * (number % 3))
print(number * number)
"""
PROCESS = """
from pathlib import Path

@shell
def square(number):
    return [{python!r}, "-S", "-I", "counted", str(number)]

@python
def add(numbers):
    return sum(numbers)

@agent
def ask(question):
    return question

async def process(inputs, ctx):
    async def chain(number):
        first = int((await ctx.task(square.using(title=f"square {{number}}"), number=number)).stdout)
        ctx.progress(1, 2)
        asked = await ctx.task(ask.using(title=f"ask {{number}}"), question=str(number))
        await ctx.sleep(0.05)
        return await ctx.task(add.using(title=f"add {{number}}"), numbers=[first, asked])
    sums = await ctx.parallel.map(list({chains!r}), chain, limit=4)
    seen = ctx.record("seen", lambda: Path("/proc/self/stat").read_text().split()[0])
    ctx.log("all there", sums=sums, drawn=ctx.uuid(), seen=seen)
    return sums
"""
SUMS = [number * number + 1000 for number in CHAINS]
# Done, waits for an agent or the clock, busy.
FINE = {0, 8, 75}


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path) -> Iterator[None]:
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells what is left")
    yield
    assert end_processes() == {}


class Storm:
    """One run that is brought to its end under kills.

    Attributes:
        kills: how many commands were killed.
        acknowledged: the effects of which a poster said that they have its result.
        odd: what ended as nothing should.
    """

    def __init__(self, run: str, chance: random.Random) -> None:
        self.run = run
        self.kills = 0
        self.acknowledged: list[str] = []
        self.odd: list[tuple[int, str, str]] = []
        self._chance = chance
        self._running: list[tuple[Command, str]] = []
        self._until = time.monotonic() + PATIENCE * 2

    def blow(self) -> None:
        while not (run := self.look()).state.is_finished:
            assert time.monotonic() < self._until, run.state.status
            self._start(run)
            time.sleep(self._chance.uniform(0, 0.12))
            self._kill()
            self._reap(is_over=False)
        self._reap(is_over=True)

    def look(self) -> Run:
        """Read the run, as one more command would."""
        return open_run(str(run_folder(self.run)), "").load()

    def _start(self, run: Run) -> None:
        doing = [what for _, what in self._running]
        for _ in range(DRIVERS - doing.count("")):
            verb = self._chance.choice([("work", "--jobs", "2"), ("resume", "--jobs", "2"), ("iterate",)])
            self._running.append((Command(verb[0], self.run, *verb[1:], "--json"), ""))
        for effect in run.state.pending.values():
            if effect.kind == "agent" and effect.id not in doing:
                posted = Command("post", self.run, effect.id, "--value", "1000", "--json")
                self._running.append((posted, effect.id))

    def _kill(self) -> None:
        alive = [command for command, _ in self._running if command.is_running]
        if alive and self.kills < KILLS_PER_RUN:
            self._chance.choice(alive).send(signal.SIGKILL)
            self.kills += 1

    def _reap(self, *, is_over: bool) -> None:
        for command, effect in [each for each in self._running if is_over or not each[0].is_running]:
            self._running.remove((command, effect))
            ended = command.end()
            if ended.code == 0 and effect:
                self.acknowledged.append(effect)
            elif ended.code not in {*FINE, -signal.SIGKILL}:
                self.odd.append((ended.code, ended.stdout, ended.stderr))


def test_whatever_is_killed_the_run_comes_to_its_end(
    torture: bool, count: Callable[[str, int], None]
) -> None:
    write("p.py", PROCESS.format(python=sys.executable, chains=CHAINS))
    write("counted", COUNTED)
    seed, kills, runs = time.time_ns(), 0, 0
    while kills < (MANY_KILLS if torture else KILLS):
        runs += 1
        told(0, "create", "p.py", "--run-id", f"r{runs}")
        storm = Storm(f"r{runs}", random.Random(f"{seed} {runs}"))  # noqa: S311
        storm.blow()
        check(storm)
        kills += max(storm.kills, 1)
    count("random kills", kills)


def check(storm: Storm) -> None:
    """Everything is there once, nothing was done twice at a time, and everybody was told the truth."""
    run, there = storm.look(), events(storm.run)
    asked = [event["data"]["effectId"] for event in there if event["type"] == "EFFECT_REQUESTED"]
    answered = [event["data"]["effectId"] for event in there if event["type"] == "EFFECT_RESOLVED"]
    assert storm.odd == []
    assert (run.state.status, run.output()) == ("completed", SUMS)
    assert (sorted(asked), len(set(asked))) == (sorted(answered), 4 * len(CHAINS))
    assert set(storm.acknowledged) <= set(answered)
    assert [line for line in lines("log") if line.startswith("twice")] == []
    assert Journal(run.folder, run.run_id).verify().seq == len(there)
