"""The types of tasks carry through to what a process gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_type_checker_knows_what_each_step_gives() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "tests/typing/typed_process.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.stdout.startswith("Success"), checked.stdout) == (True, checked.stdout)
