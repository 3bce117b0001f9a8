"""Other processes: told apart by number and start time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from babysitter.executors import processes


@pytest.fixture(params=["proc", "ps"])
def _source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "ps":
        monkeypatch.setattr(processes, "_HAS_PROC", False)
    elif not processes._HAS_PROC:
        pytest.skip("this system has no /proc")


@pytest.mark.usefixtures("_source")
def test_a_process_is_the_same_while_it_lives() -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        started = processes.start_time(program.pid)
        before = processes.is_same_process(program.pid, started)
        program.kill()
        program.wait()
        after = processes.is_same_process(program.pid, started)
    assert (before, after) == (True, False)


@pytest.mark.usefixtures("_source")
def test_a_process_that_waits_to_be_reaped_is_not_alive() -> None:
    with subprocess.Popen(["true"], start_new_session=True) as program:
        os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
        assert processes.start_time(program.pid) is None


@pytest.mark.usefixtures("_source")
def test_another_start_time_is_another_process() -> None:
    assert not processes.is_same_process(os.getpid(), "0")


@pytest.mark.skipif(not processes._HAS_PROC, reason="this system has no /proc")
def test_a_program_with_any_name_is_understood() -> None:
    odd = ") R 1 (x"
    script = f"open('/proc/self/comm', 'w').write({odd!r}); print(flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as program:
        assert program.stdout is not None
        program.stdout.readline()
        started = processes.start_time(program.pid)
        program.kill()
    assert (started or "").isdigit()


@pytest.mark.skipif(not processes._HAS_PROC, reason="this system has no /proc")
def test_processes_of_an_effect_are_known_by_their_environment() -> None:
    mark = {**os.environ, "BABYSITTER_EFFECT_LOCK": "lock-of-this-test"}
    longer = {**os.environ, "BABYSITTER_EFFECT_LOCK": "lock-of-this-test-2"}
    with (
        subprocess.Popen(["sleep", "60"], env=mark) as one,
        subprocess.Popen(["sleep", "60"], env=longer) as two,
    ):
        found = processes.marked_processes("lock-of-this-test")
        one.kill()
        two.kill()
    assert found == [one.pid]


@pytest.mark.skipif(not processes._HAS_PROC, reason="this system has no /proc")
def test_a_group_of_zombies_is_not_alive() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as program:
        before = processes.group_lives(program.pid)
        program.kill()
        os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
        after = processes.group_lives(program.pid)
    assert (before, after) == (True, False)
