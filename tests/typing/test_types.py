"""The types of tasks carry through to what a process gets, and those of a play to its test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["typed_process.py", "typed_test.py"])
def test_a_type_checker_knows_what_each_step_gives(name: str) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", f"tests/typing/{name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.stdout.startswith("Success"), checked.stdout) == (True, checked.stdout)
