"""SIGKILL before, after and in the middle of every operation of every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from points import HALVES, Fault, inject, points_of, sampled
from scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from trials import Trial

pytestmark = pytest.mark.torture


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_a_command_that_is_killed_anywhere_loses_nothing_and_can_be_called_again(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)
    kills = [
        Fault(point, does)
        for point in points_of(trial.operations)
        for does in ("kill-before", "kill-after", "kill-half")
        if does != "kill-half" or point.kind in HALVES
    ]
    chosen = sampled(trial, kills, torture)
    count("kills", len(chosen))
    count("faults injected", len(chosen))
    inject(trial, chosen, trial.check)
