"""Too little of something, for real: space, inodes, room in a file, descriptors, permissions."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from trials import IO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trials import Trial

    from tests.support.forks import Ended

pytestmark = pytest.mark.torture

# One for each way in which files are written.
NAMES = [
    "create",
    "iterate-elsewhere",
    "iterate-large-definition",
    "iterate-sweeps",
    "post-large",
    "post-many",
    "look-cold",
    "resume",
]
PAGE = 4096
ALL = 0o700


# A small disk


@pytest.fixture(scope="session")
def small_disk(workspace: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system with these options."""
    mounted = []

    def mount(options: str) -> Path:
        folder = workspace / f"disk-{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if (
            not sys.platform.startswith("linux")
            or subprocess.run(command, check=False, capture_output=True).returncode
        ):
            pytest.skip("only root can mount a file system")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="session")
def two_mebibytes(small_disk: Callable[[str], Path]) -> Path:
    return small_disk("size=2m")


@pytest.fixture(scope="session")
def few_inodes(small_disk: Callable[[str], Path]) -> Path:
    return small_disk("size=64m,nr_inodes=400")


def leave_bytes(disk: Path, left: int) -> Path:
    """Fill a disk but for so many bytes; gives the file that fills it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(PAGE))
    with suppress(OSError):
        os.truncate(filler, max(0, filler.stat().st_size - left))
    return filler


def leave_inodes(disk: Path, left: int) -> Path:
    """Fill a disk with files until so many more can be made; gives their folder."""
    folder = disk / "filler"
    folder.mkdir()
    made = 0
    with suppress(OSError):
        while True:
            (folder / str(made)).touch()
            made += 1
    for number in range(min(left, made)):
        (folder / str(number)).unlink()
    return folder


def empty(filler: Path) -> None:
    if filler.is_dir():
        for path in filler.iterdir():
            path.unlink()
        filler.rmdir()
    else:
        filler.unlink()


def check_on(disk: Path, trial: Trial, fill: Callable[[Path, int], Path], left: int) -> Ended:
    """Call a command on a disk that is nearly full, and go on when there is room again."""
    project = trial.fresh(disk)
    filler = fill(disk, left)
    try:
        ended = trial.call(project)
        trial.check_what_was_told(project, ended)
    finally:
        empty(filler)
    trial.check_again(project)
    trial.check_the_end(project)
    trial.forget(project)
    return ended


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_fills_up_loses_nothing(
    name: str,
    two_mebibytes: Path,
    trials: Callable[[str], Trial],
    torture: bool,
    count: Callable[[str, int], None],
) -> None:
    trial = trials(name)
    pages = range(101) if torture else [0, 2, 7, 100]
    codes = [check_on(two_mebibytes, trial, leave_bytes, left * PAGE).code for left in pages]
    count("full disks", len(codes))
    assert codes[-1] == trial.ended.code
    # Looking writes only the cache, and can do without.
    assert codes[0] == (trial.ended.code if trial.scenario.command[0] == "status" else IO)


@pytest.mark.parametrize("name", NAMES)
def test_a_disk_without_inodes_loses_nothing(
    name: str,
    few_inodes: Path,
    trials: Callable[[str], Trial],
    torture: bool,
    count: Callable[[str, int], None],
) -> None:
    trial = trials(name)
    inodes = range(61) if torture else [0, 3, 9, 60]
    codes = [check_on(few_inodes, trial, leave_inodes, left).code for left in inodes]
    count("full disks", len(codes))
    assert codes[-1] == trial.ended.code
    assert codes[0] == (trial.ended.code if trial.scenario.command[0] == "status" else IO)


@pytest.mark.parametrize("name", NAMES)
def test_on_a_disk_that_became_read_only_nothing_is_written_and_all_can_be_read(
    name: str, two_mebibytes: Path, trials: Callable[[str], Trial]
) -> None:
    trial = trials(name)
    project = trial.fresh(two_mebibytes)
    remount(two_mebibytes, "ro")
    try:
        ended = trial.call(project)
        trial.check_what_was_told(project, ended)
        assert trial.sees(project) == trial.before
    finally:
        remount(two_mebibytes, "rw")
    assert ended.code == (trial.ended.code if trial.scenario.command[0] == "status" else IO)
    trial.check_again(project)
    trial.forget(project)


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


# Limits of a process


def check_with(trial: Trial, **options: Any) -> int:
    project = trial.fresh()
    ended = trial.call(project, **options)
    trial.check(project, ended)
    trial.forget(project)
    return ended.code


@pytest.mark.parametrize("name", NAMES)
def test_files_that_may_not_grow_lose_nothing(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)
    sizes = range(0, 60_000, 500) if torture else [0, 200, 2000, 30_000]
    codes = [check_with(trial, limits={"RLIMIT_FSIZE": size}) for size in [*sizes, 1 << 20]]
    count("limits reached", len(codes) - 1)
    assert codes[-1] == trial.ended.code


@pytest.mark.parametrize("name", NAMES)
def test_too_few_descriptors_lose_nothing(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)
    numbers = range(5, 40) if torture else [5, 7, 9, 11]
    codes = [check_with(trial, limits={"RLIMIT_NOFILE": number}) for number in [*numbers, 256]]
    count("limits reached", len(codes) - 1)
    assert (codes[0], codes[-1]) == (IO, trial.ended.code)


# Permissions


def without(folder: str, mode: int) -> Any:
    return pytest.param(folder, mode, id=f"{folder}-{mode:o}")


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        without("journal", 0o500),
        without("journal", 0),
        without("journal", 0o300),
        without("state", 0o500),
        without("state", 0),
        without("", 0o500),
        without("", 0),
        without("run.json", 0),
        without("inputs.json", 0),
    ],
)
@pytest.mark.parametrize("name", ["iterate", "post", "post-large", "look-cold", "iterate-sweeps"])
def test_without_permission_nothing_is_lost(
    name: str, place: str, mode: int, trials: Callable[[str], Trial]
) -> None:
    trial = trials(name)
    project = trial.fresh()
    path = project.run_folder / place
    if not path.exists():
        path.mkdir()
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        ended = trial.call(project, is_powerless=True)
    finally:
        path.chmod(before)
    trial.check(project, ended)
    trial.forget(project)


@pytest.mark.parametrize("name", ["create-beside-another"])
def test_without_permission_for_the_folder_of_runs_none_is_made(
    name: str, trials: Callable[[str], Trial]
) -> None:
    trial = trials(name)
    project = trial.fresh()
    project.runs.chmod(0o500)
    ended = trial.call(project, is_powerless=True)
    project.runs.chmod(ALL)
    assert ended.code == IO
    trial.check(project, ended)
    trial.forget(project)
