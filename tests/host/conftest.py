from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.host.lab import Lab, end_left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path, project: Path) -> Iterator[Lab]:
    """A project and a home of its own for sessions; nothing that they have started lives on."""
    home = tmp_path / "user"
    home.mkdir()
    yield Lab(home)
    end_left_behind(home)
