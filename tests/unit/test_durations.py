"""Lengths of time as authors write them."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.durations import seconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0, 0),
        (90, 90),
        (0.5, 0.5),
        ("90", 90),
        ("90s", 90),
        ("250ms", 0.25),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        (" 1.5h ", 5400),
    ],
)
def test_a_length_of_time_is_read_as_seconds(written: Any, meant: float) -> None:
    assert seconds(written) == meant


@pytest.mark.parametrize("whole", [60, "60", "1m"])
def test_whole_seconds_stay_whole(whole: Any) -> None:
    assert type(seconds(whole)) is int


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "ten",
        "10 minutes",
        "1y",
        "-5s",
        "1.2.3s",
        ".s",
        "m",
        "5s5",
        "1e3",
        "∞",
        "\u0661s",
        "1H",
        "1h30",
    ],
)
def test_a_text_that_is_no_length_of_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time; write it as"):
        seconds(written)


@pytest.mark.parametrize("written", [-1, float("nan"), float("inf"), True, None, [1]])
def test_a_value_that_is_no_length_of_time_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="is not a length of time; write seconds"):
        seconds(written)
