"""A small run of its own for each test, with a cache that fits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_runs import SmallRun, build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(project: Path) -> SmallRun:
    return build(project, "small")
