"""The right to perform an effect: one holder, and no survivors of the start before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from workshop import appears, collect, is_alive, vanishes

from babysitter.errors import UnsafePath
from babysitter.executors.effect_lock import EffectLock
from babysitter.executors.processes import start_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workshop import Workshop

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from babysitter.executors.effect_lock import EffectLock
lock = EffectLock(sys.argv[1])
assert lock.take(0)
{}
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(workshop: Workshop) -> Iterator[subprocess.Popen[str]]:
    """Another program that lives and has the effect."""
    with another(workshop, "lock.note_start()") as program:
        yield program
        program.kill()


def another(workshop: Workshop, does: str) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(does), str(workshop.folder("e1"))],
        cwd=workshop.project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    program.stdout.readline()
    return program


@contextmanager
def survivor(workshop: Workshop, command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of an earlier start, of which only its environment tells."""
    mark = write_record(workshop, pid=None, starts=1)
    environment = {**os.environ, "BABYSITTER_EFFECT_LOCK": mark}
    program = subprocess.Popen(
        ["sh", "-c", command], cwd=workshop.project, env=environment, start_new_session=True
    )
    appears(workshop.project / "ready")
    yield program
    program.kill()
    program.wait()


def record_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "child.json").read_text("utf-8"))
    return found


def write_file(workshop: Workshop, content: str) -> Path:
    workshop.folder("e1").mkdir(parents=True, exist_ok=True)
    path = workshop.folder("e1") / "child.json"
    path.write_text(content)
    return path


def write_record(workshop: Workshop, **fields: object) -> str:
    """What an earlier start has left; gives the mark of the lock."""
    found = write_file(workshop, "").stat()
    mark = f"{found.st_dev}:{found.st_ino}"
    write_file(workshop, json.dumps({"lock": mark, **fields}))
    return mark


def test_a_start_is_written_down(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["sleep", "60"])])
    pid = pool.running["e1"].child.pid
    record = record_of(workshop.folder("e1"))
    driver = record["driver"]
    assert isinstance(driver, dict)
    assert (record["pid"], record["pgid"], record["starts"], driver["pid"]) == (pid, pid, 1, os.getpid())


def test_an_effect_of_a_living_driver_is_left_alone(
    workshop: Workshop, holder: subprocess.Popen[str]
) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell("touch started"), workshop.shell(["true"], "e2")])
    ended = collect(pool, 1)
    pool.wait(0.2)
    assert (list(ended), list(pool.waiting), (workshop.project / "started").exists()) == (
        ["e2"],
        ["e1"],
        False,
    )


def test_an_effect_that_another_driver_gave_up_is_started_after_a_look_at_the_journal(
    workshop: Workshop, holder: subprocess.Popen[str]
) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell("echo $BABYSITTER_ATTEMPT")])
    pool.wait(0)
    holder.communicate()
    ends = pool.wait(None)
    had_a_look = (ends, list(pool.running))
    assert (had_a_look, collect(pool, 1)["e1"].value["stdout"]) == (([], []), "2\n")


def test_an_effect_that_another_driver_recorded_can_be_withdrawn_in_time(
    workshop: Workshop, holder: subprocess.Popen[str]
) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell("touch started")])
    holder.communicate()
    pool.wait(None)
    pool.withdraw("e1")
    assert (pool.wait(0.1), (workshop.project / "started").exists()) == ([], False)


def test_an_effect_is_held_until_its_result_is_recorded(workshop: Workshop) -> None:
    pool = workshop.pool()
    workshop.perform(workshop.shell(["true"]), pool)
    other = EffectLock(str(workshop.folder("e1")))
    before = other.take(0)
    pool.wait(0)
    after = other.take(0)
    other.release()
    assert (before, after) == (False, True)


def test_a_daemon_that_was_let_go_does_not_hold_the_effect(workshop: Workshop) -> None:
    pool = workshop.pool()
    end = workshop.perform(workshop.shell("setsid sleep 60 > /dev/null 2>&1 & echo $!"), pool)
    pool.wait(0)
    other = EffectLock(str(workshop.folder("e1")))
    is_taken = other.take(0)
    other.release()
    os.kill(int(end.value["stdout"]), 9)
    assert is_taken


def test_effects_of_other_drivers_take_no_place(workshop: Workshop, holder: subprocess.Popen[str]) -> None:
    pool = workshop.pool(jobs=1)
    pool.offer([workshop.shell(["true"]), workshop.shell(["true"], "e2"), workshop.shell(["true"], "e3")])
    assert sorted(collect(pool, 2)) == ["e2", "e3"]


def test_a_second_start_counts_on(workshop: Workshop) -> None:
    write_record(workshop, starts=7)
    assert workshop.perform(workshop.shell("echo $BABYSITTER_ATTEMPT")).value["stdout"] == "8\n"


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"starts":-1}', '{"starts":true}', '{"starts":"9"}', "\0" * 9999]
)
def test_garbage_in_the_record_of_a_start_is_no_hindrance(workshop: Workshop, content: str) -> None:
    write_file(workshop, content)
    assert workshop.perform(workshop.shell("echo $BABYSITTER_ATTEMPT")).value["stdout"] == "1\n"


