"""The run lock: order, not truth."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import RunBusy, StorageError, UnsafePath
from babysitter.journal.lock import NAME, run_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLD = """
import sys, time
from babysitter.journal.lock import run_lock
with run_lock(sys.argv[1], 5):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_lock_is_taken_and_given_back(tmp_path: Path) -> None:
    for _ in range(2):
        with run_lock(str(tmp_path), 0):
            pass


def test_the_lock_file_stays_and_is_private(tmp_path: Path) -> None:
    with run_lock(str(tmp_path), 0):
        pass
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_releasing_twice_is_releasing_once(tmp_path: Path) -> None:
    lock = run_lock(str(tmp_path), 0)
    lock.release()
    lock.release()
    run_lock(str(tmp_path), 0).release()


@pytest.mark.parametrize(("timeout", "waited"), [(0, ""), (0.1, " and was not free within 0.1 seconds")])
def test_a_lock_that_is_held_says_by_whom(
    tmp_path: Path, holder: subprocess.Popen[str], timeout: float, waited: str
) -> None:
    with pytest.raises(RunBusy) as caught:
        run_lock(str(tmp_path), timeout)
    expected = f"the run {tmp_path.name!r} is in use by '-c {tmp_path}' (process {holder.pid}){waited}"
    assert (caught.value.message, caught.value.exit_code) == (expected, 75)


def test_a_holder_that_is_stopped_does_not_keep_others_waiting(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(RunBusy):
        run_lock(str(tmp_path), 0)


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    run_lock(str(tmp_path), 5).release()


def test_the_next_one_gets_the_lock_when_it_is_given_back(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    assert holder.stdin is not None
    holder.stdin.close()
    run_lock(str(tmp_path), 10).release()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": 1e999, "command": ""}', '{"pid": "x"}', "\0" * 9000]
)
def test_a_holder_that_cannot_be_known_is_another_command(
    tmp_path: Path, holder: subprocess.Popen[str], text: str
) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(RunBusy, match=r"is in use by another command$"):
        run_lock(str(tmp_path), 0)


def test_a_name_that_a_dead_holder_left_is_not_given(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / NAME).write_text(f'{{"pid": {dead.pid}, "command": "old"}}')
    with pytest.raises(RunBusy, match=r"is in use by another command$"):
        run_lock(str(tmp_path), 0)


def test_after_the_release_nobody_is_named(tmp_path: Path) -> None:
    run_lock(str(tmp_path), 0).release()
    assert (tmp_path / NAME).read_bytes() == b""


def test_arguments_that_are_not_text_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["babysitter", "\udcff"])
    with run_lock(str(tmp_path), 0):
        assert '"command":"babysitter ?"' in (tmp_path / NAME).read_text()


@pytest.mark.parametrize("kind", ["link", "link to nothing", "folder", "fifo"])
def test_something_else_in_the_locks_place_is_refused(tmp_path: Path, kind: str) -> None:
    place, target = tmp_path / NAME, tmp_path / "target"
    if kind == "link":
        target.write_text("precious")
        place.symlink_to(target)
    elif kind == "link to nothing":
        place.symlink_to(target)
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    with pytest.raises(UnsafePath, match="is not a regular file, and the run's lock is expected there"):
        run_lock(str(tmp_path), 0)
    assert not target.exists() or target.read_text() == "precious"


def test_a_file_system_without_locks_is_a_storage_error_and_no_soft_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def flock(fd: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StorageError, match="cannot be locked: Function not implemented"):
        run_lock(str(tmp_path), 0)


def test_the_journal_does_not_need_the_lock_or_import_it(tmp_path: Path) -> None:
    program = """
import os, sys
from babysitter.journal.store import Journal
for name in ("journal", "state"):
    os.mkdir(os.path.join(sys.argv[1], name))
journal = Journal(sys.argv[1], "run-1")
journal.append([("NOTE", {})], 1)
journal.load(lambda event: None)
heavy = {"filelock", "json", "re", "typing", "hashlib", "ctypes", "threading", "enum", "contextlib"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
