"""The faults are put where they should be: nothing escapes the watch, and a missing flush is found out."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest
from cuts import Left, check_all, disks_of, recorded
from scenarios import SCENARIOS

from tests.support.operations import CHANGES, Plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trials import Trial

    from tests.support.forks import Forks

pytestmark = pytest.mark.torture


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_no_change_of_a_file_escapes_the_watch(name: str, trials: Callable[[str], Trial]) -> None:
    trial = trials(name)
    project = trial.fresh()
    operations = trial.call(project, trial.plan(project, is_audited=True)).operations
    trial.forget(project)
    assert [each.path for each in operations if each.kind == "escaped"] == []
    assert any(each.kind in CHANGES for each in operations)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("posix:mkdir", ["new"]),
        ("posix:link", ["old", "new"]),
        ("posix:rename", ["old", "new"]),
        ("posix:unlink", ["old"]),
        ("os:symlink", ["old", "new"]),
        ("builtins:open", ["new", "w"]),
        ("shutil:copyfile", ["old", "new"]),
    ],
)
def test_the_watch_sees_what_goes_around_it(
    tmp_path: Path, forks: Forks, function: str, arguments: list[str]
) -> None:
    (tmp_path / "old").touch()
    ended = forks.run(tmp_path, *arguments, call=function, plan=Plan(str(tmp_path), is_audited=True))
    assert {each.kind for each in ended.operations} == {"escaped"}


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("post", "journal"),
        ("iterate", "journal"),
        ("create", "project"),
        ("create", "runs"),
        ("create", r"(r|\.new-\w+)"),
        ("post-large", "tasks"),
        ("iterate-large-output", "r"),
    ],
)
def test_without_the_flush_of_a_folder_something_told_is_lost(
    name: str, folder: str, trials: Callable[[str], Trial]
) -> None:
    trial, chance = trials(name), random.Random(1)  # noqa: S311
    files, operations = recorded(trial)
    pattern = re.compile(f".*/{folder}")
    kept = [each for each in operations if each.kind != "flush" or not pattern.fullmatch(each.path)]
    with pytest.raises(AssertionError, match="disks are not as they should be"):
        check_all(trial, some_of(disks_of(files, kept, [len(kept)], chance)))


@pytest.mark.parametrize("name", ["post", "post-large", "post-many", "create"])
def test_without_the_flush_of_files_something_told_is_lost(name: str, trials: Callable[[str], Trial]) -> None:
    trial, chance = trials(name), random.Random(1)  # noqa: S311
    files, operations = recorded(trial)
    folders = {each.folder for each in operations} | {each.to_folder for each in operations}
    kept = [
        each
        for each in operations
        if each.kind != "flush-all" and (each.kind != "flush" or each.node in folders)
    ]
    with pytest.raises(AssertionError, match="disks are not as they should be"):
        check_all(trial, some_of(disks_of(files, kept, [len(kept)], chance)))


def some_of(lefts: list[Left]) -> list[Left]:
    """A few of each kind: with all that is not flushed, without, and in between."""
    return lefts[:: max(1, len(lefts) // 12)]
