"""Eight processes start what is limited as fast as they can while some of them are killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STARTERS = 8
STARTS = 1000
KILLS = 30
LIMIT, WINDOW_MS = 250, 1000
SECONDS = 60  # far more than it takes; only so that a defect does not hang

STARTER = """
import os, sys, time
from babysitter.clock import now_ms
from babysitter.executors.rates import Rates
from babysitter.rate import KIND, TASK, Rate

rates = Rates([Rate("", KIND, "shell", "250/second"), Rate("/project", TASK, "build", "260/second")])
started = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
while os.fstat(started).st_size < int(sys.argv[2]) * 14:
    now = now_ms()
    at = rates.take("shell", "build", now)
    if at:
        time.sleep(min(0.02, (at - now) / 1000))
    else:
        os.write(started, b"%13d\\n" % now)
"""


def test_no_window_has_more_starts_than_the_limit(tmp_path: Path, count: Callable[[str, int], None]) -> None:
    log = tmp_path / "started"
    processes = [_start(log) for _ in range(STARTERS)]
    kills, until = 0, time.monotonic() + SECONDS
    while any(process.poll() is None for process in processes):
        assert time.monotonic() < until, "the starts did not end in time"
        if kills < KILLS and log.exists() and log.stat().st_size > kills * 14 * STARTS // KILLS:
            index = random.randrange(STARTERS)  # noqa: S311
            processes[index].kill()
            kills += processes[index].wait() < 0
            processes[index] = _start(log)
        time.sleep(0.005)
    times = sorted(int(line) for line in log.read_text().splitlines())
    count("starts against a limit", len(times))
    assert [process.returncode for process in processes] == [0] * STARTERS
    assert (len(times) >= STARTS, kills > 0) == (True, True)
    shortest = min(later - first for first, later in zip(times, times[LIMIT:], strict=False))
    assert shortest >= WINDOW_MS


def _start(log: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", STARTER, str(log), str(STARTS)], env=environment)
