"""The trials of a test run: each scenario is set up once in each process of the tests."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.forks import Forks

# What their assertions compare is told as in tests.
pytest.register_assert_rewrite("cuts", "fault_project", "points", "put_away", "trials")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trials import Trial

MEMORY = "/dev/shm"  # noqa: S108 - where a thousand folders cost the disk nothing


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that is made and emptied often."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("faults")
        return
    folder = Path(tempfile.mkdtemp(prefix="faults-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def forks(workspace: Path) -> Iterator[Forks]:
    if not os.path.exists("/proc/self/fd"):
        pytest.skip("this system does not tell where an open file is")
    folder = workspace / "output"
    folder.mkdir()
    server = Forks(folder)
    yield server
    server.close()


@pytest.fixture(scope="session")
def trials(forks: Forks, workspace: Path) -> Callable[[str], Trial]:
    """The trial of the scenario with this name."""
    from trials import Trial

    made: dict[str, Trial] = {}

    def trial(name: str) -> Trial:
        if name not in made:
            folder = workspace / name
            folder.mkdir()
            made[name] = Trial(name, forks, folder)
        return made[name]

    return trial
