"""Every operation of every command refused by the disk: once, and from then on."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from points import Fault, inject, points_of, sampled
from scenarios import SCENARIOS

from tests.support.operations import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios import Project
    from trials import Trial

    from tests.support.forks import Ended

pytestmark = pytest.mark.torture

REFUSALS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EMFILE, errno.EROFS, errno.EINTR]
NAMES = [scenario.name for scenario in SCENARIOS]


def refusals(trial: Trial, kinds: frozenset[str] | None = None) -> list[Fault]:
    points = points_of(trial.operations) if kinds is None else points_of(trial.operations, kinds)
    return [
        Fault(point, "fail", number, for_good)
        for point in points
        for number in REFUSALS
        for for_good in (False, True)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_the_disk_refuses_says_so_and_can_be_called_again(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)

    def check(project: Project, ended: Ended) -> None:
        assert flushed_again(ended) == []
        trial.check(project, ended)

    chosen = sampled(trial, refusals(trial), torture, stride=50)
    count("faults injected", len(chosen))
    inject(trial, chosen, check)


def flushed_again(ended: Ended) -> list[str]:
    """Files and folders that were flushed once more after that had failed: the system has lost what it could not write."""
    failed, again = set(), []
    for each in ended.operations:
        if each.kind == "flush" and each.node in failed:
            again.append(each.path)
        if each.kind == "flush" and each.failed:
            failed.add(each.node)
    return again


@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_cannot_read_says_so_and_can_be_called_again(
    name: str, trials: Callable[[str], Trial], torture: bool, count: Callable[[str, int], None]
) -> None:
    trial = trials(name)
    chosen = sampled(trial, refusals(trial, LOOKS), torture, stride=50)
    count("faults injected", len(chosen))
    inject(trial, chosen, trial.check, looks=True)
