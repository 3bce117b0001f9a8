"""Milliseconds and their form on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysitter.clock import iso, ms_of, now_ms

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # all of it is UTC


def test_now_is_between_two_looks_at_the_clock() -> None:
    before = time.time_ns() // 1_000_000
    now = now_ms()
    assert before <= now <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1795484901123, "2026-11-24T01:48:21.123Z"),
        (951782400000, "2000-02-29T00:00:00.000Z"),
    ],
)
def test_a_time_is_written_with_milliseconds_in_utc(ms: int, text: str) -> None:
    assert (iso(ms), ms_of(text)) == (text, ms)


@given(st.integers(-62135596800000, 253402300799999))
def test_every_time_of_four_digit_years_is_written_as_datetime_does_and_read_again(ms: int) -> None:
    text = iso(ms)
    expected = (EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"
    assert (text, ms_of(text)) == (expected, ms)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-24T01:48:21Z",
        "2026-11-24T01:48:21.123",
        "2026-11-24T01:48:21.123+00:00",
        "2026-11-24 01:48:21.123Z",
        "2026-11-24T01:48:60.123Z",
        "2026-11-24T24:48:21.123Z",
        "2026-02-30T01:48:21.123Z",
        "2026-13-24T01:48:21.123Z",
        "2026-11-24T01:48:21.12\uff13Z",
        "2026-11-24T01:48:+1.123Z",
        "+026-11-24T01:48:21.123Z",
        "2026/11/24T01:48:21.123Z",
        "2026-11-24T01:48:21.123Z\n",
    ],
)
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time like"):
        ms_of(text)


def test_a_refused_time_does_not_spoil_the_next_one() -> None:
    with pytest.raises(ValueError):
        ms_of("2026-02-31T01:48:21.123Z")
    assert iso(ms_of("2026-03-03T01:48:21.123Z")) == "2026-03-03T01:48:21.123Z"


def test_the_time_zone_of_the_machine_plays_no_part() -> None:
    program = "from babysitter.clock import iso, ms_of; print(iso(0), ms_of('1970-01-01T00:00:00.000Z'))"
    environment = {**os.environ, "TZ": "Pacific/Auckland"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "1970-01-01T00:00:00.000Z 0\n"


def test_nothing_is_no_time_also_when_it_is_read_first() -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from babysitter.clock import ms_of; ms_of('')"
    root = str(Path(__file__).parents[2])
    ended = subprocess.run([sys.executable, "-I", "-c", code, root], capture_output=True, check=False)
    assert b"ValueError" in ended.stderr
