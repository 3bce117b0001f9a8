"""The disk refuses in the middle of a run: it stops with 74, and goes on when that is mended."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.driving import Command, Ended, lines, processes, told, wait_until, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TASKS = """
@shell
def slow():
    return "echo slow $BABYSITTER_ATTEMPT >> log; test -e mended || exec sleep 60"

@shell
def hold():
    return "echo hold $BABYSITTER_ATTEMPT >> log; until test -e full; do sleep 0.02; done"

@shell
def loud():
    return "echo loud $BABYSITTER_ATTEMPT >> log; head -c 3000000 /dev/zero"

async def process(inputs, ctx):
    await ctx.parallel.all([lambda: ctx.task(slow), lambda: ctx.task({other})])
    return "done"
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of runs on a file system of its own, 1 MiB small."""
    folder = tmp_path / "runs"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can mount a file system")
    monkeypatch.setenv("BABYSITTER_RUNS_DIR", str(folder))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def started(other: str) -> Command:
    """A run with two effects at work."""
    write("p.py", TASKS.replace("{other}", other))
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "2", "--json")
    wait_until(lambda: len(lines("log")) == 2)
    return command


def on_a_full_disk(runs: Path) -> Ended:
    """The disk is full, and then an effect ends."""
    command = started("hold")
    fill(runs)
    write("full", "")
    return command.end()


def test_a_result_that_cannot_be_written_ends_the_command_with_74(runs: Path) -> None:
    ended = on_a_full_disk(runs)
    assert (ended.code, ended.told["error"]["name"], processes()) == (74, "StorageError", {})


def test_after_a_full_disk_the_run_goes_on(runs: Path) -> None:
    on_a_full_disk(runs)
    (runs / "filler").unlink()
    write("mended", "")
    assert told(0, "resume", "r")["output"] == "done"
    assert sorted(lines("log")) == ["hold 1", "hold 2", "slow 1", "slow 2"]


def test_a_full_disk_leaves_no_part_of_an_event(runs: Path) -> None:
    on_a_full_disk(runs)
    names = [path.name for path in (runs / "r/journal").iterdir()]
    assert (len(names), told(0, "status", "r")["effects"]) == (3, {"requested": 2})


def test_output_that_cannot_be_kept_ends_the_command_with_74(runs: Path) -> None:
    ended = started("loud").end()
    assert (ended.code, "stdout.log" in ended.told["error"]["message"], processes()) == (74, True, {})


def test_output_that_could_not_be_kept_is_made_again(runs: Path) -> None:
    started("loud").end()
    remount(runs, "size=32m")
    write("mended", "")
    assert told(0, "resume", "r")["output"] == "done"


def test_a_read_only_folder_can_be_looked_at_and_not_gone_on_with(runs: Path) -> None:
    write("p.py", "async def process(inputs, ctx):\n    await ctx.sleep(0.1)\n    return 1\n")
    told(0, "create", "p.py", "--run-id", "r")
    remount(runs, "ro")
    assert told(0, "status", "r")["status"] == "waiting"
    assert told(74, "resume", "r")["error"]["name"] == "StorageError"
    remount(runs, "rw")
    assert told(0, "resume", "r")["output"] == 1
