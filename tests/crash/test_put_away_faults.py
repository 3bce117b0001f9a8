"""Packing, restoring and removing a run, killed or refused by the disk at every point: nothing is lost."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.fault_points import FOR_GOOD, KILL, ONCE

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.torture

SCRIPT = Path(__file__).parent / "put_away_faults.py"
OPERATIONS = ("archive", "restore", "cleanup")


def tried(operation: str, how: str, number: int, step: int, folder: Path) -> int:
    """Let it go wrong at every point, or every so manieth; gives at how many."""
    words = [operation, how, str(number), str(step), str(folder)]
    done = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whenever_it_is_killed_the_run_is_whole_in_one_form_and_the_next_call_goes_on(
    operation: str, torture: bool, tmp_path: Path, count: Callable[[str, int], None]
) -> None:
    kills = tried(operation, KILL, 0, 1 if torture else 5, tmp_path / "place")
    count("kills", kills)
    assert kills > 5


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("how", [ONCE, FOR_GOOD])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_the_disk_refuses_the_run_is_whole_in_one_form_and_nothing_begun_is_left(
    operation: str, how: str, number: int, torture: bool, tmp_path: Path, count: Callable[[str, int], None]
) -> None:
    faults = tried(operation, how, number, 1 if torture else 23, tmp_path / "place")
    count("faults", faults)
    assert faults > 1
