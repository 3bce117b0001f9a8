"""Small projects on disk, and what a command said about them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).parents[2]
START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from babysitter.cli.main import main; main()"
COMMAND = [sys.executable, "-I", "-c", START]


class Ended:
    """A command that has ended: its exit code, its output as text, and as JSON where it is that."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.text = done.stdout + done.stderr
        self._stdout = done.stdout

    @property
    def json(self) -> dict[str, Any]:
        assert self._stdout, self.text
        loaded: dict[str, Any] = json.loads(self._stdout)
        return loaded

    @property
    def data(self) -> dict[str, Any]:
        """What the process gave: the output of a completed run, the data of a failed one."""
        told = self.json
        found: dict[str, Any] = told["output"] if "output" in told else told["error"]["data"]
        return found


Babysitter = Callable[..., Ended]


def write(folder: Path, files: dict[str, str]) -> None:
    """Make files with their folders."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def make_program(path: Path, script: str) -> None:
    """An executable file for sh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
