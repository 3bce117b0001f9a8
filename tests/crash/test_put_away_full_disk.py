"""A real disk that is full: whatever was there stays as it was, and with some room it goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import BabysitterError, StorageError
from babysitter.runs.ended import EndedRun
from babysitter.runs.packing import pack
from babysitter.runs.unpacking import open_packed, restore
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.torture

GOLDEN = Path(__file__).parents[1] / "golden" / "runs" / "groups"
PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB with a folder of runs."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a disk can be mounted by root only")
    if (done := subprocess.run(words, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    (folder / "runs").mkdir()
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, left: int) -> None:
    """Leave so many pages."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize // PAGE
    (disk / "filler").write_bytes(b"\0" * PAGE * max(0, free - left))


def refusal(work: Callable[[], object]) -> type[Exception] | None:
    """Do it; the class of the error, if it was refused."""
    try:
        work()
    except BabysitterError as error:
        return type(error)
    return None


def held(folder: Path) -> dict[str, str]:
    return {
        name: each
        for name, each in digest_of(folder).items()
        if name not in {"run.lock", "artifacts", ".archive"} and not name.endswith("/run.lock")
    }


def test_on_a_disk_with_any_room_a_run_is_packed_or_stays_as_it_is(
    disk: Path, torture: bool, count: Callable[[str, int], None]
) -> None:
    tried = 0
    for left in range(0, 12, 1 if torture else 3):
        shutil.rmtree(disk / "runs")
        shutil.copytree(GOLDEN, disk / "runs" / "groups")
        (disk / "runs" / "groups").chmod(0o700)
        # At random, so that it does not become small.
        (disk / "runs" / "groups" / "noise").write_bytes(os.urandom(5 * PAGE))
        before = held(disk / "runs")
        fill(disk, left)
        refused = refusal(lambda: pack(EndedRun(str(disk / "runs" / "groups")), "0"))
        if refused is None:
            with open_packed("groups", str(disk / "runs")) as packed:
                packed.check()
        else:
            assert (refused, held(disk / "runs")) == (StorageError, before)
        (disk / "filler").unlink()
        tried += 1
    count("full disks", tried)


def test_on_a_disk_with_any_room_a_run_is_restored_or_stays_packed(
    disk: Path, torture: bool, count: Callable[[str, int], None]
) -> None:
    shutil.copytree(GOLDEN, disk / "runs" / "groups")
    (disk / "runs" / "groups").chmod(0o700)
    expected = held(disk / "runs" / "groups")
    pack(EndedRun(str(disk / "runs" / "groups")), "0")
    archive = disk / "runs" / ".archive" / "groups.zip"
    kept = archive.read_bytes()
    tried = 0
    for left in range(0, 40, 1 if torture else 8):
        shutil.rmtree(disk / "runs" / "groups", ignore_errors=True)
        archive.write_bytes(kept)
        before = held(disk / "runs")
        fill(disk, left)
        if (refused := refusal(lambda: restore("groups", str(disk / "runs")))) is None:
            assert (held(disk / "runs" / "groups"), archive.exists()) == (expected, False)
        else:
            assert (refused, held(disk / "runs")) == (StorageError, before)
        (disk / "filler").unlink()
        tried += 1
    count("full disks", tried)
