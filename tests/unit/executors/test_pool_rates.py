"""The pool under rate limits: what waits, what passes it, and when it is started."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

import pytest
from workshop import collect

from babysitter.clock import now_ms
from babysitter.errors import StorageError
from babysitter.executors.rates import Rates
from babysitter.rate import KIND, TASK, Rate

if TYPE_CHECKING:
    from pathlib import Path

    from workshop import Workshop

# No test waits so long.
HOUR = Rates([Rate("", KIND, "shell", "1/hour")])


def test_what_a_limit_holds_up_stays_and_says_for_what_it_waits(workshop: Workshop) -> None:
    pool = workshop.pool(rates=HOUR)
    pool.offer(workshop.shell(["true"], name) for name in ("e1", "e2"))
    collect(pool, 1)
    wait = pool.held["e2"]
    assert (list(pool.waiting), wait.rate.text, 0 < wait.at_ms - now_ms() <= 3_600_000) == (
        ["e2"],
        "1/hour",
        True,
    )


def test_what_waits_for_a_limit_keeps_no_place_from_others(workshop: Workshop) -> None:
    HOUR.take("shell", "", now_ms())
    pool = workshop.pool(jobs=1, rates=HOUR)
    python = workshop.work("python", {"module": "os", "function": "getpid", "args": {}}, "e2")
    pool.offer([workshop.shell(["true"], "e1"), python])
    assert (list(collect(pool, 1)), list(pool.waiting)) == (["e2"], ["e1"])


def test_a_wait_ends_in_time_for_the_next_start(workshop: Workshop) -> None:
    pool = workshop.pool(rates=Rates([Rate("", KIND, "shell", "1/second")]))
    pool.offer(workshop.shell(["true"], name) for name in ("e1", "e2"))
    ends = collect(pool, 2)
    assert ends["e2"].started_ms - ends["e1"].started_ms >= 1000 - 50  # started is noted a moment later
    assert pool.held == {}


def test_a_wait_for_no_result_ends_when_its_time_is_over(workshop: Workshop) -> None:
    HOUR.take("shell", "", now_ms())
    pool = workshop.pool(rates=HOUR)
    pool.offer([workshop.shell(["true"])])
    assert pool.wait(0.01) == []


def test_one_wait_comes_back_with_what_was_started_in_it_when_its_time_had_come(workshop: Workshop) -> None:
    rates = Rates([Rate("", KIND, "shell", "1/second")])
    rates.take("shell", "", now_ms())
    pool = workshop.pool(rates=rates)
    pool.offer([workshop.shell(["true"])])
    assert [end.effect_id for end in pool.wait(20)] == ["e1"]


def test_two_pools_share_a_limit(workshop: Workshop) -> None:
    HOUR.take("shell", "", now_ms())
    pool = workshop.pool(rates=Rates([Rate("", KIND, "shell", "1/hour")]))
    pool.offer([workshop.shell(["true"])])
    assert list(pool.held) == ["e1"]


def test_an_effect_that_nobody_needs_any_more_is_not_held(workshop: Workshop) -> None:
    HOUR.take("shell", "", now_ms())
    pool = workshop.pool(rates=HOUR)
    pool.offer([workshop.shell(["true"])])
    pool.withdraw("e1")
    assert pool.held == {}


def test_a_limit_of_a_task_holds_that_task_only(workshop: Workshop) -> None:
    pool = workshop.pool(rates=Rates([Rate("", TASK, "build", "1/hour")]))
    works = [workshop.shell(["true"], f"e{number}") for number in range(4)]
    for work, task in zip(works, ("build", "build", "test", "test"), strict=True):
        work.task_id = task
    pool.offer(works)
    assert (sorted(collect(pool, 3)), list(pool.held)) == (["e0", "e2", "e3"], ["e1"])


def test_while_others_count_nothing_is_started_and_nothing_is_held(workshop: Workshop, home: Path) -> None:
    HOUR.take("shell", "", now_ms() - 2 * 3_600_000)
    pool = workshop.pool(rates=HOUR)
    with (home / "rates" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pool.offer([workshop.shell(["true"])])
        seen = list(pool.waiting), pool.running, pool.held
    assert seen == (["e1"], {}, {})
    collect(pool, 1)


def test_others_may_be_first_between_the_look_and_the_start(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = Rates([Rate("", KIND, "shell", "1/hour")])
    take = rates.take

    def too_late(kind: str, task_id: str, now: int) -> int:
        take(kind, task_id, now)
        return take(kind, task_id, now)

    monkeypatch.setattr(rates, "take", too_late)
    pool = workshop.pool(jobs=1, rates=rates)
    python = workshop.work("python", {"module": "os", "function": "getpid", "args": {}}, "e2")
    pool.offer([workshop.shell(["true"]), python])
    assert (list(pool.held), list(collect(pool, 1))) == (["e1"], ["e2"])
    assert workshop.folder("e1").joinpath("child.json").read_bytes() == b""


def test_a_start_that_the_machine_refused_is_not_taken_twice(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = Rates([Rate("", KIND, "shell", "2/hour")])
    pool = workshop.pool(rates=rates)
    pool.offer([workshop.shell(["sleep", "60"], "e0")])
    refusals = iter([OSError(11, "no more processes")])

    def start(*_: object, **__: object) -> None:
        for refusal in refusals:
            raise StorageError("no more processes") from refusal
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr("babysitter.executors.pool.Running", start)
        pool.offer([workshop.shell(["true"], "e1")])
    assert list(collect(pool, 1)) == ["e1"]


def test_where_starts_cannot_be_counted_nothing_is_started(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def refuse_rates(name: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if name == "rates":
            raise OSError(errno.EROFS, "Read-only file system")
        mkdir(name, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", refuse_rates)
    pool = workshop.pool(rates=HOUR)
    with pytest.raises(StorageError, match="starts of shell are limited, and cannot be counted"):
        pool.offer([workshop.shell(["true"])])
    assert pool.running == {}


def test_a_clock_that_goes_back_while_the_pool_waits_holds_nothing_up_for_longer(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = Rates([Rate("", KIND, "shell", "1/second")])
    rates.take("shell", "", now_ms())
    pool = workshop.pool(rates=rates)
    pool.offer([workshop.shell(["true"])])
    before = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: before() - 10**9 * 86_400)
    assert list(collect(pool, 1)) == ["e1"]