@pytest.mark.parametrize("started", [None, "1", 1, []])
def test_a_process_that_only_has_the_number_of_a_survivor_is_left_alone(
    workshop: Workshop, started: object
) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        write_record(workshop, pid=stranger.pid, startTime=started, starts=1)
        workshop.perform(workshop.shell(["true"]))
        lives = stranger.poll() is None
        stranger.kill()
    assert lives


@pytest.mark.parametrize("pid", [0, 1, -1, True, 1e9, "x", 2**70])
def test_a_number_that_is_no_survivors_is_not_signalled(workshop: Workshop, pid: object) -> None:
    write_record(workshop, pid=pid, startTime="0", starts=1)
    assert workshop.perform(workshop.shell(["true"])).status == "ok"


def test_a_survivor_that_let_go_of_the_lock_is_ended_before_the_next_start(workshop: Workshop) -> None:
    command = "trap 'echo ended > ended; exit' TERM; echo > ready; while :; do sleep 0.01; done"
    with survivor(workshop, command):
        end = workshop.perform(workshop.shell(["cat", "ended"]))
    assert end.value["stdout"] == "ended\n"


def test_a_survivor_without_its_environment_is_known_by_number_and_start_time(workshop: Workshop) -> None:
    with subprocess.Popen(["sleep", "60"], env={}, start_new_session=True) as program:
        write_record(workshop, pid=program.pid, startTime=start_time(program.pid), starts=1)
        workshop.perform(workshop.shell(["true"]))
        gone = vanishes(program.pid)
    assert gone


def test_children_of_a_run_are_not_survivors_of_its_copy(workshop: Workshop, tmp_path: Path) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["sleep", "60"])])
    shutil.copytree(workshop.run, tmp_path / "copy")
    lock = EffectLock(str(tmp_path / "copy" / "tasks" / "e1"))
    is_ours = lock.take(0) and lock.is_clear(0)
    lock.release()
    assert (is_ours, lock.starts, is_alive(pool.running["e1"].child.pid)) == (True, 1, True)


def test_a_driver_that_dies_before_it_writes_anything_leaves_the_effect_to_others(workshop: Workshop) -> None:
    with another(workshop, "") as program:
        program.kill()
    assert workshop.perform(workshop.shell("echo $BABYSITTER_ATTEMPT")).value["stdout"] == "1\n"


def test_a_survivor_whose_record_is_gone_is_found_by_its_environment(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.executors.effect_lock.RECORD_GRACE_SECONDS", 0.1)
    script = 'import os, sys; pid = os.fork(); os.environ["BABYSITTER_EFFECT_LOCK"] = lock.mark\n'
    script += 'pid or os.execlp("sh", "sh", "-c", "echo $$ > pid; sleep 60"); print(flush=True)'
    with another(
        workshop, f"os = __import__('os'); os.set_inheritable(lock.fd, True); exec({script!r})"
    ) as program:
        pid = int(appears(workshop.project / "pid"))
        program.kill()
    end = workshop.perform(workshop.shell(["true"]))
    assert (end.status, is_alive(pid)) == ("ok", False)


@pytest.mark.parametrize("make", ["link", "fifo", "folder"])
def test_something_else_in_the_place_of_the_lock_is_refused(
    workshop: Workshop, tmp_path: Path, make: str
) -> None:
    folder = workshop.folder("e1")
    folder.mkdir(parents=True)
    place = folder / "child.json"
    if make == "link":
        place.symlink_to(tmp_path / "elsewhere")
    elif make == "fifo":
        os.mkfifo(place)
    else:
        place.mkdir()
    with pytest.raises(UnsafePath, match=r"child\.json' is not what it should be"):
        workshop.perform(workshop.shell(["true"]))


@pytest.mark.parametrize("depth", ["tasks", "tasks/e1"])
def test_a_link_in_the_place_of_a_folder_is_refused(workshop: Workshop, tmp_path: Path, depth: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = workshop.run / depth
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(elsewhere)
    with pytest.raises(UnsafePath):
        workshop.perform(workshop.shell(["true"]))
    assert os.listdir(elsewhere) == []


def test_a_link_in_the_place_of_a_log_is_replaced_and_not_followed(
    workshop: Workshop, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    workshop.folder("e1").mkdir(parents=True)
    (workshop.folder("e1") / "stdout.log").symlink_to(elsewhere)
    workshop.perform(workshop.shell("echo out"))
    log = (workshop.folder("e1") / "stdout.log").read_text("utf-8")
    assert (elsewhere.read_text("utf-8"), log) == ("precious", "out\n")


def test_a_survivor_that_ignores_the_asking_is_ended_by_force(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.executors.effect_lock.SURVIVOR_GRACE_SECONDS", 0.1)
    with survivor(workshop, "trap '' TERM; echo > ready; while :; do sleep 0.01; done") as program:
        workshop.perform(workshop.shell(["true"]))
        gone = vanishes(program.pid)
    assert gone
