"""The power is cut after any operation: what was told is on every disk that this may leave."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from cuts import Left, after_a_kill, check_all, disks_of, emptiest, recorded, sampled
from points import points_of
from scenarios import BY_NAME, SCENARIOS

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


def where_names_change(trial: Trial, chance: random.Random, torture: bool) -> list[Point]:
    """Every point; in the short form those after which most waits to be flushed, and any other."""
    points = points_of(trial.operations)
    links = [point for point in points if point.kind == "link"]
    renames = [point for point in points if point.kind == "rename"]
    return points if torture else [*links[-1:], *renames[:2], chance.choice(points)]
