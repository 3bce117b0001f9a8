"""The power is cut after any operation: what was told is on every disk that this may leave."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from cuts import Left, after_a_kill, check_all, disks_of, recorded, sampled
from points import points_of
from scenarios import BY_NAME, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

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
def test_what_a_command_tells_rests_on_nothing_that_a_killed_one_did_not_flush(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    if BY_NAME[name].is_long and not torture:
        pytest.skip("takes long")
    trial, chance = trials(name), random.Random(random.random())  # noqa: S311
    points = points_of(trial.operations)
    lefts: list[Left] = []
    for point in points if torture else chance.sample(points, min(len(points), 3)):
        lefts += chance.choices(after_a_kill(trial, point, chance), k=3 if torture else 1)
    count("disks after a power cut", len(lefts))
    check_all(trial, lefts)
