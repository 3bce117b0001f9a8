"""Commands that pack and restore one run at once, without seeing each other's locks, do not lose it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.runs.unpacking import open_packed, restore
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.torture

SCRIPT = Path(__file__).parent / "put_away_together.py"
GOLDEN = Path(__file__).parents[1] / "golden" / "runs" / "groups"


def test_whoever_packs_and_restores_at_once_the_run_stays(
    torture: bool, tmp_path: Path, count: Callable[[str, int], None]
) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(GOLDEN, runs / "groups")
    (runs / "groups").chmod(0o700)
    expected = digest_of(runs / "groups")
    words = ["archive", "restore", "archive", "restore"]
    started = [
        subprocess.Popen(
            [sys.executable, SCRIPT, word, runs, "300" if torture else "20"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for word in words
    ]
    done = [int(process.communicate()[0]) for process in started]
    assert all(process.returncode == 0 for process in started)
    count("runs packed or restored at once", sum(done))
    if not (runs / "groups").exists():
        with open_packed("groups", str(runs)) as packed:
            packed.check()
        restore("groups", str(runs))
    found = digest_of(runs / "groups")
    assert {name: found[name] for name in expected} == expected
