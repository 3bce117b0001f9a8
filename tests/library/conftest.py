"""Shipped processes are tested on small projects on disk, by the command line, as people run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from small_projects import COMMAND, ROOT, Babysitter, Ended

from babysitter.runs.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


@pytest.fixture
def babysitter(project: Path, monkeypatch: pytest.MonkeyPatch) -> Babysitter:
    """Runs the command line in the project's folder, with the tools of these tests on the PATH."""
    # These tests may themselves be run by the quality checks of this project.
    monkeypatch.delenv("QUALITY_CHECKS_OF", raising=False)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))

    def call(*words: str) -> Ended:
        command = [*COMMAND, *words]
        return Ended(subprocess.run(command, cwd=project, capture_output=True, text=True, check=False))

    return call


@pytest.fixture
def load() -> Iterator[Callable[[str, str], ModuleType]]:
    """Imports a module of a shipped process as the process does: ``load("quality-checks", "report")``."""
    before = list(sys.meta_path)

    def import_it(process: str, module: str) -> ModuleType:
        source = Source(str(ROOT / "processes" / process / "process.py"), "process")
        return source.module if module == "process" else __import__(module)

    yield import_it
    for finder in sys.meta_path:
        if finder not in before:
            for name in finder.loaded:  # type: ignore[attr-defined]
                sys.modules.pop(name, None)
    sys.meta_path[:] = before
