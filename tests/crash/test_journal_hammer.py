"""Eight processes write one journal without a lock while some of them are killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from pathlib import Path

WRITERS = 8
EVENTS = 12
KILLS = 25
SECONDS = 60  # far more than it takes; only so that a defect does not hang

WRITER = """
import os, random, sys, time
from babysitter.errors import HeadMoved
from babysitter.journal.store import Journal

folder, writer, events, acknowledged = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
journal, done = Journal(folder, "run-1"), 0

def visit(event):
    global done
    if event.data["writer"] == writer:
        assert event.data["n"] == done, (event.data, done)
        done += 1

journal.load(visit)
answers = os.open(acknowledged, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
while done < events:
    size = min(random.choice([1, 1, 1, 2, 5]), events - done)
    drafts = [("NOTE", {"writer": writer, "n": done + index}) for index in range(size)]
    try:
        journal.append(drafts, time.time_ns() // 1_000_000)
    except HeadMoved:
        journal.read_since(visit)
        continue
    os.write(answers, "".join(f"{writer} {data['n']}\\n" for _, data in drafts).encode())
    done += size
"""


def start(run: Path, writer: int) -> subprocess.Popen[bytes]:
    arguments = [str(run), str(writer), str(EVENTS), str(run / "acknowledged")]
    return subprocess.Popen([sys.executable, "-S", "-c", WRITER, *arguments])


def hammer(run: Path) -> int:
    """Run all writers to their end, killing and starting again; return the number of kills."""
    writers = [start(run, writer) for writer in range(WRITERS)]
    chance = random.Random()  # noqa: S311
    kills, deadline = 0, time.monotonic() + SECONDS
    while any(process.poll() != 0 for process in writers) and time.monotonic() < deadline:
        time.sleep(chance.random() * 0.05)
        victim = chance.choice(writers)
        if kills < KILLS and victim.poll() is None:
            victim.kill()
            kills += 1
        for writer, process in enumerate(writers):
            if process.poll() == -9:
                writers[writer] = start(run, writer)
            elif process.poll():
                pytest.fail(f"writer {writer} ended with {process.returncode}")
    for process in writers:
        process.kill()
        process.wait()
    return kills


def test_eight_writers_and_kills_make_one_journal_without_loss_or_fork(tmp_path: Path) -> None:
    for name in ("journal", "state"):
        (tmp_path / name).mkdir()
    kills = hammer(tmp_path)

    written: list[tuple[int, int]] = []
    journal = Journal(str(tmp_path), "run-1")
    journal.load(lambda event: written.append((event.data["writer"], event.data["n"])))
    answers = (tmp_path / "acknowledged").read_text().splitlines()
    acknowledged = [tuple(map(int, line.split())) for line in answers]

    assert kills > 0
    for writer in range(WRITERS):
        assert [n for who, n in written if who == writer] == list(range(EVENTS))
    assert (len(acknowledged), set(acknowledged) - set(written)) == (len(set(acknowledged)), set())
    assert journal.verify() == journal.head
    assert len(os.listdir(tmp_path / "journal")) == len(written)
