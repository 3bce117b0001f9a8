"""Every test here is in an empty project, and leaves no process behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.driving import end_processes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def nothing_is_left(project: Path) -> Iterator[None]:
    """No driver and nothing that one has started is alive when a test is over."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("this system has no /proc that tells what is left")
    yield
    assert end_processes() == {}
