"""Locks that vanish or lock nothing: they save work, and what is true does not rest on them."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from babysitter.journal.store import Journal
from tests.support.driving import (
    ROOT,
    Command,
    Ended,
    effects,
    end_processes,
    events,
    lines,
    run_folder,
    told,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Count = Callable[[str, int], None]

pytestmark = pytest.mark.torture
ROUNDS = 15
# As on two machines that do not see each other's locks, nor each other's processes.
LOCKLESS = f"""
import sys
sys.path.insert(0, {ROOT!r})
from babysitter.executors import effect_lock, leftovers
from babysitter.journal import lock

class NoLock:
    is_locked = False
    def acquire(self, timeout): pass
    def release(self): pass

lock._file_lock = lambda path: NoLock()
effect_lock._lock = lambda fd, path: True
effect_lock.marked_processes = lambda mark: []
effect_lock.is_same_process = lambda pid, started: False
leftovers.effects_at_work = lambda run_id: []
from babysitter.cli.main import main
main()
"""
PROCESS = """
@shell
def square(number):
    return f"echo begin {number} >> log; sleep 0.0{number}; echo $(({number} * {number}))"

@python
def add(numbers):
    return sum(numbers)

@agent
def ask(question):
    return question

async def process(inputs, ctx):
    async def chain(number):
        first = int((await ctx.task(square.using(title=f"square {number}"), number=number)).stdout)
        asked = await ctx.task(ask.using(title=f"ask {number}"), question=str(number))
        return await ctx.task(add.using(title=f"add {number}"), numbers=[first, asked])
    return await ctx.parallel.map(list(range(1, 6)), chain)
"""
# Done, waits for an agent, busy.
FINE = {0, 8, 75}
OUTPUT = [number * number + 1000 for number in range(1, 6)]


class Lockless(Command):
    """A command for which every lock is free."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", LOCKLESS, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path) -> Iterator[None]:
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells what is left")
    yield
    assert end_processes() == {}


def drive_together(make: Callable[..., Command]) -> list[Ended]:
    """Bring the run to its end by several commands at once, again and again, two of them for each answer."""
    write("p.py", PROCESS)
    told(0, "create", "p.py", "--run-id", "r")
    ended: list[Ended] = []
    while told(0, "status", "r")["status"] != "completed":
        asked = [
            task["id"] for task in told(0, "tasks", "r", "--pending")["tasks"] if task["kind"] == "agent"
        ]
        commands = [make(verb, "r", "--jobs", "3", "--json") for verb in ("resume", "resume", "work")]
        commands += [make("post", "r", effect, "--value", "1000", "--json") for effect in asked for _ in "12"]
        ended += [command.end() for command in commands]
    return ended


def check_that_all_is_true(ended: list[Ended]) -> None:
    """Everything is recorded once and nothing is lost; no command failed but for being late."""
    assert [(each.code, each.stdout, each.stderr) for each in ended if each.code not in FINE] == []
    recorded = [each.told["effect"] for each in ended if each.told.get("status") == "recorded"]
    found = effects("r")
    assert told(0, "status", "r")["output"] == OUTPUT
    assert {title: effect["resolved"] for title, effect in found.items()} == dict.fromkeys(found, 1)
    assert len(found) == 3 * len(OUTPUT)
    asked = {effect["effectId"] for effect in found.values() if effect["kind"] == "agent"}
    assert sorted(recorded) == sorted(asked)
    journal = Journal(str(run_folder("r")), "r")
    assert journal.verify().seq == len(events("r"))


def test_a_lock_that_is_deleted_all_the_time_costs_nothing_but_work(torture: bool, count: Count) -> None:
    for number in range(ROUNDS if torture else 1):
        with in_a_folder_of_its_own(number), LockThief() as thief:
            check_that_all_is_true(drive_together(Command))
            # The locks of the effects are others, and these hold.
            began = [line for line in lines("log") if line.startswith("begin")]
            assert sorted(began) == [f"begin {each}" for each in range(1, 6)]
        count("locks deleted", thief.stolen)


def test_machines_that_do_not_see_each_others_locks_write_one_journal(torture: bool, count: Count) -> None:
    for number in range(ROUNDS if torture else 1):
        with in_a_folder_of_its_own(number):
            ended = drive_together(Lockless)
            check_that_all_is_true(ended)
        count("commands without locks", len(ended))


class LockThief:
    """Deletes the lock of the run every millisecond."""

    def __init__(self) -> None:
        self.stolen = 0
        self._path = run_folder("r").absolute() / "run.lock"
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._steal)

    def _steal(self) -> None:
        while not self._is_over.wait(0.001):
            with suppress(FileNotFoundError):
                self._path.unlink()
                self.stolen += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


@contextmanager
def in_a_folder_of_its_own(number: int) -> Iterator[None]:
    Path(f"project-{number}", ".a5c").mkdir(parents=True)
    with chdir(f"project-{number}"):
        yield
