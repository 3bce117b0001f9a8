"""Readers beside a writer: whatever they catch it at, they see a beginning of the journal and no gap."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import MissingEvent
from babysitter.journal.salvage import salvage
from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.torture
EVENTS, MANY = 1000, 10_000
COPIES, MANY_COPIES = 5, 100

WRITER = """
import sys, time
from babysitter.journal.store import Journal

folder, events = sys.argv[1], int(sys.argv[2])
journal, done = Journal(folder, "run-1"), 0
journal.load(lambda event: None)
sizes = [1, 1, 2, 1, 7]
while done < events:
    size = min(sizes[done % len(sizes)], events - done)
    drafts = [("NOTE", {"n": done + index}) for index in range(size)]
    journal.append(drafts, time.time_ns() // 1_000_000)
    done += size
"""
# Reads again and again until it has seen the end; each time it must see at least as much as before.
READER = """
import sys
from babysitter.journal.store import Journal

folder, events, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
journal, seen, most, times = Journal(folder, "run-1"), [], 0, 0

def visit(event):
    assert event.data["n"] == len(seen) == event.seq - 1, (event.data, len(seen))
    seen.append(event.data["n"])

journal.load(visit)
while len(seen) < events:
    if way == "on":
        journal.read_since(visit)
    else:
        seen.clear()
        (journal if way == "same" else Journal(folder, "run-1")).load(visit, use_cache=way != "cold")
    assert len(seen) >= most, (len(seen), most)
    most, times = len(seen), times + (len(seen) > most)
print(times)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-S", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("journal", "state"):
        (tmp_path / "run" / name).mkdir(parents=True)
    return tmp_path / "run"


def test_readers_beside_a_writer_see_beginnings_without_a_gap(
    folder: Path, torture: bool, count: Callable[[str, int], None]
) -> None:
    events = str(MANY if torture else EVENTS)
    readers = [start(READER, str(folder), events, way) for way in ("cold", "cached", "same", "on")]
    writer = start(WRITER, str(folder), events)
    ended = [process.communicate() for process in (writer, *readers)]
    assert [error for _, error in ended] == [""] * 5
    count("reads of something new beside a writer", sum(int(out) for out, _ in ended[1:]))
    assert Journal(str(folder), "run-1").verify().seq == int(events)


def test_a_copy_that_is_taken_while_the_run_goes_on_has_a_beginning_of_it_or_tells_its_gap(
    folder: Path, tmp_path: Path, torture: bool, count: Callable[[str, int], None]
) -> None:
    """A listing of a folder that is written is no snapshot: it may lack a name and have a later one."""
    read: list[int] = []
    with ended(start(WRITER, str(folder), str(MANY if torture else EVENTS))) as writer:
        while writer.poll() is None and len(read) < (MANY_COPIES if torture else COPIES):
            copy = tmp_path / "copy"
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.tmp", "staging.*"))
            read.append(read_copy(copy))
            shutil.rmtree(copy)
        assert writer.communicate()[1] == ""
    count("copies of a running run", len(read))
    assert read == sorted(read)


def read_copy(copy: Path) -> int:
    """How many events a copy begins with; where it has a gap, that is said and the beginning can be kept."""
    seen: list[int] = []
    try:
        Journal(str(copy), "run-1").load(lambda event: seen.append(event.data["n"]))
    except MissingEvent:
        kept = salvage(str(copy), "run-1", str(copy / "journal")).kept
        seen = [each.event.data["n"] for each in kept]
    assert seen == list(range(len(seen)))
    return len(seen)


@contextmanager
def ended(writer: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A writer that does not outlive its test, however that ends."""
    try:
        yield writer
    finally:
        writer.kill()
        writer.communicate()
