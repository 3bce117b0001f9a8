"""The pool: how many at once, in which order, and what ends a wait."""

from __future__ import annotations

import os
import resource
import selectors
import signal
from typing import TYPE_CHECKING

import pytest
from workshop import appears, collect, vanishes

from babysitter.errors import StorageError
from babysitter.executors.pool import Pool
from babysitter.executors.wakeup import Wakeup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from workshop import Workshop

IGNORES_TERM = "trap '' TERM; echo $$ > pid; while :; do sleep 0.01; done"


@pytest.fixture
def caught() -> Iterator[list[int]]:
    """Signals of SIGUSR1 that a handler of the test has seen."""
    numbers: list[int] = []

    def catch(number: int, frame: FrameType | None) -> None:
        numbers.append(number)

    before = signal.signal(signal.SIGUSR1, catch)
    yield numbers
    signal.signal(signal.SIGUSR1, before)


def test_so_many_run_at_once_and_the_rest_in_its_order(workshop: Workshop) -> None:
    pool = workshop.pool(jobs=2)
    wait_for_go = "while ! [ -e go ]; do sleep 0.01; done"
    pool.offer(workshop.shell(wait_for_go, f"e{n}") for n in range(5))
    assert (list(pool.running), list(pool.waiting)) == (["e0", "e1"], ["e2", "e3", "e4"])
    (workshop.project / "go").touch()
    collect(pool, 5)


def test_a_free_place_is_filled_before_the_result_is_reported(workshop: Workshop) -> None:
    pool = workshop.pool(jobs=1)
    pool.offer([workshop.shell(["true"], "e1"), workshop.shell(["sleep", "60"], "e2")])
    (end,) = pool.wait(60)
    assert (end.effect_id, list(pool.running)) == ("e1", ["e2"])


def test_a_result_comes_while_others_still_run(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["sleep", "60"], "e1"), workshop.shell(["true"], "e2")])
    assert [end.effect_id for end in pool.wait(60)] == ["e2"]


def test_an_effect_that_is_offered_twice_is_performed_once(workshop: Workshop) -> None:
    pool = workshop.pool()
    work = workshop.shell("echo x >> starts; sleep 0.05")
    pool.offer([work])
    pool.offer([work])
    collect(pool, 1)
    assert (pool.wait(0), (workshop.project / "starts").read_text("utf-8")) == ([], "x\n")


def test_a_thousand_effects_are_all_performed(workshop: Workshop) -> None:
    ends = workshop.finish(
        *(workshop.shell(["no-such-program"], f"e{n}") for n in range(900)),
        *(workshop.shell(["true"], f"f{n}") for n in range(100)),
    )
    assert len({end.effect_id for end in ends}) == 1000


def test_a_kind_that_is_not_performed_here_is_refused(workshop: Workshop) -> None:
    with pytest.raises(
        ValueError, match="shell, python, agent, orchestrator_task, hook effects, and 'skill' is none of them"
    ):
        workshop.pool().offer([workshop.work("skill", {})])


def test_a_pool_without_jobs_is_refused() -> None:
    with pytest.raises(ValueError, match="a pool of 0 jobs performs nothing"):
        Pool(0)


def test_the_last_line_of_output_can_be_seen_while_it_runs(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell("echo first; printf '10%%\\r20%%\\r' >&2; echo > said; sleep 60")])
    appears(workshop.project / "said", pool)
    pool.wait(0)
    assert pool.running["e1"].last_line == "20%"


def test_a_running_effect_that_is_withdrawn_is_ended_and_not_reported(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell("echo $$ > pid; sleep 60")])
    pid = int(appears(workshop.project / "pid", pool))
    pool.withdraw("e1")
    assert (pool.wait(0.2), list(pool.running), vanishes(pid)) == ([], [], True)


def test_a_waiting_effect_that_is_withdrawn_never_starts(workshop: Workshop) -> None:
    pool = workshop.pool(jobs=1)
    pool.offer([workshop.shell("sleep 0.05", "e1"), workshop.shell("touch started", "e2")])
    pool.withdraw("e2")
    ended = collect(pool, 1)
    assert (list(ended), pool.wait(0.05), (workshop.project / "started").exists()) == (["e1"], [], False)


def test_a_finished_effect_that_is_withdrawn_is_not_reported(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["no-such-program"])])
    pool.withdraw("e1")
    assert pool.wait(0) == []


def test_withdrawing_what_is_not_there_does_nothing(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.withdraw("e1")
    assert pool.wait(0) == []


def test_a_withdrawn_child_makes_room_at_once(workshop: Workshop) -> None:
    pool = workshop.pool(jobs=1)
    pool.offer([workshop.shell(IGNORES_TERM, "e1"), workshop.shell(["true"], "e2")])
    appears(workshop.project / "pid", pool)
    pool.withdraw("e1")
    assert list(collect(pool, 1)) == ["e2"]


def test_a_withdrawn_child_that_ignores_the_asking_is_ended_by_force(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.executors.pool.GRACE_SECONDS", 0.05)
    pool = workshop.pool()
    pool.offer([workshop.shell(IGNORES_TERM)])
    pid = int(appears(workshop.project / "pid", pool))
    pool.withdraw("e1")
    pool.wait(0.2)
    assert vanishes(pid)


def test_a_wait_ends_at_its_time(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["sleep", "60"])])
    assert (pool.wait(0), pool.wait(0.01)) == ([], [])


