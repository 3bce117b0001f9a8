"""The line that shows how far a long command is."""

from __future__ import annotations

import io

import pytest

from babysitter.views import meter as meter_module
from babysitter.views.meter import Meter, events
from babysitter.views.text import size


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which only the test lets pass."""
    now = [0.0]
    monkeypatch.setattr(meter_module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """A stream that passes for a terminal of forty columns."""
    monkeypatch.setattr(meter_module, "terminal_width", lambda stream: 40)
    return io.StringIO()


def test_what_is_quick_shows_nothing(terminal: io.StringIO, clock: list[float]) -> None:
    with Meter(terminal) as meter:
        meter.begin("packing r")
        meter.add(1000)
    assert terminal.getvalue() == ""


def test_what_takes_long_shows_how_far_it_is_and_takes_the_line_away(
    terminal: io.StringIO, clock: list[float]
) -> None:
    with Meter(terminal) as meter:
        meter.begin("packing r")
        meter.add(1000)
        clock[0] = 2
        meter.add(500)
        meter.add(500)
        clock[0] = 3
        meter.add(1)
    shown = ["packing r  1.5 kB", "packing r  2.0 kB"]
    assert terminal.getvalue() == "".join(f"\r{line}" for line in shown) + "\r" + " " * 17 + "\r"


def test_small_things_are_counted_one_by_one_and_seldom_looked_at(
    terminal: io.StringIO, clock: list[float]
) -> None:
    with Meter(terminal, shown=events) as meter:
        meter.begin("verifying r")
        clock[0] = 2
        for _ in range(2000):
            meter.step("an event")
            clock[0] += 1
    shown = terminal.getvalue().split("\r")
    assert (shown[1], len(shown)) == ("verifying r  256 events", 2000 // 256 + 3)


@pytest.mark.parametrize("is_quiet", [True, False])
def test_nothing_is_shown_to_programs(clock: list[float], is_quiet: bool) -> None:
    stream = io.StringIO()
    with Meter(stream, is_quiet=is_quiet) as meter:
        clock[0] = 100
        meter.add(1)
    assert stream.getvalue() == ""


def test_a_line_never_wraps(terminal: io.StringIO, clock: list[float]) -> None:
    with Meter(terminal) as meter:
        meter.begin("x" * 100 + "\x1b[2J")
        clock[0] = 2
        meter.add(1)
    lines = terminal.getvalue().split("\r")
    assert (max(map(len, lines)), "\x1b" in terminal.getvalue()) == (39, False)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (55_349, "55.3 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (12_345_678, "12.3 MB"),
        (10**9, "1.0 GB"),
        (10**12, "1.0 TB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_a_number_of_bytes_is_told_in_three_or_four_digits(count: int, text: str) -> None:
    assert size(count) == text
