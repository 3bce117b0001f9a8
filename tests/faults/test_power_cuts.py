"""The power is cut after any operation: what was told is on every disk that this may leave."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from archived import ASIDE, set_aside, still_there
from cuts import (
    MOST_AT_ONE_CUT,
    NAMING,
    Left,
    after_a_kill,
    check_all,
    disks_of,
    emptiest,
    killed_at,
    recorded,
    sampled,
    without_what_a_kill_left,
    without_what_is_left,
)
from points import points_of
from scenarios import BY_NAME, SCENARIOS

from tests.support.power import Files, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from points import Point
    from trials import Trial

pytestmark = pytest.mark.torture

NAMES = [scenario.name for scenario in SCENARIOS]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_power_cut_leaves_is_old_or_new_and_has_all_that_was_told(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    if BY_NAME[name].is_long and not torture:
        pytest.skip("takes long")
    trial, chance = trials(name), random.Random(random.random())  # noqa: S311
    files, operations = recorded(trial)
    cuts = range(len(operations) + 1)
    if not torture:
        cuts = [*chance.sample(cuts, min(len(cuts), 4)), len(operations)]
    lefts = sampled(disks_of(files, operations, cuts, chance), 400 if torture else 6, chance)
    count("disks after a power cut", len(lefts))
    check_all(trial, lefts)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_rests_on_what_a_killed_command_did_not_flush(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    if BY_NAME[name].is_long and not torture:
        pytest.skip("takes long")
    trial, chance = trials(name), random.Random(random.random())  # noqa: S311
    lefts: list[Left] = []
    for point in where_names_change(trial, chance, torture):
        during, told = after_a_kill(trial, point, chance)
        lefts += [emptiest(told), *chance.sample(during, min(len(during), 4 if torture else 1))]
        lefts += chance.sample(told, min(len(told), 2)) if torture else []
    count("disks after a power cut", len(lefts))
    check_all(trial, lefts)


@pytest.mark.parametrize("name", [*NAMES, "archive", "restore"])
def test_what_a_killed_command_did_not_flush_is_flushed_before_more_is_done(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    if BY_NAME[name].is_long and not torture:
        pytest.skip("takes long")
    trial, lefts = trials(name), dict[int, Left]()
    for point in where_names_are_left(trial, torture):
        for left in without_what_a_kill_left(trial, point):
            lefts.setdefault(hash((left.is_told, frozenset(left.disk.items()))), left)
    count("disks after a power cut", len(lefts))
    check_all(trial, lefts.values())


def test_what_was_set_aside_is_so_on_the_disk_before_it_is_cleaned_up(
    trials: Callable[[str], Trial], count: Callable[[str, int], None]
) -> None:
    trial = trials("cleanup")
    project = trial.fresh()
    files = Files(project.folder)
    done = set_aside(project)
    files.do(done)
    files.leave(done)
    cleaned = trial.call(project, trial.plan(project))
    assert ASIDE in cleaned.stdout
    assert not (project.runs / ASIDE).exists()
    trial.forget(project)
    lefts = list(without_what_is_left(files, cleaned.operations, "a kill"))
    count("disks after a power cut", len(lefts))
    for left in lefts:
        put(left.disk, (found := trial.empty()).folder)
        assert still_there(found) == trial.before, left.after


def test_who_hears_that_a_packed_run_has_a_folder_has_it_after_a_power_cut_too(
    trials: Callable[[str], Trial],
) -> None:
    trial = trials("restore")
    named = next(point for point in points_of(trial.operations) if point.kind == "rename")
    project, files = killed_at(trial, named)
    assert files.without_left() is not None
    again = trial.call(project, trial.plan(project))
    assert again.told["error"]["name"] == "RunExists"
    for operation in again.operations:
        files.do(operation)
    assert files.without_left() is None
    trial.forget(project)


def test_also_a_link_in_a_damaged_journal_is_on_the_disk_when_repair_says_where(
    trials: Callable[[str], Trial],
) -> None:
    trial = trials("repair-cuts")
    project = trial.fresh()
    (project.run_folder / "journal" / "notes").symlink_to("../run.json")
    files = Files(project.folder)
    repaired = trial.call(project, trial.plan(project))
    for operation in repaired.operations:
        files.do(operation)
    trial.forget(project)
    for disk in files.disks(random.Random(0), MOST_AT_ONE_CUT):  # noqa: S311
        assert f".a5c/runs/r/{repaired.told['quarantine']}/notes" in disk


def where_names_are_left(trial: Trial, torture: bool) -> list[Point]:
    """Changes of names outside of the cache; in the short form renames, and the first link but of events."""
    points = [
        point
        for point in points_of(trial.operations)
        if point.kind in NAMING and not os.path.dirname(point.path).endswith("/state")
    ]
    links = [
        point
        for point in points
        if point.kind == "link" and not os.path.dirname(point.path).endswith("/journal")
    ]
    return points if torture else [*links[:1], *(point for point in points if point.kind == "rename")]


def where_names_change(trial: Trial, chance: random.Random, torture: bool) -> list[Point]:
    """Every point; in the short form those after which most waits to be flushed, and any other."""
    points = points_of(trial.operations)
    links = [point for point in points if point.kind == "link"]
    renames = [point for point in points if point.kind == "rename"]
    return points if torture else [*links[-1:], *renames[:2], chance.choice(points)]
