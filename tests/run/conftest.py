"""Every test here is in an empty project, and leaves no process behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.support.driving import marked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path, home: Path) -> Iterator[None]:
    """Drivers and what they started have this test's own home in their environment."""
    yield
    left = {pid: _command(pid) for pid in marked("BABYSITTER_HOME", str(home)) if pid != os.getpid()}
    assert left == {}


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read().replace("\0", " ")
    except OSError:
        return ""
