"""Rate limits: what is let through when, and what is kept of it."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.errors import StorageError, UnsafePath
from babysitter.executors.rates import Rates
from babysitter.executors.starts import LINE_BYTES, SKEW_MS, next_start
from babysitter.rate import KIND, TASK, Rate

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_764_060_000_000
MINUTE = 60_000


def limited(text: str, *, scope: str = "", what: str = KIND, name: str = "agent") -> Rate:
    return Rate(scope, what, name, text)


def taken(rates: Rates, *times: int, kind: str = "agent", task: str = "t") -> list[int]:
    return [rates.take(kind, task, time) for time in times]


def starts_file(home: Path) -> Path:
    (found,) = (home / "rates").glob("kind-*")
    return found


def test_so_many_starts_go_through_and_the_next_when_the_first_is_a_window_ago() -> None:
    rates = Rates([limited("2/minute")])
    assert taken(rates, NOW, NOW + 10, NOW + 20, NOW + MINUTE - 1, NOW + MINUTE, NOW + MINUTE) == [
        0,
        0,
        NOW + MINUTE,
        NOW + MINUTE,
        0,
        NOW + 10 + MINUTE,
    ]


def test_what_is_not_limited_goes_through_and_leaves_no_trace(home: Path) -> None:
    rates = Rates([limited("1/minute")])
    assert (taken(rates, *[NOW] * 3, kind="shell"), list(home.iterdir())) == ([0, 0, 0], [])


def test_what_one_process_started_counts_for_the_next() -> None:
    taken(Rates([limited("1/minute")]), NOW)
    assert taken(Rates([limited("1/minute")]), NOW + 1) == [NOW + MINUTE]


def test_to_peek_takes_nothing() -> None:
    rates = Rates([limited("1/minute")])
    peeked = [rates.peek("agent", "t", NOW) for _ in range(3)]
    assert (peeked, taken(rates, NOW), rates.peek("agent", "t", NOW + 1)) == ([0, 0, 0], [0], NOW + MINUTE)


def test_all_limits_of_an_effect_hold_and_what_one_refuses_the_others_do_not_count() -> None:
    of_kind, of_task = limited("2/minute"), limited("1/hour", what=TASK, name="review")
    rates = Rates([of_kind, of_task])
    reviews = taken(rates, NOW, NOW + 1, NOW + 2, task="review")
    assert (reviews, taken(rates, NOW + 3, NOW + 4)) == (
        [0, NOW + 60 * MINUTE, NOW + 60 * MINUTE],
        [0, NOW + MINUTE],
    )


def test_the_limit_that_holds_an_effect_up_the_longest_is_the_one_that_is_told() -> None:
    rates = Rates([limited("1/minute"), limited("1/hour", what=TASK, name="review")])
    taken(rates, NOW, task="review")
    wait = rates.wait_of("agent", "review", NOW + 1)
    assert wait is not None
    assert (wait.rate.name, wait.at_ms) == ("review", NOW + 60 * MINUTE)


def test_a_projects_limit_counts_that_project_only() -> None:
    mine, other = (Rates([limited("1/minute", scope=scope)]) for scope in ("/mine", "/other"))
    assert (taken(mine, NOW, NOW + 1), taken(other, NOW + 2)) == ([0, NOW + MINUTE], [0])


def test_a_plan_counts_what_it_lets_through_and_writes_nothing(home: Path) -> None:
    rates = Rates([limited("2/minute"), limited("1/minute", what=TASK, name="review")])
    wanted = [("agent", "review"), ("agent", "review"), ("shell", "x"), ("agent", "t"), ("agent", "t")]
    planned = [wait and wait.rate.name for wait in rates.waits(wanted, NOW)]
    assert (planned, list(home.iterdir())) == ([None, "review", None, None, "agent"], [])


def test_a_limit_that_is_lowered_or_raised_keeps_what_was_started() -> None:
    taken(Rates([limited("3/minute")]), NOW, NOW + 1, NOW + 2)
    assert taken(Rates([limited("1/minute")]), NOW + 3) == [NOW + 2 + MINUTE]
    assert taken(Rates([limited("4/minute")]), NOW + 3, NOW + 4) == [0, NOW + MINUTE]


@given(
    count=st.integers(1, 4),
    steps=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 300)), min_size=1, max_size=60),
)
def test_no_window_has_more_starts_than_the_limit(count: int, steps: list[tuple[int, int]]) -> None:
    """Also when callers have read the clock in another order than that in which they come."""
    window, now, times, started = 1000, 0, [0] * count, []
    for step, late in steps:
        now += step
        at = NOW + now - late
        if next_start(times, count, window, at) == 0:
            times[times.index(min(times))] = at
            started.append(at)
    started.sort()
    assert all(later - first >= window for first, later in zip(started, started[count:], strict=False))


def test_a_clock_that_went_back_holds_a_start_up_for_one_window_and_no_longer() -> None:
    rates, earlier = Rates([limited("1/minute")]), NOW - 60 * MINUTE
    assert taken(rates, NOW, earlier, earlier + 1, earlier + MINUTE) == [
        0,
        earlier + MINUTE,
        earlier + MINUTE,
        0,
    ]


def test_a_start_of_a_moment_later_is_left_as_it_is() -> None:
    rates = Rates([limited("1/minute")])
    assert taken(rates, NOW, NOW - SKEW_MS) == [0, NOW + MINUTE]


@pytest.mark.parametrize(
    "content", [b"\0" * LINE_BYTES, b"x" * 5, b"-00000000000001\n", b"99999999999999x\n", b"\xff" * 99]
)
def test_what_cannot_be_read_counts_as_started_now_and_is_mended(home: Path, content: bytes) -> None:
    rates = Rates([limited("1/minute")])
    taken(rates, NOW)
    starts_file(home).write_bytes(content)
    assert taken(rates, NOW + 5, NOW + 6, NOW + 5 + MINUTE) == [NOW + 5 + MINUTE, NOW + 5 + MINUTE, 0]


def test_a_file_that_is_gone_has_counted_nothing(home: Path) -> None:
    rates = Rates([limited("1/minute")])
    taken(rates, NOW)
    starts_file(home).unlink()
    assert taken(rates, NOW + 1) == [0]


def test_the_file_is_private_and_has_a_time_on_each_line(home: Path) -> None:
    taken(Rates([limited("2/minute")]), NOW)
    found = starts_file(home)
    assert (found.stat().st_mode & 0o777, found.read_text()) == (0o600, f"{NOW:015d}\n{0:015d}\n")


def test_what_is_no_file_of_ours_is_not_followed(home: Path) -> None:
    rates = Rates([limited("1/minute")])
    taken(rates, NOW)
    starts_file(home).rename(home / "elsewhere")
    (home / "rates" / "kind-agent-x").symlink_to("nowhere")
    names = [path.name for path in (home / "rates").iterdir()]
    assert names.count("lock") == 1
    taken(rates, NOW)
    target = next(path for path in (home / "rates").glob("kind-agent-*") if not path.is_symlink())
    target.unlink()
    target.symlink_to(home / "elsewhere")
    with pytest.raises(UnsafePath, match="is not a regular file"):
        rates.take("agent", "t", NOW)


def test_while_others_count_it_is_asked_again_in_a_moment(home: Path) -> None:
    rates = Rates([limited("1/minute")])
    taken(rates, NOW)
    with (home / "rates" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        at = rates.take("agent", "t", NOW + 2 * MINUTE)
    assert (0 < at - NOW - 2 * MINUTE < 1000, taken(rates, NOW + 2 * MINUTE)) == (True, [0])


@pytest.mark.parametrize("place", ["a-file", "a-file/in"])
def test_where_nothing_can_be_counted_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("BABYSITTER_HOME", str(tmp_path / place))
    with pytest.raises(StorageError, match="starts of agent are limited, and cannot be counted: "):
        Rates([limited("1/minute")]).take("agent", "t", NOW)


def test_in_a_home_that_cannot_be_written_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "mkdir", refused)
    with pytest.raises(StorageError, match=r"cannot be counted: .*Read-only file system"):
        Rates([limited("1/minute")]).take("agent", "t", NOW)


def test_on_a_full_disk_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("babysitter.executors.starts.write_fully", full)
    with pytest.raises(
        StorageError, match=r"starts of agent are limited, and cannot be counted: .*No space left"
    ):
        Rates([limited("1/minute")]).take("agent", "t", NOW)
