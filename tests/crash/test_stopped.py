"""Commands that are stopped at a bad moment and go on much later: nothing is lost, nobody waits for them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from test_journal_hammer import EVENTS, WRITERS, start

from babysitter.journal.store import Journal
from tests.support.driving import (
    PATIENCE,
    Command,
    effects,
    end_processes,
    events,
    lines,
    told,
    wait_until,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Count = Callable[[str, int], None]

pytestmark = pytest.mark.torture
STOPS, MANY_STOPS = 15, 300

# Appends five events at once, and stops itself before or after one of the calls that make them visible.
STOPPING = """
import os, signal, sys, time
from babysitter import disk
from babysitter.errors import HeadMoved
from babysitter.journal.store import Journal

folder, when = sys.argv[1], int(sys.argv[2])
journal, links, real_link, real_sync = Journal(folder, "run-1"), 0, os.link, disk.Folder.sync
journal.load(lambda event: None)

def stop():
    os.kill(os.getpid(), signal.SIGSTOP)

def link(*names, **options):
    global links
    if links == when:
        stop()
    links += 1
    real_link(*names, **options)

def sync(self):
    if links == when == 5:
        stop()
    real_sync(self)

os.link, disk.Folder.sync = link, sync
try:
    journal.append([("NOTE", {"writer": "stopped", "n": n}) for n in range(5)], time.time_ns() // 1_000_000)
    print("acknowledged")
except HeadMoved:
    print("moved")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("journal", "state"):
        (tmp_path / "run" / name).mkdir(parents=True)
    return tmp_path / "run"


def is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def written(folder: Path) -> list[tuple[str, int]]:
    seen: list[tuple[str, int]] = []
    Journal(str(folder), "run-1").load(lambda event: seen.append((event.data["writer"], event.data["n"])))
    return seen


@pytest.fixture(autouse=True)
def needs_proc() -> None:
    if not os.path.exists("/proc/self/stat"):
        pytest.skip("this system has no /proc that tells who is stopped")


@pytest.mark.parametrize("when", range(6))
def test_a_writer_that_is_stopped_within_its_batch_finds_out_that_others_went_on(
    folder: Path, when: int
) -> None:
    before = Journal(str(folder), "run-1")
    before.append([("NOTE", {"writer": "other", "n": 0})], 1)
    command = [sys.executable, "-S", "-c", STOPPING, str(folder), str(when)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: is_stopped(process.pid))
        other = Journal(str(folder), "run-1")
        other.load(lambda event: None)
        other.append([("NOTE", {"writer": "other", "n": n}) for n in (1, 2)], 1)
        while_stopped = written(folder)
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=PATIENCE)
    # All of the batch was there, so it stands; of any other only a beginning, which nobody was told of.
    assert out == ("acknowledged\n" if when == 5 else "moved\n")
    begun = [("stopped", n) for n in range(when)]
    assert written(folder) == while_stopped == [("other", 0), *begun, ("other", 1), ("other", 2)]
    assert Journal(str(folder), "run-1").verify().seq == len(while_stopped)


def stop_and_go(folder: Path, stops: int) -> int:
    """Let writers end while some are stopped at any moment, and go on when others have written."""
    writers = [start(folder, writer) for writer in range(WRITERS)]
    chance = random.Random()  # noqa: S311 - which moment it is need not be secret
    done, until = 0, time.monotonic() + PATIENCE
    while any(process.poll() is None for process in writers) and done < stops:
        assert time.monotonic() < until
        victim = chance.choice(writers)
        if victim.poll() is None:
            victim.send_signal(signal.SIGSTOP)
            wait_for_others(folder, writers, victim)
            victim.send_signal(signal.SIGCONT)
            done += 1
    assert [process.wait(PATIENCE) for process in writers] == [0] * WRITERS
    return done


