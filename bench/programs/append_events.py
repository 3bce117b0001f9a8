"""Seconds of durable appends to a new journal, beside the floor: append_events.py FOLDER COUNT TIMES [MB].

Each append has COUNT events. Its floor is one file that the same bytes are appended to and flushed, in turns.
With MB, every other append has another program beside it, one that rewrites and flushes a file of so many
megabytes all the time, and the floor is the append before it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

from babysitter.clock import now_ms  # noqa: E402 - the checkout that this file is in
from babysitter.journal.store import Journal  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP = 5
# About as long as the writer takes to write its file and flush it.
ITS_ROUND = 0.5
WRITER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "write_heavily.py")


def main() -> None:
    folder, count, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(os.path.join(folder, "journal"))
    appends = Appends(Journal(folder, os.path.basename(folder)), count)
    for _ in range(WARM_UP):
        appends.seconds()
    if sys.argv[4:]:
        ours, floors = beside_writer(folder, appends, times, sys.argv[4])
    else:
        ours, floors = in_turns(folder, appends, times)
    sys.stdout.write(json.dumps({"ours": ours, "bare": floors}))


class Appends:
    """Append after append, each of as many results as are asked for."""

    def __init__(self, journal: Journal, count: int) -> None:
        self.journal = journal
        self.count = count
        self.size = 0

    def seconds(self) -> float:
        first = self.journal.head.seq
        drafts = [
            ("EFFECT_RESOLVED", {"effectId": f"effect{first + n:010d}", "status": "ok", "value": "good"})
            for n in range(self.count)
        ]
        made: list[Any] = []
        took = seconds(lambda: made.extend(self.journal.append(drafts, now_ms())))
        self.size = sum(event.raw_size for event in made)
        return took


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(folder: str, appends: Appends, times: int) -> tuple[list[float], list[float]]:
    """Appends, and the floor beside each."""
    ours, floors = [], []
    fd = os.open(os.path.join(folder, "floor"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for _ in range(times):
        ours.append(appends.seconds())
        floors.append(seconds(lambda: (os.write(fd, b"x" * appends.size), os.fsync(fd))))
    return ours, floors


def beside_writer(
    folder: str, appends: Appends, times: int, megabytes: str
) -> tuple[list[float], list[float]]:
    """Appends with a heavy writer beside them, and each time one without, right before."""
    ours, floors = [], []
    large = os.path.join(folder, "large")
    command = [sys.executable, "-I", WRITER, large, megabytes]
    for turn in range(times):
        floors.append(appends.seconds())
        writer = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        # It is in full swing once it has written its file for the first time. Then it
        # flushes that, and writes, in turns: the appends begin at all parts of such a round.
        writer.stdout.readline()
        time.sleep(ITS_ROUND * turn / times)
        ours.append(appends.seconds())
        writer.kill()
        writer.wait()
        os.unlink(large)
    return ours, floors


if __name__ == "__main__":
    main()
