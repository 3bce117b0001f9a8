"""kill -9 a driver in the middle: its children are ended, and their effects start again, once."""

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

from babysitter.executors.pool import Pool, Work

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0

# Performs effects given as "id" and "command", and writes down the id of each that has ended.
DRIVER = """
import os, sys
from babysitter.executors.pool import Pool, Work

run, project, *pairs = sys.argv[1:]
pool = Pool(4)
works = [
    Work(id, "shell", {"shell": {"command": command}},
         run_id="run-1", folder=f"{run}/tasks/{id}", project=project, run_folder=run)
    for id, command in zip(pairs[::2], pairs[1::2])
    if not os.path.exists(f"{project}/recorded-{id}")
]
pool.offer(works)
left = {work.effect_id for work in works}
while left:
    for end in pool.wait(None):
        open(f"{project}/recorded-{end.effect_id}", "w").close()
        left.discard(end.effect_id)
pool.close(0)
"""

# Every start notes its attempt; the first one says when it has got as far as it should, and lasts.
LASTS = "echo $$ > pid; echo $BABYSITTER_ATTEMPT >> starts; [ $BABYSITTER_ATTEMPT != 1 ] || {{ {} }}"
SLEEPS = "echo > ready; exec sleep 60;"
LOOPS = "echo > ready; while :; do sleep 0.01; done;"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "project").mkdir()
    return tmp_path


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(4)
    yield made
    made.close(0)


def drive(place: Path, effects: dict[str, str]) -> subprocess.Popen[bytes]:
    pairs = [word for pair in effects.items() for word in pair]
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(place / "run"), str(place / "project"), *pairs],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def work(place: Path, command: str) -> Work:
    return Work(
        "e1",
        "shell",
        {"shell": {"command": command}},
        run_id="run-1",
        folder=str(place / "run" / "tasks" / "e1"),
        project=str(place / "project"),
        run_folder=str(place / "run"),
    )


def appears(path: Path) -> str:
    until = time.monotonic() + PATIENCE
    while not path.exists() or not path.read_text("utf-8").endswith("\n"):
        assert time.monotonic() < until, f"{path} did not appear"
        time.sleep(0.005)
    return path.read_text("utf-8").strip()


def has_ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def kill_in_the_middle(place: Path, command: str) -> int:
    """Let a driver start the effect and kill it; the number of the child that survives."""
    with drive(place, {"e1": command}) as driver:
        appears(place / "project" / "ready")
        driver.kill()
    return int(appears(place / "project" / "pid"))


def go_on(pool: Pool, place: Path, command: str) -> list[str]:
    """Perform the effect to its end; which attempts have started by then."""
    pool.offer([work(place, command)])
    until = time.monotonic() + PATIENCE
    while not pool.wait(1):
        assert time.monotonic() < until
    pool.wait(0.05)
    return (place / "project" / "starts").read_text("utf-8").split()


def test_a_survivor_is_ended_and_its_effect_starts_again_once(place: Path, pool: Pool) -> None:
    command = LASTS.format(SLEEPS)
    survivor = kill_in_the_middle(place, command)
    assert (go_on(pool, place, command), has_ended(survivor)) == (["1", "2"], True)


def test_a_survivor_has_ended_before_the_effect_starts_again(place: Path, pool: Pool) -> None:
    # Nobody reads what it says any more; sh would say that its sleep was ended, and die of SIGPIPE.
    cleans = "exec 2> /dev/null; trap 'sleep 0.2; echo 1 > clean; exit' TERM; "
    command = LASTS.format(cleans + LOOPS) + "; cat clean > seen"
    kill_in_the_middle(place, command)
    go_on(pool, place, command)
    assert (place / "project" / "seen").read_text("utf-8") == "1\n"


def test_a_survivor_that_ignores_the_asking_is_ended_by_force(
    place: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.executors.effect_lock.SURVIVOR_GRACE_SECONDS", 0.2)
    command = LASTS.format("trap '' TERM; " + LOOPS)
    survivor = kill_in_the_middle(place, command)
    assert (go_on(pool, place, command), has_ended(survivor)) == (["1", "2"], True)


def test_a_survivor_that_closed_all_that_it_inherited_is_found(place: Path, pool: Pool) -> None:
    closes = 'import os, time; os.closerange(0, 256); print("x", file=open("ready", "w")); time.sleep(60)'
    command = LASTS.format(f"exec {sys.executable} -c '{closes}';")
    survivor = kill_in_the_middle(place, command)
    assert (go_on(pool, place, command), has_ended(survivor)) == (["1", "2"], True)


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="this system has no /proc")
def test_a_survivor_that_left_its_group_is_found(place: Path, pool: Pool) -> None:
    command = LASTS.format("setsid sleep 60 & echo $! > pid; " + SLEEPS)
    kill_in_the_middle(place, command)
    daemon = int(appears(place / "project" / "pid"))
    assert (go_on(pool, place, command), has_ended(daemon)) == (["1", "2"], True)


def test_a_survivor_that_nothing_tells_of_is_waited_for(place: Path, pool: Pool) -> None:
    hides = "env -i setsid sh -c 'echo > ready; sleep 0.5; echo 1 > ended' > /dev/null 2>&1 & "
    command = LASTS.format(hides + "exec sleep 60;") + "; cat ended > seen"
    kill_in_the_middle(place, command)
    go_on(pool, place, command)
    assert (place / "project" / "seen").read_text("utf-8") == "1\n"


def test_a_survivor_that_ends_by_itself_leaves_the_effect_to_the_next(place: Path, pool: Pool) -> None:
    command = LASTS.format("echo > ready; sleep 0.1;")
    kill_in_the_middle(place, command)
    assert go_on(pool, place, command) == ["1", "2"]


def test_whenever_drivers_are_killed_no_effect_runs_twice_at_once_and_all_are_performed(place: Path) -> None:
    # Who finds the folder there runs beside another start of the same effect.
    effect = (
        "for try in 1 2 3 4 5; do mkdir busy-{0} && break; [ -e /proc/$(cat pid-{0}) ] && "
        "grep -qv ' Z ' /proc/$(cat pid-{0})/stat && echo {0} >> overlaps; rmdir busy-{0}; done; "
        "echo $$ > pid-{0}; sleep 0.05; rmdir busy-{0}; echo >> done-{0}"
    )
    effects = {f"e{n}": effect.format(n) for n in range(8)}
    seed = time.time_ns()
    chance = random.Random(seed)  # noqa: S311 - which moment it is need not be secret
    for _ in range(12):
        with drive(place, effects) as driver:
            time.sleep(chance.uniform(0.1, 0.4))
            driver.send_signal(signal.SIGKILL)
    with drive(place, effects) as driver:
        code = driver.wait(PATIENCE)
    names = os.listdir(place / "project")
    recorded = sorted(name for name in names if name.startswith("recorded-"))
    done = [name for name in names if name.startswith("done-")]
    assert (code, recorded, len(done), "overlaps" in names) == (
        0,
        [f"recorded-e{n}" for n in range(8)],
        8,
        False,
    ), f"seed {seed}"
