"""Children that misbehave: none holds up a result, outlives its effect, or leaves something open."""

from __future__ import annotations

import os
import signal
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from workshop import appears, is_alive, vanishes

from babysitter.errors import StorageError

if TYPE_CHECKING:
    from workshop import Workshop

IGNORES_TERM = "trap '' TERM; echo ready > ready; while :; do sleep 0.01; done"


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("child", "pool"):
        monkeypatch.setattr(f"babysitter.executors.{module}.GRACE_SECONDS", 0.1)


def test_a_child_that_closes_its_output_early_is_waited_for(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("exec >&- 2>&-; sleep 0.1; exit 5", check=False))
    assert end.value["exitCode"] == 5


def test_output_that_a_child_writes_just_before_it_exits_is_complete(workshop: Workshop) -> None:
    ends = workshop.finish(*(workshop.shell("head -c 60000 /dev/zero", f"e{n}") for n in range(30)))
    assert {end.value["stdoutBytes"] for end in ends} == {60000}


def test_a_daemon_that_keeps_the_pipe_open_does_not_hold_up_the_result(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("setsid sleep 60 & echo $!"))
    daemon = int(end.value["stdout"])
    was_alive = is_alive(daemon)
    os.kill(daemon, signal.SIGKILL)
    assert (end.status, was_alive) == ("ok", True)


def test_what_a_command_leaves_behind_in_its_group_is_ended(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("sleep 60 & echo $!"))
    assert vanishes(int(end.value["stdout"]))


def test_what_stays_behind_is_ended_also_when_it_let_go_of_the_output(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("sleep 60 > /dev/null 2>&1 & echo $!"))
    assert vanishes(int(end.value["stdout"]))


def test_what_stays_behind_and_ignores_the_asking_is_ended_by_force(workshop: Workshop) -> None:
    end = workshop.perform(
        workshop.shell(f'sh -c "{IGNORES_TERM}" & echo $!; while ! [ -e ready ]; do :; done')
    )
    assert vanishes(int(end.value["stdout"]))


def test_a_process_that_still_writes_after_its_parent_may_finish(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("(sleep 0.05; echo late) & echo early"))
    assert end.value["stdout"] == "early\nlate\n"


def test_a_child_that_outlasts_its_time_is_ended(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("echo begun; sleep 60", timeout=0.1))
    assert end.error is not None
    assert (end.status, end.error["name"], end.error["message"], end.error["data"]["stdout"]) == (
        "error",
        "TaskTimeout",
        "'echo begun; sleep 60' did not end within 0.1 s and was ended",
        "begun\n",
    )


@pytest.mark.usefixtures("short_grace")
def test_a_child_that_outlasts_its_time_and_ignores_the_asking_is_ended_by_force(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell(IGNORES_TERM, timeout=0.1))
    assert end.error is not None
    assert (end.error["name"], end.error["data"]["signal"]) == ("TaskTimeout", signal.SIGKILL)


def test_a_child_that_outlasts_its_time_can_clean_up(workshop: Workshop) -> None:
    program = "trap 'sleep 0.3; echo clean; exit' TERM; while :; do sleep 0.01; done"
    end = workshop.perform(workshop.shell(["sh", "-c", f'sh -c "{program}"; :'], timeout=0.1))
    assert end.error is not None
    assert end.error["data"]["stdout"] == "clean\n"


def test_a_flood_of_output_costs_no_memory(workshop: Workshop) -> None:
    pool = workshop.pool()
    tracemalloc.start()
    end = workshop.perform(workshop.shell(["head", "-c", "50000000", "/dev/zero"]), pool)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = (workshop.folder("e1") / "stdout.log").stat().st_size
    assert (end.value["stdoutBytes"], size, peak < 2_000_000) == (50_000_000, 50_000_000, True)


def test_a_flood_from_a_daemon_does_not_hold_up_the_result(workshop: Workshop) -> None:
    end = workshop.perform(workshop.shell("setsid yes & echo $! > pid"))
    assert (end.status, vanishes(int((workshop.project / "pid").read_text("utf-8")))) == ("ok", True)


def test_fifty_children_leave_no_descriptor_and_no_zombie(workshop: Workshop) -> None:
    pool = workshop.pool(jobs=10)
    before = sorted(os.listdir("/dev/fd"))
    works = [workshop.shell(f"echo {n}; exit $(( {n} % 3 ))", f"e{n}", input="x") for n in range(40)]
    works += [workshop.shell(["no-such-program"], f"f{n}", input="x") for n in range(10)]
    workshop.finish(*works, pool=pool)
    pool.wait(0)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert sorted(os.listdir("/dev/fd")) == before


def test_an_exit_code_that_somebody_else_took_is_no_success(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["true"])])
    os.waitpid(pool.running["e1"].child.pid, 0)
    (end,) = pool.wait(60)
    assert end.error is not None
    assert (end.status, end.error["exitCode"]) == ("error", 255)


def test_output_that_cannot_be_written_stops_the_pool(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    pool = workshop.pool()
    monkeypatch.setattr("babysitter.executors.output.write_fully", full)
    pool.offer([workshop.shell("echo $$ > pid; yes")])
    appears(workshop.project / "pid")
    with pytest.raises(StorageError, match=r"stdout\.log' cannot be written: No space left"):
        pool.wait(None)
    pool.close(0)
    assert vanishes(int((workshop.project / "pid").read_text("utf-8")))