def test_a_wait_without_time_still_finds_what_has_happened(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell("exit 0")])
    os.waitid(os.P_PID, pool.running["e1"].child.pid, os.WEXITED | os.WNOWAIT)
    assert [end.effect_id for _ in range(3) for end in pool.wait(0)] == ["e1"]


def test_a_wait_ends_when_another_descriptor_is_readable(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["sleep", "60"])])
    reading, writing = os.pipe()
    pool.selector.register(reading, selectors.EVENT_READ, "stdin")
    os.write(writing, b"x")
    ends = pool.wait(None)
    readable = pool.readable
    os.read(reading, 1)
    pool.wait(0)
    os.close(writing)
    pool.close(0)
    os.close(reading)
    assert (ends, readable, pool.readable) == ([], ["stdin"], [])


def test_a_wait_ends_when_a_signal_comes(workshop: Workshop, caught: list[int]) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(f"kill -USR1 {os.getpid()}; sleep 60")])
    ends = pool.wait(None)
    assert (ends, caught) == ([], [signal.SIGUSR1])


def test_closing_ends_all_children(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer(workshop.shell(f"echo $$ > pid{n}; sleep 60", f"e{n}") for n in range(3))
    pids = [int(appears(workshop.project / f"pid{n}", pool)) for n in range(3)]
    pool.close(60)
    assert all(vanishes(pid) for pid in pids)


def test_closing_ends_by_force_what_ignores_the_asking(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(IGNORES_TERM)])
    pid = int(appears(workshop.project / "pid", pool))
    pool.close(0.05)
    assert vanishes(pid)


def test_a_signal_hurries_the_closing(workshop: Workshop, caught: list[int]) -> None:
    pool = workshop.pool()
    waits = f"trap 'kill -USR1 {os.getpid()}' TERM; echo $$ > pid; while :; do sleep 0.01; done"
    pool.offer([workshop.shell(waits)])
    pid = int(appears(workshop.project / "pid", pool))
    pool.close(3600)
    assert (vanishes(pid), caught[:1]) == (True, [signal.SIGUSR1])


def test_closing_twice_is_closing(workshop: Workshop) -> None:
    pool = workshop.pool()
    pool.offer([workshop.shell(["no-such-program"])])
    pool.close(0)
    pool.close(0)
    assert list(pool.running) == []


def test_a_closed_pool_puts_back_what_it_found() -> None:
    before = signal.getsignal(signal.SIGCHLD)
    pool = Pool(1)
    during = signal.getsignal(signal.SIGCHLD)
    pool.close(0)
    fd = signal.set_wakeup_fd(-1)
    assert (signal.getsignal(signal.SIGCHLD), during != before, fd) == (before, True, -1)


def test_exit_codes_arrive_also_where_the_parent_ignored_them(workshop: Workshop) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        end = workshop.perform(workshop.shell("exit 7", check=False))
        workshop.close()
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert end.value["exitCode"] == 7


def test_a_wakeup_tells_which_signals_came(caught: list[int]) -> None:
    wakeup = Wakeup()
    os.kill(os.getpid(), signal.SIGUSR1)
    came = wakeup.drain()
    wakeup.close()
    assert (came, caught) == ({signal.SIGUSR1}, [signal.SIGUSR1])


def limit_descriptors(free: int) -> None:
    """Leave so many descriptors to be opened."""
    taken = set(map(int, os.listdir("/dev/fd")))
    most = 0
    while free:
        free -= most not in taken
        most += 1
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@pytest.fixture
def limits() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("limits")
def test_effects_wait_when_there_are_no_more_descriptors(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.executors.pool.SPARE_DESCRIPTORS", 0)
    pool = workshop.pool(jobs=50)
    limit_descriptors(free=30)
    pool.offer(workshop.shell("echo $BABYSITTER_ATTEMPT", f"e{n}", input="x") for n in range(50))
    ran_at_once = len(pool.running)
    said = {end.value["stdout"] for end in collect(pool, 50).values()}
    assert (1 < ran_at_once < 10, said) == (True, {"1\n"})


@pytest.mark.usefixtures("limits")
def test_some_descriptors_are_left_to_others(workshop: Workshop) -> None:
    pool = workshop.pool(jobs=100)
    limit_descriptors(free=228)
    pool.offer(workshop.shell("echo; sleep 60", f"e{n}") for n in range(100))
    pool.wait(0.05)
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(100)]
    for file in files:
        os.close(file)
    assert 1 < len(pool.running) < 30


@pytest.mark.usefixtures("limits")
def test_an_effect_that_cannot_even_start_alone_stops_the_pool(workshop: Workshop) -> None:
    pool = workshop.pool()
    limit_descriptors(free=4)
    with pytest.raises(StorageError, match="Too many open files"):
        pool.offer([workshop.shell(["true"])])


def test_a_wait_for_nothing_ends_when_its_time_is_over(workshop: Workshop) -> None:
    assert workshop.pool().wait(0) == []