def wait_for_others(folder: Path, writers: list[subprocess.Popen[bytes]], victim: object) -> None:
    """Until another event is there, or nobody is left to write one."""
    count = len(os.listdir(folder / "journal"))
    wait_until(
        lambda: (
            len(os.listdir(folder / "journal")) > count
            or all(process is victim or process.poll() is not None for process in writers)
        )
    )


def test_writers_that_are_stopped_at_any_moment_lose_nothing(
    folder: Path, torture: bool, count: Count, tmp_path: Path
) -> None:
    stops = 0
    for number in range(MANY_STOPS // STOPS if torture else 1):
        run = tmp_path / f"run-{number}"
        for name in ("journal", "state"):
            (run / name).mkdir(parents=True)
        stops += stop_and_go(run, STOPS)
        acknowledged = [line.split() for line in (run / "acknowledged").read_text().splitlines()]
        there = [(int(writer), n) for writer, n in written(run)]
        assert sorted(there) == [(writer, n) for writer in range(WRITERS) for n in range(EVENTS)]
        assert {(int(writer), int(n)) for writer, n in acknowledged} <= set(there)
    count("stops in the middle of writing", stops)


# A driver that is stopped


PROCESS = """
@shell
def slow():
    return "echo >> started; until test -e go; do sleep 0.02; done"

@agent
def ask(question):
    return question

async def process(inputs, ctx):
    return await ctx.parallel.all([
        lambda: ctx.task(slow),
        lambda: ctx.task(ask.using(title="a"), question="a"),
        lambda: ctx.task(ask.using(title="b"), question="b"),
    ])
"""


def stop(command: Command) -> None:
    command.send(signal.SIGSTOP)
    wait_until(lambda: is_stopped(command.process.pid))


@pytest.fixture
def nothing_is_left(project: Path) -> Iterator[None]:
    yield
    assert end_processes() == {}


@pytest.mark.usefixtures("nothing_is_left")
def test_beside_a_stopped_driver_commands_answer_and_their_results_are_fed_when_it_goes_on() -> None:
    write("p.py", PROCESS)
    told(0, "create", "p.py", "--run-id", "r")
    driver = Command("resume", "r", "--json")
    wait_until(lambda: lines("started"))
    stop(driver)
    busy = told(75, "resume", "r")["error"]["message"]
    asked = [effects("r")[title]["effectId"] for title in ("a", "b")]
    posted = [told(0, "post", "r", effect, "--value", "1")["status"] for effect in asked]
    iterated = told(0, "iterate", "r")["status"]
    is_still_stopped = is_stopped(driver.process.pid)
    write("go", "")
    driver.send(signal.SIGCONT)
    assert driver.end().told["output"][1:] == [1, 1]
    assert f"(process {driver.process.pid})" in busy
    assert (posted, iterated, is_still_stopped) == (["recorded", "recorded"], "waiting", True)
    assert [effect["resolved"] for effect in effects("r").values()] == [1, 1, 1]
    assert lines("started") == [""]


RACE = """
@agent
def ask(question):
    return question

async def process(inputs, ctx):
    return await ctx.parallel.race([lambda: ctx.sleep(3600), lambda: ctx.task(ask, question="a")])
"""


@pytest.mark.usefixtures("nothing_is_left")
def test_a_stopped_driver_that_goes_on_when_the_run_has_ended_tells_the_same_end() -> None:
    write("p.py", RACE)
    told(0, "create", "p.py", "--run-id", "r")
    driver = Command("resume", "r", "--json")
    wait_until(lambda: Path(".a5c/runs/r/run.lock").exists() and Path(".a5c/runs/r/run.lock").read_text())
    stop(driver)
    told(0, "post", "r", effects("r")["ask"]["effectId"], "--value", '"first"')
    ended = told(0, "iterate", "r")
    before = events("r")
    driver.send(signal.SIGCONT)
    told_later = driver.end().told
    assert (ended["output"], told_later["output"], told_later["status"]) == ("first", "first", "completed")
    assert events("r") == before
